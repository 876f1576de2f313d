//! Snapshots of what moves value: redeemed, paid in, taken back, out of reach, asked for.

use super::*;
use crate::counter::view::ShortView;

/// Every reason for which a spend is out of reach, with what would be possible.
const WHYS: [(Why, i64); 11] = [
    (Why::NoLease, 0),
    (Why::Expired, 0),
    (Why::EarlierEnrolment, 0),
    (Why::TooSmall, 80),
    (Why::NoAnswer, 80),
    (Why::OnItsWay, 80),
    (Why::Unreachable, 80),
    (Why::Recovering, 0),
    (Why::Owing, 0),
    (Why::Limit, 80),
    (Why::Frozen, 0),
];

/// Points.
#[must_use]
pub fn pts(amount: i64) -> Leg {
    Leg { unit: Unit::Pts, amount: Amount(amount) }
}

/// Stored value in fen.
#[must_use]
pub fn cny(fen: i64) -> Leg {
    Leg { unit: Unit::Cny, amount: Amount(fen) }
}

/// How a spend of 200 points is out of reach.
#[must_use]
pub fn short(why: Why, possible: i64, missing: Option<i64>) -> ShortView {
    let missing = missing.map(Amount);
    ShortView { unit: Unit::Pts, wanted: Amount(200), possible: Amount(possible), missing, why }
}

fn spend() -> Purpose {
    Purpose::Spend { legs: vec![pts(200)] }
}

fn top_up() -> Purpose {
    Purpose::TopUp { amount: Amount(10_000) }
}

fn redeemed(moved: Vec<Leg>, left: Vec<Leg>) -> ResultView {
    let purpose = Purpose::Spend { legs: moved.clone() };
    ResultView { moved, left, ..result(Outcome::Redeemed, purpose) }
}

/// The centre is asked; three other places hold some of it.
#[must_use]
pub fn asking() -> AskingView {
    let holder = |office: Words, state, amount| RecalledView {
        office,
        state,
        amount: pts(amount),
        heard_at: (state == RecallState::Unreachable).then(|| ago(125)),
    };
    AskingView {
        n: 8,
        purpose: spend(),
        person: Some(person()),
        since: NOW,
        recalled: vec![
            holder(words("湖畔花园", "Lakeside"), RecallState::Arrived, 80),
            holder(words("城西中心", "West Centre"), RecallState::Closing, 60),
            holder(words("云栖小镇", "Cloud Town"), RecallState::Unreachable, 120),
        ],
    }
}

/// What moved value, or did not.
pub(super) fn of_value() -> Vec<(&'static str, CounterView)> {
    let refused = result(Outcome::Refused(RefusalReason::R06), handing());
    let handed_before = ResultView { first_at: Some(ago(40)), ..refused };
    let mut all = vec![
        ("redeemed", with(redeemed(vec![pts(100)], vec![pts(1_180)]))),
        ("redeemed-figure-unknown", with(redeemed(vec![pts(100)], Vec::new()))),
        ("paid", with(redeemed(vec![cny(2_000)], vec![cny(48_000)]))),
        ("redeemed-and-paid", with(redeemed(vec![pts(100), cny(2_000)], vec![pts(1_180), cny(48_000)]))),
        ("topped-up", with(ResultView { moved: vec![cny(10_000)], ..result(Outcome::Accepted, top_up()) })),
        ("report-lost", with(result(Outcome::Accepted, Purpose::ReportLost))),
        ("replaced", with(result(Outcome::Accepted, Purpose::Replace))),
        ("hand-out", with(result(Outcome::Accepted, handing()))),
        ("handed-before", with(handed_before)),
        ("unknown-spend", with(ResultView { person: None, ..result(Outcome::UnknownCard, spend()) })),
    ];
    for of in [Taken::Earned, Taken::Spent, Taken::ToppedUp] {
        let taken = result(Outcome::Accepted, Purpose::TakeBack { of });
        all.push(("taken-back", with(ResultView { moved: vec![pts(6)], ..taken })));
    }
    for why in [
        NotUndone::NotCovered,
        NotUndone::OtherShift,
        NotUndone::Undone,
        NotUndone::Recovering,
        NotUndone::NoAnswer,
        NotUndone::Unable,
    ] {
        let of = Purpose::TakeBack { of: Taken::ToppedUp };
        let not = ResultView { not_undone: Some(why), ..result(Outcome::Refused(RefusalReason::R15), of) };
        all.push(("not-undone", with(not)));
    }
    let returned = result(Outcome::Accepted, Purpose::TakeBack { of: Taken::Earned });
    all.push(("owes", with(ResultView { moved: vec![pts(6)], owes: Some(pts(4)), ..returned })));
    for (why, possible) in WHYS {
        let short = short(why, possible, None);
        let over = ResultView { short: Some(short), ..result(Outcome::OverOfflineLimit, spend()) };
        all.push(("over-limit", with(ResultView { offline: true, ..over })));
    }
    all
}

/// A card that waits for the centre.
pub(super) fn waiting() -> Vec<(&'static str, CounterView)> {
    vec![
        ("asking", CounterView { asking: Some(asking()), ..afternoon() }),
        (
            "asking-first",
            CounterView { asking: Some(AskingView { recalled: Vec::new(), ..asking() }), ..afternoon() },
        ),
    ]
}
