//! Standing in 代理: who decides in whose place, and for how long, as plain functions.
//!
//! Somebody who goes away names who decides in their place from one instant up to another. A stand-in has the rights of
//! whom they stand in for and no more, does not hand them on, and never decides what either of the two asked for
//! ([`hufu_shared::act::Actor::owns`]). Out of scope: signing in, which is everybody's own.

use hufu_shared::act::{Actor, StandInNamed};
use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::time::{DAY_US, Instant};

use super::joining::roles::Account;

/// Longest time for which a stand-in is named at once: who is away for longer names one again.
pub const LONGEST_US: i64 = 92 * DAY_US;

/// A naming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownStandIn {
    /// Its name.
    pub id: Hash,
    /// Who is away.
    pub person: OperatorId,
    /// Who decides.
    pub stand_in: OperatorId,
    /// From when on.
    pub from: Instant,
    /// Up to when.
    pub until: Instant,
    /// When it was named.
    pub named: Instant,
    /// When the person ended it before its time.
    pub ended: Option<Instant>,
}

impl KnownStandIn {
    /// Whether it holds at an instant.
    #[must_use]
    pub fn holds(&self, at: Instant) -> bool {
        (self.from..self.until).contains(&at) && self.ended.is_none_or(|ended| at < ended)
    }

    /// Whether it holds at an instant, or will.
    #[must_use]
    pub fn is_open(&self, at: Instant) -> bool {
        at < self.until && self.ended.is_none()
    }
}

/// Why a stand-in cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNamed {
    /// Nobody stands in for themselves.
    Own,
    /// It ends before it begins, or has ended by now.
    Period,
    /// It lasts too long.
    Long,
}

/// Whether somebody may name a stand-in so.
///
/// # Errors
/// [`NotNamed`] with the first thing that is wrong.
pub fn check(person: OperatorId, named: &StandInNamed, now: Instant) -> Result<(), NotNamed> {
    match named.until.since(named.from) {
        _ if named.stand_in == person => Err(NotNamed::Own),
        _ if named.until <= named.from || named.until <= now => Err(NotNamed::Period),
        lasting if lasting > LONGEST_US => Err(NotNamed::Long),
        _ => Ok(()),
    }
}

/// Whether an account may stand in for another: for one of the centre's own people another of them, who sees no more by it;
/// for one of a dealer's people one of the same office, or of the centre.
#[must_use]
pub fn may_stand_in(person: &Account, stand_in: &Account) -> bool {
    let is_same_office = person.office.is_some() && person.office == stand_in.office;
    person.id != stand_in.id
        && (stand_in.role.is_of_centre() || (!person.role.is_of_centre() && is_same_office))
}

/// Whether somebody stands in by one of these namings at an instant.
#[must_use]
pub fn stands_in<'a>(
    all: impl IntoIterator<Item = &'a KnownStandIn>,
    stand_in: OperatorId,
    at: Instant,
) -> bool {
    all.into_iter().any(|known| known.stand_in == stand_in && known.holds(at))
}

