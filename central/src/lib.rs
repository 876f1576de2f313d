//! The central service.

pub mod ca;
pub mod clock;
pub mod db;
pub mod secret_file;
