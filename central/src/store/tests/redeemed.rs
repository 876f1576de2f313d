//! Redemption by plans, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{
    Act, Actor, PointsChange, PointsChanged, RedeemedBy, RedeemedFor, RedemptionPlan, RedemptionRun,
    RedemptionStep, RedemptionStepped, StockEnd, StockMoved,
};
use hufu_shared::ids::{EntryId, Hash, ItemId, MemberId, OperatorId};
use hufu_shared::money::Unit;
use hufu_shared::policy::Policy;
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::clocks::late;
use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::redemption::State;
use crate::store::redemption::{self as store, Figures, Step};
use crate::store::statement::{self, Place};
use crate::store::stock;
use crate::vault::Vault;

const GIFT: ItemId = ItemId([7; 16]);
const PLAN: Hash = Hash([0x60; 32]);
pub(super) const PLANNER: OperatorId = OperatorId([0x91; 16]);
pub(super) const OTHER: OperatorId = OperatorId([0x92; 16]);

fn plan(what: RedeemedFor, by: RedeemedBy) -> RedemptionPlan {
    let today = OfficeClock::default().business_day(NOON);
    let (from, until) = (today, today.plus(30));
    RedemptionPlan {
        id: PLAN,
        name: words("年终兑礼", "Year-end gifts"),
        from,
        until,
        office: OFFICE_A,
        by,
        what,
    }
}

pub(super) async fn act_of(db: &Db, person: OperatorId, n: u8, at: Instant, act: Act) {
    let taken = TakenAct { actor: Actor::Admin(person), act, seen: Vec::new() };
    entry(db, EntryId([n; 16]), at, EntryBody::Act(taken)).await;
}

/// A club that wants plans approved, with points for members 1 to 3 and gifts on the shelf.
async fn ready(db: &Db, points: [i64; 3], gifts: u32) {
    found(db).await;
    let policy = Policy { plans_need_approval: true, ..Policy::default() };
    act(db, 40, late(1), Act::PolicySet(Box::new(policy))).await;
    let change = |(n, points): (u8, i64)| PointsChange {
        id: Hash([n; 32]),
        member: member(n),
        points,
        cause: "purchase".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([0; 32]),
    };
    let changes = (1..).zip(points).map(change).collect();
    act(db, 41, late(2), Act::PointsChanged(PointsChanged { changes, waits: false, trigger: None })).await;
    let (from, to, id) = (StockEnd::Supplier, StockEnd::Shelf(OFFICE_A), Hash([8; 32]));
    let moved = StockMoved { id, item: GIFT, from, to, pieces: gifts, reason: Hash([0; 32]) };
    act(db, 42, late(3), Act::StockMoved(moved)).await;
}

fn stepped(step: RedemptionStep) -> Act {
    Act::RedemptionStepped(RedemptionStepped { plan: PLAN, step, reason: Hash([5; 32]) })
}

fn run(members: &[u8]) -> Act {
    let members = members.iter().map(|n| member(*n)).collect();
    Act::RedemptionRun(RedemptionRun { plan: PLAN, members })
}

async fn known(db: &Db) -> (State, Figures) {
    let load = |tx: &mut crate::db::Tx<'_>| -> Result<_, crate::store::StoreError> {
        Ok((store::plan(tx, PLAN)?, store::figures(tx, PLAN)?))
    };
    let (plan, figures) = db.read(load).await.expect("readable");
    (plan.expect("planned").state, figures)
}

