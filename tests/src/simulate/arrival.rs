//! I19: verdicts follow the set of facts. The journal of a run is played again with its batches in another order, each
//! with its own received time, never past an act and never past an earlier batch of the same terminal; the normal form
//! must be the same: net effect per cause and account, attendance, and each case with its evidence and state.

use hufu_central::db::{Db, Tx};
use hufu_central::rules::entry::EntryBody;
use hufu_central::store::{StoreError, journal};
use hufu_shared::cbor;
use hufu_shared::ids::EntryId;
use hufu_shared::time::Instant;
use rusqlite::Connection;

use super::block_on;
use super::random::Random;
use super::run::Run;

/// Entries in one transaction: what an entry comes to does not hang on when it is committed.
const COMMITTED_AT_ONCE: usize = 32;

/// One entry of the journal.
#[derive(Clone)]
struct Taken {
    id: EntryId,
    received: Instant,
    body: EntryBody,
}

/// Statements whose rows make the normal form. `available`, `owed` and what a recovery lost of a member count as one:
/// which of them a credit went to depends on the other credits at that moment, what the member can claim does not, nor
/// what of the loss is paid back in all. A case that ended by itself is left out: it was open for a moment in one order
/// (owed until a credit came, cut until a return made room, say) and never in another.
const NORMAL_FORM: [(&str, &str); 5] = [
    (
        "net effect",
        "SELECT hex(cause), unit, CASE WHEN account LIKE 'loss/recovery/%' \
         THEN 'member/' || substr(account, 15) || '/available' ELSE replace(account, '/owed', '/available') END AS net_of, \
         sum(signed) AS net FROM ( \
         SELECT cause, unit, credit AS account, amount AS signed FROM posting UNION ALL \
         SELECT cause, unit, debit AS account, -amount AS signed FROM posting) \
         GROUP BY 1, 2, 3 HAVING net <> 0 ORDER BY 1, 2, 3",
    ),
    (
        "recovery loss",
        "SELECT account, unit, amount FROM balance WHERE account LIKE 'loss/recovery/%' AND amount <> 0 ORDER BY 1, 2",
    ),
    (
        "attendance",
        "SELECT hex(member), hex(occurrence), hex(device), epoch, seq, at, points, hex(issuer) FROM attendance \
         ORDER BY 1, 2",
    ),
    (
        "case",
        "SELECT hex(id), kind, state, verdict, (SELECT group_concat(hex(device) || epoch || '/' || seq) FROM \
         (SELECT device, epoch, seq FROM conflict_fact WHERE conflict = id ORDER BY device, epoch, seq)) \
         FROM conflict WHERE state <> 'closed' OR verdict IS NOT NULL ORDER BY 1",
    ),
    ("standing", "SELECT hex(device), epoch, seq, became, kind FROM fact ORDER BY 1, 2, 3"),
];

impl Run<'_> {
    /// Plays the journal again in another order and compares.
    ///
    /// # Errors
    /// If the journal cannot be read or played.
    pub fn check_order_of_arrival(&mut self) -> anyhow::Result<()> {
        let entries = self.entries()?;
        let shuffled = shuffle(&entries, &mut self.random.clone());
        let path = self.folder.path().join("replay.db");
        let db = self.club.copy(&path)?;
        let founded: i64 =
            Connection::open(&path)?.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
        let played = &shuffled[usize::try_from(founded)?.min(shuffled.len())..];
        played.chunks(COMMITTED_AT_ONCE).try_for_each(|entries| play(&db, entries))?;
        drop(db);
        let replayed = Connection::open(&path)?;
        for (name, sql) in NORMAL_FORM {
            let (one, other) = (rows(self.centre.look(), sql)?, rows(&replayed, sql)?);
            if one != other {
                let differs = one.iter().zip(&other).find(|(one, other)| one != other);
                self.violated(format!("I19: another order of arrival gives another {name}: {differs:?}"));
                break;
            }
        }
        drop(replayed);
        std::fs::remove_file(&path)?;
        Ok(())
    }

    fn entries(&self) -> anyhow::Result<Vec<Taken>> {
        let look = self.centre.look();
        let mut entries = look.prepare("SELECT id, received, body FROM entry ORDER BY received")?;
        let mut rows = entries.query([])?;
        let mut taken = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(2)?;
            let (id, received) = (EntryId(row.get(0)?), Instant(row.get(1)?));
            taken.push(Taken { id, received, body: cbor::decode(&body)? });
        }
        Ok(taken)
    }
}

/// Batches between two acts, in another order that every terminal could have had.
fn shuffle(entries: &[Taken], random: &mut Random) -> Vec<Taken> {
    let mut shuffled = Vec::with_capacity(entries.len());
    let mut between: Vec<Taken> = Vec::new();
    for entry in entries {
        if matches!(entry.body, EntryBody::Batch(_)) {
            between.push(entry.clone());
            continue;
        }
        mix(&mut between, random, &mut shuffled);
        shuffled.push(entry.clone());
    }
    mix(&mut between, random, &mut shuffled);
    shuffled
}

/// Takes random entries whose terminal has no earlier one left.
fn mix(between: &mut Vec<Taken>, random: &mut Random, into: &mut Vec<Taken>) {
    while !between.is_empty() {
        let picked = random.index(between.len());
        let device = between[picked].body.device();
        let first = between.iter().position(|entry| entry.body.device() == device).unwrap_or(picked);
        into.push(between.remove(first));
    }
}

fn play(db: &Db, entries: &[Taken]) -> anyhow::Result<()> {
    let entries = entries.to_vec();
    block_on(db.write(move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for entry in entries.clone() {
            journal::take(tx, entry.id, entry.received, entry.body)?;
        }
        Ok(())
    }))?;
    Ok(())
}

/// The rows of a statement, as text.
///
/// # Errors
/// If it cannot be run.
pub fn rows(look: &Connection, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut statement = look.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let cell = |at| Ok(format!("{:?}", row.get_ref(at)?));
        all.push((0..columns).map(cell).collect::<Result<Vec<_>, rusqlite::Error>>()?);
    }
    Ok(all)
}
