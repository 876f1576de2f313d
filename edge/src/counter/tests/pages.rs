//! Every snapshot rendered in both languages: complete, escaped, free of inline code, and worded as agreed.

mod many;

use askama::Template;
use hufu_hardware::signal::SOUND_MS_MAX;
use hufu_shared::fact::RefusalReason;
use hufu_shared::money::Amount;
use hufu_shared::scheme::Words;

use super::samples::{NOW, afternoon, moments, outcomes, result, words};
use crate::counter::face::{face, look};
use crate::counter::pages::{CounterPage, Frame, Parts};
use crate::counter::routes::Typed;
use crate::counter::sheets::{HelpPage, StatusPage};
use crate::counter::undo::UndoPage;
use crate::counter::view::{CounterView, ModeView, Outcome, PersonView, Purpose, ResultView, SwipeView};
use crate::counter::words::Ui;
use crate::locale::Language;

/// Names in the samples, and the switch to Chinese: the only Han that an English page may hold.
const NAMES: [&str; 9] =
    ["张*三", "欧阳*华", "李*", "王*明", "前台一号", "前台", "湖畔花园", "切换到中文", "中文"];

fn ui(language: Language) -> Ui {
    Ui { language, zone: chrono_tz::Asia::Shanghai, now: NOW }
}

pub(super) fn frame(language: Language, unpaired: bool) -> Frame {
    Frame {
        ui: ui(language),
        theme: "light",
        muted: false,
        sounds: std::sync::Arc::new(crate::counter::voice::Sounds::tones(70)),
        css: "/a.css".into(),
        js: "/a.js".into(),
        unpaired,
        practice: false,
        staff: None,
    }
}

/// The three pages of a snapshot.
fn render(view: &CounterView, language: Language, unpaired: bool) -> [String; 3] {
    let frame = &frame(language, unpaired);
    let p = &Parts::new(view, 1, &frame.ui, None);
    let typed = &Typed::default();
    let simulator = Some("http://127.0.0.1:7099/");
    let counter = CounterPage { frame, p, typed, display: Some(1), simulator };
    let status = StatusPage::new(frame, view, p.office.clone());
    let help = HelpPage::new(frame, frame.ui.words(&view.place_word));
    [counter.render().unwrap(), status.render().unwrap(), help.render().unwrap()]
}

pub(super) fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x9FFF | 0x20000..=0x3FFFF | 0x3001..=0x3011 | 0xFF01..=0xFF5E)
}

#[test]
fn every_outcome_renders_in_both_languages_with_all_its_words() {
    for (name, view) in outcomes() {
        for language in Language::ALL {
            for page in render(&view, language, false) {
                // A key that is missing reads as the key itself.
                let missing = page.match_indices("counter-").next().map(|(at, _)| &page[at..][..40]);
                assert_eq!(missing, None, "{name} in {language:?}");
                let variable = page.find("{$").or_else(|| page.find("{ $"));
                assert_eq!(variable, None, "{name} in {language:?} leaves a variable open");
            }
        }
        for mut page in render(&view, Language::En, false) {
            for own in NAMES {
                page = page.replace(own, "");
            }
            let han = page.find(is_han).map(|at| page[at..].chars().take(20).collect::<String>());
            assert_eq!(han, None, "{name}: Chinese on an English page");
        }
    }
}

#[test]
fn no_page_holds_inline_style_or_script() {
    for (name, view) in outcomes() {
        for page in render(&view, Language::Zh, true) {
            for bad in [" style=", "<style", " onclick", " onload", "javascript:", "<script>"] {
                assert!(!page.contains(bad), "{name} contains {bad}");
            }
            assert!(page.match_indices("<script").all(|(at, _)| page[at..].starts_with("<script src=")));
        }
    }
}

