//! Operators at a real terminal: a PIN made by the command, the locked counter, and what a restart does not forgive.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::story::club::OFFICE_A;
use hufu_tests::story::terminal::{Terminal, Wishes};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use super::bad_input::club;

const CLERK: &str = "00000000-0000-7000-8000-000000000002";
const PIN: &str = "271828";

/// Types a PIN into `hufu-edge pin`; whether it was taken.
fn make_pin(terminal: &Terminal, file: &Path, pin: &str) -> Result<bool> {
    let mut command = terminal.command()?;
    command.arg("pin").arg(file).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("failed to start hufu-edge pin")?;
    writeln!(child.stdin.take().context("no standard input")?, "{pin}")?;
    Ok(child.wait()?.success())
}

/// A form as the page sends it: status, where it leads, what it says.
fn form(client: &Client, url: &str, path: &str, body: &str) -> Result<(StatusCode, String, String)> {
    block_on(async {
        let request = client.post(format!("{url}{path}")).header("origin", url);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body.to_owned()).send().await?;
        let status = answer.status();
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("").to_owned();
        Ok((status, to, answer.text().await?))
    })
}

fn leads_to(client: &Client, url: &str, path: &str) -> Result<String> {
    block_on(async {
        let answer = client.get(format!("{url}{path}")).send().await?;
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
        Ok(to.unwrap_or("").to_owned())
    })
}

fn staff(terminal: &Terminal) -> Result<Value> {
    Ok(terminal.counter.state()?["staff"].clone())
}

#[test]
fn an_operator_signs_in_with_a_pin_is_named_on_each_act_and_a_restart_locks_and_forgives_nothing()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let centre = club(&folder.path().join("central"))?;
    let wishes = Wishes { name: "A1".to_owned(), office: OFFICE_A.to_owned(), ..Wishes::default() };
    let mut terminal = Terminal::enrol(&folder.path().join("A1"), &centre, &wishes)?;
    let file = terminal.folder.join("wang.pin");
    ensure!(!make_pin(&terminal, &file, "123456")? && !file.exists(), "what everybody tries first");
    ensure!(make_pin(&terminal, &file, PIN)?, "a PIN");
    let config = terminal.folder.join("edge.toml");
    let mut text = std::fs::read_to_string(&config)?;
    text.push_str(&format!(
        "[[operator]]\nid = \"{CLERK}\"\nname = \"王敏\"\nrole = \"clerk\"\npin_file = {file:?}\n"
    ));
    std::fs::write(&config, &text)?;
    terminal.run()?;
    let (client, url) = (plain_client()?, terminal.counter.url().to_owned());

    ensure!(staff(&terminal)? == serde_json::json!({ "asked": true, "operator": null }), "locked at first");
    let (status, _, said) = form(&client, &url, "/mode", "mode=earn&amount=100")?;
    ensure!(status == StatusCode::CONFLICT && said.contains("前台已锁定"), "{status}: {said}");
    for path in ["/lookup", "/shift", "/today", "/walkin", "/undo/1"] {
        ensure!(leads_to(&client, &url, path)? == "/pin?needs=sign_in", "{path} is open");
    }
    ensure!(leads_to(&client, &url, "/status")?.is_empty(), "the status is for anybody");
    let signing = |pin: &str| form(&client, &url, "/pin", &format!("act=in&operator={CLERK}&pin={pin}"));
    let (status, _, said) = signing("314159")?;
    ensure!(status == StatusCode::FORBIDDEN && said.contains("还可输入 4 次"), "{status}: {said}");
    let (status, to, _) = signing(PIN)?;
    ensure!((status, to.as_str()) == (StatusCode::SEE_OTHER, "/"), "{status} {to}");
    ensure!(staff(&terminal)?["operator"]["name"] == "王敏", "signed in");
    let (status, _, said) = form(&client, &url, "/mode", "mode=cash_out&amount=1&method=cash&slip=1")?;
    ensure!(status == StatusCode::CONFLICT && said.contains("此操作需由主管办理"), "{status}: {said}");
    ensure!(leads_to(&client, &url, "/tablets")? == "/pin?needs=supervisor", "tablets are a supervisor's");
    let (status, _, said) = form(&client, &url, "/shift", "act=open&cash=500&gifts=40&blank_cards=12")?;
    ensure!(status == StatusCode::OK && said.contains("已开班"), "{status}: {said}");

    terminal.kill()?;
    terminal.run()?;
    ensure!(staff(&terminal)?["operator"].is_null(), "a restart locks");
    for left in (1..5).rev() {
        let (status, _, said) = signing("314159")?;
        ensure!(status == StatusCode::FORBIDDEN && said.contains(&format!("还可输入 {left} 次")), "{said}");
        if left == 3 {
            terminal.kill()?;
            terminal.run()?;
        }
    }
    ensure!(signing("314159")?.2.contains("PIN 输错次数过多"), "the fifth");
    let (status, _, said) = signing(PIN)?;
    ensure!(status == StatusCode::FORBIDDEN && said.contains("PIN 输错次数过多"), "not even the right one");
    terminal.stop()?;

    let journal = terminal.journal()?;
    let named: Vec<(&str, bool)> = journal
        .facts
        .iter()
        .filter(|stored| stored.fact.event.name() != "booted")
        .map(|stored| &stored.fact)
        .map(|fact| (fact.event.name(), fact.operator.is_some_and(|id| id.to_string() == CLERK)))
        .collect();
    ensure!(named == [("operator_signed_in", true), ("shift_opened", true)], "{named:?}");
    Ok(())
}
