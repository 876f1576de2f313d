//! What terminals recorded: how each did, why they refused, who served at them.
//!
//! Reasons and operators stand in the facts alone: those are read one by one, a day of an office at a time, and not at
//! all where there are too many.

use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::OfficeId;
use hufu_shared::time::{Day, MINUTE_US};

use super::{Asked, FACTS_MAX, SQL, day_value, grouped};
use crate::db::{Row as Found, Tx};
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, known, rows};

/// A fact that came later than this is told as late, in us.
const LATE_US: i64 = 10 * MINUTE_US;

/// How each terminal did.
pub(super) fn terminals(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let mut found = Vec::new();
    for office in &asked.offices {
        let [office_value, from, until] = asked.days_of(office.office);
        for row in tx.query(SQL.get("terminals"), &[office_value, from, until, LATE_US.into()])? {
            let labels = vec![Label::Office(office.office), Label::Text(row.text(0)?.to_owned())];
            found.push(Row::new(labels, vec![row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?]));
        }
    }
    let column = |key: &'static str| Column::new(key, Measure::Count);
    let columns = vec![
        column("records"),
        column("refusals").quiet(),
        column("late").quiet(),
        column("clock_faults").quiet(),
    ];
    Ok(vec![Block::new(("terminals", Shape::Bars), vec!["office", "terminal"], columns, found)])
}

/// Whether the facts of these days are too many to be read one by one.
fn is_too_much(tx: &mut Tx<'_>, asked: &Asked) -> Result<bool, StoreError> {
    let mut count = 0_i64;
    for office in &asked.offices {
        count += tx.query_one(SQL.get("facts_of"), &asked.days_of(office.office))?.int(0)?;
    }
    Ok(count > FACTS_MAX)
}

/// The fact of a row; none that this version cannot read.
fn fact(tx: &mut Tx<'_>, row: &Found) -> Result<Option<Fact>, StoreError> {
    known::readable(tx, rows::fact_id_at(row, 0)?, row.blob(3)?)
}

/// Refusals by reason and by office, each as often as it was repeated.
pub(super) fn refusals(tx: &mut Tx<'_>, asked: &Asked) -> Result<Option<Vec<Block>>, StoreError> {
    if is_too_much(tx, asked)? {
        return Ok(None);
    }
    let (mut reasons, mut offices) = (Vec::new(), Vec::new());
    for office in &asked.offices {
        for row in tx.query(SQL.get("refusals"), &asked.days_of(office.office))? {
            let Some(Fact { event: Event::Refused(refused), .. }) = fact(tx, &row)? else { continue };
            let times = i64::from(refused.count.max(1));
            let key = format!("report-reason-{:?}", refused.reason).to_lowercase();
            let add = |groups: &mut Vec<(Label, [i64; 1])>, label| grouped(groups, label)[0] += times;
            add(&mut reasons, Label::Key(key));
            add(&mut offices, Label::Office(office.office));
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.1[0]));
    let block = |key, shape, head, groups: Vec<(Label, [i64; 1])>| {
        let rows = groups.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect();
        Block::new((key, shape), vec![head], vec![Column::new("refusals", Measure::Count)], rows)
    };
    let mut blocks = vec![block("refusals", Shape::Bars, "reason", reasons)];
    if asked.has_offices() {
        blocks.push(block("refusals_by_office", Shape::Pie, "office", offices));
    }
    Ok(Some(blocks))
}

/// The figure of an event among those of an operator: check-ins, purchases, spends, top-ups, what was taken back,
/// refusals.
fn column_of(event: &Event) -> Option<usize> {
    match event {
        Event::Attended(_) | Event::Visited(_) => Some(0),
        Event::Earned(_) => Some(1),
        Event::Spent(_) => Some(2),
        Event::ToppedUp(_) => Some(3),
        Event::Reversed(_) => Some(5),
        Event::Refused(_) => Some(6),
        _ => None,
    }
}

/// The facts of one day at an office, added to who served.
fn add_day(
    tx: &mut Tx<'_>,
    (office, day): (OfficeId, Day),
    people: &mut Vec<(Label, [i64; 7])>,
) -> Result<(), StoreError> {
    for row in tx.query(SQL.get("told"), &[office.0.into(), day_value(day)])? {
        let Some(fact) = fact(tx, &row)? else { continue };
        let Some(column) = column_of(&fact.event) else { continue };
        let own = grouped(people, Label::Operator(fact.operator));
        own[column] += 1;
        if let Event::ToppedUp(topped) = &fact.event {
            own[4] = own[4].saturating_add(topped.amount.0);
        }
    }
    Ok(())
}

/// Who served, by what they recorded: as it was recorded, whatever became of it.
pub(super) fn operators(tx: &mut Tx<'_>, asked: &Asked) -> Result<Option<Vec<Block>>, StoreError> {
    if is_too_much(tx, asked)? {
        return Ok(None);
    }
    let mut people = Vec::new();
    for office in &asked.offices {
        let mut day = asked.filter.from;
        while day <= asked.filter.until {
            add_day(tx, (office.office, day), &mut people)?;
            day = day.plus(1);
        }
    }
    let column = |key: &'static str| Column::new(key, Measure::Count);
    let columns = vec![
        column("check_ins"),
        column("purchases"),
        column("spends"),
        column("top_ups"),
        Column::new("paid_in", Measure::Fen).quiet(),
        column("reversals").quiet(),
        column("refusals").quiet(),
    ];
    let rows = people.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect();
    Ok(Some(vec![Block::new(("operators", Shape::Bars), vec!["operator"], columns, rows)]))
}
