//! Who pays a leg of a spend, and what a verdict about a suspended one does.
//!
//! Decided by the first kind that fits, in the order 7, 5, 8, 10, 9, 6; kinds that fit after it only flag. A leg of a
//! live generation always uses up its lease by its own amount, never by a difference of `spent_total`, and settles
//! from escrow; if the member is not to pay, a linked entry gives the amount back ([`Bearer`]).
//! Out of scope: 25, 26 and 21/22, which come first and are known before a fact gets here.

use hufu_shared::ids::{DeviceId, MemberId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::wire::version::Version;

use super::{Hole, LeaseRow, release_rest};

/// Conflict kind: spend over lease.
pub const KIND_OVER: u8 = 5;
/// Conflict kind: spend on an expired lease.
pub const KIND_EXPIRED: u8 = 6;
/// Conflict kind: spend on a written-off lease.
pub const KIND_WRITTEN_OFF: u8 = 7;
/// Conflict kind: stale generation or epoch of a lease.
pub const KIND_STALE: u8 = 8;
/// Conflict kind: member or card blocked after the block version that the device had.
pub const KIND_BLOCKED_AFTER: u8 = 9;
/// Conflict kind: the device knew of the block.
pub const KIND_BLOCKED_BEFORE: u8 = 10;

/// A leg of a spend with its lease use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentLeg {
    /// Who spent.
    pub device: DeviceId,
    /// Under which enrolment.
    pub enrolment: u32,
    /// Seq of the fact.
    pub seq: u64,
    /// The unit.
    pub unit: Unit,
    /// How much.
    pub amount: Amount,
    /// The device's counter after it.
    pub spent_total: Amount,
    /// Version of the lease state that the device held.
    pub state: Version,
    /// Whose card the fact names: the member whom the lease was granted to, if they go on in each other's place or the
    /// card was theirs before; none if unknown.
    pub member: Option<MemberId>,
}

/// What else is known of the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Facts of the device between [`LeaseRow::last_seq`] and this one could not be read (kind 25).
    pub unread: bool,
    /// An earlier fact of the device about this generation is held: then this one waits behind it.
    pub held_before: bool,
    /// How the member or card was blocked.
    pub block: Block,
    /// Even by the latest time at which the device can have received the state, its ttl was over (kind 6).
    pub late: bool,
}

/// How member or card stood on the block list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Block {
    /// Not blocked.
    #[default]
    None,
    /// Blocked by a version that the device had not seen.
    After {
        /// The card had been reported lost before the fact: then the member does not pay.
        reported_lost: bool,
    },
    /// Blocked by a version that the device had.
    Before,
}

/// What becomes of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Escrow pays; then the bearer gives it back to the member, unless the member bears it.
    Settle(Bearer),
    /// `loss/device` pays, the member's accounts do not move.
    LossDevice,
    /// The suspense account of the case pays until a person decides; the member's accounts do not move.
    Suspense,
    /// The state that it rests on is not known here (this centre may have been rolled back): nothing moves and nothing
    /// is frozen until it is known, or a person decides. Then it is judged again, in order of seq.
    Held,
}

/// Who bears a settled leg in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// The member.
    Member,
    /// `loss/blocked`.
    LossBlocked,
    /// The suspense account of the case.
    Suspense,
}

/// The judgement of a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The row after; none if there is no row.
    pub row: Option<LeaseRow>,
    /// What becomes of it.
    pub effect: Effect,
    /// The kind that decided; none if it stands plainly.
    pub kind: Option<u8>,
    /// Kinds that fit as well and only flag, in order of the first that fits.
    pub flags: Vec<u8>,
    /// The device's leases are frozen: no grant, no raise, until a person has looked.
    pub freeze: bool,
}

/// Judges a leg against the row of its lease and generation, and takes it in.
#[must_use]
pub fn judge(row: Option<&LeaseRow>, leg: &SpentLeg, known: Known) -> Judged {
    let rests_on = row.filter(|row| leg.state <= row.version && !known.held_before);
    if rests_on.is_none() && mutant::on(Mutant::RegrantAfterFacts) {
        let (row, kind) = (row.cloned(), Some(KIND_OVER));
        return Judged { row, effect: Effect::Suspense, kind, flags: Vec::new(), freeze: true };
    }
    let Some(row) = rests_on else {
        let (row, kind) = (row.cloned(), Some(KIND_STALE));
        return Judged { row, effect: Effect::Held, kind, flags: Vec::new(), freeze: false };
    };
    let place = Place::of(row, leg, known.unread);
    let mut kinds = fitting(row, leg, place, known);
    let kind = if kinds.is_empty() { None } else { Some(kinds.remove(0)) };
    let effect = match kind {
        Some(KIND_WRITTEN_OFF) => Effect::LossDevice,
        Some(KIND_OVER | KIND_STALE) => Effect::Suspense,
        Some(KIND_EXPIRED) if mutant::on(Mutant::ReleaseAtExpiry) => Effect::Suspense,
        Some(KIND_BLOCKED_BEFORE) => Effect::Settle(Bearer::Suspense),
        Some(KIND_BLOCKED_AFTER) if known.block == (Block::After { reported_lost: true }) => {
            Effect::Settle(Bearer::LossBlocked)
        }
        _ => Effect::Settle(Bearer::Member),
    };
    let own = is_own(row, leg);
    let row = if own { taken_in(row, leg, place, effect) } else { row.clone() };
    Judged { row: Some(row), effect, kind, flags: kinds, freeze: kind == Some(KIND_OVER) }
}

