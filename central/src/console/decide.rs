//! A verdict, from the form to the books.
//!
//! A verdict settles the evidence that its page showed, and nothing else: the form carries the version of the case,
//! and behind the gate, where nobody else can change it any more, it must still be the case's version. Everything the
//! verdict rests on is read there as well.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use hufu_shared::act::{Act, Actor, CardSet, CaseDecided, FactsReleased};
use hufu_shared::dictionary::CARD_KIND_ORDINARY;
use hufu_shared::ids::{CardId, EntryId, FactId, Hash, MemberId};
use hufu_shared::member::CardStatus;
use hufu_shared::token::Token;

use super::Console;
use super::cases::{Typed, fact_text, render};
use super::failure::{Failure, go};
use super::first_card::FirstCard;
use super::forms::KIND_PROFILE;
use super::inbox::{self, InboxQuery};
use super::members::found_by;
use super::place::{self, Chosen, Shell, Wanted};
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::{self, Choice, Picked};
use crate::db::Tx;
use crate::random;
use crate::rules::world::CaseState;
use crate::store::cases::{self, Case};
use crate::store::people::PeopleError;
use crate::store::{acts, contact, journal, people};

/// Members offered for an unknown card.
const CANDIDATES_MAX: usize = 10;
/// What a page says when the evidence is not what the person saw.
pub(super) const CHANGED: &str = "case-changed";

