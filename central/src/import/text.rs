//! Names, codes, dates and yes-or-no cells, in the one form that the centre keeps.
//!
//! A name is kept as it was written, apart from outer blanks: only its form for search is normalised, by the vault.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use hufu_shared::time::{Day, Instant};

pub use crate::rules::joining::fields::{NAME_CHARS_MAX, fold_width};

use crate::rules::joining::fields::name_signs;

/// What is wrong with a text: what was expected.
pub type Expected = String;

/// A person's name, as its signs go.
///
/// # Errors
/// What was expected.
pub fn person_name(cell: &str) -> Result<String, Expected> {
    name_signs(cell).map_err(|error| error.to_string())
}

/// A text shown to people that may hold any sign: the name of an office or activity.
///
/// # Errors
/// What was expected.
pub fn title(cell: &str) -> Result<String, Expected> {
    let count = cell.chars().count();
    if count > NAME_CHARS_MAX {
        return Err(format!("at most {NAME_CHARS_MAX} characters, met {count}"));
    }
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    match cell.chars().find(hidden) {
        Some(c) => Err(format!("visible characters only, met {c:?}")),
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
        return Err("1 to 40 letters, digits, hyphens, dots, slashes or underscores".to_owned());
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
        .ok_or_else(|| "a date as YYYY-MM-DD".to_owned())
}

/// A moment in the time of an office.
///
/// # Errors
/// What was expected; also for a time that the zone's clocks skipped, or showed twice.
pub fn moment(cell: &str, zone: Tz) -> Result<Instant, Expected> {
    let folded = fold_width(cell).replace('/', "-").replace('T', " ");
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&folded, form).ok())
        .ok_or_else(|| "a local time as YYYY-MM-DD HH:MM".to_owned())?;
    let at = zone.from_local_datetime(&local).single();
    at.map(|at| Instant(at.timestamp_micros()))
        .ok_or_else(|| format!("a time that the clocks of {zone} showed exactly once"))
}

/// Yes or no; empty is no.
///
/// # Errors
/// What was expected.
pub fn yes_or_no(cell: &str) -> Result<bool, Expected> {
    match fold_width(cell).to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "是" => Ok(true),
        "" | "0" | "no" | "n" | "false" | "否" => Ok(false),
        _ => Err("yes or no (是 or 否)".to_owned()),
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
