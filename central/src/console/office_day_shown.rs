//! An office's day in words: what its page shows.

use chrono_tz::Tz;
use hufu_shared::act::{DayFigures, DayMatter};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::Day;

use super::cash::{Sums, sums};
use super::compare::{Compared, ComparedRow};
use super::leases::amount;
use super::office_day::{Read, refusal};
use super::office_days::{signatures, state_words, tone};
use super::overview::{standing_tone, standing_words};
use super::ui::{Ui, change, number};
use crate::rules::office_day::{DayStep, Difference, NotDone, Signature, Stepped, TerminalPart, may_sign};
use crate::rules::reconcile::DayState;
use crate::rules::world::became_code;
use crate::store::cash::TerminalCash;
use crate::store::office_days::{Later, OpenCase, Sheet};

/// A difference in words.
pub(super) struct DifferenceShown {
    pub(super) id: String,
    pub(super) words: String,
    /// The terminal's day; empty for what is no terminal's.
    pub(super) link: String,
    /// Why it is so; empty while nobody said.
    pub(super) reason: String,
    /// Who said so, and when.
    pub(super) by: String,
}

/// A terminal's part in words.
pub(super) struct TerminalShown {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) state: String,
    pub(super) tone: &'static str,
    pub(super) facts: String,
    pub(super) promised: String,
    pub(super) posted: String,
    pub(super) unexplained: String,
    pub(super) drawer: String,
    pub(super) heard: String,
}

/// Something that came after its day was closed, in words.
pub(super) struct LaterShown {
    pub(super) day: String,
    pub(super) link: String,
    pub(super) recorded: String,
    pub(super) at: String,
    pub(super) what: String,
    pub(super) member: String,
    pub(super) sums: String,
    pub(super) standing: String,
    pub(super) tone: &'static str,
}

/// A step of the day's history in words.
pub(super) struct StepShown {
    pub(super) time: String,
    pub(super) words: String,
    pub(super) reason: String,
}

/// What the page of a day shows beside its lines.
pub(super) struct Shown {
    pub(super) place: String,
    pub(super) day: String,
    pub(super) zone: String,
    pub(super) state: String,
    pub(super) tone: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) figures: Vec<(String, String)>,
    /// The figures that were signed beside those of now; none while nobody signed.
    pub(super) signed_figures: Option<Compared>,
    pub(super) differences: Vec<DifferenceShown>,
    pub(super) terminals: Vec<TerminalShown>,
    pub(super) sums: Sums,
    /// Cases that wait: address, words, since when.
    pub(super) cases: Vec<(String, String, String)>,
    pub(super) adjustments: Vec<LaterShown>,
    pub(super) since: Vec<LaterShown>,
    /// Who signed, and when.
    pub(super) signatures: Vec<(String, String)>,
    pub(super) is_closed: bool,
    /// What a signature stands for.
    pub(super) seen: String,
    /// Why this person cannot sign now; empty if they can.
    pub(super) not_yet: String,
    pub(super) history: Vec<StepShown>,
    pub(super) printed: String,
}

