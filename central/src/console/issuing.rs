//! Cards in `/api/v1` (K14–K18, H5–H8, N1): issued singly and in batch, replaced, frozen, found and voided.
//!
//! What may be done is the rules' to say ([`hufu_shared::rules::cards`]); here it is asked before the act, so that a
//! refusal says why. The same asked twice is done once: a card that is the member's already is answered as it is.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{Act, CardExchanged, CardIssue, CardSet, CardStatusSet, blank_cards};
use hufu_shared::dictionary;
use hufu_shared::ids::{CardId, MemberId, OfficeId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::rules::cards::{self as rules, CardError, Held, Wanted};
use hufu_shared::time::{Instant, OfficeClock};
use hufu_shared::token::{CardText, TokenKey};
use serde_json::{Value, json};

use super::Console;
use super::cards::line_json;
use super::failure::Failure;
use super::problem::Refused;
use super::signed::{Fields, Posted};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::import::cards::{end_of, identity};
use crate::import::text;
use crate::random;
use crate::rules::outcome::Outcome;
use crate::store::cards::{self, CardLine};
use crate::store::people::{self, PeopleError};
use crate::store::{acts, joining, journal, stock, world};

/// Cards that one request issues at most.
const BATCH_MAX: usize = 500;

/// What a person wrote of one card.
#[derive(Debug, Clone)]
struct Written {
    text: CardText,
    member: String,
    kind: String,
    under: Option<CardId>,
    medium: bool,
    office: String,
    until: Option<Instant>,
}

impl Written {
    fn of(fields: &Fields) -> Result<Self, &'static str> {
        let under = match fields.get("under") {
            "" => None,
            id => Some(id.parse().map_err(|_| "card-none-such")?),
        };
        Ok(Self {
            text: identity(fields.get("card"), fields.get("uid")).ok_or("card-number")?,
            member: fields.get("member").to_owned(),
            kind: fields.get("kind").to_owned(),
            under,
            medium: fields.get("medium") == "1",
            office: fields.get("office").to_owned(),
            until: last_day(fields.get("valid_until"))?,
        })
    }

    /// A line of a batch: card, member, kind, last day; what is left out at its end is as if empty.
    fn of_line(line: &str, fields: &Fields) -> Result<Self, &'static str> {
        let cells: Vec<&str> = line.split([',', '，', '\t']).map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let text = identity(cell(0), "").or_else(|| identity("", cell(0)));
        Ok(Self {
            text: text.ok_or("card-number")?,
            member: cell(1).to_owned(),
            kind: if cell(2).is_empty() { fields.get("kind") } else { cell(2) }.to_owned(),
            under: None,
            medium: false,
            office: fields.get("office").to_owned(),
            until: last_day(cell(3))?,
        })
    }
}

/// The moment from which on a card is not accepted whose last day is this.
fn last_day(day: &str) -> Result<Option<Instant>, &'static str> {
    if day.is_empty() {
        return Ok(None);
    }
    let day = text::date(day).map_err(|_| "card-day")?;
    Ok(Some(end_of(&OfficeClock::default().zone, day)))
}

fn code_of(error: CardError) -> &'static str {
    match error {
        CardError::HasMain => "card-has-main",
        CardError::NoMain => "card-no-main",
        CardError::SubReplaced => "card-sub-replaced",
        CardError::OldEnded => "card-old-ended",
        CardError::NewTaken => "card-taken",
        CardError::KindOfSub => "card-kind-of-sub",
    }
}

fn held(line: &CardLine) -> Held {
    let (card, rank) = (&line.card, line.life.rank);
    Held { member: card.member, rank, status: card.status, until: card.valid_until }
}

/// Everything that issuing reads.
struct Desk {
    keys: Vec<TokenKey>,
    now: Instant,
    fresh: CardId,
}

/// What is to be done with a card that was written down.
enum Ready {
    /// It is issued, or given in place of another.
    New(Box<CardIssue>),
    /// It is done already.
    Done(CardId),
}

impl Desk {
    async fn open(console: &Console) -> Result<Self, Failure> {
        let (now, random) = (console.app.now(), random::bytes()?);
        Ok(Self { keys: console.token_keys().await?, now, fresh: CardId::new(now, random) })
    }

