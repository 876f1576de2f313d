//! The report file of an import: the rows that were not taken, or that look like somebody, with their own cells, the
//! row in the file, and what is wrong in the language that was asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::sheet::{END, Line, Sheet};
use super::{BadCell, Kind};
use crate::console::words::{self, Language};
use crate::spreadsheet::{Field, SpreadsheetError, Table};

/// Whom a new row looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alike {
    /// Numbers of members.
    pub members: BTreeSet<String>,
    /// Earlier rows of the file.
    pub rows: BTreeSet<u64>,
}

/// A row of which there is something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Row in the file.
    pub row: u64,
    /// Its cells as they stand there.
    pub cells: Vec<String>,
    /// What is wrong with it; nothing for one that only looks like somebody.
    pub bad: Vec<BadCell>,
    /// Whom it looks like.
    pub alike: Alike,
}

/// All rows of which there is something to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// The headers of the file.
    pub head: Vec<String>,
    /// The rows, in their order.
    pub rows: Vec<Told>,
}

impl Details {
    /// Gathers what there is to tell of a file; with `whole`, the rows of which there is nothing to tell as well.
    #[must_use]
    pub fn of(sheet: &Sheet, bad: &[BadCell], mut alike: BTreeMap<u64, Alike>, whole: bool) -> Self {
        let lines: HashMap<u64, &Line> =
            sheet.lines.iter().chain(&sheet.broken).map(|line| (line.row, line)).collect();
        let mut by_row: BTreeMap<u64, Vec<BadCell>> = BTreeMap::new();
        for cell in bad {
            by_row.entry(cell.row).or_default().push(cell.clone());
        }
        let others = lines.keys().filter(|_| whole);
        for row in alike.keys().chain(others) {
            by_row.entry(*row).or_default();
        }
        let told = by_row.into_iter().map(|(row, bad)| Told {
            row,
            cells: lines.get(&row).map_or_else(Vec::new, |line| line.cells().to_vec()),
            bad,
            alike: alike.remove(&row).unwrap_or_default(),
        });
        Self { rows: told.collect(), head: sheet.head.clone() }
    }

    /// Writes the report, as CSV or as a workbook by the ending of its name. The file holds what the imported one holds,
    /// so only its owner may read it.
    ///
    /// # Errors
    /// [`SpreadsheetError`].
    pub fn write(&self, kind: Kind, language: Language, path: &Path) -> Result<(), SpreadsheetError> {
        let word = |key: &str| Field::text(words::text(language, key));
        let mut table = Table::create(path, &words::text(language, "import-report-sheet"))?;
        let width = self.rows.iter().map(|told| told.cells.len()).chain([self.head.len()]).max().unwrap_or(0);
        let padded = |cells: &[String]| {
            (0..width).map(|at| Field::text(cells.get(at).cloned().unwrap_or_default())).collect::<Vec<_>>()
        };
        let mut head = vec![word("import-report-row")];
        head.extend(padded(&self.head));
        head.extend(["import-report-state", "import-report-wrong", "import-report-alike"].map(word));
        table.row(&head)?;
        for told in &self.rows {
            let is_bad = !told.bad.is_empty();
            let wrong: Vec<String> = told.bad.iter().map(|cell| sentence(kind, language, cell)).collect();
            let mut row = vec![Field::number(told.row)];
            row.extend(padded(&told.cells));
            row.push(word(match (is_bad, told.alike == Alike::default()) {
                (true, _) => "import-report-refused",
                (false, false) => "import-report-look",
                (false, true) => "import-report-fine",
            }));
            row.push(Field::text(wrong.join(&words::text(language, "import-report-and"))));
            row.push(Field::text(alike(language, &told.alike)));
            table.row(&row)?;
        }
        table.finish()
    }
}

/// What is wrong with a cell.
pub(super) fn sentence(kind: Kind, language: Language, cell: &BadCell) -> String {
    let name = match (kind.column(cell.column), language) {
        (Some(column), Language::Zh) => column.zh.to_owned(),
        (Some(column), Language::En) => column.name.to_owned(),
        (None, _) if cell.column == END => words::text(language, "import-report-end"),
        (None, _) => cell.column.to_owned(),
    };
    let expected = cell.expected.text(language);
    let said = [("column", name.as_str()), ("met", cell.met.as_str()), ("expected", expected.as_str())];
    words::text_with(language, "import-report-cell", &said)
}

fn alike(language: Language, alike: &Alike) -> String {
    let rows = alike
        .rows
        .iter()
        .map(|row| words::text_with(language, "import-report-same", &[("n", &row.to_string())]));
    alike.members.iter().cloned().chain(rows).collect::<Vec<_>>().join("; ")
}
