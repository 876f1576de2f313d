//! The icons, as strokes on a grid of 100 by 100, with smooth edges at any size.
//!
//! Each is recognisable by its outline alone, since a one-bit panel and a colour-blind member have nothing else.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::Point;

use super::Icon;
use crate::panel::Frame;

/// Part of an icon. Coordinates are grid units, y grows downwards, angles are degrees clockwise from the right.
enum Stroke {
    Line((f32, f32), (f32, f32)),
    Arc { centre: (f32, f32), radius: f32, from: f32, to: f32 },
    Dot((f32, f32), f32),
}

use Stroke::{Arc, Dot, Line};

const fn ring(x: f32, y: f32, radius: f32) -> Stroke {
    Arc { centre: (x, y), radius, from: 0.0, to: 360.0 }
}

const fn arc(x: f32, y: f32, radius: f32, from: f32, to: f32) -> Stroke {
    Arc { centre: (x, y), radius, from, to }
}

/// Width of all strokes.
const STROKE: f32 = 9.0;

/// A tick in a ring.
const CHECK: &[Stroke] =
    &[ring(50.0, 50.0, 44.0), Line((28.0, 52.0), (44.0, 68.0)), Line((44.0, 68.0), (73.0, 35.0))];

/// A ring with two hands.
const CLOCK: &[Stroke] =
    &[ring(50.0, 50.0, 44.0), Line((50.0, 52.0), (50.0, 24.0)), Line((50.0, 52.0), (69.0, 62.0))];

/// An octagon, as on a stop sign, with a cross.
const CROSS: &[Stroke] = &[
    Line((31.0, 5.0), (69.0, 5.0)),
    Line((69.0, 5.0), (95.0, 31.0)),
    Line((95.0, 31.0), (95.0, 69.0)),
    Line((95.0, 69.0), (69.0, 95.0)),
    Line((69.0, 95.0), (31.0, 95.0)),
    Line((31.0, 95.0), (5.0, 69.0)),
    Line((5.0, 69.0), (5.0, 31.0)),
    Line((5.0, 31.0), (31.0, 5.0)),
    Line((33.0, 33.0), (67.0, 67.0)),
    Line((67.0, 33.0), (33.0, 67.0)),
];

/// A triangle with an exclamation mark.
const WARNING: &[Stroke] = &[
    Line((50.0, 8.0), (95.0, 90.0)),
    Line((95.0, 90.0), (5.0, 90.0)),
    Line((5.0, 90.0), (50.0, 8.0)),
    Line((50.0, 38.0), (50.0, 60.0)),
    Dot((50.0, 76.0), 6.0),
];

/// Two ticks, the second half hidden.
const DOUBLE_CHECK: &[Stroke] = &[
    Line((5.0, 52.0), (25.0, 73.0)),
    Line((25.0, 73.0), (63.0, 27.0)),
    Line((48.0, 66.0), (55.0, 73.0)),
    Line((55.0, 73.0), (94.0, 27.0)),
];

/// A box with lid, ribbon and bow.
const GIFT: &[Stroke] = &[
    Line((8.0, 34.0), (92.0, 34.0)),
    Line((8.0, 34.0), (8.0, 52.0)),
    Line((92.0, 34.0), (92.0, 52.0)),
    Line((8.0, 52.0), (92.0, 52.0)),
    Line((15.0, 52.0), (15.0, 94.0)),
    Line((85.0, 52.0), (85.0, 94.0)),
    Line((15.0, 94.0), (85.0, 94.0)),
    Line((50.0, 34.0), (50.0, 94.0)),
    ring(36.0, 20.0, 13.0),
    ring(64.0, 20.0, 13.0),
];

/// A question mark without any frame, unlike the others.
const QUESTION: &[Stroke] = &[
    arc(50.0, 34.0, 25.0, 180.0, 405.0),
    Line((67.7, 51.7), (52.0, 64.0)),
    Line((51.0, 64.0), (51.0, 70.0)),
    Dot((51.0, 90.0), 7.0),
];

/// Waves that leave a point, as on contactless readers.
const WAVE: &[Stroke] = &[
    Dot((14.0, 50.0), 9.0),
    arc(14.0, 50.0, 28.0, -40.0, 40.0),
    arc(14.0, 50.0, 49.0, -40.0, 40.0),
    arc(14.0, 50.0, 69.0, -40.0, 40.0),
];

