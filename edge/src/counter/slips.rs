//! Slips, amounts and reasons as staff type them, for what moves value. Pure: text in, an order's parts or a reason out.
//!
//! What a form leaves out is filled in by the run loop: the shop is the office, the date is today.

use hufu_shared::fact::{Paid, REASON_MISTAKE};
use hufu_shared::ids::ItemId;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::Day;
use serde::Deserialize;

use super::forms::{Number, Refused, yuan};
use super::port::{ModeOrder, Order, SlipTyped, WhichTyped};

/// Characters of a slip's number or shop at most.
const SLIP_CHARS_MAX: usize = 40;
/// Digits of a count of points at most.
const POINTS_CHARS_MAX: usize = 12;
/// Characters of a code of goods at most, as schemes bound their codes.
const GOODS_CHARS_MAX: usize = 40;
/// All of a price, in per cent.
const WHOLE_PERCENT: u8 = 100;
/// Dictionary codes of the ways to pay stored value in.
pub const METHODS: [&str; 5] = ["cash", "card", "wechat", "alipay", "transfer"];
/// Dictionary codes of the reasons for taking something back.
pub const REASONS: [&str; 2] = ["return", REASON_MISTAKE];

/// What staff typed, or nothing: a field that was left empty is not there.
fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// A number as printed: full-width forms are folded, spaces are not part of it.
fn printed(text: &str) -> Result<String, Refused> {
    let folded: String = text
        .chars()
        .map(|c| match u32::from(c) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
            _ => c,
        })
        .filter(|c| !c.is_whitespace())
        .collect();
    // A capital may be longer than its small letter: what is kept is what is measured.
    let kept = folded.to_uppercase();
    let wrong =
        kept.is_empty() || kept.chars().count() > SLIP_CHARS_MAX || kept.chars().any(char::is_control);
    if wrong { Err(Refused::Slip) } else { Ok(kept) }
}

/// A slip from its number and, if given, its date and shop.
pub(super) fn slip(
    number: Option<&str>,
    date: Option<&str>,
    shop: Option<&str>,
) -> Result<Option<SlipTyped>, Refused> {
    let Some(number) = given(number) else { return Ok(None) };
    let date = given(date).map(|date| date.parse::<Day>().map_err(|_| Refused::Slip)).transpose()?;
    let shop = given(shop).map(printed).transpose()?;
    Ok(Some(SlipTyped { number: printed(number)?, date, shop }))
}

/// Points as people type them, above zero.
pub(super) fn points(text: &str) -> Result<Amount, Refused> {
    let plain: String = text.chars().filter(|c| !matches!(c, '分' | '\u{3000}' | ' ')).collect();
    if plain.chars().count() > POINTS_CHARS_MAX {
        return Err(Refused::Points);
    }
    match Amount::parse(&plain, Unit::Pts) {
        Ok(amount) if amount.is_positive() => Ok(amount),
        _ => Err(Refused::Points),
    }
}

/// Legs of what is to be spent: points, yuan, or both.
pub(super) fn legs(typed_points: Option<&str>, typed_yuan: Option<&str>) -> Result<Vec<Leg>, Refused> {
    let points = given(typed_points).map(points).transpose()?;
    let value = given(typed_yuan).map(yuan).transpose()?;
    let points = points.map(|amount| Leg { unit: Unit::Pts, amount });
    let value = value.map(|amount| Leg { unit: Unit::Cny, amount });
    let legs: Vec<Leg> = points.into_iter().chain(value).collect();
    if legs.is_empty() { Err(Refused::Points) } else { Ok(legs) }
}

