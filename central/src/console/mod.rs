//! The console: what admins see and do, rendered at the server, working without script.
//!
//! Every change is an act in the journal or a row of the staff tables; a reason that a person types is sealed beside
//! the journal and only its commitment stands in the act. Personal data is masked wherever it is shown.
//!
//! Out of scope: exports, charts, and roles beyond those that joining and members ask for.

mod accounts;
mod activities;
mod api;
mod applications;
mod approve;
mod assets;
mod associations;
mod brought;
mod cards;
mod cases;
mod cash;
mod codes;
mod compare;
mod coupons;
mod days;
mod decide;
mod details;
mod devices;
mod edits;
mod failure;
mod first_card;
mod forms;
mod groups;
mod guard;
mod guests;
mod issuing;
mod jobs;
mod leases;
mod leaving;
mod levels;
mod login;
mod login_name;
mod members;
mod money;
mod overview;
pub mod password;
mod people;
mod place;
mod points;
mod points_page;
mod problem;
mod readiness;
mod recovery;
mod redemptions;
mod redemptions_page;
mod requests;
mod session;
mod signed;
pub(crate) mod statement;
mod stock;
mod taken_back;
mod transfers;
mod ui;
mod value;
mod verdict;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use hufu_shared::ids::Hash;
use hufu_shared::time::Instant;
use hufu_shared::token::TokenKey;

use crate::app::App;
use crate::store::devices as terminals;
use password::Passwords;

/// Largest body of a form.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// Wrong tries at a login, and until when it waits.
type Tries = (u32, Option<Instant>);

/// Shared state of the console.
#[derive(Clone)]
pub struct Console {
    /// The service.
    pub app: App,
    passwords: Passwords,
    /// Tries at logins that nobody has: they are answered as those of known ones are.
    strangers: Arc<Mutex<HashMap<Hash, Tries>>>,
}

impl Console {
    /// Over a service.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, passwords: Passwords::default(), strangers: Arc::default() }
    }

    /// Whether people reach it over TLS: on every address but the machine's own.
    #[must_use]
    pub fn secure(&self) -> bool {
        !self.app.config.console.listen.ip().is_loopback()
    }

    /// The keys by which cards are found, the current one first.
    async fn token_keys(&self) -> Result<Vec<TokenKey>, failure::Failure> {
        let keys = self.app.keys.clone();
        let read = self.app.db.read(move |tx| terminals::token_keys(tx, keys.open_key())).await;
        read.map_err(|error| failure::Failure::fault(&error))
    }
}

/// The part of the API about joining and leaving.
fn joining() -> Router<Console> {
    Router::new()
        .route("/api/v1/applications", get(applications::list).post(applications::file))
        .route("/api/v1/applications/look", post(applications::look))
        .route("/api/v1/applications/{id}/decide", post(approve::decide))
        .route("/api/v1/applications/{id}/carer", post(accounts::hand_application))
        .route("/api/v1/associations", get(associations::list))
        .route("/api/v1/associations/done", post(associations::done))
        .route("/api/v1/accounts", get(accounts::list).post(accounts::open))
        .route("/api/v1/members/cared-for", get(accounts::cared_for))
        .route("/api/v1/members/{id}/carer", post(accounts::hand_member))
        .route("/api/v1/members/{id}/leaving", post(leaving::file))
        .route("/api/v1/members/{id}/leaving/audit", post(leaving::audit))
        .route("/api/v1/members/{id}/restore", post(leaving::restore))
        .route("/api/v1/members/{id}/details", get(details::one).post(details::set))
        .route("/api/v1/members/{id}/profile", post(details::profile))
        .route("/api/v1/members/{id}/edits", get(edits::of_member))
        .route("/api/v1/members/{id}/past", get(brought::past))
        .route("/api/v1/exports", get(brought::exports))
        .route("/api/v1/members/{id}/secrecy", post(people::set_secrecy))
        .route("/api/v1/members/{id}/merge", post(people::merge))
        .route("/api/v1/members/{id}/unmerge", post(people::unmerge))
        .route("/api/v1/members/{id}/erase", post(people::erase))
        .route("/api/v1/members/{id}/groups/{code}", get(groups::of_member).post(groups::fill_in))
        .route("/api/v1/members/{id}/groups/{code}/open", post(groups::open))
        .route("/api/v1/members/changed", get(edits::changed))
        .route("/api/v1/members/tagged", get(people::tagged))
        .route("/api/v1/field-groups", get(groups::list).post(groups::set))
        .route("/api/v1/field-groups/ready", get(groups::ready))
        .route("/api/v1/own-staff", post(people::set_own_staff))
        .route("/api/v1/leavings", get(leaving::list))
        .route("/api/v1/messages", get(leaving::messages))
        .route("/api/v1/messages/told", post(leaving::tell))
        .route("/api/v1/messages/rounds", get(leaving::rounds))
        .route("/api/v1/messages/{id}", get(leaving::message))
        .route("/api/v1/dictionaries/{name}", get(leaving::terms).post(leaving::set_term))
}

