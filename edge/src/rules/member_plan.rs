//! What to do about the directory: nothing, a delta, or a whole snapshot; and what makes either unacceptable.
//!
//! A terminal takes rows of its own club only, in order of versions, and never mixes two lives of the centre: a new
//! central epoch always means a snapshot. Refusing leaves the directory held as it is, so swipes go on.
//! Out of scope: storage of rows, the block list (which does not wait for any of this).

use hufu_shared::ids::{ClubId, Hash, OfficeId};
use hufu_shared::member::DirectoryRow;
use hufu_shared::wire::directory::{CHUNK_BYTES_MAX, CHUNK_ROWS_MAX, DELTA_ROWS_MAX, Delta, Manifest};
use hufu_shared::wire::version::{CentralEpoch, Version};

/// Chunks of a snapshot at most: with [`CHUNK_ROWS_MAX`] rows each, far above the largest club.
pub const SNAPSHOT_CHUNKS_MAX: usize = 4_000;

/// What the terminal holds and whom it obeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The club of the enrolment.
    pub club: ClubId,
    /// The office of the enrolment.
    pub office: OfficeId,
    /// The centre's life as last learned.
    pub central_epoch: CentralEpoch,
    /// Version of the directory held; the default for none.
    pub directory: Version,
}

/// The next step towards a newer directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Up to date.
    Nothing,
    /// Ask for rows changed since the version held.
    Delta,
    /// Take the whole directory.
    Snapshot,
}

/// What to do with a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeltaPlan {
    /// Upsert the rows, stand at the version, and ask again if there is more.
    Apply {
        /// Whole rows.
        rows: Vec<DirectoryRow>,
        /// The version after them.
        to: Version,
        /// Whether more follows.
        more: bool,
    },
    /// Take the whole directory instead.
    Snapshot,
}

/// Why a directory is not taken. The one held stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another club's.
    #[error("directory of club {met} met, this terminal belongs to club {own}")]
    OtherClub {
        /// The club of the enrolment.
        own: ClubId,
        /// The club met.
        met: ClubId,
    },
    /// Made for another office.
    #[error("snapshot made for office {met} met, this terminal stands at office {own}")]
    OtherOffice {
        /// The office of the enrolment.
        own: OfficeId,
        /// The office met.
        met: OfficeId,
    },
    /// The answer does not begin where this terminal stands.
    #[error("rows after version {held} asked for, rows after {met} met")]
    OtherStart {
        /// The version held.
        held: Version,
        /// Where the answer begins.
        met: Version,
    },
    /// The version would fall back or change its epoch inside a delta.
    #[error("version after the rows expected above {from} in the same epoch, met {to}")]
    Backwards {
        /// Where it begins.
        from: Version,
        /// Where it ends.
        to: Version,
    },
    /// A snapshot that is itself too old for a delta.
    #[error("the snapshot of version {met} is too old for the rows changed since, up to {published}")]
    TooOld {
        /// Its version.
        met: Version,
        /// The version that the centre told.
        published: Version,
    },
    /// Another life of the centre than the one learned.
    #[error("snapshot of central epoch {met} met, expected {own}")]
    OtherEpoch {
        /// The epoch learned.
        own: u32,
        /// The epoch met.
        met: u32,
    },
    /// More of something than the contract allows.
    #[error("{what}: at most {at_most} expected, met {met}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The limit.
        at_most: u64,
        /// What was met.
        met: u64,
    },
    /// The manifest is not the centre's.
    #[error("the manifest's signature is not the centre's")]
    Signature,
    /// A chunk is not the one that the manifest names.
    #[error("chunk expected with hash {expected}, met {met}")]
    ChunkHash {
        /// The name in the manifest.
        expected: Hash,
        /// The hash of what came.
        met: Hash,
    },
    /// A chunk holds another number of rows than the manifest says.
    #[error("chunk {chunk} expected with {expected} rows, met {met}")]
    ChunkRows {
        /// Its name.
        chunk: Hash,
        /// Rows in the manifest.
        expected: u32,
        /// Rows met.
        met: usize,
    },
}

/// What a published version asks of this terminal.
#[must_use]
pub fn next(held: Version, published: Version) -> Next {
    if published.n == 0 || published == held {
        Next::Nothing
    } else if held == Version::default() || published.epoch != held.epoch {
        Next::Snapshot
    } else if published > held {
        Next::Delta
    } else {
        // Behind in the same epoch: an answer that was under way while a newer one was applied.
        Next::Nothing
    }
}

