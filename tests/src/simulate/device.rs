//! A terminal of a run: the real store, decisions and lanes over files in a folder of its own.
//!
//! A crash copies the files as they lie on the disk, write-ahead log and all, and forgets the memory; the old
//! connections are then closed over the files that nobody looks at any more.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::task::{Context, Poll, Waker};

use anyhow::Context as _;
use axum::http::{Request, Response};
use hufu_edge::clock::Clock;
use hufu_edge::rules::backoff::Backoff;
use hufu_edge::run::core::Core;
use hufu_edge::state::{self, RunEnds};
use hufu_edge::store::{
    BootInfo, DIRECTORY_FILE, Directory, JOURNAL_FILE, JournalState, NameKey, Store, StoreError, asides,
    read_state,
};
use hufu_edge::sync::authorize::Authorizer;
use hufu_edge::sync::client::{Centre, CentreError, Channel};
use hufu_edge::sync::download::{DirectoryLane, DownloadError, Polled, UpdatesLane};
use hufu_edge::sync::link::{CentreKnown, Shared};
use hufu_edge::sync::pair::Pair;
use hufu_edge::sync::pipe::Pipe;
use hufu_edge::sync::upload::{Progress, UploadError, Uploader};
use hufu_edge::terminal::Terminal;
use hufu_shared::ids::{BootId, DeviceId, Hash, OfficeId};
use hufu_shared::scheme::Words;
use hufu_shared::wire::lease::{LeaseAnswer, LeaseAsk};

use super::centre::block_on;
use super::club::{CLUB, Club, EPOCH};
use super::random::Random;
use super::time::{MachineClock, TrueTime};

/// The three ways in which a terminal speaks to the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneKind {
    /// Facts.
    Upload,
    /// Blocks, notices, leases, time.
    Updates,
    /// Members and cards.
    Directory,
    /// What an earlier enrolment left, by its place among those.
    Aside(u8),
}

impl LaneKind {
    /// Its place among the lanes of a terminal.
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Upload => 0,
            Self::Updates => 1,
            Self::Directory => 2,
            Self::Aside(n) => LANES.len() + usize::from(n),
        }
    }

    /// The lane at a place.
    #[must_use]
    pub fn at(place: usize) -> Self {
        let aside = || Self::Aside(u8::try_from(place - LANES.len()).unwrap_or(u8::MAX));
        LANES.get(place).copied().unwrap_or_else(aside)
    }
}

/// The lanes that every terminal has.
pub const LANES: [LaneKind; 3] = [LaneKind::Upload, LaneKind::Updates, LaneKind::Directory];

enum Job {
    Upload(Box<Uploader>),
    Updates(Box<UpdatesLane>),
    Directory(Box<DirectoryLane>),
}

/// How a step of a lane ended.
pub enum Ended {
    /// Of the uploads.
    Upload(Result<Progress, UploadError>),
    /// Of the updates.
    Updates(Result<Polled, DownloadError>),
    /// Of the directory.
    Directory(Result<(), DownloadError>),
}

type Step = Pin<Box<dyn Future<Output = (Job, Ended)>>>;

/// A lane with its memory.
pub struct Lane {
    pipe: Pipe,
    channel: Channel,
    job: Option<Job>,
    step: Option<Step>,
    /// Its waits.
    pub backoff: Backoff,
    /// The exchange that it waits for.
    pub waits_for: Option<u64>,
}

impl Lane {
    fn new(job: Job, pair: &Pair) -> Self {
        let pipe = Pipe::default();
        let channel = Channel { centre: Centre::piped(pipe.clone()), pair: pair.clone() };
        Self { pipe, channel, job: Some(job), step: None, backoff: Backoff::default(), waits_for: None }
    }

