//! The thread's loop over keys played by hand, and devices that are none. A real keyboard needs a board of its own: the
//! machine that runs the tests has no input devices, and may not make any.

use super::*;
use crate::card::{CardEvent, Medium};
use crate::keyboard::keys::tests::strokes;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};

/// Plays one round of events per wait, then says that the device is gone.
struct Played {
    rounds: VecDeque<Vec<KeyEvent>>,
    time: Arc<AtomicU64>,
}

impl Keys for Played {
    fn wait(&mut self, longest: Duration) -> io::Result<Vec<KeyEvent>> {
        let passed = u64::try_from(longest.as_nanos()).unwrap();
        let round = self.rounds.pop_front().ok_or_else(|| io::Error::from_raw_os_error(19))?;
        if round.is_empty() {
            self.time.fetch_add(passed, Ordering::SeqCst);
        }
        Ok(round)
    }
}

fn outlet() -> (Outlet, Receiver<CardEvent>, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(1));
    let clock_time = Arc::clone(&time);
    let clock = MonotonicClock::new(move || clock_time.load(Ordering::SeqCst));
    let (sender, events) = channel();
    let source = SourceId::new(4, "by-id");
    (Outlet { source, offered: SourceKind::Scan, sink: sender.into(), clock }, events, time)
}

fn words(events: &Receiver<CardEvent>) -> Vec<String> {
    events
        .try_iter()
        .map(|event| match event {
            CardEvent::Presented(p) => match p.medium {
                Medium::Line(text) => text,
                other => format!("{other:?}"),
            },
            CardEvent::ReadFailed { kind, .. } => format!("!{kind:?}"),
            CardEvent::SourceUp { .. } => "up".into(),
            CardEvent::SourceDown { kind, .. } => format!("down {kind:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn lines_in_pieces_without_an_end_and_after_the_device_is_gone() {
    let (outlet, events, time) = outlet();
    let mut halves = strokes("HM1-ABC\r");
    let rest = halves.split_off(5);
    let rounds =
        [halves, rest, strokes("second\r"), vec![], vec![], strokes("no end of it"), vec![], vec![], vec![]];
    let mut keys = Played { rounds: rounds.into(), time };
    let gone = listen(Protocol::Line, &mut keys, &outlet, &Stop::default());
    assert!(gone.unwrap_err().starts_with("read:"));
    // One that has shown that it ends its lines is held to it: the last may be half a code.
    assert_eq!(words(&events), ["HM1-ABC", "second", "!Malformed"]);
}

#[test]
fn case_71_a_keyboard_that_comes_and_goes_forgets_what_was_half_typed() {
    let (outlet, events, time) = outlet();
    let stop = Stop::default();
    let lives = Mutex::new(VecDeque::from([vec![strokes("1234")], vec![strokes("5678\r")]]));
    let open = || {
        let life = lives.lock().unwrap().pop_front();
        let rounds = life.ok_or((ErrorKind::DeviceGone, "absent".into()))?;
        Ok(Played { rounds: rounds.into(), time: Arc::clone(&time) })
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            keep_open(open, |mut keys| listen(Protocol::Line, &mut keys, &outlet, &stop), &outlet, &stop)
        });
        let mut met = Vec::new();
        for _ in 0..100 {
            met.extend(words(&events));
            if met.len() >= 5 {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        stop.stop();
        assert_eq!(met, ["up", "down DeviceGone", "up", "5678", "down DeviceGone"]);
    });
}

#[test]
fn what_is_no_keyboard_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no device").unwrap();
    let absent = Keyboard::open(&folder.path().join("absent")).map(drop).unwrap_err();
    assert_eq!(absent.0, ErrorKind::DeviceGone);
    let (kind, reason) = Keyboard::open(&file).map(drop).unwrap_err();
    assert!(kind == ErrorKind::Other && reason.starts_with("open keyboard:"), "{reason}");
    let (sender, events) = channel();
    let source = KeyboardSource::new(4, folder.path().join("absent"), Protocol::Line);
    assert_eq!(CardSource::kind(&source), SourceKind::Scan);
    let running = Box::new(source).start(sender.into(), MonotonicClock::new(|| 1)).unwrap();
    let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(event, CardEvent::SourceDown { kind: ErrorKind::DeviceGone, .. }), "{event:?}");
    running.stop();
}

#[test]
fn the_kernels_events_are_taken_for_what_they_are() {
    let event = |kind: u16, code, value| key_event(evdev::InputEvent::new(kind, code, value).destructure());
    assert_eq!(event(1, 30, 1), Some(KeyEvent::Key { code: 30, stroke: Stroke::Down }));
    assert_eq!(event(1, 30, 0), Some(KeyEvent::Key { code: 30, stroke: Stroke::Up }));
    assert_eq!(event(0, 3, 0), Some(KeyEvent::Lost));
    assert_eq!((event(0, 0, 0), event(4, 4, 30)), (None, None));
}
