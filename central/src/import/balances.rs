//! Rows of opening balances: what members had in the system that the club used before.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Instant;

use super::sheet::Line;
use super::{BadCell, Column, text};

/// Columns of a file of balances.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "member",
        zh: "会员编号",
        required: true,
        holds: "number of the member",
        example: "M000001",
    },
    Column {
        name: "points", zh: "积分", required: false, holds: "points, a whole number", example: "1280"
    },
    Column {
        name: "growth",
        zh: "成长值",
        required: false,
        holds: "growth value, a whole number",
        example: "",
    },
    Column { name: "money", zh: "储值", required: false, holds: "stored value in yuan", example: "500.00" },
    Column {
        name: "day",
        zh: "取得日期",
        required: false,
        holds: "day on which it was earned, which says when it runs out; the day of the import if empty",
        example: "2026-06-30",
    },
    Column {
        name: "office",
        zh: "案场代码",
        required: false,
        holds: "code of the office that stands for it; the member's own office if empty",
        example: "A01",
    },
    Column {
        name: "cause",
        zh: "事由",
        required: false,
        holds: "why; what --cause says if empty",
        example: "旧系统余额转入",
    },
];

/// Most points of one opening: above that a comma was forgotten.
pub const POINTS_MAX: i64 = 1_000_000_000;
/// Most fen of one opening: ten million yuan.
pub const MONEY_MAX: i64 = 1_000_000_000;

/// What the numbers and codes in a file mean, and what holds where it does not say.
#[derive(Debug)]
pub struct Names {
    /// Members by number, each with their own office.
    pub members: HashMap<String, (MemberId, Option<OfficeId>)>,
    /// Offices by code.
    pub offices: HashMap<String, OfficeId>,
    /// The cause of rows that give none; empty if every row must.
    pub cause: String,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceLine {
    /// Row in the file.
    pub row: u64,
    /// Number of the member.
    pub number: String,
    /// Whose.
    pub member: MemberId,
    /// What they had of each unit, each above zero.
    pub legs: Vec<Leg>,
    /// The office that stands for it.
    pub office: OfficeId,
    /// When it was earned; none for now.
    pub at: Option<Instant>,
    /// Why.
    pub cause: String,
}

/// Reads one row. Days are those of `zone`; none lies after `now`.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(line: &Line, known: &Names, zone: Tz, now: Instant) -> Result<BalanceLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let number = line.get("member");
    let member = known.members.get(number);
    if member.is_none() {
        bad.push(line.bad("member", number, "import-member"));
    }
    let mut legs = Vec::new();
    for (column, unit, max) in [
        ("points", Unit::Pts, POINTS_MAX),
        ("growth", Unit::Growth, POINTS_MAX),
        ("money", Unit::Cny, MONEY_MAX),
    ] {
        let met = text::amount_cell(line, (column, unit), max, &mut bad).filter(|met| met.is_positive());
        legs.extend(met.map(|amount| Leg { unit, amount }));
    }
    let office = office(line, known, member.and_then(|member| member.1), &mut bad);
    let at = match line.get("day") {
        "" => None,
        day => {
            text::day_or_moment(day, zone).map_err(|expected| bad.push(line.bad("day", day, expected))).ok()
        }
    };
    if at.is_some_and(|at| at > now) {
        bad.push(line.bad("day", line.get("day"), "import-past-day"));
    }
    let cause = match line.get("cause") {
        "" => known.cause.as_str(),
        cause => cause,
    };
    match text::title(cause) {
        Ok(cause) if cause.is_empty() => bad.push(line.bad("cause", "", "import-cause")),
        Ok(_) => {}
        Err(expected) => bad.push(line.bad("cause", cause, expected)),
    }
    match (member, office) {
        (Some((member, _)), Some(office)) if bad.is_empty() => {
            let (number, cause) = (number.to_owned(), cause.to_owned());
            Ok(BalanceLine { row: line.row, number, member: *member, legs, office, at, cause })
        }
        _ => Err(bad),
    }
}

fn office(line: &Line, known: &Names, own: Option<OfficeId>, bad: &mut Vec<BadCell>) -> Option<OfficeId> {
    let code = line.get("office");
    let found = match code {
        "" => own.or_else(|| known.offices.values().next().copied().filter(|_| known.offices.len() == 1)),
        code => known.offices.get(code).copied(),
    };
    if found.is_none() {
        bad.push(line.bad("office", code, "import-office"));
    }
    found
}

/// What all rows come to, by unit.
#[must_use]
pub fn sums<'a>(lines: impl Iterator<Item = &'a BalanceLine>) -> Vec<Leg> {
    let mut sums = Unit::ALL.map(|unit| Leg { unit, amount: Amount::ZERO });
    for leg in lines.flat_map(|line| &line.legs) {
        for sum in sums.iter_mut().filter(|sum| sum.unit == leg.unit) {
            // Half a million rows of the largest opening stay far below what 64 bits hold.
            sum.amount = sum.amount.plus(leg.amount).unwrap_or(sum.amount);
        }
    }
    sums.into_iter().filter(|sum| sum.amount.is_positive()).collect()
}
