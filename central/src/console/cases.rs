//! 待处理: the conflict inbox. Left the cases by kind with their age, right both sides and what each verdict writes.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::{FactId, Hash, MemberId};
use serde::Deserialize;

use super::Console;
use super::compare::{self, Compared};
use super::failure::Failure;
use super::forms::{self, Alike, KIND_LOOK_ALIKE, KIND_PROFILE, field_words};
use super::members::masked_name;
use super::owed::{self, KIND_OWED};
use super::place::{CONTACT, Chosen};
use super::signed::SignedIn;
use super::taken_back::{KIND_REVERSAL, taken_back};
use super::ui::{Ui, number};
use super::verdict::{self, Choice};
use crate::db::Tx;
use crate::rules::apply::OwnerCase;
use crate::rules::world::{CaseState, KnownCase};
use crate::store::cases::{self, Case, KindCount, Side};
use crate::store::people::{self, PeopleError};

/// Filter of the inbox.
#[derive(Debug, Default, Deserialize)]
pub struct InboxQuery {
    pub(super) kind: Option<u8>,
    ended: Option<u8>,
    done: Option<String>,
    last: Option<String>,
}

struct Group {
    label: String,
    count: u64,
    rows: Vec<Entry>,
    /// How many more there are, and where they are listed; empty if none, or if they are not listed anywhere yet.
    more: String,
    more_link: String,
}

struct Entry {
    link: String,
    title: String,
    place: String,
    age: String,
    state: String,
    selected: bool,
}

struct Verdict {
    code: &'static str,
    key: &'static str,
    label: String,
    writes: String,
}

struct Candidate {
    id: String,
    name: String,
    number: String,
    office: String,
}

struct Detail {
    id: String,
    /// The version of the case that is shown: a verdict goes with it.
    seen: String,
    title: String,
    what: String,
    state: String,
    tone: &'static str,
    is_open: bool,
    facts: Vec<(String, String)>,
    sides: Option<Compared>,
    extra: Option<Compared>,
    more: String,
    verdicts: Vec<Verdict>,
    countable: Vec<(String, String)>,
    alike: Option<Alike>,
    alike_member: String,
    /// Final contact data: code, label and what was typed.
    contact: Vec<(&'static str, String, String)>,
    needs_member: bool,
    find: String,
    candidates: Vec<Candidate>,
    day_link: String,
    history: Vec<String>,
    reason: String,
    error: String,
    next: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    ui: Ui,
    groups: Vec<Group>,
    ended: bool,
    filter: String,
    done: String,
    again: String,
    detail: Option<Detail>,
}

/// What a person has typed so far.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) reason: String,
    pub(super) find: String,
    pub(super) error: String,
    pub(super) candidates: Vec<MemberId>,
    pub(super) chosen: Chosen,
}

/// The inbox; on a wide screen with the first case beside it.
pub async fn inbox(
    State(console): State<Console>,
    Query(query): Query<InboxQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    render(&console, by.ui.at("cases"), &query, None, Typed::default(), StatusCode::OK).await
}

/// One case.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<InboxQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let id: Hash = id.parse().map_err(|_| Failure::NotFound)?;
    render(&console, by.ui.at("cases"), &query, Some(id), Typed::default(), StatusCode::OK).await
}

/// The case shown: whom it is about, its facts, how many it has, what was decided.
type Shown = (Case, String, Vec<Side>, u64, Vec<cases::Decision>);

/// Everything that the page reads.
struct Loaded {
    list: Vec<(Case, String)>,
    counts: Vec<KindCount>,
    case: Option<Shown>,
    occurrence: Option<(hufu_shared::scheme::Words, i64)>,
    device: Option<(String, String, String, hufu_shared::scheme::Words)>,
    candidates: Vec<Candidate>,
    alike: Option<Alike>,
    requests: Option<Compared>,
}

