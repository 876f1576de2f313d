//! 待处理: the conflict inbox. Left the cases by kind with their age, right both sides and what each verdict would write.
//!
//! Out of scope: the list ([`super::inbox`]), what a verdict would write ([`super::foresight`]), several at once
//! ([`super::batch`]).

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::Actor;
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};

use super::Console;
use super::batch;
use super::compare::{self, Compared};
use super::failure::Failure;
use super::foresight::{Foresights, Teller, stake_words};
use super::forms::{self, Alike, KIND_LOOK_ALIKE, KIND_PROFILE, field_words};
use super::inbox::{self, Group, Inbox, InboxQuery, Which};
use super::members::masked_name;
use super::owed::{self, KIND_OWED};
use super::place::{self, CONTACT};
use super::signed::SignedIn;
use super::taken_back::{KIND_REVERSAL, taken_back};
use super::ui::{Ui, number};
use super::verdict::{self, Choice};
use crate::db::Tx;
use crate::rules::apply::OwnerCase;
use crate::rules::inbox::{Care, said, stake};
use crate::rules::world::CaseState;
use crate::store::cases::{self, Case, Side};
use crate::store::inbox as inbox_store;
use crate::store::people::{self, PeopleError};

struct Verdict {
    code: &'static str,
    key: &'static str,
    label: String,
    writes: String,
    /// What it would post, a line per sum; nothing where something must be chosen first.
    posts: Vec<String>,
}

struct Candidate {
    id: String,
    name: String,
    number: String,
    office: String,
    /// What would be posted if it were of this member.
    posts: Vec<String>,
}

/// A check-in or request that can be made the one that counts.
struct Countable {
    id: String,
    words: String,
    /// What would be posted if it were.
    posts: Vec<String>,
}

struct Detail {
    id: String,
    kind: u8,
    /// The version of the case that is shown: a verdict goes with it.
    seen: String,
    title: String,
    what: String,
    state: String,
    tone: &'static str,
    is_open: bool,
    facts: Vec<(String, String)>,
    sides: Option<Compared>,
    extra: Option<Compared>,
    more: String,
    verdicts: Vec<Verdict>,
    countable: Vec<Countable>,
    alike: Option<Alike>,
    alike_member: String,
    /// Final contact data: code, label and what was typed.
    contact: Vec<(&'static str, String, String)>,
    needs_member: bool,
    find: String,
    candidates: Vec<Candidate>,
    day_link: String,
    history: Vec<(String, String)>,
    /// Who has it, and until when it is put off; empty for nobody and for not.
    who: String,
    put_off: String,
    people: Vec<(String, String)>,
    times: Vec<(String, String)>,
    reason: String,
    error: String,
    next: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    ui: Ui,
    groups: Vec<Group>,
    ended: bool,
    mine: bool,
    filter: String,
    /// The cause alone that is listed; empty for all.
    kind: String,
    /// When the list was read: what changes later is new.
    newest: i64,
    done: String,
    again: String,
    detail: Option<Detail>,
}

/// What a person has typed so far.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) reason: String,
    pub(super) find: String,
    pub(super) error: String,
    pub(super) candidates: Vec<MemberId>,
    pub(super) chosen: place::Chosen,
}

/// The inbox; on a wide screen with the first case beside it.
pub async fn inbox(
    State(console): State<Console>,
    Query(query): Query<InboxQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    render(&console, &by, &query, None, Typed::default(), StatusCode::OK).await
}

/// One case.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<InboxQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let id: Hash = id.parse().map_err(|_| Failure::NotFound)?;
    render(&console, &by, &query, Some(id), Typed::default(), StatusCode::OK).await
}

/// The case that is shown.
struct Chosen {
    case: Case,
    /// Whom it is about.
    name: String,
    sides: Vec<Side>,
    /// How many facts it has.
    count: u64,
    /// What was decided, by whom and when; and why.
    decisions: Vec<(String, String)>,
    care: Care,
    stake: Vec<Leg>,
    occurrence: Option<(hufu_shared::scheme::Words, i64)>,
    device: Option<(String, String, String, hufu_shared::scheme::Words)>,
    candidates: Vec<Candidate>,
    alike: Option<Alike>,
    requests: Option<Compared>,
    foresights: Foresights,
    people: Vec<(String, String)>,
}

/// What the page is read with.
struct Reader {
    vault: crate::vault::Vault,
    keys: std::sync::Arc<crate::ca::OwnKeys>,
    ui: Ui,
    actor: Actor,
    now: hufu_shared::time::Instant,
}

