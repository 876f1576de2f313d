//! 需要处理: what waits for a person, in the order in which it is better seen to: cases, approvals, terminals that are
//! silent, days that nobody closed, jobs that failed.
//!
//! Narrowed to one office where that is chosen; cases, changes of points and jobs are of no office and are told whole.

use hufu_shared::ids::OfficeId;
use hufu_shared::time::Day;

use super::devices::{Presence, presence, state_words};
use super::ui::Ui;
use super::watching::Watching;
use crate::db::Tx;
use crate::rules::jobs::Job;
use crate::store::cases::{self, KindCount};
use crate::store::devices::{self as device_store, DeviceLine};
use crate::store::jobs::{self as runs, Run};
use crate::store::overview::{self, UNCLOSED_LISTED_MAX, UnclosedDay};
use crate::store::requests::{self, Origin, Waiting};
use crate::store::{StoreError, points};

/// Forms that are counted; more read as that many and more.
const FORMS_MAX: i64 = 100;

/// One line of what waits.
pub(super) struct Todo {
    pub(super) what: String,
    pub(super) since: String,
    pub(super) link: String,
    pub(super) tone: &'static str,
}

/// All that may wait.
pub(super) struct Attention {
    pub(super) kinds: Vec<KindCount>,
    pub(super) terminals: Vec<DeviceLine>,
    forms: Vec<Waiting>,
    changes: u64,
    watching: Watching,
    unclosed: Vec<UnclosedDay>,
    failed: Vec<Run>,
}

fn is_of(ui: &Ui, origin: &Origin) -> bool {
    let of = |office: &OfficeId| !ui.leaves_out(*office);
    match origin {
        Origin::Terminal(office, _) => of(office),
        Origin::Centre(_, office) => office.as_ref().is_none_or(of),
    }
}

impl Attention {
    /// Looks everywhere; `day` is today.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn load(tx: &mut Tx<'_>, ui: &Ui, day: Day) -> Result<Self, StoreError> {
        let mut failed = Vec::new();
        for job in Job::ALL {
            let newest = runs::runs(tx, job, runs::NEWEST, 1)?;
            // One that was cut off goes on by itself.
            let is_failed = |run: &Run| run.error.as_deref().is_some_and(|error| error != runs::CUT_OFF);
            failed.extend(newest.into_iter().filter(is_failed));
        }
        let mut forms = requests::applications(tx, FORMS_MAX)?;
        forms.retain(|form| is_of(ui, &form.origin) && form.state == requests::State::Ready);
        let mut terminals = device_store::list(tx)?;
        terminals.retain(|line| !ui.leaves_out(line.office));
        Ok(Self {
            kinds: cases::open_counts(tx)?,
            terminals,
            forms,
            changes: points::waiting(tx)?,
            watching: Watching::load(tx)?,
            unclosed: overview::unclosed(tx, ui.office_code(), day, UNCLOSED_LISTED_MAX)?,
            failed,
        })
    }

    /// How many terminals are silent.
    pub(super) fn silent(&self, ui: &Ui) -> usize {
        self.terminals.iter().filter(|line| presence(line, ui.now) == Presence::Offline).count()
    }

    /// One line for each.
    pub(super) fn todos(&self, ui: &Ui) -> Vec<Todo> {
        let mut todos: Vec<Todo> = self.kinds.iter().map(|kind| case(ui, kind)).collect();
        todos.extend(self.approvals(ui));
        todos.extend(self.terminals(ui));
        todos.extend(self.unclosed.iter().map(|open| Todo {
            what: ui.t_with("todo-unclosed", &[("name", &open.name), ("day", &open.day.to_string())]),
            since: ui.t_with("todo-facts", &[("n", &open.facts.to_string())]),
            link: format!("/days?device={}&day={}", open.device, open.day),
            tone: "wait",
        }));
        todos.extend(self.failed.iter().map(|run| Todo {
            what: ui.t_with("todo-job", &[("name", &ui.t(&format!("job-{}", run.job.replace('_', "-"))))]),
            since: ui.t_with("todo-ago", &[("ago", &ui.ago(run.ended.unwrap_or(run.seen)))]),
            link: "/jobs".to_owned(),
            tone: "bad",
        }));
        todos
    }

    fn approvals(&self, ui: &Ui) -> Vec<Todo> {
        let mut todos = Vec::new();
        if let Some(oldest) = self.forms.iter().map(|form| form.received).min() {
            todos.push(Todo {
                what: ui.t_with("todo-forms", &[("n", &self.forms.len().to_string())]),
                since: ui.t_with("todo-oldest", &[("ago", &ui.ago(oldest))]),
                link: "/requests".to_owned(),
                tone: "wait",
            });
        }
        if self.changes > 0 {
            todos.push(Todo {
                what: ui.t_with("todo-changes", &[("n", &self.changes.to_string())]),
                since: String::new(),
                link: "/points".to_owned(),
                tone: "wait",
            });
        }
        todos
    }

    /// Those whose silence alarms one by one; the others together, since many are off for the night.
    fn terminals(&self, ui: &Ui) -> Vec<Todo> {
        let offline = self.terminals.iter().filter(|line| presence(line, ui.now) == Presence::Offline);
        let (alarmed, quiet): (Vec<_>, Vec<_>) = offline.partition(|line| self.watching.is_alarmed(ui, line));
        let mut todos: Vec<Todo> = alarmed
            .iter()
            .map(|line| Todo {
                what: ui.t_with("todo-offline", &[("name", &line.name)]),
                since: state_words(ui, line),
                link: format!("/devices/{}", line.device),
                tone: "bad",
            })
            .collect();
        if !quiet.is_empty() {
            todos.push(Todo {
                what: ui.t_with("todo-quiet", &[("n", &quiet.len().to_string())]),
                since: ui.t("todo-quiet-why"),
                link: "/devices?state=offline".to_owned(),
                tone: "wait",
            });
        }
        todos
    }
}

fn case(ui: &Ui, kind: &KindCount) -> Todo {
    let words = ui.t(&format!("kind-{:02}", kind.kind));
    Todo {
        what: ui.t_with("todo-case", &[("kind", &words), ("n", &kind.count.to_string())]),
        since: ui.t_with("todo-oldest", &[("ago", &ui.ago(kind.oldest))]),
        link: format!("/cases?kind={}", kind.kind),
        tone: "bad",
    }
}
