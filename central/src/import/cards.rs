//! Rows of cards.

use std::collections::HashMap;

use chrono_tz::Tz;
use hufu_shared::dictionary::{self, CARD_KIND_ORDINARY};
use hufu_shared::ids::MemberId;
use hufu_shared::member::CardStatus;
use hufu_shared::rules::calendar::day_start;
use hufu_shared::time::{Day, Instant};
use hufu_shared::token::{CardText, MediumKind};

use super::sheet::Line;
use super::{BadCell, Column, text};

/// Columns of a file of cards.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "card",
        zh: "卡号",
        required: false,
        holds: "number on the stripe or code; a card has this, or uid",
        example: "6688000100010001",
    },
    Column {
        name: "uid",
        zh: "芯片号",
        required: false,
        holds: "chip number as hexadecimal digits, 4, 7 or 10 bytes, in the order the reader gives",
        example: "",
    },
    Column {
        name: "member",
        zh: "会员编号",
        required: false,
        holds: "whose it is; empty: in stock",
        example: "M000001",
    },
    Column {
        name: "kind",
        zh: "卡种",
        required: false,
        holds: "kind of card: a code or word of the dictionary of card kinds (default 普通卡, ordinary)",
        example: "普通卡",
    },
    Column {
        name: "status",
        zh: "状态",
        required: false,
        holds: "在用/active (default), 挂失/lost, 停用/stopped, 注销/void",
        example: "在用",
    },
    Column {
        name: "valid_from",
        zh: "生效日期",
        required: false,
        holds: "first day of validity, YYYY-MM-DD",
        example: "",
    },
    Column {
        name: "valid_until",
        zh: "到期日期",
        required: false,
        holds: "last day of validity, YYYY-MM-DD",
        example: "",
    },
];

/// Bytes of the serial numbers that chips have.
const UID_BYTES: [usize; 4] = [4, 7, 8, 10];

/// A card as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardLine {
    /// Row in the file.
    pub row: u64,
    /// What identifies it.
    pub text: CardText,
    /// Whose it is.
    pub member: Option<MemberId>,
    /// Its kind.
    pub kind: String,
    /// Its state.
    pub status: CardStatus,
    /// Not accepted before.
    pub valid_from: Option<Instant>,
    /// Not accepted from then on.
    pub valid_until: Option<Instant>,
}

/// Reads one row. Days are those of `zone`.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(line: &Line, members: &HashMap<String, MemberId>, zone: Tz) -> Result<CardLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let text = medium(line).map_err(|cell| bad.push(cell)).ok();
    let member = match line.get("member") {
        "" => None,
        number => {
            let found = members.get(number).copied();
            if found.is_none() {
                bad.push(line.bad("member", number, "import-member"));
            }
            found
        }
    };
    let status = match line.get("status").to_lowercase().as_str() {
        "" | "在用" | "正常" => CardStatus::Active,
        "挂失" => CardStatus::Lost,
        "停用" => CardStatus::Stopped,
        "注销" => CardStatus::Void,
        code => CardStatus::from_code(code).unwrap_or_else(|| {
            bad.push(line.bad("status", code, "import-card-status"));
            CardStatus::Active
        }),
    };
    let kind = text::title(line.get("kind")).unwrap_or_else(|expected| {
        bad.push(line.bad("kind", line.get("kind"), expected));
        String::new()
    });
    let valid_from = day(line, "valid_from", &mut bad).map(|day| day_start(zone.name(), day, 0));
    let valid_until = day(line, "valid_until", &mut bad).map(|day| end_of(zone.name(), day));
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        bad.push(line.bad("valid_until", line.get("valid_until"), "import-valid-until"));
    }
    match text {
        Some(text) if bad.is_empty() => {
            let kind = if kind.is_empty() { CARD_KIND_ORDINARY } else { &kind };
            let kind = dictionary::code_of(dictionary::CARD_KIND, kind);
            Ok(CardLine { row: line.row, text, member, kind, status, valid_from, valid_until })
        }
        _ => Err(bad),
    }
}

fn medium(line: &Line) -> Result<CardText, BadCell> {
    match (line.number("card"), line.number("uid")) {
        ("", "") => Err(line.bad("card", "", "import-card-one")),
        (number, "") => CardText::number(MediumKind::Typed, number)
            .map_err(|error| line.bad("card", &text::masked(number), error)),
        ("", uid) => uid_bytes(uid)
            .map(|bytes| CardText::uid(&bytes))
            .ok_or_else(|| line.bad("uid", &text::masked(uid), "import-uid")),
        (number, _) => Err(line.bad("card", &text::masked(number), "import-card-both")),
    }
}

/// What identifies a card, from its number or its chip's; one of them is empty. `None` for what is neither.
#[must_use]
pub fn identity(number: &str, uid: &str) -> Option<CardText> {
    match (number.trim(), uid.trim()) {
        ("", "") => None,
        (number, "") => CardText::number(MediumKind::Typed, number).ok(),
        ("", uid) => uid_bytes(uid).map(|bytes| CardText::uid(&bytes)),
        _ => None,
    }
}

/// The moment from which on a card is not accepted whose last day is this: that day counts whole.
#[must_use]
pub fn end_of(zone: &str, day: Day) -> Instant {
    day_start(zone, day.plus(1), 0)
}

fn uid_bytes(cell: &str) -> Option<Vec<u8>> {
    let bare: String = text::fold_width(cell).chars().filter(|c| !matches!(c, ' ' | ':' | '-')).collect();
    let bytes = data_encoding::HEXUPPER_PERMISSIVE.decode(bare.as_bytes()).ok()?;
    UID_BYTES.contains(&bytes.len()).then_some(bytes)
}

fn day(line: &Line, column: &'static str, bad: &mut Vec<BadCell>) -> Option<Day> {
    let cell = line.get(column);
    if cell.is_empty() {
        return None;
    }
    text::date(cell).map_err(|expected| bad.push(line.bad(column, cell, expected))).ok()
}
