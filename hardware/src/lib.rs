//! Hufu's devices: card sources, displays and signals behind small traits, each with a real driver and a complete
//! scripted fake.
//!
//! Reading order: [`card`] says what a reader can tell, [`debounce`] and [`health`] are pure helpers over those
//! events, [`pcsc`], [`serial`], [`keyboard`] and [`framed`] are the readers themselves; [`panel`] is a display, [`text`] and
//! [`layout`] draw on it; [`signal`] is light and sound, [`printer`] puts receipts onto paper; [`fake`] holds a complete
//! stand-in for each trait.
//!
//! Invariants
//! - A source runs on threads of its own, never panics, and never stops for ever because of an error: it says
//!   [`card::CardEvent::SourceDown`], tries again for as long as it lives, and says [`card::CardEvent::SourceUp`].
//! - No partial identity: a medium that was not read whole becomes [`card::CardEvent::ReadFailed`], never `Presented`.
//! - No character of a text is dropped: what no face can draw becomes `〓`.
//! - Time is the caller's: drivers stamp events with the clock they are handed, pure parts take times as arguments.
//!
//! Out of scope: what a card means, who holds it, what it may do. This crate knows nothing of members or money, does
//! no networking and needs no async runtime. Choosing and configuring devices is the caller's.

mod attached;
pub mod card;
pub mod debounce;
pub mod fake;
pub mod framed;
pub mod health;
pub mod keyboard;
pub mod layout;
pub mod panel;
pub mod payment;
pub mod pcsc;
pub mod printer;
pub mod serial;
pub mod signal;
mod stop;
pub mod text;
