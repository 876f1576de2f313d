//! One seed: a queue of events in virtual time, and what each of them does.
//!
//! Everything is in one order: at one moment by the number of the event. A step of a lane runs until it asks the
//! centre; the request then travels as an event of its own, and so does the answer, if the net lets them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::PathBuf;

use anyhow::Context as _;
use hufu_edge::sync::client::CentreError;
use hufu_shared::fact::Purpose;
use tempfile::TempDir;

use super::Size;
use super::books::{Books, CentreBooks};
use super::centre::Centre;
use super::club::{self, Club, OFFICES};
use super::counters::Counters;
use super::device::{Device, LaneKind};
use super::faults::Fault;
use super::net::{EXCHANGE_TIMEOUT, Exchange};
use super::random::Random;
use super::rare::StickInHand;
use super::stranger::Stranger;
use super::time::{DAY, FIRST_DAY, HOUR, MS, TrueTime};
use super::value::Desks;

/// Hours of virtual time that queues get to drain after the last fault: in each third every terminal asks several times.
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
    /// The scripted terminal does something.
    Stranger,
    /// Value is set aside, or a lease ends.
    Grant,
    /// Somebody spends.
    Spend,
    /// Somebody wants something of value at a counter.
    Value {
        /// Where.
        device: usize,
    },
    /// A card waits no longer for others to close.
    AskAgain {
        /// Which wait.
        number: u64,
    },
    /// A lost card is held out by whoever found it.
    Thief {
        /// Which.
        card: usize,
    },
    /// An admin looks after people and goods.
    Clerk,
    /// Something rare that is no fault of a machine.
    Rare,
    /// A day is settled.
    Settle,
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
    /// When windows of repeats were opened: by terminal, its life, card and purpose.
    pub windows: BTreeMap<(usize, u32, usize, String), i64>,
    /// The centre was rolled back in this run.
    pub is_rolled_back: bool,
    /// The answer that a terminal takes in was given by a state of the centre that is lost.
    pub is_of_a_life_before: bool,
    /// The scripted terminal.
    pub stranger: Stranger,
    /// What lies on the counters.
    pub desks: Desks,
    /// Sticks with queues of terminals that are on their way.
    pub sticks: Vec<StickInHand>,
    /// Requests under way, and those whose copies may still arrive.
    pub exchanges: BTreeMap<u64, Exchange>,
    /// The number of the newest event or exchange.
    pub numbered: u64,
    queue: BinaryHeap<Reverse<(i64, u64, What)>>,
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
            next_key: size.devices + 1,
            copies: Vec::new(),
            folder,
            steps: 0,
            swipes: 0,
            last_taps: BTreeMap::new(),
            windows: BTreeMap::new(),
            is_rolled_back: false,
            is_of_a_life_before: false,
            stranger: Stranger::new(club),
            desks: Desks::default(),
            sticks: Vec::new(),
            exchanges: BTreeMap::new(),
            queue: BinaryHeap::new(),
            numbered: 0,
            is_publishing: false,
        };
        run.found_policy()?;
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
            What::Stranger => self.stranger(),
            What::Grant => self.grant(),
            What::Spend => self.spend(),
            What::Value { device } => self.value(device),
            What::AskAgain { number } => self.asked_again(number),
            What::Thief { card } => self.thief(card),
            What::Clerk => self.clerk(),
            What::Rare => self.rare(),
            What::Settle => self.settle_day(),
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
}
