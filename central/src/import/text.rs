//! Names, codes, dates and yes-or-no cells, in the one form that the centre keeps.
//!
//! A name is kept as it was written, apart from outer blanks: only its form for search is normalised, by the vault.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{Day, Instant};

pub use crate::rules::joining::fields::{NAME_CHARS_MAX, fold_width};

use super::BadCell;
use super::expected::Expected;
use super::sheet::Line;
use crate::rules::joining::fields::name_signs;

/// A person's name, as its signs go.
///
/// # Errors
/// What was expected.
pub fn person_name(cell: &str) -> Result<String, Expected> {
    name_signs(cell).map_err(Expected::from)
}

/// A text shown to people that may hold any sign: the name of an office or activity.
///
/// # Errors
/// What was expected.
pub fn title(cell: &str) -> Result<String, Expected> {
    let count = cell.chars().count();
    if count > NAME_CHARS_MAX {
        return Err(Expected::of("import-title").with("max", NAME_CHARS_MAX).with("met", count));
    }
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    match cell.chars().find(hidden) {
        Some(c) => Err(Expected::of("import-hidden").with("met", c.escape_unicode())),
        None => Ok(cell.to_owned()),
    }
}

/// A code that people type: letters, digits, hyphen and underscore.
///
/// # Errors
/// What was expected.
pub fn code(cell: &str) -> Result<String, Expected> {
    let folded = fold_width(cell);
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if folded.is_empty() || folded.len() > 40 || !folded.chars().all(good) {
        return Err("import-code".into());
    }
    Ok(folded)
}

/// A calendar date.
///
/// # Errors
/// What was expected.
pub fn date(cell: &str) -> Result<Day, Expected> {
    let folded = fold_width(cell).replace(['/', '.'], "-");
    NaiveDate::parse_from_str(&folded, "%Y-%m-%d")
        .ok()
        .filter(|date| (1000..=9999).contains(&date.year()))
        .map(Day::from_date)
        .ok_or_else(|| "import-date".into())
}

/// A time of day on a date, by the clock on the wall.
///
/// # Errors
/// What was expected.
pub fn local(cell: &str) -> Result<NaiveDateTime, Expected> {
    let folded = fold_width(cell).replace('/', "-").replace('T', " ");
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&folded, form).ok())
        .ok_or(Expected::of("import-moment"))
}

/// A moment in the time of an office.
///
/// # Errors
/// What was expected; also for a time that the zone's clocks skipped, or showed twice.
pub fn moment(cell: &str, zone: Tz) -> Result<Instant, Expected> {
    let local = local(cell)?;
    let at = zone.from_local_datetime(&local).single();
    at.map(|at| Instant(at.timestamp_micros()))
        .ok_or_else(|| Expected::of("import-moment-once").with("zone", zone))
}

/// A whole number from 0 to `max`; none for anything else.
#[must_use]
pub fn whole(cell: &str, max: i64) -> Option<i64> {
    // Digits only: "1e3", "+6" or "６.0" would be read one way by people and another by machines.
    let folded = fold_width(cell);
    let is_plain = folded.bytes().all(|byte| byte.is_ascii_digit());
    folded.parse().ok().filter(|met| is_plain && (0..=max).contains(met))
}

/// The same of a cell; none also if it is empty.
pub fn whole_cell(line: &Line, column: &'static str, max: i64, bad: &mut Vec<BadCell>) -> Option<i64> {
    let cell = line.number(column);
    if cell.is_empty() {
        return None;
    }
    let met = whole(cell, max);
    if met.is_none() {
        bad.push(line.bad(column, cell, Expected::of("import-whole").with("max", max)));
    }
    met
}

/// An amount of a unit from 0 to `max` of its smallest part; none if the cell is empty or bad.
pub fn amount_cell(
    line: &Line,
    (column, unit): (&'static str, Unit),
    max: i64,
    bad: &mut Vec<BadCell>,
) -> Option<Amount> {
    let read = |cell: &str| Amount::parse(cell.trim_start_matches(['¥', '￥']), unit).ok();
    unit_cell(line, (column, unit), max, ("import-amount", &read), bad)
}

/// A change of a unit: as [`amount_cell`], with a sign.
pub fn change_cell(
    line: &Line,
    (column, unit): (&'static str, Unit),
    max: i64,
    bad: &mut Vec<BadCell>,
) -> Option<Amount> {
    let read = |cell: &str| {
        let folded = fold_width(cell).replace('−', "-");
        let (sign, bare) = match folded.strip_prefix('-') {
            Some(bare) => (-1, bare),
            None => (1, folded.trim_start_matches('+')),
        };
        let size = Amount::parse(bare.trim_start_matches('¥'), unit).ok()?;
        Some(Amount(size.0 * sign))
    };
    unit_cell(line, (column, unit), max, ("import-change", &read), bad)
}

/// What a cell says of a unit, no further from nothing than `max`; `read` takes it, and `key` says what was expected.
fn unit_cell(
    line: &Line,
    (column, unit): (&'static str, Unit),
    max: i64,
    (key, read): (&'static str, &dyn Fn(&str) -> Option<Amount>),
    bad: &mut Vec<BadCell>,
) -> Option<Amount> {
    let cell = line.number(column);
    if cell.is_empty() {
        return None;
    }
    let met = read(cell).filter(|met| met.0.abs() <= max);
    if met.is_none() {
        let expected = Expected::of(key).with("scale", unit.scale());
        bad.push(line.bad(column, cell, expected.with("max", Amount(max).display(unit))));
    }
    met
}

/// The moment at which a written day begins in a zone, or a written moment.
///
/// # Errors
/// What was expected.
pub fn day_or_moment(cell: &str, zone: Tz) -> Result<Instant, Expected> {
    match date(cell) {
        Ok(day) => moment(&format!("{day} 00:00"), zone),
        Err(_) => moment(cell, zone),
    }
}

/// Yes or no; empty is no.
///
/// # Errors
/// What was expected.
pub fn yes_or_no(cell: &str) -> Result<bool, Expected> {
    match fold_width(cell).to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "是" => Ok(true),
        "" | "0" | "no" | "n" | "false" | "否" => Ok(false),
        _ => Err("import-yes".into()),
    }
}

/// A number shown in a complaint: its ends only.
#[must_use]
pub fn masked(cell: &str) -> String {
    let chars: Vec<char> = cell.chars().collect();
    if chars.len() < 6 {
        return "*".repeat(chars.len());
    }
    let head: String = chars[..3].iter().collect();
    let tail: String = chars[chars.len() - 2..].iter().collect();
    format!("{head}{}{tail}", "*".repeat(chars.len() - 5))
}
