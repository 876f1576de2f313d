//! 会员: finding members, and one member with cards and points. Everything personal is masked.
//!
//! A search goes by POST: names and numbers never stand in an address or its logs.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, CardStatusSet};
use hufu_shared::dictionary::{CARD_KIND, Term};
use hufu_shared::ids::{CardId, MemberId};
use hufu_shared::member::{CardStatus, OfficeRow};
use hufu_shared::money::{Leg, Unit};
use hufu_shared::token::{CardText, TokenKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::{Failure, go};
use super::leases;
use super::levels;
use super::overview::{standing_tone, standing_words};
use super::pages::is_full;
use super::problem::Refused;
use super::rankings;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, change, number};
use super::verdict::note;
use super::{birthdays, coupons};
use crate::db::Tx;
use crate::import::cards::identity;
use crate::store::brought::{self, PastView};
use crate::store::members::{self, After};
use crate::store::people::{self, CardView, Life, PeopleError};
use crate::store::{acts, devices, joining, leases as lease_rows, money, rows};
use crate::vault::{Vault, mask};

/// Members on one page of the list.
const PAGE_ROWS: i64 = 50;
/// Members that a search shows.
const FOUND_MAX: usize = 50;
/// Lines of a member's history.
const HISTORY_MAX: u32 = 50;

/// A member's name, masked; a dash for nobody, or for one whose data was erased.
pub fn masked_name(tx: &mut Tx<'_>, vault: &Vault, member: Option<MemberId>) -> Result<String, PeopleError> {
    let Some(member) = member else { return Ok("—".to_owned()) };
    Ok(vault.reveal(tx, member)?.map_or_else(|| "—".to_owned(), |personal| mask::name(&personal.name)))
}

/// Members that a text may mean: their number, or what the vault finds by it.
pub fn found_by(
    tx: &mut Tx<'_>,
    vault: &Vault,
    text: &str,
    limit: usize,
) -> Result<Vec<MemberId>, PeopleError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<MemberId> = people::member_by_number(tx, text)?.into_iter().collect();
    for member in vault.search(tx, text, limit)? {
        if !found.contains(&member) {
            found.push(member);
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// A member as lists show one, masked.
pub(super) struct Row {
    pub(super) id: MemberId,
    link: String,
    pub(super) number: String,
    name: String,
    mobile: String,
    level: String,
    office: String,
    /// Where the member stands, for programs.
    code: &'static str,
    status: String,
    tone: &'static str,
}

impl Row {
    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "member": self.id, "number": self.number, "name": self.name, "mobile": self.mobile, "level": self.level,
            "office": self.office, "status": self.code,
        })
    }
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    ui: Ui,
    rows: Vec<Row>,
    total: String,
    find: String,
    searched: bool,
    next: String,
}

/// Where the list begins.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    after: Option<String>,
}

/// Members as lists show them; who is not there is left out.
pub(super) fn rows_of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    members: impl IntoIterator<Item = MemberId>,
) -> Result<Vec<Row>, PeopleError> {
    let offices = people::offices(tx)?;
    let mut rows = Vec::new();
    for member in members {
        rows.extend(row(tx, vault, (ui, &offices), member)?);
    }
    Ok(rows)
}

fn row(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (ui, offices): (&Ui, &[OfficeRow]),
    member: MemberId,
) -> Result<Option<Row>, PeopleError> {
    let Some(row) = people::member(tx, member)? else { return Ok(None) };
    let personal = vault.reveal(tx, member)?;
    let office = offices.iter().find(|office| Some(office.office) == row.office);
    let status = rows::member_status_code(row.status);
    Ok(Some(Row {
        id: member,
        link: format!("/members/{member}"),
        name: personal.as_ref().map_or_else(|| "—".to_owned(), |personal| mask::name(&personal.name)),
        mobile: personal
            .and_then(|personal| personal.mobile)
            .map_or_else(|| "—".to_owned(), |mobile| mask::mobile(&mobile)),
        level: row.level.as_ref().map_or_else(|| "—".to_owned(), |level| ui.pick(level)),
        office: office.map_or_else(|| "—".to_owned(), |office| ui.pick(&office.name)),
        number: row.number,
        code: status,
        status: ui.t(&format!("member-{status}")),
        tone: if status == "active" { "ok" } else { "plain" },
    }))
}

