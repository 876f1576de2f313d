//! Events that earn and are no purchases (B3, G8, K20, K21), as plain functions: what one must say, and by which moment the
//! version of the scheme is chosen that rates it. What it gives is the scheme library's to say
//! ([`hufu_shared::rules::told`]); what waits for approval is a change of points as any other ([`super::points`]).
//!
//! What is posted counts from the day on which it is posted, as a change by hand does: an event that is told late gives
//! nothing to a day that is settled. Out of scope: postings ([`super::apply`]) and words.

use hufu_shared::act::EventTold;
use hufu_shared::ids::Hash;
use hufu_shared::member::OccurrenceState;
use hufu_shared::rules::calendar;
use hufu_shared::rules::whatif::AMOUNT_MAX;
use hufu_shared::scheme::earning::EarnKind;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::points;

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
    #[error("an activity, care, a complaint, a task or a reward expected")]
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

/// Whether an event says all that it must. `today` is the business day of its telling at its office, `occurrence` the state
/// of the activity that it names.
///
/// # Errors
/// [`NotTold`] with the first thing that is wrong with it.
pub fn check(told: &EventTold, today: Day, occurrence: Option<OccurrenceState>) -> Result<(), NotTold> {
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
    let needs = told.kind == EarnKind::Activity || told.occurrence.is_some();
    if needs && !points::is_held(occurrence) { Err(NotTold::Activity) } else { Ok(()) }
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
    use hufu_shared::ids::{MemberId, OccurrenceId, OfficeId};
    use hufu_shared::money::Amount;

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

    #[test]
    fn rule_k20_an_event_says_what_it_is_of_which_day_and_under_which_serial() {
        assert_eq!(check(&event(EarnKind::Task), TODAY, None), Ok(()));
        let wrong = |change: fn(&mut EventTold)| {
            let mut event = event(EarnKind::Task);
            change(&mut event);
            check(&event, TODAY, None)
        };
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
    fn rule_k26_an_activity_that_is_told_of_was_approved() {
        let activity = event(EarnKind::Activity);
        assert_eq!(check(&activity, TODAY, None), Err(NotTold::Activity));
        let named = EventTold { occurrence: Some(OccurrenceId([3; 16])), ..activity };
        assert_eq!(check(&named, TODAY, Some(OccurrenceState::Planned)), Err(NotTold::Activity));
        assert_eq!(check(&named, TODAY, Some(OccurrenceState::Approved)), Ok(()));
        assert_eq!(check(&named, TODAY, Some(OccurrenceState::Ended)), Ok(()));
        let task = EventTold { occurrence: Some(OccurrenceId([3; 16])), ..event(EarnKind::Task) };
        assert_eq!(check(&task, TODAY, None), Err(NotTold::Activity), "one that nobody knows");
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
