//! How far the news of a lost card has come, asked by the terminal where it was reported.
//!
//! The centre knows which block list each terminal last said that it holds; it cannot know more than that, so each terminal
//! comes with when it was last heard. Out of scope: terminals that are offline (they cannot ask, and say so).

use minicbor::{Decode, Encode};

use crate::member::CardStatus;
use crate::scheme::Words;
use crate::time::Instant;
use crate::token::Token;

/// Where a device asks: `POST`, [`SpreadAsk`] in, [`SpreadAnswer`] out.
pub const SPREAD_PATH: &str = "/device/v1/spread";
/// Bytes of an ask at most.
pub const SPREAD_ASK_BYTES_MAX: usize = 128;
/// Bytes of an answer at most.
pub const SPREAD_ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Terminals that are named, at most: those that lack it first.
pub const SPREAD_NAMED_MAX: usize = 60;

/// Which card is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SpreadAsk {
    /// How it is found.
    #[n(0)]
    pub token: Token,
}

/// The answer to [`SpreadAsk`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SpreadAnswer {
    /// When the centre looked.
    #[n(0)]
    pub at: Instant,
    /// How the card stands at the centre; none of a card that it does not know.
    #[n(1)]
    pub status: Option<CardStatus>,
    /// Terminals at work that hold the card as it stands.
    #[n(2)]
    pub have: u32,
    /// Terminals at work that do not, as far as they said.
    #[n(3)]
    pub lack: u32,
    /// The terminals, those that lack it first; at most [`SPREAD_NAMED_MAX`].
    #[n(4)]
    pub terminals: Vec<SpreadTerminal>,
}

/// A terminal and whether it holds the card as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SpreadTerminal {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// Where it stands.
    #[n(1)]
    pub office: Option<Words>,
    /// Whether it has the card as it stands.
    #[n(2)]
    pub has: bool,
    /// When it was last heard; none before the first time.
    #[n(3)]
    pub heard: Option<Instant>,
    /// Whether it is the terminal that asked: that one knows better itself.
    #[n(4)]
    pub own: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_answer_fits() {
        let office = Words { zh: "滨".repeat(40), en: "R".repeat(80) };
        let terminal = SpreadTerminal {
            name: "前".repeat(40),
            office: Some(office),
            has: false,
            heard: Some(Instant(1_795_330_931_000_000)),
            own: true,
        };
        let answer = SpreadAnswer {
            at: Instant(1_795_330_931_000_000),
            status: Some(CardStatus::Lost),
            have: u32::MAX,
            lack: u32::MAX,
            terminals: vec![terminal; SPREAD_NAMED_MAX],
        };
        assert!(crate::cbor::encode(&answer).len() <= SPREAD_ANSWER_BYTES_MAX);
        let ask = SpreadAsk { token: Token { key_version: u16::MAX, hash: [7; 16] } };
        assert!(crate::cbor::encode(&ask).len() <= SPREAD_ASK_BYTES_MAX);
    }
}
