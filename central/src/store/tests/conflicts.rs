//! The kinds of conflict that one swipe can meet, each from its detection to what the admin and the terminals get.

mod twice;

use hufu_shared::act::{Act, CardSet, CaseDecided, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{Attended, DayClosed, DayTotals, Earned, Event, Reversed, Shown, Spent, Way};
use hufu_shared::ids::{FactId, Hash};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Day, Instant, SECOND_US};

use super::kit::{
    ARRIVAL, NOON, OFFICE_A, OFFICE_B, SALON, SALON_POINTS, TERMINAL_A, TERMINAL_B, Terminal, act, card,
    count, entry, found, member, points, probe, standing, subject, third_terminal, token,
};
use crate::db::testing::each;
use crate::rules::apply::unknown_card_case;
use crate::rules::entry::{EntryBody, TakenFork, TakenLoss};
use crate::rules::posting::case_id;
use crate::store::cases;

pub(super) fn decided(case: Hash, verdict: Verdict, pins: Vec<Pin>) -> Act {
    Act::CaseDecided(CaseDecided { case, verdict, pins, reason: Hash([0; 32]) })
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s02_a_purchase_gives_points_and_the_books_balance() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let id = terminal.purchase(0, 1, 32_000, 6);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 6);
        assert_eq!(standing(&db, id).await, ("applied".to_owned(), None));
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0, "inv 1");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_02_two_taps_within_the_window_are_kept_and_have_one_effect() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let first = terminal.purchase(0, 1, 10_000, 2);
        let repeat = terminal.purchase(30, 1, 10_000, 2);
        let later = terminal.purchase(120, 1, 10_000, 2);
        let other = terminal.purchase(125, 1, 20_000, 4);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 2 + 2 + 4);
        assert_eq!(standing(&db, repeat).await, ("merged".to_owned(), Some(2)));
        for id in [first, later, other] {
            assert_eq!(standing(&db, id).await, ("applied".to_owned(), None));
        }
        assert_eq!(count(&db, "facts", vec![]).await, 5, "all are kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_02_a_repeat_that_the_terminal_names_is_believed_only_if_it_is_one() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let first = terminal.check_in(0, 1);
        let repeats = |seq| {
            let attended = Attended {
                subject: subject(1),
                occurrence: SALON,
                promised: vec![],
                repeats: Some(seq),
                gate: None,
                way: Way::In,
                companions: None,
            };
            Event::Attended(attended)
        };
        let true_repeat = terminal.record(4000, Shown::AlreadyIn, repeats(first.seq));
        let invented = terminal.record(4100, Shown::AlreadyIn, repeats(1));
        terminal.upload(&db).await;
        assert_eq!(standing(&db, true_repeat).await, ("merged".to_owned(), Some(2)));
        // Seq 1 is the boot, no check-in: the fact stands on its own and the earlier one admits.
        assert_eq!(standing(&db, invented).await.0, "merged");
        assert_eq!(points(&db, 1).await, SALON_POINTS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_an_unknown_card_is_held_and_applied_when_it_is_registered() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let visit = terminal.check_in(0, 9);
        let bought = terminal.purchase(10, 9, 10_000, 2);
        let outcome = terminal.upload(&db).await;
        let told: Vec<_> = outcome.facts.iter().filter_map(|fact| fact.told.clone()).collect();
        assert_eq!(told.len(), 2, "the receipt says that both are held");
        for id in [visit, bought] {
            assert_eq!(standing(&db, id).await, ("held".to_owned(), Some(13)));
        }
        assert_eq!(count(&db, "cases_of_kind", vec![13.into()]).await, 1, "one case per card");
        assert_eq!(count(&db, "postings", vec![]).await, 0);

        act(&db, 50, NOON, Act::CardsSet(vec![card(9, Some(member(2)))])).await;
        assert_eq!(points(&db, 2).await, SALON_POINTS + 2);
        for id in [visit, bought] {
            assert_eq!(standing(&db, id).await, ("applied".to_owned(), None));
        }
        assert_eq!(probe(&db, "case_state", vec![13.into()]).await[0].text(0).expect("text"), "closed");
        assert_eq!(probe(&db, "notices", vec![TERMINAL_A.0.into()]).await.len(), 2, "the terminal is told");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_a_discarded_card_has_no_effect_and_stays_listed() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let bought = terminal.purchase(10, 9, 10_000, 2);
        terminal.upload(&db).await;
        act(&db, 50, NOON, decided(unknown_card_case(token(9)), Verdict::Discard, vec![])).await;
        assert_eq!(standing(&db, bought).await, ("no_effect".to_owned(), Some(13)));
        assert_eq!(count(&db, "postings", vec![]).await, 0);
        let case = &probe(&db, "case_state", vec![13.into()]).await[0];
        assert_eq!((case.text(0).expect("text"), case.text(1).expect("text")), ("decided", "discard"));
    })
    .await;
}

