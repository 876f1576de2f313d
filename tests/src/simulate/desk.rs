//! The centre's own desk: an admin undoes a top-up or refunds a sale, while the terminal that recorded it may be doing the
//! same. And a terminal that takes back what others were paid.
//!
//! Whatever comes first, and whatever comes at all, no more is given back of a fact than it was; what is beyond it lies
//! in a case; and a top-up is reversed by nobody but its own terminal.

use axum::http::{Method, Request};
use hufu_central::db::Tx;
use hufu_central::rules::apply::reversal_case;
use hufu_central::rules::desk::Wish;
use hufu_central::rules::posting::{fact_cause, move_cause};
use hufu_central::store::{StoreError, money};
use hufu_edge::run::core::TakingBack;
use hufu_shared::act::Act;
use hufu_shared::cbor;
use hufu_shared::fact::{Event, Reversed};
use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::undo::{UNDO_PATH, UndoAnswer, UndoAsk, UndoBecame};
use rusqlite::OptionalExtension as _;

use super::block_on;
use super::reckon::{Key, Told, Value};
use super::run::Run;

/// Newest facts of all terminals among which an admin chooses.
const CHOICES_MAX: usize = 60;
/// Times in a thousand that somebody complains at the desk about what a terminal is taking back at the same time.
const RACES_PER_MILLE: u64 = 700;
/// Times in a thousand that an admin is quicker than the terminal that was told to go on.
const BETWEEN_PER_MILLE: u64 = 300;

/// Times in a thousand that somebody goes to the desk with what was just taken back.
const COMPLAINTS_PER_MILLE: u64 = 500;

/// What the desk took back of a fact.
#[derive(Debug, Clone, Copy)]
pub struct ByDesk {
    /// Name of the movement.
    pub id: Hash,
    /// Fen.
    pub fen: i64,
}

