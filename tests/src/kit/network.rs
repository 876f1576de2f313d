//! A breakable cable between a terminal and central: a TCP relay that a test can cut, and that can swallow an answer
//! after the request has arrived (the cut that makes a client send again what the server already has).
//!
//! It sees bytes only, so it works through TLS. Out of scope: slow and garbling networks.

use anyhow::{Context as _, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

const BUFFER_BYTES: usize = 16 * 1024;
/// How long a request whose answer is to be lost may take to arrive and be answered.
const SWALLOW_MS: u64 = 2_000;

/// What the cable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// No connection lives, new ones are closed at once.
    Cut,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    state: watch::Sender<State>,
    /// How many answers are still to be lost.
    to_lose: AtomicU64,
    /// A request of so many bytes loses its answer, and the cable is cut; 0 for none.
    to_lose_of_bytes: AtomicU64,
    lost: AtomicU64,
    target: Mutex<SocketAddr>,
}

/// The relay; gone on drop.
#[derive(Debug)]
pub struct Cable {
    port: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    worker: Option<std::thread::JoinHandle<()>>,
}

impl Cable {
    /// Starts relaying a free port of 127.0.0.1 to `target`.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn plug_in(target: SocketAddr) -> Result<Self> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
        listener.set_nonblocking(true).context("failed to prepare the relay")?;
        let port = listener.local_addr().context("failed to read the relay's port")?.port();
        let (state, _) = watch::channel(State::Whole);
        let shared = Arc::new(Shared {
            state,
            to_lose: AtomicU64::new(0),
            to_lose_of_bytes: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            target: Mutex::new(target),
        });
        let (stop, stopped) = oneshot::channel();
        let for_worker = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let worker = std::thread::Builder::new()
            .name("cable".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, for_worker) => {}
                        _ = stopped => {}
                    }
                });
            })
            .context("failed to start the relay's thread")?;
        Ok(Self { port, shared, stop: Some(stop), worker: Some(worker) })
    }

    /// The port to connect to instead of the target's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts it: every connection ends now, new ones end at once.
    pub fn cut(&self) {
        self.shared.state.send_replace(State::Cut);
    }

    /// Mends it.
    pub fn mend(&self) {
        self.shared.state.send_replace(State::Whole);
    }

    /// Loses the next `count` answers: the request goes through, the connection ends when the answer comes.
    pub fn lose_answers(&self, count: u64) {
        self.shared.to_lose.store(count, Ordering::SeqCst);
    }

    /// Loses the answer to the next request of at least `bytes` bytes (a batch of facts, never a handshake): the whole
    /// request goes through, no answer comes back, then the cable is cut until it is mended.
    pub fn lose_answer_to_request_of(&self, bytes: u64) {
        self.shared.to_lose_of_bytes.store(bytes, Ordering::SeqCst);
    }

    /// How many answers were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Leads new connections elsewhere (central came back on another port).
    pub fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.worker.take().is_some_and(|worker| worker.join().is_err()) {
            eprintln!("the relay's thread panicked");
        }
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return eprintln!("failed to start the relay: {error}"),
    };
    loop {
        // A client that gave up in the queue is no reason to stop.
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(relay(client, Arc::clone(&shared)));
    }
}

/// One connection; ends by dropping both sides, whatever the reason.
async fn relay(mut client: TcpStream, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    if *state.borrow() == State::Cut {
        return;
    }
    let target = *shared.target.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let (mut from_client, mut from_server) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    // Only an answer to something that was sent after the order counts, not the rest of an earlier one.
    let mut asked = false;
    let mut asked_bytes = 0;
    loop {
        tokio::select! {
            changed = state.changed() => {
                if changed.is_err() || *state.borrow() == State::Cut {
                    return;
                }
            }
            got = client.read(&mut from_client) => {
                let Ok(count @ 1..) = got else { return };
                asked = shared.to_lose.load(Ordering::SeqCst) > 0;
                if server.write_all(&from_client[..count]).await.is_err() {
                    return;
                }
                let limit = shared.to_lose_of_bytes.load(Ordering::SeqCst);
                asked_bytes = if limit == 0 { 0 } else { asked_bytes + count as u64 };
                if limit > 0 && asked_bytes >= limit {
                    swallow(&mut client, &mut server, &shared).await;
                    return;
                }
            }
            got = server.read(&mut from_server) => {
                let Ok(count @ 1..) = got else { return };
                if asked && lose_one(&shared) {
                    return;
                }
                if client.write_all(&from_server[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Carries the rest of a request and none of its answer, then cuts the cable.
async fn swallow(client: &mut TcpStream, server: &mut TcpStream, shared: &Shared) {
    shared.to_lose_of_bytes.store(0, Ordering::SeqCst);
    let (mut from_client, mut from_server) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    let rest = async {
        loop {
            tokio::select! {
                got = client.read(&mut from_client) => {
                    let Ok(count @ 1..) = got else { return };
                    if server.write_all(&from_client[..count]).await.is_err() {
                        return;
                    }
                }
                got = server.read(&mut from_server) => {
                    let Ok(1..) = got else { return };
                }
            }
        }
    };
    // Running into the limit is how it ends: a client waits for its answer much longer.
    let _ = tokio::time::timeout(Duration::from_millis(SWALLOW_MS), rest).await;
    shared.state.send_replace(State::Cut);
    shared.lost.fetch_add(1, Ordering::SeqCst);
}

fn lose_one(shared: &Shared) -> bool {
    let taken = shared.to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if taken.is_ok() {
        shared.lost.fetch_add(1, Ordering::SeqCst);
    }
    taken.is_ok()
}
