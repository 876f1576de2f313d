//! Levels of members in the books, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, LevelWhy, LevelsMoved, MemberSet};
use hufu_shared::fact::{Event, Reversed, Shown};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::{Ladder, Measure};
use hufu_shared::scheme::ready;
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::{each, prepare_all};
use crate::store::{levels, people};

/// What the job does at a moment, as one act; how many steps it took.
async fn look(db: &Db, n: u8, now: Instant) -> usize {
    let Some(look) = db.read(move |tx| levels::look_due(tx, now)).await.expect("readable") else { return 0 };
    let (until, scheme) = (look.days.1, look.version);
    let due = db
        .read(move |tx| levels::moves_due(tx, &look, MemberId([0; 16]), levels::MEMBERS_STEP_MAX))
        .await
        .expect("readable");
    assert_eq!(due.1, None, "a small club");
    let moves = due.0;
    let steps = moves.len();
    act(db, n, now, Act::LevelsMoved(LevelsMoved { until, scheme, moves })).await;
    steps
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_levels_rise_by_points_hold_for_the_year_and_fall_with_it_and_terminals_read_them() {
    each(|db| async move {
        found(&db).await;
        let pharmacy: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        let mut policy = Policy::default();
        pharmacy.write_into(&mut policy);
        policy.issue.points_per_fact = Amount(100_000);
        policy.issue.points_per_day = Amount(1_000_000);
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 1, 6_000_000, 1_200);
        terminal.purchase(10, 2, 5_995_000, 1_198);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 1_200);
        let at = |days: i64| NOON.offset(days * DAY_US);
        assert_eq!(look(&db, 60, at(1)).await, 1, "1200 in the quarter");
        assert_eq!(look(&db, 61, at(1)).await, 0, "looked at");
        let known = db.read(move |tx| levels::level(tx, member(1))).await.expect("readable").expect("moved");
        let until = known.standing.until.map(|until| until.to_string());
        assert_eq!((known.standing.rank, until.as_deref()), (1, Some("2026-12-31")));
        assert_eq!(db.read(move |tx| levels::level(tx, member(2))).await.expect("readable"), None);
        let read = db.read(move |tx| people::member(tx, member(1))).await.expect("readable").expect("there");
        assert_eq!(read.level, Some(words("金卡", "Gold")), "as terminals greet them");
        // The same act again moves nothing twice, and the year ends the level.
        assert_eq!(look(&db, 62, at(60)).await, 1);
        let steps = db.read(move |tx| levels::steps(tx, member(1), 9)).await.expect("readable");
        let told: Vec<_> = steps
            .iter()
            .map(|of| {
                (of.moved.why, of.moved.day.to_string(), of.moved.measured, of.moved.threshold, of.scheme)
            })
            .collect();
        assert_eq!(
            told,
            [
                (LevelWhy::Fell, "2027-01-01".to_owned(), 0, 1_200, 1),
                (LevelWhy::Rose, "2026-11-22".to_owned(), 1_200, 1_200, 1),
            ]
        );
        let older = db.read(move |tx| levels::steps_before(tx, member(1), 2, 9)).await.expect("readable");
        assert_eq!(older, steps[1..], "a page begins before a number");
        let again = LevelsMoved { until: steps[1].moved.day, scheme: 1, moves: vec![steps[1].moved] };
        act(&db, 63, at(61), Act::LevelsMoved(again)).await;
        assert_eq!(db.read(move |tx| levels::steps(tx, member(1), 9)).await.expect("readable").len(), 2);
        let read = db.read(move |tx| people::member(tx, member(1))).await.expect("readable").expect("there");
        assert_eq!(read.level, Some(words("普通会员", "Ordinary")));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p05_a_level_that_was_brought_ends_on_its_day_though_it_is_looked_at_each_day() {
    for days in [vec![39_i64, 40, 41], vec![41]] {
        each(move |db| {
            let days = days.clone();
            async move {
                found(&db).await;
                let pharmacy: Scheme =
                    toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
                let mut policy = Policy::default();
                pharmacy.write_into(&mut policy);
                act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
                let brought = MemberSet {
                    member: member(3),
                    number: "M3".to_owned(),
                    level: Some(words("金卡", "Gold")),
                    status: MemberStatus::Active,
                    office: None,
                    personal: Hash([3; 32]),
                    joined: Some("2020-05-01".parse().expect("a day")),
                };
                act(&db, 41, NOON.offset(-DAY_US / 3), Act::MembersSet(vec![brought])).await;
                let mut steps = 0;
                for (n, day) in (60..).zip(&days) {
                    steps += look(&db, n, NOON.offset(day * DAY_US)).await;
                }
                let known = db.read(move |tx| levels::level(tx, member(3))).await.expect("readable");
                let fell = known.map(|known| (known.day.to_string(), known.standing.rank));
                assert_eq!((steps, fell), (1, Some(("2027-01-01".to_owned(), 0))), "{days:?}");
                replays(&db).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_a_return_takes_off_what_was_paid_once_whenever_its_terminal_says_that_it_was() {
    each(|db| async move {
        found(&db).await;
        let mut club: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        (club.levels[1].measure, club.levels[1].threshold) = (Measure::PeriodSpend, 100_000);
        let policy = Policy { levels: Ladder::of(&club), ..Policy::default() };
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let whole = |original| {
            let legs = vec![Leg { unit: Unit::Pts, amount: Amount(20) }];
            Event::Reversed(Reversed { original, legs, reason: "goods".to_owned(), slip: None })
        };
        let early = a.purchase(600, 1, 100_000, 20);
        b.record(0, Shown::Accepted, whole(early));
        let twice = a.purchase(700, 2, 100_000, 20);
        a.record(800, Shown::Accepted, whole(twice));
        a.record(900, Shown::Accepted, whole(twice));
        a.purchase(1_800, 2, 100_000, 20);
        a.upload(&db).await;
        b.upload(&db).await;
        look(&db, 60, NOON.offset(DAY_US)).await;
        let rank = async |n: u8| db.read(move |tx| levels::rank(tx, member(n))).await.expect("readable");
        assert_eq!((rank(1).await, rank(2).await), (0, 1), "all of it came back, and one of two");
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_levels_is_one_that_both_databases_take() {
    prepare_all(&[&levels::SQL]).await;
}
