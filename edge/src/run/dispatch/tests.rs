//! The loop with scripted devices: what is shown, when, and what the counter page is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hufu_hardware::card::{Entry, ErrorKind, Evidence, Medium, Presented as Read, SourceId};
use hufu_hardware::fake::{FakePanel, FakeSignal, PanelTape, SignalTape};
use hufu_hardware::panel::Depth;
use hufu_hardware::signal::Light;
use hufu_shared::cbor;
use hufu_shared::fact::{Event as FactEvent, Fact, Way};
use hufu_shared::money::Amount;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::health::Attached;
use tokio::sync::oneshot;

use super::*;
use crate::clock::Readings;
use crate::counter::port::{Declined, ModeOrder, Order, Port, PortEnds, Request, Verdict};
use crate::counter::view::{ModeView, Purpose as SeenPurpose};
use crate::locale::Language;
use crate::rules::readiness::{Grade, Item};
use crate::rules::screen::Offers;
use crate::run::effects::Effects;
use crate::run::events::ControlOrder;
use crate::store::Directory;
use crate::store::testing::*;

mod batch;
mod card;
mod codes;
mod compared;
mod desk;
mod lookup;
mod paper;
mod party;
mod practice;
mod setup;
mod staff;
mod together;
mod value;

struct Hands(AtomicU64);

impl Readings for Hands {
    fn wall(&self) -> Instant {
        NOON.offset(i64::try_from(self.mono_ns() / 1_000).expect("small"))
    }
    fn mono_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Desktop {
    _folder: tempfile::TempDir,
    dispatch: Dispatch,
    effects: mpsc::Receiver<Effect>,
    port: Port,
    hands: Arc<Hands>,
}

fn desktop() -> Desktop {
    desktop_with(directory)
}

fn desktop_with(directory: impl FnOnce(&std::path::Path, u8) -> Directory) -> Desktop {
    let folder = tempfile::tempdir().expect("a folder");
    let core = Core::new(booted(folder.path()), directory(folder.path(), 3), Arc::new(terminal()));
    let hands = Arc::new(Hands(AtomicU64::new(1_000_000_000)));
    let readings: Arc<dyn Readings> = Arc::clone(&hands) as Arc<dyn Readings>;
    let clock = Clock::new(readings, Instant(0));
    let (sender, effects) = mpsc::channel();
    let entries = vec![("ACS".to_owned(), SourceKind::Tap), ("/dev/ttyUSB0".to_owned(), SourceKind::Swipe)];
    let mut dispatch = Dispatch::new(core, clock, sender, entries, DisplayState::default()).expect("a loop");
    let (port, PortEnds { view, .. }) = Port::new(dispatch.first_view().expect("a view"), None);
    dispatch.attach(view);
    let mut desktop = Desktop { _folder: folder, dispatch, effects, port, hands };
    for index in [0, 1] {
        let source = SourceId::new(index, "reader");
        desktop.handle(Event::Card(CardEvent::SourceUp { source, at_ns: 0 }));
    }
    desktop.shown();
    desktop
}

impl Desktop {
    fn handle(&mut self, event: Event) {
        assert!(self.dispatch.handle(event));
    }

    fn wait(&self, seconds: u64) {
        self.hands.0.fetch_add(seconds * 1_000_000_000, Ordering::SeqCst);
    }

    fn present(&mut self, n: u8) {
        let medium = Medium::Stripe { track1: None, track2: None, number: format!("88000000{n:04}") };
        let presented = Read {
            source: SourceId::new(1, "reader"),
            medium,
            evidence: Evidence::Swipe { lrc_checked: false },
            at_ns: self.hands.mono_ns(),
        };
        self.handle(Event::Card(CardEvent::Presented(presented)));
    }

    fn order(&mut self, order: Order) -> Result<(), Declined> {
        let (reply, mut answer) = oneshot::channel();
        self.handle(Event::Order(Request { order, reply }));
        answer.try_recv().expect("answered").map(drop)
    }

