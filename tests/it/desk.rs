//! The tray of virtual cards: what a hand does on its page reaches the real readers.

use crate::kit::{read_uid, wait_for};
use anyhow::{Context as _, Result, ensure};
use hufu_hardware::card::{CardEvent, CardSource, Entry, Medium, MonotonicClock, Running};
use hufu_hardware::framed::{Dialect, FramedSource};
use hufu_hardware::pcsc::mode::{Aid, Content, FileRef, KeySlot, Piece};
use hufu_hardware::pcsc::{PcscSource, ReadMode};
use hufu_tests::desk::cards::{APPLICATION, FILE, KEY, PAGE, SECTOR};
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::clock;
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::kit::pcscd::Pcscd;
use hufu_tests::kit::process::{Program, program};
use pcsc::{Context, Scope, State};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::By;

const LIMIT: Duration = Duration::from_secs(15);
const CARDS: &str = r##"[
  {"label": "欧阳女士", "kind": "pcsc", "uid": "04A22B91", "colour": "#B3141B", "note": "VIP"},
  {"label": "禤先生", "kind": "stripe", "track": ";6225880012345675=2512?"},
  {"label": "扇区卡", "kind": "sector", "uid": "04A22B92", "number": "80001234"},
  {"label": "NTAG", "kind": "ntag", "uid": "04A22B93445566", "number": "80001235"},
  {"label": "CPU 卡", "kind": "file", "uid": "04A22B94", "number": "80001236"},
  {"label": "ID 卡", "kind": "chip", "number": "0040856634"},
  {"label": "双轨卡", "kind": "stripe", "track": "%B80001237^MEMBER/HUFU^4912101?;80001237=4912101?"},
  {"label": "二维码", "kind": "code", "text": "80001238"}
]"##;

/// A running tray and a client for it.
struct Tray {
    _program: Program,
    folder: TempDir,
    url: String,
    client: Client,
}

impl Tray {
    fn start(wiring: &str) -> Result<Self> {
        Self::start_with(wiring, &[])
    }

    /// LINE in a wiring stands for a path in the tray's folder.
    fn start_with(wiring: &str, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cards = folder.path().join("cards.json");
        std::fs::write(&cards, CARDS)?;
        let mut command = Command::new(program("desk")?);
        command.arg("--cards").arg(&cards).args(["--embed-origin", "http://127.0.0.1:7090"]);
        command.args(arguments);
        command
            .arg("--terminal")
            .arg(wiring.replace("LINE", &folder.path().join("stripe").to_string_lossy()));
        let mut program = Program::spawn("desk", command, &folder.path().join("desk.log"))?;
        let line = program.wait_for_line("desk: http://", LIMIT)?;
        let url = line.trim_start_matches("desk: ").trim().to_owned();
        Ok(Self { _program: program, folder, url, client: plain_client()? })
    }

    fn line(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Does it, and wants it done.
    async fn must(&self, path: &str, body: Value) -> Result<Value> {
        let (status, answer) = self.post(path, body).await?;
        ensure!(status.is_success(), "{path} was answered with {status}: {answer}");
        Ok(answer)
    }

    async fn terminal(&self) -> Result<Value> {
        let answer = self.client.get(format!("{}/terminals", self.url)).send().await?;
        Ok(serde_json::from_slice::<Value>(&answer.bytes().await?)?[0].clone())
    }

    async fn post(&self, path: &str, body: Value) -> Result<(StatusCode, Value)> {
        let answer = self.client.post(format!("{}{path}", self.url)).json(&body).send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null)))
    }
}

#[test]
fn desk_swipes_a_stripe_over_the_terminals_line() -> Result<()> {
    let tray = Tray::start("office-b,stripe=LINE")?;
    let mut line = std::fs::File::open(tray.folder.path().join("stripe"))?;
    let swiped = block_on(tray.post("/terminals/office-b/swipe", json!({ "card": "禤先生" })))?;
    ensure!(swiped.0 == StatusCode::NO_CONTENT, "{swiped:?}");
    let mut bytes = [0_u8; 25];
    line.read_exact(&mut bytes)?;
    ensure!(&bytes == b";6225880012345675=2512?\r\n", "got {}", String::from_utf8_lossy(&bytes));
    Ok(())
}

