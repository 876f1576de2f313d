//! Kill -9 in the middle of appending: the child says what is on the disk, the parent kills it and looks.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

const ROUNDS: usize = 30;
/// Set for the child only; names its folder.
const CHILD: &str = "HUFU_TEST_APPEND_UNTIL_KILLED";

fn append_until_killed(folder: &Path) {
    let store = booted(folder);
    let mut out = std::io::stderr();
    for second in 1.. {
        let n = u8::try_from(second % 200 + 1).expect("small");
        let facts = vec![attended(n, &at(second)), earned(n, 10_000, 2, &at(second))];
        for fact in append(&store, facts) {
            let seq = fact.id.map_or(0, |id| id.seq);
            // Written only after the commit returned: this is the green light.
            writeln!(out, "durable {seq} {}", fact.hash).expect("the parent listens");
        }
    }
}

/// Reads what the child called durable until `wanted` lines came, kills it, and returns everything it had said.
fn said_until_killed(folder: &Path, wanted: usize) -> Vec<(u64, String)> {
    let name = "store::tests::kill::goal_g01_nothing_called_durable_is_lost_by_kill_9";
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut pipe = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = Vec::new();
    let mut hear = |said: &mut Vec<(u64, String)>| {
        let mut line = String::new();
        pipe.read_line(&mut line).ok()?;
        // A line that the kill cut short says nothing yet.
        let mut words = line.strip_suffix('\n')?.strip_prefix("durable ")?.split(' ');
        said.push((words.next()?.parse().ok()?, words.next()?.to_owned()));
        Some(())
    };
    while said.len() < wanted && hear(&mut said).is_some() {}
    child.kill().expect("killed");
    // What was still in the pipe was called durable too.
    while hear(&mut said).is_some() {}
    child.wait().expect("gone");
    said
}

#[test]
fn goal_g01_nothing_called_durable_is_lost_by_kill_9() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return append_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    let mut durable = 0;
    for round in 0..ROUNDS {
        let said = said_until_killed(folder.path(), round * 7 % 23 + 1);
        assert!(!said.is_empty(), "round {round}: the child said nothing");
        let store = Store::open(&path, &terminal()).expect("opens after a kill");
        store
            .with(|journal| {
                for (seq, hash) in &said {
                    let stored = journal.hash_at(*seq)?.map(|hash| hash.to_string());
                    assert_eq!(stored.as_ref(), Some(hash), "round {round}: seq {seq} was called durable");
                }
                assert!(journal.last_seq() >= durable);
                durable = journal.last_seq();
                Ok(())
            })
            .expect("sound");
    }
    // Every fact of every round is there, gapless and chained.
    let store = Store::open(&path, &terminal()).expect("opens");
    let stored = store.with(|journal| journal.pending(1, usize::MAX, usize::MAX)).expect("read");
    let start = chain::start(terminal().device, 1, &terminal().first_key);
    let head = chain::head(start, stored.iter().map(|fact| fact.body.as_slice()));
    assert_eq!(head, stored.last().expect("some").hash);
    assert!(stored.iter().zip(1..).all(|(fact, seq)| fact.seq == seq));
}

#[test]
fn goal_g03_the_file_is_sound_after_each_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..ROUNDS / 3 {
        said_until_killed(folder.path(), round + 1);
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens after a kill");
        store
            .with(|journal| {
                journal.check_whole(NOON)?;
                let broken: i64 = journal
                    .connection
                    .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
                    .expect("checked");
                assert_eq!(broken, 0, "round {round}");
                Ok(())
            })
            .expect("sound");
    }
}

/// Facts that wait when the terminal starts again after a long time without its centre.
const QUEUED_FACTS: u64 = 100_000;
/// How long the start may take, in milliseconds.
const START_MS_MAX: u128 = 1_000;

#[test]
#[expect(clippy::disallowed_methods, reason = "a time limit is what is tested")]
fn goal_g04_a_start_after_a_crash_with_100_000_queued_facts_takes_less_than_a_second() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(JOURNAL_FILE);
    let store = booted(folder.path());
    for portion in 0..QUEUED_FACTS / 10_000 {
        let facts = (0..10_000).map(|at_s| visited(1, &at(portion * 10_000 + at_s)));
        append(&store, facts.collect());
    }
    // Dropped without a shutdown, as a crash would leave it, its log folded in or not.
    drop(store);
    // The best of three: other tests share the machine.
    let took = (0..3).map(|boot| {
        let start = std::time::Instant::now();
        let store = Store::open(&path, &terminal()).expect("opens");
        store
            .with(|journal| {
                journal.check_whole(NOON)?;
                journal.boot(boot_info(boot + 2), &at(0))?;
                journal.append(vec![visited(1, &at(1))])
            })
            .expect("the first swipe");
        start.elapsed().as_millis()
    });
    let best = took.min().expect("three");
    assert!(best < START_MS_MAX, "{best} ms");
}
