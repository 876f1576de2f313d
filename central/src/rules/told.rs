//! Events that earn and are no purchases, and orders refused at the door (B3, G8, K20, K21), as plain functions: what one
//! must say, and by which moment the version of the scheme is chosen that rates it. What it gives or costs is the scheme
//! library's to say ([`hufu_shared::rules::told`]); what waits for approval is a change of points as any other
//! ([`super::points`]).
//!
//! What is posted counts from the day on which it is posted, as a change by hand does: an event that is told late gives
//! nothing to a day that is settled. Out of scope: postings ([`super::apply`]) and words.

use hufu_shared::act::EventTold;
use hufu_shared::ids::{Hash, OccurrenceId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::rules::calendar;
use hufu_shared::rules::whatif::AMOUNT_MAX;
use hufu_shared::scheme::earning::{Balance, EarnKind, Once, ToldTerms};
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::points;
use super::world::GivenForEvent;

/// Characters of a serial at most.
pub const SERIAL_CHARS_MAX: usize = 64;
/// Characters of a code at most, as a scheme writes it.
pub const CODE_CHARS_MAX: usize = 40;
/// All of a price was received.
pub const PAID_WHOLE: u8 = 100;

/// Why an event is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// It is none of those that somebody tells of.
    #[error("an activity, care, a complaint, a task, a reward or a refused order expected")]
    Kind,
    /// The code is no code.
    #[error("a code of at most {CODE_CHARS_MAX} characters expected")]
    Code,
    /// It has no serial, or one that is none.
    #[error("a serial of 1 to {SERIAL_CHARS_MAX} characters expected")]
    Serial,
    /// It is to come.
    #[error("a day expected that is not to come")]
    Day,
    /// What it cost, or which part was received, is no such number.
    #[error("fen from 0 to {AMOUNT_MAX} and 0 to 100 per cent expected")]
    Amount,
    /// It is an activity, and none that was approved is named (K26).
    #[error("an approved activity is expected")]
    Activity,
    /// It is an activity whose own plan gives points for attending (K26): nothing is given twice.
    #[error("an activity expected whose plan gives no points")]
    Planned,
    /// The member's part in the activity was told under another serial, and given for (K26).
    #[error("the member's part in this activity was given for before")]
    Given,
    /// The member does not take part.
    #[error("the member does not take part")]
    Member,
    /// Another event was told under this serial.
    #[error("the serial stands for another event")]
    Other,
    /// There is no such event.
    #[error("an event that was told is expected")]
    Unknown,
    /// It was taken back before.
    #[error("the event was taken back before")]
    TakenBack,
    /// Nothing is taken from anybody while the centre recovers.
    #[error("the centre recovers and takes nothing from anybody")]
    Recovering,
}

/// Whether an event says all that it must. `today` is the business day of its telling at its office, `held` the holding of
/// an activity that it names.
///
/// # Errors
/// [`NotTold`] with the first thing that is wrong with it.
pub fn check(told: &EventTold, today: Day, held: Option<&OccurrenceRow>) -> Result<(), NotTold> {
    let is_plain = |text: &str, most: usize| text.chars().count() <= most && !text.contains(char::is_control);
    if !EarnKind::TOLD.contains(&told.kind) {
        return Err(NotTold::Kind);
    }
    if !is_plain(&told.of, CODE_CHARS_MAX) {
        return Err(NotTold::Code);
    }
    let is_named = told.id == EventTold::name(told.kind, &told.serial);
    if told.serial.is_empty() || !is_plain(&told.serial, SERIAL_CHARS_MAX) || !is_named {
        return Err(NotTold::Serial);
    }
    if told.day > today {
        return Err(NotTold::Day);
    }
    if !(0..=AMOUNT_MAX).contains(&told.cost.0) || told.paid_percent > PAID_WHOLE {
        return Err(NotTold::Amount);
    }
    let is_activity = told.kind == EarnKind::Activity;
    if (is_activity || told.occurrence.is_some()) && !points::is_held(held.map(|row| row.state)) {
        return Err(NotTold::Activity);
    }
    let gives = is_activity && held.is_some_and(|row| row.points.is_positive());
    if gives { Err(NotTold::Planned) } else { Ok(()) }
}

