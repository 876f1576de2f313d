//! Stored value: which top-ups a member has, whether a terminal may undo one, and what a person at the centre wants.
//!
//! What still stands of a top-up or a sale is read from the books and not reckoned anew. Out of scope: what is posted,
//! which [`crate::rules::desk`] says and the journal takes.

use hufu_shared::act::{Act, Actor, ValueFrozen};
use hufu_shared::fact::Event;
use hufu_shared::ids::{DeviceId, EntryId, FactId, Hash, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{Day, Instant};
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};

use super::{StoreError, acts, journal, known, rows, world};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::desk::{Known, NotPossible, Plan, Wish, plan};
use crate::rules::judge::money::{NeedsAdmin, UndoAsked, may_undo};
use crate::rules::posting::{self, Account};
use crate::rules::world::{Flows, KnownMember, Purse};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("money", include_str!("../../sql/both/money.sql"));

/// A top-up as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Which fact.
    pub id: FactId,
    /// Whose.
    pub member: Option<MemberId>,
    /// What was paid in.
    pub amount: Amount,
    /// What of it was not taken back.
    pub stands: Amount,
    /// What of that waits for a cash count or a person.
    pub held: Amount,
    /// A person at the centre undid it, or what was left of it.
    pub is_done: bool,
    /// When.
    pub at: Instant,
    /// Where.
    pub office: OfficeId,
    /// What people call the terminal.
    pub device_name: String,
}

/// A sale paid for with stored value, as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Which fact.
    pub id: FactId,
    /// Whose.
    pub member: Option<MemberId>,
    /// What of the stored value was not given back.
    pub stands: Amount,
    /// What of that the member bears, and not the club.
    pub bears: Amount,
    /// A person at the centre gave back what it says.
    pub is_done: bool,
    /// Number of its slip.
    pub slip: Option<String>,
    /// When.
    pub at: Instant,
    /// Where it was redeemed.
    pub office: OfficeId,
    /// What people call the terminal.
    pub device_name: String,
}

/// What was posted under a cause.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn flows(tx: &mut Tx<'_>, cause: Hash) -> Result<Flows, StoreError> {
    known::flows(&tx.query(world::SQL.get("flows"), &[cause.0.into()])?)
}

/// What a cause gave to accounts of one kind.
fn net(flows: &Flows, of: impl Fn(&Account) -> bool) -> Amount {
    let fen = flows.net.iter().filter(|((account, unit), _)| *unit == Unit::Cny && of(account));
    Amount(fen.map(|(_, amount)| *amount).sum())
}

/// What a person took back of the fact of a row, and what was posted for that.
fn at_desk(tx: &mut Tx<'_>, id: FactId, row: &Row) -> Result<Option<(Amount, Flows)>, StoreError> {
    let Some(back) = known::desk_return(id, row.blob_opt(8)?)? else { return Ok(None) };
    Ok(Some((back.leg.amount, flows(tx, posting::move_cause(back.id))?)))
}

fn top_up_in(tx: &mut Tx<'_>, row: &Row) -> Result<Option<TopUp>, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let Some(fact) = known::readable(tx, id, row.blob(3)?)? else { return Ok(None) };
    let Event::ToppedUp(topped) = fact.event else { return Ok(None) };
    let member = row.array_opt(6)?.map(MemberId);
    let of_cause = flows(tx, posting::fact_cause(id))?;
    let held = net(&of_cause, |account| matches!(account, Account::Held(_)));
    let had = net(&of_cause, |account| matches!(account, Account::Available(_)));
    let handed_back = at_desk(tx, id, row)?.map(|(amount, _)| amount);
    let stands = Amount((held.0 + had.0 - handed_back.unwrap_or_default().0).max(0));
    Ok(Some(TopUp {
        id,
        member,
        amount: topped.amount,
        stands,
        held,
        is_done: handed_back.is_some(),
        at: Instant(row.int(4)?),
        office: OfficeId(row.array(5)?),
        device_name: row.text(7)?.to_owned(),
    }))
}

