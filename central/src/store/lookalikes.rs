//! Looks up whom an application to join looks like (kind 29, rules K5 to K8), and says so as an act.
//!
//! The sealed form is opened, compared through the vault's keyed hashes and closed again: the act names members and
//! applications by their ids, and says nothing of what they have in common. A form that cannot be read looks like
//! nobody; that is told in the log.
//!
//! Invariant: one act per application, whatever is found; so it is never looked up twice.

use hufu_shared::act::{Act, Actor, LookAlikesFound};
use hufu_shared::fact::{Event, Form};
use hufu_shared::form::{FormContent, FormError, ROUTE_OFFICE};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::Instant;

use super::people::PeopleError;
use super::{StoreError, acts, contact, joining, journal, rows, world};
use crate::db::{SqlFile, Tx};
use crate::rules::judge::lookalike::{self, Application, Found, Route, Situation, Traits};
use crate::rules::posting;
use crate::vault::normal::IndexKind;
use crate::vault::{AlikeInVault, Vault};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("lookalikes", include_str!("../../sql/both/lookalikes.sql"));

/// Name of the job in the journal.
const JOB: &str = "look_alikes";

/// Whether an application waits to be looked up.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn is_waiting(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.query_opt(SQL.get("to_look_up"), &[])?.is_some())
}

/// Looks up the application that has waited longest; `None` if none does.
///
/// # Errors
/// [`PeopleError`]; then nothing was kept.
pub fn look_up(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    entry: EntryId,
    now: Instant,
) -> Result<Option<LookAlikesFound>, PeopleError> {
    journal::pass_gate(tx, now)?;
    let Some(row) = tx.query_opt(SQL.get("to_look_up"), &[])? else { return Ok(None) };
    let id = rows::fact_id_at(&row, 0)?;
    let form = form_of(tx, id, row.blob(3)?)?;
    let content = match (&form, row.blob_opt(4)?) {
        (Some(form), Some(sealed)) => FormContent::open(key, form.commitment, sealed),
        _ => Ok(FormContent::default()),
    };
    let content = content.unwrap_or_else(|error| {
        tracing::warn!(%id, %error, "an application's form cannot be read; it looks like nobody");
        FormContent::default()
    });
    let found = match waits(tx, id)? {
        true => {
            let alike = vault.compare_form(tx, id, &content)?;
            let is_office = form.as_ref().is_some_and(|form| form.route == ROUTE_OFFICE);
            judged(tx, id, is_office, &alike)?.0
        }
        // Its card had said already whose it is.
        false => {
            LookAlikesFound { application: id, members: vec![], applications: vec![], same_document: None }
        }
    };
    if found.same_document.is_some() {
        vault.forget_form(tx, id)?;
    }
    let act = Act::LookAlikesFound(found.clone());
    acts::take(tx, entry, now, &Actor::Job(JOB.to_owned()), &act)?;
    Ok(Some(found))
}

/// Looks up whom an application looks like that is filed at the centre with the form at hand, and which of the three
/// situations of K5 it is; the caller takes the act.
///
/// # Errors
/// [`PeopleError`].
pub fn of_filed(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (id, route): (FactId, &str),
    content: &FormContent,
) -> Result<(LookAlikesFound, Situation), PeopleError> {
    let alike = vault.compare_form(tx, id, content)?;
    let found = judged(tx, id, route == ROUTE_OFFICE, &alike)?;
    if found.0.same_document.is_some() {
        vault.forget_form(tx, id)?;
    }
    Ok(found)
}

/// The members that somebody who is to be entered looks like, the most alike first, at most
/// [`lookalike::SHOWN_BEFORE_ENTRY_MAX`] (C2). Nothing is kept of what was asked.
///
/// # Errors
/// [`PeopleError`].
pub fn before_entry(
    tx: &mut Tx<'_>,
    vault: &Vault,
    content: &FormContent,
) -> Result<Vec<MemberId>, PeopleError> {
    let alike = vault.alike(tx, content)?;
    let (found, _) = judged(tx, FactId::filed([0; 16]), false, &alike)?;
    let all = found.same_document.into_iter().chain(found.members);
    Ok(all.take(lookalike::SHOWN_BEFORE_ENTRY_MAX).collect())
}

/// The form of an application or a request, as its fact holds it.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn form_of(tx: &mut Tx<'_>, id: FactId, body: &[u8]) -> Result<Option<Form>, StoreError> {
    let fact = match contact::read_fact(tx, id, body) {
        Ok(fact) => fact,
        Err(StoreError::Fact { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match fact.event {
        Event::ApplicationTaken(form) | Event::VisitorRegistered(form) => Some(form),
        Event::ComplaintTaken(complaint) => Some(complaint.form),
        Event::ProfileChangeRequested(change) => Some(change.form),
        _ => None,
    })
}

/// The form of a fact that a terminal recorded; none if it is no form, or not here.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn form(tx: &mut Tx<'_>, id: FactId) -> Result<Option<Form>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("sealed"), &rows::fact_id_values(id))? else { return Ok(None) };
    form_of(tx, id, row.blob(0)?)
}

