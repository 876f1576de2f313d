//! What can be proved of the looks without looking: contrast, words, policy.

use std::collections::BTreeMap;

use crate::console::ui::{change, number};

const CSS: &str = include_str!("../../../assets/console.css");
const CHART: &str = include_str!("../../../assets/chart.js");
const ZH: &str = include_str!("../../../locale/zh-CN.ftl");
const EN: &str = include_str!("../../../locale/en.ftl");
/// WCAG 2.2 AA for text of ordinary size.
const CONTRAST_MIN: f64 = 4.5;
/// The same for lines and areas that carry a meaning.
const PICTURE_CONTRAST_MIN: f64 = 3.0;

/// The colours of one theme.
fn palette(selector: &str) -> BTreeMap<&'static str, [f64; 3]> {
    let from = CSS.find(selector).expect("the theme is there") + selector.len() + 1;
    let block = &CSS[from..from + CSS[from..].find('}').expect("it ends")];
    let one = |pair: &'static str| {
        let (name, value) = pair.split_once(':')?;
        Some((name.strip_prefix("--")?, colour(value)?))
    };
    block.split(';').filter_map(one).collect()
}

fn colour(text: &str) -> Option<[f64; 3]> {
    let digits = text.strip_prefix('#')?;
    let whole: String = match digits.len() {
        3 => digits.chars().flat_map(|c| [c, c]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let part =
        |at: usize| u8::from_str_radix(&whole[at..at + 2], 16).ok().map(|value| f64::from(value) / 255.0);
    Some([part(0)?, part(2)?, part(4)?])
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn ui_g02_every_text_stands_out_from_its_ground_in_both_themes() {
    let pairs = [
        ("ink", "ground"),
        ("ink", "card"),
        ("ink", "soft"),
        ("ink", "mark"),
        ("ink", "plain"),
        ("quiet", "ground"),
        ("quiet", "card"),
        ("quiet", "soft"),
        ("quiet", "mark"),
        ("quiet", "plain"),
        ("brand", "ground"),
        ("brand", "card"),
        ("brand", "soft"),
        ("brand", "mark"),
        ("on-brand", "brand"),
        ("ok-ink", "ok"),
        ("wait-ink", "wait"),
        ("bad-ink", "bad"),
        ("plain-ink", "plain"),
        ("wait-ink", "mark"),
        ("danger", "card"),
        ("ok-ink", "card"),
    ];
    for theme in [":root", "[data-theme=dark]"] {
        let palette = palette(theme);
        for (text, ground) in pairs {
            let met = contrast(palette[text], palette[ground]);
            assert!(met >= CONTRAST_MIN, "{theme}: {text} on {ground} has {met:.2}");
        }
    }
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 0.01, "the formula itself");
}

/// The colours of charts in one theme.
fn chart_colours(theme: &str) -> Vec<[f64; 3]> {
    let from = CHART.find(&format!("{theme}: [")).expect("the theme is there");
    let list = &CHART[from..from + CHART[from..].find(']').expect("it ends")];
    list.split('"').filter_map(colour).collect()
}

#[test]
fn ui_g02_lines_and_bars_stand_out_from_their_card_in_both_themes() {
    for (theme, selector) in [("light", ":root"), ("dark", "[data-theme=dark]")] {
        let (card, colours) = (palette(selector)["card"], chart_colours(theme));
        assert_eq!(colours.len(), 6, "{theme}");
        for colour in colours {
            let met = contrast(colour, card);
            assert!(met >= PICTURE_CONTRAST_MIN, "{theme}: {colour:?} has {met:.2}");
        }
    }
}

#[test]
fn charts_draw_no_value_that_never_was_and_stand_still_where_asked() {
    for said in
        ["renderMode: \"richText\"", "smooth: false", "prefers-reduced-motion", "\"still\" in root.dataset"]
    {
        assert!(CHART.contains(said), "{said}");
    }
    assert!(!CHART.contains("innerHTML") && !CHART.contains("smooth: true"));
}

#[test]
fn ui_g03_dark_and_light_name_the_same_colours() {
    let names = |theme: &str| palette(theme).into_keys().collect::<Vec<_>>();
    assert_eq!(names(":root"), names("[data-theme=dark]"));
}

#[test]
fn both_languages_parse_whole_and_have_the_same_keys() {
    let keys = |text: &str| -> Vec<String> {
        assert!(fluent_bundle::FluentResource::try_new(text.to_owned()).is_ok());
        text.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key.to_owned()).collect()
    };
    assert_eq!(keys(ZH), keys(EN));
}

#[test]
fn ui_t07_numbers_have_commas_and_a_true_minus() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([-1_000, 0, 6].map(change), ["−1,000", "0", "+6"]);
    assert_eq!(number(i64::MIN), "−9,223,372,036,854,775,808");
}

#[test]
fn templates_need_no_inline_script_or_style() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut seen = 0;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("templates").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a template");
            for bad in [" style=", "<style", " onclick=", " onsubmit=", "javascript:", "|safe"] {
                assert!(!text.contains(bad), "{}: {bad}", path.display());
            }
            // Data that no browser runs stands beside what is loaded from elsewhere.
            let known = ["<script src=", "<script type=\"application/json\""];
            let known: usize = known.iter().map(|tag| text.matches(tag).count()).sum();
            assert_eq!(text.matches("<script").count(), known, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 10);
}
