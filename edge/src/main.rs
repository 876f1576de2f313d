//! The terminal daemon.
fn main() {}
