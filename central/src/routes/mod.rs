//! Handlers, thin: extract, authenticate, call one rule, call one store function, answer.

pub mod device;
pub mod health;
