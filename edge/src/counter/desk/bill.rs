//! `/bill`: what is to pay of a price for the member whose card was shown last, by coupon, points and level in the scheme's
//! order (S4, S6, S7), without the network. Pure, but for the two handlers.
//!
//! What was reckoned can be handed over to the counter page, where the purchase is recorded: points are given for what is
//! paid then. Nothing is used up here: a coupon and points are taken as ever. Out of scope: the birthday's discount, which
//! counts once a year and so takes the centre (S9); the page says so.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hufu_shared::fact::Paid;
use hufu_shared::money::{Amount, AmountOverflow, Unit};
use hufu_shared::rules::bill::NoDiscount;
use hufu_shared::rules::purchase::Earns;
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::rules::till::{self, Reckoned, Till, WhyNot};
use hufu_shared::scheme::bill::{BillTerms, Step};

use super::super::forms::{Refused, yuan};
use super::super::pages::Frame;
use super::super::port::Order;
use super::super::routes::{Choice, Counter, choose, html};
use super::super::slips::points;
use super::super::view::PersonView;
use super::super::words::Ui;
use super::forms::{Input, Wrong, given};
use super::routes::style;
use super::{BillHere, DeskOrder, Done};
use crate::rules::decide::{Shop, earns_at};

/// What staff typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// The price.
    pub price: Amount,
    /// What the coupon is worth; 0 for none.
    pub coupon: Amount,
    /// Points that are to pay; 0 for none.
    pub points: i64,
    /// Whether the card is at hand.
    pub has_card: bool,
    /// Whether the first card was issued today: no terminal knows that of a card.
    pub is_issue_day: bool,
}

/// Reads the form.
///
/// # Errors
/// Which field is wrong, with the key of the text.
pub fn read(input: &Input) -> Result<Typed, Wrong> {
    let mut wrong = Wrong::new();
    let price = given(input, "price").map(yuan).and_then(Result::ok);
    if price.is_none() {
        wrong.push(("price", "bill-wrong-price"));
    }
    let coupon = given(input, "coupon").map_or(Ok(Amount::ZERO), yuan);
    if coupon.is_err() {
        wrong.push(("coupon", "bill-wrong-coupon"));
    }
    let paying = given(input, "points").map_or(Ok(Amount::ZERO), points);
    if paying.is_err() {
        wrong.push(("points", "bill-wrong-points"));
    }
    let (Some(price), Ok(coupon), Ok(paying)) = (price, coupon, paying) else { return Err(wrong) };
    let is = |name: &str| given(input, name) == Some("yes");
    let (has_card, is_issue_day) = (is("card"), is("issued_today"));
    Ok(Typed { price, coupon, points: paying.0, has_card, is_issue_day })
}

