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

/// Look-alikes of one list at most.
pub const LISTED_MAX: usize = 50;

/// What people are compared by, in the order of X13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Number of the identity document.
    Document,
    /// Mobile number.
    Mobile,
    /// Phone at home.
    HomePhone,
    /// Name.
    Name,
}

/// The keys of K7.
pub const ALIKE_BY: [Key; 3] = [Key::Mobile, Key::HomePhone, Key::Name];

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

fn list<Id: Ord>(alike: impl Iterator<Item = Alike<Id>>) -> Listed<Id> {
    let mut rows: Vec<Alike<Id>> = alike.filter(|alike| !alike.by.is_empty()).collect();
    rows.sort_unstable_by(|one, other| {
        let more = other.by.len().cmp(&one.by.len());
        more.then_with(|| one.by.cmp(&other.by)).then_with(|| one.id.cmp(&other.id))
    });
    let beyond = rows.len().saturating_sub(LISTED_MAX);
    rows.truncate(LISTED_MAX);
    Listed { rows, beyond }
}

/// Judges an application against all formal members and all pending applications.
#[must_use]
pub fn judge(application: &Application, members: &[(MemberId, Traits)], pending: &[Application]) -> Found {
    let same = |traits: &Traits, keys: &[Key]| application.traits.same(traits, keys);
    let matching: BTreeSet<MemberId> =
        members.iter().filter(|row| !same(&row.1, &[Key::Document]).is_empty()).map(|row| row.0).collect();
    if let (1, Some(member)) = (matching.len(), matching.first()) {
        return match application.route {
            Route::SalesOffice => Found::Associate(*member),
            Route::ServiceCentre | Route::Website => Found::AlreadyMember(*member),
        };
    }
    // Two members with one document are a matter of their own: a person sees both, on top.
    let keys = [&[Key::Document][..], &ALIKE_BY].concat();
    let alike = members.iter().map(|(id, traits)| Alike { id: *id, by: same(traits, &keys) });
    let others = pending.iter().filter(|other| other.id != application.id);
    let others = others.map(|other| Alike { id: other.id, by: same(&other.traits, &ALIKE_BY) });
    Found::Pending { members: list(alike), applications: list(others) }
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
mod tests {
    use super::super::order::testing::shuffled;
    use super::*;
    use proptest::prelude::*;

    fn hash(n: u8) -> Option<Hash> {
        (n > 0).then_some(Hash([n; 32]))
    }

    /// Document, mobile, home phone, name; 0 for not given.
    fn traits(rows: [u8; 4]) -> Traits {
        let [document, mobile, home_phone, name] = rows.map(hash);
        Traits { document, mobile, home_phone, name }
    }

    fn member(n: u8) -> MemberId {
        MemberId([n; 16])
    }

    fn application(n: u8, route: Route, rows: [u8; 4]) -> Application {
        Application { id: Hash([n; 32]), route, traits: traits(rows) }
    }

    #[test]
    fn rule_k06_the_document_number_is_compared_with_formal_members_only() {
        let members = [
            (member(1), traits([7, 0, 0, 0])),
            (member(2), traits([8, 0, 0, 0])),
            (member(3), traits([8, 0, 0, 0])),
        ];
        let pending = [application(9, Route::Website, [6, 0, 0, 0])];
        let met = |route: Route, rows: [u8; 4]| judge(&application(1, route, rows), &members, &pending);
        assert_eq!(met(Route::SalesOffice, [7, 0, 0, 0]), Found::Associate(member(1)));
        assert_eq!(met(Route::ServiceCentre, [7, 0, 0, 0]), Found::AlreadyMember(member(1)));
        assert_eq!(met(Route::Website, [7, 0, 0, 0]), Found::AlreadyMember(member(1)));
        let nothing = Found::Pending {
            members: Listed { rows: vec![], beyond: 0 },
            applications: Listed { rows: vec![], beyond: 0 },
        };
        assert_eq!(
            met(Route::Website, [6, 0, 0, 0]),
            nothing,
            "the same document on a pending one is no match"
        );
        assert_eq!(met(Route::Website, [0, 0, 0, 0]), nothing, "no document is no match");
        let Found::Pending { members, .. } = met(Route::SalesOffice, [8, 0, 0, 0]) else {
            panic!("two match")
        };
        let ids: Vec<MemberId> = members.rows.iter().map(|row| row.id).collect();
        assert_eq!(ids, [member(2), member(3)], "two members with one document: a person decides");
    }

    #[test]
    fn rule_k07_kind_29_two_lists_most_alike_first() {
        let members = [
            (member(1), traits([0, 0, 0, 5])),
            (member(2), traits([0, 3, 0, 9])),
            (member(3), traits([0, 3, 4, 5])),
            (member(4), traits([0, 9, 9, 9])),
        ];
        let pending = [
            application(1, Route::Website, [0, 3, 4, 5]),
            application(2, Route::ServiceCentre, [0, 0, 4, 0]),
            application(3, Route::Website, [0, 0, 0, 8]),
        ];
        let Found::Pending { members, applications } = judge(&pending[0], &members, &pending) else {
            panic!("no document was given")
        };
        let met: Vec<(MemberId, usize)> = members.rows.iter().map(|row| (row.id, row.by.len())).collect();
        assert_eq!(met, [(member(3), 3), (member(2), 1), (member(1), 1)], "a phone is stronger than a name");
        let met: Vec<Hash> = applications.rows.iter().map(|row| row.id).collect();
        assert_eq!(met, [Hash([2; 32])], "never itself");
    }

    #[test]
    fn kind_29_a_long_list_is_cut_and_says_so() {
        let crowd: Vec<(MemberId, Traits)> = (1..=60).map(|n| (member(n), traits([0, 0, 0, 1]))).collect();
        let Found::Pending { members, .. } =
            judge(&application(1, Route::Website, [0, 0, 0, 1]), &crowd, &[])
        else {
            panic!("no document was given")
        };
        assert_eq!((members.rows.len(), members.beyond), (LISTED_MAX, 10));
    }

    #[test]
    fn rule_k08_four_outcomes() {
        let alike = |n: u8| BTreeSet::from([if n == 1 { Key::Mobile } else { Key::Name }]);
        let members = Listed { rows: vec![Alike { id: member(1), by: alike(1) }], beyond: 0 };
        let rows = (2..4).map(|n| Alike { id: Hash([n; 32]), by: alike(n) }).collect();
        let applications = Listed { rows, beyond: 0 };
        let own = Hash([9; 32]);
        let choose = |who: Option<u8>, others: &[u8], contact_given: bool| {
            let choice = Choice {
                member: who.map(member),
                applications: others.iter().map(|n| Hash([*n; 32])).collect(),
                contact_given,
            };
            decide(own, &members, &applications, &choice)
        };
        let outcome = |who: Option<u8>, leave: &[u8]| {
            Ok(Outcome { member: who.map(member), leave: leave.iter().map(|n| Hash([*n; 32])).collect() })
        };
        assert_eq!(
            choose(Some(1), &[2, 3], false),
            outcome(Some(1), &[2, 3, 9]),
            "(a) the member has priority"
        );
        assert_eq!(choose(Some(1), &[], false), outcome(Some(1), &[9]), "(b)");
        assert_eq!(choose(None, &[2], true), outcome(None, &[2, 9]), "(c)");
        assert_eq!(choose(None, &[2], false), Err(ChoiceError::ContactMissing), "(c) needs the contact data");
        assert_eq!(choose(None, &[], false), outcome(None, &[9]), "(d) a new member");
        assert_eq!(choose(Some(5), &[], false), Err(ChoiceError::MemberNotListed { member: member(5) }));
        let gone = ChoiceError::ApplicationNotListed { application: Hash([7; 32]) };
        assert_eq!(choose(None, &[7], true), Err(gone));
    }

    proptest! {
        #[test]
        fn rule_k05_what_an_application_is_follows_the_sets_it_is_compared_with(
            rows in proptest::collection::vec(proptest::array::uniform4(0..4_u8), 0..10),
            others in proptest::collection::vec(proptest::array::uniform4(0..4_u8), 1..6),
            keys in proptest::collection::vec(any::<u32>(), 10),
        ) {
            let members: Vec<(MemberId, Traits)> =
                rows.iter().zip(1..).map(|(row, n)| (member(n), traits(*row))).collect();
            let pending: Vec<Application> =
                others.iter().zip(1..).map(|(row, n)| application(n, Route::Website, *row)).collect();
            let found: Vec<Found> = pending.iter().map(|one| judge(one, &members, &pending)).collect();
            let turned = (shuffled(&members, &keys), shuffled(&pending, &keys));
            for (one, found) in pending.iter().zip(&found) {
                prop_assert_eq!(&judge(one, &turned.0, &turned.1), found);
            }
            // Each of two pending applications sees the other, or neither does.
            let sees = |at: usize, other: Hash| match &found[at] {
                Found::Pending { applications, .. } => {
                    Some(applications.rows.iter().any(|row| row.id == other))
                }
                _ => None,
            };
            for one in 0..pending.len() {
                for other in 0..pending.len() {
                    if let (Some(there), Some(back)) = (sees(one, pending[other].id), sees(other, pending[one].id)) {
                        prop_assert_eq!(there, back);
                    }
                }
            }
        }
    }
}
