//! What waits for the loop together is handled together: swipes of several readers share one commit.
//!
//! Nobody waits for company: only what is in the queue already when the loop looks is joined, so a single guest is
//! answered as fast as ever and a rush does not pay for the disk once per guest.
//! Invariants: as one after the other, in the order of arrival; nothing is shown before the common commit; where that
//! fails each is tried alone, so that nobody is refused for another's sake.

use std::collections::VecDeque;

use hufu_hardware::card::{CardEvent, Medium, Presented as Read};
use hufu_shared::member_code::is_meant;
use tokio::sync::mpsc;

use super::core::{Presented, Swiped, may_share};
use super::dispatch::Dispatch;
use super::events::Event;
use super::{readers, view};
use crate::counter::view::Source;
use crate::rules::timekeeping::Now;

/// Events that are taken from the queue at once: so many swipes add little to the time of one commit.
const TOGETHER_MAX: usize = 16;

/// A swipe that shares a commit.
struct Joined {
    card: (Presented, Now),
    source: Source,
}

impl Dispatch {
    /// Handles what comes, until the loop is to end or nothing can come any more.
    pub fn work(&mut self, inbox: &mut mpsc::Receiver<Event>) {
        while let Some(event) = inbox.blocking_recv() {
            let waiting = std::iter::from_fn(|| inbox.try_recv().ok());
            if !self.handle_all(std::iter::once(event).chain(waiting).take(TOGETHER_MAX).collect()) {
                return;
            }
        }
    }

    /// Handles events in their order. False when the loop is to end; what comes after that is left.
    pub fn handle_all(&mut self, mut events: VecDeque<Event>) -> bool {
        while let Some(event) = events.pop_front() {
            let joins = |event: &Event| self.joins(event).is_some();
            let more = if joins(&event) { events.iter().take_while(|event| joins(event)).count() } else { 0 };
            if more > 0 {
                self.swipe_all(std::iter::once(event).chain(events.drain(..more)));
            } else if !self.handle(event) {
                return false;
            }
        }
        true
    }

    /// The card of an event that may share a commit: read whole, no code, and for what is done one card after another.
    fn joins(&self, event: &Event) -> Option<Presented> {
        let Event::Card(CardEvent::Presented(Read { source, medium, .. })) = event else { return None };
        let is_code = matches!(medium, Medium::Line(line) if is_meant(line));
        if is_code || self.collects() || self.awaits_card() || !may_share(&self.mode.purpose) {
            return None;
        }
        let presented =
            Presented { card: readers::card_text(medium).ok()?, reader: readers::number(source.index) };
        (!self.is_waiting(&presented)).then_some(presented)
    }

    fn swipe_all(&mut self, events: impl Iterator<Item = Event>) {
        let mut joined = Vec::new();
        for event in events {
            let now = self.clock.now();
            let presented = self.joins(&event);
            let Event::Card(event) = event else { continue };
            self.upkeep.last_event_ns = now.mono_ns;
            let source = view::source(self.kind_of(event.source().index));
            // A flicker of the card before is no swipe.
            if let (true, Some(presented)) = (self.readers.observe(&event), presented) {
                joined.push(Joined { card: (presented, now), source });
            }
        }
        while !joined.is_empty() {
            let cards: Vec<_> = joined.iter().map(|joined| joined.card.clone()).collect();
            match self.core.swipe_together(&cards, &self.mode) {
                Ok(swiped) => self.finish_all(&mut joined, swiped),
                Err(error) => {
                    tracing::warn!(%error, swipes = joined.len(), "swipes could not share a commit");
                    for Joined { card: (presented, now), source } in joined.drain(..) {
                        self.swipe(presented, source, &now);
                    }
                }
            }
        }
        let now = self.clock.now();
        self.rest();
        self.refresh(&now);
    }

    /// Shows what the first of them came to, and leaves the others.
    fn finish_all(&mut self, joined: &mut Vec<Joined>, swiped: Vec<Swiped>) {
        let purpose = self.mode.purpose.clone();
        let count = swiped.len().min(joined.len());
        for (Joined { card: (presented, now), source }, swiped) in joined.drain(..count).zip(swiped) {
            let swiped = Ok(swiped);
            self.meet(&presented, &swiped, &now);
            self.finish(swiped, &purpose, source, &now);
        }
    }
}
