//! Many terminals at once: simulated devices with real keys, real TLS and real signatures against a real centre.
//!
//! A device here is a terminal's wire side only: it enrols, chains and signs facts as the terminal's own code does, keeps
//! a batch until it is receipted, and repeats it when an answer is lost. Everything it is told is checked. What records
//! and shows (readers, displays, journal files) is left out, so that thousands fit into one process.

pub mod device;
pub mod fleet;
pub mod follower;
pub mod link;
