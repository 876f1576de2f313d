//! Joining and leaving, as plain functions: what a field may hold, who may join, how long things wait, what becomes of
//! an application, how a member leaves and comes back, and by which way people are told.
//!
//! Who an applicant looks like is judged beside this ([`super::judge::lookalike`]). Nothing here reads personal data
//! from anywhere; values are arguments, and are never kept.

pub mod application;
pub mod deadline;
pub mod details;
pub mod eligible;
pub mod fields;
pub mod leaving;
pub mod notice;
pub mod period;
pub mod roles;
