//! Who is who: members that turn out to be one person (kind 11), and that were erased (kind 12).
//!
//! A fact belongs by itself to whose card it was; who goes on in their place is followed each time it is judged, and a
//! balance of the past is read as if it had always been theirs. So a merge moves what is there, judges what the merged
//! member did as the survivor's, and taking it apart does the same the other way: what a side lacks then, it owes.
//! Facts that were here when a member was erased keep their effect, which lies in `sink/erased` from then on.
//! Out of scope: what leases return (their own part), the sealed personal data.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::act::{MemberErased, MembersMerged, SeenCursor};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::OfficeClock;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::card::KIND_OWNER;
use super::earn::KIND_REPEAT;
use super::fault::plain;
use super::held::{KIND_UNKNOWN_CARD, is_discarded};
use super::ledger::{Cause, Flow};
use super::matter::Matter;
use crate::rules::judge::erase::{self, Does, Left, Tombstone};
use crate::rules::judge::merge::{self, Holding, Links, Side};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{KnownFact, KnownMember, Standing};

/// Number of the conflict kind "member erased".
const KIND_ERASED: u8 = 12;
/// Merges of one member into another that are followed: more than any person was ever entered under.
const MERGES_MAX: usize = 64;

/// The case about facts of a member that arrived after the erasure.
#[must_use]
pub fn orphan_case(member: MemberId) -> Hash {
    posting::case_id(KIND_ERASED, &[&member.0])
}

/// Whether a fact arrived after its member had been erased, and has nothing.
pub(super) fn is_orphan(known: &KnownFact) -> bool {
    known.standing.is_same(&Standing::of(Became::NoEffect, KIND_ERASED, None))
}

impl Work {
    pub(super) fn member(&self, member: MemberId) -> Option<&KnownMember> {
        self.has(Need::Member(member));
        self.world.members.get(&member)
    }

    /// Who goes on as whom, from a member on.
    fn ties(&self, member: MemberId) -> Links {
        let (mut links, mut at) = (Links::default(), member);
        for _ in 0..MERGES_MAX {
            let Some(next) = self.member(at).and_then(|known| known.merged_into) else { break };
            links = links.merged(at, next);
            at = next;
        }
        links
    }

    /// Who goes on in place of a member: itself, if nobody.
    pub(super) fn survivor(&self, member: MemberId) -> MemberId {
        match self.member(member).and_then(|known| known.merged_into) {
            Some(_) => self.ties(member).survivor(member),
            None => member,
        }
    }

    /// The account that stands in place of another by now.
    pub(super) fn goes_on(&self, account: Account) -> Account {
        let Account::Available(member) = account else { return account };
        let survivor = self.survivor(member);
        let is_erased = self.member(survivor).is_some_and(|known| known.erased);
        if is_erased { Account::Erased } else { Account::Available(survivor) }
    }

    /// Remembers whose a fact is by itself, and takes what it gives from a member who was erased before it came.
    /// Whether that leaves nothing of it.
    pub(super) fn is_of_merged_or_erased(&mut self, id: FactId, known: &KnownFact, fact: &Fact) -> bool {
        let Some(subject) = fact.event.subject() else { return false };
        let Some(original) = self.original_owner(known, subject) else { return false };
        let ties = self.ties(original);
        let survivor = ties.survivor(original);
        let mut at = original;
        while let Some(next) = self.member(at).and_then(|known| known.merged_into).filter(|_| at != survivor)
        {
            self.link(links::merged_from(at), id);
            at = next;
        }
        let erased = self.member(survivor).filter(|known| known.erased).map(|known| known.status_since);
        let Some(erased_at) = erased else { return false };
        let seq = if known.received <= erased_at { id.seq } else { 0 };
        let tomb = Tombstone::new(survivor, &[SeenCursor { device: id.device, epoch: id.epoch, seq }]);
        let does = if matches!(fact.event, Event::Spent(_)) { Does::SpendsLease } else { Does::Else };
        let left = erase::judge(&[tomb], &ties, original, id, does);
        if left == Left::All {
            return false;
        }
        let case = orphan_case(survivor);
        let mut fresh = self.fresh_case(KIND_ERASED, "kept_without_effect");
        fresh.member = Some(survivor);
        self.case(case, fresh, [id]);
        if left == Left::Orphan {
            self.stand(id, Standing::of(Became::NoEffect, KIND_ERASED, Some(case)), Some(survivor));
        }
        left == Left::Orphan
    }

