//! Goods handed over: never taken back, only flagged. Handed out twice (kind 34), beyond the stock (kind 16), beyond
//! what a member may use in a period (kind 33).

use std::collections::BTreeMap;

use hufu_shared::fact::{Event, HandedOut};
use hufu_shared::ids::{FactId, Hash, ItemId, MemberId, OfficeId};
use hufu_shared::policy::UseLimit;
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::Work;
use super::earn::is_judged;
use super::fault::plain;
use super::matter::Matter;
use crate::rules::judge::handout::{self, Handed};
use crate::rules::judge::order::Place;
use crate::rules::judge::stock::{self, Take};
use crate::rules::judge::uselimit::{self, Use};
use crate::rules::links;
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing};

/// Number of the conflict kind "gift stock short".
const KIND_STOCK: u8 = 16;
/// Number of the conflict kind "spend or use limit passed".
const KIND_USE_LIMIT: u8 = 33;
/// Number of the conflict kind "handed out twice".
const KIND_HANDED_TWICE: u8 = 34;

/// What a fact took from a stock.
enum Taken {
    /// A gift.
    Goods(HandedOut),
    /// A blank card, for a member.
    BlankCard,
}

impl Taken {
    fn quantity(&self) -> u32 {
        match self {
            Self::Goods(handed) => handed.quantity,
            Self::BlankCard => 1,
        }
    }
}

impl Work {
    /// Something was handed out.
    pub(super) fn handed_out(&mut self, id: FactId, known: &KnownFact, handed: &HandedOut) {
        let Some(member) = self.owner(known, &handed.subject) else {
            self.hold_for_card(id, handed.subject.token);
            return;
        };
        self.stand(id, plain(id, known), Some(member));
        self.link(links::hand_out(member, handed.occurrence, handed.item), id);
        self.link(links::stock(handed.item, known.office), id);
        self.touch_handed(id, member, handed);
        self.touch_uses(id, member, known.day);
    }

    /// Marks a hand-out, and all others of its member, occurrence and item wherever they were.
    pub(super) fn touch_handed(&mut self, id: FactId, member: MemberId, handed: &HandedOut) {
        let others = self.linked(links::hand_out(member, handed.occurrence, handed.item));
        for id in others.into_iter().chain([id]) {
            if let Some(office) = self.fact(id).map(|known| known.office) {
                self.touch_goods(handed.item, office);
            }
        }
    }

    /// Marks everything that was ever handed out of one stock.
    pub(super) fn touch_goods(&mut self, item: ItemId, office: OfficeId) {
        self.dirty.insert(Matter::Goods(item, office));
    }

    /// Judges everything that took from one stock: hand-outs, and blank cards that were given to members.
    pub(super) fn judge_goods(&mut self, item: ItemId, office: OfficeId) {
        let facts = self.taken(links::stock(item, office));
        let takes: Vec<Take> = facts
            .iter()
            .filter(|(_, known, _)| known.pin != Some(false))
            .map(|(id, known, taken)| Take {
                place: Place { t: known.at, fact: *id },
                quantity: taken.quantity(),
                pin: (known.pin == Some(true) || self.was_filled(*id, known)).then_some(taken.quantity()),
            })
            .collect();
        let came_in = self.book_counts(item, office, &takes);
        let filled = came_in.map(|came_in| stock::judge(came_in, &takes));
        for (id, known, taken) in &facts {
            let short = filled.as_ref().and_then(|filled| filled.get(id)).map_or(0, |filled| filled.short);
            let Taken::Goods(handed) = taken else {
                self.say_short(*id, known, short);
                continue;
            };
            let twice = known.member.is_some_and(|member| self.judge_twice(member, handed, *id));
            let standing = self.goods_standing(*id, known, twice, short);
            if !self.was_filled(*id, known) {
                self.stand(*id, standing, known.member);
            }
        }
        if let Some(filled) = filled {
            let drawn = filled.values().map(|filled| i64::from(filled.gets)).sum();
            self.book_drawn(item, office, drawn);
        }
    }

    /// Whether a hand-out was in stock when its day was settled.
    fn was_filled(&self, id: FactId, known: &KnownFact) -> bool {
        known.standing.kind != Some(KIND_STOCK) && self.is_fixed(id, known)
    }

    fn goods_standing(&mut self, id: FactId, known: &KnownFact, twice: bool, short: u32) -> Standing {
        if known.pin == Some(false) {
            return Standing { became: Became::NoEffect, kind: None, case: None };
        }
        let case = self.say_short(id, known, short);
        match (twice, short) {
            (true, _) => Standing::of(Became::AppliedWithCase, KIND_HANDED_TWICE, None),
            (false, 0) => plain(id, known),
            (false, _) => Standing::of(Became::AppliedWithCase, KIND_STOCK, Some(case)),
        }
    }

