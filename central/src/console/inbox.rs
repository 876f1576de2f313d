//! The list of the inbox: cases by cause with age, deadline and what is at stake; whose they are; what can be said of several
//! at once. Those that want somebody soonest stand in front.

use std::collections::BTreeMap;

use hufu_shared::ids::{Hash, OperatorId};
use hufu_shared::money::Leg;
use hufu_shared::seal::OpenKey;
use hufu_shared::time::Instant;
use serde::Deserialize;

use super::batch;
use super::cases::subject;
use super::foresight::stake_words;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::apply::verdict_code;
use crate::rules::inbox::{Care, Rank, rank};
use crate::rules::world::CaseState;
use crate::store::cases::{self, Case, Decision, KindCount, Listed};
use crate::store::people::PeopleError;
use crate::store::{inbox, staff};
use crate::vault::Vault;

/// Filter of the inbox, and what was done last.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InboxQuery {
    pub(super) kind: Option<u8>,
    ended: Option<u8>,
    mine: Option<u8>,
    pub(super) done: Option<String>,
    pub(super) last: Option<String>,
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All that wait.
    Open,
    /// Those that wait and are this person's.
    Mine(OperatorId),
    /// All that were decided or ended.
    Ended,
}

impl InboxQuery {
    /// A filter as it was sent on with a form.
    pub(super) fn of(kind: &str, mine: &str) -> Self {
        let is_mine = (mine == "1").then_some(1);
        Self { kind: kind.parse().ok(), mine: is_mine, ..Self::default() }
    }

    /// The same of the cases that wait: where a person goes on after one that was judged anew.
    pub(super) fn waiting(&self) -> Self {
        Self { ended: None, ..self.clone() }
    }

    /// Which list it asks for.
    pub(super) fn which(&self, me: OperatorId) -> Which {
        match (self.ended == Some(1), self.mine == Some(1)) {
            (true, _) => Which::Ended,
            (false, true) => Which::Mine(me),
            (false, false) => Which::Open,
        }
    }

