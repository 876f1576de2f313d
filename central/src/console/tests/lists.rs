//! Lists of `/api/v1`: page by page they tell what they tell whole, and in each of their orders; on both databases.

use axum::http::StatusCode;
use hufu_shared::act::{
    Act, Actor, CouponGiven, CouponWhy, CouponsGiven, LeaveDecided, LeaveFiled, MemberSet,
};
use hufu_shared::ids::Hash;
use hufu_shared::member::MemberStatus;
use hufu_shared::time::{Day, SECOND_US};
use serde_json::Value;

use super::cards::problem;
use super::joining::{json, somebody, text};
use super::kit::{Browser, Site, each};
use crate::db::Tx;
use crate::jobs;
use crate::rules::jobs::Job;
use crate::store::people;

/// An address with one more name in it.
fn with(path: &str, asked: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}{asked}")
}

fn rows(told: &Value, list: &str) -> Vec<Value> {
    told[list].as_array().unwrap_or_else(|| panic!("a list of {list}: {told}")).clone()
}

/// All rows of a list, from pages of so many.
async fn paged(browser: &Browser, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = browser.get(&with(path, &format!("limit={limit}{after}"))).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        let told = json(&page);
        let page = rows(&told, list);
        assert!(page.len() <= limit && all.len() < 1_000, "{path} comes to an end: {told}");
        all.extend(page);
        after = match &told["next"] {
            Value::Null => return all,
            Value::String(place) => format!("&cursor={place}"),
            place => format!("&cursor={place}"),
        };
    }
}

/// A list goes on from page to page, and ends; answers it whole.
pub async fn goes_on(browser: &Browser, path: &str, list: &str) -> Vec<Value> {
    let told = json(&browser.get(path).await);
    let whole = rows(&told, list);
    assert!(whole.len() > 1, "{path} has something to tell apart: {told}");
    assert_eq!(told["next"], Value::Null, "{path}: {told}");
    for limit in [1, 2] {
        assert_eq!(paged(browser, path, list, limit).await, whole, "{path} in pages of {limit}");
    }
    let wrong = browser.get(&with(path, "cursor=moon")).await;
    assert!(wrong.status.is_client_error(), "{path}: {}", wrong.text);
    whole
}

/// A list is told by a column in both directions, page by page; and a cursor of one order is none of the other.
async fn is_sorted(browser: &Browser, path: &str, list: &str, (sort, field): (&str, &str)) {
    let (up, down) = (with(path, &format!("sort={sort}")), with(path, &format!("sort=-{sort}")));
    let rows = paged(browser, &up, list, 3).await;
    assert!(rows.len() > 1, "{up} has something to sort");
    let key = |row: &Value| match &row[field] {
        Value::Number(number) => (number.as_i64(), String::new()),
        other => (None, other.to_string()),
    };
    assert!(rows.iter().map(key).is_sorted(), "{up}: {rows:?}");
    let back = paged(browser, &down, list, 2).await;
    assert!(rows.iter().eq(back.iter().rev()), "{down}: {back:?}");
    let first = json(&browser.get(&with(&up, "limit=1")).await);
    let other = browser.get(&with(&down, &format!("cursor={}", text(&first, "next")))).await;
    let met = (other.status, problem(&other));
    assert_eq!(met, (StatusCode::UNPROCESSABLE_ENTITY, "cursor_other".to_owned()), "{down}");
    let nothing = browser.get(&with(path, "sort=moon")).await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND, "{path}");
}

