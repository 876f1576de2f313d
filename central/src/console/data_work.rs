//! Imports and exports that go on beside requests: each on a thread of its own, told of in its run, over the same code as
//! the commands.
//!
//! What belongs to a run is sealed to the centre as long as it is kept. A dry run that fails leaves the run waiting for
//! other answers; an import that fails ends, and what it had taken stays. Out of scope: pages ([`super::data`]).

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use chrono_tz::Tz;
use hufu_shared::ids::{OperatorId, RunId};
use hufu_shared::seal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Console;
use super::data_words::Trouble;
use super::failure::Failure;
use super::words::Language;
use crate::export::{self, What, Wish};
use crate::import::Kind;
use crate::import::grid::is_blank;
use crate::import::mapping::Mapping;
use crate::import::preview::Preview;
use crate::import::run::{self, ImportError, Means, Request};
use crate::import::sheet::{self, Reading, SheetError};
use crate::import::watch::Watch;
use crate::store::exchange::{self, Direction, End, Part, Run, State};
use crate::store::staff;

/// How often a run says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What was asked of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Of an import: the column that each header stands for, by its name; empty for one that is left out.
    pub(super) columns: Vec<String>,
    /// The sheet of a workbook; empty for the first.
    pub(super) sheet: String,
    /// Take the good rows even if others are bad.
    pub(super) partial: bool,
    /// Take a file that was taken before.
    pub(super) force: bool,
    /// Name of the batch of what comes from another system.
    pub(super) batch: String,
    /// Cause of opening balances whose rows give none.
    pub(super) cause: String,
    /// Of an export: why.
    pub(super) reason: String,
    /// Of an export: personal data as it is.
    pub(super) clear: bool,
    /// The ending of the file to be fetched.
    pub(super) ending: String,
    /// The language of the file to be fetched, by its tag.
    pub(super) language: String,
}

impl Asked {
    fn language(&self) -> Language {
        Language::from_tag(&self.language).unwrap_or_default()
    }
}

fn place(id: RunId, part: Part) -> Vec<u8> {
    [&b"exchange/"[..], &id.0[..], part.code().as_bytes()].concat()
}

/// A part of a run as it is kept.
pub(super) fn sealed(
    console: &Console,
    id: RunId,
    part: Part,
    clear: &[u8],
) -> Result<(Part, Vec<u8>), Failure> {
    let sealed = seal::seal(&console.app.keys.seal_public(), &place(id, part), clear);
    Ok((part, sealed.map_err(|error| Failure::fault(&error))?))
}

/// The same of what is written as JSON.
pub(super) fn sealed_json(
    console: &Console,
    id: RunId,
    part: Part,
    what: &impl Serialize,
) -> Result<(Part, Vec<u8>), Failure> {
    let text = serde_json::to_vec(what).map_err(|error| Failure::fault(&error))?;
    sealed(console, id, part, &text)
}

/// A part of a run; none if it has none, or no more.
pub(super) async fn opened(console: &Console, id: RunId, part: Part) -> Result<Option<Vec<u8>>, Failure> {
    let kept = console.app.db.read(move |tx| exchange::part(tx, id, part)).await?;
    let Some(kept) = kept else { return Ok(None) };
    let clear = console.app.keys.open_key().open(&place(id, part), &kept);
    clear.map(Some).map_err(|error| Failure::fault(&error))
}

/// The same of what is written as JSON.
pub(super) async fn opened_json<T: DeserializeOwned>(
    console: &Console,
    id: RunId,
    part: Part,
) -> Result<Option<T>, Failure> {
    let Some(text) = opened(console, id, part).await? else { return Ok(None) };
    serde_json::from_slice(&text).map(Some).map_err(|error| Failure::fault(&error))
}

