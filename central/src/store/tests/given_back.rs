//! Goods that come back as the scheme of the purchase says (S8): points that stay, points that are owed, and who is asked,
//! on both databases and in every order of arrival.

use hufu_shared::act::{Act, PointsChange, PointsChanged};
use hufu_shared::fact::{Event, REASON_MISTAKE, Reversed, Shown};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::redemption::{Returns, Shortfall};
use hufu_shared::time::{Day, SECOND_US};

use super::clocks::late;
use super::earned::{applied, give_back, pts};
use super::kit::*;
use super::order::normal_form;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;

/// Fen that earn 20 points by rule S2.
const DRESS_FEN: i64 = 100_000;
/// Number of the conflict kind "member owes".
const OWES: i64 = 24;

/// A club with rule S2 and such returns.
fn club(version: u32, returns: Returns) -> SchemeTerms {
    SchemeTerms { returns: Some(returns), ..SchemeTerms::property_club(version, Day(0)) }
}

fn points_stay() -> Returns {
    Returns { reverse_points: false, ..Returns::default() }
}

fn mistaken(at: &mut Terminal, seconds: i64, original: FactId, points: i64) -> FactId {
    let (legs, reason) = (vec![pts(points)], REASON_MISTAKE.to_owned());
    at.record(seconds, Shown::Accepted, Event::Reversed(Reversed { original, legs, reason, slip: None }))
}

/// Changes points by hand, as somebody at the desk does.
async fn by_hand(db: &Db, n: u8, points: i64) {
    let change = PointsChange {
        id: Hash([n; 32]),
        member: member(1),
        points,
        cause: "complaint".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([n; 32]),
    };
    let changed = PointsChanged { changes: vec![change], waits: false, trigger: None };
    act(db, n, late(n.into()), Act::PointsChanged(changed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_points_of_goods_that_come_back_stay_where_the_scheme_leaves_them() {
    each(|db| async move {
        found_with(&db, club(1, points_stay())).await;
        let mut a = Terminal::start(TERMINAL_A);
        let dress = a.purchase(0, 1, DRESS_FEN, 20);
        let back = give_back(&mut a, 60, dress, 20);
        a.upload(&db).await;
        assert_eq!(
            (points(&db, 1).await, owed(&db, 1).await),
            (20, 0),
            "the goods are back, the points stay"
        );
        assert_eq!((standing(&db, dress).await, standing(&db, back).await), (applied(), applied()));
        // What nobody bought gives nothing, whatever the club does about goods.
        let slip_of_the_finger = a.purchase(120, 2, DRESS_FEN, 20);
        mistaken(&mut a, 180, slip_of_the_finger, 20);
        let half = a.purchase(240, 3, DRESS_FEN, 20);
        give_back(&mut a, 300, half, 5);
        mistaken(&mut a, 360, half, 8);
        a.upload(&db).await;
        assert_eq!((points(&db, 2).await, points(&db, 3).await), (0, 12), "a mistake takes its own part");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_what_comes_back_follows_the_version_of_the_purchase_and_no_later_one() {
    each(|db| async move {
        found_with(&db, club(1, points_stay())).await;
        let mut a = Terminal::start(TERMINAL_A);
        let before = a.purchase(0, 1, DRESS_FEN, 20);
        a.upload(&db).await;
        let takes = SchemeTerms { valid_from: Day(20_700), ..club(2, Returns::default()) };
        act(&db, 60, late(60), Act::SchemeSet(takes)).await;
        give_back(&mut a, 120, before, 20);
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 20, "as it was when it was bought");
        replays(&db).await;
    })
    .await;
}

/// Sale, return and mistake at two terminals, which hand over in some order: the normal form on each database.
async fn run(returns: Returns, sale_first: bool) -> Vec<Vec<Vec<String>>> {
    let all = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = all.clone();
    each(move |db| {
        let (kept, returns) = (kept.clone(), returns.clone());
        async move {
            found_with(&db, club(1, returns)).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let dress = a.purchase(0, 1, DRESS_FEN, 20);
            let coat = a.purchase(60, 2, DRESS_FEN, 20);
            give_back(&mut b, 120, dress, 20);
            mistaken(&mut b, 180, coat, 15);
            let both = if sale_first { [&mut a, &mut b] } else { [&mut b, &mut a] };
            for terminal in both {
                terminal.upload(&db).await;
            }
            replays(&db).await;
            let rows = normal_form(&db).await;
            kept.lock().expect("nobody panicked").push(rows);
        }
    })
    .await;
    all.lock().expect("nobody panicked").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_points_of_goods_that_come_back_end_alike_whichever_terminal_is_first() {
    for returns in [points_stay(), Returns::default()] {
        let (first, second) = (run(returns.clone(), true).await, run(returns.clone(), false).await);
        assert_eq!(first.len(), 2, "on each database");
        assert_eq!(first, second, "{returns:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_24_what_is_missing_for_goods_that_came_back_is_owed_whatever_the_scheme_asks_for() {
    for shortfall in [Shortfall::ReturnGiftOrCash, Shortfall::Negative, Shortfall::Block] {
        each(move |db| async move {
            found_with(&db, club(1, Returns { shortfall, ..Returns::default() })).await;
            let mut a = Terminal::start(TERMINAL_A);
            let dress = a.purchase(0, 1, DRESS_FEN, 20);
            a.upload(&db).await;
            by_hand(&db, 60, -15).await;
            give_back(&mut a, 60, dress, 20);
            a.upload(&db).await;
            assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 15), "{shortfall:?}");
            assert_eq!(count(&db, "cases_of_kind", vec![OWES.into()]).await, 1, "a person sees it");
            assert_eq!(count(&db, "open_cases", vec![]).await, 1);
            by_hand(&db, 61, 15).await;
            assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 0), "cash or gift came back");
            assert_eq!(count(&db, "open_cases", vec![]).await, 0, "{shortfall:?}");
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_goods_whose_points_stay_free_nothing_of_a_cap() {
    for (returns, second) in [(points_stay(), 5), (Returns::default(), 20)] {
        each(move |db| {
            let returns = returns.clone();
            async move {
                found_with(&db, club(1, returns)).await;
                let cap = EarnCap {
                    unit: Unit::Pts,
                    period: Period::Day,
                    most: Amount(25),
                    events: Vec::new(),
                    offices: Vec::new(),
                };
                let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
                act(&db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
                let mut a = Terminal::start(TERMINAL_A);
                let dress = a.purchase(0, 1, DRESS_FEN, 20);
                give_back(&mut a, 60, dress, 20);
                a.upload(&db).await;
                let before = points(&db, 1).await;
                a.purchase(120, 1, DRESS_FEN, 20);
                a.upload(&db).await;
                assert_eq!(points(&db, 1).await - before, second);
                replays(&db).await;
            }
        })
        .await;
    }
}
