//! The harness's own record of what happened, to hold the cores to it. Nothing here is read from them later: it is
//! written when a terminal showed something, or the centre answered.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::Pin;
use hufu_shared::chain;
use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::money::Unit;
use hufu_shared::policy::Policy;
use hufu_shared::wire::upload::{Receipt, Upload};

use super::desk::ByDesk;
use super::reckon::{Key, Rate, Told};

/// An enrolment of a terminal.
pub type Enrolment = (DeviceId, u32);

/// What the centre must know. It is put back with the centre when that is rolled back.
#[derive(Debug, Clone, Default)]
pub struct CentreBooks {
    /// Chain hashes of facts that were acknowledged, by enrolment; the `n`th is that of seq `n` + 1.
    pub taken: BTreeMap<Enrolment, Vec<Hash>>,
    /// Results told, by the batch that they were told for.
    pub results: BTreeMap<Hash, Vec<u8>>,
    /// What a person's only verdict on a double check-in fixed, by case; none once there were two.
    pub pins: BTreeMap<[u8; 32], Option<Vec<Pin>>>,
    /// Generations of leases that a person wrote off.
    pub written_off: BTreeSet<([u8; 16], u32)>,
    /// What was moved at the centre itself: given to and taken from members.
    pub moved: BTreeMap<(usize, Unit), i64>,
    /// What was taken back at the centre's desk, by the fact that it was taken back of.
    pub by_desk: BTreeMap<FactId, ByDesk>,
    /// Enrolments in which another history was shown: their terminals wait for a person.
    pub forked: BTreeSet<Enrolment>,
}

/// The record of a run.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Of the centre as it stands.
    pub centre: CentreBooks,
    /// Chain hashes of facts that people were shown, with the true time, by enrolment and seq.
    pub shown: BTreeMap<Enrolment, BTreeMap<u64, Hash>>,
    /// Seqs acknowledged to terminals.
    pub acked: BTreeMap<Enrolment, u64>,
    /// Enrolments that exist on two disks, or on one that forgot: what they showed may be on neither branch.
    pub excused: BTreeSet<Enrolment>,
    /// Facts by which terminals spent within their leases.
    pub spends: BTreeSet<(DeviceId, u32, u64)>,
    /// Whether a visit or purchase repeats another within the window, by the terminal's monotonic clock.
    pub repeats: BTreeMap<(DeviceId, u32, u64), bool>,
    /// Facts of value that terminals showed, each by its name.
    pub values: BTreeMap<Key, Told>,
    /// The newest cash count of each enrolment.
    pub counted: BTreeMap<Enrolment, u64>,
    /// The club's limits in this run.
    pub policy: Policy,
    /// Whether points that ran out were taken off.
    pub has_expired: bool,
    /// Rates of all versions of the scheme that were ever published.
    pub rates: Vec<Rate>,
    /// Members of whom one was said to be the other, whether or not that was taken apart again.
    pub tied: Vec<(usize, usize)>,
    /// Cards that got an owner, and whom.
    pub handed_on: Vec<(usize, usize)>,
    /// Members whose data was erased.
    pub erased: BTreeSet<usize>,
    /// Cards that were blocked at any time.
    pub blocked: BTreeSet<usize>,
    /// Terminals whose block lists were tampered with.
    pub tampered: BTreeSet<usize>,
    /// A day was settled, so what of it came late stands as it did.
    pub is_settled: bool,
    /// Facts that a person decided about.
    pub pinned: BTreeSet<FactId>,
    /// Members about whom the scripted terminal said something of value.
    pub strange: BTreeSet<usize>,
    /// Facts by which the scripted terminal reversed top-ups of others, by seq.
    pub foreign: BTreeMap<u64, FactId>,
    /// True time minus monotonic time of each boot, in microseconds.
    pub boots: BTreeMap<(DeviceId, u32, [u8; 16]), i64>,
}

/// What an upload comes to, by the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Another history than the one taken in.
    Fork,
    /// Facts are missing before it.
    Gap,
    /// New facts, perhaps after known ones.
    Taken {
        /// Some of it was known.
        straddles: bool,
    },
    /// Nothing new.
    Duplicate,
}

/// The chain hashes of an upload's facts, the one before them first.
#[must_use]
pub fn hashes(upload: &Upload) -> Vec<Hash> {
    let mut hash = upload.header.prev_hash;
    let mut hashes = vec![hash];
    for carried in &upload.facts {
        hash = chain::link(hash, &carried.body);
        hashes.push(hash);
    }
    hashes
}

impl CentreBooks {
    /// What an upload must come to.
    #[must_use]
    pub fn judge(&self, upload: &Upload) -> Expected {
        let enrolment = (upload.header.device, upload.header.epoch);
        let taken = self.taken.get(&enrolment).map_or(&[][..], Vec::as_slice);
        let (from, acked) = (upload.header.from_seq, taken.len() as u64);
        if from > acked + 1 {
            return Expected::Gap;
        }
        let shown = hashes(upload);
        let known = |seq: u64| usize::try_from(seq).ok().and_then(|seq| taken.get(seq.checked_sub(1)?));
        let agrees = (from - 1..).zip(&shown).all(|(seq, hash)| known(seq).is_none_or(|known| known == hash));
        let last = from + upload.facts.len() as u64 - 1;
        match (agrees, last > acked) {
            (false, _) => Expected::Fork,
            (true, true) => Expected::Taken { straddles: from <= acked },
            (true, false) => Expected::Duplicate,
        }
    }

    /// A receipt was given. Names what contradicts the books.
    pub fn receipt(&mut self, upload: &Upload, receipt: &Receipt) -> Option<String> {
        let header = &upload.header;
        let enrolment = (header.device, header.epoch);
        let last = header.from_seq + upload.facts.len() as u64 - 1;
        let taken = self.taken.entry(enrolment).or_default();
        if receipt.result.acked_seq != last {
            return Some(format!(
                "I5: a batch to seq {last} was answered with seq {}",
                receipt.result.acked_seq
            ));
        }
        for (seq, hash) in (header.from_seq..).zip(hashes(upload).into_iter().skip(1)) {
            if seq > taken.len() as u64 {
                taken.push(hash);
            }
        }
        let ours = usize::try_from(last).ok().and_then(|last| taken.get(last - 1)).copied();
        if ours != Some(receipt.result.head_hash) {
            return Some(format!(
                "I7: the head at seq {last} is {ours:?}, told was {}",
                receipt.result.head_hash
            ));
        }
        if receipt.session.mark.journal_size == 0 {
            // A bare answer says that the facts are durable, and nothing of what became of them.
            return None;
        }
        let batch = Hash::of(&[
            &header.device.0,
            &header.epoch.to_be_bytes(),
            &header.from_seq.to_be_bytes(),
            &header.prev_hash.0,
            &header.head_hash.0,
        ]);
        let told = hufu_shared::cbor::encode(&receipt.result);
        let before = self.results.entry(batch).or_insert_with(|| told.clone());
        (*before != told).then(|| format!("I18: the batch {} to {last} got another result", header.from_seq))
    }
}
