//! Snapshots as staff may meet them: a busy afternoon, every outcome, and the unlucky moments. Tests render them, and
//! browsers are shown them, so that what nobody meets on an ordinary day is looked at as well. Nothing serves them.

mod setup;
mod value;

pub use value::{asking, cny, pts, short};
use value::{of_value, waiting};

use crate::counter::batch::BatchLineView;
use crate::counter::view::*;
use crate::rules::decide::value::Why;
use hufu_shared::fact::RefusalReason;
use hufu_shared::ids::{ItemId, OccurrenceId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::scheme::Words;
use hufu_shared::time::{ClockQuality, Instant, MINUTE_US, SECOND_US};
use hufu_shared::wire::lease::RecallState;
use hufu_shared::wire::readiness::{Grade, Item, Part, Unenforced};
use hufu_shared::wire::upload::Became;

/// 2026-11-22 15:02:11 in Shanghai.
pub const NOW: Instant = Instant(1_795_330_931 * SECOND_US);

/// A text in both languages.
#[must_use]
pub fn words(zh: &str, en: &str) -> Words {
    Words { zh: zh.to_owned(), en: en.to_owned() }
}

fn ago(minutes: i64) -> Instant {
    NOW.offset(-minutes * MINUTE_US)
}

fn tasting() -> Words {
    words("秋季品鉴会", "Autumn tasting")
}

fn handing() -> Purpose {
    Purpose::HandOut { name: words("茶叶礼盒", "Tea gift box"), quantity: 1 }
}

fn swipe(seconds: i64, outcome: Outcome, name: Option<&str>, promised: i64) -> SwipeView {
    SwipeView {
        seq: Some(1_200),
        outcome,
        purpose: Purpose::CheckIn { name: tasting() },
        at: NOW.offset(-seconds * SECOND_US),
        name: name.map(str::to_owned),
        card_tail: Some("0042".to_owned()),
        promised: (promised > 0).then_some(Amount(promised)),
        moved: Vec::new(),
        count: 1,
    }
}

/// How ready each part is, in the order of the rule.
fn readiness(grades: [Grade; 6]) -> ReadinessView {
    let until = [Some(ago(-3 * 1_440)), Some(ago(-118)), None, Some(ago(-6 * 1_440)), None, None];
    let part = |at: usize| Part {
        item: Item::ALL[at],
        grade: grades[at],
        until: until[at].filter(|_| grades[at] == Grade::Ready),
    };
    ReadinessView {
        parts: (0..6).map(part).collect(),
        unenforced: Unenforced::ALL.to_vec(),
        until: until[0].filter(|_| grades[0] == Grade::Ready),
    }
}

/// An ordinary afternoon, waiting for a card.
#[must_use]
pub fn afternoon() -> CounterView {
    let activity = |id: u8, name: Words, from: i64, to: i64, points| ActivityView {
        occurrence: OccurrenceId([id; 16]),
        name,
        starts: ago(-from),
        ends: ago(-to),
        points: Amount(points),
        running: from <= 0 && to > 0,
        enters: true,
        leaves: None,
        attended_here: 0,
        gates: Vec::new(),
        gifts: Vec::new(),
        companions: 0,
    };
    let mut running = activity(1, tasting(), -62, 118, 6);
    (running.attended_here, running.companions) = (37, 2);
    running.gifts = vec![GiftView {
        item: ItemId([9; 16]),
        name: words("茶叶礼盒", "Tea gift box"),
        each: 1,
        handed_here: 24,
    }];
    CounterView {
        zone: chrono_tz::Asia::Shanghai,
        office: words("滨江壹号", "Riverside One"),
        place_word: words("案场", "sales office"),
        terminal: "前台一号".to_owned(),
        software: "0.1.0".to_owned(),
        link: LinkView {
            online: true,
            since: ago(190),
            queue_len: 0,
            last_sync: Some(NOW.offset(-12 * SECOND_US)),
            directory_at: Some(ago(2)),
            stopped: None,
            refused: None,
            tight_percent: None,
        },
        mode: ModeView::CheckIn { occurrence: OccurrenceId([1; 16]), name: tasting() },
        activities: vec![
            running,
            activity(2, words("业主瑜伽课", "Yoga for owners"), -30, 30, 2),
            activity(3, words("亲子烘焙", "Family baking"), 178, 298, 4),
        ],
        readers: vec![ReaderView {
            name: "前台".to_owned(),
            source: Source::Tap,
            up: true,
            since: Some(ago(300)),
            reason: String::new(),
        }],
        result: None,
        last: lately(),
        notices: Vec::new(),
        unshown: Vec::new(),
        batch: None,
        candidate: None,
        guest: None,
        asking: None,
        allowances: vec![AllowanceView { unit: Unit::Pts, members: 12, left: Amount(3_840), expired: 1 }],
        clock: ClockView { quality: ClockQuality::Synced, offset_us: Some(120_000) },
        display: DisplayView { kind: Some("desk".to_owned()), fault: None, each: Vec::new() },
        printer: None,
        readiness: readiness([Grade::Ready; 6]),
        setup: setup::half_tried(),
        practice: false,
        staff: StaffView::default(),
    }
}

/// The last swipes of an ordinary afternoon.
fn lately() -> Vec<SwipeView> {
    vec![
        swipe(20, Outcome::Accepted, Some("张*三"), 6),
        swipe(75, Outcome::AlreadyIn, Some("欧阳*华"), 0),
        SwipeView {
            card_tail: Some("7781".into()),
            count: 3,
            ..swipe(140, Outcome::Refused(RefusalReason::R07), Some("李*"), 0)
        },
        SwipeView { card_tail: None, ..swipe(200, Outcome::UnknownCard, None, 0) },
        SwipeView {
            purpose: Purpose::Earn { purchase: Amount(32_050) },
            card_tail: Some("5310".into()),
            ..swipe(260, Outcome::Recorded, Some("王*明"), 6)
        },
    ]
}

/// A member of the gold level.
#[must_use]
pub fn person() -> PersonView {
    PersonView {
        name: Some("张*三".to_owned()),
        level: Some(words("金卡", "Gold")),
        points: Amount(1_280),
        value: Some(Amount(50_000)),
        points_at: NOW.offset(-30 * SECOND_US),
    }
}

/// A swipe of a known member with this outcome.
#[must_use]
pub fn result(outcome: Outcome, purpose: Purpose) -> ResultView {
    ResultView {
        n: 7,
        outcome,
        purpose,
        source: Source::Tap,
        at: NOW,
        person: Some(person()),
        card_tail: Some("0042".to_owned()),
        promised: None,
        promised_pending: false,
        first_at: None,
        first_office: None,
        valid_from: None,
        short: None,
        not_undone: None,
        moved: Vec::new(),
        left: Vec::new(),
        owes: None,
        listed: None,
        batch: None,
        offline: false,
        seq: Some(1_205),
    }
}

/// A batch check-in under way, and what came of one.
fn batches() -> [(&'static str, CounterView); 3] {
    let line = |n, name: Option<&str>, tail: &str, outcome| BatchLineView {
        n,
        name: name.map(str::to_owned),
        known: name.is_some(),
        card_tail: tail.to_owned(),
        outcome,
    };
    let mut collecting = afternoon();
    collecting.activities[0].gates =
        vec![GateView { gate: 1, entered: 21, left: 0 }, GateView { gate: 2, entered: 16, left: 0 }];
    collecting.batch = Some(BatchView {
        occurrence: OccurrenceId([1; 16]),
        name: tasting(),
        starts: Some(ago(62)),
        ends: Some(ago(-118)),
        collecting: true,
        lines: vec![
            line(1, Some("张*三"), "0042", Outcome::Accepted),
            line(2, Some("欧阳*华"), "5310", Outcome::AlreadyIn),
            line(3, Some("李*"), "7781", Outcome::Refused(RefusalReason::R07)),
            line(4, None, "", Outcome::UnknownCard),
        ],
    });
    let listed = ResultView { listed: Some(4), seq: None, ..result(Outcome::Listed, check_in()) };
    collecting.result = Some(listed);
    let mut paused = collecting.clone();
    paused.mode = ModeView::LookUp;
    if let Some(batch) = &mut paused.batch {
        batch.collecting = false;
    }
    paused.result = Some(result(Outcome::ListedAlready, check_in()));
    let sum = BatchSum { checked_in: 10, already: 1, unsure: 1, others: 1 };
    let done = ResultView {
        person: None,
        card_tail: None,
        batch: Some(sum),
        ..result(Outcome::Recorded, check_in())
    };
    [("batch", collecting), ("batch-paused", paused), ("batch-done", with(done))]
}

fn check_in() -> Purpose {
    Purpose::CheckIn { name: tasting() }
}

fn check_out() -> Purpose {
    Purpose::CheckOut { name: tasting() }
}

/// An afternoon with an activity that counts who leaves, at a terminal set to that.
fn leaving(result: Option<ResultView>) -> CounterView {
    let mut view = CounterView { result, ..afternoon() };
    view.activities[0].leaves = Some(true);
    view.activities[2].leaves = Some(false);
    view.mode = ModeView::CheckOut { occurrence: view.activities[0].occurrence, name: tasting() };
    view
}

fn with(result: ResultView) -> CounterView {
    CounterView { result: Some(result), ..afternoon() }
}

/// Every outcome once or more, by name.
#[must_use]
pub fn outcomes() -> Vec<(String, CounterView)> {
    let earn = || Purpose::Earn { purchase: Amount(32_050) };
    let six = Some(Amount(6));
    let offline = |mut view: CounterView| {
        view.link = LinkView { online: false, queue_len: 37, last_sync: Some(ago(63)), ..view.link };
        view
    };
    let nobody = |outcome, purpose| ResultView { person: None, ..result(outcome, purpose) };
    let stale = PersonView { points_at: ago(185), ..person() };
    let secret = PersonView { name: None, level: None, ..person() };
    let mut all = vec![
        ("idle", afternoon()),
        ("accepted", with(ResultView { promised: six, ..result(Outcome::Accepted, check_in()) })),
        (
            "accepted-offline",
            offline(with(ResultView {
                promised: six,
                offline: true,
                person: Some(stale),
                ..result(Outcome::Accepted, check_in())
            })),
        ),
        ("visit", with(ResultView { person: Some(secret), ..result(Outcome::Accepted, Purpose::Visit) })),
        (
            "earn",
            with(ResultView { promised: six, promised_pending: true, ..result(Outcome::Accepted, earn()) }),
        ),
        ("look-up", with(result(Outcome::Accepted, Purpose::LookUp))),
        (
            "recorded",
            offline(with(ResultView {
                offline: true,
                promised: six,
                ..result(Outcome::Recorded, check_in())
            })),
        ),
        (
            "attention",
            with(ResultView {
                first_at: Some(ago(3)),
                first_office: Some("湖畔花园".into()),
                ..result(Outcome::Attention, check_in())
            }),
        ),
        ("already", with(ResultView { first_at: Some(ago(21)), ..result(Outcome::AlreadyIn, check_in()) })),
        ("leaving-idle", leaving(None)),
        ("left", leaving(Some(result(Outcome::Accepted, check_out())))),
        (
            "left-already",
            leaving(Some(ResultView { first_at: Some(ago(1)), ..result(Outcome::AlreadyIn, check_out()) })),
        ),
        ("already-earn", with(result(Outcome::AlreadyIn, earn()))),
        ("unknown", with(nobody(Outcome::UnknownCard, check_in()))),
        ("unknown-earn", with(ResultView { promised: six, ..nobody(Outcome::UnknownCard, earn()) })),
        ("keep-still", with(ResultView { card_tail: None, ..nobody(Outcome::KeepStill, check_in()) })),
        ("not-ready", with(ResultView { card_tail: None, ..nobody(Outcome::NotReady, check_in()) })),
    ];
    for source in [Source::Tap, Source::Stripe, Source::Code, Source::Typed] {
        let failed = nobody(Outcome::ReadFailed, check_in());
        all.push(("read-failed", with(ResultView { source, card_tail: None, ..failed })));
    }
    all.extend(of_value());
    let mut all: Vec<(String, CounterView)> =
        all.into_iter().map(|(name, view)| (name.into(), view)).collect();
    all.extend(refused());
    all.extend(waiting().into_iter().map(|(name, view)| (name.to_owned(), view)));
    all.extend(moments().into_iter().map(|(name, view)| (name.to_owned(), view)));
    all
}

/// A refusal for every reason.
fn refused() -> Vec<(String, CounterView)> {
    let view = |reason| {
        let refused = ResultView {
            valid_from: (reason == RefusalReason::R03).then(|| ago(-3 * 24 * 60)),
            short: (reason == RefusalReason::R05).then(|| short(Why::TooLittle, 0, Some(120))),
            ..result(Outcome::Refused(reason), check_in())
        };
        (format!("refused-{reason:?}"), with(refused))
    };
    crate::counter::sheets::REASONS.into_iter().map(view).collect()
}

/// What is not an outcome: lists to work through, candidates, broken devices, nothing known yet.
#[must_use]
pub fn moments() -> Vec<(&'static str, CounterView)> {
    let candidate = |person, refused| CandidateView {
        n: 3,
        card_tail: "0042".into(),
        person,
        purpose: check_in(),
        refused,
    };
    let (paper, unprinted) = papers();
    let mut earning = afternoon();
    earning.mode = ModeView::Earn { purchase: Amount(32_050) };
    let mut all = vec![
        ("candidate", CounterView { candidate: Some(candidate(Some(person()), None)), ..afternoon() }),
        (
            "candidate-refused",
            CounterView {
                candidate: Some(candidate(Some(person()), Some(RefusalReason::R07))),
                ..afternoon()
            },
        ),
        ("candidate-unknown", CounterView { candidate: Some(candidate(None, None)), ..afternoon() }),
        ("crowded", crowded()),
        ("readers-down", down()),
        ("fresh", fresh()),
        ("earning", earning),
        ("paper-out", paper),
        ("unprinted", unprinted),
    ];
    all.extend(batches());
    all
}

/// Notices and a fact whose showing is unknown wait for somebody.
fn crowded() -> CounterView {
    let mut crowded = afternoon();
    crowded.result = Some(ResultView { promised: Some(Amount(6)), ..result(Outcome::Accepted, check_in()) });
    let notice = |n, became, kind: Option<u8>| NoticeView {
        n,
        seq: 1_100 + n,
        at: Some(ago(340)),
        name: Some("张*三".into()),
        purpose: Some(check_in()),
        became,
        kind,
        other_office: (kind == Some(27)).then(|| "湖畔花园".to_owned()),
        other_at: (kind == Some(27)).then(|| ago(360)),
    };
    crowded.notices = vec![
        notice(1, Became::NoEffect, Some(27)),
        notice(2, Became::Held, Some(13)),
        notice(3, Became::AppliedWithCase, None),
    ];
    crowded.unshown = vec![UnshownView {
        seq: 1_204,
        at: ago(9),
        purpose: Purpose::Earn { purchase: Amount(32_050) },
        name: Some("欧阳*华".into()),
        promised: Some(Amount(6)),
    }];
    crowded
}

/// Nothing works as it should.
fn down() -> CounterView {
    let mut down = afternoon();
    down.readers[0].up = false;
    down.readers[0].reason = "no such device".into();
    down.link.stopped = Some(Stopped::Fork);
    down.link.refused = Some("a lease: field number 64 must be understood and is unknown here".into());
    down.clock = ClockView { quality: ClockQuality::Floor, offset_us: Some(95 * SECOND_US) };
    down.display.fault = Some("write display picture: no space left".into());
    down
}

/// Just enrolled.
fn fresh() -> CounterView {
    let mut fresh = afternoon();
    fresh.office = words("", "");
    fresh.terminal.clear();
    fresh.activities.clear();
    fresh.last.clear();
    fresh.mode = ModeView::Visit;
    fresh.readers.clear();
    fresh.link = LinkView {
        online: false,
        since: NOW,
        queue_len: 1,
        last_sync: None,
        directory_at: None,
        stopped: Some(Stopped::NotEnrolled),
        refused: None,
        tight_percent: None,
    };
    fresh.display = DisplayView { kind: None, fault: None, each: Vec::new() };
    fresh.readiness =
        readiness([Grade::Bad, Grade::Look, Grade::Look, Grade::Look, Grade::Look, Grade::Ready]);
    fresh
}

/// Slips that wait for paper, and slips that were let go.
fn papers() -> (CounterView, CounterView) {
    let slip = |seq, copies, queued, let_go| SlipView {
        copies,
        queued,
        let_go,
        ..SlipView::new(seq, format!("7F3A-1-{seq:06}"), ago(4), false)
    };
    let mut paper = afternoon();
    for (at, swipe) in paper.last.iter_mut().enumerate() {
        swipe.seq = Some(1_200 - at as u64);
    }
    paper.printer = Some(PrinterView {
        name: "/dev/hufu-printer".to_owned(),
        known: true,
        hindrance: Some("paper-out"),
        near_end: false,
        slips: vec![slip(1_200, 0, true, false), slip(1_199, 2, false, false), slip(1_196, 0, false, false)],
    });
    let mut unprinted = paper.clone();
    if let Some(printer) = &mut unprinted.printer {
        (printer.hindrance, printer.near_end) = (None, true);
        printer.slips.push(slip(1_150, 0, false, true));
        printer.slips[0].queued = false;
    }
    (paper, unprinted)
}
