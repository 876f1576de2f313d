//! The lane for trying the connection at set-up: one exchange with the centre, there and back, when somebody wants to know.
//!
//! It asks what is new and takes nothing of the answer but that it is the centre's: signed by the key that enrolment pinned.
//! Nothing is kept and nothing at the centre changes.

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::ids::DeviceId;
use tokio::sync::{mpsc, watch};

use super::client::Channel;
use super::download::{DownloadError, probe};
use super::link::{CentreKnown, Shared};
use crate::state::Contacting;
use crate::store::{Directory, Store};

/// Milliseconds after which the centre counts as silent.
pub const CONTACT_GIVE_UP_MS: u64 = 8_000;

/// What the lane needs to know of this terminal.
pub(super) struct Contact {
    pub(super) store: Store,
    pub(super) directory: Directory,
    pub(super) shared: Shared,
    pub(super) centre: CentreKnown,
    pub(super) device: DeviceId,
}

/// Tries the connection, one wish after another.
pub(super) async fn run(
    mut wishes: mpsc::Receiver<Contacting>,
    contact: Contact,
    channels: watch::Receiver<Arc<Channel>>,
) {
    while let Some(Contacting { reply }) = wishes.recv().await {
        let channel = Arc::clone(&channels.borrow());
        let tried = tokio::time::timeout(Duration::from_millis(CONTACT_GIVE_UP_MS), contact.tried(&channel));
        let met = match tried.await {
            Ok(Ok(took_ms)) => Ok(took_ms),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {CONTACT_GIVE_UP_MS} ms")),
        };
        // A page that has gone away needs no answer.
        drop(reply.send(met));
    }
}

impl Contact {
    /// Milliseconds that an exchange took.
    async fn tried(&self, channel: &Channel) -> Result<u64, DownloadError> {
        let state = self.store.state().await?;
        let (begun, begun_ns) = (self.shared.begin(), self.shared.clock().now().mono_ns);
        let answer = probe(channel, &state, self.directory.version(), self.centre.learned(&state)).await;
        let updates = answer.inspect_err(|error| self.shared.failed("contact", error))?;
        if !self.centre.signed(&updates.mark, self.device) {
            return Err(DownloadError::Mark);
        }
        self.shared.succeeded(begun, updates.central_time, false);
        Ok(self.shared.clock().now().mono_ns.saturating_sub(begun_ns) / 1_000_000)
    }
}
