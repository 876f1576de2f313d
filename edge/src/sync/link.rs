//! What the lanes share: whether the centre is reached, its clock, and orders it gave.
//!
//! Each lane tells [`Shared`] how an exchange went; it publishes changes only, teaches the clock, and passes each order
//! on once. Out of scope: what is done about an order, and what people are shown.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hufu_shared::ids::{CommandId, DeviceId};
use hufu_shared::keys;
use hufu_shared::time::Instant;
use hufu_shared::wire::apart::Apart;
use hufu_shared::wire::health::Health;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::updates::mark_echo;
use hufu_shared::wire::upload::{Command, Credit, Heard, Order, ReceiptMark, TURN_ASKED_MS_MIN};
use hufu_shared::wire::version::{CentralEpoch, Version};
use tokio::sync::watch;
use tracing::{info, warn};

use super::client::CentreError;
use crate::clock::Clock;
use crate::rules::upload_plan::Stop;
use crate::state::{CentralOrder, Link, SyncEnds};
use crate::store::JournalState;

/// Orders remembered so that none is passed on twice in a run.
const ORDERS_REMEMBERED_MAX: usize = 1_000;
/// Milliseconds that a terminal which is back waits for its turn at most.
const TURN_MS_MAX: u64 = 300_000;
/// Milliseconds between two looks whether a terminal that was told to ask again has its turn by now.
const PROMISE_LOOK_MS: u64 = 500;
/// Milliseconds after which a terminal that was told to ask again, and has no answer, sends all the same.
const PROMISE_WAIT_MS_MAX: u64 = 60_000;

/// What enrolment told of the centre, against which its marks are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CentreKnown {
    /// The centre's Ed25519 key.
    pub sign_key: [u8; 32],
    /// The centre's life at enrolment, until a newer one is learned.
    pub epoch: CentralEpoch,
}

impl CentreKnown {
    /// Whether a mark is the centre's word about this device.
    #[must_use]
    pub fn signed(&self, mark: &ReceiptMark, device: DeviceId) -> bool {
        mark.device == device && keys::verify_centre(&self.sign_key, &mark.message(), &mark.signature).is_ok()
    }

    /// The newest life of the centre that this terminal knows of.
    #[must_use]
    pub fn learned(&self, state: &JournalState) -> CentralEpoch {
        state.central_epoch.unwrap_or(self.epoch)
    }

    /// Whether `met` is a life before the one learned, or another of the same number.
    #[must_use]
    pub fn is_older(&self, met: CentralEpoch, state: &JournalState) -> bool {
        let learned = self.learned(state);
        met != learned && met.n <= learned.n
    }

    /// Whether `met` is a life after the one learned.
    #[must_use]
    pub fn is_newer(&self, met: CentralEpoch, state: &JournalState) -> bool {
        met.n > self.learned(state).n
    }
}

/// What the directory lane should bring about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The newest version that the centre told.
    pub published: Version,
    /// An order to take a snapshot whatever is held.
    pub order: Option<Command>,
}

/// Shared by all lanes; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    ends: SyncEnds,
    clock: Clock,
    memory: Arc<Mutex<Memory>>,
    wanted: watch::Sender<Wanted>,
}

#[derive(Debug, Default)]
struct Memory {
    heard: Option<Heard>,
    /// Round trip of the quickest exchange that was not held open, in nanoseconds.
    round_trip_ns: Option<u64>,
    ordered: BTreeSet<CommandId>,
    /// The mark of the newest poll that was taken.
    mark: Option<ReceiptMark>,
    /// Whether the centre has answered a poll since it was lost, and when it then said that uploads may begin.
    back: Option<Turn>,
}

/// What a terminal that is back was told.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// When uploads may begin, or when to ask again, in nanoseconds since the boot.
    mono_ns: u64,
    /// Whether uploads may begin then.
    is_promised: bool,
}

/// When an exchange began; made before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    mono_ns: u64,
}

impl Shared {
    /// Over the run loop's channel and the terminal's clock.
    #[must_use]
    pub fn new(ends: SyncEnds, clock: Clock) -> Self {
        Self { ends, clock, memory: Arc::default(), wanted: watch::channel(Wanted::default()).0 }
    }

    /// The terminal's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// An exchange is about to begin.
    #[must_use]
    pub fn begin(&self) -> Begun {
        Begun { mono_ns: self.clock.now().mono_ns }
    }

