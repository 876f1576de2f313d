//! `enrol`: makes keys on this machine and has them certified by the centre of the code.

use std::sync::Arc;

use hufu_shared::code::EnrolCode;
use hufu_shared::time::Instant;

use super::Failure;
use super::exit::Exit;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::locale::{Args, text_with};
use crate::run::board;
use crate::run::tasks::{self, StartError};
use crate::store::{JOURNAL_FILE, read_state};
use crate::sync::client::ClientLimits;
use crate::sync::enrol::{Ask, EnrolError, enrol};
use crate::sync::trust::TrustedTime;

/// Arguments of `enrol`.
#[derive(Debug, clap::Args)]
pub(super) struct EnrolArguments {
    /// Address of the centre's device API, `https://host:port`; the configured one if left out
    #[arg(long, value_name = "URL")]
    central: Option<String>,
    /// The code from the console, hufu1-<code>-<fingerprint>
    #[arg(long, value_name = "CODE")]
    code: String,
    /// Replace an enrolment that is there already; what it has not uploaded goes to the centre for review
    #[arg(long)]
    replace: bool,
    /// Host names and addresses of this machine, for the counter page's certificate
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
}

pub(super) fn run(config: &Config, arguments: &EnrolArguments) -> Result<(), Failure> {
    let code: EnrolCode = arguments.code.parse().map_err(|error| Failure::new(Exit::Other, error))?;
    let data_dir = &config.terminal.data_dir;
    let _lock = tasks::lock(data_dir).map_err(|error| {
        let exit = if matches!(error, StartError::Running { .. }) { Exit::Running } else { Exit::Other };
        Failure::new(exit, error)
    })?;
    let left = unsent(config)?;
    let ask = Ask {
        url: arguments.central.as_deref().unwrap_or(&config.central.url),
        code: &code,
        names: &arguments.names,
        board: board::fingerprint(),
        software: env!("CARGO_PKG_VERSION"),
        replace: arguments.replace,
    };
    let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
    let time = Arc::new(TrustedTime(clock));
    let identity = super::ask::runtime()?
        .block_on(enrol(data_dir, &ask, ClientLimits::default(), time))
        .map_err(failure)?;
    let enrolment = &identity.enrolment;
    let args = Args::from([
        ("terminal", enrolment.name.clone()),
        ("club", config.terminal.language.pick(&enrolment.club_name).to_owned()),
        ("device", enrolment.device.to_string()),
        ("epoch", enrolment.epoch.to_string()),
    ]);
    println!("{}", text_with(config.terminal.language, "command-enrolled", &args));
    if left > 0 {
        let args = Args::from([("count", left.to_string())]);
        println!("{}", text_with(config.terminal.language, "command-enrol-left", &args));
    }
    Ok(())
}

/// Facts that the enrolment until now has not uploaded. A new enrolment begins a new journal; theirs is set aside, and
/// the terminal uploads it by itself, for a person to look through.
pub(super) fn unsent(config: &Config) -> Result<u64, Failure> {
    let journal = config.terminal.data_dir.join(JOURNAL_FILE);
    if !journal.exists() {
        return Ok(0);
    }
    let state = read_state(&journal).map_err(|error| Failure::new(Exit::Store, error))?;
    Ok(state.queue_len())
}

fn failure(error: EnrolError) -> Failure {
    let exit = match &error {
        EnrolError::Identity(_) | EnrolError::Already { .. } => Exit::Other,
        _ => Exit::Centre,
    };
    Failure::new(exit, error)
}
