//! When facts happened (I16): terminals whose clocks drift and jump and that start again, and facts that lie elsewhere
//! once a clock is known better.

use hufu_shared::act::Act;
use hufu_shared::chain;
use hufu_shared::fact::{Booted, Event, FACT_FORMAT, Fact, Shown, Visited};
use hufu_shared::ids::{BootId, DeviceId, EntryId, Hash};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::time::{ClockQuality, DAY_US, Instant, SECOND_US};
use hufu_shared::wire::upload::Heard;
use hufu_shared::wire::version::Version;

use super::kit::*;
use super::order::normal_form;
use crate::db::testing::each;
use crate::db::{Db, Row};
use crate::rules::entry::{ClockSample, EntryBody, TakenBatch, TakenSample};
use crate::store::verify::verify;
use crate::store::{StoreError, acts, journal};

/// Numbers that look random and follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// A terminal beside the true time, which only the test knows.
struct Drifting {
    dice: Dice,
    now: Instant,
    mono_ns: i64,
    drift_ppm: i64,
    boot: u64,
    heard: Option<Heard>,
    head: Hash,
    bodies: Vec<Vec<u8>>,
    truth: Vec<Instant>,
    sent: usize,
    entries: u8,
    shown: Vec<(i64, i64, i64)>,
}

impl Drifting {
    fn new(seed: u64) -> Self {
        let mut terminal = Self {
            dice: Dice(seed),
            now: NOON.offset(-12 * 3600 * SECOND_US),
            mono_ns: 0,
            drift_ppm: 0,
            boot: 0,
            heard: None,
            head: chain::start(TERMINAL_A, 1, &TERMINAL_A.0),
            bodies: Vec::new(),
            truth: Vec::new(),
            sent: 0,
            entries: 0,
            shown: Vec::new(),
        };
        terminal.start();
        terminal
    }

    fn pass(&mut self, us: i64) {
        self.now = self.now.offset(us);
        self.mono_ns += us * 1_000 + us * self.drift_ppm / 1_000;
    }

    fn start(&mut self) {
        let off = 1 + self.dice.below(20 * 3600 * SECOND_US);
        self.now = self.now.offset(off);
        (self.mono_ns, self.heard) = (0, None);
        self.drift_ppm = self.dice.below(401) - 200;
        let quiet = self.dice.below(20 * SECOND_US);
        self.pass(quiet);
        self.boot = self.truth.len() as u64 + 1;
        let mut boot = [7; 16];
        boot[..8].copy_from_slice(&self.boot.to_be_bytes());
        self.record(Event::Booted(Booted {
            boot: BootId(boot),
            counter: self.boot,
            board: Hash([0; 32]),
            software: "test".to_owned(),
            unclean: true,
        }));
    }

    fn record(&mut self, event: Event) {
        let seq = self.truth.len() as u64 + 1;
        let fact = Fact {
            format: FACT_FORMAT,
            seq,
            // The wall may say anything: no battery, a clock that was set, a wrong year.
            wall: Instant(self.dice.below(2 * NOON.0 / SECOND_US) * SECOND_US),
            mono_ns: u64::try_from(self.mono_ns).expect("it began at zero"),
            boot: self.boot,
            clock: ClockQuality::Floor,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: 1,
            operator: None,
            shown: Shown::Accepted,
            rule: None,
            event,
        };
        self.bodies.push(hufu_shared::cbor::encode(&fact));
        self.truth.push(self.now);
    }

