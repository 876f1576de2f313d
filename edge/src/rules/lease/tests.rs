//! Case tables of the terminal's lease rules, and a random walk of everything that can reach it.

use hufu_shared::fact::LeaseClosed;
use hufu_shared::money::Unit;
use hufu_shared::wire::version::Version;
use proptest::prelude::*;

use super::*;

const HOUR_NS: u64 = 3_600 * NS_PER_S;
const DEVICE: DeviceId = DeviceId([1; 16]);
const MEMBER: MemberId = MemberId([2; 16]);
const LEASE: LeaseId = LeaseId([3; 16]);
const OTHER_LEASE: LeaseId = LeaseId([4; 16]);
const TERMS: LeaseTerms = LeaseTerms { ttl_s: 24 * 3_600, reboot_cost_s: 2 * 3_600, reboots_max: 3 };
const EPOCH: CentralEpoch = CentralEpoch { n: 2, bits: 7 };
const AT: Receiving = Receiving { device: DEVICE, enrolment: 1, epoch: EPOCH, now_ns: 0 };
const NOW: SpendingNow =
    SpendingNow { member: MEMBER, enrolment: 1, now_ns: HOUR_NS, blocked: false, frozen: false };

fn version(n: u64) -> Version {
    Version { epoch: EPOCH.n, n }
}

fn state(generation: u32, granted: i64, n: u64) -> LeaseState {
    LeaseState {
        lease: LEASE,
        generation,
        device: DEVICE,
        member: MEMBER,
        unit: Unit::Pts,
        granted_total: Amount(granted),
        terms: TERMS,
        version: version(n),
        signature: vec![9; 64],
    }
}

fn stored(holdings: &[Holding], state: &LeaseState) -> Holding {
    match take_state(holdings, state, AT) {
        Taken::Store(holding) => holding,
        other => panic!("expected to be stored, met {other:?}"),
    }
}

fn holding(generation: u32, granted: i64, spent: i64) -> Holding {
    Holding { spent_total: Amount(spent), ..stored(&[], &state(generation, granted, 5)) }
}

fn pts(amount: i64) -> Leg {
    Leg { unit: Unit::Pts, amount: Amount(amount) }
}

#[test]
fn a_state_is_stored_only_if_nothing_speaks_against_it() {
    let held = Holding { spent_total: Amount(30), ..stored(&[], &state(3, 100, 5)) };
    let closed = Holding { closed: true, ..held.clone() };
    let of = |change: fn(&mut LeaseState)| {
        let mut state = state(3, 120, 6);
        change(&mut state);
        state
    };
    let cases: [(&str, &Holding, LeaseState, Ignored); 10] = [
        ("the same again", &held, state(3, 100, 5), Ignored::NotNewer),
        ("an older raise, late", &held, state(3, 120, 4), Ignored::NotNewer),
        ("another device", &held, of(|s| s.device = DeviceId([8; 16])), Ignored::OtherDevice),
        ("an older epoch", &held, of(|s| s.version.epoch = 1), Ignored::OlderEpoch),
        ("an epoch not learned", &held, of(|s| s.version.epoch = 3), Ignored::UnknownEpoch),
        ("a generation before", &held, of(|s| s.generation = 2), Ignored::OlderGeneration),
        ("a grant that shrinks", &held, of(|s| s.granted_total = Amount(99)), Ignored::Contradicts),
        ("a grant below zero", &held, of(|s| s.granted_total = Amount(-1)), Ignored::Contradicts),
        ("another member", &held, of(|s| s.member = MemberId([8; 16])), Ignored::Contradicts),
        ("a raise of what is closed", &closed, of(|_| ()), Ignored::ClosedGeneration),
    ];
    for (name, held, state, why) in cases {
        assert_eq!(take_state(std::slice::from_ref(held), &state, AT), Taken::Ignore(why), "{name}");
    }
    let raised = stored(std::slice::from_ref(&held), &of(|_| ()));
    assert_eq!((raised.state.granted_total, raised.spent_total), (Amount(120), Amount(30)));
    assert_eq!(raised.left(), Amount(90));
}

#[test]
fn a_new_generation_waits_until_the_open_one_is_closed_in_the_chain() {
    let open = holding(3, 100, 30);
    let next = state(4, 50, 9);
    let expected = LeaseClosed { lease: LEASE, generation: 3, spent_total: Amount(30) };
    assert_eq!(take_state(std::slice::from_ref(&open), &next, AT), Taken::CloseFirst(expected.clone()));
    let (fact, closed) = close(&open, 17).expect("it was open");
    assert_eq!((fact, closed.last_fact, closed.left()), (expected, Some(17), Amount::ZERO));
    assert_eq!(close(&closed, 18), None, "a generation is closed once");
    let fresh = stored(&[closed], &next);
    assert_eq!((fresh.spent_total, fresh.left(), fresh.closed), (Amount::ZERO, Amount(50), false));
}