    /// The row of a card for a member, as it would be: a new one, or the one that lies in stock.
    fn row(
        &self,
        tx: &mut Tx<'_>,
        written: &Written,
        (member, kind): (MemberId, &str),
        fresh: CardId,
    ) -> Result<Result<CardSet, CardSet>, PeopleError> {
        let mut tokens: Vec<_> = self.keys.iter().map(|key| key.token(&written.text)).collect();
        tokens.sort_unstable();
        let mut known = None;
        for token in &tokens {
            known = known.or(people::card_by_token(tx, *token)?);
        }
        let is_taken =
            known.as_ref().is_some_and(|card| card.member.is_some() || card.status != CardStatus::Active);
        if let Some(taken) = known.clone().filter(|_| is_taken) {
            return Ok(Err(taken));
        }
        Ok(Ok(CardSet {
            card: known.map_or(fresh, |card| card.card),
            tokens,
            member: Some(member),
            kind: kind.to_owned(),
            status: CardStatus::Active,
            tail: written.text.tail(),
            valid_from: None,
            valid_until: written.until,
        }))
    }

    /// The office that was named; `None` within if there is none of that code.
    fn office(tx: &mut Tx<'_>, code: &str) -> Result<Option<Option<OfficeId>>, PeopleError> {
        if code.is_empty() {
            return Ok(Some(None));
        }
        Ok(people::office_of(tx, code)?.map(Some))
    }

    /// Whether there is a blank card by the books, where somebody counts them.
    fn has_blank(tx: &mut Tx<'_>, kind: &str, office: Option<OfficeId>) -> Result<bool, PeopleError> {
        let Some(office) = office else { return Ok(true) };
        let shelf = stock::shelf(tx, blank_cards(kind), office)?;
        Ok(shelf.is_none_or(|shelf| shelf.on_shelf() > 0))
    }

    /// What is to be done to issue a card, or why it cannot be issued.
    fn issue(
        &self,
        tx: &mut Tx<'_>,
        written: &Written,
        fresh: CardId,
    ) -> Result<Result<Ready, &'static str>, PeopleError> {
        let Some(member) = people::member_by_number(tx, &written.member)? else {
            return Ok(Err("card-no-member"));
        };
        let takes_part = people::member(tx, member)?.is_some_and(|row| row.status == MemberStatus::Active);
        let Some(office) = Self::office(tx, &written.office)?.filter(|_| takes_part) else {
            return Ok(Err(if takes_part { "card-no-office" } else { "card-no-member" }));
        };
        let mut own = Vec::new();
        for card in people::cards_of(tx, member)? {
            own.extend(cards::one(tx, card.card)?);
        }
        let stands = |line: &&CardLine| line.life.rank == rules::Rank::Main && held(line).stands(self.now);
        let main = match written.under {
            Some(under) => own.iter().find(|line| line.card.card == under),
            None => own.iter().filter(stands).max_by_key(|line| (line.life.issued, line.card.card)),
        };
        let kind = match (written.kind.as_str(), written.medium, main) {
            ("", true, Some(main)) => main.card.kind.clone(),
            (kind, ..) => kind.to_owned(),
        };
        if !joining::can_choose(tx, dictionary::CARD_KIND, &kind)? {
            return Ok(Err("card-kind"));
        }
        let row = match self.row(tx, written, (member, &kind), fresh)? {
            Ok(row) => row,
            Err(taken) if taken.member == Some(member) && taken.kind == kind => {
                return Ok(Ok(Ready::Done(taken.card)));
            }
            Err(_) => return Ok(Err("card-taken")),
        };
        let policy = world::policy(tx)?;
        let medium = written.medium;
        let wanted = Wanted { member, kind: &kind, medium, under: main.map(held) };
        let has: Vec<Held> = own.iter().map(held).collect();
        let rank = match rules::issue(&policy.cards, wanted, &has, self.now) {
            Ok(rank) => rank,
            Err(error) => return Ok(Err(code_of(error))),
        };
        if !medium && !Self::has_blank(tx, &kind, office)? {
            return Ok(Err("card-no-blank"));
        }
        let under = main.filter(|_| rank != rules::Rank::Main).map(|main| main.card.card);
        Ok(Ok(Ready::New(Box::new(CardIssue { card: row, under, office, medium }))))
    }

    /// What is to be done to replace a card.
    fn exchange(
        &self,
        tx: &mut Tx<'_>,
        old: &CardLine,
        written: &Written,
    ) -> Result<Result<Ready, &'static str>, PeopleError> {
        let Some(member) = old.card.member else { return Ok(Err("card-old-ended")) };
        let due = old.life.due.as_ref().map(|(kind, _)| kind.clone());
        let kind = match written.kind.as_str() {
            "" => due.unwrap_or_else(|| old.card.kind.clone()),
            kind => kind.to_owned(),
        };
        let row = match self.row(tx, written, (member, &kind), self.fresh)? {
            Ok(row) => row,
            Err(taken) if old.life.replaced.is_some_and(|(next, _)| next == taken.card) => {
                return Ok(Ok(Ready::Done(taken.card)));
            }
            Err(_) => return Ok(Err("card-taken")),
        };
        let policy = world::policy(tx)?;
        if let Err(error) = rules::replace(&policy.cards, held(old), &kind) {
            return Ok(Err(code_of(error)));
        }
        let Some(office) = Self::office(tx, &written.office)? else { return Ok(Err("card-no-office")) };
        let is_own = written.kind.is_empty() || joining::can_choose(tx, dictionary::CARD_KIND, &kind)?;
        if !is_own {
            return Ok(Err("card-kind"));
        }
        if !Self::has_blank(tx, &kind, office)? {
            return Ok(Err("card-no-blank"));
        }
        Ok(Ok(Ready::New(Box::new(CardIssue { card: row, under: None, office, medium: false }))))
    }
}

