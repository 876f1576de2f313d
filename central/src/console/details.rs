//! Members' details and base data in `/api/v1`: kind, referrer, representative and tags (E2, V2), and base data
//! edits (K13; the record of them is [`super::edits`]). Every change has a reason, which is sealed; everything personal is shown masked.

use axum::Json;
use axum::extract::{Path, State};
use hufu_shared::act::{Act, Actor, FieldSet, MemberDetailSet, MemberSet, ProfileSet};
use hufu_shared::dictionary;
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::seal;
use hufu_shared::time::{Day, Instant, OfficeClock};
use serde_json::{Value, json};

use super::Console;
use super::accounts::carer_of;
use super::failure::Failure;
use super::place;
use super::problem::Refused;
use super::signed::{AnyRole, Fields, Posted, SignedIn};
use super::verdict::reasoned;
use crate::db::Tx;
use crate::random;
use crate::rules::joining::roles::{self, Account};
use crate::rules::joining::{details as rule, eligible, fields};
use crate::store::acts::Note;
use crate::store::people::{self, PeopleError, SALT_BYTES};
use crate::store::{acts, details, joining, journal};
use crate::vault::{Personal, Vault, document, mask, normal};

/// The key that says that the data is not what the person saw.
pub(super) const CHANGED: &str = "record-changed";

/// A representative's name and mobile, as they are sealed.
fn representative_text(name: &str, mobile: &str) -> Result<Option<String>, &'static str> {
    if name.is_empty() {
        return Ok(None);
    }
    let name = fields::name(name).map_err(|error| error.code())?;
    let mobile = match mobile {
        "" => None,
        mobile => Some(fields::mobile(normal::mobile(mobile)).map_err(|error| error.code())?),
    };
    Ok(Some(json!({ "name": name, "mobile": mobile }).to_string()))
}

/// The masked name of a representative.
fn representative(
    tx: &mut Tx<'_>,
    vault: &Vault,
    member: MemberId,
    commitment: Option<Hash>,
) -> Result<Option<String>, PeopleError> {
    let Some(commitment) = commitment else { return Ok(None) };
    let Some(kept) = vault.text(tx, member, commitment)? else { return Ok(None) };
    let read: Option<Value> = serde_json::from_slice(kept.get(SALT_BYTES..).unwrap_or_default()).ok();
    Ok(read.and_then(|value| value["name"].as_str().map(mask::name)))
}

/// The day of birth, as told or as the identity card says it (T2).
fn born(person: &Personal) -> Option<Day> {
    person.birthday.or_else(|| person.document.as_ref().and_then(document::born))
}

/// What the club keeps of a member beside the base data.
pub async fn one(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    AnyRole(by): AnyRole,
) -> Result<Json<Value>, Refused> {
    let me = by.session.account;
    let vault = console.app.vault.clone();
    let today = OfficeClock::default().business_day(console.app.now());
    let load = move |tx: &mut Tx<'_>| -> Result<Option<Value>, PeopleError> {
        // Who may not see a member does not learn that there is one.
        if people::member(tx, member)?.is_none() || !roles::sees(&me, carer_of(tx, member)?.as_ref()) {
            return Ok(None);
        }
        let known = details::of(tx, member)?.unwrap_or_default();
        let representative = representative(tx, &vault, member, known.representative)?;
        let born = vault.reveal(tx, member)?.and_then(|person| born(&person));
        Ok(Some(json!({
            "member": member, "kind": known.kind, "referrer": known.referrer,
            "tags": vault.tags(tx, member, known.tags)?, "representative": representative,
            "carer": known.carer, "age": born.and_then(|born| eligible::age_on(born, today)),
        })))
    };
    Ok(Json(console.app.db.read(load).await?.ok_or(Failure::NotFound)?))
}