/// What a slip says beside the money: yuan that a coupon and points paid, a kind of goods by its code, and per cent of the
/// price that were received; none if it says nothing of these.
pub(super) fn paid(
    (coupon, by_points): (Option<&str>, Option<&str>),
    goods: Option<&str>,
    received: Option<&str>,
) -> Result<Option<Paid>, Refused> {
    let fen = |text: Option<&str>| given(text).map(yuan).transpose().map(Option::unwrap_or_default);
    let goods = given(goods).unwrap_or_default();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if goods.chars().count() > GOODS_CHARS_MAX || !goods.chars().all(plain) {
        return Err(Refused::Slip);
    }
    let (coupon, by_points) = (fen(coupon)?, fen(by_points)?);
    let received_percent = given(received).map_or(Ok(WHOLE_PERCENT), percent)?;
    let paid = Paid { goods: goods.to_owned(), received_percent, coupon, by_points };
    Ok((paid != Paid::default()).then_some(paid))
}

/// Per cent as people type them, 0 to 100.
fn percent(text: &str) -> Result<u8, Refused> {
    let plain: String = text.chars().filter(|c| !matches!(c, '%' | '％' | '\u{3000}' | ' ')).collect();
    if plain.chars().count() > POINTS_CHARS_MAX {
        return Err(Refused::Slip);
    }
    let typed = Amount::parse(&plain, Unit::Pts).ok().and_then(|typed| u8::try_from(typed.0).ok());
    typed.filter(|percent| *percent <= WHOLE_PERCENT).ok_or(Refused::Slip)
}

/// Stored value to be paid in or out: how much, by which way, on which slip.
pub(super) fn money(
    amount: Option<&str>,
    method: Option<&str>,
    slip: Option<SlipTyped>,
) -> Result<(Amount, String, SlipTyped), Refused> {
    let amount = yuan(amount.unwrap_or_default())?;
    let method = METHODS.into_iter().find(|code| method == Some(code)).ok_or(Refused::Request)?;
    // Money changes hands: without its slip nobody can find it again.
    let slip = slip.ok_or(Refused::Slip)?;
    Ok((amount, method.to_owned(), slip))
}

/// An item to be handed out, by its id and, if given, that of its activity.
pub(super) fn hand_out(
    occurrence: Option<&str>,
    item: Option<&str>,
    quantity: Option<u64>,
) -> Result<ModeOrder, Refused> {
    let occurrence = given(occurrence).map(str::parse).transpose().map_err(|_| Refused::Request)?;
    let item: ItemId = given(item).unwrap_or_default().parse().map_err(|_| Refused::Request)?;
    let pieces = |n| u32::try_from(n).ok().filter(|n| *n > 0).ok_or(Refused::Request);
    Ok(ModeOrder::HandOut { occurrence, item, quantity: quantity.map(pieces).transpose()? })
}

/// `POST /reprint`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReprintInput {
    /// The fact.
    pub seq: Option<Number>,
}

