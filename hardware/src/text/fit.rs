//! Where lines break and which size fits: measured, never assumed. Pure over a measuring function.
//!
//! Chinese breaks between any two characters, but no line may begin with a closing mark or end with an opening one
//! (避头尾); runs of Latin letters and digits stay whole while they fit. ` · ` separates phrases: a line breaks there
//! first, and the dot that would stand at the edge is left out. A zero-width space (U+200B) says where a phrase may
//! break by its sense (请保持|卡片不动); it is preferred to any other place within the phrase.
//!
//! Invariants: no character but spaces and separator dots at a break is dropped; a line is wider than the room only if
//! a single character is.

/// Separates phrases that belong on one line if there is room.
pub const SEPARATOR: &str = " · ";

/// Invisible; marks a good place for a break.
pub const SOFT_BREAK: char = '\u{200b}';

/// Stands between the parts of a name (迪丽热巴·买买提明).
const NAME_DOT: char = '·';

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
    // What stays whole in the room must stay whole in a narrower one too.
    let keeps = |narrower: u32| {
        parts(text).all(|part| measure(part) <= narrower || measure(part) > room)
            && parts(text).flat_map(pieces).all(|p| measure(p.trim()) <= narrower || measure(p.trim()) > room)
    };
    // The narrowest room that needs no further line: found by halving, since the count only falls with the room.
    let (mut too_narrow, mut enough, mut best) = (0, room, lines);
    while enough - too_narrow > 1 {
        let middle = too_narrow + (enough - too_narrow) / 2;
        let tried = wrap_greedy(text, middle, measure);
        if tried.len() == best.len() && keeps(middle) {
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

/// True if no word has to be cut to wrap the text: every piece that should stay whole fits the room.
pub fn breaks_cleanly(text: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> bool {
    parts(text).flat_map(pieces).all(|piece| measure(piece.trim()) <= room)
}

/// The parts between which a text breaks by its sense: after soft breaks, and after the dot inside a name.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).flat_map(|phrase| phrase.split_inclusive([SOFT_BREAK, NAME_DOT]))
}

fn wrap_phrase(phrase: &str, room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    let parts: Vec<&str> = parts(phrase).collect();
    if parts.iter().all(|part| measure(part.trim()) <= room) {
        return fill(&parts, room, measure);
    }
    fill(&parts.into_iter().flat_map(pieces).collect::<Vec<_>>(), room, measure)
}

/// Puts pieces onto lines, as many as fit on each.
fn fill(pieces: &[&str], room: u32, measure: &dyn Fn(&str) -> u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces {
        let joined = format!("{line}{piece}").trim_start().to_owned();
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
mod tests;
