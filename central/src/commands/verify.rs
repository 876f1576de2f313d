//! `hufu-central verify`: proves the books by replaying the journal.

use clap::Args;

use crate::db::Db;
use crate::store::verify::{self, Verification};

/// All holds.
pub const EXIT_HOLDS: u8 = 0;
/// Something does not hold; each finding was printed.
pub const EXIT_FINDINGS: u8 = 4;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Replay only what came since the newest base that `hufu-central rebase` took
    #[arg(long)]
    pub from_base: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command; prints what it found and answers the exit code.
///
/// # Errors
/// If the database cannot be read at all.
pub async fn run(args: &VerifyArgs, db: &Db, key: &[u8; 32]) -> anyhow::Result<u8> {
    let found =
        if args.from_base { verify::verify_from_base(db, key).await? } else { verify::verify(db).await? };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", told(&found));
    }
    Ok(if found.findings.is_empty() { EXIT_HOLDS } else { EXIT_FINDINGS })
}

/// The findings in words.
fn told(found: &Verification) -> String {
    let mut lines = found.findings.clone();
    let size = format!("{} entries, {} facts, {} rows compared", found.entries, found.facts, found.rows);
    lines.push(match found.findings.len() {
        0 => format!("verify: all holds ({size})"),
        1 => format!("verify: 1 finding ({size})"),
        count => format!("verify: {count} findings ({size})"),
    });
    lines.join("\n") + "\n"
}
