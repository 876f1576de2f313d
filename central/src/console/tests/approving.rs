//! Applications decided through `/api/v1`: first card and number, the four outcomes of K8, a dealer's people (L1), what
//! the sales system is told (K9), rounds of notices (K2); on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, CardSet};
use hufu_shared::fact::{Event, Form, Subject};
use hufu_shared::ids::{CardId, MemberId, OperatorId};
use hufu_shared::member::CardStatus;
use hufu_shared::token::{CardText, MediumKind};
use serde_json::{Value, json};

use super::joining::{json as read, somebody, text};
use super::kit::{Browser, PASSWORD, Site, each};
use super::taking::{takes, written};
use crate::console::password;
use crate::db::Tx;
use crate::store::people::PeopleError;
use crate::store::{StoreError, devices, people, staff};

const APPLICATIONS: &str = "/api/v1/applications";

async fn files(browser: &mut Browser, fields: &[(&str, &str)]) -> (String, Value) {
    let filed = browser.post(APPLICATIONS, fields).await;
    assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
    let filed = read(&filed);
    (format!("{APPLICATIONS}/{}/decide", text(&filed, "application")), filed)
}

async fn member_of(site: &Site, row: &Value) -> (MemberId, String, Vec<CardSet>) {
    let member: MemberId = text(row, "member").parse().expect("a member");
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let number = people::member(tx, member)?.expect("there").number;
        Ok((member, number, people::cards_of(tx, member)?))
    };
    site.app.db.read(load).await.expect("read")
}

