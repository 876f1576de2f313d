//! Case tables of check-ins, and what holds for every set of them.

use super::*;
use hufu_shared::ids::{ActivityId, OccurrenceId};
use hufu_shared::member::Audience;
use hufu_shared::money::Amount;
use hufu_shared::rules::repeat::{TapKey, TapPurpose};
use hufu_shared::scheme::Words;
use hufu_shared::time::SECOND_US;
use hufu_shared::token::Token;
use proptest::prelude::*;

const HOUR_S: i64 = 3_600;

fn s(seconds: i64) -> Instant {
    Instant(seconds * SECOND_US)
}

fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn id(device: u8, seq: u64) -> FactId {
    FactId { device: DeviceId([device; 16]), epoch: 1, seq }
}

/// A check-in of member 1 at a terminal of its own office, with a surely known time.
fn check_in(device: u8, seq: u64, at_s: i64) -> CheckIn {
    let token = Token { key_version: 1, hash: [1; 16] };
    let key = TapKey { subject: (token, 0), purpose: TapPurpose::CheckIn(OccurrenceId([9; 16])) };
    CheckIn {
        id: id(device, seq),
        member: member(1),
        office: OfficeId([device; 16]),
        lo: s(at_s),
        hi: s(at_s),
        t: s(at_s),
        tap: Tap { key, boot: 1, mono_ns: u64::try_from(at_s).unwrap_or(0) * 1_000_000_000 },
        window_s: 60,
        repeats: None,
        way: Passage::In,
        pin: None,
    }
}

fn of(n: u8, fact: CheckIn) -> CheckIn {
    CheckIn { member: member(n), ..fact }
}

fn pinned(pin: bool, fact: CheckIn) -> CheckIn {
    CheckIn { pin: Some(pin), ..fact }
}

fn plan() -> Plan {
    Plan { open: vec![(s(0), s(HOUR_S))], offices: vec![], admits_once: true, places: None, stays: None }
}

/// How each fact stands, with the kinds that list it, in the order given.
fn stand(plan: &Plan, facts: &[CheckIn]) -> Vec<(Stands, Vec<u8>)> {
    let judged = judge_occurrence(plan, facts);
    let of = |fact: &CheckIn| {
        let verdict = &judged.verdicts[&fact.id];
        (verdict.stands, verdict.kinds.iter().copied().collect())
    };
    facts.iter().map(of).collect()
}

#[test]
fn kind_27_the_earliest_admits_and_one_speaks_for_each_terminal() {
    use Stands::{AlsoSeen, Counts, Merged, TakenOut};
    let cases = [
        ("alone", vec![check_in(1, 1, 10)], vec![(Counts, vec![])]),
        (
            "the later terminal was also seen",
            vec![check_in(1, 1, 20), check_in(2, 1, 10)],
            vec![(AlsoSeen, vec![27]), (Counts, vec![27])],
        ),
        (
            "one instant: the smaller device",
            vec![check_in(2, 1, 10), check_in(1, 9, 10)],
            vec![(AlsoSeen, vec![27]), (Counts, vec![27])],
        ),
        (
            "hours later at the same terminal",
            vec![check_in(1, 1, 10), check_in(1, 5, 3_000)],
            vec![(Counts, vec![]), (Merged(id(1, 1)), vec![2])],
        ),
        (
            "a pin counts before what came first",
            vec![check_in(1, 1, 10), pinned(true, check_in(2, 1, 20))],
            vec![(AlsoSeen, vec![27]), (Counts, vec![27])],
        ),
        (
            "who was taken out leaves it to the other terminal, not to a repeat",
            vec![pinned(false, check_in(1, 1, 10)), check_in(1, 2, 30), check_in(2, 1, 20)],
            vec![(TakenOut, vec![27]), (Merged(id(1, 1)), vec![2]), (Counts, vec![27])],
        ),
        ("taken out, nobody else", vec![pinned(false, check_in(1, 1, 10))], vec![(TakenOut, vec![])]),
    ];
    for (why, facts, expected) in cases {
        assert_eq!(stand(&plan(), &facts), expected, "{why}");
    }
}

