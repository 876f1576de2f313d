//! The close of an office's day, given effect: reasons, signatures and reopenings, each a step that stays.
//!
//! Out of scope: whether the figures are those of the day, which the shell reckons in the transaction that takes the act.

use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::OfficeId;
use hufu_shared::time::Day;

use super::Work;
use crate::rules::need::Need;
use crate::rules::office_day::{DayStep, Standing, Stepped};

impl Work {
    /// Gives effect to an act about an office's day; one about something else has none here.
    pub(super) fn act_of_day(&mut self, act: &Act) {
        match act {
            Act::DayExplained(explained) => {
                let (difference, matter) = (explained.difference, explained.matter);
                let (device, reason) = (explained.device, explained.reason);
                let what = Stepped::Explained { difference, matter, device, reason };
                self.day_stepped((explained.office, explained.day), what);
            }
            Act::DaySigned(signed) => {
                let what = Stepped::Signed { seen: signed.seen, figures: signed.figures };
                self.day_stepped((signed.office, signed.day), what);
            }
            Act::DayReopened(reopened) => {
                let what = Stepped::Reopened { reason: reopened.reason };
                self.day_stepped((reopened.office, reopened.day), what);
            }
            _ => {}
        }
    }

    fn day_stepped(&mut self, (office, day): (OfficeId, Day), what: Stepped) {
        self.has(Need::OfficeDay(office, day));
        // People close a day; a program signs nothing.
        if self.by.as_ref().and_then(Actor::staff).is_none() {
            return;
        }
        let by = self.by_name();
        let steps = self.world.office_days.entry((office, day)).or_default();
        let standing = Standing::of(steps);
        let has_effect = match &what {
            Stepped::Explained { .. } => standing.second.is_none(),
            Stepped::Signed { seen, .. } => standing.takes_signature(&by, *seen),
            Stepped::Reopened { .. } => standing.first.is_some(),
        };
        if !has_effect {
            return;
        }
        let n = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        let step = DayStep { what, by, at: self.received };
        steps.push(step.clone());
        self.outcome.day_steps.insert((office, day, n), step);
    }
}
