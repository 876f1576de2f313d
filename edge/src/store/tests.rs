//! The journal and the directory: durability, order, identity, and everything that may lie in the way.

use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::fact::{DayClosed, DayTotals, Event, Fact, RefusalReason, stated_at};
use hufu_shared::ids::{CardId, ClubId, DeviceId, Hash};
use hufu_shared::member::{CardStatus, DirectoryRow};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{DAY_US, Day, Instant};
use hufu_shared::wire::updates::{BlockChange, Notice};
use hufu_shared::wire::upload::{Became, Disposition, ReceiptMark};
use hufu_shared::wire::version::{CentralEpoch, Version};
use proptest::prelude::*;

use super::testing::*;
use super::*;

mod files;
mod kill;
mod looked_up;
mod noticed;

fn facts_of(store: &Store) -> Vec<Fact> {
    let stored = store.with(|journal| journal.pending(1, usize::MAX, usize::MAX)).expect("readable");
    stored.iter().map(|stored| cbor::decode(&stored.body).expect("our own")).collect()
}

fn append(store: &Store, facts: Vec<NewFact>) -> Vec<Appended> {
    store.with(|journal| journal.append(facts)).expect("appended")
}

fn mark(acked_seq: u64) -> ReceiptMark {
    ReceiptMark {
        central_epoch: CentralEpoch { n: 1, bits: 2 },
        journal_size: 1,
        journal_head: Hash([0; 32]),
        device: terminal().device,
        acked_seq,
        directory: Version::default(),
        block: Version::default(),
        leases: Vec::new(),
        signature: vec![1],
    }
}

fn receipt(acked_seq: u64, at: Instant) -> Receipted {
    Receipted { acked_seq, mark: mark(acked_seq), dispositions: Vec::new(), at }
}

#[test]
fn facts_are_numbered_without_gaps_and_name_their_boot() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![visited(1, &at(1)), attended(2, &at(2))]);
    let booting = store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    append(&store, vec![visited(1, &at(1))]);
    let facts = facts_of(&store);
    let shape: Vec<_> = facts.iter().map(|fact| (fact.seq, fact.boot, fact.event.name())).collect();
    assert_eq!(
        shape,
        [(1, 1, "booted"), (2, 1, "visited"), (3, 1, "attended"), (4, 4, "booted"), (5, 4, "visited")]
    );
    assert_eq!(booting, Booting { seq: 4, unclean: true });
    let Event::Booted(second) = &facts[3].event else { panic!("a start") };
    assert_eq!((second.counter, second.unclean), (2, true));
}

#[test]
fn a_shutdown_makes_the_next_start_a_clean_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    let store = booted(folder.path());
    store.with(|journal| journal.shutdown(&at(9))).expect("shut down");
    drop(store);
    let store = Store::open(&path, &terminal()).expect("opens");
    let booting = store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    assert!(!booting.unclean);
    assert_eq!(store.with(|journal| journal.time_floor()).expect("read"), at(9).trusted);
}

#[test]
fn equal_refusals_within_ten_seconds_are_one_fact_with_a_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let lost = |seconds| refused(1, RefusalReason::R07, &at(seconds));
    assert_eq!(append(&store, vec![lost(1)])[0].id, None, "its window is open");
    assert_eq!(append(&store, vec![lost(5)])[0].count, 2);
    assert_eq!(append(&store, vec![lost(11)])[0].count, 3, "ten seconds after the first");
    // A later one begins a window of its own; another reason too; any other fact ends it.
    append(&store, vec![lost(12), refused(1, RefusalReason::R01, &at(13)), visited(2, &at(14))]);
    let counts: Vec<_> = facts_of(&store)
        .iter()
        .map(|fact| match &fact.event {
            Event::Refused(refused) => (fact.event.name(), refused.count, fact.mono_ns / 1_000_000_000),
            event => (event.name(), 0, fact.mono_ns / 1_000_000_000),
        })
        .collect();
    let expected =
        [("booted", 0, 0), ("refused", 3, 1), ("refused", 1, 12), ("refused", 1, 13), ("visited", 0, 14)];
    assert_eq!(counts, expected);
    // A window that ended by time alone is appended when it is looked at.
    append(&store, vec![lost(20)]);
    store.with(|journal| journal.flush_refusal_due(at(30).mono_ns)).expect("looked");
    assert_eq!(facts_of(&store).len(), 5, "still open at its end");
    store.with(|journal| journal.flush_refusal_due(at(31).mono_ns)).expect("looked");
    assert_eq!(facts_of(&store).len(), 6);
}

