//! What a field of a member may hold (rules C2 and C3), in the form that is kept.
//!
//! A name is kept as it was written, apart from outer blanks; numbers lose their blanks and full-width digits. An error
//! says what was expected and never repeats the value: it may be personal.

use hufu_shared::time::Day;

/// Longest name, in characters (rule C3).
pub const NAME_CHARS_MAX: usize = 50;
/// Longest note, in characters (rule C3).
pub const NOTE_CHARS_MAX: usize = 500;
/// Digits of a QQ number at most (rule C3).
pub const QQ_DIGITS_MAX: usize = 20;
/// Digits of a QQ number at least: shorter ones were never given out.
const QQ_DIGITS_MIN: usize = 5;
/// Digits of a postcode (rule C3).
const POSTCODE_DIGITS: usize = 6;
/// Longest e-mail address, in characters (RFC 5321).
const EMAIL_CHARS_MAX: usize = 254;
/// So many times the same letter and nothing else is no name.
const SAME_LETTERS_MIN: usize = 3;

/// What people type where they have nothing to say (rule C2: junk in required fields).
const JUNK: [&str; 20] = [
    "无", "没有", "暂无", "不详", "未知", "测试", "无名", "匿名", "某某", "先生", "女士", "姓名", "test",
    "none", "null", "na", "n/a", "unknown", "name", "asdf",
];

/// Why a field cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Nothing was written where something must stand.
    #[error("something written")]
    Empty,
    /// A name is too long.
    #[error("a name of at most {NAME_CHARS_MAX} characters, met {met}")]
    NameLength {
        /// Characters met.
        met: usize,
    },
    /// A sign that no name holds.
    #[error("a name of letters, ·, brackets, comma, full stop or space; met the character {met:?}")]
    NameSign {
        /// The first one.
        met: char,
    },
    /// No letter at all.
    #[error("a name with at least one letter")]
    NameLetter,
    /// Something typed to fill the field.
    #[error("a real name, not a word that only fills the field")]
    Junk,
    /// Not a mobile number.
    #[error("11 digits that begin with 13 to 19 (with or without +86), or + and a foreign number")]
    Mobile,
    /// Not a number that can be called.
    #[error("a telephone number with its area code")]
    Phone,
    /// Not a postcode.
    #[error("a postcode of {POSTCODE_DIGITS} digits")]
    Postcode,
    /// Not a QQ number.
    #[error("a QQ number of {QQ_DIGITS_MIN} to {QQ_DIGITS_MAX} digits")]
    Qq,
    /// Not an e-mail address.
    #[error("an e-mail address as name@example.cn")]
    Email,
    /// A free text is too long.
    #[error("at most {NOTE_CHARS_MAX} characters, met {met}")]
    NoteLength {
        /// Characters met.
        met: usize,
    },
    /// Not a day of birth.
    #[error("a day of birth as YYYY-MM-DD, not in the future")]
    Birthday,
    /// A sign that nobody sees.
    #[error("visible characters only, met {met:?}")]
    Hidden {
        /// The first one.
        met: char,
    },
}

impl FieldError {
    /// The code in pages and in the API.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "field-bad-empty",
            Self::NameLength { .. } => "field-bad-name-length",
            Self::NameSign { .. } => "field-bad-name-sign",
            Self::NameLetter | Self::Junk => "field-bad-name-junk",
            Self::Mobile => "field-bad-mobile",
            Self::Phone => "field-bad-phone",
            Self::Postcode => "field-bad-postcode",
            Self::Qq => "field-bad-qq",
            Self::Email => "field-bad-email",
            Self::NoteLength { .. } => "field-bad-note-length",
            Self::Birthday => "field-bad-birthday",
            Self::Hidden { .. } => "field-bad-hidden",
        }
    }
}

/// Half-width forms of full-width letters, digits and signs.
#[must_use]
pub fn fold_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            other => other,
        })
        .collect()
}

/// Hanzi that are not encoded stand in the private area.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}')
}