async fn shelf(db: &Db) -> i64 {
    let known = db.read(|tx| stock::shelf(tx, GIFT, OFFICE_A)).await.expect("readable");
    known.map_or(0, |known| known.on_shelf())
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_plan_is_approved_by_another_and_gives_each_member_a_gift_once() {
    each(|db| async move {
        ready(&db, [500, 900, 499], 5).await;
        let gifts = plan(RedeemedFor::Gift { item: GIFT, points: 500 }, RedeemedBy::default());
        act_of(&db, PLANNER, 50, late(10), Act::RedemptionPlanned(Box::new(gifts.clone()))).await;
        act_of(&db, PLANNER, 51, late(11), run(&[1])).await;
        act_of(&db, PLANNER, 52, late(12), stepped(RedemptionStep::Approve)).await;
        assert_eq!(known(&db).await, (State::Planned, Figures::default()), "nobody approves their own plan");
        act_of(&db, OTHER, 53, late(13), stepped(RedemptionStep::Return)).await;
        assert_eq!(known(&db).await.0, State::Returned);
        act_of(&db, PLANNER, 54, late(14), Act::RedemptionPlanned(Box::new(gifts.clone()))).await;
        act_of(&db, OTHER, 55, late(15), stepped(RedemptionStep::Approve)).await;
        // What was approved is not changed behind the approver's back.
        let cheaper = RedemptionPlan { what: RedeemedFor::Gift { item: GIFT, points: 1 }, ..gifts };
        act_of(&db, PLANNER, 56, late(16), Act::RedemptionPlanned(Box::new(cheaper))).await;
        act_of(&db, PLANNER, 57, late(17), run(&[1, 2, 3, 1])).await;
        act_of(&db, PLANNER, 58, late(18), run(&[1, 2, 3])).await;
        let mut left = Vec::new();
        for n in 1..=3 {
            left.push(points(&db, n).await);
        }
        assert_eq!((left, shelf(&db).await), (vec![0, 400, 499], 3));
        let figures = Figures { heads: 2, points: 1_000, fen: 0, gifts: 2 };
        assert_eq!(known(&db).await, (State::Approved, figures));
        let own = db
            .read(|tx| store::lines_of(tx, member(1), (Instant(i64::MAX), Hash([0xff; 32])), 10))
            .await
            .expect("readable");
        assert_eq!(
            own.iter().map(|line| (line.1.en.as_str(), line.2.points)).collect::<Vec<_>>(),
            [("Year-end gifts", 500)]
        );
        let after = (own[0].3, own[0].0);
        let rest = db.read(move |tx| store::lines_of(tx, member(1), after, 10)).await.expect("readable");
        assert!(rest.is_empty(), "a page begins after the line that the one before it ended with");
        let of = (member(1), Unit::Pts);
        let lines = db.read(move |tx| statement::lines(tx, of, Place::FIRST, 10)).await.expect("lines");
        let last = lines.last().expect("a line");
        assert_eq!((last.change, last.rule.as_str(), last.scheme), (-500, "K24", 1));
        assert_eq!(last.plan.as_ref().map(|name| name.zh.as_str()), Some("年终兑礼"));
        act_of(&db, PLANNER, 59, late(19), stepped(RedemptionStep::End)).await;
        act_of(&db, PLANNER, 60, late(20), run(&[3])).await;
        assert_eq!(known(&db).await, (State::Ended, figures));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_no_gift_is_given_that_does_not_lie_there_nor_outside_the_period() {
    each(|db| async move {
        ready(&db, [500, 500, 500], 2).await;
        let gifts = plan(RedeemedFor::Gift { item: GIFT, points: 500 }, RedeemedBy::default());
        act_of(&db, PLANNER, 50, late(10), Act::RedemptionPlanned(Box::new(gifts))).await;
        act_of(&db, OTHER, 51, late(11), stepped(RedemptionStep::Approve)).await;
        act_of(&db, PLANNER, 52, late(12), run(&[1, 2, 3])).await;
        assert_eq!((shelf(&db).await, points(&db, 3).await), (0, 500), "the third keeps the points");
        let late_for_it = NOON.offset(40 * hufu_shared::time::DAY_US);
        act_of(&db, PLANNER, 53, late_for_it, run(&[3])).await;
        assert_eq!(known(&db).await.1.heads, 2);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_cash_is_stored_value_for_those_whom_the_plan_names_and_carrying_on_gives_the_same() {
    each(|db| async move {
        ready(&db, [30, 8, 70], 1).await;
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&folder.path().join("vault.key")).expect("a key file");
        let by = RedeemedBy { at_least: 10, at_most: Some(60), ..RedeemedBy::default() };
        let cash = plan(RedeemedFor::Cash { fen_per_point: 100, points: 0 }, by);
        act_of(&db, PLANNER, 50, late(10), Act::RedemptionPlanned(Box::new(cash.clone()))).await;
        act_of(&db, OTHER, 51, late(11), stepped(RedemptionStep::Approve)).await;
        for (n, redeemed) in [(60, 1), (61, 0)] {
            let (vault, cash) = (vault.clone(), cash.clone());
            let at = (EntryId([n; 16]), late(i64::from(n)));
            let (actor, first) = (Actor::Admin(PLANNER), MemberId([0; 16]));
            let done =
                db.write(move |tx| store::step(tx, &vault, (&cash, first), &actor, at)).await.expect("done");
            assert_eq!(done, Step { redeemed, left_out: 4, last: None });
        }
        let figures = Figures { heads: 1, points: 30, fen: 3_000, gifts: 0 };
        assert_eq!(known(&db).await.1, figures);
        let of = (member(1), Unit::Cny);
        let money = db.read(move |tx| statement::lines(tx, of, Place::FIRST, 10)).await.expect("lines");
        assert_eq!(money.iter().map(|line| (line.change, line.after)).collect::<Vec<_>>(), [(3_000, 3_000)]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_club_that_asks_for_no_approval_carries_out_at_once() {
    let db = Db::memory().expect("memory");
    ready(&db, [500, 0, 0], 1).await;
    act(&db, 45, late(5), Act::PolicySet(Box::default())).await;
    let by = RedeemedBy { members: vec![member(1)], ..RedeemedBy::default() };
    let gifts = plan(RedeemedFor::Gift { item: GIFT, points: 500 }, by);
    assert_eq!(gifts.from, OfficeClock::default().business_day(NOON));
    assert!(gifts.until > gifts.from && gifts.from > Day(0));
    act_of(&db, PLANNER, 50, late(10), Act::RedemptionPlanned(Box::new(gifts))).await;
    act_of(&db, PLANNER, 51, late(11), run(&[1])).await;
    assert_eq!((known(&db).await.0, points(&db, 1).await), (State::Approved, 0));
}
