//! Reading what an ESC/POS printer would put onto its paper, and drawing it.
//!
//! Strict: a command that is not in the table is an error that names its place, as a model that lacks it would print
//! rubbish there. Only how a wide letter is fitted into its cell is shared with the encoder, for looks.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, RgbColor, Size};
use encoding_rs::GB18030;
use fast_qr::{ECL, QRBuilder};

use crate::panel::Frame;
use crate::printer::escpos::fitted;
use crate::text::{Fonts, is_invisible};

/// What lies on the paper, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A line of text.
    Text {
        /// What it says.
        text: String,
        /// In the middle.
        centre: bool,
        /// Heavier strokes.
        bold: bool,
        /// 1 or 2.
        scale: u32,
    },
    /// A QR code that the printer made.
    Qr {
        /// What it says.
        data: String,
        /// Side of a module in dots.
        module: u32,
    },
    /// A picture.
    Picture {
        /// Dots of a line.
        width: u32,
        /// Lines.
        height: u32,
        /// Row by row; true is black.
        dots: Vec<bool>,
    },
    /// Paper fed, in lines.
    Feed(u32),
    /// A cut.
    Cut,
    /// The printer was asked to answer in its turn.
    Turn,
    /// The printer was asked how it is, by this number.
    Asked(u8),
}

/// The bytes are none that this printer knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no command known at byte {at}: {met:02x?}")]
pub struct Unknown {
    /// Place of the first byte.
    pub at: usize,
    /// What stands there.
    pub met: Vec<u8>,
}

#[derive(Default)]
struct Head {
    centre: bool,
    bold: bool,
    scale: u32,
    qr_module: u32,
    qr_data: Vec<u8>,
    line: Vec<u8>,
    han: bool,
}

/// What these bytes put onto the paper.
///
/// # Errors
/// [`Unknown`] at the first command that is not known or not whole.
pub fn read(bytes: &[u8]) -> Result<Vec<Piece>, Unknown> {
    let mut pieces = Vec::new();
    let mut head = Head { scale: 1, qr_module: 3, ..Head::default() };
    let mut at = 0;
    while at < bytes.len() {
        let unknown = || Unknown { at, met: bytes[at..bytes.len().min(at + 8)].to_vec() };
        let taken = step(&bytes[at..], &mut head, &mut pieces).ok_or_else(unknown)?;
        at += taken;
    }
    if !head.line.is_empty() {
        return Err(Unknown { at: bytes.len(), met: head.line });
    }
    Ok(pieces)
}

/// Carries out the command that the bytes begin with; how many bytes it took.
fn step(rest: &[u8], head: &mut Head, pieces: &mut Vec<Piece>) -> Option<usize> {
    Some(match rest {
        [0x10, 0x04, n @ 1..=4, ..] => {
            pieces.push(Piece::Asked(*n));
            3
        }
        [0x1b, b'@', ..] => {
            *head = Head { scale: 1, qr_module: 3, ..Head::default() };
            2
        }
        [0x1c, b'&', ..] => {
            head.han = true;
            2
        }
        [0x1b, b'a', side @ 0..=1, ..] => {
            head.centre = *side == 1;
            3
        }
        [0x1b, b'E', bold @ 0..=1, ..] => {
            head.bold = *bold == 1;
            3
        }
        [0x1d, b'!', size @ (0x00 | 0x11), ..] => {
            head.scale = u32::from(size & 0x0f) + 1;
            3
        }
        [0x1b, b'd', lines, ..] => {
            pieces.push(Piece::Feed(u32::from(*lines)));
            3
        }
        [0x1d, b'V', 0..=1, ..] => {
            pieces.push(Piece::Cut);
            3
        }
        [0x1d, b'r', 1, ..] => {
            pieces.push(Piece::Turn);
            3
        }
        [0x1d, b'(', b'k', low, high, tail @ ..] => {
            let length = usize::from(*low) + usize::from(*high) * 256;
            qr_function(tail.get(..length)?, head, pieces)?;
            5 + length
        }
        [0x1d, b'v', b'0', 0, xl, xh, yl, yh, tail @ ..] => {
            let number = |low: u8, high: u8| usize::from(low) + usize::from(high) * 256;
            let (across, down) = (number(*xl, *xh), number(*yl, *yh));
            let data = tail.get(..across * down)?;
            let dots = data.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
            pieces.push(Piece::Picture {
                width: u32::try_from(across * 8).ok()?,
                height: u32::try_from(down).ok()?,
                dots: dots.collect(),
            });
            8 + across * down
        }
        _ => letter(rest, head, pieces)?,
    })
}

/// Takes a letter, or the end of a line.
fn letter(rest: &[u8], head: &mut Head, pieces: &mut Vec<Piece>) -> Option<usize> {
    Some(match rest {
        [b'\n', ..] => {
            let (text, wrong) = GB18030.decode_without_bom_handling(&head.line);
            // Without Chinese on, bytes above 7F are letters of some western page.
            if wrong || !head.han && !head.line.is_ascii() {
                return None;
            }
            let text = text.into_owned();
            pieces.push(Piece::Text { text, centre: head.centre, bold: head.bold, scale: head.scale });
            head.line.clear();
            1
        }
        [byte @ 0x20..=0x7e, ..] => {
            head.line.push(*byte);
            1
        }
        // Lead bytes of GB18030: the next one says whether two or four belong together.
        [lead @ 0x81..=0xfe, second @ 0x30..=0x39, third, fourth, ..] => {
            head.line.extend([lead, second, third, fourth]);
            4
        }
        [lead @ 0x81..=0xfe, second @ 0x40..=0xfe, ..] => {
            head.line.extend([lead, second]);
            2
        }
        _ => return None,
    })
}

