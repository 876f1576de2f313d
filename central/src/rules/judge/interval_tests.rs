//! A device with a true clock that only the test knows, beside what the judge makes of its deliveries.

use super::*;
use proptest::prelude::*;

const START: Instant = Instant(1_780_000_000 * SECOND_US);

fn s(seconds: i64) -> Instant {
    START.offset(seconds * SECOND_US)
}

fn mono(seconds: u64) -> u64 {
    seconds * 1_000_000_000
}

fn timed(seq: u64, boot: u64, at_s: u64, received: Instant) -> Timed {
    Timed { seq, boot, mono_ns: mono(at_s), wall: received, received }
}

/// Numbers that look random and follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).expect("low is below high");
        low + i64::try_from(self.below(span)).expect("a small span")
    }
}

/// A device and the centre's knowledge of it.
struct World {
    dice: Dice,
    /// True time, and the device's monotonic clock with its present error.
    now: Instant,
    mono_ns: i64,
    drift_ppm: i64,
    boots: Vec<Boot>,
    line: Line,
    heard: Option<(Instant, u64)>,
    /// Facts with their true time; the first `sent` of them are at the centre.
    facts: Vec<(Timed, Instant)>,
    sent: usize,
    shown: Vec<Placed>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            now: START,
            mono_ns: 0,
            drift_ppm: 0,
            boots: Vec::new(),
            line: Line::new(START),
            heard: None,
            facts: Vec::new(),
            sent: 0,
            shown: Vec::new(),
        };
        world.reboot();
        world
    }

    fn pass(&mut self, us: i64) {
        self.now = self.now.offset(us);
        self.mono_ns += us * 1_000 + us * self.drift_ppm / 1_000;
    }

    fn mono(&self) -> u64 {
        u64::try_from(self.mono_ns).expect("the clock began at zero")
    }

    fn record(&mut self) {
        let seq = self.facts.len() as u64 + 1;
        let boot = self.boots.last().map_or(seq, |boot| boot.seq);
        // The wall may say anything: no battery, a stepped clock, a wrong year.
        let wall = Instant(self.dice.between(0, START.0 * 2));
        let fact = Timed { seq, boot, mono_ns: self.mono(), wall, received: START };
        self.facts.push((fact, self.now));
    }

    fn reboot(&mut self) {
        let off = self.dice.between(1, 86_400 * SECOND_US);
        self.now = self.now.offset(off);
        let floor = self.heard.map(|heard| heard.0).filter(|_| self.dice.below(2) == 0);
        (self.mono_ns, self.heard) = (0, None);
        self.drift_ppm = self.dice.between(-200, 201);
        let start = self.dice.between(0, 20 * SECOND_US);
        self.pass(start);
        let seq = self.facts.len() as u64 + 1;
        self.boots.push(Boot { seq, signed_floor: floor, samples: Vec::new() });
        self.record();
    }

    fn deliver(&mut self) {
        let sent_mono_ns = self.mono();
        let before = self.heard;
        let latency = self.dice.between(1_000, 3 * SECOND_US);
        self.pass(latency);
        let received = self.now;
        let count = usize::try_from(self.dice.below(40)).expect("a small number");
        let until = (self.sent + count).min(self.facts.len());
        let sample = Sample { sent_mono_ns, received, heard: before };
        let newest = self.boots.len() - 1;
        let old = self.line.solve();
        if self.line.counts(self.boots[newest].seq, sample) {
            self.boots[newest].samples.push(sample);
            self.line.sample(self.boots[newest].seq, sample);
        }
        for (fact, _) in &mut self.facts[self.sent..until] {
            fact.received = received;
            self.line.fact(fact.boot, fact.mono_ns);
        }
        // A boot's signed floor comes with its first fact, and its seq was known with its first sample.
        for boot in self.boots.iter().filter(|boot| boot.seq <= until as u64) {
            self.line.boot(boot.seq, boot.signed_floor);
        }
        self.sent = until;
        let latency = self.dice.between(1_000, SECOND_US);
        self.pass(latency);
        self.heard = Some((received, self.mono()));
        self.check(&old);
    }

    fn known_boots(&self) -> Vec<Boot> {
        let known = |boot: &&Boot| boot.seq <= self.sent as u64 || !boot.samples.is_empty();
        let floor = |boot: &Boot| boot.signed_floor.filter(|_| boot.seq <= self.sent as u64);
        let said = |boot: &Boot| Boot { signed_floor: floor(boot), ..boot.clone() };
        self.boots.iter().filter(known).map(said).collect()
    }

    fn check(&mut self, old: &Solved) {
        let facts: Vec<Timed> = self.facts[..self.sent].iter().map(|row| row.0).collect();
        let mut boots = self.known_boots();
        let all = place_all(START, &boots, &facts, &BTreeMap::new());
        for (placed, (fact, truth)) in all.iter().zip(&self.facts) {
            assert!(placed.lo <= *truth && *truth <= placed.hi, "{placed:?} of {fact:?} misses {truth:?}");
            assert!(placed.t <= *truth, "t runs ahead of true time");
        }
        assert!(all.windows(2).all(|pair| pair[0].t <= pair[1].t), "t runs back in order of seq");
        for (earlier, later) in self.shown.iter().zip(&all) {
            assert!(earlier.t <= later.t && earlier.lo <= later.lo, "t fell when more became known");
            assert!(earlier.hi >= later.hi, "an interval widened");
        }
        let solved = self.line.solve();
        assert_eq!(place_from(&solved, &facts, &BTreeMap::new(), None), all, "kept from entry to entry");
        let first = old.differs_from(&solved).unwrap_or(u64::MAX);
        let moved_seqs: Vec<u64> = moved(&self.shown, &all).iter().map(|placed| placed.id).collect();
        assert!(moved_seqs.iter().all(|seq| *seq >= first), "{moved_seqs:?} moved, said to begin at {first}");
        boots.reverse();
        boots.iter_mut().for_each(|boot| boot.samples.reverse());
        let turned: Vec<Timed> = facts.iter().rev().copied().collect();
        assert_eq!(place_all(START, &boots, &turned, &BTreeMap::new()), all, "order of input");
        self.shown = all;
    }

    fn step(&mut self) {
        match self.dice.below(12) {
            0 => self.reboot(),
            1..=3 => self.deliver(),
            4 => {
                let long = self.dice.between(0, 20 * 86_400 * SECOND_US);
                self.pass(long);
            }
            5 => self.drift_ppm = self.dice.between(-200, 201),
            _ => {
                let short = self.dice.between(0, 3_600 * SECOND_US);
                self.pass(short);
                self.record();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 4 } else { 64 }))]

    #[test]
    fn inv_16_intervals_contain_true_time_and_t_never_falls(seed in any::<u64>()) {
        let mut world = World::new(seed);
        for _ in 0..120 {
            world.step();
        }
        world.deliver();
    }
}

