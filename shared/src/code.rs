//! The enrolment code: one string that a person carries from the console to a terminal.
//!
//! `hufu1-<code>-<fingerprint>`: the code is 80 random bits in lower-case base32, the fingerprint the first 128 bits
//! of the SHA-256 of the club's CA key in hexadecimal. The terminal speaks to no other CA, so the string proves the
//! centre to the terminal and the terminal to the centre at once.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, HEXLOWER};

use crate::ids::Hash;

/// Random bytes in a code: 80 bits, above the 64 that a code of ten minutes and five tries needs.
pub const CODE_BYTES: usize = 10;
/// Bytes of the CA key's fingerprint.
pub const FINGERPRINT_BYTES: usize = 16;

/// A parsed enrolment code.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolCode {
    /// The secret part.
    pub secret: [u8; CODE_BYTES],
    /// The CA to speak to.
    pub fingerprint: CaFingerprint,
}

/// The first 128 bits of the SHA-256 of a CA's subject public key info.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CaFingerprint(pub [u8; FINGERPRINT_BYTES]);

impl CaFingerprint {
    /// Of a subject public key info in DER.
    #[must_use]
    pub fn of(public_key_info: &[u8]) -> Self {
        let mut bytes = [0; FINGERPRINT_BYTES];
        bytes.copy_from_slice(&Hash::of(&[public_key_info]).0[..FINGERPRINT_BYTES]);
        Self(bytes)
    }
}

impl fmt::Display for CaFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for CaFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ca:{self}")
    }
}

impl EnrolCode {
    /// What the centre stores: a hash, so that its database does not open the door.
    #[must_use]
    pub fn secret_hash(secret: &[u8]) -> Hash {
        Hash::of(&[b"hufu-enrol", secret])
    }
}

impl fmt::Display for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hufu1-{}-{}", BASE32_NOPAD.encode(&self.secret).to_lowercase(), self.fingerprint)
    }
}

impl fmt::Debug for EnrolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnrolCode(hufu1-…-{})", self.fingerprint)
    }
}

/// The text met is not an enrolment code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not three parts that begin with `hufu1`.
    #[error(
        "enrolment code expected as hufu1-<code>-<fingerprint>, met {parts} part(s) and beginning {begins:?}"
    )]
    Shape {
        /// How many parts were met.
        parts: usize,
        /// The first part.
        begins: String,
    },
    /// The code part is damaged.
    #[error("the code in the middle expected as 16 letters and digits a-z 2-7, met {met} characters")]
    Secret {
        /// How long it is.
        met: usize,
    },
    /// The fingerprint is damaged.
    #[error("the fingerprint at the end expected as 32 hexadecimal digits, met {met:?}")]
    Fingerprint {
        /// The text that was met; it is no secret.
        met: String,
    },
}

impl FromStr for EnrolCode {
    type Err = CodeError;
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let text = text.trim();
        let parts: Vec<&str> = text.split('-').collect();
        let ["hufu1", secret, fingerprint] = parts[..] else {
            let begins: String = parts[0].chars().take(12).collect();
            return Err(CodeError::Shape { parts: parts.len(), begins });
        };
        let secret_bytes = BASE32_NOPAD
            .decode(secret.to_uppercase().as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(CodeError::Secret { met: secret.chars().count() })?;
        let fingerprint_bytes = HEXLOWER
            .decode(fingerprint.to_lowercase().as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| CodeError::Fingerprint { met: fingerprint.to_owned() })?;
        Ok(Self { secret: secret_bytes, fingerprint: CaFingerprint(fingerprint_bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_g20_a_code_holds_80_random_bits_and_names_its_ca() {
        let code = EnrolCode { secret: [0xa5; CODE_BYTES], fingerprint: CaFingerprint::of(b"ca key") };
        let text = code.to_string();
        assert!(text.starts_with("hufu1-"), "{text}");
        assert_eq!(text.parse::<EnrolCode>(), Ok(code.clone()));
        assert_eq!(
            format!(" {text}\n").to_uppercase().replace("HUFU1", "hufu1").parse::<EnrolCode>(),
            Ok(code)
        );
    }

    #[test]
    fn a_damaged_code_says_which_part() {
        let good = EnrolCode { secret: [1; CODE_BYTES], fingerprint: CaFingerprint([2; 16]) }.to_string();
        let parts: Vec<&str> = good.split('-').collect();
        let damaged = [
            (
                "hello".to_owned(),
                "enrolment code expected as hufu1-<code>-<fingerprint>, met 1 part(s) and beginning \"hello\"",
            ),
            (
                format!("hufu1-short-{}", parts[2]),
                "the code in the middle expected as 16 letters and digits a-z 2-7, met 5 characters",
            ),
            (
                format!("hufu1-{}-xyz", parts[1]),
                "the fingerprint at the end expected as 32 hexadecimal digits, met \"xyz\"",
            ),
        ];
        for (text, message) in damaged {
            assert_eq!(text.parse::<EnrolCode>().expect_err("damaged").to_string(), message);
        }
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        let code = EnrolCode { secret: [0x41; CODE_BYTES], fingerprint: CaFingerprint([2; 16]) };
        let secret = BASE32_NOPAD.encode(&code.secret).to_lowercase();
        assert!(!format!("{code:?}").contains(&secret));
    }
}
