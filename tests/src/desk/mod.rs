//! The tray of virtual cards: a small page and API that tap and swipe them at real terminals.
//!
//! It plays only what a member's hand does: it puts a card into a virtual reader's slot, and writes a stripe's bytes
//! into a terminal's serial line. Terminals cannot tell it from hardware. It serves loopback only. Out of scope:
//! anything that Hufu decides.

pub mod api;
pub mod cards;
pub mod terminal;
pub mod texts;

use std::sync::Arc;

/// Everything that the page and the API show.
#[derive(Debug)]
pub struct Desk {
    /// The cards in the tray, in the file's order.
    pub cards: Vec<cards::Card>,
    /// The terminals, in the order of the command line.
    pub terminals: Vec<terminal::Terminal>,
    /// Origins that may show the tray in a frame.
    pub embed_origins: Vec<String>,
}

/// The desk as handlers share it.
pub type Shared = Arc<Desk>;

/// Why the tray could not do what a hand wanted; the page has a text for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No card of that label.
    UnknownCard,
    /// No terminal of that name.
    UnknownTerminal,
    /// A stripe was tapped or a contactless card swiped.
    WrongKind,
    /// The terminal has no reader of that kind.
    NoDevice,
    /// A card lies in the slot.
    Occupied,
    /// The reader takes no card now.
    NotReady,
}

impl Refusal {
    /// The code in answers, which is also the end of the text's key.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCard => "unknown-card",
            Self::UnknownTerminal => "unknown-terminal",
            Self::WrongKind => "wrong-kind",
            Self::NoDevice => "no-device",
            Self::Occupied => "occupied",
            Self::NotReady => "not-ready",
        }
    }

    /// All of them, for the page.
    #[must_use]
    pub fn all() -> [Self; 6] {
        [
            Self::UnknownCard,
            Self::UnknownTerminal,
            Self::WrongKind,
            Self::NoDevice,
            Self::Occupied,
            Self::NotReady,
        ]
    }
}
