//! Trying the terminal's parts at set-up, by a person who stands before it: a card, a picture, a sound, a slip.
//!
//! Invariants: a card that is shown to be tried is no swipe, nothing is recorded for it and no more of it is kept than
//! its last characters; whether a picture was seen, a sound heard or a slip could be read is what the person says, never
//! assumed; results are of the terminal and stand in its journal, also while staff practise.

use hufu_hardware::card::{CardEvent, Medium};
use hufu_hardware::printer::queue::{Job, Report};
use hufu_hardware::signal::Cue;
use hufu_shared::member_code::is_meant;

use super::dispatch::Dispatch;
use super::effects::{Effect, cue};
use super::readers;
use super::ticket;
use crate::counter::port::Declined;
use crate::counter::setup::{SetupDoing, SetupOrder, SetupPart, SetupView};
use crate::rules::decide::Outcome;
use crate::rules::screen::{Face, Text, Words};
use crate::rules::setup::{Part, Tried, standing};
use crate::rules::timekeeping::Now;
use crate::store::StoreError;

/// How long a card, an answer or a slip is waited for, in nanoseconds.
const WAIT_NS: u64 = 60_000_000_000;
/// What the printer calls the test slip: no practice ever gets that far.
pub(super) const TEST_SLIP: u64 = u64::MAX;
/// Between the parts of a detail.
const DETAIL_SEPARATOR: &str = "\t";

/// What is being tried, and what was.
#[derive(Debug, Default)]
pub(super) struct Setup {
    doing: Option<(SetupDoing, u64)>,
    tried: Vec<Tried>,
}

