//! Several cases of one cause at once, in two steps: a preview that says what each will write and which cannot, then one
//! reason, then a line for each with what became of it. A case that changed between the two is told and left as it is.
//!
//! Each case is decided in a transaction of its own by the verdict's own path, so one that cannot be does not hold up the
//! others. Handing over and putting off go the same way with nothing to preview.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, CasesHanded, CasesPutOff};
use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::rules::calendar::day_start;
use hufu_shared::time::{Instant, MINUTE_US, OfficeClock};

use super::Console;
use super::cases::subject;
use super::decide;
use super::failure::{Failure, go};
use super::foresight::{Foretold, Teller};
use super::inbox::{InboxQuery, Which, first};
use super::signed::{Fields, Posted, SignedIn};
use super::ui::Ui;
use super::verdict::{self, Choice, Picked};
use crate::db::Tx;
use crate::rules::world::CaseState;
use crate::store::cases::{self, Case};
use crate::store::people::PeopleError;
use crate::store::{acts, journal, staff};

/// Cases of one batch at most: as many as a list of one cause shows.
const BATCH_MAX: usize = 200;
/// What the box of a case is called in forms, before its id.
const BOX: &str = "c-";
/// Hours after which a case that was put off comes back, as the page offers them; zero is the next morning.
const PUT_OFF_HOURS: [i64; 4] = [0, 1, 4, 72];
/// The hour of the next morning, by the office's clock.
const MORNING_HOUR: i64 = 9;

/// Verdicts that need nothing chosen beside them.
const OF_SEVERAL: [Choice; 5] =
    [Choice::Confirm, Choice::Reverse, Choice::Discard, Choice::Acknowledge, Choice::Release];

/// The verdicts that can be given to several cases of a kind at once.
fn choices(kind: u8) -> impl Iterator<Item = Choice> {
    verdict::choices(kind, false).iter().copied().filter(|choice| OF_SEVERAL.contains(choice))
}

/// What can be said of several cases of a kind at once: code and label.
pub(super) fn steps(ui: &Ui, kind: u8) -> Vec<(&'static str, String)> {
    let verdicts = choices(kind).map(|choice| (choice.code(), ui.t(&format!("verdict-{}", choice.code()))));
    verdicts.chain([("hand", ui.t("inbox-hand")), ("later", ui.t("verdict-later"))]).collect()
}

/// What is to be done with the cases that were ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Verdict(Choice),
    Hand,
    Later,
}

impl Step {
    fn of(kind: u8, code: &str) -> Option<Self> {
        match code {
            "hand" => Some(Self::Hand),
            "later" => Some(Self::Later),
            code => choices(kind).find(|choice| choice.code() == code).map(Self::Verdict),
        }
    }
}

/// One case of the preview, or of the result.
struct Line {
    id: String,
    seen: String,
    title: String,
    age: String,
    writes: Vec<String>,
    /// Why it cannot be, or was not; empty if it can be, or was done.
    refused: String,
}

#[derive(Template)]
#[template(path = "cases_batch.html")]
struct BatchPage {
    ui: Ui,
    kind: u8,
    title: String,
    step: &'static str,
    label: String,
    /// Whether the lines are what became of it.
    is_done: bool,
    lines: Vec<Line>,
    /// How many can be, or were done.
    able: String,
    needs_reason: bool,
    error: String,
    /// Whom they can be handed to, and until when they can be put off.
    people: Vec<(String, String)>,
    times: Vec<(String, String)>,
    back: String,
    /// The filter of the list to come back to.
    filter: String,
    mine: &'static str,
}

/// A form that names cases, judged.
#[derive(Clone)]
struct Asked {
    kind: u8,
    step: Step,
    /// Cases with the version that the person saw; all of the kind if they were not ticked one by one.
    ticked: Vec<(Hash, String)>,
    is_all: bool,
    query: InboxQuery,
}

