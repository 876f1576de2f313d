//! A ticket as data, and its lines on paper of a known width.
//!
//! Paper is a grid of columns: a Latin letter takes one, a Han character two. Every line is measured before it is
//! printed, so that no printer breaks it by itself in the middle of an amount.
//!
//! Invariants: no line is wider than the paper; no character of a text is dropped.
//! Out of scope: bytes ([`super::escpos`]), what is said.

use crate::text::{fit, is_invisible};

/// Width of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// 58 mm: 32 columns, 384 dots.
    Mm58,
    /// 80 mm: 48 columns, 576 dots.
    Mm80,
}

impl Width {
    /// Columns of a line.
    #[must_use]
    pub const fn columns(self) -> u32 {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
        }
    }

    /// Dots of a line; a multiple of 8.
    #[must_use]
    pub const fn dots(self) -> u32 {
        self.columns() * COLUMN_DOTS
    }
}

/// Dots of a column: the common font of 12 × 24, with Han characters of 24 × 24.
pub const COLUMN_DOTS: u32 = 12;
/// Dots of a line's height.
pub const LINE_DOTS: u32 = 24;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
}

/// A part of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A text, broken into lines where it must.
    Text {
        /// What it says.
        text: String,
        /// Where it stands.
        align: Align,
        /// Heavier strokes.
        bold: bool,
        /// Twice as high and wide.
        double: bool,
    },
    /// A label at the left and a value at the right edge; the value gets lines of its own if both do not fit.
    Pair {
        /// The label.
        label: String,
        /// The value.
        value: String,
        /// Heavier strokes.
        bold: bool,
        /// Twice as high and wide.
        double: bool,
    },
    /// A line across the paper.
    Rule,
    /// An empty line.
    Gap,
    /// A QR code in the middle.
    Qr(String),
}

impl Block {
    /// A plain text at the left.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Left, bold: false, double: false }
    }

    /// A plain text in the middle.
    pub fn centre(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Centre, bold: false, double: false }
    }

    /// A heading: heavy, twice as large, in the middle.
    pub fn heading(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Centre, bold: true, double: true }
    }

    /// A heavy text in the middle.
    pub fn loud(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Centre, bold: true, double: false }
    }

    /// A plain pair.
    pub fn pair(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Pair { label: label.into(), value: value.into(), bold: false, double: false }
    }

    /// The pair that people look for: heavy and twice as large.
    pub fn total(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Pair { label: label.into(), value: value.into(), bold: true, double: true }
    }
}

/// What goes onto one piece of paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

/// A line as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A text that fits.
    Text {
        /// What it says, padded where a value stands at the right edge.
        text: String,
        /// Where it stands.
        align: Align,
        /// Heavier strokes.
        bold: bool,
        /// Twice as high and wide.
        double: bool,
    },
    /// A QR code in the middle.
    Qr(String),
}

impl Ticket {
    /// The lines on paper of this width.
    #[must_use]
    pub fn lines(&self, width: Width) -> Vec<Line> {
        self.blocks.iter().flat_map(|block| lines(block, width.columns())).collect()
    }
}

fn lines(block: &Block, columns: u32) -> Vec<Line> {
    let line = |text: String, align, bold, double| Line::Text { text, align, bold, double };
    match block {
        Block::Text { text, align, bold, double } => {
            let broken = wrap(text, room(columns, *double));
            broken.into_iter().map(|text| line(text, *align, *bold, *double)).collect()
        }
        Block::Pair { label, value, bold, double } => {
            // What is too long for the large size is still read in the plain one.
            let large = *double && measure(label) + 1 + measure(value) <= room(columns, true);
            let broken = pair(label, value, room(columns, large));
            broken.into_iter().map(|text| line(text, Align::Left, *bold, large)).collect()
        }
        Block::Rule => vec![line("-".repeat(columns as usize), Align::Left, false, false)],
        Block::Gap => vec![line(String::new(), Align::Left, false, false)],
        Block::Qr(data) => vec![Line::Qr(data.clone())],
    }
}

fn room(columns: u32, double: bool) -> u32 {
    if double { columns / 2 } else { columns }
}

fn wrap(text: &str, room: u32) -> Vec<String> {
    fit::wrap(&plain(text), room, &measure)
}

