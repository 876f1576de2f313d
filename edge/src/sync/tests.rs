//! The network side against a centre that is played over real TLS on the loopback.

pub(super) mod ca;
pub(super) mod centre;

mod client;
mod enrol;
