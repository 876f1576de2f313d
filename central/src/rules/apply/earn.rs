//! Purchases: what each is worth in points and growth, whether it counts, what bounds and returns leave of it.
//!
//! A purchase is judged by the rules in force at its time ([`worth`], kind 17), once per sale however often its slip is written
//! (kind 32), by what bounds its member's purchases over all offices ([`bounds`], kind 23), and less what was returned of
//! it (kinds 31 and 24). What it is worth rests on other facts, so whatever concerns one purchase marks all that share a
//! slip, or the span of a bound, with it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hufu_shared::cbor;
use hufu_shared::fact::{Earned, Event, Fact, Visited};
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::upload::Became;

use super::Work;
use super::edge::KIND_DOUBTFUL;
use super::fault::plain;
use super::held::is_discarded;
use super::ledger::{Cause, Flow};
use super::matter::Matter;
use crate::rules::judge::order::Place;
use crate::rules::judge::rate::Rated;
use crate::rules::judge::slip::{self, SlipFact};
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{KnownFact, Standing};
use crate::rules::{links, need::Need};

mod bounds;
mod worth;

use bounds::Left;
pub use worth::{KIND_APPROVAL, approval_case};
use worth::{UNITS, Worth};

/// Number of the conflict kind "double tap".
pub(super) const KIND_REPEAT: u8 = 2;
/// Number of the conflict kind "scheme or rule changed while offline".
const KIND_RATE: u8 = 17;
/// Number of the conflict kind "earn cap passed across offices".
const KIND_CAP: u8 = 23;
/// Number of the conflict kind "same slip twice".
const KIND_SLIP: u8 = 32;
/// Number of the case about what passed a limit of issuing. It is no disagreement of two sides, so it has no number
/// among the conflict kinds.
pub(super) const KIND_OVER_LIMIT: u8 = 40;

/// A purchase that is one: of a known member and no repeat.
struct Sale<'a> {
    id: FactId,
    known: &'a KnownFact,
    fact: &'a Fact,
    earned: &'a Earned,
    member: MemberId,
}

