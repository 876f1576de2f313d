//! The end of the year: points of all members run out, as the job does it and as raw transactions of the same rows.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hufu_central::app::App;
use hufu_central::clock::{Clock, SystemClock};
use hufu_central::db::Tx;
use hufu_central::store::expiry::{self, Round, Step};
use hufu_central::store::{StoreError, world};
use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::{EntryId, MemberId};
use hufu_shared::policy::{ExpiryMode, MonthDay, Policy};
use hufu_shared::rules::calendar;
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::site::Site;
use super::{clock, quartiles};

/// The goal: at least this part of the rate of raw transactions.
const GOAL_RATIO: f64 = 0.3;
/// Steps of the job in one turn.
const STEPS_PER_TURN: usize = 2;

/// A clock that stands where the year is over.
struct StandingClock(Instant);

impl Clock for StandingClock {
    fn now(&self) -> Instant {
        self.0
    }
}

/// A row with the names of its columns.
type Table = (Vec<String>, Vec<Vec<Value>>);

/// What one step wrote: its entry, the postings, and the balances of its members.
struct Written {
    entry: Table,
    postings: Table,
    balances: Table,
}

/// Noon of the second day of the next year, when the points of the year before this one are over.
fn year_is_over(now: Instant) -> Result<Instant> {
    let today = OfficeClock::default().business_day(now);
    let year = calendar::year_of(today).context("a year")?;
    let Day(day) = MonthDay { month: 1, day: 2 }.in_year(year + 1).context("a day")?;
    Ok(Instant(i64::from(day) * DAY_US + DAY_US / 6))
}

/// Measures the job; whether the goal was reached.
pub async fn measure(site: &Site, rotations: usize) -> Result<bool> {
    let now = year_is_over(SystemClock.now())?;
    let app = App { clock: Arc::new(StandingClock(now)), ..site.app.clone() };
    let policy = app.db.read(world::policy).await?;
    let policy = Policy { expiry: ExpiryMode::EarnYearPlus(1), ..policy };
    app.act(Actor::Command("bench".to_owned()), Act::PolicySet(Box::new(policy))).await?;
    let run = app.db.read(move |tx| expiry::due(tx, now)).await?.context("a day is over")?;
    let mut raw = Raw::open(site)?;
    // Turns in which both sides are measured lie all over the run, for the tables grow under it.
    let between = raw.members()? / u64::try_from(rotations)?;
    let begin = clock();
    let round = app.db.read(move |tx| expiry::begin(tx, run)).await?;
    let (mut job_time, mut members, mut ratios) = (begin.elapsed(), 0, Vec::new());
    let (mut after, mut next_turn) = (None, 0);
    loop {
        let turn = steps(&app, &round, after).await?;
        job_time += turn.took;
        members += turn.changed;
        if turn.changed > 0 && ratios.len() < rotations && members >= next_turn {
            let raw_time = raw.again(&turn.entries)?;
            ratios.push(raw_time.as_secs_f64() / turn.took.as_secs_f64());
            next_turn = members + between;
        }
        let Some(last) = turn.last else { break };
        after = Some(last);
    }
    ensure!(members > 0, "nobody's points ran out: this club had its end of the year before");
    let [low, ratio, high] = quartiles(&ratios);
    let is_reached = ratio >= GOAL_RATIO;
    println!(
        "end of the year for {members} members as one job: {:.1} s, {:.0} members/s; rate over raw transactions of the same \
         rows {ratio:.2} [{low:.2}..{high:.2}], goal >= {GOAL_RATIO}: {}",
        job_time.as_secs_f64(),
        members as f64 / job_time.as_secs_f64(),
        if is_reached { "reached" } else { "missed" },
    );
    Ok(is_reached)
}

/// Some steps of the job.
struct Turn {
    took: Duration,
    changed: u64,
    entries: Vec<EntryId>,
    /// The last member that was looked at; none once the day is done.
    last: Option<MemberId>,
}

