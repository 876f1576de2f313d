//! Journals, central database and model held against each other; every figure is counted here.
//!
//! Each difference is one line that names where it is. Nothing is taken from what the programs print.

use super::books::Engine;
use super::journal::{Journal, StoredFact};
use super::model::{Model, Place, Swipe};
use anyhow::{Result, ensure};
use hufu_shared::chain;
use hufu_shared::fact::Event;
use hufu_shared::ids::{DeviceId, MemberId, OfficeId};
use std::collections::BTreeMap;
use std::fmt;

/// Differences shown at most; all are counted.
const SHOWN_MAX: usize = 40;

/// A terminal's side of the comparison.
#[derive(Debug)]
pub struct Side {
    /// Which terminal.
    pub place: Place,
    /// Its journal from the disk.
    pub journal: Journal,
    /// How often it was started.
    pub starts: u64,
    /// How often it closed its day.
    pub closings: u64,
}

/// The figures of books that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Facts in both journals, each of them at the centre.
    pub facts: u64,
    /// Lines of the ledger.
    pub postings: u64,
    /// Cases.
    pub cases: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "books match: facts={} postings={} cases={}", self.facts, self.postings, self.cases)
    }
}

/// Compares everything.
///
/// # Errors
/// When anything differs: lists the differences. Also when a file or the database cannot be read.
pub fn compare(sides: &[Side; 2], engine: &Engine, model: &Model) -> Result<Tally> {
    let mut differences = Vec::new();
    let mut facts = 0;
    differences.extend(compare_facts(sides, engine)?);
    for side in sides {
        facts += side.journal.facts.len() as u64;
        differences.extend(expected_facts(side, model));
    }
    let held = engine.count("SELECT count(*) FROM fact")?;
    if held != facts {
        differences.push(format!("the centre holds {held} facts, both journals together {facts}"));
    }
    let forked = engine.count("SELECT count(*) FROM fork_fact")?;
    if forked > 0 {
        differences.push(format!("the centre keeps {forked} facts of another branch"));
    }
    let postings = ledger(sides, engine, model, &mut differences)?;
    let cases = cases(engine, model, &mut differences)?;
    let shown: Vec<&str> = differences.iter().take(SHOWN_MAX).map(String::as_str).collect();
    ensure!(
        differences.is_empty(),
        "books do not match, {} differences:\n{}",
        differences.len(),
        shown.join("\n")
    );
    Ok(Tally { facts, postings, cases })
}

/// Compares what the terminals recorded with what the centre holds of them, without a model of what was done; the
/// differences.
///
/// # Errors
/// When a file or the database cannot be read.
pub fn compare_facts(sides: &[Side], engine: &Engine) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for side in sides {
        differences.extend(one_chain(side, engine)?);
        differences.extend(same_facts(side, engine)?);
    }
    Ok(differences)
}

/// The journal has no gap, and its hashes follow from its bodies and from the key that the device enrolled with.
fn one_chain(side: &Side, engine: &Engine) -> Result<Vec<String>> {
    let Side { place, journal, .. } = side;
    let mut differences = Vec::new();
    let rows = engine.rows("SELECT device, epoch, first_key, acked_seq, head FROM device_epoch")?;
    let mut own = None;
    for row in &rows {
        if row[0].bytes()? == journal.device.0 && row[1].int()? == i64::from(journal.epoch) {
            own = Some(row);
        }
    }
    let Some(row) = own else {
        return Ok(vec![format!("{place:?}: the centre knows no enrolment of {}", journal.device)]);
    };
    let mut hash = chain::start(journal.device, journal.epoch, row[2].bytes()?);
    for (at, fact) in (1..).zip(&journal.facts) {
        hash = chain::link(hash, &fact.body);
        if fact.seq != at || fact.fact.seq != at {
            differences.push(format!("{place:?}: fact {} stands at place {at}", fact.seq));
        }
        if fact.hash != hash {
            differences.push(format!("{place:?}: the hash after fact {at} does not follow from its body"));
        }
    }
    if row[3].count()? != journal.last_seq() || row[4].bytes()? != hash.0 {
        differences.push(format!(
            "{place:?}: the centre's cursor is {}, the journal ends at {}, or their hashes differ",
            row[3].int()?,
            journal.last_seq()
        ));
    }
    if journal.acked_seq != journal.last_seq() {
        differences.push(format!(
            "{place:?}: receipts reach fact {}, the journal {}",
            journal.acked_seq,
            journal.last_seq()
        ));
    }
    Ok(differences)
}

/// The centre has the same facts of this device, byte by byte.
fn same_facts(side: &Side, engine: &Engine) -> Result<Vec<String>> {
    let Side { place, journal, .. } = side;
    let mut differences = Vec::new();
    let mut theirs: BTreeMap<u64, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
    for row in engine.rows("SELECT device, epoch, seq, body, hash FROM fact")? {
        if row[0].bytes()? == journal.device.0 && row[1].int()? == i64::from(journal.epoch) {
            theirs.insert(row[2].count()?, (row[3].bytes()?.to_vec(), row[4].bytes()?.to_vec()));
        }
    }
    for StoredFact { seq, hash, body, .. } in &journal.facts {
        match theirs.remove(seq) {
            None => differences.push(format!("{place:?}: fact {seq} is missing at the centre")),
            Some((their_body, their_hash)) => {
                if their_body != *body || their_hash != hash.0 {
                    differences.push(format!("{place:?}: fact {seq} has other bytes at the centre"));
                }
            }
        }
    }
    differences.extend(theirs.keys().map(|seq| format!("{place:?}: only the centre has fact {seq}")));
    Ok(differences)
}

