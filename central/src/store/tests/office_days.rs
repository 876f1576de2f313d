//! The close of an office's day, on both databases: reasons, two signatures, what comes later, the list; each story is
//! replayed from its journal at the end.

use hufu_shared::act::{Act, Actor, DayFigures, DayMatter, DaySigned};
use hufu_shared::ids::{DeviceId, EntryId, Hash, OperatorId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US, OfficeClock};
use hufu_shared::wire::version::Version;

use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::office_day::{NotDone, OfficeDayState};
use crate::store::acts::Note;
use crate::store::contact::{self, Heartbeat};
use crate::store::office_days::{self as store, Later, ListAsked, Sheet};

const TODAY: Day = Day(20_779);
const TOMORROW: Day = Day(20_780);
/// Eight in the morning of the day after.
const NEXT: Instant = Instant(NOON.0 + DAY_US - 4 * 60 * MINUTE_US);
const FIRST: Actor = Actor::Admin(OperatorId([1; 16]));
const SECOND: Actor = Actor::Admin(OperatorId([2; 16]));

fn office() -> OfficeRow {
    let clock = OfficeClock::default();
    OfficeRow { office: OFFICE_A, code: "A".to_owned(), name: words("A", "A"), clock, group: None }
}

async fn sheet(db: &Db, now: Instant) -> Sheet {
    let read = move |tx: &mut Tx<'_>| store::sheet(tx, (OFFICE_A, TODAY), now);
    db.read(read).await.expect("readable").expect("an office")
}

/// A terminal was heard of, with nothing waiting there.
async fn heard(db: &Db, device: DeviceId, at: Instant) {
    let version = Version { epoch: 1, n: 1 };
    let beat = Heartbeat {
        address: String::new(),
        queued: 0,
        notices: 0,
        directory: version,
        block: version,
        readiness: None,
        health: None,
    };
    db.write(move |tx| contact::heard(tx, device, &beat, at)).await.expect("noted");
}

fn note(n: u8) -> Note {
    Note { commitment: Hash([n; 32]), sealed: vec![n] }
}

async fn sign(db: &Db, n: u8, (actor, seen): (Actor, Hash), now: Instant) -> Result<(), NotDone> {
    let work =
        move |tx: &mut Tx<'_>| store::sign(tx, ((OFFICE_A, TODAY), seen), &actor, (EntryId([n; 16]), now));
    db.write(work).await.expect("taken")
}

async fn explain(db: &Db, n: u8, difference: Hash, now: Instant) -> Result<(), NotDone> {
    let work = move |tx: &mut Tx<'_>| {
        let of = ((OFFICE_A, TODAY), difference);
        store::explain(tx, of, (&note(n), &FIRST), (EntryId([n; 16]), now))
    };
    db.write(work).await.expect("taken")
}

async fn reopen(db: &Db, n: u8, now: Instant) -> Result<(), NotDone> {
    let work = move |tx: &mut Tx<'_>| {
        store::reopen(tx, (OFFICE_A, TODAY), (&note(n), &SECOND), (EntryId([n; 16]), now))
    };
    db.write(work).await.expect("taken")
}

async fn adjusted(db: &Db, day: Day) -> Vec<Later> {
    db.read(move |tx| store::adjustments(tx, &office(), day)).await.expect("readable")
}

async fn since(db: &Db, now: Instant) -> Vec<Later> {
    let read = move |tx: &mut Tx<'_>| {
        let sheet = store::sheet(tx, (OFFICE_A, TODAY), now)?.expect("an office");
        store::since_closed(tx, &sheet)
    };
    db.read(read).await.expect("readable")
}

