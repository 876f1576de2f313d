//! Goods on shelves: what comes in, moves, is drawn by terminals and counted, on both databases; each story is replayed
//! from its journal at the end.

use hufu_shared::act::{
    Act, CardIssue, CardSet, ExplainedLine, Pin, PinOutcome, StockClass, StockCounted, StockEnd,
    StockExplained, StockItem, StockMoved, Verdict, blank_cards,
};
use hufu_shared::fact::{CardReplaced, Counted, DayClosed, Event, HandedOut, Shown, Subject};
use hufu_shared::ids::{CardId, EntryId, FactId, Hash, ItemId, OfficeId};
use hufu_shared::time::{Day, Instant, SECOND_US};
use hufu_shared::token::MediumKind;

use super::clocks::late;
use super::conflicts::decided;
use super::kit::*;
use crate::db::testing::each;
use crate::db::{Db, Tx};
use crate::rules::entry::EntryBody;
use crate::store::verify::verify;
use crate::store::{StoreError, journal, people, stock};

const GIFT: ItemId = ItemId([7; 16]);
const SHELF_A: StockEnd = StockEnd::Shelf(OFFICE_A);
const SHELF_B: StockEnd = StockEnd::Shelf(OFFICE_B);
const BEGUN: Instant = Instant(NOON.0 - 12 * 3600 * SECOND_US);

fn moved(name: u8, from: StockEnd, to: StockEnd, pieces: u32) -> Act {
    let (id, reason) = (Hash([name; 32]), Hash([0; 32]));
    Act::StockMoved(StockMoved { id, item: GIFT, from, to, pieces, reason })
}

fn counted(name: u8, office: OfficeId, pieces: u32) -> Act {
    let (id, reason) = (Hash([name; 32]), Hash([0; 32]));
    Act::StockCounted(StockCounted { id, item: GIFT, office, pieces, reason })
}

fn hand_out(terminal: &mut Terminal, seconds: i64, n: u8, quantity: u32) -> FactId {
    let handed = HandedOut { subject: subject(n), occurrence: SALON, item: GIFT, quantity };
    terminal.record(seconds, Shown::Accepted, Event::HandedOut(handed))
}

/// Pieces on a shelf, and those that counts found more than the books had.
async fn shelf(db: &Db, item: ItemId, office: OfficeId) -> (i64, i64) {
    let known = db.read(move |tx| stock::shelf(tx, item, office)).await.expect("readable");
    known.map_or((-1, 0), |known| (known.on_shelf(), known.difference))
}

/// What each account of an item comes to, summed from the lines by the tests' own statement.
async fn accounts(db: &Db, item: ItemId) -> Vec<(String, i64)> {
    let rows = probe(db, "stock_accounts", vec![item.0.into()]).await;
    rows.iter().map(|row| (row.text(0).expect("text").to_owned(), row.int(1).expect("a number"))).collect()
}

