//! What comes from the centre: the priority lane (blocks, notices, time, orders) and the directory.
//!
//! Two lanes of their own: [`UpdatesLane`] holds the long poll open and is the heartbeat; [`DirectoryLane`] brings
//! deltas and snapshots, which may take minutes on a slow line and must not hold up a block. Neither waits for uploads.
//! Invariants: nothing is taken from an answer whose mark is not the centre's word about this device; a newer life of
//! the centre is stored before anything of it is used; the directory in use changes whole or not at all.
//! Out of scope: which step to take ([`crate::rules::member_plan`]), waits ([`super::task`]).

use std::path::PathBuf;

use hufu_shared::cbor::WireError;
use hufu_shared::ids::{ClubId, OfficeId};
use hufu_shared::keys;
use hufu_shared::wire::directory::{Delta, Manifest};
use hufu_shared::wire::updates::{Updates, lease_echo};
use hufu_shared::wire::version::{CentralEpoch, Version};
use tracing::{info, warn};

use super::authorize::take_states;
use super::chunks;
use super::client::{CentreError, Channel};
use super::files::FileError;
use super::link::{CentreKnown, Shared};
use crate::rules::member_plan::{self, DeltaPlan, Held, Next, Refusal};
use crate::store::{Directory, JournalState, SnapshotBuilder, Store, StoreError};

const UPDATES_PATH: &str = "/device/v1/updates";
const DIRECTORY_PATH: &str = "/device/v1/directory";
const MANIFEST_PATH: &str = "/device/v1/directory/snapshot/manifest";
/// Bytes of an answer to the long poll at most: above the contract's 4 KiB, so that a generous centre is no fault.
const UPDATES_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a delta at most.
const DELTA_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a manifest at most.
const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
/// Folder of chunks on their way, in the data folder.
const CHUNKS_FOLDER: &str = "snapshot";

/// Something from the centre was not brought or not taken. What was held stays.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Line or centre.
    #[error(transparent)]
    Centre(#[from] CentreError),
    /// Journal or directory file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A chunk's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The directory is not one for this terminal.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Bytes that are not what they should be.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The mark is not the centre's word about this device.
    #[error(
        "the answer's mark is not signed by the centre that enrolled this terminal, or is another device's"
    )]
    Mark,
    /// The answer comes from a life of the centre before the one learned.
    #[error("answer of central epoch {met}, but epoch {learned} is known: the centre was rolled back")]
    OlderEpoch {
        /// Its number.
        met: u32,
        /// The number learned.
        learned: u32,
    },
    /// The block list would fall back.
    #[error("block version {met} after {held}")]
    BlocksBackwards {
        /// The version held.
        held: Version,
        /// The version met.
        met: Version,
    },
    /// A thread for blocking work failed.
    #[error("work on the directory was cut off: {reason}")]
    Thread {
        /// Why.
        reason: String,
    },
}

/// The long poll.
#[derive(Debug)]
pub struct UpdatesLane {
    store: Store,
    directory: Directory,
    shared: Shared,
    centre: CentreKnown,
    /// The centre's epoch whose block list was read whole in this run, 0 for none.
    list_read: u32,
}

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    /// Ask again at once: more is waiting.
    pub more: bool,
    /// Whether anything was new.
    pub news: bool,
}

impl UpdatesLane {
    /// A lane over journal and directory.
    #[must_use]
    pub fn new(store: Store, directory: Directory, shared: Shared, centre: CentreKnown) -> Self {
        Self { store, directory, shared, centre, list_read: 0 }
    }

