//! The main story from end to end, once on each database, with the other terminal's queue first each time.

use anyhow::Result;
use hufu_tests::kit::postgres::Postgres;
use hufu_tests::story;
use hufu_tests::story::model::Place;

/// Plays it in a folder that stays when it fails, since the logs lie there.
fn play(postgres: Option<&str>, uploads_first: Place) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("hufu-story-").tempdir()?;
    match story::play(folder.path(), postgres, uploads_first, |scene| println!("{scene}")) {
        Ok(tally) => {
            println!("{tally}");
            Ok(())
        }
        Err(error) => {
            let _ = folder.keep();
            Err(error)
        }
    }
}

#[test]
fn story_pcscd_with_the_embedded_database() -> Result<()> {
    play(None, Place::A)
}

#[test]
fn story_pcscd_with_postgres() -> Result<()> {
    let database = Postgres::for_test()?;
    play(Some(&database.url), Place::B)
}
