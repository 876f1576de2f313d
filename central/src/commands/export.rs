//! `hufu-central export`: writes members, cards, balances or statements to a file.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;

use super::EXIT_OK;
use super::import::language;
use crate::app::App;
use crate::console::words::Language;
use crate::db::Tx;
use crate::export::{What, Wish, export};
use crate::jobs::publisher;
use crate::rules::joining::roles::Account;
use crate::store::{StoreError, staff};

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Which list
    #[arg(value_enum)]
    pub what: What,
    /// Where to write it: a file that ends in .csv or .xlsx
    pub file: PathBuf,
    /// By whose rights: the login of somebody with an account; without, all members, masked
    #[arg(long = "as", value_name = "LOGIN")]
    pub by: Option<String>,
    /// Write personal data as it is, as far as that role may read it, and not masked
    #[arg(long, requires_all = ["by", "reason"])]
    pub clear: bool,
    /// Why it is needed as it is; kept in the record
    #[arg(long, value_name = "TEXT", requires = "clear")]
    pub reason: Option<String>,
    /// Language of headers and words: zh-CN or en
    #[arg(long, value_name = "LANGUAGE", default_value = "zh-CN", value_parser = language)]
    pub language: Language,
    /// Print the count of rows as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// For an unknown login or a role that may not read it, or if file or database fail.
pub async fn run(args: &ExportArgs, app: &App) -> anyhow::Result<u8> {
    let reason = args.reason.as_deref().map(str::trim).filter(|_| args.clear);
    ensure!(reason != Some(""), "a reason is needed");
    let by = match args.by.clone() {
        Some(login) => Some(account(app, login).await?),
        None => None,
    };
    let wish = Wish {
        what: args.what,
        by,
        clear: args.clear,
        reason: reason.map(str::to_owned),
        at_console: false,
        language: args.language,
    };
    let rows = export(app, &wish, &args.file).await.context("failed to export")?;
    publisher::publish_all(app).await.context("failed to number the record of the export")?;
    if args.json {
        println!("{}", serde_json::json!({ "what": args.what, "rows": rows, "clear": args.clear }));
    } else {
        let how = if args.clear { "as they are" } else { "masked" };
        println!("{}: {rows} rows, {how}, written to {}", args.what.code(), args.file.display());
    }
    Ok(EXIT_OK)
}

/// The account of a login that may sign in.
async fn account(app: &App, login: String) -> anyhow::Result<Account> {
    let asked = login.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Account>, StoreError> {
        match staff::by_login(tx, &asked)? {
            Some(known) => staff::account(tx, known.id),
            None => Ok(None),
        }
    };
    app.db.read(load).await?.with_context(|| format!("nobody has the login {login}"))
}
