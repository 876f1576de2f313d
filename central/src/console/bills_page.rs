//! 应付计算: a counter clerk types a price and what the member brings, sees each step and what is to pay, and uses the birthday's
//! discount where it may be used (S4, S6, S7, S9). Below stand this month's uses, each of which can be taken back.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::OfficeClock;
use serde::Deserialize;

use super::Console;
use super::bills::{self, Reckoned};
use super::birthdays::{self, month_of_now};
use super::coupons::coupon_told;
use super::failure::{Failure, go};
use super::leases::amount;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::random;
use crate::rules::birthdays::month;
use crate::rules::coupons::{State as Stands, state};
use crate::store::people::{self, PeopleError};
use crate::store::{birthdays as store, coupons};

/// Uses that the page lists, the newest.
const LISTED_MAX: i64 = 100;

/// One step of the bill.
struct Line {
    what: String,
    rest: String,
}

/// A bill as it is shown.
struct Bill {
    price: String,
    lines: Vec<Line>,
    left: Vec<String>,
    to_pay: String,
    earns: String,
    /// Whether the birthday's discount is in it: then it can be used from here.
    celebrates: bool,
}

/// A use that can be taken back.
struct Use {
    id: String,
    link: String,
    number: String,
    sentence: String,
    /// Whether it counts.
    counts: bool,
}

#[derive(Template)]
#[template(path = "bills.html")]
struct BillsPage {
    ui: Ui,
    typed: Typed,
    bill: Option<Bill>,
    offices: Vec<(String, String)>,
    /// Open coupons of the member, by their names.
    coupons: Vec<(String, String)>,
    uses: Vec<Use>,
    /// Tells one use from another of the same content.
    once: String,
    done: String,
    error: String,
}

/// What a person typed, to be kept.
#[derive(Default)]
struct Typed {
    member: String,
    price: String,
    office: String,
    coupon: String,
    points: String,
    goods: String,
    slip: String,
    reason: String,
    birthday: bool,
    card: bool,
    id_card: bool,
    own_use: bool,
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let typed = |name: &str| fields.get(name).to_owned();
        let is = |name: &str| fields.get(name) == "1";
        Self {
            member: typed("member"),
            price: typed("price"),
            office: typed("office"),
            coupon: typed("coupon"),
            points: typed("points"),
            goods: typed("goods"),
            slip: typed("slip"),
            reason: typed("reason"),
            birthday: is("birthday"),
            card: is("card"),
            id_card: is("id_card"),
            own_use: is("own_use"),
        }
    }
}

/// What was done.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    member: Option<String>,
    done: Option<String>,
}

/// The page.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("points");
    let done = match query.done.as_deref() {
        Some(what @ ("used" | "undone")) => ui.t(&format!("bill-done-{what}")),
        _ => String::new(),
    };
    let typed = Typed { member: query.member.unwrap_or_default(), card: true, ..Typed::default() };
    show(&console, ui, typed, (None, done, String::new())).await
}

/// Reckons a bill, uses the birthday's discount, or takes a use back.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone().at("points"), &posted.fields);
    let wrong = match fields.get("do") {
        "use" => match birthdays::use_as(&console, &posted).await? {
            Ok(_) => return Ok(go("/bills?done=used")),
            Err(key) => key,
        },
        "undo" => match birthdays::undo_form(&console, &posted).await? {
            None => return Ok(go("/bills?done=undone")),
            Some(key) => key,
        },
        _ => {
            let price = Amount::parse(fields.get("price"), Unit::Cny).ok();
            match bills::reckon_as(&console, fields, price).await? {
                Ok(of) => {
                    let typed = Typed::of(fields);
                    return show(&console, ui, typed, (Some(of), String::new(), String::new())).await;
                }
                Err(key) => key,
            }
        }
    };
    let (typed, error) = (Typed::of(fields), ui.t(wrong));
    show(&console, ui, typed, (None, String::new(), error)).await
}

/// What stands beside the bill: offices to choose from, the member's open coupons, this month's uses.
struct Beside {
    offices: Vec<(String, String)>,
    coupons: Vec<(String, String)>,
    uses: Vec<Use>,
}

fn beside(tx: &mut Tx<'_>, ui: &Ui, member: Option<MemberId>) -> Result<Beside, PeopleError> {
    let today = OfficeClock::default().business_day(ui.now);
    let offices = people::offices(tx)?;
    let mut open = Vec::new();
    if let Some(member) = member {
        let own = coupons::of_member(tx, member)?;
        let usable = own.iter().filter(|known| state(known, today) == Stands::Open);
        open.extend(usable.map(|known| (known.given.id.to_string(), coupon_told(ui, known, today))));
    }
    let mut uses = Vec::new();
    let days = month(&month_of_now(ui)).unwrap_or((today, today));
    for known in store::newest(tx, days, LISTED_MAX)? {
        let row = people::member(tx, known.member)?;
        uses.push(Use {
            id: known.id.to_string(),
            link: format!("/members/{}", known.member),
            number: row.map_or_else(String::new, |row| row.number),
            sentence: birthdays::sentence(ui, &offices, &known),
            counts: known.taken_back.is_none(),
        });
    }
    let offices = offices.iter().map(|row| (row.code.clone(), ui.pick(&row.name))).collect();
    Ok(Beside { offices, coupons: open, uses })
}

fn shown(ui: &Ui, of: &Reckoned) -> Bill {
    let (told, bill) = (&of.told, &of.told.reckoned.bill);
    let yuan = |fen: i64| amount(ui, Unit::Cny, fen);
    let mut rest = of.price.0;
    let mut lines = Vec::with_capacity(bill.steps.len());
    for reduced in &bill.steps {
        rest -= reduced.by.0;
        lines.push(Line { what: bills::step_told(ui, told, reduced), rest: yuan(rest) });
    }
    let values = [
        ("points", number(told.earns.at_once.0)),
        ("waits", number(told.earns.waiting.0)),
        ("rule", told.earns.rule().unwrap_or_else(|| "—".to_owned())),
        ("version", told.scheme.to_string()),
    ];
    Bill {
        price: yuan(of.price.0),
        lines,
        left: told.reckoned.left.iter().map(|left| bills::left_told(ui, left)).collect(),
        to_pay: yuan(bill.to_pay.0),
        earns: ui.t_of("bill-earns", &values),
        celebrates: bills::celebrates(told),
    }
}

async fn show(
    console: &Console,
    ui: Ui,
    typed: Typed,
    (of, done, error): (Option<Reckoned>, String, String),
) -> Result<Response, Failure> {
    let (own, member) = (ui.clone(), of.as_ref().map(|of| of.told.member));
    let beside = console.app.db.read(move |tx| beside(tx, &own, member)).await?;
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = BillsPage {
        bill: of.as_ref().map(|of| shown(&ui, of)),
        typed,
        offices: beside.offices,
        coupons: beside.coupons,
        uses: beside.uses,
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        done,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}
