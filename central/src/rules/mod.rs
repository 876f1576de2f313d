//! The pure heart of the centre: what is taken in, and what effect it has.
//!
//! [`ingest`] judges a batch against a device's cursor and chain; [`apply`] turns a journal entry and the rows that it
//! needs ([`world`]) into the rows that it gives ([`outcome`]). Neither reads a clock, a random number or a sealed
//! field, so replaying the journal gives the same rows again. The simulator and `verify` run these very functions.

pub mod activity;
pub mod admission;
pub mod apply;
pub mod as_of;
pub mod birthdays;
pub mod cash;
pub mod catalogue;
pub mod coupons;
pub mod desk;
pub mod entry;
pub mod foreseen;
pub mod inbox;
pub mod ingest;
pub mod jobs;
pub mod joining;
pub mod judge;
pub mod lease;
pub mod levels;
pub mod links;
pub mod need;
pub mod office_day;
pub mod outcome;
pub mod points;
pub mod posting;
pub mod ranking;
pub mod reconcile;
pub mod redemption;
pub mod reports;
pub mod silence;
pub mod stand_in;
pub mod statement;
pub mod told;
pub mod world;
