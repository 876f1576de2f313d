//! What terminal and centre say to each other, all of it CBOR but the problem body.
//!
//! | request | body | answer |
//! | --- | --- | --- |
//! | `POST /device/v1/enrol` | [`enrol::EnrolRequest`] | [`enrol::EnrolAnswer`] |
//! | `POST /device/v1/renew` | [`enrol::RenewRequest`] | [`enrol::RenewAnswer`] |
//! | `POST /device/v1/events` | [`upload::Upload`] | [`upload::Receipt`] |
//! | `POST /device/v1/leases/authorize` | [`lease::LeaseAsk`] | [`lease::LeaseAnswer`] |
//! | `POST /device/v1/lookup` | [`lookup::LookupAsk`] | [`lookup::LookupAnswer`] |
//! | `GET /device/v1/updates` | – ([`updates::UpdatesQuery`]) | [`updates::Updates`] |
//! | `GET /device/v1/directory` | – ([`directory::DeltaQuery`]) | [`directory::Delta`] |
//! | `GET /device/v1/directory/snapshot/manifest` | – | [`directory::Manifest`] |
//! | `GET /device/v1/directory/snapshot/{hash}` | – | one chunk: zstd of CBOR rows |
//!
//! Errors are [`problem::Problem`] documents.

pub mod apart;
pub mod directory;
pub mod enrol;
pub mod health;
pub mod lease;
pub mod lookup;
pub mod problem;
pub mod readiness;
pub mod spread;
pub mod stick;
pub mod undo;
pub mod updates;
pub mod upload;
pub mod version;

/// Content type of every CBOR body.
pub const CBOR_TYPE: &str = "application/cbor";
