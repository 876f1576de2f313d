//! What may be shown of a person: masked forms for lists, and the greeting for a display that others can see.
//!
//! Pure. A masked form never holds a whole value, whatever was put in.

use unicode_normalization::UnicodeNormalization;

use super::normal::{is_han, is_invisible};
use super::personal::Sex;

/// Stars in the middle of a number.
const STARS: &str = "****";

/// Surnames of two characters, traditional forms included.
const COMPOUND_SURNAMES: &[&str] = &[
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "夏侯", "皇甫", "尉迟", "尉遲",
    "公孙", "公孫", "慕容", "令狐", "长孙", "長孫", "宇文", "司徒", "司空", "司寇", "端木", "百里", "呼延",
    "南宫", "南宮", "独孤", "獨孤", "轩辕", "軒轅", "申屠", "太史", "公冶", "公羊", "公西", "公良", "澹台",
    "澹臺", "濮阳", "濮陽", "淳于", "单于", "單于", "钟离", "鍾離", "鐘離", "闾丘", "閭丘", "宗政", "赫连",
    "赫連", "东郭", "東郭", "南门", "南門", "西门", "西門", "左丘", "东门", "東門", "微生", "梁丘", "第五",
    "拓跋", "夹谷", "宰父", "谷梁", "穀梁", "段干", "鲜于", "鮮于", "万俟", "萬俟", "闻人", "聞人", "亓官",
    "子车", "颛孙", "顓孫", "巫马", "巫馬", "漆雕", "乐正", "樂正", "壤驷", "羊舌", "贺兰", "賀蘭", "完颜",
    "完顏", "纳兰", "納蘭", "叶赫", "葉赫", "那拉", "哥舒", "仲孙", "仲孫", "达奚", "褚师", "耶律", "斛律",
    "爱新", "范姜", "張簡", "张简",
];

/// How a display names a member; a scheme key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisplayName {
    /// 欧阳女士.
    #[default]
    Surname,
    /// 欧阳娜娜女士.
    Full,
}

/// The form of address for a display: 欧阳女士, 禤先生. `None` if the sex is unknown, the member asked for secrecy, or the
/// name does not show which part is the surname (`·`, Latin letters): then the display welcomes without a name.
#[must_use]
pub fn greeting(name: &str, sex: Sex, wants_secrecy: bool, display: DisplayName) -> Option<String> {
    let title = match sex {
        Sex::Female => "女士",
        Sex::Male => "先生",
        Sex::Unknown => return None,
    };
    let name = shown(name);
    let chars: Vec<char> = name.chars().filter(|c| !c.is_whitespace()).collect();
    if wants_secrecy || chars.is_empty() || !chars.iter().all(|c| is_han(*c)) {
        return None;
    }
    let length = match display {
        DisplayName::Surname => surname_chars(&chars),
        DisplayName::Full => chars.len(),
    };
    Some(chars[..length].iter().collect::<String>() + title)
}

/// Characters of the surname of a Chinese name.
fn surname_chars(name: &[char]) -> usize {
    let front: String = name.iter().take(2).collect();
    if name.len() >= 2 && COMPOUND_SURNAMES.contains(&front.as_str()) { 2 } else { 1 }
}

/// One form for showing: composed letters, nothing invisible.
fn shown(text: &str) -> String {
    text.nfc().filter(|c| !is_invisible(*c)).collect::<String>().trim().to_owned()
}

/// 张*三, 张*, 欧阳*, 买**·*力, J*** S****.
#[must_use]
pub fn name(text: &str) -> String {
    let text = shown(text);
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 1 {
        return "*".repeat(chars.len());
    }
    if chars.iter().all(|c| is_han(*c)) {
        let surname = surname_chars(&chars).min(chars.len() - 1);
        // The last character stays only if at least one before it is hidden.
        let shows_last = chars.len() > surname + 1;
        let last = chars.len() - usize::from(shows_last);
        let keep = |at: usize| at < surname || at >= last;
        return chars.iter().enumerate().map(|(at, c)| if keep(at) { *c } else { '*' }).collect();
    }
    let mut begins_word = true;
    let mask = |c: char| {
        let is_letter = c.is_alphanumeric();
        // A Chinese name in parts keeps its first character only; Latin words keep their first letters.
        let keeps = !is_letter && (c.is_whitespace() || c.is_ascii_punctuation() || c == '·' || c == '•')
            || is_letter && std::mem::replace(&mut begins_word, false);
        if c.is_whitespace() {
            begins_word = true;
        }
        if keeps { c } else { '*' }
    };
    let masked: String = text.chars().map(mask).collect();
    // A name of single letters ("A B") would be shown whole.
    if masked.contains('*') { masked } else { "*".repeat(chars.len()) }
}

/// 138****1234; a shorter number keeps its last two digits at most.
#[must_use]
pub fn mobile(text: &str) -> String {
    let chars: Vec<char> = shown(text).chars().collect();
    match chars.len() {
        0 => String::new(),
        1..=4 => "*".repeat(chars.len()),
        length @ 5..=8 => "*".repeat(length - 2) + &chars[length - 2..].iter().collect::<String>(),
        length => middle(&chars, length - 8, STARS, 4),
    }
}

