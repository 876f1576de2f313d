//! What a file changes, found by comparing its rows with what the centre holds.
//!
//! A column that the file lacks leaves what is known as it is; an empty cell of a column that it has means "nothing".

use std::collections::HashMap;
use std::hash::Hash;

use hufu_shared::act::{CardSet, MemberSet};
use hufu_shared::ids::{ActivityId, ClubId, ItemId, OccurrenceId};
use hufu_shared::member::{Audience, GiftRow, GuestRow, OccurrenceRow, OfficeRow};
use hufu_shared::scheme::Words;

use super::BadCell;
use super::activities::ActivityLine;
use super::cards::CardLine;
use super::expected::Expected;
use super::members::MemberLine;
use super::offices::OfficeLine;
use crate::vault::Personal;

/// What a row means for the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not known before.
    New,
    /// Known, and different.
    Changed,
    /// Known, and the same.
    Unchanged,
}

/// Takes out rows whose key stood in an earlier row, as bad ones: a file that says two things says nothing.
pub fn once<T, K: Hash + Eq + std::fmt::Display>(
    lines: Vec<T>,
    bad: &mut Vec<BadCell>,
    column: &'static str,
    row: impl Fn(&T) -> u64,
    key: impl Fn(&T) -> (K, String),
) -> Vec<T> {
    let mut seen: HashMap<K, u64> = HashMap::new();
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        let (by, shown) = key(&line);
        match seen.get(&by) {
            Some(first) => {
                let expected = Expected::of("import-once").with("row", first);
                bad.push(BadCell { row: row(&line), column, met: shown, expected });
            }
            None => {
                seen.insert(by, row(&line));
                kept.push(line);
            }
        }
    }
    kept
}

/// What is known of a member, as far as the comparison needs it.
#[derive(Debug, Clone)]
pub struct KnownMember {
    /// The row in the books.
    pub row: MemberSet,
    /// Personal data; none if erased.
    pub personal: Option<Personal>,
    /// Whether the member asked for secrecy.
    pub secret: bool,
}

/// Fills in what the file does not speak of, and compares.
pub fn member(line: &mut MemberLine, known: Option<&KnownMember>, has: impl Fn(&str) -> bool) -> Change {
    let Some(known) = known else { return Change::New };
    if let Some(personal) = &known.personal {
        line.personal.home_phone.clone_from(&personal.home_phone);
        line.personal.address.clone_from(&personal.address);
        line.personal.email.clone_from(&personal.email);
        line.personal.remark.clone_from(&personal.remark);
        if !has("sex") {
            line.personal.sex = personal.sex;
        }
        if !has("mobile") {
            line.personal.mobile.clone_from(&personal.mobile);
        }
        if !has("document_number") {
            line.personal.document.clone_from(&personal.document);
        }
        if !has("birthday") && !has("document_number") {
            line.personal.birthday = personal.birthday;
        }
    }
    if !has("level_zh") && !has("level_en") {
        line.level.clone_from(&known.row.level);
    }
    if !has("status") {
        line.status = known.row.status;
    }
    if !has("office") {
        line.office = known.row.office;
    }
    if !has("secret") {
        line.secret = known.secret;
    }
    line.joined = line.joined.or(known.row.joined);
    let same = known.personal.as_ref() == Some(&line.personal)
        && known.row.level == line.level
        && known.row.status == line.status
        && known.row.office == line.office
        && known.row.joined == line.joined
        && known.secret == line.secret;
    if same { Change::Unchanged } else { Change::Changed }
}

/// Fills in what the file does not speak of, and compares.
pub fn card(line: &mut CardLine, known: Option<&CardSet>, has: impl Fn(&str) -> bool) -> Change {
    let Some(known) = known else { return Change::New };
    if !has("member") {
        line.member = known.member;
    }
    if !has("kind") {
        line.kind.clone_from(&known.kind);
    }
    if !has("status") {
        line.status = known.status;
    }
    if !has("valid_from") {
        line.valid_from = known.valid_from;
    }
    if !has("valid_until") {
        line.valid_until = known.valid_until;
    }
    let same = known.member == line.member
        && known.kind == line.kind
        && known.status == line.status
        && known.valid_from == line.valid_from
        && known.valid_until == line.valid_until;
    if same { Change::Unchanged } else { Change::Changed }
}

/// Compares an office.
#[must_use]
pub fn office(line: &OfficeLine, known: Option<&OfficeRow>) -> Change {
    match known {
        None => Change::New,
        Some(known)
            if (&known.name, &known.clock, &known.group) == (&line.name, &line.clock, &line.group) =>
        {
            Change::Unchanged
        }
        Some(_) => Change::Changed,
    }
}

/// The holding that a row describes. Its id follows from club and code, so the same code names it again.
#[must_use]
pub fn holding(line: &ActivityLine, club: ClubId) -> OccurrenceRow {
    OccurrenceRow {
        occurrence: OccurrenceId(id_of(b"hufu-holding", club, &line.code)),
        activity: ActivityId(id_of(b"hufu-activity", club, &line.name.zh)),
        name: line.name.clone(),
        starts: line.starts,
        ends: line.ends,
        state: line.state,
        admits_once: line.admits_once,
        points: line.points,
        places: line.places,
        offices: line.offices.clone(),
        exits: line.exits,
        gifts: line.gifts.iter().map(|(name, each)| gift(name, *each, club)).collect(),
        guests: line
            .guests
            .iter()
            .map(|member| GuestRow { member: *member, birthday: false, companions: None })
            .collect(),
        audience: Audience::default(),
    }
}

/// Something that is handed out. Its id follows from club and name: the same name is the same stock.
fn gift(name: &str, each: u32, club: ClubId) -> GiftRow {
    let name = Words { zh: name.to_owned(), en: name.to_owned() };
    GiftRow { item: ItemId(id_of(b"hufu-item", club, &name.zh)), name, each }
}

/// Compares a holding.
#[must_use]
pub fn activity(row: &OccurrenceRow, known: Option<&OccurrenceRow>) -> Change {
    match known {
        None => Change::New,
        Some(known) if known == row => Change::Unchanged,
        Some(_) => Change::Changed,
    }
}

/// A UUIDv8: its bits follow from a name.
fn id_of(what: &[u8], club: ClubId, name: &str) -> [u8; 16] {
    let hash = hufu_shared::ids::Hash::of(&[what, &club.0, name.as_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.0[..16]);
    id[6] = 0x80 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    id
}