fn qr_function(function: &[u8], head: &mut Head, pieces: &mut Vec<Piece>) -> Option<()> {
    match function {
        [b'1', 65, b'2', 0] | [b'1', 69, b'0'..=b'3'] => {}
        [b'1', 67, module @ 1..=16] => head.qr_module = u32::from(*module),
        [b'1', 80, b'0', data @ ..] => head.qr_data = data.to_vec(),
        [b'1', 81, b'0'] => {
            let data = String::from_utf8(head.qr_data.clone()).ok()?;
            pieces.push(Piece::Qr { data, module: head.qr_module });
        }
        _ => return None,
    }
    Some(())
}

/// Dots from line to line.
const LINE_DOTS: i32 = 30;

/// The paper as a picture, black on white, `width` dots across.
#[must_use]
pub fn draw(pieces: &[Piece], width: u32) -> Frame {
    let fonts = Fonts::load();
    let height: u32 = pieces.iter().map(height_of).sum::<u32>() + 40;
    let mut frame = Frame::new(Size::new(width, height));
    let paper = frame.size_of();
    for x in 0..paper.0 {
        for y in 0..paper.1 {
            frame.set(Point::new(x, y), Rgb888::WHITE);
        }
    }
    let mut y = 20;
    for piece in pieces {
        match piece {
            Piece::Text { text, centre, bold, scale } => {
                draw_text(&mut frame, &fonts, text, (*centre, *bold, *scale), y);
            }
            Piece::Qr { data, module } => {
                if let Ok(code) = QRBuilder::new(data.as_str()).ecl(ECL::M).build() {
                    let side = i32::try_from(code.size).unwrap_or(0);
                    let module = module.cast_signed();
                    let left = (paper.0 - side * module) / 2;
                    let is_black = |x: i32, y: i32| {
                        let cell = |n: i32| usize::try_from(n / module).unwrap_or(0);
                        code[cell(y)][cell(x)].value()
                    };
                    blacken(&mut frame, (left, y), (side * module, side * module), is_black);
                }
            }
            Piece::Picture { width, height, dots } => {
                let across = width.cast_signed();
                let is_black = |x: i32, y: i32| dots[usize::try_from(y * across + x).unwrap_or(0)];
                blacken(&mut frame, (0, y), (across, height.cast_signed()), is_black);
            }
            Piece::Cut => {
                blacken(&mut frame, (0, y), (paper.0, 1), |x, _| x / 6 % 2 == 0);
            }
            Piece::Feed(_) | Piece::Turn | Piece::Asked(_) => {}
        }
        y += height_of(piece).cast_signed();
    }
    frame
}

impl Frame {
    fn size_of(&self) -> (i32, i32) {
        use embedded_graphics::prelude::OriginDimensions as _;
        (self.size().width.cast_signed(), self.size().height.cast_signed())
    }
}

fn height_of(piece: &Piece) -> u32 {
    let line = LINE_DOTS.cast_unsigned();
    match piece {
        Piece::Text { scale, .. } => line * scale,
        Piece::Qr { data, module } => {
            let side = QRBuilder::new(data.as_str()).ecl(ECL::M).build().map_or(0, |code| code.size);
            u32::try_from(side).unwrap_or(0) * module
        }
        Piece::Picture { height, .. } => *height,
        Piece::Feed(lines) => line * lines,
        Piece::Cut => 2,
        Piece::Turn | Piece::Asked(_) => 0,
    }
}

fn blacken(frame: &mut Frame, at: (i32, i32), size: (i32, i32), is_black: impl Fn(i32, i32) -> bool) {
    for y in 0..size.1 {
        for x in 0..size.0 {
            if is_black(x, y) {
                frame.set(Point::new(at.0 + x, at.1 + y), Rgb888::BLACK);
            }
        }
    }
}

/// Letter by letter in cells of 12 or 24 dots, as a print head does it.
fn draw_text(frame: &mut Frame, fonts: &Fonts, text: &str, look: (bool, bool, u32), y: i32) {
    let (centre, bold, scale) = look;
    let cell = |c: char| match c {
        c if is_invisible(c) => 0,
        c if c.is_ascii() => 12 * scale.cast_signed(),
        _ => 24 * scale.cast_signed(),
    };
    let taken: i32 = text.chars().map(cell).sum();
    let mut x = if centre { (frame.size_of().0 - taken) / 2 } else { 0 };
    for c in text.chars() {
        let right = x + cell(c);
        let mut letter = [0; 4];
        let letter = c.encode_utf8(&mut letter);
        let (style, down) = fitted(letter, cell(c).cast_unsigned(), (24 * scale, bold), fonts);
        let own = fonts.measure(letter, style).cast_signed();
        let from = x + (cell(c) - own).max(0) / 2;
        fonts.draw(letter, style, Point::new(from, y + 2 + down), Rgb888::BLACK, (x, right), frame);
        x = right;
    }
}
