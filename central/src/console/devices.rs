//! 设备: how every terminal stands, in words; inviting and ending terminals.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::act::{Act, DeviceEnded, DeviceInvited};
use hufu_shared::code::{CODE_BYTES, EnrolCode};
use hufu_shared::ids::{DeviceId, EntryId, OfficeId};
use hufu_shared::time::{Instant, MINUTE_US};
use serde::Deserialize;

use super::Console;
use super::failure::{Failure, go};
use super::health::{self, HealthShown};
use super::leases::{self, LeaseShown};
use super::readiness::{self, Badge, ReadyShown};
use super::signed::{Posted, SignedIn};
use super::strip::{self, StripShown};
use super::ui::Ui;
use super::verdict::note;
use super::watching::{self, Refused, WatchShown, Watching};
use crate::db::Tx;
use crate::import::text::title;
use crate::random;
use crate::rules::world::DeviceStatus;
use crate::store::devices::{self, DeviceLine};
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, people, watch};

/// Minutes of silence after which a terminal is called offline.
pub const OFFLINE_MINUTES: i64 = 3;
/// In the list's query: those whose silence is to alarm people.
const ALARM: &str = "alarm";

/// The kind of the case of lost facts.
const KIND_LOST: u8 = 20;
/// The kind of the case of two histories.
const KIND_FORK: u8 = 21;

/// How a terminal is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Was in contact lately.
    Online,
    /// Works, and is silent.
    Offline,
    /// Invited, not yet enrolled.
    Waiting,
    /// Needs a person: two histories, or lost facts.
    Stopped,
    /// Ended.
    Revoked,
}

impl Presence {
    /// The code in queries and API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
            Self::Revoked => "revoked",
        }
    }

    fn tone(self) -> &'static str {
        match self {
            Self::Online => "ok",
            Self::Offline | Self::Waiting => "wait",
            Self::Stopped => "bad",
            Self::Revoked => "plain",
        }
    }
}

/// All of them, as the list tells them apart.
const PRESENCES: [Presence; 5] =
    [Presence::Online, Presence::Offline, Presence::Stopped, Presence::Waiting, Presence::Revoked];

/// Whether a terminal is in use.
pub fn is_working(line: &DeviceLine) -> bool {
    matches!(line.status, DeviceStatus::Active | DeviceStatus::Forked | DeviceStatus::Lost)
}

/// How a terminal is to be found now.
pub fn presence(line: &DeviceLine, now: Instant) -> Presence {
    let is_near = |at: Instant| now.since(at) < OFFLINE_MINUTES * MINUTE_US;
    match line.status {
        DeviceStatus::Invited => Presence::Waiting,
        DeviceStatus::Revoked => Presence::Revoked,
        DeviceStatus::Forked | DeviceStatus::Lost => Presence::Stopped,
        DeviceStatus::Active if line.contact.as_ref().is_some_and(|contact| is_near(contact.at)) => {
            Presence::Online
        }
        DeviceStatus::Active => Presence::Offline,
    }
}

/// The same in words: 在线, 离线 3 小时, 未就绪.
pub fn state_words(ui: &Ui, line: &DeviceLine) -> String {
    match (presence(line, ui.now), line.status) {
        (Presence::Online, _) => ui.t("state-online"),
        (Presence::Offline, _) => match &line.contact {
            Some(contact) => ui.t_with("state-offline", &[("for", &ui.lasting(ui.now.since(contact.at)))]),
            None => ui.t("state-never"),
        },
        (Presence::Waiting, _) => ui.t("state-waiting"),
        (Presence::Stopped, DeviceStatus::Forked) => ui.t("state-forked"),
        (Presence::Stopped, _) => ui.t("state-lost"),
        (Presence::Revoked, _) => ui.t("state-revoked"),
    }
}

/// A terminal in the list and at the head of its page.
struct Row {
    link: String,
    name: String,
    state: String,
    tone: &'static str,
    /// Whether its silence is to alarm people.
    alarmed: bool,
    office: String,
    contact: String,
    software: String,
    strip: StripShown,
    health: HealthShown,
    ready: Option<Badge>,
}

/// Terminals of one office.
struct Group {
    title: String,
    watch: WatchShown,
    rows: Vec<Row>,
}

/// What a row is drawn from beside its line.
struct Known {
    watching: Watching,
    heard: BTreeMap<DeviceId, Vec<i64>>,
}

fn row(ui: &Ui, line: &DeviceLine, known: &Known) -> Row {
    let contact = line.contact.as_ref();
    let alarmed = known.watching.is_alarmed(ui, line);
    let heard = known.heard.get(&line.device).map_or(&[][..], Vec::as_slice);
    Row {
        link: format!("/devices/{}", line.device),
        name: line.name.clone(),
        state: state_words(ui, line),
        tone: if alarmed { "bad" } else { presence(line, ui.now).tone() },
        alarmed,
        office: office_title(ui, line),
        contact: contact.map_or_else(|| "—".to_owned(), |contact| ui.time(contact.at)),
        software: contact
            .map(|contact| contact.software.clone())
            .filter(|software| !software.is_empty())
            .unwrap_or_else(|| "—".to_owned()),
        strip: strip::shown(ui, heard),
        health: health::shown(ui, line),
        ready: readiness::badge(ui, line),
    }
}

