//! The loop: one event after another, on a thread of its own.
//!
//! A swipe is decided and committed by [`Core`]; only then its effect is sent and the counter page's snapshot made.
//! Orders of staff, centre and commands are in `orders`.
//!
//! Invariants: no effect without the commit before it; a journal that refuses turns the terminal visibly out of service
//! and never green.

use std::collections::VecDeque;
use std::sync::mpsc;

use chrono_tz::Tz;
use hufu_hardware::card::{CardEvent, SourceKind};
use hufu_shared::fact::{Handing, Party, Purpose, RefusalReason};
use hufu_shared::ids::OccurrenceId;
use hufu_shared::keys::CENTRE_KEY_BYTES;
use hufu_shared::token::CardText;

use super::asking::Asking;
use super::batch::Batch;
use super::core::{Core, Mode, Presented, Swiped};
use super::desk::DeskPages;
use super::effects::Effect;
use super::events::{Event, Shown};
use super::health::HealthSender;
use super::panels::DisplayState;
use super::paper::Paper;
use super::practice::Practice;
use super::readers::{self, ReaderBook};
use super::setup::Setup;
use super::staff::StaffDesk;
use super::undoing::Undoing;
use super::upkeep::Upkeep;
use super::view;
use crate::clock::Clock;
use crate::counter::port::ViewSink;
use crate::counter::view::{
    CandidateView, CounterView, LAST_SWIPES_MAX, Outcome as Seen, ResultView, SwipeView,
};
use crate::rules::decide::Outcome;
use crate::rules::decide::value::Moved;
use crate::rules::gate::Gate;
use crate::rules::readiness::Readiness;
use crate::rules::screen::{Face, Seen as Said, outcome_words, plain_words};
use crate::rules::timekeeping::Now;
use crate::state::{LeaseAsking, Link};
use crate::store::StoreError;

/// Takes asks for the centre.
pub type AskSender = tokio::sync::mpsc::Sender<LeaseAsking>;
/// Takes how ready the terminal is to go offline.
pub type ReadySender = tokio::sync::watch::Sender<Option<Readiness>>;

/// How long the counter page keeps a result or a candidate that nothing replaced, in nanoseconds.
pub(super) const RESULT_KEPT_NS: u64 = 60_000_000_000;

/// The loop's state.
pub struct Dispatch {
    pub(super) core: Core,
    pub(super) clock: Clock,
    pub(super) effects: mpsc::Sender<Effect>,
    pub(super) view: Option<ViewSink>,
    pub(super) readers: ReaderBook,
    pub(super) mode: Mode,
    /// What the mode returns to after a purchase.
    pub(super) before: Purpose,
    pub(super) desk: Desk,
    pub(super) pages: DeskPages,
    pub(super) link: Link,
    pub(super) display: DisplayState,
    /// Which way members pass here.
    pub(super) gate: Gate,
    /// Where asks for the centre go; none while there is no lane.
    pub(super) asks: Option<AskSender>,
    ready: Option<ReadySender>,
    /// Where the centre is told how the terminal is; nowhere while there is no lane.
    pub(super) health: Option<HealthSender>,
    pub(super) paper: Paper,
    /// Cards that are collected for a batch check-in.
    pub(super) batch: Option<Batch>,
    /// The centre's key, for member codes; none takes none.
    pub(super) centre_key: Option<[u8; CENTRE_KEY_BYTES]>,
    pub(super) upkeep: Upkeep,
    pub(super) setup: Setup,
    /// While it is under way, `core` is over a copy.
    pub(super) practice: Option<Practice>,
    /// How many practices there were since the start.
    pub(super) rounds: u64,
    pub(super) staff: StaffDesk,
}

/// What staff see of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) last: VecDeque<SwipeView>,
    pub(super) result: Option<ResultView>,
    pub(super) result_at_ns: u64,
    pub(super) candidate: Option<Candidate>,
    pub(super) asking: Option<Asking>,
    pub(super) undoing: Option<Undoing>,
    /// Counts results and candidates, so that a page tells a new one from the one it has.
    pub(super) n: u64,
}

/// A typed number that waits for staff to confirm it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) view: CandidateView,
    pub(super) card: CardText,
    /// What it was shown for; it is confirmed for that or not at all.
    pub(super) purpose: Purpose,
    pub(super) at_ns: u64,
}

