//! 目录兑换: find a member, what each thing of the catalogue costs them today, redeem in two steps, what waits and what was
//! redeemed (K24, S5, P2). The rules are the API's.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::time::Instant;

use super::Console;
use super::cases::fact_text;
use super::catalogue::{CatalogueQuery, Why, Written, asked_back, decide_it, redeem_as, take_back_it, whose};
use super::failure::Failure;
use super::leases::amount;
use super::members::masked_name;
use super::requests::fact_of;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::random;
use crate::rules::catalogue::{State as Stands, Terms};
use crate::rules::world::KnownRedemption;
use crate::store::catalogue::desk::{self, Bought, NotGot, Offer, Offers};
use crate::store::catalogue::{self as store, List};
use crate::store::people::{self, PeopleError};
use crate::store::points;
use crate::vault::Vault;

/// Redemptions that the page lists.
const LISTED_MAX: i64 = 100;

/// A thing of the catalogue as it is shown.
struct Thing {
    code: String,
    name: String,
    kind: String,
    cost: String,
    normal: String,
    /// It costs less than it does normally.
    is_special: bool,
    pieces: String,
    /// Why it cannot be had; empty where it can.
    why: String,
    /// It can be had once terminals gave back what lies there: asking for it asks them.
    is_away: bool,
}

/// A redemption as it is shown.
struct Row {
    id: String,
    link: String,
    who: String,
    what: String,
    points: String,
    time: String,
    asker: String,
    state: String,
    tone: &'static str,
    waits: bool,
    /// Somebody else than who looks at it asked for it.
    is_others: bool,
    /// It can be taken back, or withdrawn.
    stands: bool,
}

/// The member whose catalogue is looked at.
struct Found {
    name: String,
    points: String,
    /// What one point is worth as cash; empty if it is worth none.
    cash: String,
    things: Vec<Thing>,
    purchases: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    ui: Ui,
    query: CatalogueQuery,
    offices: Vec<(String, String)>,
    found: Option<Found>,
    rows: Vec<Row>,
    /// Tells one redemption from another of the same content.
    once: String,
    done: String,
    error: String,
}

#[derive(Template)]
#[template(path = "catalogue_sure.html")]
struct SurePage {
    ui: Ui,
    name: String,
    what: String,
    cost: String,
    normal: String,
    is_special: bool,
    /// Points before and after.
    points: [String; 2],
    waits: bool,
    hidden: Vec<(String, String)>,
    seen: String,
    reason: String,
    error: String,
}

fn thing(ui: &Ui, offer: &Offer) -> Thing {
    let (item, why) = (&offer.item, offer.may.as_ref().err());
    Thing {
        code: item.code.clone(),
        name: ui.pick(&item.name),
        kind: ui.t(&format!("catalogue-kind-{}", item.kind.code().replace('_', "-"))),
        cost: number(offer.cost),
        normal: number(item.cost),
        is_special: offer.cost < item.cost,
        pieces: offer.pieces.map_or_else(|| "—".to_owned(), number),
        why: why.map_or_else(String::new, |why| Why::of(why.clone()).text(ui)),
        is_away: why.is_some_and(is_away),
    }
}

/// Whether nothing is missing but points that lie at terminals.
fn is_away(why: &NotGot) -> bool {
    matches!(why, NotGot::Short { needs, has, escrow, .. } if has.saturating_add(*escrow) >= *needs)
}

/// What was redeemed, in words.
pub(super) fn what_of(ui: &Ui, known: &KnownRedemption) -> String {
    let cash = || ui.t_with("catalogue-cash-of", &[("worth", &amount(ui, Unit::Cny, known.terms.fen))]);
    known.name.as_ref().map_or_else(cash, |name| ui.pick(name))
}

