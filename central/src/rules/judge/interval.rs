//! When facts happened, as far as the centre can know: an interval for each, and the one time that orders them (I16).
//!
//! A wall clock is a claim and plays no part. Each delivery bounds the clock of the boot that delivered: what the device
//! had heard from the centre lies before, its receipt after. Such a bound reaches every other monotonic time of the
//! boot, wider by the drift in between, and the boots of an epoch follow one another: a later boot begins after the last
//! that is known of the earlier one. `t(f)` is the largest lower bound of `f` and of all earlier facts of its epoch, so
//! it never falls when more becomes known, and never runs back in order of seq.
//!
//! Out of scope: steps of the centre's own clock, and which samples become entries ([`Line::counts`] says which should).

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::time::{Instant, MINUTE_US, SECOND_US};
use minicbor::{Decode, Encode};

/// A sample that narrows its boot by no more than this is not worth an entry.
pub const NARROWS_MIN_US: i64 = SECOND_US;
/// An interval no wider than this is read in the member's favour where it crosses an edge (kind 18).
pub const FAVOUR_MAX_US: i64 = 15 * MINUTE_US;
/// How far a clock may lie outside what is possible before it counts as a fault (kind 19).
pub const CLOCK_TOLERANCE_US: i64 = 5 * MINUTE_US;
/// Bounds of one side that are kept of a boot; of more, the older ones say little of what comes.
const BOUNDS_MAX: usize = 64;
/// A monotonic clock off by 200 ppm gains or loses at most 1 us in so many of its own (5,000 - 1).
const DRIFT_ONE_IN: i64 = 4_999;

/// What one delivery says about the clock of the boot that delivered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// The device's monotonic clock when it sent, in ns since the boot.
    pub sent_mono_ns: u64,
    /// When the centre had it.
    pub received: Instant,
    /// A time that the centre told within this boot, and the monotonic clock when the device had heard it.
    pub heard: Option<(Instant, u64)>,
}

impl Sample {
    /// The sample without a claim to have heard what nobody can have told by then.
    #[must_use]
    pub fn plausible(self) -> Self {
        let sent = micros(self.sent_mono_ns);
        let fits = |(time, mono_ns): &(Instant, u64)| {
            *mono_ns <= self.sent_mono_ns && Bound::new(*mono_ns, *time).low(sent) <= self.received.0
        };
        Self { heard: self.heard.filter(fits), ..self }
    }
}

/// A start of the device, by the seq of its `Booted` fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boot {
    /// Seq of its `Booted` fact.
    pub seq: u64,
    /// The newest time signed by the centre that the device held when it started.
    pub signed_floor: Option<Instant>,
    /// The samples that count.
    pub samples: Vec<Sample>,
}

/// What of a fact bears on its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    /// Its seq.
    pub seq: u64,
    /// Its boot.
    pub boot: u64,
    /// Its monotonic time, in ns since the boot.
    pub mono_ns: u64,
    /// What the wall clock claimed.
    pub wall: Instant,
    /// When the centre had it.
    pub received: Instant,
}

/// Where a fact lies in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its seq.
    pub id: u64,
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
    /// The time that orders it, has its day and its effects.
    pub t: Instant,
    /// Whether more may still become known of it.
    pub provisional: bool,
    /// A clock that cannot be right (kind 19).
    pub fault: Option<ClockFault>,
}

/// How a device's clock is wrong beyond tolerance. The claim is kept, effects use the time as judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFault {
    /// Later than the receipt.
    Future,
    /// Earlier than the enrolment.
    BeforeEnrolment,
    /// The samples contradict one another.
    Contradiction,
}

/// A moment of a boot whose true time is bounded on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
struct Bound {
    #[n(0)]
    mono: i64,
    #[n(1)]
    time: i64,
}

impl Bound {
    fn new(mono_ns: u64, time: Instant) -> Self {
        Self { mono: micros(mono_ns), time: time.0 }
    }

    /// What the bound says of another moment, before drift is allowed for.
    fn carried(self, mono: i64) -> i64 {
        self.time.saturating_add(mono.saturating_sub(self.mono))
    }

    fn low(self, mono: i64) -> i64 {
        self.carried(mono).saturating_sub(slack(mono, self.mono))
    }

