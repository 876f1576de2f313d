//! Members' records through `/api/v1`: details, groups of fields, secrecy, merging, erasure, roles; on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{Act, Actor, CustomSet};
use hufu_shared::ids::Hash;
use hufu_shared::policy::Policy;
use serde_json::Value;

use super::joining::{json, somebody, text};
use super::kit::{Browser, Site, each};
use crate::db::{SqlFile, Tx};
use crate::rules::joining::roles::Role;
use crate::store::people::{self, PeopleError};
use crate::store::{details, rows};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// Gives the admin of a site another role.
pub async fn acts_as(site: &Site, role: Role) {
    let set = move |tx: &mut Tx<'_>| tx.execute(PROBE.get("set_role"), &[role.code().into()]);
    site.app.db.write(set).await.expect("set");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_found_by_name_piece_mobile_and_card_and_shown_masked() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, name, mobile) = somebody(&site, 0).await;
        let number = row.number.clone();
        let load =
            move |tx: &mut Tx<'_>| -> Result<_, PeopleError> { Ok(people::cards_of(tx, row.member)?.len()) };
        assert!(site.app.db.read(load).await.expect("read") > 0, "a member with a card");
        let piece: String = name.chars().take(2).collect();
        let nth: usize = number[1..].parse().expect("a number");
        let uid = crate::generate::chip_uid(nth - 1);
        for (field, asked) in
            [("find", &name), ("find", &piece), ("find", &mobile), ("find", &number), ("uid", &uid)]
        {
            let page = browser.post("/api/v1/members/search", &[(field, asked.as_str())]).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text);
            let found = json(&page);
            let found = found["members"].as_array().expect("a list");
            let own = found.iter().find(|one| text(one, "number") == number);
            let own = own.unwrap_or_else(|| panic!("{field} {asked} finds {number}: {found:?}"));
            assert_eq!(text(own, "member"), row.member.to_string());
            let status = rows::member_status_code(row.status);
            assert_eq!(text(own, "status"), status, "the same word in every language");
            assert!(!page.text.contains(&mobile) && text(own, "name") != name, "masked");
            assert!(field == "find" || found.len() == 1, "a card is one member's");
        }
        let nobody = browser.post("/api/v1/members/search", &[("uid", "04FFEE00112233")]).await;
        assert_eq!(json(&nobody)["members"], serde_json::json!([]));
        let nothing = browser.post("/api/v1/members/search", &[("find", " ")]).await;
        assert_eq!(text(&json(&nothing), "type"), "urn:hufu:problem:find-nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k13_e02_base_data_and_details_are_edited_with_a_reason_and_every_edit_is_listed() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let path = |what: &str| format!("/api/v1/members/{}/{what}", row.member);
        let silent = browser.post(&path("profile"), &[("mobile", "13911112222")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "no edit without a reason");
        let bad = browser.post(&path("profile"), &[("mobile", "1391111"), ("reason", "来电更正")]).await;
        assert_eq!(text(&json(&bad), "type"), "urn:hufu:problem:field-bad-mobile");
        let fields = [("mobile", "139 1111 2222"), ("email", "a@example.cn"), ("reason", "来电更正")];
        let done = browser.post(&path("profile"), &fields).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        let vault = site.app.vault.clone();
        let member = row.member;
        let kept = site.app.db.read(move |tx| vault.reveal(tx, member)).await.expect("read").expect("kept");
        assert_eq!(
            (kept.mobile.as_deref(), kept.email.as_deref()),
            (Some("13911112222"), Some("a@example.cn"))
        );

        let first = [
            ("kind", "organisation"),
            ("tags", "老业主，高尔夫"),
            ("representative", "王伟"),
            ("reason", "机构入会"),
        ];
        let set = browser.post(&path("details"), &first).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text);
        let known = json(&browser.get(&path("details")).await);
        assert_eq!((text(&known, "kind"), known["tags"].as_array().map(Vec::len)), ("organisation", Some(2)));
        let journal = site.app.db.read(|tx| tx.query(PROBE.get("entry_bodies"), &[])).await.expect("read");
        let says = |word: &str| {
            let of = |row: &crate::db::Row| {
                row.blob(0).expect("bytes").windows(word.len()).any(|part| part == word.as_bytes())
            };
            journal.iter().any(of)
        };
        assert!(!says("高尔夫") && !says("王伟"), "what can be erased does not stand in the journal");
        let tagged = json(&browser.get("/api/v1/members/tagged?tag=%E8%80%81%E4%B8%9A%E4%B8%BB").await);
        assert_eq!(tagged["members"], serde_json::json!([row.member]));
        assert!(!text(&known, "representative").is_empty() && !known.to_string().contains("王伟"), "masked");
        let person = [("kind", "person"), ("representative", "李雷"), ("reason", "误填")];
        let refused = browser.post(&path("details"), &person).await;
        assert_eq!(text(&json(&refused), "type"), "urn:hufu:problem:details");
        let edits = json(&browser.get(&path("edits")).await);
        let mut what: Vec<&str> =
            edits["edits"].as_array().expect("a list").iter().map(|edit| text(edit, "what")).collect();
        what.sort_unstable();
        assert_eq!(what, ["email", "kind", "mobile", "representative", "tags"]);
        let of = |what: &str| {
            let found =
                edits["edits"].as_array().expect("a list").iter().find(|edit| text(edit, "what") == what);
            found.cloned().expect("listed")
        };
        assert_eq!(text(&of("mobile"), "after"), "139****2222", "what stands there now, masked");
        assert_ne!(of("mobile")["before"], of("mobile")["after"], "and what stood there");
        assert_eq!((&of("kind")["before"], &of("kind")["after"]), (&Value::Null, &"organisation".into()));
        let changed = json(&browser.get("/api/v1/members/changed?period=week").await);
        assert_eq!(changed["members"][0]["member"], serde_json::json!(row.member));
        assert_eq!(browser.get("/api/v1/members/changed?period=ever").await.status, StatusCode::NOT_FOUND);
        assert!(edits.to_string().contains("admin/") && !edits.to_string().contains("13911112222"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_y01_z01_a_group_is_set_up_filled_in_and_opened_as_role_and_class_allow() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let groups = "/api/v1/field-groups";
        for ready in ["skin", "home"] {
            assert_eq!(browser.post(groups, &[("ready", ready)]).await.status, StatusCode::OK);
        }
        let broken = browser.post(groups, &[("group", "{}")]).await;
        assert_eq!(text(&json(&broken), "type"), "urn:hufu:problem:group-unreadable");
        let mut weaker = json(&browser.get(groups).await)["groups"][1].clone();
        assert_eq!((text(&weaker, "code"), text(&weaker, "class")), ("skin", "sensitive"));
        weaker["class"] = "plain".into();
        let refused = browser.post(groups, &[("group", &weaker.to_string())]).await;
        assert_eq!(text(&json(&refused), "type"), "urn:hufu:problem:group", "protection never goes down");

        let path = |group: &str| format!("/api/v1/members/{}/groups/{group}", row.member);
        let bad = [("field.height_cm", "tall"), ("reason", "初次到店")];
        assert_eq!(browser.post(&path("skin"), &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let none = [("field.colour", "red"), ("reason", "初次到店")];
        assert_eq!(browser.post(&path("skin"), &none).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let good = [("field.height_cm", "172"), ("field.history", "青霉素过敏"), ("reason", "初次到店")];
        let filled = browser.post(&path("skin"), &good).await;
        assert_eq!(json(&filled)["filled"], serde_json::json!(["height_cm", "history"]), "{}", filled.text);
        let later = [("field.height_cm", ""), ("field.blood", "O"), ("reason", "复诊")];
        let filled = json(&browser.post(&path("skin"), &later).await);
        assert_eq!(filled["filled"], serde_json::json!(["blood", "history"]), "what was not sent stays");
        let home = [("field.area_m2", "120"), ("reason", "回访")];
        assert_eq!(browser.post(&path("home"), &home).await.status, StatusCode::OK);

        let seen = browser.get(&path("skin")).await;
        assert_eq!(json(&seen)["values"]["history"], "****", "not without a reason");
        assert_eq!(
            json(&browser.get(&path("home")).await)["values"]["area_m2"],
            "120",
            "says nothing private"
        );
        let open = format!("{}/open", path("skin"));
        assert_eq!(browser.post(&open, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let opened = json(&browser.post(&open, &[("reason", "配制护理方案")]).await);
        assert_eq!(
            (&opened["values"]["history"], &opened["values"]["blood"]),
            (&"青霉素过敏".into(), &"O型".into())
        );
        acts_as(&site, Role::Clerk).await;
        for (path, posts) in [(path("skin"), false), (open.clone(), true), (path("skin"), true)] {
            let fields = [("reason", "好奇"), ("field.blood", "A")];
            let met = if posts {
                browser.post(&path, if path == open { &fields[..1] } else { &fields }).await
            } else {
                browser.get(&path).await
            };
            assert_eq!(met.status, StatusCode::FORBIDDEN, "{path}: a clerk never sees what is sensitive");
        }
        assert_eq!(browser.post(groups, &[("ready", "home")]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.get(&path("home")).await.status, StatusCode::OK);
        acts_as(&site, Role::Promoter).await;
        assert_eq!(browser.get(&path("home")).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.get("/members").await.status, StatusCode::FORBIDDEN);
        acts_as(&site, Role::Admin).await;
        let edits = json(&browser.get(&format!("/api/v1/members/{}/edits", row.member)).await);
        let what: Vec<&str> =
            edits["edits"].as_array().expect("a list").iter().map(|edit| text(edit, "what")).collect();
        assert_eq!(what, ["opened/group/skin", "group/home", "group/skin", "group/skin"]);
        assert!(!edits.to_string().contains("青霉素"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_read_are_not_written_over() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        assert_eq!(browser.post("/api/v1/field-groups", &[("ready", "home")]).await.status, StatusCode::OK);
        let (vault, member) = (site.app.vault.clone(), row.member);
        let (values, reason) = (Hash([9; 32]), Hash([8; 32]));
        let damage = move |tx: &mut Tx<'_>| vault.put_text(tx, member, values, b"too short to be anything");
        site.app.db.write(damage).await.expect("kept");
        let set = CustomSet { member, group: "home".to_owned(), values, reason };
        site.app.act(Actor::Job("test".to_owned()), Act::CustomSet(set)).await.expect("taken");
        let path = format!("/api/v1/members/{member}/groups/home");
        let fields = [("field.area_m2", "120"), ("reason", "回访")];
        let refused = browser.post(&path, &fields).await;
        assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", refused.text);
        let customs = move |tx: &mut Tx<'_>| details::customs(tx, member);
        let stands = site.app.db.read(customs).await.expect("readable");
        assert_eq!(stands, [("home".to_owned(), values)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_z01_r01_who_asks_for_secrecy_is_greeted_found_and_written_to_no_more() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let path = format!("/api/v1/members/{}/secrecy", row.member);
        let wants = |secret: bool| {
            let (vault, member) = (site.app.vault.clone(), row.member);
            let read = move |tx: &mut Tx<'_>| -> Result<bool, PeopleError> {
                let row = people::member(tx, member)?.expect("there");
                Ok(people::wants_secrecy(tx, &vault, member, row.personal)?)
            };
            let db = site.app.db.clone();
            async move { assert_eq!(db.read(read).await.expect("read"), secret) }
        };
        wants(false).await;
        let silent = browser.post(&path, &[("secret", "1")]).await;
        assert_eq!(text(&json(&silent), "type"), "urn:hufu:problem:reason-missing");
        for secret in ["1", "1", "0"] {
            let done = browser.post(&path, &[("secret", secret), ("reason", "本人要求")]).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
            wants(secret == "1").await;
        }
        let edits = json(&browser.get(&format!("/api/v1/members/{}/edits", row.member)).await);
        let met: Vec<(&Value, &Value)> = edits["edits"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|edit| (&edit["before"], &edit["after"]))
            .collect();
        assert_eq!(
            met,
            [(&true.into(), &false.into()), (&false.into(), &true.into())],
            "asked twice is one edit"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_records_are_merged_taken_apart_and_erased_by_people_with_a_reason() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let ((row, name, _), (other, ..)) = (somebody(&site, 0).await, somebody(&site, 1).await);
        let path = |what: &str| format!("/api/v1/members/{}/{what}", row.member);
        let nobody = [("into", "NOBODY"), ("reason", "重复建档")];
        assert_eq!(browser.post(&path("merge"), &nobody).await.status, StatusCode::CONFLICT);
        let itself = [("into", row.number.as_str()), ("reason", "重复建档")];
        assert_eq!(browser.post(&path("merge"), &itself).await.status, StatusCode::CONFLICT);
        let into = [("into", other.number.as_str()), ("reason", "重复建档")];
        let done = browser.post(&path("merge"), &into).await;
        assert_eq!(json(&done)["merged_into"], serde_json::json!(other.member), "{}", done.text);
        assert_eq!(browser.post(&path("merge"), &into).await.status, StatusCode::CONFLICT, "once");
        let gone = [("number", row.number.as_str()), ("reason", "本人要求")];
        let early = browser.post(&path("erase"), &gone).await;
        assert_eq!(
            text(&json(&early), "type"),
            "urn:hufu:problem:erase-not-possible",
            "it goes on as another"
        );
        let apart = browser.post(&path("unmerge"), &[("reason", "并非同一人")]).await;
        assert_eq!(json(&apart)["merged_into"], Value::Null, "{}", apart.text);
        assert_eq!(browser.post(&path("unmerge"), &[("reason", "再次")]).await.status, StatusCode::CONFLICT);

        let tags = [("kind", "person"), ("tags", "老业主"), ("reason", "整理")];
        assert_eq!(browser.post(&path("details"), &tags).await.status, StatusCode::OK);
        let wrong = [("number", other.number.as_str()), ("reason", "本人要求")];
        let slip = browser.post(&path("erase"), &wrong).await;
        assert_eq!(text(&json(&slip), "type"), "urn:hufu:problem:erase-number");
        let done = browser.post(&path("erase"), &gone).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        let found = browser.post("/members", &[("find", &name)]).await;
        assert!(!found.text.contains(&row.number), "nobody finds them by name");
        let tagged = browser.get("/api/v1/members/tagged?tag=%E8%80%81%E4%B8%9A%E4%B8%BB").await;
        assert_eq!(json(&tagged)["members"], serde_json::json!([]));
        let details = json(&browser.get(&path("details")).await);
        assert_eq!((text(&details, "kind"), &details["tags"]), ("", &serde_json::json!([])));
        for (what, fields) in [
            ("details", &[("kind", "person"), ("tags", "老业主"), ("reason", "整理")][..]),
            ("profile", &[("mobile", "13911112222"), ("reason", "整理")]),
            ("secrecy", &[("secret", "1"), ("reason", "整理")]),
            ("erase", &gone),
        ] {
            let met = browser.post(&path(what), fields).await;
            assert_eq!(met.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: nothing is kept of them");
        }
        let edits = json(&browser.get(&path("edits")).await);
        assert_eq!(text(&edits["edits"][0], "what"), "erased");
        while site.app.db.write(crate::store::journal::publish).await.expect("published") > 0 {}
        let findings = crate::store::verify::verify(&site.app.db).await.expect("readable").findings;
        assert!(findings.is_empty(), "{:?}", findings.first());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g08_the_clubs_own_staff_does_not_join_where_the_club_says_so() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/own-staff";
        let nothing = browser.post(path, &[]).await;
        assert_eq!(text(&json(&nothing), "type"), "urn:hufu:problem:staff-nothing");
        assert_eq!(browser.post(path, &[("mobile", "139 1111 2222")]).await.status, StatusCode::OK);
        let fields = [("name", "禤墨白"), ("mobile", "13911112222")];
        assert_eq!(browser.post("/api/v1/applications", &fields).await.status, StatusCode::CREATED);
        let mut policy = Policy::default();
        policy.joining.excludes_staff = true;
        let job = Actor::Job("test".to_owned());
        site.app.act(job, Act::PolicySet(Box::new(policy))).await.expect("set");
        let refused = browser.post("/api/v1/applications", &fields).await;
        assert_eq!(text(&json(&refused), "type"), "urn:hufu:problem:not-eligible-staff");
        let other = [("name", "禤墨白"), ("mobile", "13911113333")];
        assert_eq!(browser.post("/api/v1/applications", &other).await.status, StatusCode::CREATED);
        let ended = [("mobile", "13911112222"), ("ended", "1")];
        assert_eq!(browser.post(path, &ended).await.status, StatusCode::OK);
        assert_eq!(
            browser.post("/api/v1/applications", &fields).await.status,
            StatusCode::CREATED,
            "no more"
        );
    })
    .await;
}
