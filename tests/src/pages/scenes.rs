//! How each page of the counter is visited: by which way, with what in its fields, and in which state of the terminal.

use hufu_edge::counter::desk::{
    BillHere, CardDesk, EXPECTED_SHOWN_MAX, ExpectedGuest, ExpectedView, GuestCard, HereAt, LastClosing,
    ShiftView, StoppedCard,
};
use hufu_edge::counter::port::Declined;
use hufu_edge::counter::samples::{NOW, afternoon, moments, outcomes, words};
use hufu_edge::counter::view::{
    CounterView, GuestView, OperatorView, PersonView, Purpose, StaffView, SwipeView,
};
use hufu_edge::rules::operator::Role;
use hufu_shared::fact::{Counted, DayTotals};
use hufu_shared::ids::CardId;
use hufu_shared::member::CardStatus;
use hufu_shared::money::Amount;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::bill::{BillTerms, LevelDiscount};
use hufu_shared::scheme::bonus::Birthday;
use hufu_shared::time::{Day, Instant, MINUTE_US};
use hufu_shared::token::Token;
use hufu_shared::wire::lookup::{FoundCard, FoundMember, LookupAnswer};
use hufu_shared::wire::spread::{SpreadAnswer, SpreadTerminal};

use super::routes::{Method, Route};

/// The one operator of the terminal.
pub const OPERATOR: &str = "00000000-0000-7000-8000-000000000002";

/// Addresses that no person reads, with what they are.
pub const NO_PAGES: [(&str, &str); 6] = [
    ("/panel", "parts of `/` for its script"),
    ("/live", "the stream for its script"),
    ("/display.png", "a picture in `/`"),
    ("/a/{hash}/{name}", "style and script"),
    ("/voice/{hash}/{name}", "sounds"),
    ("/state.json", "for programs"),
];
/// Names this form in every scene: nothing in a picture may change by itself.
const ONCE: &str = "000102030405060708090a0b0c0d0e0f";

/// What the run loop and the centre say in a scene.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// How the shift stands.
    pub shift: ShiftView,
    /// Why every order is declined, if it is.
    pub declined: Option<Declined>,
    /// Whom the centre finds.
    pub found: LookupAnswer,
    /// Who is expected at the activities.
    pub expected: Vec<ExpectedView>,
    /// The cards that the desk is busy with.
    pub cards: CardDesk,
    /// How far the centre says that a block is known; none if it is silent.
    pub spread: Option<SpreadAnswer>,
}

/// A page in a state.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What it is called; also the name of its picture.
    pub name: String,
    /// Which route it visits.
    pub route: Route,
    /// The address that is opened, or that the form goes to.
    pub path: String,
    /// The form's fields.
    pub fields: Vec<(&'static str, &'static str)>,
    /// What the terminal shows.
    pub view: CounterView,
    /// What it answers.
    pub setting: Setting,
}

impl Scene {
    fn get(name: &str, path: &str) -> Self {
        let address = path.split('?').next().unwrap_or_default().to_owned();
        Self {
            name: name.to_owned(),
            route: Route { method: Method::Get, address },
            path: path.to_owned(),
            fields: Vec::new(),
            view: afternoon(),
            setting: Setting { shift: shift(), ..Setting::default() },
        }
    }

    fn post(name: &str, path: &str, fields: &[(&'static str, &'static str)]) -> Self {
        let mut scene = Self { fields: fields.to_vec(), ..Self::get(name, path) };
        scene.route.method = Method::Post;
        scene
    }

    fn at(mut self, address: &str) -> Self {
        address.clone_into(&mut self.route.address);
        self
    }

    fn of(self, view: CounterView) -> Self {
        Self { view, ..self }
    }

    fn declined(mut self, why: Declined) -> Self {
        self.setting.declined = Some(why);
        self
    }

    fn shifted(mut self, shift: ShiftView) -> Self {
        self.setting.shift = shift;
        self
    }

    fn expecting(mut self, expected: ExpectedView) -> Self {
        self.setting.expected = vec![expected];
        self
    }

