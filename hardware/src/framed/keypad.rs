//! Numbers out of single keys. Pure: time is an argument.
//!
//! Invariants: a bank card's number is refused when it is entered and never handed on; what was typed and not entered
//! is forgotten after [`KEYPAD_IDLE_MS`], so that the next guest does not finish the number of the one before.

use crate::card::{Entry, ErrorKind};
use crate::payment::is_payment_number;

/// Most digits of a number typed at a keypad.
pub const KEYED_DIGITS_MAX: usize = 20;
/// Fewest digits of a number typed at a keypad.
pub const KEYED_DIGITS_MIN: usize = 4;
/// A number that is not gone on with for this long is forgotten, in milliseconds.
pub const KEYPAD_IDLE_MS: u64 = 20_000;

const NS_PER_MS: u64 = 1_000_000;

/// What was typed so far.
#[derive(Default)]
pub struct Keypad {
    digits: String,
    too_long: bool,
    last_ns: u64,
}

impl Keypad {
    /// Takes a key: `0`-`9`, `E` Enter, `C` clear, `X` cancel.
    ///
    /// # Errors
    /// [`ErrorKind::PaymentCard`], [`ErrorKind::TooLong`], or [`ErrorKind::Malformed`] for a number too short or a key
    /// that is none.
    pub fn press(&mut self, key: u8, now_ns: u64) -> Result<Option<Entry>, ErrorKind> {
        if now_ns.saturating_sub(self.last_ns) > KEYPAD_IDLE_MS * NS_PER_MS {
            self.clear();
        }
        self.last_ns = now_ns;
        match key {
            b'0'..=b'9' if self.digits.len() < KEYED_DIGITS_MAX => self.digits.push(char::from(key)),
            b'0'..=b'9' => self.too_long = true,
            b'C' => self.clear(),
            b'X' => {
                self.clear();
                return Ok(Some(Entry::Cancel));
            }
            b'E' => return self.enter().map(Some),
            _ => {
                self.clear();
                return Err(ErrorKind::Malformed);
            }
        }
        Ok(None)
    }

    fn enter(&mut self) -> Result<Entry, ErrorKind> {
        let too_long = self.too_long;
        let digits = std::mem::take(&mut self.digits);
        self.clear();
        if too_long {
            return Err(ErrorKind::TooLong);
        }
        if digits.len() < KEYED_DIGITS_MIN {
            return Err(ErrorKind::Malformed);
        }
        if is_payment_number(&digits) {
            return Err(ErrorKind::PaymentCard);
        }
        Ok(Entry::Number(digits))
    }

    fn clear(&mut self) {
        (self.digits, self.too_long) = (String::new(), false);
    }
}

/// An amount from its digits, in the smallest unit of money.
///
/// # Errors
/// [`ErrorKind::Malformed`] if it is none or nothing, [`ErrorKind::TooLong`] beyond 12 digits.
pub fn amount(data: &[u8]) -> Result<Entry, ErrorKind> {
    if data.len() > 12 {
        return Err(ErrorKind::TooLong);
    }
    let digits = std::str::from_utf8(data).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let amount = digits.and_then(|text| text.parse().ok()).filter(|amount| *amount > 0);
    amount.map(Entry::Amount).ok_or(ErrorKind::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pressed(keys: &str) -> Vec<String> {
        let mut keypad = Keypad::default();
        keys.bytes()
            .filter_map(|key| match keypad.press(key, 1) {
                Ok(None) => None,
                Ok(Some(Entry::Number(number))) => Some(number),
                Ok(Some(entry)) => Some(format!("{entry:?}")),
                Err(kind) => Some(format!("!{kind:?}")),
            })
            .collect()
    }

    #[test]
    fn numbers_are_entered_whole() {
        let table = [
            ("80001234E", vec!["80001234"]),
            ("8000C1234E", vec!["1234"]),
            ("8000X1234E", vec!["Cancel", "1234"]),
            ("123E", vec!["!Malformed"]),
            ("E", vec!["!Malformed"]),
            ("12?34E", vec!["!Malformed", "!Malformed"]),
            ("6225880012345675E80001234E", vec!["!PaymentCard", "80001234"]),
            ("123456789012345678901E1234E", vec!["!TooLong", "1234"]),
        ];
        for (keys, expected) in table {
            assert_eq!(pressed(keys), expected, "{keys}");
        }
    }

    #[test]
    fn what_is_not_entered_is_forgotten() {
        let mut keypad = Keypad::default();
        for key in *b"8000" {
            assert!(keypad.press(key, 1).unwrap().is_none());
        }
        let later = (KEYPAD_IDLE_MS + 1) * NS_PER_MS + 1;
        assert!(keypad.press(b'1', later).unwrap().is_none());
        assert_eq!(keypad.press(b'E', later).unwrap_err(), ErrorKind::Malformed, "only the 1 is left");
    }

    #[test]
    fn amounts_are_whole_and_positive() {
        assert!(matches!(amount(b"1250"), Ok(Entry::Amount(1_250))));
        assert!(matches!(amount(b"999999999999"), Ok(Entry::Amount(999_999_999_999))));
        for wrong in [&b""[..], b"0", b"-5", b"1.5", b"abc", b"1000000000000"] {
            assert!(amount(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_keys_yield_no_banks_number(keys in "[0-9ECX?]{0,300}") {
            for met in pressed(&keys) {
                prop_assert!(!is_payment_number(&met));
            }
        }

        #[test]
        fn any_amount_is_judged(data in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = amount(&data);
        }
    }
}
