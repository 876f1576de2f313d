//! A centre that is played: real TCP and TLS on the loopback, answers as a test scripts them, and every way in which
//! an answer can go wrong on its way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hufu_shared::wire::problem::Problem;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_rustls::TlsAcceptor;

use super::ca::TestCa;
use crate::sync::client::ClientLimits;

/// Years in which a good certificate holds.
pub(crate) const NOW: (i32, i32) = (2020, 2100);
/// Short limits, so that a test of a silent peer takes no half minute.
pub(crate) const SHORT: ClientLimits =
    ClientLimits { connect_timeout_ms: 1_000, exchange_timeout_ms: 1_500, poll_grace_ms: 300 };

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) range_from: u64,
    pub(crate) body: Vec<u8>,
    /// The client's certificate, DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// What the played centre does about a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers 200, or 206 to a range, with these bytes.
    Bytes(Vec<u8>),
    /// Answers with a problem, and a `Retry-After` in seconds if given.
    Problem(Problem, Option<u64>),
    /// Answers with a status and no problem document.
    Status(u16, Option<u64>),
    /// Takes the request, then breaks the connection: the answer is lost.
    Lost,
    /// Announces the whole body, sends half of it and breaks the connection.
    Truncated(Vec<u8>),
    /// Takes the request and stays silent.
    Silence,
    /// Answers after so many milliseconds.
    After(u64, Vec<u8>),
}

impl Reply {
    pub(crate) fn cbor<T: minicbor::Encode<()>>(value: &T) -> Self {
        Self::Bytes(hufu_shared::cbor::encode(value))
    }
}

type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct Stage {
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
}

/// The played centre; stops when dropped.
pub(crate) struct PlayedCentre {
    pub(crate) url: String,
    stage: Arc<Stage>,
    accepting: JoinHandle<()>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Drop for PlayedCentre {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl PlayedCentre {
    /// Plays with a good certificate by `ca` for `localhost`.
    pub(crate) async fn start(ca: &TestCa, script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let (leaf, key) = ca.server("localhost", NOW);
        Self::with_chain(vec![leaf, ca.certificate.clone()], key, ca, script).await
    }

    /// Plays with any certificate; `clients` is the CA whose clients are asked for their certificate.
    pub(crate) async fn with_chain(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clients: &TestCa,
        script: impl FnMut(&Seen) -> Reply + Send + 'static,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(clients.certificate.clone()).expect("a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .expect("a verifier");
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .expect("a server certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let stage = Arc::new(Stage { script: Mutex::new(Box::new(script)), seen: Mutex::default() });
        let play = stage.clone();
        let connections: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let open = connections.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = tokio::spawn(serve(acceptor.clone(), stream, play.clone()));
                open.lock().expect("no panic before").push(serving.abort_handle());
            }
        });
        Self { url: format!("https://localhost:{port}"), stage, accepting, connections }
    }

    /// Breaks every connection; new ones are taken.
    pub(crate) fn cut(&self) {
        self.connections.lock().expect("no panic before").drain(..).for_each(|open| open.abort());
    }

    /// Breaks every connection and takes no new one.
    pub(crate) fn vanish(&self) {
        self.accepting.abort();
        self.cut();
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.stage.seen.lock().expect("no panic before").clone()
    }

    /// Requests whose path begins so.
    pub(crate) fn seen_at(&self, path: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.starts_with(path)).collect()
    }
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, stage: Arc<Stage>) {
    let Ok(mut tls) = acceptor.accept(stream).await else { return };
    let certificate =
        tls.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
    while let Some(mut seen) = request(&mut tls).await {
        seen.certificate.clone_from(&certificate);
        let reply = {
            let mut script = stage.script.lock().expect("no panic before");
            stage.seen.lock().expect("no panic before").push(seen.clone());
            script(&seen)
        };
        let (head, body) = match reply {
            Reply::Bytes(bytes) => ok(&seen, bytes),
            Reply::After(ms, bytes) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                ok(&seen, bytes)
            }
            Reply::Problem(problem, retry) => {
                let body = serde_json::to_vec(&problem).expect("plain fields");
                (head(problem.status, body.len(), retry, ""), body)
            }
            Reply::Status(status, retry) => (head(status, 5, retry, ""), b"oops\n".to_vec()),
            Reply::Lost => return,
            Reply::Truncated(bytes) => {
                let text = head(200, bytes.len(), None, "");
                let _ = tls.write_all(text.as_bytes()).await;
                let _ = tls.write_all(&bytes[..bytes.len() / 2]).await;
                let _ = tls.flush().await;
                return;
            }
            Reply::Silence => {
                std::future::pending::<()>().await;
                return;
            }
        };
        if tls.write_all(head.as_bytes()).await.is_err() || tls.write_all(&body).await.is_err() {
            return;
        }
        let _ = tls.flush().await;
    }
}

fn ok(seen: &Seen, bytes: Vec<u8>) -> (String, Vec<u8>) {
    let from = usize::try_from(seen.range_from).expect("small");
    if from == 0 {
        return (head(200, bytes.len(), None, ""), bytes);
    }
    let range = format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
    let rest = bytes[from..].to_vec();
    (head(206, rest.len(), None, &range), rest)
}

fn head(status: u16, length: usize, retry_after_s: Option<u64>, more: &str) -> String {
    let retry = retry_after_s.map(|s| format!("Retry-After: {s}\r\n")).unwrap_or_default();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{retry}{more}\r\n")
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (met, value) = line.split_once(':')?;
            met.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length = header("content-length").map_or(0, |text| text.parse().expect("a length"));
    let range =
        header("range").and_then(|text| Some(text.strip_prefix("bytes=")?.strip_suffix('-')?.to_owned()));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        path: head.split(' ').nth(1)?.to_owned(),
        range_from: range.map_or(0, |text| text.parse().expect("a number")),
        body,
        certificate: None,
    })
}
