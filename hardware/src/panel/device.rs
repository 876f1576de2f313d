//! Displays behind a bus: what a driver must be able to do, and the thread that feeds it.
//!
//! A [`DevicePanel`] owns one thread per display. [`Panel::flush`] leaves the frame there and waits a short time only, so
//! that a slow, hanging or absent display never holds up the caller for longer; the newest frame wins, older ones that
//! were not sent yet are never sent.
//!
//! Invariants: after any error the device is started afresh and gets the whole frame; while it works it gets only the
//! rectangle that changed; a flush succeeds only if the display took exactly that frame.
//!
//! Out of scope: the protocol of a display (the drivers beside this module) and how a bus is opened ([`super::linux`]).

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::{Depth, Frame, Panel, PanelError};

/// How long a flush waits for its frame to be taken, in milliseconds. Longer than the start of any display here.
pub const FLUSH_WAIT_MS: u64 = 800;
/// First pause after a failure, in milliseconds; it doubles with each further one.
pub const RETRY_MIN_MS: u64 = 250;
/// Longest pause between two attempts to bring a display back, in milliseconds.
pub const RETRY_MAX_MS: u64 = 4_000;

/// A display did not do what it was told. The text is a fragment that names the step and what the bus said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// A device file or a pin could not be had.
    #[error("open {path}: {detail}")]
    Open {
        /// Which one.
        path: String,
        /// What the system said.
        detail: String,
    },
    /// The bus refused a transfer, or nobody answered.
    #[error("{step}: {detail}")]
    Bus {
        /// What was being done.
        step: &'static str,
        /// What the bus said.
        detail: String,
    },
    /// The display is not what the configuration says.
    #[error("expected {expected}, met {met}")]
    Shape {
        /// By the configuration.
        expected: String,
        /// By the device.
        met: String,
    },
}

/// A driver of one display. Every method may block for as long as the bus takes.
pub trait Device: Send {
    /// Size in pixels as people see it, after rotation; never changes.
    fn size(&self) -> Size;

    /// What a pixel can show; never changes.
    fn depth(&self) -> Depth;

    /// Opens the bus and prepares the display. What it shows is undefined until the whole frame was sent. Also called
    /// after an error, so it lets go of what it held before.
    ///
    /// # Errors
    /// If the bus or the display is not there.
    fn start(&mut self) -> Result<(), DeviceError>;

    /// Sends one rectangle of the frame, which lies inside it and is not empty.
    ///
    /// # Errors
    /// If the bus fails; what the display shows is undefined then.
    fn send(&mut self, frame: &Frame, area: Rectangle) -> Result<(), DeviceError>;

    /// Called when nothing was to be sent for [`Device::keep_every`]: makes sure that the display is still there and
    /// shows `frame`, without anything to be seen.
    ///
    /// # Errors
    /// If the display is gone.
    fn keep(&mut self, frame: &Frame) -> Result<(), DeviceError>;

    /// How often [`Device::keep`] is worth its traffic.
    fn keep_every(&self) -> Duration;
}

/// The smallest rectangle that holds every pixel in which two frames of one size differ; `None` if they are equal.
#[must_use]
pub fn changed(before: &Frame, after: &Frame) -> Option<Rectangle> {
    let size = after.size();
    if before.size() != size {
        return Some(after.bounding_box());
    }
    let row_bytes = size.width as usize * 3;
    let rows = before.rgb().chunks_exact(row_bytes).zip(after.rgb().chunks_exact(row_bytes)).enumerate();
    let mut found: Option<(usize, usize, usize, usize)> = None;
    for (y, (old, new)) in rows.filter(|(_, (old, new))| old != new) {
        let differs = |(_, (a, b)): &(usize, (&u8, &u8))| a != b;
        let pairs = || old.iter().zip(new).enumerate();
        let first = pairs().find(differs).map_or(0, |(at, _)| at / 3);
        let last = pairs().rfind(differs).map_or(0, |(at, _)| at / 3);
        found = Some(match found {
            None => (first, last, y, y),
            Some((left, right, top, _)) => (left.min(first), right.max(last), top, y),
        });
    }
    let (left, right, top, bottom) = found?;
    let point = |x: usize, y: usize| {
        Point::new(i32::try_from(x).unwrap_or(i32::MAX), i32::try_from(y).unwrap_or(i32::MAX))
    };
    Some(Rectangle::with_corners(point(left, top), point(right, bottom)))
}

/// What caller and thread share.
struct Post {
    state: Mutex<State>,
    told: Condvar,
}

struct State {
    /// The newest frame handed in.
    frame: Frame,
    /// How many were handed in.
    handed: u64,
    /// Up to which one the display took.
    taken: u64,
    /// Why the display is down.
    fault: Option<DeviceError>,
    stopped: bool,
}

/// What the thread does next.
enum Next {
    Stop,
    Frame(u64),
    Idle,
}

impl Post {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a frame newer than the last taken, for the end, or until `wait` is over.
    fn next(&self, wait: Duration, into: &mut Frame) -> Next {
        let guard = self.lock();
        let waiting = |state: &mut State| !state.stopped && state.handed == state.taken;
        let state =
            self.told.wait_timeout_while(guard, wait, waiting).unwrap_or_else(PoisonError::into_inner).0;
        match (state.stopped, state.handed == state.taken) {
            (true, _) => Next::Stop,
            (false, true) => Next::Idle,
            (false, false) => {
                into.copy_from(&state.frame);
                Next::Frame(state.handed)
            }
        }
    }

