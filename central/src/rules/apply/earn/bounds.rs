//! What bounds purchases of one member over each other: caps of the club and of rules, and rules that give only once
//! ([`cap`], kind 23).
//!
//! Each purchase is linked with all others of its member in the span of each bound, so whichever comes first, all of them
//! are judged again. What bounds left of a purchase is kept where it does not follow from the purchase itself, for when its
//! day is settled: with the case that a person sees, or, where a rule gives only once and there is nothing to decide, with
//! one that is over from its beginning.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::cbor;
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, Hash, MemberId, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, EarnEvent};
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::earning::EarnRule;
use hufu_shared::time::Day;
use minicbor::{Decode, Encode};

use super::worth::{Item, KIND_APPROVAL, UNITS, Worth, approval_case};
use super::{KIND_CAP, Sale, cap_case, is_held};
use crate::rules::apply::Work;
use crate::rules::judge::cap::{self, Capped, Counts, Pin, Span};
use crate::rules::judge::order::Place;
use crate::rules::judge::reversal::{self, Original, Share};
use crate::rules::links;
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::KnownFact;

/// What bounds leave of one part of a purchase.
struct Part {
    item: Item,
    gives: Amount,
    /// What caps cut off.
    cut: Amount,
}

impl Part {
    /// Whether its rule gives only once, and gave for another purchase.
    fn is_given_elsewhere(&self) -> bool {
        self.item.once.is_some() && self.gives.0.saturating_add(self.cut.0) < self.item.amount.0
    }
}

/// What bounds leave of a purchase, and which share of it was returned.
pub(super) struct Left {
    parts: Vec<Part>,
    returned: Share,
}

/// What bounds left of a purchase, as a case keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Record {
    /// Points that its rules give.
    #[n(0)]
    points: Amount,
    /// What is left of them.
    #[n(1)]
    gives: Amount,
    /// What each part gives; none where that follows from the sum, in the order of the parts.
    #[n(2)]
    parts: Option<Vec<Amount>>,
}

impl Record {
    /// What each part gave.
    fn each(&self, items: &[Item]) -> Vec<Amount> {
        if let Some(parts) = &self.parts {
            let part =
                |(at, item): (usize, &Item)| parts.get(at).copied().unwrap_or_default().min(item.amount);
            return items.iter().enumerate().map(part).collect();
        }
        let mut left = self.gives;
        let share = |item: &Item| {
            let gives = if item.unit == Unit::Pts { item.amount.min(left) } else { item.amount };
            left = if item.unit == Unit::Pts { Amount(left.0 - gives.0) } else { left };
            gives
        };
        items.iter().map(share).collect()
    }
}

impl Left {
    /// What the member has of a unit after returns, and what of it waits for a person: all, if the purchase is held. What
    /// waits is the first to go where a return cuts.
    pub fn split(&self, unit: Unit, is_held: bool) -> (Amount, Amount) {
        let gives = self.sum(unit, |part| part.gives);
        let at_once =
            self.sum(unit, |part| if is_held || part.item.waits { Amount::ZERO } else { part.gives });
        let keeps = Amount(gives.0 - self.returned.of(gives).0);
        let own = keeps.min(at_once);
        (own, Amount(keeps.0 - own.0))
    }

    fn sum(&self, unit: Unit, of: impl Fn(&Part) -> Amount) -> Amount {
        let of_unit = self.parts.iter().filter(|part| part.item.unit == unit);
        Amount(of_unit.map(|part| of(part).0).fold(0, i64::saturating_add))
    }

    /// Whether anything waits for approval.
    pub fn waits(&self) -> bool {
        self.parts.iter().any(|part| part.item.waits && !part.is_given_elsewhere())
    }

    /// Whether anything does not wait.
    pub fn has_at_once(&self) -> bool {
        self.parts.iter().any(|part| !part.item.waits)
    }

    /// Whether caps cut something off.
    pub fn is_cut(&self) -> bool {
        self.parts.iter().any(|part| part.cut.is_positive())
    }

    /// As a case keeps it. Where points have no bounds but the club's caps, the sum says all.
    pub fn record(&self) -> Record {
        let is_bounded = |item: &Item| {
            let own_cap = item.cap.is_some_and(|(_, counts)| counts == Counts::Rule);
            item.unit != Unit::Pts || own_cap || item.once.is_some()
        };
        let needs_parts = self.parts.iter().any(|part| is_bounded(&part.item));
        Record {
            points: self.sum(Unit::Pts, |part| part.item.amount),
            gives: self.sum(Unit::Pts, |part| part.gives),
            parts: needs_parts.then(|| self.parts.iter().map(|part| part.gives).collect()),
        }
    }
}

/// What is kept of a purchase of which a rule that gives only once gave nothing.
fn once_case(id: FactId) -> Hash {
    posting::case_id(KIND_CAP, &[&posting::fact_cause(id).0, b"once"])
}

