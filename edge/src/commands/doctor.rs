//! `doctor`: clock, disk, readers, display, printer, certificate, queue, readiness to go offline; each with a verdict and what to do.
//!
//! What was measured goes into [`Seen`], the judgement is a plain function of it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use hufu_hardware::printer::PrinterPort;
use hufu_shared::time::{DAY_US, Instant, SECOND_US};
use serde_json::{Value, json};

use super::Failure;
use super::aside;
use super::exit::Exit;
use super::readers::{self, Found};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::counter::view::PanelView;
use crate::locale::{Args, Language, text, text_with};
use crate::rules::readiness::{FREE_BYTES_LOW, FREE_BYTES_MIN};
use crate::run::control::{self, Ask};
use crate::store::{JOURNAL_FILE, StoreError, read_state};
use crate::sync::identity::Identity;

/// A wall clock that differs more than this from the centre's is worth a word, in microseconds.
const OFFSET_MAX_US: i64 = 120 * SECOND_US;
/// Facts waiting from which the queue is worth a word.
const QUEUE_LONG: u64 = 1_000;

/// How one item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Nothing to do.
    Good,
    /// Look at it soon.
    Look,
    /// Repair it.
    Bad,
}

/// What was found out about the machine.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) wall: Instant,
    pub(super) floor: Option<Instant>,
    pub(super) offset_us: Option<i64>,
    pub(super) writable: bool,
    pub(super) free_bytes: Option<u64>,
    pub(super) readers: Vec<Found>,
    pub(super) displays: Vec<PanelView>,
    /// Port of the printer, and what is in its way as a word.
    pub(super) printer: Option<(String, Option<String>)>,
    /// What is not ready to go offline, item and grade; none without a running daemon.
    pub(super) unready: Option<Vec<(String, String)>>,
    /// The club's word for an office, in the language that is spoken; empty without a running daemon.
    pub(super) place: String,
    pub(super) certificate_until: Option<Instant>,
    pub(super) queue_len: Option<u64>,
    pub(super) stopped: Option<String>,
    pub(super) aside_len: u64,
    pub(super) journal_fault: Option<String>,
}

/// One line of the check-up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) item: &'static str,
    /// How it is.
    pub(super) verdict: Verdict,
    /// Key of the text; it says what to do.
    pub(super) key: &'static str,
    /// What was met.
    pub(super) detail: String,
}

pub(super) fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let seen = look(config);
    let findings = judge(&seen);
    let unwell = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    if json {
        println!("{}", json!({ "well": !unwell, "findings": findings }));
    } else {
        for finding in &findings {
            println!("{}", line(config.terminal.language, finding, &seen.place));
        }
    }
    if unwell {
        let words = text(config.terminal.language, "doctor-unwell");
        return Err(Failure::new(Exit::Unwell, anyhow::anyhow!(words)));
    }
    Ok(())
}

/// A finding in words.
pub(super) fn line(language: Language, finding: &Finding, place: &str) -> String {
    let mark = match finding.verdict {
        Verdict::Good => "doctor-good",
        Verdict::Look => "doctor-look",
        Verdict::Bad => "doctor-bad",
    };
    let item = text(language, item_key(finding.item));
    let detail = match finding.item {
        "printer" if finding.verdict != Verdict::Good => {
            text(language, &format!("printer-{}", finding.detail))
        }
        "offline" => offline_detail(language, &finding.detail, place),
        _ => finding.detail.clone(),
    };
    let words = text_with(language, finding.key, &Args::from([("detail", detail)]));
    let args = Args::from([("mark", text(language, mark)), ("item", item), ("words", words)]);
    text_with(language, "doctor-line", &args)
}

/// Words of parts in people's language.
fn offline_detail(language: Language, items: &str, place: &str) -> String {
    let args = Args::from([("place", place.to_owned())]);
    let name = |item: &str| text_with(language, &format!("ready-item-{item}"), &args);
    items.split_whitespace().map(name).collect::<Vec<_>>().join(&text(language, "counter-verdict-and"))
}

fn item_key(item: &str) -> &'static str {
    match item {
        "clock" => "doctor-item-clock",
        "disk" => "doctor-item-disk",
        "readers" => "doctor-item-readers",
        "display" => "doctor-item-display",
        "printer" => "doctor-item-printer",
        "certificate" => "doctor-item-certificate",
        "offline" => "doctor-item-offline",
        _ => "doctor-item-queue",
    }
}

