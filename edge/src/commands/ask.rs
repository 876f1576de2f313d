//! Commands that ask the running daemon.

use hufu_shared::money::{Amount, Unit};

use super::Failure;
use super::exit::Exit;
use crate::config::Config;
use crate::locale::{Args, Language, text, text_with};
use crate::run::control::{self, Ask, ControlError};

/// A runtime for one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Other, error))
}

/// Asks the daemon of the data folder.
pub(super) fn ask(config: &Config, what: Ask) -> Result<serde_json::Value, Failure> {
    control::ask(&config.terminal.data_dir, what).map_err(|error| {
        let exit = match &error {
            ControlError::Absent { .. } => Exit::NoDaemon,
            ControlError::Broken { .. } | ControlError::Refused(_) => Exit::Other,
        };
        Failure::new(exit, error)
    })
}

pub(super) fn close_day(config: &Config, json: bool) -> Result<(), Failure> {
    let closed = ask(config, Ask::CloseDay)?;
    if json {
        println!("{closed}");
        return Ok(());
    }
    let language = config.terminal.language;
    let number = |pointer: &str| closed.pointer(pointer).and_then(serde_json::Value::as_i64).unwrap_or(0);
    let line = |key: &'static str, value: String| {
        println!("{}", text_with(language, key, &Args::from([("value", value)])));
    };
    let day = closed.get("day").and_then(serde_json::Value::as_str).unwrap_or_default();
    line("command-day", day.to_owned());
    line("command-day-facts", number("/totals/facts").to_string());
    line("command-day-attended", number("/totals/attended").to_string());
    line("command-day-left", number("/totals/left").to_string());
    line("command-day-visited", number("/totals/visited").to_string());
    line("command-day-repeats", number("/totals/repeats").to_string());
    line("command-day-earned", number("/totals/earned").to_string());
    let purchases = Amount(number("/totals/purchases")).display(Unit::Cny);
    line("command-day-purchases", purchases);
    line("command-day-promised", promised(&closed));
    line("command-day-refused", number("/totals/refused").to_string());
    Ok(())
}

fn promised(closed: &serde_json::Value) -> String {
    let legs = closed.pointer("/totals/promised").and_then(serde_json::Value::as_array);
    let pts = legs.into_iter().flatten().find(|leg| leg.get("unit").is_some_and(|unit| unit == "PTS"));
    let amount = pts.and_then(|leg| leg.get("amount")).and_then(serde_json::Value::as_i64).unwrap_or(0);
    Amount(amount).display(Unit::Pts)
}

/// Yes or no in a language.
pub(super) fn yes(language: Language, yes: bool) -> String {
    text(language, if yes { "command-yes" } else { "command-no" })
}
