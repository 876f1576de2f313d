//! The books after a kill: a copy of the terminal's journal is opened, checked whole, and held against what was seen.
//!
//! The copy is what SQLite recovers on its own from the killed program's files; the program's own start then works on the
//! originals. Rows are read with SQL, the chain is recomputed here with SHA-256 alone, bodies are decoded.

use super::seen::{Line, Seen, Verdict};
use anyhow::{Context as _, Result, bail, ensure};
use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact, Shown, Subject};
use hufu_shared::ids::MemberId;
use ring::digest::{Context as Digest, SHA256};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is known of a journal from the kills before.
#[derive(Debug)]
pub struct Books {
    /// Whose cards are whose, as the terminal's directory has it.
    pub tails: BTreeMap<MemberId, String>,
    /// The key that the device enrolled with, as the centre has it.
    pub first_key: Vec<u8>,
    last_seq: u64,
    head: Vec<u8>,
    /// Whether a run before was cut.
    booted: bool,
    acked: u64,
    unshown: BTreeSet<u64>,
    refused: u64,
    recorded_refusals: u64,
    reversed: BTreeMap<u64, u64>,
    undo_asked: BTreeSet<u64>,
    earned: BTreeSet<i64>,
}

/// What a kill left behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Whether the run had recorded its start.
    pub booted: bool,
    /// Facts of cards that the run recorded.
    pub swipes: u64,
    /// Of them, those that nobody saw before the kill.
    pub unseen: u64,
    /// Facts that the centre had not receipted.
    pub queued: u64,
    /// Value facts that the next start must list.
    pub to_list: u64,
}

struct State {
    acked: u64,
    shown_seq: u64,
    unshown: BTreeSet<u64>,
    pending_refusals: u64,
}

impl Books {
    /// Of a terminal that has ended in good order.
    ///
    /// # Errors
    /// When its journal is not sound.
    pub fn open(
        data: &Path,
        scratch: &Path,
        tails: BTreeMap<MemberId, String>,
        first_key: Vec<u8>,
    ) -> Result<Self> {
        let mut books = Self {
            tails,
            first_key,
            last_seq: 0,
            head: Vec::new(),
            booted: false,
            acked: 0,
            unshown: BTreeSet::new(),
            refused: 0,
            recorded_refusals: 0,
            reversed: BTreeMap::new(),
            undo_asked: BTreeSet::new(),
            earned: BTreeSet::new(),
        };
        let connection = copy(data, scratch)?;
        sound(&connection)?;
        let (facts, state) = books.read(&connection)?;
        books.last_seq = facts.last().map_or(0, |fact| fact.seq);
        books.acked = state.acked;
        Ok(books)
    }

    /// Facts up to here were receipted by the centre, as of the last look.
    #[must_use]
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// Checks the journal that a kill left in `data`; `scratch` takes the copy.
    ///
    /// # Errors
    /// When anything shown is not there, is there twice, or the file is not sound: says what.
    pub fn after_kill(&mut self, data: &Path, scratch: &Path, seen: &Seen) -> Result<Found> {
        let connection = copy(data, scratch)?;
        sound(&connection)?;
        let (facts, state) = self.read(&connection)?;
        let booted = self.boots(&facts, seen)?;
        self.shown_is_there(&facts, seen)?;
        self.once(&facts, seen)?;
        self.reversals(&facts, seen)?;
        self.listing(&facts, &state, seen, booted)?;
        let after = booted.unwrap_or(0);
        let swipes: Vec<&Fact> = facts.iter().filter(|fact| fact.boot == after && is_swipe(fact)).collect();
        let shown = lit(&swipes, &seen.cues)?;
        mark_follows(&swipes, &state, shown)?;
        self.refusals(&facts, &state, seen)?;
        let unseen = swipes.iter().skip(shown).filter(|fact| !seen.lines.contains_key(&fact.seq)).count();
        if let Some(last) = facts.last() {
            self.last_seq = last.seq;
        }
        self.booted |= booted.is_some();
        self.acked = state.acked;
        if booted.is_some() {
            let unmarked = facts.iter().filter(|fact| fact.seq > state.shown_seq && is_value(fact));
            self.unshown = state.unshown.iter().copied().chain(unmarked.map(|fact| fact.seq)).collect();
        }
        Ok(Found {
            booted: booted.is_some(),
            swipes: swipes.len() as u64,
            unseen: unseen as u64,
            queued: self.last_seq - state.acked,
            to_list: self.unshown.len() as u64,
        })
    }