#[test]
fn a_refusal_whose_window_was_open_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![refused(1, RefusalReason::R07, &at(1))]);
    append(&store, vec![refused(1, RefusalReason::R07, &at(2))]);
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    let facts = facts_of(&store);
    let Event::Refused(refused) = &facts[1].event else { panic!("the refusal, before the new start") };
    assert_eq!((refused.count, facts[1].boot, facts[2].event.name()), (2, 1, "booted"));
}

#[test]
fn case_73_a_second_tap_within_the_window_is_found_by_monotonic_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![visited(1, &at(100))]);
    let key = hufu_shared::rules::repeat::Tap::of(&facts_of(&store)[1]).expect("a tap").key;
    let recent = |seconds: u64| {
        store.with(|journal| Ok(journal.recent_tap(&key, at(seconds).mono_ns, 60))).expect("looked")
    };
    assert_eq!(recent(101).map(|tap| tap.seq), Some(2));
    assert_eq!(recent(160).map(|tap| tap.seq), Some(2));
    assert_eq!(recent(161), None);
    // Another boot's monotonic times cannot be compared.
    store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    assert_eq!(recent(101), None);
}

#[test]
fn kind_02_the_first_check_in_is_remembered_across_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![attended(1, &at(1)), attended(1, &at(500)), attended(2, &at(501))]);
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    let first = store.with(|journal| journal.attended(OCCASION, &[1; 16])).expect("looked");
    assert_eq!(first, Some(Attended { seq: 2, at: at(1).wall }));
    assert_eq!(store.with(|journal| journal.attendance(OCCASION)).expect("counted"), 2);
}

#[test]
fn inv_06_a_full_disk_records_nothing_and_says_so_and_the_next_fact_after_room_is_gapless() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![visited(1, &at(1))]);
    fill_disk(&store);
    let before = store.with(|journal| journal.state()).expect("state");
    let error = store.with(|journal| journal.append(vec![visited(2, &at(2))])).expect_err("no room");
    assert!(error.is_full(), "{error}");
    let after = store.with(|journal| journal.state()).expect("state");
    assert_eq!((after.last_seq, after.head), (before.last_seq, before.head));
    store
        .with(|journal| {
            journal
                .connection
                .pragma_update_and_check(None, "max_page_count", 100_000, |_| Ok(()))
                .expect("set");
            Ok(())
        })
        .expect("room");
    let next = append(&store, vec![visited(2, &at(3))])[0].id.map(|id| id.seq);
    assert_eq!(next, Some(before.last_seq + 1));
}

