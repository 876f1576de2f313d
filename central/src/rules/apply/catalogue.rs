//! Redemption from the catalogue (K24, S5, P2): one member, one thing, at once or when another person approved it; and
//! taking it back.
//!
//! The rule decides when it is asked for, by the catalogue, the level and the purchase as they are then; what was decided
//! stands until it is approved, and points, shelf and purchase are looked at again. It is one cause: points go to the
//! sink of the office, a gift comes off its shelf, cash is given as stored value, a coupon goes to the books of coupons;
//! all of it or nothing. Taking it back posts the opposite of that cause.
//!
//! An offer whose purchase came back afterwards loses its ground: what it had spared is taken, and what the member does not
//! have is owed, which is a case for a person (kind 24). Goods that were handed over are never taken back by reckoning.

use hufu_shared::act::{ItemDecided, ItemRedeemed, ItemTakenBack, Redeems};
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::scheme::redemption::RedeemKind;
use hufu_shared::time::Day;

use super::Work;
use super::ledger::Flow;
use super::redemption::flows;
use crate::rules::catalogue::{self, Asker, Purchase, State, Terms};
use crate::rules::need::{self, Need};
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{Decided, KnownRedemption};

/// The rule that special offers stand for.
const RULE_P2: &str = "P2";

impl Work {
    fn item_redemption(&self, id: Hash) -> Option<&KnownRedemption> {
        self.has(Need::Redemption(id));
        self.world.redemptions.by_id.get(&id)
    }

    fn keep_redemption(&mut self, known: KnownRedemption) {
        let id = known.asked.id;
        if let Some(purchase) = known.asked.what.purchase() {
            let opened = &mut self.world.redemptions.opened;
            match known.state.stands() {
                true => opened.insert(purchase, id),
                false => opened.remove(&purchase),
            };
        }
        self.world.redemptions.by_id.insert(id, known.clone());
        self.outcome.redemptions.insert(id, known);
    }

    /// A member redeems, or asks to. What the rule refuses has no effect, whatever a shell overlooked.
    pub(super) fn item_redeemed(&mut self, asked: &ItemRedeemed) {
        if self.item_redemption(asked.id).is_some() {
            return;
        }
        let asked = ItemRedeemed { member: self.survivor(asked.member), ..asked.clone() };
        let day = self.day(asked.office, self.received);
        let Some((terms, waits)) = self.item_terms(&asked, day) else { return };
        let state = if waits { State::Waiting } else { State::Done };
        let (name, at, asker) = (self.item_name(&asked.what), self.received, self.by_name());
        let mut known =
            KnownRedemption { asked, name, terms, at, day, asker, state, pieces: 0, decided: None };
        if waits || self.give_item(&mut known) {
            self.on_record(&known, "item_redeemed", known.asked.reason);
            self.keep_redemption(known);
        }
    }

    /// What was typed about it goes with the member's own record, and so with the member's data when that is erased.
    fn on_record(&mut self, known: &KnownRedemption, what: &str, reason: Hash) {
        self.edited_from(known.asked.member, what, Some(reason), (None, None));
    }

    /// What a redemption comes to, by the catalogue in force.
    fn item_terms(&self, asked: &ItemRedeemed, day: Day) -> Option<(Terms, bool)> {
        let has = self.has_points(asked.member);
        let rank = self.rank_held(asked.member);
        let purchase = asked.what.purchase().and_then(|id| self.opening_purchase(id));
        let asker = Asker { member: asked.member, day, rank, available: has.available };
        let rules = self.world.policy.catalogue.as_ref().filter(|_| has.takes_part && has.may_debit)?;
        catalogue::terms(rules, &asked.what, asker, purchase).ok()
    }

    /// The rank that a member holds now.
    pub(super) fn rank_held(&self, member: MemberId) -> u8 {
        self.has(Need::Level(member));
        let held = self.world.levels.get(&member).map(|known| known.standing.rank);
        let base = || self.world.policy.levels.as_ref().map_or(0, |ladder| ladder.scheme().base_rank());
        held.unwrap_or_else(base)
    }

    fn item_name(&self, what: &Redeems) -> Option<Words> {
        let Redeems::Item { code, .. } = what else { return None };
        self.world.policy.catalogue.as_ref()?.item(code).map(|item| item.name.clone())
    }

    /// A purchase as offers see it, with who goes on in place of its member.
    fn opening_purchase(&self, id: FactId) -> Option<Purchase> {
        need::of_purchase(id).into_iter().for_each(|need| {
            self.has(need);
        });
        let seen = catalogue::purchase(&self.world, id)?;
        Some(Purchase { member: seen.member.map(|member| self.survivor(member)), ..seen })
    }

    /// Whether the purchase that a redemption rests on bears it still.
    fn has_its_ground(&self, known: &KnownRedemption) -> bool {
        let purchase = known.asked.what.purchase();
        purchase.is_none_or(|id| self.opening_purchase(id).is_some_and(|seen| seen.falls().is_none()))
    }