    fn high(self, mono: i64) -> i64 {
        self.carried(mono).saturating_add(slack(mono, self.mono))
    }
}

fn micros(mono_ns: u64) -> i64 {
    i64::try_from(mono_ns / 1_000).unwrap_or(i64::MAX)
}

/// Drift between two moments of a boot, and what cutting both to microseconds may hide.
fn slack(mono: i64, other: i64) -> i64 {
    mono.saturating_sub(other).saturating_abs() / DRIFT_ONE_IN + 2
}

/// What is known of one boot by itself: small, and kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct BootClock {
    #[n(0)]
    floor: Option<i64>,
    #[n(1)]
    lows: Vec<Bound>,
    #[n(2)]
    highs: Vec<Bound>,
    /// The largest monotonic time seen of it.
    #[n(3)]
    last_mono: i64,
}

impl BootClock {
    /// True time minus monotonic time at its start is at least and at most this, in us, as far as its own samples say.
    #[must_use]
    pub fn offsets(&self) -> (Option<i64>, Option<i64>) {
        (self.low(0), self.high(0))
    }

    /// Whether a sample narrows it by more than [`NARROWS_MIN_US`] anywhere: it does so most at its own moments.
    #[must_use]
    pub fn counts(&self, sample: Sample) -> bool {
        let (sent, received) = (micros(sample.sent_mono_ns), sample.received.0);
        let higher = |high: i64| high.saturating_sub(received) > NARROWS_MIN_US;
        let lower = |(time, mono_ns): (Instant, u64)| {
            let low = self.low(micros(mono_ns));
            low.is_none_or(|low| time.0.saturating_sub(low) > NARROWS_MIN_US)
        };
        self.high(sent).is_none_or(higher) || sample.heard.is_some_and(lower)
    }

    fn low(&self, mono: i64) -> Option<i64> {
        self.lows.iter().map(|bound| bound.low(mono)).max()
    }

    fn high(&self, mono: i64) -> Option<i64> {
        self.highs.iter().map(|bound| bound.high(mono)).min()
    }

    fn is_bounded(&self) -> bool {
        !self.lows.is_empty() && !self.highs.is_empty()
    }
}

/// Adds a bound unless one there says as much; drops those that it makes superfluous. What is left does not depend on
/// the order of adding.
fn add(bounds: &mut Vec<Bound>, new: Bound, says_as_much: fn(Bound, Bound) -> bool) {
    if !bounds.iter().any(|known| *known == new || says_as_much(*known, new)) {
        bounds.retain(|known| !says_as_much(new, *known));
        bounds.push(new);
        bounds.sort_unstable();
        if bounds.len() > BOUNDS_MAX {
            // The first says most of where the boot began, and with it of the boot before.
            bounds.remove(1);
        }
    }
}

/// The boots of one epoch, as far as known: small, and kept from entry to entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    enrolled: Instant,
    boots: BTreeMap<u64, BootClock>,
}

/// What follows from all boots of a line together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    enrolled: Instant,
    boots: BTreeMap<u64, Reach>,
}

/// The bounds of one boot, with what its neighbours say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reach {
    lows: Vec<Bound>,
    highs: Vec<Bound>,
    settled: bool,
}

impl Line {
    /// A line of which nothing is known but when the centre enrolled the device.
    #[must_use]
    pub fn new(enrolled: Instant) -> Self {
        Self { enrolled, boots: BTreeMap::new() }
    }

    /// Goes on with what is known of the boots of an epoch.
    #[must_use]
    pub fn resume(enrolled: Instant, boots: BTreeMap<u64, BootClock>) -> Self {
        Self { enrolled, boots }
    }

    /// What is known of each boot, by seq of its `Booted` fact.
    #[must_use]
    pub fn boots(&self) -> &BTreeMap<u64, BootClock> {
        &self.boots
    }

    /// Takes note of a boot and of the signed time that it began with.
    pub fn boot(&mut self, seq: u64, signed_floor: Option<Instant>) {
        let known = self.boots.entry(seq).or_default();
        known.floor = known.floor.max(signed_floor.map(|floor| floor.0));
    }

    /// Takes note of a moment of a boot.
    pub fn fact(&mut self, boot: u64, mono_ns: u64) {
        let known = self.boots.entry(boot).or_default();
        known.last_mono = known.last_mono.max(micros(mono_ns));
    }

