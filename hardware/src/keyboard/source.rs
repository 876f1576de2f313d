//! The thread that owns a keyboard wedge.
//!
//! Invariants
//! - The device is grabbed while it is open; one that cannot be grabbed is not read, since its numbers would be typed
//!   into other programs as well.
//! - It is opened by a path that stays, such as `/dev/input/by-id/…-event-kbd`, and opened again when it comes back.
//! - What was half typed before an outage is forgotten.
//!
//! Out of scope: what keys mean ([`super::keys`]), lights of the keyboard.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use evdev::EventSummary;
use evdev::raw_stream::RawDevice;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::keys::{Decoder, KeyEvent, Stroke};
use crate::attached::{Outlet, READ_WAIT_MS, keep_open};
use crate::card::{
    CardSource, ErrorKind, EventSink, MonotonicClock, Running, SourceError, SourceId, SourceKind,
};
use crate::serial::line::Protocol;
use crate::serial::medium::{self, medium_of};
use crate::stop::Stop;

/// A keyboard wedge.
#[derive(Debug, Clone)]
pub struct KeyboardSource {
    index: usize,
    path: PathBuf,
    protocol: Protocol,
}

impl KeyboardSource {
    /// The device at `path` for configuration entry `index`, which types in `protocol`.
    pub fn new(index: usize, path: impl Into<PathBuf>, protocol: Protocol) -> Self {
        Self { index, path: path.into(), protocol }
    }
}

impl CardSource for KeyboardSource {
    fn kind(&self) -> SourceKind {
        medium::offered(self.protocol)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn start(self: Box<Self>, sink: EventSink, clock: MonotonicClock) -> Result<Running, SourceError> {
        let (name, offered) = (self.name(), CardSource::kind(&*self));
        let stop = Arc::new(Stop::default());
        let outlet = Outlet { source: SourceId::new(self.index, name.as_str()), offered, sink, clock };
        let thread_stop = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("keyboard".into())
            .spawn(move || {
                let listen = |mut keys: Keyboard| listen(self.protocol, &mut keys, &outlet, &thread_stop);
                keep_open(|| Keyboard::open(&self.path), listen, &outlet, &thread_stop);
            })
            .map_err(|e| SourceError::new(name, ErrorKind::Other, format!("no thread: {e}")))?;
        Ok(Running::new(move || stop.stop(), vec![thread]))
    }
}

/// Where key events come from: the kernel, or a test's hand.
trait Keys {
    /// The events of at most `longest`; none if nothing was typed.
    fn wait(&mut self, longest: Duration) -> io::Result<Vec<KeyEvent>>;
}

struct Keyboard(RawDevice);

impl Keyboard {
    fn open(path: &Path) -> Result<Self, (ErrorKind, String)> {
        let wrap = |step: &str, error: &io::Error| (open_kind(error), format!("{step}: {error}"));
        let mut device = RawDevice::open(path).map_err(|error| wrap("open keyboard", &error))?;
        if device.supported_keys().is_none() {
            return Err((ErrorKind::Other, "open keyboard: the device has no keys".into()));
        }
        device.grab().map_err(|error| wrap("grab keyboard", &error))?;
        Ok(Self(device))
    }
}

impl Keys for Keyboard {
    fn wait(&mut self, longest: Duration) -> io::Result<Vec<KeyEvent>> {
        let timeout = Timespec::try_from(longest).unwrap_or_default();
        let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut ready, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let events = match self.0.fetch_events() {
            Ok(events) => events,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        Ok(events.filter_map(|event| key_event(event.destructure())).collect())
    }
}

fn key_event(event: EventSummary) -> Option<KeyEvent> {
    match event {
        EventSummary::Key(_, code, value) => {
            Stroke::of_value(value).map(|stroke| KeyEvent::Key { code: code.code(), stroke })
        }
        EventSummary::Synchronization(_, evdev::SynchronizationCode::SYN_DROPPED, _) => Some(KeyEvent::Lost),
        _ => None,
    }
}

fn open_kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::DeviceGone,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        io::ErrorKind::ResourceBusy => ErrorKind::Busy,
        // "No such device": it went between the path and the open.
        _ if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => ErrorKind::DeviceGone,
        _ => ErrorKind::Other,
    }
}

/// Reads until stopped (`Ok`) or until the device is gone (`Err` with the reason).
fn listen(protocol: Protocol, keys: &mut impl Keys, outlet: &Outlet, stop: &Stop) -> Result<(), String> {
    let mut decoder = Decoder::new(protocol);
    while !stop.is_stopped() {
        let now_ns = outlet.clock.now_ns();
        let longest = Duration::from_millis(READ_WAIT_MS);
        let due = decoder.due_ns().map(|due| Duration::from_nanos(due.saturating_sub(now_ns)));
        let wait = due.map_or(longest, |due| due.clamp(Duration::from_millis(1), longest));
        let events = keys.wait(wait).map_err(|error| format!("read: {error}"))?;
        let now_ns = outlet.clock.now_ns();
        let mut framed = decoder.idle(now_ns);
        framed.extend(events.into_iter().flat_map(|event| decoder.push(event, now_ns)));
        for framed in framed {
            outlet.read(medium_of(protocol, framed));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
