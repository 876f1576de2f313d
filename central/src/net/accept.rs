//! The accept loop: counts connections, hands each to its task, stops in good order.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use hufu_shared::ids::Hash;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{Connection, Shared};
use super::{BODY_BYTES_MAX, Limits, Transport};

/// Wait after a failed accept (no file descriptors left): others may close meanwhile.
const ACCEPT_RETRY_MS: u64 = 100;

/// Keys of terminals whose open connections end at once: revoked ones. Shared with whoever revokes.
#[derive(Clone, Debug, Default)]
pub struct CutList {
    keys: Arc<RwLock<HashSet<Hash>>>,
}

impl CutList {
    /// Ends the open connections of this key ([`crate::ca::PeerIdentity::key_id`]), within a second, and all later ones.
    pub fn cut(&self, key_id: Hash) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(key_id);
    }

    /// Lets this key connect again; each request is still judged by the database.
    pub fn lift(&self, key_id: Hash) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&key_id);
    }

    /// Whether connections of this key are ended.
    #[must_use]
    pub fn holds(&self, key_id: &Hash) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).contains(key_id)
    }
}

/// Serves `app` on `listener` until `stop` turns true, then lets running requests finish. Routes take bodies up to
/// [`BODY_BYTES_MAX`]; one that needs more carries its own `DefaultBodyLimit`.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    app: Router,
    limits: Limits,
    cut: CutList,
    mut stop: watch::Receiver<bool>,
) {
    let app = app.layer(DefaultBodyLimit::max(BODY_BYTES_MAX));
    let shared = Arc::new(Shared { transport, app, limits, cut, stop: stop.clone() });
    let counts = Counts::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            // A sender that is gone means that nobody can stop us politely any more.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
                continue;
            }
        };
        // Over the limit the connection is closed without a word: an answer would cost what the limit saves.
        let Some(counted) = counts.take(peer.ip(), &limits) else { continue };
        let connection = Connection { shared: Arc::clone(&shared), peer };
        connections.spawn(async move {
            let _counted = counted;
            connection.run(stream).await;
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not finish in time and were cut");
        connections.shutdown().await;
    }
}

/// Open connections by address.
#[derive(Clone, Debug, Default)]
struct Counts {
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One counted connection; gives its place back when dropped.
struct Counted {
    counts: Counts,
    address: IpAddr,
}

impl Counts {
    fn take(&self, address: IpAddr, limits: &Limits) -> Option<Counted> {
        let mut open = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.entry(address).or_default();
        if all >= limits.connections_max || *own >= limits.connections_per_address_max {
            if *own == 0 {
                open.remove(&address);
            }
            return None;
        }
        *own += 1;
        Some(Counted { counts: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.counts.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.address);
            }
        }
    }
}