#[test]
fn inv_16_a_boot_without_contact_lies_between_its_neighbours() {
    let sample = |sent: u64, received: i64, heard: Option<(i64, u64)>| Sample {
        sent_mono_ns: mono(sent),
        received: s(received),
        heard: heard.map(|(time, at)| (s(time), mono(at))),
    };
    let boots = [
        Boot {
            seq: 1,
            signed_floor: None,
            samples: vec![sample(10, 110, None), sample(20, 120, Some((110, 11)))],
        },
        Boot { seq: 3, signed_floor: None, samples: vec![] },
        Boot { seq: 5, signed_floor: None, samples: vec![sample(5, 1_005, None)] },
    ];
    let facts = [
        timed(1, 1, 0, s(110)),
        timed(2, 1, 30, s(1_005)),
        timed(3, 3, 0, s(1_005)),
        timed(4, 3, 100, s(1_005)),
        timed(5, 5, 0, s(1_005)),
    ];
    let placed = place_all(START, &boots, &facts, &BTreeMap::new());
    let seconds: Vec<(i64, i64)> = placed
        .iter()
        .map(|placed| {
            ((placed.lo.since(START) + 500_000) / SECOND_US, (placed.hi.since(START) + 500_000) / SECOND_US)
        })
        .collect();
    assert_eq!(seconds, [(99, 100), (129, 130), (129, 900), (229, 1_000), (229, 1_000)]);
    let open: Vec<bool> = placed.iter().map(|placed| placed.provisional).collect();
    assert_eq!(open, [false, false, true, true, true], "the last boot has not heard the centre");
}

