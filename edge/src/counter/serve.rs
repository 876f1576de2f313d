//! Serving the page: accepts connections with limits on their number and on how long a request may take to come.
//!
//! A slow or idle browser costs one task and is closed in time, also one that never ends its body; a page's live stream
//! is an answer, not a request, and may stay open for as long as it likes. Over the network there is TLS only, and one
//! address cannot take all places. Out of scope: who may see the page ([`super::tablets`]).

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// Connections at once; further ones wait.
pub const CONNECTIONS_MAX: usize = 64;
/// Longest time until a request's header has come whole, in milliseconds.
pub const HEADER_TIMEOUT_MS: u64 = 10_000;
/// Longest time from a request's header to the head of its answer, in milliseconds: what is left is its body.
pub const REQUEST_TIMEOUT_MS: u64 = 10_000;
/// Connections of one address of the network at once; further ones are closed.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 24;
/// Longest time for a TLS handshake, in milliseconds.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 5_000;
/// Pause after a failed accept, in milliseconds: it fails for want of file handles, which takes time to change.
const ACCEPT_PAUSE_MS: u64 = 200;

/// Serves until `stop` becomes true or is dropped. Open connections are then closed: a page notices and says so.
pub async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    let limits = Limits::default();
    serve_within(listener, (router, None), stop, limits).await;
}

/// As [`serve`], over TLS only, to the network.
pub async fn serve_tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    serve_within(listener, (router, Some(acceptor)), stop, Limits::default()).await;
}

/// How long things may take.
#[derive(Clone, Copy)]
struct Limits {
    handshake: Duration,
    request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_millis(HANDSHAKE_TIMEOUT_MS),
            request: Duration::from_millis(REQUEST_TIMEOUT_MS),
        }
    }
}

async fn serve_within(
    listener: TcpListener,
    (router, acceptor): (Router, Option<TlsAcceptor>),
    mut stop: watch::Receiver<bool>,
    limits: Limits,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let guests = Guests::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stopped(&mut stop) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((socket, from, place)) => {
                // The board's own screen is one address and may take what it needs.
                let Some(guest) = guests.enter(from, acceptor.is_some()) else { continue };
                let (router, acceptor) = (router.clone(), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        None => connection(socket, router, limits.request).await,
                        Some(acceptor) => {
                            if let Some(socket) = shake_hands(&acceptor, socket, limits.handshake).await {
                                connection(socket, router, limits.request).await;
                            }
                        }
                    }
                    drop((guest, place));
                });
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection to the counter page");
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
    connections.shutdown().await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, IpAddr, Place)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    listener.accept().await.map(|(socket, from)| (socket, from.ip(), place))
}

/// How many connections each address has.
#[derive(Clone, Default)]
struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
struct Guest {
    guests: Guests,
    from: IpAddr,
}

impl Guests {
    fn enter(&self, from: IpAddr, is_bounded: bool) -> Option<Guest> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(from).or_default();
        if is_bounded && *count >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(Guest { guests: self.clone(), from })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut all = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.from);
            }
        }
    }
}

async fn shake_hands(
    acceptor: &TlsAcceptor,
    socket: TcpStream,
    limit: Duration,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    match tokio::time::timeout(limit, acceptor.accept(socket)).await {
        Ok(Ok(socket)) => Some(socket),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a tablet did not agree on TLS");
            None
        }
        Err(_) => None,
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means that nobody is left to stop us politely.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    request_limit: Duration,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let answer = tokio::time::timeout(request_limit, router.oneshot(request.map(Body::new))).await;
            Ok::<_, Infallible>(match answer {
                Ok(answer) => answer.unwrap_or_else(|never| match never {}),
                Err(_) => too_slow(),
            })
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEADER_TIMEOUT_MS))
        .serve_connection(TokioIo::new(socket), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the counter page ended badly");
    }
}

/// The rest of the request is not waited for: the connection ends with the answer.
fn too_slow() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LIMIT: Duration = Duration::from_millis(300);

    async fn said(socket: &mut TcpStream, words: &str) {
        socket.write_all(words.as_bytes()).await.expect("sent");
    }

    async fn heard(socket: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let read = socket.read_to_end(&mut bytes);
        tokio::time::timeout(Duration::from_secs(10), read).await.expect("in time").expect("read");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn case_53_half_sent_requests_on_every_place_are_closed_and_the_page_goes_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        // Longer than the limit, as the live stream.
        let live = async || {
            Body::from_stream(futures_util::stream::unfold(0, async |n: usize| {
                tokio::time::sleep(LIMIT).await;
                let piece = ["one", "two", "three"].get(n)?;
                Some((Ok::<_, Infallible>(*piece), n + 1))
            }))
        };
        let router = Router::new()
            .route("/live", get(live))
            .route("/earn", post(async |body: String| body))
            .route("/", get(async || "the page"));
        let (stop, stops) = watch::channel(false);
        let serving = {
            let limits = Limits { request: LIMIT, ..Limits::default() };
            tokio::spawn(serve_within(listener, (router, None), stops, limits))
        };

        let mut stream = TcpStream::connect(address).await.expect("connected");
        said(&mut stream, "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let mut halves = Vec::new();
        for _ in 1..CONNECTIONS_MAX {
            let mut socket = TcpStream::connect(address).await.expect("connected");
            said(&mut socket, "POST /earn HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf").await;
            halves.push(socket);
        }
        let mut page = TcpStream::connect(address).await.expect("connected");
        said(&mut page, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(heard(&mut page).await.ends_with("the page"), "the page is served again");
        for mut half in halves {
            assert!(heard(&mut half).await.starts_with("HTTP/1.1 408 "), "told and closed");
        }
        assert!(heard(&mut stream).await.contains("three"), "the stream went on");
        stop.send(true).expect("serving");
        tokio::time::timeout(Duration::from_secs(10), serving).await.expect("in time").expect("stopped");
    }
}
