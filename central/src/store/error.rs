//! What can go wrong below the rules.

use hufu_shared::cbor::WireError;
use hufu_shared::fact::ReadError;
use hufu_shared::ids::{EntryId, FactId, LeaseId};

use crate::db::DbError;
use crate::rules::apply::{APPLY_VERSION, OLDEST_APPLY_VERSION};

/// Failure of a store operation; reads after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stored value is not what the schema promises: the row was changed by hand, or by a newer version.
    #[error("read {what} {id}: {source}")]
    Stored {
        /// What was read.
        what: &'static str,
        /// Which one.
        id: String,
        /// Why it cannot be read.
        source: WireError,
    },
    /// A stored fact cannot be read.
    #[error("read fact {id}: {source}")]
    Fact {
        /// Which.
        id: FactId,
        /// Why it cannot be read.
        source: ReadError,
    },
    /// A stored code is not one that this version knows.
    #[error("read {what}: code {met:?} is not known to this version")]
    Code {
        /// What was read.
        what: &'static str,
        /// The code met.
        met: String,
    },
    /// A stored number is out of its range.
    #[error("read {what}: {met} is out of range")]
    Range {
        /// What was read.
        what: &'static str,
        /// The number met.
        met: i64,
    },
    /// An entry asked for more and more rows and came to no end: a fault of this program.
    #[error("apply entry {entry}: rows were still missing after {rounds} rounds")]
    Needs {
        /// Which entry.
        entry: EntryId,
        /// How often it was tried.
        rounds: u32,
    },
    /// A lease that was just set is not there: a fault of this program.
    #[error("read lease {lease}, generation {generation}: it was just set and is not there")]
    NoLease {
        /// Which lease.
        lease: LeaseId,
        /// Which generation.
        generation: u32,
    },
    /// A replay base cannot be packed or unpacked.
    #[error("pack or unpack a replay base: {source}")]
    Pack {
        /// Why not.
        source: std::io::Error,
    },
    /// The journal goes on by rules that this program does not have: it may not take anything in.
    #[error(
        "apply an entry: the journal is kept by version {met} of the rules, this program has {OLDEST_APPLY_VERSION} to \
         {APPLY_VERSION}: install the newer version of Hufu"
    )]
    ApplyVersion {
        /// The version of the journal.
        met: u32,
    },
    /// A terminal proves that the database went back in time, and the second path was not asked yet.
    #[error("take a delivery in: it proves that this database went back in time")]
    RolledBack,
    /// Who acts in another's place was not named for it, or not for now.
    #[error("take an act of a stand-in: nobody has named them for now")]
    NoStandIn,
    /// No random bits.
    #[error(transparent)]
    Random(#[from] crate::random::NoRandom),
    /// The club was not founded yet.
    #[error("read the club: none was founded; run `hufu-central init` first")]
    NoClub,
}
