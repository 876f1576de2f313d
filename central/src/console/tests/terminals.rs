//! Terminals at the console: contact of a day, how each is, the alarm of silence; and the office switch. On both databases.

use axum::http::{StatusCode, header};
use hufu_shared::act::Actor;
use hufu_shared::ids::{DeviceId, OperatorId};
use hufu_shared::time::{DAY_US, Instant, MINUTE_US};
use hufu_shared::wire::health::{Attached, Health, Piece};
use hufu_shared::wire::version::Version;

use super::joining::json;
use super::kit::{Browser, Site, each};
use crate::db::{SqlFile, Tx};
use crate::jobs;
use crate::rules::jobs::Job;
use crate::store::contact::{self, Heartbeat};
use crate::store::devices::{self, DeviceLine};
use crate::store::jobs as runs;
use crate::store::{StoreError, people};

static PROBE: SqlFile = SqlFile::new("probe", include_str!("probe.sql"));

/// A terminal polls now and says how it is.
async fn polls(site: &Site, queued: u64, health: Option<Health>) -> DeviceLine {
    let version = Version { epoch: 1, n: 1 };
    let beat = Heartbeat {
        address: "127.0.0.1".to_owned(),
        queued,
        notices: 0,
        directory: version,
        block: version,
        readiness: None,
        health,
    };
    let now = site.app.now();
    let work = move |tx: &mut Tx<'_>| -> Result<DeviceLine, StoreError> {
        let device = DeviceId(tx.query_one(PROBE.get("a_device"), &[])?.array(0)?);
        contact::heard(tx, device, &beat, now)?;
        Ok(devices::list(tx)?.into_iter().find(|line| line.device == device).expect("in the list"))
    };
    site.app.db.write(work).await.expect("heard")
}

fn piece(kind: Attached, name: &str, up: bool) -> Piece {
    Piece { kind, name: name.to_owned(), up }
}

