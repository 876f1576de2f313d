//! The two pages for reading: the state of the terminal part by part, and the counter explained on one sheet.

use askama::Template;
use hufu_shared::fact::RefusalReason;
use hufu_shared::money::Leg;
use hufu_shared::time::{ClockQuality, SECOND_US};

use super::face::{look, refusal_texts};
use super::pages::Frame;
use super::papers;
use super::prepared;
use super::value;
use super::view::{AllowanceView, CounterView, Outcome};
use super::words::Ui;

/// A clock further off the centre's than this is worth a look, in microseconds.
const CLOCK_OFF_US: i64 = 30 * SECOND_US;

/// One part of the terminal.
#[derive(Debug)]
pub struct StatusRow {
    /// Which part.
    pub item: String,
    /// Class: `ok`, `wait` or `bad`.
    pub class: &'static str,
    /// Its state in words.
    pub state: String,
    /// What to do, or nothing.
    pub note: String,
}

/// The state of the terminal.
#[derive(Debug, Template)]
#[template(path = "status.html")]
pub struct StatusPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Office and terminal.
    pub place: String,
    /// When the page was made.
    pub made: String,
    /// The one thing to know.
    pub verdict: StatusRow,
    /// Part by part.
    pub rows: Vec<StatusRow>,
    /// What lasts without a connection, part by part.
    pub offline: Vec<StatusRow>,
    /// Rules that only the centre enforces, in words.
    pub unenforced: Vec<String>,
}

/// An outcome, explained.
#[derive(Debug)]
pub struct HelpRow {
    /// Class of the style sheet.
    pub class: &'static str,
    /// Name of the shape.
    pub icon: &'static str,
    /// The outcome in one word.
    pub word: String,
    /// What it means and what to do.
    pub text: String,
}

/// The counter on one printable sheet.
#[derive(Debug, Template)]
#[template(path = "help.html")]
pub struct HelpPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Outcomes.
    pub outcomes: Vec<HelpRow>,
    /// Heading and text of each part.
    pub parts: Vec<(String, String)>,
    /// Heading of the reasons.
    pub reasons_heading: String,
    /// Code, words and next step of each reason.
    pub reasons: Vec<(String, String, String)>,
}

/// Outcomes that the sheet explains.
const EXPLAINED: [Outcome; 9] = [
    Outcome::Accepted,
    Outcome::Redeemed,
    Outcome::OverOfflineLimit,
    Outcome::AlreadyIn,
    Outcome::Recorded,
    Outcome::Refused(RefusalReason::R01),
    Outcome::UnknownCard,
    Outcome::ReadFailed,
    Outcome::NotReady,
];

/// All reasons of a refusal.
pub const REASONS: [RefusalReason; 17] = [
    RefusalReason::R01,
    RefusalReason::R02,
    RefusalReason::R03,
    RefusalReason::R04,
    RefusalReason::R05,
    RefusalReason::R06,
    RefusalReason::R07,
    RefusalReason::R08,
    RefusalReason::R09,
    RefusalReason::R10,
    RefusalReason::R11,
    RefusalReason::R12,
    RefusalReason::R13,
    RefusalReason::R14,
    RefusalReason::R15,
    RefusalReason::R16,
    RefusalReason::R17,
];

impl<'a> HelpPage<'a> {
    /// The sheet in the frame's language; `place` is the club's word for an office.
    #[must_use]
    pub fn new(frame: &'a Frame, place: &str) -> Self {
        let ui = &frame.ui;
        let outcomes = EXPLAINED.map(|outcome| {
            let look = look(outcome);
            HelpRow {
                class: look.class,
                icon: look.icon,
                word: ui.t(&format!("counter-word-{}", look.key)),
                text: ui.t(&format!("counter-help-{}", look.key)),
            }
        });
        let parts = ["offline", "ways", "earn", "spend", "typed", "notices", "power"]
            .map(|part| (ui.t(&format!("counter-help-{part}")), ui.t(&format!("counter-help-{part}-text"))));
        let reasons = REASONS.map(|reason| {
            let (why, next) = refusal_texts(reason, place, ui);
            (format!("{reason:?}"), why, next)
        });
        Self {
            frame,
            outcomes: outcomes.into(),
            parts: parts.into(),
            reasons_heading: ui.t("counter-help-reasons"),
            reasons: reasons.into(),
        }
    }
}

impl<'a> StatusPage<'a> {
    /// The page of a snapshot; `place` names office and terminal.
    #[must_use]
    pub fn new(frame: &'a Frame, view: &CounterView, place: String) -> Self {
        let ui = &frame.ui;
        let rows = status_rows(view, ui);
        let offline = prepared::rows(view, ui);
        Self {
            frame,
            place,
            made: ui.minute(ui.now),
            verdict: prepared::verdict(view, (&rows, &offline), ui),
            unenforced: prepared::unenforced(&view.readiness, ui),
            rows,
            offline,
        }
    }
}