#[test]
fn value_facts_of_an_unclean_end_without_a_shown_mark_are_listed_for_staff() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![attended(1, &at(1))]);
    store
        .with(|journal| {
            journal.mark_shown(2);
            Ok(())
        })
        .expect("marked");
    // The mark goes to the disk with the next facts; these are never shown.
    append(&store, vec![visited(1, &at(2)), earned(2, 32_000, 6, &at(3)), attended(2, &at(4))]);
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    let listed = |store: &Store| -> Vec<u64> {
        store.with(|journal| journal.unshown()).expect("read").iter().map(|fact| fact.seq).collect()
    };
    assert_eq!(listed(&store), [4, 5]);
    let settle = |seq, handed_over| {
        store
            .with(|journal| journal.resolve_unshown(seq, handed_over, &at(9), Version::default()))
            .expect("settled")
    };
    assert!(settle(4, false).is_some_and(|appended| appended.len() == 1));
    assert!(settle(5, true).is_some_and(|appended| appended.is_empty()));
    assert!(settle(5, false).is_none(), "settled once");
    assert_eq!(listed(&store), [0_u64; 0]);
    let facts = facts_of(&store);
    let Event::Reversed(reversed) = &facts.last().expect("some").event else { panic!("a reversal") };
    assert_eq!(reversed.original.seq, 4);
    assert_eq!(reversed.legs, [Leg { unit: Unit::Pts, amount: Amount(6) }]);
    // The reversal has no mark either; nobody is asked to undo what undid.
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    store.with(|journal| journal.boot(boot_info(3), &at(0))).expect("boots");
    assert_eq!(listed(&store), [0_u64; 0]);
}

#[test]
fn a_clean_end_lists_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![attended(1, &at(1))]);
    store.with(|journal| journal.shutdown(&at(2))).expect("shut down");
    store.with(|journal| journal.boot(boot_info(2), &at(0))).expect("boots");
    assert!(store.with(|journal| journal.unshown()).expect("read").is_empty());
}

#[test]
fn kind_30_a_day_closes_with_the_totals_since_the_last_close() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let facts =
        vec![attended(1, &at(1)), earned(2, 32_000, 6, &at(2)), refused(3, RefusalReason::R07, &at(3))];
    append(&store, facts);
    append(&store, vec![refused(3, RefusalReason::R07, &at(4))]);
    let close = |day| {
        store.with(|journal| journal.close_day(Day(day), &at(5), Version::default())).expect("closed").0
    };
    let first = close(20_779);
    assert_eq!((first.from_seq, first.to_seq), (1, 4), "the refusal was appended first");
    let expected = DayTotals {
        facts: 4,
        attended: 1,
        earned: 1,
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(8) }],
        purchases: Amount(32_000),
        refused: 2,
        ..DayTotals::default()
    };
    assert_eq!(first.totals, expected);
    append(&store, vec![visited(1, &at(6))]);
    let second = close(20_780);
    assert_eq!((second.from_seq, second.to_seq, second.totals.visited, second.totals.facts), (6, 6, 1, 1));
}

#[test]
fn receipts_move_the_cursor_forward_only_and_keep_the_mark() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![visited(1, &at(1)), visited(2, &at(2))]);
    assert_eq!(store.with(|journal| Ok(journal.queue_len())).expect("counted"), 3);
    store.with(|journal| journal.take_receipt(&receipt(2, NOON))).expect("taken");
    store.with(|journal| journal.take_receipt(&receipt(1, NOON))).expect("an older one changes nothing");
    let state = store.with(|journal| journal.state()).expect("state");
    assert_eq!((state.acked_seq, state.queue_len(), state.oldest_held), (2, 1, 1));
    assert_eq!(state.mark, Some(mark(1)));
    let error = store.with(|journal| journal.take_receipt(&receipt(4, NOON))).expect_err("beyond the head");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let page = store.with(|journal| journal.pending(3, 500, 256 * 1024)).expect("read");
    assert_eq!(page.iter().map(|fact| fact.seq).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_page_of_the_queue_obeys_its_limits_but_never_starves_on_a_large_fact() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, (0..20).map(|n| visited(n + 1, &at(u64::from(n)))).collect());
    let seqs = |facts, bytes| {
        let page = store.with(|journal| journal.pending(2, facts, bytes)).expect("read");
        page.len()
    };
    assert_eq!(seqs(5, usize::MAX), 5);
    assert_eq!(seqs(500, 1), 1);
    assert!((2..20).contains(&seqs(500, 400)));
}

