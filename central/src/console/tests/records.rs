//! A member's record through its pages: the list and its filters, drawer, timeline, opened fields, edits over those of
//! others, merging and taking apart; on both databases.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hufu_shared::act::{Act, Actor, DataOpened};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::time::DAY_US;

use super::joining::somebody;
use super::kit::{Browser, Page, Site, each};
use super::members::acts_as;
use super::taking::revealed;
use crate::rules::joining::roles::Role;

/// A page as htmx asks for it to fill the drawer.
async fn in_drawer(site: &Site, browser: &Browser, path: &str) -> Page {
    let request = Request::get(path)
        .header(header::COOKIE, &browser.cookies)
        .header("hx-request", "true")
        .header("hx-target", "drawer");
    site.send(request.body(Body::empty()).expect("a request")).await
}

fn numbers(page: &Page) -> Vec<String> {
    page.all_between("data-label=\"会员编号\">", "<").into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_t01_members_are_narrowed_sorted_and_paged_by_the_address() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let whole = browser.get("/members?size=100").await;
        let all = numbers(&whole);
        assert_eq!(whole.status, StatusCode::OK);
        assert!((40..100).contains(&all.len()), "one page: {}", all.len());
        assert!(whole.text.contains(&format!("共 {} 位会员", all.len())), "and so many are told");
        // Page by page they are the same, in the same order.
        let (mut met, mut path) = (Vec::new(), "/members?size=20".to_owned());
        loop {
            let page = browser.get(&path).await;
            assert!(numbers(&page).len() <= 20);
            met.extend(numbers(&page));
            let Some(next) = page.between("class=\"pager\"><a class=\"button\" href=\"", "\"") else { break };
            path = next.replace("&#38;", "&");
        }
        assert_eq!(met, all);
        let mut turned = Vec::new();
        let mut path = "/members?sort=-joined&size=50".to_owned();
        loop {
            let page = browser.get(&path).await;
            turned.extend(numbers(&page));
            let Some(next) = page.between("class=\"pager\"><a class=\"button\" href=\"", "\"") else { break };
            path = next.replace("&#38;", "&");
        }
        turned.sort();
        assert_eq!(
            turned,
            {
                let mut all = all.clone();
                all.sort();
                all
            },
            "all of them in another order"
        );

        let (row, ..) = somebody(&site, 0).await;
        let details = format!("/api/v1/members/{}/details", row.member);
        let set = [("kind", "enterprise"), ("tags", "老业主"), ("reason", "整理")];
        assert_eq!(browser.post(&details, &set).await.status, StatusCode::OK);
        for path in ["/members?kind=enterprise", "/members?tag=%E8%80%81%E4%B8%9A%E4%B8%BB"] {
            let page = browser.get(path).await;
            assert_eq!(numbers(&page), [row.number.as_str()], "{path}");
            assert!(page.text.contains("清除筛选"));
        }
        let nobody = browser.get("/members?tag=%E6%97%A0").await;
        assert!(numbers(&nobody).is_empty() && nobody.text.contains("没有符合条件"));
        let (_, own) = whole.text.split_once("<main").expect("a page");
        let (_, offices) = own.split_once("<select name=\"office\">").expect("a filter");
        let offices = offices.split("</select>").next().unwrap_or_default();
        let mut sum = 0;
        for office in offices.split("value=\"").skip(2).filter_map(|rest| rest.split('"').next()) {
            sum += numbers(&browser.get(&format!("/members?size=100&office={office}")).await).len();
        }
        assert!(sum > 0 && sum <= all.len(), "{sum}");
        assert_eq!(browser.get("/members?state=moon").await.status, StatusCode::NOT_FOUND);
        assert_eq!(browser.get("/members?sort=joined&cursor=number.00").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_opens_a_drawer_and_the_same_address_a_whole_page() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let list = browser.get("/members").await;
        let link = list.between("data-label=\"姓名\"><a href=\"", "\"").expect("a member").to_owned();
        assert!(list.text.contains(&format!("hx-get=\"{link}\" hx-target=\"#drawer\"")));
        assert!(
            list.text.contains("drawer.js") && list.text.contains("id=\"drawer\" data-back=\"/members\"")
        );
        let (drawer, page) = (in_drawer(&site, &browser, &link).await, browser.get(&link).await);
        for met in [&drawer, &page] {
            assert_eq!(
                (met.status, &met.headers[header::VARY]),
                (StatusCode::OK, &"HX-Target".parse().expect("a header"))
            );
        }
        assert!(!drawer.text.contains("<html") && drawer.text.contains("data-close"), "{}", drawer.text);
        assert!(drawer.text.contains(&format!("href=\"{link}\"")), "the way to the whole page");
        assert!(page.text.contains("<html") && page.text.contains("aria-current=\"page\">动态"));
        for tab in ["timeline", "points", "cards", "visits", "data", "value"] {
            let met = browser.get(&format!("{link}?tab={tab}")).await;
            assert_eq!(met.status, StatusCode::OK, "{tab}");
            assert!(met.text.contains(&format!("href=\"{link}?tab={tab}\" aria-current=\"page\"")), "{tab}");
            assert!(!met.text.contains(">record-"), "{tab}: a text is missing");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k13_the_timeline_says_who_changed_what_from_what_into_what_and_why() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, name, old) = somebody(&site, 0).await;
        let path = format!("/members/{}", row.member);
        let profile = format!("/api/v1{path}/profile");
        let fields = [("mobile", "13911112222"), ("reason", "本人来电更正")];
        assert_eq!(browser.post(&profile, &fields).await.status, StatusCode::OK);
        let page = browser.get(&path).await;
        let first = page.between("<ol class=\"timeline\"><li>", "</li>").expect("a line");
        assert!(first.contains("手机") && first.contains("139****2222") && first.contains(" → "), "{first}");
        assert!(first.contains("本人来电更正"), "why: {first}");
        assert!(
            !page.text.contains(&old) && !page.text.contains("13911112222") && !page.text.contains(&name)
        );
        // Page by page every line is told once.
        let job = Actor::Job("test".to_owned());
        for n in 0..60_u8 {
            let opened = DataOpened { member: row.member, what: "name".to_owned(), reason: Hash([n; 32]) };
            site.app.act(job.clone(), Act::DataOpened(opened)).await.expect("taken");
        }
        let (mut met, mut at) = (0, path.clone());
        loop {
            let page = browser.get(&at).await;
            met += page.text.matches("查看了姓名").count();
            let Some(next) = page.between("class=\"pager\"><a class=\"button\" href=\"", "\"") else { break };
            at = next.replace("&#38;", "&");
        }
        assert_eq!(met, 60);
        assert_eq!(browser.get(&format!("{path}?cursor=x")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f06_a_field_is_opened_for_a_reason_on_record_and_by_quota() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, _, mobile) = somebody(&site, 0).await;
        let path = format!("/members/{}", row.member);
        let open = format!("{path}/open");
        let masked = browser.get(&format!("{path}?tab=data")).await;
        assert!(!masked.text.contains(&mobile) && masked.text.contains("value=\"mobile\">查看"));
        let silent = browser.post(&open, &[("field", "mobile")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!silent.text.contains(&mobile) && silent.text.contains("请先选择查看原因"));
        let other = browser.post(&open, &[("field", "mobile"), ("why", "other")]).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "other says which");
        let why = [("field", "mobile"), ("why", "contact"), ("reason", "活动改期")];
        let opened = browser.post(&open, &why).await;
        assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
        assert!(opened.text.contains(&mobile), "this once");
        assert!(
            opened.text.contains("delay:60s") && opened.text.contains("content=\"60;url="),
            "for a minute"
        );
        assert!(!browser.get(&format!("{path}?tab=data")).await.text.contains(&mobile), "and masked again");
        let timeline = browser.get(&path).await;
        assert!(timeline.text.contains("查看了手机") && timeline.text.contains("联系会员 活动改期"));
        assert_eq!(browser.post(&open, &[("field", "salary"), why[1]]).await.status, StatusCode::NOT_FOUND);
        for _ in 1..60 {
            assert_eq!(browser.post(&open, &why).await.status, StatusCode::OK);
        }
        let over = browser.post(&open, &why).await;
        assert_eq!(over.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(over.text.contains("已达上限") && !over.text.contains(&mobile));
        site.clock.advance(2 * DAY_US);
        let mut browser = Browser::signed_in(&site).await;
        assert_eq!(browser.post(&open, &why).await.status, StatusCode::OK, "another day");
        acts_as(&site, Role::Clerk).await;
        let data = browser.get(&format!("{path}?tab=data")).await;
        assert!(!data.text.contains("value=\"document\">查看"), "no button for who may not");
        let refused = browser.post(&open, &[("field", "document"), why[1]]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_f04_what_somebody_else_saved_is_shown_beside_what_was_typed() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let path = format!("/members/{}/edit", row.member);
        let seen_of =
            |page: &Page| page.between("name=\"seen\" value=\"", "\"").expect("a version").to_owned();
        let seen = seen_of(&browser.get(&path).await);
        let profile = format!("/api/v1/members/{}/profile", row.member);
        let other = [("mobile", "13911112222"), ("reason", "另一位同事")];
        assert_eq!(browser.post(&profile, &other).await.status, StatusCode::OK);

        let typed = [("mobile", "13833334444"), ("email", "a@example.cn"), ("reason", "来电更正")];
        let fields = [("seen", seen.as_str()), typed[0], typed[1], typed[2]];
        let asked = browser.post(&path, &fields).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(asked.text.contains("139****2222") && asked.text.contains("value=\"13833334444\""), "both");
        assert_eq!(asked.text.matches("他人已改").count(), 1, "only the mobile was changed by another");
        assert_eq!(
            revealed(&site, row.member).await.mobile.as_deref(),
            Some("13911112222"),
            "nothing is lost"
        );
        let seen = seen_of(&asked);
        let choice = [
            ("seen", seen.as_str()),
            typed[0],
            ("take-mobile", "theirs"),
            typed[1],
            ("take-email", "mine"),
            typed[2],
        ];
        let saved = browser.post(&path, &choice).await;
        assert_eq!(saved.to(), format!("/members/{}?tab=data&done=saved", row.member), "{}", saved.text);
        let now = revealed(&site, row.member).await;
        assert_eq!(
            (now.mobile.as_deref(), now.email.as_deref()),
            (Some("13911112222"), Some("a@example.cn"))
        );
        let again = browser.post(&path, &choice).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "that version is old by now");
        let seen = seen_of(&browser.get(&path).await);
        let bad = [("seen", seen.as_str()), ("mobile", "12"), ("reason", "更正")];
        let refused = browser.post(&path, &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("value=\"12\"") && refused.text.contains("11 位"), "input is kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_two_records_are_laid_side_by_side_merged_and_taken_apart_within_a_week() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let ((row, name, mobile), (other, ..)) = (somebody(&site, 0).await, somebody(&site, 1).await);
        let of = |member: MemberId| format!("/members/{member}");
        let merge = format!("{}/merge", of(row.member));
        let found = browser.post(&merge, &[("do", "find"), ("find", &other.number)]).await;
        assert!(found.text.contains(&format!("name=\"other\" value=\"{}\"", other.number)), "{}", found.text);
        let pair = browser.post(&merge, &[("do", "look"), ("other", &other.number)]).await;
        assert_eq!(pair.status, StatusCode::OK, "{}", pair.text);
        assert!(pair.text.contains("class=\"differs\"") && pair.text.contains("合并会做什么"));
        assert!(!pair.text.contains(&name) && !pair.text.contains(&mobile), "masked");
        let itself = browser.post(&merge, &[("do", "look"), ("other", &row.number)]).await;
        assert_eq!(itself.status, StatusCode::UNPROCESSABLE_ENTITY);
        let silent = browser.post(&merge, &[("do", "merge"), ("other", &other.number)]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let fields = [("do", "merge"), ("other", other.number.as_str()), ("reason", "重复建档")];
        let done = browser.post(&merge, &fields).await;
        assert_eq!(done.to(), format!("{}?tab=data&done=merged", of(other.member)), "{}", done.text);

        let gone = browser.get(&of(row.member)).await;
        assert!(
            gone.text.contains("并入会员") && gone.text.contains(&format!("href=\"{}\"", of(other.member)))
        );
        assert!(gone.text.contains("撤销合并") && gone.text.contains("重复建档"));
        assert!(!numbers(&browser.get("/members?size=100").await).contains(&row.number), "no longer listed");
        let apart = browser.post(&merge, &[("do", "part"), ("reason", "并非同一人")]).await;
        assert_eq!(apart.to(), format!("{}?done=parted", of(row.member)), "{}", apart.text);
        assert_eq!(browser.post(&merge, &fields).await.status, StatusCode::SEE_OTHER);
        site.clock.advance(8 * DAY_US);
        let mut browser = Browser::signed_in(&site).await;
        assert!(!browser.get(&of(row.member)).await.text.contains("name=\"do\" value=\"part\""));
        let late = browser.post(&merge, &[("do", "part"), ("reason", "并非同一人")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(late.text.contains("超过 7 天"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_member_whose_data_was_erased_says_so() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        let (row, ..) = somebody(&site, 0).await;
        let erase = format!("/api/v1/members/{}/erase", row.member);
        let fields = [("number", row.number.as_str()), ("reason", "本人要求")];
        assert_eq!(browser.post(&erase, &fields).await.status, StatusCode::OK);
        let path = format!("/members/{}", row.member);
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::GONE);
        assert!(page.text.contains("资料已于") && page.text.contains("href=\"/members\""), "{}", page.text);
        let drawer = in_drawer(&site, &browser, &path).await;
        assert_eq!(drawer.headers["hx-redirect"], path.as_str(), "to the page that says so");
    })
    .await;
}
