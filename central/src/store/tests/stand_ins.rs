//! Who stands in for whom, and that the books know it: what a stand-in decides stands only while they are named for it and
//! never for what is one of the two's own, on both databases; the story is replayed from its journal at the end.

use hufu_shared::act::{Act, Actor, PointsChange, PointsChanged, PointsDecided, StandInEnded, StandInNamed};
use hufu_shared::ids::{EntryId, Hash, OperatorId};
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::{each, prepare_all};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::points::State;
use crate::store::{StoreError, acts, points as changes, stand_ins};

const AWAY: OperatorId = OperatorId([0xa1; 16]);
const PRESENT: OperatorId = OperatorId([0xa2; 16]);
const THIRD: OperatorId = OperatorId([0xa3; 16]);

fn at(days: i64) -> Instant {
    NOON.offset(days * DAY_US)
}

/// Takes an act of somebody as shells do.
async fn takes(db: &Db, (n, when): (u8, Instant), actor: Actor, act: Act) -> Result<(), StoreError> {
    db.write(move |tx| acts::take(tx, EntryId([n; 16]), when, &actor, &act).map(|_| ())).await
}

/// Takes an act past every shell.
async fn forces(db: &Db, (n, when): (u8, Instant), actor: Actor, act: Act) {
    let body = EntryBody::Act(TakenAct { actor, act, seen: Vec::new() });
    entry(db, EntryId([n; 16]), when, body).await;
}

fn named(n: u8, stand_in: OperatorId, (from, until): (Instant, Instant)) -> Act {
    Act::StandInNamed(StandInNamed { id: Hash([n; 32]), stand_in, from, until })
}

fn asked(n: u8) -> Act {
    let change = PointsChange {
        id: Hash([n; 32]),
        member: member(1),
        points: 10,
        cause: "care".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([0; 32]),
    };
    Act::PointsChanged(PointsChanged { changes: vec![change], waits: true, trigger: None })
}

fn decided(n: u8) -> Act {
    Act::PointsDecided(PointsDecided { changes: vec![Hash([n; 32])], approved: true, reason: Hash([9; 32]) })
}

/// Where a change is, and who decided it.
async fn stands(db: &Db, n: u8) -> (State, Option<String>) {
    let known =
        db.read(move |tx| changes::change(tx, Hash([n; 32]))).await.expect("readable").expect("asked");
    (known.state, known.decided.map(|decided| decided.by))
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_a_stand_in_decides_for_a_time_what_is_neither_s_own_and_the_books_name_both() {
    each(|db| async move {
        found(&db).await;
        let (away, present) = (Actor::Admin(AWAY), Actor::Admin(PRESENT));
        let stand_in = Actor::StandIn(PRESENT, AWAY);
        takes(&db, (40, at(0)), away.clone(), named(1, PRESENT, (at(1), at(3)))).await.expect("named");
        for (n, of) in [(1, AWAY), (2, PRESENT), (3, THIRD), (4, THIRD)] {
            takes(&db, (50 + n, at(0)), Actor::Admin(of), asked(n)).await.expect("asked");
        }
        // Not before its time, not by whom nobody named, and not in whose place nobody is named.
        for (n, when, actor) in [
            (60, at(0), stand_in.clone()),
            (61, at(2), Actor::StandIn(THIRD, AWAY)),
            (62, at(2), Actor::StandIn(AWAY, PRESENT)),
        ] {
            let refused = takes(&db, (n, when), actor.clone(), decided(3)).await;
            assert!(matches!(refused, Err(StoreError::NoStandIn)), "{actor}: {refused:?}");
            forces(&db, (n + 10, when), actor, decided(3)).await;
            assert_eq!(stands(&db, 3).await, (State::Waiting, None), "nor past the shell");
        }
        for (entry, n) in [(80, 1), (81, 2), (82, 3)] {
            takes(&db, (entry, at(2)), stand_in.clone(), decided(n)).await.expect("taken");
        }
        assert_eq!(stands(&db, 1).await, (State::Waiting, None), "of whom they stand in for");
        assert_eq!(stands(&db, 2).await, (State::Waiting, None), "their own");
        let both = format!("admin/{PRESENT}/for/{AWAY}");
        assert_eq!(stands(&db, 3).await, (State::Posted, Some(both)));
        // Nobody but who is away ends it, and from then on it is over.
        let ended = Act::StandInEnded(StandInEnded { id: Hash([1; 32]) });
        takes(&db, (83, at(2)), present, ended.clone()).await.expect("without effect");
        assert_eq!(db.read(move |tx| stand_ins::by(tx, PRESENT, at(2))).await.expect("readable").len(), 1);
        takes(&db, (84, at(2)), away, ended).await.expect("ended");
        assert!(db.read(move |tx| stand_ins::by(tx, PRESENT, at(2))).await.expect("readable").is_empty());
        let over = takes(&db, (85, at(2)), stand_in, decided(4)).await;
        assert!(matches!(over, Err(StoreError::NoStandIn)), "{over:?}");
        assert_eq!(points(&db, 1).await, 10, "one of the four");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_themselves_nor_in_another_s_place() {
    each(|db| async move {
        found(&db).await;
        let away = Actor::Admin(AWAY);
        let week = (at(0), at(7));
        takes(&db, (40, at(0)), away.clone(), named(1, PRESENT, week)).await.expect("named");
        for (n, actor, act) in [
            (41, away.clone(), named(2, AWAY, week)),
            (42, away.clone(), named(3, PRESENT, (at(7), at(1)))),
            (43, Actor::StandIn(PRESENT, AWAY), named(4, THIRD, week)),
            (44, Actor::Job("night".to_owned()), named(5, THIRD, week)),
            (45, away, named(1, THIRD, week)),
        ] {
            takes(&db, (n, at(1)), actor, act).await.expect("taken, without effect");
        }
        let all = db.read(move |tx| stand_ins::newest(tx, AWAY, 10)).await.expect("readable");
        assert_eq!(all.iter().map(|known| known.stand_in).collect::<Vec<_>>(), [PRESENT]);
        for person in [PRESENT, THIRD] {
            assert!(db.read(move |tx| stand_ins::of(tx, person)).await.expect("readable").is_empty());
        }
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_stand_ins_is_one_that_both_databases_take() {
    prepare_all(&[&stand_ins::SQL]).await;
}
