//! Computations whose result a member sees at the terminal and the ledger must repeat, each from one place.
//!
//! Each is a plain function of the scheme's parameters, what is known of the member, and a day; none keeps anything.

pub mod bill;
pub mod birthday;
pub mod calendar;
pub mod earn;
pub mod expiry;
pub mod promotion;
pub mod repeat;
pub mod start;
pub mod totals;
