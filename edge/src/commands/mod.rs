//! The words of the command line.
//!
//! `run` and `enrol` use the data folder alone; all others work beside a running daemon: they read the journal without writing,
//! or ask the daemon over its socket. What people read comes in the configured language; what scripts read is `--json`.
//!
//! Exit codes are part of the contract: [`exit`].

mod aside;
mod ask;
mod doctor;
mod enrol;
pub mod exit;
mod pair;
mod pin;
pub mod queue;
mod readers;
mod serve;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, CONFIG_PATH, Config};
use crate::locale::{Args, text_with};
use exit::Exit;

/// Arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "hufu-edge", version, about = "The terminal daemon of Hufu 虎符", after_help = exit::HELP)]
pub struct Arguments {
    /// Configuration file
    #[arg(long, global = true, default_value = CONFIG_PATH, value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the terminal until it is told to stop (SIGTERM or Ctrl-C)
    Run,
    /// Enrol this machine with the centre, with a code from its console
    Enrol(enrol::EnrolArguments),
    /// Say how the terminal is: connection, queue, directory, readers
    Status {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Look at facts that the centre has not acknowledged
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// List the configured readers and whether they work
    Readers {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Close the business day through the running daemon and print its totals
    CloseDay {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Show a code on the member display by which a tablet is paired; list or unpair tablets
    Pair(pair::PairArguments),
    /// Make the file that holds an operator's PIN, hashed; asks for the PIN
    Pin(pin::PinArguments),
    /// Check clock, disk, readers, display, certificate and queue, with what to do
    Doctor {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
}

/// Does what the arguments say.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let config = match config::load(&arguments.config, std::env::vars()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("hufu-edge: {error}");
            return Exit::Config.into();
        }
    };
    let result = match &arguments.command {
        Command::Run => serve::run(&config),
        Command::Enrol(arguments) => enrol::run(&config, arguments),
        Command::Status { json } => status::run(&config, *json),
        Command::Queue(command) => queue::run(&config, command),
        Command::Readers { json } => readers::run(&config, *json),
        Command::CloseDay { json } => ask::close_day(&config, *json),
        Command::Pair(arguments) => pair::run(&config, arguments),
        Command::Pin(arguments) => pin::run(&config, arguments),
        Command::Doctor { json } => doctor::run(&config, *json),
    };
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            failure.print(&config);
            failure.exit.into()
        }
    }
}

/// A command did not do what it should.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// The error itself, then what to do in the configured language.
    fn print(&self, config: &Config) {
        // The errors name their causes themselves.
        eprintln!("hufu-edge: {}", self.error);
        if let Some(key) = self.exit.advice() {
            let folder = config.terminal.data_dir.display().to_string();
            eprintln!("{}", text_with(config.terminal.language, key, &Args::from([("folder", folder)])));
        }
    }
}

#[cfg(test)]
mod tests;
