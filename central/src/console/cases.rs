//! 待处理: the conflict inbox. Left the cases by kind with their age, right both sides and what each verdict writes.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, CardSet};
use hufu_shared::ids::{CardId, FactId, Hash, MemberId};
use hufu_shared::member::CardStatus;
use serde::Deserialize;

use super::Console;
use super::compare::{self, Compared};
use super::failure::{Failure, go};
use super::members::{found_by, masked_name};
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::{self, Choice};
use crate::db::Tx;
use crate::random;
use crate::rules::world::CaseState;
use crate::store::cases::{self, Case, Side};
use crate::store::people::PeopleError;
use crate::store::{acts, people};

/// Members offered for an unknown card.
const CANDIDATES_MAX: usize = 10;

/// Filter of the inbox.
#[derive(Debug, Default, Deserialize)]
pub struct InboxQuery {
    kind: Option<u8>,
    ended: Option<u8>,
    done: Option<String>,
    last: Option<String>,
}

struct Group {
    label: String,
    count: usize,
    rows: Vec<Entry>,
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
struct Typed {
    reason: String,
    find: String,
    error: String,
    candidates: Vec<MemberId>,
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
type Chosen = (Case, String, Vec<Side>, u64, Vec<cases::Decision>);

/// Everything that the page reads.
struct Loaded {
    list: Vec<(Case, String)>,
    case: Option<Chosen>,
    occurrence: Option<(hufu_shared::scheme::Words, i64)>,
    device: Option<(String, String, String, hufu_shared::scheme::Words)>,
    candidates: Vec<Candidate>,
}

async fn load(
    console: &Console,
    ui: &Ui,
    ended: bool,
    id: Option<Hash>,
    candidates: Vec<MemberId>,
) -> Result<Loaded, Failure> {
    let (vault, ui) = (console.app.vault.clone(), ui.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Loaded, PeopleError> {
        let found = if ended { cases::ended(tx)? } else { cases::open(tx)? };
        let mut list = Vec::with_capacity(found.len());
        for case in found {
            let name = subject(tx, &vault, &case)?;
            list.push((case, name));
        }
        let chosen = match id {
            Some(id) => cases::one(tx, id)?,
            None => list.first().map(|(case, _)| case.clone()),
        };
        let (mut case, mut occurrence, mut device) = (None, None, None);
        if let Some(chosen) = chosen {
            let name = subject(tx, &vault, &chosen)?;
            let (sides, count) = cases::sides(tx, chosen.id)?;
            occurrence = chosen.known.occurrence.map(|id| cases::occurrence(tx, id)).transpose()?.flatten();
            device = chosen.known.device.map(|id| cases::device_place(tx, id)).transpose()?.flatten();
            let decisions = cases::decisions(tx, chosen.id, chosen.known.opened)?;
            case = Some((chosen, name, sides, count, decisions));
        }
        let mut offered = Vec::new();
        for member in &candidates {
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
        Ok(Loaded { list, case, occurrence, device, candidates: offered })
    };
    Ok(console.app.db.read(work).await?)
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

async fn render(
    console: &Console,
    ui: Ui,
    query: &InboxQuery,
    id: Option<Hash>,
    typed: Typed,
    status: StatusCode,
) -> Result<Response, Failure> {
    let ended = query.ended == Some(1);
    let mut loaded = load(console, &ui, ended, id, typed.candidates.clone()).await?;
    if id.is_some() && loaded.case.is_none() {
        return Err(Failure::NotFound);
    }
    if let Some(kind) = query.kind {
        loaded.list.retain(|(case, _)| case.known.kind == kind);
        // Without a chosen case the first of the filtered list is shown.
        if id.is_none() && loaded.case.as_ref().is_some_and(|case| case.0.known.kind != kind) {
            let first = loaded.list.first().map(|(case, _)| case.id);
            loaded.case = match first {
                Some(first) => load(console, &ui, ended, Some(first), Vec::new()).await?.case,
                None => None,
            };
        }
    }
    let filter = match (query.kind, ended) {
        (Some(kind), false) => format!("?kind={kind}"),
        (Some(kind), true) => format!("?kind={kind}&ended=1"),
        (None, true) => "?ended=1".to_owned(),
        (None, false) => String::new(),
    };
    let selected = loaded.case.as_ref().map(|case| case.0.id);
    let next = next_link(&loaded.list, selected, &filter);
    let groups = groups(&ui, &loaded.list, selected, &filter);
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

fn groups(ui: &Ui, list: &[(Case, String)], selected: Option<Hash>, filter: &str) -> Vec<Group> {
    let mut groups: Vec<(u8, Group)> = Vec::new();
    for (case, name) in list {
        let kind = case.known.kind;
        let entry = Entry {
            link: format!("/cases/{}{filter}", case.id),
            title: if name.is_empty() { ui.t("case-no-subject") } else { name.clone() },
            place: case.known.occurrence.map_or_else(String::new, |_| ui.t("case-at-activity")),
            age: ui.ago(case.known.changed),
            state: match case.known.state {
                CaseState::EvidenceChanged => ui.t("case-state-evidence_changed"),
                _ => String::new(),
            },
            selected: Some(case.id) == selected,
        };
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, group)) => group.rows.push(entry),
            None => groups
                .push((kind, Group { label: ui.t(&format!("kind-{kind:02}")), count: 0, rows: vec![entry] })),
        }
    }
    groups.into_iter().map(|(_, group)| Group { count: group.rows.len(), ..group }).collect()
}

fn detail(ui: &Ui, loaded: Loaded, typed: Typed, next: String) -> Option<Detail> {
    let (case, name, sides, count, decisions) = loaded.case?;
    let (known, kind) = (&case.known, case.known.kind);
    let is_open = matches!(known.state, CaseState::Open | CaseState::EvidenceChanged);
    let mut facts = Vec::new();
    if known.member.is_some() {
        facts.push((ui.t("case-member"), name.clone()));
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
    let verdicts = verdict::choices(kind, !is_open)
        .iter()
        .map(|choice| Verdict {
            code: choice.code(),
            key: choice.key(),
            label: ui.t(&format!("verdict-{}", choice.code())),
            writes: ui.t(&format!("writes-{}", choice.code())),
        })
        .collect();
    let countable = if kind == 27 { countable(ui, &sides) } else { Vec::new() };
    let shown = sides.len() as u64;
    Some(Detail {
        id: case.id.to_string(),
        title: ui.t(&format!("kind-{kind:02}")),
        what: ui.t(&format!("what-{kind:02}")),
        state: ui.t(&format!("case-state-{}", known.state.code())),
        tone: if is_open { "wait" } else { "ok" },
        is_open,
        facts,
        extra: compare::detail(ui, &case),
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
        needs_member: kind == 13 && is_open,
        find: typed.find,
        candidates: loaded.candidates,
        history: decisions.iter().map(|decision| history(ui, decision)).collect(),
        reason: typed.reason,
        error: typed.error,
        next,
    })
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
    let who = match &decision.actor {
        hufu_shared::act::Actor::Admin(id) => {
            ui.t_with("actor-admin", &[("id", &format!("…{}", &id.to_string()[30..]))])
        }
        _ => ui.t("actor-other"),
    };
    let verdict = ui.t(&format!("verdict-{}", crate::rules::apply::verdict_code(decision.decided.verdict)));
    format!("{} · {who} · {verdict}", ui.time(decision.at))
}

fn fact_text(id: FactId) -> String {
    format!("{}.{}.{}", id.device, id.epoch, id.seq)
}

/// Takes a verdict, or looks for a member.
pub async fn decide(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<InboxQuery>,
    posted: Posted,
) -> Result<Response, Failure> {
    let id: Hash = id.parse().map_err(|_| Failure::NotFound)?;
    let Posted { by, fields } = posted.settled()?;
    let ui = by.ui.clone().at("cases");
    let mut typed = Typed {
        reason: fields.get("reason").to_owned(),
        find: fields.get("find").to_owned(),
        ..Typed::default()
    };
    if fields.get("verdict") == "find" {
        typed.candidates = look_up(&console, &typed.find).await?;
        if typed.candidates.is_empty() {
            typed.error = ui.t("bind-nobody");
        }
        return render(&console, ui, &query, Some(id), typed, StatusCode::OK).await;
    }
    let again = |mut typed: Typed, key: &str| {
        typed.error = ui.t(key);
        render(&console, ui.clone(), &query, Some(id), typed, StatusCode::UNPROCESSABLE_ENTITY)
    };
    let case = console.app.db.read(move |tx| cases::one(tx, id)).await?.ok_or(Failure::NotFound)?;
    let is_open = matches!(case.known.state, CaseState::Open | CaseState::EvidenceChanged);
    let allowed = verdict::choices(case.known.kind, !is_open);
    let Some(choice) = Choice::from_code(fields.get("verdict")).filter(|choice| allowed.contains(choice))
    else {
        return again(typed, "verdict-none").await;
    };
    if typed.reason.is_empty() {
        return again(typed, "reason-missing").await;
    }
    let member: Option<MemberId> = fields.get("member").parse().ok();
    if choice == Choice::Bind && member.is_none() {
        typed.candidates = look_up(&console, &typed.find).await?;
        return again(typed, "bind-choose").await;
    }
    if let Err(key) = take(&console, &by, &case, choice, &fields, member).await? {
        return again(typed, key).await;
    }
    let list = console.app.db.read(cases::open).await?;
    let filtered = list.iter().find(|case| query.kind.is_none_or(|kind| case.known.kind == kind));
    let kind = query.kind.map_or_else(String::new, |kind| format!("&kind={kind}"));
    let last = if verdict::choices(case.known.kind, true).is_empty() {
        String::new()
    } else {
        format!("&last={}", case.id)
    };
    let done = format!("{}{last}", choice.code());
    Ok(go(&match filtered {
        Some(next) => format!("/cases/{}?done={done}{kind}", next.id),
        None => format!("/cases?done={done}"),
    }))
}

async fn look_up(console: &Console, text: &str) -> Result<Vec<MemberId>, Failure> {
    let (vault, text) = (console.app.vault.clone(), text.to_owned());
    Ok(console.app.db.read(move |tx| found_by(tx, &vault, &text, CANDIDATES_MAX)).await?)
}

/// Writes the verdict; a bound card and its verdict are one transaction.
async fn take(
    console: &Console,
    by: &SignedIn,
    case: &Case,
    choice: Choice,
    fields: &Fields,
    member: Option<MemberId>,
) -> Result<Result<(), &'static str>, Failure> {
    let id = case.id;
    let (sides, _) = console.app.db.read(move |tx| cases::sides(tx, id)).await?;
    let facts: Vec<FactId> = sides.iter().map(|side| side.id).collect();
    let chosen = facts.iter().find(|fact| fact_text(**fact) == fields.get("counts")).copied();
    if choice == Choice::Merge && chosen.is_none() {
        return Ok(Err("merge-choose"));
    }
    let note = verdict::note(console, fields.get("reason"))?;
    let decided = verdict::decision(id, choice, &facts, chosen, note.commitment);
    let (actor, staff, now) = (by.actor(), by.session.staff, console.app.now());
    let entries = (console.app.entry_id()?, console.app.entry_id()?);
    let fresh = CardId::new(now, random::bytes()?);
    let token = case.known.token.filter(|_| choice == Choice::Bind);
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        note.put(tx, Some(staff), now)?;
        if let (Some(token), Some(member)) = (token, member) {
            let card = people::card_by_token(tx, token)?.unwrap_or_else(|| CardSet {
                card: fresh,
                tokens: vec![token],
                member: None,
                kind: "普通卡".to_owned(),
                status: CardStatus::Active,
                tail: String::new(),
                valid_from: None,
                valid_until: None,
            });
            let act = Act::CardsSet(vec![CardSet { member: Some(member), ..card }]);
            acts::take(tx, entries.0, now, &actor, &act)?;
        }
        acts::take(tx, entries.1, now, &actor, &Act::CaseDecided(decided.clone()))?;
        Ok(())
    };
    console.app.write(work).await?;
    Ok(Ok(()))
}
