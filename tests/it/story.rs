//! The main story from end to end, once on each database, with the other terminal's queue first each time; and that the
//! comparison at its end can fail.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::postgres::{self, Postgres};
use hufu_tests::story::model::Place;
use hufu_tests::story::{self, Played, check};

/// Changes to the books that the comparison must name, each with what it must say.
const FORGERIES: [(&str, &str); 5] = [
    ("DELETE FROM posting WHERE code = 'earn_purchase'", "the ledger has no line, expected 6"),
    ("UPDATE balance SET amount = amount + 1 WHERE class = 'available'", "balances are"),
    ("DELETE FROM fact WHERE event = 'refused'", "is missing at the centre"),
    ("UPDATE fact SET body = hash WHERE event = 'earned'", "has other bytes at the centre"),
    ("UPDATE conflict SET kind = 28 WHERE kind = 27", "cases by kind are"),
];

/// Plays it in a folder that stays when it fails, since the logs lie there.
fn play(
    postgres: Option<&str>,
    uploads_first: Place,
    forge: impl Fn(&Played, &str) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-story-").tempdir()?;
    let played = story::play(folder.path(), postgres, uploads_first, |scene| println!("{scene}"));
    let done = played.and_then(|played| {
        println!("{}", played.tally);
        // One after the other: what an earlier one spoilt must not hide a later one.
        for (forgery, named) in FORGERIES {
            forge(&played, forgery).with_context(|| forgery.to_owned())?;
            let said = check::compare(&played.sides, &played.engine, &played.model);
            let said = said.map_or_else(|error| format!("{error:#}"), |tally| tally.to_string());
            ensure!(said.contains(named), "`{forgery}` was answered with: {said}");
        }
        Ok(())
    });
    if done.is_err() {
        let _ = folder.keep();
    }
    done
}

#[test]
fn story_pcscd_with_the_embedded_database() -> Result<()> {
    play(None, Place::A, |played, forgery| {
        let story::books::Engine::Sqlite(path) = &played.engine else { anyhow::bail!("not embedded") };
        rusqlite::Connection::open(path)?.execute_batch(forgery).context("failed to forge")
    })
}

#[test]
fn story_pcscd_with_postgres() -> Result<()> {
    let database = Postgres::for_test()?;
    play(Some(&database.url), Place::B, |_, forgery| postgres::execute(&database.url, forgery))
}
