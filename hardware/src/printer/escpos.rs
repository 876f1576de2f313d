//! ESC/POS bytes of a ticket, pure.
//!
//! Text is GB18030, which covers all of Unicode, so no character is without a code. A printer's font is smaller: most
//! hold GBK (every code of two bytes) and print nothing for codes of four. A line that needs such a character (䶮, 𬭎)
//! is therefore drawn with this program's own faces and sent as a picture, unless the printer is said to have them all.
//!
//! Only these commands are sent: `ESC @`, `FS &`, `ESC a`, `ESC E`, `GS !`, `GS ( k`, `GS v 0`, `ESC d`, `GS V`.
//! Out of scope: asking for the status, carrying the bytes.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, RgbColor, Size};
use encoding_rs::GB18030;
use fast_qr::{ECL, QRBuilder};

use super::device::Profile;
use super::ticket::{self, Align, COLUMN_DOTS, LINE_DOTS, Line, Ticket, Width};
use crate::panel::Frame;
use crate::text::{Fonts, Style};

const ESC: u8 = 0x1b;
const FS: u8 = 0x1c;
const GS: u8 = 0x1d;
const LF: u8 = b'\n';

/// Lines fed before the cut: between the head and the blade lie some 15 mm.
const FEED_LINES: u8 = 4;
/// Side of a QR module in dots, at most.
const QR_MODULE_DOTS: u32 = 6;
/// Width of the quiet zone around a code, in modules.
const QR_QUIET_MODULES: u32 = 4;
/// Height of a drawn line of text in dots: as a printed one with its gap.
const DRAWN_LINE_DOTS: u32 = 30;

/// The bytes of a whole ticket.
#[must_use]
pub fn encode(ticket: &Ticket, profile: &Profile, fonts: &Fonts) -> Vec<u8> {
    // Start from a known state, with Chinese text on.
    let mut out = vec![ESC, b'@', FS, b'&'];
    for line in ticket.lines(profile.width) {
        match line {
            Line::Text { text, align, bold, double } => {
                if profile.font_is_gbk && !is_gbk(&text) {
                    out.extend(drawn(&text, (align, bold, double), profile.width, fonts));
                } else {
                    text_line(&mut out, &text, align, bold, double);
                }
            }
            Line::Qr(data) if profile.draws_qr => qr_native(&mut out, &data, profile.width),
            Line::Qr(data) => out.extend(qr_drawn(&data, profile.width)),
        }
    }
    out.extend([ESC, b'd', FEED_LINES]);
    if profile.cuts {
        out.extend([GS, b'V', 1]);
    }
    out
}

fn text_line(out: &mut Vec<u8>, text: &str, align: Align, bold: bool, double: bool) {
    let side = if align == Align::Centre { 1 } else { 0 };
    let size = if double { 0x11 } else { 0x00 };
    out.extend([ESC, b'a', side, ESC, b'E', u8::from(bold), GS, b'!', size]);
    out.extend_from_slice(&GB18030.encode(&shown(text)).0);
    out.push(LF);
}

/// Without the marks that only say where to break.
fn shown(text: &str) -> String {
    text.chars().filter(|c| ticket::columns_of(*c) > 0).collect()
}

/// Whether every character has a code of at most two bytes.
#[must_use]
pub fn is_gbk(text: &str) -> bool {
    shown(text).chars().all(|c| GB18030.encode(c.encode_utf8(&mut [0; 4])).0.len() <= 2)
}

/// A line drawn with our own faces, on the same grid of columns, as a picture.
fn drawn(text: &str, look: (Align, bool, bool), width: Width, fonts: &Fonts) -> Vec<u8> {
    let (align, bold, double) = look;
    let scale = if double { 2 } else { 1 };
    let mut frame = Frame::new(Size::new(width.dots(), DRAWN_LINE_DOTS * scale));
    let taken = ticket::measure(text) * COLUMN_DOTS * scale;
    let mut x = if align == Align::Centre { width.dots().saturating_sub(taken) / 2 } else { 0 };
    let top = ((DRAWN_LINE_DOTS - LINE_DOTS) * scale / 2).cast_signed();
    for c in text.chars() {
        let cell = ticket::columns_of(c) * COLUMN_DOTS * scale;
        let edges = (x.cast_signed(), (x + cell).cast_signed());
        let mut glyph = [0; 4];
        let glyph = c.encode_utf8(&mut glyph);
        let (style, down) = fitted(glyph, cell, (LINE_DOTS * scale, bold), fonts);
        fonts.draw(glyph, style, Point::new(edges.0, top + down), Rgb888::WHITE, edges, &mut frame);
        x += cell;
    }
    raster(width.dots(), DRAWN_LINE_DOTS * scale, |x, y| frame.is_lit(Point::new(x, y)))
}

