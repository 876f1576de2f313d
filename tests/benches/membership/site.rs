//! The club that is measured: founded and generated in a folder, its console served on loopback, somebody signed in.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use hufu_central::app::App;
use hufu_central::clock::{Clock, SystemClock};
use hufu_central::commands::init::{self, InitArgs};
use hufu_central::config;
use hufu_central::console::password;
use hufu_central::db::Tx;
use hufu_central::generate::{Plan, generate};
use hufu_central::router;
use hufu_central::store::{StoreError, devices, staff};
use hufu_shared::time::OfficeClock;
use hufu_shared::token::TokenKey;
use hufu_tests::kit::http::plain_client;
use reqwest::Client;
use tokio::net::TcpListener;

use super::{Arguments, clock};

const PASSWORD: &str = "Zhihui-Hufu-2026";
/// What a form's body is.
const FORM: &str = "application/x-www-form-urlencoded";
/// Days of history beside the transfers.
const DAYS: i32 = 2;
/// Stands in the folder once the club is whole.
const MARK: &str = "generated";

/// The club.
pub struct Site {
    /// Its service, which serves nothing by itself.
    pub app: App,
    /// Its database.
    pub database: PathBuf,
    /// Keys of its cards.
    pub token_keys: Vec<TokenKey>,
}

impl Site {
    /// Generates the club, unless the folder has it.
    pub async fn open(folder: &Path, arguments: &Arguments) -> Result<Self> {
        let config_file = folder.join("central.toml");
        let is_there = folder.join(MARK).exists();
        if !is_there {
            std::fs::create_dir_all(folder)?;
            let text = format!(
                "[data]\ndir = {:?}\n[device]\nlisten = \"127.0.0.1:0\"\nnames = [\"127.0.0.1\"]\n\
                 [console]\nlisten = \"127.0.0.1:0\"\n",
                folder.join("data"),
            );
            std::fs::write(&config_file, text)?;
        }
        let config = config::load(&config_file)?;
        if !is_there {
            let today = OfficeClock::default().business_day(SystemClock.now());
            let args = InitArgs {
                names: vec!["127.0.0.1".to_owned()],
                admin: "admin".to_owned(),
                scheme: "property-club".to_owned(),
                founded: Some(today.plus(-DAYS - 2)),
                json: true,
            };
            init::run(&args, &config, &SystemClock).await?;
        }
        let database = PathBuf::from(config.database_url());
        let app = App::open(config, Arc::new(SystemClock) as Arc<dyn Clock>).await?;
        let keys = Arc::clone(&app.keys);
        let token_keys = app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await?;
        let site = Self { app, database, token_keys };
        if !is_there {
            site.fill(arguments).await?;
            std::fs::write(folder.join(MARK), "")?;
        }
        Ok(site)
    }

    async fn fill(&self, arguments: &Arguments) -> Result<()> {
        let (members, transfers) = (arguments.members, arguments.transfers);
        let plan = Plan { members, days: DAYS, transfers, seed: 7, now: SystemClock.now() };
        let begin = clock();
        let app = &self.app;
        generate(&app.db, &app.vault, &self.token_keys, app.keys.seal_public(), plan).await?;
        let took = begin.elapsed();
        let bytes = std::fs::metadata(&self.database)?.len();
        println!(
            "generated {members} members and {transfers} transfers in {:.0} s: {:.2} GB",
            took.as_secs_f64(),
            bytes as f64 / 1e9
        );
        Ok(())
    }

    /// Serves the console, and signs somebody in.
    pub async fn sign_in(&self) -> Result<Session> {
        let hashed = password::hash(PASSWORD).context("failed to hash a password")?;
        let set = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            let Some(admin) = staff::by_login(tx, "admin")? else { return Ok(false) };
            staff::set_password(tx, admin.id, &hashed, false)?;
            Ok(true)
        };
        ensure!(self.app.db.write(set).await?, "the club has its first admin");
        let at = serve(router::console(self.app.clone())).await?;
        Session::enter(at).await
    }
}

/// Serves routes on loopback until the bench ends.
pub async fn serve(routes: Router) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(at)
}

/// Somebody signed in at the console, over one connection that is kept.
pub struct Session {
    client: Client,
    base: String,
    cookie: String,
    token: String,
}

impl Session {
    async fn enter(at: SocketAddr) -> Result<Self> {
        let (client, base) = (plain_client()?, format!("http://{at}"));
        let body = urlencoded(&[("login", "admin"), ("password", PASSWORD)]);
        let form = client.post(format!("{base}/login")).header("content-type", FORM).body(body);
        let answer = form.send().await?;
        let cookie = answer.headers().get("set-cookie").context("no session")?.to_str()?.to_owned();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let page = client.get(format!("{base}/password")).header("cookie", &cookie).send().await?;
        let page = page.text().await?;
        let token = page.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
        let token = token.context("the page has no form token")?.0.to_owned();
        Ok(Self { client, base, cookie, token })
    }

    /// Posts a form; answers with the body of a success.
    pub async fn post(&self, path: &str, field: (&str, &str)) -> Result<String> {
        let body = urlencoded(&[("csrf", self.token.as_str()), field]);
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", FORM);
        let answer = request.header("cookie", &self.cookie).body(body).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Gets a page; answers with the body of a success.
    pub async fn get(&self, path: &str) -> Result<String> {
        let request = self.client.get(format!("{}{path}", self.base)).header("cookie", &self.cookie);
        Ok(request.send().await?.error_for_status()?.text().await?)
    }
}

/// A form's body.
fn urlencoded(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let sign = if body.is_empty() { "" } else { "&" };
        // Writing into a string cannot fail.
        let _ = write!(body, "{sign}{name}=");
        for byte in value.bytes() {
            let _ = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => write!(body, "{}", char::from(byte)),
                _ => write!(body, "%{byte:02X}"),
            };
        }
    }
    body
}
