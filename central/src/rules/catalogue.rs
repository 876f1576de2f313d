//! Redemption from the catalogue 目录兑换 (K24, S5, P2), as plain functions: what a thing costs a member now, which purchase
//! opens a special offer, where a redemption stands, and the coupon that one may be.
//!
//! The library's rule decides ([`redeem`]), as it does in what-if; here is what it is asked with. A purchase opens one
//! offer at most: it is the member's own, of the business day of the redemption, counts, and nothing of it came back. Out
//! of scope: postings and shelves ([`super::apply`]), and words.

use hufu_shared::act::{CouponGiven, CouponWhy, Redeems};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::rules::redeem::{self, Ask, NotRedeemed, Redeemed};
use hufu_shared::scheme::redemption::{RedeemKind, Redemption};
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::links;
use super::world::{KnownFact, World};

/// Where a redemption is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 待审: it waits for another person; nothing was taken yet.
    Waiting,
    /// The points are taken, and what they buy is given.
    Done,
    /// It was returned and has no effect.
    Returned,
    /// It was taken back: the points are there again.
    TakenBack,
}

impl State {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 4] = [
        (Self::Waiting, "waiting"),
        (Self::Done, "done"),
        (Self::Returned, "returned"),
        (Self::TakenBack, "taken_back"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("waiting", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether it was not returned or taken back: the purchase that it names opens no other offer.
    #[must_use]
    pub fn stands(self) -> bool {
        matches!(self, Self::Waiting | Self::Done)
    }
}

/// What a redemption comes to, as it was decided when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What is given.
    pub kind: RedeemKind,
    /// Points that it costs, above zero.
    pub points: i64,
    /// Points that it costs normally.
    pub normal: i64,
    /// What it is worth in fen: paid into stored value for cash, the worth of a coupon.
    pub fen: i64,
    /// Number of the rule.
    pub rule: String,
}

impl Terms {
    /// Stored value that is given, in fen.
    #[must_use]
    pub fn paid_fen(&self) -> i64 {
        if self.kind == RedeemKind::Cash { self.fen } else { 0 }
    }
}

/// Who asks, when, with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// The member who goes on in place of who is named.
    pub member: MemberId,
    /// The business day at the office.
    pub day: Day,
    /// The member's rank.
    pub rank: u8,
    /// Points that can be taken now.
    pub available: i64,
}

/// A purchase, as offers look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// Whose it is; none for nobody's.
    pub member: Option<MemberId>,
    /// Its business day.
    pub day: Day,
    /// What was paid, in fen.
    pub fen: i64,
    /// Whether it has its effect, and does not wait for a person.
    pub counts: bool,
    /// Whether anything of it came back.
    pub is_returned: bool,
    /// Whether it opened an offer before.
    pub is_used: bool,
}

impl Purchase {
    /// Why it cannot bear an offer; none where it can.
    #[must_use]
    pub fn falls(&self) -> Option<NotOpened> {
        match (self.counts, self.is_returned) {
            (false, _) => Some(NotOpened::Void),
            (true, true) => Some(NotOpened::Returned),
            (true, false) => None,
        }
    }
}

/// Why a purchase opens no special offer (P2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// There is no such purchase.
    #[error("no such purchase")]
    Unknown,
    /// It is somebody else's.
    #[error("the purchase is another member's")]
    Others,
    /// It waits for a person, or has no effect.
    #[error("the purchase does not count")]
    Void,
    /// Something of it came back.
    #[error("something of the purchase was returned")]
    Returned,
    /// It is of another business day.
    #[error("the purchase is of {met}, not of {needs}")]
    Day {
        /// The day of the redemption.
        needs: Day,
        /// The purchase's.
        met: Day,
    },
    /// It opened an offer before.
    #[error("the purchase opened an offer before")]
    Used,
    /// There is no offer of this item for the member.
    #[error("no special offer of this item for the member")]
    NoOffer,
    /// It is too small.
    #[error("a purchase of {needs} fen is needed, met {met}")]
    Small {
        /// Fen that are needed.
        needs: i64,
        /// Fen that were paid.
        met: i64,
    },
}

