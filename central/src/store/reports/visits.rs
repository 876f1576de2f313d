//! Visits: who came, over time and by office.

use hufu_shared::ids::OfficeId;
use hufu_shared::time::Day;

use super::{Asked, SQL, day_value};
use crate::db::Tx;
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, rows};

/// Columns of counts, by the events that they count.
const EVENTS: [&str; 3] = ["visited", "attended", "visitor_registered"];

/// Members seen on some days, each once: at an office, or at any.
pub(super) fn members(
    tx: &mut Tx<'_>,
    office: Option<OfficeId>,
    (from, until): (Day, Day),
) -> Result<i64, StoreError> {
    let (from, until) = (day_value(from), day_value(until));
    let row = match office {
        Some(office) => tx.query_one(SQL.get("members_at"), &[office.0.into(), from, until])?,
        None => tx.query_one(SQL.get("members_anywhere"), &[from, until])?,
    };
    Ok(row.int(0)?)
}

/// Facts of the days by event, for each office: its counts, and the day of each.
pub(super) fn counts(
    tx: &mut Tx<'_>,
    asked: &Asked,
    office: OfficeId,
) -> Result<Vec<(Day, String, i64)>, StoreError> {
    let found = tx.query(SQL.get("counts"), &asked.days_of(office))?;
    found.iter().map(|row| Ok((rows::day_at(row, 0)?, row.text(1)?.to_owned(), row.int(2)?))).collect()
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("visited", Measure::Count),
        Column::new("attended", Measure::Count),
        Column::new("registered", Measure::Count).quiet(),
        Column::new("members", Measure::Count).apart(),
    ]
}

/// Visits over time, and by office.
pub(super) fn visits(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let mut over_time = vec![[0_i64; 3]; asked.periods.len()];
    let mut by_office = Vec::new();
    for office in &asked.offices {
        let mut own = [0_i64; 3];
        for (day, event, count) in counts(tx, asked, office.office)? {
            let place = EVENTS.iter().position(|known| *known == event);
            if let (Some(column), Some(period)) = (place, asked.place_of(day)) {
                own[column] += count;
                over_time[period][column] += count;
            }
        }
        let members = members(tx, Some(office.office), (asked.filter.from, asked.filter.until))?;
        let values = own.into_iter().chain([members]).collect();
        by_office.push(Row::new(vec![Label::Office(office.office)], values));
    }
    let mut rows = Vec::new();
    for (period, counts) in asked.periods.iter().zip(over_time) {
        let members = members(tx, asked.filter.office, *period)?;
        rows.push((*period, counts.into_iter().chain([members]).map(Some).collect()));
    }
    let seen = members(tx, asked.filter.office, (asked.filter.from, asked.filter.until))?;
    let mut blocks = vec![Block::over_time("visits", columns(), rows).with_total("members", Some(seen))];
    if asked.has_offices() {
        let block = Block::new(("visits_by_office", Shape::Bars), vec!["office"], columns(), by_office);
        blocks.push(block.with_total("members", Some(seen)));
    }
    Ok(blocks)
}
