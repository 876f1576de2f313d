//! Activities through `/api/v1`, on both databases.

use axum::http::{Method, StatusCode};
use hufu_shared::time::{DAY_US, SECOND_US};
use serde_json::Value;

use super::approving::account;
use super::cards::problem;
use super::contract::{of, written};
use super::joining::{json, text};
use super::kit::{Browser, Page, each};
use crate::db::Tx;
use crate::store::api_requests::KEPT_US;
use crate::store::people;

const ACTIVITIES: &str = "/api/v1/activities";

/// A plan of weekly holdings from tomorrow on, whatever the day of the test.
const PLAN: [(&str, &str); 13] = [
    ("name_zh", "业主茶会"),
    ("name_en", "Owners' tea"),
    ("kind", "salon"),
    ("place", "湖心亭"),
    ("programme", "品茶、问答"),
    ("heads", "30"),
    ("cost", "90000"),
    ("starts", "2030-01-31 09:00"),
    ("ends", "2030-01-31 11:00"),
    ("every", "week"),
    ("times", "2"),
    ("places", "1"),
    ("points", "6"),
];

fn with<'a>(field: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut fields: Vec<(&'static str, &'a str)> = PLAN.into_iter().filter(|of| of.0 != field).collect();
    let name = PLAN.into_iter().find(|of| of.0 == field).map_or("offices", |of| of.0);
    fields.push((name, value));
    fields
}

