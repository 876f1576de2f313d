//! `/shift`: 开班 and 交班. Counts as people type them, and the page. Pure.

use askama::Template;
use hufu_shared::fact::Counted;
use hufu_shared::money::{Amount, Leg, Unit};

use super::super::forms::yuan;
use super::super::pages::Frame;
use super::super::value;
use super::super::words::Ui;
use super::ShiftView;
use super::forms::{Field, Input, Spec, Wrong, folded, given};
use crate::rules::shift::REASONS;

/// Digits of a count of things at most.
const COUNT_CHARS_MAX: usize = 6;
/// What is counted at the start.
const OPEN: [Spec; 3] = [
    Spec::typed("cash", "number", 16, true),
    Spec::typed("gifts", "number", COUNT_CHARS_MAX, true),
    Spec::typed("blank_cards", "number", COUNT_CHARS_MAX, true),
];

/// Reads a count.
///
/// # Errors
/// Everything that is wrong, in the order of the fields.
pub fn read(input: &Input) -> Result<Counted, Wrong> {
    let mut wrong = Wrong::new();
    let mut count = |name: &'static str| {
        let text = folded(given(input, name).unwrap_or_default());
        let plain = text.len() <= COUNT_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| plain).unwrap_or_else(|| {
            wrong.push((name, "desk-wrong-count"));
            0
        })
    };
    let (gifts, blank_cards) = (count("gifts"), count("blank_cards"));
    let cash = match given(input, "cash") {
        // An empty drawer is a count as well, which an amount is not.
        Some("0" | "0.00" | "０") => Amount::ZERO,
        Some(text) => yuan(text).unwrap_or_else(|_| {
            wrong.insert(0, ("cash", "desk-wrong-cash"));
            Amount::ZERO
        }),
        None => {
            wrong.insert(0, ("cash", "desk-wrong-cash"));
            Amount::ZERO
        }
    };
    let reason = given(input, "reason").and_then(|code| REASONS.into_iter().find(|known| *known == code));
    let counted =
        Counted { cash, gifts, blank_cards, reason: reason.map(str::to_owned), ..Counted::default() };
    if wrong.is_empty() { Ok(counted) } else { Err(wrong) }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "desk/shift.html")]
pub struct ShiftPage<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Address of the desk pages' style sheet.
    pub style: &'a str,
    /// Whether a shift is under way.
    pub is_open: bool,
    /// Since when, or that nobody counted.
    pub state: String,
    /// That nobody handed over the last time.
    pub warning: Option<String>,
    /// What was just done.
    pub said: Option<String>,
    /// Why nothing was done.
    pub declined: Option<String>,
    /// What the shift comes to: item and figure.
    pub figures: Vec<(String, String)>,
    /// What is to be counted.
    pub fields: Vec<Field>,
    /// Reasons of a difference; empty while no shift is under way.
    pub reasons: Vec<(&'static str, String, bool)>,
}

/// What was just done or refused on the page.
#[derive(Debug, Default)]
pub struct Just {
    /// Key of what was done.
    pub done: Option<&'static str>,
    /// Why nothing was done.
    pub declined: Option<String>,
    /// What is wrong with what was typed.
    pub wrong: Wrong,
    /// What was typed.
    pub input: Input,
}

impl<'a> ShiftPage<'a> {
    /// The page of a shift.
    #[must_use]
    pub fn new(frame: &'a Frame, style: &'a str, view: &ShiftView, just: &Just) -> Self {
        let ui = &frame.ui;
        let is_open = view.opened.is_some();
        let state = match view.opened_at {
            Some(at) => ui.t1("desk-shift-open-since", "time", ui.time(at)),
            None => ui.t("desk-shift-not-open"),
        };
        let unattended = view.last.as_ref().filter(|last| last.unattended);
        let warning = unattended.map(|last| ui.t1("desk-shift-unattended", "day", last.day.to_string()));
        let chosen = just.input.get("reason").map(String::as_str);
        let reason = |code: &'static str| (code, ui.t(&format!("desk-reason-{code}")), chosen == Some(code));
        Self {
            frame,
            style,
            is_open,
            state,
            warning,
            said: just.done.map(|key| ui.t(key)),
            declined: just.declined.clone(),
            figures: figures(view, ui),
            fields: OPEN.iter().map(|spec| spec.field(&just.input, &just.wrong, ui)).collect(),
            reasons: if is_open { REASONS.map(reason).into() } else { Vec::new() },
        }
    }
}

fn figures(view: &ShiftView, ui: &Ui) -> Vec<(String, String)> {
    let money = |amount| value::leg(Leg { unit: Unit::Cny, amount }, ui);
    let pieces = |n: u64| ui.t1("desk-pieces", "n", n.to_string());
    let totals = &view.totals;
    let mut all = Vec::new();
    let mut push = |key: &str, figure: String| all.push((ui.t(&format!("desk-shift-{key}")), figure));
    if let Some(opened) = &view.opened {
        push("opened-cash", money(opened.cash));
        push("opened-cards", ui.t1("desk-cards", "n", opened.blank_cards.to_string()));
    }
    push("cash-in", money(view.cash_in));
    push("cash-out", money(view.cash_out));
    push("cash-expected", money(view.cash_expected));
    push("gifts-out", pieces(u64::from(view.gifts_out)));
    if let Some(expected) = view.gifts_expected {
        push("gifts-expected", pieces(u64::from(expected)));
    }
    if let Some(expected) = view.blank_cards_expected {
        push("cards-expected", ui.t1("desk-cards", "n", expected.to_string()));
    }
    push("attended", totals.attended.to_string());
    push("visited", totals.visited.to_string());
    push("earned", totals.earned.to_string());
    push("spent", totals.spent.to_string());
    push("topped-up", money(totals.topped_up));
    push("refused", totals.refused.to_string());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(pairs: &[(&str, &str)]) -> Input {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn counts_are_read_as_typed_and_an_empty_drawer_is_a_count() {
        let read = |cash: &str, gifts: &str, cards: &str| {
            read(&input(&[("cash", cash), ("gifts", gifts), ("blank_cards", cards), ("reason", "change")]))
        };
        let counted = read("１，２００．５０", "３６", "12").expect("as an input method leaves it");
        assert_eq!((counted.cash, counted.gifts, counted.blank_cards), (Amount(120_050), 36, 12));
        assert_eq!(counted.reason.as_deref(), Some("change"));
        assert_eq!(read("0", "0", "0").expect("empty").cash, Amount::ZERO);
        for (cash, gifts, cards, fields) in [
            ("", "", "", &["cash", "gifts", "blank_cards"][..]),
            ("-5", "1", "1", &["cash"]),
            ("1", "1.5", "1", &["gifts"]),
            ("1", "1", "1234567", &["blank_cards"]),
            ("1", "+1", "1", &["gifts"]),
        ] {
            let wrong = read(cash, gifts, cards).expect_err("not a count");
            assert_eq!(wrong.iter().map(|(name, _)| *name).collect::<Vec<_>>(), fields);
        }
    }
}