    /// Whether a step is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.step.is_some()
    }

    /// The pipe to answer.
    #[must_use]
    pub fn pipe(&self) -> &Pipe {
        &self.pipe
    }

    /// Begins a step; [`Lane::poll`] takes it on.
    pub fn begin(&mut self) {
        let Some(job) = self.job.take() else { return };
        let channel = self.channel.clone();
        self.step = Some(Box::pin(async move {
            match job {
                Job::Upload(mut lane) => {
                    let ended = lane.step(&channel).await;
                    (Job::Upload(lane), Ended::Upload(ended))
                }
                Job::Updates(mut lane) => {
                    let ended = lane.poll(&channel, 0).await;
                    (Job::Updates(lane), Ended::Updates(ended))
                }
                Job::Directory(mut lane) => {
                    let ended = lane.refresh(&channel).await;
                    (Job::Directory(lane), Ended::Directory(ended))
                }
            }
        }));
    }

    /// Goes on until the step ends or asks the centre.
    pub fn poll(&mut self) -> Option<Ended> {
        let step = self.step.as_mut()?;
        match step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready((job, ended)) => {
                (self.job, self.step, self.waits_for) = (Some(job), None, None);
                Some(ended)
            }
        }
    }
}

/// What asks the centre for more than the leases held, one ask at a time.
pub struct Asker {
    lane: Authorizer,
    pipe: Pipe,
    channel: Channel,
}

/// A terminal that is switched on.
pub struct Running {
    /// What decides.
    pub core: Core,
    /// Its clock.
    pub clock: Clock,
    /// What the lanes share.
    pub shared: Shared,
    /// Orders of the centre.
    pub ends: RunEnds,
    /// The lanes, in the order of [`LANES`]; then one for each earlier enrolment's journal.
    pub lanes: Vec<Lane>,
    /// What asks for more while a card waits.
    pub asker: Asker,
    /// When this boot began, true time.
    pub booted_at: i64,
}

/// A terminal, on or off.
pub struct Device {
    /// Its place in the run.
    pub n: usize,
    /// Who it is.
    pub id: DeviceId,
    /// Where it stands.
    pub office: OfficeId,
    /// Its enrolment.
    pub epoch: u32,
    /// The key that it signs with.
    pub pair: Pair,
    /// DER of its certificate, as the centre sees it.
    pub certificate: Arc<[u8]>,
    /// Counts boots and crashes: events of an earlier life are void.
    pub life: u32,
    /// Added to the true time by its wall clock.
    pub error: Arc<AtomicI64>,
    /// Its memory, while it is on.
    pub running: Option<Running>,
    /// No request or answer passes.
    pub cut_off: bool,
    /// Its disk forgot what was synced, or it is one of two copies: what it showed may be gone.
    pub lied: bool,
    /// It is taken out of the run for good.
    pub gone: bool,
    base: PathBuf,
    folder: PathBuf,
    folders: u32,
}

impl Device {
    /// A terminal that was just enrolled, switched off.
    #[must_use]
    pub fn new(base: &Path, n: usize, id: DeviceId, office: OfficeId, pair: Pair) -> Self {
        let certificate = Arc::from(pair.certificate().as_ref());
        Self {
            n,
            id,
            office,
            epoch: 1,
            pair,
            certificate,
            life: 0,
            error: Arc::default(),
            running: None,
            cut_off: false,
            lied: false,
            gone: false,
            base: base.to_owned(),
            folder: base.join(format!("t{n}.0")),
            folders: 0,
        }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its journal's file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.folder.join(JOURNAL_FILE)
    }

