//! Lost cards at the desk.

use hufu_shared::ids::CardId;
use hufu_shared::member::CardStatus;
use hufu_shared::wire::updates::BlockChange;
use hufu_shared::wire::version::Version;

use super::*;
use crate::counter::desk::{CardDesk, DeskOrder, Done};

impl Desktop {
    fn cards(&mut self) -> CardDesk {
        let (reply, mut answer) = oneshot::channel();
        self.handle(Event::Order(Request { order: Order::Desk(DeskOrder::ReadCards), reply }));
        match answer.try_recv().expect("answered").expect("told") {
            Done::Cards(desk) => *desk,
            other => panic!("{other:?}"),
        }
    }

    fn guest(&mut self) -> u64 {
        self.cards().guest.expect("somebody").view.n
    }

    /// The centre has everything up to the newest fact.
    fn upload(&mut self) {
        let store = self.dispatch.core.store();
        let last = store.with(|journal| Ok(journal.last_seq())).expect("a seq");
        store
            .with(|journal| {
                journal.acked_as_if_receipted(last);
                Ok(())
            })
            .expect("acknowledged");
    }
}

#[test]
fn rule_h06_whose_card_was_compared_is_reported_lost_and_the_desk_says_what_it_knows_itself() {
    let mut desk = desktop();
    assert_eq!(desk.cards(), CardDesk::default(), "nobody was there yet");
    desk.order(Order::SetMode(ModeOrder::LookUp)).expect("chosen");
    desk.present(1);
    let guest = desk.cards().guest.expect("the member");
    assert_eq!((guest.status, guest.token), (CardStatus::Active, card_row(1).token));
    let n = guest.view.n;
    assert_eq!(
        desk.order(Order::Desk(DeskOrder::ReportLost(n + 1))),
        Err(Declined::Stale),
        "somebody else stands there now"
    );
    desk.order(Order::Desk(DeskOrder::ReportLost(n))).expect("reported");
    let last = desk.facts().last().map(|fact| fact.event.clone());
    assert!(matches!(last, Some(FactEvent::CardReportedLost(_))));
    let mode = &desk.view().view.mode;
    assert_eq!(*mode, ModeView::LookUp, "the next card is looked at as before");
    let met = desk.cards();
    assert_eq!(met.guest.map(|guest| guest.status), Some(CardStatus::Lost));
    let stopped = met.stopped.expect("the card");
    assert_eq!((stopped.token, stopped.status), (card_row(1).token, CardStatus::Lost));
    assert_eq!(stopped.here.map(|here| here.uploaded), Some(false), "it waits");
    desk.upload();
    assert_eq!(desk.cards().stopped.and_then(|card| card.here).map(|here| here.uploaded), Some(true));
    // Another member comes: the card that was stopped last is still what the desk may ask about.
    desk.present(2);
    let met = desk.cards();
    assert_eq!(met.guest.map(|guest| guest.status), Some(CardStatus::Active));
    assert_eq!(met.stopped.map(|card| card.token), Some(card_row(1).token));
}

#[test]
fn rule_h07_a_card_that_was_found_again_is_no_longer_said_to_be_stopped() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::LookUp)).expect("chosen");
    desk.present(1);
    let n = desk.guest();
    desk.order(Order::Desk(DeskOrder::ReportLost(n))).expect("reported");
    let lifted = BlockChange { card: CardId([1; 16]), token: card_row(1).token, status: CardStatus::Active };
    let store = desk.dispatch.core.store();
    store.with(|journal| journal.take_blocks(&[lifted], Version { epoch: 1, n: 4 })).expect("taken");
    let met = desk.cards();
    assert_eq!(met.guest.map(|guest| guest.status), Some(CardStatus::Active));
    assert_eq!(met.stopped.map(|card| card.status), Some(CardStatus::Active));
    desk.shown();
    desk.wait(30);
    desk.present(1);
    assert_eq!(desk.shown()[0].0, Face::Outcome(Outcome::Accepted), "it is taken as before");
}