/// Judges a delta.
///
/// # Errors
/// [`Refusal`] if it is another club's, does not follow, or is larger than agreed.
pub fn judge_delta(held: &Held, delta: Delta) -> Result<DeltaPlan, Refusal> {
    if delta.club != held.club {
        return Err(Refusal::OtherClub { own: held.club, met: delta.club });
    }
    if delta.take_snapshot {
        return Ok(DeltaPlan::Snapshot);
    }
    if delta.from != held.directory {
        return Err(Refusal::OtherStart { held: held.directory, met: delta.from });
    }
    if delta.to.epoch != delta.from.epoch || delta.to < delta.from || (delta.more && delta.to == delta.from) {
        return Err(Refusal::Backwards { from: delta.from, to: delta.to });
    }
    at_most("rows in a delta", DELTA_ROWS_MAX, delta.rows.len())?;
    Ok(DeltaPlan::Apply { rows: delta.rows, to: delta.to, more: delta.more })
}

/// Judges a manifest whose signature the shell has checked.
///
/// # Errors
/// [`Refusal`] naming what does not fit this terminal or the contract.
pub fn judge_manifest(held: &Held, manifest: &Manifest, signature_holds: bool) -> Result<(), Refusal> {
    if !signature_holds {
        return Err(Refusal::Signature);
    }
    if manifest.club != held.club {
        return Err(Refusal::OtherClub { own: held.club, met: manifest.club });
    }
    if manifest.scope != held.office {
        return Err(Refusal::OtherOffice { own: held.office, met: manifest.scope });
    }
    if manifest.central_epoch != held.central_epoch || manifest.version.epoch != held.central_epoch.n {
        return Err(Refusal::OtherEpoch { own: held.central_epoch.n, met: manifest.version.epoch });
    }
    // It may be older than what is held: the centre keeps a snapshot for a while, and deltas bring the rest.
    at_most("chunks of a snapshot", SNAPSHOT_CHUNKS_MAX, manifest.chunks.len())?;
    for chunk in &manifest.chunks {
        let bytes = usize::try_from(chunk.bytes).unwrap_or(usize::MAX);
        at_most("bytes of a compressed chunk", CHUNK_BYTES_MAX, bytes)?;
        let rows = usize::try_from(chunk.rows).unwrap_or(usize::MAX);
        at_most("rows in a chunk", CHUNK_ROWS_MAX, rows)?;
    }
    Ok(())
}

