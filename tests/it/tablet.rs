//! A tablet over the network: paired by the code on the member display of a real terminal, kept over a kill, unpaired.

use anyhow::{Context as _, Result, ensure};
use hufu_edge::locale::Language;
use hufu_edge::rules::screen::{Face, code_words};
use hufu_edge::run::effects::screen;
use hufu_hardware::layout;
use hufu_hardware::panel::{Depth, Panel as _, PngPanel};
use hufu_hardware::text::Fonts;
use hufu_shared::ids::Hash;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_tests::kit::clock;
use hufu_tests::kit::http::{block_on, pinned_client, plain_client};
use hufu_tests::kit::process::free_port;
use hufu_tests::story::cli::{must, run};
use hufu_tests::story::club::OFFICE_A;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::bad_input::{LIMIT_MS, club};

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;
const SIZE: embedded_graphics::prelude::Size = embedded_graphics::prelude::Size::new(320, 240);
const COOKIE: &str = "__Host-hufu-tablet=";

/// Asks as a browser does, with the key of a tablet or none.
async fn get(client: &Client, url: &str, key: Option<&str>) -> Result<(StatusCode, String)> {
    let mut request = client.get(url).header("accept", "text/html");
    if let Some(key) = key {
        request = request.header("cookie", format!("{COOKIE}{key}"));
    }
    let answer = request.send().await?;
    Ok((answer.status(), answer.text().await?))
}

async fn pair(client: &Client, url: &str, code: &str) -> Result<(StatusCode, Option<String>)> {
    let request = client.post(format!("{url}/pair")).header("origin", url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(format!("code={code}&name=Desk+1")).send().await?;
    let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().map(str::to_owned));
    let key = cookie
        .transpose()?
        .and_then(|cookie| Some(cookie.strip_prefix(COOKIE)?.split(';').next()?.to_owned()));
    Ok((answer.status(), key))
}

/// Whether the member display shows this code, to the pixel, within the minute before or after now.
fn is_shown(terminal: &Terminal, offered: &Value) -> Result<()> {
    let text = |name: &str| offered[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    let (code, fingerprint) = (text("code")?, text("fingerprint")?);
    let until = Instant(offered["until"].as_i64().context("no time")?);
    let (one, two) = code.split_at(4);
    let beginning: Vec<&str> = fingerprint.split(' ').take(4).collect();
    let words = code_words(format!("{one} {two}"), until.display_time(ZONE), beginning.join(" "));
    let (fonts, path) = (Fonts::load(), terminal.folder.join("expected.png"));
    let shown = clock::poll(ms(LIMIT_MS), || {
        let now = until.offset(-300 * SECOND_US);
        (0..3).find_map(|minute| {
            let footer = now.offset(minute * 60 * SECOND_US).display_time(ZONE);
            let screen = screen(Face::Pairing, &words, true, Some(footer), Language::Zh);
            let mut panel = PngPanel::new(&path, SIZE, Depth::Rgb);
            layout::draw(&screen, &fonts, panel.frame_mut(), Depth::Rgb, 0);
            panel.flush().ok()?;
            let same = std::fs::read(&path).ok()? == std::fs::read(terminal.picture()).ok()?;
            same.then_some(())
        })
    });
    shown.with_context(|| format!("the display does not show {code}: {}", terminal.picture().display()))
}

#[test]
fn a_tablet_is_paired_by_the_display_stays_over_a_kill_and_is_gone_when_it_is_unpaired() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let wishes = Wishes {
        name: "A1".to_owned(),
        office: OFFICE_A.to_owned(),
        display: "320x240".to_owned(),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(&folder.path().join("A1"), &centre, &wishes)?;
    terminal.run()?;
    let said = run(terminal.command()?.arg("pair"))?;
    ensure!(said.code == 1 && said.err.contains("set counter.tablets"), "{said:?}");
    terminal.stop()?;

    let (config, port) = (terminal.folder.join("edge.toml"), free_port()?);
    let text = std::fs::read_to_string(&config)?;
    std::fs::write(
        &config,
        text.replace("[counter]\n", &format!("[counter]\ntablets = \"127.0.0.1:{port}\"\n")),
    )?;
    terminal.run()?;
    let pem = std::fs::read_to_string(terminal.data_dir().join("tablets.pem"))?;
    let at = pem.find("-----BEGIN CERTIFICATE").context("no certificate")?;
    let client = pinned_client(&pem[at..])?;
    let url = format!("https://127.0.0.1:{port}");
    block_on(async {
        ensure!(get(&plain_client()?, &format!("http://127.0.0.1:{port}/"), None).await.is_err(), "plain");
        ensure!(get(&plain_client()?, &url, None).await.is_err(), "a certificate that nobody compared");
        let (status, page) = get(&client, &url, None).await?;
        ensure!(status == StatusCode::UNAUTHORIZED && page.contains("action=\"/pair\""), "{status}: {page}");
        let (status, _) = get(&client, &format!("{url}/state.json"), None).await?;
        ensure!(status == StatusCode::UNAUTHORIZED, "{status}");
        Ok(())
    })?;

    let offered: Value = serde_json::from_str(&must(terminal.command()?.args(["pair", "--json"]))?)?;
    is_shown(&terminal, &offered)?;
    let der = rustls_pem(&pem[at..])?;
    let digits: String = Hash::of(&[&der]).0.iter().map(|byte| format!("{byte:02X}")).collect();
    let told = offered["fingerprint"].as_str().unwrap_or_default().replace(' ', "");
    ensure!(told == digits, "{told} is not {digits}");
    let code = offered["code"].as_str().context("no code")?;
    let (status, key) = block_on(pair(&client, &url, code))?;
    let key = key.with_context(|| format!("not paired: {status}"))?;
    ensure!(block_on(pair(&client, &url, code))?.1.is_none(), "the code was used up");

    terminal.kill()?;
    terminal.run()?;
    let state = format!("{url}/state.json");
    let (status, body) = block_on(get(&client, &state, Some(&key)))?;
    ensure!(status == StatusCode::OK && body.contains("\"version\""), "{status} after the kill");
    block_on(async {
        let request = client.get(format!("{url}/live")).header("cookie", format!("{COOKIE}{key}"));
        let mut live = request.send().await?;
        ensure!(live.chunk().await?.is_some(), "the stream says nothing");
        let listed: Value =
            serde_json::from_str(&must(terminal.command()?.args(["pair", "--list", "--json"]))?)?;
        let one = &listed[0];
        ensure!(one["name"] == "Desk 1" && one["online"] == true && listed[1].is_null(), "{listed}");
        let n = one["n"].to_string();
        must(terminal.command()?.args(["pair", "--revoke", &n]))?;
        let ended = async { while let Ok(Some(_)) = live.chunk().await {} };
        tokio::time::timeout(ms(2_000), ended)
            .await
            .context("the open stream of an unpaired tablet goes on")?;
        let (status, body) = get(&client, &state, Some(&key)).await?;
        ensure!(status == StatusCode::UNAUTHORIZED && !body.contains("version"), "{status}");
        Ok(())
    })?;
    let said = run(terminal.command()?.args(["pair", "--revoke", "1"]))?;
    ensure!(said.code == 1, "{said:?}");
    let own = terminal.counter.state()?;
    ensure!(own.is_object(), "the board's own page goes on");
    terminal.stop()
}

/// The certificate's bytes.
fn rustls_pem(text: &str) -> Result<Vec<u8>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    Ok(CertificateDer::from_pem_slice(text.as_bytes())?.to_vec())
}
