//! A file as rows of named cells: which column stands where, and what no row may be.

use std::sync::Arc;

use super::expected::Expected;
use super::grid::{self, Encoding, ROWS_MAX, Row, is_blank};
use super::mapping::Mapping;
use super::{BadCell, Column, Kind};

/// Longest cell, in characters; no column needs more.
pub const CELL_CHARS_MAX: usize = 500;
/// Characters of a header or cell that a complaint repeats.
const SHOWN_CHARS_MAX: usize = 60;
/// Stands for the place behind the last column.
pub const END: &str = "(end)";

/// A file that cannot be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// Bytes that are neither UTF-8 nor GB18030.
    #[error(
        "line {line} is not in the encoding of the file; expected CSV in UTF-8 or GB18030, or a workbook (.xlsx)"
    )]
    Encoding {
        /// The first line that is not.
        line: usize,
    },
    /// UTF-16, which starts with a mark of its own.
    #[error("the file is UTF-16; expected a CSV file in UTF-8 (in a spreadsheet: save as \"CSV UTF-8\")")]
    Utf16,
    /// A workbook of the old form, or one with a password.
    #[error("the file is an old workbook (.xls) or has a password; save it as .xlsx without one")]
    OldWorkbook,
    /// A workbook that cannot be read.
    #[error("the workbook cannot be read: {why}")]
    Workbook {
        /// Why.
        why: String,
    },
    /// A workbook that unpacks to more than any list needs.
    #[error("the workbook unpacks to more than {} bytes", super::xlsx::UNPACKED_BYTES_MAX)]
    Unpacked,
    /// A sheet that is not there.
    #[error("the workbook has no such sheet; it has {there}")]
    NoSheet {
        /// Those that are.
        there: String,
    },
    /// A sheet was named, but only workbooks have sheets.
    #[error("a sheet was named, but the file is no workbook")]
    NoSheets,
    /// Too large.
    #[error("the file has {met} bytes; expected at most {max}")]
    Bytes {
        /// Bytes met.
        met: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Too many rows.
    #[error("the file has more than {ROWS_MAX} rows")]
    Rows,
    /// Too many columns.
    #[error("the sheet has more than {} columns", grid::COLUMNS_MAX)]
    Columns,
    /// No header.
    #[error("the file is empty; expected a header with the columns {expected}")]
    Empty {
        /// Names of the columns.
        expected: String,
    },
    /// Columns that are not known.
    #[error(
        "{met}; expected one of {expected}; map it with --map COLUMN=HEADER or leave it out with --ignore HEADER"
    )]
    Unknown {
        /// Where what stands, of each.
        met: String,
        /// Names of the columns.
        expected: String,
    },
    /// Columns that stand twice.
    #[error("{met} in the header")]
    Twice {
        /// Which, and where.
        met: String,
    },
    /// A column that must be there.
    #[error("column {name} ({zh}) is missing in the header")]
    Missing {
        /// Its name.
        name: &'static str,
        /// Its Chinese name.
        zh: &'static str,
    },
    /// A mapping names a column that this kind of file has not.
    #[error("the mapping names the column {met:?}; expected one of {expected}")]
    MapField {
        /// What was named.
        met: String,
        /// Names of the columns.
        expected: String,
    },
    /// A mapping names a header that is not in the file.
    #[error("the mapping of {column} names the header {header:?}; the file has {there}")]
    MapHeader {
        /// For which column.
        column: String,
        /// Which header.
        header: String,
        /// Those that are there.
        there: String,
    },
    /// A mapping gives one header to two columns.
    #[error("the mapping takes the header {header:?} for two columns: {columns}")]
    MapTwice {
        /// Which header.
        header: String,
        /// For which columns.
        columns: String,
    },
    /// A mapping file that cannot be read.
    #[error("the mapping file cannot be read: {why}")]
    MapFile {
        /// Why.
        why: String,
    },
    /// Not CSV.
    #[error("the file cannot be read as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// How a file is to be read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Which header is which column.
    pub mapping: Mapping,
    /// The sheet of a workbook; the first if none is named.
    pub sheet: Option<String>,
    /// The encoding of a CSV file.
    pub encoding: Encoding,
}

/// Where each column of a file stands.
type Places = Arc<[(&'static Column, usize)]>;

/// One row.
#[derive(Debug, Clone)]
pub struct Line {
    /// Row in the file, the header being 1.
    pub row: u64,
    cells: Vec<String>,
    places: Places,
}

impl Line {
    /// The cell of a column, without outer blanks; empty if the file lacks the column.
    #[must_use]
    pub fn get(&self, column: &'static str) -> &str {
        let place = self.places.iter().find(|place| place.0.name == column);
        let cell = place.and_then(|place| self.cells.get(place.1));
        cell.map_or("", |cell| cell.trim_matches(is_blank))
    }

    /// The cell of a column that may hold a number: a leading quote mark is how spreadsheets mark one as text.
    #[must_use]
    pub fn number(&self, column: &'static str) -> &str {
        self.get(column).trim_start_matches('\'')
    }

    /// All cells as they stand in the file.
    #[must_use]
    pub fn cells(&self) -> &[String] {
        &self.cells
    }

    /// A complaint about a cell of this row.
    #[must_use]
    pub fn bad(&self, column: &'static str, met: &str, expected: impl Into<Expected>) -> BadCell {
        let met = met.chars().take(SHOWN_CHARS_MAX).collect();
        BadCell { row: self.row, column, met, expected: expected.into() }
    }
}

/// A file.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Its rows, without empty ones.
    pub lines: Vec<Line>,
    /// Rows that are not even rows.
    pub broken: Vec<Line>,
    /// What is wrong with those.
    pub bad: Vec<BadCell>,
    /// Its headers as they stand.
    pub head: Vec<String>,
    /// What it was read as.
    pub read_as: &'static str,
    places: Places,
}

impl Sheet {
    /// Whether the file has a column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.places.iter().any(|known| known.0.name == column)
    }

    /// Names of the columns that the file has.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        self.places.iter().map(|place| place.0.name).collect()
    }
}

