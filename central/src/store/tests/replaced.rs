//! Cards that terminals gave to members in place of others.

use hufu_shared::act::{Act, CardSet, CardStatusSet};
use hufu_shared::fact::{CardReplaced, Event, Shown, Subject, Visited};
use hufu_shared::ids::{CardId, EntryId, FactId, Hash, MemberId};
use hufu_shared::member::CardStatus;
use hufu_shared::time::SECOND_US;
use hufu_shared::token::MediumKind;

use super::kit::{
    NOON, SALON_POINTS, TERMINAL_A, TERMINAL_B, Terminal, act, card, count, found, member, points, probe,
    standing, subject, third_terminal, token,
};
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::unknown_card_case;
use crate::rules::entry::EntryBody;
use crate::store::{journal, people};

/// Gives the member of card `old` the card `new`.
pub(super) fn replace(terminal: &mut Terminal, seconds: i64, old: u8, new: u8) -> FactId {
    let old = Subject { member: Some(member(old)), medium: MediumKind::Typed, ..subject(old) };
    let replaced = CardReplaced { subject: old, card: token(new), medium: MediumKind::Uid };
    terminal.record(seconds, Shown::Accepted, Event::CardReplaced(replaced))
}

pub(super) async fn known(db: &Db, n: u8) -> Option<(Option<MemberId>, CardStatus, String)> {
    let card = db.read(move |tx| people::card_by_token(tx, token(n))).await.expect("readable")?;
    Some((card.member, card.status, card.kind))
}