/// 110105********0123; other documents keep their first and last two characters at most.
#[must_use]
pub fn document(text: &str) -> String {
    let chars: Vec<char> = shown(text).chars().collect();
    match chars.len() {
        15 | 18 => middle(&chars, 6, &"*".repeat(chars.len() - 10), 4),
        length @ 7.. => middle(&chars, 2, &"*".repeat(length - 4), 2),
        length => "*".repeat(length),
    }
}

/// a****@example.com.
#[must_use]
pub fn email(text: &str) -> String {
    let text = shown(text);
    match text.rsplit_once('@') {
        Some((user, host)) if user.is_empty() || host.is_empty() => STARS.to_owned(),
        Some((user, host)) if user.chars().count() > 1 => {
            format!("{}{STARS}@{host}", user.chars().take(1).collect::<String>())
        }
        Some((_, host)) => format!("{STARS}@{host}"),
        None => STARS.to_owned(),
    }
}

/// The first characters of an address, at most six and never more than a third.
#[must_use]
pub fn address(text: &str) -> String {
    let text = shown(text);
    let kept = (text.chars().count() / 3).min(6);
    text.chars().take(kept).collect::<String>() + STARS
}

fn middle(chars: &[char], head: usize, stars: &str, tail: usize) -> String {
    let (head, tail) = (&chars[..head], &chars[chars.len() - tail..]);
    head.iter().copied().chain(stars.chars()).chain(tail.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ui_f06_masked_forms() {
        for (clear, masked) in [
            ("张小三", "张*三"),
            ("张三", "张*"),
            ("王", "*"),
            ("诸葛孔明亮", "诸葛**亮"),
            ("欧阳锋", "欧阳*"),
            ("欧阳娜娜", "欧阳*娜"),
            ("欧阳", "欧*"),
            ("禤某某", "禤*某"),
            ("𠮷田𡈽", "𠮷*𡈽"),
            ("买买提·艾力", "买**·**"),
            ("John Smith", "J*** S****"),
            ("Jose\u{301} Li", "J*** L*"),
            ("A B", "***"),
            ("", ""),
        ] {
            assert_eq!(name(clear), masked, "{clear}");
        }
        for (clear, masked) in [
            ("13812341234", "138****1234"),
            ("+85291234567", "+852****4567"),
            ("1234", "****"),
            ("123456", "****56"),
        ] {
            assert_eq!(mobile(clear), masked, "{clear}");
        }
        for (clear, masked) in [
            ("110105194912310123", "110105********0123"),
            ("110105491231012", "110105*****1012"),
            ("E12345678", "E1*****78"),
            ("H123", "****"),
        ] {
            assert_eq!(document(clear), masked, "{clear}");
        }
        assert_eq!(email("ouyang@example.com"), "o****@example.com");
        assert_eq!(email("o@example.com"), "****@example.com");
        assert_eq!(address("北京市朝阳区建国路1号院2号楼3单元401"), "北京市朝阳区****");
        assert_eq!(address("北京"), "****");
    }

    #[test]
    fn a_greeting_knows_surnames_and_keeps_silent_when_unsure() {
        let greet = |name: &str, sex| greeting(name, sex, false, DisplayName::Surname);
        for (clear, sex, expected) in [
            ("欧阳娜娜", Sex::Female, Some("欧阳女士")),
            ("歐陽鋒", Sex::Male, Some("歐陽先生")),
            ("禤国维", Sex::Male, Some("禤先生")),
            ("张三", Sex::Male, Some("张先生")),
            ("东方明", Sex::Female, Some("东方女士")),
            ("东 明", Sex::Female, Some("东女士")),
            ("𠮷野家", Sex::Male, Some("𠮷先生")),
            ("张三", Sex::Unknown, None),
            ("买买提·艾力", Sex::Male, None),
            ("John Smith", Sex::Male, None),
            ("", Sex::Male, None),
            ("\u{200b}", Sex::Male, None),
        ] {
            assert_eq!(greet(clear, sex).as_deref(), expected, "{clear}");
        }
        assert_eq!(greeting("张三", Sex::Male, true, DisplayName::Surname), None);
        assert_eq!(greeting("张三", Sex::Male, false, DisplayName::Full).as_deref(), Some("张三先生"));
        assert_eq!(greeting("张三", Sex::Male, true, DisplayName::Full), None);
    }

    proptest! {
        /// No masked form holds all of what it hides.
        #[test]
        fn goal_g23_a_mask_never_shows_the_whole(text in any::<String>(), digits in "[0-9]{0,20}", han in "[一-龥]{0,8}") {
            for text in [text, digits, han] {
                let visible = shown(&text);
                if visible.is_empty() || visible.contains('*') {
                    continue;
                }
                for masked in [name(&text), mobile(&text), document(&text), address(&text), email(&text)] {
                    prop_assert!(!masked.contains(&visible), "{:?} shows {:?}", masked, visible);
                }
            }
        }
    }
}