impl Work {
    /// Marks a purchase, and all whose worth hangs together with it.
    pub(super) fn touch_earn(&mut self, id: FactId) {
        let mut marked = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if !marked.insert(id) {
                continue;
            }
            let Some(known) = self.fact(id).cloned() else { continue };
            let Some(Fact { event: Event::Earned(earned), .. }) = &known.fact else { continue };
            for key in earned.slip.iter().chain(&earned.replaces) {
                open.extend(self.linked(links::slip(key)));
            }
            if earned.promised.is_empty() {
                // Its returns are measured by what it gives.
                self.dirty.insert(Matter::Reversals(id));
            }
            let Some(member) = self.owner(&known, &earned.subject) else { continue };
            open.extend(self.bound_with(id, &known, member));
        }
        self.dirty.extend(marked.into_iter().map(Matter::Earn));
    }

    /// Judges one purchase: what it gives to whom.
    pub(super) fn judge_earn(&mut self, id: FactId) {
        let Some(known) = self.fact(id).cloned() else { return };
        let Some(fact) = &known.fact else { return };
        let Event::Earned(earned) = &fact.event else { return };
        if !is_judged(&known) || is_discarded(&known) {
            return;
        }
        let Some(member) = self.owner(&known, &earned.subject) else {
            self.hold_for_card(id, earned.subject.token);
            return;
        };
        if self.is_repeat(id, fact, earned.repeats) {
            self.stand(id, Standing::of(Became::Merged, KIND_REPEAT, None), Some(member));
            return;
        }
        let sale = Sale { id, known: &known, fact, earned, member };
        let worth = self.worth(&sale);
        let left = self.left(&sale, &worth);
        if !self.is_fixed(id, &known) {
            let standing = self.earn_standing(&sale, &worth, &left);
            self.stand(id, standing, Some(member));
            if standing.became != known.standing.became {
                self.review_offer(id);
            }
        }
        let cause = self.fact_cause(id, &known, fact);
        let scheme = worth.rated.version(fact.scheme);
        let held = Account::Held(posting::fact_cause(id));
        for unit in UNITS {
            let (own, waits) = left.split(unit, is_held(&known));
            let rule = Some(worth.rule(unit));
            let cause = Cause { member: Some(member), rule, scheme, ..cause.clone() };
            let flow = |credit, amount| Flow {
                debit: Account::Issuer(known.office),
                credit,
                leg: Leg { unit, amount },
                code: PostingCode::EarnPurchase,
            };
            let flows = [flow(Account::Available(member), own), flow(held, waits)];
            self.settle_units(&cause, &flows, &[unit]);
        }
    }

    /// Whether the sale of a slip is this purchase's; opens or grows the case about a slip with several facts.
    fn has_the_sale(&mut self, sale: &Sale<'_>) -> bool {
        if self.is_fixed(sale.id, sale.known) {
            return had_the_sale(sale.known);
        }
        if sale.earned.slip.is_none() && sale.earned.replaces.is_none() {
            return true;
        }
        let family = self.slip_family(sale.id);
        let slips = slip::judge(&family);
        for case in slips.cases.iter().filter(|case| case.lines.iter().any(|line| line.place.fact == sale.id))
        {
            let key = cbor::encode(&case.slip);
            let mut fresh = self.fresh_case(KIND_SLIP, "one_counts");
            fresh.member = Some(sale.member);
            fresh.detail.clone_from(&key);
            let facts: BTreeSet<FactId> = case.lines.iter().map(|line| line.place.fact).collect();
            if case.doubled || case.lines.iter().any(|line| line.is_new) {
                self.case_of(posting::case_id(KIND_SLIP, &[&key]), fresh, facts);
            }
        }
        slips.counts.contains(&sale.id)
    }

    /// Whose purchase it is; none for one that has no part in any set: set aside, without an owner, or a repeat. The rules are
    /// asked, not only how it stands: of what has just arrived that is not said yet, and a set would depend on which came
    /// first.
    fn buyer(&self, id: FactId, known: &KnownFact, fact: &Fact, earned: &Earned) -> Option<MemberId> {
        let has_part = is_judged(known) && !self.is_repeat(id, fact, earned.repeats);
        has_part.then(|| self.owner(known, &earned.subject)).flatten()
    }

    /// All purchases that share a slip with this one, directly or through others.
    fn slip_family(&self, id: FactId) -> Vec<SlipFact> {
        // Who is looked at is not who belongs: a settled purchase without the sale leads to others, and is left out.
        let (mut family, mut seen) = (BTreeMap::new(), BTreeSet::new());
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let Some(known) = self.fact(id) else { continue };
            let Some(fact @ Fact { event: Event::Earned(earned), .. }) = &known.fact else { continue };
            if self.buyer(id, known, fact, earned).is_none() {
                continue;
            }
            for key in earned.slip.iter().chain(&earned.replaces) {
                open.extend(self.linked(links::slip(key)));
            }
            let fixed = self.is_fixed(id, known);
            if fixed && !had_the_sale(known) {
                continue;
            }
            let fact = SlipFact {
                place: Place { t: known.at, fact: id },
                slip: earned.slip.clone(),
                replaces: earned.replaces.clone(),
                pin: known.pin.or(fixed.then_some(true)),
            };
            family.insert(id, fact);
        }
        family.into_values().collect()
    }

    /// How a purchase stands: the strongest of what is to be said of it. What was to be said before and is no question
    /// any more, because another fact of its slip has the sale, say, ends with that.
    fn earn_standing(&mut self, sale: &Sale<'_>, worth: &Worth, left: &Left) -> Standing {
        let (id, known) = (sale.id, sale.known);
        let standing = self.earn_stands(sale, worth, left);
        self.note_once(sale, left);
        let was = known.standing.kind.filter(|was| standing.kind != Some(*was));
        match was {
            Some(KIND_CAP) => {
                self.end_case(cap_case(id), "not_cut");
            }
            Some(KIND_RATE) => {
                self.end_case(posting::case_id(KIND_RATE, &[&posting::fact_cause(id).0]), "as_decided");
            }
            Some(KIND_DOUBTFUL) => self.end_doubt(id, known.pin.is_none()),
            Some(KIND_APPROVAL) if known.pin.is_none() => self.end_case(approval_case(id), "nothing_waits"),
            _ => {}
        }
        standing
    }

    fn earn_stands(&mut self, sale: &Sale<'_>, worth: &Worth, left: &Left) -> Standing {
        let (id, known) = (sale.id, sale.known);
        if known.pin == Some(false) {
            return Standing { became: Became::NoEffect, kind: None, case: None };
        }
        if !worth.counts {
            return Standing::of(Became::NoEffect, KIND_SLIP, None);
        }
        if is_held(known) {
            let case = posting::case_id(KIND_OVER_LIMIT, &[&posting::fact_cause(id).0]);
            return Standing::of(Became::Held, KIND_OVER_LIMIT, Some(case));
        }
        if left.waits() {
            return self.waits_for_approval(sale, left);
        }
        if left.is_cut() {
            let case = cap_case(id);
            let mut fresh = self.fresh_case(KIND_CAP, "cut");
            fresh.member = Some(sale.member);
            fresh.detail = cbor::encode(&left.record());
            self.case(case, fresh, [id]);
            return Standing::of(Became::AppliedWithCase, KIND_CAP, Some(case));
        }
        if let Some(standing) = self.doubtful_earn(sale) {
            return standing;
        }
        match worth.rated {
            Rated::AsDecided | Rated::Open { .. } => plain(id, known),
            Rated::InGrace { .. } | Rated::Again { .. } => self.rate_case(sale, worth),
        }
    }

    /// The case about a purchase that another version than the terminal's was in force for.
    fn rate_case(&mut self, sale: &Sale<'_>, worth: &Worth) -> Standing {
        let case = posting::case_id(KIND_RATE, &[&posting::fact_cause(sale.id).0]);
        let automatic = if matches!(worth.rated, Rated::Again { .. }) { "rated_again" } else { "honoured" };
        let promised = sale.earned.promised.iter().find(|leg| leg.unit == Unit::Pts);
        let mut fresh = self.fresh_case(KIND_RATE, automatic);
        fresh.member = Some(sale.member);
        let old = promised.map_or(Amount::ZERO, |leg| leg.amount);
        fresh.detail = cbor::encode(&(old, worth.of(Unit::Pts)));
        self.case(case, fresh, [sale.id]);
        Standing::of(Became::AppliedWithCase, KIND_RATE, Some(case))
    }

    /// The cause of what one fact comes to.
    pub(super) fn fact_cause(&self, id: FactId, known: &KnownFact, fact: &Fact) -> Cause {
        Cause {
            hash: posting::fact_cause(id),
            member: known.member,
            fact: Some(id),
            case: None,
            at: known.at,
            day: known.day,
            scheme: fact.scheme,
            rule: None,
            repays_recovery: false,
        }
    }

    /// A visit by a fact.
    pub(super) fn visited(&mut self, id: FactId, known: &KnownFact, visited: &Visited) {
        let Some(fact) = &known.fact else { return };
        let Some(member) = self.owner(known, &visited.subject) else {
            self.hold_for_card(id, visited.subject.token);
            return;
        };
        let is_repeat = self.is_repeat(id, fact, None);
        let standing =
            if is_repeat { Standing::of(Became::Merged, KIND_REPEAT, None) } else { known.standing };
        self.stand(id, standing, Some(member));
    }

    /// Whether a fact repeats an earlier one of the same terminal: as the terminal says and the centre finds, or as
    /// the centre finds by itself.
    pub(super) fn is_repeat(&self, id: FactId, fact: &Fact, said: Option<u64>) -> bool {
        let Some(tap) = hufu_shared::rules::repeat::Tap::of(fact) else { return false };
        let token = tap.key.subject.0;
        self.has(Need::Taps(id.device, id.epoch, token));
        let Some(taps) = self.world.taps.get(&token) else { return false };
        let window = self.scheme(fact.scheme).map_or(0, |scheme| scheme.repeat_window_s);
        let first = FactId { seq: 0, ..id };
        // Who went the other way in between repeats nothing.
        let opposite = tap.key.opposite();
        let went_back = |earlier: FactId| {
            let between = (Bound::Excluded(earlier), Bound::Excluded(id));
            taps.range(between).any(|(_, opened)| opposite.as_ref() == Some(&opened.key))
        };
        taps.range(first..id).any(|(earlier, opened)| {
            let again = tap.repeats(opened, window) && !went_back(*earlier);
            again || (said == Some(earlier.seq) && tap.key == opened.key)
        })
    }
}

/// The case about a purchase of which caps cut something off.
fn cap_case(id: FactId) -> Hash {
    posting::case_id(KIND_CAP, &[&posting::fact_cause(id).0])
}

/// Whether a purchase passed a limit of issuing, and no person let it pass yet.
fn is_held(known: &KnownFact) -> bool {
    known.over_limit && known.pin != Some(true)
}

/// Whether a purchase of a settled day was the one of its sale, held above a limit or not.
fn had_the_sale(known: &KnownFact) -> bool {
    known.standing.became != Became::NoEffect
}

/// Whether a fact is to be judged at all: it is no repeat, not set aside, and not of a member erased before it came.
pub(super) fn is_judged(known: &KnownFact) -> bool {
    let is_repeat = known.standing.is_same(&Standing::of(Became::Merged, KIND_REPEAT, None));
    !is_repeat && !super::people::is_orphan(known) && known.standing.became != Became::Quarantined
}
