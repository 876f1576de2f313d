//! 会员: the list, narrowed and sorted by what stands in its address; and what the search box found, which goes by POST,
//! since what is typed there may be somebody's number. Each row opens a member's page, with script in a drawer beside.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::dictionary::MEMBER_KIND;
use hufu_shared::ids::MemberId;
use hufu_shared::time::Day;
use serde::Deserialize;

use super::Console;
use super::failure::{Failure, go};
use super::member_list::{after, place_of};
use super::members::{FOUND_MAX, Row, found_by, rows_of};
use super::pages::Order;
use super::signed::{Posted, SignedIn};
use super::ui::{Ui, number};
use crate::db::Tx;
use crate::rules::joining::details::TAG_CHARS_MAX;
use crate::store::joining;
use crate::store::members::{self, Chosen};
use crate::store::people::{self, PeopleError};
use crate::vault::Vault;

/// Rows of a page that can be chosen, the usual one in the middle.
const SIZES: [i64; 3] = [20, 50, 100];
/// Rows of a page where none is chosen.
const SIZE_USUAL: i64 = 50;
/// Members are counted up to here; of more it is said that there are more.
const COUNTED_MAX: u64 = 10_000;
/// The orders of the list, the usual one first.
const ORDERS: [&str; 3] = ["number", "joined", "-joined"];
/// Where a member may stand.
const STATES: [&str; 3] = ["active", "stopped", "left"];

/// Which members, in which order, and where the page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TableQuery {
    state: String,
    office: String,
    level: String,
    kind: String,
    tag: String,
    sort: String,
    size: String,
    cursor: String,
}

/// A value as it stands in an address.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

impl TableQuery {
    /// Whether it narrows the list at all.
    fn is_narrow(&self) -> bool {
        [&self.state, &self.office, &self.level, &self.kind, &self.tag].iter().any(|value| !value.is_empty())
    }

    fn size(&self) -> i64 {
        self.size.parse().ok().filter(|size| SIZES.contains(size)).unwrap_or(SIZE_USUAL)
    }

    fn order(&self) -> &'static str {
        ORDERS.into_iter().find(|order| *order == self.sort).unwrap_or(ORDERS[0])
    }

    /// What the store is asked; none if no member could be meant, as a state that there is not.
    fn chosen(&self, vault: &Vault) -> Option<Chosen> {
        let texts = [&self.state, &self.office, &self.level, &self.kind, &self.tag, &self.cursor];
        let is_state = self.state.is_empty() || STATES.contains(&self.state.as_str());
        let is_tag = self.tag.chars().count() <= TAG_CHARS_MAX;
        if texts.iter().any(|text| text.contains('\0')) || !is_state || !is_tag {
            return None;
        }
        let key = if self.tag.is_empty() { Vec::new() } else { vault.tag_key(&self.tag) };
        Some(Chosen {
            status: self.state.clone(),
            office: self.office.clone(),
            level: self.level.clone(),
            kind: self.kind.clone(),
            tag: (self.tag.clone(), key),
        })
    }

    /// The address of the list as it stands here.
    fn address(&self) -> String {
        let parts = [
            ("state", &self.state),
            ("office", &self.office),
            ("level", &self.level),
            ("kind", &self.kind),
            ("tag", &self.tag),
            ("sort", &self.sort),
            ("size", &self.size),
            ("cursor", &self.cursor),
        ];
        let said = parts.iter().filter(|part| !part.1.is_empty());
        let said: Vec<String> = said.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        if said.is_empty() { "/members".to_owned() } else { format!("/members?{}", said.join("&")) }
    }

    /// The same list in another order, from its beginning.
    fn sorted(&self, order: &str) -> String {
        let sort = if order == ORDERS[0] { String::new() } else { order.to_owned() };
        Self { sort, cursor: String::new(), ..self.clone() }.address()
    }
}

/// A choice of a filter: code, words, whether it is the one.
type Offered = (String, String, bool);

/// What the filters offer.
struct Filters {
    states: Vec<Offered>,
    offices: Vec<Offered>,
    levels: Vec<Offered>,
    kinds: Vec<Offered>,
    sizes: Vec<(i64, bool)>,
    tag: String,
    sort: String,
}

/// A head of the table that the list can be sorted by.
struct Head {
    label: String,
    link: String,
    /// What `aria-sort` says.
    sorted: &'static str,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    ui: Ui,
    rows: Vec<Row>,
    total: String,
    find: String,
    searched: bool,
    /// Whether a filter narrows the list.
    is_narrow: bool,
    filters: Option<Filters>,
    by_number: Head,
    by_joined: Head,
    /// Where the drawer comes back to.
    back: String,
    next: String,
}

impl Head {
    fn number(ui: &Ui, query: &TableQuery) -> Self {
        let sorted = if query.order() == "number" { "ascending" } else { "none" };
        Self { label: ui.t("col-number"), link: query.sorted("number"), sorted }
    }

    /// Pressing it again turns the order round.
    fn joined(ui: &Ui, query: &TableQuery) -> Self {
        let (link, sorted) = match query.order() {
            "-joined" => ("joined", "descending"),
            "joined" => ("-joined", "ascending"),
            _ => ("-joined", "none"),
        };
        Self { label: ui.t("record-joined"), link: query.sorted(link), sorted }
    }
}

