//! `hufu-central jobs`: which jobs there are and what waits for them; runs one, or counts what it would do.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use hufu_shared::act::Actor;
use hufu_shared::time::OfficeClock;
use serde_json::json;

use super::{EXIT_FAILED, EXIT_OK};
use crate::app::App;
use crate::jobs::{self, publisher};
use crate::rules::jobs::Job;
use crate::store::jobs::{self as runs, Began, Run};

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
pub struct JobsArgs {
    /// What to do; the list by default
    #[command(subcommand)]
    pub command: Option<JobsCommand>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum JobsCommand {
    /// All jobs: what each would do now, and its last run
    List,
    /// Run a job now
    Run {
        /// Its name, as the list has it
        #[arg(value_parser = named)]
        job: Job,
        /// Only count what it would do
        #[arg(long)]
        dry_run: bool,
    },
}

fn named(text: &str) -> Result<Job, String> {
    let names = || Job::ALL.map(Job::code).join(", ");
    Job::from_code(text).ok_or_else(|| format!("no such job; there are {}", names()))
}

/// Runs the command; prints what it did and answers the exit code.
///
/// # Errors
/// If the database cannot be read, or the job fails; what it did before stays done.
pub async fn run(args: &JobsArgs, app: &App) -> anyhow::Result<u8> {
    match args.command.clone().unwrap_or(JobsCommand::List) {
        JobsCommand::List => list(args.json, app).await,
        JobsCommand::Run { job, dry_run: true } => {
            let would = jobs::dry_run(app, job).await?;
            if args.json {
                println!("{}", json!({ "job": job.code(), "would_do": would }));
            } else {
                println!("{}: would do {would}; nothing was done", job.code());
            }
            Ok(EXIT_OK)
        }
        JobsCommand::Run { job, dry_run: false } => run_one(args.json, app, job).await,
    }
}

async fn run_one(as_json: bool, app: &App, job: Job) -> anyhow::Result<u8> {
    let by = Actor::Command("jobs run".to_owned());
    let (run, Began::Now) = jobs::begin(app, job, &by).await? else {
        eprintln!("hufu-central: a run of {} goes on already", job.code());
        return Ok(EXIT_FAILED);
    };
    let done = jobs::go_on(app, job, run).await?;
    publisher::publish_now(&app.db).await?;
    let left = app.db.read(move |tx| runs::run(tx, run)).await?.and_then(|run| run.left).unwrap_or(0);
    if as_json {
        println!("{}", json!({ "job": job.code(), "run": run, "done": done, "left": left }));
    } else {
        println!("{}: did {done}, {left} left", job.code());
    }
    Ok(EXIT_OK)
}

async fn list(as_json: bool, app: &App) -> anyhow::Result<u8> {
    let mut all = Vec::new();
    for job in Job::ALL {
        let last = app.db.read(move |tx| runs::runs(tx, job, runs::NEWEST, 1)).await?.pop();
        all.push((job, jobs::dry_run(app, job).await?, last));
    }
    if as_json {
        let lines: Vec<_> = all
            .iter()
            .map(|(job, would, last)| {
                let last = last.as_ref().map(|run| {
                    json!({ "started": run.started, "ended": run.ended, "done": run.done, "left": run.left, "error": run.error })
                });
                json!({ "job": job.code(), "rules": job.rules(), "would_do": would, "last": last })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        print!("{}", told(&all));
    }
    Ok(EXIT_OK)
}

/// The list in words.
fn told(all: &[(Job, u64, Option<Run>)]) -> String {
    let zone = OfficeClock::default().tz().unwrap_or(chrono_tz::Asia::Shanghai);
    let mut text = String::new();
    for (job, would, last) in all {
        let last = match last {
            None => "never ran".to_owned(),
            Some(Run { started, error: Some(error), .. }) => {
                format!("failed {}: {error}", started.display(zone))
            }
            Some(Run { started, ended: None, done, .. }) => {
                format!("goes on since {}, did {done}", started.display(zone))
            }
            Some(run) => format!("last {}, did {}", run.started.display(zone), run.done),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:<14} {would:>8} now   {last}", job.code());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use hufu_shared::ids::RunId;
    use hufu_shared::time::Instant;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: JobsArgs,
    }

    #[test]
    fn a_job_is_named_as_the_list_has_it() {
        let line = Line::try_parse_from(["jobs", "run", "sub_cards", "--dry-run"]).expect("understood");
        let Some(JobsCommand::Run { job: Job::SubCards, dry_run: true }) = line.args.command else {
            panic!("{line:?}")
        };
        let wrong = Line::try_parse_from(["jobs", "run", "sub-cards"]).expect_err("no such job").to_string();
        assert!(wrong.contains("no such job; there are settle, round_up, expiry, "), "{wrong}");
        assert!(Line::try_parse_from(["jobs"]).expect("the list").args.command.is_none());
    }

    #[test]
    fn the_list_tells_what_each_would_do_and_how_it_last_went() {
        let run = |ended: Option<Instant>, error: Option<&str>| Run {
            id: RunId([1; 16]),
            job: "lapse".to_owned(),
            actor: "job/clock".to_owned(),
            started: Instant(1_795_320_000_000_000),
            seen: Instant(1_795_320_000_000_000),
            ended,
            done: 7,
            expected: None,
            left: ended.map(|_| 0),
            error: error.map(str::to_owned),
        };
        let end = Some(Instant(1_795_320_001_000_000));
        let text = told(&[
            (Job::Lapse, 3, Some(run(end, None))),
            (Job::Expiry, 0, Some(run(end, Some("the centre recovers")))),
            (Job::Settle, 1, Some(run(None, None))),
            (Job::Deadlines, 0, None),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "lapse                 3 now   last 2026-11-22 12:00:00, did 7");
        assert!(lines[1].ends_with("failed 2026-11-22 12:00:00: the centre recovers"), "{}", lines[1]);
        assert!(lines[2].ends_with("goes on since 2026-11-22 12:00:00, did 7"), "{}", lines[2]);
        assert!(lines[3].ends_with("never ran"), "{}", lines[3]);
    }
}
