//! Value facts as the terminal must remember them: what of each may still be taken back, which slips were used, what
//! was handed to whom, and which spends the centre's figures may not know yet.
//!
//! Everything here follows from the facts and is written in the transaction that appends them.
//! Out of scope: what the centre makes of it; facts of other terminals.

use hufu_shared::fact::{Event, Fact, SlipKey};
use hufu_shared::ids::{FactId, ItemId, MemberId, OccurrenceId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;
use rusqlite::{OptionalExtension, params};

use super::error::{Step, StoreError};
use super::journal::{Attended, Journal, RecentTap, from_sql, to_sql};
use crate::rules::decide::value::Undo;

/// A value fact of this terminal, as far as it can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFact {
    /// Its seq.
    pub seq: u64,
    /// What it was.
    pub kind: ValueKind,
    /// Whose.
    pub member: Option<MemberId>,
    /// Its legs.
    pub legs: Vec<Leg>,
    /// What of each leg was not taken back yet, in the same order.
    pub left: Vec<Leg>,
}

/// What a value fact was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A purchase that earned.
    Earned,
    /// A spend.
    Spent,
    /// Stored value paid in.
    ToppedUp,
}

impl ValueKind {
    const CODES: [(Self, &'static str); 3] =
        [(Self::Earned, "earned"), (Self::Spent, "spent"), (Self::ToppedUp, "topped_up")];

    fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("earned", |row| row.1)
    }

    fn from_code(code: &str) -> Self {
        Self::CODES.iter().find(|row| row.1 == code).map_or(Self::Earned, |row| row.0)
    }
}

/// What an event adds to what can be taken back.
fn value_of(event: &Event) -> Option<(ValueKind, Vec<Leg>)> {
    match event {
        Event::Earned(earned) if earned.repeats.is_none() => {
            Some((ValueKind::Earned, earned.promised.clone()))
        }
        Event::Spent(spent) => Some((ValueKind::Spent, spent.legs.clone())),
        Event::ToppedUp(topped) => {
            Some((ValueKind::ToppedUp, vec![Leg { unit: Unit::Cny, amount: topped.amount }]))
        }
        _ => None,
    }
}

fn slip_of(event: &Event) -> Option<&SlipKey> {
    match event {
        Event::Earned(earned) => earned.slip.as_ref(),
        Event::Spent(spent) => spent.slip.as_ref(),
        Event::ToppedUp(topped) => topped.slip.as_ref(),
        Event::Reversed(reversed) => reversed.slip.as_ref(),
        _ => None,
    }
}

/// What moved of such facts: of a member (`?1`) and unit (`?2`), unknown to a figure of a moment (`?3`). The kind is written
/// out, since the index over one kind serves no query whose kind is bound.
pub(super) fn moved_sql(kind: ValueKind) -> String {
    format!(
        "SELECT coalesce(sum(amount - reversed), 0) FROM value_legs WHERE kind = '{}' \
         AND member = ?1 AND unit = ?2 AND (settled_at IS NULL OR settled_at > ?3)",
        kind.code()
    )
}

impl Journal {
    /// Notes what a fact at `seq` adds or takes back. Within a transaction only.
    pub(super) fn note_value(&self, fact: &Fact, seq: u64) -> Result<(), StoreError> {
        let noted = self.note_value_sql(fact, seq);
        noted.step(&self.path, "note value")
    }

