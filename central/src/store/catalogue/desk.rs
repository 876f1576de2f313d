//! The catalogue at the desk: what each thing costs a member now and why it cannot be had, redeeming, deciding and taking
//! back.
//!
//! Everything is asked in the transaction that takes the act, by the rule that decides again when it is applied
//! ([`rules::terms`]); so a special offer is given once, whoever asks at the same time. Out of scope: who may, and words.

use hufu_shared::act::{
    Act, Actor, ItemDecided, ItemRedeemed, ItemTakenBack, Redeems, StockClass, StockItem,
};
use hufu_shared::fact::Event;
use hufu_shared::ids::{EntryId, FactId, ItemId, MemberId, OfficeId};
use hufu_shared::money::Unit;
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::scheme::Words;
use hufu_shared::scheme::redemption::{Item, RedeemKind, Redemption};
use hufu_shared::time::{Day, Instant, OfficeClock};

use super::super::acts::Note;
use super::super::{
    StoreError, acts, coupons, journal, known, levels, money, people, points, recalls, rows, stock, world,
};
use super::{SQL, redemption};
use crate::db::Tx;
use crate::rules::catalogue::{self as rules, Asker, NotHad, NotOpened, Purchase, State, Terms};
use crate::rules::need;
use crate::rules::points::NotChanged;
use crate::rules::world::{KnownRedemption, World};

/// Purchases of a day that can be chosen.
const PURCHASES_MAX: i64 = 50;

/// Why something is not redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotGot {
    /// The member takes no part, or the centre recovers: as a change of points would be refused.
    Member(NotChanged),
    /// Points buy nothing in this club.
    NoCatalogue,
    /// Too few points.
    Short {
        /// Whose.
        member: MemberId,
        /// Points that are needed.
        needs: i64,
        /// Points that can be taken now.
        has: i64,
        /// Points in leases at terminals.
        escrow: i64,
    },
    /// It is not a month for it.
    Closed {
        /// The month met.
        month: u8,
        /// The months in which it is open.
        open: Vec<u8>,
    },
    /// The catalogue says no for another reason.
    Rule(NotHad),
    /// None is left on the office's shelf.
    Shelf,
}

/// A purchase as offers see it; none if there is no such purchase.
fn purchase(tx: &mut Tx<'_>, id: FactId) -> Result<Option<Purchase>, StoreError> {
    let mut held = World::default();
    for need in need::of_purchase(id) {
        world::fetch(tx, &mut held, need)?;
    }
    let Some(seen) = rules::purchase(&held, id) else { return Ok(None) };
    let member = seen.member.map(|member| points::survivor(tx, member)).transpose()?;
    Ok(Some(Purchase { member, ..seen }))
}

/// Whether somebody counts the item at the office, and none is left.
fn is_gone(tx: &mut Tx<'_>, item: Option<ItemId>, office: OfficeId) -> Result<bool, StoreError> {
    let pieces = item.map_or(Ok(None), |item| stock_of(tx, item, office))?;
    Ok(pieces.is_some_and(|pieces| pieces < 1))
}

/// Who asks at an office now, and what else the member has.
struct Who {
    asker: Asker,
    escrow: i64,
    refused: Option<NotChanged>,
}

fn who(tx: &mut Tx<'_>, member: MemberId, (office, now): (OfficeId, Instant)) -> Result<Who, StoreError> {
    let member = points::survivor(tx, member)?;
    let has = points::has(tx, member)?;
    let row = people::offices(tx)?.into_iter().find(|row| row.office == office);
    let day = row.map_or_else(OfficeClock::default, |row| row.clock).business_day(now);
    let rank = levels::rank(tx, member)?;
    let refused = match (has.takes_part, has.may_debit) {
        (false, _) => Some(NotChanged::Member),
        (true, false) => Some(NotChanged::Recovering),
        (true, true) => None,
    };
    let asker = Asker { member, day, rank, available: has.available };
    Ok(Who { asker, escrow: has.escrow, refused })
}

