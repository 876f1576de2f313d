//! 入会待审: applications to join, one after another, each beside those whom it looks like, with a key for each outcome of
//! K8. Deciding is done by the same command as in `/api/v1`; 先致电 only notes on which day to be reminded.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{Day, OfficeClock};
use serde::Deserialize;

use super::Console;
use super::approve::{Approving, Deal, Undone};
use super::cases::fact_text;
use super::failure::{Failure, go};
use super::forms::{self, Alike, field_words};
use super::members::{found_by, masked_name};
use super::place::{CONTACT, Chosen};
use super::requests::{asked, fact_of, place_of, state_of, who};
use super::signed::{Fields, Posted, SignedIn};
use super::ui::Ui;
use crate::db::Tx;
use crate::store::calls::{self, Call};
use crate::store::people::{self, PeopleError};
use crate::store::requests::{self, Asks, State as Waits, Waiting};
use crate::store::{StoreError, cases, joining};
use crate::vault::Vault;

/// Applications that the queue shows.
const LISTED_MAX: i64 = 100;
/// Members that a search offers.
const FOUND_MAX: usize = 10;
/// Days ahead for which a call can be noted.
const CALL_DAYS_MAX: i32 = 60;

/// The outcomes of K8, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A member and other applications: all are that member's.
    Both,
    /// A member: the application is theirs.
    Member,
    /// Other applications: all become one new member.
    Merge,
    /// Nobody: a new member.
    New,
}

impl Outcome {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Both, "both", "1"),
        (Self::Member, "member", "2"),
        (Self::Merge, "merge", "3"),
        (Self::New, "new", "4"),
    ];

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether it is what was chosen in the two lists: a key that was pressed by mistake decides nothing.
    fn fits(self, has_member: bool, has_applications: bool) -> bool {
        (has_member, has_applications)
            == match self {
                Self::Both => (true, true),
                Self::Member => (true, false),
                Self::Merge => (false, true),
                Self::New => (false, false),
            }
    }

    /// Whether it can be of an application that looks like nobody, or like somebody.
    fn can_be(self, is_alike: bool) -> bool {
        is_alike || matches!(self, Self::Member | Self::New)
    }
}

/// Which of them, and what was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct QueueQuery {
    only: String,
    done: String,
}

struct Item {
    link: String,
    who: String,
    place: String,
    age: String,
    state: String,
    tone: &'static str,
    /// When somebody means to call; empty if nobody does.
    call: String,
    selected: bool,
}

struct Button {
    code: &'static str,
    key: &'static str,
    label: String,
    writes: String,
}

struct Detail {
    id: String,
    who: String,
    place: String,
    received: String,
    age: String,
    state: String,
    written: Vec<(String, String)>,
    /// Whether it can be decided; else it still has to be looked up.
    is_ready: bool,
    /// Its time is up: it can be completed, and not turned down.
    is_lapsed: bool,
    alike: Option<Alike>,
    alike_member: String,
    /// Final contact data: code, label and what was typed.
    contact: Vec<(&'static str, String, String)>,
    find: String,
    searched: bool,
    found: Vec<(String, String)>,
    buttons: Vec<Button>,
    number: String,
    card: String,
    call_day: String,
    first_day: String,
    reason: String,
    error: String,
}

#[derive(Template)]
#[template(path = "join_queue.html")]
struct QueuePage {
    ui: Ui,
    items: Vec<Item>,
    only_calls: bool,
    /// How many are to be called today.
    due: String,
    done: String,
    /// What became of the one that was asked for, and where that leads; empty if it is here.
    gone: (String, String),
    detail: Option<Detail>,
}

/// What was typed and found so far.
#[derive(Default)]
struct Typed {
    chosen: Chosen,
    find: String,
    searched: bool,
    found: Vec<MemberId>,
    number: String,
    card: String,
    call_day: String,
    reason: String,
    /// The key of what is wrong; empty if nothing is.
    error: &'static str,
}

/// The queue, with the first one that waits.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<QueueQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("requests"), (&query, None), Typed::default()).await
}

/// The queue with one of them.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<QueueQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let id = fact_of(&id).ok_or(Failure::NotFound)?;
    show(&console, by.ui.at("requests"), (&query, Some(id)), Typed::default()).await
}