    fn note_value_sql(&self, fact: &Fact, seq: u64) -> rusqlite::Result<()> {
        if let Some((kind, legs)) = value_of(&fact.event) {
            let member = fact.event.subject().and_then(|subject| subject.member);
            for leg in legs.iter().filter(|leg| leg.amount.is_positive()) {
                self.connection
                    .prepare_cached(
                        "INSERT INTO value_legs (seq, unit, kind, member, amount) VALUES (?1, ?2, ?3, ?4, ?5) \
                         ON CONFLICT (seq, unit) DO UPDATE SET amount = amount + excluded.amount",
                    )?
                    .execute(params![
                        to_sql(seq),
                        leg.unit.code(),
                        kind.code(),
                        member.map(|member| member.0),
                        leg.amount.0
                    ])?;
            }
        }
        if let Some(slip) = slip_of(&fact.event) {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO slips (shop, number, day, seq, at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![slip.shop, slip.number, slip.date.0, to_sql(seq), fact.wall.0])?;
        }
        match &fact.event {
            Event::Reversed(reversed)
                if (reversed.original.device, reversed.original.epoch) == (self.device, self.epoch) =>
            {
                for leg in &reversed.legs {
                    self.connection
                        .prepare_cached(
                            "UPDATE value_legs SET reversed = min(amount, reversed + ?3) \
                             WHERE seq = ?1 AND unit = ?2",
                        )?
                        .execute(params![to_sql(reversed.original.seq), leg.unit.code(), leg.amount.0])?;
                }
            }
            Event::HandedOut(handed) => {
                let token = handed.subject.token.to_bytes();
                let who: &[u8] = handed.subject.member.as_ref().map_or(&token, |member| &member.0);
                self.connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO handed_out (occurrence, item, who, seq, at) \
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute(params![handed.occurrence.0, handed.item.0, who, to_sql(seq), fact.wall.0])?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An equal spend of the same card in this boot, within `window_s` seconds before `mono_ns`.
    #[must_use]
    pub fn recent_spend(
        &self,
        token: &Token,
        legs: &[Leg],
        mono_ns: u64,
        window_s: u32,
    ) -> Option<RecentTap> {
        let earliest_ns = mono_ns.saturating_sub(u64::from(window_s) * 1_000_000_000);
        self.taps.spend(token, legs).filter(|tap| tap.mono_ns >= earliest_ns).copied()
    }

    /// How much of the room for the journal is used, in percent.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn used_percent(&self) -> Result<u8, StoreError> {
        self.room.used_percent(&self.connection).step(&self.path, "measure")
    }

    /// Leaves so much room that `percent` of it, at least 1, are used by now: trials show by it what a terminal gives up.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn leave_room(&mut self, percent: i64) -> Result<(), StoreError> {
        self.room.leave(&self.connection, percent).step(&self.path, "measure")
    }

    /// The full name of a fact of this enrolment.
    #[must_use]
    pub fn fact_id(&self, seq: u64) -> FactId {
        FactId { device: self.device, epoch: self.epoch, seq }
    }

    /// Who may undo a top-up, as far as this terminal knows.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn undo_of(&self, seq: u64) -> Result<Undo, StoreError> {
        let closed: i64 = self
            .connection
            .query_row("SELECT closed_seq FROM state", [], |row| row.get(0))
            .step(&self.path, "read last close of day")?;
        let in_shift = seq > from_sql(closed) && seq <= self.head.0;
        Ok(match (in_shift, seq > self.acked_seq) {
            (true, true) => Undo::Here,
            (true, false) => Undo::AskFirst,
            (false, _) => Undo::Centre,
        })
    }

    /// A value fact of this enrolment; none if there is no such fact or it is no longer remembered.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn value_fact(&self, seq: u64) -> Result<Option<ValueFact>, StoreError> {
        let sql = "SELECT kind, member, unit, amount, reversed FROM value_legs WHERE seq = ?1 ORDER BY unit";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        let mut rows = statement.query([to_sql(seq)]).step(&self.path, "read value")?;
        let mut found: Option<ValueFact> = None;
        while let Some(row) = rows.next().step(&self.path, "read value")? {
            let read = (|| {
                let unit: String = row.get(2)?;
                let (amount, reversed): (i64, i64) = (row.get(3)?, row.get(4)?);
                let kind: String = row.get(0)?;
                let member = row.get::<_, Option<[u8; 16]>>(1)?.map(MemberId);
                Ok((kind, member, Unit::from_code(&unit), amount, reversed))
            })();
            let (kind, member, unit, amount, reversed) = read.step(&self.path, "read value")?;
            let unit = unit.ok_or_else(|| self.damaged(format!("value of fact {seq} has no known unit")))?;
            let fact = found.get_or_insert_with(|| ValueFact {
                seq,
                kind: ValueKind::from_code(&kind),
                member,
                legs: Vec::new(),
                left: Vec::new(),
            });
            fact.legs.push(Leg { unit, amount: Amount(amount) });
            fact.left.push(Leg { unit, amount: Amount(amount - reversed) });
        }
        Ok(found)
    }

