//! Redemption from the catalogue, on the page and through the API.

use hufu_shared::act::{LeaseEnded, MembersMerged};
use hufu_shared::money::Unit;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::redemption::{Item, RedeemKind, Redemption, Returns, Shortfall};
use hufu_shared::time::{Day, MINUTE_US};

use super::super::leases::{LEASE, lend};
use super::*;
use crate::db::Tx;
use crate::store::recalls;

const PATH: &str = "/api/v1/redemptions/items";

fn item(code: &str, zh: &str, kind: RedeemKind, cost: i64) -> Item {
    let (code, name) = (code.to_owned(), Words { zh: zh.to_owned(), en: code.to_owned() });
    Item { code, name, kind, cost, value_fen: 2_000, min_rank: 0, months_open: Vec::new() }
}

fn rules() -> Redemption {
    Redemption {
        cash_per_point_fen: 100,
        items: vec![
            item("umbrella", "雨伞", RedeemKind::Gift, 500),
            Item { min_rank: 2, ..item("trip", "旅行", RedeemKind::Lottery, 600) },
            Item { months_open: vec![6, 12], ..item("tea", "茶叶", RedeemKind::Gift, 600) },
            item("car", "轿车", RedeemKind::Gift, 90_000),
        ],
        ..Redemption::default()
    }
}

async fn told(site: &Arc<Site>, rules: Redemption) {
    let policy = Policy { catalogue: Some(rules), ..Policy::default() };
    site.app.act(Actor::Job("test".to_owned()), Act::PolicySet(Box::new(policy))).await.expect("taken");
}

/// A catalogue, two umbrellas on the shelf, and 800 points for X1.
async fn ready(site: &Arc<Site>, browser: &mut Browser) {
    newcomers(site).await;
    told(site, rules()).await;
    browser.post("/api/v1/points", &fields("r1", "800")).await;
    let gift = [("class", "gift"), ("code", "umbrella"), ("zh", "雨伞"), ("en", "umbrella")];
    assert_eq!(browser.post("/api/v1/stock/items", &gift).await.status, StatusCode::OK);
    let came = [
        ("key", "delivery"),
        ("class", "gift"),
        ("code", "umbrella"),
        ("from", "supplier"),
        ("to", "A"),
        ("pieces", "2"),
        ("reason", "采购入库"),
    ];
    assert_eq!(browser.post("/api/v1/stock/moves", &came).await.status, StatusCode::CREATED);
}

