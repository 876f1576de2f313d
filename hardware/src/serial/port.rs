//! The thread that owns a serial port.
//!
//! Invariants
//! - Any end of the port (end of file, or any error but "timed out" and "interrupted") is an unplugged device: reported
//!   down once, and the same path is tried every [`REOPEN_MS`]. Use a path that stays, such as
//!   `/dev/serial/by-id/…`: after a replug `/dev/ttyUSB0` may be another device.
//! - What was half received before an outage is forgotten.
//! - A missing modem line is no error: pseudo-terminals and many adapters lack some.
//!
//! Out of scope: flow control, parity, any writing to the device.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use super::iso7813;
use super::line::{Framed, Framer, Protocol};
use crate::card::{
    CardEvent, CardSource, ErrorKind, EventSink, Evidence, Medium, MonotonicClock, Presented, Running,
    SourceError, SourceId, SourceKind,
};

/// Pause between two tries to open the port, in milliseconds.
pub const REOPEN_MS: u64 = 1_000;
/// Longest wait for a byte, in milliseconds; also the longest that a stop may be overlooked.
pub const READ_WAIT_MS: u64 = 250;
/// Speeds outside this range are a slip in the configuration.
pub const BAUD_RANGE: std::ops::RangeInclusive<u32> = 300..=921_600;

const READ_BYTES: usize = 512;

/// A reader on a serial port, 8 data bits, no parity, 1 stop bit.
#[derive(Debug, Clone)]
pub struct SerialSource {
    index: usize,
    path: PathBuf,
    baud: u32,
    protocol: Protocol,
}

impl SerialSource {
    /// The device at `port` for configuration entry `index`.
    pub fn new(index: usize, port: impl Into<PathBuf>, baud: u32, protocol: Protocol) -> Self {
        Self { index, path: port.into(), baud, protocol }
    }
}

impl CardSource for SerialSource {
    fn kind(&self) -> SourceKind {
        match self.protocol {
            Protocol::Iso7813 => SourceKind::Swipe,
            Protocol::Line => SourceKind::Scan,
        }
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
        let outlet = Outlet {
            source: SourceId::new(self.index, name.as_str()),
            offered: CardSource::kind(&*self),
            sink,
            clock,
        };
        let thread_stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("serial".into())
            .spawn(move || run(&self, &outlet, &thread_stop))
            .map_err(|e| SourceError::new(name, ErrorKind::Other, format!("no thread: {e}")))?;
        Ok(Running::new(move || stop.stop(), vec![thread]))
    }
}

#[derive(Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, or returns early when stopped.
    fn pause(&self, time: Duration) {
        let guard = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(guard, time, |stopped| !*stopped));
    }
}

struct Outlet {
    source: SourceId,
    offered: SourceKind,
    sink: EventSink,
    clock: MonotonicClock,
}

impl Outlet {
    fn up(&self) {
        self.sink.send(CardEvent::SourceUp { source: self.source.clone(), at_ns: self.clock.now_ns() });
    }

    fn down(&self, kind: ErrorKind, reason: String) {
        let (source, at_ns) = (self.source.clone(), self.clock.now_ns());
        self.sink.send(CardEvent::SourceDown { source, kind, reason, at_ns });
    }

    fn framed(&self, protocol: Protocol, framed: Framed) {
        let (source, offered, at_ns) = (self.source.clone(), self.offered, self.clock.now_ns());
        let event = match medium_of(protocol, framed) {
            Ok((medium, evidence)) => CardEvent::Presented(Presented { source, medium, evidence, at_ns }),
            Err(kind) => CardEvent::ReadFailed { source, offered, kind, at_ns },
        };
        self.sink.send(event);
    }
}

/// What a frame presents.
fn medium_of(protocol: Protocol, framed: Framed) -> Result<(Medium, Evidence), ErrorKind> {
    let text = match framed {
        Framed::Frame(text) => text,
        Framed::Bad(kind) => return Err(kind),
    };
    match protocol {
        Protocol::Line => Ok((Medium::Line(text), Evidence::Scan)),
        Protocol::Iso7813 => {
            let iso7813::Swipe { track1, track2, number, lrc_checked } = iso7813::parse(&text)?;
            Ok((Medium::Stripe { track1, track2, number }, Evidence::Swipe { lrc_checked }))
        }
    }
}

fn run(config: &SerialSource, outlet: &Outlet, stop: &Stop) {
    // The outage last told, so that each is told once, and again when its nature changes.
    let mut told = None;
    while !stop.is_stopped() {
        match open(config) {
            Ok(mut port) => {
                outlet.up();
                if let Err(reason) = listen(config.protocol, &mut port, outlet, stop) {
                    outlet.down(ErrorKind::DeviceGone, reason);
                    told = Some(ErrorKind::DeviceGone);
                }
            }
            Err((kind, reason)) if told != Some(kind) => {
                outlet.down(kind, reason);
                told = Some(kind);
            }
            Err(_) => {}
        }
        stop.pause(Duration::from_millis(REOPEN_MS));
    }
}

fn open(config: &SerialSource) -> Result<TTYPort, (ErrorKind, String)> {
    let path = config.path.to_string_lossy();
    let opened =
        serialport::new(path, config.baud).timeout(Duration::from_millis(READ_WAIT_MS)).open_native();
    let mut port = opened.map_err(|error| (open_kind(&error), format!("open port: {error}")))?;
    // Best effort: scanners may wait for "terminal ready", pseudo-terminals have no such line.
    drop(port.write_data_terminal_ready(true));
    drop(port.write_request_to_send(true));
    Ok(port)
}

fn open_kind(error: &serialport::Error) -> ErrorKind {
    match error.kind() {
        serialport::ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => ErrorKind::Denied,
        // The library tells a port that another process holds from an absent one by its text only.
        serialport::ErrorKind::NoDevice if error.description.contains("lock") => ErrorKind::Busy,
        serialport::ErrorKind::Io(std::io::ErrorKind::NotFound) | serialport::ErrorKind::NoDevice => {
            ErrorKind::DeviceGone
        }
        _ => ErrorKind::Other,
    }
}

/// Reads until stopped (`Ok`) or until the device is gone (`Err` with the reason).
fn listen(protocol: Protocol, port: &mut TTYPort, outlet: &Outlet, stop: &Stop) -> Result<(), String> {
    use std::io::{ErrorKind as Io, Read};
    let mut framer = Framer::new(protocol);
    let mut buffer = [0; READ_BYTES];
    while !stop.is_stopped() {
        let now_ns = outlet.clock.now_ns();
        let longest = Duration::from_millis(READ_WAIT_MS);
        let due = framer.due_ns().map(|due| Duration::from_nanos(due.saturating_sub(now_ns)));
        let wait = due.map_or(longest, |due| due.clamp(Duration::from_millis(1), longest));
        port.set_timeout(wait).map_err(|error| format!("set timeout: {error}"))?;
        let framed = match port.read(&mut buffer) {
            Ok(0) => return Err("end of file: unplugged".into()),
            Ok(count) => framer.push(&buffer[..count], outlet.clock.now_ns()),
            Err(error) if matches!(error.kind(), Io::TimedOut | Io::Interrupted | Io::WouldBlock) => {
                framer.idle(outlet.clock.now_ns())
            }
            Err(error) => return Err(format!("read: {error}")),
        };
        for framed in framed {
            outlet.framed(protocol, framed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
