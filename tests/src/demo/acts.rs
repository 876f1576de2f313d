//! What hands do in the demo: hold cards to readers, pull cables, cut the power, ask for the books.
//!
//! Each act is physical or a command that ships; none of them tells Hufu what to think.

use super::hall::{Compared, Hall, PowerCut};
use anyhow::{Context as _, Result, bail, ensure};
use hufu_shared::time::Day;
use hufu_tests::kit::clock;
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::kit::vcard::VirtualCard;
use hufu_tests::story::check::{self, Side};
use hufu_tests::story::cli;
use hufu_tests::story::model::Place;
use hufu_tests::story::stage::ms;
use serde::Deserialize;

/// How long queues get to drain before the books are compared.
const DRAIN_LIMIT_MS: u64 = 60_000;
/// How long a card is held to a reader: long enough for the service to see it.
const TAP_MS: u64 = 900;
/// How long A may take to ask a card.
const ASK_LIMIT_MS: u64 = 15_000;

/// One act, as the page sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// A card is held to A's reader, or drawn through B's.
    Present {
        /// What is printed on it.
        card: String,
    },
    /// Both network cables are pulled.
    Cut,
    /// Both are plugged in again.
    Mend,
    /// A loses power while it reads a card, and starts again.
    PowerCut,
    /// Both terminals close their day and all books are compared.
    Compare,
}

/// Does it.
///
/// # Errors
/// When the thing does not do as it should.
pub fn perform(hall: &Hall, act: &Act) -> Result<()> {
    match act {
        Act::Present { card } => present(hall, card),
        Act::Cut => {
            let mut things = hall.things();
            things.a.cable.cut();
            things.b.cable.cut();
            things.cut = true;
            Ok(())
        }
        Act::Mend => {
            let mut things = hall.things();
            things.a.cable.mend();
            things.b.cable.mend();
            things.cut = false;
            Ok(())
        }
        Act::PowerCut => power_cut(hall),
        Act::Compare => {
            let compared = compare(hall)?;
            hall.things().compared = Some(compared);
            Ok(())
        }
    }
}

fn present(hall: &Hall, label: &str) -> Result<()> {
    let card = hall.cards.iter().find(|card| card.label == label).context("there is no such card")?;
    let path = if card.kind == "pcsc" { "A1/tap" } else { "B1/swipe" };
    let url = format!("{}/terminals/{path}", hall.tray_url);
    block_on(async {
        let mut body = serde_json::json!({ "card": label });
        if card.kind == "pcsc" {
            body["hold_ms"] = TAP_MS.into();
        }
        let answer = plain_client()?.post(url).json(&body).send().await?;
        ensure!(answer.status().is_success(), "the tray answered {}", answer.status());
        Ok(())
    })
}

/// The power goes while A asks a card something; then A starts again over the same disk.
fn power_cut(hall: &Hall) -> Result<()> {
    let uid = hall.cards.iter().find_map(|card| card.uid.as_deref()).context("no chip card in the tray")?;
    let uid = data_encoding::HEXUPPER_PERMISSIVE.decode(uid.as_bytes())?;
    let mut things = hall.things();
    let card = VirtualCard::mifare(&uid).insert(hall.slot)?;
    clock::poll(ms(ASK_LIMIT_MS), || (card.apdus() > 0).then_some(())).context("A did not ask the card")?;
    let before = things.a.journal()?;
    things.a.kill()?;
    // Gone from the reader before the terminal is back, or it would meet a card that is just leaving.
    card.remove()?;
    things.a.run()?;
    let after = things.a.journal()?;
    let same = |fact: &&hufu_tests::story::journal::StoredFact| {
        after.facts.iter().any(|now| now.seq == fact.seq && now.body == fact.body && now.hash == fact.hash)
    };
    let kept = before.facts.iter().filter(same).count();
    things.power_cut = Some(PowerCut { before: before.facts.len(), kept });
    Ok(())
}

/// Closes both days, and compares: the centre's own proofs, and the kit's own reading of files and database.
fn compare(hall: &Hall) -> Result<Compared> {
    let things = hall.things();
    if things.cut {
        bail!("the network is cut: the centre cannot know what it was not told");
    }
    for place in [Place::A, Place::B] {
        cli::must(things.at(place).command()?.arg("close-day"))?;
        things.at(place).wait_drained(ms(DRAIN_LIMIT_MS))?;
    }
    let journals = things.journals()?;
    drop(things);
    let mut days: Vec<i64> = Vec::new();
    for row in hall.centre.engine.rows("SELECT DISTINCT device, day FROM fact")? {
        if journals.iter().any(|journal| row[0].bytes().is_ok_and(|id| id == journal.device.0)) {
            days.push(row[1].int()?);
        }
    }
    days.sort_unstable();
    days.dedup();
    for day in days {
        let day = Day(i32::try_from(day)?).to_string();
        let said = cli::run(hall.centre.command()?.args(["reconcile", "--day", &day]))?;
        if said.code != 0 {
            return Ok(Compared { agrees: false, line: first_line(&said.out, &said.err) });
        }
    }
    let verified = cli::run(hall.centre.command()?.arg("verify"))?;
    if verified.code != 0 {
        return Ok(Compared { agrees: false, line: first_line(&verified.out, &verified.err) });
    }
    let facts: usize = journals.iter().map(|journal| journal.facts.len()).sum();
    let [a, b] = journals;
    let sides = [(Place::A, a), (Place::B, b)].map(|(place, journal)| Side {
        place,
        journal,
        starts: 0,
        closings: 0,
    });
    let differences = check::compare_facts(&sides, &hall.centre.engine)?;
    Ok(match differences.first() {
        Some(difference) => Compared { agrees: false, line: difference.clone() },
        None => {
            let engine = &hall.centre.engine;
            let postings = engine.count("SELECT count(*) FROM posting")?;
            let cases = engine.count("SELECT count(*) FROM conflict")?;
            Compared { agrees: true, line: format!("facts={facts} postings={postings} cases={cases}") }
        }
    })
}

fn first_line(out: &str, err: &str) -> String {
    out.lines().chain(err.lines()).find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}
