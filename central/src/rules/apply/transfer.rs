//! Points that one member gives another.
//!
//! They go through an account of the transfer's own name, as stored value does that is carried over: each of the two has a
//! line of their own on the statement, and what leaves the one reaches the other whole, first what that one owes. What
//! the other got runs out as something got on that day. Out of scope: the limits of the club, which the shell asks
//! before ([`hufu_shared::rules::transfer`]).

use hufu_shared::act::PointsTransferred;
use hufu_shared::money::{Amount, Leg, Unit};

use super::Work;
use crate::rules::points::{self, Has};
use crate::rules::posting::{self, PostingCode};

/// The rule that a line of it stands for: nothing changes without a cause.
const RULE: &str = "K20";

impl Work {
    /// A member gave points to another. What would take more than there is has no effect, whatever a shell overlooked.
    pub(super) fn points_transferred(&mut self, given: &PointsTransferred) {
        let (from, to) = (given.from, given.to);
        let hash = posting::transfer_cause(given.id);
        let is_done = self.was_posted(hash);
        let are_two = from != to && self.stands_alone(from) && self.stands_alone(to);
        let has_main_card = self.has_main_card(to, given.office);
        let fits = given.points > 0
            && points::post(given.points.saturating_neg(), self.has_points(from)).is_ok()
            && points::post(given.points, Has { has_main_card, ..self.has_points(to) }).is_ok();
        if is_done || !are_two || !fits {
            return;
        }
        let leg = Leg { unit: Unit::Pts, amount: Amount(given.points) };
        let cause = self.cause_here(hash, from, given.office, RULE.to_owned());
        let record = ("points_transferred", given.reason);
        self.hand_over(&cause, (from, to), (leg, PostingCode::Transfer), record);
    }
}
