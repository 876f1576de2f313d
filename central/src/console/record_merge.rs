//! Two records of one person side by side (kind 11): what differs, what a merge will post, and the merge; and taking one
//! apart again while it is fresh. What moves is told by the same plan that the merge posts by.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::MemberId;
use hufu_shared::money::{Amount, Unit};

use super::Console;
use super::compare::Compared;
use super::failure::{Failure, go};
use super::forms::{field_words, shown};
use super::leases;
use super::member_page::{self, Wanted};
use super::members::{found_by, masked_name};
use super::people::tied;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use super::verdict::note;
use crate::db::Tx;
use crate::rules::judge::merge::{self, Holding, Shift, Side};
use crate::store::people::{self, Life, PeopleError};
use crate::store::{rows, ties, timeline};
use crate::vault::Vault;

/// Members that a search offers.
const FOUND_MAX: usize = 10;
/// Fields that are laid side by side.
const FIELDS_SHOWN: [&str; 8] =
    ["name", "sex", "mobile", "home_phone", "document", "birthday", "address", "email"];

/// Somebody who may be the same person.
struct Found {
    number: String,
    title: String,
}

/// The two beside each other.
struct Pair {
    compared: Compared,
    /// What the merge posts and moves, a line each.
    moves: Vec<String>,
    /// Number of the one that goes on.
    into: String,
    into_link: String,
    own: String,
}

#[derive(Template)]
#[template(path = "record_merge.html")]
struct MergePage {
    ui: Ui,
    link: String,
    name: String,
    find: String,
    searched: bool,
    found: Vec<Found>,
    pair: Option<Pair>,
    reason: String,
    error: String,
}

/// What was typed and looked up so far.
#[derive(Default)]
struct Typed {
    find: String,
    searched: bool,
    found: Vec<MemberId>,
    /// Number of the other one.
    other: String,
    reason: String,
    /// The key of what is wrong; empty if nothing is.
    error: &'static str,
}

/// Looking for the other record.
pub async fn form(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("members"), member, Typed::default()).await
}

/// One of the two, as it stands in its column.
struct Column {
    head: String,
    cells: Vec<String>,
    holdings: BTreeMap<Unit, Holding>,
    cards: usize,
}

/// What a member has of each unit, by the balances of the books.
fn holdings(life: &Life) -> BTreeMap<Unit, Holding> {
    let of = |class: &str, unit: Unit| {
        let of = life.balances.iter().filter(|balance| balance.0 == class && balance.1 == unit.code());
        of.map(|balance| balance.2).sum::<i64>()
    };
    // What is owed stands below zero in the books.
    let held = |unit: Unit| Holding {
        available: Amount(of("available", unit)),
        owed: Amount(of("owed", unit).saturating_neg()),
    };
    Unit::ALL.into_iter().map(|unit| (unit, held(unit))).collect()
}

fn labels(ui: &Ui) -> Vec<String> {
    let fields = FIELDS_SHOWN.map(|field| field_words(ui, field));
    let own = [
        "col-state",
        "col-level",
        "record-joined",
        "cards-title",
        "points-figure",
        "growth-figure",
        "money-figure",
    ];
    fields.into_iter().chain(own.map(|key| ui.t(key))).collect()
}

fn column(
    tx: &mut Tx<'_>,
    (vault, ui): (&Vault, &Ui),
    member: MemberId,
) -> Result<Option<Column>, PeopleError> {
    let (Some(row), Some(personal)) = (people::member(tx, member)?, vault.reveal(tx, member)?) else {
        return Ok(None);
    };
    let life = people::life(tx, member, 0)?;
    let holdings = holdings(&life);
    let net = |unit: Unit| holdings.get(&unit).copied().unwrap_or_default().net();
    let mut cells: Vec<String> = Vec::new();
    for field in FIELDS_SHOWN {
        let value = personal.field(field).filter(|value| !value.is_empty());
        cells.push(value.map_or_else(|| ui.t("field-none"), |value| shown(ui, field, &value)));
    }
    let dash = || "—".to_owned();
    cells.extend([
        ui.t(&format!("member-{}", rows::member_status_code(row.status))),
        row.level.as_ref().map_or_else(dash, |level| ui.pick(level)),
        row.joined.map_or_else(dash, |day| day.to_string()),
        life.cards.len().to_string(),
        number(net(Unit::Pts)),
        number(net(Unit::Growth)),
        leases::amount(ui, Unit::Cny, net(Unit::Cny)),
    ]);
    Ok(Some(Column { head: row.number, cells, holdings, cards: life.cards.len() }))
}

