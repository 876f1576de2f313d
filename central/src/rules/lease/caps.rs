//! How much the centre sets aside: ahead of need within caps, or because a device asks for one spend.
//!
//! Never more than `available`; nothing while something is owed or a recovery runs. Ahead of need, one lease is filled
//! up to the smaller of a share of what the member could have here and the office's cap, and a member's escrow over all
//! devices stays below a share of available + escrow. Asked for, both caps give way, and the device's limit per day
//! counts instead. What one device holds over all members is bounded either way.
//! Filling up is idempotent: without a spend in between, a second proposal gives nothing.
//! Out of scope: who asks when, recalls in flight.

use hufu_shared::ids::{DeviceId, LeaseId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::mutant::{Mutant, on};
use hufu_shared::policy::LeasePolicy;

use super::LeaseRow;

/// Per cent in a whole.
const WHOLE_PERCENT: i64 = 100;

/// What a grant is decided by. All amounts are of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// The unit.
    pub unit: Unit,
    /// The member's `available`.
    pub available: Amount,
    /// The member's `owed`.
    pub owed: Amount,
    /// The member's escrow over all devices.
    pub member_escrow: Amount,
    /// The open generation of the lease of this device, member and unit.
    pub open: Option<LeaseRow>,
    /// Escrow of this device over all members.
    pub device_escrow: Amount,
    /// What was raised on demand at this device on this business day.
    pub device_raised: Amount,
    /// The centre recovers from a rollback.
    pub recovering: bool,
    /// The device's leases are frozen, or the device is not active.
    pub frozen: bool,
    /// The member is active and not blocked, merged away or erased, and what they have in the unit is not frozen.
    pub member_active: bool,
    /// The member was seen at that office in the days of the policy by other devices, by a central booking, or with a
    /// card proof.
    pub known_here: bool,
}

/// Why something is to be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Ahead of need.
    Ahead,
    /// A device asked for one spend, naming what `granted_total` must reach.
    Authorize {
        /// The device's `spent_total` and the amount to be spent.
        wanted_total: Amount,
    },
}

/// Why nothing is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// The centre recovers.
    #[error("no lease while the centre recovers")]
    Recovering,
    /// The device may hold none.
    #[error("leases of this device are frozen")]
    Frozen,
    /// The member may have none.
    #[error("member expected active")]
    Member,
    /// The member was not seen here by anyone but this device.
    #[error("member not known at this office")]
    NotSeenHere,
    /// The member owes something.
    #[error("{owed} owed comes first")]
    Owing {
        /// How much.
        owed: Amount,
    },
    /// A limit of the device leaves room for less.
    #[error("device limit leaves {room}")]
    Limit {
        /// What it leaves.
        room: Amount,
    },
    /// The member has less than is missing.
    #[error("only {available} available of {missing}")]
    TooLittle {
        /// What the member has available.
        available: Amount,
        /// What is missing for the spend.
        missing: Amount,
    },
    /// The caps allow no more; ahead of need only.
    #[error("lease is full")]
    Full,
}

/// How much to move from `available` into the lease now, above zero; zero only if a device asks for what it has.
///
/// # Errors
/// [`NotGranted`] with what stands against it.
pub fn propose(book: &Book, ask: Ask, policy: &LeasePolicy) -> Result<Amount, NotGranted> {
    allowed(book)?;
    match ask {
        Ask::Ahead => ahead(book, policy),
        Ask::Authorize { wanted_total } => authorize(book, wanted_total, policy),
    }
}

fn allowed(book: &Book) -> Result<(), NotGranted> {
    if book.recovering && !on(Mutant::GrantDuringRecovery) {
        return Err(NotGranted::Recovering);
    }
    if book.frozen {
        return Err(NotGranted::Frozen);
    }
    if !book.member_active {
        return Err(NotGranted::Member);
    }
    if book.owed.is_positive() {
        return Err(NotGranted::Owing { owed: book.owed });
    }
    Ok(())
}

