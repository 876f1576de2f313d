//! What pages and programs send, and the orders that they become. Pure: text in, [`Order`] or a reason out.
//!
//! Input methods leave full-width digits, signs of currency and spaces behind; they mean the same. Anything else that
//! is not a plain figure is refused, never guessed at.

use hufu_hardware::payment::holds_payment_number;
use hufu_shared::fact::Party;
use hufu_shared::ids::OccurrenceId;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::token::{CardText, MediumKind};
use serde::Deserialize;

use super::port::{Declined, ModeOrder, Order, SlipTyped, Verdict};
use super::slips;

/// What stands before the id of an occurrence where the button means leaving it.
pub const OUT_PREFIX: &str = "out-";
/// Characters of an amount that are looked at.
const AMOUNT_CHARS_MAX: usize = 32;
/// Fen at most of what is typed at once, ten thousand million yuan: a figure beyond it is a slip of the hand.
const FEN_MAX: i64 = 1_000_000_000_000;

/// What is wrong with what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The daemon declined the order.
    #[error(transparent)]
    Declined(#[from] Declined),
    /// Not an amount above zero with at most two decimals.
    #[error("amount expected as yuan above 0 with at most two decimals")]
    Amount,
    /// Not a count of points above zero.
    #[error("points expected as a whole number above 0")]
    Points,
    /// Not a slip: its number is missing or too long, or its date is none.
    #[error("slip expected with its number, and its date as year-month-day")]
    Slip,
    /// Not a card number.
    #[error("card number expected as letters and digits")]
    Number,
    /// Anything else that no page of ours sends.
    #[error("no such mode, verdict or field")]
    Request,
}

impl Refused {
    /// The key of what staff are told.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Amount => "counter-declined-amount",
            Self::Points => "counter-declined-points",
            Self::Slip => "counter-declined-slip",
            Self::Number => "counter-declined-number",
            Self::Request => "counter-declined-request",
            Self::Declined(Declined::NotRunning) => "counter-declined-running",
            Self::Declined(Declined::Amount) => "counter-declined-amount-limit",
            Self::Declined(Declined::NothingLeft) => "counter-declined-nothing_left",
            Self::Declined(Declined::TooMuch) => "counter-declined-too_much",
            Self::Declined(Declined::Companions) => "counter-declined-companions",
            Self::Declined(Declined::TooLate) => "counter-declined-too_late",
            Self::Declined(Declined::Offline) => "counter-declined-offline",
            Self::Declined(Declined::SlipUsed) => "counter-declined-slip_used",
            Self::Declined(Declined::Short) => "counter-declined-short",
            Self::Declined(Declined::AlreadyOpen) => "counter-declined-already_open",
            Self::Declined(Declined::NoReason) => "counter-declined-no_reason",
            Self::Declined(Declined::OtherList) => "counter-declined-other_list",
            Self::Declined(Declined::NotHere) => "counter-declined-not_here",
            Self::Declined(Declined::Locked) => "counter-declined-locked",
            Self::Declined(Declined::Supervisor) => "counter-declined-supervisor",
            Self::Declined(Declined::OtherRole) => "counter-declined-other_role",
            Self::Declined(Declined::Stale) => "counter-declined-stale",
            Self::Declined(Declined::Unable) => "counter-declined-unable",
            Self::Declined(Declined::Busy) => "counter-declined-busy",
        }
    }
}

