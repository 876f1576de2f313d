//! Applications in `/api/v1`: looking before somebody is entered (C2), filing at the centre (K3), the register.
//!
//! Filing is one transaction: the sealed form, the act, and whom it looks like; the answer says which of the three
//! situations of K5 it is. The same key files the same application once, however often it is sent.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::{Act, Actor, ApplicationFiled};
use hufu_shared::dictionary;
use hufu_shared::form::{FIELDS, FormContent, SealedForm};
use hufu_shared::ids::{EntryId, FactId, Hash, OperatorId};
use hufu_shared::joining::JoiningTerms;
use hufu_shared::time::{Instant, OfficeClock};
use serde_json::{Value, json};

use super::Console;
use super::approve::{Approving, Undone};
use super::cases::fact_text;
use super::members::masked_name;
use super::pages::{Order, SortedQuery, rows_of};
use super::place;
use super::problem::Refused;
use super::signed::{AnyRole, Fields, Posted};
use crate::db::Tx;
use crate::random;
use crate::rules::joining::deadline;
use crate::rules::joining::eligible::{self, KIND_PERSON, Mode, Standing};
use crate::rules::joining::roles::{self, Account, Role};
use crate::rules::judge::lookalike::Situation;
use crate::rules::world::KnownFiled;
use crate::store::people::PeopleError;
use crate::store::{StoreError, acts, contact, joining, journal, lookalikes, people, staff, world};
use crate::vault::{Personal, Vault};

/// Longest key of a request.
const KEY_CHARS_MAX: usize = 100;

/// What was written into the fields of a person.
fn content_of(fields: &Fields) -> FormContent {
    let codes = FIELDS.into_iter().chain([place::FIELD_OF_PROJECT]);
    let written = codes.map(|code| (code.to_owned(), fields.get(code).to_owned()));
    FormContent { fields: written.filter(|field| !field.1.is_empty()).collect() }
}

/// What was written as it would be kept; else the key of what is wrong with it (C2, C3).
fn checked(content: &FormContent, now: Instant) -> Result<Personal, &'static str> {
    let mut personal = Personal::default();
    let today = OfficeClock::default().business_day(now);
    let kept = content.fields.iter().filter(|field| place::is_kept(&field.0));
    kept.into_iter().try_for_each(|(field, value)| place::write(&mut personal, field, value, today))?;
    if personal.name.is_empty() { Err("alike-no-name") } else { Ok(personal) }
}

/// Members that look like somebody who is to be entered: at most five, with name and owner (C2).
pub async fn look(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_any()?;
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
    standing: String,
    automatic: bool,
    carer: Option<OperatorId>,
}

impl Source {
    fn of(fields: &Fields, by: &Account) -> Self {
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
            standing: or("standing", Standing::Applicant.code()),
            automatic: fields.get("automatic") == "1",
            // Whoever of a dealer's people enters somebody cares for them until another one is named (L1).
            carer: (!by.role.is_of_centre()).then_some(by.id),
        }
    }

    /// The key of what is wrong with what the applicant is said to be (K1, K4); none if nothing is.
    fn wrong_standing(&self) -> Option<&'static str> {
        let Some(standing) = Standing::from_code(&self.standing) else { return Some("application-code") };
        let mode = if self.automatic { Mode::Automatic } else { Mode::Manual };
        (!eligible::may_come(mode, standing)).then_some("application-automatic")
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
        if let Some(key) = self.wrong_standing() {
            return Ok(Err(key));
        }
        Ok(Ok(ApplicationFiled {
            application,
            route: self.route.clone(),
            way: self.way.clone(),
            kind: self.kind.clone(),
            office: office.map(|row| row.office),
            referrer,
            form,
            standing: self.standing.clone(),
            automatic: self.automatic,
            carer: self.carer,
        }))
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

/// What filing came to.
struct Filed {
    id: FactId,
    known: KnownFiled,
    /// Which of the three situations of K5 it is; none for one that was there before.
    situation: Option<Situation>,
    terms: JoiningTerms,
}

