//! Leaving, messages and dictionaries in `/api/v1` (K2, K11, K12, C5). Each change is an act with a reason that a person
//! typed; what cannot be done any more is answered as a conflict and changes nothing.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::{Act, LeaveDecided, LeaveFiled, MemberRestored, MessagesTold};
use hufu_shared::dictionary::{self, Term, TermError};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::scheme::Words;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::pages::{CountedQuery, ListQuery, cursor, is_full, next, rows_of};
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::joining::leaving::{self, State as Leaving, Step};
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, approvals, joining, journal, outbox, people};

/// Messages that one request marks at most.
const TOLD_MAX: usize = 500;

/// What is done with somebody's leaving.
#[derive(Clone)]
enum Deal {
    File(String),
    Audit(bool),
    Restore,
}

/// Puts a member down as leaving.
pub async fn file(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let kind = posted.fields.get("kind").to_owned();
    deal(&console, member, posted, Deal::File(kind)).await
}

/// Audits a leaving: `archived` 1 grants it, 0 does not.
pub async fn audit(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let archived = match posted.fields.get("archived") {
        "1" => true,
        "0" => false,
        _ => return Err(Refused::unfit(&posted.by.ui, "verdict-none")),
    };
    deal(&console, member, posted, Deal::Audit(archived)).await
}

/// Takes a member out of the archive.
pub async fn restore(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    deal(&console, member, posted, Deal::Restore).await
}

async fn deal(
    console: &Console,
    member: MemberId,
    posted: Posted,
    deal: Deal,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    match deal_it(console, &posted, (member, deal)).await? {
        Ok(()) => {}
        Err(key @ ("leaving-changed" | "leaving-own")) => return Err(Refused::conflict(&ui, key)),
        Err(key) => return Err(Refused::unfit(&ui, key)),
    }
    let known = console.app.db.read(move |tx| joining::leaving(tx, member)).await?;
    Ok(Json(json!({
        "member": member, "state": known.as_ref().map(|known| known.state.code()),
        "kind": known.map(|known| known.kind),
    })))
}

/// Audits a leaving; answers the key of what is wrong.
pub(super) async fn audit_it(
    console: &Console,
    posted: &Posted,
    (member, archived): (MemberId, bool),
) -> Result<Result<(), &'static str>, Failure> {
    deal_it(console, posted, (member, Deal::Audit(archived))).await
}

async fn deal_it(
    console: &Console,
    posted: &Posted,
    (member, deal): (MemberId, Deal),
) -> Result<Result<(), &'static str>, Failure> {
    if posted.fields.get("reason").is_empty() {
        return Ok(Err("reason-missing"));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(row) = people::member(tx, member)? else { return Ok(Err("bind-nobody")) };
        let before = joining::leaving(tx, member)?.map(|known| known.state);
        let (step, act) = match &deal {
            Deal::File(kind) => {
                if !joining::can_choose(tx, dictionary::LEAVE_KIND, kind)? {
                    return Ok(Err("leaving-kind"));
                }
                let filed = LeaveFiled { member, kind: kind.clone(), reason: note.commitment };
                (Step::File, Act::LeaveFiled(filed))
            }
            Deal::Audit(archived) => {
                let filed = joining::leaving(tx, member)?.map(|known| known.filed);
                let asker =
                    filed.map(|filed| approvals::leave_asker(tx, member, filed)).transpose()?.flatten();
                if asker.is_some_and(|asker| actor.owns(&asker)) {
                    return Ok(Err("leaving-own"));
                }
                let step = if *archived { Step::Archive } else { Step::Refuse };
                let decided = LeaveDecided { member, archived: *archived, reason: note.commitment };
                (step, Act::LeaveDecided(decided))
            }
            Deal::Restore => {
                let restored = MemberRestored { member, reason: note.commitment };
                (Step::Restore, Act::MemberRestored(restored))
            }
        };
        let is_left = row.status == MemberStatus::Left;
        if leaving::after(before, step).is_none() || is_left != (step == Step::Restore) {
            return Ok(Err("leaving-changed"));
        }
        note.put(tx, Some(staff), now)?;
        acts::take(tx, entry, now, &actor, &act)?;
        Ok(Ok(()))
    };
    Ok(console.app.write(work).await?)
}

