//! How blocks of figures are written: labels and figures in words, tables with what they are compared with, and what the
//! script of charts draws.

use std::fmt;

use hufu_shared::dictionary::Term;
use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;
use hufu_shared::money::Unit;
use serde_json::{Value, json};

use super::super::cash;
use super::super::compare::short;
use super::super::leases::amount;
use super::super::ui::{Ui, number};
use crate::rules::reports::{Block, Label, Measure, Row, Shape};

/// Rows that a chart of bars or parts shows; the table has all of them.
const DRAWN_MAX: usize = 30;

/// What labels are called by.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) offices: &'a [OfficeRow],
    pub(super) routes: &'a [Term],
}

impl Names<'_> {
    /// An office by its code and name.
    pub(super) fn office(self, ui: &Ui, office: OfficeId) -> String {
        let known = self.offices.iter().find(|row| row.office == office);
        known.map_or_else(|| short(&office.to_string()), |row| format!("{} {}", row.code, ui.pick(&row.name)))
    }

    /// A label under a head in words.
    pub(super) fn label(self, ui: &Ui, head: &str, label: &Label) -> String {
        match label {
            Label::Period(from, until) if from == until => from.to_string(),
            Label::Period(from, until) => format!("{from} – {until}"),
            Label::Office(office) => self.office(ui, *office),
            Label::Operator(Some(operator)) => short(&operator.to_string()),
            Label::Operator(None) => ui.t("side-no-operator"),
            Label::Words(words) => ui.pick(words),
            Label::Key(key) => ui.t(key),
            Label::Text(text) => match head {
                "method" => cash::method(ui, text),
                "route" => {
                    let known = self.routes.iter().find(|term| term.code == *text);
                    known.map_or_else(|| text.clone(), |term| ui.pick(&term.words))
                }
                _ => text.clone(),
            },
        }
    }
}

/// A figure in words, with a true minus.
pub(super) fn figure(ui: &Ui, measure: Measure, value: i64) -> String {
    let sign = if value < 0 { "−" } else { "" };
    match measure {
        Measure::Count | Measure::Points => number(value),
        Measure::Fen => format!("{sign}{}", amount(ui, Unit::Cny, value.saturating_abs())),
    }
}

/// By how much a figure is more or less.
pub(super) fn signed(ui: &Ui, measure: Measure, change: i64) -> String {
    let sign = if change > 0 { "+" } else { "" };
    format!("{sign}{}", figure(ui, measure, change))
}

/// What a figure was, and by how much it is more or less.
fn compared(ui: &Ui, measure: Measure, value: Option<i64>, before: Option<i64>) -> String {
    let Some(before) = before else { return String::new() };
    let last = figure(ui, measure, before);
    let Some(value) = value else { return ui.t_of("report-before", &[("last", last)]) };
    let change = signed(ui, measure, value.saturating_sub(before));
    ui.t_of("report-compared", &[("last", last), ("change", change)])
}

/// A figure of a table.
pub(super) struct Cell {
    pub(super) head: String,
    pub(super) value: String,
    pub(super) compared: String,
}

/// A row of a table.
pub(super) struct RowShown {
    /// Each with what it is called.
    pub(super) labels: Vec<(String, String)>,
    pub(super) cells: Vec<Cell>,
}

/// What the script of charts reads: JSON in which nothing can end the element that it stands in.
pub(super) struct ChartJson(String);

impl fmt::Display for ChartJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for ChartJson {}

impl ChartJson {
    fn of(value: &Value) -> Self {
        let text = value.to_string();
        Self(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"))
    }
}

/// A block as a page shows it.
pub(super) struct BlockShown {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) heads: Vec<String>,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<RowShown>,
    /// The last line of the table; empty where nothing adds up.
    pub(super) total: Vec<Cell>,
    pub(super) is_empty: bool,
    pub(super) is_drawn: bool,
    pub(super) chart: ChartJson,
}

/// The name of a column.
pub(super) fn column(ui: &Ui, key: &str) -> String {
    ui.t(&format!("report-col-{}", key.replace('_', "-")))
}

/// The name of what rows are of.
pub(super) fn head(ui: &Ui, key: &str) -> String {
    ui.t(&format!("report-head-{}", key.replace('_', "-")))
}

/// The name of a block.
pub(super) fn title(ui: &Ui, block: &Block) -> String {
    ui.t(&format!("report-block-{}", block.key.replace('_', "-")))
}

fn cells(ui: &Ui, block: &Block, values: &[Option<i64>], before: &[Option<i64>]) -> Vec<Cell> {
    let cell = |(at, column): (usize, &crate::rules::reports::Column)| {
        let value = values.get(at).copied().flatten();
        Cell {
            head: self::column(ui, column.key),
            value: value.map_or_else(|| "—".to_owned(), |value| figure(ui, column.measure, value)),
            compared: compared(ui, column.measure, value, before.get(at).copied().flatten()),
        }
    };
    block.columns.iter().enumerate().map(cell).collect()
}

