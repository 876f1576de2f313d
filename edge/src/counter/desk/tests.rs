//! What forms take and refuse, and the pages in both languages.

use askama::Template;
use hufu_shared::ids::CardId;
use hufu_shared::member::CardStatus;
use hufu_shared::rules::bill::NoDiscount;
use hufu_shared::rules::till::WhyNot;
use hufu_shared::scheme::bill::{BillTerms, LevelDiscount, Step};
use hufu_shared::scheme::bonus::Birthday;
use hufu_shared::time::Day;
use hufu_shared::wire::lookup::{FoundCard, FoundMember, LookupAnswer};

use super::super::pages::Frame;
use super::super::samples::{NOW, afternoon, person, words};
use super::super::view::PersonView;
use super::super::words::Ui;
use super::bill::{BillPage, read as read_bill, reckon};
use super::forms::{Input, Wrong};
use super::lookup::{Looked, LookupPage};
use super::shift::{Just, ShiftPage};
use super::today::TodayPage;
use super::walkin::{FormPart, Guest, Kind, Tab, TakenPage, WalkinPage, read};
use super::*;
use crate::locale::Language;

const TODAY: Day = Day(20_779);

fn input(pairs: &[(&str, &str)]) -> Input {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn wrong(kind: Kind, pairs: &[(&str, &str)]) -> Wrong {
    read(kind, &input(pairs), TODAY).expect_err("something is wrong")
}

fn frame(language: Language) -> Frame {
    Frame {
        ui: Ui { language, zone: chrono_tz::Asia::Shanghai, now: NOW },
        theme: "light",
        muted: false,
        sounds: std::sync::Arc::new(crate::counter::voice::Sounds::tones(70)),
        css: "/a.css".into(),
        js: "/a.js".into(),
        unpaired: false,
        practice: false,
        staff: None,
    }
}

#[test]
fn a_visit_needs_a_form_of_address_and_consent_and_nothing_else() {
    let visit = [("title", "欧阳女士"), ("mobile", "＋８６ 138-0013-8000"), ("consent", "yes")];
    let written = read(Kind::Visit, &input(&visit), TODAY).expect("whole");
    assert_eq!(written.what, What::Visit);
    assert_eq!(written.content.get("mobile"), Some("13800138000"), "folded and plain");
    assert!(!format!("{written:?}").contains("13800138000"), "never in a log");
    assert_eq!(wrong(Kind::Visit, &[("title", "欧阳女士")]), [("consent", "desk-wrong-consent")]);
    let both = wrong(Kind::Visit, &[("mobile", "12345678901"), ("consent", "yes")]);
    assert_eq!(both, [("title", "desk-wrong-required"), ("mobile", "desk-wrong-mobile")]);
}

#[test]
fn case_59_identity_cards_are_checked_and_other_documents_are_taken() {
    let applies = |document: &str, birthday: &str| {
        let pairs = [
            ("name", "王小明"),
            ("mobile", "13800138000"),
            ("document", document),
            ("birthday", birthday),
            ("consent", "yes"),
        ];
        read(Kind::Apply, &input(&pairs), TODAY)
    };
    for good in
        ["11010519491231002X", "１１０１０５１９４９１２３１００２ｘ", "E12345678", "H60123456(7)", ""]
    {
        assert!(applies(good, "").is_ok(), "{good}");
    }
    for (document, birthday, field) in [
        ("110105194912310021", "", "document"),
        ("11010519491331002X", "", "document"),
        ("护照", "", "document"),
        ("", "2099-01-01", "birthday"),
        ("", "22.11.1990", "birthday"),
    ] {
        let met = applies(document, birthday).expect_err("wrong");
        assert_eq!(met.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [field], "{document} {birthday}");
    }
}

#[test]
fn a_change_names_the_fields_that_it_is_about() {
    let change = input(&[("mobile", "13900139000"), ("address", " "), ("remark", "原号码停用")]);
    let written = read(Kind::Change, &change, TODAY).expect("whole");
    assert_eq!(written.what, What::Change(vec!["mobile".to_owned()]));
    assert_eq!(wrong(Kind::Change, &[("remark", "无")]), [("mobile", "desk-wrong-nothing")]);
}

#[test]
fn a_complaint_keeps_its_kind_in_the_open_and_its_words_sealed() {
    let pairs =
        [("kind", "quality"), ("matter", "渗水"), ("urgency", "urgent"), ("hours", "24"), ("name", "李四")];
    let written = read(Kind::Complaint, &input(&pairs), TODAY).expect("whole");
    let kind = "quality".to_owned();
    assert_eq!(written.what, What::Complaint { kind, urgent: true, hours: 24 });
    let sealed: Vec<&str> = written.content.fields.iter().map(|field| field.0.as_str()).collect();
    assert_eq!(sealed, ["matter", "name"]);
    let met = wrong(Kind::Complaint, &[("kind", "weather"), ("matter", "渗水"), ("hours", "1")]);
    assert_eq!(met.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["kind", "hours"]);
}

fn walkin(frame: &Frame, kind: Kind, input: &Input, wrong: &Wrong) -> String {
    let page = WalkinPage {
        frame,
        style: "/b.css",
        tabs: Kind::ALL
            .map(|each| Tab {
                code: each.code(),
                title: frame.ui.t(&format!("desk-form-{}", each.code())),
                current: each == kind,
            })
            .into(),
        form: FormPart::new(kind, "00".into(), input, wrong, &frame.ui),
        wrong: Some(frame.ui.t1("desk-wrong-heading", "n", wrong.len())),
        declined: Some(frame.ui.t("counter-declined-stale")),
        offline: Some(frame.ui.t("desk-offline")),
        guest: Some(Guest { n: 7, text: "张*三 · 0042".into() }),
        needs_guest: false,
    };
    page.render().expect("renders")
}

fn shift_view() -> ShiftView {
    let counted = |cash| Counted { cash: Amount(cash), gifts: 40, blank_cards: 12, ..Counted::default() };
    ShiftView {
        opened: Some(counted(50_000)),
        opened_at: Some(NOW.offset(-6 * 3_600_000_000)),
        cash_in: Amount(120_000),
        cash_out: Amount(6_000),
        cash_expected: Amount(164_000),
        gifts_out: 24,
        gifts_expected: Some(16),
        blank_cards_expected: Some(11),
        totals: DayTotals { attended: 37, topped_up: Amount(230_000), ..DayTotals::default() },
        last: Some(LastClosing { day: TODAY, at: NOW, unattended: true, difference: Some(Amount(-1_000)) }),
    }
}

/// A long list, of which two are named.
fn expected() -> ExpectedView {
    let guest = |name: Option<&str>, birthday| ExpectedGuest {
        name: name.map(str::to_owned),
        level: None,
        birthday,
        arrived: birthday,
        companions: u32::from(birthday),
    };
    let guests = vec![guest(Some("张*三"), true), guest(None, false)];
    ExpectedView { listed: 130, arrived: 1, birthdays: 1, guests }
}

/// The page for finding members, before and after, with the centre and without.
fn lookups(frame: &Frame) -> Vec<String> {
    let member = |n: u8, status: Option<CardStatus>| FoundMember {
        name: (n != 3).then(|| "张*三".to_owned()),
        mobile: (n != 3).then(|| format!("138****800{n}")),
        level: None,
        card: status.map(|status| FoundCard { card: CardId([n; 16]), tail: format!("000{n}"), status }),
    };
    let found: Vec<FoundMember> =
        [CardStatus::Active, CardStatus::Lost, CardStatus::Stopped, CardStatus::Void]
            .into_iter()
            .map(Some)
            .chain([None])
            .zip(1..)
            .map(|(status, n)| member(n, status))
            .collect();
    let centre = LookupAnswer { found: found.clone(), more: true, too_often: false };
    let often = LookupAnswer { too_often: true, ..LookupAnswer::default() };
    let here =
        |silent| Looked::Here { found: FoundHere { found: found.clone(), more: false, listed: 12 }, silent };
    let nobody = Looked::Here { found: FoundHere { listed: 12, ..FoundHere::default() }, silent: false };
    let looked = [Looked::Centre(centre), Looked::Centre(often), here(true), here(false), nobody];
    let after = looked.iter().map(|looked| LookupPage::found(frame, "张", looked));
    let before = [true, false].map(|online| LookupPage::new(frame, online));
    let pages = before.into_iter().chain(after);
    // The rest of a name that was typed is nobody's words.
    pages.map(|page| LookupPage { text: String::new(), ..page }.render().expect("renders")).collect()
}

/// `HUFU_PICTURES=folder cargo test -p hufu-edge lookups_leave` writes what a browser can be shown without a daemon.
#[test]
fn lookups_leave_pages_that_say_who_may_be_meant_and_what_is_in_the_way() {
    let folder = std::env::var_os("HUFU_PICTURES").map(std::path::PathBuf::from);
    for language in Language::ALL {
        for (n, page) in lookups(&frame(language)).into_iter().enumerate() {
            let buttons = page.matches("action=\"/lookup/pick\"").count();
            assert_eq!(buttons, [0, 0, 4, 0, 4, 4, 0][n], "a member without a card cannot be acted for");
            let Some(folder) = &folder else { continue };
            let css = concat!(
                include_str!("../../../assets/counter.css"),
                include_str!("../../../assets/desk.css")
            );
            let page = page.replace("</head>", &format!("<style>{css}</style></head>"));
            std::fs::write(folder.join(format!("lookup-{n}-{}.html", language.tag())), page)
                .expect("written");
        }
    }
}

/// All desk pages with all their words.
fn pages(language: Language) -> Vec<String> {
    let frame = &frame(language);
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let every: Wrong = kind.specs().iter().map(|spec| (spec.name, "desk-wrong-required")).collect();
        all.push(walkin(frame, kind, &Input::new(), &every));
        all.push(walkin(frame, kind, &Input::new(), &Wrong::new()));
    }
    let taken = TakenPage {
        frame,
        style: "/b.css",
        title: frame.ui.t("desk-taken-complaint"),
        said: frame.ui.t("desk-taken-offline"),
        lines: vec![(frame.ui.t("desk-taken-receipt"), "A01-261122-0101-7".into())],
        print: Some("7".to_owned()),
        next: Some(FormPart::new(Kind::Apply, "00".into(), &Input::new(), &Wrong::new(), &frame.ui)),
    };
    all.push(taken.render().expect("renders"));
    all.extend(lookups(frame));
    for view in [shift_view(), ShiftView::default()] {
        let just = Just { done: Some("desk-shift-opened"), ..Just::default() };
        all.push(ShiftPage::new(frame, "/b.css", &view, &just).render().expect("renders"));
        let page = TodayPage::new(frame, "/b.css", &afternoon(), (&view, &[expected()]));
        all.push(page.render().expect("renders"));
    }
    all
}

