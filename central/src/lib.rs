//! The central service.

pub mod ca;
pub mod clock;
pub mod db;
pub mod generate;
pub mod import;
pub mod net;
pub mod random;
pub mod rules;
pub mod secret_file;
pub mod store;
pub mod vault;
