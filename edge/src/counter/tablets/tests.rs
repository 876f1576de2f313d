//! The book of tablets over a real journal, and the gate over a real TLS listener with a real browser's manners.

use std::sync::Mutex as StdMutex;
use std::time::Duration;

use hufu_shared::seal::OpenKey;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate as Pinned, Client, Method, StatusCode, redirect};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::gate::{COOKIE, gated};
use super::*;
use crate::clock::Readings;
use crate::counter::desk::Done;
use crate::counter::guard::Guard;
use crate::counter::operators::{Operators, hash};
use crate::counter::port::{Port, ViewSink};
use crate::counter::routes::{Counter, router};
use crate::counter::samples::{NOW, afternoon};
use crate::counter::serve::serve_tls;
use crate::counter::tls::{CERTIFICATE_FILE, Certificate};
use crate::counter::voice::Sounds;
use crate::locale::Language;
use crate::rules::pairing::TRIES_MAX;
use crate::store::testing::{booted, terminal};
use crate::store::{JOURNAL_FILE, Store};

mod room;

const WAIT: Duration = Duration::from_secs(10);

/// A clock that is set by the test.
#[derive(Default)]
struct Hands(StdMutex<i64>);

impl Hands {
    fn pass(&self, us: i64) {
        *self.0.lock().unwrap() += us;
    }
}

impl Readings for Arc<Hands> {
    fn wall(&self) -> Instant {
        NOW.offset(*self.0.lock().unwrap())
    }

    fn mono_ns(&self) -> u64 {
        u64::try_from(*self.0.lock().unwrap() * 1_000).unwrap()
    }
}

struct Board {
    counter: Arc<Counter>,
    _folder: TempDir,
    tablets: Arc<Tablets>,
    hands: Arc<Hands>,
    said: Arc<StdMutex<Vec<Announcement>>>,
    url: String,
    pinned: Pinned,
    sink: ViewSink,
    stop: watch::Sender<bool>,
}

fn book(store: Store, hands: &Arc<Hands>, said: &Arc<StdMutex<Vec<Announcement>>>) -> Arc<Tablets> {
    let clock = Clock::new(Arc::new(Arc::clone(hands)), Instant(0));
    let said = Arc::clone(said);
    let announce = move |announcement| said.lock().unwrap().push(announcement);
    let at = ("127.0.0.1:7091".parse().unwrap(), "AB12 CD34".to_owned());
    Arc::new(Tablets::open(store, clock, at, announce).unwrap())
}

/// The network's door of a board, served until dropped.
async fn board() -> Board {
    board_of(crate::counter::tests::http::no_operators()).await
}