pub(super) async fn holder(db: &Db, n: u8) -> Option<MemberId> {
    known(db, n).await.and_then(|(member, ..)| member)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_the_old_card_dies_and_what_the_member_has_stays_with_the_member() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(-900, 1, 32_000, 6);
        let lost = Event::CardReportedLost(Visited { subject: subject(1) });
        a.record(-60, Shown::Accepted, lost);
        let replaced = replace(&mut a, 0, 1, 77);
        // The new card works at once where it was given, before the centre has heard of it.
        let first = a.purchase(60, 77, 32_000, 6);
        a.upload(&db).await;
        let kind = known(&db, 1).await.expect("the old card").2;
        assert_eq!(known(&db, 1).await.map(|met| met.1), Some(CardStatus::Void));
        assert_eq!(known(&db, 77).await, Some((Some(member(1)), CardStatus::Active, kind)));
        for id in [replaced, first] {
            assert_eq!(standing(&db, id).await, ("applied".to_owned(), None));
        }
        assert_eq!(points(&db, 1).await, 12, "before and after, on one account");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_a_card_of_the_stock_keeps_what_is_known_of_it_and_is_theirs_from_that_moment() {
    each(|db| async move {
        found(&db).await;
        let stock = CardSet { kind: "VIP卡".to_owned(), ..card(77, None) };
        act(&db, 60, NOON.offset(-7_200 * SECOND_US), Act::CardsSet(vec![stock])).await;
        let mut a = Terminal::start(TERMINAL_A);
        replace(&mut a, 0, 1, 77);
        let used = a.purchase(60, 77, 32_000, 6);
        a.upload(&db).await;
        assert_eq!(known(&db, 77).await, Some((Some(member(1)), CardStatus::Active, "VIP卡".to_owned())));
        assert_eq!((standing(&db, used).await.0.as_str(), points(&db, 1).await), ("applied", 6));
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_what_was_held_for_the_new_card_takes_effect_once_it_is_known_whose_it_is() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        replace(&mut a, 0, 1, 77);
        let used = b.purchase(600, 77, 32_000, 6);
        b.upload(&db).await;
        assert_eq!(standing(&db, used).await, ("held".to_owned(), Some(13)));
        a.upload(&db).await;
        assert_eq!((standing(&db, used).await.0.as_str(), points(&db, 1).await), ("applied", 6));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_a_card_whose_old_one_is_unknown_waits_until_that_is_registered() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let replaced = replace(&mut a, 0, 99, 77);
        a.upload(&db).await;
        assert_eq!(
            (standing(&db, replaced).await, known(&db, 77).await),
            (("held".to_owned(), Some(13)), None)
        );
        act(&db, 60, NOON.offset(60 * SECOND_US), Act::CardsSet(vec![card(99, Some(member(2)))])).await;
        assert_eq!(
            (holder(&db, 77).await, known(&db, 99).await.map(|met| met.1)),
            (Some(member(2)), Some(CardStatus::Void))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_one_card_given_to_two_members_is_whose_it_was_first_in_either_order() {
    let mut forms = Vec::new();
    for swap in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let second = replace(&mut a, 300, 1, 77);
        let bought = a.purchase(360, 77, 32_000, 6);
        let first = replace(&mut b, 0, 2, 77);
        for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
            terminal.upload(&db).await;
        }
        assert_eq!(holder(&db, 77).await, Some(member(2)), "{swap}");
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None), "{swap}");
        assert_eq!(standing(&db, second).await, ("applied_with_case".to_owned(), Some(14)), "{swap}");
        assert_eq!(standing(&db, bought).await.0, "applied", "{swap}");
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 6), "{swap}");
        for old in [1, 2] {
            assert_eq!(known(&db, old).await.map(|met| met.1), Some(CardStatus::Void), "both are gone");
        }
        forms.push(super::order::normal_form(&db).await);
    }
    assert_eq!(forms[0], forms[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_card_that_a_person_gave_to_somebody_stays_with_them() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let replaced = replace(&mut a, 0, 1, 77);
        act(&db, 60, NOON.offset(60 * SECOND_US), Act::CardsSet(vec![card(77, Some(member(3)))])).await;
        a.upload(&db).await;
        assert_eq!(holder(&db, 77).await, Some(member(3)));
        assert_eq!(standing(&db, replaced).await, ("applied_with_case".to_owned(), Some(14)));
        assert_eq!(count(&db, "open_cases", vec![]).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_a_card_that_went_to_somebody_else_since_is_not_ended_by_an_old_replacement() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        replace(&mut a, 0, 1, 77);
        act(&db, 60, NOON.offset(60 * SECOND_US), Act::CardsSet(vec![card(1, Some(member(3)))])).await;
        let outcome = a.upload(&db).await;
        assert_eq!(known(&db, 1).await.map(|met| met.1), Some(CardStatus::Active));
        assert_eq!(outcome.card_statuses, [(CardId([1; 16]), CardStatus::Active)], "the list says so");
        assert_eq!(holder(&db, 77).await, Some(member(1)), "whose the old one was then");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_a_report_and_a_replacement_of_one_card_end_alike_in_either_order() {
    let mut ends = Vec::new();
    for swap in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.record(-60, Shown::Accepted, Event::CardReportedLost(Visited { subject: subject(1) }));
        replace(&mut b, 0, 1, 77);
        for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
            terminal.upload(&db).await;
        }
        let found_again =
            CardStatusSet { card: CardId([2; 16]), status: CardStatus::Active, reason: Hash([0; 32]) };
        act(&db, 90, NOON.offset(86_400 * SECOND_US), Act::CardStatusSet(found_again)).await;
        ends.push((super::order::normal_form(&db).await, known(&db, 1).await, known(&db, 77).await));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].1.as_ref().map(|met| met.1), Some(CardStatus::Void));
}

