//! Screens at all sizes: nothing clipped, nothing lost, outcomes told apart by shape. The pictures themselves are looked
//! at by people: `HUFU_PICTURES=folder cargo test -p hufu-hardware pictures` writes them.

use super::*;
use crate::text::MISSING;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Unpacked once for all tests of a run.
static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::load);

const SIZES: [(Size, Depth); 4] = [
    (Size::new(128, 64), Depth::Mono),
    (Size::new(240, 240), Depth::Rgb),
    (Size::new(320, 240), Depth::Rgb),
    (Size::new(800, 480), Depth::Rgb),
];

const ICONS: [Icon; 10] = [
    Icon::Check,
    Icon::Clock,
    Icon::Cross,
    Icon::Warning,
    Icon::DoubleCheck,
    Icon::Gift,
    Icon::Question,
    Icon::Wave,
    Icon::Plug,
    Icon::Card,
];

fn screen(shade: Shade, icon: Icon, title: &str, lines: &[&str]) -> Screen {
    let lines = lines.iter().map(|l| (*l).to_owned()).collect();
    Screen { shade, icon: Some(icon), title: title.into(), lines, footer: None }
}

fn drawn(screen: &Screen, size: Size, depth: Depth, shown_ms: u32) -> (Frame, Motion) {
    let mut frame = Frame::new(size);
    let motion = draw(screen, &FONTS, &mut frame, depth, shown_ms);
    (if depth == Depth::Mono { frame.to_mono() } else { frame }, motion)
}

/// Screens as the terminal shows them, small wording and large wording.
fn gallery() -> Vec<(&'static str, Screen, Screen)> {
    let both = |name, shade, icon, small: (&str, &[&str]), large: (&str, &[&str])| {
        (name, screen(shade, icon, small.0, small.1), screen(shade, icon, large.0, large.1))
    };
    let points = "本次 +6 · 可用积分 1,280";
    vec![
        both(
            "ouyang",
            Shade::Green,
            Icon::Check,
            ("欧阳女士", &["签到成功", "积分 1,280"]),
            ("签到成功", &["欧阳女士，欢迎您！", points]),
        ),
        both(
            "xuan",
            Shade::Green,
            Icon::Check,
            ("禤先生", &["签到成功", "积分 1,280"]),
            ("签到成功", &["禤先生，欢迎您！", points]),
        ),
        both(
            "welcome",
            Shade::Green,
            Icon::Check,
            ("签到成功", &["积分 1,280"]),
            ("签到成功", &["欢迎光临", points]),
        ),
        both("recorded", Shade::Amber, Icon::Clock, ("已登记", &["无需再刷"]), ("已为您登记", &["无需再刷"])),
        both(
            "refused",
            Shade::Red,
            Icon::Cross,
            ("请咨询\u{200b}工作人员", &[]),
            ("请联系现场\u{200b}工作人员", &[]),
        ),
        both("attention", Shade::Blue, Icon::Warning, ("请稍候", &[]), ("请稍候", &["正在核对"])),
        both(
            "already",
            Shade::GreenOutline,
            Icon::DoubleCheck,
            ("本场\u{200b}已签到", &[]),
            ("本场\u{200b}已签到", &[]),
        ),
        both("redeemed", Shade::Green, Icon::Gift, ("兑换成功", &["余 1,180"]), ("兑换成功", &["余 1,180"])),
        both(
            "limit",
            Shade::Red,
            Icon::Cross,
            ("暂时\u{200b}无法兑换", &[]),
            ("暂时\u{200b}无法兑换", &["请稍候"]),
        ),
        both(
            "unknown",
            Shade::Blue,
            Icon::Question,
            ("未识别\u{200b}此卡", &[]),
            ("未能识别", &["请咨询\u{200b}工作人员"]),
        ),
        both("failed", Shade::Blue, Icon::Wave, ("请再次\u{200b}贴卡", &[]), ("请再次\u{200b}贴卡", &[])),
        both(
            "still",
            Shade::Blue,
            Icon::Wave,
            ("请勿移动\u{200b}卡片", &[]),
            ("请保持\u{200b}卡片不动", &[]),
        ),
        both("down", Shade::Grey, Icon::Plug, ("暂停服务", &[]), ("暂停服务", &["敬请谅解"])),
        both("idle", Shade::Dark, Icon::Card, ("请刷卡", &["15:02"]), ("请刷卡", &["或出示会员码"])),
        both(
            "rare",
            Shade::Green,
            Icon::Check,
            ("欧阳堃玥", &["张喆 䶮 㐱 𬭎"]),
            ("欧阳堃玥", &["张喆 · 䶮 · 㐱 · 𬭎", points]),
        ),
        both(
            "english",
            Shade::Green,
            Icon::Check,
            ("Checked in", &["Points 1,280"]),
            ("Checked in", &["Welcome, Ms Ouyang", "+6 · Points 1,280"]),
        ),
        both(
            "long",
            Shade::Green,
            Icon::Check,
            ("迪丽热巴·买买提明", &["签到成功 · 本次 +6 · 可用积分 1,280"]),
            ("阿卜杜热合曼·阿卜杜克力木女士", &["签到成功", points]),
        ),
    ]
}