fn office_title(ui: &Ui, line: &DeviceLine) -> String {
    let words = line.office_words.as_ref();
    words.map_or_else(String::new, |(code, name)| format!("{code} {}", ui.pick(name)))
}

/// Filter of the list.
#[derive(Debug, Deserialize)]
pub struct DevicesQuery {
    state: Option<String>,
}

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    ui: Ui,
    state: String,
    tabs: Vec<(&'static str, String, usize)>,
    groups: Vec<Group>,
    /// How many of them are to alarm people.
    alarmed: usize,
    /// Whether the person may set what offices allow.
    may_set: bool,
    error: String,
}

/// The list.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<DevicesQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let state = query.state.unwrap_or_default();
    listed(&console, &by, &state, None).await
}

/// The list of those that stand so, all of them where that is nothing; with a form that was refused.
pub async fn listed(
    console: &Console,
    by: &SignedIn,
    state: &str,
    refused: Option<Refused>,
) -> Result<Response, Failure> {
    let ui = by.ui.clone().at("devices");
    let now = ui.now;
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let known = Known { watching: Watching::load(tx)?, heard: watch::of_day(tx, None, now)? };
        Ok((devices::list(tx)?, known))
    };
    let (mut all, known) = console.app.db.read(load).await?;
    all.retain(|line| !ui.leaves_out(line.office));
    let is_in = |line: &DeviceLine, state: &str| match state {
        "" => true,
        ALARM => known.watching.is_alarmed(&ui, line),
        state => presence(line, ui.now).code() == state,
    };
    let tab = |code: &'static str, words: String| {
        (code, words, all.iter().filter(|line| is_in(line, code)).count())
    };
    let mut tabs = vec![tab("", ui.t("filter-all")), tab(ALARM, ui.t("watch-alarmed"))];
    tabs.extend(PRESENCES.map(|kind| tab(kind.code(), ui.t(&format!("presence-{}", kind.code())))));
    let state = tabs.iter().map(|tab| tab.0).find(|code| *code == state).unwrap_or_default();
    let mut groups: Vec<(OfficeId, Group)> = Vec::new();
    for line in all.iter().filter(|line| is_in(line, state)) {
        if groups.last().is_none_or(|(office, _)| *office != line.office) {
            let watch = known.watching.shown(&ui, line.office, refused.as_ref());
            groups.push((line.office, Group { title: office_title(&ui, line), watch, rows: Vec::new() }));
        }
        if let Some((_, group)) = groups.last_mut() {
            group.rows.push(row(&ui, line, &known));
        }
    }
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = DevicesPage {
        state: state.to_owned(),
        alarmed: tabs[1].2,
        tabs,
        groups: groups.into_iter().map(|(_, group)| group).collect(),
        may_set: watching::MAY_SET.contains(&by.session.account.role),
        error: refused.map_or_else(String::new, |refused| refused.error),
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    ui: Ui,
    row: Row,
    id: String,
    details: Vec<(String, String)>,
    /// From which silence on its office is alarmed, in a sentence.
    limit: String,
    /// Kind of the case in which a person decides about its facts, where it is stopped.
    stopped: Option<u8>,
    ready: Option<ReadyShown>,
    leases: Vec<LeaseShown>,
    can_end: bool,
    error: String,
    reason: String,
}

/// One terminal.
pub async fn one(
    State(console): State<Console>,
    Path(id): Path<DeviceId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("devices"), id, String::new(), String::new(), StatusCode::OK).await
}

/// The page of a terminal once more, with what is wrong.
pub async fn again(
    console: &Console,
    ui: Ui,
    id: DeviceId,
    error: String,
    status: StatusCode,
) -> Result<Response, Failure> {
    show(console, ui, id, error, String::new(), status).await
}