#[test]
fn desk_refuses_with_a_code_and_says_who_may_frame_it() -> Result<()> {
    let tray = Tray::start("office-b,stripe=LINE")?;
    block_on(async {
        for (path, card, status, code) in [
            ("/terminals/office-b/swipe", "谁", StatusCode::NOT_FOUND, "unknown-card"),
            ("/terminals/nowhere/swipe", "禤先生", StatusCode::NOT_FOUND, "unknown-terminal"),
            ("/terminals/office-b/swipe", "欧阳女士", StatusCode::UNPROCESSABLE_ENTITY, "wrong-kind"),
            ("/terminals/office-b/tap", "欧阳女士", StatusCode::UNPROCESSABLE_ENTITY, "no-device"),
        ] {
            let answer = tray.post(path, json!({ "card": card })).await?;
            ensure!(answer == (status, json!({ "code": code })), "{path} {card}: {answer:?}");
        }
        let form =
            tray.client.post(format!("{}/terminals/office-b/swipe", tray.url)).body("card=禤先生").send();
        ensure!(form.await?.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE, "a foreign form got through");
        let page = tray.client.get(format!("{}/?lang=en", tray.url)).send().await?;
        let policy = page.headers().get("content-security-policy").context("no policy")?.to_str()?.to_owned();
        ensure!(policy.contains("default-src 'none'"), "{policy}");
        ensure!(policy.ends_with("frame-ancestors 'self' http://127.0.0.1:7090"), "{policy}");
        ensure!(page.text().await?.contains("Card tray"));
        Ok(())
    })
}

#[test]
fn desk_tap_by_http_and_by_hand_reaches_pcscd() -> Result<()> {
    let pcscd = Pcscd::start(1)?;
    let reader = pcscd.reader_name(0);
    let tray = Tray::start(&format!("office-a,uid={},stripe=LINE", pcscd.port(0)))?;
    let context = Context::establish(Scope::User)?;
    block_on(async {
        let put = tray.post("/terminals/office-a/insert", json!({ "card": "欧阳女士" })).await?;
        ensure!(put.0 == StatusCode::NO_CONTENT, "{put:?}");
        wait_for(&context, &reader, State::PRESENT)?;
        ensure!(read_uid(&context, &reader)?.starts_with(&[0x04, 0xA2, 0x2B, 0x91]));
        let again = tray.post("/terminals/office-a/tap", json!({ "card": "欧阳女士" })).await?;
        ensure!(again.0 == StatusCode::CONFLICT, "{again:?}");
        let taken = tray.post("/terminals/office-a/remove", json!({})).await?;
        ensure!(taken == (StatusCode::OK, json!({ "read": true })), "{taken:?}");
        wait_for(&context, &reader, State::EMPTY)?;
        // Nobody reads the card now, and the tray says so.
        let tapped =
            tray.post("/terminals/office-a/tap", json!({ "card": "欧阳女士", "hold_ms": 600 })).await?;
        ensure!(tapped == (StatusCode::OK, json!({ "read": false })), "{tapped:?}");

        let browser = Browser::start("zh-CN").await?;
        browser.open(&tray.url).await?;
        browser.wait_for_text("读卡器上没有卡", LIMIT).await?;
        browser.driver().find(By::Css(".card.pcsc")).await?.click().await?;
        browser.driver().find(By::Css(".terminal button:nth-of-type(2)")).await?.click().await?;
        wait_for(&context, &reader, State::PRESENT)?;
        browser.wait_for_text("读卡器上： 欧阳女士", LIMIT).await?;
        browser.quit().await
    })
}

/// A real source over the tray's device; what it tells comes as short words.
struct Listener {
    events: Receiver<CardEvent>,
    _running: Running,
}

