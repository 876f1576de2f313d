//! A queue for a stick: what a journal still holds for the centre, as signed batches sealed to it
//! ([`hufu_shared::wire::stick`]).
//!
//! Read beside a running daemon; nothing is marked as sent, the terminal still uploads until it has receipts.
//! Out of scope: where the bytes are written, and who carries them.

use std::path::Path;

use hufu_shared::chain::BatchClaim;
use hufu_shared::ids::Hash;
use hufu_shared::seal::{SealError, SealKey};
use hufu_shared::wire::stick::{self, StickBatch};
use hufu_shared::wire::upload::{BATCH_FACTS_MAX, BatchHeader, Carried};
use hufu_shared::wire::version::PROTO;

use super::pair::{Pair, PairError};
use crate::store::{JournalState, StoreError, StoredFact, read_anchor, read_facts, read_state};

/// A queue cannot be put on a stick.
#[derive(Debug, thiserror::Error)]
pub enum StickError {
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that signs.
    #[error("sign a batch: {0}")]
    Sign(#[from] PairError),
    /// The key to seal to.
    #[error("seal the queue: {0}")]
    Seal(#[from] SealError),
    /// The journal does not hold the hash before its queue.
    #[error("the hash before the queue is missing")]
    Anchor,
}

/// A queue as it goes on a stick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stick {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The enrolment of the facts.
    pub epoch: u32,
    /// The facts.
    pub facts: Vec<StoredFact>,
}

/// Everything that a journal holds and the centre has not acknowledged, sealed to `centre` and signed by `pair`.
///
/// # Errors
/// [`StickError`]; nothing is changed either way.
pub fn pack(journal: &Path, pair: &Pair, centre: &SealKey) -> Result<Stick, StickError> {
    let state = read_state(journal)?;
    let facts = read_facts(journal, state.acked_seq + 1, usize::MAX)?;
    let before = if state.acked_seq >= state.oldest_held {
        read_facts(journal, state.acked_seq, 1)?.first().map(|fact| fact.hash)
    } else {
        read_anchor(journal)?
    };
    let mut prev_hash = before.ok_or(StickError::Anchor)?;
    let mut batches = Vec::new();
    for part in facts.chunks(BATCH_FACTS_MAX) {
        let header = header(&state, pair, part, prev_hash)?;
        prev_hash = header.head_hash;
        batches.push(StickBatch { header, facts: part.iter().map(carried).collect() });
    }
    let bytes = stick::write(centre, state.device, &batches)?;
    Ok(Stick { bytes, epoch: state.epoch, facts })
}

fn header(
    state: &JournalState,
    pair: &Pair,
    facts: &[StoredFact],
    prev_hash: Hash,
) -> Result<BatchHeader, StickError> {
    let from_seq = facts.first().map_or(0, |fact| fact.seq);
    let claim = BatchClaim {
        device: state.device,
        epoch: state.epoch,
        from_seq,
        count: u32::try_from(facts.len()).unwrap_or(u32::MAX),
        head: facts.last().map_or(prev_hash, |fact| fact.hash),
        key_id: pair.key_id(),
    };
    Ok(BatchHeader {
        proto: PROTO,
        device: claim.device,
        epoch: claim.epoch,
        from_seq,
        prev_hash,
        count: claim.count,
        head_hash: claim.head,
        key_id: claim.key_id,
        signature: pair.sign(&claim.message())?,
    })
}

fn carried(fact: &StoredFact) -> Carried {
    Carried { body: fact.body.clone().into(), sealed: fact.sealed.clone().map(Into::into) }
}
