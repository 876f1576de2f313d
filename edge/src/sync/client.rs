//! The terminal's HTTP client: only the club's CA, TLS 1.3, a time limit on every request, a size limit on every
//! answer, and errors that tell a bad line from a wrong centre.
//!
//! One try per call: the only retry layer is [`crate::rules::backoff`]. HTTP/1.1 on purpose: the long poll and the
//! uploads get connections of their own and cannot hold each other up. Out of scope: what is said.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http;
use bytes::Bytes;
use hufu_shared::cbor::{self, WireError};
use hufu_shared::wire::CBOR_TYPE;
use hufu_shared::wire::problem::Problem;
use minicbor::Decode;
use reqwest::header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, RANGE, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::pair::Pair;
use super::pipe::Pipe;
use super::trust::{CertificateTime, ClubVerifier};
use crate::rules::backoff::Wish;

/// Milliseconds for a TCP and TLS connection to stand.
pub const CONNECT_TIMEOUT_MS: u64 = 8_000;
/// Milliseconds for a whole exchange, and for the pause between two pieces of a large download. Below the 30 s within
/// which a half-open connection must be found (fault case 35).
pub const EXCHANGE_TIMEOUT_MS: u64 = 28_000;
/// Milliseconds that a long poll may take beyond what the centre was asked to hold it.
pub const POLL_GRACE_MS: u64 = 5_000;
/// Milliseconds after which data that nobody confirmed breaks the connection.
const UNCONFIRMED_TIMEOUT_MS: u64 = 20_000;
/// Milliseconds after which an idle connection is closed.
const IDLE_TIMEOUT_MS: u64 = 60_000;
/// Bytes of a problem document that are read at most.
const PROBLEM_BYTES_MAX: usize = 16 * 1024;

/// Time limits of a client, so that tests need not wait for the real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// For a connection to stand.
    pub connect_timeout_ms: u64,
    /// For a whole exchange.
    pub exchange_timeout_ms: u64,
    /// Beyond the wait of a long poll.
    pub poll_grace_ms: u64,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            exchange_timeout_ms: EXCHANGE_TIMEOUT_MS,
            poll_grace_ms: POLL_GRACE_MS,
        }
    }
}

/// An exchange with the centre did not give the expected answer.
#[derive(Debug, thiserror::Error)]
pub enum CentreError {
    /// The address cannot be the centre's.
    #[error("the centre's address expected as https://host:port, met {met:?}")]
    Url {
        /// The address met.
        met: String,
    },
    /// The keys cannot be used for TLS.
    #[error("TLS cannot be set up: {reason}")]
    Setup {
        /// Why.
        reason: String,
    },
    /// Whoever answered is not the centre of this club (fault cases 38, 41, 42).
    #[error("whoever answers at {url} is not this club's centre: {reason}")]
    NotTheCentre {
        /// Where.
        url: String,
        /// What does not fit.
        reason: String,
    },
    /// The centre does not take this terminal's certificate.
    #[error("the centre closed the connection: {alert}")]
    NotAccepted {
        /// TLS's words.
        alert: String,
    },
    /// No connection, or it broke.
    #[error("the centre cannot be reached: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// No answer in time.
    #[error("the centre did not answer within {after_ms} ms")]
    TimedOut {
        /// How long was waited.
        after_ms: u64,
    },
    /// The centre says what is wrong.
    #[error("{} {}: {}", problem.status, problem.title, problem.detail)]
    Problem {
        /// Its words.
        problem: Box<Problem>,
        /// When it wants to be asked again, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// An error without a problem document: something in between, or a centre in trouble.
    #[error("status {status} without a problem document")]
    Status {
        /// The status.
        status: u16,
        /// When it wants to be asked again, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The answer is larger than agreed.
    #[error("answer expected within {at_most} bytes, met more")]
    TooLarge {
        /// The limit.
        at_most: usize,
    },
    /// The answer is not what was asked for.
    #[error("the centre's answer: {0}")]
    Wire(#[from] WireError),
}

impl CentreError {
    /// When to ask again, as the answer says.
    #[must_use]
    pub fn wish(&self) -> Wish {
        match self {
            Self::Problem { retry_after_ms: Some(ms), .. } => Wish::ByTheCentre(*ms),
            Self::Status { retry_after_ms: Some(ms), .. } => Wish::BySomebody(*ms),
            _ => Wish::Nothing,
        }
    }

    /// Whether the centre itself answered, however badly: then the terminal is not offline.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Problem { .. } | Self::TooLarge { .. } | Self::Wire(_))
    }
}

/// A connection to the centre.
#[derive(Debug, Clone)]
pub struct Centre {
    line: Line,
    base: String,
    limits: ClientLimits,
}

/// What carries the exchanges.
#[derive(Debug, Clone)]
enum Line {
    Http(reqwest::Client),
    Pipe(Pipe),
}

/// A request before it is known what carries it.
struct Asked<'a> {
    path: &'a str,
    /// A CBOR body to post; none to get.
    body: Option<Vec<u8>>,
    /// First byte wanted of a large answer.
    from: u64,
}

impl Centre {
    /// A client for the centre at `url`.
    ///
    /// # Errors
    /// [`CentreError::Url`] for anything but `https://host[:port]`, [`CentreError::Setup`] from the TLS library.
    pub fn new(url: &str, tls: ClientConfig, limits: ClientLimits) -> Result<Self, CentreError> {
        let base = url.trim().trim_end_matches('/').to_owned();
        let parsed = reqwest::Url::parse(&base).ok();
        let is_centre = parsed.is_some_and(|url| {
            url.scheme() == "https" && url.host().is_some() && url.path() == "/" && url.query().is_none()
        });
        if !is_centre {
            return Err(CentreError::Url { met: url.to_owned() });
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(limits.connect_timeout_ms))
            .tcp_nodelay(true)
            .tcp_user_timeout(Duration::from_millis(UNCONFIRMED_TIMEOUT_MS))
            .pool_idle_timeout(Duration::from_millis(IDLE_TIMEOUT_MS))
            .build()
            .map_err(|error| CentreError::Setup { reason: words(&error) })?;
        Ok(Self { line: Line::Http(http), base, limits })
    }

