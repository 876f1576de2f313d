//! What the ledger says: points, stored value, and what was redeemed for what.

use hufu_shared::ids::OfficeId;
use hufu_shared::money::Unit;
use hufu_shared::scheme::Words;
use hufu_shared::time::Day;

use super::{Asked, SQL, day_value, grouped};
use crate::db::{Row as Found, Tx};
use crate::rules::posting::Account;
use crate::rules::reports::movement::{Movement, Side, Sums, by_office, plus, sums};
use crate::rules::reports::{Block, Column, Label, Measure, Row, Shape};
use crate::store::{StoreError, rows};

/// What was moved of a unit from one day to another.
pub(super) fn movements(
    tx: &mut Tx<'_>,
    unit: Unit,
    (from, until): (Day, Day),
) -> Result<Vec<Movement>, StoreError> {
    let values = [day_value(from), day_value(until), unit.code().into()];
    let read = |row: &Found| {
        Ok(Movement {
            day: rows::day_at(row, 0)?,
            code: row.text(1)?.to_owned(),
            from: Side::of(row.text(2)?),
            to: Side::of(row.text(3)?),
            office: row.array_opt(4)?.map(OfficeId),
            event: row.text(5)?.to_owned(),
            amount: row.int(6)?,
        })
    };
    tx.query(SQL.get("movements"), &values)?.iter().map(read).collect()
}

/// What members had of a unit at the end of a day: what they have now, less what was moved since.
fn outstanding(tx: &mut Tx<'_>, unit: Unit, day: Day) -> Result<i64, StoreError> {
    let now = tx.query_one(SQL.get("outstanding"), &[unit.code().into()])?.int(0)?;
    let since = tx.query_one(SQL.get("moved_after"), &[day_value(day), unit.code().into()])?.int(0)?;
    Ok(now.saturating_sub(since))
}

/// A unit over time: for one office what accounts of it say, for the club also what members have.
struct Book {
    /// What each row over time comes to.
    sums: Vec<Sums>,
    /// What members had at its end; empty for one office: balances are the club's.
    ends: Vec<i64>,
    movements: Vec<Movement>,
}

fn book(tx: &mut Tx<'_>, asked: &Asked, unit: Unit) -> Result<Book, StoreError> {
    let filter = &asked.filter;
    let movements = movements(tx, unit, (filter.from, filter.until))?;
    let mut over_time = vec![Sums::default(); asked.periods.len()];
    for movement in &movements {
        if let Some(at) = asked.place_of(movement.day) {
            over_time[at] = plus(over_time[at], sums(movement, filter.office));
        }
    }
    let mut ends = Vec::new();
    if filter.office.is_none() {
        let mut end = outstanding(tx, unit, filter.until)?;
        for sums in over_time.iter().rev() {
            ends.push(end);
            end = end.saturating_sub(sums.change);
        }
        ends.reverse();
    }
    Ok(Book { sums: over_time, ends, movements })
}

