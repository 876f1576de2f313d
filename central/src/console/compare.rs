//! Both sides of a case in columns, with what differs marked.

use hufu_shared::cbor;
use hufu_shared::fact::{DayTotals, Event, Fact, Shown, Way};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{Instant, SECOND_US};
use hufu_shared::token::MediumKind;

use super::overview::{standing_tone, standing_words};
use super::ui::{Ui, change, number};
use super::words;
use crate::rules::apply::{DayDifference, StayEnd, StaysCase};
use crate::rules::entry::{TakenFork, TakenLoss};
use crate::store::cases::{Case, Side};

/// A comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Heads of the columns.
    pub heads: Vec<String>,
    /// Badge of each column: tone and words; empty where a column has none.
    pub badges: Vec<(&'static str, String)>,
    /// The lines.
    pub rows: Vec<ComparedRow>,
}

/// One line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedRow {
    /// What it is about.
    pub label: String,
    /// A cell per column.
    pub cells: Vec<String>,
    /// Whether the cells differ.
    pub differs: bool,
}

impl Compared {
    /// Adds a line; its cells differ where any two beside each other do.
    pub(super) fn row(&mut self, label: String, cells: Vec<String>) {
        let differs = cells.windows(2).any(|pair| pair[0] != pair[1]);
        self.rows.push(ComparedRow { label, cells, differs });
    }
}

/// What a display showed, as a key.
fn shown_key(shown: Shown) -> &'static str {
    match shown {
        Shown::Nothing => "shown-nothing",
        Shown::Accepted => "shown-accepted",
        Shown::Recorded => "shown-recorded",
        Shown::Refused => "shown-refused",
        Shown::Attention => "shown-attention",
        Shown::AlreadyIn => "shown-already-in",
        Shown::Redeemed => "shown-redeemed",
        Shown::OverOfflineLimit => "shown-over-limit",
        Shown::UnknownCard => "shown-unknown-card",
    }
}

fn medium_key(medium: MediumKind) -> &'static str {
    match medium {
        MediumKind::Uid => "medium-uid",
        MediumKind::Stripe => "medium-stripe",
        MediumKind::Line => "medium-line",
        MediumKind::Typed => "medium-typed",
        MediumKind::MemberCode => "medium-code",
    }
}

/// What legs of points come to, in words.
fn legs_words(ui: &Ui, legs: &[Leg]) -> String {
    let one = |leg: &Leg| match leg.unit {
        Unit::Pts => ui.t_with("amount-points", &[("n", &change(leg.amount.0))]),
        Unit::Growth => ui.t_with("amount-growth", &[("n", &change(leg.amount.0))]),
        Unit::Cny => format!("{} {}", leg.amount.display(leg.unit), leg.unit.code()),
    };
    if legs.is_empty() { ui.t("amount-none") } else { legs.iter().map(one).collect::<Vec<_>>().join(" · ") }
}

fn promised(fact: &Fact) -> &[Leg] {
    match &fact.event {
        Event::Attended(attended) => &attended.promised,
        Event::Earned(earned) => &earned.promised,
        _ => &[],
    }
}

