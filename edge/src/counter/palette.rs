//! The page's colours as pairs of text and ground, so that a test can reckon what no eye should have to guess.
//!
//! The style sheet holds the same figures as variables; a test compares the two, so neither can drift from the other.

/// One pair of text on ground, by the names of its variables in the style sheet.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// What it colours.
    pub what: &'static str,
    /// Variable and value of the text.
    pub text: (&'static str, u32),
    /// Variable and value of the ground.
    pub ground: (&'static str, u32),
}

const fn pair(what: &'static str, text: (&'static str, u32), ground: (&'static str, u32)) -> Pair {
    Pair { what, text, ground }
}

/// All pairs that carry words, light and dark.
pub const PAIRS: [Pair; 20] = [
    pair("accepted", ("--green-t", 0xFF_FFFF), ("--green", 0x0F_6B37)),
    pair("recorded", ("--amber-t", 0x24_1A00), ("--amber", 0xFF_C53D)),
    pair("refused", ("--red-t", 0xFF_FFFF), ("--red", 0xB3_141B)),
    pair("attention", ("--blue-t", 0xFF_FFFF), ("--blue", 0x0B_4A8F)),
    pair("already in", ("--pale-t", 0x0F_5A2B), ("--pale", 0xE3_F4E8)),
    pair("not ready", ("--grey-t", 0xFF_FFFF), ("--grey", 0x3A_4353)),
    pair("idle", ("--idle-t", 0xFF_FFFF), ("--idle", 0x14_2033)),
    pair("idle, second line", ("--idle-2", 0xA7_B9D3), ("--idle", 0x14_2033)),
    pair("top bar", ("--bar-t", 0xFF_FFFF), ("--bar", 0x0E_1A2B)),
    pair("badge good", ("--ok-t", 0x0F_5A2B), ("--ok", 0xE3_F4E8)),
    pair("badge waiting", ("--wait-t", 0x6B_4500), ("--wait", 0xFF_F3D6)),
    pair("badge bad", ("--bad-t", 0x8F_1414), ("--bad", 0xFD_E7E7)),
    pair("badge plain", ("--info-t", 0x0B_3F78), ("--info", 0xE4_EEFA)),
    pair("primary button", ("--on", 0xFF_FFFF), ("--primary", 0x0B_5CAD)),
    pair("text on page", ("--text", 0x16_2236), ("--page", 0xEE_F1F6)),
    pair("text on card", ("--text", 0x16_2236), ("--card", 0xFF_FFFF)),
    pair("second text on card", ("--text-2", 0x4A_5870), ("--card", 0xFF_FFFF)),
    pair("second text on page", ("--text-2", 0x4A_5870), ("--page", 0xEE_F1F6)),
    pair("second text on key", ("--text-2", 0x4A_5870), ("--key", 0xE6_EBF3)),
    pair("text on key", ("--text", 0x16_2236), ("--key", 0xE6_EBF3)),
];

/// The dark page's other values of the same variables; those that are absent stay.
pub const DARK: [(&str, u32); 6] = [
    ("--text", 0xF1_F5FB),
    ("--text-2", 0xB4_C1D4),
    ("--page", 0x0B_1220),
    ("--card", 0x17_2132),
    ("--key", 0x28_354A),
    ("--line", 0x36_455D),
];

/// The lowest contrast of text that WCAG 2.2 AA allows at any size.
pub const CONTRAST_MIN: f64 = 4.5;

/// Contrast of two colours, 1 to 21, as WCAG reckons it.
#[must_use]
pub fn contrast(one: u32, other: u32) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(rgb: u32) -> f64 {
    let [_, red, green, blue] = rgb.to_be_bytes();
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_g02_every_pair_of_colours_can_be_read() {
        for pair in PAIRS {
            let light = contrast(pair.text.1, pair.ground.1);
            assert!(light >= CONTRAST_MIN, "{}: {light:.2}", pair.what);
            let dark = |(name, value): (&str, u32)| {
                DARK.iter().find(|(n, _)| *n == name).map_or(value, |(_, dark)| *dark)
            };
            let dark = contrast(dark(pair.text), dark(pair.ground));
            assert!(dark >= CONTRAST_MIN, "{} (dark): {dark:.2}", pair.what);
        }
    }

    #[test]
    fn ui_g02_the_outcomes_have_the_contrast_that_was_reckoned() {
        let of = |what: &str| {
            let pair = PAIRS.iter().find(|pair| pair.what == what).expect("a pair of that name");
            (contrast(pair.text.1, pair.ground.1) * 10.0).round() / 10.0
        };
        let figures = ["accepted", "recorded", "refused", "attention", "not ready"].map(of);
        assert_eq!(figures, [6.6, 10.9, 6.9, 8.8, 10.0]);
    }

    #[test]
    fn ui_g02_the_style_sheet_uses_these_colours() {
        let css = include_str!("../../assets/counter.css");
        let expect = |name: &str, value: u32| {
            let line = format!("{name}:#{value:06X};");
            assert!(css.contains(&line), "the style sheet lacks {line}");
        };
        for pair in PAIRS {
            expect(pair.text.0, pair.text.1);
            expect(pair.ground.0, pair.ground.1);
        }
        for (name, value) in DARK {
            expect(name, value);
        }
    }
}
