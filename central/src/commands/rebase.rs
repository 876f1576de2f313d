//! `hufu-central rebase`: takes the whole state as a base of replay, and with it the version of the rules.
//!
//! Without `--confirm` it is a dry run: everything is done in a transaction that is then undone, and what it would change
//! is printed with the words that do it. The state may change until then; a confirmation names the state that was seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{bail, ensure};
use clap::Args;
use serde::Serialize;

use super::EXIT_OK;
use crate::app::App;
use crate::db::{DbError, Tx};
use crate::jobs::publisher;
use crate::rules::apply::{APPLY_VERSION, OLDEST_APPLY_VERSION};
use crate::store::StoreError;
use crate::store::base::{self, Rebased};

/// Digits of a state's hash that a confirmation gives.
const CONFIRM_DIGITS: usize = 12;

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct RebaseArgs {
    /// The version of the rules from here on
    #[arg(long, default_value_t = APPLY_VERSION)]
    pub version: u32,
    /// Do it: the first digits of the state's hash, as the dry run printed them
    #[arg(long, value_name = "HASH")]
    pub confirm: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a rebase changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether it was done.
    pub done: bool,
    /// The version of the rules before.
    pub version_before: u32,
    /// The version from here on.
    pub version: u32,
    /// Hash of the state.
    pub state: String,
    /// Rows of each derived table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Cases that wait for a person and were judged anew.
    pub cases: usize,
    /// Those of them that stand differently now: id, kind, state before and after.
    pub changed: Vec<(String, u8, &'static str, &'static str)>,
    /// Facts that stand differently now.
    pub facts: usize,
    /// Postings that were made: debit, credit, amount, unit.
    pub postings: Vec<(String, String, i64, &'static str)>,
}

impl Report {
    fn new(rebased: &Rebased, version: u32, done: bool) -> Self {
        let outcome = &rebased.outcome;
        let changed = outcome.cases.iter().filter_map(|(id, case)| {
            let (kind, before) = rebased.before.get(id).copied()?;
            (before != case.state).then(|| (id.to_string(), kind, before.code(), case.state.code()))
        });
        let postings = outcome.postings.iter().map(|posting| {
            let amount = posting.leg.amount.0;
            (posting.debit.to_string(), posting.credit.to_string(), amount, posting.leg.unit.code())
        });
        Self {
            done,
            version_before: rebased.version_before,
            version,
            state: rebased.state.hash.to_string(),
            rows: rebased.state.rows.clone(),
            cases: rebased.before.len(),
            changed: changed.collect(),
            facts: outcome.fact_changes.len(),
            postings: postings.collect(),
        }
    }

    fn told(&self) -> String {
        let mut text = String::new();
        let rows = self.rows.values().sum::<u64>();
        // Writing into a string cannot fail.
        let _ =
            writeln!(text, "rules: version {} until now, {} from here on", self.version_before, self.version);
        let _ = writeln!(text, "state: {rows} rows in {} tables, hash {}", self.rows.len(), self.state);
        let _ = writeln!(
            text,
            "judged anew: {} waiting cases; {} cases and {} facts stand differently, {} postings",
            self.cases,
            self.changed.len(),
            self.facts,
            self.postings.len()
        );
        for (id, kind, before, after) in &self.changed {
            let _ = writeln!(text, "  case {id} of kind {kind}: {before} -> {after}");
        }
        for (debit, credit, amount, unit) in &self.postings {
            let _ = writeln!(text, "  {amount} {unit} from {debit} to {credit}");
        }
        let confirm = &self.state[..CONFIRM_DIGITS];
        let end = if self.done {
            "done: replay may begin here (`hufu-central verify --from-base`)".to_owned()
        } else {
            format!(
                "nothing was changed; to do it: hufu-central rebase --version {} --confirm {confirm}",
                self.version
            )
        };
        let _ = writeln!(text, "{end}");
        text
    }
}

/// End of the transaction that undoes a dry run.
enum Ended {
    Dry(Box<Report>),
    Failed(StoreError),
}

impl From<DbError> for Ended {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes a base, or shows what that would change.
///
/// # Errors
/// If this program does not have the version, or the state is no longer the confirmed one, or the database fails.
pub async fn rebase(app: &App, version: u32, confirm: Option<&str>) -> anyhow::Result<Report> {
    let known = OLDEST_APPLY_VERSION..=APPLY_VERSION;
    ensure!(
        known.contains(&version),
        "this program has versions {OLDEST_APPLY_VERSION} to {APPLY_VERSION} of the rules, met {version}"
    );
    if let Some(confirm) = confirm {
        ensure!(
            confirm.len() >= CONFIRM_DIGITS,
            "--confirm takes the {CONFIRM_DIGITS} digits that the dry run printed, met {confirm:?}"
        );
    }
    publisher::publish_now(&app.db).await?;
    let (id, now, keys) = (app.entry_id()?, app.now(), std::sync::Arc::clone(&app.keys));
    let confirm = confirm.map(str::to_owned);
    let ended = app
        .write(move |tx: &mut Tx<'_>| {
            let rebased =
                base::take(tx, id, now, version, |message| keys.sign(message)).map_err(Ended::Failed)?;
            let state = rebased.state.hash.to_string();
            let done = confirm.as_ref().is_some_and(|confirm| state.starts_with(confirm.as_str()));
            let report = Report::new(&rebased, version, done);
            if done { Ok(report) } else { Err(Ended::Dry(Box::new(report))) }
        })
        .await;
    match ended {
        Ok(report) => {
            publisher::publish_now(&app.db).await?;
            Ok(report)
        }
        Err(Ended::Dry(report)) => Ok(*report),
        Err(Ended::Failed(error)) => Err(error.into()),
    }
}

/// Runs the command.
///
/// # Errors
/// As [`rebase`]; and if the state is no longer the one that was confirmed.
pub async fn run(args: &RebaseArgs, app: &App) -> anyhow::Result<u8> {
    let report = rebase(app, args.version, args.confirm.as_deref()).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.told());
    }
    if args.confirm.is_some() && !report.done {
        bail!(
            "the state is no longer the one that was confirmed: look at what is printed above, and confirm that"
        );
    }
    Ok(EXIT_OK)
}
