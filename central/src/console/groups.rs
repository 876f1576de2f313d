//! The club's own groups of fields in `/api/v1` (Y1, Z1): setting them up, filling them in, and reading them as their
//! class allows. What members' fields say is sealed in the vault; who opens a protected group says why, and that stands
//! in the record of edits.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::act::{Act, CustomSet, DataOpened, FieldGroup};
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::seal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::random;
use crate::rules::joining::details as rule;
use crate::rules::joining::roles::{Reads, Role};
use crate::store::people::{PeopleError, SALT_BYTES};
use crate::store::{acts, details, journal};
use crate::vault::{Vault, VaultError};

/// Fields of a form that hold values begin so.
const VALUE_PREFIX: &str = "field.";
/// What is shown where something stands that is not shown.
const FILLED_IN: &str = "****";

/// Groups that come with the program.
static READY: LazyLock<Vec<FieldGroup>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        group: Vec<FieldGroup>,
    }
    let file: File = toml::from_str(include_str!("../../assets/field-groups.toml"))
        .expect("the file that comes with the program is read by a test");
    file.group
});

/// The club's groups.
pub async fn list(State(console): State<Console>, _by: SignedIn) -> Result<Json<Value>, Refused> {
    Ok(Json(json!({ "groups": console.app.db.read(details::groups).await? })))
}

/// Groups that come with the program, to be taken over with `ready` and changed afterwards.
pub async fn ready(_by: SignedIn) -> Result<Json<Value>, Refused> {
    Ok(Json(json!({ "groups": *READY })))
}

/// Sets a group up, or anew: `ready` names one that comes with the program, or `group` is one as JSON. Nothing is
/// deleted: what is left out stays to be read.
pub async fn set(State(console): State<Console>, posted: Posted) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_as(&[Role::Admin, Role::Information])?;
    let ui = posted.by.ui.clone();
    let group: Option<FieldGroup> = match posted.fields.get("ready") {
        "" => serde_json::from_str(posted.fields.get("group")).ok(),
        code => READY.iter().find(|group| group.code == code).cloned(),
    };
    let group = group.ok_or_else(|| Refused::unfit(&ui, "group-unreadable"))?;
    let (actor, entry, now) = (posted.by.actor(), console.app.entry_id()?, console.app.now());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<FieldGroup, String>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let known = details::groups(tx)?;
        let before = known.iter().find(|known| known.code == group.code);
        let stands = match rule::succeed(before, &group) {
            Ok(stands) => stands,
            Err(error) => return Ok(Err(error.to_string())),
        };
        acts::take(tx, entry, now, &actor, &Act::FieldGroupSet(group.clone()))?;
        Ok(Ok(stands))
    };
    let stands = console.app.write(work).await?.map_err(|detail| Refused::unfit_as("group", detail))?;
    Ok(Json(json!(stands)))
}

/// What a member's fields of a group say; empty where nothing was ever filled in.
fn kept(
    tx: &mut Tx<'_>,
    vault: &Vault,
    member: MemberId,
    group: &str,
) -> Result<BTreeMap<String, String>, PeopleError> {
    let known = details::customs(tx, member)?.into_iter().find(|known| known.0 == group);
    let Some((_, commitment)) = known else { return Ok(BTreeMap::new()) };
    let Some(text) = vault.text(tx, member, commitment)? else { return Ok(BTreeMap::new()) };
    // What cannot be read is not empty: whoever fills in one field would write the others away.
    let values = text.get(SALT_BYTES..).and_then(|values| serde_json::from_slice(values).ok());
    values.ok_or_else(|| VaultError::Sealed { column: "sealed", member }.into())
}

fn find(tx: &mut Tx<'_>, code: &str) -> Result<Option<FieldGroup>, PeopleError> {
    Ok(details::groups(tx)?.into_iter().find(|group| group.code == code))
}

