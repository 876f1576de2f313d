//! The threads that talk to `pcscd`.
//!
//! One thread watches all slots whose name contains the configured text, and readers coming and going. Each reader has
//! a worker thread with a context of its own, because a card that does not answer blocks `transmit` for as long as it
//! likes: the others must not wait for it.
//!
//! Invariants
//! - Events of one reader are sent under that reader's lock, so their order is the state machine's order.
//! - Any error of the service ends the session: the context is dropped, every reader is reported down, and a new
//!   context is tried after 0.5 s, doubling to 5 s, or as soon as the service's socket is a new one. Nothing of the old session (states, counts) is carried over.
//! - A stuck worker is never waited for beyond [`WORKER_STOP_WAIT_MS`].
//!
//! Out of scope: restarting `pcscd` (the service manager's task).

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};

use super::mode::{KeyError, ReadMode, SectorKey};
use super::slot::{Input, Slot};
use super::worker::{Outlet, Plan, Worker};
use crate::card::{
    CardEvent, CardSource, ErrorKind, EventSink, MonotonicClock, Running, SourceError, SourceId, SourceKind,
};

/// Longest wait for a change at the readers, in milliseconds; also the longest that a stop may be overlooked.
pub const STATUS_WAIT_MS: u64 = 1_000;
/// First pause before the service is tried again, in milliseconds.
pub const BACKOFF_MS_MIN: u64 = 500;
/// Longest pause before the service is tried again, in milliseconds.
pub const BACKOFF_MS_MAX: u64 = 5_000;
/// Where Debian's and most other builds of `pcscd` listen.
const SERVICE_SOCKET: &str = "/run/pcscd/pcscd.comm";
/// How often a dead service's socket is looked at, in milliseconds.
pub const SOCKET_LOOK_MS: u64 = 250;
/// Pause after the service says that a reader went away under our hands, in milliseconds.
pub const LIST_AGAIN_MS: u64 = 40;
/// How long a stop waits for a worker that may hang in a card, in milliseconds.
pub const WORKER_STOP_WAIT_MS: u64 = 300;

/// All PC/SC slots whose name contains a text.
#[derive(Debug, Clone)]
pub struct PcscSource {
    index: usize,
    name_contains: String,
    mode: ReadMode,
}

impl PcscSource {
    /// Slots for configuration entry `index`; an empty `name_contains` takes every slot. Cards are known by their
    /// serial number.
    pub fn new(index: usize, name_contains: impl Into<String>) -> Self {
        Self { index, name_contains: name_contains.into(), mode: ReadMode::Uid }
    }

    /// The same slots, whose cards are known by what `mode` reads.
    #[must_use]
    pub fn reading(mut self, mode: ReadMode) -> Self {
        self.mode = mode;
        self
    }
}

impl CardSource for PcscSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Tap
    }

    fn name(&self) -> String {
        self.name_contains.clone()
    }

    fn start(self: Box<Self>, sink: EventSink, clock: MonotonicClock) -> Result<Running, SourceError> {
        let name = self.name();
        if let Err((key, expected)) = self.mode.check() {
            let detail = format!("{key}: expected {expected}");
            return Err(SourceError::new(name, ErrorKind::Other, detail));
        }
        let stop = Arc::new(Stop::default());
        let watch_stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("pcsc-watch".into())
            .spawn(move || {
                let plan = Plan { mode: self.mode.clone(), key: None };
                Watch { config: *self, plan, sink, clock, stop: watch_stop, told_down: None }.run();
            })
            .map_err(|e| SourceError::new(name, ErrorKind::Other, format!("no thread: {e}")))?;
        Ok(Running::new(move || stop.stop(), vec![thread]))
    }
}

/// The names of all PC/SC slots attached now, for listing and check-ups.
///
/// # Errors
/// If the service cannot be reached; the text says which step failed.
pub fn list_slots() -> Result<Vec<String>, SourceError> {
    let wrap = |error: Error| SourceError::new("PC/SC", service_kind(error), error.to_string());
    let context = Context::establish(Scope::System).map_err(wrap)?;
    let names = attached(&context).map_err(wrap)?;
    Ok(names.iter().map(|n| n.to_string_lossy().into_owned()).collect())
}

/// Which socket the service listens on now, by inode and time of creation. `None` if there is none or it lies elsewhere;
/// then only time wakes us.
fn service_socket() -> Option<(u64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let met = std::fs::metadata(SERVICE_SOCKET).ok()?;
    Some((met.ino(), met.ctime_nsec().wrapping_add(met.ctime().wrapping_mul(1_000_000_000))))
}

enum Woken {
    ByTime,
    ByService,
}

fn attached(context: &Context) -> Result<Vec<CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        other => other,
    }
}

/// What an error of the service, as opposed to one of a card, means for the operator.
fn service_kind(error: Error) -> ErrorKind {
    match error {
        Error::SecurityViolation | Error::NoAccess => ErrorKind::Denied,
        _ => ErrorKind::ServiceGone,
    }
}