#[test]
fn another_lease_of_the_same_member_and_unit_closes_the_open_one_first() {
    let open = holding(3, 100, 30);
    let other = LeaseState { lease: OTHER_LEASE, ..state(1, 50, 9) };
    assert!(matches!(take_state(std::slice::from_ref(&open), &other, AT), Taken::CloseFirst(_)));
    let money = LeaseState { unit: Unit::Cny, ..other };
    assert!(matches!(take_state(&[open], &money, AT), Taken::Store(_)), "another unit is another purse");
}

#[test]
fn case_75_a_spend_takes_all_its_legs_or_none() {
    let points = holding(3, 100, 30);
    let money = Holding {
        state: LeaseState { lease: OTHER_LEASE, unit: Unit::Cny, ..state(1, 500, 5) },
        ..holding(1, 500, 0)
    };
    let fen = |amount| Leg { unit: Unit::Cny, amount: Amount(amount) };
    let both = [points.clone(), money];
    let uses = may_spend(&both, &[pts(70), fen(500)], NOW).expect("just enough");
    assert_eq!(uses.iter().map(|used| used.spent_total.0).collect::<Vec<_>>(), [100, 500]);
    let refusals: [(&[Leg], SpendingNow, CannotSpend); 7] = [
        (&[pts(70), fen(501)], NOW, leg(1, Unit::Cny, Shortage::TooSmall { left: Amount(500) })),
        (&[pts(71)], NOW, leg(0, Unit::Pts, Shortage::TooSmall { left: Amount(70) })),
        (&[Leg { unit: Unit::Growth, amount: Amount(1) }], NOW, leg(0, Unit::Growth, Shortage::NoLease)),
        (&[pts(1)], SpendingNow { blocked: true, ..NOW }, CannotSpend::Blocked),
        (&[pts(1)], SpendingNow { frozen: true, ..NOW }, CannotSpend::Frozen),
        (&[pts(1)], SpendingNow { enrolment: 2, ..NOW }, leg(0, Unit::Pts, Shortage::EarlierEnrolment)),
        (&[pts(1)], SpendingNow { now_ns: 24 * HOUR_NS, ..NOW }, leg(0, Unit::Pts, Shortage::Expired)),
    ];
    for (legs, now, refusal) in refusals {
        assert_eq!(may_spend(&both, legs, now), Err(refusal), "{legs:?}");
    }
    for legs in [vec![], vec![pts(0)], vec![pts(-5)], vec![pts(i64::MIN)], vec![pts(4), pts(3)]] {
        assert_eq!(may_spend(&both, &legs, NOW), Err(CannotSpend::NoAmount), "{legs:?}");
    }
    let huge = may_spend(&both, &[pts(i64::MAX)], NOW);
    assert_eq!(huge, Err(leg(0, Unit::Pts, Shortage::TooSmall { left: Amount(70) })), "no overflow");
    let member = SpendingNow { member: MemberId([8; 16]), ..NOW };
    assert_eq!(may_spend(&[points], &[pts(1)], member), Err(leg(0, Unit::Pts, Shortage::NoLease)));
}

fn leg(at: usize, unit: Unit, why: Shortage) -> CannotSpend {
    CannotSpend::Leg { at, unit, why }
}

#[test]
fn a_use_moves_only_its_own_open_holding_and_only_forward() {
    let held = holding(3, 100, 30);
    let used = |generation, total| LeaseUse {
        lease: LEASE,
        generation,
        spent_total: Amount(total),
        state: version(5),
    };
    let after = spent(&held, &used(3, 45), 12).expect("its own");
    assert_eq!((after.spent_total, after.last_fact), (Amount(45), Some(12)));
    assert_eq!(spent(&held, &used(4, 45), 12), None, "another generation");
    assert_eq!(spent(&held, &used(3, 29), 12), None, "the counter only grows");
    assert_eq!(spent(&held, &used(3, 101), 12), None, "never above the grant");
    assert_eq!(spent(&Holding { closed: true, ..held }, &used(3, 45), 12), None, "never once closed");
}

