//! Value taken while the member or card was blocked (kinds 9 and 10), and who bears it.
//!
//! - Kind 10: the terminal's block list already had the block, or the card was reported lost at that very terminal:
//!   suspense, a fault of the device.
//! - Kind 9: the block came into its list later, but stood when the fact happened: honoured. From the report of a lost
//!   card on, `loss/blocked` pays, not the member; at most a cap per lease, the rest waits in suspense.
//!
//! A block that was lifted before the fact, or made after it, concerns nobody. Out of scope: the lease itself.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::FactId;
use hufu_shared::money::Amount;
use hufu_shared::time::Instant;
use hufu_shared::wire::version::Version;

use super::interval::FAVOUR_MAX_US;
use super::order::Place;
use super::share::{self, Claim};

/// How a member or card stands from a change on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barred {
    /// Not blocked, or no longer.
    No,
    /// Stopped, void or left.
    Stopped,
    /// The card was reported lost.
    Lost,
}

/// A change of a member's or a card's block, by an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockChange {
    /// When the act was taken.
    pub at: Instant,
    /// The block version that published it.
    pub version: Version,
    /// How it stands from then on.
    pub barred: Barred,
}

/// All that is known of the blocks of one member, or of one card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// Changes at the centre.
    pub changes: Vec<BlockChange>,
    /// Reports of the loss at terminals; each holds until the centre lifts the block after it.
    pub reports: Vec<Place>,
}

/// What of a spend bears on blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The fact.
    pub id: FactId,
    /// Not before.
    pub lo: Instant,
    /// Not after.
    pub hi: Instant,
    /// The time that orders it.
    pub t: Instant,
    /// The block version that the terminal decided by.
    pub known: Version,
}

/// Who bears a spend, as far as blocks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    /// The member, as ever.
    Member,
    /// `loss/blocked`, within the lease's cap.
    Loss,
    /// Nobody until a person decides.
    Suspense,
}

/// The judgement of one spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Who bears it.
    pub payer: Payer,
    /// Numbers of the conflict kinds that list it.
    pub kinds: BTreeSet<u8>,
}

impl Timeline {
    /// What the terminal's list said.
    fn listed(&self, known: Version) -> Barred {
        let listed = self.changes.iter().filter(|change| change.version <= known);
        listed.max_by_key(|change| (change.version, change.at)).map_or(Barred::No, |change| change.barred)
    }

    /// How it stood at an instant, reports included.
    fn stood(&self, at: Instant) -> Barred {
        let made = self.changes.iter().filter(|change| change.at <= at);
        let made =
            made.max_by_key(|change| (change.at, change.version)).map_or(Barred::No, |change| change.barred);
        let lost = self.reports.iter().any(|report| self.holds(*report, at));
        if lost { Barred::Lost } else { made }
    }

    /// Whether a report, made by then, was not answered by lifting the block.
    fn holds(&self, report: Place, at: Instant) -> bool {
        let lifted =
            |change: &BlockChange| change.barred == Barred::No && report.t < change.at && change.at <= at;
        report.t <= at && !self.changes.iter().any(lifted)
    }

    /// Whether the terminal of the fact had taken the report itself, before.
    fn reported_here(&self, fact: Taken) -> bool {
        self.reports.iter().any(|report| {
            let (told, own) = (report.fact, fact.id);
            let here = (told.device, told.epoch) == (own.device, own.epoch) && told.seq < own.seq;
            here && self.holds(*report, fact.t)
        })
    }
}

/// Judges one spend against the timelines of its member and of its card.
#[must_use]
pub fn judge(timelines: &[Timeline], fact: Taken) -> Blocked {
    let knew = |line: &Timeline| line.listed(fact.known) != Barred::No || line.reported_here(fact);
    if timelines.iter().any(knew) {
        return Blocked { payer: Payer::Suspense, kinds: BTreeSet::from([10]) };
    }
    let stood = |at: Instant| timelines.iter().map(|line| line.stood(at)).max().unwrap_or(Barred::No);
    let (early, late) = (stood(fact.lo), stood(fact.hi));
    if (early == Barred::Lost) != (late == Barred::Lost) {
        // Before or after the report: narrow is read in the member's favour, so the club bears it.
        let narrow = fact.hi.since(fact.lo) <= FAVOUR_MAX_US;
        let payer = if narrow { Payer::Loss } else { Payer::Suspense };
        return Blocked { payer, kinds: BTreeSet::from([9, 18]) };
    }
    match stood(fact.t) {
        Barred::No => Blocked { payer: Payer::Member, kinds: BTreeSet::new() },
        Barred::Stopped => Blocked { payer: Payer::Member, kinds: BTreeSet::from([9]) },
        Barred::Lost => Blocked { payer: Payer::Loss, kinds: BTreeSet::from([9]) },
    }
}

/// How much of each spend of one lease `loss/blocked` pays; what the cap does not cover waits in suspense. Pins name how
/// much of a spend the loss account bears.
#[must_use]
pub fn paid_by_loss(cap: Amount, spends: &[Claim]) -> BTreeMap<FactId, Amount> {
    share::share(cap, spends)
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
