//! The network: who this terminal is, and everything it says to the centre.
//!
//! Lanes that never wait for each other: [`upload`] sends facts and takes receipts; [`download`] holds the long
//! poll open and brings blocks, notices and the directory; [`authorize`] asks for more of a lease while a card waits; [`stick`] is what is carried by hand. [`task`] runs both, [`renew`] keeps certificates young.
//! What to do next is decided in [`crate::rules`] (`upload_plan`, `member_plan`, `backoff`); here it is done.
//!
//! Invariants: only the club's own CA is trusted, TLS 1.3, no proxy, no redirect; every request has a time limit and
//! every answer a size limit; nothing leaves the queue before a receipt that proves the centre has it.

pub mod authorize;
mod chunks;
pub mod client;
mod contact;
pub mod download;
pub mod enrol;
pub(crate) mod files;
pub mod identity;
pub mod link;
mod lookup;
pub mod pair;
pub mod pipe;
pub mod renew;
pub mod stick;
pub mod task;
pub mod trust;
pub mod upload;

#[cfg(test)]
pub(crate) mod tests;
