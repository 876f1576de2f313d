//! The tray of cards that a demonstration lays out, as the file that the tray of virtual cards reads.

use serde::Serialize;

/// How a card is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// A chip card.
    Pcsc,
    /// A chip card with its number in a sector.
    Sector,
    /// An NTAG with its number in its pages.
    Ntag,
    /// A processor card with its number in a file.
    File,
    /// A 125 kHz chip.
    Chip,
    /// A stripe card.
    Stripe,
    /// A member code on a phone.
    Code,
}

/// One card of the tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrayCard {
    /// What is printed on it; unique in the tray.
    pub label: String,
    /// How it is read.
    pub kind: CardKind,
    /// UID of a chip card, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Number in a card's memory or chip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// What a stripe reader sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<String>,
    /// Number of the member whose code it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A chip card.
pub fn chip(name: &str, uid: &str, note: &str) -> TrayCard {
    let card = card(format!("{name}（芯片卡）"), CardKind::Pcsc);
    TrayCard { uid: Some(uid.to_owned()), note: noted(note), ..card }
}

/// A card with the number in its memory; what it is called says which memory.
pub fn numbered(name: &str, (kind, called): (CardKind, &str), uid: &str, number: &str) -> TrayCard {
    let card = card(format!("{name}（{called}）"), kind);
    TrayCard { uid: Some(uid.to_owned()), number: Some(number.to_owned()), ..card }
}

/// A 125 kHz card.
pub fn low_frequency(name: &str, number: &str) -> TrayCard {
    TrayCard { number: Some(number.to_owned()), ..card(format!("{name}（ID 卡）"), CardKind::Chip) }
}

/// A stripe card.
pub fn stripe(name: &str, number: &str, note: &str) -> TrayCard {
    let card = card(format!("{name}（磁条卡）"), CardKind::Stripe);
    TrayCard { track: Some(format!(";{number}?")), note: noted(note), ..card }
}

/// A stripe card with both tracks, as machines of banks write them.
pub fn two_tracks(name: &str, number: &str) -> TrayCard {
    let track = format!("%B{number}^MEMBER/HUFU^4912101?;{number}=4912101?");
    TrayCard { track: Some(track), ..card(format!("{name}（双轨磁条卡）"), CardKind::Stripe) }
}

/// A phone that shows a member's code.
pub fn code(name: &str, member: &str) -> TrayCard {
    TrayCard { member: Some(member.to_owned()), ..card(format!("{name}（会员码）"), CardKind::Code) }
}

fn card(label: String, kind: CardKind) -> TrayCard {
    TrayCard { label, kind, uid: None, number: None, track: None, member: None, note: None }
}

fn noted(note: &str) -> Option<String> {
    (!note.is_empty()).then(|| note.to_owned())
}
