//! Where lines break and which size fits: measured, never assumed. Pure over a measuring function.
//!
//! Chinese breaks between any two characters, but no line may begin with a closing mark or end with an opening one
//! (避头尾); runs of Latin letters and digits stay whole while they fit. ` · ` separates phrases: a line breaks there
//! first, and the dot that would stand at the edge is left out.
//!
//! Invariants: no character but spaces and separator dots at a break is dropped; a line is wider than the room only if
//! a single character is.

/// Separates phrases that belong on one line if there is room.
pub const SEPARATOR: &str = " · ";

/// Marks that may not begin a line.
const NOT_FIRST: &str = "，。、；：？！…）》」』】〕”’％·,.;:?!)]}%";
/// Marks that may not end a line.
const NOT_LAST: &str = "（《「『【〔“‘￥¥([{+−-";

/// Breaks a text into lines of at most `room` pixels, and then evens them out, so that no line is left with one
/// character. Line breaks in the text are kept.
pub fn wrap(text: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    text.lines().flat_map(|line| wrap_even(line.trim(), room, measure)).collect()
}

fn wrap_even(text: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    let lines = wrap_greedy(text, room, measure);
    if lines.len() < 2 {
        return lines;
    }
    // The narrowest room that needs no further line: found by halving, since the count only falls with the room.
    let (mut too_narrow, mut enough, mut best) = (0, room, lines);
    while enough - too_narrow > 1 {
        let middle = too_narrow + (enough - too_narrow) / 2;
        let tried = wrap_greedy(text, middle, measure);
        if tried.len() == best.len() && tried.iter().all(|line| measure(line) <= middle) {
            (enough, best) = (middle, tried);
        } else {
            too_narrow = middle;
        }
    }
    best
}

fn wrap_greedy(text: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for phrase in text.split(SEPARATOR).map(str::trim).filter(|p| !p.is_empty()) {
        if let Some(last) = lines.last_mut() {
            let joined = format!("{last}{SEPARATOR}{phrase}");
            if measure(&joined) <= room {
                *last = joined;
                continue;
            }
        }
        lines.extend(wrap_phrase(phrase, room, measure));
    }
    lines
}

fn wrap_phrase(phrase: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(phrase) {
        let joined = format!("{line}{piece}");
        if line.is_empty() || measure(joined.trim_end()) <= room {
            line = joined;
        } else {
            lines.push(line.trim_end().to_owned());
            line = piece.trim_start().to_owned();
        }
        // A piece that is wider than the room by itself is cut between characters.
        while measure(line.trim_end()) > room && line.chars().count() > 1 {
            let cut = longest_fitting(&line, room, measure);
            let rest = line.split_off(cut).trim_start().to_owned();
            lines.push(std::mem::replace(&mut line, rest).trim_end().to_owned());
        }
    }
    lines.push(line.trim_end().to_owned());
    lines.retain(|line| !line.is_empty());
    lines
}

/// Byte length of the longest beginning that fits; at least one character.
fn longest_fitting(line: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> usize {
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let fitting = ends.clone().take_while(|end| measure(&line[..*end]) <= room).last();
    fitting.or_else(|| ends.clone().next()).unwrap_or(line.len())
}

/// The pieces between which a line may break.
fn pieces(phrase: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, c) in phrase.char_indices() {
        if before.is_some_and(|b| may_break(b, c)) {
            pieces.push(&phrase[start..at]);
            start = at;
        }
        before = Some(c);
    }
    pieces.push(&phrase[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    if NOT_LAST.contains(before) || NOT_FIRST.contains(after) || after == ' ' {
        return false;
    }
    before == ' ' || !is_of_word(before) || !is_of_word(after)
}

/// Letters, digits and the marks inside numbers and codes; not Han, which breaks anywhere.
fn is_of_word(c: char) -> bool {
    (c.is_alphanumeric() && u32::from(c) < 0x2e80) || "¥￥+−-_/'’@&#$,.%:".contains(c)
}

/// The first of `choices` (largest first) whose text fits the room on one line, with its width; else the last of them.
pub fn largest<T: Copy>(choices: &[T], room: u32, width: impl Fn(T) -> u32) -> Option<(T, u32)> {
    let measured = choices.iter().map(|choice| (*choice, width(*choice)));
    measured.clone().find(|(_, width)| *width <= room).or_else(|| measured.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Han and other full-width characters 2, all others 1.
    fn width(text: &str) -> u32 {
        text.chars().map(|c| if u32::from(c) >= 0x2e80 { 2 } else { 1 }).sum()
    }

    #[test]
    fn where_lines_break() {
        let table: &[(&str, u32, &[&str])] = &[
            ("签到成功", 8, &["签到成功"]),
            ("签到成功", 7, &["签到", "成功"]),
            // Phrases first, and the dot at the break is left out.
            ("签到成功 · 本次 +6 · 可用积分 1,280", 22, &["签到成功 · 本次 +6", "可用积分 1,280"]),
            ("签到成功 · 本次 +6 · 可用积分 1,280", 14, &["签到成功", "本次 +6", "可用积分 1,280"]),
            ("签到成功 · 本次 +6 · 可用积分 1,280", 40, &["签到成功 · 本次 +6 · 可用积分 1,280"]),
            // No closing mark begins a line, no opening one ends it, numbers stay whole.
            ("欧阳女士，欢迎您！", 12, &["欧阳女士，", "欢迎您！"]),
            ("请到（一楼）客服", 7, &["请到", "（一", "楼）", "客服"]),
            ("可用积分 1,280", 10, &["可用积分", "1,280"]),
            ("Welcome to the club", 11, &["Welcome to", "the club"]),
            // A word that is too long by itself is cut, not lost.
            ("ABCDEFGHIJ", 4, &["ABCD", "EFGH", "IJ"]),
            ("a\nb", 10, &["a", "b"]),
            ("", 10, &[]),
            (" · ", 10, &["·"]),
        ];
        for (text, room, expected) in table {
            assert_eq!(wrap(text, *room, &width), *expected, "{text} in {room}");
        }
    }

    #[test]
    fn the_largest_size_that_fits() {
        assert_eq!(largest(&[48, 36, 24], 100, |px| px * 2), Some((48, 96)));
        assert_eq!(largest(&[48, 36, 24], 90, |px| px * 2), Some((36, 72)));
        assert_eq!(largest(&[48, 36, 24], 10, |px| px * 2), Some((24, 48)));
        assert_eq!(largest(&[0_u32; 0], 10, |px| px), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_wide(text in "[a-z0-9 ，。！（）·欧阳堃玥䶮𬭎]{0,40}", room in 2_u32..40) {
            let lines = wrap(&text, room, &width);
            let bare = |s: &str| s.chars().filter(|c| *c != ' ' && *c != '·').collect::<String>();
            prop_assert_eq!(bare(&lines.concat()), bare(&text));
            for line in &lines {
                prop_assert!(width(line) <= room || line.chars().count() == 1, "{} in {}", line, room);
                prop_assert!(!line.is_empty() && line.trim() == line);
            }
        }
    }
}
