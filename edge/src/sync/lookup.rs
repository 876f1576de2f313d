//! The lane for what pages ask the centre: one question at a time, answered within [`LOOKUP_GIVE_UP_MS`] or not at all.
//!
//! Nothing is kept. Whoever asked gets the answer, or hears that the centre gave none and looks at home.

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::wire::lookup::{LOOKUP_ANSWER_BYTES_MAX, LOOKUP_PATH, LookupAnswer, LookupAsk};
use hufu_shared::wire::spread::{SPREAD_ANSWER_BYTES_MAX, SPREAD_PATH, SpreadAnswer, SpreadAsk};
use tokio::sync::{mpsc, watch};

use super::client::{CentreError, Channel};
use super::link::Shared;
use crate::state::Finding;

/// Milliseconds after which staff are told that the centre gave no answer.
pub const LOOKUP_GIVE_UP_MS: u64 = 2_500;

/// Answers look-ups, one after another.
pub(super) async fn run(
    mut finds: mpsc::Receiver<Finding>,
    shared: Shared,
    channels: watch::Receiver<Arc<Channel>>,
) {
    while let Some(finding) = finds.recv().await {
        let channel = Arc::clone(&channels.borrow());
        let centre = &channel.centre;
        // A page that has gone away needs no answer.
        match finding {
            Finding::Member { text, reply } => {
                let body = cbor::encode(&LookupAsk { text });
                let asked = centre.post::<LookupAnswer>(LOOKUP_PATH, body, LOOKUP_ANSWER_BYTES_MAX);
                drop(reply.send(in_time("lookup", asked, &shared).await));
            }
            Finding::Spread { token, reply } => {
                let body = cbor::encode(&SpreadAsk { token });
                let asked = centre.post::<SpreadAnswer>(SPREAD_PATH, body, SPREAD_ANSWER_BYTES_MAX);
                drop(reply.send(in_time("spread", asked, &shared).await));
            }
        }
    }
}

async fn in_time<T>(
    what: &'static str,
    asked: impl Future<Output = Result<T, CentreError>>,
    shared: &Shared,
) -> Option<T> {
    match tokio::time::timeout(Duration::from_millis(LOOKUP_GIVE_UP_MS), asked).await {
        Ok(answer) => answer.inspect_err(|error| shared.failed(what, error)).ok(),
        Err(_) => None,
    }
}
