//! The pages' templates and the lines that fill them, made from a snapshot. No request is looked at here.
//!
//! Every text goes through the templates' escaping: a name with markup in it shows as typed. No page contains inline
//! style or script, so the policy of [`super::guard`] holds without nonces.

use std::sync::Arc;

use askama::Template;
use hufu_shared::fact::RefusalReason;
use hufu_shared::money::Amount;
use hufu_shared::time::SECOND_US;
use hufu_shared::wire::upload::Became;

use super::batch::{self, BatchPart};
use super::face::{Face, face, look, mode, purpose, refusal_texts};
use super::forms::OUT_PREFIX;
use super::gates;
use super::papers::{self, PaperStrip, SlipMark};
use super::routes::Typed;
use super::slips::{METHODS, REASONS};
use super::view::{
    ActivityView, CounterView, GiftView, LinkView, ModeView, NoticeView, Outcome, Purpose, StaffView,
    Stopped, SwipeView, UnshownView,
};
use super::voice::Sounds;
use super::words::Ui;
use super::{undo, value};
use crate::locale::{Language, text};

/// A refusal or an unknown card waits for somebody for so long, in microseconds.
const PENDING_US: i64 = 10 * 60 * SECOND_US;

/// What frames every page.
#[derive(Debug)]
pub struct Frame {
    /// Language, zone and time.
    pub ui: Ui,
    /// `light` or `dark`.
    pub theme: &'static str,
    /// Whether sounds are muted, but for refusals.
    pub muted: bool,
    /// How the page sounds.
    pub sounds: Arc<Sounds>,
    /// Address of the style sheet.
    pub css: String,
    /// Address of the script.
    pub js: String,
    /// Whether anyone on the network can operate the page.
    pub unpaired: bool,
    /// Whether nothing counts that is done now.
    pub practice: bool,
    /// Who is at the counter, where somebody must be.
    pub staff: Option<String>,
}

impl Frame {
    /// Address of the style sheet of practice.
    #[must_use]
    pub fn practice_style(&self) -> &'static str {
        &super::assets::addresses().practice
    }

    /// Who is at the counter, or that it is locked; none where nobody is asked.
    pub(super) fn staff_text(staff: &StaffView, language: Language) -> Option<String> {
        let locked = || text(language, "pin-locked");
        staff.asked.then(|| staff.operator.as_ref().map_or_else(locked, |operator| operator.name.clone()))
    }

    /// Tag of the language that the switch leads to.
    #[must_use]
    pub fn other_lang(&self) -> &'static str {
        if self.ui.is_zh() { "en" } else { "zh-CN" }
    }
}

/// A short text on a coloured ground.
#[derive(Debug)]
pub struct Badge {
    /// Class: `ok`, `wait`, `bad` or none.
    pub class: &'static str,
    /// The text.
    pub text: String,
}

/// A mode that staff can choose.
#[derive(Debug)]
pub struct ModeLine {
    /// What the form sends.
    pub value: String,
    /// Its name.
    pub title: String,
    /// Time, points, or what it is for.
    pub hint: String,
    /// Whether it is chosen.
    pub current: bool,
    /// Whether it cannot be chosen now.
    pub disabled: bool,
}

/// A line of a list of swipes, notices or unshown facts.
#[derive(Debug, Default)]
pub struct Line {
    /// What the form sends.
    pub key: String,
    /// Class of the outcome.
    pub class: &'static str,
    /// Shape of the outcome.
    pub icon: &'static str,
    /// The outcome in one word.
    pub word: String,
    /// Who.
    pub name: String,
    /// What for.
    pub what: String,
    /// End of the card's number.
    pub tail: Option<String>,
    /// Points.
    pub promised: Option<String>,
    /// How many equal ones it stands for.
    pub times: Option<String>,
    /// When; empty if it is not known.
    pub time: String,
    /// What a notice says.
    pub why: String,
    /// What became of the fact.
    pub became: Option<String>,
    /// The printed slip.
    pub slip: Option<SlipMark>,
    /// Where it can be taken back.
    pub undo: Option<String>,
}

