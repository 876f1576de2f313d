//! 代理: who is away names who decides in their place from one time to another, and ends it when they are back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, StandInEnded, StandInNamed};
use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::time::Instant;

use super::super::Console;
use super::super::failure::{Failure, go};
use super::super::points::key_of;
use super::super::signed::{AnyRole, Fields, Posted, SignedIn};
use super::super::ui::Ui;
use super::items::Books;
use crate::db::Tx;
use crate::import::text;
use crate::random;
use crate::rules::stand_in::{self, KnownStandIn, NotNamed};
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, journal, staff, stand_ins};

/// Namings that the page lists.
const LISTED_MAX: i64 = 50;

/// A naming as it is shown.
struct Row {
    id: String,
    name: String,
    from: String,
    until: String,
    state: String,
    tone: &'static str,
    /// It can be ended.
    is_open: bool,
}

#[derive(Template)]
#[template(path = "stand_ins.html")]
struct AwayPage {
    ui: Ui,
    /// Whom the person named.
    rows: Vec<Row>,
    /// Whom the person stands in for, or will.
    others: Vec<Row>,
    /// Who can be named: login, and what it says.
    people: Vec<(String, String)>,
    typed: [String; 3],
    /// Tells one naming from another of the same content.
    once: String,
    error: String,
}

/// What was typed: who, from when, until when.
fn typed(fields: &Fields) -> [String; 3] {
    ["who", "from", "until"].map(|name| fields.get(name).to_owned())
}

fn row(ui: &Ui, known: &KnownStandIn, name: String) -> Row {
    let (state, tone) = match (known.holds(ui.now), known.is_open(ui.now)) {
        (true, _) => ("away-holds", "ok"),
        (false, true) => ("away-will", "wait"),
        (false, false) => ("away-over", "plain"),
    };
    Row {
        id: known.id.to_string(),
        name,
        from: ui.time(known.from),
        until: ui.time(known.ended.unwrap_or(known.until)),
        state: ui.t(state),
        tone,
        is_open: known.is_open(ui.now),
    }
}

/// Who stands in for whom, as far as the person has to do with it.
pub async fn away(State(console): State<Console>, AnyRole(by): AnyRole) -> Result<Response, Failure> {
    show(&console, &by, Default::default(), "").await
}

async fn show(
    console: &Console,
    by: &SignedIn,
    typed: [String; 3],
    error: &str,
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("approvals");
    let (me, now) = (by.session.account, console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((Books::open(tx)?, stand_ins::newest(tx, me.id, LISTED_MAX)?, stand_ins::by(tx, me.id, now)?))
    };
    let (books, own, others) = console.app.db.read(load).await?;
    let may = books.people.iter().filter(|(account, _, _)| stand_in::may_stand_in(&me, account));
    let page = AwayPage {
        rows: own.iter().map(|known| row(&ui, known, books.name(known.stand_in))).collect(),
        others: others.iter().map(|known| row(&ui, known, books.name(known.person))).collect(),
        people: may.map(|(_, login, name)| (login.clone(), format!("{name} · {login}"))).collect(),
        typed,
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    let status = if page.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// Names a stand-in, or ends one's time.
pub async fn set_away(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled_any()?;
    let done = match posted.fields.get("do") {
        "name" => name_it(&console, &posted).await?,
        "end" => end_it(&console, &posted).await?,
        _ => Err("verdict-none"),
    };
    match done {
        Ok(()) => Ok(go("/approvals/away")),
        Err(key) => show(&console, &posted.by, typed(&posted.fields), key).await,
    }
}

/// Names somebody under a key; the same is done once. Answers the key of what is wrong.
async fn name_it(console: &Console, posted: &Posted) -> Result<Result<(), &'static str>, Failure> {
    let fields = &posted.fields;
    let moment = |name: &str| text::moment(fields.get(name), posted.by.ui.zone).ok();
    let (Some(from), Some(until)) = (moment("from"), moment("until")) else { return Ok(Err("away-times")) };
    let me = posted.by.session.account;
    let id = match key_of(fields) {
        Ok(key) => Hash::of(&[b"hufu-stand-in", &me.id.0, key.as_bytes()]),
        Err(key) => return Ok(Err(key)),
    };
    let login = fields.get("who").to_owned();
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, StoreError> {
        let now = journal::pass_gate(tx, now)?;
        let who = staff::accounts(tx)?.into_iter().find(|row| row.1 == login).map(|row| row.0);
        let Some(who) = who.filter(|who| stand_in::may_stand_in(&me, who)) else {
            return Ok(Err("away-who"));
        };
        let named = StandInNamed { id, stand_in: who.id, from, until };
        if let Err(key) = may_name(tx, me.id, &named, now)? {
            return Ok(Err(key));
        }
        acts::take(tx, entry, now, &actor, &Act::StandInNamed(named))?;
        Ok(Ok(()))
    };
    Ok(console.app.write(work).await?)
}

/// Whether a naming says what it must and does not run beside another one of the person.
fn may_name(
    tx: &mut Tx<'_>,
    person: OperatorId,
    named: &StandInNamed,
    now: Instant,
) -> Result<Result<(), &'static str>, StoreError> {
    match stand_in::check(person, named, now) {
        Err(NotNamed::Own) => return Ok(Err("away-who")),
        Err(NotNamed::Period) => return Ok(Err("away-times")),
        Err(NotNamed::Long) => return Ok(Err("away-long")),
        Ok(()) => {}
    }
    let beside = |known: &KnownStandIn| {
        known.id != named.id && known.is_open(now) && known.from < named.until && named.from < known.until
    };
    Ok(if stand_ins::of(tx, person)?.iter().any(beside) { Err("away-beside") } else { Ok(()) })
}

/// Ends a naming of one's own before its time; answers the key of what is wrong.
async fn end_it(console: &Console, posted: &Posted) -> Result<Result<(), &'static str>, Failure> {
    let Ok(id) = posted.fields.get("id").parse::<Hash>() else { return Ok(Err("away-gone")) };
    let (me, actor) = (posted.by.session.staff, posted.by.actor());
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, StoreError> {
        let now = journal::pass_gate(tx, now)?;
        let known = stand_ins::of(tx, me)?.into_iter().find(|known| known.id == id);
        if !known.is_some_and(|known| known.is_open(now)) {
            return Ok(Err("away-gone"));
        }
        acts::take(tx, entry, now, &actor, &Act::StandInEnded(StandInEnded { id }))?;
        Ok(Ok(()))
    };
    Ok(console.app.write(work).await?)
}
