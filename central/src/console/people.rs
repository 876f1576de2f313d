//! What is done with a member's record as a whole, in `/api/v1`: secrecy 保密, merging two records of one person and taking
//! them apart again (kind 11), erasure (X17), and who of the club's own staff may not join (G8). Each has a reason, which
//! is sealed, and stands in the record of edits.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::act::{Act, FieldSet, MemberSet, MembersMerged, ProfileSet};
use hufu_shared::ids::{EntryId, MemberId};
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::pages::{is_full, rows_of};
use super::place;
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::random;
use crate::rules::joining::roles::Role;
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{acts, erasure, journal, ties, world};

/// Says whether a member wants secrecy: no greeting at terminals, no search hit at offices, no mailing. `secret` is 1 or
/// 0.
pub async fn set_secrecy(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let secret = match posted.fields.get("secret") {
        "1" => true,
        "0" => false,
        _ => return Err(Refused::unfit(&ui, "verdict-none")),
    };
    let note = reasoned(&console, &ui, &posted.fields)?;
    let salt: [u8; SALT_BYTES] = random::bytes()?;
    let entries: [EntryId; 2] = [console.app.entry_id()?, console.app.entry_id()?];
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (now, vault) = (console.app.now(), console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let (Some(personal), Some(row)) = (vault.reveal(tx, member)?, people::member(tx, member)?) else {
            return Ok(Err("bind-nobody"));
        };
        if people::wants_secrecy(tx, &vault, member, row.personal)? == secret {
            return Ok(Ok(()));
        }
        let data = (row.personal, people::put_personal(tx, &vault, member, &personal, secret, salt)?);
        let set = Act::MembersSet(vec![MemberSet { personal: data.1, ..row }]);
        acts::take(tx, entries[0], now, &actor, &set)?;
        note.put(tx, Some(staff), now)?;
        let change = FieldSet { field: "secret".to_owned(), request: None, taken_over: true };
        let set = ProfileSet { member, changes: vec![change], reason: note.commitment, data: Some(data) };
        acts::take(tx, entries[1], now, &actor, &Act::ProfileSet(set))?;
        Ok(Ok(()))
    };
    console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    Ok(Json(json!({ "member": member, "secret": secret })))
}

/// Merges a record into another one, `into` being that one's number: it goes on as that one from now on.
pub async fn merge(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    tie(&console, member, posted, true).await
}

/// Takes a record out of the one that it was merged into.
pub async fn unmerge(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    tie(&console, member, posted, false).await
}

async fn tie(
    console: &Console,
    merged: MemberId,
    posted: Posted,
    merges: bool,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    let note = reasoned(console, &ui, &posted.fields)?;
    let into = merges.then(|| posted.fields.get("into").to_owned());
    tied(console, &posted.by, note, (merged, into)).await?.map_err(|key| Refused::conflict(&ui, key))?;
    let into = console.app.db.read(move |tx| ties::merged_into(tx, merged)).await?;
    Ok(Json(json!({ "member": merged, "merged_into": into })))
}

/// Merges a record into the one of a number, or without one takes it out of the one that it was merged into; or the key of
/// why that cannot be, and then nothing was written.
///
/// # Errors
/// [`Failure`].
pub(super) async fn tied(
    console: &Console,
    by: &SignedIn,
    note: Note,
    (merged, into): (MemberId, Option<String>),
) -> Result<Result<(), &'static str>, Failure> {
    let (actor, staff) = (by.actor(), by.session.staff);
    let (entry, now) = (console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if world::recovery(tx)?.since.is_some() {
            return Ok(Err("merge-recovering"));
        }
        let known = ties::merged_into(tx, merged)?;
        let survivor = match &into {
            Some(number) => people::member_by_number(tx, number)?,
            None => known,
        };
        let Some(survivor) = survivor else { return Ok(Err("merge-nobody")) };
        let ids = MembersMerged { survivor, merged, reason: note.commitment };
        let act = if into.is_some() { Act::MembersMerged(ids) } else { Act::MembersUnmerged(ids) };
        let done = tx.savepoint("tie", |tx| -> Result<(), Unsaved> {
            note.put(tx, Some(staff), now)?;
            acts::take(tx, entry, now, &actor, &act)?;
            // The rule has the last word: what cannot be has no effect, and then nothing is written at all.
            let stands = ties::merged_into(tx, merged)?;
            let is_done = if into.is_some() { known.is_none() && stands.is_some() } else { stands.is_none() };
            if is_done { Ok(()) } else { Err(Unsaved::Rule) }
        });
        match done {
            Ok(()) => Ok(Ok(())),
            Err(Unsaved::Rule) => Ok(Err("merge-not-possible")),
            Err(Unsaved::Failed(error)) => Err(error),
        }
    };
    Ok(console.app.write(work).await?)
}

