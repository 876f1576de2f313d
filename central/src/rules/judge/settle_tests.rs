//! Days that are settled, by themselves and together with the judges of check-ins and of shares.

use super::super::attendance::{CheckIn, Plan, Stands, check_pins, judge_occurrence};
use super::super::order::testing::{place, shuffled};
use super::super::share::{Claim, share};
use super::super::stays::Passage;
use super::*;
use hufu_shared::ids::{MemberId, OccurrenceId, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::rules::repeat::{Tap, TapKey, TapPurpose};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use proptest::prelude::*;

#[test]
fn a_day_is_settled_once_forty_days_after_it() {
    let today = Day(1_000);
    let cases = [
        (None, Some(Day(960))),
        (Some(Day(959)), Some(Day(960))),
        (Some(Day(960)), None),
        (Some(Day(970)), None),
    ];
    for (settled, expected) in cases {
        assert_eq!(due(today, settled), expected, "{settled:?}");
    }
}

#[test]
fn a_fact_is_open_fixed_or_late() {
    let cases = [
        (None, None, Reach::Open),
        (None, Some(Day(9)), Reach::Open),
        (None, Some(Day(10)), Reach::Fixed),
        (Some(Day(9)), Some(Day(11)), Reach::Fixed),
        (Some(Day(10)), Some(Day(10)), Reach::Late),
        (Some(Day(30)), Some(Day(31)), Reach::Late),
    ];
    for (arrival, now, expected) in cases {
        assert_eq!(reach(Day(10), arrival, now), expected, "{arrival:?} {now:?}");
    }
}

#[test]
fn what_a_person_fixed_goes_before_what_stood() {
    let cases = [
        (Reach::Open, Some(true), None, Entry::Free),
        (Reach::Late, None, None, Entry::Free),
        (Reach::Fixed, Some(true), None, Entry::Pinned(true)),
        (Reach::Fixed, None, None, Entry::Absent),
        (Reach::Fixed, Some(true), Some(false), Entry::Pinned(false)),
        (Reach::Late, None, Some(true), Entry::Pinned(true)),
    ];
    for (reach, stood, person, expected) in cases {
        assert_eq!(entry(reach, stood, person), expected, "{reach:?} {stood:?} {person:?}");
    }
}

fn check_in(device: u8, seq: u64, who: u8, t: i64) -> CheckIn {
    let at = place(t, device, seq);
    let token = Token { key_version: 1, hash: [who; 16] };
    let key = TapKey { subject: (token, 0), purpose: TapPurpose::CheckIn(OccurrenceId([1; 16])) };
    CheckIn {
        id: at.fact,
        member: MemberId([who; 16]),
        office: OfficeId([device; 16]),
        lo: at.t,
        hi: at.t,
        t: at.t,
        tap: Tap { key, boot: 1, mono_ns: u64::try_from(t).unwrap_or(0) * 1_000 },
        window_s: 0,
        repeats: None,
        way: Passage::In,
        pin: None,
    }
}

fn plan() -> Plan {
    let open = vec![(Instant(0), Instant(1_000))];
    Plan { open, offices: vec![], admits_once: true, places: Some(3), stays: None }
}

/// Judges again after the settled facts of `stood`; the rest came late.
fn judge_late(facts: &[CheckIn], stood: &BTreeMap<FactId, Stands>) -> BTreeMap<FactId, Stands> {
    let lies = |fact: FactId| if stood.contains_key(&fact) { Reach::Fixed } else { Reach::Late };
    let enters = |fact: &CheckIn| {
        let had = stood.get(&fact.id).and_then(|stands| (*stands == Stands::Counts).then_some(true));
        match entry(lies(fact.id), had, fact.pin) {
            Entry::Free => Some(fact.clone()),
            Entry::Pinned(pin) => Some(CheckIn { pin: Some(pin), ..fact.clone() }),
            Entry::Absent => None,
        }
    };
    let entering: Vec<CheckIn> = facts.iter().filter_map(enters).collect();
    assert_eq!(check_pins(&plan(), &entering), Ok(()), "what stood keeps the bound by itself");
    let judged = judge_occurrence(&plan(), &entering);
    let judged = judged.verdicts.into_iter().map(|(id, verdict)| (id, verdict.stands)).collect();
    keep(stood, &judged, lies, &BTreeSet::new())
}

proptest! {
    #[test]
    fn inv_19_after_settle_late_facts_never_take_back_and_their_order_does_not_matter(
        rows in proptest::collection::vec((1..5_u8, 1..6_u8, 0..1_000_i64), 1..14),
        cut in 0..14_usize,
        keys in proptest::collection::vec(any::<u32>(), 14),
    ) {
        let facts: Vec<CheckIn> =
            rows.iter().zip(1..).map(|((device, who, t), seq)| check_in(*device, seq, *who, *t)).collect();
        let known = &facts[..cut.min(facts.len())];
        let judged = judge_occurrence(&plan(), known);
        let stood: BTreeMap<FactId, Stands> =
            judged.verdicts.into_iter().map(|(id, verdict)| (id, verdict.stands)).collect();
        let now = judge_late(&facts, &stood);
        for (fact, stands) in &stood {
            prop_assert_eq!(now.get(fact), Some(stands), "a settled fact stands");
        }
        prop_assert_eq!(now.len(), facts.len());
        let counting: Vec<&CheckIn> = facts.iter().filter(|fact| now[&fact.id] == Stands::Counts).collect();
        let members: BTreeSet<MemberId> = counting.iter().map(|fact| fact.member).collect();
        prop_assert!(members.len() == counting.len() && members.len() <= 3, "the bound holds over both");
        prop_assert_eq!(judge_late(&shuffled(&facts, &keys), &stood), now);
    }

    #[test]
    fn inv_19_after_settle_a_share_is_what_it_was(
        rows in proptest::collection::vec((0..1_000_i64, 0..80_i64), 1..10),
        cut in 0..10_usize,
    ) {
        let claims: Vec<Claim> = rows
            .iter()
            .zip(1..)
            .map(|((t, wants), seq)| Claim { place: place(*t, 1, seq), wants: Amount(*wants), pin: None })
            .collect();
        let cut = cut.min(claims.len());
        let stood = share(Amount(100), &claims[..cut]);
        let fix = |claim: &Claim| {
            let fact = claim.place.fact;
            let lies = if stood.contains_key(&fact) { Reach::Fixed } else { Reach::Late };
            match entry(lies, stood.get(&fact).copied(), None) {
                Entry::Pinned(pin) => Claim { pin: Some(pin), ..*claim },
                Entry::Free | Entry::Absent => *claim,
            }
        };
        let all: Vec<Claim> = claims.iter().map(fix).collect();
        let now = share(Amount(100), &all);
        for (fact, amount) in &stood {
            prop_assert_eq!(now.get(fact), Some(amount));
        }
        prop_assert!(now.values().map(|amount| amount.0).sum::<i64>() <= 100);
        let ids: Vec<FactId> = claims.iter().map(|claim| claim.place.fact).collect();
        let came_late =
            late(&ids, |fact| if stood.contains_key(&fact) { Reach::Fixed } else { Reach::Late });
        prop_assert_eq!(came_late.len(), claims.len() - cut, "a person sees every late fact");
    }
}
