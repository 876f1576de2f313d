//! 会员情况变动表: what changed with members, and who used the birthday's discount (S9).

use hufu_shared::ids::{Hash, OfficeId};
use hufu_shared::time::Instant;

use super::members::{members, steps};
use super::{Asked, SQL};
use crate::db::{Sql, Tx};
use crate::rules::birthdays::KnownBirthday;
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, birthdays, people};

/// Uses of the birthday's discount that one list holds.
const USES_MAX: i64 = 1_000;

/// How many of a statement's rows, a moment and an office each, are of the days asked about.
fn moments(tx: &mut Tx<'_>, asked: &Asked, statement: &'static Sql) -> Result<i64, StoreError> {
    let mut count = 0;
    for row in tx.query(statement, &asked.moments())? {
        let office = row.array_opt(1)?.map(OfficeId);
        let is_on = asked.place_at(office, Instant(row.int(0)?)).is_some();
        count += i64::from(is_on && asked.takes(office));
    }
    Ok(count)
}

/// The uses of the birthday's discount, those left out that were taken back.
fn uses(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<KnownBirthday>, StoreError> {
    let days = (asked.filter.from, asked.filter.until);
    let first = (Instant(i64::MIN), Hash([0; 32]));
    let found = birthdays::page(tx, days, asked.filter.office, first, USES_MAX)?;
    Ok(found.into_iter().filter(|known| known.taken_back.is_none()).collect())
}

/// The uses as a list: day, member's number, slip, office.
fn list(tx: &mut Tx<'_>, uses: &[KnownBirthday]) -> Result<Block, StoreError> {
    let mut rows = Vec::new();
    for known in uses {
        let number = people::member(tx, known.member)?.map(|row| row.number).unwrap_or_default();
        let labels = vec![
            Label::Period(known.day, known.day),
            Label::Text(number),
            Label::Text(known.slip.clone()),
            Label::Office(known.office),
        ];
        rows.push(Row::new(labels, Vec::new()));
    }
    let heads = vec!["day", "number", "slip", "office"];
    Ok(Block::new(("birthday_uses", Shape::List), heads, Vec::new(), rows))
}

/// What changed with members.
pub(super) fn changes(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let joined_and_left = members(tx, asked)?;
    let total = |at: usize| {
        let movement = joined_and_left.first();
        movement.and_then(|block| block.total.get(at).copied().flatten()).unwrap_or_default()
    };
    let steps = steps(tx, asked)?;
    let step = |at: usize| steps.iter().map(|row| row[at]).sum::<i64>();
    let uses = uses(tx, asked)?;
    let lines = [
        ("joined", total(0)),
        ("left", total(1)),
        ("rose", step(0)),
        ("given", step(1)),
        ("fell", step(4)),
        ("cards", moments(tx, asked, SQL.get("cards"))?),
        ("replaced", moments(tx, asked, SQL.get("replaced"))?),
        ("edited", moments(tx, asked, SQL.get("edited"))?),
        ("birthdays", i64::try_from(uses.len()).unwrap_or(i64::MAX)),
    ];
    let row =
        |(key, count): (&str, i64)| Row::new(vec![Label::Key(format!("report-change-{key}"))], vec![count]);
    // Different things are not added up.
    let columns = vec![Column::new("count", Measure::Count).apart()];
    let rows = lines.into_iter().map(row).collect();
    let mut blocks = vec![Block::new(("changes", Shape::Bars), vec!["what"], columns, rows)];
    if asked.is_first {
        blocks.push(list(tx, &uses)?);
    }
    Ok(blocks)
}
