//! Applications in `/api/v1`: looking before somebody is entered (C2), filing at the centre (K3), the register.
//!
//! Filing is one transaction: the sealed form, the act, and whom it looks like; the answer says which of the three
//! situations of K5 it is. The same key files the same application once, however often it is sent.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{Act, ApplicationFiled};
use hufu_shared::dictionary;
use hufu_shared::form::{FIELDS, FormContent, SealedForm};
use hufu_shared::ids::{EntryId, FactId, Hash};
use hufu_shared::time::{Instant, OfficeClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::cases::fact_text;
use super::members::masked_name;
use super::place;
use super::problem::Refused;
use super::signed::{Fields, Posted, SignedIn};
use crate::db::Tx;
use crate::random;
use crate::rules::joining::eligible::KIND_PERSON;
use crate::rules::world::KnownFiled;
use crate::store::people::PeopleError;
use crate::store::{acts, contact, joining, journal, lookalikes, people};
use crate::vault::Personal;

/// Rows of one page.
pub(super) const PAGE_ROWS: i64 = 100;
/// Longest key of a request.
const KEY_CHARS_MAX: usize = 100;

/// What was written into the fields of a person.
fn content_of(fields: &Fields) -> FormContent {
    let written = FIELDS.into_iter().map(|code| (code.to_owned(), fields.get(code).to_owned()));
    FormContent { fields: written.filter(|field| !field.1.is_empty()).collect() }
}

/// What was written as it would be kept; else the key of what is wrong with it (C2, C3).
fn checked(content: &FormContent, now: Instant) -> Result<Personal, &'static str> {
    let mut personal = Personal::default();
    let today = OfficeClock::default().business_day(now);
    content.fields.iter().try_for_each(|(field, value)| place::write(&mut personal, field, value, today))?;
    if personal.name.is_empty() { Err("alike-no-name") } else { Ok(personal) }
}

/// Members that look like somebody who is to be entered: at most five, with name and owner (C2).
pub async fn look(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let (vault, content) = (console.app.vault.clone(), content_of(&posted.fields));
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Value>, PeopleError> {
        let offices = people::offices(tx)?;
        let mut rows = Vec::new();
        for member in lookalikes::before_entry(tx, &vault, &content)? {
            let Some(row) = people::member(tx, member)? else { continue };
            let office = offices.iter().find(|office| Some(office.office) == row.office);
            rows.push(json!({
                "member": member, "number": row.number, "name": masked_name(tx, &vault, Some(member))?,
                "owner": office.map(|office| ui.pick(&office.name)),
            }));
        }
        Ok(rows)
    };
    Ok(Json(json!({ "members": console.app.db.read(load).await? })))
}

/// Where an application comes from, as it was posted.
struct Source {
    route: String,
    way: Option<String>,
    kind: String,
    office: String,
    referrer: String,
}

impl Source {
    fn of(fields: &Fields) -> Self {
        let or = |name: &str, other: &str| match fields.get(name) {
            "" => other.to_owned(),
            met => met.to_owned(),
        };
        Self {
            route: or("route", dictionary::ROUTE_OF_CENTRE),
            way: Some(fields.get("way").to_owned()).filter(|way| !way.is_empty()),
            kind: or("kind", KIND_PERSON),
            office: fields.get("office").to_owned(),
            referrer: fields.get("referrer").to_owned(),
        }
    }

    /// The act, if every code is one that can be chosen; else the key of what is wrong.
    fn act(
        &self,
        tx: &mut Tx<'_>,
        (application, form): (FactId, Hash),
    ) -> Result<Result<ApplicationFiled, &'static str>, PeopleError> {
        let is_centre = self.route == dictionary::ROUTE_OF_CENTRE;
        let way = self.way.as_deref();
        let fits = joining::can_choose(tx, dictionary::ROUTE, &self.route)?
            && joining::can_choose(tx, dictionary::MEMBER_KIND, &self.kind)?;
        let way_fits = match way {
            Some(way) => is_centre && joining::can_choose(tx, dictionary::ROUTE_CENTRE, way)?,
            None => true,
        };
        if !fits || !way_fits {
            return Ok(Err("application-code"));
        }
        let office = people::offices(tx)?.into_iter().find(|row| row.code == self.office);
        let referrer = match self.referrer.as_str() {
            "" => None,
            number => people::member_by_number(tx, number)?,
        };
        let is_office_known = self.office.is_empty() || office.is_some();
        if !is_office_known || (!self.referrer.is_empty() && referrer.is_none()) {
            return Ok(Err("application-code"));
        }
        let office = office.map(|row| row.office);
        let Self { route, way, kind, .. } = self;
        let (route, way, kind) = (route.clone(), way.clone(), kind.clone());
        Ok(Ok(ApplicationFiled { application, route, way, kind, office, referrer, form }))
    }
}