/// The card that an act was to put into somebody's hands, if it did.
fn put(card: CardId, given: &Outcome) -> Result<CardId, &'static str> {
    if given.card_lives.contains_key(&card) { Ok(card) } else { Err("card-taken") }
}

async fn shown(console: &Console, card: CardId) -> Result<Value, Refused> {
    let line = console.app.db.read(move |tx| cards::one(tx, card)).await?;
    Ok(line_json(&line.ok_or(Failure::NotFound)?))
}

/// Issues a card (K16): `card` or `uid`, `member`, `kind`, and for a sub card or another medium `under`, the main card
/// that it stands under, where that is not the member's own one.
pub async fn issue(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let written = Written::of(&posted.fields).map_err(|key| Refused::unfit(&ui, key))?;
    let desk = Desk::open(&console).await?;
    let (entry, actor) = (console.app.entry_id()?, posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(CardId, bool), &'static str>, PeopleError> {
        journal::pass_gate(tx, desk.now)?;
        let issue = match desk.issue(tx, &written, desk.fresh)? {
            Ok(Ready::New(issue)) => issue,
            Ok(Ready::Done(card)) => return Ok(Ok((card, false))),
            Err(key) => return Ok(Err(key)),
        };
        let card = issue.card.card;
        let given = acts::take(tx, entry, desk.now, &actor, &Act::CardsIssued(vec![*issue]))?;
        Ok(put(card, &given).map(|card| (card, true)))
    };
    let (card, is_new) = console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&console, card).await?)).into_response())
}

