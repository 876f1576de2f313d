//! What staff must be told: facts that became something else than was shown, and value facts of an unclean end.

use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact, Reversed, Shown};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::time::Instant;
use hufu_shared::wire::updates::Notice;
use hufu_shared::wire::upload::{Became, Disposition};
use hufu_shared::wire::version::Version;
use rusqlite::{Connection, OptionalExtension, params};

use super::appending::{Appended, NewFact};
use super::blocks::read_given;
use super::error::{Step, StoreError};
use super::journal::{Journal, from_sql, to_sql};
use crate::rules::timekeeping::Now;

/// Notices handed to the counter page at once; older ones follow as these are acknowledged.
pub const OPEN_NOTICES_MAX: usize = 50;
/// Dictionary code of the reversal of what was recorded but never reached the member.
const REASON_NOT_SHOWN: &str = "not_shown";

/// A notice that nobody has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNotice {
    /// Its number at this terminal.
    pub id: u64,
    /// What became of which fact.
    pub disposition: Disposition,
    /// Code of the other side's office.
    pub other_office: Option<String>,
    /// When the other side happened.
    pub other_at: Option<Instant>,
    /// The fact itself, if it is still held.
    pub fact: Option<Fact>,
}

fn became_code(became: Became) -> i64 {
    match became {
        Became::AppliedWithCase => 0,
        Became::Held => 1,
        Became::Quarantined => 2,
        Became::Merged => 3,
        Became::NoEffect => 4,
        Became::Applied => 5,
    }
}

fn became_of(code: i64) -> Became {
    match code {
        0 => Became::AppliedWithCase,
        1 => Became::Held,
        3 => Became::Merged,
        4 => Became::NoEffect,
        5 => Became::Applied,
        _ => Became::Quarantined,
    }
}

/// Notes what became of a fact. The same word said again (a retried receipt, then a notice) is one notice. What the
/// display already said (a repeat is merged, an unknown card is held) nobody needs to be told.
pub(super) fn insert_disposition(
    connection: &Connection,
    n: Option<u64>,
    disposition: &Disposition,
    other: Option<(&Option<String>, Option<Instant>)>,
) -> rusqlite::Result<()> {
    if n.is_none() && is_as_shown(connection, disposition)? {
        return Ok(());
    }
    let (seq, became) = (to_sql(disposition.seq), became_code(disposition.became));
    let known: Option<i64> = connection
        .prepare_cached(
            "SELECT id FROM notices WHERE seq = ?1 AND became = ?2 AND kind IS ?3 AND acknowledged = 0 \
             AND (n IS NULL OR n = ?4)",
        )?
        .query_row(params![seq, became, disposition.kind, n.map(to_sql)], |row| row.get(0))
        .optional()?;
    let office = other.and_then(|(office, _)| office.clone());
    let at = other.and_then(|(_, at)| at).map(|at| at.0);
    match known {
        Some(id) => connection
            .prepare_cached(
                "UPDATE notices SET n = coalesce(?2, n), other_office = coalesce(?3, other_office), \
                 other_at = coalesce(?4, other_at) WHERE id = ?1",
            )?
            .execute(params![id, n.map(to_sql), office, at])?,
        None => connection
            .prepare_cached(
                "INSERT OR IGNORE INTO notices (n, seq, became, kind, case_hash, other_office, other_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                n.map(to_sql),
                seq,
                became,
                disposition.kind,
                disposition.case.map(|case| case.0),
                office,
                at
            ])?,
    };
    Ok(())
}

/// A card that was given here is nobody's, as a person at the centre said: it is not its member's here any more.
fn take_gift_back(connection: &Connection, disposition: &Disposition) -> rusqlite::Result<()> {
    if disposition.became != Became::NoEffect {
        return Ok(());
    }
    if let Some(Event::CardReplaced(replaced)) = fact_at(connection, disposition.seq)?.map(|fact| fact.event)
    {
        let sql = "DELETE FROM given WHERE token = ?1";
        connection.prepare_cached(sql)?.execute([replaced.card.to_bytes()])?;
    }
    Ok(())
}

fn fact_at(connection: &Connection, seq: u64) -> rusqlite::Result<Option<Fact>> {
    let body: Option<Vec<u8>> = connection
        .prepare_cached("SELECT body FROM facts WHERE seq = ?1")?
        .query_row([to_sql(seq)], |row| row.get(0))
        .optional()?;
    Ok(body.and_then(|body| cbor::decode::<Fact>(&body).ok()))
}

/// Whether the display said as much.
fn is_as_shown(connection: &Connection, disposition: &Disposition) -> rusqlite::Result<bool> {
    match disposition.became {
        Became::Merged => Ok(true),
        Became::Held => {
            let fact = fact_at(connection, disposition.seq)?;
            Ok(fact.is_some_and(|fact| matches!(fact.shown, Shown::UnknownCard | Shown::Recorded)))
        }
        _ => Ok(false),
    }
}

