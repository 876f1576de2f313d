//! What breaks: power, disks, clocks, lines, and the centre.

use std::sync::atomic::Ordering;

use hufu_central::db::Tx;
use hufu_central::store::{StoreError, devices};
use hufu_shared::act::{Act, DeviceEnded};
use hufu_shared::ids::Hash;
use hufu_shared::time::Instant;

use super::club;
use super::run::{Run, What};
use super::time::{DAY, HOUR, MINUTE};

/// A fault that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A terminal is cut off.
    CutOff(usize),
    /// All are, and come back at once.
    Storm,
    /// The centre answers nobody.
    CentreDown,
    /// A kept image of a terminal is put back.
    Restore(usize),
    /// A kept copy of the centre's database is put back.
    RollBack(usize),
    /// A stopped terminal meets a person.
    Enrol(usize),
    /// Somebody makes room on a terminal's disk.
    Room(usize),
    /// A stick is carried to the centre.
    Stick(usize),
}

impl Run<'_> {
    /// Something breaks.
    ///
    /// # Errors
    /// If the machinery of the fault itself fails.
    pub fn fault(&mut self) -> anyhow::Result<()> {
        let device = self.random.index(self.devices.len());
        match self.random.below(100) {
            0..=24 => self.crash(device)?,
            25..=34 => self.restart(device)?,
            35..=54 => {
                self.devices[device].cut_off = true;
                if self.random.chance(400) {
                    // Power and line go together: it starts where nobody tells it the time.
                    self.crash(device)?;
                }
                let lasts = self.random.between(10 * MINUTE, 12 * HOUR);
                self.after(lasts, What::Mend(Fault::CutOff(device)));
            }
            55..=60 => self.storm(),
            61..=64 => {
                self.is_centre_down = true;
                let lasts = self.random.between(MINUTE, 3 * HOUR);
                self.after(lasts, What::Mend(Fault::CentreDown));
            }
            65..=76 => self.step_clock(device)?,
            77..=82 => self.keep_image(device)?,
            83..=86 => self.clone_device(device)?,
            87..=93 => self.keep_centre()?,
            94..=95 => self.revoke(device)?,
            _ => self.meet_stopped()?,
        }
        Ok(())
    }

    /// A fault is over.
    ///
    /// # Errors
    /// If the machinery of the fault itself fails.
    pub fn mend(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::CutOff(device) => self.devices[device].cut_off = false,
            Fault::Storm => self.devices.iter_mut().for_each(|device| device.cut_off = false),
            Fault::CentreDown => self.is_centre_down = false,
            Fault::Restore(device) if !self.is_calm => self.restore(device)?,
            Fault::RollBack(copy) if !self.is_calm => self.roll_back(copy)?,
            Fault::Enrol(device) => self.enrol(device)?,
            Fault::Room(device) => self.make_room(device)?,
            Fault::Stick(stick) => self.take_stick_in(stick)?,
            Fault::Restore(_) | Fault::RollBack(_) => {}
        }
        Ok(())
    }

    /// Nothing breaks from now on; everything is switched on and connected.
    ///
    /// # Errors
    /// If a terminal does not start.
    pub fn calm(&mut self) -> anyhow::Result<()> {
        self.is_calm = true;
        self.is_centre_down = false;
        for device in 0..self.devices.len() {
            self.devices[device].cut_off = false;
            self.boot(device)?;
            if !super::FEATURES.recovery {
                // A new fact shows the terminal that the centre stands elsewhere.
                self.close_day(device)?;
            }
            self.start_lanes(device);
        }
        Ok(())
    }

    /// A terminal loses power; somebody switches it on again.
    ///
    /// # Errors
    /// If its files cannot be copied.
    pub fn crash(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &mut self.devices[device];
        let Some(running) = &own.running else { return Ok(()) };
        if running.lanes.iter().any(|lane| lane.waits_for.is_some()) {
            self.counters.path("crash with a request under way");
        }
        own.crash()?;
        if self.random.chance(400) && own.tear(&mut self.random)? {
            self.counters.path("torn write at a crash");
        }
        let after = self.random.between(0, 40 * MINUTE);
        self.after(after, What::Boot { device });
        Ok(())
    }

    fn restart(&mut self, device: usize) -> anyhow::Result<()> {
        if self.devices[device].running.is_none() {
            return Ok(());
        }
        self.devices[device].shut_down()?;
        self.counters.path("clean restart");
        let after = self.random.between(0, 10 * MINUTE);
        self.after(after, What::Boot { device });
        Ok(())
    }

    fn storm(&mut self) {
        self.devices.iter_mut().for_each(|device| device.cut_off = true);
        self.counters.path("storm");
        let lasts = self.random.between(HOUR, 5 * HOUR);
        self.after(lasts, What::Mend(Fault::Storm));
    }

    /// A wall clock jumps.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn step_clock(&mut self, device: usize) -> anyhow::Result<()> {
        let error = match self.random.below(4) {
            0 => 0,
            1 => self.random.between(-2 * HOUR, 2 * HOUR),
            2 => self.random.between(-20 * DAY, 20 * DAY),
            _ => -club::FOUNDED,
        };
        self.devices[device].error.store(error, Ordering::Relaxed);
        self.notice_step(device)
    }

    /// Keeps an image of a terminal's disk, to be put back later.
    fn keep_image(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        if own.gone || own.running.is_none() {
            return Ok(());
        }
        own.keep_image(&self.folder.path().join(format!("image{device}")))?;
        // Minutes are what a disk forgets that lies about its syncs; hours are a restored backup.
        let after = if self.random.chance(500) {
            self.random.between(1, 20) * MINUTE
        } else {
            self.random.between(1, 20) * HOUR
        };
        self.after(after, What::Mend(Fault::Restore(device)));
        Ok(())
    }

    fn restore(&mut self, device: usize) -> anyhow::Result<()> {
        let image = self.folder.path().join(format!("image{device}"));
        let own = &mut self.devices[device];
        if own.gone || !image.exists() {
            return Ok(());
        }
        if own.running.is_some() {
            own.crash()?;
        }
        own.put_image(&image)?;
        self.books.excused.insert((own.id, own.epoch));
        self.counters.path("image restored");
        self.after(MINUTE, What::Boot { device });
        Ok(())
    }

    fn clone_device(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        // One clone at a time is enough trouble for a person.
        if own.gone
            || own.running.is_none()
            || self.devices.iter().any(|other| other.n != own.n && other.id == own.id)
        {
            return Ok(());
        }
        let n = self.devices.len();
        let copy = own.clone_as(n)?;
        self.books.excused.insert((own.id, own.epoch));
        self.devices.push(copy);
        if self.books.tampered.contains(&device) {
            self.books.tampered.insert(n);
        }
        self.counters.path("clone");
        self.after(MINUTE, What::Boot { device: n });
        for _ in 0..4 {
            let after = self.random.between(HOUR, 20 * HOUR);
            self.after(after, What::Swipe { device: n });
        }
        Ok(())
    }

    /// Keeps a copy of the centre's database; sometimes it is put back.
    fn keep_centre(&mut self) -> anyhow::Result<()> {
        if !super::FEATURES.rollback || self.random.chance(600) {
            return Ok(());
        }
        let copy = self.folder.path().join(format!("copy{}.db", self.copies.len()));
        self.centre.keep_copy(&copy)?;
        self.copies.push((copy, self.books.centre.clone()));
        let after = self.random.between(10 * MINUTE, 10 * HOUR);
        self.after(after, What::Mend(Fault::RollBack(self.copies.len() - 1)));
        Ok(())
    }

    fn roll_back(&mut self, copy: usize) -> anyhow::Result<()> {
        let (path, books) = self.copies[copy].clone();
        if self.random.chance(300) {
            // A terminal that just forgot what it had long delivered: what the copy lacks of it nobody has any more.
            let device = self.random.index(self.devices.len());
            self.prune(device)?;
        }
        self.centre.roll_back(self.club, &path)?;
        self.books.centre = books;
        self.counters.path("centre rolled back");
        self.is_rolled_back = true;
        Ok(())
    }

    fn revoke(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        if self.is_centre_down || !self.random.chance(300) {
            return Ok(());
        }
        let ended = DeviceEnded { device: own.id, reason: Hash([0; 32]) };
        self.centre.act(Act::DeviceRevoked(ended))?;
        self.counters.path("terminal revoked");
        self.ring();
        Ok(())
    }

    /// A person looks after one terminal that is stopped.
    fn meet_stopped(&mut self) -> anyhow::Result<()> {
        let stopped: Vec<usize> = (0..self.devices.len()).filter(|n| self.is_stopped(*n)).collect();
        if !stopped.is_empty() {
            let device = stopped[self.random.index(stopped.len())];
            self.enrol(device)?;
        }
        Ok(())
    }

    /// Whether this terminal waits for a person: the centre says so, or it does itself, whatever the centre forgot; or the
    /// centre forgot its enrolment.
    #[must_use]
    pub fn is_stopped(&self, device: usize) -> bool {
        let own = &self.devices[device];
        if !own.gone && own.state().is_ok_and(|state| state.stopped.is_some()) {
            return true;
        }
        let waits = "SELECT status <> 'active' OR epoch < ?2 FROM device WHERE id = ?1";
        let waits = self
            .centre
            .look()
            .prepare_cached(waits)
            .and_then(|mut waits| waits.query_row((own.id.0, own.epoch), |row| row.get::<_, bool>(0)));
        !own.gone && waits.is_ok_and(|waits| waits)
    }

    /// Settles every stopped terminal.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn settle_stopped(&mut self) -> anyhow::Result<()> {
        for device in 0..self.devices.len() {
            if self.is_stopped(device) {
                self.enrol(device)?;
            }
        }
        Ok(())
    }

    /// A person enrols a terminal again: a new epoch begins; a second machine of the same identity is taken away.
    fn enrol(&mut self, device: usize) -> anyhow::Result<()> {
        if self.next_key >= self.club.pool.len() || self.is_centre_down {
            return Ok(());
        }
        let id = self.devices[device].id;
        let pair = self.club.pair(self.next_key, id)?;
        self.next_key += 1;
        let newest = "SELECT epoch FROM device WHERE id = ?1";
        let epoch: u32 = self.centre.look().query_row(newest, [id.0], |row| row.get(0))?;
        let epoch = epoch.max(self.devices[device].epoch) + 1;
        for n in 0..self.devices.len() {
            let other = &mut self.devices[n];
            if other.id == id {
                // What the old enrolment still held stays on its disk, set aside; a person has taken note of it.
                self.books.excused.insert((id, other.epoch));
                if other.running.is_some() {
                    other.crash()?;
                }
                other.gone = n != device;
            }
        }
        let certificate = club::certificate(id, epoch, &pair);
        self.centre.act(Act::DeviceEnrolled(club::enrolled(id, epoch, &pair)))?;
        let now = Instant(self.time.now());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            devices::add_certificate(tx, &certificate, now)
        };
        super::block_on(self.centre.app.db.write(work))?;
        self.devices[device].enrol(pair, epoch);
        self.counters.path("new enrolment");
        self.ring();
        self.after(MINUTE, What::Boot { device });
        Ok(())
    }
}
