//! `/pin`: who is at the counter, and signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use hufu_shared::ids::OperatorId;

use super::super::forms::Refused;
use super::super::operators::PinError;
use super::super::pages::Frame;
use super::super::port::Order;
use super::super::routes::{Choice, Counter, choose, html};
use super::super::words::Ui;
use super::forms::{Input, folded, given};
use super::routes::style;
use crate::rules::operator::{Act, Barred, PIN_DIGITS, Role, Staff, may};

/// Where somebody signs in.
pub const PIN_PATH: &str = "/pin";

/// An operator to be picked.
#[derive(Debug)]
pub struct OperatorLine {
    /// What the form sends.
    pub id: String,
    /// Name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Whether it is picked.
    pub picked: bool,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/pin.html")]
pub struct PinPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Who is signed in, or that nobody is.
    pub state: String,
    /// Whether somebody is.
    pub here: bool,
    /// Why somebody must sign in, or why nobody was let in.
    pub declined: Option<String>,
    /// Who can be picked.
    pub operators: Vec<OperatorLine>,
    /// Digits of a PIN.
    pub digits: usize,
}

type Shared = State<Arc<Counter>>;

/// What the pages of an address are for; none for those that anybody may see.
#[must_use]
pub fn act_of(path: &str) -> Option<Act> {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "walkin" => Some(Act::Guest),
        "lookup" | "undo" | "today" | "bill" => Some(Act::Member),
        "shift" => Some(Act::Shift),
        "tablets" => Some(Act::Tablets),
        _ => None,
    }
}

/// The answer to somebody who may not see a page now: where to sign in.
#[must_use]
pub fn barred(staff: Staff, path: &str) -> Option<Response> {
    let needs = match may(staff, act_of(path)?) {
        Ok(()) => return None,
        Err(Barred::SignIn) => "sign_in",
        Err(Barred::Role(role)) => role.code(),
    };
    Some(Redirect::to(&format!("{PIN_PATH}?needs={needs}")).into_response())
}

pub(super) async fn show(State(counter): Shared, headers: HeaderMap, Query(query): Query<Input>) -> Response {
    if let Some(answer) = choose(&Choice::of(&query), PIN_PATH) {
        return answer;
    }
    let ui = counter.frame(&headers, &counter.port.snapshot()).ui;
    let needs = given(&query, "needs");
    let role = Role::ALL.into_iter().find(|role| needs == Some(role.code()));
    let declined = match (needs, role) {
        (Some("sign_in"), _) => Some(ui.t("pin-needs-sign-in")),
        (_, Some(role)) => Some(ui.t1("pin-needs-role", "role", role_text(role, &ui))),
        _ => None,
    };
    page(&counter, &headers, StatusCode::OK, None, declined)
}

pub(super) async fn act(State(counter): Shared, headers: HeaderMap, Form(input): Form<Input>) -> Response {
    let ui = counter.frame(&headers, &counter.port.snapshot()).ui;
    let operator: Option<OperatorId> = given(&input, "operator").and_then(|id| id.parse().ok());
    let order = if given(&input, "act") == Some("out") {
        Order::SignOut
    } else {
        let pin = folded(given(&input, "pin").unwrap_or_default());
        let checked = match operator {
            Some(id) => check(&counter, id, pin).await,
            None => Err(PinError::Unknown),
        };
        match checked {
            Ok(id) => Order::SignIn(id),
            Err(error) => {
                let status = match error {
                    PinError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::FORBIDDEN,
                };
                return page(&counter, &headers, status, operator, Some(why(&error, &ui)));
            }
        }
    };
    match counter.port.order(order).await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(declined) => {
            let sentence = ui.t(Refused::from(declined).key());
            page(&counter, &headers, StatusCode::CONFLICT, operator, Some(sentence))
        }
    }
}

async fn check(counter: &Counter, id: OperatorId, pin: String) -> Result<OperatorId, PinError> {
    let operators = Arc::clone(&counter.operators);
    let checked = tokio::task::spawn_blocking(move || operators.check(id, &pin).map(|operator| operator.id));
    checked.await.unwrap_or(Err(PinError::Unknown))
}

fn why(error: &PinError, ui: &Ui) -> String {
    match error {
        PinError::Unknown => ui.t("pin-not-unknown"),
        PinError::Wrong(left) => ui.t1("pin-not-wrong", "left", left.to_string()),
        PinError::Locked(until) => ui.t1("pin-not-locked", "time", ui.time(*until)),
        PinError::Store(_) => ui.t("pin-not-kept"),
    }
}

/// A role as people say it.
#[must_use]
pub fn role_text(role: Role, ui: &Ui) -> String {
    ui.t(&format!("pin-role-{}", role.code()))
}

fn page(
    counter: &Counter,
    headers: &HeaderMap,
    status: StatusCode,
    picked: Option<OperatorId>,
    declined: Option<String>,
) -> Response {
    let snapshot = counter.port.snapshot();
    let frame = counter.frame(headers, &snapshot);
    let ui = &frame.ui;
    let staff = &snapshot.view.staff;
    let state = match &staff.operator {
        Some(here) => {
            ui.t2("pin-state-here", ("name", here.name.clone()), ("role", role_text(here.role, ui)))
        }
        None if staff.asked => ui.t("pin-state-away"),
        None => ui.t("pin-state-unasked"),
    };
    let all = counter.operators.all().iter().enumerate();
    let operators = all.map(|(at, operator)| OperatorLine {
        id: operator.id.to_string(),
        name: operator.name.clone(),
        role: role_text(operator.role, ui),
        picked: picked.map_or(at == 0, |picked| picked == operator.id),
    });
    let page = PinPage {
        style: style(),
        state,
        here: staff.operator.is_some(),
        declined,
        operators: operators.collect(),
        digits: PIN_DIGITS,
        frame: &frame,
    };
    html(status, &page)
}
