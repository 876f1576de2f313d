//! Member codes: made on request for the phone of a member, good for a minute.
//!
//! Who may ask is who may sign in: staff at a service desk, or the account of the club's own app, whose server asks for
//! the member who is signed in there. The code stands for a card of the member, so a member without one in use has none;
//! nothing is stored, since a terminal that takes a code says so in its fact.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::ids::{CardId, MemberId};
use hufu_shared::member::{CardStatus, MemberStatus};
use hufu_shared::member_code::{CODE_LIFE_S, CodeNonce, MemberCode, NONCE_BYTES};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::token::Token;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::signed::Posted;
use crate::db::Tx;
use crate::random;
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, journal};

/// Makes a code for a member: its text, when it was made and for how many seconds it may be shown.
pub async fn issue(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Failure> {
    let posted = posted.settled()?;
    let now = console.app.now();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let known = people::member(tx, member)?;
        let takes_part = known.is_some_and(|row| row.status == MemberStatus::Active);
        let token = if takes_part { token_of(tx, member, now)? } else { None };
        Ok((token, journal::club(tx)?.club))
    };
    let (token, club) = console.app.db.read(load).await?;
    let token = token.ok_or(Failure::NotFound)?;
    let nonce = random::bytes::<NONCE_BYTES>()?;
    // To the second, as the code says it.
    let made_at = Instant(now.0.div_euclid(SECOND_US) * SECOND_US);
    let code = MemberCode { token, made_at, nonce: CodeNonce(nonce) };
    let text = code.text(&console.app.keys.sign(&code.message(club)));
    tracing::info!(staff = ?posted.by.session.staff, "a member code was made");
    Ok(Json(json!({ "code": text, "made_at": made_at, "holds_s": CODE_LIFE_S })))
}

/// The newest token of a card in use that is valid now.
fn token_of(tx: &mut Tx<'_>, member: MemberId, now: Instant) -> Result<Option<Token>, StoreError> {
    let cards = people::cards_of(tx, member)?;
    let holds = |from: Option<Instant>, until: Option<Instant>| {
        from.is_none_or(|from| from <= now) && until.is_none_or(|until| now < until)
    };
    let in_use = cards
        .iter()
        .filter(|card| card.status == CardStatus::Active && holds(card.valid_from, card.valid_until))
        .map(|card| card.card);
    let newest: Option<CardId> = in_use.max();
    let Some(card) = newest else { return Ok(None) };
    let tokens = people::tokens_of(tx, card)?;
    Ok(tokens.into_iter().max_by_key(|token| token.key_version))
}
