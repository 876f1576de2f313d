//! The lives of cards: rows that apply reads and writes, what people look up (K19), and what is due (K17, K18).
//!
//! Invariant: what is due is told by the rules from the rows alone and changes nothing; whoever asks makes the act. Out
//! of scope: how far a block has come ([`super::people`]), whose a card is.

use hufu_shared::act::{CardChange, CardEnded, CardSet};
use hufu_shared::cards::CardTerms;
use hufu_shared::cbor;
use hufu_shared::ids::{CardId, EntryId, MemberId, OfficeId};
use hufu_shared::member::CardStatus;
use hufu_shared::rules::cards::{self as rules, CardEnd, PointsDay, Rank, SubCard};
use hufu_shared::time::{Day, Instant};

use super::{StoreError, people, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::apply::CARD_CHANGE_JOB;
use crate::rules::outcome::Outcome;
use crate::rules::posting::{Account, PostingCode};
use crate::rules::world::{CardLife, KnownCard, World};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("cards", include_str!("../../sql/both/cards.sql"));

/// Columns of a life, in the order in which every statement has them.
const LIFE_COLUMNS: usize = 11;

/// A life from `rank, under, issue_office, issued, replaces, replaced_by, replaced, ended, end_why, due_kind, due_day`.
fn life(row: &Row, at: usize) -> Result<CardLife, StoreError> {
    let rank = row.text(at)?;
    let end = match row.text_opt(at + 8)? {
        Some(code) => Some(CardEnd::from_code(code).ok_or_else(|| rows::unknown("end of a card", code))?),
        None => None,
    };
    let replaced_by = row.array_opt(at + 5)?.map(CardId);
    let due = row.text_opt(at + 9)?.map(str::to_owned);
    Ok(CardLife {
        rank: Rank::from_code(rank).ok_or_else(|| rows::unknown("rank of a card", rank))?,
        under: row.array_opt(at + 1)?.map(CardId),
        office: row.array_opt(at + 2)?.map(OfficeId),
        issued: row.int_opt(at + 3)?.map(Instant),
        replaces: row.array_opt(at + 4)?.map(CardId),
        replaced: replaced_by.zip(row.int_opt(at + 6)?.map(Instant)),
        ended: row.int_opt(at + 7)?.map(Instant).zip(end),
        due: due.zip(rows::day_opt(row, at + 10)?),
    })
}

/// A card as apply knows it, from `id, member, status, history, kind, valid_until` and its life.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub(super) fn known(row: &Row) -> Result<KnownCard, StoreError> {
    let card = CardId(row.array(0)?);
    let status = row.text(2)?;
    Ok(KnownCard {
        card,
        member: row.array_opt(1)?.map(MemberId),
        status: CardStatus::from_code(status).ok_or_else(|| rows::unknown("status of a card", status))?,
        history: cbor::decode(row.blob(3)?).map_err(|source| StoreError::Stored {
            what: "card",
            id: card.to_string(),
            source,
        })?,
        kind: row.text(4)?.to_owned(),
        until: row.int_opt(5)?.map(Instant),
        life: life(row, 6)?,
    })
}

/// Fetches the cards that stand under a main card.
///
/// # Errors
/// [`StoreError`].
pub(super) fn under_in(tx: &mut Tx<'_>, world: &mut World, main: CardId) -> Result<(), StoreError> {
    let found = all_in(tx, world, "under", main.0)?;
    world.under.entry(main).or_default().extend(found);
    Ok(())
}

/// Fetches the cards of a member.
///
/// # Errors
/// [`StoreError`].
pub(super) fn cards_of_in(tx: &mut Tx<'_>, world: &mut World, member: MemberId) -> Result<(), StoreError> {
    let found = all_in(tx, world, "cards_of_member", member.0)?;
    world.cards_of.entry(member).or_default().extend(found);
    Ok(())
}

/// Fetches cards; one that the world has stays as it is.
fn all_in(
    tx: &mut Tx<'_>,
    world: &mut World,
    statement: &'static str,
    key: [u8; 16],
) -> Result<Vec<CardId>, StoreError> {
    let mut ids = Vec::new();
    for row in tx.query(SQL.get(statement), &[key.into()])? {
        let known = known(&row)?;
        ids.push(known.card);
        world.cards.entry(known.card).or_insert(known);
    }
    Ok(ids)
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (card, life) in &outcome.card_lives {
        let id = |card: CardId| card.0;
        let values: Vec<Value> = vec![
            card.0.into(),
            life.rank.code().into(),
            life.under.map(id).into(),
            life.office.map(|office| office.0).into(),
            life.issued.map(|at| at.0).into(),
            life.replaces.map(id).into(),
            life.replaced.map(|(next, _)| next.0).into(),
            life.replaced.map(|(_, at)| at.0).into(),
            life.ended.map(|(at, _)| at.0).into(),
            life.ended.map(|(_, why)| why.code().to_owned()).into(),
            life.due.as_ref().map(|(kind, _)| kind.clone()).into(),
            life.due.as_ref().map(|(_, day)| i64::from(day.0)).into(),
            entry.0.into(),
        ];
        tx.execute_later(SQL.get("set_life"), vec![values])?;
    }
    Ok(())
}

