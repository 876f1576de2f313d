//! Finding a member without the card, while the centre is reached (rule X12).
//!
//! Staff at a desk type a name, a mobile or its last digits, or a number; the centre answers with a few members as
//! terminals may know them, for staff to compare with the person before them. Nothing of the answer is kept at the
//! terminal, and what was typed stands in no log. Out of scope: terminals that are offline (they know their own list only).

use minicbor::{Decode, Encode};

use crate::ids::CardId;
use crate::member::CardStatus;
use crate::scheme::Words;

/// Where a device asks: `POST`, [`LookupAsk`] in, [`LookupAnswer`] out.
pub const LOOKUP_PATH: &str = "/device/v1/lookup";
/// Bytes of an ask at most.
pub const LOOKUP_ASK_BYTES_MAX: usize = 256;
/// Bytes of an answer at most.
pub const LOOKUP_ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Members in one answer at most: who types so little that more fit is asked to type more.
pub const LOOKUP_FOUND_MAX: usize = 5;
/// Characters typed, at least and at most.
pub const LOOKUP_CHARS: std::ops::RangeInclusive<usize> = 2..=40;
/// Asks of one terminal in a minute at most: a desk needs a few, whoever copies a club needs thousands.
pub const LOOKUPS_PER_MINUTE_MAX: u32 = 20;

/// Who is looked for.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LookupAsk {
    /// What staff typed.
    #[n(0)]
    pub text: String,
}

impl std::fmt::Debug for LookupAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A name or a mobile.
        write!(f, "LookupAsk({} characters)", self.text.chars().count())
    }
}

/// The answer to [`LookupAsk`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct LookupAnswer {
    /// Members who may be meant.
    #[n(0)]
    pub found: Vec<FoundMember>,
    /// Whether there are more than fit: more should be typed.
    #[n(1)]
    pub more: bool,
    /// Whether this terminal asked too often; then nothing was looked for.
    #[n(2)]
    pub too_often: bool,
}

/// A member who may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FoundMember {
    /// Name, masked: 张*三. None for members who asked for secrecy.
    #[n(0)]
    pub name: Option<String>,
    /// Mobile, masked: 138****8000. None without one, or for members who asked for secrecy.
    #[n(1)]
    pub mobile: Option<String>,
    /// Level, as people read it.
    #[n(2)]
    pub level: Option<Words>,
    /// The card to act for: one in use if there is one; none for a member without any.
    #[n(3)]
    pub card: Option<FoundCard>,
}

/// The card of a member who was found.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FoundCard {
    /// Which card.
    #[n(0)]
    pub card: CardId,
    /// Last characters of its printed number.
    #[n(1)]
    pub tail: String,
    /// Its state.
    #[n(2)]
    pub status: CardStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_answer_fits_and_no_log_tells_who_was_looked_for() {
        let words = |text: &str| Words { zh: text.repeat(20), en: text.repeat(60) };
        let member = FoundMember {
            name: Some("欧".repeat(50)),
            mobile: Some("138****8000".to_owned()),
            level: Some(words("金")),
            card: Some(FoundCard { card: CardId([7; 16]), tail: "0042".into(), status: CardStatus::Lost }),
        };
        let answer = LookupAnswer { found: vec![member; LOOKUP_FOUND_MAX], more: true, too_often: false };
        assert!(crate::cbor::encode(&answer).len() <= LOOKUP_ANSWER_BYTES_MAX);
        let ask = LookupAsk { text: "欧阳".repeat(20) };
        assert!(crate::cbor::encode(&ask).len() <= LOOKUP_ASK_BYTES_MAX);
        assert!(!format!("{ask:?}").contains('欧'));
    }
}
