//! 设备: how every terminal stands, in words; inviting and ending terminals.

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
use super::leases::{self, LeaseShown};
use super::readiness::{self, Badge, ReadyShown};
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::import::text::title;
use crate::random;
use crate::rules::world::DeviceStatus;
use crate::store::devices::{self, DeviceLine};
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, people};

/// Minutes of silence after which a terminal is called offline.
pub const OFFLINE_MINUTES: i64 = 3;

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

struct Row {
    link: String,
    name: String,
    state: String,
    tone: &'static str,
    office: String,
    queued: String,
    contact: String,
    software: String,
    ready: Option<Badge>,
}

fn row(ui: &Ui, line: &DeviceLine) -> Row {
    let contact = line.contact.as_ref();
    Row {
        link: format!("/devices/{}", line.device),
        name: line.name.clone(),
        state: state_words(ui, line),
        tone: presence(line, ui.now).tone(),
        office: line
            .office_words
            .as_ref()
            .map_or_else(String::new, |(code, name)| format!("{code} {}", ui.pick(name))),
        queued: contact.map_or_else(|| "—".to_owned(), |contact| contact.queued.to_string()),
        contact: contact.map_or_else(|| "—".to_owned(), |contact| ui.time(contact.at)),
        software: contact
            .map(|contact| contact.software.clone())
            .filter(|software| !software.is_empty())
            .unwrap_or_else(|| "—".to_owned()),
        ready: readiness::badge(ui, line),
    }
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
    rows: Vec<Row>,
}

/// The list.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<DevicesQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("devices");
    let all = console.app.db.read(devices::list).await?;
    let kinds =
        [Presence::Online, Presence::Offline, Presence::Stopped, Presence::Waiting, Presence::Revoked];
    let count = |kind: Presence| all.iter().filter(|line| presence(line, ui.now) == kind).count();
    let mut tabs = vec![("", ui.t("filter-all"), all.len())];
    tabs.extend(kinds.map(|kind| (kind.code(), ui.t(&format!("presence-{}", kind.code())), count(kind))));
    let state = query.state.filter(|state| kinds.iter().any(|kind| kind.code() == state)).unwrap_or_default();
    let shown = |line: &&DeviceLine| state.is_empty() || presence(line, ui.now).code() == state;
    let rows = all.iter().filter(shown).map(|line| row(&ui, line)).collect();
    Ok(Html(DevicesPage { state, tabs, rows, ui }.render()?).into_response())
}

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    ui: Ui,
    row: Row,
    id: String,
    details: Vec<(String, String)>,
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
        Ok((devices::list(tx)?, leases::at_device(tx, &vault, &own, id)?))
    };
    let (all, leases) = console.app.db.read(load).await?;
    let line = all.into_iter().find(|line| line.device == id).ok_or(Failure::NotFound)?;
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
    let (row, ready) = (row(&ui, &line), readiness::shown(&ui, &line));
    let page = DevicePage { row, id: id.to_string(), details, ready, leases, can_end, error, reason, ui };
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
