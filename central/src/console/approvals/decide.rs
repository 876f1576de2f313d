//! Approving and returning what waits, in two steps: first what each thing would post and what stands against it, then the
//! decision, by the command of the part that it belongs to.
//!
//! Things of one kind are decided together, each in a transaction of its own. What changed since it was looked at is told
//! and left alone; the others go through.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Actor, RedemptionStep};

use super::super::failure::{Failure, go};
use super::super::requests::{change_it, fact_of};
use super::super::signed::{AnyRole, Posted, SignedIn};
use super::super::ui::Ui;
use super::super::{Console, activities, approve, catalogue, leaving, points, redemptions};
use super::items::{Books, Desk, Item, Me};
use super::{Kind, lines};
use crate::db::Tx;
use crate::rules::joining::roles::Account;
use crate::store::people::PeopleError;

/// Things that are decided together at most.
const PICKED_MAX: usize = 50;

/// One of the things that were picked, as both steps show it.
struct Line {
    title: String,
    link: String,
    about: String,
    effects: Vec<String>,
    against: String,
    asked_by: String,
    since: String,
    /// What became of it, or why it cannot be decided.
    said: String,
    tone: &'static str,
}

impl Line {
    fn of(ui: &Ui, item: &Item) -> Self {
        Self {
            title: item.title.clone(),
            link: item.link.clone(),
            about: item.about.clone(),
            effects: lines(ui, item),
            against: item.against.clone(),
            asked_by: item.asked_by.clone(),
            since: ui.time(item.since),
            said: String::new(),
            tone: "plain",
        }
    }

    fn said(self, said: String, tone: &'static str) -> Self {
        Self { said, tone, ..self }
    }

    /// Of something that is not there any more as it was seen.
    fn gone(ui: &Ui) -> Self {
        Self {
            title: ui.t("approvals-gone-title"),
            link: String::new(),
            about: String::new(),
            effects: Vec::new(),
            against: String::new(),
            asked_by: String::new(),
            since: String::new(),
            said: ui.t("approvals-gone"),
            tone: "wait",
        }
    }
}

/// As whom the person may decide: the value in the form, what it says, whether it is chosen.
struct As {
    value: String,
    name: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "approvals_sure.html")]
struct SurePage {
    ui: Ui,
    kind: String,
    kind_name: String,
    lines: Vec<Line>,
    /// What is decided, as it was seen; empty if nothing can be.
    items: String,
    /// More than one choice is asked for.
    rights: Vec<As>,
    returns: bool,
    reason: String,
    error: String,
}

#[derive(Template)]
#[template(path = "approvals_done.html")]
struct DonePage {
    ui: Ui,
    kind: String,
    kind_name: String,
    lines: Vec<Line>,
    summary: String,
}

/// What was picked, each as it was seen; the same once.
fn picked<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut met = BTreeSet::new();
    let written = all.map(str::trim).filter(|pick| !pick.is_empty());
    written.filter(|pick| met.insert(*pick)).map(str::to_owned).take(PICKED_MAX).collect()
}

/// First step, of what a page's boxes picked.
pub async fn sure(
    State(console): State<Console>,
    Query(pairs): Query<Vec<(String, String)>>,
    AnyRole(by): AnyRole,
) -> Result<Response, Failure> {
    let of = |name: &'static str| pairs.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str());
    let kind = of("kind").next().and_then(Kind::from_code).ok_or(Failure::NotFound)?;
    let picks = picked(of("pick"));
    if picks.is_empty() {
        return Ok(go(&format!("/approvals?kind={}", kind.code())));
    }
    show(&console, &by, (kind, picks), ("", "", "")).await
}

/// The things that were picked, each as it is now if it still is what was seen.
type Found = (Books, Me, Vec<Option<Item>>);