    /// Whether a sample narrows its boot by more than [`NARROWS_MIN_US`] anywhere: it does so most at its own moments.
    #[must_use]
    pub fn counts(&self, boot: u64, sample: Sample) -> bool {
        self.boots.get(&boot).is_none_or(|known| known.counts(sample))
    }

    /// Takes a sample in.
    pub fn sample(&mut self, boot: u64, sample: Sample) {
        self.fact(boot, sample.sent_mono_ns);
        let known = self.boots.entry(boot).or_default();
        let high = Bound::new(sample.sent_mono_ns, sample.received);
        add(&mut known.highs, high, |one, other| one.high(other.mono) <= other.time);
        if let Some((time, mono_ns)) = sample.heard {
            add(&mut known.lows, Bound::new(mono_ns, time), |one, other| one.low(other.mono) >= other.time);
        }
    }

    /// What follows from all of it.
    #[must_use]
    pub fn solve(&self) -> Solved {
        let mut boots = BTreeMap::new();
        let mut start = self.enrolled.0;
        for (seq, known) in &self.boots {
            start = start.max(known.floor.unwrap_or(i64::MIN));
            let mut lows = known.lows.clone();
            lows.push(Bound { mono: 0, time: start });
            let reach = Reach { lows, highs: known.highs.clone(), settled: known.is_bounded() };
            start = reach.low(known.last_mono).max(start);
            boots.insert(*seq, reach);
        }
        // From the last boot back: a boot was over when the next one began.
        let mut next: Option<(Option<i64>, bool)> = None;
        for (seq, reach) in boots.iter_mut().rev() {
            let last_mono = self.boots.get(seq).map_or(0, |known| known.last_mono);
            if let Some((high, settled)) = next {
                reach.highs.extend(high.map(|time| Bound { mono: last_mono, time }));
                reach.settled |= settled;
            }
            next = Some((reach.high(0), reach.settled));
        }
        Solved { enrolled: self.enrolled, boots }
    }
}

impl Reach {
    fn low(&self, mono: i64) -> i64 {
        self.lows.iter().map(|bound| bound.low(mono)).max().unwrap_or(i64::MIN)
    }

    fn high(&self, mono: i64) -> Option<i64> {
        self.highs.iter().map(|bound| bound.high(mono)).min()
    }

    /// The last moment before the first at which another view of the boot differs: a bound says most at its own moment,
    /// and the less the farther away.
    fn moved_from(&self, old: &Self) -> Option<i64> {
        let all = [&self.lows, &self.highs, &old.lows, &old.highs];
        let moments: BTreeSet<i64> = all.into_iter().flatten().map(|bound| bound.mono).chain([0]).collect();
        let mut agreed = 0;
        for mono in moments {
            let low_moved = self.low(mono).saturating_sub(old.low(mono)) > NARROWS_MIN_US;
            let high_moved = match (self.high(mono), old.high(mono)) {
                (Some(new), Some(old)) => old.saturating_sub(new) > NARROWS_MIN_US,
                (new, _) => new.is_some(),
            };
            if low_moved || high_moved {
                return Some(agreed);
            }
            agreed = mono;
        }
        None
    }
}

