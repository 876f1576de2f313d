//! The member day and the ranking in the books, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{
    Act, Actor, FilledUp, MembersMerged, MembersRanked, PointsChange, PointsChanged, PointsFilledUp,
    RankingAwarded, StockClass, StockEnd, StockItem, StockMoved,
};
use hufu_shared::ids::{EntryId, Hash, ItemId, MemberId, OfficeId, OperatorId};
use hufu_shared::money::Amount;
use hufu_shared::policy::{Period, Policy};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::bonus::RankBy;
use hufu_shared::scheme::ready;
use hufu_shared::time::{DAY_US, Day, Instant};

use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::entry::EntryBody;
use crate::store::acts::Note;
use crate::store::rankings::{self, NotGiven};
use crate::store::{StoreError, member_day, stock};

const EVERYBODY: MemberId = MemberId([0; 16]);

fn pharmacy() -> Scheme {
    toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme")
}

/// What the pharmacy's scheme says, for a terminal that gives as much as a story asks.
fn policy() -> Policy {
    let mut policy = Policy::default();
    pharmacy().write_into(&mut policy);
    policy.issue.points_per_fact = Amount(100_000);
    policy.issue.points_per_day = Amount(1_000_000);
    policy
}

async fn set(db: &Db, n: u8, at: Instant, policy: Policy) {
    act(db, n, at, Act::PolicySet(Box::new(policy))).await;
}

/// A club by the pharmacy's rules, in which members bought for these points on 22 November.
async fn club(db: &Db, bought: &[(u8, i64)]) {
    found(db).await;
    set(db, 40, NOON.offset(-DAY_US / 2), policy()).await;
    let mut terminal = Terminal::start(TERMINAL_A);
    for (seconds, (who, points)) in (0..).zip(bought) {
        terminal.purchase(seconds * 60, *who, points * 5_000, *points);
    }
    terminal.upload(db).await;
}

/// Points of a kind that no level counts.
async fn given(db: &Db, n: u8, (who, points): (u8, i64), at: Instant) {
    let change = PointsChange {
        id: Hash([n; 32]),
        member: member(who),
        points,
        cause: "care".to_owned(),
        office: OFFICE_A,
        occurrence: None,
        fact: None,
        reason: Hash([0; 32]),
    };
    act(db, n, at, Act::PointsChanged(PointsChanged { changes: vec![change], waits: false, trigger: None }))
        .await;
}

fn at(days: i64) -> Instant {
    NOON.offset(days * DAY_US)
}

/// What the job of the member day does at a moment, as one act.
async fn fill(db: &Db, n: u8, now: Instant) -> Vec<FilledUp> {
    let due = move |tx: &mut Tx<'_>| -> Result<Option<(Day, Vec<FilledUp>)>, StoreError> {
        let Some(look) = member_day::look_due(tx, now)? else { return Ok(None) };
        let (members, next) = member_day::due(tx, &look, (EVERYBODY, member_day::MEMBERS_STEP_MAX))?;
        assert_eq!(next, None, "a small club");
        Ok(Some((look.days.1, members)))
    };
    let Some((until, members)) = db.read(due).await.expect("readable") else { return Vec::new() };
    let filled = members.clone();
    act(db, n, now, Act::PointsFilledUp(PointsFilledUp { until, members })).await;
    filled
}

