//! `recall`: how long a guest waits whose points lie set aside at three other terminals.
//!
//! Real processes: one centre, three terminals of one office that hold a part of each guest's points, and one of another
//! office where the guest redeems. First a little, which the centre has at hand: the baseline, one question and its
//! answer. Then all the rest, for which three terminals must give back what they hold. Both are measured from the
//! confirmation at the counter to the result on its page, and every result is checked.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_tests::kit::clock;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::club::{self, Cast, OFFICE_A, OFFICE_B, Person};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::Terminal;
use serde_json::{Value, json};

const LIMIT_MS: u64 = 60_000;
/// The centre sets points aside every 20 s.
const SET_ASIDE_LIMIT_MS: u64 = 240_000;
/// What 10,000 yuan earn by rule S2; each guest buys twice.
const EARNED: i64 = 2 * 200;
/// What the centre always has at hand: it sets at most half of a member's points aside.
const LITTLE: i64 = 10;
/// What a guest should wait at most in 95 of 100 cases.
const GOAL_MS: u128 = 1_000;

/// Measures recalls between real terminals.
#[derive(Debug, Parser)]
#[command(name = "recall")]
struct Arguments {
    /// Guests, each of whom is measured once.
    #[arg(long, default_value_t = 40)]
    guests: usize,
}

/// Redeems points; what the counter shows, and after how many milliseconds.
fn redeem(terminal: &Terminal, points: i64, number: &str) -> Result<(Value, u128)> {
    let counter = &terminal.counter;
    let before = counter.result_n()?;
    counter.set_mode(&json!({ "mode": "spend", "points": points.to_string() }))?;
    let begun = clock::now();
    counter.type_and_confirm(number)?;
    let result = counter.wait_result(before, ms(LIMIT_MS))?;
    let waited = begun.elapsed().as_millis();
    ensure!(result["outcome"]["kind"] == "redeemed", "{points} points of {number}: {result}");
    ensure!(result["moved"][0]["amount"] == points, "{points} expected: {result}");
    Ok((result, waited))
}

fn percentile(sorted: &[u128], percent: usize) -> u128 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

fn main() -> Result<()> {
    let Arguments { guests } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let cast = Cast::new();
    let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
    centre.import("offices", &club::offices_csv())?;
    centre.import("members", &cast.members_csv())?;
    centre.import("cards", &cast.cards_csv())?;
    centre.serve()?;
    let holders = ["A1", "A2", "A3"].map(|name| Terminal::at_work(folder.path(), &centre, name, OFFICE_A));
    let holders = holders.into_iter().collect::<Result<Vec<_>>>()?;
    let asker = Terminal::at_work(folder.path(), &centre, "B1", OFFICE_B)?;
    let people: Vec<&Person> = cast.crowd.iter().take(guests).collect();
    // Each guest is seen at two terminals of the office, so each of the three is told by another.
    for person in &people {
        let number = person.card.as_deref().context("no number to type")?;
        for holder in &holders[..2] {
            holder.counter.earn("10000")?;
            holder.counter.type_and_confirm(number)?;
        }
    }
    for holder in &holders[..2] {
        holder.wait_drained(ms(LIMIT_MS))?;
    }
    let held = "SELECT count(*) FROM (SELECT member FROM lease WHERE is_open = 1 AND unit = 'PTS' AND escrow > 0 \
                GROUP BY member HAVING count(*) = 3) AS held";
    let count = u64::try_from(people.len())?;
    centre
        .wait_count(held, count, ms(SET_ASIDE_LIMIT_MS))
        .context("not every guest's points lie at three")?;
    let (mut asked, mut recalled) = (Vec::new(), Vec::new());
    for person in &people {
        let number = person.card.as_deref().context("no number to type")?;
        asked.push(redeem(&asker, LITTLE, number)?.1);
        recalled.push(redeem(&asker, EARNED - LITTLE, number)?.1);
    }
    let over = centre.engine.count("SELECT count(*) FROM balance WHERE class <> 'issuer' AND amount < 0")?;
    ensure!(over == 0, "{over} balances below zero");
    asked.sort_unstable();
    recalled.sort_unstable();
    let (base, met) = (percentile(&asked, 95), percentile(&recalled, 95));
    println!(
        "{} guests; p50 and p95 in ms: asked at the centre {} and {base}, given back by three terminals {} and {met}",
        people.len(),
        percentile(&asked, 50),
        percentile(&recalled, 50),
    );
    println!(
        "recall: p95 {met} ms (goal {GOAL_MS}), {:.1} of a question to the centre",
        met as f64 / base.max(1) as f64
    );
    ensure!(met <= GOAL_MS, "the goal is missed");
    Ok(())
}