    /// A client whose exchanges somebody else carries, who also keeps the time limits.
    #[must_use]
    pub fn piped(pipe: Pipe) -> Self {
        Self { line: Line::Pipe(pipe), base: String::new(), limits: ClientLimits::default() }
    }

    /// The time limits.
    #[must_use]
    pub fn limits(&self) -> ClientLimits {
        self.limits
    }

    /// Posts a CBOR body and reads a CBOR answer of at most `answer_max` bytes.
    ///
    /// # Errors
    /// [`CentreError`].
    pub async fn post<T: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        body: Vec<u8>,
        answer_max: usize,
    ) -> Result<T, CentreError> {
        let asked = Asked { path, body: Some(body), from: 0 };
        self.exchange(asked, answer_max, self.limits.exchange_timeout_ms).await
    }

    /// Gets a CBOR answer of at most `answer_max` bytes. `hold_ms` is how long the centre was asked to hold it.
    ///
    /// # Errors
    /// [`CentreError`].
    pub async fn get<T: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        answer_max: usize,
        hold_ms: u64,
    ) -> Result<T, CentreError> {
        let within =
            if hold_ms > 0 { hold_ms + self.limits.poll_grace_ms } else { self.limits.exchange_timeout_ms };
        self.exchange(Asked { path, body: None, from: 0 }, answer_max, within).await
    }

    /// Begins a download at byte `from`. The centre may begin at 0 all the same; [`Download::start`] says.
    ///
    /// # Errors
    /// [`CentreError`].
    pub async fn download(&self, path: &str, from: u64) -> Result<Download<'_>, CentreError> {
        let sent = self.within(self.limits.exchange_timeout_ms, self.send(Asked { path, body: None, from }));
        let response = self.checked(sent.await??).await?;
        let start = match response.status() {
            StatusCode::PARTIAL_CONTENT => range_start(&response).unwrap_or(0),
            _ => 0,
        };
        Ok(Download { centre: self, response, start })
    }

    async fn exchange<T: for<'b> Decode<'b, ()>>(
        &self,
        asked: Asked<'_>,
        answer_max: usize,
        within_ms: u64,
    ) -> Result<T, CentreError> {
        let whole = async {
            let response = self.checked(self.send(asked).await?).await?;
            self.body(response, answer_max).await
        };
        Ok(cbor::decode(&self.within(within_ms, whole).await??)?)
    }

    async fn send(&self, asked: Asked<'_>) -> Result<Response, CentreError> {
        let uri = format!("{}{}", self.base, asked.path);
        let method = if asked.body.is_some() { http::Method::POST } else { http::Method::GET };
        let mut request = http::Request::new(asked.body.unwrap_or_default());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, http::HeaderValue::from_static(CBOR_TYPE));
        if method == http::Method::POST {
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(CBOR_TYPE));
        }
        if asked.from > 0 {
            let range = http::HeaderValue::try_from(format!("bytes={}-", asked.from));
            headers.insert(RANGE, range.expect("digits make a header"));
        }
        *request.method_mut() = method;
        let wrong = |reason: String| CentreError::Unreachable { reason };
        *request.uri_mut() = uri.parse().map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
        match &self.line {
            Line::Pipe(pipe) => pipe.ask(request).await.map(Response::from),
            Line::Http(client) => {
                let request = request.try_into().map_err(|error| self.explain(&error))?;
                client.execute(request).await.map_err(|error| self.explain(&error))
            }
        }
    }

    /// Waits no longer than agreed; who carries a pipe keeps its time.
    async fn within<F: Future>(&self, within_ms: u64, future: F) -> Result<F::Output, CentreError> {
        match &self.line {
            Line::Http(_) => timeout(within_ms, future).await,
            Line::Pipe(_) => Ok(future.await),
        }
    }

    /// Turns an answer that is no success into an error.
    async fn checked(&self, response: Response) -> Result<Response, CentreError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked_ms =
            header.and_then(|text| text.trim().parse::<u64>().ok()).map(|s| s.saturating_mul(1_000));
        let body = self.body(response, PROBLEM_BYTES_MAX).await.unwrap_or_default();
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => {
                let retry_after_ms = problem.retry_after_ms.map(u64::from).or(asked_ms);
                CentreError::Problem { problem: Box::new(problem), retry_after_ms }
            }
            Err(_) => CentreError::Status { status: status.as_u16(), retry_after_ms: asked_ms },
        })
    }

    async fn body(&self, mut response: Response, at_most: usize) -> Result<Vec<u8>, CentreError> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.explain(&error))? {
            if body.len() + piece.len() > at_most {
                return Err(CentreError::TooLarge { at_most });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn explain(&self, error: &reqwest::Error) -> CentreError {
        match tls_error(error) {
            Some(rustls::Error::AlertReceived(alert)) => {
                CentreError::NotAccepted { alert: format!("TLS alert {alert:?}") }
            }
            Some(met) => CentreError::NotTheCentre { url: self.base.clone(), reason: trust_words(met) },
            None if error.is_timeout() => CentreError::TimedOut { after_ms: self.limits.connect_timeout_ms },
            None => CentreError::Unreachable { reason: words(error) },
        }
    }
}

/// The way to the centre as it stands: replaced as a whole when certificates are renewed.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The connection.
    pub centre: Centre,
    /// The pair that it shows, which also signs batches.
    pub pair: Pair,
}