    /// The facts since the last kill, and the state; the whole chain is recomputed.
    fn read(&mut self, connection: &Connection) -> Result<(Vec<Fact>, State)> {
        let (device, epoch, acked, shown_seq, anchor): (Vec<u8>, u32, u64, u64, Vec<u8>) = connection
            .query_row("SELECT device, epoch, acked_seq, shown_seq, anchor_hash FROM state", [], |row| {
                Ok((row.get(0)?, row.get(1)?, unsigned(row, 2)?, unsigned(row, 3)?, row.get(4)?))
            })?;
        let mut head = sha256(&[b"hufu", &device, &epoch.to_be_bytes(), &self.first_key]);
        ensure!(head == anchor, "the chain does not start from the key that the device enrolled with");
        let mut facts = Vec::new();
        let mut seq = 0;
        let mut statement = connection.prepare("SELECT seq, hash, body FROM facts ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (at, hash, body): (u64, Vec<u8>, Vec<u8>) = (unsigned(row, 0)?, row.get(1)?, row.get(2)?);
            seq += 1;
            ensure!(at == seq, "fact {at} stands where fact {seq} belongs");
            head = sha256(&[&[0x01], &head, &body]);
            ensure!(hash == head, "the hash after fact {seq} does not follow from the bodies");
            if seq == self.last_seq {
                ensure!(self.head == head, "what the journal said up to fact {seq} has changed");
            }
            if seq > self.last_seq {
                let fact: Fact = cbor::decode(&body).with_context(|| format!("fact {seq} cannot be read"))?;
                ensure!(fact.seq == seq, "fact {seq} says that it is {}", fact.seq);
                facts.push(fact);
            }
        }
        ensure!(seq >= self.last_seq, "the journal ended at fact {}, now at {seq}", self.last_seq);
        ensure!(acked >= self.acked && acked <= seq, "receipts reach {acked}, before {}", self.acked);
        self.head = head;
        let unshown = numbers(connection, "SELECT seq FROM unshown")?.into_iter().collect();
        let mut pending_refusals = 0;
        let pending: Vec<Vec<u8>> = connection
            .prepare("SELECT body FROM pending_refusal")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for body in pending {
            let fact: Fact = cbor::decode(&body).context("the refusal that is counted cannot be read")?;
            pending_refusals += refusals_of(&fact);
        }
        Ok((facts, State { acked, shown_seq, unshown, pending_refusals }))
    }

    /// A run records its start once, first of all, and says whether the run before was cut.
    fn boots(&self, facts: &[Fact], seen: &Seen) -> Result<Option<u64>> {
        let mut boots = facts.iter().filter_map(|fact| match &fact.event {
            Event::Booted(booted) => Some((fact, booted)),
            _ => None,
        });
        let Some((fact, booted)) = boots.next() else {
            ensure!(seen.listed.is_none(), "the page was there and no start is recorded");
            ensure!(facts.is_empty(), "facts were recorded without a start: {facts:?}");
            return Ok(None);
        };
        ensure!(boots.next().is_none(), "a run recorded two starts");
        ensure!(booted.unclean == self.booted, "the start says unclean = {}", booted.unclean);
        let before = facts.iter().take_while(|first| first.seq < fact.seq);
        for early in before {
            ensure!(
                matches!(early.event, Event::Refused(_)),
                "fact {} was recorded before the start",
                early.seq
            );
        }
        Ok(Some(fact.seq))
    }

    /// Everything that the page showed or answered is in the journal, and says the same.
    fn shown_is_there(&self, facts: &[Fact], seen: &Seen) -> Result<()> {
        for (seq, line) in &seen.lines {
            let fact = facts.iter().find(|fact| fact.seq == *seq);
            let fact =
                fact.with_context(|| format!("SHOWN AND LOST: fact {seq} was on the page: {line:?}"))?;
            self.agrees(fact, line)
                .with_context(|| format!("fact {seq} was shown as {line:?}, and is {fact:?}"))?;
        }
        for tail in &seen.confirmed {
            let there =
                facts.iter().any(|fact| self.tail_of(fact) == Some(tail) && reader(fact) == Some(255));
            ensure!(there, "SHOWN AND LOST: the page confirmed card {tail}, of which no fact is left");
        }
        Ok(())
    }