/// Whether part in an activity was given for before: told under another serial it is the same part, if its code is the same.
#[must_use]
pub fn was_given(told: &EventTold, given: &[GivenForEvent]) -> bool {
    let is_same = |(held, code): &(OccurrenceId, String)| Some(*held) == told.occurrence && *code == told.of;
    told.kind == EarnKind::Activity
        && given.iter().any(|of| of.counts && of.part_in.as_ref().is_some_and(is_same))
}

/// Points that a new plan of an activity begins with: what the scheme's one rule gives for taking part, if it gives the same
/// to all and each time. That another person approves the plan (K26) is the approval that the rule may ask for (K21).
#[must_use]
pub fn plan_points(terms: &ToldTerms) -> Option<i64> {
    let mut rules = terms.rules.iter().filter(|rule| rule.event == EarnKind::Activity);
    let (Some(rule), None) = (rules.next(), rules.next()) else { return None };
    let same = rule.of.is_none() && rule.balance == Balance::Points && rule.per_fen == 0;
    let each = rule.once == Once::No && rule.cap.is_none() && rule.ranks.is_empty();
    Some(rule.fixed_points).filter(|points| same && each && *points > 0)
}

/// The moment by which the version is chosen that rates an event: the last of its business day, or that of its telling if
/// it is the same day. So a version that was published later is not that one.
#[must_use]
pub fn rated_at(day: Day, clock: &OfficeClock, received: Instant) -> Instant {
    calendar::day_start(&clock.zone, day.plus(1), clock.cutoff_minutes).offset(-1).min(received)
}

