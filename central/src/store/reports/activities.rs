//! Activities: who came to which holding through which gate, and what activities cost (K28).

use std::collections::BTreeMap;

use hufu_shared::ids::{ActivityId, OccurrenceId, OfficeId};
use hufu_shared::money::Amount;
use hufu_shared::rules::activity::per_head;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::{Asked, SQL, grouped};
use crate::db::Tx;
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, activities};

/// Check-ins of a holding.
struct Holding {
    name: Words,
    day: Day,
    /// By the terminal at which they came in: check-ins and members.
    gates: Vec<(String, i64, i64)>,
}

fn holdings(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Holding>, StoreError> {
    let mut found: BTreeMap<(Instant, OccurrenceId), Holding> = BTreeMap::new();
    for office in &asked.offices {
        for row in tx.query(SQL.get("gates"), &asked.days_of(office.office))? {
            let starts = Instant(row.int(3)?);
            let name = Words { zh: row.text(1)?.to_owned(), en: row.text(2)?.to_owned() };
            let fresh = || Holding { name, day: office.clock.business_day(starts), gates: Vec::new() };
            let holding = found.entry((starts, OccurrenceId(row.array(0)?))).or_insert_with(fresh);
            holding.gates.push((row.text(4)?.to_owned(), row.int(5)?, row.int(6)?));
        }
    }
    Ok(found.into_values().collect())
}

/// Attendance by holding, and by holding and gate.
pub(super) fn attendance(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let (mut whole, mut gates) = (Vec::new(), Vec::new());
    for holding in holdings(tx, asked)? {
        let labels = || vec![Label::Words(holding.name.clone()), Label::Period(holding.day, holding.day)];
        whole.push(Row::new(labels(), vec![holding.gates.iter().map(|gate| gate.1).sum()]));
        for (gate, times, members) in &holding.gates {
            let labels = labels().into_iter().chain([Label::Text(gate.clone())]).collect();
            gates.push(Row::new(labels, vec![*times, *members]));
        }
    }
    let times = Column::new("attended", Measure::Count);
    let members = Column::new("members", Measure::Count).apart();
    Ok(vec![
        Block::new(("holdings", Shape::Bars), vec!["activity", "day"], vec![times], whole),
        Block::new(
            ("gates", Shape::Bars),
            vec!["activity", "day", "gate"],
            vec![times, members.quiet()],
            gates,
        ),
    ])
}

/// Activities with a holding on these days; of one office those with a holding there, whole.
fn held(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<ActivityId>, StoreError> {
    let mut chosen = Vec::new();
    for row in tx.query(SQL.get("held_activities"), &asked.moments())? {
        let id = ActivityId(row.array(0)?);
        let is_on = |starts: Instant| asked.place_at(None, starts).is_some();
        let holdings = activities::occurrences_of(tx, id)?;
        // A holding that names no office is open to all.
        let is_here = |offices: &[OfficeId]| {
            offices.is_empty() || asked.filter.office.is_none_or(|office| offices.contains(&office))
        };
        if holdings.iter().any(|row| is_on(row.starts) && is_here(&row.offices)) {
            chosen.push(id);
        }
    }
    Ok(chosen)
}

/// What activities cost as a whole and per head, and for what it was.
pub(super) fn costs(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let (mut whole, mut items) = (Vec::new(), Vec::new());
    for id in held(tx, asked)? {
        let Some(known) = activities::activity(tx, id)? else { continue };
        let costs = activities::costs(tx, id)?;
        let cost = costs.iter().map(|item| item.cost.0).fold(0_i64, i64::saturating_add);
        let came =
            activities::heads(tx, id)?.values().map(activities::Heads::came).fold(0, u32::saturating_add);
        let each = per_head(Amount(cost), came).map(|each| each.0);
        whole.push(Row {
            labels: vec![Label::Words(known.plan.name.clone())],
            values: vec![Some(cost), Some(known.plan.cost.0), Some(i64::from(came)), each],
            before: Vec::new(),
        });
        for item in costs.iter().filter(|item| item.cost.is_positive()) {
            let sum: &mut [i64; 1] = grouped(&mut items, Label::Text(item.what.clone()));
            sum[0] = sum[0].saturating_add(item.cost.0);
        }
    }
    let columns = vec![
        Column::new("cost", Measure::Fen),
        Column::new("cost_planned", Measure::Fen),
        Column::new("came", Measure::Count).quiet(),
        Column::new("cost_per_head", Measure::Fen).apart().quiet(),
    ];
    let items = items.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect();
    let by_activity = Block::new(("costs", Shape::Bars), vec!["activity"], columns, whole);
    let all = |key: &str| {
        let at = by_activity.columns.iter().position(|column| column.key == key);
        at.and_then(|at| by_activity.total.get(at).copied().flatten()).unwrap_or_default()
    };
    let heads = u32::try_from(all("came")).unwrap_or(u32::MAX);
    let each = per_head(Amount(all("cost")), heads).map(|each| each.0);
    Ok(vec![
        by_activity.clone().with_total("cost_per_head", each),
        Block::new(
            ("costs_by_item", Shape::Pie),
            vec!["item"],
            vec![Column::new("cost", Measure::Fen)],
            items,
        ),
    ])
}
