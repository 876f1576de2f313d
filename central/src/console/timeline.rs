//! 动态 of a member: who did what and why, what stood there before and after, and what terminals told, with both times
//! where they differ. What stood there is shown masked; a reason is opened from where it is sealed.

use std::collections::BTreeMap;

use hufu_shared::dictionary::MEMBER_KIND;
use hufu_shared::form::FIELDS;
use hufu_shared::ids::{MemberId, OperatorId};
use hufu_shared::seal::OpenKey;
use serde_json::Value;

use super::edits::stood;
use super::forms::field_words;
use super::overview::{standing_tone, standing_words};
use super::pages::is_full;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::joining::leaving;
use crate::store::people::{self, PeopleError};
use crate::store::timeline::{self, LineView, Place, Source};
use crate::store::{acts, details, joining, staff};
use crate::vault::Vault;

/// Lines of one page.
const PAGE_ROWS: i64 = 50;
/// What the record of edits names beside fields and groups, with words of its own.
const NAMED: [&str; 20] = [
    "kind",
    "referrer",
    "representative",
    "tags",
    "secret",
    "carer",
    "leaving",
    "merged",
    "unmerged",
    "erased",
    "stored_value",
    "value_carried",
    "points_transferred",
    "birthday_used",
    "birthday_taken_back",
    "coupon_used",
    "ranking_awarded",
    "item_redeemed",
    "item_decided",
    "item_taken_back",
];
/// What the record names whose values are members.
const OF_MEMBERS: [&str; 5] = ["referrer", "merged", "unmerged", "points_transferred", "value_carried"];

/// A line as it is shown.
pub(super) struct Happened {
    pub(super) time: String,
    /// When the centre came to know; empty where that was at once.
    pub(super) received: String,
    pub(super) what: String,
    /// Who did it, or the terminal.
    pub(super) who: String,
    /// Before and after; empty where nothing is known of either.
    pub(super) change: String,
    pub(super) reason: String,
    /// How a fact stands; empty for what people did.
    pub(super) standing: String,
    pub(super) tone: &'static str,
}

/// With what a timeline is read.
pub(super) struct Reader<'a> {
    pub(super) vault: &'a Vault,
    pub(super) key: &'a OpenKey,
    pub(super) ui: &'a Ui,
    pub(super) member: MemberId,
}

/// A page of the timeline after a place, and where the next one begins.
///
/// # Errors
/// [`PeopleError`].
pub(super) fn page(
    tx: &mut Tx<'_>,
    reader: &Reader<'_>,
    after: &Place,
) -> Result<(Vec<Happened>, Option<String>), PeopleError> {
    let lines = timeline::lines(tx, reader.member, after, PAGE_ROWS)?;
    let next = lines.last().filter(|_| is_full(lines.len(), PAGE_ROWS)).map(|line| line.place().text());
    let mut names = BTreeMap::new();
    let mut shown = Vec::with_capacity(lines.len());
    for line in &lines {
        shown.push(reader.shown(tx, &mut names, line)?);
    }
    Ok((shown, next))
}

