//! `readers`: the configured readers and whether they work. With a running daemon its own word is taken, since a serial
//! port can be opened once only; without one, what can be seen without opening.

use hufu_hardware::pcsc::reader::list_slots;
use serde_json::{Value, json};

use super::Failure;
use crate::config::{Config, ReaderConfig};
use crate::locale::{Args, Language, text, text_with};
use crate::run::control::{self, Ask};

/// One reader, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) up: bool,
    pub(super) reason: String,
}

pub(super) fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let found = look(config);
    if json {
        println!("{}", json!({ "readers": found }));
        return Ok(());
    }
    let language = config.terminal.language;
    if found.is_empty() {
        println!("{}", text(language, "command-readers-none"));
    }
    for reader in &found {
        println!("{}", line(language, &reader.name, reader.up, Some(&reader.reason)));
    }
    Ok(())
}

/// All configured readers.
pub(super) fn look(config: &Config) -> Vec<Found> {
    let live = control::ask(&config.terminal.data_dir, Ask::Status).ok();
    match live.as_ref().and_then(|view| view.get("readers")).and_then(Value::as_array) {
        Some(readers) => readers.iter().map(from_view).collect(),
        None => config.readers.iter().flat_map(without_daemon).collect(),
    }
}

fn from_view(reader: &Value) -> Found {
    let word = |key: &str| reader.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let up = reader.get("up").and_then(Value::as_bool).unwrap_or(false);
    Found { name: word("name"), up, reason: word("reason") }
}

fn without_daemon(reader: &ReaderConfig) -> Vec<Found> {
    match reader {
        ReaderConfig::Serial { port: path, .. }
        | ReaderConfig::Keypad { port: path, .. }
        | ReaderConfig::Evdev { device: path, .. } => {
            let name = path.display().to_string();
            let seen = std::fs::metadata(path);
            let reason = seen.as_ref().err().map(ToString::to_string).unwrap_or_default();
            vec![Found { name, up: seen.is_ok(), reason }]
        }
        ReaderConfig::Pcsc { name_contains, .. } => match list_slots() {
            Ok(slots) => {
                let mut found: Vec<Found> = slots
                    .into_iter()
                    .filter(|slot| slot.contains(name_contains.as_str()))
                    .map(|name| Found { name, up: true, reason: String::new() })
                    .collect();
                if found.is_empty() {
                    let name = format!("PC/SC {name_contains}");
                    found.push(Found { name, up: false, reason: "no such slot is attached".to_owned() });
                }
                found
            }
            Err(error) => {
                let name = format!("PC/SC {name_contains}");
                vec![Found { name, up: false, reason: error.to_string() }]
            }
        },
    }
}

/// One reader in words.
pub(super) fn line(language: Language, name: &str, up: bool, reason: Option<&str>) -> String {
    let mut args = Args::from([("name", name.to_owned())]);
    if up {
        return text_with(language, "command-reader-up", &args);
    }
    args.insert("reason", reason.unwrap_or_default().to_owned());
    text_with(language, "command-reader-down", &args)
}
