//! What may come from outside, as fuzz targets: a fact, a batch of facts, the centre's answers, rows of the directory,
//! what readers, printers and tablets send, and the terminal's configuration.
//!
//! Each target is a plain function of bytes that panics when a promise is broken, so the committed corpus is also
//! replayed by an ordinary test (`tests/it/fuzz.rs` includes this file by its path) and on any toolchain. Promises:
//! nothing panics; what is decoded is written and read again as itself; a number that must be understood is never
//! passed over, however deep; a broken chain is never taken; a lease never gives more than was granted; a directory
//! after a delta is the directory of a snapshot with the same rows.
//! Out of scope: what the centre makes of facts once they are taken.

pub mod batch;
pub mod config;
pub mod delta;
pub mod fact;
pub mod form;
pub mod printer;
pub mod reader;
pub mod receipt;
pub mod seeds;
pub mod wire;

/// All targets by name.
pub const TARGETS: [(&str, fn(&[u8])); 8] = [
    ("fact", fact::run),
    ("batch", batch::run),
    ("receipt", receipt::run),
    ("delta", delta::run),
    ("reader", reader::run),
    ("config", config::run),
    ("printer", printer::run),
    ("form", form::run),
];
