//! A club for demonstration: offices, members with plausible Chinese names, cards, and weeks of history.
//!
//! Nothing is written past the rules: people and cards go through the import, history through the journal, as facts
//! of scripted terminals and acts, so the generated books verify and reconcile like any others. The same seed and the
//! same day give the same club.
//!
//! Out of scope: load for benches of intake, which write their own rows.

mod history;
mod many;
mod people;
mod random;
mod run;
mod terminal;
mod tray;

#[cfg(test)]
mod tests;

pub use people::chip_uid;
pub use run::{GenerateError, Plan, Report, generate};
pub use tray::TrayCard;
