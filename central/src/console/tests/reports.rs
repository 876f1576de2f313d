//! Reports against what the test itself wrote down, on both databases.

use axum::http::{StatusCode, header};
use hufu_shared::act::{Act, Actor, BalancesOpened, BirthdayUsed, MemberSet, Opening};
use hufu_shared::fact::{Event, Purpose, RefusalReason, Refused, ToppedUp, Visited};
use hufu_shared::ids::{Hash, MemberId, OfficeId, OperatorId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Day, MINUTE_US, OfficeClock};
use serde_json::Value;

use super::bills;
use super::kit::{Browser, Page, Site, each, empty};
use super::taking::{card_in_use, record};
use crate::db::testing::prepare_all;
use crate::import::grid;
use crate::store::people;
use crate::store::reports::{Report, SQL};

const WHO: MemberId = MemberId([0xe4; 16]);

fn today(site: &Site) -> Day {
    OfficeClock::default().business_day(site.app.now())
}

/// The address of a report of one day, compared with nothing.
fn of_day(report: &str, day: Day) -> String {
    format!("/reports/{report}?from={day}&until={day}&step=day&against=nothing")
}

/// The table of a block, cell by cell; nothing where the page says that there is none.
fn table(page: &Page, block: &str) -> Vec<Vec<String>> {
    let Some(from) = page.text.find(&format!("id=\"table-{block}\"")) else { return Vec::new() };
    let rest = &page.text[from..];
    let body = &rest[rest.find("<tbody>").expect("rows")..rest.find("</tbody>").expect("an end")];
    let cell = |cell: &str| {
        let (_, text) = cell.split_once('>').expect("a cell");
        let text = text.strip_prefix("<span>").unwrap_or(text);
        text.split('<').next().unwrap_or_default().to_owned()
    };
    body.split("<tr>").skip(1).map(|row| row.split("<td ").skip(1).map(cell).collect::<Vec<_>>()).collect()
}

/// A figure as it is written: a count, points, or fen of an amount; nothing is zero.
fn figure(text: &str) -> i64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let value: i64 = digits.parse().unwrap_or_default();
    if text.starts_with('−') { -value } else { value }
}

/// The figure in a column of the row that begins with a label; zero without such a row.
fn at(rows: &[Vec<String>], label: &str, column: usize) -> i64 {
    rows.iter().find(|row| row[0].starts_with(label)).map_or(0, |row| figure(&row[column]))
}

async fn shown(browser: &Browser, report: &str, day: Day) -> Page {
    let page = browser.get(&of_day(report, day)).await;
    assert_eq!(page.status, StatusCode::OK, "{report}: {}", page.text);
    page
}

async fn pays_in(site: &Site, fen: i64, method: &str) {
    let (subject, _) = card_in_use(site).await;
    let (amount, method) = (Amount(fen), method.to_owned());
    record(site, Event::ToppedUp(ToppedUp { subject, amount, method, slip: None }), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_count_what_terminals_recorded() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let key = day.to_string();
        let before = [
            at(&table(&shown(&browser, "visits", day).await, "visits"), &key, 1),
            at(&table(&shown(&browser, "money", day).await, "money"), &key, 1),
            at(&table(&shown(&browser, "refusals", day).await, "refusals"), "R05", 1),
        ];
        let (subject, _) = card_in_use(&site).await;
        record(&site, Event::Visited(Visited { subject: subject.clone() }), None).await;
        pays_in(&site, 30_000, "cash").await;
        pays_in(&site, 3_050, "wechat").await;
        let refused = |count| Refused {
            subject: Some(subject.clone()),
            purpose: Purpose::Visit,
            reason: RefusalReason::R05,
            count,
        };
        record(&site, Event::Refused(refused(3)), None).await;
        record(&site, Event::Refused(refused(1)), None).await;

        let visits = shown(&browser, "visits", day).await;
        let rows = table(&visits, "visits");
        assert_eq!(at(&rows, &key, 1) - before[0], 1);
        let offices = table(&visits, "visits_by_office");
        for column in 1..4 {
            let all = at(&rows, &key, column);
            assert_eq!(sum(&offices, column), all, "offices add up to the club: {offices:?}");
        }
        let money = shown(&browser, "money", day).await;
        assert_eq!(at(&table(&money, "money"), &key, 1) - before[1], 33_050);
        let methods = table(&money, "money_by_method");
        assert!(at(&methods, "现金", 1) >= 30_000 && at(&methods, "微信支付", 1) >= 3_050, "{methods:?}");
        assert_eq!(sum(&methods, 1), at(&table(&money, "money"), &key, 1), "methods add up: {methods:?}");
        let refusals = table(&shown(&browser, "refusals", day).await, "refusals");
        assert_eq!(at(&refusals, "R05", 1) - before[2], 4, "as often as it was repeated: {refusals:?}");
        let operators = table(&shown(&browser, "operators", day).await, "operators");
        assert!(sum(&operators, 5) >= 33_050, "top-ups as they were recorded: {operators:?}");
        let terminals = table(&shown(&browser, "terminals", day).await, "terminals");
        assert!(terminals.iter().any(|row| figure(&row[2]) >= 5), "{terminals:?}");
    })
    .await;
}

