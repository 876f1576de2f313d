//! Numbers of 125 kHz chips (EM4100 and its copies), in the forms in which readers send them. Pure.
//!
//! Such a chip holds 40 bits. Readers print parts of them, and no two shops buy the same reader:
//!
//! | form | bits | digits | chip `01 02 6F 6C 3A` |
//! | --- | --- | --- | --- |
//! | `8H10D` | low 32 | 10 decimal | `0040856634` |
//! | `6H8D` | low 24 | 8 decimal | `07302202` |
//! | `2.4H5D` | low 24 | 3 and 5 decimal, with or without a comma | `111,27706` |
//! | `10H` | all 40 | 10 hexadecimal, as a rule with a checksum of 2 | `01026F6C3A` |
//!
//! A club knows its cards by 32 or by 24 bits ([`KnownBy`]), everywhere alike; the identity is then the `8H10D` form or
//! the `6H8D` form, which is also what is printed on most cards. One card is one card at readers of different forms as
//! long as each form holds enough bits; a form that does not is refused at the start, by name.
//!
//! Invariants: a number that does not fit its form (too long, too large, other signs) is malformed, never cut to fit.
//!
//! Out of scope: Wiegand wires; which of two cards with equal low bits was meant (a club with such cards needs 32).

use crate::card::ErrorKind;

/// The form in which a reader prints a chip's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// 8 hexadecimal digits of the chip as 10 decimal ones.
    H8D10,
    /// 6 hexadecimal digits of the chip as 8 decimal ones.
    H6D8,
    /// 2 and 4 hexadecimal digits of the chip as 3 and 5 decimal ones.
    H2H4D5,
    /// All 10 hexadecimal digits of the chip.
    H10,
}

/// By how much of a chip's number a club knows its cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KnownBy {
    /// The low 32 bits, as 10 decimal digits.
    Bits32,
    /// The low 24 bits, as 8 decimal digits.
    Bits24,
}

impl Form {
    /// All forms with their names in a configuration.
    pub const NAMES: [(Self, &'static str); 4] =
        [(Self::H8D10, "8H10D"), (Self::H6D8, "6H8D"), (Self::H2H4D5, "2.4H5D"), (Self::H10, "10H")];

    /// The form of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(form, _)| *form)
    }

    /// The bits of a chip's number that this form holds.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::H10 => 40,
            Self::H8D10 => 32,
            Self::H6D8 | Self::H2H4D5 => 24,
        }
    }

    /// By what cards are known where nothing is configured: as much as this form holds.
    #[must_use]
    pub fn natural(self) -> KnownBy {
        if self.bits() >= 32 { KnownBy::Bits32 } else { KnownBy::Bits24 }
    }
}

impl KnownBy {
    /// From a number of bits in a configuration.
    #[must_use]
    pub fn of_bits(bits: u32) -> Option<Self> {
        match bits {
            32 => Some(Self::Bits32),
            24 => Some(Self::Bits24),
            _ => None,
        }
    }

    /// How many bits.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Bits32 => 32,
            Self::Bits24 => 24,
        }
    }
}

/// Reads a line in `form` and gives the card's number as the club knows it.
///
/// # Errors
/// [`ErrorKind::Malformed`] or [`ErrorKind::Checksum`]; [`ErrorKind::Unsupported`] if the form holds too few bits.
pub fn number(form: Form, known_by: KnownBy, line: &str) -> Result<String, ErrorKind> {
    if form.bits() < known_by.bits() {
        return Err(ErrorKind::Unsupported);
    }
    let chip = match form {
        Form::H8D10 => decimal(line, 10).filter(|n| u32::try_from(*n).is_ok()),
        Form::H6D8 => decimal(line, 8).filter(|n| *n < 1 << 24),
        Form::H2H4D5 => two_parts(line),
        Form::H10 => return hexadecimal(line).map(|chip| shown(chip, known_by)),
    };
    chip.map(|chip| shown(chip, known_by)).ok_or(ErrorKind::Malformed)
}

fn shown(chip: u64, known_by: KnownBy) -> String {
    match known_by {
        KnownBy::Bits32 => format!("{:010}", chip & 0xffff_ffff),
        KnownBy::Bits24 => format!("{:08}", chip & 0x00ff_ffff),
    }
}

