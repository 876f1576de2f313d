//! The queue of joining through its pages: both lists, the four outcomes, calls; on both databases.

use axum::http::StatusCode;

use super::joining::{json, somebody, text};
use super::kit::{Browser, Page, each};

const APPLICATIONS: &str = "/api/v1/applications";

async fn files(browser: &mut Browser, fields: &[(&str, &str)]) -> String {
    let filed = browser.post(APPLICATIONS, fields).await;
    assert_eq!(filed.status, StatusCode::CREATED, "{}", filed.text);
    format!("/joining/{}", text(&json(&filed), "application"))
}

/// What is wrong, as the page says it.
fn told(page: &Page) -> &str {
    page.between("role=\"alert\" tabindex=\"-1\">", "<").unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k07_k08_each_outcome_is_decided_by_its_key_beside_the_two_lists() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, name, mobile) = somebody(&site, 0).await;
        let person = [("name", name.as_str()), ("mobile", mobile.as_str())];
        let one = files(&mut browser, &person).await;
        let two = files(&mut browser, &person).await;
        let page = browser.get(&two).await;
        for key in ["1", "2", "3", "4"] {
            assert!(page.text.contains(&format!("data-key=\"{key}\"")), "{key}");
        }
        assert!(page.text.contains("name=\"alike\"") && page.text.contains("name=\"with-"), "{}", page.text);
        let listed = page.between("<main", "</main>").expect("a page");
        assert!(!listed.contains(&mobile) && !listed.contains(&name), "masked");
        let member = row.member.to_string();
        let other = format!("with-{}", one.trim_start_matches("/joining/"));
        let reason = ("reason", "资料已核");
        for (what, chosen) in [
            ("new", vec![("alike", member.as_str())]),
            ("member", vec![]),
            ("both", vec![("alike", member.as_str())]),
            ("merge", vec![("alike", member.as_str()), (other.as_str(), "1")]),
        ] {
            let fields: Vec<(&str, &str)> = [("do", what), reason].into_iter().chain(chosen).collect();
            let met = browser.post(&two, &fields).await;
            assert_eq!(met.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
            assert!(told(&met).contains("不符"), "{what}: {}", told(&met));
        }
        let silent = [("do", "both"), ("alike", member.as_str()), (other.as_str(), "1")];
        assert_eq!(told(&browser.post(&two, &silent).await), "请填写原因。");
        let done = browser.post(&two, &[silent[0], silent[1], silent[2], reason]).await;
        assert_eq!(done.to(), "/joining?done=both", "{}", told(&done));
        for path in [&one, &two] {
            let gone = browser.get(path).await;
            assert_eq!(gone.status, StatusCode::GONE, "{path}");
            assert!(gone.text.contains(&format!("href=\"/members/{member}\"")), "and leads on");
        }

        let three = files(&mut browser, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        let page = browser.get(&three).await;
        assert!(!page.text.contains("data-key=\"1\"") && page.text.contains("data-key=\"4\""), "like nobody");
        let four = files(&mut browser, &[("name", "禤墨白"), ("mobile", "13911112222")]).await;
        let with = format!("with-{}", three.trim_start_matches("/joining/"));
        let merge = [("do", "merge"), (with.as_str(), "1"), reason];
        assert!(told(&browser.post(&four, &merge).await).contains("最终的"), "final contact data");
        let done = browser.post(&four, &[merge[0], merge[1], merge[2], ("mobile", "13911112222")]).await;
        assert_eq!(done.to(), "/joining?done=merge", "{}", told(&done));
        let five = files(&mut browser, &[("name", "盖聂云")]).await;
        let done = browser.post(&five, &[("do", "new"), reason, ("number", "QD-77")]).await;
        assert_eq!(done.to(), "/joining?done=new", "{}", told(&done));
        assert!(browser.get(&five).await.text.contains("QD-77"), "which member it became");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_looks_like_nobody_goes_to_a_member_who_was_found_or_is_turned_down() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let path = files(&mut browser, &[("name", "禤墨白")]).await;
        let found = browser.post(&path, &[("do", "find"), ("find", &row.number), ("reason", "已致电")]).await;
        assert_eq!(found.status, StatusCode::OK);
        assert!(found.text.contains("已致电"), "input is kept");
        let member = found.between("name=\"alike\" value=\"", "\"").expect("found").to_owned();
        assert_eq!(member, row.member.to_string());
        let fields = [("do", "member"), ("alike", member.as_str()), ("reason", "已致电")];
        assert_eq!(browser.post(&path, &fields).await.to(), "/joining?done=member");
        assert_eq!(browser.post(&path, &fields).await.status, StatusCode::GONE, "decided once");
        let path = files(&mut browser, &[("name", "盖聂云")]).await;
        let done = browser.post(&path, &[("do", "reject"), ("reason", "资料不实")]).await;
        assert_eq!(done.to(), "/joining?done=reject");
        assert_eq!(browser.get(&path).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g02_who_is_to_be_called_first_is_reminded_of_on_the_day() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (later, today) = (
            files(&mut browser, &[("name", "禤墨白")]).await,
            files(&mut browser, &[("name", "盖聂云")]).await,
        );
        let call = |day: &'static str| [("do", "call"), ("day", day)];
        let past = browser.post(&later, &call("2026-11-21")).await;
        assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told(&past).contains("60 天"));
        assert_eq!(browser.post(&later, &call("2026-11-30")).await.to(), "/joining?done=call");
        assert_eq!(browser.post(&today, &call("2026-11-22")).await.to(), "/joining?done=call");
        let queue = browser.get("/joining").await;
        assert!(queue.text.contains("有 1 份申请今日应致电") && queue.text.contains("致电 2026-11-30"));
        let (at, of) = (queue.text.find(&later), queue.text.find(&today));
        assert!(of.expect("listed") < at.expect("listed"), "who is to be called later waits behind");
        let due = browser.get("/joining?only=call").await;
        assert!(due.text.contains(&today) && !due.text.contains(&later));
        let done = browser.post(&today, &[("do", "new"), ("reason", "已核实")]).await;
        assert_eq!(done.to(), "/joining?done=new");
        assert!(
            !browser.get("/joining").await.text.contains("份申请今日应致电"),
            "no reminder of what is done"
        );
    })
    .await;
}
