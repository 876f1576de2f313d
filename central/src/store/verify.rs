//! Proof that the books are what the journal says.
//!
//! `verify` reads the stored bytes of every journal entry, checks the chain over them, applies each to an empty
//! database and compares every derived row with the one that stands. Beside the replay it checks by plain sums what
//! must hold of any ledger, and walks the chain of every terminal over the stored facts. Each finding names its place.
//! It may begin from the newest base ([`super::base`]) instead, whose signature stands for what came before.

use hufu_shared::act::Act;
use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::ids::{DeviceId, EntryId, Hash};
use hufu_shared::keys::verify_centre;
use hufu_shared::time::Instant;

use super::{StoreError, base, dump, journal, rows};
use crate::db::{Db, Row, Scratch, SqlFile, Tx};
use crate::rules::entry::{EntryBody, journal_link, journal_start};

static SQL: SqlFile = SqlFile::new("verify", include_str!("../../sql/both/verify.sql"));

/// Entries read at a time.
const ENTRIES_PER_READ_MAX: i64 = 200;
/// Findings of one table after which the rest of it is only counted.
const FINDINGS_PER_TABLE_MAX: usize = 20;

/// What `verify` found and how much it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verification {
    /// Entries replayed.
    pub entries: u64,
    /// Facts in them.
    pub facts: u64,
    /// Derived rows compared.
    pub rows: u64,
    /// What does not hold, each with its place; empty if all holds.
    pub findings: Vec<String>,
}

/// A journal entry as stored.
#[derive(Debug, Clone)]
struct Stored {
    id: EntryId,
    received: Instant,
    body: Vec<u8>,
}

/// Verifies a database by replaying its whole journal. All of it is read from one state of the database, so a service
/// that goes on beside it changes nothing of the answer.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all; what is wrong inside is a finding.
pub async fn verify(db: &Db) -> Result<Verification, StoreError> {
    db.read(whole).await
}

/// Verifies a database by replaying what came since its newest base; from empty, if it has none. `key` is the centre's
/// own, which signed the base.
///
/// # Errors
/// As [`verify`].
pub async fn verify_from_base(db: &Db, key: &[u8; 32]) -> Result<Verification, StoreError> {
    let key = *key;
    db.read(move |tx| since_base(tx, &key)).await
}

fn whole(tx: &mut Tx<'_>) -> Result<Verification, StoreError> {
    replay_from(tx, &Scratch::new()?, (0, journal_start()), Verification::default())
}

fn since_base(tx: &mut Tx<'_>, key: &[u8; 32]) -> Result<Verification, StoreError> {
    let Some(newest) = base::newest(tx)? else { return whole(tx) };
    let mut found = Verification::default();
    let replay = Scratch::new()?;
    let hash = restore(tx, &replay, &newest)?;
    let message = base::message(newest.entry, newest.version, newest.hash);
    if hash != newest.hash || verify_centre(key, &message, &newest.signature).is_err() {
        found.findings.push(format!(
            "base of entry {}: its rows give the hash {hash}, {} was signed; it cannot be begun from",
            newest.n, newest.hash
        ));
        return Ok(found);
    }
    let before = newest.n.saturating_sub(1);
    let head = base::head_at(tx, before)?;
    replay_from(tx, &replay, (before, head.unwrap_or_else(journal_start)), found)
}

/// Fills a database from a base; answers the hash of what it then holds.
fn restore(tx: &mut Tx<'_>, replay: &Scratch, newest: &base::Base) -> Result<Hash, StoreError> {
    for n in 0_i64.. {
        let Some(part) = base::part(tx, newest, n)? else { break };
        replay.write(|tx| base::put(tx, &part, n == 0))?;
    }
    replay.read(|tx| Ok(base::state(tx)?.hash))
}

