//! The console: what admins see and do, rendered at the server, working without script.
//!
//! Every change is an act in the journal or a row of the staff tables; a reason that a person types is sealed beside
//! the journal and only its commitment stands in the act. Personal data is masked wherever it is shown.
//!
//! Out of scope: roles beyond those that joining and members ask for.

mod accounts;
mod activities;
mod activities_page;
mod activity_page;
mod activity_plan;
mod api;
mod applications;
mod approvals;
mod approve;
mod assets;
mod associations;
mod attention;
mod batch;
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
mod day_lines;
mod days;
mod decide;
mod decided;
mod details;
mod devices;
mod dictionaries;
mod edits;
mod events;
mod failure;
mod first_card;
mod foresight;
mod forms;
mod groups;
mod guard;
mod guests;
mod health;
mod holding_page;
mod inbox;
mod issuing;
mod jobs;
mod join_queue;
mod keys;
mod leases;
mod leaving;
mod levels;
mod live;
mod login;
mod login_name;
mod member_list;
mod member_page;
mod member_table;
mod members;
mod money;
mod office;
mod office_day;
mod office_day_api;
mod office_day_shown;
mod office_days;
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
mod record_data;
mod record_edit;
mod record_merge;
mod recovery;
mod redemptions;
mod redemptions_page;
mod reports;
mod requests;
mod scheme_text;
mod scheme_try;
mod schemes;
mod session;
mod signed;
pub(crate) mod statement;
mod stock;
mod stock_page;
mod strip;
mod taken_back;
mod timeline;
mod transfers;
mod ui;
mod value;
mod verdict;
mod wall;
mod watching;
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
use crate::store::approvals::Tally;
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
    /// Forms that wait, as counted last.
    tally: Tally,
}

impl Console {
    /// Over a service.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, passwords: Passwords::default(), strangers: Arc::default(), tally: Tally::default() }
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

/// The pages of members, and of those who want to become some.
fn people_and_joining() -> Router<Console> {
    Router::new()
        .route("/members", get(member_table::list).post(member_table::search))
        .route("/members/{id}", get(member_page::one))
        .route("/members/{id}/open", post(record_data::open))
        .route("/members/{id}/edit", get(record_edit::form).post(record_edit::save))
        .route("/members/{id}/merge", get(record_merge::form).post(record_merge::act))
        .route("/members/{id}/money", get(money::page).post(money::act))
        .route("/members/{id}/value", post(value::freeze_form))
        .route("/cards/{id}", post(member_page::set_card))
        .route("/joining", get(join_queue::list))
        .route("/joining/{id}", get(join_queue::one).post(join_queue::act))
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

/// The close of days.
fn close_of_day() -> Router<Console> {
    Router::new()
        .route("/days", get(days::page))
        .route("/days/{office}/{day}", get(office_day::page).post(office_day::act))
}

/// The pages of what waits for approval, and of who decides in whose place.
fn approvals_and_stand_ins() -> Router<Console> {
    Router::new()
        .route("/approvals", get(approvals::list).post(approvals::decide))
        .route("/approvals/sure", get(approvals::sure))
        .route("/approvals/away", get(approvals::away).post(approvals::set_away))
}

/// The inbox, what it says while it is open, and its keys.
fn inbox_and_keys() -> Router<Console> {
    Router::new()
        .route("/cases", get(cases::inbox))
        .route("/cases/batch", post(batch::act))
        .route("/cases/{id}", get(cases::one).post(decide::decide))
        .route("/members/{id}/decided", get(decided::page))
        .route("/live", get(live::stream))
        .route("/live/news", get(live::news))
        .route("/live/count", get(live::count))
        .route("/keys", get(keys::page))
}

/// The pages of terminals and of what their offices allow.
fn terminals_and_watch() -> Router<Console> {
    Router::new()
        .route("/devices", get(devices::list))
        .route("/devices/invite", get(devices::invite_form).post(devices::invite))
        .route("/devices/watch/{office}", post(watching::set))
        .route("/devices/{id}", get(devices::one).post(devices::revoke))
        .route("/devices/{id}/leases", post(leases::write_off))
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
        .route("/recovery", get(recovery::page).post(recovery::end))
        .route("/cash", get(cash::page))
        .route("/jobs", get(jobs::page))
        .route("/jobs/{name}", post(jobs::press))
        .route("/requests", get(requests::list))
        .route("/requests/{id}", get(requests::one).post(requests::deal))
        .route("/login", get(login::form).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/password", get(login::password_form).post(login::change_password))
        .route("/look", post(login::look))
        .route("/a/{hash}/{*name}", get(assets::file))
        .merge(people_and_joining())
        .merge(activities_and_guests())
        .merge(inbox_and_keys())
        .merge(points())
        .merge(close_of_day())
        .merge(approvals_and_stand_ins())
        .merge(reports::router())
        .merge(terminals_and_watch())
        .merge(data_pages())
        .merge(contract::router())
        .fallback(failure::not_found)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(gate::Gate::new(console.clone()), gate::gate))
        .layer(axum::middleware::from_fn_with_state(console.clone(), guard::guard))
        .with_state(console)
}
