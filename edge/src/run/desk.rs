//! What the desk pages ask of the loop: forms to be recorded, shifts to be opened and closed.
//!
//! Invariants: a form that is sent twice is one fact; what is sealed is never opened here; the guest of a form is the
//! one whose card the page showed, or nobody.

use std::collections::VecDeque;

use hufu_shared::fact::{Complaint, Counted, Event, Form, ProfileChange, Purpose, READER_COUNTER, Shown};
use hufu_shared::form::ROUTE_OFFICE;
use hufu_shared::time::{ClockQuality, Instant, SECOND_US};
use hufu_shared::token::CardText;

use super::card::Stopped;
use super::core::{Presented, Swiped};
use super::dispatch::Dispatch;
use super::view;
use crate::counter::desk::{
    BillHere, DeskOrder, Done, LastClosing, ONCE_BYTES, ShiftView, Taken, Taking, What,
};
use crate::counter::port::Declined;
use crate::counter::view::GuestView;
use crate::rules::decide::value::SWIPE_STOPS_PERCENT;
use crate::rules::shift::{self, NotClosed};
use crate::rules::timekeeping::Now;
use crate::store::{Closing, NewFact, StoreError};

/// Forms that are remembered, so that a page that sends one again is answered as before.
const FORMS_REMEMBERED: usize = 64;
/// How long a form can be written for the guest whose card was shown, in nanoseconds.
const GUEST_KEPT_NS: u64 = 600_000_000_000;
/// Microseconds of an hour.
const HOUR_US: i64 = 3_600 * SECOND_US;

/// What the desk pages need of the last minutes.
#[derive(Debug, Default)]
pub(super) struct DeskPages {
    /// Whose card was shown last.
    pub(super) guest: Option<Guest>,
    /// The card that was stopped here last.
    pub(super) stopped: Option<Stopped>,
    taken: VecDeque<([u8; ONCE_BYTES], Taken)>,
}

/// The guest whose card was shown last.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) view: GuestView,
    pub(super) card: CardText,
    pub(super) at_ns: u64,
}

impl Dispatch {
    /// Carries out what a desk page asks for.
    pub(super) fn desk_order(&mut self, order: DeskOrder, now: &Now) -> Result<Done, Declined> {
        match order {
            DeskOrder::TakeForm(taking) => self.take_form(taking, now).map(Done::Form),
            DeskOrder::Search(text) => self.search(&text.0, now).map(Done::Found),
            DeskOrder::Pick(card) => self.pick(card, now).map(|()| Done::Plain),
            DeskOrder::ReadExpected(of) => self.read_expected(&of).map(Done::Expected),
            DeskOrder::ReadCards => self.read_cards(now).map(|cards| Done::Cards(Box::new(cards))),
            DeskOrder::ReadBill => Ok(Done::Bill(self.read_bill(now).map(Box::new))),
            DeskOrder::ReportLost(n) => self.report_lost(n, now).map(|()| Done::Plain),
            DeskOrder::ReadShift => self.read_shift(),
            DeskOrder::OpenShift(counted) => self.open_shift(counted, now),
            DeskOrder::CloseShift(counted) => self.close_shift(counted, now),
        }
    }

    /// What bills of the guest are reckoned by; none before the first directory.
    fn read_bill(&self, now: &Now) -> Option<BillHere> {
        let of_guest = self.pages.guest.as_ref().map(|guest| self.core.terms_of(&guest.card, now));
        let terms = match of_guest {
            Some(Ok(terms)) => terms?,
            Some(Err(error)) => {
                tracing::error!(%error, "whose card this is cannot be read");
                return None;
            }
            None => self.core.terms(now)?,
        };
        let small = self.core.directory().small();
        let office = small.office(self.core.terminal().office);
        Some(BillHere {
            terms,
            office: office.map_or_else(String::new, |row| row.code.clone()),
            day: self.core.office_clock().business_day(now.trusted),
            knows_day: now.quality != ClockQuality::Floor,
        })
    }

