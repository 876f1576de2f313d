//! The scripted terminal as a thief: it spends within its leases, more than they hold, says that it spent what it did
//! not, uses a generation that is not its own, and spends when its time is over.
//!
//! What that costs is bounded (I20): members lose no more by it than the centre ever set aside for it, and only out of
//! what lay aside. Staff's handing out goods on its word is bounded by nobody.

use std::sync::Arc;

use axum::http::{Method, Request};
use hufu_central::db::{SqlFile, Tx};
use hufu_central::rules::posting::{attendance_cause, posting_id};
use hufu_central::store::StoreError;
use hufu_shared::cbor;
use hufu_shared::fact::{Attended, Event, Funding, LeaseUse, Spent, Subject, Way};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::token::MediumKind;
use hufu_shared::wire::apart::Apart;
use hufu_shared::wire::lease::{AUTHORIZE_PATH, LeaseAnswer, LeaseAsk, LeaseState};
use hufu_shared::wire::upload::{Became, Receipt, ReceiptMark};

use super::block_on;
use super::club::{self, OCCURRENCES_PER_DAY};
use super::run::Run;
use super::time::{DAY, FIRST_DAY};

/// A row where the books will want to write one, and its end.
static SPOIL: SqlFile = SqlFile::new(
    "spoil",
    "-- name: spoil\n\
     INSERT INTO posting (id, cause, ordinal, debit, credit, amount, unit, code, at, day, scheme, entry)\n\
     VALUES ($1, $2, 0, 'a', 'b', 1, 'PTS', 'spoilt', 0, 0, 1, $1)\n\n\
     -- name: mend\n\
     DELETE FROM posting WHERE code = 'spoilt'\n",
);

