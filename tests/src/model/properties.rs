//! What must hold in every state of the model, and what rare states it must meet.

use stateright::Property;

use super::state::{Event, TERMINALS};
use super::{LeaseModel, System};

/// Property: conflict kinds 5 and 8 are raised against nobody, for all terminals are honest.
pub const NOT_ACCUSED: &str = "no honest terminal is accused";
/// Property: once all facts are in, what stays on `loss/recovery` is no more than the unnoticed rollback explains.
pub const LOSES_NO_MORE: &str = "a recovery loses no more than the rollback did";
/// Property: once all facts are in, nothing stays on `loss/recovery` that came back unspent.
pub const PAYS_BACK: &str = "what returns pays the recovery's loss back";

/// All properties.
#[must_use]
pub fn all() -> Vec<Property<LeaseModel>> {
    vec![
        Property::always("balances never below zero", balances),
        Property::always("conservation (I3)", conserved),
        Property::always("settled within granted (I10)", within_grant),
        Property::always("escrow released only by close or write-off (I11)", released_by_close),
        Property::always(NOT_ACCUSED, |_, system: &System| !system.ghost.accused),
        Property::always("every spend has one effect once all facts are in", all_settled),
        Property::always(LOSES_NO_MORE, loss_bounded),
        Property::always(PAYS_BACK, loss_repaid),
        Property::sometimes("a recovery books a loss", |_, system: &System| system.centre.loss > 0),
        Property::sometimes("a written-off lease was spent", |_, system: &System| {
            system.centre.rows.iter().any(|row| row.lost > 0)
        }),
        Property::sometimes("a lease of a new life is spent", |_, system: &System| {
            system.centre.rows.iter().any(|row| row.first_life > 1 && row.settled > 0)
        }),
    ]
}

impl System {
    /// Nothing is under way: the centre knows of every life, has every fact, and nothing waits.
    fn is_drained(&self) -> bool {
        let facts = |at: usize| self.terminals[at].facts.len() == usize::from(self.centre.cursor[at]);
        !self.ghost.silent
            && (0..TERMINALS).all(|at| facts(at) && self.centre.reported[at] == self.centre.life.n)
            && self.centre.waiting.is_empty()
    }

    /// Whether every lease granted before the last loss has ended.
    fn losers_ended(&self) -> bool {
        let before = |life: u8| life < self.centre.loss_life;
        self.centre.rows.iter().filter(|row| before(row.first_life)).all(|row| !row.real().is_open())
    }
}

fn balances(_: &LeaseModel, system: &System) -> bool {
    let centre = &system.centre;
    let escrow = centre.rows.iter().all(|row| row.real().escrow().0 >= 0);
    escrow && !(centre.available > 0 && centre.owed > 0)
}

fn conserved(model: &LeaseModel, system: &System) -> bool {
    let centre = &system.centre;
    let escrow: i64 = centre.rows.iter().map(|row| row.real().escrow().0).sum();
    let settled: i64 = centre.rows.iter().map(|row| i64::from(row.settled)).sum();
    let [points, earned, reversed, loss] =
        [model.bounds.points, centre.earned, centre.reversed, centre.loss].map(i64::from);
    let figure = i64::from(centre.available) + escrow - i64::from(centre.owed);
    points + earned - reversed + loss == figure + settled
}

fn within_grant(_: &LeaseModel, system: &System) -> bool {
    system.centre.rows.iter().all(|row| row.settled + row.lost <= row.granted)
}

fn released_by_close(_: &LeaseModel, system: &System) -> bool {
    system.centre.rows.iter().all(|row| row.released == 0 || row.closed.is_some())
}

fn all_settled(_: &LeaseModel, system: &System) -> bool {
    let effects: usize = system.centre.rows.iter().map(|row| usize::from(row.settled + row.lost)).sum();
    let spends = system.terminals.iter().flat_map(|terminal| &terminal.facts);
    let spends = spends.filter(|fact| matches!(fact.event, Event::Spent { .. })).count();
    !system.is_drained() || effects == spends
}

fn loss_bounded(_: &LeaseModel, system: &System) -> bool {
    let over = system.is_drained() && system.losers_ended();
    !over || system.ghost.forced || system.centre.loss <= system.ghost.excuse
}

fn loss_repaid(_: &LeaseModel, system: &System) -> bool {
    let centre = &system.centre;
    let before = centre.rows.iter().filter(|row| row.first_life < centre.loss_life);
    let spent: u8 = before.map(|row| row.settled).sum();
    !(system.is_drained() && system.losers_ended()) || centre.loss <= spent
}
