//! Redemption 兑付 (K24), as plain functions: what a plan must say, whom it fits, which steps it takes, and what one
//! member gets by it.
//!
//! Out of scope: who has which tag or level (the shell asks the vault), postings and shelves ([`super::apply`]).

use hufu_shared::act::{RedeemedBy, RedeemedFor, RedemptionPlan, RedemptionStep};
use hufu_shared::ids::MemberId;
use hufu_shared::scheme::Words;

use super::points::POINTS_MAX;

/// Characters of a plan's name at most.
pub const NAME_CHARS_MAX: usize = 50;
/// Members that a plan lists at most.
pub const LISTED_MAX: usize = 500;
/// What a point is worth at most, in fen: ten thousand yuan is a slip of the finger.
pub const FEN_PER_POINT_MAX: i64 = 1_000_000;

/// Where a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It waits for another person.
    Planned,
    /// It can be carried out.
    Approved,
    /// It went back to who planned it.
    Returned,
    /// Nothing more is redeemed by it.
    Ended,
}

impl State {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 4] = [
        (Self::Planned, "planned"),
        (Self::Approved, "approved"),
        (Self::Returned, "returned"),
        (Self::Ended, "ended"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("planned", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether the plan may still be changed.
    #[must_use]
    pub fn may_change(self) -> bool {
        matches!(self, Self::Planned | Self::Returned)
    }

    /// Where a plan is after a step; none if the step cannot be taken. `by_planner` says that who takes it planned it.
    #[must_use]
    pub fn after(self, step: RedemptionStep, by_planner: bool) -> Option<Self> {
        match (self, step) {
            (Self::Planned, RedemptionStep::Approve) if !by_planner => Some(Self::Approved),
            (Self::Planned, RedemptionStep::Return) if !by_planner => Some(Self::Returned),
            (Self::Planned | Self::Approved | Self::Returned, RedemptionStep::End) => Some(Self::Ended),
            _ => None,
        }
    }
}

/// Why a plan cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPlanned {
    /// No name, or one that is too long.
    #[error("a name of 1 to {NAME_CHARS_MAX} characters is expected in both languages")]
    Name,
    /// The period ends before it begins.
    #[error("the last day lies before the first")]
    Period,
    /// No cost, no worth, or more than anybody has.
    #[error("a cost in points and a worth within bounds are expected")]
    Worth,
    /// Too many members are listed, or the range of points is none.
    #[error("whom the plan is for says nothing that can be")]
    Whom,
}

/// Whether a plan says all that it must.
///
/// # Errors
/// [`NotPlanned`] with the first thing that is wrong with it.
pub fn check(plan: &RedemptionPlan) -> Result<(), NotPlanned> {
    let fits = |word: &str| (1..=NAME_CHARS_MAX).contains(&word.trim().chars().count());
    if !fits(&plan.name.zh) || !fits(&plan.name.en) {
        return Err(NotPlanned::Name);
    }
    if plan.until < plan.from {
        return Err(NotPlanned::Period);
    }
    let has_worth = match plan.what {
        RedeemedFor::Gift { points, .. } => (1..=POINTS_MAX).contains(&points),
        RedeemedFor::Cash { fen_per_point, points } => {
            (1..=FEN_PER_POINT_MAX).contains(&fen_per_point) && (0..=POINTS_MAX).contains(&points)
        }
    };
    if !has_worth {
        return Err(NotPlanned::Worth);
    }
    let by = &plan.by;
    let is_range = by.at_least >= 0 && by.at_most.is_none_or(|most| most >= by.at_least.max(1));
    if by.members.len() > LISTED_MAX || !is_range {
        return Err(NotPlanned::Whom);
    }
    Ok(())
}

/// Whether a member belongs to those whom a plan names by list and level. Tags are looked up where they are sealed, and
/// points when it is carried out.
#[must_use]
pub fn is_named(by: &RedeemedBy, member: MemberId, level: Option<&Words>) -> bool {
    let listed = by.members.is_empty() || by.members.contains(&member);
    let of_level = |level: &Words| by.levels.iter().any(|name| *name == level.zh || *name == level.en);
    listed && (by.levels.is_empty() || level.is_some_and(of_level))
}

/// What one member gives and gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Points taken, above zero.
    pub points: i64,
    /// Stored value given, in fen.
    pub fen: i64,
    /// Pieces handed out.
    pub pieces: i64,
}

