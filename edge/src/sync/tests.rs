//! The network side against a centre that is played over real TLS on the loopback.

pub(super) mod bench;
pub(crate) mod ca;
pub(super) mod centre;
pub(super) mod model;

mod authorize;
mod client;
mod download;
mod enrol;
mod pushed;
mod task;
mod turn;
mod upload;
