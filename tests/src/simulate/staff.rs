//! What people do: members present cards, staff close the day, an admin decides cases and keeps cards and plans.

use std::collections::BTreeSet;

use hufu_edge::rules::decide::Outcome;
use hufu_edge::rules::decide::value::Asked;
use hufu_edge::run::core::{Mode, Presented, Swiped};
use hufu_edge::store::{NewFact, StoreError};
use hufu_shared::act::{Act, CardStatusSet, CaseDecided, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{ClockStepped, Event, Purpose};
use hufu_shared::ids::{DeviceId, FactId, Hash};
use hufu_shared::member::{CardStatus, OccurrenceState};
use hufu_shared::money::Amount;
use hufu_shared::scheme::{EarnRate, SchemeTerms};
use hufu_shared::time::{ClockQuality, Day};

use super::club::{self, OCCURRENCES_PER_DAY};
use super::device::LaneKind;
use super::reckon::{Rate, STEP_FEN};
use super::run::{Run, What};
use super::time::{DAY, FIRST_DAY, HOUR, MINUTE, MS, S};

/// Swipes at one terminal on one day, about.
const SWIPES_PER_DEVICE_DAY: i64 = 6;
/// Members who are seen everywhere, so that terminals meet over them.
const HOT_MEMBERS: u64 = 12;
/// Cards that belong to nobody at first.
const STRAY_CARDS: u64 = 6;

impl Run<'_> {
    /// Plans the days of the run: boots, swipes, closings, admins and faults.
    pub fn plan(&mut self) {
        let days = i64::try_from(self.size.days).unwrap_or(1);
        for device in 0..self.size.devices {
            let after = self.random.between(0, 8 * HOUR);
            self.after(after, What::Boot { device });
            for day in 0..days {
                for _ in 0..self.random.between(1, 2 * SWIPES_PER_DEVICE_DAY - 1) {
                    let at = self.random.between(8 * HOUR + 30 * MINUTE, 20 * HOUR + 30 * MINUTE);
                    self.after(day * DAY + at, What::Swipe { device });
                }
                let at = self.random.between(21 * HOUR, 23 * HOUR);
                self.after(day * DAY + at, What::CloseDay { device });
            }
        }
        let first = self.random.between(0, 12 * HOUR);
        self.after(first, What::Stranger);
        for day in 0..days {
            self.plan_leases(day * DAY);
            self.plan_value(day * DAY);
            self.plan_people(day * DAY);
            self.plan_rare(day * DAY);
            for _ in 0..6 {
                let at = self.random.between(9 * HOUR, 23 * HOUR);
                self.after(day * DAY + at, What::Admin);
            }
            for _ in 0..self.random.between(4, 9) {
                let at = self.random.between(0, DAY - HOUR);
                self.after(day * DAY + at, What::Fault);
            }
        }
    }

    /// Switches a terminal on, and holds it to what it had shown.
    ///
    /// # Errors
    /// If its files cannot be used.
    pub fn boot(&mut self, device: usize) -> anyhow::Result<()> {
        let boot = self.random.bytes();
        let own = &mut self.devices[device];
        if own.running.is_some() || own.gone {
            return Ok(());
        }
        own.boot(self.club, &self.time, boot)?;
        self.books.boots.insert((own.id, own.epoch, boot), self.time.now());
        self.check_shown(device)?;
        self.start_lanes(device);
        Ok(())
    }

    /// A member presents a card, perhaps twice.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn swipe(&mut self, device: usize) -> anyhow::Result<()> {
        if self.devices[device].running.is_none() {
            return Ok(());
        }
        let card = self.some_card();
        let purpose = self.some_purpose();
        self.present(device, card, &purpose)?;
        // Only a terminal that has not heard the centre since its start goes by its own wall clock.
        let chance = if self.goes_by_its_own_clock(device) { 600 } else { 120 };
        if self.random.chance(chance) {
            self.last_taps.insert(device, (card, purpose));
            let after = self.random.between(1, 90) * S;
            self.after(after, What::Again { device });
        }
        Ok(())
    }

    /// The same member, the same card, the same reader.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn again(&mut self, device: usize) -> anyhow::Result<()> {
        if let Some((card, purpose)) = self.last_taps.remove(&device) {
            let chance = if self.goes_by_its_own_clock(device) { 700 } else { 250 };
            if !self.is_calm && self.random.chance(chance) {
                self.step_clock(device)?;
            }
            self.present(device, card, &purpose)?;
        }
        Ok(())
    }

    fn goes_by_its_own_clock(&self, device: usize) -> bool {
        let running = self.devices[device].running.as_ref();
        running.is_some_and(|running| running.clock.now().quality != ClockQuality::Synced)
    }

    /// A card that somebody holds out: mostly of a few members, sometimes one that belongs to nobody.
    pub fn some_card(&mut self) -> usize {
        let members = self.size.members as u64;
        let card = match self.random.below(100) {
            0..=3 => return self.some_stray_card(),
            4..=54 => self.random.below(HOT_MEMBERS.min(members)),
            _ => self.random.below(members),
        };
        usize::try_from(card).unwrap_or(0)
    }

    /// A card that the centre was not told of, unless it was since.
    pub fn some_stray_card(&mut self) -> usize {
        self.size.members + usize::try_from(self.random.below(STRAY_CARDS)).unwrap_or(0)
    }

    fn some_purpose(&mut self) -> Purpose {
        let day = usize::try_from((self.time.now() - FIRST_DAY) / DAY).unwrap_or(0);
        match self.random.below(100) {
            0..=49 => {
                let one = day * OCCURRENCES_PER_DAY + self.random.index(OCCURRENCES_PER_DAY);
                Purpose::CheckIn(club::occurrence(one))
            }
            50..=84 => Purpose::Earn(Amount(self.random.between(1, 80) * 5_000)),
            _ => Purpose::Visit,
        }
    }

    /// A card is presented: the terminal decides, commits, shows; and what it showed goes into the books.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn present(&mut self, device: usize, card: usize, purpose: &Purpose) -> anyhow::Result<()> {
        self.present_asked(device, card, purpose, None)
    }

    /// The same, after the centre was asked for more.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn present_asked(
        &mut self,
        device: usize,
        card: usize,
        purpose: &Purpose,
        asked: Option<Asked>,
    ) -> anyhow::Result<()> {
        let crashes = !self.is_calm && self.random.chance(12);
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let now = running.clock.now();
        running.core.store().with(|journal| journal.flush_refusal_due(now.mono_ns))?;
        let presented = Presented { card: club::card_text(card), reader: 0 };
        let mode = Mode { purpose: purpose.clone(), operator: None };
        let token = self.club.token_key.token(&presented.card);
        let (is_blocked, used_percent) = running
            .core
            .store()
            .with(|journal| Ok((journal.blocked(&token).is_some(), journal.used_percent()?)))?;
        let swiped = running.core.swipe_asked(&presented, &mode, asked, &now)?;
        self.swipes += 1;
        let is_refused = matches!(swiped.decision.outcome, Outcome::Refused(_));
        if is_blocked {
            self.counters.path("block held against a card");
            if !is_refused {
                self.violated(format!("K: terminal {device} knows that card {card} is blocked and takes it"));
                return Ok(());
            }
        }
        self.check_room(device, used_percent, purpose, &swiped)?;
        if card < self.size.members && !is_refused {
            let window_s = swiped.terms.as_ref().map_or(0, |terms| terms.repeat_window_s);
            self.note_tap(device, (card, purpose), &swiped, i64::from(window_s) * S);
        }
        self.note_spend(device, &swiped);
        self.note_value(device, card, &swiped);
        if crashes {
            self.counters.path("crash before shown");
            return self.crash(device);
        }
        if let Some(seq) = swiped.seq {
            self.shown(device, seq)?;
            if !self.is_calm && self.random.chance(12) {
                self.counters.path("crash right after it was shown");
                return self.crash(device);
            }
        }
        Ok(())
    }

    /// Keeps the books of double taps: the first of a window opens it, whatever wall clocks say.
    fn note_tap(&mut self, device: usize, (card, purpose): (usize, &Purpose), swiped: &Swiped, window: i64) {
        let own = &self.devices[device];
        let Some(seq) = swiped.seq.filter(|_| matches!(purpose, Purpose::Visit | Purpose::Earn(_))) else {
            return;
        };
        let (key, now) = ((device, own.life, card, format!("{purpose:?}")), self.time.now());
        let opened = self.windows.get(&key).is_some_and(|opened| now - opened <= window);
        if !opened {
            self.windows.insert(key, now);
        }
        self.books.repeats.insert((own.id, own.epoch, seq), opened);
        if let Event::Earned(earned) = &swiped.decision.event
            && earned.repeats.is_some() != opened
        {
            self.violated(format!(
                "kind 2: terminal {device} says that seq {seq} repeats {:?}",
                earned.repeats
            ));
        }
    }

    /// A new fact wakes the uploads.
    pub fn wake_upload(&mut self, device: usize) {
        let (life, after) = (self.devices[device].life, self.random.between(0, 50) * MS);
        self.after(after, What::Start { device, life, lane: LaneKind::Upload });
    }

    /// Staff close the day.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn close_day(&mut self, device: usize) -> anyhow::Result<()> {
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        let now = running.clock.now();
        let day = running.core.office_clock().business_day(now.trusted);
        let directory = running.core.directory().version();
        let counted = running.core.store().with(|journal| {
            journal.close_day(day, &now, directory)?;
            Ok(journal.last_seq())
        })?;
        let own = &self.devices[device];
        self.books.counted.insert((own.id, own.epoch), counted);
        self.counters.path("day closed");
        self.wake_upload(device);
        Ok(())
    }

    /// The wall clock of a terminal steps, and the loop notices.
    ///
    /// # Errors
    /// If the journal refuses.
    pub fn notice_step(&mut self, device: usize) -> anyhow::Result<()> {
        let Some(running) = self.devices[device].running.as_mut() else { return Ok(()) };
        if let Some(by_us) = running.clock.look_for_step() {
            let (now, directory) = (running.clock.now(), running.core.directory().version());
            let fact = NewFact::of_terminal(Event::ClockStepped(ClockStepped { by_us }), directory, &now);
            running.core.store().with(|journal| -> Result<_, StoreError> { journal.append(vec![fact]) })?;
            self.counters.path("wall clock stepped");
            self.wake_upload(device);
        }
        Ok(())
    }

    /// An admin does something.
    ///
    /// # Errors
    /// If the centre refuses.
    pub fn admin(&mut self) -> anyhow::Result<()> {
        if self.is_centre_down {
            return Ok(());
        }
        match self.random.below(100) {
            0..=49 => self.decide()?,
            50..=64 => self.block()?,
            65..=79 => self.register()?,
            80..=89 => self.change_plan()?,
            _ => self.change_scheme()?,
        }
        self.ring();
        Ok(())
    }

    /// A random verdict with random pins on a random case.
    fn decide(&mut self) -> anyhow::Result<()> {
        let look = self.centre.look();
        let open = "SELECT id, kind FROM conflict WHERE kind IN (2, 13, 19, 27, 28) \
                    AND state IN ('open', 'evidence_changed') ORDER BY id";
        let cases: Vec<([u8; 32], i64)> = look
            .prepare_cached(open)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if cases.is_empty() {
            return Ok(());
        }
        let (case, kind) = cases[self.random.index(cases.len())];
        let mut pins = Vec::new();
        let mut verdict = [Verdict::Acknowledge, Verdict::Discard][self.random.index(2)];
        if kind == 27 {
            verdict = [Verdict::Confirm, Verdict::Reverse][self.random.index(2)];
            for fact in self.evidence(case)? {
                match self.random.below(3) {
                    0 => pins.push(Pin { fact, outcome: PinOutcome::Counts }),
                    1 => pins.push(Pin { fact, outcome: PinOutcome::DoesNotCount }),
                    _ => {}
                }
            }
            // Two that count break the bound of the kind; the console does not save such a verdict.
            let mut counting = 0;
            pins.retain(|pin| {
                counting += u32::from(pin.outcome == PinOutcome::Counts);
                pin.outcome != PinOutcome::Counts || counting == 1
            });
            // What had the admission when its day was settled has it until a person says that it does not.
            if self.books.is_settled && counting > 0 {
                let named: BTreeSet<FactId> = pins.iter().map(|pin| pin.fact).collect();
                let others = self.evidence(case)?.into_iter().filter(|fact| !named.contains(fact));
                pins.extend(others.map(|fact| Pin { fact, outcome: PinOutcome::DoesNotCount }));
            }
        }
        if !pins.is_empty() {
            self.books.pinned.extend(pins.iter().map(|pin| pin.fact));
            self.counters.path("verdict with pins");
        }
        if kind == 27 {
            let first = !self.books.centre.pins.contains_key(&case);
            self.books.centre.pins.insert(case, first.then(|| pins.clone()));
        }
        let decided = CaseDecided { case: Hash(case), verdict, pins, reason: Hash([0; 32]) };
        self.centre.act(Act::CaseDecided(decided))?;
        // The member turns up once more: evidence that comes after the verdict.
        if kind == 27 && self.random.chance(600) { self.come_again(case) } else { Ok(()) }
    }

    fn come_again(&mut self, case: [u8; 32]) -> anyhow::Result<()> {
        let about = "SELECT member, occurrence FROM conflict WHERE id = ?1";
        let (member, occurrence): ([u8; 16], [u8; 16]) =
            self.centre.look().query_row(about, [case], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let member = (0..self.size.members).find(|n| club::member(*n).0 == member);
        let occurrences = 0..self.size.days * OCCURRENCES_PER_DAY;
        let occurrence = occurrences.map(club::occurrence).find(|known| known.0 == occurrence);
        let (Some(member), Some(occurrence)) = (member, occurrence) else { return Ok(()) };
        let device = self.random.index(self.devices.len());
        self.present(device, member, &Purpose::CheckIn(occurrence))
    }

    /// The facts of a case.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn evidence(&self, case: [u8; 32]) -> anyhow::Result<Vec<FactId>> {
        let facts =
            "SELECT device, epoch, seq FROM conflict_fact WHERE conflict = ?1 ORDER BY device, epoch, seq";
        let facts = self
            .centre
            .look()
            .prepare_cached(facts)?
            .query_map([case], |row| {
                let seq = row.get::<_, i64>(2)?.unsigned_abs();
                Ok(FactId { device: DeviceId(row.get(0)?), epoch: row.get(1)?, seq })
            })?
            .collect::<Result<_, _>>()?;
        Ok(facts)
    }

    /// A card is reported lost, or found again.
    fn block(&mut self) -> anyhow::Result<()> {
        let card = self.random.index(self.size.members.min(2 * 12));
        let status = if self.random.chance(600) { CardStatus::Lost } else { CardStatus::Active };
        if status == CardStatus::Lost {
            self.tempt(card);
        }
        self.books.blocked.insert(card);
        self.counters.path("card blocked");
        self.centre.act(Act::CardStatusSet(CardStatusSet {
            card: club::card(card),
            status,
            reason: Hash([0; 32]),
        }))?;
        // Some terminals ask just now, before it is published or right after.
        for _ in 0..3 {
            let device = self.random.index(self.devices.len());
            let (life, after) = (self.devices[device].life, self.random.between(0, 50) * MS);
            self.after(after, What::Start { device, life, lane: LaneKind::Updates });
        }
        Ok(())
    }

    /// A stray card is registered to somebody.
    fn register(&mut self) -> anyhow::Result<()> {
        let stray = usize::try_from(self.random.below(STRAY_CARDS))?;
        let card = self.size.members + stray;
        let owner = self.random.index(self.size.members);
        let member = club::member(owner);
        let token = self.club.token_key.token(&club::card_text(card)).to_bytes();
        // A terminal may have given it to somebody: then it is registered already.
        let known = "SELECT count(*) FROM card_token WHERE token = ?1";
        let known: i64 = self.centre.look().query_row(known, [token], |row| row.get(0))?;
        if known > 0 {
            return Ok(());
        }
        let held = "SELECT count(*) FROM fact WHERE token = ?1 AND became = 'held'";
        let held: i64 = self.centre.look().query_row(held, [token], |row| row.get(0))?;
        if held > 0 {
            self.counters.path("unknown card bound");
        }
        self.books.handed_on.push((card, owner));
        let set = club::card_set(&self.club.token_key, card, Some(member), CardStatus::Active);
        self.centre.act(Act::CardsSet(vec![set]))
    }

    /// An activity ends early, or goes on after all.
    fn change_plan(&mut self) -> anyhow::Result<()> {
        let mut row = club::occurrence_row(self.random.index(self.size.days * OCCURRENCES_PER_DAY));
        row.state = if self.random.chance(500) { OccurrenceState::Ended } else { OccurrenceState::Approved };
        self.centre.act(Act::OccurrenceSet(row))
    }

    fn change_scheme(&mut self) -> anyhow::Result<()> {
        let newest = "SELECT max(version) FROM scheme";
        let version: u32 = self.centre.look().query_row(newest, [], |row| row.get(0))?;
        let today = Day(i32::try_from((self.time.now() + 8 * HOUR) / DAY)?);
        let rate = EarnRate { per_fen: STEP_FEN, points: self.random.between(1, 3) };
        let from = i64::from(today.plus(1).0) * DAY - 8 * HOUR;
        self.books.rates.push(Rate { version: version + 1, from, points: rate.points });
        let terms =
            SchemeTerms { earn: Some(rate), ..SchemeTerms::property_club(version + 1, today.plus(1)) };
        self.centre.act(Act::SchemeSet(terms))
    }
}
