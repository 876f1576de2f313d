//! What the story must give, reckoned by the kit from what was done, not from what the programs say.
//!
//! Each scene adds what it did at once; at the end journals and ledger are held against it. The arithmetic is written
//! here a second time on purpose.

use super::club::POINTS;
use std::collections::{BTreeMap, BTreeSet};

/// One of the two terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// With a chip reader.
    A,
    /// With a stripe reader.
    B,
}

/// What a fact of a swipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Swipe {
    /// A member's check-in that is no repeat.
    CheckIn,
    /// A repeat of a check-in at the same terminal.
    Again,
    /// A purchase.
    Purchase,
    /// A refusal, counted as often as it happened.
    Refusal,
    /// A card that the club does not know.
    Stranger,
}

/// Fen for which rule S2 gives [`S2_POINTS`].
const S2_FEN: i64 = 10_000;
const S2_POINTS: i64 = 2;
/// Kind of the case about an unknown card.
pub const KIND_UNKNOWN_CARD: u8 = 13;
/// Kind of the case about a member who checked in at two terminals.
pub const KIND_TWO_TERMINALS: u8 = 27;

/// The expected books.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Facts of swipes per terminal.
    pub swipes: BTreeMap<(Place, Swipe), u64>,
    /// Points of each member, by the club's number.
    pub points: BTreeMap<String, i64>,
    /// Points that each terminal's office gave.
    pub issued: BTreeMap<Place, i64>,
    /// Lines of the ledger.
    pub postings: u64,
    /// Cases by kind.
    pub cases: BTreeMap<u8, u64>,
    strangers: BTreeSet<Vec<u8>>,
}

impl Model {
    fn saw(&mut self, place: Place, swipe: Swipe) {
        *self.swipes.entry((place, swipe)).or_default() += 1;
    }

    fn give(&mut self, place: Place, member: &str, points: i64) {
        *self.points.entry(member.to_owned()).or_default() += points;
        *self.issued.entry(place).or_default() += points;
        self.postings += 1;
    }

    /// A member checked in, for the first time anywhere.
    pub fn check_in(&mut self, place: Place, member: &str) {
        self.saw(place, Swipe::CheckIn);
        self.give(place, member, POINTS);
    }

    /// The same card came again to the same terminal: a fact, and no effect.
    pub fn again(&mut self, place: Place) {
        self.saw(place, Swipe::Again);
    }

    /// A member who was at another office already checked in here as well. If the later one's terminal uploads first,
    /// its office gives the points at once and the earlier one's takes that over when it arrives: one more line.
    pub fn check_in_elsewhere(&mut self, later: Place, uploads_first: Place) {
        self.saw(later, Swipe::CheckIn);
        *self.cases.entry(KIND_TWO_TERMINALS).or_default() += 1;
        if uploads_first == later {
            self.postings += 1;
        }
    }

    /// A member bought for so many fen.
    pub fn purchase(&mut self, place: Place, member: &str, fen: i64) {
        self.saw(place, Swipe::Purchase);
        let points = fen / S2_FEN * S2_POINTS;
        if points > 0 {
            self.give(place, member, points);
        }
    }

    /// A card was refused.
    pub fn refusal(&mut self, place: Place) {
        self.saw(place, Swipe::Refusal);
    }

    /// A card that the club does not know: held, one case per card.
    pub fn stranger(&mut self, place: Place, card: &[u8]) {
        self.saw(place, Swipe::Stranger);
        if self.strangers.insert(card.to_vec()) {
            *self.cases.entry(KIND_UNKNOWN_CARD).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_s2_is_reckoned_by_full_hundreds() {
        let mut model = Model::default();
        model.purchase(Place::B, "M1", 32_000);
        model.purchase(Place::B, "M2", 9_999);
        assert_eq!((model.points["M1"], model.points.get("M2"), model.postings), (6, None, 1));
    }

    #[test]
    fn kind_27_costs_one_more_line_only_if_the_later_side_came_first() {
        for (first, lines) in [(Place::A, 1), (Place::B, 2)] {
            let mut model = Model::default();
            model.check_in(Place::A, "M1");
            model.check_in_elsewhere(Place::B, first);
            assert_eq!((model.postings, model.points["M1"], model.cases[&27]), (lines, POINTS, 1));
        }
    }
}