impl Who {
    /// What something comes to for who asks; or why it is not redeemed.
    fn terms(
        &self,
        rules: &Redemption,
        what: &Redeems,
        opens: Option<Purchase>,
    ) -> Result<(Terms, bool), NotGot> {
        match (self.refused, rules::terms(rules, what, self.asker, opens)) {
            (Some(why), _) => Err(NotGot::Member(why)),
            (None, Ok(terms)) => Ok(terms),
            (None, Err(NotHad::Rule(NotRedeemed::Short { needs, has }))) => Err(self.short(needs, has)),
            (None, Err(NotHad::Rule(NotRedeemed::Closed { month }))) => {
                Err(NotGot::Closed { month, open: months(rules, what) })
            }
            (None, Err(why)) => Err(NotGot::Rule(why)),
        }
    }

    fn short(&self, needs: i64, has: i64) -> NotGot {
        NotGot::Short { member: self.asker.member, needs, has, escrow: self.escrow.max(0) }
    }
}

/// The months in which something is to be had.
fn months(rules: &Redemption, what: &Redeems) -> Vec<u8> {
    let own = match what {
        Redeems::Item { code, .. } => rules.item(code).map(|item| &item.months_open),
        Redeems::Cash { .. } => None,
    };
    own.filter(|months| !months.is_empty()).unwrap_or(&rules.months_open).clone()
}

/// The purchase that is named, as offers see it.
fn named(tx: &mut Tx<'_>, fact: Option<FactId>) -> Result<Option<Purchase>, StoreError> {
    fact.map_or(Ok(None), |id| purchase(tx, id))
}

/// What a redemption would come to now, and whether it would wait.
///
/// # Errors
/// [`StoreError`]; in the answer, what stands against it.
pub fn check(
    tx: &mut Tx<'_>,
    wish: &ItemRedeemed,
    now: Instant,
) -> Result<Result<(Terms, bool), NotGot>, StoreError> {
    let Some(rules) = world::policy(tx)?.catalogue else { return Ok(Err(NotGot::NoCatalogue)) };
    let who = who(tx, wish.member, (wish.office, now))?;
    let opens = named(tx, wish.what.purchase())?;
    let terms = who.terms(&rules, &wish.what, opens);
    let is_gone = is_gone(tx, wish.what.stock(), wish.office)?;
    Ok(if terms.is_ok() && is_gone { Err(NotGot::Shelf) } else { terms })
}

/// What the catalogue has under a code, as an act names it: with the item of stock of that code, if it is a gift.
///
/// # Errors
/// [`StoreError`].
pub fn wanted(tx: &mut Tx<'_>, code: &str, purchase: Option<FactId>) -> Result<Redeems, StoreError> {
    let rules = world::policy(tx)?.catalogue;
    let is_gift = rules.and_then(|rules| rules.item(code).map(|item| item.kind)) == Some(RedeemKind::Gift);
    let stock = if is_gift { stock::item(tx, StockClass::Gift, code)?.map(|item| item.item) } else { None };
    Ok(Redeems::Item { code: code.to_owned(), stock, purchase })
}

/// What an item of the catalogue is called; none for none.
///
/// # Errors
/// [`StoreError`].
pub fn name(tx: &mut Tx<'_>, code: &str) -> Result<Option<Words>, StoreError> {
    let rules = world::policy(tx)?.catalogue;
    Ok(rules.and_then(|rules| rules.item(code).map(|item| item.name.clone())))
}

/// One thing of the catalogue, as a member may have it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The item.
    pub item: Item,
    /// What it costs now, whether or not the member has so much.
    pub cost: i64,
    /// Whether it would wait for another person; or what stands against it.
    pub may: Result<bool, NotGot>,
    /// Pieces on the office's shelf; none where nobody counts them.
    pub pieces: Option<i64>,
}

/// What the catalogue offers a member at an office now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// The business day.
    pub day: Day,
    /// Points that can be taken now.
    pub available: i64,
    /// What one point is worth as cash, in fen; 0 if it is worth none.
    pub cash_per_point_fen: i64,
    /// Each thing.
    pub items: Vec<Offer>,
}

