//! Pages of activities and the letters that go out about them, on both databases.

use axum::http::StatusCode;
use hufu_shared::time::{DAY_US, Instant, SECOND_US};
use serde_json::Value;

use super::approving::account;
use super::joining::{sending, somebody, text};
use super::kit::{Browser, Page, each};
use crate::config::MessagesConfig;
use crate::jobs;
use crate::rules::jobs::Job;

const KEY: &str = "018f0000-0000-7000-8000-000000000001";

/// A plan as the form sends it.
const FORM: [(&str, &str); 16] = [
    ("activity", ""),
    ("key", KEY),
    ("name_zh", "业主茶会"),
    ("name_en", "Owners' tea"),
    ("kind", "salon"),
    ("place", "湖心亭"),
    ("programme", "品茶、问答"),
    ("heads", "30"),
    ("yuan", "900.00"),
    ("starts", "2030-01-31T09:00"),
    ("ends", "2030-01-31T11:00"),
    ("every", "day"),
    ("times", "2"),
    ("admission", "daily"),
    ("places", "4"),
    ("companions", "2"),
];

/// When the first holding of that begins: 09:00 in Shanghai.
const STARTS: Instant = Instant(1_896_051_600 * SECOND_US);

fn with<'a>(field: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    FORM.into_iter().filter(|of| of.0 != field).chain([(field, value)]).collect()
}

/// The address of the first holding that a page links to.
fn holding(page: &Page) -> String {
    format!("/occurrences/{}", page.between("href=\"/occurrences/", "\"").expect("a holding"))
}