async fn load(
    console: &Console,
    ui: &Ui,
    (kind, ended): (Option<u8>, bool),
    id: Option<Hash>,
    candidates: Vec<MemberId>,
) -> Result<Loaded, Failure> {
    let (vault, ui, keys) = (console.app.vault.clone(), ui.clone(), console.app.keys.clone());
    let now = console.app.now();
    let work = move |tx: &mut Tx<'_>| -> Result<Loaded, PeopleError> {
        let opens = (&vault, keys.open_key());
        let found = if ended { cases::ended(tx, kind)? } else { cases::open(tx, kind)? };
        let mut list = Vec::with_capacity(found.cases.len());
        for case in found.cases {
            let name = subject(tx, &vault, &case)?;
            list.push((case, name));
        }
        let chosen = match id {
            Some(id) => cases::one(tx, id)?,
            None => list.first().map(|(case, _)| case.clone()),
        };
        let (mut case, mut occurrence, mut device) = (None, None, None);
        let (mut alike, mut requests, mut owners) = (None, None, Vec::new());
        if let Some(chosen) = chosen {
            let name = subject(tx, &vault, &chosen)?;
            let (sides, count) = cases::sides(tx, chosen.id)?;
            occurrence = chosen.known.occurrence.map(|id| cases::occurrence(tx, id)).transpose()?.flatten();
            device = chosen.known.device.map(|id| cases::device_place(tx, id)).transpose()?.flatten();
            let decisions = cases::decisions(tx, chosen.id, chosen.known.opened)?;
            match chosen.known.kind {
                KIND_LOOK_ALIKE => alike = forms::alike(tx, opens, &ui, &chosen)?,
                KIND_PROFILE => requests = Some(forms::requests(tx, opens, &ui, (&chosen, &sides))?),
                KIND_REVERSAL => requests = taken_back(tx, &ui, (&chosen, &sides))?,
                KIND_OWED => requests = owed::settling(tx, &ui, &chosen, now)?,
                KIND_OWNER => owners = owners_of(&chosen),
                _ => {}
            }
            case = Some((chosen, name, sides, count, decisions));
        }
        let mut offered = Vec::new();
        owners.retain(|owner| !candidates.contains(owner));
        for member in owners.iter().chain(&candidates) {
            if let Some(row) = people::member(tx, *member)? {
                let offices = people::offices(tx)?;
                let office = offices.iter().find(|office| Some(office.office) == row.office);
                offered.push(Candidate {
                    id: member.to_string(),
                    name: masked_name(tx, &vault, Some(*member))?,
                    number: row.number,
                    office: office.map_or_else(String::new, |office| ui.pick(&office.name)),
                });
            }
        }
        let candidates = offered;
        Ok(Loaded { list, counts: found.counts, case, occurrence, device, candidates, alike, requests })
    };
    Ok(console.app.db.read(work).await?)
}

/// Number of the kind "card re-assigned meanwhile".
const KIND_OWNER: u8 = 14;

/// The owners then and now of a card that changed hands.
fn owners_of(case: &Case) -> Vec<MemberId> {
    let owners = hufu_shared::cbor::decode::<OwnerCase>(&case.known.detail).ok();
    owners.into_iter().flat_map(|owners| [owners.then, owners.now]).flatten().collect()
}

/// Whom or what a case is about, in a few words.
fn subject(tx: &mut Tx<'_>, vault: &crate::vault::Vault, case: &Case) -> Result<String, PeopleError> {
    if case.known.member.is_some() {
        return masked_name(tx, vault, case.known.member);
    }
    if let Some(device) = case.known.device {
        return Ok(cases::device_place(tx, device)?.map_or_else(String::new, |place| place.0));
    }
    Ok(case.known.token.map_or_else(String::new, |token| format!("{token:?}").replace("token:", "#")))
}

