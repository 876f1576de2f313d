//! Applications that look like a member or like another application (kind 29; rules K5 to K8).
//!
//! - K5: the operator does not know whether the applicant is a member, applies again, or is new; this decides.
//! - K6: the document number goes first, and against formal members only. One match: from a sales office the application
//!   is associated with the member, any other route is answered "already a member".
//! - K7: else it is pending, with two lists of look-alikes by name, mobile and home phone.
//! - K8: a person chooses at most one member and any number of applications; [`decide`] gives the outcome.
//!
//! Keys come as keyed hashes from the vault, never as clear data; the lists are the content of an act, because nothing
//! that applies a journal entry may open the vault. Out of scope: making the hashes, the contact data of an outcome.

use std::collections::BTreeSet;

use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::joining::JoiningTerms;

/// Look-alikes of one list at most.
pub const LISTED_MAX: usize = 50;

pub use hufu_shared::joining::DuplicateKey as Key;

/// Keyed hashes of what a person gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    /// Of the document number.
    pub document: Option<Hash>,
    /// Of the mobile number.
    pub mobile: Option<Hash>,
    /// Of the phone at home.
    pub home_phone: Option<Hash>,
    /// Of the name.
    pub name: Option<Hash>,
}

/// On which way an application came (K3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// 案场.
    SalesOffice,
    /// 客服中心.
    ServiceCentre,
    /// The website.
    Website,
}

/// A pending application, named by the hash of its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Application {
    /// Its name.
    pub id: Hash,
    /// How it came.
    pub route: Route,
    /// What was given.
    pub traits: Traits,
}

/// Somebody alike, and by which keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alike<Id> {
    /// Who.
    pub id: Id,
    /// What is the same.
    pub by: BTreeSet<Key>,
}

/// Look-alikes that are shown before somebody is entered at the centre's desk (C2).
pub const SHOWN_BEFORE_ENTRY_MAX: usize = 5;

/// The three situations of K5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Situation {
    /// The applicant is a member already.
    AlreadyMember,
    /// The applicant may have applied by another route, or may be a member.
    Doubtful,
    /// Nobody like this is known.
    First,
}

/// One list of look-alikes: most keys first, then stronger keys, then by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<Id> {
    /// The first [`LISTED_MAX`].
    pub rows: Vec<Alike<Id>>,
    /// How many more there were.
    pub beyond: usize,
}

/// What an application is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Of a member, from a sales office: to be associated (K9).
    Associate(MemberId),
    /// Of a member, by another route: answered so.
    AlreadyMember(MemberId),
    /// Waits for a person.
    Pending {
        /// Similar members: at most one can be chosen.
        members: Listed<MemberId>,
        /// Similar pending applications.
        applications: Listed<Hash>,
    },
}

impl Traits {
    fn of(&self, key: Key) -> Option<Hash> {
        match key {
            Key::Document => self.document,
            Key::Mobile => self.mobile,
            Key::HomePhone => self.home_phone,
            Key::Name => self.name,
        }
    }

    fn same(&self, other: &Self, keys: &[Key]) -> BTreeSet<Key> {
        let same = |key: &&Key| self.of(**key).is_some() && self.of(**key) == other.of(**key);
        keys.iter().filter(same).copied().collect()
    }
}

impl Situation {
    /// The code in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyMember => "already_member",
            Self::Doubtful => "doubtful",
            Self::First => "first",
        }
    }
}

impl Found {
    /// Which of the three situations of K5 it is: the operator need not know beforehand.
    #[must_use]
    pub fn situation(&self) -> Situation {
        match self {
            Self::Associate(_) | Self::AlreadyMember(_) => Situation::AlreadyMember,
            Self::Pending { members, applications }
                if members.rows.is_empty() && applications.rows.is_empty() =>
            {
                Situation::First
            }
            Self::Pending { .. } => Situation::Doubtful,
        }
    }
}

