//! Value at the loop: spends shown and asked for, what staff choose, what the centre orders.

use hufu_shared::fact::{Event as FactEvent, RefusalReason};
use hufu_shared::ids::CommandId;
use hufu_shared::money::{Leg, Unit};
use hufu_shared::scheme::Words as BothWords;
use hufu_shared::wire::lease::{AskBecame, RecallState, Recalled};
use hufu_shared::wire::undo::UndoBecame;
use hufu_shared::wire::upload::Order as CentreOrder;
use tokio::sync::mpsc as async_mpsc;

use super::*;
use crate::counter::port::{SlipTyped, WhichTyped};
use crate::counter::view::{NotUndone, Taken};
use crate::rules::decide::value::{REASON_TOP_UP_UNDONE, Why};
use crate::state::{CentralOrder, LeaseAsked};

fn slip(number: &str) -> SlipTyped {
    SlipTyped { number: number.to_owned(), date: None, shop: None }
}

fn spend(points: i64) -> Order {
    Order::SetMode(ModeOrder::Spend { legs: vec![pts(points)], slip: None })
}

impl Desktop {
    fn grant(&self, granted: i64, version: u64) {
        let now = at(self.hands.mono_ns() / 1_000_000_000);
        grant(self.dispatch.core.store(), &[lease(1, Unit::Pts, granted, version)], &now);
    }

    fn online(&mut self) -> async_mpsc::Receiver<LeaseAsking> {
        let (asks, asked) = async_mpsc::channel(2);
        self.dispatch.attach_asks(asks);
        let mut link = Link::starting(NOON);
        link.online = true;
        self.handle(Event::Link(link));
        asked
    }

    fn left(&self) -> Vec<i64> {
        let open = self.dispatch.core.store().with(|journal| journal.open_leases(member_row(1).member));
        open.expect("read").iter().map(|held| held.left().0).collect()
    }

    fn outcome(&self) -> Option<Seen> {
        self.view().view.result.as_ref().map(|result| result.outcome)
    }
}

#[test]
fn a_spend_is_shown_once_it_is_on_the_disk_and_counts_for_one_card() {
    let mut desk = desktop();
    desk.grant(320, 7);
    desk.order(spend(100)).expect("possible");
    assert!(matches!(desk.view().view.mode, ModeView::Once { .. }));
    desk.present(1);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Redeemed), Some(2))]);
    let view = desk.view();
    let result = view.view.result.as_ref().expect("a result");
    assert_eq!(
        (result.outcome, &result.moved, &result.left),
        (Seen::Redeemed, &vec![pts(100)], &vec![pts(1_180)])
    );
    assert_eq!((view.view.mode.clone(), view.view.last[0].moved.clone()), (ModeView::Visit, vec![pts(100)]));
    assert_eq!(
        view.view.allowances.iter().map(|held| (held.members, held.left.0)).collect::<Vec<_>>(),
        [(1, 220)]
    );
    desk.wait(3);
    desk.present(1);
    assert_eq!(desk.shown(), [green(3)], "the next swipe is a visit");
    assert_eq!(desk.left(), [220]);
}

#[test]
fn offline_what_the_lease_does_not_pay_is_refused_at_once_with_what_is_possible() {
    let mut desk = desktop();
    desk.grant(80, 7);
    desk.order(spend(200)).expect("possible");
    desk.present(1);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::OverOfflineLimit), None)]);
    let view = desk.view();
    let short = view.view.result.as_ref().and_then(|result| result.short).expect("why");
    assert_eq!((short.why, short.possible), (Why::TooSmall, Amount(80)));
}

