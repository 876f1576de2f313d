//! The layout for panels of 64 or so rows, such as 128x64.
//!
//! From two metres only the title can be read, so it takes all the height there is: with one line below, the title has
//! the full width and the icon stands beside the line; with none, the icon stands left and the title may use two rows;
//! with more, the title shares its row with the icon.

use super::{Canvas, Screen};
use crate::text::{BITMAP_PX, Style, fit};

/// The line of small text: crisp at its native size.
const SMALL: Style = Style::Bitmap { scale: 1 };
const GAP: u32 = 4;

const fn outline(px: u32) -> Style {
    Style::Outline { px, heavy: false }
}

/// Sizes of a title in one row, largest first.
const ONE_ROW: [Style; 3] = [outline(32), outline(30), outline(28)];
/// Sizes of a title beside the icon, largest first.
const BESIDE_ICON: [Style; 7] =
    [outline(30), outline(28), outline(26), outline(24), outline(22), outline(20), SMALL];

pub(super) fn draw(screen: &Screen, canvas: &mut Canvas<'_>) {
    let footer = screen.footer.iter().filter(|_| screen.lines.is_empty());
    let mut lines: Vec<String> = screen.lines.iter().chain(footer).cloned().collect();
    // Two rows of small text at most: further lines join the last, which scrolls.
    if lines.len() > 2 {
        let rest = lines.split_off(1).join(fit::SEPARATOR);
        lines.push(rest);
    }
    match lines.as_slice() {
        [] => title_beside_icon(screen, canvas, canvas.height()),
        [line] => title_above_line(screen, canvas, line),
        [first, second, ..] => {
            let top = canvas.height().saturating_sub(2 * (BITMAP_PX + 1) + 2);
            title_beside_icon(screen, canvas, top);
            let width = canvas.width();
            canvas.line(first, SMALL, (0, width), top + 2);
            canvas.line(second, SMALL, (0, width), top + 3 + BITMAP_PX);
        }
    }
}

fn title_above_line(screen: &Screen, canvas: &mut Canvas<'_>, line: &str) {
    let (width, height) = (canvas.width(), canvas.height());
    let fonts = canvas.fonts;
    let best = fit::largest(&ONE_ROW, width, |style| fonts.measure(&screen.title, style));
    let fitting = best.filter(|(_, wide)| *wide <= width);
    let bottom = height / 2 + 4;
    let icon_px = height.saturating_sub(bottom + 2);
    let beside = screen.icon.map_or(0, |_| icon_px + GAP);
    if let Some((style, _)) = fitting.filter(|_| fonts.measure(line, SMALL) + beside <= width) {
        canvas.line(&screen.title, style, (0, width), bottom.saturating_sub(style.px()) / 2);
        // Icon and line together stand in the middle.
        let left = (width - beside - fonts.measure(line, SMALL)) / 2;
        if let Some(icon) = screen.icon {
            canvas.icon(icon, left, bottom + 1, icon_px);
        }
        let y = bottom + height.saturating_sub(bottom + BITMAP_PX) / 2;
        canvas.line(line, SMALL, (left + beside, width), y);
        return;
    }
    let top = height.saturating_sub(BITMAP_PX + 2);
    title_beside_icon(screen, canvas, top);
    canvas.line(line, SMALL, (0, width), top + 1);
}

/// How far letters such as `g` and `y` hang below the square of a Han character, in pixels.
fn hanging(text: &str, style: Style) -> u32 {
    let hangs = |c: char| u32::from(c) < 0x2e80 && !c.is_ascii_digit() && !c.is_ascii_uppercase() && c != ' ';
    match style {
        Style::Outline { px, .. } if text.chars().any(hangs) => px.div_ceil(8),
        _ => 0,
    }
}

/// Icon left, title right of it in as many rows as fit, within the upper `height` rows.
fn title_beside_icon(screen: &Screen, canvas: &mut Canvas<'_>, height: u32) {
    let width = canvas.width();
    let icon_px = height.min(34).saturating_sub(2);
    let left = screen.icon.map_or(0, |_| icon_px + GAP);
    let room = width.saturating_sub(left);
    let fits = |style: &Style| {
        let rows = canvas.wrap(&screen.title, *style, room);
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let whole = canvas.breaks_cleanly(&screen.title, *style, room);
        let needed = count.saturating_mul(style.px()).saturating_add(hanging(&screen.title, *style));
        (whole && needed <= height).then_some((*style, rows))
    };
    let (style, rows) =
        BESIDE_ICON.iter().find_map(fits).unwrap_or_else(|| (SMALL, vec![screen.title.clone()]));
    let count = u32::try_from(rows.len()).unwrap_or(1).max(1);
    let needed = count * style.px() + hanging(&screen.title, style);
    let gap = height.saturating_sub(needed) / (count + 1);
    let widest = rows.iter().map(|row| canvas.fonts.measure(row, style)).max().unwrap_or(0).min(room);
    let shift = (room - widest) / 2;
    if let Some(icon) = screen.icon {
        canvas.icon(icon, shift / 2, height.saturating_sub(icon_px) / 2, icon_px);
    }
    for (row, y) in rows.iter().zip((0..).map(|n| gap + n * (style.px() + gap))) {
        canvas.line(row, style, (left, width), y);
    }
}