/// Applications that wait or can be completed, those to be called later behind the others; with the day of each call.
fn waiting(
    tx: &mut Tx<'_>,
    (today, only_calls): (Day, bool),
) -> Result<(Vec<Waiting>, BTreeMap<FactId, Day>), StoreError> {
    let mut all = requests::applications(tx, LISTED_MAX)?;
    all.extend(requests::lapsed(tx, LISTED_MAX)?);
    let calls: BTreeMap<FactId, Day> =
        calls::planned(tx)?.into_iter().map(|call| (call.application, call.day)).collect();
    if only_calls {
        all.retain(|waiting| calls.get(&waiting.id).is_some_and(|day| *day <= today));
    }
    all.sort_by_key(|waiting| {
        let is_later = calls.get(&waiting.id).is_some_and(|day| *day > today);
        (is_later, waiting.state == Waits::Lapsed, waiting.received, waiting.id)
    });
    Ok((all, calls))
}

/// What the page reads.
struct Loaded {
    items: Vec<Item>,
    due: usize,
    detail: Option<Detail>,
    gone: Option<(String, String)>,
}

async fn show(
    console: &Console,
    ui: Ui,
    (query, id): (&QueueQuery, Option<FactId>),
    typed: Typed,
) -> Result<Response, Failure> {
    let (vault, keys, own) = (console.app.vault.clone(), console.app.keys.clone(), ui.clone());
    let (only_calls, error) = (query.only == "call", typed.error);
    let today = OfficeClock::default().business_day(console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<Loaded, PeopleError> {
        let with = (&vault, keys.open_key());
        let (all, calls) = waiting(tx, (today, only_calls))?;
        let asked_for = id.map(|id| requests::one(tx, id)).transpose()?.flatten();
        let asked_for = asked_for.filter(|waiting| waiting.asks == Asks::Join);
        let shown = if id.is_some() { asked_for } else { all.first().cloned() };
        let offices = people::offices(tx)?;
        let mut items = Vec::with_capacity(all.len());
        for waiting in &all {
            let (state, tone) = state_of(waiting);
            let call = calls.get(&waiting.id);
            items.push(Item {
                link: link(waiting.id, only_calls),
                who: who(tx, with, &own, waiting)?,
                place: place_of(&own, &offices, waiting),
                age: own.ago(waiting.received),
                state: own.t(state),
                tone,
                call: call.map_or_else(String::new, |day| {
                    own.t_with("joinq-call-on", &[("day", &day.to_string())])
                }),
                selected: shown.as_ref().is_some_and(|shown| shown.id == waiting.id),
            });
        }
        let detail = match &shown {
            Some(waiting) => {
                let place = place_of(&own, &offices, waiting);
                let mut detail = detail(tx, (with, &own), (waiting, place), &typed)?;
                detail.first_day = today.to_string();
                Some(detail)
            }
            None => None,
        };
        let gone = match id.filter(|_| shown.is_none()) {
            Some(id) => Some(gone(tx, &own, id)?),
            None => None,
        };
        let due = calls.iter().filter(|(id, day)| **day <= today && all.iter().any(|one| one.id == **id));
        Ok(Loaded { due: due.count(), items, detail, gone })
    };
    let Loaded { items, due, detail, gone } = console.app.db.read(load).await?;
    let status = match (&gone, error) {
        (Some(_), _) => StatusCode::GONE,
        (None, "") => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let done = match query.done.as_str() {
        what @ ("both" | "member" | "merge" | "new" | "reject" | "call") => {
            ui.t(&format!("joinq-done-{what}"))
        }
        _ => String::new(),
    };
    let due = if due == 0 { String::new() } else { ui.t_with("joinq-due", &[("n", &due.to_string())]) };
    let page = QueuePage { items, only_calls, due, done, gone: gone.unwrap_or_default(), detail, ui };
    Ok((status, Html(page.render()?)).into_response())
}

fn link(id: FactId, only_calls: bool) -> String {
    format!("/joining/{}{}", fact_text(id), if only_calls { "?only=call" } else { "" })
}

/// What became of an application that waits no more, in words, and where that leads.
fn gone(tx: &mut Tx<'_>, ui: &Ui, id: FactId) -> Result<(String, String), PeopleError> {
    let filed = if id.is_filed() { joining::filed(tx, id)? } else { None };
    let member = match filed {
        Some(filed) => filed.member,
        None => people::member_of_fact(tx, id)?,
    };
    let row = member.map(|member| people::member(tx, member)).transpose()?.flatten();
    Ok(match row {
        Some(row) => {
            (ui.t_with("joinq-gone-member", &[("number", &row.number)]), format!("/members/{}", row.member))
        }
        None => (ui.t("joinq-gone"), "/joining".to_owned()),
    })
}

/// One application beside those whom it looks like.
fn detail(
    tx: &mut Tx<'_>,
    (with, ui): ((&Vault, &OpenKey), &Ui),
    (waiting, place): (&Waiting, String),
    typed: &Typed,
) -> Result<Detail, PeopleError> {
    let case = match waiting.state {
        Waits::Case(case) => cases::one(tx, case)?,
        _ => None,
    };
    let alike = case.as_ref().map(|case| forms::alike(tx, with, ui, case)).transpose()?.flatten();
    let mut found = Vec::new();
    for member in &typed.found {
        let number = people::member(tx, *member)?.map(|row| row.number).unwrap_or_default();
        found.push((member.to_string(), format!("{} · {number}", masked_name(tx, with.0, Some(*member))?)));
    }
    let is_alike = alike.is_some();
    let buttons = Outcome::ALL.iter().filter(|row| row.0.can_be(is_alike));
    let button = |row: &(Outcome, &'static str, &'static str)| Button {
        code: row.1,
        key: row.2,
        label: ui.t(&format!("joinq-do-{}", row.1)),
        writes: ui.t(&format!("joinq-writes-{}", row.1)),
    };
    let label = |field: &'static str| (field, field_words(ui, field));
    let contact = CONTACT.map(label).into_iter().zip(typed.chosen.contact.iter().cloned());
    Ok(Detail {
        id: fact_text(waiting.id),
        who: who(tx, with, ui, waiting)?,
        place,
        received: ui.time(waiting.received),
        age: ui.ago(waiting.received),
        state: ui.t(state_of(waiting).0),
        written: asked(tx, with, ui, waiting)?.into_iter().map(|line| (line.label, line.value)).collect(),
        is_ready: matches!(waiting.state, Waits::Ready | Waits::Lapsed | Waits::Case(_)),
        is_lapsed: waiting.state == Waits::Lapsed,
        alike,
        alike_member: typed.chosen.member.map(|member| member.to_string()).unwrap_or_default(),
        contact: contact.map(|((field, label), value)| (field, label, value)).collect(),
        find: typed.find.clone(),
        searched: typed.searched,
        found,
        buttons: buttons.map(button).collect(),
        number: typed.number.clone(),
        card: typed.card.clone(),
        call_day: typed.call_day.clone(),
        first_day: String::new(),
        reason: typed.reason.clone(),
        error: if typed.error.is_empty() { String::new() } else { ui.t(typed.error) },
    })
}

/// What was chosen in the two lists.
async fn chosen(console: &Console, id: FactId, fields: &Fields) -> Result<Chosen, Failure> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        match requests::one(tx, id)?.map(|waiting| waiting.state) {
            Some(Waits::Case(case)) => Ok(cases::one(tx, case)?),
            _ => Ok(None),
        }
    };
    let case = console.app.db.read(load).await?;
    Ok(match case {
        Some(case) => Chosen::of(&case, fields),
        None => Chosen { member: fields.get("alike").parse().ok(), ..Chosen::default() },
    })
}