#[test]
fn online_the_card_waits_for_the_centre_and_what_arrives_is_shown() {
    let mut desk = desktop();
    let mut asked = desk.online();
    desk.grant(80, 7);
    desk.order(spend(200)).expect("possible");
    desk.present(1);
    assert_eq!(desk.shown(), [(Face::Asking, None)]);
    let asking = asked.try_recv().expect("asked");
    assert_eq!((asking.asks.len(), asking.asks[0].wanted_total), (1, Amount(200)));
    assert_eq!(desk.facts().len(), 1, "nothing is recorded meanwhile");
    let recalled = Recalled {
        office: BothWords { zh: "湖畔".into(), en: "Lake".into() },
        state: RecallState::Closing,
        amount: Amount(120),
        heard_at: None,
    };
    let word = LeaseAsked {
        n: asking.n,
        became: Some(AskBecame::Recalling),
        recalled: vec![(Unit::Pts, recalled)],
        ..LeaseAsked::default()
    };
    desk.handle(Event::Asked(word.clone()));
    let view = desk.view();
    let shown = view.view.asking.as_ref().expect("still asking");
    assert_eq!((shown.recalled[0].amount, shown.recalled[0].state), (pts(120), RecallState::Closing));
    // The same card again changes nothing; another guest is not charged for the first.
    desk.wait(3);
    desk.present(1);
    assert_eq!((desk.shown(), asked.try_recv().is_err()), (vec![], true));
    desk.present(2);
    assert_eq!(desk.shown(), [green(2)]);
    desk.grant(200, 8);
    desk.handle(Event::Asked(LeaseAsked { became: Some(AskBecame::Granted), done: true, ..word }));
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Redeemed), Some(3))]);
    assert_eq!(
        (desk.outcome(), desk.left(), desk.view().view.asking.is_none()),
        (Some(Seen::Redeemed), vec![0], true)
    );
}

#[test]
fn an_answer_that_is_lost_never_charges_and_the_lease_decides_after_the_patience() {
    let mut desk = desktop();
    let mut asked = desk.online();
    desk.grant(80, 7);
    desk.order(spend(200)).expect("possible");
    desk.present(1);
    let n = asked.try_recv().expect("asked").n;
    desk.shown();
    desk.wait(5);
    desk.handle(Event::Tick);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::OverOfflineLimit), None)]);
    let short = desk.view().view.result.as_ref().and_then(|result| result.short).expect("why");
    assert_eq!((short.why, desk.left()), (Why::NoAnswer, vec![80]));
    // What comes after that is about nobody's card any more.
    desk.grant(200, 8);
    desk.handle(Event::Asked(LeaseAsked {
        n,
        done: true,
        became: Some(AskBecame::Granted),
        ..LeaseAsked::default()
    }));
    assert_eq!((desk.shown(), desk.left()), (vec![], vec![200]));
}

#[test]
fn staff_may_give_up_asking_by_choosing_something_else() {
    let mut desk = desktop();
    let mut asked = desk.online();
    desk.order(spend(200)).expect("possible");
    desk.present(1);
    let n = asked.try_recv().expect("asked").n;
    desk.order(Order::SetMode(ModeOrder::Back)).expect("chosen");
    assert!(desk.view().view.asking.is_none());
    desk.grant(200, 8);
    desk.handle(Event::Asked(LeaseAsked {
        n,
        done: true,
        became: Some(AskBecame::Granted),
        ..LeaseAsked::default()
    }));
    assert_eq!((desk.facts().len(), desk.left()), (1, vec![200]));
}

#[test]
fn a_lease_is_closed_by_order_once_and_the_answer_leaves_with_it() {
    let mut desk = desktop();
    desk.grant(320, 7);
    let held = lease(1, Unit::Pts, 320, 7);
    let mut order = |id: u8, generation| {
        let order = Ok(CentreOrder::CloseLease(held.lease, generation));
        desk.handle(Event::Central(CentralOrder { command: CommandId([id; 16]), order }));
        let facts = desk.facts();
        facts.into_iter().rev().take(2).map(|fact| fact.event).collect::<Vec<_>>()
    };
    let closed = order(1, 1);
    assert!(matches!(&closed[0], FactEvent::CommandDone(done) if done.done));
    assert!(matches!(&closed[1], FactEvent::LeaseClosed(closed) if closed.generation == 1));
    let again = order(2, 1);
    assert!(matches!(&again[0], FactEvent::CommandDone(done) if done.done && done.detail.contains("before")));
    assert!(matches!(&again[1], FactEvent::CommandDone(_)), "closed once");
    let other = order(3, 2);
    assert!(matches!(&other[0], FactEvent::CommandDone(done) if !done.done));
    assert!(desk.left().is_empty());
    // A late state of that generation changes nothing.
    desk.grant(400, 9);
    assert!(desk.left().is_empty());
}

