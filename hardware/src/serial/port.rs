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

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serialport::{SerialPort, TTYPort};

use super::line::{Framer, Protocol};
use super::medium::{self, medium_of};
use crate::attached::{Outlet, keep_open};
pub use crate::attached::{READ_WAIT_MS, REOPEN_MS};
use crate::card::{
    CardSource, ErrorKind, EventSink, MonotonicClock, Running, SourceError, SourceId, SourceKind,
};
use crate::stop::Stop;

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
        medium::offered(self.protocol)
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

fn run(config: &SerialSource, outlet: &Outlet, stop: &Stop) {
    let listen = |mut port| listen(config.protocol, &mut port, outlet, stop);
    keep_open(|| open_port(&config.path, config.baud), listen, outlet, stop);
}

/// Opens a port and says that a terminal is ready.
pub(crate) fn open_port(path: &Path, baud: u32) -> Result<TTYPort, (ErrorKind, String)> {
    let path = path.to_string_lossy();
    let opened = serialport::new(path, baud).timeout(Duration::from_millis(READ_WAIT_MS)).open_native();
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
            outlet.read(medium_of(protocol, framed));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
