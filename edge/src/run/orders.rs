//! Orders of staff, of the centre and of commands of this machine.

use hufu_hardware::card::Entry;
use hufu_shared::fact::{
    CommandDone, DayClosed, Event as FactEvent, Handing, Party, Purchase, Purpose, READER_COUNTER,
    RefusalReason, SlipKey, Spending, ToppingUp,
};
use hufu_shared::ids::{CommandId, ItemId, LeaseId, OccurrenceId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::token::{CardText, MediumKind};
use hufu_shared::wire::upload::Order as CentreOrder;

use super::core::{Presented, TakingBack, Which};
use super::desk::Guest;
use super::dispatch::{Candidate, Dispatch};
use super::events::ControlOrder;
use super::view;
use crate::counter::desk::Done;
use crate::counter::port::{Declined, ModeOrder, Order, SlipTyped, Verdict, WhichTyped};
use crate::counter::view::{CandidateView, GuestView, Source};
use crate::rules::decide::Outcome;
use crate::rules::decide::value::{NotReversed, is_impossible};
use crate::rules::gate::Gate;
use crate::rules::operator::Act;
use crate::rules::timekeeping::Now;
use crate::state::CentralOrder;
use crate::store::{NewFact, StoreError};

impl Dispatch {
    pub(super) fn order(&mut self, order: Order, now: &Now) -> Result<Done, Declined> {
        self.allow(&order, now)?;
        match order {
            Order::Desk(order) => self.desk_order(order, now),
            order => self.counter_order(order, now).map(|()| Done::Plain),
        }
    }

    fn counter_order(&mut self, order: Order, now: &Now) -> Result<(), Declined> {
        match order {
            // Answered above, with more than that it was done.
            Order::Desk(_) => Err(Declined::Unable),
            Order::SignIn(operator) => self.sign_in(operator, now),
            Order::SignOut => self.sign_out(now),
            Order::SetMode(mode) => self.set_mode(mode, now),
            Order::Typed(card) => self.typed(card, now),
            Order::Confirm { n } => {
                let taken = self.desk.candidate.take_if(|candidate| candidate.view.n == n);
                let as_shown =
                    |candidate: &Candidate| candidate.purpose == self.mode.purpose && !candidate.is_over(now);
                let card = taken.filter(as_shown).ok_or(Declined::Stale)?.card;
                self.swipe(Presented { card, reader: READER_COUNTER }, Source::Typed, now);
                Ok(())
            }
            Order::Dismiss { n } => {
                let taken = self.desk.candidate.take_if(|candidate| candidate.view.n == n);
                taken.map(drop).ok_or(Declined::Stale)
            }
            Order::Acknowledge { n } => {
                let done = self.core.store().with(|journal| journal.acknowledge(n));
                settled(done)
            }
            Order::TakeBack { of, part, reason, slip } => {
                let of = match of {
                    WhichTyped::Fact(seq) => Which::Fact(seq),
                    WhichTyped::Slip(typed) => Which::Slip(self.slip(typed, now)),
                };
                let slip = slip.map(|typed| self.slip(typed, now));
                self.take_back(TakingBack { of, part, reason, slip }, None, now)
            }
            Order::Reprint { seq } => self.reprint(seq),
            Order::Batch(order) => self.batch_order(order, now),
            Order::Setup(order) => self.setup_order(order, now),
            Order::Practise(begin) => self.practise(begin, now),
            Order::Resolve { seq, verdict } => {
                let directory = self.core.directory().version();
                let handed_over = verdict == Verdict::HandedOver;
                let done = self.core.store().with(|journal| {
                    journal.resolve_unshown(seq, handed_over, now, directory).map(|done| done.is_some())
                });
                settled(done)
            }
        }
    }

    pub(super) fn set_mode(&mut self, mode: ModeOrder, now: &Now) -> Result<(), Declined> {
        let purpose = match mode {
            ModeOrder::Visit => Purpose::Visit,
            ModeOrder::LookUp => Purpose::LookUp,
            ModeOrder::Back => self.before.clone(),
            ModeOrder::CheckIn(occurrence) | ModeOrder::CheckOut(occurrence) => {
                self.passing(occurrence, matches!(mode, ModeOrder::CheckIn(_)), now)?
            }
            ModeOrder::CheckInParty(party) => self.party(party, now)?,
            ModeOrder::Earn(purchase) => Purpose::Earn(self.possible(purchase, now)?),
            ModeOrder::EarnSlip { amount, slip, replaces, paid } => {
                for beside in paid.iter().flat_map(|paid| [paid.coupon, paid.by_points]) {
                    if beside != Amount::ZERO {
                        self.possible(beside, now)?;
                    }
                }
                Purpose::EarnSlip(Purchase {
                    amount: self.possible(amount, now)?,
                    slip: self.slip(slip, now),
                    replaces: replaces.map(|typed| self.slip(typed, now)),
                    paid,
                })
            }
            ModeOrder::Spend { legs, slip } => {
                let slip = slip.map(|typed| self.slip(typed, now));
                spend(Spending { legs, slip, item: None, paid_out: None })?
            }
            ModeOrder::CashOut { amount, method, slip } => spend(Spending {
                legs: vec![Leg { unit: Unit::Cny, amount: self.possible(amount, now)? }],
                slip: Some(self.slip(slip, now)),
                item: None,
                paid_out: Some(method),
            })?,
            ModeOrder::TopUp { amount, method, slip } => Purpose::TopUp(ToppingUp {
                amount: self.possible(amount, now)?,
                method,
                slip: self.slip(slip, now),
            }),
            ModeOrder::HandOut { occurrence, item, quantity } => {
                let occurrence = occurrence.or(self.occurrence()).ok_or(Declined::NotRunning)?;
                self.hand_out((occurrence, item), quantity, now)?
            }
            ModeOrder::ReportLost => Purpose::ReportLost,
            ModeOrder::Replace(n) => Purpose::Replace(self.guest_subject(n, now)?),
        };
        // What stood on the panel would be taken for the answer to this choice. A card that still waits for the centre
        // waits no longer; nothing was recorded for it.
        (self.desk.candidate, self.desk.result, self.desk.asking) = (None, None, None);
        self.set_purpose(purpose);
        Ok(())
    }

    /// Members pass here this way only, from now on. What the terminal was set to do before is turned that way.
    pub fn set_gate(&mut self, gate: Gate) {
        self.gate = gate;
        let small = self.core.directory().small();
        let turn = |purpose: &Purpose| gate.turn(purpose, |occurrence| small.occurrence(occurrence));
        (self.mode.purpose, self.before) = (turn(&self.mode.purpose), turn(&self.before));
    }

    /// A way in or out that is open here and now.
    fn passing(&self, occurrence: OccurrenceId, enters: bool, now: &Now) -> Result<Purpose, Declined> {
        let small = self.core.directory().small();
        let ways = small.occurrence(occurrence).map(|row| self.gate.ways(row)).unwrap_or_default();
        if enters && ways.enters && self.core.may_check_in(occurrence, now) {
            Ok(Purpose::CheckIn(occurrence))
        } else if !enters && ways.leaves && self.core.may_check_out(occurrence, now) {
            Ok(Purpose::CheckOut(occurrence))
        } else {
            Err(Declined::NotRunning)
        }
    }

    /// A check-in with as many companions as the plan lets a member bring. At a way out nobody comes in.
    fn party(&self, party: Party, now: &Now) -> Result<Purpose, Declined> {
        let small = self.core.directory().small();
        let most = small.occurrence(party.occurrence).map_or(0, OccurrenceRow::companions_most);
        self.passing(party.occurrence, true, now)?;
        if party.companions > most { Err(Declined::Companions) } else { Ok(Purpose::CheckInParty(party)) }
    }

    /// A gift that the plan of a running activity names: what is not planned is not handed out by a slip of the finger.
    fn hand_out(
        &self,
        (occurrence, item): (OccurrenceId, ItemId),
        quantity: Option<u32>,
        now: &Now,
    ) -> Result<Purpose, Declined> {
        let small = self.core.directory().small();
        let gift = small.occurrence(occurrence).and_then(|row| row.gift(item));
        let gift = gift.filter(|_| self.core.may_check_in(occurrence, now)).ok_or(Declined::NotRunning)?;
        Ok(Purpose::HandOut(Handing { occurrence, item, quantity: quantity.unwrap_or(gift.each) }))
    }

    /// An amount that the scheme allows at a terminal.
    fn possible(&self, amount: Amount, now: &Now) -> Result<Amount, Declined> {
        let above = self.core.terms(now).is_some_and(|terms| amount > terms.purchase_max);
        if above || !amount.is_positive() { Err(Declined::Amount) } else { Ok(amount) }
    }

    /// A slip whole: of this office and of today, where nothing else was typed.
    fn slip(&self, typed: SlipTyped, now: &Now) -> SlipKey {
        let small = self.core.directory().small();
        let here = small.office(self.core.terminal().office).map(|office| office.code.clone());
        SlipKey {
            shop: typed.shop.or(here).unwrap_or_default(),
            number: typed.number,
            date: typed.date.unwrap_or_else(|| self.core.office_clock().business_day(now.trusted)),
        }
    }

    /// Takes something back and says so; nobody's card is needed for it.
    pub(super) fn take_back(
        &mut self,
        taking: TakingBack,
        covered: Option<u64>,
        now: &Now,
    ) -> Result<(), Declined> {
        let operator = self.mode.operator;
        let taken = match self.core.reverse_covered(&taking, covered, operator, now) {
            Ok(Ok(taken)) => taken,
            Ok(Err(NotReversed::Nothing)) => return Err(Declined::NothingLeft),
            Ok(Err(NotReversed::TooMuch { .. })) => return Err(Declined::TooMuch),
            Ok(Err(NotReversed::TooLate)) => return Err(Declined::TooLate),
            Ok(Err(NotReversed::AskFirst { seq })) => return self.ask_to_undo(taking, seq, now),
            Ok(Err(NotReversed::SlipUsed)) => return Err(Declined::SlipUsed),
            Ok(Err(NotReversed::Short { .. })) => return Err(Declined::Short),
            Err(error) => {
                tracing::error!(%error, "failed to take something back");
                return Err(Declined::Unable);
            }
        };
        tracing::info!(seq = taken.seq, "a value fact was taken back");
        self.print_recorded(taken.seq);
        self.desk.n += 1;
        let result = view::taken_back(self, &taken, now);
        view::remember(&mut self.desk, &result, 1);
        self.desk.candidate = None;
        (self.desk.result, self.desk.result_at_ns) = (Some(result), now.mono_ns);
        Ok(())
    }

    /// Takes what was entered at the keys of a swipe terminal: a number is compared by staff like one typed at the
    /// page, an amount is that of the next card's purchase.
    pub(super) fn entered(&mut self, reader: usize, entry: &Entry, now: &Now) {
        let done = match entry {
            Entry::Number(number) => match CardText::number(MediumKind::Typed, number) {
                Ok(card) => self.allow_act(Act::Member, now).and_then(|()| self.typed(card, now)),
                Err(_) => return,
            },
            Entry::Amount(amount) => {
                let amount = Amount(i64::try_from(*amount).unwrap_or(i64::MAX));
                self.allow_act(Act::Value, now).and_then(|()| self.set_mode(ModeOrder::Earn(amount), now))
            }
            Entry::Cancel => {
                self.desk.candidate = None;
                self.set_mode(ModeOrder::Back, now)
            }
        };
        if let Err(declined) = done {
            tracing::info!(reader, ?declined, "what was entered at a swipe terminal was declined");
        }
    }

    /// Finds the member of a typed number for staff to compare; nothing is recorded yet (rule H2).
    fn typed(&mut self, card: CardText, now: &Now) -> Result<(), Declined> {
        self.propose(Presented { card, reader: READER_COUNTER }, now)
    }

    /// Puts the member of a card that nobody showed before staff.
    pub(super) fn propose(&mut self, presented: Presented, now: &Now) -> Result<(), Declined> {
        let candidate = self.core.look(&presented, &self.mode.purpose, now).map_err(|error| {
            tracing::error!(%error, "failed to look up a typed number");
            Declined::Unable
        })?;
        self.desk.n += 1;
        let refused = match candidate.decision.outcome {
            Outcome::Refused(reason) => Some(reason),
            _ => None,
        };
        if refused == Some(RefusalReason::R07)
            && let Some(member) = &candidate.member
        {
            // Nothing can be done with the card, but for the member: a new card in its place.
            let tail = candidate.card.as_ref().map(|card| card.tail.clone()).filter(|tail| !tail.is_empty());
            let view = GuestView { n: self.desk.n, person: view::person(member), card_tail: tail };
            self.pages.guest = Some(Guest { view, card: presented.card.clone(), at_ns: now.mono_ns });
        }
        let view = CandidateView {
            n: self.desk.n,
            card_tail: candidate
                .card
                .as_ref()
                .map_or_else(|| presented.card.tail(), |card| card.tail.clone()),
            person: candidate.member.as_ref().map(view::person),
            purpose: view::purpose(self.core.directory(), &self.mode.purpose),
            refused,
        };
        let (purpose, at_ns) = (self.mode.purpose.clone(), now.mono_ns);
        self.desk.candidate = Some(Candidate { view, card: presented.card, purpose, at_ns });
        Ok(())
    }

    pub(super) fn central(&mut self, order: &CentralOrder, now: &Now) {
        let (done, detail) = match &order.order {
            Ok(CentreOrder::CloseDay) => match self.close_day(now) {
                Ok(closed) => (true, format!("closed {} with {} facts", closed.day, closed.totals.facts)),
                Err(error) => (false, error.to_string()),
            },
            // Sync takes snapshots itself; what reaches here it could not do.
            Ok(CentreOrder::TakeSnapshot) => (false, "snapshots are taken by sync".to_owned()),
            Ok(CentreOrder::CloseLease(lease, generation)) => {
                return self.close_lease((*lease, *generation), order.command, now);
            }
            Err(error) => (false, format!("this terminal does not understand the order: {error}")),
        };
        self.answer(order.command, done, detail, now);
    }

    /// Closes a lease and answers, in one transaction: the close and its answer leave together.
    fn close_lease(&mut self, named: (LeaseId, u32), command: CommandId, now: &Now) {
        let directory = self.core.directory().version();
        let now = *now;
        self.keep("close a lease", |dispatch| {
            let store = dispatch.books().store();
            let end = store.with(|journal| journal.close_lease(named, command, &now, directory))?;
            tracing::info!(lease = %named.0, generation = named.1, ?end, "the centre asked for a lease");
            Ok(())
        });
    }

    fn answer(&mut self, command: CommandId, done: bool, detail: String, now: &Now) {
        let event = FactEvent::CommandDone(CommandDone { command, done, detail });
        let fact = NewFact::of_terminal(event, self.core.directory().version(), now);
        self.keep("answer an order of the centre", |dispatch| {
            dispatch.books().store().with(|journal| journal.append(vec![fact]).map(drop))
        });
    }

    pub(super) fn control(&mut self, order: ControlOrder, now: &Now) {
        match order {
            ControlOrder::CloseDay(reply) => {
                let closed = self.close_day(now).map_err(|error| error.to_string());
                drop(reply.send(closed));
            }
            ControlOrder::Status(reply) => {
                let view = view::build(self, now).map_err(|error| error.to_string());
                let json = match &view {
                    Ok(view) => serde_json::to_string(view).unwrap_or_else(|error| error.to_string()),
                    Err(error) => error.clone(),
                };
                drop(reply.send(json));
            }
        }
    }

    fn close_day(&mut self, now: &Now) -> Result<DayClosed, StoreError> {
        let day = self.core.office_clock().business_day(now.trusted);
        let directory = self.core.directory().version();
        self.books().store().with(|journal| journal.close_day(day, now, directory)).map(|(closed, _)| closed)
    }
}

/// What nobody could spend is not even chosen.
fn spend(spending: Spending) -> Result<Purpose, Declined> {
    if is_impossible(&spending) { Err(Declined::Amount) } else { Ok(Purpose::Spend(spending)) }
}

fn settled(done: Result<bool, StoreError>) -> Result<(), Declined> {
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err(Declined::Stale),
        Err(error) => {
            tracing::error!(%error, "failed to carry out an order of staff");
            Err(Declined::Unable)
        }
    }
}
