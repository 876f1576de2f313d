//! Rows of activities: one row is one holding.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::member::{GUESTS_MAX, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;

use super::expected::Expected;
use super::sheet::Line;
use super::{BadCell, Column, offices, text};

/// Columns of a file of activities.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "code",
        zh: "活动代码",
        required: true,
        holds: "code of this holding; the same code later changes it",
        example: "HD2026-11",
    },
    Column {
        name: "name_zh",
        zh: "活动名称",
        required: true,
        holds: "name in Chinese",
        example: "业主答谢会",
    },
    Column {
        name: "name_en",
        zh: "英文名称",
        required: false,
        holds: "name in English; the Chinese one if empty",
        example: "Owners' evening",
    },
    Column {
        name: "starts",
        zh: "开始时间",
        required: true,
        holds: "YYYY-MM-DD HH:MM in the time of the club",
        example: "2026-11-22 09:00",
    },
    Column {
        name: "ends",
        zh: "结束时间",
        required: true,
        holds: "YYYY-MM-DD HH:MM, after the start",
        example: "2026-11-22 21:00",
    },
    Column {
        name: "state",
        zh: "状态",
        required: false,
        holds: "计划/planned (default), 已审批/approved, 已结束/ended; only an approved one takes check-ins",
        example: "已审批",
    },
    Column {
        name: "points",
        zh: "积分",
        required: false,
        holds: "points for attending (default 0)",
        example: "6",
    },
    Column {
        name: "admits_once",
        zh: "限签一次",
        required: false,
        holds: "是/yes (default): a member is admitted once; 否/no: any number of times",
        example: "是",
    },
    Column {
        name: "exits",
        zh: "统计签退",
        required: false,
        holds: "是/yes: who leaves is counted as well; 否/no (default): only who comes",
        example: "否",
    },
    Column {
        name: "places",
        zh: "名额",
        required: false,
        holds: "places; empty for no limit",
        example: "300",
    },
    Column {
        name: "offices",
        zh: "案场",
        required: false,
        holds: "codes of the offices that hold it, separated by semicolons; empty for all",
        example: "A01;A02",
    },
    Column {
        name: "gifts",
        zh: "礼品",
        required: false,
        holds: "what each member is handed once, separated by semicolons; *2 after a name for two pieces",
        example: "茶叶礼盒;雨伞*2",
    },
    Column {
        name: "guests",
        zh: "预计来宾",
        required: false,
        holds: "numbers of the members who are expected, separated by semicolons; empty if anyone may come",
        example: "M000001;M000002",
    },
];

/// Most points for one attendance: above that a comma was forgotten.
const POINTS_MAX: i64 = 1_000_000;
/// Most pieces of one thing for one member.
const GIFT_PIECES_MAX: u32 = 100;

/// A holding as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityLine {
    /// Row in the file.
    pub row: u64,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Planned start.
    pub starts: Instant,
    /// Planned end.
    pub ends: Instant,
    /// Its state.
    pub state: OccurrenceState,
    /// Points for attending.
    pub points: Amount,
    /// Whether a member is admitted once only.
    pub admits_once: bool,
    /// Whether who leaves is counted.
    pub exits: bool,
    /// Places.
    pub places: Option<u32>,
    /// Offices that hold it.
    pub offices: Vec<OfficeId>,
    /// Name and pieces of what each member is handed.
    pub gifts: Vec<(String, u32)>,
    /// Members who are expected.
    pub guests: Vec<MemberId>,
}

/// What the codes and numbers in a file mean.
#[derive(Debug, Default)]
pub struct Names {
    /// Offices by code.
    pub offices: HashMap<String, OfficeId>,
    /// Members by number.
    pub members: HashMap<String, MemberId>,
}

