//! What ends by time: held facts after their deadline, and days that are settled.

use hufu_shared::act::Act;
use hufu_shared::ids::EntryId;
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use crate::db::Db;
use crate::db::testing::each;
use crate::store::{acts, cases};

async fn end_overdue(db: &Db, n: u8, now: Instant) -> usize {
    db.write(move |tx| cases::end_overdue(tx, EntryId([n; 16]), now)).await.expect("cases end")
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_facts_of_a_card_that_nobody_registers_end_without_effect_after_thirty_days() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = a.purchase(0, 9, 32_000, 6);
        a.upload(&db).await;
        assert_eq!(end_overdue(&db, 60, NOON.offset(30 * DAY_US)).await, 0, "held since it arrived");
        assert_eq!(standing(&db, bought).await, ("held".to_owned(), Some(13)));
        assert_eq!(end_overdue(&db, 61, NOON.offset(31 * DAY_US)).await, 1);
        assert_eq!(standing(&db, bought).await, ("no_effect".to_owned(), Some(13)));
        assert_eq!(end_overdue(&db, 62, NOON.offset(32 * DAY_US)).await, 0, "once");
        act(&db, 63, NOON.offset(33 * DAY_US), Act::CardsSet(vec![card(9, Some(member(2)))])).await;
        assert_eq!(points(&db, 2).await, 0, "too late to be bound");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_a_day_that_was_settled_are_taken_and_listed() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        a.purchase(0, 1, 32_000, 6);
        a.upload(&db).await;
        let settle = |n: u8, days: i64| {
            let now = NOON.offset(days * DAY_US);
            db.write(move |tx| acts::settle_day(tx, EntryId([n; 16]), now))
        };
        let day = settle(60, 40).await.expect("settles").expect("due");
        assert_eq!(day.plus(-20_779).0, 0, "the day of noon, forty days after");
        assert_eq!(settle(61, 40).await.expect("looks"), None, "done");
        b.purchase(60, 2, 10_000, 2);
        b.upload(&db).await;
        assert_eq!(points(&db, 2).await, 2);
        assert_eq!(
            count(&db, "case_evidence", vec![41.into()]).await,
            2,
            "the start of the terminal and the purchase"
        );
    })
    .await;
}
