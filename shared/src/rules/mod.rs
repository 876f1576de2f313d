//! Computations whose result a member sees at the terminal and the ledger must repeat, each from one place.
//!
//! Each is a plain function of the scheme's parameters, what is known of the member, and a day; none keeps anything.
//! [`whatif`] strings them together over a history, as the ledger and the jobs do over the real one.

pub mod activity;
pub mod bill;
pub mod birthday;
pub mod bonus;
pub mod calendar;
pub mod cards;
pub mod earn;
pub mod expiry;
pub mod giveback;
pub mod level;
pub mod promotion;
pub mod purchase;
pub mod redeem;
pub mod repeat;
pub mod start;
pub mod till;
pub mod told;
pub mod totals;
pub mod transfer;
pub mod whatif;
