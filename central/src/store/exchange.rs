//! Runs of imports and exports at the console: how they stand, and their parts, which the caller seals.
//!
//! A run goes from one state to the next only from the one it is in, so that a form that is sent twice does nothing more.
//! None of this is part of the books. Parts are forgotten once the run expires; the run itself stays, as a record of
//! who brought or took what.

use hufu_shared::ids::{OperatorId, RunId};
use hufu_shared::time::{DAY_US, Instant, SECOND_US};

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("exchange", include_str!("../../sql/both/exchange.sql"));

/// Parts of a run are kept for so long, in us.
pub const KEPT_US: i64 = 7 * DAY_US;
/// A run that says nothing for so long was cut off, in us.
const CUT_OFF_AFTER_US: i64 = 600 * SECOND_US;
/// The place before all runs, the newest in front.
pub const NEWEST: (Instant, RunId) = (Instant(i64::MAX), RunId([0xff; 16]));

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A file was brought.
    Import,
    /// A list is taken out.
    Export,
}

impl Direction {
    /// The code in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody is to say what its headers stand for.
    Waiting,
    /// It finds out what it would do.
    Checking,
    /// Somebody is to say whether it is done.
    Checked,
    /// It goes on.
    Running,
    /// It ended.
    Done,
    /// It could not be done.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// It went on and says nothing any more; never stored.
    CutOff,
}

impl State {
    const STORED: [(Self, &'static str); 7] = [
        (Self::Waiting, "waiting"),
        (Self::Checking, "checking"),
        (Self::Checked, "checked"),
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
        (Self::Stopped, "stopped"),
    ];

    /// The code in database and texts.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::STORED.iter().find(|(state, _)| *state == self).map_or("cut-off", |(_, code)| code)
    }

    /// Whether it goes on by itself.
    #[must_use]
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Checking | Self::Running)
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// Which way.
    pub direction: Direction,
    /// The kind of file, or which list.
    pub what: String,
    /// What the file was called.
    pub name: String,
    /// Who.
    pub staff: OperatorId,
    /// When it began.
    pub started: Instant,
    /// When it last said that it goes on.
    pub seen: Instant,
    /// When it ended; none while it goes on or waits.
    pub ended: Option<Instant>,
    /// Where it is, as stored.
    pub state: State,
    /// Rows to be written, or in the list.
    pub total: u64,
    /// Rows written.
    pub done: u64,
    /// Why it failed, in Chinese and English; empty if it did not.
    pub error: [String; 2],
    /// Until when its parts are kept.
    pub expires: Instant,
}

impl Run {
    /// A new one.
    #[must_use]
    pub fn new(
        id: RunId,
        direction: Direction,
        (what, name): (&str, &str),
        staff: OperatorId,
        now: Instant,
    ) -> Self {
        let state = if direction == Direction::Import { State::Waiting } else { State::Running };
        Self {
            id,
            direction,
            what: what.to_owned(),
            name: name.to_owned(),
            staff,
            started: now,
            seen: now,
            ended: None,
            state,
            total: 0,
            done: 0,
            error: [String::new(), String::new()],
            expires: now.offset(KEPT_US),
        }
    }

    /// Where it is at a time: one that says nothing any more was cut off.
    #[must_use]
    pub fn standing(&self, now: Instant) -> State {
        let is_silent = self.state.goes_on() && now.since(self.seen) > CUT_OFF_AFTER_US;
        if is_silent { State::CutOff } else { self.state }
    }

    /// Whether its parts are gone.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.expires
    }
}

/// What belongs to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The file that was brought.
    Source,
    /// What was asked.
    Asked,
    /// What a dry run told.
    Preview,
    /// The file to be fetched.
    Result,
}

impl Part {
    /// The code in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Asked => "asked",
            Self::Preview => "preview",
            Self::Result => "result",
        }
    }
}

/// Writes down that a run begins, with its first parts, sealed.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn begin(tx: &mut Tx<'_>, run: &Run, parts: &[(Part, Vec<u8>)]) -> Result<(), StoreError> {
    let values = [
        run.id.0.into(),
        run.direction.code().into(),
        run.what.as_str().into(),
        run.name.as_str().into(),
        run.staff.0.into(),
        run.started.0.into(),
        run.state.code().into(),
        run.expires.0.into(),
    ];
    tx.execute(SQL.get("begin"), &values)?;
    parts.iter().try_for_each(|(part, sealed)| put_part(tx, run.id, *part, sealed))
}

