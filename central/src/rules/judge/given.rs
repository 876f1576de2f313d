//! Whose a card is that terminals gave to members in place of others (rule H5).
//!
//! Terminals that are offline may give one card to two members: typed once wrongly, or handed over twice. It is whose it
//! was given to first by time, whichever arrives first; the others are put before a person. Whom a person gave it to
//! keeps it. Out of scope: the old cards, which end each by themselves.

use std::collections::BTreeSet;

use hufu_shared::ids::{FactId, MemberId};

use super::order::Place;

/// A fact that gave the card to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gift {
    /// Where it stands in time.
    pub place: Place,
    /// To whom.
    pub member: MemberId,
}

/// What follows from all that gave one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Whose it is.
    pub holder: MemberId,
    /// Facts that gave it to somebody else: a person must look.
    pub others: BTreeSet<FactId>,
}

/// Whose a card is; none if nobody gave it. `person` is whom a person gave it to.
#[must_use]
pub fn judge(gifts: &[Gift], person: Option<MemberId>) -> Option<Given> {
    let first = gifts.iter().min_by_key(|gift| gift.place)?;
    let holder = person.unwrap_or(first.member);
    let others = gifts.iter().filter(|gift| gift.member != holder).map(|gift| gift.place.fact).collect();
    Some(Given { holder, others })
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::DeviceId;
    use hufu_shared::time::Instant;
    use proptest::prelude::*;

    use super::*;

    fn gift(t: i64, device: u8, member: u8) -> Gift {
        let fact = FactId { device: DeviceId([device; 16]), epoch: 1, seq: 5 };
        Gift { place: Place { t: Instant(t), fact }, member: MemberId([member; 16]) }
    }

    #[test]
    fn rule_h05_a_card_given_twice_is_whose_it_was_first_unless_a_person_said_otherwise() {
        // Gifts as (time, terminal, member); whom a person named; whose it is; whose gifts a person must look at.
        type Case<'a> = (&'a [(i64, u8, u8)], Option<u8>, Option<u8>, &'a [u8]);
        let cases: [Case<'_>; 7] = [
            (&[], None, None, &[]),
            (&[], Some(9), None, &[]),
            (&[(5, 1, 7)], None, Some(7), &[]),
            (&[(9, 1, 7), (5, 2, 8)], None, Some(8), &[1]),
            (&[(5, 1, 7), (5, 2, 8)], None, Some(7), &[2]),
            (&[(5, 1, 7), (9, 2, 7)], None, Some(7), &[]),
            (&[(5, 1, 7), (9, 2, 8)], Some(8), Some(8), &[1]),
        ];
        for (gifts, person, holder, others) in cases {
            let all: Vec<Gift> = gifts.iter().map(|(t, device, member)| gift(*t, *device, *member)).collect();
            let judged = judge(&all, person.map(|n| MemberId([n; 16])));
            assert_eq!(
                judged.as_ref().map(|given| given.holder),
                holder.map(|n| MemberId([n; 16])),
                "{gifts:?}"
            );
            let met: Vec<u8> =
                judged.iter().flat_map(|given| &given.others).map(|id| id.device.0[0]).collect();
            assert_eq!(met, others, "{gifts:?}");
        }
    }

    proptest! {
        /// Whichever arrives first, the same follows from the same set.
        #[test]
        fn inv_19_the_order_of_arrival_does_not_say_whose_a_card_is(
            rows in prop::collection::vec((0i64..4, 1u8..5, 1u8..4), 1..6),
            turn in 0usize..6,
        ) {
            let mut all: Vec<Gift> = rows.iter().map(|(t, device, member)| gift(*t, *device, *member)).collect();
            all.dedup_by_key(|gift| gift.place.fact);
            all.sort_by_key(|gift| gift.place.fact);
            all.dedup_by_key(|gift| gift.place.fact);
            let before = judge(&all, None);
            let by = turn % all.len();
            all.rotate_left(by);
            prop_assert_eq!(judge(&all, None), before);
        }
    }
}
