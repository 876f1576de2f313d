//! The ports, with real sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use hufu_shared::ids::{ClubId, DeviceId};
use hufu_shared::time::{DAY_US, Instant as Moment};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::ca::{Authority, PeerIdentity};
use crate::clock::{Clock, SystemClock};

mod http2;

const DEVICE: DeviceId = DeviceId([9; 16]);
/// No wait in these tests is longer.
const TEST_LIMIT: Duration = Duration::from_secs(25);

#[expect(clippy::disallowed_methods, reason = "tests measure how long a peer was tolerated")]
fn clock() -> Instant {
    Instant::now()
}

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    cut: CutList,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(transport: Transport, limits: Limits) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap(), &transport).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let cut = CutList::default();
        let task = tokio::spawn(serve(listener, transport, app(), limits, cut.clone(), stopped));
        Self { address, stop, cut, task }
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        timeout(TEST_LIMIT, self.task).await.unwrap().unwrap();
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One plain request over a new connection; the status line, or how it failed.
    async fn get(&self, path: &str) -> std::io::Result<String> {
        exchange(
            self.connect().await,
            &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await
    }
}

static SLOW_DONE: AtomicUsize = AtomicUsize::new(0);

fn app() -> Router {
    let who = |request: axum::extract::Request| async move {
        assert!(request.extensions().get::<PeerAddress>().is_some());
        let leaf = request.extensions().get::<PeerCertificate>();
        leaf.map_or("nobody".to_owned(), |leaf| PeerIdentity::read(&leaf.0).unwrap().device.to_string())
    };
    let length = |body: bytes::Bytes| async move { body.len().to_string() };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        SLOW_DONE.fetch_add(1, Ordering::SeqCst);
        "done"
    };
    let big = || async { vec![b'x'; 64 * 1024 * 1024] };
    Router::new()
        .route("/who", get(who))
        .route("/length", post(length))
        .route("/long", post(length).layer(DefaultBodyLimit::max(4 * 1024 * 1024)))
        .route("/slow", get(slow))
        .route("/big", get(big))
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &str,
) -> std::io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let read =
        timeout(TEST_LIMIT, stream.read_to_end(&mut answer)).await.expect("the server answers or closes");
    if answer.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Waits until the server closes; how long that took.
async fn until_closed<S: AsyncRead + Unpin>(stream: &mut S) -> Duration {
    let start = clock();
    let mut rest = Vec::new();
    // A reset is a way of closing too.
    let _ = timeout(TEST_LIMIT, stream.read_to_end(&mut rest)).await.expect("the server closes in time");
    start.elapsed()
}

// ---- certificates ----

struct Club {
    _folder: tempfile::TempDir,
    authority: Authority,
}