/// One run.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn run(tx: &mut Tx<'_>, id: RunId) -> Result<Option<Run>, StoreError> {
    tx.query_opt(SQL.get("one"), &[id.0.into()])?.as_ref().map(run_of).transpose()
}

/// Runs after a place in the list, the newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn runs(tx: &mut Tx<'_>, (at, id): (Instant, RunId), limit: i64) -> Result<Vec<Run>, StoreError> {
    tx.query(SQL.get("newest"), &[at.0.into(), id.0.into(), limit.into()])?.iter().map(run_of).collect()
}

fn run_of(row: &Row) -> Result<Run, StoreError> {
    let (way, code) = (row.text(1)?, row.text(8)?);
    let direction = match way {
        "import" => Direction::Import,
        "export" => Direction::Export,
        other => return Err(rows::unknown("direction of a run", other)),
    };
    let state = State::STORED.iter().find(|(_, known)| *known == code).map(|(state, _)| *state);
    Ok(Run {
        id: RunId(row.array(0)?),
        direction,
        what: row.text(2)?.to_owned(),
        name: row.text(3)?.to_owned(),
        staff: OperatorId(row.array(4)?),
        started: Instant(row.int(5)?),
        seen: Instant(row.int(6)?),
        ended: row.int_opt(7)?.map(Instant),
        state: state.ok_or_else(|| rows::unknown("state of a run", code))?,
        total: row.uint(9)?,
        done: row.uint(10)?,
        error: [row.text(11)?.to_owned(), row.text(12)?.to_owned()],
        expires: Instant(row.int(13)?),
    })
}

/// Takes a run from one state to another; whether it was in the first.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn turn(
    tx: &mut Tx<'_>,
    id: RunId,
    (from, to): (State, State),
    now: Instant,
) -> Result<bool, StoreError> {
    let values = [id.0.into(), from.code().into(), to.code().into(), now.0.into()];
    Ok(tx.execute(SQL.get("turn"), &values)? > 0)
}

/// Says that a run goes on, and how far it is; whether somebody asked it to stop.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn progress(tx: &mut Tx<'_>, id: RunId, done: u64, now: Instant) -> Result<bool, StoreError> {
    tx.execute(SQL.get("progress"), &[id.0.into(), now.0.into(), rows::number(done)])?;
    let row = tx.query_opt(SQL.get("is_to_stop"), &[id.0.into()])?;
    row.as_ref().map_or(Ok(true), |row| Ok(row.flag(0)?))
}

/// Asks a run to stop.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn stop(tx: &mut Tx<'_>, id: RunId) -> Result<(), StoreError> {
    tx.execute(SQL.get("stop"), &[id.0.into()])?;
    Ok(())
}

/// How a run ended, or where it waits again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Where it is.
    pub state: State,
    /// Rows to be written, or in the list.
    pub total: u64,
    /// Rows written.
    pub done: u64,
    /// Why it failed, in Chinese and English.
    pub error: [String; 2],
}

/// Ends a run, with the parts that it made, sealed.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn finish(
    tx: &mut Tx<'_>,
    id: RunId,
    end: &End,
    parts: &[(Part, Vec<u8>)],
    now: Instant,
) -> Result<(), StoreError> {
    let [zh, en] = &end.error;
    let values = [
        id.0.into(),
        end.state.code().into(),
        now.0.into(),
        rows::number(end.total),
        rows::number(end.done),
        zh.into(),
        en.into(),
    ];
    tx.execute(SQL.get("finish"), &values)?;
    parts.iter().try_for_each(|(part, sealed)| put_part(tx, id, *part, sealed))
}

/// Keeps a part of a run, sealed.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn put_part(tx: &mut Tx<'_>, id: RunId, part: Part, sealed: &[u8]) -> Result<(), StoreError> {
    tx.execute(SQL.get("put_part"), &[id.0.into(), part.code().into(), sealed.into()])?;
    Ok(())
}