/// Everything that filing needs of the shell.
struct Filing {
    id: FactId,
    entries: [EntryId; 2],
    source: Source,
    content: FormContent,
    sealed: SealedForm,
    now: Instant,
}

/// Files an application.
pub async fn file(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let now = console.app.now();
    let content = content_of(&posted.fields);
    let personal = checked(&content, now).map_err(|key| Refused::unfit(&ui, key))?;
    let key: String = posted.fields.get("key").chars().take(KEY_CHARS_MAX).collect();
    let id = if key.is_empty() { console.app.entry_id()?.0 } else { named(&key) };
    let sealed = content.seal(&console.app.keys.seal_public(), random::bytes()?);
    let filing = Filing {
        id: FactId::filed(id),
        entries: [console.app.entry_id()?, console.app.entry_id()?],
        source: Source::of(&posted.fields),
        sealed: sealed.map_err(|error| super::failure::Failure::fault(&error))?,
        content,
        now,
    };
    let (vault, actor) = (console.app.vault.clone(), posted.by.actor());
    let work =
        move |tx: &mut Tx<'_>| -> Result<Result<(FactId, KnownFiled, bool), &'static str>, PeopleError> {
            journal::pass_gate(tx, filing.now)?;
            if let Some(known) = joining::filed(tx, filing.id)? {
                return Ok(Ok((filing.id, known, false)));
            }
            let today = OfficeClock::default().business_day(filing.now);
            if let Err(key) = place::may_join(tx, &filing.source.kind, &personal, today)? {
                return Ok(Err(key));
            }
            let Filing { id, entries, source, content, sealed, now } = &filing;
            let act = match source.act(tx, (*id, sealed.commitment))? {
                Ok(act) => act,
                Err(key) => return Ok(Err(key)),
            };
            let route = act.route.clone();
            contact::put_sealed(tx, *id, &sealed.sealed)?;
            acts::take(tx, entries[0], *now, &actor, &Act::ApplicationFiled(act))?;
            let found = lookalikes::of_filed(tx, &vault, (*id, &route), content)?;
            acts::take(tx, entries[1], *now, &actor, &Act::LookAlikesFound(found))?;
            let known = joining::filed(tx, *id)?;
            Ok(known.map(|known| (*id, known, true)).ok_or("request-changed"))
        };
    let (id, known, is_new) = console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(row(id, &known))).into_response())
}

/// The id of the application that a key names.
fn named(key: &str) -> [u8; 16] {
    let hash = Hash::of(&[b"hufu-application", key.as_bytes()]).0;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

fn row(id: FactId, known: &KnownFiled) -> Value {
    json!({
        "application": fact_text(id), "route": known.route, "way": known.way, "kind": known.kind,
        "office": known.office, "referrer": known.referrer, "filed": known.filed, "state": known.state.code(),
        "member": known.member,
    })
}

/// Where a page begins.
#[derive(Debug, Deserialize)]
pub struct PageQuery {
    after: Option<String>,
}

/// A place in a list: an instant and an id.
pub(super) fn cursor<const N: usize>(after: Option<&str>) -> Option<(Instant, [u8; N])> {
    let Some((at, id)) = after.and_then(|after| after.split_once('.')) else {
        return after.is_none().then_some((Instant(i64::MIN), [0; N]));
    };
    let id = data_encoding::HEXLOWER.decode(id.as_bytes()).ok()?;
    Some((Instant(at.parse().ok()?), id.try_into().ok()?))
}

/// The text of a place in a list, if there may be more after it.
pub(super) fn next(rows: usize, at: Instant, id: &[u8]) -> Option<String> {
    let is_full = i64::try_from(rows).is_ok_and(|rows| rows >= PAGE_ROWS);
    is_full.then(|| format!("{}.{}", at.0, data_encoding::HEXLOWER.encode(id)))
}

/// All applications that were filed at the centre, the oldest first.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<PageQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let from = cursor(query.after.as_deref()).ok_or(super::failure::Failure::NotFound)?;
    let page = console.app.db.read(move |tx| joining::filed_page(tx, from, PAGE_ROWS)).await?;
    let next = page.last().and_then(|(id, known)| next(page.len(), known.filed, &id.device.0));
    let rows: Vec<Value> = page.iter().map(|(id, known)| row(*id, known)).collect();
    Ok(Json(json!({ "applications": rows, "next": next })))
}
