//! Leases at the terminal: what it holds of them, and every decision about them.
//!
//! A lease is two counters that only grow. The centre alone writes `granted_total`, the terminal alone `spent_total`;
//! what is left is the difference. A terminal holds one [`Holding`] per lease **and generation**, whole and signed, so
//! that it can show a centre that was rolled back what it once granted.
//!
//! Invariants: `0 <= spent_total <= granted_total` of a holding; a closed generation never opens again; of one member
//! and unit at most one holding is open; no state is stored whose version is not higher, or which comes from a central
//! epoch other than the one known.
//! The order that callers keep: verify the signature, [`learn_epoch`] and store it, then [`take_state`]. A spend or a
//! close changes the holding in the transaction that appends its fact. After a newer epoch was learned, [`report`]
//! goes out before any fact.
//! Out of scope: signatures, the block list (its verdict is an argument), storage, words for people.

use hufu_shared::fact::{LeaseClosed, LeaseUse};
use hufu_shared::ids::{DeviceId, LeaseId, MemberId};
use hufu_shared::money::{Amount, Leg};
use hufu_shared::mutant::{Mutant, on};
use hufu_shared::wire::lease::{LeaseState, LeaseTerms};
use hufu_shared::wire::version::CentralEpoch;

#[cfg(test)]
mod tests;

const NS_PER_S: u64 = 1_000_000_000;

/// One generation of a lease, as the terminal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The newest state of this generation, as the centre signed it.
    pub state: LeaseState,
    /// The terminal's own enrolment under which it was received; a later enrolment cannot spend it.
    pub enrolment: u32,
    /// All that this terminal ever spent of this generation.
    pub spent_total: Amount,
    /// Whether this terminal appended its `LeaseClosed`.
    pub closed: bool,
    /// Seq of the newest fact (spend or close) that names this generation.
    pub last_fact: Option<u64>,
    /// How old the state is on the terminal's own clock.
    pub age: Age,
}

impl Holding {
    /// What may still be spent, before any look at age or blocks; zero once closed.
    #[must_use]
    pub fn left(&self) -> Amount {
        if self.closed {
            return Amount::ZERO;
        }
        let left = self.state.granted_total.minus(self.spent_total);
        left.unwrap_or(Amount::ZERO).max(Amount::ZERO)
    }

    /// Whether the time of its terms is up.
    #[must_use]
    pub fn expired(&self, now_ns: u64) -> bool {
        self.age.expired(&self.state.terms, now_ns)
    }

    fn closing(&self) -> LeaseClosed {
        LeaseClosed {
            lease: self.state.lease,
            generation: self.state.generation,
            spent_total: self.spent_total,
        }
    }

    fn same_purse(&self, state: &LeaseState) -> bool {
        self.state.member == state.member && self.state.unit == state.unit
    }
}

/// Age of a lease state on the terminal's own clock, carried over reboots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age {
    /// Nanoseconds counted up to [`Age::counted_at_ns`]: earlier boots, time powered off, cost of reboots.
    pub counted_ns: u64,
    /// Monotonic time of the current boot up to which `counted_ns` counts.
    pub counted_at_ns: u64,
    /// Reboots whose length no clock measured.
    pub reboots: u32,
}

impl Age {
    /// The age of what was received just now.
    #[must_use]
    pub fn received(now_ns: u64) -> Self {
        Self { counted_ns: 0, counted_at_ns: now_ns, reboots: 0 }
    }

    /// Nanoseconds since it was received. A monotonic time before the last count adds nothing.
    #[must_use]
    pub fn elapsed_ns(&self, now_ns: u64) -> u64 {
        self.counted_ns.saturating_add(now_ns.saturating_sub(self.counted_at_ns))
    }

    /// Whether the terms allow no more spends.
    #[must_use]
    pub fn expired(&self, terms: &LeaseTerms, now_ns: u64) -> bool {
        self.reboots > terms.reboots_max || self.elapsed_ns(now_ns) >= terms.ttl_s.saturating_mul(NS_PER_S)
    }

    /// Nanoseconds until the time of the terms is up; zero once it is.
    #[must_use]
    pub fn left_ns(&self, terms: &LeaseTerms, now_ns: u64) -> u64 {
        if self.expired(terms, now_ns) {
            return 0;
        }
        terms.ttl_s.saturating_mul(NS_PER_S).saturating_sub(self.elapsed_ns(now_ns))
    }