/// The words of a row's labels.
pub(super) fn labels(ui: &Ui, names: Names<'_>, block: &Block, row: &Row) -> Vec<String> {
    block.heads.iter().zip(&row.labels).map(|(head, label)| names.label(ui, head, label)).collect()
}

impl BlockShown {
    /// Of a block.
    pub(super) fn of(ui: &Ui, names: Names<'_>, block: &Block) -> Self {
        let heads: Vec<String> = block.heads.iter().map(|key| head(ui, key)).collect();
        let row = |row: &Row| RowShown {
            labels: heads.iter().cloned().zip(labels(ui, names, block, row)).collect(),
            cells: cells(ui, block, &row.values, &row.before),
        };
        let has_total = block.rows.len() > 1 && block.total.iter().any(Option::is_some);
        let is_list = block.shape == Shape::List;
        let is_empty = if is_list { block.rows.is_empty() } else { block.is_empty() };
        Self {
            id: block.key,
            title: title(ui, block),
            columns: block.columns.iter().map(|of| column(ui, of.key)).collect(),
            rows: block.rows.iter().map(row).collect(),
            total: if has_total { cells(ui, block, &block.total, &block.total_before) } else { Vec::new() },
            is_empty,
            is_drawn: !is_empty && !is_list,
            chart: ChartJson::of(&chart(ui, names, block)),
            heads,
        }
    }
}

/// A line, a row of bars or the parts of a whole: figures as they are, and each as it is written.
fn series(ui: &Ui, (name, measure): (String, Measure), values: Vec<Option<i64>>, is_before: bool) -> Value {
    let texts: Vec<String> = values
        .iter()
        .map(|value| value.map_or_else(|| "—".to_owned(), |value| figure(ui, measure, value)))
        .collect();
    json!({ "name": name, "fen": measure == Measure::Fen, "before": is_before, "values": values, "texts": texts })
}

/// What is drawn of a block: the columns that are, and the first of them as it was before.
fn chart(ui: &Ui, names: Names<'_>, block: &Block) -> Value {
    let most = if block.shape == Shape::Lines { block.rows.len() } else { DRAWN_MAX };
    let rows = &block.rows[..most.min(block.rows.len())];
    let label = |row: &Row| match row.labels.as_slice() {
        // A row over time is named by its first day.
        [Label::Period(from, _)] => from.to_string(),
        _ => labels(ui, names, block, row).join(" · "),
    };
    let mut lines = Vec::new();
    for (at, of) in block.columns.iter().enumerate().filter(|(_, of)| of.drawn) {
        let name = column(ui, of.key);
        let before: Vec<_> = rows.iter().map(|row| row.before.get(at).copied().flatten()).collect();
        let values = rows.iter().map(|row| row.values.get(at).copied().flatten()).collect();
        lines.push(series(ui, (name.clone(), of.measure), values, false));
        // One figure beside its own past is read at a glance; four of them are not.
        if lines.len() == 1 && block.shape != Shape::Pie && before.iter().any(Option::is_some) {
            let name = ui.t_of("report-series-before", &[("name", name)]);
            lines.push(series(ui, (name, of.measure), before, true));
        }
    }
    json!({
        "shape": block.shape.code(), "labels": rows.iter().map(label).collect::<Vec<_>>(), "series": lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_of_a_chart_ends_the_element_that_it_stands_in() {
        let value = json!({ "labels": ["</script><b>&amp;", "沙龙"], "values": [1, null] });
        let text = ChartJson::of(&value).to_string();
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn ui_g06_money_has_its_sign_in_front_and_a_figure_says_what_it_was() {
        let ui = Ui::of(&axum::http::HeaderMap::new(), hufu_shared::time::Instant(0));
        let cases = [
            (Measure::Fen, 123_450, "¥1,234.50"),
            (Measure::Fen, -5, "−¥0.05"),
            (Measure::Points, -1_000, "−1,000"),
            (Measure::Count, 12, "12"),
        ];
        for (measure, value, wanted) in cases {
            assert_eq!(figure(&ui, measure, value), wanted);
        }
        let told = |value, before| compared(&ui, Measure::Fen, value, before);
        assert_eq!(told(Some(100), None), "", "nothing is compared");
        assert_eq!(told(Some(100), Some(300)), "对比期 ¥3.00（−¥2.00）");
        assert_eq!(told(Some(300), Some(100)), "对比期 ¥1.00（+¥2.00）");
        assert_eq!(told(None, Some(100)), "对比期 ¥1.00");
    }
}
