//! Numbers of identity documents: one form, and what can be wrong with them.
//!
//! Pure. Only the identity card has rules of its own (GB 11643-1999); for the others the length and the letters are
//! checked, because issuers change the rest.

use chrono::{Datelike, NaiveDate};
use hufu_shared::time::Day;

use super::normal;
use super::personal::{Document, DocumentKind};

const NUMBER_CHARS_MIN: usize = 4;
const NUMBER_CHARS_MAX: usize = 30;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_DIGITS: [u8; 11] = *b"10X98765432";
/// Nobody older holds a card.
const AGE_YEARS_MAX: i32 = 150;

/// Why a document number was refused. The number itself is never in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Too short, too long, or with other signs than letters and digits.
    #[error("the document number has {met} characters; expected 4 to 30 letters and digits")]
    Shape {
        /// Its length.
        met: usize,
    },
    /// Not the length of an identity card.
    #[error(
        "an identity card number has 18 digits (the last may be X), met {met} characters; choose another kind of document if it is none"
    )]
    Length {
        /// Its length.
        met: usize,
    },
    /// A number of the first generation, no longer valid.
    #[error("a 15-digit identity card number is no longer valid; take the 18-digit one")]
    FirstGeneration,
    /// The last digit does not fit the others.
    #[error("the check digit does not fit: one of the digits is wrong")]
    CheckDigit,
    /// The day of birth inside it does not exist, or lies ahead.
    #[error("the day of birth inside the number does not exist, or lies ahead")]
    Birthday,
}

/// The document with its number in one form.
///
/// # Errors
/// [`DocumentError`] if the number cannot be one of this kind; `today` bounds the day of birth.
pub fn check(kind: DocumentKind, number: &str, today: Day) -> Result<Document, DocumentError> {
    let number = normal::document_number(number);
    let met = number.chars().count();
    if !(NUMBER_CHARS_MIN..=NUMBER_CHARS_MAX).contains(&met)
        || !number.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return Err(DocumentError::Shape { met });
    }
    if kind == DocumentKind::IdentityCard {
        check_identity_card(number.as_bytes(), today)?;
    }
    Ok(Document { kind, number })
}

fn check_identity_card(number: &[u8], today: Day) -> Result<(), DocumentError> {
    let is_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    if number.len() == 15 && is_digits(number) {
        return Err(DocumentError::FirstGeneration);
    }
    let Some((digits, [last])) = number.split_first_chunk::<17>() else {
        return Err(DocumentError::Length { met: number.len() });
    };
    if !is_digits(digits) {
        return Err(DocumentError::Length { met: number.len() });
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    if CHECK_DIGITS[(sum % 11) as usize] != *last {
        return Err(DocumentError::CheckDigit);
    }
    let part =
        |from: usize, to: usize| digits[from..to].iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
    let year = i32::try_from(part(6, 10)).unwrap_or(0);
    let born = NaiveDate::from_ymd_opt(year, part(10, 12), part(12, 14)).ok_or(DocumentError::Birthday)?;
    let today_year = today.date().map_or(i32::MAX, |date| date.year());
    if Day::from_date(born) > today || today_year.saturating_sub(year) > AGE_YEARS_MAX {
        return Err(DocumentError::Birthday);
    }
    Ok(())
}

/// The day of birth that an identity card says; none of any other document.
#[must_use]
pub fn born(document: &Document) -> Option<Day> {
    let is_card = document.kind == DocumentKind::IdentityCard;
    let digits = document.number.get(6..14).filter(|_| is_card)?;
    format!("{}-{}-{}", digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_59_identity_card_numbers() {
        let today = Day::from_date(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
        let card =
            |number: &str| check(DocumentKind::IdentityCard, number, today).map(|document| document.number);
        for (number, expected) in [
            ("11010519491231002X", Ok("11010519491231002X")),
            ("11010519491231002x", Ok("11010519491231002X")),
            ("１１０１０５１９４９１２３１００２Ｘ", Ok("11010519491231002X")),
            ("110105 19491231 002X", Ok("11010519491231002X")),
            ("110105194912310021", Err(DocumentError::CheckDigit)),
            ("110105491231002", Err(DocumentError::FirstGeneration)),
            ("11010519491231002", Err(DocumentError::Length { met: 17 })),
            ("1101051949123100XX", Err(DocumentError::Length { met: 18 })),
            ("110105209912310029", Err(DocumentError::Birthday)),
            ("110105194913310021", Err(DocumentError::Birthday)),
            ("110105174912310021", Err(DocumentError::Birthday)),
            ("110105202611230023", Err(DocumentError::Birthday)),
            ("12", Err(DocumentError::Shape { met: 2 })),
            ("'; DROP TABLE member", Err(DocumentError::Shape { met: 17 })),
        ] {
            assert_eq!(card(number).as_deref(), expected.as_deref(), "{number}");
        }
        let passport = check(DocumentKind::Passport, "e 1234 5678", today).unwrap();
        assert_eq!(passport.number, "E12345678");
        check(DocumentKind::Other, "110105194912310021", today).unwrap();
    }
}
