//! The life of an application that was filed at the centre itself, and what follows for the sales system (K9).
//!
//! ```text
//! filed ──▶ waiting ──▶ pending ──▶ joined | bound | merged
//!             │  │          │ └────▶ rejected
//!             │  └──────────┴──────▶ lapsed ──▶ joined | bound | merged (G2: as soon as it is completed)
//!             └──▶ already_member | bound (K6: the deciding key, by route)
//! ```
//! An application that a terminal took is a fact and stands as facts do; the outcomes mean the same. Out of scope: whom
//! an application looks like, and who decides.

use super::eligible::Standing;

/// Where an application is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Looks like nobody, or was not looked up yet; a person decides.
    Waiting,
    /// Looks like somebody; a person decides with the lists before them (K7).
    Pending,
    /// Its deciding key is a formal member's, and it did not come from a sales office: answered so (K6).
    AlreadyMember,
    /// Became a new member (K8 d, and c).
    Joined,
    /// Is a member's (K6 from a sales office, K8 a and b).
    Bound,
    /// Went into another application (K8 a and c).
    Merged,
    /// Was turned down.
    Rejected,
    /// Nobody could verify or decide it in time (G2, E1).
    Lapsed,
}

/// What happens to an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A formal member has its deciding key.
    Matched {
        /// Whether it came from a sales office.
        from_office: bool,
    },
    /// It looks like somebody.
    LooksAlike,
    /// It becomes a new member.
    Join,
    /// It is this member's.
    Bind,
    /// It goes into another one.
    Merge,
    /// It is turned down.
    Reject,
    /// Its time is up.
    Lapse,
}

impl State {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 8] = [
        (Self::Waiting, "waiting"),
        (Self::Pending, "pending"),
        (Self::AlreadyMember, "already_member"),
        (Self::Joined, "joined"),
        (Self::Bound, "bound"),
        (Self::Merged, "merged"),
        (Self::Rejected, "rejected"),
        (Self::Lapsed, "lapsed"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("waiting", |row| row.1)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Whether a person still has to decide.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Pending)
    }

    /// Where a step leads; `None` if it cannot be taken from here: somebody was faster.
    #[must_use]
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Waiting, Step::Matched { from_office: true }) => Some(Self::Bound),
            (Self::Waiting, Step::Matched { from_office: false }) => Some(Self::AlreadyMember),
            (Self::Waiting, Step::LooksAlike) => Some(Self::Pending),
            (Self::Waiting | Self::Pending | Self::Lapsed, Step::Join) => Some(Self::Joined),
            (Self::Waiting | Self::Pending | Self::Lapsed, Step::Bind) => Some(Self::Bound),
            (Self::Waiting | Self::Pending | Self::Lapsed, Step::Merge) => Some(Self::Merged),
            (Self::Waiting | Self::Pending, Step::Reject) => Some(Self::Rejected),
            (Self::Waiting | Self::Pending, Step::Lapse) => Some(Self::Lapsed),
            _ => None,
        }
    }
}

/// What the sales system is to be told when an application has its member (K9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Association {
    /// The person is marked as a member there.
    Mark,
    /// A purchase is added, of the project that the application names.
    AddPurchase,
}

impl Association {
    /// All, with their codes in database and API.
    pub const CODES: [(Self, &'static str); 2] = [(Self::Mark, "mark"), (Self::AddPurchase, "add_purchase")];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("mark", |row| row.1)
    }

    /// What a code means.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}

/// The steps of association (K9). A buyer of an old project is marked by the purchase that is added.
#[must_use]
pub fn associate(standing: Standing) -> &'static [Association] {
    match standing {
        Standing::Buyer => &[Association::Mark, Association::AddPurchase],
        Standing::OldBuyer => &[Association::AddPurchase],
        Standing::Potential | Standing::Applicant => &[Association::Mark],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 8] = [
        Step::Matched { from_office: true },
        Step::Matched { from_office: false },
        Step::LooksAlike,
        Step::Join,
        Step::Bind,
        Step::Merge,
        Step::Reject,
        Step::Lapse,
    ];

    #[test]
    fn rule_k05_k06_k08_every_step_from_every_state() {
        use State::{AlreadyMember, Bound, Joined, Lapsed, Merged, Pending, Rejected, Waiting};
        let none = [None; 8];
        let decided = [Some(Joined), Some(Bound), Some(Merged)];
        let [joined, bound, merged] = decided;
        let table = [
            (
                Waiting,
                [
                    Some(Bound),
                    Some(AlreadyMember),
                    Some(Pending),
                    joined,
                    bound,
                    merged,
                    Some(Rejected),
                    Some(Lapsed),
                ],
            ),
            (Pending, [None, None, None, joined, bound, merged, Some(Rejected), Some(Lapsed)]),
            (Lapsed, [None, None, None, joined, bound, merged, None, None]),
            (AlreadyMember, none),
            (Joined, none),
            (Bound, none),
            (Merged, none),
            (Rejected, none),
        ];
        for (state, expected) in table {
            assert_eq!(STEPS.map(|step| state.after(step)), expected, "from {state:?}");
            assert_eq!(State::from_code(state.code()), Some(state));
        }
    }

    #[test]
    fn rule_k09_the_sales_system_is_told_by_what_the_applicant_bought() {
        use Association::{AddPurchase, Mark};
        for (standing, expected) in [
            (Standing::Applicant, &[Mark][..]),
            (Standing::Potential, &[Mark]),
            (Standing::OldBuyer, &[AddPurchase]),
            (Standing::Buyer, &[Mark, AddPurchase]),
        ] {
            assert_eq!(associate(standing), expected, "{standing:?}");
        }
    }
}
