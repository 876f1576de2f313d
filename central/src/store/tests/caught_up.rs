//! What a job that comes late must not change: cases whose time was up, and members who are heard of after all. On both
//! databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, Actor, LeaveFiled};
use hufu_shared::fact::{Event, Shown, Visited};
use hufu_shared::ids::{EntryId, Hash, OperatorId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::policy::Policy;
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::unknown_card_case;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::joining::leaving::State;
use crate::store::{cases, joining};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A terminal's card comes by on a day, and the centre hears of it an hour later.
async fn comes(db: &Db, terminal: &mut Terminal, day: i64, n: u8) -> hufu_shared::ids::FactId {
    let fact = terminal.record(day * DAY_S, Shown::Accepted, Event::Visited(Visited { subject: subject(n) }));
    let at = NOON.offset((day * DAY_S + 3_600) * 1_000_000);
    let mut id = [0xb0; 16];
    (id[1], id[2]) = (u8::try_from(day).expect("few days"), n);
    let batch = terminal.batch_at(at);
    entry(db, EntryId(id), at, EntryBody::Batch(batch)).await;
    fact
}

async fn leaves(db: &Db, n: u8, actor: Actor, at: Instant) {
    let filed = LeaveFiled { member: member(n), kind: "unreachable".to_owned(), reason: Hash([0; 32]) };
    let body = EntryBody::Act(TakenAct { actor, act: Act::LeaveFiled(filed), seen: Vec::new() });
    let mut id = [0xf0; 16];
    (id[1], id[2]) = (n, u8::try_from(at.since(NOON) / DAY_US).expect("few days"));
    entry(db, EntryId(id), at, body).await;
}

async fn state(db: &Db, n: u8) -> Option<State> {
    let known = db.read(move |tx| joining::leaving(tx, member(n))).await.expect("readable");
    known.map(|known| known.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_whom_the_clubs_rule_put_down_and_who_is_heard_of_before_the_audit_stays() {
    each(|db| async move {
        found(&db).await;
        let mut policy = Policy::default();
        let kind = "unreachable".to_owned();
        policy.joining.auto_leave = Some(AutoLeave { kind, idle_days: 20, spares_value: false });
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let (job, clerk) = (Actor::Job("joining".to_owned()), Actor::Admin(OperatorId([9; 16])));
        let at = |days: i64| NOON.offset(days * DAY_US);
        leaves(&db, 1, job.clone(), at(21)).await;
        leaves(&db, 2, clerk, at(21)).await;
        leaves(&db, 3, job.clone(), at(21)).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        comes(&db, &mut terminal, 22, 1).await;
        comes(&db, &mut terminal, 23, 2).await;
        assert_eq!(state(&db, 1).await, Some(State::Withdrawn), "heard of");
        assert_eq!(state(&db, 2).await, Some(State::Filed), "asked to leave: only a person says otherwise");
        assert_eq!(state(&db, 3).await, Some(State::Filed), "of whom nothing was heard");
        // Put down again, as anybody is of whom nothing is heard for so long.
        leaves(&db, 1, job, at(43)).await;
        assert_eq!(state(&db, 1).await, Some(State::Filed));
        replays(&db).await;
    })
    .await;
}

/// Ends what is over, as the job does.
async fn deadlines(db: &Db, day: i64) -> usize {
    let now = NOON.offset(day * DAY_US);
    let id = EntryId([0xd0; 16]);
    db.write(move |tx| cases::end_overdue(tx, id, now)).await.expect("cases end")
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_what_comes_after_the_time_was_up_makes_the_case_anew_whether_the_job_came_by_or_not() {
    for in_time in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let mut terminal = Terminal::start(TERMINAL_A);
            let first = comes(&db, &mut terminal, 0, 77).await;
            assert_eq!(standing(&db, first).await, ("held".to_owned(), Some(13)));
            if in_time {
                assert_eq!(deadlines(&db, 31).await, 1);
            }
            let second = comes(&db, &mut terminal, 40, 77).await;
            assert_eq!(standing(&db, first).await, ("no_effect".to_owned(), Some(13)), "its time was up");
            assert_eq!(standing(&db, second).await, ("held".to_owned(), Some(13)));
            let case = db
                .read(move |tx| cases::open(tx, Some(13)))
                .await
                .expect("readable")
                .cases
                .into_iter()
                .find(|case| case.id == unknown_card_case(token(77)))
                .expect("open again");
            let hour_us = DAY_US / 24;
            assert_eq!(case.known.deadline, Some(NOON.offset(70 * DAY_US + hour_us)), "a time of its own");
            // Registered in time for the second alone.
            act(&db, 70, NOON.offset(41 * DAY_US), Act::CardsSet(vec![card(77, Some(member(2)))])).await;
            assert_eq!(standing(&db, first).await.0, "no_effect");
            assert_eq!(standing(&db, second).await, ("applied".to_owned(), None));
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_a_card_that_is_registered_after_the_time_was_up_brings_nothing_back() {
    for in_time in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let mut terminal = Terminal::start(TERMINAL_A);
            let first = comes(&db, &mut terminal, 0, 77).await;
            if in_time {
                assert_eq!(deadlines(&db, 31).await, 1);
            }
            act(&db, 70, NOON.offset(41 * DAY_US), Act::CardsSet(vec![card(77, Some(member(2)))])).await;
            assert_eq!(standing(&db, first).await, ("no_effect".to_owned(), Some(13)));
            assert_eq!(deadlines(&db, 42).await, 0, "nothing is left to end");
            replays(&db).await;
        })
        .await;
    }
}
