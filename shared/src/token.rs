//! Tokens: how a card is known without keeping what is on it.
//!
//! A token is a keyed hash (HMAC-SHA-256, first 16 bytes) of the medium's canonical text under the key of an office
//! group, and carries the version of that key. Terminals and centre make the same token from the same card; a stolen
//! terminal holds no card numbers.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::CardId;
use crate::member_code::CodeNonce;

/// How the identity of a card was read. A typed number is weaker evidence than a read one, and the ledger says so.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum MediumKind {
    /// Serial number of a contactless chip.
    #[n(0)]
    Uid,
    /// Number on a magnetic stripe.
    #[n(1)]
    Stripe,
    /// A line from a scanner.
    #[n(2)]
    Line,
    /// Typed by a person.
    #[n(3)]
    Typed,
    /// A member code on a phone.
    #[n(4)]
    MemberCode,
}

/// What was read, in the one form from which tokens are made.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardText {
    /// How it was read.
    pub kind: MediumKind,
    text: String,
}

/// The card's content cannot identify a member.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardTextError {
    /// Nothing but separators.
    #[error("card number expected, met nothing but spaces")]
    Empty,
    /// Longer than any card number.
    #[error("card number expected with at most {CARD_TEXT_CHARS_MAX} characters, met {met}")]
    Long {
        /// Characters met.
        met: usize,
    },
    /// A character that no card number has.
    #[error("card number expected as letters and digits, met {met:?}")]
    Character {
        /// The character met.
        met: char,
    },
}

/// Begins the text of a member code's card. No number's or chip's text begins so.
const CODE_MARK: &str = "code:";
/// Begins the text of a card whose number was forgotten after its token was made.
const TOKEN_MARK: &str = "token:";

/// The longest number or line that identifies a card.
pub const CARD_TEXT_CHARS_MAX: usize = 64;

impl CardText {
    /// Of a chip's serial number, raw bytes as the reader gave them.
    #[must_use]
    pub fn uid(bytes: &[u8]) -> Self {
        Self { kind: MediumKind::Uid, text: format!("uid:{}", data_encoding::HEXUPPER.encode(bytes)) }
    }

    /// Of bytes in a card's memory that are no text.
    #[must_use]
    pub fn data(bytes: &[u8]) -> Self {
        Self { kind: MediumKind::Uid, text: format!("data:{}", data_encoding::HEXUPPER.encode(bytes)) }
    }

    /// Of the card that a verified member code stands for: its token is known, its number is not.
    #[must_use]
    pub fn code(token: Token, nonce: CodeNonce) -> Self {
        let bytes = [&token.to_bytes()[..], &nonce.0].concat();
        let text = format!("{CODE_MARK}{}", data_encoding::HEXLOWER.encode(&bytes));
        Self { kind: MediumKind::MemberCode, text }
    }

    /// Of a card of which only the token was kept, and how it was read.
    #[must_use]
    pub fn kept(token: Token, kind: MediumKind) -> Self {
        let text = format!("{TOKEN_MARK}{}", data_encoding::HEXLOWER.encode(&token.to_bytes()));
        Self { kind, text }
    }

    /// The card's token where that is all that is known of it; none for anything that was just read off a card.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        let Some(hex) = self.text.strip_prefix(TOKEN_MARK) else {
            return self.coded().map(|(token, _)| token);
        };
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
        bytes.try_into().ok().map(Token::from_bytes)
    }

    /// The token of a member code's card, and the code's nonce; none for anything that was read off a card.
    #[must_use]
    pub fn coded(&self) -> Option<(Token, CodeNonce)> {
        let hex = self.text.strip_prefix(CODE_MARK)?;
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
        let (token, nonce) = bytes.split_first_chunk::<18>()?;
        Some((Token::from_bytes(*token), CodeNonce(nonce.try_into().ok()?)))
    }

    /// Of a number from a stripe, a scanner or a keyboard. The same number means the same card whichever way it
    /// came: spaces and hyphens are dropped, full-width forms folded, letters upper-cased.
    ///
    /// # Errors
    /// [`CardTextError`] naming what cannot be part of a number.
    pub fn number(kind: MediumKind, raw: &str) -> Result<Self, CardTextError> {
        let mut text = String::from("number:");
        let mut count = 0;
        for c in raw.trim().chars().map(fold).filter(|c| !matches!(c, ' ' | '-')) {
            if !c.is_ascii_alphanumeric() {
                return Err(CardTextError::Character { met: c });
            }
            text.push(c.to_ascii_uppercase());
            count += 1;
        }
        match count {
            0 => Err(CardTextError::Empty),
            met if met > CARD_TEXT_CHARS_MAX => Err(CardTextError::Long { met }),
            _ => Ok(Self { kind, text }),
        }
    }

    /// The canonical text. It identifies the card: never log it.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.text
    }

    /// The last four characters, which may be shown to staff.
    #[must_use]
    pub fn tail(&self) -> String {
        let bare = self.text.split_once(':').map_or("", |(_, bare)| bare);
        let skip = bare.chars().count().saturating_sub(4);
        bare.chars().skip(skip).collect()
    }
}

impl fmt::Debug for CardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardText({:?} …{})", self.kind, self.tail())
    }
}

/// Full-width forms of ASCII mean the same; an input method may leave them.
fn fold(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// A card's name for terminals: version of the key, then 16 bytes of the keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Version of the office group's key that made it.
    pub key_version: u16,
    /// The keyed hash.
    pub hash: [u8; 16],
}

