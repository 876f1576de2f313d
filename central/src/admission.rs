//! Who may upload now: places for uploads, given before a body is read.
//!
//! So many uploads are worked on at once; the others wait, and the one whose oldest fact is the oldest is next. When all
//! places are taken the youngest queue is turned away, be it the newcomer or one that waited. A terminal has one upload
//! under way, and a share of its own ([`crate::rules::admission`]). The priority lane does not pass here; a terminal
//! that was away asks on it when its turn is, before it sends what it holds.
//!
//! Out of scope: what an upload is worth; connections and bodies ([`crate::net`]).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hufu_shared::ids::DeviceId;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Credit;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::rules::admission::{Meter, Pace, Slots, upload_cost};

/// Uploads worked on at once at most; the database joins what comes together.
const UPLOADS_AT_ONCE_MAX: usize = 16;
/// Milliseconds that an upload waits for its turn at most: its connection is open meanwhile, its body unread.
const TURN_LIMIT_MS: u64 = 10_000;
/// Milliseconds after which a terminal that has an upload under way may come with another.
const UNDER_WAY_RETRY_MS: u64 = 1_000;
/// Meters remembered before full ones are forgotten.
const METERS_MAX: usize = 4_096;

/// There is no place for an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// Milliseconds after which to come again.
    pub retry_after_ms: u64,
}

/// When the oldest fact happened, and the number of the arrival.
type Key = (Instant, u64);

enum Asked {
    Free(Place),
    Turn(Place, oneshot::Receiver<()>),
}

/// All places.
pub struct Admission {
    state: Mutex<State>,
    at_once: usize,
    waiting_max: usize,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Admission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Admission").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    active: usize,
    /// By age of the oldest fact, then by arrival.
    waiting: BTreeMap<Key, oneshot::Sender<()>>,
    /// Turns given to such as have not looked yet; they count as active.
    given: BTreeSet<Key>,
    arrivals: u64,
    under_way: HashSet<DeviceId>,
    meters: HashMap<DeviceId, Meter>,
    pace: Pace,
    slots: Slots,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    admission: Arc<Admission>,
    device: DeviceId,
    /// Whether it counts among those worked on.
    is_active: bool,
    /// Where it waits, until its turn was taken.
    key: Option<Key>,
    /// Monotonic time, in us.
    since_us: u64,
    /// Uploads worked on when its own work began.
    beside: usize,
    /// Facts that were worked on.
    worked: Option<usize>,
}

impl Admission {
    /// So many places in all. The clock measures how long work takes, and what a terminal has had of its share.
    #[must_use]
    pub fn new(places: usize, clock: Arc<dyn Clock>) -> Self {
        let at_once = places.clamp(1, UPLOADS_AT_ONCE_MAX);
        let waiting_max = places.saturating_sub(at_once);
        Self { state: Mutex::default(), at_once, waiting_max, clock }
    }

    /// Asks for a place, waiting for a turn if need be. `oldest` is when the oldest waiting fact of the terminal
    /// happened, as it says.
    ///
    /// # Errors
    /// [`Busy`] if there is none, or the terminal has had its share.
    pub async fn enter(self: &Arc<Self>, device: DeviceId, oldest: Instant) -> Result<Place, Busy> {
        let mut place = match self.ask(device, oldest)? {
            Asked::Free(place) => return Ok(place),
            Asked::Turn(place, turn) => {
                // How the wait ended is asked of the state: a turn may come in the very moment that it ends.
                drop(tokio::time::timeout(Duration::from_millis(TURN_LIMIT_MS), turn).await);
                place
            }
        };
        let mut state = self.state();
        if place.key.is_some_and(|key| state.given.remove(&key)) {
            let beside = state.active;
            drop(state);
            (place.key, place.is_active, place.since_us) = (None, true, self.clock.mono_us());
            place.beside = beside;
            return Ok(place);
        }
        Err(self.busy(&mut state))
    }

    fn ask(self: &Arc<Self>, device: DeviceId, oldest: Instant) -> Result<Asked, Busy> {
        let now_us = self.clock.mono_us();
        let mut state = self.state();
        if state.under_way.contains(&device) {
            return Err(Busy { retry_after_ms: UNDER_WAY_RETRY_MS });
        }
        if state.meters.len() >= METERS_MAX {
            state.meters.retain(|_, meter| !meter.is_full(now_us));
        }
        let wait_ms = state.meters.entry(device).or_insert_with(|| Meter::full(now_us)).wait_ms(now_us);
        if wait_ms > 0 {
            return Err(Busy { retry_after_ms: wait_ms });
        }
        let place = |is_active, key, beside| {
            let admission = Arc::clone(self);
            Place { admission, device, is_active, key, since_us: now_us, beside, worked: None }
        };
        if state.active < self.at_once && state.waiting.is_empty() {
            state.active += 1;
            state.under_way.insert(device);
            return Ok(Asked::Free(place(true, None, state.active)));
        }
        state.arrivals += 1;
        let key = (oldest, state.arrivals);
        let (sender, turn) = oneshot::channel();
        state.waiting.insert(key, sender);
        if state.waiting.len() > self.waiting_max {
            // Whose sender is dropped has its answer.
            let youngest = state.waiting.pop_last();
            if youngest.is_some_and(|(youngest, _)| youngest == key) {
                return Err(self.busy(&mut state));
            }
        }
        state.under_way.insert(device);
        Ok(Asked::Turn(place(false, Some(key), 0), turn))
    }