#[test]
fn an_expired_lease_is_closed_at_the_next_contact() {
    let mut desk = desktop();
    desk.grant(320, 7);
    desk.wait(604_800);
    desk.handle(Event::Tick);
    assert_eq!(desk.left(), [320], "nobody is there to take it back");
    drop(desk.online());
    assert!(desk.left().is_empty());
    assert!(desk.facts().iter().any(|fact| matches!(fact.event, FactEvent::LeaseClosed(_))));
}

#[test]
fn staff_take_back_from_the_list_or_by_slip_and_hear_why_not() {
    let mut desk = desktop();
    desk.grant(320, 7);
    desk.order(spend(100)).expect("possible");
    desk.present(1);
    let take = |of, part| Order::TakeBack { of, part, reason: "return".into(), slip: None };
    assert_eq!(desk.order(take(WhichTyped::Fact(2), Some(pts(101)))), Err(Declined::TooMuch));
    desk.order(take(WhichTyped::Fact(2), Some(pts(40)))).expect("a part");
    let view = desk.view();
    let result = view.view.result.as_ref().expect("a result");
    assert_eq!(
        (&result.purpose, &result.moved),
        (&SeenPurpose::TakeBack { of: Taken::Spent }, &vec![pts(40)])
    );
    assert_eq!(result.person.as_ref().map(|person| person.points), Some(Amount(1_220)), "one figure");
    assert_eq!(desk.order(take(WhichTyped::Slip(slip("9")), None)), Err(Declined::NothingLeft));
    let paid = ModeOrder::TopUp { amount: Amount(5_000), method: "cash".into(), slip: slip("9") };
    desk.order(Order::SetMode(paid)).expect("possible");
    desk.present(2);
    assert_eq!(desk.outcome(), Some(Seen::Accepted));
    desk.order(take(WhichTyped::Slip(slip("9")), None)).expect("in its shift");
    assert_eq!(desk.order(take(WhichTyped::Slip(slip("9")), None)), Err(Declined::NothingLeft));
}

#[test]
fn rule_h04_a_top_up_is_undone_offline_in_its_shift_while_the_centre_does_not_have_it() {
    let mut desk = desktop();
    let pay = |desk: &mut Desktop, number: &str| {
        let paid = ModeOrder::TopUp { amount: Amount(5_000), method: "cash".into(), slip: slip(number) };
        desk.order(Order::SetMode(paid)).expect("possible");
        desk.present(2);
        desk.wait(30);
        desk.facts().last().expect("recorded").seq
    };
    let (first, sent, unsent) = (pay(&mut desk, "1"), pay(&mut desk, "2"), pay(&mut desk, "3"));
    let undo =
        |of| Order::TakeBack { of: WhichTyped::Fact(of), part: None, reason: "mistake".into(), slip: None };
    let receipted = desk.dispatch.core.store().with(|journal| {
        journal.acked_as_if_receipted(sent);
        Ok(())
    });
    receipted.expect("noted");
    assert_eq!(desk.order(undo(first)), Err(Declined::Offline), "the centre has it");
    desk.order(undo(unsent)).expect("the centre does not have it");
    let Some(FactEvent::Reversed(undone)) = desk.facts().last().map(|fact| fact.event.clone()) else {
        panic!("undone")
    };
    let whole = vec![Leg { unit: Unit::Cny, amount: Amount(5_000) }];
    assert_eq!((undone.original.seq, undone.legs), (unsent, whole.clone()));
    assert_eq!(undone.reason, REASON_TOP_UP_UNDONE, "whatever staff chose");
    let view = desk.view();
    let result = view.view.result.as_ref().expect("shown");
    assert_eq!((&result.purpose, &result.moved), (&SeenPurpose::TakeBack { of: Taken::ToppedUp }, &whole));
    let (reply, mut answer) = oneshot::channel();
    let next = pay(&mut desk, "4");
    desk.handle(Event::Control(ControlOrder::CloseDay(reply)));
    answer.try_recv().expect("answered").expect("closed");
    assert_eq!(desk.order(undo(next)), Err(Declined::TooLate), "its shift is over and counted");
}

