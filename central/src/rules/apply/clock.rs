//! When facts happened: what deliveries say of the clocks of a terminal's boots, and the facts that lie elsewhere once
//! more is known.
//!
//! The boots of an enrolment bound each other ([`crate::rules::judge::interval`]); all of it follows from the terminal's
//! own entries, in their order, so no other terminal's arrival changes a time. A fact that moves is judged again like
//! one that comes late: forward only, its interval ever narrower, and never once its day is settled.

use std::collections::BTreeMap;

use hufu_shared::fact::{Event, Fact, ReadError};
use hufu_shared::ids::{BootId, DeviceId, FactId, MemberId};
use hufu_shared::time::{Instant, MINUTE_US};
use hufu_shared::wire::upload::Became;

use super::Work;
use super::held::{KIND_UNKNOWN_CARD, is_discarded};
use super::matter::Matter;
use crate::rules::entry::{TakenBatch, TakenSample};
use crate::rules::judge::interval::{Line, NARROWS_MIN_US, Solved, Timed};
use crate::rules::judge::settle::Reach;
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::world::{KnownBoot, KnownEpoch, KnownFact, Standing};

/// How far the time of a fact may lie before the moment that it was recorded at as reckoned later: improvements of a
/// second or less were left out.
const MOVED_MARGIN_US: i64 = MINUTE_US;

/// What of a fact bears on its time.
pub(super) fn timed(fact: &Fact, received: Instant) -> Timed {
    Timed { seq: fact.seq, boot: fact.boot, mono_ns: fact.mono_ns, wall: fact.wall, received }
}

impl Work {
    /// Takes in what a batch says of the terminal's clocks, and moves earlier facts that it says more of.
    pub(super) fn clocks(
        &mut self,
        batch: &TakenBatch,
        facts: &[Result<Fact, ReadError>],
        known: &mut KnownEpoch,
    ) -> Solved {
        let (device, epoch) = (batch.device, batch.epoch);
        let mut line = self.line(device, epoch, known.enrolled_at);
        let before = line.solve();
        for (fact, seq) in facts.iter().zip(batch.from_seq..) {
            let Ok(fact) = fact else { continue };
            if batch.quarantined.iter().any(|quarantined| quarantined.seq == seq) {
                continue;
            }
            if let Event::Booted(booted) = &fact.event {
                let boot = KnownBoot { boot: booted.boot, clock: Default::default() };
                self.world.boots.insert((device, epoch, seq), boot);
                line.boot(seq, None);
            }
            if line.boots().contains_key(&fact.boot) {
                line.fact(fact.boot, fact.mono_ns);
            }
        }
        // Of a boot whose first fact is still to come nothing is kept: its next delivery says it again.
        if let Some(sample) = batch.sample.filter(|sample| line.boots().contains_key(&sample.boot_seq)) {
            line.sample(sample.boot_seq, sample.at(self.received));
        }
        self.learn(device, epoch, &line, &before, known)
    }

    /// A delivery that brought nothing new bounds its boot better.
    pub(super) fn sample(&mut self, taken: &TakenSample) {
        let key = (taken.device, taken.epoch);
        self.has(Need::Epoch(key.0, key.1));
        let Some(mut known) = self.world.epochs.get(&key).cloned() else { return };
        let mut line = self.line(key.0, key.1, known.enrolled_at);
        if !line.boots().contains_key(&taken.sample.boot_seq) {
            return;
        }
        let before = line.solve();
        line.sample(taken.sample.boot_seq, taken.sample.at(self.received));
        self.learn(key.0, key.1, &line, &before, &mut known);
        self.world.epochs.insert(key, known.clone());
        self.outcome.epochs.insert(key, known);
    }

    fn line(&self, device: DeviceId, epoch: u32, enrolled: Instant) -> Line {
        self.has(Need::Boots(device, epoch));
        let boots = self.world.boots.range((device, epoch, 0)..=(device, epoch, u64::MAX));
        let clocks: BTreeMap<_, _> = boots.map(|(key, boot)| (key.2, boot.clock.clone())).collect();
        Line::resume(enrolled, clocks)
    }

