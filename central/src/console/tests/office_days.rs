//! The close of an office's day as page and in the API, by two people, on both databases.

use axum::http::StatusCode;
use hufu_shared::fact::{Event, ToppedUp};
use hufu_shared::money::Amount;
use hufu_shared::time::MINUTE_US;

use super::cards::problem;
use super::joining::{json, text};
use super::kit::{Browser, PASSWORD, each};
use super::leases::second_admin;
use super::members::acts_as;
use super::taking::{card_in_use, record};
use crate::rules::joining::roles::Role;

/// A day on which the terminal of the second office did not close.
const PATH: &str = "/days/B/2026-11-21";
const API: &str = "/api/v1/office-days/B/2026-11-21";
const REASON: &str = "终端已更换，与案场逐笔核对";
const HOUR_US: i64 = 60 * MINUTE_US;

async fn two_people(site: &std::sync::Arc<super::kit::Site>) -> (Browser, Browser) {
    second_admin(site).await;
    let (first, mut second) = (Browser::signed_in(site).await, Browser::stranger(site));
    assert_eq!(second.sign_in("second", PASSWORD).await.status, StatusCode::SEE_OTHER);
    (first, second)
}

/// Gives every difference of a day its reason.
async fn explain_all(browser: &mut Browser, path: &str) {
    let page = browser.get(path).await;
    for difference in page.all_between("name=\"difference\" value=\"", "\"") {
        let fields = [("do", "explain"), ("difference", difference), ("reason", REASON)];
        let answer = browser.post(path, &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    }
}

/// What a signature of the page as it is shown now stands for.
async fn seen(browser: &Browser, path: &str) -> String {
    let page = browser.get(path).await;
    page.between("name=\"seen\" value=\"", "\"")
        .unwrap_or_else(|| panic!("cannot sign: {}", page.text))
        .to_owned()
}

async fn sign(browser: &mut Browser, path: &str, seen: &str) {
    let answer = browser.post(path, &[("do", "sign"), ("seen", seen)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_a_day_is_explained_and_signed_by_two_and_opened_again_by_few() {
    each(|site| async move {
        let (mut first, mut second) = two_people(&site).await;
        let page = first.get(PATH).await;
        assert_eq!(page.status, StatusCode::OK);
        for words in
            ["云栖案场", "待签核", "应上报终端", "按付款方式", "逐笔核对", "还有差异没有说明原因", "查看于"]
        {
            assert!(page.text.contains(words), "{words}");
        }
        assert!(!page.text.contains("name=\"seen\""), "nobody is shown a button that would be refused");
        let told = json(&first.get(API).await);
        let differences = told["differences"].as_array().expect("a list");
        let shown = page.all_between("name=\"difference\" value=\"", "\"");
        assert!(!differences.is_empty() && shown.len() == differences.len(), "{differences:?}");
        assert_eq!((text(&told, "state"), &told["over"]), ("open", &serde_json::json!(true)));

        // Without its reasons nobody signs, and a reason says something.
        let early = first.post(PATH, &[("do", "sign"), ("seen", text(&told, "seen"))]).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        let empty = [("do", "explain"), ("difference", shown[0]), ("reason", " ")];
        let empty = first.post(PATH, &empty).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(empty.text.contains("请填写原因") && empty.text.contains("aria-describedby=\"error\""));
        explain_all(&mut first, PATH).await;
        assert!(first.get(PATH).await.text.contains(REASON), "the reason is there to be read");

        let what = seen(&first, PATH).await;
        sign(&mut first, PATH, &what).await;
        let page = first.get(PATH).await;
        assert!(page.text.contains("待第二人签核") && page.text.contains("须由另一人第二次签核"));
        assert!(!page.text.contains("value=\"sign\""));
        let again = first.post(&format!("{API}/sign"), &[("seen", what.as_str())]).await;
        assert_eq!((again.status, problem(&again).as_str()), (StatusCode::CONFLICT, "oday-not-twice"));
        let other = second.post(&format!("{API}/sign"), &[("seen", &*"0".repeat(64))]).await;
        assert_eq!(problem(&other), "oday-not-seen");
        let signed = json(&second.post(&format!("{API}/sign"), &[("seen", what.as_str())]).await);
        assert_eq!(text(&signed, "state"), "signed");
        assert_eq!(signed["second"]["figures"], signed["figures"]);

        let page = second.get(PATH).await;
        for words in ["已签核", "第二人", "签核之后没有变动", "签核时"] {
            assert!(page.text.contains(words), "{words}");
        }
        assert!(!page.text.contains("value=\"explain\""), "a signed day takes no reason");
        let late = second.post(PATH, &[("do", "explain"), ("difference", &what), ("reason", REASON)]).await;
        assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && late.text.contains("已由两人签核"));
        let list = first.get("/days?office=B&state=signed").await;
        assert!(list.text.contains("2026-11-21</a>") && list.text.contains("第二人"));
        assert!(!first.get("/days?office=A&state=signed").await.text.contains("2026-11-21</a>"));

        // Opening it again is for administrators, with a reason.
        let wish = [("do", "reopen"), ("reason", "少录一笔退现")];
        acts_as(&site, Role::Clerk).await;
        assert!(!first.get(PATH).await.text.contains("value=\"reopen\""));
        assert_eq!(first.post(PATH, &wish).await.status, StatusCode::FORBIDDEN);
        let by_clerk = first.post(&format!("{API}/reopen"), &wish[1..]).await;
        assert_eq!(by_clerk.status, StatusCode::FORBIDDEN);
        acts_as(&site, Role::Admin).await;
        assert_eq!(first.post(PATH, &wish[..1]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(first.post(PATH, &wish).await.status, StatusCode::SEE_OTHER);
        let page = first.get(PATH).await;
        assert!(page.text.contains("已重新打开") && page.text.contains("少录一笔退现"));
        assert_eq!(problem(&first.post(&format!("{API}/reopen"), &wish[1..]).await), "oday-not-signed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_what_comes_after_the_signing_is_told_on_the_day_it_came_with_the_day_it_concerns() {
    each(|site| async move {
        // One in the morning of the day after.
        site.clock.advance(7 * HOUR_US);
        let (mut first, mut second) = two_people(&site).await;
        for office in ["A", "B", "C"] {
            let path = format!("/days/{office}/2026-11-22");
            explain_all(&mut first, &path).await;
            let what = seen(&first, &path).await;
            sign(&mut first, &path, &what).await;
            sign(&mut second, &path, &what).await;
        }
        // Somebody had paid in at eight in the evening; it arrives now.
        site.clock.advance(-5 * HOUR_US);
        let (subject, _) = card_in_use(&site).await;
        let topped = ToppedUp { subject, amount: Amount(20_000), method: "cash".to_owned(), slip: None };
        record(&site, Event::ToppedUp(topped), None).await;
        site.clock.advance(5 * HOUR_US);

        let mut told = 0;
        for office in ["A", "B", "C"] {
            let (today, next) = (format!("/days/{office}/2026-11-22"), format!("/days/{office}/2026-11-23"));
            let (closed, after) = (first.get(&today).await, first.get(&next).await);
            assert!(closed.text.contains("已签核") && closed.text.contains("签核后的变动"), "{office}");
            if !after.text.contains("次日调整") {
                assert!(closed.text.contains("签核之后没有变动"), "{office}");
                continue;
            }
            told += 1;
            assert!(after.text.contains(">2026-11-22</a>") && after.text.contains("后到"), "{office}");
            assert!(closed.text.contains("后到") && !closed.text.contains("签核之后没有变动"), "{office}");
            let api = json(&first.get(&format!("/api/v1/office-days/{office}/2026-11-23")).await);
            let row = &api["adjustments"][0];
            assert_eq!((text(row, "day"), text(row, "event")), ("2026-11-22", "topped_up"));
            assert_eq!(row["late"], true);
            let own = json(&first.get(&format!("/api/v1/office-days/{office}/2026-11-22")).await);
            assert_eq!(own["since"].as_array().expect("a list").len(), 1);
            let cash = |of: &serde_json::Value| of["figures"]["cash_net"].as_i64().expect("fen");
            assert_eq!(cash(&own) - cash(&own["second"]), 20_000, "what was signed stays");
        }
        assert_eq!(told, 1, "at the one office where it was paid in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_to_no_day_leads_nowhere() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        for path in [
            "/days/X9/2026-11-21",
            "/days/B/2026-13-01",
            "/days?office=X9",
            "/days?state=moon",
            "/days?cursor=moon",
            "/api/v1/office-days/X9/2026-11-21",
            "/api/v1/office-days/B/today",
            "/api/v1/office-days?office=X9",
        ] {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(
            browser.post(PATH, &[("do", "sign"), ("seen", "moon")]).await.status,
            StatusCode::FORBIDDEN
        );
        // The list pages by days, and each page begins where the one before it ended.
        let (mut seen, mut next) = (Vec::new(), String::from("/api/v1/office-days?office=B"));
        loop {
            let page = json(&browser.get(&next).await);
            let days = page["days"].as_array().expect("a list");
            seen.extend(days.iter().map(|line| text(line, "day").to_owned()));
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("/api/v1/office-days?office=B&cursor={cursor}");
        }
        assert!(seen.len() > 7, "{seen:?}");
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "newest first, none twice: {seen:?}");
    })
    .await;
}