fn filters(tx: &mut Tx<'_>, ui: &Ui, query: &TableQuery) -> Result<Filters, PeopleError> {
    let choice = |code: String, words: String, met: &str| {
        let is_it = code == met;
        (code, words, is_it)
    };
    let states = STATES.map(|code| choice(code.to_owned(), ui.t(&format!("member-{code}")), &query.state));
    let offices = people::offices(tx)?.into_iter();
    let levels = members::levels_met(tx)?.into_iter();
    let kinds = joining::terms(tx, MEMBER_KIND)?.into_iter().filter(|term| !term.retired);
    Ok(Filters {
        states: states.into(),
        offices: offices
            .map(|row| {
                let words = ui.pick(&row.name);
                choice(row.code, words, &query.office)
            })
            .collect(),
        levels: levels
            .map(|name| {
                let words = ui.pick(&name);
                choice(name.zh, words, &query.level)
            })
            .collect(),
        kinds: kinds
            .map(|term| {
                let words = ui.pick(&term.words);
                choice(term.code, words, &query.kind)
            })
            .collect(),
        sizes: SIZES.map(|size| (size, size == query.size())).into(),
        tag: query.tag.clone(),
        sort: query.sort.clone(),
    })
}

/// The list.
pub async fn list(
    State(console): State<Console>,
    Query(mut query): Query<TableQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    let ui = by.ui.at("members");
    // Where the console is narrowed to an office, so is the list, until a filter names another one.
    if query.office.is_empty() {
        ui.office_code().clone_into(&mut query.office);
    }
    let vault = console.app.vault.clone();
    let chosen = query.chosen(&vault).ok_or(Failure::NotFound)?;
    let order = Order::of(Some(query.order()), ORDERS[0]);
    let cursor = Some(query.cursor.as_str()).filter(|cursor| !cursor.is_empty());
    let from = after(&order, &ui, cursor).map_err(|_| Failure::NotFound)?;
    let (own, asked, most) = (ui.clone(), query.clone(), query.size());
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let page = members::chosen_page(tx, &chosen, &from, most)?;
        let days: BTreeMap<MemberId, Day> = page.iter().copied().collect();
        let rows = rows_of(tx, &vault, &own, page.iter().map(|row| row.0))?;
        let count = members::chosen_count(tx, &chosen)?;
        Ok((rows, days, page.len(), count, filters(tx, &own, &asked)?))
    };
    let (rows, days, met, count, filters) = console.app.db.read(load).await?;
    let last = rows.last().and_then(|row| Some((row, *days.get(&row.id)?)));
    let next = last.and_then(|(row, day)| place_of(&order, (met, most), row, day));
    let count = if count > COUNTED_MAX {
        format!("{}+", number(i64::try_from(COUNTED_MAX).unwrap_or(i64::MAX)))
    } else {
        number(i64::try_from(count).unwrap_or(i64::MAX))
    };
    let page = MembersPage {
        rows,
        total: ui.t_with("members-total", &[("n", &count)]),
        find: String::new(),
        searched: false,
        is_narrow: query.is_narrow(),
        filters: Some(filters),
        by_number: Head::number(&ui, &query),
        by_joined: Head::joined(&ui, &query),
        back: query.address(),
        next: next.map(|cursor| TableQuery { cursor, ..query }.address()).unwrap_or_default(),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

/// What the search box found.
pub async fn search(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled()?;
    let ui = posted.by.ui.clone().at("members");
    let find = posted.fields.get("find").to_owned();
    if find.is_empty() {
        return Ok(go("/members"));
    }
    let (vault, own, text) = (console.app.vault.clone(), ui.clone(), find.clone());
    let load = move |tx: &mut Tx<'_>| -> Result<Vec<Row>, PeopleError> {
        let found = found_by(tx, &vault, &text, FOUND_MAX)?;
        rows_of(tx, &vault, &own, found)
    };
    let rows = console.app.db.read(load).await?;
    let query = TableQuery::default();
    let page = MembersPage {
        total: ui.t_with("members-found", &[("n", &rows.len().to_string())]),
        rows,
        find,
        searched: true,
        is_narrow: false,
        filters: None,
        by_number: Head::number(&ui, &query),
        by_joined: Head::joined(&ui, &query),
        back: query.address(),
        next: String::new(),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_what_narrows_and_sorts_the_list_and_nothing_else() {
        let query = TableQuery {
            level: "金卡 & 银卡".to_owned(),
            sort: "-joined".to_owned(),
            cursor: "-joined.7.ab".to_owned(),
            ..TableQuery::default()
        };
        let level = "level=%E9%87%91%E5%8D%A1%20%26%20%E9%93%B6%E5%8D%A1";
        assert_eq!(query.address(), format!("/members?{level}&sort=-joined&cursor=-joined.7.ab"));
        assert_eq!(query.sorted("number"), format!("/members?{level}"), "from its beginning");
        assert_eq!(TableQuery::default().address(), "/members");
        assert!(query.is_narrow() && !TableQuery::default().is_narrow());
    }

    #[test]
    fn what_no_list_has_is_the_usual_or_no_list() {
        for (size, expected) in [("20", 20), ("100", 100), ("99999", 50), ("", 50), ("x", 50)] {
            assert_eq!(TableQuery { size: size.to_owned(), ..TableQuery::default() }.size(), expected);
        }
        for (sort, expected) in [("joined", "joined"), ("points", "number"), ("", "number")] {
            assert_eq!(TableQuery { sort: sort.to_owned(), ..TableQuery::default() }.order(), expected);
        }
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&folder.path().join("vault.key")).expect("a key file");
        for (query, is_list) in [
            (TableQuery::default(), true),
            (TableQuery { state: "left".to_owned(), ..TableQuery::default() }, true),
            (TableQuery { state: "gone".to_owned(), ..TableQuery::default() }, false),
            (TableQuery { office: "A\0".to_owned(), ..TableQuery::default() }, false),
            (TableQuery { tag: "长".repeat(TAG_CHARS_MAX + 1), ..TableQuery::default() }, false),
        ] {
            assert_eq!(query.chosen(&vault).is_some(), is_list, "{query:?}");
        }
    }
}
