//! The tray of cards that a demonstration lays out, as the file that the tray of virtual cards reads.

use serde::Serialize;

/// How a card is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// A chip card.
    Pcsc,
    /// A stripe card.
    Stripe,
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
    /// What a stripe reader sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<String>,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A chip card.
pub fn chip(name: &str, uid: &str, note: &str) -> TrayCard {
    TrayCard {
        label: format!("{name}（芯片卡）"),
        kind: CardKind::Pcsc,
        uid: Some(uid.to_owned()),
        track: None,
        note: noted(note),
    }
}

/// A stripe card.
pub fn stripe(name: &str, number: &str, note: &str) -> TrayCard {
    TrayCard {
        label: format!("{name}（磁条卡）"),
        kind: CardKind::Stripe,
        uid: None,
        track: Some(format!(";{number}?")),
        note: noted(note),
    }
}

fn noted(note: &str) -> Option<String> {
    (!note.is_empty()).then(|| note.to_owned())
}