#[test]
fn pictures_of_every_outcome_hold_ink_and_differ() {
    let folder = std::env::var_os("HUFU_PICTURES").map(std::path::PathBuf::from);
    for (size, depth) in SIZES {
        let mut seen: Vec<Frame> = Vec::new();
        for (name, small, large) in gallery() {
            let screen = if size.height < LARGE_HEIGHT_MIN { &small } else { &large };
            let (frame, _) = drawn(screen, size, depth, 0);
            let paper = frame.pixel(Point::new(size.width.cast_signed() / 2, 0));
            let inked = frame.bounding_box().points().filter(|p| frame.pixel(*p) != paper).count();
            assert!(inked > 400, "{name} at {size:?} is nearly empty: {inked}");
            assert!(!seen.contains(&frame), "{name} at {size:?} looks like another");
            seen.push(frame.clone());
            if let Some(folder) = &folder {
                let file = format!("{name}-{}x{}.png", size.width, size.height);
                std::fs::write(folder.join(file), frame.to_png()).unwrap();
            }
        }
    }
}

#[test]
fn icons_differ_by_shape_alone_also_when_tiny() {
    for px in [24, 32, 80] {
        let mut seen: Vec<Frame> = Vec::new();
        for icon in ICONS {
            let mut frame = Frame::new(Size::new(px + 2, px + 2));
            icon::draw(icon, Point::new(1, 1), px, Rgb888::WHITE, &mut frame);
            let frame = frame.to_mono();
            for other in &seen {
                let points = frame.bounding_box().points();
                let differing = points.filter(|p| frame.is_lit(*p) != other.is_lit(*p)).count();
                assert!(differing * 20 > (px * px) as usize, "{icon:?} at {px} is hardly told apart");
            }
            let edge = frame.bounding_box().points().filter(|p| p.x == 0 || p.y == 0);
            assert!(edge.into_iter().all(|p| !frame.is_lit(p)), "{icon:?} leaves its square");
            seen.push(frame);
        }
    }
}

#[test]
fn words_have_enough_contrast_in_every_shade() {
    let linear = |byte: u8| {
        let part = f64::from(byte) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let light = |c: Rgb888| 0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b());
    for shade in
        [Shade::Green, Shade::GreenOutline, Shade::Amber, Shade::Red, Shade::Blue, Shade::Grey, Shade::Dark]
    {
        let (paper, ink) = shade.colours();
        let (a, b) = (light(paper).max(light(ink)), light(paper).min(light(ink)));
        assert!((a + 0.05) / (b + 0.05) >= 4.5, "{shade:?}");
    }
}

