//! Tests of taking entries in, on both databases, with the tests' own bookkeeping.

mod conflicts;
mod kit;
mod order;
mod reconciled;
mod verified;
