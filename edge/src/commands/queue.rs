//! `queue list` and `queue export`: facts that the centre has not acknowledged, read beside a running daemon.
//!
//! An export is for a stick when the line stays cut: signed batches, the same bytes as an upload would carry, sealed to
//! the centre ([`crate::sync::stick`]). It notes that the queue was handed over, and marks nothing as sent: the
//! terminal still uploads until it has receipts. A journal that a new enrolment set aside is read the same way; its batches
//! are signed with the key in use now.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Failure;
use super::aside;
use super::exit::Exit;
use crate::config::Config;
use crate::locale::{Args, text_with};
use crate::store::{JOURNAL_FILE, JournalState, StoredFact, read_facts, read_state, read_whole};
use crate::sync::identity::{Identity, IdentityError};
use crate::sync::stick::{self, StickError};

/// What can be done with the queue.
#[derive(Debug, clap::Subcommand)]
pub(super) enum QueueCommand {
    /// List what waits, oldest first
    List {
        /// One JSON object per line, for scripts
        #[arg(long)]
        json: bool,
        /// The journal; one that a new enrolment set aside, else the current one
        #[arg(long, value_name = "FILE")]
        journal: Option<PathBuf>,
    },
    /// Write what waits to a file that only the centre can read
    Export {
        /// The file; must not exist yet
        file: PathBuf,
        /// The journal; one that a new enrolment set aside, else the current one
        #[arg(long, value_name = "FILE")]
        journal: Option<PathBuf>,
    },
}

pub(super) fn run(config: &Config, command: &QueueCommand) -> Result<(), Failure> {
    let (QueueCommand::List { journal, .. } | QueueCommand::Export { journal, .. }) = command;
    let path = journal.clone().unwrap_or_else(|| config.terminal.data_dir.join(JOURNAL_FILE));
    match command {
        QueueCommand::List { json, .. } => {
            let store = |error| Failure::new(Exit::Store, error);
            let state = read_state(&path).map_err(store)?;
            let facts = read_facts(&path, state.acked_seq + 1, usize::MAX).map_err(store)?;
            list(config, &path, &state, &facts, *json)
        }
        QueueCommand::Export { file, .. } => export(config, &path, file),
    }
}

fn list(
    config: &Config,
    path: &Path,
    state: &JournalState,
    facts: &[StoredFact],
    json: bool,
) -> Result<(), Failure> {
    let language = config.terminal.language;
    let mut out = std::io::stdout().lock();
    let mut written = Ok(());
    let read = read_whole(path, facts).map_err(|error| Failure::new(Exit::Store, error))?;
    for (stored, fact) in facts.iter().zip(read) {
        let fact = fact.map_err(|error| Failure::new(Exit::Store, error))?;
        let line = if json {
            json!({ "hash": stored.hash.to_string(), "fact": fact }).to_string()
        } else {
            let at = fact.wall.display(chrono_tz::Asia::Shanghai);
            format!("{:>8}  {at}  {}", fact.seq, fact.event.name())
        };
        written = written.and_then(|()| writeln!(out, "{line}"));
    }
    if !json {
        let args = Args::from([("value", state.queue_len().to_string())]);
        let line = text_with(language, "command-status-queue", &args);
        written = written.and_then(|()| writeln!(out, "{line}"));
        if let Some(seq) = aside::handed_over(path, state) {
            let args = Args::from([("value", seq.to_string())]);
            let line = text_with(language, "command-status-stick", &args);
            written = written.and_then(|()| writeln!(out, "{line}"));
        }
    }
    // A reader that has seen enough closes the pipe; that is no fault.
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Other, error)),
        _ => Ok(()),
    }
}

fn export(config: &Config, path: &Path, file: &PathBuf) -> Result<(), Failure> {
    let other = |error: anyhow::Error| Failure::new(Exit::Other, error);
    let data_dir = &config.terminal.data_dir;
    let identity = Identity::load(data_dir).map_err(|error| {
        let exit =
            if matches!(error, IdentityError::NotEnrolled { .. }) { Exit::NotEnrolled } else { Exit::Other };
        Failure::new(exit, error)
    })?;
    let packed = stick::pack(path, identity.device(), &identity.enrolment.central_seal_key);
    let packed = packed.map_err(|error| match error {
        StickError::Store(error) => Failure::new(Exit::Store, error),
        error => other(error.into()),
    })?;
    let written = (|| {
        let mut out = std::fs::File::options().write(true).create_new(true).open(file)?;
        out.write_all(&packed.bytes)?;
        out.sync_all()
    })();
    written.map_err(|error: std::io::Error| other(anyhow::anyhow!("write {}: {error}", file.display())))?;
    let args = Args::from([("count", packed.facts.len().to_string()), ("file", file.display().to_string())]);
    println!("{}", text_with(config.terminal.language, "command-exported", &args));
    if let Some(last) = packed.facts.last() {
        aside::note_handed_over(path, packed.epoch, last.seq).map_err(|error| other(error.into()))?;
    }
    Ok(())
}