/// What a file shows before anything is said of its headers.
#[derive(Debug, Clone)]
pub struct Glance {
    /// Its headers as they stand.
    pub head: Vec<String>,
    /// Rows under them.
    pub rows: usize,
    /// What it was read as.
    pub read_as: &'static str,
}

/// Looks at a file, whatever its headers are called.
///
/// # Errors
/// [`SheetError`] if the file as a whole cannot be used.
pub fn glance(kind: Kind, bytes: &[u8], reading: &Reading) -> Result<Glance, SheetError> {
    let (head, rows, read_as) = opened(kind, bytes, reading)?;
    Ok(Glance { head, rows: rows.len(), read_as })
}

/// The headers of a file, the rows under them, and what it was read as.
fn opened(
    kind: Kind,
    bytes: &[u8],
    reading: &Reading,
) -> Result<(Vec<String>, Vec<Row>, &'static str), SheetError> {
    let grid = grid::read(bytes, reading.encoding, reading.sheet.as_deref())?;
    let mut rows = grid.rows;
    if rows.is_empty() {
        return Err(SheetError::Empty { expected: kind.column_names() });
    }
    let mut head = rows.remove(0).cells;
    // Spreadsheets leave empty cells behind the last header.
    while head.last().is_some_and(|cell| cell.trim_matches(is_blank).is_empty()) {
        head.pop();
    }
    Ok((head, rows, grid.read_as))
}

/// Reads a file by the names of its columns.
///
/// # Errors
/// [`SheetError`] if the file as a whole cannot be used.
pub fn read(kind: Kind, bytes: &[u8]) -> Result<Sheet, SheetError> {
    read_as(kind, bytes, &Reading::default())
}

/// Reads a file as a person says.
///
/// # Errors
/// [`SheetError`] if the file as a whole cannot be used.
pub fn read_as(kind: Kind, bytes: &[u8], reading: &Reading) -> Result<Sheet, SheetError> {
    let (head, rows, read_as) = opened(kind, bytes, reading)?;
    let places = header(kind, &head, &reading.mapping)?;
    let mut sheet = Sheet {
        lines: Vec::with_capacity(rows.len()),
        broken: Vec::new(),
        bad: Vec::new(),
        head,
        read_as,
        places,
    };
    rows.into_iter().for_each(|row| sheet.take(row));
    Ok(sheet)
}

impl Sheet {
    fn take(&mut self, row: Row) {
        let line = Line { row: row.n, cells: row.cells, places: Arc::clone(&self.places) };
        let is_named = |place: &usize| self.places.iter().any(|known| known.1 == *place);
        let fault = row.faults.into_iter().find(|(place, _)| is_named(place));
        let extra =
            line.cells.iter().skip(self.head.len()).find(|cell| !cell.trim_matches(is_blank).is_empty());
        let long = self.places.iter().find(|place| line.get(place.0.name).chars().count() > CELL_CHARS_MAX);
        let bad = if let Some(extra) = extra {
            let expected =
                Expected::of("import-cells").with("n", self.head.len()).with("met", line.cells.len());
            line.bad(END, extra, expected)
        } else if let Some((column, _)) = long {
            line.bad(column.name, "(…)", Expected::of("import-long").with("max", CELL_CHARS_MAX))
        } else if let Some((place, expected)) = fault {
            let column = self.places.iter().find(|known| known.1 == place).map_or(END, |known| known.0.name);
            line.bad(column, &super::text::masked(line.get(column)), expected)
        } else {
            self.lines.push(line);
            return;
        };
        self.bad.push(bad);
        self.broken.push(line);
    }
}

fn header(kind: Kind, head: &[String], mapping: &Mapping) -> Result<Places, SheetError> {
    let names: Vec<&str> = head.iter().map(|name| name.trim_matches(is_blank)).collect();
    mapping.check(&names)?;
    let mut places: Vec<(&'static Column, usize)> = Vec::new();
    let (mut unknown, mut twice) = (Vec::new(), Vec::new());
    for (place, name) in names.iter().enumerate().filter(|(_, name)| !mapping.leaves_out(name)) {
        let Some(column) = mapping.column(kind, name) else {
            let shown: String = name.chars().take(SHOWN_CHARS_MAX).collect();
            unknown.push(format!("column {} of the header is {shown:?}", place + 1));
            continue;
        };
        match places.iter().find(|known| known.0.name == column.name) {
            Some((_, first)) => {
                twice.push(format!(
                    "column {} stands twice, at {} and {}",
                    column.name,
                    first + 1,
                    place + 1
                ));
            }
            None => places.push((column, place)),
        }
    }
    if !unknown.is_empty() {
        return Err(SheetError::Unknown { met: unknown.join("; "), expected: kind.column_names() });
    }
    if !twice.is_empty() {
        return Err(SheetError::Twice { met: twice.join("; ") });
    }
    let is_there = |column: &&Column| places.iter().any(|known| known.0.name == column.name);
    match kind.columns().iter().find(|column| column.required && !is_there(column)) {
        Some(column) => Err(SheetError::Missing { name: column.name, zh: column.zh }),
        None => Ok(places.into()),
    }
}
