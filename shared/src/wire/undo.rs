//! A terminal asks whether a top-up that the centre has already may be undone at the desk.
//!
//! Asking changes nothing, and the answer holds for a moment only: what the terminal then records is a reversal like
//! any other. Out of scope: top-ups that the centre does not have yet; those are the terminal's own affair.

use minicbor::{Decode, Encode};

/// Where a device asks: `POST`, [`UndoAsk`] in, [`UndoAnswer`] out.
pub const UNDO_PATH: &str = "/device/v1/top-ups/undo";
/// Bytes of an ask, or of its answer, at most.
pub const UNDO_BYTES_MAX: usize = 256;

/// Which top-up is to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UndoAsk {
    /// The device's enrolment.
    #[n(0)]
    pub epoch: u32,
    /// Seq of the fact.
    #[n(1)]
    pub seq: u64,
}

/// The answer to [`UndoAsk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UndoAnswer {
    /// Whether it may be undone.
    #[n(0)]
    pub became: UndoBecame,
}

/// Whether a top-up may be undone at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum UndoBecame {
    /// What the member has covers it.
    #[n(0)]
    Covered,
    /// Part of it is spent or set aside already: a person at the centre decides.
    #[n(1)]
    NotCovered,
    /// The shift in which it was taken is counted.
    #[n(2)]
    OtherShift,
    /// It was undone before.
    #[n(3)]
    Undone,
    /// The centre does not have it as a top-up of this device.
    #[n(4)]
    Unknown,
    /// The centre recovers and takes nothing from anybody for now.
    #[n(5)]
    Recovering,
}