impl Run<'_> {
    /// An admin undoes a top-up, or refunds a sale in part or whole.
    ///
    /// # Errors
    /// If the centre refuses what it planned.
    pub fn take_back_at_desk(&mut self) -> anyhow::Result<()> {
        let is_value = |told: &Told| fen_of(told) > 0;
        let racing: Vec<FactId> = self.racing();
        let is_race = !racing.is_empty() && self.random.chance(RACES_PER_MILLE);
        let choices: Vec<FactId> = if is_race {
            racing
        } else {
            let values = self.books.values.iter().filter(|(_, told)| is_value(told));
            let mut newest: Vec<(i64, FactId)> = values.map(|(key, told)| (told.at, fact_of(key))).collect();
            newest.sort_unstable_by_key(|row| std::cmp::Reverse(row.0));
            newest.into_iter().take(CHOICES_MAX).map(|row| row.1).collect()
        };
        if choices.is_empty() {
            return Ok(());
        }
        let fact = choices[self.random.index(choices.len())];
        if self.by_desk(fact)? && is_race {
            self.counters.path("desk took back what its terminal did");
        }
        Ok(())
    }

    /// Takes back at the desk what is left of a fact, or part of a sale; whether it was done.
    fn by_desk(&mut self, fact: FactId) -> anyhow::Result<bool> {
        let Some(told) = self.books.values.get(&(fact.device, fact.epoch, fact.seq, 0)).cloned() else {
            return Ok(false);
        };
        let sql = "SELECT member FROM fact WHERE device = ?1 AND epoch = ?2 AND seq = ?3";
        let key = (fact.device.0, fact.epoch, i64::try_from(fact.seq)?);
        let member: Option<Option<[u8; 16]>> =
            self.centre.look().query_row(sql, key, |row| row.get(0)).optional()?;
        let Some(member) = member.flatten().map(MemberId) else { return Ok(false) };
        if fen_of(&told) <= 0 {
            return Ok(false);
        }
        let part = self.random.chance(500).then(|| self.random.between(1, fen_of(&told)));
        let wish = match told.value {
            Value::ToppedUp(_) => Wish::Undo(fact),
            _ => Wish::Refund { sale: fact, amount: part.map(Amount) },
        };
        let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> { money::planned(tx, member, &wish) };
        let Ok(plan) = block_on(self.centre.app.db.read(work))? else { return Ok(false) };
        let by_desk = ByDesk { id: plan.moved.id, fen: plan.moved.leg.amount.0 };
        self.books.centre.by_desk.insert(fact, by_desk);
        self.counters.path("taken back at the desk");
        self.centre.act(Act::ValueMoved(plan.moved))?;
        Ok(true)
    }

    /// Facts at the centre of which a return lies in a queue.
    fn racing(&self) -> Vec<FactId> {
        let taken = |key: &Key| {
            let taken = self.books.centre.taken.get(&(key.0, key.1)).map_or(0, Vec::len);
            key.2 <= taken as u64
        };
        let queued = self.books.values.iter().filter(|(key, _)| !taken(key));
        let of = queued.filter_map(|(key, told)| match told.value {
            Value::Returned { of, .. } => Some((key.0, key.1, of, 0)),
            _ => None,
        });
        let found =
            of.filter(|key| taken(key) && self.books.values.get(key).is_some_and(|told| fen_of(told) > 0));
        found.map(|key| fact_of(&key)).collect()
    }

    /// A terminal asks whether a top-up that the centre has is covered, and if so takes it back; an admin may be quicker.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn undo_on_its_word(&mut self, device: usize, seq: u64, taking: &TakingBack) -> anyhow::Result<()> {
        let own = &self.devices[device];
        if own.cut_off || self.is_centre_down {
            return Ok(());
        }
        let (id, epoch) = (own.id, own.epoch);
        let mut request = Request::new(cbor::encode(&UndoAsk { epoch, seq }));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = UNDO_PATH.parse()?;
        let response = self.centre.handle(request, &own.certificate)?;
        let is_covered = response.status().is_success()
            && cbor::decode::<UndoAnswer>(response.body())?.became == UndoBecame::Covered;
        if !is_covered {
            return Ok(());
        }
        if self.random.chance(BETWEEN_PER_MILLE) && self.by_desk(FactId { device: id, epoch, seq })? {
            self.counters.path("desk took back what its terminal did");
            self.ring();
        }
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let now = running.clock.now();
        let Ok(taken) = running.core.reverse_covered(taking, Some(seq), None, &now)? else { return Ok(()) };
        self.counters.path("top-up undone on the centre's word");
        self.note_return((id, epoch, taken.seq), seq, taken.legs);
        self.shown(device, taken.seq)
    }

    /// Whoever brought something back complains at the desk as well, before the terminal was heard.
    ///
    /// # Errors
    /// If the centre refuses what it planned.
    pub fn complain(&mut self, fact: FactId) -> anyhow::Result<()> {
        if !self.is_centre_down && self.random.chance(COMPLAINTS_PER_MILLE) && self.by_desk(fact)? {
            self.counters.path("desk took back what its terminal did");
            self.ring();
        }
        Ok(())
    }

    /// The scripted terminal takes back a top-up of another, if there is one.
    pub fn reverse_a_strangers_top_up(&mut self, now: i64) -> bool {
        let top_ups = self.books.values.iter().filter(|(_, told)| matches!(told.value, Value::ToppedUp(_)));
        let top_ups: Vec<(FactId, i64)> = top_ups.map(|(key, told)| (fact_of(key), fen_of(told))).collect();
        if top_ups.is_empty() {
            return false;
        }
        let (original, fen) = top_ups[self.random.index(top_ups.len())];
        let legs = vec![Leg { unit: Unit::Cny, amount: Amount(fen) }];
        let reversed = Reversed { original, legs, reason: "mistake".to_owned(), slip: None };
        self.counters.path("top-up of another terminal reversed");
        self.stranger.record(now, now, Event::Reversed(reversed));
        self.books.foreign.insert(self.stranger.bodies.len() as u64, original);
        true
    }

    /// What is given back of a fact never passes it, at the desk and at terminals together; what does lies in a case. A
    /// terminal's reversal of another's top-up has no effect (I20).
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn check_taken_back(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        let net = "SELECT coalesce(sum(CASE WHEN credit LIKE ?3 THEN amount ELSE 0 END), 0) \
                   - coalesce(sum(CASE WHEN debit LIKE ?3 THEN amount ELSE 0 END), 0) \
                   FROM posting WHERE unit = 'CNY' AND cause IN (?1, ?2)";
        let opened = "SELECT count(*) FROM conflict WHERE id = ?1";
        for (fact, by_desk) in &self.books.centre.by_desk {
            let key = (fact.device, fact.epoch, fact.seq, 0);
            let Some(told) = self.books.values.get(&key) else { continue };
            let whole = fen_of(told);
            let (accounts, sign) = match told.value {
                Value::ToppedUp(_) => ("cash/%", -1),
                _ => ("sink/redeemed/%", 1),
            };
            let causes = (fact_cause(*fact).0, move_cause(by_desk.id).0, accounts);
            let left: i64 = self.centre.look().query_row(net, causes, |row| row.get(0))?;
            if !self.books.pinned.contains(fact) && !(0..=whole).contains(&(sign * left)) {
                wrong.push(format!("K31: of {fact:?} over {whole}, {} are left", sign * left));
            }
            let returned = self.returned(&key, Unit::Cny).low;
            let case = reversal_case(*fact).0;
            let cases: i64 = self.centre.look().query_row(opened, [case], |row| row.get(0))?;
            if by_desk.fen + returned > whole && cases == 0 {
                wrong.push(format!(
                    "K31: {} at the desk and {returned} at the terminal of {fact:?} over {whole}, and no case",
                    by_desk.fen
                ));
            }
        }
        // Of a machine that exists twice the centre may have the other one's fact under that number.
        let became = "SELECT r.became FROM fact r JOIN fact o ON o.device = ?3 AND o.epoch = ?4 AND o.seq = ?5 \
                      AND o.event = 'topped_up' WHERE r.device = ?1 AND r.epoch = 1 AND r.seq = ?2";
        for (seq, original) in &self.books.foreign {
            let of = (original.device.0, original.epoch, i64::try_from(original.seq)?);
            let key = (self.stranger.id.0, i64::try_from(*seq)?, of.0, of.1, of.2);
            let became: Option<String> =
                self.centre.look().query_row(became, key, |row| row.get(0)).optional()?;
            if became.as_ref().is_some_and(|became| became.starts_with("applied")) {
                wrong.push(format!("I20: a terminal reversed {original:?} of another: {became:?}"));
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }
}

fn fact_of(key: &Key) -> FactId {
    let (device, epoch, seq): (DeviceId, u32, u64) = (key.0, key.1, key.2);
    FactId { device, epoch, seq }
}

/// Stored value of a top-up or a sale.
fn fen_of(told: &Told) -> i64 {
    match &told.value {
        Value::ToppedUp(fen) => *fen,
        Value::Spent(legs, _) => {
            legs.iter().filter(|leg| leg.unit == Unit::Cny).map(|leg| leg.amount.0).sum()
        }
        _ => 0,
    }
}
