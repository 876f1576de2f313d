//! Judges: one rule of the conflict cases each, as a total pure function of the whole set of facts and pins of a matter.
//!
//! No verdict depends on the order of its input. Pins are constraints: the rule first gives what they take, then shares
//! the rest among unpinned facts in order of (t, device, epoch, seq); the bound holds over both.
//!
//! An earn passes through several, in this order: what it is worth ([`rate`]), whether it counts ([`slip`]), whether a
//! person must look first ([`issue`]), what caps leave of it ([`cap`], which is told what reversals return), and what
//! its reversals take back of that ([`reversal`]). Only what is left then is a credit that may expire ([`expiry`], which
//! the scheme's rules in `hufu_shared` own).

pub mod attendance;
pub mod block;
pub mod cap;
pub mod erase;
pub mod given;
pub mod handout;
pub mod interval;
pub mod issue;
pub mod lookalike;
pub mod merge;
pub mod money;
pub mod order;
pub mod owner;
pub mod profile;
pub mod rate;
pub mod repeat;
pub mod reversal;
pub mod settle;
pub mod share;
pub mod slip;
pub mod stays;
pub mod stock;
pub mod travel;
pub mod uselimit;

pub use hufu_shared::rules::{calendar, expiry};
