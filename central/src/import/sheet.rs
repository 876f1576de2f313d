//! A CSV file as rows of named cells.
//!
//! UTF-8 only, with or without a byte order mark: guessing an encoding would turn rare characters of a name into
//! other characters without anyone noticing. Cells are text, whatever a spreadsheet would make of them.

use std::collections::HashMap;

use super::{BadCell, Column, Kind};

/// Largest file taken.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most rows in one file.
pub const ROWS_MAX: usize = 500_000;
/// Longest cell, in characters; no column needs more.
pub const CELL_CHARS_MAX: usize = 500;

/// A file that cannot be read as a whole.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// Bytes that are not UTF-8, as Chinese spreadsheets write them by default.
    #[error(
        "line {line} is not UTF-8; expected a CSV file in UTF-8 (in a spreadsheet: save as \"CSV UTF-8\"), the file looks like GB18030 or GBK"
    )]
    Encoding {
        /// The first line that is not.
        line: usize,
    },
    /// UTF-16, which starts with a mark of its own.
    #[error("the file is UTF-16; expected a CSV file in UTF-8 (in a spreadsheet: save as \"CSV UTF-8\")")]
    Utf16,
    /// Too large.
    #[error("the file has {met} bytes; expected at most {FILE_BYTES_MAX}")]
    Bytes {
        /// Bytes met.
        met: usize,
    },
    /// Too many rows.
    #[error("the file has more than {ROWS_MAX} rows")]
    Rows,
    /// No header.
    #[error("the file is empty; expected a header with the columns {expected}")]
    Empty {
        /// Names of the columns.
        expected: String,
    },
    /// A column that is not known.
    #[error("column {position} of the header is {met:?}; expected one of {expected}")]
    Unknown {
        /// Its place, from 1.
        position: usize,
        /// What stands there.
        met: String,
        /// Names of the columns.
        expected: String,
    },
    /// A column that stands twice.
    #[error("column {name} stands twice in the header")]
    Twice {
        /// Its name.
        name: &'static str,
    },
    /// A column that must be there.
    #[error("column {name} ({zh}) is missing in the header")]
    Missing {
        /// Its name.
        name: &'static str,
        /// Its Chinese name.
        zh: &'static str,
    },
    /// Not CSV.
    #[error("the file cannot be read as CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// One row.
#[derive(Debug, Clone)]
pub struct Line {
    /// Row in the file, the header being 1.
    pub row: u64,
    cells: HashMap<&'static str, String>,
}

impl Line {
    /// The cell of a column, without outer blanks; empty if the file lacks the column.
    #[must_use]
    pub fn get(&self, column: &'static str) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim_matches(is_blank))
    }

    /// A complaint about a cell of this row.
    #[must_use]
    pub fn bad(&self, column: &'static str, met: &str, expected: impl Into<String>) -> BadCell {
        BadCell { row: self.row, column, met: met.chars().take(60).collect(), expected: expected.into() }
    }
}

/// Blanks that spreadsheets leave around a cell: also the ideographic space.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{3000}'
}

/// A file.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Its rows, without empty ones.
    pub lines: Vec<Line>,
    /// Rows that are not even rows.
    pub bad: Vec<BadCell>,
    columns: Vec<&'static Column>,
}

impl Sheet {
    /// Whether the file has a column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known.name == column)
    }

    /// Names of the columns that the file has.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.name).collect()
    }
}

/// Reads a file.
///
/// # Errors
/// [`SheetError`] if the file as a whole cannot be used.
pub fn read(kind: Kind, bytes: &[u8]) -> Result<Sheet, SheetError> {
    let text = decode(bytes)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut records = reader.records();
    let names = kind.columns().iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
    let Some(head) = records.next() else { return Err(SheetError::Empty { expected: names }) };
    let columns = header(kind, &head?, &names)?;
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for record in records {
        let record = record?;
        if record.iter().all(|cell| cell.trim_matches(is_blank).is_empty()) {
            continue;
        }
        if lines.len() >= ROWS_MAX {
            return Err(SheetError::Rows);
        }
        // The line in the file, so that an editor finds it even where cells hold line breaks.
        let row = record.position().map_or(0, csv::Position::line);
        let cells = columns.iter().zip(record.iter()).map(|(column, cell)| (column.name, cell.to_owned()));
        let line = Line { row, cells: cells.collect() };
        if record.len() > columns.len() {
            let extra = record.get(columns.len()).unwrap_or_default();
            bad.push(line.bad("(end)", extra, format!("{} cells, met {}", columns.len(), record.len())));
            continue;
        }
        let long = columns.iter().find(|column| line.get(column.name).chars().count() > CELL_CHARS_MAX);
        match long {
            Some(column) => {
                bad.push(line.bad(
                    column.name,
                    "(long text)",
                    format!("at most {CELL_CHARS_MAX} characters"),
                ));
            }
            None => lines.push(line),
        }
    }
    Ok(Sheet { lines, bad, columns })
}

fn decode(bytes: &[u8]) -> Result<&str, SheetError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(SheetError::Bytes { met: bytes.len() });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SheetError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        SheetError::Encoding { line: before.iter().filter(|byte| **byte == b'\n').count() + 1 }
    })
}

fn header(kind: Kind, head: &csv::StringRecord, names: &str) -> Result<Vec<&'static Column>, SheetError> {
    let mut columns: Vec<&'static Column> = Vec::new();
    for (at, met) in head.iter().enumerate() {
        let name = met.trim_matches(is_blank);
        let found = kind
            .columns()
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name) || column.zh == name)
            .ok_or_else(|| SheetError::Unknown {
                position: at + 1,
                met: name.chars().take(60).collect(),
                expected: names.to_owned(),
            })?;
        if columns.iter().any(|column| column.name == found.name) {
            return Err(SheetError::Twice { name: found.name });
        }
        columns.push(found);
    }
    let missing = kind
        .columns()
        .iter()
        .find(|column| column.required && !columns.iter().any(|known| known.name == column.name));
    match missing {
        Some(column) => Err(SheetError::Missing { name: column.name, zh: column.zh }),
        None => Ok(columns),
    }
}

/// A cell as it is written to a CSV file that spreadsheets open: what they would take for a formula gets a quote mark
/// in front.
#[must_use]
pub fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}