/// Leavings in a state, 待退 by default, the oldest first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let state = Leaving::from_code(query.state.as_deref().unwrap_or("filed")).ok_or(Failure::NotFound)?;
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let load = move |tx: &mut Tx<'_>| joining::leavings(tx, state, (at, MemberId(id)), most);
    let page = console.app.db.read(load).await?;
    let next = page.last().and_then(|view| next((page.len(), most), view.known.filed, &view.member.0));
    let row = |view: &joining::LeavingView| {
        let told = view.told.as_ref();
        let notice = view.notice.map(|message| {
            json!({
                "message": message, "state": if told.is_some() { "told" } else { "due" },
                "round": told.map(|told| told.1), "told": told.map(|told| told.0),
                "channel": told.map(|told| told.2.clone()),
            })
        });
        json!({
            "member": view.member, "kind": view.known.kind, "state": view.known.state.code(),
            "automatic": view.known.automatic, "filed": view.known.filed, "changed": view.known.changed,
            "notice": notice,
        })
    };
    Ok(Json(json!({ "leavings": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// Messages that are due 待通知, or with `state=told` those that were told 已通知; the oldest first.
pub async fn messages(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let told = match query.state.as_deref() {
        None | Some("due") => false,
        Some("told") => true,
        Some(_) => return Err(Failure::NotFound.into()),
    };
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let most = rows_of(query.limit);
    let page = console.app.db.read(move |tx| joining::messages(tx, told, (at, Hash(id)), most)).await?;
    let next = page.last().and_then(|(id, known)| next((page.len(), most), known.due, &id.0));
    let row = |(id, known): &(Hash, crate::rules::world::KnownMessage)| {
        json!({
            "message": id, "about": known.about.code(), "member": known.member,
            "application": known.application.map(super::cases::fact_text), "due": known.due, "told": known.told,
            "round": known.told.map(|_| known.round), "channel": known.channel, "occurrence": known.occurrence,
        })
    };
    Ok(Json(json!({ "messages": page.iter().map(row).collect::<Vec<_>>(), "next": next })))
}

/// One message, with how its sending by a machine goes.
pub async fn message(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((joining::message(tx, id)?, outbox::tried(tx, id)?))
    };
    let (known, tried) = console.app.db.read(load).await?;
    let known = known.ok_or(Failure::NotFound)?;
    let sending = tried.map(|tried| {
        json!({
            "channel": tried.channel, "tries": tried.tries, "next_at": tried.next_at, "sent_at": tried.sent_at,
            "error": tried.error,
        })
    });
    Ok(Json(json!({
        "message": id, "about": known.about.code(), "member": known.member,
        "application": known.application.map(super::cases::fact_text), "due": known.due, "told": known.told,
        "round": known.told.map(|_| known.round), "channel": known.channel, "occurrence": known.occurrence,
        "sending": sending,
    })))
}

/// The rounds of telling people 已通知, the newest first, and how many wait for the next one 待通知 (K2); of both, how many
/// were about leaving.
pub async fn rounds(
    State(console): State<Console>,
    Query(query): Query<CountedQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (before, most) = (query.cursor.unwrap_or(i64::MAX), rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| joining::rounds(tx, before, most);
    let (rounds, (due, of_leaving)) = console.app.db.read(load).await?;
    let next = rounds.last().filter(|_| is_full(rounds.len(), most)).map(|round| round.round);
    let row = |round: &joining::Round| {
        json!({
            "round": round.round, "channel": round.channel, "told": round.told, "messages": round.messages,
            "of_leaving": round.of_leaving,
        })
    };
    let rounds: Vec<Value> = rounds.iter().map(row).collect();
    Ok(Json(json!({ "rounds": rounds, "due": due, "due_of_leaving": of_leaving, "next": next })))
}

/// Marks messages as told by a channel: one round (K2). `messages` are ids with commas between.
pub async fn tell(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let listed = posted.fields.get("messages").split(',').filter(|id| !id.is_empty());
    let messages: Result<Vec<Hash>, _> = listed.map(|id| id.trim().parse()).collect();
    let messages = messages.ok().filter(|ids| (1..=TOLD_MAX).contains(&ids.len()));
    let messages = messages.ok_or_else(|| Refused::unfit(&ui, "messages-none"))?;
    let channel = posted.fields.get("channel").to_owned();
    let (actor, entry, now) = (posted.by.actor(), console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Option<u32>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if !joining::can_choose(tx, dictionary::CHANNEL, &channel)? {
            return Ok(None);
        }
        let round = joining::next_round(tx)?;
        let told = MessagesTold { round, channel: channel.clone(), messages: messages.clone() };
        acts::take(tx, entry, now, &actor, &Act::MessagesTold(told))?;
        Ok(Some(round))
    };
    let round = console.app.write(work).await?.ok_or_else(|| Refused::unfit(&ui, "messages-channel"))?;
    Ok(Json(json!({ "round": round })))
}

fn term_json(term: &Term) -> Value {
    json!({ "code": term.code, "words": term.words, "order": term.order, "retired": term.retired })
}

/// One dictionary, in its order, with what is retired.
pub async fn terms(
    State(console): State<Console>,
    Path(name): Path<String>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    if !dictionary::NAMES.contains(&name.as_str()) {
        return Err(Failure::NotFound.into());
    }
    let asked = name.clone();
    let terms = console.app.db.read(move |tx| joining::terms(tx, &asked)).await?;
    let terms: Vec<Value> = terms.iter().map(term_json).collect();
    Ok(Json(json!({ "dictionary": name, "terms": terms })))
}

/// Adds a word to a dictionary, or changes or retires one. Nothing is deleted: records hold the code for ever.
pub async fn set_term(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = &posted.by.ui;
    let term = match term_of(name, &posted.fields) {
        Ok(term) => term,
        Err(None) => return Err(Refused::unfit(ui, "term-order")),
        Err(Some(error)) => return Err(Refused::unfit_as("term", error.to_string())),
    };
    console.app.act(posted.by.actor(), Act::DictionarySet(vec![term.clone()])).await?;
    Ok(Json(term_json(&term)))
}

/// The word that a form or request says; or what is wrong with it, nothing where its place is no number.
pub(super) fn term_of(dictionary: String, fields: &Fields) -> Result<Term, Option<TermError>> {
    let term = Term {
        dictionary,
        code: fields.get("code").to_owned(),
        words: Words { zh: fields.get("zh").to_owned(), en: fields.get("en").to_owned() },
        order: fields.get("order").parse().map_err(|_| None)?,
        retired: fields.get("retired") == "1",
    };
    term.validate().map_err(Some)?;
    Ok(term)
}
