//! The central service.
fn main() {}