fn replay_from(
    tx: &mut Tx<'_>,
    replay: &Scratch,
    (mut last, mut head): (u64, Hash),
    mut found: Verification,
) -> Result<Verification, StoreError> {
    let mut received = Instant(0);
    loop {
        let entries = entries_after(tx, last)?;
        if entries.is_empty() {
            break;
        }
        for (n, hash, entry) in entries {
            check_link((n, hash), &entry, &mut head, last, &mut found);
            (last, received) = (n, entry.received);
            replay_entry(replay, &entry, &format!("entry {n}"), &mut found)?;
        }
    }
    let published = journal::published(tx)?;
    if published != (last, head) {
        found.findings.push(format!(
            "journal: the publisher stands at {} with head {}, the entries end at {last} with head {head}",
            published.0, published.1
        ));
    }
    // Committed and without a number yet: the rows hold them already, and they follow in this order.
    loop {
        let entries = entries_waiting(tx, received)?;
        let Some(newest) = entries.last() else { break };
        received = newest.received;
        for entry in &entries {
            replay_entry(replay, entry, "the entry without a number", &mut found)?;
        }
    }
    compare(tx, replay, &mut found)?;
    found.findings.extend([sums(tx)?, chains(tx)?].concat());
    Ok(found)
}

/// The numbered entries that follow number `n`, at most [`ENTRIES_PER_READ_MAX`], with number and stored hash.
fn entries_after(tx: &mut Tx<'_>, n: u64) -> Result<Vec<(u64, Hash, Stored)>, StoreError> {
    let rows = tx.query(journal::SQL.get("entries_from"), &[rows::number(n), ENTRIES_PER_READ_MAX.into()])?;
    rows.iter().map(|row| Ok((row.uint(3)?, Hash(row.array(4)?), stored(row)?))).collect()
}

/// The entries that were received after `received`, at most [`ENTRIES_PER_READ_MAX`].
fn entries_waiting(tx: &mut Tx<'_>, received: Instant) -> Result<Vec<Stored>, StoreError> {
    let from = [received.0.into(), ENTRIES_PER_READ_MAX.into()];
    tx.query(journal::SQL.get("entries_after"), &from)?.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored { id: EntryId(row.array(0)?), received: Instant(row.int(1)?), body: row.blob(2)?.to_vec() })
}

fn check_link((n, hash): (u64, Hash), entry: &Stored, head: &mut Hash, last: u64, found: &mut Verification) {
    if n != last + 1 {
        found.findings.push(format!("journal: entry {n} follows entry {last}"));
    }
    let computed = journal_link(*head, entry.id, entry.received, &entry.body);
    if computed != hash {
        found.findings.push(format!(
            "journal: entry {n} ({}) was changed: its bytes give the hash {computed}, stored is {hash}",
            entry.id
        ));
    }
    // Go on from what is stored, so that one damaged entry is one finding.
    *head = hash;
}

/// Applies one entry to the replay; `name` is what a finding calls it.
fn replay_entry(
    replay: &Scratch,
    entry: &Stored,
    name: &str,
    found: &mut Verification,
) -> Result<(), StoreError> {
    let body: EntryBody = match cbor::decode(&entry.body) {
        Ok(body) => body,
        Err(error) => {
            found.findings.push(format!("journal: {name} ({}) cannot be read: {error}", entry.id));
            return Ok(());
        }
    };
    if let EntryBody::Batch(batch) = &body {
        found.facts += batch.bodies.len() as u64;
    }
    if let EntryBody::Act(taken) = &body
        && let Act::ApplyVersionSet(set) = &taken.act
    {
        let given: Hash = replay.read(|tx| Ok::<_, StoreError>(base::state(tx)?.hash))?;
        if given != set.state {
            found.findings.push(format!(
                "journal: {name} takes the state {} for a base, the journal gives {given}",
                set.state
            ));
        }
    }
    found.entries += 1;
    let taken = replay.write(|tx| journal::take(tx, entry.id, entry.received, body.clone()).map(|_| ()));
    if let Err(error) = taken {
        found.findings.push(format!("journal: {name} ({}) cannot be applied: {error}", entry.id));
    }
    Ok(())
}

