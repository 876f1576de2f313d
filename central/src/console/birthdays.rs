//! Uses of the birthday's discount in `/api/v1` and for pages (S9): using it, taking a use back, and the list of a month,
//! which the monthly list of changes 会员情况变动表 tells of birthdays.
//!
//! A use carries a key: sent twice it is made once. Whether it may be is the rule's to say
//! ([`hufu_shared::rules::birthday`]); the day of birth stays in the vault.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hufu_shared::act::BirthdayUsed;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::member::OfficeRow;
use hufu_shared::rules::birthday::NoBirthday;
use hufu_shared::time::OfficeClock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::coupons::shown_of;
use super::failure::Failure;
use super::pages::{cursor, next, rows_of};
use super::points;
use super::problem::Refused;
use super::signed::{Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::rules::birthdays::{KnownBirthday, month};
use crate::store::StoreError;
use crate::store::birthdays::{self, NotUsed, Used};
use crate::store::people::{self, PeopleError};

/// Longest number of a sales slip.
const SLIP_CHARS_MAX: usize = 50;
/// Length of a month such as `2026-12` at the beginning of a day.
const MONTH_CHARS: usize = 7;

/// The key of the words that say why the birthday does not count.
pub(super) fn key_of(why: NoBirthday) -> &'static str {
    match why {
        NoBirthday::Unknown => "birthday-unknown",
        NoBirthday::NotNow => "birthday-not-now",
        NoBirthday::Used { .. } => "birthday-used",
        NoBirthday::Evidence => "birthday-evidence",
        NoBirthday::NotOwnUse => "birthday-own-use",
    }
}

/// The key of the words that say why the discount is not used, or a use not taken back.
fn refusal(why: NotUsed) -> &'static str {
    match why {
        NotUsed::Member => "points-member",
        NotUsed::NotOffered => "birthday-not-offered",
        NotUsed::Birthday(why) => key_of(why),
        NotUsed::Unknown => "birthday-no-use",
        NotUsed::TakenBack => "birthday-was-taken-back",
        NotUsed::Other => "birthday-other",
    }
}

/// A use in a sentence.
pub(super) fn sentence(ui: &Ui, offices: &[OfficeRow], known: &KnownBirthday) -> String {
    let place = offices.iter().find(|row| row.office == known.office);
    let back = known.taken_back.as_ref().map_or_else(String::new, |back| ui.time(back.0));
    let key = if known.taken_back.is_some() { "birthday-line-back" } else { "birthday-line" };
    let values = [
        ("day", known.day.to_string()),
        ("place", place.map_or_else(|| ui.t("statement-centre"), |row| ui.pick(&row.name))),
        ("slip", known.slip.clone()),
        ("version", known.scheme.to_string()),
        ("back", back),
    ];
    ui.t_of(key, &values)
}

/// A member's uses in sentences, for the member's page.
pub(super) fn told(tx: &mut Tx<'_>, ui: &Ui, member: MemberId) -> Result<Vec<String>, StoreError> {
    let (uses, offices) = (birthdays::of_member(tx, member)?, people::offices(tx)?);
    Ok(uses.iter().map(|known| sentence(ui, &offices, known)).collect())
}

fn use_json(ui: &Ui, offices: &[OfficeRow], known: &KnownBirthday) -> Value {
    let back = known.taken_back.as_ref();
    json!({
        "use": known.id, "member": known.member, "office": known.office, "day": known.day, "at": known.at,
        "slip": known.slip, "scheme": known.scheme, "by": known.by, "taken_back": back.map(|back| back.0),
        "taken_back_by": back.map(|back| &back.1), "sentence": sentence(ui, offices, known),
    })
}

/// Uses the discount as the fields say; the name of the use, and whether it is new.
pub(super) async fn use_as(
    console: &Console,
    posted: &Posted,
) -> Result<Result<(Hash, bool), &'static str>, Failure> {
    let fields = &posted.fields;
    let key = match points::key_of(fields) {
        Ok(key) => key,
        Err(why) => return Ok(Err(why)),
    };
    let slip = fields.get("slip").to_owned();
    if !(1..=SLIP_CHARS_MAX).contains(&slip.chars().count()) {
        return Ok(Err("birthday-slip"));
    }
    if fields.get("reason").is_empty() {
        return Ok(Err("reason-missing"));
    }
    let id = Hash::of(&[b"hufu-birthday-use", key.as_bytes()]);
    let (note, shown) = (note(console, fields.get("reason"))?, shown_of(fields));
    let [member, office] = ["member", "office"].map(|name| fields.get(name).to_owned());
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let vault = console.app.vault.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<Result<Used, &'static str>, PeopleError> {
        let Some(member) = people::member_by_number(tx, &member)? else { return Ok(Err("points-member")) };
        let Some(office) = people::office_of(tx, &office)? else { return Ok(Err("points-office")) };
        let wish = BirthdayUsed { id, member, office, slip: slip.clone(), reason: note.commitment };
        let done = birthdays::use_one(tx, &vault, (&wish, shown), (&note, &actor), (entry, now))?;
        Ok(done.map_err(refusal))
    };
    Ok(console.app.write(work).await?.map(|used| (id, used == Used::Now)))
}

