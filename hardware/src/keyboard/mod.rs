//! Readers that pretend to be keyboards ("keyboard wedge"): scanners, stripe readers, 125 kHz readers.
//!
//! [`keys`] turns key codes into text (pure), [`source`] holds the thread that owns the device. The device is grabbed:
//! nothing it types reaches any other program of the terminal, least of all the counter page.

pub mod keys;
pub mod source;

pub use source::KeyboardSource;
