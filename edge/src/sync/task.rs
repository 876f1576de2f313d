//! The lanes as tasks: each makes one exchange after another and waits as the backoff says.
//!
//! Tasks that share nothing but the store and [`Shared`]: uploads, long poll, directory, certificates, and
//! one more for each journal of an earlier enrolment. Stopping is
//! dropping [`SyncTasks`]: every step of a lane is either done in the store or not begun, so a task may end anywhere.
//! Out of scope: what a step does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hufu_shared::ids::DeviceId;
use hufu_shared::wire::problem::ProblemKind;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::authorize::{self, Authorizer};
use super::client::{CentreError, Channel, ClientLimits};
use super::contact;
use super::download::{self, DirectoryLane, DownloadError, UpdatesLane};
use super::identity::{Identity, IdentityError};
use super::link::{CentreKnown, Shared};
use super::lookup;
use super::renew::{self, RenewError};
use super::trust::TrustedTime;
use super::upload::{Progress, UploadError, Uploader};
use crate::clock::Clock;
use crate::random;
use crate::rules::backoff::{Backoff, Wish};
use crate::rules::quota::is_tight;
use crate::rules::upload_plan::Stop;
use crate::state::SyncEnds;
use crate::store::{Directory, Store, asides};

/// Milliseconds for which the centre is asked to hold the long poll: with the client's grace below the 30 s within
/// which a dead line must be found.
pub const HOLD_MS: u32 = 22_000;
/// How long an upload waits for the first word of the centre in a boot, in milliseconds.
const FIRST_WORD_MS: u64 = 5_000;
/// Shortest time from one poll to the next when there was no news, in milliseconds, by how many polls in a row came
/// back at once: a centre that does not hold requests (it does not while the directory lags behind) must not be asked in
/// a circle, and a guest who waits for points that lie here must not wait for a gap.
const POLL_GAPS_MS: [(u32, u64); 3] = [(4, 100), (30, 1_000), (u32::MAX, 5_000)];
/// Longest wait between two batches that a centre's credit may ask for, in milliseconds.
const NEXT_POLL_MS_MAX: u64 = 300_000;
/// Milliseconds after which an idle upload lane looks at the journal all the same.
const IDLE_LOOK_MS: u64 = 30_000;
/// Milliseconds until the directory lane looks again whether there is room.
const ROOM_LOOK_MS: u64 = 30_000;
/// Times in a row that a lane may begin anew at once.
const AGAIN_MAX: u32 = 20;
/// Milliseconds between two looks at the certificates' age.
const RENEW_LOOK_MS: u64 = 3_600_000;

/// What the lanes need.
#[derive(Clone)]
pub struct SyncParts {
    /// The journal, after the boot was recorded.
    pub store: Store,
    /// The directory.
    pub directory: Directory,
    /// Who this terminal is.
    pub identity: Identity,
    /// The terminal's clock.
    pub clock: Clock,
    /// Where news go.
    pub ends: SyncEnds,
    /// Address of the centre; the enrolment's unless the configuration says otherwise.
    pub url: String,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Host names and addresses of this machine, for the counter page's certificate; empty for none.
    pub names: Vec<String>,
    /// Time limits of the client.
    pub limits: ClientLimits,
}

/// Sync cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The address or the keys.
    #[error(transparent)]
    Centre(#[from] CentreError),
    /// The journal.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// The running lanes. Dropping it stops them.
#[derive(Debug)]
pub struct SyncTasks {
    tasks: JoinSet<()>,
}

impl SyncTasks {
    /// Waits until a lane ends, which none does unless it panics.
    pub async fn ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                error!(%error, "a sync task ended");
                return;
            }
        }
    }
}