impl Dispatch {
    /// Takes up what was tried before the start.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub(super) fn recall_tried(&mut self) -> Result<(), StoreError> {
        self.setup.tried = self.books().store().with(|journal| journal.tried())?;
        Ok(())
    }

    /// Carries out what the set-up page asks for.
    pub(super) fn setup_order(&mut self, order: SetupOrder, now: &Now) -> Result<(), Declined> {
        let begin = |doing| Some((doing, now.mono_ns));
        match order {
            SetupOrder::Contacted(met) => {
                let (worked, met, detail) = match met {
                    Ok(took_ms) => (true, "answered", took_ms.to_string()),
                    Err(reason) => (false, "silent", reason),
                };
                self.tried((Part::Central, worked), met, detail, now)?;
            }
            SetupOrder::Card => self.setup.doing = begin(SetupDoing::Card),
            SetupOrder::Picture => {
                self.there(Part::Display).ok_or(Declined::Unable)?;
                let words = test_picture();
                drop(self.effects.send(Effect::Show { face: Face::KeepStill, words, seq: None }));
                self.setup.doing = begin(SetupDoing::Picture);
            }
            SetupOrder::Sound(outcome) => {
                drop(self.effects.send(Effect::Signal(signal_of(outcome))));
                self.setup.doing = begin(SetupDoing::Sound);
            }
            SetupOrder::Slip => {
                let job = self.test_slip().ok_or(Declined::Unable)?;
                drop(self.effects.send(Effect::Print(job)));
                self.setup.doing = begin(SetupDoing::Slip { hindered: None });
            }
            SetupOrder::Answer { part, worked } => {
                let met = match (part, worked) {
                    (Part::Display, true) => "seen",
                    (Part::Display, false) => "unseen",
                    (Part::Sound, true) => "heard",
                    (Part::Sound, false) => "unheard",
                    (Part::Printer, true) => "legible",
                    (Part::Printer, false) => "illegible",
                    (Part::Central | Part::Reader, _) => return Err(Declined::Stale),
                };
                let asked = self.setup.doing.as_ref().is_some_and(|(doing, _)| doing.asks() == Some(part));
                if !asked {
                    return Err(Declined::Stale);
                }
                self.tried((part, worked), met, String::new(), now)?;
            }
            SetupOrder::GiveUp => self.setup.doing = None,
        }
        Ok(())
    }

    /// Keeps what came of trying a part, and ends the trying.
    fn tried(
        &mut self,
        (part, worked): (Part, bool),
        met: &str,
        detail: String,
        now: &Now,
    ) -> Result<(), Declined> {
        let there = self.there(part).ok_or(Declined::Unable)?;
        let tried = Tried { part, at: now.trusted, worked, there, met: met.to_owned(), detail };
        let kept = self.books().store().with(|journal| journal.note_tried(&tried));
        kept.map_err(|error| {
            tracing::error!(%error, "failed to keep what was tried");
            Declined::Unable
        })?;
        tracing::info!(part = part.code(), worked, met, "a part of the terminal was tried");
        self.setup.tried.retain(|before| before.part != part);
        self.setup.tried.push(tried);
        self.setup.doing = None;
        Ok(())
    }

    /// As [`Self::tried`], where nobody waits for an answer: what cannot be kept is not claimed either.
    fn met(&mut self, part: (Part, bool), met: &str, detail: String, now: &Now) {
        if self.tried(part, met, detail, now).is_err() {
            self.setup.doing = None;
        }
    }

    /// Whether the next card is to be tried and not counted.
    pub(super) fn awaits_card(&self) -> bool {
        matches!(self.setup.doing, Some((SetupDoing::Card, _)))
    }

    /// Takes a card that is shown to be tried. True if it was one, and no swipe.
    pub(super) fn tries_card(&mut self, event: &CardEvent, now: &Now) -> bool {
        if !self.awaits_card() {
            return false;
        }
        let (worked, met, detail) = match event {
            CardEvent::Presented(read) => {
                let detail =
                    [read.source.name.to_string(), medium(&read.medium).to_owned(), tail(&read.medium)];
                (true, "read", detail.join(DETAIL_SEPARATOR))
            }
            CardEvent::ReadFailed { source, .. } => (false, "unread", source.name.to_string()),
            _ => return false,
        };
        self.met((Part::Reader, worked), met, detail, now);
        true
    }

    /// What the printer says of the test slip. False if it speaks of another.
    pub(super) fn tries_slip(&mut self, report: &Report) -> bool {
        let (Report::Printed { id } | Report::LetGo { id } | Report::Waits { id, .. }) = report else {
            return false;
        };
        if *id != TEST_SLIP {
            return false;
        }
        let now = self.clock.now();
        let Some((doing @ SetupDoing::Slip { .. }, _)) = &mut self.setup.doing else { return true };
        match report {
            Report::Printed { .. } => *doing = SetupDoing::Printed,
            Report::Waits { hindrance, .. } => {
                *doing = SetupDoing::Slip { hindered: Some(hindrance.code()) };
            }
            _ => self.met((Part::Printer, false), "not_printed", String::new(), &now),
        }
        true
    }

    /// Nobody came with a card, or answered.
    pub(super) fn try_no_longer(&mut self, now: &Now) {
        let over = |since_ns: u64| now.mono_ns.saturating_sub(since_ns) > WAIT_NS;
        match self.setup.doing.take_if(|(_, since_ns)| over(*since_ns)) {
            Some((SetupDoing::Card, _)) => {
                self.met((Part::Reader, false), "nothing", String::new(), now);
            }
            Some((SetupDoing::Slip { hindered }, _)) => {
                let detail = hindered.unwrap_or_default().to_owned();
                self.met((Part::Printer, false), "hindered", detail, now);
            }
            _ => {}
        }
    }

    /// What of a part is there now, as it is known; none if none is configured.
    fn there(&self, part: Part) -> Option<String> {
        match part {
            Part::Central | Part::Sound => Some(String::new()),
            Part::Reader => {
                let names: Vec<&str> = self.readers.entries.iter().map(|(name, _)| name.as_str()).collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
            Part::Display => {
                let names: Vec<&str> = self.display.each.iter().map(|each| each.name.as_str()).collect();
                (!names.is_empty()).then(|| names.join(", "))
            }
            Part::Printer => self.paper.setup().map(|setup| setup.name.clone()),
        }
    }

    fn test_slip(&self) -> Option<Job> {
        let setup = self.paper.setup()?;
        let heading = self.heading(setup.language);
        let ticket = ticket::test(&heading, self.clock.now().trusted);
        Some(Job { id: TEST_SLIP, ticket: ticket.clone(), marked: ticket })
    }

    /// How the set-up stands, for the page.
    pub(super) fn setup_view(&self, now: &Now) -> SetupView {
        let part = |part: Part| {
            let there = self.there(part);
            let tried = self.setup.tried.iter().find(|tried| tried.part == part).cloned();
            let standing = standing(there.as_deref(), tried.as_ref(), now.trusted);
            SetupPart { part, there, standing, tried }
        };
        SetupView {
            parts: Part::ALL.map(part).into(),
            doing: self.setup.doing.as_ref().map(|(doing, _)| doing.clone()),
        }
    }
}

/// Light and sound of an outcome, as at the counter.
fn signal_of(outcome: Outcome) -> Cue {
    cue(Face::Outcome(outcome))
}

/// Large words, small words and digits: what is out of focus, cut off or upside down shows.
fn test_picture() -> Words {
    let text = |key| Text { key, args: Vec::new() };
    Words {
        title: text("setup-picture-title"),
        lines: vec![text("setup-picture-line"), text("setup-picture-small")],
        short_title: text("setup-picture-title"),
        short_line: Some(text("setup-picture-short")),
    }
}

/// What kind of medium it was, as a word of the page's texts.
fn medium(medium: &Medium) -> &'static str {
    match medium {
        Medium::Uid(_) => "uid",
        Medium::Line(line) if is_meant(line) => "code",
        Medium::Line(_) => "line",
        Medium::Stripe { .. } => "stripe",
        _ => "number",
    }
}

/// The last characters of a card's number; nothing of a member code, which would be half of its secret.
fn tail(medium: &Medium) -> String {
    match medium {
        Medium::Line(line) if is_meant(line) => String::new(),
        other => readers::card_text(other).map(|card| card.tail()).unwrap_or_default(),
    }
}
