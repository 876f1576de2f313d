//! Coupons given and used (S9, S10), each once by its name.
//!
//! What has run out needs no act: it follows from the day. Out of scope: which fall due, and what must be shown when one
//! is used, which the shells ask ([`crate::rules::coupons`]).

use hufu_shared::act::{CouponGiven, CouponUsed, CouponsGiven};
use hufu_shared::ids::{Hash, OfficeId};
use hufu_shared::time::Day;

use super::Work;
use crate::rules::coupons::{KnownCoupon, State, state};
use crate::rules::need::Need;

/// Name of the job that gives coupons.
pub const COUPONS_JOB: &str = "coupons";

impl Work {
    /// Coupons were given to those who take part.
    pub(super) fn coupons_given(&mut self, given: &CouponsGiven) {
        for coupon in &given.coupons {
            self.has(Need::Coupon(coupon.id));
            let is_new = !self.world.coupons.contains_key(&coupon.id) && coupon.fen > 0;
            if is_new && self.stands_alone(coupon.member) {
                self.keep_coupon(KnownCoupon { given: *coupon, scheme: given.scheme, used: None }, None);
            }
        }
        self.outcome.jobs.insert(COUPONS_JOB.to_owned(), Some(given.until));
    }

    fn keep_coupon(&mut self, known: KnownCoupon, office: Option<OfficeId>) {
        self.world.coupons.insert(known.given.id, known);
        self.outcome.coupons.insert(known.given.id, (known, office));
    }

    /// A coupon is given for points.
    pub(super) fn coupon_bought(&mut self, given: CouponGiven, scheme: u32) {
        self.keep_coupon(KnownCoupon { given, scheme, used: None }, None);
    }

    /// A coupon that was given.
    pub(super) fn coupon(&self, id: Hash) -> Option<&KnownCoupon> {
        self.has(Need::Coupon(id));
        self.world.coupons.get(&id)
    }

    /// A coupon that was bought goes back: it has run out the day before.
    pub(super) fn coupon_ended(&mut self, id: Hash, day: Day) {
        if let Some(known) = self.coupon(id).copied() {
            let given = CouponGiven { until: Some(day.plus(-1)), ..known.given };
            self.keep_coupon(KnownCoupon { given, ..known }, None);
        }
    }

    /// A coupon was used. One that was used before, has run out or is to come has no effect, whatever a shell overlooked.
    pub(super) fn coupon_used(&mut self, used: &CouponUsed) {
        self.has(Need::Coupon(used.coupon));
        let day = self.day(used.office, self.received);
        let Some(known) = self.world.coupons.get(&used.coupon).copied() else { return };
        if state(&known, day) == State::Open {
            self.keep_coupon(KnownCoupon { used: Some(day), ..known }, Some(used.office));
            self.edited_from(known.given.member, "coupon_used", Some(used.reason), (None, None));
        }
    }
}
