//! 储值办理: stored value moved by a person at the centre. A top-up undone, value paid out, goods taken back, value carried
//! over; and the statement, and whether it is frozen.
//!
//! Two steps: the first says what will be posted and what the member then has; the second does exactly that, or, if the
//! books have changed meanwhile, shows the first again.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::ValueEnd;
use hufu_shared::ids::{MemberId, OfficeId};
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Amount, Unit};

use super::Console;
use super::cases::fact_text;
use super::failure::{Failure, go};
use super::leases::amount;
use super::members::masked_name;
use super::requests::fact_of;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::Ui;
use super::value::carry_wish;
use super::verdict::note;
use crate::db::Tx;
use crate::random;
use crate::rules::desk::{NotPossible, Plan, Wish};
use crate::store::StoreError;
use crate::store::money::{self, Sale, StatementLine, TopUp};
use crate::store::people::{self, PeopleError};

/// Top-ups, and spends, that the page lists.
const LISTED_MAX: u32 = 50;
/// Lines of the statement that are shown.
pub(super) const STATEMENT_LINES: u32 = 100;

/// What can be chosen.
struct Line {
    id: String,
    what: String,
    amount: String,
    note: String,
}

#[derive(Template)]
#[template(path = "money.html")]
struct MoneyPage {
    ui: Ui,
    back: String,
    name: String,
    available: String,
    owed: String,
    top_ups: Vec<Line>,
    sales: Vec<Line>,
    offices: Vec<(String, String)>,
    /// Tells one paying out from another of the same amount.
    once: String,
    typed: Typed,
    /// Since when it is frozen; empty while it is not.
    frozen: String,
    statement: Vec<StatementShown>,
    done: bool,
    error: String,
}

/// A line of the statement.
struct StatementShown {
    time: String,
    what: String,
    change: String,
    place: String,
}

/// What a person typed, to be kept after an error.
#[derive(Default)]
struct Typed {
    amount: String,
    office: String,
    chosen: String,
    to: String,
    card: String,
}

/// One posting that the second step will make: from, to, how much.
struct Posting {
    from: String,
    to: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "money_sure.html")]
struct SurePage {
    ui: Ui,
    back: String,
    name: String,
    what: String,
    postings: Vec<Posting>,
    available: [String; 2],
    owed: [String; 2],
    owes: bool,
    hidden: Vec<(String, String)>,
    seen: String,
    reason: String,
    error: String,
}

fn yuan(ui: &Ui, fen: i64) -> String {
    amount(ui, Unit::Cny, fen)
}

/// Fen of an amount as people write it.
pub(super) fn fen(text: &str) -> Option<Amount> {
    Amount::parse(text, Unit::Cny).ok().filter(|amount| amount.is_positive())
}

/// The page of a member.
pub async fn page(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("members");
    let done = ui.path.ends_with("?done");
    show(&console, ui, id, (Typed::default(), String::new()), done, StatusCode::OK).await
}

/// The page with what is wrong.
pub(super) async fn show_error(
    console: &Console,
    ui: Ui,
    id: MemberId,
    key: &str,
) -> Result<Response, Failure> {
    let error = ui.t(key);
    show(console, ui, id, (Typed::default(), error), false, StatusCode::UNPROCESSABLE_ENTITY).await
}

