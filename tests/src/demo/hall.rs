//! What the demo runs: a generated club, its centre, two terminals behind breakable cables, the tray of cards.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::kit::pcscd::Pcscd;
use hufu_tests::kit::process::{Program, free_port, program};
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli;
use hufu_tests::story::journal::Journal;
use hufu_tests::story::model::Place;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seed of the club: the same club in every demo.
const SEED: u64 = 7;
/// Days of history.
const DAYS: u32 = 90;
/// How long terminals may take for their first directory.
const DIRECTORY_LIMIT_MS: u64 = 120_000;
const TRAY_LIMIT_MS: u64 = 15_000;

/// A card of the tray, as `hufu-central generate` writes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Card {
    /// What is printed on it.
    pub label: String,
    /// `pcsc` or `stripe`.
    pub kind: String,
    /// Serial number of the chip, hexadecimal.
    #[serde(default)]
    pub uid: Option<String>,
    /// The characters on the stripe.
    #[serde(default)]
    pub track: Option<String>,
    /// What is special about it.
    #[serde(default)]
    pub note: Option<String>,
}

/// What power cut and restart showed of terminal A's journal.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PowerCut {
    /// Facts on the disk when the power went.
    pub before: usize,
    /// Of these, facts that are the same after the restart.
    pub kept: usize,
}

/// What the last comparison of the books said.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Whether all agrees.
    pub agrees: bool,
    /// The figures, or the first difference.
    pub line: String,
}

/// What hands can change; one hand at a time.
#[derive(Debug)]
pub struct Things {
    /// The terminal with a chip reader.
    pub a: Terminal,
    /// The terminal with a stripe reader.
    pub b: Terminal,
    /// Whether the cables are cut.
    pub cut: bool,
    /// The last power cut.
    pub power_cut: Option<PowerCut>,
    /// The last comparison.
    pub compared: Option<Compared>,
}

/// The whole demo. Fields are dropped in order: terminals before the services that they use.
#[derive(Debug)]
pub struct Hall {
    things: Mutex<Things>,
    _tray: Program,
    /// The centre.
    pub centre: Centre,
    /// The smart-card service.
    pub pcscd: Pcscd,
    /// Where the tray of cards is.
    pub tray_url: String,
    /// The cards in it.
    pub cards: Vec<Card>,
    /// The admin's password.
    pub password: String,
    /// Counter pages of A and B.
    pub counters: [String; 2],
}

impl Things {
    /// A terminal.
    #[must_use]
    pub fn at(&self, place: Place) -> &Terminal {
        match place {
            Place::A => &self.a,
            Place::B => &self.b,
        }
    }

    /// Journals of A and B from the disk.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn journals(&self) -> Result<[Journal; 2]> {
        Ok([self.a.journal()?, self.b.journal()?])
    }
}

impl Hall {
    /// Sets everything up in `folder`; pages of `origin` may frame the others. `say` hears of each step.
    ///
    /// # Errors
    /// When any of it fails.
    pub fn open(folder: &Path, origin: &str, members: usize, say: impl Fn(&str)) -> Result<Self> {
        say("founding a club");
        let mut centre = found(folder, origin)?;
        say(&format!("generating {members} members and {DAYS} days of history (seed {SEED})"));
        let cards_file = folder.join("cards.json");
        let generated = cli::must(
            centre
                .command()?
                .args(["generate", "--members", &members.to_string(), "--days", &DAYS.to_string()])
                .args(["--seed", &SEED.to_string(), "--cards"])
                .arg(&cards_file),
        )?;
        say(generated.trim());
        let cards: Vec<Card> = serde_json::from_slice(&std::fs::read(&cards_file)?)
            .with_context(|| format!("failed to read {}", cards_file.display()))?;
        say("starting the centre");
        centre.serve()?;
        let password = new_password(&centre)?;
        say("starting a private smart-card service with a virtual reader");
        let pcscd = Pcscd::start(1)?;
        say("enrolling and starting two terminals");
        let tray_port = free_port()?;
        let tray_url = format!("http://127.0.0.1:{tray_port}");
        let stripe = folder.join("stripe");
        let embed = vec![origin.to_owned()];
        let office = office_codes(&centre)?;
        let wishes_a = Wishes {
            name: "A1".to_owned(),
            office: office[0].clone(),
            readers: format!("[[reader]]\nkind = \"pcsc\"\nname_contains = {:?}\n", pcscd.reader_name(0)),
            display: "240x240".to_owned(),
            embed: embed.clone(),
            simulator: tray_url.clone(),
            namespace: pcscd.namespace().map(|pid| pid.as_raw_nonzero().get()),
        };
        let wishes_b = Wishes {
            name: "B1".to_owned(),
            office: office[1].clone(),
            readers: format!("[[reader]]\nkind = \"serial\"\nport = {stripe:?}\n"),
            display: "128x64 mono".to_owned(),
            namespace: None,
            ..wishes_a.clone()
        };
        let mut a = Terminal::enrol(&folder.join("a"), &centre, &wishes_a)?;
        let mut b = Terminal::enrol(&folder.join("b"), &centre, &wishes_b)?;
        let counters = [a.counter.url().to_owned(), b.counter.url().to_owned()];
        // Before the terminals, so that B finds its stripe reader at once.
        let origins = [origin, &counters[0], &counters[1]];
        let tray = start_tray(folder, tray_port, &cards_file, &pcscd, &stripe, &origins)?;
        a.run()?;
        b.run()?;
        for terminal in [&a, &b] {
            terminal.counter.wait("directory with an activity", ms(DIRECTORY_LIMIT_MS), |state| {
                let runs = state["activities"].as_array()?.iter().any(|row| row["running"] == true);
                runs.then_some(())
            })?;
            terminal.counter.check_in_to_what_runs()?;
        }
        let things = Mutex::new(Things { a, b, cut: false, power_cut: None, compared: None });
        Ok(Self { things, _tray: tray, centre, pcscd, tray_url, cards, password, counters })
    }

