//! Jobs at the console and in the API: counted, run, written down, one run at a time; on both databases.

use std::time::Duration;

use axum::http::StatusCode;
use hufu_shared::act::Actor;
use hufu_shared::ids::{OperatorId, RunId};
use hufu_shared::time::{DAY_US, MINUTE_US};
use serde_json::Value;

use super::joining::{json, text};
use super::kit::{Browser, each};
use crate::db::Tx;
use crate::jobs::{self, schedule};
use crate::rules::jobs::Job;
use crate::store::StoreError;
use crate::store::jobs::{self as runs, Began};

/// The run, once it has ended.
async fn ended(browser: &Browser, run: &str) -> Value {
    for _ in 0..200 {
        let found = json(&browser.get(&format!("/api/v1/job-runs/{run}")).await);
        if !found["ended"].is_null() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the run did not end");
}

async fn would(browser: &Browser, job: &str) -> i64 {
    json(&browser.get(&format!("/api/v1/jobs/{job}/dry-run")).await)["would_do"].as_i64().expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g02_a_job_is_counted_first_then_run_and_a_second_run_does_nothing() {
    each(|site| async move {
        let mut browser = Browser::signed_in(&site).await;
        for (name, mobile) in [("禤墨白", "13911112222"), ("盖聂", "13911113333")] {
            let fields = [("route", "website"), ("name", name), ("mobile", mobile)];
            browser.post("/api/v1/applications", &fields).await;
        }
        assert_eq!(would(&browser, "lapse").await, 0);
        site.clock.advance(8 * DAY_US);
        let mut browser = Browser::signed_in(&site).await;
        assert_eq!(
            (would(&browser, "lapse").await, would(&browser, "lapse").await),
            (2, 2),
            "counting does nothing"
        );
        let started = browser.post("/api/v1/jobs/lapse/run", &[]).await;
        assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.text);
        let run = ended(&browser, text(&json(&started), "run")).await;
        assert_eq!((&run["done"], &run["left"], run["error"].is_null()), (&2.into(), &0.into(), true));
        assert_eq!(run["expected"], 2, "it was counted before it began");
        assert!(text(&run, "by").starts_with("admin/"), "{run}");
        assert_eq!(would(&browser, "lapse").await, 0);
        site.clock.advance(1_000_000);
        let again = browser.post("/api/v1/jobs/lapse/run", &[]).await;
        assert_eq!(ended(&browser, text(&json(&again), "run")).await["done"], 0);
        let listed = json(&browser.get("/api/v1/jobs/lapse/runs").await);
        assert_eq!(listed["runs"].as_array().map(Vec::len), Some(2));
        let all = json(&browser.get("/api/v1/jobs").await);
        let jobs = all["jobs"].as_array().expect("jobs");
        assert_eq!(jobs.len(), Job::ALL.len());
        let lapse = jobs.iter().find(|job| job["job"] == "lapse").expect("there");
        assert_eq!((&lapse["due"], &lapse["last"]["done"]), (&false.into(), &0.into()));
        for path in ["/api/v1/jobs/none/runs", "/api/v1/jobs/none/dry-run"] {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let page = browser.get("/jobs?count=1").await;
        for words in ["申请失效", "G1, G2, E1", "完成", "现在会办"] {
            assert!(page.text.contains(words), "{words}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_of_a_job_goes_on_at_a_time_and_one_that_was_cut_off_makes_room() {
    each(|site| async move {
        let by = Actor::Admin(OperatorId([7; 16]));
        let begun = jobs::begin(&site.app, Job::Deadlines, &by).await.expect("begun");
        assert_eq!(begun.1, Began::Now);
        let second = jobs::begin(&site.app, Job::Deadlines, &by).await.expect("asked");
        assert_eq!(second.1, Began::Other(begun.0));
        let mut browser = Browser::signed_in(&site).await;
        let refused = browser.post("/api/v1/jobs/deadlines/run", &[]).await;
        assert_eq!(
            (refused.status, text(&json(&refused), "type")),
            (StatusCode::CONFLICT, "urn:hufu:problem:job-goes-on")
        );
        assert_eq!(browser.post("/jobs/deadlines", &[]).await.status, StatusCode::CONFLICT);
        assert!(browser.get("/jobs").await.text.contains("运行中"));
        assert_eq!(
            jobs::begin(&site.app, Job::Settle, &by).await.expect("begun").1,
            Began::Now,
            "another job"
        );
        // The process died: nothing is heard of the run any more.
        site.clock.advance(11 * MINUTE_US);
        let third = jobs::begin(&site.app, Job::Deadlines, &by).await.expect("begun");
        assert_eq!(third.1, Began::Now);
        let of = |run: RunId| site.app.db.read(move |tx| runs::run(tx, run));
        let first = of(begun.0).await.expect("readable").expect("kept");
        assert_eq!((first.error.as_deref(), first.ended.is_some()), (Some(runs::CUT_OFF), true));
        jobs::go_on(&site.app, Job::Deadlines, third.0).await.expect("ended");
        let third = of(third.0).await.expect("readable").expect("kept");
        assert_eq!((third.error, third.left), (None, Some(0)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_runs_what_is_due_once_and_writes_it_down() {
    each(|site| async move {
        site.clock.advance(60 * DAY_US);
        schedule::round(&site.app).await;
        let all = |job: Job| site.app.db.read(move |tx| runs::runs(tx, job, runs::NEWEST, 10));
        let settled = all(Job::Settle).await.expect("readable");
        assert_eq!(settled.len(), 1, "the history is 40 days old");
        assert_eq!((settled[0].actor.as_str(), settled[0].error.as_deref()), ("job/clock", None));
        assert!(settled[0].done > 0 && settled[0].ended.is_some());
        let activities = all(Job::Activities).await.expect("readable");
        assert!(activities.first().is_some_and(|run| run.done > 0), "K26: nobody ended them: {activities:?}");
        let daily = all(Job::UnclosedDays).await.expect("readable").len();
        schedule::round(&site.app).await;
        for job in [Job::Settle, Job::Activities] {
            assert_eq!(all(job).await.expect("readable").len(), 1, "{job:?} has nothing more to do");
        }
        assert_eq!((daily, all(Job::UnclosedDays).await.expect("readable").len()), (1, 1), "once a day");
        for job in Job::ALL {
            assert!(
                !jobs::is_due(&site.app, job).await.expect("looked")
                    || matches!(job, Job::AutoLeave | Job::UnclosedDays)
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_is_shown_with_how_far_it_is_and_asked_again_until_it_ended() {
    each(|site| async move {
        let browser = Browser::signed_in(&site).await;
        let polls = "hx-get=\"/jobs?live=1\" hx-trigger=\"every 2s\"";
        assert!(!browser.get("/jobs").await.text.contains(polls), "nothing goes on");
        let by = Actor::Admin(OperatorId([7; 16]));
        let (run, _) = jobs::begin(&site.app, Job::Settle, &by).await.expect("begun");
        let (uncounted, _) = jobs::begin(&site.app, Job::Expiry, &by).await.expect("begun");
        let now = site.app.now();
        let going = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            runs::expect(tx, run, 1_200, now)?;
            runs::progress(tx, run, 300, now)?;
            runs::progress(tx, uncounted, 7, now)
        };
        site.app.db.write(going).await.expect("written");
        for path in ["/jobs", "/jobs?live=1"] {
            let page = browser.get(path).await.text;
            assert!(page.contains(polls), "{page}");
            assert!(page.contains("<progress max=\"1200\" value=\"300\"") && page.contains("300 / 1,200"));
            assert!(page.contains("已办 7") && page.contains("更新于 18:00:00"), "{page}");
            assert_eq!(page.contains("<html"), path == "/jobs", "only what goes on is sent again");
        }
        let end = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            runs::finish(tx, run, 1_200, Ok(0), now)?;
            runs::finish(tx, uncounted, 7, Ok(0), now)
        };
        site.app.db.write(end).await.expect("written");
        let over = browser.get("/jobs?live=1").await.text;
        assert!(over.contains("运行已结束") && !over.contains("hx-"), "{over}");
        assert!(!browser.get("/jobs").await.text.contains("运行已结束"));
    })
    .await;
}
