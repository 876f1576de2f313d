//! Forms that wait for a person: applications to join, and requests to change a member's data.
//!
//! What was dealt with is told by what apply kept of it; nothing here opens a form. Out of scope: cases about forms
//! that disagree or look alike, which have a page of their own.

use hufu_shared::dictionary::{self, Term};
use hufu_shared::fact::Event;
use hufu_shared::ids::{FactId, Hash, MemberId, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;

use super::{StoreError, joining, known, rows};
use crate::db::{Question, Row, SqlFile, Tx};
use crate::rules::apply::{look_alike_case, profile_case};
use crate::rules::joining::application;
use crate::rules::links;
use crate::rules::world::KnownFiled;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("requests", include_str!("../../sql/both/requests.sql"));

/// Requests that are looked through for those that wait, newest first.
pub const CHANGES_SCANNED_MAX: i64 = 500;

/// Number of the conflict kind "unknown card".
const KIND_UNKNOWN_CARD: u8 = 13;

/// What a form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// To become a member.
    Join,
    /// To change these fields, which nobody has dealt with, of a member; none where the card is unknown.
    Change(Option<MemberId>, Vec<String>),
}

/// What keeps a form from being dealt with here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing: a person may deal with it.
    Ready,
    /// It is being looked up whom it looks like.
    LookedUp,
    /// It is in this case.
    Case(Hash),
    /// Nobody knows the card that came with it.
    UnknownCard,
    /// Its time is up; it can be completed, and nothing else (G2).
    Lapsed,
}

/// Where a form came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A terminal, as people call it, at an office.
    Terminal(OfficeId, String),
    /// The centre itself, by this route; at an office, if it named one.
    Centre(Words, Option<OfficeId>),
}

/// A form that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which fact.
    pub id: FactId,
    /// What it asks for.
    pub asks: Asks,
    /// What keeps it.
    pub state: State,
    /// When it reached the centre.
    pub received: Instant,
    /// Where it came from.
    pub origin: Origin,
}

fn application_in(row: &Row) -> Result<Waiting, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let state = match (row.text(5)? == "held", row.flag(7)?) {
        (true, _) => State::Case(look_alike_case(id)),
        (false, false) => State::LookedUp,
        (false, true) => State::Ready,
    };
    Ok(Waiting {
        id,
        asks: Asks::Join,
        state,
        received: Instant(row.int(3)?),
        origin: Origin::Terminal(OfficeId(row.array(4)?), row.text(8)?.to_owned()),
    })
}

/// A request, if any of its fields waits.
fn change_in(tx: &mut Tx<'_>, row: &Row) -> Result<Option<Waiting>, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let Some(fact) = known::readable(tx, id, row.blob(9)?)? else { return Ok(None) };
    let Event::ProfileChangeRequested(change) = fact.event else { return Ok(None) };
    let mut fields = Vec::new();
    for (field, _) in change.fields {
        if !is_linked(tx, links::dealt_with(id, &field), id)? {
            fields.push(field);
        }
    }
    let held = row.text(5)? == "held";
    let (member, kind) = (row.array_opt(7)?.map(MemberId), rows::kind_at(row, 6)?);
    let state = match (member, fields.first()) {
        (None, _) if held && kind == Some(KIND_UNKNOWN_CARD) => State::UnknownCard,
        // A form that came without a card names nobody.
        (None, _) | (_, None) => return Ok(None),
        (Some(member), Some(first)) if held => State::Case(profile_case(member, first)),
        (Some(_), Some(_)) => State::Ready,
    };
    Ok(Some(Waiting {
        id,
        asks: Asks::Change(member, fields),
        state,
        received: Instant(row.int(3)?),
        origin: Origin::Terminal(OfficeId(row.array(4)?), row.text(8)?.to_owned()),
    }))
}

fn linked_question(link: Hash, id: FactId) -> Question {
    let [device, epoch, seq] = rows::fact_id_values(id);
    (SQL.get("is_linked"), vec![link.0.into(), device, epoch, seq])
}

fn is_linked(tx: &mut Tx<'_>, link: Hash, id: FactId) -> Result<bool, StoreError> {
    let (sql, key) = linked_question(link, id);
    Ok(tx.query_opt(sql, &key)?.is_some())
}

