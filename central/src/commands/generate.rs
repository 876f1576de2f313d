//! `hufu-central generate`: fills a fresh club with members, cards and weeks of history, for demonstration.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use hufu_shared::seal::SealKey;
use hufu_shared::token::TokenKey;

use crate::clock::Clock;
use crate::db::Db;
use crate::generate::{Plan, generate};
use crate::vault::Vault;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct GenerateArgs {
    /// Members
    #[arg(long, default_value_t = 2000)]
    pub members: usize,
    /// Days of history; the club must have been founded before (`init --founded`)
    #[arg(long, default_value_t = 90)]
    pub days: i32,
    /// Opening balances of points of the year before, shared out among all members
    #[arg(long, default_value_t = 0)]
    pub transfers: usize,
    /// The same seed gives the same club
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Write the cards to lay out into this file, as JSON
    #[arg(long)]
    pub cards: Option<PathBuf>,
}

/// Runs the command; prints what was generated.
///
/// # Errors
/// If the club is in use, was founded too late, or the database fails.
pub async fn run(
    args: &GenerateArgs,
    db: &Db,
    vault: &Vault,
    token_keys: &[TokenKey],
    seal_key: SealKey,
    clock: &dyn Clock,
) -> anyhow::Result<u8> {
    let (members, days, transfers) = (args.members, args.days, args.transfers);
    let plan = Plan { members, days, transfers, seed: args.seed, now: clock.now() };
    let report =
        generate(db, vault, token_keys, seal_key, plan).await.context("failed to generate a club")?;
    if let Some(path) = &args.cards {
        let json = serde_json::to_vec_pretty(&report.tray)?;
        std::fs::write(path, json).with_context(|| format!("failed to write {}", path.display()))?;
    }
    println!("generated {} members and {} facts over {} days", report.members, report.facts, report.days);
    Ok(0)
}