/// Sorts by how many keys are the same, then by the place of the strongest in the club's order, then by id.
fn list<Id: Ord>(keys: &[Key], alike: impl Iterator<Item = Alike<Id>>) -> Listed<Id> {
    let places = |alike: &Alike<Id>| -> Vec<usize> {
        (0..keys.len()).filter(|place| alike.by.contains(&keys[*place])).collect()
    };
    let mut rows: Vec<Alike<Id>> = alike.filter(|alike| !alike.by.is_empty()).collect();
    rows.sort_by(|one, other| {
        let key = |alike: &Alike<Id>| (usize::MAX - alike.by.len(), places(alike));
        key(one).cmp(&key(other)).then_with(|| one.id.cmp(&other.id))
    });
    let beyond = rows.len().saturating_sub(LISTED_MAX);
    rows.truncate(LISTED_MAX);
    Listed { rows, beyond }
}

/// Judges an application against all formal members and all pending applications, by the club's ordered keys (X13).
#[must_use]
pub fn judge(
    terms: &JoiningTerms,
    application: &Application,
    members: &[(MemberId, Traits)],
    pending: &[Application],
) -> Found {
    let same = |traits: &Traits, keys: &[Key]| application.traits.same(traits, keys);
    for key in &terms.decides_by {
        let shares = |row: &&(MemberId, Traits)| !same(&row.1, &[*key]).is_empty();
        let matching: BTreeSet<MemberId> = members.iter().filter(shares).map(|row| row.0).collect();
        match (matching.len(), matching.first()) {
            (0, _) | (_, None) => {}
            (1, Some(member)) => {
                return match application.route {
                    Route::SalesOffice => Found::Associate(*member),
                    Route::ServiceCentre | Route::Website => Found::AlreadyMember(*member),
                };
            }
            // Two members with one document are a matter of their own, and no weaker key may hide it.
            _ => break,
        }
    }
    let weaker = terms.listed_by.iter().filter(|key| !terms.decides_by.contains(key));
    let keys: Vec<Key> = terms.decides_by.iter().chain(weaker).copied().collect();
    let alike = members.iter().map(|(id, traits)| Alike { id: *id, by: same(traits, &keys) });
    let others = pending.iter().filter(|other| other.id != application.id);
    let others = others.map(|other| Alike { id: other.id, by: same(&other.traits, &terms.listed_by) });
    Found::Pending { members: list(&keys, alike), applications: list(&terms.listed_by, others) }
}

/// What a person chose on the screen of K7.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The similar member.
    pub member: Option<MemberId>,
    /// The similar applications.
    pub applications: BTreeSet<Hash>,
    /// Whether the operator gave the final mobile, home phone and address.
    pub contact_given: bool,
}

/// What comes of a pending application (K8). Association follows in each case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The member that it belongs to; none for a new one.
    pub member: Option<MemberId>,
    /// Applications that leave the pending ones, this one included.
    pub leave: BTreeSet<Hash>,
}

/// Why a choice cannot be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// The member is not in the list of similar members.
    #[error("member {member} is not among the members listed as similar")]
    MemberNotListed {
        /// Who was chosen.
        member: MemberId,
    },
    /// The application is not in the list, or was decided meanwhile.
    #[error("application {application} is not among the pending ones listed as similar")]
    ApplicationNotListed {
        /// Which was chosen.
        application: Hash,
    },
    /// Merged applications disagree on the contact data.
    #[error("final mobile, home phone and address expected where applications are merged without a member")]
    ContactMissing,
}

/// The outcome of a choice, K8 (a) to (d): with a member it has priority; applications alone need final contact data.
///
/// # Errors
/// [`ChoiceError`] naming what was chosen but not listed, or what is missing.
pub fn decide(
    application: Hash,
    members: &Listed<MemberId>,
    applications: &Listed<Hash>,
    choice: &Choice,
) -> Result<Outcome, ChoiceError> {
    if let Some(member) = choice.member.filter(|member| members.rows.iter().all(|row| row.id != *member)) {
        return Err(ChoiceError::MemberNotListed { member });
    }
    let listed = |id: &Hash| applications.rows.iter().any(|row| row.id == *id);
    if let Some(unknown) = choice.applications.iter().find(|id| !listed(id)) {
        return Err(ChoiceError::ApplicationNotListed { application: *unknown });
    }
    if choice.member.is_none() && !choice.applications.is_empty() && !choice.contact_given {
        return Err(ChoiceError::ContactMissing);
    }
    let leave = choice.applications.iter().copied().chain([application]).collect();
    Ok(Outcome { member: choice.member, leave })
}

#[cfg(test)]
#[path = "lookalike_tests.rs"]
mod tests;
