//! `POST /device/v1/spread`: which terminals hold a lost card as it stands, and which do not yet.
//!
//! What a terminal holds is what it said with its last poll. Only names of terminals and offices leave, no card and no
//! member; asking changes nothing.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::ids::DeviceId;
use hufu_shared::time::Instant;
use hufu_shared::wire::spread::{
    SPREAD_ASK_BYTES_MAX, SPREAD_NAMED_MAX, SpreadAnswer, SpreadAsk, SpreadTerminal,
};
use hufu_shared::wire::version::Version;

use super::{cbor_answer, read_body};
use crate::app::App;
use crate::db::Tx;
use crate::error::ApiError;
use crate::middleware::Caller;
use crate::rules::world::DeviceStatus;
use crate::store::people::{self, PeopleError, Spread};
use crate::store::{devices, journal};

/// `POST /device/v1/spread`.
///
/// # Errors
/// [`ApiError`]: `malformed`, `revoked`.
pub async fn spread(State(app): State<App>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    let ask: SpreadAsk = cbor::decode(&read_body(body, SPREAD_ASK_BYTES_MAX).await?)?;
    let at = app.now();
    let answer = app.db.read(move |tx| look(tx, &ask, caller.device, at)).await?;
    Ok(cbor_answer(&answer))
}

fn look(tx: &mut Tx<'_>, ask: &SpreadAsk, asker: DeviceId, at: Instant) -> Result<SpreadAnswer, PeopleError> {
    let nothing = SpreadAnswer { at, status: None, have: 0, lack: 0, terminals: Vec::new() };
    let Some(card) = people::card_by_token(tx, ask.token)? else { return Ok(nothing) };
    let epoch = journal::club(tx)?.epoch.n;
    let needed = match people::spread(tx, card.card)? {
        Spread::Everywhere => Some(Version::default()),
        Spread::From(n) => Some(Version { epoch, n }),
        Spread::Nowhere => None,
    };
    let mut terminals: Vec<SpreadTerminal> = devices::list(tx)?
        .into_iter()
        .filter(|line| line.status == DeviceStatus::Active)
        .map(|line| {
            let held = line.contact.as_ref().map(|contact| contact.block);
            // Versions of an earlier life of the centre say nothing of this one.
            let has = needed.is_some_and(|needed| {
                needed == Version::default() || held.is_some_and(|held| held.epoch == epoch && held >= needed)
            });
            let office = line.office_words.map(|(_, words)| words);
            let heard = line.contact.map(|contact| contact.at);
            SpreadTerminal { name: line.name, office, has, heard, own: line.device == asker }
        })
        .collect();
    let count = |has: bool| terminals.iter().filter(|terminal| terminal.has == has).count();
    let (have, lack) = (count(true), count(false));
    terminals.sort_by_key(|terminal| terminal.has);
    terminals.truncate(SPREAD_NAMED_MAX);
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(SpreadAnswer { status: Some(card.status), have: small(have), lack: small(lack), terminals, ..nothing })
}
