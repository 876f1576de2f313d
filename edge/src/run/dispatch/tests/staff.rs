//! Operators at the counter: who did what, what who may do, and the lock.

use hufu_shared::fact::Reader;
use hufu_shared::ids::OperatorId;
use hufu_shared::token::MediumKind;

use super::*;
use crate::counter::desk::DeskOrder;
use crate::counter::port::SlipTyped;
use crate::counter::view::OperatorView;
use crate::rules::operator::{AUTO_LOCK_S, Role};
use crate::store::StoredFact;

const STEWARD: OperatorId = OperatorId([1; 16]);
const CLERK: OperatorId = OperatorId([2; 16]);
const SUPERVISOR: OperatorId = OperatorId([3; 16]);

fn staffed() -> Desktop {
    let mut desk = desktop();
    let known =
        [(STEWARD, "张", Role::Steward), (CLERK, "王", Role::Clerk), (SUPERVISOR, "李", Role::Supervisor)];
    let view =
        |(id, name, role): (OperatorId, &str, Role)| (id, OperatorView { name: name.to_owned(), role });
    desk.dispatch.attach_operators(known.map(view).into());
    desk.handle(Event::Tick);
    desk
}

impl Desktop {
    fn here(&mut self, operator: OperatorId) {
        self.order(Order::SignIn(operator)).expect("known");
    }

    /// The facts whole: with what earlier ones state of them.
    fn read_facts(&self) -> Vec<Fact> {
        let stored = self.dispatch.core.store().with(|journal| journal.pending(1, usize::MAX, usize::MAX));
        let mut reader = Reader::default();
        let read = |(seq, stored): (u64, StoredFact)| reader.read(seq, &stored.body).expect("our own");
        (1..).zip(stored.expect("read")).map(read).collect()
    }

    fn sets(&mut self, mode: ModeOrder) -> Result<(), Declined> {
        self.order(Order::SetMode(mode))
    }
}

fn cash_out() -> ModeOrder {
    let slip = SlipTyped { number: "7".into(), date: None, shop: None };
    ModeOrder::CashOut { amount: Amount(1_000), method: "cash".into(), slip }
}

#[test]
fn each_fact_names_who_was_at_the_counter_and_nobody_once_it_is_locked() {
    let mut desk = staffed();
    desk.present(1);
    desk.here(CLERK);
    desk.present(2);
    desk.here(SUPERVISOR);
    desk.wait(30);
    desk.present(3);
    desk.order(Order::SignOut).expect("signed out");
    desk.order(Order::SignOut).expect("nobody is there");
    let facts = desk.read_facts();
    let met: Vec<(&str, Option<OperatorId>)> =
        facts.iter().skip(1).map(|fact| (fact.event.name(), fact.operator)).collect();
    let seen = facts[1].event.name();
    assert_eq!(
        met,
        [
            (seen, None),
            ("operator_signed_in", Some(CLERK)),
            (seen, Some(CLERK)),
            ("operator_signed_out", Some(CLERK)),
            ("operator_signed_in", Some(SUPERVISOR)),
            (seen, Some(SUPERVISOR)),
            ("operator_signed_out", Some(SUPERVISOR)),
        ]
    );
    assert!(matches!(&facts[2].event, FactEvent::OperatorSignedIn(session) if session.operator == CLERK));
    assert_eq!(desk.order(Order::SignIn(OperatorId([9; 16]))), Err(Declined::Stale), "nobody of ours");
}