/// Lets another thread end the watch: during a wait for changes and during a pause.
#[derive(Default)]
struct Stop {
    state: Mutex<StopState>,
    changed: Condvar,
}

#[derive(Default)]
struct StopState {
    stopped: bool,
    context: Option<Context>,
}

impl Stop {
    fn lock(&self) -> MutexGuard<'_, StopState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        if let Some(context) = &state.context {
            // Fails only if the service is gone, and then the wait ends by itself.
            let _ = context.cancel();
        }
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn set_context(&self, context: Option<Context>) {
        self.lock().context = context;
    }

    /// Sleeps, or returns early when stopped.
    fn pause(&self, time: Duration) {
        let result = self.changed.wait_timeout_while(self.lock(), time, |state| !state.stopped);
        drop(result);
    }
}

/// One attached reader: its state machine, shared with its worker.
struct Reader {
    slot: Arc<Mutex<Slot>>,
    outlet: Outlet,
    orders: mpsc::Sender<u64>,
    thread: JoinHandle<()>,
}

struct Watch {
    config: PcscSource,
    /// The key in it is loaded when a session begins, so that a file put right is taken up without a restart.
    plan: Plan,
    sink: EventSink,
    clock: MonotonicClock,
    stop: Arc<Stop>,
    /// The outage already told for the entry as a whole, so that it is told once.
    told_down: Option<ErrorKind>,
}

impl Watch {
    fn run(mut self) {
        let mut backoff_ms = BACKOFF_MS_MIN;
        while !self.stop.is_stopped() {
            if let Err(error) = self.load_key() {
                self.tell_down(ErrorKind::Denied, &error.to_string());
                self.stop.pause(Duration::from_millis(BACKOFF_MS_MAX));
                continue;
            }
            let mut readers = BTreeMap::new();
            let result = self.session(&mut readers, &mut backoff_ms);
            self.stop.set_context(None);
            let (kind, reason) = match result {
                Ok(()) => (ErrorKind::Other, String::from("stopped")),
                // Once a session ran, "denied" is only how a service that dies in the middle of an answer shows.
                Err(error) if !readers.is_empty() => {
                    tracing::debug!(%error, "the smart-card service stopped answering");
                    (ErrorKind::ServiceGone, String::from("the smart-card service stopped answering"))
                }
                Err(error) => (service_kind(error), format!("the smart-card service: {error}")),
            };
            let had_readers = !readers.is_empty();
            while let Some((_, reader)) = readers.pop_first() {
                self.detach(reader, kind, &reason);
            }
            if self.stop.is_stopped() {
                return;
            }
            if had_readers {
                self.told_down = Some(kind);
            } else {
                self.tell_down(kind, &reason);
            }
            backoff_ms = match self.pause_for_service(backoff_ms) {
                Woken::ByTime => (backoff_ms * 2).min(BACKOFF_MS_MAX),
                Woken::ByService => BACKOFF_MS_MIN,
            };
        }
    }

    fn load_key(&mut self) -> Result<(), KeyError> {
        if let ReadMode::Classic { key_file, .. } = &self.plan.mode {
            self.plan.key = Some(SectorKey::load(key_file)?);
        }
        Ok(())
    }

    /// Waits before the service is tried again; ends early when its socket is replaced, that is, when it has just been
    /// started.
    fn pause_for_service(&self, wait_ms: u64) -> Woken {
        let before = service_socket();
        for _ in 0..wait_ms / SOCKET_LOOK_MS {
            self.stop.pause(Duration::from_millis(SOCKET_LOOK_MS));
            let now = service_socket();
            if now.is_some() && now != before {
                return Woken::ByService;
            }
            if self.stop.is_stopped() {
                break;
            }
        }
        Woken::ByTime
    }

