//! Verdicts and other acts of people, from the form to the books.

use axum::http::StatusCode;
use serde_json::Value;

use super::kit::{Browser, Page, Site, each};
use crate::db::{SqlFile, Value as Db};
use crate::store::cases;

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
    let page = browser.get(&format!("/api/v1/cases?kind={kind}")).await;
    let told: Value = serde_json::from_str(&page.text)
        .unwrap_or_else(|_| panic!("JSON, met {}: {}", page.status, page.to()));
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

/// Posts a verdict as a person does: on the page that shows the case now.
async fn judge(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let page = browser.get(path).await;
    judge_on(browser, &page, path, fields).await
}

/// Posts a verdict on a page that was fetched earlier.
async fn judge_on(browser: &mut Browser, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
    let seen = page.between("name=\"seen\" value=\"", "\"").unwrap_or_default();
    let all: Vec<_> = [("seen", seen)].into_iter().chain(fields.iter().copied()).collect();
    browser.post(path, &all).await
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
        let refused = judge(&mut browser, &path, &[("verdict", "reverse"), ("reason", " ")]).await;
        assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, "请填写原因。"));
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["open"]);
        let notes = number(&site, "notes", vec![]).await;
        let done = judge(&mut browser, &path, &[("verdict", "reverse"), ("reason", "会员本人未到场")]).await;
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
        let none =
            judge(&mut browser, &path, &[("verdict", "merge"), ("reason", "核对监控"), ("counts", "")]).await;
        assert_eq!(
            (none.status, told(&none)),
            (StatusCode::UNPROCESSABLE_ENTITY, "请选择以哪一次签到为准。")
        );
        assert!(none.text.contains("核对监控"), "input is kept");
        let fields = [("verdict", "merge"), ("reason", "核对监控"), ("counts", counts.as_str())];
        assert_eq!(judge(&mut browser, &path, &fields).await.status, StatusCode::SEE_OTHER);
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
        let early = judge(&mut browser, &path, &[("verdict", "bind"), ("reason", "补办卡")]).await;
        assert_eq!((early.status, told(&early)), (StatusCode::UNPROCESSABLE_ENTITY, "请先查找并选择会员。"));
        let found =
            judge(&mut browser, &path, &[("verdict", "find"), ("find", &number_of), ("reason", "补办卡")])
                .await;
        assert!(found.text.contains("补办卡"), "input is kept");
        let member = found.between("name=\"member\" value=\"", "\"").expect("a candidate").to_owned();
        let held = number(&site, "held", vec![]).await;
        let fields = [("verdict", "bind"), ("reason", "补办卡"), ("member", member.as_str())];
        assert_eq!(judge(&mut browser, &path, &fields).await.status, StatusCode::SEE_OTHER);
        assert!(number(&site, "held", vec![]).await < held, "held facts were released");
        assert_eq!(texts(&site, "verdict", case_key(&id)).await, ["bind"]);
        assert_eq!(number(&site, "sums_not_zero", vec![]).await, 0, "inv 1");
        let again = judge(&mut browser, &path, &fields).await;
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
        assert_eq!(judge(&mut browser, &format!("/cases/{id}"), &fields).await.status, StatusCode::SEE_OTHER);
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
            let page =
                judge(&mut browser, &format!("/cases/{id}"), &[("verdict", verdict), ("reason", "x")]).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{verdict}");
        }
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["open"]);
        let fields = [("verdict", "acknowledge"), ("reason", "已与案场核对")];
        assert_eq!(judge(&mut browser, &format!("/cases/{id}"), &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(texts(&site, "state", case_key(&id)).await, ["decided"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_on_evidence_that_changed_meanwhile_decides_nothing() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, _) = case_of(&browser, 27).await;
        let path = format!("/cases/{id}");
        let early = browser.get(&path).await;
        let first = judge(&mut browser, &path, &[("verdict", "confirm"), ("reason", "先到者有效")]).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER);
        let (entries, notes) = (number(&site, "entries", vec![]).await, number(&site, "notes", vec![]).await);
        let late = [("verdict", "reverse"), ("reason", "会员本人未到场")];
        let refused = judge_on(&mut browser, &early, &path, &late).await;
        let words = "证据已更新，请重新核对后再作判定。";
        assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, words));
        assert!(refused.text.contains("会员本人未到场"), "input is kept");
        let blind = browser.post(&path, &late).await;
        assert_eq!((blind.status, told(&blind)), (StatusCode::UNPROCESSABLE_ENTITY, words));
        assert_eq!(texts(&site, "verdict", case_key(&id)).await, ["confirm"]);
        let now = (number(&site, "entries", vec![]).await, number(&site, "notes", vec![]).await);
        assert_eq!(now, (entries, notes), "nothing was written");
        let again = judge_on(&mut browser, &refused, &path, &late).await;
        assert_eq!(
            again.status,
            StatusCode::SEE_OTHER,
            "the page of the refusal shows the evidence as it is"
        );
        assert_eq!(texts(&site, "verdict", case_key(&id)).await, ["reverse"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_pins_all_facts_of_a_case_also_those_that_the_page_does_not_show() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (id, _) = case_of(&browser, 27).await;
        let key = case_key(&id).remove(0);
        let case: hufu_shared::ids::Hash = id.parse().expect("an id");
        let more = move |tx: &mut crate::db::Tx<'_>| -> Result<(), crate::db::DbError> {
            for row in tx.query(PROBE.get("some_facts"), &[])? {
                let values =
                    [key.clone(), row.blob(0)?.to_vec().into(), row.int(1)?.into(), row.int(2)?.into()];
                tx.execute(PROBE.get("add_fact"), &values)?;
            }
            Ok(())
        };
        site.app.db.write(more).await.expect("more facts");
        let shown = move |tx: &mut crate::db::Tx<'_>| cases::sides(tx, case);
        let (sides, count) = site.app.db.read(shown).await.expect("read");
        let path = format!("/cases/{id}");
        let done = judge(&mut browser, &path, &[("verdict", "reverse"), ("reason", "会员本人未到场")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        let decided = move |tx: &mut crate::db::Tx<'_>| -> Result<_, crate::store::StoreError> {
            let known = cases::one(tx, case)?.expect("the case");
            cases::decisions(tx, case, known.known.opened)
        };
        let decisions = site.app.db.read(decided).await.expect("read");
        assert!(count > sides.len() as u64, "the page shows {} of {count}", sides.len());
        assert_eq!(decisions.last().expect("a decision").decided.pins.len() as u64, count);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_kind_does_not_hide_another() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let before: usize = number(&site, "open_of_kind", vec![13_i64.into()]).await.try_into().expect("few");
        let flood = |tx: &mut crate::db::Tx<'_>| -> Result<(), crate::db::DbError> {
            for n in 0..210_u8 {
                let values =
                    [vec![n; 32].into(), vec![n; 18].into(), i64::from(n).into(), vec![n; 16].into()];
                tx.execute(PROBE.get("add_case"), &values)?;
            }
            Ok(())
        };
        site.app.db.write(flood).await.expect("210 unknown cards");
        let (id, _) = case_of(&browser, 27).await;
        let link = format!("href=\"/cases/{id}");
        let all = browser.get("/cases").await;
        assert!(all.text.contains(&link), "kind 27 is listed beside the flood");
        let each_max = usize::try_from(cases::CASES_OF_EACH_KIND_MAX).expect("small");
        let words = format!("另有 {} 件未列出", 210 + before - each_max);
        assert!(all.text.contains(&words) && all.text.contains("/cases?kind=13"), "{words}");
        assert!(browser.get("/cases?kind=27").await.text.contains(&link), "and alone");
        let flooded = browser.get("/cases?kind=13").await;
        let of_kind_max = usize::try_from(cases::CASES_OF_KIND_MAX).expect("small");
        assert!(flooded.text.contains(&format!("另有 {} 件未列出", 210 + before - of_kind_max)));
        assert!(!flooded.text.contains(&link));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_reported_lost_and_found_again_with_reasons() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let members = browser.get("/members").await;
        let link = members.between("data-label=\"姓名\"><a href=\"", "\"").expect("a member").to_owned();
        let link = format!("{link}?tab=cards");
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
