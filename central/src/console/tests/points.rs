//! Points with their cause, redemption and the statement through pages and `/api/v1`, on both databases.

mod catalogue;
mod events;
mod redemption;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hufu_shared::act::{Act, Actor, CardSet, MemberSet};
use hufu_shared::ids::{CardId, Hash, MemberId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::Words;
use hufu_shared::scheme::redemption::Transfer;
use hufu_shared::time::DAY_US;
use hufu_shared::token::Token;
use serde_json::Value;

use super::cards::problem;
use super::joining::text;
use super::joining::{json, sending};
use super::kit::{Browser, PASSWORD, Page, Site, each};
use super::leases::second_admin;
use crate::config::MessagesConfig;
use crate::jobs;
use crate::rules::jobs::Job;

/// Two members without points, of the numbers X1 and X2; the first is of level gold.
pub async fn newcomers(site: &Arc<Site>) {
    let gold = Words { zh: "金卡".to_owned(), en: "Gold".to_owned() };
    let row = |n: u8| MemberSet {
        member: MemberId([0xe0 + n; 16]),
        number: format!("X{n}"),
        level: (n == 1).then(|| gold.clone()),
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    };
    // The club's points begin with a main card (K15).
    let card = |n: u8| CardSet {
        card: CardId([0xe0 + n; 16]),
        tokens: vec![Token { key_version: 1, hash: [0xe0 + n; 16] }],
        member: Some(id(n)),
        kind: "main".to_owned(),
        status: CardStatus::Active,
        tail: format!("{n:04}"),
        valid_from: None,
        valid_until: None,
    };
    for act in [Act::MembersSet(vec![row(1), row(2)]), Act::CardsSet(vec![card(1), card(2)])] {
        site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k15_the_desk_is_told_that_points_begin_with_a_main_card() {
    each(|site| async move {
        let row = MemberSet {
            member: id(3),
            number: "X3".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([3; 32]),
            joined: None,
        };
        site.app.act(Actor::Job("test".to_owned()), Act::MembersSet(vec![row])).await.expect("taken");
        let mut browser = Browser::signed_in(&site).await;
        let mut asked = fields("first", "100");
        asked.retain(|of| of.0 != "member");
        asked.push(("member", "X3"));
        let refused = browser.post("/api/v1/points", &asked).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert_eq!(problem(&refused), "points-main-card");
        assert_eq!(has(&browser, 3, "PTS").await, 0);
    })
    .await;
}

pub fn id(n: u8) -> MemberId {
    MemberId([0xe0 + n; 16])
}

pub async fn other(site: &Arc<Site>) -> Browser {
    second_admin(site).await;
    let mut browser = Browser::stranger(site);
    let page = browser.sign_in("second", PASSWORD).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    browser
}

/// What a member has by the statement: the last line's figure.
pub async fn has(browser: &Browser, n: u8, unit: &str) -> i64 {
    let told = json(&browser.get(&format!("/api/v1/members/{}/statement?unit={unit}", id(n))).await);
    told["lines"].as_array().and_then(|lines| lines.last()?["after"].as_i64()).unwrap_or(0)
}

pub fn fields<'a>(key: &'a str, points: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("key", key),
        ("member", "X1"),
        ("points", points),
        ("cause", "purchase"),
        ("office", "A"),
        ("reason", "购房 3 号楼 1201"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_k23_a_change_has_a_cause_and_a_key_and_takes_no_more_than_there_is() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/points";
        for (field, value, code) in [
            ("key", "", "points-key"),
            ("member", "X9", "points-member"),
            ("points", "0", "points-number"),
            ("points", "many", "points-number"),
            ("points", "10000001", "points-number"),
            ("cause", "", "points-cause"),
            ("cause", "weather", "points-cause"),
            ("cause", "activity", "points-activity"),
            ("office", "moon", "points-office"),
            ("reason", "", "reason-missing"),
            ("points", "-1", "points-short"),
        ] {
            let mut asked = fields("first", "100");
            asked.retain(|of| of.0 != field);
            asked.push((field, value));
            let refused = browser.post(path, &asked).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}: {}", refused.text);
            assert_eq!(problem(&refused), code, "{field} {value}");
        }
        assert_eq!(browser.post(path, &fields("first", "100")).await.status, StatusCode::CREATED);
        assert_eq!(
            browser.post(path, &fields("first", "100")).await.status,
            StatusCode::OK,
            "the same key, once"
        );
        assert_eq!(has(&browser, 1, "PTS").await, 100);
        let taken = browser.post(path, &fields("second", "-130")).await;
        assert_eq!(problem(&taken), "points-short");
        assert!(text(&json(&taken), "detail").contains("还差 30 分"), "{}", taken.text);
        assert_eq!(
            browser.post(path, &fields("third", "−100")).await.status,
            StatusCode::CREATED,
            "a true minus"
        );
        assert_eq!(has(&browser, 1, "PTS").await, 0);
        // The club's own cause.
        let word = [("code", "referral"), ("zh", "推荐购房"), ("en", "referral"), ("order", "50")];
        assert_eq!(browser.post("/api/v1/dictionaries/cause", &word).await.status, StatusCode::OK);
        let mut own = fields("fourth", "8");
        own.retain(|of| of.0 != "cause");
        own.push(("cause", "referral"));
        assert_eq!(browser.post(path, &own).await.status, StatusCode::CREATED);

        // The statement, in pages of its own and in sentences of both languages.
        let statement = format!("/members/{}/statement", id(1));
        let told = json(&browser.get(&format!("/api/v1{statement}")).await);
        let version = told["lines"][0]["scheme"].as_u64().expect("a version");
        assert!(version >= 1);
        let page = browser.get(&statement).await;
        assert_eq!(page.status, StatusCode::OK);
        for words in [
            "因“购房”".to_owned(),
            format!("依据规则 K20（方案第 {version} 版）增加 100 分"),
            format!("依据规则 K23（方案第 {version} 版）扣减 100 分"),
            "“推荐购房”".to_owned(),
        ] {
            assert!(page.text.contains(&words), "{words}: {}", page.text);
        }
        let cookies = std::mem::take(&mut browser.cookies);
        browser.cookies = format!("{cookies}; hufu_lang=en");
        let page = browser.get(&statement).await;
        let words = format!("100 points were added by rule K20 under version {version} of the scheme");
        assert!(page.text.contains(&words), "{words}: {}", page.text);
        browser.cookies = cookies;
        let causes: Vec<&str> =
            told["lines"].as_array().expect("a list").iter().map(|line| text(line, "cause")).collect();
        assert_eq!(causes, ["purchase", "purchase", "referral"]);
        assert_eq!(told["next"], Value::Null);
        let none = "/api/v1/members/00000000-0000-0000-0000-000000000000/statement";
        assert_eq!(browser.get(none).await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.get(&format!("{statement}?unit=GOLD")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_a_batch_is_checked_whole_and_each_row_is_posted_by_itself() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/points/batch";
        let rows = "会员编号,积分,起因,案场,说明\nX1,50,购房,A,\"3 号楼, 1201\"\nX9,5\nX2,-1,投诉\n";
        let of = |key: &'static str, rows: &'static str| {
            vec![("key", key), ("rows", rows), ("cause", "care"), ("reason", "年终关怀")]
        };
        let refused = browser.post(path, &of("b1", rows)).await;
        assert_eq!(problem(&refused), "points-batch-lines");
        let told = text(&json(&refused), "detail").to_owned();
        assert!(told.contains("3: ") && told.contains("4: ") && !told.contains("2: "), "{told}");
        assert_eq!(has(&browser, 1, "PTS").await, 0, "none of it is posted");
        // What one row gives another may take; together they are not more than there is.
        let done = browser.post(path, &of("b1", "X1,50,purchase,A\nX1,-20\nX2,7\n")).await;
        assert_eq!(done.status, StatusCode::CREATED, "{}", done.text);
        assert_eq!((has(&browser, 1, "PTS").await, has(&browser, 2, "PTS").await), (30, 7));
        let again = json(&browser.post(path, &of("b1", "X1,50,purchase,A\nX1,-20\nX2,7\n")).await);
        let new: Vec<bool> =
            again["changes"].as_array().expect("a list").iter().map(|row| row["new"] == true).collect();
        assert_eq!((new, has(&browser, 1, "PTS").await), (vec![false; 3], 30));
        let over = browser.post(path, &of("b2", "X1,-20\nX1,-20\n")).await;
        assert!(text(&json(&over), "detail").starts_with("2: "), "{}", over.text);
        for rows in ["", "\n\n"] {
            let none = browser
                .post(path, &[("key", "b3"), ("rows", rows), ("cause", "care"), ("reason", "x")])
                .await;
            assert_eq!(problem(&none), "points-batch");
        }

        // The same as a table that is uploaded as it is; without the session's token nothing is taken.
        let send = |token: String| {
            let request = Request::post(format!("{path}?key=b4&cause=care&reason=%E5%85%B3%E6%80%80"))
                .header(header::HOST, "127.0.0.1:7080")
                .header(header::COOKIE, &browser.cookies)
                .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")
                .header("x-hufu-token", token);
            request.body(Body::from("\u{feff}number,points\nX2,3\n")).expect("a request")
        };
        let refused = site.send(send("wrong".to_owned())).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        let token = browser.csrf().await;
        let taken = site.send(send(token)).await;
        assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text);
        assert_eq!(has(&browser, 2, "PTS").await, 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_what_waits_is_approved_or_returned_by_another_person_with_a_reason() {
    each(|site| async move {
        newcomers(&site).await;
        let mut asker = Browser::signed_in(&site).await;
        let mut other = other(&site).await;
        let mut asked = fields("w1", "60");
        asked.push(("waits", "1"));
        assert_eq!(asker.post("/api/v1/points", &asked).await.status, StatusCode::CREATED);
        let mut less = fields("w2", "-90");
        less.push(("waits", "1"));
        assert_eq!(asker.post("/api/v1/points", &less).await.status, StatusCode::CREATED, "it only waits");
        let waiting = json(&asker.get("/api/v1/points").await);
        let ids: Vec<String> = waiting["changes"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|change| text(change, "change").to_owned())
            .collect();
        assert_eq!((ids.len(), has(&asker, 1, "PTS").await), (2, 0));
        let decide = "/api/v1/points/decide";
        let all = ids.join(",");
        let own = asker.post(decide, &[("changes", &all), ("approved", "1"), ("reason", "同意")]).await;
        assert_eq!((own.status, problem(&own).as_str()), (StatusCode::CONFLICT, "points-own"));
        let silent = other.post(decide, &[("changes", &all), ("approved", "1")]).await;
        assert_eq!(problem(&silent), "reason-missing");
        let short = other.post(decide, &[("changes", &all), ("approved", "1"), ("reason", "同意")]).await;
        assert_eq!(problem(&short), "points-short", "all or none");
        assert_eq!(has(&asker, 1, "PTS").await, 0);
        let more: &str = if waiting["changes"][0]["points"] == 60 { &ids[0] } else { &ids[1] };
        let fewer: &str = if more == ids[0] { &ids[1] } else { &ids[0] };

        assert!(other.get("/requests").await.text.contains("另有 2 笔积分变动待审"));
        // The page shows the asker their own without a way to decide it, and the other person both buttons.
        assert!(asker.get("/points").await.text.contains("须由他人审批"));
        let page = other.get("/points").await;
        assert_eq!(page.all_between("name=\"changes\" value=\"", "\"").len(), 2);
        let form = [("do", "decide"), ("changes", more), ("approved", "1"), ("reason", "已核对合同")];
        let done = other.post("/points", &form).await;
        assert_eq!(
            (done.status, done.to()),
            (StatusCode::SEE_OTHER, "/points?done=approved"),
            "{}",
            done.text
        );
        assert_eq!(has(&asker, 1, "PTS").await, 60);
        let back = other.post(decide, &[("changes", fewer), ("approved", "0"), ("reason", "材料不全")]).await;
        assert_eq!(back.status, StatusCode::OK, "{}", back.text);
        let twice = other.post(decide, &[("changes", fewer), ("approved", "1"), ("reason", "同意")]).await;
        assert_eq!((twice.status, problem(&twice).as_str()), (StatusCode::CONFLICT, "points-changed"));
        let returned = json(&asker.get("/api/v1/points?state=returned").await);
        assert_eq!(text(&returned["changes"][0], "change"), fewer);
        assert_eq!(has(&asker, 1, "PTS").await, 60);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_the_page_books_a_change_and_a_batch_and_keeps_what_was_typed() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.get("/points?member=X1").await;
        assert!(page.text.contains("value=\"X1\"") && page.text.contains("购房"), "{}", page.text);
        let mut one = fields("p1", "12");
        one.push(("do", "change"));
        assert_eq!(browser.post("/points", &one).await.to(), "/points?done=posted");
        let mut wrong = fields("p2", "-99");
        wrong.push(("do", "change"));
        let refused = browser.post("/points", &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("还差 87 分") && refused.text.contains("value=\"-99\""));
        let many =
            [("do", "batch"), ("key", "p3"), ("rows", "X1,1\nX9,1"), ("cause", "care"), ("reason", "关怀")];
        let refused = browser.post("/points", &many).await;
        assert!(refused.text.contains("第 2 行：") && refused.text.contains("X9,1"), "{}", refused.text);
        let mut many = many;
        many[2].1 = "X1,1\nX2,1";
        assert_eq!(browser.post("/points", &many).await.to(), "/points?done=posted");
        assert_eq!((has(&browser, 1, "PTS").await, has(&browser, 2, "PTS").await), (13, 1));
        // A trigger stands under its key, and says what it is wrong with.
        let path = "/api/v1/points/triggers";
        let set = [("key", "visit"), ("on", "visited"), ("cause", "care"), ("points", "1")];
        for (field, value, code) in [
            ("key", "", "points-key"),
            ("on", "born", "points-trigger-on"),
            ("points", "0", "points-number"),
            ("per_fen", "100", "points-trigger-step"),
            ("cause", "activity", "points-activity"),
            ("cause", "weather", "points-cause"),
            ("office", "moon", "points-office"),
        ] {
            let mut fields = set.to_vec();
            fields.retain(|of| of.0 != field);
            fields.push((field, value));
            assert_eq!(problem(&browser.post(path, &fields).await), code, "{field}");
        }
        assert_eq!(browser.post(path, &set).await.status, StatusCode::OK);
        let known = json(&browser.get(path).await);
        assert_eq!(known["triggers"].as_array().map(Vec::len), Some(1), "{known}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g07_the_weekly_letter_tells_each_buyer_once_what_was_recorded() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("letters.jsonl");
        let app = sending(&site, MessagesConfig { file: file.clone(), ..MessagesConfig::default() });
        site.clock.advance(DAY_US);
        let would = jobs::dry_run(&app, Job::Purchases).await.expect("counted");
        let done = jobs::perform(&app, Job::Purchases).await.expect("told");
        assert_eq!((would, would > 0), (done, true), "counted first, then told");
        assert_eq!(jobs::perform(&app, Job::Purchases).await.expect("looked"), 0, "once");
        assert!(!jobs::is_due(&app, Job::Purchases).await.expect("looked"));
        let (sent, failed) = jobs::outbox::round(&app).await.expect("a round");
        assert!(sent > 0 && failed == 0, "{sent} {failed}");
        let written = std::fs::read_to_string(&file).expect("the file");
        let letters: Vec<Value> =
            written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let mut told = BTreeSet::new();
        for letter in &letters {
            assert_eq!(text(letter, "about"), "purchases");
            assert!(told.insert((text(letter, "number"), text(letter, "week"))), "nobody twice of a week");
            let purchases = letter["purchases"].as_array().expect("a list");
            assert!(!purchases.is_empty(), "{letter}");
            for purchase in purchases {
                assert!(
                    purchase["fen"].as_i64() > Some(0) && purchase["office"]["zh"].is_string(),
                    "{letter}"
                );
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_points_go_to_another_member_by_api_and_page_and_only_where_the_scheme_allows_it() {
    each(|site| async move {
        newcomers(&site).await;
        let mut browser = Browser::signed_in(&site).await;
        assert_eq!(browser.post("/api/v1/points", &fields("first", "100")).await.status, StatusCode::CREATED);
        let path = "/api/v1/points/transfer";
        let wish = |key: &'static str, points: &'static str| {
            vec![("key", key), ("from", "X1"), ("to", "X2"), ("points", points), ("reason", "本人到场申请")]
        };
        assert_eq!(problem(&browser.post(path, &wish("a", "40")).await), "transfer-not-allowed");
        assert!(!browser.get("/points").await.text.contains("积分转赠"));
        let transfer = Transfer { allowed: true, most_per_day: Some(60), ..Transfer::default() };
        let policy = Policy { transfer: Some(transfer), ..Policy::default() };
        let actor = Actor::Job("test".to_owned());
        site.app.act(actor, Act::PolicySet(Box::new(policy))).await.expect("taken");
        assert_eq!(browser.post(path, &wish("a", "40")).await.status, StatusCode::CREATED);
        assert_eq!(browser.post(path, &wish("a", "40")).await.status, StatusCode::OK, "the same key, once");
        assert_eq!((has(&browser, 1, "PTS").await, has(&browser, 2, "PTS").await), (60, 40));
        for (key, points, code) in [
            ("", "5", "points-key"),
            ("b", "0", "points-number"),
            ("b", "61", "points-short"),
            ("b", "21", "transfer-limit"),
        ] {
            let refused = browser.post(path, &wish(key, points)).await;
            assert_eq!(
                (refused.status, problem(&refused)),
                (StatusCode::UNPROCESSABLE_ENTITY, code.to_owned())
            );
        }
        let page = browser.get("/points").await;
        assert!(page.text.contains("积分转赠"), "{}", page.text);
        let mut form = wish("c", "20");
        form.push(("do", "give"));
        assert_eq!(browser.post("/points", &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(has(&browser, 2, "PTS").await, 60);
        let over = browser.post("/points", &[&form[1..], &[("key", "d")]].concat()).await;
        assert_eq!(over.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(over.text.contains("最多可转 60 分"), "{}", over.text);
        for (n, words) in [(1, "积分转赠（给会员 X2）"), (2, "积分转赠（来自会员 X1）")] {
            let statement = browser.get(&format!("/members/{}/statement", id(n))).await;
            assert!(statement.text.contains(words), "{words}: {}", statement.text);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_points_and_redemptions_are_for_people_who_are_signed_in() {
    each(|site| async move {
        let mut stranger = Browser::stranger(&site);
        let statement = format!("/members/{}/statement", id(1));
        let open = |page: Page| page.status == StatusCode::OK;
        for path in ["/points", "/redemptions", "/api/v1/points", "/api/v1/redemptions", statement.as_str()] {
            assert!(!open(stranger.get(path).await), "{path}");
        }
        for path in ["/api/v1/points", "/api/v1/points/batch", "/api/v1/points/decide", "/api/v1/redemptions"]
        {
            let page = stranger.post_bare(path, &fields("k", "5")).await;
            assert!(!page.status.is_success(), "{path}");
        }
    })
    .await;
}
