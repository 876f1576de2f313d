//! The harness's own reckoning of what members have, from what terminals showed and admins did; nothing of it is asked
//! of the centre but the times of check-ins, which have a check of their own (I16).
//!
//! Each fact of value may have changed its member's figure by something between two bounds: exactly by what was shown
//! where nothing makes it doubtful, else by anything from nothing to that. The figure that the centre ends with must lie
//! between the sums, for every group of members that merges and cards handed on tie together. So nothing shown is
//! lost or doubled, whatever was lost, repeated, reversed, merged and rolled back in between.
//! Out of scope: which verdict of several possible ones is right; the rules have tests of their own for that.

use hufu_edge::run::core::Swiped;
use hufu_shared::fact::{Event, Funding, SlipKey};
use hufu_shared::ids::{DeviceId, LeaseId, OccurrenceId};
use hufu_shared::money::Leg;

use super::run::Run;

/// Fen of one step of every rate.
pub const STEP_FEN: i64 = 10_000;

/// A fact by its terminal, enrolment and seq; and which of several, where a disk forgot or exists twice.
pub type Key = (DeviceId, u32, u64, u32);

/// What a terminal showed of a fact of value.
#[derive(Debug, Clone)]
pub struct Told {
    /// True time.
    pub at: i64,
    /// The card.
    pub card: usize,
    /// What.
    pub value: Value,
}

/// What was shown.
#[derive(Debug, Clone)]
pub enum Value {
    /// A purchase.
    Earned {
        /// Fen.
        purchase: i64,
        /// Version of the scheme by which points were promised.
        scheme: u32,
        /// What was promised.
        promised: i64,
        /// Its slip, and the one that it re-creates.
        slips: (Option<SlipKey>, Option<SlipKey>),
        /// Whether the terminal took it for a repeat.
        is_repeat: bool,
    },
    /// A spend, and the leases that paid.
    Spent(Vec<Leg>, Vec<(LeaseId, u32)>),
    /// Fen paid in.
    ToppedUp(i64),
    /// A check-in.
    Attended(OccurrenceId),
    /// A return of an earlier fact of the same enrolment.
    Returned {
        /// Its seq.
        of: u64,
        /// How much.
        legs: Vec<Leg>,
    },
}

/// A rate of a scheme version: from when on it may have been in force, and points for each step.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// The version.
    pub version: u32,
    /// True time.
    pub from: i64,
    /// Points.
    pub points: i64,
}

/// From what to what a sum may lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// No less.
    pub low: i64,
    /// No more.
    pub high: i64,
}

impl Bounds {
    /// Just so much.
    #[must_use]
    pub fn exactly(amount: i64) -> Self {
        Self { low: amount, high: amount }
    }

    /// What lies around all of these; nothing for none.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = i64>) -> Self {
        let bounds = all.into_iter().map(Self::exactly);
        bounds.reduce(|one, other| one.around(other)).unwrap_or_default()
    }

    /// What lies around both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// It may also be nothing.
    #[must_use]
    pub fn doubted(self, is_doubtful: bool) -> Self {
        if is_doubtful { self.around(Self::default()) } else { self }
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        (self.low, self.high) = (self.low + other.low, self.high + other.high);
    }
}

impl Told {
    /// Whether a guest may bring it back.
    #[must_use]
    pub fn is_returnable(&self) -> bool {
        matches!(self.value, Value::Earned { .. } | Value::Spent(..) | Value::ToppedUp(_))
    }
}

impl Run<'_> {
    /// Keeps what a terminal recorded of value.
    pub fn note_value(&mut self, device: usize, card: usize, swiped: &Swiped) {
        let Some(seq) = swiped.seq else { return };
        let value = match &swiped.decision.event {
            Event::Earned(earned) => Value::Earned {
                purchase: earned.purchase.0,
                scheme: swiped.terms.as_ref().map_or(0, |terms| terms.version),
                promised: earned.promised.iter().map(|leg| leg.amount.0).sum(),
                slips: (earned.slip.clone(), earned.replaces.clone()),
                is_repeat: earned.repeats.is_some(),
            },
            Event::Spent(spent) => {
                let leases = spent.funding.iter().filter_map(|funding| match funding {
                    Funding::Lease(used) => Some((used.lease, used.generation)),
                    Funding::OwnCredit => None,
                });
                Value::Spent(spent.legs.clone(), leases.collect())
            }
            Event::ToppedUp(topped) => Value::ToppedUp(topped.amount.0),
            Event::Attended(attended) => Value::Attended(attended.occurrence),
            _ => return,
        };
        let own = &self.devices[device];
        let told = Told { at: self.time.now(), card, value };
        self.keep((own.id, own.epoch, seq), told);
    }

    fn keep(&mut self, (device, epoch, seq): (DeviceId, u32, u64), told: Told) {
        let same = self.books.values.range((device, epoch, seq, 0)..=(device, epoch, seq, u32::MAX)).count();
        let branch = u32::try_from(same).unwrap_or(u32::MAX);
        self.books.values.insert((device, epoch, seq, branch), told);
    }

    /// Keeps that something was taken back.
    pub fn note_return(&mut self, (id, epoch, seq): (DeviceId, u32, u64), of: u64, legs: Vec<Leg>) {
        let Some(card) = self.books.values.get(&(id, epoch, of, 0)).map(|told| told.card) else { return };
        let told = Told { at: self.time.now(), card, value: Value::Returned { of, legs } };
        self.keep((id, epoch, seq), told);
    }

    /// I3: every account holds the sum of its postings, and what an erased member had lies in the sink.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn check_postings(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT account || ' in ' || unit FROM (SELECT credit AS account, unit, amount FROM posting UNION ALL \
                   SELECT debit, unit, -amount FROM posting UNION ALL SELECT account, unit, -amount FROM balance) \
                   GROUP BY account, unit HAVING sum(amount) <> 0 UNION ALL \
                   SELECT account || ' of an erased member' FROM balance JOIN member ON member.id = balance.member \
                   WHERE erased = 1 AND class IN ('available', 'owed') AND amount <> 0";
        let wrong: Vec<String> = {
            let mut statement = self.centre.look().prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        wrong.into_iter().take(3).for_each(|what| self.violated(format!("I3: {what}")));
        Ok(())
    }

    /// I1 and I2: every unit's accounts sum to zero, and nothing of a member lies on the wrong side of it.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn check_sums(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT unit || ': ' || sum(amount) FROM balance GROUP BY unit HAVING sum(amount) <> 0 UNION ALL \
                   SELECT account FROM balance WHERE (class IN ('available', 'escrow') AND amount < 0) \
                   OR (class = 'owed' AND amount > 0)";
        let wrong: Vec<String> = {
            let mut statement = self.centre.look().prepare_cached(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        wrong.into_iter().take(3).for_each(|what| self.violated(format!("I1, I2: {what}")));
        Ok(())
    }
}