fn holding(whole: &Value, n: usize) -> String {
    text(&whole["occurrences"][n], "occurrence").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_k26_k28_an_activity_from_its_plan_to_its_costs() {
    each(|site| async move {
        let mut planner = Browser::signed_in(&site).await;
        for (field, value, code) in [
            ("name_zh", "", "activity-text"),
            ("kind", "circus", "activity-kind"),
            ("heads", "-1", "activity-number"),
            ("places", "0", "activity-number"),
            ("cost", "1e9", "activity-number"),
            ("ends", "2030-01-31 08:00", "activity-times"),
            ("starts", "tomorrow", "activity-times"),
            ("times", "101", "activity-times"),
            ("every", "fortnight", "activity-times"),
            ("offices", "moon", "activity-office"),
        ] {
            let refused = planner.post(ACTIVITIES, &with(field, value)).await;
            assert_eq!(problem(&refused), code, "{field} {value}");
        }
        let made = planner.post(ACTIVITIES, &PLAN).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = json(&made);
        assert_eq!((text(&made, "state"), text(&made["occurrences"][1], "state")), ("planned", "planned"));
        assert_eq!(made["cost_per_head_planned"], 3_000);
        let path = format!("{ACTIVITIES}/{}", text(&made, "activity"));
        let decide = format!("{path}/decide");
        let yes = [("approved", "1"), ("reason", "同意")];
        let own = planner.post(&decide, &yes).await;
        assert_eq!((own.status, problem(&own).as_str()), (StatusCode::CONFLICT, "activity-own"));
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        let silent = approver.post(&decide, &[("approved", "1")]).await;
        assert_eq!(problem(&silent), "reason-missing");
        let approved = json(&approver.post(&decide, &yes).await);
        assert_eq!(
            (text(&approved, "state"), text(&approved["occurrences"][0], "state")),
            ("approved", "approved")
        );
        assert_eq!(problem(&approver.post(&decide, &yes).await), "activity-decided");
        // Planned anew it waits again, and its holdings keep their names.
        let mut anew = with("times", "3");
        anew.push(("activity", text(&made, "activity")));
        let planned = json(&planner.post(ACTIVITIES, &anew).await);
        assert_eq!((holding(&planned, 0), text(&planned, "state")), (holding(&made, 0), "planned"));
        assert_eq!(planned["occurrences"].as_array().map(Vec::len), Some(3));
        approver.post(&decide, &yes).await;

        let costs = format!("{path}/costs");
        let first = holding(&made, 0);
        let own = [("item", "1"), ("what", "茶点"), ("cost", "500"), ("occurrence", first.as_str())];
        assert_eq!(planner.post(&costs, &own).await.status, StatusCode::OK);
        let common = [("item", "2"), ("what", "场地"), ("cost", "1000")];
        let whole = json(&planner.post(&costs, &common).await);
        assert_eq!(whole["cost"], 1_500);
        let rows = whole["occurrences"].as_array().expect("a list");
        let each: Vec<i64> = rows.iter().filter_map(|row| row["cost"].as_i64()).collect();
        assert_eq!(each, [834, 333, 333], "what is common is shared out");
        let odd = planner.post(&costs, &[("item", "0"), ("what", "?"), ("cost", "1")]).await;
        assert_eq!(problem(&odd), "activity-number");

        let listed = json(&planner.get(&format!("{ACTIVITIES}?state=approved&kind=salon")).await);
        assert_eq!(listed["activities"].as_array().map(Vec::len), Some(1));
        assert_eq!(planner.get(&format!("{ACTIVITIES}?state=moon")).await.status, StatusCode::NOT_FOUND);
        let end = format!("/api/v1/occurrences/{first}/end");
        assert_eq!(planner.post(&end, &[("reason", "活动结束")]).await.status, StatusCode::OK);
        let again = planner.post(&end, &[("reason", "活动结束")]).await;
        assert_eq!(problem(&again), "activity-not-running");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_members_are_invited_sign_up_wait_and_cancel() {
    each(|site| async move {
        let mut planner = Browser::signed_in(&site).await;
        let made = json(&planner.post(ACTIVITIES, &PLAN).await);
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        let decide = format!("{ACTIVITIES}/{}/decide", text(&made, "activity"));
        let guests = format!("/api/v1/occurrences/{}/guests", holding(&made, 0));
        let members =
            site.app.db.read(|tx: &mut Tx<'_>| people::member_page(tx, "", 3)).await.expect("members");
        let numbers: Vec<&str> = members.iter().map(|row| row.number.as_str()).collect();
        let early = planner.post(&guests, &[("number", numbers[0]), ("step", "sign_up")]).await;
        assert_eq!(problem(&early), "activity-not-running");
        approver.post(&decide, &[("approved", "1"), ("reason", "同意")]).await;
        let stands = |page: &Page| text(&json(page), "coming").to_owned();
        for (number, step, coming) in [
            (numbers[0], "invite", "invited"),
            (numbers[0], "sign_up", "placed"),
            (numbers[1], "sign_up", "waiting"),
            (numbers[1], "sign_up", "waiting"),
            (numbers[0], "cancel", "cancelled"),
        ] {
            let page = planner.post(&guests, &[("number", number), ("step", step)]).await;
            assert_eq!(stands(&page), coming, "{step}");
        }
        let listed = json(&planner.get(&guests).await);
        let second =
            listed["guests"].as_array().expect("a list").iter().find(|row| row["number"] == numbers[1]);
        assert_eq!(text(second.expect("listed"), "coming"), "placed");
        let first = json(&planner.get(&format!("{guests}?limit=1")).await);
        let rest = json(&planner.get(&format!("{guests}?cursor={}", text(&first, "next"))).await);
        assert!(first["gates"].is_array() && rest["gates"].is_null(), "once, with the first page: {rest}");
        assert_eq!(rest["guests"].as_array().map(Vec::len), Some(1), "{rest}");
        for (number, step, code) in
            [("NOBODY", "sign_up", "guest-nobody"), (numbers[2], "dance", "guest-step")]
        {
            let refused = planner.post(&guests, &[("number", number), ("step", step)]).await;
            assert_eq!(problem(&refused), code);
        }
        let nothing = "/api/v1/occurrences/00000000-0000-0000-0000-000000000000/guests";
        assert_eq!(planner.get(nothing).await.status, StatusCode::NOT_FOUND);
        let mut stranger = Browser::stranger(&site);
        assert_ne!(stranger.get(&guests).await.status, StatusCode::OK);
        assert!(!stranger.post_bare(ACTIVITIES, &PLAN).await.status.is_success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k25_a_party_larger_than_all_places_is_refused_and_does_not_wait_for_ever() {
    each(|site| async move {
        let mut planner = Browser::signed_in(&site).await;
        let mut plan = with("places", "2");
        plan.push(("companions", "3"));
        let made = planner.post(ACTIVITIES, &plan).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let made = json(&made);
        let mut approver = account(&site, &[("login", "approver"), ("role", "admin")]).await;
        let decide = format!("{ACTIVITIES}/{}/decide", text(&made, "activity"));
        approver.post(&decide, &[("approved", "1"), ("reason", "同意")]).await;
        let guests = format!("/api/v1/occurrences/{}/guests", holding(&made, 0));
        let members =
            site.app.db.read(|tx: &mut Tx<'_>| people::member_page(tx, "", 1)).await.expect("members");
        let party = |companions: &'static str| {
            [("number", members[0].number.as_str()), ("step", "sign_up"), ("companions", companions)]
        };
        for (companions, code) in [("2", "guest-room"), ("3", "guest-room"), ("4", "guest-companions")] {
            let refused = planner.post(&guests, &party(companions)).await;
            let met = (refused.status, problem(&refused));
            assert_eq!(met, (StatusCode::UNPROCESSABLE_ENTITY, code.to_owned()), "{companions}");
        }
        let refused = planner.post(&guests, &party("2")).await;
        assert!(text(&json(&refused), "detail").contains("全部名额"), "{}", refused.text);
        assert_eq!(json(&planner.get(&guests).await)["guests"].as_array().map(Vec::len), Some(0));
        let page = planner.post(&guests, &party("1")).await;
        assert_eq!(text(&json(&page), "coming"), "placed", "both places: {}", page.text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_under_an_idempotency_key_is_made_once_for_as_long_as_it_lasts() {
    each(|site| async move {
        let plan = written(of(&Method::POST, ACTIVITIES).expect("declared"), &PLAN);
        let send = async || {
            let browser = Browser::signed_in(&site).await;
            let token = browser.csrf().await;
            let head = [("x-hufu-token", token.as_str()), ("idempotency-key", "tea-1")];
            browser.post_json(ACTIVITIES, &plan, &head).await
        };
        let made = send().await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let again = send().await;
        assert_eq!((again.status, &again.text), (made.status, &made.text), "told again");
        site.clock.advance(KEPT_US + DAY_US);
        let known = send().await;
        assert_eq!(known.status, StatusCode::OK, "it was there already: {}", known.text);
        assert_eq!(text(&json(&known), "activity"), text(&json(&made), "activity"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activities_are_listed_in_either_order_page_by_page() {
    each(|site| async move {
        let mut planner = Browser::signed_in(&site).await;
        for _ in 0..2 {
            let made = planner.post(ACTIVITIES, &with("programme", "品茶")).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
            site.clock.advance(SECOND_US);
        }
        let listed = async |query: &str| json(&planner.get(&format!("{ACTIVITIES}?{query}")).await);
        let ids = |told: &Value| -> Vec<String> {
            let rows = told["activities"].as_array().expect("a list");
            rows.iter().map(|row| text(row, "activity").to_owned()).collect()
        };
        let oldest = ids(&listed("sort=planned").await);
        assert_eq!(ids(&listed("limit=100").await), oldest, "unless something else is asked for");
        let first = listed("sort=-planned&limit=1").await;
        let rest = listed(&format!("sort=-planned&cursor={}", text(&first, "next"))).await;
        let newest = [ids(&first), ids(&rest)].concat();
        assert!(newest.len() > 1 && newest.iter().eq(oldest.iter().rev()), "{newest:?} {oldest:?}");
        let nothing = planner.get(&format!("{ACTIVITIES}?sort=moon")).await;
        assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    })
    .await;
}