    /// The filter as an address has it; empty for all that wait.
    pub(super) fn text(&self) -> String {
        let kind = self.kind.map(|kind| format!("kind={kind}"));
        let ended = (self.ended == Some(1)).then(|| "ended=1".to_owned());
        let mine = (self.ended != Some(1) && self.mine == Some(1)).then(|| "mine=1".to_owned());
        let parts: Vec<String> = [kind, ended, mine].into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    /// Whether only one's own are listed.
    pub(super) fn is_mine(&self) -> bool {
        self.ended != Some(1) && self.mine == Some(1)
    }
}

/// Cases of one cause.
pub(super) struct Group {
    pub kind: u8,
    pub label: String,
    pub count: u64,
    /// How old the oldest is.
    pub oldest: String,
    pub rows: Vec<Entry>,
    /// How many more there are, and where they are listed; empty if none, or if they are not listed anywhere yet.
    pub more: String,
    pub more_link: String,
    /// What can be said of several at once: code and label; nothing where they do not wait.
    pub steps: Vec<(&'static str, String)>,
}

/// One case of the list.
pub(super) struct Entry {
    pub link: String,
    /// The name of its box in forms, and the version that is listed.
    pub id: String,
    pub seen: String,
    pub title: String,
    pub place: String,
    pub age: String,
    pub state: String,
    pub stake: String,
    /// Until when it must be decided, and the tone of that; empty without a deadline.
    pub deadline: String,
    pub tone: &'static str,
    /// Who has it.
    pub who: String,
    pub selected: bool,
}

/// All that the list reads.
pub(super) struct Inbox {
    pub list: Vec<(Case, String)>,
    pub counts: Vec<KindCount>,
    pub cares: BTreeMap<Hash, Care>,
    pub stakes: BTreeMap<Hash, Vec<Leg>>,
    /// The time of the list: what came later is new.
    pub newest: Instant,
}

fn listed(tx: &mut Tx<'_>, (kind, which): (Option<u8>, Which)) -> Result<Listed, PeopleError> {
    Ok(match which {
        Which::Open => cases::open(tx, kind)?,
        Which::Mine(me) => inbox::mine(tx, me, kind)?,
        Which::Ended => cases::ended(tx, kind)?,
    })
}

/// Reads the list.
///
/// # Errors
/// [`PeopleError`] if the database fails.
pub(super) fn read(
    tx: &mut Tx<'_>,
    vault: &Vault,
    of: (Option<u8>, Which),
    now: Instant,
) -> Result<Inbox, PeopleError> {
    let found = listed(tx, of)?;
    let (found, cares) =
        if of.1 == Which::Ended { (found, BTreeMap::new()) } else { inbox::ordered(tx, found, now)? };
    let limit = if of.0.is_some() { cases::CASES_OF_KIND_MAX } else { cases::CASES_OF_EACH_KIND_MAX };
    let mut stakes = BTreeMap::new();
    for known in found.counts.iter().filter(|_| of.1 != Which::Ended) {
        stakes.extend(inbox::stakes(tx, known.kind, limit)?);
    }
    let mut list = Vec::with_capacity(found.cases.len());
    for case in found.cases {
        let name = subject(tx, vault, &case)?;
        list.push((case, name));
    }
    let newest = inbox::version(tx)?.1;
    Ok(Inbox { list, counts: found.counts, cares, stakes, newest })
}

/// The case that is to be decided first of a list; none if the list is empty or holds only `but`.
///
/// # Errors
/// [`PeopleError`] if the database fails.
pub(super) fn first(
    tx: &mut Tx<'_>,
    of: (Option<u8>, Which),
    but: Option<Hash>,
    now: Instant,
) -> Result<Option<Hash>, PeopleError> {
    let found = listed(tx, of)?;
    let (found, cares) = inbox::ordered(tx, found, now)?;
    let none = Care::default();
    let is_put_off =
        |case: &Case| cares.get(&case.id).unwrap_or(&none).until(case.known.changed, now).is_some();
    let mut waiting = found.cases.iter().filter(|case| Some(case.id) != but);
    Ok(waiting.find(|case| !is_put_off(case)).map(|case| case.id))
}

/// Where the list goes on after a case.
pub(super) fn next_link(list: &[(Case, String)], selected: Option<Hash>, filter: &str) -> String {
    let at = list.iter().position(|(case, _)| Some(case.id) == selected);
    let after = at.map_or(0, |at| at + 1);
    let next = list.get(after).or_else(|| list.first().filter(|(case, _)| Some(case.id) != selected));
    next.map_or_else(String::new, |(case, _)| format!("/cases/{}{filter}", case.id))
}

/// The list as the page shows it.
pub(super) fn groups(ui: &Ui, inbox: &Inbox, selected: Option<Hash>, query: &InboxQuery) -> Vec<Group> {
    let filter = query.text();
    let group = |known: &KindCount| {
        let kind = known.kind;
        let of_kind = inbox.list.iter().filter(|(case, _)| case.known.kind == kind);
        let rows: Vec<_> = of_kind.map(|row| entry(ui, inbox, row, (selected, &filter))).collect();
        let more = known.count.saturating_sub(rows.len() as u64);
        let joint = if filter.is_empty() { "?" } else { "&" };
        let steps = if query.ended == Some(1) { Vec::new() } else { batch::steps(ui, kind) };
        Group {
            kind,
            label: ui.t(&format!("kind-{kind:02}")),
            count: known.count,
            oldest: ui.t_with("inbox-oldest", &[("ago", &ui.ago(known.oldest))]),
            rows,
            more: if more > 0 { ui.t_with("cases-more", &[("n", &more.to_string())]) } else { String::new() },
            more_link: match query.kind {
                None => format!("/cases{filter}{joint}kind={kind}"),
                Some(_) => String::new(),
            },
            steps,
        }
    };
    inbox.counts.iter().map(group).collect()
}

fn entry(
    ui: &Ui,
    inbox: &Inbox,
    (case, name): &(Case, String),
    (selected, filter): (Option<Hash>, &str),
) -> Entry {
    let (known, none) = (&case.known, Care::default());
    let care = inbox.cares.get(&case.id).unwrap_or(&none);
    let put_off = care.until(known.changed, ui.now);
    let is_open = matches!(known.state, CaseState::Open | CaseState::EvidenceChanged);
    let state = match (known.state, put_off) {
        (_, Some(until)) => ui.t_with("inbox-put-off", &[("time", &ui.time(until))]),
        (CaseState::EvidenceChanged, None) => ui.t("case-state-evidence_changed"),
        _ => String::new(),
    };
    let (deadline, tone) = deadline(ui, known.deadline.filter(|_| is_open));
    Entry {
        link: format!("/cases/{}{filter}", case.id),
        id: case.id.to_string(),
        seen: case.entry.to_string(),
        title: if name.is_empty() { ui.t("case-no-subject") } else { name.clone() },
        place: known.occurrence.map_or_else(String::new, |_| ui.t("case-at-activity")),
        age: ui.ago(known.changed),
        state,
        stake: stake_words(ui, inbox.stakes.get(&case.id).map_or(&[], Vec::as_slice)),
        deadline,
        tone,
        who: care.name.clone(),
        selected: Some(case.id) == selected,
    }
}

/// A deadline in words, with how near it is, and the tone of that.
pub(super) fn deadline(ui: &Ui, deadline: Option<Instant>) -> (String, &'static str) {
    let Some(at) = deadline else { return (String::new(), "plain") };
    let time = ui.time(at);
    match rank(deadline, None, ui.now) {
        Rank::Overdue => (ui.t_with("inbox-overdue", &[("time", &time)]), "bad"),
        Rank::Urgent => {
            let left = ui.lasting(at.since(ui.now));
            (ui.t_with("inbox-urgent", &[("time", &time), ("left", &left)]), "wait")
        }
        _ => (ui.t_with("inbox-until", &[("time", &time)]), "plain"),
    }
}

/// A decision in words: when, who and what; and why, empty where the reason is not kept any more.
///
/// # Errors
/// [`PeopleError`] if the database fails.
pub(super) fn decided_words(
    tx: &mut Tx<'_>,
    ui: &Ui,
    key: &OpenKey,
    decision: &Decision,
) -> Result<(String, String), PeopleError> {
    let who = match (ui.called(&staff::named(tx, &decision.actor.to_string())?), decision.actor.staff()) {
        (Some(name), _) => name,
        (None, Some(id)) => ui.t_with("actor-admin", &[("id", &format!("…{}", &id.to_string()[30..]))]),
        (None, None) => ui.t("actor-other"),
    };
    let why = inbox::note(tx, key, decision.decided.reason)?.unwrap_or_default();
    let verdict = ui.t(&format!("verdict-{}", verdict_code(decision.decided.verdict)));
    Ok((format!("{} · {who} · {verdict}", ui.time(decision.at)), why))
}