impl Listener {
    fn start(source: Box<dyn CardSource>) -> Result<Self> {
        let start = clock::now();
        let clock =
            MonotonicClock::new(move || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let (sender, events) = channel();
        Ok(Self { _running: source.start(sender.into(), clock)?, events })
    }

    fn expect(&self, wanted: &str) -> Result<()> {
        let mut met = Vec::new();
        loop {
            let event = self.events.recv_timeout(LIMIT).with_context(|| format!("{wanted}; met {met:?}"))?;
            let word = match &event {
                CardEvent::Presented(read) => match &read.medium {
                    Medium::Uid(uid) => format!("uid {}", data_encoding::HEXUPPER.encode(uid)),
                    Medium::Number(number) | Medium::Stripe { number, .. } => format!("number {number}"),
                    other => format!("{other:?}"),
                },
                CardEvent::Entered { entry: Entry::Number(number), .. } => format!("entered {number}"),
                CardEvent::Entered { entry: Entry::Amount(amount), .. } => format!("amount {amount}"),
                CardEvent::SourceUp { .. } => "up".to_owned(),
                CardEvent::SourceDown { .. } => "down".to_owned(),
                CardEvent::Removed { .. } => "removed".to_owned(),
                other => format!("{other:?}"),
            };
            if word == wanted {
                return Ok(());
            }
            met.push(word);
        }
    }
}

/// The ways in which the tray's contactless cards can be known.
fn modes(folder: &std::path::Path) -> Result<[ReadMode; 4]> {
    let key_file = folder.join("m1.key");
    std::fs::write(&key_file, data_encoding::HEXUPPER.encode(&KEY))?;
    std::fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let piece = Piece { offset: 0, length: 16, content: Content::Text };
    let application = Aid::new(APPLICATION);
    ensure!(application.is_some(), "the tray's application has no name");
    Ok([
        ReadMode::Uid,
        ReadMode::Classic { sector: SECTOR, block: 0, key: KeySlot::A, key_file, piece },
        ReadMode::Pages { first: PAGE, piece },
        ReadMode::File { application, file: FileRef::Id(FILE), piece },
    ])
}

#[test]
fn desk_every_contactless_kind_is_read_and_the_reader_can_be_unplugged_pcscd() -> Result<()> {
    let tray = Tray::start_with("office-a,uid=#0,sector=#1,ntag=#2,file=#3", &["--slots", "4"])?;
    let wired = tray._program.log();
    let wired = wired.lines().find_map(|line| line.strip_prefix("wired: ")).context("it wired nothing")?;
    let wired: Value = serde_json::from_str(wired)?;
    ensure!(wired["service"]["namespace"].is_null(), "another smart-card service runs on this machine");
    let names = wired["service"]["readers"].as_array().context("it named no readers")?;
    let mut listeners = Vec::new();
    for (name, mode) in names.iter().zip(modes(tray.folder.path())?) {
        let name = name.as_str().context("a reader's name")?;
        listeners.push(Listener::start(Box::new(PcscSource::new(0, name).reading(mode)))?);
    }
    let kinds = [("欧阳女士", "uid 04A22B91"), ("扇区卡", "number 80001234"), ("NTAG", "number 80001235")];
    let kinds = [&kinds[..], &[("CPU 卡", "number 80001236")]].concat();
    block_on(async {
        for ((card, wanted), listener) in kinds.iter().zip(&listeners) {
            listener.expect("up")?;
            let tapped = tray.must("/terminals/office-a/tap", json!({ "card": card })).await?;
            ensure!(tapped["read"] == true, "{card}: {tapped}");
            listener.expect(wanted)?;
        }
        let reader = |plugged| json!({ "cable": "reader", "plugged": plugged });
        tray.must("/terminals/office-a/cable", reader(false)).await?;
        listeners[0].expect("down")?;
        ensure!(tray.terminal().await?["cables"] == json!([{ "name": "reader", "plugged": false }]));
        let nowhere = tray.post("/terminals/office-a/tap", json!({ "card": "欧阳女士" })).await?;
        ensure!(nowhere.0 == StatusCode::SERVICE_UNAVAILABLE, "{nowhere:?}");
        tray.must("/terminals/office-a/cable", reader(true)).await?;
        listeners[0].expect("up")?;
        tray.must("/terminals/office-a/tap", json!({ "card": "欧阳女士" })).await?;
        listeners[0].expect("uid 04A22B91")
    })
}

#[test]
fn desk_chips_tracks_and_codes_come_over_their_own_lines() -> Result<()> {
    let tray = Tray::start("office-b,stripe=LINE,chip=LINE-chip,code=LINE-code")?;
    block_on(async {
        for (line, deed, card, wanted) in [
            ("stripe", "swipe", "双轨卡", "%B80001237^MEMBER/HUFU^4912101?;80001237=4912101?\r\n"),
            ("stripe-chip", "tap", "ID 卡", "0040856634\r\n"),
            ("stripe-code", "scan", "二维码", "80001238\r\n"),
        ] {
            let mut port = std::fs::File::open(tray.line(line))?;
            tray.must(&format!("/terminals/office-b/{deed}"), json!({ "card": card })).await?;
            let mut bytes = vec![0_u8; wanted.len()];
            port.read_exact(&mut bytes)?;
            ensure!(bytes == wanted.as_bytes(), "{card}: {}", String::from_utf8_lossy(&bytes));
        }
        let wrong = tray.post("/terminals/office-b/scan", json!({ "card": "ID 卡" })).await?;
        ensure!(wrong.1 == json!({ "code": "wrong-kind" }), "{wrong:?}");
        Ok(())
    })
}

#[test]
fn desk_keys_of_the_swipe_terminal_reach_the_real_source_and_its_display_shows_prompts() -> Result<()> {
    let tray = Tray::start("office-b,keys=LINE")?;
    let (source, desk) = FramedSource::new(0, tray.line("stripe"), 9_600, Dialect::Binary);
    let listener = Listener::start(Box::new(source))?;
    block_on(async {
        listener.expect("up")?;
        tray.must("/terminals/office-b/keys", json!({ "keys": "80001234E" })).await?;
        listener.expect("entered 80001234")?;
        tray.must("/terminals/office-b/amount", json!({ "fen": 12_500 })).await?;
        listener.expect("amount 12500")?;
        tray.must("/terminals/office-b/keyed_swipe", json!({ "card": "双轨卡" })).await?;
        listener.expect("number 80001237")?;
        desk.show(&["签到成功", "欢迎光临"]);
        let shown = |face: &Value| face["lines"][0] == "签到成功" && face["lines"][1] == "欢迎光临";
        let end = clock::now() + LIMIT;
        while !shown(&tray.terminal().await?["keys"]) {
            ensure!(clock::now() < end, "its display shows {}", tray.terminal().await?["keys"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for wrong in [json!({ "keys": "12?" }), json!({ "keys": "" })] {
            let answer = tray.post("/terminals/office-b/keys", wrong).await?;
            ensure!(answer.1 == json!({ "code": "wrong-input" }), "{answer:?}");
        }
        let cable = |plugged| json!({ "cable": "keys", "plugged": plugged });
        tray.must("/terminals/office-b/cable", cable(false)).await?;
        listener.expect("down")?;
        ensure!(!tray.line("stripe").exists(), "the port is still there");
        tray.must("/terminals/office-b/cable", cable(true)).await?;
        listener.expect("up")?;
        tray.must("/terminals/office-b/keys", json!({ "keys": "80001235E" })).await?;
        listener.expect("entered 80001235")
    })
}

#[test]
fn desk_network_and_printer_can_be_pulled() -> Result<()> {
    let centre = TcpListener::bind("127.0.0.1:0")?;
    let wiring = format!("office-b,printer=LINE,net={}", centre.local_addr()?);
    let tray = Tray::start(&wiring)?;
    let wired = tray._program.log();
    let wired = wired.lines().find_map(|line| line.strip_prefix("wired: ")).context("it wired nothing")?;
    let port = serde_json::from_str::<Value>(wired)?["nets"]["office-b"].as_u64().context("no cable")?;
    let port = u16::try_from(port)?;
    let cable = |name: &str, plugged: bool| json!({ "cable": name, "plugged": plugged });
    block_on(async {
        let mut before = TcpStream::connect(("127.0.0.1", port))?;
        before.set_read_timeout(Some(LIMIT))?;
        before.write_all(b"?")?;
        let (mut met, _) = centre.accept()?;
        met.read_exact(&mut [0])?;
        tray.must("/terminals/office-b/cable", cable("net", false)).await?;
        ensure!(before.read(&mut [0]).unwrap_or(0) == 0, "the connection outlived its cable");
        tray.must("/terminals/office-b/cable", cable("net", true)).await?;
        let mut after = TcpStream::connect(("127.0.0.1", port))?;
        after.write_all(b"!")?;
        centre.accept()?.0.read_exact(&mut [0])?;

        let mut paper = std::fs::File::options().read(true).write(true).open(tray.line("stripe"))?;
        paper.write_all(b"\x1b@Hufu\n\x1dV\x00")?;
        let end = clock::now() + LIMIT;
        while tray.terminal().await?["printed"] == 0 {
            ensure!(clock::now() < end, "nothing was printed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // A question is answered: the roll is in, then it is not.
        tray.must("/terminals/office-b/paper", json!({ "out": true })).await?;
        paper.write_all(b"\x10\x04\x04")?;
        let mut answer = [0];
        paper.read_exact(&mut answer)?;
        ensure!(answer[0] & 0x60 == 0x60, "it says {answer:02X?}");
        tray.must("/terminals/office-b/cable", cable("printer", false)).await?;
        ensure!(!tray.line("stripe").exists(), "the printer is still there");
        let none = tray.post("/terminals/office-b/cable", cable("reader", false)).await?;
        ensure!(none.1 == json!({ "code": "no-device" }), "{none:?}");
        Ok(())
    })
}