    /// Faces shown since the last look.
    fn shown(&self) -> Vec<(Face, Option<u64>)> {
        let shown = |effect| match effect {
            Effect::Show { face, seq, .. } => Some((face, seq)),
            Effect::Rest(..) | Effect::Stand(_) | Effect::Print(_) => None,
            Effect::Signal(_) | Effect::Practice(_) => None,
        };
        self.effects.try_iter().filter_map(shown).collect()
    }

    fn facts(&self) -> Vec<Fact> {
        let stored = self.dispatch.core.store().with(|journal| journal.pending(1, usize::MAX, usize::MAX));
        stored.expect("read").iter().map(|stored| cbor::decode(&stored.body).expect("our own")).collect()
    }

    fn view(&self) -> Arc<crate::counter::port::Snapshot> {
        self.port.snapshot()
    }
}

fn green(seq: u64) -> (Face, Option<u64>) {
    (Face::Outcome(Outcome::Accepted), Some(seq))
}

#[test]
fn the_centre_is_told_how_ready_the_terminal_is_and_only_when_that_changes() {
    let mut desk = desktop();
    let (ready, mut told) = tokio::sync::watch::channel(None);
    desk.dispatch.attach_ready(ready);
    desk.handle(Event::Tick);
    let said = told.borrow_and_update().clone().expect("said");
    let grade = |item| said.parts.iter().find(|part| part.item == item).map(|part| part.grade);
    assert_eq!(grade(Item::Scheme), Some(Grade::Ready));
    assert_eq!(grade(Item::Leases), Some(Grade::Look), "nothing is set aside here");
    desk.wait(1);
    desk.handle(Event::Tick);
    assert!(!told.has_changed().expect("open"), "the same is not said again");
    desk.wait(48 * 3_600);
    desk.handle(Event::Tick);
    let activity = told.borrow_and_update().clone().expect("said").parts[1];
    assert_eq!((activity.item, activity.grade), (Item::Activity, Grade::Look), "it is over");
}

#[test]
fn the_centre_is_told_each_minute_how_the_terminal_is() {
    let mut desk = desktop();
    let (health, mut told) = tokio::sync::watch::channel(None);
    desk.dispatch.attach_health(health);
    desk.handle(Event::Tick);
    assert_eq!(*told.borrow_and_update(), None, "not with every tick");
    desk.wait(61);
    desk.handle(Event::Tick);
    let said = told.borrow_and_update().clone().expect("said");
    assert_eq!(
        said.pieces.iter().map(|piece| (piece.kind, piece.up)).collect::<Vec<_>>(),
        [(Attached::Reader, true), (Attached::Reader, true)]
    );
    assert_eq!(said.oldest, desk.facts().first().map(|fact| fact.wall), "nothing was acknowledged here");
    assert_eq!(said.software.as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_swipe_is_on_the_disk_when_its_green_is_sent() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    assert_eq!(desk.facts().len(), 2);
    assert_eq!(desk.shown(), [green(2)]);
    let snapshot = desk.view();
    let result = snapshot.view.result.as_ref().expect("a result");
    assert_eq!((result.outcome, result.seq, result.promised), (Seen::Accepted, Some(2), Some(Amount(2))));
    assert_eq!(result.person.as_ref().and_then(|person| person.name.as_deref()), Some("欧阳堃玥"));
    assert_eq!(snapshot.view.activities[0].attended_here, 1);
    assert_eq!((snapshot.view.link.queue_len, snapshot.view.last.len()), (2, 1));
}

#[test]
fn inv_06_nothing_is_shown_as_recorded_when_the_journal_refuses() {
    let mut desk = desktop();
    fill_disk(desk.dispatch.core.store());
    let before = desk.facts().len();
    desk.present(1);
    assert_eq!(desk.facts().len(), before);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R13)), None)]);
    assert_eq!(
        desk.view().view.result.as_ref().map(|result| result.outcome),
        Some(Seen::Refused(RefusalReason::R13))
    );
}