async fn steps(app: &App, round: &Round, mut after: Option<MemberId>) -> Result<Turn> {
    let mut turn = Turn { took: Duration::ZERO, changed: 0, entries: Vec::new(), last: None };
    let begin = clock();
    for _ in 0..STEPS_PER_TURN {
        let (round, id, now) = (round.clone(), app.entry_id()?, app.now());
        let step =
            move |tx: &mut Tx<'_>| -> Result<Step, StoreError> { expiry::step(tx, &round, after, id, now) };
        match app.write(step).await? {
            Step::Upto { last, changed } => {
                (after, turn.last) = (Some(last), Some(last));
                turn.changed += changed;
                turn.entries.push(id);
            }
            Step::Done => {
                turn.last = None;
                break;
            }
            Step::Recovering => anyhow::bail!("a club that was just generated recovers from nothing"),
        }
    }
    turn.took = begin.elapsed();
    Ok(turn)
}

/// The bare side, on a connection of its own: it writes while the product waits for it.
struct Raw {
    connection: Connection,
}

impl Raw {
    fn open(site: &Site) -> Result<Self> {
        let connection = Connection::open(&site.database)?;
        // As the product has it: as durable, with as much memory; checkpoints are the product's.
        connection.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768; PRAGMA secure_delete=ON; \
             PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=5000",
        )?;
        Ok(Self { connection })
    }

    fn members(&self) -> Result<u64> {
        let count: i64 = self.connection.query_row("SELECT COUNT(*) FROM member", [], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }

    /// Takes what these entries wrote out again, and writes it once more, one transaction for each; answers how long the
    /// writing took.
    fn again(&mut self, entries: &[EntryId]) -> Result<Duration> {
        let written = entries.iter().map(|entry| self.written(*entry)).collect::<Result<Vec<_>>>()?;
        let take_out = self.connection.transaction()?;
        for step in &written {
            for (table, rows) in [("entry", &step.entry), ("posting", &step.postings)] {
                let mut delete = take_out.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?;
                for row in &rows.1 {
                    delete.execute([row.first()])?;
                }
            }
            let mut reset = take_out
                .prepare_cached("UPDATE balance SET entry = zeroblob(16) WHERE account = ?1 AND unit = ?2")?;
            for row in &step.balances.1 {
                reset.execute(rusqlite::params_from_iter(&row[..2]))?;
            }
        }
        take_out.commit()?;
        let begin = clock();
        for step in &written {
            self.write(step)?;
        }
        Ok(begin.elapsed())
    }

    /// What an entry wrote. Balances carry the entry that moved them last, and those of members no other has moved yet.
    fn written(&self, entry: EntryId) -> Result<Written> {
        let id = Value::Blob(entry.0.to_vec());
        let balances = "SELECT account, unit, amount, entry, member FROM balance WHERE entry = ?1 AND member IS NOT NULL";
        let balances = self.rows(balances, std::slice::from_ref(&id))?;
        let mut postings: Table = (Vec::new(), Vec::new());
        for balance in &balances.1 {
            let member = balance.last().context("a member")?.clone();
            let own = "SELECT * FROM posting WHERE member = ?1 AND entry = ?2";
            let (names, rows) = self.rows(own, &[member, id.clone()])?;
            postings.0 = names;
            postings.1.extend(rows);
        }
        let entry = self.rows("SELECT * FROM entry WHERE id = ?1", &[id])?;
        ensure!(entry.1.len() == 1, "a step writes one entry");
        Ok(Written { entry, postings, balances })
    }

    fn rows(&self, text: &str, values: &[Value]) -> Result<Table> {
        let mut statement = self.connection.prepare_cached(text)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let columns = names.len();
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Value>> {
            (0..columns).map(|column| row.get(column)).collect()
        };
        let rows = statement.query_map(rusqlite::params_from_iter(values), row)?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok((names, rows))
    }

    fn write(&mut self, step: &Written) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for (table, (names, rows)) in [("entry", &step.entry), ("posting", &step.postings)] {
            if rows.is_empty() {
                continue;
            }
            let places: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
            let text = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
            let mut insert = transaction.prepare_cached(&text)?;
            for row in rows {
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        {
            let text = "UPDATE balance SET amount = ?3, entry = ?4 WHERE account = ?1 AND unit = ?2";
            let mut update = transaction.prepare_cached(text)?;
            for row in &step.balances.1 {
                update.execute(rusqlite::params_from_iter(&row[..4]))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}
