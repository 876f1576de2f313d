//! Numbers of bank cards: recognised, so that no source ever hands one on. Pure.
//!
//! A bank card is held to a reader by mistake, or by somebody who tries; its number is not ours to hold. Every source
//! that can carry digits asks here before it says "presented": stripes, lines, keys, framed terminals, card memories.
//!
//! Invariants: spaces, hyphens and full-width digits do not hide a number. One in ten arbitrary numbers of a bank's
//! range passes the check digit too; refusing those is the price.
//!
//! Out of scope: digests of such numbers. A keyed hash of a bank card would be a card number by another name.

/// Fewest digits of a bank card's number.
pub const PAYMENT_DIGITS_MIN: usize = 13;
/// Most digits of a bank card's number.
pub const PAYMENT_DIGITS_MAX: usize = 19;

/// True if this is, by its range and check digit, the number of a bank card. Digits only.
#[must_use]
pub fn is_payment_number(number: &str) -> bool {
    let fits = (PAYMENT_DIGITS_MIN..=PAYMENT_DIGITS_MAX).contains(&number.len());
    if !fits || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let head: u32 = number[..4].parse().unwrap_or(0);
    let in_range = match head {
        // Visa; Mastercard (both ranges); American Express; Diners; JCB.
        4_000..=4_999 | 5_100..=5_599 | 2_221..=2_720 | 3_400..=3_499 | 3_700..=3_799 => true,
        3_000..=3_059 | 3_095 | 3_600..=3_699 | 3_800..=3_999 | 3_528..=3_589 => true,
        // UnionPay; Discover; Maestro; older ranges of Chinese banks.
        6_200..=6_299 | 8_100..=8_171 | 6_011 | 6_440..=6_599 | 5_000..=5_099 | 5_600..=5_899 => true,
        9_558 | 9_559 => true,
        _ => false,
    };
    in_range && passes_luhn(number)
}

fn passes_luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (1, 5..) => digit * 2 - 9,
                (1, _) => digit * 2,
                _ => digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// True if a bank card's number stands anywhere in a text, also printed in groups: `6225 8800 1234 5675`.
#[must_use]
pub fn holds_payment_number(text: &str) -> bool {
    let groups = groups(text);
    (0..groups.len()).any(|from| {
        let mut joined = String::new();
        for group in &groups[from..] {
            joined.push_str(&group.digits);
            if joined.len() > PAYMENT_DIGITS_MAX {
                return false;
            }
            if is_payment_number(&joined) {
                return true;
            }
            if !group.goes_on {
                return false;
            }
        }
        false
    })
}

/// A run of digits.
struct Group {
    digits: String,
    /// True if nothing but separators stands between this run and the next: whoever drops them has one number.
    goes_on: bool,
}

fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // What stood since the last digit: nothing, separators only, or something else.
    let (mut touching, mut separated) = (false, true);
    for c in text.chars() {
        let Some(digit) = digit(c) else {
            separated = (touching || separated) && is_separator(c);
            touching = false;
            continue;
        };
        match groups.last_mut() {
            Some(group) if touching => group.digits.push(digit),
            last => {
                if let Some(group) = last {
                    group.goes_on = separated;
                }
                groups.push(Group { digits: digit.into(), goes_on: false });
            }
        }
        (touching, separated) = (true, true);
    }
    groups
}

fn digit(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        // Full-width forms, as an input method leaves them.
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xfee0),
        _ => None,
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{3000}' | '\u{ff0d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_banks_are_found_however_they_are_written() {
        let table = [
            ("6225880012345675", true),
            ("6225 8800 1234 5675", true),
            ("6225-8800-1234-5675", true),
            ("６２２５８８００１２３４５６７５", true),
            ("card 6225880012345675 please", true),
            ("https://x.example/?n=6225880012345675&t=1", true),
            ("12 6225880012345675", true),
            ("4111111111111111", true),
            ("6225880012345678", false),
            ("80001234", false),
            ("62258800123456750000", false),
            ("6225  8800 1234 5675", true),
            ("6225 0- 8800-12234 3 ", true),
            ("6225 \u{3000}- 8800－－1234 5675", true),
            ("6225 8800 / 1234 5675", false),
            ("6225/8800/1234/5675", false),
            ("", false),
            ("会员", false),
        ];
        for (text, expected) in table {
            assert_eq!(holds_payment_number(text), expected, "{text}");
        }
    }

    /// A bank's number with its check digit.
    fn bank_number() -> impl Strategy<Value = String> {
        (prop_oneof![Just("4"), Just("62"), Just("51"), Just("9558")], "[0-9]{11,14}").prop_map(
            |(head, rest)| {
                let body = format!("{head}{rest}");
                (0..10).map(|check| format!("{body}{check}")).find(|n| passes_luhn(n)).unwrap()
            },
        )
    }

    proptest! {
        #[test]
        fn no_number_of_a_bank_hides_in_a_text(number in bank_number(), before in "[A-Za-z=:/?]{0,9}", after in "[A-Za-z=:/?]{0,9}", every in 1_usize..8) {
            let number: String = number.chars().take(PAYMENT_DIGITS_MAX).collect();
            prop_assume!(is_payment_number(&number));
            let digits: Vec<char> = number.chars().collect();
            let grouped: Vec<String> = digits.chunks(every).map(|c| c.iter().collect()).collect();
            let text = format!("{before}{}{after}", grouped.join(" "));
            prop_assert!(holds_payment_number(&text), "{text}");
            prop_assert!(holds_payment_number(&text.replace(' ', " -  ")), "{text}");
        }

        #[test]
        fn any_text_is_judged(text in "\\PC{0,600}") {
            let _ = holds_payment_number(&text);
        }
    }
}