/// One field of the form.
#[derive(Debug)]
pub struct Line {
    /// Its name in what is sent.
    pub name: &'static str,
    /// What people read above it.
    pub label: String,
    /// What stands in it.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What goes on to the counter page: fields of its form, as staff would type them.
#[derive(Debug)]
pub struct Handed {
    /// Yuan that are paid.
    pub amount: String,
    /// Yuan that the coupon takes; empty for none.
    pub coupon: String,
    /// Yuan that points take; empty for none.
    pub by_points: String,
}

/// A bill as it is shown.
#[derive(Debug)]
pub struct Shown {
    /// Each step: what it is, and what is left after it.
    pub lines: Vec<(String, String)>,
    /// What is to pay.
    pub to_pay: String,
    /// What takes nothing off, with its reason.
    pub left: Vec<String>,
    /// What the purchase earns.
    pub earns: String,
    /// What goes on; none where nothing is left to pay.
    pub handed: Option<Handed>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/bill.html")]
pub struct BillPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Whose card was shown last; none if nobody's.
    pub guest: Option<String>,
    /// Why nothing can be reckoned.
    pub declined: Option<String>,
    /// The fields.
    pub fields: Vec<Line>,
    /// Whether the card is at hand.
    pub has_card: bool,
    /// Whether it was issued today.
    pub is_issue_day: bool,
    /// The bill, once a price was typed.
    pub bill: Option<Shown>,
    /// That the birthday's discount takes the centre, in a club that has one.
    pub birthday: Option<String>,
}

/// The words of a member's level; of who never moved, those of the version.
fn level_name(bills: &BillTerms, person: &PersonView, ui: &Ui) -> String {
    let base = bills.levels.iter().find(|level| level.rank == bills.base_rank).map(|level| &level.name);
    person.level.as_ref().or(base).map_or_else(String::new, |name| ui.words(name).to_owned())
}

fn money(amount: Amount, ui: &Ui) -> String {
    ui.t1("counter-amount-value", "n", amount.display(Unit::Cny))
}

/// Why something takes nothing off, in the reader's language.
fn why_text(why: &WhyNot, ui: &Ui) -> String {
    match why {
        WhyNot::Points(NotRedeemed::Closed { month }) => ui.t1("bill-points-closed", "month", month),
        WhyNot::Points(NotRedeemed::Short { has, .. }) => ui.t1("bill-points-short", "n", has),
        WhyNot::Points(
            NotRedeemed::NotOffered { .. } | NotRedeemed::Rank { .. } | NotRedeemed::Overflow(_),
        )
        | WhyNot::NotOffered => ui.t("bill-not-offered"),
        WhyNot::Discount(NoDiscount::IssueDay) => ui.t("bill-issue-day"),
        WhyNot::Discount(NoDiscount::NoCard) => ui.t("bill-no-card"),
        WhyNot::Level => ui.t("bill-level-unknown"),
        WhyNot::Birthday(_) => ui.t("bill-birthday"),
    }
}

/// The key of the word for a step.
fn step_key(step: Step) -> &'static str {
    match step {
        Step::Coupon => "bill-of-coupon",
        Step::Points => "bill-of-points",
        Step::LevelDiscount => "bill-of-level",
        Step::BirthdayDiscount => "bill-of-birthday",
    }
}

/// Reckons what staff typed for a member, by the version held here.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn reckon(
    here: &BillHere,
    person: &PersonView,
    typed: Typed,
) -> Result<(Reckoned, Earns), AmountOverflow> {
    let bills = here.terms.bills();
    let at_till = Till {
        day: here.day,
        price: typed.price,
        coupon: typed.coupon,
        points: typed.points,
        has_points: person.points.0,
        rank: bills.rank_of(person.level.as_ref()),
        has_card: typed.has_card,
        is_issue_day: typed.is_issue_day,
        birthday: None,
    };
    let reckoned = till::reckon(&bills, &at_till)?;
    let (coupon, by_points) = (reckoned.bill.taken(Step::Coupon), reckoned.bill.taken(Step::Points));
    let paid = Paid { coupon, by_points, ..Paid::default() };
    let shop = Shop { office: &here.office, day: here.day, knows_day: here.knows_day };
    let earns = earns_at(&here.terms, (reckoned.bill.to_pay, Some(&paid)), shop, true);
    Ok((reckoned, earns))
}

impl Shown {
    /// A bill in the reader's language.
    fn new((reckoned, earns): &(Reckoned, Earns), price: Amount, level: &str, ui: &Ui) -> Self {
        let bill = &reckoned.bill;
        let mut rest = price.0;
        let mut lines = vec![(ui.t("bill-price-is"), money(price, ui))];
        for reduced in &bill.steps {
            rest -= reduced.by.0;
            let what = ui.t(step_key(reduced.step));
            let what = if reduced.step == Step::LevelDiscount { format!("{what} · {level}") } else { what };
            let by = money(reduced.by, ui);
            lines.push((ui.t2("bill-step", ("what", what), ("by", by)), money(Amount(rest), ui)));
        }
        let left = |(step, why): &(Step, WhyNot)| {
            ui.t2("bill-left", ("what", ui.t(step_key(*step))), ("why", why_text(why, ui)))
        };
        let (at_once, waiting) = (earns.at_once.0.to_string(), earns.waiting.0.to_string());
        let text = |step: Step| {
            let by = bill.taken(step);
            if by.is_positive() { by.display(Unit::Cny) } else { String::new() }
        };
        let handed = Handed {
            amount: bill.to_pay.display(Unit::Cny),
            coupon: text(Step::Coupon),
            by_points: text(Step::Points),
        };
        Self {
            lines,
            to_pay: money(bill.to_pay, ui),
            left: reckoned.left.iter().map(left).collect(),
            earns: ui.t2("bill-earns", ("points", at_once), ("waits", waiting)),
            handed: bill.to_pay.is_positive().then_some(handed),
        }
    }
}

