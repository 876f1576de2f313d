//! `hufu-central device`: terminals are announced, listed and revoked, and what waits of them is released.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use hufu_shared::act::{Act, Actor, DeviceEnded, DeviceInvited, FactsReleased};
use hufu_shared::code::{CODE_BYTES, EnrolCode};
use hufu_shared::ids::{DeviceId, ID_RANDOM_BYTES};

use super::EXIT_OK;
use crate::app::App;
use crate::jobs::publisher;
use crate::random;
use crate::rules::world::DeviceStatus;
use crate::store::acts::{self, Note};
use crate::store::devices::{self, DeviceLine};
use crate::store::{StoreError, contact};

/// Facts that one act releases at most.
const RELEASED_AT_ONCE_MAX: i64 = 500;

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum DeviceCommand {
    /// Announce a terminal; prints its enrolment code, which lives 10 minutes
    Invite(InviteArgs),
    /// List terminals
    List(ListArgs),
    /// End a terminal at once: stolen, broken or retired
    Revoke(RevokeArgs),
    /// Let facts count that wait for a person: of a revoked terminal, or of an enrolment before its newest
    Release(ReleaseArgs),
}

/// Arguments of `device invite`.
#[derive(Debug, Clone, clap::Args)]
pub struct InviteArgs {
    /// Code of the office where it will stand
    #[arg(long)]
    pub office: String,
    /// What people call it
    #[arg(long)]
    pub name: String,
    /// A known terminal that is to enrol again (after a fork, a loss, a new board)
    #[arg(long)]
    pub device: Option<DeviceId>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `device list`.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `device revoke`.
#[derive(Debug, Clone, clap::Args)]
pub struct RevokeArgs {
    /// Its id, as `device list` shows it
    pub device: DeviceId,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// Arguments of `device release`.
#[derive(Debug, Clone, clap::Args)]
pub struct ReleaseArgs {
    /// Its id, as `device list` shows it
    pub device: DeviceId,
    /// The enrolment whose facts are released
    #[arg(long)]
    pub epoch: u32,
    /// Only facts up to this seq; all that wait if left out
    #[arg(long)]
    pub to_seq: Option<u64>,
    /// Why
    #[arg(long)]
    pub reason: String,
}

/// A terminal was announced.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Its identity.
    pub device: DeviceId,
    /// The code to carry to it.
    pub code: EnrolCode,
    /// Until when the code may be used.
    pub expires: hufu_shared::time::Instant,
}

/// Announces a terminal, new or known, and gives it a code.
///
/// # Errors
/// For an unknown office, an unknown or revoked device, or if the database fails.
pub async fn invite(app: &App, actor: Actor, args: &InviteArgs) -> anyhow::Result<Invited> {
    let office_code = args.office.clone();
    let office = app.db.read(move |tx| devices::office_by_code(tx, &office_code)).await?;
    let Some(office) = office else { bail!("no office has the code {:?}", args.office) };
    if args.name.trim().is_empty() {
        bail!("the terminal needs a name");
    }
    let now = app.now();
    let device = match args.device {
        None => DeviceId::new(now, random::bytes::<ID_RANDOM_BYTES>()?),
        Some(device) => match app.db.read(move |tx| devices::status(tx, device)).await? {
            None => bail!("no terminal has the id {device}"),
            Some(DeviceStatus::Revoked) => bail!("terminal {device} was revoked; announce a new one"),
            Some(_) => device,
        },
    };
    let secret: [u8; CODE_BYTES] = random::bytes()?;
    let (entry, act) = (
        app.entry_id()?,
        Act::DeviceInvited(DeviceInvited { device, office, name: args.name.trim().to_owned() }),
    );
    let work = move |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
        acts::take(tx, entry, now, &actor, &act)?;
        devices::put_code(tx, device, &secret, now)
    };
    let expires = app.write(work).await.context("failed to announce the terminal")?;
    let code = EnrolCode { secret, fingerprint: app.authority.fingerprint() };
    Ok(Invited { device, code, expires })
}

/// Revokes a terminal.
///
/// # Errors
/// For an unknown terminal, or if the database fails.
pub async fn revoke(app: &App, actor: Actor, device: DeviceId, reason: &str) -> anyhow::Result<()> {
    if reason.trim().is_empty() {
        bail!("a reason is needed");
    }
    if app.db.read(move |tx| devices::status(tx, device)).await?.is_none() {
        bail!("no terminal has the id {device}");
    }
    let note = Note::new(&app.keys.seal_public(), random::bytes()?, reason.trim())?;
    let act = Act::DeviceRevoked(DeviceEnded { device, reason: note.commitment });
    let (entry, now) = (app.entry_id()?, app.now());
    let work = move |tx: &mut crate::db::Tx<'_>| -> Result<(), StoreError> {
        note.put(tx, None, now)?;
        acts::take(tx, entry, now, &actor, &act).map(|_| ())
    };
    app.write(work).await.context("failed to revoke the terminal")
}