#[test]
fn a_recall_names_one_generation_and_does_nothing_for_another() {
    let held = [holding(3, 100, 30)];
    assert_eq!(named(&held, LEASE, 3), Some(&held[0]));
    for (lease, generation) in [(LEASE, 2), (LEASE, 4), (OTHER_LEASE, 3)] {
        assert_eq!(named(&held, lease, generation), None);
    }
    let closed = [close(&held[0], 4).expect("it was open").1];
    assert_eq!(named(&closed, LEASE, 3), None);
}

#[test]
fn age_counts_on_the_terminals_own_clock() {
    let age = Age::received(5 * HOUR_NS);
    assert!(!age.expired(&TERMS, 28 * HOUR_NS));
    assert!(age.expired(&TERMS, 29 * HOUR_NS), "24 h after 5 h");
    assert_eq!(age.elapsed_ns(0), 0, "a clock that went back adds nothing");
    let counted = age.counted(9 * HOUR_NS);
    assert_eq!((counted.counted_ns, counted.elapsed_ns(10 * HOUR_NS)), (4 * HOUR_NS, 5 * HOUR_NS));
}

#[test]
fn a_reboot_without_a_battery_clock_costs_a_fixed_part_and_only_three_are_borne() {
    let mut age = Age::received(0).counted(HOUR_NS);
    for reboot in 1..=3 {
        age = age.on_boot(&TERMS, PoweredOff::Unknown, 0);
        assert_eq!((age.reboots, age.elapsed_ns(0)), (reboot, HOUR_NS + u64::from(reboot) * 2 * HOUR_NS));
        assert!(!age.expired(&TERMS, 0));
    }
    assert!(age.on_boot(&TERMS, PoweredOff::Unknown, 0).expired(&TERMS, 0), "the fourth ends it");
}

#[test]
fn a_battery_clock_measures_the_time_powered_off_unless_it_went_back() {
    let off = PoweredOff::from_battery_clock(Some(10), Some(10 + 3_600_000_000 * 5));
    assert_eq!(off, PoweredOff::Measured { off_ns: 5 * HOUR_NS });
    let age = Age::received(0).counted(HOUR_NS).on_boot(&TERMS, off, 7);
    assert_eq!((age.reboots, age.elapsed_ns(7)), (0, 6 * HOUR_NS));
    assert!(age.on_boot(&TERMS, PoweredOff::Measured { off_ns: 18 * HOUR_NS }, 0).expired(&TERMS, 0));
    for (last, now) in
        [(Some(10), Some(9)), (None, Some(9)), (Some(10), None), (Some(i64::MIN), Some(i64::MAX))]
    {
        assert_eq!(PoweredOff::from_battery_clock(last, now), PoweredOff::Unknown, "{last:?} {now:?}");
    }
}

#[test]
fn a_new_state_is_young_again() {
    let old = Holding {
        age: Age { counted_ns: 30 * HOUR_NS, counted_at_ns: 0, reboots: 3 },
        ..holding(3, 100, 30)
    };
    assert_eq!(
        spendable(std::slice::from_ref(&old), Unit::Pts, NOW),
        Amount::ZERO,
        "expired, yet not released"
    );
    assert_eq!(old.left(), Amount(70), "its rest stays set aside");
    let fresh = stored(&[old], &state(3, 100, 6));
    assert_eq!(spendable(&[fresh], Unit::Pts, NOW), Amount(70));
}

#[test]
fn a_newer_epoch_is_stored_first_and_an_older_one_is_not_obeyed() {
    let epoch = |n, bits| CentralEpoch { n, bits };
    assert_eq!(learn_epoch(None, epoch(4, 1)), EpochHeard::Store(epoch(4, 1)));
    let known = Some(epoch(4, 1));
    for (heard, what) in [
        (epoch(4, 1), EpochHeard::Known),
        (epoch(5, 0), EpochHeard::Store(epoch(5, 0))),
        (epoch(3, 9), EpochHeard::Obsolete),
        (epoch(4, 2), EpochHeard::Obsolete),
    ] {
        assert_eq!(learn_epoch(known, heard), what, "{heard:?}");
    }
}