pub(super) async fn render(
    console: &Console,
    ui: Ui,
    query: &InboxQuery,
    id: Option<Hash>,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, Failure> {
    let ended = query.ended == Some(1);
    let loaded = load(console, &ui, (query.kind, ended), id, typed.candidates.clone()).await?;
    if id.is_some() && loaded.case.is_none() {
        return Err(Failure::NotFound);
    }
    let filter = match (query.kind, ended) {
        (Some(kind), false) => format!("?kind={kind}"),
        (Some(kind), true) => format!("?kind={kind}&ended=1"),
        (None, true) => "?ended=1".to_owned(),
        (None, false) => String::new(),
    };
    let selected = loaded.case.as_ref().map(|case| case.0.id);
    let next = next_link(&loaded.list, selected, &filter);
    let groups = groups(&ui, &loaded, selected, (query.kind, &filter));
    let detail = loaded.case.is_some().then(|| detail(&ui, loaded, typed, next)).flatten();
    let done = query.done.as_deref().and_then(Choice::from_code);
    let done = done.map_or_else(String::new, |choice| ui.t(&format!("done-{}", choice.code())));
    // Only a verdict that can be replaced leads back to its case.
    let last = query.last.as_deref().and_then(|id| id.parse::<Hash>().ok());
    let again = last.map_or_else(String::new, |id| format!("/cases/{id}"));
    let page = CasesPage { groups, ended, filter, done, again, detail, ui };
    Ok((status, Html(page.render()?)).into_response())
}

fn next_link(list: &[(Case, String)], selected: Option<Hash>, filter: &str) -> String {
    let at = list.iter().position(|(case, _)| Some(case.id) == selected);
    let after = at.map_or(0, |at| at + 1);
    let next = list.get(after).or_else(|| list.first().filter(|(case, _)| Some(case.id) != selected));
    next.map_or_else(String::new, |(case, _)| format!("/cases/{}{filter}", case.id))
}

fn groups(
    ui: &Ui,
    loaded: &Loaded,
    selected: Option<Hash>,
    (asked, filter): (Option<u8>, &str),
) -> Vec<Group> {
    let group = |known: &KindCount| {
        let kind = known.kind;
        let listed = loaded.list.iter().filter(|(case, _)| case.known.kind == kind);
        let rows: Vec<_> =
            listed.map(|(case, name)| entry(ui, case, name, Some(case.id) == selected, filter)).collect();
        let more = known.count.saturating_sub(rows.len() as u64);
        let joint = if filter.is_empty() { "?" } else { "&" };
        Group {
            label: ui.t(&format!("kind-{kind:02}")),
            count: known.count,
            rows,
            more: if more > 0 { ui.t_with("cases-more", &[("n", &more.to_string())]) } else { String::new() },
            more_link: if asked.is_none() {
                format!("/cases{filter}{joint}kind={kind}")
            } else {
                String::new()
            },
        }
    };
    loaded.counts.iter().map(group).collect()
}

fn entry(ui: &Ui, case: &Case, name: &str, selected: bool, filter: &str) -> Entry {
    Entry {
        link: format!("/cases/{}{filter}", case.id),
        title: if name.is_empty() { ui.t("case-no-subject") } else { name.to_owned() },
        place: case.known.occurrence.map_or_else(String::new, |_| ui.t("case-at-activity")),
        age: ui.ago(case.known.changed),
        state: match case.known.state {
            CaseState::EvidenceChanged => ui.t("case-state-evidence_changed"),
            _ => String::new(),
        },
        selected,
    }
}

fn detail(ui: &Ui, mut loaded: Loaded, typed: Typed, next: String) -> Option<Detail> {
    let (case, name, sides, count, decisions) = loaded.case.take()?;
    let (known, kind) = (&case.known, case.known.kind);
    let is_open = matches!(known.state, CaseState::Open | CaseState::EvidenceChanged);
    let mut facts = known_facts(ui, &loaded, known, &name, is_open);
    let verdicts = verdict::choices(kind, !is_open)
        .iter()
        .map(|choice| Verdict {
            code: choice.code(),
            key: choice.key(),
            label: ui.t(&format!("verdict-{}", choice.code())),
            writes: ui.t(&format!("writes-{}", verdict::writes(kind, *choice))),
        })
        .collect();
    facts.extend(loaded.alike.iter().flat_map(|alike| alike.written.iter().cloned()));
    let countable =
        if matches!(kind, 4 | KIND_PROFILE | 27 | 32) { countable(ui, &sides) } else { Vec::new() };
    let label = |field: &'static str| (field, field_words(ui, field));
    let contact = CONTACT.map(label).into_iter().zip(typed.chosen.contact);
    let shown = sides.len() as u64;
    Some(Detail {
        id: case.id.to_string(),
        seen: case.entry.to_string(),
        title: ui.t(&format!("kind-{kind:02}")),
        what: ui.t(&format!("what-{kind:02}")),
        state: ui.t(&format!("case-state-{}", known.state.code())),
        tone: if is_open { "wait" } else { "ok" },
        is_open,
        facts,
        extra: loaded.requests.or_else(|| compare::detail(ui, &case)),
        alike: loaded.alike.filter(|_| is_open),
        alike_member: typed.chosen.member.map(|member| member.to_string()).unwrap_or_default(),
        contact: contact.map(|((field, label), value)| (field, label, value)).collect(),
        more: if count > shown {
            ui.t_with("case-more", &[("shown", &shown.to_string()), ("n", &count.to_string())])
        } else {
            String::new()
        },
        day_link: day_link(&sides, kind),
        // Side by side only where there are sides: a day's closing is told by its totals.
        sides: (!sides.is_empty() && kind != 30).then(|| compare::sides(ui, &sides)),
        verdicts,
        countable,
        needs_member: kind == KIND_OWNER || (kind == 13 && is_open),
        find: typed.find,
        candidates: loaded.candidates,
        history: decisions.iter().map(|decision| history(ui, decision)).collect(),
        reason: typed.reason,
        error: typed.error,
        next,
    })
}

/// What is known of a case, a line each.
fn known_facts(
    ui: &Ui,
    loaded: &Loaded,
    known: &KnownCase,
    name: &str,
    is_open: bool,
) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    if known.member.is_some() {
        facts.push((ui.t("case-member"), name.to_owned()));
    }
    if let Some((words, points)) = &loaded.occurrence {
        facts.push((
            ui.t("case-occurrence"),
            ui.t_with("case-occurrence-points", &[("name", &ui.pick(words)), ("points", &number(*points))]),
        ));
    }
    if let Some((device, _, code, office)) = &loaded.device {
        facts.push((ui.t("case-device"), format!("{device} · {code} {}", ui.pick(office))));
    }
    let waited = [("time", ui.time(known.opened)), ("ago", ui.ago(known.opened))];
    let waited = waited.each_ref().map(|(name, value)| (*name, value.as_str()));
    facts.push((ui.t("case-opened"), ui.t_with("case-waited", &waited)));
    facts.push((ui.t("case-automatic"), ui.t(&format!("automatic-{}", known.automatic))));
    if let Some(deadline) = known.deadline.filter(|_| is_open) {
        facts.push((ui.t("case-deadline"), ui.time(deadline)));
    }
    facts
}

