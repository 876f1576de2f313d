//! Rows of members.

use std::collections::HashMap;

use hufu_shared::ids::OfficeId;
use hufu_shared::member::MemberStatus;
use hufu_shared::scheme::Words;
use hufu_shared::time::Day;

use super::expected::Expected;
use super::sheet::Line;
use super::{BadCell, Column, text};
use crate::rules::joining::fields;
use crate::vault::{Document, DocumentKind, Personal, Sex, document, normal};

/// Columns of a file of members.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "number",
        zh: "会员编号",
        required: true,
        holds: "the club's own number of the member, unique",
        example: "M000001",
    },
    Column {
        name: "name",
        zh: "姓名",
        required: true,
        holds: "whole name, at most 50 characters, kept as written",
        example: "欧阳静雯",
    },
    Column {
        name: "sex", zh: "性别", required: false, holds: "女/female, 男/male, or empty", example: "女"
    },
    Column {
        name: "mobile",
        zh: "手机",
        required: false,
        holds: "mobile number, with or without +86 and spaces",
        example: "138 0013 8000",
    },
    Column {
        name: "document_kind",
        zh: "证件类型",
        required: false,
        holds: "身份证/identity_card (default), 护照/passport, 港澳通行证/hong_kong_macau_permit, 台湾通行证/taiwan_permit, 外国人永久居留证/foreign_resident, 其他/other",
        example: "身份证",
    },
    Column {
        name: "document_number",
        zh: "证件号码",
        required: false,
        holds: "document number; an identity card is checked",
        example: "11010519491231002X",
    },
    Column {
        name: "birthday",
        zh: "生日",
        required: false,
        holds: "YYYY-MM-DD; taken from the identity card if empty",
        example: "1949-12-31",
    },
    Column {
        name: "level_zh", zh: "等级", required: false, holds: "level in Chinese", example: "金卡会员"
    },
    Column {
        name: "level_en",
        zh: "等级英文",
        required: false,
        holds: "level in English; the Chinese one if empty",
        example: "Gold",
    },
    Column {
        name: "status",
        zh: "状态",
        required: false,
        holds: "在会/active (default), 停用/stopped, 退会/left",
        example: "在会",
    },
    Column {
        name: "office",
        zh: "案场代码",
        required: false,
        holds: "code of the office that won the member",
        example: "A01",
    },
    Column {
        name: "secret",
        zh: "保密",
        required: false,
        holds: "是/yes: terminals show neither greeting nor name",
        example: "否",
    },
    Column {
        name: "joined",
        zh: "入会日期",
        required: false,
        holds: "YYYY-MM-DD, from which the first year counts; if empty the day of the import, without a welcome",
        example: "2025-03-10",
    },
];

/// A member as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLine {
    /// Row in the file.
    pub row: u64,
    /// The club's number.
    pub number: String,
    /// What the vault keeps.
    pub personal: Personal,
    /// Level.
    pub level: Option<Words>,
    /// Whether the member takes part.
    pub status: MemberStatus,
    /// The office that won the member.
    pub office: Option<OfficeId>,
    /// Whether the member asked for secrecy.
    pub secret: bool,
    /// The day on which the member joined; none where the file does not say.
    pub joined: Option<Day>,
}

/// Reads one row.
///
/// # Errors
/// Every cell that is bad.
pub fn parse(
    line: &Line,
    offices: &HashMap<String, OfficeId>,
    today: Day,
) -> Result<MemberLine, Vec<BadCell>> {
    let mut bad = Vec::new();
    let mut note = |column: &'static str, met: &str, expected: Expected| {
        bad.push(line.bad(column, met, expected));
    };
    let mut cell = |column: &'static str, read: &dyn Fn(&str) -> Result<String, Expected>| {
        read(line.get(column)).unwrap_or_else(|expected| {
            note(column, line.get(column), expected);
            String::new()
        })
    };
    let number = cell("number", &text::code);
    let name = cell("name", &text::person_name);
    let level_zh = cell("level_zh", &text::title);
    let level_en = cell("level_en", &text::title);
    let (sex, status, office, secret) = choices(line, offices, &mut bad);
    let mobile = mobile(line, &mut bad);
    let (document, born) = papers(line, today, &mut bad);
    let birthday = past_day(line, "birthday", today, &mut bad).or(born);
    let joined = past_day(line, "joined", today, &mut bad);
    if !bad.is_empty() {
        return Err(bad);
    }
    let level = match (level_zh.as_str(), level_en.as_str()) {
        ("", "") => None,
        (zh, "") => Some(Words { zh: zh.to_owned(), en: zh.to_owned() }),
        ("", en) => Some(Words { zh: en.to_owned(), en: en.to_owned() }),
        (zh, en) => Some(Words { zh: zh.to_owned(), en: en.to_owned() }),
    };
    let personal = Personal { name, sex, mobile, document, birthday, ..Personal::default() };
    Ok(MemberLine { row: line.row, number, personal, level, status, office, secret, joined })
}

