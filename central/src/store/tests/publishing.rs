//! The publisher: one at a time, whatever the clocks say, and numbers that nobody can skip.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::kit::{ARRIVAL, NOON, TERMINAL_A, Terminal, act, card, entry, found, member};
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Row, SqlFile, Value};
use crate::rules::entry::{EntryBody, journal_link, journal_start};
use crate::store::publisher::{self, State, TERM_US, Term};
use crate::store::verify::verify;
use crate::store::{StoreError, directory, journal};
use hufu_shared::act::Act;
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::member::CardStatus;
use hufu_shared::time::{Instant, MINUTE_US, SECOND_US};

static PROBE: SqlFile = SqlFile::new("publishing", include_str!("publishing.sql"));

async fn probe(db: &Db, name: &'static str) -> Vec<Row> {
    db.read(move |tx| tx.query(PROBE.get(name), &[])).await.expect("probe")
}

pub(super) async fn stand(db: &Db, holder: &'static str, now: Instant) -> Option<Term> {
    db.write(move |tx| publisher::stand(tx, holder, now)).await.expect("stand")
}

async fn publish(db: &Db, term: &Term, now: Instant) -> Option<usize> {
    let term = term.clone();
    db.write(move |tx| publisher::publish(tx, &term, now)).await.expect("publish")
}

/// Publishes all that waits.
pub(super) async fn drain(db: &Db, term: &Term, now: Instant) {
    while publish(db, term, now).await.expect("the term is held") > 0 {}
}

async fn state(db: &Db) -> State {
    db.read(publisher::state).await.expect("state")
}

/// Everything that publishing writes.
async fn published_rows(db: &Db) -> Vec<String> {
    let mut rows = Vec::new();
    for name in ["places", "changes"] {
        rows.extend(probe(db, name).await.iter().map(|row| format!("{row:?}")));
    }
    rows
}

async fn lose_card(db: &Db, n: u8, card: u8, status: CardStatus) {
    act(
        db,
        n,
        NOON,
        Act::CardStatusSet(hufu_shared::act::CardStatusSet {
            card: hufu_shared::ids::CardId([card; 16]),
            status,
            reason: Hash([0; 32]),
        }),
    )
    .await;
}