#[test]
fn case_57_markup_in_names_is_shown_as_typed() {
    let evil = "<script>alert(1)</script>\"'&{{7*7}}";
    let both: Words = words(evil, evil);
    let mut view = afternoon();
    view.office = both.clone();
    view.place_word = both.clone();
    view.terminal = evil.into();
    view.activities[0].name = both.clone();
    view.readers[0].name = evil.into();
    view.readers[0].reason = evil.into();
    view.display.fault = Some(evil.into());
    let person =
        PersonView { name: Some(evil.into()), level: Some(both.clone()), ..super::samples::person() };
    let purpose = Purpose::CheckIn { name: both };
    let mut shown = result(Outcome::Attention, purpose.clone());
    (shown.person, shown.card_tail) = (Some(person), Some(evil.into()));
    (shown.first_at, shown.first_office) = (Some(NOW), Some(evil.into()));
    view.result = Some(shown);
    view.last = vec![SwipeView { name: Some(evil.into()), purpose, ..view.last[0].clone() }];
    for (_, moment) in moments() {
        view.notices.extend(moment.notices);
        view.unshown.extend(moment.unshown);
    }
    for notice in &mut view.notices {
        (notice.name, notice.other_office) = (Some(evil.into()), Some(evil.into()));
    }
    for fact in &mut view.unshown {
        fact.name = Some(evil.into());
    }
    for language in Language::ALL {
        for page in render(&view, language, false) {
            assert!(!page.contains("<script>alert") && !page.contains("49"), "markup came through");
        }
    }
    let [page, ..] = render(&view, Language::Zh, false);
    assert!(page.contains("&#60;script&#62;alert(1)"), "the name is shown as typed");
}

/// Headline and next step of an outcome that nobody is named beside.
fn reads_as(outcome: Outcome, purpose: Purpose, language: Language) -> (String, String) {
    let shown = ResultView { person: None, ..result(outcome, purpose) };
    let face = face(&CounterView { result: Some(shown), ..afternoon() }, &ui(language));
    (face.headline, face.next.unwrap_or_default())
}

#[test]
fn kind_04_an_activity_that_counts_who_leaves_has_a_button_for_each_way() {
    let mut view = afternoon();
    view.activities[0].leaves = Some(true);
    let id = view.activities[0].occurrence;
    view.mode = ModeView::CheckOut { occurrence: id, name: view.activities[0].name.clone() };
    let [page, ..] = render(&view, Language::Zh, false);
    for text in ["秋季品鉴会 · 进场签到", "秋季品鉴会 · 离场登记", "下一张卡：离场登记 · 秋季品鉴会"]
    {
        assert!(page.contains(text), "{text}");
    }
    let button = |value: String| {
        let at = page.find(&format!("value=\"{value}\" id=")).expect("a button");
        page[at..].split('>').next().unwrap_or_default().contains("aria-pressed=\"true\"")
    };
    assert_eq!((button(id.to_string()), button(format!("out-{id}"))), (false, true));
    view.activities[0].enters = false;
    let [page, ..] = render(&view, Language::Zh, false);
    assert!(!page.contains("进场签到"), "an exit only");
}

#[test]
fn outcomes_read_as_agreed() {
    let check_in = || Purpose::CheckIn { name: words("品鉴会", "Tasting") };
    let leaving = Purpose::CheckOut { name: words("品鉴会", "Tasting") };
    let left = reads_as(Outcome::Accepted, leaving, Language::Zh);
    assert_eq!(left, ("离场登记成功".to_owned(), String::new()));
    let reads = reads_as;
    let table = [
        (Outcome::Accepted, "签到成功", "", "Checked in", ""),
        (
            Outcome::Recorded,
            "已登记，待确认",
            "联网后自动确认，无需再刷",
            "Recorded",
            "Confirmed once online. No need to tap again",
        ),
        (Outcome::AlreadyIn, "本场已签到", "", "Already checked in", ""),
        (Outcome::Attention, "请核对本人身份", "", "Check identity", ""),
        (
            Outcome::OverOfflineLimit,
            "离线可用额度不足",
            "联网后即可兑换",
            "Offline limit reached",
            "Available once online",
        ),
        (
            Outcome::UnknownCard,
            "未识别此卡",
            "请办理来访登记或入会申请",
            "Unknown card",
            "Register a visit or take an application",
        ),
        (Outcome::ReadFailed, "未读到，请再次贴卡", "", "Not read, tap again", ""),
        (Outcome::KeepStill, "正在读卡，请稍候", "", "Reading, hold still", ""),
        (Outcome::NotReady, "读卡器未就绪", "请查看“设备状态”", "Reader not ready", "See “Device status”"),
        (
            Outcome::Refused(RefusalReason::R07),
            "此卡已挂失",
            "请核对身份后办理解挂或补卡，不要扣留卡片",
            "Card reported lost",
            "Check identity, then lift the report or replace the card. Never keep it",
        ),
    ];
    for (outcome, zh, zh_next, en, en_next) in table {
        let own = |headline: &str, next: &str| (headline.to_owned(), next.to_owned());
        assert_eq!(reads(outcome, check_in(), Language::Zh), own(zh, zh_next));
        assert_eq!(reads(outcome, check_in(), Language::En), own(en, en_next));
    }
    // The same green must not claim a check-in where none was.
    assert_eq!(reads(Outcome::Accepted, Purpose::Visit, Language::Zh).0, "到访已登记");
    assert_eq!(reads(Outcome::Accepted, Purpose::Earn { purchase: Amount(1) }, Language::Zh).0, "积分已记");
}