async fn board_of(operators: Arc<Operators>) -> Board {
    let folder = tempfile::tempdir().unwrap();
    let (hands, said) = (Arc::<Hands>::default(), Arc::default());
    let tablets = book(booted(folder.path()), &hands, &said);
    let certificate = Certificate::open(folder.path(), [127, 0, 0, 1].into()).unwrap();
    let pem = std::fs::read_to_string(folder.path().join(CERTIFICATE_FILE)).unwrap();
    let pinned = Pinned::from_pem(&pem.as_bytes()[pem.find("-----BEGIN CERTIFICATE").unwrap()..]).unwrap();
    let (port, ends) = Port::new(afternoon(), None);
    let mut requests = ends.orders;
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            drop(request.reply.send(Ok(Done::Plain)));
        }
    });
    let own = "127.0.0.1:7090".parse().unwrap();
    let counter = Arc::new(Counter {
        port,
        guard: Guard::new(own, false, &[], None).unwrap(),
        seal_key: OpenKey::from_seed(&[7; 32]).seal_key(),
        simulator: None,
        language: Language::Zh,
        sounds: Arc::new(Sounds::tones(70)),
        finds: tokio::sync::mpsc::channel(1).0,
        tablets: Some(Arc::clone(&tablets)),
        contacts: tokio::sync::mpsc::channel(1).0,
        operators,
        now: Box::new(|| NOW),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (stop, stops) = watch::channel(false);
    let page = gated(Arc::clone(&counter), Arc::clone(&tablets));
    tokio::spawn(serve_tls(listener, certificate.acceptor().unwrap(), page, stops));
    Board { counter, _folder: folder, tablets, hands, said, url, pinned, sink: ends.view, stop }
}

/// A browser of the network: it keeps one cookie, which the test can steal.
struct Tablet {
    client: Client,
    url: String,
    key: StdMutex<Option<String>>,
}

impl Board {
    fn tablet(&self) -> Tablet {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([self.pinned.clone()])
            .timeout(WAIT)
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Tablet { client, url: self.url.clone(), key: StdMutex::new(None) }
    }

    fn code(&self) -> String {
        match self.said.lock().unwrap().last() {
            Some(Announcement::Code(offered)) => offered.code.clone(),
            other => panic!("no code on the display: {other:?}"),
        }
    }

    async fn paired(&self, name: &str) -> Tablet {
        self.tablets.offer().unwrap();
        let tablet = self.tablet();
        assert_eq!(tablet.pair(&self.code(), name).await.0, StatusCode::SEE_OTHER);
        tablet
    }
}

impl Tablet {
    async fn send(&self, method: Method, path: &str, body: &str, more: &[(&str, &str)]) -> reqwest::Response {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("text/html,*/*"));
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        if !method.is_safe() {
            headers.insert("origin", self.url.parse().unwrap());
        }
        if let Some(key) = &*self.key.lock().unwrap() {
            headers.insert("cookie", format!("a=b; {COOKIE}={key}").parse().unwrap());
        }
        for (name, value) in more {
            headers.insert(name.parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap());
        }
        let request = self.client.request(method, format!("{}{path}", self.url)).headers(headers);
        let answer = request.body(body.to_owned()).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            if let Some(key) =
                cookie.strip_prefix(&format!("{COOKIE}=")).and_then(|rest| rest.split(';').next())
            {
                for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
                    assert!(cookie.contains(part) && !cookie.contains("Domain"), "{cookie}");
                }
                *self.key.lock().unwrap() = Some(key.to_owned());
            }
        }
        answer
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.send(Method::GET, path, "", &[]).await;
        (answer.status(), answer.text().await.unwrap())
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, String) {
        let answer = self.send(Method::POST, path, body, &[]).await;
        (answer.status(), answer.text().await.unwrap())
    }

    async fn pair(&self, code: &str, name: &str) -> (StatusCode, String) {
        self.post("/pair", &format!("code={code}&name={name}")).await
    }

    fn key(&self) -> Option<String> {
        self.key.lock().unwrap().clone()
    }

    fn with_key(self, key: Option<String>) -> Self {
        *self.key.lock().unwrap() = key;
        self
    }
}

/// Every address that a router of the page lists, with the methods that it takes, out of the code itself.
fn routes() -> Vec<(String, Vec<Method>)> {
    let mut found = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/counter")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for line in text.lines().filter(|line| line.trim_start().starts_with(".route(\"")) {
                let address = line.split('"').nth(1).unwrap();
                let of = |name: &str, method| line.contains(name).then_some(method);
                let methods = [of("get(", Method::GET), of("post(", Method::POST)];
                let real =
                    address.replace("{seq}", "1").replace("{hash}/{name}", "0000000000000000/counter.css");
                found.push((real, methods.into_iter().flatten().collect()));
            }
        }
    }
    found
}