/// Takes a verdict, or looks for a member.
pub async fn decide(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<InboxQuery>,
    posted: Posted,
) -> Result<Response, Failure> {
    let id: Hash = id.parse().map_err(|_| Failure::NotFound)?;
    let Posted { by, fields } = posted.settled()?;
    let ui = by.ui.clone().at("cases");
    let case = console.app.db.read(move |tx| cases::one(tx, id)).await?.ok_or(Failure::NotFound)?;
    let mut typed = Typed {
        reason: fields.get("reason").to_owned(),
        find: fields.get("find").to_owned(),
        chosen: Chosen::of(&case, &fields),
        ..Typed::default()
    };
    let is_stale = case.entry.to_string() != fields.get("seen");
    if fields.get("verdict") == "find" {
        typed.candidates = look_up(&console, &typed.find).await?;
        if is_stale {
            typed.error = ui.t(CHANGED);
        } else if typed.candidates.is_empty() {
            typed.error = ui.t("bind-nobody");
        }
        return render(&console, &by, &query, Some(id), typed, StatusCode::OK).await;
    }
    let again = |mut typed: Typed, key: &str| {
        // The page that follows shows the evidence as it is now: it must not do so in silence.
        typed.error = ui.t(if is_stale { CHANGED } else { key });
        render(&console, &by, &query, Some(id), typed, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let is_open = matches!(case.known.state, CaseState::Open | CaseState::EvidenceChanged);
    let allowed = verdict::choices(case.known.kind, !is_open);
    let Some(choice) = Choice::from_code(fields.get("verdict")).filter(|choice| allowed.contains(choice))
    else {
        return again(typed, "verdict-none").await;
    };
    if typed.reason.is_empty() {
        return again(typed, "reason-missing").await;
    }
    let member: Option<MemberId> = fields.get("member").parse().ok();
    if matches!(choice, Choice::Bind | Choice::Attribute) && member.is_none() {
        typed.candidates = look_up(&console, &typed.find).await?;
        return again(typed, "bind-choose").await;
    }
    if let Err(key) = take(&console, &by, &case, choice, (&fields, &typed.chosen, member)).await? {
        return again(typed, key).await;
    }
    let query = query.waiting();
    let (which, now) = ((query.kind, query.which(by.session.staff)), console.app.now());
    let next = console.app.db.read(move |tx| inbox::first(tx, which, Some(id), now)).await?;
    let is_final = verdict::choices(case.known.kind, true).is_empty();
    let last = if is_final { String::new() } else { case.id.to_string() };
    Ok(go(&onward(next, choice.code(), &last, &query)))
}

/// Where a person goes on: to the case that is to be decided next, under the same filter, with what was done and the case
/// that can be judged anew.
pub(super) fn onward(next: Option<Hash>, done: &str, last: &str, query: &InboxQuery) -> String {
    let filter = query.text().trim_start_matches('?').to_owned();
    let last = if last.is_empty() { String::new() } else { format!("last={last}") };
    let parts: Vec<String> =
        [format!("done={done}"), last, filter].into_iter().filter(|part| !part.is_empty()).collect();
    let place = next.map_or_else(String::new, |next| format!("/{next}"));
    format!("/cases{place}?{}", parts.join("&"))
}

async fn look_up(console: &Console, text: &str) -> Result<Vec<MemberId>, Failure> {
    let (vault, text) = (console.app.vault.clone(), text.to_owned());
    Ok(console.app.db.read(move |tx| found_by(tx, &vault, &text, CANDIDATES_MAX)).await?)
}

/// A verdict as it was given.
struct Given {
    case: Hash,
    seen: String,
    choice: Choice,
    counts: String,
    member: Option<MemberId>,
    chosen: Chosen,
    reason: Hash,
}

impl Given {
    /// The decision, if the case is still the one that the person saw; else the key of what to say. Personal data is
    /// written with it. To be called behind the gate.
    fn decision(
        &self,
        tx: &mut Tx<'_>,
        shell: &Shell<'_>,
    ) -> Result<Result<CaseDecided, &'static str>, PeopleError> {
        let case = cases::one(tx, self.case)?.filter(|case| case.entry.to_string() == self.seen);
        let Some(case) = case else { return Ok(Err(CHANGED)) };
        if self.choice == Choice::Join {
            return place::application(tx, shell, &case, &self.chosen, self.reason);
        }
        if self.choice == Choice::TurnDown {
            return place::turned_down(tx, shell.vault, &case, self.reason);
        }
        let facts = cases::facts(tx, self.case)?;
        let chosen: Option<FactId> = facts.iter().find(|fact| fact_text(**fact) == self.counts).copied();
        if self.choice == Choice::Merge && chosen.is_none() {
            return Ok(Err("merge-choose"));
        }
        if let (KIND_PROFILE, Choice::Merge, Some(fact)) = (case.known.kind, self.choice, chosen)
            && let Err(key) = place::request(tx, shell, &case, fact)?
        {
            return Ok(Err(key));
        }
        let picked = Picked { fact: chosen, member: self.member };
        Ok(Ok(verdict::decision((self.case, case.known.kind), self.choice, &facts, picked, self.reason)))
    }
}

/// Facts released by one act: what one transaction does in a moment.
const RELEASED_AT_ONCE_MAX: i64 = 200;

/// Releases the facts of an enrolment that wait for a person, the first of them; with the last ones the case ends.
fn release(
    tx: &mut Tx<'_>,
    given: &Given,
    (entry, actor): (EntryId, &Actor),
    now: hufu_shared::time::Instant,
) -> Result<Result<(), &'static str>, PeopleError> {
    let case = cases::one(tx, given.case)?.filter(|case| case.entry.to_string() == given.seen);
    if case.is_none() {
        return Ok(Err(CHANGED));
    }
    let facts = cases::facts(tx, given.case)?;
    match released(tx, &facts, given.reason)? {
        Ok(released) => {
            acts::take(tx, entry, now, actor, &Act::FactsReleased(released))?;
            Ok(Ok(()))
        }
        Err(key) => Ok(Err(key)),
    }
}

/// The release of what waits of the enrolments that a case's facts name; else the key of what to say.
pub(super) fn released(
    tx: &mut Tx<'_>,
    of: &[FactId],
    reason: Hash,
) -> Result<Result<FactsReleased, &'static str>, PeopleError> {
    let enrolments: std::collections::BTreeSet<_> = of.iter().map(|fact| (fact.device, fact.epoch)).collect();
    let (mut facts, mut others_wait) = (Vec::new(), false);
    for (device, epoch) in enrolments {
        let (found, more) = contact::in_review(tx, device, epoch, u64::MAX >> 1, RELEASED_AT_ONCE_MAX)?;
        facts.extend(found);
        others_wait |= more;
    }
    let is_nothing = facts.is_empty();
    let released = FactsReleased { facts, reason, others_wait };
    Ok(if is_nothing { Err("release-nothing") } else { Ok(released) })
}