/// Whether a name may hold a character (rule C2): letters of any script, the middle dot of names such as
/// 古丽·买买提, brackets, comma, full stop, space, and the hyphen and apostrophe of Latin names.
fn is_of_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '·' | '•' | '‧' | '・' | '(' | ')' | '（' | '）' | ',' | '，' | '.' | ' ' | '-' | '\'' | '’')
        // Combining marks of names that are not written as one character.
        || unicode_normalization::char::is_combining_mark(c)
        // Hanzi that are not encoded are described by these or stand in the private area.
        || matches!(c, '\u{2ff0}'..='\u{2fff}' | '\u{3007}') || is_private(c)
}

/// A person's name, as signs go (C2, C3).
///
/// # Errors
/// [`FieldError`] of its length or of the first sign that is none of a name.
pub fn name_signs(text: &str) -> Result<String, FieldError> {
    let met = text.chars().count();
    if met > NAME_CHARS_MAX {
        return Err(FieldError::NameLength { met });
    }
    if let Some(met) = text.chars().find(|c| !is_of_name(*c)) {
        return Err(FieldError::NameSign { met });
    }
    if !text.chars().any(|c| c.is_alphabetic() || is_private(c)) {
        return Err(FieldError::NameLetter);
    }
    Ok(text.to_owned())
}

/// The name of somebody who joins: its signs, and that it is a name at all.
///
/// # Errors
/// [`FieldError`].
pub fn name(text: &str) -> Result<String, FieldError> {
    let kept = name_signs(text.trim())?;
    let letters: Vec<char> = kept.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    let is_one_letter =
        letters.len() >= SAME_LETTERS_MIN && letters.iter().all(|letter| Some(letter) == letters.first());
    if is_one_letter || JUNK.contains(&kept.to_lowercase().as_str()) {
        return Err(FieldError::Junk);
    }
    Ok(kept)
}

/// Rule C3: a mobile number of the mainland has 11 digits. `digits` without country code, blanks and signs.
#[must_use]
pub fn is_mainland_mobile(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    bytes.len() == 11
        && bytes.iter().all(u8::is_ascii_digit)
        && bytes[0] == b'1'
        && (b'3'..=b'9').contains(&bytes[1])
}

/// A mobile number in the form that is kept: 11 digits, or `+` and the digits of a foreign one.
///
/// # Errors
/// [`FieldError::Mobile`].
pub fn mobile(kept: Option<String>) -> Result<String, FieldError> {
    kept.filter(|number| number.starts_with('+') || is_mainland_mobile(number)).ok_or(FieldError::Mobile)
}

/// Digits with blanks and full-width forms cut off; nothing if anything else stands in the text.
fn digits(text: &str) -> Option<String> {
    let kept: String = fold_width(text).chars().filter(|c| !c.is_whitespace()).collect();
    kept.bytes().all(|b| b.is_ascii_digit()).then_some(kept)
}

/// A postcode (C3).
///
/// # Errors
/// [`FieldError::Postcode`].
pub fn postcode(text: &str) -> Result<String, FieldError> {
    digits(text).filter(|kept| kept.len() == POSTCODE_DIGITS).ok_or(FieldError::Postcode)
}

/// A QQ number (C3).
///
/// # Errors
/// [`FieldError::Qq`].
pub fn qq(text: &str) -> Result<String, FieldError> {
    digits(text).filter(|kept| (QQ_DIGITS_MIN..=QQ_DIGITS_MAX).contains(&kept.len())).ok_or(FieldError::Qq)
}

/// An e-mail address (C3): one `@` with something before it and a name with a dot behind it. Whether it exists only a
/// letter to it can tell.
///
/// # Errors
/// [`FieldError::Email`].
pub fn email(text: &str) -> Result<String, FieldError> {
    let kept = fold_width(text.trim());
    let is_of_local = |c: char| c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_of_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    let good = kept.split_once('@').is_some_and(|(local, host)| {
        let dots = |text: &str| text.starts_with('.') || text.ends_with('.') || text.contains("..");
        !local.is_empty()
            && local.chars().all(is_of_local)
            && host.chars().all(is_of_host)
            && host.contains('.')
            && !dots(local)
            && !dots(host)
    });
    if good && kept.chars().count() <= EMAIL_CHARS_MAX { Ok(kept) } else { Err(FieldError::Email) }
}