/// A card in stock with this printed number.
async fn in_stock(site: &Site, number: &str) -> CardId {
    let keys = std::sync::Arc::clone(&site.app.keys);
    let keys = site.app.db.read(move |tx| devices::token_keys(tx, keys.open_key())).await.expect("keys");
    let text = CardText::number(MediumKind::Typed, number).expect("a number");
    let card = CardSet {
        card: CardId([77; 16]),
        tokens: keys.iter().map(|key| key.token(&text)).collect(),
        member: None,
        kind: "vip".to_owned(),
        status: CardStatus::Active,
        tail: text.tail(),
        valid_from: None,
        valid_until: None,
    };
    site.app.act(Actor::Job("test".to_owned()), Act::CardsSet(vec![card])).await.expect("set");
    CardId([77; 16])
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_k16_t05_a_card_number_typed_at_approval_issues_the_card() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let stock = in_stock(&site, "6688000100099001").await;
        let fields = [("kind", "enterprise"), ("name", "海纳贸易公司"), ("way", "merchant")];
        let (path, filed) = files(&mut browser, &fields).await;
        assert_eq!((text(&filed, "situation"), &filed["overdue"]), ("first", &json!(false)));
        assert!(!text(&filed, "last_day").is_empty(), "how long it may wait");
        let (row, ..) = somebody(&site, 0).await;
        let own = [("deal", "join"), ("reason", "资料已核")];
        for (field, value, code) in [
            ("number", row.number.as_str(), "number-taken"),
            ("number", "a b", "number-bad"),
            ("card", "12★", "card-number-bad"),
        ] {
            let refused = browser.post(&path, &[own[0], own[1], (field, value)]).await;
            assert_eq!(text(&read(&refused), "type"), format!("urn:hufu:problem:{code}"));
        }
        let wanted = [own[0], own[1], ("number", "QD-2026-01"), ("card", "6688 0001 0009 9001")];
        let done = read(&browser.post(&path, &wanted).await);
        let (_, number, cards) = member_of(&site, &done).await;
        assert_eq!((text(&done, "state"), number.as_str()), ("joined", "QD-2026-01"), "by hand (T5)");
        assert_eq!(
            (cards.len(), cards[0].card, cards[0].kind.as_str()),
            (1, stock, "vip"),
            "the one in stock"
        );
        let again = browser.post(&path, &wanted).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "decided once");

        let (path, _) = files(&mut browser, &[("name", "禤墨白")]).await;
        let taken = browser.post(&path, &[own[0], own[1], ("card", "6688000100099001")]).await;
        assert_eq!(text(&read(&taken), "type"), "urn:hufu:problem:card-not-free");
        let fresh = read(&browser.post(&path, &[own[0], own[1], ("card", "6688000100099002")]).await);
        let (_, number, cards) = member_of(&site, &fresh).await;
        assert!(number.starts_with('N') && cards[0].kind == "ordinary", "{number}");
        assert_eq!(fresh["cards"], json!([cards[0].tail]), "what there is to be handed over");
        let (path, _) = files(&mut browser, &[("name", "盖聂云")]).await;
        let none = read(&browser.post(&path, &own).await);
        assert_eq!(none["cards"], json!([]), "or later");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_the_card_shown_with_an_application_at_a_terminal_is_the_applicants() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let stock = in_stock(&site, "6688000100099003").await;
        let find = move |tx: &mut Tx<'_>| people::tokens_of(tx, stock);
        let token = site.app.db.read(find).await.expect("read")[0];
        let subject = Subject { token, member: None, reader: 0, medium: MediumKind::Stripe, code: None };
        let with = |form: Form| Event::ApplicationTaken(Form { subject: Some(subject.clone()), ..form });
        let id = takes(&site, &written(&[("name", "禤墨白")]), with).await;
        let path = format!("{APPLICATIONS}/{}/decide", super::super::cases::fact_text(id));
        let done = browser.post(&path, &[("deal", "join"), ("reason", "资料已核")]).await;
        let (_, _, cards) = member_of(&site, &read(&done)).await;
        assert_eq!(cards.iter().map(|card| card.card).collect::<Vec<_>>(), [stock], "{}", done.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k08_all_four_outcomes_are_decided_in_one_request() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, name, mobile) = somebody(&site, 0).await;
        let why = ("reason", "已核对");
        // (c): no member, but another application: final contact data, a new member, both leave.
        let (_, first) = files(&mut browser, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        let (path, second) = files(&mut browser, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        assert_eq!((text(&second, "state"), text(&second, "situation")), ("pending", "doubtful"));
        let with = ("with", text(&first, "application"));
        let missing = browser.post(&path, &[("deal", "join"), with, why]).await;
        assert_eq!(text(&read(&missing), "type"), "urn:hufu:problem:alike-contact-missing");
        let fields = [("deal", "join"), with, ("mobile", "13911112222"), ("address", "海淀区一号"), why];
        let merged = read(&browser.post(&path, &fields).await);
        assert_eq!(text(&merged, "state"), "joined");
        let all = read(&browser.get(APPLICATIONS).await);
        let states: Vec<&str> =
            all["applications"].as_array().expect("a list").iter().map(|row| text(row, "state")).collect();
        assert_eq!(states, ["merged", "joined"], "none is lost");
        // (a) and (b): the member has priority.
        let (_, other) = files(&mut browser, &[("name", "禤墨黑"), ("mobile", "13911113333")]).await;
        let fields = [("name", name.as_str()), ("mobile", mobile.as_str()), ("home_phone", "13911113333")];
        let (path, _) = files(&mut browser, &fields).await;
        let with = ("with", text(&other, "application"));
        let nobody = browser.post(&path, &[("deal", "bind"), ("member", "NOBODY"), why]).await;
        assert_eq!(text(&read(&nobody), "type"), "urn:hufu:problem:bind-nobody");
        let number = ("member", row.number.as_str());
        let unlisted = browser.post(&path, &[("deal", "bind"), number, with, why]).await;
        assert_eq!(unlisted.status, StatusCode::CONFLICT, "the other one is not like it: {}", unlisted.text);
        let bound = read(&browser.post(&path, &[("deal", "bind"), number, why]).await);
        assert_eq!((text(&bound, "state"), &bound["member"]), ("bound", &json!(row.member)));
        // Turned down, though it looks like somebody.
        let (path, _) = files(&mut browser, &[("name", name.as_str()), ("mobile", mobile.as_str())]).await;
        let out = read(&browser.post(&path, &[("deal", "reject"), why]).await);
        assert_eq!(text(&out, "state"), "rejected");
        // (d): nobody chosen.
        let (path, _) = files(&mut browser, &[("name", name.as_str())]).await;
        let new = read(&browser.post(&path, &[("deal", "join"), why]).await);
        assert_eq!(text(&new, "state"), "joined");
        assert_ne!(new["member"], json!(row.member));
    })
    .await;
}