/// A card with its life, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardLine {
    /// The card, without its tokens.
    pub card: CardSet,
    /// How it was issued, what it stands under and how it ended.
    pub life: CardLife,
    /// The number of its member.
    pub number: Option<String>,
}

fn line(row: &Row) -> Result<CardLine, StoreError> {
    let number = row.text_opt(7 + LIFE_COLUMNS)?.map(str::to_owned);
    Ok(CardLine { card: people::card_row(row)?, life: life(row, 7)?, number })
}

/// A card with its life.
///
/// # Errors
/// [`StoreError`].
pub fn one(tx: &mut Tx<'_>, card: CardId) -> Result<Option<CardLine>, StoreError> {
    tx.query_opt(SQL.get("card_view"), &[card.0.into()])?.as_ref().map(line).transpose()
}

/// Cards that stand under a main card, also those that ended.
///
/// # Errors
/// [`StoreError`].
pub fn under(tx: &mut Tx<'_>, main: CardId) -> Result<Vec<KnownCard>, StoreError> {
    tx.query(SQL.get("under"), &[main.0.into()])?.iter().map(known).collect()
}

/// What cards are looked for by (K19); what is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// By the time of replacement instead of that of issue.
    pub by_replaced: bool,
    /// Not before.
    pub from: Option<Instant>,
    /// Before.
    pub until: Option<Instant>,
    /// Dictionary code of the kind.
    pub kind: String,
    /// Code of the state.
    pub status: String,
    /// Number of the member.
    pub holder: String,
    /// Code of the rank.
    pub rank: String,
}

/// Cards by time of issue or replacement, holder and kind (K19), after a place in the list, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    tx: &mut Tx<'_>,
    asked: &Asked,
    (at, after): (Instant, CardId),
    limit: i64,
) -> Result<Vec<CardLine>, StoreError> {
    // Of one member the few cards are looked through, not all cards of the club for one member's.
    let statement = match (asked.by_replaced, asked.holder.is_empty()) {
        (false, true) => "cards_issued",
        (true, true) => "cards_replaced",
        (false, false) => "cards_issued_of_holder",
        (true, false) => "cards_replaced_of_holder",
    };
    let from = asked.from.unwrap_or(Instant(i64::MIN)).max(at);
    let mut values: Vec<Value> = vec![
        at.0.into(),
        after.0.into(),
        from.0.into(),
        asked.until.unwrap_or(Instant(i64::MAX)).0.into(),
        asked.kind.as_str().into(),
        asked.status.as_str().into(),
        asked.rank.as_str().into(),
        limit.into(),
    ];
    if !asked.holder.is_empty() {
        values.push(asked.holder.as_str().into());
    }
    tx.query(SQL.get(statement), &values)?.iter().map(line).collect()
}

/// How many cards of a kind, issued at an office, are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Dictionary code of the kind.
    pub kind: String,
    /// Where they were issued; none for those that another system issued.
    pub office: Option<OfficeId>,
    /// The state's code.
    pub status: String,
    /// Whether somebody has them.
    pub held: bool,
    /// How many.
    pub count: u64,
}

/// How many cards there are, by kind, office of issue and state.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn standing(tx: &mut Tx<'_>) -> Result<Vec<Standing>, StoreError> {
    let read = |row: &Row| {
        Ok(Standing {
            kind: row.text(0)?.to_owned(),
            office: row.array_opt(1)?.map(OfficeId),
            status: row.text(2)?.to_owned(),
            held: row.flag(3)?,
            count: row.uint(4)?,
        })
    };
    tx.query(SQL.get("cards_standing"), &[])?.iter().map(read).collect()
}

/// Before all cards, the newest in front.
pub const NEWEST_CARD: CardId = CardId([0xff; 16]);

/// Cards that are reported lost, after one of them, the newest in front, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn lost(tx: &mut Tx<'_>, after: CardId, limit: i64) -> Result<Vec<CardLine>, StoreError> {
    tx.query(SQL.get("cards_lost"), &[after.0.into(), limit.into()])?.iter().map(line).collect()
}

/// A main card that waits to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLine {
    /// Which card.
    pub card: CardId,
    /// Dictionary code of its kind.
    pub kind: String,
    /// Dictionary code of the kind that it is to be changed to.
    pub to: String,
    /// Since which business day.
    pub day: Day,
    /// Last characters of its number.
    pub tail: String,
    /// The number of its member.
    pub number: Option<String>,
}

/// Main cards that wait to be changed, the oldest first, after a place in the list (K17).
///
/// # Errors
/// [`StoreError`].
pub fn waiting(tx: &mut Tx<'_>, (day, after): (Day, CardId), limit: i64) -> Result<Vec<DueLine>, StoreError> {
    let found = tx.query(SQL.get("cards_due"), &[i64::from(day.0).into(), after.0.into(), limit.into()])?;
    let read = |row: &Row| {
        Ok(DueLine {
            card: CardId(row.array(0)?),
            kind: row.text(2)?.to_owned(),
            to: row.text(3)?.to_owned(),
            day: rows::day_at(row, 4)?,
            tail: row.text(5)?.to_owned(),
            number: row.text_opt(6)?.map(str::to_owned),
        })
    };
    found.iter().map(read).collect()
}

