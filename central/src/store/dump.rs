//! Derived tables as text lines, for comparing a database with the replay of its journal.
//!
//! Every column of every derived table, in the order of its key. Two databases are the same if their lines are.

use std::sync::LazyLock;

use super::StoreError;
use crate::db::{Row, SqlFile, Tx, Value};

/// Statements of this file: the columns of each table.
pub static SQL: SqlFile = SqlFile::new("dump", include_str!("../../sql/both/dump.sql"));

/// The derived tables, with the number of columns that make up their key.
pub static TABLES: LazyLock<Vec<(&'static str, usize)>> = LazyLock::new(|| {
    vec![
        ("club", 1),
        ("office", 1),
        ("occurrence", 1),
        ("scheme", 1),
        ("policy", 1),
        ("member", 1),
        ("job_run", 1),
        ("member_field", 2),
        ("card", 1),
        ("card_token", 1),
        ("device", 1),
        ("device_epoch", 2),
        ("device_key", 3),
        ("boot", 3),
        ("fact", 3),
        ("application", 3),
        ("version_known", 2),
        ("attendance", 2),
        ("fact_link", 4),
        ("stock", 2),
        ("stock_item", 1),
        ("stock_line", 3),
        ("stocktake", 4),
        ("points_change", 1),
        ("told_event", 1),
        ("points_trigger", 1),
        ("redemption_plan", 1),
        ("redemption_line", 2),
        ("item_redemption", 1),
        ("level_step", 2),
        ("coupon", 1),
        ("ranking_award", 1),
        ("birthday_use", 1),
        ("office_day_step", 3),
        ("stand_in", 2),
        ("issued", 2),
        ("lease", 2),
        ("posting", 1),
        ("balance", 2),
        ("conflict", 1),
        ("conflict_fact", 4),
        ("case_care", 1),
        ("notice", 2),
        ("dictionary", 2),
        ("filed_application", 1),
        ("association", 4),
        ("leaving", 1),
        ("message", 1),
        ("member_detail", 1),
        ("field_group", 1),
        ("member_custom", 2),
        ("member_edit", 3),
        ("activity", 1),
        ("sign_up", 2),
        ("activity_cost", 2),
        ("opening", 1),
        ("past_line", 1),
        ("data_export", 1),
    ]
});

/// One row: its key, and all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dumped {
    /// The key columns.
    pub key: String,
    /// All columns.
    pub line: String,
}

/// All rows of one derived table, in the order of their keys.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub fn table(tx: &mut Tx<'_>, name: &'static str, key_columns: usize) -> Result<Vec<Dumped>, StoreError> {
    let rows = tx.query(SQL.get(name), &[])?;
    let mut dumped = rows
        .iter()
        .map(|row| Ok(Dumped { key: text(row, key_columns)?, line: text(row, row.columns())? }))
        .collect::<Result<Vec<_>, StoreError>>()?;
    // The engines sort text differently; one order for both is made here.
    dumped.sort();
    Ok(dumped)
}

fn text(row: &Row, columns: usize) -> Result<String, StoreError> {
    let mut cells = Vec::with_capacity(columns);
    for column in 0..columns {
        cells.push(match row.value(column)? {
            Value::Null => "-".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Blob(bytes) => data_encoding::HEXLOWER.encode(bytes),
        });
    }
    Ok(cells.join(" | "))
}
