//! `hufu-central migrate`: brings the schema up to date.

use anyhow::Context as _;

use super::EXIT_OK;
use crate::config::Config;
use crate::db::{Db, MIGRATIONS};

/// Runs the command.
///
/// # Errors
/// If the database cannot be opened or a migration fails; then it is as it was.
pub async fn run(config: &Config) -> anyhow::Result<u8> {
    let db = Db::open(&config.database_url()).await.context("failed to migrate the database")?;
    db.close().await;
    println!("schema version {}", MIGRATIONS.len());
    Ok(EXIT_OK)
}
