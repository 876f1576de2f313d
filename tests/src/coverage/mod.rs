//! Whether every numbered promise is shown: the numbers of `coverage.toml` against the tests found in the tree.
//!
//! A number is satisfied by a function whose name begins with it, or by a stated reason. Pure; `main.rs` reads the
//! disk and prints. Out of scope: whether a test proves what its name says.

pub mod scan;

use scan::Number;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The whole of `coverage.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promises {
    /// Page to code to entry.
    pub number: BTreeMap<String, BTreeMap<String, Entry>>,
    /// The lines of what was asked for.
    #[serde(default)]
    pub issue: Vec<IssueLine>,
}

/// One numbered promise.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it says, in short.
    pub text: String,
    /// Why no test shows it.
    pub reason: Option<Reason>,
    /// The reason in a sentence; always beside a reason.
    pub why: Option<String>,
}

/// Why a number has no test.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing to measure.
    TextOnly,
    /// Waits for a part of Hufu that is not built.
    Later,
    /// A test machine cannot have what it needs.
    CannotExistHere,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::TextOnly => "text_only",
            Self::Later => "later",
            Self::CannotExistHere => "cannot_exist_here",
        })
    }
}

/// One line of what was asked for: ticked by the command that shows it, or open.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueLine {
    /// Which list the line is from.
    pub number: u32,
    /// Its place there.
    pub line: String,
    /// What it asks.
    pub text: String,
    /// What shows it.
    pub command: Option<String>,
    /// Not shown yet.
    #[serde(default)]
    pub open: bool,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Report {
    /// Each makes the run fail.
    pub failures: Vec<String>,
    /// Numbers that wait by their entry, but have a test already.
    pub promote: Vec<String>,
    /// Lines not shown yet.
    pub open: Vec<String>,
    /// Page to (shown by tests, with each reason, all).
    pub counts: BTreeMap<String, Counts>,
    /// Ticked lines.
    pub ticked: usize,
}

/// How one page stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Numbers on the page.
    pub all: usize,
    /// Numbers with at least one test.
    pub tested: usize,
    /// Numbers without a test, by reason.
    pub reasons: BTreeMap<Reason, usize>,
}

/// Compares the promises with the tests of the tree.
#[must_use]
pub fn compare(promises: &Promises, found: &[Number]) -> Report {
    let mut report = Report::default();
    let shown: BTreeSet<(&str, &str)> =
        found.iter().map(|number| (number.page.as_str(), number.code.as_str())).collect();
    for (page, entries) in &promises.number {
        if !scan::PAGES.contains(&page.as_str()) {
            report
                .failures
                .push(format!("page `{page}` is not one that tests are named by: {:?}", scan::PAGES));
        }
        let counts = report.counts.entry(page.clone()).or_default();
        for (code, entry) in entries {
            counts.all += 1;
            let has_test = shown.contains(&(page.as_str(), code.as_str()));
            counts.tested += usize::from(has_test);
            match (entry.reason, &entry.why) {
                (Some(_), Some(_)) if has_test => report.promote.push(format!("{page}_{code}")),
                (Some(reason), Some(why)) if !why.trim().is_empty() => {
                    *counts.reasons.entry(reason).or_default() += 1
                }
                (Some(reason), _) => report.failures.push(format!("{page}_{code}: `{reason}` without a why")),
                (None, _) if has_test => {}
                (None, _) => report
                    .failures
                    .push(format!("{page}_{code} has neither a test nor a reason: {}", entry.text)),
            }
        }
    }
    for number in found {
        let known = promises.number.get(&number.page).is_some_and(|page| page.contains_key(&number.code));
        if !known {
            let Number { page, code, path, line } = number;
            report
                .failures
                .push(format!("{path}:{line}: a test is named {page}_{code}, which no entry knows"));
        }
    }
    lines(promises, &mut report);
    report
}

fn lines(promises: &Promises, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for issue in &promises.issue {
        let name = format!("{} line {}", issue.number, issue.line);
        if !seen.insert(name.clone()) {
            report.failures.push(format!("{name} stands twice"));
        }
        match (&issue.command, issue.open) {
            (Some(command), false) if !command.trim().is_empty() => report.ticked += 1,
            (None, true) => report.open.push(format!("{name}: {}", issue.text)),
            _ => report.failures.push(format!("{name}: give the command that shows it, or `open = true`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promises(text: &str) -> Promises {
        toml::from_str(text).expect("the sample is right")
    }

    fn found(page: &str, code: &str) -> Vec<Number> {
        vec![Number { page: page.into(), code: code.into(), path: "edge/src/a.rs".into(), line: 7 }]
    }

    #[test]
    fn a_number_with_neither_a_test_nor_a_reason_fails() {
        let text = "[number.rule]\nk27 = { text = \"a\" }\n";
        assert_eq!(compare(&promises(text), &[]).failures.len(), 1);
        let report = compare(&promises(text), &found("rule", "k27"));
        assert_eq!(report.failures, [""; 0]);
        assert_eq!(report.counts["rule"].tested, 1);
    }

    #[test]
    fn a_reason_needs_its_why_and_gives_way_to_a_test() {
        let without = "[number.kind]\n\"05\" = { text = \"a\", reason = \"later\" }\n";
        assert_eq!(compare(&promises(without), &[]).failures.len(), 1);
        let with = "[number.kind]\n\"05\" = { text = \"a\", reason = \"later\", why = \"b\" }\n";
        assert_eq!(compare(&promises(with), &[]).failures, [""; 0]);
        let report = compare(&promises(with), &found("kind", "05"));
        assert_eq!((report.failures.len(), report.promote.as_slice()), (0, &["kind_05".to_owned()][..]));
    }

    #[test]
    fn a_test_of_an_unknown_number_fails_with_its_place() {
        let report = compare(&promises("[number.inv]\n"), &found("inv", "09"));
        assert!(report.failures[0].starts_with("edge/src/a.rs:7:"), "{:?}", report.failures);
        assert_eq!(compare(&promises("[number.nonsense]\n"), &[]).failures.len(), 1);
    }

    #[test]
    fn a_line_is_ticked_or_open_and_never_both() {
        let line = |rest: &str| {
            promises(&format!("[number]\n[[issue]]\nnumber = 1\nline = \"1\"\ntext = \"a\"\n{rest}"))
        };
        assert_eq!(compare(&line("open = true"), &[]).open.len(), 1);
        assert_eq!(compare(&line("command = \"true\""), &[]).ticked, 1);
        for bad in ["", "command = \"\"", "open = true\ncommand = \"true\""] {
            assert_eq!(compare(&line(bad), &[]).failures.len(), 1, "{bad}");
        }
    }

    #[test]
    fn the_file_of_this_tree_can_be_read() {
        let file = promises(include_str!("../../coverage.toml"));
        assert_eq!(file.number.values().map(BTreeMap::len).sum::<usize>(), 379);
        assert!(!file.issue.is_empty());
    }
}
