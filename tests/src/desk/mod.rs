//! The tray of virtual cards: a small page and API that tap and swipe them at real terminals.
//!
//! It plays only what hands do: they put cards into a virtual reader's slot, draw stripes, hold phones to a scanner, press
//! keys, and pull cables. Behind every button is the real part: bytes on a serial line, APDUs in a slot, a relay that is
//! cut, a service that is stopped. Terminals cannot tell it from hardware. It serves loopback only. Out of scope:
//! anything that Hufu decides.

pub mod api;
pub mod cards;
pub mod keypad;
pub mod lines;
pub mod terminal;
pub mod texts;
pub mod wiring;

use std::sync::Arc;

/// Everything that the page and the API show.
#[derive(Debug)]
pub struct Desk {
    /// The cards in the tray, in the file's order.
    pub cards: Vec<cards::Card>,
    /// The terminals, in the order of the command line.
    pub terminals: Vec<terminal::Terminal>,
    /// Where fresh member codes are asked for: an address that a member's number is added to.
    pub codes: Option<String>,
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
    /// The device takes nothing now: it is unplugged, or starts.
    NotReady,
    /// No such key, or no such amount.
    WrongInput,
    /// Nobody gave a member code.
    NoCode,
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
            Self::WrongInput => "wrong-input",
            Self::NoCode => "no-code",
        }
    }

    /// All of them, for the page.
    #[must_use]
    pub fn all() -> [Self; 8] {
        [
            Self::UnknownCard,
            Self::UnknownTerminal,
            Self::WrongKind,
            Self::NoDevice,
            Self::Occupied,
            Self::NotReady,
            Self::WrongInput,
            Self::NoCode,
        ]
    }
}
