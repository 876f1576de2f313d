//! Matters: what is judged as one, from the whole set of its facts.

use hufu_shared::fact::{Complaint, Event};
use hufu_shared::ids::{DeviceId, FactId, ItemId, MemberId, OccurrenceId, OfficeId};
use hufu_shared::time::Day;
use hufu_shared::token::Token;

use super::Work;
use crate::rules::links;

/// What is to be judged, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    /// The check-ins of a member at an occurrence.
    Attendance(MemberId, OccurrenceId),
    /// A purchase or another cause of points.
    Earn(FactId),
    /// What was paid in at a terminal on a business day.
    TopUps(DeviceId, Day),
    /// What was taken from a stock.
    Goods(ItemId, OfficeId),
    /// What a member spent or used in the periods that hold a day.
    Uses(MemberId, Day),
    /// Who bears a spend.
    Spend(FactId),
    /// How the returns of a fact stand.
    Reversals(FactId),
    /// What is to become of a member's data.
    Profile(MemberId),
    /// Whose a card is that was given in place of others.
    Given(Token),
}

/// Judgements in one entry after which two of its rules are taken to contradict each other: a fault of this program, to
/// be told instead of going round for ever.
pub(super) const JUDGED_MAX: u32 = 200_000;
/// Judgements at a time while rows are missing: what rules say of half a world need not agree, and is never used; they go
/// on only to name what else they need.
const JUDGED_IN_PART_MAX: u32 = 1_000;

impl Work {
    /// Judges what is to be judged, and what that makes to be judged, until nothing is left.
    pub(super) fn judge_all(&mut self) {
        let mut here = 0;
        while let Some(matter) = self.dirty.pop_first() {
            self.judged += 1;
            here += 1;
            let in_part = here > JUDGED_IN_PART_MAX && !self.missing.borrow().is_empty();
            if self.judged > JUDGED_MAX || in_part {
                self.dirty.clear();
                return;
            }
            match matter {
                Matter::Attendance(member, occurrence) => self.judge_attendance(member, occurrence),
                Matter::Earn(fact) => self.judge_earn(fact),
                Matter::TopUps(device, day) => self.judge_top_ups(device, day),
                Matter::Goods(item, office) => self.judge_goods(item, office),
                Matter::Uses(member, day) => self.judge_uses(member, day),
                Matter::Spend(fact) => self.judge_spend(fact),
                Matter::Reversals(original) => self.judge_reversals(original),
                Matter::Profile(member) => self.judge_profile(member),
                Matter::Given(card) => self.judge_given(card),
            }
        }
    }

    /// Takes a fact into its matters: one that has just arrived, or that was held and waits no more.
    pub(super) fn take_effect(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        for link in links::of_fact(fact) {
            self.link(link, id);
        }
        self.travelled(id, &known, fact);
        if self.is_of_merged_or_erased(id, &known, fact) {
            // Whoever the holder was: the card is in other hands, and its terminal refuses it already.
            match &fact.event {
                Event::CardReportedLost(seen) => self.refuse_lost(&known, seen.subject.token),
                Event::CardReplaced(replaced) => {
                    if let Some(member) = self.owner(&known, &replaced.subject) {
                        self.void_old(&known, replaced, member);
                    }
                }
                _ => {}
            }
            return;
        }
        match &fact.event {
            Event::Attended(attended) => self.attended(id, &known, attended),
            Event::Earned(_) => {
                self.touch_earn(id);
                self.dirty.insert(Matter::Reversals(id));
            }
            Event::Reversed(reversed) => {
                if reversed.original.device == id.device {
                    self.link(links::undone_at(id.device), id);
                }
                self.touch_reversals(reversed.original);
            }
            Event::Visited(visited) => self.visited(id, &known, visited),
            Event::DayClosed(closed) => {
                self.day_closed(id, closed);
                self.cash_counted(id, closed);
                self.shelf_counted(id, closed);
            }
            Event::ToppedUp(_) => {
                self.touch_top_ups(id, known.day);
                self.dirty.insert(Matter::Reversals(id));
            }
            Event::Spent(spent) => {
                self.spent(id, &known, spent);
                self.dirty.insert(Matter::Reversals(id));
            }
            Event::LeaseClosed(closed) => self.lease_closed(id, &known, closed),
            Event::HandedOut(handed) => self.handed_out(id, &known, handed),
            Event::CardReportedLost(seen) => {
                self.reported_lost(id, &known, &seen.subject);
                self.judge_report(id);
            }
            Event::CardReplaced(replaced) => self.card_replaced(id, &known, replaced),
            Event::ApplicationTaken(form) => self.application_taken(id, &known, form),
            Event::ProfileChangeRequested(change) => self.change_requested(id, &known, change),
            Event::VisitorRegistered(form) | Event::ComplaintTaken(Complaint { form, .. }) => {
                self.spoken_for(id, &known, form);
            }
            Event::Refused(refused) => {
                let member = refused.subject.as_ref().and_then(|subject| self.owner(&known, subject));
                self.stand(id, known.standing, member);
            }
            _ => {}
        }
    }

    /// Marks everything that a fact has a part in, after a pin or another change of it.
    pub(super) fn rejudge(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        match &fact.event {
            Event::Attended(attended) => {
                if let Some(member) = known.member {
                    self.dirty.insert(Matter::Attendance(member, attended.occurrence));
                }
            }
            Event::Earned(_) => self.touch_earn(id),
            Event::ToppedUp(_) => self.touch_top_ups(id, known.day),
            Event::DayClosed(closed) => {
                self.cash_counted(id, closed);
                self.shelf_counted(id, closed);
            }
            Event::HandedOut(handed) => {
                if let Some(member) = known.member {
                    self.touch_handed(id, member, handed);
                }
            }
            Event::Reversed(reversed) => self.touch_reversals(reversed.original),
            Event::ApplicationTaken(_) => self.judge_application(id),
            Event::ProfileChangeRequested(_) => self.dirty.extend(known.member.map(Matter::Profile)),
            Event::Spent(spent) => self.rejudge_spend(id, spent),
            Event::CardReportedLost(_) => self.judge_report(id),
            Event::CardReplaced(replaced) => {
                self.dirty.insert(Matter::Given(replaced.card));
                self.touch_blank(id, replaced);
            }
            _ => {}
        }
    }
}
