//! The 16-pixel bitmap face.
//!
//! The unpacked asset is used in place: eight bytes of magic, then for narrow (8 columns) and wide (16 columns) glyphs
//! a count and that many runs of (first code point, length), then the narrow bitmaps, then the wide ones, row by row,
//! leftmost pixel in the highest bit. All numbers are 32-bit little-endian.

use embedded_graphics::prelude::Point;

use super::BITMAP_PX;

const MAGIC: &[u8] = b"HUFUBMP1";

/// Code points that follow each other, and where the first one's glyph is.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u32,
    length: u32,
    offset: usize,
}

/// One kind of width.
#[derive(Debug)]
struct Runs {
    columns: u32,
    runs: Vec<Run>,
}

/// The face.
#[derive(Debug)]
pub(super) struct BitmapFace {
    raw: Vec<u8>,
    widths: [Runs; 2],
}

/// One character's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph<'a> {
    pub(super) columns: u32,
    rows: &'a [u8],
}

impl BitmapFace {
    /// Reads the tables; `None` if the asset is not what it should be.
    pub(super) fn parse(raw: Vec<u8>) -> Option<Self> {
        let mut rest = raw.strip_prefix(MAGIC)?;
        let mut tables = Vec::new();
        for columns in [8_u32, 16] {
            let count = take_u32(&mut rest)?;
            let mut runs = Vec::with_capacity(count as usize);
            for _ in 0..count {
                runs.push((take_u32(&mut rest)?, take_u32(&mut rest)?));
            }
            tables.push((columns, runs));
        }
        let mut offset = raw.len() - rest.len();
        let mut widths = tables.into_iter().map(|(columns, runs)| {
            let bytes = glyph_bytes(columns);
            let runs = runs.into_iter().map(|(first, length)| {
                let run = Run { first, length, offset };
                offset += length as usize * bytes;
                run
            });
            Runs { columns, runs: runs.collect() }
        });
        let widths = [widths.next()?, widths.next()?];
        (offset == raw.len()).then_some(Self { raw, widths })
    }

    /// A character's pixels, if the face has it.
    pub(super) fn glyph(&self, c: char) -> Option<Glyph<'_>> {
        self.widths.iter().find_map(|width| {
            let code = u32::from(c);
            let next = width.runs.partition_point(|run| run.first <= code);
            let run = width.runs.get(next.checked_sub(1)?)?;
            let place = code - run.first;
            let bytes = glyph_bytes(width.columns);
            let at = run.offset + place as usize * bytes;
            (place < run.length).then(|| Glyph { columns: width.columns, rows: &self.raw[at..at + bytes] })
        })
    }
}

fn glyph_bytes(columns: u32) -> usize {
    (columns * BITMAP_PX / 8) as usize
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}

impl Glyph<'_> {
    /// True if the pixel is set.
    pub(super) fn is_set(&self, column: u32, row: u32) -> bool {
        let bit = row * self.columns + column;
        self.rows.get((bit / 8) as usize).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
    }

    /// Draws it `px` high: pixel by pixel at whole multiples of 16, else with edges smoothed, which reads better than
    /// stairs of unequal steps.
    pub(super) fn draw(&self, px: u32, at: Point, put: &mut dyn FnMut(Point, u8)) {
        let smooth = !px.is_multiple_of(BITMAP_PX);
        for y in 0..px {
            for x in 0..self.columns * px / BITMAP_PX {
                let coverage = match (smooth, self.is_set(x * BITMAP_PX / px, y * BITMAP_PX / px)) {
                    (true, _) => self.smoothed(x, y, px),
                    (false, set) => u8::from(set) * u8::MAX,
                };
                if coverage > 0 {
                    put(at + Point::new(x.cast_signed(), y.cast_signed()), coverage);
                }
            }
        }
    }

    /// The four nearest pixels of the bitmap, weighted by nearness, with the contrast raised around the middle.
    fn smoothed(&self, x: u32, y: u32, px: u32) -> u8 {
        // In 256ths of a bitmap pixel, moved by half a pixel so that centres meet; 256 keeps it from going below zero.
        let place = |n: u32| (2 * n + 1) * BITMAP_PX * 128 / px + 256 - 128;
        let (across, down) = (place(x), place(y));
        let (column, row) = (across / 256, down / 256);
        let mut sum = 0;
        for (dx, part_x) in [(0, 256 - across % 256), (1, across % 256)] {
            for (dy, part_y) in [(0, 256 - down % 256), (1, down % 256)] {
                // Both are one too high because of the 256 above.
                let set = (column + dx).checked_sub(1).zip((row + dy).checked_sub(1));
                if set.is_some_and(|(c, r)| c < self.columns && self.is_set(c, r)) {
                    sum += part_x * part_y / 256;
                }
            }
        }
        u8::try_from((sum.saturating_sub(48) * 3).min(255)).unwrap_or(u8::MAX)
    }
}

/// Two thick bars, like `〓`, for the case that not even the face of `〓` is there.
pub(super) fn draw_missing(px: u32, at: Point, put: &mut dyn FnMut(Point, u8)) {
    let bar = (px / 5).max(1);
    for y in (0..px).filter(|y| (bar..2 * bar).contains(y) || (3 * bar..4 * bar).contains(y)) {
        for x in px / 8..px - px / 8 {
            put(at + Point::new(x.cast_signed(), y.cast_signed()), u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Vec<u8> {
        let mut raw = MAGIC.to_vec();
        for number in [1_u32, 0x41, 2, 1, 0x4e00, 1] {
            raw.extend(number.to_le_bytes());
        }
        raw.extend([[0x80; 16], [0x01; 16]].concat());
        raw.extend([0xff; 32]);
        raw
    }

    #[test]
    fn glyphs_are_found_by_their_run() {
        let face = BitmapFace::parse(tiny()).unwrap();
        let (a, b, one) = (face.glyph('A').unwrap(), face.glyph('B').unwrap(), face.glyph('一').unwrap());
        assert_eq!((a.columns, b.columns, one.columns), (8, 8, 16));
        assert!(a.is_set(0, 3) && !a.is_set(7, 3) && b.is_set(7, 15) && !b.is_set(0, 15));
        assert!(one.is_set(15, 15) && !one.is_set(0, 16));
        assert!([face.glyph('@'), face.glyph('C'), face.glyph('丁')].iter().all(Option::is_none));
    }

    #[test]
    fn a_broken_asset_is_refused() {
        let whole = tiny();
        for cut in 0..whole.len() {
            assert!(BitmapFace::parse(whole[..cut].to_vec()).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn the_last_resort_is_visible() {
        let mut pixels = 0;
        draw_missing(16, Point::zero(), &mut |_, _| pixels += 1);
        assert!(pixels > 40);
    }
}