/// A day of birth: one on the calendar, and not in the future.
///
/// # Errors
/// [`FieldError::Birthday`].
pub fn birthday(day: Option<Day>, today: Day) -> Result<Day, FieldError> {
    day.filter(|day| *day <= today).ok_or(FieldError::Birthday)
}

/// A free text: an address, a note (C3).
///
/// # Errors
/// [`FieldError`].
pub fn note(text: &str) -> Result<String, FieldError> {
    let kept = text.trim();
    let met = kept.chars().count();
    if met > NOTE_CHARS_MAX {
        return Err(FieldError::NoteLength { met });
    }
    // Signs that turn the order of what is read, or that nobody sees at all.
    let is_hidden = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    match kept.chars().find(is_hidden) {
        Some(met) => Err(FieldError::Hidden { met }),
        None => Ok(kept.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_c02_what_only_fills_a_required_field_is_no_name() {
        for name_text in ["欧阳静雯", "丽丽", "古丽·买买提", "Anna Lee, Jr.", "王（大）", " 王伟 ", "田田"]
        {
            assert_eq!(name(name_text).as_deref(), Ok(name_text.trim()), "{name_text}");
        }
        for (met, expected) in [
            ("", FieldError::NameLetter),
            ("...", FieldError::NameLetter),
            ("aaa", FieldError::Junk),
            ("啊啊啊啊", FieldError::Junk),
            ("A. A. A.", FieldError::Junk),
            ("测试", FieldError::Junk),
            ("Test", FieldError::Junk),
            ("不详", FieldError::Junk),
            ("张三2", FieldError::NameSign { met: '2' }),
            ("张★三", FieldError::NameSign { met: '★' }),
        ] {
            assert_eq!(name(met), Err(expected), "{met}");
        }
    }

    #[test]
    fn rule_c03_numbers_have_their_lengths() {
        type Check = fn(&str) -> Result<String, FieldError>;
        let cases: [(Check, &str, Option<&str>); 15] = [
            (postcode, "100 020", Some("100020")),
            (postcode, "１０００２０", Some("100020")),
            (postcode, "10002", None),
            (postcode, "1000200", None),
            (postcode, "10002O", None),
            (qq, "12345", Some("12345")),
            (qq, "12345678901234567890", Some("12345678901234567890")),
            (qq, "123456789012345678901", None),
            (qq, "1234", None),
            (email, "wang.wei@example.cn", Some("wang.wei@example.cn")),
            (email, "王伟@例子.中国", Some("王伟@例子.中国")),
            (email, "wang@@example.cn", None),
            (email, "wang@example", None),
            (email, "wang wei@example.cn", None),
            (email, "@example.cn", None),
        ];
        for (check, text, expected) in cases {
            assert_eq!(check(text).ok().as_deref(), expected, "{text}");
        }
        for (kept, good) in [
            (Some("13800138000"), true),
            (Some("+85291234567"), true),
            (Some("12800138000"), false),
            (Some("1380013800"), false),
            (Some("01065123456"), false),
            (None, false),
        ] {
            assert_eq!(mobile(kept.map(str::to_owned)).is_ok(), good, "{kept:?}");
        }
    }

    #[test]
    fn rule_c03_a_note_has_at_most_500_characters_and_none_that_nobody_sees() {
        assert!(note(&"很".repeat(500)).is_ok());
        assert_eq!(note(&"很".repeat(501)), Err(FieldError::NoteLength { met: 501 }));
        assert_eq!(note("a\u{202e}b"), Err(FieldError::Hidden { met: '\u{202e}' }));
        assert_eq!(note(" 两行\n字 ").as_deref(), Ok("两行\n字"));
    }

    #[test]
    fn rule_c02_an_error_never_repeats_the_value() {
        let text = name("张三13800138000").expect_err("digits").to_string();
        assert!(!text.contains("138") && !text.contains("张三"), "{text}");
    }
}