    /// The same age, counted up to now. Persisted together with the time floor, so that a power cut forgets at most
    /// the time since; what it forgets is covered by the cost of the reboot or measured by the battery clock.
    #[must_use]
    pub fn counted(&self, now_ns: u64) -> Self {
        let counted_at_ns = now_ns.max(self.counted_at_ns);
        Self { counted_ns: self.elapsed_ns(now_ns), counted_at_ns, ..*self }
    }

    /// The age after a start of the terminal. `off` says what is known of the time since the last count.
    #[must_use]
    pub fn on_boot(&self, terms: &LeaseTerms, off: PoweredOff, now_ns: u64) -> Self {
        let (off_ns, reboots) = match off {
            PoweredOff::Measured { off_ns } => (off_ns, self.reboots),
            PoweredOff::Unknown => {
                (terms.reboot_cost_s.saturating_mul(NS_PER_S), self.reboots.saturating_add(1))
            }
        };
        Self { counted_ns: self.counted_ns.saturating_add(off_ns), counted_at_ns: now_ns, reboots }
    }
}

/// What is known of the time between the last persisted count and a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoweredOff {
    /// A declared battery clock measured it, in nanoseconds. Only for a clock that did not step back.
    Measured {
        /// From the last persisted count to the moment passed as now.
        off_ns: u64,
    },
    /// No clock ran on.
    Unknown,
}

impl PoweredOff {
    /// From a declared battery clock, read at the last count and now, in microseconds; a clock that went back, or none,
    /// measured nothing.
    #[must_use]
    pub fn from_battery_clock(last_us: Option<i64>, now_us: Option<i64>) -> Self {
        let measured = last_us.zip(now_us).and_then(|(last, now)| u64::try_from(now.checked_sub(last)?).ok());
        measured.map_or(Self::Unknown, |us| Self::Measured { off_ns: us.saturating_mul(1_000) })
    }
}

/// What the terminal knows when a lease state arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiving {
    /// Whose states are meant for it.
    pub device: DeviceId,
    /// Its enrolment.
    pub enrolment: u32,
    /// The central epoch that it has stored.
    pub epoch: CentralEpoch,
    /// Monotonic time.
    pub now_ns: u64,
}

/// What to do with a lease state that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Store this holding (a new row, or in place of the row of the same lease and generation), then echo its version.
    Store(Holding),
    /// First append this fact of an open generation ([`close`]), then ask again.
    CloseFirst(LeaseClosed),
    /// Leave everything as it is.
    Ignore(Ignored),
}

/// Why a lease state was ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// It is for another terminal.
    OtherDevice,
    /// It comes from a life of the centre before the one known.
    OlderEpoch,
    /// It comes from a life of the centre that was not yet learned; learn the epoch first.
    UnknownEpoch,
    /// The version held is as high or higher.
    NotNewer,
    /// This terminal closed that generation.
    ClosedGeneration,
    /// A newer generation is held.
    OlderGeneration,
    /// `granted_total` would shrink, is negative, or member or unit would change: no honest centre writes that.
    Contradicts,
}

/// Judges a lease state whose signature is good. `holdings` must hold every generation held of that lease, and every
/// open holding of its member.
#[must_use]
pub fn take_state(holdings: &[Holding], state: &LeaseState, at: Receiving) -> Taken {
    if let Some(why) = refuse_state(holdings, state, at) {
        return Taken::Ignore(why);
    }
    let same = |held: &&Holding| held.state.lease == state.lease && held.state.generation == state.generation;
    let known = holdings.iter().find(same);
    // A right that lives twice at one terminal could be spent twice after a swap: the open one ends first, in the chain.
    let open = holdings.iter().find(|held| {
        let before = held.state.lease == state.lease || held.same_purse(state);
        !held.closed && before && !same(held)
    });
    if let Some(open) = open {
        return Taken::CloseFirst(open.closing());
    }
    let mut state = state.clone();
    if on(Mutant::RaiseAsDelta)
        && let Some(known) = known
    {
        state.granted_total =
            state.granted_total.plus(known.state.granted_total).unwrap_or(state.granted_total);
    }
    Taken::Store(Holding {
        state,
        enrolment: at.enrolment,
        spent_total: known.map_or(Amount::ZERO, |held| held.spent_total),
        closed: false,
        last_fact: known.and_then(|held| held.last_fact),
        age: Age::received(at.now_ns),
    })
}

