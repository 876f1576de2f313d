//! The close of an office's day on paper: printed by a real browser on A4, with every line that the database has, nothing
//! that is for a screen alone, and nothing cut off at the edge of the sheet.

use anyhow::{Context as _, Result, ensure};
use data_encoding::BASE64;
use hufu_tests::kit::browser::Browser;
use hufu_tests::kit::http::block_on;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::{cli, session};
use serde_json::{Value, json};

/// What lies between the margins of A4, in CSS pixels: 210 mm less 14 mm on either side.
const PAPER_WIDTH: u32 = 688;
const PAPER_HEIGHT: u32 = 1_002;
/// A4 in points.
const A4: [f64; 2] = [595.28, 841.89];
/// What is wrong with the sheet, and how many lines it has.
const LOOK: &str = "
    const faults = [], shows = (part) => part.getClientRects().length > 0;
    for (const part of document.querySelectorAll('.top, .side, .filters, form, button, .button, .crumb, .pager'))
        if (shows(part)) faults.push('for the screen alone: ' + part.outerHTML.slice(0, 80));
    for (const head of document.querySelectorAll('main table thead'))
        if (getComputedStyle(head).display !== 'table-header-group') faults.push('a head that does not repeat');
    for (const box of document.querySelectorAll('main *'))
        if (shows(box) && getComputedStyle(box).overflowX !== 'visible' && box.scrollWidth > box.clientWidth + 1)
            faults.push('cut off: ' + box.outerHTML.slice(0, 80));
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) faults.push(`wider than the sheet: ${page.scrollWidth}`);
    const rows = [...document.querySelectorAll('.lines tbody tr')].filter(shows).length;
    return [faults, rows, document.body.innerText];";

/// The numbers behind each mark in a PDF.
fn boxes(pdf: &str) -> Vec<[f64; 2]> {
    let sheet = |text: &str| {
        let numbers: Vec<f64> =
            text.split(']').next()?.split_whitespace().filter_map(|n| n.parse().ok()).collect();
        Some([*numbers.get(2)?, *numbers.get(3)?])
    };
    pdf.split("/MediaBox [").skip(1).filter_map(sheet).collect()
}

/// Opens the fullest day of an office as somebody who is signed in, whole; answers its address.
async fn open_day(browser: &Browser, centre: &Centre, password: &str) -> Result<String> {
    let base = format!("http://{}", centre.console);
    let entered = session::Session::enter(centre, password).await?;
    let (name, value) = entered.cookie().split_once('=').context("no cookie")?;
    let cookie = json!({ "name": name, "value": value, "url": base, "path": "/" });
    browser.driver().cdp().send_raw("Network.setCookie", cookie).await.context("failed to sign in")?;
    browser.open(&format!("{base}/days")).await?;
    let find = "const facts = (row) => Number(row.querySelector('.n').textContent.replaceAll(',', ''));
        const rows = [...document.querySelectorAll('main tbody tr')].sort((one, other) => facts(other) - facts(one));
        return rows[0]?.querySelector('a').getAttribute('href');";
    let link = browser.driver().execute(find, Vec::new()).await?;
    let link = link.json().as_str().context("no day is listed")?.to_owned();
    browser.open(&format!("{base}{link}?rows=all")).await?;
    Ok(link)
}

#[test]
fn the_close_of_a_day_prints_on_a4_with_every_line_and_nothing_cut_off() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut centre = Centre::found_ago(&folder.path().join("central"), &[], 10)?;
    cli::must(centre.command()?.args(["generate", "--members", "300", "--days", "4"]))?;
    centre.serve()?;
    let password = session::new_password(&centre)?;
    let (link, met, pdf) = block_on(async {
        let browser = Browser::start("zh-CN").await?;
        let link = open_day(&browser, &centre, &password).await?;
        browser.resize(PAPER_WIDTH, PAPER_HEIGHT).await?;
        let cdp = browser.driver().cdp();
        cdp.send_raw("Emulation.setEmulatedMedia", json!({ "media": "print" })).await?;
        let met = browser.driver().execute(LOOK, Vec::new()).await?.json().clone();
        let printed = cdp.send_raw("Page.printToPDF", json!({ "preferCSSPageSize": true })).await?;
        let pdf = BASE64.decode(printed["data"].as_str().context("nothing was printed")?.as_bytes())?;
        browser.quit().await?;
        anyhow::Ok((link, met, pdf))
    })?;
    ensure!(met[0] == Value::Array(Vec::new()), "{link}: {:#}", met[0]);
    let text = met[2].as_str().unwrap_or_default();
    for words in ["日结", "逐笔核对", "按付款方式", "签核", "查看于"] {
        ensure!(text.contains(words), "{link} does not say {words}:\n{text}");
    }
    // The lines on paper are those of the database, by a statement of the test's own.
    let (office, day) = link.trim_start_matches("/days/").split_once('/').context("no day")?;
    let day: chrono::NaiveDate = day.parse()?;
    let day = day.signed_duration_since(chrono::NaiveDate::default()).num_days();
    let office = office.replace('-', "");
    let own = format!("SELECT COUNT(*) FROM fact WHERE lower(hex(office)) = '{office}' AND day = {day}");
    let own = centre.engine.count(&own)?;
    ensure!(own > 100 && met[1] == json!(own), "{} lines on paper, {own} in the database", met[1]);
    let sheets = boxes(&String::from_utf8_lossy(&pdf));
    ensure!(sheets.len() > 1, "{} sheets for {own} lines", sheets.len());
    for sheet in &sheets {
        let is_a4 = sheet.iter().zip(A4).all(|(met, own)| (met - own).abs() < 1.0);
        ensure!(is_a4, "a sheet of {sheet:?} points");
    }
    centre.stop()
}

/// A check that can find nothing proves nothing.
#[test]
fn a_sheet_that_is_cut_off_is_told() -> Result<()> {
    let page = "data:text/html,<body><main><form>x</form><div style='overflow:auto;width:100px'>\
        <div style='width:900px'>x</div></div></main></body>";
    block_on(async {
        let browser = Browser::start("zh-CN").await?;
        browser.open(page).await?;
        let met = browser.driver().execute(LOOK, Vec::new()).await?.json()[0].to_string();
        browser.quit().await?;
        for fault in ["for the screen alone", "cut off"] {
            ensure!(met.contains(fault), "{fault} is not in {met}");
        }
        Ok(())
    })
}