    /// A person, a merge or its end changed whose a fact is: it leaves the matters of one member for those of the
    /// other. What it spent of a lease stays with that lease.
    pub(super) fn owner_changed(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        let Some(subject) = fact.event.subject() else { return };
        if is_discarded(&known) {
            return;
        }
        let Some(new) = self.owner(&known, subject) else { return };
        let waits = [KIND_UNKNOWN_CARD, KIND_OWNER].map(|kind| Standing::of(Became::Held, kind, None));
        if waits.iter().any(|waits| known.standing.is_same(waits)) {
            self.has(Need::Held(subject.token));
            self.world.held.entry(subject.token).or_default().remove(&id);
            self.change(id, |known| known.standing = plain(id, known));
            self.take_effect(id);
            return;
        }
        if known.standing.became == Became::Quarantined || known.member == Some(new) {
            return;
        }
        if let Some(old) = known.member {
            self.leave(id, &known, fact, old);
        }
        self.change(id, |known| known.member = Some(new));
        if is_orphan(&known) {
            return;
        }
        match &fact.event {
            Event::Attended(attended) => {
                self.take_effect(id);
                // The new owner is given first, so that nobody owes in between.
                self.judge_attendance(new, attended.occurrence);
            }
            Event::Earned(_)
            | Event::ToppedUp(_)
            | Event::Visited(_)
            | Event::ProfileChangeRequested(_)
            | Event::CardReplaced(_) => {
                self.take_effect(id);
            }
            _ => {}
        }
    }

    /// A fact is no longer this member's.
    pub(super) fn leave(&mut self, id: FactId, known: &KnownFact, fact: &Fact, old: MemberId) {
        match &fact.event {
            Event::Attended(attended) => {
                self.has(Need::Group(old, attended.occurrence));
                let mut others = BTreeSet::new();
                if let Some(group) = self.world.groups.get_mut(&(old, attended.occurrence)) {
                    group.facts.remove(&id);
                    others.clone_from(&group.facts);
                }
                // What was a second one beside this may be the first without it.
                let second = Standing::of(Became::Merged, KIND_REPEAT, None);
                for other in others {
                    if self.fact(other).is_some_and(|known| known.standing.is_same(&second)) {
                        self.take_effect(other);
                    }
                }
                self.dirty.insert(Matter::Attendance(old, attended.occurrence));
            }
            Event::Earned(_) => {
                for span in self.bound_spans(known.office) {
                    let others = self.linked(links::earned(old, span.first_day(known.day)));
                    self.dirty.extend(others.into_iter().map(Matter::Earn));
                }
            }
            Event::ProfileChangeRequested(_) => {
                self.dirty.insert(Matter::Profile(old));
            }
            _ => {}
        }
    }

    fn holdings(&self, member: MemberId) -> BTreeMap<Unit, Holding> {
        let of = |unit| {
            let purse = self.purse(member, unit);
            (unit, Holding { available: Amount(purse.available), owed: Amount(purse.owed) })
        };
        Unit::ALL.into_iter().map(of).collect()
    }

    fn people_cause(&self, hash: Hash, member: MemberId) -> Cause {
        Cause {
            hash,
            member: Some(member),
            fact: None,
            case: None,
            at: self.received,
            day: OfficeClock::default().business_day(self.received),
            scheme: 0,
            rule: None,
            repays_recovery: false,
        }
    }

    /// Two members are one: what one has and owes goes to the other, and what it did is judged with the other's. One
    /// that cannot be has no effect.
    pub(super) fn members_merged(&mut self, merged: &MembersMerged) {
        let (from, into) = (merged.merged, merged.survivor);
        let both = [from, into].map(|member| (member, self.member(member).cloned()));
        let erased = both.iter().filter(|(_, known)| known.as_ref().is_some_and(|known| known.erased));
        let erased: BTreeSet<MemberId> = erased.map(|(member, _)| *member).collect();
        let (Some(mut known), true) = (both[0].1.clone(), both[1].1.is_some()) else { return };
        // One that was merged before is in the way with its own tie alone.
        let ties = |member| self.ties(member).check_merge(from, into, &erased);
        if !self.world.may_debit() || ties(from).is_err() || ties(into).is_err() {
            return;
        }
        let shifts = merge::plan_merge((from, &self.holdings(from)), (into, &self.holdings(into)));
        let cause = self.people_cause(posting::merge_cause(into, from), into);
        for shift in shifts {
            let leg = Leg { unit: shift.unit, amount: shift.amount };
            let (debit, credit) = (account(shift.debit), account(shift.credit));
            self.add(&cause, Flow { debit, credit, leg, code: PostingCode::Merge });
        }
        known.merged_into = Some(into);
        let is_frozen = known.is_value_frozen();
        self.tie(from, known);
        if is_frozen {
            self.turn_value(into, true);
        }
        let (left, stays) = (Some(from.to_string()), Some(into.to_string()));
        self.edited_from(from, "merged", Some(merged.reason), (left.clone(), stays.clone()));
        self.edited_from(into, "merged", Some(merged.reason), (left, stays));
        self.has(Need::FactsOf(from));
        for id in self.facts_of(from) {
            self.link(links::merged_from(from), id);
            self.owner_changed(id);
        }
    }

