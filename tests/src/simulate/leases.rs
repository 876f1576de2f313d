//! Leases: the centre's own job sets value aside and its answers carry the states; terminals store them, spend from them,
//! and close them when they are told, when their time is up, or when staff do.
//!
//! What an honest terminal spent within its leases is paid from escrow, whatever was lost or repeated in between; the
//! check is skipped for machines that exist twice, and for runs in which the centre was rolled back.

use hufu_central::jobs;
use hufu_edge::rules::decide::Outcome;
use hufu_edge::run::core::Swiped;
use hufu_shared::act::{Act, LeaseEnded};
use hufu_shared::fact::{Event, Funding, Purpose, Spending};
use hufu_shared::ids::{CommandId, Hash, LeaseId, MemberId, OperatorId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::upload::Order;
use rusqlite::OptionalExtension as _;

use super::block_on;
use super::club;
use super::run::{Run, What};
use super::time::{HOUR, MINUTE, S};

impl Run<'_> {
    /// Sets something aside where the centre's job would, or ends a lease.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn grant(&mut self) -> anyhow::Result<()> {
        if self.is_centre_down || self.is_calm {
            return Ok(());
        }
        match self.random.below(12) {
            0 => self.write_off()?,
            1..=2 => self.recall()?,
            _ => {
                // A round goes on where the one before it ended, anywhere among the terminals.
                let after = club::device(self.random.index(self.size.devices));
                if block_on(jobs::leases::round(&self.centre.app, Some(after)))?.0 > 0 {
                    self.counters.path("lease set");
                }
            }
        }
        self.ring();
        Ok(())
    }

    /// A member spends where something was set aside, or tries to spend more.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn spend(&mut self) -> anyhow::Result<()> {
        let open = "SELECT device, member FROM lease WHERE is_open = 1 ORDER BY lease, generation";
        let open: Vec<([u8; 16], [u8; 16])> = self
            .centre
            .look()
            .prepare_cached(open)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if open.is_empty() {
            return Ok(());
        }
        let (holder, who) = open[self.random.index(open.len())];
        let device = self.devices.iter().position(|own| own.id.0 == holder && own.running.is_some());
        let member = (0..self.size.members).find(|n| club::member(*n) == MemberId(who));
        let (Some(device), Some(member)) = (device, member) else { return Ok(()) };
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let (now, directory) = (running.clock.now(), running.core.directory().version());
        let over = running.core.store().with(|journal| {
            journal.count_lease_ages(now.mono_ns)?;
            // Staff may close late; until then nothing may be spent of what is over.
            if now.mono_ns % 3 == 0 { journal.close_expired(&now, directory) } else { Ok(0) }
        })?;
        if over > 0 {
            self.counters.path("lease over at a terminal");
        }
        let most = if self.random.chance(200) { 5_000 } else { 6 };
        let amount = Amount(self.random.between(1, most));
        let legs = vec![Leg { unit: Unit::Pts, amount }];
        let purpose = Purpose::Spend(Spending { legs, slip: None, item: None, paid_out: None });
        self.present(device, member, &purpose)
    }

    /// What the centre ordered with its answers is carried out, as the loop of the daemon does.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn carry_out(&mut self, device: usize) -> anyhow::Result<()> {
        loop {
            let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
            let Ok(central) = running.ends.orders.try_recv() else { return Ok(()) };
            let (now, directory) = (running.clock.now(), running.core.directory().version());
            if let Ok(Order::CloseLease(lease, generation)) = central.order {
                let key = (lease, generation);
                running
                    .core
                    .store()
                    .with(|journal| journal.close_lease(key, central.command, &now, directory))?;
                self.counters.path("lease closed by order");
                self.wake_upload(device);
            }
        }
    }

    /// Keeps the books of what a terminal spent.
    pub fn note_spend(&mut self, device: usize, swiped: &Swiped) {
        let own = &self.devices[device];
        if matches!(swiped.decision.outcome, Outcome::OverOfflineLimit) {
            self.counters.path("spend beyond the lease refused");
        }
        let Event::Spent(spent) = &swiped.decision.event else { return };
        if swiped.decision.outcome != Outcome::Redeemed {
            return;
        }
        self.counters.path("spent from a lease");
        let is_leased = spent.funding.iter().all(|funding| matches!(funding, Funding::Lease(_)));
        if let Some(seq) = swiped.seq.filter(|_| is_leased) {
            self.books.spends.insert((own.id, own.epoch, seq));
        }
    }

    /// A person writes a lease off whose terminal may be lost, or not.
    fn write_off(&mut self) -> anyhow::Result<()> {
        let Some((lease, generation)) = self.open_lease()? else { return Ok(()) };
        let second = Some(OperatorId([2; 16]));
        let ended = LeaseEnded { lease: LeaseId(lease), generation, second, reason: Hash([0; 32]) };
        self.books.centre.written_off.insert((lease, generation));
        self.counters.path("lease written off");
        self.centre.act(Act::LeaseWrittenOff(ended))
    }

    /// A lease is called back: its terminal closes it, if it hears of it.
    fn recall(&mut self) -> anyhow::Result<()> {
        let Some((lease, generation)) = self.open_lease()? else { return Ok(()) };
        let command = CommandId(self.random.bytes());
        let holder = "SELECT device FROM lease WHERE lease = ?1 AND generation = ?2";
        let holder: [u8; 16] = self.centre.look().query_row(holder, (lease, generation), |row| row.get(0))?;
        for device in 0..self.size.devices {
            let own = &mut self.devices[device];
            let Some(running) = own.running.as_mut().filter(|_| own.id.0 == holder && !own.cut_off) else {
                continue;
            };
            let (now, directory) = (running.clock.now(), running.core.directory().version());
            let key = (LeaseId(lease), generation);
            running.core.store().with(|journal| journal.close_lease(key, command, &now, directory))?;
            self.counters.path("lease recalled");
            self.wake_upload(device);
        }
        Ok(())
    }

    fn open_lease(&mut self) -> anyhow::Result<Option<([u8; 16], u32)>> {
        let open = "SELECT lease, generation FROM lease WHERE is_open = 1 ORDER BY lease, generation";
        let open: Vec<([u8; 16], u32)> = self
            .centre
            .look()
            .prepare_cached(open)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(if open.is_empty() { None } else { Some(open[self.random.index(open.len())]) })
    }

    /// I3, I10, I11 and the honest terminal: what a lease pays never passes what it was given, it lets go of nothing but
    /// by its close or a write-off, and what was spent within it is paid.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn check_leases(&mut self) -> anyhow::Result<()> {
        let mut wrong = Vec::new();
        {
            let look = self.centre.look();
            let bad = "SELECT hex(lease), generation FROM lease WHERE settled + lost > granted_total OR escrow < 0 \
                       OR (released > 0 AND closed IS NULL AND written_off IS NULL)";
            let mut bad = look.prepare(bad)?;
            let mut rows = bad.query([])?;
            while let Some(row) = rows.next()? {
                let (lease, generation): (String, i64) = (row.get(0)?, row.get(1)?);
                wrong.push(format!("I10: lease {lease}/{generation} paid or let go of what it may not"));
            }
            let held = "SELECT 'escrow', coalesce((SELECT sum(amount) FROM balance WHERE class = 'escrow'), 0), \
                        coalesce((SELECT sum(escrow) FROM lease), 0)";
            let (accounts, leases): (i64, i64) =
                look.query_row(held, [], |row| Ok((row.get(1)?, row.get(2)?)))?;
            if accounts != leases {
                wrong.push(format!("I11: escrow accounts hold {accounts}, leases say {leases}"));
            }
            if !self.is_rolled_back {
                let mut fact = look
                    .prepare("SELECT became, kind FROM fact WHERE device = ?1 AND epoch = ?2 AND seq = ?3")?;
                for (device, epoch, seq) in &self.books.spends {
                    if self.books.excused.contains(&(*device, *epoch)) {
                        continue;
                    }
                    let key = (device.0, epoch, i64::try_from(*seq)?);
                    let stands: Option<(String, Option<i64>)> =
                        fact.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                    if let Some((became, Some(kind @ (5 | 8)))) = stands {
                        wrong.push(format!(
                            "I20: seq {seq} of {device}, spent within its lease, is {became} by kind {kind}"
                        ));
                    }
                }
            }
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }

    /// Plans grants and spends of a day that begins `at`.
    pub fn plan_leases(&mut self, at: i64) {
        for _ in 0..8 {
            let grant = at + self.random.between(9 * HOUR, 21 * HOUR);
            self.after(grant, What::Grant);
        }
        for _ in 0..2 * self.size.devices {
            let spend = at + self.random.between(9 * HOUR, 21 * HOUR) + MINUTE + S;
            self.after(spend, What::Spend);
        }
    }
}