/// Why nothing was written.
enum Unsaved {
    /// The rule says no.
    Rule,
    /// The books cannot be written.
    Failed(PeopleError),
}

impl<E: Into<PeopleError>> From<E> for Unsaved {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Erases what is known of a member for good. `number` repeats the member's own, so that nobody is erased by a slip.
pub async fn erase(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_as(&[Role::Admin, Role::Information])?;
    let ui = posted.by.ui.clone();
    let note = reasoned(&console, &ui, &posted.fields)?;
    let number = posted.fields.get("number").to_owned();
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, vault) = (console.app.entry_id()?, console.app.now(), console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if people::member(tx, member)?.is_none_or(|row| row.number != number) {
            return Ok(Err("erase-number"));
        }
        if !erasure::erase(tx, &vault, (entry, now), &actor, (member, note.commitment))? {
            return Ok(Err("erase-not-possible"));
        }
        note.put(tx, Some(staff), now)?;
        Ok(Ok(()))
    };
    console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    Ok(Json(json!({ "member": member, "erased": true })))
}

/// Puts somebody on the list of the club's own staff, or with `ended` 1 takes them off it; `mobile`, `document` or both.
pub async fn set_own_staff(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_as(&[Role::Admin])?;
    let (ui, fields) = (posted.by.ui.clone(), posted.fields.clone());
    let is_staff = fields.get("ended") != "1";
    let mut personal = crate::vault::Personal::default();
    let today = hufu_shared::time::OfficeClock::default().business_day(console.app.now());
    for field in ["mobile", "document"] {
        if !fields.get(field).is_empty() {
            let written = place::write(&mut personal, field, fields.get(field), today);
            written.map_err(|key| Refused::unfit(&ui, key))?;
        }
    }
    let vault = console.app.vault.clone();
    let work = move |tx: &mut Tx<'_>| {
        let document = personal.document.as_ref().map(|document| document.number.as_str());
        vault.set_staff(tx, (personal.mobile.as_deref(), document), is_staff)
    };
    let count = console.app.db.write(work).await?;
    if count == 0 {
        return Err(Refused::unfit(&ui, "staff-nothing"));
    }
    tracing::info!(by = %posted.by.session.login, is_staff, "the list of the club's own staff was changed");
    Ok(Json(json!({ "staff": is_staff })))
}

/// Members with a tag, in the order of their ids.
pub async fn tagged(
    State(console): State<Console>,
    axum::extract::Query(query): axum::extract::Query<TagQuery>,
    _by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let vault = console.app.vault.clone();
    let (after, most) = (query.cursor.unwrap_or(MemberId([0; 16])), rows_of(query.limit));
    let found = move |tx: &mut Tx<'_>| vault.tagged(tx, &query.tag, after, most);
    let members = console.app.db.read(found).await?;
    let next = members.last().filter(|_| is_full(members.len(), most));
    Ok(Json(json!({ "members": members, "next": next })))
}

/// Which tag, and where the page begins.
#[derive(Debug, serde::Deserialize)]
pub struct TagQuery {
    tag: String,
    cursor: Option<MemberId>,
    limit: Option<u32>,
}
