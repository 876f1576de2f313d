//! I13: what a terminal holds of the block list and the directory after all its deltas is what a terminal holds that
//! took both from scratch.

use std::path::Path;
use std::sync::Arc;

use hufu_edge::store::DIRECTORY_FILE;
use hufu_shared::cbor;
use hufu_shared::member::MemberRow;
use hufu_shared::time::Instant;
use rusqlite::{Connection, OpenFlags};

use super::device::{Device, Ended, LaneKind};
use super::run::Run;

/// Exchanges that a terminal may need for its first directory, at most.
const EXCHANGES_MAX: usize = 200;
/// Tables of a directory, without those whose rows say when they were made.
const TABLES: [&str; 4] = [
    "SELECT hex(token), hex(row) FROM cards ORDER BY 1",
    "SELECT hex(office), hex(row) FROM offices ORDER BY 1",
    "SELECT hex(occurrence), hex(row) FROM occurrences ORDER BY 1",
    "SELECT version, hex(row) FROM schemes ORDER BY 1",
];

impl Run<'_> {
    /// Compares the block lists of all terminals, and the directory of one, with those of a fresh one.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn check_lists(&mut self) -> anyhow::Result<()> {
        // Versions of a centre that was rolled back and does not know it mean nothing.
        if self.is_rolled_back && !super::FEATURES.recovery {
            return Ok(());
        }
        let on: Vec<usize> = (0..self.devices.len())
            .filter(|n| self.devices[*n].running.is_some() && !self.is_stopped(*n))
            .filter(|n| !self.books.tampered.contains(n))
            .collect();
        if on.is_empty() {
            return Ok(());
        }
        let device = on[self.random.index(on.len())];
        let mut fresh = self.fresh(device)?;
        for lane in [LaneKind::Updates, LaneKind::Directory, LaneKind::Updates] {
            self.take_all(&mut fresh, lane)?;
        }
        let mut wrong = Vec::new();
        for card in 0..self.size.members + 8 {
            let token = self.club.token_key.token(&super::club::card_text(card));
            let is_blocked = |of: &Device| -> anyhow::Result<bool> {
                let Some(running) = &of.running else { return Ok(false) };
                Ok(running.core.store().with(|journal| Ok(journal.blocked(&token).is_some()))?)
            };
            let should = is_blocked(&fresh)?;
            for n in &on {
                if is_blocked(&self.devices[*n])? != should {
                    wrong
                        .push(format!("I13: card {card} at terminal {n} is not as at a fresh one: {should}"));
                }
            }
        }
        let (own, other) = (&self.devices[device], &fresh);
        let (one, two) =
            (open(&own.folder().join(DIRECTORY_FILE))?, open(&other.folder().join(DIRECTORY_FILE))?);
        for sql in TABLES {
            if super::arrival::rows(&one, sql)? != super::arrival::rows(&two, sql)? {
                wrong.push(format!("I13: terminal {device} holds other rows than a fresh one: {sql}"));
            }
        }
        if members(&one)? != members(&two)? {
            wrong.push(format!("I13: terminal {device} holds other members than a fresh one"));
        }
        wrong.into_iter().take(3).for_each(|what| self.violated(what));
        Ok(())
    }

    /// A machine with the identity of a terminal and empty files, which delivers nothing.
    fn fresh(&mut self, device: usize) -> anyhow::Result<Device> {
        let own = &self.devices[device];
        let n = self.devices.len() + 1_000;
        let mut fresh = Device::new(self.folder.path(), n, own.id, own.office, own.pair.clone());
        fresh.epoch = own.epoch;
        fresh.boot(self.club, &self.time, self.random.bytes())?;
        Ok(fresh)
    }

    /// Runs a lane until it has nothing more to do.
    fn take_all(&self, device: &mut Device, lane: LaneKind) -> anyhow::Result<()> {
        let certificate = Arc::clone(&device.certificate);
        let Some(running) = device.running.as_mut() else { return Ok(()) };
        let own = &mut running.lanes[lane.place()];
        own.begin();
        for _ in 0..EXCHANGES_MAX {
            match own.poll() {
                Some(Ended::Updates(Ok(polled))) if polled.more => own.begin(),
                Some(Ended::Updates(Err(error)) | Ended::Directory(Err(error))) => return Err(error.into()),
                Some(_) => return Ok(()),
                None => {
                    let asked = own.pipe().take();
                    let asked = asked.ok_or_else(|| anyhow::anyhow!("a lane waits for nothing"))?;
                    own.pipe().answer(Ok(self.centre.handle(asked, &certificate)?));
                }
            }
        }
        anyhow::bail!("a fresh terminal did not come to an end with its {lane:?}")
    }
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// The members, without the time at which their points were reckoned.
fn members(directory: &Connection) -> anyhow::Result<Vec<MemberRow>> {
    let mut statement = directory.prepare("SELECT row FROM members ORDER BY member")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| Ok(MemberRow { points_at: Instant(0), ..cbor::decode(&row?)? })).collect()
}