/// Applications that wait, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn applications(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Waiting>, StoreError> {
    let taken = tx.query(SQL.get("applications"), &[limit.into()])?;
    let taken = taken.iter().map(application_in).collect::<Result<Vec<_>, _>>()?;
    let here = joining::waiting(tx, limit)?;
    together(tx, taken, &here, limit)
}

/// Applications that lapsed and can be completed (G2), the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn lapsed(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Waiting>, StoreError> {
    let taken = tx.query(SQL.get("lapsed"), &[limit.into()])?;
    let taken = taken.iter().map(lapsed_in).collect::<Result<Vec<_>, _>>()?;
    let here = joining::lapsed(tx, limit)?;
    together(tx, taken, &here, limit)
}

fn lapsed_in(row: &Row) -> Result<Waiting, StoreError> {
    Ok(Waiting { state: State::Lapsed, ..application_in(row)? })
}

fn together(
    tx: &mut Tx<'_>,
    taken: Vec<Waiting>,
    here: &[(FactId, KnownFiled)],
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let words = if here.is_empty() { Vec::new() } else { route_words(tx)? };
    let mut all = taken;
    all.extend(here.iter().map(|(id, known)| filed(&words, *id, known)));
    all.sort_by_key(|waiting| (waiting.received, waiting.id));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

/// The words of both dictionaries of routes.
fn route_words(tx: &mut Tx<'_>) -> Result<Vec<Term>, StoreError> {
    let mut words = joining::terms(tx, dictionary::ROUTE)?;
    words.extend(joining::terms(tx, dictionary::ROUTE_CENTRE)?);
    Ok(words)
}

/// An application that was filed at the centre and waits, or lapsed.
fn filed(words: &[Term], id: FactId, known: &KnownFiled) -> Waiting {
    let (name, code) = match &known.way {
        Some(way) => (dictionary::ROUTE_CENTRE, way),
        None => (dictionary::ROUTE, &known.route),
    };
    let term = words.iter().find(|term| term.dictionary == name && term.code == *code);
    let words = term.map_or_else(|| Words { zh: code.clone(), en: code.clone() }, |term| term.words.clone());
    let state = match known.state {
        application::State::Pending => State::Case(look_alike_case(id)),
        application::State::Lapsed => State::Lapsed,
        _ => State::Ready,
    };
    let origin = Origin::Centre(words, known.office);
    Waiting { id, asks: Asks::Join, state, received: known.filed, origin }
}

/// Requests that wait, among the newest [`CHANGES_SCANNED_MAX`], the oldest first; and whether there are older ones.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn changes(tx: &mut Tx<'_>) -> Result<(Vec<Waiting>, bool), StoreError> {
    let found = tx.query(SQL.get("changes"), &[CHANGES_SCANNED_MAX.into()])?;
    // What was dealt with of all of them is asked together: pages count what waits.
    let mut asked = Vec::new();
    for row in &found {
        let id = rows::fact_id_at(row, 0)?;
        let event = known::readable(tx, id, row.blob(9)?)?.map(|fact| fact.event);
        let Some(Event::ProfileChangeRequested(change)) = event else { continue };
        asked
            .extend(change.fields.iter().map(|(field, _)| linked_question(links::dealt_with(id, field), id)));
    }
    tx.ask_ahead(asked)?;
    let mut all = Vec::new();
    for row in found.iter().rev() {
        all.extend(change_in(tx, row)?);
    }
    Ok((all, i64::try_from(found.len()).unwrap_or(i64::MAX) >= CHANGES_SCANNED_MAX))
}

/// One form that waits, or lapsed and can be completed; none if nothing can be done with it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn one(tx: &mut Tx<'_>, id: FactId) -> Result<Option<Waiting>, StoreError> {
    if id.is_filed() {
        let can = |state: application::State| state.is_open() || state == application::State::Lapsed;
        let Some(known) = joining::filed(tx, id)?.filter(|known| can(known.state)) else { return Ok(None) };
        return Ok(Some(filed(&route_words(tx)?, id, &known)));
    }
    let key = rows::fact_id_values(id);
    if let Some(row) = tx.query_opt(SQL.get("application"), &key)? {
        return application_in(&row).map(Some);
    }
    if let Some(row) = tx.query_opt(SQL.get("lapsed_one"), &key)? {
        return lapsed_in(&row).map(Some);
    }
    match tx.query_opt(SQL.get("change"), &key)? {
        Some(row) => change_in(tx, &row),
        None => Ok(None),
    }
}