#[test]
fn kind_27_points_are_given_once_by_the_admitting_office() {
    let judged = judge_occurrence(&plan(), &[check_in(1, 1, 20), check_in(2, 1, 10), check_in(3, 1, 30)]);
    let credits: Vec<Credit> = judged.credits.into_iter().collect();
    let expected = Credit { member: member(1), fact: id(2, 1), office: OfficeId([2; 16]), t: s(10) };
    assert_eq!(credits, [expected]);
}

#[test]
fn cases_are_about_a_member_or_about_the_occurrence() {
    let facts = [check_in(1, 1, 20), check_in(2, 1, 10), check_in(2, 2, 15), of(2, check_in(1, 2, HOUR_S))];
    let cases = judge_occurrence(&plan(), &facts).cases();
    let two_terminals = ((27, Some(member(1))), BTreeSet::from([id(1, 1), id(2, 1)]));
    let closed = ((28, None), BTreeSet::from([id(1, 2)]));
    assert_eq!(cases, BTreeMap::from([two_terminals, closed]), "a repeat is no case");
}

#[test]
fn kind_02_a_repeat_is_told_by_the_terminals_own_clock_and_opens_no_window() {
    let many = Plan { admits_once: false, ..plan() };
    let said = CheckIn { repeats: Some(1), ..check_in(1, 3, 500) };
    let facts = [check_in(1, 1, 10), check_in(1, 2, 60), said, check_in(1, 4, 100), check_in(2, 1, 20)];
    let merged = (Stands::Merged(id(1, 1)), vec![2]);
    let counts = (Stands::Counts, vec![]);
    assert_eq!(stand(&many, &facts), [counts.clone(), merged.clone(), merged, counts.clone(), counts]);
    assert_eq!(judge_occurrence(&many, &facts).credits.len(), 3);
}

#[test]
fn kind_28_outside_the_plan_or_beyond_its_places_nothing_is_given() {
    use Stands::{Counts, NotRunning, Surplus};
    let roomy = plan();
    let two = Plan { places: Some(2), ..plan() };
    let here = Plan { offices: vec![OfficeId([1; 16])], ..plan() };
    let never = Plan { open: vec![], ..plan() };
    let crowd = vec![of(1, check_in(1, 1, 30)), of(2, check_in(1, 2, 10)), of(3, check_in(2, 1, 20))];
    let mut fixed = crowd.clone();
    fixed[0].pin = Some(true);
    let mut freed = crowd.clone();
    freed[1].pin = Some(false);
    let cases = [
        ("after the end", &roomy, vec![check_in(1, 1, HOUR_S)], vec![(NotRunning, vec![28])]),
        ("elsewhere", &here, vec![check_in(2, 1, 10)], vec![(NotRunning, vec![28])]),
        ("not approved", &never, vec![check_in(1, 1, 10)], vec![(NotRunning, vec![28])]),
        ("a person lets it count", &never, vec![pinned(true, check_in(1, 1, 10))], vec![(Counts, vec![28])]),
        ("in order of time", &two, crowd, vec![(Surplus, vec![28]), (Counts, vec![]), (Counts, vec![])]),
        ("pins first", &two, fixed, vec![(Counts, vec![]), (Counts, vec![]), (Surplus, vec![28])]),
        (
            "a place given up",
            &two,
            freed,
            vec![(Counts, vec![]), (Stands::TakenOut, vec![]), (Counts, vec![])],
        ),
    ];
    for (why, plan, facts, expected) in cases {
        assert_eq!(stand(plan, &facts), expected, "{why}");
    }
}