impl Channel {
    /// To the centre at `url`, trusting `root` only and showing `pair`.
    ///
    /// # Errors
    /// [`CentreError::Url`] or [`CentreError::Setup`].
    pub fn new(
        url: &str,
        root: &CertificateDer<'static>,
        pair: &Pair,
        time: Arc<dyn CertificateTime>,
        limits: ClientLimits,
    ) -> Result<Self, CentreError> {
        Ok(Self { centre: Centre::new(url, tls_config(root, pair, time)?, limits)?, pair: pair.clone() })
    }
}

/// A body on its way, read piece by piece.
#[derive(Debug)]
pub struct Download<'a> {
    centre: &'a Centre,
    response: Response,
    /// The byte at which it begins.
    pub start: u64,
}

impl Download<'_> {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// [`CentreError`] if the line breaks or stalls.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CentreError> {
        let within = self.centre.limits.exchange_timeout_ms;
        let piece = self.centre.within(within, self.response.chunk()).await?;
        piece.map_err(|error| self.centre.explain(&error))
    }
}

/// TLS with one root and, once enrolled, this terminal's certificate. `time` is asked instead of the system's clock,
/// which may stand at 1970, and says how far it is to be believed.
///
/// # Errors
/// [`CentreError::Setup`] if the root or the pair cannot be used.
pub fn tls_config(
    root: &CertificateDer<'static>,
    pair: &Pair,
    time: Arc<dyn CertificateTime>,
) -> Result<ClientConfig, CentreError> {
    let setup = |error: rustls::Error| CentreError::Setup { reason: error.to_string() };
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).map_err(setup)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| CentreError::Setup { reason: error.to_string() })?;
    let verifier = Arc::new(ClubVerifier { inner, time: Arc::clone(&time) });
    let config = ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    config.with_client_auth_cert(vec![pair.certificate().clone()], pair.private_key()).map_err(setup)
}

/// TLS before enrolment: no certificate of our own, and a verifier that knows the CA by its fingerprint only.
///
/// # Errors
/// [`CentreError::Setup`] from the TLS library.
pub(super) fn tls_config_for_enrolment(
    verifier: Arc<dyn ServerCertVerifier>,
    time: Arc<dyn CertificateTime>,
) -> Result<ClientConfig, CentreError> {
    let config = ClientConfig::builder_with_details(Arc::new(rustls::crypto::ring::default_provider()), time)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| CentreError::Setup { reason: error.to_string() })?;
    Ok(config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

async fn timeout<F: Future>(within_ms: u64, future: F) -> Result<F::Output, CentreError> {
    let within = Duration::from_millis(within_ms);
    tokio::time::timeout(within, future).await.map_err(|_| CentreError::TimedOut { after_ms: within_ms })
}

/// Where a `Content-Range: bytes 100-199/200` begins.
fn range_start(response: &Response) -> Option<u64> {
    let text = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    text.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// The TLS library's error inside an HTTP error. It hides in I/O errors, whose `source` passes it over.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let inside = inside.and_then(|inner| tls_error(inner));
    inside.or_else(|| error.source().and_then(tls_error))
}

fn trust_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(met) => match met {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is by another CA than the one this terminal was enrolled with".to_owned()
            }
            other => format!("its certificate: {other}"),
        },
        rustls::Error::General(words) => words.clone(),
        other => other.to_string(),
    }
}

/// The causes of an error: the HTTP client's own outermost words name only the address, which the reader knows.
fn words(error: &reqwest::Error) -> String {
    let Some(first) = error.source() else { return error.to_string() };
    let mut text = first.to_string();
    let mut cause = first.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
