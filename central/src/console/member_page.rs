//! One member: what they have above, and below what happened, points, cards, visits, data and stored value, a tab each.
//! With script the list opens the same address in a drawer beside it. Everything personal is masked.
//!
//! A record that goes on as another says so and leads there; of one that was erased it is said that it was.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, CardStatusSet};
use hufu_shared::dictionary::{CARD_KIND, Term};
use hufu_shared::ids::{CardId, MemberId};
use hufu_shared::member::CardStatus;
use hufu_shared::money::Unit;
use hufu_shared::time::{DAY_US, Instant};
use serde::Deserialize;

use super::Console;
use super::failure::{Failure, go};
use super::members::{PastShown, Row, past_shown, rows_of};
use super::overview::{standing_tone, standing_words};
use super::record_data::{self, Data, Opened};
use super::signed::{Posted, SignedIn};
use super::timeline::{self as happened, Happened, Reader};
use super::ui::{Ui, change, number};
use super::verdict::note;
use super::{birthdays, coupons, leases, levels, rankings};
use crate::db::Tx;
use crate::rules::joining::roles::Role;
use crate::rules::world::KnownMember;
use crate::store::people::{self, CardView, Life, PeopleError};
use crate::store::timeline::{self, Place};
use crate::store::{acts, brought, devices, joining, leases as lease_rows, money};
use crate::vault::Vault;

/// Lines of a list of a tab that shows no further pages.
const HISTORY_MAX: u32 = 50;
/// Days for which the page offers to take a merge apart again.
pub(super) const UNMERGE_DAYS: i64 = 7;
/// The element that a drawer is opened in, as htmx names it.
const DRAWER: &str = "drawer";
/// Header in which htmx names the element that it will fill.
const TARGET: &str = "hx-target";

/// Header by which htmx is sent to another page.
const REDIRECT: &str = "hx-redirect";

/// The tabs, in their order.
const TABS: [&str; 6] = ["timeline", "points", "cards", "visits", "data", "value"];

/// Which tab, where its page begins, and what was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TabQuery {
    tab: String,
    cursor: String,
    done: String,
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

/// A fact of the member.
struct Visit {
    time: String,
    received: String,
    what: String,
    place: String,
    standing: String,
    tone: &'static str,
}

/// What stands above all tabs.
struct Head {
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
}

/// What a record that goes on as another says.
struct Gone {
    words: String,
    link: String,
    /// Whether it can be taken apart here.
    can_part: bool,
}

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    ui: Ui,
    head: Head,
    tab: &'static str,
    tabs: Vec<(String, String, bool)>,
    gone: Option<Gone>,
    /// Records that go on as this one: link and number.
    here: Vec<(String, String)>,
    cards: Vec<CardShown>,
    postings: Vec<PostingShown>,
    visits: Vec<Visit>,
    timeline: Vec<Happened>,
    next: String,
    past: Vec<PastShown>,
    /// What moved the level, the newest first.
    levels: Vec<String>,
    coupons: Vec<String>,
    /// Awards of rankings, the newest first.
    awards: Vec<String>,
    /// Uses of the birthday's discount, the oldest first.
    birthdays: Vec<String>,
    data: Option<Data>,
    done: String,
    error: String,
}

#[derive(Template)]
#[template(path = "member_drawer.html")]
struct DrawerPage {
    ui: Ui,
    head: Head,
    gone: Option<Gone>,
    cards: Vec<CardShown>,
    error: String,
}

#[derive(Template)]
#[template(path = "member_erased.html")]
struct ErasedPage {
    ui: Ui,
    words: String,
}

/// One member.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<MemberId>,
    Query(query): Query<TabQuery>,
    headers: HeaderMap,
    by: SignedIn,
) -> Result<Response, Failure> {
    let is_drawer = headers.get(TARGET).is_some_and(|target| target == DRAWER);
    let role = by.session.account.role;
    let ui = by.ui.at("members");
    let mut answer = if is_drawer {
        drawer(&console, ui, id).await?
    } else {
        let done = match query.done.as_str() {
            what @ ("saved" | "merged" | "parted") => ui.t(&format!("record-done-{what}")),
            _ => String::new(),
        };
        let wanted = Wanted { tab: query.tab, cursor: query.cursor, done, ..Wanted::default() };
        show(&console, (ui, role), id, wanted).await?
    };
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("HX-Target"));
    Ok(answer)
}

