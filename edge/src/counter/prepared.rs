//! Readiness in staff's words: one verdict on top of the status page, what lasts without a connection, and which rules only
//! the centre enforces.
//!
//! The verdict is one of three: the day can go on; it can, and something is better seen to; somebody must act.

use hufu_shared::wire::readiness::{Grade, Part};

use super::sheets::StatusRow;
use super::view::{CounterView, ReadinessView};
use super::words::Ui;

/// What lasts without a connection, part by part.
pub(super) fn rows(view: &CounterView, ui: &Ui) -> Vec<StatusRow> {
    let place = ui.words(&view.place_word);
    view.readiness.parts.iter().map(|part| row(part, place, ui)).collect()
}

fn row(part: &Part, place: &str, ui: &Ui) -> StatusRow {
    let Part { item, grade, until } = part;
    let item = item.code();
    let class = match grade {
        Grade::Ready => "ok",
        Grade::Look => "wait",
        Grade::Bad => "bad",
    };
    let state = match until {
        Some(until) => ui.t1("counter-ready-until", "time", ui.time(*until)),
        None if class == "ok" => ui.t("counter-ready-yes"),
        None => ui.t("counter-ready-no"),
    };
    let note =
        if class == "ok" { String::new() } else { ui.t1(&format!("ready-todo-{item}"), "place", place) };
    StatusRow { item: ui.t1(&format!("ready-item-{item}"), "place", place), class, state, note }
}

/// Rules that only the centre enforces.
pub(super) fn unenforced(ready: &ReadinessView, ui: &Ui) -> Vec<String> {
    ready.unenforced.iter().map(|rule| ui.t(&format!("ready-rule-{}", rule.code()))).collect()
}

/// The one thing to know: item is the verdict, note what to see to.
pub(super) fn verdict(
    view: &CounterView,
    (rows, offline): (&[StatusRow], &[StatusRow]),
    ui: &Ui,
) -> StatusRow {
    let no_reader = view.readers.iter().all(|reader| !reader.up);
    let names = |class: &str, rows: &[StatusRow]| -> Vec<String> {
        rows.iter().filter(|row| row.class == class).map(|row| row.item.clone()).collect()
    };
    // What stops the day: nobody can swipe, records cannot leave, or a part without which a swipe is worth little.
    let mut stops = names("bad", offline);
    if no_reader {
        stops.insert(0, ui.t("counter-verdict-readers"));
    }
    if view.link.stopped.is_some() {
        stops.push(ui.t("counter-verdict-upload"));
    }
    let separator = ui.t("counter-verdict-and");
    if !stops.is_empty() {
        let note = ui.t1("counter-verdict-act-note", "what", stops.join(&separator));
        return StatusRow { item: ui.t("counter-verdict-act"), class: "bad", state: String::new(), note };
    }
    let mut look = names("bad", rows);
    look.extend(names("wait", rows));
    look.extend(names("wait", offline));
    let mut seen = std::collections::BTreeSet::new();
    look.retain(|name| seen.insert(name.clone()));
    let until = view.readiness.until.map(|until| ui.t1("counter-verdict-until", "time", ui.time(until)));
    if look.is_empty() {
        let (item, note) = (ui.t("counter-verdict-good"), until.unwrap_or_default());
        return StatusRow { item, class: "ok", state: String::new(), note };
    }
    let what = ui.t1("counter-verdict-look-note", "what", look.join(&separator));
    let note = [until, Some(what)].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    StatusRow { item: ui.t("counter-verdict-good"), class: "wait", state: String::new(), note }
}
