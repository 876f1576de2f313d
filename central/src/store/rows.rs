//! Small conversions between database values and the words of the domain.

use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId};
use hufu_shared::member::{MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::Amount;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::StoreError;
use crate::db::{Row, Value};

/// A count or number that is never negative, as the database holds it; beyond its range it is held at the end.
#[must_use]
pub fn number(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A number of 32 bits.
///
/// # Errors
/// [`StoreError::Range`] if the stored number is not one.
pub fn u32_at(row: &Row, column: usize, what: &'static str) -> Result<u32, StoreError> {
    let met = row.int(column)?;
    u32::try_from(met).map_err(|_| StoreError::Range { what, met })
}

/// A business day in a column.
///
/// # Errors
/// [`StoreError::Range`] if it is none.
pub fn day_at(row: &Row, column: usize) -> Result<Day, StoreError> {
    let day = row.int(column)?;
    i32::try_from(day).map(Day).map_err(|_| StoreError::Range { what: "business day", met: day })
}

/// A business day in a column that may be empty.
///
/// # Errors
/// As [`day_at`].
pub fn day_opt(row: &Row, column: usize) -> Result<Option<Day>, StoreError> {
    if row.int_opt(column)?.is_some() { day_at(row, column).map(Some) } else { Ok(None) }
}

/// After whom a look at members goes on, of whose page at most `limit` were asked for; none once all were looked at.
///
/// # Errors
/// [`StoreError`] if the first column holds no member.
pub fn go_on_after(found: &[Row], limit: i64) -> Result<Option<MemberId>, StoreError> {
    let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= limit);
    let last = found.last().filter(|_| is_full).map(|row| row.array(0)).transpose()?;
    Ok(last.map(MemberId))
}

/// The number of a conflict kind.
///
/// # Errors
/// [`StoreError::Range`] if the stored number is not one.
pub fn kind_at(row: &Row, column: usize) -> Result<Option<u8>, StoreError> {
    row.int_opt(column)?
        .map(|met| u8::try_from(met).map_err(|_| StoreError::Range { what: "conflict kind", met }))
        .transpose()
}

/// A fact's id from three columns.
///
/// # Errors
/// [`StoreError`] if they do not hold one.
pub fn fact_id_at(row: &Row, column: usize) -> Result<FactId, StoreError> {
    Ok(FactId {
        device: DeviceId(row.array(column)?),
        epoch: u32_at(row, column + 1, "epoch")?,
        seq: row.uint(column + 2)?,
    })
}

/// The three values of a fact's id.
#[must_use]
pub fn fact_id_values(id: FactId) -> [Value; 3] {
    [id.device.0.into(), i64::from(id.epoch).into(), number(id.seq)]
}

/// The three values of a fact's id that may be missing.
#[must_use]
pub fn fact_id_values_opt(id: Option<FactId>) -> [Value; 3] {
    id.map_or([Value::Null, Value::Null, Value::Null], fact_id_values)
}

/// A hash that may be missing.
#[must_use]
pub fn hash_value(hash: Option<Hash>) -> Value {
    hash.map_or(Value::Null, |hash| hash.0.into())
}

/// An office from `id, code, name_zh, name_en, zone, cutoff_minutes, office_group`.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn office(row: &Row) -> Result<OfficeRow, StoreError> {
    let cutoff = row.int(5)?;
    let cutoff_minutes =
        u16::try_from(cutoff).map_err(|_| StoreError::Range { what: "cut-off of an office", met: cutoff })?;
    Ok(OfficeRow {
        office: hufu_shared::ids::OfficeId(row.array(0)?),
        code: row.text(1)?.to_owned(),
        name: Words { zh: row.text(2)?.to_owned(), en: row.text(3)?.to_owned() },
        clock: OfficeClock { zone: row.text(4)?.to_owned(), cutoff_minutes },
        group: row.text_opt(6)?.map(str::to_owned),
    })
}

/// An occurrence from `id, activity, name_zh, name_en, starts, ends, state, admits_once, points, places, offices,
/// exits, gifts, guests`.
///
/// # Errors
/// [`StoreError`] if the row does not hold one.
pub fn occurrence(row: &Row) -> Result<OccurrenceRow, StoreError> {
    let places = row.int_opt(9)?;
    let wrong = |what| {
        move |source| StoreError::Stored {
            what,
            id: row.blob(0).map(|id| format!("{id:02x?}")).unwrap_or_default(),
            source,
        }
    };
    let offices = hufu_shared::cbor::decode(row.blob(10)?).map_err(wrong("offices of an occurrence"))?;
    let gifts = hufu_shared::cbor::decode(row.blob(12)?).map_err(wrong("gifts of an occurrence"))?;
    let guests = hufu_shared::cbor::decode(row.blob(13)?).map_err(wrong("guests of an occurrence"))?;
    let audience = hufu_shared::cbor::decode(row.blob(14)?).map_err(wrong("audience of an occurrence"))?;
    Ok(OccurrenceRow {
        occurrence: hufu_shared::ids::OccurrenceId(row.array(0)?),
        activity: hufu_shared::ids::ActivityId(row.array(1)?),
        name: Words { zh: row.text(2)?.to_owned(), en: row.text(3)?.to_owned() },
        starts: Instant(row.int(4)?),
        ends: Instant(row.int(5)?),
        state: occurrence_state(row.text(6)?)?,
        admits_once: row.flag(7)?,
        points: Amount(row.int(8)?),
        places: places
            .map(|met| u32::try_from(met).map_err(|_| StoreError::Range { what: "places", met }))
            .transpose()?,
        offices,
        exits: row.flag(11)?,
        gifts,
        guests,
        audience,
    })
}

const OCCURRENCE_STATES: [(OccurrenceState, &str); 3] = [
    (OccurrenceState::Planned, "planned"),
    (OccurrenceState::Approved, "approved"),
    (OccurrenceState::Ended, "ended"),
];

/// The code of an occurrence's state.
#[must_use]
pub fn occurrence_state_code(state: OccurrenceState) -> &'static str {
    OCCURRENCE_STATES.iter().find(|row| row.0 == state).map_or("planned", |row| row.1)
}

fn occurrence_state(code: &str) -> Result<OccurrenceState, StoreError> {
    let found = OCCURRENCE_STATES.iter().find(|row| row.1 == code);
    found.map(|row| row.0).ok_or_else(|| unknown("state of an occurrence", code))
}

const MEMBER_STATUSES: [(MemberStatus, &str); 3] =
    [(MemberStatus::Active, "active"), (MemberStatus::Stopped, "stopped"), (MemberStatus::Left, "left")];

/// The code of a member's status.
#[must_use]
pub fn member_status_code(status: MemberStatus) -> &'static str {
    MEMBER_STATUSES.iter().find(|row| row.0 == status).map_or("active", |row| row.1)
}

/// The status of a code.
///
/// # Errors
/// [`StoreError::Code`] if it is unknown.
pub fn member_status(code: &str) -> Result<MemberStatus, StoreError> {
    let found = MEMBER_STATUSES.iter().find(|row| row.1 == code);
    found.map(|row| row.0).ok_or_else(|| unknown("status of a member", code))
}

/// The error for a code that this version does not know.
#[must_use]
pub fn unknown(what: &'static str, met: &str) -> StoreError {
    StoreError::Code { what, met: met.to_owned() }
}