impl Reader<'_> {
    fn shown(
        &self,
        tx: &mut Tx<'_>,
        names: &mut BTreeMap<String, String>,
        line: &LineView,
    ) -> Result<Happened, PeopleError> {
        let ui = self.ui;
        let time = ui.time(line.at);
        let received = Some(ui.time(line.received)).filter(|received| *received != time);
        let received = received.unwrap_or_default();
        match &line.source {
            Source::Fact { device, office, became, kind } => Ok(Happened {
                time,
                received,
                what: ui.t(&format!("event-{}", line.what)),
                who: format!("{office} · {device}"),
                change: String::new(),
                reason: String::new(),
                standing: standing_words(ui, became, *kind),
                tone: standing_tone(became),
            }),
            Source::Edit { by, reason, before, after } => {
                let words = reason.map(|reason| acts::words(tx, self.key, reason)).transpose()?.flatten();
                Ok(Happened {
                    time,
                    received,
                    what: self.what(tx, &line.what)?,
                    who: self.who(tx, names, by)?,
                    change: self.change(tx, &line.what, (before.as_ref(), after.as_ref()))?,
                    reason: words.unwrap_or_default(),
                    standing: String::new(),
                    tone: "plain",
                })
            }
        }
    }

    /// What was edited or opened, in words.
    fn what(&self, tx: &mut Tx<'_>, what: &str) -> Result<String, PeopleError> {
        let ui = self.ui;
        if let Some(opened) = what.strip_prefix("opened/") {
            let opened = self.what(tx, opened)?;
            return Ok(ui.t_with("record-opened", &[("what", &opened)]));
        }
        if let Some(code) = what.strip_prefix("group/") {
            let group = details::groups(tx)?.into_iter().find(|group| group.code == code);
            return Ok(group.map_or_else(|| code.to_owned(), |group| ui.pick(&group.words)));
        }
        Ok(match what {
            field if FIELDS.contains(&field) => field_words(ui, field),
            named if NAMED.contains(&named) => ui.t(&format!("record-edit-{}", named.replace('_', "-"))),
            other => other.to_owned(),
        })
    }

    /// Who did it, by name where it was a person.
    fn who(
        &self,
        tx: &mut Tx<'_>,
        names: &mut BTreeMap<String, String>,
        by: &str,
    ) -> Result<String, PeopleError> {
        if let Some(known) = names.get(by) {
            return Ok(known.clone());
        }
        let name = self.ui.called(&staff::named(tx, by)?).unwrap_or_else(|| self.ui.t("actor-other"));
        names.insert(by.to_owned(), name.clone());
        Ok(name)
    }

    /// What stood there before and after; empty where nothing is known of either.
    fn change(
        &self,
        tx: &mut Tx<'_>,
        what: &str,
        (before, after): (Option<&String>, Option<&String>),
    ) -> Result<String, PeopleError> {
        if before.is_none() && after.is_none() {
            return Ok(String::new());
        }
        let (before, after) = (self.side(tx, what, before)?, self.side(tx, what, after)?);
        Ok(self.ui.t_of("record-change", &[("before", before), ("after", after)]))
    }

    fn side(&self, tx: &mut Tx<'_>, what: &str, kept: Option<&String>) -> Result<String, PeopleError> {
        let Some(code) = kept else { return Ok("—".to_owned()) };
        let ui = self.ui;
        if OF_MEMBERS.contains(&what) {
            let row = code.parse().ok().map(|id| people::member(tx, id)).transpose()?.flatten();
            return Ok(row.map_or_else(|| "—".to_owned(), |row| row.number));
        }
        Ok(match what {
            "kind" => {
                let term = joining::terms(tx, MEMBER_KIND)?.into_iter().find(|term| term.code == *code);
                term.map_or_else(|| code.clone(), |term| ui.pick(&term.words))
            }
            "carer" => {
                let person = code.parse::<OperatorId>().ok();
                person.map(|id| staff::name(tx, id)).transpose()?.flatten().unwrap_or_else(|| "—".to_owned())
            }
            "leaving" if leaving::State::from_code(code).is_some() => ui.t(&format!("record-leaving-{code}")),
            "stored_value" if code == "frozen" => ui.t("value-frozen"),
            "stored_value" => ui.t("record-value-free"),
            _ => self.said(stood(tx, (self.vault, ui), (self.member, what), kept)?),
        })
    }

    fn said(&self, value: Value) -> String {
        match value {
            Value::Null => "—".to_owned(),
            Value::String(text) => text,
            Value::Bool(is) => self.ui.t(if is { "record-yes" } else { "record-no" }),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.said(item));
                items.collect::<Vec<_>>().join(&self.ui.t("list-and"))
            }
            other => other.to_string(),
        }
    }
}
