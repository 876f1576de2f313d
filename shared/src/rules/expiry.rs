//! Expiry by sums (section "Lots are reckoned, not moved"; rules S3 and B4).
//!
//! What is due at a cut-off E is max(0, credits of expiry <= E − all debits effective before E − what expired before):
//! a debit takes what expires soonest, in the member's favour. Nothing is moved from lot to lot, so a late fact only
//! changes the sums, and the caller posts the difference ([`difference`]).
//!
//! What is due is taken from what lies in `available` at E; where leases hold the rest, it is taken when they return,
//! and what a lease lawfully spent instead is waived. All of it follows the set: the leases' own times say what they
//! held at E.
//!
//! The caller passes credits net of their reversals (a reversed earn cannot expire as well), without what is held or
//! in suspense; a spend given back is a credit of its own day; a written-off lease ends at its write-off. It grants
//! nothing of what is due and not yet taken, and gives leases no longer than [`lease_ttl_s`].
//!
//! Invariant: due = taken + waiting + waived at each cut-off, and all that is taken is no more than the member had.

use std::collections::BTreeSet;

use crate::ids::LeaseId;
use crate::money::Amount;
use crate::mutant::{self, Mutant};
use crate::policy::{ExpiryMode, MonthDay};
use crate::time::{Day, Instant, SECOND_US};

use super::calendar;

/// The last day on which something earned on a business day may be used; none if it does not expire. `joined` is the
/// day on which the member joined, for the grace of the first year.
#[must_use]
pub fn last_day(mode: ExpiryMode, earned: Day, joined: Option<Day>) -> Option<Day> {
    match mode {
        ExpiryMode::Never => None,
        ExpiryMode::FixedCutoff(cutoff) => {
            let cycle_end = calendar::on_or_after(cutoff.earned_until, earned)?;
            let clear = calendar::on_or_after(cutoff.clear_at, cycle_end)?;
            let year = calendar::year_of(clear)?;
            let joined_then = joined.and_then(calendar::year_of) == Some(year);
            if cutoff.first_year_grace && joined_then {
                cutoff.clear_at.in_year(year.checked_add(1)?)
            } else {
                Some(clear)
            }
        }
        ExpiryMode::EarnYearPlus(years) => {
            let year = calendar::year_of(earned)?.checked_add(i32::from(years))?;
            MonthDay { month: 12, day: 31 }.in_year(year)
        }
        ExpiryMode::RollingMonths(months) => calendar::months_after(earned, months),
    }
}

/// The instant from which something is no longer usable: 24:00 of its last day in the club's zone.
#[must_use]
pub fn cut_off(last_day: Day, zone: &str) -> Instant {
    calendar::day_start(zone, last_day.plus(1), 0)
}

/// The business days of earning whose cut-off lies after `last` and not after `until`, first and last; none if there are
/// none. Without a `last`, all days whose cut-off has come. Where first-year members have a grace, also the year before:
/// theirs is cut at the same instants, a year later.
#[must_use]
pub fn earned_between(mode: ExpiryMode, last: Option<Day>, until: Day) -> Option<(Day, Day)> {
    // What is earned later runs out later, in every mode: so the days are found by halving.
    let ends_after = |earned: i32, day: Day| last_day(mode, Day(earned), None).is_none_or(|end| end > day);
    let first_after = |day: Day| {
        let (mut low, mut high) = (until.0.saturating_sub(EARNED_DAYS_MAX), until.0.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            if ends_after(middle, day) { high = middle } else { low = middle + 1 }
        }
        low
    };
    let first = last.map_or(until.0.saturating_sub(EARNED_DAYS_MAX), first_after);
    let end = first_after(until);
    let grace = matches!(mode, ExpiryMode::FixedCutoff(cutoff) if cutoff.first_year_grace);
    let first = if grace { first.saturating_sub(GRACE_DAYS) } else { first };
    (first < end).then_some((Day(first), Day(end - 1)))
}

/// Days of the longest year.
const GRACE_DAYS: i32 = 366;

/// Days back that anything was earned that may still run out: longer than any club keeps points.
const EARNED_DAYS_MAX: i32 = 40_000;