    /// Hands over some of what waits, or only what the delivery says of the clock.
    async fn deliver(&mut self, db: &Db) {
        let sample = ClockSample {
            boot_seq: self.boot,
            sent_mono_ns: u64::try_from(self.mono_ns).expect("it began at zero"),
            heard: self.heard,
        };
        let latency = 1_000 + self.dice.below(3 * SECOND_US);
        self.pass(latency);
        let count = usize::try_from(self.dice.below(12)).expect("few");
        let until = (self.sent + count).min(self.bodies.len());
        let body = if until > self.sent {
            let bodies = self.bodies[self.sent..until].to_vec();
            self.head = chain::head(self.head, bodies.iter().map(Vec::as_slice));
            EntryBody::Batch(TakenBatch {
                device: TERMINAL_A,
                epoch: 1,
                from_seq: self.sent as u64 + 1,
                head: self.head,
                bodies: bodies.into_iter().map(Into::into).collect(),
                quarantined: Vec::new(),
                sample: Some(sample),
                stated: Vec::new(),
                review: None,
                knew: Vec::new(),
                read: Default::default(),
            })
        } else {
            EntryBody::Sample(TakenSample { device: TERMINAL_A, epoch: 1, sample })
        };
        self.sent = until;
        self.entries += 1;
        let mut id = [0xd0; 16];
        id[15] = self.entries;
        entry(db, EntryId(id), self.now, body).await;
        let told = self.now;
        let latency = 1_000 + self.dice.below(SECOND_US);
        self.pass(latency);
        let mono_ns = u64::try_from(self.mono_ns).expect("it began at zero");
        self.heard = Some(Heard { central_time: told, mono_ns });
        self.check(db).await;
    }

    async fn check(&mut self, db: &Db) {
        let met = times(db).await;
        assert_eq!(met.len(), self.sent);
        for (n, ((at, low, high), truth)) in met.iter().zip(&self.truth).enumerate() {
            assert!(low <= &truth.0 && truth.0 <= *high, "fact {n}: {low} to {high} misses {truth:?}");
            assert!(*at <= truth.0 && low <= at, "fact {n}: its time runs ahead of the true time");
        }
        assert!(met.windows(2).all(|pair| pair[0].0 <= pair[1].0), "time runs back in order of seq");
        for (before, after) in self.shown.iter().zip(&met) {
            assert!(before.0 <= after.0 && before.1 <= after.1, "a time fell when more became known");
            assert!(before.2 >= after.2, "an interval widened");
        }
        self.shown = met;
    }

    async fn step(&mut self, db: &Db) {
        match self.dice.below(10) {
            0 => self.start(),
            1 | 2 => self.deliver(db).await,
            3 => {
                let long = self.dice.below(3 * DAY_US);
                self.pass(long);
            }
            4 => self.drift_ppm = self.dice.below(401) - 200,
            _ => {
                let short = self.dice.below(3600 * SECOND_US);
                self.pass(short);
                self.record(Event::Visited(Visited { subject: subject(1) }));
            }
        }
    }
}

/// When the facts of terminal A happened, as judged: the time that orders them, not before, not after.
async fn times(db: &Db) -> Vec<(i64, i64, i64)> {
    let rows = probe(db, "times", vec![TERMINAL_A.0.into()]).await;
    let int = |row: &Row, at| row.int(at).expect("a number");
    rows.iter().map(|row| (int(row, 0), int(row, 1), int(row, 2))).collect()
}

/// Takes an entry that was received then, whatever was taken before.
async fn taken(db: &Db, n: u8, received: Instant, body: EntryBody) {
    let took = db.write(move |tx| journal::take(tx, EntryId([n; 16]), received, body.clone()));
    took.await.unwrap_or_else(|error: StoreError| panic!("take an entry: {error}"));
}

