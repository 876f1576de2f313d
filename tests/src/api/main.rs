//! `api`: schemathesis against a real centre with a generated club.
//!
//! Every operation of the document that the centre itself serves is asked with what fits its schemas and what does not.
//! No answer may be a fault, or have a status, a type or a body that the document does not name. Afterwards the books of
//! the club must still prove themselves. The centre listens on a loopback port of its own, and ends with this program.

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hufu_tests::kit::clock;
use hufu_tests::kit::http::{block_on, plain_client};
use hufu_tests::story::centre::Centre;
use hufu_tests::story::cli;
use hufu_tests::story::session::{Session, new_password};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// Days of generated history.
const DAYS: u32 = 14;
const MEMBERS: u32 = 60;
/// Seconds that one request may take.
const REQUEST_LIMIT_S: u32 = 10;
/// What is looked at in every answer.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// Asks everything that the API's document says.
#[derive(Debug, Parser)]
#[command(name = "api")]
struct Arguments {
    /// The program `schemathesis`
    #[arg(long)]
    schemathesis: PathBuf,
    /// Cases of each operation at most
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// Seed of the cases
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Minutes after which it is ended, as failed
    #[arg(long, default_value_t = 60)]
    minutes: u64,
}

/// Runs schemathesis to its end, or ends it when its time is up.
fn ask(arguments: &Arguments, centre: &Centre, session: &Session, folder: &Path) -> Result<ExitStatus> {
    let base = format!("http://{}", centre.console);
    let mut command = Command::new(&arguments.schemathesis);
    command
        .current_dir(folder)
        .args(["run", "--no-color", "--checks", CHECKS, "--continue-on-failure"])
        .args(["--phases", "examples,coverage,fuzzing", "--generation-database", "none"])
        .args(["--generation-with-security-parameters", "false", "--suppress-health-check", "all"])
        .args(["--max-examples", &arguments.examples.to_string(), "--seed", &arguments.seed.to_string()])
        .args(["--request-timeout", &REQUEST_LIMIT_S.to_string(), "--url", &base])
        .args(["--header", &format!("Cookie: {}", session.cookie())])
        .args(["--header", &format!("X-Hufu-Token: {}", session.token())])
        .arg(format!("{base}/api/v1/openapi.json"))
        .stdin(Stdio::null());
    let mut child = command.spawn().context("failed to start schemathesis")?;
    let limit = Duration::from_secs(arguments.minutes * 60);
    if let Some(ended) = clock::poll(limit, || child.try_wait().transpose()) {
        return ended.context("failed to wait for schemathesis");
    }
    child.kill().context("failed to end schemathesis")?;
    child.wait().context("failed to end schemathesis")?;
    anyhow::bail!("schemathesis took longer than {} minutes", arguments.minutes)
}

/// The session holds still, so every answer was that of somebody signed in.
fn is_signed_in(centre: &Centre, session: &Session) -> Result<bool> {
    block_on(async {
        let place = format!("http://{}/api/v1/session", centre.console);
        let answer = plain_client()?.get(place).header("cookie", session.cookie()).send().await?;
        Ok(answer.status().is_success())
    })
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let mut centre = Centre::found_ago(&folder.path().join("central"), &[], DAYS + 2)?;
    let (members, days) = (MEMBERS.to_string(), DAYS.to_string());
    cli::must(centre.command()?.args(["generate", "--members", &members, "--days", &days, "--seed", "7"]))?;
    centre.serve()?;
    let password = new_password(&centre)?;
    let session = block_on(Session::enter(&centre, &password))?;
    let ended = ask(&arguments, &centre, &session, folder.path())?;
    ensure!(is_signed_in(&centre, &session)?, "the session ended while the API was asked");
    centre.stop()?;
    println!("{}", cli::must(centre.command()?.arg("verify"))?.trim());
    ensure!(ended.success(), "schemathesis found what the document does not say (seed {})", arguments.seed);
    println!("hufu: every answer of the API was as its document says");
    Ok(())
}
