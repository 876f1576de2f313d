//! Swipes of several readers in one transaction: with many guests at once the disk sets the pace, not the terminal.
//!
//! Invariant: each comes to what it would have come to alone, in the same order. A decision on a visit, a check-in or a
//! look-up looks at its own member's past only, so different members can be decided before any of them is written.

use std::collections::BTreeSet;

use hufu_shared::fact::Purpose;

use super::{Core, Mode, Presented, Swiped, new_fact};
use crate::rules::decide::Decision;
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

/// Whether swipes for this purpose may share a transaction: it is not for one card only and moves nothing that a second
/// card could be short of.
#[must_use]
pub fn may_share(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Visit | Purpose::LookUp | Purpose::CheckIn(_) | Purpose::CheckOut(_))
}

impl Core {
    /// Records the first of these swipes in one transaction, up to the first one of a member who was among them before,
    /// and returns when their facts are on the disk. At least one, for a purpose that [`may_share`].
    ///
    /// # Errors
    /// As [`Core::swipe`]; then none of them is recorded.
    pub fn swipe_together(
        &mut self,
        cards: &[(Presented, Now)],
        mode: &Mode,
    ) -> Result<Vec<Swiped>, StoreError> {
        let (mut fetched, mut met) = (Vec::with_capacity(cards.len()), BTreeSet::new());
        for (presented, now) in cards {
            let found = self.fetch(&presented.card, now)?;
            if !met.insert(found.who()) {
                break;
            }
            fetched.push(found);
        }
        self.store.with(|journal| {
            let each = || cards.iter().zip(&fetched);
            let decisions = each().map(|((presented, now), fetched)| {
                self.judge(journal, fetched, presented, (&mode.purpose, None), now)
            });
            let decisions: Vec<Decision> = decisions.collect::<Result<_, _>>()?;
            let facts = each().zip(&decisions).map(|(((_, now), fetched), decision)| {
                new_fact(decision, mode.operator, fetched.terms.as_ref(), fetched.small.version(), now)
            });
            let appended = journal.append(facts.collect())?;
            let swiped = fetched.into_iter().zip(decisions).zip(appended);
            Ok(swiped.map(|((fetched, decision), fact)| fetched.swiped(decision, Some(fact))).collect())
        })
    }
}