/// The facts of a case side by side.
pub fn sides(ui: &Ui, sides: &[Side]) -> Compared {
    let mut compared = Compared::default();
    for (at, side) in sides.iter().enumerate() {
        let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
        compared
            .heads
            .push(ui.t_with("side-head", &[("letter", &letter.to_string()), ("device", &side.device_name)]));
        compared.badges.push((standing_tone(&side.became), standing_words(ui, &side.became, None)));
    }
    let zone = |side: &Side| side.office.clock.tz().unwrap_or(ui.zone);
    let all = |cell: &dyn Fn(&Side) -> String| sides.iter().map(cell).collect::<Vec<_>>();
    let of_fact = |read: &dyn Fn(&Fact) -> String| {
        all(&|side| side.fact.as_ref().map_or_else(|| ui.t("fact-unreadable"), read))
    };
    compared.row(ui.t("side-event"), all(&|side| ui.t(&format!("event-{}", side.event))));
    let leaves = |side: &Side| match side.fact.as_ref().map(|fact| &fact.event) {
        Some(Event::Attended(attended)) => Some(attended.way == Way::Out),
        _ => None,
    };
    if sides.iter().any(|side| leaves(side) == Some(true)) {
        let way = |side: &Side| leaves(side).map(|out| ui.t(if out { "way-out" } else { "way-in" }));
        compared.row(ui.t("side-way"), all(&|side| way(side).unwrap_or_else(|| "—".to_owned())));
    }
    compared.row(
        ui.t("side-office"),
        all(&|side| format!("{} {}", side.office.code, ui.pick(&side.office.name))),
    );
    compared.row(ui.t("side-at"), all(&|side| ui.seconds_in(side.at, zone(side))));
    if sides.iter().any(|side| side.latest.since(side.at) > SECOND_US) {
        compared.row(ui.t("side-latest"), all(&|side| ui.seconds_in(side.latest, zone(side))));
    }
    let within = |side: &Side| match side.latest.since(side.at) {
        us if us <= SECOND_US => ui.t("inbox-within-second"),
        us => ui.t_with("inbox-within", &[("n", &number(us / SECOND_US))]),
    };
    compared.row(ui.t("inbox-uncertain"), all(&within));
    compared.row(ui.t("side-wall"), all(&|side| ui.seconds_in(side.wall, zone(side))));
    compared.row(ui.t("side-clock-error"), all(&|side| clock_error(side.wall, side.at)));
    compared.row(ui.t("side-received"), all(&|side| ui.seconds_in(side.received, zone(side))));
    compared.row(
        ui.t("side-medium"),
        of_fact(&|fact| {
            fact.event.subject().map_or_else(|| "—".to_owned(), |subject| ui.t(medium_key(subject.medium)))
        }),
    );
    compared.row(
        ui.t("side-operator"),
        of_fact(&|fact| {
            fact.operator.map_or_else(|| ui.t("side-no-operator"), |operator| short(&operator.to_string()))
        }),
    );
    compared.row(ui.t("side-shown"), of_fact(&|fact| ui.t(shown_key(fact.shown))));
    compared.row(ui.t("side-promised"), of_fact(&|fact| legs_words(ui, promised(fact))));
    compared.row(ui.t("side-ledger"), all(&|side| ledger_words(ui, side)));
    // Numbers always differ and say nothing.
    let numbers = all(&|side| format!("{}.{}", side.id.epoch, side.id.seq));
    compared.rows.push(ComparedRow { label: ui.t("side-number"), cells: numbers, differs: false });
    compared
}

/// The last group of an id tells it from its neighbours.
pub(super) fn short(id: &str) -> String {
    format!("…{}", &id[id.len().saturating_sub(6)..])
}

fn clock_error(wall: Instant, at: Instant) -> String {
    let tenths = wall.since(at) / 100_000;
    format!("{}{}.{} s", if tenths < 0 { "−" } else { "+" }, number((tenths / 10).abs()), (tenths % 10).abs())
}

fn ledger_words(ui: &Ui, side: &Side) -> String {
    if side.postings.is_empty() {
        return ui.t("ledger-nothing");
    }
    let one = |(debit, credit, amount, unit, code): &(String, String, i64, String, String)| {
        let unit = Unit::from_code(unit);
        let to_member = credit.starts_with("member/");
        let from_member = debit.starts_with("member/");
        let amount = match (to_member, from_member) {
            (true, _) => change(*amount),
            (false, true) => change(-*amount),
            (false, false) => number(*amount),
        };
        let amount = match unit {
            Some(Unit::Growth) => ui.t_with("amount-growth", &[("n", &amount)]),
            _ => amount,
        };
        ui.t_with("ledger-line", &[("code", &words::posting(ui.language, unit, code)), ("amount", &amount)])
    };
    side.postings.iter().map(one).collect::<Vec<_>>().join("；")
}

/// What a case about a terminal compares: what it closed with what the centre has, or the two histories.
pub fn detail(ui: &Ui, case: &Case) -> Option<Compared> {
    match case.known.kind {
        30 => {
            cbor::decode::<DayDifference>(&case.known.detail).ok().map(|difference| totals(ui, &difference))
        }
        4 => cbor::decode::<StaysCase>(&case.known.detail).ok().map(|case| stays(ui, &case)),
        21 => cbor::decode::<TakenFork>(&case.known.detail).ok().map(|fork| {
            let mut compared = pair(ui, "fork-stored", "fork-shown");
            let at = format!("{}.{}", fork.epoch, fork.seq);
            compared.row(ui.t("fork-at"), vec![at.clone(), at]);
            compared.row(ui.t("fork-head"), vec![digits(fork.stored), digits(fork.shown)]);
            compared.row(
                ui.t("fork-facts"),
                vec!["—".to_owned(), number(i64::try_from(fork.facts).unwrap_or(0))],
            );
            compared
        }),
        20 => cbor::decode::<TakenLoss>(&case.known.detail).ok().map(|loss| {
            let mut compared = pair(ui, "loss-centre", "loss-device");
            let count = loss.to_seq.saturating_sub(loss.from_seq) + 1;
            let missing = format!("{}.{} – {}.{}", loss.epoch, loss.from_seq, loss.epoch, loss.to_seq);
            compared.row(ui.t("loss-range"), vec![ui.t("loss-never"), missing]);
            compared.row(ui.t("loss-count"), vec!["0".to_owned(), number(i64::try_from(count).unwrap_or(0))]);
            compared
        }),
        _ => None,
    }
}

