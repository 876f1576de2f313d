//! Members: who joined and left, where they came from, what the club is made up of, and how levels moved.

use hufu_shared::ids::OfficeId;
use hufu_shared::scheme::Words;
use hufu_shared::time::Instant;

use super::{Asked, SQL, grouped};
use crate::db::Tx;
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, rows};

/// Steps of levels, in the order of their columns.
const STEPS: [&str; 5] = ["rose", "given", "renewed", "grace", "fell"];

/// Rows of one count each.
fn counted(groups: Vec<(Label, [i64; 1])>) -> Vec<Row> {
    groups.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect()
}

fn members_column() -> Vec<Column> {
    vec![Column::new("members", Measure::Count)]
}

/// Who joined and left over time.
fn movement(tx: &mut Tx<'_>, asked: &Asked) -> Result<Block, StoreError> {
    let mut over_time = vec![[0_i64; 2]; asked.periods.len()];
    for row in tx.query(SQL.get("joined"), &asked.days())? {
        let office = row.array_opt(1)?.map(OfficeId);
        if let Some(at) = asked.place_of(rows::day_at(&row, 0)?).filter(|_| asked.takes(office)) {
            over_time[at][0] += row.int(2)?;
        }
    }
    for row in tx.query(SQL.get("left"), &asked.moments())? {
        let office = row.array_opt(1)?.map(OfficeId);
        if let Some(at) = asked.place_at(office, Instant(row.int(0)?)).filter(|_| asked.takes(office)) {
            over_time[at][1] += 1;
        }
    }
    let columns = vec![Column::new("joined", Measure::Count), Column::new("left", Measure::Count)];
    let values = over_time.into_iter().map(|row| row.into_iter().map(Some).collect());
    Ok(Block::over_time("members", columns, asked.periods.iter().copied().zip(values).collect()))
}

/// By which route those came who joined; the rest was brought over, or applied at a terminal.
fn origin(tx: &mut Tx<'_>, asked: &Asked, joined: i64) -> Result<Block, StoreError> {
    let mut routes = Vec::new();
    let mut rest = joined;
    for row in tx.query(SQL.get("joined_by_route"), &asked.days())? {
        if asked.takes(row.array_opt(1)?.map(OfficeId)) {
            let sum: &mut [i64; 1] = grouped(&mut routes, Label::Text(row.text(0)?.to_owned()));
            sum[0] += row.int(2)?;
            rest -= row.int(2)?;
        }
    }
    if rest > 0 {
        routes.push((Label::Key("report-origin-other".to_owned()), [rest]));
    }
    Ok(Block::new(("origin", Shape::Pie), vec!["route"], members_column(), counted(routes)))
}

/// What the club is made up of now: members by how they stand, active ones by level and by office.
fn make_up(tx: &mut Tx<'_>, asked: &Asked) -> Result<[Block; 3], StoreError> {
    let (mut states, mut levels, mut offices) = (Vec::new(), Vec::new(), Vec::new());
    for row in tx.query(SQL.get("made_up"), &[])? {
        let office = row.array_opt(3)?.map(OfficeId);
        if !asked.takes(office) {
            continue;
        }
        let (status, count) = (row.text(0)?.to_owned(), row.int(4)?);
        let add = |groups: &mut Vec<(Label, [i64; 1])>, label| grouped(groups, label)[0] += count;
        add(&mut states, Label::Key(format!("member-{status}")));
        if status == "active" {
            let level = match (row.text_opt(1)?, row.text_opt(2)?) {
                (Some(zh), Some(en)) => Label::Words(Words { zh: zh.to_owned(), en: en.to_owned() }),
                _ => Label::Key("report-no-level".to_owned()),
            };
            add(&mut levels, level);
            let no_office = || Label::Key("report-no-office".to_owned());
            add(&mut offices, office.map_or_else(no_office, Label::Office));
        }
    }
    let block =
        |key, head, groups| Block::new((key, Shape::Pie), vec![head], members_column(), counted(groups));
    Ok([
        block("made_up", "state", states),
        block("made_up_levels", "level", levels),
        block("made_up_offices", "office", offices),
    ])
}

/// Who joined and left, where they came from, and what the club is made up of now.
pub(super) fn members(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let movement = movement(tx, asked)?;
    let joined = movement.total.first().copied().flatten().unwrap_or_default();
    let mut blocks = vec![movement, origin(tx, asked, joined)?];
    if asked.is_first {
        blocks.extend(make_up(tx, asked)?);
    }
    Ok(blocks)
}

/// Steps of levels by row over time, as [`STEPS`] orders them.
pub(super) fn steps(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<[i64; 5]>, StoreError> {
    let mut over_time = vec![[0_i64; 5]; asked.periods.len()];
    for row in tx.query(SQL.get("steps"), &asked.days())? {
        let office = row.array_opt(2)?.map(OfficeId);
        let why = row.text(1)?.to_owned();
        let at = asked.place_of(rows::day_at(&row, 0)?).filter(|_| asked.takes(office));
        if let (Some(at), Some(column)) = (at, STEPS.iter().position(|known| *known == why)) {
            over_time[at][column] += row.int(3)?;
        }
    }
    Ok(over_time)
}

/// How levels moved over time, and how many are in each now.
pub(super) fn levels(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let steps = steps(tx, asked)?.into_iter().map(|row| row.into_iter().map(Some).collect());
    let column = |key: &'static str| Column::new(key, Measure::Count);
    let columns = vec![
        column("rose"),
        column("level_given"),
        column("renewed").quiet(),
        column("grace").quiet(),
        column("fell"),
    ];
    let mut blocks =
        vec![Block::over_time("levels", columns, asked.periods.iter().copied().zip(steps).collect())];
    if asked.is_first {
        let [_, levels, _] = make_up(tx, asked)?;
        blocks.push(levels);
    }
    Ok(blocks)
}
