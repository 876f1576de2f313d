//! Who is signed in at the counter, what they may do, and the lock that falls when nobody does anything.
//!
//! Each fact names who was signed in. A locked counter checks in and shows nothing of anybody.
//! Invariant: every order passes [`Dispatch::order`] and with it [`Dispatch::allow`]; what is entered at the keys of a
//! swipe terminal as well.

use hufu_shared::fact::{Event as FactEvent, OperatorSession, Purpose};
use hufu_shared::ids::OperatorId;

use super::dispatch::{Dispatch, is_once};
use crate::counter::desk::{DeskOrder, What};
use crate::counter::port::{Declined, ModeOrder, Order};
use crate::counter::view::{CounterView, OperatorView, StaffView};
use crate::rules::operator::{AUTO_LOCK_S, Act, Barred, Role, Staff, may};
use crate::rules::timekeeping::Now;
use crate::store::NewFact;

/// Who can be and who is at the counter.
#[derive(Debug, Default)]
pub(super) struct StaffDesk {
    operators: Vec<(OperatorId, OperatorView)>,
    here: Option<Here>,
}

#[derive(Debug)]
struct Here {
    view: OperatorView,
    acted_ns: u64,
}

impl StaffDesk {
    fn staff(&self) -> Staff {
        match &self.here {
            Some(here) => Staff::Here(here.view.role),
            None if self.operators.is_empty() => Staff::Unasked,
            None => Staff::Away,
        }
    }
}

/// What kind of act an order is.
fn act_of(order: &Order) -> Act {
    match order {
        Order::SignIn(_) | Order::SignOut | Order::Batch(_) => Act::CheckIn,
        Order::SetMode(mode) => act_of_mode(mode),
        Order::Typed(_) | Order::Confirm { .. } | Order::Dismiss { .. } | Order::Acknowledge { .. } => {
            Act::Member
        }
        Order::Setup(_) | Order::Practise(_) => Act::Trial,
        Order::Resolve { .. } | Order::Reprint { .. } | Order::TakeBack { .. } => Act::Value,
        Order::Desk(order) => match order {
            DeskOrder::TakeForm(taking) if matches!(taking.what, What::Change(_)) => Act::Member,
            DeskOrder::TakeForm(_) => Act::Guest,
            DeskOrder::Search(_)
            | DeskOrder::Pick(_)
            | DeskOrder::ReadExpected(_)
            | DeskOrder::ReadCards
            | DeskOrder::ReadBill
            | DeskOrder::ReportLost(_) => Act::Member,
            DeskOrder::ReadShift | DeskOrder::OpenShift(_) | DeskOrder::CloseShift(_) => Act::Shift,
        },
    }
}

fn act_of_mode(mode: &ModeOrder) -> Act {
    match mode {
        ModeOrder::Visit
        | ModeOrder::CheckIn(_)
        | ModeOrder::CheckInParty(_)
        | ModeOrder::CheckOut(_)
        | ModeOrder::Back => Act::CheckIn,
        ModeOrder::HandOut { .. } => Act::Guest,
        ModeOrder::LookUp | ModeOrder::ReportLost | ModeOrder::Replace(_) => Act::Member,
        ModeOrder::Earn(_)
        | ModeOrder::EarnSlip { .. }
        | ModeOrder::Spend { .. }
        | ModeOrder::TopUp { .. } => Act::Value,
        ModeOrder::CashOut { .. } => Act::CashOut,
    }
}

/// What a card that is presented now would be.
fn act_of_purpose(purpose: &Purpose) -> Act {
    match purpose {
        Purpose::Visit | Purpose::CheckIn(_) | Purpose::CheckInParty(_) | Purpose::CheckOut(_) => {
            Act::CheckIn
        }
        Purpose::HandOut(_) => Act::Guest,
        Purpose::LookUp | Purpose::ReportLost | Purpose::Replace(_) => Act::Member,
        Purpose::Spend(spending) if spending.paid_out.is_some() => Act::CashOut,
        Purpose::Earn(_) | Purpose::EarnSlip(_) | Purpose::Spend(_) | Purpose::TopUp(_) => Act::Value,
    }
}

impl Dispatch {
    /// These people sign in here from now on; none asks nobody.
    pub fn attach_operators(&mut self, operators: Vec<(OperatorId, OperatorView)>) {
        self.staff = StaffDesk { operators, here: None };
        self.rest_purpose();
    }