fn refuse_state(holdings: &[Holding], state: &LeaseState, at: Receiving) -> Option<Ignored> {
    if state.device != at.device {
        return Some(Ignored::OtherDevice);
    }
    if state.version.epoch != at.epoch.n {
        let older = state.version.epoch < at.epoch.n;
        return Some(if older { Ignored::OlderEpoch } else { Ignored::UnknownEpoch });
    }
    if state.granted_total < Amount::ZERO {
        return Some(Ignored::Contradicts);
    }
    holdings.iter().filter(|held| held.state.lease == state.lease).find_map(|held| refuse_beside(held, state))
}

/// What a holding of the same lease says against a state.
fn refuse_beside(held: &Holding, state: &LeaseState) -> Option<Ignored> {
    if held.closed && state.generation <= held.state.generation {
        return Some(Ignored::ClosedGeneration);
    }
    if state.version <= held.state.version {
        return Some(Ignored::NotNewer);
    }
    if state.generation < held.state.generation {
        return Some(Ignored::OlderGeneration);
    }
    let shrinks = state.generation == held.state.generation && state.granted_total < held.state.granted_total;
    (shrinks || !held.same_purse(state)).then_some(Ignored::Contradicts)
}

/// What a spend is decided by, besides the holdings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendingNow {
    /// Whose card was presented.
    pub member: MemberId,
    /// The terminal's enrolment.
    pub enrolment: u32,
    /// Monotonic time.
    pub now_ns: u64,
    /// The member or the card is on the block list.
    pub blocked: bool,
    /// The centre froze this terminal's leases, or its storage is too full for spends.
    pub frozen: bool,
}

/// Why nothing may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSpend {
    /// The member or the card is blocked.
    #[error("member or card is blocked")]
    Blocked,
    /// This terminal may not spend at all.
    #[error("spending is frozen at this terminal")]
    Frozen,
    /// No legs, one whose amount is not above zero, or two of one unit.
    #[error("one amount above zero expected for each unit")]
    NoAmount,
    /// One leg cannot be paid, so none is.
    #[error("leg {at} of {unit} cannot be paid: {why}", unit = .unit.code())]
    Leg {
        /// Its place among the legs, from 0.
        at: usize,
        /// Its unit.
        unit: hufu_shared::money::Unit,
        /// What is wrong with the lease.
        why: Shortage,
    },
}

/// Why a lease does not pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    /// There is none open for this member and unit.
    #[error("no lease")]
    NoLease,
    /// Its time is up.
    #[error("lease expired")]
    Expired,
    /// It was received under an earlier enrolment.
    #[error("lease of an earlier enrolment")]
    EarlierEnrolment,
    /// Less is left than asked for.
    #[error("only {left} left")]
    TooSmall {
        /// What is left.
        left: Amount,
    },
}

/// What each leg of a spend takes from which lease, all of it or nothing. Pure: the caller appends the fact and stores
/// what [`spent`] gives, in one transaction, before it asks again.
///
/// # Errors
/// [`CannotSpend`] with the first leg that cannot be paid and what is left.
pub fn may_spend(holdings: &[Holding], legs: &[Leg], at: SpendingNow) -> Result<Vec<LeaseUse>, CannotSpend> {
    if at.blocked {
        return Err(CannotSpend::Blocked);
    }
    if at.frozen {
        return Err(CannotSpend::Frozen);
    }
    // The centre tells the legs of a fact apart by their unit.
    let twice = |at: usize| legs[..at].iter().any(|other| other.unit == legs[at].unit);
    let bad = |at: usize| !legs[at].amount.is_positive() || twice(at);
    if legs.is_empty() || (0..legs.len()).any(bad) {
        return Err(CannotSpend::NoAmount);
    }
    let of = |(place, leg): (usize, &Leg)| {
        use_of(holdings, *leg, at).map_err(|why| CannotSpend::Leg { at: place, unit: leg.unit, why })
    };
    legs.iter().enumerate().map(of).collect()
}

/// What one leg takes.
fn use_of(holdings: &[Holding], leg: Leg, at: SpendingNow) -> Result<LeaseUse, Shortage> {
    let held = holdings
        .iter()
        .find(|held| !held.closed && held.state.member == at.member && held.state.unit == leg.unit)
        .ok_or(Shortage::NoLease)?;
    if held.enrolment != at.enrolment {
        return Err(Shortage::EarlierEnrolment);
    }
    if held.expired(at.now_ns) {
        return Err(Shortage::Expired);
    }
    let state = &held.state;
    let spent_total = held.spent_total.plus(leg.amount).ok().filter(|total| *total <= state.granted_total);
    let spent_total = spent_total.ok_or(Shortage::TooSmall { left: held.left() })?;
    Ok(LeaseUse { lease: state.lease, generation: state.generation, spent_total, state: state.version })
}