fn look(config: &Config) -> Seen {
    let data_dir = &config.terminal.data_dir;
    let live = control::ask(data_dir, Ask::Status).ok();
    let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
    let mut seen = Seen { wall: clock.now().wall, ..Seen::default() };
    seen.offset_us = live.as_ref().and_then(|view| view.pointer("/clock/offset_us")).and_then(Value::as_i64);
    seen.writable = is_writable(data_dir);
    seen.free_bytes = free_bytes(data_dir);
    seen.readers = readers::look(config);
    seen.displays = displays(config, live.as_ref());
    seen.printer = printer(config, live.as_ref());
    seen.unready = live.as_ref().map(unready);
    let place = match config.terminal.language {
        Language::Zh => "/place_word/zh",
        Language::En => "/place_word/en",
    };
    let place = live.as_ref().and_then(|view| view.pointer(place)).and_then(Value::as_str);
    seen.place = place.unwrap_or_default().to_owned();
    seen.certificate_until = Identity::load(data_dir).ok().map(|identity| identity.device().not_after);
    seen.aside_len = aside::unacknowledged(data_dir).iter().map(|aside| aside.state.queue_len()).sum();
    let journal = data_dir.join(JOURNAL_FILE);
    if journal.exists() {
        match read_state(&journal) {
            Ok(state) => {
                seen.floor = Some(state.time_floor);
                seen.queue_len = Some(state.queue_len());
                seen.stopped = state.stopped;
            }
            Err(error @ StoreError::Io { .. }) => seen.journal_fault = Some(error.to_string()),
            Err(error) => seen.journal_fault = Some(error.to_string()),
        }
    }
    seen
}

fn is_writable(data_dir: &Path) -> bool {
    let probe = data_dir.join(".doctor");
    let written = std::fs::write(&probe, b"probe").is_ok();
    written && std::fs::remove_file(&probe).is_ok()
}

