//! The tray of virtual cards: what a hand does on its page reaches the real readers.

use crate::kit::{read_uid, wait_for};
use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::kit::pcscd::Pcscd;
use hufu_tests::kit::process::{Program, program};
use pcsc::{Context, Scope, State};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::By;

const LIMIT: Duration = Duration::from_secs(15);
const CARDS: &str = r##"[
  {"label": "欧阳女士", "kind": "pcsc", "uid": "04A22B91", "colour": "#B3141B", "note": "VIP"},
  {"label": "禤先生", "kind": "stripe", "track": ";6225880012345675=2512?"}
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
        let folder = tempfile::tempdir()?;
        let cards = folder.path().join("cards.json");
        std::fs::write(&cards, CARDS)?;
        let mut command = Command::new(program("desk")?);
        command.arg("--cards").arg(&cards).args(["--embed-origin", "http://127.0.0.1:7090"]);
        command
            .arg("--terminal")
            .arg(wiring.replace("LINE", &folder.path().join("stripe").to_string_lossy()));
        let mut program = Program::spawn("desk", command, &folder.path().join("desk.log"))?;
        let line = program.wait_for_line("desk: http://", LIMIT)?;
        let url = line.trim_start_matches("desk: ").trim().to_owned();
        Ok(Self { _program: program, folder, url, client: plain_client()? })
    }

    async fn post(&self, path: &str, body: Value) -> Result<(StatusCode, Value)> {
        let answer = self.client.post(format!("{}{path}", self.url)).json(&body).send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?).unwrap_or(Value::Null)))
    }
}

#[test]
fn desk_swipes_a_stripe_over_the_terminals_line() -> Result<()> {
    let tray = Tray::start("office-b:pty:LINE")?;
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
    let tray = Tray::start("office-b:pty:LINE")?;
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
    let tray = Tray::start(&format!("office-a:pcsc:{}:pty:LINE", pcscd.port(0)))?;
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