fn ahead(book: &Book, policy: &LeasePolicy) -> Result<Amount, NotGranted> {
    if !book.known_here {
        return Err(NotGranted::NotSeenHere);
    }
    let remaining = book.open.as_ref().map_or(Amount::ZERO, LeaseRow::remaining);
    let within_reach = Amount(book.available.0.saturating_add(remaining.0));
    let cap = share(within_reach, policy.available_share_percent).min(limit(&policy.office_cap, book.unit));
    let all = Amount(book.available.0.saturating_add(book.member_escrow.0));
    let escrow_cap = share(all, policy.escrow_share_percent);
    let room = device_room(book, policy);
    let amount = less(cap, remaining).min(less(escrow_cap, book.member_escrow)).min(book.available);
    if amount.is_positive() && !room.is_positive() {
        return Err(NotGranted::Limit { room });
    }
    let amount = amount.min(room);
    if amount.is_positive() { Ok(amount) } else { Err(NotGranted::Full) }
}

/// All that is missing or nothing: a part would lie stranded, since the spend it was asked for is all or nothing too.
fn authorize(book: &Book, wanted_total: Amount, policy: &LeasePolicy) -> Result<Amount, NotGranted> {
    let granted = book.open.as_ref().map_or(Amount::ZERO, |row| row.granted_total);
    let missing = less(wanted_total, granted);
    if missing > book.available {
        return Err(NotGranted::TooLittle { available: book.available, missing });
    }
    let today = less(limit(&policy.device_daily, book.unit), book.device_raised);
    let room = device_room(book, policy).min(today);
    if missing > room {
        return Err(NotGranted::Limit { room });
    }
    Ok(missing)
}

fn device_room(book: &Book, policy: &LeasePolicy) -> Amount {
    less(limit(&policy.device_cap, book.unit), book.device_escrow)
}

/// `a` − `b`, not below zero.
fn less(a: Amount, b: Amount) -> Amount {
    Amount(a.0.saturating_sub(b.0).max(0))
}

/// A unit without an entry has no room: a unit is leased only where somebody said how much.
fn limit(limits: &[Leg], unit: Unit) -> Amount {
    limits.iter().find(|leg| leg.unit == unit).map_or(Amount::ZERO, |leg| leg.amount)
}

/// So many per cent, rounded down. Divides first where the product would pass 64 bits.
fn share(amount: Amount, percent: u8) -> Amount {
    let percent = i64::from(percent);
    let share = amount.0.checked_mul(percent).map_or_else(
        || (amount.0 / WHOLE_PERCENT).saturating_mul(percent),
        |product| product / WHOLE_PERCENT,
    );
    Amount(share.max(0))
}

/// A lease that may be recalled for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recallable {
    /// Which lease.
    pub lease: LeaseId,
    /// Its generation.
    pub generation: u32,
    /// Who holds it.
    pub device: DeviceId,
    /// What its close will return at most.
    pub amount: Amount,
}

/// Which leases to recall so that `missing` can be raised at `here`: the fewest holders, the fullest first. Empty if
/// all holders together have too little: recalling would take allowance from everybody for nothing.
#[must_use]
pub fn recall(rows: &[LeaseRow], unit: Unit, here: DeviceId, missing: Amount) -> Vec<Recallable> {
    let mut holders: Vec<Recallable> = rows
        .iter()
        .filter(|row| row.unit == unit && row.device != here && row.remaining().is_positive())
        .map(|row| Recallable {
            lease: row.lease,
            generation: row.generation,
            device: row.device,
            amount: row.remaining(),
        })
        .collect();
    holders.sort_by_key(|holder| (std::cmp::Reverse(holder.amount), holder.lease, holder.generation));
    let mut gathered = Amount::ZERO;
    let enough = holders.iter().position(|holder| {
        gathered = Amount(gathered.0.saturating_add(holder.amount.0));
        gathered >= missing
    });
    enough.map_or_else(Vec::new, |last| holders[..=last].to_vec())
}
