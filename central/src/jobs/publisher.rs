//! Numbers committed entries, wakes long polls, and ends connections of revoked terminals.
//!
//! One task per process. It looks after each commit of this process and every [`PUBLISH_INTERVAL_MS`], because commands
//! on the same machine commit too.

use std::collections::HashSet;
use std::time::Duration;

use hufu_shared::ids::Hash;

use crate::app::App;
use crate::store::{StoreError, devices, directory, journal};

/// Milliseconds between looks without a bell.
pub const PUBLISH_INTERVAL_MS: u64 = 200;
/// Milliseconds between the publication of a revocation and the end of open connections: a waiting long poll first
/// tells the terminal why.
const CUT_AFTER_MS: u64 = 1_500;
/// Milliseconds for which a key's connections are ended; afterwards each request is told the reason.
const CUT_FOR_MS: u64 = 2_500;

/// Publishes what is committed; answers the newest number.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn publish_all(app: &App) -> Result<u64, StoreError> {
    loop {
        if !app.db.read(directory::has_work).await? {
            break;
        }
        app.db.write(directory::publish).await?;
    }
    let (n, _) = app.db.read(journal::published).await?;
    app.published.send_if_modified(|known| std::mem::replace(known, n) != n);
    Ok(n)
}

/// Runs until the service stops.
pub async fn run(app: App) {
    let mut stop = app.stopping.subscribe();
    let mut cut: HashSet<Hash> = HashSet::new();
    let mut seen = None;
    loop {
        if let Err(error) = look(&app, &mut seen, &mut cut).await {
            tracing::error!(%error, "committed entries could not be published");
        }
        tokio::select! {
            () = app.committed.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(PUBLISH_INTERVAL_MS)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(app: &App, seen: &mut Option<u64>, cut: &mut HashSet<Hash>) -> Result<(), StoreError> {
    let n = publish_all(app).await?;
    if *seen == Some(n) {
        return Ok(());
    }
    let revoked = app.db.read(devices::keys_of_revoked).await?;
    if seen.replace(n).is_none() {
        // What was revoked before this process began has no connections here.
        cut.extend(&revoked);
    }
    end_connections(app, cut, &revoked);
    Ok(())
}

fn end_connections(app: &App, cut: &mut HashSet<Hash>, revoked: &[Hash]) {
    let fresh: Vec<Hash> = revoked.iter().filter(|key| !cut.contains(key)).copied().collect();
    // A device that enrolled again is no longer among them, and may be revoked again.
    cut.retain(|key| revoked.contains(key));
    cut.extend(&fresh);
    if fresh.is_empty() {
        return;
    }
    let list = app.cut.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(CUT_AFTER_MS)).await;
        fresh.iter().for_each(|key| list.cut(*key));
        tokio::time::sleep(Duration::from_millis(CUT_FOR_MS)).await;
        fresh.iter().for_each(|key| list.lift(*key));
    });
}
