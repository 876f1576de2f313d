//! One screen for the member, drawn for any size of panel.
//!
//! The caller says what to show ([`Screen`]: colour, icon, words), this module only how. It knows nothing of members or
//! money; the wording and which outcome has which colour are the caller's.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;

use crate::panel::{Depth, Frame};
use crate::text::Fonts;

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
pub fn draw(screen: &Screen, fonts: &Fonts, frame: &mut Frame, depth: Depth, shown_ms: u32) -> Motion {
    let _ = (fonts, shown_ms);
    let background = match depth {
        Depth::Mono => Rgb888::BLACK,
        Depth::Rgb => screen.shade.colours().0,
    };
    frame.clear(background).unwrap_or_else(|never| match never {});
    Motion::Still
}
