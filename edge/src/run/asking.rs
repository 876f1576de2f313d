//! A card whose spend the leases held here do not pay for: the centre is asked, and the card waits for it.
//!
//! The terminal shows that it asks, and decides by the lease as it stands when the last word came or the patience
//! ended, whichever is first. Other cards meanwhile mean what they meant before the spend was set: a second guest is
//! never charged for the first.
//! Invariant: nothing is recorded while the centre is asked; giving up costs nobody anything.

use hufu_shared::fact::Purpose;
use hufu_shared::wire::lease::Recalled;

use super::core::{Mode, Presented};
use super::dispatch::Dispatch;
use super::effects::Effect;
use super::view;
use crate::counter::view::{AskingView, RecalledView, Source};
use crate::rules::decide::value::Asked;
use crate::rules::screen::{Face, plain_words};
use crate::rules::timekeeping::Now;
use crate::state::{LeaseAsked, LeaseAsking, Link};

/// Nanoseconds after which the loop decides although the lane has not said its last word.
const PATIENCE_NS: u64 = 4_000_000_000;

/// A card for whose spend the centre is being asked.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) view: AskingView,
    presented: Presented,
    source: Source,
    /// What was to be done with it.
    mode: Mode,
    at_ns: u64,
}

impl Dispatch {
    /// The connection changed. What is too old to be spent goes back to its members at the first contact.
    pub(super) fn linked(&mut self, link: Link, now: &Now) {
        let came = link.online && !self.link.online;
        self.link = link;
        if came {
            self.close_expired(now);
        }
    }

    pub(super) fn close_expired(&mut self, now: &Now) {
        let directory = self.core.directory().version();
        let now = *now;
        self.keep("close expired leases", |dispatch| {
            let closed = dispatch.books().store().with(|journal| journal.close_expired(&now, directory))?;
            if closed > 0 {
                tracing::info!(leases = closed, "leases past their time were closed");
            }
            Ok(())
        });
    }

    /// Whether a card is the one that waits: it need not be presented again.
    pub(super) fn is_waiting(&self, presented: &Presented) -> bool {
        self.desk.asking.as_ref().is_some_and(|asking| asking.presented.card == presented.card)
    }

    /// Asks the centre if that would help a spend and the centre can be reached. True if the card now waits.
    pub(super) fn begin_asking(&mut self, presented: &Presented, source: Source, now: &Now) -> bool {
        let spends = matches!(self.mode.purpose, Purpose::Spend(_)) && self.practice.is_none();
        let Some(sender) = self.asks.clone().filter(|_| spends && self.link.online) else { return false };
        let asks = match self.core.asks(presented, &self.mode.purpose, now) {
            Ok(asks) if !asks.is_empty() => asks,
            Ok(_) => return false,
            Err(error) => {
                // The swipe itself says aloud what is wrong.
                tracing::error!(%error, "failed to find out what to ask the centre for");
                return false;
            }
        };
        let n = self.desk.n + 1;
        if sender.try_send(LeaseAsking { n, asks, undo: None }).is_err() {
            return false;
        }
        self.desk.n = n;
        let member = self.core.member_of(presented, now);
        let asking = AskingView {
            n,
            purpose: view::purpose(self.core.directory(), &self.mode.purpose),
            person: member.as_ref().map(view::person),
            since: now.trusted,
            recalled: Vec::new(),
        };
        let mode = self.mode.clone();
        let (presented, at_ns) = (presented.clone(), now.mono_ns);
        self.desk.asking = Some(Asking { view: asking, presented, source, mode, at_ns });
        (self.desk.candidate, self.desk.result) = (None, None);
        // The spend is this card's; the next card is nobody's spend.
        self.mode.purpose = self.before.clone();
        if let Some(words) = plain_words(Face::Asking) {
            drop(self.effects.send(Effect::Show { face: Face::Asking, words, seq: None }));
        }
        true
    }

    /// The lane has a word about the card that waits.
    pub(super) fn asked(&mut self, asked: LeaseAsked, now: &Now) {
        if self.undo_answered(&asked, now) {
            return;
        }
        let Some(asking) = self.desk.asking.as_mut().filter(|asking| asking.view.n == asked.n) else {
            return;
        };
        if asked.done {
            let said = Asked { became: asked.became, figure: asked.figure };
            return self.end_asking(said, now);
        }
        asking.view.recalled = asked.recalled.into_iter().map(recalled).collect();
    }

    /// Decides when the patience has ended.
    pub(super) fn ask_no_longer(&mut self, now: &Now) {
        let over = |asking: &Asking| now.mono_ns.saturating_sub(asking.at_ns) > PATIENCE_NS;
        if self.desk.asking.as_ref().is_some_and(over) {
            self.end_asking(Asked::default(), now);
        }
        self.undo_no_longer(now);
    }

    fn end_asking(&mut self, said: Asked, now: &Now) {
        let Some(Asking { presented, source, mode, .. }) = self.desk.asking.take() else { return };
        let swiped = self.core.swipe_asked(&presented, &mode, Some(said), now);
        self.meet(&presented, &swiped, now);
        self.finish(swiped, &mode.purpose, source, now);
    }
}

fn recalled((unit, recalled): (hufu_shared::money::Unit, Recalled)) -> RecalledView {
    let amount = hufu_shared::money::Leg { unit, amount: recalled.amount };
    let Recalled { office, state, heard_at, .. } = recalled;
    RecalledView { office, state, amount, heard_at }
}
