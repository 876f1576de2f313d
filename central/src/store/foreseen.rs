//! What an act would do, with nothing done: it is applied as [`journal::take`](super::journal::take) applies it, and what
//! it gives is summed instead of written.
//!
//! No gate is passed: another entry may come first, and the act then does what it does after that one. So a verdict still
//! names the version of the case that it was given on.

use std::collections::BTreeMap;

use hufu_shared::act::{Act, Actor, Pin};
use hufu_shared::ids::{EntryId, Hash, ID_RANDOM_BYTES};
use hufu_shared::time::Instant;

use super::{StoreError, cases, inbox, rows, world};
use crate::db::Tx;
use crate::rules::entry::{Entry, EntryBody, TakenAct};
use crate::rules::foreseen::Foreseen;
use crate::rules::outcome::Outcome;

/// Applies an act at this place of the journal, with nothing written.
///
/// # Errors
/// [`StoreError`] if the database fails or holds what this version cannot read.
pub fn outcome(tx: &mut Tx<'_>, now: Instant, actor: &Actor, act: &Act) -> Result<Outcome, StoreError> {
    let last = tx.query_one(inbox::SQL.get("newest_received"), &[])?.int(0)?;
    let taken = TakenAct { actor: actor.clone(), act: act.clone(), seen: Vec::new() };
    let entry = Entry {
        id: EntryId::new(now, [0; ID_RANDOM_BYTES]),
        received: Instant(now.0.max(last + 1)),
        body: EntryBody::Act(taken),
    };
    world::apply_entry(tx, &entry)
}

/// What an act about a case would do, and whether all that its `pins` fix as counting would count: if not, the act is
/// refused.
///
/// # Errors
/// As [`outcome`].
pub fn of_case(
    tx: &mut Tx<'_>,
    (now, actor): (Instant, &Actor),
    case: Hash,
    (act, pins): (&Act, &[Pin]),
) -> Result<(Foreseen, bool), StoreError> {
    let outcome = outcome(tx, now, actor, act)?;
    let mut before = BTreeMap::new();
    for id in outcome.fact_changes.keys() {
        if let Some(row) = tx.query_opt(cases::SQL.get("standing"), &rows::fact_id_values(*id))? {
            before.insert(*id, row.text(0)?.to_owned());
        }
    }
    let holds = cases::pins_would_hold(tx, pins, &outcome)?;
    Ok((Foreseen::of(&outcome, case, &before), holds))
}
