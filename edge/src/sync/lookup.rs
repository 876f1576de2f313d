//! The lane for finding members: one look-up at a time, answered within [`LOOKUP_GIVE_UP_MS`] or not at all.
//!
//! Nothing is kept. Whoever asked gets the answer, or hears that the centre gave none and looks at home.

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::wire::lookup::{LOOKUP_ANSWER_BYTES_MAX, LOOKUP_PATH, LookupAnswer, LookupAsk};
use tokio::sync::{mpsc, watch};

use super::client::Channel;
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
    while let Some(Finding { text, reply }) = finds.recv().await {
        let channel = Arc::clone(&channels.borrow());
        let body = cbor::encode(&LookupAsk { text });
        let asked = channel.centre.post::<LookupAnswer>(LOOKUP_PATH, body, LOOKUP_ANSWER_BYTES_MAX);
        let answer = match tokio::time::timeout(Duration::from_millis(LOOKUP_GIVE_UP_MS), asked).await {
            Ok(answer) => answer.inspect_err(|error| shared.failed("lookup", error)).ok(),
            Err(_) => None,
        };
        // A page that has gone away needs no answer.
        drop(reply.send(answer));
    }
}