/// A candidate's form.
#[derive(Debug)]
pub struct CandidateForm {
    /// Its number.
    pub n: u64,
    /// Whether there is somebody to compare and something to do.
    pub known: bool,
}

/// All parts of the counter page that change.
#[derive(Debug)]
pub struct Parts {
    /// Language, zone and time.
    pub ui: Ui,
    /// Changes with the program, and with practice.
    pub build: String,
    /// Number of the snapshot.
    pub version: u64,
    /// The office.
    pub office: String,
    /// The terminal.
    pub terminal: String,
    /// Connection, queue, age, readers.
    pub badges: Vec<Badge>,
    /// Answer to the last form, if it was declined.
    pub said: Option<String>,
    /// Why uploading stopped.
    pub stopped: Option<String>,
    /// That the room for records runs out.
    pub tight: Option<String>,
    /// Value facts whose showing is unknown.
    pub unshown: Vec<Line>,
    /// Notices to staff.
    pub notices: Vec<Line>,
    /// Slips that are not on paper.
    pub paper: Option<PaperStrip>,
    /// The large panel.
    pub face: Face,
    /// The candidate's form.
    pub candidate: Option<CandidateForm>,
    /// The purchase that waits for a card.
    pub earning: Option<String>,
    /// The list of a batch check-in, or the offer to begin one.
    pub batch: Option<BatchPart>,
    /// What can be chosen.
    pub modes: Vec<ModeLine>,
    /// Whether there is nothing to check in to.
    pub no_activities: bool,
    /// The last swipes.
    pub last: Vec<Line>,
    /// What of them can be taken back.
    pub returns: Vec<Line>,
    /// How many guests somebody should look after.
    pub pending: Option<String>,
}

/// The counter page.
#[derive(Debug, Template)]
#[template(path = "counter.html")]
pub struct CounterPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// What changes.
    pub p: &'a Parts,
    /// Which pane is open, and what was typed in it before an error.
    pub typed: &'a Typed,
    /// Version of the desk display's picture.
    pub display: Option<u64>,
    /// Address of the simulator's tray.
    pub simulator: Option<&'a str>,
}

/// What the script fetches.
#[derive(Debug, Template)]
#[template(path = "panel.html")]
pub struct PanelPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// What changes.
    pub p: &'a Parts,
}

impl Parts {
    /// The parts of a snapshot.
    #[must_use]
    pub fn new(view: &CounterView, version: u64, ui: &Ui, said: Option<String>) -> Self {
        let office = ui.words(&view.office);
        let or = |text: &str, key: &str| if text.is_empty() { ui.t(key) } else { text.to_owned() };
        let once = matches!(view.mode, ModeView::Earn { .. } | ModeView::Once { .. });
        let earning = once.then(|| mode(&view.mode, ui));
        Self {
            // A page of the other kind has another border and another warning: it is loaded anew.
            build: format!("{}{}", view.software, if view.practice { " practice" } else { "" }),
            version,
            office: or(office, "counter-office-unknown"),
            terminal: or(&view.terminal, "counter-terminal-unnamed"),
            badges: badges(view, ui),
            said,
            stopped: view.link.stopped.map(|stopped| ui.t(stopped_key(stopped))),
            tight: view.link.tight_percent.map(|percent| ui.t1("counter-tight", "percent", percent)),
            unshown: view.unshown.iter().map(|fact| unshown(fact, ui)).collect(),
            notices: view.notices.iter().map(|notice| notice_line(notice, view, ui)).collect(),
            paper: papers::strip(view, ui),
            face: face(view, ui),
            candidate: view
                .candidate
                .as_ref()
                .map(|candidate| CandidateForm { n: candidate.n, known: candidate.may_be_confirmed() }),
            earning,
            batch: batch::part(view, ui),
            modes: modes(view, ui),
            no_activities: view.activities.is_empty(),
            last: view.last.iter().map(|swipe| swipe_line(swipe, view, ui)).collect(),
            returns: undo::lines(view, ui),
            pending: pending(view, ui),
            ui: *ui,
        }
    }
}

