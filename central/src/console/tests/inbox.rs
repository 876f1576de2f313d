//! The inbox as a person without script uses it: what verdicts would post, several at once, handing over, later, news, keys.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::StreamExt;
use hufu_shared::ids::{Hash, MemberId, OperatorId};
use hufu_shared::time::MINUTE_US;
use serde_json::Value;

use super::kit::{Browser, Page, Site, each};
use crate::db::{DbError, SqlFile, Tx};
use crate::rules::joining::roles::{Account, Role};
use crate::store::{cases, staff};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// Points that a member has, summed from the postings.
async fn points(site: &Arc<Site>, member: MemberId) -> i64 {
    let account = format!("member/{member}/available");
    let read = move |tx: &mut Tx<'_>| tx.query_one(PROBE.get("points"), &[account.as_str().into()]);
    let row = site.app.db.read::<_, DbError, _>(read).await.expect("probe");
    row.int(0).expect("a number")
}

async fn cases_of(browser: &Browser, kind: u64) -> Vec<Value> {
    let page = browser.get(&format!("/api/v1/cases?kind={kind}")).await;
    let told: Value = serde_json::from_str(&page.text).expect("JSON");
    told["cases"].as_array().expect("a list").clone()
}

async fn case_of(browser: &Browser, kind: u64) -> String {
    cases_of(browser, kind).await[0]["case"].as_str().expect("an id").to_owned()
}