#[test]
fn acknowledged_facts_are_kept_for_35_days_and_then_pruned_to_an_anchor() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, vec![visited(1, &at(1)), visited(2, &at(2))]);
    let hash = store.with(|journal| journal.hash_at(2)).expect("read");
    store.with(|journal| journal.take_receipt(&receipt(2, NOON))).expect("taken");
    let prune = |days: i64| store.with(|journal| journal.prune(NOON.offset(days * DAY_US))).expect("pruned");
    assert_eq!(prune(37), 0, "all of an open shift is counted at its close");
    let (closed, _) = close(&store, 3);
    assert_eq!((closed.from_seq, closed.to_seq), (1, 3));
    assert_eq!((prune(0), prune(35)), (0, 0));
    assert_eq!(prune(37), 2);
    let state = store.with(|journal| journal.state()).expect("state");
    assert_eq!((state.oldest_held, state.last_seq), (3, 4));
    assert_eq!(store.with(|journal| journal.hash_at(2)).expect("read"), hash, "the anchor");
    // All of it acknowledged: the newest stays, and the chain goes on from it.
    store.with(|journal| journal.take_receipt(&receipt(4, NOON.offset(37 * DAY_US)))).expect("taken");
    assert_eq!((prune(100), prune(100)), (1, 0));
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    assert_eq!(append(&store, vec![visited(1, &at(3))])[0].id.map(|id| id.seq), Some(5));
}

fn close(store: &Store, second: u64) -> (DayClosed, Appended) {
    store.with(|journal| journal.close_day(Day(20_000), &at(second), Version::default())).expect("closed")
}

#[test]
fn what_stands_is_written_once_per_change_and_read_back_whole_wherever_a_page_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    append(&store, (0..6).map(|n| visited(n + 1, &at(u64::from(n)))).collect());
    let mut other = visited(9, &at(10));
    other.scheme = 7;
    append(&store, vec![other, visited(1, &at(11))]);
    let page = |from| store.with(|journal| journal.pending(from, usize::MAX, usize::MAX)).expect("read");
    let stored = page(1);
    let refers: Vec<Option<u64>> = stored.iter().map(|fact| stated_at(&fact.body)).collect();
    let newest = *refers.last().expect("facts");
    assert!(refers.iter().filter(|refers| refers.is_some()).count() >= 5, "{refers:?}");
    assert!(newest.is_none(), "the scheme went back: stated anew, not guessed");
    let whole: Vec<Fact> = store
        .with(|journal| journal.whole(&stored))
        .expect("read")
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("our own");
    assert_eq!(whole[7].scheme, 7);
    for from in 1..=stored.len() as u64 {
        let facts = page(from);
        let later = store.with(|journal| journal.whole(&facts)).expect("read");
        let later: Vec<Fact> = later.into_iter().collect::<Result<_, _>>().expect("our own");
        assert_eq!(later, whole[usize::try_from(from).expect("small") - 1..], "from {from}");
    }
    // A fact that was pruned is kept as long as one that stays rests on it.
    store.with(|journal| journal.take_receipt(&receipt(4, NOON))).expect("taken");
    close(&store, 12);
    assert_eq!(store.with(|journal| journal.prune(NOON.offset(37 * DAY_US))).expect("pruned"), 4);
    let mut facts = page(5);
    facts.truncate(whole.len() - 4);
    let kept = store.with(|journal| journal.whole(&facts)).expect("read");
    assert_eq!(kept.into_iter().collect::<Result<Vec<_>, _>>().expect("our own"), whole[4..]);
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    assert_eq!(store.with(|journal| journal.state()).expect("state").oldest_held, 5);
}