/// The part of the API about cards and goods on shelves.
fn cards_and_stock() -> Router<Console> {
    Router::new()
        .route("/api/v1/cards", get(cards::list).post(issuing::issue))
        .route("/api/v1/cards/batch", post(issuing::batch))
        .route("/api/v1/cards/due", get(cards::due))
        .route("/api/v1/cards/{id}", get(cards::one))
        .route("/api/v1/cards/{id}/replace", post(issuing::replace))
        .route("/api/v1/cards/{id}/status", post(issuing::set_status))
        .route("/api/v1/stock", get(stock::shelves))
        .route("/api/v1/stock/items", get(stock::items).post(stock::set_item))
        .route("/api/v1/stock/lines", get(stock::lines))
        .route("/api/v1/stock/moves", post(stock::move_goods))
        .route("/api/v1/stock/counts", post(stock::count))
        .route("/api/v1/stock/findings", get(stock::findings))
        .route("/api/v1/stock/findings/{id}/{class}/explain", post(stock::explain))
}

/// The part of the API about activities and who comes to them.
fn activities_and_guests() -> Router<Console> {
    Router::new()
        .route("/api/v1/activities", get(activities::list).post(activities::plan))
        .route("/api/v1/activities/{id}", get(activities::one))
        .route("/api/v1/activities/{id}/decide", post(activities::decide))
        .route("/api/v1/activities/{id}/costs", post(activities::set_cost))
        .route("/api/v1/occurrences/{id}/end", post(activities::end))
        .route("/api/v1/occurrences/{id}/guests", get(guests::list).post(guests::step))
}

/// Points with their cause, redemption and the statement: pages and API.
fn points() -> Router<Console> {
    Router::new()
        .route("/points", get(points_page::page).post(points_page::act))
        .route("/redemptions", get(redemptions_page::list).post(redemptions_page::plan))
        .route("/redemptions/{id}", get(redemptions_page::one).post(redemptions_page::act))
        .route("/members/{id}/statement", get(statement::page))
        .route("/api/v1/points", get(points::list).post(points::change))
        .route("/api/v1/points/batch", post(points::batch))
        .route("/api/v1/points/decide", post(points::decide))
        .route("/api/v1/points/transfer", post(transfers::give))
        .route("/api/v1/points/triggers", get(points::triggers).post(points::set_trigger))
        .route("/api/v1/redemptions", get(redemptions::list).post(redemptions::plan))
        .route("/api/v1/redemptions/{id}", get(redemptions::one))
        .route("/api/v1/redemptions/{id}/step", post(redemptions::step))
        .route("/api/v1/redemptions/{id}/run", post(redemptions::run))
        .route("/api/v1/redemptions/{id}/lines", get(redemptions::lines))
        .route("/api/v1/members/{id}/coupons", get(coupons::of_member))
        .route("/api/v1/coupons/{id}/use", post(coupons::use_one))
        .route("/api/v1/members/{id}/level", get(levels::of_member))
        .route("/api/v1/members/{id}/redemptions", get(redemptions::of_member))
        .route("/api/v1/members/{id}/statement", get(statement::of_member))
}

/// All routes of the console.
pub fn router(app: App) -> Router {
    let console = Console::new(app);
    Router::new()
        .route("/", get(overview::page))
        .route("/facts", get(overview::facts))
        .route("/devices", get(devices::list))
        .route("/devices/invite", get(devices::invite_form).post(devices::invite))
        .route("/devices/{id}", get(devices::one).post(devices::revoke))
        .route("/devices/{id}/leases", post(leases::write_off))
        .route("/recovery", get(recovery::page).post(recovery::end))
        .route("/cases", get(cases::inbox))
        .route("/cases/{id}", get(cases::one).post(decide::decide))
        .route("/days", get(days::page))
        .route("/cash", get(cash::page))
        .route("/jobs", get(jobs::page))
        .route("/jobs/{name}", post(jobs::press))
        .route("/members", get(members::list).post(members::search))
        .route("/members/{id}", get(members::one))
        .route("/members/{id}/money", get(money::page).post(money::act))
        .route("/members/{id}/value", post(value::freeze_form))
        .route("/cards/{id}", post(members::set_card))
        .route("/requests", get(requests::list))
        .route("/requests/{id}", get(requests::one).post(requests::deal))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/password", get(login::password_form).post(login::change_password))
        .route("/look", post(login::look))
        .route("/a/{hash}/{name}", get(assets::file))
        .route("/api/v1/overview", get(api::overview))
        .route("/api/v1/devices", get(api::devices))
        .route("/api/v1/cases", get(api::cases))
        .route("/api/v1/days", get(api::days))
        .route("/api/v1/cash", get(cash::api))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/jobs/{name}/dry-run", get(jobs::dry_run))
        .route("/api/v1/jobs/{name}/run", post(jobs::run))
        .route("/api/v1/jobs/{name}/runs", get(jobs::of_job))
        .route("/api/v1/job-runs/{run}", get(jobs::one))
        .route("/api/v1/members/{id}/code", post(codes::issue))
        .route("/api/v1/members/{id}/value", get(value::of_member))
        .route("/api/v1/members/{id}/value/freeze", post(value::freeze))
        .route("/api/v1/members/{id}/value/carry", post(value::carry))
        .merge(joining())
        .merge(cards_and_stock())
        .merge(activities_and_guests())
        .merge(points())
        .fallback(failure::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(console.clone(), guard::guard))
        .with_state(console)
}
