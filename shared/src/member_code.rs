//! Member codes: what a member's phone shows a scanner in place of a card.
//!
//! The centre makes a code on request and signs it; a terminal verifies it without the centre, by the key that it has
//! pinned since enrolment. A code stands for one card of the member, so blocks, directory and facts need no rule of
//! their own for it, and it dies with that card.
//!
//! ```text
//! "HM1" base32( token 18 | made at, seconds UTC, 4 | nonce 8 | Ed25519 signature 64 )      154 characters
//! ```
//! Integers are big-endian, base32 is RFC 4648 without padding. All characters are of a QR code's alphanumeric set, so
//! the code fits version 6 at level M (41 x 41 modules); scanners that pretend to be keyboards type it unharmed.
//! Signed is `"hufu-member-code" | club 16 | token | made at | nonce`: a code of one club is none at another.
//!
//! Invariants
//! - A code is used at one terminal once. Its nonce goes into the fact, so the centre sees two terminals that took it.
//! - A clock in doubt never makes an old code new: what the clock's floor says to be over is over.
//!
//! Out of scope: who may ask for a code (the centre's routes), drawing it.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::ids::ClubId;
use crate::keys::{CENTRE_KEY_BYTES, verify_centre};
use crate::time::{ClockQuality, Instant, SECOND_US};
use crate::token::Token;

/// What every code begins with; the digit is the version of the form.
pub const CODE_PREFIX: &str = "HM1";
/// Characters of a code.
pub const CODE_CHARS: usize = 154;
/// How long a code may be shown, in seconds.
pub const CODE_LIFE_S: i64 = 60;
/// By how much a set clock may differ from the centre's, in seconds.
pub const CODE_SKEW_S: i64 = 30;
/// By how much a clock may differ that went on by itself since it was set, in seconds.
pub const CODE_SKEW_KEPT_S: i64 = 300;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 8;

const BODY_BYTES: usize = 18 + 4 + NONCE_BYTES;
const SIGNATURE_BYTES: usize = 64;
const SIGNED_FOR: &[u8] = b"hufu-member-code";

/// What makes a code another than all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeNonce(pub [u8; NONCE_BYTES]);

impl fmt::Debug for CodeNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code:{}", data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Serialize for CodeNonce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl<C> Encode<C> for CodeNonce {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CodeNonce {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        <[u8; NONCE_BYTES]>::try_from(d.bytes()?)
            .map(Self)
            .map_err(|_| minicbor::decode::Error::message("CodeNonce expects 8 bytes"))
    }
}

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberCode {
    /// The card that it stands for.
    pub token: Token,
    /// When the centre made it, to the second.
    pub made_at: Instant,
    /// What tells it from the member's other codes.
    pub nonce: CodeNonce,
}

/// A code as it was read; nothing of it is believed before [`SignedCode::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCode {
    code: MemberCode,
    signature: [u8; SIGNATURE_BYTES],
}

/// The text is no member code, or no good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberCodeError {
    /// It begins as one and goes on otherwise: read by halves, damaged, or of a newer form.
    #[error("member code expected as {CODE_PREFIX} and 151 letters and digits A-Z 2-7, met something else")]
    Damaged,
    /// The centre of this club did not sign it.
    #[error("the member code is not signed by this club's centre")]
    Signature,
    /// It is over.
    #[error("the member code is over: each holds for {CODE_LIFE_S} s")]
    Over,
    /// It was made in what is the future here: a clock is wrong, this one or that of the centre.
    #[error("the member code was made later than it is here")]
    Early,
    /// It was taken here before.
    #[error("the member code was used here before")]
    Used,
}

/// What the time says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It holds.
    Now,
    /// By this clock nobody can tell; it is not over for certain.
    Perhaps,
}

impl MemberCode {
    /// The bytes that the centre signs.
    #[must_use]
    pub fn message(&self, club: ClubId) -> Vec<u8> {
        [SIGNED_FOR, &club.0, &self.body()].concat()
    }