/// A block over time: columns of an office, and those that only the club has.
fn over_time(
    asked: &Asked,
    (key, book): (&'static str, &Book),
    (own, club): (&[Column], &[Column]),
    values: impl Fn(&Sums) -> (Vec<i64>, Vec<i64>),
) -> Block {
    let is_club = asked.filter.office.is_none();
    let columns = own.iter().chain(club.iter().filter(|_| is_club)).copied().collect();
    let row = |(at, period): (usize, &(Day, Day))| {
        let (own, club) = values(&book.sums[at]);
        let rest = if is_club { club } else { Vec::new() };
        let end = book.ends.get(at).copied();
        (*period, own.into_iter().chain(rest).chain(end).map(Some).collect())
    };
    let rows = asked.periods.iter().enumerate().map(row).collect();
    Block::over_time(key, columns, rows).with_total("outstanding", book.ends.last().copied())
}

/// A block by office of what its accounts say; none where there is one office.
fn offices(
    asked: &Asked,
    key: &'static str,
    (columns, movements): (&[Column], &[Movement]),
    values: impl Fn(&Sums) -> (Vec<i64>, Vec<i64>),
) -> Option<Block> {
    let known = by_office(movements);
    let row = |office: OfficeId| {
        let sums = known.get(&office).copied().unwrap_or_default();
        Row::new(vec![Label::Office(office)], values(&sums).0)
    };
    let rows = asked.offices.iter().map(|office| row(office.office)).collect();
    let block = Block::new((key, Shape::Bars), vec!["office"], columns.to_vec(), rows);
    asked.has_offices().then_some(block)
}

/// Points given, taken back, redeemed, run out and outstanding.
pub(super) fn points(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let own = [
        Column::new("earned", Measure::Points),
        Column::new("taken_back", Measure::Points).quiet(),
        Column::new("redeemed", Measure::Points),
    ];
    let club = [
        Column::new("expired", Measure::Points),
        Column::new("other", Measure::Points).quiet(),
        Column::new("change", Measure::Points).quiet(),
        Column::new("outstanding", Measure::Points).apart().quiet(),
    ];
    let values = |of: &Sums| (vec![of.earned, of.taken, of.spent], vec![of.expired, of.other(), of.change]);
    let book = book(tx, asked, Unit::Pts)?;
    let first = over_time(asked, ("points", &book), (&own, &club), values);
    let by_office = offices(asked, "points_by_office", (&own, &book.movements), values);
    Ok([first].into_iter().chain(by_office).collect())
}

/// The method by which a movement went through a drawer.
fn method(movement: &Movement) -> Option<String> {
    [&movement.from, &movement.to].into_iter().find_map(|side| match side {
        Side::House(account @ Account::Cash(..)) => account.to_string().rsplit('/').next().map(str::to_owned),
        _ => None,
    })
}

/// Stored value paid in, paid out, spent and outstanding, and by method of payment.
pub(super) fn money(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let own = [
        Column::new("paid_in", Measure::Fen),
        Column::new("paid_out", Measure::Fen),
        Column::new("spent", Measure::Fen),
        Column::new("given", Measure::Fen).quiet(),
    ];
    let club = [
        Column::new("other", Measure::Fen).quiet(),
        Column::new("change", Measure::Fen).quiet(),
        Column::new("outstanding", Measure::Fen).apart().quiet(),
    ];
    let values = |of: &Sums| {
        (vec![of.paid_in, of.paid_out, of.spent, of.earned - of.taken], vec![of.other(), of.change])
    };
    let book = book(tx, asked, Unit::Cny)?;
    let mut methods: Vec<(Label, [i64; 2])> = Vec::new();
    for movement in &book.movements {
        let sums = sums(movement, asked.filter.office);
        if let Some(code) = method(movement)
            && (sums.paid_in, sums.paid_out) != (0, 0)
        {
            let of = grouped(&mut methods, Label::Text(code));
            of[0] += sums.paid_in;
            of[1] += sums.paid_out;
        }
    }
    let rows = methods.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect();
    let columns = vec![Column::new("paid_in", Measure::Fen), Column::new("paid_out", Measure::Fen)];
    let by_method = Block::new(("money_by_method", Shape::Bars), vec!["method"], columns, rows);
    let first = over_time(asked, ("money", &book), (&own, &club), values);
    let by_office = offices(asked, "money_by_office", (&own, &book.movements), values);
    Ok([first, by_method].into_iter().chain(by_office).collect())
}

fn redemption_columns() -> Vec<Column> {
    vec![
        Column::new("times", Measure::Count).quiet(),
        Column::new("points", Measure::Points),
        Column::new("cash", Measure::Fen).quiet(),
        Column::new("pieces", Measure::Count).quiet(),
    ]
}

/// Four figures that begin at a column.
fn four(row: &Found, at: usize) -> Result<[i64; 4], StoreError> {
    Ok([row.int(at)?, row.int(at + 1)?, row.int(at + 2)?, row.int(at + 3)?])
}

fn add(to: &mut [i64; 4], values: [i64; 4]) {
    for (sum, value) in to.iter_mut().zip(values) {
        *sum = sum.saturating_add(value);
    }
}

/// What was redeemed: from the catalogue by kind, by plans of the club.
pub(super) fn redemptions(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<Block>, StoreError> {
    let mut over_time = vec![[0_i64; 4]; asked.periods.len()];
    let (mut kinds, mut plans) = (Vec::new(), Vec::new());
    for row in tx.query(SQL.get("items"), &asked.days())? {
        let office = row.array_opt(2)?.map(OfficeId);
        if let Some(at) = asked.place_of(rows::day_at(&row, 0)?).filter(|_| asked.takes(office)) {
            let values = four(&row, 3)?;
            add(&mut over_time[at], values);
            add(grouped(&mut kinds, Label::Key(format!("report-redeem-{}", row.text(1)?))), values);
        }
    }
    // A plan is the club's, and of no office.
    for row in tx.query(SQL.get("plans"), &asked.days())? {
        if let Some(at) = asked.place_of(rows::day_at(&row, 0)?).filter(|_| asked.takes(None)) {
            let values = four(&row, 3)?;
            add(&mut over_time[at], values);
            let name = Words { zh: row.text(1)?.to_owned(), en: row.text(2)?.to_owned() };
            add(grouped(&mut kinds, Label::Key("report-redeem-plan".to_owned())), values);
            add(grouped(&mut plans, Label::Words(name)), values);
        }
    }
    let periods = asked.periods.iter().copied();
    let rows = periods.zip(over_time.into_iter().map(|row| row.into_iter().map(Some).collect())).collect();
    let group = |groups: Vec<(Label, [i64; 4])>| {
        groups.into_iter().map(|(label, values)| Row::new(vec![label], values.to_vec())).collect()
    };
    Ok(vec![
        Block::over_time("redemptions", redemption_columns(), rows),
        Block::new(
            ("redemptions_by_kind", Shape::Pie),
            vec!["redeem_kind"],
            redemption_columns(),
            group(kinds),
        ),
        Block::new(("redemptions_by_plan", Shape::Bars), vec!["plan"], redemption_columns(), group(plans)),
    ])
}