/// Connection, queue, age of the last exchange, readers.
fn badges(view: &CounterView, ui: &Ui) -> Vec<Badge> {
    let LinkView { online, queue_len, last_sync, .. } = &view.link;
    let queue = ui.points(Amount(i64::try_from(*queue_len).unwrap_or(i64::MAX)));
    let mut badges = Vec::new();
    if *online {
        badges.push(Badge { class: "ok", text: ui.t("counter-online") });
        badges.push(match queue_len {
            0 => Badge { class: "", text: ui.t("counter-queue-empty") },
            _ => Badge { class: "", text: ui.t1("counter-queue", "n", queue) },
        });
    } else {
        badges.push(Badge { class: "wait", text: ui.t1("counter-offline", "n", queue) });
    }
    badges.push(Badge {
        class: "",
        text: last_sync
            .map_or_else(|| ui.t("counter-synced-never"), |at| ui.t1("counter-synced", "age", ui.age(at))),
    });
    let (all, up) = (view.readers.len(), view.readers.iter().filter(|reader| reader.up).count());
    badges.push(match up {
        0 => Badge { class: "bad", text: ui.t("counter-readers-none") },
        _ if up == all => Badge { class: "ok", text: ui.t("counter-readers-ok") },
        _ => Badge {
            class: "wait",
            text: ui.t2("counter-readers-part", ("up", up.to_string()), ("all", all.to_string())),
        },
    });
    badges
}

/// What a terminal that no longer uploads tells staff.
fn stopped_key(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::NotEnrolled => "counter-stopped-not_enrolled",
        Stopped::Fork => "counter-stopped-fork",
        Stopped::Lost => "counter-stopped-lost",
        Stopped::Revoked => "counter-stopped-revoked",
        Stopped::Epoch => "counter-stopped-epoch",
        Stopped::Receipt => "counter-stopped-receipt",
    }
}

fn modes(view: &CounterView, ui: &Ui) -> Vec<ModeLine> {
    let lines = |activity| {
        let gifts = gift_lines(activity, view, ui);
        activity_lines(activity, view, ui).into_iter().chain(gifts)
    };
    let mut modes: Vec<ModeLine> = view.activities.iter().flat_map(lines).collect();
    // What can be chosen comes first: a terminal seldom changes its activity, and then in a hurry.
    modes.sort_by_key(|line| line.disabled);
    let plain = |value: &str, current| ModeLine {
        value: value.to_owned(),
        title: ui.t(&format!("counter-mode-{value}")),
        hint: ui.t(&format!("counter-mode-{value}-hint")),
        current,
        disabled: false,
    };
    modes.push(plain("visit", view.mode == ModeView::Visit));
    modes.push(plain("look_up", view.mode == ModeView::LookUp));
    let lost = matches!(&view.mode, ModeView::Once { purpose: Purpose::ReportLost });
    modes.push(plain("report_lost", lost));
    modes
}

/// The ways into and out of an activity that this terminal records. Where both are, each says which it is.
fn activity_lines(activity: &ActivityView, view: &CounterView, ui: &Ui) -> Vec<ModeLine> {
    let (id, name) = (activity.occurrence, ui.words(&activity.name));
    let mut lines = Vec::new();
    if activity.enters {
        let title = match activity.leaves {
            Some(_) => ui.t1("counter-mode-way-in", "name", name),
            None => name.to_owned(),
        };
        lines.push(ModeLine {
            value: id.to_string(),
            title,
            hint: activity_hint(activity, ui),
            current: matches!(&view.mode, ModeView::CheckIn { occurrence, .. } if *occurrence == id),
            disabled: !activity.running,
        });
    }
    if let Some(open) = activity.leaves {
        let hours = format!("{}–{}", ui.time(activity.starts), ui.time(activity.ends));
        let hint = if open { "counter-activity-out" } else { "counter-activity-out-closed" };
        lines.push(ModeLine {
            value: format!("{OUT_PREFIX}{id}"),
            title: ui.t1("counter-mode-way-out", "name", name),
            hint: format!("{hours} · {}", ui.t(hint)),
            current: matches!(&view.mode, ModeView::CheckOut { occurrence, .. } if *occurrence == id),
            disabled: !open,
        });
    }
    lines
}

