//! Sends what people are to be told (K2, K10): to a file, or to a gateway of the club's own over HTTP.
//!
//! Runs beside everything else and stops nothing: a letter that cannot be made or sent waits longer after each try, and
//! says why. What was handed over is written down at once, letter by letter; so one goes out twice only if the centre
//! dies between the two, always under one id. The round that tells of it is an act, taken when the round is over.
//! Out of scope: carriers and wording, which are the gateway's; letters on paper and calls, which are people's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hufu_shared::ids::Hash;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::next_round;
use crate::app::{ActError, App};
use crate::config::MessagesConfig;
use crate::rules::joining::notice::SENT_BY_MACHINE;
use crate::store::outbox::{self, Letter};
use crate::store::people::PeopleError;

/// Name of the job in the journal.
const JOB: &str = "outbox";
/// Milliseconds between rounds.
const ROUND_MS: u64 = 30_000;
/// Letters of one round.
const ROUND_LETTERS_MAX: i64 = 200;
/// A gateway that says nothing for so long is not there, in seconds.
const GATEWAY_WAIT_S: u64 = 10;

/// A round could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The books or the vault.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// An act.
    #[error(transparent)]
    Act(#[from] ActError),
}

/// A letter was not taken.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("write the file: {0}")]
    File(#[from] std::io::Error),
    #[error("the gateway cannot be reached: {0}")]
    Gateway(#[from] hyper::Error),
    #[error("the gateway's address is not one: {0}")]
    Address(#[from] hyper::http::Error),
    #[error("the gateway answered {0}")]
    Refused(hyper::StatusCode),
    #[error("the gateway said nothing for {GATEWAY_WAIT_S} s")]
    Silent,
}

/// Sends what is due; answers how many letters went out, and how many failed.
///
/// # Errors
/// [`OutboxError`]; what was sent before stays sent.
pub async fn round(app: &App) -> Result<(usize, usize), OutboxError> {
    let config = app.config.messages.clone();
    if config.is_off() {
        return Ok((0, 0));
    }
    let now = app.now();
    let due =
        app.db.read(move |tx| outbox::due(tx, now, ROUND_LETTERS_MAX)).await.map_err(PeopleError::from)?;
    let mut failed = 0;
    for (message, known, tries) in due {
        if app.is_stopping() {
            break;
        }
        let (vault, keys, order) = (app.vault.clone(), app.keys.clone(), config.order.clone());
        let open = move |tx: &mut crate::db::Tx<'_>| {
            outbox::letter(tx, (&vault, keys.open_key()), &order, (message, &known))
        };
        let made = app.db.read(open).await.map_err(|error| (String::new(), error.to_string()));
        let tried = match made {
            Ok(Some(letter)) if SENT_BY_MACHINE.contains(&letter.channel.as_str()) => {
                let sent = send(&config, &letter).await;
                sent.map(|()| letter.channel.clone()).map_err(|error| (letter.channel, error.to_string()))
            }
            Ok(_) => {
                let left = move |tx: &mut crate::db::Tx<'_>| outbox::left_to_people(tx, message, now);
                app.db.write(left).await.map_err(PeopleError::from)?;
                continue;
            }
            Err(error) => Err(error),
        };
        if let Err((_, why)) = &tried {
            failed += 1;
            tracing::warn!(%message, tries, error = %why, "a message could not be sent");
        }
        let note = move |tx: &mut crate::db::Tx<'_>| match &tried {
            Ok(channel) => outbox::handed_over(tx, message, channel, now),
            Err((channel, why)) => outbox::failed(tx, (message, channel), tries, (now, why)),
        };
        app.db.write(note).await.map_err(PeopleError::from)?;
    }
    Ok((tell(app).await?, failed))
}

/// Says of all that was handed over, now or before the centre last stopped, that it was: one round for each channel.
async fn tell(app: &App) -> Result<usize, OutboxError> {
    let handed = app.db.read(outbox::untold).await.map_err(PeopleError::from)?;
    let mut channels: BTreeMap<String, Vec<Hash>> = BTreeMap::new();
    for (message, channel) in handed {
        channels.entry(channel).or_default().push(message);
    }
    let count = channels.values().map(Vec::len).sum();
    for (channel, messages) in channels {
        let (entry, now) = (app.entry_id().map_err(ActError::from)?, app.now());
        app.write(move |tx| outbox::told(tx, (entry, JOB), (&channel, &messages), now))
            .await
            .map_err(PeopleError::from)?;
    }
    Ok(count)
}

fn body(letter: &Letter) -> String {
    let mut body = json!({
        "message": letter.message, "about": letter.about, "channel": letter.channel, "to": letter.to,
        "number": letter.number,
    });
    if let Some((week, recorded)) = &letter.recorded {
        body["week"] = json!(week);
        body["purchases"] = json!(recorded);
    }
    if let Some(occasion) = &letter.occasion {
        body["activity"] = json!(occasion);
    }
    body.to_string()
}

async fn send(config: &MessagesConfig, letter: &Letter) -> Result<(), SendError> {
    // The gateway knows a letter again, the file does not: what fails there is not in the file once more.
    if !config.webhook.is_empty() {
        let wait = Duration::from_secs(GATEWAY_WAIT_S);
        let posted = tokio::time::timeout(wait, post(&config.webhook, letter)).await;
        posted.unwrap_or(Err(SendError::Silent))?;
    }
    if !config.file.as_os_str().is_empty() {
        append(&config.file, letter).await?;
    }
    Ok(())
}

/// One line per letter, durable before it counts as sent. Only the owner reads the file.
async fn append(path: &Path, letter: &Letter) -> Result<(), SendError> {
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options.create(true).append(true).mode(0o600).open(PathBuf::from(path)).await?;
    file.write_all(format!("{}\n", body(letter)).as_bytes()).await?;
    file.sync_data().await?;
    Ok(())
}

async fn post(webhook: &str, letter: &Letter) -> Result<(), SendError> {
    let uri: hyper::Uri = webhook.parse().map_err(hyper::http::Error::from)?;
    let host = uri.host().unwrap_or("127.0.0.1").trim_matches(['[', ']']).to_owned();
    let stream = tokio::net::TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = hyper::Request::post(path)
        .header(hyper::header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(hyper::header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", letter.message.to_string())
        .body(http_body_util::Full::new(Bytes::from(body(letter))))?;
    let answer = sender.send_request(request).await;
    driving.abort();
    let status = answer?.status();
    if status.is_success() { Ok(()) } else { Err(SendError::Refused(status)) }
}

/// Runs until the service stops.
pub async fn run(app: App) {
    while next_round(&app, ROUND_MS).await {
        match round(&app).await {
            Ok((0, 0)) => {}
            Ok((sent, failed)) => tracing::info!(sent, failed, "messages sent"),
            Err(error) => tracing::error!(%error, "messages could not be sent"),
        }
    }
}
