//! Complete stand-ins for every device, driven by tests and by the desk simulator.
//!
//! They implement every method of their trait, keep what they were given, and fail when told to. Nothing is timed by a
//! clock of their own: a script's pauses are the driver's business.

mod card;
mod mipi;
mod oled;
mod panel;
pub mod printer;
mod signal;

pub use card::{FakeCardSource, FakeReader, Step};
pub use mipi::{FakeMipi, FakeMipiPin, Wiring};
pub use oled::{FakeOled, OledChip};
pub use panel::{FakePanel, PanelTape};
pub use printer::{FakePrinter, PrinterTape};
pub use signal::{FakeSignal, SignalTape};
