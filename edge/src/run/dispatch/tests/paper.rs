//! Slips at the loop: printed after their commit, waiting, let go, printed again, found again after a restart.

use hufu_hardware::printer::queue::{Job, Report};
use hufu_hardware::printer::{Block, Hindrance, Paper as Roll, Status};

use super::*;
use crate::counter::port::SlipTyped;
use crate::counter::view::{PrinterView, SlipView};
use crate::rules::slip::SlipKind;
use crate::run::paper::PrinterSetup;

fn setup() -> PrinterSetup {
    PrinterSetup { name: "lp0".to_owned(), automatic: SlipKind::ALL.to_vec(), language: Language::Zh }
}

fn with_printer() -> Desktop {
    let mut desk = desktop();
    desk.dispatch.attach_printer(setup()).expect("readable");
    desk
}

fn top_up(number: &str) -> Order {
    let slip = SlipTyped { number: number.to_owned(), date: None, shop: None };
    Order::SetMode(ModeOrder::TopUp { amount: Amount(50_000), method: "cash".to_owned(), slip })
}

impl Desktop {
    /// Effects since the last look, as the devices meet them.
    fn done(&self) -> Vec<Effect> {
        self.effects.try_iter().collect()
    }

    fn jobs(&self) -> Vec<Job> {
        let job = |effect| match effect {
            Effect::Print(job) => Some(job),
            _ => None,
        };
        self.done().into_iter().filter_map(job).collect()
    }

    fn printer(&self) -> PrinterView {
        self.view().view.printer.clone().expect("a printer")
    }

    fn top_up(&mut self, number: &str) -> u64 {
        // The same card within moments would be one touch of it.
        self.wait(5);
        self.order(top_up(number)).expect("possible");
        self.present(1);
        self.facts().last().expect("a fact").seq
    }
}

