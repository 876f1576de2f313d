//! Whether the terminal is ready to go offline: what it holds, until when that lasts, and which rules it cannot enforce
//! alone.
//!
//! Staff ask before the event, not during it. Each part has a grade and, where it runs out, a time; what the terminal
//! cannot know without the centre is named, one rule each, so that nobody finds out from a guest.
//! Invariant: a terminal with no bad part records every swipe; nothing here stops one.
//! Out of scope: readers, displays and printers, which do not depend on the connection; words.

use hufu_shared::ids::OfficeId;
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::time::{ClockQuality, DAY_US, Instant, MINUTE_US, SECOND_US};
pub use hufu_shared::wire::readiness::{Grade, Item, Part, Readiness, Unenforced};

use super::decide::value::{SPEND_STOPS_PERCENT, SWIPE_STOPS_PERCENT};
use super::timekeeping::Now;

/// A clock further off the centre's than this is worth a look, in microseconds.
pub const CLOCK_OFF_US: i64 = 120 * SECOND_US;
/// Free bytes below which facts will soon not fit.
pub const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// Free bytes below which it is time to make room.
pub const FREE_BYTES_LOW: u64 = 512 * 1024 * 1024;
/// What lasts less than this from now is worth a look: a day's work must fit.
pub const LASTS_US: i64 = DAY_US / 2;
/// The end of an allowance is told down to this, in microseconds: it is counted by another clock than the one it is told
/// by, and a time that wavers would wake every page at every tick.
const LEASE_STEP_US: i64 = 10 * MINUTE_US;

/// What the terminal holds.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// When the directory was last known to be current; none before the first.
    pub directory_at: Option<Instant>,
    /// The scheme in force.
    pub terms: Option<&'a SchemeTerms>,
    /// Occurrences in the directory.
    pub occurrences: &'a [OccurrenceRow],
    /// This office.
    pub here: OfficeId,
    /// Members with something to spend offline.
    pub leased: u64,
    /// Seconds until the first of them can no longer spend.
    pub leases_end_s: Option<u64>,
    /// What the centre's clock is ahead, in microseconds.
    pub offset_us: Option<i64>,
    /// How much of the room for records is used, in percent.
    pub used_percent: u8,
    /// Free bytes of the disk, if they can be told.
    pub free_bytes: Option<u64>,
}

/// How ready the terminal is now.
#[must_use]
pub fn readiness(held: &Held<'_>, now: &Now) -> Readiness {
    let parts = vec![
        directory(held, now),
        activity(held, now),
        scheme(held),
        leases(held, now),
        clock(held, now),
        disk(held),
    ];
    Readiness { parts, unenforced: unenforced(held, now) }
}

fn part(item: Item, grade: Grade, until: Option<Instant>) -> Part {
    Part { item, grade, until }
}

fn lasting(item: Item, until: Instant, now: &Now) -> Part {
    let short = until.since(now.trusted) < LASTS_US;
    part(item, if short { Grade::Look } else { Grade::Ready }, Some(until))
}

fn directory(held: &Held<'_>, now: &Now) -> Part {
    match (held.directory_at, held.terms) {
        (Some(at), Some(terms)) => {
            lasting(Item::Directory, at.offset(i64::from(terms.directory_age_max_s) * SECOND_US), now)
        }
        (Some(_), None) => part(Item::Directory, Grade::Look, None),
        // Every card would be unknown.
        (None, _) => part(Item::Directory, Grade::Bad, None),
    }
}

/// The approved occurrence that runs or comes next within a day.
fn next<'a>(held: &Held<'a>, now: &Now) -> Option<&'a OccurrenceRow> {
    let day = now.trusted.offset(DAY_US);
    let due = |row: &&OccurrenceRow| {
        row.is_held_at(held.here)
            && row.state == OccurrenceState::Approved
            && row.ends > now.trusted
            && row.starts < day
    };
    held.occurrences.iter().filter(due).min_by_key(|row| row.starts)
}

fn activity(held: &Held<'_>, now: &Now) -> Part {
    match next(held, now) {
        Some(row) => part(Item::Activity, Grade::Ready, Some(row.ends)),
        // A terminal without an activity records visits: nothing is lost, and perhaps something was forgotten.
        None => part(Item::Activity, Grade::Look, None),
    }
}

fn scheme(held: &Held<'_>) -> Part {
    part(Item::Scheme, if held.terms.is_some() { Grade::Ready } else { Grade::Look }, None)
}

fn leases(held: &Held<'_>, now: &Now) -> Part {
    match (held.leased, held.leases_end_s) {
        (0, _) => part(Item::Leases, Grade::Look, None),
        (_, None) => part(Item::Leases, Grade::Ready, None),
        (_, Some(seconds)) => {
            let us = i64::try_from(seconds).unwrap_or(i64::MAX / SECOND_US).saturating_mul(SECOND_US);
            let end = now.trusted.offset(us);
            lasting(Item::Leases, Instant(end.0 - end.0.rem_euclid(LEASE_STEP_US)), now)
        }
    }
}

fn clock(held: &Held<'_>, now: &Now) -> Part {
    let off = held.offset_us.is_some_and(|offset| offset.saturating_abs() > CLOCK_OFF_US);
    let unsure = now.quality == ClockQuality::Floor;
    part(Item::Clock, if off || unsure { Grade::Look } else { Grade::Ready }, None)
}

fn disk(held: &Held<'_>) -> Part {
    let below = |bytes: u64| held.free_bytes.is_some_and(|free| free < bytes);
    let grade = if held.used_percent >= SWIPE_STOPS_PERCENT || below(FREE_BYTES_MIN) {
        Grade::Bad
    } else if held.used_percent >= SPEND_STOPS_PERCENT || below(FREE_BYTES_LOW) {
        Grade::Look
    } else {
        Grade::Ready
    };
    part(Item::Disk, grade, None)
}

fn unenforced(held: &Held<'_>, now: &Now) -> Vec<Unenforced> {
    let occurrence = next(held, now);
    let earns = held.terms.is_some_and(|terms| terms.earns());
    let rules = [
        (true, Unenforced::LostElsewhere),
        (true, Unenforced::NewCards),
        (occurrence.is_some_and(|row| row.admits_once), Unenforced::OnceOverAll),
        (occurrence.is_some_and(|row| row.places.is_some()), Unenforced::Places),
        (earns, Unenforced::SlipsElsewhere),
        (earns || occurrence.is_some_and(|row| row.points.is_positive()), Unenforced::Approval),
    ];
    rules.into_iter().filter(|rule| rule.0).map(|rule| rule.1).collect()
}

#[cfg(test)]
mod tests;
