//! The test kit: real services, started and stopped by their own process id, and virtual hardware.
//!
//! Every wait has a time limit, every server binds 127.0.0.1 and a free port, and everything is undone on drop.
//! Errors are `anyhow`, since a test only ever prints them.

pub mod browser;
pub mod clock;
pub mod http;
pub mod lifetime;
pub mod network;
pub mod pcscd;
pub mod postgres;
pub mod process;
pub mod pty;
pub mod vcard;
