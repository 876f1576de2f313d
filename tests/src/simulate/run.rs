//! One seed: a queue of events in virtual time, and what each of them does.
//!
//! Everything is in one order: at one moment by the number of the event. A step of a lane runs until it asks the
//! centre; the request then travels as an event of its own, and so does the answer, if the net lets them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::PathBuf;

use anyhow::Context as _;
use axum::http::{Request, Response};
use hufu_edge::sync::client::CentreError;
use hufu_edge::sync::upload::Progress;
use hufu_shared::cbor;
use hufu_shared::fact::Purpose;
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::upload::{Receipt, Upload};
use tempfile::TempDir;

use super::Size;
use super::books::{Books, CentreBooks, Expected};
use super::centre::Centre;
use super::club::{self, Club, OFFICES};
use super::counters::Counters;
use super::device::{Device, Ended, LANES, LaneKind};
use super::faults::Fault;
use super::random::Random;
use super::time::{DAY, FIRST_DAY, HOUR, MINUTE, MS, S, TrueTime};

/// How long a terminal waits for an answer.
const EXCHANGE_TIMEOUT: i64 = 28 * S;
/// Hours of virtual time that queues get to drain after the last fault.
const DRAIN_HOURS: i64 = 30;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Somebody stands before a terminal.
    Swipe {
        /// Where.
        device: usize,
    },
    /// The same member again.
    Again {
        /// Where.
        device: usize,
    },
    /// A lane begins a step.
    Start {
        /// Whose.
        device: usize,
        /// Void in another life.
        life: u32,
        /// Which.
        lane: LaneKind,
    },
    /// A request reaches the centre.
    Arrive {
        /// Which.
        exchange: u64,
    },
    /// An answer reaches the terminal.
    Back {
        /// To which.
        exchange: u64,
        /// Which of its answers.
        copy: u32,
    },
    /// A terminal waits no longer.
    TimeOut {
        /// For which.
        exchange: u64,
    },
    /// The centre publishes.
    Publish,
    /// A terminal is switched on.
    Boot {
        /// Which.
        device: usize,
    },
    /// What staff do at the end of a day.
    CloseDay {
        /// Where.
        device: usize,
    },
    /// Something breaks.
    Fault,
    /// A fault that lasted is over.
    Mend(Fault),
    /// An admin sits down.
    Admin,
}

/// A request under way.
pub struct Exchange {
    device: usize,
    life: u32,
    lane: LaneKind,
    request: Request<Vec<u8>>,
    certificate: std::sync::Arc<[u8]>,
    answers: BTreeMap<u32, Response<Vec<u8>>>,
    arrivals: u32,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// True time since the first day, in microseconds.
    pub at: i64,
    /// Number of the step.
    pub step: u64,
    /// What.
    pub what: String,
}

/// A run in progress.
pub struct Run<'a> {
    /// The club.
    pub club: &'a Club,
    /// How large.
    pub size: Size,
    /// Chance.
    pub random: Random,
    /// The true time.
    pub time: TrueTime,
    /// The centre.
    pub centre: Centre,
    /// The terminals; clones come after the founded ones.
    pub devices: Vec<Device>,
    /// The harness's own record.
    pub books: Books,
    /// What was met.
    pub counters: Counters,
    /// What must not have been.
    pub violations: Vec<Violation>,
    /// No faults from now on.
    pub is_calm: bool,
    /// The centre answers nobody.
    pub is_centre_down: bool,
    /// The next key of the pool for a new enrolment.
    pub next_key: usize,
    /// Copies of the centre's database, with the books of that moment.
    pub copies: Vec<(PathBuf, CentreBooks)>,
    /// The folder of this run.
    pub folder: TempDir,
    /// Steps so far.
    pub steps: u64,
    /// Swipes so far.
    pub swipes: u64,
    /// Cards that are about to be presented once more, by terminal.
    pub last_taps: BTreeMap<usize, (usize, Purpose)>,
    /// The centre was rolled back in this run.
    pub is_rolled_back: bool,
    exchanges: BTreeMap<u64, Exchange>,
    queue: BinaryHeap<Reverse<(i64, u64, What)>>,
    numbered: u64,
    is_publishing: bool,
}

