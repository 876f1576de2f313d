//! Readers on a serial port: magnetic stripe readers and code scanners.
//!
//! [`em125`] reads the numbers of 125 kHz chips, [`medium`] says what a frame presents (both pure).
//! [`line`] cuts the stream of bytes into frames, [`iso7813`] reads a stripe's tracks (both pure), [`port`] holds the
//! thread that owns the port.

pub mod em125;
pub mod iso7813;
pub mod line;
pub mod medium;
pub mod port;

pub use line::Protocol;
pub use port::SerialSource;
#[cfg(test)]
pub(crate) mod pty;