    /// Keeps what is known of the boots, and moves the facts that lie elsewhere for it.
    fn learn(
        &mut self,
        device: DeviceId,
        epoch: u32,
        line: &Line,
        before: &Solved,
        known: &mut KnownEpoch,
    ) -> Solved {
        for (seq, clock) in line.boots() {
            let key = (device, epoch, *seq);
            let fresh = || KnownBoot { boot: BootId([0; 16]), clock: Default::default() };
            let boot = self.world.boots.entry(key).or_insert_with(fresh);
            if boot.clock != *clock || *seq > known.acked_seq {
                boot.clock = clock.clone();
                self.outcome.boots.insert(key, boot.clone());
            }
        }
        let after = line.solve();
        if let Some((boot, mono_us)) = after.moved_since(before).filter(|since| since.0 <= known.acked_seq) {
            let since = if mono_us == 0 {
                Instant(i64::MIN)
            } else {
                before.earliest(boot, mono_us).offset(-MOVED_MARGIN_US)
            };
            self.place_again((device, epoch), boot, since, &after, known);
        }
        after
    }

    /// Places the facts from a boot and a time on again; those that moved are judged again.
    fn place_again(
        &mut self,
        (device, epoch): (DeviceId, u32),
        boot: u64,
        since: Instant,
        clocks: &Solved,
        known: &mut KnownEpoch,
    ) {
        let to = known.acked_seq;
        self.has(Need::Since(device, epoch, boot, to, since));
        let at = |seq| FactId { device, epoch, seq };
        let concerned = self.world.facts.range(at(boot)..=at(to)).filter(|(_, fact)| fact.at >= since);
        let concerned: Vec<FactId> = concerned.map(|(id, _)| *id).collect();
        let mut last = Instant(i64::MIN);
        let mut moved = Vec::new();
        for id in concerned {
            let Some(was) = self.fact(id).cloned() else { continue };
            let now =
                if self.reach(id, &was) == Reach::Open { placed_again(clocks, &was, last) } else { None };
            last = last.max(now.map_or(was.at, |now| now.at));
            let Some(now) = now else { continue };
            let day = self.day(was.office, now.at);
            self.change(id, |known| {
                (known.at, known.low, known.high, known.day) = (now.at, now.low, now.high, day);
            });
            moved.push((id, was));
        }
        known.last_at = known.last_at.max(last);
        for (id, was) in moved {
            self.moved(id, &was);
        }
    }

    /// A fact lies elsewhere in time: everything that it has a part in there, and had where it was, is judged again.
    fn moved(&mut self, id: FactId, was: &KnownFact) {
        self.list_late(id);
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = known.fact.as_ref().filter(|_| was.standing.became != Became::Quarantined) else {
            return;
        };
        self.travelled(id, &known, fact);
        self.owner_changed(id);
        let waits_for_card = Standing::of(Became::Held, KIND_UNKNOWN_CARD, None);
        if self.fact(id).is_some_and(|known| known.standing.is_same(&waits_for_card) || is_discarded(known)) {
            return;
        }
        if was.day != known.day {
            self.left_day(id, was, fact);
        }
        if let (Event::CardReportedLost(_), Some(subject)) = (&fact.event, fact.event.subject()) {
            let spends = self.linked(links::spent_with(subject.token));
            self.dirty.extend(spends.into_iter().map(Matter::Spend));
        }
        self.rejudge(id);
    }

    /// A fact is of another business day than it was.
    fn left_day(&mut self, id: FactId, was: &KnownFact, fact: &Fact) {
        let uses = |work: &mut Self, member: MemberId| {
            let today = work.fact(id).map_or(was.day, |known| known.day);
            for day in [was.day, today] {
                work.touch_uses(id, member, day);
            }
        };
        match (&fact.event, was.member) {
            (Event::Earned(_), Some(member)) => self.leave(id, was, fact, member),
            (Event::ToppedUp(_), _) => {
                self.dirty.insert(Matter::TopUps(id.device, was.day));
            }
            (Event::Spent(_) | Event::HandedOut(_), Some(member)) => uses(self, member),
            _ => {}
        }
    }
}

/// Where a fact lies now.
#[derive(Clone, Copy)]
struct Moved {
    at: Instant,
    low: Instant,
    high: Instant,
}

/// Where a fact lies by what is known now, after one at `last`; none if that is where it lay. Bounds that gain a second
/// or less stay as they are.
fn placed_again(clocks: &Solved, was: &KnownFact, last: Instant) -> Option<Moved> {
    let (mut low, mut high) = (was.low, was.high);
    if let Some(fact) = &was.fact {
        let placed = clocks.place(&timed(fact, was.received), None);
        if placed.lo.since(low) > NARROWS_MIN_US {
            low = placed.lo;
        }
        if high.since(placed.hi) > NARROWS_MIN_US {
            high = placed.hi.max(low);
        }
    }
    let at = was.at.max(low).max(last);
    ((at, low, high) != (was.at, was.low, was.high)).then_some(Moved { at, low, high })
}
