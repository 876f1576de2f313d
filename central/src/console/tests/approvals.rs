//! 待我审批 as people see it: one list of every kind, decided in two steps and together, and who stands in for whom; on both
//! databases.

use std::sync::Arc;

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor};
use hufu_shared::fact::{Event, Form, ProfileChange};
use hufu_shared::policy::Policy;
use hufu_shared::time::DAY_US;
use hufu_shared::wire::version::Version;

use super::approving::account;
use super::joining::{json, text};
use super::kit::{Browser, Page, Site, each};
use super::points::{fields, has, id, newcomers, other};
use super::taking::{card_in_use, takes, written};

/// What is offered to be chosen together.
fn picks(page: &Page) -> Vec<String> {
    page.all_between("name=\"pick\" value=\"", "\"").into_iter().map(str::to_owned).collect()
}

/// The badge beside the line of the navigation; none where nothing waits.
fn badge(page: &Page) -> Option<&str> {
    let (_, nav) = page.text.split_once("<nav").expect("a navigation");
    let line = nav.split_once("href=\"/approvals\"").expect("the line is there").1;
    let line = line.split("</a>").next().unwrap_or_default();
    line.split("<b class=\"count\">").nth(1).and_then(|rest| rest.split('<').next())
}

/// A change of X1's points that waits, as somebody asked for it.
async fn asks(browser: &mut Browser, key: &str, points: &str) {
    let mut asked = fields(key, points);
    asked.push(("waits", "1"));
    assert_eq!(browser.post("/api/v1/points", &asked).await.status, StatusCode::CREATED, "{key}");
}

/// Leads to the step before the decision.
fn sure(kind: &str, picks: &[String]) -> String {
    let picks: Vec<String> = picks.iter().map(|pick| format!("&pick={pick}")).collect();
    format!("/approvals/sure?kind={kind}{}", picks.concat())
}

async fn decide(browser: &mut Browser, kind: &str, items: &str, more: &[(&str, &str)]) -> Page {
    let own = [("kind", kind), ("items", items), ("reason", "已核对材料")];
    browser.post("/approvals", &[&own[..], more].concat()).await
}

