//! Lines of terminals' days as pages show them: what a display promised beside what the ledger gave, those that nothing
//! explains first, then what is explained, then what agrees; a page at a time, or all of it to be printed.

use chrono_tz::Tz;

use super::members::masked_name;
use super::overview::{standing_tone, standing_words};
use super::ui::{Ui, change, number};
use crate::db::Tx;
use crate::rules::reconcile::Line;
use crate::rules::world::became_code;
use crate::store::people::{self, PeopleError};
use crate::vault::Vault;

/// Lines that a page shows.
const PAGE_LINES: usize = 100;
/// Lines that are shown to be printed.
const PRINT_LINES: usize = 5_000;

/// A line in words.
pub(super) struct LineShown {
    pub(super) number: String,
    pub(super) time: String,
    pub(super) wall: String,
    pub(super) member: String,
    pub(super) event: String,
    pub(super) promised: String,
    pub(super) posted: String,
    pub(super) standing: String,
    pub(super) tone: &'static str,
    pub(super) case_link: String,
    pub(super) mark: String,
    pub(super) differs: bool,
}

/// Which lines are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Those that differ alone.
    pub(super) only: bool,
    /// The place of the first in the order of lines.
    pub(super) from: usize,
    /// All of them, to be printed.
    pub(super) whole: bool,
}

impl Asked {
    /// As an address says it: `only=differs`, `from` and `rows=all`.
    pub(super) fn of(only: Option<&str>, from: Option<usize>, rows: Option<&str>) -> Self {
        Self { only: only == Some("differs"), from: from.unwrap_or(0), whole: rows == Some("all") }
    }
}

/// Lines of one page, and what there is beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen<T> {
    /// The lines, in order.
    pub(super) lines: Vec<T>,
    /// All lines of the day.
    pub(super) all: usize,
    /// Those of them that were asked for.
    pub(super) asked: usize,
    /// Those that differ.
    pub(super) differing: usize,
    /// The place of the first line shown, from 0.
    pub(super) from: usize,
    /// Where the page before begins, if there is one.
    pub(super) before: Option<usize>,
    /// Where the next page begins, if there is one.
    pub(super) after: Option<usize>,
}

/// How much a line asks to be looked at, the most first.
fn weight(line: &Line) -> u8 {
    match (line.promised == line.posted, line.explained) {
        (_, false) => 0,
        (false, true) => 1,
        (true, true) => 2,
    }
}

/// The lines that are asked for, in order: what nothing explains first, each of a kind in the order it came in.
pub(super) fn choose<T>(mut lines: Vec<(Line, T)>, asked: Asked) -> Chosen<(Line, T)> {
    let all = lines.len();
    let differing = lines.iter().filter(|(line, _)| weight(line) < 2).count();
    lines.retain(|(line, _)| !asked.only || weight(line) < 2);
    lines.sort_by_key(|(line, _)| (weight(line), line.at, line.fact));
    let found = lines.len();
    let most = if asked.whole { PRINT_LINES } else { PAGE_LINES };
    let from = if asked.whole { 0 } else { asked.from.min(found) };
    let shown: Vec<(Line, T)> = lines.into_iter().skip(from).take(most).collect();
    let end = from + shown.len();
    Chosen {
        lines: shown,
        all,
        asked: found,
        differing,
        from,
        before: (from > 0).then(|| from.saturating_sub(PAGE_LINES)),
        after: (end < found).then_some(end),
    }
}

/// A line in words; `number` tells it from the others.
pub(super) fn line_shown(ui: &Ui, zone: Tz, line: &Line, (number_of, member): (String, String)) -> LineShown {
    let differs = line.promised != line.posted;
    let became = became_code(line.became);
    let points = |amount: i64, event: &str| {
        if amount == 0 && !matches!(event, "attended" | "earned") { "—".to_owned() } else { change(amount) }
    };
    LineShown {
        number: number_of,
        time: ui.seconds_in(line.at, zone).split(' ').nth(1).unwrap_or_default().to_owned(),
        // The claim is worth a place only where it is another minute.
        wall: if line.wall.since(line.at).abs() > 60_000_000 {
            ui.t_with("line-claimed", &[("time", &ui.time_in(line.wall, zone))])
        } else {
            String::new()
        },
        member,
        event: ui.t(&format!("event-{}", line.event)),
        promised: points(line.promised.0, line.event),
        posted: points(line.posted.0, line.event),
        standing: standing_words(ui, became, line.kind),
        tone: standing_tone(became),
        case_link: line.case.map(|case| format!("/cases/{case}")).unwrap_or_default(),
        mark: match (differs, line.explained) {
            (false, _) => String::new(),
            (true, true) => {
                ui.t_with("line-explained", &[("change", &change(line.posted.0 - line.promised.0))])
            }
            (true, false) => {
                ui.t_with("line-unexplained", &[("change", &change(line.posted.0 - line.promised.0))])
            }
        },
        differs,
    }
}

