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
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use proptest::prelude::*;

    fn version(n: u64) -> Version {
        Version { epoch: 1, n }
    }

    fn change(at: i64, n: u64, barred: Barred) -> BlockChange {
        BlockChange { at: Instant(at), version: version(n), barred }
    }

    fn line(changes: &[BlockChange], reports: &[Place]) -> Timeline {
        Timeline { changes: changes.to_vec(), reports: reports.to_vec() }
    }

    /// A spend of device 1, seq 50, at `t` under block version `known`.
    fn taken(t: i64, known: u64) -> Taken {
        let Place { t, fact: id } = place(t, 1, 50);
        Taken { id, lo: t, hi: t, t, known: version(known) }
    }

    #[test]
    fn kind_09_a_block_that_the_terminal_did_not_know_is_honoured_and_a_lost_card_costs_the_club() {
        use Barred::{Lost, No, Stopped};
        use Payer::{Loss, Member};
        let lost = line(&[change(100, 5, Lost)], &[]);
        let stopped = line(&[change(100, 5, Stopped)], &[]);
        let found = line(&[change(100, 5, Lost), change(200, 6, No)], &[]);
        let reported = line(&[change(100, 5, Lost)], &[place(60, 2, 7)]);
        let reported_later = line(&[change(100, 5, Lost)], &[place(60, 1, 51)]);
        let found_again = line(&[change(200, 6, No)], &[place(60, 2, 7)]);
        let cases = [
            ("no block", Timeline::default(), taken(10, 4), Member, vec![]),
            ("before the block", lost.clone(), taken(99, 4), Member, vec![]),
            ("lost, list not there yet", lost, taken(100, 4), Loss, vec![9]),
            ("stopped, list not there yet", stopped, taken(150, 4), Member, vec![9]),
            ("found before", found.clone(), taken(200, 4), Member, vec![]),
            ("while it was lost", found, taken(199, 4), Loss, vec![9]),
            ("from the report on, before the act", reported.clone(), taken(60, 4), Loss, vec![9]),
            ("before the report", reported, taken(59, 4), Member, vec![]),
            ("the same terminal took the report later", reported_later, taken(70, 4), Loss, vec![9]),
            ("reported, then found", found_again, taken(250, 4), Member, vec![]),
        ];
        for (why, line, fact, payer, kinds) in cases {
            let judged = judge(&[Timeline::default(), line], fact);
            assert_eq!(judged.payer, payer, "{why}");
            assert_eq!(judged.kinds, kinds.into_iter().collect(), "{why}");
        }
    }

    #[test]
    fn kind_10_a_terminal_that_knew_is_at_fault() {
        use Barred::{Lost, No, Stopped};
        let suspense = Blocked { payer: Payer::Suspense, kinds: BTreeSet::from([10]) };
        let cases = [
            ("in its list", line(&[change(100, 5, Stopped)], &[]), taken(150, 5)),
            ("in an older list", line(&[change(100, 5, Lost)], &[]), taken(150, 9)),
            (
                "lifted since, but not in its list",
                line(&[change(100, 5, Lost), change(120, 6, No)], &[]),
                taken(150, 5),
            ),
            ("reported there", line(&[], &[place(60, 1, 49)]), taken(70, 4)),
        ];
        for (why, line, fact) in cases {
            assert_eq!(judge(&[line], fact), suspense, "{why}");
        }
    }

    #[test]
    fn kind_09_on_the_edge_of_the_report_a_narrow_interval_favours_the_member() {
        let lost = line(&[change(100, 5, Barred::Lost)], &[]);
        let around = |wide: i64| Taken { hi: Instant(99 + wide), ..taken(99, 4) };
        let narrow = judge(std::slice::from_ref(&lost), around(FAVOUR_MAX_US));
        assert_eq!(narrow, Blocked { payer: Payer::Loss, kinds: BTreeSet::from([9, 18]) });
        let wide = judge(&[lost], around(FAVOUR_MAX_US + 1));
        assert_eq!(wide, Blocked { payer: Payer::Suspense, kinds: BTreeSet::from([9, 18]) });
    }

    #[test]
    fn kind_09_the_loss_is_capped_per_lease() {
        let spend = |t: i64, seq: u64, wants: i64, pin: Option<i64>| Claim {
            place: place(t, 1, seq),
            wants: Amount(wants),
            pin: pin.map(Amount),
        };
        let spends = [spend(10, 1, 60, None), spend(20, 2, 60, None), spend(30, 3, 30, Some(30))];
        let paid: Vec<i64> = paid_by_loss(Amount(100), &spends).values().map(|amount| amount.0).collect();
        assert_eq!(paid, [60, 10, 30], "what a person fixed goes first, then in order of time");
    }

    proptest! {
        #[test]
        fn kind_09_follows_the_set_of_blocks_and_reports(
            rows in proptest::collection::btree_map(0..100_i64, 0..3_u8, 0..6),
            told in proptest::collection::vec((0..100_i64, 1..3_u8, 0..99_u64), 0..4),
            t in 0..110_i64,
            known in 0..8_u64,
            keys in proptest::collection::vec(any::<u32>(), 6),
        ) {
            let barred = |n: u8| [Barred::No, Barred::Stopped, Barred::Lost][usize::from(n)];
            let changes: Vec<BlockChange> =
                rows.iter().zip(1..).map(|((at, n), version)| change(*at, version, barred(*n))).collect();
            let reports: Vec<Place> = told.iter().map(|(t, device, seq)| place(*t, *device, *seq)).collect();
            let judged = judge(&[line(&changes, &reports)], taken(t, known));
            let turned = line(&shuffled(&changes, &keys), &shuffled(&reports, &keys));
            prop_assert_eq!(judge(&[turned, Timeline::default()], taken(t, known)), judged);
        }
    }
}