/// Opens an account as the admin, and signs in with it.
pub async fn account(site: &std::sync::Arc<Site>, fields: &[(&str, &str)]) -> Browser {
    let mut admin = Browser::signed_in(site).await;
    let opened = admin.post("/api/v1/accounts", fields).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
    let opened = read(&opened);
    assert!(text(&opened, "password").len() >= 16, "shown this once");
    let id: OperatorId = text(&opened, "id").parse().expect("an id");
    let hashed = password::hash(PASSWORD).expect("hash");
    let set = move |tx: &mut Tx<'_>| staff::set_password(tx, id, &hashed, false);
    site.app.db.write(set).await.expect("set");
    let mut browser = Browser::stranger(site);
    browser.sign_in(fields[0].1, PASSWORD).await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_l01_a_promoters_entry_holds_once_approved_and_a_supervisors_at_once() {
    each(|site| async move {
        let mut admin = Browser::signed_in(&site).await;
        let offices = site.app.db.read(people::offices).await.expect("read");
        let office = ("office", offices[0].code.as_str());
        for (fields, code) in [
            (&[("login", "p0"), ("role", "promoter"), office][..], "account-superior"),
            (&[("login", "p0"), ("role", "promoter"), ("superior", "nobody"), office], "account-superior"),
            (&[("login", "m0"), ("role", "manager"), ("superior", "admin")], "account-office"),
            (&[("login", "a b"), ("role", "clerk")], "account-login"),
            (&[("login", "admin"), ("role", "clerk")], "account-login"),
            (&[("login", "x"), ("role", "king")], "account-role"),
        ] {
            let refused = admin.post("/api/v1/accounts", fields).await;
            assert_eq!(text(&read(&refused), "type"), format!("urn:hufu:problem:{code}"));
        }
        let named = admin.post("/api/v1/accounts", &[("name", "王伟"), ("role", "clerk")]).await;
        let again = admin.post("/api/v1/accounts", &[("name", "王伟"), ("role", "clerk")]).await;
        let (named, again) = (read(&named), read(&again));
        assert_eq!((text(&named, "login"), text(&again, "login")), ("wangwei", "wangwei2"), "L2");
        let at = |role, superior| [("role", role), ("superior", superior), office];
        let [m1, m2, m3] = at("manager", "admin");
        let mut manager = account(&site, &[("login", "m1"), m1, m2, m3]).await;
        let [s1, s2, s3] = at("supervisor", "m1");
        let mut supervisor = account(&site, &[("login", "s1"), s1, s2, s3]).await;
        let mut other = account(&site, &[("login", "s2"), s1, s2, s3]).await;
        let [p1, p2, p3] = at("promoter", "s1");
        let mut promoter = account(&site, &[("login", "p1"), p1, p2, p3]).await;
        assert_eq!(promoter.get("/members").await.status, StatusCode::FORBIDDEN, "the centre's pages");
        assert_eq!(promoter.get("/api/v1/accounts").await.status, StatusCode::FORBIDDEN);

        let (path, filed) = files(&mut promoter, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        assert_eq!(text(&filed, "state"), "waiting", "valid once approved");
        let yes = [("deal", "join"), ("reason", "资料已核")];
        assert_eq!(promoter.post(&path, &yes).await.status, StatusCode::FORBIDDEN);
        assert_eq!(other.post(&path, &yes).await.status, StatusCode::FORBIDDEN, "another one's people");
        let seen = |page: Value| page["applications"].as_array().expect("a list").len();
        assert_eq!(seen(read(&other.get(APPLICATIONS).await)), 0);
        assert_eq!(seen(read(&supervisor.get(APPLICATIONS).await)), 1);
        let joined = read(&supervisor.post(&path, &yes).await);
        assert_eq!(text(&joined, "state"), "joined");
        let member = text(&joined, "member").to_owned();

        let own = supervisor.post(APPLICATIONS, &[("name", "盖聂云"), ("mobile", "13911113333")]).await;
        assert_eq!(text(&read(&own), "state"), "joined", "at once: {}", own.text);
        let doubt = supervisor.post(APPLICATIONS, &[("name", "盖聂云"), ("mobile", "13911113333")]).await;
        assert_eq!(text(&read(&doubt), "state"), "pending", "not where it looks like somebody");

        let cared = |page: Value| page["members"].as_array().expect("a list").len();
        let path = "/api/v1/members/cared-for";
        assert_eq!(cared(read(&promoter.get(path).await)), 1);
        assert_eq!(cared(read(&supervisor.get(path).await)), 2, "their own and their people's");
        assert_eq!(cared(read(&manager.get(path).await)), 2, "all of the dealer");
        assert_eq!(cared(read(&other.get(path).await)), 0);
        let profile = format!("/api/v1/members/{member}/profile");
        let edit = [("mobile", "13911114444"), ("reason", "来电更正")];
        assert_eq!(promoter.post(&profile, &edit).await.status, StatusCode::OK, "edits their own");
        assert_eq!(other.post(&profile, &edit).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let details = format!("/api/v1/members/{member}/details");
        assert_eq!(other.get(&details).await.status, StatusCode::NOT_FOUND);

        let hand = format!("/api/v1/members/{member}/carer");
        let on = [("carer", "s2"), ("reason", "调整区域")];
        assert_eq!(promoter.post(&hand, &on).await.status, StatusCode::FORBIDDEN);
        assert_eq!(
            supervisor.post(&hand, &on).await.status,
            StatusCode::FORBIDDEN,
            "not to another's people"
        );
        assert_eq!(manager.post(&hand, &on).await.status, StatusCode::OK);
        assert_eq!(cared(read(&promoter.get(path).await)), 0);
        assert_eq!(cared(read(&other.get(path).await)), 1);
        let edits = read(&admin.get(&format!("/api/v1/members/{member}/edits")).await);
        assert_eq!(text(&edits["edits"][0], "what"), "carer");
        let closed = text(&filed, "application");
        let on = [("carer", "s1"), ("reason", "调整区域")];
        let handed = manager.post(&format!("{APPLICATIONS}/{closed}/carer"), &on).await;
        assert_eq!(handed.status, StatusCode::OK, "{}", handed.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k01_k04_k09_the_sales_system_files_for_buyers_and_is_told_what_to_add() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let by_itself = [("name", "禤墨白"), ("automatic", "1"), ("standing", "potential")];
        let refused = browser.post(APPLICATIONS, &by_itself).await;
        assert_eq!(text(&read(&refused), "type"), "urn:hufu:problem:application-automatic");
        let unknown = browser.post(APPLICATIONS, &[("name", "禤墨白"), ("standing", "king")]).await;
        assert_eq!(text(&read(&unknown), "type"), "urn:hufu:problem:application-code");
        let bought = [("name", "禤墨白"), ("automatic", "1"), ("standing", "buyer"), ("project", "滨河花园")];
        let (path, filed) = files(&mut browser, &bought).await;
        assert_eq!((text(&filed, "standing"), &filed["automatic"]), ("buyer", &json!(true)));
        let path_of = "/api/v1/associations";
        assert_eq!(read(&browser.get(path_of).await)["associations"], json!([]));
        let joined = read(&browser.post(&path, &[("deal", "join"), ("reason", "已核对")]).await);
        let due = read(&browser.get(path_of).await)["associations"].clone();
        let met: Vec<(&str, &Value)> =
            due.as_array().expect("a list").iter().map(|row| (text(row, "step"), &row["project"])).collect();
        assert_eq!(met, [("add_purchase", &json!("滨河花园")), ("mark", &Value::Null)]);
        assert!(due.as_array().expect("a list").iter().all(|row| row["member"] == joined["member"]));
        let first = read(&browser.get(&format!("{path_of}?limit=1")).await);
        let rest = read(&browser.get(&format!("{path_of}?limit=1&cursor={}", text(&first, "next"))).await);
        assert_eq!([&first, &rest].map(|page| &page["associations"][0]), [&due[0], &due[1]], "page by page");
        let done = [("application", text(&filed, "application")), ("step", "mark")];
        assert_eq!(browser.post(&format!("{path_of}/done"), &done).await.status, StatusCode::OK);
        let left = read(&browser.get(path_of).await);
        assert_eq!(left["associations"].as_array().map(Vec::len), Some(1));
        let told = read(&browser.get(&format!("{path_of}?state=done")).await);
        assert_eq!(text(&told["associations"][0], "step"), "mark");
        let vault = site.app.vault.clone();
        let member: MemberId = text(&joined, "member").parse().expect("an id");
        let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> { Ok(vault.reveal(tx, member)?) };
        let kept = site.app.db.read(load).await.expect("read").expect("kept");
        assert!(kept.remark.is_none() && kept.name == "禤墨白", "the project is not the member's data");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_k11_who_is_told_of_leaving_is_listed_by_rounds() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let mut other = account(&site, &[("login", "second"), ("role", "admin")]).await;
        for n in 0..3 {
            let (row, ..) = somebody(&site, n).await;
            let path = format!("/api/v1/members/{}/leaving", row.member);
            browser.post(&path, &[("kind", "normal"), ("reason", "本人要求")]).await;
            let audit = format!("{path}/audit");
            let gone = other.post(&audit, &[("archived", "1"), ("reason", "审核通过")]).await;
            assert_eq!(gone.status, StatusCode::OK, "{}", gone.text);
        }
        let rounds = "/api/v1/messages/rounds";
        let before = read(&browser.get(rounds).await);
        assert_eq!(
            (&before["due"], &before["due_of_leaving"], &before["rounds"]),
            (&json!(3), &json!(3), &json!([]))
        );
        let path = "/api/v1/leavings?state=archived";
        let waiting = read(&browser.get(path).await);
        let notice = |page: &Value, n: usize| page["leavings"][n]["notice"].clone();
        assert_eq!(text(&notice(&waiting, 0), "state"), "due", "待通知");
        let id = text(&notice(&waiting, 0), "message").to_owned();
        let told = browser.post("/api/v1/messages/told", &[("channel", "letter"), ("messages", &id)]).await;
        assert_eq!(read(&told)["round"], 1);
        let after = read(&browser.get(path).await);
        let first = notice(&after, 0);
        assert_eq!(
            (text(&first, "state"), &first["round"], text(&first, "channel")),
            ("told", &json!(1), "letter"),
            "已通知"
        );
        assert_eq!(text(&notice(&after, 1), "state"), "due", "the rest stay for the next round");
        let listed = read(&browser.get(rounds).await);
        assert_eq!((&listed["due"], &listed["rounds"][0]["messages"]), (&json!(2), &json!(1)));
        assert_eq!(listed["rounds"][0]["of_leaving"], 1);
        let one = read(&browser.get(&format!("/api/v1/messages/{id}")).await);
        assert_eq!((text(&one, "about"), &one["round"], &one["sending"]), ("left", &json!(1), &Value::Null));
        let none = format!("/api/v1/messages/{}", hufu_shared::ids::Hash([9; 32]));
        assert_eq!(browser.get(&none).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_t01_e02_the_kind_is_chosen_at_entry_and_an_organisation_names_its_representative() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let kinds = [
            ("walk_in", "禤墨白"),
            ("enterprise", "海纳贸易公司"),
            ("dealer", "老窖经销处"),
            ("ota", "盖聂云"),
        ];
        for (kind, name) in kinds {
            let (path, _) = files(&mut browser, &[("kind", kind), ("name", name)]).await;
            let joined = read(&browser.post(&path, &[("deal", "join"), ("reason", "已核对")]).await);
            let details = format!("/api/v1/members/{}/details", text(&joined, "member"));
            assert_eq!(text(&read(&browser.get(&details).await), "kind"), kind);
            let speaks = [
                ("kind", kind),
                ("representative", "王伟"),
                ("representative_mobile", "13911112222"),
                ("reason", "授权"),
            ];
            let set = browser.post(&details, &speaks).await;
            let is_organisation = matches!(kind, "enterprise" | "dealer");
            assert_eq!(set.status == StatusCode::OK, is_organisation, "{kind}: {}", set.text);
        }
        let unknown = browser.post(APPLICATIONS, &[("kind", "robot"), ("name", "禤墨白")]).await;
        assert_eq!(text(&read(&unknown), "type"), "urn:hufu:problem:application-code");
    })
    .await;
}
