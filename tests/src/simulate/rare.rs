//! Rare days: a disk that fills, a queue that goes by stick, a journal that forgot what it had delivered, a day that is
//! settled while facts of it are still out.

use hufu_central::commands::import_queue::import;
use hufu_edge::rules::decide::Outcome;
use hufu_edge::rules::decide::value::{SPEND_STOPS_PERCENT, SWIPE_STOPS_PERCENT};
use hufu_edge::rules::quota::is_tight;
use hufu_edge::run::core::Swiped;
use hufu_edge::sync::stick;
use hufu_shared::act::Act;
use hufu_shared::fact::{Purpose, Spending};
use hufu_shared::ids::Hash;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;
use hufu_shared::time::Instant;

use super::block_on;
use super::books::Enrolment;
use super::faults::Fault;
use super::run::{Run, What};
use super::time::{DAY, HOUR, MINUTE};

/// Rare things of one day.
const RARE_PER_DAY: usize = 5;
/// Days in a thousand that are settled before they are over: few, since little can be reckoned exactly after that.
const SETTLES_PER_MILLE: u64 = 100;
/// Days by which the clock of a terminal that forgets runs ahead: more than facts are kept for.
const FORGETS_DAYS: i64 = 60;

/// A queue on its way to the centre.
#[derive(Debug, Clone)]
pub struct StickInHand {
    bytes: Vec<u8>,
    enrolment: Enrolment,
    from_seq: u64,
    hashes: Vec<Hash>,
}

