//! A batch: places each fact in time, gives it its effect, moves the cursor.

use hufu_shared::chain;
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::rules::repeat::Tap;
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::Became;

use super::{Spot, Standing, Work};
use crate::rules::entry::TakenBatch;
use crate::rules::outcome::FactRow;
use crate::rules::time;
use crate::rules::world::{KnownBoot, KnownEpoch};

/// Number of the conflict kind of facts that cannot be read.
const KIND_UNREADABLE: u8 = 25;

impl Work {
    /// Applies the facts of a batch in order of seq.
    pub(super) fn batch(&mut self, batch: &TakenBatch) {
        let key = (batch.device, batch.epoch);
        // Both were there when the batch was taken; an entry without them can only come from a damaged journal, and
        // the chain of the journal names that.
        let (Some(device), Some(mut known)) =
            (self.world.devices.get(&batch.device).cloned(), self.world.epochs.get(&key).cloned())
        else {
            return;
        };
        if let Some(sample) = batch.sample
            && let Some(boot) = self.world.boots.get_mut(&sample.boot_seq)
        {
            time::narrow(boot, sample);
            self.outcome.boots.insert((batch.device, batch.epoch, sample.boot_seq), boot.clone());
        }
        let mut hash = known.head;
        for ((body, fact), seq) in batch.bodies.iter().zip(batch.facts()).zip(batch.from_seq..) {
            hash = chain::link(hash, body);
            let id = FactId { device: batch.device, epoch: batch.epoch, seq };
            let set_aside = batch.quarantined.iter().any(|quarantined| quarantined.seq == seq);
            match fact {
                Ok(fact) if !set_aside => {
                    self.take_fact(id, &fact, hash, body, &mut known, device.office, batch)
                }
                _ => self.set_aside(id, hash, body, &known, device.office),
            }
            known.acked_seq = seq;
        }
        if let Some(review) = batch.review {
            self.review_batch(batch, review);
        }
        known.head = hash;
        self.world.epochs.insert(key, known.clone());
        self.outcome.epochs.insert(key, known);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one fact with all that places it; a struct would be built once"
    )]
    fn take_fact(
        &mut self,
        id: FactId,
        fact: &Fact,
        hash: Hash,
        body: &[u8],
        known: &mut KnownEpoch,
        office: hufu_shared::ids::OfficeId,
        batch: &TakenBatch,
    ) {
        if let Event::Booted(booted) = &fact.event {
            let mut boot = KnownBoot { boot: booted.boot, offset_low: None, offset_high: None };
            if let Some(sample) = batch.sample.filter(|sample| sample.boot_seq == id.seq) {
                time::narrow(&mut boot, sample);
            }
            self.world.boots.insert(id.seq, boot.clone());
            self.outcome.boots.insert((id.device, id.epoch, id.seq), boot);
        }
        let boot = self.world.boots.get(&fact.boot);
        let placed = time::place(fact, boot, known.enrolled_at, self.received, known.last_at);
        known.last_at = placed.at;
        let spot = Spot { id, at: placed.at, day: self.day(office, placed.at), office };
        let subject = fact.event.subject();
        let occurrence = match &fact.event {
            Event::Attended(attended) => Some(attended.occurrence),
            Event::HandedOut(handed) => Some(handed.occurrence),
            _ => None,
        };
        self.outcome.facts.push(FactRow {
            id,
            hash,
            body: body.to_vec(),
            event: fact.event.name(),
            wall: fact.wall,
            at: spot.at,
            day: spot.day,
            office,
            token: subject.map(|subject| subject.token),
            member: None,
            occurrence,
            became: Became::Applied,
            kind: None,
            told: None,
        });
        if let Some(review) = batch.review {
            return self.review_fact(id, review);
        }
        self.effect(spot, fact);
        if placed.clock_fault {
            self.clock_fault(id, fact);
        }
        let merged = self.outcome.facts.last().is_some_and(|row| row.became == Became::Merged);
        if let Some(tap) = Tap::opening(fact).filter(|_| !merged) {
            self.world.taps.insert(id.seq, tap);
        }
        self.world.range.insert(id.seq, Some(fact.clone()));
    }

    /// Keeps a fact that cannot be read; it has no effect until an upgrade reads it.
    fn set_aside(
        &mut self,
        id: FactId,
        hash: Hash,
        body: &[u8],
        known: &KnownEpoch,
        office: hufu_shared::ids::OfficeId,
    ) {
        let standing = Standing { became: Became::Quarantined, kind: Some(KIND_UNREADABLE), case: None };
        self.outcome.facts.push(FactRow {
            id,
            hash,
            body: body.to_vec(),
            event: "unreadable",
            wall: Instant::default(),
            at: known.last_at,
            day: self.day(office, known.last_at),
            office,
            token: None,
            member: None,
            occurrence: None,
            became: standing.became,
            kind: standing.kind,
            told: standing.told(id.seq),
        });
        self.world.range.insert(id.seq, None);
    }

    /// The effect of one fact.
    pub(super) fn effect(&mut self, spot: Spot, fact: &Fact) {
        match &fact.event {
            Event::Attended(attended) => self.attended(spot, fact, attended),
            Event::Earned(earned) => self.earned(spot, fact, earned),
            Event::Visited(visited) => self.visited(spot, fact, visited),
            Event::DayClosed(closed) => self.day_closed(spot, closed),
            // Value whose right is unknown here waits; it freezes nothing and costs nobody anything.
            Event::Spent(_) | Event::Reversed(_) | Event::ToppedUp(_) | Event::HandedOut(_) => {
                let held = Standing { became: Became::Held, kind: None, case: None };
                self.stand(spot.id, held, None, super::Told::default());
            }
            Event::Refused(refused) => {
                let member = refused.subject.as_ref().and_then(|subject| self.owner(subject));
                self.stand(spot.id, Standing::PLAIN, member, super::Told::default());
            }
            _ => {}
        }
    }
}
