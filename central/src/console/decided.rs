//! What was decided of a member's cases: who, when, what and why, the newest first. Part of what is told of a member; the
//! page of the member leads here.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::MemberId;

use super::Console;
use super::failure::Failure;
use super::inbox::decided_words;
use super::members::masked_name;
use super::signed::SignedIn;
use super::ui::Ui;
use crate::db::Tx;
use crate::store::inbox;
use crate::store::people::{self, PeopleError};

/// Cases that are looked at, the newest first.
const CASES_MAX: i64 = 50;

/// One decision.
pub(super) struct Line {
    /// The case.
    pub link: String,
    /// What it was about.
    pub cause: String,
    /// When, who and what.
    pub words: String,
    /// Why; empty where the reason is not kept any more.
    pub why: String,
}

/// The decisions of a member's cases.
///
/// # Errors
/// [`PeopleError`] if the database fails.
pub(super) fn lines(
    tx: &mut Tx<'_>,
    (ui, key): (&Ui, &hufu_shared::seal::OpenKey),
    member: MemberId,
) -> Result<Vec<Line>, PeopleError> {
    let mut lines = Vec::new();
    for (case, kind, decision) in inbox::decided_of(tx, member, CASES_MAX)? {
        let (words, why) = decided_words(tx, ui, key, &decision)?;
        let cause = ui.t(&format!("kind-{kind:02}"));
        lines.push(Line { link: format!("/cases/{case}"), cause, words, why });
    }
    Ok(lines)
}

#[derive(Template)]
#[template(path = "decided.html")]
struct DecidedPage {
    ui: Ui,
    member: String,
    name: String,
    lines: Vec<Line>,
}

/// The page of a member's decisions.
pub async fn page(
    State(console): State<Console>,
    Path(id): Path<String>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let member: MemberId = id.parse().map_err(|_| Failure::NotFound)?;
    let ui = by.ui.at("members");
    let (vault, keys, own) = (console.app.vault.clone(), console.app.keys.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<Option<(String, Vec<Line>)>, PeopleError> {
        if people::member(tx, member)?.is_none() {
            return Ok(None);
        }
        let name = masked_name(tx, &vault, Some(member))?;
        Ok(Some((name, lines(tx, (&own, keys.open_key()), member)?)))
    };
    let (name, lines) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    Ok(Html(DecidedPage { member: id, name, lines, ui }.render()?).into_response())
}