/// The sum of a column.
fn sum(rows: &[Vec<String>], column: usize) -> i64 {
    rows.iter().map(|row| figure(&row[column])).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_reports_count_in_two_ways_comes_to_the_same() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let query = format!("from={}&until={day}&step=week&against=nothing", day.plus(-13));
        let visits = table(&browser.get(&format!("/reports/visits?{query}")).await, "visits");
        let page = browser.get(&format!("/reports/activities?{query}")).await;
        let (holdings, gates) = (table(&page, "holdings"), table(&page, "gates"));
        assert!(sum(&holdings, 2) > 0, "the history has salons: {holdings:?}");
        assert_eq!(sum(&holdings, 2), sum(&visits, 2), "check-ins of visits are those of holdings");
        assert_eq!(sum(&gates, 3), sum(&holdings, 2));
        let page = browser.get(&format!("/reports/members?{query}")).await;
        let active = at(&table(&page, "made_up"), "在会", 1);
        assert!(active > 0);
        for block in ["made_up_levels", "made_up_offices"] {
            assert_eq!(sum(&table(&page, block), 1), active, "{block}");
        }
        assert_eq!(
            sum(&table(&page, "origin"), 1),
            sum(&table(&page, "members"), 1),
            "who joined came from somewhere"
        );
        // Days told one by one are those told by the week, but for members who came on several.
        let daily = format!("/reports/visits?{}", query.replace("step=week", "step=day"));
        let daily = table(&browser.get(&daily).await, "visits");
        for column in [1, 2, 3] {
            assert_eq!(sum(&daily, column), sum(&visits, column));
        }
        assert!(sum(&daily, 4) >= sum(&visits, 4));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_stand_beside_those_of_the_period_before() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let alone = |from: Day, until: Day| {
            format!("/reports/visits?from={from}&until={until}&step=month&against=nothing")
        };
        let now = table(&browser.get(&alone(day.plus(-2), day)).await, "visits_by_office");
        let before = table(&browser.get(&alone(day.plus(-5), day.plus(-3))).await, "visits_by_office");
        let path = format!("/reports/visits?from={}&until={day}&step=month&against=before", day.plus(-2));
        let page = browser.get(&path).await;
        assert_eq!(table(&page, "visits_by_office"), now, "the same figures");
        assert!(page.text.contains(&format!("对比：{} 至 {}", day.plus(-5), day.plus(-3))), "{}", page.text);
        let from = page.text.find("id=\"table-visits_by_office\"").expect("a table");
        let block = &page.text[from..];
        for (row, last) in now.iter().zip(&before) {
            let own = block.split("<tr>").find(|line| line.contains(&row[0])).expect("the office");
            let told = format!("对比期 {}", last[1]);
            assert!(own.contains(&told), "{told}: {own}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_over_time_lead_from_one_end_of_day_to_the_next() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let path = format!("/reports/points?from={}&until={day}&step=day&against=nothing", day.plus(-20));
        let rows = table(&browser.get(&path).await, "points");
        assert_eq!(rows.len(), 21, "a row for each day");
        let book: Vec<Vec<i64>> =
            rows.iter().map(|row| row[1..].iter().map(|cell| figure(cell)).collect()).collect();
        assert!(book.iter().any(|row| row[0] > 0), "the history gives points: {rows:?}");
        for (at, row) in book.iter().enumerate() {
            let [earned, taken, spent, expired, other, change, end] = row[..] else { panic!("{row:?}") };
            assert_eq!(earned - taken - spent - expired + other, change, "{:?}", rows[at]);
            if let Some(last) = at.checked_sub(1).map(|last| book[last][6]) {
                assert_eq!(last + change, end, "{:?}", rows[at]);
            }
        }
        // What is brought over is in what members have, and is no gift of the day.
        let row = MemberSet {
            member: WHO,
            number: "X1".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([1; 32]),
            joined: None,
        };
        let leg = Leg { unit: Unit::Pts, amount: Amount(500) };
        let opening = Opening { member: WHO, leg, office: OfficeId([0xa0; 16]), at: None };
        let opened =
            BalancesOpened { batch: "points".to_owned(), rows: vec![opening], reason: Hash([2; 32]) };
        for act in [Act::MembersSet(vec![row]), Act::BalancesOpened(opened)] {
            site.app.act(Actor::Job("test".to_owned()), act).await.expect("taken");
        }
        let after = table(&browser.get(&path).await, "points");
        let of = |rows: &[Vec<String>], column: usize| figure(&rows[20][column]);
        let more = [1, 5, 6, 7].map(|column| of(&after, column) - of(&rows, column));
        assert_eq!(more, [0, 500, 500, 500], "given, other, change, outstanding");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ui_g05_every_report_says_what_was_asked_as_of_when_in_which_zone_and_who_is_still_to_upload() {
    each(|site| async move {
        // Nobody was heard of since.
        site.clock.advance(6 * 60 * MINUTE_US);
        let mut browser = Browser::signed_in(&site).await;
        let session = browser.cookies.clone();
        let day = today(&site);
        let offices = site.app.db.read(people::offices).await.expect("offices");
        // The terminals of the other two were revoked.
        let office = offices.iter().find(|row| row.code == "C").expect("an office");
        for language in ["zh-CN", "en"] {
            browser.cookies = format!("{session}; hufu_lang={language}");
            for report in Report::ALL.map(Report::code) {
                let path = format!("/reports/{report}?office=C&from={}&until={day}&step=week", day.plus(-40));
                let page = browser.get(&path).await;
                assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
                let said: [String; 4] = match language {
                    "en" => ["Data as of", "Asia/Shanghai", "Terminals still to upload", "by week"],
                    _ => ["数据截至", "Asia/Shanghai", "台终端尚未上传", "按周"],
                }
                .map(str::to_owned);
                let chosen = format!("<option value=\"{}\" selected>", office.office);
                for words in said.iter().chain([&chosen]) {
                    assert!(page.text.contains(words.as_str()), "{report}: {words}");
                }
                for key in ["report-", "method-", "member-active"] {
                    let open = format!(">{key}");
                    assert!(!page.text.contains(&open), "{report}: {:?}", page.between(&open, "<"));
                }
                for chart in page.all_between("<script type=\"application/json\" id=\"", "</script>") {
                    let (_, data) = chart.split_once('>').expect("data");
                    let data: Value = serde_json::from_str(data).expect("JSON");
                    let labels = data["labels"].as_array().expect("labels").len();
                    let series = data["series"].as_array().expect("series");
                    assert!(!series.is_empty(), "{report}: {data}");
                    for one in series {
                        let drawn = ["values", "texts"].map(|key| one[key].as_array().map(Vec::len));
                        assert_eq!(drawn, [Some(labels); 2], "{report}: {data}");
                    }
                }
            }
        }
        for lost in ["/reports/moon", "/reports/visits?office=X9", "/reports/daily?office=X9"] {
            assert_eq!(browser.get(lost).await.status, StatusCode::NOT_FOUND, "{lost}");
        }
        // What cannot be read is as usual, and days the wrong way round are turned.
        let odd = browser.get("/reports/visits?from=moon&until=2026-13-01&step=year&against=x").await;
        assert!(odd.text.contains(&format!("value=\"{day}\"")), "{}", odd.text);
        let turned = browser.get(&format!("/reports/visits?from={day}&until={}", day.plus(-2))).await;
        assert!(turned.text.contains(&format!("name=\"from\" value=\"{}\"", day.plus(-2))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_has_the_figures_of_its_page() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let path = format!("/reports/visits?from={}&until={day}&step=day&against=nothing", day.plus(-6));
        let page = browser.get(&path).await;
        let rows = table(&page, "visits");
        let sheet = page.between("href=\"/reports/visits/xlsx?", "\"").expect("a link").replace("&#38;", "&");
        let file = browser.get(&format!("/reports/visits/xlsx?{}", sheet.replace("&amp;", "&"))).await;
        assert_eq!(file.status, StatusCode::OK);
        let name = file.headers[header::CONTENT_DISPOSITION].to_str().expect("text");
        assert!(name.contains(&format!("hufu-visits-{}-{day}.xlsx", day.plus(-6))), "{name}");
        let grid = grid::read(&file.bytes, grid::Encoding::Auto, None).expect("a workbook");
        let cells: Vec<Vec<String>> = grid.rows.into_iter().map(|row| row.cells).collect();
        let whole = format!("{cells:?}");
        for words in ["到访趋势", "数据截至", "期间：", "台终端尚未上传"] {
            assert!(whole.contains(words), "{words}: {whole}");
        }
        assert_eq!(rows.len(), 7);
        for row in &rows {
            let known = cells.iter().find(|cells| cells.first() == Some(&row[0])).expect("the day");
            let met: Vec<i64> = known[1..row.len()].iter().map(|cell| figure(cell)).collect();
            let wanted: Vec<i64> = row[1..].iter().map(|cell| figure(cell)).collect();
            assert_eq!(met, wanted, "{row:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s09_uses_of_the_birthday_discount_stand_in_the_monthly_list() {
    each(|site| async move {
        bills::club(&site).await;
        let browser = Browser::signed_in(&site).await;
        let day = today(&site);
        let office = site.app.db.read(people::offices).await.expect("offices").swap_remove(0);
        let used = BirthdayUsed {
            id: Hash([7; 32]),
            member: bills::WHO,
            office: office.office,
            slip: "S-77".to_owned(),
            reason: Hash([3; 32]),
        };
        let before = shown(&browser, "changes", day).await;
        site.app.act(Actor::Admin(OperatorId([9; 16])), Act::BirthdayUsed(used)).await.expect("taken");
        let after = shown(&browser, "changes", day).await;
        let count = |page: &Page| at(&table(page, "changes"), "生日优惠使用", 1);
        assert_eq!(count(&after) - count(&before), 1);
        let list = table(&after, "birthday_uses");
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(list[0][..3], [day.to_string(), "X1".to_owned(), "S-77".to_owned()]);
        let other = shown(&browser, "changes", day.plus(-1)).await;
        assert_eq!(count(&other), 0, "another day");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_report_opens_with_its_figures_and_names_who_is_missing() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let (subject, _) = card_in_use(&site).await;
        record(&site, Event::Visited(Visited { subject }), None).await;
        let day = today(&site);
        let page = browser.get("/reports/daily").await;
        let sentence = page.between("<p class=\"opening\">", "</p>").expect("a sentence");
        assert!(sentence.starts_with("当日到访 "), "{sentence}");
        assert!(sentence.contains("台终端尚未上传"), "nothing was heard of them for a minute: {sentence}");
        for words in ["数据截至", "上周同日", "查看于", "全部案场"] {
            assert!(page.text.contains(words), "{words}");
        }
        // The figure is the one of the report behind it.
        let visits = table(&shown(&browser, "visits", day).await, "visits");
        let came: i64 = [1, 2].map(|column| figure(&visits[0][column])).iter().sum();
        let (_, said) = sentence.split_once("当日到访 ").expect("a figure");
        assert_eq!(figure(said.split(' ').next().expect("a figure")), came, "{sentence}");
        let none = browser.get(&format!("/reports/daily?day={}", day.plus(-25))).await;
        let sentence = none.between("<p class=\"opening\">", "</p>").expect("a sentence");
        assert!(
            sentence.starts_with("当日没有任何业务记录") || sentence.contains("目前收到的数据"),
            "{sentence}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_club_without_anything_has_reports_that_say_so() {
    let site = std::sync::Arc::new(empty().await);
    let browser = Browser::signed_in(&site).await;
    for report in Report::ALL.map(Report::code).into_iter().chain(["daily"]) {
        let page = browser.get(&format!("/reports/{report}")).await;
        assert_eq!(page.status, StatusCode::OK, "{report}: {}", page.text);
        assert!(!page.text.contains("<tbody></tbody>"), "{report}");
    }
    assert!(browser.get("/reports/visits").await.text.contains("所选期间没有数据。"));
}

#[tokio::test]
async fn statements_of_reports_are_taken_by_both_engines() {
    prepare_all(&[&SQL]).await;
}