impl<'a> Run<'a> {
    /// A run of a seed, about to begin.
    ///
    /// # Errors
    /// If its files cannot be made.
    pub fn new(club: &'a Club, seed: u64) -> anyhow::Result<Self> {
        let base = club.folder.path().parent().context("a folder above")?;
        let folder = tempfile::Builder::new().prefix("hufu-seed-").tempdir_in(base)?;
        let (time, size) = (TrueTime::default(), club.size);
        time.set(FIRST_DAY);
        let centre = Centre::open(club, folder.path(), &time, seed)?;
        let device = |n: usize| {
            Device::new(folder.path(), n, club::device(n), club::office(n % OFFICES), club.pairs[n].clone())
        };
        let devices = (0..size.devices).map(device).collect();
        let mut run = Self {
            club,
            size,
            random: Random::new(seed),
            time,
            centre,
            devices,
            books: Books::default(),
            counters: Counters::default(),
            violations: Vec::new(),
            is_calm: false,
            is_centre_down: false,
            next_key: size.devices,
            copies: Vec::new(),
            folder,
            steps: 0,
            swipes: 0,
            last_taps: BTreeMap::new(),
            is_rolled_back: false,
            exchanges: BTreeMap::new(),
            queue: BinaryHeap::new(),
            numbered: 0,
            is_publishing: false,
        };
        run.plan();
        Ok(run)
    }

    /// Plays it to the end.
    ///
    /// # Errors
    /// If something outside of the simulated parts fails.
    pub fn play(&mut self) -> anyhow::Result<()> {
        let end = FIRST_DAY + i64::try_from(self.size.days)? * DAY;
        self.until(end)?;
        self.calm()?;
        // Two rounds: what the first one finds out (a fork, say), a person settles before the second.
        for _ in 0..3 {
            self.settle_stopped()?;
            let until = self.time.now() + DRAIN_HOURS / 3 * HOUR;
            self.until(until)?;
        }
        Ok(())
    }

    fn until(&mut self, end: i64) -> anyhow::Result<()> {
        while let Some(Reverse((at, _, what))) = self.queue.peek().copied() {
            if at > end || !self.violations.is_empty() {
                break;
            }
            self.queue.pop();
            self.time.set(at);
            self.steps += 1;
            self.step(what)
                .with_context(|| format!("step {} at {}: {what:?}", self.steps, at - FIRST_DAY))?;
        }
        self.time.set(end);
        Ok(())
    }

    fn step(&mut self, what: What) -> anyhow::Result<()> {
        match what {
            What::Swipe { device } => self.swipe(device),
            What::Again { device } => self.again(device),
            What::Start { device, life, lane } => self.start(device, life, lane),
            What::Arrive { exchange } => self.arrive(exchange),
            What::Back { exchange, copy } => self.back(exchange, copy),
            What::TimeOut { exchange } => {
                let after_ms = u64::try_from(EXCHANGE_TIMEOUT / MS)?;
                let given_up = self.answer(exchange, Err(CentreError::TimedOut { after_ms }));
                if given_up? {
                    self.counters.path("lost answer");
                }
                Ok(())
            }
            What::Publish => {
                self.is_publishing = false;
                self.centre.publish()
            }
            What::Boot { device } => self.boot(device),
            What::CloseDay { device } => self.close_day(device),
            What::Fault => self.fault(),
            What::Mend(fault) => self.mend(fault),
            What::Admin => self.admin(),
        }
    }

    /// Plans something for `after` microseconds from now.
    pub fn after(&mut self, after: i64, what: What) {
        self.numbered += 1;
        self.queue.push(Reverse((self.time.now() + after, self.numbered, what)));
    }

    /// Records that something must not be.
    pub fn violated(&mut self, what: String) {
        self.violations.push(Violation { at: self.time.now() - FIRST_DAY, step: self.steps, what });
    }

    /// Plans a publication, unless one is planned.
    pub fn ring(&mut self) {
        if !self.is_publishing {
            self.is_publishing = true;
            let after = self.random.between(0, 300) * MS;
            self.after(after, What::Publish);
        }
    }

    /// Lets the lanes of a terminal that just started begin.
    pub fn start_lanes(&mut self, device: usize) {
        let life = self.devices[device].life;
        for lane in LANES {
            let after = self.random.between(0, 3_000) * MS;
            self.after(after, What::Start { device, life, lane });
        }
    }

    fn start(&mut self, device: usize, life: u32, lane: LaneKind) -> anyhow::Result<()> {
        let Some(own) = self.lane(device, life, lane) else { return Ok(()) };
        if own.is_busy() {
            return Ok(());
        }
        own.begin();
        self.go_on(device, lane)
    }

