//! One connection: handshake, HTTP, and the watch over both.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::accept::CutList;
use super::stall::StallGuard;
use super::{ANY_BODY_BYTES_MAX, Limits, PeerAddress, PeerCertificate, Transport, body};
use crate::ca::PeerIdentity;

/// How often a connection is looked at.
const WATCH_INTERVAL_MS: u64 = 500;
const STREAMS_MAX: u32 = 64;
/// Streams that a peer reset before we took them; more is the rapid-reset attack.
const PENDING_RESETS_MAX: usize = 20;
const LOCAL_RESETS_MAX: usize = 128;
const HEAD_BYTES_MAX: u32 = 16 * 1024;
const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
const HTTP1_HEADERS_MAX: usize = 64;
const PING_INTERVAL_S: u64 = 20;
const PING_TIMEOUT_S: u64 = 10;

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) transport: Transport,
    pub(super) app: Router,
    pub(super) limits: Limits,
    pub(super) cut: CutList,
    pub(super) stop: watch::Receiver<bool>,
}

/// One connection before its handshake.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: SocketAddr,
}

impl Connection {
    pub(super) async fn run(self, stream: TcpStream) {
        // Answers are small: waiting to fill a packet would only add delay. A failure here shows at the first read.
        let _ = stream.set_nodelay(true);
        let limits = self.shared.limits;
        let stream = StallGuard::new(stream, limits.write_stall_timeout);
        match &self.shared.transport {
            Transport::Plain => self.http(stream, None).await,
            Transport::Tls(config) => {
                let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
                let stream = match timeout(limits.handshake_timeout, handshake).await {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => {
                        return tracing::debug!(peer = %self.peer, %error, "a TLS handshake failed");
                    }
                    Err(_) => return tracing::debug!(peer = %self.peer, "a TLS handshake took too long"),
                };
                let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let certificate = shown.map(|leaf| PeerCertificate(Arc::from(leaf.as_ref())));
                self.http(stream, certificate).await;
            }
        }
    }

    async fn http<S>(self, stream: S, certificate: Option<PeerCertificate>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { shared, peer } = self;
        let identity = certificate.as_ref().and_then(|leaf| PeerIdentity::read(&leaf.0).ok());
        let activity = Arc::new(Activity::default());
        let service = {
            let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
            service_fn(move |request: Request<Incoming>| {
                let running = Running::start(&activity);
                let (shared, certificate) = (Arc::clone(&shared), certificate.clone());
                async move {
                    let answer = answer(&shared, request, peer, certificate).await;
                    // Counted until the answer's body has gone, so that a long answer is not taken for idleness.
                    Ok::<_, Infallible>(answer.map(|body| Body::new(CountedBody { body, _running: running })))
                }
            })
        };
        let builder = http_builder(&shared.limits);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut stop = shared.stop.clone();
        let mut watch = interval(Duration::from_millis(WATCH_INTERVAL_MS));
        let mut is_ending = false;
        let mut quiet_since = Instant::now();
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "a connection ended badly");
                    }
                    return;
                }
                _ = stop.wait_for(|stop| *stop), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                }
                _ = watch.tick() => {
                    if identity.as_ref().is_some_and(|identity| shared.cut.holds(&identity.key_id)) {
                        return tracing::info!(%peer, "a revoked terminal's connection was cut");
                    }
                    if activity.is_running() {
                        quiet_since = Instant::now();
                        continue;
                    }
                    let quiet = quiet_since.elapsed();
                    // Also covers the wait for the first byte, which the HTTP library does not watch.
                    if !activity.has_begun() && quiet >= shared.limits.head_timeout {
                        return tracing::debug!(%peer, "no request came in time");
                    }
                    if quiet >= shared.limits.idle_timeout && !is_ending {
                        is_ending = true;
                        connection.as_mut().graceful_shutdown();
                    } else if quiet >= shared.limits.idle_timeout + shared.limits.head_timeout {
                        return;
                    }
                }
            }
        }
    }
}

fn http_builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX)
        .max_headers(HTTP1_HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
        .max_local_error_reset_streams(LOCAL_RESETS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(Duration::from_secs(PING_INTERVAL_S))
        .keep_alive_timeout(Duration::from_secs(PING_TIMEOUT_S));
    builder
}

async fn answer(
    shared: &Shared,
    request: Request<Incoming>,
    peer: SocketAddr,
    certificate: Option<PeerCertificate>,
) -> Response<Body> {
    if let Err(status) = check_head(&request) {
        let mut refusal = Response::new(Body::empty());
        *refusal.status_mut() = status;
        if request.version() < Version::HTTP_2 {
            refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        return refusal;
    }
    let mut request = request.map(|incoming| Body::new(body::guarded(incoming, &shared.limits)));
    request.extensions_mut().insert(PeerAddress(peer));
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(certificate);
    }
    match shared.app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Heads that two servers in a row could read differently, and bodies that no route takes. The HTTP library itself
/// refuses two lengths and odd transfer encodings, and ignores a length beside a chunked body.
fn check_head(request: &Request<Incoming>) -> Result<(), StatusCode> {
    let headers = request.headers();
    let is_http1 = request.version() < Version::HTTP_2;
    if is_http1 {
        let hosts = headers.get_all(HOST).iter().count();
        // Hufu is no proxy: an absolute address in the request line is meant for somebody else.
        if hosts > 1 || request.uri().authority().is_some() {
            return Err(StatusCode::BAD_REQUEST);
        }
    }
    let announced = request.body().size_hint().lower();
    if announced > ANY_BODY_BYTES_MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(())
}

/// What a connection is doing.
#[derive(Debug, Default)]
struct Activity {
    running: AtomicUsize,
    begun: AtomicUsize,
}

impl Activity {
    fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
    }
}

/// Counts one request while it lives.
struct Running(Arc<Activity>);

impl Running {
    fn start(activity: &Arc<Activity>) -> Self {
        activity.begun.fetch_add(1, Ordering::Relaxed);
        activity.running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

struct CountedBody {
    body: Body,
    _running: Running,
}

impl hyper::body::Body for CountedBody {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, axum::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
