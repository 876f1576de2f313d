//! A member's level in `/api/v1` (B1, B2): where the member stands, until when, and each step with what was measured, in
//! plain sentences.

use axum::Json;
use axum::extract::{Path, Query, State};
use hufu_shared::act::LevelWhy;
use hufu_shared::ids::MemberId;
use hufu_shared::money::Unit;
use hufu_shared::scheme::level::{Ladder, Measure};
use serde_json::{Value, json};

use super::Console;
use super::failure::Failure;
use super::leases::amount;
use super::pages::{CountedQuery, is_full, rows_of};
use super::problem::Refused;
use super::signed::SignedIn;
use super::ui::Ui;
use crate::db::Tx;
use crate::rules::world::LevelStep;
use crate::store::people::{self, PeopleError};
use crate::store::{StoreError, levels, world};

/// Steps that the member's page shows.
const STEPS_SHOWN: i64 = 10;

/// How a rank reads.
fn named(ui: &Ui, ladder: &Ladder, rank: u8) -> String {
    let level = ladder.levels.iter().find(|level| level.rank == rank);
    level.map_or_else(|| ui.t_with("level-rank", &[("n", &rank.to_string())]), |level| ui.pick(&level.name))
}

/// A step as a plain sentence.
fn sentence(ui: &Ui, ladder: &Ladder, step: &LevelStep) -> String {
    let moved = &step.moved;
    // What was asked for: the level that was reached, or the one that ended.
    let asked = if moved.why == LevelWhy::Rose { moved.to.rank } else { moved.from };
    let measure = ladder.levels.iter().find(|level| level.rank == asked).map(|level| level.measure);
    let unit = match measure {
        Some(Measure::PeriodSpend) => Unit::Cny,
        Some(Measure::Growth) => Unit::Growth,
        _ => Unit::Pts,
    };
    let values = [
        ("day", moved.day.to_string()),
        ("from", named(ui, ladder, moved.from)),
        ("to", named(ui, ladder, moved.to.rank)),
        ("measured", amount(ui, unit, moved.measured)),
        ("threshold", amount(ui, unit, moved.threshold)),
        ("until", moved.to.until.map_or_else(|| ui.t("level-no-end"), |until| until.to_string())),
        ("version", step.scheme.to_string()),
    ];
    ui.t_of(&format!("level-{}", moved.why.code()), &values)
}

/// What moved a member's level in sentences, the newest first, for the member's page.
pub(super) fn told(tx: &mut Tx<'_>, ui: &Ui, member: MemberId) -> Result<Vec<String>, StoreError> {
    let Some(ladder) = world::policy(tx)?.levels else { return Ok(Vec::new()) };
    let steps = levels::steps(tx, member, STEPS_SHOWN)?;
    Ok(steps.iter().map(|step| sentence(ui, &ladder, step)).collect())
}

/// Where a member's level stands, and the newest steps.
pub async fn of_member(
    State(console): State<Console>,
    Path(member): Path<MemberId>,
    Query(query): Query<CountedQuery>,
    by: SignedIn,
) -> Result<Json<Value>, Refused> {
    let (before, most) = (query.cursor.unwrap_or(i64::MAX), rows_of(query.limit));
    let load = move |tx: &mut Tx<'_>| -> Result<_, PeopleError> {
        let row = people::member(tx, member)?;
        let steps = levels::steps_before(tx, member, before, most)?;
        Ok((row, levels::level(tx, member)?, steps, (levels::rank(tx, member)?, world::policy(tx)?.levels)))
    };
    let (row, known, steps, (rank, ladder)) = console.app.db.read(load).await?;
    row.ok_or(Failure::NotFound)?;
    // The number of the last one that is told: they are counted without gaps, up to where the level stands.
    let newest = known.as_ref().map_or(0, |known| i64::from(known.steps));
    let told = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let next = is_full(steps.len(), most).then(|| before.min(newest.saturating_add(1)).saturating_sub(told));
    let ladder = ladder.unwrap_or(Ladder { levels: Vec::new() });
    let standing = known.map(|known| known.standing);
    let lines: Vec<Value> = steps
        .iter()
        .map(|step| {
            let moved = &step.moved;
            json!({
                "day": moved.day, "why": moved.why.code(), "from": moved.from, "rank": moved.to.rank,
                "since": moved.to.since, "until": moved.to.until, "in_grace": moved.to.in_grace,
                "measured": moved.measured, "threshold": moved.threshold, "scheme": step.scheme,
                "sentence": sentence(&by.ui, &ladder, step),
            })
        })
        .collect();
    Ok(Json(json!({
        "member": member, "rank": rank, "name": named(&by.ui, &ladder, rank),
        "since": standing.map(|of| of.since), "until": standing.and_then(|of| of.until),
        "in_grace": standing.is_some_and(|of| of.in_grace), "steps": lines,
        "next": next,
    })))
}