fn health(now: Instant) -> Health {
    Health {
        software: Some("9.8.7".to_owned()),
        oldest: Some(now.offset(-125 * MINUTE_US)),
        clock_us: Some(3_200_000),
        used_percent: Some(31),
        free_bytes: Some(12_345_678_901),
        pieces: vec![piece(Attached::Reader, "ACS", true), piece(Attached::Display, "OLED <1>", false)],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_its_day_of_contact_and_how_it_is_in_words() {
    each(|site| async move {
        // Long after the history: of the last day only what follows is known.
        site.clock.advance(3 * DAY_US - 75 * MINUTE_US);
        polls(&site, 0, None).await;
        site.clock.advance(75 * MINUTE_US);
        let line = polls(&site, 14, Some(health(site.app.now()))).await;
        let browser = Browser::signed_in(&site).await;
        let list = browser.get("/devices").await.text;
        let row = list.split("<tr>").find(|row| row.contains(&format!("/devices/{}", line.device)));
        let row = row.expect("a row").to_owned();
        let page = browser.get(&format!("/devices/{}", line.device)).await.text;
        for shown in [&row, &page] {
            for part in [
                "在线",
                "aria-label=\"过去 24 小时：有联系 30 分钟，2 次无联系，最长 22 小时 30 分钟\"",
                "<rect class=\"heard\"",
                "14（最久 2 小时）",
                "慢 3 秒",
                "已用 31%，磁盘余 12.3 GB",
                "9.8.7",
            ] {
                assert!(shown.contains(part), "{part} is missing in {shown}");
            }
            assert!(!shown.contains(" style=") && !shown.contains("OLED <1>"), "escaped: {shown}");
        }
        assert!(row.contains("badge bad\">故障：OLED"), "{row}");
        assert!(page.contains("读卡器 ACS</dt><dd><span class=\"badge ok\">正常"), "{page}");
        assert!(page.contains("17:00 至 18:00 无联系（1 小时）"), "{page}");
        let told = json(&browser.get("/api/v1/devices").await);
        let told = told["devices"].as_array().expect("a list").iter();
        let told = told.clone().find(|one| one["health"]["clock_us"] == 3_200_000).expect("said");
        assert_eq!((&told["alarmed"], &told["software"]), (&false.into(), &"9.8.7".into()));
        assert_eq!(told["health"]["pieces"][1]["kind"], "display");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_raises_an_alarm_while_the_office_is_open_and_beyond_its_own_limit() {
    each(|site| async move {
        let line = polls(&site, 0, None).await;
        let link = format!("/devices/{}", line.device);
        // It is 18:00, and the office closes.
        site.clock.advance(40 * MINUTE_US);
        let mut browser = Browser::signed_in(&site).await;
        let alarmed =
            async |browser: &Browser| browser.get("/devices?state=alarm").await.text.contains(&link);
        assert!(!alarmed(&browser).await, "it is closed");
        assert!(browser.get("/devices?state=offline").await.text.contains("离线 40 分钟"));
        let path = format!("/devices/watch/{}", line.office);
        for (silent, opens, said) in [("4", "08:00", "5 至 1440"), ("20", "8", "00:00 至 23:59")] {
            let fields = [("silent", silent), ("opens", opens), ("closes", "23:00")];
            let refused = browser.post(&path, &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.between("role=\"alert\"", "</p>").expect("says why").contains(said));
            let typed = format!("name=\"silent\" min=\"5\" max=\"1440\" required value=\"{silent}\" aria-");
            assert!(refused.text.contains(&typed), "what was typed is kept: {}", refused.text);
        }
        let fields = [("silent", "20"), ("opens", "08:00"), ("closes", "23:00")];
        let set = browser.post(&path, &fields).await;
        assert_eq!((set.status, set.to()), (StatusCode::SEE_OTHER, "/devices"), "{}", set.text);
        assert!(alarmed(&browser).await, "40 minutes are more than 20");
        let list = browser.get("/devices").await.text;
        assert!(
            list.contains("营业时间 08:00 至 23:00（Asia/Shanghai）内，静默超过 20 分钟即告警"),
            "{list}"
        );
        assert!(list.contains("台终端在营业时间内静默超过案场时限"), "{list}");
        let home = browser.get("/").await;
        let todos = home.between("class=\"todos\"", "</ul>").expect("something waits");
        assert!(todos.contains(&link), "{todos}");
        let nowhere = format!("/devices/watch/{}", line.device);
        assert_eq!(browser.post(&nowhere, &fields).await.status, StatusCode::NOT_FOUND);
        polls(&site, 0, None).await;
        assert!(!alarmed(&browser).await, "it is there again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_narrows_to_one_office_and_says_which() {
    each(|site| async move {
        let line = polls(&site, 0, None).await;
        let (code, name) = line.office_words.clone().expect("an office");
        let title = format!("<h2>{code} {}", name.zh);
        let mut browser = Browser::signed_in(&site).await;
        let session = browser.cookies.clone();
        let all = browser.get("/devices").await.text;
        assert!(all.matches("<h2>").count() > 1 && all.contains("<option value=\"all\">全部案场"), "{all}");
        let office = line.office.to_string();
        let back = "/cash?office=nobody&day=2026-11-22";
        let sent = browser.post_bare("/look", &[("office", office.as_str()), ("back", back)]).await;
        assert_eq!(sent.to(), "/cash?day=2026-11-22", "another office is not asked for any more");
        let kept = sent.headers[header::SET_COOKIE].to_str().expect("text").to_owned();
        assert!(kept.starts_with(&format!("hufu_office={office};")), "{kept}");
        browser.cookies = format!("{session}; hufu_office={office}");
        let one = browser.get("/devices").await.text;
        assert!(one.contains(&title) && one.matches("<h2>").count() == 1, "{one}");
        assert!(one.contains(&format!("<option value=\"{office}\" selected>")), "{one}");
        for path in ["/", "/days", "/members", "/cash"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(page.text.contains(&format!("<option value=\"{office}\" selected>")), "{path}");
        }
        let members = browser.get("/members").await.text;
        let rows: Vec<&str> = members.split("<tr>").skip(2).collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.contains(&format!(">{}</td>", name.zh))));
        let cash = browser.get("/cash").await.text;
        assert!(cash.contains(&format!("<p class=\"quiet\">{code} {} · ", name.zh)), "{cash}");
        // Of an office that is not there nothing is narrowed.
        browser.cookies = format!("{session}; hufu_office=02020202-0202-0202-0202-020202020202");
        assert_eq!(browser.get("/devices").await.text.matches("<h2>").count(), all.matches("<h2>").count());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_an_office_sums_up_with_the_others_to_that_of_all() {
    each(|site| async move {
        // Into the history.
        site.clock.advance(-DAY_US);
        let browser = Browser::signed_in(&site).await;
        let offices = site.app.db.read(people::offices).await.expect("offices");
        let figures = async |office: &str| {
            let mut narrowed = Browser::stranger(&site);
            narrowed.cookies = format!("{}; hufu_office={office}", browser.cookies);
            let page = narrowed.get("/").await;
            let met = page.all_between("<span class=\"figure\">", "<small>");
            let number = |text: &&str| text.replace(',', "").replace('−', "-").parse::<i64>().ok();
            // Members may be seen at two offices; terminals and cases are no plain sums.
            [0, 2].map(|at| number(&met[at]).expect("a figure"))
        };
        let all = figures("all").await;
        let mut sum = [0; 2];
        for office in &offices {
            let one = figures(&office.office.to_string()).await;
            sum = [sum[0] + one[0], sum[1] + one[1]];
        }
        assert!(all.iter().any(|figure| *figure != 0), "something happened: {all:?}");
        assert_eq!(sum, all);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_waits_for_a_person() {
    each(|site| async move {
        let by = Actor::Admin(OperatorId([7; 16]));
        let (run, _) = jobs::begin(&site.app, Job::Settle, &by).await.expect("begun");
        let now = site.app.now();
        site.app
            .db
            .write(move |tx| runs::finish(tx, run, 0, Err("the disk is full"), now))
            .await
            .expect("kept");
        let browser = Browser::signed_in(&site).await;
        let home = browser.get("/").await;
        let todos = home.between("class=\"todos\"", "</ul>").expect("something waits");
        assert!(todos.contains("<a href=\"/jobs\"><span class=\"dot bad\">"), "{todos}");
        assert!(todos.contains("上次运行失败"), "{todos}");
    })
    .await;
}
