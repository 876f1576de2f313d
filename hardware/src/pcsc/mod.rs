//! Smart-card readers through PC/SC (`pcscd`).
//!
//! [`apdu`] and [`atr`] are pure bytes, `slot` is the pure state machine of one reader, [`reader`] and `worker` hold the
//! threads.
//! Only the UID is read today; applications on the card (DESFire, NTAG 424 proofs) would be further steps of a read.

pub mod apdu;
pub mod atr;
pub mod reader;
mod slot;
mod worker;

pub use reader::PcscSource;