    fn facts_of(&self, member: MemberId) -> Vec<FactId> {
        let of = self.world.facts.iter().filter(|(_, known)| known.member == Some(member));
        of.map(|(id, _)| *id).collect()
    }

    pub(super) fn tie(&mut self, member: MemberId, known: KnownMember) {
        self.world.members.insert(member, known.clone());
        self.outcome.member_ties.insert(member, known);
    }

    /// A merge was wrong: each fact goes back to whose it is by itself.
    pub(super) fn members_unmerged(&mut self, merged: &MembersMerged) {
        let from = merged.merged;
        let ties = self.ties(from);
        let into = ties.survivor(from);
        let is_erased = self.member(into).is_some_and(|known| known.erased);
        let erased: BTreeSet<MemberId> = is_erased.then_some(into).into_iter().collect();
        let Some(mut known) = self.member(from).cloned() else { return };
        let Some(next) = known.merged_into else { return };
        if !self.world.may_debit() || ties.check_unmerge(from, &erased).is_err() {
            return;
        }
        known.merged_into = None;
        self.tie(from, known);
        let (was, is) = (Some(next.to_string()), Some(from.to_string()));
        self.edited_from(from, "unmerged", Some(merged.reason), (was.clone(), is.clone()));
        self.edited_from(next, "unmerged", Some(merged.reason), (was, is));
        let cause = self.people_cause(posting::merge_cause(next, from), from);
        self.has(Need::Flows(cause.hash));
        let brought = self.world.flows.get(&cause.hash).cloned().unwrap_or_default();
        for unit in Unit::ALL {
            let net = brought.net.get(&(Account::Available(from), unit)).copied().unwrap_or(0);
            let (theirs, survivors) = (Account::Available(from), Account::Available(into));
            let (debit, credit) = if net < 0 { (survivors, theirs) } else { (theirs, survivors) };
            let leg = Leg { unit, amount: Amount(net.saturating_abs()) };
            self.add(&cause, Flow { debit, credit, leg, code: PostingCode::Merge });
        }
        for id in self.linked(links::merged_from(from)) {
            self.owner_changed(id);
        }
    }

    /// A member's data was erased: what is left goes to the sink, what is owed is forgiven.
    pub(super) fn member_erased(&mut self, erased: &MemberErased) {
        let member = erased.member;
        let Some(mut known) = self.member(member).cloned() else { return };
        if known.erased || known.merged_into.is_some() {
            return;
        }
        let cause = self.people_cause(posting::erase_cause(member), member);
        for (unit, held) in erase::sweep(&self.holdings(member)) {
            let (sink, own) = (Account::Erased, Account::Available(member));
            for (debit, credit, amount) in [(own, sink, held.available), (sink, own, held.owed)] {
                let leg = Leg { unit, amount };
                self.add(&cause, Flow { debit, credit, leg, code: PostingCode::Erasure });
            }
        }
        (known.erased, known.status) = (true, MemberStatus::Left);
        known.status_since = self.received;
        self.tie(member, known);
        self.has(Need::Details(member));
        let was = self.world.details.remove(&member).map(|details| details.kind);
        if let Some(kind) = was.filter(|kind| !kind.is_empty()) {
            // A code, and nothing of the person: what was bought before stays with the versions for that kind.
            self.edited_from(member, "kind", Some(erased.reason), (Some(kind), None));
            self.turn_kind(member, "");
        }
        self.outcome.forgotten.insert(member);
        self.edited(member, "erased", Some(erased.reason));
    }
}

/// What a member has and owes is one account to a cause; the ledger divides it as the plan does.
fn account(side: Side) -> Account {
    match side {
        Side::Available(member) | Side::Owed(member) => Account::Available(member),
    }
}
