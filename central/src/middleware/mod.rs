//! What stands before every handler of the device API: who asks, and a line in the log for each refusal.

mod device_identity;
mod log_refusal;

pub(crate) use device_identity::address;
pub use device_identity::{Caller, Delivering, Renewing, Reporting, confirm};
pub use log_refusal::log_refusal;