/// A member's fields of a group, as far as class and role allow without a reason.
pub async fn of_member(
    State(console): State<Console>,
    Path((member, code)): Path<(MemberId, String)>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let vault = console.app.vault.clone();
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let Some(group) = find(tx, &code)? else { return Ok(None) };
        Ok(Some((kept(tx, &vault, member, &code)?, group)))
    };
    let (mut values, group) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    match by.session.account.role.reads(group.class) {
        Reads::Clear => {}
        Reads::WithReason => values.values_mut().for_each(|value| FILLED_IN.clone_into(value)),
        Reads::No => return Err(Failure::Role.into()),
    }
    Ok(Json(json!({ "group": group.code, "class": group.class.code(), "values": values })))
}

/// The same as it stands there, for a stated reason, which is put on record.
pub async fn open(
    State(console): State<Console>,
    Path((member, code)): Path<(MemberId, String)>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, role) = (posted.by.ui.clone(), posted.by.session.account.role);
    let note = reasoned(&console, &ui, &posted.fields)?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, vault) = (console.app.entry_id()?, console.app.now(), console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<_, Failure>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let Some(group) = find(tx, &code)? else { return Ok(Err(Failure::NotFound)) };
        if role.reads(group.class) == Reads::No {
            return Ok(Err(Failure::Role));
        }
        // The record stands before anybody sees anything.
        let opened = DataOpened { member, what: format!("group/{code}"), reason: note.commitment };
        note.put(tx, Some(staff), now)?;
        acts::take(tx, entry, now, &actor, &Act::DataOpened(opened))?;
        Ok(Ok((kept(tx, &vault, member, &code)?, group)))
    };
    let (values, group) = console.app.write(work).await??;
    Ok(Json(json!({ "group": group.code, "class": group.class.code(), "values": values })))
}

/// Fills in a member's fields of a group: each field that is sent as `field.` and its code is written, an empty one is
/// taken away, and the others stay.
pub async fn fill_in(
    State(console): State<Console>,
    Path((member, code)): Path<(MemberId, String)>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, form, role) = (posted.by.ui.clone(), posted.fields.clone(), posted.by.session.account.role);
    let note = reasoned(&console, &ui, &form)?;
    let salt: [u8; SALT_BYTES] = random::bytes()?;
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, vault) = (console.app.entry_id()?, console.app.now(), console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Vec<String>, Refused>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let (Some(group), true) = (find(tx, &code)?, vault.knows(tx, member)?) else {
            return Ok(Err(Failure::NotFound.into()));
        };
        if !role.fills_in(group.class) {
            return Ok(Err(Failure::Role.into()));
        }
        let sent: Vec<(&str, &str)> =
            form.all().filter_map(|(name, value)| Some((name.strip_prefix(VALUE_PREFIX)?, value))).collect();
        let fresh = match rule::values(&group, sent.iter().copied()) {
            Ok(fresh) if !group.retired => fresh,
            Ok(_) => return Ok(Err(Failure::NotFound.into())),
            Err(error) => return Ok(Err(Refused::unfit_as("group", error.to_string()))),
        };
        let mut values = kept(tx, &vault, member, &code)?;
        values.retain(|field, _| sent.iter().all(|(sent, _)| sent != field));
        values.extend(fresh);
        let text = json!(values).to_string();
        let commitment: Hash = seal::commitment(&salt, text.as_bytes());
        vault.put_text(tx, member, commitment, &[&salt[..], text.as_bytes()].concat())?;
        note.put(tx, Some(staff), now)?;
        let set = CustomSet { member, group: code.clone(), values: commitment, reason: note.commitment };
        acts::take(tx, entry, now, &actor, &Act::CustomSet(set))?;
        Ok(Ok(values.into_keys().collect()))
    };
    let filled = console.app.write(work).await??;
    Ok(Json(json!({ "member": member, "filled": filled })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_y01_z01_the_groups_that_come_with_the_program_can_be_set_up() {
        for group in READY.iter() {
            rule::check_group(group).unwrap_or_else(|error| panic!("{}: {error}", group.code));
        }
        let codes: Vec<&str> = READY.iter().map(|group| group.code.as_str()).collect();
        let expected =
            ["skin", "person", "family", "income", "home", "intention", "other", "travel", "company"];
        assert_eq!(codes, expected);
    }
}