    /// Where its journal stands, asked of the running program if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn state(&self) -> Result<JournalState, StoreError> {
        match &self.running {
            Some(running) => running.core.store().with(|journal| journal.state()),
            None => read_state(&self.journal()),
        }
    }

    /// Who it is, as its program knows it.
    #[must_use]
    pub fn terminal(&self, club: &Club) -> Terminal {
        Terminal {
            device: self.id,
            epoch: self.epoch,
            name: format!("T{}", self.n),
            club: CLUB,
            club_name: Words { zh: "澜庭会".to_owned(), en: "Lanting Club".to_owned() },
            office: self.office,
            first_key: self.pair.public_key_info().to_vec(),
            token_keys: vec![club.token_key.clone()],
            name_key: NameKey::from_seed(&self.id.0),
        }
    }

    /// Starts the program, as the daemon does: journal, clock, check, `Booted`, directory, lanes.
    ///
    /// # Errors
    /// If its files are damaged, or the disk is full.
    pub fn boot(&mut self, club: &Club, time: &TrueTime, boot: [u8; 16]) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        self.life += 1;
        let terminal = Arc::new(self.terminal(club));
        let store = Store::open(&self.journal(), &terminal)?;
        let floor = store.with(|journal| journal.time_floor())?;
        let readings =
            MachineClock { time: time.clone(), booted_at: time.now(), error: Arc::clone(&self.error) };
        let clock = Clock::new(Arc::new(readings), floor);
        let path = self.folder.join(DIRECTORY_FILE);
        let directory = Directory::open_or_set_aside(&path, CLUB, terminal.name_key.clone())?;
        let info = BootInfo {
            boot: BootId(boot),
            board: Hash::of(&[b"board", &self.id.0]),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            directory: directory.version(),
        };
        store.with(|journal| {
            let now = clock.now();
            if journal.was_running()? || journal.is_check_due(now.trusted)? {
                journal.check_whole(now.trusted)?;
            }
            journal.boot(info, &now)
        })?;
        let (sync_ends, ends) = state::channel(clock.now().trusted);
        let shared = Shared::new(sync_ends, clock.clone());
        let known = CentreKnown { sign_key: club.keys.sign_public(), epoch: EPOCH };
        let uploader = block_on(Uploader::new(store.clone(), shared.clone(), known))?;
        let updates = UpdatesLane::new(store.clone(), directory.clone(), shared.clone(), known);
        let both = (store.clone(), directory.clone());
        let keeper = DirectoryLane::new(both, shared.clone(), known, (CLUB, self.office), &self.folder);
        let pipe = Pipe::default();
        let asker = Asker {
            lane: Authorizer::new(store.clone(), directory.clone(), shared.clone(), known),
            channel: Channel { centre: Centre::piped(pipe.clone()), pair: self.pair.clone() },
            pipe,
        };
        let jobs = [
            Job::Upload(Box::new(uploader)),
            Job::Updates(Box::new(updates)),
            Job::Directory(Box::new(keeper)),
        ];
        let mut lanes: Vec<Lane> = jobs.into_iter().map(|job| Lane::new(job, &self.pair)).collect();
        for left in asides(&self.folder) {
            let uploader = Uploader::aside(Store::open_aside(&left, self.id)?, shared.clone(), known);
            lanes.push(Lane::new(Job::Upload(Box::new(uploader)), &self.pair));
        }
        let core = Core::new(store, directory, terminal);
        self.running = Some(Running { core, clock, shared, ends, lanes, asker, booted_at: time.now() });
        Ok(())
    }

    /// Loses the memory: what is on the disk stays, as it lies there.
    ///
    /// # Errors
    /// If the files cannot be copied.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        self.life += 1;
        let old = self.folder.clone();
        self.folders += 1;
        self.folder = self.base.join(format!("t{}.{}", self.n, self.folders));
        copy_files(&old, &self.folder)?;
        self.running = None;
        std::fs::remove_dir_all(&old)?;
        Ok(())
    }

    /// Leaves on the disk what a power cut may leave there beside the synced commits: half of the next commit behind the
    /// last one in the log, and a page that a checkpoint was about to copy from the log into the file.
    ///
    /// # Errors
    /// If the files cannot be changed.
    pub fn tear(&self, random: &mut Random) -> anyhow::Result<bool> {
        let mut log = self.folder.join(JOURNAL_FILE).into_os_string();
        log.push("-wal");
        let Ok(mut bytes) = std::fs::read(&log) else { return Ok(false) };
        let Some(Committed { end, pages, page_size }) = committed(&bytes) else { return Ok(false) };
        let half: Vec<u8> =
            (0..random.below(page_size + 1)).map(|_| random.number().to_le_bytes()[0]).collect();
        bytes.resize(bytes.len().max(end + half.len()), 0);
        bytes[end..end + half.len()].copy_from_slice(&half);
        std::fs::write(&log, &bytes)?;
        let file = OpenOptions::new().read(true).write(true).open(self.journal())?;
        let page = pages[random.index(pages.len())];
        // The first page tells what the file is; a disk writes its sector whole, and the log says the same.
        if page > 1 && page * page_size <= file.metadata()?.len() {
            let from = (page - 1) * page_size + random.below(page_size / 2);
            file.write_all_at(&random.bytes::<512>(), from)?;
        }
        Ok(true)
    }

    /// Ends the program in good order.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn shut_down(&mut self) -> anyhow::Result<()> {
        self.life += 1;
        if let Some(running) = self.running.take() {
            let now = running.clock.now();
            running.core.store().with(|journal| journal.shutdown(&now))?;
        }
        Ok(())
    }

    /// Copies its files as they lie on the disk.
    ///
    /// # Errors
    /// If they cannot be copied.
    pub fn keep_image(&self, to: &Path) -> anyhow::Result<()> {
        if to.exists() {
            std::fs::remove_dir_all(to)?;
        }
        copy_files(&self.folder, to)
    }

    /// Puts an image in place of its files; it must be off.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn put_image(&mut self, from: &Path) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.folder)?;
        copy_files(from, &self.folder)
    }

    /// A second machine with the same files and the same identity, switched off.
    ///
    /// # Errors
    /// If they cannot be copied.
    pub fn clone_as(&self, n: usize) -> anyhow::Result<Self> {
        let mut other = Self::new(&self.base, n, self.id, self.office, self.pair.clone());
        other.epoch = self.epoch;
        copy_files(&self.folder, &other.folder)?;
        Ok(other)
    }

    /// Takes a new enrolment; it must be off.
    pub fn enrol(&mut self, pair: Pair, epoch: u32) {
        self.certificate = Arc::from(pair.certificate().as_ref());
        (self.pair, self.epoch) = (pair, epoch);
    }
}

