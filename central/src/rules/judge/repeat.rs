//! Double taps (kind 2) among all taps of a terminal: same card, reader and purpose within some seconds of its own clock.
//!
//! Both facts are kept, they have one effect. A repeat opens no window of its own, or a card that lies by the reader
//! would push the next purchase ever further away. What the terminal says it repeats is believed if it is the same card,
//! reader and purpose. Facts of one terminal come in order of seq, so the order of arrival plays no part.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::rules::repeat::Tap;

/// A tap with what decides whether it repeats another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// The fact.
    pub id: FactId,
    /// The tap on the terminal's own clock.
    pub tap: Tap,
    /// Seconds within which the scheme of the fact makes it a repeat.
    pub window_s: u32,
    /// Seq of the tap that the terminal says it repeats.
    pub said: Option<u64>,
}

/// Repeats, each with the fact that has the effect for both.
#[must_use]
pub fn repeats(taps: &[Tapped]) -> BTreeMap<FactId, FactId> {
    let mut ordered: Vec<&Tapped> = taps.iter().collect();
    ordered.sort_by_key(|tapped| tapped.id);
    let mut opened: Vec<&Tapped> = Vec::new();
    let mut merged = BTreeMap::new();
    for tapped in ordered {
        let same = |first: &&&Tapped| {
            let one_terminal = (first.id.device, first.id.epoch) == (tapped.id.device, tapped.id.epoch);
            let said = tapped.said == Some(first.id.seq) && tapped.tap.key == first.tap.key;
            one_terminal && (said || tapped.tap.repeats(&first.tap, tapped.window_s))
        };
        // The latest first: it is the nearest, and most often the answer.
        match opened.iter().rev().find(same) {
            Some(first) => drop(merged.insert(tapped.id, first.id)),
            None => opened.push(tapped),
        }
    }
    merged
}

#[cfg(test)]
#[path = "repeat_tests.rs"]
mod tests;
