//! Work that runs beside the requests, each job one module, idempotent.

pub mod deadlines;
pub mod expiry;
pub mod leases;
pub mod lookalikes;
pub mod publisher;
pub mod settle;
