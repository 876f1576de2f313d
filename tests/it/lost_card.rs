//! A card is lost: reported at one terminal while another is cut off, seen where it is stopped and where not yet,
//! replaced, and at last refused everywhere. Real processes, one centre, two terminals.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::clock;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli::must;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::counter::Counter;
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::Terminal;
use serde_json::{Value, json};

const LIMIT_MS: u64 = 60_000;
/// What 10,000 yuan earn by rule S2.
const EARNED: i64 = 200;
/// A card that no list holds.
const NEW_CARD: &str = "6688000199990001";

/// Types a number under a mode; what the counter then shows.
fn typed(counter: &Counter, mode: &Value, number: &str) -> Result<Value> {
    let before = counter.result_n()?;
    counter.set_mode(mode)?;
    counter.type_and_confirm(number)?;
    counter.wait_result(before, ms(LIMIT_MS))
}

fn is(result: &Value, kind: &str) -> Result<()> {
    ensure!(result["outcome"]["kind"] == kind, "{kind} expected: {result}");
    Ok(())
}

/// Waits until the page of lost cards says all of this.
fn page_says(terminal: &Terminal, parts: &[&str]) -> Result<String> {
    let mut last = String::new();
    let found = clock::poll(ms(LIMIT_MS), || {
        last = terminal.counter.page("/card").ok()?;
        parts.iter().all(|part| last.contains(part)).then_some(())
    });
    found.with_context(|| format!("the page does not say {parts:?}: {last}"))?;
    Ok(last)
}

#[test]
fn rule_h05_a_lost_card_is_stopped_here_then_there_and_its_member_goes_on_with_a_new_one() -> Result<()> {
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
    is(&typed(&a.counter, &json!({ "mode": "earn", "amount": "10000" }), &number)?, "accepted")?;
    a.wait_drained(ms(LIMIT_MS))?;
    // B is cut off; at A the card is reported lost.
    b.cable.cut();
    b.wait_online(false, ms(LIMIT_MS))?;
    is(&typed(&a.counter, &json!({ "mode": "report_lost" }), &number)?, "accepted")?;
    let seen = page_says(&a, &["总部已收到", "已停用 1 台，尚未得知 1 台", "仍可能受理此卡"])?;
    let [lacks, has] = ["A2 · ", "A1 · "].map(|name| seen.find(name));
    ensure!(lacks.is_some() && lacks < has, "who lacks it stands first: {seen}");
    // That is so: B still takes it, and says itself that it knows nothing of elsewhere.
    is(&typed(&b.counter, &json!({ "mode": "look_up" }), &number)?, "accepted")?;
    // A new card in its place, which works at once where it was given.
    let guest = a.counter.state()?["guest"]["n"].as_u64().context("nobody stands at the desk")?;
    let replaced = typed(&a.counter, &json!({ "mode": "replace", "guest": guest }), NEW_CARD)?;
    is(&replaced, "accepted")?;
    ensure!(replaced["person"]["name"].is_string(), "whose it is now: {replaced}");
    is(&typed(&a.counter, &json!({ "mode": "look_up" }), NEW_CARD)?, "accepted")?;
    // B comes back: both refuse the old card, both know the new one, and what the member had is there.
    b.cable.mend();
    b.wait_online(true, ms(LIMIT_MS))?;
    page_says(&a, &["已注销", "已停用 2 台，尚未得知 0 台"])?;
    let known = clock::poll(ms(LIMIT_MS), || {
        let result = typed(&b.counter, &json!({ "mode": "look_up" }), NEW_CARD).ok()?;
        (result["person"]["points"].as_i64() == Some(EARNED)).then_some(result)
    });
    is(&known.context("B does not know the new card with what its member has")?, "accepted")?;
    let refused = typed(&b.counter, &json!({ "mode": "look_up" }), &number)?;
    is(&refused, "refused")?;
    for terminal in [&a, &b] {
        terminal.wait_drained(ms(LIMIT_MS))?;
    }
    let cases = centre.engine.count("SELECT count(*) FROM conflict")?;
    ensure!(cases == 0, "{cases} cases");
    must(centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    Ok(())
}