    fn agrees(&self, fact: &Fact, line: &Line) -> Result<()> {
        ensure!(fact.shown == line.shown, "the outcome differs");
        ensure!(self.tail_of(fact) == line.tail.as_ref(), "the card differs");
        let (purpose, promised) = match &fact.event {
            Event::Visited(_) => ("visit", None),
            Event::Attended(attended) => ("check_in", attended.promised.first()),
            Event::Earned(earned) => ("earn", earned.promised.first()),
            _ => bail!("it is no swipe"),
        };
        ensure!(purpose == line.purpose, "the purpose differs");
        let promised = serde_json::to_value(promised.map(|leg| leg.amount))?;
        ensure!(promised == line.promised, "the points differ");
        Ok(())
    }

    fn tail_of(&self, fact: &Fact) -> Option<&String> {
        self.tails.get(&subject(fact)?.member?)
    }

    /// Each presentation has one fact at most, each fact a presentation, and a purchase is recorded once.
    fn once(&mut self, facts: &[Fact], seen: &Seen) -> Result<()> {
        let mut met = BTreeSet::new();
        let mut strangers = 0;
        for fact in facts.iter().filter(|fact| is_swipe(fact)) {
            match self.tail_of(fact) {
                None => strangers += 1,
                Some(tail) => {
                    let given = seen.presented.contains(tail);
                    ensure!(given, "fact {} is of card {tail}, which was not presented", fact.seq);
                    ensure!(met.insert(tail.clone()), "DOUBLED: card {tail} was presented once");
                    let typed = reader(fact) == Some(255);
                    ensure!(typed == seen.typed.contains(tail), "card {tail} came from another reader");
                }
            }
            if let Event::Earned(earned) = &fact.event {
                let purchase = earned.purchase.0;
                ensure!(seen.purchases.contains(&purchase), "nobody entered a purchase of {purchase} fen");
                ensure!(self.earned.insert(purchase), "DOUBLED: the purchase of {purchase} fen");
            }
        }
        ensure!(strangers <= seen.strangers, "{strangers} facts of {} unknown cards", seen.strangers);
        Ok(())
    }

    /// A fact is reversed when staff asked for it, once.
    fn reversals(&mut self, facts: &[Fact], seen: &Seen) -> Result<()> {
        let asked = seen.verdicts.iter().filter(|(_, (verdict, _))| *verdict == Verdict::Undo);
        self.undo_asked.extend(asked.map(|(seq, _)| *seq));
        for fact in facts {
            if let Event::Reversed(reversed) = &fact.event {
                let original = reversed.original.seq;
                ensure!(self.undo_asked.contains(&original), "nobody asked to undo fact {original}");
                *self.reversed.entry(original).or_default() += 1;
            }
        }
        for (seq, (verdict, answered)) in &seen.verdicts {
            let times = self.reversed.get(seq).copied().unwrap_or(0);
            let expected = match (verdict, answered) {
                (Verdict::HandedOver, _) => times == 0,
                (Verdict::Undo, true) => times == 1,
                (Verdict::Undo, false) => times <= 1,
            };
            ensure!(expected, "fact {seq} was reversed {times} times after {verdict:?}, done: {answered}");
        }
        Ok(())
    }

    /// After an unclean end every value fact without a mark is listed until staff have said what happened.
    fn listing(&self, facts: &[Fact], state: &State, seen: &Seen, booted: Option<u64>) -> Result<()> {
        if let Some(listed) = &seen.listed {
            ensure!(
                *listed == self.unshown,
                "the page listed {listed:?} for staff to settle; without a mark were {:?}",
                self.unshown
            );
        }
        if booted.is_none() {
            return Ok(());
        }
        for seq in &self.unshown {
            let verdict = seen.verdicts.get(seq);
            let is_listed = state.unshown.contains(seq);
            match verdict {
                None => ensure!(is_listed, "fact {seq} has no mark and is no longer listed"),
                Some((_, true)) => ensure!(!is_listed, "staff have settled fact {seq}, and it is listed"),
                Some((verdict, false)) => {
                    let reversed = self.reversed.contains_key(seq);
                    let undone = *verdict == Verdict::Undo && reversed;
                    ensure!(
                        is_listed != undone || *verdict == Verdict::HandedOver,
                        "fact {seq} is half settled"
                    );
                }
            }
        }
        let others = state.unshown.difference(&self.unshown).next();
        ensure!(others.is_none(), "fact {others:?} is listed and was shown; {} facts came", facts.len());
        Ok(())
    }