    /// Remembers whose card was shown; an unknown card leaves nobody for whom a form could be written.
    pub(super) fn meet(&mut self, presented: &Presented, swiped: &Result<Swiped, StoreError>, now: &Now) {
        if let Ok(swiped) = swiped {
            self.note_stopped(swiped, now);
            let refused = matches!(swiped.decision.event, Event::Refused(_));
            if refused && matches!(self.mode.purpose, Purpose::Replace(_)) {
                // A card that could not be given is nobody's visit: the guest is whose card is to be replaced.
                return;
            }
        }
        let known = swiped.as_ref().ok().and_then(|swiped| Some((swiped, swiped.member.as_ref()?)));
        self.pages.guest = known.map(|(swiped, member)| Guest {
            view: GuestView {
                n: self.desk.n + 1,
                person: view::person(member),
                card_tail: swiped.card.as_ref().map(|card| card.tail.clone()).filter(|tail| !tail.is_empty()),
            },
            card: presented.card.clone(),
            at_ns: now.mono_ns,
        });
    }

    /// Forgets a guest who is gone.
    pub(super) fn forget_guest(&mut self, now: &Now) {
        self.pages.guest.take_if(|guest| now.mono_ns.saturating_sub(guest.at_ns) > GUEST_KEPT_NS);
    }

    fn take_form(&mut self, taking: Taking, now: &Now) -> Result<Taken, Declined> {
        if let Some((_, taken)) = self.pages.taken.iter().find(|(once, _)| *once == taking.once) {
            return Ok(taken.clone());
        }
        let card = match taking.guest {
            None if taking.what.needs_guest() => return Err(Declined::Stale),
            None => None,
            Some(n) => {
                let guest = self.pages.guest.as_ref().filter(|guest| guest.view.n == n);
                Some(guest.ok_or(Declined::Stale)?.card.clone())
            }
        };
        let taken = self.record_form(&taking, card, now).map_err(|error| {
            tracing::error!(%error, "a form could not be recorded");
            Declined::Unable
        })?;
        tracing::info!(seq = taken.seq, "a form was taken");
        self.print_recorded(taken.seq);
        self.pages.taken.push_front((taking.once, taken.clone()));
        self.pages.taken.truncate(FORMS_REMEMBERED);
        Ok(taken)
    }

    fn record_form(
        &mut self,
        taking: &Taking,
        card: Option<CardText>,
        now: &Now,
    ) -> Result<Taken, StoreError> {
        let subject = card
            .map(|card| self.core.subject_of(&Presented { card, reader: READER_COUNTER }, now))
            .transpose()?;
        let form = Form {
            commitment: taking.form.commitment,
            subject,
            route: ROUTE_OFFICE.to_owned(),
            consent: taking.consent.clone(),
        };
        let directory = self.core.directory().version();
        let next_seq = self.core.store().with(|journal| {
            // The last room is for saying that nothing is recorded any more.
            if journal.used_percent()? >= SWIPE_STOPS_PERCENT {
                return Err(StoreError::Failed { detail: "the journal has no room for a form".to_owned() });
            }
            Ok(journal.last_seq() + 1)
        })?;
        let (mut receipt, mut promised) = (None, None);
        let event = match &taking.what {
            What::Visit => Event::VisitorRegistered(form),
            What::Application => Event::ApplicationTaken(form),
            What::Change(fields) => {
                let fields = fields.iter().map(|field| (field.clone(), directory)).collect();
                Event::ProfileChangeRequested(ProfileChange { form, fields })
            }
            What::Complaint { kind, urgent, hours } => {
                let until = now.trusted.offset(i64::from(*hours) * HOUR_US);
                let number = self.receipt_number(next_seq, now.trusted);
                (receipt, promised) = (Some(number.clone()), Some(until));
                let (kind, urgent) = (kind.clone(), *urgent);
                Event::ComplaintTaken(Complaint { form, kind, urgent, receipt: number, promised: until })
            }
        };
        let fact = NewFact {
            operator: self.mode.operator,
            shown: Shown::Accepted,
            sealed: Some(taking.form.sealed.clone()),
            ..NewFact::of_terminal(event, directory, now)
        };
        let appended = self.core.store().with(|journal| journal.append(vec![fact]))?;
        let seq = appended.first().and_then(|fact| fact.id).map_or(next_seq, |id| id.seq);
        Ok(Taken { seq, receipt, promised })
    }