#[test]
fn kind_32_goods_paid_from_stored_value_are_given_back_once_for_a_slip_of_return() {
    let mut desk = desktop();
    let now = at(desk.hands.mono_ns() / 1_000_000_000);
    grant(desk.dispatch.core.store(), &[lease(1, Unit::Cny, 9_000, 8)], &now);
    let paid = |fen| vec![Leg { unit: Unit::Cny, amount: Amount(fen) }];
    let sale = ModeOrder::Spend { legs: paid(6_000), slip: Some(slip("s1")) };
    desk.order(Order::SetMode(sale)).expect("possible");
    desk.present(1);
    let take = |fen: i64, number: &str| Order::TakeBack {
        of: WhichTyped::Slip(slip("s1")),
        part: paid(fen).pop(),
        reason: "return".into(),
        slip: Some(slip(number)),
    };
    desk.order(take(2_000, "r1")).expect("a part of the goods");
    let facts = desk.facts().len();
    assert_eq!(desk.order(take(2_000, "r1")), Err(Declined::SlipUsed), "the same paper again");
    assert_eq!(desk.order(take(2_000, "s1")), Err(Declined::SlipUsed), "the sale's own paper");
    assert_eq!(desk.facts().len(), facts, "nothing was recorded");
    desk.order(take(4_000, "r2")).expect("the rest, with a paper of its own");
    assert_eq!(desk.order(take(1, "r3")), Err(Declined::NothingLeft));
    assert_eq!(desk.left(), [3_000], "it is the member's, not the lease's");
}

#[test]
fn rule_h04_stored_value_is_paid_out_from_the_lease_and_counted_with_the_drawer() {
    let mut desk = desktop();
    let now = at(desk.hands.mono_ns() / 1_000_000_000);
    grant(desk.dispatch.core.store(), &[lease(1, Unit::Cny, 9_000, 8)], &now);
    let pay_out = |fen: i64, number: &str| {
        let (amount, method) = (Amount(fen), "cash".to_owned());
        Order::SetMode(ModeOrder::CashOut { amount, method, slip: slip(number) })
    };
    assert_eq!(desk.order(pay_out(0, "p1")), Err(Declined::Amount));
    desk.order(pay_out(6_000, "p1")).expect("possible");
    let purpose = SeenPurpose::CashOut { amount: Amount(6_000) };
    assert!(matches!(&desk.view().view.mode, ModeView::Once { purpose: next } if *next == purpose));
    desk.present(1);
    let view = desk.view();
    let result = view.view.result.as_ref().expect("a result");
    assert_eq!((result.outcome, &result.purpose), (Seen::Redeemed, &purpose));
    let Some(FactEvent::Spent(spent)) = desk.facts().last().map(|fact| fact.event.clone()) else {
        panic!("a spend")
    };
    assert_eq!((spent.paid_out.as_deref(), desk.left()), (Some("cash"), vec![3_000]));
    for (fen, number, seen) in
        [(1_000, "p1", Seen::Refused(RefusalReason::R06)), (4_000, "p2", Seen::OverOfflineLimit)]
    {
        desk.wait(30);
        desk.order(pay_out(fen, number)).expect("possible");
        desk.present(1);
        assert_eq!(desk.outcome(), Some(seen), "{number}: a slip once, and never more than is held here");
    }
    let (reply, mut answer) = oneshot::channel();
    desk.handle(Event::Control(ControlOrder::CloseDay(reply)));
    let totals = answer.try_recv().expect("answered").expect("closed").totals;
    assert_eq!((totals.spent, totals.paid_out, totals.topped_up), (1, Amount(6_000), Amount(0)));
}

