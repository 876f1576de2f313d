//! Awards of rankings through the job, the page and `/api/v1`, on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, BalancesOpened, MemberSet, Opening};
use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{Period, Policy};
use hufu_shared::scheme::bonus::{RankBy, Ranking};
use hufu_shared::time::DAY_US;

use super::cards::problem;
use super::joining::{json, text};
use super::kit::{Browser, Site, each};
use crate::jobs;
use crate::rules::jobs::Job;

const WHO: MemberId = MemberId([0xe2; 16]);

/// The member with the most points of each day gets an umbrella; one has more than anybody, for two days.
async fn ranked(site: &Site) {
    let ranking = Ranking {
        period: Period::Day,
        top_n: 1,
        min_rank: 0,
        award: "umbrella".to_owned(),
        by: RankBy::Balance,
    };
    let row = MemberSet {
        member: WHO,
        number: "X1".to_owned(),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([1; 32]),
        joined: None,
    };
    let leg = Leg { unit: Unit::Pts, amount: Amount(5_000_000) };
    let rows = vec![Opening { member: WHO, leg, office: OfficeId([0xa0; 16]), at: None }];
    let opened = BalancesOpened { batch: "points".to_owned(), rows, reason: Hash([2; 32]) };
    let policy = Policy { ranking: Some(ranking), ..Policy::default() };
    for act in [Act::PolicySet(Box::new(policy)), Act::MembersSet(vec![row]), Act::BalancesOpened(opened)] {
        site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
    }
    site.clock.advance(2 * DAY_US);
    let would = jobs::dry_run(&site.app, Job::Ranking).await.expect("counted");
    assert_eq!(would, 2, "a day each");
    assert_eq!(jobs::perform(&site.app, Job::Ranking).await.expect("done"), would, "counted first");
    assert_eq!(jobs::perform(&site.app, Job::Ranking).await.expect("done"), 0, "twice is once");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p04_awards_are_listed_by_period_and_given_once_from_the_shelf_of_an_office() {
    each(|site| async move {
        ranked(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let gift = [("class", "gift"), ("code", "umbrella"), ("zh", "雨伞"), ("en", "umbrella")];
        assert_eq!(browser.post("/api/v1/stock/items", &gift).await.status, StatusCode::OK);
        let came = [
            ("key", "delivery"),
            ("class", "gift"),
            ("code", "umbrella"),
            ("from", "supplier"),
            ("to", "A"),
            ("pieces", "1"),
            ("reason", "采购入库"),
        ];
        assert_eq!(browser.post("/api/v1/stock/moves", &came).await.status, StatusCode::CREATED);
        let all = json(&browser.get("/api/v1/rankings?limit=1").await);
        let newest = all["awards"][0].clone();
        assert_eq!((text(&newest, "number"), newest["place"].as_i64()), ("X1", Some(1)), "{all}");
        assert_eq!(newest["points"].as_i64(), Some(5_000_000));
        let rest = json(&browser.get(&format!("/api/v1/rankings?cursor={}", text(&all, "next"))).await);
        assert_eq!((rest["awards"].as_array().map(Vec::len), rest["next"].is_null()), (Some(1), true));
        let older = rest["awards"][0].clone();
        assert!(text(&older, "until") < text(&newest, "until"), "the newest period first: {older}");
        let lost = browser.get("/api/v1/rankings?cursor=moon").await;
        assert_eq!(lost.status, StatusCode::NOT_FOUND);
        let page = browser.get("/rankings").await;
        for words in ["排名奖励", "第 1 名", "待发放", "雨伞"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let path = format!("/api/v1/rankings/{}/give", text(&newest, "award"));
        for (office, reason, code) in [("moon", "领取", "points-office"), ("A", "", "reason-missing")] {
            let page = browser.post(&path, &[("office", office), ("reason", reason)]).await;
            assert_eq!(problem(&page), code);
        }
        let fields = [("office", "A"), ("reason", "本人到场领取")];
        let given = browser.post(&path, &fields).await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.text);
        let given = json(&given);
        assert!(given["given"].is_number() && given["item"].is_string(), "{given}");
        let again = browser.post(&path, &fields).await;
        assert_eq!((again.status, problem(&again).as_str()), (StatusCode::CONFLICT, "ranking-before"));
        let press = format!("/rankings/{}", text(&older, "award"));
        let short = browser.post(&press, &fields).await;
        assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(short.text.contains("该案场没有这件奖品的库存"), "{}", short.text);
        browser.post("/api/v1/stock/moves", &[&[("key", "more")][..], &came[1..]].concat()).await;
        assert_eq!(browser.post(&press, &fields).await.to(), "/rankings");
        let shelf = json(&browser.get("/api/v1/stock?office=A").await);
        assert_eq!(shelf["shelves"][0]["pieces"].as_i64(), Some(0), "{shelf}");
        let own = json(&browser.get(&format!("/api/v1/members/{WHO}/rankings")).await);
        assert_eq!((own["awards"].as_array().map(Vec::len), own["next"].is_null()), (Some(2), true));
        let path = format!("/api/v1/members/{WHO}/rankings");
        let first = json(&browser.get(&format!("{path}?limit=1")).await);
        let rest = json(&browser.get(&format!("{path}?cursor={}", text(&first, "next"))).await);
        let told = [&first, &rest].map(|page| (page["awards"].as_array().map(Vec::len), &page["awards"][0]));
        assert_eq!(told, [(Some(1), &own["awards"][0]), (Some(1), &own["awards"][1])], "page by page");
        let page = browser.get(&format!("/members/{WHO}?tab=points")).await;
        assert!(page.text.contains("第 1 名，奖励：雨伞，已发放"), "{}", page.text);
        let none = format!("/api/v1/rankings/{}/give", "0".repeat(64));
        assert_eq!(browser.post(&none, &fields).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_awards_are_for_people_who_are_signed_in() {
    each(|site| async move {
        let mut stranger = Browser::stranger(&site);
        for path in ["/rankings", "/api/v1/rankings"] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
        }
        let none = "0".repeat(64);
        for path in [format!("/rankings/{none}"), format!("/api/v1/rankings/{none}/give")] {
            let page = stranger.post_bare(&path, &[("office", "A"), ("reason", "x")]).await;
            assert!(!page.status.is_success(), "{path}");
        }
    })
    .await;
}