#[test]
fn kind_02_a_tap_that_cannot_count_opens_no_window_for_one_that_can() {
    use Stands::{Counts, Doubtful, Merged, NotRunning, TakenOut};
    let early = |at: i64, tap_s: u64| {
        let mut fact = check_in(1, 1, at);
        fact.tap.mono_ns = tap_s * 1_000_000_000;
        fact
    };
    let wide = CheckIn { lo: s(-1_000), t: s(-1_000), ..check_in(1, 1, 10) };
    let free = (Counts, vec![]);
    let cases = [
        (
            "before the doors open",
            vec![early(-10, 0), check_in(1, 2, 20)],
            vec![(NotRunning, vec![28]), free.clone()],
        ),
        ("of doubtful time", vec![wide, check_in(1, 2, 20)], vec![(Doubtful, vec![18]), free.clone()]),
        (
            "taken out, but it could not count anyway",
            vec![pinned(false, early(-10, 0)), check_in(1, 2, 20)],
            vec![(TakenOut, vec![]), free.clone()],
        ),
        (
            "after the doors closed it is still a repeat",
            vec![check_in(1, 1, HOUR_S - 10), check_in(1, 2, HOUR_S + 10)],
            vec![free, (Merged(id(1, 1)), vec![2])],
        ),
    ];
    for plan in [plan(), Plan { admits_once: false, ..plan() }] {
        for (why, facts, expected) in &cases {
            assert_eq!(&stand(&plan, facts), expected, "{why}");
        }
    }
}

#[test]
fn kind_18_a_check_in_on_the_edge_counts_if_narrow_and_waits_if_wide() {
    let spanning = |width: i64| CheckIn { lo: s(-width), hi: s(0), t: s(-width), ..check_in(1, 1, 0) };
    assert_eq!(stand(&plan(), &[spanning(900)]), [(Stands::Counts, vec![18])]);
    assert_eq!(stand(&plan(), &[spanning(901)]), [(Stands::Doubtful, vec![18])]);
    assert_eq!(stand(&plan(), &[pinned(true, spanning(901))]), [(Stands::Counts, vec![18])]);
    let sure = check_in(2, 1, 10);
    let expected = [(Stands::Doubtful, vec![18]), (Stands::Counts, vec![])];
    assert_eq!(stand(&plan(), &[spanning(901), sure]), expected, "what is sure does not wait");
}

#[test]
fn kind_04_where_exits_are_counted_a_return_is_no_second_admission() {
    let rule = StayRule { starts: s(0), ends: s(HOUR_S), longest_us: None, over: true };
    let gates = Plan { stays: Some(rule), ..plan() };
    let out = |fact: CheckIn| CheckIn { way: Passage::Out, ..fact };
    let facts = [check_in(1, 1, 10), out(check_in(1, 2, 100)), check_in(2, 1, 200), out(check_in(2, 2, 300))];
    let expected =
        [Stands::Counts, Stands::Exit, Stands::Returned, Stands::Exit].map(|stands| (stands, vec![]));
    assert_eq!(stand(&gates, &facts), expected);
    let expected = [(Stands::Counts, vec![4, 27]), (Stands::AlsoSeen, vec![4, 27]), (Stands::Exit, vec![])];
    assert_eq!(stand(&gates, &[facts[0].clone(), facts[2].clone(), facts[3].clone()]), expected, "in twice");
}

#[test]
fn rule_k26_an_occurrence_runs_while_it_is_approved_within_its_plan() {
    use OccurrenceState::{Approved, Ended, Planned};
    let row = |state: OccurrenceState| OccurrenceRow {
        occurrence: OccurrenceId([9; 16]),
        activity: ActivityId([9; 16]),
        name: Words { zh: "沙龙".to_owned(), en: "salon".to_owned() },
        starts: s(100),
        ends: s(1_000),
        state,
        admits_once: true,
        exits: false,
        gifts: Vec::new(),
        guests: Vec::new(),
        points: Amount(5),
        places: None,
        offices: vec![],
        audience: Audience::default(),
    };
    let cases = [
        (Planned, vec![], vec![]),
        (Approved, vec![], vec![(s(100), s(1_000))]),
        (Ended, vec![], vec![(s(100), s(1_000))]),
        (Ended, vec![(s(0), Approved), (s(500), Ended)], vec![(s(100), s(500))]),
        (Approved, vec![(s(0), Planned), (s(300), Approved)], vec![(s(300), s(1_000))]),
        (Approved, vec![(s(0), Approved), (s(300), Approved)], vec![(s(100), s(1_000))]),
        (
            Approved,
            vec![(s(0), Approved), (s(200), Ended), (s(400), Approved)],
            vec![(s(100), s(200)), (s(400), s(1_000))],
        ),
    ];
    for (state, changes, open) in cases {
        assert_eq!(Plan::of(&row(state), &changes, None).open, open, "{state:?} {changes:?}");
    }
}

