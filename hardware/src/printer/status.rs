//! What a printer says of itself: the answers to `DLE EOT n`, pure.
//!
//! Each answer is one byte whose bits 1 and 4 are set and whose bits 0 and 7 are clear; a byte that is not so is no
//! answer. Out of scope: the asking.

use std::fmt;

/// `DLE EOT n`: asks at once, also while the printer is stopped.
#[must_use]
pub const fn ask(n: u8) -> [u8; 3] {
    [0x10, 0x04, n]
}

/// The questions that are asked: printer, why offline, error, paper.
pub const QUESTIONS: [u8; 4] = [1, 2, 3, 4];

/// The paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Paper {
    /// Enough, as far as the printer can tell.
    #[default]
    Enough,
    /// The roll is near its end.
    NearEnd,
    /// None.
    Out,
}

/// What keeps a printer from printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Hindrance {
    /// No paper.
    PaperOut,
    /// The cover is open.
    CoverOpen,
    /// The cutter is stuck.
    Cutter,
    /// Another error; many end by switching the printer off and on.
    Fault,
    /// It says that it is offline and not why.
    Offline,
    /// Its port is not there or does not take bytes.
    Unplugged,
    /// It was asked and did not answer.
    Silent,
}

impl Hindrance {
    /// The word in status answers and locale keys.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::PaperOut => "paper-out",
            Self::CoverOpen => "cover-open",
            Self::Cutter => "cutter",
            Self::Fault => "fault",
            Self::Offline => "offline",
            Self::Unplugged => "unplugged",
            Self::Silent => "silent",
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PaperOut => "out of paper",
            Self::CoverOpen => "cover open",
            Self::Cutter => "cutter stuck",
            Self::Fault => "printer error",
            Self::Offline => "offline",
            Self::Unplugged => "not connected",
            Self::Silent => "no answer",
        })
    }
}

/// How a printer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The paper.
    pub paper: Paper,
    /// What is in the way; none if it can print.
    pub hindrance: Option<Hindrance>,
}

impl Status {
    /// In the way is this, and of the paper nothing is known.
    #[must_use]
    pub const fn hindered(hindrance: Hindrance) -> Self {
        Self { paper: Paper::Enough, hindrance: Some(hindrance) }
    }

    /// From the answers to [`QUESTIONS`], in their order. The most telling cause wins: a printer that is out of paper
    /// also says that it is offline.
    #[must_use]
    pub fn from_answers(answers: [u8; 4]) -> Self {
        let [printer, cause, error, paper] = answers;
        let bit = |byte: u8, n: u8| byte & (1 << n) != 0;
        // Sensors double their bit; one of the two is enough to believe it.
        let out = bit(paper, 5) || bit(paper, 6) || bit(cause, 5);
        let near = bit(paper, 2) || bit(paper, 3);
        let causes = [
            (bit(cause, 2), Hindrance::CoverOpen),
            (out, Hindrance::PaperOut),
            (bit(error, 3), Hindrance::Cutter),
            (bit(cause, 6) || bit(error, 5) || bit(error, 6), Hindrance::Fault),
            (bit(printer, 3), Hindrance::Offline),
        ];
        let hindrance = causes.into_iter().find(|cause| cause.0).map(|cause| cause.1);
        let paper = match (out, near) {
            (true, _) => Paper::Out,
            (false, true) => Paper::NearEnd,
            (false, false) => Paper::Enough,
        };
        Self { paper, hindrance }
    }
}

/// Whether a byte is an answer to `DLE EOT`.
#[must_use]
pub const fn is_answer(byte: u8) -> bool {
    byte & 0b1001_0011 == 0b0001_0010
}

/// Whether a byte is an answer to `GS r`, which comes in its turn after everything printed before.
#[must_use]
pub const fn is_turn(byte: u8) -> bool {
    byte & 0b1001_0000 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_by_their_fixed_bits() {
        assert!([0x12, 0x1a, 0x16, 0x72, 0x7e].into_iter().all(is_answer));
        assert!([0x00, 0x0c, 0x92, 0x13, 0x10, 0xff].into_iter().all(|byte| !is_answer(byte)));
        for byte in 0..=u8::MAX {
            assert!(!(is_answer(byte) && is_turn(byte)), "{byte:#x} is told apart");
        }
    }

    #[test]
    fn the_most_telling_cause_wins() {
        let table = [
            ([0x12, 0x12, 0x12, 0x12], Paper::Enough, None),
            ([0x12, 0x12, 0x12, 0x1e], Paper::NearEnd, None),
            ([0x1a, 0x32, 0x12, 0x7e], Paper::Out, Some(Hindrance::PaperOut)),
            ([0x1a, 0x16, 0x12, 0x12], Paper::Enough, Some(Hindrance::CoverOpen)),
            ([0x1a, 0x16, 0x12, 0x72], Paper::Out, Some(Hindrance::CoverOpen)),
            ([0x1a, 0x52, 0x1a, 0x12], Paper::Enough, Some(Hindrance::Cutter)),
            ([0x1a, 0x52, 0x32, 0x12], Paper::Enough, Some(Hindrance::Fault)),
            ([0x1a, 0x12, 0x12, 0x12], Paper::Enough, Some(Hindrance::Offline)),
        ];
        for (answers, paper, hindrance) in table {
            assert_eq!(Status::from_answers(answers), Status { paper, hindrance }, "{answers:x?}");
        }
    }
}