    /// Puts what the stock does not cover before a person, or ends that.
    fn say_short(&mut self, id: FactId, known: &KnownFact, short: u32) -> Hash {
        let case = posting::case_id(KIND_STOCK, &[&posting::fact_cause(id).0]);
        if short > 0 {
            let mut fresh = self.fresh_case(KIND_STOCK, "backordered");
            fresh.member = known.member;
            fresh.detail = short.to_be_bytes().to_vec();
            self.case(case, fresh, [id]);
        } else {
            self.end_case(case, "filled");
        }
        case
    }

    /// Whether a hand-out is beyond the first of its member, occurrence and item; opens the case that shows all.
    fn judge_twice(&mut self, member: MemberId, handed: &HandedOut, id: FactId) -> bool {
        let facts = self.handed(links::hand_out(member, handed.occurrence, handed.item));
        let all: Vec<Handed> = facts
            .iter()
            .filter(|(_, known, _)| known.member == Some(member))
            .map(|(id, known, handed)| Handed {
                id: *id,
                t: known.at,
                member,
                occurrence: handed.occurrence,
                item: handed.item,
                pin: known.pin,
            })
            .collect();
        let about: [&[u8]; 3] = [&member.0, &handed.occurrence.0, &handed.item.0];
        let case = posting::case_id(KIND_HANDED_TWICE, &about);
        let Some(twice) = handout::handed_twice(&all).into_values().next() else {
            self.end_case(case, "once");
            return false;
        };
        let mut fresh = self.fresh_case(KIND_HANDED_TWICE, "kept");
        (fresh.member, fresh.occurrence) = (Some(member), Some(handed.occurrence));
        self.case_of(case, fresh, twice.iter().copied().collect());
        twice.first() != Some(&id) && twice.contains(&id)
    }

    /// All hand-outs with a link.
    fn handed(&self, link: Hash) -> Vec<(FactId, KnownFact, HandedOut)> {
        let goods = |(id, known, taken)| match taken {
            Taken::Goods(handed) => Some((id, known, handed)),
            Taken::BlankCard => None,
        };
        self.taken(link).into_iter().filter_map(goods).collect()
    }

    /// All facts with a link that took something.
    fn taken(&self, link: Hash) -> Vec<(FactId, KnownFact, Taken)> {
        let facts = self.linked(link).into_iter().filter_map(|id| Some((id, self.fact(id)?.clone())));
        let taken = facts.filter(|(_, known)| is_judged(known)).filter_map(|(id, known)| {
            let taken = match &known.fact.as_ref()?.event {
                Event::HandedOut(handed) => Taken::Goods(handed.clone()),
                Event::CardReplaced(_) => Taken::BlankCard,
                _ => return None,
            };
            Some((id, known, taken))
        });
        taken.collect()
    }

    /// Marks what a member spent or used in every period that a limit counts.
    pub(super) fn touch_uses(&mut self, id: FactId, member: MemberId, day: Day) {
        for limit in self.world.policy.use_limits.clone() {
            self.link(links::used(member, limit.period.first_day(day)), id);
        }
        if !self.world.policy.use_limits.is_empty() {
            self.dirty.insert(Matter::Uses(member, day));
        }
    }

    /// Judges a member's uses under every limit, in the periods that hold a day.
    pub(super) fn judge_uses(&mut self, member: MemberId, day: Day) {
        for (at, limit) in (0_u32..).zip(self.world.policy.use_limits.clone()) {
            let period = limit.period.first_day(day);
            let uses = self.uses(member, period, &limit);
            let flagged: BTreeMap<FactId, _> = uselimit::judge(&limit, &uses);
            let case =
                posting::case_id(KIND_USE_LIMIT, &[&member.0, &at.to_be_bytes(), &period.0.to_be_bytes()]);
            if flagged.is_empty() {
                self.end_case(case, "within");
            } else {
                let mut fresh = self.fresh_case(KIND_USE_LIMIT, "kept");
                fresh.member = Some(member);
                fresh.detail = hufu_shared::cbor::encode(&limit);
                self.case_of(case, fresh, flagged.into_keys().collect());
            }
        }
    }

    fn uses(&self, member: MemberId, period: Day, limit: &UseLimit) -> Vec<Use> {
        let facts = self.linked(links::used(member, period)).into_iter();
        let known = facts.filter_map(|id| Some((id, self.fact(id)?)));
        let counted = known.filter(|(_, known)| is_judged(known) && known.pin != Some(false));
        let uses = counted.filter_map(|(id, known)| {
            let amount = match &known.fact.as_ref()?.event {
                Event::Spent(spent) => uselimit::counted(limit.of, &spent.legs, None),
                Event::HandedOut(handed) => {
                    uselimit::counted(limit.of, &[], Some((handed.item, handed.quantity)))
                }
                _ => return None,
            };
            let place = Place { t: known.at, fact: id };
            Some(Use { place, day: known.day, amount, is_accepted: known.pin == Some(true) })
        });
        uses.collect()
    }
}
