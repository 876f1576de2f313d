//! `status`: how the terminal is. Asks the daemon if one runs; else reads the journal without writing.

use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Instant;
use serde_json::{Value, json};

use super::Failure;
use super::aside::{self, Aside};
use super::ask::yes;
use super::exit::Exit;
use crate::config::Config;
use crate::locale::{Args, Language, text, text_with};
use crate::rules::quota::is_tight;
use crate::run::control::{self, Ask};
use crate::store::{JOURNAL_FILE, JournalState, read_state};
use crate::sync::identity::{Identity, IdentityError};

pub(super) fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let data_dir = &config.terminal.data_dir;
    let identity = Identity::load(data_dir).map_err(|error| {
        let exit =
            if matches!(error, IdentityError::NotEnrolled { .. }) { Exit::NotEnrolled } else { Exit::Other };
        Failure::new(exit, error)
    })?;
    let live = control::ask(data_dir, Ask::Status).ok();
    let path = data_dir.join(JOURNAL_FILE);
    // Between enrolment and the first run there is no journal, which is no fault.
    let journal = if path.exists() {
        Some(read_state(&path).map_err(|error| Failure::new(Exit::Store, error))?)
    } else {
        None
    };
    let aside = aside::unacknowledged(data_dir);
    if json {
        let stick = journal.as_ref().and_then(|state| aside::handed_over(&path, state));
        println!("{}", as_json(&identity, live.as_ref(), (journal.as_ref(), stick), &aside));
    } else {
        let aside = aside.iter().map(|aside| aside_line(config, aside));
        for line in lines(config, &identity, live.as_ref(), journal.as_ref()).into_iter().chain(aside) {
            println!("{line}");
        }
        if let Some(seq) = journal.as_ref().and_then(|state| aside::handed_over(&path, state)) {
            let args = Args::from([("value", seq.to_string())]);
            println!("{}", text_with(config.terminal.language, "command-status-stick", &args));
        }
    }
    Ok(())
}

fn aside_line(config: &Config, aside: &Aside) -> String {
    let (file, value) = (aside.path.display().to_string(), aside.state.queue_len().to_string());
    let args = Args::from([("file", file), ("value", value)]);
    text_with(config.terminal.language, "command-status-aside", &args)
}

fn as_json(
    identity: &Identity,
    live: Option<&Value>,
    (journal, stick): (Option<&JournalState>, Option<u64>),
    aside: &[Aside],
) -> Value {
    let enrolment = &identity.enrolment;
    json!({
        "terminal": enrolment.name,
        "device": enrolment.device.to_string(),
        "epoch": enrolment.epoch,
        "running": live.is_some(),
        "journal": journal.map(|state| json!({
            "epoch": state.epoch,
            "last_seq": state.last_seq,
            "acked_seq": state.acked_seq,
            "oldest_held": state.oldest_held,
            "head": state.head.to_string(),
            "queue": state.queue_len(),
            "handed_over": stick,
            "block": state.block.to_string(),
            "stopped": state.stopped,
            "used_percent": state.used_percent,
            "refusals_counted": state.refusals_counted,
        })),
        "aside": aside.iter().map(|aside| json!({
            "journal": aside.path.display().to_string(),
            "epoch": aside.state.epoch,
            "queue": aside.state.queue_len(),
        })).collect::<Vec<_>>(),
        "view": live,
    })
}

/// What may be given out while offline, a line per unit.
fn allowances(language: Language, view: &Value) -> Vec<String> {
    let held = view.get("allowances").and_then(Value::as_array).into_iter().flatten();
    let line = |held: &Value| {
        let unit = Unit::from_code(held.get("unit")?.as_str()?)?;
        let left = Amount(held.get("left")?.as_i64()?).display(unit);
        let members = held.get("members")?.as_u64()?.to_string();
        let args = [("unit", unit.code().to_owned()), ("members", members), ("left", left)];
        Some(text_with(language, "command-status-allowance", &Args::from(args)))
    };
    held.filter_map(line).collect()
}

/// Until when the terminal works without a connection.
fn ready_until(language: Language, view: &Value) -> Option<String> {
    let until = Instant(view.pointer("/readiness/until")?.as_i64()?);
    let zone = view.get("zone").and_then(Value::as_str).and_then(|zone| zone.parse().ok());
    let value = until.display(zone.unwrap_or(chrono_tz::Asia::Shanghai));
    Some(text_with(language, "command-status-ready", &Args::from([("value", value)])))
}

fn lines(
    config: &Config,
    identity: &Identity,
    live: Option<&Value>,
    journal: Option<&JournalState>,
) -> Vec<String> {
    let language = config.terminal.language;
    let line = |key: &str, value: String| text_with(language, key, &Args::from([("value", value)]));
    let enrolment = &identity.enrolment;
    let mut lines = vec![
        line("command-status-terminal", format!("{} ({})", enrolment.name, enrolment.device)),
        line("command-status-running", yes(language, live.is_some())),
    ];
    if let Some(view) = live {
        let online = view.pointer("/link/online").and_then(Value::as_bool).unwrap_or(false);
        lines.push(line("command-status-online", yes(language, online)));
        lines.extend(allowances(language, view));
        lines.extend(ready_until(language, view));
    }
    if let Some(state) = journal {
        lines.push(line("command-status-facts", state.last_seq.to_string()));
        lines.push(line("command-status-queue", state.queue_len().to_string()));
        if is_tight(state.used_percent) {
            let args =
                [("value", state.used_percent.to_string()), ("count", state.refusals_counted.to_string())];
            lines.push(text_with(language, "command-status-tight", &Args::from(args)));
        }
        if let Some(stopped) = &state.stopped {
            lines.push(line("command-status-stopped", stopped.clone()));
        }
    } else {
        lines.push(text(language, "command-status-no-journal"));
    }
    for reader in live.and_then(|view| view.get("readers")).and_then(Value::as_array).into_iter().flatten() {
        let up = reader.get("up").and_then(Value::as_bool).unwrap_or(false);
        let name = reader.get("name").and_then(Value::as_str).unwrap_or_default();
        lines.push(super::readers::line(language, name, up, reader.get("reason").and_then(Value::as_str)));
    }
    lines
}
