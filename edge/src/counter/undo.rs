//! What of the last swipes can be taken back, and the page that asks before it is: `/undo/{seq}`. Pure.
//!
//! Out of scope: taking back by a slip's number or in part, which the counter page's own pane does.

use askama::Template;

use super::pages::{Frame, Line, swipe_line};
use super::slips::REASONS;
use super::view::{CounterView, Outcome, Purpose, SwipeView};
use super::words::Ui;

/// Whether a swipe moved value, so that it can be taken back in whole or part.
fn moved(swipe: &SwipeView) -> bool {
    let value = matches!(
        swipe.purpose,
        Purpose::Spend { .. } | Purpose::CashOut { .. } | Purpose::TopUp { .. } | Purpose::Earn { .. }
    );
    let stands = matches!(swipe.outcome, Outcome::Accepted | Outcome::Recorded | Outcome::Redeemed);
    value && stands
}

/// The swipes that can be taken back, newest first.
pub(super) fn lines(view: &CounterView, ui: &Ui) -> Vec<Line> {
    view.last.iter().filter(|swipe| moved(swipe)).filter_map(|swipe| line(swipe, view, ui)).collect()
}

fn line(swipe: &SwipeView, view: &CounterView, ui: &Ui) -> Option<Line> {
    Some(Line { key: swipe.seq?.to_string(), ..swipe_line(swipe, view, ui) })
}

/// Where a swipe can be taken back.
pub(super) fn address(swipe: &SwipeView) -> Option<String> {
    swipe.seq.filter(|_| moved(swipe)).map(|seq| format!("/undo/{seq}"))
}

/// The page that asks whether one of the last swipes is to be taken back.
#[derive(Debug, Template)]
#[template(path = "undo.html")]
pub struct UndoPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Its own address, for the switch of languages.
    pub seq: u64,
    /// What it was; none if it is not among the last, or no longer stands.
    pub line: Option<Line>,
}

impl<'a> UndoPage<'a> {
    /// The page of a swipe.
    #[must_use]
    pub fn new(frame: &'a Frame, view: &CounterView, seq: u64) -> Self {
        let swipe = view.last.iter().find(|swipe| swipe.seq == Some(seq) && moved(swipe));
        Self { frame, seq, line: swipe.and_then(|swipe| line(swipe, view, &frame.ui)) }
    }
}
