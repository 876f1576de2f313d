//! Members as lists show them, masked, and finding them. Their list is [`super::member_table`], a member's page
//! [`super::member_page`].
//!
//! A search goes by POST: names and numbers never stand in an address or its logs.

use axum::Json;
use axum::extract::State;
use hufu_shared::ids::MemberId;
use hufu_shared::member::OfficeRow;
use hufu_shared::money::{Leg, Unit};
use hufu_shared::token::{CardText, TokenKey};
use serde_json::{Value, json};

use super::Console;
use super::leases;
use super::problem::Refused;
use super::signed::Posted;
use super::ui::{Ui, change};
use crate::db::Tx;
use crate::import::cards::identity;
use crate::store::brought::PastView;
use crate::store::people::{self, PeopleError};
use crate::store::rows;
use crate::vault::{Vault, mask};

/// Members that a search shows.
pub(super) const FOUND_MAX: usize = 50;

/// A member's name, masked; a dash for nobody, or for one whose data was erased.
pub fn masked_name(tx: &mut Tx<'_>, vault: &Vault, member: Option<MemberId>) -> Result<String, PeopleError> {
    let Some(member) = member else { return Ok("—".to_owned()) };
    Ok(vault.reveal(tx, member)?.map_or_else(|| "—".to_owned(), |personal| mask::name(&personal.name)))
}

/// Members that a text may mean: their number, or what the vault finds by it.
pub fn found_by(
    tx: &mut Tx<'_>,
    vault: &Vault,
    text: &str,
    limit: usize,
) -> Result<Vec<MemberId>, PeopleError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<MemberId> = people::member_by_number(tx, text)?.into_iter().collect();
    for member in vault.search(tx, text, limit)? {
        if !found.contains(&member) {
            found.push(member);
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// A member as lists show one, masked.
pub(super) struct Row {
    pub(super) id: MemberId,
    pub(super) link: String,
    pub(super) number: String,
    pub(super) name: String,
    pub(super) mobile: String,
    pub(super) level: String,
    pub(super) office: String,
    /// Where the member stands, for programs.
    code: &'static str,
    pub(super) status: String,
    pub(super) tone: &'static str,
}

impl Row {
    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "member": self.id, "number": self.number, "name": self.name, "mobile": self.mobile, "level": self.level,
            "office": self.office, "status": self.code,
        })
    }
}

/// Members as lists show them; who is not there is left out.
pub(super) fn rows_of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    members: impl IntoIterator<Item = MemberId>,
) -> Result<Vec<Row>, PeopleError> {
    let offices = people::offices(tx)?;
    let mut rows = Vec::new();
    for member in members {
        rows.extend(row(tx, vault, (ui, &offices), member)?);
    }
    Ok(rows)
}

fn row(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (ui, offices): (&Ui, &[OfficeRow]),
    member: MemberId,
) -> Result<Option<Row>, PeopleError> {
    let Some(row) = people::member(tx, member)? else { return Ok(None) };
    let personal = vault.reveal(tx, member)?;
    let office = offices.iter().find(|office| Some(office.office) == row.office);
    let status = rows::member_status_code(row.status);
    Ok(Some(Row {
        id: member,
        link: format!("/members/{member}"),
        name: personal.as_ref().map_or_else(|| "—".to_owned(), |personal| mask::name(&personal.name)),
        mobile: personal
            .and_then(|personal| personal.mobile)
            .map_or_else(|| "—".to_owned(), |mobile| mask::mobile(&mobile)),
        level: row.level.as_ref().map_or_else(|| "—".to_owned(), |level| ui.pick(level)),
        office: office.map_or_else(|| "—".to_owned(), |office| ui.pick(&office.name)),
        number: row.number,
        code: status,
        status: ui.t(&format!("member-{status}")),
        tone: if status == "active" { "ok" } else { "plain" },
    }))
}

/// Whose card this is, by the tokens that it has under the keys in use.
fn holder_of(tx: &mut Tx<'_>, keys: &[TokenKey], text: &CardText) -> Result<Option<MemberId>, PeopleError> {
    for key in keys {
        if let Some(card) = people::card_by_token(tx, key.token(text))? {
            return Ok(card.member);
        }
    }
    Ok(None)
}

/// The same for programs: members by `find`, as the search box takes it, or by `card`, a card's number, or `uid`, its
/// chip's.
pub async fn find(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let (text, fields) = (posted.fields.get("find").to_owned(), &posted.fields);
    let card = identity(fields.get("card"), fields.get("uid"));
    if text.is_empty() && card.is_none() {
        return Err(Refused::unfit(&ui, "find-nothing"));
    }
    let keys = if card.is_some() { console.token_keys().await? } else { Vec::new() };
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Row>, PeopleError> {
        let found: Vec<MemberId> = match &card {
            Some(card) => holder_of(tx, &keys, card)?.into_iter().collect(),
            None => found_by(tx, &vault, &text, FOUND_MAX)?,
        };
        rows_of(tx, &vault, &ui, found)
    };
    let rows = console.app.db.read(load).await?;
    Ok(Json(json!({ "members": rows.iter().map(Row::json).collect::<Vec<_>>() })))
}

/// A transaction of the system that the club used before.
pub(super) struct PastShown {
    pub(super) time: String,
    pub(super) what: String,
    pub(super) changes: String,
    pub(super) place: String,
}

/// A line of the system before. What was erased reads as a dash.
pub(super) fn past_shown(ui: &Ui, line: &PastView) -> PastShown {
    let words = line.words.clone().unwrap_or_default();
    let dash = |text: String| if text.is_empty() { "—".to_owned() } else { text };
    let change = |leg: &Leg| match leg.unit {
        Unit::Pts | Unit::Growth => change(leg.amount.0),
        unit => leases::amount(ui, unit, leg.amount.0),
    };
    PastShown {
        time: ui.time(line.at),
        what: dash(words.what),
        changes: dash(line.legs.iter().map(change).collect::<Vec<_>>().join(" · ")),
        place: dash(words.place),
    }
}