#[test]
fn two_pins_that_break_the_bound_cannot_be_saved() {
    let facts = [pinned(true, check_in(1, 1, 20)), pinned(true, check_in(2, 1, 10))];
    let error = check_pins(&plan(), &facts).expect_err("one admission");
    assert_eq!(error, PinError::TwoAdmissions { member: member(1), first: id(2, 1), second: id(1, 1) });
    assert_eq!(check_pins(&Plan { admits_once: false, ..plan() }, &facts), Ok(()));
    let full = Plan { places: Some(1), ..plan() };
    let facts = [pinned(true, of(1, check_in(1, 1, 20))), pinned(true, of(2, check_in(2, 1, 10)))];
    let error = check_pins(&full, &facts).expect_err("one place");
    assert_eq!(error.to_string(), "facts of 2 members are fixed to count, the occurrence has 1 places");
}

fn any_fact() -> impl Strategy<Value = CheckIn> {
    let pin = proptest::option::weighted(0.2, any::<bool>());
    (0..3_u8, 0..6_u64, 0..4_u8, -600..HOUR_S + 600, 0..1_500_i64, pin, any::<bool>()).prop_map(
        |(device, seq, who, at, width, pin, out)| CheckIn {
            hi: s(at + width),
            way: if out { Passage::Out } else { Passage::In },
            pin,
            ..of(who, check_in(device, seq, at))
        },
    )
}

proptest! {
    #[test]
    fn inv_19_check_ins_are_judged_as_a_set_within_their_bounds(
        mut facts in proptest::collection::vec(any_fact(), 0..18),
        once in any::<bool>(),
        places in proptest::option::of(1..3_u32),
        gates in any::<bool>(),
        by in 0..18_usize,
    ) {
        facts.sort_by_key(|fact| fact.id);
        facts.dedup_by_key(|fact| fact.id);
        let rule = StayRule { starts: s(0), ends: s(HOUR_S), longest_us: None, over: true };
        let plan = Plan { admits_once: once, places, stays: gates.then_some(rule), ..plan() };
        let judged = judge_occurrence(&plan, &facts);
        let mut turned = facts.clone();
        turned.reverse();
        if !turned.is_empty() {
            let by = by % turned.len();
            turned.rotate_left(by);
        }
        prop_assert_eq!(&judge_occurrence(&plan, &turned), &judged);
        prop_assert_eq!(judged.verdicts.len(), facts.len(), "every fact has one verdict");
        let members: BTreeSet<MemberId> = judged.credits.iter().map(|credit| credit.member).collect();
        if check_pins(&plan, &facts).is_ok() {
            prop_assert!(places.is_none_or(|places| members.len() <= places as usize));
            prop_assert!(!once || members.len() == judged.credits.len());
            for fact in facts.iter().filter(|fact| fact.pin == Some(true) && fact.way == Passage::In) {
                prop_assert_eq!(judged.verdicts[&fact.id].stands, Stands::Counts, "a pin is a constraint");
            }
        }
    }

    #[test]
    fn kind_27_a_further_check_in_may_move_the_credit_but_never_takes_it(
        mut facts in proptest::collection::vec(any_fact(), 1..18),
        once in any::<bool>(),
        gates in any::<bool>(),
    ) {
        facts.sort_by_key(|fact| (fact.id, fact.t));
        facts.dedup_by_key(|fact| fact.id);
        facts.iter_mut().for_each(|fact| fact.pin = None);
        let rule = StayRule { starts: s(0), ends: s(HOUR_S), longest_us: None, over: true };
        let plan = Plan { admits_once: once, stays: gates.then_some(rule), ..plan() };
        let members = |facts: &[CheckIn]| -> BTreeSet<MemberId> {
            judge_occurrence(&plan, facts).credits.iter().map(|credit| credit.member).collect()
        };
        let all = members(&facts);
        for left_out in 0..facts.len() {
            let mut fewer = facts.clone();
            fewer.remove(left_out);
            prop_assert!(members(&fewer).is_subset(&all), "without {left_out} there was more");
        }
    }
}
