//! 离线准备: what a terminal said of itself with its last poll, in words, beside its other details.
//!
//! The terminal judges itself by its own rules; here it is only shown, with the time at which it was said. Part by part
//! on the page of one terminal, the worst part in the list.

use hufu_shared::wire::readiness::{Grade, Part, Readiness};
use serde_json::{Value, json};

use super::ui::Ui;
use crate::store::devices::DeviceLine;

/// A badge: its tone and its word.
pub(super) type Badge = (&'static str, String);

/// What a terminal said.
pub(super) struct ReadyShown {
    /// All in all.
    pub(super) all: Badge,
    /// When it was said, and until when the terminal then worked alone.
    pub(super) said: String,
    /// Part by part: name and state.
    pub(super) parts: Vec<(String, Badge)>,
    /// Rules that only the centre enforces.
    pub(super) rules: Vec<String>,
}

fn tone(grade: Grade) -> &'static str {
    match grade {
        Grade::Ready => "ok",
        Grade::Look => "wait",
        Grade::Bad => "bad",
    }
}

/// The worst part in a word; none for a terminal that never said.
pub(super) fn badge(ui: &Ui, line: &DeviceLine) -> Option<Badge> {
    let grade = line.contact.as_ref()?.readiness.as_ref()?.grade();
    Some((tone(grade), ui.t(&format!("ready-grade-{}", grade.code()))))
}

/// Everything that it said; none for a terminal that never did.
pub(super) fn shown(ui: &Ui, line: &DeviceLine) -> Option<ReadyShown> {
    let contact = line.contact.as_ref()?;
    let ready = contact.readiness.as_ref()?;
    let at = ui.time(contact.at);
    let said = match ready.until() {
        Some(until) => ui.t_with("ready-said-until", &[("at", &at), ("until", &ui.time(until))]),
        None => ui.t_with("ready-said", &[("at", &at)]),
    };
    let part = |part: &Part| {
        let word = match part.until {
            Some(until) => ui.t_with("ready-until", &[("time", &ui.time(until))]),
            None => ui.t(&format!("ready-grade-{}", part.grade.code())),
        };
        (ui.t(&format!("ready-item-{}", part.item.code())), (tone(part.grade), word))
    };
    let rules = ready.unenforced.iter().map(|rule| ui.t(&format!("ready-rule-{}", rule.code())));
    Some(ReadyShown {
        all: badge(ui, line)?,
        said,
        parts: ready.parts.iter().map(part).collect(),
        rules: rules.collect(),
    })
}

/// The same for programs.
pub(super) fn json(ready: &Readiness) -> Value {
    json!({ "grade": ready.grade(), "until": ready.until(), "parts": ready.parts, "unenforced": ready.unenforced })
}