/// Decides an application, notes a call, or looks for a member.
pub async fn act(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<QueueQuery>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let application = fact_of(&id).ok_or(Failure::NotFound)?;
    let (ui, fields) = (posted.by.ui.clone().at("requests"), &posted.fields);
    let mut typed = Typed {
        chosen: chosen(&console, application, fields).await?,
        find: fields.get("find").to_owned(),
        number: fields.get("number").to_owned(),
        card: fields.get("card").to_owned(),
        call_day: fields.get("day").to_owned(),
        reason: fields.get("reason").to_owned(),
        ..Typed::default()
    };
    let what = fields.get("do");
    let done = match what {
        "find" => {
            let (vault, text) = (console.app.vault.clone(), typed.find.clone());
            typed.found = console.app.db.read(move |tx| found_by(tx, &vault, &text, FOUND_MAX)).await?;
            typed.searched = true;
            return show(&console, ui, (&query, Some(application)), typed).await;
        }
        "call" => call(&console, &posted, (application, &typed.call_day)).await?,
        _ if typed.reason.is_empty() => Err("reason-missing"),
        _ => decide(&console, &posted, (application, what), typed.chosen.clone()).await?,
    };
    match done {
        Ok(()) => {
            let only = if query.only == "call" { "&only=call" } else { "" };
            Ok(go(&format!("/joining?done={what}{only}")))
        }
        Err(key) => {
            typed.error = key;
            // Whom the person found stays to be chosen.
            typed.found.extend(typed.chosen.member);
            show(&console, ui, (&query, Some(application)), typed).await
        }
    }
}

