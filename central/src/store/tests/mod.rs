//! Tests of taking entries in, on both databases, with the tests' own bookkeeping.

mod asks;
mod attendance;
mod based;
mod blocked;
mod cash_out;
mod clocks;
mod conflicts;
mod desk;
mod edges;
mod expiry;
mod forms;
pub mod kit;
mod leases;
mod lost_commit;
mod meanwhile;
mod order;
mod people;
mod publishing;
mod reconciled;
mod reference;
mod replaced;
mod settled;
mod stays;
mod taken_back;
mod time;
mod value;
mod verified;
