//! What who may do at the counter, and how often a PIN may be mistyped. Pure.
//!
//! A terminal that knows no operators asks for none. Where it does, somebody signs in; after a while without an act at
//! the page the counter locks. A locked counter still checks members in: a queue at the door must not wait for a PIN.
//! Out of scope: which people have which role, and where PINs are kept.

use serde::{Deserialize, Serialize};

use super::pairing::Lock;
use hufu_shared::time::{Instant, SECOND_US};

/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;
/// Wrong PINs after which an operator waits.
pub const PIN_TRIES_MAX: u32 = 5;
/// The first wait, in microseconds; it doubles with each further round of wrong PINs.
pub const PIN_WAIT_FIRST_US: i64 = 5 * 60 * SECOND_US;
/// The longest wait, in microseconds.
pub const PIN_WAIT_MAX_US: i64 = 3_600 * SECOND_US;
/// Seconds without an act at the page after which the counter locks.
pub const AUTO_LOCK_S: u64 = 180;

/// What somebody is at the counter; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 迎宾: receives guests.
    Steward,
    /// 前台: serves members.
    Clerk,
    /// 主管: answers for the desk.
    Supervisor,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 3] = [Self::Steward, Self::Clerk, Self::Supervisor];

    /// Its name in configuration and texts.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Clerk => "clerk",
            Self::Supervisor => "supervisor",
        }
    }
}

/// A kind of act at the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Checking in and out, visits, the list of a batch.
    CheckIn,
    /// Receiving guests: forms, gifts.
    Guest,
    /// Trying the terminal's parts, and practising: nothing of it counts.
    Trial,
    /// Looking at members and what is theirs.
    Member,
    /// Moving points or money, and taking that back.
    Value,
    /// Counting the drawer.
    Shift,
    /// Paying money out.
    CashOut,
    /// Letting tablets in and out.
    Tablets,
}

impl Act {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::CheckIn,
        Self::Guest,
        Self::Trial,
        Self::Member,
        Self::Value,
        Self::Shift,
        Self::CashOut,
        Self::Tablets,
    ];

    /// The least role that may; none where nobody need be signed in.
    #[must_use]
    pub fn needs(self) -> Option<Role> {
        match self {
            Self::CheckIn => None,
            Self::Guest | Self::Trial => Some(Role::Steward),
            Self::Member | Self::Value | Self::Shift => Some(Role::Clerk),
            Self::CashOut | Self::Tablets => Some(Role::Supervisor),
        }
    }
}

/// Who is at the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staff {
    /// The terminal knows no operators and asks for none.
    Unasked,
    /// Nobody is signed in: the counter is locked.
    Away,
    /// Somebody is.
    Here(Role),
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// Somebody must sign in first.
    SignIn,
    /// It takes another role.
    Role(Role),
}

/// Whether who is at the counter may do something.
///
/// # Errors
/// [`Barred`] with what is missing.
pub fn may(staff: Staff, act: Act) -> Result<(), Barred> {
    match (staff, act.needs()) {
        (Staff::Unasked, _) | (_, None) => Ok(()),
        (Staff::Away, Some(_)) => Err(Barred::SignIn),
        (Staff::Here(role), Some(needed)) if role >= needed => Ok(()),
        (Staff::Here(_), Some(needed)) => Err(Barred::Role(needed)),
    }
}

/// After a wrong PIN. Counted before the PIN is looked at, so that a power cut forgives nothing.
#[must_use]
pub fn after_wrong_pin(lock: Lock, now: Instant) -> Lock {
    let failed = lock.failed.saturating_add(1);
    if !failed.is_multiple_of(PIN_TRIES_MAX) {
        return Lock { failed, until: lock.until };
    }
    let rounds = (failed / PIN_TRIES_MAX).saturating_sub(1).min(16);
    let wait = PIN_WAIT_FIRST_US.saturating_mul(1 << rounds).min(PIN_WAIT_MAX_US);
    Lock { failed, until: now.offset(wait) }
}

/// Tries that are left before the next wait.
#[must_use]
pub fn tries_left(lock: &Lock) -> u32 {
    PIN_TRIES_MAX - lock.failed % PIN_TRIES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_may_do_is_one_table() {
        let table = [
            (Act::CheckIn, [true, true, true, true]),
            (Act::Guest, [false, true, true, true]),
            (Act::Trial, [false, true, true, true]),
            (Act::Member, [false, false, true, true]),
            (Act::Value, [false, false, true, true]),
            (Act::Shift, [false, false, true, true]),
            (Act::CashOut, [false, false, false, true]),
            (Act::Tablets, [false, false, false, true]),
        ];
        assert_eq!(table.map(|(act, _)| act), Act::ALL);
        let [steward, clerk, supervisor] = Role::ALL.map(Staff::Here);
        for (act, expected) in table {
            assert_eq!(may(Staff::Unasked, act), Ok(()), "{act:?} where nobody is asked");
            let met = [Staff::Away, steward, clerk, supervisor].map(|staff| may(staff, act).is_ok());
            assert_eq!(met, expected, "{act:?}");
        }
        assert_eq!(may(Staff::Away, Act::Value), Err(Barred::SignIn));
        assert_eq!(may(clerk, Act::CashOut), Err(Barred::Role(Role::Supervisor)));
    }

    #[test]
    fn threat_a_pin_that_is_guessed_at_makes_its_operator_wait_longer_each_round() {
        let (mut lock, now) = (Lock::default(), Instant(0));
        let mut waits = Vec::new();
        for round in 1..=6 * PIN_TRIES_MAX {
            assert_eq!(tries_left(&lock), PIN_TRIES_MAX - (round - 1) % PIN_TRIES_MAX);
            let before = lock.until;
            lock = after_wrong_pin(lock, now);
            if round.is_multiple_of(PIN_TRIES_MAX) {
                waits.push(lock.until.0 / SECOND_US / 60);
            } else {
                assert_eq!(lock.until, before);
            }
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
    }
}
