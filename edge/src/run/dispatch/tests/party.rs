//! Companions at the counter, and activities that admit once a day, without the centre.

use hufu_shared::fact::{Attended, Party};

use super::*;

/// The newest check-in.
fn newest(desk: &Desktop) -> Attended {
    let facts = desk.facts().into_iter().rev();
    let mut attended = facts.filter_map(|fact| match fact.event {
        FactEvent::Attended(attended) => Some(attended),
        _ => None,
    });
    attended.next().expect("a check-in")
}

fn party(companions: u32) -> Order {
    Order::SetMode(ModeOrder::CheckInParty(Party { occurrence: OCCASION, companions }))
}

#[test]
fn rule_k27_companions_are_counted_for_the_next_card_and_no_further() {
    let mut desk = desktop_with(party_directory);
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    assert_eq!(desk.order(party(3)), Err(Declined::Companions), "the plan allows two");
    desk.order(party(1)).expect("one is fine");
    let mode = desk.view().view.mode.clone();
    assert!(
        matches!(mode, ModeView::Once { purpose: SeenPurpose::CheckInParty { companions: 1, .. } }),
        "{mode:?}"
    );
    desk.present(2);
    assert_eq!(newest(&desk).companions, Some(1));
    assert_eq!(desk.dispatch.mode.purpose, Purpose::CheckIn(OCCASION), "the next one comes alone");
    desk.present(3);
    assert_eq!(newest(&desk).companions, None);
    desk.present(1);
    assert_eq!(newest(&desk).companions, Some(2), "announced, and nobody counted otherwise");
    let last = desk.view().view.last[0].purpose.clone();
    assert!(matches!(last, SeenPurpose::CheckInParty { companions: 2, .. }), "{last:?}");
}

#[test]
fn rule_k27_nobody_brings_companions_where_the_plan_knows_none() {
    let mut desk = desktop();
    assert_eq!(desk.order(party(1)), Err(Declined::Companions));
    let elsewhere = Party { occurrence: NEXT_DAY, companions: 0 };
    let order = Order::SetMode(ModeOrder::CheckInParty(elsewhere));
    assert_eq!(desk.order(order), Err(Declined::NotRunning));
}

#[test]
fn rule_k26_once_a_day_is_told_apart_offline_by_the_holding_of_the_day() {
    let mut desk = desktop_with(party_directory);
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckIn(NEXT_DAY))), Err(Declined::NotRunning));
    desk.present(2);
    let first = newest(&desk);
    assert_eq!((first.repeats, first.promised.len()), (None, 1));
    desk.wait(3_600);
    desk.present(2);
    let again = newest(&desk);
    assert!(again.repeats.is_some() && again.promised.is_empty(), "once on that day: {again:?}");
    desk.wait(23 * 3_600);
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))), Err(Declined::NotRunning));
    desk.order(Order::SetMode(ModeOrder::CheckIn(NEXT_DAY))).expect("it runs");
    desk.present(2);
    let next = newest(&desk);
    assert_eq!(
        (next.occurrence, next.repeats, next.promised.len()),
        (NEXT_DAY, None, 1),
        "and again on the next"
    );
}