    /// Office, day, terminal and a number that grows with every fact: no two complaints of a club share it.
    fn receipt_number(&self, seq: u64, at: Instant) -> String {
        let small = self.core.directory().small();
        let terminal = self.core.terminal();
        let office = small.office(terminal.office).map(|office| office.code.clone()).unwrap_or_default();
        let day = self.core.office_clock().business_day(at).to_string().replace('-', "");
        let [.., one, two] = terminal.device.0;
        format!("{office}-{}-{one:02X}{two:02X}-{seq}", day.get(2..).unwrap_or_default())
    }

    fn read_desk(&self) -> Result<(shift::Desk, ShiftView), StoreError> {
        self.core.store().with(|journal| {
            let mut desk = shift::Desk::default();
            let (_, totals) = journal.totals_since_close()?;
            let overflow = |error| StoreError::Failed { detail: format!("sums of the shift: {error}") };
            journal.each_of_shift(|fact| desk.add(&fact).map_err(overflow))?;
            let last = journal.last_close()?.map(|(closed, at)| LastClosing {
                day: closed.day,
                at,
                unattended: closed.unattended,
                difference: closed
                    .counted
                    .as_ref()
                    .and_then(|counted| counted.cash.minus(counted.cash_expected?).ok()),
            });
            let view = ShiftView {
                opened: desk.opened.clone(),
                opened_at: desk.opened_at,
                cash_in: desk.cash_in,
                cash_out: desk.cash_out,
                cash_expected: desk.cash_expected().map_err(overflow)?,
                gifts_out: desk.gifts_out,
                gifts_expected: desk.gifts_expected(),
                blank_cards_expected: desk.blank_cards_expected(),
                totals,
                last,
            };
            Ok((desk, view))
        })
    }

    fn read_shift(&self) -> Result<Done, Declined> {
        let read = self.read_desk().map_err(|error| {
            tracing::error!(%error, "failed to read the shift");
            Declined::Unable
        });
        read.map(|(_, view)| Done::Shift(Box::new(view)))
    }

    fn open_shift(&mut self, counted: Counted, now: &Now) -> Result<Done, Declined> {
        let (desk, _) = self.read_desk().map_err(|_| Declined::Unable)?;
        if desk.opened.is_some() {
            return Err(Declined::AlreadyOpen);
        }
        let counted = Counted {
            reason: None,
            cash_expected: None,
            gifts_expected: None,
            blank_cards_expected: None,
            ..counted
        };
        let directory = self.core.directory().version();
        let fact = NewFact {
            operator: self.mode.operator,
            ..NewFact::of_terminal(Event::ShiftOpened(counted), directory, now)
        };
        self.core.store().with(|journal| journal.append(vec![fact])).map_err(|error| {
            tracing::error!(%error, "a shift could not be opened");
            Declined::Unable
        })?;
        self.read_shift()
    }

    fn close_shift(&mut self, counted: Counted, now: &Now) -> Result<Done, Declined> {
        let (desk, _) = self.read_desk().map_err(|_| Declined::Unable)?;
        let counted = desk.close(counted).map_err(|error| match error {
            NotClosed::NoReason => Declined::NoReason,
            NotClosed::Overflow(_) => Declined::Unable,
        })?;
        let closing = Closing::ByPerson { counted: Some(counted), operator: self.mode.operator };
        let day = self.core.office_clock().business_day(now.trusted);
        let directory = self.core.directory().version();
        let closed = self.core.store().with(|journal| journal.close_day_as((day, closing), now, directory));
        closed.map_err(|error| {
            tracing::error!(%error, "a shift could not be closed");
            Declined::Unable
        })?;
        self.read_shift()
    }

    /// Closes a day that is over and that nobody closed (未人工交班).
    pub(super) fn close_left_open(&mut self, now: &Now) {
        let now = *now;
        self.keep("close a day that nobody closed", |dispatch| {
            let clock = dispatch.core.office_clock();
            let directory = dispatch.core.directory().version();
            dispatch.books().store().with(|journal| {
                let first = journal.first_of_shift()?.map(|fact| clock.business_day(fact.wall));
                let today = clock.business_day(now.trusted);
                let Some(day) = shift::left_open(first, today, now.quality) else { return Ok(()) };
                journal.close_day_as((day, Closing::AtCutOff), &now, directory)?;
                tracing::warn!(%day, "a day that nobody closed was closed at its cut-off");
                Ok(())
            })
        });
    }
}
