//! Points that are spent where the line is cut, asked for where it is not, and called back from another terminal: real
//! processes, one centre, two terminals of one office.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::clock;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli::must;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::counter::Counter;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::Terminal;
use serde_json::{Value, json};

/// The centre sets points aside every 20 s.
const SET_ASIDE_LIMIT_MS: u64 = 180_000;
const LIMIT_MS: u64 = 60_000;
/// What 10,000 yuan earn by rule S2.
const EARNED: i64 = 200;

/// Redeems points with a typed number; what the counter then shows.
fn redeem(counter: &Counter, points: i64, number: &str) -> Result<Value> {
    let before = counter.result_n()?;
    counter.set_mode(&json!({ "mode": "spend", "points": points.to_string() }))?;
    counter.type_and_confirm(number)?;
    counter.wait_result(before, ms(LIMIT_MS))
}

fn figure(counter: &Counter, number: &str) -> Result<i64> {
    let before = counter.result_n()?;
    counter.set_mode(&json!({ "mode": "look_up" }))?;
    counter.type_and_confirm(number)?;
    let result = counter.wait_result(before, ms(LIMIT_MS))?;
    result["person"]["points"].as_i64().with_context(|| format!("no figure in {result}"))
}

fn held(state: &Value) -> i64 {
    let held = state["allowances"].as_array().into_iter().flatten().find(|held| held["unit"] == "PTS");
    held.and_then(|held| held["left"].as_i64()).unwrap_or(0)
}

fn is(result: &Value, kind: &str) -> Result<()> {
    ensure!(result["outcome"]["kind"] == kind, "{kind} expected: {result}");
    Ok(())
}

#[test]
fn points_are_spent_offline_asked_for_online_and_called_back_from_another_terminal() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cast = Cast::new();
    let number = cast.buyer.card.clone().context("no number to type")?;
    let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
    centre.import("offices", &club::offices_csv())?;
    centre.import("members", &cast.members_csv())?;
    centre.import("cards", &cast.cards_csv())?;
    centre.serve()?;
    let a = Terminal::at_work(folder.path(), &centre, "A1", OFFICE_A)?;
    let b = Terminal::at_work(folder.path(), &centre, "A2", OFFICE_A)?;
    // A purchase at B; the centre sees the guest there and sets a part aside at A.
    b.counter.earn("10000")?;
    b.counter.type_and_confirm(&number)?;
    let aside = a
        .counter
        .wait("allowance", ms(SET_ASIDE_LIMIT_MS), |state| Some(held(state)).filter(|left| *left > 0))?;
    ensure!(aside < EARNED, "a part and not all is set aside, {aside} is");
    // The line of A is cut: what it holds can be spent and no more.
    a.cable.cut();
    a.wait_online(false, ms(LIMIT_MS))?;
    let over = redeem(&a.counter, aside + 1, &number)?;
    is(&over, "over_offline_limit")?;
    ensure!(over["short"]["possible"] == aside, "staff hear what is possible: {over}");
    let first = redeem(&a.counter, aside - 10, &number)?;
    is(&first, "redeemed")?;
    ensure!(held(&a.counter.state()?) == 10, "ten are left at A");
    // B is online. It asks for all that the centre has; the ten at A are out of reach, and B says so.
    let too_much = redeem(&b.counter, EARNED - aside + 10, &number)?;
    is(&too_much, "over_offline_limit")?;
    // A comes back: now the ten are called back for B while the guest waits there.
    a.cable.mend();
    a.wait_online(true, ms(LIMIT_MS))?;
    a.wait_drained(ms(LIMIT_MS))?;
    let all = clock::poll(ms(LIMIT_MS), || {
        let result = redeem(&b.counter, EARNED - aside + 10, &number).ok()?;
        (result["outcome"]["kind"] == "redeemed").then_some(result)
    });
    let all =
        all.with_context(|| format!("B could not redeem what is left; it shows {:?}", b.counter.state()))?;
    ensure!(all["moved"][0]["amount"] == EARNED - aside + 10, "{all}");
    for terminal in [&a, &b] {
        terminal.wait_drained(ms(LIMIT_MS))?;
        ensure!(held(&terminal.counter.state()?) == 0, "nothing is left anywhere");
    }
    let left = clock::poll(ms(LIMIT_MS), || (figure(&b.counter, &number).ok()? == 0).then_some(()));
    left.context("the guest's figure did not come down to nothing")?;
    b.wait_drained(ms(LIMIT_MS))?;
    let spent = centre.engine.count("SELECT count(*) FROM fact WHERE event = 'spent'")?;
    ensure!(spent == 2, "two spends stand in the books, met {spent}");
    let below = centre.engine.count("SELECT count(*) FROM balance WHERE class <> 'issuer' AND amount < 0")?;
    let cases = centre.engine.count("SELECT count(*) FROM conflict")?;
    ensure!((below, cases) == (0, 0), "{below} balances below zero, {cases} cases");
    must(centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    Ok(())
}