impl Candidate {
    pub(super) fn is_over(&self, now: &Now) -> bool {
        now.mono_ns.saturating_sub(self.at_ns) > RESULT_KEPT_NS
    }
}

impl Dispatch {
    /// The loop over these parts. What the terminal was last set to do is taken up again, except a purchase.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn new(
        core: Core,
        clock: Clock,
        effects: mpsc::Sender<Effect>,
        entries: Vec<(String, SourceKind)>,
        display: DisplayState,
    ) -> Result<Self, StoreError> {
        let purpose = core.store().with(|journal| journal.purpose())?;
        let purpose = purpose.filter(|purpose| !is_once(purpose)).unwrap_or(Purpose::Visit);
        let link = Link::starting(clock.now().trusted);
        let mut dispatch = Self {
            core,
            effects,
            view: None,
            readers: ReaderBook::new(entries),
            mode: Mode { purpose: purpose.clone(), operator: None },
            before: purpose,
            desk: Desk::default(),
            pages: DeskPages::default(),
            link,
            display,
            gate: Gate::Both,
            asks: None,
            ready: None,
            health: None,
            paper: Paper::default(),
            batch: None,
            centre_key: None,
            upkeep: Upkeep::default(),
            setup: Setup::default(),
            practice: None,
            rounds: 0,
            staff: StaffDesk::default(),
            clock,
        };
        dispatch.measure_disk();
        dispatch.recall_tried()?;
        let now = dispatch.clock.now();
        dispatch.recall_batch(&now)?;
        Ok(dispatch)
    }

    /// The counter page's first snapshot.
    ///
    /// # Errors
    /// [`StoreError`] if journal or directory cannot be read.
    pub fn first_view(&self) -> Result<CounterView, StoreError> {
        view::build(self, &self.clock.now())
    }

    /// Sends snapshots here from now on.
    pub fn attach(&mut self, view: ViewSink) {
        self.view = Some(view);
    }

    /// How ready the terminal is to go offline is told here from now on.
    pub fn attach_ready(&mut self, ready: ReadySender) {
        self.ready = Some(ready);
    }

    /// How the terminal is is told here from now on.
    pub fn attach_health(&mut self, health: HealthSender) {
        self.health = Some(health);
    }

    /// Asks of the centre go here from now on.
    pub fn attach_asks(&mut self, asks: AskSender) {
        self.asks = Some(asks);
    }

    /// Handles one event. False when the loop is to end.
    pub fn handle(&mut self, event: Event) -> bool {
        let now = self.clock.now();
        let going_on = !matches!(event, Event::Stop);
        match event {
            Event::Card(event) => self.card(&event, &now),
            Event::Order(request) => {
                let answer = self.order(request.order, &now);
                self.refresh(&now);
                // A page that has gone away is no error.
                let _ = request.reply.send(answer);
                return true;
            }
            Event::Central(order) => self.central(&order, &now),
            Event::Link(link) => self.linked(link, &now),
            Event::Asked(asked) => self.asked(asked, &now),
            Event::Control(order) => self.control(order, &now),
            Event::Shown(shown) => self.shown(&shown),
            Event::Printer(report) => self.printer_says(&report),
            Event::Tick => self.tick(&now),
            Event::Stop => self.stop(&now),
        }
        self.rest();
        self.refresh(&now);
        going_on
    }

    fn card(&mut self, event: &CardEvent, now: &Now) {
        let counts = self.readers.observe(event);
        self.upkeep.last_event_ns = now.mono_ns;
        if self.tries_card(event, now) {
            return;
        }
        match event {
            CardEvent::Presented(presented) if counts => self.presented(presented, now),
            CardEvent::ReadFailed { source, kind, offered, .. } => {
                if readers::is_unusable(*kind) {
                    tracing::info!(reader = %source.name, ?kind, "met something that is no card of ours");
                    self.unusable(source.index, now);
                } else {
                    self.say(Face::Failed(readers::offered(*offered)), Seen::ReadFailed, *offered, now);
                }
            }
            CardEvent::Entered { source, entry, .. } => self.entered(source.index, entry, now),
            CardEvent::KeepStill { source, .. } => {
                self.say(Face::KeepStill, Seen::KeepStill, self.kind_of(source.index), now);
            }
            CardEvent::SourceUp { source, .. } => tracing::info!(reader = %source.name, "a reader works"),
            CardEvent::SourceDown { source, reason, .. } => {
                tracing::warn!(reader = %source.name, reason, "a reader does not work");
            }
            _ => {}
        }
    }

    pub(super) fn kind_of(&self, index: usize) -> SourceKind {
        self.readers.entries.get(index).map_or(SourceKind::Tap, |(_, kind)| *kind)
    }

    /// Records a swipe and shows what it came to.
    pub(super) fn swipe(&mut self, presented: Presented, source: crate::counter::view::Source, now: &Now) {
        if self.collects() && self.collect(&presented, source, now) {
            return;
        }
        if self.is_waiting(&presented) || self.begin_asking(&presented, source, now) {
            return;
        }
        let swiped = self.core.swipe(&presented, &self.mode, now);
        self.meet(&presented, &swiped, now);
        let purpose = self.mode.purpose.clone();
        self.finish(swiped, &purpose, source, now);
    }

    pub(super) fn unusable(&mut self, index: usize, now: &Now) {
        let swiped = self.core.unusable(&self.mode, now);
        let purpose = self.mode.purpose.clone();
        self.finish(swiped, &purpose, view::source(self.kind_of(index)), now);
    }

    /// Shows the outcome of what was committed, or that nothing could be.
    pub(super) fn finish(
        &mut self,
        swiped: Result<Swiped, StoreError>,
        purpose: &Purpose,
        source: crate::counter::view::Source,
        now: &Now,
    ) {
        self.upkeep.log_used = true;
        // A candidate beside the answer to another card would be confirmed as if it were still the question.
        self.desk.candidate = None;
        let swiped = match swiped {
            Ok(swiped) => swiped,
            Err(error) => return self.not_recorded(&error, now),
        };
        let said = Said {
            purpose,
            member: swiped.member.as_ref(),
            terms: swiped.terms.as_ref(),
            promised: swiped.decision.promised,
            waiting: swiped.decision.waiting,
            value: &swiped.decision.value,
            now: now.trusted,
            zone: self.zone(),
        };
        let outcome = swiped.decision.outcome;
        let words = outcome_words(outcome, &said);
        // A loop whose displays are gone still records; the send can only fail at the end of the program.
        let seq = swiped.seq.map(|seq| self.named(seq));
        drop(self.effects.send(Effect::Show { face: Face::Outcome(outcome), words, seq }));
        tracing::info!(seq = swiped.seq, outcome = ?outcome, "a swipe was recorded");
        self.print_due(swiped.seq, &swiped.decision.event, &swiped.decision.value.left);
        self.desk.n += 1;
        let result = view::result(self, &swiped, purpose, source, now);
        view::remember(&mut self.desk, &result, swiped.count);
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
        // What is no card of ours has not had the purchase, and what has a holder was not given: the next card still may.
        let passed_by = [RefusalReason::R08, RefusalReason::R16].map(Outcome::Refused);
        let has_had_it = !passed_by.contains(&outcome);
        if has_had_it && is_once(&self.mode.purpose) && *purpose == self.mode.purpose {
            self.mode.purpose = self.before.clone();
        }
    }

    /// The journal refused: out loud, and never green (fault case 13).
    pub(super) fn not_recorded(&mut self, error: &StoreError, now: &Now) {
        tracing::error!(%error, "a swipe could not be recorded");
        if error.is_full() {
            let outcome = Outcome::Refused(RefusalReason::R13);
            let purpose = self.mode.purpose.clone();
            let (zone, now_at) = (self.zone(), now.trusted);
            let said = Said {
                purpose: &purpose,
                member: None,
                terms: None,
                promised: None,
                waiting: None,
                value: &Moved::default(),
                now: now_at,
                zone,
            };
            let words = outcome_words(outcome, &said);
            drop(self.effects.send(Effect::Show { face: Face::Outcome(outcome), words, seq: None }));
            self.note(Seen::Refused(RefusalReason::R13), SourceKind::Tap, now);
        } else {
            self.say(Face::NotReady, Seen::NotReady, SourceKind::Tap, now);
        }
    }

    /// Shows something that is no outcome of a swipe.
    fn say(&mut self, face: Face, seen: Seen, offered: SourceKind, now: &Now) {
        if let Some(words) = plain_words(face) {
            drop(self.effects.send(Effect::Show { face, words, seq: None }));
        }
        self.note(seen, offered, now);
    }

    fn note(&mut self, seen: Seen, offered: SourceKind, now: &Now) {
        self.desk.n += 1;
        let result = view::plain_result(self, seen, view::source(offered), now);
        if !matches!(seen, Seen::KeepStill) {
            view::remember(&mut self.desk, &result, 1);
        }
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
    }

    /// Tells the displays what to show when nothing else is to be shown, if that changed: by a reader that came or
    /// went, or by a directory that names the office's zone.
    pub(super) fn rest(&mut self) {
        let face = if self.readers.none_ready() { Face::NotReady } else { Face::Idle(self.readers.offers()) };
        let rest = (face, self.zone());
        if self.display.rest.replace(rest) != Some(rest) {
            drop(self.effects.send(Effect::Rest(rest.0, rest.1)));
        }
    }

    pub(super) fn zone(&self) -> Tz {
        self.core.office_clock().tz().unwrap_or(Tz::Asia__Shanghai)
    }

    fn shown(&mut self, shown: &Shown) {
        self.display.note(&shown.faults);
        if let Some((seq, store)) = shown.seq.and_then(|named| self.meant(named)) {
            self.keep("mark as shown", |_| {
                store.with(|journal| {
                    journal.mark_shown(seq);
                    Ok(())
                })
            });
        }
    }

    fn stop(&mut self, now: &Now) {
        self.end_practice();
        self.keep("end in good order", |dispatch| {
            dispatch.core.store().with(|journal| journal.shutdown(now))
        });
    }

    /// Does a chore; a failure is logged, since swipes say it aloud when it concerns them.
    pub(super) fn keep(
        &mut self,
        what: &'static str,
        chore: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> bool {
        match chore(self) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "failed to {what}");
                false
            }
        }
    }

    /// Makes the counter page's snapshot.
    pub(super) fn refresh(&mut self, now: &Now) {
        let Some(sink) = &self.view else { return };
        match view::build(self, now) {
            Ok(view) => {
                if let Some(ready) = &self.ready {
                    let seen = Some(Readiness::from(&view.readiness));
                    ready.send_if_modified(|told| {
                        *told != seen && {
                            *told = seen;
                            true
                        }
                    });
                }
                sink.publish(view);
            }
            Err(error) => tracing::error!(%error, "failed to make the counter page's snapshot"),
        }
    }

    /// Sets what the next card means, and keeps it for the next start.
    pub(super) fn set_purpose(&mut self, purpose: Purpose) {
        if !is_once(&purpose) {
            self.before = purpose.clone();
            let stored = purpose.clone();
            self.keep("store what the terminal is set to do", |dispatch| {
                dispatch.core.store().with(|journal| journal.set_purpose(&stored))
            });
        }
        self.mode.purpose = purpose;
    }

    /// The occurrence that is chosen, if any: cards are checked in to it or out of it, or its gifts handed out.
    pub(super) fn occurrence(&self) -> Option<OccurrenceId> {
        match self.mode.purpose {
            Purpose::CheckIn(occurrence)
            | Purpose::CheckOut(occurrence)
            | Purpose::CheckInParty(Party { occurrence, .. })
            | Purpose::HandOut(Handing { occurrence, .. }) => Some(occurrence),
            _ => None,
        }
    }
}

/// Whether a purpose is for one card only: what it was before returns after it.
pub(super) fn is_once(purpose: &Purpose) -> bool {
    !matches!(
        purpose,
        Purpose::LookUp | Purpose::Visit | Purpose::CheckIn(_) | Purpose::CheckOut(_) | Purpose::HandOut(_)
    )
}

impl Desk {
    /// Adds a line to the list of last swipes.
    pub(super) fn push(&mut self, line: SwipeView) {
        self.last.push_front(line);
        self.last.truncate(LAST_SWIPES_MAX);
    }
}

#[cfg(test)]
mod tests;