async fn found(
    console: &Console,
    by: &SignedIn,
    (kind, picks): (Kind, Vec<String>),
) -> Result<Found, Failure> {
    let (desk, account) = (Desk::of(console, &by.ui), by.session.account);
    let load = move |tx: &mut Tx<'_>| -> Result<Found, PeopleError> {
        let books = Books::open(tx)?;
        let me = books.me(tx, account, desk.now())?;
        let mut all = desk.load(tx, &books, kind)?;
        all.retain(|item| item.is_seen(&me));
        let mut found = Vec::with_capacity(picks.len());
        for pick in &picks {
            let at = all.iter().position(|item| item.seen() == *pick);
            found.push(at.map(|at| all.swap_remove(at)));
        }
        Ok((books, me, found))
    };
    Ok(console.app.db.read(load).await?)
}

/// What a form calls a way of deciding: nothing in one's own right, else the one in whose place.
fn value_of(actor: &Actor) -> String {
    actor.stands_for().map_or_else(String::new, |person| person.to_string())
}

async fn show(
    console: &Console,
    by: &SignedIn,
    (kind, picks): (Kind, Vec<String>),
    (chosen, reason, error): (&str, &str, &str),
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("approvals");
    let (books, me, found) = found(console, by, (kind, picks)).await?;
    let (mut shown, mut items, mut ways) = (Vec::new(), Vec::new(), Vec::<Actor>::new());
    let mut returns = true;
    for item in &found {
        let Some(item) = item else {
            shown.push(Line::gone(&ui));
            continue;
        };
        let rights = item.rights(&me);
        let line = Line::of(&ui, item);
        if rights.is_empty() {
            shown.push(line.said(ui.t("approvals-own"), "bad"));
            continue;
        }
        shown.push(line);
        items.push(item.seen());
        returns &= item.returns;
        let fresh: Vec<Actor> = rights.into_iter().filter(|way| !ways.contains(way)).collect();
        ways.extend(fresh);
    }
    let name = |actor: &Actor| match actor.stands_for() {
        Some(person) => ui.t_with("approvals-as-for", &[("name", &books.name(person))]),
        None => ui.t("approvals-as-own"),
    };
    let rights = ways.iter().map(|way| As {
        value: value_of(way),
        name: name(way),
        is_chosen: value_of(way) == chosen,
    });
    let page = SurePage {
        kind: kind.code().to_owned(),
        kind_name: kind.words(&ui),
        rights: rights.collect(),
        lines: shown,
        items: items.join(","),
        returns,
        reason: reason.to_owned(),
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// Second step: approves or returns what was picked, thing by thing.
pub async fn decide(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let mut posted = posted.settled_any()?;
    let ui = posted.by.ui.clone().at("approvals");
    let kind = Kind::from_code(posted.fields.get("kind")).ok_or(Failure::NotFound)?;
    let picks = picked(posted.fields.get("items").split(','));
    let [chosen, reason] = ["for", "reason"].map(|name| posted.fields.get(name).to_owned());
    let verdict = match posted.fields.get("approved") {
        _ if reason.is_empty() => Err("reason-missing"),
        _ if picks.is_empty() => Err("approvals-none-picked"),
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("verdict-none"),
    };
    let approved = match verdict {
        Ok(approved) => approved,
        Err(key) => return show(&console, &posted.by, (kind, picks), (&chosen, &reason, key)).await,
    };
    let (books, me, found) = found(&console, &posted.by, (kind, picks)).await?;
    let (mut shown, mut done) = (Vec::new(), 0_usize);
    for item in found {
        let Some(item) = item else {
            shown.push(Line::gone(&ui));
            continue;
        };
        // What was decided before stays, and is told: one that fails does not hide it.
        let said = match one(&console, &mut posted, (&me, &item), (&chosen, approved)).await {
            Ok(said) => said,
            Err(Failure::NotFound | Failure::Role) => Err(ui.t("approvals-gone")),
            Err(Failure::Fault(code)) => Err(code),
            Err(other) => return Err(other),
        };
        done += usize::from(said.is_ok());
        let line = Line::of(&ui, &item);
        shown.push(match said {
            Ok(actor) => line.said(told(&ui, &books, &actor, approved), "ok"),
            Err(why) => line.said(why, "bad"),
        });
    }
    if done == 1 && shown.len() == 1 && posted.by.in_place_of.is_none() {
        let what = if approved { "approved" } else { "returned" };
        return Ok(go(&format!("/approvals?kind={}&done={what}", kind.code())));
    }
    let ui = Ui { approvals: ui.approvals.saturating_sub(u64::try_from(done).unwrap_or(0)), ..ui };
    let values = [("done", done.to_string()), ("left", (shown.len() - done).to_string())];
    let page = DonePage {
        kind: kind.code().to_owned(),
        kind_name: kind.words(&ui),
        summary: ui.t_of("approvals-summary", &values),
        lines: shown,
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

/// That something was decided, by whom and in whose place.
fn told(ui: &Ui, books: &Books, actor: &Actor, approved: bool) -> String {
    let verdict = ui.t(if approved { "approvals-approved" } else { "approvals-returned" });
    match actor.staff().zip(actor.stands_for()) {
        Some((staff, person)) => {
            let values = [("verdict", verdict), ("by", books.name(staff)), ("name", books.name(person))];
            ui.t_of("approvals-decided-for", &values)
        }
        None => verdict,
    }
}

/// Decides one thing in the right that was chosen; answers as whom, or why not in words.
async fn one(
    console: &Console,
    posted: &mut Posted,
    (me, item): (&Me, &Item),
    (chosen, approved): (&str, bool),
) -> Result<Result<Actor, String>, Failure> {
    let ui = posted.by.ui.clone();
    let Some(actor) = item.rights(me).into_iter().find(|way| value_of(way) == chosen) else {
        return Ok(Err(ui.t("approvals-own")));
    };
    if !approved && !item.returns {
        return Ok(Err(ui.t("approvals-completes-only")));
    }
    posted.by.in_place_of = actor.stands_for();
    let person = me.persons.iter().find(|person| Some(person.id) == actor.stands_for());
    let right = person.copied().unwrap_or(me.account);
    let done = commanded(console, posted, &right, (item, approved)).await?;
    Ok(done.map(|()| actor))
}

/// The command of the part that something belongs to.
async fn commanded(
    console: &Console,
    posted: &mut Posted,
    right: &Account,
    (item, approved): (&Item, bool),
) -> Result<Result<(), String>, Failure> {
    let ui = posted.by.ui.clone();
    let words = |done: Result<(), &'static str>| done.map_err(|key| ui.t(key));
    let id = item.id.as_str();
    Ok(match item.kind {
        Kind::Join => {
            let application = fact_of(id).ok_or(Failure::NotFound)?;
            words(approve::join_it(console, posted, right, (application, approved)).await?)
        }
        Kind::Change => words(change_it(console, posted, (id, approved)).await?),
        Kind::Leave => {
            let member = id.parse().map_err(|_| Failure::NotFound)?;
            words(leaving::audit_it(console, posted, (member, approved)).await?)
        }
        Kind::Points => {
            posted.fields.set("changes", id.to_owned());
            points::decide_all(console, posted).await?.map(|_| ()).map_err(|why| why.text(&ui))
        }
        Kind::Activity => {
            let activity = id.parse().map_err(|_| Failure::NotFound)?;
            words(activities::decide_it(console, posted, (activity, approved)).await?)
        }
        Kind::Plan => {
            let plan = id.parse().map_err(|_| Failure::NotFound)?;
            let step = if approved { RedemptionStep::Approve } else { RedemptionStep::Return };
            words(redemptions::step_it(console, posted, (plan, step)).await?.ok_or(Failure::NotFound)?)
        }
        Kind::Item => {
            let redemption = id.parse().map_err(|_| Failure::NotFound)?;
            let done = catalogue::decide_it(console, posted, redemption).await?;
            done.ok_or(Failure::NotFound)?.map_err(|why| why.text(&ui))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{PICKED_MAX, picked};

    #[test]
    fn the_same_is_picked_once_and_no_more_than_a_batch_holds() {
        assert_eq!(picked(["a@1", " b@2 ", "", "a@1"].into_iter()), ["a@1", "b@2"]);
        let many: Vec<String> = (0..PICKED_MAX + 5).map(|n| n.to_string()).collect();
        assert_eq!(picked(many.iter().map(String::as_str)).len(), PICKED_MAX);
    }
}