#[test]
fn rule_k21_points_that_wait_for_approval_say_so_and_an_old_balance_says_its_age() {
    let shown = |name: &str| {
        let (_, view) = outcomes().into_iter().find(|(sample, _)| sample == name).unwrap();
        face(&view, &ui(Language::Zh))
    };
    assert_eq!(shown("earn").promised.as_deref(), Some("本次 +6（待审核）"));
    assert_eq!(shown("accepted").promised.as_deref(), Some("本次 +6"));
    assert_eq!(shown("accepted").points.as_deref(), Some("可用积分 1,280"));
    assert_eq!(shown("accepted-offline").points.as_deref(), Some("可用积分 1,280（3 小时前）"));
    assert!(shown("accepted-offline").marks.contains(&"离线".to_owned()));
    assert!(shown("accepted").marks.contains(&"卡尾号 0042".to_owned()), "leading zeros stay");
    assert_eq!(shown("refused-R03").next.as_deref(), Some("2026-11-25 起生效"));
    assert_eq!(shown("refused-R05").next.as_deref(), Some("还差 120 分"));
}

#[test]
fn colour_shape_and_word_tell_the_outcomes_apart_and_sounds_are_short() {
    let all = [
        Outcome::Accepted,
        Outcome::Recorded,
        Outcome::Refused(RefusalReason::R01),
        Outcome::Attention,
        Outcome::AlreadyIn,
        Outcome::UnknownCard,
        Outcome::ReadFailed,
        Outcome::NotReady,
    ];
    for (at, one) in all.iter().enumerate() {
        let look_one = look(*one);
        assert!(look_one.sound.total_ms() <= SOUND_MS_MAX, "{one:?}");
        for other in &all[at + 1..] {
            let look_other = look(*other);
            assert_ne!(look_one.icon, look_other.icon, "{one:?} and {other:?} share a shape");
            assert_ne!(look_one.key, look_other.key, "{one:?} and {other:?} share a word");
        }
    }
    assert!(look(Outcome::Refused(RefusalReason::R07)).insists, "a muted page still sounds a refusal");
    assert!(look(Outcome::OverOfflineLimit).insists && !look(Outcome::Accepted).insists);
    let (_, accepted) = outcomes().into_iter().find(|(name, _)| name == "accepted").unwrap();
    assert_eq!(face(&accepted, &ui(Language::Zh)).tones, "880:140,1320:180");
}

#[test]
fn rule_h02_a_typed_number_shows_the_member_and_asks_before_anything_is_done() {
    let page = |name: &str| {
        let (_, view) = moments().into_iter().find(|(moment, _)| *moment == name).unwrap();
        let [page, ..] = render(&view, Language::Zh, false);
        page
    };
    let right = page("candidate");
    for part in ["张*三", "金卡", "卡尾号 0042", "请核对人与卡", "value=\"yes\"", "value=\"no\""]
    {
        assert!(right.contains(part), "the comparison lacks {part}");
    }
    assert!(!page("candidate-refused").contains("value=\"yes\""), "a refused card cannot be confirmed");
    assert!(page("candidate-refused").contains("R07 此卡已挂失"));
    assert!(!page("candidate-unknown").contains("value=\"yes\""), "nobody to confirm");
}

#[test]
fn what_staff_must_look_at_stands_on_the_page_until_they_did() {
    let (_, view) = moments().into_iter().find(|(moment, _)| *moment == "crowded").unwrap();
    let [page, ..] = render(&view, Language::Zh, false);
    for part in [
        "总部的处理与当时显示的不同：3 条",
        "湖畔花园 已于 09:02 先签到",
        "已保留，但不再生效",
        "总部没有这张卡，登记入会后自动补记",
        "已生效，总部正在核对",
        "已记录：已交付，还是撤销？",
        "name=\"seq\" value=\"1204\"",
        "2 位待处理",
    ] {
        assert!(page.contains(part), "the page lacks {part}");
    }
    let [page, ..] = render(&afternoon(), Language::Zh, false);
    assert!(!page.contains("class=\"strip wait\">\n<h2") && !page.contains("id=\"notices\""));
}

