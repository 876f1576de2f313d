//! "Sometimes" counters: what a run is worth depends on how much of the rare it met. Every conflict kind and every rare
//! path has a line; over a whole run the ones marked as expected must be met, or the run fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Whether a run must meet something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A run of many seeds that does not meet it fails.
    Expected,
    /// Too rare, or not for the simulator, to insist on.
    Welcome,
    /// The machinery for it is not part of the simulated cores yet.
    NotYet,
}

use Mark::{Expected, NotYet, Welcome};

/// The conflict kinds: number, name and mark.
pub const KINDS: [(usize, &str, Mark); 36] = [
    (1, "duplicate delivery", Expected),
    (2, "double tap", Expected),
    (3, "impossible travel", Expected),
    (4, "attendance without a legal path", NotYet),
    (5, "spend over lease", Expected),
    (6, "spend on expired lease", Expected),
    (7, "spend on written-off lease", Expected),
    (8, "stale generation of a lease", Expected),
    (9, "blocked after the fact's block version", Expected),
    (10, "blocked before, device knew", Expected),
    (11, "member merged", Expected),
    (12, "member erased", Expected),
    (13, "unknown card", Expected),
    (14, "card re-assigned meanwhile", Expected),
    (15, "profile requests disagree", Expected),
    (16, "gift stock short", Expected),
    (17, "scheme changed while offline", Expected),
    (18, "time doubtful at a boundary", Expected),
    (19, "time in the future or before enrolment", Expected),
    (20, "gap", Expected),
    (21, "fork: clone", Expected),
    (22, "fork: restored image", Expected),
    (23, "earn cap passed", Expected),
    (24, "reversal of used earn", Expected),
    (25, "unknown fact version", Expected),
    (26, "revoked device uploads", Expected),
    (27, "admitted at two terminals", Expected),
    (28, "over capacity or not approved", Expected),
    (29, "application looks like a member", Expected),
    (30, "day totals differ", Expected),
    (31, "reversal without its original", Expected),
    (32, "same slip twice", Expected),
    (33, "spend or use limit passed", Expected),
    (34, "handed out twice", Expected),
    (40, "beyond a limit of issuing", Expected),
    (41, "late for a settled day", Expected),
];

/// Rare paths: name and mark.
pub const PATHS: [(&str, Mark); 64] = [
    ("duplicate request", Expected),
    ("late request after its retry", Expected),
    ("straddle of the cursor", Expected),
    ("lost answer", Expected),
    ("crash with a request under way", Expected),
    ("crash before shown", Expected),
    ("clean restart", Expected),
    ("clone", Expected),
    ("image restored", Expected),
    ("fork found", Expected),
    ("new enrolment", Expected),
    ("centre rolled back", Expected),
    ("refilled after a rollback", Expected),
    ("gap answered", Expected),
    ("wall clock stepped", Expected),
    ("verdict with pins", Expected),
    ("evidence changed after a verdict", Expected),
    ("card blocked", Expected),
    ("unknown card bound", Expected),
    ("unreadable fact sent", Expected),
    ("block held against a card", Expected),
    ("lease set", Expected),
    ("spent from a lease", Expected),
    ("spend beyond the lease refused", Expected),
    ("lease recalled", Expected),
    ("lease closed by order", Welcome),
    ("a recovery began", Expected),
    ("lease written off", Expected),
    ("day closed", Expected),
    ("storm", Expected),
    ("terminal revoked", Expected),
    ("torn write at a crash", Expected),
    ("crash right after it was shown", Expected),
    ("disk nearly full", Expected),
    ("refusal only counted", Expected),
    ("spend refused for room", Expected),
    ("swipe refused for room", Expected),
    ("queue put on a stick", Expected),
    ("stick taken in", Expected),
    ("stick straddles the cursor", Expected),
    ("earlier enrolment delivered", Expected),
    ("facts lost for good", Expected),
    ("day settled", Expected),
    ("lease overspent by a dishonest terminal", Expected),
    ("poison fact set aside", Expected),
    ("a recovery ended", Expected),
    ("lease over at a terminal", Expected),
    ("slip entered again", Expected),
    ("slip re-created", Expected),
    ("raised on demand", Expected),
    ("others asked to close", Expected),
    ("others closed in time", Expected),
    ("taken back", Expected),
    ("card reported lost at a terminal", Expected),
    ("member merged", Expected),
    ("member unmerged", Expected),
    ("member erased", Expected),
    ("card handed on", Expected),
    ("value moved at the centre", Expected),
    ("points expired", Expected),
    ("let out of review", Expected),
    ("verdict on what counts", Expected),
    ("balance reckoned exactly", Expected),
    ("block list tampered with", Expected),
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
        assert!(PATHS.iter().any(|path| path.0 == name), "{name} has no line");
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
        self.lines().into_iter().filter(|line| line.2 == Expected && line.1 == 0).map(|line| line.0).collect()
    }

    fn lines(&self) -> Vec<(&'static str, u64, Mark)> {
        let kinds = KINDS.iter();
        let kinds = kinds.map(|(n, name, mark)| (*name, self.kinds.get(n).copied().unwrap_or(0), *mark));
        let paths = PATHS.iter();
        let paths = paths.map(|(name, mark)| (*name, self.paths.get(name).copied().unwrap_or(0), *mark));
        kinds.chain(paths).collect()
    }

    /// As a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("what was met                                     times  must\n");
        for (n, (name, times, mark)) in self.lines().into_iter().enumerate() {
            let label =
                KINDS.get(n).map_or_else(|| format!("   {name}"), |kind| format!("{:>2} {name}", kind.0));
            let must = match mark {
                Expected => "yes",
                Welcome => "-",
                NotYet => "not yet",
            };
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{label:<44} {times:>9}  {must}");
        }
        text
    }
}
