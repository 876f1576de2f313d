//! 字典: the words that people choose from, built in and the club's own: adding one, changing one, retiring one. Nothing is
//! deleted, for records hold the code for ever. The rules are the API's.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::Act;
use hufu_shared::dictionary::{NAMES, Term};

use super::Console;
use super::failure::{Failure, go};
use super::leaving::term_of;
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use crate::rules::joining::roles::Role;
use crate::store::joining;

/// Roles that may change the words of the club.
const ROLES: [Role; 2] = [Role::Admin, Role::Information];
/// Places after the last word at which the next one is offered.
const ORDER_STEP: i32 = 10;

/// What was typed, to be kept after an error.
#[derive(Default)]
struct Typed {
    code: String,
    zh: String,
    en: String,
    order: String,
}

#[derive(Template)]
#[template(path = "dictionary.html")]
struct DictionaryPage {
    ui: Ui,
    name: &'static str,
    title: String,
    /// All dictionaries: name, words, whether it is this one.
    names: Vec<(&'static str, String, bool)>,
    terms: Vec<Term>,
    may_change: bool,
    typed: Typed,
    error: String,
}

fn title(ui: &Ui, name: &str) -> String {
    ui.t(&format!("dictionary-of-{}", name.replace('_', "-")))
}

/// One dictionary, in its order, with what is retired.
pub async fn page(
    State(console): State<Console>,
    Path(name): Path<String>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let role = by.session.account.role;
    show(&console, (by.ui, role), &name, (Typed::default(), "")).await
}

async fn show(
    console: &Console,
    (ui, role): (Ui, Role),
    name: &str,
    (mut typed, error): (Typed, &str),
) -> Result<Response, Failure> {
    let name = NAMES.into_iter().find(|known| *known == name).ok_or(Failure::NotFound)?;
    let terms = console.app.db.read(move |tx| joining::terms(tx, name)).await?;
    if typed.order.is_empty() {
        let last = terms.iter().map(|term| term.order).max().unwrap_or(0);
        typed.order = last.saturating_add(ORDER_STEP).to_string();
    }
    let ui = ui.at("data");
    let page = DictionaryPage {
        name,
        title: title(&ui, name),
        names: NAMES.into_iter().map(|other| (other, title(&ui, other), other == name)).collect(),
        terms,
        may_change: ROLES.contains(&role),
        typed,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(page.render()?)).into_response())
}

/// Adds a word, or changes or retires one.
pub async fn act(
    State(console): State<Console>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled_as(&ROLES)?;
    let fields = &posted.fields;
    match term_of(name.clone(), fields) {
        Ok(term) => {
            console.app.act(posted.by.actor(), Act::DictionarySet(vec![term])).await?;
            Ok(go(&format!("/dictionaries/{name}")))
        }
        Err(error) => {
            let key = if error.is_some() { "dictionary-bad" } else { "term-order" };
            let field = |name: &str| fields.get(name).to_owned();
            let typed =
                Typed { code: field("code"), zh: field("zh"), en: field("en"), order: field("order") };
            let who = (posted.by.ui.clone(), posted.by.session.account.role);
            show(&console, who, &name, (typed, key)).await
        }
    }
}