    /// An exchange succeeded and told the centre's time. `held` says that the centre held the request open: then the
    /// time it took says nothing about the line, and the quickest other exchange stands in for it.
    pub fn succeeded(&self, begun: Begun, central_time: Instant, held: bool) {
        let mono_ns = self.clock.now().mono_ns;
        let took_ns = mono_ns.saturating_sub(begun.mono_ns);
        let round_trip_ns = {
            let mut memory = self.memory();
            memory.heard = Some(Heard { central_time, mono_ns });
            if !held {
                memory.round_trip_ns = Some(memory.round_trip_ns.map_or(took_ns, |best| best.min(took_ns)));
            }
            if held { memory.round_trip_ns.unwrap_or(0).min(took_ns) } else { took_ns }
        };
        self.clock.learn(central_time, round_trip_ns);
        let at = self.clock.now().trusted;
        self.ends.link.send_modify(|link| {
            if !link.online {
                info!("the centre is reached again");
                (link.online, link.since) = (true, at);
            }
            link.last_sync = Some(at);
        });
    }

    /// An exchange failed. Only a line that is gone makes the terminal offline; a centre that says no is there.
    pub fn failed(&self, lane: &'static str, error: &CentreError) {
        warn!(lane, %error, "exchange with the centre failed");
        if error.is_answer() {
            return;
        }
        self.memory().back = None;
        let at = self.clock.now().trusted;
        self.ends.link.send_if_modified(|link| {
            let changes = link.online;
            if changes {
                (link.online, link.since) = (false, at);
            }
            changes
        });
    }

    /// Uploading stopped for good.
    pub fn stopped(&self, why: &Stop) {
        warn!(%why, "uploading stopped; facts are kept");
        self.ends.link.send_if_modified(|link| {
            let changes = link.stopped.as_ref() != Some(why);
            link.stopped = Some(why.clone());
            changes
        });
    }

    /// Something that the centre said was refused here, and nothing else with it.
    pub fn refused(&self, what: &str) {
        self.ends.link.send_if_modified(|link| {
            let changes = link.refused.as_deref() != Some(what);
            if changes {
                warn!(what, "refused what the centre said");
                link.refused = Some(what.to_owned());
            }
            changes
        });
    }

    /// A receipt came: whatever stopped uploading before this start no longer does.
    pub fn goes_on(&self) {
        self.ends.link.send_if_modified(|link| link.stopped.take().is_some());
    }

    /// Whether a poll was answered since the centre was lost, and the terminal need not ask for its turn now.
    #[must_use]
    pub fn is_back(&self) -> bool {
        let now_ns = self.clock.now().mono_ns;
        self.memory().back.is_some_and(|turn| turn.is_promised || turn.mono_ns > now_ns)
    }

    /// The centre answered a poll. One in which the terminal `asked` for its turn says when it may send; a centre that
    /// then names no time takes it at once: asked again, it would name none either. An answer to any other poll takes
    /// no turn away.
    pub fn come_back(&self, asked: bool, credit: Option<Credit>) {
        let now_ns = self.clock.now().mono_ns;
        let wait_ms = credit.map_or(0, |credit| u64::from(credit.next_poll_ms).min(TURN_MS_MAX));
        let is_promised = credit.is_none_or(|credit| credit.max_facts > 0);
        let turn = Turn { mono_ns: now_ns.saturating_add(wait_ms * 1_000_000), is_promised };
        let mut memory = self.memory();
        if asked || memory.back.is_none() {
            memory.back = Some(turn);
        }
    }

    /// The centre put an upload off for so long. Whoever is to wait asks for its turn then, instead of sending a batch
    /// that may be put off again.
    pub fn put_off(&self, wait_ms: u64) {
        if wait_ms < TURN_ASKED_MS_MIN {
            return;
        }
        let now_ns = self.clock.now().mono_ns;
        let mono_ns = now_ns.saturating_add(wait_ms.min(TURN_MS_MAX) * 1_000_000);
        self.memory().back = Some(Turn { mono_ns, is_promised: false });
    }

    /// Milliseconds until uploads may begin, as far as is known: asked again then, it may be longer. No terminal waits
    /// long for a promise: polls that come to nothing must not keep its facts.
    #[must_use]
    pub fn turn_in_ms(&self) -> u64 {
        let now_ns = self.clock.now().mono_ns;
        let Some(turn) = self.memory().back else { return 0 };
        let left_ms = turn.mono_ns.saturating_sub(now_ns).div_ceil(1_000_000);
        let over_ms = now_ns.saturating_sub(turn.mono_ns) / 1_000_000;
        match turn.is_promised {
            false if over_ms < PROMISE_WAIT_MS_MAX => left_ms.max(PROMISE_LOOK_MS),
            _ => left_ms,
        }
    }

