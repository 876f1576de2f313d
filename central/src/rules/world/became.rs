//! What a fact became, as a code in database and API.

use hufu_shared::wire::upload::Became;

/// Codes of what a fact became, in database and API; `applied` is also the plain case.
const BECAME_CODES: [(Became, &str); 6] = [
    (Became::AppliedWithCase, "applied_with_case"),
    (Became::Held, "held"),
    (Became::Quarantined, "quarantined"),
    (Became::Merged, "merged"),
    (Became::NoEffect, "no_effect"),
    (Became::Applied, "applied"),
];

/// The code in database and API.
#[must_use]
pub fn became_code(became: Became) -> &'static str {
    BECAME_CODES.iter().find(|row| row.0 == became).map_or("applied", |row| row.1)
}

/// What a code means.
#[must_use]
pub fn became_from_code(code: &str) -> Option<Became> {
    BECAME_CODES.iter().find(|row| row.1 == code).map(|row| row.0)
}
