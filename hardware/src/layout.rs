//! One screen for the member, drawn for any size of panel.
//!
//! The caller says what to show ([`Screen`]: colour, icon, words), this module only how. It knows nothing of members or
//! money; the wording and which outcome has which colour are the caller's.
//!
//! Invariants: no word of a screen is clipped or left out (but the footer where there is no room): what does not fit
//! gets smaller, then wraps, then scrolls; every pixel of the frame is drawn anew.

mod icon;
mod large;
mod small;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;

use crate::panel::{Depth, Frame};
use crate::text::{Fonts, Style, fit};

/// Background and foreground of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shade {
    /// Accepted: white on green.
    Green,
    /// Already in: green on pale, with a green outline.
    GreenOutline,
    /// Recorded, not confirmed: dark on amber.
    Amber,
    /// Refused: white on red.
    Red,
    /// Attention, unknown, not read: white on blue.
    Blue,
    /// Not ready: white on grey.
    Grey,
    /// Idle: light on near-black.
    Dark,
}

/// The shape that says the outcome without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Icon {
    /// A tick in a circle: accepted.
    Check,
    /// A clock: recorded, not confirmed.
    Clock,
    /// A cross in an octagon: refused.
    Cross,
    /// An exclamation mark in a triangle: attention.
    Warning,
    /// Two ticks: already in.
    DoubleCheck,
    /// A present: redeemed.
    Gift,
    /// A question mark: unknown.
    Question,
    /// Waves: not read, hold still.
    Wave,
    /// A plug: not ready.
    Plug,
    /// A card before waves: idle, "tap here".
    Card,
}

/// What a panel is to show. All words come from the caller, in the member's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Colours.
    pub shade: Shade,
    /// Shape, if any.
    pub icon: Option<Icon>,
    /// The one thing to be read from two metres away.
    pub title: String,
    /// Further lines, the most important first.
    pub lines: Vec<String>,
    /// Small at the bottom (time of day, place); left out where there is no room.
    pub footer: Option<String>,
}

/// Whether what was drawn must be drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Complete as it is.
    Still,
    /// A line scrolls: draw again after this many milliseconds.
    AgainInMs(u32),
}

impl Shade {
    /// Background and foreground.
    #[must_use]
    pub fn colours(self) -> (Rgb888, Rgb888) {
        let white = Rgb888::WHITE;
        match self {
            Self::Green => (rgb(0x0f_6b37), white),
            Self::GreenOutline => (rgb(0xe3_f4e8), rgb(0x0f_5a2b)),
            Self::Amber => (rgb(0xff_c53d), rgb(0x24_1a00)),
            Self::Red => (rgb(0xb3_141b), white),
            Self::Blue => (rgb(0x0b_4a8f), white),
            Self::Grey => (rgb(0x3a_4353), white),
            Self::Dark => (rgb(0x10_151d), white),
        }
    }
}

fn rgb(hex: u32) -> Rgb888 {
    let [_, r, g, b] = hex.to_be_bytes();
    Rgb888::new(r, g, b)
}

/// Draws a screen over the whole frame. `shown_ms` is for how long it has been shown, which moves scrolling lines.
///
/// On a one-bit panel all shades are light on dark; the icon alone tells outcomes apart.
pub fn draw(screen: &Screen, fonts: &Fonts, frame: &mut Frame, depth: Depth, shown_ms: u32) -> Motion {
    let (paper, ink) = match depth {
        Depth::Mono => (Rgb888::BLACK, Rgb888::WHITE),
        Depth::Rgb => screen.shade.colours(),
    };
    frame.clear(paper).unwrap_or_else(|never| match never {});
    let height = frame.size().height;
    let mut canvas = Canvas { fonts, frame, ink, shown_ms, motion: Motion::Still };
    if height < LARGE_HEIGHT_MIN {
        small::draw(screen, &mut canvas);
    } else {
        large::draw(screen, &mut canvas);
    }
    canvas.motion
}

/// Panels at least this high, in pixels, get the layout for large ones.
pub const LARGE_HEIGHT_MIN: u32 = 100;
/// A line that scrolls stands still for this long first, in milliseconds.
pub const SCROLL_HOLD_MS: u32 = 1_200;
/// Time between two pictures of a scrolling line, in milliseconds.
pub const SCROLL_STEP_MS: u32 = 60;

/// What both layouts draw with.
struct Canvas<'a> {
    fonts: &'a Fonts,
    frame: &'a mut Frame,
    ink: Rgb888,
    shown_ms: u32,
    motion: Motion,
}

impl Canvas<'_> {
    fn width(&self) -> u32 {
        self.frame.size().width
    }

    fn height(&self) -> u32 {
        self.frame.size().height
    }

    /// Draws one line within the columns: centred if it fits, else it scrolls round for ever.
    fn line(&mut self, text: &str, style: Style, columns: (u32, u32), y: u32) {
        let room = columns.1.saturating_sub(columns.0);
        let width = self.fonts.measure(text, style);
        let (left, right) = (columns.0.cast_signed(), columns.1.cast_signed());
        let y = y.cast_signed();
        if width <= room {
            let x = left + ((room - width) / 2).cast_signed();
            self.fonts.draw(text, style, Point::new(x, y), self.ink, (left, right), self.frame);
            return;
        }
        // Two and a half characters a second is slow enough to read.
        let gap = 2 * style.px();
        let moved = self.shown_ms.saturating_sub(SCROLL_HOLD_MS) / SCROLL_STEP_MS;
        let step = (style.px() * 5 / 2 * SCROLL_STEP_MS).div_ceil(1_000);
        let offset = (u64::from(moved) * u64::from(step)) % u64::from(width + gap);
        let x = left - i32::try_from(offset).unwrap_or(0);
        for x in [x, x + (width + gap).cast_signed()] {
            self.fonts.draw(text, style, Point::new(x, y), self.ink, (left, right), self.frame);
        }
        let hold = SCROLL_HOLD_MS.saturating_sub(self.shown_ms);
        self.motion = Motion::AgainInMs(hold.max(SCROLL_STEP_MS));
    }

    fn icon(&mut self, icon: Icon, x: u32, y: u32, px: u32) {
        icon::draw(icon, Point::new(x.cast_signed(), y.cast_signed()), px, self.ink, self.frame);
    }

    /// True if no word has to be cut to wrap the text.
    fn breaks_cleanly(&self, text: &str, style: Style, room: u32) -> bool {
        fit::breaks_cleanly(text, room, &|part| self.fonts.measure(part, style))
    }

    /// The rows of a text in a style, broken so that each fits.
    fn wrap(&self, text: &str, style: Style, room: u32) -> Vec<String> {
        fit::wrap(text, room, &|part| self.fonts.measure(part, style))
    }
}

#[cfg(test)]
mod tests;
