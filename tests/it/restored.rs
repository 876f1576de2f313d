//! A centre whose database is put back from a backup: with a second path nothing was lost, and without one the terminals
//! bring it back. Real processes, a real terminal.

use anyhow::{Context as _, Result, ensure};
use hufu_tests::kit::clock;
use hufu_tests::story::books::Engine;
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli::must;
use hufu_tests::story::club::{self, Cast, OFFICE_A};
use hufu_tests::story::stage::ms;
use hufu_tests::story::terminal::{Terminal, Wishes};
use std::path::{Path, PathBuf};

const LIMIT_MS: u64 = 60_000;

/// A club with one terminal, and a buyer's number.
struct Club {
    folder: tempfile::TempDir,
    centre: Centre,
    terminal: Terminal,
    number: String,
}

impl Club {
    /// `second_path` says whether the centre writes one.
    fn open(second_path: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cast = Cast::new();
        let number = cast.buyer.card.clone().context("no number to type")?;
        let mut centre = Centre::found(&folder.path().join("central"), None, &[])?;
        if second_path {
            let config = std::fs::read_to_string(centre.config())?;
            let key = format!("[data]\nsecond_path = {:?}\n", folder.path().join("second"));
            std::fs::write(centre.config(), config.replacen("[data]\n", &key, 1))?;
        }
        centre.import("offices", &club::offices_csv())?;
        centre.import("members", &cast.members_csv())?;
        centre.import("cards", &cast.cards_csv())?;
        centre.serve()?;
        let wishes = Wishes { name: "A1".to_owned(), office: OFFICE_A.to_owned(), ..Wishes::default() };
        let mut terminal = Terminal::enrol(&folder.path().join("a"), &centre, &wishes)?;
        terminal.run()?;
        terminal.counter.wait("office", ms(LIMIT_MS), |state| {
            state["office"]["zh"].as_str().filter(|zh| !zh.is_empty()).map(drop)
        })?;
        Ok(Self { folder, centre, terminal, number })
    }

    /// A purchase, on the disk of the centre.
    fn buy(&self) -> Result<()> {
        self.terminal.counter.earn("10000")?;
        self.terminal.counter.type_and_confirm(&self.number)?;
        self.terminal.wait_drained(ms(LIMIT_MS))
    }

    /// Stops the centre, copies its database, and serves again.
    fn back_up(&mut self) -> Result<PathBuf> {
        self.centre.stop()?;
        let copy = self.folder.path().join("backup.db");
        std::fs::copy(self.database()?, &copy)?;
        self.centre.serve()?;
        Ok(copy)
    }

    /// Kills the centre and puts the backup in the place of its database.
    fn restore(&mut self, backup: &Path) -> Result<()> {
        self.centre.kill()?;
        let database = self.database()?;
        for ending in ["-wal", "-shm"] {
            let beside = PathBuf::from(format!("{}{ending}", database.display()));
            if beside.exists() {
                std::fs::remove_file(beside)?;
            }
        }
        std::fs::copy(backup, database)?;
        Ok(())
    }

    fn database(&self) -> Result<PathBuf> {
        match &self.centre.engine {
            Engine::Sqlite(path) => Ok(path.clone()),
            Engine::Postgres(_) => anyhow::bail!("this test copies a file"),
        }
    }

    fn count(&self, sql: &str) -> Result<u64> {
        self.centre.engine.count(sql)
    }
}

const PURCHASES: &str = "SELECT count(*) FROM fact WHERE event = 'earned'";
const EPOCH: &str = "SELECT central_epoch FROM club";

#[test]
fn a_backup_is_made_whole_from_the_second_path_before_anybody_is_served() -> Result<()> {
    let mut club = Club::open(true)?;
    club.buy()?;
    let backup = club.back_up()?;
    club.buy()?;
    club.buy()?;
    let entries = club.count("SELECT count(*) FROM entry")?;
    club.restore(&backup)?;
    ensure!(club.count(PURCHASES)? == 1, "the backup knows one purchase");
    club.centre.serve()?;
    ensure!(club.count(PURCHASES)? == 3, "three purchases stand when the ports are open");
    ensure!(club.count("SELECT count(*) FROM entry")? >= entries, "each entry is there again");
    // The terminal holds receipts for what the backup did not have, and finds nothing to object to.
    club.buy()?;
    ensure!(club.count(PURCHASES)? == 4, "business goes on");
    ensure!(club.count(EPOCH)? == 1, "nothing had to be recovered: no new epoch began");
    club.centre.stop()?;
    must(club.centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    // From a base on, only what came since is repeated. First it is shown what that would change.
    let dry = must(club.centre.command()?.arg("rebase"))?;
    ensure!(dry.contains("nothing was changed"), "{dry}");
    let confirm = dry.split_whitespace().last().context("the dry run prints what confirms it")?;
    let done = must(club.centre.command()?.args(["rebase", "--confirm", confirm]))?;
    ensure!(done.contains("done"), "{done}");
    let found = must(club.centre.command()?.args(["verify", "--from-base"]))?;
    ensure!(found.contains("all holds (1 entries"), "{found}");
    must(club.centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    Ok(())
}

#[test]
fn without_a_second_path_the_terminal_brings_back_what_a_backup_lost() -> Result<()> {
    let mut club = Club::open(false)?;
    club.buy()?;
    let backup = club.back_up()?;
    club.buy()?;
    club.buy()?;
    club.restore(&backup)?;
    club.centre.serve()?;
    club.buy()?;
    let refilled = clock::poll(ms(LIMIT_MS), || {
        let all = club.count(PURCHASES).ok()? == 4;
        let over = club.count("SELECT count(*) FROM policy WHERE recovering_since IS NULL").ok()? == 1;
        (all && over && club.count(EPOCH).ok()? == 2).then_some(())
    });
    let met = || -> Result<_> {
        let waits = club.count("SELECT count(*) FROM policy WHERE recovering_since IS NOT NULL")?;
        Ok((club.count(PURCHASES)?, club.count(EPOCH)?, waits))
    };
    refilled.with_context(|| format!("(4, 2, 0) purchases, epoch and waiting expected, met {:?}", met()))?;
    club.terminal.wait_drained(ms(LIMIT_MS))?;
    club.centre.stop()?;
    must(club.centre.command()?.arg("verify")).context("`hufu-central verify` found something")?;
    Ok(())
}
