//! What the counter costs, part by part; each part prints its figures and whether they are within its goal.
//!
//! `cargo bench -p hufu-tests --bench counter [-- PART ...]`, where PART is one of the names in [`PARTS`]; all without.
//! A part is one function that prints and says whether its goal is met; a further one is a line in that table.

use std::time::Duration;

mod club;
#[path = "counter/drawing.rs"]
mod drawing;
#[path = "counter/event.rs"]
mod event;
#[path = "counter/memory.rs"]
mod memory;
#[path = "counter/road.rs"]
mod road;
#[path = "counter/sources.rs"]
mod sources;

/// The parts: name, and what measures it.
const PARTS: [(&str, fn() -> bool); 4] = [
    ("drawing", drawing::measure),
    ("event", event::perf_p02_from_the_readers_event),
    ("sources", sources::perf_p03_sixteen_readers_beside_one),
    ("memory", memory::perf_p05_a_million_members_in_memory),
];

fn main() {
    // Cargo adds `--bench`; everything else is the name of a part.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let chosen = PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| word == name));
    let missed: Vec<&str> = chosen.filter(|(_, part)| !part()).map(|(name, _)| *name).collect();
    if !missed.is_empty() {
        println!("beyond the goal: {}", missed.join(", "));
        std::process::exit(1);
    }
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
