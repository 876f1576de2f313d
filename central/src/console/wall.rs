//! 签到大屏: a holding on a large display that everybody in the room sees: how many came, through which gate, and who came
//! last, by the greeting alone. It draws itself again every few seconds; without script the whole page is loaded again.
//!
//! Nothing else of a member is ever on it: no name, no number, no reason.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{Hash, MemberId, OccurrenceId};
use hufu_shared::scheme::DisplayName;

use super::Console;
use super::activity_page::span;
use super::failure::Failure;
use super::signed::SignedIn;
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::store::activities;
use crate::store::directory::{self, Making};
use crate::store::people::{self, PeopleError};
use crate::vault::{Vault, mask};

/// Greetings that the wall shows.
const GREETED: i64 = 6;

/// Somebody who came.
struct Arrival {
    greeting: String,
    at: String,
}

#[derive(Template)]
#[template(path = "wall.html")]
struct WallPage {
    ui: Ui,
    link: String,
    back: String,
    name: String,
    time: String,
    heads: String,
    companions: String,
    gates: Vec<(String, String)>,
    last: Vec<Arrival>,
}

/// The greeting of a member who came; none where none may be shown.
fn greeting(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (member, personal): (MemberId, Hash),
    display: DisplayName,
) -> Result<Option<String>, PeopleError> {
    if people::wants_secrecy(tx, vault, member, personal)? {
        return Ok(None);
    }
    let known = vault.reveal(tx, member)?;
    Ok(known.and_then(|person| mask::greeting(&person.name, person.sex, false, directory::shown_as(display))))
}

/// The wall.
pub async fn page(
    State(console): State<Console>,
    Path(id): Path<OccurrenceId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let (own, vault, now) = (by.ui, console.app.vault.clone(), console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<Option<WallPage>, PeopleError> {
        let Some(row) = people::occurrence(tx, id)? else { return Ok(None) };
        let heads = activities::heads(tx, row.activity)?.remove(&id).unwrap_or_default();
        // As the terminals' displays show names.
        let display = Making::by_scheme(tx, &vault, now)?.display;
        let mut last = Vec::new();
        for (member, personal, at) in activities::last_came(tx, id, GREETED)? {
            let greeting = greeting(tx, &vault, (member, personal), display)?;
            let greeting = greeting.unwrap_or_else(|| own.t("wall-welcome"));
            // The day is known to everybody in the room.
            let at = own.time(at).split(' ').nth(1).unwrap_or_default().to_owned();
            last.push(Arrival { greeting, at });
        }
        let shown = |n: u64| number(i64::try_from(n).unwrap_or(i64::MAX));
        let gates = activities::gates(tx, id)?;
        let gates = gates.iter().map(|(gate, heads)| {
            let called = match gate {
                Some(gate) => own.t_with("activity-gate", &[("n", &gate.to_string())]),
                None => own.t("activity-gate-none"),
            };
            (called, shown(heads.members.saturating_add(heads.companions)))
        });
        let companions = u64::from(heads.companions);
        Ok(Some(WallPage {
            link: format!("/occurrences/{id}/wall"),
            back: format!("/occurrences/{id}"),
            name: own.pick(&row.name),
            time: span(&own, &row),
            heads: shown(u64::from(heads.attended).saturating_add(companions)),
            companions: if companions > 0 {
                own.t_with("wall-companions", &[("n", &companions.to_string())])
            } else {
                String::new()
            },
            gates: gates.collect(),
            last,
            ui: own.clone(),
        }))
    };
    let page = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    Ok(Html(page.render()?).into_response())
}
