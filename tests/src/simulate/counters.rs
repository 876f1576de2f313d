//! "Sometimes" counters: what a run is worth depends on how much of the rare it met. Every conflict kind and every rare
//! path has a line; over a whole run each of them must be met, or the run fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The conflict kinds: number and name.
pub const KINDS: [(usize, &str); 36] = [
    (1, "duplicate delivery"),
    (2, "double tap"),
    (3, "impossible travel"),
    (4, "attendance without a legal path"),
    (5, "spend over lease"),
    (6, "spend on expired lease"),
    (7, "spend on written-off lease"),
    (8, "stale generation of a lease"),
    (9, "blocked after the fact's block version"),
    (10, "blocked before, device knew"),
    (11, "member merged"),
    (12, "member erased"),
    (13, "unknown card"),
    (14, "card re-assigned meanwhile"),
    (15, "profile requests disagree"),
    (16, "gift stock short"),
    (17, "scheme changed while offline"),
    (18, "time doubtful at a boundary"),
    (19, "time in the future or before enrolment"),
    (20, "gap"),
    (21, "fork: clone"),
    (22, "fork: restored image"),
    (23, "earn cap passed"),
    (24, "reversal of used earn"),
    (25, "unknown fact version"),
    (26, "revoked device uploads"),
    (27, "admitted at two terminals"),
    (28, "over capacity or not approved"),
    (29, "application looks like a member"),
    (30, "day totals differ"),
    (31, "reversal without its original"),
    (32, "same slip twice"),
    (33, "spend or use limit passed"),
    (34, "handed out twice"),
    (40, "beyond a limit of issuing"),
    (41, "late for a settled day"),
];

/// Rare paths.
pub const PATHS: [&str; 69] = [
    "duplicate request",
    "late request after its retry",
    "straddle of the cursor",
    "lost answer",
    "crash with a request under way",
    "crash before shown",
    "clean restart",
    "clone",
    "image restored",
    "fork found",
    "new enrolment",
    "centre rolled back",
    "refilled after a rollback",
    "gap answered",
    "wall clock stepped",
    "verdict with pins",
    "evidence changed after a verdict",
    "card blocked",
    "unknown card bound",
    "unreadable fact sent",
    "block held against a card",
    "lease set",
    "spent from a lease",
    "spend beyond the lease refused",
    "lease recalled",
    "lease closed by order",
    "a recovery began",
    "lease written off",
    "day closed",
    "storm",
    "terminal revoked",
    "torn write at a crash",
    "crash right after it was shown",
    "disk nearly full",
    "refusal only counted",
    "spend refused for room",
    "swipe refused for room",
    "queue put on a stick",
    "stick taken in",
    "stick straddles the cursor",
    "earlier enrolment delivered",
    "facts lost for good",
    "day settled",
    "lease overspent by a dishonest terminal",
    "poison fact set aside",
    "a recovery ended",
    "lease over at a terminal",
    "slip entered again",
    "slip re-created",
    "raised on demand",
    "others asked to close",
    "others closed in time",
    "taken back",
    "card reported lost at a terminal",
    "card replaced at a terminal",
    "member merged",
    "member unmerged",
    "member erased",
    "card handed on",
    "value moved at the centre",
    "points expired",
    "let out of review",
    "verdict on what counts",
    "balance reckoned exactly",
    "block list tampered with",
    "taken back at the desk",
    "desk took back what its terminal did",
    "top-up undone on the centre's word",
    "top-up of another terminal reversed",
];

/// What was met, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    kinds: BTreeMap<usize, u64>,
    paths: BTreeMap<&'static str, u64>,
}

impl Counters {
    /// A rare path was taken.
    ///
    /// # Panics
    /// If it has no line.
    pub fn path(&mut self, name: &'static str) {
        assert!(PATHS.contains(&name), "{name} has no line");
        *self.paths.entry(name).or_default() += 1;
    }

    /// A conflict of a kind, from 1, was met so often.
    pub fn kind(&mut self, number: usize, times: u64) {
        *self.kinds.entry(number).or_default() += times;
    }

    /// How often a rare path was taken.
    #[must_use]
    pub fn times(&self, path: &str) -> u64 {
        self.paths.get(path).copied().unwrap_or(0)
    }

    /// Takes in those of another seed.
    pub fn add(&mut self, other: &Self) {
        for (kind, times) in &other.kinds {
            self.kind(*kind, *times);
        }
        for (path, times) in &other.paths {
            *self.paths.entry(path).or_default() += times;
        }
    }

    /// Names of what must be met and was not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        self.lines().into_iter().filter(|line| line.1 == 0).map(|line| line.0).collect()
    }

    fn lines(&self) -> Vec<(&'static str, u64)> {
        let kinds = KINDS.iter().map(|(n, name)| (*name, self.kinds.get(n).copied().unwrap_or(0)));
        kinds.chain(PATHS.iter().map(|name| (*name, self.times(name)))).collect()
    }

    /// As a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("what was met                                     times\n");
        for (n, (name, times)) in self.lines().into_iter().enumerate() {
            let label =
                KINDS.get(n).map_or_else(|| format!("   {name}"), |kind| format!("{:>2} {name}", kind.0));
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{label:<44} {times:>9}");
        }
        text
    }
}