impl Reader {
    /// One case with all that its page shows. `found` are members that the person looked for.
    fn chosen(&self, tx: &mut Tx<'_>, case: Case, found: &[MemberId]) -> Result<Chosen, PeopleError> {
        let (vault, ui) = (&self.vault, &self.ui);
        let opens = (vault, self.keys.open_key());
        let name = subject(tx, vault, &case)?;
        let (sides, count) = cases::sides(tx, case.id)?;
        let occurrence = case.known.occurrence.map(|id| cases::occurrence(tx, id)).transpose()?.flatten();
        let device = case.known.device.map(|id| cases::device_place(tx, id)).transpose()?.flatten();
        let mut decisions = Vec::new();
        for decision in cases::decisions(tx, case.id, case.known.opened)? {
            decisions.push(inbox::decided_words(tx, ui, opens.1, &decision)?);
        }
        let (mut alike, mut requests, mut owners) = (None, None, Vec::new());
        match case.known.kind {
            KIND_LOOK_ALIKE => alike = forms::alike(tx, opens, ui, &case)?,
            KIND_PROFILE => requests = Some(forms::requests(tx, opens, ui, (&case, &sides))?),
            KIND_REVERSAL => requests = taken_back(tx, ui, (&case, &sides))?,
            KIND_OWED => requests = owed::settling(tx, ui, &case, self.now)?,
            KIND_OWNER => owners = owners_of(&case),
            _ => {}
        }
        owners.retain(|owner| !found.contains(owner));
        let offered: Vec<MemberId> = owners.iter().chain(found).copied().collect();
        let teller = Teller { vault, ui, actor: &self.actor, now: self.now };
        let is_open = is_waiting(&case);
        let picks: Vec<FactId> = countable_sides(case.known.kind, &sides).map(|(_, side)| side.id).collect();
        let foresights = teller.all(tx, (&case, is_open), (&picks, &offered))?;
        let candidates = self.candidates(tx, &offered, &foresights)?;
        let told: Vec<Leg> =
            sides.iter().filter_map(|side| side.fact.as_ref()).flat_map(|fact| said(&fact.event)).collect();
        let stake = stake(&told, &sides.iter().flat_map(posted).collect::<Vec<_>>());
        let (care, people) = (inbox_store::care(tx, case.id)?, batch::people(tx, ui)?);
        Ok(Chosen {
            name,
            sides,
            count,
            decisions,
            care,
            stake,
            occurrence,
            device,
            candidates,
            alike,
            requests,
            foresights,
            people,
            case,
        })
    }

    fn candidates(
        &self,
        tx: &mut Tx<'_>,
        offered: &[MemberId],
        foresights: &Foresights,
    ) -> Result<Vec<Candidate>, PeopleError> {
        let mut candidates = Vec::new();
        for member in offered {
            if let Some(row) = people::member(tx, *member)? {
                let offices = people::offices(tx)?;
                let office = offices.iter().find(|office| Some(office.office) == row.office);
                candidates.push(Candidate {
                    id: member.to_string(),
                    name: masked_name(tx, &self.vault, Some(*member))?,
                    number: row.number,
                    office: office.map_or_else(String::new, |office| self.ui.pick(&office.name)),
                    posts: foresights.members.get(member).cloned().unwrap_or_default(),
                });
            }
        }
        Ok(candidates)
    }
}

/// Whether a case waits for a person.
fn is_waiting(case: &Case) -> bool {
    matches!(case.known.state, CaseState::Open | CaseState::EvidenceChanged)
}

/// What the ledger has for members for one fact.
fn posted(side: &Side) -> Vec<Leg> {
    let one = |(debit, credit, amount, unit, _): &(String, String, i64, String, String)| {
        let unit = Unit::from_code(unit)?;
        let to_member = i64::from(credit.starts_with("member/")) - i64::from(debit.starts_with("member/"));
        Some(Leg { unit, amount: Amount(amount * to_member) })
    };
    side.postings.iter().filter_map(one).collect()
}

