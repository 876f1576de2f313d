//! One form of a value for search, and the pieces under which a name is found.
//!
//! Pure. The original is kept as written; only keyed hashes of these forms reach the index. Twins that look alike
//! (composed and decomposed letters, full-width digits, invisible characters, the various middle dots) become one.

use std::collections::BTreeSet;

use pinyin::ToPinyin;
use unicode_normalization::UnicodeNormalization;

use super::personal::Personal;

/// Longest piece of a name in the index, in characters.
pub const PIECE_CHARS_MAX: usize = 3;
/// Longest run of initials in the index.
const INITIALS_MAX: usize = 8;
const MOBILE_DIGITS_MIN: usize = 5;
/// E.164.
const MOBILE_DIGITS_MAX: usize = 15;

/// What a member can be found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexKind {
    /// The whole name.
    Name = 1,
    /// 1 to 3 characters in a row out of the name.
    NamePiece = 2,
    /// Pinyin initials, from the front: `oy` finds 欧阳.
    Initials = 3,
    /// The whole mobile number.
    Mobile = 4,
    /// Its last four digits.
    MobileLast4 = 5,
    /// The document's number.
    Document = 6,
    /// The phone at home.
    HomePhone = 7,
}

/// One entry of the index before hashing.
pub type Term = (IndexKind, String);

/// Readings of surnames that differ from the character's usual one: 单 is read shàn there, not dān.
const SURNAME_INITIALS: &[(&str, &str)] = &[
    ("单", "s"),
    ("曾", "z"),
    ("解", "x"),
    ("仇", "q"),
    ("查", "z"),
    ("翟", "z"),
    ("尉迟", "yc"),
    ("长孙", "zs"),
    ("万俟", "mq"),
    ("澹台", "tt"),
    ("覃", "q"),
    ("乐", "y"),
    ("朴", "p"),
    ("盖", "g"),
    ("区", "o"),
    ("任", "r"),
    ("缪", "m"),
    ("种", "c"),
    ("秘", "b"),
    ("冼", "x"),
    ("晟", "c"),
    ("折", "s"),
    ("黑", "h"),
    ("重", "c"),
    ("召", "s"),
];

/// The form of a name that is hashed: compatibility forms folded, lower case, no spaces, dots or invisible characters.
#[must_use]
pub fn name(text: &str) -> String {
    // A mark that stood on a separator now stands on the letter before it, and composes with it.
    letters(text).into_iter().filter(|c| !is_separator(*c)).nfkc().collect()
}

/// The normalised characters of a name, separators still there.
fn letters(text: &str) -> Vec<char> {
    text.nfkc().flat_map(char::to_lowercase).nfkc().filter(|c| !is_invisible(*c)).collect()
}

/// Spaces and the dots that stand between the parts of a name.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '·' | '•' | '‧' | '∙' | '⋅' | '・' | '.' | '-' | '\'' | '’')
}

/// Characters that change nothing a person sees, or hide what is there: zero-width, direction and variation marks.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// A mobile number: 11 digits for the mainland (`+86` and the like cut off), else `+` and digits. `None` if it is no
/// number.
#[must_use]
pub fn mobile(text: &str) -> Option<String> {
    let folded: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
    let folded = folded.trim();
    let is_allowed = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '-' | '(' | ')' | '+');
    if !folded.chars().all(is_allowed) || folded.rfind('+').is_some_and(|at| at > 0) {
        return None;
    }
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    let international = if folded.starts_with('+') { Some(&*digits) } else { digits.strip_prefix("00") };
    let is_mainland = |digits: &str| digits.len() == 11 && digits.starts_with('1');
    let local = international.unwrap_or(&digits);
    let without_country = local.strip_prefix("86").filter(|rest| is_mainland(rest));
    if let Some(rest) = without_country {
        return Some(rest.to_owned());
    }
    if !(MOBILE_DIGITS_MIN..=MOBILE_DIGITS_MAX).contains(&local.len()) {
        return None;
    }
    Some(if international.is_some() { format!("+{local}") } else { local.to_owned() })
}

/// A document number: full-width folded, upper case, without spaces and hyphens.
#[must_use]
pub fn document_number(text: &str) -> String {
    let folded = text.nfkc().flat_map(char::to_uppercase);
    folded.filter(|c| !is_invisible(*c) && !c.is_whitespace() && *c != '-').collect()
}

