//! Computations whose result a member sees at the terminal and the ledger must repeat, each from one place.

pub mod earn;
pub mod repeat;
pub mod totals;