/// What of a member's lease in a unit may be spent now; what the counter page shows as the offline allowance.
#[must_use]
pub fn spendable(holdings: &[Holding], unit: hufu_shared::money::Unit, at: SpendingNow) -> Amount {
    if at.blocked || at.frozen {
        return Amount::ZERO;
    }
    let live = |held: &&Holding| {
        held.state.member == at.member
            && held.state.unit == unit
            && held.enrolment == at.enrolment
            && !held.expired(at.now_ns)
    };
    holdings.iter().find(|held| !held.closed && live(held)).map_or(Amount::ZERO, Holding::left)
}

/// The holding after its use in a fact, or `None` if the use is not of this holding.
#[must_use]
pub fn spent(holding: &Holding, used: &LeaseUse, seq: u64) -> Option<Holding> {
    let own = holding.state.lease == used.lease && holding.state.generation == used.generation;
    let grows = used.spent_total >= holding.spent_total && used.spent_total <= holding.state.granted_total;
    (own && grows && !holding.closed).then(|| Holding {
        spent_total: used.spent_total,
        last_fact: Some(seq),
        ..holding.clone()
    })
}

/// The fact that closes an open holding, and the holding after it; `None` if it is closed already. `seq` is the fact's.
#[must_use]
pub fn close(holding: &Holding, seq: u64) -> Option<(LeaseClosed, Holding)> {
    (!holding.closed)
        .then(|| (holding.closing(), Holding { closed: true, last_fact: Some(seq), ..holding.clone() }))
}

/// The holding that a command of the centre names, if that very generation is open. A command about any other
/// generation does nothing: it may be old, and an old recall must not end a new grant.
#[must_use]
pub fn named(holdings: &[Holding], lease: LeaseId, generation: u32) -> Option<&Holding> {
    let is = |held: &&Holding| held.state.lease == lease && held.state.generation == generation;
    holdings.iter().find(|held| !held.closed && is(held))
}

/// What to do about a central epoch that a good signature of the centre names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochHeard {
    /// It is the one known.
    Known,
    /// Store it before anything else of the answer is looked at; then [`report`] goes out before any fact.
    Store(CentralEpoch),
    /// An older life, or another life with the same number: nothing of the answer's leases and commands may be taken.
    /// The echo of the newer mark tells that centre that it was rolled back.
    Obsolete,
}

/// Judges a central epoch heard. `known` is none before the first.
#[must_use]
pub fn learn_epoch(known: Option<CentralEpoch>, heard: CentralEpoch) -> EpochHeard {
    match known {
        Some(known) if known == heard => EpochHeard::Known,
        Some(known) if heard.n <= known.n => EpochHeard::Obsolete,
        _ => EpochHeard::Store(heard),
    }
}

/// What a terminal shows a centre of a newer epoch before it sends any fact: the last signed state of every generation
/// that is open or of which it still holds facts, in order of lease and generation. `oldest_held` is the lowest seq
/// that it still holds.
#[must_use]
pub fn report(holdings: &[Holding], oldest_held: u64) -> Vec<LeaseState> {
    let mut states: Vec<LeaseState> = holdings
        .iter()
        .filter(|held| must_report(held, oldest_held))
        .map(|held| held.state.clone())
        .collect();
    states.sort_by_key(|state| (state.lease, state.generation));
    states
}

/// Whether a holding is reported. An open one is, even if nothing was spent yet: it may be spent the moment after.
fn must_report(held: &Holding, oldest_held: u64) -> bool {
    !held.closed || held.last_fact.is_some_and(|seq| seq >= oldest_held)
}

/// Holdings that may be forgotten: closed, without facts still held, and not the newest of their lease, whose
/// generation must be remembered so that a late state of it is ignored.
#[must_use]
pub fn forgettable(holdings: &[Holding], oldest_held: u64) -> Vec<(LeaseId, u32)> {
    let newest = |held: &Holding| {
        let generations = holdings.iter().filter(|other| other.state.lease == held.state.lease);
        generations.map(|other| other.state.generation).max() == Some(held.state.generation)
    };
    holdings
        .iter()
        .filter(|held| !must_report(held, oldest_held) && !newest(held))
        .map(|held| (held.state.lease, held.state.generation))
        .collect()
}
