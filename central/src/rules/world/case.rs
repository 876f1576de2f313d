//! A case as judgements and people see it.
//!
//! What a person decided on is kept with the decision, so that whether the evidence has changed since is a comparison and
//! not a memory of what arrived in which order. Out of scope: opening and ending cases, which judgements do.

use std::collections::BTreeSet;

use hufu_shared::ids::{DeviceId, FactId, Hash, MemberId, OccurrenceId};
use hufu_shared::time::Instant;
use hufu_shared::token::Token;

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCase {
    /// Number of the conflict kind.
    pub kind: u8,
    /// How it stands.
    pub state: CaseState,
    /// The member concerned.
    pub member: Option<MemberId>,
    /// The occurrence concerned.
    pub occurrence: Option<OccurrenceId>,
    /// The device concerned.
    pub device: Option<DeviceId>,
    /// The card concerned.
    pub token: Option<Token>,
    /// What else the admin sees, in the form of the kind.
    pub detail: Vec<u8>,
    /// Name of the automatic outcome.
    pub automatic: String,
    /// What a person decided.
    pub verdict: Option<String>,
    /// What the person saw who decided.
    pub decided_on: Option<Evidence>,
    /// When it was opened.
    pub opened: Instant,
    /// When it last changed.
    pub changed: Instant,
    /// When it ends by itself.
    pub deadline: Option<Instant>,
    /// The facts that it rests on. While an entry is applied, of a case whose facts are without number (one card, one
    /// clock, one occurrence) only those that the entry adds.
    pub facts: BTreeSet<FactId>,
}

impl KnownCase {
    /// Kinds of case whose facts are without number: only those that an entry adds are ever looked at.
    const KINDS_WITHOUT_NUMBER: [u8; 4] = [13, 19, 25, 28];

    /// Whether all of its facts are looked at while an entry is applied.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !Self::KINDS_WITHOUT_NUMBER.contains(&self.kind)
    }

    /// What a person sees of it now.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let of =
            |fact: &FactId| [&fact.device.0[..], &fact.epoch.to_be_bytes(), &fact.seq.to_be_bytes()].concat();
        let facts: Vec<u8> = self.facts.iter().flat_map(of).collect();
        Evidence { detail: self.detail.clone(), facts: Hash::of(&[&facts]) }
    }
}

/// What a case rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// [`KnownCase::detail`].
    pub detail: Vec<u8>,
    /// Hash of all of its facts, one after another; means nothing where they are not all looked at.
    pub facts: Hash,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// Waits for a person.
    Open,
    /// A person decided.
    Decided,
    /// It ended by itself.
    Closed,
    /// A person decided, then the facts changed.
    EvidenceChanged,
}

impl CaseState {
    const CODES: [(Self, &'static str); 4] = [
        (Self::Open, "open"),
        (Self::Decided, "decided"),
        (Self::Closed, "closed"),
        (Self::EvidenceChanged, "evidence_changed"),
    ];

    /// The code in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("open", |row| row.1)
    }

    /// The state of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }
}