/// What one posting of a merge does, in words; `goes` is who goes in.
fn moves(ui: &Ui, goes: MemberId, shift: &Shift) -> String {
    let key = match (shift.debit, shift.credit) {
        (Side::Available(_), Side::Available(_)) => "record-moves-available",
        (Side::Available(_), Side::Owed(who)) if who == goes => "record-moves-charged",
        (Side::Available(_), Side::Owed(_)) => "record-moves-pays",
        (Side::Owed(_), _) => "record-moves-owed",
    };
    ui.t_with(key, &[("amount", &leases::amount(ui, shift.unit, shift.amount.0))])
}

/// The two beside each other; the key of why they cannot be.
fn pair(
    tx: &mut Tx<'_>,
    (vault, ui): (&Vault, &Ui),
    member: MemberId,
    other: &str,
) -> Result<Result<Pair, &'static str>, PeopleError> {
    let Some(survivor) = people::member_by_number(tx, other)?.filter(|survivor| *survivor != member) else {
        return Ok(Err("bind-nobody"));
    };
    let columns = (column(tx, (vault, ui), member)?, column(tx, (vault, ui), survivor)?);
    let (Some(goes), Some(stays)) = columns else { return Ok(Err("merge-not-possible")) };
    let mut compared = Compared {
        heads: vec![
            ui.t_with("record-goes", &[("number", &goes.head)]),
            ui.t_with("record-stays", &[("number", &stays.head)]),
        ],
        ..Compared::default()
    };
    for (label, cells) in labels(ui).into_iter().zip(goes.cells.into_iter().zip(stays.cells)) {
        compared.row(label, vec![cells.0, cells.1]);
    }
    let shifts = merge::plan_merge((member, &goes.holdings), (survivor, &stays.holdings));
    let mut told: Vec<String> = shifts.iter().map(|shift| moves(ui, member, shift)).collect();
    if told.is_empty() {
        told.push(ui.t("record-moves-nothing"));
    }
    told.push(ui.t_with("record-moves-rest", &[("cards", &goes.cards.to_string())]));
    Ok(Ok(Pair {
        compared,
        moves: told,
        into_link: format!("/members/{survivor}"),
        into: stays.head,
        own: goes.head,
    }))
}

