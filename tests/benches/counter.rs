//! What the counter costs, part by part; each part prints its figures and whether they are within its goal.
//!
//! `cargo bench -p hufu-tests --bench counter [-- PART ...]`, where PART is one of the names in [`PARTS`]; all without.
//! A part is one function that prints and says whether its goal is met; a further one is a line in that table.

use std::time::{Duration, Instant};

use hufu_edge::locale::Language;
use hufu_hardware::layout;
use hufu_hardware::panel::Frame;
use hufu_hardware::text::Fonts;
use hufu_tests::sheet::{DISPLAYS, Display, samples, screen_of};

/// The parts: name, and what measures it.
const PARTS: [(&str, fn() -> bool); 1] = [("drawing", drawing)];

/// Rounds over all screens.
const ROUNDS: usize = 20;
/// The goals of drawing one screen, by the display's width and height.
const DRAWING_GOALS: [((u32, u32), Duration); 2] =
    [((128, 64), Duration::from_millis(5)), ((320, 240), Duration::from_millis(15))];

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn clock() -> Instant {
    Instant::now()
}

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

/// Every screen that a member can meet, in both languages, drawn anew on each display.
fn drawing() -> bool {
    let start = clock();
    let fonts = Fonts::load();
    for display in DISPLAYS {
        draw_all(display, &fonts, 1);
    }
    println!("drawing: faces unpacked and every screen once in {:.1} ms", in_ms(start.elapsed()));
    let mut met = true;
    for display in DISPLAYS {
        let mut times = draw_all(display, &fonts, ROUNDS);
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        let (width, height) = (display.size.width, display.size.height);
        let goal = DRAWING_GOALS.iter().find(|(size, _)| *size == (width, height)).map(|(_, goal)| *goal);
        // The last hundredth is the machine's, not the drawing's.
        let verdict = match goal {
            Some(goal) if at(99) <= goal => format!("within {:.0} ms", in_ms(goal)),
            Some(goal) => format!("ABOVE {:.0} ms", in_ms(goal)),
            None => "no goal".to_owned(),
        };
        met &= goal.is_none_or(|goal| at(99) <= goal);
        let [median, high, most] = [50, 99, 100].map(|percent| in_ms(at(percent)));
        println!(
            "drawing {width}x{height}: p50 {median:.2} ms, p99 {high:.2} ms, most {most:.2} ms over {} screens: {verdict}",
            times.len()
        );
    }
    met
}

/// The time of each screen, so many rounds of them.
fn draw_all(display: Display, fonts: &Fonts, rounds: usize) -> Vec<Duration> {
    let samples = samples::all();
    let mut frame = Frame::new(display.size);
    let mut times = Vec::with_capacity(samples.len() * 2 * rounds);
    for _ in 0..rounds {
        for sample in &samples {
            for language in Language::ALL {
                let start = clock();
                let screen = screen_of(sample, display, language);
                layout::draw(&screen, fonts, &mut frame, display.depth, 0);
                times.push(start.elapsed());
            }
        }
    }
    times
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