/// Numbers without a gap in the order of receipt, and the chain over the entries reckoned here once more.
async fn assert_chain(db: &Db) {
    let places = probe(db, "places").await;
    let entries = probe(db, "entries").await[0].uint(0).expect("a number");
    assert_eq!(places.len() as u64, entries, "every entry has one place");
    let (mut head, mut last) = (journal_start(), i64::MIN);
    for (expected, row) in (1..).zip(&places) {
        assert_eq!(row.uint(0).expect("n"), expected, "dense");
        let received = row.int(3).expect("received");
        assert!(received > last, "in the order of receipt");
        last = received;
        let id = EntryId(row.array(1).expect("id"));
        head = journal_link(head, id, Instant(received), row.blob(4).expect("body"));
        assert_eq!(Hash(row.array(2).expect("hash")), head, "entry {expected} is linked");
    }
    assert_eq!(db.read(journal::published).await.expect("published"), (entries, head));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_of_the_publisher_prepares_on_both_engines() {
    static FILES: &[&SqlFile] = &[&publisher::SQL, &directory::SQL, &PROBE];
    prepare_all(FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_publisher_at_a_time_and_the_next_after_its_time() {
    each(|db| async move {
        found(&db).await;
        let a = stand(&db, "a", NOON).await.expect("nobody holds it");
        assert_eq!(stand(&db, "b", NOON.offset(TERM_US - 1)).await, None, "the time of a runs");
        drain(&db, &a, NOON.offset(SECOND_US)).await;
        assert_eq!(state(&db).await.n, probe(&db, "entries").await[0].uint(0).expect("a number"));
        assert_eq!(
            stand(&db, "b", NOON.offset(TERM_US)).await,
            None,
            "publishing at one second had lengthened the term of a"
        );

        // The process of a is dead. Its time ends, and the numbers go on where they were.
        lose_card(&db, 60, 1, CardStatus::Lost).await;
        let later = NOON.offset(SECOND_US + TERM_US);
        let b = stand(&db, "b", later).await.expect("the time of a is over");
        drain(&db, &b, later).await;
        assert_chain(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_slept_past_its_time_writes_nothing() {
    each(|db| async move {
        found(&db).await;
        let a = stand(&db, "a", NOON).await.expect("nobody holds it");
        assert!(publish(&db, &a, NOON).await.is_some_and(|count| count > 0));
        drain(&db, &a, NOON).await;
        lose_card(&db, 60, 1, CardStatus::Lost).await;
        let before = published_rows(&db).await;

        // Nobody took its place: still it must stand again first.
        let late = NOON.offset(TERM_US + 1);
        assert_eq!(publish(&db, &a, late).await, None);
        assert_eq!(published_rows(&db).await, before);

        // Somebody took its place: it writes nothing even if its own clock stood still.
        let b = stand(&db, "b", late).await.expect("the time of a is over");
        assert_eq!(publish(&db, &a, NOON.offset(1)).await, None);
        assert_eq!(publish(&db, &a, late).await, None);
        assert_eq!(published_rows(&db).await, before);
        assert!(state(&db).await.is_waiting);
        assert_eq!(publish(&db, &b, late).await, Some(1));

        // An old term of one's own is over as well.
        let much_later = late.offset(2 * TERM_US);
        let again = stand(&db, "a", much_later).await.expect("the time of b is over");
        lose_card(&db, 61, 2, CardStatus::Lost).await;
        assert_eq!(publish(&db, &a, much_later).await, None);
        assert_eq!(publish(&db, &again, much_later).await, Some(1));
        assert_chain(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_given_back_is_free_at_once_and_given_back_once() {
    each(|db| async move {
        found(&db).await;
        let a = stand(&db, "a", NOON).await.expect("nobody holds it");
        let given = a.clone();
        db.write(move |tx| publisher::resign(tx, &given)).await.expect("resign");
        assert_eq!(publish(&db, &a, NOON).await, None, "it was given back");
        let b = stand(&db, "b", NOON).await.expect("free at once");
        db.write(move |tx| publisher::resign(tx, &a)).await.expect("resign");
        assert!(publish(&db, &b, NOON).await.is_some(), "the old term cannot end the new one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_far_ahead_left_by_a_wrong_clock_stops_nobody() {
    each(|db| async move {
        found(&db).await;
        stand(&db, "a", NOON).await.expect("nobody holds it");
        let years_ahead = NOON.offset(1_000_000 * MINUTE_US);
        let set =
            move |tx: &mut crate::db::Tx<'_>| tx.execute(PROBE.get("wrong_clock"), &[years_ahead.0.into()]);
        db.write(set).await.expect("set");
        let b =
            stand(&db, "b", NOON.offset(SECOND_US)).await.expect("nobody holds it for longer than a term");
        drain(&db, &b, NOON.offset(SECOND_US)).await;
        assert_chain(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_publishes_alone_and_beside_a_running_service() {
    each(|db| async move {
        found(&db).await;
        while db.write(journal::publish).await.expect("publish") > 0 {}
        assert_chain(&db).await;

        let service = stand(&db, "service", NOON).await.expect("the command left nothing behind");
        assert_eq!(publish(&db, &service, NOON).await, Some(0));
        assert_eq!(db.write(journal::publish).await.expect("publish"), 0);
        assert_eq!(publish(&db, &service, NOON).await, Some(0), "a command with nothing to do takes nothing");
        lose_card(&db, 60, 1, CardStatus::Lost).await;
        assert_eq!(db.write(journal::publish).await.expect("publish"), 1);
        lose_card(&db, 61, 2, CardStatus::Lost).await;
        assert_eq!(publish(&db, &service, NOON).await, None, "its term was taken");
        let again = stand(&db, "service", NOON).await.expect("and is free again");
        assert_eq!(publish(&db, &again, NOON).await, Some(1));
        assert_chain(&db).await;
    })
    .await;
}

/// A terminal that follows the block list and the directory by numbers, as the wire does.
#[derive(Debug, Default)]
struct Follower {
    directory: u64,
    block: u64,
    rows: BTreeMap<(String, Vec<u8>), u64>,
    cards: BTreeMap<[u8; 16], CardStatus>,
    marks: BTreeMap<u64, Hash>,
}

impl Follower {
    async fn follow(&mut self, db: &Db) {
        let (directory, block) = (self.directory, self.block);
        let work = move |tx: &mut crate::db::Tx<'_>| -> Result<_, StoreError> {
            let head = directory::head(tx)?;
            let values: [Value; 3] = [directory, head.directory, 20].map(crate::store::rows::number);
            let changes = tx.query(directory::SQL.get("changes_after"), &values)?;
            let blocks = directory::blocks(tx, block, 3)?;
            Ok((head, changes, blocks, journal::published(tx)?))
        };
        let (head, changes, (blocks, to, _), (n, hash)) = db.read(work).await.expect("read");
        for row in &changes {
            let key = (row.text(0).expect("kind").to_owned(), row.blob(1).expect("id").to_vec());
            self.directory = row.uint(2).expect("n");
            self.rows.insert(key, self.directory);
        }
        if changes.len() < 20 {
            self.directory = head.directory;
        }
        for change in blocks {
            self.cards.insert(change.card.0, change.status);
        }
        assert!(to >= self.block, "the block list never runs back");
        self.block = to;
        let before = self.marks.insert(n, hash);
        assert!(before.is_none_or(|known| known == hash), "two heads at {n}");
        assert!(self.marks.keys().next_back() == Some(&n), "the head never runs back");
    }

    async fn catch_up(&mut self, db: &Db) {
        loop {
            let before = (self.directory, self.block);
            self.follow(db).await;
            if before == (self.directory, self.block) {
                return;
            }
        }
    }
}

/// Stands and publishes with a clock that runs faster than anyone else's, so that terms are lost all the time; between
/// the two it may sleep while others publish.
async fn rival(db: Db, holder: &'static str, clock: Arc<AtomicI64>, step: i64, stop: Arc<AtomicBool>) -> u64 {
    let (mut terms, mut held): (u64, Option<Term>) = (0, None);
    while !stop.load(Ordering::SeqCst) {
        let now = NOON.offset(clock.fetch_add(step, Ordering::SeqCst));
        held = match held {
            Some(term) => publish(&db, &term, now).await.map(|_| term),
            None => {
                let term = stand(&db, holder, now).await;
                terms += u64::from(term.is_some());
                term
            }
        };
        tokio::task::yield_now().await;
    }
    terms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rivals_with_interleaved_terms_give_every_number_once_and_nobody_skips_one() {
    const ACTS: u8 = 60;
    each(|db| async move {
        found(&db).await;
        let (clock, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let rivals: Vec<_> = [("a", TERM_US / 2), ("b", TERM_US / 3), ("c", TERM_US)]
            .into_iter()
            .map(|(holder, step)| {
                tokio::spawn(rival(db.clone(), holder, Arc::clone(&clock), step, Arc::clone(&stop)))
            })
            .collect();
        let written = Arc::new(AtomicU64::new(0));
        let writers: Vec<_> = (0..3_u8)
            .map(|writer| {
                let (db, written) = (db.clone(), Arc::clone(&written));
                tokio::spawn(async move {
                    for n in 0..ACTS / 3 {
                        let status = if n % 2 == 0 { CardStatus::Lost } else { CardStatus::Active };
                        lose_card(&db, 100 + n * 3 + writer, writer + 1, status).await;
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let mut follower = Follower::default();
        while written.load(Ordering::SeqCst) < u64::from(ACTS) {
            follower.follow(&db).await;
            db.write(journal::publish).await.expect("a command between them");
        }
        for writer in writers {
            writer.await.expect("writer");
        }
        stop.store(true, Ordering::SeqCst);
        let mut terms = 0;
        for rival in rivals {
            terms += rival.await.expect("rival");
        }
        assert!(terms > 3, "terms changed hands: {terms}");
        while db.write(journal::publish).await.expect("publish") > 0 {}
        assert_chain(&db).await;
        follower.catch_up(&db).await;

        // Whoever followed from the start holds what one who starts now gets.
        let mut fresh = Follower::default();
        fresh.catch_up(&db).await;
        let expected: BTreeMap<_, _> = probe(&db, "changes")
            .await
            .iter()
            .filter(|row| row.text(0).expect("kind") != "block")
            .map(|row| {
                let key = (row.text(0).expect("kind").to_owned(), row.blob(1).expect("id").to_vec());
                (key, row.uint(2).expect("n"))
            })
            .collect();
        assert_eq!(fresh.rows, expected);
        assert_eq!(follower.rows, expected, "a change was skipped");
        assert_eq!(follower.cards, fresh.cards, "a block was skipped");
        let places: BTreeMap<u64, Hash> = probe(&db, "places")
            .await
            .iter()
            .map(|row| (row.uint(0).expect("n"), Hash(row.array(2).expect("hash"))))
            .collect();
        for (n, hash) in follower.marks.iter().filter(|(n, _)| **n > 0) {
            assert_eq!(places.get(n), Some(hash), "the head shown at {n} is in the chain");
        }
        assert_eq!(verify(&db).await.expect("readable").findings, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_given_by_a_batch_reach_the_directory_with_its_number() {
    each(|db| async move {
        found(&db).await;
        let a = stand(&db, "a", NOON).await.expect("nobody holds it");
        drain(&db, &a, NOON).await;
        let mut follower = Follower::default();
        follower.catch_up(&db).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(10, 1, 32_000, 6);
        let batch = terminal.batch();
        entry(&db, EntryId([77; 16]), ARRIVAL, EntryBody::Batch(batch)).await;
        follower.follow(&db).await;
        let key = ("member".to_owned(), member(1).0.to_vec());
        let before = follower.rows[&key];
        drain(&db, &a, NOON).await;
        follower.follow(&db).await;
        assert!(follower.rows[&key] > before);
        act(&db, 90, NOON, Act::CardsSet(vec![card(1, Some(member(2)))])).await;
        drain(&db, &a, NOON).await;
        follower.catch_up(&db).await;
        assert_chain(&db).await;
    })
    .await;
}