#[test]
fn threat_a_locked_counter_checks_in_and_shows_and_moves_nothing() {
    let mut desk = staffed();
    desk.here(CLERK);
    desk.present(1);
    let open = desk.view();
    assert!(open.view.last[0].name.is_some() && open.view.guest.is_some());
    desk.sets(ModeOrder::Earn(Amount(32_000))).expect("a clerk may");
    desk.order(Order::SignOut).expect("locked");
    let locked = desk.view();
    assert!(locked.view.staff.asked && locked.view.staff.operator.is_none());
    assert!(locked.view.last.iter().all(|line| line.name.is_none() && line.card_tail.is_none()));
    assert_eq!((&locked.view.guest, &locked.view.candidate), (&None, &None));
    assert!(locked.view.result.as_ref().is_none_or(|result| result.person.is_none()));
    let before = desk.facts().len();
    desk.wait(30);
    desk.present(2);
    let facts = desk.facts();
    let last = facts.last().expect("a fact");
    assert!(!matches!(last.event, FactEvent::Earned(_)), "the purchase of who left is nobody's: {last:?}");
    assert_eq!(facts.len(), before + 1, "members are still received");
    for mode in [ModeOrder::Earn(Amount(100)), ModeOrder::LookUp, ModeOrder::ReportLost, cash_out()] {
        assert_eq!(desk.sets(mode.clone()), Err(Declined::Locked), "{mode:?}");
    }
    let typed = CardText::number(MediumKind::Typed, "88880001").expect("a number");
    assert_eq!(desk.order(Order::Typed(typed)), Err(Declined::Locked));
    assert_eq!(desk.order(Order::Desk(DeskOrder::ReadShift)), Err(Declined::Locked));
    let now = desk.dispatch.clock.now();
    desk.dispatch.entered(0, &Entry::Amount(100), &now);
    desk.dispatch.entered(0, &Entry::Number("88880001".into()), &now);
    assert!(desk.dispatch.desk.candidate.is_none());
    assert!(!matches!(desk.dispatch.mode.purpose, Purpose::Earn(_)), "nor by the keys of a swipe terminal");
    desk.sets(ModeOrder::Visit).expect("receiving goes on");
}

#[test]
fn the_counter_locks_after_three_minutes_without_an_act_and_swipes_are_none() {
    let mut desk = staffed();
    desk.here(CLERK);
    desk.wait(AUTO_LOCK_S - 1);
    desk.sets(ModeOrder::Visit).expect("an act");
    desk.wait(AUTO_LOCK_S - 1);
    desk.present(1);
    desk.handle(Event::Tick);
    assert!(desk.view().view.staff.operator.is_some(), "it is not three minutes yet");
    desk.wait(1);
    desk.handle(Event::Tick);
    assert!(desk.view().view.staff.operator.is_none(), "a card that is shown is no act of staff");
    assert_eq!(desk.facts().last().map(|fact| fact.event.name()), Some("operator_signed_out"));
    desk.here(STEWARD);
    desk.wait(AUTO_LOCK_S);
    assert_eq!(desk.order(Order::Desk(DeskOrder::ReadShift)), Err(Declined::Locked), "before any tick");
}

#[test]
fn each_role_does_its_own_at_the_loop_as_in_the_table() {
    let mut desk = staffed();
    desk.here(STEWARD);
    assert_eq!(desk.sets(ModeOrder::Earn(Amount(100))), Err(Declined::OtherRole));
    assert_eq!(desk.sets(cash_out()), Err(Declined::Supervisor));
    assert_eq!(desk.order(Order::Desk(DeskOrder::ReadShift)), Err(Declined::OtherRole));
    desk.here(CLERK);
    desk.sets(ModeOrder::Earn(Amount(100))).expect("a clerk may");
    desk.order(Order::Desk(DeskOrder::ReadShift)).expect("a clerk may");
    assert_eq!(desk.sets(cash_out()), Err(Declined::Supervisor));
    desk.here(SUPERVISOR);
    desk.sets(cash_out()).expect("a supervisor may");
    let mut unasked = desktop();
    unasked.sets(cash_out()).expect("where nobody is asked");
    assert!(!unasked.view().view.staff.asked);
}

#[test]
fn practice_is_no_way_round_the_lock_and_who_came_and_went_meanwhile_is_on_record() {
    let mut desk = staffed();
    desk.here(CLERK);
    desk.sets(ModeOrder::LookUp).expect("a clerk may");
    desk.order(Order::Practise(true)).expect("possible");
    desk.wait(AUTO_LOCK_S);
    desk.handle(Event::Tick);
    desk.here(SUPERVISOR);
    desk.order(Order::Practise(false)).expect("possible");
    desk.present(1);
    desk.order(Order::SignOut).expect("possible");
    desk.present(2);

    let named: Vec<_> = desk.read_facts().iter().map(|fact| (fact.event.name(), fact.operator)).collect();
    let expected = [
        ("operator_signed_in", Some(CLERK)),
        ("operator_signed_out", Some(CLERK)),
        ("operator_signed_in", Some(SUPERVISOR)),
        ("visited", Some(SUPERVISOR)),
        ("operator_signed_out", Some(SUPERVISOR)),
        ("visited", None),
    ];
    let from = named.iter().position(|(event, _)| *event == expected[0].0).expect("the clerk came");
    assert_eq!(named[from..], expected, "nobody's act bears another's name");
}
