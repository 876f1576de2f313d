//! Where lines break, as tables, and that nothing is lost.

use super::*;
use proptest::prelude::*;

/// Han and other full-width characters 2, all others 1.
fn width(text: &str) -> u32 {
    text.chars()
        .map(|c| match u32::from(c) {
            0x200b => 0,
            0x2e80.. => 2,
            _ => 1,
        })
        .sum()
}

#[test]
fn where_lines_break() {
    let table: &[(&str, u32, &[&str])] = &[
        ("签到成功", 8, &["签到成功"]),
        ("签到成功", 7, &["签到", "成功"]),
        // Phrases first, and the dot at the break is left out.
        ("签到成功 · 本次 +6 · 可用积分 1,280", 22, &["签到成功 · 本次 +6", "可用积分 1,280"]),
        ("签到成功 · 本次 +6 · 可用积分 1,280", 14, &["签到成功", "本次 +6", "可用积分 1,280"]),
        ("签到成功 · 本次 +6 · 可用积分 1,280", 40, &["签到成功 · 本次 +6 · 可用积分 1,280"]),
        // No closing mark begins a line, no opening one ends it, numbers stay whole.
        ("欧阳女士，欢迎您！", 12, &["欧阳女士，", "欢迎您！"]),
        ("请到（一楼）客服", 7, &["请到", "（一", "楼）", "客服"]),
        ("迪丽热巴·买买提明女士", 16, &["迪丽热巴·", "买买提明女士"]),
        ("Checked in", 8, &["Checked", "in"]),
        ("暂时\u{200b}无法兑换", 11, &["暂时\u{200b}", "无法兑换"]),
        // A break by sense, as long as its parts fit.
        ("请保持\u{200b}卡片不动", 12, &["请保持\u{200b}", "卡片不动"]),
        ("请保持\u{200b}卡片不动", 14, &["请保持\u{200b}卡片不动"]),
        ("请保持\u{200b}卡片不动", 6, &["请保持\u{200b}", "卡片不", "动"]),
        ("可用积分 1,280", 10, &["可用积分", "1,280"]),
        ("Welcome to the club", 11, &["Welcome to", "the club"]),
        // A word that is too long by itself is cut, not lost.
        ("ABCDEFGHIJ", 4, &["ABCD", "EFGH", "IJ"]),
        ("a\nb", 10, &["a", "b"]),
        ("", 10, &[]),
        (" · ", 10, &["·"]),
    ];
    for (text, room, expected) in table {
        assert_eq!(wrap(text, *room, &width), *expected, "{text} in {room}");
    }
}

#[test]
fn words_that_would_be_cut_are_noticed() {
    assert!(breaks_cleanly("Checked in", 7, &width) && !breaks_cleanly("Checked in", 6, &width));
    assert!(breaks_cleanly("签到成功", 2, &width) && !breaks_cleanly("签到成功！", 2, &width));
}

#[test]
fn the_largest_size_that_fits() {
    assert_eq!(largest(&[48, 36, 24], 100, |px| px * 2), Some((48, 96)));
    assert_eq!(largest(&[48, 36, 24], 90, |px| px * 2), Some((36, 72)));
    assert_eq!(largest(&[48, 36, 24], 10, |px| px * 2), Some((24, 48)));
    assert_eq!(largest(&[0_u32; 0], 10, |px| px), None);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_too_wide(text in "[a-z0-9 ，。！（）·欧阳堃玥䶮𬭎\\u{200b}]{0,40}", room in 2_u32..40) {
        let lines = wrap(&text, room, &width);
        let bare = |s: &str| s.chars().filter(|c| !" ·\u{200b}".contains(*c)).collect::<String>();
        prop_assert_eq!(bare(&lines.concat()), bare(&text));
        for line in &lines {
            prop_assert!(width(line) <= room || line.chars().count() == 1, "{} in {}", line, room);
            prop_assert!(!line.is_empty() && line.trim() == line);
        }
    }
}
