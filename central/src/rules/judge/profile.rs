//! Requests to change a member's data that disagree (kind 15).
//!
//! Data is edited at the centre alone (K13), so a request waits there in any case; this says whether a person must first
//! choose. Requests for one field agree if they were made against the version that the centre has and ask for one value;
//! values come as keyed hashes from the vault, and one that is not known agrees with none.

use std::collections::{BTreeMap, BTreeSet};

use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::wire::version::Version;

use super::order::Place;

/// A request for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When, and by which fact.
    pub place: Place,
    /// Whose data.
    pub member: MemberId,
    /// Dictionary code of the field.
    pub field: String,
    /// The version of the field that the terminal knew.
    pub base: Version,
    /// Keyed hash of the value wanted.
    pub value: Option<Hash>,
    /// What a person fixed: it counts, or it does not.
    pub pin: Option<bool>,
}

/// What becomes of the requests for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All ask for the same: the first of them stands for all.
    Agreed(FactId),
    /// A person chose this one.
    Chosen(FactId),
    /// They differ, or the field has changed since (kind 15): these are to choose from, in order of time.
    Differ(Vec<FactId>),
    /// A person took all of them out.
    Dropped,
}

/// Why two verdicts cannot both be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field} can have one value: requests {first} and {second} cannot both be chosen")]
pub struct PinError {
    /// Which field.
    pub field: String,
    /// Fixed to count.
    pub first: FactId,
    /// Fixed to count as well.
    pub second: FactId,
}

/// A field of a member.
pub type Field = (MemberId, String);

/// Judges all requests that wait, per field. `current` has the version of each field apart from these requests; a field
/// that it lacks was never changed.
#[must_use]
pub fn judge(requests: &[Request], current: &BTreeMap<Field, Version>) -> BTreeMap<Field, Wanted> {
    let fields = by_field(requests).into_iter();
    fields.map(|(field, all)| (field.clone(), one_field(&all, current.get(&field).copied()))).collect()
}

fn by_field(requests: &[Request]) -> BTreeMap<Field, Vec<&Request>> {
    let mut fields: BTreeMap<Field, Vec<&Request>> = BTreeMap::new();
    for request in requests {
        fields.entry((request.member, request.field.clone())).or_default().push(request);
    }
    for all in fields.values_mut() {
        all.sort_by_key(|request| request.place);
    }
    fields
}

fn one_field(all: &[&Request], current: Option<Version>) -> Wanted {
    if let Some(chosen) = all.iter().find(|request| request.pin == Some(true)) {
        return Wanted::Chosen(chosen.place.fact);
    }
    let open: Vec<&&Request> = all.iter().filter(|request| request.pin != Some(false)).collect();
    let Some(first) = open.first() else { return Wanted::Dropped };
    let fresh = open.iter().all(|request| request.base == current.unwrap_or_default());
    let values: BTreeSet<Option<Hash>> = open.iter().map(|request| request.value).collect();
    let one_value = open.len() == 1 || (values.len() == 1 && first.value.is_some());
    if fresh && one_value {
        Wanted::Agreed(first.place.fact)
    } else {
        Wanted::Differ(open.iter().map(|request| request.place.fact).collect())
    }
}

/// Whether pins can be saved: of requests that differ only one can be chosen.
///
/// # Errors
/// [`PinError`] naming two that differ.
pub fn check_pins(requests: &[Request]) -> Result<(), PinError> {
    for ((_, field), all) in by_field(requests) {
        let mut chosen = all.iter().filter(|request| request.pin == Some(true));
        let Some(first) = chosen.next() else { continue };
        let differs = |other: &&&Request| other.value.is_none() || other.value != first.value;
        if let Some(second) = chosen.find(differs) {
            return Err(PinError { field, first: first.place.fact, second: second.place.fact });
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
