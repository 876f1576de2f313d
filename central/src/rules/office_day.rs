//! The close of an office's business day 日结: its figures, what of it differs, and how far it is signed.
//!
//! A difference has a name made of what it is and how large it is, so a reason given for it stands for no other. A signature
//! stands for figures and differences as they were seen; the second, by another person and for the same, closes the day.
//! The moment at which it was taken is a position of the journal: a fact that came later belongs to the day it came on.
//! Out of scope: who may do what, and what the facts of a terminal come to ([`super::reconcile`]).

use std::collections::BTreeMap;

use hufu_shared::act::{DayFigures, DayMatter};
use hufu_shared::cbor;
use hufu_shared::fact::{Counted, DayTotals};
use hufu_shared::ids::{DeviceId, Hash, OfficeId};
use hufu_shared::money::{Amount, AmountOverflow};
use hufu_shared::time::{Day, Instant};
use minicbor::{Decode, Encode};
use serde::Serialize;

use super::cash::MethodSum;
use super::reconcile::{DayState, TerminalDay};

/// What was done to an office's day.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Stepped {
    /// A difference got its reason.
    #[n(0)]
    Explained {
        /// Name of the difference.
        #[n(0)]
        difference: Hash,
        /// What it is about.
        #[n(1)]
        matter: DayMatter,
        /// The terminal, if it is one's.
        #[n(2)]
        device: Option<DeviceId>,
        /// Commitment to the reason.
        #[n(3)]
        reason: Hash,
    },
    /// Somebody signed.
    #[n(1)]
    Signed {
        /// Hash of what was seen.
        #[n(0)]
        seen: Hash,
        /// The figures.
        #[n(1)]
        figures: DayFigures,
    },
    /// It was opened again.
    #[n(2)]
    Reopened {
        /// Commitment to the reason.
        #[n(0)]
        reason: Hash,
    },
}

impl Stepped {
    /// The code in database, API and keys of words.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Explained { .. } => "explained",
            Self::Signed { .. } => "signed",
            Self::Reopened { .. } => "reopened",
        }
    }

    /// Commitment to the reason that was typed, if one was.
    #[must_use]
    pub fn reason(&self) -> Option<Hash> {
        match self {
            Self::Explained { reason, .. } | Self::Reopened { reason } => Some(*reason),
            Self::Signed { .. } => None,
        }
    }
}

/// One step in the history of an office's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayStep {
    /// What was done.
    pub what: Stepped,
    /// By whom, as the journal names people.
    pub by: String,
    /// When it was taken: a position of the journal.
    pub at: Instant,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Hash of what was seen.
    pub seen: Hash,
    /// The figures that it stands for.
    pub figures: DayFigures,
}

/// How far an office's day is signed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The signature that holds while one is missing, or the first of a closed day.
    pub first: Option<Signature>,
    /// The signature that closed it.
    pub second: Option<Signature>,
    /// Whether it was closed before and opened again.
    pub was_reopened: bool,
    /// Reasons by the names of their differences: commitment, by whom, when; the newest of each.
    pub reasons: BTreeMap<Hash, (Hash, String, Instant)>,
}

/// The state of an office's day, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeDayState {
    /// The day goes on.
    Running,
    /// It is over and nobody signed it.
    Open,
    /// One of two people signed.
    SignedOnce,
    /// Both signed.
    Signed,
    /// It was signed and is open again.
    Reopened,
}

impl OfficeDayState {
    /// All, in the order of a filter.
    pub const ALL: [Self; 5] = [Self::Running, Self::Open, Self::SignedOnce, Self::Signed, Self::Reopened];

    /// The code in the API, in addresses and in keys of words.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Open => "open",
            Self::SignedOnce => "signed_once",
            Self::Signed => "signed",
            Self::Reopened => "reopened",
        }
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

impl Standing {
    /// What the steps come to, in their order.
    #[must_use]
    pub fn of(steps: &[DayStep]) -> Self {
        let mut standing = Self::default();
        for step in steps {
            match &step.what {
                Stepped::Explained { difference, reason, .. } => {
                    standing.reasons.insert(*difference, (*reason, step.by.clone(), step.at));
                }
                Stepped::Signed { seen, figures } => {
                    let signature =
                        Signature { by: step.by.clone(), at: step.at, seen: *seen, figures: *figures };
                    let completes = |first: &Signature| first.seen == *seen && first.by != step.by;
                    // Who saw other figures begins anew: nobody else signed those.
                    if standing.first.as_ref().is_some_and(completes) {
                        standing.second = Some(signature);
                    } else {
                        standing.first = Some(signature);
                    }
                }
                Stepped::Reopened { .. } => {
                    standing.was_reopened |= standing.second.is_some();
                    (standing.first, standing.second) = (None, None);
                }
            }
        }
        standing
    }