/// `POST /mode`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeInput {
    /// `visit`, `look_up`, `earn`, `spend`, `top_up`, `cash_out`, `hand_out`, `report_lost`, `replace`, `back`, `check_in`,
    /// `check_out`, `hand_out:` with an occurrence and an item, the id of an occurrence, or that with `out-` before it.
    pub mode: String,
    /// The occurrence, with `check_in`, `check_out` and `hand_out`.
    #[serde(default)]
    pub occurrence: Option<String>,
    /// Yuan as people write them, with `earn`, `spend`, `top_up` and `cash_out`.
    #[serde(default)]
    pub amount: Option<String>,
    /// Points as people write them, with `spend`.
    #[serde(default)]
    pub points: Option<String>,
    /// Code of the way to pay, with `top_up` and `cash_out`.
    #[serde(default)]
    pub method: Option<String>,
    /// Number of the slip.
    #[serde(default)]
    pub slip: Option<String>,
    /// Date printed on it; today if left out.
    #[serde(default)]
    pub slip_date: Option<String>,
    /// Shop printed on it; this office if left out.
    #[serde(default)]
    pub shop: Option<String>,
    /// Number of the slip that it re-creates, with `earn`.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Date printed on that one.
    #[serde(default)]
    pub replaces_date: Option<String>,
    /// Yuan that a coupon paid, with `earn` and a slip.
    #[serde(default)]
    pub coupon: Option<String>,
    /// Yuan that points paid, with `earn` and a slip.
    #[serde(default)]
    pub by_points: Option<String>,
    /// Code of the kind of goods, with `earn` and a slip.
    #[serde(default)]
    pub goods: Option<String>,
    /// Per cent of the price that was received, with `earn` and a slip; 100 if left out.
    #[serde(default)]
    pub received: Option<String>,
    /// Id of the item, with `hand_out`.
    #[serde(default)]
    pub item: Option<String>,
    /// How many, with `hand_out`.
    #[serde(default)]
    pub quantity: Option<Number>,
    /// How many companions come with the next member, with `check_in`; left out for those who were announced.
    #[serde(default)]
    pub companions: Option<Number>,
    /// Number of the guest whose card is replaced, with `replace`.
    #[serde(default)]
    pub guest: Option<Number>,
}

impl ModeInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused`] with what is wrong.
    pub fn order(&self) -> Result<Order, Refused> {
        let occurrence = |text: &str| text.parse::<OccurrenceId>().map_err(|_| Refused::Request);
        let named = self.occurrence.as_deref().unwrap_or_default();
        let paper = || slips::slip(self.slip.as_deref(), self.slip_date.as_deref(), self.shop.as_deref());
        let mode = match self.mode.as_str() {
            "visit" => ModeOrder::Visit,
            "look_up" => ModeOrder::LookUp,
            "back" => ModeOrder::Back,
            "earn" => self.earn(paper()?)?,
            "spend" => {
                let legs = slips::legs(self.points.as_deref(), self.amount.as_deref())?;
                ModeOrder::Spend { legs, slip: paper()? }
            }
            "top_up" => {
                let (amount, method, slip) = self.money(paper()?)?;
                ModeOrder::TopUp { amount, method, slip }
            }
            "cash_out" => {
                let (amount, method, slip) = self.money(paper()?)?;
                ModeOrder::CashOut { amount, method, slip }
            }
            "hand_out" => {
                let quantity = self.quantity.as_ref().map(Number::get).transpose()?;
                slips::hand_out(self.occurrence.as_deref(), self.item.as_deref(), quantity)?
            }
            // As the page's own button names it: activity and item in one word.
            gift if gift.starts_with("hand_out:") => {
                let mut ids = gift.split(':').skip(1);
                slips::hand_out(ids.next(), ids.next(), None)?
            }
            "report_lost" => ModeOrder::ReportLost,
            "replace" => ModeOrder::Replace(self.guest.as_ref().ok_or(Refused::Request)?.get()?),
            "check_in" => self.check_in(occurrence(named)?)?,
            "check_out" => ModeOrder::CheckOut(occurrence(named)?),
            id => match id.strip_prefix(OUT_PREFIX) {
                Some(id) => ModeOrder::CheckOut(occurrence(id)?),
                None => ModeOrder::CheckIn(occurrence(id)?),
            },
        };
        Ok(Order::SetMode(mode))
    }

    fn check_in(&self, occurrence: OccurrenceId) -> Result<ModeOrder, Refused> {
        let Some(typed) = &self.companions else { return Ok(ModeOrder::CheckIn(occurrence)) };
        let companions = typed.get().ok().and_then(|companions| u32::try_from(companions).ok());
        let companions = companions.ok_or(Declined::Companions)?;
        Ok(ModeOrder::CheckInParty(Party { occurrence, companions }))
    }

    fn money(&self, slip: Option<SlipTyped>) -> Result<(Amount, String, SlipTyped), Refused> {
        slips::money(self.amount.as_deref(), self.method.as_deref(), slip)
    }

    fn earn(&self, slip: Option<SlipTyped>) -> Result<ModeOrder, Refused> {
        let amount = yuan(self.amount.as_deref().unwrap_or_default())?;
        let replaces =
            slips::slip(self.replaces.as_deref(), self.replaces_date.as_deref(), self.shop.as_deref())?;
        let beside = (self.coupon.as_deref(), self.by_points.as_deref());
        let paid = slips::paid(beside, self.goods.as_deref(), self.received.as_deref())?;
        match (slip, replaces, paid) {
            (Some(slip), replaces, paid) => Ok(ModeOrder::EarnSlip { amount, slip, replaces, paid }),
            (None, None, None) => Ok(ModeOrder::Earn(amount)),
            // A slip is re-created by another slip, and says more than the money: not a purchase without one.
            (None, _, _) => Err(Refused::Slip),
        }
    }
}

/// `POST /typed`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedInput {
    /// The number as typed.
    pub number: String,
}

impl TypedInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Number`].
    pub fn order(&self) -> Result<Order, Refused> {
        // A bank card held instead of the club's: its number is not ours to look up.
        if holds_payment_number(&self.number) {
            return Err(Refused::Number);
        }
        CardText::number(MediumKind::Typed, &self.number).map(Order::Typed).map_err(|_| Refused::Number)
    }
}

