//! 积分: what waits for approval, a change for one member, and a batch (K20 to K23). The rules of asking are the API's.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::dictionary::{self, Term};
use hufu_shared::member::OfficeRow;
use serde::Deserialize;

use super::Console;
use super::events::{self, Telling};
use super::failure::{Failure, go};
use super::members::masked_name;
use super::points::{self, Made, Written, Wrong};
use super::signed::{Posted, SignedIn};
use super::statement::cause_words;
use super::transfers;
use super::ui::Ui;
use crate::db::Tx;
use crate::random;
use crate::rules::apply::KIND_APPROVAL;
use crate::rules::points::State as Stands;
use crate::rules::world::KnownPoints;
use crate::store::people::{self, PeopleError};
use crate::store::{joining, points as store, staff, world};
use crate::vault::Vault;

/// Changes that the page lists.
const LISTED_MAX: i64 = 100;
/// Activities that can be chosen.
const ACTIVITIES_MAX: i64 = 50;

/// A change that waits.
struct Row {
    id: String,
    link: String,
    who: String,
    points: String,
    cause: String,
    place: String,
    asked: String,
    asker: String,
    /// Somebody else than who looks at it asked for it.
    is_others: bool,
}

#[derive(Template)]
#[template(path = "points.html")]
struct PointsPage {
    ui: Ui,
    rows: Vec<Row>,
    /// Purchases that wait among the cases: where, and how many; none if none does.
    purchases: Option<(String, String)>,
    causes: Vec<(String, String)>,
    offices: Vec<(String, String)>,
    activities: Vec<(String, String)>,
    typed: Typed,
    /// Whether the club allows that a member gives points to another.
    gives: bool,
    /// Events that can be told of; none where the scheme gives nothing for any.
    telling: Option<Telling>,
    /// Tells one change from another of the same content.
    once: String,
    done: String,
    errors: Vec<String>,
}

/// What a person typed, to be kept after an error.
#[derive(Default)]
struct Typed {
    member: String,
    points: String,
    cause: String,
    office: String,
    activity: String,
    reason: String,
    rows: String,
    from: String,
    to: String,
    kind: String,
    code: String,
    day: String,
    serial: String,
    yuan: String,
    waits: bool,
}

/// Whose points.
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
        Some(what @ ("posted" | "waiting" | "approved" | "returned" | "given" | "told" | "taken-back")) => {
            ui.t(&format!("points-done-{what}"))
        }
        _ => String::new(),
    };
    let typed = Typed { member: query.member.unwrap_or_default(), ..Typed::default() };
    show(&console, (ui, by.actor().to_string()), typed, (done, Vec::new())).await
}

fn row(
    tx: &mut Tx<'_>,
    (vault, ui, me): (&Vault, &Ui, &str),
    (causes, offices, people_names): (&[Term], &[OfficeRow], &[(String, String)]),
    known: &KnownPoints,
) -> Result<Row, PeopleError> {
    let of = &known.change;
    let number = people::member(tx, of.member)?.map(|row| row.number).unwrap_or_default();
    let office = offices.iter().find(|row| row.office == of.office);
    let asker = people_names.iter().find(|(name, _)| *name == known.asker);
    let by_trigger = || ui.t("points-by-trigger");
    Ok(Row {
        id: of.id.to_string(),
        link: format!("/members/{}", of.member),
        who: format!("{} · {number}", masked_name(tx, vault, Some(of.member))?),
        points: events::amount_words(ui, known),
        cause: cause_words(ui.language, causes, &of.cause),
        place: office.map_or_else(|| "—".to_owned(), |row| ui.pick(&row.name)),
        asked: ui.time(known.asked),
        asker: asker.map_or_else(by_trigger, |(_, name)| name.clone()),
        is_others: known.asker != me,
    })
}