    /// The position of the journal at which the day is closed; none while it is open.
    #[must_use]
    pub fn closed_at(&self) -> Option<Instant> {
        self.second.as_ref().map(|second| second.at)
    }

    /// The state, for a day that is over or goes on.
    #[must_use]
    pub fn state(&self, is_over: bool) -> OfficeDayState {
        match (&self.first, &self.second) {
            (_, Some(_)) => OfficeDayState::Signed,
            (Some(_), None) => OfficeDayState::SignedOnce,
            _ if self.was_reopened => OfficeDayState::Reopened,
            _ if is_over => OfficeDayState::Open,
            _ => OfficeDayState::Running,
        }
    }

    /// Whether a signature by somebody for what was seen changes anything: nobody signs twice, or what is closed.
    #[must_use]
    pub fn takes_signature(&self, by: &str, seen: Hash) -> bool {
        let is_own = self.first.as_ref().is_some_and(|first| first.by == by && first.seen == seen);
        self.second.is_none() && !is_own
    }
}

/// A terminal's part in an office's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalPart {
    /// Which.
    pub device: DeviceId,
    /// Whether something was to come from it: it recorded there, or it stood there in use before the day ended.
    pub is_expected: bool,
    /// Whether it may still hold facts of the day.
    pub may_lack: bool,
    /// Its day against the ledger.
    pub day: TerminalDay,
    /// What a person counted when it was closed.
    pub counted: Option<Counted>,
}

impl TerminalPart {
    /// Whether its day is here whole: closed, or nothing was recorded.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        !self.may_lack && (self.day.closed.is_some() || self.day.lines.is_empty())
    }

    /// Points that differ without anything that explains them.
    #[must_use]
    pub fn unexplained(&self) -> Amount {
        let lines = self.day.lines.iter().filter(|line| !line.explained);
        let differ =
            lines.map(|line| i64::try_from(line.promised.0.abs_diff(line.posted.0)).unwrap_or(i64::MAX));
        Amount(differ.fold(0, i64::saturating_add))
    }

    /// Fen in the drawer above what was expected there, below zero for less; none where nothing was counted.
    #[must_use]
    pub fn drawer(&self) -> Option<Amount> {
        let counted = self.counted.as_ref()?;
        counted.cash.minus(counted.cash_expected?).ok()
    }
}

/// The figures of a day.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn figures(
    parts: &[TerminalPart],
    methods: &[MethodSum],
    open_cases: usize,
) -> Result<DayFigures, AmountOverflow> {
    let mut figures = DayFigures { open_cases: open_cases as u64, ..DayFigures::default() };
    for part in parts.iter().filter(|part| part.is_expected) {
        figures.expected += 1;
        figures.reported += u64::from(part.is_reported());
        figures.missing += u64::from(part.may_lack);
        figures.facts += part.day.lines.len() as u64;
        figures.promised = figures.promised.plus(part.day.promised)?;
        figures.posted = figures.posted.plus(part.day.posted)?;
        figures.unexplained = figures.unexplained.plus(part.unexplained())?;
    }
    for sum in methods {
        figures.cash_net = figures.cash_net.plus(sum.net)?;
    }
    Ok(figures)
}

/// Whether a day can be signed: it ended, or every terminal of which something was to come has closed it.
#[must_use]
pub fn is_over(has_ended: bool, parts: &[TerminalPart]) -> bool {
    let mut expected = parts.iter().filter(|part| part.is_expected).peekable();
    let closes = |part: &TerminalPart| part.day.closed.is_some() && !part.may_lack;
    has_ended || (expected.peek().is_some() && expected.all(closes))
}

/// A difference of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name.
    pub id: Hash,
    /// What it is about.
    pub matter: DayMatter,
    /// The terminal, if it is one's.
    pub device: Option<DeviceId>,
    /// How large: facts, points, fen or cases, by what it is about; 0 where that cannot be told.
    pub size: i64,
    /// Dictionary code of the reason that the terminal itself gave; it needs no other.
    pub own_reason: Option<String>,
}

