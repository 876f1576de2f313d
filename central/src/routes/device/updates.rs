//! `GET /device/v1/updates`: the priority lane, held open until there is something; and the heartbeat.
//!
//! Never held up by uploads: it reads, and writes one row of contact.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::ids::DeviceId;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::wire::updates::{UPDATES_BYTES_MAX, UPDATES_WAIT_MS_MAX, Updates, UpdatesQuery};
use hufu_shared::wire::upload::ReceiptMark;
use hufu_shared::wire::version::Version;

use super::cbor_answer;
use super::directory::version;
use crate::app::App;
use crate::ca::OwnKeys;
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::{Caller, Reporting, confirm};
use crate::rules::entry::journal_start;
use crate::store::contact::{self, Heartbeat};
use crate::store::{StoreError, directory, journal, publisher};

/// Blocks in one answer at most; with the notices they stay below [`UPDATES_BYTES_MAX`].
const BLOCKS_MAX: usize = 40;
/// Notices in one answer at most.
const NOTICES_MAX: i64 = 12;

/// `GET /device/v1/updates`.
///
/// # Errors
/// [`ApiError`]: `malformed`; `revoked` also while it is held open.
pub async fn updates(
    State(app): State<App>,
    Reporting(caller): Reporting,
    query: Query<UpdatesQuery>,
) -> Result<Response, ApiError> {
    let (directory, block) = (version(&query.directory)?, version(&query.block)?);
    let beat = Heartbeat {
        address: caller.address.clone(),
        queued: query.queued,
        notices: query.notices,
        directory,
        block,
    };
    let (device, now) = (caller.device, app.now());
    app.db.write(move |tx| -> Result<_, StoreError> { contact::heard(tx, device, &beat, now) }).await?;
    let asked = Asked { caller: caller.clone(), directory, block, notices: query.notices };
    let wait = Duration::from_millis(query.wait_ms.min(UPDATES_WAIT_MS_MAX).into());
    let end = tokio::time::Instant::now() + wait;
    let mut published = app.published.subscribe();
    let mut stopping = app.stopping.subscribe();
    loop {
        published.mark_unchanged();
        let found = look(&app, asked.clone()).await?;
        if has_news(&found, &asked) || wait.is_zero() || *stopping.borrow() {
            return Ok(cbor_answer(&found));
        }
        tokio::select! {
            _ = published.changed() => {}
            _ = stopping.wait_for(|stop| *stop) => {}
            // Terminals set their clocks by this: it must be the time of the answer, not of the question.
            () = tokio::time::sleep_until(end) => {
                return Ok(cbor_answer(&Updates { central_time: app.now(), ..found }));
            }
        }
        // What woke us may be the end of this very terminal.
        confirm(&app, &caller).await?;
    }
}

/// Where the terminal stands.
#[derive(Debug, Clone)]
struct Asked {
    caller: Caller,
    directory: Version,
    block: Version,
    notices: u64,
}

fn has_news(found: &Updates, asked: &Asked) -> bool {
    found.directory != asked.directory
        || found.block != asked.block
        || !found.blocks.is_empty()
        || !found.notices.is_empty()
}

async fn look(app: &App, asked: Asked) -> Result<Updates, ApiError> {
    let now = app.now();
    let keys = std::sync::Arc::clone(&app.keys);
    let found = app.db.read(move |tx| -> Result<_, StoreError> {
        let caller = &asked.caller;
        let club = journal::club(tx)?;
        // Another life of the centre: its list counts from the start again.
        let after = if asked.block.epoch == club.epoch.n { asked.block.n } else { 0 };
        let (blocks, block, more) = directory::blocks(tx, after, BLOCKS_MAX)?;
        let mut notices = contact::notices(tx, caller.device, asked.notices, NOTICES_MAX)?;
        let acked = contact::cursor(tx, caller.device, caller.epoch)?.map_or(0, |(seq, _)| seq);
        let mark = mark(tx, &keys, caller.device, acked)?;
        let mut block = block;
        if mutant::on(Mutant::VersionBeforeCommit) && publisher::state(tx)?.is_waiting {
            block = block.max(mark.journal_size + 1);
        }
        let mut updates = Updates {
            central_time: now,
            directory: mark.directory,
            block: Version { epoch: club.epoch.n, n: block },
            blocks,
            more,
            leases: Vec::new(),
            commands: Vec::new(),
            notices: Vec::new(),
            mark,
        };
        updates.notices = notices.clone();
        while cbor::encode(&updates).len() > UPDATES_BYTES_MAX && notices.pop().is_some() {
            updates.notices.clone_from(&notices);
        }
        Ok(updates)
    });
    Ok(found.await?)
}

/// As [`mark`], without what a terminal that waits for a person may not learn.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn bare_mark(
    tx: &mut Tx<'_>,
    keys: &OwnKeys,
    device: DeviceId,
    acked_seq: u64,
) -> Result<ReceiptMark, StoreError> {
    let mut mark = ReceiptMark {
        central_epoch: journal::club(tx)?.epoch,
        journal_size: 0,
        journal_head: journal_start(),
        device,
        acked_seq,
        directory: Version::default(),
        block: Version::default(),
        leases: Vec::new(),
        signature: Vec::new(),
    };
    mark.signature = keys.sign(&mark.message()).to_vec();
    Ok(mark)
}

/// Where the centre stands, signed for a device.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn mark(
    tx: &mut Tx<'_>,
    keys: &OwnKeys,
    device: DeviceId,
    acked_seq: u64,
) -> Result<ReceiptMark, StoreError> {
    let club = journal::club(tx)?;
    let (journal_size, journal_head) = journal::published(tx)?;
    let head = directory::head(tx)?;
    let version = |n| Version { epoch: club.epoch.n, n };
    let mut mark = ReceiptMark {
        central_epoch: club.epoch,
        journal_size,
        journal_head,
        device,
        acked_seq,
        directory: version(head.directory),
        block: version(head.block),
        leases: Vec::new(),
        signature: Vec::new(),
    };
    mark.signature = keys.sign(&mark.message()).to_vec();
    Ok(mark)
}
