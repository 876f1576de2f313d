//! How a terminal is, as it says with each poll beside its readiness: what waits there since when, how far its clock is
//! off, how much room it has, and which of its readers and displays work.
//!
//! One text in the query string, [`Health::to_query`]: words joined by commas, each `name.value`; what somebody named is
//! base64url. What a reader does not know is passed over, so that either side may learn a word before the other. Every
//! word may be missing: a terminal says what it knows. Out of scope: what is good and what is bad, which is for people
//! and for [`super::readiness`].

use data_encoding::BASE64URL_NOPAD;

use crate::time::Instant;

/// Bytes of the text that are looked at, at most.
pub const HEALTH_BYTES_MAX: usize = 3_072;
/// Parts that are named, at most: what a desk holds, with room to spare.
pub const PARTS_MAX: usize = 12;
/// Characters of a name or of a version, at most; the rest is cut off.
pub const NAME_CHARS_MAX: usize = 40;

/// What kind of thing is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attached {
    /// A reader of cards, stripes or codes.
    Reader,
    /// A display for members.
    Display,
    /// A printer of slips.
    Printer,
}

impl Attached {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Display, Self::Printer];

    /// Its word in wire texts and locale keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Display => "display",
            Self::Printer => "printer",
        }
    }

    /// The one with a word; none for a word of a later version.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// Something that is attached to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Attached,
    /// What the terminal calls it, at most [`NAME_CHARS_MAX`] characters.
    pub name: String,
    /// Whether it works.
    pub up: bool,
}

/// What a terminal says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Version of its program, at most [`NAME_CHARS_MAX`] characters.
    pub software: Option<String>,
    /// When the oldest fact that waits there was recorded, by its wall clock; none while nothing waits.
    pub oldest: Option<Instant>,
    /// The centre's clock minus its own, in microseconds; none before it heard the centre's in this boot.
    pub clock_us: Option<i64>,
    /// How much of the room for its journal is used, in percent.
    pub used_percent: Option<u8>,
    /// Bytes that are free on its disk.
    pub free_bytes: Option<u64>,
    /// What is attached, at most [`PARTS_MAX`] pieces.
    pub pieces: Vec<Piece>,
}

/// A name without what is too long.
fn cut(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).collect()
}

impl Health {
    /// As the query string carries it: nothing in it needs escaping.
    #[must_use]
    pub fn to_query(&self) -> String {
        let named = |name: &str| BASE64URL_NOPAD.encode(cut(name).as_bytes());
        let mut words = Vec::new();
        words.extend(self.software.as_ref().map(|version| format!("version.{}", named(version))));
        words.extend(self.oldest.map(|at| format!("oldest.{}", at.0)));
        words.extend(self.clock_us.map(|us| format!("clock.{us}")));
        words.extend(self.used_percent.map(|used| format!("used.{used}")));
        words.extend(self.free_bytes.map(|free| format!("free.{free}")));
        words.extend(self.pieces.iter().take(PARTS_MAX).map(|piece| {
            let state = if piece.up { "up" } else { "down" };
            format!("{}.{state}.{}", piece.kind.code(), named(&piece.name))
        }));
        words.join(",")
    }

    /// Reads what [`Health::to_query`] wrote; none for a text that says nothing.
    #[must_use]
    pub fn from_query(text: &str) -> Option<Self> {
        if text.len() > HEALTH_BYTES_MAX {
            return None;
        }
        let mut said = Self::default();
        for (word, value) in text.split(',').filter_map(|pair| pair.split_once('.')) {
            match word {
                "version" => said.software = name_of(value),
                "oldest" => said.oldest = value.parse().ok().map(Instant),
                "clock" => said.clock_us = value.parse().ok(),
                "used" => said.used_percent = value.parse().ok(),
                "free" => said.free_bytes = value.parse().ok(),
                _ => said.pieces.extend(piece(word, value).filter(|_| said.pieces.len() < PARTS_MAX)),
            }
        }
        (said != Self::default()).then_some(said)
    }

    /// Pieces that do not work.
    pub fn down(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| !piece.up)
    }
}

/// A name as it was written; none for what is no text. A character that no page should show is left out.
fn name_of(value: &str) -> Option<String> {
    let name = String::from_utf8(BASE64URL_NOPAD.decode(value.as_bytes()).ok()?).ok()?;
    let shown: String = name.chars().filter(|letter| !letter.is_control()).collect();
    Some(cut(&shown)).filter(|name| !name.is_empty())
}

fn piece(word: &str, value: &str) -> Option<Piece> {
    let kind = Attached::from_code(word)?;
    let (state, name) = value.split_once('.')?;
    let up = match state {
        "up" => true,
        "down" => false,
        _ => return None,
    };
    Some(Piece { kind, name: name_of(name)?, up })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(kind: Attached, name: &str, up: bool) -> Piece {
        Piece { kind, name: name.to_owned(), up }
    }

    #[test]
    fn what_a_terminal_says_comes_back_as_it_was_said() {
        let said = Health {
            software: Some("0.3.1-rc.2".to_owned()),
            oldest: Some(Instant(1_795_341_600_000_000)),
            clock_us: Some(-1_250_000),
            used_percent: Some(81),
            free_bytes: Some(20 << 30),
            pieces: vec![
                piece(Attached::Reader, "前台, 左.1", true),
                piece(Attached::Display, "oled /dev/i2c-1", false),
                piece(Attached::Printer, "usb", true),
            ],
        };
        let text = said.to_query();
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._,-".contains(&byte)), "{text}");
        assert_eq!(Health::from_query(&text), Some(said.clone()));
        assert_eq!(said.down().map(|piece| piece.kind).collect::<Vec<_>>(), [Attached::Display]);
        let many = Health { pieces: vec![piece(Attached::Reader, &"长".repeat(90), true); 40], ..said };
        let read = Health::from_query(&many.to_query()).expect("within the bytes that are looked at");
        assert_eq!((read.pieces.len(), read.pieces[0].name.chars().count()), (PARTS_MAX, NAME_CHARS_MAX));
    }

    #[test]
    fn words_of_a_later_version_are_passed_over_and_other_text_says_nothing() {
        let met = Health::from_query("used.300,mood.good,clock.7,reader.asleep.cg,reader.up.!,display.up.Cg");
        assert_eq!(met, Some(Health { clock_us: Some(7), ..Health::default() }));
        for text in ["", ",", "used", "oldest.x", &format!("clock.1,{}", "x".repeat(HEALTH_BYTES_MAX))] {
            assert_eq!(Health::from_query(text), None, "{text}");
        }
    }
}