/// The stays of a member, what was inferred marked.
fn stays(ui: &Ui, case: &StaysCase) -> Compared {
    let mut compared = pair(ui, "stay-from", "stay-to");
    let cell = |end: &StayEnd| match end.at {
        None => ui.t("stay-open"),
        Some(at) if end.inferred => ui.t_with("stay-inferred", &[("time", &ui.time(at))]),
        Some(at) => ui.time(at),
    };
    for (n, (from, to)) in (1..).zip(&case.stays) {
        let label = ui.t_with("stay-n", &[("n", &number(n))]);
        compared.rows.push(ComparedRow {
            label,
            cells: vec![cell(from), cell(to)],
            differs: to.inferred || from.inferred,
        });
    }
    compared
}

fn digits(hash: hufu_shared::ids::Hash) -> String {
    hash.to_string().chars().take(12).collect()
}

fn pair(ui: &Ui, left: &str, right: &str) -> Compared {
    Compared { heads: vec![ui.t(left), ui.t(right)], badges: Vec::new(), rows: Vec::new() }
}

fn totals(ui: &Ui, difference: &DayDifference) -> Compared {
    let mut compared = pair(ui, "totals-closed", "totals-reckoned");
    let closed = &difference.closed;
    let range = format!("{} – {}", closed.from_seq, closed.to_seq);
    compared.row(ui.t("totals-day"), vec![closed.day.to_string(), closed.day.to_string()]);
    compared.row(ui.t("totals-range"), vec![range.clone(), range]);
    total_rows(ui, &mut compared, &closed.totals, &difference.reckoned);
    compared.row(ui.t("totals-unreadable"), vec!["0".to_owned(), difference.unreadable.to_string()]);
    compared
}

/// Reads one count of a day's totals.
type Count = fn(&DayTotals) -> u64;

/// Reads one sum of a day's totals, in fen.
type Sum = fn(&DayTotals) -> Amount;

/// The totals of a day, line by line.
fn total_rows(ui: &Ui, compared: &mut Compared, closed: &DayTotals, reckoned: &DayTotals) {
    let counts: [(&str, Count); 7] = [
        ("totals-facts", |totals| totals.facts),
        ("totals-attended", |totals| totals.attended),
        ("totals-left", |totals| totals.left),
        ("totals-repeats", |totals| totals.repeats),
        ("totals-earned", |totals| totals.earned),
        ("totals-visited", |totals| totals.visited),
        ("totals-refused", |totals| totals.refused),
    ];
    for (key, read) in counts {
        let cell = |totals| number(i64::try_from(read(totals)).unwrap_or(i64::MAX));
        compared.row(ui.t(key), vec![cell(closed), cell(reckoned)]);
    }
    compared.row(
        ui.t("totals-promised"),
        vec![legs_words(ui, &closed.promised), legs_words(ui, &reckoned.promised)],
    );
    let sums: [(&str, Sum); 3] = [
        ("totals-purchases", |totals| totals.purchases),
        ("totals-topped-up", |totals| totals.topped_up),
        ("totals-paid-out", |totals| totals.paid_out),
    ];
    for (key, read) in sums {
        let cell = |totals| format!("¥{}", read(totals).display(Unit::Cny));
        compared.row(ui.t(key), vec![cell(closed), cell(reckoned)]);
    }
}

/// Totals that a terminal closed beside what the centre reckons.
pub fn day_totals(ui: &Ui, closed: &DayTotals, reckoned: &DayTotals) -> Compared {
    let mut compared = pair(ui, "totals-closed", "totals-reckoned");
    total_rows(ui, &mut compared, closed, reckoned);
    compared
}