/// All runs of 1 to 3 characters of a normalised name.
#[must_use]
pub fn name_pieces(normal: &str) -> BTreeSet<String> {
    let chars: Vec<char> = normal.chars().collect();
    (1..=PIECE_CHARS_MAX)
        .flat_map(|length| chars.windows(length))
        .map(|piece| piece.iter().collect())
        .collect()
}

/// The initials of a name from its front, in all lengths; a surname with a reading of its own gives both readings.
#[must_use]
pub fn initials(text: &str) -> BTreeSet<String> {
    let letters = letters(text);
    let mut usual = String::new();
    let mut begins_word = true;
    for c in &letters {
        if let Some(pinyin) = c.to_pinyin() {
            usual.push_str(pinyin.first_letter());
            begins_word = true;
        } else if is_separator(*c) {
            begins_word = true;
        } else if c.is_alphanumeric() && !is_han(*c) {
            if begins_word {
                usual.push(*c);
            }
            begins_word = false;
        }
    }
    let whole: String = letters.iter().collect();
    let as_surname = SURNAME_INITIALS.iter().find(|(surname, _)| whole.starts_with(surname)).and_then(
        |(surname, initials)| {
            let rest = usual.chars().skip(surname.chars().count());
            Some(initials.chars().chain(rest).collect::<String>()).filter(|reading| *reading != usual)
        },
    );
    let fronts = |reading: String| {
        let chars: Vec<char> = reading.chars().take(INITIALS_MAX).collect();
        (1..=chars.len()).map(move |length| chars[..length].iter().collect::<String>())
    };
    [Some(usual), as_surname].into_iter().flatten().flat_map(fronts).collect()
}

/// Chinese characters, rare ones included.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '〇')
}

/// Everything under which a person is found.
#[must_use]
pub fn terms(personal: &Personal) -> BTreeSet<Term> {
    let whole = name(&personal.name);
    let mut terms = BTreeSet::new();
    if !whole.is_empty() {
        terms.extend(name_pieces(&whole).into_iter().map(|piece| (IndexKind::NamePiece, piece)));
        terms.extend(initials(&personal.name).into_iter().map(|front| (IndexKind::Initials, front)));
        terms.insert((IndexKind::Name, whole));
    }
    if let Some(number) = personal.mobile.as_deref().and_then(mobile) {
        if let Some(last) = number.len().checked_sub(4) {
            terms.insert((IndexKind::MobileLast4, number[last..].to_owned()));
        }
        terms.insert((IndexKind::Mobile, number));
    }
    terms
        .extend(personal.home_phone.as_deref().and_then(mobile).map(|number| (IndexKind::HomePhone, number)));
    if let Some(document) = &personal.document {
        terms.insert((IndexKind::Document, document_number(&document.number)));
    }
    terms
}