/// What the catalogue offers a member at an office now, each with what stands against it. A purchase that opens no offer of
/// an item leaves that at its normal cost.
///
/// # Errors
/// [`StoreError`].
pub fn offers(
    tx: &mut Tx<'_>,
    (member, office): (MemberId, OfficeId),
    fact: Option<FactId>,
    now: Instant,
) -> Result<Offers, StoreError> {
    let rules = world::policy(tx)?.catalogue.unwrap_or_default();
    let (who, opens) = (who(tx, member, (office, now))?, named(tx, fact)?);
    let gifts = stock::items(tx)?;
    let mut items = Vec::with_capacity(rules.items.len());
    for item in &rules.items {
        let is_it = |gift: &&StockItem| gift.class == StockClass::Gift && gift.code == item.code;
        let stock = gifts.iter().find(is_it).filter(|_| item.kind == RedeemKind::Gift).map(|gift| gift.item);
        let asks = |purchase| Redeems::Item { code: item.code.clone(), stock, purchase };
        let cost = |what: &Redeems| cost(&rules, what, who.asker, opens);
        let no_offer = Err(NotHad::Purchase(NotOpened::NoOffer));
        let what = if cost(&asks(fact)) == no_offer { asks(None) } else { asks(fact) };
        let pieces = match stock {
            Some(gift) => stock_of(tx, gift, office)?,
            None => None,
        };
        let may = match who.terms(&rules, &what, opens) {
            Ok(_) if pieces.is_some_and(|pieces| pieces < 1) => Err(NotGot::Shelf),
            terms => terms.map(|(_, waits)| waits),
        };
        items.push(Offer { item: item.clone(), cost: cost(&what).unwrap_or(item.cost), may, pieces });
    }
    let (day, available) = (who.asker.day, who.asker.available);
    Ok(Offers { day, available, cash_per_point_fen: rules.cash_per_point_fen, items })
}

/// Pieces on the shelf of an office; none where nobody counts them.
fn stock_of(tx: &mut Tx<'_>, item: ItemId, office: OfficeId) -> Result<Option<i64>, StoreError> {
    Ok(stock::shelf(tx, item, office)?.map(|shelf| shelf.on_shelf()))
}

/// What a thing costs now, for who has enough.
fn cost(rules: &Redemption, what: &Redeems, asker: Asker, opens: Option<Purchase>) -> Result<i64, NotHad> {
    let rich = Asker { available: i64::MAX, ..asker };
    rules::terms(rules, what, rich, opens).map(|(terms, _)| terms.points)
}

/// Purchases of a member on the day of an office: which, what was paid in fen, and the slip.
pub type Bought = (FactId, i64, Option<String>);

/// What a member bought on the business day of an office, the oldest first: what may open an offer.
///
/// # Errors
/// [`StoreError`].
pub fn bought(
    tx: &mut Tx<'_>,
    member: MemberId,
    (office, now): (OfficeId, Instant),
) -> Result<Vec<Bought>, StoreError> {
    let asker = who(tx, member, (office, now))?.asker;
    let key = [asker.member.0.into(), i64::from(asker.day.0).into(), PURCHASES_MAX.into()];
    let mut all = Vec::new();
    for row in tx.query(SQL.get("purchases"), &key)? {
        let id = rows::fact_id_at(&row, 0)?;
        if let Some(Event::Earned(earned)) = known::readable(tx, id, row.blob(3)?)?.map(|fact| fact.event) {
            all.push((id, earned.purchase.0, earned.slip.map(|slip| slip.number)));
        }
    }
    Ok(all)
}

/// What became of the wish to redeem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// It was done, or filed for approval, now.
    Now,
    /// It had been under this name.
    Before,
    /// Something else had been redeemed under this name.
    Other,
    /// What stands against it.
    Not(NotGot),
}

/// Redeems as an act, with what was typed about it; the same name once.
///
/// # Errors
/// [`StoreError`], then nothing was changed.
pub fn redeem(
    tx: &mut Tx<'_>,
    wish: &ItemRedeemed,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Got, StoreError> {
    journal::pass_gate(tx, now)?;
    let member = points::survivor(tx, wish.member)?;
    if let Some(known) = redemption(tx, wish.id)? {
        let was = (points::survivor(tx, known.asked.member)?, known.asked.office);
        let is_same = was == (member, wish.office) && known.asked.what.asks_the_same(&wish.what);
        return Ok(if is_same { Got::Before } else { Got::Other });
    }
    if let Err(why) = check(tx, wish, now)? {
        return Ok(Got::Not(why));
    }
    note.put(tx, actor.staff(), now)?;
    let wish = ItemRedeemed { member, ..wish.clone() };
    acts::take(tx, entry, now, actor, &Act::ItemRedeemed(wish))?;
    recalls::end(tx, member, Unit::Pts)?;
    Ok(Got::Now)
}

/// Why a step of a redemption is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotStepped {
    /// It is at another step.
    Changed,
    /// Nobody approves what they asked for.
    Own,
    /// The coupon that it gave was used.
    CouponUsed,
    /// The stored value that it gave was spent, or is frozen.
    ValueSpent,
    /// What stands against it.
    Not(NotGot),
}

