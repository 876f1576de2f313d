//! `hufu-central import-queue`: takes in the queue that a terminal exported to a stick.
//!
//! The same bytes, the same checks and the same journal as an upload; only the delivery says nothing of the terminal's
//! clock, and is no contact with it. Taking the same stick in again changes nothing. The terminal goes on sending until it
//! has a receipt; what came by stick is then a duplicate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use hufu_shared::ids::{BootId, DeviceId};
use hufu_shared::time::Instant;
use hufu_shared::wire::stick::{self, STICK_BYTES_MAX, StickBatch};
use hufu_shared::wire::upload::{Attempt, NONCE_BYTES, Upload};

use super::EXIT_OK;
use crate::app::App;
use crate::jobs::publisher;
use crate::routes::device::intake::{Delivery, Taken, take};
use crate::store::recovery::Proven;
use crate::store::{StoreError, contact};

/// Arguments of `import-queue`.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportQueueArgs {
    /// The file that `hufu-edge queue export` wrote
    pub file: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// What became of the queue of a stick.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Whose.
    pub device: DeviceId,
    /// Of which enrolment; 0 if the stick was empty.
    pub epoch: u32,
    /// Facts on the stick.
    pub facts: u64,
    /// Of them new here.
    pub new: u64,
    /// Of them here already.
    pub known: u64,
    /// Of the new ones such as wait for a person.
    pub waiting: u64,
    /// Facts up to here are durable here now.
    pub acked_seq: u64,
}

/// Takes a stick in.
///
/// # Errors
/// For a file that is no queue for this centre, and for a batch that leaves a gap, shows another history or cannot be
/// believed; what came before that batch is taken in.
pub async fn import(app: &App, file: &Path) -> anyhow::Result<Imported> {
    let meta = std::fs::metadata(file).with_context(|| format!("failed to look at {}", file.display()))?;
    ensure!(
        meta.len() <= STICK_BYTES_MAX,
        "{} has {} bytes, at most {STICK_BYTES_MAX} expected",
        file.display(),
        meta.len()
    );
    let bytes = std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    let (device, batches) = stick::read(app.keys.open_key(), &bytes)
        .with_context(|| format!("failed to open {}", file.display()))?;
    let mut imported = Imported { device, epoch: 0, facts: 0, new: 0, known: 0, waiting: 0, acked_seq: 0 };
    for batch in batches {
        take_one(app, batch, &mut imported).await?;
    }
    Ok(imported)
}

async fn take_one(app: &App, batch: StickBatch, imported: &mut Imported) -> anyhow::Result<()> {
    let (device, epoch, from_seq) = (imported.device, batch.header.epoch, batch.header.from_seq);
    let count = batch.facts.len() as u64;
    let delivery = Delivery {
        device,
        address: String::new(),
        upload: Arc::new(upload(batch)),
        entry: app.entry_id()?,
        now: app.now(),
        by_stick: true,
        proven: Proven::default(),
    };
    let taken = app
        .write(move |tx| -> Result<_, StoreError> {
            let before = contact::cursor(tx, device, epoch)?.map_or(0, |(seq, _)| seq);
            let taken = take(tx, &delivery)?;
            let after = contact::cursor(tx, device, epoch)?.map_or(0, |(seq, _)| seq);
            Ok((taken, after.saturating_sub(before), after))
        })
        .await
        .with_context(|| format!("failed to take in the batch from seq {from_seq}"))?;
    let (taken, new, acked_seq) = taken;
    match taken {
        Taken::Receipt(_) => {}
        Taken::Noted(_) => imported.waiting += new,
        Taken::Gap { send_from } => bail!(
            "the batch begins at seq {from_seq}, this centre expects {send_from} next: bring the stick that was made before, \
             or let the terminal upload first"
        ),
        Taken::Lost { from_seq, to_seq } => {
            bail!(
                "facts {from_seq} to {to_seq} are missing here and at the terminal: a person must decide about it first"
            )
        }
        Taken::Fork { detail } => bail!("{detail}; what the stick shows is kept for review"),
        Taken::Refused(refusal) => bail!("the batch from seq {from_seq} cannot be believed: {refusal}"),
    }
    imported.epoch = epoch;
    imported.facts += count;
    imported.new += new;
    imported.known += count - new.min(count);
    imported.acked_seq = acked_seq;
    Ok(())
}

/// The batch as an upload. Nobody waits for its answer, so the attempt is empty.
fn upload(batch: StickBatch) -> Upload {
    Upload {
        header: batch.header,
        facts: batch.facts,
        attempt: Attempt {
            nonce: [0; NONCE_BYTES],
            mono_ns: 0,
            boot: BootId([0; 16]),
            boot_seq: 0,
            wall: Instant::default(),
            oldest_held: 1,
            waiting: 0,
            echo: None,
            lease_report: None,
            heard: None,
        },
    }
}

/// Runs the command.
///
/// # Errors
/// As [`import`].
pub async fn run(args: &ImportQueueArgs, app: &App) -> anyhow::Result<u8> {
    let imported = import(app, &args.file).await;
    // What was taken in before a bad batch counts all the same.
    publisher::publish_now(&app.db).await?;
    let imported = imported?;
    if args.json {
        println!("{}", serde_json::to_string(&imported)?);
    } else {
        println!(
            "device {} enrolment {}: {} facts on the stick, {} new, {} known already, {} wait for a person; durable up to seq {}",
            imported.device,
            imported.epoch,
            imported.facts,
            imported.new,
            imported.known,
            imported.waiting,
            imported.acked_seq
        );
    }
    Ok(EXIT_OK)
}