#[test]
fn what_does_not_fit_scrolls_through_whole_and_comes_round() {
    let name = "阿卜杜热合曼·阿卜杜克力木";
    let long = screen(Shade::Green, Icon::Check, "签到成功", &[name, &name.repeat(2)]);
    let (first, motion) = drawn(&long, SIZES[0].0, Depth::Mono, 0);
    assert_eq!(motion, Motion::AgainInMs(SCROLL_HOLD_MS));
    let (held, _) = drawn(&long, SIZES[0].0, Depth::Mono, SCROLL_HOLD_MS - 1);
    assert_eq!(first, held);
    let (moved, motion) = drawn(&long, SIZES[0].0, Depth::Mono, SCROLL_HOLD_MS + 2_000);
    assert_eq!(motion, Motion::AgainInMs(SCROLL_STEP_MS));
    assert_ne!(first, moved);
    let (after_days, _) = drawn(&long, SIZES[0].0, Depth::Mono, u32::MAX);
    assert!(after_days.rgb().iter().any(|b| *b != 0));
    let short = screen(Shade::Green, Icon::Check, "签到成功", &["积分 1,280"]);
    assert_eq!(drawn(&short, SIZES[0].0, Depth::Mono, 0).1, Motion::Still);
}

#[test]
fn no_row_is_cut_off_at_the_bottom_or_the_top() {
    for (size, depth) in SIZES {
        for (name, small, large) in gallery() {
            let screen = if size.height < LARGE_HEIGHT_MIN { &small } else { &large };
            if screen.shade == Shade::GreenOutline {
                continue; // its frame touches all edges
            }
            let (frame, _) = drawn(screen, size, depth, 0);
            let paper = frame.pixel(Point::zero());
            let last = size.height.cast_signed() - 1;
            let middle = size.width.cast_signed() / 2;
            for y in [0, last] {
                let touched = (0..2 * middle).filter(|x| frame.pixel(Point::new(*x, y)) != paper).count();
                assert!(touched < 6, "{name} at {size:?} touches row {y}");
            }
        }
    }
}

/// Where a piece stands: an icon's square, a line's characters; a border stands around everything.
fn place(piece: &Piece) -> Option<Rectangle> {
    let at = |x: u32, y: u32| Point::new(x.cast_signed(), y.cast_signed());
    match piece {
        Piece::Text { style, columns, y, width, .. } => {
            let room = columns.1 - columns.0;
            let wide = (*width).min(room);
            Some(Rectangle::new(at(columns.0 + (room - wide) / 2, *y), Size::new(wide, style.px())))
        }
        Piece::Icon { x, y, px, .. } => Some(Rectangle::new(at(*x, *y), Size::new(*px, *px))),
        Piece::Border { .. } => None,
    }
}

/// Every piece lies inside, none upon another, and each character of a line that scrolls comes by whole.
fn check_places(arranged: &Arrangement) -> Result<(), String> {
    let whole = Rectangle::new(Point::zero(), arranged.size);
    let places: Vec<Rectangle> = arranged.pieces.iter().filter_map(place).collect();
    for (n, place) in places.iter().enumerate() {
        if place.intersection(&whole) != *place {
            return Err(format!("{place:?} is not inside"));
        }
        if let Some(other) = places[..n].iter().find(|other| !place.intersection(other).is_zero_sized()) {
            return Err(format!("{place:?} stands upon {other:?}"));
        }
    }
    for piece in &arranged.pieces {
        if let Piece::Text { style, columns, width, text, .. } = piece {
            let room = columns.1 - columns.0;
            if *width > room && room < 3 * style.px() {
                return Err(format!("{text} scrolls through a slit"));
            }
        }
    }
    Ok(())
}

/// Paints with room all around, so that ink beyond the edge is seen instead of being cut off.
fn ink_outside(arranged: &Arrangement, shown_ms: u32) -> Option<Point> {
    const ROOM: u32 = 12;
    let mut frame = Frame::new(arranged.size + Size::new_equal(2 * ROOM));
    let paper = arranged.colours.0;
    frame.clear(paper).unwrap();
    let corner = Point::new_equal(ROOM.cast_signed());
    arranged.paint_at(corner, &FONTS, &mut frame, shown_ms);
    let inside = Rectangle::new(corner, arranged.size);
    let (width, height) = (frame.size().width.cast_signed(), frame.size().height.cast_signed());
    let is_edge = |y: i32| y < corner.y || y >= height - corner.y;
    let points = (0..height).flat_map(|y| {
        let xs =
            if is_edge(y) { (0..width).chain(0..0) } else { (0..corner.x).chain(width - corner.x..width) };
        xs.map(move |x| Point::new(x, y))
    });
    let mut outside = points.filter(|point| !inside.contains(*point));
    outside.find(|point| frame.pixel(*point) != Some(paper))
}