    /// Asks what is new; the centre may hold the request for `hold_ms`.
    ///
    /// # Errors
    /// [`DownloadError`]; nothing of the answer was taken, or only whole parts of it.
    pub async fn poll(&mut self, channel: &Channel, hold_ms: u32) -> Result<Polled, DownloadError> {
        let state = self.store.state().await?;
        let mut path = updates_path(&state, self.directory.version(), self.centre.learned(&state), hold_ms);
        let echoed = self.store.call(|journal| journal.unechoed_leases()).await?;
        if !echoed.is_empty() {
            path = format!("{path}&leases={}", lease_echo(&echoed));
        }
        if let Some(echo) = self.shared.newest_mark(&state) {
            path = format!("{path}&echo={echo}");
        }
        if let Some(ready) = self.shared.readiness() {
            path = format!("{path}&ready={ready}");
        }
        if let Some(health) = self.shared.health() {
            path = format!("{path}&health={health}");
        }
        // Nobody asks for a turn to send nothing.
        let asks = state.queue_len() > 0 && !self.shared.is_back();
        if asks {
            path.push_str("&turn=true");
        }
        let begun = self.shared.begin();
        let answer = channel.centre.get::<Updates>(&path, UPDATES_ANSWER_BYTES_MAX, u64::from(hold_ms)).await;
        let updates = answer.inspect_err(|error| self.shared.failed("updates", error))?;
        self.check(&updates, &state)?;
        // Before the line counts as there, which wakes the uploads.
        self.shared.come_back(asks, updates.credit);
        self.shared.succeeded(begun, updates.central_time, hold_ms > 0);
        if self.centre.is_newer(updates.mark.central_epoch, &state) {
            return self.enter(&updates).await;
        }
        self.shared.stands(updates.mark.clone());
        if !echoed.is_empty() {
            self.store.call(move |journal| journal.leases_echoed(&echoed)).await?;
        }
        if updates.block < state.block {
            return Err(DownloadError::BlocksBackwards { held: state.block, met: updates.block });
        }
        let notices: Vec<_> =
            updates.notices.into_iter().filter(|notice| notice.n > state.notices_n).collect();
        // An order is news once: it stands in every answer until it was carried out.
        let mut news = updates.block > state.block || !notices.is_empty();
        if updates.block > state.block {
            self.store.take_blocks(updates.blocks, updates.block).await?;
        }
        if !updates.more && self.list_read != updates.block.epoch {
            let left = self.store.call(|journal| journal.end_blocks()).await?;
            self.list_read = updates.block.epoch;
            if left > 0 {
                info!(left, "cards whose block this life of the centre does not know left the list");
            }
        }
        if !notices.is_empty() {
            self.store.take_notices(notices).await?;
        }
        // After the blocks: a card that is blocked by now must not be spent with by what comes after.
        let files = (&self.store, &self.directory);
        news |= take_states(&updates.leases, files, &self.shared, &self.centre).await?;
        news |= self.shared.pass_on(&updates.commands);
        self.shared.publish(updates.directory);
        if updates.directory.n > 0 && self.directory.version() == updates.directory {
            self.store.set_directory_at(self.shared.clock().now().trusted).await?;
        }
        Ok(Polled { more: updates.more, news })
    }

    fn check(&self, updates: &Updates, state: &JournalState) -> Result<(), DownloadError> {
        if !self.centre.signed(&updates.mark, state.device) {
            return Err(DownloadError::Mark);
        }
        if self.centre.is_older(updates.mark.central_epoch, state) {
            let learned = self.centre.learned(state).n;
            return Err(DownloadError::OlderEpoch { met: updates.mark.central_epoch.n, learned });
        }
        Ok(())
    }

    /// The centre entered a new life: that is stored first, then the block list begins anew with the next poll.
    async fn enter(&self, updates: &Updates) -> Result<Polled, DownloadError> {
        let epoch = updates.mark.central_epoch;
        warn!(epoch = epoch.n, "the centre entered a new epoch");
        let entered = self.store.call(move |journal| {
            journal.set_central_epoch(epoch)?;
            journal.restart_blocks(epoch.n)
        });
        entered.await?;
        self.shared.stands(updates.mark.clone());
        Ok(Polled { more: true, news: true })
    }
}

/// Asks once, takes nothing: whether the centre takes the channel's certificate, and what it says. For a renewed pair
/// and for people who look for a fault.
///
/// # Errors
/// [`CentreError`].
pub async fn probe(
    channel: &Channel,
    state: &JournalState,
    directory: Version,
    epoch: CentralEpoch,
) -> Result<Updates, CentreError> {
    channel.centre.get(&updates_path(state, directory, epoch, 0), UPDATES_ANSWER_BYTES_MAX, 0).await
}

/// Path and query of a poll. A directory that is not there yet counts as version 0 of the epoch learned: that is what
/// a centre that has published nothing calls its own, so that it holds the request.
fn updates_path(state: &JournalState, directory: Version, epoch: CentralEpoch, hold_ms: u32) -> String {
    let nothing = Version { epoch: epoch.n, n: 0 };
    let directory = if directory == Version::default() { nothing } else { directory };
    let (block, notices, queued) = (state.block, state.notices_n, state.queue_len());
    format!(
        "{UPDATES_PATH}?directory={directory}&block={block}&notices={notices}&wait_ms={hold_ms}&queued={queued}"
    )
}

/// The lane that keeps the directory.
#[derive(Debug)]
pub struct DirectoryLane {
    store: Store,
    directory: Directory,
    shared: Shared,
    centre: CentreKnown,
    club: ClubId,
    office: OfficeId,
    chunks: PathBuf,
}