/// The version of a case, as a box of the list bears it.
async fn seen(site: &Arc<Site>, id: &str) -> String {
    let id: Hash = id.parse().expect("an id");
    let case = site.app.db.read(move |tx: &mut Tx<'_>| cases::one(tx, id)).await.expect("read");
    case.expect("a case").entry.to_string()
}

async fn state(site: &Arc<Site>, id: &str) -> &'static str {
    let id: Hash = id.parse().expect("an id");
    let case = site.app.db.read(move |tx: &mut Tx<'_>| cases::one(tx, id)).await.expect("read");
    case.expect("a case").known.state.code()
}

async fn add(site: &Arc<Site>, n: u8, role: Role, name: &'static str) -> OperatorId {
    let id = OperatorId([n; 16]);
    let account = Account { id, role, superior: None, office: None };
    let now = site.app.now();
    let work = move |tx: &mut Tx<'_>| staff::add_as(tx, &account, (name, name), "-", now);
    site.app.db.write(work).await.expect("added");
    id
}

fn posts(page: &Page) -> Vec<String> {
    let lists = page.all_between("<ul class=\"posts\"", "</ul>");
    let lines = lists.iter().flat_map(|list| list.split("<li>").skip(1));
    lines.map(|line| line.split("</li>").next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_the_page_says_what_each_verdict_posts_before_it_is_given_and_that_is_posted() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let case = cases_of(&browser, 27).await.remove(0);
        let id = case["case"].as_str().expect("an id").to_owned();
        let member: MemberId = case["member"].as_str().expect("a member").parse().expect("an id");
        let path = format!("/cases/{id}");
        let page = browser.get(&path).await;
        let lines = posts(&page);
        assert!(lines.iter().any(|line| line.contains("账本不变")), "to confirm posts nothing: {lines:?}");
        let taken = lines.iter().find(|line| line.contains("冲正 −")).expect("to reverse takes points back");
        let amount = taken.split('−').nth(1).and_then(|rest| rest.split(' ').next()).expect("a figure");
        let amount: i64 = amount.replace(',', "").parse().expect("points");
        assert!(page.text.contains("涉及") && page.text.contains("时间误差"), "stake and uncertainty");

        let before = points(&site, member).await;
        let version = seen(&site, &id).await;
        let fields = [("seen", version.as_str()), ("verdict", "reverse"), ("reason", "会员本人未到场")];
        assert_eq!(browser.post(&path, &fields).await.status, StatusCode::SEE_OTHER);
        let after = points(&site, member).await;
        let owed = lines.iter().any(|line| line.contains("的欠款"));
        assert!(before - after == amount || owed, "{before} → {after}, told {amount}");

        let decided = browser.get(&path).await;
        assert!(decided.text.contains("原因：会员本人未到场"), "why stands with who and when");
        let timeline = browser.get(&format!("/members/{member}/decided")).await;
        assert!(timeline.text.contains("冲正") && timeline.text.contains("原因：会员本人未到场"));
        assert!(timeline.text.contains(&format!("href=\"/cases/{id}\"")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_of_a_cause_are_previewed_then_decided_with_one_reason_and_told_one_by_one() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let ids: Vec<String> = cases_of(&browser, 27)
            .await
            .iter()
            .map(|case| case["case"].as_str().expect("an id").to_owned())
            .collect();
        let entries = {
            let mut entries = Vec::new();
            for id in &ids {
                entries.push((format!("c-{id}"), seen(&site, id).await));
            }
            entries
        };
        let ticked: Vec<(&str, &str)> =
            entries.iter().map(|(id, seen)| (id.as_str(), seen.as_str())).collect();
        let with = |more: &[(&'static str, &'static str)]| {
            let fixed = [("kind", "27"), ("verdict", "confirm")];
            fixed.into_iter().chain(more.iter().copied()).chain(ticked.iter().copied()).collect::<Vec<_>>()
        };
        let preview = browser.post("/cases/batch", &with(&[])).await;
        assert_eq!(preview.status, StatusCode::OK, "{}", preview.text);
        assert!(preview.text.contains(&format!("可处理 {0} 件，共 {0} 件", ids.len())), "{}", preview.text);
        assert_eq!(preview.text.matches("账本不变").count(), ids.len(), "what each writes");
        assert!(preview.text.contains("name=\"reason\""), "one reason for all");
        for id in &ids {
            assert_ne!(state(&site, id).await, "decided", "a preview decides nothing");
        }
        let bare = browser.post("/cases/batch", &with(&[("go", "1"), ("reason", " ")])).await;
        assert_eq!(bare.status, StatusCode::UNPROCESSABLE_ENTITY, "a reason is asked for");
        // Somebody else decides the first of them meanwhile.
        let first = [("seen", ticked[0].1), ("verdict", "confirm"), ("reason", "已核对")];
        assert_eq!(browser.post(&format!("/cases/{}", ids[0]), &first).await.status, StatusCode::SEE_OTHER);
        let done = browser.post("/cases/batch", &with(&[("go", "1"), ("reason", "先到者有效")])).await;
        assert_eq!(done.status, StatusCode::OK);
        assert!(
            done.text.contains(&format!("已处理 {} 件，共 {} 件", ids.len() - 1, ids.len())),
            "{}",
            done.text
        );
        assert_eq!(done.text.matches("证据已更新").count(), 1, "the one that changed is told and left");
        for id in &ids {
            assert_eq!(state(&site, id).await, "decided");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_cause_can_be_taken_at_once_and_never_two_causes() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let other = case_of(&browser, 30).await;
        let waiting = cases_of(&browser, 13).await.len();
        let all = [("kind", "13"), ("verdict", "discard"), ("all", "1")];
        let preview = browser.post("/cases/batch", &all).await;
        assert!(preview.text.contains(&format!("共 {waiting} 件")), "{}", preview.text);
        let name = format!("c-{other}");
        let version = seen(&site, &other).await;
        let mixed = [("kind", "13"), ("verdict", "discard"), (name.as_str(), version.as_str())];
        let none = browser.post("/cases/batch", &mixed).await;
        assert!(none.text.contains("没有选中可以处理的案件"), "a case of another cause is none of them");
        for (kind, verdict) in [("13", "bind"), ("29", "join"), ("13", "moon"), ("x", "discard")] {
            let page =
                browser.post("/cases/batch", &[("kind", kind), ("verdict", verdict), ("all", "1")]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{kind} {verdict}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_handed_to_who_may_decide_and_put_off_until_a_time() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let id = case_of(&browser, 30).await;
        let clerk = add(&site, 0xc1, Role::Clerk, "李客服").await;
        let outside = add(&site, 0xc2, Role::Promoter, "王品推").await;
        let (name, version) = (format!("c-{id}"), seen(&site, &id).await);
        let page = browser.get(&format!("/cases/{id}")).await;
        assert!(
            page.text.contains("李客服") && !page.text.contains("王品推"),
            "only who may decide is offered"
        );
        let base = [("kind", "30"), ("go", "1"), (name.as_str(), version.as_str())];
        let to = |who: OperatorId| who.to_string();
        let (clerk, outside) = (to(clerk), to(outside));
        let hand = |to: &'static str| [("verdict", "hand"), ("to", to)];
        let refused: Vec<_> =
            base.into_iter().chain([("verdict", "hand"), ("to", outside.as_str())]).collect();
        assert_eq!(browser.post("/cases/batch", &refused).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let handed: Vec<_> = base.into_iter().chain([("verdict", "hand"), ("to", clerk.as_str())]).collect();
        let done = browser.post("/cases/batch", &handed).await;
        assert!(done.to().contains("done=hand"), "{}", done.to());
        let page = browser.get(&format!("/cases/{id}")).await;
        assert!(page.text.contains("已指派给 李客服。"), "{}", page.text);
        let link = format!("href=\"/cases/{id}?mine=1\"");
        assert!(!browser.get("/cases?mine=1").await.text.contains(&link), "it is somebody else's");

        let later: Vec<_> = base.into_iter().chain([("verdict", "later"), ("hours", "4")]).collect();
        assert!(browser.post("/cases/batch", &later).await.to().contains("done=later"));
        let page = browser.get(&format!("/cases/{id}")).await;
        assert!(page.text.contains("稍后，至 2026-11-22 22:00"), "{}", page.text);
        site.clock.advance(4 * 60 * MINUTE_US);
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.get(&format!("/cases/{id}")).await;
        assert!(!page.text.contains("稍后，至 2026-11-22 22:00"), "its time has come");
        let nobody: Vec<_> = base.into_iter().chain(hand("")).collect();
        browser.post("/cases/batch", &nobody).await;
        assert!(!browser.get(&format!("/cases/{id}")).await.text.contains("已指派给"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_script_and_can_be_switched_off() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let page = browser.get("/keys").await;
        for key in ["/", "?", "Esc", "g i", "g m", "g d", "j", "k", "x", "Enter", "a", "s", "u"] {
            assert!(page.text.contains(&format!("<kbd>{key}</kbd>")), "{key}");
        }
        assert!(page.text.contains("<body data-keys=\"on\""));
        let session = browser.cookies.clone();
        let kept = browser.post_bare("/look", &[("keys", "off"), ("back", "/keys")]).await;
        let cookie = kept.headers[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(cookie.starts_with("hufu_keys=off;") && kept.to() == "/keys", "{cookie}");
        browser.cookies = format!("{session}; hufu_keys=off");
        let page = browser.get("/keys").await;
        assert!(page.text.contains("<body data-keys=\"off\"") && page.text.contains("单键快捷键已关闭"));
        // What the script goes to is what the page says.
        let script = include_str!("../../../assets/keys.js");
        for (key, to) in [("i", "/cases"), ("m", "/members"), ("d", "/devices"), ("j", "/jobs")] {
            assert!(script.contains(&format!("{key}: \"{to}\"")), "g {key}");
        }
        assert!(script.contains("isComposing"), "never while an input method composes");
    })
    .await;
}

async fn listen(site: &Arc<Site>, cookies: &str) -> axum::response::Response {
    let request = Request::get("/live").header(header::COOKIE, cookies).body(Body::empty());
    site.open(request.expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_g07_a_page_hears_that_cases_changed_and_how_many_wait_and_nothing_else() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let waiting: u64 = {
            let counts = site.app.db.read(cases::open_counts).await.expect("read");
            counts.iter().map(|kind| kind.count).sum()
        };
        let answer = listen(&site, &browser.cookies).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let mut stream = answer.into_body().into_data_stream();
        let heard = stream.next().await.expect("news").expect("bytes");
        let heard = String::from_utf8(heard.to_vec()).expect("UTF-8");
        assert!(heard.contains("event: cases\n") && heard.contains(&format!("data: {waiting}\n")), "{heard}");
        let id = case_of(&browser, 30).await;
        let version = seen(&site, &id).await;
        let all = [("seen", version.as_str()), ("verdict", "acknowledge"), ("reason", "已核对")];
        browser.post(&format!("/cases/{id}"), &all).await;
        site.app.wake();
        let next = tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("in time");
        let next = String::from_utf8(next.expect("news").expect("bytes").to_vec()).expect("UTF-8");
        assert!(next.contains(&format!("data: {}\n", waiting - 1)), "{next}");
        let since = site.app.db.read(crate::store::inbox::version).await.expect("read").1;
        let news = browser.get(&format!("/live/news?since={}", since.0 - 1)).await;
        assert!(news.text.contains("条新记录") && news.text.contains("更新于 18:00"), "{}", news.text);
        assert!(!news.text.contains("<html"), "a line, not a page");
        let old = browser.get(&format!("/live/news?since={}", i64::MAX)).await;
        assert!(!old.text.contains("条新记录"), "nothing is new");
        assert_eq!(browser.get("/live/count").await.text, (waiting - 1).to_string());

        browser.post("/logout", &[]).await;
        site.app.wake();
        let end = async { while stream.next().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(30), end).await.expect("the stream ends with the session");
        for path in ["/live", "/live/news", "/live/count"] {
            let request = Request::get(path).header(header::COOKIE, &browser.cookies).body(Body::empty());
            let refused = site.open(request.expect("a request")).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
        }
    })
    .await;
}