fn at_most(what: &'static str, limit: usize, met: usize) -> Result<(), Refusal> {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    if met > limit {
        Err(Refusal::TooMuch { what, at_most: number(limit), met: number(met) })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::time::{Instant, OfficeClock};
    use hufu_shared::wire::directory::Chunk;

    const EPOCH: CentralEpoch = CentralEpoch { n: 2, bits: 77 };

    fn v(epoch: u32, n: u64) -> Version {
        Version { epoch, n }
    }

    fn held(directory: Version) -> Held {
        Held { club: ClubId([1; 16]), office: OfficeId([2; 16]), central_epoch: EPOCH, directory }
    }

    fn row() -> DirectoryRow {
        DirectoryRow::Office(hufu_shared::member::OfficeRow {
            office: OfficeId([2; 16]),
            code: "SH01".to_owned(),
            name: hufu_shared::scheme::Words { zh: "案场".to_owned(), en: "office".to_owned() },
            clock: OfficeClock::default(),
            group: None,
        })
    }

    fn delta(from: Version, to: Version, rows: usize, more: bool) -> Delta {
        let rows = vec![row(); rows];
        Delta { club: ClubId([1; 16]), from, to, rows, more, take_snapshot: false }
    }

    fn manifest(version: Version) -> Manifest {
        Manifest {
            club: ClubId([1; 16]),
            central_epoch: EPOCH,
            version,
            block: v(2, 1),
            made_at: Instant(0),
            scope: OfficeId([2; 16]),
            chunks: vec![Chunk { hash: Hash([9; 32]), bytes: 1_000, rows: 10 }],
            signature: Vec::new(),
        }
    }

    #[test]
    fn what_a_published_version_asks_for() {
        let table = [
            (v(0, 0), v(0, 0), Next::Nothing),
            (v(0, 0), v(1, 0), Next::Nothing),
            (v(0, 0), v(1, 5), Next::Snapshot),
            (v(1, 5), v(1, 5), Next::Nothing),
            (v(1, 5), v(1, 9), Next::Delta),
            (v(1, 5), v(1, 3), Next::Nothing),
            (v(1, 5), v(2, 1), Next::Snapshot),
            (v(2, 5), v(1, 9), Next::Snapshot),
        ];
        for (own, published, expected) in table {
            assert_eq!(next(own, published), expected, "{own} -> {published}");
        }
    }

    #[test]
    fn a_delta_that_follows_is_applied_and_any_other_is_refused() {
        let own = held(v(2, 5));
        let good = judge_delta(&own, delta(v(2, 5), v(2, 7), 2, true));
        assert_eq!(good, Ok(DeltaPlan::Apply { rows: vec![row(); 2], to: v(2, 7), more: true }));
        assert!(judge_delta(&own, delta(v(2, 5), v(2, 5), 0, false)).is_ok(), "nothing new");
        assert!(matches!(
            judge_delta(&own, delta(v(2, 4), v(2, 7), 1, false)),
            Err(Refusal::OtherStart { .. })
        ));
        for (to, more) in [(v(2, 4), false), (v(3, 9), false), (v(2, 5), true)] {
            let refused = judge_delta(&own, delta(v(2, 5), to, 1, more));
            assert!(matches!(refused, Err(Refusal::Backwards { .. })), "{to} {more}");
        }
        let large = judge_delta(&own, delta(v(2, 5), v(2, 99), DELTA_ROWS_MAX + 1, false));
        assert!(matches!(large, Err(Refusal::TooMuch { .. })));
        let mut restart = delta(v(2, 5), v(2, 5), 0, false);
        restart.take_snapshot = true;
        assert_eq!(judge_delta(&own, restart), Ok(DeltaPlan::Snapshot));
    }

    #[test]
    fn threat_t06_another_clubs_directory_is_refused_with_both_names() {
        let mut foreign = delta(v(2, 5), v(2, 6), 1, false);
        foreign.club = ClubId([9; 16]);
        let said = judge_delta(&held(v(2, 5)), foreign).expect_err("another club").to_string();
        assert!(said.contains(&ClubId([1; 16]).to_string()) && said.contains(&ClubId([9; 16]).to_string()));
        let mut foreign = manifest(v(2, 6));
        foreign.club = ClubId([9; 16]);
        let refused = judge_manifest(&held(v(2, 5)), &foreign, true);
        assert!(matches!(refused, Err(Refusal::OtherClub { .. })));
    }

    #[test]
    fn a_manifest_must_be_signed_fit_and_keep_to_the_limits() {
        let own = held(v(2, 5));
        assert_eq!(judge_manifest(&own, &manifest(v(2, 6)), true), Ok(()));
        assert_eq!(judge_manifest(&held(Version::default()), &manifest(v(2, 6)), true), Ok(()));
        assert_eq!(judge_manifest(&own, &manifest(v(2, 6)), false), Err(Refusal::Signature));
        let refused = |change: fn(&mut Manifest)| {
            let mut changed = manifest(v(2, 6));
            change(&mut changed);
            judge_manifest(&own, &changed, true).expect_err("refused")
        };
        assert!(matches!(refused(|m| m.scope = OfficeId([3; 16])), Refusal::OtherOffice { .. }));
        assert!(matches!(refused(|m| m.central_epoch.bits = 1), Refusal::OtherEpoch { .. }));
        assert!(matches!(refused(|m| m.version = v(3, 6)), Refusal::OtherEpoch { .. }));
        assert_eq!(judge_manifest(&own, &manifest(v(2, 4)), true), Ok(()), "deltas bring the rest");
        assert!(matches!(refused(|m| m.chunks[0].bytes = u64::MAX), Refusal::TooMuch { .. }));
        assert!(matches!(refused(|m| m.chunks[0].rows = 5_001), Refusal::TooMuch { .. }));
        let many = refused(|m| m.chunks = vec![m.chunks[0].clone(); SNAPSHOT_CHUNKS_MAX + 1]);
        assert!(matches!(many, Refusal::TooMuch { .. }));
    }
}