impl ReprintInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Request`] without a fact.
    pub fn order(&self) -> Result<Order, Refused> {
        let seq = self.seq.as_ref().ok_or(Refused::Request)?.get()?;
        Ok(Order::Reprint { seq })
    }
}

/// `POST /reverse`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReverseInput {
    /// The fact, if it was picked from the list.
    #[serde(default)]
    pub seq: Option<Number>,
    /// Number of its slip otherwise.
    #[serde(default)]
    pub slip: Option<String>,
    /// Date printed on that slip; today if left out.
    #[serde(default)]
    pub slip_date: Option<String>,
    /// Shop printed on that slip; this office if left out.
    #[serde(default)]
    pub shop: Option<String>,
    /// Points of it, for a part.
    #[serde(default)]
    pub points: Option<String>,
    /// Yuan of it, for a part.
    #[serde(default)]
    pub amount: Option<String>,
    /// One of [`REASONS`].
    pub reason: String,
    /// Number of the slip of the return.
    #[serde(default)]
    pub return_slip: Option<String>,
}

impl ReverseInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused`] with what is wrong.
    pub fn order(&self) -> Result<Order, Refused> {
        let slip_typed = slip(self.slip.as_deref(), self.slip_date.as_deref(), self.shop.as_deref())?;
        let of = match (slip_typed, &self.seq) {
            // What was typed counts: a line of the list may be chosen by mistake, a number is typed on purpose.
            (Some(slip), _) => WhichTyped::Slip(slip),
            (None, Some(seq)) => WhichTyped::Fact(seq.get()?),
            (None, None) => return Err(Refused::Slip),
        };
        let (points, amount) = (given(self.points.as_deref()), given(self.amount.as_deref()));
        let part = match (points, amount) {
            (None, None) => None,
            (Some(_), Some(_)) => return Err(Refused::Request),
            _ => legs(points, amount)?.into_iter().next(),
        };
        let reason = REASONS.into_iter().find(|code| *code == self.reason).ok_or(Refused::Request)?;
        let return_slip = slip(self.return_slip.as_deref(), None, None)?;
        Ok(Order::TakeBack { of, part, reason: reason.to_owned(), slip: return_slip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reverse(json: &str) -> Result<Order, Refused> {
        serde_json::from_str::<ReverseInput>(json).unwrap().order()
    }

    #[test]
    fn slips_are_folded_so_that_the_same_slip_is_the_same_however_it_is_typed() {
        let typed = |number| slip(Some(number), Some("2026-11-22"), None).unwrap().unwrap().number;
        assert_eq!(typed("ａ－００１２"), "A-0012");
        assert_eq!(typed(" a-00 12"), "A-0012");
        assert_eq!(slip(Some("  "), None, None), Ok(None));
        let (long, long_when_large) = ("1".repeat(41), "ΐ".repeat(40));
        let day = "2026-11-22";
        for (number, date) in [("1", "22.11.2026"), (&*long, day), ("a\u{7}", day), (&*long_when_large, day)]
        {
            assert_eq!(slip(Some(number), Some(date), None), Err(Refused::Slip), "{number} {date}");
        }
    }

    #[test]
    fn points_yuan_or_both_and_never_nothing() {
        let legs = |points, yuan| legs(Some(points), Some(yuan));
        assert_eq!(legs("１００分", ""), Ok(vec![Leg { unit: Unit::Pts, amount: Amount(100) }]));
        assert_eq!(legs("", "¥20").map(|legs| legs[0].amount), Ok(Amount(2_000)));
        assert_eq!(legs("1,000", "0.5").map(|legs| legs.len()), Ok(2));
        assert_eq!(legs("", " "), Err(Refused::Points));
        for points in ["0", "-5", "1.5", "1e3", "九", "9999999999999"] {
            assert_eq!(legs(points, ""), Err(Refused::Points), "{points}");
        }
        assert_eq!(legs("5", "x"), Err(Refused::Amount));
    }

    #[test]
    fn money_in_or_out_needs_its_slip_and_a_known_way_to_pay() {
        let paper = || slip(Some("7"), None, None).unwrap();
        assert!(money(Some("100"), Some("cash"), paper()).is_ok());
        assert_eq!(money(Some("100"), Some("cash"), None), Err(Refused::Slip));
        assert_eq!(money(Some("100"), Some("barter"), paper()), Err(Refused::Request));
        assert_eq!(money(Some("0"), Some("cash"), paper()), Err(Refused::Amount));
    }

    #[test]
    fn rule_s08_what_is_taken_back_is_picked_from_the_list_or_named_by_its_slip() {
        let picked = reverse(r#"{"seq":"7","slip":"","points":"","amount":"","reason":"return"}"#);
        let Ok(Order::TakeBack { of, part, .. }) = picked else { panic!("{picked:?}") };
        assert_eq!((of, part), (WhichTyped::Fact(7), None));
        let named = reverse(r#"{"seq":"7","slip":"b 12","points":"40","reason":"mistake"}"#);
        let Ok(Order::TakeBack { of: WhichTyped::Slip(slip), part, .. }) = named else { panic!("{named:?}") };
        assert_eq!((slip.number.as_str(), part.map(|leg| leg.amount)), ("B12", Some(Amount(40))));
        assert_eq!(reverse(r#"{"reason":"return"}"#), Err(Refused::Slip));
        assert_eq!(reverse(r#"{"seq":7,"reason":"whim"}"#), Err(Refused::Request));
        assert_eq!(
            reverse(r#"{"seq":7,"points":"1","amount":"1","reason":"return"}"#),
            Err(Refused::Request)
        );
    }
}