/// Uses the discount: `member` by number, `office` by code, `slip`, `reason`, a `key`, and what was shown: `card`, `id_card`
/// and `own_use` 1.
pub async fn use_one(State(console): State<Console>, posted: Posted) -> Result<Response, Refused> {
    let posted = posted.settled()?;
    match use_as(&console, &posted).await? {
        Ok((id, is_new)) => {
            let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(json!({ "use": id, "new": is_new }))).into_response())
        }
        Err(key @ "birthday-other") => Err(Refused::conflict(&posted.by.ui, key)),
        Err(key) => Err(Refused::unfit(&posted.by.ui, key)),
    }
}

/// Takes a use back with a reason.
pub(super) async fn undo_as(
    console: &Console,
    posted: &Posted,
    id: Hash,
) -> Result<Result<(), NotUsed>, Failure> {
    let note = note(console, posted.fields.get("reason"))?;
    let (entry, now, actor) = (console.app.entry_id()?, console.app.now(), posted.by.actor());
    let work = move |tx: &mut Tx<'_>| birthdays::take_back(tx, id, (&note, &actor), (entry, now));
    Ok(console.app.write(work).await?)
}

/// The key of the words that say why a use is not taken back by this form, if they do.
pub(super) async fn undo_form(console: &Console, posted: &Posted) -> Result<Option<&'static str>, Failure> {
    let Ok(id) = posted.fields.get("use").parse::<Hash>() else { return Ok(Some("birthday-no-use")) };
    if posted.fields.get("reason").is_empty() {
        return Ok(Some("reason-missing"));
    }
    Ok(undo_as(console, posted, id).await?.err().map(refusal))
}

/// Takes a use back: `reason`.
pub async fn undo(
    State(console): State<Console>,
    Path(id): Path<Hash>,
    posted: Posted,
) -> Result<Json<Value>, Refused> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone();
    if posted.fields.get("reason").is_empty() {
        return Err(Refused::unfit(&ui, "reason-missing"));
    }
    match undo_as(&console, &posted, id).await? {
        Ok(()) => {}
        Err(NotUsed::Unknown) => return Err(Failure::NotFound.into()),
        Err(why) => return Err(Refused::conflict(&ui, refusal(why))),
    }
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((birthdays::one(tx, id)?, people::offices(tx)?))
    };
    let (known, offices) = console.app.db.read(load).await?;
    Ok(Json(use_json(&ui, &offices, &known.ok_or(Failure::NotFound)?)))
}

/// Which month and office, and where the page begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BirthdaysQuery {
    month: Option<String>,
    office: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// The month of now, as the list is asked for it.
pub(super) fn month_of_now(ui: &Ui) -> String {
    let today = OfficeClock::default().business_day(ui.now).to_string();
    today.get(..MONTH_CHARS).unwrap_or_default().to_owned()
}

/// Uses in a `month` such as `2026-12`, of an `office` by its code or of all.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<BirthdaysQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    let asked = said(query.month).unwrap_or_else(|| month_of_now(&by.ui));
    let unread = || Refused::said(by.ui.language, StatusCode::BAD_REQUEST, "unreadable", "");
    let days = month(&asked).ok_or_else(unread)?;
    let (at, id) = cursor(query.cursor.as_deref()).ok_or(Failure::NotFound)?;
    let (most, code) = (rows_of(query.limit), said(query.office));
    let load = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let offices = people::offices(tx)?;
        let office = code.as_ref().map(|code| offices.iter().find(|row| row.code == *code));
        let office = match office {
            Some(None) => return Ok(None),
            named => named.flatten().map(|row| row.office),
        };
        Ok(Some((birthdays::page(tx, days, office, (at, Hash(id)), most)?, offices)))
    };
    let (page, offices) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let next = page.last().and_then(|known| next((page.len(), most), known.at, &known.id.0));
    let uses: Vec<Value> = page.iter().map(|known| use_json(&by.ui, &offices, known)).collect();
    Ok(Json(json!({ "month": asked, "uses": uses, "next": next })))
}

/// Uses of one member, the oldest first.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        Ok((people::member(tx, member)?, birthdays::of_member(tx, member)?, people::offices(tx)?))
    };
    let (row, uses, offices) = console.app.db.read(load).await?;
    row.ok_or(Failure::NotFound)?;
    let uses: Vec<Value> = uses.iter().map(|known| use_json(&by.ui, &offices, known)).collect();
    Ok(Json(json!({ "member": member, "uses": uses })))
}