#[test]
fn as_room_gets_tight_refusals_are_only_counted_and_other_facts_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let state = || store.with(|journal| journal.state()).expect("state");
    assert!(state().used_percent < 80 && state().refusals_counted == 0);
    store.with(|journal| journal.leave_room(80)).expect("measured");
    let before = state();
    for n in 1..=5 {
        let appended = append(&store, vec![refused(n, RefusalReason::R07, &at(100 * u64::from(n)))]);
        assert_eq!((appended[0].id, appended[0].count), (None, 1));
    }
    store.with(|journal| journal.flush_refusal()).expect("nothing is open");
    assert_eq!((state().last_seq, state().refusals_counted), (before.last_seq, 5));
    append(&store, vec![visited(1, &at(900))]);
    assert_eq!(state().last_seq, before.last_seq + 1, "what happened is recorded");
    // With room again they are facts again; what was counted stays told.
    store.with(|journal| journal.leave_room(10)).expect("measured");
    append(&store, vec![refused(1, RefusalReason::R07, &at(1_000))]);
    store.with(|journal| journal.flush_refusal()).expect("flushed");
    assert_eq!((state().last_seq, state().refusals_counted), (before.last_seq + 2, 5));
}

#[test]
fn blocks_are_taken_lifted_and_survive_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let change = |n: u8, status| BlockChange { card: CardId([n; 16]), token: subject(n).token, status };
    let changes =
        [change(1, CardStatus::Lost), change(2, CardStatus::Stopped), change(1, CardStatus::Active)];
    let version = Version { epoch: 1, n: 7 };
    store.with(|journal| journal.take_blocks(&changes, version)).expect("taken");
    let blocked =
        |store: &Store, n: u8| store.with(|journal| Ok(journal.blocked(&subject(n).token))).expect("looked");
    assert_eq!((blocked(&store, 1), blocked(&store, 2)), (None, Some(CardStatus::Stopped)));
    drop(store);
    let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens");
    assert_eq!((blocked(&store, 1), blocked(&store, 2)), (None, Some(CardStatus::Stopped)));
    append(&store, vec![visited(1, &at(1))]);
    assert_eq!(
        facts_of(&store).last().expect("one").block,
        version,
        "facts name the block list they were judged by"
    );
}

#[test]
fn waiting_for_facts_wakes_when_they_are_appended() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = booted(folder.path());
    let mut appended = store.appended();
    assert_eq!(*appended.borrow_and_update(), 1);
    append(&store, vec![visited(1, &at(1))]);
    assert!(appended.has_changed().expect("alive"));
    assert_eq!(*appended.borrow_and_update(), 2);
    store.with(|journal| journal.write_time_floor(NOON)).expect("written");
    assert!(!appended.has_changed().expect("alive"), "only facts wake");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is appended in whatever portions, the stored hashes are the chain of the stored bytes.
    #[test]
    fn inv_07_stored_hashes_are_the_chain_of_the_stored_bytes(
        portions in proptest::collection::vec(proptest::collection::vec((1u8..5, 0u8..4), 1..4), 1..8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = booted(folder.path());
        let mut seconds = 1;
        for portion in portions {
            let facts = portion.into_iter().map(|(n, what)| {
                seconds += u64::from(n);
                match what {
                    0 => visited(n, &at(seconds)),
                    1 => attended(n, &at(seconds)),
                    2 => earned(n, 10_000, 2, &at(seconds)),
                    _ => refused(n, RefusalReason::R07, &at(seconds)),
                }
            });
            append(&store, facts.collect());
        }
        store.with(|journal| journal.flush_refusal()).expect("flushed");
        let start = chain::start(terminal().device, 1, &terminal().first_key);
        let stored = store.with(|journal| journal.pending(1, usize::MAX, usize::MAX)).expect("read");
        let mut previous = start;
        let mut mono_ns = 0;
        for (at, fact) in stored.iter().enumerate() {
            previous = chain::link(previous, &fact.body);
            prop_assert_eq!(fact.hash, previous);
            prop_assert_eq!(fact.seq, at as u64 + 1);
            let decoded: Fact = cbor::decode(&fact.body).expect("our own");
            prop_assert_eq!(decoded.seq, fact.seq);
            prop_assert!(decoded.mono_ns >= mono_ns, "facts are in the order of what happened");
            mono_ns = decoded.mono_ns;
        }
        prop_assert_eq!(store.with(|journal| journal.state()).expect("state").head, previous);
    }
}
