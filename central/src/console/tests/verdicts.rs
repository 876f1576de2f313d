//! Verdicts and other acts of people, from the form to the books.

use axum::http::StatusCode;
use serde_json::Value;

use super::kit::{Browser, Page, Site, each};
use crate::db::{SqlFile, Value as Db};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

async fn texts(site: &Site, name: &'static str, values: Vec<Db>) -> Vec<String> {
    let read = move |tx: &mut crate::db::Tx<'_>| tx.query(PROBE.get(name), &values);
    let rows = site.app.db.read::<_, crate::db::DbError, _>(read).await.expect("probe");
    rows.iter().map(|row| row.text(0).expect("text").to_owned()).collect()
}

async fn number(site: &Site, name: &'static str, values: Vec<Db>) -> i64 {
    let read = move |tx: &mut crate::db::Tx<'_>| tx.query(PROBE.get(name), &values);
    let rows = site.app.db.read::<_, crate::db::DbError, _>(read).await.expect("probe");
    rows[0].int_opt(0).expect("a number").unwrap_or(0)
}

async fn case_of(browser: &Browser, kind: u64) -> (String, Value) {
    let told: Value = serde_json::from_str(&browser.get("/api/v1/cases").await.text).expect("JSON");
    let found = told["cases"].as_array().expect("a list").iter().find(|case| case["kind"] == kind);
    let case = found.unwrap_or_else(|| panic!("a case of kind {kind}")).clone();
    (case["case"].as_str().expect("an id").to_owned(), case)
}

fn case_key(id: &str) -> Vec<Db> {
    vec![data_encoding::HEXLOWER.decode(id.as_bytes()).expect("an id").into()]
}

fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