/// As whom somebody may decide what `asker` asked for: in their own right first, then in the place of each whom they stand
/// in for. `covers` says whose say it is. Nobody decides what is theirs, neither by a stand-in nor as one.
#[must_use]
pub fn rights(
    who: &Account,
    stands_for: &[Account],
    asker: &str,
    covers: impl Fn(&Account) -> bool,
) -> Vec<Actor> {
    let own = [(Actor::Admin(who.id), who)];
    let others = stands_for.iter().map(|person| (Actor::StandIn(who.id, person.id), person));
    let all = own.into_iter().chain(others);
    all.filter(|(actor, right)| covers(right) && !actor.owns(asker)).map(|(actor, _)| actor).collect()
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::OfficeId;

    use super::*;
    use crate::rules::joining::roles::Role;

    const AWAY: OperatorId = OperatorId([1; 16]);
    const PRESENT: OperatorId = OperatorId([2; 16]);

    fn known(from: i64, until: i64, ended: Option<i64>) -> KnownStandIn {
        KnownStandIn {
            id: Hash([1; 32]),
            person: AWAY,
            stand_in: PRESENT,
            from: Instant(from),
            until: Instant(until),
            named: Instant(0),
            ended: ended.map(Instant),
        }
    }

    /// Case table: from, until, ended, at; whether it holds, whether it is open.
    #[test]
    fn a_naming_holds_from_its_first_instant_up_to_its_last_or_its_end() {
        for (from, until, ended, at, holds, open) in [
            (10, 20, None, 9, false, true),
            (10, 20, None, 10, true, true),
            (10, 20, None, 19, true, true),
            (10, 20, None, 20, false, false),
            (10, 20, Some(15), 14, true, false),
            (10, 20, Some(15), 15, false, false),
        ] {
            let known = known(from, until, ended);
            assert_eq!(
                (known.holds(Instant(at)), known.is_open(Instant(at))),
                (holds, open),
                "{at} {ended:?}"
            );
            assert_eq!(stands_in([&known], PRESENT, Instant(at)), holds);
            assert!(!stands_in([&known], AWAY, Instant(at)), "not the other way round");
        }
    }

    #[test]
    fn nobody_names_themselves_nor_a_time_that_is_none() {
        let of = |stand_in, from: i64, until: i64| {
            let id = Hash([1; 32]);
            StandInNamed { id, stand_in, from: Instant(from), until: Instant(until) }
        };
        for (named, expected) in [
            (of(PRESENT, 10, 20), Ok(())),
            (of(AWAY, 10, 20), Err(NotNamed::Own)),
            (of(PRESENT, 20, 20), Err(NotNamed::Period)),
            (of(PRESENT, 1, 5), Err(NotNamed::Period)),
            (of(PRESENT, 10, 10 + LONGEST_US), Ok(())),
            (of(PRESENT, 10, 11 + LONGEST_US), Err(NotNamed::Long)),
        ] {
            assert_eq!(check(AWAY, &named, Instant(5)), expected, "{named:?}");
        }
    }

    #[test]
    fn rule_l01_nobody_sees_more_of_the_members_by_standing_in_for_the_centre() {
        let account = |n: u8, role, office: u8| Account {
            id: OperatorId([n; 16]),
            role,
            superior: None,
            office: (office > 0).then_some(OfficeId([office; 16])),
        };
        let (admin, clerk) = (account(1, Role::Admin, 0), account(2, Role::Clerk, 0));
        let (supervisor, promoter) = (account(3, Role::Supervisor, 1), account(4, Role::Promoter, 1));
        let elsewhere = account(5, Role::Supervisor, 2);
        for (person, stand_in, may) in [
            (&admin, &clerk, true),
            (&clerk, &admin, true),
            (&admin, &admin, false),
            (&admin, &supervisor, false),
            (&supervisor, &promoter, true),
            (&supervisor, &clerk, true),
            (&supervisor, &elsewhere, false),
        ] {
            assert_eq!(may_stand_in(person, stand_in), may, "{:?} {:?}", person.role, stand_in.role);
        }
    }

    /// Case table: who asked; as whom a clerk who stands in for a supervisor and an admin may decide it.
    #[test]
    fn rule_k21_nobody_decides_their_own_nor_as_stand_in_of_who_asked() {
        let account = |n: u8, role| Account { id: OperatorId([n; 16]), role, superior: None, office: None };
        let (clerk, admin) = (account(1, Role::Clerk), account(2, Role::Admin));
        let supervisor = account(3, Role::Supervisor);
        let persons = [admin, supervisor];
        let name = |person: &Account| Actor::Admin(person.id).to_string();
        let own = || Actor::Admin(clerk.id);
        let of = |person: &Account| Actor::StandIn(clerk.id, person.id);
        let centre = |account: &Account| account.role.is_of_centre();
        for (asker, expected) in [
            ("job/points".to_owned(), vec![own(), of(&admin)]),
            (name(&clerk), vec![]),
            (name(&admin), vec![own()]),
            (name(&supervisor), vec![own(), of(&admin)]),
        ] {
            assert_eq!(rights(&clerk, &persons, &asker, centre), expected, "{asker}");
        }
        let theirs = |account: &Account| account.id == supervisor.id;
        assert_eq!(rights(&clerk, &persons, "", theirs), [of(&supervisor)], "by whose right alone it is");
    }
}
