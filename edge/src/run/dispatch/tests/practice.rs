//! Practice: everything answers alike, and when it is over nothing of it is anywhere.

use hufu_hardware::printer::queue::Report;
use hufu_shared::ids::CommandId;
use hufu_shared::wire::upload::Order as CentreOrder;

use super::*;
use crate::counter::port::SlipTyped;
use crate::rules::slip::SlipKind;
use crate::run::paper::PrinterSetup;
use crate::state::CentralOrder;
use crate::store::{PRACTICE_FILE, Store};

impl Desktop {
    fn practise(&mut self, begin: bool) {
        self.order(Order::Practise(begin)).expect("possible");
    }

    /// Facts of the journal that is uploaded, by its own handle.
    fn booked(&self, books: &Store) -> Vec<Fact> {
        let stored = books.with(|journal| journal.pending(1, usize::MAX, usize::MAX)).expect("read");
        stored.iter().map(|stored| cbor::decode(&stored.body).expect("our own")).collect()
    }

    fn practice_file(&self) -> std::path::PathBuf {
        self._folder.path().join(PRACTICE_FILE)
    }
}

fn top_up() -> Order {
    let slip = SlipTyped { number: "P-1".to_owned(), date: None, shop: None };
    Order::SetMode(ModeOrder::TopUp { amount: Amount(50_000), method: "cash".to_owned(), slip })
}

#[test]
fn what_is_practised_answers_alike_and_is_in_no_queue_and_gone_at_the_end() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    let books = desk.dispatch.core.store().clone();
    let before = (desk.booked(&books), desk.view().view.link.queue_len);
    let last = desk.view().view.last.clone();
    desk.shown();

    desk.practise(true);
    assert!(desk.view().view.practice && desk.view().view.last.is_empty());
    assert!(desk.practice_file().exists());
    assert_eq!(desk.order(Order::Practise(true)), Err(Declined::Stale));
    desk.wait(5);
    desk.present(1);
    let seen = desk.view().view.result.clone().expect("a result");
    assert_eq!(seen.outcome, crate::counter::view::Outcome::AlreadyIn, "it knows who was here before");
    desk.wait(5);
    desk.present(2);
    let faces: Vec<Face> = desk.shown().into_iter().map(|(face, _)| face).collect();
    assert_eq!(faces[1], Face::Outcome(Outcome::Accepted), "it answers alike: {faces:?}");
    desk.order(top_up()).expect("possible");
    desk.wait(5);
    desk.present(1);
    assert_eq!(desk.facts().len(), before.0.len() + 3, "all three stand in the copy");
    assert_eq!(desk.booked(&books), before.0, "and none in the journal");
    assert_eq!(desk.view().view.link.queue_len, before.1);

    desk.practise(false);
    let view = desk.view();
    assert!(!view.view.practice && view.view.last == last && view.view.result.is_none());
    assert_eq!(
        view.view.mode,
        ModeView::CheckIn { occurrence: OCCASION, name: view.view.activities[0].name.clone() }
    );
    assert!(!desk.practice_file().exists());
    assert_eq!(desk.order(Order::Practise(false)), Err(Declined::Stale));
    desk.wait(5);
    desk.present(2);
    assert_eq!(
        desk.shown().last(),
        Some(&green(desk.facts().len() as u64)),
        "the practised check-in left nothing"
    );
    assert_eq!(desk.booked(&books).len(), before.0.len() + 1);
}

