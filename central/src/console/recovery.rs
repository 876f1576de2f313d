//! 恢复: the centre was rolled back and waits for its terminals; an admin may end the wait, seeing what that may cost.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, RecoveryEnded};
use hufu_shared::ids::DeviceId;
use hufu_shared::money::Unit;
use hufu_shared::policy::Policy;

use super::Console;
use super::failure::{Failure, go};
use super::leases::amount;
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::rules::lease::recovery::{SILENT_DAYS, Waiting};
use crate::rules::world::Recovery;
use crate::store::devices::{self, DeviceLine};
use crate::store::{StoreError, acts, journal, recovery, world};

struct Silent {
    link: String,
    name: String,
    office: String,
    contact: String,
}

#[derive(Template)]
#[template(path = "recovery.html")]
struct RecoveryPage {
    ui: Ui,
    is_on: bool,
    since: String,
    /// Those heard of lately, and those silent long before; each list with its title.
    lists: [(String, Vec<Silent>); 2],
    /// What each of them may hold at most, and all together.
    each_cap: String,
    largest: String,
    seen: String,
    reason: String,
    error: String,
}

struct Known {
    recovery: Recovery,
    waiting: Waiting,
    lines: Vec<DeviceLine>,
    policy: Policy,
}

fn known(tx: &mut Tx<'_>) -> Result<Known, StoreError> {
    let recovery = world::recovery(tx)?;
    let epoch = journal::club(tx)?.epoch;
    let waiting = match recovery.since {
        Some(_) => recovery::waiting(tx, epoch)?,
        None => Waiting::default(),
    };
    Ok(Known { recovery, waiting, lines: devices::list(tx)?, policy: world::base(tx)?.policy })
}

/// What a number of terminals may hold at most, in every unit.
fn caps(ui: &Ui, policy: &Policy, terminals: usize) -> String {
    let count = i64::try_from(terminals).unwrap_or(i64::MAX);
    let cap =
        |unit: Unit| policy.lease.device_cap.iter().find(|leg| leg.unit == unit).map(|leg| leg.amount.0);
    let of = |unit| Some(amount(ui, unit, cap(unit)?.saturating_mul(count)));
    Unit::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join(" · ")
}

/// The terminals whose wait a form showed: what was not shown is not agreed to.
fn seen_of(waiting: &Waiting) -> String {
    let mut all: Vec<String> =
        waiting.silent.iter().chain(&waiting.long_silent).map(ToString::to_string).collect();
    all.sort();
    all.join(",")
}

/// The page.
pub async fn page(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    show(&console, by.ui.at("devices"), [String::new(), String::new()], StatusCode::OK).await
}

async fn show(
    console: &Console,
    ui: Ui,
    [reason, error]: [String; 2],
    status: StatusCode,
) -> Result<Response, Failure> {
    let known = console.app.db.read(known).await?;
    let rows = |wanted: &[DeviceId]| -> Vec<Silent> {
        let listed = known.lines.iter().filter(|line| wanted.contains(&line.device));
        let office = |line: &DeviceLine| {
            let words = line.office_words.as_ref();
            words.map_or_else(String::new, |(code, name)| format!("{code} {}", ui.pick(name)))
        };
        let row = |line: &DeviceLine| Silent {
            link: format!("/devices/{}", line.device),
            name: line.name.clone(),
            office: office(line),
            contact: line.contact.as_ref().map_or_else(|| ui.t("state-never"), |contact| ui.time(contact.at)),
        };
        listed.map(row).collect()
    };
    let (silent, long_silent) = (rows(&known.waiting.silent), rows(&known.waiting.long_silent));
    let page = RecoveryPage {
        is_on: known.recovery.since.is_some(),
        since: known.recovery.since.map_or_else(String::new, |since| ui.time(since)),
        each_cap: caps(&ui, &known.policy, 1),
        largest: caps(&ui, &known.policy, silent.len() + long_silent.len()),
        seen: seen_of(&known.waiting),
        lists: [
            (ui.t("recovery-silent"), silent),
            (ui.t_with("recovery-long", &[("days", &SILENT_DAYS.to_string())]), long_silent),
        ],
        reason,
        error,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Ends the wait: what silent terminals still hold is the club's loss if they spent it.
pub async fn end(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, reason) = (posted.by.ui.clone().at("devices"), posted.fields.get("reason").to_owned());
    if reason.is_empty() {
        let error = ui.t("reason-missing");
        return show(&console, ui, [reason, error], StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let (note, entry, now) = (note(&console, &reason)?, console.app.entry_id()?, console.app.now());
    let (actor, staff, seen) =
        (posted.by.actor(), posted.by.session.staff, posted.fields.get("seen").to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        journal::pass_gate(tx, now)?;
        let known = known(tx)?;
        if known.recovery.since.is_none() || seen_of(&known.waiting) != seen {
            return Ok(false);
        }
        note.put(tx, Some(staff), now)?;
        let silent = known.waiting.silent.iter().chain(&known.waiting.long_silent).copied().collect();
        let ended = RecoveryEnded { epoch: known.recovery.epoch, silent, reason: Some(note.commitment) };
        acts::take(tx, entry, now, &actor, &Act::RecoveryEnded(ended))?;
        Ok(true)
    };
    if console.app.write(work).await? {
        return Ok(go("/devices"));
    }
    let error = ui.t("recovery-changed");
    show(&console, ui, [reason, error], StatusCode::UNPROCESSABLE_ENTITY).await
}
