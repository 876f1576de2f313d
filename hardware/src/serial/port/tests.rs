//! The port's thread against real pseudo-terminals: unplugging, replugging, garbage.

use super::*;
use crate::card::{CardEvent, Medium};
use crate::serial::em125::{Form, KnownBy};
use crate::serial::pty::pty;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the driver needs a clock and tests are where one is made")]
fn clock() -> MonotonicClock {
    let start = Instant::now();
    MonotonicClock::new(move || u64::try_from(start.elapsed().as_nanos()).unwrap())
}

const WAIT: Duration = Duration::from_secs(10);

/// A terminal folder with a link that may point to one pseudo-terminal after another, as a device by id does.
struct Desk {
    folder: tempfile::TempDir,
    plugged: Option<(std::fs::File, std::fs::File)>,
    events: Receiver<CardEvent>,
    running: Option<Running>,
}

impl Desk {
    fn new(protocol: Protocol) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, events) = channel();
        let source = SerialSource::new(2, folder.path().join("by-id"), 9_600, protocol);
        let running = Box::new(source).start(sender.into(), clock()).unwrap();
        Self { folder, plugged: None, events, running: Some(running) }
    }

    fn plug(&mut self) {
        let (master, slave, path) = pty();
        symlink(path, self.folder.path().join("by-id")).unwrap();
        self.plugged = Some((master, slave));
    }

    /// Takes the device away: the link first, so that nobody opens the dying terminal.
    fn unplug(&mut self) {
        std::fs::remove_file(self.folder.path().join("by-id")).unwrap();
        self.plugged = None;
    }

    fn send(&mut self, bytes: &[u8]) {
        self.plugged.as_mut().unwrap().0.write_all(bytes).unwrap();
    }

    fn next(&self) -> String {
        match self.events.recv_timeout(WAIT).unwrap() {
            CardEvent::Presented(p) => match p.medium {
                Medium::Stripe { number, .. } => format!("stripe {number}"),
                Medium::Line(text) => format!("line {text}"),
                Medium::Proximity(number) => format!("chip {number}"),
                _ => "another medium".into(),
            },
            CardEvent::ReadFailed { kind, offered, .. } => format!("failed {offered:?} {kind:?}"),
            CardEvent::SourceUp { source, .. } => format!("up {}", source.index),
            CardEvent::SourceDown { kind, .. } => format!("down {kind:?}"),
            other => format!("{other:?}"),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.running.take().unwrap().stop();
    }
}

#[test]
fn case_71_a_reader_unplugged_and_replugged_elsewhere_comes_back() {
    let mut desk = Desk::new(Protocol::Iso7813);
    assert_eq!(desk.next(), "down DeviceGone", "absent at the start");
    desk.plug();
    assert_eq!(desk.next(), "up 2");
    desk.send(b";80001234?\r");
    assert_eq!(desk.next(), "stripe 80001234");
    // Half a swipe, then the cable is pulled: the half must not join what comes later.
    desk.send(b";8000");
    std::thread::sleep(Duration::from_millis(50));
    desk.unplug();
    assert_eq!(desk.next(), "down DeviceGone");
    // Other terminals are opened meanwhile, so that the number of the new one differs.
    let _others = (pty(), pty());
    desk.plug();
    assert_eq!(desk.next(), "up 2");
    desk.send(b"5678?\r");
    desk.send(b";80005678?\r");
    assert_eq!(desk.next(), "stripe 80005678");
}

#[test]
fn case_71_three_outages_are_told_three_times() {
    let mut desk = Desk::new(Protocol::Line);
    assert_eq!(desk.next(), "down DeviceGone");
    for round in 0..3 {
        desk.plug();
        assert_eq!(desk.next(), "up 2", "round {round}");
        desk.unplug();
        assert_eq!(desk.next(), "down DeviceGone", "round {round}");
    }
}

