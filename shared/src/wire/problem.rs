//! Error bodies: RFC 9457 problem documents, in JSON because people read them.

use serde::{Deserialize, Serialize};

/// Content type of a problem document.
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URN that names the kind of problem: `urn:hufu:problem:gap`.
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP status.
    pub status: u16,
    /// The kind in a few words.
    pub title: String,
    /// What was met, where, and what was expected.
    pub detail: String,
    /// For a gap: the seq that the centre expects next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_from: Option<u64>,
    /// Milliseconds to wait before the next try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

/// Kinds that a terminal acts upon, each the last part of its URN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The body cannot be read.
    Malformed,
    /// The batch begins after the centre's cursor: send from `send_from`.
    Gap,
    /// The device no longer holds what the centre is missing; a person must decide.
    Lost,
    /// Another fact stands at a seq already taken: the terminal was cloned or restored.
    Fork,
    /// The batch is another device's.
    OtherDevice,
    /// The signature does not hold.
    Signature,
    /// The chain of the batch does not add up.
    Chain,
    /// The enrolment is not this one.
    Epoch,
    /// The device is revoked.
    Revoked,
    /// No certificate, or one that nobody here knows.
    Unauthenticated,
    /// The code is wrong, used up or too old.
    Code,
    /// The request cannot be granted as it is.
    Refused,
    /// Larger than the limit.
    TooLarge,
    /// No such thing.
    NotFound,
    /// The centre is busy or starting.
    Busy,
    /// A fault of the centre.
    Internal,
}

impl ProblemKind {
    const ALL: [(Self, &'static str, u16, &'static str); 16] = [
        (Self::Malformed, "malformed", 400, "request cannot be read"),
        (Self::Gap, "gap", 409, "facts are missing before this batch"),
        (Self::Lost, "lost", 409, "facts are missing that the terminal no longer holds"),
        (Self::Fork, "fork", 409, "another fact stands at a seq already taken"),
        (Self::OtherDevice, "other-device", 403, "batch of another device"),
        (Self::Signature, "signature", 403, "batch signature does not hold"),
        (Self::Chain, "chain", 422, "chain of the batch does not add up"),
        (Self::Epoch, "epoch", 409, "enrolment of the batch is not the current one"),
        (Self::Revoked, "revoked", 403, "device is revoked"),
        (Self::Unauthenticated, "unauthenticated", 401, "device is not known"),
        (Self::Code, "code", 403, "enrolment code does not hold"),
        (Self::Refused, "refused", 422, "request refused"),
        (Self::TooLarge, "too-large", 413, "body is too large"),
        (Self::NotFound, "not-found", 404, "nothing here"),
        (Self::Busy, "busy", 503, "centre is busy"),
        (Self::Internal, "internal", 500, "fault of the centre"),
    ];

    fn row(self) -> (&'static str, u16, &'static str) {
        let found = Self::ALL.iter().find(|row| row.0 == self);
        found.map_or(("internal", 500, "fault of the centre"), |row| (row.1, row.2, row.3))
    }

    /// The problem with its detail.
    #[must_use]
    pub fn problem(self, detail: impl Into<String>) -> Problem {
        let (name, status, title) = self.row();
        Problem {
            kind: format!("urn:hufu:problem:{name}"),
            status,
            title: title.to_owned(),
            detail: detail.into(),
            send_from: None,
            retry_after_ms: None,
        }
    }

    /// The kind of a problem document, or `None` if it is not one of ours.
    #[must_use]
    pub fn of(problem: &Problem) -> Option<Self> {
        let name = problem.kind.strip_prefix("urn:hufu:problem:")?;
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_and_comes_back_from_its_document() {
        for (kind, name, status, _) in ProblemKind::ALL {
            let problem = kind.problem("detail");
            assert_eq!(problem.kind, format!("urn:hufu:problem:{name}"));
            assert_eq!(problem.status, status);
            let json = serde_json::to_string(&problem).expect("plain fields");
            let read: Problem = serde_json::from_str(&json).expect("own document");
            assert_eq!(ProblemKind::of(&read), Some(kind));
        }
    }
}
