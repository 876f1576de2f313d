//! The terminal daemon of Hufu 虎符: it decides on cards, keeps a journal, shows a counter page and speaks to the centre.
//!
//! Reading order: [`config`] and [`terminal`] say what this terminal is, [`clock`] is the only reader of time;
//! [`rules`] decide, [`store`] keeps; [`state`] is what the parts show each other; [`sync`] and [`counter`] are the two
//! doors to the world; [`run`] is the loop that ties them; [`commands`] are the words of the command line.
//!
//! Invariants: one process writes the journal; a display turns green only after the fact is on the disk; a swipe never
//! waits for the network.
//! Out of scope: what the ledger makes of a fact (the centre's), drawing on displays and reading cards (hardware's).

pub mod clock;
pub mod config;
pub mod locale;
pub mod random;
pub mod state;
pub mod terminal;

pub mod rules;
pub mod store;

pub mod counter;
pub mod sync;

pub mod run;

pub mod commands;