#[test]
fn displays_and_slips_say_practice_and_what_they_report_of_it_is_never_booked() {
    let mut desk = desktop();
    let setup =
        PrinterSetup { name: "lp0".to_owned(), automatic: SlipKind::ALL.to_vec(), language: Language::Zh };
    desk.dispatch.attach_printer(setup).expect("readable");
    desk.order(top_up()).expect("possible");
    desk.present(1);
    let real = desk.facts().last().expect("a fact").seq;
    desk.effects.try_iter().for_each(drop);
    desk.practise(true);
    let Some(Effect::Practice(true)) = desk.effects.try_iter().next() else { panic!("displays are told") };
    // A real slip that was on its way comes out now.
    desk.handle(Event::Printer(Report::Printed { id: real }));
    let slip = SlipTyped { number: "P-2".to_owned(), date: None, shop: None };
    let again = ModeOrder::TopUp { amount: Amount(70_000), method: "cash".to_owned(), slip };
    desk.order(Order::SetMode(again)).expect("possible");
    desk.wait(5);
    desk.present(1);
    let practised = desk.facts().last().expect("a fact").seq;
    let jobs = desk.effects.try_iter().filter_map(|effect| match effect {
        Effect::Print(job) => Some(job),
        _ => None,
    });
    let job = jobs.last().expect("a slip");
    assert!(format!("{:?}", job.ticket).contains("练习，不作数"), "{:?}", job.ticket);
    assert!(format!("{:?}", job.marked).contains("练习，不作数"));
    assert_ne!(job.id, practised, "its name says that it is of practice");
    desk.practise(false);
    let copies = |desk: &Desktop, seq| desk.dispatch.core.store().with(|journal| journal.copies(seq));
    desk.handle(Event::Printer(Report::Printed { id: job.id }));
    desk.handle(Event::Shown(Shown { seq: Some(job.id), faults: Vec::new() }));
    assert_eq!(copies(&desk, practised).expect("read"), 0, "no real slip of that number was printed");
    assert_eq!(copies(&desk, real).expect("read"), 1, "the real one was");
    let slips = desk.view().view.printer.clone().expect("a printer").slips;
    assert_eq!(slips.iter().map(|slip| (slip.seq, slip.copies)).collect::<Vec<_>>(), [(real, 1)]);
}

#[test]
fn the_centres_orders_and_the_clock_go_to_the_books_during_practice() {
    let mut desk = desktop();
    let books = desk.dispatch.core.store().clone();
    let before = desk.booked(&books).len();
    desk.practise(true);
    let order = CentralOrder { command: CommandId([6; 16]), order: Ok(CentreOrder::CloseDay) };
    desk.handle(Event::Central(order));
    let booked = desk.booked(&books);
    assert!(matches!(booked[before].event, FactEvent::DayClosed(_)), "{:?}", booked[before]);
    assert!(matches!(booked[before + 1].event, FactEvent::CommandDone(_)));
    assert!(desk.view().view.practice, "and practice goes on");
}

#[test]
fn practice_ends_with_its_business_day_and_with_the_program() {
    let mut desk = desktop();
    desk.practise(true);
    desk.present(1);
    desk.wait(11 * 3_600);
    desk.handle(Event::Tick);
    assert!(desk.view().view.practice, "the day is not over");
    desk.wait(2 * 3_600);
    desk.handle(Event::Tick);
    assert!(!desk.view().view.practice && !desk.practice_file().exists());
    desk.practise(true);
    assert!(!desk.dispatch.handle(Event::Stop));
    assert!(!desk.practice_file().exists(), "an orderly end throws it away");
}

#[test]
fn the_copy_is_no_journal_and_the_centre_is_asked_for_nothing() {
    let mut desk = desktop();
    let (asks, mut asked) = tokio::sync::mpsc::channel(2);
    desk.dispatch.attach_asks(asks);
    let link = Link { online: true, ..Link::starting(NOON) };
    desk.handle(Event::Link(link));
    desk.practise(true);
    let legs = vec![hufu_shared::money::Leg { unit: hufu_shared::money::Unit::Pts, amount: Amount(5) }];
    desk.order(Order::SetMode(ModeOrder::Spend { legs, slip: None })).expect("possible");
    desk.present(1);
    assert!(asked.try_recv().is_err(), "no room of a lease is asked for");
    let error = Store::open(&desk.practice_file(), &terminal()).expect_err("it is none");
    assert!(error.to_string().contains("is not a Hufu journal"), "{error}");
}