/// Publishes what is new and holds the database against the replay of its journal.
pub async fn replays(db: &Db) {
    while db.write(journal::publish).await.expect("publish") > 0 {}
    assert_eq!(verify(db).await.expect("readable").findings, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_h05_goods_come_in_move_spoil_and_are_handed_out_and_no_shelf_goes_below_zero() {
    each(|db| async move {
        found(&db).await;
        let acts = [
            moved(1, StockEnd::Supplier, SHELF_A, 10),
            moved(2, SHELF_A, SHELF_B, 4),
            moved(3, SHELF_A, StockEnd::Spoiled, 1),
            // Sent again, beyond what is there, from nowhere to nowhere, nothing at all: none of it is booked.
            moved(3, SHELF_A, StockEnd::Spoiled, 1),
            moved(4, SHELF_A, SHELF_B, 6),
            moved(5, StockEnd::Supplier, StockEnd::Spoiled, 1),
            moved(6, SHELF_A, SHELF_A, 1),
            moved(7, StockEnd::Supplier, SHELF_A, 0),
        ];
        for (n, what) in (60..).zip(acts) {
            act(&db, n, BEGUN.offset(i64::from(n) * SECOND_US), what).await;
        }
        let mut a = Terminal::start(TERMINAL_A);
        hand_out(&mut a, 0, 1, 2);
        hand_out(&mut a, 60, 2, 1);
        a.upload(&db).await;
        assert_eq!((shelf(&db, GIFT, OFFICE_A).await.0, shelf(&db, GIFT, OFFICE_B).await.0), (2, 4));
        // Every line takes from one account what it brings to another.
        let name = |what: &str, office: OfficeId| format!("{what}/{office}");
        let mut expected = vec![
            (name("issued", OFFICE_A), 3),
            (name("shelf", OFFICE_A), 2),
            (name("shelf", OFFICE_B), 4),
            (name("spoiled", OFFICE_A), 1),
            ("supplier".to_owned(), -10),
        ];
        expected.sort();
        let mut met = accounts(&db, GIFT).await;
        met.sort();
        assert_eq!(met, expected);
        // What the shelf does not cover is backordered and not drawn, until it comes in.
        let short = hand_out(&mut a, 120, 3, 5);
        a.upload(&db).await;
        assert_eq!(standing(&db, short).await, ("applied_with_case".to_owned(), Some(16)));
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 0);
        act(&db, 90, late(10), moved(8, StockEnd::Supplier, SHELF_A, 5)).await;
        assert_eq!(standing(&db, short).await, ("applied".to_owned(), None));
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 2);
        // A hand-out that a person takes out comes back to the shelf.
        let case = Pin { fact: short, outcome: PinOutcome::DoesNotCount };
        let of = crate::rules::posting::case_id(16, &[&crate::rules::posting::fact_cause(short).0]);
        act(&db, 91, late(20), decided(of, Verdict::Reverse, vec![case])).await;
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 7);
        // The newest lines are the last of all, turned round.
        let read = |tx: &mut Tx<'_>| -> Result<(Vec<u64>, Vec<u64>), StoreError> {
            let all = stock::lines(tx, (GIFT, OFFICE_A), (Instant(i64::MIN), 0), 100)?;
            let newest = stock::newest_lines(tx, (GIFT, OFFICE_A), 3)?;
            let names = |lines: Vec<stock::LineView>| lines.iter().map(|line| line.n).collect();
            Ok((names(all), names(newest)))
        };
        let (all, newest) = db.read(read).await.expect("readable");
        assert!(all.len() > 3, "{all:?}");
        assert_eq!(newest, all.iter().rev().take(3).copied().collect::<Vec<_>>());
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_16_a_count_is_what_lies_there_whatever_arrives_late() {
    let mut ends = Vec::new();
    for late_one in [false, true] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        act(&db, 60, BEGUN, moved(1, StockEnd::Supplier, SHELF_A, 5)).await;
        let mut a = Terminal::start(TERMINAL_A);
        hand_out(&mut a, -1_800, 1, 2);
        let mut b = Terminal::start(TERMINAL_A);
        let upload = |terminal: Terminal, n: u8, at: Instant| {
            let (db, mut terminal) = (db.clone(), terminal);
            async move {
                let body = EntryBody::Batch(terminal.batch_at(at));
                entry(&db, EntryId([n; 16]), at, body).await;
            }
        };
        b.queue.clone_from(&a.queue);
        (b.seq, b.head) = (a.seq, a.head);
        let at_noon = NOON.offset(600 * SECOND_US);
        if !late_one {
            upload(b.clone(), 70, NOON.offset(60 * SECOND_US)).await;
        }
        // One is missing: two of five were handed out, and two lie there.
        act(&db, 61, at_noon, counted(2, OFFICE_A, 2)).await;
        if late_one {
            assert_eq!(shelf(&db, GIFT, OFFICE_A).await, (2, -3), "as far as anybody knows");
            upload(b, 70, NOON.offset(1_200 * SECOND_US)).await;
        }
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await, (2, -1));
        act(&db, 62, NOON.offset(1_800 * SECOND_US), counted(2, OFFICE_A, 9)).await;
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await, (2, -1), "the same count twice counts once");
        ends.push(accounts(&db, GIFT).await);
        replays(&db).await;
    }
    assert_eq!(ends[0], ends[1], "whichever came first");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k16_h05_blank_cards_are_drawn_by_issue_at_the_centre_and_by_terminals() {
    each(|db| async move {
        found(&db).await;
        let blank = blank_cards("main");
        let item = StockItem {
            item: blank,
            class: StockClass::BlankCard,
            code: "main".to_owned(),
            words: words("主卡", "main card"),
            retired: false,
        };
        act(&db, 59, BEGUN, Act::StockItemsSet(vec![item])).await;
        let (id, reason) = (Hash([1; 32]), Hash([0; 32]));
        let came = StockMoved { id, item: blank, from: StockEnd::Supplier, to: SHELF_A, pieces: 2, reason };
        act(&db, 60, BEGUN.offset(SECOND_US), Act::StockMoved(came)).await;
        // Member 1 leaves the old card behind; a terminal gives the next: one blank card less.
        let mut a = Terminal::start(TERMINAL_A);
        let old = Subject { member: Some(member(1)), ..subject(1) };
        let replaced = CardReplaced { subject: old, card: token(77), medium: MediumKind::Uid };
        a.record(0, Shown::Accepted, Event::CardReplaced(replaced));
        a.upload(&db).await;
        assert_eq!(shelf(&db, blank, OFFICE_A).await.0, 1);
        let exchange = |old: u8, new: u8| {
            let card = CardSet { kind: "main".to_owned(), ..card(new, Some(member(old))) };
            let new = CardIssue { card, under: None, office: Some(OFFICE_A), medium: false };
            let exchanged =
                hufu_shared::act::CardExchanged { old: CardId([old; 16]), new, reason: Hash([0; 32]) };
            Act::CardExchanged(Box::new(exchanged))
        };
        act(&db, 61, late(10), exchange(2, 52)).await;
        assert_eq!(shelf(&db, blank, OFFICE_A).await.0, 0);
        // The books have none: who has one in their hand counts first.
        act(&db, 62, late(20), exchange(3, 53)).await;
        let holder = db.read(|tx| people::card_by_token(tx, token(53))).await.expect("readable");
        assert_eq!(holder, None);
        let found_one = StockCounted { id: Hash([9; 32]), item: blank, office: OFFICE_A, pieces: 1, reason };
        act(&db, 63, late(30), Act::StockCounted(found_one)).await;
        act(&db, 64, late(40), exchange(3, 53)).await;
        let holder = db.read(|tx| people::card_by_token(tx, token(53))).await.expect("readable");
        assert_eq!(holder.and_then(|card| card.member), Some(member(3)));
        assert_eq!(shelf(&db, blank, OFFICE_A).await, (0, 1));
        // A terminal that gave a card of which the books know nothing: it stands, and somebody must look.
        let old = Subject { member: Some(member(4)), ..subject(4) };
        let replaced = CardReplaced { subject: old, card: token(78), medium: MediumKind::Uid };
        let given = a.record(30_000, Shown::Accepted, Event::CardReplaced(replaced));
        let body = EntryBody::Batch(a.batch_at(late(9_000)));
        entry(&db, EntryId([80; 16]), late(9_000), body).await;
        assert_eq!(standing(&db, given).await, ("applied".to_owned(), None));
        assert_eq!(count(&db, "cases_of_kind", vec![16.into()]).await, 1);
        assert_eq!(shelf(&db, blank, OFFICE_A).await.0, 0);
        replays(&db).await;
    })
    .await;
}

