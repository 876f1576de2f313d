//! A member erased (kind 12): a tombstone stands where the person was, facts stay pseudonymous.
//!
//! Facts that the act had seen keep their effect; what was left of it went to `sink/erased` with the act. A later one is
//! kept and gives nothing. A lease that is still out settles what was spent of it, and its return goes to `sink/erased`:
//! goods were handed over for it, and nobody is left to have the rest.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::SeenCursor;
use hufu_shared::ids::{DeviceId, FactId, MemberId};
use hufu_shared::money::{Amount, Unit};

use super::merge::{Holding, Links};

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// Who: the survivor of all ids that were merged into it.
    pub member: MemberId,
    /// How far each device's facts were known when it was made.
    pub seen: BTreeMap<(DeviceId, u32), u64>,
}

/// What a fact would do for its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// Spends from a lease.
    SpendsLease,
    /// Anything else: gives points or money, admits, reports.
    Else,
}

/// What is left of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// All of it: nobody was erased, or the act had seen the fact.
    All,
    /// The fact alone, listed among orphans (kind 12).
    Orphan,
    /// It settles from escrow and is listed (kind 12).
    Settles,
}

/// Where what a lease returns goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// To the member who survives.
    Member(MemberId),
    /// To `sink/erased`.
    Sink,
}

impl Tombstone {
    /// The tombstone of an act with its seen cursors. A cursor named twice counts with its larger seq.
    #[must_use]
    pub fn new(member: MemberId, seen: &[SeenCursor]) -> Self {
        let mut known = BTreeMap::new();
        for cursor in seen {
            let seq = known.entry((cursor.device, cursor.epoch)).or_insert(0);
            *seq = cursor.seq.max(*seq);
        }
        Self { member, seen: known }
    }

    fn had_seen(&self, fact: FactId) -> bool {
        self.seen.get(&(fact.device, fact.epoch)).is_some_and(|seq| fact.seq <= *seq)
    }
}

/// Judges a fact of `original` against all erasures.
#[must_use]
pub fn judge(tombs: &[Tombstone], links: &Links, original: MemberId, fact: FactId, does: Does) -> Left {
    let survivor = links.survivor(original);
    let erased = |tomb: &Tombstone| tomb.member == survivor || links.is_part_of(original, tomb.member);
    match (tombs.iter().any(|tomb| erased(tomb) && !tomb.had_seen(fact)), does) {
        (false, _) => Left::All,
        (true, Does::SpendsLease) => Left::Settles,
        (true, Does::Else) => Left::Orphan,
    }
}

/// Where the return of a lease goes that was granted from a member's account.
#[must_use]
pub fn lease_return(erased: &BTreeSet<MemberId>, links: &Links, granted_from: MemberId) -> Return {
    let survivor = links.survivor(granted_from);
    if erased.contains(&survivor) || erased.contains(&granted_from) {
        Return::Sink
    } else {
        Return::Member(survivor)
    }
}

/// What the act of erasing moves, per unit with a holding: so much of `available` goes to `sink/erased`, and so much of
/// what was owed is forgiven from there.
#[must_use]
pub fn sweep(holdings: &BTreeMap<Unit, Holding>) -> Vec<(Unit, Holding)> {
    let any = |held: &Holding| held.available > Amount::ZERO || held.owed > Amount::ZERO;
    holdings.iter().filter(|(_, held)| any(held)).map(|(unit, held)| (*unit, *held)).collect()
}

/// All ids whose personal data goes with a member: those merged into it as well.
#[must_use]
pub fn ids_of(links: &Links, known: &BTreeSet<MemberId>, member: MemberId) -> BTreeSet<MemberId> {
    known.iter().copied().filter(|id| links.is_part_of(*id, member)).chain([member]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use proptest::prelude::*;

    fn member(n: u8) -> MemberId {
        MemberId([n; 16])
    }

    fn seen(device: u8, seq: u64) -> SeenCursor {
        SeenCursor { device: DeviceId([device; 16]), epoch: 1, seq }
    }

    fn fact(device: u8, seq: u64) -> FactId {
        place(0, device, seq).fact
    }

    #[test]
    fn kind_12_later_facts_of_an_erased_member_are_kept_and_give_nothing() {
        let links = Links::default().merged(member(1), member(2));
        let tombs = [Tombstone::new(member(2), &[seen(1, 10), seen(2, 5)])];
        let cases = [
            ("somebody else", member(3), fact(1, 11), Does::Else, Left::All),
            ("seen by the act", member(2), fact(1, 10), Does::Else, Left::All),
            ("not seen", member(2), fact(1, 11), Does::Else, Left::Orphan),
            ("from a device that the act did not know", member(2), fact(3, 1), Does::Else, Left::Orphan),
            ("of one merged into it", member(1), fact(2, 6), Does::Else, Left::Orphan),
            ("an out lease still settles", member(1), fact(2, 6), Does::SpendsLease, Left::Settles),
        ];
        for (why, who, id, does, expected) in cases {
            assert_eq!(judge(&tombs, &links, who, id, does), expected, "{why}");
        }
    }

    #[test]
    fn kind_12_what_a_lease_returns_goes_to_whoever_survives_or_to_the_sink() {
        let links = Links::default().merged(member(1), member(2));
        let erased = BTreeSet::from([member(3)]);
        assert_eq!(lease_return(&erased, &links, member(1)), Return::Member(member(2)));
        assert_eq!(lease_return(&erased, &links, member(3)), Return::Sink);
        let erased = BTreeSet::from([member(2)]);
        assert_eq!(lease_return(&erased, &links, member(1)), Return::Sink);
    }

    #[test]
    fn kind_12_erasing_sweeps_what_is_there_and_all_ids() {
        let held = |available: i64, owed: i64| Holding { available: Amount(available), owed: Amount(owed) };
        let holdings =
            BTreeMap::from([(Unit::Pts, held(30, 0)), (Unit::Growth, held(0, 0)), (Unit::Cny, held(0, 5))]);
        assert_eq!(sweep(&holdings), [(Unit::Pts, held(30, 0)), (Unit::Cny, held(0, 5))]);
        let links = Links::default().merged(member(1), member(2)).merged(member(4), member(1));
        let known = (1..6).map(member).collect();
        assert_eq!(ids_of(&links, &known, member(2)), [1, 2, 4].map(member).into());
    }

    proptest! {
        #[test]
        fn kind_12_follows_the_set_of_erasures(
            rows in proptest::collection::vec((1..4_u8, 1..4_u8, 0..20_u64), 0..6),
            who in 1..4_u8,
            device in 1..4_u8,
            seq in 0..20_u64,
            keys in proptest::collection::vec(any::<u32>(), 6),
        ) {
            let tombs: Vec<Tombstone> =
                rows.iter().map(|(who, device, seq)| Tombstone::new(member(*who), &[seen(*device, *seq)])).collect();
            let links = Links::default().merged(member(1), member(2));
            let left = judge(&tombs, &links, member(who), fact(device, seq), Does::Else);
            let turned = shuffled(&tombs, &keys);
            prop_assert_eq!(judge(&turned, &links, member(who), fact(device, seq), Does::Else), left);
        }
    }
}
