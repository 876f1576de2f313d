//! The harness's own reckoning of what members have, from what terminals showed and admins did; nothing of it is asked
//! of the centre.
//!
//! Each fact of value may have changed its member's figure by something between two bounds: exactly by what was shown
//! where nothing makes it doubtful, else by anything from nothing to that. The figure that the centre ends with must lie
//! between the sums, for every group of members that merges and cards handed on tie together. So nothing shown is
//! lost or doubled, whatever was lost, repeated, reversed, merged and rolled back in between.
//! Out of scope: which verdict of several possible ones is right; the rules have tests of their own for that.

use hufu_edge::run::core::Swiped;
use hufu_shared::fact::{Event, SlipKey};
use hufu_shared::ids::DeviceId;
use hufu_shared::money::Leg;

use super::run::Run;

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
    /// A spend.
    Spent(Vec<Leg>),
    /// Fen paid in.
    ToppedUp(i64),
    /// A check-in.
    Attended,
    /// A return of an earlier fact of the same enrolment.
    Returned {
        /// Its seq.
        of: u64,
        /// How much.
        legs: Vec<Leg>,
    },
}

impl Told {
    /// Whether a guest may bring it back.
    #[must_use]
    pub fn is_returnable(&self) -> bool {
        matches!(self.value, Value::Earned { .. } | Value::Spent(_) | Value::ToppedUp(_))
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
            Event::Spent(spent) => Value::Spent(spent.legs.clone()),
            Event::ToppedUp(topped) => Value::ToppedUp(topped.amount.0),
            Event::Attended(_) => Value::Attended,
            _ => return,
        };
        let own = &self.devices[device];
        let told = Told { at: self.time.now(), card, value };
        self.books.values.insert((own.id, own.epoch, seq), told);
    }

    /// Keeps that something was taken back.
    pub fn note_return(&mut self, (id, epoch, seq): (DeviceId, u32, u64), of: u64, legs: Vec<Leg>) {
        let Some(card) = self.books.values.get(&(id, epoch, of)).map(|told| told.card) else { return };
        let told = Told { at: self.time.now(), card, value: Value::Returned { of, legs } };
        self.books.values.insert((id, epoch, seq), told);
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
