//! What the tests of all drivers share: screens as members see them, and pictures at random.

use std::sync::LazyLock;

use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::*;

use super::{Depth, Frame};
use crate::layout::{self, Icon, Screen, Shade};
use crate::text::Fonts;

/// Unpacked once for all tests of a run.
static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::load);

/// A screen with a title and one line, drawn as the terminal draws it.
pub(super) fn screen(size: Size, depth: Depth, title: &str, line: &str) -> Frame {
    let screen = Screen {
        shade: Shade::Green,
        icon: Some(Icon::Check),
        title: title.to_owned(),
        lines: vec![line.to_owned()],
        footer: None,
    };
    let mut frame = Frame::new(size);
    layout::draw(&screen, &FONTS, &mut frame, depth, 0);
    frame
}

/// Noise in every pixel, the same for the same seed.
pub(super) fn noise(size: Size, seed: u32) -> Frame {
    let mut frame = Frame::new(size);
    let mut state = seed | 1;
    for point in frame.bounding_box().points() {
        // Xorshift: cheap, and no two neighbours are alike.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [_, r, g, b] = state.to_be_bytes();
        frame.set(point, Rgb888::new(r, g, b));
    }
    frame
}

/// The colours that 16 bits leave of a frame.
pub(super) fn in_16_bits(frame: &Frame) -> Frame {
    let mut reduced = Frame::new(frame.size());
    for point in frame.bounding_box().points() {
        let colour = frame.pixel(point).unwrap_or(Rgb888::BLACK);
        reduced.set(point, Rgb888::from(Rgb565::from(colour)));
    }
    reduced
}

/// Fails with the first pixel in which two pictures differ, instead of with all of them.
#[track_caller]
pub(super) fn assert_same(met: &Frame, expected: &Frame) {
    assert_eq!(met.size(), expected.size());
    if met == expected {
        return;
    }
    let differing = expected.bounding_box().points().find(|at| met.pixel(*at) != expected.pixel(*at));
    let colours = differing.map(|at| (at, met.pixel(at), expected.pixel(at)));
    assert_eq!(colours, None, "(place, met, expected)");
}