#[test]
fn inv_06_a_panel_and_a_light_turn_green_only_for_a_committed_fact() {
    let mut desk = desktop();
    let (panel, tape): (FakePanel, PanelTape) =
        FakePanel::new(embedded_graphics::prelude::Size::new(128, 64), Depth::Rgb);
    let (signal, lights): (FakeSignal, SignalTape) = FakeSignal::new();
    let rest = (Face::Idle(Offers { card: true, code: false }), Tz::Asia__Shanghai);
    let clock = desk.dispatch.clock.clone();
    let effects = Effects::new(vec![Box::new(panel)], Box::new(signal), Language::Zh, clock, rest);
    desk.present(1);
    fill_disk(desk.dispatch.core.store());
    desk.wait(5);
    desk.present(2);
    // The loop is over: the devices perform what it had sent, and end.
    let Desktop { dispatch, effects: sent, .. } = desk;
    drop(dispatch);
    let (told, reports) = mpsc::channel();
    effects.run(&sent, move |shown| drop(told.send(shown)));
    let colours: Vec<Light> = lights.cues().iter().map(|cue| cue.light).collect();
    assert_eq!(colours, [Light::Green, Light::Red], "one committed, one refused");
    let shown: Vec<u64> = reports.iter().filter_map(|shown| shown.seq).collect();
    assert_eq!(shown, [2], "only the committed one is reported as shown");
    assert!(tape.frames().len() >= 3, "idle, green, red");
}

#[test]
fn a_display_that_fails_is_told_and_marks_nothing_as_shown() {
    let mut desk = desktop();
    let (panel, tape) = FakePanel::new(embedded_graphics::prelude::Size::new(128, 64), Depth::Mono);
    tape.set_failing(true);
    let (signal, lights) = FakeSignal::new();
    lights.set_failing(true);
    let rest = (Face::NotReady, Tz::Asia__Shanghai);
    let clock = desk.dispatch.clock.clone();
    let effects = Effects::new(vec![Box::new(panel)], Box::new(signal), Language::En, clock, rest);
    desk.present(1);
    let Desktop { mut dispatch, effects: sent, port, _folder, .. } = desk;
    let (told, reports) = mpsc::channel();
    dispatch.effects = mpsc::channel().0;
    effects.run(&sent, move |shown: Shown| drop(told.send(shown)));
    for report in reports {
        assert_eq!(report.seq, None);
        assert!(dispatch.handle(Event::Shown(report)));
    }
    assert!(port.snapshot().view.display.fault.as_deref().is_some_and(|fault| fault.contains("fake")));
}

#[test]
fn case_73_the_same_card_within_a_second_is_one_event_and_within_the_window_a_repeat() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    desk.wait(1);
    desk.present(1);
    assert_eq!(desk.facts().len(), 2, "the hand trembled");
    desk.wait(5);
    desk.present(1);
    assert_eq!(desk.facts().len(), 3, "a second tap is a fact");
    assert_eq!(desk.shown(), [green(2), (Face::Outcome(Outcome::AlreadyIn), Some(3))]);
}

#[test]
fn a_purchase_is_for_one_card_and_the_mode_returns() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.order(Order::SetMode(ModeOrder::Earn(Amount(32_000)))).expect("possible");
    assert_eq!(desk.view().view.mode, ModeView::Earn { purchase: Amount(32_000) });
    desk.present(2);
    let snapshot = desk.view();
    assert!(matches!(snapshot.view.mode, ModeView::CheckIn { occurrence: OCCASION, .. }));
    assert_eq!(snapshot.view.last[0].purpose, SeenPurpose::Earn { purchase: Amount(32_000) });
    assert_eq!(snapshot.view.last[0].promised, Some(Amount(6)));
    for fen in [0, -5, 100_000_001] {
        assert_eq!(desk.order(Order::SetMode(ModeOrder::Earn(Amount(fen)))), Err(Declined::Amount));
    }
}

#[test]
fn rule_k26_an_activity_that_does_not_run_cannot_be_chosen_and_ends_by_itself() {
    let mut desk = desktop();
    let other = OccurrenceId([44; 16]);
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckIn(other))), Err(Declined::NotRunning));
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.wait(9 * 3_600);
    desk.present(1);
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R10)), None)]);
}

