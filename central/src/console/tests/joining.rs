//! Joining and leaving through `/api/v1`, what time brings about, and the outbox; on both databases.

use std::sync::Arc;

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, LeaveDecided, LeaveFiled, MemberSet};
use hufu_shared::fact::Event;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::policy::Policy;
use hufu_shared::time::{DAY_US, MINUTE_US};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::approving::account;
use super::kit::{Browser, Page, Site, each};
use super::taking::{takes, written};
use crate::app::App;
use crate::config::MessagesConfig;
use crate::db::{SqlFile, Tx};
use crate::jobs;
use crate::rules::jobs::Job;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{joining, outbox, requests};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// What time brings about by now: applications that lapsed, members put down as leaving.
async fn round(site: &Site) -> (u64, u64) {
    let lapsed = jobs::perform(&site.app, Job::Lapse).await.expect("lapses");
    (lapsed, jobs::perform(&site.app, Job::AutoLeave).await.expect("leaves"))
}

pub fn json(page: &Page) -> Value {
    serde_json::from_str(&page.text).unwrap_or_else(|error| panic!("{error}: {}", page.text))
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A member who takes part, with what is known of them: one who has a mobile and did not ask for secrecy.
pub async fn somebody(site: &Site, skip: usize) -> (MemberSet, String, String) {
    let vault = site.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let mut found = Vec::new();
        for row in people::member_page(tx, "", 60)? {
            let personal = vault.reveal(tx, row.member)?.expect("in the vault");
            let is_open = !people::wants_secrecy(tx, &vault, row.member, row.personal)?;
            if let (Some(mobile), true) = (personal.mobile, is_open) {
                found.push((row, personal.name, mobile));
            }
        }
        Ok(found.swap_remove(skip))
    };
    site.app.db.read(load).await.expect("members")
}

