//! What all sources behind a path of their own have in common: opened, listened to, and opened again when they come
//! back, with each outage told once.

use std::time::Duration;

use crate::card::{
    CardEvent, ErrorKind, EventSink, Evidence, Medium, MonotonicClock, Presented, SourceId, SourceKind,
};
use crate::stop::Stop;

/// Pause between two tries to open a device, in milliseconds.
pub const REOPEN_MS: u64 = 1_000;
/// Longest wait for something to read, in milliseconds; also the longest that a stop may be overlooked.
pub const READ_WAIT_MS: u64 = 250;

/// Where one source's events go.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    pub(crate) source: SourceId,
    pub(crate) offered: SourceKind,
    pub(crate) sink: EventSink,
    pub(crate) clock: MonotonicClock,
}

impl Outlet {
    pub(crate) fn up(&self) {
        self.sink.send(CardEvent::SourceUp { source: self.source.clone(), at_ns: self.clock.now_ns() });
    }

    pub(crate) fn down(&self, kind: ErrorKind, reason: String) {
        let (source, at_ns) = (self.source.clone(), self.clock.now_ns());
        self.sink.send(CardEvent::SourceDown { source, kind, reason, at_ns });
    }

    /// Tells what was presented, or why it was not read.
    pub(crate) fn read(&self, read: Result<(Medium, Evidence), ErrorKind>) {
        let (source, offered, at_ns) = (self.source.clone(), self.offered, self.clock.now_ns());
        self.sink.send(match read {
            Ok((medium, evidence)) => CardEvent::Presented(Presented { source, medium, evidence, at_ns }),
            Err(kind) => CardEvent::ReadFailed { source, offered, kind, at_ns },
        });
    }
}

/// Opens the device whenever it is there and has it listened to, until stopped.
///
/// `listen` ends with `Ok` when stopped and with the reason when the device is gone.
pub(crate) fn keep_open<D>(
    open: impl Fn() -> Result<D, (ErrorKind, String)>,
    mut listen: impl FnMut(D) -> Result<(), String>,
    outlet: &Outlet,
    stop: &Stop,
) {
    // The outage last told, so that each is told once, and again when its nature changes.
    let mut told = None;
    while !stop.is_stopped() {
        match open() {
            Ok(device) => {
                outlet.up();
                if let Err(reason) = listen(device) {
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