/// The journal holds what was done at the terminal, as often as it was done.
fn expected_facts(side: &Side, model: &Model) -> Vec<String> {
    let Side { place, journal, starts, closings } = side;
    let mut swipes: BTreeMap<Swipe, u64> = BTreeMap::new();
    let (mut booted, mut closed) = (0, 0);
    let mut differences = Vec::new();
    for StoredFact { seq, fact, .. } in &journal.facts {
        let (swipe, count) = match &fact.event {
            Event::Booted(_) => {
                booted += 1;
                continue;
            }
            Event::DayClosed(_) => {
                closed += 1;
                continue;
            }
            // The machine's own clock may be corrected while the story runs.
            Event::ClockStepped(_) => continue,
            Event::Attended(attended) if attended.subject.member.is_none() => (Swipe::Stranger, 1),
            Event::Attended(attended) if attended.repeats.is_some() => (Swipe::Again, 1),
            Event::Attended(_) => (Swipe::CheckIn, 1),
            Event::Earned(earned) if earned.repeats.is_none() => (Swipe::Purchase, 1),
            Event::Refused(refused) => (Swipe::Refusal, u64::from(refused.count)),
            other => {
                differences.push(format!("{place:?}: fact {seq} is {}, which nobody did", other.name()));
                continue;
            }
        };
        *swipes.entry(swipe).or_default() += count;
    }
    let all = [Swipe::CheckIn, Swipe::Again, Swipe::Purchase, Swipe::Refusal, Swipe::Stranger];
    for swipe in all {
        let expected = model.swipes.get(&(*place, swipe)).copied().unwrap_or(0);
        let met = swipes.get(&swipe).copied().unwrap_or(0);
        if expected != met {
            differences
                .push(format!("{place:?}: {swipe:?} was done {expected} times, the journal says {met}"));
        }
    }
    if (booted, closed) != (*starts, *closings) {
        differences.push(format!(
            "{place:?}: started {starts} times and closed {closings} days, the journal says {booted} and {closed}"
        ));
    }
    differences
}

/// The ledger gives each member and takes from each office what the model says; balances are the sums of its lines.
fn ledger(sides: &[Side; 2], engine: &Engine, model: &Model, differences: &mut Vec<String>) -> Result<u64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let lines = engine.rows("SELECT debit, credit, amount, unit FROM posting")?;
    for line in &lines {
        let (amount, unit) = (line[2].int()?, line[3].text()?);
        *sums.entry(format!("{} {unit}", line[0].text()?)).or_default() -= amount;
        *sums.entry(format!("{} {unit}", line[1].text()?)).or_default() += amount;
    }
    sums.retain(|_, sum| *sum != 0);
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    for row in engine.rows("SELECT account, unit, amount FROM balance WHERE amount <> 0")? {
        balances.insert(format!("{} {}", row[0].text()?, row[1].text()?), row[2].int()?);
    }
    if sums != balances {
        differences.push(format!("balances are {balances:?}, the sums of the ledger's lines {sums:?}"));
    }
    let expected = expected_accounts(sides, engine, model, differences)?;
    for (account, sum) in &sums {
        let wanted = expected.get(account).copied().unwrap_or(0);
        if wanted != *sum {
            differences.push(format!("{account}: the ledger says {sum}, expected {wanted}"));
        }
    }
    for (account, wanted) in expected.iter().filter(|(account, _)| !sums.contains_key(*account)) {
        differences.push(format!("{account}: the ledger has no line, expected {wanted}"));
    }
    if lines.len() as u64 != model.postings {
        differences.push(format!("the ledger has {} lines, expected {}", lines.len(), model.postings));
    }
    Ok(lines.len() as u64)
}

fn expected_accounts(
    sides: &[Side; 2],
    engine: &Engine,
    model: &Model,
    differences: &mut Vec<String>,
) -> Result<BTreeMap<String, i64>> {
    let mut accounts = BTreeMap::new();
    let mut members = BTreeMap::new();
    for row in engine.rows("SELECT number, id FROM member")? {
        members.insert(row[0].text()?.to_owned(), MemberId(array(row[1].bytes()?)?));
    }
    for (number, points) in &model.points {
        match members.get(number) {
            Some(id) => drop(accounts.insert(format!("member/{id}/available PTS"), *points)),
            None => differences.push(format!("the centre knows no member {number}")),
        }
    }
    for row in engine.rows("SELECT id, office FROM device")? {
        let (device, office) = (DeviceId(array(row[0].bytes()?)?), OfficeId(array(row[1].bytes()?)?));
        let side = sides.iter().find(|side| side.journal.device == device);
        let issued = side.and_then(|side| model.issued.get(&side.place)).copied().unwrap_or(0);
        if issued != 0 {
            accounts.insert(format!("issuer/{office} PTS"), -issued);
        }
    }
    Ok(accounts)
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| anyhow::anyhow!("an id of {} bytes instead of {N}", bytes.len()))
}

/// The inbox holds the cases that the model says, all of them still open.
fn cases(engine: &Engine, model: &Model, differences: &mut Vec<String>) -> Result<u64> {
    let mut met: BTreeMap<u8, u64> = BTreeMap::new();
    let mut all = 0;
    for row in engine.rows("SELECT kind, state FROM conflict")? {
        all += 1;
        *met.entry(u8::try_from(row[0].int()?)?).or_default() += 1;
        if row[1].text()? != "open" {
            differences.push(format!("a case of kind {} is {}", row[0].int()?, row[1].text()?));
        }
    }
    if met != model.cases {
        differences.push(format!("cases by kind are {met:?}, expected {:?}", model.cases));
    }
    Ok(all)
}
