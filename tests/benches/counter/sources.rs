//! P3: sixteen readers at one terminal beside one, every swipe on the disk before its answer.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};

use crate::club::{self, SLICE, clock};
use crate::road::{Road, SOURCES};

/// Rotations of one slice each.
const ROTATIONS: usize = 60;
/// Members in the directory.
const MEMBERS: usize = 100_000;
/// Swipes of sixteen over those of one, at least.
const GOAL: f64 = 2.3;

/// Measures and prints; whether the goal is met.
pub fn perf_p03_sixteen_readers_beside_one() -> bool {
    let folder = tempfile::tempdir().expect("scratch folder");
    let terminal = Arc::new(club::terminal());
    let directory = club::directory(folder.path(), &terminal, MEMBERS);
    let road = Road::start(&folder.path().join("journal.db"), &directory, (&terminal, MEMBERS), None);
    let (mut ratios, mut rates) = (Vec::new(), [Vec::new(), Vec::new()]);
    for rotation in 0..=ROTATIONS {
        let first = rotation % 2;
        let mut both = [0.0; 2];
        for side in [first, 1 - first] {
            both[side] = if side == 0 { rush(&road, 1) } else { rush(&road, SOURCES) };
        }
        if rotation > 0 {
            ratios.push(both[1] / both[0]);
            rates[0].push(both[0]);
            rates[1].push(both[1]);
        }
    }
    let at = |list: &mut Vec<f64>, q: f64| {
        list.sort_by(f64::total_cmp);
        list[club::place(list.len(), q)]
    };
    let [one, many] = rates.map(|mut rates| at(&mut rates, 0.5));
    let [low, median, high] = [0.25, 0.5, 0.75].map(|q| at(&mut ratios, q));
    let verdict = if median >= GOAL { "reached" } else { "MISSED" };
    println!(
        "sources: P3 swipes of {SOURCES} readers over those of one: {median:.2} [{low:.2}..{high:.2}], goal >= {GOAL}: \
         {verdict} ({one:.0} and {many:.0} a second)"
    );
    median >= GOAL
}

/// Swipes a second, with so many readers each of which waits for its answer before its next card.
fn rush(road: &Road, sources: usize) -> f64 {
    let barrier = Barrier::new(sources + 1);
    let (turns, queue) = channel();
    // One lock for turn and event: answers come in the order of the loop's queue.
    let turns = Mutex::new(turns);
    std::thread::scope(|scope| {
        for source in 0..sources {
            let (barrier, turns) = (&barrier, &turns);
            scope.spawn(move || {
                let (done, answered) = channel();
                barrier.wait();
                let begin = clock();
                while begin.elapsed() < SLICE {
                    let turn = turns.lock().expect("no thread panics with it");
                    turn.send(Some(done.clone())).expect("the slice lasts");
                    road.present(source);
                    drop(turn);
                    answered.recv().expect("an answer");
                }
                turns.lock().expect("no thread panics with it").send(None).expect("the slice lasts");
            });
        }
        barrier.wait();
        let begin = clock();
        let (mut left, mut count) = (sources, 0_u32);
        while left > 0 {
            let Some(done) = queue.recv().expect("a turn") else {
                left -= 1;
                continue;
            };
            road.answer();
            count += 1;
            done.send(()).expect("its reader waits");
        }
        f64::from(count) / begin.elapsed().as_secs_f64()
    })
}
