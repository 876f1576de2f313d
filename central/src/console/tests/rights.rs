//! Levels and coupons of a member through jobs, page and `/api/v1`, on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, BalancesOpened, MemberSet, Opening};
use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::bonus::CouponTerms;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::scheme::ready;
use hufu_shared::time::DAY_US;

use super::cards::problem;
use super::joining::{json, text};
use super::kit::{Browser, each};
use crate::jobs;
use crate::rules::jobs::Job;

const WHO: MemberId = MemberId([0xe1; 16]);

fn who() -> MemberSet {
    MemberSet {
        member: WHO,
        number: "X1".to_owned(),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([1; 32]),
        joined: Some("2026-11-22".parse().expect("a day")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b01_s10_a_member_s_level_and_coupons_are_told_line_by_line_and_a_coupon_is_used_once() {
    each(|site| async move {
        let pharmacy: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        let coupons = Some(CouponTerms { welcome_fen: 20_000, birthday: None });
        let policy = Policy { levels: Ladder::of(&pharmacy), coupons, ..Policy::default() };
        let actor = Actor::Job("test".to_owned());
        for act in [Act::PolicySet(Box::new(policy)), Act::MembersSet(vec![who()])] {
            site.app.act(actor.clone(), act).await.expect("taken");
        }
        site.clock.advance(2 * DAY_US);
        for job in [Job::Levels, Job::Coupons] {
            let would = jobs::dry_run(&site.app, job).await.expect("counted");
            assert_eq!(jobs::perform(&site.app, job).await.expect("done"), would, "{job:?}: counted first");
            assert_eq!(jobs::perform(&site.app, job).await.expect("done"), 0, "{job:?}: twice is once");
        }
        let mut browser = Browser::signed_in(&site).await;
        let level = json(&browser.get(&format!("/api/v1/members/{WHO}/level")).await);
        assert_eq!((level["rank"].as_u64(), text(&level, "name")), (Some(0), "普通会员"));
        let told = json(&browser.get(&format!("/api/v1/members/{WHO}/coupons")).await);
        let coupon = told["coupons"][0].clone();
        assert_eq!((coupon["fen"].as_i64(), text(&coupon, "state")), (Some(20_000), "open"), "{told}");
        let path = format!("/api/v1/coupons/{}/use", text(&coupon, "coupon"));
        let unknown = browser.post(&path, &[("office", "moon"), ("reason", "小票 17")]).await;
        assert_eq!(problem(&unknown), "points-office");
        let fields = [("office", "A"), ("reason", "小票 17")];
        let used = browser.post(&path, &fields).await;
        assert_eq!(used.status, StatusCode::OK, "{}", used.text);
        assert_eq!(text(&json(&used), "state"), "used");
        assert_eq!(problem(&browser.post(&path, &fields).await), "coupon-used");
        let page = browser.get(&format!("/members/{WHO}?tab=points")).await;
        assert!(page.text.contains("入会券 ¥200.00") && page.text.contains("已用"), "{}", page.text);
        let none = "/api/v1/members/00000000-0000-0000-0000-000000000000/level";
        assert_eq!(browser.get(none).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b02_the_statement_says_in_both_languages_what_of_growth_the_end_of_a_level_took() {
    each(|site| async move {
        let shop: Scheme = toml::from_str(ready::find("B").expect("shipped").text).expect("a scheme");
        let policy = Policy { levels: Ladder::of(&shop), ..Policy::default() };
        let leg = Leg { unit: Unit::Growth, amount: Amount(1_400) };
        let row = Opening { member: WHO, leg, office: OfficeId([0xe2; 16]), at: None };
        let opened = BalancesOpened { batch: "growth".to_owned(), rows: vec![row], reason: Hash([2; 32]) };
        let acts =
            [Act::PolicySet(Box::new(policy)), Act::MembersSet(vec![who()]), Act::BalancesOpened(opened)];
        for act in acts {
            site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
        }
        for (days, steps) in [(2, 1), (368, 1)] {
            site.clock.advance(days * DAY_US);
            let before = jobs::dry_run(&site.app, Job::Levels).await.expect("counted");
            assert!(before >= steps, "the others of the club too");
            jobs::perform(&site.app, Job::Levels).await.expect("done");
        }
        let mut browser = Browser::signed_in(&site).await;
        let session = browser.cookies.clone();
        for (language, parts) in [
            ("zh-CN", ["因等级到期，", "规则 B2", "扣减 500 成长值", "变动后为 900 成长值"]),
            ("en", ["End of the level;", "rule B2", "500 growth were taken", "leaves 900 growth"]),
        ] {
            browser.cookies = format!("{session}; hufu_lang={language}");
            let told = json(&browser.get(&format!("/api/v1/members/{WHO}/statement?unit=GROWTH")).await);
            let line = told["lines"][1].clone();
            assert_eq!((text(&line, "code"), line["change"].as_i64()), ("level_ended", Some(-500)), "{told}");
            let sentence = text(&line, "sentence");
            assert!(parts.iter().all(|part| sentence.contains(part)), "{sentence}");
        }
    })
    .await;
}
