//! The desk pages on real files: forms, shifts, and a day that nobody closed.

use hufu_shared::fact::{Counted, Event as FactEvent};
use hufu_shared::form::FormContent;
use hufu_shared::seal::OpenKey;

use super::*;
use crate::counter::desk::{DeskOrder, Done, ShiftView, Taken, Taking, What};
use crate::counter::port::SlipTyped;

fn sealed(value: &str) -> hufu_shared::form::SealedForm {
    let content = FormContent { fields: vec![("mobile".to_owned(), value.to_owned())] };
    content.seal(&OpenKey::from_seed(&[7; 32]).seal_key(), [3; 16]).expect("a good key")
}

fn taking(once: u8, what: What, guest: Option<u64>) -> Taking {
    let consent = Some("contact-1".to_owned());
    Taking { once: [once; 16], what, form: sealed("13800138000"), consent, guest }
}

impl Desktop {
    fn asks(&mut self, order: DeskOrder) -> Result<Done, Declined> {
        let (reply, mut answer) = oneshot::channel();
        self.handle(Event::Order(Request { order: Order::Desk(order), reply }));
        answer.try_recv().expect("answered")
    }

    fn takes(&mut self, taking: Taking) -> Result<Taken, Declined> {
        match self.asks(DeskOrder::TakeForm(taking))? {
            Done::Form(taken) => Ok(taken),
            other => panic!("{other:?}"),
        }
    }

    /// A complaint without a card.
    pub(super) fn complains(&mut self, kind: &str, hours: u16) -> Taken {
        let what = What::Complaint { kind: kind.to_owned(), urgent: false, hours };
        self.takes(taking(9, what, None)).expect("taken")
    }

    fn shift(&mut self, order: DeskOrder) -> Result<ShiftView, Declined> {
        match self.asks(order)? {
            Done::Shift(view) => Ok(*view),
            other => panic!("{other:?}"),
        }
    }
}

fn counted(cash: i64, gifts: u32, reason: Option<&str>) -> Counted {
    let reason = reason.map(str::to_owned);
    Counted { cash: Amount(cash), gifts, blank_cards: 5, reason, ..Counted::default() }
}

#[test]
fn goal_g23_a_form_is_one_fact_however_often_it_is_sent_and_stays_sealed_on_the_board() {
    let mut desk = desktop();
    let first = desk.takes(taking(1, What::Visit, None)).expect("taken offline as well");
    assert_eq!(desk.takes(taking(1, What::Visit, None)), Ok(first.clone()), "sent again");
    let second = desk.takes(taking(2, What::Application, None)).expect("another");
    assert!(second.seq > first.seq);
    let facts = desk.facts();
    let forms = facts.iter().filter(|fact| {
        matches!(fact.event, FactEvent::VisitorRegistered(_) | FactEvent::ApplicationTaken(_))
    });
    assert_eq!(forms.count(), 2);
    // The sealed part lies beside the body; nothing in the folder reads as what was typed.
    let stored = desk.dispatch.core.store().with(|journal| journal.pending(first.seq, 1, usize::MAX));
    assert!(stored.expect("read")[0].sealed.is_some());
    for file in std::fs::read_dir(desk._folder.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
        assert!(!bytes.windows(11).any(|part| part == b"13800138000"), "readable on the board");
    }
}

#[test]
fn a_change_is_for_the_guest_whose_card_the_page_showed_and_for_nobody_else() {
    let mut desk = desktop();
    let change = |once, guest| taking(once, What::Change(vec!["mobile".to_owned()]), guest);
    assert_eq!(desk.takes(change(1, None)), Err(Declined::Stale), "for nobody");
    desk.present(1);
    let n = desk.view().view.guest.as_ref().expect("shown").n;
    desk.wait(5);
    desk.present(2);
    assert_eq!(desk.takes(change(2, Some(n))), Err(Declined::Stale), "another card came meanwhile");
    let n = desk.view().view.guest.as_ref().expect("shown").n;
    desk.takes(change(3, Some(n))).expect("for this one");
    let Some(FactEvent::ProfileChangeRequested(change)) = desk.facts().pop().map(|fact| fact.event) else {
        panic!("a request")
    };
    let member = change.form.subject.and_then(|subject| subject.member);
    assert_eq!((member, change.fields[0].0.as_str()), (Some(member_row(2).member), "mobile"));
    desk.wait(700);
    desk.handle(Event::Tick);
    assert_eq!(desk.view().view.guest, None, "gone");
}

