//! 资料 of a member: base data and what the club keeps beside it, masked. 查看 opens one field for a reason: the record of
//! it stands before anybody sees anything, it counts to a quota, and after a minute the page masks the field again.

use axum::extract::{Path, State};
use axum::response::Response;
use hufu_shared::act::{Act, DataOpened, Sensitivity};
use hufu_shared::dictionary::MEMBER_KIND;
use hufu_shared::form::FIELDS;
use hufu_shared::ids::MemberId;
use hufu_shared::time::DAY_US;

use super::Console;
use super::failure::Failure;
use super::forms::{field_words, shown};
use super::member_page::{self, Wanted};
use super::signed::Posted;
use super::ui::Ui;
use super::verdict::note;
use crate::db::Tx;
use crate::rules::joining::roles::{Reads, Role};
use crate::store::people::{self, PeopleError};
use crate::store::{acts, details, joining, journal, timeline};
use crate::vault::Vault;

/// Fields that one person may open within a day.
const OPENED_A_DAY_MAX: u64 = 60;
/// Reasons to open a field; the last one asks for words.
const WHYS: [&str; 5] = ["contact", "identity", "correction", "complaint", "other"];
/// The reason that says nothing by itself.
const WHY_OTHER: &str = "other";

/// A field that was opened, as it stands there.
#[derive(Clone)]
pub(super) struct Opened {
    field: &'static str,
    value: String,
}

/// A field as it is shown.
pub(super) struct FieldShown {
    pub(super) code: &'static str,
    pub(super) label: String,
    pub(super) value: String,
    /// Whether the person may open it.
    pub(super) can_open: bool,
    /// Whether it is open.
    pub(super) is_open: bool,
}

/// The tab.
pub(super) struct Data {
    pub(super) fields: Vec<FieldShown>,
    /// What the club keeps beside: label and value.
    pub(super) more: Vec<(String, String)>,
    pub(super) whys: Vec<(&'static str, String)>,
    pub(super) reason: String,
    /// Whether a field is open: then the page masks it again by itself.
    pub(super) is_open: bool,
}

/// How well a field of base data is protected: a number of a document as what is most so.
fn class_of(field: &str) -> Sensitivity {
    match field {
        "sex" => Sensitivity::Plain,
        "document" => Sensitivity::Sensitive,
        _ => Sensitivity::Personal,
    }
}

/// Whether somebody of a role may open a field for a reason; what is not masked is not opened.
fn may_open(role: Role, field: &str) -> bool {
    role.reads(class_of(field)) == Reads::WithReason
}

/// What the tab shows; none of a member of whom nothing is kept.
///
/// # Errors
/// [`PeopleError`].
pub(super) fn of(
    tx: &mut Tx<'_>,
    vault: &Vault,
    (ui, role): (&Ui, Role),
    member: MemberId,
    (opened, reason): (Option<&Opened>, &str),
) -> Result<Option<Data>, PeopleError> {
    let Some(personal) = vault.reveal(tx, member)? else { return Ok(None) };
    let field = |code: &'static str| {
        let stored = personal.field(code).filter(|value| !value.is_empty());
        let open = opened.filter(|opened| opened.field == code);
        FieldShown {
            code,
            label: field_words(ui, code),
            can_open: stored.is_some() && open.is_none() && may_open(role, code),
            is_open: open.is_some(),
            value: match (open, stored) {
                (Some(open), _) => open.value.clone(),
                (None, Some(value)) => shown(ui, code, &value),
                (None, None) => ui.t("field-none"),
            },
        }
    };
    Ok(Some(Data {
        fields: FIELDS.into_iter().map(field).collect(),
        more: beside(tx, vault, ui, member)?,
        whys: WHYS.map(|why| (why, ui.t(&format!("record-why-{why}")))).into(),
        reason: reason.to_owned(),
        is_open: opened.is_some(),
    }))
}

/// What the club keeps beside base data.
fn beside(
    tx: &mut Tx<'_>,
    vault: &Vault,
    ui: &Ui,
    member: MemberId,
) -> Result<Vec<(String, String)>, PeopleError> {
    let known = details::of(tx, member)?.unwrap_or_default();
    let kinds = joining::terms(tx, MEMBER_KIND)?;
    let kind = kinds.iter().find(|term| term.code == known.kind).map(|term| ui.pick(&term.words));
    let referrer = known.referrer.map(|referrer| people::member(tx, referrer)).transpose()?.flatten();
    let tags: Vec<String> = vault.tags(tx, member, known.tags)?.into_iter().collect();
    let lines = [
        ("record-kind", kind.unwrap_or_default()),
        ("record-edit-referrer", referrer.map(|row| row.number).unwrap_or_default()),
        ("record-tag", tags.join(&ui.t("list-and"))),
    ];
    let said = lines.into_iter().filter(|line| !line.1.is_empty());
    Ok(said.map(|(label, value)| (ui.t(label), value)).collect())
}

