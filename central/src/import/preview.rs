//! What a dry run tells: counts, the first rows of each kind of change, and the first bad cells, all of it masked, so
//! that it can be kept and shown without a reason.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::BadCell;
use super::report::sentence;
use super::run::Report;
use super::sheet::{Line, Sheet};
use crate::console::words::Language;
use crate::vault::mask;

/// Characters of a card's number that are shown.
const TAIL_CHARS: usize = 4;

/// The first rows of each kind of change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// Names of the columns that the file has, in its order.
    pub columns: Vec<String>,
    /// New, changed and unchanged rows: the row in the file, and its cells by column.
    pub rows: [Vec<(u64, Vec<String>)>; 3],
}

impl Samples {
    /// The rows of these numbers.
    #[must_use]
    pub fn of(sheet: &Sheet, firsts: &[Vec<u64>; 3]) -> Self {
        let columns = sheet.columns();
        let lines: HashMap<u64, &Line> = sheet.lines.iter().map(|line| (line.row, line)).collect();
        let cells = |line: &Line| -> Vec<String> {
            columns.iter().map(|&column| masked(column, line.get(column))).collect()
        };
        let rows = firsts.each_ref().map(|rows| {
            rows.iter().filter_map(|row| Some((*row, cells(lines.get(row).copied()?)))).collect::<Vec<_>>()
        });
        Self { columns: columns.into_iter().map(str::to_owned).collect(), rows }
    }
}

/// A cell as it may be shown to whoever may see the page.
fn masked(column: &str, cell: &str) -> String {
    match column {
        "name" => mask::name(cell),
        "mobile" => mask::mobile(cell),
        "document_number" => mask::document(cell),
        "birthday" if !cell.is_empty() => format!("{}-**-**", cell.chars().take(4).collect::<String>()),
        "card" | "uid" if !cell.is_empty() => {
            let hidden = cell.chars().count().saturating_sub(TAIL_CHARS);
            format!("…{}", cell.chars().skip(hidden.max(1)).collect::<String>())
        }
        _ => cell.to_owned(),
    }
}

/// What is wrong with a cell, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Row in the file.
    pub row: u64,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// What is kept of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Rows in the file.
    pub rows: usize,
    /// New, changed, unchanged and rejected rows.
    pub counts: [usize; 4],
    /// New rows that look like somebody.
    pub alike: usize,
    /// What new openings come to, by unit.
    pub sums: BTreeMap<String, String>,
    /// What the file was read as.
    pub read_as: String,
    /// The first rows of each kind.
    pub samples: Samples,
    /// The first bad cells.
    pub wrong: Vec<Wrong>,
    /// Whether anything was written.
    pub imported: bool,
}

impl Preview {
    /// Of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let wrong = report.bad.iter().map(|bad| {
            // What was met is shown, of a person as little as elsewhere on the page.
            let met = match bad.column {
                "name" | "birthday" => masked(bad.column, &bad.met),
                _ => bad.met.clone(),
            };
            let cell = BadCell { met, ..bad.clone() };
            Wrong {
                row: cell.row,
                zh: sentence(report.kind, Language::Zh, &cell),
                en: sentence(report.kind, Language::En, &cell),
            }
        });
        Self {
            rows: report.rows,
            counts: [report.new, report.changed, report.unchanged, report.rejected],
            alike: report.alike,
            sums: report.sums.iter().map(|(unit, sum)| ((*unit).to_owned(), sum.clone())).collect(),
            read_as: report.read_as.to_owned(),
            samples: report.samples.clone(),
            wrong: wrong.collect(),
            imported: report.imported,
        }
    }

    /// Rows that would be written.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.counts[0] + self.counts[1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{Kind, sheet};

    #[test]
    fn ui_f07_first_rows_are_shown_by_column_and_masked() {
        let text = "会员编号,姓名,手机,证件号码,生日\nA-1,欧阳静雯,13800138000,11010519491231002X,1949-12-31\nA-2,禤墨,,,\n";
        let sheet = sheet::read(Kind::Members, text.as_bytes()).expect("a list");
        let samples = Samples::of(&sheet, &[vec![2], Vec::new(), vec![3]]);
        assert_eq!(samples.columns, ["number", "name", "mobile", "document_number", "birthday"]);
        let whole = "A-1 欧阳*雯 138****8000 110105********002X 1949-**-**";
        assert_eq!(
            samples.rows[0].iter().map(|row| (row.0, row.1.join(" "))).collect::<Vec<_>>(),
            [(2, whole.to_owned())]
        );
        assert!(samples.rows[1].is_empty());
        assert_eq!(samples.rows[2][0].1[0], "A-2");
        assert_eq!(masked("card", "6217000012345678"), "…5678");
        assert_eq!(masked("uid", "0412"), "…412", "never all of it");
    }
}