    /// The text that the phone shows.
    #[must_use]
    pub fn text(&self, signature: &[u8; SIGNATURE_BYTES]) -> String {
        format!("{CODE_PREFIX}{}", BASE32_NOPAD.encode(&[&self.body()[..], signature].concat()))
    }

    fn body(&self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[..18].copy_from_slice(&self.token.to_bytes());
        let seconds = u32::try_from(self.made_at.0.div_euclid(SECOND_US).max(0)).unwrap_or(u32::MAX);
        body[18..22].copy_from_slice(&seconds.to_be_bytes());
        body[22..].copy_from_slice(&self.nonce.0);
        body
    }

    /// Whether it holds at `now` of a clock of this quality.
    ///
    /// # Errors
    /// [`MemberCodeError::Over`] or [`MemberCodeError::Early`].
    pub fn holds(&self, now: Instant, quality: ClockQuality) -> Result<Holds, MemberCodeError> {
        let age_us = now.since(self.made_at);
        let skew_us = SECOND_US
            * match quality {
                ClockQuality::Synced | ClockQuality::Floor => CODE_SKEW_S,
                ClockQuality::Kept => CODE_SKEW_KEPT_S,
            };
        if age_us > CODE_LIFE_S * SECOND_US + skew_us {
            return Err(MemberCodeError::Over);
        }
        match quality {
            // It is at least so late; how much later, nobody knows.
            ClockQuality::Floor => Ok(Holds::Perhaps),
            _ if age_us < -skew_us => Err(MemberCodeError::Early),
            _ => Ok(Holds::Now),
        }
    }

    /// From when on no clock takes it any more, so that its nonce may be forgotten.
    #[must_use]
    pub fn over_at(&self) -> Instant {
        self.made_at.offset((CODE_LIFE_S + CODE_SKEW_KEPT_S) * SECOND_US)
    }
}

/// Whether a scanner's line is meant as a member code; what is no good one must then not pass for a card's number.
#[must_use]
pub fn is_meant(line: &str) -> bool {
    line.get(..CODE_PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(CODE_PREFIX))
        && line.len() > crate::token::CARD_TEXT_CHARS_MAX
}

impl SignedCode {
    /// Reads a scanner's line. Small letters are taken too: some wedges have their Caps Lock turned.
    ///
    /// # Errors
    /// [`MemberCodeError::Damaged`].
    pub fn parse(line: &str) -> Result<Self, MemberCodeError> {
        let upper = line.trim().to_ascii_uppercase();
        let rest = upper.strip_prefix(CODE_PREFIX).filter(|_| upper.len() == CODE_CHARS);
        let bytes = rest.and_then(|rest| BASE32_NOPAD.decode(rest.as_bytes()).ok());
        let bytes: [u8; BODY_BYTES + SIGNATURE_BYTES] =
            bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(MemberCodeError::Damaged)?;
        let (mut token, mut seconds, mut nonce) = ([0; 18], [0; 4], [0; NONCE_BYTES]);
        let mut signature = [0; SIGNATURE_BYTES];
        token.copy_from_slice(&bytes[..18]);
        seconds.copy_from_slice(&bytes[18..22]);
        nonce.copy_from_slice(&bytes[22..BODY_BYTES]);
        signature.copy_from_slice(&bytes[BODY_BYTES..]);
        let code = MemberCode {
            token: Token::from_bytes(token),
            made_at: Instant(i64::from(u32::from_be_bytes(seconds)) * SECOND_US),
            nonce: CodeNonce(nonce),
        };
        Ok(Self { code, signature })
    }

    /// The code, if the centre of this club signed it.
    ///
    /// # Errors
    /// [`MemberCodeError::Signature`].
    pub fn verify(&self, club: ClubId, key: &[u8; CENTRE_KEY_BYTES]) -> Result<MemberCode, MemberCodeError> {
        verify_centre(key, &self.code.message(club), &self.signature)
            .map(|()| self.code)
            .map_err(|_| MemberCodeError::Signature)
    }
}

#[cfg(test)]
mod tests;
