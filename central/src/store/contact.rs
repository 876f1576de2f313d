//! Contact with terminals: the heartbeat, what their receipts say, notices, and the sealed parts of facts.

use hufu_shared::fact::{Fact, Reader, Standing, stated_at, stated_in};
use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::health::Health;
use hufu_shared::wire::readiness::Readiness;
use hufu_shared::wire::updates::Notice;
use hufu_shared::wire::upload::{BatchHeader, Disposition};
use hufu_shared::wire::version::Version;

use super::{StoreError, known, outcome, rows, watch, world};
use crate::db::{Question, Row, SqlFile, Tx, Value};
use crate::rules::world::{KnownBoot, became_from_code};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("contact", include_str!("../../sql/both/contact.sql"));

/// Where a terminal says that it stands.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    /// Its address.
    pub address: String,
    /// Facts waiting there.
    pub queued: u64,
    /// The last notice that it took.
    pub notices: u64,
    /// Its directory.
    pub directory: Version,
    /// Its block list.
    pub block: Version,
    /// How ready it is to go offline; none if it does not say.
    pub readiness: Option<Readiness>,
    /// How it is; none if it does not say.
    pub health: Option<Health>,
}

/// Notes a heartbeat.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn heard(tx: &mut Tx<'_>, device: DeviceId, beat: &Heartbeat, now: Instant) -> Result<(), StoreError> {
    let values = [
        device.0.into(),
        now.0.into(),
        beat.address.as_str().into(),
        rows::number(beat.queued),
        rows::number(beat.notices),
        i64::from(beat.directory.epoch).into(),
        rows::number(beat.directory.n),
        i64::from(beat.block.epoch).into(),
        rows::number(beat.block.n),
        // What is kept is what was understood, never a stranger's text.
        beat.readiness.as_ref().map(Readiness::to_query).into(),
        beat.health.as_ref().map(Health::to_query).into(),
        beat.health.as_ref().and_then(|health| health.software.clone()).unwrap_or_default().into(),
    ];
    tx.execute(SQL.get("heard"), &values)?;
    watch::note(tx, device, now)
}

/// Notes the delivery of a batch; `duplicate` and `gap` say what it was.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn delivered(
    tx: &mut Tx<'_>,
    device: DeviceId,
    address: &str,
    waiting: u64,
    (duplicate, gap): (bool, bool),
    now: Instant,
) -> Result<(), StoreError> {
    let values = [
        device.0.into(),
        now.0.into(),
        address.into(),
        rows::number(waiting),
        i64::from(duplicate).into(),
        i64::from(gap).into(),
    ];
    Ok(tx.execute_later(SQL.get("delivered"), vec![values.to_vec()])?)
}

/// Notes an enrolment.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn enrolled(
    tx: &mut Tx<'_>,
    device: DeviceId,
    address: &str,
    software: &str,
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(SQL.get("enrolled"), &[device.0.into(), now.0.into(), address.into(), software.into()])?;
    Ok(())
}

/// The cursor of an enrolment: the last seq taken in and the chain hash there.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn cursor(tx: &mut Tx<'_>, device: DeviceId, epoch: u32) -> Result<Option<(u64, Hash)>, StoreError> {
    let (sql, key) = cursor_question(device, epoch);
    let row = tx.query_opt(sql, &key)?;
    row.map(|row| Ok((row.uint(0)?, Hash(row.array(1)?)))).transpose()
}

/// What [`cursor`] asks.
pub(super) fn cursor_question(device: DeviceId, epoch: u32) -> Question {
    (SQL.get("cursor"), vec![device.0.into(), i64::from(epoch).into()])
}

/// What [`boot`] and [`stated`] ask.
pub fn questions(
    device: DeviceId,
    epoch: u32,
    boot: u64,
    stated: impl IntoIterator<Item = u64>,
) -> Vec<Question> {
    let key = |seq| rows::fact_id_values(FactId { device, epoch, seq }).to_vec();
    let stated = stated.into_iter().map(|seq| (SQL.get("fact_body"), key(seq)));
    stated.chain([(SQL.get("boot"), key(boot))]).collect()
}

/// What stored facts of an enrolment state of what stood.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn stated(
    tx: &mut Tx<'_>,
    device: DeviceId,
    epoch: u32,
    seqs: impl IntoIterator<Item = u64>,
) -> Result<Vec<(u64, Standing)>, StoreError> {
    let mut found = Vec::new();
    for seq in seqs {
        // Many facts of one boot rest on the same one, and what it says never changes.
        let values = rows::fact_id_values(FactId { device, epoch, seq }).to_vec();
        if let Some(row) = tx.query_kept(SQL.get("fact_body"), values)? {
            found.extend(stated_in(row.blob(0)?).map(|standing| (seq, standing)));
        }
    }
    Ok(found)
}

/// What is known of a boot; none before its first fact is here.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn boot(
    tx: &mut Tx<'_>,
    device: DeviceId,
    epoch: u32,
    seq: u64,
) -> Result<Option<KnownBoot>, StoreError> {
    let values = rows::fact_id_values(FactId { device, epoch, seq });
    let Some(row) = tx.query_opt(SQL.get("boot"), &values)? else { return Ok(None) };
    known::boot(&row, 0).map(Some)
}

/// Reads a stored fact whole, with what an earlier one states for it.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn read_fact(tx: &mut Tx<'_>, id: FactId, body: &[u8]) -> Result<Fact, StoreError> {
    let known = stated(tx, id.device, id.epoch, stated_at(body))?;
    Reader::knowing(known).read(id.seq, body).map_err(|source| StoreError::Fact { id, source })
}

