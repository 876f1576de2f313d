//! How the terminal is, for the centre's people: what waits since when, clock, room, readers, displays, printer.
//!
//! Looked at with the upkeep of each minute, away from every swipe, and told to the lane that polls. Never fails: what
//! cannot be read is not said.

use hufu_shared::time::Instant;
use hufu_shared::wire::health::{Attached, Health, Piece};
use tokio::sync::watch;

use super::dispatch::Dispatch;
use super::view;
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

/// Where it is told how the terminal is.
pub type HealthSender = watch::Sender<Option<Health>>;

impl Dispatch {
    /// Tells the centre's people how the terminal is.
    pub(super) fn tell_health(&self, now: &Now) {
        if let Some(told) = &self.health {
            told.send_replace(Some(self.look_at_health(now)));
        }
    }

    fn look_at_health(&self, now: &Now) -> Health {
        let used_percent = self.books().store().with(|journal| journal.used_percent());
        Health {
            software: Some(env!("CARGO_PKG_VERSION").to_owned()),
            oldest: self.oldest_waiting().unwrap_or_else(|error| {
                tracing::warn!(%error, "failed to read the oldest fact that waits");
                None
            }),
            clock_us: self.clock.offset_us(),
            used_percent: used_percent.ok(),
            free_bytes: self.free_bytes(),
            pieces: self.pieces(now),
        }
    }

    /// When the oldest fact was recorded that the centre has not acknowledged.
    fn oldest_waiting(&self) -> Result<Option<Instant>, StoreError> {
        self.books().store().with(|journal| {
            let first = journal.last_seq().saturating_sub(journal.queue_len()) + 1;
            let waiting = journal.pending(first, 1, usize::MAX)?;
            let read = journal.whole(&waiting)?;
            Ok(read.into_iter().find_map(Result::ok).map(|fact| fact.wall))
        })
    }

    fn pieces(&self, now: &Now) -> Vec<Piece> {
        let readers = view::readers(self, now).into_iter();
        let readers =
            readers.map(|reader| Piece { kind: Attached::Reader, name: reader.name, up: reader.up });
        let displays = self.display.each.iter().map(|panel| Piece {
            kind: Attached::Display,
            name: panel.name.clone(),
            up: panel.fault.is_none(),
        });
        let printer = self.printer_view().map(|printer| Piece {
            kind: Attached::Printer,
            name: printer.name,
            up: printer.known && printer.hindrance.is_none(),
        });
        readers.chain(displays).chain(printer).collect()
    }
}