#[test]
fn kind_04_staff_choose_the_way_and_a_gate_has_only_its_own() {
    let mut desk = desktop_with(counting_directory);
    let offered = |desk: &Desktop| {
        let view = desk.view();
        (view.view.activities[0].enters, view.view.activities[0].leaves)
    };
    assert_eq!(offered(&desk), (true, Some(true)));
    desk.order(Order::SetMode(ModeOrder::CheckOut(OCCASION))).expect("it counts who leaves");
    assert!(matches!(desk.view().view.mode, ModeView::CheckOut { occurrence: OCCASION, .. }));
    desk.present(1);
    let fact = desk.facts().pop().expect("one");
    assert!(matches!(fact.event, FactEvent::Attended(passing) if passing.way == Way::Out));
    let snapshot = desk.view();
    assert!(matches!(snapshot.view.last[0].purpose, SeenPurpose::CheckOut { .. }));
    assert_eq!(snapshot.view.activities[0].attended_here, 0, "leaving is no attendance");
    // It stays so until staff choose again, also for the next start.
    let again = Dispatch::new(
        desk.dispatch.core.clone(),
        desk.dispatch.clock.clone(),
        mpsc::channel().0,
        Vec::new(),
        DisplayState::default(),
    );
    assert_eq!(again.expect("a loop").mode.purpose, Purpose::CheckOut(OCCASION));
    desk.dispatch.set_gate(Gate::In);
    desk.handle(Event::Tick);
    assert_eq!(desk.dispatch.mode.purpose, Purpose::CheckIn(OCCASION), "it was moved to the entrance");
    assert_eq!(offered(&desk), (true, None));
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckOut(OCCASION))), Err(Declined::NotRunning));
    desk.dispatch.set_gate(Gate::Out);
    desk.handle(Event::Tick);
    assert_eq!(offered(&desk), (false, Some(true)));
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))), Err(Declined::NotRunning));
}

#[test]
fn nobody_is_counted_out_of_an_activity_that_does_not_count_it() {
    let mut desk = desktop();
    assert_eq!(desk.view().view.activities[0].leaves, None);
    assert_eq!(desk.order(Order::SetMode(ModeOrder::CheckOut(OCCASION))), Err(Declined::NotRunning));
}

#[test]
fn what_the_terminal_was_set_to_do_outlives_a_kill() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.order(Order::SetMode(ModeOrder::Earn(Amount(100)))).expect("possible");
    let Desktop { dispatch, _folder, .. } = desk;
    let (core, clock) = (dispatch.core.clone(), dispatch.clock.clone());
    drop(dispatch);
    let again = Dispatch::new(core, clock, mpsc::channel().0, Vec::new(), DisplayState::default());
    assert_eq!(again.expect("a loop").mode.purpose, Purpose::CheckIn(OCCASION), "but never a purchase");
}

#[test]
fn a_read_that_failed_asks_again_and_a_card_that_identifies_nobody_is_refused_as_a_fact() {
    let mut desk = desktop();
    let failed = |kind| {
        let source = SourceId::new(0, "reader");
        Event::Card(CardEvent::ReadFailed { source, offered: SourceKind::Tap, kind, at_ns: 0 })
    };
    desk.handle(failed(ErrorKind::CardLost));
    assert_eq!(desk.shown(), [(Face::Failed(crate::rules::screen::Offered::Tap), None)]);
    assert_eq!(desk.facts().len(), 1, "case 70: nothing of it is kept");
    desk.handle(failed(ErrorKind::PaymentCard));
    assert_eq!(desk.shown(), [(Face::Outcome(Outcome::Refused(RefusalReason::R08)), None)]);
    desk.wait(20);
    desk.handle(Event::Tick);
    let fact = desk.facts().pop().expect("the refusal, its window over");
    let FactEvent::Refused(refused) = fact.event else { panic!("a refusal") };
    assert_eq!((refused.subject, refused.reason), (None, RefusalReason::R08));
}

#[test]
fn case_71_a_terminal_whose_readers_are_gone_is_visibly_out_of_service() {
    let mut desk = desktop();
    let down = |index| {
        let source = SourceId::new(index, "reader");
        Event::Card(CardEvent::SourceDown {
            source,
            kind: ErrorKind::DeviceGone,
            reason: "pulled".into(),
            at_ns: 0,
        })
    };
    desk.handle(down(0));
    desk.handle(down(1));
    let rest = desk.effects.try_iter().last();
    assert!(matches!(rest, Some(Effect::Rest(Face::NotReady, _))), "{rest:?}");
    desk.handle(Event::Tick);
    assert!(desk.effects.try_iter().next().is_none(), "told once");
    let snapshot = desk.view();
    assert!(snapshot.view.readers.iter().all(|reader| !reader.up && reader.reason == "pulled"));
    let source = SourceId::new(0, "reader");
    desk.handle(Event::Card(CardEvent::SourceUp { source, at_ns: 0 }));
    assert!(
        matches!(desk.effects.try_iter().last(), Some(Effect::Rest(Face::Idle(offers), _)) if offers.card)
    );
}

