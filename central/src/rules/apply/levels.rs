//! Levels that moved (B1, B2): each step is kept with what was measured, what the end of a level takes of growth is posted,
//! and terminals are told how the level reads now.
//!
//! A step that was taken has no effect again, whoever found it too: of a run that was cut off and begins again, and of one
//! that goes on while a member rises at once, what is new counts. Levels change by acts alone, never by a fact. Out of
//! scope: how far a member has come, which the job asks ([`crate::rules::levels`]), and the card that shows it (K17).

use hufu_shared::act::{LevelMove, LevelsMoved};
use hufu_shared::money::{Amount, Leg, Unit};

use super::Work;
use super::ledger::{Cause, Flow};
use crate::rules::judge::calendar;
use crate::rules::need::Need;
use crate::rules::posting::{self, Account, PostingCode};
use crate::rules::world::{KnownLevel, LevelStep};

/// Name of the job that moves levels.
pub const LEVELS_JOB: &str = "levels";
/// The rule by which the end of a level takes growth.
const RULE_B2: &str = "B2";

impl Work {
    /// Levels were moved.
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
        let Some(first) = steps.first() else { return };
        let member = first.member;
        self.has(Need::Level(member));
        if !self.stands_alone(member) {
            return;
        }
        let before = self.world.levels.get(&member).copied();
        let was_looked_at = before.is_some_and(|known| known.day >= first.day);
        let (mut place, mut last) = (before.map_or(0, |known| known.steps), None);
        for step in steps {
            if step.place.map_or(was_looked_at, |told| told != place + 1) {
                continue;
            }
            place += 1;
            self.outcome.level_steps.insert((member, place), LevelStep { moved: *step, scheme });
            self.take_growth(step, scheme);
            last = Some(step);
        }
        let Some(last) = last else { return };
        let known = KnownLevel { steps: place, day: last.day, standing: last.to };
        self.world.levels.insert(member, known);
        let name = self.world.policy.levels.as_ref().and_then(|ladder| {
            ladder.levels.iter().find(|level| level.rank == last.to.rank).map(|level| level.name.clone())
        });
        self.outcome.level_names.insert(member, name);
    }

    /// Takes what the end of a level takes of growth (B2), on the day of that end. Growth is in no lease, so a centre that
    /// recovers knows what there is.
    fn take_growth(&mut self, step: &LevelMove, scheme: u32) {
        let Some(taken) = step.taken else { return };
        let at = calendar::day_start(&self.world.policy.zone, step.day, 0);
        let hash = posting::level_cause(step.member, step.day);
        let own = Cause::of_the_centre(hash, Some(step.member), (at, step.day));
        let flow = Flow {
            debit: Account::Available(step.member),
            credit: Account::Expired,
            leg: Leg { unit: Unit::Growth, amount: Amount(taken) },
            code: PostingCode::LevelEnded,
        };
        self.settle(&Cause { scheme, rule: Some(RULE_B2.to_owned()), ..own }, &[flow]);
    }
}