fn decimal(text: &str, digits: usize) -> Option<u64> {
    let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn two_parts(line: &str) -> Option<u64> {
    let (high, low) = line.split_once(',').or_else(|| line.split_at_checked(3))?;
    let (high, low) = (decimal(high, 3)?, decimal(low, 5)?);
    (high <= 0xff && low <= 0xffff).then_some(high << 16 | low)
}

/// Ten digits, or ten and two of a checksum: the exclusive or of the five bytes.
fn hexadecimal(line: &str) -> Result<u64, ErrorKind> {
    let is_hex = line.bytes().all(|b| b.is_ascii_hexdigit());
    let all = u64::from_str_radix(line, 16).ok().filter(|_| is_hex).ok_or(ErrorKind::Malformed)?;
    match line.len() {
        10 => Ok(all),
        12 => {
            let [_, _, chip @ .., checksum] = all.to_be_bytes();
            if chip.iter().fold(0, |sum, byte| sum ^ byte) != checksum {
                return Err(ErrorKind::Checksum);
            }
            Ok(all >> 8)
        }
        _ => Err(ErrorKind::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_chip_in_every_form() {
        use Form::{H2H4D5, H6D8, H8D10, H10};
        use KnownBy::{Bits24, Bits32};
        let table = [
            (H8D10, Bits32, "0040856634", Ok("0040856634")),
            (H10, Bits32, "01026F6C3A", Ok("0040856634")),
            (H10, Bits32, "01026f6c3a3a", Ok("0040856634")),
            (H8D10, Bits24, "0040856634", Ok("07302202")),
            (H6D8, Bits24, "07302202", Ok("07302202")),
            (H2H4D5, Bits24, "111,27706", Ok("07302202")),
            (H2H4D5, Bits24, "11127706", Ok("07302202")),
            (H10, Bits24, "01026F6C3A", Ok("07302202")),
            // Too few bits for what the club knows its cards by.
            (H6D8, Bits32, "07302202", Err(ErrorKind::Unsupported)),
            (H2H4D5, Bits32, "111,27706", Err(ErrorKind::Unsupported)),
            // A reader set to another form than the configuration says.
            (H6D8, Bits24, "0040856634", Err(ErrorKind::Malformed)),
            (H8D10, Bits32, "07302202", Err(ErrorKind::Malformed)),
            (H8D10, Bits32, "4294967296", Err(ErrorKind::Malformed)),
            (H6D8, Bits24, "16777216", Err(ErrorKind::Malformed)),
            (H2H4D5, Bits24, "256,00000", Err(ErrorKind::Malformed)),
            (H2H4D5, Bits24, "255,65536", Err(ErrorKind::Malformed)),
            (H2H4D5, Bits24, "+11,27706", Err(ErrorKind::Malformed)),
            (H10, Bits32, "+1026F6C3A", Err(ErrorKind::Malformed)),
            (H10, Bits32, "01026F6C3A3B", Err(ErrorKind::Checksum)),
            (H10, Bits32, "01026F6C", Err(ErrorKind::Malformed)),
            (H8D10, Bits32, "", Err(ErrorKind::Malformed)),
        ];
        for (form, known_by, line, expected) in table {
            assert_eq!(
                number(form, known_by, line).as_deref(),
                expected.as_ref().copied(),
                "{form:?} {line}"
            );
        }
    }

    #[test]
    fn names_and_bits() {
        for (form, name) in Form::NAMES {
            assert_eq!(Form::of_name(name), Some(form));
            assert!(form.bits() >= form.natural().bits());
        }
        assert_eq!((Form::of_name("4H5D"), KnownBy::of_bits(26)), (None, None));
    }

    proptest! {
        /// Every form that holds enough bits names the same card.
        #[test]
        fn one_card_is_one_card_at_all_readers(chip in 0_u64..1 << 40) {
            let low = chip & 0xff_ffff;
            let lines = [
                (Form::H8D10, format!("{:010}", chip & 0xffff_ffff)),
                (Form::H6D8, format!("{low:08}")),
                (Form::H2H4D5, format!("{:03},{:05}", low >> 16, low & 0xffff)),
                (Form::H10, format!("{chip:010X}")),
            ];
            for known_by in [KnownBy::Bits24, KnownBy::Bits32] {
                let met: Vec<_> = lines.iter().map(|(form, line)| number(*form, known_by, line)).collect();
                for (met, (form, _)) in met.iter().zip(&lines) {
                    if form.bits() >= known_by.bits() {
                        prop_assert_eq!(met, &met_first(&lines, known_by));
                    } else {
                        prop_assert_eq!(met, &Err(ErrorKind::Unsupported));
                    }
                }
            }
        }

        #[test]
        fn any_line_is_a_number_or_a_reason(line in "\\PC{0,40}") {
            for (form, _) in Form::NAMES {
                if let Ok(met) = number(form, form.natural(), &line) {
                    prop_assert!(met.len() <= 10 && met.bytes().all(|b| b.is_ascii_digit()));
                }
            }
        }
    }

    fn met_first(lines: &[(Form, String)], known_by: KnownBy) -> Result<String, ErrorKind> {
        number(lines[0].0, known_by, &lines[0].1)
    }
}