#[test]
fn every_desk_page_has_all_its_words_in_both_languages_and_no_inline_code() {
    for language in Language::ALL {
        for page in pages(language) {
            for bad in ["desk-", "counter-", "{$", "{ $", " style=", "<style", "<script", " onclick"] {
                let met = page.find(bad).map(|at| page[at..].chars().take(60).collect::<String>());
                assert_eq!(met, None, "{language:?}: {bad}");
            }
        }
    }
    for page in pages(Language::En) {
        let plain = ["切换到中文", "中文", "张*三"].iter().fold(page, |page, own| page.replace(own, ""));
        let han = plain.find(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert_eq!(han.map(|at| plain[at..].chars().take(20).collect::<String>()), None);
    }
}

#[test]
fn ui_f01_a_wrong_form_comes_back_whole_with_what_is_wrong_under_its_field() {
    let typed = input(&[("title", "<b>欧阳</b>"), ("mobile", "12")]);
    let wrong = read(Kind::Visit, &typed, TODAY).expect_err("no mobile, no consent");
    let page = walkin(&frame(Language::Zh), Kind::Visit, &typed, &wrong);
    assert!(page.contains("有 2 处需要更正") && page.contains("role=\"alert\""));
    assert!(page.contains("value=\"&#60;b&#62;欧阳&#60;/b&#62;\""), "kept, and escaped");
    assert!(page.contains("aria-describedby=\"f-mobile-note\""));
    assert!(page.contains("id=\"f-mobile-note\">请输入 11 位手机号码"));
    assert!(page.contains("id=\"f-consent-note\">未征得本人同意不能登记"));
}

#[test]
fn a_shift_says_what_should_be_there_and_a_day_that_nobody_closed_is_marked() {
    let frame = frame(Language::Zh);
    let page = ShiftPage::new(&frame, "", &shift_view(), &Just::default()).render().expect("renders");
    for words in
        ["抽屉应有现金", "¥1,640.00", "应余礼品", "16 件", "未人工交班", "value=\"close\"", "找零差错"]
    {
        assert!(page.contains(words), "{words}");
    }
    let closed = ShiftPage::new(&frame, "", &ShiftView::default(), &Just::default());
    let page = closed.render().expect("renders");
    assert!(page.contains("value=\"open\"") && !page.contains("找零差错"));
}

#[test]
fn today_lists_activities_gifts_and_what_is_open() {
    let frame = frame(Language::Zh);
    let page = TodayPage::new(&frame, "", &afternoon(), (&shift_view(), &[expected()]));
    let page = page.render().expect("renders");
    for words in [
        "秋季品鉴会",
        "本机已签到 37 位",
        "预计来宾 130 位 · 本机已签到 1 位 · 生日 1 位",
        "另有 128 位未列出",
        "茶叶礼盒：本机已发 24 位 · 预计共需 130 件",
        "进行中",
        "未到时间",
        "未人工交班",
        "交班现金差异 −10.00 元",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// A club that gives its gold level 5 %, a birthday 10 %, and 1 yuan for a point.
fn bills() -> BillHere {
    let gold = LevelDiscount { rank: 1, name: words("金卡", "Gold"), discount_bp: 500 };
    let birthday = Some(Birthday { discount_bp: 1_000, ..Birthday::default() });
    let bill = BillTerms { levels: vec![gold], cash_per_point_fen: 100, birthday, ..BillTerms::default() };
    let terms = SchemeTerms { bill: Some(bill), ..SchemeTerms::property_club(1, Day(0)) };
    BillHere { terms, office: "A01".to_owned(), day: TODAY, knows_day: true }
}

#[test]
fn rule_s06_s07_the_counter_reckons_coupon_points_and_level_offline_and_points_for_what_is_paid() {
    let typed = input(&[("price", "¥1000"), ("coupon", "200"), ("points", "100"), ("card", "yes")]);
    let read = read_bill(&typed).expect("whole");
    let (reckoned, earns) = reckon(&bills(), &person(), read).expect("small numbers");
    // 1,000 - 200 - 100 = 700; less 5 % = 665, which earn 12 points at 2 for each 100.
    assert_eq!((reckoned.bill.to_pay, earns.at_once), (Amount(66_500), Amount(12)));
    assert!(reckoned.left.is_empty(), "{:?}", reckoned.left);
    let frame = frame(Language::Zh);
    let page = BillPage::new(&frame, Some(&person()), Some(&bills()), Some(&typed)).render().expect("a page");
    for part in
        ["¥665.00", "12 积分", "需联网办理", "value=\"665.00\"", "value=\"200.00\"", "value=\"100.00\""]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn rule_s04_s09_the_counter_says_why_there_is_no_discount_and_which_it_does_not_know() {
    let left = |person: &PersonView, pairs: &[(&str, &str)]| {
        let read = read_bill(&input(pairs)).expect("whole");
        reckon(&bills(), person, read).expect("small numbers").0.left
    };
    let strange = PersonView { level: Some(words("银卡", "Silver")), ..person() };
    assert_eq!(left(&strange, &[("price", "10"), ("card", "yes")]), [(Step::LevelDiscount, WhyNot::Level)]);
    let no_discount = |why| [(Step::LevelDiscount, WhyNot::Discount(why))];
    assert_eq!(left(&person(), &[("price", "10")]), no_discount(NoDiscount::NoCard));
    let today = [("price", "10"), ("card", "yes"), ("issued_today", "yes")];
    assert_eq!(left(&person(), &today), no_discount(NoDiscount::IssueDay));
    assert_eq!(
        read_bill(&input(&[("price", "dear"), ("points", "1.5")])),
        Err(vec![("price", "bill-wrong-price"), ("points", "bill-wrong-points")])
    );
    let frame = frame(Language::En);
    let page = BillPage::new(&frame, None, Some(&bills()), None).render().expect("a page");
    assert!(page.contains("No member chosen yet"), "{page}");
}
