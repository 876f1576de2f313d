//! P2 from a reader's event, and the same up to the picture on a display.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use embedded_graphics::prelude::Size;
use hufu_hardware::panel::Depth;

use crate::club::{self, Baseline, SLICE, clock, quantile, slice};
use crate::drawing::GOALS;
use crate::road::Road;

/// Rotations over the five sides.
const ROTATIONS: usize = 60;
/// Members in the directory.
const MEMBERS: usize = 100_000;
/// P2: median and 99th percentile at most, each of a bare durable row.
const GOAL: [(f64, f64); 2] = [(0.5, 1.4), (0.99, 2.0)];
/// Guests at rest come no sooner after one another; meanwhile the loop makes the counter page's snapshot, and goes to sleep.
const BETWEEN: Duration = Duration::from_millis(1);

/// Measures and prints; whether the goals are met.
pub fn perf_p02_from_the_readers_event() -> bool {
    let folder = tempfile::tempdir().expect("scratch folder");
    let terminal = Arc::new(club::terminal());
    let directory = club::directory(folder.path(), &terminal, MEMBERS);
    let start = |name: &str, display| {
        Road::start(&folder.path().join(name), &directory, (&terminal, MEMBERS), display)
    };
    let sizes = GOALS.map(|((width, height), _)| Size::new(width, height));
    let roads = [
        start("plain.db", None),
        start("rested.db", None),
        start("mono.db", Some((sizes[0], Depth::Mono))),
        start("colour.db", Some((sizes[1], Depth::Rgb))),
    ];
    let times = rotate(folder.path(), &roads);
    let [base, plain, rested, mono, colour] = times.map(|slices| slices.concat());
    println!(
        "event: {ROTATIONS} rotations, {MEMBERS} members: {} swipes beside {} bare commits; p50 {:.0} us and {:.0} us",
        plain.len(),
        base.len(),
        quantile(&plain, 0.5) / 1_000.0,
        quantile(&base, 0.5) / 1_000.0
    );
    let after_rest = GOAL.map(|(q, _)| quantile(&rested, q) / quantile(&base, q));
    println!(
        "event: after a rest of {} ms, which the bare commits have not: p50 {:.2}, p99 {:.2} of theirs, no goal",
        BETWEEN.as_millis(),
        after_rest[0],
        after_rest[1]
    );
    let mut met = true;
    for (q, goal) in GOAL {
        let ratio = quantile(&plain, q) / quantile(&base, q);
        met &= ratio <= goal;
        let verdict = if ratio <= goal { "reached" } else { "MISSED" };
        println!("event: P2 swipe p{:.0} over bare commit: {ratio:.2}, goal <= {goal}: {verdict}", q * 100.0);
        for ((size, drawing), times) in GOALS.iter().zip([&mono, &colour]) {
            let (met_ns, most_ns) =
                (quantile(times, q), goal * quantile(&base, q) + drawing.as_nanos() as f64);
            met &= met_ns <= most_ns;
            let verdict = if met_ns <= most_ns { "reached" } else { "MISSED" };
            println!(
                "event: to the picture at {}x{}: p{:.0} {:.2} ms, goal {goal} commits and {} ms = {:.2} ms: {verdict}",
                size.0,
                size.1,
                q * 100.0,
                met_ns / 1e6,
                drawing.as_millis(),
                most_ns / 1e6
            );
        }
    }
    met
}

/// Slices of each side in turn, the bare commit first; whoever begins changes with each rotation.
fn rotate(folder: &Path, roads: &[Road; 4]) -> [Vec<Vec<u64>>; 5] {
    let mut baseline = Baseline::new(folder);
    let mut measured: [Vec<Vec<u64>>; 5] = Default::default();
    for rotation in 0..=ROTATIONS {
        for place in 0..5 {
            let side = (place + rotation) % 5;
            let times = match side {
                0 => slice(|| baseline.commit()),
                // Back to back, as the bare commits are.
                1 => swipes(&roads[0], Duration::ZERO),
                road => swipes(&roads[road - 1], BETWEEN),
            };
            // The first rotation warms caches and prepares statements.
            if rotation > 0 {
                measured[side].push(times);
            }
        }
    }
    measured
}

/// Nanoseconds from event to answer of one guest after another within a slice.
fn swipes(road: &Road, between: Duration) -> Vec<u64> {
    let begin = clock();
    let mut times = Vec::new();
    while begin.elapsed() < SLICE {
        let start = clock();
        road.present(0);
        let answered = road.answer().duration_since(start);
        times.push(u64::try_from(answered.as_nanos()).unwrap_or(u64::MAX));
        if !between.is_zero() {
            std::thread::sleep(between);
        }
    }
    times
}