    fn with_cards(mut self, cards: CardDesk, spread: Option<SpreadAnswer>) -> Self {
        (self.setting.cards, self.setting.spread) = (cards, spread);
        self
    }

    fn finding(mut self, found: LookupAnswer) -> Self {
        self.setting.found = found;
        self
    }
}

/// Until when an answer to a complaint was promised.
#[must_use]
pub fn promised() -> Instant {
    NOW.offset(48 * 60 * MINUTE_US)
}

/// Every scene of every page.
#[must_use]
pub fn all() -> Vec<Scene> {
    [counter(), counter_forms(), sheets(), walkin(), desk(), cards(), bill_pages(), tablets()]
        .into_iter()
        .flatten()
        .collect()
}

fn offline() -> CounterView {
    let mut view = afternoon();
    (view.link.online, view.link.queue_len) = (false, 37);
    view.link.last_sync = Some(NOW.offset(-63 * MINUTE_US));
    view
}

/// A moment of the samples.
fn moment(name: &str) -> CounterView {
    let found = moments().into_iter().find(|(met, _)| *met == name);
    found.map_or_else(afternoon, |(_, view)| view)
}

/// The counter page after every outcome and in every moment.
fn counter() -> Vec<Scene> {
    let scene = |(n, (name, view)): (usize, (String, CounterView))| {
        Scene::get(&format!("counter-{n:02}-{}", name.to_lowercase()), "/").of(view)
    };
    outcomes().into_iter().enumerate().map(scene).collect()
}

/// What the counter page answers to its forms: with what is wrong beside the field that stays open.
fn counter_forms() -> Vec<Scene> {
    let busy = || moment("crowded");
    vec![
        Scene::post("form-mode-taken", "/mode", &[("mode", "visit")]),
        Scene::post("form-mode-not-running", "/mode", &[("mode", "visit")]).declined(Declined::NotRunning),
        Scene::post("form-earn-wrong", "/mode", &[("mode", "earn"), ("amount", "1,2,3")]),
        Scene::post("form-spend-wrong", "/mode", &[("mode", "spend"), ("points", ""), ("amount", "")]),
        Scene::post(
            "form-top-up-wrong",
            "/mode",
            &[("mode", "top_up"), ("amount", "100"), ("method", "cash"), ("slip", "")],
        ),
        Scene::post("form-batch-other", "/batch", &[("act", "begin")])
            .of(moment("batch"))
            .declined(Declined::OtherList),
        Scene::post("form-typed-wrong", "/typed", &[("number", "6225880012345675")]),
        Scene::post("form-verdict-stale", "/typed/verdict", &[("n", "3"), ("verdict", "yes")])
            .of(moment("candidate"))
            .declined(Declined::Stale),
        Scene::post("form-notice-stale", "/notices", &[("n", "1")]).of(busy()).declined(Declined::Stale),
        Scene::post("form-unshown-unable", "/unshown", &[("seq", "1204"), ("verdict", "undo")])
            .of(busy())
            .declined(Declined::Unable),
        Scene::post("form-reverse-wrong", "/reverse", &[("slip", ""), ("reason", "return")]),
        Scene::post("form-reverse-too-much", "/reverse", &[("slip", "A-7"), ("reason", "return")])
            .declined(Declined::TooMuch),
        Scene::post("form-reprint-gone", "/reprint", &[("seq", "1200")])
            .of(moment("paper-out"))
            .declined(Declined::NothingLeft),
    ]
}

fn sheets() -> Vec<Scene> {
    let mut bought = afternoon();
    let swipe = SwipeView { purpose: Purpose::Earn { purchase: Amount(32_050) }, ..bought.last[0].clone() };
    bought.last[0] = SwipeView { seq: Some(1_200), promised: Some(Amount(6)), ..swipe };
    vec![
        Scene::get("status", "/status"),
        Scene::get("status-offline", "/status").of(offline()),
        Scene::get("status-fresh", "/status").of(moment("fresh")),
        Scene::get("status-down", "/status").of(moment("readers-down")),
        Scene::get("help", "/help"),
        Scene::get("setup", "/setup"),
        Scene::post("setup-declined", "/setup", &[("act", "printer")]).declined(Declined::Unable),
        Scene::get("practice", "/practice"),
        Scene::post("practice-declined", "/practice", &[("act", "begin")]).declined(Declined::Unable),
        Scene::get("practice-on", "/practice").of(practising()),
        Scene::get("practice-counter", "/").of(practising()),
        Scene::get("undo", "/undo/1200").at("/undo/{seq}").of(bought.clone()),
        Scene::get("undo-gone", "/undo/7").at("/undo/{seq}").of(bought),
    ]
}

