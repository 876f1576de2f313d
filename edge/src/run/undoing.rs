//! A top-up that the centre has already and that is to be undone: it is asked first whether what the member has covers it.
//!
//! Invariant: without that word nothing is recorded, and giving up costs nobody anything. The word holds for the one
//! undo that it was asked for.

use hufu_shared::fact::RefusalReason;
use hufu_shared::wire::undo::{UndoAsk, UndoBecame};

use super::core::TakingBack;
use super::dispatch::Dispatch;
use super::view;
use crate::counter::port::Declined;
use crate::counter::view::{AskingView, NotUndone, Outcome as Seen, Purpose, ResultView, Source, Taken};
use crate::rules::timekeeping::Now;
use crate::state::{LeaseAsked, LeaseAsking};

/// Nanoseconds after which the loop gives up although the lane has not said its word.
const PATIENCE_NS: u64 = 4_000_000_000;

/// An undo for which the centre is being asked.
#[derive(Debug)]
pub(super) struct Undoing {
    pub(super) view: AskingView,
    taking: TakingBack,
    /// Seq of the top-up.
    seq: u64,
    at_ns: u64,
}

impl Dispatch {
    /// Asks the centre whether a top-up may be undone here.
    ///
    /// # Errors
    /// [`Declined::Offline`] where it cannot be asked; then a person at the centre undoes it.
    pub(super) fn ask_to_undo(&mut self, taking: TakingBack, seq: u64, now: &Now) -> Result<(), Declined> {
        let sender = self
            .asks
            .clone()
            .filter(|_| self.link.online && self.practice.is_none())
            .ok_or(Declined::Offline)?;
        let n = self.desk.n + 1;
        let undo = Some(UndoAsk { epoch: self.core.terminal().epoch, seq });
        sender.try_send(LeaseAsking { n, asks: Vec::new(), undo }).map_err(|_| Declined::Busy)?;
        self.desk.n = n;
        let member = self.core.member_of_value(seq);
        let view = AskingView {
            n,
            purpose: Purpose::TakeBack { of: Taken::ToppedUp },
            person: member.as_ref().map(view::person),
            since: now.trusted,
            recalled: Vec::new(),
        };
        (self.desk.candidate, self.desk.result) = (None, None);
        self.desk.undoing = Some(Undoing { view, taking, seq, at_ns: now.mono_ns });
        Ok(())
    }

    /// The lane's word, if it is about the undo that waits.
    pub(super) fn undo_answered(&mut self, asked: &LeaseAsked, now: &Now) -> bool {
        let Some(undoing) = self.desk.undoing.take_if(|undoing| undoing.view.n == asked.n && asked.done)
        else {
            return false;
        };
        self.end_undoing(undoing, asked.undo, now);
        true
    }

    /// Gives up when the patience has ended.
    pub(super) fn undo_no_longer(&mut self, now: &Now) {
        let over = |undoing: &mut Undoing| now.mono_ns.saturating_sub(undoing.at_ns) > PATIENCE_NS;
        if let Some(undoing) = self.desk.undoing.take_if(over) {
            self.end_undoing(undoing, None, now);
        }
    }

    fn end_undoing(&mut self, undoing: Undoing, became: Option<UndoBecame>, now: &Now) {
        let why = match became {
            Some(UndoBecame::Covered) => match self.take_back(undoing.taking, Some(undoing.seq), now) {
                Ok(()) => return,
                Err(Declined::TooLate) => NotUndone::OtherShift,
                Err(Declined::NothingLeft) => NotUndone::Undone,
                Err(_) => NotUndone::Unable,
            },
            Some(UndoBecame::NotCovered) => NotUndone::NotCovered,
            Some(UndoBecame::OtherShift) => NotUndone::OtherShift,
            Some(UndoBecame::Undone) => NotUndone::Undone,
            Some(UndoBecame::Recovering) => NotUndone::Recovering,
            Some(UndoBecame::Unknown) => NotUndone::Unable,
            None => NotUndone::NoAnswer,
        };
        tracing::info!(seq = undoing.seq, ?why, "a top-up was not undone");
        self.desk.n += 1;
        // Nothing was recorded: it is no line of the list of last swipes.
        let result = ResultView {
            purpose: undoing.view.purpose,
            person: undoing.view.person,
            not_undone: Some(why),
            ..view::plain_result(self, Seen::Refused(RefusalReason::R15), Source::Typed, now)
        };
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
    }
}