/// Releases facts that wait for a person; answers how many. What cannot be read stays where it is.
///
/// # Errors
/// For an unknown terminal, or if the database fails.
pub async fn release(app: &App, actor: Actor, args: &ReleaseArgs) -> anyhow::Result<u64> {
    if args.reason.trim().is_empty() {
        bail!("a reason is needed");
    }
    let (device, epoch, to_seq) = (args.device, args.epoch, args.to_seq.unwrap_or(u64::MAX));
    if app.db.read(move |tx| devices::status(tx, device)).await?.is_none() {
        bail!("no terminal has the id {device}");
    }
    let mut released = 0;
    loop {
        let note = Note::new(&app.keys.seal_public(), random::bytes()?, args.reason.trim())?;
        let (entry, now, actor) = (app.entry_id()?, app.now(), actor.clone());
        let work = move |tx: &mut crate::db::Tx<'_>| -> Result<u64, StoreError> {
            let (facts, others_wait) = contact::in_review(tx, device, epoch, to_seq, RELEASED_AT_ONCE_MAX)?;
            if facts.is_empty() {
                return Ok(0);
            }
            let count = facts.len() as u64;
            note.put(tx, None, now)?;
            let act = Act::FactsReleased(FactsReleased { facts, reason: note.commitment, others_wait });
            acts::take(tx, entry, now, &actor, &act).map(|_| count)
        };
        let count = app.write(work).await.context("failed to release the facts")?;
        if count == 0 {
            return Ok(released);
        }
        released += count;
    }
}

/// Runs the command.
///
/// # Errors
/// As [`invite`], [`revoke`] and [`release`].
pub async fn run(command: &DeviceCommand, app: &App) -> anyhow::Result<u8> {
    match command {
        DeviceCommand::Invite(args) => {
            let invited = invite(app, Actor::Command("device invite".to_owned()), args).await?;
            publisher::publish_now(&app.db).await?;
            if args.json {
                let told = serde_json::json!({
                    "device": invited.device, "code": invited.code.to_string(), "expires": invited.expires,
                });
                println!("{told}");
            } else {
                println!("{}", invited.code);
            }
        }
        DeviceCommand::List(args) => {
            let lines = app.db.read(devices::list).await?;
            print!("{}", if args.json { listed_json(&lines) } else { listed(&lines) });
        }
        DeviceCommand::Revoke(args) => {
            let actor = Actor::Command("device revoke".to_owned());
            revoke(app, actor, args.device, &args.reason).await?;
            publisher::publish_now(&app.db).await?;
            println!("revoked {}", args.device);
        }
        DeviceCommand::Release(args) => {
            let released = release(app, Actor::Command("device release".to_owned()), args).await?;
            publisher::publish_now(&app.db).await?;
            println!("released {released} facts of {}", args.device);
        }
    }
    Ok(EXIT_OK)
}

fn listed(lines: &[DeviceLine]) -> String {
    let mut text = String::new();
    for line in lines {
        let office = line.office_words.as_ref().map_or("?", |(code, _)| code.as_str());
        let queued = line.contact.as_ref().map_or(0, |contact| contact.queued);
        let seen = line
            .contact
            .as_ref()
            .map_or_else(|| "never".to_owned(), |contact| contact.at.display(chrono_tz::Asia::Shanghai));
        let acked = line.enrolled.map_or(0, |(seq, _)| seq);
        let status = line.status.code();
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{}  {office}  {}  {status}  facts {acked}  waiting {queued}  last contact {seen}",
            line.device, line.name
        );
    }
    text
}

fn listed_json(lines: &[DeviceLine]) -> String {
    let list: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| {
            let contact = line.contact.as_ref();
            serde_json::json!({
                "device": line.device,
                "name": line.name,
                "office": line.office_words.as_ref().map(|(code, _)| code),
                "status": line.status.code(),
                "epoch": line.epoch,
                "acked_seq": line.enrolled.map(|(seq, _)| seq),
                "queued": contact.map(|contact| contact.queued),
                "last_contact": contact.map(|contact| contact.at),
                "directory": contact.map(|contact| contact.directory.to_string()),
                "duplicates": contact.map(|contact| contact.duplicates),
            })
        })
        .collect();
    serde_json::to_string_pretty(&list).unwrap_or_default() + "\n"
}
