//! Leaving an activity, as a terminal decides it.

use super::*;

#[test]
fn kind_04_leaving_is_recorded_where_it_is_counted_from_the_start_until_well_after_the_end() {
    let out = |change: &dyn Fn(&mut OccurrenceRow)| {
        occasion(|row| {
            row.exits = true;
            change(row);
        })
        .decide(&Purpose::CheckOut(OCCASION))
    };
    let decision = out(&|_| {});
    let Event::Attended(attended) = &decision.event else { panic!("an exit") };
    assert_eq!((attended.way, attended.repeats, attended.occurrence), (Way::Out, None, OCCASION));
    assert_eq!((decision.outcome, decision.promised, legs_of(&decision)), (Outcome::Accepted, None, vec![]));
    let over = |hours: i64| out(&|row| row.ends = NOON.offset(-hours * HOUR_US)).outcome;
    assert_eq!((over(1), over(7)), (Outcome::Accepted, Outcome::Refused(RefusalReason::R10)));
    assert_eq!(out(&|row| row.state = OccurrenceState::Ended).outcome, Outcome::Accepted);
    for (decision, reason) in [
        (out(&|row| row.exits = false), RefusalReason::R10),
        (out(&|row| row.starts = NOON.offset(1)), RefusalReason::R10),
        (out(&|row| row.state = OccurrenceState::Planned), RefusalReason::R10),
        (out(&|row| row.offices = vec![THERE]), RefusalReason::R04),
    ] {
        assert_eq!(decision.outcome, Outcome::Refused(reason));
    }
}

#[test]
fn kind_02_leaving_twice_within_the_window_is_one() {
    let mut world = occasion(|row| row.exits = true);
    world.tap = Some(Earlier { seq: 7, at: NOON });
    let decision = world.decide(&Purpose::CheckOut(OCCASION));
    let Event::Attended(attended) = &decision.event else { panic!("an exit") };
    assert_eq!((decision.outcome, attended.repeats), (Outcome::AlreadyIn, Some(7)));
    world.card = None;
    assert_eq!(world.decide(&Purpose::CheckOut(OCCASION)).outcome, Outcome::UnknownCard);
    let mut doubtful = occasion(|row| row.exits = true);
    doubtful.quality = ClockQuality::Floor;
    assert_eq!(doubtful.decide(&Purpose::CheckOut(OCCASION)).outcome, Outcome::Recorded);
}
