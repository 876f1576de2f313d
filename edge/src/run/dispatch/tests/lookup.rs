//! Members who come without their cards.

use hufu_shared::fact::{Event as FactEvent, READER_COUNTER};
use hufu_shared::ids::CardId;
use hufu_shared::money::Unit;
use hufu_shared::scheme::bill::BillTerms;
use hufu_shared::token::MediumKind;

use super::*;
use crate::counter::desk::{DeskOrder, Done, ExpectedView, FoundHere, Sought};
use crate::store::testing::{OCCASION, expecting_directory};

impl Desktop {
    fn ask(&mut self, order: DeskOrder) -> Done {
        let (reply, mut answer) = oneshot::channel();
        self.handle(Event::Order(Request { order: Order::Desk(order), reply }));
        answer.try_recv().expect("answered").expect("taken")
    }

    fn search(&mut self, text: &str) -> FoundHere {
        match self.ask(DeskOrder::Search(Sought(text.to_owned()))) {
            Done::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }

    fn expected(&mut self) -> ExpectedView {
        match self.ask(DeskOrder::ReadExpected(vec![OCCASION])) {
            Done::Expected(mut each) if each.len() == 1 => each.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn pick(&mut self, card: u8) -> Result<(), Declined> {
        self.order(Order::Desk(DeskOrder::Pick(CardId([card; 16]))))
    }
}

#[test]
fn look_up_offline_a_member_of_the_list_is_found_by_name_and_nobody_else() {
    let mut desk = desktop();
    let none = desk.search("欧阳");
    assert_eq!((none.found.len(), none.listed), (0, 0), "nobody was prepared for");
    let held: Vec<_> = [1, 2].map(|n| lease(n, Unit::Pts, 100, 1)).into();
    grant(desk.dispatch.core.store(), &held, &at(1));
    let found = desk.search("欧阳堃玥");
    assert_eq!((found.found.len(), found.listed, found.more), (2, 2, false), "the third is in no list");
    let first = &found.found[0];
    assert_eq!((first.name.as_deref(), &first.mobile), (Some("欧阳*玥"), &None));
    assert_eq!(
        first.card.as_ref().map(|card| (card.card, card.tail.as_str())),
        Some((CardId([1; 16]), "0001"))
    );
    assert_eq!(desk.search("张三").found, []);
}

#[test]
fn rule_s06_the_desk_is_told_offline_by_which_version_bills_are_reckoned() {
    let mut desk = desktop();
    let Done::Bill(Some(here)) = desk.ask(DeskOrder::ReadBill) else { panic!("the directory has a scheme") };
    assert!(here.terms.earns(), "{here:?}");
    assert_eq!(here.terms.bills(), BillTerms::default(), "nothing but a coupon reduces a price");
}

#[test]
fn rule_h02_who_was_found_is_compared_before_anything_is_recorded_and_counts_as_typed() {
    let mut desk = desktop();
    let before = desk.facts().len();
    desk.pick(2).expect("known");
    assert_eq!(desk.facts().len(), before, "nothing yet");
    let candidate = desk.view().view.candidate.clone().expect("to be compared");
    assert_eq!((candidate.card_tail.as_str(), candidate.refused), ("0002", None));
    assert_eq!(candidate.person.as_ref().and_then(|person| person.name.as_deref()), Some("欧阳堃玥"));
    desk.order(Order::Confirm { n: candidate.n }).expect("it is the person");
    let facts = desk.facts();
    let FactEvent::Visited(visited) = &facts.last().expect("a fact").event else { panic!("{facts:?}") };
    let subject = &visited.subject;
    assert_eq!((subject.member, subject.medium), (Some(member_row(2).member), MediumKind::Typed));
    assert_eq!(
        (subject.reader, subject.token),
        (READER_COUNTER, card_row(2).token),
        "as if it had been typed"
    );
    assert_eq!(desk.pick(99), Err(Declined::NotHere), "a card that this terminal does not know yet");
}

#[test]
fn who_is_expected_today_is_told_with_birthdays_and_who_has_come() {
    assert_eq!(desktop().expected(), ExpectedView::default(), "anyone may come");
    let mut desk = desktop_with(expecting_directory);
    let before = desk.expected();
    assert_eq!((before.listed, before.arrived, before.birthdays), (3, 0, 1));
    let marks: Vec<_> = before.guests.iter().map(|guest| (guest.name.is_some(), guest.birthday)).collect();
    assert_eq!(marks, [(true, true), (true, false), (false, false)], "birthdays first, the unknown last");
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(2);
    let after = desk.expected();
    assert_eq!((after.arrived, after.guests.last().map(|guest| guest.arrived)), (1, Some(true)));
    // Nobody who is listed needs a number to be found while the centre is out of reach.
    assert_eq!((desk.search("欧阳堃玥").found.len(), desk.search("欧阳堃玥").listed), (2, 3));
}
