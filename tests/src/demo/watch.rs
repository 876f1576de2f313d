//! The checklist: nine things to try, each ticked by what stands in journals, database and cables, never by the click.
//!
//! A tick stays once it is given. What was there before the demo began does not count.

use super::hall::{Hall, Things};
use anyhow::Result;
use hufu_shared::fact::{Event, Shown};
use hufu_shared::ids::{MemberId, OccurrenceId};
use hufu_tests::story::journal::Journal;
use hufu_tests::story::model::Place;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Steps of the checklist.
pub const STEPS: usize = 9;

/// What was there before the first look.
#[derive(Clone, Copy, Debug)]
struct Before {
    decided: u64,
    lost: u64,
}

/// The ticks given so far.
#[derive(Debug, Default)]
pub struct Ticks {
    inner: Mutex<(Option<Before>, [bool; STEPS])>,
}

/// How a terminal is, for the page.
#[derive(Clone, Debug, Serialize)]
pub struct TerminalFacts {
    online: bool,
    on: bool,
    queue: u64,
    facts: u64,
    /// Changes with the picture of its display.
    picture: u64,
}

/// Everything that the page shows of the real state.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    done: [bool; STEPS],
    cut: bool,
    terminals: [TerminalFacts; 2],
    open_cases: u64,
    power_cut: Value,
    compared: Value,
}

impl Ticks {
    /// Looks at everything once.
    ///
    /// # Errors
    /// When a file or the database cannot be read at this moment.
    pub fn look(&self, hall: &Hall) -> Result<Facts> {
        let engine = &hall.centre.engine;
        let decided = engine.count("SELECT count(*) FROM conflict WHERE state = 'decided'")?;
        let lost = engine.count("SELECT count(*) FROM card WHERE status = 'lost'")?;
        let open_cases =
            engine.count("SELECT count(*) FROM conflict WHERE state IN ('open', 'evidence_changed')")?;
        let things = hall.things();
        let journals = things.journals()?;
        let terminals =
            [facts_of(&things, Place::A, &journals[0]), facts_of(&things, Place::B, &journals[1])];
        let (power_cut, compared, cut) = (things.power_cut, things.compared.clone(), things.cut);
        drop(things);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *inner.0.get_or_insert(Before { decided, lost });
        let online = terminals.iter().all(|terminal| terminal.online);
        let offline = terminals.iter().all(|terminal| !terminal.online);
        let drained = terminals.iter().all(|terminal| terminal.queue == 0);
        let now = [
            checked_in(&journals),
            came_again(&journals),
            cut && offline,
            at_both(&journals),
            power_cut.is_some_and(|cut| cut.kept == cut.before),
            inner.1[2] && !cut && online && drained,
            decided > before.decided,
            // Terminals hold one block for each card that must be refused.
            lost > before.lost && journals.iter().all(|journal| journal.blocks >= lost),
            compared.as_ref().is_some_and(|compared| compared.agrees),
        ];
        for (tick, now) in inner.1.iter_mut().zip(now) {
            *tick |= now;
        }
        Ok(Facts {
            done: inner.1,
            cut,
            terminals,
            open_cases,
            power_cut: json!(power_cut),
            compared: json!(compared),
        })
    }
}

fn facts_of(things: &Things, place: Place, journal: &Journal) -> TerminalFacts {
    let terminal = things.at(place);
    let state = terminal.counter.state().unwrap_or_default();
    let picture = std::fs::metadata(terminal.picture()).and_then(|meta| meta.modified()).ok();
    let picture = picture.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    TerminalFacts {
        online: state["link"]["online"] == true,
        on: terminal.is_on(),
        queue: journal.last_seq().saturating_sub(journal.acked_seq),
        facts: journal.last_seq(),
        picture: picture.map_or(0, |at| u64::try_from(at.as_millis()).unwrap_or(0)),
    }
}

/// Check-ins of known members that are no repeats.
fn check_ins(journal: &Journal) -> BTreeSet<(MemberId, OccurrenceId)> {
    let member = |fact: &hufu_tests::story::journal::StoredFact| match &fact.fact.event {
        Event::Attended(attended) if attended.repeats.is_none() => {
            Some((attended.subject.member?, attended.occurrence))
        }
        _ => None,
    };
    journal.facts.iter().filter_map(member).collect()
}

fn checked_in(journals: &[Journal; 2]) -> bool {
    journals
        .iter()
        .flat_map(|journal| &journal.facts)
        .any(|fact| matches!(fact.fact.event, Event::Attended(_)) && fact.fact.shown == Shown::Accepted)
}

fn came_again(journals: &[Journal; 2]) -> bool {
    journals
        .iter()
        .flat_map(|journal| &journal.facts)
        .any(|fact| matches!(&fact.fact.event, Event::Attended(attended) if attended.repeats.is_some()))
}

fn at_both(journals: &[Journal; 2]) -> bool {
    !check_ins(&journals[0]).is_disjoint(&check_ins(&journals[1]))
}
