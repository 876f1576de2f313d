//! Text that never drops a character: faces, measuring, drawing.
//!
//! Names of members hold rare characters (喆, 堃, 䶮, 𬭎). Four faces stand behind each other: an outline face with all
//! of 通用规范汉字表, one with the rest of GBK, one with the rest of GB 18030-2022 level 2, and a 16-pixel bitmap face with
//! most of Unicode. What none of
//! them has is drawn as `〓`, which says "a character stands here", and never vanishes.
//!
//! Invariants: `measure` is what `draw` covers; characters without a shape of their own (variation selectors, zero-width
//! joiners, direction marks) have no width; faces are unpacked when first needed, so a small panel pays only for the
//! bitmaps.
//!
//! Out of scope: shaping of scripts that need it (Arabic, Tibetan, Mongolian), right-to-left text.

mod bitmap;
pub mod fit;
mod outline;

use std::io::Read;
use std::sync::OnceLock;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::Point;

use self::bitmap::BitmapFace;
use self::outline::OutlineFace;
use crate::panel::Frame;

/// What stands for a character that no face has.
pub const MISSING: char = '〓';

/// Height of a bitmap glyph in pixels.
pub const BITMAP_PX: u32 = 16;

/// Face and size of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// The bitmap face at a whole multiple of 16 pixels: crisp on small one-bit panels.
    Bitmap {
        /// 1 is 16 pixels.
        scale: u32,
    },
    /// The outline faces with smooth edges.
    Outline {
        /// Height of a Han character in pixels.
        px: u32,
        /// Heavier strokes, for titles.
        heavy: bool,
    },
}

impl Style {
    /// Height of a Han character in pixels.
    #[must_use]
    pub fn px(self) -> u32 {
        match self {
            Self::Bitmap { scale } => BITMAP_PX * scale,
            Self::Outline { px, .. } => px,
        }
    }

    /// Distance from line to line in pixels: room above for marks, below for descenders.
    #[must_use]
    pub fn line_px(self) -> u32 {
        match self {
            Self::Bitmap { .. } => self.px(),
            Self::Outline { px, .. } => px + px.div_ceil(4),
        }
    }

    /// How far strokes are widened to the right.
    fn spread(self) -> u32 {
        match self {
            Self::Outline { px, heavy: true } => px.div_ceil(32),
            _ => 0,
        }
    }
}

/// The faces, handed to whoever draws. Making one costs nothing; faces are unpacked when first used.
#[derive(Debug, Default)]
pub struct Fonts {
    bitmap: OnceLock<Option<BitmapFace>>,
    main: OnceLock<Option<OutlineFace>>,
    rest: OnceLock<Option<OutlineFace>>,
    more: OnceLock<Option<OutlineFace>>,
}

impl Fonts {
    /// The faces that are inside the program.
    #[must_use]
    pub fn load() -> Self {
        Self::default()
    }

    /// Width of a text in pixels.
    #[must_use]
    pub fn measure(&self, text: &str, style: Style) -> u32 {
        let advances: u32 = text.chars().map(|c| self.advance(c, style)).sum();
        advances + if advances > 0 { style.spread() } else { 0 }
    }

    /// Draws one line, its top left corner at `at`. Line breaks and other controls are drawn as spaces. Parts outside
    /// the frame or outside `columns` (x from, x to) are not drawn. Returns the x where the text ends.
    pub fn draw(
        &self,
        text: &str,
        style: Style,
        at: Point,
        colour: Rgb888,
        columns: (i32, i32),
        frame: &mut Frame,
    ) -> i32 {
        let mut x = at.x;
        for c in text.chars() {
            let advance = self.advance(c, style).cast_signed();
            if x + advance >= columns.0 && x <= columns.1 {
                let mut put = |point: Point, coverage: u8| {
                    if (columns.0..columns.1).contains(&point.x) {
                        frame.blend(point, colour, coverage);
                    }
                };
                self.glyph(c, style, Point::new(x, at.y), &mut put);
            }
            x += advance;
        }
        x
    }

    /// True if the character is drawn as itself in this style, and not as [`MISSING`].
    #[must_use]
    pub fn has(&self, c: char, style: Style) -> bool {
        if is_invisible(c) || c.is_control() {
            return true;
        }
        let outlined = || self.outline_for(c).is_some();
        let in_bitmap = || self.bitmap().is_some_and(|face| face.glyph(c).is_some());
        match style {
            Style::Bitmap { .. } => in_bitmap(),
            Style::Outline { .. } => outlined() || in_bitmap(),
        }
    }

    fn advance(&self, c: char, style: Style) -> u32 {
        if is_invisible(c) {
            return 0;
        }
        let c = if c.is_control() { ' ' } else { c };
        if let Style::Outline { px, .. } = style
            && let Some(face) = self.outline_for(c)
        {
            return face.advance(c, px);
        }
        match self.bitmap_or_missing(c) {
            Some(glyph) => glyph.columns * style.px() / BITMAP_PX,
            None => style.px(),
        }
    }

    fn glyph(&self, c: char, style: Style, at: Point, put: &mut dyn FnMut(Point, u8)) {
        if is_invisible(c) || c.is_control() {
            return;
        }
        if let Style::Outline { px, .. } = style
            && let Some(face) = self.outline_for(c)
        {
            face.draw(c, px, style.spread(), at, put);
            return;
        }
        match self.bitmap_or_missing(c) {
            Some(glyph) => glyph.draw(style.px(), at, put),
            None => bitmap::draw_missing(style.px(), at, put),
        }
    }

    fn outline_for(&self, c: char) -> Option<&OutlineFace> {
        // A further face is unpacked only if those before lack a character that it may have.
        let main = self.main().filter(|face| face.has(c));
        main.or_else(|| self.rest().filter(|face| face.has(c)))
            .or_else(|| self.more().filter(|face| face.has(c)))
    }

    fn bitmap_or_missing(&self, c: char) -> Option<bitmap::Glyph<'_>> {
        let face = self.bitmap()?;
        face.glyph(c).or_else(|| face.glyph(MISSING))
    }

    fn bitmap(&self) -> Option<&BitmapFace> {
        let packed = include_bytes!("../../assets/bitmap16.bin");
        self.bitmap.get_or_init(|| BitmapFace::parse(unpack(packed)?)).as_ref()
    }

    fn main(&self) -> Option<&OutlineFace> {
        let packed = include_bytes!("../../assets/outline-main.bin");
        self.main.get_or_init(|| OutlineFace::parse(unpack(packed)?)).as_ref()
    }

    fn rest(&self) -> Option<&OutlineFace> {
        let packed = include_bytes!("../../assets/outline-rest.bin");
        self.rest.get_or_init(|| OutlineFace::parse(unpack(packed)?)).as_ref()
    }

    fn more(&self) -> Option<&OutlineFace> {
        let packed = include_bytes!("../../assets/outline-more.bin");
        self.more.get_or_init(|| OutlineFace::parse(unpack(packed)?)).as_ref()
    }
}

/// Unpacks an asset: its length in 4 bytes, then zlib. `None` can only mean a broken build; a test unpacks them all.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, packed) = packed.split_first_chunk::<4>()?;
    let mut raw = Vec::with_capacity(u32::from_le_bytes(*length) as usize);
    flate2::read::ZlibDecoder::new(packed).read_to_end(&mut raw).ok()?;
    (raw.len() == u32::from_le_bytes(*length) as usize).then_some(raw)
}

/// Characters that have no shape of their own: they choose among variants, join, or set a direction.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