#[tokio::test]
async fn threat_nothing_but_the_pairing_page_answers_whoever_is_not_paired() {
    let board = board().await;
    let all = routes();
    assert!(all.len() >= 24 && all.iter().all(|(_, methods)| !methods.is_empty()), "{all:?}");
    let css = crate::counter::assets::addresses().css.clone();
    let more =
        [(css, vec![Method::GET]), ("/nowhere".to_owned(), vec![Method::GET, Method::POST, Method::PUT])];
    for (path, methods) in all.iter().chain(&more) {
        for key in [None, Some("00".repeat(32)), Some("no key".to_owned())] {
            let stranger = board.tablet().with_key(key);
            for method in methods {
                let person = stranger.send(method.clone(), path, "", &[]).await;
                let (status, headers) = (person.status(), person.headers().clone());
                let body = person.text().await.unwrap();
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(headers["cache-control"], "no-store");
                if *method == Method::GET {
                    let policy = headers["content-security-policy"].to_str().unwrap();
                    assert!(
                        policy.contains("style-src 'sha256-") && !policy.contains("script-src"),
                        "{policy}"
                    );
                    assert!(body.contains("action=\"/pair\"") && !body.contains("src="), "{body}");
                    for secret in ["欧阳", "上海", "data-version", "/a/"] {
                        assert!(!body.contains(secret), "{path} tells {secret}");
                    }
                } else {
                    assert_eq!(body, "", "{method} {path}");
                }
                let program = stranger.send(method.clone(), path, "", &[("accept", "*/*")]).await;
                assert_eq!(program.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(program.text().await.unwrap(), "", "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_tablet_is_paired_by_the_code_on_the_display_and_sees_the_counter_until_it_is_unpaired() {
    let board = board().await;
    let tablet = board.tablet();
    assert_eq!(tablet.get("/pair").await.0, StatusCode::OK);
    let early = tablet.pair("12345678", "").await;
    assert!(early.0 == StatusCode::FORBIDDEN && early.1.contains("当前没有有效的配对码"), "{}", early.1);
    let offered = board.tablets.offer().unwrap();
    assert_eq!(offered.code, board.code());
    assert!(offered.code.len() == CODE_DIGITS && offered.code.bytes().all(|digit| digit.is_ascii_digit()));
    let short = tablet.pair("1234", "x").await;
    assert!(short.0 == StatusCode::UNPROCESSABLE_ENTITY && short.1.contains("8 位数字"), "{}", short.1);
    // As it is read out, in full-width digits of an input method.
    let spoken: String = grouped(&offered.code)
        .chars()
        .map(|digit| digit.to_digit(10).map_or('+', |digit| char::from_u32(0xFF10 + digit).unwrap()))
        .collect();
    let spoken: String =
        spoken.bytes().map(|byte| if byte == b'+' { "+".into() } else { format!("%{byte:02X}") }).collect();
    assert_eq!(tablet.pair(&spoken, "%E5%89%8D%E5%8F%B0").await.0, StatusCode::SEE_OTHER);
    let heard = board.said.lock().unwrap().clone();
    assert_eq!(heard[heard.len() - 2..], [Announcement::Over, Announcement::Paired("前台".to_owned())]);
    let page = tablet.get("/").await;
    assert!(
        page.0 == StatusCode::OK && page.1.contains("data-version") && page.1.contains("/a/"),
        "{}",
        page.1
    );
    assert_eq!(tablet.post("/mode", "mode=visit").await.0, StatusCode::SEE_OTHER);
    assert_eq!(tablet.get("/pair").await.0, StatusCode::SEE_OTHER, "it need not be paired again");
    let list = tablet.get("/tablets").await.1;
    assert!(list.contains("前台") && list.contains("本平板") && list.contains("AB12 CD34"), "{list}");
    assert!(!list.contains(&offered.code));

    let mut live = tablet.send(Method::GET, "/live", "", &[("accept", "text/event-stream")]).await;
    assert_eq!(live.status(), StatusCode::OK);
    assert!(String::from_utf8_lossy(&live.chunk().await.unwrap().unwrap()).contains("event: view"));
    assert!(board.tablets.list()[0].online);
    board.sink.publish(afternoon());
    assert!(board.tablets.revoke(1).unwrap());
    let end =
        tokio::time::timeout(Duration::from_secs(2), async { while let Ok(Some(_)) = live.chunk().await {} });
    end.await.expect("the open stream ends at once");
    let gone = tablet.get("/").await;
    assert!(gone.0 == StatusCode::UNAUTHORIZED && gone.1.contains("action=\"/pair\""));
    assert_eq!(tablet.get("/state.json").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(board.tablets.list(), []);
    board.stop.send(true).unwrap();
}

#[tokio::test]
async fn case_47_a_code_is_guessed_reused_expired_and_raced_for() {
    let board = board().await;
    let first = board.paired("one").await;
    let used = board.tablet();
    let code = {
        let said = board.said.lock().unwrap();
        let of = |announcement: &Announcement| match announcement {
            Announcement::Code(offered) => Some(offered.code.clone()),
            _ => None,
        };
        said.iter().find_map(of).unwrap()
    };
    assert_eq!(used.pair(&code, "").await.0, StatusCode::FORBIDDEN, "reused");
    board.tablets.offer().unwrap();
    let late = board.code();
    board.hands.pass(300 * SECOND_US);
    assert_eq!(used.pair(&late, "").await.0, StatusCode::FORBIDDEN, "expired");
    assert!(board.tablets.offered().is_none());

    board.tablets.offer().unwrap();
    let code = board.code();
    let racers: Vec<Tablet> = (0..6).map(|_| board.tablet()).collect();
    let race = futures_util::future::join_all(racers.iter().map(|tablet| tablet.pair(&code, "")));
    let won = race.await.iter().filter(|(status, _)| *status == StatusCode::SEE_OTHER).count();
    assert_eq!((won, racers.iter().filter(|tablet| tablet.key().is_some()).count()), (1, 1));
    assert_eq!(board.tablets.list().len(), 2);

    board.tablets.offer().unwrap();
    let code = board.code();
    let wrong = if code == "00000000" { "11111111" } else { "00000000" };
    for left in (1..TRIES_MAX).rev() {
        let answer = used.pair(wrong, "").await;
        assert!(answer.0 == StatusCode::FORBIDDEN && answer.1.contains(&format!("还可输入 {left} 次")));
    }
    assert!(used.pair(wrong, "").await.1.contains("此配对码已作废"));
    assert!(used.pair(&code, "").await.1.contains("当前没有有效的配对码"), "not even the right one");
    assert!(matches!(board.tablets.offer(), Err(PairingError::Locked(_))));
    let said = first.post("/tablets", "act=offer").await;
    assert!(said.0 == StatusCode::CONFLICT && said.1.contains("之后才能再次显示配对码"), "{}", said.1);
    board.hands.pass(300 * SECOND_US);
    board.tablets.offer().unwrap();
}

#[tokio::test]
async fn threat_guessing_is_not_forgiven_by_a_restart_and_no_tablet_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (hands, said) = (Arc::<Hands>::default(), Arc::default());
    let key = {
        let tablets = book(booted(folder.path()), &hands, &said);
        let key = tablets.pair(&tablets.offer().unwrap().code, "前台").unwrap();
        let code = tablets.offer().unwrap().code;
        let wrong = if code == "00000000" { "11111111" } else { "00000000" };
        for _ in 0..TRIES_MAX {
            tablets.pair(wrong, "").unwrap_err();
        }
        key
    };
    for suffix in ["", "-wal"] {
        let file = std::fs::read(folder.path().join(format!("{JOURNAL_FILE}{suffix}"))).unwrap_or_default();
        let raw = HEXLOWER.decode(key.as_bytes()).unwrap();
        for secret in [key.as_bytes(), &raw] {
            assert!(
                !file.windows(secret.len()).any(|bytes| bytes == secret),
                "the key itself is on the disk"
            );
        }
    }
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).unwrap();
    let tablets = book(store, &hands, &said);
    assert!(matches!(tablets.offer(), Err(PairingError::Locked(_))));
    assert_eq!(tablets.admit(&key).await.map(|admitted| admitted.n), Some(1));
    assert!(tablets.offered().is_none(), "a code does not outlive the program");
}

#[tokio::test]
async fn threat_a_copied_cookie_ends_the_pairing_once_the_tablet_has_gone_on() {
    let board = board().await;
    let tablet = board.paired("one").await;
    let stolen = tablet.key();
    board.hands.pass(pairing::RENEW_AFTER_US);
    assert_eq!(tablet.get("/").await.0, StatusCode::OK);
    assert_ne!(tablet.key(), stolen, "a day later it has another key");
    assert_eq!(tablet.get("/").await.0, StatusCode::OK);
    board.hands.pass(pairing::OLD_KEY_GRACE_US + 1);
    let thief = board.tablet().with_key(stolen);
    assert_eq!(thief.get("/state.json").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(tablet.get("/").await.0, StatusCode::UNAUTHORIZED, "nobody can tell who is who");
    assert_eq!(board.tablets.copied().map(|(name, _)| name), Some("one".to_owned()));
    let next = board.paired("two").await;
    assert!(next.get("/tablets").await.1.contains("可能已被他人复制"));
}

#[tokio::test]
async fn case_64_a_paired_tablet_cannot_be_used_by_another_site_or_under_another_name() {
    let board = board().await;
    let tablet = board.paired("one").await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["/mode", "/tablets", "/pair"] {
            let answer = tablet.send(Method::POST, path, "act=offer&mode=visit", &[(name, value)]).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {value} at {path}");
        }
    }
    let rebound = tablet.send(Method::GET, "/state.json", "", &[("host", "evil.example")]).await;
    assert_eq!(rebound.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(rebound.text().await.unwrap(), "");
    assert!(board.tablets.offered().is_none(), "nothing happened");
}

#[tokio::test]
async fn case_65_a_key_that_was_planted_before_or_used_after_the_pairing_is_worth_nothing() {
    let board = board().await;
    let planted = "ab".repeat(32);
    let victim = board.tablet().with_key(Some(planted.clone()));
    board.tablets.offer().unwrap();
    assert_eq!(victim.pair(&board.code(), "").await.0, StatusCode::SEE_OTHER);
    assert_ne!(victim.key(), Some(planted.clone()));
    let fixed = board.tablet().with_key(Some(planted));
    assert_eq!(fixed.get("/").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(victim.post("/tablets", "act=revoke&n=1").await.0, StatusCode::OK, "its last act");
    assert_eq!(victim.post("/mode", "mode=visit").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn case_54_whoever_does_not_speak_tls_meets_nothing_and_holds_up_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let board = board().await;
    let address = board.url.trim_start_matches("https://").to_owned();
    let mut plain = tokio::net::TcpStream::connect(&address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    let mut heard = Vec::new();
    drop(tokio::time::timeout(WAIT, plain.read_to_end(&mut heard)).await.expect("closed"));
    assert!(!String::from_utf8_lossy(&heard).contains("HTTP"), "{heard:?}");
    let mut idle = Vec::new();
    for _ in 0..crate::counter::serve::CONNECTIONS_PER_ADDRESS_MAX {
        idle.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    // One more of the same address is closed at once; the silent ones after the handshake's limit.
    let mut further = tokio::net::TcpStream::connect(&address).await.unwrap();
    let mut nothing = Vec::new();
    drop(
        tokio::time::timeout(Duration::from_secs(2), further.read_to_end(&mut nothing))
            .await
            .expect("closed"),
    );
    for mut socket in idle {
        drop(tokio::time::timeout(WAIT, socket.read_to_end(&mut nothing)).await.expect("closed"));
    }
    assert_eq!(board.tablet().get("/pair").await.0, StatusCode::OK);
}