/// A sale of which stored value was part, as the books have it. What was paid out in money is none.
fn sale_in(tx: &mut Tx<'_>, row: &Row) -> Result<Option<Sale>, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let Some(fact) = known::readable(tx, id, row.blob(3)?)? else { return Ok(None) };
    let Event::Spent(spent) = fact.event else { return Ok(None) };
    let of_cause = flows(tx, posting::fact_cause(id))?;
    let redeemed = of_cause.net.keys().find_map(|(account, unit)| match account {
        Account::Redeemed(office) if *unit == Unit::Cny => Some(*office),
        _ => None,
    });
    let Some(office) = redeemed else { return Ok(None) };
    let by_desk = at_desk(tx, id, row)?;
    let mut paid = net(&of_cause, |account| matches!(account, Account::Redeemed(_)));
    let mut given = net(&of_cause, |account| matches!(account, Account::Escrow(_) | Account::Available(_)));
    if let Some((_, of_desk)) = &by_desk {
        paid = Amount(paid.0 + net(of_desk, |account| matches!(account, Account::Redeemed(_))).0);
        given = Amount(given.0 + net(of_desk, |account| matches!(account, Account::Available(_))).0);
    }
    Ok(Some(Sale {
        id,
        member: row.array_opt(6)?.map(MemberId),
        stands: paid,
        bears: Amount(-given.0),
        is_done: by_desk.is_some(),
        slip: spent.slip.map(|slip| slip.number),
        at: Instant(row.int(4)?),
        office,
        device_name: row.text(7)?.to_owned(),
    }))
}

/// The newest sales of a member of which stored value was part, among their newest `limit` spends.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn sales(tx: &mut Tx<'_>, member: MemberId, limit: u32) -> Result<Vec<Sale>, StoreError> {
    let found = tx.query(SQL.get("sales_of"), &[member.0.into(), limit.into()])?;
    let mut all = Vec::new();
    for row in &found {
        all.extend(sale_in(tx, row)?);
    }
    Ok(all)
}

/// A top-up by its fact.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn top_up(tx: &mut Tx<'_>, id: FactId) -> Result<Option<TopUp>, StoreError> {
    match tx.query_opt(SQL.get("top_up"), &rows::fact_id_values(id))? {
        Some(row) => top_up_in(tx, &row),
        None => Ok(None),
    }
}

/// The newest top-ups of a member, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn top_ups(tx: &mut Tx<'_>, member: MemberId, limit: u32) -> Result<Vec<TopUp>, StoreError> {
    let found = tx.query(SQL.get("top_ups_of"), &[member.0.into(), limit.into()])?;
    let mut all = Vec::with_capacity(found.len());
    for row in &found {
        all.extend(top_up_in(tx, row)?);
    }
    Ok(all)
}

/// What a member has and owes of stored value.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn purse(tx: &mut Tx<'_>, member: MemberId) -> Result<Purse, StoreError> {
    // Pages read it as well, so nothing is locked; whoever acts on it stands behind the gate.
    let balances = tx.query(SQL.get("balances"), &[member.0.into()])?;
    let purses = known::purses(member, &balances, &[])?;
    Ok(purses.get(&(member, Unit::Cny)).copied().unwrap_or_default())
}

/// Answers a terminal that asks whether it may undo a top-up of its own. Changes nothing.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn undo(tx: &mut Tx<'_>, device: DeviceId, ask: UndoAsk) -> Result<UndoBecame, StoreError> {
    if world::recovery(tx)?.since.is_some() {
        return Ok(UndoBecame::Recovering);
    }
    let id = FactId { device, epoch: ask.epoch, seq: ask.seq };
    let Some(TopUp { member: Some(member), stands, held, .. }) = top_up(tx, id)? else {
        return Ok(UndoBecame::Unknown);
    };
    if !stands.is_positive() {
        return Ok(UndoBecame::Undone);
    }
    if standing(tx, member)?.is_some_and(|known| known.is_value_frozen()) {
        return Ok(UndoBecame::NotCovered);
    }
    let closed = tx.query_opt(SQL.get("day_closed_after"), &rows::fact_id_values(id))?;
    let there = Amount(purse(tx, member)?.available.saturating_add(held.0));
    let asked = UndoAsked {
        same_terminal: true,
        same_shift: closed.is_none(),
        is_acked: true,
        amount: stands,
        available: Some(there),
    };
    Ok(match may_undo(asked) {
        Ok(()) => UndoBecame::Covered,
        Err(NeedsAdmin::OtherShift | NeedsAdmin::OtherTerminal) => UndoBecame::OtherShift,
        Err(NeedsAdmin::NotCovered | NeedsAdmin::NotReached) => UndoBecame::NotCovered,
    })
}

