//! Slips on the counter page: how often each was printed, which wait, what the printer lacks.
//!
//! A slip that is not on paper never hides that its swipe is recorded: it stands beside it, with its own button.

use hufu_shared::time::Instant;
use serde::Serialize;

use super::sheets::StatusRow;
use super::view::CounterView;
use super::words::Ui;

/// The receipt printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrinterView {
    /// Its port.
    pub name: String,
    /// Whether it was heard of since the start.
    pub known: bool,
    /// What is in the way, as a word; none while it prints.
    pub hindrance: Option<&'static str>,
    /// Whether the paper is near its end.
    pub near_end: bool,
    /// Slips of late, newest first.
    pub slips: Vec<SlipView>,
}

/// A slip of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlipView {
    /// The fact's seq.
    pub seq: u64,
    /// Its number as it stands on paper.
    pub number: String,
    /// When the fact was recorded.
    pub at: Instant,
    /// How often it was printed.
    pub copies: u32,
    /// Whether it is in the printer's queue.
    pub queued: bool,
    /// Whether it should have been printed and was not.
    pub let_go: bool,
    /// Whether it is a badge to wear.
    pub badge: bool,
}

impl SlipView {
    /// A slip that nobody asked for yet.
    #[must_use]
    pub fn new(seq: u64, number: String, at: Instant, badge: bool) -> Self {
        Self { seq, number, at, copies: 0, queued: false, let_go: false, badge }
    }
}

/// A slip beside its swipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipMark {
    /// What the form sends.
    pub key: String,
    /// What the button says; none while the slip is in the printer's queue.
    pub button: Option<String>,
    /// How it is, where that is worth a word.
    pub state: Option<String>,
}

/// What staff must know of slips at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperStrip {
    /// What is the matter, and what helps.
    pub text: String,
    /// Slips that were let go.
    pub slips: Vec<PaperLine>,
}

/// A slip that was let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperLine {
    /// What the form sends.
    pub key: String,
    /// Its number.
    pub number: String,
    /// When it was recorded.
    pub time: String,
}

/// The slip of a swipe.
pub(super) fn mark(seq: Option<u64>, view: &CounterView, ui: &Ui) -> Option<SlipMark> {
    let slip = view.printer.as_ref()?.slips.iter().find(|slip| Some(slip.seq) == seq)?;
    let button = match slip {
        SlipView { queued: true, .. } => None,
        SlipView { badge: true, .. } => Some(ui.t("counter-slip-badge")),
        SlipView { copies: 0, let_go: false, .. } => Some(ui.t("counter-slip-print")),
        _ => Some(ui.t("counter-slip-reprint")),
    };
    let state = match slip {
        SlipView { queued: true, .. } => Some(ui.t("counter-slip-waits")),
        SlipView { let_go: true, .. } => Some(ui.t("counter-slip-unprinted")),
        SlipView { copies: 2.., .. } => Some(ui.t1("counter-slip-copies", "n", slip.copies - 1)),
        _ => None,
    };
    Some(SlipMark { key: slip.seq.to_string(), button, state })
}

/// What is the matter with slips; none while there is nothing to do.
pub(super) fn strip(view: &CounterView, ui: &Ui) -> Option<PaperStrip> {
    let printer = view.printer.as_ref()?;
    let waiting = printer.slips.iter().filter(|slip| slip.queued).count();
    let let_go: Vec<&SlipView> = printer.slips.iter().filter(|slip| slip.let_go).collect();
    let slips = let_go.iter().map(|slip| PaperLine {
        key: slip.seq.to_string(),
        number: slip.number.clone(),
        time: ui.time(slip.at),
    });
    let text = match (printer.hindrance, waiting, let_go.len()) {
        (Some(code), n @ 1.., _) => {
            ui.t2("counter-paper-waits", ("what", trouble(code, ui)), ("n", n.to_string()))
        }
        (_, _, n @ 1..) => ui.t1("counter-paper-unprinted", "n", n),
        (Some(code), 0, 0) => ui.t1("counter-paper-trouble", "what", trouble(code, ui)),
        (None, _, 0) => return None,
    };
    Some(PaperStrip { text, slips: slips.collect() })
}

fn trouble(code: &str, ui: &Ui) -> String {
    ui.t(&format!("printer-{code}"))
}

/// The printer among the terminal's parts; none without one.
pub(super) fn status_row(view: &CounterView, ui: &Ui) -> Option<StatusRow> {
    let printer = view.printer.as_ref()?;
    let PrinterView { hindrance, near_end, known, name, .. } = printer;
    let (class, state, todo) = match (hindrance, near_end) {
        (Some(code), _) => ("bad", trouble(code, ui), Some(ui.t("counter-status-printer-todo"))),
        (None, true) => ("wait", ui.t("printer-near-end"), Some(ui.t("counter-status-printer-near-end"))),
        (None, false) if !known => ("", ui.t("counter-status-printer-unknown"), None),
        (None, false) => ("ok", ui.t("counter-status-up"), None),
    };
    let note = [Some(name.clone()), todo].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Some(StatusRow { item: ui.t("counter-status-printer"), class, state, note })
}
