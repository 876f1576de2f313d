//! Which readers work, as told by their own events.
//!
//! Pure bookkeeping over [`CardEvent`]s, so that the display's "not ready", the status page and the check-up command
//! agree. A configuration entry that stands for several slots is ready when at least one of them is.
//!
//! Out of scope: deciding what to show.

use std::collections::BTreeMap;

use crate::card::{CardEvent, ErrorKind};

/// The last that was heard of one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderHealth {
    /// The slot's name.
    pub name: String,
    /// True if it works.
    pub up: bool,
    /// Since when, nanoseconds of the caller's clock.
    pub since_ns: u64,
    /// What kind of outage, while it is down.
    pub kind: Option<ErrorKind>,
    /// The outage in one sentence, else empty.
    pub reason: String,
}

/// The health of all readers, by configuration entry.
#[derive(Debug, Clone, Default)]
pub struct Health {
    readers: BTreeMap<(usize, String), ReaderHealth>,
}

impl Health {
    /// Nothing heard yet: no reader is ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what an event says about its reader. Returns true if the readiness of its entry changed.
    pub fn observe(&mut self, event: &CardEvent) -> bool {
        let (up, kind, reason) = match event {
            CardEvent::SourceUp { .. } => (true, None, String::new()),
            CardEvent::SourceDown { kind, reason, .. } => (false, Some(*kind), reason.clone()),
            _ => return false,
        };
        let source = event.source();
        let before = self.is_ready(source.index);
        let name = source.name.to_string();
        if up {
            // An absent reader was told under what the configuration names, which is part of every slot's name.
            self.readers.retain(|(index, known), health| {
                *index != source.index || health.up || *known == name || !name.contains(known.as_str())
            });
        }
        let entry = ReaderHealth { name: name.clone(), up, since_ns: event.at_ns(), kind, reason };
        self.readers.insert((source.index, name), entry);
        before != self.is_ready(source.index)
    }

    /// True if at least one reader of this configuration entry works.
    #[must_use]
    pub fn is_ready(&self, index: usize) -> bool {
        self.of(index).any(|r| r.up)
    }

    /// True if any reader at all works.
    #[must_use]
    pub fn any_ready(&self) -> bool {
        self.readers.values().any(|r| r.up)
    }

    /// What is known of one configuration entry, by name.
    pub fn of(&self, index: usize) -> impl Iterator<Item = &ReaderHealth> {
        self.readers.iter().filter(move |((i, _), _)| *i == index).map(|(_, health)| health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::SourceId;

    fn up(index: usize, name: &str) -> CardEvent {
        CardEvent::SourceUp { source: SourceId::new(index, name), at_ns: 1 }
    }

    fn down(index: usize, name: &str) -> CardEvent {
        let source = SourceId::new(index, name);
        CardEvent::SourceDown { source, kind: ErrorKind::DeviceGone, reason: "gone".into(), at_ns: 2 }
    }

    #[test]
    fn an_entry_is_ready_while_one_of_its_slots_is() {
        let mut health = Health::new();
        assert!(!health.observe(&down(0, "slot")), "was not ready, is not ready");
        assert!(health.observe(&up(0, "slot 0")));
        assert!(!health.observe(&up(0, "slot 1")));
        assert!(!health.observe(&down(0, "slot 0")), "the other slot still works");
        assert!(health.is_ready(0) && health.any_ready() && !health.is_ready(1));
        assert!(health.observe(&down(0, "slot 1")));
        assert!(!health.any_ready());
        assert_eq!(health.of(0).map(|r| r.reason.as_str()).collect::<Vec<_>>(), ["gone"; 2]);
    }
}
