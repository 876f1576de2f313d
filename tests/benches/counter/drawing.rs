//! Every screen that a member can meet, in both languages, drawn anew on each display.

use std::time::Duration;

use hufu_edge::locale::Language;
use hufu_hardware::layout;
use hufu_hardware::panel::Frame;
use hufu_hardware::text::Fonts;
use hufu_tests::sheet::{DISPLAYS, Display, samples, screen_of};

use crate::club::clock;
use crate::in_ms;

/// Rounds over all screens.
const ROUNDS: usize = 20;
/// The goals of drawing one screen, by the display's width and height.
pub const GOALS: [((u32, u32), Duration); 2] =
    [((128, 64), Duration::from_millis(5)), ((320, 240), Duration::from_millis(15))];

/// Measures and prints; whether every goal is met.
pub fn measure() -> bool {
    let start = clock();
    let fonts = Fonts::load();
    for display in DISPLAYS {
        draw_all(display, &fonts, 1);
    }
    println!("drawing: faces unpacked and every screen once in {:.1} ms", in_ms(start.elapsed()));
    let mut met = true;
    for display in DISPLAYS {
        let mut screens = draw_all(display, &fonts, ROUNDS);
        screens.iter_mut().for_each(|times| times.sort_unstable());
        // Each screen by its median: what interrupts one of its rounds is the machine's, not the drawing's.
        let mut medians: Vec<Duration> = screens.iter().map(|times| times[times.len() / 2]).collect();
        medians.sort_unstable();
        let (middle, slowest) = (medians[medians.len() / 2], medians[medians.len() - 1]);
        let (width, height) = (display.size.width, display.size.height);
        let goal = GOALS.iter().find(|(size, _)| *size == (width, height)).map(|(_, goal)| *goal);
        let verdict = match goal {
            Some(goal) => {
                let verdict = if slowest <= goal { "reached" } else { "MISSED" };
                format!(
                    "goal <= {:.0} ms: {verdict} ({:.2} of it)",
                    in_ms(goal),
                    in_ms(slowest) / in_ms(goal)
                )
            }
            None => "no goal".to_owned(),
        };
        met &= goal.is_none_or(|goal| slowest <= goal);
        println!(
            "drawing {width}x{height}: {} screens, {ROUNDS} rounds: the middle one {:.2} ms, the slowest {:.2} ms, {verdict}",
            medians.len(),
            in_ms(middle),
            in_ms(slowest)
        );
    }
    met
}

/// The times of each screen, so many rounds of them.
fn draw_all(display: Display, fonts: &Fonts, rounds: usize) -> Vec<Vec<Duration>> {
    let samples = samples::all();
    let mut frame = Frame::new(display.size);
    let mut times = vec![Vec::with_capacity(rounds); samples.len() * 2];
    for _ in 0..rounds {
        let screens = samples.iter().flat_map(|sample| Language::ALL.map(|language| (sample, language)));
        for ((sample, language), times) in screens.zip(&mut times) {
            let start = clock();
            let screen = screen_of(sample, display, language);
            layout::draw(&screen, fonts, &mut frame, display.depth, 0);
            times.push(start.elapsed());
        }
    }
    times
}