impl Run<'_> {
    /// It keeps the leases that a receipt brings.
    pub fn keep_leases(&mut self, receipt: &Receipt) {
        let mark = &receipt.session.mark;
        let place = |mark: &ReceiptMark| (mark.central_epoch.n, mark.journal_size);
        if mark.journal_size > 0 && self.stranger.mark.as_ref().is_none_or(|held| place(held) <= place(mark))
        {
            self.stranger.mark = Some(mark.clone());
        }
        for state in &receipt.session.leases {
            let Apart::Known(state) = state else { continue };
            self.keep_lease(state);
        }
    }

    fn keep_lease(&mut self, state: &LeaseState) {
        let held = self.stranger.leases.entry((state.lease, state.generation));
        let held = held.or_insert_with(|| (state.clone(), Amount::ZERO));
        if state.version > held.0.version {
            held.0 = state.clone();
        }
    }

    /// It asks for some of what a member has, whose card nobody holds out.
    ///
    /// # Errors
    /// If the centre's answer cannot be read.
    pub fn ask_for_more(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT member, amount FROM balance WHERE class = 'available' AND unit = 'PTS' AND amount > 0 \
                   ORDER BY member";
        let rich: Vec<(MemberId, i64)> = self
            .centre
            .look()
            .prepare_cached(sql)?
            .query_map([], |row| Ok((MemberId(row.get(0)?), row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if rich.is_empty() || self.is_centre_down {
            return Ok(());
        }
        let (member, available) = rich[self.random.index(rich.len())];
        let held =
            self.stranger.leases.values().rfind(|held| held.0.member == member && held.0.unit == Unit::Pts);
        let spent = held.map_or(0, |held| held.1.0);
        let ask = LeaseAsk {
            lease: held.map(|held| held.0.lease),
            generation: held.map_or(0, |held| held.0.generation),
            member,
            unit: Unit::Pts,
            wanted_total: Amount(spent + self.random.between(1, available)),
        };
        let mut request = Request::new(cbor::encode(&ask));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = AUTHORIZE_PATH.parse()?;
        let certificate = Arc::clone(&self.stranger.certificate);
        let response = self.centre.handle(request, &certificate)?;
        if response.status().is_success()
            && let Some(Apart::Known(state)) = cbor::decode::<LeaseAnswer>(response.body())?.state
        {
            self.keep_lease(&state);
        }
        self.ring();
        Ok(())
    }

    /// It spends from a lease, as an honest terminal would or otherwise.
    pub fn steal(&mut self, now: i64) {
        let held: Vec<(LeaseState, Amount)> =
            self.stranger.leases.values().filter(|held| held.0.unit == Unit::Pts).cloned().collect();
        if held.is_empty() {
            return;
        }
        let (state, spent) = held[self.random.index(held.len())].clone();
        let Some(card) = (0..self.size.members).find(|n| club::member(*n) == state.member) else { return };
        let left = (state.granted_total.0 - spent.0).max(0);
        let (mut amount, mut says, mut generation) =
            (self.random.between(1, left.max(1)), 0, state.generation);
        match self.random.below(10) {
            0..=5 => {}
            6..=7 => {
                amount = left + self.random.between(1, 50);
                self.counters.path("lease overspent by a dishonest terminal");
            }
            8 => says = self.random.between(1, 20),
            _ => generation += 1,
        }
        let spent_total = Amount(spent.0 + amount + says);
        if let Some(held) = self.stranger.leases.get_mut(&(state.lease, generation)) {
            held.1 = spent_total;
        }
        let subject = self.subject(card);
        let funding =
            Funding::Lease(LeaseUse { lease: state.lease, generation, spent_total, state: state.version });
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(amount) }];
        self.books.strange.insert(card);
        let spent = Spent { subject, legs, funding: vec![funding], slip: None, item: None, paid_out: None };
        self.stranger.record(now, now, Event::Spent(spent));
    }

    fn subject(&self, card: usize) -> Subject {
        let token = self.club.token_key.token(&club::card_text(card));
        Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None }
    }

    /// It checks somebody in whose posting cannot be written; answers whether the place was spoilt.
    ///
    /// # Errors
    /// If the database fails.
    pub fn poison(&mut self, now: i64) -> anyhow::Result<()> {
        let day = usize::try_from((now - FIRST_DAY) / DAY)?;
        if day >= self.size.days {
            return Ok(());
        }
        let (member, occurrence) =
            (self.random.index(self.size.members), club::occurrence(day * OCCURRENCES_PER_DAY));
        let cause = attendance_cause(club::member(member), occurrence);
        let taken = "SELECT count(*) FROM posting WHERE cause = ?1";
        let taken: i64 = self.centre.look().query_row(taken, [cause.0], |row| row.get(0))?;
        if taken > 0 {
            return Ok(());
        }
        let values = vec![posting_id(cause, 0).0.into(), cause.0.into()];
        let spoil = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            Ok(tx.execute(SPOIL.get("spoil"), &values)?)
        };
        block_on(self.centre.app.db.write(spoil))?;
        let attended = Attended {
            subject: self.subject(member),
            occurrence,
            promised: vec![],
            repeats: None,
            gate: None,
            way: Way::In,
            companions: None,
        };
        self.books.strange.insert(member);
        self.stranger.record(now, now, Event::Attended(attended));
        Ok(())
    }

    /// What was spoilt is mended.
    ///
    /// # Errors
    /// If the database fails.
    pub fn mend_books(&mut self) -> anyhow::Result<()> {
        let mend = |tx: &mut Tx<'_>| -> Result<u64, StoreError> { Ok(tx.execute(SPOIL.get("mend"), &[])?) };
        block_on(self.centre.app.db.write(mend))?;
        Ok(())
    }

    /// Counts what a receipt says of facts that nobody could apply, though they can be read.
    pub fn note_poisoned(&mut self, receipt: &Receipt) {
        let aside = receipt.result.dispositions.iter().filter(|told| {
            let at = usize::try_from(told.seq - 1).unwrap_or(usize::MAX);
            told.became == Became::Quarantined && !self.stranger.unreadable.contains(&at)
        });
        if aside.count() > 0 {
            self.counters.path("poison fact set aside");
        }
    }

    /// I20 and I14: what the thief cost, and that everything it sent lies at the centre byte for byte.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn check_dishonest(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        {
            let (look, id) = (self.centre.look(), self.stranger.id.0);
            let direct =
                "SELECT count(*) FROM posting WHERE device = ?1 AND code = 'spend' AND debit LIKE 'member/%'";
            let direct: i64 = look.query_row(direct, [id], |row| row.get(0))?;
            if direct > 0 {
                wrong.push(format!(
                    "I20: {direct} spends of a terminal were taken from what did not lie aside for it"
                ));
            }
            let cost = "SELECT coalesce(sum(amount), 0), \
                        (SELECT coalesce(sum(granted_total), 0) FROM lease WHERE device = ?1) \
                        FROM posting WHERE device = ?1 AND code = 'spend' AND debit LIKE 'escrow/%'";
            let (cost, aside): (i64, i64) =
                look.query_row(cost, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if cost > aside {
                wrong
                    .push(format!("I20: a terminal cost members {cost}, {aside} were ever set aside for it"));
            }
            let mut body =
                look.prepare("SELECT body FROM fact WHERE device = ?1 AND epoch = 1 AND seq = ?2")?;
            for (seq, sent) in (1_i64..).zip(&self.stranger.bodies).take(self.stranger.acked) {
                let stored = body.query_row((id, seq), |row| row.get::<_, Vec<u8>>(0));
                if stored.is_ok_and(|stored| stored != *sent) {
                    wrong.push(format!("I14: seq {seq} of the scripted terminal is not what it sent"));
                }
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }
}
