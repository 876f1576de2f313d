//! `/today`: what today holds and what yesterday left open, on one page. Pure.

use askama::Template;

use super::super::gates;
use super::super::pages::Frame;
use super::super::view::{CounterView, GiftView};
use super::super::words::Ui;
use super::{ExpectedGuest, ExpectedView, ShiftView};

/// One activity of today.
#[derive(Debug)]
pub struct ActivityLine {
    /// Start and end.
    pub time: String,
    /// Its name.
    pub name: String,
    /// `ok` while it runs, else none.
    pub class: &'static str,
    /// Running, later, ended.
    pub state: String,
    /// Members checked in here.
    pub here: String,
    /// How often each gate was passed.
    pub gates: Vec<String>,
    /// What is handed out there, and how often it was.
    pub gifts: Vec<String>,
    /// How many are expected, came, and have their birthday; none where anyone may come.
    pub expected: Option<String>,
    /// Who is expected.
    pub guests: Vec<GuestLine>,
    /// That more are expected than are named.
    pub more: Option<String>,
}

/// A member who is expected.
#[derive(Debug)]
pub struct GuestLine {
    /// Name, as far as staff may see it.
    pub name: String,
    /// Level; empty for none.
    pub level: String,
    /// Whether the member has a birthday.
    pub birthday: bool,
    /// Whether the member was checked in here.
    pub arrived: bool,
    /// How many companions were announced with the member; empty for nobody.
    pub companions: String,
}

/// Something that somebody should look at.
#[derive(Debug)]
pub struct OpenPoint {
    /// What.
    pub text: String,
    /// Where it is dealt with.
    pub link: &'static str,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/today.html")]
pub struct TodayPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Office and day.
    pub place: String,
    /// Activities, by start.
    pub activities: Vec<ActivityLine>,
    /// What is left of yesterday and of today.
    pub open: Vec<OpenPoint>,
}

impl<'a> TodayPage<'a> {
    /// The page of a snapshot and the shift.
    #[must_use]
    pub fn new(
        frame: &'a Frame,
        style: &'a str,
        view: &CounterView,
        (shift, expected): (&ShiftView, &[ExpectedView]),
    ) -> Self {
        let ui = &frame.ui;
        let place = format!("{} · {}", ui.words(&view.office), ui.day(ui.now));
        let none = ExpectedView::default();
        let activities = view.activities.iter().enumerate().map(|(at, activity)| {
            let expected = expected.get(at).unwrap_or(&none);
            let gift = |gift: &GiftView| {
                let name = ui.words(&gift.name).to_owned();
                let handed = ui.t2("desk-today-gift", ("name", name), ("n", gift.handed_here.to_string()));
                let wanted = expected.listed * usize::try_from(gift.each).unwrap_or(0);
                let needed = (wanted > 0).then(|| ui.t1("desk-today-gift-needed", "n", wanted.to_string()));
                [Some(handed), needed].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            };
            let more = expected.listed - expected.guests.len();
            let state = match (activity.running, activity.ends <= ui.now) {
                (true, _) => "desk-today-running",
                (false, true) => "counter-activity-ended",
                (false, false) => "counter-activity-later",
            };
            ActivityLine {
                time: format!("{}–{}", ui.time(activity.starts), ui.time(activity.ends)),
                name: ui.words(&activity.name).to_owned(),
                class: if activity.running { "ok" } else { "" },
                state: ui.t(state),
                here: ui.t1("counter-activity-here", "n", activity.attended_here.to_string()),
                gates: gates::texts(activity, ui).collect(),
                gifts: activity.gifts.iter().map(gift).collect(),
                expected: (expected.listed > 0).then(|| sum(expected, ui)),
                guests: expected.guests.iter().map(|guest| guest_line(guest, ui)).collect(),
                more: (more > 0).then(|| ui.t1("desk-today-more", "n", more.to_string())),
            }
        });
        Self { frame, style, place, activities: activities.collect(), open: open_points(view, shift, ui) }
    }
}

/// How many are expected, came, and have their birthday.
fn sum(expected: &ExpectedView, ui: &Ui) -> String {
    let part = |key, n: usize| ui.t1(key, "n", n.to_string());
    let birthdays = (expected.birthdays > 0).then(|| part("desk-today-birthdays", expected.birthdays));
    let parts = [part("desk-today-expected", expected.listed), part("desk-today-arrived", expected.arrived)];
    parts.into_iter().chain(birthdays).collect::<Vec<_>>().join(" · ")
}

fn guest_line(guest: &ExpectedGuest, ui: &Ui) -> GuestLine {
    GuestLine {
        name: guest.name.clone().unwrap_or_else(|| ui.t("counter-person-secret")),
        level: guest.level.as_ref().map(|level| ui.words(level).to_owned()).unwrap_or_default(),
        birthday: guest.birthday,
        arrived: guest.arrived,
        companions: match guest.companions {
            0 => String::new(),
            n => ui.t1("desk-today-companions", "n", n.to_string()),
        },
    }
}

fn open_points(view: &CounterView, shift: &ShiftView, ui: &Ui) -> Vec<OpenPoint> {
    let mut open = Vec::new();
    let mut push = |text: String, link| open.push(OpenPoint { text, link });
    if let Some(last) = &shift.last {
        if last.unattended {
            push(ui.t1("desk-shift-unattended", "day", last.day.to_string()), "/shift");
        }
        if let Some(off) = last.difference.filter(|off| off.0 != 0) {
            let amount = ui.yuan(off);
            push(ui.t2("desk-today-difference", ("day", last.day.to_string()), ("n", amount)), "/shift");
        }
    }
    if shift.opened.is_none() {
        push(ui.t("desk-shift-not-open"), "/shift");
    }
    if let Some(batch) = view.batch.as_ref().filter(|batch| !batch.lines.is_empty()) {
        push(ui.t1("counter-batch-open", "n", batch.lines.len().to_string()), "/");
    }
    if !view.unshown.is_empty() {
        push(ui.t1("counter-unshown-heading", "n", view.unshown.len().to_string()), "/");
    }
    if !view.notices.is_empty() {
        push(ui.t1("counter-notices-heading", "n", view.notices.len().to_string()), "/");
    }
    if !view.link.online && view.link.queue_len > 0 {
        push(ui.t1("counter-offline", "n", view.link.queue_len.to_string()), "/status");
    }
    open
}
