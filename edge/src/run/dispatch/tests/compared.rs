//! A number that was typed, or a card of another kind: compared first, and recorded when somebody confirms it.

use super::*;

#[test]
fn a_typed_number_is_compared_first_and_recorded_when_confirmed() {
    let mut desk = desktop();
    let card = CardText::number(hufu_shared::token::MediumKind::Typed, "880000000003").expect("a number");
    desk.order(Order::Typed(card)).expect("looked up");
    let snapshot = desk.view();
    let candidate = snapshot.view.candidate.as_ref().expect("one").clone();
    assert_eq!((candidate.card_tail.as_str(), desk.facts().len()), ("0003", 1));
    assert_eq!(desk.order(Order::Confirm { n: candidate.n + 1 }), Err(Declined::Stale));
    desk.order(Order::Confirm { n: candidate.n }).expect("recorded");
    let fact = desk.facts().pop().expect("one");
    let subject = fact.event.subject().expect("the card");
    assert_eq!((subject.reader, subject.medium), (255, hufu_shared::token::MediumKind::Typed));
    assert_eq!(desk.order(Order::Confirm { n: candidate.n }), Err(Declined::Stale), "once only");
}

/// A number typed for a purchase, and what the page may confirm.
fn typed(desk: &mut Desktop, n: u8) -> u64 {
    let number = format!("88000000{n:04}");
    let card = CardText::number(hufu_shared::token::MediumKind::Typed, &number).expect("a number");
    desk.order(Order::Typed(card)).expect("looked up");
    desk.view().view.candidate.as_ref().expect("one").n
}

#[test]
fn a_card_of_no_use_takes_the_candidate_away_and_leaves_the_purchase() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.order(Order::SetMode(ModeOrder::Earn(Amount(32_000)))).expect("possible");
    let n = typed(&mut desk, 3);
    let source = SourceId::new(0, "reader");
    let (offered, kind) = (SourceKind::Tap, ErrorKind::PaymentCard);
    desk.handle(Event::Card(CardEvent::ReadFailed { source, offered, kind, at_ns: 0 }));
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R08)), None)]);
    assert_eq!(desk.view().view.candidate, None, "the panel now answers the other card");
    assert_eq!(desk.order(Order::Confirm { n }), Err(Declined::Stale));
    assert_eq!(desk.facts().len(), 1, "nothing was checked in");
    assert_eq!(desk.view().view.mode, ModeView::Earn { purchase: Amount(32_000) }, "nobody's purchase yet");
    let n = typed(&mut desk, 3);
    desk.order(Order::Confirm { n }).expect("recorded");
    assert_eq!(desk.facts().last().expect("one").event.name(), "earned");
    assert!(matches!(desk.view().view.mode, ModeView::CheckIn { .. }), "for one card");
}

#[test]
fn what_is_entered_at_a_swipe_terminal_is_an_amount_for_the_next_card_or_a_number_to_compare() {
    let mut desk = desktop();
    let entered = |entry| {
        let source = SourceId::new(1, "reader");
        Event::Card(CardEvent::Entered { source, entry, at_ns: 0 })
    };
    desk.handle(entered(Entry::Amount(32_000)));
    assert_eq!(desk.view().view.mode, ModeView::Earn { purchase: Amount(32_000) });
    desk.present(3);
    assert_eq!(desk.facts().last().expect("one").event.name(), "earned");
    desk.handle(entered(Entry::Amount(32_000)));
    desk.handle(entered(Entry::Cancel));
    assert_eq!(desk.view().view.mode, ModeView::Visit, "as it was before");
    // Beyond what the scheme allows, and what no amount is: nothing changes.
    desk.handle(entered(Entry::Amount(u64::MAX)));
    assert_eq!(desk.view().view.mode, ModeView::Visit);
    desk.handle(entered(Entry::Number("880000000003".into())));
    assert!(desk.view().view.candidate.is_some(), "staff compare it first (rule H2)");
    assert_eq!(desk.facts().len(), 2);
    desk.handle(entered(Entry::Cancel));
    assert!(desk.view().view.candidate.is_none());
}

#[test]
fn a_card_of_another_kind_or_key_is_refused_and_never_passed_over() {
    for kind in [ErrorKind::WrongCard, ErrorKind::WrongKey, ErrorKind::Blank] {
        let mut desk = desktop();
        let (source, offered) = (SourceId::new(0, "reader"), SourceKind::Tap);
        desk.handle(Event::Card(CardEvent::ReadFailed { source, offered, kind, at_ns: 0 }));
        assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R08)), None)], "{kind:?}");
    }
}

#[test]
fn a_candidate_is_confirmed_only_as_what_it_was_shown_for() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::Earn(Amount(32_000)))).expect("possible");
    let n = typed(&mut desk, 3);
    desk.dispatch.mode.purpose = Purpose::Visit;
    assert_eq!(desk.order(Order::Confirm { n }), Err(Declined::Stale));
    assert_eq!((desk.facts().len(), desk.view().view.candidate.is_none()), (1, true));
}

#[test]
fn a_candidate_that_nobody_confirms_is_taken_away_after_a_minute() {
    let mut desk = desktop();
    let n = typed(&mut desk, 3);
    desk.wait(59);
    desk.handle(Event::Tick);
    assert!(desk.view().view.candidate.is_some());
    desk.wait(2);
    assert_eq!(desk.order(Order::Confirm { n }), Err(Declined::Stale), "also before the next tick");
    let n = typed(&mut desk, 3);
    desk.wait(61);
    desk.handle(Event::Tick);
    assert_eq!(desk.view().view.candidate, None);
    assert_eq!(desk.order(Order::Confirm { n }), Err(Declined::Stale));
    assert_eq!(desk.facts().len(), 1);
}
