//! The assets hold what they promise, and drawing loses nothing.

use super::*;
use embedded_graphics::prelude::*;

const SMALL: Style = Style::Bitmap { scale: 1 };
const LARGE: Style = Style::Outline { px: 36, heavy: true };

fn characters(packed: &[u8]) -> String {
    String::from_utf8(unpack(packed).unwrap()).unwrap()
}

fn ink(fonts: &Fonts, text: &str, style: Style) -> (Frame, u32) {
    let mut frame = Frame::new(Size::new(fonts.measure(text, style) + 8, style.line_px() + 8));
    let all = (0, i32::MAX);
    fonts.draw(text, style, Point::new(4, 4), Rgb888::WHITE, all, &mut frame);
    let inked = frame.rgb().chunks(3).filter(|p| p[0] > 60).count();
    (frame, u32::try_from(inked).unwrap())
}

/// How much ink a character leaves, and a number that tells its shape from others.
fn shape(fonts: &Fonts, c: char, style: Style) -> (u32, u64) {
    let (mut ink, mut hash) = (0_u32, 0xcbf2_9ce4_8422_2325_u64);
    let high = style.px().cast_signed();
    fonts.glyph(c, style, Point::zero(), &mut |point, coverage| {
        if coverage > 60 {
            ink += 1;
            assert!((-high / 4..high * 5 / 4).contains(&point.y), "{c} leaves its line at {point}");
            for part in [point.x, point.y] {
                hash = (hash ^ u64::from(part.unsigned_abs())).wrapping_mul(0x0100_0000_01b3);
            }
        }
    });
    (ink, hash)
}

#[test]
fn every_character_of_gb_18030_2022_level_2_draws_in_both_faces() {
    let fonts = Fonts::load();
    let lists = [
        characters(include_bytes!("../../assets/standard.bin")),
        characters(include_bytes!("../../assets/gbk.bin")),
        characters(include_bytes!("../../assets/more.bin")),
    ];
    assert_eq!(lists[0].chars().count(), 8_105, "通用规范汉字表");
    let ideographs = ('\u{3400}'..='\u{4db5}').chain('\u{4e00}'..='\u{9fef}');
    let listed: std::collections::BTreeSet<char> = lists.concat().chars().collect();
    assert_eq!(ideographs.clone().find(|c| !listed.contains(c)), None, "level 1 has them all");
    let missing = [SMALL, LARGE].map(|style| shape(&fonts, MISSING, style).1);
    for c in listed.into_iter().filter(|c| !c.is_whitespace() && *c != MISSING) {
        assert!(fonts.outline_for(c).is_some(), "{c} ({:x}) has no outline", u32::from(c));
        for (style, missing) in [SMALL, LARGE].into_iter().zip(missing) {
            assert!(fonts.has(c, style), "{c} ({:x}) has no shape in {style:?}", u32::from(c));
            let (ink, hash) = shape(&fonts, c, style);
            assert!(ink > 0, "{c} ({:x}) is empty in {style:?}", u32::from(c));
            assert_ne!(hash, missing, "{c} ({:x}) is drawn as missing in {style:?}", u32::from(c));
        }
    }
    for c in lists[0].chars() {
        assert!(fonts.main().is_some_and(|face| face.has(c)), "{c} is not in the main face");
    }
}

#[test]
fn rare_names_leave_ink_and_differ_from_the_missing_mark() {
    let fonts = Fonts::load();
    for style in [SMALL, LARGE] {
        let (missing, _) = ink(&fonts, &MISSING.to_string(), style);
        for c in "喆堃玥䶮㐱𬭎镕珺禤欧阳𠅤陳黃張劉".chars() {
            let (frame, pixels) = ink(&fonts, &c.to_string(), style);
            assert!(pixels > 25, "{c} is blank at {style:?}");
            assert_ne!(frame, missing, "{c} is drawn as missing at {style:?}");
        }
    }
}

#[test]
fn what_no_face_has_is_drawn_as_the_missing_mark() {
    let fonts = Fonts::load();
    for style in [SMALL, Style::Outline { px: 36, heavy: false }] {
        assert!(!fonts.has('\u{2ffff}', style) && !fonts.has('\u{e123}', style));
        let (unknown, pixels) = ink(&fonts, "\u{2b81e}\u{10fffd}", style);
        assert!(pixels > 100, "two marks must be seen");
        assert_eq!(fonts.measure("\u{10fffd}", style), style.px());
        assert_eq!(unknown.size().width, 2 * style.px() + 8);
    }
}

#[test]
fn invisible_characters_have_no_width_and_controls_are_spaces() {
    let fonts = Fonts::load();
    for style in [SMALL, LARGE] {
        assert_eq!(fonts.measure("葛\u{e0100}", style), fonts.measure("葛", style));
        assert_eq!(fonts.measure("a\u{200b}\u{feff}b", style), fonts.measure("ab", style));
        assert_eq!(fonts.measure("a\tb", style), fonts.measure("a b", style));
    }
    assert_eq!(fonts.measure("", LARGE), 0);
}

#[test]
fn measured_is_drawn() {
    let fonts = Fonts::load();
    for style in [SMALL, Style::Bitmap { scale: 2 }, LARGE, Style::Outline { px: 20, heavy: false }] {
        for text in ["签到成功 · 本次 +6", "Welcome, 欧阳女士！", "1,280 ¥320.50", "𬭎䶮fjg"]
        {
            let (frame, _) = ink(&fonts, text, style);
            let edge = frame.size().width.cast_signed() - 3;
            for y in 0..frame.size().height.cast_signed() {
                for x in (0..2).chain(edge..edge + 3) {
                    let ink = frame.pixel(Point::new(x, y)).unwrap().r();
                    assert!(ink < 128, "{text} leaves its box at {x},{y} in {style:?}");
                }
            }
        }
    }
    assert_eq!(fonts.measure("签到成功", SMALL), 64);
    assert_eq!(fonts.measure("1,280", SMALL), 40);
    assert_eq!(fonts.measure("签到成功", Style::Outline { px: 40, heavy: false }), 160);
}

#[test]
fn text_outside_its_columns_is_not_drawn() {
    let fonts = Fonts::load();
    let mut frame = Frame::new(Size::new(100, 20));
    fonts.draw("签到成功", SMALL, Point::new(-8, 0), Rgb888::WHITE, (10, 40), &mut frame);
    let inked: Vec<_> = frame.bounding_box().points().filter(|p| frame.is_lit(*p)).map(|p| p.x).collect();
    assert!(inked.iter().min().unwrap() >= &10 && inked.iter().max().unwrap() < &40);
}

#[test]
fn a_small_panel_unpacks_only_the_bitmaps() {
    let fonts = Fonts::load();
    let _ = fonts.measure("欧阳堃玥", SMALL);
    assert!(fonts.main.get().is_none() && fonts.rest.get().is_none());
    let _ = fonts.measure("欧阳堃玥", LARGE);
    let further = fonts.rest.get().is_some() || fonts.more.get().is_some();
    assert!(fonts.main.get().is_some() && !further, "no second face for a standard name");
}