fn pair(label: &str, value: &str, room: u32) -> Vec<String> {
    let (label, value) = (plain(label), plain(value));
    let (left, right) = (measure(&label), measure(&value));
    let pad = |columns: u32| " ".repeat(columns as usize);
    if left + 1 + right <= room {
        return vec![format!("{label}{}{value}", pad(room - left - right))];
    }
    let labels = wrap(&label, room);
    let values = wrap(&value, room).into_iter().map(|line| {
        let missing = room.saturating_sub(measure(&line));
        format!("{}{line}", pad(missing))
    });
    labels.into_iter().chain(values).collect()
}

/// Columns that a text takes.
#[must_use]
pub fn measure(text: &str) -> u32 {
    text.chars().map(columns_of).sum()
}

/// Columns that a character takes.
#[must_use]
pub fn columns_of(c: char) -> u32 {
    match c {
        c if is_invisible(c) => 0,
        c if c.is_ascii() => 1,
        _ => 2,
    }
}

/// A text as printers can take it: controls become spaces, so that nothing in a name commands the printer; signs
/// that Chinese printers' fonts lack become their likeness that those fonts have.
#[must_use]
pub fn plain(text: &str) -> String {
    let fold = |c: char| match c {
        '\n' => '\n',
        c if c.is_control() => ' ',
        '¥' => '￥',
        '−' | '‐' | '‑' | '–' => '-',
        '•' => '·',
        '\u{a0}' | '\u{2002}' | '\u{2003}' | '\u{2009}' | '\u{202f}' => ' ',
        '\u{2018}' | '\u{2019}' => '\'',
        c => c,
    };
    // A soft break still tells where to break.
    text.chars().filter(|c| !is_invisible(*c) || *c == fit::SOFT_BREAK).map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(blocks: Vec<Block>, width: Width) -> Vec<String> {
        let lines = Ticket { blocks }.lines(width);
        let text = |line| match line {
            Line::Text { text, .. } => text,
            Line::Qr(data) => format!("<{data}>"),
        };
        lines.into_iter().map(text).collect()
    }

    #[test]
    fn han_take_two_columns_and_values_stand_at_the_right_edge() {
        assert_eq!(measure("储值 ￥1,234.50"), 4 + 1 + 10);
        assert_eq!(measure("张\u{fe0f}喆"), 4, "a variation selector has no width");
        let pair = Block::pair("业务日期", "2026-11-22");
        assert_eq!(texts(vec![pair.clone()], Width::Mm58), ["业务日期              2026-11-22"]);
        for width in [Width::Mm58, Width::Mm80] {
            let line = &texts(vec![pair.clone()], width)[0];
            assert_eq!(measure(line), width.columns());
        }
    }

    #[test]
    fn what_does_not_fit_beside_its_label_gets_lines_of_its_own() {
        let pair = Block::pair("活动", "滨江一号新春音乐会暨业主答谢晚宴第二场");
        let lines = texts(vec![pair], Width::Mm58);
        assert_eq!(lines[0], "活动");
        assert!(lines.len() > 1 && lines.iter().all(|line| measure(line) <= 32), "{lines:?}");
        assert_eq!(lines[1..].concat().replace(' ', ""), "滨江一号新春音乐会暨业主答谢晚宴第二场");
    }

    #[test]
    fn a_total_is_large_only_where_it_fits() {
        let double = |value: &str, width| {
            let ticket = Ticket { blocks: vec![Block::total("金额", value)] };
            matches!(ticket.lines(width)[0], Line::Text { double: true, .. })
        };
        assert!(double("+500.00", Width::Mm58));
        assert!(!double("+12,345,678.00", Width::Mm58));
        assert!(double("+12,345,678.00", Width::Mm80));
    }

    #[test]
    fn nothing_in_a_text_commands_the_printer() {
        assert_eq!(plain("张\u{1b}@三\r\u{7}"), "张 @三  ");
        assert_eq!(plain("−6 ¥5 a\u{a0}b"), "-6 ￥5 a b");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_paper(label in "\\PC{0,40}", value in "\\PC{0,60}", double: bool) {
            let blocks = vec![
                Block::Pair { label: label.clone(), value, bold: false, double },
                Block::Text { text: label, align: Align::Centre, bold: true, double },
            ];
            for width in [Width::Mm58, Width::Mm80] {
                for line in (Ticket { blocks: blocks.clone() }).lines(width) {
                    if let Line::Text { text, double, .. } = line {
                        prop_assert!(measure(&text) <= room(width.columns(), double), "{:?}", text);
                    }
                }
            }
        }
    }
}