/// Whatever comes after the verdict, the facts that it discarded end alike: in another order of arrival it comes before.
#[tokio::test(flavor = "multi_thread")]
async fn kind_13_inv_19_neither_a_return_nor_the_card_brings_back_what_was_discarded() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let bought = terminal.purchase(10, 9, 10_000, 2);
        terminal.upload(&db).await;
        act(&db, 50, NOON, decided(unknown_card_case(token(9)), Verdict::Discard, vec![])).await;
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(2) }];
        let back = Reversed { original: bought, legs, reason: "goods".to_owned(), slip: None };
        terminal.record(20, Shown::Accepted, Event::Reversed(back));
        terminal.upload(&db).await;
        assert_eq!(standing(&db, bought).await, ("no_effect".to_owned(), Some(13)), "a return");
        act(&db, 51, NOON, Act::CardsSet(vec![card(9, Some(member(2)))])).await;
        assert_eq!(standing(&db, bought).await, ("no_effect".to_owned(), Some(13)), "the card");
        // With the card known, a return goes through everything that the purchase has a part in.
        let legs = vec![Leg { unit: Unit::Pts, amount: Amount(1) }];
        let again = Reversed { original: bought, legs, reason: "goods".to_owned(), slip: None };
        terminal.record(30, Shown::Accepted, Event::Reversed(again));
        terminal.upload(&db).await;
        assert_eq!(
            standing(&db, bought).await,
            ("no_effect".to_owned(), Some(13)),
            "a return after the card"
        );
        assert_eq!((points(&db, 2).await, count(&db, "postings", vec![]).await), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_19_a_wrong_clock_is_one_case_per_boot_and_the_effect_stands() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let future = terminal.purchase(40 * 3600, 1, 10_000, 2);
        terminal.purchase(40 * 3600 + 100, 2, 10_000, 2);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, future).await, ("applied_with_case".to_owned(), Some(19)));
        assert_eq!(count(&db, "cases_of_kind", vec![19.into()]).await, 1);
        assert_eq!(count(&db, "case_evidence", vec![19.into()]).await, 2);
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (2, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_20_facts_that_the_device_lost_stop_it_and_are_a_case() {
    each(|db| async move {
        found(&db).await;
        let loss = TakenLoss { device: TERMINAL_A, epoch: 1, from_seq: 1, to_seq: 9 };
        entry(&db, hufu_shared::ids::EntryId([77; 16]), NOON, EntryBody::Lost(loss)).await;
        assert_eq!(count(&db, "cases_of_kind", vec![20.into()]).await, 1);
        let status = probe(&db, "device_status", vec![TERMINAL_A.0.into()]).await;
        assert_eq!(status[0].text(0).expect("text"), "lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_21_two_histories_freeze_the_device_and_are_a_case() {
    each(|db| async move {
        found(&db).await;
        let fork = TakenFork {
            device: TERMINAL_A,
            epoch: 1,
            seq: 3,
            stored: Hash([1; 32]),
            shown: Hash([2; 32]),
            facts: 4,
        };
        entry(&db, hufu_shared::ids::EntryId([78; 16]), NOON, EntryBody::Fork(fork)).await;
        assert_eq!(count(&db, "cases_of_kind", vec![21.into()]).await, 1);
        let status = probe(&db, "device_status", vec![TERMINAL_A.0.into()]).await;
        assert_eq!(status[0].text(0).expect("text"), "forked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_28_a_check_in_outside_the_plan_is_kept_without_points() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let late = terminal.check_in(9 * 3600, 1);
        terminal.upload(&db).await;
        // Received eight hours after noon, so the time is held before the end; a planned occurrence never takes any.
        let mut planned = super::kit::occurrence();
        planned.state = hufu_shared::member::OccurrenceState::Planned;
        act(&db, 61, NOON.offset(9 * 3600 * SECOND_US), Act::OccurrenceSet(planned)).await;
        let refused = terminal.check_in(9 * 3600 + 600, 2);
        terminal.upload(&db).await;
        assert_ne!(standing(&db, late).await.0, "held");
        assert_eq!(standing(&db, refused).await, ("no_effect".to_owned(), Some(28)));
        assert_eq!(points(&db, 2).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_a_day_that_agrees_is_silent_and_one_that_differs_is_a_case() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 32_000, 6);
        a.check_in(10, 2);
        let agreed = a.close_day(20);
        a.upload(&db).await;
        assert_eq!(standing(&db, agreed).await, ("applied".to_owned(), None));

        let mut b = Terminal::start(TERMINAL_B);
        b.purchase(0, 1, 10_000, 2);
        b.close_day(20);
        let Some(fact) = b.queue.last_mut() else { panic!("closed") };
        let Event::DayClosed(closed) = &mut fact.event else { panic!("closed") };
        closed.totals.earned += 1;
        b.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![30.into()]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_25_a_fact_of_a_newer_version_is_kept_and_passed() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 1, 10_000, 2);
        let last = terminal.purchase(100, 2, 10_000, 2);
        let mut batch = terminal.batch();
        // A map with the must-understand number 64 in place of the first purchase.
        batch.bodies[1] = vec![0xa1, 0x18, 0x40, 0x00].into();
        entry(&db, hufu_shared::ids::EntryId([79; 16]), ARRIVAL, EntryBody::Batch(batch)).await;
        let set_aside = FactId { device: TERMINAL_A, epoch: 1, seq: 2 };
        assert_eq!(standing(&db, set_aside).await, ("quarantined".to_owned(), Some(25)));
        assert_eq!(standing(&db, last).await, ("applied".to_owned(), None));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_02_a_repeat_opens_no_window_of_its_own() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let first = terminal.purchase(0, 1, 32_000, 6);
        let repeat = |seq| {
            Event::Earned(Earned {
                subject: subject(1),
                purchase: Amount(32_000),
                promised: vec![],
                slip: None,
                replaces: None,
                repeats: Some(seq),
                paid: None,
            })
        };
        let second = terminal.record(50, Shown::AlreadyIn, repeat(first.seq));
        // 100 s after the first, 50 s after its repeat: the terminal showed green.
        let third = terminal.purchase(100, 1, 32_000, 6);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, second).await, ("merged".to_owned(), Some(2)));
        assert_eq!(standing(&db, third).await, ("applied".to_owned(), None));
        // The same when the repeat came with an earlier batch.
        let fourth = terminal.record(140, Shown::AlreadyIn, repeat(third.seq));
        terminal.upload(&db).await;
        let fifth = terminal.purchase(170, 1, 32_000, 6);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, fourth).await.0, "merged");
        assert_eq!(standing(&db, fifth).await, ("applied".to_owned(), None));
        assert_eq!(points(&db, 1).await, 18);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_a_card_that_is_unknown_again_opens_its_case_again() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 9, 32_000, 6);
        terminal.upload(&db).await;
        act(&db, 60, NOON, Act::CardsSet(vec![card(9, Some(member(1)))])).await;
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        act(&db, 61, NOON, Act::CardsSet(vec![card(9, None)])).await;
        // After the card had been taken back: before that it was its first owner's.
        let again = terminal.purchase(8 * 3600 + 120, 9, 32_000, 6);
        terminal.upload(&db).await;
        assert_eq!(standing(&db, again).await, ("held".to_owned(), Some(13)));
        assert_eq!(count(&db, "open_cases", vec![]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn value_that_waits_for_its_right_is_not_set_free_by_a_card() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        let spent = Spent {
            subject: subject(1),
            legs: vec![Leg { unit: Unit::Pts, amount: Amount(500) }],
            funding: vec![],
            slip: None,
            item: None,
            paid_out: None,
        };
        let id = terminal.record(0, Shown::Redeemed, Event::Spent(spent));
        terminal.upload(&db).await;
        let changed = CardSet { tail: "9999".to_owned(), ..card(1, Some(member(1))) };
        act(&db, 60, NOON, Act::CardsSet(vec![changed])).await;
        assert_eq!(standing(&db, id).await, ("held".to_owned(), Some(8)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_closings_in_one_batch_are_judged_like_closings_in_two() {
    each(|db| async move {
        found(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 1, 32_000, 6);
        terminal.upload(&db).await;
        terminal.close_day(100);
        terminal.close_day(200);
        terminal.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![30.into()]).await, 0);
        // One that covers itself and all that may ever come is a case, and reads nothing.
        let impossible = DayClosed {
            day: Day(20_779),
            from_seq: 1,
            to_seq: u64::MAX,
            totals: DayTotals::default(),
            unattended: false,
            counted: None,
        };
        terminal.record(300, Shown::Nothing, Event::DayClosed(impossible));
        terminal.upload(&db).await;
        assert_eq!(count(&db, "cases_of_kind", vec![30.into()]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_19_a_check_in_keeps_its_clock_fault_whatever_comes_after() {
    for together in [true, false] {
        each(move |db| async move {
            found(&db).await;
            let mut terminal = Terminal::start(TERMINAL_A);
            let first = terminal.check_in(0, 1);
            terminal.queue.last_mut().expect("recorded").wall = Instant(0);
            if !together {
                terminal.upload(&db).await;
            }
            terminal.check_in(4000, 1);
            terminal.queue.last_mut().expect("recorded").wall = Instant(0);
            terminal.upload(&db).await;
            assert_eq!(standing(&db, first).await, ("applied_with_case".to_owned(), Some(19)));
            assert_eq!(
                probe(&db, "notices", vec![TERMINAL_A.0.into()]).await.len(),
                0,
                "nothing new to tell"
            );
        })
        .await;
    }
}