#[test]
fn a_lease_of_an_older_epoch_stays_spendable_and_is_reported() {
    let old = Holding {
        state: LeaseState { version: Version { epoch: 1, n: 8 }, ..state(3, 100, 8) },
        ..holding(3, 100, 30)
    };
    assert!(may_spend(std::slice::from_ref(&old), &[pts(70)], NOW).is_ok());
    let closed =
        |generation, last| Holding { closed: true, last_fact: Some(last), ..holding(generation, 10, 5) };
    let all = [old, closed(2, 40), closed(1, 39)];
    let generations = |oldest| report(&all, oldest).iter().map(|state| state.generation).collect::<Vec<_>>();
    assert_eq!(generations(1), [1, 2, 3]);
    assert_eq!(generations(40), [2, 3], "facts below 40 are gone, and with them the need to explain them");
    assert_eq!(generations(99), [3], "an open one may be spent the moment after");
    assert_eq!(forgettable(&all, 40), [(LEASE, 1)]);
    assert_eq!(forgettable(&all[1..], 99), [(LEASE, 1)], "the newest closed one is remembered for ever");
}

/// Everything that can reach a terminal, in any order.
#[derive(Debug, Clone)]
enum Happens {
    State { generation: u32, granted: i64, n: u64, epoch: u32 },
    Recall(u32),
    Spend(i64),
    Boot(bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1u32..4, 0i64..40, 1u64..12, 1u32..4)
            .prop_map(|(generation, granted, n, epoch)| Happens::State { generation, granted, n, epoch }),
        1 => (1u32..4).prop_map(Happens::Recall),
        4 => (1i64..15).prop_map(Happens::Spend),
        1 => any::<bool>().prop_map(Happens::Boot),
    ]
}

/// A terminal, with what it appended: (generation, counter after, closes).
#[derive(Default)]
struct Walker {
    held: Vec<Holding>,
    facts: Vec<(u32, Amount, bool)>,
}

impl Walker {
    fn put(&mut self, fresh: Holding) {
        self.held.retain(|old| old.state.generation != fresh.state.generation);
        self.held.push(fresh);
    }

    fn close(&mut self, generation: u32) {
        let seq = self.facts.len() as u64 + 1;
        let Some((fact, after)) = named(&self.held, LEASE, generation).and_then(|held| close(held, seq))
        else {
            return;
        };
        self.facts.push((generation, fact.spent_total, true));
        self.put(after);
    }

    fn step(&mut self, what: &Happens) {
        match what {
            Happens::State { generation, granted, n, epoch } => {
                let version = Version { epoch: *epoch, n: *n };
                let state = LeaseState { version, ..state(*generation, *granted, 0) };
                match take_state(&self.held, &state, AT) {
                    Taken::Store(holding) => self.put(holding),
                    Taken::CloseFirst(fact) => self.close(fact.generation),
                    Taken::Ignore(_) => {}
                }
            }
            Happens::Recall(generation) => self.close(*generation),
            Happens::Spend(amount) => {
                let Ok(uses) = may_spend(&self.held, &[pts(*amount)], NOW) else { return };
                let held = named(&self.held, uses[0].lease, uses[0].generation).expect("it pays").clone();
                let seq = self.facts.len() as u64 + 1;
                self.put(spent(&held, &uses[0], seq).expect("what may be spent can be spent"));
                self.facts.push((uses[0].generation, uses[0].spent_total, false));
            }
            Happens::Boot(clock) => {
                let off = if *clock { PoweredOff::Measured { off_ns: 1 } } else { PoweredOff::Unknown };
                for held in &mut self.held {
                    held.age = held.age.on_boot(&held.state.terms, off, 0);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn inv_10_no_order_of_states_recalls_and_reboots_overspends_or_reopens(
        story in proptest::collection::vec(happens(), 1..60),
    ) {
        let mut terminal = Walker::default();
        let mut before: Vec<Holding> = Vec::new();
        for what in &story {
            terminal.step(what);
            let open = terminal.held.iter().filter(|held| !held.closed).count();
            prop_assert!(open <= 1, "one purse, one open right");
            for held in &terminal.held {
                prop_assert!(held.spent_total >= Amount::ZERO && held.spent_total <= held.state.granted_total);
                let same = |old: &&Holding| old.state.generation == held.state.generation;
                if let Some(old) = before.iter().find(same) {
                    prop_assert!(old.spent_total <= held.spent_total && old.state.version <= held.state.version);
                    prop_assert!(old.state.granted_total <= held.state.granted_total);
                    prop_assert!(!old.closed || held.closed, "a closed generation never opens again");
                }
            }
            before.clone_from(&terminal.held);
        }
        // The chain tells it all: counters grow, nothing follows a close, generations only go up.
        for pair in terminal.facts.windows(2) {
            let ((earlier, total, closes), (later, next, _)) = (pair[0], pair[1]);
            prop_assert!(later > earlier || (later == earlier && !closes && next >= total));
        }
    }
}