    /// Turns somebody away.
    fn busy(&self, state: &mut State) -> Busy {
        let (pace, in_front, now_us) = (state.pace, state.waiting.len(), self.clock.mono_us());
        Busy { retry_after_ms: state.slots.put_off_ms(&pace, in_front, now_us) }
    }

    /// What a terminal whose upload was worked on may do next, with `waiting` facts more. While others wait or were
    /// promised a time, it takes its turn behind them.
    #[must_use]
    pub fn credit(&self, waiting: u64) -> Credit {
        let max_facts = self.state().pace.facts_max();
        if waiting == 0 || !self.is_crowded() {
            return Credit { max_facts, next_poll_ms: 0 };
        }
        // With a receipt nobody is told to ask: whoever comes without a promise is put off at the worst.
        Credit { max_facts, ..self.turn(waiting) }
    }

    /// When a terminal that comes back with `waiting` facts may send the first of them: it asks before it sends, so
    /// that thousands that come back together send one after the other.
    #[must_use]
    pub fn turn(&self, waiting: u64) -> Credit {
        let now_us = self.clock.mono_us();
        let mut state = self.state();
        let (pace, in_front) = (state.pace, state.waiting.len());
        let facts = usize::try_from(waiting).unwrap_or(usize::MAX);
        state.slots.turn(&pace, facts, in_front, now_us)
    }

