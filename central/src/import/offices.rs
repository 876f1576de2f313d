//! Rows of offices.

use hufu_shared::scheme::Words;
use hufu_shared::time::{CUTOFF_MINUTES_MAX, OfficeClock};

use super::expected::Expected;
use super::sheet::Line;
use super::{BadCell, Column, text};

/// Columns of a file of offices.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "code",
        zh: "案场代码",
        required: true,
        holds: "short code, unique in the club",
        example: "A01",
    },
    Column {
        name: "name_zh", zh: "名称", required: true, holds: "name in Chinese", example: "滨江案场"
    },
    Column {
        name: "name_en",
        zh: "英文名称",
        required: false,
        holds: "name in English; the Chinese one if empty",
        example: "Riverside",
    },
    Column {
        name: "zone",
        zh: "时区",
        required: false,
        holds: "IANA time zone (default Asia/Shanghai)",
        example: "Asia/Shanghai",
    },
    Column {
        name: "cutoff",
        zh: "日切时间",
        required: false,
        holds: "when a business day begins, HH:MM from 00:00 (default) to 06:00",
        example: "00:00",
    },
    Column {
        name: "group",
        zh: "案场组",
        required: false,
        holds: "code of the group of offices that a scheme may be for; none if empty",
        example: "south",
    },
];

/// An office as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeLine {
    /// Row in the file.
    pub row: u64,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Its zone and cut-off.
    pub clock: OfficeClock,
    /// The group that it belongs to; none if the cell is empty.
    pub group: Option<String>,
}

/// Reads one row.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(line: &Line) -> Result<OfficeLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let mut cell = |column: &'static str, read: fn(&str) -> Result<String, Expected>| {
        read(line.get(column)).unwrap_or_else(|expected| {
            bad.push(line.bad(column, line.get(column), expected));
            String::new()
        })
    };
    let code = cell("code", text::code);
    let zh = cell("name_zh", filled);
    let en = cell("name_en", text::title);
    let group = Some(line.get("group")).filter(|group| !group.is_empty());
    let group = group.map(|_| cell("group", text::code));
    let zone = match line.get("zone") {
        "" => "Asia/Shanghai".to_owned(),
        zone => zone.to_owned(),
    };
    let cutoff_minutes = cutoff(line.get("cutoff")).unwrap_or_else(|| {
        bad.push(line.bad("cutoff", line.get("cutoff"), "import-cutoff"));
        0
    });
    let clock = OfficeClock { zone, cutoff_minutes };
    if clock.tz().is_err() {
        bad.push(line.bad("zone", &clock.zone, "import-zone"));
    }
    if !bad.is_empty() {
        return Err(bad);
    }
    let en = if en.is_empty() { zh.clone() } else { en };
    Ok(OfficeLine { row: line.row, code, name: Words { zh, en }, clock, group })
}

/// A title that must not be empty.
///
/// # Errors
/// What was expected.
pub fn filled(cell: &str) -> Result<String, Expected> {
    if cell.is_empty() {
        return Err("import-filled".into());
    }
    text::title(cell)
}

fn cutoff(cell: &str) -> Option<u16> {
    if cell.is_empty() {
        return Some(0);
    }
    let folded = text::fold_width(cell).replace('：', ":");
    let (hours, minutes) = folded.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && all <= CUTOFF_MINUTES_MAX).then_some(all)
}
