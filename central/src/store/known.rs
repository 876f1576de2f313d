//! Rows of the database as the rules know them.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::cbor;
use hufu_shared::fact::Fact;
use hufu_shared::ids::{BootId, DeviceId, FactId, Hash, LeaseId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use hufu_shared::wire::lease::LeaseTerms;
use hufu_shared::wire::upload::Became;
use hufu_shared::wire::version::Version;

use super::rows::{self, unknown};
use super::world::SQL;
use super::{StoreError, contact};
use crate::db::{Row, Tx, Value};
use crate::rules::apply::KIND_UNREADABLE;
use crate::rules::judge::attendance::PlaceClaim;
use crate::rules::lease::{Hole, LeaseRow};
use crate::rules::posting::Account;
use crate::rules::world::{
    CaseState, DeskReturn, Evidence, Flows, KnownBoot, KnownCase, KnownFact, KnownMember, KnownPlace, Lot,
    Purse, Standing, ValueTurn, World, became_from_code,
};

/// Fetches when the newest act was taken that a version holds.
pub(super) fn knew_in(tx: &mut Tx<'_>, world: &mut World, version: Version) -> Result<(), StoreError> {
    let key = [i64::from(version.epoch).into(), rows::number(version.n)];
    let row = tx.query_opt(SQL.get("knew"), &key)?;
    world.knew.extend(row.map(|row| row.int(0)).transpose()?.map(|at| (version, Instant(at))));
    Ok(())
}

/// A fact, from the columns that `world.sql` lists.
///
/// # Errors
/// [`StoreError`] if the row does not hold one, or the database fails.
pub fn fact(tx: &mut Tx<'_>, row: &Row) -> Result<(FactId, KnownFact), StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let became = row.text(11)?;
    let became = became_from_code(became).ok_or_else(|| unknown("what became of a fact", became))?;
    let standing = Standing { became, kind: rows::kind_at(row, 12)?, case: None };
    // One that could not be applied is not read again before an upgrade takes it up.
    let is_set_aside = standing.is_same(&Standing::of(Became::Quarantined, KIND_UNREADABLE, None));
    let fact = if is_set_aside { None } else { readable(tx, id, row.blob(3)?)? };
    let known = KnownFact {
        fact,
        at: Instant(row.int(4)?),
        low: Instant(row.int(5)?),
        high: Instant(row.int(6)?),
        day: rows::day_at(row, 7)?,
        office: OfficeId(row.array(8)?),
        received: Instant(row.int(9)?),
        member: row.array_opt(10)?.map(MemberId),
        standing,
        pin: row.int_opt(13)?.map(|pin| pin != 0),
        belongs_to: row.array_opt(14)?.map(MemberId),
        clock_fault: row.flag(15)?,
        over_limit: row.flag(16)?,
        at_desk: desk_return(id, row.blob_opt(17)?)?,
    };
    Ok((id, known))
}

/// What a person took back of a fact, from its column.
///
/// # Errors
/// [`StoreError`] if it does not hold one.
pub fn desk_return(id: FactId, stored: Option<&[u8]>) -> Result<Option<DeskReturn>, StoreError> {
    let unreadable = |source| StoreError::Stored { what: "return at the desk", id: id.to_string(), source };
    stored.map(cbor::decode).transpose().map_err(unreadable)
}

/// A boot, from `boot, clock`.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn boot(row: &Row, column: usize) -> Result<KnownBoot, StoreError> {
    let boot = BootId(row.array(column)?);
    let clock = cbor::decode(row.blob(column + 1)?).map_err(|source| StoreError::Stored {
        what: "boot",
        id: boot.to_string(),
        source,
    })?;
    Ok(KnownBoot { boot, clock })
}

