//! One connection to a PostgreSQL server, driven by the thread that waits for it.
//!
//! A transaction is a row of short questions, each asked when the answer to the one before is known. With a task of its
//! own for the connection every question would wake two more threads, which costs more than most answers; so whoever
//! waits reads and writes the socket itself, on a runtime of one thread that the connection brings.
//!
//! Invariants: a connection that may hold an open transaction, or an answer nobody took, says so ([`Link::is_clean`])
//! and is not used again. While nobody waits, nothing is read: a farewell of the server is met at the next use.
//! Out of scope: the pool, and what a transaction is.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, Error, NoTls, Socket, Statement};

/// What a wait for an answer came to instead.
#[derive(Debug)]
pub(super) enum Missed {
    /// The server refused, or the connection broke.
    Failed(Error),
    /// Nothing came in time; the connection is of no use any more.
    TooLong,
}

/// A connection with the runtime that its socket belongs to.
pub(super) struct Link {
    /// Always there until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// None when it has ended.
    connection: RefCell<Option<Connection<Socket, NoTlsStream>>>,
    statements: RefCell<HashMap<String, Statement>>,
    is_clean: Cell<bool>,
    was_used: Cell<bool>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("is_clean", &self.is_clean).finish_non_exhaustive()
    }
}

impl Link {
    /// Connects. Blocks, and must run where that is allowed.
    ///
    /// # Errors
    /// The server's, or the network's.
    pub(super) fn connect(config: &Config) -> std::io::Result<Result<Self, Error>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(config.connect(NoTls)).map(|(client, connection)| Self {
            runtime: Some(runtime),
            client,
            connection: RefCell::new(Some(connection)),
            statements: RefCell::default(),
            is_clean: Cell::new(true),
            was_used: Cell::new(false),
        }))
    }

    /// Whether it can be used for another transaction, as far as that is known without asking.
    pub(super) fn is_clean(&self) -> bool {
        self.is_clean.get() && !self.client.is_closed()
    }

    /// Says whether a transaction may be open on it.
    pub(super) fn set_clean(&self, is_clean: bool) {
        self.is_clean.set(is_clean);
    }

    /// Whether it was used before this call.
    pub(super) fn was_used(&self) -> bool {
        self.was_used.replace(true)
    }

    /// What questions are asked through.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for an answer, at most so long.
    ///
    /// # Errors
    /// [`Missed`].
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Missed> {
        let mut work = pin!(work);
        let answered = poll_fn(|cx| {
            if let Poll::Ready(result) = work.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            self.drive(cx);
            // What has just been read may be the answer.
            work.as_mut().poll(cx)
        });
        let runtime = self.runtime.as_ref().expect("there until it is dropped");
        match runtime.block_on(async { tokio::time::timeout(limit, answered).await }) {
            Ok(result) => result.map_err(Missed::Failed),
            Err(_) => {
                self.is_clean.set(false);
                Err(Missed::TooLong)
            }
        }
    }

    /// Sends what `work` asks without waiting, and gives it back to be waited for.
    ///
    /// # Errors
    /// What `work` came to, if that is known at once.
    pub(super) fn send<'w, T>(&self, mut work: Sent<'w, T>) -> Result<Sent<'w, T>, Result<T, Error>> {
        let runtime = self.runtime.as_ref().expect("there until it is dropped");
        let _within = runtime.enter();
        let mut context = Context::from_waker(Waker::noop());
        match work.as_mut().poll(&mut context) {
            Poll::Ready(result) => Err(result),
            Poll::Pending => {
                self.drive(&mut context);
                Ok(work)
            }
        }
    }

    /// Whether a statement was prepared on this connection.
    pub(super) fn has_prepared(&self, text: &str) -> bool {
        self.statements.borrow().contains_key(text)
    }

    /// A statement, prepared once for this connection.
    ///
    /// # Errors
    /// [`Missed`].
    pub(super) fn prepared(&self, limit: Duration, text: &str) -> Result<Statement, Missed> {
        if let Some(statement) = self.statements.borrow().get(text) {
            return Ok(statement.clone());
        }
        let statement = self.wait(limit, self.client.prepare(text))?;
        self.statements.borrow_mut().insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Reads and writes what can be read and written now.
    fn drive(&self, cx: &mut Context<'_>) {
        let mut connection = self.connection.borrow_mut();
        // How it ended is told to those who wait for an answer.
        if connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(cx).is_ready()) {
            *connection = None;
        }
    }
}

/// A question on its way.
pub(super) type Sent<'w, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'w>>;

impl Drop for Link {
    fn drop(&mut self) {
        *self.connection.borrow_mut() = None;
        // A runtime may not be waited for where others run on this thread.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