/// The card of a token, registered to a member. `fresh` is the id of a card that nobody registered before.
pub(super) fn bound(
    tx: &mut Tx<'_>,
    (token, fresh): (Token, CardId),
    member: MemberId,
) -> Result<Act, PeopleError> {
    let card = people::card_by_token(tx, token)?.unwrap_or_else(|| new_card(fresh, token));
    Ok(Act::CardsSet(vec![CardSet { member: Some(member), ..card }]))
}

/// Writes the verdict; a bound card, personal data and their verdict are one transaction.
///
/// # Errors
/// [`Failure`] if the books cannot be written; in the answer, the key of why nothing was.
pub(super) async fn take(
    console: &Console,
    by: &SignedIn,
    case: &Case,
    choice: Choice,
    (fields, chosen, member): (&Fields, &Chosen, Option<MemberId>),
) -> Result<Result<(), &'static str>, Failure> {
    let note = verdict::note(console, fields.get("reason"))?;
    let (seen, counts) = (fields.get("seen").to_owned(), fields.get("counts").to_owned());
    let (chosen, reason) = (chosen.clone(), note.commitment);
    let given = Given { case: case.id, seen, choice, counts, member, chosen, reason };
    let (actor, staff, now) = (by.actor(), by.session.staff, console.app.now());
    let entries = (console.app.entry_id()?, console.app.entry_id()?);
    let fresh = CardId::new(now, random::bytes()?);
    let (person, salt) = (MemberId::new(now, random::bytes()?), random::bytes()?);
    let token = case.known.token.filter(|_| choice == Choice::Bind);
    let card = match FirstCard::typed(console, fields.get("card")).await? {
        Ok(card) => card,
        Err(key) => return Ok(Err(key)),
    };
    let wanted = Wanted { number: fields.get("number").to_owned(), card };
    let (vault, keys) = (console.app.vault.clone(), console.app.keys.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if given.choice == Choice::Release {
            let done = release(tx, &given, (entries.1, &actor), now)?;
            return if done.is_ok() {
                note.put(tx, Some(staff), now).map(|()| done).map_err(Into::into)
            } else {
                Ok(done)
            };
        }
        let (vault, key) = (&vault, keys.open_key());
        let shell =
            Shell { vault, key, actor: &actor, entry: entries.0, fresh: person, salt, wanted: &wanted, now };
        let decided = match given.decision(tx, &shell)? {
            Ok(decided) => decided,
            Err(key) => return Ok(Err(key)),
        };
        let written = tx.savepoint("verdict", |tx| -> Result<(), Unsaved> {
            note.put(tx, Some(staff), now)?;
            if let (Some(token), Some(member)) = (token, given.member) {
                let act = bound(tx, (token, fresh), member)?;
                acts::take(tx, entries.0, now, &actor, &act)?;
            }
            let pins = decided.pins.clone();
            acts::take(tx, entries.1, now, &actor, &Act::CaseDecided(decided))?;
            if cases::pins_hold(tx, &pins)? { Ok(()) } else { Err(Unsaved::Pins) }
        });
        match written {
            Ok(()) => Ok(Ok(())),
            Err(Unsaved::Pins) => Ok(Err("verdict-pins")),
            Err(Unsaved::Failed(error)) => Err(error),
        }
    };
    Ok(console.app.write(work).await?)
}

/// Why nothing of a verdict was written.
enum Unsaved {
    /// It contradicts another verdict.
    Pins,
    /// The books cannot be written.
    Failed(PeopleError),
}

impl<E: Into<PeopleError>> From<E> for Unsaved {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A card that is known by one token only, as a terminal read it.
fn new_card(card: CardId, token: Token) -> CardSet {
    CardSet {
        card,
        tokens: vec![token],
        member: None,
        kind: CARD_KIND_ORDINARY.to_owned(),
        status: CardStatus::Active,
        tail: String::new(),
        valid_from: None,
        valid_until: None,
    }
}