/// What is shown of a member.
#[derive(Default)]
pub(super) struct Wanted {
    /// Which tab; the first one for any that there is not.
    pub(super) tab: String,
    pub(super) cursor: String,
    pub(super) done: String,
    /// What is wrong with what was sent; then the answer says so by its status.
    pub(super) error: String,
    /// A field that was opened just now.
    pub(super) opened: Option<Opened>,
    /// What was typed to open one.
    pub(super) reason: String,
}

/// What a tab adds to what stands above it.
#[derive(Default)]
struct Tab {
    timeline: Vec<Happened>,
    next: Option<String>,
    past: Vec<PastShown>,
    levels: Vec<String>,
    coupons: Vec<String>,
    awards: Vec<String>,
    birthdays: Vec<String>,
    data: Option<Data>,
}

/// What a page and a drawer both read.
struct Known {
    head: Head,
    life: Life,
    kinds: Vec<Term>,
    standing: KnownMember,
    merged_at: Option<Instant>,
    survivor: Option<String>,
}

/// Reads what stands above all tabs; none if there is no such member. `most` lines of each list.
fn known(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    (id, most): (MemberId, u32),
) -> Result<Option<Known>, PeopleError> {
    let (Some(row), Some(standing)) = (rows_of(tx, vault, ui, [id])?.pop(), money::standing(tx, id)?) else {
        return Ok(None);
    };
    let (out, lines) = (lease_rows::open_of(tx, id)?, devices::list(tx)?);
    let life = people::life(tx, id, most)?;
    let survivor = standing.merged_into.map(|survivor| people::member(tx, survivor)).transpose()?.flatten();
    let merged_at = if survivor.is_some() { timeline::merged_at(tx, id)? } else { None };
    let of_class = |class: &str, unit: Unit| {
        let of = life.balances.iter().filter(|balance| balance.0 == class && balance.1 == unit.code());
        of.map(|balance| balance.2).sum::<i64>()
    };
    // What is owed stands below zero in the books.
    let figure =
        |unit: Unit| of_class("available", unit) + leases::escrow_of(&out, unit) + of_class("owed", unit);
    let cny = figure(Unit::Cny);
    let head = Head {
        figure: number(figure(Unit::Pts)),
        growth: Some(figure(Unit::Growth)).filter(|growth| *growth != 0).map(number).unwrap_or_default(),
        money: if cny == 0 { String::new() } else { leases::amount(ui, Unit::Cny, cny) },
        is_frozen: standing.is_value_frozen(),
        available: number(of_class("available", Unit::Pts)),
        escrow: number(leases::escrow_of(&out, Unit::Pts)),
        owed: number(-of_class("owed", Unit::Pts)),
        lies: leases::of_member(ui, &out, &lines),
        row,
    };
    let kinds = joining::terms(tx, CARD_KIND)?;
    Ok(Some(Known { head, life, kinds, standing, merged_at, survivor: survivor.map(|row| row.number) }))
}

impl Known {
    fn cards(&self, ui: &Ui) -> Vec<CardShown> {
        self.life.cards.iter().map(|card| card_shown(ui, card, self.life.working, &self.kinds)).collect()
    }

    fn gone(&self, ui: &Ui) -> Option<Gone> {
        let (member, into) = (self.standing.merged_into?, self.survivor.as_ref()?);
        let at = self.merged_at?;
        let args = [("number", into.clone()), ("time", ui.time(at))];
        Some(Gone {
            words: ui.t_of("record-merged", &args),
            link: format!("/members/{member}"),
            can_part: can_part(at, ui.now),
        })
    }
}

/// Whether a merge can still be taken apart from the page.
pub(super) fn can_part(merged: Instant, now: Instant) -> bool {
    now.since(merged) <= UNMERGE_DAYS * DAY_US
}

async fn drawer(console: &Console, ui: Ui, id: MemberId) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| known(tx, &vault, &own, (id, 0));
    let known = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    if known.standing.erased {
        // A drawer has no room for that: the page says so.
        let place = HeaderValue::from_str(&format!("/members/{id}")).unwrap_or(HeaderValue::from_static("/"));
        return Ok((StatusCode::NO_CONTENT, [(REDIRECT, place)]).into_response());
    }
    let (cards, gone) = (known.cards(&ui), known.gone(&ui));
    let page = DrawerPage { head: known.head, gone, cards, error: String::new(), ui };
    Ok(Html(page.render()?).into_response())
}

