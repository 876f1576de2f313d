//! What the demo runs: a generated club, its centre, two terminals behind breakable cables, the tray of cards.

use anyhow::{Context as _, Result, ensure};
use hufu_shared::ids::MemberId;
use hufu_tests::desk::cards::{APPLICATION, FILE, KEY, PAGE, SECTOR};
use hufu_tests::kit::http::block_on;
use hufu_tests::kit::process::{Program, program};
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli;
use hufu_tests::story::journal::Journal;
use hufu_tests::story::model::Place;
use hufu_tests::story::session::{Session, new_password};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
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
    /// The port of the reader of serial numbers.
    pub slot: u16,
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
        let mut centre = Centre::found_ago(&folder.join("central"), &[origin.to_owned()], DAYS + 2)?;
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
        say("starting the tray with a private smart-card service");
        let (tray, wired) = start_tray(folder, &centre, &cards_file, origin)?;
        let tray_url = wired.url.clone();
        say("enrolling and starting two terminals");
        let embed = vec![origin.to_owned()];
        let office = office_codes(&centre)?;
        let key_file = key_file(folder)?;
        let wishes_a = Wishes {
            name: "A1".to_owned(),
            office: office[0].clone(),
            readers: devices_of_a(folder, &wired, &key_file),
            display: "240x240".to_owned(),
            embed: embed.clone(),
            simulator: tray_url.clone(),
            namespace: wired.namespace,
            ..Wishes::default()
        };
        let wishes_b = Wishes {
            name: "B1".to_owned(),
            office: office[1].clone(),
            readers: devices_of_b(folder),
            display: "128x64 mono".to_owned(),
            namespace: None,
            ..wishes_a.clone()
        };
        let mut a = Terminal::enrol(&folder.join("a"), &centre, &wishes_a)?;
        let mut b = Terminal::enrol(&folder.join("b"), &centre, &wishes_b)?;
        // The tray's cable lies between the terminal's and the centre: each can be pulled.
        for (terminal, port) in [(&a, wired.nets[0]), (&b, wired.nets[1])] {
            terminal.cable.lead_to((Ipv4Addr::LOCALHOST, port).into());
        }
        let counters = [a.counter.url().to_owned(), b.counter.url().to_owned()];
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
        Ok(Self { things, _tray: tray, centre, slot: wired.slot, tray_url, cards, password, counters })
    }

    /// The things that hands can change.
    pub fn things(&self) -> MutexGuard<'_, Things> {
        // Every hand leaves the things whole, or says that it failed.
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh code for the phone of the member of this number, as the club's own app would ask for it.
    ///
    /// # Errors
    /// When there is no such member, or the centre gives none.
    pub fn member_code(&self, number: &str) -> Result<String> {
        let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ensure!(plain, "`{number}` is no member's number");
        let rows = self.centre.engine.rows(&format!("SELECT id FROM member WHERE number = '{number}'"))?;
        let id = rows.first().context("there is no such member")?[0].bytes()?.try_into();
        let id = MemberId(id.map_err(|_| anyhow::anyhow!("a member's id has 16 bytes"))?);
        block_on(async {
            let session = Session::enter(&self.centre, &self.password).await?;
            let answer = session.post(&format!("/api/v1/members/{id}/code"), &[]).await?;
            let answer: Value = answer.error_for_status()?.json().await?;
            Ok(answer["code"].as_str().context("the centre gave no code")?.to_owned())
        })
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

/// Codes of the first two offices, by code.
fn office_codes(centre: &Centre) -> Result<[String; 2]> {
    let rows = centre.engine.rows("SELECT code FROM office ORDER BY code")?;
    ensure!(rows.len() >= 2, "the generated club has {} offices, two terminals need two", rows.len());
    Ok([rows[0][0].text()?.to_owned(), rows[1][0].text()?.to_owned()])
}

/// How the tray's devices are reached.
struct Wired {
    url: String,
    /// The port of the reader of serial numbers.
    slot: u16,
    /// Names of its readers: serial numbers, sectors, pages, files.
    readers: Vec<String>,
    namespace: Option<i32>,
    /// Ports of the network cables of A and B.
    nets: [u16; 2],
}

fn start_tray(folder: &Path, centre: &Centre, cards: &Path, origin: &str) -> Result<(Program, Wired)> {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(program("desk")?);
    command.args(["--slots", "4", "--cards"]).arg(cards);
    let (code, printer, stripe, chip, keys) =
        (at("code"), at("printer"), at("stripe"), at("chip"), at("keys"));
    let net = centre.device;
    command.args([
        "--terminal",
        &format!("A1,uid=#0,sector=#1,ntag=#2,file=#3,code={code},printer={printer},net={net}"),
        "--terminal",
        &format!("B1,stripe={stripe},chip={chip},keys={keys},net={net}"),
        "--codes",
        &format!("{origin}/code/"),
        // The counter pages, whose ports are not chosen yet, show it too.
        "--embed-origin",
        origin,
        "--embed-origin",
        "http://127.0.0.1:*",
    ]);
    let mut tray = Program::spawn("desk", command, &folder.join("desk.log"))?;
    let url = tray.wait_for_line("desk: http://", ms(TRAY_LIMIT_MS))?.replace("desk: ", "");
    let wired = tray.wait_for_line("wired: ", ms(TRAY_LIMIT_MS))?;
    let wired: Value = serde_json::from_str(wired.trim_start_matches("wired: "))?;
    let port = |value: &Value| -> Result<u16> { Ok(u16::try_from(value.as_u64().context("no port")?)?) };
    let service = &wired["service"];
    let names = service["readers"].as_array().context("the tray named no readers")?;
    let readers = names.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
    let namespace = service["namespace"].as_i64().map(i32::try_from).transpose()?;
    let nets = [port(&wired["nets"]["A1"])?, port(&wired["nets"]["B1"])?];
    let slot = port(&service["ports"][0])?;
    Ok((tray, Wired { url: url.trim().to_owned(), slot, readers, namespace, nets }))
}

/// The key of the cards' sector, where only this terminal can read it.
fn key_file(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("m1.key");
    std::fs::write(&path, data_encoding::HEXUPPER.encode(&KEY))
        .context("failed to write the sector's key")?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .context("failed to guard the sector's key")?;
    Ok(path)
}

/// A reader for each way in which a contactless card can be known, a scanner, a printer.
fn devices_of_a(folder: &Path, wired: &Wired, key_file: &Path) -> String {
    let application = data_encoding::HEXUPPER.encode(APPLICATION);
    let reads = [
        "read = \"uid\"".to_owned(),
        format!("read = \"classic\"\nsector = {SECTOR}\nkey_file = {key_file:?}"),
        format!("read = \"pages\"\npage = {PAGE}"),
        format!("read = \"file\"\napplication = {application:?}\nfile = \"{FILE:04X}\""),
    ];
    let reader = |(name, read)| format!("[[reader]]\nkind = \"pcsc\"\nname_contains = {name:?}\n{read}\n");
    let readers: String = wired.readers.iter().zip(&reads).map(reader).collect();
    let (code, printer) = (folder.join("code"), folder.join("printer"));
    format!(
        "{readers}[[reader]]\nkind = \"serial\"\nport = {code:?}\nprotocol = \"line\"\n\
         [printer]\nkind = \"serial\"\nport = {printer:?}\n"
    )
}

/// A stripe reader, a reader of 125 kHz chips, a swipe terminal with keys.
fn devices_of_b(folder: &Path) -> String {
    let devices = [
        ("stripe", "iso7813\""),
        ("chip", "125khz\"\nform = \"8H10D\""),
        ("keys", "keypad\"\ndialect = \"binary\""),
    ];
    let reader = |(name, protocol)| {
        let port = folder.join(name);
        format!("[[reader]]\nkind = \"serial\"\nport = {port:?}\nprotocol = \"{protocol}\n")
    };
    devices.map(reader).concat()
}