fn spans_of(rule: &EarnRule) -> impl Iterator<Item = Span> + use<> {
    rule.cap.map(|cap| Span::In(cap.period)).into_iter().chain(Span::of(rule.once))
}

impl Work {
    /// What bounds leave of a purchase, and which share of that was returned.
    pub(super) fn left(&mut self, sale: &Sale<'_>, worth: &Worth) -> Left {
        let returned = self.returned_of_earn(sale.id, worth);
        if let Some(gave) = self.gave_when_settled(sale.id, sale.known, worth) {
            let part = |(item, gives): (&Item, Amount)| Part { item: *item, gives, cut: Amount::ZERO };
            return Left { parts: worth.items.iter().zip(gave).map(part).collect(), returned };
        }
        let judged = self.judged_with(sale);
        let part = |(at, item): (usize, &Item)| match judged.get(&(sale.id, at)) {
            Some(capped) => Part { item: *item, gives: capped.gives, cut: capped.cut },
            None => Part { item: *item, gives: item.amount, cut: Amount::ZERO },
        };
        Left { parts: worth.items.iter().enumerate().map(part).collect(), returned }
    }

    /// What bounds leave of all purchases of a member in their spans around one of them; nothing where nothing bounds.
    fn judged_with(&mut self, sale: &Sale<'_>) -> BTreeMap<(FactId, usize), Capped> {
        let caps = self.world.policy.earn_caps.clone();
        let spans = self.bound_spans(sale.known.office);
        if spans.is_empty() {
            return BTreeMap::new();
        }
        let mut ids = BTreeSet::from([sale.id]);
        for span in spans {
            ids.extend(self.linked(links::earned(sale.member, span.first_day(sale.known.day))));
        }
        // What waits for a person is in no sum but its own until it is released.
        ids.retain(|id| *id == sale.id || !self.fact(*id).is_some_and(is_held));
        let mut earns = Vec::new();
        for id in ids {
            earns.extend(self.cap_earns(id, sale.member, id == sale.id));
        }
        cap::judge(&caps, &earns)
    }

    /// The parts of a purchase of this member as its bounds see them; those that wait for approval only if it is the one
    /// that is asked about.
    fn cap_earns(&mut self, id: FactId, member: MemberId, is_own: bool) -> Vec<cap::Earn> {
        let Some(known) = self.fact(id).cloned() else { return Vec::new() };
        let Some(fact @ Fact { event: Event::Earned(earned), .. }) = &known.fact else { return Vec::new() };
        if self.buyer(id, &known, fact, earned) != Some(member) {
            return Vec::new();
        }
        let worth = self.worth(&Sale { id, known: &known, fact, earned, member });
        let returned = self.returned_of_earn(id, &worth);
        let stood = self.gave_when_settled(id, &known, &worth);
        let pin = |at: usize| match (&stood, known.pin) {
            (Some(stood), _) => stood.get(at).copied().map(Pin::Stood),
            (None, pin) => (pin == Some(true)).then_some(Pin::Counts),
        };
        let earn = |(at, item): (usize, &Item)| cap::Earn {
            place: Place { t: known.at, fact: id },
            day: known.day,
            office: known.office,
            event: EarnEvent::Purchase,
            unit: item.unit,
            at,
            rule: item.rule,
            amount: item.amount,
            returned,
            pin: pin(at),
            cap: item.cap,
            once: item.once,
        };
        worth.items.iter().enumerate().filter(|(_, item)| is_own || !item.waits).map(earn).collect()
    }

    /// What each part of a purchase of a settled day gave before returns; none for any other.
    fn gave_when_settled(&self, id: FactId, known: &KnownFact, worth: &Worth) -> Option<Vec<Amount>> {
        if !self.is_fixed(id, known) {
            return None;
        }
        let case = match known.standing.kind {
            Some(KIND_CAP) => Some(cap_case(id)),
            Some(KIND_APPROVAL) => Some(approval_case(id)),
            _ => worth.items.iter().any(|item| item.once.is_some()).then(|| once_case(id)),
        };
        let record = case.and_then(|case| {
            self.has(Need::Case(case));
            let known = self.world.cases.get(&case)?;
            cbor::decode::<Record>(&known.detail).ok()
        });
        let whole = || worth.items.iter().map(|item| item.amount).collect();
        Some(record.map_or_else(whole, |record| record.each(&worth.items)))
    }

    /// Keeps what a purchase gives of which a rule that gives only once gave, or once gave, nothing. Nobody has to decide
    /// anything, so the case is over.
    pub(super) fn note_once(&mut self, sale: &Sale<'_>, left: &Left) {
        if left.parts.iter().all(|part| part.item.once.is_none()) {
            return;
        }
        let (case, detail) = (once_case(sale.id), cbor::encode(&left.record()));
        self.has(Need::Case(case));
        let is_kept = match self.world.cases.get(&case) {
            Some(kept) => kept.detail == detail,
            None => !left.parts.iter().any(Part::is_given_elsewhere),
        };
        if !is_kept {
            let mut fresh = self.fresh_case(KIND_CAP, "gave_before");
            fresh.member = Some(sale.member);
            fresh.detail = detail;
            self.case(case, fresh, [sale.id]);
            self.close_case(case, "gave_before");
        }
    }

