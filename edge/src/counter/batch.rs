//! Batch check-in on the counter page (rule K27): the list as it is shown, what its form sends, and its words. Pure.

use hufu_shared::ids::OccurrenceId;
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;
use serde::{Deserialize, Serialize};

use super::forms::{Number, Refused};
use super::pages::Line;
use super::port::Order;
use super::view::{CounterView, ModeView, Outcome, ResultView};
use super::words::Ui;

/// What staff ask of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOrder {
    /// Collect cards for an occurrence, or go on collecting.
    Open(OccurrenceId),
    /// Take a card off.
    Remove {
        /// Its number.
        n: u64,
    },
    /// Check everybody on it in.
    Confirm {
        /// How many the page showed.
        seen: usize,
    },
    /// Give the list up; nobody is checked in.
    GiveUp,
}

/// The list that is being collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchView {
    /// For what.
    pub occurrence: OccurrenceId,
    /// Its activity's name.
    pub name: Words,
    /// Planned start; none if the directory no longer knows it.
    pub starts: Option<Instant>,
    /// Planned end.
    pub ends: Option<Instant>,
    /// Whether the next card goes onto the list.
    pub collecting: bool,
    /// The cards, in the order in which they came.
    pub lines: Vec<BatchLineView>,
}

/// A collected card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchLineView {
    /// Its number on the list.
    pub n: u64,
    /// Name for staff; none for members who asked for secrecy.
    pub name: Option<String>,
    /// Whether it is the card of a member that the directory knows.
    pub known: bool,
    /// End of the card's number; empty if it is not known.
    pub card_tail: String,
    /// What confirming it would come to.
    pub outcome: Outcome,
}

/// What a confirmed list came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BatchSum {
    /// Checked in now.
    pub checked_in: u32,
    /// Were in already.
    pub already: u32,
    /// Recorded, to be confirmed: unknown cards among them.
    pub unsure: u32,
    /// Refused.
    pub others: u32,
}

/// `POST /batch`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchInput {
    /// `open`, `confirm` or `give_up`; left out with `remove`.
    #[serde(default)]
    pub act: Option<String>,
    /// The occurrence, with `open`.
    #[serde(default)]
    pub occurrence: Option<String>,
    /// How many the page showed, with `confirm`.
    #[serde(default)]
    pub seen: Option<Number>,
    /// Number of the card to be taken off.
    #[serde(default)]
    pub remove: Option<Number>,
}

