//! A few small seeds at every run of the tests; the program `simulate` plays many large ones.

use std::path::Path;

use super::club::Club;
use super::counters::Counters;
use super::{Played, Size, play};

const SIZE: Size = Size { devices: 6, members: 40, days: 1 };

fn club() -> Club {
    let memory = Path::new("/dev/shm");
    let temporary = std::env::temp_dir();
    Club::found(if memory.is_dir() { memory } else { &temporary }, SIZE).expect("a club")
}

fn played(club: &Club, seed: u64) -> Played {
    let played = play(club, seed).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
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