impl Club {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority =
            Authority::create(&folder.path().join("keys"), ClubId([1; 16]), SystemClock.now()).unwrap();
        Self { _folder: folder, authority }
    }

    fn identity(&self) -> Arc<SwappableIdentity> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        SwappableIdentity::new(self.authority.server_identity(&names, SystemClock.now()).unwrap()).unwrap()
    }

    fn device_port(&self) -> Transport {
        Transport::Tls(device_config(&[self.authority.certificate().clone()], self.identity()).unwrap())
    }

    /// A terminal's certificate and key, given `now`.
    fn terminal(&self, now: Moment) -> (Vec<u8>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        let leaf = self.authority.issue_device(request.der(), DEVICE, now).unwrap();
        (leaf, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        shown: Option<(Vec<u8>, PrivateKeyDer<'static>)>,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = config.with_root_certificates(roots);
        let config = match shown {
            Some((leaf, key)) => config.with_client_auth_cert(vec![CertificateDer::from(leaf)], key).unwrap(),
            None => config.with_no_client_auth(),
        };
        TlsConnector::from(Arc::new(config))
    }
}

async fn tls(server: &Server, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    connector.connect(ServerName::try_from("localhost").unwrap(), server.connect().await).await
}

/// TLS 1.3 tells a client of a refused certificate only after its handshake: so ask something.
async fn ask_who(server: &Server, connector: &TlsConnector) -> std::io::Result<String> {
    let stream = tls(server, connector).await?;
    let answer = exchange(stream, "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
    Ok(answer.rsplit("\r\n").next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_terminal_is_known_by_its_certificate_and_enrolment_needs_none() {
    let club = Club::new();
    let server = Server::start(club.device_port(), Limits::default()).await;
    let nobody = ask_who(&server, &club.client(&[&TLS13], None)).await.unwrap();
    assert_eq!(nobody, "nobody");
    let known = club.client(&[&TLS13], Some(club.terminal(SystemClock.now())));
    assert_eq!(ask_who(&server, &known).await.unwrap(), DEVICE.to_string());
    server.stop().await;
}

#[tokio::test]
async fn case_45_a_certificate_of_another_ca_is_refused() {
    let (club, foreign) = (Club::new(), Club::new());
    let server = Server::start(club.device_port(), Limits::default()).await;
    let stranger = club.client(&[&TLS13], Some(foreign.terminal(SystemClock.now())));
    assert!(ask_who(&server, &stranger).await.is_err());
    // Signed by itself.
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
    let own = club.client(&[&TLS13], Some((leaf, PrivateKeyDer::try_from(key.serialize_der()).unwrap())));
    assert!(ask_who(&server, &own).await.is_err());
    // A counter page's certificate is not one for the centre.
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    let names = ["counter.local".to_owned()];
    let counter =
        club.authority.issue_counter(request.der(), DEVICE, &names, &[], SystemClock.now()).unwrap();
    let counter =
        club.client(&[&TLS13], Some((counter, PrivateKeyDer::try_from(key.serialize_der()).unwrap())));
    assert!(ask_who(&server, &counter).await.is_err());
    // The server goes on.
    assert_eq!(ask_who(&server, &club.client(&[&TLS13], None)).await.unwrap(), "nobody");
    server.stop().await;
}

#[tokio::test]
async fn case_42_a_server_of_another_ca_is_not_trusted() {
    let (club, foreign) = (Club::new(), Club::new());
    let server = Server::start(foreign.device_port(), Limits::default()).await;
    let error = tls(&server, &club.client(&[&TLS13], None)).await.unwrap_err();
    assert!(
        error.to_string().contains("UnknownIssuer") || error.to_string().contains("BadSignature"),
        "{error}"
    );
    server.stop().await;
}

#[tokio::test]
async fn case_43_an_expired_certificate_connects_for_180_days_and_says_so() {
    let club = Club::new();
    let server = Server::start(club.device_port(), Limits::default()).await;
    let now = SystemClock.now();
    for (issued_days_ago, is_let_in) in [(31, true), (209, true), (212, false)] {
        let (leaf, key) = club.terminal(now.offset(-issued_days_ago * DAY_US));
        assert!(PeerIdentity::read(&leaf).unwrap().is_expired(now));
        let answer = ask_who(&server, &club.client(&[&TLS13], Some((leaf, key)))).await;
        assert_eq!(answer.is_ok(), is_let_in, "{issued_days_ago} days: {answer:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn goal_g32_the_device_port_refuses_tls_12_and_plain_http() {
    let club = Club::new();
    let server = Server::start(club.device_port(), Limits::default()).await;
    assert!(tls(&server, &club.client(&[&TLS12], None)).await.is_err());
    let plain = server.get("/who").await;
    assert!(plain.as_ref().is_err() || !plain.as_ref().unwrap().starts_with("HTTP/"), "{plain:?}");
    server.stop().await;
    // The console takes both versions.
    let server =
        Server::start(Transport::Tls(console_config(club.identity()).unwrap()), Limits::default()).await;
    for version in [&TLS12, &TLS13] {
        assert_eq!(ask_who(&server, &club.client(&[version], None)).await.unwrap(), "nobody");
    }
    server.stop().await;
}

#[tokio::test]
async fn plain_http_is_for_loopback_only() {
    let error = bind("0.0.0.0:0".parse().unwrap(), &Transport::Plain).await.unwrap_err();
    assert!(matches!(error, NetError::PlainBeyondLoopback { .. }), "{error}");
}

#[tokio::test]
async fn goal_g19_a_cut_terminal_loses_its_open_connection() {
    let club = Club::new();
    let server = Server::start(club.device_port(), Limits::default()).await;
    let (leaf, key) = club.terminal(SystemClock.now());
    let key_id = PeerIdentity::read(&leaf).unwrap().key_id;
    let mut stream = tls(&server, &club.client(&[&TLS13], Some((leaf, key)))).await.unwrap();
    stream.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
    server.cut.cut(key_id);
    let took = until_closed(&mut stream).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_renewed_server_certificate_is_used_without_a_restart() {
    let club = Club::new();
    let identity = club.identity();
    let config = device_config(&[club.authority.certificate().clone()], Arc::clone(&identity)).unwrap();
    let server = Server::start(Transport::Tls(config), Limits::default()).await;
    let client = club.client(&[&TLS13], None);
    let leaf = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let before = leaf(&tls(&server, &client).await.unwrap());
    let names = ["localhost".to_owned()];
    identity.replace(club.authority.server_identity(&names, SystemClock.now()).unwrap()).unwrap();
    assert_ne!(leaf(&tls(&server, &client).await.unwrap()), before);
    server.stop().await;
}

// ---- limits ----

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_50_a_gibibyte_is_refused_and_memory_stays_flat() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let head = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n";
    let answer = exchange(server.connect().await, head).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    // Chunked and endless: nothing is announced, so it is refused when the limit is passed.
    let before = resident_kib();
    for path in ["/length", "/long"] {
        let (mut read, mut write) = server.connect().await.into_split();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        let sender = tokio::spawn(async move {
            let chunk = [b"10000\r\n".as_slice(), &vec![b'a'; 0x10000], b"\r\n"].concat();
            let mut sent = 0_u64;
            while sent < 1 << 30 && write.write_all(&chunk).await.is_ok() {
                sent += 0x10000;
            }
            sent
        });
        let mut answer = [0; 64];
        let got = timeout(TEST_LIMIT, read.read(&mut answer)).await.unwrap().unwrap();
        assert!(answer[..got].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer[..got]));
        drop(read);
        let sent = timeout(TEST_LIMIT, sender).await.unwrap().unwrap();
        assert!(sent < 64 << 20, "the server went on reading: {sent} bytes");
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 * 1024, "memory grew by {grown} KiB");
    // What a route allows still passes.
    let body = "b".repeat(2 << 20);
    let head = format!(
        "POST /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = exchange(server.connect().await, &(head + &body)).await.unwrap();
    assert!(answer.ends_with("2097152"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn case_53_a_slow_head_is_closed_within_ten_seconds() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let start = clock();
    let (mut read, mut write) = server.connect().await.into_split();
    write.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let trickle = tokio::spawn(async move {
        // A byte each 300 ms keeps a naive read timeout from ever firing.
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    // A silent one, and one that begins a second request slowly.
    let mut silent = server.connect().await;
    let mut second = server.connect().await;
    second.write_all(b"GET /who HTTP/1.1\r\nhost: x\r\n\r\nGET /wh").await.unwrap();
    until_closed(&mut read).await;
    until_closed(&mut silent).await;
    until_closed(&mut second).await;
    assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
    trickle.abort();
    assert!(server.get("/who").await.unwrap().contains("200 OK"));
    server.stop().await;
}

#[tokio::test]
async fn case_53_a_slow_body_is_cut_within_ten_seconds() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let start = clock();
    let mut stalled = server.connect().await;
    stalled.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf").await.unwrap();
    let (mut read, mut write) = server.connect().await.into_split();
    write.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
    let trickle = tokio::spawn(async move {
        while write.write_all(b"abc").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    until_closed(&mut stalled).await;
    until_closed(&mut read).await;
    assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
    trickle.abort();
    server.stop().await;
}

#[tokio::test]
async fn case_53_who_does_not_read_is_cut() {
    let limits = Limits { write_stall_timeout: Duration::from_secs(2), ..Limits::default() };
    let server = Server::start(Transport::Plain, limits).await;
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    // What was on its way arrives, then the connection has ended long before the answer has.
    let mut rest = Vec::new();
    let _ = timeout(TEST_LIMIT, deaf.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < 64 * 1024 * 1024, "{} bytes", rest.len());
    server.stop().await;
}

#[tokio::test]
async fn case_54_idle_handshakes_are_closed_and_others_served() {
    let club = Club::new();
    let limits = Limits { connections_max: 300, connections_per_address_max: 250, ..Limits::default() };
    let server = Server::start(club.device_port(), limits).await;
    let client = club.client(&[&TLS13], None);
    let start = clock();
    let mut idle = Vec::new();
    for _ in 0..240 {
        idle.push(server.connect().await);
    }
    assert_eq!(ask_who(&server, &client).await.unwrap(), "nobody", "while the others idle");
    // More of the same address find no place; another address does.
    for _ in 0..20 {
        idle.push(server.connect().await);
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let stream = client.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let answer = exchange(stream, "GET /who HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(answer.ends_with("nobody"), "{answer}");
    for stream in &mut idle {
        until_closed(stream).await;
    }
    assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(ask_who(&server, &client).await.unwrap(), "nobody", "after all places are free again");
    server.stop().await;
}

#[tokio::test]
async fn case_56_ambiguous_requests_are_refused() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    for head in [
        "GET /who HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        "GET http://other.example/who HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST /length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "GET /who HTTP/1.1\r\nhost : x\r\n\r\n",
    ] {
        let answer = exchange(server.connect().await, head).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{head:?}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn goal_g14_running_requests_finish_when_the_server_stops() {
    let server = Server::start(Transport::Plain, Limits::default()).await;
    let stream = server.connect().await;
    let request = tokio::spawn(exchange(stream, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = clock();
    server.stop().await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let answer = request.await.unwrap().unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert_eq!(SLOW_DONE.load(Ordering::SeqCst), 1);
}