fn words(job: &Job) -> String {
    let said = job.ticket.blocks.iter().map(|block| match block {
        Block::Text { text, .. } => text.clone(),
        Block::Pair { label, value, .. } => format!("{label} {value}"),
        Block::Qr(data) => data.clone(),
        _ => String::new(),
    });
    said.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_slip_follows_what_the_display_says_and_tells_what_is_there_now() {
    let mut desk = with_printer();
    let seq = desk.top_up("A1");
    let done = desk.done();
    let [Effect::Show { seq: shown, .. }, Effect::Print(job)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((*shown, job.id), (Some(seq), seq));
    let said = words(job);
    for part in ["充值小票", "储值 +¥500.00", "支付方式 现金", "欧阳*玥", "离线登记，联网后入账"]
    {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert!(!said.contains("欧阳堃玥"), "no whole name on paper");
    assert!(desk.printer().slips[0].queued);
    desk.handle(Event::Printer(Report::Printed { id: seq }));
    assert_eq!(
        desk.printer().slips,
        [SlipView {
            copies: 1,
            at: desk.printer().slips[0].at,
            ..SlipView::new(seq, "0707-1-000002".into(), NOON, false)
        }]
    );
    assert_eq!(desk.dispatch.core.store().with(|journal| journal.copies(seq)).expect("read"), 1);
}

#[test]
fn a_printer_without_paper_holds_nobody_up_and_a_slip_that_was_let_go_is_printed_on_demand() {
    let mut desk = with_printer();
    let seq = desk.top_up("A1");
    desk.jobs();
    let out = Status { paper: Roll::Out, hindrance: Some(Hindrance::PaperOut) };
    desk.handle(Event::Printer(Report::Status(out)));
    desk.handle(Event::Printer(Report::Waits { id: seq, hindrance: Hindrance::PaperOut }));
    assert_eq!((desk.printer().hindrance, desk.printer().slips[0].queued), (Some("paper-out"), true));
    assert_eq!(desk.order(Order::Reprint { seq }), Ok(()));
    assert!(desk.jobs().is_empty(), "it waits already");
    desk.present(2);
    assert_eq!(desk.view().view.result.as_ref().map(|result| result.outcome), Some(Seen::Accepted));

    desk.handle(Event::Printer(Report::LetGo { id: seq }));
    assert!(desk.printer().slips[0].let_go && !desk.printer().slips[0].queued);
    desk.handle(Event::Printer(Report::Status(Status::default())));
    assert_eq!(desk.order(Order::Reprint { seq }), Ok(()));
    let jobs = desk.jobs();
    assert!(!words(&jobs[0]).contains("补打"), "it was never on paper");
    desk.handle(Event::Printer(Report::Printed { id: seq }));
    assert_eq!(desk.order(Order::Reprint { seq }), Ok(()));
    assert!(words(&desk.jobs()[0]).contains("补打（第 1 次）"));
    desk.handle(Event::Printer(Report::Printed { id: seq }));
    assert_eq!(desk.order(Order::Reprint { seq }), Ok(()));
    assert!(words(&desk.jobs()[0]).contains("补打（第 2 次）"));
}

#[test]
fn only_what_moved_value_has_a_slip_and_staff_choose_what_is_printed_unasked() {
    let mut desk = desktop();
    assert_eq!(desk.order(Order::Reprint { seq: 1 }), Err(Declined::Unable), "there is no printer");
    let quiet = PrinterSetup { automatic: vec![SlipKind::CashOut], ..setup() };
    desk.dispatch.attach_printer(quiet).expect("readable");
    desk.present(1);
    let visit = desk.facts().last().expect("a fact").seq;
    assert_eq!(desk.order(Order::Reprint { seq: visit }), Err(Declined::Stale));
    let seq = desk.top_up("A1");
    assert!(desk.jobs().is_empty());
    assert_eq!(
        desk.printer().slips.iter().map(|slip| (slip.seq, slip.queued)).collect::<Vec<_>>(),
        [(seq, false)]
    );
    assert_eq!(desk.order(Order::Reprint { seq }), Ok(()));
    assert_eq!(desk.jobs().len(), 1);
}

#[test]
fn after_a_restart_what_was_not_printed_is_found_from_the_journal() {
    let mut desk = with_printer();
    let (first, second) = (desk.top_up("A1"), desk.top_up("A2"));
    desk.handle(Event::Printer(Report::Printed { id: first }));
    let again = |desk: &Desktop| {
        let (sender, effects) = mpsc::channel();
        let core = desk.dispatch.core.clone();
        let clock = desk.dispatch.clock.clone();
        let mut dispatch =
            Dispatch::new(core, clock, sender, Vec::new(), DisplayState::default()).expect("a loop");
        dispatch.attach_printer(setup()).expect("readable");
        let queued: Vec<u64> = effects
            .try_iter()
            .filter_map(|effect| match effect {
                Effect::Print(job) => Some(job.id),
                _ => None,
            })
            .collect();
        (queued, dispatch.printer_view().expect("a printer"))
    };
    assert_eq!(again(&desk).0, [second], "what is on paper is not printed again");
    desk.wait(31 * 60);
    let (queued, view) = again(&desk);
    assert!(queued.is_empty(), "its member has left");
    assert_eq!(view.slips.iter().map(|slip| (slip.seq, slip.let_go)).collect::<Vec<_>>(), [(second, true)]);
    desk.wait(24 * 3_600);
    assert!(again(&desk).1.slips.is_empty(), "nobody asks for it tomorrow");
}

#[test]
fn what_is_taken_back_has_its_slip_too() {
    let mut desk = with_printer();
    let seq = desk.top_up("A1");
    desk.jobs();
    let of = crate::counter::port::WhichTyped::Fact(seq);
    desk.order(Order::TakeBack { of, part: None, reason: "mistake".into(), slip: None }).expect("taken back");
    let jobs = desk.jobs();
    let said = words(&jobs[0]);
    for part in ["撤销小票", "储值 -¥500.00", "原小票号 0707-1-000002"] {
        assert!(said.replace('−', "-").contains(part), "{part} is missing in\n{said}");
    }
}

#[test]
fn a_badge_says_what_others_may_read() {
    let mut desk = with_printer();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    let jobs = desk.jobs();
    let said = words(&jobs[0]);
    for part in ["欧阳女士", "金卡", "业主答谢会", "2026-11-22", "0707-1-000002"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert!(!said.contains("欧阳*玥") && !said.contains("欧阳堃玥") && !said.contains("积分"), "{said}");
    assert!(desk.printer().slips[0].badge);
    desk.wait(5);
    desk.present(1);
    assert!(desk.jobs().is_empty(), "who is in already has one");
}

#[test]
fn whoever_complains_gets_number_and_promise_on_paper_even_if_it_comes_later() {
    let mut desk = with_printer();
    let out = Status { paper: Roll::Out, hindrance: Some(Hindrance::PaperOut) };
    desk.handle(Event::Printer(Report::Status(out)));
    let taken = desk.complains("quality", 24);
    let jobs = desk.jobs();
    let said = words(&jobs[0]);
    let number = taken.receipt.expect("a number");
    for part in ["投诉受理回执", &number, "房屋质量", "2026-11-23", "离线登记"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert!(!said.contains("13800138000"), "what was said is sealed");
    desk.handle(Event::Printer(Report::LetGo { id: taken.seq }));
    assert!(desk.printer().slips[0].let_go, "the form is on the disk, its paper is owed");
    assert_eq!(desk.order(Order::Reprint { seq: taken.seq }), Ok(()));
    assert!(!words(&desk.jobs()[0]).contains("补打"), "it was never on paper");
}
