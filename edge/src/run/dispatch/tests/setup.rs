//! Trying the parts: a card is no swipe, answers are asked for, results stay and get old.

use hufu_hardware::printer::Hindrance;
use hufu_hardware::printer::queue::Report;

use super::*;
use crate::counter::setup::{SetupDoing, SetupOrder, SetupPart};
use crate::counter::view::PanelView;
use crate::rules::setup::{Part, Standing, TRIED_OLD_DAYS};
use crate::run::paper::PrinterSetup;

fn whole() -> Desktop {
    let mut desk = desktop();
    let setup = PrinterSetup { name: "lp0".to_owned(), automatic: Vec::new(), language: Language::Zh };
    desk.dispatch.attach_printer(setup).expect("readable");
    desk.dispatch.display.each = vec![PanelView { name: "desk".to_owned(), fault: None }];
    desk
}

impl Desktop {
    fn try_it(&mut self, order: SetupOrder) -> Result<(), Declined> {
        self.order(Order::Setup(order))
    }

    fn part(&self, part: Part) -> SetupPart {
        let view = self.view();
        view.view.setup.parts.iter().find(|each| each.part == part).cloned().expect("every part is there")
    }

    fn doing(&self) -> Option<SetupDoing> {
        self.view().view.setup.doing.clone()
    }

    fn answer(&mut self, part: Part, worked: bool) -> Result<(), Declined> {
        self.try_it(SetupOrder::Answer { part, worked })
    }
}

#[test]
fn a_card_that_is_tried_is_no_swipe_and_only_its_end_is_kept() {
    let mut desk = whole();
    let facts = desk.facts().len();
    desk.try_it(SetupOrder::Card).expect("possible");
    assert_eq!(desk.doing(), Some(SetupDoing::Card));
    desk.present(7);
    assert_eq!(desk.facts().len(), facts, "nothing was recorded");
    assert_eq!(desk.shown(), [], "and nobody was greeted");
    let tried = desk.part(Part::Reader).tried.expect("tried");
    assert_eq!((tried.worked, tried.met.as_str()), (true, "read"));
    assert_eq!(tried.detail, "reader\tstripe\t0007");
    assert_eq!(desk.doing(), None);
    desk.wait(5);
    desk.present(7);
    assert_eq!(desk.facts().len(), facts + 1, "the next one counts again");
}

#[test]
fn a_card_that_does_not_come_or_cannot_be_read_fails_the_reader() {
    let mut desk = whole();
    desk.try_it(SetupOrder::Card).expect("possible");
    let source = SourceId::new(1, "reader");
    let failed =
        CardEvent::ReadFailed { source, offered: SourceKind::Swipe, kind: ErrorKind::Malformed, at_ns: 0 };
    desk.handle(Event::Card(failed));
    assert_eq!(desk.part(Part::Reader).standing, Standing::Fails);
    desk.try_it(SetupOrder::Card).expect("possible");
    desk.wait(61);
    desk.handle(Event::Tick);
    assert_eq!(desk.part(Part::Reader).tried.expect("tried").met, "nothing");
}

#[test]
fn what_people_see_and_hear_is_asked_and_never_assumed() {
    let mut desk = whole();
    for part in [Part::Display, Part::Sound, Part::Printer] {
        assert_eq!(desk.answer(part, true), Err(Declined::Stale), "{part:?} was not shown");
    }
    desk.try_it(SetupOrder::Picture).expect("there is a display");
    assert!(matches!(desk.effects.try_iter().next(), Some(Effect::Show { seq: None, .. })));
    assert_eq!(desk.part(Part::Display).standing, Standing::Untried, "drawn is not seen");
    assert_eq!(desk.answer(Part::Sound, true), Err(Declined::Stale));
    desk.answer(Part::Display, true).expect("asked");
    assert_eq!(desk.part(Part::Display).standing, Standing::Works);
    desk.try_it(SetupOrder::Sound(Outcome::Accepted)).expect("possible");
    assert!(matches!(desk.effects.try_iter().next(), Some(Effect::Signal(_))));
    desk.answer(Part::Sound, false).expect("asked");
    assert_eq!(desk.part(Part::Sound).standing, Standing::Fails);
}

#[test]
fn the_test_slip_is_asked_about_when_it_is_out_and_says_what_holds_it_up() {
    let mut desk = whole();
    desk.try_it(SetupOrder::Slip).expect("there is a printer");
    let Some(Effect::Print(job)) = desk.effects.try_iter().next() else { panic!("a slip") };
    let waits = Report::Waits { id: job.id, hindrance: Hindrance::PaperOut };
    desk.handle(Event::Printer(waits));
    assert_eq!(desk.doing(), Some(SetupDoing::Slip { hindered: Some(Hindrance::PaperOut.code()) }));
    desk.handle(Event::Printer(Report::Printed { id: job.id }));
    assert_eq!(desk.doing(), Some(SetupDoing::Printed));
    desk.answer(Part::Printer, true).expect("asked");
    assert_eq!(desk.part(Part::Printer).standing, Standing::Works);
    assert!(desk.view().view.printer.clone().expect("a printer").slips.is_empty(), "it is no slip of a fact");
    desk.try_it(SetupOrder::Slip).expect("again");
    desk.handle(Event::Printer(Report::LetGo { id: job.id }));
    assert_eq!(desk.part(Part::Printer).standing, Standing::Fails);
}

#[test]
fn results_stand_after_a_restart_and_in_practice_and_get_old_and_belong_to_their_device() {
    let mut desk = whole();
    desk.try_it(SetupOrder::Contacted(Ok(12))).expect("kept");
    desk.order(Order::Practise(true)).expect("possible");
    desk.try_it(SetupOrder::Card).expect("possible");
    desk.present(1);
    desk.order(Order::Practise(false)).expect("possible");
    desk.dispatch.setup = Default::default();
    desk.dispatch.recall_tried().expect("read");
    desk.handle(Event::Tick);
    assert_eq!(desk.part(Part::Central).standing, Standing::Works);
    assert_eq!(desk.part(Part::Reader).standing, Standing::Works);
    desk.dispatch.readers.entries[1].0 = "/dev/ttyUSB1".to_owned();
    desk.handle(Event::Tick);
    assert_eq!(desk.part(Part::Reader).standing, Standing::Changed);
    desk.wait(u64::try_from(TRIED_OLD_DAYS).expect("small") * 86_400 + 60);
    desk.handle(Event::Tick);
    assert_eq!(desk.part(Part::Central).standing, Standing::Old);
    desk.try_it(SetupOrder::Contacted(Err("refused".to_owned()))).expect("kept");
    assert_eq!(desk.part(Part::Central).standing, Standing::Fails);
}