/// Closes the day with a count.
fn close(terminal: &mut Terminal, seconds: i64, gifts: (u32, u32), cards: (u32, u32)) -> FactId {
    let totals = hufu_shared::rules::totals::of(&terminal.queue).expect("small numbers");
    let counted = Counted {
        gifts: gifts.0,
        gifts_expected: Some(gifts.1),
        blank_cards: cards.0,
        blank_cards_expected: Some(cards.1),
        reason: Some("damaged".to_owned()),
        ..Counted::default()
    };
    let closed = DayClosed {
        day: Day(20_779),
        from_seq: 1,
        to_seq: terminal.seq,
        totals,
        unattended: false,
        counted: Some(counted),
    };
    terminal.record(seconds, Shown::Nothing, Event::DayClosed(closed))
}

fn explained(fact: FactId, lines: &[(ItemId, i64, StockEnd)]) -> Act {
    let line = |(item, pieces, end): &(ItemId, i64, StockEnd)| ExplainedLine {
        item: *item,
        pieces: *pieces,
        end: *end,
    };
    Act::StockExplained(StockExplained {
        fact,
        class: StockClass::Gift,
        lines: lines.iter().map(line).collect(),
        reason: Hash([5; 32]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_what_a_close_of_day_found_on_the_shelf_waits_until_a_person_explains_it() {
    each(|db| async move {
        found(&db).await;
        act(&db, 60, BEGUN, moved(1, StockEnd::Supplier, SHELF_A, 10)).await;
        let mut a = Terminal::start(TERMINAL_A);
        hand_out(&mut a, 0, 1, 2);
        let closing = close(&mut a, 600, (6, 8), (11, 11));
        a.upload(&db).await;
        let open = |state: &'static str| {
            let db = db.clone();
            async move {
                let found = db.read(move |tx| stock::findings(tx, state, (Day(0), 0), 10)).await;
                let found = found.expect("readable");
                found.iter().map(|line| (line.class, line.counted, line.expected)).collect::<Vec<_>>()
            }
        };
        assert_eq!(open("open").await, [(StockClass::Gift, 6, 8)], "the blank cards were as expected");
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 8, "nobody said where the two are");
        // Half an explanation is none; nor is one that takes what is not there.
        let spoiled = StockEnd::Spoiled;
        act(&db, 61, late(10), explained(closing, &[(GIFT, -1, spoiled)])).await;
        act(&db, 62, late(20), explained(closing, &[(ItemId([8; 16]), -2, spoiled)])).await;
        assert_eq!(open("open").await.len(), 1);
        act(&db, 63, late(30), explained(closing, &[(GIFT, -2, spoiled)])).await;
        assert_eq!((open("open").await.len(), open("explained").await.len()), (0, 1));
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 6);
        // Explained once.
        act(&db, 64, late(40), explained(closing, &[(GIFT, -2, spoiled)])).await;
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 6);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_30_a_close_of_day_that_was_miscounted_is_explained_without_moving_anything() {
    each(|db| async move {
        found(&db).await;
        act(&db, 60, BEGUN, moved(1, StockEnd::Supplier, SHELF_A, 10)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let closing = close(&mut a, 600, (11, 10), (3, 5));
        a.upload(&db).await;
        let open = db.read(|tx| stock::findings(tx, "open", (Day(0), 0), 10)).await.expect("readable");
        assert_eq!(open.len(), 2);
        act(&db, 61, late(10), explained(closing, &[])).await;
        let open = db.read(|tx| stock::findings(tx, "open", (Day(0), 0), 10)).await.expect("readable");
        assert_eq!(open.iter().map(|line| line.class).collect::<Vec<_>>(), [StockClass::BlankCard]);
        assert_eq!(shelf(&db, GIFT, OFFICE_A).await.0, 10);
        replays(&db).await;
    })
    .await;
}