/// A part of a run, sealed; none if there is none, or no more.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn part(tx: &mut Tx<'_>, id: RunId, part: Part) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.query_opt(SQL.get("part"), &[id.0.into(), part.code().into()])?;
    row.map(|row| Ok(row.blob(0)?.to_vec())).transpose()
}

/// Whether a run has a part.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn has_part(tx: &mut Tx<'_>, id: RunId, part: Part) -> Result<bool, StoreError> {
    Ok(tx.query_one(SQL.get("has_part"), &[id.0.into(), part.code().into()])?.int(0)? > 0)
}

/// Forgets the parts of runs that expired: each run of a job does, and each new run.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn forget_old(tx: &mut Tx<'_>, now: Instant) -> Result<(), StoreError> {
    tx.execute(SQL.get("forget_parts"), &[now.0.into()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::{each, prepare_all};
    use crate::rules::jobs::Job;
    use crate::store::jobs;

    const NOW: Instant = Instant(1_795_341_600_000_000);
    const ID: RunId = RunId([4; 16]);

    #[tokio::test(flavor = "multi_thread")]
    async fn statements_of_exchange_can_be_prepared() {
        prepare_all(&[&SQL]).await;
    }

    #[test]
    fn a_run_that_says_nothing_any_more_was_cut_off() {
        let staff = OperatorId([1; 16]);
        let mut run = Run::new(ID, Direction::Import, ("members", "m.csv"), staff, NOW);
        let late = NOW.offset(CUT_OFF_AFTER_US + 1);
        for (state, then) in [
            (State::Waiting, State::Waiting),
            (State::Checking, State::CutOff),
            (State::Checked, State::Checked),
            (State::Running, State::CutOff),
            (State::Done, State::Done),
        ] {
            run.state = state;
            assert_eq!((run.standing(NOW), run.standing(late)), (state, then));
        }
        assert!(!run.is_over(NOW.offset(KEPT_US - 1)) && run.is_over(NOW.offset(KEPT_US)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_goes_on_from_its_state_only_and_a_job_forgets_its_parts_in_time() {
        each(|db| async move {
            let run = Run::new(ID, Direction::Import, ("members", "会员.xlsx"), OperatorId([1; 16]), NOW);
            let begun = run.clone();
            db.write(move |tx| begin(tx, &begun, &[(Part::Source, vec![7; 40])])).await.expect("written");
            let turned = async |from: State, to: State| {
                db.write(move |tx| turn(tx, ID, (from, to), NOW)).await.expect("asked")
            };
            assert!(turned(State::Waiting, State::Running).await);
            assert!(!turned(State::Waiting, State::Running).await, "the same form, sent twice");
            assert!(!db.write(|tx| progress(tx, ID, 3, NOW.offset(5))).await.expect("told"));
            db.write(|tx| stop(tx, ID)).await.expect("asked");
            assert!(db.write(|tx| progress(tx, ID, 4, NOW.offset(6))).await.expect("told"), "it is to stop");
            let error = ["已停止".to_owned(), "stopped".to_owned()];
            let end = End { state: State::Stopped, total: 9, done: 4, error: error.clone() };
            let made = vec![(Part::Result, vec![8; 3])];
            db.write(move |tx| finish(tx, ID, &end, &made, NOW.offset(7))).await.expect("ended");
            let known = db.read(|tx| super::run(tx, ID)).await.expect("read").expect("kept");
            assert_eq!((known.state, known.total, known.done, known.error), (State::Stopped, 9, 4, error));
            assert_eq!((known.ended, known.seen), (Some(NOW.offset(7)), NOW.offset(7)));
            let listed = db.read(|tx| runs(tx, NEWEST, 10)).await.expect("read");
            assert_eq!(listed.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["会员.xlsx"]);
            for (now, kept) in [(NOW.offset(KEPT_US - 1), true), (NOW.offset(KEPT_US), false)] {
                let job = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
                    let n = u8::from(kept);
                    jobs::start(
                        tx,
                        RunId([n; 16]),
                        if kept { Job::Lapse } else { Job::Settle },
                        "clock",
                        now,
                    )?;
                    Ok((part(tx, ID, Part::Source)?.is_some(), has_part(tx, ID, Part::Result)?))
                };
                assert_eq!(db.write(job).await.expect("begins"), (kept, kept));
            }
        })
        .await;
    }
}
