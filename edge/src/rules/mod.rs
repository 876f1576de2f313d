//! Pure decisions of the terminal: state and facts in, decision out, time as an argument.
//!
//! Nothing here reads a clock, a file, a socket or a random number; whatever a rule needs is fetched before and passed
//! in. That is why the simulator can run the very same code.

pub mod backoff;
pub mod decide;
pub mod find;
pub mod gate;
pub mod lease;
pub mod member_plan;
pub mod operator;
pub mod pairing;
pub mod quota;
pub mod readiness;
pub mod replace;
pub mod screen;
pub mod setup;
pub mod shift;
pub mod slip;
pub mod timekeeping;
pub mod upload_plan;