impl Journal {
    /// Takes notices of the centre, oldest first. Notices about an earlier enrolment are passed over: its facts lie in
    /// the journal that was set aside.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn take_notices(&mut self, notices: &[Notice]) -> Result<(), StoreError> {
        let epoch = self.epoch;
        self.guarded("take notices", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let written = (|| {
                for notice in notices {
                    if notice.epoch == epoch {
                        let other = Some((&notice.other_office, notice.other_at));
                        insert_disposition(&transaction, Some(notice.n), &notice.disposition, other)?;
                        take_gift_back(&transaction, &notice.disposition)?;
                    }
                    transaction
                        .execute("UPDATE state SET notices_n = max(notices_n, ?1)", [to_sql(notice.n)])?;
                }
                transaction.commit()
            })();
            written.step(&path, "take notices")?;
            journal.given = read_given(&journal.connection).step(&path, "read given cards")?;
            Ok(())
        })
    }

    /// Notices that nobody has acknowledged, newest first, at most [`OPEN_NOTICES_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn open_notices(&self) -> Result<Vec<OpenNotice>, StoreError> {
        let sql = "SELECT n.id, n.seq, n.became, n.kind, n.case_hash, n.other_office, n.other_at, f.body \
                   FROM notices n LEFT JOIN facts f ON f.seq = n.seq \
                   WHERE n.acknowledged = 0 ORDER BY n.id DESC LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        let limit = i64::try_from(OPEN_NOTICES_MAX).unwrap_or(i64::MAX);
        let rows = statement
            .query_map([limit], |row| {
                let body: Option<Vec<u8>> = row.get(7)?;
                Ok(OpenNotice {
                    id: from_sql(row.get(0)?),
                    disposition: Disposition {
                        seq: from_sql(row.get(1)?),
                        became: became_of(row.get(2)?),
                        kind: row.get(3)?,
                        case: row.get::<_, Option<[u8; 32]>>(4)?.map(Hash),
                    },
                    other_office: row.get(5)?,
                    other_at: row.get::<_, Option<i64>>(6)?.map(Instant),
                    fact: body.and_then(|body| cbor::decode(&body).ok()),
                })
            })
            .step(&self.path, "read notices")?;
        rows.collect::<rusqlite::Result<_>>().step(&self.path, "read notices")
    }

    /// Notes that staff have read a notice. False if there is none of that number.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn acknowledge(&mut self, id: u64) -> Result<bool, StoreError> {
        self.guarded("acknowledge notice", |journal| {
            let sql = "UPDATE notices SET acknowledged = 1 WHERE id = ?1 AND acknowledged = 0";
            let changed = journal.connection.execute(sql, [to_sql(id)]).step(&journal.path, "acknowledge")?;
            Ok(changed > 0)
        })
    }

    /// Value facts recorded after `seq`, oldest first.
    pub(super) fn value_facts_after(&self, seq: u64) -> Result<Vec<u64>, StoreError> {
        let facts = self.pending(seq + 1, usize::MAX, usize::MAX)?;
        let value = |stored: &super::StoredFact| {
            cbor::decode::<Fact>(&stored.body)
                .is_ok_and(|fact| fact.event.is_value() && !is_no_question(&fact))
        };
        Ok(facts.iter().filter(|stored| value(stored)).map(|stored| stored.seq).collect())
    }

    /// Value facts of which nobody knows whether they were shown, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn unshown(&self) -> Result<Vec<Fact>, StoreError> {
        let sql = "SELECT u.seq FROM unshown u ORDER BY u.seq";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        let seqs = statement
            .query_map([], |row| row.get(0).map(from_sql))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<u64>>>)
            .step(&self.path, "read unshown facts")?;
        let mut facts = Vec::new();
        for seq in seqs {
            let stored = self.pending(seq, 1, usize::MAX)?;
            let there = stored.iter().any(|fact| fact.seq == seq);
            facts.extend(self.whole(&stored)?.into_iter().filter(|_| there).flatten());
        }
        Ok(facts)
    }

    /// Staff say what happened with such a fact: the member got it, or not; then it is reversed by a further fact in
    /// the same transaction, and a check-in no longer stands in the way of the next. None if there is no such fact to
    /// settle.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn resolve_unshown(
        &mut self,
        seq: u64,
        handed_over: bool,
        now: &Now,
        directory: Version,
    ) -> Result<Option<Vec<Appended>>, StoreError> {
        let Some(fact) = self.unshown()?.into_iter().find(|fact| fact.seq == seq) else { return Ok(None) };
        let mut facts = Vec::new();
        if !handed_over {
            let original = FactId { device: self.device, epoch: self.epoch, seq };
            let reversed = Reversed {
                original,
                legs: legs_of(&fact.event),
                reason: REASON_NOT_SHOWN.to_owned(),
                slip: None,
            };
            let mut new = NewFact::of_terminal(Event::Reversed(reversed), directory, now);
            new.scheme = fact.scheme;
            facts.push(new);
        }
        self.guarded("settle unshown fact", |journal| {
            journal.commit_facts_with(facts, |connection, _| {
                if !handed_over {
                    // What did not happen stands in nobody's way.
                    for table in ["attendance", "slips", "handed_out"] {
                        connection.execute(&format!("DELETE FROM {table} WHERE seq = ?1"), [to_sql(seq)])?;
                    }
                }
                connection.execute("DELETE FROM unshown WHERE seq = ?1", [to_sql(seq)]).map(|_| ())
            })
        })
        .inspect(|_| {
            if !handed_over {
                self.taps.forget(seq);
            }
        })
        .map(Some)
    }
}

/// What staff are not asked about: a repeat gave nothing, and a reversal is never reversed.
fn is_no_question(fact: &Fact) -> bool {
    match &fact.event {
        Event::Earned(earned) => earned.repeats.is_some(),
        Event::Reversed(_) => true,
        _ => false,
    }
}

fn legs_of(event: &Event) -> Vec<Leg> {
    match event {
        Event::Attended(attended) => attended.promised.clone(),
        Event::Earned(earned) => earned.promised.clone(),
        Event::Spent(spent) => spent.legs.clone(),
        Event::ToppedUp(topped) => vec![Leg { unit: Unit::Cny, amount: topped.amount }],
        _ => Vec::new(),
    }
}