/// What a member with so many points gets by a plan; none if the plan is not for them, or they have too few.
#[must_use]
pub fn line(plan: &RedemptionPlan, available: i64) -> Option<Line> {
    let in_range = available >= plan.by.at_least && plan.by.at_most.is_none_or(|most| available <= most);
    let line = match plan.what {
        RedeemedFor::Gift { points, .. } => Line { points, fen: 0, pieces: 1 },
        RedeemedFor::Cash { fen_per_point, points } => {
            let points = if points == 0 { available } else { points };
            Line { points, fen: points.checked_mul(fen_per_point)?, pieces: 0 }
        }
    };
    (in_range && line.points > 0 && line.points <= available).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::{Hash, ItemId, OfficeId};
    use hufu_shared::time::Day;

    fn plan(what: RedeemedFor) -> RedemptionPlan {
        RedemptionPlan {
            id: Hash([1; 32]),
            name: Words { zh: "年终兑礼".to_owned(), en: "Year-end gifts".to_owned() },
            from: Day(100),
            until: Day(130),
            office: OfficeId([2; 16]),
            by: RedeemedBy::default(),
            what,
        }
    }

    fn gift(points: i64) -> RedemptionPlan {
        plan(RedeemedFor::Gift { item: ItemId([3; 16]), points })
    }

    fn cash(fen_per_point: i64, points: i64) -> RedemptionPlan {
        plan(RedeemedFor::Cash { fen_per_point, points })
    }

    #[test]
    fn rule_k24_a_plan_says_its_name_period_worth_and_whom_it_is_for() {
        assert_eq!(check(&gift(500)), Ok(()));
        assert_eq!(check(&cash(100, 0)), Ok(()));
        let nameless = RedemptionPlan { name: Words { zh: " ".to_owned(), en: "x".to_owned() }, ..gift(5) };
        assert_eq!(check(&nameless), Err(NotPlanned::Name));
        assert_eq!(check(&RedemptionPlan { until: Day(99), ..gift(5) }), Err(NotPlanned::Period));
        for worthless in
            [gift(0), gift(POINTS_MAX + 1), cash(0, 1), cash(FEN_PER_POINT_MAX + 1, 1), cash(1, -1)]
        {
            assert_eq!(check(&worthless), Err(NotPlanned::Worth), "{:?}", worthless.what);
        }
        let by = |at_least, at_most| RedeemedBy { at_least, at_most, ..RedeemedBy::default() };
        for by in [by(-1, None), by(100, Some(99)), by(0, Some(0))] {
            assert_eq!(check(&RedemptionPlan { by, ..gift(5) }), Err(NotPlanned::Whom));
        }
        let listed = RedeemedBy { members: vec![MemberId([0; 16]); LISTED_MAX + 1], ..RedeemedBy::default() };
        assert_eq!(check(&RedemptionPlan { by: listed, ..gift(5) }), Err(NotPlanned::Whom));
    }

    #[test]
    fn rule_k24_another_person_approves_or_returns_and_an_ended_plan_stays_ended() {
        use RedemptionStep::{Approve, End, Return};
        use State::{Approved, Ended, Planned, Returned};
        for (state, step, by_planner, expected) in [
            (Planned, Approve, false, Some(Approved)),
            (Planned, Approve, true, None),
            (Planned, Return, false, Some(Returned)),
            (Planned, Return, true, None),
            (Returned, Approve, false, None),
            (Planned, End, true, Some(Ended)),
            (Approved, End, false, Some(Ended)),
            (Ended, End, false, None),
            (Ended, Approve, false, None),
        ] {
            assert_eq!(state.after(step, by_planner), expected, "{state:?} {step:?} {by_planner}");
        }
        let changeable = State::CODES.map(|row| row.0).into_iter().filter(|state| state.may_change());
        assert_eq!(changeable.collect::<Vec<_>>(), [Planned, Returned]);
        for (state, code) in State::CODES {
            assert_eq!((state.code(), State::from_code(code)), (code, Some(state)));
        }
    }

    #[test]
    fn rule_k24_a_member_gets_a_gift_or_cash_for_points_they_have() {
        assert_eq!(line(&gift(500), 500), Some(Line { points: 500, fen: 0, pieces: 1 }));
        assert_eq!(line(&gift(500), 499), None);
        assert_eq!(line(&cash(100, 30), 40), Some(Line { points: 30, fen: 3_000, pieces: 0 }));
        assert_eq!(
            line(&cash(100, 0), 40),
            Some(Line { points: 40, fen: 4_000, pieces: 0 }),
            "one to one, S5"
        );
        assert_eq!(line(&cash(100, 0), 0), None);
        assert_eq!(line(&cash(FEN_PER_POINT_MAX, 0), i64::MAX), None, "no number");
        let by = RedeemedBy { at_least: 10, at_most: Some(20), ..RedeemedBy::default() };
        let ranged = RedemptionPlan { by, ..cash(100, 0) };
        let got = [9, 10, 20, 21].map(|available| line(&ranged, available).map(|line| line.points));
        assert_eq!(got, [None, Some(10), Some(20), None]);
    }

    #[test]
    fn rule_k24_a_plan_names_members_by_list_and_level() {
        let (one, other) = (MemberId([1; 16]), MemberId([2; 16]));
        let gold = Words { zh: "金卡".to_owned(), en: "Gold".to_owned() };
        let all = RedeemedBy::default();
        assert!(is_named(&all, one, None));
        let listed = RedeemedBy { members: vec![one], ..RedeemedBy::default() };
        assert_eq!([one, other].map(|member| is_named(&listed, member, None)), [true, false]);
        for name in ["金卡", "Gold"] {
            let of_level = RedeemedBy { levels: vec![name.to_owned()], ..RedeemedBy::default() };
            assert!(is_named(&of_level, one, Some(&gold)));
            assert!(!is_named(&of_level, one, None));
        }
    }
}