#[test]
fn a_stepped_clock_is_a_fact() {
    let mut desk = desktop();
    let step = -3_600 * SECOND_US;
    let jump = Jump { hands: Arc::clone(&desk.hands), step, at_ns: desk.hands.mono_ns() };
    desk.dispatch.clock = Clock::new(Arc::new(jump), Instant(0));
    desk.handle(Event::Tick);
    assert_eq!(desk.facts().len(), 1);
    desk.wait(1);
    desk.handle(Event::Tick);
    let FactEvent::ClockStepped(stepped) = desk.facts().pop().expect("one").event else { panic!("a step") };
    assert_eq!(stepped.by_us, step);
}

/// Readings whose wall clock is moved right after `at_ns`.
struct Jump {
    hands: Arc<Hands>,
    step: i64,
    at_ns: u64,
}

impl Readings for Jump {
    fn wall(&self) -> Instant {
        let step = if self.hands.mono_ns() > self.at_ns { self.step } else { 0 };
        self.hands.wall().offset(step)
    }
    fn mono_ns(&self) -> u64 {
        self.hands.mono_ns()
    }
}

#[test]
fn the_day_closes_for_a_command_and_for_the_centre() {
    let mut desk = desktop();
    desk.present(1);
    let (reply, mut answer) = oneshot::channel();
    desk.handle(Event::Control(ControlOrder::CloseDay(reply)));
    let closed = answer.try_recv().expect("answered").expect("closed");
    assert_eq!((closed.day.to_string().as_str(), closed.to_seq, closed.totals.visited), ("2026-11-22", 2, 1));
    let command = hufu_shared::ids::CommandId([5; 16]);
    let order = crate::state::CentralOrder { command, order: Ok(hufu_shared::wire::upload::Order::CloseDay) };
    desk.handle(Event::Central(order));
    let names: Vec<_> = desk.facts().iter().map(|fact| fact.event.name()).collect();
    assert_eq!(names, ["booted", "visited", "day_closed", "day_closed", "command_done"]);
}

#[test]
fn staff_settle_what_a_power_cut_left_open() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::Earn(Amount(32_000)))).expect("possible");
    desk.present(1);
    // The display never told; the power goes.
    desk.dispatch.core.store().with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    desk.handle(Event::Tick);
    let snapshot = desk.view();
    let open = &snapshot.view.unshown[0];
    assert_eq!((open.seq, open.promised, open.name.as_deref()), (2, Some(Amount(6)), Some("欧阳堃玥")));
    desk.order(Order::Resolve { seq: 2, verdict: Verdict::Undo }).expect("settled");
    assert!(desk.view().view.unshown.is_empty());
    assert_eq!(desk.order(Order::Resolve { seq: 2, verdict: Verdict::Undo }), Err(Declined::Stale));
    assert_eq!(desk.facts().last().expect("one").event.name(), "reversed");
}

#[test]
fn a_check_in_that_staff_take_back_can_be_made_again() {
    let mut desk = desktop();
    desk.order(Order::SetMode(ModeOrder::CheckIn(OCCASION))).expect("it runs");
    desk.present(1);
    desk.dispatch.core.store().with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    desk.handle(Event::Tick);
    desk.order(Order::Resolve { seq: 2, verdict: Verdict::Undo }).expect("settled");
    assert_eq!(desk.view().view.activities[0].attended_here, 0);
    desk.shown();
    desk.wait(30);
    desk.present(1);
    let seq = desk.facts().last().expect("one").seq;
    assert_eq!(desk.shown(), [green(seq)], "not in already");
    assert_eq!(desk.view().view.activities[0].attended_here, 1);
}
