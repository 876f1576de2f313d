//! Reads what a reconciliation needs: the facts of a terminal's day, what the ledger gave for each, and the
//! terminal's own closing.

use hufu_shared::cbor;
use hufu_shared::fact::{DayClosed, Earned, Event, Fact};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::amount_of;
use hufu_shared::rules::purchase::{self, Bought, Part};
use hufu_shared::rules::start::Begun;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::{At, depends_on_kind};
use hufu_shared::scheme::earning::Once;
use hufu_shared::time::{Day, Instant};
use hufu_shared::wire::upload::Became;

use super::{StoreError, details, known, rows, world};
use crate::db::{Row, SqlFile, Tx};
use crate::rules::judge::order::Place;
use crate::rules::judge::rate::Kinds;
use crate::rules::judge::reversal::{self, Original, Reversal};
use crate::rules::links;
use crate::rules::posting::{self, Account};
use crate::rules::reconcile::{Booked, TerminalDay, terminal_day};
use crate::rules::world::{DeviceStatus, Whose, World, became_code, became_from_code};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("reconcile", include_str!("../../sql/both/reconcile.sql"));

/// A terminal that was ever enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its identity.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub office: OfficeId,
    /// How it stands.
    pub status: DeviceStatus,
}

/// All terminals that were ever enrolled, by name.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn terminals(tx: &mut Tx<'_>) -> Result<Vec<Terminal>, StoreError> {
    let found = tx.query(SQL.get("terminals"), &[])?;
    found
        .iter()
        .map(|row| {
            let status = row.text(3)?;
            Ok(Terminal {
                device: DeviceId(row.array(0)?),
                name: row.text(1)?.to_owned(),
                office: OfficeId(row.array(2)?),
                status: DeviceStatus::from_code(status)
                    .ok_or_else(|| rows::unknown("status of a device", status))?,
            })
        })
        .collect()
}

/// Reconciles one terminal's business day.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn day(tx: &mut Tx<'_>, device: DeviceId, day: Day) -> Result<TerminalDay, StoreError> {
    let (mut booked, base) = (Vec::new(), world::base(tx)?);
    for row in tx.query(SQL.get("day_facts"), &[device.0.into(), i64::from(day.0).into()])? {
        booked.push(booked_fact(tx, (&base, day), &row)?);
    }
    let closing = closing(tx, device, day)?;
    let range = match &closing {
        Some((epoch, closed)) => range(tx, device, *epoch, closed)?,
        None => Vec::new(),
    };
    Ok(terminal_day(&booked, closing.as_ref().map(|(_, closed)| closed), &range))
}

/// A fact of a terminal's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFact {
    /// The fact; none if it could not be read.
    pub fact: Option<Fact>,
    /// Where it happened.
    pub office: OfficeId,
    /// How it stands.
    pub became: Became,
}

/// The facts of one terminal's business day, in order.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn facts(tx: &mut Tx<'_>, device: DeviceId, day: Day) -> Result<Vec<DayFact>, StoreError> {
    let found = tx.query(SQL.get("day_facts"), &[device.0.into(), i64::from(day.0).into()])?;
    found
        .iter()
        .map(|row| {
            let fact = known::readable(tx, rows::fact_id_at(row, 0)?, row.blob(3)?)?;
            Ok(DayFact { fact, office: OfficeId(row.array(9)?), became: became_at(row, 5)? })
        })
        .collect()
}

fn became_at(row: &Row, column: usize) -> Result<Became, StoreError> {
    let code = row.text(column)?;
    became_from_code(code).ok_or_else(|| rows::unknown("what became of a fact", code))
}

fn booked_fact(tx: &mut Tx<'_>, (base, day): (&World, Day), row: &Row) -> Result<Booked, StoreError> {
    let id = rows::fact_id_at(row, 0)?;
    let became = became_at(row, 5)?;
    let member = row.array_opt(7)?.map(MemberId);
    let occurrence = row.array_opt(8)?.map(OccurrenceId);
    let posted = match member {
        Some(member) => posted(tx, id, member, occurrence)?,
        None => Amount::ZERO,
    };
    let case = tx.query_opt(SQL.get("fact_case"), &rows::fact_id_values(id))?;
    let fact: Option<Fact> = cbor::decode(row.blob(3)?).ok();
    let unpromised = match fact.as_ref().map(|fact| &fact.event) {
        Some(Event::Earned(earned)) if posted.is_positive() => {
            unpromised(tx, base, (id, OfficeId(row.array(9)?), day), earned)?
        }
        _ => Amount::ZERO,
    };
    let at = Instant(row.int(4)?);
    let returned = match &fact {
        Some(fact @ Fact { event: Event::Earned(earned), .. })
            if posted < amount_of(&earned.promised, Unit::Pts) =>
        {
            let latest = Instant(row.int(10)?);
            returned(tx, base, (id, fact, earned), (OfficeId(row.array(9)?), at, latest))?
        }
        _ => Amount::ZERO,
    };
    Ok(Booked {
        id,
        fact,
        at,
        became,
        kind: rows::kind_at(row, 6)?,
        case: case.map(|case| case.array(0).map(Hash)).transpose()?,
        posted,
        unpromised,
        returned,
    })
}

