//! The net between terminals and centre, and the lanes that speak through it.
//!
//! A request may be lost, arrive twice, or arrive long after the terminal gave up; so may its answer. Each arrival is held
//! against the books before anything of it travels back.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::http::{Request, Response};
use hufu_edge::rules::backoff::Wish;
use hufu_edge::sync::authorize::ASK_GIVE_UP_MS;
use hufu_edge::sync::client::CentreError;
use hufu_edge::sync::download::DownloadError;
use hufu_edge::sync::upload::{EVENTS_PATH, Progress};
use hufu_shared::cbor;
use hufu_shared::wire::lease::{LeaseAnswer, LeaseAsk};
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::upload::{Receipt, Upload};

use super::books::Expected;
use super::device::{Ended, Lane, LaneKind};
use super::run::{Run, What};
use super::time::{HOUR, MINUTE, MS, S};

/// How long a terminal waits for an answer.
pub const EXCHANGE_TIMEOUT: i64 = 28 * S;

/// A request under way.
pub struct Exchange {
    device: usize,
    life: u32,
    lane: LaneKind,
    request: Request<Vec<u8>>,
    certificate: Arc<[u8]>,
    /// Each with how often the centre had been rolled back when it gave it.
    answers: BTreeMap<u32, (u32, Response<Vec<u8>>)>,
    arrivals: u32,
}