/// A stored fact whole; `None` for one that cannot be read any more.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn readable(tx: &mut Tx<'_>, id: FactId, body: &[u8]) -> Result<Option<Fact>, StoreError> {
    match contact::read_fact(tx, id, body) {
        Ok(fact) => Ok(Some(fact)),
        Err(StoreError::Fact { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the postings of a cause come to, from `debit, credit, unit, amount, ordinal`.
///
/// # Errors
/// [`StoreError`] if a row does not hold a posting.
pub fn flows(found: &[Row]) -> Result<Flows, StoreError> {
    let mut flows = Flows::default();
    for row in found {
        let unit = unit(row.text(2)?)?;
        let amount = row.int(3)?;
        for (column, signed) in [(0, -amount), (1, amount)] {
            let name = row.text(column)?;
            let account = Account::parse(name).ok_or_else(|| unknown("account", name))?;
            *flows.net.entry((account.of_cause(), unit)).or_default() += signed;
        }
        flows.postings = rows::u32_at(row, 4, "ordinal of a posting")? + 1;
    }
    flows.net.retain(|_, net| *net != 0);
    Ok(flows)
}

/// A member and the names of their accounts, as statements about [`lots`] ask for them: a merge is a posting of one of two
/// members, and a lot of both.
#[must_use]
pub fn lot_key(member: MemberId) -> Vec<Value> {
    let [available, owed] = [Account::Available(member), Account::Owed(member)].map(|of| of.to_string());
    vec![member.0.into(), available.into(), owed.into()]
}

/// What a member got and used in points, from `cause, at, day, debit, credit, amount` of their postings.
///
/// # Errors
/// [`StoreError`] if a row does not hold a posting.
pub fn lots(found: &[Row], member: MemberId) -> Result<Vec<Lot>, StoreError> {
    let moves = found.iter().map(|row| moved(row, member)).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(crate::rules::apply::lots(moves.into_iter().flatten()))
}

/// What one posting gave or took of a member's points, with its cause, from the same columns; none for what ran out, and
/// for what lies between other accounts.
///
/// # Errors
/// [`StoreError`] if the row does not hold a posting.
pub fn moved(row: &Row, member: MemberId) -> Result<Option<(Hash, Lot)>, StoreError> {
    let account = |column: usize| -> Result<Account, StoreError> {
        let name = row.text(column)?;
        Account::parse(name).map(Account::of_cause).ok_or_else(|| unknown("account", name))
    };
    let (debit, credit, amount) = (account(3)?, account(4)?, row.int(5)?);
    let lot =
        Lot { at: Instant(row.int(1)?), day: rows::day_at(row, 2)?, amount, granted: None, spent: None };
    let lot = match (debit, credit) {
        (Account::Expired, _) | (_, Account::Expired) => return Ok(None),
        (Account::Available(_), Account::Escrow(lease)) => Lot { granted: Some(lease), ..lot },
        (Account::Escrow(lease), Account::Available(_)) => {
            Lot { granted: Some(lease), amount: -amount, ..lot }
        }
        (Account::Escrow(lease), _) => Lot { spent: Some(lease), amount: -amount, ..lot },
        (_, Account::Escrow(lease)) => Lot { spent: Some(lease), ..lot },
        // What went from one member to another is of both: it took from the one and gave to the other.
        (Account::Available(from), Account::Available(to)) => match (from == member, to == member) {
            (false, true) => lot,
            (true, false) => Lot { amount: -amount, ..lot },
            _ => return Ok(None),
        },
        (Account::Available(_), _) => Lot { amount: -amount, ..lot },
        (_, Account::Available(_)) => lot,
        _ => return Ok(None),
    };
    Ok(Some((Hash(row.array(0)?), lot)))
}

/// What a member has per unit, from `class, unit, amount` of their accounts and `unit, sum` of what is set aside.
///
/// # Errors
/// [`StoreError`] if a row does not hold a balance.
pub fn purses(
    member: MemberId,
    balances: &[Row],
    escrow: &[Row],
) -> Result<BTreeMap<(MemberId, Unit), Purse>, StoreError> {
    let mut purses: BTreeMap<(MemberId, Unit), Purse> = BTreeMap::new();
    for row in balances {
        let purse = purses.entry((member, unit(row.text(1)?)?)).or_default();
        let amount = row.int(2)?;
        match row.text(0)? {
            "available" => purse.available = amount,
            "owed" => purse.owed = -amount,
            _ => purse.recovery_loss = -amount,
        }
    }
    for row in escrow {
        purses.entry((member, unit(row.text(0)?)?)).or_default().escrow = row.int(1)?;
    }
    Ok(purses)
}

/// A member, from `status, status_since, merged_into, erased, joined, value_turns`.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn member(row: &Row) -> Result<KnownMember, StoreError> {
    Ok(KnownMember {
        status: rows::member_status(row.text(0)?)?,
        status_since: Instant(row.int(1)?),
        merged_into: row.array_opt(2)?.map(MemberId),
        erased: row.flag(3)?,
        joined: rows::day_at(row, 4)?,
        value_turns: value_turns(row, 5)?,
    })
}

/// When stored value was frozen and set free; nothing for a member of whom it never was.
fn value_turns(row: &Row, column: usize) -> Result<Vec<ValueTurn>, StoreError> {
    let Some(stored) = row.blob_opt(column)? else { return Ok(Vec::new()) };
    let what = "freezing of stored value";
    cbor::decode(stored).map_err(|source| StoreError::Stored { what, id: String::new(), source })
}

/// A claim to a place, from `member, device, epoch, seq, at, issuer, pin, day, companions`.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn place(row: &Row) -> Result<(MemberId, KnownPlace), StoreError> {
    let free = row.int_opt(6)? != Some(1);
    let heads = rows::u32_at(row, 8, "companions")?.saturating_add(1);
    let claim = PlaceClaim { free, t: Instant(row.int(4)?), fact: rows::fact_id_at(row, 1)?, heads };
    let has_place = row.array_opt::<16>(5)?.is_some();
    Ok((MemberId(row.array(0)?), KnownPlace { claim, has_place, day: rows::day_at(row, 7)? }))
}

/// A generation of a lease, from the columns that `world.sql` lists.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn lease(row: &Row) -> Result<LeaseRow, StoreError> {
    let lease = LeaseId(row.array(0)?);
    let holes: Vec<(i64, i64)> = cbor::decode(row.blob(15)?).map_err(|source| StoreError::Stored {
        what: "lease",
        id: lease.to_string(),
        source,
    })?;
    Ok(LeaseRow {
        lease,
        generation: rows::u32_at(row, 1, "generation")?,
        device: DeviceId(row.array(2)?),
        enrolment: rows::u32_at(row, 3, "enrolment")?,
        member: MemberId(row.array(4)?),
        unit: unit(row.text(5)?)?,
        granted_total: Amount(row.int(6)?),
        settled: Amount(row.int(7)?),
        lost: Amount(row.int(8)?),
        released: Amount(row.int(9)?),
        written_off: row.int_opt(10)?.map(Amount),
        disputed: Amount(row.int(11)?),
        dismissed: Amount(row.int(12)?),
        spent_reported: Amount(row.int(13)?),
        last_seq: row.uint(14)?,
        holes: holes.into_iter().map(|(from, to)| Hole { from: Amount(from), to: Amount(to) }).collect(),
        closed: row.int_opt(16)?.map(Amount),
        terms: LeaseTerms {
            ttl_s: row.uint(17)?,
            reboot_cost_s: row.uint(18)?,
            reboots_max: rows::u32_at(row, 19, "reboots of a lease")?,
        },
        version: Version { epoch: rows::u32_at(row, 20, "epoch of a version")?, n: row.uint(21)? },
        set_at: Instant(row.int(22)?),
        first_epoch: rows::u32_at(row, 23, "epoch of a lease")?,
    })
}