impl Run<'_> {
    /// Plans the rare things of a day that begins `at`.
    pub fn plan_rare(&mut self, at: i64) {
        for _ in 0..RARE_PER_DAY {
            let when = self.random.between(9 * HOUR, 23 * HOUR);
            self.after(at + when, What::Rare);
        }
        if self.random.chance(SETTLES_PER_MILLE) {
            let when = self.random.between(19 * HOUR, 23 * HOUR);
            self.after(at + when, What::Settle);
        }
    }

    /// Something rare.
    ///
    /// # Errors
    /// If a journal or the centre refuses.
    pub fn rare(&mut self) -> anyhow::Result<()> {
        let device = self.random.index(self.devices.len());
        match self.random.below(100) {
            0..=44 => self.fill_disk(device),
            _ => {
                let behind = self.behind()?;
                let device = if self.random.chance(800) { behind.unwrap_or(device) } else { device };
                self.put_on_stick(device)
            }
        }
    }

    /// A terminal whose staff have reason for a stick: it has a queue, of which the centre knows more than it does if
    /// there is one.
    fn behind(&mut self) -> anyhow::Result<Option<usize>> {
        let (mut queued, mut ahead) = (Vec::new(), Vec::new());
        for (n, own) in self.devices.iter().enumerate().filter(|(_, own)| !own.gone && own.running.is_some())
        {
            let state = own.state()?;
            let taken = self.books.centre.taken.get(&(own.id, own.epoch)).map_or(0, Vec::len) as u64;
            queued.extend((state.queue_len() > 0).then_some(n));
            ahead.extend((state.acked_seq < taken && taken < state.last_seq).then_some(n));
        }
        let among = if ahead.is_empty() { queued } else { ahead };
        Ok((!among.is_empty()).then(|| among[self.random.index(among.len())]))
    }

    /// Whether a terminal keeps its room for facts.
    ///
    /// # Errors
    /// If its journal cannot be read.
    pub fn is_tight(&self, device: usize) -> anyhow::Result<bool> {
        let Some(running) = &self.devices[device].running else { return Ok(false) };
        Ok(is_tight(running.core.store().with(|journal| journal.used_percent())?))
    }

    /// Something else fills a terminal's disk; people go on all the same, until somebody makes room.
    fn fill_disk(&mut self, device: usize) -> anyhow::Result<()> {
        let percent = [82, 92, 98][self.random.index(3)];
        let Some(running) = &self.devices[device].running else { return Ok(()) };
        running.core.store().with(|journal| journal.leave_room(percent))?;
        self.counters.path("disk nearly full");
        let lasts = self.random.between(30 * MINUTE, 6 * HOUR);
        self.after(lasts, What::Mend(Fault::Room(device)));
        let member = self.random.index(self.size.members);
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(1) }];
        self.present(
            device,
            member,
            &Purpose::Spend(Spending { legs, slip: None, item: None, paid_out: None }),
        )?;
        self.present(device, member, &Purpose::Visit)
    }

    /// Somebody made room.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn make_room(&mut self, device: usize) -> anyhow::Result<()> {
        let Some(running) = &self.devices[device].running else { return Ok(()) };
        let counted = running.core.store().with(|journal| {
            journal.leave_room(1)?;
            Ok(journal.state()?.refusals_counted)
        })?;
        if counted > 0 {
            self.counters.path("refusal only counted");
        }
        Ok(())
    }

    /// What a terminal whose disk is nearly full may still do: below the last bytes it takes no card at all, before that
    /// it gives nothing out.
    ///
    /// # Errors
    /// None yet.
    pub fn check_room(
        &mut self,
        device: usize,
        used_percent: u8,
        purpose: &Purpose,
        swiped: &Swiped,
    ) -> anyhow::Result<()> {
        let outcome = swiped.decision.outcome;
        if used_percent >= SWIPE_STOPS_PERCENT {
            match outcome {
                Outcome::Refused(_) => self.counters.path("swipe refused for room"),
                _ => self
                    .violated(format!("terminal {device} is full to {used_percent} % and says {outcome:?}")),
            }
        } else if used_percent >= SPEND_STOPS_PERCENT && matches!(purpose, Purpose::Spend(_)) {
            match outcome {
                Outcome::Redeemed => {
                    self.violated(format!("terminal {device} is full to {used_percent} % and gives out"));
                }
                _ => self.counters.path("spend refused for room"),
            }
        }
        Ok(())
    }

    /// A queue that the line keeps back is put on a stick; it reaches the centre hours later, or the line is faster.
    fn put_on_stick(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        if own.gone || own.running.is_none() || own.state()?.queue_len() == 0 {
            return Ok(());
        }
        let packed = stick::pack(&own.journal(), &own.pair, &self.club.keys.seal_public())?;
        let Some(first) = packed.facts.first() else { return Ok(()) };
        let (enrolment, from_seq) = ((own.id, packed.epoch), first.seq);
        let hashes = packed.facts.iter().map(|fact| fact.hash).collect();
        self.counters.path("queue put on a stick");
        self.sticks.push(StickInHand { bytes: packed.bytes, enrolment, from_seq, hashes });
        let takes = self.random.between(MINUTE, 5 * HOUR);
        self.after(takes, What::Mend(Fault::Stick(self.sticks.len() - 1)));
        Ok(())
    }

    /// A stick is taken in at the centre.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn take_stick_in(&mut self, stick: usize) -> anyhow::Result<()> {
        if self.is_centre_down {
            self.after(HOUR, What::Mend(Fault::Stick(stick)));
            return Ok(());
        }
        let StickInHand { bytes, enrolment, from_seq, hashes } = self.sticks[stick].clone();
        let file = self.folder.path().join("queue.stick");
        std::fs::write(&file, &bytes)?;
        let imported = block_on(import(&self.centre.app, &file));
        self.ring();
        let is_doubtful = self.is_rolled_back || self.books.excused.contains(&enrolment);
        let taken = self.books.centre.taken.entry(enrolment).or_default();
        let before = taken.len() as u64;
        let known = |seq: u64| usize::try_from(seq - 1).ok().and_then(|at| taken.get(at));
        let agrees =
            (from_seq..).zip(&hashes).all(|(seq, hash)| known(seq).is_none_or(|known| known == hash));
        let wrong = match &imported {
            Ok(_) if !agrees => Some("I12: a stick with another history was taken in".to_owned()),
            Ok(_) if from_seq > before + 1 => Some("I5: a stick after a gap was taken in".to_owned()),
            Ok(imported) => {
                let new: Vec<Hash> = (from_seq..)
                    .zip(&hashes)
                    .filter(|(seq, _)| *seq > before)
                    .map(|(_, hash)| *hash)
                    .collect();
                let straddles = !new.is_empty() && new.len() < hashes.len();
                taken.extend(&new);
                self.counters.path("stick taken in");
                if straddles {
                    self.counters.path("stick straddles the cursor");
                }
                (imported.new != new.len() as u64)
                    .then(|| format!("I5: of {} new facts: {imported:?}", new.len()))
            }
            Err(_) if !agrees => {
                self.books.centre.forked.insert(enrolment);
                None
            }
            Err(_) if is_doubtful || self.is_ended(enrolment)? => None,
            Err(error) => Some(format!("the stick of {enrolment:?} was not taken: {error:#}")),
        };
        wrong.into_iter().for_each(|what| self.violated(what));
        Ok(())
    }

    /// Whether the centre takes nothing of an enrolment any more as it came.
    fn is_ended(&self, (device, epoch): Enrolment) -> anyhow::Result<bool> {
        let stands = "SELECT status, epoch FROM device WHERE id = ?1";
        let stands = self
            .centre
            .look()
            .query_row(stands, [device.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
        Ok(stands.0 != "active" || stands.1 != epoch)
    }

    /// A terminal forgets what it delivered long ago, by a clock that runs far ahead.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn prune(&mut self, device: usize) -> anyhow::Result<()> {
        let then = Instant(self.time.now() + FORGETS_DAYS * DAY);
        let Some(running) = &self.devices[device].running else { return Ok(()) };
        running.core.store().with(|journal| journal.prune(then).map(drop))?;
        Ok(())
    }

    /// A day is settled: the one that ends, although facts of it are still on their way.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn settle_day(&mut self) -> anyhow::Result<()> {
        if self.is_centre_down {
            return Ok(());
        }
        let local = self.time.now() + 8 * HOUR;
        let day = Day(i32::try_from(local.div_euclid(DAY))?);
        self.books.is_settled = true;
        self.counters.path("day settled");
        self.centre.act(Act::DaySettled(day))?;
        self.ring();
        Ok(())
    }
}
