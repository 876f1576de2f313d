//! Editing a member's base data from its page (K13). What was typed is never written over what somebody else wrote
//! meanwhile: then the page shows both, field by field, and asks which shall stand. What stands there is shown masked, and
//! a field that is left empty stays as it is.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{Hash, MemberId};

use super::Console;
use super::details::{CHANGED, Editing, filled};
use super::failure::{Failure, go};
use super::forms::{field_words, shown};
use super::members::masked_name;
use super::signed::{Fields, Posted, SignedIn};
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::store::people::{self, PeopleError};
use crate::vault::{Personal, Sex, Vault};

/// What the choice of a field begins with.
const TAKE_PREFIX: &str = "take-";
/// The choice that leaves what stands there.
const THEIRS: &str = "theirs";

/// A field of the form.
struct Line {
    code: &'static str,
    label: String,
    /// As it stands there, masked.
    stored: String,
    typed: String,
    most: u16,
}

/// A field that was typed while somebody else saved.
struct Both {
    code: &'static str,
    label: String,
    /// As the person had seen it, as it is now, and as it was typed.
    was: String,
    is: String,
    typed: String,
    /// Whether somebody else changed it.
    differs: bool,
}

#[derive(Template)]
#[template(path = "record_edit.html")]
struct EditPage {
    ui: Ui,
    link: String,
    name: String,
    /// The data that the page shows: what is typed goes with it.
    seen: String,
    lines: Vec<Line>,
    both: Vec<Both>,
    sexes: Vec<(&'static str, String)>,
    reason: String,
    error: String,
}

/// The form.
pub async fn form(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    by: SignedIn,
) -> Result<Response, Failure> {
    show(&console, by.ui.at("members"), member, Typed::default()).await
}

/// What was typed so far.
#[derive(Default)]
struct Typed {
    fields: Vec<(&'static str, String)>,
    /// The data that the person saw; none for a form that is opened.
    seen: Option<Hash>,
    reason: String,
    /// The key of what is wrong; empty if nothing is.
    error: &'static str,
}

impl Typed {
    fn of(&self, field: &str) -> Option<&String> {
        self.fields.iter().find(|typed| typed.0 == field).map(|typed| &typed.1)
    }
}

/// Both sides of the fields that were typed, of somebody whose data changed meanwhile.
fn both(
    tx: &mut Tx<'_>,
    (vault, ui): (&Vault, &Ui),
    (member, seen, stored): (MemberId, Hash, &Personal),
    typed: &Typed,
) -> Result<Vec<Both>, PeopleError> {
    let kept = vault.text(tx, member, seen)?.unwrap_or_default();
    let words = |field: &str, value: Option<&String>| {
        let value = value.filter(|value| !value.is_empty());
        value.map_or_else(|| ui.t("field-none"), |value| shown(ui, field, value))
    };
    let line = |(code, value): &(&'static str, String)| {
        let (was, is) = (people::committed(&kept, code), stored.field(code));
        Both {
            code,
            label: field_words(ui, code),
            was: words(code, was.as_ref()),
            is: words(code, is.as_ref()),
            typed: value.clone(),
            differs: was != is,
        }
    };
    Ok(typed.fields.iter().map(line).collect())
}

async fn show(console: &Console, ui: Ui, member: MemberId, typed: Typed) -> Result<Response, Failure> {
    let (vault, own) = (console.app.vault.clone(), ui.clone());
    let status = if typed.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (error, reason) = (typed.error, typed.reason.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let (Some(row), Some(stored)) = (people::member(tx, member)?, vault.reveal(tx, member)?) else {
            return Ok(None);
        };
        let with = (&vault, &own);
        let both = match typed.seen.filter(|_| typed.error == CHANGED) {
            Some(seen) => both(tx, with, (member, seen, &stored), &typed)?,
            None => Vec::new(),
        };
        let line = |code: &'static str| {
            let value = stored.field(code).filter(|value| !value.is_empty());
            Line {
                code,
                label: field_words(&own, code),
                stored: value.map_or_else(|| own.t("field-none"), |value| shown(&own, code, &value)),
                typed: typed.of(code).cloned().unwrap_or_default(),
                most: if matches!(code, "address" | "remark") { 500 } else { 100 },
            }
        };
        let lines: Vec<Line> = FIELDS.into_iter().map(line).collect();
        Ok(Some((masked_name(tx, &vault, Some(member))?, row.personal, lines, both)))
    };
    let (name, seen, lines, both) = console.app.db.read(load).await?.ok_or(Failure::NotFound)?;
    let page = EditPage {
        link: format!("/members/{member}"),
        name,
        seen: seen.to_string(),
        lines,
        both,
        sexes: Sex::CODES.map(|(_, code)| (code, ui.t(&format!("sex-{code}")))).into(),
        reason,
        error: if error.is_empty() { String::new() } else { ui.t(error) },
        ui,
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// The fields that shall be written: those that were typed, without those of which the person left what stands there.
fn wanted(form: &Fields) -> Vec<(&'static str, String)> {
    let mine = |field: &str| form.get(&format!("{TAKE_PREFIX}{field}")) != THEIRS;
    filled(form).into_iter().filter(|field| mine(field.0)).collect()
}

/// Saves what was typed, if nobody else saved meanwhile.
pub async fn save(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("members");
    let fields = wanted(&posted.fields);
    let done = || go(&format!("/members/{member}?tab=data&done=saved"));
    let seen: Option<Hash> = posted.fields.get("seen").parse().ok();
    let (Some(seen), reason) = (seen, posted.fields.get("reason")) else { return Err(Failure::NotFound) };
    let again = |error: &'static str| Typed {
        fields: filled(&posted.fields),
        seen: Some(seen),
        reason: reason.to_owned(),
        error,
    };
    if fields.is_empty() {
        // Whoever chose what stands there everywhere has nothing to save.
        let has_chosen = !filled(&posted.fields).is_empty();
        return if has_chosen {
            Ok(done())
        } else {
            show(&console, ui, member, again("details-nothing")).await
        };
    }
    if reason.is_empty() {
        return show(&console, ui, member, again("reason-missing")).await;
    }
    let mut editing = Editing::new(&console, &posted.by, note(&console, reason)?, fields)?;
    editing.seen = Some(seen);
    let work = move |tx: &mut Tx<'_>| editing.write(tx, member);
    match console.app.write(work).await? {
        Ok(()) => Ok(done()),
        Err(key) => show(&console, ui, member, again(key)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_as_it_stands_is_not_written() {
        let form = |fields: &[(&str, &str)]| {
            let all = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            wanted(&Fields::of(all.collect()))
        };
        let both = [("mobile", "13911112222"), ("email", "a@example.cn"), ("take-email", "theirs")];
        assert_eq!(form(&both), [("mobile", "13911112222".to_owned())]);
        let mine = [("email", "a@example.cn"), ("take-email", "mine"), ("reason", "更正")];
        assert_eq!(form(&mine), [("email", "a@example.cn".to_owned())]);
        assert!(form(&[("email", " "), ("role", "admin")]).is_empty());
    }
}