    fn lane(&mut self, device: usize, life: u32, lane: LaneKind) -> Option<&mut super::device::Lane> {
        let device = &mut self.devices[device];
        if device.life != life {
            return None;
        }
        let running = device.running.as_mut()?;
        running.lanes.get_mut(LANES.iter().position(|known| *known == lane)?)
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
            let certificate = std::sync::Arc::clone(&self.devices[device].certificate);
            let answers = BTreeMap::new();
            let sent = Exchange { device, life, lane, request, certificate, answers, arrivals: 0 };
            self.exchanges.insert(exchange, sent);
            self.send(device, exchange);
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

    fn arrive(&mut self, number: u64) -> anyhow::Result<()> {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return Ok(()) };
        exchange.arrivals += 1;
        let (copy, device) = (exchange.arrivals, exchange.device);
        let (request, certificate) = (exchange.request.clone(), std::sync::Arc::clone(&exchange.certificate));
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
        let is_upload = request.uri().path() == hufu_edge::sync::upload::EVENTS_PATH;
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
            exchange.answers.insert(copy, response);
            let delay = self.random.between(5, 400) * MS;
            self.after(delay, What::Back { exchange: number, copy });
        }
        Ok(())
    }

    /// Holds the centre's answer to an upload against the books.
    fn judge(&mut self, upload: &Upload, response: &Response<Vec<u8>>) -> anyhow::Result<()> {
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
            Some(ProblemKind::Lost) => self.counters.path("gap answered"),
            _ => {
                self.violated(format!("an upload of {enrolment:?} got {} {}", problem.status, problem.detail))
            }
        }
        Ok(())
    }

    fn lane_waits(&mut self, number: u64) -> Option<&mut super::device::Lane> {
        let exchange = self.exchanges.get(&number)?;
        let (device, life, lane) = (exchange.device, exchange.life, exchange.lane);
        self.lane(device, life, lane).filter(|lane| lane.waits_for == Some(number))
    }

    fn back(&mut self, number: u64, copy: u32) -> anyhow::Result<()> {
        let Some(exchange) = self.exchanges.get_mut(&number) else { return Ok(()) };
        let Some(response) = exchange.answers.remove(&copy) else { return Ok(()) };
        if self.devices[exchange.device].cut_off {
            return Ok(());
        }
        self.answer(number, Ok(response)).map(|_| ())
    }

    /// Ends the wait of a lane, if it still waits for this.
    fn answer(
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
        let mut wait = match ended {
            Ended::Upload(Ok(Progress::Idle)) => None,
            Ended::Upload(Ok(Progress::Stopped)) => None,
            Ended::Upload(Ok(Progress::Sent { next_poll_ms })) => {
                self.sent(device)?;
                Some(i64::from(next_poll_ms) * MS)
            }
            Ended::Upload(Ok(Progress::Again)) => Some(0),
            Ended::Upload(Ok(Progress::Wait { retry_after_ms, queue_age_s })) => {
                Some(self.failed(device, lane, retry_after_ms, queue_age_s))
            }
            Ended::Upload(Err(error)) => {
                self.violated(format!("terminal {device} cannot send: {error}"));
                None
            }
            Ended::Updates(Ok(polled)) => {
                Some(if polled.more { 0 } else { self.random.between(60, 180) * MINUTE })
            }
            Ended::Directory(Ok(())) => Some(self.random.between(60, 180) * MINUTE),
            Ended::Updates(Err(_)) | Ended::Directory(Err(_)) => Some(self.failed(device, lane, None, 0)),
        };
        if lane == LaneKind::Upload && wait.is_none() && self.is_calm {
            wait = Some(HOUR);
        }
        let life = self.devices[device].life;
        if let Some(wait) = wait {
            self.after(wait, What::Start { device, life, lane });
        }
        Ok(())
    }

    fn failed(&mut self, device: usize, lane: LaneKind, retry_after_ms: Option<u64>, age_s: u64) -> i64 {
        let (random, life) = (self.random.next(), self.devices[device].life);
        let Some(own) = self.lane(device, life, lane) else { return 0 };
        i64::try_from(own.backoff.failed(random, retry_after_ms, age_s)).unwrap_or(HOUR) * MS
    }

    /// A receipt was stored: what it acknowledges must be at the centre (I6), under the same hash (I7).
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
        if reached > taken {
            self.violated(format!(
                "I6: seq {reached} of {enrolment:?} is acknowledged, the centre holds {taken}"
            ));
        }
        Ok(())
    }
}