/// Sets it, whole: kind, referrer (a number), tags with commas between; a representative's name and mobile name the
/// successor, without them whoever is one stays.
pub async fn set(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let (ui, form) = (posted.by.ui.clone(), &posted.fields);
    let note = reasoned(&console, &ui, form)?;
    let text = representative_text(form.get("representative"), form.get("representative_mobile"));
    let text = text.map_err(|key| Refused::unfit(&ui, key))?;
    let (salt, tags_salt): ([u8; SALT_BYTES], [u8; SALT_BYTES]) = (random::bytes()?, random::bytes()?);
    let tags: Vec<String> = form
        .get("tags")
        .split([',', '，'])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect();
    let tags = rule::check_tags(&tags).map_err(|error| Refused::unfit_as("details", error.to_string()))?;
    let (kind, number) = (form.get("kind").to_owned(), form.get("referrer").to_owned());
    let (actor, staff) = (posted.by.actor(), posted.by.session.staff);
    let (entry, now, vault) = (console.app.entry_id()?, console.app.now(), console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<(), String>, PeopleError> {
        journal::pass_gate(tx, now)?;
        let referrer = if number.is_empty() { None } else { people::member_by_number(tx, &number)? };
        let is_known = vault.knows(tx, member)? && (number.is_empty() || referrer.is_some());
        if !is_known || !joining::can_choose(tx, dictionary::MEMBER_KIND, &kind)? {
            return Ok(Err("the member, the kind or the referrer is not known".to_owned()));
        }
        let before = details::of(tx, member)?.and_then(|known| known.representative);
        let fresh = text.as_ref().map(|text| seal::commitment(&salt, text.as_bytes()));
        let kind = kind.clone();
        let representative = fresh.or(before.filter(|_| eligible::is_organisation(&kind)));
        let reason = note.commitment;
        let mut set = MemberDetailSet { member, kind, referrer, representative, tags: None, reason };
        if let Err(error) = rule::check(&set, before) {
            return Ok(Err(error.to_string()));
        }
        set.tags = vault.put_tags(tx, member, &tags, tags_salt)?;
        if let (Some(text), Some(commitment)) = (&text, fresh) {
            vault.put_text(tx, member, commitment, &[&salt[..], text.as_bytes()].concat())?;
        }
        note.put(tx, Some(staff), now)?;
        acts::take(tx, entry, now, &actor, &Act::MemberDetailSet(set))?;
        Ok(Ok(()))
    };
    console.app.write(work).await?.map_err(|detail| Refused::unfit_as("details", detail))?;
    Ok(Json(json!({ "member": member })))
}

/// Base data that a person edits, with everything that writing it needs of the shell.
pub(super) struct Editing {
    vault: Vault,
    by: Account,
    actor: Actor,
    note: Note,
    salt: [u8; SALT_BYTES],
    entries: [EntryId; 2],
    now: Instant,
    /// Each field with what was typed.
    fields: Vec<(&'static str, String)>,
    /// The data that the person saw, if what they type shall not be written over anything else.
    pub(super) seen: Option<Hash>,
}

impl Editing {
    /// Of these fields, for this reason.
    ///
    /// # Errors
    /// [`Failure`] if there is no id or no randomness.
    pub(super) fn new(
        console: &Console,
        by: &SignedIn,
        note: Note,
        fields: Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            vault: console.app.vault.clone(),
            by: by.session.account,
            actor: by.actor(),
            note,
            salt: random::bytes()?,
            entries: [console.app.entry_id()?, console.app.entry_id()?],
            now: console.app.now(),
            fields,
            seen: None,
        })
    }

    /// Writes data and acts of a member; or the key of what is wrong, and then nothing.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub(super) fn write(
        &self,
        tx: &mut Tx<'_>,
        member: MemberId,
    ) -> Result<Result<(), &'static str>, PeopleError> {
        let (vault, now) = (&self.vault, self.now);
        journal::pass_gate(tx, now)?;
        let (Some(mut personal), Some(row)) = (vault.reveal(tx, member)?, people::member(tx, member)?) else {
            return Ok(Err("bind-nobody"));
        };
        if !roles::sees(&self.by, carer_of(tx, member)?.as_ref()) {
            return Ok(Err("bind-nobody"));
        }
        if self.seen.is_some_and(|seen| seen != row.personal) {
            return Ok(Err(CHANGED));
        }
        let today = OfficeClock::default().business_day(now);
        for (field, value) in &self.fields {
            if let Err(key) = place::write(&mut personal, field, value, today) {
                return Ok(Err(key));
            }
        }
        let secret = people::wants_secrecy(tx, vault, member, row.personal)?;
        let data = (row.personal, people::put_personal(tx, vault, member, &personal, secret, self.salt)?);
        let set = Act::MembersSet(vec![MemberSet { personal: data.1, ..row }]);
        acts::take(tx, self.entries[0], now, &self.actor, &set)?;
        let change = |(field, _): &(&'static str, String)| FieldSet {
            field: (*field).to_owned(),
            request: None,
            taken_over: true,
        };
        let changes = self.fields.iter().map(change).collect();
        self.note.put(tx, Some(self.by.id), now)?;
        let set = ProfileSet { member, changes, reason: self.note.commitment, data: Some(data) };
        acts::take(tx, self.entries[1], now, &self.actor, &Act::ProfileSet(set))?;
        Ok(Ok(()))
    }
}

/// The fields of base data that were filled in.
pub(super) fn filled(form: &Fields) -> Vec<(&'static str, String)> {
    let written = FIELDS.into_iter().filter(|field| !form.get(field).is_empty());
    written.map(|field| (field, form.get(field).to_owned())).collect()
}

/// Edits base data, by the centre (K13) or by who cares for the member (L1): each field that was posted is written, in the form that its rule says (C2, C3).
pub async fn profile(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled_any()?;
    let (ui, fields) = (posted.by.ui.clone(), filled(&posted.fields));
    let note = reasoned(&console, &ui, &posted.fields)?;
    if fields.is_empty() {
        return Err(Refused::unfit(&ui, "details-nothing"));
    }
    let edited: Vec<&'static str> = fields.iter().map(|field| field.0).collect();
    let editing = Editing::new(&console, &posted.by, note, fields)?;
    let work = move |tx: &mut Tx<'_>| editing.write(tx, member);
    console.app.write(work).await?.map_err(|key| Refused::unfit(&ui, key))?;
    Ok(Json(json!({ "member": member, "fields": edited })))
}
