//! `GET /device/v1/updates`: the priority lane, held open until there is something; and the heartbeat.
//!
//! Never held up by uploads: it reads, and writes one row of contact, once a quarter of an hour another; and an entry when
//! the terminal proves that this centre was rolled back. A terminal that was away asks here when it may send what it holds.

use std::sync::PoisonError;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::ids::{DeviceId, Hash, LeaseId};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::time::Instant;
use hufu_shared::wire::health::Health;
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::updates::{
    UPDATES_BYTES_MAX, UPDATES_WAIT_MS_MAX, Updates, UpdatesQuery, echoed_leases, echoed_mark,
};
use hufu_shared::wire::upload::{Command, ReceiptMark};
use hufu_shared::wire::version::Version;

use super::cbor_answer;
use super::directory::version;
use super::leases::signed;
use crate::app::App;
use crate::ca::OwnKeys;
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::{Caller, Reporting, confirm};
use crate::rules::entry::journal_start;
use crate::rules::world::DeviceStatus;
use crate::store::contact::{self, Heartbeat};
use crate::store::recovery::{self, Source};
use crate::store::{StoreError, directory, journal, leases, publisher};

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
        readiness: query.ready.as_deref().and_then(Readiness::from_query),
        health: query.health.as_deref().and_then(Health::from_query),
    };
    let (device, now) = (caller.device, app.now());
    let asks_turn = query.turn && query.queued > 0;
    let echoes = query.leases.as_deref().map(echoed_leases).unwrap_or_default();
    let shown = shown(&app, &caller, &query, now)?;
    let beaten = app.proving(move |tx, on_proof| {
        leases::echoed(tx, device, &echoes)?;
        contact::heard(tx, device, &beat, now)?;
        let Some(Shown { from, mark }) = &shown else { return Ok(false) };
        recovery::look_at(tx, *from, mark, on_proof)
    });
    if beaten.await? {
        app.taken().await?;
    }
    let asked = Asked { caller: caller.clone(), directory, block, notices: query.notices };
    let wait = Duration::from_millis(query.wait_ms.min(UPDATES_WAIT_MS_MAX).into());
    let end = tokio::time::Instant::now() + wait;
    let mut published = app.published.subscribe();
    let mut stopping = app.stopping.subscribe();
    loop {
        published.mark_unchanged();
        let mut found = look(&app, asked.clone()).await?;
        if asks_turn {
            found.credit = Some(app.uploads.turn(query.queued));
            return Ok(cbor_answer(&found));
        }
        if has_news(&found, &asked)
            || has_orders(&app, device, &found)
            || wait.is_zero()
            || *stopping.borrow()
        {
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

/// A mark of this centre that a terminal holds.
#[derive(Debug, Clone)]
struct Shown {
    from: Source,
    mark: ReceiptMark,
}

/// What the poll shows with this centre's good signature on it. A terminal that waits for a person proves nothing.
fn shown(app: &App, caller: &Caller, query: &UpdatesQuery, now: Instant) -> Result<Option<Shown>, ApiError> {
    let mark = query.echo.as_deref().and_then(echoed_mark);
    let Some(mark) = mark.filter(|_| caller.status == DeviceStatus::Active) else { return Ok(None) };
    if !app.keys.has_signed(&mark.message(), &mark.signature) {
        return Ok(None);
    }
    let from = Source { device: caller.device, enrolment: caller.epoch, entry: app.entry_id()?, now };
    Ok(Some(Shown { from, mark }))
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

/// Whether there are lease states or orders that this terminal was not told with its last answer. One that takes no
/// notice of them must not ask for them without end; it hears them again with every answer.
fn has_orders(app: &App, device: DeviceId, found: &Updates) -> bool {
    if found.leases.is_empty() && found.commands.is_empty() {
        return false;
    }
    let told = Hash::of(&[&cbor::encode(&found.leases), &cbor::encode(&found.commands)]);
    let mut last = app.told.lock().unwrap_or_else(PoisonError::into_inner);
    last.insert(device, told) != Some(told)
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
        let mark = mark(tx, &keys, (caller.device, acked), Vec::new())?;
        let mut block = block;
        if mutant::on(Mutant::VersionBeforeCommit) && publisher::state(tx)?.is_waiting {
            // A card and its block take a number each.
            block = block.max(directory::head(tx)?.n + 2);
        }
        let mut updates = Updates {
            central_time: now,
            directory: mark.directory,
            block: Version { epoch: club.epoch.n, n: block },
            blocks,
            more,
            leases: Vec::new(),
            commands: leases::orders(tx, caller.device, now)?.into_iter().map(Into::into).collect(),
            notices: Vec::new(),
            mark,
            credit: None,
        };
        for row in leases::unechoed(tx, caller.device)? {
            updates.leases.push(signed(&keys, &row).into());
            if cbor::encode(&updates).len() > UPDATES_BYTES_MAX {
                updates.leases.pop();
                break;
            }
        }
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

/// What a device is told in its session: lease states, orders, and where the centre stands.
pub(super) struct Told {
    pub(super) leases: Vec<LeaseState>,
    pub(super) commands: Vec<Command>,
    pub(super) mark: ReceiptMark,
}

/// What a device is told with a receipt. The mark names the lease states sent with it: echoing it echoes them.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn told(
    tx: &mut Tx<'_>,
    keys: &OwnKeys,
    (device, acked_seq): (DeviceId, u64),
    now: Instant,
) -> Result<Told, StoreError> {
    let mut asked = leases::questions(device, now).to_vec();
    asked.extend(journal::questions());
    asked.push(directory::head_question());
    tx.ask_ahead(asked)?;
    let rows = leases::unechoed(tx, device)?;
    let shown = rows.iter().map(|row| (row.lease, row.version)).collect();
    let mark = mark(tx, keys, (device, acked_seq), shown)?;
    let commands = leases::orders(tx, device, now)?;
    Ok(Told { leases: rows.iter().map(|row| signed(keys, row)).collect(), commands, mark })
}

/// Where the centre stands, signed for a device, with the lease states that go with it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub(super) fn mark(
    tx: &mut Tx<'_>,
    keys: &OwnKeys,
    (device, acked_seq): (DeviceId, u64),
    leases: Vec<(LeaseId, Version)>,
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
        leases,
        signature: Vec::new(),
    };
    mark.signature = keys.sign(&mark.message()).to_vec();
    Ok(mark)
}