#[test]
fn the_bar_says_how_connected_and_how_fresh_everything_is() {
    let page = |name: &str| {
        let (_, view) = outcomes().into_iter().find(|(sample, _)| sample == name).unwrap();
        render(&view, Language::Zh, false)[0].clone()
    };
    let offline = page("recorded");
    for part in ["离线中 · 已保存 37 笔", "1 小时前同步", "读卡器就绪", "滨江壹号", "前台一号"]
    {
        assert!(offline.contains(part), "the bar lacks {part}");
    }
    for part in ["在线", "已全部上传", "12 秒前同步"] {
        assert!(page("idle").contains(part), "the bar lacks {part}");
    }
    for part in ["读卡器未就绪", "总部的记录与本终端不一致"] {
        assert!(page("readers-down").contains(part), "the page lacks {part}");
    }
}

#[test]
fn threat_an_unpaired_page_says_so_everywhere() {
    let warning = "未配对：同网段任何人都可操作";
    for page in render(&afternoon(), Language::Zh, true) {
        assert!(page.contains(warning));
    }
    for page in render(&afternoon(), Language::Zh, false) {
        assert!(!page.contains(warning));
    }
}

#[test]
fn staff_see_what_was_spent_what_is_left_and_what_would_be_possible() {
    let page = |name: &str, language| {
        let (_, view) = outcomes().into_iter().find(|(known, _)| known == name).expect("a sample");
        let [counter, ..] = render(&view, language, false);
        counter
    };
    let zh = |name: &str| page(name, Language::Zh);
    assert!(zh("redeemed").contains("兑换成功") && zh("redeemed").contains("余 1,180 分"));
    assert!(zh("paid").contains("支付成功") && zh("paid").contains("−¥20.00"));
    assert!(zh("over-limit").contains("离线可用额度不足") && zh("over-limit").contains("R12"));
    let asking = zh("asking");
    for words in
        ["正在向总部申请", "湖畔花园：80 分 已收回", "城西中心：60 分 收回中", "云栖小镇：离线", "2 小时前"]
    {
        assert!(asking.contains(words), "{words}");
    }
    assert!(page("redeemed", Language::En).contains("1,180 points left"));
    let status = |view: &CounterView| render(view, Language::Zh, false)[1].clone();
    assert!(status(&afternoon()).contains("12 位会员，共 3,840 分"));
    assert!(status(&afternoon()).contains("另有 1 位已过期"));
}

#[test]
fn only_what_moved_value_is_offered_to_be_taken_back() {
    let mut view = afternoon();
    let [returns] = [&view.last].map(|last| last.len());
    assert_eq!(returns, 5);
    view.last[0].purpose = Purpose::Spend { legs: vec![super::samples::pts(100)] };
    view.last[0].outcome = Outcome::Redeemed;
    view.last[0].seq = Some(1_300);
    let [counter, ..] = render(&view, Language::Zh, false);
    let offered: Vec<&str> = counter
        .match_indices("name=\"seq\" value=\"")
        .filter_map(|(at, found)| counter[at + found.len()..].split('"').next())
        .collect();
    assert_eq!(offered, ["1300", "1200"], "the spend, and the purchase that waits to be confirmed");
}

#[test]
fn kind_34_gifts_are_chosen_beside_their_activity_and_a_second_one_is_told_apart() {
    let [page, ..] = render(&afternoon(), Language::Zh, false);
    for part in ["领取 · 茶叶礼盒（每位 1 件）", "秋季品鉴会 · 本机已发 24 位", "value=\"hand_out:"]
    {
        assert!(page.contains(part), "the page lacks {part}");
    }
    let shown = |name: &str| {
        let (_, view) = outcomes().into_iter().find(|(sample, _)| sample == name).unwrap();
        face(&view, &ui(Language::Zh))
    };
    let before = shown("handed-before");
    assert_eq!(before.headline, "已领取过");
    assert_eq!(before.next.as_deref(), Some("14:22 已在本机领取，每位会员限领一次"));
    let owes = shown("owes");
    assert_eq!(owes.details, ["会员积分不足，还差 4 分：请一并收回礼品或等值现金"], "rule S8");
}

