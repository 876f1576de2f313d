//! The daily cash report (H4) as page and in the API, on both databases.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, Reversed, ToppedUp};
use hufu_shared::ids::FactId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::DAY_US;
use serde_json::Value;

use super::joining::json;
use super::kit::{Browser, Site, each};
use super::taking::{card_in_use, record};

async fn pays_in(site: &Site, fen: i64, method: &str) -> FactId {
    let (subject, _) = card_in_use(site).await;
    let (amount, method) = (Amount(fen), method.to_owned());
    record(site, Event::ToppedUp(ToppedUp { subject, amount, method, slip: None }), None).await
}

/// Fen of a kind by a method; zero without such a line.
fn sum(report: &Value, method: &str, kind: &str) -> i64 {
    let of = report["methods"].as_array().expect("methods").iter().find(|sum| sum["method"] == method);
    of.map_or(0, |of| of["amounts"][kind].as_i64().expect("fen"))
}

/// The report of the office that took something today.
async fn report(browser: &Browser) -> Value {
    let offices = browser.get("/cash").await;
    let ids = offices.all_between("<option value=\"", "\"");
    for office in &ids {
        let found = json(&browser.get(&format!("/api/v1/cash?office={office}")).await);
        if found["lines"].as_array().is_some_and(|lines| !lines.is_empty()) {
            return found;
        }
    }
    panic!("no office took anything: {ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h04_the_cash_report_sums_each_method_and_tells_what_is_not_uploaded() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let paid = pays_in(&site, 20_000, "cash").await;
        pays_in(&site, 10_000, "cash").await;
        pays_in(&site, 3_000, "wechat").await;
        let legs = vec![Leg { unit: Unit::Cny, amount: Amount(20_000) }];
        let reversed = Reversed { original: paid, legs, reason: "mistake".to_owned(), slip: None };
        record(&site, Event::Reversed(reversed), None).await;
        let first = report(&browser).await;
        assert_eq!(sum(&first, "cash", "topped_up"), 30_000);
        assert_eq!(
            (sum(&first, "cash", "top_up_undone"), sum(&first, "wechat", "topped_up")),
            (20_000, 3_000)
        );
        let cash = first["methods"].as_array().expect("methods").iter().find(|of| of["method"] == "cash");
        assert_eq!(cash.expect("cash")["net"], 10_000);
        let terminals = first["terminals"].as_array().expect("terminals");
        assert!(
            terminals.iter().any(|of| of["topped_up"] == 33_000),
            "as its close of day sums: {terminals:?}"
        );
        assert!(terminals.iter().all(|of| of["may_lack"] == true), "nothing was heard of them for a minute");
        assert_eq!(first["complete"], false);

        // The centre's own desk pays out: a line of its own, with who did it.
        let (_, member) = card_in_use(&site).await;
        let path = format!("/members/{member}/money");
        let page = browser.get(&path).await;
        let once = page.between("name=\"once\" value=\"", "\"").expect("a form").to_owned();
        let office = first["office"].as_str().expect("a code").to_owned();
        let shown = browser.get(&format!("/cash?office={office}")).await;
        let id = shown.between("<option value=\"", "\" selected").expect("chosen").rsplit('"').next();
        let id = id.expect("an id").to_owned();
        let wish = [("do", "cash_out"), ("amount", "50.00"), ("office", &*id), ("once", &*once)];
        let sure = browser.post(&path, &wish).await;
        let seen = sure.between("name=\"seen\" value=\"", "\"").expect("a plan").to_owned();
        let mut wish = wish.to_vec();
        wish.extend([("sure", "yes"), ("seen", &*seen), ("reason", "会员要求")]);
        assert_eq!(browser.post(&path, &wish).await.status, StatusCode::SEE_OTHER);
        let second = report(&browser).await;
        assert_eq!(sum(&second, "desk", "paid_out"), 5_000);
        let page = browser.get(&format!("/cash?office={office}")).await;
        for words in ["现金日报", "¥300.00", "¥50.00", "中心柜台 · ", "微信支付", "可能还有当日记录未上传"]
        {
            assert!(page.text.contains(words), "{words}");
        }
        // Another day has none of it, and an office that is not there is none.
        let yesterday = site.app.now().offset(-20 * DAY_US);
        let day = hufu_shared::time::OfficeClock::default().business_day(yesterday);
        let empty = json(&browser.get(&format!("/api/v1/cash?office={office}&day={day}")).await);
        assert_eq!(empty["lines"], serde_json::json!([]));
        for path in ["/cash?office=X9", "/api/v1/cash?office=X9"] {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let no_day = browser.get(&format!("/api/v1/cash?office={office}&day=2026-13-01")).await;
        assert_eq!(no_day.status, StatusCode::BAD_REQUEST, "never another day's report: {}", no_day.text);
    })
    .await;
}
