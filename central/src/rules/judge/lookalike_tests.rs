//! Applicants beside members and beside one another.

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
    let met = |route: Route, rows: [u8; 4]| {
        judge(&JoiningTerms::default(), &application(1, route, rows), &members, &pending)
    };
    assert_eq!(met(Route::SalesOffice, [7, 0, 0, 0]), Found::Associate(member(1)));
    assert_eq!(met(Route::ServiceCentre, [7, 0, 0, 0]), Found::AlreadyMember(member(1)));
    assert_eq!(met(Route::Website, [7, 0, 0, 0]), Found::AlreadyMember(member(1)));
    let nothing = Found::Pending {
        members: Listed { rows: vec![], beyond: 0 },
        applications: Listed { rows: vec![], beyond: 0 },
    };
    assert_eq!(met(Route::Website, [6, 0, 0, 0]), nothing, "the same document on a pending one is no match");
    assert_eq!(met(Route::Website, [0, 0, 0, 0]), nothing, "no document is no match");
    let Found::Pending { members, .. } = met(Route::SalesOffice, [8, 0, 0, 0]) else { panic!("two match") };
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
    let Found::Pending { members, applications } =
        judge(&JoiningTerms::default(), &pending[0], &members, &pending)
    else {
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
        judge(&JoiningTerms::default(), &application(1, Route::Website, [0, 0, 0, 1]), &crowd, &[])
    else {
        panic!("no document was given")
    };
    assert_eq!((members.rows.len(), members.beyond), (LISTED_MAX, 10));
}

#[test]
fn rule_x13_the_clubs_ordered_keys_decide_one_after_the_other() {
    let members = [
        (member(1), traits([7, 0, 0, 1])),
        (member(2), traits([0, 3, 0, 2])),
        (member(3), traits([8, 4, 0, 3])),
        (member(4), traits([8, 0, 0, 4])),
    ];
    let terms = JoiningTerms { decides_by: vec![Key::Document, Key::Mobile], ..JoiningTerms::default() };
    let met = |terms: &JoiningTerms, rows: [u8; 4]| {
        judge(terms, &application(9, Route::Website, rows), &members, &[])
    };
    let is = |n: u8| Found::AlreadyMember(member(n));
    assert_eq!(met(&terms, [7, 3, 0, 0]), is(1), "the first key goes first");
    assert_eq!(met(&terms, [0, 3, 0, 0]), is(2), "then the second");
    assert_eq!(met(&terms, [9, 3, 0, 0]), is(2), "a document that nobody has says nothing");
    let doubt = met(&terms, [8, 3, 0, 0]);
    assert_eq!(doubt.situation(), Situation::Doubtful, "two have the document: the weaker key hides nothing");
    let Found::Pending { members: listed, .. } = doubt else { panic!("a person decides") };
    let ids: Vec<MemberId> = listed.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, [member(3), member(4), member(2)], "in the order of the keys");
    let plain = met(&JoiningTerms::default(), [0, 3, 0, 0]);
    assert_eq!(plain.situation(), Situation::Doubtful, "by K6 a mobile decides nothing");
    let none = JoiningTerms { decides_by: vec![], ..terms };
    assert_eq!(met(&none, [7, 0, 0, 0]).situation(), Situation::First, "a key that is not used at all");
    let by_name = JoiningTerms { decides_by: vec![], listed_by: vec![Key::Name], ..none };
    let Found::Pending { members: listed, .. } = met(&by_name, [7, 3, 0, 4]) else {
        panic!("no key decides")
    };
    assert_eq!(listed.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [member(4)]);
}

#[test]
fn rule_k05_the_three_situations_are_told_apart_by_the_system() {
    let members = [(member(1), traits([7, 1, 0, 1]))];
    let pending = [application(2, Route::SalesOffice, [0, 2, 0, 2])];
    let met = |rows: [u8; 4]| {
        let terms = JoiningTerms::default();
        judge(&terms, &application(9, Route::Website, rows), &members, &pending).situation()
    };
    assert_eq!(met([7, 0, 0, 0]), Situation::AlreadyMember);
    assert_eq!(met([0, 2, 0, 0]), Situation::Doubtful, "applies again by another route");
    assert_eq!(met([0, 0, 0, 1]), Situation::Doubtful, "may be a member");
    assert_eq!(met([9, 9, 9, 9]), Situation::First);
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
    assert_eq!(choose(Some(1), &[2, 3], false), outcome(Some(1), &[2, 3, 9]), "(a) the member has priority");
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
        let terms = JoiningTerms::default();
        let members: Vec<(MemberId, Traits)> =
            rows.iter().zip(1..).map(|(row, n)| (member(n), traits(*row))).collect();
        let pending: Vec<Application> =
            others.iter().zip(1..).map(|(row, n)| application(n, Route::Website, *row)).collect();
        let found: Vec<Found> = pending.iter().map(|one| judge(&terms, one, &members, &pending)).collect();
        let turned = (shuffled(&members, &keys), shuffled(&pending, &keys));
        for (one, found) in pending.iter().zip(&found) {
            prop_assert_eq!(&judge(&terms, one, &turned.0, &turned.1), found);
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
