//! Running the model: exhaustively with all rules, and to the first violation with one left out.

use std::fmt::Write as _;
use std::time::Duration;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::properties::{LOSES_NO_MORE, NOT_ACCUSED, PAYS_BACK};
use super::{Bounds, LeaseModel, Rules};
use crate::kit::clock;

/// Threads that search; the machines that test have two cores.
const THREADS: usize = 2;

/// Bounds that seconds exhaust, for the quick tests.
pub const QUICK: [(&str, Bounds); 2] = [
    ("network, crash, write-off", Bounds { grants: 3, crashes: 1, write_offs: 1, ..Bounds::NONE }),
    ("rollback", Bounds { grants: 3, rollbacks: 1, ..Bounds::NONE }),
];

/// The bounds that the program exhausts.
pub const FULL: [(&str, Bounds); 5] = [
    (
        "network, crash, recall, write-off, reversal",
        Bounds { grants: 3, recalls: 1, crashes: 1, write_offs: 1, earns: 1, reversals: 1, ..Bounds::NONE },
    ),
    ("rollback, recall", Bounds { grants: 4, recalls: 1, rollbacks: 1, ..Bounds::NONE }),
    (
        "rollback, recall, earn, crash",
        Bounds { points: 1, grants: 2, recalls: 1, crashes: 1, earns: 1, rollbacks: 1, ..Bounds::NONE },
    ),
    (
        "rollback, recall, write-off, recovery ended by a person",
        Bounds {
            points: 1,
            grants: 2,
            recalls: 1,
            write_offs: 1,
            rollbacks: 1,
            forced_ends: 1,
            ..Bounds::NONE
        },
    ),
    ("two rollbacks, earn", Bounds { points: 1, grants: 2, rollbacks: 2, earns: 1, ..Bounds::NONE }),
];

/// Each rule left out, bounds within which that breaks something, and what it must break: the thing the rule is for.
pub const LEFT_OUT: [(&str, Rules, Bounds, &str); 5] = [
    (
        "grants during recovery",
        Rules { no_grant_during_recovery: false, ..Rules::ALL },
        Bounds { points: 1, grants: 2, rollbacks: 1, ..Bounds::NONE },
        LOSES_NO_MORE,
    ),
    (
        "regrant after the facts",
        Rules { regrant_before_facts: false, ..Rules::ALL },
        Bounds { grants: 4, rollbacks: 1, ..Bounds::NONE },
        NOT_ACCUSED,
    ),
    (
        "recovery loss not repaid",
        Rules { recovery_loss_repaid: false, ..Rules::ALL },
        Bounds { points: 1, grants: 2, recalls: 1, earns: 1, rollbacks: 1, ..Bounds::NONE },
        PAYS_BACK,
    ),
    (
        "raise as a difference",
        Rules { raise_is_whole_state: false, ..Rules::ALL },
        Bounds { grants: 2, ..Bounds::NONE },
        NOT_ACCUSED,
    ),
    (
        "close beside the chain",
        Rules { close_in_chain: false, ..Rules::ALL },
        Bounds { grants: 2, recalls: 1, ..Bounds::NONE },
        NOT_ACCUSED,
    ),
];

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// States met, each once.
    pub states: usize,
    /// Steps to the farthest of them.
    pub depth: usize,
    /// Properties that were broken, each with a shortest way there. Empty means that all states within the bounds were
    /// met and all are good.
    pub broken: Vec<(&'static str, Vec<String>)>,
    /// Rare states that were met.
    pub met: Vec<&'static str>,
    /// How long it took.
    pub took: Duration,
}

/// Searches breadth first: everything within the bounds, or up to the first violation.
#[must_use]
pub fn search(bounds: Bounds, rules: Rules) -> Found {
    let start = clock::now();
    let model = LeaseModel { bounds, rules };
    let checker = model.checker().threads(THREADS).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let mut found = Found {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken: Vec::new(),
        met: Vec::new(),
        took: start.elapsed(),
    };
    for (name, path) in checker.discoveries() {
        let rare = model
            .properties()
            .iter()
            .any(|property| property.name == name && matches!(property.expectation, Expectation::Sometimes));
        if rare {
            found.met.push(name);
        } else {
            let steps = path.into_actions().iter().map(|step| format!("{step:?}")).collect();
            found.broken.push((name, steps));
        }
    }
    found.met.sort_unstable();
    found.broken.sort_unstable();
    found
}

/// What the program prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// For people.
    pub text: String,
    /// All rules together hold, each left out breaks something, and every rare state was met.
    pub good: bool,
}

/// Exhausts all bounds with all rules, then leaves each rule out.
#[must_use]
pub fn full() -> Report {
    let mut report = Report { text: "all rules:\n".to_owned(), good: true };
    let mut met = std::collections::BTreeSet::new();
    for (name, bounds) in FULL {
        let found = search(bounds, Rules::ALL);
        report.good &= found.broken.is_empty();
        met.extend(found.met.iter().copied());
        report.line(&format!("{name}\n    {}", bounds.text()), &found);
    }
    let rare = met.into_iter().collect::<Vec<_>>();
    report.good &= rare.len() == RARE;
    let _ = writeln!(report.text, "rare states met: {}\n\none rule left out:", rare.join("; "));
    for (name, rules, bounds, property) in LEFT_OUT {
        let found = search(bounds, rules);
        report.good &= found.broken.iter().any(|(broken, _)| *broken == property);
        report.line(&format!("{name}\n    {}", bounds.text()), &found);
    }
    report
}

/// Rare states that the program must meet.
pub const RARE: usize = 3;

impl Report {
    fn line(&mut self, what: &str, found: &Found) {
        let Found { states, depth, took, .. } = found;
        let _ =
            writeln!(self.text, "  {what}\n    {states} states, depth {depth}, {:.1} s", took.as_secs_f64());
        if found.broken.is_empty() {
            let _ = writeln!(self.text, "    exhausted, no violation");
        }
        for (property, steps) in &found.broken {
            let _ = writeln!(self.text, "    broken after {} steps: {property}", steps.len());
            for step in steps {
                let _ = writeln!(self.text, "      {step}");
            }
        }
    }
}

impl Bounds {
    /// The bounds that are not zero, for people.
    #[must_use]
    pub fn text(&self) -> String {
        let all = [
            ("points", self.points),
            ("grants", self.grants),
            ("recalls", self.recalls),
            ("crashes", self.crashes),
            ("write-offs", self.write_offs),
            ("rollbacks", self.rollbacks),
            ("earns", self.earns),
            ("reversals", self.reversals),
            ("forced ends", self.forced_ends),
        ];
        let some = all.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}"));
        format!("2 terminals, 1 member; at most: {}", some.collect::<Vec<_>>().join(", "))
    }
}
