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
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment};

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

/// Where everything of a screen stands. Made once per screen; painting it again as a line scrolls costs little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    size: Size,
    colours: (Rgb888, Rgb888),
    pieces: Vec<Piece>,
}

/// Something that stands somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// One line of text within columns (x from, x to), `width` pixels wide.
    Text { text: String, style: Style, columns: (u32, u32), y: u32, width: u32 },
    /// A shape in a square.
    Icon { icon: Icon, x: u32, y: u32, px: u32 },
    /// A border around everything.
    Border { px: u32, colour: Rgb888 },
}

/// Draws a screen over the whole frame. `shown_ms` is for how long it has been shown, which moves scrolling lines.
///
/// On a one-bit panel all shades are light on dark; the icon alone tells outcomes apart.
pub fn draw(screen: &Screen, fonts: &Fonts, frame: &mut Frame, depth: Depth, shown_ms: u32) -> Motion {
    arrange(screen, fonts, frame.size(), depth).paint(fonts, frame, shown_ms)
}

/// Where everything of a screen stands on a panel of this size.
#[must_use]
pub fn arrange(screen: &Screen, fonts: &Fonts, size: Size, depth: Depth) -> Arrangement {
    let colours = match depth {
        Depth::Mono => (Rgb888::BLACK, Rgb888::WHITE),
        Depth::Rgb => screen.shade.colours(),
    };
    let mut canvas = Canvas { fonts, size, pieces: Vec::new() };
    if size.height < LARGE_HEIGHT_MIN {
        small::draw(screen, &mut canvas);
    } else {
        large::draw(screen, &mut canvas);
    }
    Arrangement { size, colours, pieces: canvas.pieces }
}

/// Panels at least this high, in pixels, get the layout for large ones.
pub const LARGE_HEIGHT_MIN: u32 = 100;
/// A line that scrolls stands still for this long first, in milliseconds.
pub const SCROLL_HOLD_MS: u32 = 1_200;
/// Time between two pictures of a scrolling line, in milliseconds.
pub const SCROLL_STEP_MS: u32 = 60;

impl Arrangement {
    /// Draws it over the whole frame, which has the size that it was made for.
    pub fn paint(&self, fonts: &Fonts, frame: &mut Frame, shown_ms: u32) -> Motion {
        frame.clear(self.colours.0).unwrap_or_else(|never| match never {});
        self.paint_at(Point::zero(), fonts, frame, shown_ms)
    }

    /// Draws it with its corner at a point, upon what is there.
    fn paint_at(&self, corner: Point, fonts: &Fonts, frame: &mut Frame, shown_ms: u32) -> Motion {
        let ink = self.colours.1;
        let mut motion = Motion::Still;
        for piece in &self.pieces {
            match piece {
                Piece::Text { text, style, columns, y, width } => {
                    let (left, right) =
                        (columns.0.cast_signed() + corner.x, columns.1.cast_signed() + corner.x);
                    let y = y.cast_signed() + corner.y;
                    let room = columns.1.saturating_sub(columns.0);
                    if *width <= room {
                        let x = left + ((room - width) / 2).cast_signed();
                        fonts.draw(text, *style, Point::new(x, y), ink, (left, right), frame);
                        continue;
                    }
                    let around = width + 2 * style.px();
                    let x = left - scrolled(*style, around, shown_ms);
                    for x in [x, x + around.cast_signed()] {
                        fonts.draw(text, *style, Point::new(x, y), ink, (left, right), frame);
                    }
                    let hold = SCROLL_HOLD_MS.saturating_sub(shown_ms);
                    motion = Motion::AgainInMs(hold.max(SCROLL_STEP_MS));
                }
                Piece::Icon { icon, x, y, px } => {
                    let at = corner + Point::new(x.cast_signed(), y.cast_signed());
                    icon::draw(*icon, at, *px, ink, frame);
                }
                Piece::Border { px, colour } => {
                    let style = PrimitiveStyleBuilder::new()
                        .stroke_color(*colour)
                        .stroke_width(*px)
                        .stroke_alignment(StrokeAlignment::Inside)
                        .build();
                    let border = Rectangle::new(corner, self.size).into_styled(style);
                    border.draw(frame).unwrap_or_else(|never| match never {});
                }
            }
        }
        motion
    }
}

/// How far a line has moved that comes round after so many pixels. Two and a half characters a second is slow enough
/// to read.
fn scrolled(style: Style, around: u32, shown_ms: u32) -> i32 {
    let moved = shown_ms.saturating_sub(SCROLL_HOLD_MS) / SCROLL_STEP_MS;
    let step = (style.px() * 5 / 2 * SCROLL_STEP_MS).div_ceil(1_000);
    let offset = (u64::from(moved) * u64::from(step)) % u64::from(around);
    i32::try_from(offset).unwrap_or(0)
}

/// What both layouts place their pieces on.
struct Canvas<'a> {
    fonts: &'a Fonts,
    size: Size,
    pieces: Vec<Piece>,
}

impl Canvas<'_> {
    fn width(&self) -> u32 {
        self.size.width
    }

    fn height(&self) -> u32 {
        self.size.height
    }

    /// Places one line within the columns: centred if it fits, else it scrolls round for ever.
    fn line(&mut self, text: &str, style: Style, columns: (u32, u32), y: u32) {
        let width = self.fonts.measure(text, style);
        self.pieces.push(Piece::Text { text: text.to_owned(), style, columns, y, width });
    }

    fn icon(&mut self, icon: Icon, x: u32, y: u32, px: u32) {
        self.pieces.push(Piece::Icon { icon, x, y, px });
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