/// Number of a card that nobody holds.
const BLANK: u8 = 200;

fn old_card_of(desk: &mut Desktop, n: u8) -> u64 {
    desk.order(Order::SetMode(ModeOrder::LookUp)).expect("chosen");
    desk.present(n);
    desk.guest()
}

#[test]
fn rule_h05_the_old_card_is_read_then_the_new_one_and_the_member_goes_on_with_that() {
    let mut desk = desktop();
    let n = old_card_of(&mut desk, 1);
    assert_eq!(desk.order(Order::SetMode(ModeOrder::Replace(n + 1))), Err(Declined::Stale));
    desk.order(Order::SetMode(ModeOrder::Replace(n))).expect("chosen");
    desk.shown();
    // Somebody else's card is not given away, and the desk goes on waiting for the new one.
    desk.present(2);
    assert_eq!(desk.shown()[0].0, Face::Outcome(Outcome::Refused(RefusalReason::R16)));
    assert_eq!(desk.guest(), n, "the member stands there as before");
    desk.present(BLANK);
    assert_eq!(desk.shown()[0].0, Face::Outcome(Outcome::Accepted));
    let Some(FactEvent::CardReplaced(replaced)) = desk.facts().last().map(|fact| fact.event.clone()) else {
        panic!("{:?}", desk.facts())
    };
    assert_eq!((replaced.subject.token, replaced.subject.member), (card_row(1).token, card_row(1).member));
    assert_eq!(desk.view().view.mode, ModeView::LookUp, "for one card only");
    let met = desk.cards();
    let guest = met.guest.expect("the member");
    assert_eq!((guest.token, guest.status), (replaced.card, CardStatus::Active));
    assert_eq!(
        guest.view.person.name.as_deref(),
        desk.dispatch.core.name_of(card_row(1).member.expect("one")).as_deref()
    );
    let stopped = met.stopped.expect("the old card");
    assert_eq!((stopped.token, stopped.status), (card_row(1).token, CardStatus::Void));
    assert_eq!(stopped.tail.as_deref(), Some("0001"));
    // The new one is the member's at once, the old one nobody's any more.
    desk.wait(30);
    desk.present(BLANK);
    assert_eq!(desk.shown()[0].0, Face::Outcome(Outcome::Accepted));
    let last = desk.facts().last().and_then(|fact| fact.event.subject().cloned()).expect("a card");
    assert_eq!((last.token, last.member), (replaced.card, card_row(1).member));
    desk.present(1);
    assert_eq!(desk.shown()[0].0, Face::Outcome(Outcome::Refused(RefusalReason::R01)));
}

#[test]
fn rule_h05_a_lost_card_is_replaced_without_it_and_once() {
    let mut desk = desktop();
    let n = old_card_of(&mut desk, 1);
    desk.order(Order::Desk(DeskOrder::ReportLost(n))).expect("reported");
    desk.present(2);
    // Its number is typed: nothing can be done with the card, but its member stands at the desk.
    desk.order(Order::Typed(card_number(1))).expect("found");
    let candidate = desk.view().view.candidate.clone().expect("compared");
    assert_eq!(candidate.refused, Some(RefusalReason::R07));
    let n = desk.guest();
    assert_eq!(n, candidate.n);
    desk.order(Order::SetMode(ModeOrder::Replace(n))).expect("chosen");
    desk.order(Order::Typed(card_number(BLANK))).expect("a number");
    let new = desk.view().view.candidate.clone().expect("to be compared with the card");
    assert_eq!((new.person, new.refused, new.purpose), (None, None, SeenPurpose::Replace));
    desk.order(Order::Confirm { n: new.n }).expect("it is on the card");
    assert!(matches!(desk.facts().last().map(|fact| fact.event.clone()), Some(FactEvent::CardReplaced(_))));
    // Once more for the old one: it has been replaced.
    desk.order(Order::Typed(card_number(1))).expect("found");
    let again = desk.view().view.candidate.clone().expect("a member");
    assert_eq!(again.refused, Some(RefusalReason::R01));
}
