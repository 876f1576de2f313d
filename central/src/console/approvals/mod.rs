//! 待我审批: one list of everything that waits for somebody's approval, whatever part of the centre it belongs to.
//!
//! Approving and returning is done by the parts' own commands, one transaction for each thing: there is no second way to the
//! ledger. Nobody decides what they asked for, nor as stand-in of who asked. Cases are decided where their evidence is shown.
//! Batches of cards, counts of stock, versions of the scheme, exports and triggers need nobody's approval and are not here;
//! what a trigger makes is. An allowance is written off by two who sign at once, which leaves nothing to wait for.

mod away;
mod decide;
mod items;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

pub use away::{away, set_away};
pub use decide::{decide, sure};

use super::Console;
use super::failure::Failure;
use super::signed::AnyRole;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::apply::KIND_APPROVAL;
use crate::store::people::PeopleError;
use crate::store::points;
use items::{Books, Desk, Item, LISTED_MAX, Me};

/// What kind of thing waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 入会: an application.
    Join,
    /// 退会: a leaving.
    Leave,
    /// 资料变更: a request to change a member's data.
    Change,
    /// 积分: a change of points, also one that a trigger made.
    Points,
    /// 活动: a plan of an activity.
    Activity,
    /// 兑付方案: a plan of redemption.
    Plan,
    /// 目录兑换: a redemption from the catalogue.
    Item,
}

impl Kind {
    /// All, with their codes in addresses.
    const CODES: [(Self, &'static str); 7] = [
        (Self::Join, "join"),
        (Self::Leave, "leave"),
        (Self::Change, "change"),
        (Self::Points, "points"),
        (Self::Activity, "activity"),
        (Self::Plan, "plan"),
        (Self::Item, "item"),
    ];

    fn code(self) -> &'static str {
        Self::CODES.iter().find(|row| row.0 == self).map_or("item", |row| row.1)
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::CODES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    fn words(self, ui: &Ui) -> String {
        ui.t(&format!("approvals-kind-{}", self.code()))
    }
}

/// A tab: where it leads, what it is called, how many there are, whether it is the one that is open.
struct Tab {
    link: String,
    name: String,
    count: usize,
    is_open: bool,
}

/// Something that waits, as the list shows it.
struct Row {
    kind: String,
    title: String,
    link: String,
    about: String,
    effects: Vec<String>,
    against: String,
    asked_by: String,
    since: String,
    age: String,
    waits_for: String,
    /// What a form says was seen of it; empty where the person does not decide it.
    seen: String,
    /// Leads to the step before the decision.
    sure: String,
    /// Why the person does not decide it here, and where it is dealt with.
    why_not: String,
    elsewhere: String,
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct ListPage {
    ui: Ui,
    tabs: Vec<Tab>,
    /// The kind whose tab is open: only things of one kind are decided together.
    kind: String,
    rows: Vec<Row>,
    /// For whom the person may decide now, and until when.
    persons: Vec<String>,
    /// Purchases that wait among the cases: where, and how many.
    cases: Option<(String, String)>,
    /// That there are more than are listed.
    more: String,
    done: String,
}

impl ListPage {
    /// Whether the page lets things be chosen together.
    fn chooses(&self) -> bool {
        !self.kind.is_empty() && self.rows.iter().any(|row| !row.seen.is_empty())
    }
}

/// Which kind, and what was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    kind: String,
    done: String,
}

/// The effects of something, each as one line.
fn lines(ui: &Ui, item: &Item) -> Vec<String> {
    let line = |effect: &items::Effect| {
        let values = [
            ("what", effect.what.clone()),
            ("before", effect.before.clone()),
            ("after", effect.after.clone()),
        ];
        ui.t_of("approvals-effect", &values)
    };
    item.effects.iter().map(line).collect()
}

fn row(ui: &Ui, me: &Me, item: &Item) -> Row {
    let may = !item.rights(me).is_empty();
    let (elsewhere, state) = item.elsewhere.clone().unwrap_or_default();
    let seen = if may { item.seen() } else { String::new() };
    Row {
        kind: item.kind.words(ui),
        title: item.title.clone(),
        link: item.link.clone(),
        about: item.about.clone(),
        effects: lines(ui, item),
        against: item.against.clone(),
        asked_by: item.asked_by.clone(),
        since: ui.time(item.since),
        age: ui.ago(item.since),
        waits_for: item.waits_for.clone(),
        sure: format!("/approvals/sure?kind={}&pick={seen}", item.kind.code()),
        why_not: match (may, state.is_empty()) {
            (true, _) => String::new(),
            (false, true) => ui.t("approvals-own"),
            (false, false) => state,
        },
        seen,
        elsewhere,
    }
}

/// The list: of all kinds, what waits longest in front, or of one.
pub async fn list(
    State(console): State<Console>,
    Query(query): Query<ListQuery>,
    AnyRole(by): AnyRole,
) -> Result<Response, Failure> {
    let kind = match query.kind.as_str() {
        "" => None,
        code => Some(Kind::from_code(code).ok_or(Failure::NotFound)?),
    };
    let ui = by.ui.clone().at("approvals");
    let (desk, account) = (Desk::of(&console, &ui), by.session.account);
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let books = Books::open(tx)?;
        let me = books.me(tx, account, desk.now())?;
        let mut kinds = Vec::new();
        for (kind, _) in Kind::CODES {
            let mut items = desk.load(tx, &books, kind)?;
            items.retain(|item| item.is_seen(&me));
            kinds.push((kind, items));
        }
        let persons: Vec<String> = me.persons.iter().map(|person| books.name(person.id)).collect();
        Ok((me, kinds, persons, points::purchases_waiting(tx)?))
    };
    let (me, kinds, persons, purchases) = console.app.db.read(load).await?;
    let all = kinds.iter().map(|of| of.1.len()).sum();
    let mut tabs = vec![Tab {
        link: "/approvals".to_owned(),
        name: ui.t("approvals-all"),
        count: all,
        is_open: kind.is_none(),
    }];
    tabs.extend(kinds.iter().map(|(of, items)| Tab {
        link: format!("/approvals?kind={}", of.code()),
        name: of.words(&ui),
        count: items.len(),
        is_open: kind == Some(*of),
    }));
    let most = usize::try_from(LISTED_MAX).unwrap_or(usize::MAX);
    let is_cut = kinds.iter().any(|of| of.1.len() >= most);
    let chosen = kinds.into_iter().filter(|of| kind.is_none_or(|kind| kind == of.0));
    let mut items: Vec<Item> = chosen.flat_map(|of| of.1).collect();
    items.sort_by_key(|item| item.since);
    let how_many = || ui.t_with("points-purchases", &[("n", &purchases.to_string())]);
    let shows_cases = purchases > 0 && ui.of_centre && kind.is_none_or(|kind| kind == Kind::Points);
    let page = ListPage {
        tabs,
        kind: kind.map_or("", Kind::code).to_owned(),
        rows: items.iter().map(|item| row(&ui, &me, item)).collect(),
        persons,
        cases: shows_cases.then(|| (format!("/cases?kind={KIND_APPROVAL}"), how_many())),
        more: if is_cut {
            ui.t_with("approvals-more", &[("n", &LISTED_MAX.to_string())])
        } else {
            String::new()
        },
        done: match query.done.as_str() {
            done @ ("approved" | "returned") => ui.t(&format!("approvals-done-{done}")),
            _ => String::new(),
        },
        ui,
    };
    Ok(Html(page.render()?).into_response())
}