/// The name of the change of points that is the `n`th part of what an event gives.
#[must_use]
pub fn change_name(event: Hash, n: u32) -> Hash {
    Hash::of(&[b"hufu-event-change", &event.0, &n.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::{ActivityId, MemberId, OfficeId};
    use hufu_shared::member::{Audience, OccurrenceState};
    use hufu_shared::money::Amount;
    use hufu_shared::scheme::Words;
    use hufu_shared::scheme::earning::{Approval, EarnRule};
    use hufu_shared::scheme::start::PointsStart;

    use super::*;

    const TODAY: Day = Day(20_779);

    fn event(kind: EarnKind) -> EventTold {
        EventTold {
            id: EventTold::name(kind, "T-1"),
            member: MemberId([1; 16]),
            kind,
            of: "sign-in".to_owned(),
            day: TODAY,
            cost: Amount::ZERO,
            paid_percent: PAID_WHOLE,
            serial: "T-1".to_owned(),
            office: OfficeId([2; 16]),
            occurrence: None,
            reason: Hash([0; 32]),
        }
    }

    fn salon() -> OccurrenceRow {
        OccurrenceRow {
            occurrence: OccurrenceId([3; 16]),
            activity: ActivityId([4; 16]),
            name: Words { zh: "业主沙龙".to_owned(), en: "Owners' salon".to_owned() },
            starts: Instant(0),
            ends: Instant(1),
            state: OccurrenceState::Approved,
            admits_once: true,
            exits: false,
            gifts: Vec::new(),
            guests: Vec::new(),
            points: Amount::ZERO,
            places: None,
            offices: Vec::new(),
            audience: Audience::default(),
        }
    }

    #[test]
    fn rule_k20_an_event_says_what_it_is_of_which_day_and_under_which_serial() {
        assert_eq!(check(&event(EarnKind::Task), TODAY, None), Ok(()));
        let wrong = |change: fn(&mut EventTold)| {
            let mut event = event(EarnKind::Task);
            change(&mut event);
            check(&event, TODAY, None)
        };
        // It is named by its kind, so it bears a name of its own.
        let refused = event(EarnKind::Refusal);
        assert_eq!(check(&refused, TODAY, None), Ok(()), "B3");
        assert_ne!(refused.id, event(EarnKind::Task).id);
        assert_eq!(wrong(|event| event.kind = EarnKind::Purchase), Err(NotTold::Kind));
        assert_eq!(wrong(|event| event.kind = EarnKind::Base), Err(NotTold::Kind), "comes with the card");
        assert_eq!(wrong(|event| event.of = "x".repeat(41)), Err(NotTold::Code));
        assert_eq!(wrong(|event| event.serial.clear()), Err(NotTold::Serial));
        assert_eq!(wrong(|event| event.serial = "T-2".to_owned()), Err(NotTold::Serial), "not its name");
        assert_eq!(wrong(|event| event.day = TODAY.plus(1)), Err(NotTold::Day));
        assert_eq!(wrong(|event| event.day = TODAY.plus(-400)), Ok(()), "late");
        assert_eq!(wrong(|event| event.cost = Amount(-1)), Err(NotTold::Amount));
        assert_eq!(wrong(|event| event.cost = Amount(AMOUNT_MAX + 1)), Err(NotTold::Amount));
        assert_eq!(wrong(|event| event.paid_percent = 101), Err(NotTold::Amount));
    }

    #[test]
    fn rule_k26_an_activity_that_is_told_of_was_approved_and_gives_nothing_by_its_plan() {
        let activity = event(EarnKind::Activity);
        assert_eq!(check(&activity, TODAY, None), Err(NotTold::Activity));
        let named = EventTold { occurrence: Some(OccurrenceId([3; 16])), ..activity };
        let held = |state, points| OccurrenceRow { state, points: Amount(points), ..salon() };
        for (row, expected) in [
            (held(OccurrenceState::Planned, 0), Err(NotTold::Activity)),
            (held(OccurrenceState::Approved, 0), Ok(())),
            (held(OccurrenceState::Ended, 0), Ok(())),
            (held(OccurrenceState::Approved, 6), Err(NotTold::Planned)),
        ] {
            assert_eq!(check(&named, TODAY, Some(&row)), expected, "{row:?}");
        }
        let task = EventTold { occurrence: Some(OccurrenceId([3; 16])), ..event(EarnKind::Task) };
        assert_eq!(check(&task, TODAY, None), Err(NotTold::Activity), "one that nobody knows");
        assert_eq!(check(&task, TODAY, Some(&held(OccurrenceState::Approved, 6))), Ok(()), "beside it");
    }

    #[test]
    fn rule_k26_a_plan_begins_with_what_the_scheme_gives_for_taking_part() {
        let rule = EarnRule { fixed_points: 6, ..EarnRule::new("K21", EarnKind::Activity) };
        let terms = |rules: Vec<EarnRule>| ToldTerms { rules, start: PointsStart::Issue };
        let asked = EarnRule { approval: Approval::Pending, ..rule.clone() };
        assert_eq!(plan_points(&terms(vec![rule.clone()])), Some(6));
        assert_eq!(plan_points(&terms(vec![asked])), Some(6), "the plan is approved");
        assert_eq!(plan_points(&terms(vec![rule.clone(), rule.clone()])), None, "which of them?");
        for other in [
            EarnRule { of: Some("salon".to_owned()), ..rule.clone() },
            EarnRule { once: Once::Ever, ..rule.clone() },
            EarnRule { ranks: vec![1], ..rule.clone() },
            EarnRule { balance: Balance::Growth, ..rule.clone() },
            EarnRule { event: EarnKind::Care, ..rule },
        ] {
            assert_eq!(plan_points(&terms(vec![other.clone()])), None, "{other:?}");
        }
    }

    #[test]
    fn rule_k20_one_serial_is_one_event_of_a_kind_whatever_was_typed_about_it() {
        let task = event(EarnKind::Task);
        assert_ne!(task.id, event(EarnKind::Promo).id);
        assert!(task.is_same(&EventTold { reason: Hash([9; 32]), ..task.clone() }));
        assert!(!task.is_same(&EventTold { day: TODAY.plus(-1), ..task.clone() }));
        assert!(!task.is_same(&EventTold { cost: Amount(1), ..task.clone() }));
    }

    #[test]
    fn kind_17_an_event_is_rated_by_the_version_of_its_day_and_never_by_one_that_came_after() {
        let clock = OfficeClock { cutoff_minutes: 120, ..OfficeClock::default() };
        let end = calendar::day_start(&clock.zone, TODAY.plus(1), 120);
        assert_eq!(rated_at(TODAY, &clock, end.offset(5)), end.offset(-1), "told a day late");
        assert_eq!(rated_at(TODAY, &clock, end.offset(-9)), end.offset(-9), "told on the day");
    }
}