/// Every part of the terminal with its state.
#[must_use]
pub fn status_rows(view: &CounterView, ui: &Ui) -> Vec<StatusRow> {
    let mut rows = vec![link(view, ui), queue(view, ui), directory(view, ui)];
    for reader in &view.readers {
        let state = ui.t(if reader.up { "counter-status-up" } else { "counter-status-down" });
        let since = reader.since.map(|at| ui.t1("counter-status-since", "time", ui.time(at)));
        let todo = (!reader.up).then(|| ui.t("counter-status-reader-todo"));
        let reason = (!reader.reason.is_empty()).then(|| reader.reason.clone());
        rows.push(StatusRow {
            item: ui.t1("counter-status-reader", "name", &reader.name),
            class: if reader.up { "ok" } else { "bad" },
            state,
            note: joined([since, reason, todo]),
        });
    }
    if view.readers.is_empty() {
        let item = ui.t1("counter-status-reader", "name", "");
        let state = ui.t("counter-status-readers-absent");
        rows.push(StatusRow { item, class: "bad", state, note: String::new() });
    }
    rows.extend(allowances(view, ui));
    rows.extend(view.link.refused.as_ref().map(|what| StatusRow {
        item: ui.t("counter-status-refused"),
        class: "bad",
        state: ui.t("counter-status-refused-state"),
        note: joined([Some(what.clone()), Some(ui.t("counter-status-refused-todo")), None]),
    }));
    rows.push(display(view, ui));
    rows.extend(papers::status_row(view, ui));
    rows.push(clock(view, ui));
    let item = ui.t("counter-status-version");
    rows.push(StatusRow { item, class: "", state: view.software.clone(), note: String::new() });
    rows
}

fn link(view: &CounterView, ui: &Ui) -> StatusRow {
    let online = view.link.online;
    let since = ui.t1("counter-status-since", "time", ui.time(view.link.since));
    let sync = view.link.last_sync.map(|at| ui.t1("counter-synced", "age", ui.age(at)));
    let todo = (!online).then(|| ui.t("counter-status-link-todo"));
    StatusRow {
        item: ui.t("counter-status-link"),
        class: if online { "ok" } else { "wait" },
        state: ui.t(if online { "counter-online" } else { "counter-status-offline" }),
        note: joined([Some(since), sync, todo]),
    }
}

fn queue(view: &CounterView, ui: &Ui) -> StatusRow {
    let n = view.link.queue_len;
    StatusRow {
        item: ui.t("counter-status-queue"),
        class: if n == 0 { "ok" } else { "" },
        state: match n {
            0 => ui.t("counter-queue-empty"),
            _ => ui.t1("counter-queue", "n", n.to_string()),
        },
        note: ui.t("counter-status-queue-todo"),
    }
}

fn directory(view: &CounterView, ui: &Ui) -> StatusRow {
    let (class, state) = match view.link.directory_at {
        None => ("wait", ui.t("counter-status-directory-none")),
        Some(at) => ("ok", ui.t2("counter-status-directory-at", ("time", ui.time(at)), ("age", ui.age(at)))),
    };
    let note = ui.t("counter-status-directory-todo");
    StatusRow { item: ui.t("counter-status-directory"), class, state, note }
}

/// What can be given out while offline, a row per unit.
fn allowances(view: &CounterView, ui: &Ui) -> Vec<StatusRow> {
    let item = ui.t1("counter-status-allowance", "place", ui.words(&view.place_word));
    let row = |held: &AllowanceView| {
        let left = value::leg(Leg { unit: held.unit, amount: held.left }, ui);
        let members = held.members.to_string();
        let expired = (held.expired > 0)
            .then(|| ui.t1("counter-status-allowance-expired", "n", held.expired.to_string()));
        StatusRow {
            item: item.clone(),
            class: if held.expired > 0 { "wait" } else { "ok" },
            state: ui.t2("counter-status-allowance-held", ("n", members), ("left", left)),
            note: joined([expired, Some(ui.t("counter-status-allowance-todo")), None]),
        }
    };
    if view.allowances.is_empty() {
        let state = ui.t("counter-status-allowance-none");
        let note = ui.t("counter-status-allowance-todo");
        return vec![StatusRow { item, class: "", state, note }];
    }
    view.allowances.iter().map(row).collect()
}

fn display(view: &CounterView, ui: &Ui) -> StatusRow {
    let (class, state) = match (&view.display.kind, &view.display.fault) {
        (None, _) => ("", ui.t("counter-status-display-none")),
        (Some(_), None) => ("ok", ui.t("counter-status-up")),
        (Some(_), Some(_)) => ("bad", ui.t("counter-status-down")),
    };
    let note = joined([view.display.kind.clone(), view.display.fault.clone(), None]);
    StatusRow { item: ui.t("counter-status-display"), class, state, note }
}

fn clock(view: &CounterView, ui: &Ui) -> StatusRow {
    let (class, key) = match view.clock.quality {
        ClockQuality::Synced => ("ok", "counter-status-clock-synced"),
        ClockQuality::Kept => ("ok", "counter-status-clock-kept"),
        ClockQuality::Floor => ("bad", "counter-status-clock-floor"),
    };
    let offset = view.clock.offset_us.unwrap_or(0);
    let off = offset.saturating_abs() > CLOCK_OFF_US;
    let difference = off.then(|| ui.t1("counter-status-clock-offset", "n", (offset / SECOND_US).to_string()));
    let todo = (off || class == "bad").then(|| ui.t("counter-status-clock-todo"));
    StatusRow {
        item: ui.t("counter-status-clock"),
        class: if off && class == "ok" { "wait" } else { class },
        state: ui.t(key),
        note: joined([Some(ui.minute(ui.now)), difference, todo]),
    }
}

fn joined(texts: [Option<String>; 3]) -> String {
    texts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