fn asked(fields: &Fields) -> Result<Asked, Failure> {
    let kind: u8 = fields.get("kind").parse().map_err(|_| Failure::NotFound)?;
    let step = Step::of(kind, fields.get("verdict")).ok_or(Failure::NotFound)?;
    let ticked = fields.all().filter_map(|(name, seen)| {
        let id: Hash = name.strip_prefix(BOX)?.parse().ok()?;
        Some((id, seen.to_owned()))
    });
    let mut ticked: Vec<_> = ticked.collect();
    ticked.sort();
    ticked.truncate(BATCH_MAX);
    let query = InboxQuery::of(fields.get("filter"), fields.get("mine"));
    Ok(Asked { kind, step, ticked, is_all: fields.get("all") == "1", query })
}

/// The cases that a form names, in the order of the list, each with the version that the person saw; one that is none of the
/// kind, or does not wait, is left out.
fn named(tx: &mut Tx<'_>, asked: &Asked, me: OperatorId) -> Result<Vec<(Case, String)>, PeopleError> {
    let mut found = Vec::new();
    if asked.is_all {
        let listed = match asked.query.which(me) {
            Which::Mine(me) => crate::store::inbox::mine(tx, me, Some(asked.kind))?,
            _ => cases::open(tx, Some(asked.kind))?,
        };
        found.extend(listed.cases.into_iter().take(BATCH_MAX).map(|case| {
            let seen = case.entry.to_string();
            (case, seen)
        }));
        return Ok(found);
    }
    for (id, seen) in &asked.ticked {
        found.extend(
            cases::one(tx, *id)?
                .filter(|case| case.known.kind == asked.kind)
                .map(|case| (case, seen.clone())),
        );
    }
    found.sort_by_key(|(case, _)| (case.known.opened, case.id));
    Ok(found)
}

