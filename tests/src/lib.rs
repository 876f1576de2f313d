//! What whole-system tests stand on: real services with virtual hardware, and the checks on the tree itself.
//!
//! `kit` starts the real things (PostgreSQL, pcscd, browsers, Hufu's own programs) and plays the hardware that a
//! test machine lacks; `tidy` and `coverage` are pure checks over the text of the tree; `desk` is the tray of
//! virtual cards; `storm` is a fleet of simulated terminals; `sheet` draws what members see; `pages` visits every page of the counter in a browser; `story` plays the main job from end to end. Nothing here
//! stands in for a part of Hufu: the programs under test are the ones that ship.

pub mod coverage;
pub mod desk;
pub mod kill;
pub mod kit;
pub mod model;
pub mod pages;
pub mod sheet;
pub mod simulate;
pub mod storm;
pub mod story;
pub mod tidy;
