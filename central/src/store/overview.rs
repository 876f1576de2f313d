//! Figures for the console's first page, counted from the facts of business days.

use hufu_shared::ids::{DeviceId, MemberId};
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx, Value};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("overview", include_str!("../../sql/both/overview.sql"));

/// Days back for which an unclosed day is named.
pub const UNCLOSED_DAYS: i32 = 14;
/// Unclosed days that a page lists.
pub const UNCLOSED_LISTED_MAX: i64 = 50;
/// Lines of a list of facts.
pub const FACTS_LISTED_MAX: i64 = 200;

/// What one business day gave, at one office or over all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// Check-ins that count.
    pub attended: u64,
    /// Purchases that count.
    pub earned: u64,
    /// Refused attempts.
    pub refused: u64,
    /// Members seen.
    pub members: u64,
    /// Points given, less what was taken back.
    pub points: i64,
    /// Terminals that recorded anything.
    pub devices: u64,
}

/// A terminal's day that should be closed and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnclosedDay {
    /// Which terminal.
    pub device: DeviceId,
    /// What people call it.
    pub name: String,
    /// Code of its office.
    pub office_code: String,
    /// Name of its office.
    pub office: Words,
    /// Which day.
    pub day: Day,
    /// Facts of that day.
    pub facts: u64,
}

/// A fact in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    /// When it happened, as judged.
    pub at: Instant,
    /// When it reached the centre.
    pub received: Instant,
    /// Name of its event.
    pub event: String,
    /// How it stands, as a code.
    pub became: String,
    /// Number of the conflict kind.
    pub kind: Option<u8>,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// What people call the terminal.
    pub device: String,
    /// Code of the office.
    pub office: String,
}

/// Figures of a day, at the office of a code, over all where it is empty. Points of an office are those of its facts.
///
/// # Errors
/// [`StoreError`].
pub fn day(tx: &mut Tx<'_>, office: &str, day: Day) -> Result<DayFigures, StoreError> {
    let value: [Value; 2] = [i64::from(day.0).into(), office.into()];
    let mut figures = DayFigures::default();
    for row in tx.query(SQL.get("day_counts"), &value)? {
        let count = row.uint(1)?;
        match row.text(0)? {
            "attended" => figures.attended = count,
            "earned" => figures.earned = count,
            "refused" => figures.refused = count,
            _ => {}
        }
    }
    figures.members = tx.query_one(SQL.get("day_members"), &value)?.uint(0)?;
    figures.points = match office {
        "" => tx.query_one(SQL.get("day_points"), &value[..1])?.int(0)?,
        _ => tx.query_one(SQL.get("day_points_of"), &value)?.int(0)?,
    };
    figures.devices = tx.query_one(SQL.get("day_devices"), &value)?.uint(0)?;
    Ok(figures)
}

/// How many cases were opened from one moment up to another.
///
/// # Errors
/// [`StoreError`].
pub fn cases_opened(tx: &mut Tx<'_>, from: Instant, until: Instant) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("cases_opened"), &[from.0.into(), until.0.into()])?.uint(0)?)
}

/// Terminals' days of the last [`UNCLOSED_DAYS`] before `today` that were not closed, at the office of a code, at all where
/// it is empty; at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn unclosed(
    tx: &mut Tx<'_>,
    office: &str,
    today: Day,
    limit: i64,
) -> Result<Vec<UnclosedDay>, StoreError> {
    let from = today.plus(-UNCLOSED_DAYS);
    let values = [i64::from(from.0).into(), i64::from(today.0).into(), limit.into(), office.into()];
    let found = tx.query(SQL.get("unclosed"), &values)?;
    found
        .iter()
        .map(|row| {
            let met = row.int(5)?;
            Ok(UnclosedDay {
                device: DeviceId(row.array(0)?),
                name: row.text(1)?.to_owned(),
                office_code: row.text(2)?.to_owned(),
                office: Words { zh: row.text(3)?.to_owned(), en: row.text(4)?.to_owned() },
                day: Day(i32::try_from(met).map_err(|_| StoreError::Range { what: "day", met })?),
                facts: row.uint(6)?,
            })
        })
        .collect()
}

/// Facts of a day, newest first, at the office of a code, at all where it is empty; of one event, or of all that people see.
///
/// # Errors
/// [`StoreError`].
pub fn facts(
    tx: &mut Tx<'_>,
    office: &str,
    day: Day,
    event: Option<&str>,
) -> Result<Vec<FactLine>, StoreError> {
    let day = i64::from(day.0).into();
    let found = match event {
        None => tx.query(SQL.get("latest"), &[day, office.into()])?,
        Some(event) => {
            let values = [day, event.into(), FACTS_LISTED_MAX.into(), office.into()];
            tx.query(SQL.get("day_list"), &values)?
        }
    };
    found.iter().map(fact_line).collect()
}

fn fact_line(row: &Row) -> Result<FactLine, StoreError> {
    Ok(FactLine {
        at: Instant(row.int(0)?),
        received: Instant(row.int(1)?),
        event: row.text(2)?.to_owned(),
        became: row.text(3)?.to_owned(),
        kind: rows::kind_at(row, 4)?,
        member: row.blob_opt(5)?.map(|_| row.array(5)).transpose()?.map(MemberId),
        device: row.text(6)?.to_owned(),
        office: row.text(7)?.to_owned(),
    })
}
