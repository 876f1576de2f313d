//! 方案: versions of the scheme with what each changes against the one before, and a new version as a text: checked line
//! by line, tried against the club's members, published. A version that was published is never edited.
//!
//! Out of scope: what a scheme means ([`hufu_shared::scheme`]), and the made-up history ([`super::scheme_try`]).

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use hufu_shared::ids::MemberId;
use hufu_shared::scheme::level::Ladder;
use hufu_shared::scheme::ready::{self, READY};
use hufu_shared::scheme::{Scheme, SchemeTerms};
use hufu_shared::time::{Day, OfficeClock};
use serde::Deserialize;

use super::Console;
use super::failure::{Failure, go};
use super::scheme_text::{self, Changed, Slip};
use super::signed::{Fields, Posted, SignedIn};
use super::ui::{Ui, number};
use crate::commands::schemes::publish::publish_text;
use crate::commands::schemes::scope::NotForThese;
use crate::db::Tx;
use crate::rules::joining::roles::Role;
use crate::store::levels::stand;
use crate::store::schemes::{self as texts, Written};
use crate::store::{StoreError, directory, world};

/// Members looked at in one transaction.
const STEP_MEMBERS: i64 = 200;
/// Roles that may publish.
const ROLES: [Role; 1] = [Role::Admin];

/// What the books have of versions.
pub(super) struct Known {
    pub(super) terms: Vec<SchemeTerms>,
    pub(super) texts: BTreeMap<u32, Written>,
}

/// All versions, the oldest first, and their texts.
pub(super) async fn known(console: &Console) -> Result<Known, Failure> {
    let load = |tx: &mut Tx<'_>| -> Result<Known, StoreError> {
        Ok(Known { terms: directory::schemes(tx)?, texts: texts::all(tx)? })
    };
    Ok(console.app.db.read(load).await?)
}

impl Known {
    /// The whole of a version, as its text has it; of one without a text the shipped scheme that it was, if it was one.
    pub(super) fn scheme(&self, terms: &SchemeTerms) -> Option<Scheme> {
        let (version, valid_from) = (terms.version, terms.valid_from);
        let placed = |scheme: Scheme| Scheme { version, valid_from, ..scheme };
        if let Some(written) = self.texts.get(&version) {
            return scheme_text::read(&written.body).ok().map(placed);
        }
        let shipped = READY.iter().filter_map(|ready| scheme_text::read(ready.text).ok());
        shipped.map(placed).find(|scheme| scheme.terms() == *terms)
    }

    /// The text to begin a new version from.
    fn text(&self, version: u32) -> Option<String> {
        let written = self.texts.get(&version).map(|written| written.body.clone());
        written.or_else(|| {
            let terms = self.terms.iter().find(|terms| terms.version == version)?;
            let id = self.scheme(terms)?.id;
            ready::find(&id).map(|ready| ready.text.to_owned())
        })
    }

    /// What a version changes against the one before it: of their whole texts where both are known, else of what
    /// terminals were told.
    fn changes(&self, at: usize) -> Vec<Changed> {
        let (Some(after), Some(before)) = (self.terms.get(at), at.checked_sub(1).map(|at| &self.terms[at]))
        else {
            return Vec::new();
        };
        match (self.scheme(before), self.scheme(after)) {
            (Some(before), Some(after)) => scheme_text::changes(&before, &after),
            _ => scheme_text::changes(before, after),
        }
    }

    /// Which version is in force for the whole club on a day: the newest of those that have begun and not ended.
    fn in_force(&self, day: Day) -> Option<u32> {
        let holds = |terms: &&SchemeTerms| {
            let is_for_all = terms.offices().is_empty() && terms.member_kinds().is_empty();
            is_for_all && terms.valid_from <= day && terms.last_day().is_none_or(|last| day <= last)
        };
        self.terms.iter().filter(holds).map(|terms| terms.version).max()
    }

    /// How a version stands on a day: a key and a tone. A newer one for the same offices and kinds takes its place.
    fn standing(&self, terms: &SchemeTerms, day: Day) -> (&'static str, &'static str) {
        let is_replaced = |at: Day| {
            self.terms.iter().any(|other| {
                other.version > terms.version
                    && other.offices() == terms.offices()
                    && other.member_kinds() == terms.member_kinds()
                    && other.valid_from <= at
                    && other.last_day().is_none_or(|last| at <= last)
            })
        };
        let is_over = terms.last_day().is_some_and(|last| last < day) || is_replaced(day);
        match (terms.valid_from <= day, is_over) {
            (true, true) => ("scheme-over", ""),
            (true, false) => ("scheme-in-force", "ok"),
            _ if is_replaced(terms.valid_from) => ("scheme-never", "bad"),
            _ => ("scheme-to-come", "wait"),
        }
    }
}

