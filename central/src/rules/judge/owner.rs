//! Whose card it was (kind 14): the owner at `t(f)`, whoever has it by now.
//!
//! A card that nobody had owned before the fact is the unknown card of kind 13: its facts were held and belong to whom it
//! is given first. A card that had been taken from one member and not yet given to the next is nobody's: a person decides.

use std::collections::BTreeSet;

use hufu_shared::ids::MemberId;
use hufu_shared::time::Instant;

use super::interval::FAVOUR_MAX_US;

/// A change of ownership, by an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// When the act was taken; acts never share an instant.
    pub from: Instant,
    /// Whose from then on; none for a card put back into stock.
    pub member: Option<MemberId>,
}

/// What of a fact bears on whose card it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented {
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
    /// The time that decides.
    pub t: Instant,
    /// To whom a person gave it.
    pub pin: Option<MemberId>,
}

/// To whom a fact belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To this member.
    To(MemberId),
    /// Nobody ever had the card: held until somebody does (kind 13).
    Unknown,
    /// A person decides.
    Ask,
}

/// The judgement of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// To whom it belongs.
    pub belongs: Belongs,
    /// Who has the card now.
    pub now: Option<MemberId>,
    /// Numbers of the conflict kinds that list it.
    pub kinds: BTreeSet<u8>,
}

/// Judges whose card was presented, from all its changes of ownership.
#[must_use]
pub fn judge(history: &[Owned], fact: Presented) -> Ownership {
    let mut history = history.to_vec();
    history.sort_unstable();
    let now = history.last().and_then(|last| last.member);
    let mut kinds = BTreeSet::new();
    if let Some(member) = fact.pin {
        kinds.extend((now != Some(member)).then_some(14));
        return Ownership { belongs: Belongs::To(member), now, kinds };
    }
    let mut belongs = at(&history, fact.t);
    if at(&history, fact.lo) != at(&history, fact.hi) {
        kinds.insert(18);
        // Between two owners there is no member in whose favour a wide interval could be read.
        if fact.hi.since(fact.lo) > FAVOUR_MAX_US {
            belongs = Belongs::Ask;
        }
    }
    match belongs {
        Belongs::Unknown => kinds.extend([13]),
        Belongs::To(member) => kinds.extend((now != Some(member)).then_some(14)),
        Belongs::Ask => kinds.extend([14]),
    }
    Ownership { belongs, now, kinds }
}

/// The owner at an instant; `history` is in order of time.
fn at(history: &[Owned], t: Instant) -> Belongs {
    let (before, after) = history.split_at(history.partition_point(|owned| owned.from <= t));
    let next = after.iter().find_map(|owned| owned.member);
    match before.last().map(|owned| owned.member) {
        Some(Some(member)) => Belongs::To(member),
        _ if before.iter().any(|owned| owned.member.is_some()) => Belongs::Ask,
        _ => next.map_or(Belongs::Unknown, Belongs::To),
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::shuffled;
    use super::*;
    use proptest::prelude::*;

    fn member(n: u8) -> MemberId {
        MemberId([n; 16])
    }

    fn owned(from: i64, n: u8) -> Owned {
        Owned { from: Instant(from), member: (n > 0).then(|| member(n)) }
    }

    fn at_time(t: i64) -> Presented {
        Presented { lo: Instant(t), hi: Instant(t), t: Instant(t), pin: None }
    }

    #[test]
    fn kind_14_a_fact_belongs_to_the_owner_at_its_time() {
        let to = |n: u8| Belongs::To(member(n));
        let first = vec![owned(100, 1)];
        let handed_on = vec![owned(100, 1), owned(200, 2)];
        let stocked = vec![owned(50, 0), owned(100, 1), owned(200, 0), owned(300, 2)];
        let cases: [(&str, &[Owned], Presented, Belongs, Vec<u8>); 9] = [
            ("never registered", &[], at_time(10), Belongs::Unknown, vec![13]),
            ("in stock, never owned", &[owned(50, 0)], at_time(60), Belongs::Unknown, vec![13]),
            ("held, then registered", &first, at_time(10), to(1), vec![]),
            ("owner then and now", &first, at_time(100), to(1), vec![]),
            ("owner then, not now", &handed_on, at_time(199), to(1), vec![14]),
            ("from the change on", &handed_on, at_time(200), to(2), vec![]),
            ("before its first owner, who is not the owner now", &stocked, at_time(70), to(1), vec![14]),
            ("between two owners", &stocked, at_time(250), Belongs::Ask, vec![14]),
            (
                "a person gave it to somebody",
                &stocked,
                Presented { pin: Some(member(1)), ..at_time(250) },
                to(1),
                vec![14],
            ),
        ];
        for (why, history, fact, belongs, kinds) in cases {
            let judged = judge(history, fact);
            assert_eq!(judged.belongs, belongs, "{why}");
            assert_eq!(judged.kinds, kinds.into_iter().collect(), "{why}");
        }
    }

    #[test]
    fn kind_14_a_wide_interval_around_the_change_is_a_persons_to_decide() {
        let history = [owned(0, 1), owned(10 * FAVOUR_MAX_US, 2)];
        let around = |wide: i64| Presented {
            lo: Instant(10 * FAVOUR_MAX_US - 1),
            hi: Instant(10 * FAVOUR_MAX_US - 1 + wide),
            t: Instant(10 * FAVOUR_MAX_US - 1),
            pin: None,
        };
        let narrow = judge(&history, around(FAVOUR_MAX_US));
        assert_eq!((narrow.belongs, narrow.kinds), (Belongs::To(member(1)), BTreeSet::from([14, 18])));
        let wide = judge(&history, around(FAVOUR_MAX_US + 1));
        assert_eq!((wide.belongs, wide.kinds), (Belongs::Ask, BTreeSet::from([14, 18])));
    }

    proptest! {
        #[test]
        fn kind_14_follows_the_set_of_changes(
            rows in proptest::collection::btree_map(0..100_i64, 0..4_u8, 0..8),
            t in -10..110_i64,
            keys in proptest::collection::vec(any::<u32>(), 8),
        ) {
            let history: Vec<Owned> = rows.iter().map(|(from, n)| owned(*from, *n)).collect();
            let judged = judge(&history, at_time(t));
            prop_assert_eq!(judge(&shuffled(&history, &keys), at_time(t)), judged.clone());
            prop_assert_eq!(judged.belongs == Belongs::Unknown, rows.values().all(|n| *n == 0));
        }
    }
}