/// `POST /typed/verdict`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateInput {
    /// The candidate that was on the page.
    pub n: Number,
    /// `yes` or `no`.
    pub verdict: String,
}

impl CandidateInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Request`].
    pub fn order(&self) -> Result<Order, Refused> {
        let n = self.n.get()?;
        match self.verdict.as_str() {
            "yes" => Ok(Order::Confirm { n }),
            "no" => Ok(Order::Dismiss { n }),
            _ => Err(Refused::Request),
        }
    }
}

/// `POST /notices`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeInput {
    /// The notice that was read.
    pub n: Number,
}

impl NoticeInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Request`].
    pub fn order(&self) -> Result<Order, Refused> {
        Ok(Order::Acknowledge { n: self.n.get()? })
    }
}

/// `POST /unshown`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnshownInput {
    /// The fact's seq.
    pub seq: Number,
    /// `handed_over` or `undo`.
    pub verdict: String,
}

impl UnshownInput {
    /// The order.
    ///
    /// # Errors
    /// [`Refused::Request`].
    pub fn order(&self) -> Result<Order, Refused> {
        let verdict = match self.verdict.as_str() {
            "handed_over" => Verdict::HandedOver,
            "undo" => Verdict::Undo,
            _ => return Err(Refused::Request),
        };
        Ok(Order::Resolve { seq: self.seq.get()?, verdict })
    }
}

/// A number that a form sends as text and a program may send as a number.
#[derive(Debug, Default)]
pub struct Number(Option<u64>);