fn wish<'a>(key: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("key", key), ("member", "X1"), ("office", "A"), ("code", code), ("reason", "会员到店领取")]
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_a_program_reads_the_catalogue_of_a_member_redeems_once_and_takes_back() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        ready(&site, &mut browser).await;
        let asked = "/api/v1/redemptions/catalogue?member=X1&office=A";
        let seen = json(&browser.get(asked).await);
        assert_eq!((seen["points"].as_i64(), seen["cash_per_point"].as_i64()), (Some(800), Some(100)));
        let things = seen["items"].as_array().expect("a list").clone();
        let whys: Vec<_> = things.iter().map(|thing| thing["why"].as_str().unwrap_or("")).collect();
        assert_eq!(whys, ["", "catalogue-rank", "catalogue-closed", "catalogue-short"]);
        assert_eq!((things[0]["cost"].as_i64(), things[0]["pieces"].as_i64()), (Some(500), Some(2)));
        let sentence = |at: usize| things[at]["sentence"].as_str().unwrap_or_default();
        assert_eq!(sentence(1), "须达到第 2 级，会员目前为第 0 级。");
        assert_eq!(sentence(2), "6、12 月可兑换，现在是 11 月。");
        assert!(sentence(3).contains("需要 90,000 分，可用积分只有 800 分"), "{}", sentence(3));
        assert_eq!(
            problem(&browser.get("/api/v1/redemptions/catalogue?member=X9&office=A").await),
            "points-member"
        );

        for (field, value, code) in [
            ("key", "", "points-key"),
            ("member", "X9", "points-member"),
            ("office", "moon", "points-office"),
            ("code", "", "catalogue-what"),
            ("code", "boat", "catalogue-not-offered"),
            ("code", "trip", "catalogue-rank"),
            ("code", "tea", "catalogue-closed"),
            ("code", "car", "catalogue-short"),
            ("purchase", "no such", "offer-unknown"),
            ("reason", "", "reason-missing"),
        ] {
            let mut sent = wish("a", "umbrella");
            sent.retain(|of| of.0 != field);
            sent.push((field, value));
            let refused = browser.post(PATH, &sent).await;
            assert_eq!(
                (refused.status, problem(&refused).as_str()),
                (StatusCode::UNPROCESSABLE_ENTITY, code)
            );
        }
        let made = browser.post(PATH, &wish("a", "umbrella")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = json(&made);
        assert_eq!((text(&made, "state"), made["points"].as_i64()), ("done", Some(500)));
        assert_eq!(
            browser.post(PATH, &wish("a", "umbrella")).await.status,
            StatusCode::OK,
            "once by its key"
        );
        told(&site, Redemption { items: Vec::new(), ..rules() }).await;
        let later = browser.post(PATH, &wish("a", "umbrella")).await;
        assert_eq!(later.status, StatusCode::OK, "a new catalogue makes no other wish of it: {}", later.text);
        told(&site, rules()).await;
        let other = browser.post(PATH, &wish("a", "trip")).await;
        assert_eq!((other.status, problem(&other).as_str()), (StatusCode::CONFLICT, "catalogue-key"));
        assert_eq!(has(&browser, 1, "PTS").await, 300);
        let statement = browser.get(&format!("/members/{}/statement", id(1))).await;
        assert!(statement.text.contains("“雨伞”兑付"), "{}", statement.text);
        let cash = [("key", "c"), ("member", "X1"), ("office", "A"), ("points", "20"), ("reason", "抵现")];
        let cash = json(&browser.post(PATH, &cash).await);
        assert_eq!((text(&cash, "rule"), cash["fen"].as_i64()), ("S5", Some(2_000)));
        assert_eq!((has(&browser, 1, "PTS").await, has(&browser, 1, "CNY").await), (280, 2_000));

        let back = format!("{PATH}/{}/back", text(&made, "redemption"));
        assert_eq!(problem(&browser.post(&back, &[("reason", "")]).await), "reason-missing");
        let done = browser.post(&back, &[("reason", "会员退回未拆封")]).await;
        assert_eq!(text(&json(&done), "state"), "taken_back", "{}", done.text);
        let again = browser.post(&back, &[("reason", "再次")]).await;
        assert_eq!((again.status, problem(&again).as_str()), (StatusCode::CONFLICT, "catalogue-changed"));
        assert_eq!(has(&browser, 1, "PTS").await, 780);
        let shelf = json(&browser.get("/api/v1/stock?office=A").await);
        assert_eq!(shelf["shelves"][0]["pieces"].as_i64(), Some(2), "{shelf}");
        let listed = json(&browser.get(&format!("{PATH}?member={}", id(1))).await);
        assert_eq!(listed["redemptions"].as_array().map(Vec::len), Some(2));
        let listed = json(&browser.get(&format!("{PATH}?member={}&state=taken_back", id(1))).await);
        assert_eq!(listed["redemptions"].as_array().map(Vec::len), Some(1), "both are asked: {listed}");
        let listed = json(&browser.get(&format!("{PATH}?state=taken_back")).await);
        assert_eq!(listed["redemptions"][0]["redemption"], made["redemption"]);
        assert_eq!(browser.get(&format!("{PATH}?state=moon")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_staff_redeem_in_two_steps_and_what_waits_is_approved_by_another_person() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        ready(&site, &mut browser).await;
        let mut other = other(&site).await;
        let page = browser.get("/redemptions/items?member=X1&office=A").await;
        for words in ["雨伞", "旅行", "须达到第 2 级", "可用积分只有 800 分", "暂无兑付"]
        {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let session = browser.cookies.clone();
        browser.cookies = format!("{session}; hufu_lang=en");
        let english = browser.get("/redemptions/items?member=X1&office=A").await;
        assert!(english.text.contains("Points that can be used") && !english.text.contains(">catalogue-"));
        browser.cookies = session;

        let mut form = wish("page", "umbrella");
        form.push(("do", "redeem"));
        let sure = browser.post("/redemptions/items", &form).await;
        assert!(sure.text.contains("确认兑换") && sure.text.contains("800 → <strong>300"), "{}", sure.text);
        assert_eq!(has(&browser, 1, "PTS").await, 800, "asked first");
        form.push(("sure", "yes"));
        let moved = browser.post("/redemptions/items", &[&form[..], &[("seen", "400")]].concat()).await;
        assert_eq!(moved.status, StatusCode::UNPROCESSABLE_ENTITY, "not at another cost than was read");
        let done = browser.post("/redemptions/items", &[&form[..], &[("seen", "500")]].concat()).await;
        assert!(
            done.text.contains("已兑换，积分已扣减。") && done.text.contains("撤销兑换"),
            "{}",
            done.text
        );
        assert_eq!(has(&browser, 1, "PTS").await, 300);

        told(&site, Redemption { plan_needs_approval: true, ..rules() }).await;
        browser.post("/api/v1/points", &fields("r2", "700")).await;
        let filed = json(&browser.post(PATH, &wish("b", "umbrella")).await);
        assert_eq!((text(&filed, "state"), has(&browser, 1, "PTS").await), ("waiting", 1_000));
        let decide = format!("{PATH}/{}/decide", text(&filed, "redemption"));
        let fields = [("approved", "1"), ("reason", "预算内")];
        let own = browser.post(&decide, &fields).await;
        assert_eq!((own.status, problem(&own).as_str()), (StatusCode::CONFLICT, "points-own"));
        let waits = other.get("/redemptions/items").await;
        assert!(waits.text.contains("待审的兑换") && waits.text.contains("审批通过并入账"), "{}", waits.text);
        let approved = json(&other.post(&decide, &fields).await);
        assert_eq!((text(&approved, "state"), has(&browser, 1, "PTS").await), ("done", 500));
        let none = browser.post(PATH, &wish("d", "umbrella")).await;
        assert_eq!(problem(&none), "catalogue-shelf", "both umbrellas are gone");

        let mut stranger = Browser::stranger(&site);
        for path in ["/redemptions/items", PATH, "/api/v1/redemptions/catalogue"] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
        }
        assert!(!stranger.post_bare(PATH, &wish("s", "umbrella")).await.status.is_success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k23_points_at_terminals_are_asked_back_from_the_page_and_for_who_approves() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        ready(&site, &mut browser).await;
        let mut other = other(&site).await;
        told(&site, Redemption { plan_needs_approval: true, ..rules() }).await;
        let filed = json(&browser.post(PATH, &wish("a", "umbrella")).await);
        assert_eq!(text(&filed, "state"), "waiting", "{filed}");
        told(&site, rules()).await;
        lend(&site, id(1), 400).await;
        let asked = async || site.app.db.read(recalls::newest_recall).await.expect("readable") > 0;

        let page = browser.get("/redemptions/items?member=X1&office=A").await;
        let umbrella = page.between("雨伞</td>", "</tr>").expect("a row");
        let why = "需要 500 分，可用积分只有 400 分。另有 400 分在案场备用。";
        assert!(umbrella.contains(why) && umbrella.contains("<form"), "it can be asked for: {umbrella}");
        let car = page.between("轿车</td>", "</tr>").expect("a row");
        assert!(!car.contains("<form"), "all points together are too few: {car}");
        assert!(!asked().await, "looking asks nobody");
        let mut form = wish("page", "umbrella");
        form.push(("do", "redeem"));
        let short = browser.post("/redemptions/items", &form).await;
        assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", short.text);
        assert!(short.text.contains("另有 400 分在案场备用：") && asked().await, "{}", short.text);

        let end = |tx: &mut Tx<'_>| recalls::end(tx, id(1), Unit::Pts);
        site.app.db.write(end).await.expect("ended");
        let decide = format!("{PATH}/{}/decide", text(&filed, "redemption"));
        let fields = [("approved", "1"), ("reason", "预算内")];
        assert_eq!(problem(&other.post(&decide, &fields).await), "catalogue-short");
        assert!(asked().await, "for who approves, too");
        let back = LeaseEnded { lease: LEASE, generation: 1, second: None, reason: Hash([9; 32]) };
        let back = Act::LeaseWrittenOff(back);
        site.app.act(Actor::Job("test".to_owned()), back).await.expect("taken");
        let approved = json(&other.post(&decide, &fields).await);
        assert_eq!(text(&approved, "state"), "done", "{approved}");
        assert!(!asked().await, "nobody waits for them any more");
        assert_eq!(has(&browser, 1, "PTS").await, 300);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_who_turned_out_to_be_another_is_shown_what_that_one_redeemed() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        ready(&site, &mut browser).await;
        let merged = MembersMerged { survivor: id(1), merged: id(2), reason: Hash([0; 32]) };
        site.app.act(Actor::Job("test".to_owned()), Act::MembersMerged(merged)).await.expect("taken");
        assert_eq!(browser.post(PATH, &wish("a", "umbrella")).await.status, StatusCode::CREATED);
        let page = browser.get("/redemptions/items?member=X2&office=A").await;
        assert!(page.text.contains("撤销兑换"), "as the points beside it are theirs: {}", page.text);
    })
    .await;
}

/// Publishes what happens to goods that come back, and what a refused order costs.
async fn published(site: &Arc<Site>, version: u32, shortfall: Shortfall) {
    let returns = Some(Returns { shortfall, refusal_penalty: 450, ..Returns::default() });
    let terms = SchemeTerms { returns, ..SchemeTerms::property_club(version, Day(0)) };
    // One version is published after another.
    site.clock.advance(MINUTE_US);
    site.app.act(Actor::Job("test".to_owned()), Act::SchemeSet(terms)).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_the_case_of_a_debt_says_which_gift_or_how_much_cash_settles_it() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        ready(&site, &mut browser).await;
        let made = browser.post(PATH, &wish("a", "umbrella")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        published(&site, 90, Shortfall::ReturnGiftOrCash).await;
        let refused =
            [("member", "X1"), ("kind", "refusal"), ("serial", "O-1"), ("office", "A"), ("reason", "拒收")];
        let made = browser.post("/api/v1/events", &refused).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        assert_eq!(json(&made)["gave"][0]["amount"].as_i64(), Some(-450), "of the 300 that were left");
        let told = json(&browser.get("/api/v1/cases?kind=24").await);
        let own = Value::String(id(1).to_string());
        let case = told["cases"].as_array().and_then(|cases| cases.iter().find(|case| case["member"] == own));
        let path = format!("/cases/{}", text(case.expect("a case"), "case"));
        let page = browser.get(&path).await;
        for words in
            ["如何了结", "须一并退回所兑礼品或等值现金", "150.00 元，收讫后", "雨伞", "抵欠后余 350 分"]
        {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        published(&site, 91, Shortfall::Negative).await;
        let page = browser.get(&path).await;
        assert!(page.text.contains("之后入账先抵欠分") && !page.text.contains("等值现金"), "{}", page.text);
        published(&site, 92, Shortfall::Block).await;
        assert!(browser.get(&path).await.text.contains("请与会员商定了结方式"));
    })
    .await;
}