    /// Whether terminals wait for their turn, here or at a time that they were told.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        let now_us = self.clock.mono_us();
        let state = self.state();
        !state.waiting.is_empty() || state.slots.is_ahead(now_us)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is whole before it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The upload was worked on: its terminal pays for it. How long it took is known when the place is given back.
    pub fn worked(&mut self, facts: usize) {
        self.worked = Some(facts);
        let now_us = self.admission.clock.mono_us();
        let mut state = self.admission.state();
        if let Some(meter) = state.meters.get_mut(&self.device) {
            meter.take(upload_cost(facts), now_us);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let now_us = self.admission.clock.mono_us();
        let mut state = self.admission.state();
        state.under_way.remove(&self.device);
        if let Some(facts) = self.worked {
            let beside = self.beside.midpoint(state.active);
            state.pace.learn(facts, now_us.saturating_sub(self.since_us), beside);
        }
        if let Some(key) = self.key {
            state.waiting.remove(&key);
        }
        // A turn that was given to somebody who has gone meanwhile counts as one that was used.
        let was_active = self.is_active || self.key.is_some_and(|key| state.given.remove(&key));
        if !was_active {
            return;
        }
        state.active -= 1;
        while state.active < self.admission.at_once {
            let Some((key, turn)) = state.waiting.pop_first() else { return };
            // Whoever no longer waits takes no place.
            if turn.send(()).is_ok() {
                state.given.insert(key);
                state.active += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use hufu_shared::time::SECOND_US;

    use super::*;
    use crate::clock::SystemClock;

    /// Monotonic time stands until it is told to move.
    #[derive(Default)]
    struct Standing(AtomicU64);

    impl Clock for Standing {
        fn now(&self) -> Instant {
            NOW
        }

        fn mono_us(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    const NOW: Instant = Instant(1_795_320_000 * SECOND_US);

    fn device(n: usize) -> DeviceId {
        DeviceId([u8::try_from(n).expect("small"); 16])
    }

    /// When the oldest fact of a queue happened, so many seconds ago.
    fn ago(seconds: i64) -> Instant {
        NOW.offset(-seconds * SECOND_US)
    }

    async fn settled() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_oldest_queue_is_next_and_the_youngest_is_turned_away() {
        let admission = Arc::new(Admission::new(UPLOADS_AT_ONCE_MAX + 2, Arc::new(SystemClock)));
        let mut working = Vec::new();
        for n in 0..UPLOADS_AT_ONCE_MAX {
            working.push(admission.enter(device(n), ago(0)).await.expect("a free place"));
        }
        let wait = |n: usize, seconds: i64| {
            let admission = Arc::clone(&admission);
            tokio::spawn(async move { admission.enter(device(n), ago(seconds)).await })
        };
        let (young, old) = (wait(20, 10), wait(21, 5_000));
        settled().await;
        // Both places to wait are taken: whoever is younger than both is turned away at once, unread.
        assert!(admission.enter(device(22), ago(1)).await.is_err());
        // Who is older takes the place of the youngest.
        let older = wait(23, 9_000);
        let turned_away = young.await.expect("no panic").expect_err("the youngest goes");
        assert!(turned_away.retry_after_ms >= 1_000);
        for (waiting, why) in [(older, "the oldest first"), (old, "then the next")] {
            drop(working.pop());
            working.push(waiting.await.expect("no panic").expect(why));
        }
        assert_eq!(admission.state().active, UPLOADS_AT_ONCE_MAX);
        drop(working);
        let state = admission.state();
        assert_eq!(
            (state.active, state.waiting.len(), state.given.len(), state.under_way.len()),
            (0, 0, 0, 0)
        );
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_no_place_taken() {
        let admission = Arc::new(Admission::new(UPLOADS_AT_ONCE_MAX + 4, Arc::new(SystemClock)));
        let mut working = Vec::new();
        for n in 0..UPLOADS_AT_ONCE_MAX {
            working.push(admission.enter(device(n), ago(0)).await.expect("a free place"));
        }
        let waiting = Arc::clone(&admission);
        let gone = tokio::spawn(async move { waiting.enter(device(30), ago(9)).await });
        settled().await;
        // Its turn comes and it goes in the same moment, before it could look.
        drop(working.pop());
        gone.abort();
        drop(gone.await);
        drop(working);
        let state = admission.state();
        assert_eq!((state.active, state.given.len(), state.under_way.len()), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_share_fills_by_the_clock_that_was_given_and_no_other() {
        let clock = Arc::new(Standing::default());
        let admission = Arc::new(Admission::new(4, Arc::clone(&clock) as Arc<dyn Clock>));
        let busy = loop {
            match admission.enter(device(1), ago(0)).await {
                Ok(mut place) => place.worked(500),
                Err(busy) => break busy,
            }
        };
        assert_eq!(admission.enter(device(1), ago(0)).await.expect_err("no time has passed"), busy);
        clock.0.store(busy.retry_after_ms * 1_000, Ordering::Relaxed);
        admission.enter(device(1), ago(0)).await.expect("the time that it was told is over");
    }

    #[tokio::test]
    async fn terminals_that_come_back_together_are_given_turns_one_after_the_other() {
        let clock = Arc::new(Standing::default());
        let admission = Arc::new(Admission::new(64, Arc::clone(&clock) as Arc<dyn Clock>));
        // As measured: 31.5 ms each, one after the other.
        for n in 0..64 {
            let mut place = admission.enter(device(n % 16), ago(0)).await.expect("a free place");
            place.worked(200);
            clock.0.fetch_add(31_500, Ordering::Relaxed);
        }
        let turns: Vec<u32> = (0..1_000).map(|_| admission.turn(200).next_poll_ms).collect();
        assert_eq!(turns[0], 0, "the first comes at once");
        assert!(
            turns.windows(2).all(|pair| pair[0] < pair[1]),
            "nobody comes with another: {:?}",
            &turns[..9]
        );
        assert!((20_000..60_000).contains(&turns[999]), "{} ms", turns[999]);
        assert!(admission.is_crowded() && admission.turn(200).max_facts > 0);
        // Who has more to send goes behind them, who has none is free to come; both without asking.
        assert!(admission.credit(5_000).next_poll_ms > turns[999]);
        assert_eq!(admission.credit(0).next_poll_ms, 0);
        clock.0.store(200_000_000, Ordering::Relaxed);
        assert_eq!(admission.turn(200).next_poll_ms, 0, "all have had their turn");
    }

    #[tokio::test]
    async fn threat_t08_a_terminal_has_one_upload_under_way_and_a_share_of_its_own() {
        let admission = Arc::new(Admission::new(4, Arc::new(SystemClock)));
        let place = admission.enter(device(1), ago(0)).await.expect("free");
        assert_eq!(
            admission.enter(device(1), ago(0)).await.expect_err("one at a time"),
            Busy { retry_after_ms: UNDER_WAY_RETRY_MS }
        );
        drop(place);
        let mut taken = 0;
        let busy = loop {
            match admission.enter(device(1), ago(0)).await {
                Ok(mut place) => place.worked(500),
                Err(busy) => break busy,
            }
            taken += 1;
            assert!(taken < 10_000, "nobody holds it back");
        };
        assert!(taken >= 50 && busy.retry_after_ms > 0, "{taken} batches, then {busy:?}");
        assert!(admission.enter(device(2), ago(0)).await.is_ok(), "another is not held back by it");
    }
}