/// The characters that members must see, without those that a break may leave out.
fn visible<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<char> {
    let mut all: Vec<char> =
        texts.flat_map(str::chars).filter(|c| !c.is_whitespace() && !"·\u{200b}".contains(*c)).collect();
    all.sort_unstable();
    all
}

fn check(screen: &Screen, size: Size, depth: Depth, shown_ms: u32) -> Result<(), String> {
    let arranged = arrange(screen, &FONTS, size, depth);
    check_places(&arranged)?;
    if let Some(point) = ink_outside(&arranged, shown_ms) {
        return Err(format!("ink at {point:?}, outside"));
    }
    let drawn = arranged.pieces.iter().filter_map(|piece| match piece {
        Piece::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let words = [&screen.title].into_iter().chain(&screen.lines);
    // A small display leaves the time of day out where lines need its room.
    let footer =
        screen.footer.as_ref().filter(|_| size.height >= LARGE_HEIGHT_MIN || screen.lines.is_empty());
    let expected = visible(words.chain(footer).map(String::as_str));
    if visible(drawn) != expected {
        return Err(format!("{:?} became {:?}", screen, arranged.pieces));
    }
    Ok(())
}

#[test]
fn every_outcome_lies_inside_whole() {
    for (size, depth) in SIZES {
        for (name, small, large) in gallery() {
            let screen = if size.height < LARGE_HEIGHT_MIN { &small } else { &large };
            for footer in [None, Some("15:02".to_owned())] {
                let screen = Screen { footer, ..screen.clone() };
                assert_eq!(check(&screen, size, depth, 0), Ok(()), "{name} at {size:?}");
            }
        }
    }
}

#[test]
fn a_name_of_fifty_characters_lies_inside_whole_wherever_it_stands() {
    let names = [
        "阿卜杜热合曼·阿卜杜克力木·买买提依明·吐尔逊娜依·热依汗古丽·麦麦提图尔荪·伊斯坎代尔·穆合塔尔女士",
        &"堃".repeat(50),
        "Wolfeschlegelsteinhausenbergerdorff, Gymnasiast Jy",
        &"𬭎䶮".repeat(25),
        &MISSING.to_string().repeat(50),
    ];
    for (size, depth) in SIZES {
        for name in names {
            assert!(name.chars().count() >= 45, "{name}");
            for (title, line) in [(name, "签到成功"), ("签到成功", name)] {
                let screen = screen(Shade::Green, Icon::Check, title, &[line, "积分 1,280"]);
                for shown_ms in [0, 5_000, 60_000] {
                    assert_eq!(check(&screen, size, depth, shown_ms), Ok(()), "{name} at {size:?}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn names_and_words_lie_inside_whole_on_every_display(
        title in "[一-龥A-Za-z0-9gjpqy·，。！ ]{1,50}",
        lines in proptest::collection::vec("[一-龥A-Za-z0-9gjpqy·，。！（） ]{1,50}", 0..4),
        footer: bool,
        shown_ms in 0_u32..30_000,
        which in 0_usize..4,
    ) {
        let footer = footer.then(|| "15:02".to_owned());
        let screen = Screen { shade: Shade::Blue, icon: Some(Icon::Wave), title, lines, footer };
        let (size, depth) = SIZES[which];
        prop_assert_eq!(check(&screen, size, depth, shown_ms), Ok(()), "at {:?}", size);
    }

    #[test]
    fn any_words_on_any_panel(
        title in "\\PC{0,30}",
        lines in proptest::collection::vec("[ -~欧阳堃玥䶮，。！·]{0,60}", 0..7),
        width in 1_u32..200,
        height in 1_u32..180,
        shown_ms: u32,
    ) {
        let screen = Screen { shade: Shade::GreenOutline, icon: Some(Icon::Gift), title, lines, footer: Some("15:02".into()) };
        for depth in [Depth::Mono, Depth::Rgb] {
            drawn(&screen, Size::new(width, height), depth, shown_ms);
        }
    }
}