async fn load(
    console: &Console,
    by: &SignedIn,
    of: (Option<u8>, Which),
    id: Option<Hash>,
    candidates: Vec<MemberId>,
) -> Result<(Inbox, Option<Chosen>), Failure> {
    let reader = Reader {
        vault: console.app.vault.clone(),
        keys: console.app.keys.clone(),
        ui: by.ui.clone(),
        actor: by.actor(),
        now: console.app.now(),
    };
    let work = move |tx: &mut Tx<'_>| -> Result<(Inbox, Option<Chosen>), PeopleError> {
        let list = inbox::read(tx, &reader.vault, of, reader.now)?;
        let chosen = match id {
            Some(id) => cases::one(tx, id)?,
            None => list.list.first().map(|(case, _)| case.clone()),
        };
        let chosen = chosen.map(|case| reader.chosen(tx, case, &candidates)).transpose()?;
        Ok((list, chosen))
    };
    Ok(console.app.db.read(work).await?)
}

/// Number of the kind "card re-assigned meanwhile".
const KIND_OWNER: u8 = 14;

/// The owners then and now of a card that changed hands.
fn owners_of(case: &Case) -> Vec<MemberId> {
    let owners = hufu_shared::cbor::decode::<OwnerCase>(&case.known.detail).ok();
    owners.into_iter().flat_map(|owners| [owners.then, owners.now]).flatten().collect()
}

/// Whom or what a case is about, in a few words.
pub(super) fn subject(
    tx: &mut Tx<'_>,
    vault: &crate::vault::Vault,
    case: &Case,
) -> Result<String, PeopleError> {
    if case.known.member.is_some() {
        return masked_name(tx, vault, case.known.member);
    }
    if let Some(device) = case.known.device {
        return Ok(cases::device_place(tx, device)?.map_or_else(String::new, |place| place.0));
    }
    Ok(case.known.token.map_or_else(String::new, |token| format!("{token:?}").replace("token:", "#")))
}

