//! Sealed forms as an admin sees them: whom an application looks like (K7), and what requests ask for (kind 15).
//!
//! Everything personal is masked; what is the same on both sides is told by words.

use hufu_shared::act::LookAlikesFound;
use hufu_shared::cbor;
use hufu_shared::form::{FIELDS, FormContent};
use hufu_shared::ids::{FactId, MemberId};
use hufu_shared::seal::OpenKey;

use super::cases::fact_text;
use super::compare::{Compared, ComparedRow};
use super::ui::Ui;
use crate::db::Tx;
use crate::store::cases::{Case, Side};
use crate::store::lookalikes;
use crate::store::people::{self, PeopleError};
use crate::vault::{Sex, Vault, mask, normal};

/// Kind of the case about an application.
pub const KIND_LOOK_ALIKE: u8 = 29;
/// Kind of the case about requests.
pub const KIND_PROFILE: u8 = 15;

/// An application and those whom it looks like.
#[derive(Debug, Clone, Default)]
pub struct Alike {
    /// What was written: label and masked value.
    pub written: Vec<(String, String)>,
    /// Similar members: at most one is chosen.
    pub members: Vec<Pick>,
    /// Similar applications that still wait: many can be chosen.
    pub applications: Vec<Pick>,
}

/// Somebody to choose.
#[derive(Debug, Clone)]
pub struct Pick {
    /// In forms.
    pub id: String,
    /// Who.
    pub title: String,
    /// What else is known of them.
    pub detail: String,
    /// What is the same.
    pub same: String,
}

/// A value as it is shown of a field.
pub fn masked(field: &str, value: &str) -> String {
    match field {
        "name" => mask::name(value),
        "mobile" | "home_phone" => mask::mobile(value),
        "document" => mask::document(value),
        "email" => mask::email(value),
        "address" => mask::address(value),
        "birthday" => format!("{}-**-**", value.chars().take(4).collect::<String>()),
        "sex" => value.to_owned(),
        _ => "****".to_owned(),
    }
}

/// A value as people read it: a code in words, everything personal masked.
pub fn shown(ui: &Ui, field: &str, value: &str) -> String {
    match Sex::from_code(value).filter(|_| field == "sex") {
        Some(sex) => ui.t(&format!("sex-{}", sex.code())),
        None => masked(field, value),
    }
}

/// The words for a field.
pub fn field_words(ui: &Ui, field: &str) -> String {
    if FIELDS.contains(&field) { ui.t(&format!("field-{field}")) } else { field.to_owned() }
}

fn same(ui: &Ui, one: &FormContent, other: impl Fn(&str) -> Option<String>) -> String {
    let normal = |field: &str, value: &str| match field {
        "mobile" | "home_phone" => normal::mobile(value).unwrap_or_default(),
        "document" => normal::document_number(value),
        _ => normal::name(value),
    };
    let keys = ["document", "mobile", "home_phone", "name"].into_iter().filter(|field| {
        let ours = one.get(field).map(|value| normal(field, value)).filter(|value| !value.is_empty());
        ours.is_some() && ours == other(field).map(|value| normal(field, &value))
    });
    let words: Vec<String> = keys.map(|field| field_words(ui, field)).collect();
    if words.is_empty() { String::new() } else { ui.t_with("alike-same", &[("fields", &words.join("、"))]) }
}

fn readable(tx: &mut Tx<'_>, key: &OpenKey, id: FactId) -> Result<FormContent, PeopleError> {
    Ok(lookalikes::content(tx, key, id)?.and_then(Result::ok).unwrap_or_default())
}

/// An application's case, for a person to decide.
///
/// # Errors
/// [`PeopleError`].
pub fn alike(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    ui: &Ui,
    case: &Case,
) -> Result<Option<Alike>, PeopleError> {
    let Ok(found) = cbor::decode::<LookAlikesFound>(&case.known.detail) else { return Ok(None) };
    let content = readable(tx, key, found.application)?;
    let written = content.fields.iter().filter(|field| !field.1.trim().is_empty());
    let written = written.map(|(field, value)| (field_words(ui, field), shown(ui, field, value.trim())));
    let mut shown = Alike { written: written.collect(), ..Alike::default() };
    for member in &found.members {
        shown.members.extend(member_pick(tx, vault, ui, (*member, &content))?);
    }
    for application in &found.applications {
        if !lookalikes::waits(tx, *application)? {
            continue;
        }
        let other = readable(tx, key, *application)?;
        shown.applications.push(Pick {
            id: fact_text(*application),
            title: other.get("name").map_or_else(|| ui.t("alike-unreadable"), mask::name),
            detail: other.get("mobile").map(mask::mobile).unwrap_or_default(),
            same: same(ui, &content, |field| other.get(field).map(str::to_owned)),
        });
    }
    Ok(Some(shown))
}

fn member_pick(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    (member, content): (MemberId, &FormContent),
) -> Result<Option<Pick>, PeopleError> {
    let Some(row) = people::member(tx, member)? else { return Ok(None) };
    let Some(personal) = vault.reveal(tx, member)? else { return Ok(None) };
    let mobile = personal.mobile.as_deref().map(mask::mobile);
    Ok(Some(Pick {
        id: member.to_string(),
        title: format!("{} · {}", mask::name(&personal.name), row.number),
        detail: mobile.unwrap_or_default(),
        same: same(ui, content, |field| personal.field(field)),
    }))
}

/// The field that a case about requests is about.
pub fn field_of_case(case: &Case) -> &str {
    std::str::from_utf8(&case.known.detail).unwrap_or_default()
}

/// What is stored beside what each request asks for.
///
/// # Errors
/// [`PeopleError`].
pub fn requests(
    tx: &mut Tx<'_>,
    (vault, key): (&Vault, &OpenKey),
    ui: &Ui,
    (case, sides): (&Case, &[Side]),
) -> Result<Compared, PeopleError> {
    let field = field_of_case(case);
    let none = || ui.t("field-none");
    let stored = match case.known.member {
        Some(member) => vault.reveal(tx, member)?.and_then(|personal| personal.field(field)),
        None => None,
    };
    let mut heads = vec![ui.t("request-stored")];
    let mut cells = vec![stored.map_or_else(none, |value| masked(field, &value))];
    let mut times = vec!["—".to_owned()];
    for (at, side) in sides.iter().enumerate() {
        heads.push(ui.t_with("side-head", &[("letter", &letter(at)), ("device", &side.device_name)]));
        let content = readable(tx, key, side.id)?;
        cells.push(content.get(field).map_or_else(|| ui.t("alike-unreadable"), |value| masked(field, value)));
        times.push(ui.time(side.at));
    }
    let rows = vec![
        ComparedRow { label: field_words(ui, field), cells, differs: true },
        ComparedRow { label: ui.t("col-time"), cells: times, differs: false },
    ];
    Ok(Compared { heads, badges: Vec::new(), rows })
}

/// The letter of a side.
pub fn letter(at: usize) -> String {
    char::from(b'A' + u8::try_from(at % 26).unwrap_or(0)).to_string()
}