async fn show(
    console: &Console,
    ui: Ui,
    id: MemberId,
    (typed, error): (Typed, String),
    done: bool,
    status: StatusCode,
) -> Result<Response, Failure> {
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        if people::member(tx, id)?.is_none() {
            return Ok(None);
        }
        let lists = (money::top_ups(tx, id, LISTED_MAX)?, money::sales(tx, id, LISTED_MAX)?);
        let statement = (money::standing(tx, id)?, money::statement(tx, id, STATEMENT_LINES)?);
        let name = masked_name(tx, &vault, Some(id))?;
        Ok(Some((name, money::purse(tx, id)?, lists, (statement, people::offices(tx)?))))
    };
    let (name, purse, (top_ups, sales), ((standing, statement), offices)) =
        console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let turn = standing.and_then(|known| known.value_turns.last().copied());
    let top_ups = top_ups.iter().filter(|top_up| top_up.stands.is_positive() && !top_up.is_done);
    let sales = sales.iter().filter(|sale| sale.stands.is_positive() && !sale.is_done);
    let page = MoneyPage {
        back: format!("/members/{id}"),
        name,
        available: yuan(&ui, purse.available),
        owed: if purse.owed > 0 { yuan(&ui, purse.owed) } else { String::new() },
        top_ups: top_ups.map(|top_up| top_up_line(&ui, &offices, top_up)).collect(),
        sales: sales.map(|sale| sale_line(&ui, &offices, sale)).collect(),
        offices: offices.iter().map(|office| (office.office.to_string(), ui.pick(&office.name))).collect(),
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        typed,
        frozen: turn.filter(|turn| turn.frozen).map_or_else(String::new, |turn| ui.time(turn.since)),
        statement: statement.iter().map(|line| statement_line(&ui, line)).collect(),
        done,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// A line of the statement in words; of a carry-over, with the other side.
fn statement_line(ui: &Ui, line: &StatementLine) -> StatementShown {
    let code = ui.t(&format!("code-{}", line.code));
    let what = match (&line.other, line.change < 0) {
        (Some(other), true) => ui.t_with("money-carried-to", &[("number", other)]),
        (Some(other), false) => ui.t_with("money-carried-from", &[("number", other)]),
        (None, _) => code,
    };
    let sign = if line.change > 0 { "+" } else { "" };
    StatementShown {
        time: ui.time(line.at),
        what,
        change: if line.change == 0 { "—".to_owned() } else { format!("{sign}{}", yuan(ui, line.change)) },
        place: line.device.clone().unwrap_or_else(|| "—".to_owned()),
    }
}

fn place(ui: &Ui, offices: &[OfficeRow], office: OfficeId) -> String {
    let known = offices.iter().find(|row| row.office == office);
    known.map_or_else(|| "—".to_owned(), |row| ui.pick(&row.name))
}

fn top_up_line(ui: &Ui, offices: &[OfficeRow], top_up: &TopUp) -> Line {
    let held = top_up.held.is_positive();
    Line {
        id: fact_text(top_up.id),
        what: format!("{} · {}", ui.time(top_up.at), place(ui, offices, top_up.office)),
        amount: yuan(ui, top_up.stands.0),
        note: if held { ui.t("money-held-note") } else { top_up.device_name.clone() },
    }
}

fn sale_line(ui: &Ui, offices: &[OfficeRow], sale: &Sale) -> Line {
    let slip = sale.slip.as_ref().map(|slip| ui.t_with("money-slip", &[("n", slip)]));
    Line {
        id: fact_text(sale.id),
        what: format!("{} · {}", ui.time(sale.at), place(ui, offices, sale.office)),
        amount: yuan(ui, sale.stands.0),
        note: slip.unwrap_or_else(|| sale.device_name.clone()),
    }
}

/// What tells one form from another.
fn once_of(fields: &Fields) -> Result<[u8; 16], &'static str> {
    let once = data_encoding::HEXLOWER.decode(fields.get("once").as_bytes()).ok();
    once.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).ok_or("money-changed")
}

/// What a form asks for, or the key of what is wrong with it.
fn wish_of(fields: &Fields) -> Result<Wish, &'static str> {
    let chosen = || fact_of(fields.get("fact")).ok_or("money-choose");
    match fields.get("do") {
        "undo" => Ok(Wish::Undo(chosen()?)),
        "refund" => {
            let amount = match fields.get("amount") {
                "" => None,
                text => Some(fen(text).ok_or("money-amount-wrong")?),
            };
            Ok(Wish::Refund { sale: chosen()?, amount })
        }
        "cash_out" => {
            let once = once_of(fields)?;
            let amount = fen(fields.get("amount")).ok_or("money-amount-wrong")?;
            let office = fields.get("office").parse().map_err(|_| "money-office-missing")?;
            Ok(Wish::CashOut { amount, office, once })
        }
        _ => Err("money-choose"),
    }
}

pub(super) fn key_of(why: NotPossible) -> &'static str {
    match why {
        NotPossible::Unknown => "money-unknown",
        NotPossible::Done => "money-done-before",
        NotPossible::Held => "money-held",
        NotPossible::TooMuch => "money-too-much",
        NotPossible::Recovering => "money-recovering",
        NotPossible::Frozen => "money-frozen",
        NotPossible::Same => "money-same",
        NotPossible::NoOther => "money-no-other",
    }
}

/// What the second step must still find: figures and postings alike.
fn seen_of(plan: &Plan) -> String {
    let takes = plan.takes.map_or((-1, -1), |takes| (takes.available.0, takes.owed.0));
    let (leg, after) = (plan.moved.leg.amount.0, (plan.available.0, plan.owed.0));
    format!("{leg}.{}.{}.{}.{}.{}", takes.0, takes.1, plan.gets.0, after.0, after.1)
}

