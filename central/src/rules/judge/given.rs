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

    use super::super::order::testing::{place, shuffled};
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
        /// Whatever the order of arrival: the card is whose gift no other comes before, or whom a person named, and
        /// exactly the gifts to others are put before a person.
        #[test]
        fn inv_19_the_order_of_arrival_does_not_say_whose_a_card_is(
            rows in prop::collection::vec((0i64..4, 1u8..5, 1u8..4), 1..6),
            keys in prop::collection::vec(any::<u32>(), 6),
            person in prop::option::of(1u8..6),
        ) {
            let named = person.map(|n| MemberId([n; 16]));
            let gifts: Vec<Gift> = (1..).zip(&rows).map(|(seq, (t, device, member))| Gift {
                place: place(*t, *device, seq), member: MemberId([*member; 16]),
            }).collect();
            let first = gifts.iter().find(|gift| gifts.iter().all(|other| gift.place <= other.place)).expect("one");
            let holder = named.unwrap_or(first.member);
            let judged = judge(&shuffled(&gifts, &keys), named).expect("somebody");
            prop_assert_eq!(judged.holder, holder);
            for gift in &gifts {
                prop_assert_eq!(judged.others.contains(&gift.place.fact), gift.member != holder);
            }
            prop_assert!(judged.others.len() <= gifts.len());
        }
    }
}