impl Solved {
    /// The first boot about which the two differ: only its facts and later ones can lie elsewhere.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Option<u64> {
        let seqs = self.boots.keys().chain(other.boots.keys());
        seqs.filter(|seq| self.boots.get(seq) != other.boots.get(seq)).min().copied()
    }

    /// From where on facts may lie elsewhere than before by more than [`NARROWS_MIN_US`]: a boot, and a moment of it
    /// in us; none if nothing that was known before moves so far.
    #[must_use]
    pub fn moved_since(&self, before: &Self) -> Option<(u64, i64)> {
        let known = self.boots.iter().filter_map(|(seq, new)| Some((*seq, new, before.boots.get(seq)?)));
        known.filter_map(|(seq, new, old)| Some((seq, new.moved_from(old)?))).next()
    }

    /// The earliest true time that a moment of a boot can have been.
    #[must_use]
    pub fn earliest(&self, boot: u64, mono_us: i64) -> Instant {
        Instant(self.boots.get(&boot).map_or(i64::MIN, |reach| reach.low(mono_us)))
    }

    /// Places one fact; `before` is the `t` of the fact before it, none for the first.
    #[must_use]
    pub fn place(&self, fact: &Timed, before: Option<Instant>) -> Placed {
        let mono = micros(fact.mono_ns);
        let known = self.boots.get(&fact.boot);
        let raw = known.map_or(self.enrolled.0, |reach| reach.low(mono)).max(self.enrolled.0);
        let high = known.and_then(|reach| reach.high(mono)).unwrap_or(i64::MAX).min(fact.received.0);
        // Capped before any maximum is taken, or one lie would push all later facts into the future.
        let lo = Instant(raw.min(fact.received.0));
        let hi = Instant(high).max(lo);
        Placed {
            id: fact.seq,
            lo,
            hi,
            t: before.map_or(lo, |before| before.max(lo)),
            provisional: known.is_none_or(|reach| !reach.settled),
            fault: self.fault(fact, raw, high),
        }
    }

    fn fault(&self, fact: &Timed, low: i64, high: i64) -> Option<ClockFault> {
        let latest = fact.received.offset(CLOCK_TOLERANCE_US);
        let earliest = self.enrolled.offset(-CLOCK_TOLERANCE_US);
        if fact.wall > latest || low > latest.0 {
            return Some(ClockFault::Future);
        }
        if fact.wall < earliest || high < earliest.0 {
            return Some(ClockFault::BeforeEnrolment);
        }
        (low > high.saturating_add(CLOCK_TOLERANCE_US)).then_some(ClockFault::Contradiction)
    }
}

/// Places all facts of an epoch. What was fixed by a `Settle` stays as `settled` says, whatever became known since.
#[must_use]
pub fn place_all(
    enrolled: Instant,
    boots: &[Boot],
    facts: &[Timed],
    settled: &BTreeMap<u64, Placed>,
) -> Vec<Placed> {
    let mut line = Line::new(enrolled);
    for boot in boots {
        line.boot(boot.seq, boot.signed_floor);
        boot.samples.iter().for_each(|sample| line.sample(boot.seq, *sample));
    }
    facts.iter().for_each(|fact| line.fact(fact.boot, fact.mono_ns));
    place_from(&line.solve(), facts, settled, None)
}

/// Places facts in order of seq, the first of them after one with the time `before`.
#[must_use]
pub fn place_from(
    solved: &Solved,
    facts: &[Timed],
    settled: &BTreeMap<u64, Placed>,
    mut before: Option<Instant>,
) -> Vec<Placed> {
    let mut ordered: Vec<&Timed> = facts.iter().collect();
    ordered.sort_by_key(|fact| fact.seq);
    let place = |fact: &&Timed| {
        let fixed = settled.get(&fact.seq).map(|fixed| Placed { provisional: false, ..*fixed });
        let placed = fixed.unwrap_or_else(|| solved.place(fact, before));
        before = before.max(Some(placed.t));
        placed
    };
    ordered.iter().map(place).collect()
}

/// The facts that lie elsewhere than before.
#[must_use]
pub fn moved(before: &[Placed], after: &[Placed]) -> Vec<Placed> {
    let known: BTreeMap<u64, &Placed> = before.iter().map(|placed| (placed.id, placed)).collect();
    let differs = |placed: &&Placed| known.get(&placed.id).is_some_and(|known| *known != *placed);
    after.iter().filter(differs).copied().collect()
}

/// How a fact lies to a span of time in which something is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timing {
    /// Surely within.
    Within,
    /// On an edge, and narrow enough to be read in the member's favour (kind 18).
    Favoured,
    /// On an edge, and too wide: a person decides (kind 18).
    Doubtful,
    /// Surely outside.
    Outside,
}

/// Judges an interval `lo..=hi` against the span from `from` until, not including, `to`.
#[must_use]
pub fn timing(lo: Instant, hi: Instant, from: Instant, to: Instant) -> Timing {
    if from <= lo && hi < to {
        return Timing::Within;
    }
    if hi < from || lo >= to || from >= to {
        return Timing::Outside;
    }
    if hi.since(lo) <= FAVOUR_MAX_US { Timing::Favoured } else { Timing::Doubtful }
}

#[cfg(test)]
#[path = "interval_tests.rs"]
mod tests;