impl Number {
    pub(super) fn get(&self) -> Result<u64, Refused> {
        self.0.ok_or(Refused::Request)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a whole number")
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(Some(value)))
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Number, E> {
                Ok(Number(value.parse().ok()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Yuan as people type them, above zero: full-width forms, a sign of currency, `元` and spaces are folded away.
pub(super) fn yuan(text: &str) -> Result<Amount, Refused> {
    if text.chars().count() > AMOUNT_CHARS_MAX {
        return Err(Refused::Amount);
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '¥' | '￥' | '元' | '\u{3000}' | ' ')).collect();
    // Some input methods give an ideographic full stop for the point key.
    let plain = plain.replace('。', ".");
    match Amount::parse(&plain, Unit::Cny) {
        Ok(amount) if (1..=FEN_MAX).contains(&amount.0) => Ok(amount),
        _ => Err(Refused::Amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earn(amount: &str) -> Result<Order, Refused> {
        ModeInput { mode: "earn".into(), amount: Some(amount.into()), ..ModeInput::default() }.order()
    }

    #[test]
    fn amounts_are_folded_and_never_guessed_at() {
        for (typed, fen) in [
            ("320", 32_000),
            ("３２０．５", 32_050),
            ("¥ 1,234.50", 123_450),
            ("￥９９元", 9_900),
            ("99。9", 9_990),
            ("0.01", 1),
            ("10,000,000,000", FEN_MAX),
        ] {
            assert_eq!(earn(typed), Ok(Order::SetMode(ModeOrder::Earn(Amount(fen)))), "{typed}");
        }
        let long = "1".repeat(40);
        for typed in [
            "",
            "0",
            "0.00",
            "-5",
            "1.234",
            "1e3",
            "12.5.1",
            "九十九",
            "∞",
            "99999999999999999999",
            "¥0,28088888884588850",
            "10000000000.01",
            &long,
        ] {
            assert_eq!(earn(typed), Err(Refused::Amount), "{typed}");
        }
    }

    #[test]
    fn modes_are_named_or_given_by_the_id_of_an_occurrence() {
        let id = OccurrenceId([7; 16]);
        let input = |mode: &str| ModeInput { mode: mode.into(), ..ModeInput::default() };
        assert_eq!(input("visit").order(), Ok(Order::SetMode(ModeOrder::Visit)));
        assert_eq!(input("back").order(), Ok(Order::SetMode(ModeOrder::Back)));
        assert_eq!(input(&id.to_string()).order(), Ok(Order::SetMode(ModeOrder::CheckIn(id))));
        let named = ModeInput { occurrence: Some(id.to_string()), ..input("check_in") };
        assert_eq!(named.order(), Ok(Order::SetMode(ModeOrder::CheckIn(id))));
        for leaving in [
            input(&format!("{OUT_PREFIX}{id}")),
            ModeInput { occurrence: Some(id.to_string()), ..input("check_out") },
        ] {
            assert_eq!(leaving.order(), Ok(Order::SetMode(ModeOrder::CheckOut(id))));
        }
        for (companions, order) in [
            (Some(Number(Some(2))), Ok(ModeOrder::CheckInParty(Party { occurrence: id, companions: 2 }))),
            (Some(Number(Some(0))), Ok(ModeOrder::CheckInParty(Party { occurrence: id, companions: 0 }))),
            (Some(Number(Some(u64::MAX))), Err(Refused::Declined(Declined::Companions))),
            (Some(Number(None)), Err(Refused::Declined(Declined::Companions))),
        ] {
            let party = ModeInput { occurrence: Some(id.to_string()), companions, ..input("check_in") };
            assert_eq!(party.order(), order.map(Order::SetMode));
        }
        for wrong in ["", "check_in", "check_out", "out-", "out-7", "delete", "' OR 1=1"] {
            assert_eq!(input(wrong).order(), Err(Refused::Request), "{wrong}");
        }
    }

    #[test]
    fn rule_h02_a_typed_number_only_asks_for_comparison() {
        let typed = |number: &str| TypedInput { number: number.into() }.order();
        assert!(matches!(typed("ＶＩＰ－００ 42"), Ok(Order::Typed(card)) if card.tail() == "0042"));
        assert_eq!(typed("张三"), Err(Refused::Number));
        assert_eq!(typed("6225 8800 1234 5675"), Err(Refused::Number), "a bank card's");
        assert_eq!(typed("  "), Err(Refused::Number));
    }

    #[test]
    fn numbers_come_as_text_or_as_numbers() {
        for json in [r#"{"n":7}"#, r#"{"n":"7"}"#] {
            let input: NoticeInput = serde_json::from_str(json).unwrap();
            assert_eq!(input.order(), Ok(Order::Acknowledge { n: 7 }));
        }
        let input: NoticeInput = serde_json::from_str(r#"{"n":"x"}"#).unwrap();
        assert_eq!(input.order(), Err(Refused::Request));
        assert!(serde_json::from_str::<NoticeInput>(r#"{"n":7,"role":"admin"}"#).is_err());
    }
}
