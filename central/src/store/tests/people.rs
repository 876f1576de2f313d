//! Who is who: merging, taking apart, erasing, requests and applications, on both databases.

use hufu_shared::act::{Act, LookAlikesFound, MemberErased, MembersMerged, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{Event, Form, ProfileChange, Shown, Visited};
use hufu_shared::ids::{FactId, Hash, MemberId};
use hufu_shared::time::SECOND_US;
use hufu_shared::wire::version::Version;

use super::conflicts::decided;
use super::kit::*;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::{look_alike_case, orphan_case};
use crate::rules::posting::case_id;

const EVENING: i64 = 9 * 3600;

fn merged(survivor: u8, merged: u8) -> MembersMerged {
    MembersMerged { survivor: member(survivor), merged: member(merged), reason: Hash([0; 32]) }
}

async fn later(db: &Db, n: u8, what: Act) {
    act(db, n, NOON.offset((EVENING + i64::from(n)) * SECOND_US), what).await;
}

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

/// Members 1 and 2 at the same occurrence, each with a purchase.
async fn two(db: &Db) -> (Terminal, Terminal, FactId, FactId) {
    found(db).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let one = a.check_in(0, 1);
    a.purchase(60, 1, 32_000, 6);
    let other = b.check_in(1200, 2);
    b.purchase(1260, 2, 20_000, 4);
    a.upload(db).await;
    b.upload(db).await;
    (a, b, one, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_a_merge_moves_what_is_there_and_gives_a_right_to_be_used_once_only_once() {
    each(|db| async move {
        let (mut a, _, one, other) = two(&db).await;
        later(&db, 60, Act::MembersMerged(merged(1, 2))).await;
        assert_eq!(points(&db, 1).await, SALON_POINTS + 6 + 4, "points of the occurrence once");
        assert_eq!((points(&db, 2).await, owed(&db, 2).await), (0, 0));
        assert_eq!(standing(&db, one).await, ("applied_with_case".to_owned(), Some(27)));
        assert_eq!(standing(&db, other).await, ("no_effect".to_owned(), Some(27)));
        a.purchase(1300, 2, 10_000, 2);
        a.upload(&db).await;
        assert_eq!(
            points(&db, 1).await,
            SALON_POINTS + 12,
            "a card of the merged member earns for the survivor"
        );
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        assert_eq!(count(&db, "wrong_side_of_zero", vec![]).await, 0);
        assert_eq!(count(&db, "cases_of_kind", vec![24.into()]).await, 0, "nobody owed anything");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_taking_a_merge_apart_gives_each_what_their_own_facts_gave() {
    each(|db| async move {
        let (mut a, _, one, other) = two(&db).await;
        later(&db, 60, Act::MembersMerged(merged(1, 2))).await;
        a.purchase(1300, 2, 10_000, 2);
        a.upload(&db).await;
        later(&db, 61, Act::MembersUnmerged(merged(1, 2))).await;
        assert_eq!(points(&db, 1).await, SALON_POINTS + 6);
        assert_eq!(points(&db, 2).await, SALON_POINTS + 4 + 2, "what came while they were one as well");
        for id in [one, other] {
            assert_eq!(standing(&db, id).await, plain());
        }
        later(&db, 62, Act::MembersMerged(merged(2, 1))).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, SALON_POINTS + 12), "and the other way");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        assert_eq!((owed(&db, 1).await, owed(&db, 2).await), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_a_merge_that_cannot_be_changes_nothing() {
    each(|db| async move {
        two(&db).await;
        later(&db, 60, Act::MembersMerged(merged(1, 2))).await;
        let postings = count(&db, "postings", vec![]).await;
        for (n, wrong) in [(61, merged(1, 2)), (62, merged(2, 3)), (63, merged(3, 2)), (64, merged(4, 4))] {
            later(&db, n, Act::MembersMerged(wrong)).await;
        }
        later(&db, 65, Act::MembersUnmerged(merged(1, 3))).await;
        assert_eq!(count(&db, "postings", vec![]).await, postings);
        later(&db, 66, Act::MembersMerged(merged(3, 1))).await;
        assert_eq!(points(&db, 3).await, SALON_POINTS + 10, "a survivor can be merged on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_pair_that_was_merged_is_judged_the_same_whoever_uploads_first() {
    let mut forms = Vec::new();
    for swapped in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        later(&db, 60, Act::MembersMerged(merged(1, 2))).await;
        a.check_in(0, 1);
        b.check_in(600, 2);
        b.purchase(700, 2, 20_000, 4);
        if swapped {
            b.upload(&db).await;
            a.upload(&db).await;
        } else {
            a.upload(&db).await;
            b.upload(&db).await;
        }
        let merged_form = super::order::normal_form(&db).await;
        later(&db, 61, Act::MembersUnmerged(merged(1, 2))).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (SALON_POINTS, SALON_POINTS + 4));
        forms.push((merged_form, super::order::normal_form(&db).await));
    }
    assert_eq!(forms[0], forms[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_12_what_an_erased_member_had_goes_to_the_sink_and_later_facts_give_nothing() {
    each(|db| async move {
        let (mut a, ..) = two(&db).await;
        let erased = MemberErased { member: member(1), reason: Hash([0; 32]) };
        later(&db, 60, Act::MemberErased(erased)).await;
        assert_eq!(points(&db, 1).await, 0);
        assert_eq!(count(&db, "points", vec!["sink/erased".into()]).await, SALON_POINTS + 6);
        let late = a.purchase(1300, 1, 10_000, 2);
        let other = a.purchase(1400, 2, 10_000, 2);
        let lost = Event::CardReportedLost(Visited { subject: subject(1) });
        let report = a.record(1500, Shown::Accepted, lost);
        a.upload(&db).await;
        for orphan in [late, report] {
            assert_eq!(standing(&db, orphan).await, ("no_effect".to_owned(), Some(12)));
        }
        let card = probe(&db, "card_status", vec![card(1, None).card.0.into()]).await;
        assert_eq!(card[0].text(0).expect("text"), "lost", "its terminal refuses it, and so do all");
        assert_eq!(standing(&db, other).await, plain());
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, SALON_POINTS + 6));
        assert_eq!(count(&db, "case_evidence", vec![12.into()]).await, 2);
        // Who looks at the list cannot make it count either.
        let pins = vec![Pin { fact: late, outcome: PinOutcome::Counts }];
        later(&db, 61, decided(orphan_case(member(1)), Verdict::Acknowledge, pins)).await;
        assert_eq!((points(&db, 1).await, count(&db, "sums_not_zero", vec![]).await), (0, 0));
    })
    .await;
}

fn wants(terminal: &mut Terminal, seconds: i64, field: &str, base: u64) -> FactId {
    let form = Form {
        commitment: Hash([9; 32]),
        subject: Some(subject(1)),
        route: "counter".to_owned(),
        consent: None,
    };
    let fields = vec![(field.to_owned(), Version { epoch: 1, n: base })];
    let event = Event::ProfileChangeRequested(ProfileChange { form, fields });
    terminal.record(seconds, Shown::Accepted, event)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_15_two_requests_for_one_field_wait_for_a_person_and_one_is_chosen() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let one = wants(&mut a, 0, "mobile", 1);
        let alone = wants(&mut a, 60, "address", 1);
        let other = wants(&mut b, 1200, "mobile", 2);
        a.upload(&db).await;
        assert_eq!(standing(&db, one).await, plain());
        b.upload(&db).await;
        for id in [one, other] {
            assert_eq!(standing(&db, id).await, ("held".to_owned(), Some(15)));
        }
        assert_eq!(standing(&db, alone).await, plain());
        let case = case_id(15, &[&member(1).0, b"mobile"]);
        let pin = |fact, outcome| Pin { fact, outcome };
        let pins = vec![pin(one, PinOutcome::DoesNotCount), pin(other, PinOutcome::Counts)];
        later(&db, 60, decided(case, Verdict::Confirm, pins)).await;
        assert_eq!(standing(&db, one).await, ("no_effect".to_owned(), Some(15)));
        assert_eq!(standing(&db, other).await, plain());
    })
    .await;
}

fn found_alike(application: FactId, members: &[MemberId], applications: &[FactId]) -> LookAlikesFound {
    let (members, applications) = (members.to_vec(), applications.to_vec());
    LookAlikesFound { application, members, applications, same_document: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_29_an_application_that_looks_like_somebody_waits_for_a_person() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let form =
            Form { commitment: Hash([9; 32]), subject: None, route: "website".to_owned(), consent: None };
        let apply = |form: &Form| Event::ApplicationTaken(form.clone());
        let first = a.record(0, Shown::Accepted, apply(&form));
        let second = a.record(60, Shown::Accepted, apply(&form));
        a.upload(&db).await;
        let none = found_alike(first, &[], &[]);
        later(&db, 60, Act::LookAlikesFound(none)).await;
        assert_eq!(standing(&db, first).await, plain(), "nobody looks like it");
        let found = found_alike(second, &[member(3)], &[first]);
        later(&db, 61, Act::LookAlikesFound(found)).await;
        assert_eq!(standing(&db, second).await, ("held".to_owned(), Some(29)));
        assert_eq!(standing(&db, first).await, plain(), "listed with it, decided by itself");
        assert_eq!(count(&db, "case_evidence", vec![29.into()]).await, 2);
        let pins = vec![Pin { fact: second, outcome: PinOutcome::DoesNotCount }];
        later(&db, 62, decided(look_alike_case(second), Verdict::Merge, pins)).await;
        assert_eq!(standing(&db, second).await, ("no_effect".to_owned(), Some(29)));
    })
    .await;
}
