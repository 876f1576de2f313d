//! The counter page: what staff at a desk see and choose, on a phone or a tablet.
//!
//! Reading order: [`view`] is what it shows, as data; [`port`] is the seam to the run loop; [`face`] gives an outcome
//! its looks and words; [`pages`], [`sheets`], [`papers`] and [`prepared`] fill the templates; [`forms`] reads what is
//! sent; [`voice`] sounds; [`guard`] says who may speak; [`live`] wakes the pages; [`desk`] holds the further pages;
//! [`routes`] is the table of addresses; [`serve`] accepts; [`tablets`] and [`tls`] let paired tablets in; [`samples`] are
//! snapshots for tests and pictures.
//!
//! Invariants: nothing is decided here, each act is one order to the run loop; the page works without script; reading
//! changes nothing; every text is escaped and exists in both languages.
//! [`operators`] holds PINs.
//! Out of scope: what an operator may do.

pub mod assets;
pub mod batch;
pub mod desk;
pub mod face;
pub mod forms;
pub mod gates;
pub mod guard;
pub mod live;
pub mod operators;
pub mod pages;
pub mod palette;
mod panels;
pub mod papers;
pub mod port;
pub mod practice;
pub mod prepared;
pub mod routes;
pub mod samples;
pub mod serve;
pub mod setup;
pub mod sheets;
pub mod slips;
pub mod tablets;
pub mod tls;
pub mod undo;
pub mod value;
pub mod view;
pub mod voice;
pub mod words;

#[cfg(test)]
mod tests;