/// The afternoon at a terminal that asks who is there: a clerk, or nobody.
fn staffed(here: bool) -> CounterView {
    let operator = here.then(|| OperatorView { name: "王敏".to_owned(), role: Role::Clerk });
    CounterView { staff: StaffView { asked: true, operator }, ..afternoon() }
}

/// The afternoon, but nothing counts.
fn practising() -> CounterView {
    CounterView { practice: true, ..afternoon() }
}

fn walkin() -> Vec<Scene> {
    let mut all = Vec::new();
    for form in ["visit", "apply", "change", "complaint"] {
        all.push(Scene::get(&format!("walkin-{form}"), &format!("/walkin?form={form}")));
    }
    let visit =
        [("form", "visit"), ("once", ONCE), ("title", "欧阳"), ("mobile", "13800138000"), ("consent", "yes")];
    let complaint = [
        ("form", "complaint"),
        ("once", ONCE),
        ("kind", "quality"),
        ("matter", "渗水"),
        ("urgency", "normal"),
        ("hours", "48"),
    ];
    all.extend([
        Scene::get("walkin-offline", "/walkin?form=visit").of(offline()),
        Scene::post("walkin-taken-visit", "/walkin", &visit),
        Scene::post("walkin-taken-complaint", "/walkin", &complaint).of(offline()),
        Scene::post("walkin-declined", "/walkin", &visit).declined(Declined::Unable),
        Scene::post("walkin-wrong", "/walkin", &[("form", "apply"), ("once", ONCE), ("mobile", "12")]),
    ]);
    all
}

fn desk() -> Vec<Scene> {
    let often = LookupAnswer { too_often: true, ..LookupAnswer::default() };
    let closing = [("act", "close"), ("cash", "1630"), ("gifts", "16"), ("blank_cards", "12")];
    let sought = [("text", "张三")];
    vec![
        Scene::get("shift-open", "/shift"),
        Scene::get("shift-closed", "/shift").shifted(ShiftView::default()),
        Scene::post("shift-no-reason", "/shift", &closing).declined(Declined::NoReason),
        Scene::post(
            "shift-wrong",
            "/shift",
            &[("act", "close"), ("cash", "x"), ("gifts", ""), ("blank_cards", "-1")],
        ),
        Scene::post("shift-done", "/shift", &closing).shifted(ShiftView::default()),
        Scene::get("today", "/today").expecting(expected(9)),
        Scene::get("today-nobody-listed", "/today"),
        Scene::get("today-crowd", "/today").expecting(expected(130)),
        Scene::get("today-busy", "/today").of(moment("crowded")).shifted(ShiftView::default()),
        Scene::get("today-fresh", "/today").of(moment("fresh")).shifted(ShiftView::default()),
        Scene::get("today-offline", "/today").of(offline()),
        Scene::get("lookup", "/lookup"),
        Scene::get("lookup-offline", "/lookup").of(offline()),
        Scene::post("lookup-found", "/lookup", &sought).finding(found()),
        Scene::post("lookup-here", "/lookup", &sought).of(offline()).finding(found()),
        Scene::post("lookup-nobody", "/lookup", &sought),
        Scene::post("lookup-often", "/lookup", &sought).finding(often),
        Scene::post("lookup-short", "/lookup", &[("text", "张")]),
        Scene::post("lookup-pick-gone", "/lookup/pick", &[("card", "01010101-0101-0101-0101-010101010101")])
            .declined(Declined::NotHere),
    ]
}