    /// Whether who is at the counter may give an order; counts as an act of theirs.
    pub(super) fn allow(&mut self, order: &Order, now: &Now) -> Result<(), Declined> {
        self.allow_act(act_of(order), now)
    }

    /// As [`Dispatch::allow`], of a kind of act.
    pub(super) fn allow_act(&mut self, act: Act, now: &Now) -> Result<(), Declined> {
        self.lock_if_idle(now);
        may(self.staff.staff(), act).map_err(|barred| match barred {
            Barred::SignIn => Declined::Locked,
            Barred::Role(Role::Supervisor) => Declined::Supervisor,
            Barred::Role(_) => Declined::OtherRole,
        })?;
        if let Some(here) = &mut self.staff.here {
            here.acted_ns = now.mono_ns;
        }
        Ok(())
    }

    /// Signs somebody in whose PIN was checked.
    pub(super) fn sign_in(&mut self, operator: OperatorId, now: &Now) -> Result<(), Declined> {
        let known = self.staff.operators.iter().find(|(id, _)| *id == operator);
        let view = known.map(|(_, view)| view.clone()).ok_or(Declined::Stale)?;
        self.sign_out(now)?;
        self.session(FactEvent::OperatorSignedIn(OperatorSession { operator }), Some(operator), now)?;
        tracing::info!(%operator, "an operator signed in");
        self.mode.operator = Some(operator);
        self.staff.here = Some(Here { view, acted_ns: now.mono_ns });
        Ok(())
    }

    /// Locks the counter. Nothing happens where nobody is signed in.
    pub(super) fn sign_out(&mut self, now: &Now) -> Result<(), Declined> {
        let Some(operator) = self.mode.operator else { return Ok(()) };
        self.session(FactEvent::OperatorSignedOut(OperatorSession { operator }), Some(operator), now)?;
        tracing::info!(%operator, "an operator signed out");
        (self.mode.operator, self.staff.here) = (None, None);
        // What waited for the next card, or to be compared, was theirs.
        (self.desk.candidate, self.desk.asking, self.pages.guest) = (None, None, None);
        self.rest_purpose();
        Ok(())
    }

    fn session(&mut self, event: FactEvent, operator: Option<OperatorId>, now: &Now) -> Result<(), Declined> {
        let directory = self.core.directory().version();
        let fact = NewFact { operator, ..NewFact::of_terminal(event, directory, now) };
        // Who came and went is no practice.
        self.books().store().with(|journal| journal.append(vec![fact]).map(drop)).map_err(|error| {
            tracing::error!(%error, "a session at the counter could not be recorded");
            Declined::Unable
        })
    }

    /// Locks the counter after a while without an act at the page.
    pub(super) fn lock_if_idle(&mut self, now: &Now) {
        let idle_ns = self.staff.here.as_ref().map(|here| now.mono_ns.saturating_sub(here.acted_ns));
        if idle_ns.is_some_and(|idle_ns| idle_ns >= AUTO_LOCK_S * 1_000_000_000)
            && self.sign_out(now).is_err()
        {
            // A disk that takes nothing must not leave the counter open to whoever comes by.
            (self.mode.operator, self.staff.here) = (None, None);
            self.rest_purpose();
        }
    }

    /// A locked counter takes cards for checking in only.
    pub(super) fn rest_purpose(&mut self) {
        let staff = self.staff.staff();
        let barred = |purpose: &Purpose| may(staff, act_of_purpose(purpose)).is_err();
        if barred(&self.before) {
            self.before = Purpose::Visit;
        }
        if barred(&self.mode.purpose) || (staff == Staff::Away && is_once(&self.mode.purpose)) {
            self.mode.purpose = self.before.clone();
        }
    }

    /// The snapshot as who is at the counter may see it.
    pub(super) fn as_staff_see(&self, mut view: CounterView) -> CounterView {
        view.staff = StaffView {
            asked: !self.staff.operators.is_empty(),
            operator: self.staff.here.as_ref().map(|here| here.view.clone()),
        };
        if may(self.staff.staff(), Act::Member).is_ok() {
            return view;
        }
        (view.candidate, view.guest, view.asking) = (None, None, None);
        view.notices.clear();
        view.unshown.clear();
        if let Some(result) = &mut view.result {
            (result.person, result.card_tail) = (None, None);
            result.left.clear();
        }
        for line in &mut view.last {
            (line.name, line.card_tail) = (None, None);
        }
        for line in view.batch.iter_mut().flat_map(|batch| &mut batch.lines) {
            line.name = None;
            line.card_tail.clear();
        }
        view
    }
}