fn member_of(case: &Value) -> (String, Vec<Db>) {
    let id = case["member"].as_str().expect("a member").to_owned();
    let account = vec![format!("member/{id}/available").into()];
    (id, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_both_sides_are_shown_and_a_reversal_takes_the_points_back() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, case) = case_of(&browser, 27).await;
        let (_, account) = member_of(&case);
        let page = browser.get(&format!("/cases/{id}")).await;
        let sides = case["facts"].as_array().expect("facts").len();
        assert!(sides >= 2);
        assert_eq!(page.text.matches("<th scope=\"col\">").count(), sides, "a column each");
        assert!(page.text.contains("class=\"differs\""));
        for word in
            ["判定时间", "终端时钟", "屏幕显示", "屏幕承诺", "账本影响", "操作员", "冲正", "确认有效", "合并"]
        {
            assert!(page.text.contains(word), "{word}");
        }
        let before = number(&site, "points", account.clone()).await;
        let path = format!("/cases/{id}");
        let refused = browser.post(&path, &[("verdict", "reverse"), ("reason", " ")]).await;
        assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, "请填写原因。"));
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["open"]);
        let notes = number(&site, "notes", vec![]).await;
        let done = browser.post(&path, &[("verdict", "reverse"), ("reason", "会员本人未到场")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(
            done.to().contains(&format!("last={id}")) && !done.to().starts_with(&path),
            "on to the next: {}",
            done.to()
        );
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["decided"]);
        let (after, owed) = (
            number(&site, "points", account.clone()).await,
            number(
                &site,
                "owed",
                vec![case["member"].as_str().map(|id| format!("member/{id}/owed")).expect("a member").into()],
            )
            .await,
        );
        assert!(after >= 0 && before - after - owed > 0, "{before} → {after}, owed {owed}");
        assert_eq!(number(&site, "notes", vec![]).await, notes + 1, "the reason is kept, sealed");
        assert_eq!(number(&site, "sums_not_zero", vec![]).await, 0, "inv 1");
        let decided = browser.get(&path).await;
        assert!(decided.text.contains("处理记录") && decided.text.contains("改判"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_the_other_check_in_can_be_made_the_one_that_counts() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, case) = case_of(&browser, 27).await;
        let (_, account) = member_of(&case);
        let before = number(&site, "points", account.clone()).await;
        let path = format!("/cases/{id}");
        let page = browser.get(&path).await;
        let counts = page.between("name=\"counts\" value=\"", "\"").expect("the other one").to_owned();
        let none = browser.post(&path, &[("verdict", "merge"), ("reason", "核对监控"), ("counts", "")]).await;
        assert_eq!(
            (none.status, told(&none)),
            (StatusCode::UNPROCESSABLE_ENTITY, "请选择以哪一次签到为准。")
        );
        assert!(none.text.contains("核对监控"), "input is kept");
        let fields = [("verdict", "merge"), ("reason", "核对监控"), ("counts", counts.as_str())];
        assert_eq!(browser.post(&path, &fields).await.status, StatusCode::SEE_OTHER);
        let device: hufu_shared::ids::DeviceId =
            counts.split('.').next().expect("a device").parse().expect("an id");
        let (member, occurrence) =
            (case["member"].as_str().expect("a member"), case["occurrence"].as_str().expect("an occurrence"));
        let member: hufu_shared::ids::MemberId = member.parse().expect("an id");
        let occurrence: hufu_shared::ids::OccurrenceId = occurrence.parse().expect("an id");
        let key = vec![member.0.into(), occurrence.0.into(), device.0.into()];
        assert_eq!(number(&site, "admitted_by", key).await, 1);
        assert_eq!(number(&site, "points", account).await, before, "points are given once");
        assert_eq!(number(&site, "sums_not_zero", vec![]).await, 0, "inv 1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_an_unknown_card_is_bound_to_a_member_found_by_number() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, _) = case_of(&browser, 13).await;
        let path = format!("/cases/{id}");
        let members = browser.get("/members").await;
        let number_of = members.between("data-label=\"会员编号\">", "<").expect("a member").to_owned();
        let early = browser.post(&path, &[("verdict", "bind"), ("reason", "补办卡")]).await;
        assert_eq!((early.status, told(&early)), (StatusCode::UNPROCESSABLE_ENTITY, "请先查找并选择会员。"));
        let found =
            browser.post(&path, &[("verdict", "find"), ("find", &number_of), ("reason", "补办卡")]).await;
        assert!(found.text.contains("补办卡"), "input is kept");
        let member = found.between("name=\"member\" value=\"", "\"").expect("a candidate").to_owned();
        let held = number(&site, "held", vec![]).await;
        let fields = [("verdict", "bind"), ("reason", "补办卡"), ("member", member.as_str())];
        assert_eq!(browser.post(&path, &fields).await.status, StatusCode::SEE_OTHER);
        assert!(number(&site, "held", vec![]).await < held, "held facts were released");
        assert_eq!(texts(&site, "verdict", case_key(&id)).await, ["bind"]);
        assert_eq!(number(&site, "sums_not_zero", vec![]).await, 0, "inv 1");
        let again = browser.post(&path, &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "a bound card is not bound twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_an_unknown_cards_facts_can_be_discarded() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, _) = case_of(&browser, 13).await;
        let fields = [("verdict", "discard"), ("reason", "非本会卡")];
        assert_eq!(browser.post(&format!("/cases/{id}"), &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(number(&site, "held", vec![]).await, 0);
        assert_eq!(texts(&site, "verdict", case_key(&id)).await, ["discard"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_a_kind_does_not_allow_is_refused() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, _) = case_of(&browser, 30).await;
        for verdict in ["reverse", "merge", "bind", "settle", ""] {
            let page = browser.post(&format!("/cases/{id}"), &[("verdict", verdict), ("reason", "x")]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{verdict}");
        }
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["open"]);
        let fields = [("verdict", "acknowledge"), ("reason", "已与案场核对")];
        assert_eq!(browser.post(&format!("/cases/{id}"), &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["decided"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_reported_lost_and_found_again_with_reasons() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let members = browser.get("/members").await;
        let link = members.between("data-label=\"姓名\"><a href=\"", "\"").expect("a member").to_owned();
        let page = browser.get(&link).await;
        let card = page.between("action=\"/cards/", "\"").expect("a card in use").to_owned();
        let path = format!("/cards/{card}");
        let key = || vec![Db::from(card.parse::<hufu_shared::ids::CardId>().expect("an id").0)];
        let status = || texts(&site, "card", key());
        assert_eq!(
            browser.post(&path, &[("status", "lost"), ("reason", "")]).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(status().await, ["active"]);
        assert_eq!(browser.post(&path, &[("status", "lost"), ("reason", "电话挂失")]).await.to(), link);
        assert_eq!(status().await, ["lost"]);
        assert!(browser.get(&link).await.text.contains("解挂"));
        // A second report meets a card that is lost already: nothing is written.
        let entries = number(&site, "entries", vec![]).await;
        browser.post(&path, &[("status", "lost"), ("reason", "再次")]).await;
        assert_eq!(number(&site, "entries", vec![]).await, entries);
        browser.post(&path, &[("status", "active"), ("reason", "本人找回")]).await;
        assert_eq!(status().await, ["active"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_revoked_with_a_reason() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let told_all: Value = serde_json::from_str(&browser.get("/api/v1/devices").await.text).expect("JSON");
        let device = told_all["devices"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|one| one["status"] == "active")
            .expect("an active one");
        let id = device["device"].as_str().expect("an id");
        let path = format!("/devices/{id}");
        assert_eq!(browser.post(&path, &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(browser.post(&path, &[("reason", "设备被盗")]).await.to(), path);
        assert!(browser.get(&path).await.text.contains("已停用"));
    })
    .await;
}