pub(super) async fn render(
    console: &Console,
    by: &SignedIn,
    query: &InboxQuery,
    id: Option<Hash>,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("cases");
    let which = query.which(by.session.staff);
    let (inbox, chosen) = load(console, by, (query.kind, which), id, typed.candidates.clone()).await?;
    if id.is_some() && chosen.is_none() {
        return Err(Failure::NotFound);
    }
    let filter = query.text();
    let selected = chosen.as_ref().map(|chosen| chosen.case.id);
    let next = inbox::next_link(&inbox.list, selected, &filter);
    let groups = inbox::groups(&ui, &inbox, selected, query);
    let done = match query.done.as_deref() {
        Some("hand") => ui.t("done-hand"),
        Some("later") => ui.t("done-later"),
        done => done
            .and_then(Choice::from_code)
            .map_or_else(String::new, |choice| ui.t(&format!("done-{}", choice.code()))),
    };
    // Only a verdict that can be replaced leads back to its case.
    let last = query.last.as_deref().and_then(|id| id.parse::<Hash>().ok());
    let again = last.map_or_else(String::new, |id| format!("/cases/{id}"));
    let page = CasesPage {
        groups,
        ended: which == Which::Ended,
        mine: query.is_mine(),
        filter,
        kind: query.kind.map(|kind| kind.to_string()).unwrap_or_default(),
        newest: inbox.newest.0,
        done,
        again,
        detail: chosen.map(|chosen| detail(&ui, chosen, typed, next)),
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

fn detail(ui: &Ui, chosen: Chosen, typed: Typed, next: String) -> Detail {
    let (known, kind, is_open) = (&chosen.case.known, chosen.case.known.kind, is_waiting(&chosen.case));
    let mut facts = known_facts(ui, &chosen, is_open);
    facts.extend(chosen.alike.iter().flat_map(|alike| alike.written.iter().cloned()));
    let label = |field: &'static str| (field, field_words(ui, field));
    let contact = CONTACT.map(label).into_iter().zip(typed.chosen.contact);
    let (shown, count) = (chosen.sides.len() as u64, chosen.count);
    let put_off = chosen.care.until(known.changed, ui.now).map(|until| ui.time(until));
    Detail {
        id: chosen.case.id.to_string(),
        kind,
        seen: chosen.case.entry.to_string(),
        title: ui.t(&format!("kind-{kind:02}")),
        what: ui.t(&format!("what-{kind:02}")),
        state: ui.t(&format!("case-state-{}", known.state.code())),
        tone: if is_open { "wait" } else { "ok" },
        is_open,
        facts,
        verdicts: verdicts(ui, kind, is_open, &chosen.foresights),
        countable: countable(ui, kind, &chosen.sides, &chosen.foresights),
        extra: chosen.requests.or_else(|| compare::detail(ui, &chosen.case)),
        alike: chosen.alike.filter(|_| is_open),
        alike_member: typed.chosen.member.map(|member| member.to_string()).unwrap_or_default(),
        contact: contact.map(|((field, label), value)| (field, label, value)).collect(),
        more: if count > shown {
            ui.t_with("case-more", &[("shown", &shown.to_string()), ("n", &count.to_string())])
        } else {
            String::new()
        },
        day_link: day_link(&chosen.sides, kind),
        // Side by side only where there are sides: a day's closing is told by its totals.
        sides: (!chosen.sides.is_empty() && kind != 30).then(|| compare::sides(ui, &chosen.sides)),
        needs_member: kind == KIND_OWNER || (kind == 13 && is_open),
        find: typed.find,
        candidates: chosen.candidates,
        history: chosen.decisions,
        who: chosen.care.name,
        put_off: put_off.unwrap_or_default(),
        people: chosen.people,
        times: batch::put_off_times(ui),
        reason: typed.reason,
        error: typed.error,
        next,
    }
}

fn verdicts(ui: &Ui, kind: u8, is_open: bool, foresights: &Foresights) -> Vec<Verdict> {
    let verdict = |choice: &Choice| Verdict {
        code: choice.code(),
        key: choice.key(),
        label: ui.t(&format!("verdict-{}", choice.code())),
        writes: ui.t(&format!("writes-{}", verdict::writes(kind, *choice))),
        posts: foresights.of(*choice),
    };
    verdict::choices(kind, !is_open).iter().map(verdict).collect()
}

/// What is known of a case, a line each.
fn known_facts(ui: &Ui, chosen: &Chosen, is_open: bool) -> Vec<(String, String)> {
    let known = &chosen.case.known;
    let mut facts = Vec::new();
    if known.member.is_some() {
        facts.push((ui.t("case-member"), chosen.name.clone()));
    }
    if !chosen.stake.is_empty() {
        facts.push((ui.t("inbox-stake"), stake_words(ui, &chosen.stake)));
    }
    if let Some((words, points)) = &chosen.occurrence {
        facts.push((
            ui.t("case-occurrence"),
            ui.t_with("case-occurrence-points", &[("name", &ui.pick(words)), ("points", &number(*points))]),
        ));
    }
    if let Some((device, _, code, office)) = &chosen.device {
        facts.push((ui.t("case-device"), format!("{device} · {code} {}", ui.pick(office))));
    }
    let waited = [("time", ui.time(known.opened)), ("ago", ui.ago(known.opened))];
    let waited = waited.each_ref().map(|(name, value)| (*name, value.as_str()));
    facts.push((ui.t("case-opened"), ui.t_with("case-waited", &waited)));
    facts.push((ui.t("case-automatic"), ui.t(&format!("automatic-{}", known.automatic))));
    if let Some(deadline) = known.deadline.filter(|_| is_open) {
        facts.push((ui.t("case-deadline"), inbox::deadline(ui, Some(deadline)).0));
    }
    facts
}

/// The sides that could be made the one that counts, each with its place; none in a kind that has no such verdict.
fn countable_sides(kind: u8, sides: &[Side]) -> impl Iterator<Item = (usize, &Side)> {
    let has_choice = matches!(kind, 4 | KIND_PROFILE | 27 | 32);
    sides
        .iter()
        .enumerate()
        .filter(move |(_, side)| has_choice && side.became != "applied_with_case" && side.became != "applied")
}

/// Check-ins that could be made the one that counts.
fn countable(ui: &Ui, kind: u8, sides: &[Side], foresights: &Foresights) -> Vec<Countable> {
    countable_sides(kind, sides)
        .map(|(at, side)| {
            let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
            let zone = side.office.clock.tz().unwrap_or(ui.zone);
            let time = ui.seconds_in(side.at, zone);
            let words = ui.t_with(
                "side-choose",
                &[("letter", &letter.to_string()), ("device", &side.device_name), ("time", &time)],
            );
            let posts = foresights.facts.get(&side.id).cloned().unwrap_or_default();
            Countable { id: fact_text(side.id), words, posts }
        })
        .collect()
}

fn day_link(sides: &[Side], kind: u8) -> String {
    let closed = sides.first().filter(|_| kind == 30).and_then(|side| {
        let hufu_shared::fact::Event::DayClosed(closed) = &side.fact.as_ref()?.event else { return None };
        Some((side.id.device, closed.day))
    });
    closed.map_or_else(String::new, |(device, day)| format!("/days?device={device}&day={day}"))
}

pub(super) fn fact_text(id: FactId) -> String {
    format!("{}.{}.{}", id.device, id.epoch, id.seq)
}