#[test]
fn a_lost_card_is_typed_compared_and_refused_from_then_on() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::ReportLost)).expect("chosen");
    desk.order(Order::Typed(card_number(1))).expect("found");
    let n = desk.view().view.candidate.as_ref().expect("to compare").n;
    desk.order(Order::Confirm { n }).expect("compared");
    assert!(matches!(
        desk.facts().last().map(|fact| fact.event.clone()),
        Some(FactEvent::CardReportedLost(_))
    ));
    desk.shown();
    desk.present(1);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R07)), None)]);
}

#[test]
fn what_cannot_be_spent_by_anybody_is_not_even_chosen() {
    let mut desk = desktop();
    let modes = [
        ModeOrder::Spend { legs: vec![], slip: None },
        ModeOrder::Spend { legs: vec![pts(1), pts(2)], slip: None },
        ModeOrder::TopUp { amount: Amount(i64::MAX), method: "cash".into(), slip: slip("1") },
        ModeOrder::EarnSlip { amount: Amount(0), slip: slip("1"), replaces: None, paid: None },
        ModeOrder::CashOut { amount: Amount(-1), method: "cash".into(), slip: slip("1") },
    ];
    for mode in modes {
        assert_eq!(desk.order(Order::SetMode(mode.clone())), Err(Declined::Amount), "{mode:?}");
    }
}

#[test]
fn kind_34_a_planned_gift_is_handed_to_one_member_after_the_other_and_to_each_once() {
    let mut desk = desktop();
    let hand = |item| Order::SetMode(ModeOrder::HandOut { occurrence: None, item, quantity: None });
    assert_eq!(desk.order(hand(GIFT)), Err(Declined::NotRunning), "at no activity");
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    let other = hufu_shared::ids::ItemId([0; 16]);
    assert_eq!(desk.order(hand(other)), Err(Declined::NotRunning), "nobody planned it");
    desk.order(hand(GIFT)).expect("at this one");
    desk.present(1);
    desk.present(2);
    let handed = desk.facts().into_iter().filter_map(|fact| match fact.event {
        FactEvent::HandedOut(handed) => Some((handed.occurrence, handed.item, handed.quantity)),
        _ => None,
    });
    assert_eq!(handed.collect::<Vec<_>>(), [(OCCASION, GIFT, 2); 2], "as many pieces as the plan gives each");
    desk.wait(5);
    desk.present(1);
    let view = desk.view();
    let result = view.view.result.as_ref().expect("shown");
    assert_eq!(result.outcome, crate::counter::view::Outcome::Refused(RefusalReason::R06));
    assert!(result.first_at.is_some(), "says when");
    assert!(matches!(view.view.mode, ModeView::HandOut { item: GIFT, .. }), "and goes on");
    assert_eq!(view.view.activities[0].gifts[0].handed_here, 2);
}

#[test]
fn rule_s08_a_return_whose_points_are_spent_asks_for_the_gift_or_its_price() {
    for spent in [0, 30] {
        let mut desk = desktop();
        let points = desk.dispatch.core.member(member_row(1).member).expect("known").points.0;
        // Two points for each 100 yuan: 100 more than the member had before.
        let fen = Amount((points / 2 + 50) * 10_000);
        desk.order(Order::SetMode(ModeOrder::Earn(fen))).expect("possible");
        desk.present(1);
        let seq = desk.facts().last().expect("earned").seq;
        let all = points + fen.0 / 10_000 * 2;
        if spent > 0 {
            desk.grant(all, 7);
            desk.wait(30);
            desk.order(spend(points + spent)).expect("possible");
            desk.present(1);
            assert_eq!(desk.outcome(), Some(Seen::Redeemed));
        }
        let (of, reason) = (WhichTyped::Fact(seq), "return".into());
        desk.order(Order::TakeBack { of, part: None, reason, slip: None }).expect("taken back");
        let owes = desk.view().view.result.as_ref().and_then(|result| result.owes);
        let missing = (spent > 0).then(|| pts(spent));
        assert_eq!(owes, missing, "nothing is asked for what was earned here and is there still");
    }
}

