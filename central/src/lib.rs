//! The central service.

pub mod admission;
pub mod app;
pub mod ca;
pub mod clock;
pub mod commands;
pub mod config;
pub mod console;
pub mod db;
pub mod error;
pub mod export;
pub mod generate;
pub mod import;
pub mod jobs;
pub mod middleware;
pub mod net;
pub mod pace;
pub mod random;
pub mod router;
pub mod routes;
pub mod rules;
pub mod second_path;
pub mod secret_file;
pub mod spreadsheet;
pub mod store;
pub mod vault;

pub use console::password;
