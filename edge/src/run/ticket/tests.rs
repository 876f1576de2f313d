//! Slips read back from the bytes that a printer gets. `HUFU_PICTURES=folder cargo test -p hufu-edge ticket` writes them as
//! pictures.

use hufu_hardware::fake::printer::{Piece, draw, read};
use hufu_hardware::printer::ticket::plain;
use hufu_hardware::printer::{Profile, Width, escpos};
use hufu_hardware::text::Fonts;
use hufu_shared::fact::SlipKey;
use hufu_shared::ids::{DeviceId, FactId, MemberId};
use hufu_shared::time::{Day, MINUTE_US, SECOND_US};

use super::*;

/// 15:02:11 in Shanghai, 2026-11-22.
const AT: Instant = Instant(1_795_330_931 * SECOND_US);

fn id(seq: u64) -> FactId {
    let mut device = [7; 16];
    device[14..].copy_from_slice(&[0x7f, 0x3a]);
    FactId { device: DeviceId(device), epoch: 1, seq }
}

fn heading(language: Language) -> Heading {
    let words = |zh: &str, en: &str| Words { zh: zh.to_owned(), en: en.to_owned() };
    Heading {
        club: words("滨江会", "Riverside Club"),
        office: words("滨江壹号", "Riverside One"),
        terminal: "前台一号".to_owned(),
        zone: chrono_tz::Asia::Shanghai,
        language,
    }
}

fn leg(unit: Unit, amount: i64) -> Leg {
    Leg { unit, amount: Amount(amount) }
}

fn a_slip(kind: SlipKind, changes: Vec<Leg>) -> Slip {
    let day: Day = "2026-11-22".parse().expect("a day");
    let money = matches!(kind, SlipKind::TopUp | SlipKind::CashOut);
    Slip {
        kind,
        fact: id(128),
        at: AT,
        day,
        operator: None,
        member: Some(MemberId([1; 16])),
        changes,
        purchase: (kind == SlipKind::Earn).then_some(Amount(32_050)),
        method: money.then(|| "wechat".to_owned()),
        sales_slip: money.then(|| SlipKey { shop: "A".into(), number: "A-0012".into(), date: day }),
        original: (kind == SlipKind::Undo).then(|| id(117)),
        occurrence: None,
        complaint: None,
        unconfirmed: false,
        clock_unsure: false,
    }
}

fn around(after: Vec<Leg>) -> Around {
    Around { name: Some("欧阳*玥".to_owned()), after, ..Around::default() }
}

/// What a member reads, line by line, with single spaces.
fn paper(ticket: &Ticket, width: Width, name: &str) -> Vec<String> {
    let bytes = escpos::encode(ticket, &Profile::common(width), &Fonts::load());
    let pieces = read(&bytes).expect("a printer understands it");
    if let Some(folder) = std::env::var_os("HUFU_PICTURES") {
        let picture = draw(&pieces, width.dots()).to_png();
        std::fs::write(std::path::Path::new(&folder).join(name), picture).expect("written");
    }
    let text = |piece: &Piece| match piece {
        Piece::Text { text, .. } => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Piece::Qr { data, .. } => Some(format!("<{data}>")),
        _ => None,
    };
    pieces.iter().filter_map(text).filter(|line| !line.is_empty() && !line.starts_with("---")).collect()
}

#[test]
fn rule_h04_a_top_up_says_who_where_when_how_much_and_what_is_there_now() {
    let slip_of = a_slip(SlipKind::TopUp, vec![leg(Unit::Cny, 50_000)]);
    let ticket = slip(&slip_of, &around(vec![leg(Unit::Cny, 123_450)]), &heading(Language::Zh));
    let expected = [
        "滨江会",
        "滨江壹号 · 前台一号",
        "充值小票",
        "小票号 7F3A-1-000128",
        "业务日期 2026-11-22",
        "时间 15:02:11",
        "会员 欧阳*玥",
        "支付方式 微信支付",
        "单据号 A-0012",
        "储值 +￥500.00",
        "此前储值余额 ￥734.50",
        "现储值余额 ￥1,234.50",
        "<07070707-0707-0707-0707-070707077f3a/1/128>",
        "请妥善保管本小票",
    ];
    assert_eq!(paper(&ticket, Width::Mm80, "slip-top_up-zh-80.png"), expected);
    assert_eq!(paper(&ticket, Width::Mm58, "slip-top_up-zh-58.png"), expected);
}