fn row(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (ui, me): (&Ui, &str),
    known: &KnownRedemption,
) -> Result<Row, PeopleError> {
    let member = known.asked.member;
    Ok(Row {
        id: known.asked.id.to_string(),
        link: format!("/members/{member}"),
        who: masked_name(tx, vault, Some(member))?,
        what: what_of(ui, known),
        points: number(-known.terms.points),
        time: ui.time(known.at),
        asker: known.asker.clone(),
        state: ui.t(&format!("catalogue-{}", known.state.code().replace('_', "-"))),
        tone: match known.state {
            Stands::Waiting => "wait",
            Stands::Done => "ok",
            Stands::Returned => "bad",
            Stands::TakenBack => "plain",
        },
        waits: known.state == Stands::Waiting,
        is_others: known.asker != me,
        stands: known.state.stands(),
    })
}

fn found(ui: &Ui, name: String, offers: &Offers, bought: &[Bought]) -> Found {
    let worth = offers.cash_per_point_fen;
    let purchase = |(fact, fen, slip): &Bought| {
        let slip = slip.clone().unwrap_or_else(|| "—".to_owned());
        let words =
            ui.t_of("catalogue-purchase-of", &[("worth", amount(ui, Unit::Cny, *fen)), ("slip", slip)]);
        (fact_text(*fact), words)
    };
    Found {
        name,
        points: number(offers.available),
        cash: if worth > 0 { amount(ui, Unit::Cny, worth) } else { String::new() },
        things: offers.items.iter().map(|offer| thing(ui, offer)).collect(),
        purchases: bought.iter().map(purchase).collect(),
    }
}

/// The page; with the number of a member and an office, what there is for them.
pub async fn page(
    State(console): State<Console>,
    Query(query): Query<CatalogueQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let (ui, me) = (by.ui.clone().at("points"), by.actor().to_string());
    show(&console, (ui, me), query, (String::new(), String::new())).await
}

async fn show(
    console: &Console,
    (ui, me): (Ui, String),
    query: CatalogueQuery,
    (done, error): (String, String),
) -> Result<Response, Failure> {
    let (vault, own, now) = (console.app.vault.clone(), ui.clone(), console.app.now());
    let [member, office, purchase] =
        [&query.member, &query.office, &query.purchase].map(|text| text.trim().to_owned());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let offices = people::offices(tx)?;
        let is_asked = !member.is_empty() && !office.is_empty();
        let whose = if is_asked { Some(whose(tx, &member, &office)?) } else { None };
        let (mut list, mut there, mut wrong) = (List::In(Stands::Waiting), None, "");
        match whose {
            Some(Ok(whose)) => {
                let fact = fact_of(&purchase);
                let bought = desk::bought(tx, whose.0, (whose.1, now))?;
                let offers = desk::offers(tx, whose, fact, now)?;
                let survivor = points::survivor(tx, whose.0)?;
                let name = masked_name(tx, &vault, Some(survivor))?;
                list = List::Of(survivor, None);
                there = Some(found(&own, name, &offers, &bought));
            }
            Some(Err(key)) => wrong = key,
            None => {}
        }
        let known = store::redemptions(tx, list, (Instant(i64::MAX), Hash([0xff; 32])), LISTED_MAX)?;
        let rows = known.iter().map(|known| row(tx, &vault, (&own, &me), known));
        let rows = rows.collect::<Result<Vec<_>, PeopleError>>()?;
        Ok((offices, there, rows, wrong))
    };
    let (offices, found, rows, wrong) = console.app.db.read(load).await?;
    let error = if error.is_empty() && !wrong.is_empty() { ui.t(wrong) } else { error };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = CataloguePage {
        offices: offices.iter().map(|row| (row.code.clone(), ui.pick(&row.name))).collect(),
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        query,
        found,
        rows,
        done,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Redeems in two steps, approves, returns or takes back.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, me) = (posted.by.ui.clone().at("points"), posted.by.actor().to_string());
    let fields = &posted.fields;
    let [member, office, purchase] = ["member", "office", "purchase"].map(|name| fields.get(name).to_owned());
    let query = CatalogueQuery { member, office, purchase };
    let shown = match fields.get("do") {
        "redeem" => return redeem(&console, &posted, query).await,
        step @ ("decide" | "back") => {
            let id = fields.get("redemption").parse().map_err(|_| Failure::NotFound)?;
            let done = match step {
                "decide" => decide_it(&console, &posted, id).await?,
                _ => take_back_it(&console, &posted, id).await?,
            };
            match done.ok_or(Failure::NotFound)? {
                Ok(()) => (ui.t("catalogue-stepped"), String::new()),
                Err(why) => (String::new(), why.text(&ui)),
            }
        }
        _ => (String::new(), ui.t("verdict-none")),
    };
    show(&console, (ui, me), query, shown).await
}

