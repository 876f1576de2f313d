//! A kept-alive TLS connection of one simulated device to a centre: HTTP/1.1, one request at a time, a limit on every
//! wait.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hufu_shared::cbor;
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use minicbor::Decode;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

/// How long a connection may take to stand.
const CONNECT_LIMIT_MS: u64 = 30_000;
/// How long an exchange may take.
const EXCHANGE_LIMIT_MS: u64 = 60_000;

/// An open connection.
#[derive(Debug)]
pub struct Link {
    sender: SendRequest<Full<Bytes>>,
}

/// What the centre said.
#[derive(Debug)]
pub enum Said {
    /// What was asked for.
    Answer(Bytes),
    /// A problem document, and when to ask again.
    Problem {
        /// Its kind, where it is one of Hufu's.
        kind: Option<ProblemKind>,
        /// The document.
        problem: Problem,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
}

/// TLS of a device that trusts one root and shows one certificate, or none yet.
///
/// # Errors
/// When the TLS library refuses root, key or certificate.
pub fn tls(
    root: &CertificateDer<'static>,
    own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).context("the root certificate")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots);
    Ok(Arc::new(match own {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key)?,
        None => config.with_no_client_auth(),
    }))
}

impl Link {
    /// Connects, from a given address of this machine if one is named.
    ///
    /// # Errors
    /// When no connection stands in time.
    pub async fn open(centre: SocketAddr, tls: Arc<ClientConfig>, from: Option<IpAddr>) -> Result<Self> {
        let connecting = async {
            let socket = TcpSocket::new_v4()?;
            if let Some(from) = from {
                socket.bind(SocketAddr::new(from, 0))?;
            }
            let stream = socket.connect(centre).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::IpAddress(centre.ip().into());
            let stream = TlsConnector::from(tls).connect(name, stream).await?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok(Self { sender })
        };
        let limit = Duration::from_millis(CONNECT_LIMIT_MS);
        tokio::time::timeout(limit, connecting).await.context("no connection in time")?
    }

    /// Whether the other side has ended it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When the connection breaks or no answer comes in time.
    pub async fn get(&mut self, path: &str) -> Result<Said> {
        self.exchange("GET", path, Vec::new()).await
    }

    /// Posts a body.
    ///
    /// # Errors
    /// As [`Link::get`].
    pub async fn post(&mut self, path: &str, body: Vec<u8>) -> Result<Said> {
        self.exchange("POST", path, body).await
    }

    async fn exchange(&mut self, method: &str, path: &str, body: Vec<u8>) -> Result<Said> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "centre")
            .header("content-type", hufu_shared::wire::CBOR_TYPE)
            .body(Full::from(body))?;
        let whole = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            anyhow::Ok((parts, body.collect().await?.to_bytes()))
        };
        let limit = Duration::from_millis(EXCHANGE_LIMIT_MS);
        let (parts, body) = tokio::time::timeout(limit, whole).await.context("no answer in time")??;
        if parts.status.is_success() {
            return Ok(Said::Answer(body));
        }
        let Ok(problem) = serde_json::from_slice::<Problem>(&body) else {
            bail!("status {} without a problem document: {}", parts.status, String::from_utf8_lossy(&body));
        };
        let seconds =
            parts.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1_000));
        Ok(Said::Problem { kind: ProblemKind::of(&problem), problem, retry_after_ms })
    }
}

impl Said {
    /// The answer, read.
    ///
    /// # Errors
    /// When it is a problem, or not what was asked for.
    pub fn read<T: for<'b> Decode<'b, ()>>(self) -> Result<T> {
        match self {
            Self::Answer(bytes) => cbor::decode(&bytes).context("the centre's answer"),
            Self::Problem { problem, .. } => {
                bail!("{} {}: {}", problem.status, problem.title, problem.detail)
            }
        }
    }
}
