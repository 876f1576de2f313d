//! The central service.

pub mod db;