/// What the first step found: whose, what it is called, what it comes to and whether it waits, and the points there are.
type Planned = (MemberId, String, (Terms, bool), i64);

/// First step: says what it costs. Second step: does it.
async fn redeem(console: &Console, posted: &Posted, query: CatalogueQuery) -> Result<Response, Failure> {
    let (ui, me) = (posted.by.ui.clone().at("points"), posted.by.actor().to_string());
    let fields = &posted.fields;
    let (member, planned) = match planned(console, &ui, fields).await? {
        Ok((member, what, terms, available)) => (member, (what, terms, available)),
        Err(why) => {
            let error = why.text(&ui);
            return show(console, (ui, me), query, (String::new(), error)).await;
        }
    };
    let (what, (terms, waits), available) = planned;
    let seen = terms.points.to_string();
    let error = match (fields.get("sure") == "yes", fields.get("seen") == seen) {
        (false, _) => String::new(),
        (true, false) => ui.t("catalogue-cost-changed"),
        (true, true) => match redeem_as(console, posted).await? {
            Ok(_) => {
                let done = ui.t(if waits { "catalogue-filed" } else { "catalogue-given" });
                return show(console, (ui, me), query, (done, String::new())).await;
            }
            Err(why) => why.text(&ui),
        },
    };
    let vault = console.app.vault.clone();
    let name = console.app.db.read(move |tx| masked_name(tx, &vault, Some(member))).await?;
    let hidden = ["do", "member", "office", "purchase", "code", "points", "key"];
    let hidden = hidden.into_iter().map(|field| (field.to_owned(), fields.get(field).to_owned()));
    let page = SurePage {
        name,
        what,
        cost: number(terms.points),
        normal: number(terms.normal),
        is_special: terms.points < terms.normal,
        points: [number(available), number(available.saturating_sub(terms.points))],
        waits,
        hidden: hidden.filter(|field| !field.1.is_empty()).collect(),
        seen,
        reason: fields.get("reason").to_owned(),
        error,
        ui,
    };
    let status = if page.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// What a form asks for comes to now.
async fn planned(console: &Console, ui: &Ui, fields: &Fields) -> Result<Result<Planned, Why>, Failure> {
    let written = match Written::of(fields) {
        Ok(written) => written,
        Err(key) => return Ok(Err(Why::Key(key))),
    };
    let (own, now) = (ui.clone(), console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<Result<Planned, Why>, PeopleError> {
        let wish = match written.wish(tx, (Hash([0; 32]), Hash([0; 32])))? {
            Ok(wish) => wish,
            Err(key) => return Ok(Err(Why::Key(key))),
        };
        let terms = match desk::check(tx, &wish, now)? {
            Ok(terms) => terms,
            Err(why) => return Ok(Err(Why::Not(why))),
        };
        let worth = || own.t_with("catalogue-cash-of", &[("worth", &amount(&own, Unit::Cny, terms.0.fen))]);
        let what = desk::name(tx, &written.code)?.map_or_else(worth, |name| own.pick(&name));
        let member = points::survivor(tx, wish.member)?;
        Ok(Ok((member, what, terms, points::has(tx, member)?.available)))
    };
    match console.app.db.read(load).await? {
        Err(Why::Not(why)) => Ok(Err(asked_back(console, why).await?)),
        planned => Ok(planned),
    }
}