async fn show(
    console: &Console,
    (ui, me): (Ui, String),
    typed: Typed,
    (done, errors): (String, Vec<String>),
) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let (causes, offices) = (joining::terms(tx, dictionary::CAUSE)?, people::offices(tx)?);
        let named = |account: &(crate::rules::joining::roles::Account, String, String)| {
            (format!("admin/{}", account.0.id), account.2.clone())
        };
        let names: Vec<(String, String)> = staff::accounts(tx)?.iter().map(named).collect();
        let mut rows = Vec::new();
        for known in store::changes(tx, Stands::Waiting, store::FIRST_ASKED, LISTED_MAX)? {
            rows.push(row(tx, (&vault, &own, me.as_str()), (&causes[..], &offices[..], &names[..]), &known)?);
        }
        let waiting = store::purchases_waiting(tx)?;
        let gives = world::policy(tx)?.transfer.is_some();
        let more = (gives, events::telling(tx, (&vault, &own))?);
        Ok((rows, causes, offices, (store::activities(tx, ACTIVITIES_MAX)?, more, waiting)))
    };
    let (rows, causes, offices, (activities, more, waiting)) = console.app.db.read(load).await?;
    let (gives, telling) = more;
    let causes = causes.iter().filter(|term| !term.retired);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let how_many = || ui.t_with("points-purchases", &[("n", &waiting.to_string())]);
    let page = PointsPage {
        rows,
        purchases: (waiting > 0).then(|| (format!("/cases?kind={KIND_APPROVAL}"), how_many())),
        causes: causes.map(|term| (term.code.clone(), ui.pick(&term.words))).collect(),
        offices: offices.iter().map(|row| (row.code.clone(), ui.pick(&row.name))).collect(),
        activities: activities
            .iter()
            .map(|(id, name, starts)| (id.to_string(), format!("{} · {}", ui.pick(name), ui.time(*starts))))
            .collect(),
        typed,
        gives,
        telling,
        once: data_encoding::HEXLOWER.encode(&random::bytes::<16>()?),
        done,
        errors,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Makes a change or a batch, or decides what waits.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone().at("points"), &posted.fields);
    let of = |name: &str| fields.get(name).to_owned();
    let typed = Typed {
        member: of("member"),
        points: of("points"),
        cause: of("cause"),
        office: of("office"),
        activity: of("activity"),
        reason: of("reason"),
        rows: fields.raw("rows").to_owned(),
        from: of("from"),
        to: of("to"),
        kind: of("kind"),
        code: of("code"),
        day: of("day"),
        serial: of("serial"),
        yuan: of("yuan"),
        waits: fields.get("waits") == "1",
    };
    let waits = typed.waits;
    let (done, bad): (&str, Vec<(usize, Wrong)>) = match fields.get("do") {
        what @ ("give" | "tell" | "take-back") => {
            return match beside(&console, &posted, what).await? {
                Ok(done) => Ok(go(&format!("/points?done={done}"))),
                Err(error) => {
                    let me = posted.by.actor().to_string();
                    show(&console, (ui, me), typed, (String::new(), vec![error])).await
                }
            };
        }
        "decide" => match points::decide_all(&console, &posted).await? {
            Ok(_) => (if fields.get("approved") == "1" { "approved" } else { "returned" }, Vec::new()),
            Err(wrong) => ("", vec![(0, wrong)]),
        },
        "batch" => match points::rows_typed(fields) {
            Ok(rows) => told(points::make(&console, &posted, rows, waits).await?, waits),
            Err(key) => ("", vec![(0, Wrong::Key(key))]),
        },
        _ => {
            let rows = vec![(1, Written::of(fields))];
            let (done, bad) = told(points::make(&console, &posted, rows, waits).await?, waits);
            (done, bad.into_iter().map(|(_, wrong)| (0, wrong)).collect())
        }
    };
    if bad.is_empty() {
        return Ok(go(&format!("/points?done={done}")));
    }
    let line = |(line, wrong): &(usize, Wrong)| match line {
        0 => wrong.text(&ui),
        line => ui.t_with("points-line", &[("n", &line.to_string()), ("what", &wrong.text(&ui))]),
    };
    let errors = bad.iter().map(line).collect();
    let me = posted.by.actor().to_string();
    show(&console, (ui, me), typed, (String::new(), errors)).await
}

/// Gives points of one member to another, tells of an event, or takes one back: what was done, or what is wrong in words.
async fn beside(
    console: &Console,
    posted: &Posted,
    what: &str,
) -> Result<Result<&'static str, String>, Failure> {
    let (ui, fields) = (&posted.by.ui, &posted.fields);
    Ok(match what {
        "give" => {
            let given = transfers::give_as(console, posted).await?;
            given.map(|_| "given").map_err(|why| why.text(ui))
        }
        "tell" => events::tell_as(console, posted).await?.map(|_| "told").map_err(|key| ui.t(key)),
        _ => match fields.get("event").parse() {
            Ok(event) => {
                let taken = events::take_back_as(console, posted, event).await?;
                taken.map(|()| "taken-back").map_err(|key| ui.t(key))
            }
            Err(_) => Err(ui.t("event-unknown")),
        },
    })
}

fn told(made: Made, waits: bool) -> (&'static str, Vec<(usize, Wrong)>) {
    match made {
        Ok(_) => (if waits { "waiting" } else { "posted" }, Vec::new()),
        Err(bad) => ("", bad),
    }
}
