//! Known wrong turns of the sync core, to prove that the simulator and the tests would notice each of them.
//!
//! A mutant is one line of code that does the tempting wrong thing where the right one is hard. Outside the feature
//! `mutants` [`on`] is a constant `false`, so the wrong branch is not even compiled in; within it, one mutant at a time
//! is switched on for the current thread by [`with`]. Nothing that ships is built with the feature.
//!
//! Invariant: with all mutants off, a program with the feature behaves like one without it.
//! Out of scope: which check catches which mutant; the program `mutants` of the tests prints that.

/// One wrong turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutant {
    /// The terminal answers (and the centre acknowledges) before the commit.
    AckBeforeSync,
    /// A lease gives back what is left when its time ends.
    ReleaseAtExpiry,
    /// The centre tells a repeat by the time of a fact, not by its place in the chain.
    DedupeByTime,
    /// The cursor moves outside the transaction of its facts.
    CursorOutsideTransaction,
    /// A raise is sent as a difference.
    RaiseAsDelta,
    /// The close of a lease is not a fact of the chain.
    CloseOutsideChain,
    /// A batch that straddles the cursor counts as a fork.
    ForkOnStraddle,
    /// The clock sample of the first attempt is sent with every retry.
    StoredClockSample,
    /// A centre that recovers grants leases.
    GrantDuringRecovery,
    /// Directory versions are numbered before commit.
    VersionBeforeCommit,
    /// An earn above the issue limit is posted at once.
    EarnAboveIssueLimit,
    /// What expires is reckoned by arrival.
    LotByArrival,
    /// A recovering centre takes facts before it has regranted.
    RegrantAfterFacts,
    /// What a recovery lost is not paid back by what returns later.
    RecoveryLossNotRepaid,
    /// A reversal goes to whoever asks, not to the account that bore the spend.
    ReversalToAsker,
    /// A person's pin does not count against the bound of its kind.
    PinIgnoredAsBound,
    /// Double taps are told by the wall clock.
    DoubleTapByWallClock,
    /// The centre applies a delivery again although it has its facts.
    ReceiptAppliedTwice,
    /// A late fact overrides what a person decided.
    VerdictOverriddenByLateFact,
    /// A credit goes to `available` while something is owed.
    OwedNotPaidFirst,
    /// A block holds only once the directory has caught up.
    BlockIgnoredUntilDirectory,
    /// A reversal may exceed its original.
    ReversalBeyondOriginal,
    /// What the centre's desk took back of a fact and what terminals did are judged apart.
    DeskJudgedApart,
    /// Any terminal reverses any top-up, at any time.
    TopUpReversedByAnyone,
    /// The same slip counts twice.
    SlipCountedTwice,
    /// A fact that cannot be applied stops its whole batch.
    BatchStuckOnPoison,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::AckBeforeSync,
        Self::ReleaseAtExpiry,
        Self::DedupeByTime,
        Self::CursorOutsideTransaction,
        Self::RaiseAsDelta,
        Self::CloseOutsideChain,
        Self::ForkOnStraddle,
        Self::StoredClockSample,
        Self::GrantDuringRecovery,
        Self::VersionBeforeCommit,
        Self::EarnAboveIssueLimit,
        Self::LotByArrival,
        Self::RegrantAfterFacts,
        Self::RecoveryLossNotRepaid,
        Self::ReversalToAsker,
        Self::PinIgnoredAsBound,
        Self::DoubleTapByWallClock,
        Self::ReceiptAppliedTwice,
        Self::VerdictOverriddenByLateFact,
        Self::OwedNotPaidFirst,
        Self::BlockIgnoredUntilDirectory,
        Self::ReversalBeyondOriginal,
        Self::DeskJudgedApart,
        Self::TopUpReversedByAnyone,
        Self::SlipCountedTwice,
        Self::BatchStuckOnPoison,
    ];
}

/// Whether a mutant is switched on here.
#[cfg(not(feature = "mutants"))]
#[must_use]
#[inline]
pub const fn on(_: Mutant) -> bool {
    false
}

#[cfg(feature = "mutants")]
pub use switched::{on, with};

#[cfg(feature = "mutants")]
mod switched {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static SWITCHED: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Whether a mutant is switched on for this thread.
    #[must_use]
    pub fn on(mutant: Mutant) -> bool {
        SWITCHED.get() == Some(mutant)
    }

    /// Runs `work` on this thread with one mutant switched on, or none.
    pub fn with<T>(mutant: Option<Mutant>, work: impl FnOnce() -> T) -> T {
        let before = SWITCHED.replace(mutant);
        let result = work();
        SWITCHED.set(before);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mutant_is_on_by_itself() {
        for mutant in Mutant::ALL {
            assert!(!on(mutant), "{mutant:?}");
        }
    }
}
