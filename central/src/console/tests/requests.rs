//! Forms that nobody disagrees with, from the list to the member's data, on both databases.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, Form, ProfileChange, Subject};
use hufu_shared::wire::version::Version;

use super::kit::{Browser, Page, Site, each};
use super::taking::{card_in_use, revealed, takes, takes_only, written};
use crate::rules::apply::profile_case;

fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

/// A request of a card's holder to change a field.
async fn wants(site: &Site, subject: &Subject, (field, value): (&str, &str)) -> String {
    let asks = |form: Form| {
        let form = Form { subject: Some(subject.clone()), ..form };
        let fields = vec![(field.to_owned(), Version { epoch: 1, n: 1 })];
        Event::ProfileChangeRequested(ProfileChange { form, fields })
    };
    let id = takes(site, &written(&[(field, value)]), asks).await;
    format!("/requests/{}", super::super::cases::fact_text(id))
}

const NONE: &str = "没有等待办理的申请。";

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_an_application_that_looks_like_nobody_becomes_a_member_at_its_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        assert!(browser.get("/requests").await.text.contains(NONE));
        let form = written(&[("name", "禤墨白"), ("mobile", "13911112222"), ("sex", "female")]);
        let id = takes_only(&site, &form, Event::ApplicationTaken).await;
        let path = format!("/requests/{}", super::super::cases::fact_text(id));
        let list = browser.get("/requests").await;
        assert!(list.text.contains("正在查重"));
        assert!(
            list.text.contains(">查看</a>") && !list.text.contains(">办理</a>"),
            "nothing to deal with yet"
        );
        assert!(!browser.get(&path).await.text.contains("办理入会"), "not before it was looked up");
        crate::jobs::lookalikes::round(&site.app).await.expect("looked up");
        let list = browser.get("/requests").await;
        for words in ["入会申请", "待办理", "不到 1 分钟", &path] {
            assert!(list.text.contains(words), "{words}");
        }
        let page = browser.get(&path).await;
        assert!(page.text.contains("139****2222"));
        assert!(page.text.contains("<dd>女</dd>") && !page.text.contains("female"), "a code in words");
        assert!(page.text.contains("会员编号、姓名或手机"), "what the search takes");
        for page in [&list, &page] {
            assert!(!page.text.contains("禤墨白") && !page.text.contains("13911112222"), "ui_f06: masked");
        }
        let refused = browser.post(&path, &[("deal", "join")]).await;
        assert_eq!((refused.status, told(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, "请填写原因。"));
        let done = browser.post(&path, &[("deal", "join"), ("reason", "证件已核对")]).await;
        assert_eq!(done.to(), "/requests?done=join", "{}", told(&done));
        let list = browser.get(done.to()).await;
        assert!(list.text.contains("已办理入会") && list.text.contains(NONE));
        let vault = site.app.vault.clone();
        let all = site.app.db.read(move |tx| vault.search(tx, "禤墨白", 5)).await.expect("search");
        assert_eq!(all.len(), 1, "one new member");
        assert_eq!(revealed(&site, all[0]).await.mobile.as_deref(), Some("13911112222"));
        let twice = browser.post(&path, &[("deal", "join"), ("reason", "再来一次")]).await;
        assert_eq!(twice.to(), "/requests", "it waits no more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_an_application_is_a_members_whom_a_person_found() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (_, member) = card_in_use(&site).await;
        let before = revealed(&site, member).await;
        let id = takes(&site, &written(&[("name", "禤墨白")]), Event::ApplicationTaken).await;
        let path = format!("/requests/{}", super::super::cases::fact_text(id));
        let nobody = browser.post(&path, &[("deal", "bind"), ("reason", "本人已是会员")]).await;
        assert_eq!(told(&nobody), "请先查找并选择会员。");
        let found = browser.post(&path, &[("deal", "find"), ("find", &before.name)]).await;
        let own = member.to_string();
        assert!(found.text.contains(&own), "offered by name");
        let fields = [("deal", "bind"), ("member", own.as_str()), ("reason", "本人已是会员")];
        assert_eq!(browser.post(&path, &fields).await.to(), "/requests?done=bind");
        assert!(browser.get("/requests").await.text.contains(NONE));
        assert_eq!(revealed(&site, member).await.mobile, before.mobile, "no data changes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_a_request_is_taken_over_or_declined_and_those_that_disagree_are_a_case() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (subject, member) = card_in_use(&site).await;
        let path = wants(&site, &subject, ("mobile", "13900001111")).await;
        let page = browser.get(&path).await;
        assert!(page.text.contains("139****1111") && page.text.contains("现有资料"), "both sides, masked");
        let done = browser.post(&path, &[("deal", "take"), ("reason", "本人来电核实")]).await;
        assert_eq!(done.to(), "/requests?done=take", "{}", told(&done));
        assert_eq!(revealed(&site, member).await.mobile.as_deref(), Some("13900001111"));
        assert!(browser.get("/requests").await.text.contains(NONE));
        let path = wants(&site, &subject, ("home_phone", "13900002222")).await;
        let done = browser.post(&path, &[("deal", "decline"), ("reason", "非本人")]).await;
        assert_eq!(done.to(), "/requests?done=decline", "{}", told(&done));
        assert_ne!(revealed(&site, member).await.home_phone.as_deref(), Some("13900002222"), "as it was");
        assert!(browser.get("/requests").await.text.contains(NONE));
        let path = wants(&site, &subject, ("email", "a@example.cn")).await;
        let wrong = wants(&site, &subject, ("email", "b@example.cn")).await;
        let list = browser.get("/requests").await;
        assert!(list.text.contains(&format!("/cases/{}", profile_case(member, "email"))), "in doubt");
        for path in [path, wrong] {
            let refused = browser.post(&path, &[("deal", "take"), ("reason", "先到先得")]).await;
            assert_eq!(told(&refused), "申请已有变化，请重新核对。", "the case decides");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_none_of_its_field_is_refused_and_nothing_is_written() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (subject, member) = card_in_use(&site).await;
        let before = revealed(&site, member).await.mobile;
        let path = wants(&site, &subject, ("mobile", "not a number")).await;
        let refused = browser.post(&path, &[("deal", "take"), ("reason", "本人来电核实")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!told(&refused).is_empty());
        assert_eq!(revealed(&site, member).await.mobile, before);
        assert_eq!(browser.get("/requests/nonsense").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