/// Reads one row. Times are those of `zone`.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(line: &Line, known: &Names, zone: Tz) -> Result<ActivityLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let mut cell = |column: &'static str, read: fn(&str) -> Result<String, Expected>| {
        read(line.get(column)).unwrap_or_else(|expected| {
            bad.push(line.bad(column, line.get(column), expected));
            String::new()
        })
    };
    let code = cell("code", text::code);
    let zh = cell("name_zh", offices::filled);
    let en = cell("name_en", text::title);
    let mut time = |column: &'static str| {
        let read = text::moment(line.get(column), zone);
        read.map_err(|expected| bad.push(line.bad(column, line.get(column), expected))).ok()
    };
    let (starts, ends) = (time("starts"), time("ends"));
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends <= starts
    {
        bad.push(line.bad("ends", line.get("ends"), "import-ends"));
    }
    let state = state(line, &mut bad);
    let points = text::whole_cell(line, "points", POINTS_MAX, &mut bad).unwrap_or(0);
    let places = text::whole_cell(line, "places", i64::from(u32::MAX), &mut bad)
        .and_then(|met| u32::try_from(met).ok());
    let admits_once = yes(line, "admits_once", true, &mut bad);
    let exits = yes(line, "exits", false, &mut bad);
    let offices = held_at(line, &known.offices, &mut bad);
    let gifts = gifts(line, &mut bad);
    let guests = guests(line, &known.members, &mut bad);
    match (starts, ends) {
        (Some(starts), Some(ends)) if bad.is_empty() => {
            let en = if en.is_empty() { zh.clone() } else { en };
            let name = Words { zh, en };
            let points = Amount(points);
            Ok(ActivityLine {
                row: line.row,
                code,
                name,
                starts,
                ends,
                state,
                points,
                admits_once,
                exits,
                places,
                offices,
                gifts,
                guests,
            })
        }
        _ => Err(bad),
    }
}

/// Names of what is handed out with the pieces for each member; the same name twice is a slip of the finger.
fn gifts(line: &Line, bad: &mut Vec<BadCell>) -> Vec<(String, u32)> {
    let mut gifts: Vec<(String, u32)> = Vec::new();
    let named = line.get("gifts").split([';', '；']).map(str::trim).filter(|name| !name.is_empty());
    for met in named {
        let (name, pieces) = met.rsplit_once(['*', '×']).map_or((met, Some(1)), |(name, pieces)| {
            let pieces = pieces.trim().parse::<u32>().ok().filter(|n| (1..=GIFT_PIECES_MAX).contains(n));
            (name.trim_end(), pieces)
        });
        match (text::title(name), pieces) {
            (Ok(name), Some(pieces)) if !name.is_empty() && gifts.iter().all(|known| known.0 != name) => {
                gifts.push((name, pieces));
            }
            _ => bad.push(line.bad("gifts", met, Expected::of("import-gifts").with("max", GIFT_PIECES_MAX))),
        }
    }
    gifts
}

/// Members who are expected, each once; more than a terminal is told of is a file that was meant for something else.
fn guests(line: &Line, known: &HashMap<String, MemberId>, bad: &mut Vec<BadCell>) -> Vec<MemberId> {
    let mut guests = Vec::new();
    for number in
        line.get("guests").split([';', '；', ',', '，']).map(str::trim).filter(|number| !number.is_empty())
    {
        match known.get(number) {
            Some(member) => guests.push(*member),
            None => bad.push(line.bad("guests", number, "import-member")),
        }
    }
    guests.sort_unstable();
    guests.dedup();
    if guests.len() > GUESTS_MAX {
        bad.push(line.bad(
            "guests",
            &guests.len().to_string(),
            Expected::of("import-guests").with("max", GUESTS_MAX),
        ));
    }
    guests
}

fn yes(line: &Line, column: &'static str, default: bool, bad: &mut Vec<BadCell>) -> bool {
    match line.get(column) {
        "" => default,
        met => text::yes_or_no(met).unwrap_or_else(|expected| {
            bad.push(line.bad(column, met, expected));
            default
        }),
    }
}

fn state(line: &Line, bad: &mut Vec<BadCell>) -> OccurrenceState {
    match line.get("state").to_lowercase().as_str() {
        "" | "计划" | "planned" => OccurrenceState::Planned,
        "已审批" | "approved" => OccurrenceState::Approved,
        "已结束" | "ended" => OccurrenceState::Ended,
        met => {
            bad.push(line.bad("state", met, "import-activity-state"));
            OccurrenceState::Planned
        }
    }
}

fn held_at(line: &Line, known: &HashMap<String, OfficeId>, bad: &mut Vec<BadCell>) -> Vec<OfficeId> {
    let mut offices = Vec::new();
    for code in
        line.get("offices").split([';', '；', ',', '，', '|']).map(str::trim).filter(|code| !code.is_empty())
    {
        match known.get(code) {
            Some(office) => offices.push(*office),
            None => bad.push(line.bad("offices", code, "import-office")),
        }
    }
    offices.sort_unstable();
    offices.dedup();
    offices
}