fn is_whole(page: &Page) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    // A key that has no text reads as itself.
    for open in [">activity-", ">holding-", ">coming-", ">guest-"] {
        assert!(!page.text.contains(open), "{:?}", page.between(open, "<"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_k26_an_activity_goes_its_way_on_the_pages() {
    each(|site| async move {
        let mut planner = Browser::signed_in(&site).await;
        for (field, value, why) in [
            ("admission", "never", "请选择入场方式。"),
            ("every", "week", "每日限签一次的活动按日举办，每场不超过24小时。"),
            ("ends", "2030-02-01T10:00", "每日限签一次的活动按日举办，每场不超过24小时。"),
            ("companions", "21", "随行人数须为0至20的整数。"),
        ] {
            let page = planner.post("/activities", &with(field, value)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
            assert!(
                page.text.contains(why) && page.text.contains("湖心亭"),
                "what was typed is kept: {field}"
            );
        }
        let made = planner.post("/activities", &FORM).await;
        let path = format!("/activities/{KEY}");
        assert_eq!((made.status, made.to()), (StatusCode::SEE_OTHER, path.as_str()));
        let again = planner.post("/activities", &FORM).await;
        assert_eq!(again.to(), path, "a form that is sent twice plans once");
        let listed = planner.get("/activities?state=planned&kind=salon").await;
        is_whole(&listed);
        assert_eq!(listed.text.matches(&format!("href=\"{path}\"")).count(), 1);
        assert!(!planner.get("/activities?state=ended").await.text.contains(&path));
        assert_eq!(planner.get("/activities?state=moon").await.status, StatusCode::NOT_FOUND);
        let own = planner.get(&path).await;
        is_whole(&own);
        assert!(own.text.contains("不能审批自己提交的方案。") && own.text.contains("每日限签一次"));
        assert!(own.text.contains("value=\"2030-01-31T09:00\""), "planned anew from what stands");
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        let silent = approver.post(&path, &[("step", "approve")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let approved = approver.post(&path, &[("step", "approve"), ("reason", "同意")]).await;
        assert_eq!(approved.to(), path);
        let cost = [("step", "cost"), ("item", "1"), ("what", "茶点"), ("yuan", "12.50")];
        assert_eq!(planner.post(&path, &cost).await.to(), path);
        let page = planner.get(&path).await;
        assert!(page.text.contains("¥12.50") && page.text.contains("已审批"), "{}", page.text);
        let mut english = Browser::signed_in(&site).await;
        english.cookies = format!("{}; hufu_lang=en", english.cookies);
        is_whole(&english.get(&path).await);
        is_whole(&english.get(&holding(&page)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_members_sign_up_with_companions_on_the_page_and_are_written_to() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("letters.jsonl");
        let app = sending(&site, MessagesConfig { file: file.clone(), ..MessagesConfig::default() });
        let (member, ..) = somebody(&site, 0).await;
        let number = member.number.as_str();
        let mut planner = Browser::signed_in(&site).await;
        planner.post("/activities", &FORM).await;
        let path = format!("/activities/{KEY}");
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        approver.post(&path, &[("step", "approve"), ("reason", "同意")]).await;
        let holding = holding(&planner.get(&path).await);
        for (who, companions, why) in
            [(number, "3", "随行人数超过本场活动的规定。"), ("NOBODY", "0", "没有这个会员编号的在册会员。")]
        {
            let sign_up = [("step", "sign_up"), ("number", who), ("companions", companions)];
            let page = planner.post(&holding, &sign_up).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.text.contains(why) && page.text.contains(who), "{}", page.text);
        }
        let sign_up = [("step", "sign_up"), ("number", number), ("companions", "2")];
        assert_eq!(planner.post(&holding, &sign_up).await.to(), holding);
        let more = [("step", "sign_up"), ("number", number), ("companions", "1")];
        assert_eq!(planner.post(&holding, &more).await.to(), holding, "one stays at home");
        let page = planner.get(&holding).await;
        is_whole(&page);
        assert!(page.text.contains(number) && page.text.contains("1 + 1"), "{}", page.text);
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 0));
        let written = std::fs::read_to_string(&file).expect("the file");
        let letter: Value = serde_json::from_str(written.trim()).expect("one letter");
        assert_eq!((text(&letter, "about"), text(&letter, "number")), ("activity_placed", number));
        let activity = &letter["activity"];
        assert_eq!((text(activity, "place"), text(activity, "coming")), ("湖心亭", "placed"));
        assert_eq!(activity["companions"].as_u64(), Some(1));
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 0), "once");
        let silent = planner.post(&holding, &[("step", "end")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let ended = planner.post(&holding, &[("step", "end"), ("reason", "下雨")]).await;
        assert_eq!(ended.to(), holding);
        let page = planner.get(&holding).await;
        assert!(page.text.contains("已结束") && page.text.contains("未到"), "{}", page.text);
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 0), "called off");
        let mut stranger = Browser::stranger(&site);
        for path in [path.as_str(), holding.as_str()] {
            assert_ne!(stranger.get(path).await.status, StatusCode::OK, "{path}");
            assert!(!stranger.post_bare(path, &[("step", "end")]).await.status.is_success(), "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_the_job_reminds_once_within_the_day_before() {
    each(|site| async move {
        let (member, ..) = somebody(&site, 0).await;
        let mut planner = Browser::signed_in(&site).await;
        planner.post("/activities", &FORM).await;
        let path = format!("/activities/{KEY}");
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        approver.post(&path, &[("step", "approve"), ("reason", "同意")]).await;
        let holding = holding(&planner.get(&path).await);
        let sign_up = [("step", "sign_up"), ("number", member.number.as_str())];
        assert_eq!(planner.post(&holding, &sign_up).await.to(), holding);
        let due = || async { jobs::dry_run(&site.app, Job::Reminders).await.expect("counted") };
        assert_eq!(due().await, 0, "years before");
        site.clock.advance(STARTS.since(site.app.now()) - DAY_US);
        assert_eq!(due().await, 1);
        assert_eq!(jobs::perform(&site.app, Job::Reminders).await.expect("done"), 1, "one holding");
        assert_eq!(due().await, 0);
        assert_eq!(jobs::perform(&site.app, Job::Reminders).await.expect("done"), 0, "once");
    })
    .await;
}