/// What a person typed into the one search box, as the ways in which it may be meant. A member is found if one way
/// holds all its terms.
#[must_use]
pub fn search(input: &str) -> Vec<Vec<Term>> {
    let mut ways = Vec::new();
    let number = document_number(input);
    if number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()) {
        ways.push(vec![(IndexKind::MobileLast4, number.clone())]);
    }
    if let Some(mobile) = mobile(input) {
        ways.push(vec![(IndexKind::Mobile, mobile)]);
    }
    if number.len() >= 5 && number.bytes().any(|b| b.is_ascii_digit()) && number.is_ascii() {
        ways.push(vec![(IndexKind::Document, number)]);
    }
    let normal = name(input);
    if !normal.is_empty() && normal.bytes().all(|b| b.is_ascii_lowercase()) && normal.len() <= INITIALS_MAX {
        ways.push(vec![(IndexKind::Initials, normal.clone())]);
    }
    let chars: Vec<char> = normal.chars().collect();
    let is_name = !chars.is_empty() && !chars.iter().all(char::is_ascii_digit);
    if is_name && chars.len() <= PIECE_CHARS_MAX {
        ways.push(vec![(IndexKind::NamePiece, normal)]);
    } else if is_name {
        let pieces: BTreeSet<String> =
            chars.windows(PIECE_CHARS_MAX).map(|piece| piece.iter().collect()).collect();
        ways.push(pieces.into_iter().map(|piece| (IndexKind::NamePiece, piece)).collect());
    }
    ways
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_58_twins_that_look_alike_are_one() {
        for (one, other) in [
            ("é", "e\u{301}"),
            ("ＡＢＣ", "abc"),
            ("张\u{200b}三", "张三"),
            ("\u{202e}张三\u{202c}", "张三"),
            ("买买提·艾力", "买买提•艾力"),
            ("买买提·艾力", "买买提艾力"),
            ("买买提\u{b7}艾力", "买买提\u{30fb}艾力"),
            ("欧阳 娜娜", "欧阳\u{3000}娜娜"),
            ("Mary Ann", "MARY ANN"),
            ("葛\u{e0100}", "葛"),
            ("\u{f900}", "\u{8c48}"),
        ] {
            assert_eq!(name(one), name(other), "{one:?} {other:?}");
        }
        assert_ne!(name("𠮷野"), name("吉野"), "a rare character is its own");
        assert_eq!(name("𠮷野").chars().count(), 2);
    }

    #[test]
    fn case_60_a_mobile_number_has_one_form() {
        for (written, expected) in [
            ("13812341234", Some("13812341234")),
            ("+86 138-1234-1234", Some("13812341234")),
            ("0086 13812341234", Some("13812341234")),
            ("86 138 1234 1234", Some("13812341234")),
            ("１３８１２３４１２３４", Some("13812341234")),
            ("19912345678", Some("19912345678")),
            ("17012345678", Some("17012345678")),
            ("+852 9123 4567", Some("+85291234567")),
            ("00852 91234567", Some("+85291234567")),
            ("(010) 6512 3456", Some("01065123456")),
            ("1381234", Some("1381234")),
            ("1234", None),
            ("138+12341234", None),
            ("1381234123x", None),
            ("1234567890123456", None),
            ("", None),
        ] {
            assert_eq!(mobile(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn initials_come_from_the_front_and_know_surnames() {
        let fronts = |text: &str| initials(text).into_iter().collect::<Vec<_>>();
        assert_eq!(fronts("欧阳娜娜"), ["o", "oy", "oyn", "oynn"]);
        assert_eq!(fronts("单田芳"), ["d", "dt", "dtf", "s", "st", "stf"]);
        assert_eq!(fronts("尉迟恭"), ["w", "wc", "wcg", "y", "yc", "ycg"]);
        assert_eq!(fronts("Mary Ann Lee"), ["m", "ma", "mal"]);
        assert_eq!(fronts("买买提·艾力"), ["m", "mm", "mmt", "mmta", "mmtal"]);
        assert_eq!(fronts(""), [""; 0]);
    }

    #[test]
    fn one_box_means_what_its_text_looks_like() {
        let kinds = |input: &str| search(input).iter().map(|way| way[0].0).collect::<Vec<_>>();
        assert_eq!(kinds("阳"), [IndexKind::NamePiece]);
        assert_eq!(kinds("oy"), [IndexKind::Initials, IndexKind::NamePiece]);
        assert_eq!(kinds("1234"), [IndexKind::MobileLast4]);
        assert_eq!(kinds("13812341234"), [IndexKind::Mobile, IndexKind::Document]);
        assert_eq!(kinds("11010519491231002x"), [IndexKind::Document, IndexKind::NamePiece]);
        assert_eq!(kinds("  "), []);
        assert_eq!(search("欧阳娜娜")[0].len(), 2, "two overlapping pieces of three");
    }

    proptest! {
        /// Whatever is typed, nothing panics and normalising twice changes nothing.
        #[test]
        fn case_58_any_text_is_normalised_once(text in "\\PC*", raw in any::<String>()) {
            for text in [text, raw] {
                let once = name(&text);
                prop_assert_eq!(name(&once), once.clone());
                let _ = (mobile(&text), document_number(&text), search(&text), initials(&text));
                prop_assert!(name_pieces(&once).len() <= 3 * once.chars().count());
            }
        }

        /// Each run of a name finds it, and so does the whole.
        #[test]
        fn every_piece_of_a_name_finds_it(name_text in "[欧阳娜王小明𠮷a-z·]{1,12}", from in 0_usize..12, length in 1_usize..8) {
            let personal = Personal { name: name_text.clone(), ..Personal::default() };
            let terms = terms(&personal);
            let normal: Vec<char> = name(&name_text).chars().collect();
            prop_assume!(!normal.is_empty());
            let from = from % normal.len();
            let run: String = normal[from..(from + length).min(normal.len())].iter().collect();
            let found = search(&run).into_iter().any(|way| way.iter().all(|term| terms.contains(term)));
            prop_assert!(found, "{} in {}", run, name_text);
        }
    }
}