#[test]
fn case_72_a_megabyte_of_rubbish_and_then_a_card() {
    let mut desk = Desk::new(Protocol::Iso7813);
    assert_eq!(desk.next(), "down DeviceGone");
    desk.plug();
    // Raw, or the terminal itself would act on control characters and echo.
    let slave = &desk.plugged.as_ref().unwrap().1;
    let mut mode = rustix::termios::tcgetattr(slave).unwrap();
    mode.make_raw();
    rustix::termios::tcsetattr(slave, rustix::termios::OptionalActions::Now, &mode).unwrap();
    assert_eq!(desk.next(), "up 2");
    let rubbish: Vec<u8> = (0..1_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .filter(|b| *b > 0x03)
        .collect();
    let rubbish: Vec<u8> = rubbish.into_iter().filter(|b| !b"\r\n".contains(b)).collect();
    desk.send(&rubbish);
    desk.send(&[0; 256]);
    std::thread::sleep(Duration::from_millis(500));
    desk.send(b";80001234?\r");
    let mut told = Vec::new();
    loop {
        let next = desk.next();
        if next == "stripe 80001234" {
            break;
        }
        told.push(next);
    }
    assert!(told.iter().all(|t| t.starts_with("failed Swipe")), "{told:?}");
    assert!(told.len() <= 2, "one burst is told once: {told:?}");
}

#[test]
fn pieces_bank_cards_and_lines() {
    let mut desk = Desk::new(Protocol::Iso7813);
    assert_eq!(desk.next(), "down DeviceGone");
    desk.plug();
    assert_eq!(desk.next(), "up 2");
    desk.send(b";8000");
    std::thread::sleep(Duration::from_millis(100));
    desk.send(b"1234?\r\n");
    assert_eq!(desk.next(), "stripe 80001234");
    desk.send(b";6225880012345675=2512101?\r");
    assert_eq!(desk.next(), "failed Swipe PaymentCard");
    desk.send(b";80001234?1\r");
    assert_eq!(desk.next(), "failed Swipe Checksum");

    let mut scanner = Desk::new(Protocol::Line);
    assert_eq!(scanner.next(), "down DeviceGone");
    scanner.plug();
    assert_eq!(scanner.next(), "up 2");
    scanner.send(b"HUFU:4f2a\r");
    assert_eq!(scanner.next(), "line HUFU:4f2a");
}

#[test]
fn chips_of_125_khz_and_banks_numbers_at_scanners() {
    let mut reader = Desk::new(Protocol::Proximity { form: Form::H6D8, known_by: KnownBy::Bits24 });
    assert_eq!(reader.next(), "down DeviceGone");
    reader.plug();
    assert_eq!(reader.next(), "up 2");
    reader.send(b"\x0207302202\r\n\x03");
    assert_eq!(reader.next(), "chip 07302202");
    reader.send(b"0040856634\r");
    assert_eq!(reader.next(), "failed Tap Malformed", "a reader set to another form");

    let mut scanner = Desk::new(Protocol::Line);
    assert_eq!(scanner.next(), "down DeviceGone");
    scanner.plug();
    assert_eq!(scanner.next(), "up 2");
    scanner.send(b"6225 8800 1234 5675\r");
    assert_eq!(scanner.next(), "failed Scan PaymentCard");
}

#[test]
fn a_port_in_use_is_busy_and_an_impossible_speed_is_an_error() {
    let mut desk = Desk::new(Protocol::Line);
    assert_eq!(desk.next(), "down DeviceGone");
    desk.plug();
    assert_eq!(desk.next(), "up 2");
    let (sender, events) = channel();
    let second = SerialSource::new(3, desk.folder.path().join("by-id"), 9_600, Protocol::Line);
    let running = Box::new(second).start(sender.into(), clock()).unwrap();
    let event = events.recv_timeout(WAIT).unwrap();
    assert!(matches!(event, CardEvent::SourceDown { kind: ErrorKind::Busy, .. }), "{event:?}");
    running.stop();

    let (sender, _events) = channel();
    let wrong = SerialSource::new(0, "/dev/null", 1, Protocol::Line);
    let error = Box::new(wrong).start(sender.into(), clock()).unwrap_err().to_string();
    assert!(error.contains("baud 1"), "{error}");
}

#[test]
fn sixteen_sources_at_once_are_all_heard_and_each_fails_alone() {
    use crate::debounce::{Debounce, Verdict};
    use crate::health::Health;
    const SOURCES: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let (sender, events) = channel();
    let clock = clock();
    let path = |at: usize| folder.path().join(format!("reader-{at}"));
    let plug = |at: usize| {
        let (device, terminal, name) = pty();
        symlink(name, path(at)).unwrap();
        (device, terminal)
    };
    let mut lines: Vec<_> = (0..SOURCES).map(|at| Some(plug(at))).collect();
    let running: Vec<Running> = (0..SOURCES)
        .map(|at| {
            let source = SerialSource::new(at, path(at), 9_600, Protocol::Line);
            Box::new(source).start(sender.clone().into(), clock.clone()).unwrap()
        })
        .collect();
    let (mut health, mut debounce) = (Health::new(), Debounce::default());
    let mut until = |health: &mut Health, wanted: &dyn Fn(&Health, &[usize]) -> bool| {
        let mut counted = Vec::new();
        while !wanted(health, &counted) {
            let event = events.recv_timeout(WAIT).unwrap();
            health.observe(&event);
            let is_presented = matches!(event, CardEvent::Presented(_));
            if debounce.observe(&event) == Verdict::New && is_presented {
                counted.push(event.source().index);
            }
        }
        counted.sort_unstable();
        counted
    };
    until(&mut health, &|health, _| (0..SOURCES).all(|at| health.is_ready(at)));
    for (at, line) in lines.iter_mut().enumerate() {
        line.as_mut().unwrap().0.write_all(format!("8000{at:04}\r").as_bytes()).unwrap();
    }
    let all = until(&mut health, &|_, counted| counted.len() == SOURCES);
    assert_eq!(all, (0..SOURCES).collect::<Vec<_>>());
    // One is pulled: the others are still heard, and say nothing of it.
    std::fs::remove_file(path(7)).unwrap();
    lines[7] = None;
    until(&mut health, &|health, _| !health.is_ready(7));
    assert!((0..SOURCES).filter(|at| *at != 7).all(|at| health.is_ready(at)));
    // The same card at two of them in a moment counts once.
    for at in [3, 4] {
        lines[at].as_mut().unwrap().0.write_all(b"90001234\r").unwrap();
    }
    lines[5].as_mut().unwrap().0.write_all(b"90005678\r").unwrap();
    assert_eq!(until(&mut health, &|_, counted| counted.len() == 2).len(), 2);
    lines[7] = Some(plug(7));
    until(&mut health, &|health, _| health.is_ready(7));
    running.into_iter().for_each(Running::stop);
}