    /// Refusals are counted in facts, or in the row that will become one.
    fn refusals(&mut self, facts: &[Fact], state: &State, seen: &Seen) -> Result<()> {
        self.refused += facts.iter().map(refusals_of).sum::<u64>();
        // What waits in its row is counted when it becomes a fact, so that it counts once over all kills.
        let recorded = self.refused + state.pending_refusals;
        let before = self.recorded_refusals;
        let lit = seen.cues.iter().filter(|shown| **shown == Shown::Refused).count() as u64;
        let told = lit.max(seen.refusals);
        ensure!(
            (before + told..=before + seen.lost).contains(&recorded),
            "{before} refusals were recorded, {told} shown and {} caused since: {recorded} are",
            seen.lost
        );
        self.recorded_refusals = recorded;
        Ok(())
    }
}

/// A copy of a journal whose program is gone, opened as SQLite recovers it.
fn copy(data: &Path, scratch: &Path) -> Result<Connection> {
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (data.join(format!("journal.db{suffix}")), scratch.join(format!("copy.db{suffix}")));
        let old = std::fs::remove_file(&to);
        ensure!(old.is_ok() || !to.exists(), "failed to remove the copy before: {old:?}");
        // The index of the log is made anew by whoever recovers.
        if suffix != "-shm" && from.exists() {
            std::fs::copy(&from, &to).with_context(|| format!("failed to copy {}", from.display()))?;
        }
    }
    Connection::open(scratch.join("copy.db")).context("failed to open the copy")
}

/// SQLite finds nothing wrong (goal G3).
fn sound(connection: &Connection) -> Result<()> {
    let said: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(said == "ok", "the journal is damaged: {said}");
    let broken: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    ensure!(broken == 0, "{broken} rows point nowhere");
    Ok(())
}

/// How many of the run's facts the light told of: each cue is one fact, in their order.
fn lit(swipes: &[&Fact], cues: &[Shown]) -> Result<usize> {
    let mut left = swipes.iter().enumerate();
    let mut told = 0;
    for cue in cues.iter().filter(|cue| **cue != Shown::Refused) {
        let found = left.find(|(_, fact)| fact.shown == *cue);
        let (at, _) = found.with_context(|| {
            let facts: Vec<_> = swipes.iter().map(|fact| (fact.seq, fact.shown)).collect();
            format!("SHOWN AND LOST: the light showed {cues:?}, the journal has {facts:?}")
        })?;
        told = at + 1;
    }
    Ok(told)
}

/// The mark never leads what was shown.
fn mark_follows(swipes: &[&Fact], state: &State, shown: usize) -> Result<()> {
    for fact in swipes.iter().skip(shown) {
        ensure!(
            fact.seq > state.shown_seq,
            "fact {} is marked as shown (mark {}), and the light told of {shown} facts only",
            fact.seq,
            state.shown_seq
        );
    }
    Ok(())
}

fn subject(fact: &Fact) -> Option<&Subject> {
    match &fact.event {
        Event::Visited(visited) => Some(&visited.subject),
        Event::Attended(attended) => Some(&attended.subject),
        Event::Earned(earned) => Some(&earned.subject),
        _ => None,
    }
}

fn reader(fact: &Fact) -> Option<u8> {
    subject(fact).map(|subject| subject.reader)
}

fn is_swipe(fact: &Fact) -> bool {
    subject(fact).is_some()
}

fn refusals_of(fact: &Fact) -> u64 {
    match &fact.event {
        Event::Refused(refused) => u64::from(refused.count),
        _ => 0,
    }
}

/// What staff must be asked about if nobody knows whether it was shown.
fn is_value(fact: &Fact) -> bool {
    match &fact.event {
        Event::Attended(attended) => !attended.promised.is_empty(),
        Event::Earned(earned) => earned.repeats.is_none(),
        _ => false,
    }
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Digest::new(&SHA256);
    for part in parts {
        digest.update(part);
    }
    digest.finish().as_ref().to_vec()
}

fn unsigned(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, number))
}

fn numbers(connection: &Connection, sql: &str) -> Result<Vec<u64>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| unsigned(row, 0))?;
    rows.collect::<Result<_, _>>().context("failed to read")
}
