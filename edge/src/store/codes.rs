//! Nonces of member codes that were taken here, so that a code is taken once, also across a restart.
//!
//! A nonce is kept until the time at which no clock would take its code any more is certain to be past: by the floor,
//! which no step of the clock moves. Out of scope: codes taken at other terminals; the centre sees those.

use hufu_shared::member_code::CodeNonce;
use hufu_shared::time::Instant;
use rusqlite::params;

use super::error::{Step, StoreError};
use super::journal::Journal;

impl Journal {
    /// Takes a nonce: true once, false ever after until it is over. `floor` is the latest time that is certain to be
    /// past.
    ///
    /// The nonce is on the disk before its swipe is: a power cut between the two spoils a code that holds for a
    /// minute, and never lets one be used twice.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn take_code(
        &mut self,
        nonce: CodeNonce,
        over_at: Instant,
        floor: Instant,
    ) -> Result<bool, StoreError> {
        self.guarded("take code", |journal| {
            let path = journal.path.clone();
            let transaction = journal.connection.transaction().step(&path, "begin")?;
            let taken = (|| {
                transaction
                    .prepare_cached("DELETE FROM used_codes WHERE over_at < ?1")?
                    .execute([floor.0])?;
                transaction
                    .prepare_cached(
                        "INSERT INTO used_codes (nonce, over_at) VALUES (?1, ?2) ON CONFLICT (nonce) DO NOTHING",
                    )?
                    .execute(params![nonce.0, over_at.0])
            })();
            let taken = taken.step(&path, "take code")?;
            transaction.commit().step(&path, "commit")?;
            Ok(taken == 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{booted, terminal};
    use crate::store::{JOURNAL_FILE, Store};

    #[test]
    fn threat_t07_a_code_is_taken_once_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let (nonce, other) = (CodeNonce([1; 8]), CodeNonce([2; 8]));
        let take = |store: &Store, nonce, floor| {
            store.with(|journal| journal.take_code(nonce, Instant(1_000), Instant(floor))).expect("written")
        };
        {
            let store = booted(folder.path());
            assert!(take(&store, nonce, 0) && take(&store, other, 0));
            assert!(!take(&store, nonce, 0));
        }
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens again");
        assert!(!take(&store, nonce, 1_000), "until it is over for certain");
        assert!(take(&store, nonce, 1_001), "its code would not be taken by any clock now");
    }
}