/// What the receipt of these facts said, and always says again.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn told(
    tx: &mut Tx<'_>,
    device: DeviceId,
    epoch: u32,
    from_seq: u64,
    to_seq: u64,
) -> Result<Vec<Disposition>, StoreError> {
    let (sql, key) = told_question(device, epoch, (from_seq, to_seq));
    tx.query(sql, &key)?.iter().map(|row| disposition(row, 0)).collect()
}

/// What [`told`] asks about the facts from one seq to another.
#[must_use]
pub fn told_question(device: DeviceId, epoch: u32, (from_seq, to_seq): (u64, u64)) -> Question {
    let facts = vec![device.0.into(), i64::from(epoch).into(), rows::number(from_seq), rows::number(to_seq)];
    (SQL.get("told"), facts)
}

/// A disposition from `seq, became, kind, case`.
fn disposition(row: &Row, column: usize) -> Result<Disposition, StoreError> {
    let became = row.text(column + 1)?;
    Ok(Disposition {
        seq: row.uint(column)?,
        became: became_from_code(became).ok_or_else(|| rows::unknown("what became of a fact", became))?,
        kind: rows::kind_at(row, column + 2)?,
        case: row.array_opt(column + 3)?.map(Hash),
    })
}

/// Notices after the last one taken, oldest first.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn notices(tx: &mut Tx<'_>, device: DeviceId, after: u64, limit: i64) -> Result<Vec<Notice>, StoreError> {
    let values = [device.0.into(), rows::number(after), limit.into()];
    let rows = tx.query(SQL.get("notices_after"), &values)?;
    rows.iter()
        .map(|row| {
            Ok(Notice {
                n: row.uint(0)?,
                epoch: rows::u32_at(row, 1, "epoch of a notice")?,
                disposition: disposition(row, 2)?,
                other_office: row.text_opt(6)?.map(str::to_owned),
                other_at: row.int_opt(7)?.map(Instant),
            })
        })
        .collect()
}

/// Keeps the sealed part of a fact.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn put_sealed(tx: &mut Tx<'_>, id: FactId, sealed: &[u8]) -> Result<(), StoreError> {
    let mut values = rows::fact_id_values(id).to_vec();
    values.push(sealed.into());
    tx.execute(SQL.get("put_sealed"), &values)?;
    Ok(())
}

/// Bytes of facts that a terminal has put before a person since it last enrolled.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn review_bytes(tx: &mut Tx<'_>, device: DeviceId) -> Result<u64, StoreError> {
    let row = tx.query_opt(SQL.get("review_bytes"), &[device.0.into()])?;
    Ok(row.map(|row| row.uint(0)).transpose()?.unwrap_or(0))
}

/// Readable facts of an enrolment that wait for a person, in order, up to `to_seq`; and whether others of it wait, too.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn in_review(
    tx: &mut Tx<'_>,
    device: DeviceId,
    epoch: u32,
    to_seq: u64,
    limit: i64,
) -> Result<(Vec<FactId>, bool), StoreError> {
    let key: [Value; 2] = [device.0.into(), i64::from(epoch).into()];
    let [of, enrolled] = key.clone();
    let values = [of, enrolled, rows::number(to_seq), limit.into()];
    let found = tx.query(SQL.get("in_review"), &values)?;
    let all = tx.query_one(SQL.get("count_in_review"), &key)?.uint(0)?;
    let others_wait = all > found.len() as u64;
    let facts = found.iter().map(|row| Ok(FactId { device, epoch, seq: row.uint(0)? }));
    Ok((facts.collect::<Result<_, StoreError>>()?, others_wait))
}

/// Counts bytes of facts put before a person.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn add_review_bytes(tx: &mut Tx<'_>, device: DeviceId, bytes: u64) -> Result<(), StoreError> {
    tx.execute(SQL.get("add_review_bytes"), &[device.0.into(), rows::number(bytes)])?;
    Ok(())
}

/// Bytes of facts that are kept of an enrolment's other branches.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn fork_bytes(tx: &mut Tx<'_>, device: DeviceId, epoch: u32) -> Result<u64, StoreError> {
    let key = [device.0.into(), i64::from(epoch).into()];
    Ok(tx.query_one(SQL.get("fork_bytes"), &key)?.uint(0)?)
}

/// Keeps a fact of the other branch of a fork, for review; whether it is a new one.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn put_fork_fact(
    tx: &mut Tx<'_>,
    id: FactId,
    hash: Hash,
    body: &[u8],
    received: Instant,
) -> Result<bool, StoreError> {
    let mut values = rows::fact_id_values(id).to_vec();
    values.extend([hash.0.into(), body.into(), received.0.into()]);
    Ok(tx.execute(SQL.get("put_fork_fact"), &values)? > 0)
}

/// What [`hufu_shared::mutant::Mutant::CursorOutsideTransaction`] does: the cursor moves before anybody has the facts.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn move_cursor_alone(tx: &mut Tx<'_>, header: &BatchHeader) -> Result<(), StoreError> {
    let Some(known) = world::epoch_row(tx, header.device, header.epoch)? else { return Ok(()) };
    let values = [
        header.device.0.into(),
        i64::from(header.epoch).into(),
        known.first_key.into(),
        known.seal_key.into(),
        known.board.0.into(),
        known.enrolled_at.0.into(),
        rows::number((header.from_seq + u64::from(header.count) - 1).max(known.acked_seq)),
        header.head_hash.0.into(),
        known.last_at.0.into(),
    ];
    tx.execute(outcome::SQL.get("set_device_epoch"), &values)?;
    Ok(())
}
