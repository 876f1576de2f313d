//! A terminal's whole road from a reader's event to its answer: queue, loop, core, journal, counter page, and displays
//! where there are any. The loop runs on its own thread, as in the daemon.

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use embedded_graphics::prelude::Size;
use hufu_edge::clock::{Clock, SystemClock};
use hufu_edge::counter::port::{Port, PortEnds};
use hufu_edge::locale::Language;
use hufu_edge::rules::screen::{Face, Offers};
use hufu_edge::run::core::Core;
use hufu_edge::run::dispatch::Dispatch;
use hufu_edge::run::effects::{Effect, Effects};
use hufu_edge::run::events::{EVENTS_MAX, Event};
use hufu_edge::run::panels::DisplayState;
use hufu_edge::store::Directory;
use hufu_edge::terminal::Terminal;
use hufu_hardware::card::{CardEvent, Evidence, Medium, Presented, SourceId, SourceKind};
use hufu_hardware::panel::{Depth, Frame, Panel, PanelError};
use hufu_hardware::pcsc::atr::CardKind;
use hufu_hardware::signal::NoSignal;
use tokio::sync::mpsc::Sender;

use crate::club;

/// Readers of one terminal.
pub const SOURCES: usize = 16;

/// A running loop.
pub struct Road {
    inbox: Sender<Event>,
    /// When each swipe was answered, in their order.
    answers: Mutex<Receiver<Instant>>,
    clock: Clock,
    next: Mutex<usize>,
    cards: usize,
    _port: Port,
    looping: Option<JoinHandle<()>>,
}

/// A display without glass.
struct Blank {
    frame: Frame,
    depth: Depth,
}

impl Panel for Blank {
    fn size(&self) -> Size {
        embedded_graphics::prelude::OriginDimensions::size(&self.frame)
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }

    fn flush(&mut self) -> Result<(), PanelError> {
        Ok(())
    }
}

impl Road {
    /// Over a directory of so many cards, with a journal of its own. With a display an answer is its picture, else the word
    /// that goes to the displays.
    pub fn start(
        journal: &Path,
        directory: &Directory,
        (terminal, cards): (&Arc<Terminal>, usize),
        display: Option<(Size, Depth)>,
    ) -> Self {
        let store = club::journal(journal, terminal);
        let core = Core::new(store, directory.clone(), Arc::clone(terminal));
        let clock = Clock::new(Arc::new(SystemClock::start()), club::NOON);
        let (effects, shown) = channel();
        let entries = (0..SOURCES).map(|at| (format!("reader {at}"), SourceKind::Tap)).collect();
        let mut dispatch =
            Dispatch::new(core, clock.clone(), effects, entries, DisplayState::default()).expect("a loop");
        let (port, PortEnds { view, .. }) = Port::new(dispatch.first_view().expect("a view"), None);
        dispatch.attach(view);
        let (inbox, mut events) = tokio::sync::mpsc::channel(EVENTS_MAX);
        let looping = std::thread::spawn(move || dispatch.work(&mut events));
        let answers = Mutex::new(answers(shown, display, clock.clone()));
        Self { inbox, answers, clock, next: Mutex::new(0), cards, _port: port, looping: Some(looping) }
    }

    /// Holds the next card to a reader; the caller waits for the answer.
    pub fn present(&self, source: usize) {
        // Held until the event is in the queue, so that answers come in this order.
        let mut next = self.next.lock().expect("no thread panics with it");
        // Spread over all cards, none of which comes back soon.
        let medium = Medium::Uid(club::uid(*next * 48_271 % self.cards).to_vec());
        *next += 1;
        let presented = Presented {
            source: SourceId::new(source, "reader"),
            medium,
            evidence: Evidence::Tap { atr: Vec::new(), card: CardKind::Unknown },
            at_ns: self.clock.now().mono_ns,
        };
        self.inbox.blocking_send(Event::Card(CardEvent::Presented(presented))).expect("the loop runs");
    }

    /// Waits for the next answer: when it was there, which is before the one who waits for it has woken up.
    pub fn answer(&self) -> Instant {
        self.answers.lock().expect("no thread panics with it").recv().expect("an answer")
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        drop(self.inbox.blocking_send(Event::Stop));
        if let Some(looping) = self.looping.take() {
            drop(looping.join());
        }
    }
}

/// Turns what is shown into answers.
fn answers(shown: Receiver<Effect>, display: Option<(Size, Depth)>, clock: Clock) -> Receiver<Instant> {
    let (answer, answers) = channel();
    std::thread::spawn(move || {
        let Some((size, depth)) = display else {
            for effect in shown {
                if matches!(effect, Effect::Show { .. }) && answer.send(club::clock()).is_err() {
                    return;
                }
            }
            return;
        };
        let panel = Box::new(Blank { frame: Frame::new(size), depth });
        let rest = (Face::Idle(Offers { card: true, code: false }), chrono_tz::Asia::Shanghai);
        let effects = Effects::new(vec![panel], Box::new(NoSignal), Language::Zh, clock, rest);
        // A report without a fact is of a picture at rest.
        effects.run(&shown, |report| {
            let _ = report.seq.map(|_| answer.send(club::clock()));
        });
    });
    answers
}
