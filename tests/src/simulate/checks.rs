//! The invariants, held against the harness's own record.

use std::collections::BTreeMap;

use hufu_edge::store::{read_facts, read_state};
use hufu_shared::act::PinOutcome;
use hufu_shared::ids::{DeviceId, Hash};
use rusqlite::OptionalExtension as _;

use super::run::Run;

impl Run<'_> {
    /// A terminal that starts still has everything that it had shown (I6).
    ///
    /// # Errors
    /// If its journal cannot be read.
    pub fn check_shown(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        let enrolment = (own.id, own.epoch);
        let Some(running) = &own.running else { return Ok(()) };
        if self.books.excused.contains(&enrolment) {
            return Ok(());
        }
        let newest = self.books.shown.get(&enrolment).and_then(|shown| shown.last_key_value());
        if let Some((seq, hash)) = newest {
            let store = running.core.store();
            let held = store.with(|journal| journal.hash_at(*seq))?;
            let state = store.with(|journal| journal.state())?;
            // What the centre acknowledged long ago is kept no more.
            let is_pruned = held.is_none() && *seq < state.oldest_held && *seq <= state.acked_seq;
            if held != Some(*hash) && !is_pruned {
                let (seq, own) = (*seq, enrolment);
                self.violated(format!("I6: seq {seq} of {own:?} was shown and is gone after a start"));
            }
        }
        Ok(())
    }

    /// What must hold at the end, when nothing breaks any more and every queue had time to drain.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn check_end(&mut self) -> anyhow::Result<()> {
        self.centre.publish()?;
        self.check_queues()?;
        self.check_lists()?;
        self.check_journals()?;
        self.check_times()?;
        self.check_repeats()?;
        self.check_pins()?;
        self.check_owners()?;
        self.check_leases()?;
        self.check_sums()?;
        self.check_postings()?;
        self.check_figures()?;
        self.check_taken_back()?;
        self.check_dishonest()?;
        let found = self.centre.verify()?;
        for finding in found.findings.into_iter().take(5) {
            self.violated(format!("I8: {finding}"));
        }
        self.check_order_of_arrival()?;
        self.count_kinds()
    }

    /// I15: no queue is left at a terminal that may send.
    fn check_queues(&mut self) -> anyhow::Result<()> {
        for n in 0..self.devices.len() {
            if self.devices[n].gone || self.is_stopped(n) {
                continue;
            }
            let state = read_state(&self.devices[n].journal())?;
            if state.queue_len() > 0 {
                let (len, stopped, id) = (state.queue_len(), state.stopped, self.devices[n].id);
                self.violated(format!(
                    "I15: {len} facts of terminal {n} ({id}) did not drain, stopped: {stopped:?}"
                ));
            }
        }
        Ok(())
    }

    /// I6 and I7: every fact that a terminal holds as acknowledged, and every fact that was shown, is at the centre
    /// with the same hash.
    fn check_journals(&mut self) -> anyhow::Result<()> {
        let stored = self.stored()?;
        let mut wrong = Vec::new();
        for own in self.devices.iter().filter(|own| !own.gone) {
            let enrolment = (own.id, own.epoch);
            if self.books.excused.contains(&enrolment) {
                continue;
            }
            let acked = read_state(&own.journal())?.acked_seq;
            for fact in read_facts(&own.journal(), 1, usize::MAX)?.iter().filter(|fact| fact.seq <= acked) {
                let held = stored.get(&enrolment).and_then(|facts| facts.get(&fact.seq));
                if held != Some(&fact.hash) {
                    wrong.push(format!(
                        "I7: seq {} of {enrolment:?} is acknowledged, the centre has {held:?}",
                        fact.seq
                    ));
                }
            }
        }
        for (enrolment, shown) in &self.books.shown {
            if self.books.excused.contains(enrolment) {
                continue;
            }
            for (seq, hash) in shown {
                let held = stored.get(enrolment).and_then(|facts| facts.get(seq));
                if held != Some(hash) {
                    wrong.push(format!("I6: seq {seq} of {enrolment:?} was shown, the centre has {held:?}"));
                }
            }
        }
        for (enrolment, taken) in &self.books.centre.taken {
            for (hash, seq) in taken.iter().zip(1_u64..) {
                let held = stored.get(enrolment).and_then(|facts| facts.get(&seq));
                if held != Some(hash) {
                    wrong.push(format!(
                        "I6: seq {seq} of {enrolment:?} was acknowledged, the centre has {held:?}"
                    ));
                }
            }
        }
        if self.is_rolled_back {
            self.counters.path("refilled after a rollback");
        }
        wrong.into_iter().take(5).for_each(|what| self.violated(what));
        Ok(())
    }

    fn stored(&self) -> anyhow::Result<BTreeMap<(DeviceId, u32), BTreeMap<u64, Hash>>> {
        let mut stored: BTreeMap<_, BTreeMap<u64, Hash>> = BTreeMap::new();
        let look = self.centre.look();
        let mut facts = look.prepare("SELECT device, epoch, seq, hash FROM fact")?;
        let mut rows = facts.query([])?;
        while let Some(row) = rows.next()? {
            let enrolment = (DeviceId(row.get(0)?), row.get(1)?);
            let seq = row.get::<_, i64>(2)?.unsigned_abs();
            stored.entry(enrolment).or_default().insert(seq, Hash(row.get(3)?));
        }
        Ok(stored)
    }

    /// I16: what the centre knows of a boot's clock contains the truth.
    fn check_times(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        {
            let look = self.centre.look();
            let mut boots = look.prepare("SELECT device, epoch, boot, offset_low, offset_high FROM boot")?;
            let mut rows = boots.query([])?;
            while let Some(row) = rows.next()? {
                let key = (DeviceId(row.get(0)?), row.get(1)?, row.get(2)?);
                let (low, high): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
                let Some(truth) = self.books.boots.get(&key) else { continue };
                if low.is_some_and(|low| low > *truth) || high.is_some_and(|high| high < *truth) {
                    wrong.push(format!(
                        "I16: the boot {key:?} began at {truth}, known is {low:?} to {high:?}"
                    ));
                }
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }

    /// A visit or purchase is merged into another exactly if it repeats it by the terminal's own clock (kind 2), unless its
    /// member was erased before it came, or a person is still to say whose the card was.
    fn check_repeats(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        {
            let mut fact = self.centre.look().prepare(
                "SELECT became FROM fact WHERE device = ?1 AND epoch = ?2 AND seq = ?3 \
                 AND NOT (became = 'no_effect' AND kind IS 12) AND NOT (became = 'held' AND kind IS 14)",
            )?;
            for ((device, epoch, seq), repeats) in &self.books.repeats {
                if self.books.excused.contains(&(*device, *epoch)) {
                    continue;
                }
                let seq = i64::try_from(*seq)?;
                let became =
                    fact.query_row((device.0, epoch, seq), |row| row.get::<_, String>(0)).optional()?;
                if became.as_ref().is_some_and(|became| (became == "merged") != *repeats) {
                    wrong.push(format!("kind 2: seq {seq} of {device} is {became:?}, a repeat: {repeats}"));
                }
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }

    /// What a person fixed stands, whatever arrived later: the check-in that counts admits, one that does not never.
    /// Two that count for members who turned out to be one are one admission.
    fn check_pins(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        {
            let mut admits = self
                .centre
                .look()
                .prepare("SELECT count(*) FROM attendance WHERE device = ?1 AND epoch = ?2 AND seq = ?3")?;
            for pin in self.books.centre.pins.values().flatten().flatten() {
                let id = pin.fact;
                if self.is_tied(id) {
                    continue;
                }
                let seq = i64::try_from(id.seq)?;
                let admitted: i64 = admits.query_row((id.device.0, id.epoch, seq), |row| row.get(0))?;
                if (pin.outcome == PinOutcome::Counts) != (admitted > 0) {
                    wrong.push(format!(
                        "K27: {id:?} is pinned as {:?}, admissions by it: {admitted}",
                        pin.outcome
                    ));
                }
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }

    /// I15: whatever waits for somebody lies in a case that is not closed; a file's first fact stands for the others of its
    /// review. What this program cannot read waits for the next one, without a case, and money for its day to be closed:
    /// the books of what was paid in say whether it may still wait (I3).
    fn check_owners(&mut self) -> anyhow::Result<()> {
        let sql = "SELECT hex(device) || '/' || epoch || '/' || seq || ' ' || became || ' by kind ' || kind FROM fact \
                   WHERE became = 'held' AND kind IS NOT NULL \
                   AND NOT EXISTS (SELECT 1 FROM conflict_fact c JOIN conflict ON id = conflict \
                   WHERE c.device = fact.device AND c.epoch = fact.epoch AND c.seq = fact.seq \
                   AND conflict.kind = fact.kind AND state <> 'closed') UNION ALL \
                   SELECT hex(device) || '/' || epoch || '/' || seq || ' ' || became || ' by kind ' || kind FROM fact \
                   WHERE became = 'quarantined' AND kind IN (21, 22, 26) AND NOT EXISTS (SELECT 1 FROM conflict \
                   WHERE conflict.device = fact.device AND conflict.kind = fact.kind AND state <> 'closed')";
        let alone: Vec<String> = {
            let mut statement = self.centre.look().prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<Result<_, _>>()?
        };
        alone.into_iter().take(3).for_each(|what| self.violated(format!("I15: nobody's case holds {what}")));
        Ok(())
    }

    fn count_kinds(&mut self) -> anyhow::Result<()> {
        let look = self.centre.look();
        let mut met: Vec<(i64, i64)> = Vec::new();
        for sql in [
            "SELECT kind, count(*) FROM fact WHERE kind IS NOT NULL GROUP BY kind",
            "SELECT kind, count(*) FROM conflict WHERE kind NOT IN (SELECT kind FROM fact WHERE kind IS NOT NULL) \
             GROUP BY kind",
        ] {
            let mut kinds = look.prepare(sql)?;
            let rows = kinds.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                met.push(row?);
            }
        }
        let changed = "SELECT count(*) FROM conflict WHERE state = 'evidence_changed'";
        let changed: i64 = look.query_row(changed, [], |row| row.get(0))?;
        let tied = "SELECT count(*) FROM member WHERE merged_into IS NOT NULL";
        let tied: i64 = look.query_row(tied, [], |row| row.get(0))?;
        self.counters.kind(11, tied.unsigned_abs());
        for (kind, times) in met {
            self.counters.kind(usize::try_from(kind)?, times.unsigned_abs());
        }
        let epoch: i64 = look.query_row("SELECT central_epoch FROM club", [], |row| row.get(0))?;
        let since = "SELECT recovering_since FROM policy";
        let since: Option<i64> = look.query_row(since, [], |row| row.get(0))?;
        if epoch > 1 {
            self.counters.path("a recovery began");
            if since.is_none() {
                self.counters.path("a recovery ended");
            }
        }
        if changed > 0 {
            self.counters.path("evidence changed after a verdict");
        }
        Ok(())
    }

    /// What this run came to, in one hash: the same for every replay of its seed.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn digest(&self) -> anyhow::Result<Hash> {
        let head = "SELECT head FROM publisher";
        let head: [u8; 32] = self.centre.look().query_row(head, [], |row| row.get(0))?;
        let mut parts = vec![head.to_vec(), self.steps.to_be_bytes().to_vec()];
        for own in &self.devices {
            let state = read_state(&own.journal())?;
            parts.push([&state.head.0[..], &state.acked_seq.to_be_bytes()].concat());
        }
        Ok(Hash::of(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }
}
