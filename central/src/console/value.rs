//! Stored value of one member (H4): what there is with its statement, freezing 冻结 and setting free, and carrying over 结转
//! to another member, in `/api/v1` and as forms of the member's page.
//!
//! Whether it may be is the rule's to say ([`crate::rules::desk`]). A carry-over bears a key: sent twice it is done once.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use hufu_shared::act::ValueHolder;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::{CardStatus, OfficeRow};
use hufu_shared::money::Unit;
use serde_json::{Value, json};

use super::Console;
use super::failure::{Failure, go};
use super::leases::escrow_of;
use super::money::{STATEMENT_LINES, fen, key_of, show_error};
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use super::verdict::note;
use crate::db::Tx;
use crate::import::cards::identity;
use crate::rules::desk::Wish;
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, leases, money};

/// What a member has, and the newest lines of the statement.
pub async fn of_member(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    Ok(Json(told(&console, id).await?))
}

async fn told(console: &Console, id: MemberId) -> Result<Value, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let Some(known) = money::standing(tx, id)? else { return Ok(None) };
        let open = leases::open_of(tx, id)?;
        Ok(Some((known, money::purse(tx, id)?, open, money::statement(tx, id, STATEMENT_LINES)?)))
    };
    let (known, purse, open, lines) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let turns: Vec<Value> =
        known.value_turns.iter().map(|turn| json!({ "since": turn.since, "frozen": turn.frozen })).collect();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "at": line.at, "day": line.day, "change": line.change, "code": line.code, "other": line.other,
                "device": line.device,
            })
        })
        .collect();
    Ok(json!({
        "member": id, "available": purse.available, "owed": purse.owed, "at_terminals": escrow_of(&open, Unit::Cny),
        "frozen": known.is_value_frozen(), "turns": turns, "lines": lines,
    }))
}

/// Freezes or sets free, as the fields say; whether anything changed, or the key of what is wrong.
async fn freeze_as(
    console: &Console,
    id: MemberId,
    posted: &Posted,
) -> Result<Result<bool, &'static str>, Failure> {
    let frozen = match posted.fields.get("frozen") {
        "1" => true,
        "0" => false,
        _ => return Ok(Err("value-frozen-missing")),
    };
    if posted.fields.get("reason").is_empty() {
        return Ok(Err("reason-missing"));
    }
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| money::freeze(tx, (id, frozen), (&note, &actor), (entry, now));
    let is_change = console.app.write(work).await?;
    if is_change {
        tracing::info!(member = %id, frozen, "stored value was frozen or set free");
    }
    Ok(Ok(is_change))
}

/// Freezes a member's stored value (`frozen` 1) or sets it free (0). What is so already is answered as it is.
pub async fn freeze(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    if let Err(key) = freeze_as(&console, id, &posted).await? {
        return Err(Refused::unfit(&posted.by.ui, key));
    }
    Ok(Json(told(&console, id).await?))
}

/// The form of the page that does the same.
pub async fn freeze_form(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    match freeze_as(&console, id, &posted).await? {
        Ok(true) => Ok(go(&format!("/members/{id}/money?done"))),
        Ok(false) => show_error(&console, posted.by.ui.at("members"), id, "money-changed").await,
        Err(key) => show_error(&console, posted.by.ui.at("members"), id, key).await,
    }
}

/// Carries stored value over: `to`, the number of a member or of a card of theirs; `card`, a card of the member who gives,
/// where one was shown; `amount` in yuan; `office`, the code of the office whose day it counts to; `key`; and `reason`.
pub async fn carry(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, fields) = (posted.by.ui.clone(), &posted.fields);
    if fields.get("key").is_empty() {
        return Err(Refused::unfit(&ui, "stock-key"));
    }
    if fields.get("reason").is_empty() {
        return Err(Refused::unfit(&ui, "reason-missing"));
    }
    let mut once = [0; 16];
    once.copy_from_slice(&Hash::of(&[b"hufu-api-carry", &id.0, fields.get("key").as_bytes()]).0[..16]);
    let wish = carry_wish(&console, id, fields, once).await?.map_err(|key| Refused::unfit(&ui, key))?;
    let note = note(&console, fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        crate::store::journal::pass_gate(tx, now)?;
        match money::planned(tx, id, &wish)? {
            Ok(plan) => {
                money::take(tx, (id, &wish, &plan), (&note, &actor), (entry, now))?;
                Ok(None)
            }
            Err(why) => Ok(Some(why)),
        }
    };
    match console.app.write(work).await? {
        None | Some(crate::rules::desk::NotPossible::Done) => Ok(Json(told(&console, id).await?)),
        Some(why) => Err(Refused::unfit(&ui, key_of(why))),
    }
}

/// What a form of carrying over asks for, or the key of what is wrong with it.
pub(super) async fn carry_wish(
    console: &Console,
    id: MemberId,
    fields: &Fields,
    once: [u8; 16],
) -> Result<Result<Wish, &'static str>, Failure> {
    let Some(amount) = fen(fields.get("amount")) else { return Ok(Err("money-amount-wrong")) };
    let Some(to) = holder(console, fields.get("to")).await? else { return Ok(Err("money-to-unknown")) };
    let card = match fields.get("card") {
        "" => None,
        typed => match holder(console, typed).await? {
            Some(ValueHolder { member, card: Some(card) }) if member == id => Some(card),
            _ => return Ok(Err("money-card-wrong")),
        },
    };
    let named = fields.get("office").to_owned();
    let is_named = |row: &OfficeRow| row.code == named || row.office.to_string() == named;
    let office =
        console.app.db.read(people::offices).await?.iter().find(|row| is_named(row)).map(|row| row.office);
    let Some(office) = office else { return Ok(Err("money-office-missing")) };
    Ok(Ok(Wish::CarryOver { amount, card, to, office, once }))
}

/// The member with this number, or whose card has this one; a void card names nobody.
async fn holder(console: &Console, typed: &str) -> Result<Option<ValueHolder>, Failure> {
    let (typed, keys) = (typed.to_owned(), console.token_keys().await?);
    let find = move |tx: &mut Tx<'_>| -> Result<Option<ValueHolder>, PeopleError> {
        if let Some(member) = people::member_by_number(tx, &typed)? {
            return Ok(Some(ValueHolder { member, card: None }));
        }
        let Some(text) = identity(&typed, "").or_else(|| identity("", &typed)) else { return Ok(None) };
        for key in &keys {
            let card = people::card_by_token(tx, key.token(&text))?;
            if let Some(card) = card.filter(|card| card.status != CardStatus::Void) {
                return Ok(card.member.map(|member| ValueHolder { member, card: Some(card.card) }));
            }
        }
        Ok(None)
    };
    Ok(console.app.db.read(find).await?)
}
