//! A club with history, and a browser that keeps its cookie.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hufu_shared::time::{DAY_US, Instant, OfficeClock};
use serde_json::Value;
use tower::ServiceExt;

use super::contract;
use crate::app::App;
use crate::clock::Clock;
use crate::commands::init::{self, InitArgs};
use crate::config::Config;
use crate::console::{password, router};
use crate::db::Engine;
use crate::db::testing::TestPlace;
use crate::generate::{Plan, generate};
use crate::store::{devices, staff};

/// 2026-11-22 18:00 in Shanghai.
const NOW: Instant = Instant(1_795_341_600_000_000);
pub const PASSWORD: &str = "Zhihui-Hufu-2026";
pub const ONE_TIME: &str = "one-time-secret";

/// A clock that the test moves.
pub struct Hands(AtomicI64);

impl Hands {
    pub fn advance(&self, us: i64) {
        self.0.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::SeqCst))
    }
}

/// A centre with an admin whose password is [`PASSWORD`].
pub struct Site {
    pub app: App,
    pub clock: Arc<Hands>,
    routes: axum::Router,
    _folder: tempfile::TempDir,
    place: TestPlace,
}

/// Runs `work` against a club with members and two weeks of history, on each engine.
pub async fn each<F, Fut>(work: F)
where
    F: Fn(Arc<Site>) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let site = Arc::new(Site::start(engine, true).await);
        work(Arc::clone(&site)).await;
        let site = Arc::into_inner(site).expect("the test has let go of the site");
        site.app.db.close().await;
        site.place.remove().await;
    }
}

/// A club without anything, on SQLite.
pub async fn empty() -> Site {
    Site::start(Engine::Sqlite, false).await
}

impl Site {
    async fn start(engine: Engine, history: bool) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let place = TestPlace::new(engine).await;
        let mut config = Config::default();
        config.data.dir = folder.path().join("data");
        config.database.url.clone_from(&place.url);
        let args = InitArgs {
            names: vec!["localhost".to_owned()],
            admin: "admin".to_owned(),
            scheme: "property-club".to_owned(),
            founded: Some(OfficeClock::default().business_day(NOW.offset(-30 * DAY_US))),
            json: false,
        };
        let clock = Arc::new(Hands(AtomicI64::new(NOW.0)));
        init::run(&args, &config, &*clock).await.expect("a centre");
        let app = App::open(config, Arc::clone(&clock) as Arc<dyn Clock>).await.expect("opens");
        if history {
            let keys = Arc::clone(&app.keys);
            let tokens = app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await.expect("keys");
            let plan = Plan { members: 60, days: 14, transfers: 0, seed: 7, now: NOW };
            generate(&app.db, &app.vault, &tokens, app.keys.seal_public(), plan).await.expect("history");
        }
        let site = Self { routes: router(app.clone()), app, clock, _folder: folder, place };
        site.set_password(PASSWORD, false).await;
        site
    }

    pub async fn set_password(&self, password: &str, must_change: bool) {
        let hashed = password::hash(password).expect("hash");
        let work = move |tx: &mut crate::db::Tx<'_>| -> Result<(), crate::store::StoreError> {
            let admin = staff::by_login(tx, "admin")?.expect("the first admin");
            staff::set_password(tx, admin.id, &hashed, must_change)
        };
        self.app.db.write(work).await.expect("written");
    }

    /// An answer whose body is not awaited: a stream.
    pub async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.routes.clone().oneshot(request).await.expect("never fails")
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.routes.clone().oneshot(request).await.expect("never fails");
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_workbook = kind.is_some_and(|kind| kind.contains("spreadsheetml"));
        let text = if is_workbook { Vec::new() } else { bytes.to_vec() };
        let page = Page {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(text).expect("UTF-8"),
            bytes: bytes.to_vec(),
        };
        if path.starts_with("/api/v1/") {
            contract::check(&method, &path, &page);
        }
        page
    }
}

/// An answer.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// What it says; empty for a workbook.
    pub text: String,
    pub bytes: Vec<u8>,
}

impl Page {
    /// Where it sends the browser; empty if nowhere.
    pub fn to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().expect("text"))
    }

    /// The first choice of the page's own forms; the frame has one of offices.
    pub fn first_option(&self) -> Option<&str> {
        let (_, own) = self.text.split_once("<main")?;
        own.split_once("<option value=\"")?.1.split('"').next()
    }

    /// The first text between two marks.
    pub fn between(&self, from: &str, to: &str) -> Option<&str> {
        let rest = &self.text[self.text.find(from)? + from.len()..];
        Some(&rest[..rest.find(to)?])
    }

    /// All texts between two marks.
    pub fn all_between(&self, from: &str, to: &str) -> Vec<&str> {
        self.text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
    }
}

/// A browser.
pub struct Browser {
    site: Arc<Site>,
    pub cookies: String,
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let one = |text: &str| {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}

pub fn form(path: &str, cookies: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header(header::HOST, "127.0.0.1:7080")
        .header(header::COOKIE, cookies)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

impl Browser {
    /// One that signed in.
    pub async fn signed_in(site: &Arc<Site>) -> Self {
        let mut browser = Self { site: Arc::clone(site), cookies: String::new() };
        let page = browser.sign_in("admin", PASSWORD).await;
        assert_eq!((page.status, page.to()), (StatusCode::SEE_OTHER, "/"), "{}", page.text);
        browser
    }

    pub fn stranger(site: &Arc<Site>) -> Self {
        Self { site: Arc::clone(site), cookies: String::new() }
    }

    pub async fn sign_in(&mut self, login: &str, password: &str) -> Page {
        self.post_bare("/login", &[("login", login), ("password", password)]).await
    }

    pub async fn get(&self, path: &str) -> Page {
        let request = Request::get(path).header(header::COOKIE, &self.cookies).body(Body::empty());
        self.site.send(request.expect("a request")).await
    }

    /// A form without the session's token.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = Body::from(encoded(fields));
        let page = self.site.send(form(path, &self.cookies).body(body).expect("a request")).await;
        if let Some(set) = page.headers.get(header::SET_COOKIE) {
            let pair = set.to_str().expect("text").split(';').next().expect("a pair");
            self.cookies = pair.to_owned();
        }
        page
    }

    /// The session's form token.
    pub async fn csrf(&self) -> String {
        let page = self.get("/password").await;
        page.between("name=\"csrf\" value=\"", "\"").expect("a form").to_owned()
    }

    /// A file with fields beside it, as a browser sends a form that holds one.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], (name, bytes): (&str, &[u8])) -> Page {
        let csrf = self.csrf().await;
        let mut body = Vec::new();
        for (field, value) in [("csrf", csrf.as_str())].iter().chain(fields) {
            let part =
                format!("--hufu\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head =
            format!("--hufu\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--hufu--\r\n");
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1:7080")
            .header(header::COOKIE, &self.cookies)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=hufu");
        self.site.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// An object of JSON, as programs send it.
    pub async fn post_json(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Page {
        let mut request = Request::post(path)
            .header(header::HOST, "127.0.0.1:7080")
            .header(header::COOKIE, &self.cookies)
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.site.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// Fields with the session's token: a form to a page, an object of JSON to the API.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        if let Some(contract) = contract::of(&Method::POST, path) {
            let body = contract::written(contract, fields);
            return self.post_json(path, &body, &[("x-hufu-token", &csrf)]).await;
        }
        let all: Vec<(&str, &str)> =
            [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.post_bare(path, &all).await
    }
}
