//! The people of a lane: each has one stripe, and is known by the last characters of its number.

use crate::story::club::{OFFICE_A, OFFICE_B};
use std::fmt::Write as _;

/// Members of a lane; a run presents each of them at most once.
const MEMBERS: usize = 400;
/// Every so many have a card that was reported lost.
const LOST_EVERY: usize = 40;
/// Number of a card that the club never gave out.
const STRANGER: &str = "6688999900009999";

/// A card of the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The number on the stripe.
    pub number: String,
    /// Whether the club knows it as lost.
    pub lost: bool,
}

impl Card {
    fn of(lane: usize, n: usize) -> Self {
        Self { number: format!("6688{:04}{n:08}", lane + 1), lost: n.is_multiple_of(LOST_EVERY) }
    }

    /// The card that nobody knows.
    #[must_use]
    pub fn stranger() -> Self {
        Self { number: STRANGER.to_owned(), lost: false }
    }

    /// Whether nobody knows it.
    #[must_use]
    pub fn is_stranger(&self) -> bool {
        self.number == STRANGER
    }

    /// Its last characters.
    #[must_use]
    pub fn tail(&self) -> &str {
        &self.number[self.number.len() - 4..]
    }

    /// What the reader sends when it is drawn through.
    #[must_use]
    pub fn track(&self) -> String {
        format!(";{}=3012?\r\n", self.number)
    }
}

/// The cards of a lane.
#[must_use]
pub fn deck(lane: usize) -> Vec<Card> {
    (1..=MEMBERS).map(|n| Card::of(lane, n)).collect()
}

/// Where a lane's terminal stands: two of the club's offices in turn.
#[must_use]
pub fn office(lane: usize) -> &'static str {
    if lane.is_multiple_of(2) { OFFICE_A } else { OFFICE_B }
}

/// The files of members and cards of so many lanes.
#[must_use]
pub fn csv(lanes: usize) -> (String, String) {
    let (mut members, mut cards) =
        (String::from("会员编号,姓名,性别\n"), String::from("卡号,芯片号,会员编号,状态\n"));
    for lane in 0..lanes {
        for (n, card) in (1..).zip(deck(lane)) {
            let status = if card.lost { "挂失" } else { "在用" };
            // Writing into a string cannot fail.
            let _ = writeln!(members, "K{lane}{n:05},王敏,女");
            let _ = writeln!(cards, "{},,K{lane}{n:05},{status}", card.number);
        }
    }
    (members, cards)
}