/// A top-up of 100 yuan that the centre has; its seq.
fn paid_in(desk: &mut Desktop) -> u64 {
    let amount = Amount(10_000);
    let mode = ModeOrder::TopUp { amount, method: "cash".to_owned(), slip: slip("t1") };
    desk.order(Order::SetMode(mode)).expect("possible");
    desk.present(1);
    let seq = desk.facts().last().expect("one").seq;
    desk.dispatch
        .core
        .store()
        .with(|journal| {
            journal.acked_as_if_receipted(seq);
            Ok(())
        })
        .expect("acknowledged");
    seq
}

fn undo(seq: u64) -> Order {
    Order::TakeBack { of: WhichTyped::Fact(seq), part: None, reason: "mistake".to_owned(), slip: None }
}

fn not_undone(desk: &Desktop) -> Option<NotUndone> {
    desk.view().view.result.as_ref().and_then(|result| result.not_undone)
}

#[test]
fn a_top_up_that_the_centre_has_is_undone_only_on_its_word_that_it_is_covered() {
    let mut desk = desktop();
    let seq = paid_in(&mut desk);
    assert_eq!(desk.order(undo(seq)), Err(Declined::Offline), "offline it is refused");
    let mut asked = desk.online();
    for became in [Some(UndoBecame::NotCovered), None, Some(UndoBecame::Covered)] {
        desk.order(undo(seq)).expect("it is asked for");
        let asking = asked.try_recv().expect("asked");
        assert_eq!(asking.undo.map(|undo| undo.seq), Some(seq));
        assert!(desk.view().view.asking.is_some());
        let before = desk.facts().len();
        let word = LeaseAsked { n: asking.n, done: true, undo: became, ..LeaseAsked::default() };
        desk.handle(Event::Asked(word));
        assert!(desk.view().view.asking.is_none());
        match became {
            Some(UndoBecame::Covered) => assert_eq!(desk.facts().len(), before + 1),
            _ => assert_eq!(desk.facts().len(), before, "nothing is recorded"),
        }
        assert_eq!(not_undone(&desk).is_some(), became != Some(UndoBecame::Covered));
    }
    let Some(FactEvent::Reversed(reversed)) = desk.facts().last().map(|fact| fact.event.clone()) else {
        panic!("a reversal")
    };
    assert_eq!((reversed.original.seq, reversed.reason.as_str()), (seq, REASON_TOP_UP_UNDONE));
    assert_eq!(desk.order(undo(seq)), Err(Declined::NothingLeft), "once");
}

#[test]
fn an_undo_that_nobody_answers_is_given_up_and_a_late_word_does_nothing() {
    let mut desk = desktop();
    let seq = paid_in(&mut desk);
    let mut asked = desk.online();
    desk.order(undo(seq)).expect("it is asked for");
    let asking = asked.try_recv().expect("asked");
    let before = desk.facts().len();
    desk.wait(5);
    desk.handle(Event::Tick);
    assert_eq!(not_undone(&desk), Some(NotUndone::NoAnswer));
    let word =
        LeaseAsked { n: asking.n, done: true, undo: Some(UndoBecame::Covered), ..LeaseAsked::default() };
    desk.handle(Event::Asked(word));
    assert_eq!(desk.facts().len(), before, "staff were told no");
    // A shift that was closed meanwhile is counted: the word came too late for it.
    desk.order(undo(seq)).expect("it is asked for again");
    let asking = asked.try_recv().expect("asked");
    let (reply, _answer) = oneshot::channel();
    desk.handle(Event::Control(ControlOrder::CloseDay(reply)));
    let word =
        LeaseAsked { n: asking.n, done: true, undo: Some(UndoBecame::Covered), ..LeaseAsked::default() };
    desk.handle(Event::Asked(word));
    assert_eq!(not_undone(&desk), Some(NotUndone::OtherShift));
    assert_eq!(desk.order(undo(seq)), Err(Declined::TooLate));
}