/// Files an application. What a dealer's supervisor or manager enters holds at once, where it looks like nobody (L1).
pub async fn file(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled_any()?;
    let (ui, me) = (posted.by.ui.clone(), posted.by.session.account);
    let now = console.app.now();
    let content = content_of(&posted.fields);
    let personal = checked(&content, now).map_err(|key| Refused::unfit(&ui, key))?;
    let key: String = posted.fields.get("key").chars().take(KEY_CHARS_MAX).collect();
    let id = if key.is_empty() { console.app.entry_id()?.0 } else { named(&key) };
    let sealed = content.seal(&console.app.keys.seal_public(), random::bytes()?);
    let filing = Filing {
        id: FactId::filed(id),
        entries: [console.app.entry_id()?, console.app.entry_id()?],
        source: Source::of(&posted.fields, &me),
        sealed: sealed.map_err(|error| super::failure::Failure::fault(&error))?,
        content,
        now,
    };
    let vault = console.app.vault.clone();
    let at_once = match me.role {
        Role::Supervisor | Role::Manager => Some(Approving::new(&console, &posted).await?),
        _ => None,
    };
    let at_once = at_once.transpose().map_err(|key| Refused::unfit(&ui, key))?;
    let actor = posted.by.actor();
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Filed, &'static str>, PeopleError> {
        // What cannot hold at once is not filed either.
        let done = tx.savepoint("file", |tx| -> Result<Filed, Undone> {
            let mut filed = filing.take(tx, &vault, &actor, &personal)?.map_err(Undone::Key)?;
            if let (Some(at_once), Some(Situation::First)) = (&at_once, filed.situation) {
                at_once.joins(tx, filed.id)?.map_err(Undone::Key)?;
                filed.known = joining::filed(tx, filed.id)?.unwrap_or(filed.known);
            }
            Ok(filed)
        });
        match done {
            Ok(filed) => Ok(Ok(filed)),
            Err(Undone::Key(key)) => Ok(Err(key)),
            Err(Undone::Role) => Ok(Err("request-changed")),
            Err(Undone::Failed(error)) => Err(error),
        }
    };
    let filed = console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    let status = if filed.situation.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut row = row(filed.id, &filed.known, (&filed.terms, now));
    row["situation"] = json!(filed.situation.map(Situation::code));
    Ok((status, Json(row)).into_response())
}

impl Filing {
    /// Takes the application in, with whom it looks like; the one that is there, if the key named it before.
    fn take(
        &self,
        tx: &mut Tx<'_>,
        vault: &Vault,
        actor: &Actor,
        personal: &Personal,
    ) -> Result<Result<Filed, &'static str>, PeopleError> {
        let Self { id, entries, source, content, sealed, now } = self;
        let (id, now) = (*id, *now);
        journal::pass_gate(tx, now)?;
        let terms = world::policy(tx)?.joining;
        if let Some(known) = joining::filed(tx, id)? {
            return Ok(Ok(Filed { id, known, situation: None, terms }));
        }
        let today = OfficeClock::default().business_day(now);
        if let Err(key) = place::may_join(tx, vault, (&source.kind, personal), today)? {
            return Ok(Err(key));
        }
        let act = match source.act(tx, (id, sealed.commitment))? {
            Ok(act) => act,
            Err(key) => return Ok(Err(key)),
        };
        let route = act.route.clone();
        contact::put_sealed(tx, id, &sealed.sealed)?;
        acts::take(tx, entries[0], now, actor, &Act::ApplicationFiled(act))?;
        let (found, situation) = lookalikes::of_filed(tx, vault, (id, &route), content)?;
        acts::take(tx, entries[1], now, actor, &Act::LookAlikesFound(found))?;
        let known = joining::filed(tx, id)?;
        let filed = known.map(|known| Filed { id, known, situation: Some(situation), terms });
        Ok(filed.ok_or("request-changed"))
    }
}

/// The id of the application that a key names.
fn named(key: &str) -> [u8; 16] {
    let hash = Hash::of(&[b"hufu-application", key.as_bytes()]).0;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// An application as it is told; with the last day on which it stands, and whether its time is up, while it waits.
pub(super) fn row(id: FactId, known: &KnownFiled, (terms, now): (&JoiningTerms, Instant)) -> Value {
    let today = OfficeClock::default().business_day(now);
    let waits = known.state.is_open();
    let last = deadline::last_day(terms, &known.route, known.day).filter(|_| waits);
    json!({
        "application": fact_text(id), "route": known.route, "way": known.way, "kind": known.kind,
        "office": known.office, "referrer": known.referrer, "filed": known.filed, "state": known.state.code(),
        "member": known.member, "standing": known.standing.code(), "automatic": known.automatic,
        "carer": known.carer, "last_day": last,
        "overdue": waits && deadline::is_over(terms, &known.route, known.day, today),
    })
}

/// All applications that were filed at the centre, the oldest first; a dealer's people get those that they see (L1).
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<SortedQuery>,
    AnyRole(by): AnyRole,
) -> Result<Json<Value>, Refused> {
    let order = Order::of(query.sort.as_deref(), "filed");
    let (at, id) = order.place(&by.ui, query.cursor.as_deref())?;
    let (most, sort) = (rows_of(query.limit), order.name().to_owned());
    let (me, now) = (by.session.account, console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let page = joining::filed_page(tx, (&sort, at, id), most)?;
        let people: Vec<Account> = staff::accounts(tx)?.into_iter().map(|account| account.0).collect();
        Ok((page, people, world::policy(tx)?.joining))
    };
    let (page, people, terms) = console.app.db.read(load).await?;
    let last = page.last();
    let next = last.and_then(|(id, known)| order.next((page.len(), most), known.filed.0, &id.device.0));
    let carer = |known: &KnownFiled| people.iter().find(|account| Some(account.id) == known.carer);
    let seen = page.iter().filter(|(_, known)| roles::sees(&me, carer(known)));
    let rows: Vec<Value> = seen.map(|(id, known)| row(*id, known, (&terms, now))).collect();
    Ok(Json(json!({ "applications": rows, "next": next })))
}