/// What a wish would post, as the books are now.
///
/// # Errors
/// [`StoreError`] if the database fails; in the answer, why it is not possible.
pub fn planned(
    tx: &mut Tx<'_>,
    member: MemberId,
    wish: &Wish,
) -> Result<Result<Plan, NotPossible>, StoreError> {
    let purse = purse(tx, member)?;
    let is_done = match wish.cause(member) {
        Some(cause) => flows(tx, cause)?.postings > 0,
        None => false,
    };
    let mut known = Known {
        available: Amount(purse.available),
        owed: Amount(purse.owed),
        is_recovering: world::recovery(tx)?.since.is_some(),
        is_frozen: standing(tx, member)?.is_some_and(|known| known.is_value_frozen()),
        is_done,
        ..Known::default()
    };
    match wish {
        Wish::CashOut { .. } => {}
        Wish::CarryOver { to, .. } => {
            known.other_takes_part = standing(tx, to.member)?.is_some_and(|known| {
                known.status == MemberStatus::Active && known.merged_into.is_none() && !known.erased
            });
        }
        Wish::Undo(id) => {
            if let Some(top_up) = top_up(tx, *id)?.filter(|top_up| top_up.member == Some(member)) {
                (known.stands, known.held) = (top_up.stands, top_up.held);
                known.is_done = top_up.is_done;
                known.office = Some(top_up.office);
            }
        }
        Wish::Refund { sale, .. } => {
            let found = tx.query_opt(SQL.get("sale"), &rows::fact_id_values(*sale))?;
            let sold = match found {
                Some(row) => sale_in(tx, &row)?,
                None => None,
            };
            if let Some(sold) = sold.filter(|sold| sold.member == Some(member)) {
                (known.stands, known.bears) = (sold.stands, sold.bears);
                known.is_done = sold.is_done;
                known.office = Some(sold.office);
            }
        }
    }
    Ok(plan(member, wish, known))
}

/// Does what a person wants, if it would still post exactly what they saw; none if it would not.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn take(
    tx: &mut Tx<'_>,
    (member, wish, seen): (MemberId, &Wish, &Plan),
    (note, actor): (&acts::Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Option<Hash>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Ok(plan) = planned(tx, member, wish)? else { return Ok(None) };
    if plan != *seen {
        return Ok(None);
    }
    note.put(tx, actor.staff(), now)?;
    let id = plan.moved.id;
    acts::take(tx, entry, now, actor, &wish.act(plan, note.commitment))?;
    Ok(Some(id))
}

/// A member as the rules know them; none if there is none.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn standing(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<KnownMember>, StoreError> {
    let row = tx.query_opt(world::SQL.get("member"), &[member.0.into()])?;
    row.as_ref().map(known::member).transpose()
}

/// Freezes a member's stored value, or sets it free, as an act with the reason that was typed; `false` if there is no
/// such member, or it is so already.
///
/// # Errors
/// [`StoreError`]; then nothing was changed.
pub fn freeze(
    tx: &mut Tx<'_>,
    (member, frozen): (MemberId, bool),
    (note, actor): (&acts::Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<bool, StoreError> {
    journal::pass_gate(tx, now)?;
    let is_change = standing(tx, member)?.is_some_and(|known| {
        known.is_value_frozen() != frozen && known.merged_into.is_none() && !known.erased
    });
    if is_change {
        note.put(tx, actor.staff(), now)?;
        let set = ValueFrozen { member, frozen, reason: note.commitment };
        acts::take(tx, entry, now, actor, &Act::ValueFrozen(set))?;
    }
    Ok(is_change)
}

/// A line of a member's statement of stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// When.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// What came, below zero what went, in fen; what was only set aside for a terminal changes nothing.
    pub change: i64,
    /// Why, as a code.
    pub code: String,
    /// Number of the member on the other side, of a carry-over.
    pub other: Option<String>,
    /// The terminal, as people call it.
    pub device: Option<String>,
}

/// The newest lines of a member's statement of stored value, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn statement(tx: &mut Tx<'_>, member: MemberId, limit: u32) -> Result<Vec<StatementLine>, StoreError> {
    let found = tx.query(SQL.get("statement"), &[member.0.into(), limit.into()])?;
    let read = |row: &Row| {
        let own = |column: usize| -> Result<i64, StoreError> {
            let name = row.text(column)?;
            let account = Account::parse(name).ok_or_else(|| rows::unknown("account", name))?;
            Ok(i64::from(account.member() == Some(member) || matches!(account, Account::Escrow(_))))
        };
        Ok(StatementLine {
            at: Instant(row.int(0)?),
            day: rows::day_at(row, 1)?,
            change: row.int(2)?.saturating_mul(own(5)? - own(4)?),
            code: row.text(3)?.to_owned(),
            other: row.text_opt(6)?.map(str::to_owned),
            device: row.text_opt(7)?.map(str::to_owned),
        })
    };
    found.iter().map(read).collect()
}