/// Decides it by the command that all ways go; or the key of why not.
async fn decide(
    console: &Console,
    posted: &Posted,
    (application, what): (FactId, &str),
    chosen: Chosen,
) -> Result<Result<(), &'static str>, Failure> {
    let member = chosen.member;
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let row = member.map(|member| people::member(tx, member)).transpose()?.flatten();
        let waiting = requests::one(tx, application)?;
        Ok((waiting.map(|waiting| matches!(waiting.state, Waits::Case(_))), row.map(|row| row.number)))
    };
    let (is_case, number) = console.app.db.read(load).await?;
    let Some(is_case) = is_case else { return Ok(Err("request-changed")) };
    let deal = match (what, Outcome::from_code(what)) {
        ("reject", _) => Deal::Reject,
        (_, Some(outcome)) if !outcome.fits(chosen.member.is_some(), !chosen.applications.is_empty()) => {
            return Ok(Err("joinq-mismatch"));
        }
        (_, Some(Outcome::Member)) if !is_case => Deal::Bind(number.unwrap_or_default()),
        (_, Some(_)) => Deal::Join,
        (_, None) => return Ok(Err("verdict-none")),
    };
    let approving = match Approving::new(console, posted).await? {
        Ok(approving) => approving,
        Err(key) => return Ok(Err(key)),
    };
    match approving.run(posted.by.session.account, application, (deal, chosen)).await? {
        Ok(()) => {}
        Err(Undone::Key(key)) => return Ok(Err(key)),
        Err(Undone::Role) => return Err(Failure::Role),
        Err(Undone::Failed(error)) => return Err(error.into()),
    }
    Ok(Ok(()))
}

/// The day of a call, from today on and not too far ahead.
fn day_of(text: &str, today: Day) -> Option<Day> {
    text.parse().ok().filter(|day: &Day| (today..=today.plus(CALL_DAYS_MAX)).contains(day))
}

/// Notes on which day to call; or the key of why not.
async fn call(
    console: &Console,
    posted: &Posted,
    (application, day): (FactId, &str),
) -> Result<Result<(), &'static str>, Failure> {
    let now = console.app.now();
    let Some(day) = day_of(day, OfficeClock::default().business_day(now)) else {
        return Ok(Err("joinq-call-day"));
    };
    let call = Call { application, day, staff: posted.by.session.staff };
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, StoreError> {
        let waits = requests::one(tx, application)?.is_some_and(|waiting| waiting.asks == Asks::Join);
        if !waits {
            return Ok(Err("request-changed"));
        }
        calls::plan(tx, &call, now)?;
        Ok(Ok(()))
    };
    Ok(console.app.db.write(work).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_k08_an_outcome_is_of_what_was_chosen_and_of_nothing_else() {
        for (code, member, applications) in
            [("both", true, true), ("member", true, false), ("merge", false, true), ("new", false, false)]
        {
            let outcome = Outcome::from_code(code).expect("an outcome");
            for (has_member, has_applications) in [(true, true), (true, false), (false, true), (false, false)]
            {
                let fits = (has_member, has_applications) == (member, applications);
                assert_eq!(outcome.fits(has_member, has_applications), fits, "{code}");
            }
            assert!(outcome.can_be(true));
            assert_eq!(outcome.can_be(false), !applications, "{code}: nothing to go in with");
        }
        assert_eq!(Outcome::from_code("reject"), None);
    }

    #[test]
    fn a_call_is_noted_for_a_day_that_comes() {
        let today: Day = "2026-11-22".parse().expect("a day");
        for (text, expected) in [
            ("2026-11-22", true),
            ("2027-01-21", true),
            ("2027-01-22", false),
            ("2026-11-21", false),
            ("", false),
        ] {
            assert_eq!(day_of(text, today).is_some(), expected, "{text}");
        }
    }
}
