//! What a terminal gives up as the room for its journal runs out: facts that wait are never overwritten.
//!
//! At [`TIGHT_PERCENT`] what can be had again or matters least stops growing: refusals are only counted, the directory
//! stays as it is (blocks still come), and people are warned. Later steps are those of [`super::decide`]: spending stops,
//! then swipes. Out of scope: how full it is.

/// Percent of the room from which refusals are only counted and the directory no longer grows.
pub const TIGHT_PERCENT: u8 = 80;

/// Whether the first step is reached.
#[must_use]
pub fn is_tight(used_percent: u8) -> bool {
    used_percent >= TIGHT_PERCENT
}
