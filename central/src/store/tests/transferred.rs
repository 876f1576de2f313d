//! Points that one member gives another, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, MemberErased, MemberSet, PointsChange, PointsChanged, PointsTransferred};
use hufu_shared::ids::Hash;
use hufu_shared::member::MemberStatus;
use hufu_shared::money::Unit;
use hufu_shared::policy::Policy;
use hufu_shared::rules::transfer::NotTransferred;
use hufu_shared::scheme::redemption::Transfer;
use hufu_shared::scheme::{Scheme, SchemeTerms, ready};
use hufu_shared::time::{DAY_US, Day};

use super::clocks::late;
use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::points::NotChanged;
use crate::store::statement::{self, Place};
use crate::store::transfers::{self, NotGiven};

fn given(name: u8, from: u8, to: u8, points: i64) -> PointsTransferred {
    let (from, to) = (member(from), member(to));
    PointsTransferred { id: Hash([name; 32]), from, to, points, office: OFFICE_A, reason: Hash([5; 32]) }
}

/// A club that allows it within limits, in which member 1 has 200 points.
async fn allowed(db: &Db) {
    allowed_with(db, SchemeTerms::property_club(1, Day(0))).await;
}

async fn allowed_with(db: &Db, terms: SchemeTerms) {
    found_with(db, terms).await;
    let transfer = Transfer {
        allowed: true,
        least: 10,
        most: Some(100),
        most_per_day: Some(120),
        most_per_year: Some(150),
        min_rank: 0,
    };
    let policy = Policy { transfer: Some(transfer), ..Policy::default() };
    act(db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
    let change = PointsChange {
        id: Hash([1; 32]),
        member: member(1),
        points: 200,
        cause: "purchase".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([1; 32]),
    };
    let changed = PointsChanged { changes: vec![change], waits: false, trigger: None };
    act(db, 41, late(1), Act::PointsChanged(changed)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_03_points_that_a_member_gives_another_are_moved_whole_and_once_and_each_statement_names_the_other()
 {
    each(|db| async move {
        allowed(&db).await;
        for n in [60, 61] {
            act(&db, n, late(2), Act::PointsTransferred(given(7, 1, 2, 80))).await;
        }
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (120, 80), "the same name, once");
        let none = [given(8, 1, 2, 121), given(9, 1, 1, 5), given(10, 1, 2, 0), given(11, 1, 2, -5)];
        for (n, none) in (62..).zip(none) {
            act(&db, n, late(3), Act::PointsTransferred(none)).await;
        }
        let erased = MemberErased { member: member(4), reason: Hash([0; 32]) };
        act(&db, 70, late(4), Act::MemberErased(erased)).await;
        act(&db, 71, late(5), Act::PointsTransferred(given(12, 1, 4, 5))).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (120, 80), "none of these");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0, "inv 1");
        for (n, change, other) in [(1, -80, "M2"), (2, 80, "M1")] {
            let key = (member(n), Unit::Pts);
            let lines = db.read(move |tx| statement::lines(tx, key, Place::FIRST, 9)).await.expect("lines");
            let line = lines.last().expect("a line");
            let told = (line.change, line.waits, line.code.as_str(), line.rule.as_str());
            assert_eq!(told, (change, 0, "transfer", "K20"));
            assert_eq!(line.other.as_deref(), Some(other), "both sides are named");
        }
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k15_points_are_given_only_to_who_holds_a_main_card_where_points_begin_with_it() {
    each(|db| async move {
        let mut club: Scheme = toml::from_str(ready::find("K").expect("shipped").text).expect("a scheme");
        (club.version, club.valid_from) = (1, Day(0));
        allowed_with(&db, club.terms()).await;
        let joins = MemberSet {
            member: member(6),
            number: "M6".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([6; 32]),
            joined: None,
        };
        act(&db, 60, late(2), Act::MembersSet(vec![joins])).await;
        let asked = async |wish: PointsTransferred| {
            db.read(move |tx| transfers::check(tx, &wish, late(100))).await.expect("readable")
        };
        let without = Err(NotGiven::Member(member(6), NotChanged::MainCard));
        assert_eq!(asked(given(7, 1, 6, 50)).await, without);
        act(&db, 61, late(3), Act::PointsTransferred(given(7, 1, 6, 50))).await;
        assert_eq!((points(&db, 1).await, points(&db, 6).await), (200, 0), "nobody asked the desk");
        assert_eq!(asked(given(8, 1, 2, 50)).await, Ok(()), "who has a card gets them");
        act(&db, 62, late(4), Act::PointsTransferred(given(8, 1, 2, 50))).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (150, 50));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_points_are_given_within_the_limits_of_the_scheme_alone() {
    each(|db| async move {
        allowed(&db).await;
        let asked = async |wish: PointsTransferred, days: i64| {
            let now = late(100).offset(days * DAY_US);
            db.read(move |tx| transfers::check(tx, &wish, now)).await.expect("readable")
        };
        let limits = |why| Err(NotGiven::Limits(why));
        assert_eq!(asked(given(7, 1, 2, 100), 0).await, Ok(()));
        assert_eq!(asked(given(7, 1, 1, 100), 0).await, Err(NotGiven::Same));
        let size = |points| limits(NotTransferred::Size { points, least: 10, most: 100 });
        assert_eq!(asked(given(7, 1, 2, 9), 0).await, size(9));
        assert_eq!(asked(given(7, 1, 2, 101), 0).await, size(101));
        let short = NotChanged::Short { missing: 50, escrow: 0 };
        assert_eq!(asked(given(7, 2, 1, 50), 0).await, Err(NotGiven::Member(member(2), short)));
        act(&db, 60, late(2), Act::PointsTransferred(given(7, 1, 2, 100))).await;
        let limit = |given, most| limits(NotTransferred::Limit { given, most });
        assert_eq!(asked(given(8, 1, 2, 20), 0).await, Ok(()), "the rest of the day");
        assert_eq!(asked(given(8, 1, 2, 21), 0).await, limit(100, 120), "of the day");
        assert_eq!(asked(given(8, 1, 2, 50), 1).await, Ok(()), "another day");
        assert_eq!(asked(given(8, 1, 2, 51), 1).await, limit(100, 150), "of the year");
        assert_eq!(asked(given(8, 1, 2, 60), 60).await, Ok(()), "another year");
        act(&db, 61, late(200), Act::PolicySet(Box::default())).await;
        assert_eq!(
            asked(given(8, 1, 2, 20), 0).await,
            limits(NotTransferred::NotAllowed),
            "as no scheme says"
        );
    })
    .await;
}
