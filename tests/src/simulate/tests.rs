//! A few small seeds at every run of the tests; the program `simulate` plays many large ones.

use std::path::Path;

use rusqlite::Connection;

use super::club::Club;
use super::counters::Counters;
use super::reckon::Value;
use super::run::Run;
use super::{Played, Size, play};

const SIZE: Size = Size { devices: 6, members: 40, days: 1 };

fn club() -> Club {
    let memory = Path::new("/dev/shm");
    let temporary = std::env::temp_dir();
    Club::found(if memory.is_dir() { memory } else { &temporary }, SIZE).expect("a club")
}

fn played(club: &Club, seed: u64) -> Played {
    let played = play(club, seed, None).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    assert_eq!(played.violations, Vec::new(), "seed {seed}");
    played
}

/// What all these seeds met together.
fn met(seeds: std::ops::RangeInclusive<u64>) -> Counters {
    let club = club();
    let mut met = Counters::default();
    seeds.for_each(|seed| met.add(&played(&club, seed).counters));
    met
}

#[test]
fn a_seed_replays_step_by_step_in_a_club_founded_anew() {
    for seed in [1, 2] {
        assert_eq!(played(&club(), seed), played(&club(), seed));
    }
}

#[test]
fn inv_12_every_second_use_of_an_image_is_found_and_nothing_else_is() {
    let met = met(100..=111);
    assert!(met.times("clone") + met.times("image restored") > 0, "no image was used twice");
    assert!(met.times("duplicate request") > 0, "nothing came twice");
}

#[test]
fn inv_15_after_faults_stop_every_queue_drains() {
    let met = met(200..=205);
    for path in ["lost answer", "duplicate request"] {
        assert!(met.times(path) > 0, "no {path}");
    }
}

/// A run that came to its end with nothing wrong, and in which figures were reckoned.
fn ended(club: &Club, seed: u64) -> Run<'_> {
    let mut run = Run::new(club, seed).expect("a run");
    run.play().expect("played");
    run.check_figures().expect("figures");
    run.check_sums().expect("sums");
    run.check_postings().expect("postings");
    assert_eq!(run.violations, Vec::new(), "seed {seed}");
    assert!(run.counters.times("balance reckoned exactly") > 0, "nothing was reckoned exactly");
    run
}

#[test]
fn inv_03_the_books_notice_a_purchase_that_was_lost_and_one_that_was_doubled() {
    let club = club();
    let mut run = ended(&club, 300);
    let plain = |run: &Run<'_>| {
        let values = run.books.values.iter().find(|(key, told)| {
            let alone = run.books.values.values().filter(|other| other.card == told.card).count() == 1;
            let is_sale = matches!(told.value, Value::Earned { promised, .. } if promised > 0);
            alone && is_sale && !run.books.excused.contains(&(key.0, key.1))
        });
        values.map(|(key, told)| (*key, told.clone())).expect("somebody who only bought something")
    };
    let (key, told) = plain(&run);
    run.books.values.remove(&key);
    run.check_figures().expect("figures");
    assert_eq!(run.violations.len(), 1, "a purchase that nobody was shown: {:?}", run.violations);
    run.violations.clear();
    run.books.values.insert(key, told.clone());
    run.books.values.insert((key.0, key.1, 1_000_000, 0), told);
    run.check_figures().expect("figures");
    assert_eq!(run.violations.len(), 1, "a purchase that has no effect: {:?}", run.violations);
}

#[test]
fn inv_01_02_a_ledger_that_does_not_add_up_is_noticed() {
    let club = club();
    let mut run = ended(&club, 301);
    let ledger = Connection::open(run.centre.path()).expect("the ledger");
    let more = "UPDATE balance SET amount = amount + 1 WHERE rowid = \
                (SELECT min(rowid) FROM balance WHERE class = 'available')";
    assert_eq!(ledger.execute(more, []), Ok(1));
    run.check_sums().expect("sums");
    assert_eq!(run.violations.len(), 1, "{:?}", run.violations);
    run.violations.clear();
    run.check_postings().expect("postings");
    assert_eq!(run.violations.len(), 1, "{:?}", run.violations);
}
