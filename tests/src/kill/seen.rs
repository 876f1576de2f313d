//! What a run of the terminal was given, and everything that anybody saw of it until it was killed: lines of the
//! counter page, answers to orders, cues of the stack light.
//!
//! Nothing here asks the terminal's files. Whatever is recorded here was shown, so the terminal must have it on its disk.

use super::cast::Card;
use anyhow::{Context as _, Result, ensure};
use hufu_shared::fact::Shown;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A line of the counter page about one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Last characters of the card; none for a card that nobody knows.
    pub tail: Option<String>,
    /// What people were shown.
    pub shown: Shown,
    /// `visit`, `check_in`, `earn` or `look_up`.
    pub purpose: String,
    /// Points promised, as the page writes them.
    pub promised: Value,
}

/// What staff said of a fact whose showing is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The member got it.
    HandedOver,
    /// It is to be undone.
    Undo,
}

/// One run.
#[derive(Debug, Default)]
pub struct Seen {
    /// Cards drawn or typed, by their last characters; strangers are counted apart.
    pub presented: BTreeSet<String>,
    /// Of them, those that were typed.
    pub typed: BTreeSet<String>,
    /// How often the card that nobody knows was drawn.
    pub strangers: u64,
    /// How often a lost card was drawn.
    pub lost: u64,
    /// Purchases that the page was set to, in fen.
    pub purchases: BTreeSet<i64>,
    /// Lines of the page by seq.
    pub lines: BTreeMap<u64, Line>,
    /// Refusals that the page listed.
    pub refusals: u64,
    /// Typed cards whose confirmation the page answered.
    pub confirmed: BTreeSet<String>,
    /// Outcomes that the light showed, in order.
    pub cues: Vec<Shown>,
    /// Facts that the page listed for a decision when it came up; none if it did not.
    pub listed: Option<BTreeSet<u64>>,
    /// What staff asked for, and whether the page answered that it was done.
    pub verdicts: BTreeMap<u64, (Verdict, bool)>,
}

impl Seen {
    /// Notes that a card is drawn; before it is, since the kill may come at once.
    pub fn draw(&mut self, card: &Card) {
        if card.is_stranger() {
            self.strangers += 1;
        } else if card.lost {
            self.lost += 1;
        } else {
            self.presented.insert(card.tail().to_owned());
        }
    }

    /// Notes what a page says. True if it says something new.
    ///
    /// # Errors
    /// When a line changed, or is not understood.
    pub fn look(&mut self, view: &Value) -> Result<bool> {
        let before = (self.lines.len(), self.refusals);
        if self.listed.is_none() {
            let listed = view["unshown"].as_array().context("the page has no list of unshown facts")?;
            self.listed = Some(listed.iter().filter_map(|fact| fact["seq"].as_u64()).collect());
        }
        let mut refusals = 0;
        for line in view["last"].as_array().context("the page has no list of last swipes")? {
            if line["outcome"]["kind"] == "refused" {
                refusals += line["count"].as_u64().unwrap_or(0);
            }
            let Some(seq) = line["seq"].as_u64() else { continue };
            let new = Line {
                tail: line["card_tail"].as_str().map(str::to_owned),
                shown: shown(&line["outcome"]["kind"])?,
                purpose: line["purpose"]["kind"].as_str().unwrap_or_default().to_owned(),
                promised: line["promised"].clone(),
            };
            let old = self.lines.insert(seq, new.clone());
            ensure!(
                old.as_ref().is_none_or(|old| *old == new),
                "the page said {old:?} of fact {seq}, then {new:?}"
            );
        }
        // Lines fall off the end of the list, so the most ever seen counts.
        self.refusals = self.refusals.max(refusals);
        Ok(before != (self.lines.len(), self.refusals))
    }

    /// Notes what the light was told: one line per cue; one that the kill cut short says nothing.
    pub fn light(&mut self, bytes: &[u8]) {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let text = String::from_utf8_lossy(&bytes[..whole]);
        self.cues.extend(text.lines().filter_map(cue));
    }
}

/// The outcome that a line to the light stands for; none for what tells of no fact.
fn cue(line: &str) -> Option<Shown> {
    match (line.get(..2)?, line.split_once(',').map(|(_, notes)| notes)) {
        ("LG", Some("880:200")) => Some(Shown::AlreadyIn),
        ("LG", _) => Some(Shown::Accepted),
        ("LA", _) => Some(Shown::Recorded),
        ("LR", _) => Some(Shown::Refused),
        ("LB", Some(notes)) if notes.starts_with("990:") => Some(Shown::UnknownCard),
        _ => None,
    }
}

fn shown(kind: &Value) -> Result<Shown> {
    Ok(match kind.as_str().unwrap_or_default() {
        "accepted" => Shown::Accepted,
        "recorded" => Shown::Recorded,
        "refused" => Shown::Refused,
        "already_in" => Shown::AlreadyIn,
        "unknown_card" => Shown::UnknownCard,
        other => anyhow::bail!("the page shows `{other}`, which no card here can come to"),
    })
}
