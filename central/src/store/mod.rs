//! Storage of the centre: fetches what the rules need, writes what they give, and decides nothing.
//!
//! Every change of derived rows goes through [`journal::take`]: it passes the gate, loads a world, applies the entry
//! and commits the outcome, all in the caller's transaction. The rest of the store reads.

pub mod activities;
pub mod acts;
pub mod api_requests;
pub mod approvals;
pub mod asked;
pub mod associations;
pub mod base;
pub mod bills;
pub mod birthdays;
pub mod brought;
pub mod calls;
pub mod cards;
pub mod cases;
pub mod cash;
pub mod catalogue;
pub mod contact;
pub mod coupons;
pub mod details;
pub mod devices;
pub mod directory;
pub mod dump;
pub mod erasure;
pub mod error;
pub mod exchange;
mod expected;
pub mod expiry;
pub mod foreseen;
pub mod inbox;
pub mod jobs;
pub mod joining;
pub mod journal;
pub mod known;
pub mod lapses;
pub mod leases;
pub mod levels;
pub mod lists;
pub mod lookalikes;
pub mod member_day;
pub mod members;
pub mod money;
pub mod office_days;
pub mod outbox;
pub mod outcome;
pub mod overview;
pub mod people;
pub mod points;
pub mod publisher;
pub mod purchases;
pub mod rankings;
pub mod recalls;
pub mod reconcile;
pub mod recovery;
pub mod redemption;
pub mod reports;
pub mod requests;
pub mod rows;
pub mod schemes;
pub mod snapshot;
pub mod staff;
pub mod stand_ins;
pub mod statement;
pub mod stock;
pub mod ties;
pub mod timeline;
pub mod told;
pub mod transfers;
pub mod verify;
pub mod watch;
pub mod world;

pub use error::StoreError;

#[cfg(test)]
pub(crate) mod tests;