#[test]
fn a_complaint_gets_a_number_of_its_own_and_a_promise() {
    let mut desk = desktop();
    let what = || What::Complaint { kind: "sales".to_owned(), urgent: false, hours: 48 };
    let one = desk.takes(taking(1, what(), None)).expect("taken");
    let two = desk.takes(taking(2, what(), None)).expect("taken");
    assert!(one.receipt.as_deref().is_some_and(|number| number.starts_with("A-261122-")), "{one:?}");
    assert_ne!(one.receipt, two.receipt);
    assert!(one.promised.is_some_and(|at| at >= NOON.offset(48 * 3_600 * SECOND_US)));
    let Some(FactEvent::ComplaintTaken(fact)) = desk.facts().pop().map(|fact| fact.event) else {
        panic!("a complaint")
    };
    assert_eq!(
        (Some(fact.receipt), Some(fact.promised)),
        (two.receipt, two.promised),
        "in the books as on paper"
    );
}

#[test]
fn a_shift_is_counted_at_both_ends_and_a_difference_needs_its_reason() {
    let mut desk = desktop();
    assert_eq!(desk.shift(DeskOrder::ReadShift).expect("read").opened, None);
    desk.shift(DeskOrder::OpenShift(counted(50_000, 10, None))).expect("opened");
    assert_eq!(desk.shift(DeskOrder::OpenShift(counted(0, 0, None))), Err(Declined::AlreadyOpen));
    let slip = SlipTyped { number: "1".into(), date: None, shop: None };
    let paid = ModeOrder::TopUp { amount: Amount(10_000), method: "cash".into(), slip };
    desk.order(Order::SetMode(paid)).expect("possible");
    desk.present(1);
    let view = desk.shift(DeskOrder::ReadShift).expect("read");
    assert_eq!((view.cash_expected, view.gifts_expected), (Amount(60_000), Some(10)));
    assert_eq!(desk.shift(DeskOrder::CloseShift(counted(59_000, 10, None))), Err(Declined::NoReason));
    let view = desk.shift(DeskOrder::CloseShift(counted(59_000, 10, Some("change")))).expect("explained");
    let last = view.last.expect("closed");
    assert_eq!((last.unattended, last.difference), (false, Some(Amount(-1_000))));
    let Some(FactEvent::DayClosed(closed)) = desk.facts().pop().map(|fact| fact.event) else {
        panic!("closed")
    };
    let counted = closed.counted.expect("counted");
    assert_eq!((counted.cash_expected, counted.reason.as_deref()), (Some(Amount(60_000)), Some("change")));
    assert_eq!(closed.totals.topped_up, Amount(10_000));
}

#[test]
fn a_day_that_nobody_closed_is_closed_at_the_cut_off_and_marked() {
    let mut desk = desktop();
    desk.present(1);
    desk.wait(3_600);
    desk.handle(Event::Tick);
    let closings = |desk: &Desktop| {
        let closed = desk.facts().into_iter().filter_map(|fact| match fact.event {
            FactEvent::DayClosed(closed) => Some((closed.day, closed.unattended)),
            _ => None,
        });
        closed.collect::<Vec<_>>()
    };
    assert_eq!(closings(&desk), [], "the day is not over");
    let day = desk.dispatch.core.office_clock().business_day(NOON);
    // The time must be known: a terminal that has not heard the centre closes nothing by itself.
    desk.wait(12 * 3_600);
    desk.handle(Event::Tick);
    desk.wait(61);
    desk.handle(Event::Tick);
    assert_eq!(closings(&desk), [(day, true)]);
    desk.wait(24 * 3_600);
    desk.handle(Event::Tick);
    assert_eq!(closings(&desk).len(), 1, "a day of nothing needs no closing");
    let last = desk.shift(DeskOrder::ReadShift).expect("read").last.expect("closed");
    assert!(last.unattended && last.difference.is_none());
}