impl Difference {
    fn new(
        at: (OfficeId, Day),
        matter: DayMatter,
        device: Option<DeviceId>,
        (size, of): (i64, &[u8]),
    ) -> Self {
        let (office, day) = at;
        let device_bytes = device.map_or([0; 16], |device| device.0);
        let id = Hash::of(&[
            b"hufu-day-difference",
            &office.0,
            &day.0.to_be_bytes(),
            matter.code().as_bytes(),
            &device_bytes,
            &size.to_be_bytes(),
            of,
        ]);
        Self { id, matter, device, size, own_reason: None }
    }
}

/// What a terminal's totals and its unexplained lines are: their difference is another one when these change.
fn evidence(day: &TerminalDay) -> Vec<u8> {
    let mut evidence = Vec::new();
    for line in day.lines.iter().filter(|line| !line.explained) {
        evidence.extend(line.fact.to_string().bytes());
        evidence.extend(line.promised.0.to_be_bytes());
        evidence.extend(line.posted.0.to_be_bytes());
    }
    let totals = [day.closed.as_ref(), Some(&day.reckoned)];
    evidence.extend(totals.into_iter().flatten().flat_map(|totals: &DayTotals| cbor::encode(totals)));
    evidence
}

fn of_terminal(at: (OfficeId, Day), part: &TerminalPart) -> Vec<Difference> {
    let make = |matter, size: i64, of: &[u8]| Difference::new(at, matter, Some(part.device), (size, of));
    let facts = i64::try_from(part.day.lines.len()).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    if part.may_lack {
        found.push(make(DayMatter::Missing, 0, b""));
    } else if !part.is_reported() {
        found.push(make(DayMatter::NotClosed, facts, b""));
    }
    if part.day.state == DayState::Differs {
        found.push(make(DayMatter::Differs, part.unexplained().0, &evidence(&part.day)));
    }
    if let Some(drawer) = part.drawer().filter(|drawer| drawer.0 != 0) {
        let own_reason = part.counted.as_ref().and_then(|counted| counted.reason.clone());
        found.push(Difference { own_reason, ..make(DayMatter::Drawer, drawer.0, b"") });
    }
    found
}

/// What of a day differs: terminal by terminal, then the cases that wait.
#[must_use]
pub fn differences(at: (OfficeId, Day), parts: &[TerminalPart], open_cases: &[Hash]) -> Vec<Difference> {
    let expected = parts.iter().filter(|part| part.is_expected);
    let mut found: Vec<Difference> = expected.flat_map(|part| of_terminal(at, part)).collect();
    if !open_cases.is_empty() {
        let size = i64::try_from(open_cases.len()).unwrap_or(i64::MAX);
        let of: Vec<u8> = open_cases.iter().flat_map(|case| case.0).collect();
        found.push(Difference::new(at, DayMatter::Cases, None, (size, &of)));
    }
    found
}

/// What a signature stands for.
#[must_use]
pub fn seen(figures: &DayFigures, differences: &[Difference]) -> Hash {
    let names: Vec<u8> = differences.iter().flat_map(|difference| difference.id.0).collect();
    Hash::of(&[b"hufu-day-seen", &cbor::encode(figures), &names])
}

/// Differences that still need a reason.
pub fn without_reason<'a>(
    standing: &'a Standing,
    differences: &'a [Difference],
) -> impl Iterator<Item = &'a Difference> {
    differences.iter().filter(move |difference| {
        difference.own_reason.is_none() && !standing.reasons.contains_key(&difference.id)
    })
}

/// Why something is not done to an office's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDone {
    /// There is no such office or day.
    Unknown,
    /// The day goes on, and not every terminal has closed it.
    Running,
    /// A difference has no reason yet.
    NoReason,
    /// The figures are not those that were seen.
    Changed,
    /// The same person signed before: two people sign.
    SamePerson,
    /// It is signed by both.
    Signed,
    /// There is nothing to open: nobody signed.
    NotSigned,
    /// There is no such difference any more.
    NoDifference,
}

/// Whether somebody may sign what they saw.
///
/// # Errors
/// What stands against it.
pub fn may_sign(
    standing: &Standing,
    (by, asked): (&str, Hash),
    (is_over, differences, seen_now): (bool, &[Difference], Hash),
) -> Result<(), NotDone> {
    if standing.second.is_some() {
        return Err(NotDone::Signed);
    }
    if !is_over {
        return Err(NotDone::Running);
    }
    if asked != seen_now {
        return Err(NotDone::Changed);
    }
    if without_reason(standing, differences).next().is_some() {
        return Err(NotDone::NoReason);
    }
    if standing.takes_signature(by, asked) { Ok(()) } else { Err(NotDone::SamePerson) }
}

#[cfg(test)]
#[path = "office_day_tests.rs"]
mod tests;
