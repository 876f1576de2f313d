//! `POST /device/v1/lookup`: staff at a desk look for a member who has no card at hand (rule X12).
//!
//! Personal data leaves masked and only for a few members at a time; a terminal that asks without end is told to wait.
//! Looking changes nothing. What was typed is written nowhere: only that a terminal looked, and how many were found.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::ids::MemberId;
use hufu_shared::member::MemberStatus;
use hufu_shared::wire::lookup::{
    FoundCard, FoundMember, LOOKUP_ASK_BYTES_MAX, LOOKUP_CHARS, LOOKUP_FOUND_MAX, LookupAnswer, LookupAsk,
};

use super::{cbor_answer, read_body};
use crate::app::App;
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::Caller;
use crate::store::people::{self, PeopleError};
use crate::vault::{Vault, mask};

/// `POST /device/v1/lookup`.
///
/// # Errors
/// [`ApiError`]: `malformed`, `revoked`.
pub async fn lookup(State(app): State<App>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    let ask: LookupAsk = cbor::decode(&read_body(body, LOOKUP_ASK_BYTES_MAX).await?)?;
    if app.looked.is_too_often(caller.device, app.now()) {
        return Ok(cbor_answer(&LookupAnswer { too_often: true, ..LookupAnswer::default() }));
    }
    let text = ask.text.trim().to_owned();
    if !LOOKUP_CHARS.contains(&text.chars().count()) {
        return Ok(cbor_answer(&LookupAnswer { more: !text.is_empty(), ..LookupAnswer::default() }));
    }
    let vault = app.vault.clone();
    let answer = app.db.read(move |tx| look(tx, &vault, &text)).await?;
    tracing::info!(device = %caller.device, found = answer.found.len(), "a desk looked for a member");
    Ok(cbor_answer(&answer))
}

fn look(tx: &mut Tx<'_>, vault: &Vault, text: &str) -> Result<LookupAnswer, PeopleError> {
    let named = people::member_by_number(tx, text)?;
    let mut members: Vec<MemberId> = named.into_iter().collect();
    // Some may have left the club: they are found at the centre only.
    for member in vault.search(tx, text, 2 * LOOKUP_FOUND_MAX + 1)? {
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let mut answer = LookupAnswer::default();
    for member in members {
        let Some(found) = found(tx, vault, member, named == Some(member))? else { continue };
        if answer.found.len() == LOOKUP_FOUND_MAX {
            answer.more = true;
            break;
        }
        answer.found.push(found);
    }
    Ok(answer)
}

/// A member as a terminal may know them; none for one who takes part no longer. Who asked for secrecy is found by the
/// number alone, which only they can have told, and then without a name.
fn found(
    tx: &mut Tx<'_>,
    vault: &Vault,
    id: MemberId,
    by_number: bool,
) -> Result<Option<FoundMember>, PeopleError> {
    let Some(member) = people::member(tx, id)?.filter(|row| row.status != MemberStatus::Left) else {
        return Ok(None);
    };
    let secret = people::wants_secrecy(tx, vault, id, member.personal)?;
    if secret && !by_number {
        return Ok(None);
    }
    let personal = vault.reveal(tx, id)?.filter(|_| !secret);
    let cards = people::cards_of(tx, id)?;
    let in_use = cards.iter().find(|card| !card.status.is_blocked());
    let card = in_use.or(cards.first()).map(|card| FoundCard {
        card: card.card,
        tail: card.tail.clone(),
        status: card.status,
    });
    Ok(Some(FoundMember {
        name: personal.as_ref().map(|person| mask::name(&person.name)),
        mobile: personal.and_then(|person| person.mobile).map(|mobile| mask::mobile(&mobile)),
        level: member.level,
        card,
    }))
}
