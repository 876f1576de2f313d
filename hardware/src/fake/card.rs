//! A card source whose events are played by hand or from a script.
//!
//! Invariants: events are sent from a thread of its own, like a real reader's, in the order of the calls; every call
//! returns only after the event was handed over, so a test needs no waiting.

use std::sync::mpsc;
use std::time::Duration;

use crate::card::{
    CardEvent, CardSource, ErrorKind, EventSink, Evidence, Medium, MonotonicClock, Presented, Running,
    SourceError, SourceId, SourceKind,
};
use crate::pcsc::atr::CardKind;

/// One step of a script.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Step {
    /// A medium is read.
    Present(Medium),
    /// The card leaves.
    Remove,
    /// Something was there, but was not read.
    Fail(ErrorKind),
    /// Reading takes long.
    KeepStill,
    /// The reader works (again).
    Up,
    /// The reader is gone.
    Down(ErrorKind, String),
    /// Let time pass, through the pause that the player gives.
    Wait(Duration),
}

struct Order {
    step: Step,
    done: mpsc::Sender<()>,
}

/// The fake to hand to the program under test.
#[derive(Debug)]
pub struct FakeCardSource {
    source: SourceId,
    kind: SourceKind,
    orders: mpsc::Receiver<Order>,
    stop: mpsc::Sender<Order>,
    refuse: Option<ErrorKind>,
}

/// The hand that plays it.
#[derive(Debug, Clone)]
pub struct FakeReader {
    orders: mpsc::Sender<Order>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.step.fmt(f)
    }
}

impl FakeCardSource {
    /// A source for configuration entry `index`, and the hand that plays it.
    #[must_use]
    pub fn new(index: usize, name: &str, kind: SourceKind) -> (Self, FakeReader) {
        let (sender, orders) = mpsc::channel();
        let stop = sender.clone();
        let fake = Self { source: SourceId::new(index, name), kind, orders, stop, refuse: None };
        (fake, FakeReader { orders: sender })
    }

    /// Makes `start` fail with this kind.
    #[must_use]
    pub fn refusing_to_start(mut self, kind: ErrorKind) -> Self {
        self.refuse = Some(kind);
        self
    }
}

impl CardSource for FakeCardSource {
    fn kind(&self) -> SourceKind {
        self.kind
    }

    fn name(&self) -> String {
        self.source.name.to_string()
    }

    fn start(self: Box<Self>, sink: EventSink, clock: MonotonicClock) -> Result<Running, SourceError> {
        if let Some(kind) = self.refuse {
            return Err(SourceError::new(self.name(), kind, "the script says so"));
        }
        let Self { source, kind, orders, stop, .. } = *self;
        let thread = std::thread::Builder::new()
            .name("fake-card".into())
            .spawn(move || {
                for order in orders {
                    // A pause is played by the hand, so a pause that arrives here is the request to stop.
                    let Some(event) = event_of(order.step, &source, kind, clock.now_ns()) else { break };
                    sink.send(event);
                    let _ = order.done.send(());
                }
            })
            .map_err(|e| SourceError::new("fake", ErrorKind::Other, e.to_string()))?;
        let stop = move || {
            let (done, _) = mpsc::channel();
            drop(stop.send(Order { step: Step::Wait(Duration::ZERO), done }));
        };
        Ok(Running::new(stop, vec![thread]))
    }
}

fn event_of(step: Step, source: &SourceId, offered: SourceKind, at_ns: u64) -> Option<CardEvent> {
    let source = source.clone();
    Some(match step {
        Step::Present(medium) => {
            let evidence = match offered {
                SourceKind::Tap => Evidence::Tap { atr: Vec::new(), card: CardKind::Unknown },
                SourceKind::Swipe => Evidence::Swipe { lrc_checked: false },
                SourceKind::Scan => Evidence::Scan,
            };
            CardEvent::Presented(Presented { source, medium, evidence, at_ns })
        }
        Step::Remove => CardEvent::Removed { source, at_ns },
        Step::Fail(kind) => CardEvent::ReadFailed { source, offered, kind, at_ns },
        Step::KeepStill => CardEvent::KeepStill { source, at_ns },
        Step::Up => CardEvent::SourceUp { source, at_ns },
        Step::Down(kind, reason) => CardEvent::SourceDown { source, kind, reason, at_ns },
        Step::Wait(_) => return None,
    })
}

impl FakeReader {
    /// Plays one step and returns once its event was handed over. False if the source is not running (any more).
    pub fn play(&self, step: Step) -> bool {
        let (done, confirmed) = mpsc::channel();
        self.orders.send(Order { step, done }).is_ok() && confirmed.recv().is_ok()
    }

    /// Plays a script; `pause` performs the waits (sleep, or move a test clock on). False as soon as a step fails.
    pub fn play_all(&self, steps: impl IntoIterator<Item = Step>, mut pause: impl FnMut(Duration)) -> bool {
        steps.into_iter().all(|step| match step {
            Step::Wait(time) => {
                pause(time);
                true
            }
            step => self.play(step),
        })
    }

    /// Reads a medium.
    pub fn present(&self, medium: Medium) -> bool {
        self.play(Step::Present(medium))
    }

    /// Takes the card away.
    pub fn remove(&self) -> bool {
        self.play(Step::Remove)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_script_is_played_in_order_with_the_players_time() {
        let time = Arc::new(AtomicU64::new(10));
        let (fake, reader) = FakeCardSource::new(3, "desk", SourceKind::Tap);
        let (sender, events) = mpsc::channel();
        let clock_time = Arc::clone(&time);
        let clock = MonotonicClock::new(move || clock_time.load(Ordering::SeqCst));
        let running = Box::new(fake).start(sender.into(), clock).unwrap();
        let played = reader.play_all(
            [
                Step::Up,
                Step::Present(Medium::Uid(vec![1, 2, 3, 4])),
                Step::Wait(Duration::from_nanos(5)),
                Step::KeepStill,
                Step::Fail(ErrorKind::CardLost),
                Step::Remove,
                Step::Down(ErrorKind::DeviceGone, "pulled".into()),
            ],
            |pause| {
                let pause_ns = u64::try_from(pause.as_nanos()).unwrap();
                time.fetch_add(pause_ns, Ordering::SeqCst);
            },
        );
        assert!(played && running.is_alive());
        running.stop();
        assert!(!reader.remove(), "a stopped source plays nothing");
        let got: Vec<_> = events.into_iter().collect();
        assert_eq!(got.iter().map(CardEvent::at_ns).collect::<Vec<_>>(), [10, 10, 15, 15, 15, 15]);
        assert!(matches!(&got[1], CardEvent::Presented(p) if p.medium == Medium::Uid(vec![1, 2, 3, 4])));
        assert!(got.iter().all(|e| e.source() == &SourceId::new(3, "desk")));
    }

    #[test]
    fn a_source_can_refuse_to_start() {
        let (fake, reader) = FakeCardSource::new(0, "x", SourceKind::Scan);
        let (sender, _events) = mpsc::channel();
        let result = Box::new(fake.refusing_to_start(ErrorKind::Denied))
            .start(sender.into(), MonotonicClock::new(|| 0));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Denied);
        assert!(!reader.remove());
    }
}
