//! The thread that owns the port of a framed swipe terminal.
//!
//! Invariants: as for other serial readers ([`crate::serial::port`]); besides, a terminal whose port is there but which
//! answers nothing is reported down, and up when it answers again.

use std::io::{ErrorKind as Io, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serialport::{SerialPort as _, TTYPort};

use super::frame::Dialect;
use super::link::{Beep, Command, Heard, LINES_MAX, Link, Outcome};
use crate::attached::{Outlet, keep_open};
use crate::card::{
    CardEvent, CardSource, ErrorKind, EventSink, MonotonicClock, Running, SourceError, SourceId, SourceKind,
};
use crate::serial::port::{BAUD_RANGE, open_port};
use crate::stop::Stop;

/// How long a round waits for bytes, in milliseconds: a prompt waits no longer than that.
const ROUND_MS: u64 = 50;
const READ_BYTES: usize = 512;

/// A framed swipe terminal.
pub struct FramedSource {
    index: usize,
    path: PathBuf,
    baud: u32,
    dialect: Dialect,
    commands: mpsc::Receiver<Command>,
}

/// The way to a terminal's display and beeper; any number of threads may hold it.
#[derive(Debug, Clone)]
pub struct FramedDesk(mpsc::Sender<Command>);

impl FramedDesk {
    /// Shows lines from the first on and empties the rest; what stands there is replaced.
    pub fn show(&self, lines: &[&str]) {
        for line in 1..=LINES_MAX {
            let text = lines.get(usize::from(line) - 1).copied().unwrap_or_default().to_owned();
            self.say(Command::Prompt { line, text });
        }
    }

    /// Makes it sound.
    pub fn beep(&self, beep: Beep) {
        self.say(Command::Beep(beep));
    }

    fn say(&self, command: Command) {
        // A source that has ended has no display any more.
        drop(self.0.send(command));
    }
}

impl FramedSource {
    /// The terminal at `port` for configuration entry `index`, and the way to its display.
    pub fn new(index: usize, port: impl Into<PathBuf>, baud: u32, dialect: Dialect) -> (Self, FramedDesk) {
        let (sender, commands) = mpsc::channel();
        (Self { index, path: port.into(), baud, dialect, commands }, FramedDesk(sender))
    }
}

impl CardSource for FramedSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Swipe
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn start(self: Box<Self>, sink: EventSink, clock: MonotonicClock) -> Result<Running, SourceError> {
        let name = self.name();
        if !BAUD_RANGE.contains(&self.baud) {
            let detail = format!("baud {} is not within {BAUD_RANGE:?}", self.baud);
            return Err(SourceError::new(name, ErrorKind::Other, detail));
        }
        let stop = Arc::new(Stop::default());
        let source = SourceId::new(self.index, name.as_str());
        let outlet = Outlet { source, offered: SourceKind::Swipe, sink, clock };
        let thread_stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("framed".into())
            .spawn(move || {
                let Self { path, baud, dialect, commands, .. } = *self;
                let listen = |mut port| listen(dialect, &mut port, &commands, &outlet, &thread_stop);
                keep_open(|| open_port(&path, baud), listen, &outlet, &thread_stop);
            })
            .map_err(|e| SourceError::new(name, ErrorKind::Other, format!("no thread: {e}")))?;
        Ok(Running::new(move || stop.stop(), vec![thread]))
    }
}

/// Talks until stopped (`Ok`) or until the device is gone (`Err` with the reason).
fn listen(
    dialect: Dialect,
    port: &mut TTYPort,
    commands: &mpsc::Receiver<Command>,
    outlet: &Outlet,
    stop: &Stop,
) -> Result<(), String> {
    // What was said while nobody was there is old news.
    while commands.try_recv().is_ok() {}
    let mut link = Link::new(dialect, outlet.clock.now_ns());
    let mut buffer = [0; READ_BYTES];
    port.set_timeout(Duration::from_millis(ROUND_MS)).map_err(|error| format!("set timeout: {error}"))?;
    while !stop.is_stopped() {
        commands.try_iter().for_each(|command| link.send(command));
        let outcome = match port.read(&mut buffer) {
            Ok(0) => return Err("end of file: unplugged".into()),
            Ok(count) => link.push(&buffer[..count], outlet.clock.now_ns()),
            Err(error) if matches!(error.kind(), Io::TimedOut | Io::Interrupted | Io::WouldBlock) => {
                link.tick(outlet.clock.now_ns())
            }
            Err(error) => return Err(format!("read: {error}")),
        };
        let Outcome { write, heard } = outcome;
        if !write.is_empty() {
            port.write_all(&write).map_err(|error| format!("write: {error}"))?;
        }
        heard.into_iter().for_each(|heard| tell(outlet, heard));
    }
    Ok(())
}

fn tell(outlet: &Outlet, heard: Heard) {
    let (source, at_ns) = (outlet.source.clone(), outlet.clock.now_ns());
    match heard {
        Heard::Read(read) => outlet.read(read),
        Heard::NotEntered(kind) => outlet.read(Err(kind)),
        Heard::Entered(entry) => outlet.sink.send(CardEvent::Entered { source, entry, at_ns }),
        Heard::Silent => outlet.down(ErrorKind::NotAnswering, "the swipe terminal does not answer".into()),
        Heard::Back => outlet.up(),
    }
}

#[cfg(test)]
mod tests;