async fn show(
    console: &Console,
    ui: Ui,
    id: DeviceId,
    error: String,
    reason: String,
    status: StatusCode,
) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let known = Known { watching: Watching::load(tx)?, heard: watch::of_day(tx, Some(id), own.now)? };
        Ok((devices::list(tx)?, leases::at_device(tx, &vault, &own, id)?, known))
    };
    let (all, leases, known) = console.app.db.read(load).await?;
    let line = all.into_iter().find(|line| line.device == id).ok_or(Failure::NotFound)?;
    let ui = Ui { zone: known.watching.zone(&ui, line.office), ..ui };
    let contact = line.contact.as_ref();
    let text = |value: Option<String>| value.unwrap_or_else(|| "—".to_owned());
    let details = vec![
        (ui.t("device-epoch"), line.epoch.to_string()),
        (ui.t("device-acked"), text(line.enrolled.map(|(seq, _)| seq.to_string()))),
        (ui.t("device-enrolled"), text(line.enrolled.map(|(_, at)| ui.time(at)))),
        (ui.t("device-address"), text(contact.map(|contact| contact.address.clone()))),
        (
            ui.t("device-directory"),
            text(contact.map(|contact| format!("{}.{}", contact.directory.epoch, contact.directory.n))),
        ),
        (
            ui.t("device-block"),
            text(contact.map(|contact| format!("{}.{}", contact.block.epoch, contact.block.n))),
        ),
        (ui.t("device-duplicates"), text(contact.map(|contact| contact.duplicates.to_string()))),
        (ui.t("device-certificate"), text(line.certificate_ends.map(|at| ui.time(at)))),
        (ui.t("device-id"), line.device.to_string()),
    ];
    let can_end = line.status != DeviceStatus::Revoked;
    let page = DevicePage {
        row: row(&ui, &line, &known),
        id: id.to_string(),
        details,
        limit: known.watching.shown(&ui, line.office, None).words,
        stopped: match line.status {
            DeviceStatus::Forked => Some(KIND_FORK),
            DeviceStatus::Lost => Some(KIND_LOST),
            _ => None,
        },
        ready: readiness::shown(&ui, &line),
        leases,
        can_end,
        error,
        reason,
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// Ends a terminal.
pub async fn revoke(
    State(console): State<Console>,
    Path(device): Path<DeviceId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let reason = posted.fields.get("reason");
    if reason.is_empty() {
        let (ui, error) = (posted.by.ui.clone().at("devices"), posted.by.ui.t("reason-missing"));
        return show(&console, ui, device, error, String::new(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let (note, entry, now) = (note(&console, reason)?, console.app.entry_id()?, console.app.now());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        note.put(tx, Some(staff), now)?;
        let act = Act::DeviceRevoked(DeviceEnded { device, reason: note.commitment });
        acts::take(tx, entry, now, &actor, &act).map(|_| ())
    };
    console.app.write(work).await?;
    Ok(go(&format!("/devices/{device}")))
}

#[derive(Template)]
#[template(path = "invite.html")]
struct InvitePage {
    ui: Ui,
    offices: Vec<(String, String)>,
    office: String,
    name: String,
    error: String,
    code: String,
    expires: String,
}

async fn invite_page(
    console: &Console,
    ui: Ui,
    page: impl FnOnce(InvitePage) -> InvitePage,
) -> Result<String, Failure> {
    let offices = console.app.db.read(people::offices).await?;
    let offices = offices
        .iter()
        .map(|office| (office.code.clone(), format!("{} {}", office.code, ui.pick(&office.name))))
        .collect();
    let empty = InvitePage {
        ui: ui.at("devices"),
        offices,
        office: String::new(),
        name: String::new(),
        error: String::new(),
        code: String::new(),
        expires: String::new(),
    };
    Ok(page(empty).render()?)
}

/// The form for a new terminal.
pub async fn invite_form(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    Ok(Html(invite_page(&console, by.ui, |page| page).await?).into_response())
}

/// Announces a terminal and shows its code, this once.
pub async fn invite(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, name, code) =
        (posted.by.ui.clone(), posted.fields.get("name").to_owned(), posted.fields.get("office").to_owned());
    let offices = console.app.db.read(people::offices).await?;
    let office = offices.iter().find(|office| office.code == code).map(|office| office.office);
    let named = if name.is_empty() { None } else { title(&name).ok() };
    let (Some(office), Some(name)) = (office, named) else {
        let error = ui.t(if office.is_none() { "invite-office-missing" } else { "invite-name-missing" });
        let body = invite_page(&console, ui, |page| InvitePage { error, name, office: code, ..page }).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(body)).into_response());
    };
    let secret: [u8; CODE_BYTES] = random::bytes()?;
    let now = console.app.now();
    let device = DeviceId::new(now, random::bytes()?);
    let (entry, actor) = (console.app.entry_id()?, posted.by.actor());
    let expires = invited(&console, (entry, now), actor, (device, office, name.clone()), secret).await?;
    let code_text = EnrolCode { secret, fingerprint: console.app.authority.fingerprint() }.to_string();
    let expires = ui.time(expires);
    let body =
        invite_page(&console, ui, |page| InvitePage { code: code_text, expires, name, office: code, ..page })
            .await?;
    Ok(Html(body).into_response())
}

async fn invited(
    console: &Console,
    (entry, now): (EntryId, Instant),
    actor: hufu_shared::act::Actor,
    (device, office, name): (DeviceId, OfficeId, String),
    secret: [u8; CODE_BYTES],
) -> Result<Instant, StoreError> {
    let work = move |tx: &mut Tx<'_>| -> Result<Instant, StoreError> {
        let act = Act::DeviceInvited(DeviceInvited { device, office, name: name.clone() });
        acts::take(tx, entry, now, &actor, &act)?;
        devices::put_code(tx, device, &secret, now)
    };
    console.app.write(work).await
}
