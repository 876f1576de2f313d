//! What moves value, in staff's words: amounts with their units, what was missing and what would be possible, and who
//! is being asked for more.

use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::wire::lease::RecallState;

use super::face::{Face, purpose};
use super::view::{AskingView, NotUndone, Outcome, Purpose, RecalledView, ResultView, ShortView, Taken};
use super::words::Ui;
use crate::rules::decide::value::Why;

/// An amount with its unit: `100 分`, `¥20.00`.
#[must_use]
pub fn leg(leg: Leg, ui: &Ui) -> String {
    let n = leg.amount.display(leg.unit);
    match leg.unit {
        Unit::Cny => ui.t1("counter-amount-value", "n", n),
        Unit::Pts => ui.t1("counter-amount-points", "n", n),
        Unit::Growth => ui.t1("counter-amount-growth", "n", n),
    }
}

/// Amounts of several units.
#[must_use]
pub fn legs(legs: &[Leg], ui: &Ui) -> String {
    let all: Vec<String> = legs.iter().map(|each| leg(*each, ui)).collect();
    all.join(" + ")
}

/// That a top-up was not undone, and what to do.
#[must_use]
pub fn not_undone(why: Option<NotUndone>, ui: &Ui) -> (String, Option<String>) {
    let key = match why {
        Some(NotUndone::NotCovered) => "counter-undo-not_covered",
        Some(NotUndone::OtherShift) => "counter-undo-other_shift",
        Some(NotUndone::Undone) => "counter-undo-undone",
        Some(NotUndone::Recovering) => "counter-undo-recovering",
        Some(NotUndone::NoAnswer) => "counter-undo-no_answer",
        Some(NotUndone::Unable) | None => "counter-undo-unable",
    };
    (ui.t("counter-undo-not"), Some(ui.t(key)))
}

/// What was moved as a figure with its sign; none where nothing was.
#[must_use]
pub fn moved(outcome: Outcome, purpose: &Purpose, moved: &[Leg], ui: &Ui) -> Option<String> {
    let sign = match (outcome, purpose) {
        (Outcome::Redeemed, _) => "−",
        (Outcome::Accepted | Outcome::Recorded, Purpose::TopUp { .. }) => "+",
        (Outcome::Accepted, Purpose::TakeBack { of: Taken::Spent }) => "+",
        (Outcome::Accepted, Purpose::TakeBack { .. }) => "−",
        _ => return None,
    };
    let all: Vec<String> = moved.iter().map(|each| format!("{sign}{}", leg(*each, ui))).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Headline and next step of a redemption.
pub(super) fn redeemed(result: &ResultView, ui: &Ui) -> (String, Option<String>) {
    // Where only stored value was spent, the guest has paid; everything else was redeemed.
    let paid = result.moved.iter().all(|leg| leg.unit == Unit::Cny);
    let base = match &result.purpose {
        Purpose::CashOut { .. } => "counter-outcome-paid_out",
        _ if paid => "counter-outcome-paid",
        _ => "counter-outcome-redeemed",
    };
    let spent = moved(result.outcome, &result.purpose, &result.moved, ui).unwrap_or_default();
    let next = if result.left.is_empty() {
        spent
    } else {
        ui.t2("counter-outcome-redeemed-next", ("n", spent), ("rest", legs(&result.left, ui)))
    };
    (ui.t(base), Some(next))
}

/// Why a spend was not possible, and what would be: one sentence for the next step.
#[must_use]
pub fn short(short: &ShortView, place: &str, ui: &Ui) -> String {
    let of = |amount| leg(Leg { unit: short.unit, amount }, ui);
    let why = match short.why {
        Why::TooLittle => match short.missing {
            Some(missing) => return ui.t1("counter-short-missing", "n", of(missing)),
            None => ui.t("counter-short-too_little"),
        },
        Why::NoLease => ui.t1("counter-short-no_lease", "place", place),
        Why::Expired => ui.t1("counter-short-expired", "place", place),
        Why::EarlierEnrolment => ui.t("counter-short-earlier_enrolment"),
        Why::TooSmall => ui.t("counter-short-too_small"),
        Why::NoAnswer => ui.t("counter-short-no_answer"),
        Why::Unreachable => ui.t1("counter-short-unreachable", "place", place),
        Why::OnItsWay => ui.t1("counter-short-on_its_way", "place", place),
        Why::Recovering => ui.t("counter-short-recovering"),
        Why::Owing => ui.t("counter-short-owing"),
        Why::Limit => ui.t("counter-short-limit"),
        Why::Frozen => ui.t("counter-short-frozen"),
    };
    if short.possible.is_positive() {
        ui.t2("counter-short-possible", ("why", why), ("n", of(short.possible)))
    } else {
        why
    }
}

/// The panel while the centre is asked.
pub(super) fn asking(asking: &AskingView, ui: &Ui) -> Face {
    let mut face = Face { class: "attention", icon: "wave", ..Face::default() };
    face.set_headline(ui.t("counter-asking"));
    let sum = |state: RecallState| {
        let of_state = asking.recalled.iter().filter(|recalled| recalled.state == state);
        of_state.fold(Amount::ZERO, |sum, recalled| sum.plus(recalled.amount.amount).unwrap_or(sum))
    };
    let unit = asking.recalled.first().map(|recalled| recalled.amount.unit);
    face.next = Some(match unit {
        Some(unit) if sum(RecallState::Arrived).is_positive() => {
            let arrived = leg(Leg { unit, amount: sum(RecallState::Arrived) }, ui);
            ui.t1("counter-asking-arrived", "n", arrived)
        }
        Some(_) => ui.t("counter-asking-recalling"),
        None => ui.t("counter-asking-next"),
    });
    if let Some(person) = &asking.person {
        face.set_person(person, ui);
    }
    face.details = asking.recalled.iter().map(|recalled| recalled_line(recalled, ui)).collect();
    face.context = purpose(&asking.purpose, ui);
    face.time = ui.second(asking.since);
    face
}

fn recalled_line(recalled: &RecalledView, ui: &Ui) -> String {
    let office = ("office", ui.words(&recalled.office).to_owned());
    let n = leg(recalled.amount, ui);
    match (recalled.state, recalled.heard_at) {
        (RecallState::Closing, _) => ui.t2("counter-recall-closing", office, ("n", n)),
        (RecallState::Arrived, _) => ui.t2("counter-recall-arrived", office, ("n", n)),
        (RecallState::Unreachable, Some(at)) => {
            let args = crate::locale::Args::from([office, ("n", n), ("age", ui.age(at))]);
            crate::locale::text_with(ui.language, "counter-recall-unreachable-since", &args)
        }
        (RecallState::Unreachable, None) => ui.t2("counter-recall-unreachable", office, ("n", n)),
    }
}
