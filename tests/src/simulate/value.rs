//! What members do at the counters that moves value: purchases with slips, spends, stored value paid in, goods handed
//! out, returns, cards reported lost, forms filled in.
//!
//! All of it goes through the terminal that decides; what that then showed goes into the books. Before a spend that the
//! leases held there do not pay for, the terminal asks the centre as its program does, and others are called upon to
//! close. Out of scope: what the centre makes of it ([`super::reckon`]).

use std::collections::BTreeMap;

use hufu_edge::rules::decide::value::{Asked, NotReversed};
use hufu_edge::run::core::{Presented, TakingBack, Which};
use hufu_edge::store::{NewFact, StoreError};
use hufu_shared::fact::{
    Event, Form, Handing, ProfileChange, Purchase, Purpose, READER_COUNTER, SlipKey, Spending, Subject,
    ToppingUp,
};
use hufu_shared::form::{CONSENT_CONTACT, FormContent, ROUTE_OFFICE};
use hufu_shared::ids::{FactId, ItemId, MemberId, OccurrenceId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;
use hufu_shared::token::MediumKind;
use hufu_shared::wire::lease::AskBecame;
use hufu_shared::wire::version::Version;
use rusqlite::Connection;

use super::club::{self, OCCURRENCES_PER_DAY};
use super::device::LaneKind;
use super::run::{Run, What};
use super::time::{DAY, FIRST_DAY, HOUR, MINUTE, MS, S};

/// Things of value that happen at one terminal on one day, about.
const VALUE_PER_DEVICE_DAY: i64 = 5;
/// Kinds of gifts.
pub const ITEMS: usize = 3;
/// Asks of one card at most: what has not come by then does not come.
const ASKS_MAX: u32 = 10;
/// Value facts that a guest with a return may mean, the newest of a terminal.
const RETURNABLE: usize = 12;

/// Telephones of those who apply to join.
const PHONES: u64 = 3;
/// Members who want their data changed.
const PEOPLE_WITH_FORMS: usize = 4;
/// Members who ask for gifts.
const PEOPLE_WITH_GIFTS: usize = 8;
/// How often a lost card is tried.
const TRIES: usize = 3;
/// Guests in a thousand who spend who want more than lies ready where they stand, and know that they have it.
const WANTS_ALL_PER_MILLE: u64 = 120;

/// A sale, as its slip says.
#[derive(Debug, Clone)]
struct Sale {
    slip: SlipKey,
    amount: i64,
    card: usize,
}

/// A card that waits for the centre's word.
#[derive(Debug, Clone)]
pub struct Waiting {
    device: usize,
    life: u32,
    card: usize,
    purpose: Purpose,
    asked: u32,
}

/// What lies on the counters.
#[derive(Debug, Clone, Default)]
pub struct Desks {
    sales: Vec<Sale>,
    printed: u32,
    waiting: BTreeMap<u64, Waiting>,
}

/// The id of a gift.
#[must_use]
pub fn item(n: usize) -> ItemId {
    ItemId(club::numbered(0x17, n))
}

impl Run<'_> {
    /// Plans what happens at the counters on a day that begins `at`.
    pub fn plan_value(&mut self, at: i64) {
        for device in 0..self.size.devices {
            for _ in 0..self.random.between(1, 2 * VALUE_PER_DEVICE_DAY - 1) {
                let when = self.random.between(9 * HOUR, 20 * HOUR);
                self.after(at + when, What::Value { device });
            }
        }
    }

    /// Somebody wants something of value at a counter.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn value(&mut self, device: usize) -> anyhow::Result<()> {
        if self.devices[device].running.is_none() {
            return Ok(());
        }
        match self.random.below(100) {
            0..=27 => self.sell(device),
            28..=51 => self.pay(device),
            52..=61 => self.pay_in(device),
            62..=77 => self.take_back(device),
            78..=90 => self.hand_out(device),
            91..=92 => self.report_lost(device),
            93 => self.replace_card(device),
            _ => self.take_form(device),
        }
    }

    fn print(&mut self) -> SlipKey {
        self.desks.printed += 1;
        SlipKey { shop: "A".to_owned(), number: self.desks.printed.to_string(), date: self.today() }
    }

    fn today(&self) -> Day {
        Day(i32::try_from((self.time.now() + 8 * HOUR) / DAY).unwrap_or(0))
    }

    fn day_of_run(&self) -> usize {
        usize::try_from((self.time.now() - FIRST_DAY) / DAY).unwrap_or(0)
    }

    fn some_occurrence(&mut self) -> OccurrenceId {
        let one = self.day_of_run() * OCCURRENCES_PER_DAY + self.random.index(OCCURRENCES_PER_DAY);
        club::occurrence(one)
    }

    /// A purchase with its slip: a new one, one that was entered somewhere already, or one that re-creates another.
    fn sell(&mut self, device: usize) -> anyhow::Result<()> {
        let old = match self.desks.sales.len() {
            0 => None,
            len => Some(self.desks.sales[len - 1 - self.random.index(len.min(20))].clone()),
        };
        let (chosen, other) = (self.random.below(100), self.some_card());
        let fresh = |run: &mut Self, card| Sale {
            slip: run.print(),
            amount: run.random.between(1, 80) * 5_000,
            card,
        };
        let (sale, replaces) = match (chosen, old) {
            (0..=24, Some(old)) => {
                self.counters.path("slip entered again");
                // Now and then it is somebody else's card that is held out with the slip.
                let card = if chosen < 4 { other } else { old.card };
                (Sale { card, ..old }, None)
            }
            (25..=39, Some(old)) => {
                self.counters.path("slip re-created");
                (fresh(self, old.card), Some(old.slip))
            }
            _ => (fresh(self, other), None),
        };
        if !self.desks.sales.iter().any(|known| known.slip == sale.slip) {
            self.desks.sales.push(sale.clone());
        }
        let purchase = Purchase { amount: Amount(sale.amount), slip: sale.slip, replaces, paid: None };
        self.present(device, sale.card, &Purpose::EarnSlip(purchase))
    }

    /// A spend of one unit or of both.
    fn pay(&mut self, device: usize) -> anyhow::Result<()> {
        if self.random.chance(WANTS_ALL_PER_MILLE) {
            return self.pay_with_all(device);
        }
        let card = self.some_card();
        let points = Leg { unit: Unit::Pts, amount: Amount(self.random.between(1, 30)) };
        let money = Leg { unit: Unit::Cny, amount: Amount(self.random.between(1, 40) * 250) };
        let legs = match self.random.below(10) {
            0..=5 => vec![points],
            6..=7 => vec![money],
            _ => vec![points, money],
        };
        let slip = self.random.chance(400).then(|| self.print());
        let item = self.random.chance(200).then(|| item(0));
        let purpose = Purpose::Spend(Spending { legs, slip, item, paid_out: None });
        self.ask_and_spend(Waiting { device, life: self.devices[device].life, card, purpose, asked: 0 })
    }

    /// A spend of what lies here, at the centre and at other terminals. Those hold a poll open, as any terminal does.
    fn pay_with_all(&mut self, device: usize) -> anyhow::Result<()> {
        let sql = "SELECT member, sum(CASE WHEN device = ?1 THEN escrow ELSE 0 END) + coalesce((SELECT sum(amount) \
                   FROM balance WHERE balance.member = lease.member AND balance.unit = lease.unit \
                   AND class = 'available'), 0), sum(CASE WHEN device = ?1 THEN 0 ELSE escrow END) AS elsewhere \
                   FROM lease WHERE is_open = 1 AND unit = 'PTS' GROUP BY member HAVING elsewhere > 0 ORDER BY member";
        let found: Vec<([u8; 16], i64, i64)> = self
            .centre
            .look()
            .prepare_cached(sql)?
            .query_map([self.devices[device].id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        if found.is_empty() {
            return Ok(());
        }
        let (member, near, elsewhere) = found[self.random.index(found.len())];
        let Some(card) = (0..self.size.members).find(|n| club::member(*n).0 == member) else { return Ok(()) };
        let amount = Amount(near + self.random.between(1, elsewhere));
        let legs = vec![Leg { unit: Unit::Pts, amount }];
        let purpose = Purpose::Spend(Spending { legs, slip: None, item: None, paid_out: None });
        self.wake_holders(MemberId(member));
        self.numbered += 1;
        let (number, life) = (self.numbered, self.devices[device].life);
        self.desks.waiting.insert(number, Waiting { device, life, card, purpose, asked: 0 });
        self.after(2 * S, What::AskAgain { number });
        Ok(())
    }

    /// A card waits no longer for others to close, or asks once more.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn asked_again(&mut self, number: u64) -> anyhow::Result<()> {
        match self.desks.waiting.remove(&number) {
            Some(waiting) => self.ask_and_spend(waiting),
            None => Ok(()),
        }
    }

    /// Asks the centre for what the leases here do not pay, if it can be reached, and decides.
    fn ask_and_spend(&mut self, waiting: Waiting) -> anyhow::Result<()> {
        let Waiting { device, life, card, ref purpose, asked } = waiting;
        let own = &mut self.devices[device];
        if own.life != life {
            return Ok(());
        }
        let Some(running) = own.running.as_mut() else { return Ok(()) };
        let now = running.clock.now();
        let presented = Presented { card: club::card_text(card), reader: 0 };
        let asks = running.core.asks(&presented, purpose, &now)?;
        let (mut last, mut is_enough) = (None, true);
        for ask in &asks {
            let Some(answer) = self.ask(device, ask)? else {
                (last, is_enough) = (Some(Asked::default()), false);
                break;
            };
            let figure = answer.figure.map(|amount| Leg { unit: ask.unit, amount });
            last = Some(Asked { became: Some(answer.became), figure });
            match answer.became {
                AskBecame::Granted => self.counters.path("raised on demand"),
                AskBecame::Recalling if asked < ASKS_MAX => {
                    self.counters.path("others asked to close");
                    self.wake_holders(ask.member);
                    self.numbered += 1;
                    let number = self.numbered;
                    let after = i64::from(answer.again_ms.max(50)) * MS;
                    self.desks.waiting.insert(number, Waiting { asked: asked + 1, ..waiting });
                    self.after(after, What::AskAgain { number });
                    return Ok(());
                }
                _ => {
                    is_enough = false;
                    break;
                }
            }
        }
        if asked > 0 && is_enough {
            self.counters.path("others closed in time");
        }
        self.present_asked(device, card, purpose, last)
    }

    /// Terminals that hold something for the member poll at once: their wait is ended by the centre.
    fn wake_holders(&mut self, member: MemberId) {
        for device in 0..self.devices.len() {
            let own = &self.devices[device];
            if own.running.is_some() && !own.cut_off {
                let life = own.life;
                let holds = own.running.as_ref().is_some_and(|running| {
                    let held = running.core.store().with(|journal| journal.open_leases(member));
                    held.is_ok_and(|held| !held.is_empty())
                });
                if holds {
                    let after = self.random.between(5, 300) * MS;
                    self.after(after, What::Start { device, life, lane: LaneKind::Updates });
                }
            }
        }
    }

    /// Stored value is paid in.
    fn pay_in(&mut self, device: usize) -> anyhow::Result<()> {
        let card = self.some_card();
        let method = ["cash", "card"][self.random.index(2)].to_owned();
        let paid =
            ToppingUp { amount: Amount(self.random.between(1, 30) * 1_000), method, slip: self.print() };
        self.present(device, card, &Purpose::TopUp(paid))
    }

    /// Something is taken back, in part or whole.
    fn take_back(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &self.devices[device];
        let (id, epoch) = (own.id, own.epoch);
        let facts = self.books.values.range((id, epoch, 0, 0)..=(id, epoch, u64::MAX, u32::MAX)).rev();
        let facts: Vec<u64> =
            facts.filter(|(_, told)| told.is_returnable()).map(|(key, _)| key.2).take(RETURNABLE).collect();
        if facts.is_empty() {
            return Ok(());
        }
        let seq = facts[self.random.index(facts.len())];
        let part = self
            .random
            .chance(500)
            .then(|| Leg { unit: Unit::Pts, amount: Amount(self.random.between(1, 12)) });
        let taking = TakingBack { of: Which::Fact(seq), part, reason: "return".to_owned(), slip: None };
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let now = running.clock.now();
        let taken = match running.core.reverse(&taking, None, &now)? {
            Ok(taken) => taken,
            Err(NotReversed::AskFirst { seq }) => return self.undo_on_its_word(device, seq, &taking),
            Err(_) => return Ok(()),
        };
        self.counters.path("taken back");
        self.note_return((id, epoch, taken.seq), seq, taken.legs);
        self.complain(FactId { device: id, epoch, seq })?;
        self.shown(device, taken.seq)
    }

    fn hand_out(&mut self, device: usize) -> anyhow::Result<()> {
        let card = self.random.index(PEOPLE_WITH_GIFTS.min(self.size.members));
        let occurrence = self.some_occurrence();
        let item = item(self.random.index(ITEMS));
        let quantity = if self.random.chance(150) { 2 } else { 1 };
        self.present(device, card, &Purpose::HandOut(Handing { occurrence, item, quantity }))
    }

    fn report_lost(&mut self, device: usize) -> anyhow::Result<()> {
        let card = self.some_card();
        self.tempt(card);
        self.books.blocked.insert(card);
        self.counters.path("card reported lost at a terminal");
        self.present(device, card, &Purpose::ReportLost)
    }

    /// A member gets another card in place of the one they have: a new one, one that others use already, or one that
    /// another terminal gives to somebody else.
    fn replace_card(&mut self, device: usize) -> anyhow::Result<()> {
        let (old, new) = (self.some_card(), self.some_stray_card());
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let presented = Presented { card: club::card_text(old), reader: READER_COUNTER };
        let subject = running.core.subject_of(&presented, &running.clock.now())?;
        if old >= self.size.members || subject.member.is_none() {
            return Ok(());
        }
        self.books.handed_on.push((new, old));
        self.books.blocked.insert(old);
        self.counters.path("card replaced at a terminal");
        self.present(device, new, &Purpose::Replace(subject))
    }

    /// Somebody applies, or wants data changed: staff take the form, which only the centre can read.
    fn take_form(&mut self, device: usize) -> anyhow::Result<()> {
        let is_application = self.random.chance(400);
        let mobile = format!("1390000000{}", self.random.below(PHONES));
        let content = FormContent { fields: vec![("mobile".to_owned(), mobile)] };
        let sealed = content.seal(&self.club.keys.seal_public(), self.random.bytes())?;
        let card = self.random.index(PEOPLE_WITH_FORMS.min(self.size.members));
        let token = self.club.token_key.token(&club::card_text(card));
        let subject =
            Subject { token, member: None, reader: READER_COUNTER, medium: MediumKind::Uid, code: None };
        let form = Form {
            commitment: sealed.commitment,
            subject: (!is_application).then_some(subject),
            route: ROUTE_OFFICE.to_owned(),
            consent: Some(CONSENT_CONTACT.to_owned()),
        };
        let event = if is_application {
            Event::ApplicationTaken(form)
        } else {
            let known = Version { epoch: 1, n: self.random.below(2) };
            Event::ProfileChangeRequested(ProfileChange { form, fields: vec![("mobile".to_owned(), known)] })
        };
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let (now, directory) = (running.clock.now(), running.core.directory().version());
        let fact = NewFact { sealed: Some(sealed.sealed), ..NewFact::of_terminal(event, directory, &now) };
        let taken =
            running.core.store().with(|journal| -> Result<_, StoreError> { journal.append(vec![fact]) })?;
        match taken.first().and_then(|fact| fact.id) {
            Some(id) => self.shown(device, id.seq),
            None => Ok(()),
        }
    }

    /// Whoever found a card that was reported lost will try it.
    pub fn tempt(&mut self, card: usize) {
        for _ in 0..TRIES {
            let after = self.random.between(MINUTE, 4 * HOUR);
            self.after(after, What::Thief { card });
        }
    }

    /// A card that was lost is held out where something lies ready for its member. Rarely the terminal is opened first,
    /// and the card taken off its list.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn thief(&mut self, card: usize) -> anyhow::Result<()> {
        if card >= self.size.members || self.is_calm {
            return Ok(());
        }
        let member = club::member(card);
        let token = self.club.token_key.token(&club::card_text(card));
        let mut counters = Vec::new();
        for (device, own) in self.devices.iter().enumerate() {
            let Some(running) = &own.running else { continue };
            let (holds, knows) = running.core.store().with(|journal| {
                Ok((!journal.open_leases(member)?.is_empty(), journal.blocked(&token).is_some()))
            })?;
            counters.extend(holds.then_some((device, knows)));
        }
        if counters.is_empty() {
            return Ok(());
        }
        let (device, knows) = counters[self.random.index(counters.len())];
        if knows && self.random.chance(600) {
            self.tamper(device, card)?;
        }
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(self.random.between(1, 4)) }];
        self.present(device, card, &Purpose::Spend(Spending { legs, slip: None, item: None, paid_out: None }))
    }

    /// Somebody opens a terminal and takes a card off its block list.
    fn tamper(&mut self, device: usize, card: usize) -> anyhow::Result<()> {
        let token = self.club.token_key.token(&club::card_text(card));
        self.devices[device].crash()?;
        let journal = Connection::open(self.devices[device].journal())?;
        journal.execute("DELETE FROM blocks WHERE token = ?1", [token.to_bytes()])?;
        drop(journal);
        self.books.tampered.insert(device);
        self.counters.path("block list tampered with");
        self.boot(device)
    }

    /// Something was shown that is on the disk.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn shown(&mut self, device: usize, seq: u64) -> anyhow::Result<()> {
        // The daemon writes the time once a minute, whatever cards come.
        let is_minute = self.random.chance(300);
        let own = &mut self.devices[device];
        let enrolment = (own.id, own.epoch);
        let Some(running) = own.running.as_mut() else { return Ok(()) };
        let floor = running.clock.now().floor;
        let hash = running.core.store().with(|journal| {
            journal.mark_shown(seq);
            if is_minute {
                journal.write_time_floor(floor)?;
            }
            journal.hash_at(seq)
        })?;
        match hash {
            Some(hash) => {
                self.books.shown.entry(enrolment).or_default().insert(seq, hash);
            }
            None => self.violated(format!("I6: seq {seq} of {enrolment:?} was shown, the journal lacks it")),
        }
        self.wake_upload(device);
        Ok(())
    }
}
