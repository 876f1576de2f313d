//! How often the gates of an activity were passed, as staff read it. Pure.

use serde::Serialize;

use super::view::ActivityView;
use super::words::Ui;

/// How often a gate was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// Its number, 0 for a reader at none that is numbered.
    pub gate: u16,
    /// Check-ins.
    pub entered: u64,
    /// Leavings.
    pub left: u64,
}

/// Each gate of an activity with its counts; of who left only where that is recorded.
pub(super) fn texts<'a>(activity: &'a ActivityView, ui: &'a Ui) -> impl Iterator<Item = String> + use<'a> {
    let leaves = activity.leaves.is_some();
    activity.gates.iter().map(move |gate| text(gate, leaves, ui))
}

fn text(gate: &GateView, leaves: bool, ui: &Ui) -> String {
    let name = match gate.gate {
        0 => ui.t("counter-gate-none"),
        n => ui.t1("counter-gate", "n", n.to_string()),
    };
    let entered = gate.entered.to_string();
    let counts = if leaves || gate.left > 0 {
        ui.t2("counter-gate-both", ("in", entered), ("out", gate.left.to_string()))
    } else {
        ui.t1("counter-gate-in", "in", entered)
    };
    format!("{name} {counts}")
}