/// The list by number.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("members");
    let (vault, own, after) = (console.app.vault.clone(), ui.clone(), query.after.unwrap_or_default());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let place = After::Number(after.clone());
        let page = members::page(tx, ("", own.office_code()), &place, PAGE_ROWS)?;
        let rows = rows_of(tx, &vault, &own, page.iter().map(|(member, _)| *member))?;
        Ok((rows, members::count(tx, own.office_code())?))
    };
    let (rows, count) = console.app.db.read(load).await?;
    let count = if count > 10_000 { "10,000+".to_owned() } else { number(i64::try_from(count).unwrap_or(0)) };
    let last = rows.last().filter(|_| is_full(rows.len(), PAGE_ROWS)).map(|row| row.number.clone());
    let next = last.map_or_else(String::new, |number| format!("/members?after={number}"));
    let total = ui.t_with("members-total", &[("n", &count)]);
    let page = MembersPage { rows, total, find: String::new(), searched: false, next, ui };
    Ok(Html(page.render()?).into_response())
}

/// What the search box found.
pub async fn search(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("members");
    let find = posted.fields.get("find").to_owned();
    if find.is_empty() {
        return Ok(go("/members"));
    }
    let (vault, own, text) = (console.app.vault.clone(), ui.clone(), find.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Row>, PeopleError> {
        let found = found_by(tx, &vault, &text, FOUND_MAX)?;
        rows_of(tx, &vault, &own, found)
    };
    let rows = console.app.db.read(load).await?;
    let total = ui.t_with("members-found", &[("n", &rows.len().to_string())]);
    let page = MembersPage { rows, total, find, searched: true, next: String::new(), ui };
    Ok(Html(page.render()?).into_response())
}

/// Whose card this is, by the tokens that it has under the keys in use.
fn holder_of(tx: &mut Tx<'_>, keys: &[TokenKey], text: &CardText) -> Result<Option<MemberId>, PeopleError> {
    for key in keys {
        if let Some(card) = people::card_by_token(tx, key.token(text))? {
            return Ok(card.member);
        }
    }
    Ok(None)
}

/// The same for programs: members by `find`, as the search box takes it, or by `card`, a card's number, or `uid`, its
/// chip's.
pub async fn find(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let (text, fields) = (posted.fields.get("find").to_owned(), &posted.fields);
    let card = identity(fields.get("card"), fields.get("uid"));
    if text.is_empty() && card.is_none() {
        return Err(Refused::unfit(&ui, "find-nothing"));
    }
    let keys = if card.is_some() { console.token_keys().await? } else { Vec::new() };
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Row>, PeopleError> {
        let found: Vec<MemberId> = match &card {
            Some(card) => holder_of(tx, &keys, card)?.into_iter().collect(),
            None => found_by(tx, &vault, &text, FOUND_MAX)?,
        };
        rows_of(tx, &vault, &ui, found)
    };
    let rows = console.app.db.read(load).await?;
    Ok(Json(json!({ "members": rows.iter().map(Row::json).collect::<Vec<_>>() })))
}

struct CardShown {
    id: String,
    tail: String,
    kind: String,
    status: String,
    tone: &'static str,
    valid: String,
    spread: String,
    lacking: String,
    verb: &'static str,
    verb_label: String,
}

struct PostingShown {
    time: String,
    what: String,
    amount: String,
    place: String,
    case_link: String,
}

struct Happened {
    time: String,
    received: String,
    what: String,
    place: String,
    standing: String,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    ui: Ui,
    row: Row,
    /// Available, in allowances and owed, in one figure, as members see it.
    figure: String,
    /// Growth, a balance of its own; empty for a member without.
    growth: String,
    money: String,
    /// Whether the stored value is frozen.
    is_frozen: bool,
    available: String,
    escrow: String,
    owed: String,
    /// Where allowances lie.
    lies: Vec<String>,
    document: String,
    birthday: String,
    cards: Vec<CardShown>,
    postings: Vec<PostingShown>,
    timeline: Vec<Happened>,
    past: Vec<PastShown>,
    /// What moved the level, the newest first.
    levels: Vec<String>,
    coupons: Vec<String>,
    /// Awards of rankings, the newest first.
    awards: Vec<String>,
    /// Uses of the birthday's discount, the oldest first.
    birthdays: Vec<String>,
    error: String,
}

/// A transaction of the system that the club used before.
pub(super) struct PastShown {
    pub(super) time: String,
    pub(super) what: String,
    pub(super) changes: String,
    pub(super) place: String,
}

/// One member.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("members"), id, String::new(), StatusCode::OK).await
}

