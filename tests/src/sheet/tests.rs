//! The wording of every cell, and that nothing of it is cut off or has to scroll.

use super::*;
use hufu_hardware::layout::Motion;

/// Sample; words of large displays in Chinese and English, then of small ones. `|` parts title and lines.
const CELLS: [(&str, [&str; 4]); 22] = [
    (
        "accepted",
        [
            "签到成功|欧阳女士，欢迎您！|本次 +6|可用积分 1,280",
            "Checked in|Welcome, 欧阳女士|+6|Points 1,280",
            "签到成功|积分 1,280",
            "Checked in|Points 1,280",
        ],
    ),
    (
        "accepted, no greeting",
        [
            "签到成功|欢迎光临|本次 +6|可用积分 1,280",
            "Checked in|Welcome|+6|Points 1,280",
            "签到成功|积分 1,280",
            "Checked in|Points 1,280",
        ],
    ),
    (
        "recorded, not confirmed",
        [
            "已为您登记|无需再刷",
            "Recorded for you|No need to retap",
            "已登记|无需再刷",
            "Recorded|No need to retap",
        ],
    ),
    ("refused", ["请联系现场工作人员", "Please ask our staff", "请咨询工作人员", "Please ask staff"]),
    ("attention", ["请稍候，正在核对", "One moment please", "请稍候", "One moment"]),
    ("asking the centre", ["请稍候，正在核对", "One moment please", "请稍候", "One moment"]),
    (
        "already in",
        [
            "本场已签到|欧阳女士，欢迎您！",
            "Already checked in|Welcome, 欧阳女士",
            "本场已签到",
            "Already checked in",
        ],
    ),
    (
        "redeemed",
        [
            "兑换成功|欧阳女士，欢迎您！|余 1,180",
            "Redeemed|Welcome, 欧阳女士|1,180 left",
            "兑换成功|余 1,180",
            "Redeemed|1,180 left",
        ],
    ),
    (
        "paid",
        [
            "支付成功|欧阳女士，欢迎您！|余额 ¥1,234.50",
            "Paid|Welcome, 欧阳女士|¥1,234.50 left",
            "支付成功|余额 ¥1,234.50",
            "Paid|¥1,234.50 left",
        ],
    ),
    (
        "over offline limit",
        ["暂时无法兑换，请稍候", "Not available now", "暂时无法兑换", "Not available now"],
    ),
    (
        "unknown card",
        ["未能识别|请咨询工作人员", "Card not recognised|Please ask our staff", "未识别此卡", "Unknown card"],
    ),
    ("read failed, tap", ["请再次贴卡", "Tap again", "请再次贴卡", "Tap again"]),
    ("read failed, stripe", ["请重新刷卡", "Swipe again", "请重新刷卡", "Swipe again"]),
    ("read failed, code", ["请重新扫码", "Scan again", "请重新扫码", "Scan again"]),
    ("keep still", ["请保持卡片不动", "Hold still", "请勿移动卡片", "Hold still"]),
    (
        "not ready",
        ["暂停服务|敬请谅解|15:02", "Out of service|15:02", "暂停服务|15:02", "Out of service|15:02"],
    ),
    (
        "idle, cards and codes",
        ["请刷卡或出示会员码|15:02", "Card or code|15:02", "请刷卡|15:02", "Tap your card|15:02"],
    ),
    ("idle, cards", ["请刷卡|15:02", "Tap your card|15:02", "请刷卡|15:02", "Tap your card|15:02"]),
    (
        "idle, codes",
        ["请出示会员码|15:02", "Show your code|15:02", "请出示会员码|15:02", "Show your code|15:02"],
    ),
    (
        "idle, nothing attached",
        [
            "请咨询工作人员|15:02",
            "Please ask our staff|15:02",
            "请咨询工作人员|15:02",
            "Please ask our staff|15:02",
        ],
    ),
    (
        "accepted, visit",
        [
            "欢迎光临|欧阳女士，欢迎您！|可用积分 1,280",
            "Welcome|Welcome, 欧阳女士|Points 1,280",
            "欢迎光临|积分 1,280",
            "Welcome|Points 1,280",
        ],
    ),
    (
        "already visited",
        ["已登记到访|欧阳女士，欢迎您！", "Visit noted|Welcome, 欧阳女士", "已登记到访", "Visit noted"],
    ),
];

fn words(screen: &Screen) -> String {
    let parts = [&screen.title].into_iter().chain(&screen.lines).chain(&screen.footer);
    parts.map(|part| part.replace('\u{200b}', "")).collect::<Vec<_>>().join("|")
}

#[test]
fn every_cell_reads_as_the_interface_wants_it() {
    let samples = samples::all();
    for (name, cells) in CELLS {
        let sample = samples.iter().find(|sample| sample.name == name).expect(name);
        let places = [(2, Language::Zh), (2, Language::En), (0, Language::Zh), (0, Language::En)];
        for ((display, language), cell) in places.into_iter().zip(cells) {
            assert_eq!(
                words(&screen_of(sample, DISPLAYS[display], language)),
                cell,
                "{name} in {language:?}"
            );
        }
    }
}

#[test]
fn only_the_longest_name_has_to_scroll() {
    let fonts = Fonts::load();
    for sample in samples::all().iter().filter(|sample| sample.name != "accepted, longest name") {
        for display in DISPLAYS {
            for language in Language::ALL {
                let screen = screen_of(sample, display, language);
                let mut frame = Frame::new(display.size);
                let motion = layout::draw(&screen, &fonts, &mut frame, display.depth, 0);
                assert_eq!(motion, Motion::Still, "{} at {:?} in {language:?}", sample.name, display.size);
            }
        }
    }
}

#[test]
fn no_two_outcomes_look_alike_where_colour_is_gone() {
    // The sources of a failed reading and the two reasons to wait differ by their words alone, which are read.
    let fonts = Fonts::load();
    let mut seen: Vec<(&str, Frame)> = Vec::new();
    for sample in samples::all() {
        let shown = picture(&screen_of(&sample, DISPLAYS[0], Language::Zh), DISPLAYS[0], &fonts);
        let same = seen.iter().find(|(_, other)| *other == shown);
        let may_be = |name: &str| name.starts_with("accepted") || name.starts_with("idle");
        assert!(
            same.is_none_or(|(name, _)| may_be(name) && may_be(sample.name)),
            "{} looks like {:?}",
            sample.name,
            same.map(|(name, _)| name)
        );
        seen.push((sample.name, shown));
    }
}

#[test]
fn the_longest_name_is_as_long_as_names_may_be() {
    assert!((48..=52).contains(&samples::LONGEST_NAME.chars().count()));
}

#[test]
fn the_sheet_has_every_sample_down_to_the_last() {
    let fonts = Fonts::load();
    let sheet = sheet(&fonts);
    let all = samples::all();
    let png = sheet.to_png().expect("encoded");
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a picture");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rgb).expect("read back");
    assert_eq!((info.width, info.height), (sheet.width, sheet.height));
    let size = Size::new(info.width, info.height / u32::try_from(all.len()).expect("few"));
    let last = all.last().expect("samples");
    assert!(rgb.ends_with(strip(last, size, &fonts).rgb()), "{} is the last", last.name);
}