fn activity_hint(activity: &ActivityView, ui: &Ui) -> String {
    let mut hint = vec![format!("{}–{}", ui.time(activity.starts), ui.time(activity.ends))];
    if activity.points.is_positive() {
        hint.push(ui.t1("counter-activity-points", "n", ui.points(activity.points)));
    }
    if activity.attended_here > 0 {
        hint.push(ui.t1("counter-activity-here", "n", activity.attended_here.to_string()));
    }
    hint.extend(gates::texts(activity, ui));
    if !activity.running {
        let ended = activity.ends <= ui.now;
        hint.push(ui.t(if ended { "counter-activity-ended" } else { "counter-activity-later" }));
    }
    hint.join(" · ")
}

/// What is handed out at an activity while it runs.
fn gift_lines(activity: &ActivityView, view: &CounterView, ui: &Ui) -> Vec<ModeLine> {
    let line = |gift: &GiftView| {
        let current = matches!(&view.mode, ModeView::HandOut { occurrence, item, .. }
            if (*occurrence, *item) == (activity.occurrence, gift.item));
        let here = ui.t1("counter-gift-here", "n", gift.handed_here.to_string());
        let name = ui.words(&gift.name).to_owned();
        ModeLine {
            value: format!("hand_out:{}:{}", activity.occurrence, gift.item),
            title: ui.t2("counter-mode-hand_out", ("name", name), ("n", gift.each.to_string())),
            hint: format!("{} · {here}", ui.words(&activity.name)),
            current,
            disabled: false,
        }
    };
    activity.gifts.iter().filter(|_| activity.running).map(line).collect()
}

/// An outcome in one word; a repeat that is no check-in must not read "checked in".
fn word(outcome: Outcome, purpose: Option<&Purpose>, ui: &Ui) -> String {
    match (outcome, purpose) {
        (Outcome::Refused(RefusalReason::R06), Some(Purpose::HandOut { .. })) => ui.t("counter-word-handed"),
        (
            Outcome::AlreadyIn,
            Some(Purpose::Visit | Purpose::Earn { .. } | Purpose::LookUp | Purpose::CheckOut { .. }),
        ) => ui.t("counter-word-repeat"),
        _ => ui.t(&format!("counter-word-{}", look(outcome).key)),
    }
}

pub(super) fn swipe_line(swipe: &SwipeView, view: &CounterView, ui: &Ui) -> Line {
    let look = look(swipe.outcome);
    let nobody = if matches!(swipe.outcome, Outcome::UnknownCard | Outcome::ReadFailed) {
        "counter-last-nobody"
    } else {
        "counter-last-no-name"
    };
    let what = match swipe.outcome {
        Outcome::Refused(RefusalReason::R06) if matches!(swipe.purpose, Purpose::HandOut { .. }) => {
            purpose(&swipe.purpose, ui)
        }
        Outcome::Refused(reason) => {
            let (why, _) = refusal_texts(reason, ui.words(&view.place_word), ui);
            format!("{reason:?} {why}")
        }
        _ => purpose(&swipe.purpose, ui),
    };
    Line {
        class: look.class,
        icon: look.icon,
        word: word(swipe.outcome, Some(&swipe.purpose), ui),
        name: swipe.name.clone().unwrap_or_else(|| ui.t(nobody)),
        what,
        tail: swipe.card_tail.as_ref().map(|tail| ui.t1("counter-card-tail", "tail", tail)),
        promised: value::moved(swipe.outcome, &swipe.purpose, &swipe.moved, ui).or_else(|| {
            let promised = swipe.promised.filter(|points| points.is_positive());
            let stands = !matches!(swipe.outcome, Outcome::Refused(_) | Outcome::OverOfflineLimit);
            promised.filter(|_| stands).map(|points| format!("+{}", ui.points(points)))
        }),
        times: (swipe.count > 1).then(|| ui.t1("counter-last-times", "n", swipe.count.to_string())),
        time: ui.second(swipe.at),
        slip: papers::mark(swipe.seq, view, ui),
        undo: undo::address(swipe),
        ..Line::default()
    }
}