/// Where a leg stands in the device's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Right after the last one seen.
    Next,
    /// After a stretch that unread facts explain.
    AfterHole,
    /// Inside such a stretch.
    InHole,
    /// Nowhere.
    Nowhere,
}

impl Place {
    fn of(row: &LeaseRow, leg: &SpentLeg, unread: bool) -> Self {
        let Ok(from) = leg.spent_total.minus(leg.amount) else { return Self::Nowhere };
        if row.holes.iter().any(|hole| hole.from <= from && leg.spent_total <= hole.to) {
            return Self::InHole;
        }
        match (row.closed, from.cmp(&row.spent_reported)) {
            (Some(_), _) => Self::Nowhere,
            (None, std::cmp::Ordering::Equal) => Self::Next,
            (None, std::cmp::Ordering::Greater) if unread => Self::AfterHole,
            (None, _) => Self::Nowhere,
        }
    }
}

fn is_own(row: &LeaseRow, leg: &SpentLeg) -> bool {
    row.device == leg.device && row.enrolment == leg.enrolment
}

/// All kinds that fit, in the order in which the first decides.
fn fitting(row: &LeaseRow, leg: &SpentLeg, place: Place, known: Known) -> Vec<u8> {
    let own = is_own(row, leg);
    let pays = |rest: Amount| leg.amount.is_positive() && leg.amount <= rest;
    let written_off = own && row.written_off.is_some_and(|rest| pays(Amount(rest.0 - row.lost.0)));
    let purse = row.unit == leg.unit && leg.member.is_none_or(|member| member == row.member);
    let covered = if row.written_off.is_some() { written_off } else { pays(row.escrow()) };
    // What another device or an earlier enrolment says is no part of this counter, so it cannot be off by some amount.
    let over = own && (!covered || place == Place::Nowhere || !purse) && !after_close(row, leg, place);
    let stale = !own || after_close(row, leg, place);
    let fits = [
        (written_off && purse, KIND_WRITTEN_OFF),
        (over, KIND_OVER),
        (stale, KIND_STALE),
        (known.block == Block::Before, KIND_BLOCKED_BEFORE),
        (matches!(known.block, Block::After { .. }), KIND_BLOCKED_AFTER),
        (known.late, KIND_EXPIRED),
    ];
    fits.into_iter().filter_map(|(fits, kind)| fits.then_some(kind)).collect()
}

/// A leg that goes on where the closed generation ended: what a second copy of the device would write.
fn after_close(row: &LeaseRow, leg: &SpentLeg, place: Place) -> bool {
    let goes_on = leg.spent_total.minus(leg.amount) == Ok(row.spent_reported);
    row.closed.is_some() && place == Place::Nowhere && goes_on && leg.spent_total <= row.granted_total
}

/// The row after a leg of its own device.
fn taken_in(row: &LeaseRow, leg: &SpentLeg, place: Place, effect: Effect) -> LeaseRow {
    let mut row = row.clone();
    match effect {
        Effect::Settle(_) => row.settled = Amount(row.settled.0 + leg.amount.0),
        Effect::LossDevice => row.lost = Amount(row.lost.0 + leg.amount.0),
        Effect::Suspense | Effect::Held => {}
    }
    let from = Amount(leg.spent_total.0.saturating_sub(leg.amount.0));
    match place {
        Place::AfterHole => row.holes.push(Hole { from: row.spent_reported, to: from }),
        Place::InHole => fill(&mut row.holes, Hole { from, to: leg.spent_total }),
        Place::Next | Place::Nowhere => {}
    }
    if row.closed.is_none() {
        let before = row.spent_reported;
        row.spent_reported = before.max(leg.spent_total);
        row.last_seq = row.last_seq.max(leg.seq);
        if effect == Effect::Suspense {
            let moved = row.spent_reported.0.saturating_sub(before.0).min(leg.amount.0.max(0));
            row.disputed = Amount(row.disputed.0.saturating_add(moved));
        }
    }
    row
}

/// Takes a filled part out of the holes.
fn fill(holes: &mut Vec<Hole>, filled: Hole) {
    let rest = |hole: &Hole| {
        if hole.from <= filled.from && filled.to <= hole.to {
            vec![Hole { from: hole.from, to: filled.from }, Hole { from: filled.to, to: hole.to }]
        } else {
            vec![*hole]
        }
    };
    *holes = holes.iter().flat_map(rest).filter(|hole| hole.from < hole.to).collect();
}

/// What a verdict about a suspended leg (kind 5 or 8) did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The row after.
    pub row: LeaseRow,
    /// What escrow pays of the leg now.
    pub settled: Amount,
    /// What escrow cannot pay of it; it stays where it is, for the club to bear.
    pub uncovered: Amount,
    /// What leaves escrow towards the member, because nothing claims it any more; [`super::repay`] says where to.
    pub release: Amount,
}

/// Takes in a verdict: the leg counts against the lease, as far as escrow goes and only by what it had moved the
/// counter, or it does not. Of an open lease nothing is released: the device may still spend it.
#[must_use]
pub fn explain(row: &LeaseRow, amount: Amount, counts: bool) -> Explained {
    let amount = amount.max(Amount::ZERO);
    let own = amount.min(row.disputed);
    let settled = if counts { own.min(row.escrow()) } else { Amount::ZERO };
    let uncovered = if counts { Amount(amount.0 - settled.0) } else { Amount::ZERO };
    let mut row = LeaseRow {
        settled: Amount(row.settled.0 + settled.0),
        disputed: Amount(row.disputed.0 - own.0),
        dismissed: Amount(row.dismissed.0 + own.0 - settled.0),
        ..row.clone()
    };
    let release = release_rest(&mut row);
    Explained { row, settled, uncovered, release }
}