/// Why something cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHad {
    /// The rule of the catalogue says no.
    #[error(transparent)]
    Rule(#[from] NotRedeemed),
    /// The purchase that was named opens nothing.
    #[error(transparent)]
    Purchase(#[from] NotOpened),
}

/// What a redemption comes to, and whether it must wait for another person.
///
/// # Errors
/// [`NotHad`] with the first reason why not. A purchase that was named and opens nothing is one: nobody shall pay the
/// normal cost who meant the other.
pub fn terms(
    rules: &Redemption,
    what: &Redeems,
    asker: Asker,
    purchase: Option<Purchase>,
) -> Result<(Terms, bool), NotHad> {
    let ask = |purchase_fen| Ask { day: asker.day, rank: asker.rank, balance: asker.available, purchase_fen };
    let redeemed = match what {
        Redeems::Cash { points } if *points <= 0 => {
            return Err(NotRedeemed::Short { needs: *points, has: asker.available }.into());
        }
        Redeems::Cash { points } => redeem::cash(rules, *points, ask(0))?,
        Redeems::Item { code, purchase: named, .. } => {
            let fen = match (named, purchase) {
                (None, _) => 0,
                (Some(_), None) => return Err(NotOpened::Unknown.into()),
                (Some(_), Some(_)) if rules.item(code).is_none() => 0,
                (Some(_), Some(purchase)) => opens(rules, code, asker, purchase)?,
            };
            redeem::item(rules, code, ask(fen))?
        }
    };
    let Redeemed { kind, points, normal, worth_fen, pending, rule } = redeemed;
    Ok((Terms { kind, points, normal, fen: worth_fen, rule: rule.to_owned() }, pending))
}

/// Fen of a purchase that opens an offer of an item.
fn opens(rules: &Redemption, code: &str, asker: Asker, purchase: Purchase) -> Result<i64, NotOpened> {
    let of_item = rules.special_offers.iter().filter(|of| of.item == code && asker.rank >= of.min_rank);
    let needs = of_item.map(|of| of.min_purchase_fen).min().ok_or(NotOpened::NoOffer)?;
    if purchase.member != Some(asker.member) {
        Err(NotOpened::Others)
    } else if let Some(why) = purchase.falls() {
        Err(why)
    } else if purchase.day != asker.day {
        Err(NotOpened::Day { needs: asker.day, met: purchase.day })
    } else if purchase.is_used {
        Err(NotOpened::Used)
    } else if purchase.fen < needs {
        Err(NotOpened::Small { needs, met: purchase.fen })
    } else {
        Ok(purchase.fen)
    }
}

/// A purchase of a world that holds it, what came back of it, and the offer that it opened; none if there is no such
/// purchase.
#[must_use]
pub fn purchase(world: &World, id: FactId) -> Option<Purchase> {
    let known = world.facts.get(&id)?;
    let Some(Fact { event: Event::Earned(earned), .. }) = &known.fact else { return None };
    let returns = world.linked.get(&links::reversals(id)).into_iter().flatten();
    let came_back = returns.filter_map(|back| world.facts.get(back)).any(counts);
    Some(Purchase {
        member: known.member,
        day: known.day,
        fen: earned.purchase.0,
        counts: counts(known),
        is_returned: came_back || known.at_desk.is_some(),
        is_used: world.redemptions.opened.contains_key(&id),
    })
}

fn counts(known: &KnownFact) -> bool {
    matches!(known.standing.became, Became::Applied | Became::AppliedWithCase)
}

/// The name of the coupon that a redemption gives.
#[must_use]
pub fn coupon_id(redemption: Hash) -> Hash {
    Hash::of(&[b"hufu-coupon-redeemed", &redemption.0])
}

/// The coupon that a redemption gives from a day on; none where it gives none, or one without a worth, which the books of
/// coupons cannot hold: that is recorded with its kind alone.
#[must_use]
pub fn coupon(redemption: Hash, member: MemberId, terms: &Terms, from: Day) -> Option<CouponGiven> {
    let (id, fen) = (coupon_id(redemption), terms.fen);
    let is_coupon = terms.kind == RedeemKind::Coupon && fen > 0;
    is_coupon.then_some(CouponGiven { id, member, why: CouponWhy::Redeemed, fen, from, until: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::scheme::redemption::Item;
    use hufu_shared::scheme::{Scheme, Words, ready};

    const WHO: MemberId = MemberId([1; 16]);

    fn pharmacy() -> Redemption {
        let scheme: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        Redemption::of(&scheme).expect("a catalogue")
    }

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn asker(available: i64) -> Asker {
        Asker { member: WHO, day: day("2026-11-22"), rank: 1, available }
    }

    fn bought(fen: i64) -> Purchase {
        let (member, day) = (Some(WHO), day("2026-11-22"));
        Purchase { member, day, fen, counts: true, is_returned: false, is_used: false }
    }

    fn named() -> Redeems {
        let fact = FactId { device: hufu_shared::ids::DeviceId([9; 16]), epoch: 1, seq: 2 };
        Redeems::Item { code: "gift".to_owned(), stock: None, purchase: Some(fact) }
    }

    #[test]
    fn rule_p02_a_purchase_of_480_yuan_opens_one_offer_of_that_day_for_its_own_member() {
        let asked = |purchase| terms(&pharmacy(), &named(), asker(6_000), Some(purchase));
        let (cheap, waits) = asked(bought(48_000)).expect("opened");
        assert_eq!((cheap.points, cheap.normal, cheap.rule.as_str(), waits), (1_000, 5_000, "P2", false));
        let refused = |purchase| asked(purchase).expect_err("no offer");
        let small = NotOpened::Small { needs: 48_000, met: 47_999 };
        assert_eq!(refused(bought(47_999)), small.into());
        let others = Purchase { member: Some(MemberId([2; 16])), ..bought(48_000) };
        assert_eq!(refused(others), NotOpened::Others.into());
        assert_eq!(refused(Purchase { member: None, ..bought(48_000) }), NotOpened::Others.into());
        let before = Purchase { day: day("2026-11-21"), ..bought(48_000) };
        let met = before.day;
        assert_eq!(refused(before), NotOpened::Day { needs: day("2026-11-22"), met }.into());
        assert_eq!(refused(Purchase { is_used: true, ..bought(48_000) }), NotOpened::Used.into());
        assert_eq!(refused(Purchase { is_returned: true, ..bought(48_000) }), NotOpened::Returned.into());
        assert_eq!(refused(Purchase { counts: false, ..bought(48_000) }), NotOpened::Void.into());
        let ordinary = Asker { rank: 0, ..asker(6_000) };
        let no_gold = terms(&pharmacy(), &named(), ordinary, Some(bought(48_000)));
        assert_eq!(no_gold.expect_err("for gold"), NotOpened::NoOffer.into());
        let nothing = terms(&pharmacy(), &named(), asker(6_000), None);
        assert_eq!(nothing.expect_err("no such purchase"), NotOpened::Unknown.into());
    }

    #[test]
    fn rule_s05_cash_stands_for_its_months_and_nothing_is_had_for_nothing() {
        let rules = Redemption { months_open: vec![6, 12], cash_per_point_fen: 100, ..Redemption::default() };
        let open = Asker { day: day("2026-12-01"), ..asker(300) };
        let (cash, _) = terms(&rules, &Redeems::Cash { points: 200 }, open, None).expect("open");
        assert_eq!((cash.points, cash.paid_fen(), cash.rule.as_str()), (200, 20_000, "S5"));
        let closed = terms(&rules, &Redeems::Cash { points: 200 }, asker(300), None);
        assert_eq!(closed.expect_err("November"), NotRedeemed::Closed { month: 11 }.into());
        for points in [0, -1, 301] {
            let refused = terms(&rules, &Redeems::Cash { points }, open, None).expect_err("not to be had");
            assert_eq!(refused, NotRedeemed::Short { needs: points, has: 300 }.into(), "{points}");
        }
    }

    #[test]
    fn rule_k24_a_coupon_has_the_worth_of_its_item_and_other_kinds_give_none() {
        let item = |kind, value_fen| Item {
            code: "x".to_owned(),
            name: Words { zh: "券".to_owned(), en: "Coupon".to_owned() },
            kind,
            cost: 50,
            value_fen,
            min_rank: 0,
            months_open: Vec::new(),
        };
        let asks = Redeems::Item { code: "x".to_owned(), stock: None, purchase: None };
        for (kind, value_fen, gives) in [
            (RedeemKind::Coupon, 500, Some(500)),
            (RedeemKind::Coupon, 0, None),
            (RedeemKind::Lottery, 500, None),
            (RedeemKind::OrderPay, 500, None),
            (RedeemKind::Cash, 500, None),
        ] {
            let rules = Redemption { items: vec![item(kind, value_fen)], ..Redemption::default() };
            let (terms, _) = terms(&rules, &asks, asker(50), None).expect("enough");
            let coupon = coupon(Hash([7; 32]), WHO, &terms, asker(0).day);
            assert_eq!(coupon.map(|given| given.fen), gives, "{kind:?}");
            assert_eq!(terms.paid_fen(), if kind == RedeemKind::Cash { 500 } else { 0 });
            assert_eq!(terms.rule, "K24");
        }
        for (state, code) in State::CODES {
            assert_eq!((state.code(), State::from_code(code)), (code, Some(state)));
        }
    }
}