/// Something that a member got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    /// When, as judged.
    pub t: Instant,
    /// Its cut-off, after `t`; none if it does not expire.
    pub expires: Option<Instant>,
    /// How much.
    pub amount: Amount,
}

/// Something that a member used or gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debit {
    /// When, as judged.
    pub t: Instant,
    /// How much.
    pub amount: Amount,
}

/// One generation of a lease of the member and unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which.
    pub id: (LeaseId, u32),
    /// Grants and raises, by when the act was taken.
    pub grants: Vec<Debit>,
    /// Spends that settled from it; they stand among the debits as well.
    pub spends: Vec<Debit>,
    /// When it returned what was left, or was written off; none while it is out.
    pub closed: Option<Instant>,
}

/// One member's unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Account<'a> {
    /// All that came.
    pub credits: &'a [Credit],
    /// All that went, but expiry.
    pub debits: &'a [Debit],
    /// Leases that are or were out.
    pub leases: &'a [Lease],
}

/// What expires at one cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOff {
    /// When.
    pub at: Instant,
    /// All that is due.
    pub due: Amount,
    /// What of it is to be taken from `available` by now.
    pub taken: Amount,
    /// What lies in leases that are still out.
    pub waits: Amount,
    /// What leases spent instead.
    pub waived: Amount,
}

/// Reckons every cut-off up to `until`, in order.
#[must_use]
pub fn reckon(account: Account<'_>, until: Instant) -> Vec<CutOff> {
    let sums = Sums::of(&account);
    let mut leases: Vec<Across<'_>> =
        account.leases.iter().map(|lease| Across { lease, claimed: 0, waived: 0 }).collect();
    // What is back goes first, since it can be taken at once; then any fixed order will do.
    leases.sort_by_key(|across| (across.lease.closed.is_none(), across.lease.id));
    let cut_offs: BTreeSet<Instant> =
        sums.ending.0.iter().map(|(expires, _)| *expires).filter(|expires| *expires <= until).collect();
    let mut expired = 0_i128;
    let mut reckoned = Vec::with_capacity(cut_offs.len());
    for at in cut_offs {
        let cut = one(&sums, &mut leases, at, expired);
        expired += plain(cut.taken) + plain(cut.waits);
        reckoned.push(cut);
    }
    reckoned
}

/// One cut-off, after what `expired` before.
fn one(sums: &Sums, leases: &mut [Across<'_>], at: Instant, expired: i128) -> CutOff {
    // What an earlier cut-off waived is gone with the spend that used it; until then it is as good as expired.
    let reserved: i128 = leases.iter().map(|across| across.reserved(at)).sum();
    let gone = sums.went.before(at) + expired + reserved;
    let has = (sums.came.before(at) - gone).max(0);
    let due = (sums.ending.up_to(at) - gone).clamp(0, has);
    let in_leases: i128 = leases.iter().map(|across| across.held(at)).sum();
    let mut taken = due.min((has - in_leases).max(0));
    let (mut rest, mut waits) = (due - taken, 0);
    for across in leases.iter_mut() {
        let part = rest.min(across.left(at));
        across.claimed += part;
        rest -= part;
        if across.lease.closed.is_some() {
            taken += part;
        } else {
            waits += part;
        }
    }
    let mut unclaimed = rest;
    for across in leases.iter_mut() {
        let part = unclaimed.min(across.held(at));
        across.waived += part;
        unclaimed -= part;
    }
    CutOff { at, due: narrow(due), taken: narrow(taken), waits: narrow(waits), waived: narrow(rest) }
}

/// The sums that every cut-off asks for.
struct Sums {
    came: Running,
    went: Running,
    ending: Running,
}

impl Sums {
    fn of(account: &Account<'_>) -> Self {
        let later = usize::from(mutant::on(Mutant::LotByArrival));
        let amounts = account.credits.iter().cycle().skip(later).map(|credit| credit.amount);
        let ending = account.credits.iter().zip(amounts);
        let ending = ending.filter_map(|(credit, amount)| Some((credit.expires?, amount)));
        Self {
            came: Running::of(account.credits.iter().map(|credit| (credit.t, credit.amount))),
            went: Running::of(account.debits.iter().map(|debit| (debit.t, debit.amount))),
            ending: Running::of(ending),
        }
    }
}

/// Sums that run up in order of time: a member with years of facts has a cut-off a day where points roll.
struct Running(Vec<(Instant, i128)>);

impl Running {
    fn of(amounts: impl Iterator<Item = (Instant, Amount)>) -> Self {
        let mut rows: Vec<(Instant, i128)> = amounts.map(|(t, amount)| (t, plain(amount))).collect();
        rows.sort_unstable();
        let mut sum = 0;
        for row in &mut rows {
            sum += row.1;
            row.1 = sum;
        }
        Self(rows)
    }

    fn before(&self, at: Instant) -> i128 {
        self.first(self.0.partition_point(|(t, _)| *t < at))
    }

    fn up_to(&self, at: Instant) -> i128 {
        self.first(self.0.partition_point(|(t, _)| *t <= at))
    }

    fn first(&self, count: usize) -> i128 {
        count.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |(_, sum)| *sum)
    }
}

