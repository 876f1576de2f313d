//! The live stream: it tells a page that something changed, never what. The page then fetches the fragment, so that
//! one place alone decides what is shown.
//!
//! Events: `view` with the number of the newest snapshot, `display` with the version of the desk display's picture.
//! Both are sent at once on connecting, so a page that was away catches up.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::time::sleep;

use super::port::Port;

/// A comment is sent after so long without an event, so that a dead link is noticed, in seconds.
pub const KEEP_ALIVE_S: u64 = 15;
/// How often the desk display's picture is looked at, in milliseconds.
const DISPLAY_LOOK_MS: u64 = 100;

/// The stream of one page.
pub fn stream(port: Port) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = unfold(Some(Seen { view: 0, display: None, port }), |seen| async move {
        let mut seen = seen?;
        let event = seen.next().await?;
        Some((Ok(event), Some(seen)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(KEEP_ALIVE_S)))
}

/// What a page has been told.
struct Seen {
    view: u64,
    display: Option<u64>,
    port: Port,
}

impl Seen {
    /// The next news; none once the daemon stops.
    async fn next(&mut self) -> Option<Event> {
        let mut changes = self.port.changes();
        loop {
            let version = changes.borrow_and_update().version;
            if version != self.view {
                self.view = version;
                return Some(Event::default().event("view").data(version.to_string()));
            }
            let display = self.port.display().map(hufu_hardware::panel::SharedFrame::version);
            if display != self.display {
                self.display = display;
                return Some(Event::default().event("display").data(display.unwrap_or(0).to_string()));
            }
            // The picture has no wake-up of its own; without one there is nothing to look at.
            tokio::select! {
                changed = changes.changed() => changed.ok()?,
                () = sleep(Duration::from_millis(DISPLAY_LOOK_MS)), if display.is_some() => {}
            }
        }
    }
}
