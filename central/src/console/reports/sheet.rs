//! A report as a sheet: what was asked, as of when and what is missing above, then each block with the figures of the
//! page.

use hufu_shared::money::{Amount, Unit};

use super::shown::{column, head, labels, title};
use super::{Found, lacking_words};
use crate::console::ui::Ui;
use crate::rules::reports::{Block, Column, Measure};
use crate::spreadsheet::{self, Field, SpreadsheetError};

/// A figure as a number; empty where there is none.
fn field(measure: Measure, value: Option<i64>) -> Field {
    match (value, measure) {
        (None, _) => Field::text(""),
        (Some(value), Measure::Fen) => Field::amount(Amount(value), Unit::Cny),
        (Some(value), _) => Field::number(value),
    }
}

/// The figures of a row, each followed by what it is compared with.
fn figures(block: &Block, values: &[Option<i64>], before: Option<&[Option<i64>]>) -> Vec<Field> {
    let mut fields = Vec::new();
    for (at, of) in block.columns.iter().enumerate() {
        fields.push(field(of.measure, values.get(at).copied().flatten()));
        if let Some(before) = before {
            fields.push(field(of.measure, before.get(at).copied().flatten()));
        }
    }
    fields
}

/// The rows of a block: its name, its heads, its figures, its total.
fn rows_of(ui: &Ui, found: &Found, block: &Block) -> Vec<Vec<Field>> {
    let is_compared = !block.total_before.is_empty();
    let name = |of: &Column| {
        let name = column(ui, of.key);
        let before = ui.t_of("report-series-before", &[("name", name.clone())]);
        [Some(name), is_compared.then_some(before)].into_iter().flatten().map(Field::text)
    };
    let heads = block.heads.iter().map(|key| Field::text(head(ui, key)));
    let heads = heads.chain(block.columns.iter().flat_map(name)).collect();
    let mut rows = vec![Vec::new(), vec![Field::text(title(ui, block))], heads];
    for row in &block.rows {
        let labels = labels(ui, found.names(), block, row).into_iter().map(Field::text);
        let before = is_compared.then_some(row.before.as_slice());
        rows.push(labels.chain(figures(block, &row.values, before)).collect());
    }
    if block.total.iter().any(Option::is_some) {
        let blank = block.heads.iter().skip(1).map(|_| Field::text(""));
        let labels = [Field::text(ui.t("report-total"))].into_iter().chain(blank);
        let before = is_compared.then_some(block.total_before.as_slice());
        rows.push(labels.chain(figures(block, &block.total, before)).collect());
    }
    rows
}

/// The workbook of a report.
///
/// # Errors
/// [`SpreadsheetError`].
pub(super) fn written(ui: &Ui, found: &Found) -> Result<Vec<u8>, SpreadsheetError> {
    let code = found.report.code();
    let name = ui.t(&format!("report-{code}"));
    let above = [name.clone(), found.asked(ui), found.as_of(ui), lacking_words(ui, &found.lacking)];
    let mut rows: Vec<Vec<Field>> =
        above.into_iter().filter(|text| !text.is_empty()).map(|text| vec![Field::text(text)]).collect();
    match &found.blocks {
        Some(blocks) => rows.extend(blocks.iter().flat_map(|block| rows_of(ui, found, block))),
        None => rows.push(vec![Field::text(ui.t("report-too-long"))]),
    }
    spreadsheet::workbook(code, &name, &rows)
}