impl Token {
    /// The id of a card that no list held before a terminal gave it to a member: terminal and centre make the same one.
    #[must_use]
    pub fn card_id(self) -> CardId {
        CardId(self.hash)
    }

    /// Key version and hash in 18 bytes, as stored and sent.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[..2].copy_from_slice(&self.key_version.to_be_bytes());
        bytes[2..].copy_from_slice(&self.hash);
        bytes
    }

    /// From the 18 bytes of [`Token::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 18]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&bytes[2..]);
        Self { key_version: u16::from_be_bytes([bytes[0], bytes[1]]), hash }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.to_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token:{}", data_encoding::HEXLOWER.encode(&self.hash[..4]))
    }
}

impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<C> Encode<C> for Token {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Token {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        <[u8; 18]>::try_from(d.bytes()?)
            .map(Self::from_bytes)
            .map_err(|_| minicbor::decode::Error::message("Token expects 18 bytes"))
    }
}

/// The key of one office group.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TokenKey {
    /// Grows when the key is changed.
    #[n(0)]
    pub version: u16,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    secret: [u8; 32],
}

impl TokenKey {
    /// A key of this version.
    #[must_use]
    pub fn new(version: u16, secret: [u8; 32]) -> Self {
        Self { version, secret }
    }

    /// The token of a card.
    #[must_use]
    pub fn token(&self, card: &CardText) -> Token {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.secret);
        let tag = ring::hmac::sign(&key, card.text.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&tag.as_ref()[..16]);
        Token { key_version: self.version, hash }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey(version {})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(kind: MediumKind, raw: &str) -> CardText {
        CardText::number(kind, raw).expect("a card number")
    }

    #[test]
    fn one_number_is_one_card_whichever_way_it_is_read() {
        let key = TokenKey::new(1, [9; 32]);
        let token = key.token(&number(MediumKind::Stripe, "622588001234"));
        for raw in ["6225 8800 1234", "６２２５８８００１２３４", " 6225-8800-1234 "] {
            assert_eq!(key.token(&number(MediumKind::Typed, raw)), token, "{raw}");
        }
        assert_ne!(TokenKey::new(2, [8; 32]).token(&number(MediumKind::Stripe, "622588001234")), token);
    }

    #[test]
    fn a_chip_never_collides_with_a_number_of_the_same_digits() {
        let key = TokenKey::new(1, [9; 32]);
        assert_ne!(key.token(&CardText::uid(&[0x12, 0x34])), key.token(&number(MediumKind::Typed, "1234")));
        assert_ne!(key.token(&CardText::uid(&[0x12, 0x34])), key.token(&CardText::data(&[0x12, 0x34])));
    }

    /// Cards were registered under these: another text for the same card would be another card.
    #[test]
    fn the_text_of_a_card_stays_as_it_is() {
        assert_eq!(CardText::uid(&[0x04, 0xa1, 0xb2]).canonical(), "uid:04A1B2");
        assert_eq!(CardText::data(&[0x04, 0xa1, 0xb2]).canonical(), "data:04A1B2");
        for kind in [MediumKind::Stripe, MediumKind::Line, MediumKind::Typed] {
            assert_eq!(number(kind, "0040 8566-34").canonical(), "number:0040856634");
        }
    }

    #[test]
    fn what_cannot_be_a_number_is_named() {
        let error = |raw| CardText::number(MediumKind::Typed, raw).expect_err("refused").to_string();
        assert_eq!(error("  "), "card number expected, met nothing but spaces");
        assert_eq!(error("12;34"), "card number expected as letters and digits, met ';'");
        assert_eq!(error(&"1".repeat(65)), "card number expected with at most 64 characters, met 65");
    }

    #[test]
    fn threat_t01_debug_forms_do_not_give_the_card_away() {
        let card = number(MediumKind::Typed, "622588001234");
        assert_eq!(format!("{card:?}"), "CardText(Typed …1234)");
        assert_eq!(format!("{:?}", TokenKey::new(3, [7; 32])), "TokenKey(version 3)");
    }

    #[test]
    fn a_member_codes_card_is_known_by_its_token() {
        let token = TokenKey::new(513, [1; 32]).token(&CardText::uid(&[1, 2, 3, 4]));
        let nonce = CodeNonce([7; 8]);
        let card = CardText::code(token, nonce);
        assert_eq!((card.kind, card.coded()), (MediumKind::MemberCode, Some((token, nonce))));
        assert_eq!(CardText::uid(&[1, 2, 3, 4]).coded(), None);
        assert_eq!(card.token(), Some(token));
        assert_eq!(number(MediumKind::Typed, "C0DE1234").coded(), None);
        let kept = CardText::kept(token, MediumKind::Stripe);
        assert_eq!((kept.kind, kept.token(), kept.coded()), (MediumKind::Stripe, Some(token), None));
        assert_eq!(number(MediumKind::Typed, "70CE1234").token(), None);
    }

    #[test]
    fn token_bytes_round_trip_and_carry_the_key_version() {
        let token = TokenKey::new(513, [1; 32]).token(&CardText::uid(&[1, 2, 3, 4]));
        assert_eq!(Token::from_bytes(token.to_bytes()), token);
        assert_eq!(token.to_bytes()[..2], [2, 1]);
    }
}