/// Compares every derived row.
fn compare(tx: &mut Tx<'_>, replay: &Scratch, found: &mut Verification) -> Result<(), StoreError> {
    for (name, key_columns) in dump::TABLES.iter().copied() {
        let stands = dump::table(tx, name, key_columns)?;
        let given = replay.read(|tx| dump::table(tx, name, key_columns))?;
        found.rows += given.len() as u64;
        let differences = differences(name, &stands, &given);
        let more = differences.len().saturating_sub(FINDINGS_PER_TABLE_MAX);
        found.findings.extend(differences.into_iter().take(FINDINGS_PER_TABLE_MAX));
        if more > 0 {
            found.findings.push(format!("{name}: {more} more rows differ"));
        }
    }
    Ok(())
}

fn differences(name: &str, stands: &[dump::Dumped], given: &[dump::Dumped]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut left, mut right) = (stands.iter().peekable(), given.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return found,
            (Some(row), Some(other)) if row.key == other.key => {
                if row.line != other.line {
                    found.push(format!(
                        "{name} {}: stands as [{}], the journal gives [{}]",
                        row.key, row.line, other.line
                    ));
                }
                left.next();
                right.next();
            }
            (Some(row), Some(other)) if row.key > other.key => {
                found.push(format!("{name} {}: is missing, the journal gives [{}]", other.key, other.line));
                right.next();
            }
            (Some(row), _) => {
                found
                    .push(format!("{name} {}: stands, the journal does not give it [{}]", row.key, row.line));
                left.next();
            }
            (None, Some(other)) => {
                found.push(format!("{name} {}: is missing, the journal gives [{}]", other.key, other.line));
                right.next();
            }
        }
    }
}

/// What must hold of the ledger by plain sums.
fn sums(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for row in tx.query(SQL.get("sums"), &[])? {
        if row.int(1)? != 0 {
            found.push(format!(
                "ledger: all accounts in {} sum to {}, expected 0",
                row.text(0)?,
                row.int(1)?
            ));
        }
    }
    for row in tx.query(SQL.get("balance_without_postings"), &[])? {
        found.push(format!(
            "balance {} {}: stands at {}, its postings sum to {}",
            row.text(0)?,
            row.text(1)?,
            row.int(2)?,
            row.int(3)?
        ));
    }
    for row in tx.query(SQL.get("below_zero"), &[])? {
        found.push(format!(
            "balance {} {}: {} is on the wrong side of zero",
            row.text(0)?,
            row.text(1)?,
            row.int(2)?
        ));
    }
    for row in tx.query(SQL.get("cursor_gaps"), &[])? {
        found.push(format!(
            "device {} enrolment {}: {} facts are stored, the cursor stands at {}",
            DeviceId(row.array(0)?),
            row.int(1)?,
            row.int(3)?,
            row.int(2)?
        ));
    }
    Ok(found)
}

/// Walks the chain of every terminal over the stored facts.
fn chains(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for row in tx.query(SQL.get("chains"), &[])? {
        let device = DeviceId(row.array(0)?);
        let epoch = rows::u32_at(&row, 1, "epoch")?;
        let mut hash = chain::start(device, epoch, row.blob(2)?);
        let mut last = 0;
        loop {
            let key = [device.0.into(), i64::from(epoch).into(), rows::number(last)];
            let facts = tx.query(SQL.get("chain_bodies"), &key)?;
            if facts.is_empty() {
                break;
            }
            for fact in &facts {
                last = fact.uint(0)?;
                let stored = Hash(fact.array(2)?);
                if chain::link(hash, fact.blob(1)?) != stored {
                    found
                        .push(format!("fact {device}/{epoch}/{last}: its bytes do not give its stored hash"));
                }
                hash = stored;
            }
        }
        if hash != Hash(row.array(4)?) {
            found.push(format!(
                "device {device} enrolment {epoch}: the chain ends at {hash}, its head is stored otherwise"
            ));
        }
    }
    Ok(found)
}