/// What became of the lines of a batch: the cards, or the lines that cannot be done and why.
type Batch = Result<Vec<(CardId, bool)>, Vec<(usize, &'static str)>>;

/// Issues many cards (K16): `rows` holds a line for each, card, member, kind and last day with commas between. All of
/// them or none: what is wrong with which line is said.
pub async fn batch(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let lines: Vec<&str> =
        posted.fields.raw("rows").lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() || lines.len() > BATCH_MAX {
        return Err(Refused::unfit(&ui, "card-batch"));
    }
    let written: Vec<_> = lines.iter().map(|line| Written::of_line(line, &posted.fields)).collect();
    let desk = Desk::open(&console).await?;
    let mut rows = Vec::with_capacity(written.len());
    for written in written {
        rows.push((written, CardId::new(desk.now, random::bytes()?), console.app.entry_id()?));
    }
    let actor = posted.by.actor();
    let work = move |tx: &mut Tx<'_>| -> Result<Batch, PeopleError> {
        journal::pass_gate(tx, desk.now)?;
        let done = tx.savepoint("batch", |tx| -> Result<Vec<(CardId, bool)>, Undone> {
            let (mut done, mut bad) = (Vec::new(), Vec::new());
            for (at, (written, fresh, entry)) in (1..).zip(&rows) {
                let ready = match written {
                    Ok(written) => desk.issue(tx, written, *fresh)?,
                    Err(key) => Err(*key),
                };
                match ready {
                    Ok(Ready::Done(card)) => done.push((card, false)),
                    Ok(Ready::New(issue)) => {
                        let card = issue.card.card;
                        let act = Act::CardsIssued(vec![*issue]);
                        match put(card, &acts::take(tx, *entry, desk.now, &actor, &act)?) {
                            Ok(card) => done.push((card, true)),
                            Err(key) => bad.push((at, key)),
                        }
                    }
                    Err(key) => bad.push((at, key)),
                }
            }
            if bad.is_empty() { Ok(done) } else { Err(Undone::Lines(bad)) }
        });
        match done {
            Ok(done) => Ok(Ok(done)),
            Err(Undone::Lines(bad)) => Ok(Err(bad)),
            Err(Undone::Failed(error)) => Err(error),
        }
    };
    match console.app.write(work).await? {
        Ok(done) => {
            let cards: Vec<Value> =
                done.iter().map(|(card, is_new)| json!({ "card": card, "new": is_new })).collect();
            Ok(Json(json!({ "cards": cards })))
        }
        Err(bad) => {
            let told: Vec<String> = bad.iter().map(|(at, key)| format!("{at}: {}", ui.t(key))).collect();
            Err(Refused::unfit_as("card-batch-lines", told.join(" ")))
        }
    }
}

/// Why nothing of a batch was done.
enum Undone {
    /// Some of its lines cannot be.
    Lines(Vec<(usize, &'static str)>),
    /// The books cannot be written.
    Failed(PeopleError),
}

impl<E: Into<PeopleError>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Replaces a card (H5, K17): `card` or `uid` is the new one; its kind is what points ask for, or the old one's, unless
/// another is named.
pub async fn replace(
    State(console): State<Console>,
    Path(old): Path<CardId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let note = reasoned(&console, &ui, &posted.fields)?;
    let written = Written::of(&posted.fields).map_err(|key| Refused::unfit(&ui, key))?;
    let desk = Desk::open(&console).await?;
    let (entry, actor, staff) = (console.app.entry_id()?, posted.by.actor(), posted.by.session.staff);
    let work = move |tx: &mut Tx<'_>| -> Result<Result<CardId, &'static str>, PeopleError> {
        journal::pass_gate(tx, desk.now)?;
        let Some(line) = cards::one(tx, old)? else { return Ok(Err("card-none-such")) };
        let new = match desk.exchange(tx, &line, &written)? {
            Ok(Ready::New(new)) => *new,
            Ok(Ready::Done(card)) => return Ok(Ok(card)),
            Err(key) => return Ok(Err(key)),
        };
        let card = new.card.card;
        note.put(tx, Some(staff), desk.now)?;
        let exchanged = CardExchanged { old, new, reason: note.commitment };
        Ok(put(card, &acts::take(tx, entry, desk.now, &actor, &Act::CardExchanged(Box::new(exchanged)))?))
    };
    match console.app.write(work).await? {
        Ok(card) => Ok(Json(shown(&console, card).await?)),
        Err("card-none-such") => Err(Failure::NotFound.into()),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}

/// Changes the state of a card: `lost` 挂失, `active` for one that was found or is in use again, `stopped` 停用, `void` 注销
/// (H6–H8).
pub async fn set_status(
    State(console): State<Console>,
    Path(card): Path<CardId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let status = CardStatus::from_code(posted.fields.get("status"));
    let status = status.ok_or_else(|| Refused::unfit(&ui, "card-status"))?;
    let note = reasoned(&console, &ui, &posted.fields)?;
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(line) = cards::one(tx, card)? else { return Ok(Err("card-none-such")) };
        if line.card.status == status {
            return Ok(Ok(()));
        }
        if rules::step(line.life.rank, line.card.status, status).is_none() {
            return Ok(Err("card-step"));
        }
        note.put(tx, Some(staff), now)?;
        let set = CardStatusSet { card, status, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::CardStatusSet(set))?;
        Ok(Ok(()))
    };
    match console.app.write(work).await? {
        Ok(()) => Ok(Json(shown(&console, card).await?)),
        Err("card-none-such") => Err(Failure::NotFound.into()),
        Err(key) => Err(Refused::conflict(&ui, key)),
    }
}