/// Shows what a step would do with the cases that were ticked, or does it with the reason that was typed.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let Posted { by, fields } = posted.settled()?;
    let asked = asked(&fields)?;
    let is_sent = fields.get("go") == "1";
    match asked.step {
        Step::Verdict(_) if is_sent && fields.get("reason").is_empty() => {
            let error = by.ui.t("reason-missing");
            preview(&console, &by, &asked, error, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Step::Verdict(choice) if is_sent => {
            decide_all(&console, &by, &asked, choice, fields.get("reason")).await
        }
        Step::Hand | Step::Later if is_sent => care(&console, &by, &asked, &fields).await,
        _ => preview(&console, &by, &asked, String::new(), StatusCode::OK).await,
    }
}

/// What a page of a batch shows beside what was asked.
struct Shown {
    lines: Vec<Line>,
    people: Vec<(String, String)>,
    error: String,
    is_done: bool,
}

fn page(by: &SignedIn, asked: &Asked, shown: Shown, status: StatusCode) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("cases");
    let (step, label) = match asked.step {
        Step::Verdict(choice) => (choice.code(), ui.t(&format!("verdict-{}", choice.code()))),
        Step::Hand => ("hand", ui.t("inbox-hand")),
        Step::Later => ("later", ui.t("verdict-later")),
    };
    let able = shown.lines.iter().filter(|line| line.refused.is_empty()).count().to_string();
    let of = [("n", able), ("all", shown.lines.len().to_string())];
    let able = ui.t_of(if shown.is_done { "inbox-done-of" } else { "inbox-able-of" }, &of);
    let page = BatchPage {
        kind: asked.kind,
        title: ui.t(&format!("kind-{:02}", asked.kind)),
        step,
        label,
        is_done: shown.is_done,
        lines: shown.lines,
        able,
        needs_reason: matches!(asked.step, Step::Verdict(_)),
        error: shown.error,
        people: shown.people,
        times: put_off_times(&ui),
        back: format!("/cases{}", asked.query.text()),
        filter: asked.query.kind.map(|kind| kind.to_string()).unwrap_or_default(),
        mine: if asked.query.is_mine() { "1" } else { "" },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// The first step: what each would write, and which cannot.
async fn preview(
    console: &Console,
    by: &SignedIn,
    asked: &Asked,
    error: String,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (vault, ui, actor, me) = (console.app.vault.clone(), by.ui.clone(), by.actor(), by.session.staff);
    let (now, of) = (console.app.now(), asked.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let teller = Teller { vault: &vault, ui: &ui, actor: &actor, now };
        let mut lines = Vec::new();
        for (case, seen) in named(tx, &of, me)? {
            lines.push(line(tx, &teller, (&case, seen), of.step)?);
        }
        Ok((lines, people(tx, &ui)?))
    };
    let (lines, people) = console.app.db.read(load).await?;
    page(by, asked, Shown { lines, people, error, is_done: false }, status)
}

/// People whom a case can be handed to, each as a form has them and as they are called; last nobody in particular.
pub(super) fn people(tx: &mut Tx<'_>, ui: &Ui) -> Result<Vec<(String, String)>, PeopleError> {
    let accounts = staff::accounts(tx)?.into_iter().filter(|(account, ..)| account.role.is_of_centre());
    let named = accounts.map(|(account, _, name)| (account.id.to_string(), name));
    Ok(named.chain([(String::new(), ui.t("inbox-nobody"))]).collect())
}

/// One case of the preview: what the step would write, or why it cannot be taken.
fn line(
    tx: &mut Tx<'_>,
    teller: &Teller<'_>,
    (case, seen): (&Case, String),
    step: Step,
) -> Result<Line, PeopleError> {
    let ui = teller.ui;
    let waits = matches!(case.known.state, CaseState::Open | CaseState::EvidenceChanged);
    let is_stale = case.entry.to_string() != seen;
    let mut line = Line {
        id: case.id.to_string(),
        seen,
        title: subject(tx, teller.vault, case)?,
        age: ui.ago(case.known.opened),
        writes: Vec::new(),
        refused: String::new(),
    };
    if is_stale || !waits {
        line.refused = ui.t(decide::CHANGED);
        return Ok(line);
    }
    if let Step::Verdict(choice) = step {
        let facts = cases::facts(tx, case.id)?;
        let foretold = teller.foretell(tx, (case, &facts), (choice, Picked::default()))?;
        let words = teller.words(tx, &foretold)?;
        match foretold {
            Foretold::Refused(_) => line.refused = words.join(" "),
            _ => line.writes = words,
        }
    }
    Ok(line)
}

/// The second step: each is decided by itself, and told what became of it.
async fn decide_all(
    console: &Console,
    by: &SignedIn,
    asked: &Asked,
    choice: Choice,
    reason: &str,
) -> Result<Response, Failure> {
    let (of, me) = (Asked { is_all: false, ..asked.clone() }, by.session.staff);
    let found = console.app.db.read(move |tx| named(tx, &of, me)).await?;
    let mut lines = Vec::new();
    for (case, seen) in found {
        let mut fields = Fields::default();
        fields.set("reason", reason.to_owned());
        fields.set("seen", seen.clone());
        let done = decide::take(console, by, &case, choice, (&fields, &Default::default(), None)).await?;
        let (vault, shown) = (console.app.vault.clone(), case.clone());
        let title = console.app.db.read(move |tx| subject(tx, &vault, &shown)).await?;
        lines.push(Line {
            id: case.id.to_string(),
            seen,
            title,
            age: by.ui.ago(case.known.opened),
            writes: Vec::new(),
            refused: done.err().map(|key| by.ui.t(key)).unwrap_or_default(),
        });
    }
    let shown = Shown { lines, people: Vec::new(), error: String::new(), is_done: true };
    page(by, asked, shown, StatusCode::OK)
}

/// Hands cases over, or puts them off, all by one act; then on to the next.
async fn care(console: &Console, by: &SignedIn, asked: &Asked, fields: &Fields) -> Result<Response, Failure> {
    let (of, me, now) = (asked.clone(), by.session.staff, console.app.now());
    let to: Option<OperatorId> = match fields.get("to") {
        "" => None,
        to => Some(to.parse().map_err(|_| Failure::NotFound)?),
    };
    let hours: i64 = fields.get("hours").parse().unwrap_or(0);
    let until = put_off_until(now, by.ui.zone.name(), hours);
    let (actor, entry) = (by.actor(), console.app.entry_id()?);
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let waits = |case: &Case| matches!(case.known.state, CaseState::Open | CaseState::EvidenceChanged);
        let named = named(tx, &of, me)?.into_iter();
        let cases: Vec<Hash> = named.filter(|(case, _)| waits(case)).map(|(case, _)| case.id).collect();
        let account = to.map(|to| staff::account(tx, to)).transpose()?.flatten();
        if to.is_some() && !account.is_some_and(|account| account.role.is_of_centre()) {
            return Ok(Err("inbox-may-not"));
        }
        if cases.is_empty() {
            return Ok(Err("inbox-none-ticked"));
        }
        let act = match of.step {
            Step::Hand => Act::CasesHanded(CasesHanded { cases, to }),
            _ => Act::CasesPutOff(CasesPutOff { cases, until: Some(until) }),
        };
        acts::take(tx, entry, now, &actor, &act)?;
        Ok(Ok(()))
    };
    if let Err(key) = console.app.write(work).await? {
        return preview(console, by, asked, by.ui.t(key), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let which = (asked.query.kind, asked.query.which(me));
    let only = asked.ticked.first().filter(|_| asked.ticked.len() == 1).map(|row| row.0);
    let next = console.app.db.read(move |tx| first(tx, which, only, now)).await?;
    let done = if asked.step == Step::Hand { "hand" } else { "later" };
    Ok(go(&decide::onward(next, done, "", &asked.query)))
}

/// Until when a case comes back that was put off for so many hours; for none, until the next morning of the office.
fn put_off_until(now: Instant, zone: &str, hours: i64) -> Instant {
    if PUT_OFF_HOURS.contains(&hours) && hours > 0 {
        return now.offset(hours * 60 * MINUTE_US);
    }
    let clock = OfficeClock { zone: zone.to_owned(), cutoff_minutes: 0 };
    day_start(zone, clock.business_day(now).plus(1), 0).offset(MORNING_HOUR * 60 * MINUTE_US)
}

/// Until when a case can be put off: hours as a form has them, and the time.
pub(super) fn put_off_times(ui: &Ui) -> Vec<(String, String)> {
    let time = |hours: i64| {
        let until = put_off_until(ui.now, ui.zone.name(), hours);
        (hours.to_string(), ui.time(until))
    };
    PUT_OFF_HOURS.map(time).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_put_off_by_hours_or_until_the_next_morning() {
        let zone = "Asia/Shanghai";
        // 2026-11-22 18:00 in Shanghai.
        let now = Instant(1_795_341_600_000_000);
        assert_eq!(put_off_until(now, zone, 4), now.offset(4 * 3_600_000_000));
        assert_eq!(put_off_until(now, zone, 0), now.offset(15 * 3_600_000_000), "09:00");
        for wrong in [-1, 2, i64::MAX] {
            assert_eq!(
                put_off_until(now, zone, wrong),
                put_off_until(now, zone, 0),
                "{wrong} is not offered"
            );
        }
    }

    #[test]
    fn only_verdicts_that_need_nothing_chosen_are_given_to_several() {
        let codes = |kind| choices(kind).map(Choice::code).collect::<Vec<_>>();
        assert_eq!(codes(27), ["confirm", "reverse"]);
        assert_eq!(codes(13), ["discard"]);
        assert_eq!(codes(26), ["acknowledge", "release"]);
        assert_eq!(codes(30), ["acknowledge"]);
        assert!(codes(29).is_empty(), "an application is looked at by itself");
        assert_eq!(Step::of(13, "reverse"), None);
        assert_eq!(Step::of(29, "hand"), Some(Step::Hand));
    }
}