/// Approves or returns a redemption that waits; none in the answer if there is no such redemption.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn decide(
    tx: &mut Tx<'_>,
    decided: &ItemDecided,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Option<Result<(), NotStepped>>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = redemption(tx, decided.redemption)? else { return Ok(None) };
    if known.state != State::Waiting {
        return Ok(Some(Err(NotStepped::Changed)));
    }
    if actor.owns(&known.asker) {
        return Ok(Some(Err(NotStepped::Own)));
    }
    if decided.approved
        && let Some(why) = lacks(tx, &known, now)?
    {
        return Ok(Some(Err(NotStepped::Not(why))));
    }
    note.put(tx, actor.staff(), now)?;
    acts::take(tx, entry, now, actor, &Act::ItemDecided(decided.clone()))?;
    if decided.approved {
        let member = points::survivor(tx, known.asked.member)?;
        recalls::end(tx, member, Unit::Pts)?;
    }
    Ok(Some(Ok(())))
}

/// What a redemption that waits lacks by now.
fn lacks(tx: &mut Tx<'_>, known: &KnownRedemption, now: Instant) -> Result<Option<NotGot>, StoreError> {
    let (asked, needs) = (&known.asked, known.terms.points);
    let who = who(tx, asked.member, (asked.office, now))?;
    if let Some(why) = who.refused {
        return Ok(Some(NotGot::Member(why)));
    }
    let has = who.asker.available;
    if has < needs {
        return Ok(Some(who.short(needs, has)));
    }
    let ground = asked.what.purchase().map(|id| purchase(tx, id)).transpose()?;
    if let Some(why) = ground.and_then(|seen| seen.map_or(Some(NotOpened::Unknown), |seen| seen.falls())) {
        return Ok(Some(NotGot::Rule(why.into())));
    }
    Ok(is_gone(tx, asked.what.stock(), asked.office)?.then_some(NotGot::Shelf))
}

/// Takes a redemption back, or withdraws one that waits; none in the answer if there is no such redemption.
///
/// # Errors
/// [`StoreError`], then nothing was changed; in the answer, what stands against it.
pub fn take_back(
    tx: &mut Tx<'_>,
    back: &ItemTakenBack,
    (note, actor): (&Note, &Actor),
    (entry, now): (EntryId, Instant),
) -> Result<Option<Result<(), NotStepped>>, StoreError> {
    journal::pass_gate(tx, now)?;
    let Some(known) = redemption(tx, back.redemption)? else { return Ok(None) };
    let against = match known.state {
        State::Waiting => None,
        State::Done => holds_back(tx, &known, now)?,
        State::Returned | State::TakenBack => Some(NotStepped::Changed),
    };
    if let Some(why) = against {
        return Ok(Some(Err(why)));
    }
    note.put(tx, actor.staff(), now)?;
    acts::take(tx, entry, now, actor, &Act::ItemTakenBack(back.clone()))?;
    Ok(Some(Ok(())))
}

/// What stands against giving the points back: what was got for them is not there any more.
fn holds_back(
    tx: &mut Tx<'_>,
    known: &KnownRedemption,
    now: Instant,
) -> Result<Option<NotStepped>, StoreError> {
    let who = who(tx, known.asked.member, (known.asked.office, now))?;
    let (member, fen) = (who.asker.member, known.terms.paid_fen());
    match who.refused {
        Some(NotChanged::Recovering) if fen == 0 => {}
        Some(why) => return Ok(Some(NotStepped::Not(NotGot::Member(why)))),
        None => {}
    }
    let is_frozen = money::standing(tx, member)?.is_some_and(|known| known.is_value_frozen());
    if fen > 0 && (is_frozen || money::purse(tx, member)?.available < fen) {
        return Ok(Some(NotStepped::ValueSpent));
    }
    let coupon = coupons::coupon(tx, rules::coupon_id(known.asked.id))?;
    Ok(coupon.is_some_and(|coupon| coupon.used.is_some()).then_some(NotStepped::CouponUsed))
}
