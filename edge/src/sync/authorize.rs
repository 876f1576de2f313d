//! The lane for leases: asking the centre for more while a card waits, and taking lease states from any answer.
//!
//! An ask charges nothing and may be repeated word for word. States are taken as they come; the run loop decides by what
//! is then in the journal, at the latest after [`ASK_GIVE_UP_MS`], whatever the centre said or did not say.
//! Invariants: a state is stored only with the centre's signature on it and only by [`crate::rules::lease`]; one that is
//! not understood is refused alone, and people are told.
//! Out of scope: what to ask for, and what is shown ([`crate::run`]).

use std::sync::Arc;
use std::time::Duration;

use hufu_shared::cbor;
use hufu_shared::keys;
use hufu_shared::money::Leg;
use hufu_shared::wire::apart::Apart;
use hufu_shared::wire::lease::{
    AUTHORIZE_PATH, AskBecame, LEASE_ANSWER_BYTES_MAX, LeaseAnswer, LeaseAsk, LeaseState,
};
use hufu_shared::wire::undo::{UNDO_BYTES_MAX, UNDO_PATH, UndoAnswer, UndoAsk, UndoBecame};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::client::Channel;
use super::link::{CentreKnown, Shared};
use crate::state::{LeaseAsked, LeaseAsking};
use crate::store::{Directory, LeaseTaken, Store, StoreError};

/// Milliseconds after which a terminal decides by the lease as it stands.
pub const ASK_GIVE_UP_MS: u64 = 3_000;
/// Shortest and longest wait between two asks while others are asked to close, in milliseconds.
const AGAIN_MS: (u32, u32) = (50, 1_000);

/// The lane.
#[derive(Debug)]
pub struct Authorizer {
    store: Store,
    directory: Directory,
    shared: Shared,
    centre: CentreKnown,
}

impl Authorizer {
    /// A lane over the journal.
    #[must_use]
    pub fn new(store: Store, directory: Directory, shared: Shared, centre: CentreKnown) -> Self {
        Self { store, directory, shared, centre }
    }

    /// Asks for every leg, one after another, and tells `told` whatever comes; the last word is `done`. Ends within
    /// [`ASK_GIVE_UP_MS`].
    pub async fn ask(&self, channel: &Channel, asking: &LeaseAsking, told: &mpsc::Sender<LeaseAsked>) {
        let mut last = LeaseAsked { n: asking.n, ..LeaseAsked::default() };
        let patience = Duration::from_millis(ASK_GIVE_UP_MS);
        let whole = async {
            if let Some(undo) = &asking.undo {
                last.undo = self.ask_undo(channel, undo).await;
            }
            self.ask_all(channel, &asking.asks, told, &mut last).await;
        };
        if tokio::time::timeout(patience, whole).await.is_err() {
            // What is still on its way is not here: the last word heard says whether it ever will be.
            info!(n = asking.n, "the centre was asked for too long");
            last.became = match last.became {
                Some(_) if last.is_out_of_reach() => Some(AskBecame::Unreachable),
                Some(AskBecame::Recalling) => Some(AskBecame::Recalling),
                _ => None,
            };
        }
        last.done = true;
        // A loop that is gone needs no answer.
        drop(told.send(last).await);
    }

    /// Whether a top-up may be undone. None if no answer came or it was not understood.
    async fn ask_undo(&self, channel: &Channel, undo: &UndoAsk) -> Option<UndoBecame> {
        let answer = channel.centre.post(UNDO_PATH, cbor::encode(undo), UNDO_BYTES_MAX).await;
        let answer: UndoAnswer = answer.inspect_err(|error| self.shared.failed("undo", error)).ok()?;
        Some(answer.became)
    }

    async fn ask_all(
        &self,
        channel: &Channel,
        asks: &[LeaseAsk],
        told: &mpsc::Sender<LeaseAsked>,
        last: &mut LeaseAsked,
    ) {
        for ask in asks {
            loop {
                let answer = match self.ask_once(channel, ask).await {
                    Some(answer) => answer,
                    None => return last.became = None,
                };
                last.became = Some(answer.became);
                last.figure = answer.figure.map(|amount| Leg { unit: ask.unit, amount });
                last.recalled = answer.recalled.into_iter().map(|recalled| (ask.unit, recalled)).collect();
                match answer.became {
                    AskBecame::Granted => break,
                    AskBecame::Recalling => {}
                    _ => return,
                }
                drop(told.send(last.clone()).await);
                let again_ms = answer.again_ms.clamp(AGAIN_MS.0, AGAIN_MS.1);
                tokio::time::sleep(Duration::from_millis(u64::from(again_ms))).await;
            }
        }
    }

    /// One exchange, also for whoever keeps the time limits. None if no answer came or it could not be taken.
    pub async fn ask_once(&self, channel: &Channel, ask: &LeaseAsk) -> Option<LeaseAnswer> {
        let answer = channel.centre.post(AUTHORIZE_PATH, cbor::encode(ask), LEASE_ANSWER_BYTES_MAX).await;
        let answer: LeaseAnswer = answer.inspect_err(|error| self.shared.failed("authorize", error)).ok()?;
        let states = answer.state.as_slice();
        let taken = take_states(states, (&self.store, &self.directory), &self.shared, &self.centre).await;
        if let Err(error) = taken {
            warn!(%error, "a lease state was not stored");
            return None;
        }
        Some(answer)
    }
}

/// Answers asks of the run loop, one after another. It asks for one card at a time, so none waits behind another.
pub(super) async fn run(
    lane: Authorizer,
    mut asks: mpsc::Receiver<LeaseAsking>,
    told: mpsc::Sender<LeaseAsked>,
    channels: watch::Receiver<Arc<Channel>>,
) {
    while let Some(asking) = asks.recv().await {
        let channel = Arc::clone(&channels.borrow());
        lane.ask(&channel, &asking, &told).await;
    }
}

/// The states that are understood and signed by the centre. What is not is said aloud, and the rest still counts.
#[must_use]
pub(super) fn signed_states(
    states: &[Apart<LeaseState>],
    shared: &Shared,
    centre: &CentreKnown,
) -> Vec<LeaseState> {
    let mut good = Vec::new();
    for state in states {
        match state {
            Apart::Known(state) => {
                let holds = keys::verify_centre(&centre.sign_key, &state.message(), &state.signature).is_ok();
                if holds {
                    good.push(state.clone());
                } else {
                    shared.refused(&format!("lease {}: not signed by this club's centre", state.lease));
                }
            }
            Apart::Unknown { error, .. } => shared.refused(&format!("a lease: {error}")),
        }
    }
    good
}

/// Stores lease states from an answer of the centre whose epoch was stored before. True if any was new.
///
/// # Errors
/// [`StoreError`] if the journal refuses.
pub(super) async fn take_states(
    states: &[Apart<LeaseState>],
    (store, directory): (&Store, &Directory),
    shared: &Shared,
    centre: &CentreKnown,
) -> Result<bool, StoreError> {
    let good = signed_states(states, shared, centre);
    if good.is_empty() {
        return Ok(false);
    }
    let (version, now, centre) = (directory.version(), shared.clock().now(), *centre);
    let taken = store.call(move |journal| {
        let epoch = centre.learned(&journal.state()?);
        journal.take_leases(&good, epoch, &now, version)
    });
    let taken = taken.await?;
    for became in &taken {
        if let LeaseTaken::Ignored(why) = became {
            tracing::debug!(?why, "a lease state changes nothing");
        }
    }
    Ok(taken.contains(&LeaseTaken::Stored))
}
