//! The pages of the counter in a real browser: every one is visited, axe-core finds nothing, and the page that stands
//! open outlives its terminal.

use anyhow::{Context as _, Result, ensure};
use hufu_shared::ids::Hash;
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::http::block_on;
use hufu_tests::kit::process::tree_root;
use hufu_tests::pages::check::{self, Axe};
use hufu_tests::pages::serve::Served;
use hufu_tests::pages::{complete, routes, scenes, spread};
use hufu_tests::story::centre::Centre;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use std::path::Path;
use std::time::Duration;
use thirtyfour::By;

/// Browsers that share the visits.
const BROWSERS: usize = 2;
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn ui_g02_counter_pages_have_nothing_that_axe_objects_to() -> Result<()> {
    let scenes = scenes::all();
    complete(&routes::of_counter(&tree_root())?, &scenes)?;
    let visits = spread(&scenes);
    let axe = Axe::load()?;
    let half = visits.len().div_ceil(BROWSERS);
    let wrong: Vec<String> = block_on(async {
        let (one, other) = visits.split_at(half);
        let (one, other) = tokio::join!(visit(one, &axe), visit(other, &axe));
        anyhow::Ok([one?, other?].concat())
    })?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn visit(visits: &[(&scenes::Scene, hufu_tests::pages::Look)], axe: &Axe) -> Result<Vec<String>> {
    let (served, browser) = (Served::start().await?, Browser::start("zh-CN").await?);
    let mut wrong = Vec::new();
    for met in visits {
        if let Err(error) = check::scene(&browser, axe, &served, *met, None).await {
            wrong.push(format!("{error:#}"));
        }
    }
    browser.quit().await?;
    Ok(wrong)
}

/// A check that can find nothing proves nothing.
#[test]
fn ui_g02_axe_objects_to_a_page_that_is_wrong() -> Result<()> {
    block_on(async {
        let browser = Browser::start("zh-CN").await?;
        browser
            .open("data:text/html,<html><body><img src='x'><p style='color:%23ccc'>pale</p></body></html>")
            .await?;
        let met = Axe::load()?.violations(&browser).await?.join("\n");
        for rule in ["image-alt", "html-has-lang", "color-contrast"] {
            ensure!(met.contains(rule), "{rule} is not in:\n{met}");
        }
        browser.quit().await
    })
}

#[test]
fn what_lies_in_the_vendor_folder_is_what_its_lock_says() -> Result<()> {
    let folder = tree_root().join("tests/vendor");
    let lock: toml::Table = std::fs::read_to_string(folder.join("assets.lock"))?.parse()?;
    let packages = lock["package"].as_array().context("no packages")?;
    let mut listed = 0;
    for package in packages {
        for (path, hash) in package["files"].as_table().context("no files")? {
            let bytes = std::fs::read(folder.join(path)).with_context(|| path.clone())?;
            ensure!(hash.as_str() == Some(&Hash::of(&[&bytes]).to_string()), "{path} was changed");
            listed += 1;
        }
    }
    let mut there = 0;
    for package in std::fs::read_dir(&folder)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        there += std::fs::read_dir(package.path())?.count();
    }
    ensure!(there == listed, "{there} files lie there, {listed} are listed");
    Ok(())
}

fn terminal(folder: &Path, centre: &Centre) -> Result<Terminal> {
    let wishes = Wishes {
        name: "A1".to_owned(),
        office: OFFICE_A.to_owned(),
        display: "320x240".to_owned(),
        ..Wishes::default()
    };
    let mut terminal = Terminal::enrol(folder, centre, &wishes)?;
    terminal.run()?;
    terminal.counter.wait("activity", ms(60_000), |state| {
        let runs = state["activities"].as_array()?.iter().any(|row| row["running"] == true);
        runs.then_some(())
    })?;
    Ok(terminal)
}

/// Staff must be able to read what the last guest came to, and know that it may be out of date, while the terminal
/// comes up again; nobody reloads the page.
#[test]
fn the_page_that_stands_open_outlives_its_terminal_and_finds_it_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cast = Cast::new();
    let number = cast.buyer.card.clone().context("no number to type")?;
    let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
    for (kind, csv) in [
        ("offices", club::offices_csv()),
        ("members", cast.members_csv()),
        ("cards", cast.cards_csv()),
        ("activities", club::activities_csv()),
    ] {
        centre.import(kind, &csv)?;
    }
    centre.serve()?;
    let mut terminal = terminal(&folder.path().join("a"), &centre)?;
    terminal.counter.check_in_to_what_runs()?;
    terminal.counter.type_and_confirm(&number)?;
    // One for all steps: the browser's connections live in it.
    let runtime = tokio::runtime::Runtime::new()?;
    let browser = runtime.block_on(async {
        let browser = Browser::start("zh-CN").await?;
        browser.open(terminal.counter.url()).await?;
        browser.wait_for_text("签到成功", LIMIT).await?;
        // Whatever reloads the page loses this.
        browser.driver().execute("window.stayed = true;", Vec::new()).await?;
        anyhow::Ok(browser)
    })?;
    let picture = "const img = document.getElementById('display'); return img.naturalWidth > 0;";
    let stayed = |what: &'static str| {
        runtime.block_on(async {
            let driver = browser.driver();
            let met = driver.execute("return window.stayed === true;", Vec::new()).await?;
            ensure!(met.json() == &serde_json::json!(true), "{what}: the page was loaded anew");
            let met = driver.execute(picture, Vec::new()).await?;
            ensure!(met.json() == &serde_json::json!(true), "{what}: the member display went blank");
            anyhow::Ok(())
        })
    };
    terminal.kill()?;
    runtime.block_on(async {
        browser.wait_for_text("与终端的连接已断开", LIMIT).await?;
        let text = browser.text().await?;
        ensure!(text.contains("签到成功") && text.contains("张*"), "the last guest is gone:\n{text}");
        // A form sent now must not lead to the browser's own page of errors.
        browser.driver().find(By::Css("[data-pane=swipe] form button")).await?.click().await?;
        tokio::time::sleep(ms(500)).await;
        browser.wait_for_text("签到成功", LIMIT).await
    })?;
    stayed("while it was down")?;
    terminal.run()?;
    runtime.block_on(async {
        let dead = browser.driver().find(By::Id("dead")).await?;
        let end = hufu_tests::kit::clock::now() + LIMIT;
        while dead.is_displayed().await? {
            ensure!(hufu_tests::kit::clock::now() < end, "it never came back");
            tokio::time::sleep(ms(100)).await;
        }
        anyhow::Ok(())
    })?;
    stayed("after it came back")?;
    // And it is live again: what happens now is shown.
    let before = terminal.counter.result_n()?;
    terminal.counter.set_mode(&serde_json::json!({ "mode": "look_up" }))?;
    terminal.counter.type_and_confirm(&number)?;
    terminal.counter.wait_result(before, ms(20_000))?;
    runtime.block_on(async {
        browser.wait_for_text("会员资料", LIMIT).await?;
        browser.quit().await
    })
}