async fn leaves(app: &App, member: MemberId) {
    let actor = || Actor::Job("test".to_owned());
    let filed = LeaveFiled { member, kind: "normal".to_owned(), reason: Hash([0; 32]) };
    app.act(actor(), Act::LeaveFiled(filed)).await.expect("filed");
    let decided = LeaveDecided { member, archived: true, reason: Hash([0; 32]) };
    app.act(actor(), Act::LeaveDecided(decided)).await.expect("decided");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k03_c02_an_application_is_looked_up_before_it_is_filed_and_filed_once() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, name, mobile) = somebody(&site, 0).await;
        let seen = browser.post("/api/v1/applications/look", &[("name", &name), ("mobile", &mobile)]).await;
        let members = json(&seen)["members"].as_array().expect("a list").clone();
        assert!((1..=5).contains(&members.len()), "{}", seen.text);
        assert_eq!(text(&members[0], "number"), row.number, "who shares most goes first");
        assert!(!seen.text.contains(&mobile) && !seen.text.contains(&name), "masked");

        let path = "/api/v1/applications";
        for (field, value, code) in [
            ("mobile", "12345", "field-bad-mobile"),
            ("email", "nobody", "field-bad-email"),
            ("name", "测试", "field-bad-name-junk"),
            ("way", "moon", "application-code"),
            ("office", "no-such", "application-code"),
        ] {
            let mut fields = vec![("route", "centre"), ("name", "禤墨白")];
            fields.retain(|field_of| field_of.0 != field);
            fields.push((field, value));
            let refused = browser.post(path, &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(refused.headers["content-type"], "application/problem+json");
            assert_eq!(text(&json(&refused), "type"), format!("urn:hufu:problem:{code}"));
        }
        let fields = [("key", "web-1"), ("route", "website"), ("name", "禤墨白"), ("mobile", "13911112222")];
        let filed = browser.post(path, &fields).await;
        assert_eq!((filed.status, text(&json(&filed), "state")), (StatusCode::CREATED, "waiting"));
        let again = browser.post(path, &fields).await;
        let (mut first, second) = (json(&filed), json(&again));
        assert_eq!(first["situation"].take(), "first", "it was looked up then (K5)");
        assert_eq!((again.status, second), (StatusCode::OK, first), "the same key, the same one");
        let alike =
            browser.post(path, &[("way", "fair"), ("name", "禤墨白"), ("mobile", "13911112222")]).await;
        assert_eq!(text(&json(&alike), "state"), "pending", "applies again by another route (K5)");
        let all = json(&browser.get(path).await);
        assert_eq!(all["applications"].as_array().map(Vec::len), Some(2));

        // Both stand on the page of requests; one is decided there, the other as a case.
        let list = browser.get("/requests").await;
        assert!(list.text.contains("网站") && list.text.contains("展会"), "by their routes");
        assert!(!list.text.contains("禤墨白") && !list.text.contains("13911112222"), "masked");
        let link = format!("/requests/{}", text(&json(&filed), "application"));
        let done = browser.post(&link, &[("deal", "reject"), ("reason", "资料不实")]).await;
        assert_eq!(done.to(), "/requests?done=reject");
        let due = json(&browser.get("/api/v1/messages").await);
        assert_eq!(text(&due["messages"][0], "about"), "rejected", "the applicant is to be told");
        let id = text(&due["messages"][0], "message").to_owned();
        let told = browser.post("/api/v1/messages/told", &[("channel", "phone"), ("messages", &id)]).await;
        assert_eq!(json(&told)["round"], 1);
        assert_eq!(json(&browser.get("/api/v1/messages").await)["messages"], Value::Array(vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_k12_leaving_is_filed_audited_and_undone_by_the_service_centre() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let path = format!("/api/v1/members/{}/leaving", row.member);
        let audit = format!("{path}/audit");
        let restore = format!("/api/v1/members/{}/restore", row.member);
        let early = browser.post(&audit, &[("archived", "1"), ("reason", "审核通过")]).await;
        assert_eq!(early.status, StatusCode::CONFLICT, "nothing was put down");
        let unknown = browser.post(&path, &[("kind", "bored"), ("reason", "本人要求")]).await;
        assert_eq!(text(&json(&unknown), "type"), "urn:hufu:problem:leaving-kind");
        let silent = browser.post(&path, &[("kind", "normal")]).await;
        assert_eq!(text(&json(&silent), "type"), "urn:hufu:problem:reason-missing");

        // A word of the club's own is chosen as any other; a retired one is not.
        let word = [("code", "moved"), ("zh", "迁居外地"), ("en", "moved away"), ("order", "25")];
        let set = browser.post("/api/v1/dictionaries/leave_kind", &word).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text);
        let bad = browser.post("/api/v1/dictionaries/leave_kind", &[("code", "A B"), ("order", "1")]).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        let words = json(&browser.get("/api/v1/dictionaries/leave_kind").await);
        let codes: Vec<&str> =
            words["terms"].as_array().expect("a list").iter().map(|term| text(term, "code")).collect();
        assert_eq!(codes, ["normal", "unreachable", "moved", "expired", "data_error"]);

        let filed = browser.post(&path, &[("kind", "moved"), ("reason", "本人要求")]).await;
        assert_eq!(text(&json(&filed), "state"), "filed");
        assert_eq!(text(&json(&browser.get("/api/v1/leavings").await)["leavings"][0], "kind"), "moved");
        assert_eq!(
            browser.post(&path, &[("kind", "moved"), ("reason", "再次")]).await.status,
            StatusCode::CONFLICT
        );
        let own = browser.post(&audit, &[("archived", "1"), ("reason", "审核通过")]).await;
        assert_eq!(
            text(&json(&own), "type"),
            "urn:hufu:problem:leaving-own",
            "who filed it does not decide it"
        );
        let mut other = account(&site, &[("login", "second"), ("role", "admin")]).await;
        let gone = other.post(&audit, &[("archived", "1"), ("reason", "审核通过")]).await;
        assert_eq!(text(&json(&gone), "state"), "archived", "{}", gone.text);
        let back = browser.post(&restore, &[("reason", "误退")]).await;
        assert_eq!(text(&json(&back), "state"), "restored");
        assert_eq!(browser.post(&restore, &[("reason", "误退")]).await.status, StatusCode::CONFLICT);
        let abouts: Vec<String> = json(&browser.get("/api/v1/messages").await)["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| text(row, "about").to_owned())
            .collect();
        assert_eq!(abouts, ["left", "restored"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e01_k11_time_lets_applications_lapse_and_puts_down_who_was_not_heard_of() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let fields = [("route", "website"), ("name", "禤墨白"), ("mobile", "13911112222")];
        browser.post("/api/v1/applications", &fields).await;
        let fields = [("route", "centre"), ("name", "盖聂"), ("mobile", "13911113333")];
        browser.post("/api/v1/applications", &fields).await;
        assert_eq!(round(&site).await, (0, 0));
        site.clock.advance(8 * DAY_US);
        assert_eq!(round(&site).await, (1, 0), "G1: one week");
        assert_eq!(round(&site).await, (0, 0), "done is done");
        site.clock.advance(23 * DAY_US);
        assert_eq!(round(&site).await, (1, 0), "E1: thirty days");
        let waiting = site.app.db.read(|tx| requests::applications(tx, 10)).await.expect("read");
        assert!(waiting.is_empty());

        let mut policy = Policy::default();
        let kind = "unreachable".to_owned();
        policy.joining.auto_leave = Some(AutoLeave { kind, idle_days: 365, spares_value: false });
        let job = Actor::Job("test".to_owned());
        site.app.act(job, Act::PolicySet(Box::new(policy))).await.expect("set");
        assert_eq!(round(&site).await, (0, 0), "all were here this year");
        site.clock.advance(366 * DAY_US);
        let (lapsed, left) = round(&site).await;
        assert_eq!((lapsed, left > 10), (0, true), "{left}");
        assert_eq!(round(&site).await, (0, 0), "nobody twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g02_what_lapsed_is_like_nobody_any_more_and_is_completed_at_its_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let fields = [("route", "website"), ("name", "禤墨白"), ("mobile", "13911112222")];
        let here = json(&browser.post("/api/v1/applications", &fields).await);
        let form = written(&[("name", "盖聂云"), ("mobile", "13911113333")]);
        let taken = takes(&site, &form, Event::ApplicationTaken).await;
        let taken = format!("/requests/{}", super::super::cases::fact_text(taken));
        site.clock.advance(31 * DAY_US);
        assert_eq!(round(&site).await, (2, 0));
        let mut browser = Browser::signed_in(&site).await;
        let left = site.app.db.read(|tx| tx.query_one(PROBE.get("form_terms"), &[])).await.expect("read");
        assert_eq!(left.int(0).expect("a count"), 0, "nobody is like what lapsed");
        let again = browser.post("/api/v1/applications", &fields).await;
        assert_eq!(text(&json(&again), "state"), "waiting", "the first one waits no more");
        let list = browser.get("/requests").await;
        assert_eq!(list.all_between("已逾期，", "<").len(), 2, "both are there to be completed");
        let here = format!("/requests/{}", text(&here, "application"));
        for path in [&here, &taken] {
            let page = browser.get(path).await;
            assert!(page.text.contains("办理入会") && !page.text.contains("不予入会"), "{path}");
            let no = browser.post(path, &[("deal", "reject"), ("reason", "资料不实")]).await;
            assert_eq!(no.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody turns down what is over");
            let done = browser.post(path, &[("deal", "join"), ("reason", "已电话核实")]).await;
            assert_eq!(done.to(), "/requests?done=join", "{}", done.text);
            assert_eq!(browser.get(path).await.to(), "/requests", "nothing is left to do");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g08_r01_who_may_not_join_is_told_why_when_filing_and_when_joining() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let mut policy = site.app.db.read(crate::store::world::policy).await.expect("a policy");
        let young = [("name", "禤墨白"), ("mobile", "13911112222"), ("birthday", "2015-05-05")];
        let filed = json(&browser.post("/api/v1/applications", &young).await);
        policy.joining.min_age = 18;
        policy.joining.kinds = vec!["person".to_owned()];
        let job = Actor::Job("test".to_owned());
        site.app.act(job, Act::PolicySet(Box::new(policy))).await.expect("set");
        for (fields, code) in [
            (&young[..], "not-eligible-age"),
            (&young[..2], "not-eligible-born"),
            (&[("name", "禤墨白"), ("kind", "dealer")], "not-eligible-kind"),
        ] {
            let refused = browser.post("/api/v1/applications", fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}");
            assert_eq!(text(&json(&refused), "type"), format!("urn:hufu:problem:{code}"));
        }
        let path = format!("/requests/{}", text(&filed, "application"));
        let page = browser.post(&path, &[("deal", "join"), ("reason", "证件已核对")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.text.contains("申请人未达到入会年龄。"), "{}", page.text);
    })
    .await;
}

/// The service with other ways of sending.
pub fn sending(site: &Site, messages: MessagesConfig) -> App {
    let mut app = site.app.clone();
    let mut config = (*app.config).clone();
    config.messages = messages;
    app.config = Arc::new(config);
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_k10_letters_go_to_the_file_in_rounds_and_none_to_who_asked_for_secrecy() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("letters.jsonl");
        let app = sending(&site, MessagesConfig { file: file.clone(), ..MessagesConfig::default() });
        let (open, _, mobile) = somebody(&site, 0).await;
        let (shy, ..) = somebody(&site, 1).await;
        let (vault, row) = (app.vault.clone(), shy.clone());
        let hides = move |tx: &mut Tx<'_>| -> Result<Hash, PeopleError> {
            let personal = vault.reveal(tx, row.member)?.expect("in the vault");
            Ok(people::put_personal(tx, &vault, row.member, &personal, true, [7; SALT_BYTES])?)
        };
        let personal = app.db.write(hides).await.expect("kept");
        let set = Act::MembersSet(vec![MemberSet { personal, ..shy.clone() }]);
        app.act(Actor::Job("test".to_owned()), set).await.expect("set");
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 0));
        leaves(&app, open.member).await;
        leaves(&app, shy.member).await;
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 0));
        let written = std::fs::read_to_string(&file).expect("the file");
        assert_eq!(written.lines().count(), 1, "{written}");
        let letter: Value = serde_json::from_str(&written).expect("JSON");
        let expected = ("left", "sms", mobile.as_str(), open.number.as_str());
        let met =
            (text(&letter, "about"), text(&letter, "channel"), text(&letter, "to"), text(&letter, "number"));
        assert_eq!(met, expected);
        let from = (hufu_shared::time::Instant(0), Hash([0; 32]));
        let due = app.db.read(move |tx| joining::messages(tx, false, from, 10)).await.expect("read");
        assert_eq!(
            due.iter().map(|row| row.1.member).collect::<Vec<_>>(),
            [Some(shy.member)],
            "a person sees to it"
        );
        let told = app.db.read(move |tx| joining::messages(tx, true, from, 10)).await.expect("read");
        assert_eq!((told[0].1.member, told[0].1.round), (Some(open.member), 1));
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 0), "nothing is sent twice");
    })
    .await;
}