/// Guests of the last minutes whom nobody has helped yet: their newest swipe still asks for staff.
fn pending(view: &CounterView, ui: &Ui) -> Option<String> {
    let same = |a: &SwipeView, b: &SwipeView| a.card_tail == b.card_tail && a.name == b.name;
    let recent: Vec<&SwipeView> =
        view.last.iter().filter(|swipe| ui.now.since(swipe.at) < PENDING_US).collect();
    let newest_of_card = |at: usize| !recent[..at].iter().any(|newer| same(newer, recent[at]));
    let count =
        (0..recent.len()).filter(|at| look(recent[*at].outcome).needs_staff && newest_of_card(*at)).count();
    (count > 0).then(|| ui.t1("counter-last-pending", "n", count.to_string()))
}

fn unshown(fact: &UnshownView, ui: &Ui) -> Line {
    Line {
        key: fact.seq.to_string(),
        name: fact.name.clone().unwrap_or_else(|| ui.t("counter-last-no-name")),
        what: purpose(&fact.purpose, ui),
        promised: fact.promised.filter(|p| p.is_positive()).map(|points| format!("+{}", ui.points(points))),
        time: ui.time(fact.at),
        ..Line::default()
    }
}

fn notice_line(notice: &NoticeView, view: &CounterView, ui: &Ui) -> Line {
    let became = ui.t(match notice.became {
        Became::AppliedWithCase => "counter-notice-became-applied_with_case",
        Became::Held => "counter-notice-became-held",
        Became::Quarantined => "counter-notice-became-quarantined",
        Became::Merged => "counter-notice-became-merged",
        Became::NoEffect => "counter-notice-became-no_effect",
        Became::Applied => "counter-notice-became-applied",
    });
    let (why, became) = match kind_text(notice, view, ui) {
        Some(kind) => (kind, Some(became)),
        None => (became, None),
    };
    Line {
        key: notice.n.to_string(),
        name: notice.name.clone().unwrap_or_else(|| ui.t("counter-last-no-name")),
        what: notice.purpose.as_ref().map(|what| purpose(what, ui)).unwrap_or_default(),
        time: notice.at.map(|at| ui.time(at)).unwrap_or_default(),
        why,
        became,
        ..Line::default()
    }
}

/// Why, for the kinds of conflict that staff at a counter can meet.
fn kind_text(notice: &NoticeView, view: &CounterView, ui: &Ui) -> Option<String> {
    let text = match notice.kind? {
        27 => {
            // The one that counts was first; only the other one came after somebody.
            let counts = matches!(notice.became, Became::AppliedWithCase | Became::Applied);
            match (&notice.other_office, notice.other_at) {
                (Some(office), Some(at)) => {
                    let key =
                        if counts { "counter-notice-kind-27-also-at" } else { "counter-notice-kind-27-at" };
                    ui.t2(key, ("office", office.clone()), ("time", ui.time(at)))
                }
                _ => {
                    let key = if counts { "counter-notice-kind-27-also" } else { "counter-notice-kind-27" };
                    ui.t1(key, "place", ui.words(&view.place_word))
                }
            }
        }
        kind @ (2 | 4 | 9 | 13 | 25 | 28) => ui.t(&format!("counter-notice-kind-{kind}")),
        _ => return None,
    };
    Some(text)
}