/// The day of the club.
pub(super) fn today(console: &Console) -> Day {
    OfficeClock::default().business_day(console.app.now())
}

struct VersionShown {
    version: u32,
    from: String,
    name: String,
    state: String,
    tone: &'static str,
    changes: Vec<Changed>,
    is_first: bool,
    link: String,
}

#[derive(Template)]
#[template(path = "schemes.html")]
struct ListPage {
    ui: Ui,
    versions: Vec<VersionShown>,
    /// Shipped schemes: name for the address, and name.
    shipped: Vec<(&'static str, String)>,
    may_publish: bool,
}

/// All versions, the newest first.
pub async fn page(State(console): State<Console>, by: SignedIn) -> Result<Response, Failure> {
    let (known, day, ui) = (known(&console).await?, today(&console), by.ui.at("schemes"));
    let mut versions = Vec::with_capacity(known.terms.len());
    for (at, terms) in known.terms.iter().enumerate().rev() {
        let (state, tone) = known.standing(terms, day);
        versions.push(VersionShown {
            version: terms.version,
            from: terms.valid_from.to_string(),
            name: known.scheme(terms).map_or_else(String::new, |scheme| ui.pick(&scheme.name)),
            state: ui.t(state),
            tone,
            changes: known.changes(at),
            is_first: at == 0,
            link: match known.text(terms.version) {
                Some(_) => format!("/schemes/new?from={}", terms.version),
                None => String::new(),
            },
        });
    }
    let shipped = READY.iter().filter_map(|ready| {
        let name = ui.pick(&scheme_text::read(ready.text).ok()?.name);
        Some((ready.id, name))
    });
    let page = ListPage {
        versions,
        shipped: shipped.collect(),
        may_publish: ROLES.contains(&by.session.account.role),
        ui,
    };
    Ok(Html(page.render()?).into_response())
}

/// What a version would do, found by trying it.
struct Tried {
    changes: Vec<Changed>,
    /// Keys that the ledger does not carry out.
    not_done: String,
    /// Whether the policy in force says something else of ends of points, joining, cards or levels.
    policy_differs: bool,
    /// Members whose level would be another one: level now, level then, how many.
    moves: Vec<(String, String, String)>,
    moved: String,
}

#[derive(Template)]
#[template(path = "scheme_new.html")]
struct NewPage {
    ui: Ui,
    text: String,
    from: String,
    today: String,
    policy: bool,
    slips: Vec<(String, String)>,
    error: String,
    tried: Option<Tried>,
}

/// From what a new version begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewQuery {
    from: Option<u32>,
    ready: String,
}

/// The text of an old version, or of a shipped scheme, to be edited.
pub async fn draft(
    State(console): State<Console>,
    Query(query): Query<NewQuery>,
    by: SignedIn,
) -> Result<Response, Failure> {
    if !ROLES.contains(&by.session.account.role) {
        return Err(Failure::Role);
    }
    let text = match query.from {
        Some(version) => known(&console).await?.text(version),
        None => ready::find(&query.ready).map(|ready| ready.text.to_owned()),
    };
    let today = today(&console);
    let page = NewPage {
        ui: by.ui.at("schemes"),
        text: text.ok_or(Failure::NotFound)?,
        from: today.plus(1).to_string(),
        today: today.to_string(),
        policy: false,
        slips: Vec::new(),
        error: String::new(),
        tried: None,
    };
    Ok(Html(page.render()?).into_response())
}

/// A form that can be published: the scheme, its text, its first day, and whether the policy is set too.
struct Draft {
    scheme: Scheme,
    from: Day,
    policy: bool,
}

/// Whether a scheme is for every office and member, and without an end.
fn is_for_all(scheme: &Scheme) -> bool {
    scheme.scope(Vec::new()).is_none() && scheme.scope_office_groups.is_empty()
}

/// Reads a form: what is wrong with the text, or with the day.
fn draft_of(fields: &Fields, text: &str, today: Day) -> Result<Draft, (Vec<Slip>, &'static str)> {
    let scheme = scheme_text::read(text).map_err(|slips| (slips, "scheme-slips"))?;
    let bad = |key| Err((Vec::new(), key));
    let Ok(from) = fields.get("from").parse::<Day>() else { return bad("scheme-day") };
    let policy = fields.get("policy") == "1";
    if policy && !is_for_all(&scheme) {
        return bad("scheme-policy-scoped");
    }
    match (from < today, policy && from > today) {
        (true, _) => bad("scheme-past"),
        (false, true) => bad("scheme-policy-later"),
        (false, false) => Ok(Draft { scheme, from, policy }),
    }
}

