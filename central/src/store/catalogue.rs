//! Redemption from the catalogue (K24, S5, P2): rows that apply reads and writes, and what people look at. What is asked
//! and done at the desk is in [`desk`].

use hufu_shared::act::ItemRedeemed;
use hufu_shared::cbor;
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::scheme::Words;
use hufu_shared::scheme::redemption::RedeemKind;
use hufu_shared::time::Instant;

use super::points::{decided_at, decided_values};
use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::catalogue::{State, Terms};
use crate::rules::need::Need;
use crate::rules::outcome::Outcome;
use crate::rules::posting;
use crate::rules::world::{KnownRedemption, World};

pub mod desk;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("catalogue", include_str!("../../sql/both/catalogue.sql"));

fn redemption_of(row: &Row) -> Result<KnownRedemption, StoreError> {
    let asked: ItemRedeemed = cbor::decode(row.blob(0)?).map_err(|source| StoreError::Stored {
        what: "redemption",
        id: String::new(),
        source,
    })?;
    let (kind, state) = (row.text(1)?, row.text(11)?);
    let name = row.text_opt(2)?.zip(row.text_opt(3)?);
    Ok(KnownRedemption {
        asked,
        name: name.map(|(zh, en)| Words { zh: zh.to_owned(), en: en.to_owned() }),
        terms: Terms {
            kind: RedeemKind::from_code(kind).ok_or_else(|| rows::unknown("kind of a redemption", kind))?,
            points: row.int(4)?,
            normal: row.int(5)?,
            fen: row.int(6)?,
            rule: row.text(7)?.to_owned(),
        },
        at: Instant(row.int(8)?),
        day: rows::day_at(row, 9)?,
        asker: row.text(10)?.to_owned(),
        state: State::from_code(state).ok_or_else(|| rows::unknown("state of a redemption", state))?,
        pieces: row.int(12)?,
        decided: decided_at(row, 13)?,
    })
}

/// A redemption.
///
/// # Errors
/// [`StoreError`].
pub fn redemption(tx: &mut Tx<'_>, id: Hash) -> Result<Option<KnownRedemption>, StoreError> {
    tx.query_opt(SQL.get("redemption"), &[id.0.into()])?.as_ref().map(redemption_of).transpose()
}

/// Fetches a redemption, or which one a purchase opened the offer for.
///
/// # Errors
/// [`StoreError`].
pub(super) fn fetch_in(tx: &mut Tx<'_>, world: &mut World, need: Need) -> Result<(), StoreError> {
    match need {
        Need::Redemption(id) => redemption_in(tx, world, id),
        Need::OpenedBy(purchase) => opened_in(tx, world, purchase),
        _ => Ok(()),
    }
}

fn redemption_in(tx: &mut Tx<'_>, world: &mut World, id: Hash) -> Result<(), StoreError> {
    world.redemptions.by_id.extend(redemption(tx, id)?.map(|known| (id, known)));
    Ok(())
}

/// Fetches which redemption stands that a purchase opened the offer for, and that one.
fn opened_in(tx: &mut Tx<'_>, world: &mut World, purchase: FactId) -> Result<(), StoreError> {
    let row = tx.query_opt(SQL.get("opened_by"), &rows::fact_id_values(purchase))?;
    let Some(row) = row else { return Ok(()) };
    let id = Hash(row.array(0)?);
    world.redemptions.opened.insert(purchase, id);
    world.fetched.insert(Need::Redemption(id));
    redemption_in(tx, world, id)
}

/// Writes what an entry gave.
///
/// # Errors
/// [`StoreError`].
pub(super) fn commit(tx: &mut Tx<'_>, entry: EntryId, outcome: &Outcome) -> Result<(), StoreError> {
    for (id, known) in &outcome.redemptions {
        let (terms, name) = (&known.terms, known.name.as_ref());
        let mut values: Vec<Value> = vec![
            id.0.into(),
            cbor::encode(&known.asked).into(),
            known.asked.member.0.into(),
            known.asked.office.0.into(),
            terms.kind.code().into(),
            name.map(|name| name.zh.clone()).into(),
            name.map(|name| name.en.clone()).into(),
            terms.points.into(),
            terms.normal.into(),
            terms.fen.into(),
            terms.rule.as_str().into(),
            known.at.0.into(),
            i64::from(known.day.0).into(),
            known.asker.as_str().into(),
            known.state.code().into(),
            known.pieces.into(),
        ];
        values.extend(decided_values(known.decided.as_ref()));
        values.extend(rows::fact_id_values_opt(known.asked.what.purchase()));
        values.extend([posting::item_cause(*id).0.into(), entry.0.into()]);
        tx.execute_later(SQL.get("set_redemption"), vec![values])?;
    }
    Ok(())
}

/// Which redemptions are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// All.
    All,
    /// Those in a state.
    In(State),
    /// Those of a member, and of those who turned out to be the same; in a state, or in any.
    Of(MemberId, Option<State>),
}

/// Redemptions before a place in the list, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn redemptions(
    tx: &mut Tx<'_>,
    list: List,
    (at, id): (Instant, Hash),
    limit: i64,
) -> Result<Vec<KnownRedemption>, StoreError> {
    let mut key: Vec<Value> = vec![at.0.into(), id.0.into(), limit.into()];
    let statement = match list {
        List::All => "redemptions",
        List::In(state) => {
            key.push(state.code().into());
            "redemptions_in"
        }
        List::Of(member, state) => {
            key.extend([member.0.into(), state.map_or("", State::code).into()]);
            "redemptions_of"
        }
    };
    tx.query(SQL.get(statement), &key)?.iter().map(redemption_of).collect()
}