/// The values of a lease, in the order of `set_lease` without its entry.
#[must_use]
pub fn lease_values(row: &LeaseRow) -> Vec<Value> {
    let holes: Vec<(i64, i64)> = row.holes.iter().map(|hole| (hole.from.0, hole.to.0)).collect();
    vec![
        row.lease.0.into(),
        i64::from(row.generation).into(),
        row.device.0.into(),
        i64::from(row.enrolment).into(),
        row.member.0.into(),
        row.unit.code().into(),
        row.granted_total.0.into(),
        row.settled.0.into(),
        row.lost.0.into(),
        row.released.0.into(),
        row.written_off.map(|amount| amount.0).into(),
        row.disputed.0.into(),
        row.dismissed.0.into(),
        row.spent_reported.0.into(),
        rows::number(row.last_seq),
        cbor::encode(&holes).into(),
        row.closed.map(|amount| amount.0).into(),
        rows::number(row.terms.ttl_s),
        rows::number(row.terms.reboot_cost_s),
        i64::from(row.terms.reboots_max).into(),
        i64::from(row.version.epoch).into(),
        rows::number(row.version.n),
        row.set_at.0.into(),
        i64::from(row.first_epoch).into(),
        row.escrow().0.into(),
        i64::from(row.is_open()).into(),
    ]
}

fn unit(code: &str) -> Result<Unit, StoreError> {
    Unit::from_code(code).ok_or_else(|| unknown("unit", code))
}

/// What a person saw who decided a case, from two columns; none while nobody has.
///
/// # Errors
/// [`StoreError`] if the row does not hold it.
pub fn decided_on(row: &Row, column: usize) -> Result<Option<Evidence>, StoreError> {
    let Some(detail) = row.blob_opt(column)? else { return Ok(None) };
    Ok(Some(Evidence { detail: detail.to_vec(), facts: Hash(row.array(column + 1)?) }))
}

/// A case without its facts.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn case(row: &Row) -> Result<KnownCase, StoreError> {
    let state = row.text(1)?;
    Ok(KnownCase {
        kind: rows::kind_at(row, 0)?.unwrap_or(0),
        state: CaseState::from_code(state).ok_or_else(|| unknown("state of a case", state))?,
        member: row.array_opt(2)?.map(MemberId),
        occurrence: row.array_opt(3)?.map(OccurrenceId),
        device: row.array_opt(4)?.map(DeviceId),
        token: row.array_opt(5)?.map(Token::from_bytes),
        detail: row.blob(6)?.to_vec(),
        automatic: row.text(7)?.to_owned(),
        verdict: row.text_opt(8)?.map(str::to_owned),
        opened: Instant(row.int(9)?),
        changed: Instant(row.int(10)?),
        deadline: row.int_opt(11)?.map(Instant),
        decided_on: decided_on(row, 12)?,
        facts: BTreeSet::new(),
    })
}