/// Sub cards that have ended by a moment and are not void yet (K17, K18), after one of them, at most `limit`: what
/// [`hufu_shared::act::CardsEnded`] is to say. Asked once after many days it names the same cards, each with the same
/// moment and reason, as asked every day.
///
/// # Errors
/// [`StoreError`].
pub fn subs_due(
    tx: &mut Tx<'_>,
    now: Instant,
    after: CardId,
    limit: i64,
) -> Result<Vec<CardEnded>, StoreError> {
    let mut due = Vec::new();
    for row in tx.query(SQL.get("sub_ends"), &[after.0.into(), now.0.into(), limit.into()])? {
        let sub = SubCard {
            until: row.int_opt(1)?.map(Instant),
            main_ended: row.int_opt(2)?.map(Instant),
            main_until: row.int_opt(3)?.map(Instant),
        };
        if let Some((at, why)) = rules::sub_end(sub, now) {
            due.push(CardEnded { card: CardId(row.array(0)?), why, at });
        }
    }
    Ok(due)
}

/// The business day up to which it was looked which cards points change; none if it never was.
///
/// # Errors
/// [`StoreError`].
pub fn changes_until(tx: &mut Tx<'_>) -> Result<Option<Day>, StoreError> {
    super::jobs::looked_until(tx, CARD_CHANGE_JOB)
}

/// A page of what is due: changes, and the last card that was looked at, if there are more.
pub type ChangesPage = (Vec<CardChange>, Option<CardId>);

/// Changes of main cards that fell due after a business day and up to another (K17), of `limit` cards after one of them:
/// what [`hufu_shared::act::CardChangesDue`] is to say, together with the cards to go on after. Looking over many days at
/// once finds what looking on each of them does.
///
/// # Errors
/// [`StoreError`].
pub fn changes_due(
    tx: &mut Tx<'_>,
    terms: &CardTerms,
    days: (Day, Day),
    after: CardId,
    limit: i64,
) -> Result<ChangesPage, StoreError> {
    let found = tx.query(SQL.get("main_cards"), &[after.0.into(), limit.into()])?;
    let mut due = Vec::new();
    for row in &found {
        let (card, member) = (CardId(row.array(0)?), MemberId(row.array(1)?));
        let kind = row.text_opt(3)?.unwrap_or(row.text(2)?).to_owned();
        let points = points_days(tx, member, days.1)?;
        let changes = rules::changes(terms, &kind, &points, days);
        due.extend(changes.into_iter().map(|change| CardChange { card, kind: change.kind, day: change.day }));
    }
    let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= limit);
    let last = found.last().filter(|_| is_full).map(|row| row.array(0)).transpose()?;
    Ok((due, last.map(CardId)))
}

/// What a member's points did, day by day. What lies in leases is the member's still.
fn points_days(tx: &mut Tx<'_>, member: MemberId, until: Day) -> Result<Vec<PointsDay>, StoreError> {
    let mut days: Vec<PointsDay> = Vec::new();
    for row in tx.query(SQL.get("points_days"), &[member.0.into(), i64::from(until.0).into()])? {
        let of = points_day(&row, member)?;
        let (day, earned, net) = (of.day, of.earned, of.net);
        match days.last_mut().filter(|last| last.day == day) {
            Some(last) => (last.earned, last.net) = (last.earned + earned, last.net + net),
            None => days.push(of),
        }
    }
    Ok(days)
}

/// What one posting did to a member's points, from `day, code, debit, credit, amount`.
///
/// # Errors
/// [`StoreError`] if the row does not hold it.
pub(super) fn points_day(row: &Row, member: MemberId) -> Result<PointsDay, StoreError> {
    let own = |name: &str| match Account::parse(name) {
        Some(Account::Available(of) | Account::Owed(of)) => of == member,
        Some(Account::Escrow(_)) => true,
        _ => false,
    };
    let (from, to, amount) = (own(row.text(2)?), own(row.text(3)?), row.int(4)?);
    let net = i64::from(to).saturating_mul(amount) - i64::from(from).saturating_mul(amount);
    let code = row.text(1)?;
    // A reversal that takes points from a member takes back what was earned; one that gives some, what was spent.
    let is_earned = EARNED.iter().any(|earned| earned.code() == code)
        || (code == PostingCode::Reversal.code() && net < 0);
    Ok(PointsDay { day: rows::day_at(row, 0)?, earned: if is_earned { net } else { 0 }, net })
}

/// Codes of postings that give points.
const EARNED: [PostingCode; 4] =
    [PostingCode::EarnPurchase, PostingCode::EarnActivity, PostingCode::EarnEvent, PostingCode::BasePoints];