/// What a form says; `None` if its sealed part is not here. The caller records who looked, and why.
///
/// # Errors
/// [`StoreError`] if the database fails; in the answer, if the form cannot be read.
pub fn content(
    tx: &mut Tx<'_>,
    key: &OpenKey,
    id: FactId,
) -> Result<Option<Result<FormContent, FormError>>, StoreError> {
    if id.is_filed() {
        let Some(known) = joining::filed(tx, id)? else { return Ok(None) };
        let row = tx.query_opt(SQL.get("filed_sealed"), &[id.device.0.into()])?;
        let Some(row) = row else { return Ok(None) };
        return Ok(Some(FormContent::open(key, known.form, row.blob(0)?)));
    }
    let Some(row) = tx.query_opt(SQL.get("sealed"), &rows::fact_id_values(id))? else { return Ok(None) };
    let Some(form) = form_of(tx, id, row.blob(0)?)? else { return Ok(None) };
    Ok(row.blob_opt(1)?.map(|sealed| FormContent::open(key, form.commitment, sealed)))
}

/// Whether an application waits to become somebody's.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn waits(tx: &mut Tx<'_>, id: FactId) -> Result<bool, StoreError> {
    if id.is_filed() {
        return Ok(joining::filed(tx, id)?.is_some_and(|known| known.state.is_open()));
    }
    let Some(row) = tx.query_opt(SQL.get("stands"), &rows::fact_id_values(id))? else { return Ok(false) };
    let is_placed = row.blob_opt(0)?.is_some() || row.int_opt(1)?.is_some();
    Ok(!is_placed && row.text(2)? != "quarantined")
}

/// The judge works on traits; of candidates only what they share with the application matters.
fn judged(
    tx: &mut Tx<'_>,
    id: FactId,
    is_office: bool,
    alike: &AlikeInVault,
) -> Result<(LookAlikesFound, Situation), StoreError> {
    let route = if is_office { Route::SalesOffice } else { Route::ServiceCentre };
    let own =
        Traits { document: Some(SHARED), mobile: Some(SHARED), home_phone: Some(SHARED), name: Some(SHARED) };
    let application = Application { id: posting::fact_cause(id), route, traits: own };
    let mut members = Vec::new();
    for (member, by) in &alike.members {
        members.extend(formal(tx, *member)?.map(|member| (member, traits(by.iter().copied()))));
    }
    let mut others = Vec::new();
    let mut named = Vec::new();
    for (other, by) in &alike.forms {
        if waits(tx, *other)? {
            let other_id = posting::fact_cause(*other);
            named.push((other_id, *other));
            others.push(Application { id: other_id, route, traits: traits(by.iter().copied()) });
        }
    }
    let mut found =
        LookAlikesFound { application: id, members: vec![], applications: vec![], same_document: None };
    let terms = world::policy(tx)?.joining;
    let judgement = lookalike::judge(&terms, &application, &members, &others);
    let situation = judgement.situation();
    match judgement {
        Found::Associate(member) | Found::AlreadyMember(member) => found.same_document = Some(member),
        Found::Pending { members, applications } => {
            found.members = members.rows.iter().map(|row| row.id).collect();
            let fact = |hash: Hash| named.iter().find(|row| row.0 == hash).map(|row| row.1);
            found.applications = applications.rows.iter().filter_map(|row| fact(row.id)).collect();
        }
    }
    Ok((found, situation))
}

/// Stands for any value that both sides have: the vault has compared them.
const SHARED: Hash = Hash([1; 32]);

fn traits(shared: impl Iterator<Item = IndexKind>) -> Traits {
    let mut traits = Traits::default();
    for kind in shared {
        match kind {
            IndexKind::Document => traits.document = Some(SHARED),
            IndexKind::Mobile => traits.mobile = Some(SHARED),
            IndexKind::HomePhone => traits.home_phone = Some(SHARED),
            IndexKind::Name => traits.name = Some(SHARED),
            IndexKind::NamePiece | IndexKind::Initials | IndexKind::MobileLast4 => {}
        }
    }
    traits
}

/// A member as somebody to be found: not one who left, was erased or goes on as another.
fn formal(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<MemberId>, StoreError> {
    let Some(row) = tx.query_opt(SQL.get("member"), &[member.0.into()])? else { return Ok(None) };
    let is_formal = rows::member_status(row.text(0)?)? != MemberStatus::Left
        && row.blob_opt(1)?.is_none()
        && !row.flag(2)?;
    Ok(is_formal.then_some(member))
}