async fn drift(db: &Db, seed: u64, steps: u32) {
    found(db).await;
    let mut terminal = Drifting::new(seed);
    for _ in 0..steps {
        terminal.step(db).await;
    }
    while terminal.sent < terminal.bodies.len() {
        terminal.deliver(db).await;
    }
    while db.write(journal::publish).await.expect("publish") > 0 {}
    assert_eq!(verify(db).await.expect("readable").findings, Vec::<String>::new(), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_16_intervals_contain_the_true_time_and_only_ever_get_narrower() {
    for seed in 1..=12 {
        drift(&Db::memory().expect("memory"), seed, 150).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_16_both_databases_place_facts_alike() {
    each(|db| async move { drift(&db, 77, 60).await }).await;
}

/// What a delivery with nothing new says of a terminal that heard the centre at noon.
pub(super) fn heard(device: DeviceId, received: Instant) -> EntryBody {
    let started = NOON.offset(-3600 * SECOND_US);
    let sent_mono_ns = u64::try_from(received.since(started)).expect("after the start") * 1_000;
    let heard = Some(Heard { central_time: NOON, mono_ns: 3600 * 1_000_000_000 });
    let sample = ClockSample { boot_seq: 1, sent_mono_ns, heard };
    EntryBody::Sample(TakenSample { device, epoch: 1, sample })
}

async fn ends_soon(db: &Db) {
    found(db).await;
    let ends = NOON.offset(3600 * SECOND_US);
    act(db, 60, NOON, Act::OccurrenceSet(OccurrenceRow { ends, ..occurrence() })).await;
}

pub(super) fn late(n: i64) -> Instant {
    ARRIVAL.offset(n * SECOND_US)
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_16_a_clock_that_is_known_better_later_judges_its_facts_again() {
    each(|db| async move {
        ends_soon(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.heard = false;
        let within = a.check_in(60, 1);
        let after = a.check_in(3700, 2);
        a.upload(&db).await;
        let waits = ("held".to_owned(), Some(18));
        assert_eq!(standing(&db, within).await, waits.clone());
        assert_eq!(standing(&db, after).await, waits);
        entry(&db, EntryId([70; 16]), late(10), heard(TERMINAL_A, late(10))).await;
        assert_eq!(standing(&db, within).await, ("applied".to_owned(), None));
        assert_eq!(standing(&db, after).await, ("no_effect".to_owned(), Some(28)));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS, 0));
        assert_eq!(count(&db, "open_cases", vec![]).await, 1, "what lies outside the plan is listed");
        while db.write(journal::publish).await.expect("publish") > 0 {}
        assert_eq!(verify(&db).await.expect("readable").findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_times_that_move_end_in_the_same_verdicts_whoever_was_first() {
    let mut ends = Vec::new();
    for order in [[0, 1, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [2, 3, 0, 1], [2, 0, 3, 1]] {
        let db = Db::memory().expect("memory");
        ends_soon(&db).await;
        let cap = EarnCap {
            unit: Unit::Pts,
            period: Period::Day,
            most: Amount(8),
            events: Vec::new(),
            offices: Vec::new(),
        };
        let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
        act(&db, 61, NOON, Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        (a.heard, b.heard) = (false, false);
        for (terminal, shift) in [(&mut a, 0), (&mut b, 300)] {
            terminal.check_in(100 + shift, 1);
            terminal.purchase(200 + shift, 1, 32_000, 6);
            terminal.check_in(400 + shift, 9);
        }
        for what in order {
            match what {
                0 => taken(&db, 80, late(1), EntryBody::Batch(a.batch_at(late(1)))).await,
                1 => taken(&db, 81, late(2), heard(TERMINAL_A, late(2))).await,
                2 => taken(&db, 82, late(3), EntryBody::Batch(b.batch_at(late(3)))).await,
                _ => taken(&db, 83, late(4), heard(TERMINAL_B, late(4))).await,
            }
        }
        act(&db, 90, late(20), Act::CardsSet(vec![card(9, Some(member(3)))])).await;
        assert_eq!(points(&db, 1).await, SALON_POINTS + 8, "{order:?}");
        ends.push(normal_form(&db).await);
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_16_a_sample_moves_nothing_of_a_day_that_was_settled() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.heard = false;
        let id = a.purchase(0, 1, 32_000, 6);
        a.upload(&db).await;
        let before = times(&db).await;
        let now = NOON.offset(40 * DAY_US);
        db.write(move |tx| acts::settle_day(tx, EntryId([200; 16]), now)).await.expect("settles");
        entry(&db, EntryId([201; 16]), now, heard(TERMINAL_A, now)).await;
        assert_eq!(times(&db).await, before);
        assert_eq!(standing(&db, id).await, ("applied".to_owned(), None));
        let next = a.purchase(3600, 1, 32_000, 6);
        a.upload(&db).await;
        assert_eq!(times(&db).await[..2], before[..], "and the later one goes by what is known");
        assert_eq!(standing(&db, next).await, ("applied".to_owned(), None));
    })
    .await;
}