/// Starts the lanes.
///
/// # Errors
/// [`SyncError`] if they cannot even begin; a centre that is not there is no error.
pub async fn spawn(parts: SyncParts) -> Result<SyncTasks, SyncError> {
    let shared = Shared::new(parts.ends.clone(), parts.clock.clone());
    let enrolment = &parts.identity.enrolment;
    let centre = parts.centre();
    let (club, office) = (enrolment.club, enrolment.office);
    let (channel, channels) = watch::channel(Arc::new(parts.channel(parts.identity.device())?));
    let (store, directory) = (parts.store.clone(), parts.directory.clone());
    let uploader = Uploader::new(store.clone(), shared.clone(), centre).await?;
    let updates = UpdatesLane::new(store.clone(), directory.clone(), shared.clone(), centre);
    let both = (store.clone(), directory);
    let keeper = DirectoryLane::new(both, shared.clone(), centre, (club, office), &parts.data_dir);
    let mut tasks = JoinSet::new();
    for path in asides(&parts.data_dir) {
        let own = enrolment.device;
        tasks.spawn(run_aside(path, own, centre, channels.clone(), shared.clone()));
    }
    if let Some((asks, told)) = parts.ends.take_asks() {
        let lane = Authorizer::new(store.clone(), parts.directory.clone(), shared.clone(), centre);
        tasks.spawn(authorize::run(lane, asks, told, channels.clone()));
    }
    if let Some(finds) = parts.ends.take_finds() {
        tasks.spawn(lookup::run(finds, shared.clone(), channels.clone()));
    }
    if let Some(wishes) = parts.ends.take_contacts() {
        let (store, directory) = (store.clone(), parts.directory.clone());
        let tried =
            contact::Contact { store, directory, shared: shared.clone(), centre, device: enrolment.device };
        tasks.spawn(contact::run(wishes, tried, channels.clone()));
    }
    tasks.spawn(run_uploads(uploader, channels.clone(), shared.clone(), store));
    tasks.spawn(run_updates(updates, channels.clone(), shared.clone()));
    tasks.spawn(run_directory(keeper, channels, shared, parts.store.clone()));
    tasks.spawn(run_certificates(parts, channel));
    Ok(SyncTasks { tasks })
}

impl SyncParts {
    fn centre(&self) -> CentreKnown {
        let enrolment = &self.identity.enrolment;
        CentreKnown { sign_key: enrolment.central_sign_key, epoch: enrolment.central_epoch }
    }

    fn channel(&self, pair: &super::pair::Pair) -> Result<Channel, CentreError> {
        let time = Arc::new(TrustedTime(self.clock.clone()));
        Channel::new(&self.url, self.identity.ca(), pair, time, self.limits)
    }
}

/// A lane's waits: the backoff, cut short once when another lane reaches the centre again.
struct Waits {
    backoff: Backoff,
    link: watch::Receiver<crate::state::Link>,
}

impl Waits {
    fn new(shared: &Shared) -> Self {
        Self { backoff: Backoff::default(), link: shared.link() }
    }

