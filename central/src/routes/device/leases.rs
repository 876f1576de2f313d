//! `POST /device/v1/leases/authorize`: a terminal asks for enough to spend; `POST /device/v1/top-ups/undo`: whether it
//! may undo a top-up.
//!
//! The answer is the lease as it stands afterwards, and what is on its way from other terminals. Asking charges
//! nothing, and a lost answer leaves value set aside, never spent.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hufu_shared::cbor;
use hufu_shared::wire::lease::{LEASE_ASK_BYTES_MAX, LeaseAnswer, LeaseAsk, LeaseState};
use hufu_shared::wire::undo::{UNDO_BYTES_MAX, UndoAnswer, UndoAsk};

use super::{cbor_answer, read_body};
use crate::app::App;
use crate::ca::OwnKeys;
use crate::error::ApiError;
use crate::middleware::Caller;
use crate::rules::lease::LeaseRow;
use crate::store::leases::{self, Asked};
use crate::store::money;

/// `POST /device/v1/leases/authorize`.
///
/// # Errors
/// [`ApiError`]: `malformed`, `revoked`.
pub async fn authorize(State(app): State<App>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    let ask: LeaseAsk = cbor::decode(&read_body(body, LEASE_ASK_BYTES_MAX).await?)?;
    let asked = Asked { device: caller.device, ask, now: app.now(), entry: app.entry_id()? };
    let answered = app.write(move |tx| leases::authorize(tx, &asked)).await?;
    if answered.has_orders {
        app.wake();
    }
    let answer = LeaseAnswer {
        state: answered.row.map(|row| signed(&app.keys, &row).into()),
        became: answered.became,
        figure: answered.figure,
        recalled: answered.recalled,
        again_ms: answered.again_ms,
    };
    Ok(cbor_answer(&answer))
}

/// `POST /device/v1/top-ups/undo`: whether a terminal may undo a top-up of its own.
///
/// # Errors
/// [`ApiError`]: `malformed`, `revoked`.
pub async fn undo(State(app): State<App>, caller: Caller, body: Body) -> Result<Response, ApiError> {
    let ask: UndoAsk = cbor::decode(&read_body(body, UNDO_BYTES_MAX).await?)?;
    let became = app.db.read(move |tx| money::undo(tx, caller.device, ask)).await?;
    Ok(cbor_answer(&UndoAnswer { became }))
}

/// The state of a lease, signed for its terminal.
pub(super) fn signed(keys: &OwnKeys, row: &LeaseRow) -> LeaseState {
    let mut state = row.state();
    state.signature = keys.sign(&state.message()).to_vec();
    state
}