    /// The things that hands can change.
    pub fn things(&self) -> MutexGuard<'_, Things> {
        // Every hand leaves the things whole, or says that it failed.
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints where everything is, the password last.
    pub fn print_addresses(&self, origin: &str) {
        println!();
        println!("  演示 demo       {origin}/demo");
        println!("  前台 counter A  {}/", self.counters[0]);
        println!("  前台 counter B  {}/", self.counters[1]);
        println!("  卡片 cards      {}/", self.tray_url);
        println!("  控制台 console  http://{}/", self.centre.console);
        println!("  Ctrl-C 结束 ends everything");
        println!();
        println!("  admin / {}", self.password);
    }
}

/// A centre whose club was founded before its generated history begins.
fn found(folder: &Path, origin: &str) -> Result<Centre> {
    let days = i64::from(DAYS) + 2;
    let began =
        chrono::DateTime::<chrono::Utc>::from(hufu_tests::kit::clock::wall()) - chrono::Duration::days(days);
    let began = began.format("%Y-%m-%d").to_string();
    Centre::found_with(&folder.join("central"), None, &[origin.to_owned()], &["--founded", &began])
}

/// Codes of the first two offices, by code.
fn office_codes(centre: &Centre) -> Result<[String; 2]> {
    let rows = centre.engine.rows("SELECT code FROM office ORDER BY code")?;
    ensure!(rows.len() >= 2, "the generated club has {} offices, two terminals need two", rows.len());
    Ok([rows[0][0].text()?.to_owned(), rows[1][0].text()?.to_owned()])
}

fn start_tray(
    folder: &Path,
    port: u16,
    cards: &Path,
    pcscd: &Pcscd,
    stripe: &Path,
    origins: &[&str],
) -> Result<Program> {
    let mut command = Command::new(program("desk")?);
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--cards"]).arg(cards);
    command.args(["--terminal", &format!("A1:pcsc:{}", pcscd.port(0))]);
    command.args(["--terminal", &format!("B1:pty:{}", stripe.display())]);
    for origin in origins {
        command.args(["--embed-origin", origin]);
    }
    let mut tray = Program::spawn("desk", command, &folder.join("desk.log"))?;
    tray.wait_for_line("desk: http://", ms(TRAY_LIMIT_MS))?;
    Ok(tray)
}

/// Signs in with the one-time password and sets one that stays, as a person would.
fn new_password(centre: &Centre) -> Result<String> {
    let one_time = centre.founding.split_once("one-time password ").map(|(_, rest)| rest);
    let one_time = one_time.and_then(|rest| rest.split_whitespace().next());
    let one_time = one_time.context("`init` printed no password")?;
    let random = ring::rand::SystemRandom::new();
    let bytes: [u8; 10] =
        ring::rand::generate(&random).map_err(|_| anyhow::anyhow!("failed to get random bytes"))?.expose();
    let new = format!("hufu-{}", data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase());
    let base = format!("http://{}", centre.console);
    let changed = block_on(async {
        let client = plain_client()?;
        let form = |pairs: &[(&str, &str)]| serde_urlencoded(pairs);
        let post = |path: &str, cookie: Option<&str>, body: String| {
            let mut request = client
                .post(format!("{base}{path}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body);
            if let Some(cookie) = cookie {
                request = request.header("cookie", cookie);
            }
            request.send()
        };
        let answer = post("/login", None, form(&[("login", "admin"), ("password", one_time)])).await?;
        let cookie = answer.headers().get("set-cookie").context("no session")?.to_str()?.to_owned();
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let page =
            client.get(format!("{base}/password")).header("cookie", &cookie).send().await?.text().await?;
        let token = page.split_once("name=\"csrf\" value=\"").map(|(_, rest)| rest);
        let token = token.and_then(|rest| rest.split('"').next()).context("the page has no form token")?;
        let body = form(&[("csrf", token), ("old", one_time), ("new", &new), ("repeat", &new)]);
        let answer = post("/password", Some(&cookie), body).await?;
        ensure!(answer.status().is_redirection(), "the new password was answered with {}", answer.status());
        Ok(())
    });
    match changed {
        Ok(()) => Ok(new),
        // The one-time password works as well: its owner is only asked for a new one at the first sign-in.
        Err(error) => {
            tracing::warn!("failed to set a password that stays: {error:#}");
            Ok(one_time.to_owned())
        }
    }
}

/// A form's body; every value here is ASCII without reserved characters but `=`, `&`, `+` and `%`.
fn serde_urlencoded(pairs: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| text.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('=', "%3D");
    pairs.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect::<Vec<_>>().join("&")
}
