//! P1 and P2: what a whole durable swipe costs beside a bare durable row.
//!
//! Product (find the card and its member among many, decide, append to the chained journal, commit with
//! `synchronous=FULL`) and baseline (one 200-byte row with a unique 16-byte index, committed the same way by bare
//! SQLite) alternate in slices of 40 ms within one process, because the disk's speed drifts by more than either costs.
//! What is reported is the median over the rotations of the ratio within each.
//!
//! `cargo bench -p hufu-tests --bench swipe [-- --rotations N --members N]`

mod club;

use std::path::Path;
use std::sync::Arc;

use club::{Baseline, now, place, quantile, slice};
use hufu_edge::run::core::{Core, Mode, Presented};
use hufu_shared::fact::Purpose;
use hufu_shared::money::Amount;
use hufu_shared::token::CardText;

/// Rotations, unless told otherwise.
const ROTATIONS: usize = 100;
/// Members in the directory, unless told otherwise.
const MEMBERS: usize = 100_000;
/// The goals: rate at least, median at most, 99th percentile at most, each against the baseline.
const GOAL_RATE: f64 = 0.75;
const GOAL_P50: f64 = 1.4;
const GOAL_P99: f64 = 2.0;

fn main() {
    let (rotations, members) = arguments();
    perf_p01_p02_a_swipe_beside_a_bare_commit(rotations, members);
}

fn perf_p01_p02_a_swipe_beside_a_bare_commit(rotations: usize, members: usize) {
    let folder = tempfile::tempdir().expect("scratch folder");
    let mut product = Product::new(folder.path(), members);
    let mut baseline = Baseline::new(folder.path());
    let mut measured: [Vec<Vec<u64>>; 2] = [Vec::new(), Vec::new()];
    for rotation in 0..=rotations {
        // Whoever goes first changes, so that neither always meets the other's write-back.
        let first = rotation % 2;
        for side in [first, 1 - first] {
            let times = if side == 0 { slice(|| baseline.commit()) } else { slice(|| product.swipe()) };
            // The first rotation warms caches and prepares statements.
            if rotation > 0 {
                measured[side].push(times);
            }
        }
    }
    report(&measured[0], &measured[1], members);
}

fn arguments() -> (usize, usize) {
    let mut given = std::env::args().skip(1);
    let (mut rotations, mut members) = (ROTATIONS, MEMBERS);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--rotations" => rotations = number(given.next()),
            "--members" => members = number(given.next()),
            _ => {}
        }
    }
    (rotations.max(3), members.max(1))
}

fn number(word: Option<String>) -> usize {
    word.and_then(|word| word.parse().ok()).expect("a whole number after --rotations or --members")
}

/// The whole path of a swipe.
struct Product {
    core: Core,
    cards: Vec<CardText>,
    count: u64,
}

impl Product {
    fn new(folder: &Path, members: usize) -> Self {
        let terminal = club::terminal();
        let directory = club::directory(folder, &terminal, members);
        let store = club::journal(&folder.join("journal.db"), &terminal);
        let cards = (0..members).map(club::card).collect();
        Self { core: Core::new(store, directory, Arc::new(terminal)), cards, count: 0 }
    }

    fn swipe(&mut self) {
        self.count += 1;
        // Spread over all cards; each swipe is a purchase of another amount, so none repeats another.
        let at = usize::try_from(self.count * 48_271 % self.cards.len() as u64).expect("an index");
        let presented = Presented { card: self.cards[at].clone(), reader: 0 };
        let fen = 10_000 + i64::try_from(self.count % 1_000_000).expect("small");
        let mode = Mode { purpose: Purpose::Earn(Amount(fen)), operator: None };
        let swiped = self.core.swipe(&presented, &mode, &now(self.count)).expect("a durable swipe");
        assert!(swiped.seq.is_some() && swiped.member.is_some(), "a known member's purchase is a fact");
    }
}

fn report(baseline: &[Vec<u64>], product: &[Vec<u64>], members: usize) {
    let rate = |times: &[u64]| times.len() as f64 / times.iter().sum::<u64>() as f64;
    let rates: Vec<f64> = baseline.iter().zip(product).map(|(b, p)| rate(p) / rate(b)).collect();
    let medians: Vec<f64> =
        baseline.iter().zip(product).map(|(b, p)| quantile(p, 0.5) / quantile(b, 0.5)).collect();
    // A slice holds too few operations for a 99th percentile: over all slices of each side, which alternated.
    let all = |sides: &[Vec<u64>]| sides.concat();
    let p99 = quantile(&all(product), 0.99) / quantile(&all(baseline), 0.99);
    let (swipes, commits) = (all(product).len(), all(baseline).len());
    println!(
        "{} rotations of 40 ms slices, {members} members: {swipes} swipes beside {commits} bare commits; \
         a swipe {:.0} us at the median, a bare commit {:.0} us",
        rates.len(),
        quantile(&all(product), 0.5) / 1_000.0,
        quantile(&all(baseline), 0.5) / 1_000.0
    );
    line("P1 durable swipes/s over bare commits/s", &rates, |ratio| ratio >= GOAL_RATE, GOAL_RATE, ">=");
    line("P2 swipe p50 over bare commit p50", &medians, |ratio| ratio <= GOAL_P50, GOAL_P50, "<=");
    line("P2 swipe p99 over bare commit p99", &[p99], |ratio| ratio <= GOAL_P99, GOAL_P99, "<=");
}

fn line(what: &str, ratios: &[f64], holds: impl Fn(f64) -> bool, goal: f64, sign: &str) {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted[place(sorted.len(), q)];
    let verdict = if holds(at(0.5)) { "reached" } else { "missed" };
    println!("{what}: {:.2} [{:.2}..{:.2}], goal {sign} {goal}: {verdict}", at(0.5), at(0.25), at(0.75));
}
