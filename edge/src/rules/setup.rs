//! Whether a terminal may go to work: each part was tried by a person, with what is there now, and not too long ago.
//!
//! Pure. A result counts only for the device that it was got with: another reader or printer has to be tried anew. Parts
//! that a counter can do without (display, printer) count as done where none is configured.

use hufu_shared::time::{DAY_US, Instant};

/// Days after which a result is old and has to be got again.
pub const TRIED_OLD_DAYS: i64 = 30;

/// A part of the terminal that is tried by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The connection to the centre.
    Central,
    /// The card readers.
    Reader,
    /// The member display.
    Display,
    /// What is heard at the counter.
    Sound,
    /// The receipt printer.
    Printer,
}

impl Part {
    /// All parts, in the order in which they are tried.
    pub const ALL: [Self; 5] = [Self::Central, Self::Reader, Self::Display, Self::Sound, Self::Printer];

    /// The word in forms, files and keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Reader => "reader",
            Self::Display => "display",
            Self::Sound => "sound",
            Self::Printer => "printer",
        }
    }

    /// The part of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }

    /// Whether a counter cannot work without it.
    #[must_use]
    pub fn is_needed(self) -> bool {
        !matches!(self, Self::Display | Self::Printer)
    }
}

/// What came of trying a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Which part.
    pub part: Part,
    /// When, by trusted time.
    pub at: Instant,
    /// Whether it did what it should.
    pub worked: bool,
    /// The devices that were there then.
    pub there: String,
    /// What was met, as a word of the pages' texts.
    pub met: String,
    /// Which reader, which kind of card, how many milliseconds, and the like.
    pub detail: String,
}

/// How a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// None is configured.
    Absent,
    /// Nobody tried it yet.
    Untried,
    /// It was tried with another device.
    Changed,
    /// It worked, too long ago.
    Old,
    /// It did not work.
    Fails,
    /// It works.
    Works,
}

impl Standing {
    /// The word in keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Untried => "untried",
            Self::Changed => "changed",
            Self::Old => "old",
            Self::Fails => "fails",
            Self::Works => "works",
        }
    }
}

/// How a part stands, by what is `there` now (`None`: nothing is configured) and what came of trying it last.
#[must_use]
pub fn standing(there: Option<&str>, tried: Option<&Tried>, now: Instant) -> Standing {
    match (there, tried) {
        (None, _) => Standing::Absent,
        (Some(_), None) => Standing::Untried,
        (Some(there), Some(tried)) if tried.there != there => Standing::Changed,
        (Some(_), Some(tried)) if !tried.worked => Standing::Fails,
        (Some(_), Some(tried)) if now.since(tried.at) > TRIED_OLD_DAYS * DAY_US => Standing::Old,
        (Some(_), Some(_)) => Standing::Works,
    }
}

/// The parts that keep the terminal from going to work; none if it may. Of what nothing is known, nothing was tried.
#[must_use]
pub fn missing(parts: &[(Part, Standing)]) -> Vec<Part> {
    let stops = |part: &Part| match parts.iter().find(|(known, _)| known == part) {
        Some((_, Standing::Works)) => false,
        Some((_, Standing::Absent)) => part.is_needed(),
        _ => true,
    };
    Part::ALL.into_iter().filter(stops).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_795_330_920_000_000);

    fn tried(worked: bool, days_ago: i64) -> Tried {
        Tried {
            part: Part::Reader,
            at: NOW.offset(-days_ago * DAY_US),
            worked,
            there: "ACS".to_owned(),
            met: "read".to_owned(),
            detail: String::new(),
        }
    }

    #[test]
    fn a_result_counts_for_the_device_it_was_got_with_and_not_for_ever() {
        let there = Some("ACS");
        let table = [
            (None, Some(tried(true, 0)), Standing::Absent),
            (there, None, Standing::Untried),
            (there, Some(tried(true, 0)), Standing::Works),
            (there, Some(tried(true, TRIED_OLD_DAYS)), Standing::Works),
            (there, Some(tried(true, TRIED_OLD_DAYS + 1)), Standing::Old),
            (there, Some(tried(false, 0)), Standing::Fails),
            (there, Some(tried(false, 90)), Standing::Fails),
            (Some("another"), Some(tried(true, 0)), Standing::Changed),
        ];
        for (there, tried, expected) in table {
            assert_eq!(standing(there, tried.as_ref(), NOW), expected, "{there:?} {tried:?}");
        }
    }

    #[test]
    fn only_what_is_not_fitted_and_not_needed_may_be_left_out() {
        use Standing::{Absent, Changed, Fails, Old, Untried, Works};
        let all = |standing| Part::ALL.map(|part| (part, standing));
        assert_eq!(missing(&[]), Part::ALL, "nothing is known yet");
        assert_eq!(missing(&all(Works)), []);
        assert_eq!(missing(&all(Absent)), [Part::Central, Part::Reader, Part::Sound]);
        for standing in [Untried, Changed, Old, Fails] {
            assert_eq!(missing(&all(standing)), Part::ALL, "{standing:?}");
        }
    }

    #[test]
    fn every_part_has_a_word_of_its_own() {
        for part in Part::ALL {
            assert_eq!(Part::from_code(part.code()), Some(part));
        }
        assert_eq!(Part::from_code("clock"), None);
    }
}
