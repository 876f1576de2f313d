//! Serving the page: accepts connections with limits on their number and on how long a header may take.
//!
//! A slow or idle browser costs one task and is closed in time; a page's live stream may stay open for as long as it
//! likes. Out of scope: TLS, which comes with the pairing of tablets.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// Connections at once; further ones wait.
pub const CONNECTIONS_MAX: usize = 64;
/// Longest time until a request's header has come whole, in milliseconds.
pub const HEADER_TIMEOUT_MS: u64 = 10_000;
/// Pause after a failed accept, in milliseconds: it fails for want of file handles, which takes time to change.
const ACCEPT_PAUSE_MS: u64 = 200;

/// Serves until `stop` becomes true or is dropped. Open connections are then closed: a page notices and says so.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stopped(&mut stop) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((socket, place)) => {
                let router = router.clone();
                connections.spawn(async move {
                    connection(socket, router).await;
                    drop(place);
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

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<(TcpStream, Place)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
    listener.accept().await.map(|(socket, _)| (socket, place))
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means that nobody is left to stop us politely.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(socket: TcpStream, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let answer = router.oneshot(request.map(Body::new)).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}))
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