#[test]
fn every_kind_prints_in_both_languages_on_both_papers() {
    let kinds = [
        (SlipKind::TopUp, vec![leg(Unit::Cny, 50_000)], vec![leg(Unit::Cny, 123_450)]),
        (SlipKind::Earn, vec![leg(Unit::Pts, 6)], vec![]),
        (SlipKind::Redeem, vec![leg(Unit::Pts, -1_200)], vec![leg(Unit::Pts, 80)]),
        (SlipKind::Spend, vec![leg(Unit::Cny, -8_800)], vec![leg(Unit::Cny, 41_200)]),
        (SlipKind::CashOut, vec![leg(Unit::Cny, -20_000)], vec![leg(Unit::Cny, 30_000)]),
        (SlipKind::Undo, vec![leg(Unit::Pts, 1_200)], vec![]),
    ];
    for (kind, changes, after) in kinds {
        for language in Language::ALL {
            for (width, mm) in [(Width::Mm58, 58), (Width::Mm80, 80)] {
                let ticket = slip(&a_slip(kind, changes.clone()), &around(after.clone()), &heading(language));
                let lines =
                    paper(&ticket, width, &format!("slip-{}-{}-{mm}.png", kind.code(), language.tag()));
                let all = lines.join("\n");
                let sign = if changes[0].amount.0 < 0 { '-' } else { '+' };
                let figure = Amount(changes[0].amount.0.abs()).display(changes[0].unit);
                let currency = if changes[0].unit == Unit::Cny { "￥" } else { "" };
                assert!(all.contains(&format!("{sign}{currency}{figure}")), "{all}");
                assert!(all.contains("7F3A-1-000128") && all.contains("15:02:11"), "{all}");
                assert!(!all.contains("slip-") && !all.contains("counter-"), "a key without words: {all}");
                let foreign = language == Language::En && lines.iter().any(|line| line.contains("小票"));
                assert!(!foreign, "{all}");
            }
        }
    }
}

#[test]
fn what_is_not_settled_and_what_is_a_copy_is_said() {
    let base = a_slip(SlipKind::Redeem, vec![leg(Unit::Pts, -100)]);
    let lines = |slip_of: &Slip, around: &Around| {
        paper(&slip(slip_of, around, &heading(Language::Zh)), Width::Mm58, "slip-copy-zh-58.png").join("\n")
    };
    let copy = lines(&base, &Around { copy: 2, offline: true, ..around(vec![]) });
    assert!(copy.contains("补打（第 2 次）") && copy.contains("离线登记，联网后入账"), "{copy}");
    assert!(!copy.contains("此前"), "a copy does not know the figures of then");
    let unsure = Slip { unconfirmed: true, clock_unsure: true, ..base.clone() };
    let first = lines(&unsure, &around(vec![]));
    assert!(
        first.contains("待总部确认") && first.contains("时间未校准") && !first.contains("补打"),
        "{first}"
    );
    let secret = lines(&base, &Around::default());
    assert!(!secret.contains("会员"), "a member who asked for secrecy is not named");
}

#[test]
fn a_badge_is_read_from_afar() {
    let words = |zh: &str, en: &str| Words { zh: zh.to_owned(), en: en.to_owned() };
    let worn = Around {
        greeting: Some("欧阳女士".to_owned()),
        level: Some(words("金卡", "Gold")),
        occasion: Some(words("秋季品鉴会", "Autumn tasting")),
        ..around(vec![])
    };
    let ticket = slip(&a_slip(SlipKind::Badge, vec![]), &worn, &heading(Language::Zh));
    let lines = paper(&ticket, Width::Mm80, "badge-zh-80.png");
    let code = "<07070707-0707-0707-0707-070707077f3a/1/128>";
    let day = "2026-11-22 · 滨江壹号";
    assert_eq!(lines, ["滨江会", "欧阳女士", "金卡", "秋季品鉴会", day, code, "7F3A-1-000128"]);
}

#[test]
fn a_complaint_has_its_number_and_its_promised_time() {
    let accepted = Acceptance {
        number: "A-261122-7F3A-131".to_owned(),
        topic: "quality".to_owned(),
        promised: AT.offset(3 * 24 * 60 * MINUTE_US),
    };
    let taken = Slip { complaint: Some(accepted), ..a_slip(SlipKind::Complaint, vec![]) };
    let offline = Around { offline: true, ..around(vec![]) };
    let ticket = slip(&taken, &offline, &heading(Language::Zh));
    let lines = paper(&ticket, Width::Mm58, "slip-complaint-zh-58.png");
    let all = lines.join("\n");
    assert!(!all.contains("欧阳"), "whoever finds it does not learn who complained");
    for part in
        ["投诉受理回执", "A-261122-7F3A-131", "2026-11-22 15:02", "房屋质量", "2026-11-25 15:02", "离线登记"]
    {
        assert!(all.contains(part), "{part} is missing in\n{all}");
    }
}

