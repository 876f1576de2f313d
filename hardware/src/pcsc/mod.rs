//! Smart-card readers through `pcscd` (PC/SC): contactless and contact.
//!
//! [`apdu`] holds the bytes, [`atr`] tells what a card is, [`mode`] where its identity stands and [`script`] how it is
//! read there (all pure), [`slot`] is one reader as a state machine (pure), [`reader`] the threads that talk to the
//! service.

pub mod apdu;
pub mod atr;
pub mod mode;
pub mod reader;
pub mod script;
mod slot;
mod worker;

pub use mode::ReadMode;
pub use reader::PcscSource;
