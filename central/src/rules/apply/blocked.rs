//! What bears on a spend beside its lease: a block of the card, of the member, or of the member's stored value (kinds 9
//! and 10), a lease whose time was up (kind 6), the same sale recorded twice (kind 2).
//!
//! All of it follows from the set of facts and acts; nothing here moves a lease.

use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, MemberId, OfficeId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::amount_of;
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::wire::upload::Became;
use hufu_shared::wire::version::Version;

use super::Work;
use super::edge::latest;
use super::lease::lease_case;
use super::matter::Matter;
use super::spend::{Use, uses};
use crate::rules::judge::block::{self, Barred, BlockChange, Blocked, Payer, Taken, Timeline};
use crate::rules::judge::order::Place;
use crate::rules::judge::share::Claim;
use crate::rules::lease::LeaseRow;
use crate::rules::lease::spend::{
    Block, KIND_BLOCKED_AFTER, KIND_BLOCKED_BEFORE, KIND_OVER, KIND_STALE, KIND_WRITTEN_OFF,
};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting::Account;
use crate::rules::world::{KnownFact, ValueTurn};

/// The version that no terminal knew of.
const UNKNOWN: Version = Version { epoch: u32::MAX, n: u64::MAX };
/// Kinds under which a spend did not settle from escrow.
const NOT_SETTLED: [u8; 3] = [KIND_WRITTEN_OFF, KIND_OVER, KIND_STALE];

impl Work {
    /// How blocks of the card and of the member, and of what the member has in the unit, bear on a spend.
    pub(super) fn blocked(
        &self,
        id: FactId,
        known: &KnownFact,
        (member, unit): (Option<MemberId>, Unit),
    ) -> Blocked {
        let mut lines = match &known.fact {
            Some(fact) => vec![self.card_line(fact), self.member_line(fact, member)],
            None => Vec::new(),
        };
        lines.extend(member.filter(|_| unit == Unit::Cny).map(|member| self.value_line(member)));
        let (lo, hi) = (known.at, latest(known));
        block::judge(&lines, Taken { id, lo, hi, t: known.at, known: Version::default() })
    }

    /// The blocks of the card. A change that the terminal's list held stands as version 0, any other as one that no
    /// terminal knew of.
    fn card_line(&self, fact: &Fact) -> Timeline {
        let Some(subject) = fact.event.subject() else { return Timeline::default() };
        let reports = self.linked(links::reported_lost(subject.token)).into_iter().filter_map(|report| {
            let known = self.fact(report)?;
            counts(known).then_some(Place { t: known.at, fact: report })
        });
        let turns = self.card(subject.token).map(|card| card.history.clone()).unwrap_or_default();
        let changes = turns.iter().map(|turn| (turn.since, barred_card(turn.status))).collect();
        Timeline { changes: self.changes(changes, fact.block), reports: reports.collect() }
    }

    /// The newest change of the member's own status; earlier ones are not kept.
    fn member_line(&self, fact: &Fact, member: Option<MemberId>) -> Timeline {
        let Some(member) = member else { return Timeline::default() };
        self.has(Need::Member(member));
        let change = self.world.members.get(&member).map(|known| {
            // Whom a merge or an erasure ended did not stop by that.
            let ended = known.merged_into.is_some() || known.erased;
            let takes_part = ended || known.status == MemberStatus::Active;
            (known.status_since, if takes_part { Barred::No } else { Barred::Stopped })
        });
        let changes = self.changes(change.into_iter().collect(), fact.directory);
        Timeline { changes, reports: Vec::new() }
    }

    /// When the member's stored value was frozen. No terminal's list says so: they give back what they hold of it, so what
    /// one spends after that it spends in good faith.
    fn value_line(&self, member: MemberId) -> Timeline {
        let turns = self.member(self.survivor(member)).map(|known| known.value_turns.as_slice());
        let change = |turn: &ValueTurn| BlockChange {
            at: turn.since,
            version: UNKNOWN,
            barred: if turn.frozen { Barred::Stopped } else { Barred::No },
        };
        Timeline { changes: turns.unwrap_or_default().iter().map(change).collect(), reports: Vec::new() }
    }

    fn changes(&self, changes: Vec<(Instant, Barred)>, held: Version) -> Vec<BlockChange> {
        // Most cards were never blocked: what a terminal knew does not matter then.
        let knew = changes.iter().any(|change| change.1 != Barred::No).then(|| {
            self.has(Need::Knew(held));
            self.world.knew.get(&held).copied()
        });
        let knew = knew.flatten();
        let change = |(at, barred)| {
            let version = if knew.is_some_and(|knew| at <= knew) { Version::default() } else { UNKNOWN };
            BlockChange { at, version, barred }
        };
        changes.into_iter().map(change).collect()
    }

    /// A batch says when the newest act was taken in each version that its spends were decided by. The first word about
    /// a version stays: what it held does not change.
    pub(super) fn terminal_knew(&mut self, versions: &[(Version, Instant)]) {
        for (version, at) in versions {
            self.has(Need::Knew(*version));
            let first = *self.world.knew.entry(*version).or_insert(*at);
            self.outcome.knew.insert(*version, first);
        }
    }