    /// The fact in which a slip was used here.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn slip(&self, slip: &SlipKey) -> Result<Option<Attended>, StoreError> {
        let sql = "SELECT seq, at FROM slips WHERE shop = ?1 AND number = ?2 AND day = ?3";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        statement
            .query_row(params![slip.shop, slip.number, slip.date.0], |row| {
                Ok(Attended { seq: from_sql(row.get(0)?), at: Instant(row.get(1)?) })
            })
            .optional()
            .step(&self.path, "look up slip")
    }

    /// When an item was first handed to a member (or unknown card) at an occurrence, by this terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn handed_out(
        &self,
        occurrence: OccurrenceId,
        item: ItemId,
        who: &[u8],
    ) -> Result<Option<Attended>, StoreError> {
        let sql = "SELECT seq, at FROM handed_out WHERE occurrence = ?1 AND item = ?2 AND who = ?3";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        statement
            .query_row(params![occurrence.0, item.0, who], |row| {
                Ok(Attended { seq: from_sql(row.get(0)?), at: Instant(row.get(1)?) })
            })
            .optional()
            .step(&self.path, "look up what was handed out")
    }

    /// To how many members an item was handed at an occurrence, by this terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn handed_total(&self, occurrence: OccurrenceId, item: ItemId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM handed_out WHERE occurrence = ?1 AND item = ?2";
        let mut statement = self.connection.prepare_cached(sql).step(&self.path, "prepare")?;
        statement
            .query_row(params![occurrence.0, item.0], |row| row.get(0).map(from_sql))
            .step(&self.path, "count what was handed out")
    }

    /// What of a member's spends here a figure that the centre reckoned at `as_of` cannot know.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn spent_since(&self, member: MemberId, unit: Unit, as_of: Instant) -> Result<Amount, StoreError> {
        self.moved_since(ValueKind::Spent, (member, unit), as_of)
    }

    /// What of such facts of a member here a figure that the centre reckoned at `as_of` cannot know.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn moved_since(
        &self,
        kind: ValueKind,
        (member, unit): (MemberId, Unit),
        as_of: Instant,
    ) -> Result<Amount, StoreError> {
        let mut statement = self.connection.prepare_cached(&moved_sql(kind)).step(&self.path, "prepare")?;
        statement
            .query_row(params![member.0, unit.code(), as_of.0], |row| row.get(0).map(Amount))
            .step(&self.path, "sum what moved")
    }

    /// The centre had every fact up to the acknowledged one when it answered at `at`, by its own clock.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn note_settled(&mut self, at: Instant) -> Result<(), StoreError> {
        self.guarded("note what the centre has", |journal| {
            let sql = "UPDATE value_legs SET settled_at = ?1 WHERE settled_at IS NULL AND seq <= ?2";
            let noted = journal
                .connection
                .prepare_cached(sql)
                .and_then(|mut update| update.execute(params![at.0, to_sql(journal.acked_seq)]));
            noted.step(&journal.path, "note what the centre has").map(drop)
        })
    }

    /// Forgets what rests on facts that were pruned.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn forget_values(&mut self) -> Result<(), StoreError> {
        let anchor = to_sql(self.anchor()?.0);
        self.guarded("forget old values", |journal| {
            for table in ["value_legs", "slips", "handed_out", "paper"] {
                let gone =
                    journal.connection.execute(&format!("DELETE FROM {table} WHERE seq <= ?1"), [anchor]);
                gone.step(&journal.path, "forget old values")?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
impl Journal {
    /// As after a receipt for everything up to `seq`.
    pub(crate) fn acked_as_if_receipted(&mut self, seq: u64) {
        self.acked_seq = seq;
    }
}
