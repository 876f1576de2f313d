//! The console: what admins see and do, rendered at the server, working without script.
//!
//! Every change is an act in the journal or a row of the staff tables; a reason that a person types is sealed beside
//! the journal and only its commitment stands in the act. Personal data is masked wherever it is shown.
//!
//! Out of scope: charts, and roles beyond those that joining and members ask for.

mod accounts;
mod activities;
mod activities_page;
mod activity_page;
mod activity_plan;
mod api;
mod applications;
mod approve;
mod assets;
mod associations;
mod bills;
mod bills_page;
mod birthdays;
mod brought;
mod cards;
mod cases;
mod cash;
mod catalogue;
mod catalogue_page;
mod codes;
mod compare;
pub mod contract;
mod coupons;
mod data;
mod data_import;
mod data_words;
mod data_work;
mod days;
mod decide;
mod details;
mod devices;
mod dictionaries;
mod edits;
mod events;
mod failure;
mod first_card;
mod forms;
mod groups;
mod guard;
mod guests;
mod holding_page;
mod issuing;
mod jobs;
mod leases;
mod leaving;
mod levels;
mod login;
mod login_name;
mod member_list;
mod members;
mod money;
mod overview;
mod owed;
mod pages;
pub mod password;
mod people;
mod place;
mod points;
mod points_page;
mod problem;
mod rankings;
mod readiness;
mod recovery;
mod redemptions;
mod redemptions_page;
mod requests;
mod scheme_text;
mod scheme_try;
mod schemes;
mod session;
mod signed;
pub(crate) mod statement;
mod stock;
mod stock_page;
mod taken_back;
mod transfers;
mod ui;
mod value;
mod verdict;
mod wall;
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
use contract::gate;
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

/// The pages of activities and who comes to them.
fn activities_and_guests() -> Router<Console> {
    Router::new()
        .route("/activities", get(activities_page::list).post(activities_page::plan))
        .route("/activities/{id}", get(activity_page::one).post(activity_page::act))
        .route("/occurrences/{id}", get(holding_page::one).post(holding_page::act))
        .route("/occurrences/{id}/wall", get(wall::page))
}

/// The pages of points with their cause, redemption, awards of rankings and the statement.
fn points() -> Router<Console> {
    Router::new()
        .route("/points", get(points_page::page).post(points_page::act))
        .route("/bills", get(bills_page::page).post(bills_page::act))
        .route("/redemptions", get(redemptions_page::list).post(redemptions_page::plan))
        .route("/redemptions/items", get(catalogue_page::page).post(catalogue_page::act))
        .route("/redemptions/{id}", get(redemptions_page::one).post(redemptions_page::act))
        .route("/rankings", get(rankings::page))
        .route("/rankings/{id}", post(rankings::press))
        .route("/members/{id}/statement", get(statement::page))
}

/// The pages of what is brought to the centre and taken out of it, where a file may be larger than any form; of schemes,
/// stock and dictionaries.
fn data_pages() -> Router<Console> {
    let upload = post(data_import::upload).layer(DefaultBodyLimit::max(data_import::UPLOAD_BYTES_MAX));
    Router::new()
        .route("/data", get(data::page))
        .route("/data/exports", post(data::take_out))
        .route("/data/imports", upload)
        .route("/data/templates/{kind}", get(data::template))
        .route("/data/runs/{id}", get(data_import::page).post(data_import::act))
        .route("/data/runs/{id}/file", get(data::file))
        .route("/schemes", get(schemes::page))
        .route("/schemes/new", get(schemes::draft).post(schemes::act))
        .route("/dictionaries/{name}", get(dictionaries::page).post(dictionaries::act))
        .route("/stock", get(stock_page::page).post(stock_page::act))
        .route("/stock/lost", get(stock_page::lost))
        .route("/schemes/try", get(scheme_try::page).post(scheme_try::act))
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
        .route("/a/{hash}/{*name}", get(assets::file))
        .merge(activities_and_guests())
        .merge(points())
        .merge(data_pages())
        .merge(contract::router())
        .fallback(failure::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(gate::Gate::new(console.clone()), gate::gate))
        .layer(axum::middleware::from_fn_with_state(console.clone(), guard::guard))
        .with_state(console)
}