async fn show(
    console: &Console,
    ui: Ui,
    id: MemberId,
    error: String,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let Some(head) = rows_of(tx, &vault, &own, [id])?.pop() else { return Ok(None) };
        let out = (lease_rows::open_of(tx, id)?, devices::list(tx)?);
        let is_frozen = money::standing(tx, id)?.is_some_and(|known| known.is_value_frozen());
        let kinds = joining::terms(tx, CARD_KIND)?;
        let past = brought::past_of(tx, &vault, id, brought::FIRST_PAST, HISTORY_MAX.into())?;
        let life = (people::life(tx, id, HISTORY_MAX)?, past);
        let rights =
            (coupons::told(tx, &own, id)?, birthdays::told(tx, &own, id)?, rankings::told(tx, &own, id)?);
        let told = (levels::told(tx, &own, id)?, rights);
        Ok(Some((head, vault.reveal(tx, id)?, (life, told), (out, kinds, is_frozen))))
    };
    let (row, personal, ((life, past), (levels, rights)), ((out, lines), kinds, is_frozen)) =
        console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let (coupons, birthdays, awards) = rights;
    let of_class = |class: &str, unit: Unit| {
        let of = life.balances.iter().filter(|balance| balance.0 == class && balance.1 == unit.code());
        of.map(|balance| balance.2).sum::<i64>()
    };
    // What is owed stands below zero in the books.
    let figure =
        |unit: Unit| of_class("available", unit) + leases::escrow_of(&out, unit) + of_class("owed", unit);
    let of_points = |class: &str| of_class(class, Unit::Pts);
    let escrow = leases::escrow_of(&out, Unit::Pts);
    let document = personal.as_ref().and_then(|personal| personal.document.as_ref());
    let page = MemberPage {
        row,
        figure: number(figure(Unit::Pts)),
        growth: Some(figure(Unit::Growth)).filter(|growth| *growth != 0).map(number).unwrap_or_default(),
        money: if figure(Unit::Cny) == 0 {
            String::new()
        } else {
            leases::amount(&ui, Unit::Cny, figure(Unit::Cny))
        },
        is_frozen,
        available: number(of_points("available")),
        escrow: number(escrow),
        owed: number(-of_points("owed")),
        lies: leases::of_member(&ui, &out, &lines),
        document: document.map_or_else(|| "—".to_owned(), |document| mask::document(&document.number)),
        // The year is enough to tell two members of a name apart.
        birthday: personal
            .and_then(|personal| personal.birthday)
            .map_or_else(|| "—".to_owned(), |day| format!("{}-**-**", &day.to_string()[..4])),
        cards: life.cards.iter().map(|card| card_shown(&ui, card, life.working, &kinds)).collect(),
        postings: postings(&ui, &life),
        timeline: timeline(&ui, &life),
        past: past.iter().map(|line| past_shown(&ui, line)).collect(),
        levels,
        coupons,
        awards,
        birthdays,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

fn card_shown(ui: &Ui, view: &CardView, working: u64, kinds: &[Term]) -> CardShown {
    let card = &view.card;
    let kind = kinds.iter().find(|term| term.code == card.kind);
    let day = |at: Option<hufu_shared::time::Instant>| at.map(|at| ui.time(at)[..10].to_owned());
    let (verb, verb_key) = match card.status {
        CardStatus::Active => ("lost", "card-report-lost"),
        CardStatus::Lost => ("active", "card-lift"),
        CardStatus::Stopped | CardStatus::Void => ("", "card-none"),
    };
    let lacks = !view.lacking.is_empty();
    CardShown {
        id: card.card.to_string(),
        tail: if card.tail.is_empty() { "—".to_owned() } else { format!("…{}", card.tail) },
        kind: kind.map_or_else(|| card.kind.clone(), |term| ui.pick(&term.words)),
        status: ui.t(&format!("card-{}", card.status.code())),
        tone: if card.status == CardStatus::Active { "ok" } else { "bad" },
        valid: match (day(card.valid_from), day(card.valid_until)) {
            (None, None) => ui.t("card-always"),
            (from, until) => format!("{} – {}", from.unwrap_or_default(), until.unwrap_or_default()),
        },
        spread: ui.t_with("card-spread", &[("n", &view.reached.to_string()), ("all", &working.to_string())]),
        lacking: if lacks {
            ui.t_with("card-lacking", &[("names", &view.lacking.join("、"))])
        } else {
            String::new()
        },
        verb,
        verb_label: ui.t(verb_key),
    }
}

fn postings(ui: &Ui, life: &Life) -> Vec<PostingShown> {
    let shown = life.postings.iter();
    shown
        .map(|posting| PostingShown {
            time: ui.time(posting.at),
            what: ui.t(&format!("code-{}", posting.code)),
            amount: match (posting.to_member, posting.from_member) {
                (true, _) => change(posting.amount),
                (false, true) => change(-posting.amount),
                (false, false) => ui.t("posting-between-offices"),
            },
            place: posting.device.clone().or(posting.batch.clone()).unwrap_or_else(|| "—".to_owned()),
            case_link: posting.conflict.map(|case| format!("/cases/{case}")).unwrap_or_default(),
        })
        .collect()
}

fn timeline(ui: &Ui, life: &Life) -> Vec<Happened> {
    let shown = life.facts.iter();
    shown
        .map(|fact| Happened {
            time: ui.time(fact.at),
            received: ui.time(fact.received),
            what: ui.t(&format!("event-{}", fact.event)),
            place: format!("{} · {}", fact.office, fact.device),
            standing: standing_words(ui, &fact.became, fact.kind),
            tone: standing_tone(&fact.became),
        })
        .collect()
}

/// A line of the system before. What was erased reads as a dash.
pub(super) fn past_shown(ui: &Ui, line: &PastView) -> PastShown {
    let words = line.words.clone().unwrap_or_default();
    let dash = |text: String| if text.is_empty() { "—".to_owned() } else { text };
    let change = |leg: &Leg| match leg.unit {
        Unit::Pts | Unit::Growth => change(leg.amount.0),
        unit => leases::amount(ui, unit, leg.amount.0),
    };
    PastShown {
        time: ui.time(line.at),
        what: dash(words.what),
        changes: dash(line.legs.iter().map(change).collect::<Vec<_>>().join(" · ")),
        place: dash(words.place),
    }
}

/// Reports a card lost, or lifts that.
pub async fn set_card(
    State(console): State<Console>,
    Path(card): Path<CardId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let reason = posted.fields.get("reason");
    let known = console.app.db.read(move |tx| people::card(tx, card)).await?.ok_or(Failure::NotFound)?;
    let owner = known.member.ok_or(Failure::NotFound)?;
    let status = match (posted.fields.get("status"), known.status) {
        ("lost", CardStatus::Active) => CardStatus::Lost,
        ("active", CardStatus::Lost) => CardStatus::Active,
        // Somebody else did it meanwhile: the page shows how it is now.
        _ => return Ok(go(&format!("/members/{owner}"))),
    };
    if reason.is_empty() {
        let (ui, error) = (posted.by.ui.clone().at("members"), posted.by.ui.t("reason-missing"));
        return show(&console, ui, owner, error, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let (note, entry, now) = (note(&console, reason)?, console.app.entry_id()?, console.app.now());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let work = move |tx: &mut Tx<'_>| -> Result<(), PeopleError> {
        note.put(tx, Some(staff), now)?;
        let act = Act::CardStatusSet(CardStatusSet { card, status, reason: note.commitment });
        acts::take(tx, entry, now, &actor, &act)?;
        Ok(())
    };
    console.app.write(work).await?;
    Ok(go(&format!("/members/{owner}")))
}