fn free_bytes(data_dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(data_dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The displays as the daemon knows them; while it does not run, whether what each needs can be opened.
fn displays(config: &Config, live: Option<&Value>) -> Vec<PanelView> {
    if let Some(each) = live.and_then(|view| view.pointer("/display/each")).and_then(Value::as_array) {
        let word = |panel: &Value, key: &str| panel.get(key).and_then(Value::as_str).map(str::to_owned);
        return each
            .iter()
            .map(|panel| PanelView {
                name: word(panel, "name").unwrap_or_default(),
                fault: word(panel, "fault"),
            })
            .collect();
    }
    let unusable = |path: &Path| {
        let found = if path.is_dir() { Ok(()) } else { File::options().write(true).open(path).map(drop) };
        found.err().map(|error| format!("{}: {error}", path.display()))
    };
    let shown = config.displays.iter().map(|display| PanelView {
        name: display.kind.to_string(),
        fault: display.kind.needs().into_iter().find_map(unusable),
    });
    shown.collect()
}

/// The daemon's own word; without one, whether a port on this machine is there.
fn printer(config: &Config, live: Option<&Value>) -> Option<(String, Option<String>)> {
    let printer = config.printer.as_ref()?;
    let hindrance = match (live, &printer.port) {
        (Some(view), _) => view.pointer("/printer/hindrance").and_then(Value::as_str).map(str::to_owned),
        (None, PrinterPort::Serial { path, .. } | PrinterPort::Device { path }) => {
            (!path.exists()).then(|| "unplugged".to_owned())
        }
        (None, PrinterPort::Tcp { .. }) => None,
    };
    Some((printer.port.name(), hindrance))
}

fn unready(view: &Value) -> Vec<(String, String)> {
    let parts = view.pointer("/readiness/parts").and_then(Value::as_array).into_iter().flatten();
    let word = |part: &Value, key| part.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    parts.map(|part| (word(part, "item"), word(part, "grade"))).filter(|part| part.1 != "ready").collect()
}

/// What the findings come to.
pub(super) fn judge(seen: &Seen) -> Vec<Finding> {
    let mut findings = vec![clock(seen), disk(seen), reader(seen)];
    findings.extend(display(seen));
    findings.extend(seen.printer.as_ref().map(print));
    findings.extend([certificate(seen), queue(seen)]);
    findings.extend(seen.unready.as_ref().map(|unready| ready(unready)));
    findings
}

fn print((port, hindrance): &(String, Option<String>)) -> Finding {
    match hindrance {
        Some(code) => finding("printer", Verdict::Look, "doctor-printer-trouble", code),
        None => finding("printer", Verdict::Good, "doctor-printer-good", port),
    }
}

fn ready(unready: &[(String, String)]) -> Finding {
    let of = |grade: &str| -> Vec<&str> {
        unready.iter().filter(|part| part.1 == grade).map(|part| part.0.as_str()).collect()
    };
    match (of("bad").join(" "), of("look").join(" ")) {
        (bad, _) if !bad.is_empty() => finding("offline", Verdict::Bad, "doctor-offline-bad", bad),
        (_, look) if !look.is_empty() => finding("offline", Verdict::Look, "doctor-offline-look", look),
        _ => finding("offline", Verdict::Good, "doctor-offline-good", ""),
    }
}

fn finding(item: &'static str, verdict: Verdict, key: &'static str, detail: impl ToString) -> Finding {
    Finding { item, verdict, key, detail: detail.to_string() }
}

fn clock(seen: &Seen) -> Finding {
    let wall = seen.wall.display(chrono_tz::Asia::Shanghai);
    if seen.floor.is_some_and(|floor| seen.wall < floor) {
        return finding("clock", Verdict::Bad, "doctor-clock-behind", wall);
    }
    match seen.offset_us {
        Some(offset) if offset.abs() > OFFSET_MAX_US => {
            finding("clock", Verdict::Look, "doctor-clock-off", offset / SECOND_US)
        }
        _ => finding("clock", Verdict::Good, "doctor-clock-good", wall),
    }
}

fn disk(seen: &Seen) -> Finding {
    if let Some(fault) = &seen.journal_fault {
        return finding("disk", Verdict::Bad, "doctor-disk-journal", fault);
    }
    if !seen.writable {
        return finding("disk", Verdict::Bad, "doctor-disk-read-only", "");
    }
    let mebibytes = seen.free_bytes.map_or_else(|| "?".to_owned(), |free| (free / 1024 / 1024).to_string());
    match seen.free_bytes {
        Some(free) if free < FREE_BYTES_MIN => finding("disk", Verdict::Bad, "doctor-disk-full", mebibytes),
        Some(free) if free < FREE_BYTES_LOW => finding("disk", Verdict::Look, "doctor-disk-low", mebibytes),
        _ => finding("disk", Verdict::Good, "doctor-disk-good", mebibytes),
    }
}

fn reader(seen: &Seen) -> Finding {
    let down: Vec<String> = seen
        .readers
        .iter()
        .filter(|reader| !reader.up)
        .map(|reader| format!("{} ({})", reader.name, reader.reason))
        .collect();
    if seen.readers.is_empty() {
        return finding("readers", Verdict::Look, "doctor-readers-none", "");
    }
    if !down.is_empty() {
        return finding("readers", Verdict::Bad, "doctor-readers-down", down.join("; "));
    }
    finding("readers", Verdict::Good, "doctor-readers-good", seen.readers.len())
}

/// One line for each display, so that it is plain which one is meant.
fn display(seen: &Seen) -> Vec<Finding> {
    if seen.displays.is_empty() {
        return vec![finding("display", Verdict::Look, "doctor-display-none", "")];
    }
    let judged = seen.displays.iter().map(|panel| match &panel.fault {
        Some(fault) if fault.contains(&panel.name) => {
            finding("display", Verdict::Bad, "doctor-display-fault", fault)
        }
        Some(fault) => {
            finding("display", Verdict::Bad, "doctor-display-fault", format!("{}: {fault}", panel.name))
        }
        None => finding("display", Verdict::Good, "doctor-display-good", &panel.name),
    });
    judged.collect()
}

fn certificate(seen: &Seen) -> Finding {
    let Some(until) = seen.certificate_until else {
        return finding("certificate", Verdict::Bad, "doctor-certificate-none", "");
    };
    let days = until.since(seen.wall).div_euclid(DAY_US);
    match days {
        ..0 => finding("certificate", Verdict::Bad, "doctor-certificate-expired", -days),
        0..5 => finding("certificate", Verdict::Look, "doctor-certificate-soon", days),
        _ => finding("certificate", Verdict::Good, "doctor-certificate-good", days),
    }
}

fn queue(seen: &Seen) -> Finding {
    if let Some(stopped) = &seen.stopped {
        return finding("queue", Verdict::Bad, "doctor-queue-stopped", stopped);
    }
    if seen.aside_len > 0 {
        return finding("queue", Verdict::Look, "doctor-queue-aside", seen.aside_len);
    }
    match seen.queue_len {
        Some(waiting) if waiting > QUEUE_LONG => {
            finding("queue", Verdict::Look, "doctor-queue-long", waiting)
        }
        waiting => finding("queue", Verdict::Good, "doctor-queue-good", waiting.unwrap_or(0)),
    }
}
