//! Amounts: whole numbers of a unit's smallest part, with checked arithmetic only.
//!
//! Money and points are units of one ledger and never mix: an [`Amount`] says nothing of its unit, a [`Leg`] does.

use std::fmt;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What an amount counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "UPPERCASE")]
pub enum Unit {
    /// Points 积分.
    #[n(0)]
    Pts,
    /// Growth value 成长值, which moves levels and is never spent.
    #[n(1)]
    Growth,
    /// Stored value in renminbi; the smallest part is one fen.
    #[n(2)]
    Cny,
}

impl Unit {
    /// All units, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Pts, Self::Growth, Self::Cny];

    /// Decimal places between the unit that people read and its smallest part.
    #[must_use]
    pub fn scale(self) -> u32 {
        match self {
            Self::Pts | Self::Growth => 0,
            Self::Cny => 2,
        }
    }

    /// The code in database, configuration and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pts => "PTS",
            Self::Growth => "GROWTH",
            Self::Cny => "CNY",
        }
    }

    /// The unit of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.code() == code)
    }
}

/// A signed count of a unit's smallest part (points, fen). There is no operator on it: overflow must be handled.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Amount(#[n(0)] pub i64);

/// A sum or product passed what 64 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("amount out of range: results must stay within ±9,223,372,036,854,775,807 of the smallest part")]
pub struct AmountOverflow;

/// The text met is not an amount of the unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("amount expected as digits with at most {scale} decimal places, met {met:?}")]
pub struct ParseAmountError {
    /// Decimal places that the unit allows.
    pub scale: u32,
    /// The text that was met.
    pub met: String,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `self + other`.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, AmountOverflow> {
        self.0.checked_add(other.0).map(Self).ok_or(AmountOverflow)
    }

    /// `self − other`.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, AmountOverflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(AmountOverflow)
    }

    /// `self × factor`.
    ///
    /// # Errors
    /// [`AmountOverflow`] beyond 64 bits.
    pub fn times(self, factor: i64) -> Result<Self, AmountOverflow> {
        self.0.checked_mul(factor).map(Self).ok_or(AmountOverflow)
    }

    /// Whether it is above zero.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// As people write it, with thousands commas and the unit's decimal places, without a sign of currency.
    #[must_use]
    pub fn display(self, unit: Unit) -> String {
        let scale = unit.scale() as usize;
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = scale + 1);
        let (whole, part) = digits.split_at(digits.len() - scale);
        let mut text = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        let sign = if self.0 < 0 { "−" } else { "" };
        if scale == 0 { format!("{sign}{text}") } else { format!("{sign}{text}.{part}") }
    }

    /// Reads what people type: digits, thousands commas, at most the unit's decimal places, no sign.
    ///
    /// # Errors
    /// [`ParseAmountError`] with the text met.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, ParseAmountError> {
        let wrong = || ParseAmountError { scale: unit.scale(), met: text.to_owned() };
        let plain: String = text.trim().chars().map(half_width).filter(|c| *c != ',').collect();
        let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
        let scale = unit.scale() as usize;
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > scale || !all_digits(whole) || !all_digits(part) {
            return Err(wrong());
        }
        format!("{whole}{part:0<scale$}").parse().map(Self).map_err(|_| wrong())
    }
}

/// Input methods leave full-width digits and points behind; they mean the same.
fn half_width(c: char) -> char {
    match c {
        '０'..='９' => char::from_digit(c as u32 - '０' as u32, 10).unwrap_or(c),
        '．' => '.',
        '，' => ',',
        other => other,
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of one unit. A sale of several units is one fact with several legs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
pub struct Leg {
    /// What is counted.
    #[n(0)]
    pub unit: Unit,
    /// How much, above zero in a fact.
    #[n(1)]
    pub amount: Amount,
}

/// Adds `leg` into a list with one leg per unit, sorted by unit.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits; the list is then unchanged.
pub fn add_leg(sums: &mut Vec<Leg>, leg: Leg) -> Result<(), AmountOverflow> {
    match sums.binary_search_by_key(&leg.unit, |sum| sum.unit) {
        Ok(at) => sums[at].amount = sums[at].amount.plus(leg.amount)?,
        Err(at) => sums.insert(at, leg),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(Amount(1_280).display(Unit::Pts), "1,280");
        assert_eq!(Amount(123_450).display(Unit::Cny), "1,234.50");
        assert_eq!(Amount(5).display(Unit::Cny), "0.05");
        assert_eq!(Amount(-100_000).display(Unit::Pts), "−100,000");
        assert_eq!(Amount(i64::MIN).display(Unit::Pts), "−9,223,372,036,854,775,808");
    }

    #[test]
    fn case_61_overflow_fraction_sign_and_text_are_refused() {
        for text in ["", ".", "-5", "1.234", "3e4", "9223372036854775808", "12元", "1 2"] {
            assert!(Amount::parse(text, Unit::Cny).is_err(), "{text:?} must be refused");
        }
        assert!(Amount::parse("1.5", Unit::Pts).is_err(), "points have no fraction");
        assert_eq!(Amount(i64::MAX).plus(Amount(1)), Err(AmountOverflow));
        assert_eq!(Amount(i64::MIN).minus(Amount(1)), Err(AmountOverflow));
        assert_eq!(Amount(i64::MAX).times(2), Err(AmountOverflow));
    }

    #[test]
    fn full_width_input_means_the_same() {
        assert_eq!(Amount::parse("３２０．５", Unit::Cny), Ok(Amount(32_050)));
        assert_eq!(Amount::parse(" 1,234 ", Unit::Cny), Ok(Amount(123_400)));
    }

    proptest! {
        #[test]
        fn what_is_displayed_parses_back(value in 0..i64::MAX) {
            for unit in Unit::ALL {
                prop_assert_eq!(Amount::parse(&Amount(value).display(unit), unit), Ok(Amount(value)));
            }
        }

        #[test]
        fn sums_do_not_depend_on_order(mut legs in proptest::collection::vec((0u8..3, 0i64..1_000), 0..20)) {
            let sum = |legs: &[(u8, i64)]| {
                let mut sums = Vec::new();
                for (unit, amount) in legs {
                    let leg = Leg { unit: Unit::ALL[usize::from(*unit)], amount: Amount(*amount) };
                    add_leg(&mut sums, leg).expect("small numbers");
                }
                sums
            };
            let forward = sum(&legs);
            legs.reverse();
            prop_assert_eq!(forward, sum(&legs));
        }
    }
}