fn told(filled: &[FilledUp]) -> Vec<(u8, String, i64, i64)> {
    filled.iter().map(|of| (of.member.0[0], of.day.to_string(), of.from, of.to)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p03_the_member_day_fills_points_up_from_gold_on_once_a_month() {
    each(|db| async move {
        club(&db, &[(1, 1_400), (2, 4_500), (3, 9_500), (4, 10_000)]).await;
        given(&db, 41, (5, 1_400), at(1)).await;
        assert!(fill(&db, 60, at(26)).await.is_empty(), "the 18th is not over");
        let filled = fill(&db, 61, at(27)).await;
        let day = || "2026-12-18".to_owned();
        assert_eq!(
            told(&filled),
            [(1, day(), 1_400, 1_500), (2, day(), 4_500, 5_000), (3, day(), 9_500, 10_000)],
            "10,000 stay, and who is not gold has no part in it"
        );
        for (who, has) in [(1, 1_500), (2, 5_000), (3, 10_000), (4, 10_000), (5, 1_400)] {
            assert_eq!(points(&db, who).await, has, "{who}");
        }
        assert!(filled.iter().all(|of| of.office == OFFICE_A && of.scheme == 1));
        assert!(fill(&db, 62, at(27)).await.is_empty(), "looked at");
        let again = PointsFilledUp { until: filled[0].day, members: filled };
        act(&db, 63, at(28), Act::PointsFilledUp(again)).await;
        assert_eq!(points(&db, 1).await, 1_500, "twice is once");
        // Another day of the same month gives nothing more, whatever there is by then.
        given(&db, 42, (1, 300), at(28)).await;
        let mut later = policy();
        later.round_up.as_mut().expect("it has one").day = 25;
        set(&db, 43, at(29), later).await;
        assert!(fill(&db, 64, at(35)).await.is_empty());
        assert_eq!(points(&db, 1).await, 1_800);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p03_what_a_terminal_brings_later_counts_not_for_the_day_whenever_somebody_looks() {
    for looks in [vec![27], vec![28]] {
        each(move |db| {
            let looks: Vec<i64> = looks.clone();
            async move {
                club(&db, &[(1, 1_400), (2, 1_800)]).await;
                let mut late = Terminal::start(TERMINAL_B);
                late.purchase(60, 1, 2_000_000, 400);
                let is_in_time = looks == [27];
                if is_in_time {
                    assert_eq!(fill(&db, 60, at(27)).await.len(), 2);
                }
                let came = at(27).offset(DAY_US / 4);
                entry(&db, EntryId([90; 16]), came, EntryBody::Batch(late.batch_at(came))).await;
                if !is_in_time {
                    let day = || "2026-12-18".to_owned();
                    let filled = told(&fill(&db, 61, at(28)).await);
                    assert_eq!(filled, [(1, day(), 1_400, 1_500), (2, day(), 1_800, 2_000)]);
                }
                assert_eq!((points(&db, 1).await, points(&db, 2).await), (1_900, 2_000), "{looks:?}");
                replays(&db).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p03_what_came_over_from_a_merged_member_counts_and_what_went_back_does_not() {
    each(|db| async move {
        club(&db, &[(1, 1_400), (2, 400), (3, 1_400), (4, 400)]).await;
        let pair = |survivor, merged| MembersMerged {
            survivor: member(survivor),
            merged: member(merged),
            reason: Hash([0; 32]),
        };
        act(&db, 60, at(1), Act::MembersMerged(pair(1, 2))).await;
        act(&db, 61, at(1), Act::MembersMerged(pair(3, 4))).await;
        act(&db, 62, at(2), Act::MembersUnmerged(pair(3, 4))).await;
        let filled = fill(&db, 63, at(27)).await;
        let day = || "2026-12-18".to_owned();
        assert_eq!(told(&filled), [(1, day(), 1_800, 2_000), (3, day(), 1_400, 1_500)]);
        assert_eq!((points(&db, 1).await, points(&db, 3).await), (2_000, 1_500));
        replays(&db).await;
    })
    .await;
}

/// What the job of the ranking does at a moment, an act for each period; the places of each.
async fn rank(db: &Db, n: u8, now: Instant) -> Vec<MembersRanked> {
    let due = move |tx: &mut Tx<'_>| -> Result<Vec<MembersRanked>, StoreError> {
        let Some(look) = rankings::look_due(tx, now)? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for period in look.periods.iter().copied() {
            let (places, next) = rankings::places(tx, &look, period, EVERYBODY)?;
            assert_eq!(next, None, "a small club");
            all.push(rankings::ranked(&look, period, &places));
        }
        Ok(all)
    };
    let found = db.read(due).await.expect("readable");
    for (n, ranked) in (n..).zip(&found) {
        act(db, n, now, Act::MembersRanked(ranked.clone())).await;
    }
    found
}

fn first(ranked: &MembersRanked) -> Vec<(u8, i64)> {
    ranked.places.iter().map(|of| (of.member.0[0], of.points)).collect()
}

async fn give(db: &Db, (n, award): (u8, Hash), office: OfficeId) -> Result<(), NotGiven> {
    let note = Note { commitment: Hash([n; 32]), sealed: vec![n] };
    let (actor, entry) = (Actor::Admin(OperatorId([9; 16])), (EntryId([n; 16]), at(42)));
    db.write(move |tx| rankings::give(tx, (award, office), (&note, &actor), entry)).await.expect("taken")
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p04_the_first_of_a_quarter_are_found_once_and_each_award_is_given_once() {
    each(|db| async move {
        club(&db, &[(1, 1_400), (2, 1_400), (3, 9_500)]).await;
        given(&db, 41, (5, 20_000), at(1)).await;
        assert!(rank(&db, 60, at(39)).await.is_empty(), "the quarter is not over");
        let found = rank(&db, 61, at(40)).await;
        let period = (found[0].from.to_string(), found[0].until.to_string());
        assert_eq!(period, ("2026-10-01".to_owned(), "2026-12-31".to_owned()));
        assert_eq!(first(&found[0]), [(3, 9_500), (1, 1_400), (2, 1_400)], "gold, by points, then by name");
        assert!(rank(&db, 62, at(41)).await.is_empty(), "looked at");
        act(&db, 63, at(41), Act::MembersRanked(found[0].clone())).await;
        let listed = db.read(|tx| rankings::awards(tx, rankings::FIRST, 9)).await.expect("readable");
        let places: Vec<_> = listed.iter().map(|of| (of.1.place, of.2.as_str())).collect();
        assert_eq!(places, [(1, "M3"), (2, "M1"), (3, "M2")], "once, in their order");
        let after = (listed[0].1.period.1, listed[0].1.place, listed[0].0);
        let rest = db.read(move |tx| rankings::awards(tx, after, 9)).await.expect("readable");
        assert_eq!(rest.as_slice(), &listed[1..], "page by page");
        let award = |place: usize| listed[place].0;
        assert_eq!(give(&db, (70, award(0)), OFFICE_A).await, Ok(()), "no item of stock: put down as given");
        let item = ItemId([0x71; 16]);
        let gift = StockItem {
            item,
            class: StockClass::Gift,
            code: "quarter-gift".to_owned(),
            words: words("季度排名礼品", "Quarter's award"),
            retired: false,
        };
        act(&db, 71, at(41), Act::StockItemsSet(vec![gift])).await;
        let came = StockMoved {
            id: Hash([0x72; 32]),
            item,
            from: StockEnd::Supplier,
            to: StockEnd::Shelf(OFFICE_A),
            pieces: 1,
            reason: Hash([0; 32]),
        };
        act(&db, 72, at(41), Act::StockMoved(came)).await;
        for (n, place, office, expected) in [
            (73, 1, OFFICE_B, Err(NotGiven::Short)),
            (74, 1, OFFICE_A, Ok(())),
            (75, 1, OFFICE_A, Err(NotGiven::Before)),
            (76, 2, OFFICE_A, Err(NotGiven::Short)),
        ] {
            assert_eq!(give(&db, (n, award(place)), office).await, expected, "{place} at {office}");
        }
        assert_eq!(give(&db, (77, Hash([1; 32])), OFFICE_A).await, Err(NotGiven::Unknown));
        // Whatever a shell overlooked: nothing comes off an empty shelf, and what was given is not given again.
        for (n, place) in [(78, 1), (79, 2)] {
            let awarded = RankingAwarded {
                award: award(place),
                office: OFFICE_A,
                item: Some(item),
                reason: Hash([3; 32]),
            };
            act(&db, n, at(42), Act::RankingAwarded(awarded)).await;
        }
        let shelf = db.read(move |tx| stock::shelf(tx, item, OFFICE_A)).await.expect("readable");
        assert_eq!(shelf.map(|shelf| shelf.on_shelf()), Some(0));
        let listed = db.read(|tx| rankings::awards(tx, rankings::FIRST, 9)).await.expect("readable");
        let given: Vec<_> =
            listed.iter().map(|of| of.1.given.as_ref().map(|given| (given.office, given.item))).collect();
        assert_eq!(given, [Some((OFFICE_A, None)), Some((OFFICE_A, Some(item))), None]);
        let merged = MembersMerged { survivor: member(1), merged: member(2), reason: Hash([0; 32]) };
        act(&db, 80, at(43), Act::MembersMerged(merged)).await;
        let own =
            db.read(|tx| rankings::of_member(tx, member(1), rankings::FIRST, 9)).await.expect("readable");
        assert_eq!(own.len(), 2, "the other's goes with them");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p03_p04_another_member_day_or_period_brings_nothing_for_what_had_passed_without_it() {
    each(|db| async move {
        club(&db, &[(1, 1_400)]).await;
        let mut other = policy();
        let fills = other.round_up.as_mut().expect("it has one");
        (fills.day, fills.min_rank) = (10, 0);
        other.ranking.as_mut().expect("it has one").period = Period::Month;
        set(&db, 43, at(25), other).await;
        assert!(fill(&db, 60, at(30)).await.is_empty(), "on 10 December it was the 18th");
        assert!(rank(&db, 70, at(30)).await.is_empty(), "nobody was ranked by months in November");
        let filled = fill(&db, 61, at(50)).await;
        assert_eq!(told(&filled), [(1, "2027-01-10".to_owned(), 1_400, 1_500)]);
        let ranked = rank(&db, 71, at(50)).await;
        let periods: Vec<_> = ranked.iter().map(|of| (of.from.to_string(), of.until.to_string())).collect();
        assert_eq!(periods, [("2026-12-01".to_owned(), "2026-12-31".to_owned())]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p04_by_points_earned_what_was_given_and_what_came_later_does_not_count() {
    each(|db| async move {
        club(&db, &[(1, 1_400), (2, 1_300)]).await;
        let mut earned = policy();
        let rule = earned.ranking.as_mut().expect("it has one");
        (rule.by, rule.top_n) = (RankBy::Earned, 1);
        set(&db, 44, at(1), earned).await;
        given(&db, 41, (2, 500), at(1)).await;
        let mut late = Terminal::start(TERMINAL_B);
        late.purchase(60, 2, 2_000_000, 400);
        let came = at(39).offset(DAY_US);
        entry(&db, EntryId([90; 16]), came, EntryBody::Batch(late.batch_at(came))).await;
        let found = rank(&db, 61, at(41)).await;
        assert_eq!(found.iter().map(first).collect::<Vec<_>>(), [[(1, 1_400)]]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_what_comes_round_is_one_that_both_databases_take() {
    prepare_all(&[&member_day::SQL, &rankings::SQL]).await;
}