/// Check-ins that could be made the one that counts.
fn countable(ui: &Ui, sides: &[Side]) -> Vec<(String, String)> {
    let others = sides
        .iter()
        .enumerate()
        .filter(|(_, side)| side.became != "applied_with_case" && side.became != "applied");
    others
        .map(|(at, side)| {
            let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
            let zone = side.office.clock.tz().unwrap_or(ui.zone);
            let time = ui.seconds_in(side.at, zone);
            let words = ui.t_with(
                "side-choose",
                &[("letter", &letter.to_string()), ("device", &side.device_name), ("time", &time)],
            );
            (fact_text(side.id), words)
        })
        .collect()
}

fn day_link(sides: &[Side], kind: u8) -> String {
    let closed = sides.first().filter(|_| kind == 30).and_then(|side| {
        let hufu_shared::fact::Event::DayClosed(closed) = &side.fact.as_ref()?.event else { return None };
        Some((side.id.device, closed.day))
    });
    closed.map_or_else(String::new, |(device, day)| format!("/days?device={device}&day={day}"))
}

fn history(ui: &Ui, decision: &cases::Decision) -> String {
    let who = match decision.actor.staff() {
        Some(id) => ui.t_with("actor-admin", &[("id", &format!("…{}", &id.to_string()[30..]))]),
        None => ui.t("actor-other"),
    };
    let verdict = ui.t(&format!("verdict-{}", crate::rules::apply::verdict_code(decision.decided.verdict)));
    format!("{} · {who} · {verdict}", ui.time(decision.at))
}

pub(super) fn fact_text(id: FactId) -> String {
    format!("{}.{}.{}", id.device, id.epoch, id.seq)
}