async fn members(site: &Site) -> Vec<MemberSet> {
    site.app.db.read(|tx: &mut Tx<'_>| people::member_page(tx, "", 60)).await.expect("members")
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k13_e02_edits_and_who_was_edited_go_on_page_by_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        for skip in 0..3 {
            let (row, ..) = somebody(&site, skip).await;
            let path = format!("/api/v1/members/{}/profile", row.member);
            for remark in ["常客", "老客户"] {
                // Two fields in one edit: the place within it is their name.
                let fields = [("email", "a@example.cn"), ("remark", remark), ("reason", "来电更正")];
                let done = browser.post(&path, &fields).await;
                assert_eq!(done.status, StatusCode::OK, "{}", done.text);
                site.clock.advance(SECOND_US);
            }
        }
        let (row, ..) = somebody(&site, 0).await;
        let edits = goes_on(&browser, &format!("/api/v1/members/{}/edits", row.member), "edits").await;
        assert!(edits.len() >= 3, "{edits:?}");
        let changed = goes_on(&browser, "/api/v1/members/changed?period=week", "members").await;
        assert!(changed.len() >= 3, "{changed:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k02_rounds_go_on_page_by_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let all = members(&site).await;
        for row in all.iter().filter(|row| row.status == MemberStatus::Active).take(3) {
            let (member, actor) = (row.member, || Actor::Job("test".to_owned()));
            let filed = LeaveFiled { member, kind: "normal".to_owned(), reason: Hash([0; 32]) };
            site.app.act(actor(), Act::LeaveFiled(filed)).await.expect("filed");
            let decided = LeaveDecided { member, archived: true, reason: Hash([0; 32]) };
            site.app.act(actor(), Act::LeaveDecided(decided)).await.expect("decided");
            let due = rows(&json(&browser.get("/api/v1/messages?state=due").await), "messages");
            let ids: Vec<&str> = due.iter().map(|message| text(message, "message")).collect();
            let fields = [("messages", ids.join(",")), ("channel", "sms".to_owned())];
            let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
            let told = browser.post("/api/v1/messages/told", &fields).await;
            assert_eq!(told.status, StatusCode::OK, "{}", told.text);
            site.clock.advance(SECOND_US);
        }
        let rounds = goes_on(&browser, "/api/v1/messages/rounds", "rounds").await;
        let numbers: Vec<i64> = rounds.iter().filter_map(|round| round["round"].as_i64()).collect();
        assert_eq!(numbers, [3, 2, 1], "the newest first");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_told_by_their_age_page_by_page() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let path = "/api/v1/cases";
        let open = paged(&browser, path, "cases", 100).await;
        for column in ["opened", "changed"] {
            is_sorted(&browser, path, "cases", (column, column)).await;
        }
        assert_eq!(paged(&browser, &with(path, "sort=opened"), "cases", 100).await, open, "by default");
        let kind = open[0]["kind"].as_i64().expect("a number");
        let of_kind = paged(&browser, &with(path, &format!("kind={kind}")), "cases", 2).await;
        assert!(of_kind.iter().all(|case| case["kind"] == kind) && of_kind.contains(&open[0]));
        let ended = paged(&browser, &with(path, "ended=1"), "cases", 2).await;
        let newest: Vec<Option<i64>> = ended.iter().map(|case| case["changed"].as_i64()).collect();
        assert!(newest.iter().rev().is_sorted(), "{newest:?}");
        assert!(ended.iter().all(|case| ["decided", "closed"].contains(&text(case, "state"))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_told_by_number_or_by_when_they_joined_page_by_page() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let days = ["2026-03-01", "2025-07-09", "2026-03-01"];
        let mut some: Vec<MemberSet> = members(&site).await.into_iter().take(days.len()).collect();
        for (row, day) in some.iter_mut().zip(days) {
            row.joined = Some(day.parse().expect("a day"));
        }
        let number = some[1].number.clone();
        site.app.act(Actor::Job("test".to_owned()), Act::MembersSet(some)).await.expect("taken");
        let path = "/api/v1/members";
        let whole = goes_on(&browser, path, "members").await;
        assert_eq!(whole.len(), 60);
        let numbers: Vec<&str> = whole.iter().map(|row| text(row, "number")).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        is_sorted(&browser, path, "members", ("joined", "joined")).await;
        let first = json(&browser.get(&with(path, "sort=joined&limit=1")).await);
        assert_eq!(text(&first["members"][0], "number"), number, "who joined first");
        assert_eq!(text(&first["members"][0], "joined"), "2025-07-09");
        let other = with(path, &format!("sort=number&cursor={}", text(&first, "next")));
        assert_eq!(problem(&browser.get(&other).await), "cursor_other");
        let active = paged(&browser, &with(path, "status=active"), "members", 7).await;
        let expected: Vec<Value> =
            whole.iter().filter(|row| text(row, "status") == "active").cloned().collect();
        assert_eq!(active, expected);
        let placed = members(&site).await.iter().filter(|row| row.office.is_some()).count();
        let mut told = 0;
        for office in site.app.db.read(people::offices).await.expect("offices") {
            let of = with(path, &format!("office={}&sort=-joined", office.code));
            told += paged(&browser, &of, "members", 100).await.len();
        }
        assert_eq!(told, placed, "each with the office that won them");
        assert!(paged(&browser, &with(path, "office=moon"), "members", 100).await.is_empty());
        for row in &whole {
            let name = text(row, "name");
            assert!(name.contains('*') || name == "—", "masked: {name}");
        }
        let nobody = Browser::stranger(&site).get(path).await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_changes_of_points_are_told_by_their_size_page_by_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        for (key, points) in [("s1", "60"), ("s2", "-5"), ("s3", "7"), ("s4", "60")] {
            let fields = [
                ("key", key),
                ("member", row.number.as_str()),
                ("points", points),
                ("cause", "care"),
                ("reason", "等候补偿"),
                ("waits", "1"),
            ];
            let made = browser.post("/api/v1/points", &fields).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
            site.clock.advance(SECOND_US);
        }
        let path = "/api/v1/points";
        let whole = goes_on(&browser, path, "changes").await;
        let points: Vec<Option<i64>> = whole.iter().map(|row| row["points"].as_i64()).collect();
        assert_eq!(points, [Some(60), Some(-5), Some(7), Some(60)], "as they were asked for");
        for column in ["asked", "points"] {
            is_sorted(&browser, path, "changes", (column, column)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k03_applications_are_told_in_either_order_page_by_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/applications";
        for name in ["禤墨白", "盖聂云", "闻人雪"] {
            let filed = browser.post(path, &[("route", "website"), ("name", name)]).await;
            assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
            site.clock.advance(SECOND_US);
        }
        assert_eq!(goes_on(&browser, path, "applications").await.len(), 3);
        is_sorted(&browser, path, "applications", ("filed", "filed")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_n01_shelves_are_told_by_what_lies_on_them() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        for (code, pieces) in [("umbrella", "4"), ("cup", "9"), ("towel", "7")] {
            let item = [("class", "gift"), ("code", code), ("zh", "纪念品"), ("en", "Souvenir")];
            assert_eq!(browser.post("/api/v1/stock/items", &item).await.status, StatusCode::OK);
            let moved = [
                ("class", "gift"),
                ("code", code),
                ("pieces", pieces),
                ("key", code),
                ("reason", "入库"),
                ("from", "supplier"),
                ("to", "A"),
            ];
            let done = browser.post("/api/v1/stock/moves", &moved).await;
            assert_eq!(done.status, StatusCode::CREATED, "{}", done.text);
        }
        let told = async |asked: &str| {
            let shelves = json(&browser.get(&format!("/api/v1/stock?office=A{asked}")).await);
            let pieces = |row: &Value| row["pieces"].as_i64();
            rows(&shelves, "shelves").iter().map(pieces).collect::<Vec<_>>()
        };
        let up = told("&sort=pieces").await;
        assert!(up.len() >= 3 && up.is_sorted() && up.contains(&Some(4)), "{up:?}");
        let down = told("&sort=-pieces").await;
        assert!(down.iter().eq(up.iter().rev()), "{down:?}");
        assert_eq!(told("").await, told("&sort=office").await);
        assert!(!told("").await.is_sorted(), "by their codes: cup, towel, umbrella");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k24_plans_of_redemption_are_told_in_either_order_page_by_page() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let path = "/api/v1/redemptions";
        for key in ["r1", "r2", "r3"] {
            let fields = [
                ("key", key),
                ("zh", "年终兑现"),
                ("en", "Year-end cash"),
                ("from", "2026-12-01"),
                ("until", "2026-12-31"),
                ("office", "A"),
                ("kind", "cash"),
                ("worth", "0.05"),
            ];
            let made = browser.post(path, &fields).await;
            assert_eq!(made.status, StatusCode::OK, "{}", made.text);
            site.clock.advance(SECOND_US);
        }
        assert_eq!(goes_on(&browser, path, "redemptions").await.len(), 3);
        is_sorted(&browser, path, "redemptions", ("planned", "planned")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s10_coupons_of_a_member_are_told_in_either_order_page_by_page() {
    each(|site| async move {
        let (row, ..) = somebody(&site, 0).await;
        let given = |n: u8| CouponGiven {
            id: Hash([n; 32]),
            member: row.member,
            why: CouponWhy::Welcome,
            fen: 1_000 * i64::from(n),
            from: Day(20_000 + i32::from(n / 2)),
            until: None,
        };
        let coupons = CouponsGiven { until: Day(20_010), scheme: 0, coupons: (1..=5).map(given).collect() };
        site.app.act(Actor::Job("test".to_owned()), Act::CouponsGiven(coupons)).await.expect("taken");
        let browser = Browser::signed_in(&site).await;
        let path = format!("/api/v1/members/{}/coupons", row.member);
        assert_eq!(goes_on(&browser, &path, "coupons").await.len(), 5);
        is_sorted(&browser, &path, "coupons", ("from", "from")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_a_job_are_told_in_either_order_page_by_page() {
    each(|site| async move {
        for _ in 0..3 {
            let by = Actor::Job("test".to_owned());
            let (run, _) = jobs::begin(&site.app, Job::Lapse, &by).await.expect("begins");
            jobs::go_on(&site.app, Job::Lapse, run).await.expect("ends");
            site.clock.advance(SECOND_US);
        }
        let browser = Browser::signed_in(&site).await;
        let path = "/api/v1/jobs/lapse/runs";
        assert_eq!(goes_on(&browser, path, "runs").await.len(), 3);
        is_sorted(&browser, path, "runs", ("started", "started")).await;
    })
    .await;
}