impl Run<'_> {
    /// Lets the lanes of a terminal that just started begin.
    pub fn start_lanes(&mut self, device: usize) {
        let life = self.devices[device].life;
        let lanes = self.devices[device].running.as_ref().map_or(0, |running| running.lanes.len());
        for lane in (0..lanes).map(LaneKind::at) {
            let after = self.random.between(0, 3_000) * MS;
            self.after(after, What::Start { device, life, lane });
        }
    }

    /// A lane begins a step.
    ///
    /// # Errors
    /// If something outside of the simulated parts fails.
    pub fn start(&mut self, device: usize, life: u32, lane: LaneKind) -> anyhow::Result<()> {
        let Some(own) = self.lane(device, life, lane) else { return Ok(()) };
        if own.is_busy() {
            return Ok(());
        }
        if lane == LaneKind::Directory && self.is_tight(device)? {
            // What room is left is for facts, as the daemon has it.
            self.after(30 * MINUTE, What::Start { device, life, lane });
            return Ok(());
        }
        let Some(own) = self.lane(device, life, lane) else { return Ok(()) };
        own.begin();
        self.go_on(device, lane)
    }

    /// A lane of a terminal in this life of it.
    pub fn lane(&mut self, device: usize, life: u32, lane: LaneKind) -> Option<&mut Lane> {
        let device = &mut self.devices[device];
        if device.life != life {
            return None;
        }
        let running = device.running.as_mut()?;
        running.lanes.get_mut(lane.place())
    }

    /// Takes a lane on until it waits for the centre or its step has ended.
    fn go_on(&mut self, device: usize, lane: LaneKind) -> anyhow::Result<()> {
        let life = self.devices[device].life;
        let Some(own) = self.lane(device, life, lane) else { return Ok(()) };
        if let Some(ended) = own.poll() {
            return self.ended(device, lane, ended);
        }
        if let Some(request) = own.pipe().take() {
            self.numbered += 1;
            let exchange = self.numbered;
            if let Some(own) = self.lane(device, life, lane) {
                own.waits_for = Some(exchange);
            }
            self.check_fresh(device, &request)?;
            let certificate = Arc::clone(&self.devices[device].certificate);
            let answers = BTreeMap::new();
            let sent = Exchange { device, life, lane, request, certificate, answers, arrivals: 0 };
            self.exchanges.insert(exchange, sent);
            self.send(device, exchange);
        }
        Ok(())
    }

    /// What an attempt says of the terminal's clock must be of the moment in which it is sent (I16).
    fn check_fresh(&mut self, device: usize, request: &Request<Vec<u8>>) -> anyhow::Result<()> {
        if request.uri().path() != EVENTS_PATH {
            return Ok(());
        }
        let upload: Upload = cbor::decode(request.body())?;
        let now = self.devices[device].running.as_ref().map(|running| running.clock.now().mono_ns);
        let said = upload.attempt.mono_ns;
        if now.is_some_and(|now| now != said) {
            self.violated(format!("I16: an attempt at {now:?} ns says that it is {said} ns"));
        }
        Ok(())
    }

    /// Gives a request to the net.
    fn send(&mut self, device: usize, exchange: u64) {
        self.after(EXCHANGE_TIMEOUT, What::TimeOut { exchange });
        let (lost, twice, late) = if self.is_calm { (0, 0, 0) } else { (40, 40, 25) };
        if self.devices[device].cut_off || self.random.chance(lost) {
            return;
        }
        let delay = self.random.between(5, 400) * MS;
        self.after(delay, What::Arrive { exchange });
        if self.random.chance(twice) {
            let delay = self.random.between(5, 2_000) * MS;
            self.after(delay, What::Arrive { exchange });
        }
        if self.random.chance(late) {
            // Held up somewhere until long after the terminal gave up.
            let delay = self.random.between(30, 3_600) * S;
            self.after(delay, What::Arrive { exchange });
        }
    }

    /// A terminal asks for more while a card waits. The ask is over within the moment, or lost.
    ///
    /// # Errors
    /// If something outside of the simulated parts fails.
    pub fn ask(&mut self, device: usize, ask: &LeaseAsk) -> anyhow::Result<Option<LeaseAnswer>> {
        let lost = if self.is_calm { 0 } else { 40 };
        let (goes, comes) = (!self.random.chance(lost), !self.random.chance(lost));
        let own = &self.devices[device];
        let passes = goes && !own.cut_off && !self.is_centre_down;
        let Some(running) = own.running.as_ref() else { return Ok(None) };
        let timed_out = || CentreError::TimedOut { after_ms: ASK_GIVE_UP_MS };
        let answer = running.asker.ask(ask, |request| {
            if !passes {
                return Ok(Err(timed_out()));
            }
            let response = self.centre.handle(request, &own.certificate)?;
            Ok(if comes { Ok(response) } else { Err(timed_out()) })
        })?;
        self.ring();
        Ok(answer)
    }

    /// A request reaches the centre, or a copy of it does.
    ///
    /// # Errors
    /// If the centre's answer cannot be read.
    pub fn arrive(&mut self, number: u64) -> anyhow::Result<()> {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return Ok(()) };
        exchange.arrivals += 1;
        let (copy, device) = (exchange.arrivals, exchange.device);
        let (request, certificate) = (exchange.request.clone(), Arc::clone(&exchange.certificate));
        let is_late = self.lane_waits(number).is_none();
        if self.is_centre_down || self.devices[device].cut_off {
            return Ok(());
        }
        if copy > 1 {
            self.counters.path("duplicate request");
        }
        if is_late {
            self.counters.path("late request after its retry");
        }
        let is_upload = request.uri().path() == EVENTS_PATH;
        let upload = is_upload.then(|| cbor::decode::<Upload>(request.body())).transpose()?;
        let response = self.centre.handle(request, &certificate)?;
        self.ring();
        if let Some(upload) = upload {
            self.judge(&upload, &response)?;
            // Power goes between what the centre took and its answer: the next batch will straddle the cursor.
            if !self.is_calm && self.random.chance(8) {
                return self.crash(device);
            }
        }
        let lost = if self.is_calm { 0 } else { 40 };
        if !self.random.chance(lost)
            && let Some(exchange) = self.exchanges.get_mut(&number)
        {
            exchange.answers.insert(copy, (self.centre.lives(), response));
            let delay = self.random.between(5, 400) * MS;
            self.after(delay, What::Back { exchange: number, copy });
        }
        Ok(())
    }

    /// Holds the centre's answer to an upload against the books.
    ///
    /// # Errors
    /// If the answer cannot be read.
    pub fn judge(&mut self, upload: &Upload, response: &Response<Vec<u8>>) -> anyhow::Result<()> {
        let enrolment = (upload.header.device, upload.header.epoch);
        let expected = self.books.centre.judge(upload);
        let was_forked = self.books.centre.forked.contains(&enrolment);
        if response.status().is_success() {
            let receipt: Receipt = cbor::decode(response.body())?;
            match expected {
                Expected::Fork => {
                    self.violated(format!("I12: another history of {enrolment:?} was taken in"))
                }
                Expected::Gap => {
                    self.violated(format!("I5: a batch after a gap of {enrolment:?} was taken in"))
                }
                Expected::Taken { straddles: true } => self.counters.path("straddle of the cursor"),
                Expected::Duplicate => self.counters.kind(1, 1),
                Expected::Taken { straddles: false } => {}
            }
            if self.violations.is_empty()
                && let Some(wrong) = self.books.centre.receipt(upload, &receipt)
            {
                self.violated(wrong);
            }
            return Ok(());
        }
        let problem = serde_json::from_slice::<Problem>(response.body()).context("a problem document")?;
        match ProblemKind::of(&problem) {
            Some(ProblemKind::Fork) => {
                if expected != Expected::Fork && !was_forked {
                    self.violated(format!("I12: a fork of {enrolment:?} was found where there is none"));
                }
                self.books.centre.forked.insert(enrolment);
                self.counters.path("fork found");
            }
            Some(ProblemKind::Gap) => {
                if expected != Expected::Gap {
                    self.violated(format!("I5: a gap of {enrolment:?} was found where there is none"));
                }
                self.counters.path("gap answered");
            }
            // The end of an enrolment is told in these words.
            Some(ProblemKind::Revoked | ProblemKind::Epoch | ProblemKind::Unauthenticated) => {}
            Some(ProblemKind::Lost) => self.counters.path("facts lost for good"),
            _ => {
                self.violated(format!("an upload of {enrolment:?} got {} {}", problem.status, problem.detail))
            }
        }
        Ok(())
    }

    fn lane_waits(&mut self, number: u64) -> Option<&mut Lane> {
        let exchange = self.exchanges.get(&number)?;
        let (device, life, lane) = (exchange.device, exchange.life, exchange.lane);
        self.lane(device, life, lane).filter(|lane| lane.waits_for == Some(number))
    }

    /// An answer reaches its terminal.
    ///
    /// # Errors
    /// If something outside of the simulated parts fails.
    pub fn back(&mut self, number: u64, copy: u32) -> anyhow::Result<()> {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return Ok(()) };
        let Some((life, response)) = exchange.answers.remove(&copy) else { return Ok(()) };
        if self.devices[exchange.device].cut_off {
            return Ok(());
        }
        self.is_of_a_life_before = life != self.centre.lives();
        let answered = self.answer(number, Ok(response)).map(|_| ());
        self.is_of_a_life_before = false;
        answered
    }

    /// Ends the wait of a lane, if it still waits for this; answers whether it did.
    ///
    /// # Errors
    /// If something outside of the simulated parts fails.
    pub fn answer(
        &mut self,
        number: u64,
        answer: Result<Response<Vec<u8>>, CentreError>,
    ) -> anyhow::Result<bool> {
        let Some(lane) = self.lane_waits(number) else { return Ok(false) };
        lane.waits_for = None;
        lane.pipe().answer(answer);
        let Some(exchange) = self.exchanges.get(&number) else { return Ok(false) };
        let (device, lane) = (exchange.device, exchange.lane);
        self.go_on(device, lane)?;
        Ok(true)
    }

    /// What follows a step of a lane.
    fn ended(&mut self, device: usize, lane: LaneKind, ended: Ended) -> anyhow::Result<()> {
        self.carry_out(device)?;
        let life = self.devices[device].life;
        if let Ended::Updates(Ok(_)) | Ended::Directory(Ok(())) = &ended
            && let Some(own) = self.lane(device, life, lane)
        {
            own.backoff.succeeded();
        }
        let mut wait = match ended {
            Ended::Upload(Ok(Progress::Idle)) => None,
            Ended::Upload(Ok(Progress::Stopped)) => None,
            Ended::Upload(Ok(Progress::Sent { next_poll_ms })) => {
                if let LaneKind::Aside(_) = lane {
                    self.counters.path("earlier enrolment delivered");
                } else {
                    self.sent(device)?;
                }
                Some(i64::from(next_poll_ms) * MS)
            }
            Ended::Upload(Ok(Progress::Again)) => Some(0),
            Ended::Upload(Ok(Progress::Wait { wish, queue_age_s })) => {
                Some(self.failed(device, lane, wish, queue_age_s))
            }
            Ended::Upload(Err(error)) => {
                self.violated(format!("terminal {device} cannot send: {error}"));
                None
            }
            Ended::Updates(Ok(polled)) => Some(if polled.more { 0 } else { self.idle() }),
            Ended::Directory(Ok(())) => Some(self.idle()),
            Ended::Updates(Err(error)) | Ended::Directory(Err(error)) => {
                if let (DownloadError::BlocksBackwards { .. }, false) = (&error, self.is_rolled_back) {
                    self.violated(format!("I13: terminal {device} was told too high a number: {error}"));
                }
                Some(self.failed(device, lane, Wish::Nothing, 0))
            }
        };
        if lane == LaneKind::Upload && wait.is_none() && self.is_calm {
            wait = Some(HOUR);
        }
        if let Some(wait) = wait {
            self.after(wait, What::Start { device, life, lane });
        }
        Ok(())
    }

    /// Until a terminal that was told nothing asks again. Whatever happens in between wakes its lanes; at the end of a run,
    /// when nothing happens any more, it asks more often instead.
    fn idle(&mut self) -> i64 {
        let (from, to) = if self.is_calm { (60, 150) } else { (120, 300) };
        self.random.between(from, to) * MINUTE
    }

    fn failed(&mut self, device: usize, lane: LaneKind, wish: Wish, age_s: u64) -> i64 {
        let (random, life) = (self.random.number(), self.devices[device].life);
        let Some(own) = self.lane(device, life, lane) else { return 0 };
        i64::try_from(wish.wait_ms(&mut own.backoff, random, age_s)).unwrap_or(HOUR) * MS
    }

    /// A receipt was stored: what it acknowledges must be at the centre (I6), under the same hash (I7); unless the centre
    /// forgot it while the receipt was on its way.
    fn sent(&mut self, device: usize) -> anyhow::Result<()> {
        let own = &mut self.devices[device];
        let enrolment = (own.id, own.epoch);
        let Some(running) = own.running.as_mut() else { return Ok(()) };
        running.lanes[0].backoff.succeeded();
        let state = running.core.store().with(|journal| journal.state())?;
        let acked = self.books.acked.entry(enrolment).or_default();
        *acked = state.acked_seq.max(*acked);
        let taken = self.books.centre.taken.get(&enrolment).map_or(0, Vec::len) as u64;
        let reached = state.mark.as_ref().map_or(0, |mark| mark.acked_seq);
        if reached > taken && !self.is_of_a_life_before {
            self.violated(format!(
                "I6: seq {reached} of {enrolment:?} is acknowledged, the centre holds {taken}"
            ));
        }
        Ok(())
    }
}
