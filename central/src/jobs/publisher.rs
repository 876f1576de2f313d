//! Numbers committed entries while this process holds the term, wakes long polls, and ends connections of revoked
//! terminals.
//!
//! One task per process. It looks after each commit of this process and every [`PUBLISH_INTERVAL_MS`], because other
//! processes and commands commit and publish too: who waits here is woken by what any of them published.
//! Several processes over one database run it side by side; which of them numbers is decided in
//! [`crate::store::publisher`]. Out of scope: the numbers themselves.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hufu_shared::ids::Hash;

use crate::app::App;
use crate::db::Db;
use crate::store::{StoreError, devices, publisher, recalls};

/// Milliseconds between looks without a bell.
pub const PUBLISH_INTERVAL_MS: u64 = 200;
/// Milliseconds between a bell and the look: entries that come together are numbered together.
const GATHER_MS: u64 = 15;
/// Milliseconds after which the end of the service waits no longer for the numbers of what is committed.
const FINISH_MS: u64 = 2_000;
/// Milliseconds between the publication of a revocation and the end of open connections: a waiting long poll first
/// tells the terminal why.
const CUT_AFTER_MS: u64 = 1_500;
/// Milliseconds for which a key's connections are ended; afterwards each request is told the reason.
const CUT_FOR_MS: u64 = 2_500;

/// Publishes what is committed, unless another process holds the term; answers the newest number.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn publish_all(app: &App) -> Result<u64, StoreError> {
    loop {
        let state = app.db.read(publisher::state).await?;
        if state.is_waiting && advance(app).await? {
            continue;
        }
        app.published.send_if_modified(|known| std::mem::replace(known, state.n) != state.n);
        return Ok(state.n);
    }
}

/// Numbers some of what waits; whether this process holds the term.
async fn advance(app: &App) -> Result<bool, StoreError> {
    let (process, now) = (app.process.clone(), app.now());
    let held = app.term.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let work = move |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
        if let Some(term) = &held
            && publisher::publish(tx, term, now)?.is_some()
        {
            return Ok(Some(term.clone()));
        }
        let Some(term) = publisher::stand(tx, &process, now)? else { return Ok(None) };
        publisher::publish(tx, &term, now)?;
        Ok(Some(term))
    };
    let term = app.db.write(work).await?;
    let is_held = term.is_some();
    *app.term.lock().unwrap_or_else(PoisonError::into_inner) = term;
    Ok(is_held)
}

/// At the end of the service: publishes what is committed as far as that takes no longer than [`FINISH_MS`], and gives
/// the term back: who goes on publishes the rest.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn finish(app: &App) -> Result<(), StoreError> {
    if let Ok(done) = tokio::time::timeout(Duration::from_millis(FINISH_MS), publish_all(app)).await {
        done?;
    } else {
        tracing::info!("entries are left to be published at the next start");
    }
    let held = app.term.lock().unwrap_or_else(PoisonError::into_inner).take();
    match held {
        Some(term) => app.db.write(move |tx| publisher::resign(tx, &term)).await,
        None => Ok(()),
    }
}

/// For commands, alone or beside a running service: numbers what is committed.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn publish_now(db: &Db) -> Result<(), StoreError> {
    while db.write(publisher::publish_once).await? > 0 {}
    Ok(())
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
        let bell = async {
            app.committed.notified().await;
            tokio::time::sleep(Duration::from_millis(GATHER_MS)).await;
        };
        tokio::select! {
            () = bell => {}
            () = tokio::time::sleep(Duration::from_millis(PUBLISH_INTERVAL_MS)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(app: &App, seen: &mut Option<u64>, cut: &mut HashSet<Hash>) -> Result<(), StoreError> {
    let n = publish_all(app).await?;
    // A recall has no number, and whom it concerns may wait at another process.
    let recalled = app.db.read(recalls::newest_recall).await?;
    if app.recalled.swap(recalled, Ordering::Relaxed) != recalled {
        app.wake();
    }
    if *seen == Some(n) {
        return Ok(());
    }
    // What commands and other processes took is copied too, though they answered before.
    if let Err(error) = app.copy().await {
        tracing::error!(%error, "the second path is behind the journal");
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
