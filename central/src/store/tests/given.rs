//! Whose a card is that terminals gave, once a clock is known better or a person said what counts.

use hufu_shared::act::{Act, Pin, PinOutcome, Verdict};
use hufu_shared::ids::{EntryId, FactId, Hash};
use hufu_shared::time::SECOND_US;

use super::clocks::{heard, late};
use super::conflicts::decided;
use super::kit::*;
use super::replaced::{holder, replace};
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::each;

fn pins(facts: &[FactId], counts: bool) -> Vec<Pin> {
    let outcome = if counts { PinOutcome::Counts } else { PinOutcome::DoesNotCount };
    facts.iter().map(|fact| Pin { fact: *fact, outcome }).collect()
}

/// The only open case.
async fn case(db: &Db) -> Hash {
    let found = probe(db, "cases", vec![]).await;
    Hash(found[0].array(0).expect("an id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_gift_that_turns_out_to_be_the_later_one_gives_the_card_to_the_other_member() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.heard = false;
        replace(&mut a, 300, 1, 77);
        let first = replace(&mut b, 0, 2, 77);
        let used = b.purchase(360, 77, 32_000, 6);
        a.upload(&db).await;
        b.upload(&db).await;
        assert_eq!(holder(&db, 77).await, Some(member(1)), "as far as anybody can say it was first");
        entry(&db, EntryId([70; 16]), late(10), heard(TERMINAL_A, late(10))).await;
        assert_eq!(holder(&db, 77).await, Some(member(2)), "its clock was known better later");
        assert_eq!(standing(&db, first).await, ("applied".to_owned(), None));
        assert_eq!(standing(&db, used).await, ("applied".to_owned(), None));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 6));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_a_gift_that_a_person_takes_out_leaves_the_card_to_the_other_or_to_nobody() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let second = replace(&mut a, 300, 1, 77);
        let bought = a.purchase(360, 77, 32_000, 6);
        let attended = a.check_in(400, 77);
        let first = replace(&mut b, 0, 2, 77);
        a.upload(&db).await;
        b.upload(&db).await;
        let case = case(&db).await;
        assert_eq!((holder(&db, 77).await, points(&db, 2).await), (Some(member(2)), 6 + SALON_POINTS));
        let decide = |facts: &[FactId], counts| decided(case, Verdict::Reverse, pins(facts, counts));
        act(&db, 60, late(60), decide(&[first], false)).await;
        assert_eq!(holder(&db, 77).await, Some(member(1)), "the only gift that is left");
        assert_eq!(standing(&db, first).await, ("no_effect".to_owned(), None));
        assert_eq!(standing(&db, second).await, ("applied".to_owned(), None));
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (6 + SALON_POINTS, 0));
        act(&db, 61, late(70), decide(&[second], false)).await;
        assert_eq!(holder(&db, 77).await, None, "nobody gave it to anybody");
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 0));
        for id in [bought, attended] {
            assert_eq!(standing(&db, id).await, ("held".to_owned(), Some(13)), "as of a card never seen");
        }
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        act(&db, 62, late(80), decide(&[first], true)).await;
        assert_eq!(holder(&db, 77).await, Some(member(2)), "a person thought better of it");
        assert_eq!(
            (standing(&db, first).await.0.as_str(), points(&db, 2).await),
            ("applied", 6 + SALON_POINTS)
        );
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_14_what_an_act_said_of_a_card_stands_whatever_becomes_of_the_gifts() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        replace(&mut a, 0, 1, 77);
        a.upload(&db).await;
        assert_eq!(holder(&db, 77).await, Some(member(1)));
        // An act says the same again: from now on it is not the gift alone.
        act(&db, 60, late(60), Act::CardsSet(vec![card(77, Some(member(1)))])).await;
        let mut b = Terminal::start(TERMINAL_B);
        replace(&mut b, -600, 2, 77);
        b.upload(&db).await;
        assert_eq!(holder(&db, 77).await, Some(member(1)), "though another gave it earlier");
        // Put back into stock: what had arrived by then gives it to nobody any more, what comes later does.
        act(&db, 61, late(120), Act::CardsSet(vec![card(77, None)])).await;
        entry(&db, EntryId([71; 16]), late(130), heard(TERMINAL_A, late(130))).await;
        assert_eq!(holder(&db, 77).await, None);
        let mut c = Terminal::start(third_terminal(&db).await);
        replace(&mut c, 900, 3, 77);
        let batch = c.batch_at(ARRIVAL.offset(300 * SECOND_US));
        let body = crate::rules::entry::EntryBody::Batch(batch);
        entry(&db, EntryId([72; 16]), ARRIVAL.offset(300 * SECOND_US), body).await;
        assert_eq!(holder(&db, 77).await, Some(member(3)));
        replays(&db).await;
    })
    .await;
}