#[tokio::test]
async fn every_statement_of_the_close_of_days_is_understood_by_both_engines() {
    prepare_all(&[&store::SQL]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_a_signed_day_is_a_position_and_what_comes_later_belongs_to_the_day_it_came_on() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(700, 1, 32_000, 6);
        a.close_day(900);
        a.upload(&db).await;
        heard(&db, TERMINAL_A, NEXT).await;
        let before = sheet(&db, NEXT).await;
        assert_eq!((before.state(), before.differences.len()), (OfficeDayState::Open, 0));
        let figures = DayFigures {
            expected: 1,
            reported: 1,
            facts: before.figures.facts,
            promised: Amount(6),
            posted: Amount(6),
            ..DayFigures::default()
        };
        assert_eq!(before.figures, figures);

        assert_eq!(sign(&db, 100, (FIRST, Hash([0; 32])), NEXT).await, Err(NotDone::Changed));
        assert_eq!(reopen(&db, 101, NEXT).await, Err(NotDone::NotSigned));
        assert_eq!(sign(&db, 102, (FIRST, before.seen), NEXT).await, Ok(()));
        assert_eq!(sign(&db, 103, (FIRST, before.seen), NEXT).await, Err(NotDone::SamePerson));
        assert_eq!(sheet(&db, NEXT).await.state(), OfficeDayState::SignedOnce);
        // What a program signs, however it got there, signs nothing.
        let by_job = DaySigned { office: OFFICE_A, day: TODAY, seen: before.seen, figures };
        act(&db, 104, NEXT, Act::DaySigned(by_job)).await;
        assert_eq!(sheet(&db, NEXT).await.state(), OfficeDayState::SignedOnce);
        assert_eq!(sign(&db, 105, (SECOND, before.seen), NEXT).await, Ok(()));
        assert_eq!(sign(&db, 106, (SECOND, before.seen), NEXT).await, Err(NotDone::Signed));
        assert_eq!(explain(&db, 107, Hash([0; 32]), NEXT).await, Err(NotDone::Signed));
        let closed = sheet(&db, NEXT).await;
        assert_eq!(closed.state(), OfficeDayState::Signed);
        assert!(
            (since(&db, NEXT).await.is_empty(), adjusted(&db, TOMORROW).await.is_empty()) == (true, true)
        );

        // A purchase of that day comes in after it was signed.
        let late = a.purchase(1_000, 2, 32_000, 6);
        a.upload(&db).await;
        let now = sheet(&db, NEXT).await;
        assert_eq!(now.figures.posted, Amount(12), "as it stands now");
        assert_eq!(now.standing.second.as_ref().map(|of| of.figures), Some(figures), "as it was signed");
        for told in [since(&db, NEXT).await, adjusted(&db, TOMORROW).await] {
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!((told[0].fact, told[0].day, told[0].is_late), (late, TODAY, true));
            assert_eq!(told[0].sums, [(Unit::Pts, 6)]);
            assert_eq!(OfficeClock::default().business_day(told[0].recorded), TOMORROW);
        }
        assert!(adjusted(&db, TODAY).await.is_empty(), "it is no adjustment of its own day");

        // Opened again, the day takes it in, and both sign anew.
        assert_eq!(reopen(&db, 108, NEXT).await, Ok(()));
        let open = sheet(&db, NEXT).await;
        assert_eq!((open.state(), open.figures.posted), (OfficeDayState::Reopened, Amount(12)));
        assert!(adjusted(&db, TOMORROW).await.is_empty());
        assert_eq!(sign(&db, 109, (SECOND, open.seen), NEXT).await, Ok(()));
        assert_eq!(sign(&db, 110, (FIRST, open.seen), NEXT).await, Ok(()));
        assert_eq!(sheet(&db, NEXT).await.state(), OfficeDayState::Signed);
        assert!(since(&db, NEXT).await.is_empty(), "it counts once, on its own day");
        assert_eq!(sheet(&db, NEXT).await.steps.len(), 5, "nothing that had no effect is a step");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_a_difference_needs_a_reason_and_a_reason_stands_for_that_difference_alone() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(700, 1, 32_000, 60);
        a.upload(&db).await;
        // While the day goes on and the terminal has not closed it nobody signs.
        let early = sheet(&db, ARRIVAL).await;
        assert_eq!(early.state(), OfficeDayState::Running);
        assert_eq!(sign(&db, 100, (FIRST, early.seen), ARRIVAL).await, Err(NotDone::Running));

        let before = sheet(&db, NEXT).await;
        let matters: Vec<DayMatter> = before.differences.iter().map(|of| of.matter).collect();
        assert_eq!(matters, [DayMatter::Missing, DayMatter::Differs]);
        assert_eq!(before.differences[1].size, 54);
        assert_eq!(sign(&db, 101, (FIRST, before.seen), NEXT).await, Err(NotDone::NoReason));
        assert_eq!(explain(&db, 102, Hash([5; 32]), NEXT).await, Err(NotDone::NoDifference));
        for (n, of) in (103..).zip(&before.differences) {
            assert_eq!(explain(&db, n, of.id, NEXT).await, Ok(()));
        }
        assert_eq!(sheet(&db, NEXT).await.seen, before.seen, "a reason changes no figure");
        assert_eq!(sign(&db, 105, (FIRST, before.seen), NEXT).await, Ok(()));

        // The terminal is heard of: what was signed is not so any more, and what is new needs a reason.
        heard(&db, TERMINAL_A, NEXT).await;
        assert_eq!(sign(&db, 106, (SECOND, before.seen), NEXT).await, Err(NotDone::Changed));
        let after = sheet(&db, NEXT).await;
        let matters: Vec<DayMatter> = after.differences.iter().map(|of| of.matter).collect();
        assert_eq!(matters, [DayMatter::NotClosed, DayMatter::Differs]);
        assert_eq!(sign(&db, 107, (SECOND, after.seen), NEXT).await, Err(NotDone::NoReason));
        assert_eq!(explain(&db, 108, after.differences[0].id, NEXT).await, Ok(()));
        assert_eq!(sign(&db, 109, (SECOND, after.seen), NEXT).await, Ok(()));
        assert_eq!(
            sheet(&db, NEXT).await.state(),
            OfficeDayState::SignedOnce,
            "who saw the new ones is first"
        );
        assert_eq!(sign(&db, 110, (FIRST, after.seen), NEXT).await, Ok(()));
        assert_eq!(sheet(&db, NEXT).await.state(), OfficeDayState::Signed);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_days_tells_each_state_and_goes_back_over_empty_weeks() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.purchase(700, 1, 32_000, 6);
        a.close_day(900);
        a.upload(&db).await;
        b.purchase(700, 2, 32_000, 6);
        b.upload(&db).await;
        heard(&db, TERMINAL_A, NEXT).await;
        let seen = sheet(&db, NEXT).await.seen;
        for (n, actor) in [(100, FIRST), (101, SECOND)] {
            assert_eq!(sign(&db, n, (actor, seen), NEXT).await, Ok(()));
        }
        let list = |office, state, last| {
            let asked = ListAsked { office, state, last };
            let db = &db;
            async move { db.read(move |tx| store::list(tx, asked, NEXT)).await.expect("readable") }
        };
        let (all, next) = list(None, None, TOMORROW).await;
        let told: Vec<_> = all.iter().map(|line| (line.office.code.as_str(), line.day, line.state)).collect();
        assert_eq!(told, [("A", TODAY, OfficeDayState::Signed), ("B", TODAY, OfficeDayState::Open)]);
        assert_eq!(next, None, "nothing was recorded before");
        assert!(all.iter().all(|line| line.facts > 0 && line.terminals == 1), "{all:?}");
        let (open, _) = list(None, Some(OfficeDayState::Open), TOMORROW).await;
        assert_eq!(open.len(), 1);
        let (none, _) = list(Some(OFFICE_B), Some(OfficeDayState::Signed), TOMORROW).await;
        assert!(none.is_empty());
        // Asked a year later, the list leads back to it over weeks without anything.
        let (far, _) = list(Some(OFFICE_A), None, TODAY.plus(365)).await;
        assert_eq!(far.iter().map(|line| line.day).collect::<Vec<_>>(), [TODAY]);
    })
    .await;
}
