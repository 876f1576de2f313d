//! Stored value that a person freezes 冻结, sets free, or carries over 结转 to another member (H4).
//!
//! What is frozen is not set aside, paid out or carried over from the act on; what terminals hold of it they are asked to
//! give back. What one of them spends of it before it hears of that is honoured and listed (kind 9), so nothing is lost.
//! A carry-over goes through an account of its own name: each of the two has a line of their own on the statement, and
//! what leaves the one reaches the other whole, first what that one owes.
//! Out of scope: who may, and the words of the reason.

use hufu_shared::act::{ValueCarried, ValueFrozen};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Leg, Unit};

use super::Work;
use super::ledger::Cause;
use crate::rules::posting::{self, PostingCode};
use crate::rules::world::{KnownMember, ValueTurn};

impl Work {
    /// Whether a member's stored value is frozen.
    pub(super) fn is_value_frozen(&self, member: MemberId) -> bool {
        self.member(member).is_some_and(KnownMember::is_value_frozen)
    }

    /// Whether a member's record stands for itself: neither merged away nor erased.
    pub(super) fn stands_alone(&self, member: MemberId) -> bool {
        self.member(member).is_some_and(|known| !known.erased && known.merged_into.is_none())
    }

    /// Freezes a member's stored value from now on, or sets it free; whether that is a change.
    pub(super) fn turn_value(&mut self, member: MemberId, frozen: bool) -> bool {
        let Some(mut known) = self.member(member).cloned() else { return false };
        if known.is_value_frozen() == frozen {
            return false;
        }
        known.value_turns.push(ValueTurn { since: self.received, frozen });
        self.tie(member, known);
        true
    }

    /// A person froze a member's stored value, or set it free.
    pub(super) fn value_frozen(&mut self, set: &ValueFrozen) {
        if self.stands_alone(set.member) && self.turn_value(set.member, set.frozen) {
            let word = |frozen: bool| Some(if frozen { "frozen" } else { "free" }.to_owned());
            let change = (word(!set.frozen), word(set.frozen));
            self.edited_from(set.member, "stored_value", Some(set.reason), change);
        }
    }

    /// A person carried stored value over. What would take more than there is has no effect, whatever a shell overlooked.
    pub(super) fn value_carried(&mut self, carried: &ValueCarried) {
        let (from, to) = (carried.from.member, carried.to.member);
        let hash = posting::carry_cause(carried.id);
        let is_done = self.was_posted(hash);
        let may = self.world.may_debit()
            && from != to
            && self.stands_alone(from)
            && self.stands_alone(to)
            && !self.is_value_frozen(from);
        let has = self.purse(from, Unit::Cny).available;
        if is_done || !may || !carried.amount.is_positive() || carried.amount.0 > has {
            return;
        }
        let day = self.day(carried.office, self.received);
        let leg = Leg { unit: Unit::Cny, amount: carried.amount };
        let cause = Cause::of_the_centre(hash, Some(from), (self.received, day));
        let record = ("value_carried", carried.reason);
        self.hand_over(&cause, (from, to), (leg, PostingCode::CarryOver), record);
    }
}