fn choices(
    line: &Line,
    offices: &HashMap<String, OfficeId>,
    bad: &mut Vec<BadCell>,
) -> (Sex, MemberStatus, Option<OfficeId>, bool) {
    let sex = match line.get("sex").to_lowercase().as_str() {
        "女" | "女士" | "female" | "f" => Sex::Female,
        "男" | "先生" | "male" | "m" => Sex::Male,
        "" | "未知" | "unknown" => Sex::Unknown,
        met => {
            bad.push(line.bad("sex", met, "import-sex"));
            Sex::Unknown
        }
    };
    let status = match line.get("status").to_lowercase().as_str() {
        "" | "在会" | "正常" | "active" => MemberStatus::Active,
        "停用" | "stopped" => MemberStatus::Stopped,
        "退会" | "left" => MemberStatus::Left,
        met => {
            bad.push(line.bad("status", met, "import-member-status"));
            MemberStatus::Active
        }
    };
    let office = match line.get("office") {
        "" => None,
        code => {
            let found = offices.get(code).copied();
            if found.is_none() {
                bad.push(line.bad("office", code, "import-office"));
            }
            found
        }
    };
    let secret = text::yes_or_no(line.get("secret")).unwrap_or_else(|expected| {
        bad.push(line.bad("secret", line.get("secret"), expected));
        false
    });
    (sex, status, office, secret)
}

fn mobile(line: &Line, bad: &mut Vec<BadCell>) -> Option<String> {
    let cell = line.number("mobile");
    if cell.is_empty() {
        return None;
    }
    let found = fields::mobile(normal::mobile(cell));
    if let Err(expected) = &found {
        bad.push(line.bad("mobile", &text::masked(cell), expected.clone()));
    }
    found.ok()
}

fn papers(line: &Line, today: Day, bad: &mut Vec<BadCell>) -> (Option<Document>, Option<Day>) {
    let kind = match line.get("document_kind") {
        "" | "身份证" | "居民身份证" => DocumentKind::IdentityCard,
        "护照" => DocumentKind::Passport,
        "港澳通行证" | "回乡证" | "港澳居民来往内地通行证" => {
            DocumentKind::HongKongMacauPermit
        }
        "台湾通行证" | "台胞证" | "台湾居民来往大陆通行证" => DocumentKind::TaiwanPermit,
        "外国人永久居留证" | "外国人永久居留身份证" => DocumentKind::ForeignResident,
        "其他" | "其它" => DocumentKind::Other,
        code => {
            let Some(kind) = DocumentKind::from_code(&code.to_lowercase()) else {
                bad.push(line.bad("document_kind", code, "import-document-kind"));
                return (None, None);
            };
            kind
        }
    };
    let cell = line.number("document_number");
    if cell.is_empty() {
        return (None, None);
    }
    match document::check(kind, cell, today) {
        Ok(read) => {
            let born = document::born(&read);
            (Some(read), born)
        }
        Err(error) => {
            bad.push(line.bad("document_number", &text::masked(cell), error));
            (None, None)
        }
    }
}

/// A day that has come; none for an empty or a bad cell.
fn past_day(line: &Line, column: &'static str, today: Day, bad: &mut Vec<BadCell>) -> Option<Day> {
    let cell = line.get(column);
    if cell.is_empty() {
        return None;
    }
    match text::date(cell) {
        Ok(day) if day > today => {
            bad.push(line.bad(column, cell, "import-past-day"));
            None
        }
        Ok(day) => Some(day),
        Err(expected) => {
            bad.push(line.bad(column, cell, expected));
            None
        }
    }
}
