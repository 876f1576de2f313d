//! Levels that moved (B1, B2): each step is kept with what was measured, and terminals are told how the level reads now.
//!
//! A step as of a day that was looked at before has no effect, so a run that was cut off and begins again moves nothing
//! twice. Levels change by acts alone, never by a fact. Out of scope: how far a member has come, which the job asks
//! ([`crate::rules::levels`]), and the card that shows it (K17).

use hufu_shared::act::{LevelMove, LevelsMoved};

use super::Work;
use crate::rules::need::Need;
use crate::rules::world::{KnownLevel, LevelStep};

/// Name of the job that moves levels.
pub const LEVELS_JOB: &str = "levels";

impl Work {
    /// Levels were moved as of days that are over.
    pub(super) fn levels_moved(&mut self, moved: &LevelsMoved) {
        let mut rest = moved.moves.as_slice();
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|step| step.member == first.member).count();
            let (own, others) = rest.split_at(count);
            self.level_moved(own, moved.scheme);
            rest = others;
        }
        self.outcome.jobs.insert(LEVELS_JOB.to_owned(), Some(moved.until));
    }

    /// The steps of one member.
    fn level_moved(&mut self, steps: &[LevelMove], scheme: u32) {
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return };
        let member = last.member;
        self.has(Need::Level(member));
        let before = self.world.levels.get(&member).copied();
        let is_known = before.is_some_and(|known| known.day >= first.day);
        if is_known || !self.stands_alone(member) {
            return;
        }
        let mut place = before.map_or(0, |known| known.steps);
        for step in steps {
            place += 1;
            self.outcome.level_steps.insert((member, place), LevelStep { moved: *step, scheme });
        }
        let known = KnownLevel { steps: place, day: last.day, standing: last.to };
        self.world.levels.insert(member, known);
        let name = self.world.policy.levels.as_ref().and_then(|ladder| {
            ladder.levels.iter().find(|level| level.rank == last.to.rank).map(|level| level.name.clone())
        });
        self.outcome.level_names.insert(member, name);
    }
}
