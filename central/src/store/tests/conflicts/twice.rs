//! Check-ins of one member at several terminals (kind 27): which admits, and what verdicts make of it.

use super::*;

/// One member checked in at A at noon and at B ten minutes later.
fn both() -> (Terminal, FactId, Terminal, FactId) {
    let mut a = Terminal::start(TERMINAL_A);
    let at_a = a.check_in(0, 1);
    let mut b = Terminal::start(TERMINAL_B);
    let at_b = b.check_in(600, 1);
    (a, at_a, b, at_b)
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_the_earliest_admits_whichever_terminal_uploads_first_and_both_are_told() {
    for b_first in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, at_a, mut b, at_b) = both();
            if b_first {
                b.upload(&db).await;
                a.upload(&db).await;
            } else {
                a.upload(&db).await;
                b.upload(&db).await;
            }
            assert_eq!(standing(&db, at_a).await, ("applied_with_case".to_owned(), Some(27)));
            assert_eq!(standing(&db, at_b).await, ("no_effect".to_owned(), Some(27)));
            assert_eq!(points(&db, 1).await, SALON_POINTS, "points once");
            let attendance = &probe(&db, "attendance", vec![member(1).0.into()]).await[0];
            assert_eq!(attendance.array::<16>(0).expect("office"), OFFICE_A.0);
            assert_eq!(
                attendance.array::<16>(2).expect("issuer"),
                OFFICE_A.0,
                "the office that admits gives"
            );
            assert_eq!(count(&db, "cases_of_kind", vec![27.into()]).await, 1);
            assert_eq!(count(&db, "case_evidence", vec![27.into()]).await, 2, "both sides");
            // Whoever uploaded first had its receipt already: it is told by notice, with the other office.
            let (early, other) = if b_first { (TERMINAL_B, "A") } else { (TERMINAL_A, "B") };
            let notices = probe(&db, "notices", vec![early.0.into()]).await;
            assert_eq!(notices.len(), 1, "told once");
            assert_eq!(notices[0].text(3).expect("other office"), other);
            assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_a_verdict_may_let_the_other_one_count_and_the_member_keeps_the_points() {
    each(|db| async move {
        found(&db).await;
        let third = third_terminal(&db).await;
        let (mut a, at_a, mut b, at_b) = both();
        a.upload(&db).await;
        b.upload(&db).await;
        let case = case_id(27, &[&member(1).0, &SALON.0]);
        let pin = Pin { fact: at_b, outcome: PinOutcome::Counts };
        act(&db, 60, NOON.offset(9 * 3600 * SECOND_US), decided(case, Verdict::Confirm, vec![pin])).await;
        assert_eq!(standing(&db, at_b).await, ("applied_with_case".to_owned(), Some(27)));
        assert_eq!(standing(&db, at_a).await, ("no_effect".to_owned(), Some(27)));
        assert_eq!(points(&db, 1).await, SALON_POINTS);
        let attendance = &probe(&db, "attendance", vec![member(1).0.into()]).await[0];
        assert_eq!(attendance.array::<16>(2).expect("issuer"), OFFICE_B.0, "now office B gives");
        let state = &probe(&db, "case_state", vec![27.into()]).await[0];
        assert_eq!(state.text(0).expect("text"), "decided");

        // A check-in at a third terminal changes the evidence: the pin holds, the case comes back.
        let mut c = Terminal::start(third);
        c.check_in(1300, 1);
        c.upload(&db).await;
        assert_eq!(standing(&db, at_b).await.0, "applied_with_case", "the pin stays");
        let state = &probe(&db, "case_state", vec![27.into()]).await[0];
        assert_eq!(state.text(0).expect("text"), "evidence_changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_two_verdicts_that_admit_a_member_twice_do_not_hold_together() {
    each(|db| async move {
        found(&db).await;
        let (mut a, at_a, mut b, at_b) = both();
        a.upload(&db).await;
        b.upload(&db).await;
        let case = case_id(27, &[&member(1).0, &SALON.0]);
        let counts = |fact| vec![Pin { fact, outcome: PinOutcome::Counts }];
        for (n, fact, holds) in [(60, at_a, true), (61, at_b, false)] {
            let pins = counts(fact);
            act(&db, n, NOON.offset(9 * 3600 * SECOND_US), decided(case, Verdict::Confirm, pins.clone()))
                .await;
            let met = db.read(move |tx| cases::pins_hold(tx, &pins)).await.expect("asked");
            assert_eq!(met, holds, "{fact:?}");
        }
        let out = Pin { fact: at_a, outcome: PinOutcome::DoesNotCount };
        let pins = [vec![out], counts(at_b)].concat();
        act(&db, 62, NOON.offset(10 * 3600 * SECOND_US), decided(case, Verdict::Merge, pins.clone())).await;
        assert!(
            db.read(move |tx| cases::pins_hold(tx, &pins)).await.expect("asked"),
            "the first was decided anew"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_27_pinning_all_out_takes_the_points_back() {
    each(|db| async move {
        found(&db).await;
        let (mut a, at_a, mut b, at_b) = both();
        a.upload(&db).await;
        b.upload(&db).await;
        let case = case_id(27, &[&member(1).0, &SALON.0]);
        let pins = [at_a, at_b].map(|fact| Pin { fact, outcome: PinOutcome::DoesNotCount }).to_vec();
        act(&db, 60, NOON.offset(9 * 3600 * SECOND_US), decided(case, Verdict::Reverse, pins)).await;
        assert_eq!(points(&db, 1).await, 0);
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}