/// A batch each of three terminals that report and replace the same few cards and use the new ones, taken in an order.
async fn mixed(seed: u64, order: [usize; 3]) -> (Vec<Vec<String>>, Vec<String>) {
    let db = Db::memory().expect("memory");
    found(&db).await;
    let third = third_terminal(&db).await;
    let mut terminals = [TERMINAL_A, TERMINAL_B, third].map(Terminal::start);
    let mut state = seed;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for step in 0..18 {
        let terminal = &mut terminals[usize::try_from(draw(3)).expect("small")];
        let old = 1 + u8::try_from(draw(3)).expect("small");
        let new = 77 + u8::try_from(draw(2)).expect("small");
        let at = step * 40;
        match draw(5) {
            0 => {
                let lost = Event::CardReportedLost(Visited { subject: subject(old) });
                terminal.record(at, Shown::Accepted, lost);
            }
            1 | 2 => drop(replace(terminal, at, old, new)),
            3 => drop(terminal.purchase(at, new, 32_000, 6)),
            _ => drop(terminal.purchase(at, old, 32_000, 6)),
        }
    }
    let batches: Vec<_> = (0_u8..)
        .zip(&mut terminals)
        .map(|(n, terminal)| {
            let received = NOON.offset((3_600 + 600 * i64::from(n)) * SECOND_US);
            (EntryId([110 + n; 16]), received, terminal.batch_at(received))
        })
        .collect();
    for at in order {
        let (id, received, batch) = batches[at].clone();
        let body = EntryBody::Batch(batch);
        let taken = db.write(move |tx| journal::take(tx, id, received, body.clone())).await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    let mut cards = Vec::new();
    for n in [1, 2, 3, 77, 78] {
        cards.push(format!("{n}: {:?}", known(&db, n).await));
    }
    (super::order::normal_form(&db).await, cards)
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_cards_that_are_replaced_at_several_terminals_end_alike_in_every_order_of_arrival() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for seed in 1..=24 {
        let expected = mixed(seed, orders[0]).await;
        for order in &orders[1..] {
            let met = mixed(seed, *order).await;
            assert_eq!(met.1, expected.1, "seed {seed}, {order:?}");
            for (one, other) in met.0.iter().zip(&expected.0) {
                assert_eq!(one, other, "seed {seed}, {order:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_a_gift_releases_is_no_evidence_of_an_unknown_card_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            // Whoever gets a card that was nobody's has what was done with it before.
            b.purchase(-600, 77, 10_000, 2);
            b.upload(&db).await;
            replace(&mut a, 0, 1, 77);
            let theirs = b.purchase(600, 77, 32_000, 6);
            for terminal in if swap { [&mut a, &mut b] } else { [&mut b, &mut a] } {
                terminal.upload(&db).await;
            }
            assert_eq!((standing(&db, theirs).await.0.as_str(), points(&db, 1).await), ("applied", 8));
            let case = unknown_card_case(token(77));
            assert_eq!(count(&db, "facts_of_case", vec![case.0.into()]).await, 0, "swapped {swap}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_inv_19_who_had_a_card_by_the_later_gift_has_no_attendance_in_either_order() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let mut c = Terminal::start(third_terminal(&db).await);
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            // The second tap is one with the first, and goes with it.
            let seen = [c.check_in(-600, 77), c.check_in(-590, 77)];
            c.upload(&db).await;
            replace(&mut a, 300, 1, 77);
            replace(&mut b, 0, 2, 77);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            assert_eq!(standing(&db, seen[0]).await, ("applied".to_owned(), None), "swapped {swap}");
            assert_eq!(standing(&db, seen[1]).await, ("merged".to_owned(), Some(2)), "swapped {swap}");
            assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, SALON_POINTS), "swapped {swap}");
            let admitted = probe(&db, "admitted", vec![]).await;
            let members: Vec<_> = admitted.iter().map(|row| row.array(0).expect("a member")).collect();
            assert_eq!(members, [member(2).0], "swapped {swap}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_inv_19_a_check_in_of_ones_own_counts_also_after_that_of_a_card_that_went_to_another() {
    for swap in [false, true] {
        each(move |db| async move {
            found(&db).await;
            let mut c = Terminal::start(third_terminal(&db).await);
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            c.check_in(-600, 77);
            c.upload(&db).await;
            replace(&mut a, 300, 1, 77);
            replace(&mut b, 0, 2, 77);
            for terminal in if swap { [&mut b, &mut a] } else { [&mut a, &mut b] } {
                terminal.upload(&db).await;
            }
            let own = c.check_in(60, 1);
            c.upload(&db).await;
            assert_eq!(standing(&db, own).await.0, "applied", "swapped {swap}");
            assert_eq!(points(&db, 1).await, SALON_POINTS, "swapped {swap}");
            assert_eq!(points(&db, 2).await, SALON_POINTS, "swapped {swap}");
        })
        .await;
    }
}
