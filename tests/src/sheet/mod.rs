//! The contact sheet: every outcome that a member can meet, on every display, in both languages, as one picture.
//!
//! The samples go the way of a real swipe: words by the terminal's rules, texts of its locale files, drawn by the
//! layout of its displays. So the picture shows what members see, and the checks beside it hold for them.

pub mod samples;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use hufu_edge::locale::Language;
use hufu_edge::run::effects::screen;
use hufu_hardware::layout::{self, LARGE_HEIGHT_MIN, Screen};
use hufu_hardware::panel::{Depth, Frame};
use hufu_hardware::text::{Fonts, Style};

use samples::Sample;

/// A display of the sheet, and how large one of its pixels is drawn: times, or divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Display {
    /// Size in pixels.
    pub size: Size,
    /// What a pixel shows.
    pub depth: Depth,
    /// Pixels of the sheet per pixel.
    pub times: u32,
    /// Pixels per pixel of the sheet.
    pub divided: u32,
}

/// The four sizes that screens are laid out for.
pub const DISPLAYS: [Display; 4] = [
    Display { size: Size::new(128, 64), depth: Depth::Mono, times: 2, divided: 1 },
    Display { size: Size::new(240, 240), depth: Depth::Rgb, times: 1, divided: 1 },
    Display { size: Size::new(320, 240), depth: Depth::Rgb, times: 1, divided: 1 },
    Display { size: Size::new(800, 480), depth: Depth::Rgb, times: 1, divided: 2 },
];

/// Space around each picture, in pixels.
const GAP: u32 = 10;
/// Height of a row's name, in pixels.
const NAME_PX: u32 = 16;
const PAPER: Rgb888 = Rgb888::new(0xd8, 0xdc, 0xe2);
const INK: Rgb888 = Rgb888::new(0x20, 0x24, 0x2a);

/// The screen of a sample on a display.
#[must_use]
pub fn screen_of(sample: &Sample, display: Display, language: Language) -> Screen {
    let large = display.size.height >= LARGE_HEIGHT_MIN;
    screen(sample.face, &sample.words, large, sample.footer.clone(), language)
}

/// What the display shows right after the swipe.
#[must_use]
pub fn picture(screen: &Screen, display: Display, fonts: &Fonts) -> Frame {
    let mut frame = Frame::new(display.size);
    layout::draw(screen, fonts, &mut frame, display.depth, 0);
    if display.depth == Depth::Mono { frame.to_mono() } else { frame }
}

impl Display {
    fn on_sheet(self) -> Size {
        Size::new(self.size.width * self.times / self.divided, self.size.height * self.times / self.divided)
    }
}

/// A picture of any height, row by row from the top left: a display's frame is limited, a sheet is not.
#[derive(Debug)]
pub struct Sheet {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    rgb: Vec<u8>,
}

impl Sheet {
    /// As a PNG file.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.rgb)?;
        Ok(file)
    }
}

/// The whole sheet: one strip for each sample.
#[must_use]
pub fn sheet(fonts: &Fonts) -> Sheet {
    let widths: u32 = DISPLAYS.iter().map(|display| 2 * (display.on_sheet().width + GAP)).sum();
    let tallest = DISPLAYS.iter().map(|display| display.on_sheet().height).max().unwrap_or(0);
    let size = Size::new(widths + GAP, tallest + NAME_PX + GAP);
    let mut sheet = Sheet { width: size.width, height: 0, rgb: Vec::new() };
    for sample in samples::all() {
        sheet.rgb.extend_from_slice(strip(&sample, size, fonts).rgb());
        sheet.height += size.height;
    }
    sheet
}

/// One sample on every display in both languages, under its name.
fn strip(sample: &Sample, size: Size, fonts: &Fonts) -> Frame {
    let mut strip = Frame::new(size);
    strip.clear(PAPER).unwrap_or_else(|never| match never {});
    let mut left = GAP;
    let at = Point::new(left.cast_signed(), 0);
    fonts.draw(sample.name, Style::Bitmap { scale: 1 }, at, INK, (0, i32::MAX), &mut strip);
    for display in DISPLAYS {
        for language in Language::ALL {
            let shown = picture(&screen_of(sample, display, language), display, fonts);
            place(&shown, display, Point::new(left.cast_signed(), NAME_PX.cast_signed()), &mut strip);
            left += display.on_sheet().width + GAP;
        }
    }
    strip
}

/// Copies a picture, larger or smaller; a smaller one is the mean of what falls together.
fn place(shown: &Frame, display: Display, corner: Point, sheet: &mut Frame) {
    let Size { width, height } = display.on_sheet();
    for y in 0..height {
        for x in 0..width {
            let (from_x, from_y) = (x * display.divided / display.times, y * display.divided / display.times);
            let mut sums = [0_u32; 3];
            for dy in 0..display.divided {
                for dx in 0..display.divided {
                    let from = Point::new((from_x + dx).cast_signed(), (from_y + dy).cast_signed());
                    let colour = shown.pixel(from).unwrap_or(Rgb888::BLACK);
                    for (sum, part) in sums.iter_mut().zip([colour.r(), colour.g(), colour.b()]) {
                        *sum += u32::from(part);
                    }
                }
            }
            let mean = sums.map(|sum| u8::try_from(sum / display.divided.pow(2)).unwrap_or(u8::MAX));
            let to = corner + Point::new(x.cast_signed(), y.cast_signed());
            sheet.set(to, Rgb888::new(mean[0], mean[1], mean[2]));
        }
    }
}

#[cfg(test)]
mod buses;
#[cfg(test)]
mod tests;
