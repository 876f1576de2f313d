//! Sealed forms at the console: from the fact of a terminal to the member's data.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, Form, ProfileChange};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::wire::version::Version;

use super::kit::{Browser, Page, Site, each};
use super::taking::{card_in_use, revealed, takes, written};
use crate::rules::apply::{look_alike_case, profile_case};
use crate::store::{cases, lookalikes as found, people};
use crate::vault::Personal;

async fn applies(site: &Site, fields: &[(&str, &str)]) -> FactId {
    takes(site, &written(fields), Event::ApplicationTaken).await
}

async fn waits(site: &Site, id: FactId) -> bool {
    site.app.db.read(move |tx| found::waits(tx, id)).await.expect("read")
}

fn id_of(fact: FactId) -> String {
    super::super::cases::fact_text(fact)
}

/// Posts on the page of a case as it is now.
async fn judge(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> (Page, Page) {
    let page = browser.get(path).await;
    let seen = page.between("name=\"seen\" value=\"", "\"").unwrap_or_default().to_owned();
    let mut all = vec![("seen", seen.as_str()), ("reason", "与申请人核对")];
    all.extend(fields.iter().copied());
    let answer = browser.post(path, &all).await;
    (page, answer)
}

async fn somebody(site: &Site) -> (MemberId, Personal) {
    let page = site.app.db.read(|tx| people::member_page(tx, "", 50)).await.expect("members");
    for row in page {
        let personal = revealed(site, row.member).await;
        if personal.mobile.is_some() {
            return (row.member, personal);
        }
    }
    panic!("no member has a mobile");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_an_application_is_joined_with_the_member_and_the_applications_that_a_person_chose() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (member, personal) = somebody(&site).await;
        let mobile = personal.mobile.clone().expect("a mobile");
        let form = [("name", "申请人"), ("mobile", mobile.as_str())];
        let other = applies(&site, &form).await;
        let own = applies(&site, &form).await;
        let path = format!("/cases/{}", look_alike_case(own));
        let (id, with) = (member.to_string(), format!("with-{}", id_of(other)));
        let chosen = [("verdict", "join"), ("alike", id.as_str()), (with.as_str(), "1")];
        let (page, done) = judge(&mut browser, &path, &chosen).await;
        assert!(page.text.contains("相似会员") && page.text.contains("手机相同"), "what is the same is told");
        assert!(page.text.contains(&id) && page.text.contains(&with), "both lists are offered");
        assert!(!page.text.contains(&mobile), "ui_f06: masked");
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert!(!waits(&site, own).await && !waits(&site, other).await);
        let case = look_alike_case(other);
        let known = site.app.db.read(move |tx| cases::one(tx, case)).await.expect("read").expect("a case");
        assert_eq!(known.known.automatic, "merged", "the other one's case is over with it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_applications_alone_need_final_contact_data_and_become_one_new_member() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let first = applies(&site, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        let second = applies(&site, &[("name", "禤墨白"), ("address", "春熙路 1 号")]).await;
        let path = format!("/cases/{}", look_alike_case(second));
        let with = format!("with-{}", id_of(first));
        let (_, refused) = judge(&mut browser, &path, &[("verdict", "join"), (&with, "1")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("请填写最终的手机"), "{}", refused.text);
        let contact = [("verdict", "join"), (with.as_str(), "1"), ("mobile", "13911113333")];
        let (_, done) = judge(&mut browser, &path, &contact).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        let vault = site.app.vault.clone();
        let all = site.app.db.read(move |tx| vault.search(tx, "禤墨白", 5)).await.expect("search");
        assert_eq!(all.len(), 1, "one new member");
        let new = revealed(&site, all[0]).await;
        assert_eq!(new.mobile.as_deref(), Some("13911113333"), "as the person said");
        assert_eq!(new.address.as_deref(), Some("春熙路 1 号"), "as the application said");
        assert!(!waits(&site, first).await && !waits(&site, second).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_the_request_that_a_person_picks_is_written_into_the_members_data() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (subject, member) = card_in_use(&site).await;
        let asks = |form: Form| {
            let form = Form { subject: Some(subject.clone()), ..form };
            let fields = vec![("mobile".to_owned(), Version { epoch: 1, n: 1 })];
            Event::ProfileChangeRequested(ProfileChange { form, fields })
        };
        let one = takes(&site, &written(&[("mobile", "13900001111")]), asks).await;
        takes(&site, &written(&[("mobile", "13900002222")]), asks).await;
        let path = format!("/cases/{}", profile_case(member, "mobile"));
        let counts = id_of(one);
        let (page, done) = judge(&mut browser, &path, &[("verdict", "merge"), ("counts", &counts)]).await;
        assert!(page.text.contains("139****1111") && page.text.contains("139****2222"), "side by side");
        assert!(page.text.contains("现有资料"), "beside what is on file");
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
        assert_eq!(revealed(&site, member).await.mobile.as_deref(), Some("13900001111"));
        let page = browser.get(&path).await;
        assert!(page.text.contains("已判定") || page.text.contains("处理记录"), "{}", page.text);
    })
    .await;
}
