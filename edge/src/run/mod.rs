//! The loop that ties the parts: every reader, order, timer and answer becomes one event, handled one after another.
//!
//! Reading order: [`core`] is one swipe from token to commit; [`dispatch`] is the loop; [`effects`] shows what was
//! decided; [`view`] makes the counter page's snapshot; `paper` prints slips, [`ticket`] says what stands on them; [`tasks`]
//! starts and stops everything.
//!
//! Invariants: an effect is only ever sent after the commit that it tells of; the loop never waits for the network or
//! a display.

mod asking;
mod batch;
pub mod board;
mod card;
mod codes;
pub mod control;
pub mod core;
mod desk;
pub mod dispatch;
mod doors;
pub mod effects;
pub mod events;
mod expected;
pub mod health;
mod lookup;
mod orders;
pub mod panels;
pub mod paper;
mod practice;
pub mod readers;
mod setup;
mod staff;
pub mod tasks;
pub mod ticket;
mod together;
mod undoing;
mod upkeep;
pub mod view;