/// Lost cards: nobody chosen, a card in use, one reported here, and what is known of the other terminals.
fn cards() -> Vec<Scene> {
    let report = [("act", "report"), ("guest", "7")];
    let lost = || desk_with(CardStatus::Lost, false);
    let reached = || Some(reached(3));
    vec![
        Scene::get("card", "/card"),
        Scene::get("card-in-use", "/card").with_cards(desk_with(CardStatus::Active, true), None),
        Scene::get("card-lost", "/card").with_cards(desk_with(CardStatus::Lost, true), reached()),
        Scene::get("card-replaced", "/card").with_cards(replaced(), reached()),
        Scene::post("form-replace-gone", "/mode", &[("mode", "replace"), ("guest", "7")])
            .declined(Declined::Stale),
        Scene::get("card-lost-crowd", "/card").with_cards(lost(), Some(self::reached(60))),
        Scene::get("card-lost-offline", "/card").of(offline()).with_cards(lost(), None),
        Scene::get("card-lost-silent", "/card").with_cards(lost(), None),
        Scene::get("card-lost-practice", "/card").of(practising()).with_cards(lost(), None),
        Scene::get("card-not-yet", "/card")
            .with_cards(lost(), Some(SpreadAnswer { status: Some(CardStatus::Active), ..self::reached(3) })),
        Scene::post("card-reported", "/card", &report).with_cards(lost(), reached()),
        Scene::post("card-stale", "/card", &report).declined(Declined::Stale),
    ]
}

/// Bills: with and without a member, and a price that is none.
fn bill_pages() -> Vec<Scene> {
    let priced = [("price", "1000"), ("coupon", "200"), ("points", "100"), ("card", "yes")];
    let guest =
        || CounterView { guest: desk_with(CardStatus::Active, true).guest.map(|of| of.view), ..afternoon() };
    vec![
        Scene::get("bill", "/bill").of(guest()),
        Scene::get("bill-nobody", "/bill"),
        Scene::post("bill-reckoned", "/bill", &priced).of(guest()),
        Scene::post("bill-wrong", "/bill", &[("price", "dear")]).of(guest()),
    ]
}

/// What bills are reckoned by in scenes: 5 % for the gold level, and 10 % for a birthday.
#[must_use]
pub fn bills() -> BillHere {
    let gold = LevelDiscount { rank: 1, name: words("金卡", "Gold"), discount_bp: 500 };
    let bill = BillTerms {
        levels: vec![gold],
        cash_per_point_fen: 100,
        birthday: Some(Birthday { discount_bp: 1_000, ..Birthday::default() }),
        ..BillTerms::default()
    };
    let terms = SchemeTerms { bill: Some(bill), ..SchemeTerms::property_club(3, Day(0)) };
    BillHere { terms, office: "A01".to_owned(), day: Day::utc(NOW), knows_day: true }
}

fn desk_with(status: CardStatus, uploaded: bool) -> CardDesk {
    let person = PersonView {
        name: Some("欧阳*华".to_owned()),
        level: Some(words("金卡", "Gold")),
        points: Amount(1_280),
        value: None,
        points_at: NOW,
    };
    let (tail, token) = (Some("0042".to_owned()), Token { key_version: 1, hash: [7; 16] });
    let view = GuestView { n: 7, person, card_tail: tail.clone() };
    let stopped = status.is_blocked().then(|| StoppedCard {
        token,
        tail,
        name: Some("欧阳*华".to_owned()),
        status,
        here: Some(HereAt { at: NOW.offset(-2 * MINUTE_US), uploaded }),
    });
    CardDesk { guest: Some(GuestCard { view, token, status }), stopped }
}

/// After a new card was given: the member has it, and the old one is void.
fn replaced() -> CardDesk {
    let mut desk = desk_with(CardStatus::Active, true);
    let old = desk_with(CardStatus::Void, true).stopped;
    if let Some(guest) = &mut desk.guest {
        guest.view.card_tail = Some("0917".to_owned());
    }
    CardDesk { stopped: old, ..desk }
}

