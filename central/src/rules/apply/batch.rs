//! A batch: places each fact in time, takes it into its matters, moves the cursor.

use hufu_shared::chain;
use hufu_shared::fact::Fact;
use hufu_shared::ids::{FactId, Hash, OfficeId};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::wire::upload::Became;

use super::clock::timed;
use super::fault::plain;
use super::{FreshFact, Work};
use crate::rules::entry::TakenBatch;
use crate::rules::judge::interval::Solved;
use crate::rules::need::Need;
use crate::rules::world::{KnownEpoch, KnownFact, Standing};

/// Number of the conflict kind of facts that cannot be read.
pub const KIND_UNREADABLE: u8 = 25;

impl Work {
    /// Applies the facts of a batch in order of seq.
    pub(super) fn batch(&mut self, batch: &TakenBatch) {
        let key = (batch.device, batch.epoch);
        self.has(Need::Device(batch.device));
        self.has(Need::Epoch(batch.device, batch.epoch));
        // Both were there when the batch was taken; an entry without them can only come from a damaged journal, and
        // the chain of the journal names that.
        let (Some(device), Some(mut known)) =
            (self.world.devices.get(&batch.device).cloned(), self.world.epochs.get(&key).cloned())
        else {
            return;
        };
        let facts = batch.facts();
        let clocks = self.clocks(batch, &facts, &mut known);
        self.terminal_knew(&batch.knew);
        let mut arrived = Arrived { hash: known.head, office: device.office, clocks };
        for ((body, fact), seq) in batch.bodies.iter().zip(&*facts).zip(batch.from_seq..) {
            arrived.hash = chain::link(arrived.hash, body);
            let id = FactId { device: batch.device, epoch: batch.epoch, seq };
            let set_aside = batch.quarantined.iter().any(|quarantined| quarantined.seq == seq);
            match fact {
                Ok(fact) if !set_aside => self.take_fact(id, fact.clone(), &arrived, body, &mut known, batch),
                _ => self.set_aside(id, &arrived, body, &known),
            }
            known.acked_seq = seq;
        }
        if let Some(review) = batch.review {
            self.review_batch(batch, review);
        }
        known.head = arrived.hash;
        self.world.epochs.insert(key, known.clone());
        self.outcome.epochs.insert(key, known);
    }

    fn take_fact(
        &mut self,
        id: FactId,
        fact: Fact,
        arrived: &Arrived,
        body: &[u8],
        known: &mut KnownEpoch,
        batch: &TakenBatch,
    ) {
        let timed = timed(&fact, self.received);
        let placed = arrived.clocks.place(&timed, Some(known.last_at));
        known.last_at = placed.t;
        let boot_seq = fact.boot;
        let mut taken = self.known_fact(Some(fact), placed.t, arrived.office);
        (taken.low, taken.high) = (placed.lo, placed.hi);
        taken.clock_fault = placed.fault.is_some();
        taken.standing = plain(id, &taken);
        if let Some(review) = batch.review {
            taken.standing = Standing::of(Became::Quarantined, review.kind(), None);
        }
        self.keep(id, arrived.hash, body, taken);
        if batch.review.is_some() {
            return;
        }
        if placed.fault.is_some() {
            self.clock_fault(id, boot_seq);
        }
        self.list_late(id);
        self.judge_limit(id);
        self.take_effect(id);
        self.judge_all();
        self.open_window(id);
    }

    /// A fact that is no repeat opens a window: later ones of the same card and purpose repeat it.
    pub(super) fn open_window(&mut self, id: FactId) {
        let Some(known) = self.world.facts.get(&id) else { return };
        let tap = known.fact.as_ref().and_then(Tap::opening);
        if let Some(tap) = tap.filter(|_| known.standing.became != Became::Merged) {
            self.world.taps.entry(tap.key.subject.0).or_default().insert(id, tap);
        }
    }

    /// Keeps a fact that cannot be read; it has no effect until an upgrade reads it.
    fn set_aside(&mut self, id: FactId, arrived: &Arrived, body: &[u8], known: &KnownEpoch) {
        let mut taken = self.known_fact(None, known.last_at, arrived.office);
        taken.standing = Standing::of(Became::Quarantined, KIND_UNREADABLE, None);
        self.keep(id, arrived.hash, body, taken);
    }

    fn known_fact(&self, fact: Option<Fact>, at: hufu_shared::time::Instant, office: OfficeId) -> KnownFact {
        KnownFact {
            fact,
            at,
            low: at,
            high: self.received,
            day: self.day(office, at),
            office,
            received: self.received,
            member: None,
            standing: Standing::PLAIN,
            pin: None,
            belongs_to: None,
            clock_fault: false,
            over_limit: false,
            at_desk: None,
        }
    }

    /// Keeps a fact as one that the entry brought. Nothing can have been posted for it before.
    fn keep(&mut self, id: FactId, hash: Hash, body: &[u8], taken: KnownFact) {
        self.fresh.insert(id, FreshFact { hash, body: body.to_vec() });
        self.world.facts.insert(id, taken);
        self.world.fetched.insert(Need::Fact(id));
        self.world.fetched.insert(Need::Flows(crate::rules::posting::fact_cause(id)));
    }
}

/// How far the batch has been read.
struct Arrived {
    hash: Hash,
    office: OfficeId,
    clocks: Solved,
}