fn count(count: u64) -> String {
    number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Each figure with its words.
fn figures(ui: &Ui, of: &DayFigures) -> Vec<(String, String)> {
    let all = [
        ("oday-expected", count(of.expected)),
        ("oday-reported", count(of.reported)),
        ("oday-missing", count(of.missing)),
        ("totals-facts", count(of.facts)),
        ("oday-open-cases", count(of.open_cases)),
        ("day-promised", number(of.promised.0)),
        ("day-posted", number(of.posted.0)),
        ("day-unexplained", number(of.unexplained.0)),
        ("cash-net", amount(ui, Unit::Cny, of.cash_net.0)),
    ];
    all.into_iter().map(|(key, value)| (ui.t(key), value)).collect()
}

/// The figures that were signed beside those of now.
fn signed_figures(ui: &Ui, sheet: &Sheet) -> Option<Compared> {
    let signed = figures(ui, &signatures(&sheet.standing).last()?.figures);
    let rows = signed.into_iter().zip(figures(ui, &sheet.figures)).map(|((label, then), (_, now))| {
        let differs = then != now;
        ComparedRow { label, cells: vec![then, now], differs }
    });
    let heads = vec![ui.t("oday-as-signed"), ui.t("oday-as-now")];
    Some(Compared { heads, badges: Vec::new(), rows: rows.collect() })
}

/// What a difference is about, with the name of its terminal.
fn matter_words(ui: &Ui, matter: DayMatter, name: &str) -> String {
    let words = ui.t(&format!("oday-matter-{}", matter.code().replace('_', "-")));
    if name.is_empty() { words } else { format!("{name} · {words}") }
}

fn difference(ui: &Ui, zone: Tz, read: &Read, of: &Difference) -> DifferenceShown {
    let sheet = &read.sheet;
    let name = of.device.map_or_else(String::new, |device| sheet.name_of(device));
    let size = match of.matter {
        DayMatter::Missing => String::new(),
        DayMatter::Drawer => amount(ui, Unit::Cny, of.size),
        DayMatter::Differs => ui.t_with("amount-points", &[("n", &number(of.size))]),
        DayMatter::NotClosed | DayMatter::Cases => number(of.size),
    };
    let matter = matter_words(ui, of.matter, &name);
    let own = of.own_reason.as_ref().map(|code| (code.clone(), ui.t("oday-said-at-terminal")));
    let given = sheet.standing.reasons.get(&of.id).map(|(reason, by, at)| {
        let text = read.reasons.get(reason).cloned().unwrap_or_else(|| ui.t("oday-reason-erased"));
        let by = read.people.get(by).unwrap_or(by);
        (text, format!("{by} {}", ui.time_in(*at, zone)))
    });
    let (reason, by) = given.or(own).unwrap_or_default();
    DifferenceShown {
        id: of.id.to_string(),
        words: if size.is_empty() { matter } else { format!("{matter} · {size}") },
        link: of.device.map_or_else(String::new, |device| {
            format!("/days?device={device}&day={}&only=differs", sheet.cash.day)
        }),
        reason,
        by,
    }
}

fn terminal(ui: &Ui, zone: Tz, day: Day, (part, of): (&TerminalPart, &TerminalCash)) -> TerminalShown {
    let (key, tone) = match (part.may_lack, part.day.state, part.day.lines.is_empty()) {
        _ if !part.is_expected => ("oday-nothing", "plain"),
        (true, _, _) => ("cash-lacks", "bad"),
        (false, DayState::Differs, _) => ("day-differs", "bad"),
        (false, DayState::Agrees, _) => ("day-agrees", "ok"),
        (false, DayState::Open, true) => ("oday-nothing", "plain"),
        (false, DayState::Open, false) => ("day-open", "wait"),
    };
    let heard = of.heard.map(|(at, queued)| {
        ui.t_of("cash-heard", &[("time", ui.time_in(at, zone)), ("n", queued.to_string())])
    });
    TerminalShown {
        name: of.name.clone(),
        link: format!("/days?device={}&day={day}", of.device),
        state: ui.t(key),
        tone,
        facts: count(part.day.lines.len() as u64),
        promised: number(part.day.promised.0),
        posted: number(part.day.posted.0),
        unexplained: number(part.unexplained().0),
        drawer: part.drawer().map_or_else(|| "—".to_owned(), |of| amount(ui, Unit::Cny, of.0)),
        heard: heard.unwrap_or_else(|| ui.t("cash-never-heard")),
    }
}

/// What was booked, in words.
fn sums_words(ui: &Ui, sums: &[(Unit, i64)]) -> String {
    let one = |(unit, sum): &(Unit, i64)| match unit {
        Unit::Pts => ui.t_with("amount-points", &[("n", &change(*sum))]),
        Unit::Growth => ui.t_with("amount-growth", &[("n", &change(*sum))]),
        Unit::Cny => format!("¥{}", Amount(*sum).display(*unit)),
    };
    if sums.is_empty() { "—".to_owned() } else { sums.iter().map(one).collect::<Vec<_>>().join(" · ") }
}

fn later(ui: &Ui, zone: Tz, sheet: &Sheet, (of, name): &(Later, String)) -> LaterShown {
    let became = became_code(of.became);
    let event = ui.t(&format!("event-{}", of.event));
    let kind = ui.t(if of.is_late { "oday-came-late" } else { "oday-was-changed" });
    LaterShown {
        day: of.day.to_string(),
        link: format!("/days/{}/{}", sheet.cash.office.office, of.day),
        recorded: ui.time_in(of.recorded, zone),
        at: ui.time_in(of.at, zone),
        what: format!("{event} · {kind}"),
        member: name.clone(),
        sums: sums_words(ui, &of.sums),
        standing: standing_words(ui, became, of.kind),
        tone: standing_tone(became),
    }
}

fn step(ui: &Ui, zone: Tz, read: &Read, of: &DayStep) -> StepShown {
    let name = read.people.get(&of.by).unwrap_or(&of.by);
    let about = match &of.what {
        Stepped::Explained { matter, device, .. } => {
            let name = device.map_or_else(String::new, |device| read.sheet.name_of(device));
            matter_words(ui, *matter, &name)
        }
        Stepped::Signed { .. } | Stepped::Reopened { .. } => String::new(),
    };
    let reason = of.what.reason().and_then(|reason| read.reasons.get(&reason));
    StepShown {
        time: ui.time_in(of.at, zone),
        words: ui.t_with(&format!("oday-step-{}", of.what.code()), &[("name", name), ("about", &about)]),
        reason: reason.cloned().unwrap_or_default(),
    }
}

/// Why somebody cannot sign now; empty if they can.
fn not_yet(ui: &Ui, sheet: &Sheet, actor: &str) -> String {
    let is_so = (sheet.is_over, sheet.differences.as_slice(), sheet.seen);
    match may_sign(&sheet.standing, (actor, sheet.seen), is_so) {
        Ok(()) | Err(NotDone::Signed) => String::new(),
        Err(why) => ui.t(refusal(why)),
    }
}

/// A day in words, for a person.
pub(super) fn shown(ui: &Ui, zone: Tz, read: &Read, actor: &str) -> Shown {
    let sheet = &read.sheet;
    let (office, day) = (&sheet.cash.office, sheet.cash.day);
    let link = |day: Day| format!("/days/{}/{day}", office.office);
    let case = |case: &OpenCase| {
        let words = ui.t(&format!("kind-{:02}", case.kind));
        (format!("/cases/{}", case.case), words, ui.time_in(case.opened, zone))
    };
    let signer =
        |of: &Signature| (read.people.get(&of.by).unwrap_or(&of.by).clone(), ui.time_in(of.at, zone));
    let parts = sheet.parts.iter().zip(&sheet.cash.terminals);
    Shown {
        place: format!("{} {}", office.code, ui.pick(&office.name)),
        day: day.to_string(),
        zone: office.clock.zone.clone(),
        state: state_words(ui, sheet.state()),
        tone: tone(sheet.state()),
        before: link(day.plus(-1)),
        after: link(day.plus(1)),
        figures: figures(ui, &sheet.figures),
        signed_figures: signed_figures(ui, sheet),
        differences: sheet.differences.iter().map(|of| difference(ui, zone, read, of)).collect(),
        terminals: parts.map(|pair| terminal(ui, zone, day, pair)).collect(),
        sums: sums(ui, &sheet.cash, &read.desk),
        cases: sheet.cases.iter().map(case).collect(),
        adjustments: read.adjustments.iter().map(|of| later(ui, zone, sheet, of)).collect(),
        since: read.since.iter().map(|of| later(ui, zone, sheet, of)).collect(),
        signatures: signatures(&sheet.standing).map(signer).collect(),
        is_closed: sheet.standing.second.is_some(),
        seen: sheet.seen.to_string(),
        not_yet: not_yet(ui, sheet, actor),
        history: sheet.steps.iter().rev().map(|of| step(ui, zone, read, of)).collect(),
        printed: ui.t_of("printed-by", &[("name", ui.person.clone()), ("time", ui.time_in(ui.now, zone))]),
    }
}
