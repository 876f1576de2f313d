//! How the thread of a device is asked to end.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request to stop, which any number of threads may wait for.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, or returns early when stopped.
    pub(crate) fn pause(&self, time: Duration) {
        let guard = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(guard, time, |stopped| !*stopped));
    }
}