/// How a file is read, by what was said of its headers; by their names if nothing was.
pub(super) fn reading(kind: Kind, head: &[String], asked: &Asked) -> Result<Reading, SheetError> {
    let mut mapping = Mapping::default();
    for (header, column) in head.iter().zip(&asked.columns) {
        match column.as_str() {
            "" => mapping.ignore(header.trim_matches(is_blank)),
            column => mapping.map(kind, column, header.trim_matches(is_blank))?,
        }
    }
    Ok(Reading { mapping, ..plain(asked) })
}

/// How a file is read before anything is said of its headers.
pub(super) fn plain(asked: &Asked) -> Reading {
    let sheet = asked.sheet.trim();
    Reading { sheet: (!sheet.is_empty()).then(|| sheet.to_owned()), ..Reading::default() }
}

/// A file in the making: gone from the disk when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(console: &Console, id: RunId, ending: &str) -> Self {
        let ending = if ending == "csv" { "csv" } else { "xlsx" };
        Self(console.app.config.data.dir.join(format!("exchange-{id}.{ending}")))
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        std::fs::read(&self.0).map_err(|error| Failure::fault(&error))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut beside = self.0.as_os_str().to_owned();
        beside.push(".part");
        for path in [self.0.as_path(), std::path::Path::new(&beside)] {
            if let Err(error) = std::fs::remove_file(path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "a list that was taken out could not be removed from the data folder");
            }
        }
    }
}

/// A template of a kind of file, as a workbook.
pub(super) fn template(console: &Console, id: RunId, kind: Kind) -> Result<Vec<u8>, Trouble> {
    let scratch = Scratch::new(console, id, "xlsx");
    kind.write_template(&scratch.0).map_err(export::ExportError::from)?;
    Ok(scratch.read()?)
}

/// What a run made.
struct Made {
    state: State,
    total: usize,
    error: Option<Trouble>,
    parts: Vec<(Part, Vec<u8>)>,
}

/// Lets a run go on by itself, for `by`; its state says already that it does.
pub(super) fn go_on(console: &Console, run: Run, by: OperatorId, dry_run: bool) {
    let (console, handle) = (console.clone(), tokio::runtime::Handle::current());
    // A file of many rows is read and compared without a pause, which must not keep requests waiting.
    tokio::task::spawn_blocking(move || {
        handle.block_on(async move {
            let watch = Watch::default();
            let made = match run.direction {
                Direction::Import => import(&console, &run, (by, dry_run), &watch).await,
                Direction::Export => take_out(&console, &run).await,
            };
            if let Err(error) = finish(&console, &run, made, (dry_run, &watch)).await {
                tracing::error!(run = %run.id, ?error, "how an import or export ended could not be written down");
            }
        });
    });
}

async fn finish(
    console: &Console,
    run: &Run,
    made: Result<Made, Trouble>,
    (dry_run, watch): (bool, &Watch),
) -> Result<(), Failure> {
    let done = u64::try_from(watch.rows()).unwrap_or(u64::MAX);
    let (state, total, error, parts) = match made {
        Ok(made) => (made.state, made.total, made.error, made.parts),
        Err(trouble) => {
            let state = match (&trouble, dry_run) {
                (_, true) => State::Waiting,
                (Trouble::Import(ImportError::Stopped), false) => State::Stopped,
                (_, false) => State::Failed,
            };
            (state, usize::try_from(run.total).unwrap_or(usize::MAX), Some(trouble), Vec::new())
        }
    };
    let total = u64::try_from(total).unwrap_or(u64::MAX);
    let error = error.map_or_else(Default::default, |trouble| trouble.told());
    let done = if state == State::Done { total } else { done };
    let (id, end, now) = (run.id, End { state, total, done, error }, console.app.now());
    console.app.db.write(move |tx| exchange::finish(tx, id, &end, &parts, now)).await?;
    Ok(())
}

/// Says every while how far a run is, and hears whether it is to stop.
async fn watched<T>(console: &Console, id: RunId, watch: &Watch, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(TELL_EVERY) => {
                let (rows, now) = (u64::try_from(watch.rows()).unwrap_or(u64::MAX), console.app.now());
                let told = console.app.db.write(move |tx| exchange::progress(tx, id, rows, now)).await;
                if console.app.is_stopping() || told.unwrap_or(false) {
                    watch.stop();
                }
            }
        }
    }
}