/// Our faces are proportional, the grid is not: a letter that is wider than its cell is drawn smaller, and lower by what
/// it lost in height. Returns its style and by how many dots lower.
pub(crate) fn fitted(glyph: &str, cell: u32, (px, heavy): (u32, bool), fonts: &Fonts) -> (Style, i32) {
    let own = fonts.measure(glyph, Style::Outline { px, heavy }).max(1);
    let fits = if own > cell { px * cell / own } else { px };
    (Style::Outline { px: fits, heavy }, ((px - fits) * 3 / 4).cast_signed())
}

/// `GS v 0`: a picture of one bit per dot, full lines.
fn raster(width: u32, height: u32, is_black: impl Fn(i32, i32) -> bool) -> Vec<u8> {
    let low_high = |n: u32| [(n & 0xff) as u8, (n >> 8 & 0xff) as u8];
    let [[xl, xh], [yl, yh]] = [low_high(width / 8), low_high(height)];
    let mut out = vec![ESC, b'a', 0, GS, b'v', b'0', 0, xl, xh, yl, yh];
    for y in 0..height.cast_signed() {
        for byte in 0..(width / 8).cast_signed() {
            let bits = (0..8).fold(0, |bits, bit| bits << 1 | u8::from(is_black(byte * 8 + bit, y)));
            out.push(bits);
        }
    }
    out
}

/// `GS ( k`: the printer makes the code itself.
fn qr_native(out: &mut Vec<u8>, data: &str, width: Width) {
    let modules = QRBuilder::new(data).ecl(ECL::M).build().map_or(41, |code| code.size);
    let dots = module_dots(u32::try_from(modules).unwrap_or(41), width);
    let mut function = |number: u8, parameters: &[u8]| {
        let length = u16::try_from(parameters.len() + 2).unwrap_or(u16::MAX).to_le_bytes();
        out.extend([GS, b'(', b'k', length[0], length[1], b'1', number]);
        out.extend_from_slice(parameters);
    };
    function(65, b"2\0");
    function(67, &[u8::try_from(dots).unwrap_or(4)]);
    // Level M: a fold or a drop of water does not spoil it.
    function(69, b"1");
    let stored: Vec<u8> = [b"0", data.as_bytes()].concat();
    function(80, &stored);
    out.extend([ESC, b'a', 1]);
    let mut function =
        |number: u8, parameter: u8| out.extend([GS, b'(', b'k', 3, 0, b'1', number, parameter]);
    function(81, b'0');
}

/// The code drawn here. A text that no code holds becomes an empty picture, which the caller's tests rule out.
fn qr_drawn(data: &str, width: Width) -> Vec<u8> {
    let Ok(code) = QRBuilder::new(data).ecl(ECL::M).build() else { return Vec::new() };
    let side = u32::try_from(code.size).unwrap_or(0);
    let dots = module_dots(side, width).cast_signed();
    let left = (width.dots().cast_signed() - side.cast_signed() * dots) / 2;
    let quiet = QR_QUIET_MODULES.cast_signed() * dots / 2;
    let height = side.cast_signed() * dots + 2 * quiet;
    raster(width.dots(), height.cast_unsigned(), |x, y| {
        let (column, row) = ((x - left).div_euclid(dots), (y - quiet).div_euclid(dots));
        let inside = |n: i32| usize::try_from(n).ok().filter(|n| *n < code.size);
        inside(column).zip(inside(row)).is_some_and(|(column, row)| code[row][column].value())
    })
}

/// As large as fits with its quiet zone.
fn module_dots(modules: u32, width: Width) -> u32 {
    (width.dots() / (modules + 2 * QR_QUIET_MODULES)).clamp(1, QR_MODULE_DOTS)
}
