//! A served club and scripted terminals: real keys, real sockets, every wait with a limit.

mod terminal;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hufu_shared::act::{Act, Actor, CardSet, MemberSet};
use hufu_shared::cbor;
use hufu_shared::chain::{self, BatchClaim};
use hufu_shared::code::EnrolCode;
use hufu_shared::fact::{Attended, Booted, Event, FACT_FORMAT, Fact, Shown, Subject, Way};
use hufu_shared::ids::{
    ActivityId, BootId, CardId, DeviceId, EntryId, Hash, MemberId, OccurrenceId, OfficeId,
};
use hufu_shared::member::{Audience, CardStatus, MemberStatus, OccurrenceRow, OccurrenceState, OfficeRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{ClockQuality, Instant, OfficeClock, SECOND_US};
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::enrol::{Csr, EnrolAnswer, EnrolRequest, Purpose};
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::upload::{Attempt, BatchHeader, Carried, Receipt, Upload};
use hufu_shared::wire::version::{PROTO, Version};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use minicbor::Decode;
use rcgen::{CertificateParams, KeyPair, SigningKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::app::App;
use crate::clock::{Clock, SystemClock};
use crate::commands::device::{InviteArgs, invite};
use crate::commands::init::{self, InitArgs};
use crate::commands::serve::{self, Running};
use crate::config::Config;
use crate::db::testing::TestPlace;
use crate::db::{Engine, Row, SqlFile, Value};
use crate::store::acts;

/// No wait is longer.
pub const LIMIT: Duration = Duration::from_secs(20);
pub const OFFICE: OfficeId = OfficeId([0xa0; 16]);
pub const SALON: OccurrenceId = OccurrenceId([0x5a; 16]);
pub const POINTS: i64 = 10;

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

pub use terminal::Terminal;

/// The machine's clock, moved by the test.
#[derive(Default)]
pub struct ShiftedClock {
    by_us: AtomicI64,
}

impl ShiftedClock {
    pub fn advance(&self, us: i64) {
        self.by_us.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Instant {
        SystemClock.now().offset(self.by_us.load(Ordering::SeqCst))
    }
}

/// A club that is served.
pub struct Site {
    pub app: App,
    pub clock: Arc<ShiftedClock>,
    running: Running,
    _folder: tempfile::TempDir,
    place: TestPlace,
}

/// Runs `work` against a fresh club on each engine.
pub async fn each<F, Fut>(work: F)
where
    F: Fn(Arc<Site>) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let site = Arc::new(Site::start(engine).await);
        work(Arc::clone(&site)).await;
        let site = Arc::into_inner(site).expect("the test has let go of the site");
        timeout(LIMIT, serve::stop(&site.app, site.running)).await.expect("the service stops in time");
        site.place.remove().await;
    }
}

impl Site {
    async fn start(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = TestPlace::new(engine).await;
        let mut config = Config::default();
        config.data.dir = folder.path().join("data");
        config.database.url.clone_from(&place.url);
        config.device.listen = "127.0.0.1:0".parse().unwrap();
        config.console.listen = "127.0.0.1:0".parse().unwrap();
        let args = InitArgs {
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            admin: "admin".to_owned(),
            scheme: "property-club".to_owned(),
            founded: None,
            json: false,
        };
        let clock = Arc::new(ShiftedClock::default());
        init::run(&args, &config, &*clock).await.unwrap();
        let app = App::open(config, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
        let running = serve::start(&app).await.unwrap();
        let site = Self { app, clock, running, _folder: folder, place };
        site.furnish().await;
        site
    }

    /// One office, members 1 to 9 with a card each, and an approved holding.
    async fn furnish(&self) {
        let name = |text: &str| Words { zh: text.to_owned(), en: text.to_owned() };
        let office = OfficeRow {
            office: OFFICE,
            code: "A01".to_owned(),
            name: name("A"),
            clock: OfficeClock::default(),
            group: None,
        };
        self.act(Act::OfficeSet(office)).await;
        let members = (1..=9).map(|n| MemberSet {
            member: MemberId([n; 16]),
            number: format!("M{n}"),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([n; 32]),
            joined: None,
        });
        self.act(Act::MembersSet(members.collect())).await;
        self.act(Act::CardsSet((1..=9).map(|n| card(n, CardStatus::Active)).collect())).await;
        self.act(Act::OccurrenceSet(self.salon(OccurrenceState::Approved))).await;
    }

    pub fn salon(&self, state: OccurrenceState) -> OccurrenceRow {
        let now = self.app.now();
        OccurrenceRow {
            occurrence: SALON,
            activity: ActivityId([0x5b; 16]),
            name: Words { zh: "业主沙龙".to_owned(), en: "Owners' salon".to_owned() },
            starts: now.offset(-3600 * SECOND_US),
            ends: now.offset(10 * 3600 * SECOND_US),
            state,
            admits_once: true,
            exits: false,
            gifts: Vec::new(),
            guests: Vec::new(),
            points: Amount(POINTS),
            places: None,
            offices: Vec::new(),
            audience: Audience::default(),
        }
    }

    pub async fn act(&self, act: Act) {
        self.app.act(Actor::Job("test".to_owned()), act).await.unwrap();
    }

    /// Several acts in one transaction.
    pub async fn acts(&self, list: Vec<Act>) {
        let ids: Vec<EntryId> = list.iter().map(|_| self.app.entry_id().unwrap()).collect();
        let now = self.app.now();
        let work = move |tx: &mut crate::db::Tx<'_>| -> Result<(), crate::store::StoreError> {
            for (act, id) in list.iter().zip(&ids) {
                acts::take(tx, *id, now, &Actor::Job("test".to_owned()), act)?;
            }
            Ok(())
        };
        self.app.write(work).await.unwrap();
    }

    pub async fn invite(&self, name: &str, device: Option<DeviceId>) -> EnrolCode {
        let args = InviteArgs { office: "A01".to_owned(), name: name.to_owned(), device, json: false };
        invite(&self.app, Actor::Command("test".to_owned()), &args).await.unwrap().code
    }

    /// A new connection, with a certificate or without.
    pub async fn connect(&self, shown: Option<(&[u8], &KeyPair)>) -> Result<Link, String> {
        let mut roots = RootCertStore::empty();
        roots.add(self.app.authority.certificate().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let config = match shown {
            Some((leaf, key)) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                config.with_client_auth_cert(vec![CertificateDer::from(leaf.to_vec())], key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.running.device).await.map_err(|error| error.to_string())?;
        let connector = TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Link { sender })
    }

    /// A terminal that has enrolled.
    pub async fn terminal(&self, name: &str) -> Terminal {
        let code = self.invite(name, None).await;
        let mut terminal = Terminal::unenrolled();
        terminal.enrol(self, &code).await.unwrap();
        terminal
    }

    /// Reads by a statement of the tests' own.
    pub async fn probe(&self, name: &'static str, values: Vec<Value>) -> Vec<Row> {
        self.app.db.read(move |tx| tx.query(PROBE.get(name), &values)).await.expect("probe")
    }

    pub async fn count(&self, name: &'static str, values: Vec<Value>) -> i64 {
        self.probe(name, values).await[0].int_opt(0).expect("a number").unwrap_or(0)
    }

    /// Puts a row where the books will want to write one.
    pub async fn spoil(&self, values: Vec<Value>) {
        let work = move |tx: &mut crate::db::Tx<'_>| tx.execute(PROBE.get("spoil"), &values);
        self.app.db.write(work).await.expect("spoil");
    }

    /// Changes by a statement of the tests' own.
    pub async fn probe_write(&self, name: &'static str, values: Vec<Value>) {
        self.app.db.write(move |tx| tx.execute(PROBE.get(name), &values)).await.expect("probe");
    }

    /// Waits until everything committed is numbered.
    pub async fn published(&self) {
        crate::jobs::publisher::publish_all(&self.app).await.unwrap();
    }
}

pub fn card(n: u8, status: CardStatus) -> CardSet {
    CardSet {
        card: CardId([n; 16]),
        tokens: vec![token(n)],
        member: Some(MemberId([n; 16])),
        kind: "main".to_owned(),
        status,
        tail: format!("{n:04}"),
        valid_from: None,
        valid_until: None,
    }
}

pub fn token(n: u8) -> Token {
    Token { key_version: 1, hash: [n; 16] }
}

/// A connection that is kept open.
pub struct Link {
    sender: SendRequest<Full<Bytes>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Link {
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let whole = async {
            self.sender.ready().await.map_err(|error| error.to_string())?;
            let response = self.sender.send_request(request).await.map_err(|error| error.to_string())?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        timeout(LIMIT, whole).await.expect("the centre answers in time")
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer, String> {
        self.send(request("GET", path).body(Full::default()).unwrap()).await
    }

    pub async fn post(&mut self, path: &str, body: Vec<u8>) -> Result<Answer, String> {
        self.send(request("POST", path).body(Full::from(body)).unwrap()).await
    }

    pub async fn upload(&mut self, upload: &Upload) -> Answer {
        self.post("/device/v1/events", cbor::encode(upload)).await.expect("an answer")
    }

    /// Whether the centre has ended the connection.
    pub async fn is_closed_within(&mut self, wait: Duration) -> bool {
        timeout(wait, async {
            while !self.sender.is_closed() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .is_ok()
    }
}

pub fn request(method: &str, path: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost")
}

impl Answer {
    pub fn read<T: for<'b> Decode<'b, ()>>(&self) -> T {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        cbor::decode(&self.body).expect("an answer in CBOR")
    }

    pub fn problem(&self) -> (ProblemKind, Problem) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{} {text}", self.status);
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem document");
        assert_eq!(problem.status, self.status.as_u16());
        (ProblemKind::of(&problem).expect("a kind of ours"), problem)
    }
}
