//! What is to pay at the till: all that a member brings to a price, whether it may be used there, and what it takes off
//! (rules S4 to S7 and S9).
//!
//! Strings together whether points pay ([`super::redeem`]), whether the birthday may be used ([`super::birthday`]) and the
//! order of calculation ([`super::bill`]); the what-if, the centre and terminals ask here, so none of them reckons another
//! price. What takes nothing off is told with its reason: nobody must wonder where a discount went. Out of scope: which
//! coupon it is, whether it may be used, and what the purchase earns.

use super::bill::{self, Bill, NoDiscount, Sale};
use super::birthday::{self, NoBirthday, Shown};
use super::redeem::{self, Ask, NotRedeemed};
use crate::money::{Amount, AmountOverflow};
use crate::scheme::bill::{BillTerms, Step};
use crate::scheme::bonus::Birthday;
use crate::time::Day;

/// A price, and what a member brings to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Till<'a> {
    /// The business day.
    pub day: Day,
    /// The price in fen, 0 or more.
    pub price: Amount,
    /// Worth of the coupon in fen; 0 for none.
    pub coupon: Amount,
    /// Points that are to count as cash; 0 for none.
    pub points: i64,
    /// Points that the member has.
    pub has_points: i64,
    /// The rank of the member's level; none where nobody here knows it.
    pub rank: Option<u8>,
    /// Whether the card is at hand.
    pub has_card: bool,
    /// Whether the first card was issued on this very day.
    pub is_issue_day: bool,
    /// The birthday, if its discount is asked for.
    pub birthday: Option<Celebrates<'a>>,
}

/// What a birthday's discount is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Celebrates<'a> {
    /// The day of birth, if it is known.
    pub born: Option<Day>,
    /// Days on which the discount was used before.
    pub used_on: &'a [Day],
    /// What is shown at the counter.
    pub shown: Shown,
}

/// Why something that was brought takes nothing off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// The scheme has no such step.
    NotOffered,
    /// Points do not pay here.
    Points(NotRedeemed),
    /// No discount of any kind now.
    Discount(NoDiscount),
    /// Nobody here knows the discount of the member's level.
    Level,
    /// The birthday may not be used.
    Birthday(NoBirthday),
}

/// A price reckoned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoned {
    /// The steps with what each took, and what is to pay.
    pub bill: Bill,
    /// What was brought and takes nothing off, each with its reason, in the order of [`Step`].
    pub left: Vec<(Step, WhyNot)>,
    /// Whether the birthday may be used: then it is used up with this purchase.
    pub celebrates: bool,
}

/// Reckons what is to pay.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn reckon(terms: &BillTerms, till: &Till<'_>) -> Result<Reckoned, AmountOverflow> {
    let (mut left, mut celebrates) = (Vec::new(), false);
    let offers = |step: Step| terms.basis.order.contains(&step);
    let mut sale = Sale {
        price: till.price,
        coupon: till.coupon,
        points: till.points,
        cash_per_point_fen: terms.cash_per_point_fen,
        level_bp: till.rank.map_or(0, |rank| terms.discount_of(rank)),
        birthday_bp: 0,
        has_card: till.has_card,
        is_issue_day: till.is_issue_day,
    };
    if till.coupon.is_positive() && !offers(Step::Coupon) {
        left.push((Step::Coupon, WhyNot::NotOffered));
    }
    if till.points != 0 {
        if let Err(why) = redeem::cash(&terms.redemption(), till.points, ask(till)) {
            sale.points = 0;
            left.push((Step::Points, WhyNot::Points(why)));
        } else if !offers(Step::Points) {
            left.push((Step::Points, WhyNot::NotOffered));
        }
    }
    if let Some(why) = no_level_discount(terms, till, &sale) {
        left.push((Step::LevelDiscount, why));
    }
    if let Some(of) = till.birthday {
        match terms.birthday.as_ref().map(|rule| (rule, may_use(rule, of, till.day))) {
            None => left.push((Step::BirthdayDiscount, WhyNot::NotOffered)),
            Some((_, Err(why))) => left.push((Step::BirthdayDiscount, WhyNot::Birthday(why))),
            Some((rule, Ok(()))) => {
                celebrates = true;
                sale.birthday_bp = rule.discount_bp;
                if let Some(why) = bill::no_discount(&terms.basis, &sale, Step::BirthdayDiscount) {
                    left.push((Step::BirthdayDiscount, WhyNot::Discount(why)));
                } else if rule.discount_bp == 0 || !offers(Step::BirthdayDiscount) {
                    left.push((Step::BirthdayDiscount, WhyNot::NotOffered));
                }
            }
        }
    }
    Ok(Reckoned { bill: bill::reckon(&terms.basis, &sale)?, left, celebrates })
}

fn ask(till: &Till<'_>) -> Ask {
    let (rank, balance) = (till.rank.unwrap_or(0), till.has_points);
    Ask { day: till.day, rank, balance, purchase_fen: till.price.0 }
}

fn may_use(rule: &Birthday, of: Celebrates<'_>, day: Day) -> Result<(), NoBirthday> {
    birthday::may_use(rule, of.born, day, of.used_on, of.shown)
}

/// Why the level takes nothing off, of a member whose level has a discount or may have one.
fn no_level_discount(terms: &BillTerms, till: &Till<'_>, sale: &Sale) -> Option<WhyNot> {
    if till.rank.is_none() {
        return Some(WhyNot::Level);
    }
    if sale.level_bp == 0 {
        return None;
    }
    if !terms.basis.order.contains(&Step::LevelDiscount) {
        return Some(WhyNot::NotOffered);
    }
    bill::no_discount(&terms.basis, sale, Step::LevelDiscount).map(WhyNot::Discount)
}
