//! A terminal played over a real pseudo-terminal, in both dialects.

use super::*;
use crate::card::{Entry, Medium};
use crate::framed::frame::{ACK, Cutter, NAK, Part, frame};
use crate::serial::pty::pty;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the driver needs a clock and tests are where one is made")]
fn clock() -> MonotonicClock {
    let start = Instant::now();
    MonotonicClock::new(move || u64::try_from(start.elapsed().as_nanos()).unwrap())
}

const WAIT: Duration = Duration::from_secs(20);

/// The device at the other end of the cable.
struct Played {
    dialect: Dialect,
    folder: tempfile::TempDir,
    line: Option<(File, File)>,
    cutter: Cutter,
    desk: FramedDesk,
    events: Receiver<CardEvent>,
    running: Option<Running>,
}

impl Played {
    fn new(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (sender, events) = channel();
        let (source, desk) = FramedSource::new(1, folder.path().join("by-id"), 9_600, dialect);
        let running = Box::new(source).start(sender.into(), clock()).unwrap();
        let mut played = Self {
            dialect,
            folder,
            line: None,
            cutter: Cutter::new(dialect),
            desk,
            events,
            running: Some(running),
        };
        assert_eq!(played.event(), "down DeviceGone");
        played.plug();
        played
    }

    fn plug(&mut self) {
        let (device, terminal, path) = pty();
        let mut mode = rustix::termios::tcgetattr(&terminal).unwrap();
        mode.make_raw();
        rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, &mode).unwrap();
        symlink(path, self.folder.path().join("by-id")).unwrap();
        self.line = Some((device, terminal));
        self.cutter = Cutter::new(self.dialect);
        assert_eq!(self.event(), "up");
    }

    fn unplug(&mut self) {
        std::fs::remove_file(self.folder.path().join("by-id")).unwrap();
        self.line = None;
        assert_eq!(self.event(), "down DeviceGone");
    }

    fn write(&mut self, bytes: &[u8]) {
        self.line.as_mut().unwrap().0.write_all(bytes).unwrap();
    }

    fn say(&mut self, sequence: u8, command: u8, data: &[u8]) {
        let bytes = frame(self.dialect, sequence, command, data);
        self.write(&bytes);
    }

    /// What the terminal was told next.
    fn told(&mut self) -> Vec<String> {
        let mut buffer = [0; 512];
        loop {
            let count = self.line.as_mut().unwrap().0.read(&mut buffer).unwrap();
            let parts = self.cutter.push(&buffer[..count]);
            if !parts.is_empty() {
                return parts.iter().map(word).collect();
            }
        }
    }

    /// Reads until this was told.
    fn until(&mut self, wanted: &str) {
        while !self.told().iter().any(|told| told == wanted) {}
    }

    fn event(&self) -> String {
        match self.events.recv_timeout(WAIT).unwrap() {
            CardEvent::Presented(p) => match p.medium {
                Medium::Stripe { number, .. } => format!("stripe {number}"),
                other => format!("{other:?}"),
            },
            CardEvent::Entered { entry: Entry::Number(number), .. } => format!("number {number}"),
            CardEvent::Entered { entry, .. } => format!("{entry:?}"),
            CardEvent::ReadFailed { kind, .. } => format!("failed {kind:?}"),
            CardEvent::SourceUp { .. } => "up".into(),
            CardEvent::SourceDown { kind, .. } => format!("down {kind:?}"),
            other => format!("{other:?}"),
        }
    }
}

fn word(part: &Part) -> String {
    match part {
        Part::Frame { command, data, .. } => {
            format!("{}{}", char::from(*command), String::from_utf8_lossy(data))
        }
        Part::Ack => "ack".into(),
        Part::Nak => "nak".into(),
        Part::Bad(kind) => format!("!{kind:?}"),
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.running.take().unwrap().stop();
    }
}

#[test]
fn tracks_amounts_and_keys_in_prompts_and_beeps_out() {
    for dialect in [Dialect::Binary, Dialect::Ascii] {
        let mut played = Played::new(dialect);
        played.until("Q");
        played.write(&[ACK]);
        played.say(b'0', b'R', b"POS-1");
        played.until("ack");
        played.say(b'1', b'A', b"8800");
        assert_eq!(played.event(), "Amount(8800)");
        let track = frame(dialect, b'2', b'T', b"%B80001234^A/B^2512?;80001234=2512?");
        for piece in track.chunks(7) {
            played.write(piece);
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(played.event(), "stripe 80001234");
        played.say(b'3', b'T', b";6225880012345675=2512?");
        assert_eq!(played.event(), "failed PaymentCard");
        for (n, key) in b"80001234E".iter().enumerate() {
            played.say(b'0' + u8::try_from(n % 10).unwrap(), b'K', &[*key]);
        }
        assert_eq!(played.event(), "number 80001234");

        played.desk.show(&["OK", "+3"]);
        played.desk.beep(Beep::Accepted);
        let shown = |line: &str, text: &str| match dialect {
            Dialect::Binary => format!("P{line}{text}"),
            Dialect::Ascii => {
                format!("P{line}{}", text.bytes().map(|b| format!("{b:02X}")).collect::<String>())
            }
        };
        for expected in [shown("1", "OK"), shown("2", "+3"), shown("3", ""), shown("4", ""), "B1".into()] {
            played.until(&expected);
            played.write(&[ACK]);
        }
    }
}

#[test]
fn case_71_a_terminal_unplugged_and_plugged_in_elsewhere_comes_back() {
    let mut played = Played::new(Dialect::Binary);
    played.until("Q");
    played.write(&[ACK]);
    let half = frame(Dialect::Binary, b'1', b'A', b"8800");
    played.write(&half[..5]);
    std::thread::sleep(Duration::from_millis(50));
    played.unplug();
    let _others = (pty(), pty());
    played.plug();
    played.write(&half[5..]);
    std::thread::sleep(Duration::from_millis(400));
    played.say(b'1', b'A', b"9900");
    assert_eq!(played.event(), "Amount(9900)");
}

#[test]
fn case_72_damage_is_answered_and_a_silent_terminal_is_told() {
    let mut played = Played::new(Dialect::Ascii);
    played.until("Q");
    played.write(&[ACK]);
    let mut bad = frame(Dialect::Ascii, b'1', b'A', b"8800");
    bad[6] ^= 1;
    played.write(&bad);
    played.until("nak");
    played.say(b'1', b'A', b"8800");
    assert_eq!(played.event(), "Amount(8800)");
    // Its port is there, but it says nothing to a prompt.
    played.desk.beep(Beep::Refused);
    played.until("B2");
    assert_eq!(played.event(), "down NotAnswering");
    played.write(&[NAK]);
    assert_eq!(played.event(), "up");
}
