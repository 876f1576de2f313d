//! Activities from act to rows, on both databases, each story replayed from its journal at the end.

use hufu_shared::act::{
    Act, ActivityCostSet, ActivityDecided, ActivityPlan, ActivityPlanned, Actor, OccurrenceEnded, SignUpStep,
    SignedUp,
};
use hufu_shared::ids::{ActivityId, EntryId, Hash, OccurrenceId, OperatorId};
use hufu_shared::member::{OccurrenceRow, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::Coming;
use hufu_shared::time::{Instant, SECOND_US};

use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::activity::State;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::store::{activities, people};

const TEA: ActivityId = ActivityId([0x7e; 16]);
const REASON: Hash = Hash([5; 32]);
const HOUR_US: i64 = 3_600 * SECOND_US;
/// After the founding, and long before the holdings begin.
const MORNING: Instant = Instant(NOON.0 - 20 * HOUR_US);

async fn by(db: &Db, n: u8, person: u8, at: Instant, act: Act) {
    let actor = Actor::Admin(OperatorId([person; 16]));
    let body = EntryBody::Act(TakenAct { actor, act, seen: Vec::new() });
    entry(db, EntryId([n; 16]), at, body).await;
}

fn holding(n: u8, places: Option<u32>) -> OccurrenceRow {
    OccurrenceRow { occurrence: OccurrenceId([n; 16]), activity: TEA, places, ..occurrence() }
}

fn planned(occurrences: Vec<OccurrenceRow>) -> Act {
    let plan = ActivityPlan {
        activity: TEA,
        name: words("茶会", "Tea"),
        kind: "salon".to_owned(),
        place: "湖心亭".to_owned(),
        programme: "品茶".to_owned(),
        heads: 30,
        cost: Amount(100_000),
        admission: None,
    };
    Act::ActivityPlanned(Box::new(ActivityPlanned { plan, occurrences }))
}

fn decided(approved: bool) -> Act {
    Act::ActivityDecided(ActivityDecided { activity: TEA, approved, reason: REASON })
}

fn step(holding: u8, n: u8, step: SignUpStep) -> Act {
    Act::SignedUp(SignedUp {
        occurrence: OccurrenceId([holding; 16]),
        member: member(n),
        step,
        companions: None,
    })
}

async fn state(db: &Db) -> Option<State> {
    let found = db.read(|tx| activities::activity(tx, TEA)).await.expect("readable");
    found.map(|known| known.state)
}

async fn states(db: &Db) -> Vec<OccurrenceState> {
    let rows = db.read(|tx| activities::occurrences_of(tx, TEA)).await.expect("readable");
    rows.iter().map(|row| row.state).collect()
}

async fn coming(db: &Db, holding: u8, n: u8) -> Option<Coming> {
    let read = move |tx: &mut crate::db::Tx<'_>| activities::one(tx, OccurrenceId([holding; 16]), member(n));
    db.read(read).await.expect("readable").map(|line| line.sign_up.coming)
}

/// Who terminals are told is expected.
async fn expected(db: &Db, holding: u8) -> Vec<u8> {
    let read = move |tx: &mut crate::db::Tx<'_>| people::occurrence(tx, OccurrenceId([holding; 16]));
    let row = db.read(read).await.expect("readable").expect("there");
    row.guests.iter().map(|guest| (1..=5).find(|n| member(*n) == guest.member).expect("a member")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k26_only_an_approved_plan_runs_and_nobody_approves_their_own() {
    each(|db| async move {
        found(&db).await;
        by(&db, 60, 1, MORNING, planned(vec![holding(0x31, None), holding(0x32, None)])).await;
        assert_eq!(state(&db).await, Some(State::Planned));
        assert_eq!(states(&db).await, [OccurrenceState::Planned; 2]);
        by(&db, 61, 1, MORNING, decided(true)).await;
        assert_eq!(state(&db).await, Some(State::Planned), "not by whoever planned it");
        by(&db, 62, 2, MORNING, decided(false)).await;
        assert_eq!(state(&db).await, Some(State::Returned));
        by(&db, 63, 2, MORNING, decided(true)).await;
        assert_eq!(state(&db).await, Some(State::Returned), "it is not to be decided now");
        // Planned anew with one holding less, which is called off.
        by(&db, 64, 1, MORNING, planned(vec![holding(0x31, None)])).await;
        assert_eq!(states(&db).await, [OccurrenceState::Planned, OccurrenceState::Ended]);
        by(&db, 65, 2, MORNING, decided(true)).await;
        assert_eq!(states(&db).await, [OccurrenceState::Approved, OccurrenceState::Ended]);
        // One that is another activity's cannot be taken over, and what runs is not planned away.
        let taken = OccurrenceRow { activity: TEA, ..occurrence() };
        by(&db, 66, 1, MORNING, planned(vec![taken])).await;
        assert_eq!(state(&db).await, Some(State::Approved));
        by(&db, 67, 1, NOON.offset(1), planned(vec![holding(0x31, None)])).await;
        assert_eq!(state(&db).await, Some(State::Approved), "it has begun");
        let end =
            |n| Act::OccurrenceEnded(OccurrenceEnded { occurrence: OccurrenceId([n; 16]), reason: REASON });
        by(&db, 68, 1, NOON.offset(HOUR_US), end(0x31)).await;
        assert_eq!(
            (state(&db).await, states(&db).await),
            (Some(State::Ended), vec![OccurrenceState::Ended; 2])
        );
        by(&db, 69, 1, NOON.offset(HOUR_US), planned(vec![holding(0x31, None)])).await;
        assert_eq!(state(&db).await, Some(State::Ended), "what is over is not planned again");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_who_waits_gets_the_place_that_becomes_free() {
    each(|db| async move {
        found(&db).await;
        by(&db, 60, 1, MORNING, planned(vec![holding(0x31, Some(1))])).await;
        by(&db, 61, 1, MORNING, step(0x31, 1, SignUpStep::SignUp)).await;
        assert_eq!(coming(&db, 0x31, 1).await, None, "nobody signs up to what is not approved");
        by(&db, 62, 2, MORNING, decided(true)).await;
        for (n, who) in [(63, 1), (64, 2), (65, 3)] {
            by(&db, n, 1, MORNING.offset(i64::from(n)), step(0x31, who, SignUpStep::SignUp)).await;
        }
        by(&db, 66, 1, MORNING.offset(66), step(0x31, 4, SignUpStep::Invite)).await;
        let all = [Coming::Placed, Coming::Waiting, Coming::Waiting, Coming::Invited];
        for (n, stands) in (1..).zip(all) {
            assert_eq!(coming(&db, 0x31, n).await, Some(stands), "member {n}");
        }
        assert_eq!(expected(&db, 0x31).await, [1, 4], "who has a place, and who is invited");
        by(&db, 67, 1, MORNING.offset(70), step(0x31, 1, SignUpStep::Cancel)).await;
        assert_eq!(coming(&db, 0x31, 2).await, Some(Coming::Placed), "whoever waited longest");
        assert_eq!(expected(&db, 0x31).await, [2, 4]);
        // Planned anew with more places; everybody who waits has one, and nobody lost theirs.
        by(&db, 68, 1, MORNING.offset(80), planned(vec![holding(0x31, Some(3))])).await;
        assert_eq!(coming(&db, 0x31, 3).await, Some(Coming::Placed));
        assert_eq!(expected(&db, 0x31).await, [2, 3, 4]);
        by(&db, 69, 2, MORNING.offset(90), decided(true)).await;
        // One comes, one does not.
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.check_in_at(0, 2, OccurrenceId([0x31; 16]));
        terminal.upload(&db).await;
        let mut heads = db.read(|tx| activities::heads(tx, TEA)).await.expect("readable");
        let heads = heads.remove(&OccurrenceId([0x31; 16])).expect("counted");
        assert_eq!((heads.attended, heads.no_shows), (1, 1));
        assert_eq!(heads.count(Coming::Cancelled), 1);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k28_costs_are_kept_by_item_and_one_of_nothing_is_out() {
    each(|db| async move {
        found(&db).await;
        by(&db, 60, 1, MORNING, planned(vec![holding(0x31, None)])).await;
        let cost = |item, occurrence, fen| {
            Act::ActivityCostSet(ActivityCostSet {
                activity: TEA,
                item,
                what: "茶点".to_owned(),
                occurrence,
                cost: Amount(fen),
            })
        };
        by(&db, 61, 1, MORNING, cost(1, None, 500)).await;
        by(&db, 62, 1, MORNING, cost(2, Some(OccurrenceId([0x31; 16])), 700)).await;
        by(&db, 63, 1, MORNING, cost(3, Some(SALON), 900)).await;
        by(&db, 64, 1, MORNING, cost(1, None, 0)).await;
        let costs = db.read(|tx| activities::costs(tx, TEA)).await.expect("readable");
        let kept: Vec<(u32, i64)> = costs.iter().map(|set| (set.item, set.cost.0)).collect();
        assert_eq!(kept, [(2, 700)], "another activity's holding is none of it");
        replays(&db).await;
    })
    .await;
}