    /// Which share of a purchase was returned.
    fn returned_of_earn(&self, id: FactId, worth: &Worth) -> Share {
        let Some(Fact { event: Event::Earned(earned), .. }) =
            self.fact(id).and_then(|known| known.fact.as_ref())
        else {
            return Share::default();
        };
        let gave = UNITS.map(|unit| Leg { unit, amount: worth.of(unit) }).to_vec();
        let says = earned.promised.clone();
        let original = Original { is_reversal: false, says, gave, at_desk: Vec::new() };
        reversal::returned(&original, &self.reversals_of(id), reversal::measure(&original))
    }

    /// The spans in which something bounds purchases at an office: the club's caps, and those of rules of any version.
    pub(in crate::rules::apply) fn bound_spans(&self, office: OfficeId) -> BTreeSet<Span> {
        let covers =
            |cap: &&EarnCap| UNITS.into_iter().any(|unit| cap.covers(unit, EarnEvent::Purchase, office));
        let caps = self.world.policy.earn_caps.iter().filter(covers).map(|cap| Span::In(cap.period));
        let versions = self.world.schemes.values().filter_map(|scheme| scheme.terms.earning.as_ref());
        caps.chain(versions.flat_map(|terms| terms.rules.iter().flat_map(spans_of))).collect()
    }

    /// Links a purchase with all others that the same bounds hold over, and names those that may change with it.
    pub(super) fn bound_with(&mut self, id: FactId, known: &KnownFact, member: MemberId) -> BTreeSet<FactId> {
        let mut others = BTreeSet::new();
        for span in self.bound_spans(known.office) {
            let first = span.first_day(known.day);
            let link = links::earned(member, first);
            let is_read = self.has(Need::Linked(link));
            let mut linked = self.linked(link);
            // Whoever was linked for ever brought all that came before; a period is looked through each time.
            let is_open = span != Span::Ever || (is_read && linked.is_empty());
            self.link(link, id);
            if is_open && self.was_bound_within(known.office, span, first) {
                let earlier = self.earned_in(member, span, first);
                if span == Span::Ever {
                    earlier.iter().for_each(|other| self.link(link, *other));
                }
                linked.extend(earlier);
            }
            if span == Span::Ever {
                // It reaches far back, and what was settled changes no more.
                linked.retain(|other| !self.fact(*other).is_some_and(|known| self.is_fixed(*other, known)));
            }
            others.extend(linked);
        }
        others
    }

    /// Whether the first version whose rules have a bound over such spans was published after one had begun: what came
    /// before that has no link to it yet.
    fn was_bound_within(&self, office: OfficeId, span: Span, first: Day) -> bool {
        let binds = |terms: &SchemeTerms| {
            let rules = terms.earning.iter().flat_map(|earning| &earning.rules);
            rules.flat_map(spans_of).any(|of| of == span)
        };
        let bound = self.world.schemes.values().filter(|scheme| binds(&scheme.terms));
        let since = bound.map(|scheme| scheme.published).min();
        since.is_some_and(|since| first <= self.day(office, since))
    }

    /// All purchases of a member in a span that begins on a day.
    fn earned_in(&self, member: MemberId, span: Span, first: Day) -> Vec<FactId> {
        self.has(Need::FactsOf(member));
        let is_of = |known: &KnownFact| {
            let is_earn = matches!(&known.fact, Some(Fact { event: Event::Earned(_), .. }));
            is_earn && known.member == Some(member) && span.first_day(known.day) == first
        };
        self.world.facts.iter().filter(|(_, known)| is_of(known)).map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(unit: Unit, amount: i64) -> Item {
        Item { unit, amount: Amount(amount), waits: false, rule: Hash([1; 32]), cap: None, once: None }
    }

    #[test]
    fn kind_23_what_a_case_kept_before_there_were_parts_is_read_as_shared_in_their_order() {
        let of_points = Record { points: Amount(327), gives: Amount(322), parts: None };
        assert_eq!(cbor::encode(&of_points), cbor::encode(&(Amount(327), Amount(322))), "the same bytes");
        let items = [item(Unit::Pts, 320), item(Unit::Pts, 7), item(Unit::Growth, 99)];
        assert_eq!(of_points.each(&items), [Amount(320), Amount(2), Amount(99)]);
        let kept = Record { parts: Some(vec![Amount(320), Amount::ZERO, Amount(50)]), ..of_points };
        let read: Record = cbor::decode(&cbor::encode(&kept)).expect("it was just written");
        assert_eq!(read, kept);
        assert_eq!(read.each(&items), [Amount(320), Amount::ZERO, Amount(50)], "part by part");
    }
}
