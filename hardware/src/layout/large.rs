//! The layout for panels of 100 rows and more: icon, title, lines, one below the other in the middle, footer at the
//! bottom.
//!
//! All sizes come from the height and shrink in steps until everything fits; if nothing fits, the icon goes and every
//! text becomes one row that scrolls.

use super::{Canvas, Piece, Screen, Shade};
use crate::text::Style;

/// Sizes as parts of the panel's height in thousandths, before shrinking.
const ICON: u32 = 330;
const TITLE: u32 = 200;
const LINE: u32 = 130;
const FOOTER: u32 = 85;
const MARGIN: u32 = 34;
const GAP: u32 = 36;

/// Sizes of a title tried for a number of rows, in percent, largest first: one row somewhat smaller reads better than
/// two, but not much smaller.
const TITLES: [(usize, &[u32]); 2] = [(1, &[100, 90, 80]), (2, &[100, 90, 80, 70, 60, 50])];
/// Sizes of the lines tried for each size of the title, in percent.
const LINES: [u32; 3] = [100, 88, 76];
/// Sizes of the icon tried for each size of the lines, in percent; its shape is plain at the smallest too.
const ICONS: [u32; 3] = [100, 78, 56];
/// Nothing gets smaller than this, in pixels.
const PX_MIN: u32 = 14;

/// One row of text.
#[derive(Clone)]
struct Row {
    text: String,
    style: Style,
}

struct Plan {
    icon_px: u32,
    title: Vec<Row>,
    lines: Vec<Row>,
}

impl Plan {
    fn height(&self, gap: u32) -> u32 {
        let rows: u32 = self.title.iter().chain(&self.lines).map(|row| row.style.line_px()).sum();
        let gaps = u32::from(self.icon_px > 0) + u32::from(!self.lines.is_empty());
        self.icon_px + rows + gaps * gap
    }

    fn width(&self, canvas: &Canvas<'_>) -> u32 {
        let rows = self.title.iter().chain(&self.lines);
        rows.map(|row| canvas.fonts.measure(&row.text, row.style)).max().unwrap_or(0)
    }
}

pub(super) fn draw(screen: &Screen, canvas: &mut Canvas<'_>) {
    if screen.shade == Shade::GreenOutline {
        outline(canvas);
    }
    let height = canvas.height();
    let margin = part(height, MARGIN);
    let footer = Style::Outline { px: part(height, FOOTER).max(PX_MIN), heavy: false };
    let bottom = match &screen.footer {
        Some(text) => {
            let y = height.saturating_sub(margin / 2 + footer.line_px());
            let columns = (margin, canvas.width().saturating_sub(margin));
            canvas.line(text, footer, columns, y);
            y
        }
        None => height - margin,
    };
    let room = (canvas.width().saturating_sub(2 * margin), bottom.saturating_sub(margin));
    let gap = part(height, GAP);
    let plan = plan(screen, canvas, room, gap);
    let mut y = margin + room.1.saturating_sub(plan.height(gap)) / 2;
    if let Some(icon) = screen.icon.filter(|_| plan.icon_px > 0) {
        canvas.icon(icon, canvas.width().saturating_sub(plan.icon_px) / 2, y, plan.icon_px);
        y += plan.icon_px + gap;
    }
    let columns = (margin, canvas.width().saturating_sub(margin));
    for (rows, after) in [(&plan.title, gap), (&plan.lines, 0)] {
        for row in rows {
            // A row's extra room stands half above and half below its characters.
            let inset = (row.style.line_px() - row.style.px()) / 2;
            canvas.line(&row.text, row.style, columns, y + inset);
            y += row.style.line_px();
        }
        y += after;
    }
}

/// The largest arrangement that fits the room (width, height): the title's size matters most, then the lines', then
/// the icon's. Words are cut only if nothing else helps.
fn plan(screen: &Screen, canvas: &Canvas<'_>, room: (u32, u32), gap: u32) -> Plan {
    let height = canvas.height();
    let icons = if screen.icon.is_some() { ICONS } else { [0; 3] };
    let lines = LINES.map(|percent| {
        let style = line_style(height, percent);
        let texts = screen.lines.iter();
        let clean = texts.clone().all(|text| canvas.breaks_cleanly(text, style, room.0));
        (clean, texts.flat_map(|text| rows(canvas, text, style, room.0)).collect::<Vec<_>>())
    });
    for whole_words in [true, false] {
        for (rows_max, percents) in TITLES {
            for percent in percents {
                let style = title_style(height, *percent);
                let title = rows(canvas, &screen.title, style, room.0);
                let clean = canvas.breaks_cleanly(&screen.title, style, room.0);
                if title.len() > rows_max || (whole_words && !clean) {
                    continue;
                }
                for (_, lines) in lines.iter().filter(|(clean, _)| *clean || !whole_words) {
                    for icon in icons {
                        let icon_px = part(height, ICON) * icon / 100;
                        let plan = Plan { icon_px, title: title.clone(), lines: lines.clone() };
                        if plan.height(gap) <= room.1 && plan.width(canvas) <= room.0 {
                            return plan;
                        }
                    }
                }
            }
        }
    }
    scrolling(screen, canvas, room, gap)
}

fn rows(canvas: &Canvas<'_>, text: &str, style: Style, width: u32) -> Vec<Row> {
    canvas.wrap(text, style, width).into_iter().map(|text| Row { text, style }).collect()
}

fn title_style(height: u32, percent: u32) -> Style {
    Style::Outline { px: (part(height, TITLE) * percent / 100).max(PX_MIN), heavy: true }
}

fn line_style(height: u32, percent: u32) -> Style {
    Style::Outline { px: (part(height, LINE) * percent / 100).max(PX_MIN), heavy: false }
}

/// Everything in one row each, which scrolls if it must; lines that have no room join the last that has.
fn scrolling(screen: &Screen, canvas: &Canvas<'_>, room: (u32, u32), gap: u32) -> Plan {
    let (title, line) = (title_style(canvas.height(), 50), line_style(canvas.height(), 76));
    let left = room.1.saturating_sub(title.line_px() + gap);
    let rows_max = usize::try_from(left / line.line_px()).unwrap_or(1).max(1);
    let mut texts = screen.lines.clone();
    if texts.len() > rows_max {
        let rest = texts.split_off(rows_max - 1).join(crate::text::fit::SEPARATOR);
        texts.push(rest);
    }
    let row = |text: String, style| Row { text: text.replace('\n', " "), style };
    Plan {
        icon_px: 0,
        title: vec![row(screen.title.clone(), title)],
        lines: texts.into_iter().map(|text| row(text, line)).collect(),
    }
}

fn part(height: u32, thousandths: u32) -> u32 {
    height * thousandths / 1_000
}

fn outline(canvas: &mut Canvas<'_>) {
    let px = part(canvas.height(), MARGIN).max(3);
    canvas.pieces.push(Piece::Border { px, colour: Shade::Green.colours().0 });
}