impl DirectoryLane {
    /// A lane for a terminal of `club` at `office`, with its data folder.
    #[must_use]
    pub fn new(
        (store, directory): (Store, Directory),
        shared: Shared,
        centre: CentreKnown,
        (club, office): (ClubId, OfficeId),
        data_dir: &std::path::Path,
    ) -> Self {
        let chunks = data_dir.join(CHUNKS_FOLDER);
        Self { store, directory, shared, centre, club, office, chunks }
    }

    /// Brings the directory to the version that the centre told, and takes a snapshot if one was ordered.
    ///
    /// # Errors
    /// [`DownloadError`]; the directory stands at a whole version all the same.
    pub async fn refresh(&mut self, channel: &Channel) -> Result<(), DownloadError> {
        let wanted = self.shared.wanted().borrow().clone();
        let published = wanted.published;
        let mut has_snapshot = false;
        if let Some(command) = &wanted.order {
            self.snapshot(channel).await?;
            self.shared.snapshot_taken(command);
            has_snapshot = true;
        }
        loop {
            let needs_snapshot = match member_plan::next(self.directory.version(), published) {
                Next::Nothing => break,
                Next::Snapshot => true,
                Next::Delta => self.delta(channel).await?,
            };
            if needs_snapshot && has_snapshot {
                // Once is enough: the next try comes after a wait.
                return Err(Refusal::TooOld { met: self.directory.version(), published }.into());
            }
            if needs_snapshot {
                self.snapshot(channel).await?;
                has_snapshot = true;
            }
        }
        if published.n > 0 && self.directory.version() == published {
            self.store.set_directory_at(self.shared.clock().now().trusted).await?;
        }
        self.settle_given().await
    }

    /// What this terminal remembers of the cards that it gave goes once the directory says whose they are: were one put
    /// back into stock later, it would be the old member's here for ever.
    async fn settle_given(&self) -> Result<(), DownloadError> {
        let (store, directory) = (self.store.clone(), self.directory.clone());
        blocking(move || {
            let mut settled = Vec::new();
            for card in store.with(|journal| Ok(journal.given_cards()))? {
                if directory.find(&[card])?.is_some_and(|known| known.card.member.is_some()) {
                    settled.push(card);
                }
            }
            if settled.is_empty() {
                Ok(())
            } else {
                Ok(store.with(|journal| journal.forget_given(&settled))?)
            }
        })
        .await
    }

    async fn held(&self) -> Result<Held, DownloadError> {
        let central_epoch = self.centre.learned(&self.store.state().await?);
        let directory = self.directory.version();
        Ok(Held { club: self.club, office: self.office, central_epoch, directory })
    }

    /// Takes one delta; `true` if the centre wants a snapshot to be taken instead.
    async fn delta(&self, channel: &Channel) -> Result<bool, DownloadError> {
        let held = self.held().await?;
        let path = format!("{DIRECTORY_PATH}?since={}", held.directory);
        let delta = channel.centre.get::<Delta>(&path, DELTA_BYTES_MAX, 0).await?;
        match member_plan::judge_delta(&held, delta)? {
            DeltaPlan::Snapshot => Ok(true),
            // The centre says that there is nothing: what it published before was a word of another moment.
            DeltaPlan::Apply { to, .. } if to == held.directory => {
                self.shared.publish(to);
                Err(CentreError::Unreachable { reason: "a delta without progress".to_owned() }.into())
            }
            DeltaPlan::Apply { rows, to, .. } => {
                let (directory, from) = (self.directory.clone(), held.directory);
                blocking(move || Ok(directory.apply_delta(&rows, from, to)?)).await?;
                Ok(false)
            }
        }
    }

    async fn snapshot(&self, channel: &Channel) -> Result<(), DownloadError> {
        let held = self.held().await?;
        let manifest = channel.centre.get::<Manifest>(MANIFEST_PATH, MANIFEST_BYTES_MAX, 0).await?;
        let key = &self.centre.sign_key;
        let signed = keys::verify_centre(key, &manifest.message(), &manifest.signature).is_ok();
        member_plan::judge_manifest(&held, &manifest, signed)?;
        info!(version = %manifest.version, chunks = manifest.chunks.len(), "taking a snapshot of the directory");
        chunks::fetch_all(&channel.centre, &self.chunks, &manifest).await?;
        let (directory, folder) = (self.directory.clone(), self.chunks.clone());
        blocking(move || {
            let mut builder = SnapshotBuilder::begin(&directory, &manifest)?;
            while let Some(chunk) = builder.next_chunk().cloned() {
                builder.take_chunk(&chunks::read(&folder, &chunk)?)?;
            }
            builder.finish()?;
            chunks::clear(&folder)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    // As in [`Store::call`].
    if tokio::runtime::Handle::try_current().is_err() {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(DownloadError::Thread { reason: error.to_string() }))
}