/// A lost card that so many terminals hold: the others are in contact seldom, or never were.
fn reached(named: u8) -> SpreadAnswer {
    let terminal = |n: u8| SpreadTerminal {
        name: if n == 0 { "前台".to_owned() } else { format!("{n} 号终端") },
        office: Some(words("滨江样板房", "Riverside show flat")),
        has: n == 1,
        heard: (n != 2).then(|| NOW.offset(-i64::from(n) * 50 * MINUTE_US)),
        own: n == 0,
    };
    SpreadAnswer {
        at: NOW,
        status: Some(CardStatus::Lost),
        have: 1,
        lack: if named > 3 { 80 } else { 2 },
        // As the centre orders them: who lacks it comes first.
        terminals: [2, 0, 1].into_iter().chain(3..named).map(terminal).collect(),
    }
}

/// The list of tablets, and what a stranger of the network meets.
fn tablets() -> Vec<Scene> {
    vec![
        Scene::get("tablets", "/tablets"),
        Scene::post("tablets-offered", "/tablets", &[("act", "offer")]),
        Scene::post("tablets-withdrawn", "/tablets", &[("act", "withdraw")]),
        Scene::get("pair", "/pair"),
        Scene::get("pin", "/pin").of(staffed(false)),
        Scene::get("pin-here", "/pin").of(staffed(true)),
        Scene::get("pin-unasked", "/pin"),
        Scene::post("pin-unknown", "/pin", &[("act", "in"), ("pin", "271828")]).of(staffed(false)),
        Scene::post("pin-wrong", "/pin", &[("act", "in"), ("operator", OPERATOR), ("pin", "314159")])
            .of(staffed(false)),
        Scene::get("counter-locked", "/").of(staffed(false)),
        Scene::get("counter-staffed", "/").of(staffed(true)),
        Scene::post("pair-wrong", "/pair", &[("code", "12"), ("name", "前台平板")]),
        Scene::post("pair-no-code", "/pair", &[("code", "12345678"), ("name", "")]),
    ]
}

/// A shift since the morning, after a day that nobody closed.
fn shift() -> ShiftView {
    let closing = LastClosing {
        day: Day(20_778),
        at: NOW.offset(-15 * 60 * MINUTE_US),
        unattended: true,
        difference: Some(Amount(-1_000)),
    };
    ShiftView {
        opened: Some(Counted { cash: Amount(50_000), gifts: 40, blank_cards: 12, ..Counted::default() }),
        opened_at: Some(NOW.offset(-6 * 60 * MINUTE_US)),
        cash_in: Amount(120_000),
        cash_out: Amount(6_000),
        cash_expected: Amount(164_000),
        gifts_out: 24,
        gifts_expected: Some(16),
        blank_cards_expected: Some(12),
        totals: DayTotals { attended: 37, topped_up: Amount(230_000), ..DayTotals::default() },
        last: Some(closing),
    }
}

/// Guests of an activity: one with a birthday, some who came, one who asked for secrecy.
fn expected(listed: usize) -> ExpectedView {
    let names = ["张*三", "欧阳*华", "李*", "王*明", "阿卜杜热合曼·**"];
    let guest = |n: usize| ExpectedGuest {
        name: (n % 7 != 6).then(|| names[n % names.len()].to_owned()),
        level: n.is_multiple_of(3).then(|| words("金卡", "Gold")),
        birthday: n == 0,
        arrived: n % 4 == 3,
        companions: u32::from(n % 5 == 1),
    };
    let guests: Vec<ExpectedGuest> = (0..listed.min(EXPECTED_SHOWN_MAX)).map(guest).collect();
    ExpectedView { listed, arrived: listed / 4, birthdays: 1, guests }
}

/// Members with cards in every state, one who asked for secrecy, one without a card.
fn found() -> LookupAnswer {
    let cards = CardStatus::CODES.map(|(status, _)| Some(status)).into_iter().chain([None]);
    let member = |(n, status): (u8, Option<CardStatus>)| FoundMember {
        name: (n != 3).then(|| "张*三".to_owned()),
        mobile: (n != 3).then(|| format!("138****800{n}")),
        level: None,
        card: status.map(|status| FoundCard { card: CardId([n; 16]), tail: format!("000{n}"), status }),
    };
    LookupAnswer { found: (1..).zip(cards).map(member).collect(), more: true, too_often: false }
}