/// Names of the members of chosen lines, masked.
pub(super) fn names<T>(
    tx: &mut Tx<'_>,
    vault: &Vault,
    chosen: &Chosen<(Line, T)>,
) -> Result<Vec<String>, PeopleError> {
    let mut names = Vec::with_capacity(chosen.lines.len());
    for (line, _) in &chosen.lines {
        let member = people::member_of_fact(tx, line.fact)?;
        names.push(masked_name(tx, vault, member)?);
    }
    Ok(names)
}

/// Lines as a page shows them, with the ways to the others.
pub(super) struct Lines {
    pub(super) shown: Vec<LineShown>,
    pub(super) all: String,
    pub(super) differing: String,
    /// Only those that differ are asked for.
    pub(super) only: bool,
    /// Which part of how many; empty where all are shown.
    pub(super) span: String,
    pub(super) link_all: String,
    pub(super) link_only: String,
    /// Where the page before begins; empty without one.
    pub(super) before: String,
    /// Where the next page begins; empty without one.
    pub(super) after: String,
    /// All of them on one page, to be printed; empty where they are.
    pub(super) whole: String,
}

impl Lines {
    /// Chosen lines with the names of their members. `base` is the page's address up to the names of lines, ending in `?`
    /// or `&`; `number` tells a line from the others.
    pub(super) fn of<T>(
        (ui, zone): (&Ui, Tz),
        (base, asked): (&str, Asked),
        (chosen, names): (&Chosen<(Line, T)>, Vec<String>),
        number_of: impl Fn(&Line, &T) -> String,
    ) -> Self {
        let words = |count: usize| number(i64::try_from(count).unwrap_or(i64::MAX));
        let only = if asked.only { "only=differs&" } else { "" };
        let page = |from: usize| format!("{base}{only}from={from}#lines");
        let lines = chosen.lines.iter().zip(names);
        let is_part = chosen.lines.len() < chosen.asked;
        let (first, last) = (words(chosen.from + 1), words(chosen.from + chosen.lines.len()));
        let span = [("first", first), ("last", last), ("n", words(chosen.asked))];
        Self {
            shown: lines
                .map(|((line, of), name)| line_shown(ui, zone, line, (number_of(line, of), name)))
                .collect(),
            all: words(chosen.all),
            differing: words(chosen.differing),
            only: asked.only,
            span: if is_part { ui.t_of("oday-span", &span) } else { String::new() },
            link_all: format!("{base}from=0#lines"),
            link_only: format!("{base}only=differs#lines"),
            before: chosen.before.map(page).unwrap_or_default(),
            after: chosen.after.map(page).unwrap_or_default(),
            whole: if is_part { format!("{base}{only}rows=all#lines") } else { String::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use hufu_shared::ids::{DeviceId, FactId};
    use hufu_shared::money::Amount;
    use hufu_shared::time::Instant;
    use hufu_shared::wire::upload::Became;

    use super::*;

    fn line(seq: u64, posted: i64, explained: bool) -> (Line, u64) {
        let line = Line {
            fact: FactId { device: DeviceId([1; 16]), epoch: 1, seq },
            event: "earned",
            at: Instant(i64::try_from(seq).expect("small")),
            wall: Instant(0),
            promised: Amount(5),
            posted: Amount(posted),
            became: Became::Applied,
            kind: None,
            case: None,
            explained,
        };
        (line, seq)
    }

    fn order(chosen: &Chosen<(Line, u64)>) -> Vec<u64> {
        chosen.lines.iter().map(|(_, seq)| *seq).collect()
    }

    #[test]
    fn what_nothing_explains_comes_first() {
        let lines = || {
            vec![line(1, 5, true), line(2, 4, true), line(4, 3, false), line(3, 0, false), line(5, 5, true)]
        };
        let all = choose(lines(), Asked::default());
        assert_eq!((order(&all), all.all, all.differing), (vec![3, 4, 2, 1, 5], 5, 3));
        assert_eq!((all.before, all.after), (None, None));
        let only = choose(lines(), Asked { only: true, ..Asked::default() });
        assert_eq!((order(&only), only.all, only.asked), (vec![3, 4, 2], 5, 3));
    }

    #[test]
    fn pages_go_through_all_lines_once_and_a_print_has_them_all() {
        let count = PAGE_LINES as u64 * 2 + 1;
        let lines = || (1..=count).map(|seq| line(seq, 5, true)).collect::<Vec<_>>();
        let (mut seen, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let page = choose(lines(), Asked { from: at, ..Asked::default() });
            assert_eq!(page.before, (at > 0).then(|| at - PAGE_LINES));
            seen.extend(order(&page));
            from = page.after;
        }
        assert_eq!(seen, (1..=count).collect::<Vec<_>>());
        let whole = choose(lines(), Asked { whole: true, from: 7, only: false });
        assert_eq!((order(&whole), whole.before, whole.after), (seen, None, None));
        let beyond = choose(lines(), Asked { from: usize::MAX, ..Asked::default() });
        assert!(beyond.lines.is_empty() && beyond.before.is_some(), "there is a way back");
    }
}