/// A slip of every kind; a new kind does not compile until it has its sample.
fn sample(kind: SlipKind) -> Slip {
    let changes = match kind {
        SlipKind::TopUp => vec![leg(Unit::Cny, 50_000)],
        SlipKind::Earn => vec![leg(Unit::Pts, 6)],
        SlipKind::Redeem => vec![leg(Unit::Pts, -1_200), leg(Unit::Cny, -500)],
        SlipKind::Spend => vec![leg(Unit::Cny, -8_800)],
        SlipKind::CashOut => vec![leg(Unit::Cny, -20_000)],
        SlipKind::Undo => vec![leg(Unit::Pts, 1_200)],
        SlipKind::Badge | SlipKind::Complaint => Vec::new(),
    };
    let complaint = (kind == SlipKind::Complaint).then(|| Acceptance {
        number: "A-261122-7F3A-131".to_owned(),
        topic: "quality".to_owned(),
        promised: AT.offset(3 * 24 * 60 * MINUTE_US),
    });
    Slip { complaint, clock_unsure: kind != SlipKind::Badge, ..a_slip(kind, changes) }
}

/// Everything that a ticket says, without the white space that lines add and lose.
fn said(ticket: &Ticket) -> String {
    let text = |block: &Block| match block {
        Block::Text { text, .. } => text.clone(),
        Block::Pair { label, value, .. } => format!("{label}{value}"),
        Block::Rule | Block::Gap | Block::Qr(_) => String::new(),
    };
    dense(&ticket.blocks.iter().map(text).collect::<String>())
}

fn dense(text: &str) -> String {
    plain(text).chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
}

/// The codes that a scanner finds on the paper.
fn scanned(pieces: &[Piece], width: Width) -> Vec<String> {
    use embedded_graphics::prelude::{OriginDimensions as _, Point};
    let frame = draw(pieces, width.dots());
    let place = |n: usize| i32::try_from(n).expect("on the paper");
    let grey = |x, y| if frame.is_lit(Point::new(place(x), place(y))) { 255 } else { 0 };
    let (across, down) = (frame.size().width as usize, frame.size().height as usize);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(across, down, grey);
    image.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

#[test]
fn every_slip_and_badge_is_read_back_whole_from_its_bytes() {
    // Beyond GBK, so that codes of four bytes are among them.
    let name = "欧阳䶮*𬭎";
    let words = |zh: &str, en: &str| Words { zh: zh.to_owned(), en: en.to_owned() };
    let around = Around {
        name: Some(name.to_owned()),
        after: vec![leg(Unit::Pts, 80), leg(Unit::Cny, 123_450)],
        offline: true,
        copy: 1,
        greeting: Some(format!("{name}女士")),
        level: Some(words("金卡", "Gold")),
        occasion: Some(words("秋季品鉴会", "Autumn tasting")),
        practice: true,
    };
    let fonts = Fonts::load();
    for kind in SlipKind::ALL {
        for language in Language::ALL {
            let ticket = slip(&sample(kind), &around, &heading(language));
            for width in [Width::Mm58, Width::Mm80] {
                for draws_qr in [true, false] {
                    let profile = Profile { draws_qr, font_is_gbk: false, ..Profile::common(width) };
                    let pieces =
                        read(&escpos::encode(&ticket, &profile, &fonts)).expect("a printer knows it");
                    let text = |piece: &Piece| match piece {
                        Piece::Text { text, .. } if !text.starts_with("---") => text.clone(),
                        _ => String::new(),
                    };
                    let met = dense(&pieces.iter().map(text).collect::<String>());
                    assert_eq!(met, said(&ticket), "{kind:?} in {language:?} at {width:?}");
                    // A complaint's paper has no code: whoever finds it learns nothing further.
                    let codes = if kind == SlipKind::Complaint { vec![] } else { vec![id(128).to_string()] };
                    assert_eq!(scanned(&pieces, width), codes, "{kind:?} in {language:?} at {width:?}");
                }
            }
        }
    }
}
