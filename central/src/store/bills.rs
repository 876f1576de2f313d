//! What is to pay 应付计算 (S4, S6, S7, S9): what the books know of a member and a price is fetched, and the rule asked.
//!
//! Nothing is kept of it and nothing is used up: the coupon, the points and the birthday are used by acts of their own, when
//! the purchase is made. Out of scope: the order and every condition, which are the rule's ([`hufu_shared::rules::till`]).

use hufu_shared::fact::Paid;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::Amount;
use hufu_shared::rules::birthday::Shown;
use hufu_shared::rules::purchase::{self, Bought, Earns};
use hufu_shared::rules::start::Begun;
use hufu_shared::rules::till::{self, Celebrates, Reckoned, Till};
use hufu_shared::scheme::bill::{BillTerms, LevelDiscount, Step};
use hufu_shared::scheme::{SchemeTerms, Words};
use hufu_shared::time::{Day, Instant};

use super::people::{self, PeopleError};
use super::{birthdays, coupons, levels, money, points, world};
use crate::db::Tx;
use crate::rules::birthdays::used_on;
use crate::rules::coupons::KnownCoupon;
use crate::vault::Vault;

/// The dearest price that is reckoned, in fen: 100 million yuan, so that no sum passes 64 bits.
pub const PRICE_MAX: Amount = Amount(10_000_000_000);
/// Most points that one bill may be asked to take.
pub const POINTS_MAX: i64 = 1_000_000_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Who buys.
    pub member: MemberId,
    /// Where: its business day, its shop's sheets, the version in force there.
    pub office: OfficeRow,
    /// The price in fen, from 0 to [`PRICE_MAX`].
    pub price: Amount,
    /// The coupon, by its name.
    pub coupon: Option<Hash>,
    /// Points that are to pay, from 0 to [`POINTS_MAX`].
    pub points: i64,
    /// Code of the kind of goods; empty for none.
    pub goods: String,
    /// Whether the birthday's discount is asked for.
    pub birthday: bool,
    /// What is shown at the counter.
    pub shown: Shown,
}

/// A bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who goes on in place of the member.
    pub member: MemberId,
    /// The business day.
    pub day: Day,
    /// Version of the scheme that was asked; 0 where none had begun.
    pub scheme: u32,
    /// The coupon, if one was named.
    pub coupon: Option<KnownCoupon>,
    /// The member's level with its discount; none where levels have none, or nobody knows it.
    pub level: Option<LevelDiscount>,
    /// The steps, and what takes nothing off.
    pub reckoned: Reckoned,
    /// What the purchase would earn then.
    pub earns: Earns,
}

/// Why nothing is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReckoned {
    /// There is no such member, or the member does not take part.
    Member,
    /// The price or the points are beyond what a bill takes.
    Beyond,
    /// The coupon may not be used.
    Coupon(coupons::NotUsed),
}

/// Reckons a bill.
///
/// # Errors
/// [`PeopleError`]; in the answer, why nothing is reckoned.
pub fn reckon(
    tx: &mut Tx<'_>,
    vault: &Vault,
    asked: &Asked,
    now: Instant,
) -> Result<Result<Told, NotReckoned>, PeopleError> {
    if !(0..=PRICE_MAX.0).contains(&asked.price.0) || !(0..=POINTS_MAX).contains(&asked.points) {
        return Ok(Err(NotReckoned::Beyond));
    }
    let member = points::survivor(tx, asked.member)?;
    if !birthdays::takes_part(tx, member)? {
        return Ok(Err(NotReckoned::Member));
    }
    let day = asked.office.clock.business_day(now);
    let coupon = match asked.coupon {
        None => None,
        Some(id) => match coupon_of(tx, vault, (member, id), (day, asked.shown))? {
            Ok(known) => Some(known),
            Err(why) => return Ok(Err(NotReckoned::Coupon(why))),
        },
    };
    let base = world::base_of(tx, member)?;
    let scheme = base.scheme_at(base.whose(asked.office.office, member), now).cloned();
    let bills = scheme.as_ref().map(SchemeTerms::bills).unwrap_or_default();
    let row = people::member(tx, member)?;
    let rank = rank(tx, member, row.as_ref().and_then(|row| row.level.as_ref()), &bills)?;
    let issued = birthdays::first_card(tx, member)?;
    // The day of birth is looked at only where its discount is asked for.
    let person = if asked.birthday { vault.reveal(tx, member)? } else { None };
    let born = person.and_then(|person| person.birthday);
    let used = used_on(&birthdays::of_member(tx, member)?);
    let wants = Celebrates { born, used_on: &used, shown: asked.shown };
    let at_till = Till {
        day,
        price: asked.price,
        coupon: Amount(coupon.as_ref().map_or(0, |known| known.given.fen)),
        points: asked.points,
        has_points: points::has(tx, member)?.available,
        rank,
        has_card: asked.shown.card,
        is_issue_day: issued.is_some_and(|at| asked.office.clock.business_day(at) == day),
        birthday: asked.birthday.then_some(wants),
    };
    let Ok(reckoned) = till::reckon(&bills, &at_till) else { return Ok(Err(NotReckoned::Beyond)) };
    // As the ledger has it: of whom no file said a day, the day of the import.
    let verified = money::standing(tx, member)?.map(|known| known.joined);
    let Some(earns) = earns(scheme.as_ref(), (asked, &reckoned), (day, verified)) else {
        return Ok(Err(NotReckoned::Beyond));
    };
    let level = bills.levels.iter().find(|level| Some(level.rank) == rank).cloned();
    let scheme = scheme.map_or(0, |terms| terms.version);
    Ok(Ok(Told { member, day, scheme, coupon, level, reckoned, earns }))
}

/// A coupon of the member that may be used now.
fn coupon_of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (member, id): (MemberId, Hash),
    (day, shown): (Day, Shown),
) -> Result<Result<KnownCoupon, coupons::NotUsed>, PeopleError> {
    let Some(known) = coupons::coupon(tx, id)? else { return Ok(Err(coupons::NotUsed::Unknown)) };
    if points::survivor(tx, known.given.member)? != member {
        return Ok(Err(coupons::NotUsed::Unknown));
    }
    Ok(coupons::check(tx, vault, &known, (day, shown))?.map(|()| known))
}

/// The rank that a member holds: by the steps of the level, and of who never moved by the level's name, as terminals read it;
/// none for a name that the version does not know.
fn rank(
    tx: &mut Tx<'_>,
    member: MemberId,
    name: Option<&Words>,
    bills: &BillTerms,
) -> Result<Option<u8>, PeopleError> {
    let known = levels::level(tx, member)?;
    Ok(known.map_or_else(|| bills.rank_of(name), |known| Some(known.standing.rank)))
}

/// What the purchase earns, as the ledger will reckon it; none beyond 64 bits.
fn earns(
    scheme: Option<&SchemeTerms>,
    (asked, reckoned): (&Asked, &Reckoned),
    (day, verified): (Day, Option<Day>),
) -> Option<Earns> {
    let Some(terms) = scheme else { return Some(Earns::default()) };
    let (goods, bill) = (asked.goods.clone(), &reckoned.bill);
    let (coupon, by_points) = (bill.taken(Step::Coupon), bill.taken(Step::Points));
    let paid = Paid { goods, coupon, by_points, ..Paid::default() };
    // A purchase is told with a card at hand, as the ledger takes it.
    let begun = Begun { card_issued: Some(day), main_card: Some(day), verified };
    let (money, office) = (bill.to_pay, asked.office.code.as_str());
    purchase::earns(terms, &Bought { money, paid: Some(&paid), office, day, begun }).ok()
}
