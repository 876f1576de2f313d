//! One presentation is one presentation: the same medium again shortly after it left is a flicker, not a second visit.
//!
//! Pure: times come in as arguments, nothing is sent or slept here. RF fields flicker at the edge of their range, hands
//! tremble, scanners repeat a code that stays in view, people pull a stripe twice to be sure.
//!
//! Invariants: a medium that still lies on a reader never counts again; a repeat restarts the window, so a card that
//! flickers for a minute counts once; memory is bounded by [`DEBOUNCE_MEDIA_MAX`].
//!
//! Out of scope: rules about visits ("already checked in today"), which outlive seconds and restarts.

use crate::card::{CardEvent, Evidence, Medium, SourceId};

/// Default window: a medium that returns within this time after it left is the same presentation.
pub const DEBOUNCE_WINDOW_MS: u64 = 1_500;

/// Media remembered at once. More cards than this within a window cannot be presented by hand.
pub const DEBOUNCE_MEDIA_MAX: usize = 64;

/// Whether a presentation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Act on it.
    New,
    /// The same medium a moment ago: ignore it.
    Repeat,
}

#[derive(Debug)]
struct Seen {
    medium: Medium,
    source: SourceId,
    /// While true the card lies on the reader, and `last_ns` does not matter.
    held: bool,
    last_ns: u64,
}

/// The memory of what was presented lately, over all readers.
#[derive(Debug)]
pub struct Debounce {
    window_ns: u64,
    seen: Vec<Seen>,
}

impl Default for Debounce {
    fn default() -> Self {
        Self::new(DEBOUNCE_WINDOW_MS)
    }
}

impl Debounce {
    /// With a window in milliseconds (sensible: 1,000 to 2,000).
    #[must_use]
    pub fn new(window_ms: u64) -> Self {
        Self { window_ns: window_ms.saturating_mul(1_000_000), seen: Vec::new() }
    }

    /// Takes any event of any source and says whether it counts. Every event but `Presented` counts; removals and
    /// outages are noted on the way.
    pub fn observe(&mut self, event: &CardEvent) -> Verdict {
        match event {
            CardEvent::Presented(p) => {
                // Only smart-card readers say when a card leaves; at all others it has left when it was read.
                let stays = matches!(p.evidence, Evidence::Tap { .. });
                self.presented(&p.source, &p.medium, stays, p.at_ns)
            }
            CardEvent::Removed { source, at_ns } | CardEvent::SourceDown { source, at_ns, .. } => {
                self.left(source, *at_ns);
                Verdict::New
            }
            _ => Verdict::New,
        }
    }

    /// A medium was read at `at_ns`. One that `stays` is held until [`Debounce::left`]; any other is over at once.
    pub fn presented(&mut self, source: &SourceId, medium: &Medium, stays: bool, at_ns: u64) -> Verdict {
        let window_ns = self.window_ns;
        self.seen.retain(|s| s.held || at_ns.saturating_sub(s.last_ns) <= window_ns);
        if stays {
            // A reader holds one card: whatever it held before has left, even if nobody said so.
            self.left(source, at_ns);
        }
        if let Some(seen) = self.seen.iter_mut().find(|s| is_same(&s.medium, medium)) {
            (seen.source, seen.held, seen.last_ns) = (source.clone(), stays, at_ns);
            return Verdict::Repeat;
        }
        if self.seen.len() == DEBOUNCE_MEDIA_MAX {
            self.seen.remove(0);
        }
        self.seen.push(Seen { medium: medium.clone(), source: source.clone(), held: stays, last_ns: at_ns });
        Verdict::New
    }

    /// Whatever lay on this reader left it at `at_ns` (removal, or the reader itself is gone).
    pub fn left(&mut self, source: &SourceId, at_ns: u64) {
        for seen in self.seen.iter_mut().filter(|s| s.held && s.source == *source) {
            (seen.held, seen.last_ns) = (false, at_ns);
        }
    }
}

/// A stripe pulled twice may be read with one track the first time and two the second: the number is what counts.
fn is_same(a: &Medium, b: &Medium) -> bool {
    match (a, b) {
        (Medium::Stripe { number: a, .. }, Medium::Stripe { number: b, .. }) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
