//! What the pages show.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::MemberId;

use super::kit::{Browser, each, empty};
use crate::db::Tx;
use crate::store::people::{self, PeopleError};
use crate::vault::Personal;

const PAGES: [&str; 25] = [
    "/",
    "/cases",
    "/cases?ended=1",
    "/cases?mine=1",
    "/keys",
    "/days",
    "/days/A/2026-11-20",
    "/days/B/2026-11-21?rows=all&only=differs",
    "/cash",
    "/jobs",
    "/jobs?count=1",
    "/members",
    "/activities",
    "/activities?state=approved&kind=salon",
    "/requests",
    "/approvals",
    "/approvals?kind=points",
    "/approvals/away",
    "/devices",
    "/devices/invite",
    "/facts",
    "/reports",
    "/reports/daily",
    "/reports/visits",
    "/password",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_drawn_in_both_languages_under_the_strict_policy() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let session = browser.cookies.clone();
        for language in ["zh-CN", "en"] {
            browser.cookies = format!("{session}; hufu_lang={language}; hufu_theme=dark");
            for path in PAGES {
                let page = browser.get(path).await;
                assert_eq!(page.status, StatusCode::OK, "{path}");
                assert!(
                    page.text.contains(&format!("<html lang=\"{language}\" data-theme=\"dark\">")),
                    "{path}"
                );
                let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
                assert!(
                    policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"),
                    "{policy}"
                );
                assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
                assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{path}");
                // A key that has no text reads as itself.
                for prefix in [
                    "kind-",
                    "event-",
                    "became-",
                    "state-",
                    "automatic-",
                    "code-",
                    "shown-",
                    "case-state-",
                    "report-",
                ] {
                    let open = format!(">{prefix}");
                    assert!(
                        !page.text.contains(&open),
                        "{path} in {language} shows {:?}",
                        page.between(&open, "<")
                    );
                }
            }
        }
        browser.cookies = String::new();
        for path in PAGES {
            assert_eq!(browser.get(path).await.to(), "/login", "{path} needs a session");
        }
        for path in ["/api/v1/overview", "/api/v1/devices", "/api/v1/cases", "/api/v1/days"] {
            assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED, "{path} needs a session");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_stands_above_the_figures_and_each_leads_to_its_list() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let home = browser.get("/").await;
        let (todo, tiles) = (home.text.find("class=\"todos\""), home.text.find("class=\"tiles\""));
        assert!(todo.expect("something waits") < tiles.expect("figures"));
        let links = home.all_between("<a class=\"tile\" href=\"", "\"");
        assert_eq!(links.len(), 6);
        assert_eq!(home.text.matches("上周同日").count(), 6, "each is compared with the same weekday");
        for link in links.iter().chain(&home.all_between("<li><a href=\"", "\"")) {
            let path = link.replace("&#38;", "&");
            assert_eq!(browser.get(&path).await.status, StatusCode::OK, "{path}");
        }
        let told: serde_json::Value =
            serde_json::from_str(&browser.get("/api/v1/overview").await.text).expect("JSON");
        let kinds: Vec<_> =
            told["cases"].as_array().expect("a list").iter().map(|kind| kind["kind"].as_u64()).collect();
        for kind in [13, 27, 30] {
            assert!(kinds.contains(&Some(kind)), "{kinds:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_shown_line_by_line_with_both_sums() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let cases: serde_json::Value =
            serde_json::from_str(&browser.get("/api/v1/cases?kind=30").await.text).expect("JSON");
        let case = cases["cases"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|case| case["kind"] == 30)
            .expect("kind 30");
        let page = browser.get(&format!("/cases/{}", case["case"].as_str().expect("an id"))).await;
        assert!(page.text.contains("终端日结") && page.text.contains("中心核算"), "both sides");
        assert_eq!(
            page.text.matches("class=\"differs\"").count(),
            1,
            "the one figure that differs is marked"
        );
        let link = page
            .between("class=\"button\" href=\"/days?", "\"")
            .expect("a way to the day")
            .replace("&#38;", "&");
        let day = browser.get(&format!("/days?{link}")).await;
        let asked = format!("/api/v1/days?{link}");
        let told: serde_json::Value = serde_json::from_str(&browser.get(&asked).await.text).expect("JSON");
        let reconciled = &told["terminals"][0]["reconciled"];
        let lines = reconciled["lines"].as_array().expect("lines");
        assert_eq!(day.text.matches("<td data-label=\"#\"").count(), lines.len());
        assert_eq!(reconciled["state"], "differs");
        assert!(day.text.contains("不符"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_t01_filters_live_in_the_address() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let states = |text: &str| text.matches("data-label=\"终端\"").count();
        let all = states(&browser.get("/devices").await.text);
        let mut sum = 0;
        for state in ["online", "offline", "stopped", "waiting", "revoked"] {
            let path = format!("/devices?state={state}");
            let page = browser.get(&path).await;
            assert_eq!(states(&page.text), states(&browser.get(&path).await.text), "the same again");
            sum += states(&page.text);
        }
        assert_eq!((all, sum), (all.max(1), all));
        let one_kind = browser.get("/cases?kind=13").await;
        assert!(one_kind.text.contains("未知卡") && !one_kind.text.contains("<h2>两台终端重复签到"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_t06_nothing_yet_and_no_match_are_told_apart() {
    let site = Arc::new(empty().await);
    let mut browser = Browser::signed_in(&site).await;
    assert!(browser.get("/devices").await.text.contains("还没有终端"));
    assert!(browser.get("/devices?state=offline").await.text.contains("没有符合条件"));
    assert!(browser.get("/members").await.text.contains("还没有会员"));
    assert!(browser.post("/members", &[("find", "张三")]).await.text.contains("没有符合条件"));
    assert!(browser.get("/cases").await.text.contains("全部处理完毕"));
    assert!(browser.get("/").await.text.contains("目前没有需要处理的事项"));
    assert!(browser.get("/days").await.text.contains("还没有登记过的终端"));
    assert!(browser.get("/cash").await.text.contains("还没有网点"));
    assert!(browser.get("/jobs").await.text.contains("还没有运行记录"));
}

async fn add_member(site: &super::kit::Site, number: &'static str, name: &'static str) -> MemberId {
    let member = MemberId([0x77; 16]);
    let (vault, now) = (site.app.vault.clone(), site.app.now());
    let entry = site.app.entry_id().expect("an id");
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        let personal =
            Personal { name: name.to_owned(), mobile: Some("13800138000".to_owned()), ..Personal::default() };
        let commitment = people::put_personal(tx, &vault, member, &personal, false, [3; 16])?;
        let row = hufu_shared::act::MemberSet {
            member,
            number: number.to_owned(),
            level: None,
            status: hufu_shared::member::MemberStatus::Active,
            office: None,
            personal: commitment,
            joined: None,
        };
        crate::store::acts::take(tx, entry, now, &Actor::Job("test".into()), &Act::MembersSet(vec![row]))?;
        Ok(())
    };
    site.app.write(work).await.expect("added");
    member
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f06_members_are_found_in_every_way_and_shown_masked() {
    each(|site| async move {
        add_member(&site, "Z9001", "欧阳静雯").await;
        let mut browser = Browser::signed_in(&site).await;
        for find in ["欧阳静雯", "静雯", "oyjw", "8000", "13800138000", "Z9001"] {
            let page = browser.post("/members", &[("find", find)]).await;
            assert!(page.text.contains("Z9001"), "{find}");
            let listed = page.between("<tbody>", "</tbody>").expect("a table");
            assert!(!listed.contains("静雯") && !listed.contains("13800138000"), "{find}: {listed}");
            assert!(listed.contains("138****8000"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_57_hostile_texts_are_shown_as_text() {
    each(|site| async move {
        let member = add_member(&site, "<b>&\"'", "<script>alert(1)</script>").await;
        let mut browser = Browser::signed_in(&site).await;
        let hostile = "\"><script>alert(1)</script>";
        let found = browser.post("/members", &[("find", hostile)]).await;
        let page = browser.get(&format!("/members/{member}")).await;
        assert_eq!(page.status, StatusCode::OK);
        for page in [page, found] {
            assert!(!page.text.contains("<script>") && !page.text.contains("<b>&"), "escaped everywhere");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f01_a_bad_form_comes_back_with_its_input_and_says_what_is_missing() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.post("/devices/invite", &[("name", "前台一号"), ("office", "no such")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("value=\"前台一号\"") && page.text.contains("请选择案场"));
        assert!(page.text.contains("role=\"alert\"") && page.text.contains("aria-describedby=\"error\""));
        let offices = browser.get("/devices/invite").await;
        let office = offices.first_option().expect("an office").to_owned();
        let made = browser.post("/devices/invite", &[("name", "前台一号"), ("office", &office)]).await;
        let code = made.between("translate=\"no\">", "<").expect("a code");
        code.parse::<hufu_shared::code::EnrolCode>().expect("a whole code");
        let list = browser.get("/devices?state=waiting").await;
        assert!(list.text.contains("前台一号") && !list.text.contains(code), "the code is shown once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_such_thing_is_told_without_a_fault() {
    let site = Arc::new(empty().await);
    let browser = Browser::signed_in(&site).await;
    let id = "01a1b6bd-e260-7def-adef-c2010ea81051";
    for path in [
        "/nowhere".to_owned(),
        format!("/members/{id}"),
        format!("/devices/{id}"),
        "/cases/00".to_owned(),
        "/a/00/console.css".to_owned(),
    ] {
        assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
