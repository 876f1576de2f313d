//! The door for commands of this machine: a Unix socket in the data folder, one line in, one line of JSON out.
//!
//! The folder's permissions say who may knock. Out of scope: anything that a person at the counter page can do.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncBufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use super::events::{ControlOrder, Event};
use crate::counter::tablets::Tablets;

/// Name of the socket in the data folder.
pub const CONTROL_FILE: &str = "control.sock";
/// How long a command waits for the daemon, in milliseconds.
pub const CONTROL_TIMEOUT_MS: u64 = 10_000;
/// Longest line either way, in bytes.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Close the business day.
    CloseDay,
    /// Say how things are.
    Status,
    /// Offer a code for a tablet.
    Pair,
    /// List the paired tablets.
    Tablets,
    /// Unpair the tablet of this number.
    Unpair(u64),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked for, if it could be had.
    pub done: Option<serde_json::Value>,
    /// Why not.
    pub error: Option<String>,
}

/// The daemon cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no daemon answers at {}: {source}", path.display())]
    Absent {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The exchange broke off.
    #[error("the daemon at {} did not answer: {detail}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// The daemon says no.
    #[error("{0}")]
    Refused(String),
}

/// Asks the daemon of a data folder. Blocks for at most [`CONTROL_TIMEOUT_MS`].
///
/// # Errors
/// [`ControlError`].
pub fn ask(data_dir: &Path, ask: Ask) -> Result<serde_json::Value, ControlError> {
    let path = data_dir.join(CONTROL_FILE);
    let mut stream = BlockingStream::connect(&path)
        .map_err(|source| ControlError::Absent { path: path.clone(), source })?;
    let broken = |detail: String| ControlError::Broken { path: path.clone(), detail };
    let timeout = Some(Duration::from_millis(CONTROL_TIMEOUT_MS));
    let exchange = (|| {
        stream.set_read_timeout(timeout)?;
        stream.set_write_timeout(timeout)?;
        writeln!(stream, "{}", serde_json::to_string(&ask)?)?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    })();
    let line = exchange.map_err(|error| broken(error.to_string()))?;
    let answer: Answer = serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
    match answer {
        Answer { done: Some(done), error: None } => Ok(done),
        Answer { error, .. } => Err(ControlError::Refused(error.unwrap_or_else(|| "no answer".to_owned()))),
    }
}

/// Opens the socket; one left over from a killed daemon is replaced, which the lock on the data folder makes safe.
///
/// # Errors
/// [`ControlError::Absent`] if it cannot be made.
pub fn open(data_dir: &Path) -> Result<UnixListener, ControlError> {
    let path = data_dir.join(CONTROL_FILE);
    let made = match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(&path),
    };
    made.and_then(|listener| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    })
    .map_err(|source| ControlError::Absent { path, source })
}

/// Answers one command after another.
pub async fn serve(listener: UnixListener, events: mpsc::Sender<Event>, tablets: Option<Arc<Tablets>>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answered = tokio::time::timeout(
                    Duration::from_millis(CONTROL_TIMEOUT_MS),
                    answer(stream, &events, tablets.clone()),
                );
                if let Ok(Err(error)) = answered.await {
                    tracing::debug!(%error, "a command went away");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a command");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn answer(
    stream: UnixStream,
    events: &mpsc::Sender<Event>,
    tablets: Option<Arc<Tablets>>,
) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    AsyncBufReader::new(read.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Err(error) => Answer { done: None, error: Some(format!("expected an order, met {line:?}: {error}")) },
        Ok(Ask::CloseDay) => {
            let (reply, closed) = oneshot::channel();
            drop(events.send(Event::Control(ControlOrder::CloseDay(reply))).await);
            match closed.await {
                Ok(Ok(closed)) => Answer { done: serde_json::to_value(&closed).ok(), error: None },
                Ok(Err(error)) => Answer { done: None, error: Some(error) },
                Err(_) => Answer { done: None, error: Some("the daemon is stopping".to_owned()) },
            }
        }
        Ok(Ask::Status) => {
            let (reply, status) = oneshot::channel();
            drop(events.send(Event::Control(ControlOrder::Status(reply))).await);
            match status.await.map(|text| serde_json::from_str(&text)) {
                Ok(Ok(status)) => Answer { done: Some(status), error: None },
                Ok(Err(error)) => Answer { done: None, error: Some(error.to_string()) },
                Err(_) => Answer { done: None, error: Some("the daemon is stopping".to_owned()) },
            }
        }
        Ok(what @ (Ask::Pair | Ask::Tablets | Ask::Unpair(_))) => {
            let done = tokio::task::spawn_blocking(move || of_tablets(what, tablets.as_deref())).await;
            match done.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(done) => Answer { done: Some(done), error: None },
                Err(error) => Answer { done: None, error: Some(error) },
            }
        }
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}

/// What concerns tablets. Blocks.
fn of_tablets(what: Ask, tablets: Option<&Tablets>) -> Result<serde_json::Value, String> {
    let tablets = tablets.ok_or_else(|| {
        "tablets are not served: set counter.tablets to an address such as 0.0.0.0:7091".to_owned()
    })?;
    let done = match what {
        Ask::Pair => serde_json::to_value(tablets.offer().map_err(|error| error.to_string())?),
        Ask::Unpair(n) => serde_json::to_value(tablets.revoke(n).map_err(|error| error.to_string())?),
        _ => serde_json::to_value(tablets.list()),
    };
    done.map_err(|error| error.to_string())
}