    /// Who gives a settled leg back to the member because of a block: the loss account up to the cap of the lease, and
    /// suspense for the rest.
    pub(super) fn givers(
        &self,
        id: FactId,
        part: Use,
        row: &LeaseRow,
        office: OfficeId,
        blocked: &Blocked,
    ) -> Vec<(Account, Amount)> {
        let knew = blocked.kinds.contains(&KIND_BLOCKED_BEFORE);
        let kind = if knew { KIND_BLOCKED_BEFORE } else { KIND_BLOCKED_AFTER };
        let suspense = Account::Suspense(lease_case(kind, part.lease, part.generation));
        let amount = part.leg.amount;
        match blocked.payer {
            Payer::Member => Vec::new(),
            Payer::Suspense => vec![(suspense, amount)],
            Payer::Loss => {
                let cap = amount_of(&self.world.policy.lease.office_cap, part.leg.unit);
                let shares = block::paid_by_loss(cap, &self.claims(part, row.member));
                let loss = shares.get(&id).copied().unwrap_or(Amount::ZERO).min(amount);
                vec![(Account::BlockedLoss(office), loss), (suspense, Amount(amount.0 - loss.0))]
            }
        }
    }

    /// What the spends of one generation claim of its cap for losses by a lost card.
    fn claims(&self, part: Use, member: MemberId) -> Vec<Claim> {
        let claim = |other: FactId| {
            let known = self.fact(other)?;
            let Event::Spent(spent) = &known.fact.as_ref()?.event else { return None };
            let unsettled = known.standing.kind.is_some_and(|kind| NOT_SETTLED.contains(&kind));
            let set_aside = known.standing.became == Became::Quarantined;
            if unsettled
                || set_aside
                || self.blocked(other, known, (Some(member), part.leg.unit)).payer != Payer::Loss
            {
                return None;
            }
            let same = |of: &Use| of.key() == part.key() && of.leg.unit == part.leg.unit;
            let wants = uses(spent)?.into_iter().find(same)?.leg.amount;
            let pin = known.pin.map(|counts| if counts { Amount::ZERO } else { wants });
            Some(Claim { place: Place { t: known.at, fact: other }, wants, pin })
        };
        let linked = self.linked(links::lease(part.lease, part.generation));
        linked.into_iter().filter_map(claim).collect()
    }

    /// The other spends of a generation, if they share a cap with this one.
    pub(super) fn mark_shared(&mut self, id: FactId, part: Use) {
        let shares = |known: &KnownFact| known.standing.kind == Some(KIND_BLOCKED_AFTER);
        if !self.fact(id).is_some_and(shares) {
            return;
        }
        let linked = self.linked(links::lease(part.lease, part.generation));
        let others = linked.into_iter().filter(|other| *other != id && self.fact(*other).is_some_and(shares));
        let others: Vec<FactId> = others.collect();
        self.dirty.extend(others.into_iter().map(Matter::Spend));
    }

    /// A card was reported lost at a terminal, or that report was decided about or has another time now: all spends with
    /// the card are judged again, also those that only the time it had before concerned.
    pub(super) fn judge_report(&mut self, id: FactId) {
        let Some(known) = self.fact(id) else { return };
        let subject = known.fact.as_ref().and_then(|fact| fact.event.subject());
        let Some(token) = subject.map(|subject| subject.token) else { return };
        let spends = self.linked(links::spent_with(token));
        self.dirty.extend(spends.into_iter().map(Matter::Spend));
    }

    /// Whether a spend repeats an earlier one: the same slip, card and legs at the same terminal.
    pub(super) fn repeats_spend(&self, id: FactId, fact: &Fact) -> bool {
        let Event::Spent(spent) = &fact.event else { return false };
        let Some(slip) = &spent.slip else { return false };
        let linked = self.linked(links::spent_under(id.device, slip));
        linked.range(FactId { seq: 0, ..id }..id).any(|other| {
            let Some(known) = self.fact(*other) else { return false };
            let Some(Event::Spent(first)) = known.fact.as_ref().map(|fact| &fact.event) else { return false };
            counts(known) && first.subject.token == spent.subject.token && first.legs == spent.legs
        })
    }

    /// Whether even a terminal that had its lease as late as it can have had it must have seen its time run out. It had
    /// the state when it first spent from it; within a boot its clock says how long ago that was, and a later boot lasted
    /// at least until the spend.
    pub(super) fn is_late(&self, id: FactId, known: &KnownFact, part: Use, row: &LeaseRow) -> bool {
        let Some(fact) = &known.fact else { return false };
        let ttl_us = i64::try_from(row.terms.ttl_s).unwrap_or(i64::MAX).saturating_mul(SECOND_US);
        if known.high.since(row.set_at) <= ttl_us || part.state != row.version {
            return false;
        }
        let linked = self.linked(links::lease(part.lease, part.generation));
        let first = linked.range(FactId { seq: 0, ..id }..id).find_map(|other| {
            let fact = self.fact(*other)?.fact.as_ref()?;
            let Event::Spent(spent) = &fact.event else { return None };
            let named = uses(spent)?.into_iter().any(|of| of.lease == part.lease && of.state == part.state);
            named.then_some(fact)
        });
        let elapsed_ns = first.map_or(0, |first| {
            if first.boot == fact.boot { fact.mono_ns.saturating_sub(first.mono_ns) } else { fact.mono_ns }
        });
        i64::try_from(elapsed_ns / 1_000).unwrap_or(i64::MAX) > ttl_us
    }
}

/// Whether a fact is there for others to be judged by.
fn counts(known: &KnownFact) -> bool {
    known.pin != Some(false) && known.standing.became != Became::Quarantined
}

/// What the lease's own judge is told of a block.
pub(super) fn block_of(blocked: &Blocked) -> Block {
    if blocked.kinds.contains(&KIND_BLOCKED_BEFORE) {
        Block::Before
    } else if blocked.kinds.contains(&KIND_BLOCKED_AFTER) {
        Block::After { reported_lost: blocked.payer != Payer::Member }
    } else {
        Block::None
    }
}

fn barred_card(status: CardStatus) -> Barred {
    match status {
        CardStatus::Active => Barred::No,
        CardStatus::Lost => Barred::Lost,
        CardStatus::Stopped | CardStatus::Void => Barred::Stopped,
    }
}
