//! Rows of history: what members did in the system that the club used before. Shown, and in no balance.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::time::Instant;

use super::sheet::Line;
use super::{BadCell, Column, text};
use crate::store::brought::PastWords;

/// Columns of a file of history.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "member",
        zh: "会员编号",
        required: true,
        holds: "number of the member",
        example: "M000001",
    },
    Column {
        name: "at",
        zh: "时间",
        required: true,
        holds: "YYYY-MM-DD HH:MM or YYYY-MM-DD in the time of the club",
        example: "2025-05-01 10:30",
    },
    Column { name: "what", zh: "事项", required: true, holds: "what happened", example: "购房积分" },
    Column {
        name: "points",
        zh: "积分变动",
        required: false,
        holds: "change of the points, with a minus for what was taken",
        example: "500",
    },
    Column {
        name: "money",
        zh: "储值变动",
        required: false,
        holds: "change of the stored value in yuan, with a minus for what was taken",
        example: "",
    },
    Column {
        name: "sale", zh: "消费金额", required: false, holds: "what was paid, in yuan", example: ""
    },
    Column { name: "place", zh: "地点", required: false, holds: "where", example: "滨江案场" },
    Column {
        name: "reference",
        zh: "单号",
        required: false,
        holds: "its number in the other system, once per member; rows without one are told apart by all they say",
        example: "JF20250501-0001",
    },
];

/// Most points or fen of one change.
const CHANGE_MAX: i64 = 1_000_000_000;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Row in the file.
    pub row: u64,
    /// Number of the member.
    pub number: String,
    /// Whose.
    pub member: MemberId,
    /// When.
    pub at: Instant,
    /// What it changed.
    pub legs: Vec<Leg>,
    /// What it was.
    pub words: PastWords,
}

/// Reads one row. Times are those of `zone`; none lies after `now`.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(
    line: &Line,
    members: &HashMap<String, MemberId>,
    zone: Tz,
    now: Instant,
) -> Result<HistoryLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let number = line.get("member");
    let member = members.get(number).copied();
    if member.is_none() {
        bad.push(line.bad("member", number, "import-member"));
    }
    let at = match text::day_or_moment(line.get("at"), zone) {
        Ok(at) if at <= now => at,
        Ok(_) => {
            bad.push(line.bad("at", line.get("at"), "import-past-day"));
            now
        }
        Err(expected) => {
            bad.push(line.bad("at", line.get("at"), expected));
            now
        }
    };
    let mut words = PastWords::default();
    for (column, word, is_needed) in [
        ("what", &mut words.what, true),
        ("place", &mut words.place, false),
        ("reference", &mut words.reference, false),
    ] {
        match text::title(line.get(column)) {
            Ok(text) if text.is_empty() && is_needed => bad.push(line.bad(column, "", "import-filled")),
            Ok(text) => *word = text,
            Err(expected) => bad.push(line.bad(column, line.get(column), expected)),
        }
    }
    words.sale = text::amount_cell(line, ("sale", Unit::Cny), CHANGE_MAX, &mut bad).map(|sale| sale.0);
    let mut legs = Vec::new();
    for (column, unit) in [("points", Unit::Pts), ("money", Unit::Cny)] {
        let met = text::change_cell(line, (column, unit), CHANGE_MAX, &mut bad).filter(|met| met.0 != 0);
        legs.extend(met.map(|amount| Leg { unit, amount }));
    }
    match member {
        Some(member) if bad.is_empty() => {
            Ok(HistoryLine { row: line.row, number: number.to_owned(), member, at, legs, words })
        }
        _ => Err(bad),
    }
}

/// All that a row says, in one form for ever.
fn said(line: &HistoryLine) -> String {
    let legs: Vec<_> = line.legs.iter().map(|leg| (leg.unit.code(), leg.amount.0)).collect();
    let words = &line.words;
    serde_json::json!([line.at.0, legs, words.what, words.place, words.sale]).to_string()
}

/// The names of the rows of one file: by their number in the other system, or else by all that they say, and which of
/// several that say the same it is. So a file taken again names the same rows.
#[must_use]
pub fn ids(batch: &str, lines: &[HistoryLine]) -> Vec<Hash> {
    let batch = Hash::of(&[batch.as_bytes()]);
    let mut same: HashMap<Hash, u64> = HashMap::new();
    let id = |line: &HistoryLine| {
        let said = match line.words.reference.as_str() {
            "" => said(line),
            reference => {
                return Hash::of(&[b"hufu-past-number", &batch.0, &line.member.0, reference.as_bytes()]);
            }
        };
        let said = Hash::of(&[b"hufu-past-said", &batch.0, &line.member.0, said.as_bytes()]);
        let n = same.entry(said).or_insert(0);
        *n += 1;
        Hash::of(&[b"hufu-past-nth", &said.0, &n.to_be_bytes()])
    };
    lines.iter().map(id).collect()
}