    /// Milliseconds after which the terminal asks for its turn again, if it was told to.
    #[must_use]
    pub fn ask_in_ms(&self) -> Option<u64> {
        let now_ns = self.clock.now().mono_ns;
        let turn = self.memory().back.filter(|turn| !turn.is_promised)?;
        Some(turn.mono_ns.saturating_sub(now_ns).div_ceil(1_000_000))
    }

    /// The newest time that the centre told in this boot.
    #[must_use]
    pub fn heard(&self) -> Option<Heard> {
        self.memory().heard
    }

    /// A poll was taken that said where the centre stands.
    pub fn stands(&self, mark: ReceiptMark) {
        self.memory().mark = Some(mark);
    }

    /// The newest mark in this terminal's hands: of the last receipt, or of a poll after it. A mark that names too many
    /// leases to be shown with a poll stands back behind one that does not.
    #[must_use]
    pub fn newest_mark(&self, state: &JournalState) -> Option<String> {
        let marks = state.mark.iter().cloned().chain(self.memory().mark.clone());
        let shown = marks.filter_map(|mark| Some((mark_echo(&mark)?, mark)));
        let newest = |mark: &ReceiptMark| (mark.central_epoch.n, mark.journal_size, mark.acked_seq);
        shown.max_by_key(|(_, mark)| newest(mark)).map(|(echo, _)| echo)
    }

    /// How ready the terminal is to go offline, as a poll carries it; none before the run loop said so.
    #[must_use]
    pub fn readiness(&self) -> Option<String> {
        self.ends.ready.borrow().as_ref().map(Readiness::to_query)
    }

    /// How the terminal is, as a poll carries it; none before the run loop looked.
    #[must_use]
    pub fn health(&self) -> Option<String> {
        self.ends.health.borrow().as_ref().map(Health::to_query)
    }

    /// A receiver that wakes when the connection changes.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.ends.link.subscribe()
    }

    /// Passes orders on, each once. An order for a snapshot goes to the directory lane first. What the run loop has no
    /// room for now comes again with the centre's next answer. Answers whether one was passed to the run loop.
    pub fn pass_on(&self, commands: &[Apart<Command>]) -> bool {
        let mut is_new = false;
        for command in commands {
            let (id, order) = match command {
                Apart::Known(command) => (command.id, Ok(&command.order)),
                Apart::Unknown { bytes, error } => match Command::id_of(bytes) {
                    Some(id) => (id, Err(error.to_string())),
                    None => continue,
                },
            };
            if self.memory().ordered.contains(&id) {
                continue;
            }
            match order {
                Ok(Order::TakeSnapshot) => {
                    let order = Order::TakeSnapshot;
                    self.wanted.send_modify(|wanted| wanted.order = Some(Command { id, order }));
                }
                Ok(order) => is_new |= self.order(id, Ok(order.clone())),
                Err(error) => is_new |= self.order(id, Err(error)),
            }
        }
        is_new
    }

    /// The centre told the newest version of the directory.
    pub fn publish(&self, version: Version) {
        self.wanted.send_if_modified(|wanted| {
            let changes = wanted.published != version;
            wanted.published = version;
            changes
        });
    }

    /// What the directory lane should bring about; wakes when it changes.
    #[must_use]
    pub fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// An ordered snapshot was taken: the run loop may say so.
    pub fn snapshot_taken(&self, command: &Command) {
        self.wanted.send_if_modified(|wanted| {
            if wanted.order.as_ref() == Some(command) {
                wanted.order = None;
            }
            false
        });
        self.order(command.id, Ok(command.order.clone()));
    }

    /// Whether the run loop had room for it.
    fn order(&self, command: CommandId, order: Result<Order, String>) -> bool {
        let order = CentralOrder { command, order };
        if self.ends.orders.try_send(order).is_err() {
            return false;
        }
        let mut memory = self.memory();
        while memory.ordered.len() >= ORDERS_REMEMBERED_MAX {
            // Ids begin with their time: the first is the oldest.
            memory.ordered.pop_first();
        }
        memory.ordered.insert(command)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Every change under the lock is whole before it can panic.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