/// What is asked of the import, by a run and its parts.
async fn request(
    console: &Console,
    run: &Run,
    (by, dry_run): (OperatorId, bool),
    watch: &Watch,
) -> Result<(Request, Asked), Trouble> {
    let kind = Kind::from_code(&run.what).ok_or(Failure::NotFound)?;
    let bytes = opened(console, run.id, Part::Source).await?.ok_or(Failure::NotFound)?;
    let asked: Asked = opened_json(console, run.id, Part::Asked).await?.unwrap_or_default();
    let head = sheet::glance(kind, &bytes, &plain(&asked)).map_err(ImportError::from)?.head;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let request = Request {
        partial: asked.partial,
        dry_run,
        force: asked.force,
        reading: reading(kind, &head, &asked).map_err(ImportError::from)?,
        batch: some(&asked.batch),
        cause: some(&asked.cause),
        by: Some(by),
        whole_report: true,
        watch: watch.clone(),
        ..Request::new(kind, run.name.clone(), bytes)
    };
    Ok((request, asked))
}

async fn import(
    console: &Console,
    run: &Run,
    (by, dry_run): (OperatorId, bool),
    watch: &Watch,
) -> Result<Made, Trouble> {
    let app = &console.app;
    let (request, asked) = request(console, run, (by, dry_run), watch).await?;
    if dry_run && !asked.force {
        let before = run::taken_before(&app.db, &request).await?;
        if let Some((name, at)) = before {
            return Err(ImportError::Again { name, at: at.display(Tz::UTC) }.into());
        }
    }
    let (kind, token_keys) = (request.kind, console.token_keys().await?);
    let means = Means {
        db: &app.db,
        vault: &app.vault,
        token_keys: &token_keys,
        seal: app.keys.seal_public(),
        clock: &*app.clock,
    };
    let taken = watched(console, run.id, watch, run::import(&means, request)).await;
    // What was taken before it failed is in the journal all the same.
    app.taken().await.map_err(|error| Failure::fault(&error))?;
    let report = taken?;
    let scratch = Scratch::new(console, run.id, &asked.ending);
    report.details.write(kind, asked.language(), &scratch.0).map_err(export::ExportError::from)?;
    let preview = Preview::of(&report);
    let parts = vec![
        sealed_json(console, run.id, Part::Preview, &preview)?,
        sealed(console, run.id, Part::Result, &scratch.read()?)?,
    ];
    let (state, error) = match (dry_run, report.imported) {
        (true, _) => (State::Checked, None),
        (false, true) => (State::Done, None),
        // Something became bad between the dry run and now.
        (false, false) => (State::Checked, Some(Trouble::NotTaken)),
    };
    Ok(Made { state, total: preview.writes(), error, parts })
}

async fn take_out(console: &Console, run: &Run) -> Result<Made, Trouble> {
    let asked: Asked = opened_json(console, run.id, Part::Asked).await?.unwrap_or_default();
    let what = What::from_code(&run.what).ok_or(Failure::NotFound)?;
    let staff = run.staff;
    let account = console.app.db.read(move |tx| staff::account(tx, staff)).await.map_err(Failure::from)?;
    let wish = Wish {
        what,
        by: Some(account.ok_or(Failure::Role)?),
        clear: asked.clear,
        reason: Some(asked.reason.clone()),
        at_console: true,
        language: asked.language(),
    };
    let scratch = Scratch::new(console, run.id, &asked.ending);
    // Nobody stops a list, which is soon written; its record would stand there without a file.
    let written = export::export(&console.app, &wish, &scratch.0);
    let rows = watched(console, run.id, &Watch::default(), written).await?;
    let parts = vec![sealed(console, run.id, Part::Result, &scratch.read()?)?];
    Ok(Made { state: State::Done, total: usize::try_from(rows).unwrap_or(usize::MAX), error: None, parts })
}
