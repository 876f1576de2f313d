//! An outline face, rasterised glyph by glyph with `ab_glyph`, which keeps no glyph in memory.

use ab_glyph::{Font, FontVec, PxScale};
use embedded_graphics::prelude::Point;

/// Height of the base line above the lower edge of a Han character's square, in parts of its height: both our faces
/// are designed so.
const DESCENT: f32 = 0.12;

/// The face.
pub(super) struct OutlineFace {
    font: FontVec,
    /// Turns the height of a Han character's square into `ab_glyph`'s scale, which includes the line gap.
    scale_per_px: f32,
}

impl std::fmt::Debug for OutlineFace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutlineFace({} glyphs)", self.font.glyph_count())
    }
}

impl OutlineFace {
    /// Reads a font file; `None` if it is none.
    pub(super) fn parse(raw: Vec<u8>) -> Option<Self> {
        let font = FontVec::try_from_vec(raw).ok()?;
        let scale_per_px = font.height_unscaled() / font.units_per_em()?;
        Some(Self { font, scale_per_px })
    }

    /// True if the face has the character.
    pub(super) fn has(&self, c: char) -> bool {
        self.font.glyph_id(c).0 != 0
    }

    /// Width of a character in whole pixels, so that measured text is drawn text.
    pub(super) fn advance(&self, c: char, px: u32) -> u32 {
        let per_unit = to_f32(px) * self.scale_per_px / self.font.height_unscaled();
        round(self.font.h_advance_unscaled(self.font.glyph_id(c)) * per_unit).max(0).unsigned_abs()
    }

    /// Draws a character `px` high, strokes widened by `spread` pixels.
    pub(super) fn draw(&self, c: char, px: u32, spread: u32, at: Point, put: &mut dyn FnMut(Point, u8)) {
        let scale = PxScale::from(to_f32(px) * self.scale_per_px);
        let base = to_f32(px) * (1.0 - DESCENT);
        let position = ab_glyph::point(0.0, base);
        let Some(outlined) =
            self.font.outline_glyph(self.font.glyph_id(c).with_scale_and_position(scale, position))
        else {
            return; // a space
        };
        let bounds = outlined.px_bounds();
        let corner = at + Point::new(round(bounds.min.x), round(bounds.min.y));
        for shift in 0..=spread {
            outlined.draw(|x, y, coverage| {
                let point = corner + Point::new((x + shift).cast_signed(), y.cast_signed());
                put(point, to_coverage(coverage));
            });
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a panel are far below 2^24")]
fn to_f32(px: u32) -> f32 {
    px as f32
}

#[expect(clippy::cast_possible_truncation, reason = "float casts saturate; coordinates are those of a panel")]
fn round(value: f32) -> i32 {
    value.round() as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of a byte in the line itself"
)]
fn to_coverage(coverage: f32) -> u8 {
    (coverage.clamp(0.0, 1.0) * 255.0).round() as u8
}