impl<'a> BillPage<'a> {
    /// The page with what was typed, if anything was, for the guest whose card was shown last.
    #[must_use]
    pub fn new(
        frame: &'a Frame,
        person: Option<&PersonView>,
        here: Option<&BillHere>,
        input: Option<&Input>,
    ) -> Self {
        let ui = &frame.ui;
        let read = input.map(read);
        let wrong: &[(&str, &str)] = match &read {
            Some(Err(wrong)) => wrong,
            _ => &[],
        };
        let field = |name: &'static str| Line {
            name,
            label: ui.t(&format!("bill-field-{name}")),
            value: input.and_then(|input| given(input, name)).unwrap_or_default().to_owned(),
            error: wrong.iter().find(|(of, _)| *of == name).map(|(_, key)| ui.t(key)),
        };
        let typed = read.as_ref().and_then(|read| read.as_ref().ok()).copied();
        let mut declined = match (person, here) {
            (None, _) => Some(ui.t("bill-nobody")),
            (Some(_), None) => Some(ui.t("bill-no-scheme")),
            _ => None,
        };
        let mut bill = None;
        if let (Some(person), Some(here), Some(typed)) = (person, here, typed) {
            match reckon(here, person, typed) {
                Ok(reckoned) => {
                    let level = level_name(&here.terms.bills(), person, ui);
                    bill = Some(Shown::new(&reckoned, typed.price, &level, ui));
                }
                Err(_) => declined = Some(ui.t("bill-wrong-price")),
            }
        }
        let birthday = here.filter(|here| here.terms.bills().birthday_discount().is_some());
        let is = |name: &str| input.is_some_and(|input| given(input, name) == Some("yes"));
        Self {
            frame,
            style: style(),
            guest: person.map(|person| person.name.clone().unwrap_or_else(|| ui.t("counter-person-secret"))),
            declined,
            fields: ["price", "coupon", "points"].map(field).into(),
            has_card: input.is_none() || is("card"),
            is_issue_day: is("issued_today"),
            bill,
            birthday: birthday.map(|_| ui.t("bill-birthday")),
        }
    }
}

async fn page(counter: &Counter, headers: &HeaderMap, input: Option<&Input>) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let here = counter.port.order(Order::Desk(DeskOrder::ReadBill)).await;
    let (here, refused) = match here {
        Ok(Done::Bill(here)) => (here, None),
        Ok(_) => (None, None),
        Err(declined) => (None, Some(Refused::from(declined))),
    };
    let person = snapshot.view.guest.as_ref().map(|guest| &guest.person);
    let mut page = BillPage::new(&frame, person, here.as_deref(), input);
    if let Some(refused) = refused {
        page.declined = Some(frame.ui.t(refused.key()));
        return html(super::routes::status_of(refused), &page);
    }
    let is_wrong = page.fields.iter().any(|field| field.error.is_some());
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html(status, &page)
}

/// `GET /bill`.
pub(super) async fn show(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Query(choice): Query<Choice>,
) -> Response {
    match choose(&choice, "/bill") {
        Some(answer) => answer,
        None => page(&counter, &headers, None).await,
    }
}

/// `POST /bill`.
pub(super) async fn reckoned(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Form(input): Form<Input>,
) -> Response {
    page(&counter, &headers, Some(&input)).await
}