#[test]
fn the_status_page_has_one_verdict_on_top_and_names_what_to_see_to() {
    let verdict = |view: &CounterView, language| {
        let frame = frame(language, false);
        let page = StatusPage::new(&frame, view, String::new());
        (page.verdict.class, page.verdict.item, page.verdict.note)
    };
    let (class, word, note) = verdict(&afternoon(), Language::Zh);
    assert_eq!((class, word.as_str()), ("wait", "今日可用"), "one allowance has expired: {note}");
    assert!(note.contains("断网可用到 2026-11-25 15:02") && note.contains("请留意：案场备用"), "{note}");
    let mut good = afternoon();
    good.allowances[0].expired = 0;
    let said = ("ok", "今日可用".to_owned(), "断网可用到 2026-11-25 15:02".to_owned());
    assert_eq!(verdict(&good, Language::Zh), said);
    assert_eq!(verdict(&good, Language::En).1, "Ready for today");
    let moment = |name| moments().into_iter().find(|moment| moment.0 == name).expect("a sample").1;
    let (class, word, note) = verdict(&moment("readers-down"), Language::Zh);
    assert_eq!((class, word.as_str(), note.as_str()), ("bad", "需要处理", "请先处理：读卡器、上传"));
    // A printer without paper is worth a look and stops nobody.
    let (class, _, note) = verdict(&moment("paper-out"), Language::Zh);
    assert_eq!(class, "wait");
    assert!(note.contains("小票打印机"), "{note}");
    let (class, _, note) = verdict(&moment("fresh"), Language::Zh);
    assert_eq!(class, "bad");
    assert!(note.contains("会员资料"), "{note}");
    let page = &render(&good, Language::Zh, false)[1];
    for part in ["断网时本机无法把关的规则", "断网后在别处挂失的卡", "各终端合计的活动名额"]
    {
        assert!(page.contains(part), "{part} is missing");
    }
}

#[test]
fn a_slip_that_is_not_on_paper_stands_beside_its_swipe_with_a_button() {
    let page = |name, language| {
        let view = moments().into_iter().find(|moment| moment.0 == name).expect("a sample").1;
        render(&view, language, false)[0].clone()
    };
    let out = page("paper-out", Language::Zh);
    for part in
        ["打印机缺纸，1 张小票等待打印", "小票等待打印", "已补打 1 次", "打印小票", "action=\"/reprint\""]
    {
        assert!(out.contains(part), "{part} is missing");
    }
    let unprinted = page("unprinted", Language::Zh);
    assert!(unprinted.contains("有 1 张小票未打印") && unprinted.contains("7F3A-1-001150"));
    assert!(page("unprinted", Language::En).contains("Print again"));
}

/// `HUFU_PICTURES=folder cargo test -p hufu-edge leaves_its_pages` writes what a browser can be shown without a daemon.
#[test]
fn a_snapshot_leaves_its_pages_for_whoever_looks_at_them() {
    let folder = std::env::var_os("HUFU_PICTURES").map(std::path::PathBuf::from);
    for (name, view) in moments().into_iter().chain([("afternoon", afternoon())]) {
        for language in Language::ALL {
            let [counter, status, _] = render(&view, language, false);
            for (page, html) in [("counter", counter), ("status", status)] {
                assert!(html.contains("/a.css"), "{name} {page}");
                let Some(folder) = &folder else { continue };
                let css = include_str!("../../../assets/counter.css");
                let html = html
                    .replace("<link rel=\"stylesheet\" href=\"/a.css\">", &format!("<style>{css}</style>"));
                let file = format!("{page}-{name}-{}.html", language.tag());
                std::fs::write(folder.join(file), html).expect("written");
            }
        }
    }
}

#[test]
fn ui_f03_what_moved_value_is_undone_from_its_line_after_a_look_at_it() {
    let (_, view) = moments().into_iter().find(|(moment, _)| *moment == "paper-out").unwrap();
    let [page, ..] = render(&view, Language::Zh, false);
    assert!(page.contains("href=\"/undo/1196\""), "the purchase can be undone");
    assert!(!page.contains("/undo/1200"), "a check-in cannot");
    for language in Language::ALL {
        let frame = frame(language, false);
        let asks = UndoPage::new(&frame, &view, 1_196).render().unwrap();
        let submit = frame.ui.t("counter-undo-submit");
        for part in ["王*明", "name=\"seq\" value=\"1196\"", "action=\"/reverse\"", &submit] {
            assert!(asks.contains(part), "the question lacks {part}");
        }
        let gone = UndoPage::new(&frame, &view, 1_200).render().unwrap();
        assert!(!gone.contains("<form") && gone.contains(&frame.ui.t("counter-undo-gone")));
        let missing = asks.match_indices("counter-").next().map(|(at, _)| &asks[at..][..30]);
        assert_eq!(missing, None, "a key without words");
    }
}
