//! Sends what people are to be told (K2, K10): to a file, or to a gateway of the club's own over HTTP.
//!
//! Runs beside everything else and stops nothing: a letter that cannot be sent waits longer after each try, and says
//! why. A letter may go out twice if the centre dies between sending and writing that down, always under one id.
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
    let (mut sent, mut failed): (BTreeMap<String, Vec<Hash>>, usize) = (BTreeMap::new(), 0);
    for (message, known, tries) in due {
        let (vault, keys, order) = (app.vault.clone(), app.keys.clone(), config.order.clone());
        let open = move |tx: &mut crate::db::Tx<'_>| {
            outbox::letter(tx, (&vault, keys.open_key()), &order, (message, &known))
        };
        let letter = app.db.read(open).await?;
        let letter = letter.filter(|letter| SENT_BY_MACHINE.contains(&letter.channel.as_str()));
        let Some(letter) = letter else {
            app.db
                .write(move |tx| outbox::left_to_people(tx, message, now))
                .await
                .map_err(PeopleError::from)?;
            continue;
        };
        match send(&config, &letter).await {
            Ok(()) => sent.entry(letter.channel).or_default().push(message),
            Err(error) => {
                failed += 1;
                tracing::warn!(%message, tries, %error, "a message could not be sent");
                let why = error.to_string();
                app.db
                    .write(move |tx| outbox::failed(tx, &letter, tries, (now, &why)))
                    .await
                    .map_err(PeopleError::from)?;
            }
        }
    }
    let count = sent.values().map(Vec::len).sum();
    for (channel, messages) in sent {
        let (entry, now) = (app.entry_id().map_err(ActError::from)?, app.now());
        app.write(move |tx| outbox::sent(tx, (entry, JOB), (&channel, &messages), now))
            .await
            .map_err(PeopleError::from)?;
    }
    Ok((count, failed))
}

fn body(letter: &Letter) -> String {
    json!({
        "message": letter.message, "about": letter.about, "channel": letter.channel, "to": letter.to,
        "number": letter.number,
    })
    .to_string()
}

async fn send(config: &MessagesConfig, letter: &Letter) -> Result<(), SendError> {
    if !config.file.as_os_str().is_empty() {
        append(&config.file, letter).await?;
    }
    if config.webhook.is_empty() {
        return Ok(());
    }
    let wait = Duration::from_secs(GATEWAY_WAIT_S);
    tokio::time::timeout(wait, post(&config.webhook, letter)).await.unwrap_or(Err(SendError::Silent))
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