/// First step: says what would be posted. Second step: does it.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("members");
    let fields = &posted.fields;
    let again = |key: &str| {
        let [amount, office, chosen, to, card] =
            ["amount", "office", "fact", "to", "card"].map(|name| fields.get(name).to_owned());
        let typed = Typed { amount, office, chosen, to, card };
        show(&console, ui.clone(), id, (typed, ui.t(key)), false, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let wish = match (fields.get("do"), once_of(fields)) {
        ("carry_over", Ok(once)) => carry_wish(&console, id, fields, once).await?,
        _ => wish_of(fields),
    };
    let wish = match wish {
        Ok(wish) => wish,
        Err(key) => return again(key).await,
    };
    let (vault, asked) = (console.app.vault.clone(), wish.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let offices = people::offices(tx)?;
        let name = masked_name(tx, &vault, Some(id))?;
        let other = match &asked {
            Wish::CarryOver { to, .. } => masked_name(tx, &vault, Some(to.member))?,
            _ => String::new(),
        };
        Ok((money::planned(tx, id, &asked)?, offices, (name, other), money::purse(tx, id)?))
    };
    let (planned, offices, (name, other), purse) = console.app.db.read(load).await?;
    let plan = match planned {
        Ok(plan) if offices.iter().any(|row| row.office == plan.moved.office) => plan,
        Ok(_) => return again("money-office-missing").await,
        Err(why) => return again(key_of(why)).await,
    };
    let is_sure = fields.get("sure") == "yes";
    let error = match (is_sure, fields.get("seen") == seen_of(&plan), fields.get("reason").is_empty()) {
        (false, ..) => "",
        (true, false, _) => "money-changed",
        (true, true, true) => "reason-missing",
        (true, true, false) => match take(&console, &posted, id, (wish, plan.clone())).await? {
            true => return Ok(go(&format!("/members/{id}/money?done"))),
            false => "money-changed",
        },
    };
    let hidden = ["do", "fact", "amount", "office", "once", "to", "card"];
    let hidden = hidden.into_iter().map(|field| (field.to_owned(), fields.get(field).to_owned()));
    let page = SurePage {
        back: format!("/members/{id}/money"),
        name,
        what: ui.t(&format!("money-{}", fields.get("do").replace('_', "-"))),
        postings: postings(&ui, &offices, &plan, &other),
        available: [yuan(&ui, purse.available), yuan(&ui, plan.available.0)],
        owed: [yuan(&ui, purse.owed), yuan(&ui, plan.owed.0)],
        owes: plan.owed.0 > purse.owed,
        hidden: hidden.filter(|field| !field.1.is_empty()).collect(),
        seen: seen_of(&plan),
        reason: fields.get("reason").to_owned(),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// The postings in words; `other` is who gets what is carried over.
fn postings(ui: &Ui, offices: &[OfficeRow], plan: &Plan, other: &str) -> Vec<Posting> {
    let end = |end: ValueEnd| match end {
        ValueEnd::Cash(office) => ui.t_with("money-at-cash", &[("office", &place(ui, offices, office))]),
        ValueEnd::Redeemed(office) => {
            ui.t_with("money-at-redeemed", &[("office", &place(ui, offices, office))])
        }
        ValueEnd::Member(member) if plan.moved.to == ValueEnd::Member(member) && plan.takes.is_some() => {
            ui.t_with("money-at-other", &[("name", other)])
        }
        ValueEnd::Member(_) | ValueEnd::Issuer(_) | ValueEnd::Adjust(_) => ui.t("money-at-available"),
    };
    let (from, to) = (end(plan.moved.from), end(plan.moved.to));
    let Some(takes) = plan.takes else {
        let to_club = Amount(plan.moved.leg.amount.0 - plan.gets.0);
        let parts = [(to, plan.gets), (ui.t("money-at-club"), to_club)];
        let part =
            |(to, part): (String, Amount)| Posting { from: from.clone(), to, amount: yuan(ui, part.0) };
        return parts.into_iter().filter(|part| part.1.is_positive()).map(part).collect();
    };
    let parts = [(from, takes.available), (ui.t("money-at-owed"), takes.owed)];
    let part = |(from, part): (String, Amount)| Posting { from, to: to.clone(), amount: yuan(ui, part.0) };
    parts.into_iter().filter(|part| part.1.is_positive()).map(part).collect()
}

async fn take(
    console: &Console,
    posted: &Posted,
    member: MemberId,
    (wish, plan): (Wish, Plan),
) -> Result<bool, Failure> {
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        money::take(tx, (member, &wish, &plan), (&note, &actor), (entry, now))
    };
    let done = console.app.write(work).await?;
    if let Some(id) = done {
        tracing::info!(%member, %id, "stored value was moved at the centre's desk");
    }
    Ok(done.is_some())
}