/// What is told of a member whose data was erased.
fn erased(ui: Ui, standing: &KnownMember) -> Result<Response, Failure> {
    let words = ui.t_with("record-erased", &[("time", &ui.time(standing.status_since))]);
    Ok((StatusCode::GONE, Html(ErasedPage { words, ui }.render()?)).into_response())
}

/// A member's page.
///
/// # Errors
/// [`Failure`].
pub(super) async fn show(
    console: &Console,
    (ui, role): (Ui, Role),
    id: MemberId,
    wanted: Wanted,
) -> Result<Response, Failure> {
    let tab = TABS.into_iter().find(|tab| *tab == wanted.tab).unwrap_or(TABS[0]);
    let after = if wanted.cursor.is_empty() { Some(Place::first()) } else { Place::parse(&wanted.cursor) };
    let after = after.ok_or(Failure::NotFound)?;
    let (vault, keys, own) = (console.app.vault.clone(), console.app.keys.clone(), ui.clone());
    let (opened, reason) = (wanted.opened, wanted.reason);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let most = if matches!(tab, "points" | "visits") { HISTORY_MAX } else { 0 };
        let Some(known) = known(tx, &vault, &own, (id, most))? else { return Ok(None) };
        let mut told = Tab::default();
        match tab {
            "timeline" => {
                let reader = Reader { vault: &vault, key: keys.open_key(), ui: &own, member: id };
                (told.timeline, told.next) = happened::page(tx, &reader, &after)?;
            }
            "points" => {
                (told.levels, told.coupons) = (levels::told(tx, &own, id)?, coupons::told(tx, &own, id)?);
                (told.birthdays, told.awards) =
                    (birthdays::told(tx, &own, id)?, rankings::told(tx, &own, id)?);
                let past = brought::past_of(tx, &vault, id, brought::FIRST_PAST, HISTORY_MAX.into())?;
                told.past = past.iter().map(|line| past_shown(&own, line)).collect();
            }
            "data" => {
                let typed = (opened.as_ref(), reason.as_str());
                told.data = record_data::of(tx, &vault, (&own, role), id, typed)?;
            }
            _ => {}
        }
        Ok(Some((known, told, timeline::merged_here(tx, id)?)))
    };
    let (known, told, here) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    if known.standing.erased {
        return erased(ui, &known.standing);
    }
    let link = format!("/members/{id}");
    let status = if wanted.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = MemberPage {
        tab,
        tabs: TABS
            .map(|one| (format!("{link}?tab={one}"), ui.t(&format!("record-tab-{one}")), one == tab))
            .into(),
        gone: known.gone(&ui),
        here: here.into_iter().map(|(id, number)| (format!("/members/{id}"), number)).collect(),
        cards: if tab == "cards" { known.cards(&ui) } else { Vec::new() },
        postings: postings(&ui, &known.life),
        visits: visits(&ui, &known.life),
        timeline: told.timeline,
        next: told.next.map_or_else(String::new, |cursor| format!("{link}?tab=timeline&cursor={cursor}")),
        past: told.past,
        levels: told.levels,
        coupons: told.coupons,
        awards: told.awards,
        birthdays: told.birthdays,
        data: told.data,
        done: wanted.done,
        error: wanted.error,
        head: known.head,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

fn card_shown(ui: &Ui, view: &CardView, working: u64, kinds: &[Term]) -> CardShown {
    let card = &view.card;
    let kind = kinds.iter().find(|term| term.code == card.kind);
    let day = |at: Option<Instant>| at.map(|at| ui.time(at)[..10].to_owned());
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

fn visits(ui: &Ui, life: &Life) -> Vec<Visit> {
    let shown = life.facts.iter();
    shown
        .map(|fact| Visit {
            time: ui.time(fact.at),
            received: ui.time(fact.received),
            what: ui.t(&format!("event-{}", fact.event)),
            place: format!("{} · {}", fact.office, fact.device),
            standing: standing_words(ui, &fact.became, fact.kind),
            tone: standing_tone(&fact.became),
        })
        .collect()
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
        _ => return Ok(go(&format!("/members/{owner}?tab=cards"))),
    };
    if reason.is_empty() {
        let (ui, error) = (posted.by.ui.clone().at("members"), posted.by.ui.t("reason-missing"));
        let wanted = Wanted { tab: "cards".to_owned(), error, ..Wanted::default() };
        return show(&console, (ui, posted.by.session.account.role), owner, wanted).await;
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
    Ok(go(&format!("/members/{owner}?tab=cards")))
}