/// Counts members whose level would be another one with these levels, by the level now and then.
async fn moves(console: &Console, scheme: &Scheme) -> Result<BTreeMap<(u8, u8), u64>, Failure> {
    let mut counts = BTreeMap::new();
    let levels =
        Ladder::of(scheme).map_or_else(|| Scheme::empty("levels", 1, Day(0)), |ladder| ladder.scheme());
    let (now, mut from) = (console.app.now(), Some(MemberId([0; 16])));
    while let Some(after) = from {
        let levels = levels.clone();
        let page = move |tx: &mut Tx<'_>| stand::elsewhere(tx, &levels, now, (after, STEP_MEMBERS));
        let (moved, next) = console.app.db.read(page).await?;
        for (_, own, other) in moved {
            *counts.entry((own, other)).or_insert(0) += 1;
        }
        from = next;
    }
    Ok(counts)
}

async fn tried(console: &Console, ui: &Ui, draft: &Draft) -> Result<Tried, Failure> {
    let policy = console.app.db.read(world::policy).await?;
    let mut then = policy.clone();
    // A version for some leaves what is one for the whole club as it is.
    if is_for_all(&draft.scheme) {
        draft.scheme.write_into(&mut then);
    }
    let counts =
        if policy.levels == then.levels { BTreeMap::new() } else { moves(console, &draft.scheme).await? };
    let base = || ui.t("whatif-word-base-level");
    let own = policy.levels.as_ref().map(Ladder::scheme);
    let called = |scheme: Option<&Scheme>, rank: u8| {
        scheme.and_then(|scheme| scheme.level(rank)).map_or_else(base, |level| ui.pick(&level.name))
    };
    let shown = |n: u64| number(i64::try_from(n).unwrap_or(i64::MAX));
    let moves = counts
        .iter()
        .map(|((was, will), n)| (called(own.as_ref(), *was), called(Some(&draft.scheme), *will), shown(*n)));
    let known = known(console).await?;
    let before = known
        .in_force(draft.from)
        .and_then(|version| known.terms.iter().find(|terms| terms.version == version));
    let changes = match before {
        None => Vec::new(),
        Some(terms) => {
            let (version, valid_from) = (terms.version, terms.valid_from);
            let after = Scheme { version, valid_from, ..draft.scheme.clone() };
            match known.scheme(terms) {
                Some(before) => scheme_text::changes(&before, &after),
                None => scheme_text::changes(terms, &after.terms()),
            }
        }
    };
    Ok(Tried {
        changes,
        not_done: draft.scheme.not_done_yet().join(", "),
        policy_differs: policy != then,
        moves: moves.collect(),
        moved: shown(counts.values().sum()),
    })
}

/// Tries a text, or publishes it.
pub async fn act(State(console): State<Console>, posted: Posted) -> Result<Response, Failure> {
    let posted = posted.settled_as(&ROLES)?;
    let (fields, ui) = (&posted.fields, posted.by.ui.clone().at("schemes"));
    // Lines of a form end as mail's do.
    let text = fields.raw("text").replace("\r\n", "\n");
    let (today, from) = (today(&console), fields.get("from").to_owned());
    let policy = fields.get("policy") == "1";
    let show = |slips: Vec<Slip>, error: &str, tried: Option<Tried>| {
        let is_bad = !error.is_empty();
        let at = |line: Option<usize>| line.map_or_else(String::new, |line| line.to_string());
        let page = NewPage {
            text: text.clone(),
            from: from.clone(),
            today: today.to_string(),
            policy,
            slips: slips.into_iter().map(|slip| (at(slip.line), slip.what)).collect(),
            error: if is_bad { ui.t(error) } else { String::new() },
            tried,
            ui: ui.clone(),
        };
        let status = if is_bad { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        page.render().map(|body| (status, Html(body)).into_response()).map_err(Failure::from)
    };
    let draft = match draft_of(fields, &text, today) {
        Ok(draft) => draft,
        Err((slips, error)) => return show(slips, error, None),
    };
    if fields.get("step") != "publish" {
        let tried = tried(&console, &ui, &draft).await?;
        return show(Vec::new(), "", Some(tried));
    }
    let (how, actor) = ((Some(draft.from), draft.policy), posted.by.actor());
    if let Err(error) = publish_text(&console.app, (draft.scheme, Some(text.clone())), how, actor).await {
        let Some(why) = error.downcast_ref::<NotForThese>() else { return Err(Failure::fault(&*error)) };
        return show(vec![Slip { line: None, what: why.to_string() }], "scheme-slips", None);
    }
    Ok(go("/schemes"))
}
