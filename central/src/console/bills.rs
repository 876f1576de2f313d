//! What is to pay 应付计算 in `/api/v1` (S4, S6, S7, S9): a price and what a member brings to it, each step with what it takes
//! off, and what takes nothing off with its reason. Nothing is used up by asking.

use axum::Json;
use axum::extract::State;
use hufu_shared::ids::Hash;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::rules::bill::{NoDiscount, Reduced};
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::rules::till::WhyNot;
use hufu_shared::scheme::bill::Step;
use serde_json::{Value, json};

use super::failure::Failure;
use super::leases::amount;
use super::problem::Refused;
use super::signed::{Fields, Posted};
use super::ui::{Ui, number};
use super::{Console, birthdays, coupons};
use crate::db::Tx;
use crate::store::bills::{self, Asked, NotReckoned, Told};
use crate::store::people::{self, PeopleError};

/// A bill, and how it was asked for.
pub(super) struct Reckoned {
    /// The member's number as it was typed.
    pub(super) number: String,
    /// Code of the office.
    pub(super) office: String,
    /// The price.
    pub(super) price: Amount,
    /// The bill.
    pub(super) told: Told,
}

/// The name of the coupon that was chosen; none if none was.
fn coupon_typed(fields: &Fields) -> Result<Option<Hash>, &'static str> {
    match fields.get("coupon") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "coupon-unknown"),
    }
}

/// Reckons what the fields ask of a price, or names the words that say why not.
pub(super) async fn reckon_as(
    console: &Console,
    fields: &Fields,
    price: Option<Amount>,
) -> Result<Result<Reckoned, &'static str>, Failure> {
    let Some(price) = price else { return Ok(Err("bill-price")) };
    let points = match fields.get("points") {
        "" => Some(0),
        text => text.parse::<i64>().ok(),
    };
    let Some(points) = points else { return Ok(Err("points-number")) };
    let coupon = match coupon_typed(fields) {
        Ok(coupon) => coupon,
        Err(why) => return Ok(Err(why)),
    };
    let (birthday, shown) = (fields.get("birthday") == "1", coupons::shown_of(fields));
    let [number, code, goods] = ["member", "office", "goods"].map(|name| fields.get(name).to_owned());
    let (now, vault) = (console.app.now(), console.app.vault.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<Result<Reckoned, &'static str>, PeopleError> {
        let Some(member) = people::member_by_number(tx, &number)? else { return Ok(Err("points-member")) };
        let office = people::offices(tx)?.into_iter().find(|row| row.code == code);
        let Some(office) = office else { return Ok(Err("points-office")) };
        let asked = Asked { member, office, price, coupon, points, goods: goods.clone(), birthday, shown };
        let (number, office) = (number.clone(), code.clone());
        Ok(match bills::reckon(tx, &vault, &asked, now)? {
            Ok(told) => Ok(Reckoned { number, office, price, told }),
            Err(NotReckoned::Member) => Err("points-member"),
            Err(NotReckoned::Beyond) => Err("bill-price"),
            Err(NotReckoned::Coupon(why)) => Err(coupons::key_of(why)),
        })
    };
    Ok(console.app.db.read(load).await?)
}

/// The end of the keys of words about a step.
fn key_of(step: Step) -> &'static str {
    match step {
        Step::Coupon => "coupon",
        Step::Points => "points",
        Step::LevelDiscount => "level",
        Step::BirthdayDiscount => "birthday",
    }
}

/// A step in a sentence.
pub(super) fn step_told(ui: &Ui, told: &Told, reduced: &Reduced) -> String {
    let level = told.level.as_ref().map_or_else(String::new, |level| ui.pick(&level.name));
    let values = [
        ("by", amount(ui, Unit::Cny, reduced.by.0)),
        ("points", number(told.reckoned.bill.points_used)),
        ("level", level),
    ];
    ui.t_of(&format!("bill-step-{}", key_of(reduced.step)), &values)
}

/// Whether the birthday's discount is in a bill: then it can be used with the purchase.
pub(super) fn celebrates(told: &Told) -> bool {
    told.reckoned.bill.steps.iter().any(|reduced| reduced.step == Step::BirthdayDiscount)
}

/// The key of the words that say why something takes nothing off.
fn why_key(why: &WhyNot) -> &'static str {
    match why {
        WhyNot::Points(NotRedeemed::Closed { .. }) => "bill-points-closed",
        WhyNot::Points(NotRedeemed::Short { .. }) => "bill-points-short",
        WhyNot::Points(
            NotRedeemed::NotOffered { .. } | NotRedeemed::Rank { .. } | NotRedeemed::Overflow(_),
        )
        | WhyNot::NotOffered => "bill-not-offered",
        WhyNot::Discount(NoDiscount::IssueDay) => "bill-issue-day",
        WhyNot::Discount(NoDiscount::NoCard) => "bill-no-card",
        WhyNot::Level => "bill-level-unknown",
        WhyNot::Birthday(why) => birthdays::key_of(*why),
    }
}

/// Why something takes nothing off, in a sentence.
pub(super) fn left_told(ui: &Ui, (step, why): &(Step, WhyNot)) -> String {
    let has = match why {
        WhyNot::Points(NotRedeemed::Short { has, .. }) => *has,
        _ => 0,
    };
    let month = match why {
        WhyNot::Points(NotRedeemed::Closed { month }) => *month,
        _ => 0,
    };
    let what = ui.t(&format!("bill-of-{}", key_of(*step)));
    let values = [("has", number(has)), ("month", month.to_string())];
    ui.t_of("bill-left", &[("what", what), ("why", ui.t_of(why_key(why), &values))])
}

fn bill_json(ui: &Ui, of: &Reckoned) -> Value {
    let (told, bill) = (&of.told, &of.told.reckoned.bill);
    let mut rest = of.price.0;
    let mut steps = Vec::with_capacity(bill.steps.len());
    for reduced in &bill.steps {
        rest -= reduced.by.0;
        let sentence = step_told(ui, told, reduced);
        steps.push(json!({ "step": reduced.step, "by": reduced.by, "rest": rest, "sentence": sentence }));
    }
    let left = |left: &(Step, WhyNot)| json!({ "step": left.0, "why": why_key(&left.1), "sentence": left_told(ui, left) });
    json!({
        "member": told.member, "number": of.number, "day": told.day, "office": of.office, "scheme": told.scheme,
        "price": of.price, "steps": steps, "left": told.reckoned.left.iter().map(left).collect::<Vec<_>>(),
        "to_pay": bill.to_pay, "points_used": bill.points_used, "earns_on": bill.earns_on,
        "earns": told.earns.at_once, "waits": told.earns.waiting, "rule": told.earns.rule(),
        "level": told.level, "celebrates": celebrates(told),
    })
}

/// Reckons a bill: `member` by number, `office` by code, `price` in fen, and if need be a `coupon` by its name, `points` that
/// are to pay, the kind of `goods`, `birthday` 1 for its discount, and what is shown: `card`, `id_card` and `own_use` 1.
pub async fn reckon(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let price = posted.fields.get("price").parse::<i64>().ok().map(Amount);
    match reckon_as(&console, &posted.fields, price).await? {
        Ok(of) => Ok(Json(bill_json(&ui, &of))),
        Err(key) => Err(Refused::unfit(&ui, key)),
    }
}