/// One thing of every kind that waits, all but the form of a terminal asked for by `asker`.
async fn one_of_each(site: &Arc<Site>, asker: &mut Browser) {
    newcomers(site).await;
    let policy = Policy { plans_need_approval: true, ..Policy::default() };
    let actor = Actor::Job("test".to_owned());
    site.app.act(actor, Act::PolicySet(Box::new(policy))).await.expect("taken");
    asks(asker, "w1", "60").await;
    let plan = [
        ("name_zh", "业主茶会"),
        ("kind", "salon"),
        ("heads", "30"),
        ("cost", "90000"),
        ("starts", "2030-01-31 09:00"),
        ("ends", "2030-01-31 11:00"),
        ("points", "6"),
    ];
    assert_eq!(asker.post("/api/v1/activities", &plan).await.status, StatusCode::CREATED);
    let redemption = [
        ("key", "year-end"),
        ("zh", "年终兑付"),
        ("en", "Year-end"),
        ("from", "2026-11-01"),
        ("until", "2026-12-31"),
        ("office", "A"),
        ("kind", "cash"),
        ("worth", "1.00"),
    ];
    let made = asker.post("/api/v1/redemptions", &redemption).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let leaving = format!("/api/v1/members/{}/leaving", id(2));
    let filed = asker.post(&leaving, &[("kind", "normal"), ("reason", "本人要求")]).await;
    assert_eq!(filed.status, StatusCode::OK, "{}", filed.text);
    let form = written(&[("name", "禤墨白"), ("mobile", "13911112222")]);
    takes(site, &form, Event::ApplicationTaken).await;
    let (subject, _) = card_in_use(site).await;
    let asks = |form: Form| {
        let form = Form { subject: Some(subject.clone()), ..form };
        let fields = vec![("mobile".to_owned(), Version { epoch: 1, n: 1 })];
        Event::ProfileChangeRequested(ProfileChange { form, fields })
    };
    takes(site, &written(&[("mobile", "13900001111")]), asks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_everything_that_waits_stands_in_one_list_with_what_it_changes_and_who_asked() {
    each(|site| async move {
        let mut asker = Browser::signed_in(&site).await;
        let empty = asker.get("/approvals").await;
        assert!(empty.text.contains("没有等待审批的事项。") && badge(&empty).is_none());
        one_of_each(&site, &mut asker).await;
        let other = other(&site).await;
        let list = other.get("/approvals").await;
        for words in [
            "可用积分：0 → 60",
            "+60 · 购房",
            "业主茶会",
            "预计 30 人、¥900.00",
            "年终兑付",
            "会员：在册 → 归档",
            "正常退会",
            "会员：无 → 新会员",
            "139****1111",
            "中心人员（提出人除外）",
            "不到 1 分钟",
        ] {
            assert!(list.text.contains(words), "{words}: {}", list.text);
        }
        assert!(!list.text.contains("禤墨白") && !list.text.contains("13900001111"), "ui_f06: masked");
        assert_eq!(badge(&list), Some("6"), "all that the person may decide");
        assert_eq!(list.all_between("href=\"/approvals/sure?kind=", "\"").len(), 6);
        assert!(picks(&list).is_empty(), "only things of one kind are decided together");
        // Who asked sees all of it and decides only what a form asked for.
        let own = asker.get("/approvals").await;
        assert_eq!((badge(&own), own.all_between("须由他人审批", "<").len()), (Some("2"), 4));
        assert_eq!(own.all_between("href=\"/approvals/sure?kind=", "\"").len(), 2);
        for kind in ["join", "leave", "change", "points", "activity", "plan"] {
            let page = other.get(&format!("/approvals?kind={kind}")).await;
            assert_eq!((page.status, picks(&page).len()), (StatusCode::OK, 1), "{kind}");
        }
        assert_eq!(other.get("/approvals?kind=moon").await.status, StatusCode::NOT_FOUND);
        assert_eq!(other.get("/requests").await.status, StatusCode::OK, "the address goes on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_each_kind_is_decided_by_its_own_command() {
    each(|site| async move {
        let mut asker = Browser::signed_in(&site).await;
        one_of_each(&site, &mut asker).await;
        let mut other = other(&site).await;
        for (kind, approved) in [
            ("join", "1"),
            ("change", "1"),
            ("points", "1"),
            ("activity", "1"),
            ("plan", "0"),
            ("leave", "1"),
        ] {
            let page = other.get(&format!("/approvals?kind={kind}")).await;
            let pick = picks(&page).swap_remove(0);
            let before = other.get(&sure(kind, std::slice::from_ref(&pick))).await;
            assert!(before.text.contains(" → ") && before.text.contains("name=\"reason\""), "{kind}");
            let refused =
                other.post("/approvals", &[("kind", kind), ("items", &pick), ("approved", "1")]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}: a reason is needed");
            assert!(refused.text.contains("请填写原因。") && refused.text.contains(&pick), "{kind}");
            let done = decide(&mut other, kind, &pick, &[("approved", approved)]).await;
            let what = if approved == "1" { "approved" } else { "returned" };
            assert_eq!(done.to(), format!("/approvals?kind={kind}&done={what}"), "{}", done.text);
            let twice = decide(&mut other, kind, &pick, &[("approved", approved)]).await;
            assert!(twice.text.contains("未作任何更改") && twice.text.contains("未办理 1 件"), "{kind}");
        }
        assert_eq!(has(&other, 1, "PTS").await, 60);
        let activities = json(&other.get("/api/v1/activities?state=approved").await);
        let is_tea = |row: &serde_json::Value| row["name"]["zh"] == "业主茶会";
        assert!(activities["activities"].as_array().expect("a list").iter().any(is_tea));
        let plans = json(&other.get("/api/v1/redemptions").await);
        assert_eq!(text(&plans["redemptions"][0], "state"), "returned");
        let left = json(&other.get("/api/v1/leavings?state=archived").await);
        assert_eq!(text(&left["leavings"][0], "member"), id(2).to_string());
        let list = other.get("/approvals").await;
        assert!(list.text.contains("没有等待审批的事项。") && badge(&list).is_none(), "{}", list.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_a_batch_tells_what_changed_meanwhile_and_the_others_go_through() {
    each(|site| async move {
        newcomers(&site).await;
        let mut asker = Browser::signed_in(&site).await;
        let mut other = other(&site).await;
        for (key, points) in [("w1", "60"), ("w2", "-900"), ("w3", "5")] {
            asks(&mut asker, key, points).await;
        }
        let page = other.get("/approvals?kind=points").await;
        let picks = picks(&page);
        assert_eq!(picks.len(), 3);
        let before = other.get(&sure("points", &picks)).await;
        for words in
            ["可用积分：0 → 60", "可用积分：0 → −900", "可用积分：0 → 5", "目前不能入账", "还差 900 分"]
        {
            assert!(before.text.contains(words), "{words}: {}", before.text);
        }
        let all = before.between("name=\"items\" value=\"", "\"").expect("what is decided").to_owned();
        assert_eq!(all.split(',').count(), 3);
        // Nobody decides their own, whatever their browser sends.
        let own = decide(&mut asker, "points", &all, &[("approved", "1")]).await;
        assert!(own.text.contains("已办理 0 件，未办理 3 件"), "{}", own.text);
        assert_eq!(has(&asker, 1, "PTS").await, 0);
        // Somebody else deals with the first one meanwhile.
        let waiting = json(&other.get("/api/v1/points").await);
        let sixty = waiting["changes"].as_array().expect("a list").iter().find(|row| row["points"] == 60);
        let sixty = text(sixty.expect("it waits"), "change").to_owned();
        let back = [("changes", sixty.as_str()), ("approved", "0"), ("reason", "材料不全")];
        assert_eq!(other.post("/api/v1/points/decide", &back).await.status, StatusCode::OK);
        let done = decide(&mut other, "points", &all, &[("approved", "1")]).await;
        assert_eq!(done.status, StatusCode::OK);
        for words in ["已办理 1 件，未办理 2 件", "未作任何更改", "已批准"] {
            assert!(done.text.contains(words), "{words}: {}", done.text);
        }
        assert_eq!(has(&other, 1, "PTS").await, 5, "the third alone");
        let none = decide(&mut other, "points", "", &[("approved", "1")]).await;
        assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(none.text.contains("请先选择要审批的事项。"));
    })
    .await;
}

/// Names a stand-in from an hour ago for two days.
async fn names(browser: &mut Browser, key: &str, who: &str) -> Page {
    let times = [("from", "2026-11-22T17:00"), ("until", "2026-11-24T18:00")];
    browser
        .post("/approvals/away", &[&[("do", "name"), ("key", key), ("who", who)][..], &times].concat())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_a_stand_in_decides_in_both_names_and_never_what_either_asked_for() {
    each(|site| async move {
        newcomers(&site).await;
        let mut away = Browser::signed_in(&site).await;
        let mut present = other(&site).await;
        let mut third = account(&site, &[("login", "third"), ("role", "admin")]).await;
        let refused = names(&mut away, "self", "admin").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("不能指定此人"), "nobody stands in for themselves");
        assert_eq!(names(&mut away, "trip", "second").await.to(), "/approvals/away");
        assert_eq!(names(&mut away, "trip", "second").await.to(), "/approvals/away", "the same key, once");
        let page = away.get("/approvals/away").await;
        assert_eq!(page.all_between("<span class=\"badge ok\">代理中", "<").len(), 1, "{}", page.text);
        assert!(names(&mut away, "again", "third").await.text.contains("该时段已指定代理人"));
        for (browser, key, points) in
            [(&mut away, "w1", "1"), (&mut present, "w2", "2"), (&mut third, "w3", "4")]
        {
            asks(browser, key, points).await;
        }
        let list = present.get("/approvals?kind=points").await;
        assert!(list.text.contains("您正在代理 "), "{}", list.text);
        let offered = picks(&list);
        assert_eq!(offered.len(), 2, "not their own");
        let ids = json(&away.get("/api/v1/accounts").await);
        let admin = ids["accounts"].as_array().expect("a list").iter().find(|row| row["login"] == "admin");
        let admin = text(admin.expect("there"), "id").to_owned();
        let as_them = [("approved", "1"), ("for", admin.as_str())];
        let done = decide(&mut present, "points", &offered.join(","), &as_them).await;
        assert!(done.text.contains("已办理 1 件，未办理 1 件"), "what the other asked for: {}", done.text);
        assert!(done.text.contains("已批准（第二人 代 "), "{}", done.text);
        assert_eq!(has(&away, 1, "PTS").await, 4);
        let posted = json(&away.get("/api/v1/points?state=posted").await);
        let decider = text(&posted["changes"][0], "decider").to_owned();
        assert!(decider.starts_with("admin/") && decider.ends_with(&format!("/for/{admin}")), "{decider}");
        // Back again: from then on nobody decides in their place.
        let naming = page.between("name=\"id\" value=\"", "\"").expect("a way to end it").to_owned();
        let ended = away.post("/approvals/away", &[("do", "end"), ("id", &naming)]).await;
        assert_eq!(ended.to(), "/approvals/away", "{}", ended.text);
        asks(&mut third, "w4", "8").await;
        let list = present.get("/approvals?kind=points").await;
        assert!(!list.text.contains("您正在代理 "));
        let late = decide(&mut present, "points", &picks(&list).join(","), &as_them).await;
        assert!(late.text.contains("已办理 0 件"), "{}", late.text);
        assert_eq!(has(&away, 1, "PTS").await, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_l01_a_dealer_s_stand_in_approves_what_the_supervisor_would_and_sees_nothing_else() {
    each(|site| async move {
        let mut admin = Browser::signed_in(&site).await;
        one_of_each(&site, &mut admin).await;
        let at = |role, superior| [("role", role), ("superior", superior), ("office", "A")];
        let [m1, m2, m3] = at("manager", "admin");
        account(&site, &[("login", "m1"), m1, m2, m3]).await;
        let [s1, s2, s3] = at("supervisor", "m1");
        let mut supervisor = account(&site, &[("login", "s1"), s1, s2, s3]).await;
        let [p1, p2, p3] = at("promoter", "s1");
        let mut promoter = account(&site, &[("login", "p1"), p1, p2, p3]).await;
        let mut peer = account(&site, &[("login", "p2"), p1, p2, p3]).await;
        let person = [("name", "盖聂云"), ("mobile", "13911113333")];
        let filed = promoter.post("/api/v1/applications", &person).await;
        assert_eq!(text(&json(&filed), "state"), "waiting", "{}", filed.text);
        let seen = supervisor.get("/approvals").await;
        assert_eq!((badge(&seen), seen.text.contains("业主茶会")), (Some("1"), false), "{}", seen.text);
        assert!(!seen.text.contains("href=\"/members\""), "no way to a page that is not theirs");
        assert!(peer.get("/approvals").await.text.contains("没有等待审批的事项。"));
        let refused = names(&mut admin, "a", "p2").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "the centre's people name their own");
        assert_eq!(names(&mut supervisor, "s", "p2").await.to(), "/approvals/away");
        let list = peer.get("/approvals?kind=join").await;
        let offered = picks(&list).join(",");
        assert!(!offered.is_empty() && badge(&list) == Some("1"), "{}", list.text);
        let page = admin.get("/approvals?kind=join").await;
        assert!(page.text.contains("s1（由 p2 代理）或中心人员"), "whom it waits for: {}", page.text);
        let accounts = json(&admin.get("/api/v1/accounts").await);
        let s1 = accounts["accounts"].as_array().expect("a list").iter().find(|row| row["login"] == "s1");
        let s1 = text(s1.expect("there"), "id").to_owned();
        let alone = decide(&mut peer, "join", &offered, &[("approved", "1"), ("for", "")]).await;
        assert!(alone.text.contains("已办理 0 件"), "not in their own right: {}", alone.text);
        let done = decide(&mut peer, "join", &offered, &[("approved", "1"), ("for", &s1)]).await;
        assert!(done.text.contains("已批准（p2 代 s1）"), "{}", done.text);
        let applications = json(&admin.get("/api/v1/applications").await);
        assert_eq!(text(&applications["applications"][0], "state"), "joined");
        // After its time nothing is offered any more.
        site.clock.advance(3 * DAY_US);
        let mut peer = Browser::stranger(&site);
        peer.sign_in("p2", super::kit::PASSWORD).await;
        assert!(!peer.get("/approvals").await.text.contains("您正在代理 "));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threat_approvals_are_for_people_who_are_signed_in_and_by_forms_of_their_session() {
    each(|site| async move {
        newcomers(&site).await;
        let mut asker = Browser::signed_in(&site).await;
        asks(&mut asker, "w1", "60").await;
        let mut other = other(&site).await;
        let items = picks(&other.get("/approvals?kind=points").await).join(",");
        let form = [("kind", "points"), ("items", items.as_str()), ("reason", "同意"), ("approved", "1")];
        let mut stranger = Browser::stranger(&site);
        assert_eq!(stranger.get("/approvals").await.to(), "/login");
        assert_eq!(stranger.post_bare("/approvals", &form).await.to(), "/login");
        let foreign = other.post_bare("/approvals", &form).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "without the session's token");
        assert_eq!(has(&asker, 1, "PTS").await, 0);
    })
    .await;
}