/// A lease, with what earlier cut-offs already claim of it.
struct Across<'a> {
    lease: &'a Lease,
    /// What they claim of what is left in the end.
    claimed: i128,
    /// What they waived, since the last of its spends used it.
    waived: i128,
}

impl Across<'_> {
    /// What it spent from a cut-off on.
    fn after(&self, at: Instant) -> i128 {
        sum(self.lease.spends.iter().filter(|spend| spend.t >= at).map(|spend| spend.amount))
    }

    /// What was waived and is not spent by a cut-off.
    fn reserved(&self, at: Instant) -> i128 {
        if self.waived == 0 { 0 } else { self.waived.min(self.after(at)) }
    }

    /// What it held at a cut-off, less earlier claims; nothing if it was back by then.
    fn held(&self, at: Instant) -> i128 {
        let before = |moves: &[Debit]| sum(moves.iter().filter(|part| part.t < at).map(|part| part.amount));
        if self.lease.closed.is_some_and(|closed| closed < at) {
            return 0;
        }
        (before(&self.lease.grants) - before(&self.lease.spends) - self.claimed - self.reserved(at)).max(0)
    }

    /// What is left in the end of what it held, less earlier claims. A later spend uses up what it held first.
    fn left(&self, at: Instant) -> i128 {
        (self.held(at) - (self.after(at) - self.reserved(at))).max(0)
    }
}

fn sum(amounts: impl Iterator<Item = Amount>) -> i128 {
    amounts.map(plain).sum()
}

/// The sums above never pass 64 bits in practice; if they did, the nearest amount is the honest answer.
fn narrow(sum: i128) -> Amount {
    Amount(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
}

fn plain(amount: Amount) -> i128 {
    i128::from(amount.0.max(0))
}

/// What to post so that a cut-off stands as reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// From available to expired. `short` could not be taken yet, though it should: it is tried again when the member
    /// gets something back from a lease.
    Take {
        /// How much now.
        now: Amount,
        /// How much more.
        short: Amount,
    },
    /// Back to the member: a late fact says that less expired.
    GiveBack(Amount),
}

/// The difference between what is posted for a cut-off and what was reckoned, within what is available.
#[must_use]
pub fn difference(reckoned: Amount, posted: Amount, available: Amount) -> Change {
    let more = plain(reckoned) - plain(posted);
    if more < 0 {
        return Change::GiveBack(narrow(-more));
    }
    let now = more.min(plain(available));
    match more {
        0 => Change::None,
        _ => Change::Take { now: narrow(now), short: narrow(more - now) },
    }
}

/// Seconds that a lease granted now may live: the policy's, but never past the next cut-off at which something would
/// expire as things stand. Zero means that nothing may be granted.
#[must_use]
pub fn lease_ttl_s(policy_ttl_s: u64, now: Instant, account: Account<'_>) -> u64 {
    let next = reckon(account, Instant(i64::MAX))
        .into_iter()
        .find(|cut| cut.at > now && cut.due.is_positive())
        .map(|cut| u64::try_from(cut.at.since(now) / SECOND_US).unwrap_or(0));
    next.map_or(policy_ttl_s, |bound| bound.min(policy_ttl_s))
}

#[cfg(test)]
mod tests;