    /// One life of the context. Ends with `Ok` only when stopped.
    fn session(
        &mut self,
        readers: &mut BTreeMap<CString, Reader>,
        backoff_ms: &mut u64,
    ) -> Result<(), Error> {
        let context = Context::establish(Scope::System)?;
        self.stop.set_context(Some(context.clone()));
        let mut states = vec![ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
        while !self.stop.is_stopped() {
            self.follow_readers(&attached(&context)?, readers, &mut states);
            *backoff_ms = BACKOFF_MS_MIN;
            for state in &mut states {
                state.sync_current_state();
            }
            match context.get_status_change(self.wait(readers), &mut states) {
                Ok(()) => {}
                Err(Error::Timeout | Error::Cancelled) => {
                    self.tick(readers);
                    continue;
                }
                // A reader went between listing and asking; the next round no longer asks for it.
                Err(Error::UnknownReader | Error::ReaderUnavailable) => {
                    self.stop.pause(Duration::from_millis(LIST_AGAIN_MS));
                    continue;
                }
                Err(error) => return Err(error),
            }
            for state in &states {
                if let Some(reader) = readers.get(state.name()) {
                    look(reader, state);
                }
            }
            self.tick(readers);
        }
        Ok(())
    }

    /// Brings the set of readers in line with what is attached.
    fn follow_readers(
        &mut self,
        names: &[CString],
        readers: &mut BTreeMap<CString, Reader>,
        states: &mut Vec<ReaderState>,
    ) {
        let wanted = |name: &CStr| name.to_string_lossy().contains(&self.config.name_contains);
        let is_here = |name: &CStr| names.iter().any(|n| n.as_c_str() == name) && wanted(name);
        states.retain(|s| s.name() == PNP_NOTIFICATION() || is_here(s.name()));
        let gone: Vec<_> = readers.keys().filter(|n| !is_here(n)).cloned().collect();
        for name in names.iter().filter(|n| wanted(n) && !readers.contains_key(*n)).collect::<Vec<_>>() {
            if let Some(reader) = self.attach(name) {
                readers.insert(name.clone(), reader);
                states.push(ReaderState::new(name.clone(), State::UNAWARE));
            }
        }
        let lost_some = !gone.is_empty();
        for reader in gone.into_iter().filter_map(|name| readers.remove(&name)) {
            self.detach(reader, ErrorKind::DeviceGone, "the reader was unplugged");
        }
        if !readers.is_empty() {
            self.told_down = None;
        } else if lost_some {
            self.told_down = Some(ErrorKind::DeviceGone);
        } else {
            self.tell_down(ErrorKind::DeviceGone, "no matching smart-card reader is attached");
        }
    }

    fn attach(&self, name: &CStr) -> Option<Reader> {
        let source = SourceId::new(self.config.index, name.to_string_lossy().as_ref());
        let outlet = Outlet { source, sink: self.sink.clone(), clock: self.clock.clone() };
        let slot = Arc::new(Mutex::new(Slot::new()));
        let (orders, inbox) = mpsc::channel();
        let worker = Worker::new(name, Arc::clone(&slot), outlet.clone(), self.plan.clone());
        let thread = std::thread::Builder::new().name("pcsc-read".into()).spawn(move || worker.run(&inbox));
        match thread {
            Ok(thread) => {
                let (source, at_ns) = (outlet.source.clone(), self.clock.now_ns());
                self.sink.send(CardEvent::SourceUp { source, at_ns });
                Some(Reader { slot, outlet, orders, thread })
            }
            Err(error) => {
                // Tried again at the next round, at most a second from now.
                tracing::error!(%error, "a reader's thread could not be started");
                None
            }
        }
    }

    fn detach(&self, reader: Reader, kind: ErrorKind, reason: &str) {
        let Reader { slot, outlet, orders, thread } = reader;
        if self.stop.is_stopped() {
            // Whatever the worker still brings is then of an older generation and stays unsaid.
            drop(lock(&slot).step(Input::Gone(kind), self.clock.now_ns()));
        } else {
            outlet.step(&slot, Input::Gone(kind));
        }
        drop(orders);
        for _ in 0..WORKER_STOP_WAIT_MS / 10 {
            if thread.is_finished() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !thread.is_finished() {
            tracing::warn!(reader = %outlet.source.name, "a card does not answer; its thread is left behind");
        }
        if !self.stop.is_stopped() {
            let (source, reason) = (outlet.source, reason.to_owned());
            self.sink.send(CardEvent::SourceDown { source, kind, reason, at_ns: self.clock.now_ns() });
        }
    }

    fn tell_down(&mut self, kind: ErrorKind, reason: &str) {
        if self.told_down == Some(kind) {
            return;
        }
        self.told_down = Some(kind);
        let source = SourceId::new(self.config.index, self.config.name_contains.as_str());
        let reason = reason.to_owned();
        self.sink.send(CardEvent::SourceDown { source, kind, reason, at_ns: self.clock.now_ns() });
    }

    /// How long to wait for a change: until the next deadline of a read, at most [`STATUS_WAIT_MS`].
    fn wait(&self, readers: &BTreeMap<CString, Reader>) -> Duration {
        let now_ns = self.clock.now_ns();
        let due = readers.values().filter_map(|r| lock(&r.slot).due_ns()).min();
        let longest = Duration::from_millis(STATUS_WAIT_MS);
        let wait = due.map_or(longest, |due| Duration::from_nanos(due.saturating_sub(now_ns)).min(longest));
        // The service counts in milliseconds; rounding down to zero would spin until the deadline.
        wait.max(Duration::from_millis(1))
    }

    fn tick(&self, readers: &BTreeMap<CString, Reader>) {
        for reader in readers.values() {
            reader.outlet.step(&reader.slot, Input::Tick);
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells a reader's machine what the service says, and has the card read if it is new.
fn look(reader: &Reader, state: &ReaderState) {
    let seen = state.event_state();
    if seen.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
        return;
    }
    let input = Input::Look { present: seen.contains(State::PRESENT), count: state.event_count() };
    if let Some(generation) = reader.outlet.step(&reader.slot, input)
        && reader.orders.send(generation).is_err()
    {
        let outcome = Err(ErrorKind::Other);
        reader.outlet.step(&reader.slot, Input::Done { generation, outcome });
    }
}