impl BatchInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Request`].
    pub fn order(&self) -> Result<Order, Refused> {
        if let Some(n) = &self.remove {
            return Ok(Order::Batch(BatchOrder::Remove { n: n.get()? }));
        }
        let order = match self.act.as_deref() {
            Some("open") => {
                let id = self.occurrence.as_deref().and_then(|id| id.parse().ok());
                BatchOrder::Open(id.ok_or(Refused::Request)?)
            }
            Some("confirm") => {
                let seen = self.seen.as_ref().ok_or(Refused::Request)?.get()?;
                BatchOrder::Confirm { seen: usize::try_from(seen).map_err(|_| Refused::Request)? }
            }
            Some("give_up") => BatchOrder::GiveUp,
            _ => return Err(Refused::Request),
        };
        Ok(Order::Batch(order))
    }
}

/// The list, or the offer to begin one, ready to be put into the page.
#[derive(Debug, Default)]
pub struct BatchPart {
    /// The occurrence that `open` names.
    pub occurrence: String,
    /// Whether there is a list.
    pub open: bool,
    /// Whether the next card goes onto it.
    pub collecting: bool,
    /// The activity.
    pub name: String,
    /// Time and place.
    pub when: String,
    /// How many are on it, in words.
    pub count: String,
    /// How many are on it.
    pub seen: usize,
    /// What confirming does, in words.
    pub confirm: String,
    /// The cards, newest first.
    pub lines: Vec<Line>,
    /// Label of the field for the next member's companions; empty where members come alone.
    pub party: String,
}

/// The list's part of the page; none where there is nothing to check in to.
#[must_use]
pub fn part(view: &CounterView, ui: &Ui) -> Option<BatchPart> {
    let Some(batch) = &view.batch else {
        let ModeView::CheckIn { occurrence, .. } = &view.mode else { return None };
        let most = view.activities.iter().find(|activity| activity.occurrence == *occurrence);
        let most = most.map(|activity| activity.companions).filter(|most| *most > 0);
        let party = most.map(|most| ui.t1("counter-party-label", "n", most.to_string())).unwrap_or_default();
        return Some(BatchPart { occurrence: occurrence.to_string(), party, ..BatchPart::default() });
    };
    let hours = batch.starts.zip(batch.ends);
    let hours = hours.map(|(from, to)| format!("{}–{}", ui.time(from), ui.time(to)));
    let place = Some(ui.words(&view.office).to_owned()).filter(|place| !place.is_empty());
    let n = batch.lines.len();
    Some(BatchPart {
        occurrence: batch.occurrence.to_string(),
        open: true,
        collecting: batch.collecting,
        name: ui.words(&batch.name).to_owned(),
        when: hours.into_iter().chain(place).collect::<Vec<_>>().join(" · "),
        count: ui.t1("counter-batch-count", "n", n.to_string()),
        seen: n,
        confirm: ui.t1("counter-batch-confirm", "n", n.to_string()),
        lines: batch.lines.iter().rev().map(|line| batch_line(line, ui)).collect(),
        party: String::new(),
    })
}

fn batch_line(line: &BatchLineView, ui: &Ui) -> Line {
    let (class, why) = match line.outcome {
        Outcome::Accepted => ("ok", String::new()),
        Outcome::AlreadyIn => ("", ui.t("counter-outcome-already_in-check_in")),
        Outcome::UnknownCard => ("wait", ui.t("counter-outcome-unknown_card")),
        Outcome::Recorded => ("wait", ui.t("counter-word-recorded")),
        Outcome::Refused(reason) => {
            ("bad", ui.t(&format!("counter-reason-{}", format!("{reason:?}").to_ascii_lowercase())))
        }
        _ => ("wait", String::new()),
    };
    let nobody = if line.known { "counter-last-no-name" } else { "counter-last-nobody" };
    Line {
        key: line.n.to_string(),
        class,
        name: line.name.clone().unwrap_or_else(|| ui.t(nobody)),
        tail: Some(line.card_tail.as_str())
            .filter(|tail| !tail.is_empty())
            .map(|tail| ui.t1("counter-card-tail", "tail", tail)),
        why,
        ..Line::default()
    }
}

/// Headline and next step of a card that was collected, and of a list that was confirmed.
pub(super) fn said(result: &ResultView, key: &str, ui: &Ui) -> Option<(String, Option<String>)> {
    if let Some(sum) = &result.batch {
        let rest = [
            ("counter-batch-already", sum.already),
            ("counter-batch-unsure", sum.unsure),
            ("counter-batch-others", sum.others),
        ];
        let rest: Vec<String> =
            rest.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| ui.t1(key, "n", n.to_string())).collect();
        let headline = ui.t1("counter-batch-done", "n", sum.checked_in.to_string());
        return Some((headline, (!rest.is_empty()).then(|| rest.join(" · "))));
    }
    let key_of_count = match result.person {
        Some(_) => "counter-batch-listed-next",
        // Whoever holds it should be asked now, while they stand here.
        None => "counter-batch-listed-unknown",
    };
    let next = result.listed.map(|n| ui.t1(key_of_count, "n", n.to_string()));
    match result.outcome {
        Outcome::Listed | Outcome::ListedAlready | Outcome::ListFull => {
            let base = format!("counter-outcome-{key}");
            Some((ui.t(&base), next.or_else(|| Some(ui.t(&format!("{base}-next"))))))
        }
        _ => None,
    }
}
