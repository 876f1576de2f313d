//! Notices of the centre: told once, and never what the display already said.

use super::*;

#[test]
fn kind_27_a_notice_is_told_once_however_often_it_comes_and_until_it_is_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![attended(1, &at(1))]);
    let disposition =
        Disposition { seq: 2, became: Became::AppliedWithCase, kind: Some(27), case: Some(Hash([5; 32])) };
    let mut with_case = receipt(2, NOON);
    with_case.dispositions =
        vec![disposition.clone(), Disposition { seq: 2, became: Became::Merged, kind: Some(2), case: None }];
    for _ in 0..2 {
        store.with(|journal| journal.take_receipt(&with_case)).expect("taken");
    }
    let notice =
        Notice { n: 1, epoch: 1, disposition, other_office: Some("B".to_owned()), other_at: Some(NOON) };
    for _ in 0..2 {
        store.with(|journal| journal.take_notices(std::slice::from_ref(&notice))).expect("taken");
    }
    let open = store.with(|journal| journal.open_notices()).expect("read");
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].other_office.as_deref(), open[0].disposition.kind), (Some("B"), Some(27)));
    assert!(open[0].fact.as_ref().is_some_and(|fact| fact.seq == 2));
    assert!(store.with(|journal| journal.acknowledge(open[0].id)).expect("noted"));
    assert!(!store.with(|journal| journal.acknowledge(open[0].id)).expect("noted"));
    assert!(store.with(|journal| journal.open_notices()).expect("read").is_empty());
    assert_eq!(store.with(|journal| journal.state()).expect("state").notices_n, 1);
}

#[test]
fn kind_13_what_the_display_already_said_is_no_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let mut unknown = visited(9, &at(1));
    unknown.shown = hufu_shared::fact::Shown::UnknownCard;
    append(&store, vec![unknown, visited(1, &at(2))]);
    let held = |seq| Disposition { seq, became: Became::Held, kind: Some(13), case: None };
    let mut receipt = receipt(3, NOON);
    receipt.dispositions = vec![held(2), held(3)];
    store.with(|journal| journal.take_receipt(&receipt)).expect("taken");
    let open = store.with(|journal| journal.open_notices()).expect("read");
    assert_eq!(
        open.iter().map(|notice| notice.disposition.seq).collect::<Vec<_>>(),
        [3],
        "green, and yet held"
    );
}

#[test]
fn notices_of_an_earlier_enrolment_are_passed_over_but_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let disposition = Disposition { seq: 1, became: Became::Held, kind: None, case: None };
    let notice = Notice { n: 4, epoch: 9, disposition, other_office: None, other_at: None };
    store.with(|journal| journal.take_notices(&[notice])).expect("taken");
    assert!(store.with(|journal| journal.open_notices()).expect("read").is_empty());
    assert_eq!(store.with(|journal| journal.state()).expect("state").notices_n, 4);
}