async fn show(console: &Console, ui: Ui, member: MemberId, typed: Typed) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let (found, other) = (typed.found.clone(), typed.other.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        if people::member(tx, member)?.is_none() {
            return Ok(None);
        }
        let mut offered = Vec::new();
        for one in found.iter().filter(|one| **one != member) {
            let number = people::member(tx, *one)?.map(|row| row.number).unwrap_or_default();
            let title = format!("{} · {number}", masked_name(tx, &vault, Some(*one))?);
            offered.push(Found { number, title });
        }
        let pair = if other.is_empty() { None } else { Some(pair(tx, (&vault, &own), member, &other)?) };
        Ok(Some((masked_name(tx, &vault, Some(member))?, offered, pair)))
    };
    let (name, found, pair) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let (pair, wrong) = match pair {
        Some(Err(key)) => (None, key),
        Some(Ok(pair)) => (Some(pair), typed.error),
        None => (None, typed.error),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = MergePage {
        link: format!("/members/{member}"),
        name,
        find: typed.find,
        searched: typed.searched,
        found,
        pair,
        reason: typed.reason,
        error: if wrong.is_empty() { String::new() } else { ui.t(wrong) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Looks for the other one, lays both side by side, merges them, or takes them apart.
pub async fn act(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("members");
    let fields = &posted.fields;
    let mut typed = Typed {
        find: fields.get("find").to_owned(),
        other: fields.get("other").to_owned(),
        reason: fields.get("reason").to_owned(),
        ..Typed::default()
    };
    match fields.get("do") {
        "find" => {
            let (vault, text) = (console.app.vault.clone(), typed.find.clone());
            let found = console.app.db.read(move |tx| found_by(tx, &vault, &text, FOUND_MAX)).await?;
            (typed.found, typed.searched) = (found, true);
            typed.other.clear();
        }
        "look" if typed.other.is_empty() => typed.error = "bind-choose",
        "look" => {}
        "merge" if typed.reason.is_empty() => typed.error = "reason-missing",
        "merge" => {
            let (note, into) = (note(&console, &typed.reason)?, typed.other.clone());
            match tied(&console, &posted.by, note, (member, Some(into))).await? {
                Ok(()) => {
                    let into = console.app.db.read(move |tx| ties::merged_into(tx, member)).await?;
                    let into = into.unwrap_or(member);
                    return Ok(go(&format!("/members/{into}?tab=data&done=merged")));
                }
                Err(key) => typed.error = key,
            }
        }
        "part" => return part(&console, &posted, member).await,
        _ => typed.error = "verdict-none",
    }
    show(&console, ui, member, typed).await
}

/// Takes a record out of the one that it went into, while that is fresh.
async fn part(console: &Console, posted: &Posted, member: MemberId) -> Result<Response, Failure> {
    let reason = posted.fields.get("reason");
    let merged = console.app.db.read(move |tx| timeline::merged_at(tx, member)).await?;
    let is_fresh = merged.is_some_and(|at| member_page::can_part(at, console.app.now()));
    let key = if !is_fresh {
        "record-part-late"
    } else if reason.is_empty() {
        "reason-missing"
    } else {
        let note = note(console, reason)?;
        match tied(console, &posted.by, note, (member, None)).await? {
            Ok(()) => return Ok(go(&format!("/members/{member}?done=parted"))),
            Err(key) => key,
        }
    };
    let (ui, role) = (posted.by.ui.clone().at("members"), posted.by.session.account.role);
    let error = ui.t(key);
    member_page::show(console, (ui, role), member, Wanted { error, ..Wanted::default() }).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use hufu_shared::time::Instant;

    use super::*;

    #[test]
    fn kind_11_what_a_merge_posts_is_told_in_words_before_it_does() {
        let ui = Ui::of(&HeaderMap::new(), Instant(0));
        let (from, into) = (MemberId([1; 16]), MemberId([2; 16]));
        let held = |available, owed| {
            BTreeMap::from([(Unit::Pts, Holding { available: Amount(available), owed: Amount(owed) })])
        };
        let told = |goes: (i64, i64), stays: (i64, i64)| {
            let (goes, stays) = (held(goes.0, goes.1), held(stays.0, stays.1));
            let shifts = merge::plan_merge((from, &goes), (into, &stays));
            shifts.iter().map(|shift| moves(&ui, from, shift)).collect::<Vec<_>>()
        };
        let words = |key: &str, n: &str| {
            let amount = ui.t_with("amount-points", &[("n", n)]);
            ui.t_with(key, &[("amount", &amount)])
        };
        for (goes, stays, expected) in [
            ((0, 0), (5, 0), vec![]),
            ((7, 0), (5, 0), vec![words("record-moves-available", "7")]),
            ((7, 0), (0, 3), vec![words("record-moves-pays", "3"), words("record-moves-available", "4")]),
            ((0, 7), (5, 0), vec![words("record-moves-charged", "5"), words("record-moves-owed", "2")]),
        ] {
            assert_eq!(told(goes, stays), expected, "{goes:?} {stays:?}");
        }
    }
}