/// Points of what a purchase promised that its returns take back, by the rule that judged them.
fn returned(
    tx: &mut Tx<'_>,
    base: &World,
    (id, fact, earned): (FactId, &Fact, &Earned),
    (office, at, latest): (OfficeId, Instant, Instant),
) -> Result<Amount, StoreError> {
    let kinds = match earned.subject.member.filter(|_| base.asks_kinds()) {
        Some(member) => details::kinds(tx, member)?,
        None => Kinds::default(),
    };
    let leaves_points = base.leaves_points(Whose { office, kinds: &kinds }, fact, (at, latest));
    let mut reversals = Vec::new();
    for row in tx.query(world::SQL.get("linked_facts"), &[links::reversals(id).0.into()])? {
        let Ok(Fact { event: Event::Reversed(reversed), .. }) = cbor::decode::<Fact>(row.blob(3)?) else {
            continue;
        };
        let counts = matches!(became_at(&row, 11)?, Became::Applied | Became::AppliedWithCase);
        reversals.push(Reversal {
            place: Place { t: Instant(row.int(4)?), fact: rows::fact_id_at(&row, 0)? },
            leaves_points: leaves_points && reversed.brings_goods_back(),
            legs: reversed.legs,
            pin: row.int_opt(13)?.map(|pin| pin != 0),
            is_refused: !counts,
        });
    }
    let (says, gave) = (earned.promised.clone(), earned.promised.clone());
    let original = Original { is_reversal: false, says, gave, at_desk: Vec::new() };
    let share = reversal::returned(&original, &reversals, reversal::measure(&original));
    Ok(share.of(amount_of(&earned.promised, Unit::Pts)))
}

/// Points that rules give for a purchase which give only once, by the version that rated it, had they not given before; all
/// of them where the terminal promised nothing and the kind of the member decided, which it may not have known.
fn unpromised(
    tx: &mut Tx<'_>,
    base: &World,
    (id, office, day): (FactId, OfficeId, Day),
    earned: &Earned,
) -> Result<Amount, StoreError> {
    let gives_once =
        |terms: &SchemeTerms| terms.earning.iter().flat_map(|of| &of.rules).any(|rule| rule.once != Once::No);
    let versions: Vec<SchemeTerms> = base.schemes.values().map(|scheme| scheme.terms.clone()).collect();
    let is_open = earned.promised.is_empty() && depends_on_kind(&versions, At { day, office });
    if !is_open && !versions.iter().any(gives_once) {
        return Ok(Amount::ZERO);
    }
    let Some(row) = tx.query_opt(SQL.get("rated_by"), &[posting::fact_cause(id).0.into()])? else {
        return Ok(Amount::ZERO);
    };
    let Some(scheme) = base.schemes.get(&rows::u32_at(&row, 0, "version of a scheme")?) else {
        return Ok(Amount::ZERO);
    };
    let office = base.offices.get(&office).map_or("", |office| office.code.as_str());
    // Points were given, so they had begun.
    let begun = Begun { card_issued: Some(day), main_card: Some(day), verified: Some(day) };
    let bought = Bought { money: earned.purchase, paid: earned.paid.as_ref(), office, day, begun };
    let parts = purchase::earns(&scheme.terms, &bought).unwrap_or_default().parts;
    let is_unsaid = |part: &&Part| part.balance.has_points() && (is_open || part.once != Once::No);
    let unsaid = parts.iter().filter(is_unsaid);
    Ok(Amount(unsaid.map(|part| part.amount.0).fold(0, i64::saturating_add)))
}

/// Points that the ledger gave a member for a fact. What an occurrence gives belongs to the check-in that admits.
fn posted(
    tx: &mut Tx<'_>,
    id: FactId,
    member: MemberId,
    occurrence: Option<OccurrenceId>,
) -> Result<Amount, StoreError> {
    let account = Account::Available(member).to_string();
    let mut net = cause_net(tx, posting::fact_cause(id), &account)?;
    if let Some(occurrence) = occurrence {
        let admitted = tx.query_opt(SQL.get("admitted"), &[member.0.into(), occurrence.0.into()])?;
        if admitted.map(|row| rows::fact_id_at(&row, 0)).transpose()? == Some(id) {
            net = net.saturating_add(cause_net(tx, posting::attendance_cause(member, occurrence), &account)?);
        }
    }
    Ok(Amount(net))
}

fn cause_net(tx: &mut Tx<'_>, cause: Hash, account: &str) -> Result<i64, StoreError> {
    Ok(tx.query_one(SQL.get("cause_net"), &[cause.0.into(), account.into()])?.int(0)?)
}

/// The terminal's newest closing of a day, with its enrolment.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn closing(tx: &mut Tx<'_>, device: DeviceId, day: Day) -> Result<Option<(u32, DayClosed)>, StoreError> {
    for row in tx.query(SQL.get("closings"), &[device.0.into()])? {
        if let Ok(Fact { event: Event::DayClosed(closed), .. }) = cbor::decode::<Fact>(row.blob(1)?)
            && closed.day == day
        {
            return Ok(Some((rows::u32_at(&row, 0, "epoch")?, closed)));
        }
    }
    Ok(None)
}

fn range(
    tx: &mut Tx<'_>,
    device: DeviceId,
    epoch: u32,
    closed: &DayClosed,
) -> Result<Vec<Option<Fact>>, StoreError> {
    let key = [
        device.0.into(),
        i64::from(epoch).into(),
        rows::number(closed.from_seq),
        rows::number(closed.to_seq),
    ];
    let found = tx.query(SQL.get("range"), &key)?;
    found
        .iter()
        .map(|row| {
            let quarantined = row.text(1)? == became_code(Became::Quarantined);
            Ok(if quarantined { None } else { cbor::decode(row.blob(0)?).ok() })
        })
        .collect()
}
