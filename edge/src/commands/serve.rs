//! `run`: the daemon, until a signal ends it.

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Failure;
use super::exit::Exit;
use crate::config::Config;
use crate::run::tasks::{self, StartError};
use crate::sync::identity::IdentityError;

/// What is logged unless `RUST_LOG` says otherwise.
const LOG_DEFAULT: &str = "info,hyper=warn,reqwest=warn,rustls=warn";

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    // A second initialisation can only happen in tests, and then the first stays.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    let runtime = super::ask::runtime()?;
    runtime.block_on(async {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(|error| Failure::new(Exit::Other, error))?;
        let mut interrupt =
            signal(SignalKind::interrupt()).map_err(|error| Failure::new(Exit::Other, error))?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tasks::run(config, stop).await.map_err(failure)
    })
}

fn failure(error: StartError) -> Failure {
    let exit = match &error {
        StartError::Running { .. } => Exit::Running,
        StartError::Identity(IdentityError::NotEnrolled { .. }) => Exit::NotEnrolled,
        StartError::Store(_) => Exit::Store,
        StartError::Guard(_)
        | StartError::Operator(_)
        | StartError::Tls(_)
        | StartError::Readers { .. }
        | StartError::Reader(_) => Exit::Config,
        _ => Exit::Other,
    };
    Failure::new(exit, error)
}