    async fn failed(&mut self, wish: Wish, queue_age_s: u64) {
        let random = u64::from_be_bytes(random::bytes());
        let wait_ms = wish.wait_ms(&mut self.backoff, random, queue_age_s);
        let was_online = self.link.borrow_and_update().online;
        let sleep = tokio::time::sleep(Duration::from_millis(wait_ms));
        tokio::pin!(sleep);
        loop {
            tokio::select! {
                () = &mut sleep => return,
                changed = self.link.changed() => {
                    // A centre that asked to be left alone is left alone, link or no link.
                    let came = changed.is_ok() && !was_online && self.link.borrow().online;
                    if changed.is_err() || (came && wish == Wish::Nothing && self.backoff.link_came()) {
                        return;
                    }
                }
            }
        }
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Waits until the centre said something in this boot: without its time nothing bounds the boot's clock from below, and
/// the facts of a first upload would lie anywhere between two boots. A centre that only takes uploads is heard by one.
async fn first_word(shared: &Shared) {
    let mut link = shared.link();
    let heard = async { while shared.heard().is_none() && link.changed().await.is_ok() {} };
    let _ = tokio::time::timeout(Duration::from_millis(FIRST_WORD_MS), heard).await;
}

async fn run_uploads(
    mut uploader: Uploader,
    channels: watch::Receiver<Arc<Channel>>,
    shared: Shared,
    store: Store,
) {
    let (mut waits, mut appended, mut again) = (Waits::new(&shared), store.appended(), 0);
    loop {
        first_word(&shared).await;
        while let wait_ms @ 1.. = shared.turn_in_ms() {
            pause(wait_ms).await;
        }
        let channel = Arc::clone(&channels.borrow());
        appended.mark_unchanged();
        let step = uploader.step(&channel).await;
        again = if matches!(step, Ok(Progress::Again)) { again + 1 } else { 0 };
        match step {
            Ok(Progress::Idle) => {
                let _ = tokio::time::timeout(Duration::from_millis(IDLE_LOOK_MS), appended.changed()).await;
            }
            Ok(Progress::Sent { next_poll_ms }) => {
                waits.backoff.succeeded();
                pause(u64::from(next_poll_ms).min(NEXT_POLL_MS_MAX)).await;
            }
            Ok(Progress::Again) if again <= AGAIN_MAX => {}
            Ok(Progress::Again) => waits.failed(Wish::Nothing, 0).await,
            Ok(Progress::Wait { wish, queue_age_s }) => waits.failed(wish, queue_age_s).await,
            Ok(Progress::Stopped) => return std::future::pending().await,
            Err(error) => {
                error!(%error, "facts cannot be prepared for the centre");
                waits.failed(Wish::Nothing, 0).await;
            }
        }
    }
}

/// Delivers what an earlier enrolment left, then rests: nothing is added to it any more.
async fn run_aside(
    path: PathBuf,
    own: DeviceId,
    centre: CentreKnown,
    channels: watch::Receiver<Arc<Channel>>,
    shared: Shared,
) {
    let opening = path.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open_aside(&opening, own)).await;
    let store = match opened {
        Ok(Ok(store)) => store,
        Ok(Err(error)) => {
            error!(%error, "what an earlier enrolment left cannot be read");
            return std::future::pending().await;
        }
        Err(error) => {
            error!(%error, "what an earlier enrolment left cannot be read");
            return std::future::pending().await;
        }
    };
    let mut waits = Waits::new(&shared);
    let mut uploader = Uploader::aside(store, shared, centre);
    loop {
        let channel = Arc::clone(&channels.borrow());
        match uploader.step(&channel).await {
            Ok(Progress::Idle | Progress::Stopped) => return std::future::pending().await,
            Ok(Progress::Sent { next_poll_ms }) => {
                waits.backoff.succeeded();
                pause(u64::from(next_poll_ms).min(NEXT_POLL_MS_MAX)).await;
            }
            Ok(Progress::Again) => waits.failed(Wish::Nothing, 0).await,
            Ok(Progress::Wait { wish, queue_age_s }) => waits.failed(wish, queue_age_s).await,
            Err(error) => {
                error!(%error, path = %path.display(), "facts cannot be prepared for the centre");
                waits.failed(Wish::Nothing, 0).await;
            }
        }
    }
}

async fn run_updates(mut lane: UpdatesLane, channels: watch::Receiver<Arc<Channel>>, shared: Shared) {
    let mut waits = Waits::new(&shared);
    // The first answer after an outage must come at once: it says that the centre is there, and measures the line.
    let (mut hold_ms, mut quick) = (0, 0_u32);
    loop {
        let channel = Arc::clone(&channels.borrow());
        let gap_ms = POLL_GAPS_MS.iter().find(|(polls, _)| quick < *polls).map_or(0, |(_, gap_ms)| *gap_ms);
        let begun_ns = shared.clock().now().mono_ns;
        match lane.poll(&channel, hold_ms).await {
            Ok(polled) => {
                waits.backoff.succeeded();
                let took_ms = shared.clock().now().mono_ns.saturating_sub(begun_ns) / 1_000_000;
                let gap_left_ms = if polled.news { 0 } else { gap_ms.saturating_sub(took_ms) };
                quick = if gap_left_ms == 0 { 0 } else { quick.saturating_add(1) };
                if hold_ms > 0 || polled.more {
                    pause(gap_left_ms).await;
                }
                // A terminal that was told when to ask for its turn asks then.
                let ask_in_ms = shared.ask_in_ms().and_then(|ms| u32::try_from(ms).ok());
                hold_ms = if polled.more { 0 } else { ask_in_ms.map_or(HOLD_MS, |ms| ms.min(HOLD_MS)) };
            }
            Err(error) => {
                if let Some(stop) = revoked(&error) {
                    shared.stopped(&stop);
                }
                hold_ms = 0;
                waits.failed(noted(&shared, "updates", &error), 0).await;
            }
        }
    }
}

async fn run_directory(
    mut lane: DirectoryLane,
    channels: watch::Receiver<Arc<Channel>>,
    shared: Shared,
    store: Store,
) {
    let (mut waits, mut wanted) = (Waits::new(&shared), shared.wanted());
    loop {
        if store.call(|journal| journal.used_percent()).await.is_ok_and(is_tight) {
            // What room is left is for facts; blocks come all the same.
            pause(ROOM_LOOK_MS).await;
            continue;
        }
        wanted.mark_unchanged();
        let channel = Arc::clone(&channels.borrow());
        match lane.refresh(&channel).await {
            Ok(()) => {
                waits.backoff.succeeded();
                if wanted.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => waits.failed(noted(&shared, "directory", &error), 0).await,
        }
    }
}

/// A revoked terminal still delivers facts; that it is revoked, everything else is told.
fn revoked(error: &DownloadError) -> Option<Stop> {
    match error {
        DownloadError::Centre(CentreError::Problem { problem, .. })
            if ProblemKind::of(problem) == Some(ProblemKind::Revoked) =>
        {
            Some(Stop::Revoked { detail: problem.detail.clone() })
        }
        _ => None,
    }
}

/// Tells what the link has not yet been told, staff what was pushed and could not be taken, and gives the centre's wish
/// for a wait.
fn noted(shared: &Shared, lane: &'static str, error: &DownloadError) -> Wish {
    match error {
        DownloadError::Centre(CentreError::Wire(error)) => {
            shared.refused(&format!("{lane}: {error}"));
            Wish::Nothing
        }
        DownloadError::Refused(error) => {
            shared.refused(&format!("{lane}: {error}"));
            Wish::Nothing
        }
        DownloadError::Centre(error) => error.wish(),
        error => {
            warn!(lane, %error, "what the centre sent was not taken");
            Wish::Nothing
        }
    }
}

async fn run_certificates(mut parts: SyncParts, channel: watch::Sender<Arc<Channel>>) {
    let mut backoff = Backoff::default();
    loop {
        match keep_young(&mut parts, &channel).await {
            Ok(()) => {
                backoff.succeeded();
                pause(RENEW_LOOK_MS).await;
            }
            Err(error) => {
                warn!(%error, "the certificate is not renewed yet; the one in use stays");
                let random = u64::from_be_bytes(random::bytes());
                let wish = if let RenewError::Centre(error) = &error { error.wish() } else { Wish::Nothing };
                pause(wish.wait_ms(&mut backoff, random, 0)).await;
            }
        }
    }
}

/// Renews what is due, and changes over to a renewed pair once it has connected.
async fn keep_young(parts: &mut SyncParts, current: &watch::Sender<Arc<Channel>>) -> Result<(), RenewError> {
    let now = parts.clock.now().trusted;
    if parts.identity.staged().is_none() {
        if !renew::is_due(parts.identity.device(), now) {
            return Ok(());
        }
        let channel = Arc::clone(&current.borrow());
        renew::renew(&mut parts.identity, &channel.centre, &parts.names).await?;
        info!("a renewed certificate waits for its first connection");
    }
    let Some(pair) = parts.identity.staged().cloned() else { return Ok(()) };
    let channel = parts.channel(&pair)?;
    match first_connection(parts, &channel).await {
        Ok(()) => {
            parts.identity.promote()?;
            current.send_replace(Arc::new(channel));
            info!("the renewed certificate is in use");
            Ok(())
        }
        Err(error) => {
            if is_refused(&error) {
                // The centre does not know this pair: another is asked for with the pair in use.
                parts.identity.unstage().map_err(IdentityError::from)?;
            }
            Err(error.into())
        }
    }
}

/// Any exchange that needs the certificate; the answer itself is left to the lanes.
async fn first_connection(parts: &SyncParts, channel: &Channel) -> Result<(), CentreError> {
    let state = parts.store.state().await;
    let state = state.map_err(|error| CentreError::Setup { reason: error.to_string() })?;
    let epoch = parts.centre().learned(&state);
    download::probe(channel, &state, parts.directory.version(), epoch).await.map(|_| ())
}

fn is_refused(error: &CentreError) -> bool {
    match error {
        CentreError::NotAccepted { .. } => true,
        CentreError::Problem { problem, .. } => {
            matches!(ProblemKind::of(problem), Some(ProblemKind::Unauthenticated | ProblemKind::Revoked))
        }
        _ => false,
    }
}
