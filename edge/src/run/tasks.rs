//! Starting everything in the right order, and stopping it in the reverse.
//!
//! Order: lock of the data folder, journal, clock, check, `Booted`, directory, displays, loop, counter page, readers, sync.
//! Nothing is read from a card before the `Booted` fact is on the disk.

use std::fs::{File, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use hufu_hardware::card::{CardSource, EventSink, Running, SourceError};
use hufu_hardware::framed::FramedDesk;
use hufu_hardware::panel::SharedFrame;
use hufu_hardware::printer::EscPos;
use hufu_hardware::printer::queue::{Job, PrintQueue, Report};
use hufu_hardware::signal::gpio::{ChipSwitch, GpioSignal};
use hufu_hardware::signal::lamp::TowerLamp;
use hufu_hardware::signal::{NoSignal, Signal, StackLight};
use hufu_shared::ids::BootId;
use hufu_shared::seal::SealKey;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use super::board;
use super::control::{self, ControlError};
use super::core::Core;
use super::dispatch::Dispatch;
use super::doors::Doors;
use super::effects::{Effect, Effects};
use super::events::{EVENTS_MAX, Event};
use super::panels;
use super::paper::PrinterSetup;
use super::readers::{self, READERS_MAX};
use crate::clock::{self, Clock, SystemClock};
use crate::config::{Config, PrinterConfig, SignalConfig};
use crate::counter::guard::{Guard, GuardError};
use crate::counter::operators::{OperatorError, Operators};
use crate::counter::port::{Port, PortEnds, Request};
use crate::counter::routes::Counter;
use crate::counter::tablets::Tablets;
use crate::counter::tls::TlsError;
use crate::counter::voice::Sounds;
use crate::random;
use crate::rules::screen::{Face, Offers};
use crate::rules::upload_plan::Stop;
use crate::state::{self, ContactSender, FindSender, RunEnds, SyncEnds};
use crate::store::{BootInfo, DIRECTORY_FILE, Directory, JOURNAL_FILE, Store, StoreError, forget_practice};
use crate::sync::client::ClientLimits;
use crate::sync::identity::{Identity, IdentityError};
use crate::sync::task::{SyncParts, SyncTasks, spawn};

/// Name of the lock in the data folder.
pub const LOCK_FILE: &str = "edge.lock";
/// Time between two ticks of the loop, in milliseconds.
const TICK_MS: u64 = 1_000;

/// The daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("{step} {}: {source}", path.display())]
    Folder {
        /// What was tried.
        step: &'static str,
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another daemon uses the data folder.
    #[error("another hufu-edge runs on {}", path.display())]
    Running {
        /// The folder.
        path: PathBuf,
    },
    /// Not enrolled, or the identity is damaged.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The journal or directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A reader that can never work.
    #[error(transparent)]
    Reader(#[from] SourceError),
    /// More readers than a fact can name.
    #[error("at most {READERS_MAX} readers expected in the configuration, met {met}")]
    Readers {
        /// How many.
        met: usize,
    },
    /// The counter page's rules.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The counter page's address.
    #[error("listen for the counter page at {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// Who signs in at the counter.
    #[error(transparent)]
    Operator(#[from] OperatorError),
    /// The certificate that tablets see.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The door for commands.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The loop ended by itself, which is a defect of this program.
    #[error("the loop ended by itself; start the terminal again")]
    Ended,
}

/// Takes the data folder for one daemon; the lock is let go when the file is closed, also by a kill.
///
/// # Errors
/// [`StartError::Running`] if another daemon has it.
pub fn lock(data_dir: &Path) -> Result<File, StartError> {
    let path = data_dir.join(LOCK_FILE);
    let wrong = |step| move |source| StartError::Folder { step, path: data_dir.to_owned(), source };
    // What is in it says who came when: nobody else's business on this machine.
    let folder = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    folder.map_err(wrong("make data folder"))?;
    close_to_others(data_dir);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(wrong("open lock in"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::Running { path: data_dir.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(wrong("lock")(source)),
    }
}

/// A folder that was made by hand or by a packager may be open to others.
fn close_to_others(data_dir: &Path) {
    let mode = std::fs::metadata(data_dir).map(|meta| meta.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 == 0) {
        return;
    }
    if let Err(error) = std::fs::set_permissions(data_dir, Permissions::from_mode(0o700)) {
        // Another owner's folder: its rights are that owner's to change, and swipes go on.
        warn!(%error, folder = %data_dir.display(), "others may look into the data folder");
    }
}

/// Runs the daemon until `stop` is told.
///
/// # Errors
/// [`StartError`] if it cannot start, or if the loop ended by itself: then only a new start helps.
pub async fn run(config: &Config, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let data_dir = &config.terminal.data_dir;
    let _lock = lock(data_dir)?;
    let identity = Identity::load(data_dir)?;
    // Whatever can be refused is, before a start is recorded.
    let doors = Doors::open(config).await?;
    let control = control::open(data_dir)?;
    let (sources, desks) = sources(config)?;
    let (core, clock) = open(data_dir, &identity)?;
    let core = core.at_gates(config.gates.clone());
    let (events, inbox) = mpsc::channel(EVENTS_MAX);

    let (effects, showing, desk) = start_effects(config, &core, &clock, events.clone(), desks);
    let entries = sources.iter().map(|source| (source.name(), source.kind())).collect();
    let operators = Operators::load(&config.operators, core.store().clone(), clock.clone())?;
    let tablets = doors.tablets(&core, &clock, &effects)?;
    let dispatch = Dispatch::new(core.clone(), clock.clone(), effects, entries, panels::state(config))?;
    let mut dispatch = dispatch.trusting(identity.enrolment.central_sign_key);
    dispatch.set_gate(config.terminal.way);
    dispatch.attach_operators(operators.known());
    let (port, PortEnds { view, orders }) = Port::new(dispatch.first_view()?, desk);
    dispatch.attach(view);
    if let Some(printer) = &config.printer {
        let (name, automatic) = (printer.port.name(), printer.automatic.clone());
        dispatch.attach_printer(PrinterSetup { name, automatic, language: config.terminal.language })?;
    }
    dispatch.rest();
    let (sync_ends, run_ends) = state::channel(clock.now().trusted);
    let asks = (identity.enrolment.central_seal_key, run_ends.finds.clone(), run_ends.contacts.clone());
    let page = Arc::new(counter(config, port, &clock, (asks, tablets.clone(), operators))?);
    dispatch.attach_asks(run_ends.asks.clone());
    dispatch.attach_ready(run_ends.ready.clone());
    dispatch.attach_health(run_ends.health.clone());
    let looping = std::thread::spawn(move || dispatch_loop(dispatch, inbox));

    let (stop_counter, counter_stops) = watch::channel(false);
    let serving = doors.serve(&page, &counter_stops);
    let commanding = tokio::spawn(control::serve(control, events.clone(), tablets));
    recall_stop(&core, &sync_ends)?;
    let running = start_readers(sources, &events, &clock)?;
    let sync = start_sync(sync_parts(config, &core, identity, &clock, sync_ends)).await;
    info!(terminal = %core.terminal().name, counter = %config.counter.listen, "the terminal is ready");

    let ended = pass_on(&events, orders, run_ends, sync, stop).await;

    commanding.abort();
    let _ = stop_counter.send(true);
    drop(serving.join_all().await);
    // Readers join their threads, which may be waiting to hand over an event: the loop must still take it.
    drop(tokio::task::spawn_blocking(move || drop(running)).await);
    drop(events.send(Event::Stop).await);
    drop(tokio::task::spawn_blocking(move || (looping.join(), showing.join())).await);
    info!("the terminal has stopped");
    ended
}

/// What stopped uploading before this start still does until a receipt says otherwise, also while offline.
fn recall_stop(core: &Core, ends: &SyncEnds) -> Result<(), StoreError> {
    if let Some(words) = core.store().with(|journal| journal.state())?.stopped {
        ends.link.send_modify(|link| link.stopped = Some(Stop::recalled(&words)));
    }
    Ok(())
}

/// Hands the loop everything that comes from async tasks, until `stop` is told.
async fn pass_on(
    events: &mpsc::Sender<Event>,
    mut orders: mpsc::Receiver<Request>,
    mut run_ends: RunEnds,
    mut sync: Option<SyncTasks>,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
    tokio::pin!(stop);
    loop {
        let event = tokio::select! {
            () = &mut stop => return Ok(()),
            _ = ticks.tick() => Event::Tick,
            Some(request) = orders.recv() => Event::Order(request),
            Some(order) = run_ends.orders.recv() => Event::Central(order),
            Some(asked) = run_ends.asked.recv() => Event::Asked(asked),
            Ok(()) = run_ends.link.changed() => Event::Link(run_ends.link.borrow_and_update().clone()),
            () = ended(&mut sync) => {
                error!("sync ended; the terminal goes on without it");
                sync = None;
                continue;
            }
        };
        if events.send(event).await.is_err() {
            return Err(StartError::Ended);
        }
    }
}

/// Starts the displays, light and sound on a thread of their own.
fn start_effects(
    config: &Config,
    core: &Core,
    clock: &Clock,
    events: mpsc::Sender<Event>,
    desks: Vec<FramedDesk>,
) -> (std_mpsc::Sender<Effect>, JoinHandle<()>, Option<SharedFrame>) {
    let (panels, desk) = panels::open(config);
    let (effects, effects_out) = std_mpsc::channel();
    let rest = (Face::Idle(Offers::default()), core.office_clock().tz().unwrap_or(chrono_tz::Asia::Shanghai));
    let show = Effects::new(panels, signal(config), config.terminal.language, clock.clone(), rest);
    let mut show = show.prompting(desks);
    if let Some(printer) = &config.printer {
        show = show.with_printer(start_printer(printer, clock, events.clone()));
    }
    let showing = std::thread::spawn(move || {
        // The loop may have ended already; then nobody needs to know.
        show.run(&effects_out, |report| drop(events.blocking_send(Event::Shown(report))));
    });
    (effects, showing, desk)
}

/// Starts the printer on a thread of its own; the answer takes slips and never waits.
fn start_printer(
    config: &PrinterConfig,
    clock: &Clock,
    events: mpsc::Sender<Event>,
) -> impl Fn(Job) + Send + use<> {
    let printer = EscPos::new(config.port.clone(), config.profile);
    let tell = events.clone();
    let queue = PrintQueue::start(Box::new(printer), clock.monotonic(), move |report| {
        // The loop may have ended already; then nobody needs to know.
        drop(tell.blocking_send(Event::Printer(report)));
    });
    move |job| {
        let id = job.id;
        if let Err(error) = queue.submit(job) {
            warn!(slip = id, %error, "a slip was not taken");
            drop(events.blocking_send(Event::Printer(Report::LetGo { id })));
        }
    }
}

async fn start_sync(parts: SyncParts) -> Option<SyncTasks> {
    match spawn(parts).await {
        Ok(sync) => Some(sync),
        Err(error) => {
            error!(%error, "sync cannot begin; the terminal goes on without it");
            None
        }
    }
}

/// Opens the terminal's files and records the start.
fn open(data_dir: &Path, identity: &Identity) -> Result<(Core, Clock), StartError> {
    let terminal = Arc::new(identity.terminal()?);
    // A practice ends with its program, however that ended.
    forget_practice(data_dir)?;
    let store = Store::open(&data_dir.join(JOURNAL_FILE), &terminal)?;
    let floor = store.with(|journal| journal.time_floor())?;
    let clock = Clock::new(Arc::new(SystemClock::start()), floor);
    let directory = Directory::open_or_set_aside(
        &data_dir.join(DIRECTORY_FILE),
        terminal.club,
        terminal.name_key.clone(),
    )?;
    let info = BootInfo {
        boot: BootId(random::bytes()),
        board: board::fingerprint(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        directory: directory.version(),
    };
    let booting = store.with(|journal| {
        let now = clock.now();
        if journal.was_running()? || journal.is_check_due(now.trusted)? {
            journal.check_whole(now.trusted)?;
        }
        journal.set_machine(clock::uptime(now.mono_ns));
        journal.boot(info, &now)
    })?;
    if booting.unclean {
        tracing::warn!(seq = booting.seq, "the run before ended without a shutdown");
    }
    Ok((Core::new(store, directory, terminal), clock))
}

fn dispatch_loop(mut dispatch: Dispatch, mut inbox: mpsc::Receiver<Event>) {
    dispatch.work(&mut inbox);
}

async fn ended(sync: &mut Option<SyncTasks>) {
    match sync {
        Some(sync) => sync.ended().await,
        None => std::future::pending().await,
    }
}

fn signal(config: &Config) -> Box<dyn Signal> {
    match &config.signal {
        Some(SignalConfig::Line { port, baud }) => Box::new(StackLight::new(port, *baud)),
        Some(SignalConfig::Lamp { port, baud, commands }) => {
            Box::new(TowerLamp::new(port, *baud, commands.clone()))
        }
        Some(SignalConfig::Gpio(lines)) => Box::new(GpioSignal::new(lines.clone(), ChipSwitch::new(lines))),
        None => Box::new(NoSignal),
    }
}

fn sources(config: &Config) -> Result<(Vec<Box<dyn CardSource>>, Vec<FramedDesk>), StartError> {
    if config.readers.len() > READERS_MAX {
        return Err(StartError::Readers { met: config.readers.len() });
    }
    let sources = config.readers.iter().enumerate().map(|(at, reader)| readers::source(at, reader));
    let (sources, desks): (_, Vec<Option<FramedDesk>>) = sources.unzip();
    Ok((sources, desks.into_iter().flatten().collect()))
}

fn start_readers(
    sources: Vec<Box<dyn CardSource>>,
    events: &mpsc::Sender<Event>,
    clock: &Clock,
) -> Result<Vec<Running>, StartError> {
    let events = events.clone();
    // A reader's thread waits when the loop is behind: a card is never dropped.
    let sink = EventSink::new(move |event| drop(events.blocking_send(Event::Card(event))));
    Ok(readers::start(sources, &sink, &clock.monotonic())?)
}

fn counter(
    config: &Config,
    port: Port,
    clock: &Clock,
    ((seal_key, finds, contacts), tablets, operators): (
        (SealKey, FindSender, ContactSender),
        Option<Arc<Tablets>>,
        Operators,
    ),
) -> Result<Counter, GuardError> {
    let simulator = config.simulator_url.as_deref();
    let guard = Guard::new(
        config.counter.listen,
        config.counter.listen_unpaired,
        &config.counter.embed_origins,
        simulator,
    )?;
    let clock = clock.clone();
    Ok(Counter {
        port,
        guard,
        seal_key,
        simulator: config.simulator_url.clone(),
        language: config.terminal.language,
        sounds: Arc::new(Sounds::load(config.counter.volume, config.counter.voice_dir.as_deref())),
        finds,
        tablets,
        contacts,
        operators: Arc::new(operators),
        now: Box::new(move || clock.now().trusted),
    })
}

fn sync_parts(config: &Config, core: &Core, identity: Identity, clock: &Clock, ends: SyncEnds) -> SyncParts {
    SyncParts {
        store: core.store().clone(),
        directory: core.directory().clone(),
        identity,
        clock: clock.clone(),
        ends,
        url: config.central.url.clone(),
        data_dir: config.terminal.data_dir.clone(),
        names: Vec::new(),
        limits: ClientLimits::default(),
    }
}

#[cfg(test)]
mod tests;