/// A plug with two pins and a cable.
const PLUG: &[Stroke] = &[
    Line((34.0, 6.0), (34.0, 32.0)),
    Line((66.0, 6.0), (66.0, 32.0)),
    Line((18.0, 34.0), (82.0, 34.0)),
    Line((20.0, 34.0), (20.0, 42.0)),
    Line((80.0, 34.0), (80.0, 42.0)),
    arc(50.0, 42.0, 30.0, 0.0, 180.0),
    Line((50.0, 72.0), (50.0, 96.0)),
];

/// A card with a stripe.
const CARD: &[Stroke] = &[
    Line((10.0, 20.0), (90.0, 20.0)),
    Line((90.0, 20.0), (95.0, 25.0)),
    Line((95.0, 25.0), (95.0, 75.0)),
    Line((95.0, 75.0), (90.0, 80.0)),
    Line((90.0, 80.0), (10.0, 80.0)),
    Line((10.0, 80.0), (5.0, 75.0)),
    Line((5.0, 75.0), (5.0, 25.0)),
    Line((5.0, 25.0), (10.0, 20.0)),
    Line((5.0, 39.0), (95.0, 39.0)),
    Line((20.0, 63.0), (44.0, 63.0)),
];

fn strokes(icon: Icon) -> &'static [Stroke] {
    match icon {
        Icon::Check => CHECK,
        Icon::Clock => CLOCK,
        Icon::Cross => CROSS,
        Icon::Warning => WARNING,
        Icon::DoubleCheck => DOUBLE_CHECK,
        Icon::Gift => GIFT,
        Icon::Question => QUESTION,
        Icon::Wave => WAVE,
        Icon::Plug => PLUG,
        Icon::Card => CARD,
    }
}

/// Draws an icon into the square at `at`, `px` pixels wide and high.
pub(super) fn draw(icon: Icon, at: Point, px: u32, ink: Rgb888, frame: &mut Frame) {
    let unit = 100.0 / to_f32(px.max(1));
    let strokes = strokes(icon);
    for y in 0..px {
        for x in 0..px {
            let centre = ((to_f32(x) + 0.5) * unit, (to_f32(y) + 0.5) * unit);
            let nearest = strokes.iter().map(|s| distance(s, centre)).fold(f32::MAX, f32::min);
            // Half a pixel inside is full, half a pixel outside is nothing.
            let coverage = (0.5 - nearest / unit).clamp(0.0, 1.0);
            if coverage > 0.0 {
                frame.blend(at + Point::new(x.cast_signed(), y.cast_signed()), ink, to_byte(coverage));
            }
        }
    }
}

/// Distance of a point from the edge of a stroke, negative inside.
fn distance(stroke: &Stroke, point: (f32, f32)) -> f32 {
    match stroke {
        Line(a, b) => {
            let (along, across) = ((b.0 - a.0, b.1 - a.1), (point.0 - a.0, point.1 - a.1));
            let length2 = along.0 * along.0 + along.1 * along.1;
            let part =
                ((across.0 * along.0 + across.1 * along.1) / length2.max(f32::EPSILON)).clamp(0.0, 1.0);
            (across.0 - part * along.0).hypot(across.1 - part * along.1) - STROKE / 2.0
        }
        Arc { centre, radius, from, to } => {
            let (dx, dy) = (point.0 - centre.0, point.1 - centre.1);
            let angle = dy.atan2(dx).to_degrees();
            let turned = from + (angle - from).rem_euclid(360.0);
            let nearest = if turned <= *to {
                (dx.hypot(dy) - radius).abs()
            } else {
                let end = |degrees: f32| {
                    let (sin, cos) = degrees.to_radians().sin_cos();
                    (dx - radius * cos).hypot(dy - radius * sin)
                };
                end(*from).min(end(*to))
            };
            nearest - STROKE / 2.0
        }
        Dot(centre, radius) => (point.0 - centre.0).hypot(point.1 - centre.1) - radius,
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a panel are far below 2^24")]
fn to_f32(px: u32) -> f32 {
    px as f32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.0 to 1.0 by the clamp before")]
fn to_byte(coverage: f32) -> u8 {
    (coverage * 255.0).round() as u8
}