/// The reason in words, as it is sealed; else the key of what is missing.
fn reason_of(ui: &Ui, why: &str, text: &str) -> Result<String, &'static str> {
    let why = WHYS.into_iter().find(|known| *known == why).ok_or("record-why-missing")?;
    match (why, text) {
        (WHY_OTHER, "") => Err("reason-missing"),
        (WHY_OTHER, text) => Ok(text.to_owned()),
        (why, text) => Ok(format!("{} {text}", ui.t(&format!("record-why-{why}"))).trim().to_owned()),
    }
}

/// Opens a field, and shows the tab with it.
pub async fn open(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    posted: Posted,
) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let (ui, role) = (posted.by.ui.clone().at("members"), posted.by.session.account.role);
    let (fields, who) = (&posted.fields, (ui.clone(), role));
    let asked = FIELDS.into_iter().find(|field| *field == fields.get("field")).ok_or(Failure::NotFound)?;
    if !may_open(role, asked) {
        return Err(Failure::Role);
    }
    let text = fields.get("reason").to_owned();
    let wanted = Wanted { tab: "data".to_owned(), reason: text.clone(), ..Wanted::default() };
    let reason = match reason_of(&ui, fields.get("why"), &text) {
        Ok(reason) => reason,
        Err(key) => {
            let wanted = Wanted { error: ui.t(key), ..wanted };
            return member_page::show(&console, who, member, wanted).await;
        }
    };
    let (note, entry, now) = (note(&console, &reason)?, console.app.entry_id()?, console.app.now());
    let (actor, staff, vault) = (posted.by.actor(), posted.by.session.staff, console.app.vault.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<Result<String, &'static str>, PeopleError> {
        journal::pass_gate(tx, now)?;
        if timeline::opened_by(tx, &actor, now.offset(-DAY_US))? >= OPENED_A_DAY_MAX {
            return Ok(Err("record-quota"));
        }
        let stored = vault.reveal(tx, member)?.and_then(|personal| personal.field(asked));
        let Some(stored) = stored.filter(|value| !value.is_empty()) else { return Ok(Err("record-nothing")) };
        // The record stands before anybody sees anything.
        let opened = DataOpened { member, what: asked.to_owned(), reason: note.commitment };
        note.put(tx, Some(staff), now)?;
        acts::take(tx, entry, now, &actor, &Act::DataOpened(opened))?;
        Ok(Ok(stored))
    };
    let wanted = match console.app.write(work).await? {
        Ok(value) => Wanted { opened: Some(Opened { field: asked, value }), ..wanted },
        Err(key) => {
            if key == "record-quota" {
                tracing::warn!(by = %posted.by.session.login, "somebody opened as many fields as a day allows");
            }
            Wanted { error: ui.t(key), ..wanted }
        }
    };
    member_page::show(&console, who, member, wanted).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use hufu_shared::time::Instant;

    use super::*;

    #[test]
    fn who_may_open_what() {
        for (role, field, expected) in [
            (Role::Admin, "mobile", true),
            (Role::Admin, "document", true),
            (Role::Clerk, "mobile", true),
            (Role::Clerk, "document", false),
            (Role::Clerk, "sex", false),
            (Role::Information, "document", true),
            (Role::Promoter, "mobile", false),
        ] {
            assert_eq!(may_open(role, field), expected, "{role:?} {field}");
        }
    }

    #[test]
    fn a_reason_is_one_of_the_list_and_other_says_which() {
        let ui = Ui::of(&HeaderMap::new(), Instant(0));
        assert_eq!(reason_of(&ui, "", "好奇"), Err("record-why-missing"));
        assert_eq!(reason_of(&ui, "curiosity", "好奇"), Err("record-why-missing"));
        assert_eq!(reason_of(&ui, "other", ""), Err("reason-missing"));
        assert_eq!(reason_of(&ui, "other", "寄送礼品").as_deref(), Ok("寄送礼品"));
        assert_eq!(reason_of(&ui, "contact", "").as_deref(), Ok("联系会员"));
        assert_eq!(reason_of(&ui, "contact", "活动改期").as_deref(), Ok("联系会员 活动改期"));
    }
}
