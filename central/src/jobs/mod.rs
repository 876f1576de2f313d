//! Work that runs beside the requests, each job one module, idempotent.

use std::time::Duration;

use crate::app::App;

pub mod deadlines;
pub mod expiry;
pub mod joining;
pub mod leases;
pub mod lookalikes;
pub mod outbox;
pub mod publisher;
pub mod settle;

/// Waits until the next round of a job; answers `false` as soon as the service stops.
async fn next_round(app: &App, wait_ms: u64) -> bool {
    let mut stop = app.stopping.subscribe();
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(wait_ms)) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}