/// Answers requests with these statuses, one connection each; gives back what was sent.
async fn gateway(statuses: Vec<&'static str>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}/messages", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let mut met = Vec::new();
        for status in statuses {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                let mut part = [0; 4096];
                let n = stream.read(&mut part).await.expect("readable");
                read.extend_from_slice(&part[..n]);
            }
            met.push(String::from_utf8(read).expect("text"));
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("written");
        }
        met
    });
    (address, serving)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_a_gateway_that_fails_is_tried_again_later_and_stops_nothing() {
    each(|site| async move {
        let (webhook, serving) = gateway(vec!["503 Service Unavailable", "204 No Content"]).await;
        let app = sending(&site, MessagesConfig { webhook, ..MessagesConfig::default() });
        let (row, ..) = somebody(&site, 0).await;
        leaves(&app, row.member).await;
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 1));
        let from = (hufu_shared::time::Instant(0), Hash([0; 32]));
        let due = app.db.read(move |tx| joining::messages(tx, false, from, 10)).await.expect("read");
        let id = due[0].0;
        let tried = app.db.read(move |tx| outbox::tried(tx, id)).await.expect("read").expect("tried");
        assert_eq!(
            (tried.tries, tried.error.as_deref()),
            (1, Some("the gateway answered 503 Service Unavailable"))
        );
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 0), "not at once");
        site.clock.advance(60 * MINUTE_US);
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 0));
        let met = serving.await.expect("the gateway");
        let key = format!("idempotency-key: {id}");
        assert!(met.iter().all(|request| request.contains(&key)), "one id for both tries");
        let tried = app.db.read(move |tx| outbox::tried(tx, id)).await.expect("read").expect("tried");
        assert!(tried.sent_at.is_some());
        let gone = sending(
            &site,
            MessagesConfig { webhook: "http://127.0.0.1:1/x".to_owned(), ..MessagesConfig::default() },
        );
        let (other, ..) = somebody(&site, 1).await;
        leaves(&gone, other.member).await;
        assert_eq!(jobs::outbox::round(&gone).await.expect("a round"), (0, 1), "nobody listens");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_a_letter_that_cannot_be_made_holds_up_no_other_and_a_gateway_that_fails_fills_no_file() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("letters.jsonl");
        let (webhook, serving) = gateway(vec!["503 Service Unavailable", "204 No Content"]).await;
        let app = sending(&site, MessagesConfig { webhook, file: file.clone(), ..MessagesConfig::default() });
        let ((spoilt, ..), (whole, ..)) = (somebody(&site, 0).await, somebody(&site, 1).await);
        leaves(&app, spoilt.member).await;
        leaves(&app, whole.member).await;
        let spoil = move |tx: &mut Tx<'_>| {
            tx.execute(PROBE.get("spoil_name"), &[spoilt.member.0.into(), vec![9; 40].into()])
        };
        app.db.write(spoil).await.expect("spoilt");
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (0, 2), "one unreadable, one refused");
        assert!(!file.exists(), "what the gateway did not take is not in the file");
        site.clock.advance(60 * MINUTE_US);
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 1), "the other one went out");
        assert_eq!(std::fs::read_to_string(&file).expect("the file").lines().count(), 1);
        assert_eq!(serving.await.expect("the gateway").len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_what_was_handed_over_before_the_centre_stopped_is_told_and_not_sent_again() {
    each(|site| async move {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("letters.jsonl");
        let app = sending(&site, MessagesConfig { file: file.clone(), ..MessagesConfig::default() });
        let (row, ..) = somebody(&site, 0).await;
        leaves(&app, row.member).await;
        let from = (hufu_shared::time::Instant(0), Hash([0; 32]));
        let due = app.db.read(move |tx| joining::messages(tx, false, from, 10)).await.expect("read");
        let (id, now) = (due[0].0, app.now());
        let hand = move |tx: &mut Tx<'_>| outbox::handed_over(tx, id, "sms", now);
        app.db.write(hand).await.expect("noted");
        assert_eq!(jobs::outbox::round(&app).await.expect("a round"), (1, 0));
        assert!(!file.exists(), "it is not sent again");
        let told = app.db.read(move |tx| joining::messages(tx, true, from, 10)).await.expect("read");
        assert_eq!((told[0].0, told[0].1.round), (id, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_outbox_prepares_on_both_engines() {
    crate::db::testing::prepare_all(&[&outbox::SQL]).await;
}