#[test]
fn inv_16_what_is_settled_stays() {
    let facts = [timed(1, 1, 0, s(900)), timed(2, 1, 10, s(900))];
    let before = place_all(START, &[], &facts, &BTreeMap::new());
    let settled = BTreeMap::from([(1, before[0])]);
    let heard = Sample { sent_mono_ns: mono(20), received: s(910), heard: Some((s(900), mono(15))) };
    let boots = [Boot { seq: 1, signed_floor: None, samples: vec![heard] }];
    let after = place_all(START, &boots, &facts, &settled);
    assert_eq!((after[0].t, after[0].hi), (before[0].t, before[0].hi));
    assert!(!after[0].provisional);
    assert!(after[1].t > before[1].t);
    assert_eq!(moved(&before, &after).iter().map(|placed| placed.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn inv_16_a_sample_counts_if_it_narrows_by_more_than_a_second() {
    let mut line = Line::new(START);
    let sample = |sent: u64, received_us: i64, heard: Option<(i64, u64)>| Sample {
        sent_mono_ns: mono(sent),
        received: START.offset(received_us),
        heard: heard.map(|(time_us, at)| (START.offset(time_us), mono(at))),
    };
    let first = sample(10, 100 * SECOND_US, None);
    assert!(line.counts(1, first));
    line.sample(1, first);
    let cases = [
        (sample(20, 110 * SECOND_US, None), false, "says the same"),
        (sample(20, 109_100_000, None), false, "narrows by less than a second"),
        (sample(20, 108_900_000, None), true, "narrows from above"),
        (sample(20, 115 * SECOND_US, Some((100_000_000, 12))), true, "the first bound from below"),
        (sample(20_000, 20_090 * SECOND_US, None), true, "drift had widened the bound again"),
    ];
    for (sample, expected, why) in cases {
        assert_eq!(line.counts(1, sample), expected, "{why}");
    }
}

#[test]
fn kind_18_an_interval_on_an_edge_is_read_in_the_members_favour_if_narrow() {
    let cases = [
        (100, 200, Timing::Within, "inside"),
        (0, 99, Timing::Outside, "before"),
        (1_000, 1_100, Timing::Outside, "from the end on"),
        (50, 100, Timing::Favoured, "touches the start"),
        (100 - 900, 100, Timing::Favoured, "15 minutes wide"),
        (100 - 901, 100, Timing::Doubtful, "wider"),
        (999, 1_000, Timing::Favoured, "touches the end"),
        (0, 2_000, Timing::Doubtful, "around all of it"),
    ];
    for (lo, hi, expected, why) in cases {
        assert_eq!(timing(s(lo), s(hi), s(100), s(1_000)), expected, "{why}");
    }
    assert_eq!(timing(s(0), s(1), s(5), s(5)), Timing::Outside, "an empty span holds nothing");
}

#[test]
fn kind_19_a_clock_beyond_tolerance_is_a_fault_and_effects_use_the_time_as_judged() {
    let wall = |at: i64| Timed { wall: s(at), ..timed(1, 1, 0, s(1_000)) };
    let cases = [
        (wall(500), None, "plausible"),
        (wall(1_300), None, "ahead within tolerance"),
        (wall(1_301), Some(ClockFault::Future), "ahead"),
        (wall(-300), None, "behind within tolerance"),
        (wall(-301), Some(ClockFault::BeforeEnrolment), "behind"),
    ];
    for (fact, expected, why) in cases {
        let placed = place_all(START, &[], &[fact], &BTreeMap::new());
        assert_eq!(placed[0].fault, expected, "{why}");
        assert!(START <= placed[0].lo && placed[0].hi <= s(1_000), "{why}");
    }
    let lying = Sample { sent_mono_ns: mono(10), received: s(1_000), heard: Some((s(9_999), mono(1))) };
    let boots = [Boot { seq: 1, signed_floor: None, samples: vec![lying] }];
    let facts = [timed(1, 1, 0, s(1_000)), timed(2, 1, 500, s(2_000))];
    let placed = place_all(START, &boots, &facts, &BTreeMap::new());
    assert_eq!(placed.iter().map(|placed| placed.fault).collect::<Vec<_>>(), [Some(ClockFault::Future); 2]);
    assert_eq!(placed[0].t, s(1_000), "one lie is capped where the fact was received");
}