    /// Takes the points and gives what they buy; whether there was all that it takes.
    fn give_item(&mut self, known: &mut KnownRedemption) -> bool {
        let (id, office) = (known.asked.id, known.asked.office);
        let (member, hash) = (self.survivor(known.asked.member), posting::item_cause(id));
        let (has, points) = (self.has_points(member), known.terms.points);
        let may = has.takes_part && has.may_debit && (1..=has.available).contains(&points);
        if !may || self.was_posted(hash) {
            return false;
        }
        if let Some(item) = known.asked.what.stock().filter(|_| known.terms.kind == RedeemKind::Gift) {
            known.pieces = i64::from(self.stock(item, office).is_some());
            if !self.take_one(item, office, hash) {
                return false;
            }
        }
        let cause = self.cause_here(hash, member, office, known.terms.rule.clone());
        self.settle(&cause, &flows((office, member), (points, known.terms.paid_fen())));
        if let Some(given) = catalogue::coupon(id, member, &known.terms, cause.day) {
            self.coupon_bought(given, cause.scheme);
        }
        true
    }

    /// One that waited is approved or returned, by another person than who asked. It is approved only while all is there
    /// that it takes.
    pub(super) fn item_decided(&mut self, decided: &ItemDecided) {
        let by = self.by_name();
        let Some(mut known) = self.item_redemption(decided.redemption).cloned() else { return };
        if known.state != State::Waiting || self.is_own(&known.asker) {
            return;
        }
        if decided.approved && !(self.has_its_ground(&known) && self.give_item(&mut known)) {
            return;
        }
        self.on_record(&known, "item_decided", decided.reason);
        known.state = if decided.approved { State::Done } else { State::Returned };
        known.decided = Some(Decided { at: self.received, by, reason: decided.reason });
        self.keep_redemption(known);
    }

    /// One is taken back; one that waits is withdrawn.
    pub(super) fn item_taken_back(&mut self, back: &ItemTakenBack) {
        let by = self.by_name();
        let Some(known) = self.item_redemption(back.redemption).cloned() else { return };
        let may = match known.state {
            State::Waiting => true,
            State::Done => self.return_item(&known),
            State::Returned | State::TakenBack => false,
        };
        if may {
            self.on_record(&known, "item_taken_back", back.reason);
            let decided = Some(Decided { at: self.received, by, reason: back.reason });
            self.keep_redemption(KnownRedemption { state: State::TakenBack, decided, ..known });
        }
    }

    /// Gives the points back for what was got; whether that is there still: stored value that was not spent, a coupon
    /// that was not used.
    fn return_item(&mut self, known: &KnownRedemption) -> bool {
        let (id, office) = (known.asked.id, known.asked.office);
        let member = self.survivor(known.asked.member);
        let (has, fen) = (self.has_points(member), known.terms.paid_fen());
        let has_fen = self.purse(member, Unit::Cny).available >= fen;
        let has_value = fen == 0 || (has_fen && has.may_debit && !self.world.is_frozen(member, Unit::Cny));
        let coupon = catalogue::coupon_id(id);
        let is_used = self.coupon(coupon).is_some_and(|coupon| coupon.used.is_some());
        if !has.takes_part || !has_value || is_used {
            return false;
        }
        let cause = self.cause_here(posting::item_cause(id), member, office, known.terms.rule.clone());
        self.settle(&cause, &[]);
        if let Some(item) = known.asked.what.stock().filter(|_| known.pieces > 0) {
            self.put_back_one(item, office, cause.hash);
        }
        self.coupon_ended(coupon, cause.day);
        self.settle_offer(known, 0);
        true
    }

    /// A purchase of an earlier entry stands otherwise, or something came back of it: the offer that it opened is looked at
    /// again. One that this entry brought opened none yet.
    pub(super) fn review_offer(&mut self, purchase: FactId) {
        if self.fresh.contains_key(&purchase) {
            return;
        }
        self.has(Need::OpenedBy(purchase));
        let Some(id) = self.world.redemptions.opened.get(&purchase).copied() else { return };
        let Some(known) = self.item_redemption(id).filter(|known| known.state == State::Done).cloned() else {
            return;
        };
        let spared = known.terms.normal.saturating_sub(known.terms.points);
        let missing = if self.has_its_ground(&known) { 0 } else { spared };
        self.settle_offer(&known, missing);
    }

    /// What is due for a redemption beside its cost.
    fn settle_offer(&mut self, known: &KnownRedemption, missing: i64) {
        let hash = posting::offer_lost_cause(known.asked.id);
        if missing == 0 && !self.was_posted(hash) {
            return;
        }
        let (member, office) = (self.survivor(known.asked.member), known.asked.office);
        let cause = self.cause_here(hash, member, office, RULE_P2.to_owned());
        let flow = Flow {
            debit: Account::Available(member),
            credit: Account::Redeemed(office),
            leg: Leg { unit: Unit::Pts, amount: Amount(missing) },
            code: PostingCode::OfferLost,
        };
        self.settle(&cause, &[flow]);
    }
}
