//! Batch check-in (rule K27): collected, compared, confirmed, on real files.

use super::*;
use crate::counter::batch::{BatchOrder, BatchSum};
use crate::counter::desk::DeskOrder;
use crate::counter::view::{GateView, Outcome as Seen};
use crate::rules::gate::Gates;
use hufu_shared::ids::CardId;
use hufu_shared::token::{CardText, MediumKind};

fn batch(desk: &mut Desktop, order: BatchOrder) -> Result<(), Declined> {
    desk.order(Order::Batch(order))
}

fn typed(n: u8) -> CardText {
    CardText::number(MediumKind::Typed, &format!("88000000{n:04}")).expect("a card number")
}

fn names(desk: &Desktop) -> Vec<(u64, Seen)> {
    let view = desk.view();
    let lines = view.view.batch.as_ref().expect("a list").lines.iter();
    lines.map(|line| (line.n, line.outcome)).collect()
}

#[test]
fn rule_k27_cards_are_collected_and_checked_in_together_when_staff_confirm() {
    let mut desk = desktop();
    assert_eq!(batch(&mut desk, BatchOrder::Confirm { seen: 0 }), Err(Declined::Stale), "there is none");
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("it runs");
    for n in [1, 2, 9] {
        desk.present(n);
        desk.wait(3);
    }
    // Once more by the same card, and one by a typed number that staff compared.
    desk.present(2);
    assert_eq!(desk.view().view.result.as_ref().map(|shown| shown.outcome), Some(Seen::ListedAlready));
    desk.order(Order::Typed(typed(3))).expect("looked up");
    let n = desk.view().view.candidate.as_ref().expect("to compare").n;
    desk.order(Order::Confirm { n }).expect("right");
    assert_eq!(
        names(&desk),
        [(1, Seen::Accepted), (2, Seen::Accepted), (3, Seen::UnknownCard), (4, Seen::Accepted)]
    );
    assert_eq!(desk.facts().len(), 1, "nothing is recorded yet");
    assert_eq!(desk.shown(), [], "and no display says that it is");

    batch(&mut desk, BatchOrder::Remove { n: 2 }).expect("taken off");
    assert_eq!(batch(&mut desk, BatchOrder::Remove { n: 2 }), Err(Declined::Stale));
    assert_eq!(batch(&mut desk, BatchOrder::Confirm { seen: 4 }), Err(Declined::Stale), "another list");
    batch(&mut desk, BatchOrder::Confirm { seen: 3 }).expect("as shown");
    let who: Vec<_> = desk
        .facts()
        .iter()
        .filter_map(|fact| match &fact.event {
            FactEvent::Attended(attended) => Some((attended.subject.medium, attended.occurrence)),
            _ => None,
        })
        .collect();
    let (read, by_hand) = (MediumKind::Stripe, MediumKind::Typed);
    assert_eq!(who, [(read, OCCASION), (read, OCCASION), (by_hand, OCCASION)], "the unknown card as well");
    let view = desk.view();
    let sum = view.view.result.as_ref().and_then(|result| result.batch).expect("what it came to");
    assert_eq!(sum, BatchSum { checked_in: 2, already: 0, unsure: 1, others: 0 });
    assert_eq!(view.view.batch, None);
    assert_eq!(view.view.last.len(), 3);
    assert_eq!(view.view.activities[0].attended_here, 3);
    // The next card is a check-in as ever.
    desk.wait(5);
    desk.present(2);
    assert_eq!(desk.shown().len(), 1);
}

#[test]
fn rule_k27_a_member_found_by_name_is_put_on_the_list() {
    let mut desk = desktop();
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("it runs");
    desk.order(Order::Desk(DeskOrder::Pick(CardId([2; 16])))).expect("known");
    let n = desk.view().view.candidate.as_ref().expect("to compare").n;
    desk.order(Order::Confirm { n }).expect("it is the person");
    assert_eq!(names(&desk), [(1, Seen::Accepted)]);
    desk.present(2);
    assert_eq!(names(&desk).len(), 1, "with the card as well is still one");
    batch(&mut desk, BatchOrder::Confirm { seen: 1 }).expect("as shown");
    assert_eq!(desk.view().view.activities[0].attended_here, 1);
}

#[test]
fn rule_k27_a_list_waits_while_staff_do_something_else_and_belongs_to_one_activity() {
    let mut desk = desktop();
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("it runs");
    desk.present(1);
    desk.order(Order::SetMode(ModeOrder::LookUp)).expect("always");
    desk.wait(5);
    desk.present(2);
    let view = desk.view();
    let list = view.view.batch.as_ref().expect("kept");
    assert!(!list.collecting && list.lines.len() == 1);
    assert_eq!(batch(&mut desk, BatchOrder::Open(OccurrenceId([8; 16]))), Err(Declined::NotRunning));
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("goes on");
    desk.wait(5);
    desk.present(2);
    assert_eq!(names(&desk).len(), 2);
    batch(&mut desk, BatchOrder::GiveUp).expect("given up");
    assert!(desk.view().view.batch.is_none());
    let attended = |fact: &Fact| matches!(fact.event, FactEvent::Attended(_));
    assert!(!desk.facts().iter().any(attended), "nobody was checked in");
}

#[test]
fn rule_k27_a_lost_card_or_one_that_is_in_already_is_told_at_once_and_not_listed() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    desk.order(Order::SetMode(ModeOrder::ReportLost)).expect("always");
    desk.wait(5);
    desk.present(2);
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("it runs");
    desk.shown();
    desk.wait(5);
    desk.present(2);
    desk.wait(5);
    desk.present(1);
    let faces: Vec<Face> = desk.shown().into_iter().map(|(face, _)| face).collect();
    let refused = Face::Outcome(Outcome::Refused(RefusalReason::R07));
    assert_eq!(faces, [refused, Face::Outcome(Outcome::AlreadyIn)]);
    assert_eq!(names(&desk), []);
}

#[test]
fn rule_k27_a_list_is_taken_up_again_after_a_restart() {
    let mut desk = desktop();
    batch(&mut desk, BatchOrder::Open(OCCASION)).expect("it runs");
    desk.present(1);
    desk.wait(3);
    desk.present(9);
    let (core, clock) = (desk.dispatch.core.clone(), desk.dispatch.clock.clone());
    let (sender, _effects) = mpsc::channel();
    let again = Dispatch::new(core, clock, sender, Vec::new(), DisplayState::default()).expect("a loop");
    let view = again.first_view().expect("a view").batch.expect("the list");
    assert!(view.collecting, "the terminal is still set to the activity");
    assert_eq!(view, desk.view().view.batch.clone().expect("the list"));
}

#[test]
fn each_gate_is_counted_for_itself() {
    let mut desk = desktop();
    desk.dispatch.core =
        desk.dispatch.core.clone().at_gates(Gates { own: Some(4), readers: vec![None, Some(2)] });
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    for n in [1, 2] {
        desk.present(n);
        desk.wait(5);
    }
    desk.present(2);
    desk.order(Order::Typed(typed(3))).expect("looked up");
    let n = desk.view().view.candidate.as_ref().expect("to compare").n;
    desk.order(Order::Confirm { n }).expect("right");
    let gates = [GateView { gate: 2, entered: 2, left: 0 }, GateView { gate: 4, entered: 1, left: 0 }];
    assert_eq!(desk.view().view.activities[0].gates, gates, "a repeat is no second passing");
}