impl Asker {
    /// One ask, carried to the centre by `carry` and back within the same moment, or lost. None if nothing came of it.
    ///
    /// # Errors
    /// What `carry` answers.
    pub fn ask(
        &self,
        ask: &LeaseAsk,
        carry: impl FnOnce(Request<Vec<u8>>) -> anyhow::Result<Result<Response<Vec<u8>>, CentreError>>,
    ) -> anyhow::Result<Option<LeaseAnswer>> {
        let mut asking = pin!(self.lane.ask_once(&self.channel, ask));
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(answer) = asking.as_mut().poll(&mut context) {
            return Ok(answer);
        }
        let request = self.pipe.take().context("an ask that waits has asked")?;
        self.pipe.answer(carry(request)?);
        match asking.as_mut().poll(&mut context) {
            Poll::Ready(answer) => Ok(answer),
            Poll::Pending => anyhow::bail!("an ask waits although it was answered"),
        }
    }
}

/// What a write-ahead log holds of whole commits.
struct Committed {
    end: usize,
    pages: Vec<u64>,
    page_size: u64,
}

/// Reads the frames of the log's newest round up to its last commit; none if there is no commit.
fn committed(log: &[u8]) -> Option<Committed> {
    const HEADER: usize = 32;
    const FRAME_HEADER: usize = 24;
    let number = |at: usize| Some(u32::from_be_bytes(log.get(at..at + 4)?.try_into().ok()?));
    let (page_size, salts) = (number(8)?, (number(16)?, number(20)?));
    let frame_len = FRAME_HEADER + usize::try_from(page_size).ok()?;
    let mut found = Committed { end: HEADER, pages: Vec::new(), page_size: page_size.into() };
    let (mut at, mut open) = (HEADER, Vec::new());
    while at + frame_len <= log.len() && (number(at + 8)?, number(at + 12)?) == salts {
        open.push(u64::from(number(at)?));
        let is_commit = number(at + 4)? > 0;
        at += frame_len;
        if is_commit {
            found.end = at;
            found.pages.append(&mut open);
        }
    }
    (!found.pages.is_empty()).then_some(found)
}

/// Copies a folder's files; shared memory is not on a disk, so a crash loses it.
fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_file() && !name.ends_with("-shm") {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