    /// Pauses; true if the panel was let go meanwhile.
    fn is_stopped_within(&self, wait: Duration) -> bool {
        let guard = self.lock();
        let result = self.told.wait_timeout_while(guard, wait, |state| !state.stopped);
        result.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    fn took(&self, number: u64) {
        let mut state = self.lock();
        state.taken = state.taken.max(number);
        self.told.notify_all();
    }

    /// Notes how the display is; true if that is news.
    fn set_fault(&self, fault: Option<DeviceError>) -> bool {
        let mut state = self.lock();
        let news = state.fault != fault;
        state.fault = fault;
        self.told.notify_all();
        news
    }
}

/// The thread's side.
struct Worker {
    name: String,
    device: Box<dyn Device>,
    post: Arc<Post>,
    /// What the display shows; `None` until it took a whole frame.
    shown: Option<Frame>,
    /// The frame being sent, kept to spare an allocation per frame.
    next: Frame,
}

impl Worker {
    fn run(mut self) {
        let mut retry_ms = RETRY_MIN_MS;
        let mut outcome = self.device.start();
        loop {
            match outcome {
                Ok(()) => {
                    if self.post.set_fault(None) && retry_ms > RETRY_MIN_MS {
                        tracing::info!(display = %self.name, "the display is back");
                    }
                    retry_ms = RETRY_MIN_MS;
                }
                Err(error) => {
                    self.shown = None;
                    if self.post.set_fault(Some(error.clone())) {
                        tracing::warn!(display = %self.name, %error, "the display is down");
                    }
                    if self.post.is_stopped_within(Duration::from_millis(retry_ms)) {
                        return;
                    }
                    retry_ms = (retry_ms * 2).min(RETRY_MAX_MS);
                    outcome = self.bring_back();
                    continue;
                }
            }
            outcome = match self.post.next(self.device.keep_every(), &mut self.next) {
                Next::Stop => return,
                Next::Frame(number) => self.show(number),
                Next::Idle => match &self.shown {
                    Some(shown) => self.device.keep(shown),
                    None => Ok(()),
                },
            };
        }
    }

    /// Starts the display and draws the newest frame whole, also if an earlier one had been taken.
    fn bring_back(&mut self) -> Result<(), DeviceError> {
        self.device.start()?;
        let number = {
            let state = self.post.lock();
            self.next.copy_from(&state.frame);
            state.handed
        };
        if number == 0 { Ok(()) } else { self.show(number) }
    }

    fn show(&mut self, number: u64) -> Result<(), DeviceError> {
        let area = match &self.shown {
            Some(shown) => changed(shown, &self.next),
            None => Some(self.next.bounding_box()),
        };
        if let Some(area) = area {
            self.device.send(&self.next, area)?;
            match &mut self.shown {
                Some(shown) => shown.copy_from(&self.next),
                None => self.shown = Some(self.next.clone()),
            }
        }
        self.post.took(number);
        Ok(())
    }
}

/// A panel that is a [`Device`] fed by a thread of its own.
pub struct DevicePanel {
    name: String,
    depth: Depth,
    frame: Frame,
    post: Arc<Post>,
    /// The frame before was still not taken when its flush gave up: then no further flush waits.
    late: bool,
}

impl DevicePanel {
    /// Starts the display's thread; `name` is what people call it in errors and logs. Never fails: a display that is
    /// not there yet may come.
    #[must_use]
    pub fn new(name: impl Into<String>, device: Box<dyn Device>) -> Self {
        let (name, depth, frame) = (name.into(), device.depth(), Frame::new(device.size()));
        let state = State { frame: frame.clone(), handed: 0, taken: 0, fault: None, stopped: false };
        let post = Arc::new(Post { state: Mutex::new(state), told: Condvar::new() });
        let worker = Worker {
            name: name.clone(),
            device,
            post: Arc::clone(&post),
            shown: None,
            next: Frame::new(Size::new(1, 1)),
        };
        // Not joined at the end: a thread inside a hanging bus must not hold up the program's stop.
        std::thread::spawn(move || worker.run());
        Self { name, depth, frame, post, late: false }
    }

    fn error(&self, detail: String) -> PanelError {
        PanelError::Device { name: self.name.clone(), detail }
    }
}

impl std::fmt::Debug for DevicePanel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DevicePanel({})", self.name)
    }
}

impl Panel for DevicePanel {
    fn size(&self) -> Size {
        self.frame.size()
    }

    fn depth(&self) -> Depth {
        self.depth
    }

    fn frame_mut(&mut self) -> &mut Frame {
        &mut self.frame
    }

    fn flush(&mut self) -> Result<(), PanelError> {
        let mut state = self.post.lock();
        let was_late = self.late && state.taken < state.handed;
        match self.depth {
            // Reduced here, so that only what can be seen counts as a change.
            Depth::Mono => state.frame = self.frame.to_mono(),
            Depth::Rgb => state.frame.copy_from(&self.frame),
        }
        state.handed += 1;
        let mine = state.handed;
        self.post.told.notify_all();
        let wait = Duration::from_millis(if was_late { 0 } else { FLUSH_WAIT_MS });
        let waiting = |state: &mut State| state.taken < mine && state.fault.is_none();
        let waited = self.post.told.wait_timeout_while(state, wait, waiting);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let (taken, fault) = (state.taken >= mine, state.fault.clone());
        drop(state);
        self.late = !taken;
        match (taken, fault) {
            (true, _) => Ok(()),
            (false, Some(fault)) => Err(self.error(fault.to_string())),
            (false, None) => Err(self.error(format!("not taken within {FLUSH_WAIT_MS} ms"))),
        }
    }
}

impl Drop for DevicePanel {
    fn drop(&mut self) {
        self.post.lock().stopped = true;
        self.post.told.notify_all();
    }
}

#[cfg(test)]
mod tests;
