//! Lists that spreadsheets open: CSV or a workbook, by the ending of the file's name.
//!
//! No cell is ever a formula: in CSV what a spreadsheet would take for one gets a quote mark in front, in a workbook
//! text is stored as text. A list is written beside its place and moved there whole, readable by its owner only: it may
//! hold personal data.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use hufu_shared::money::{Amount, Unit};
use rust_xlsxwriter::{Workbook, XlsxError};

/// Most rows of a sheet, the header among them.
pub const SHEET_ROWS_MAX: u32 = 1_048_576;
/// Digits of a number that a spreadsheet keeps; a longer one is written as text.
const DIGITS_MAX: usize = 15;

/// A list that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SpreadsheetError {
    /// An ending that says neither.
    #[error("{path} ends neither in .csv nor in .xlsx")]
    Ending {
        /// The file.
        path: String,
    },
    /// The file cannot be written.
    #[error("write {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The workbook cannot be made.
    #[error("write {path}: {source}")]
    Workbook {
        /// The file.
        path: String,
        /// Why.
        source: XlsxError,
    },
    /// More than a sheet holds.
    #[error("the list has more rows than a sheet holds ({SHEET_ROWS_MAX}); write it as .csv")]
    Rows,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Text, whatever it looks like.
    Text(String),
    /// A number, written with digits, a point and a minus only.
    Number(String),
}

impl Field {
    /// Text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number.
    #[must_use]
    pub fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }

    /// An amount as a number: digits, a point, a minus.
    #[must_use]
    pub fn amount(amount: Amount, unit: Unit) -> Self {
        Self::Number(amount.display(unit).replace(',', "").replace('−', "-"))
    }
}

/// A list being written.
pub struct Table {
    path: PathBuf,
    beside: PathBuf,
    rows: u32,
    to: To,
}

enum To {
    Csv(BufWriter<File>),
    Workbook(Box<Workbook>, File),
}

impl Table {
    /// Begins a list; `sheet` is what the sheet of a workbook is called.
    ///
    /// # Errors
    /// [`SpreadsheetError`].
    pub fn create(path: &Path, sheet: &str) -> Result<Self, SpreadsheetError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let shown = || path.display().to_string();
        let is_csv = match ending.as_deref() {
            Some("csv") => true,
            Some("xlsx") => false,
            _ => return Err(SpreadsheetError::Ending { path: shown() }),
        };
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let beside = PathBuf::from(name);
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside);
        let io = |source| SpreadsheetError::Io { path: shown(), source };
        let file = file.map_err(io)?;
        let to = if is_csv {
            let mut file = BufWriter::new(file);
            // Spreadsheets take UTF-8 for another encoding without this mark.
            file.write_all("\u{feff}".as_bytes()).map_err(io)?;
            To::Csv(file)
        } else {
            let mut book = Workbook::new();
            let made =
                book.add_worksheet_with_constant_memory().and_then(|made| made.set_name(sheet).map(|_| ()));
            made.map_err(|source| SpreadsheetError::Workbook { path: shown(), source })?;
            To::Workbook(Box::new(book), file)
        };
        Ok(Self { path: path.to_owned(), beside, rows: 0, to })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`SpreadsheetError`].
    pub fn row(&mut self, fields: &[Field]) -> Result<(), SpreadsheetError> {
        let at = self.rows;
        self.rows += 1;
        let done = match &mut self.to {
            To::Csv(file) => {
                let cells: Vec<String> = fields.iter().map(csv_cell).collect();
                let written = file.write_all((cells.join(",") + "\r\n").as_bytes());
                return written.map_err(|source| self.io(source));
            }
            To::Workbook(..) if at >= SHEET_ROWS_MAX => return Err(SpreadsheetError::Rows),
            To::Workbook(book, _) => put(book, at, fields),
        };
        done.map_err(|source| SpreadsheetError::Workbook { path: self.path.display().to_string(), source })
    }

    /// Ends the list and puts it in its place.
    ///
    /// # Errors
    /// [`SpreadsheetError`]; then the place holds what it held.
    pub fn finish(self) -> Result<(), SpreadsheetError> {
        let path = self.path.display().to_string();
        let io = |source| SpreadsheetError::Io { path: path.clone(), source };
        let file = match self.to {
            To::Csv(file) => file.into_inner().map_err(|error| io(error.into_error()))?,
            To::Workbook(mut book, file) => {
                let saved = file.try_clone().map_err(io)?;
                book.save_to_writer(saved)
                    .map_err(|source| SpreadsheetError::Workbook { path: path.clone(), source })?;
                file
            }
        };
        file.sync_all().and_then(|()| std::fs::rename(&self.beside, &self.path)).map_err(io)
    }

    fn io(&self, source: std::io::Error) -> SpreadsheetError {
        SpreadsheetError::Io { path: self.path.display().to_string(), source }
    }
}

/// A workbook of one sheet that is sent and not kept; `name` is what messages call it.
///
/// # Errors
/// [`SpreadsheetError`].
pub fn workbook(name: &str, sheet: &str, rows: &[Vec<Field>]) -> Result<Vec<u8>, SpreadsheetError> {
    let mut book = Workbook::new();
    let failed = |source| SpreadsheetError::Workbook { path: name.to_owned(), source };
    book.add_worksheet_with_constant_memory()
        .and_then(|made| made.set_name(sheet).map(|_| ()))
        .map_err(failed)?;
    for (at, fields) in (0..SHEET_ROWS_MAX).zip(rows) {
        put(&mut book, at, fields).map_err(failed)?;
    }
    book.save_to_buffer().map_err(failed)
}

fn put(book: &mut Workbook, at: u32, fields: &[Field]) -> Result<(), XlsxError> {
    let sheet = book.worksheet_from_index(0)?;
    for (column, field) in (0_u16..).zip(fields) {
        match field {
            Field::Number(digits) if digits.len() <= DIGITS_MAX => {
                // Up to here a binary fraction shows the digits that it was made from.
                let number: f64 = digits.parse().unwrap_or_default();
                sheet.write_number(at, column, number)?;
            }
            Field::Text(text) | Field::Number(text) => {
                sheet.write_string(at, column, text)?;
            }
        }
    }
    Ok(())
}

fn csv_cell(field: &Field) -> String {
    match field {
        Field::Text(text) => quoted(text),
        Field::Number(number) => number.clone(),
    }
}

/// A text as it is written to a CSV file that spreadsheets open: what they would take for a formula gets a quote mark in
/// front.
#[must_use]
pub fn quoted(cell: &str) -> String {
    // Spreadsheets skip blanks before they look for the sign of a formula, and full-width signs mean the same to some.
    let first = cell.trim_start().chars().next();
    let is_formula = first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
        || cell.starts_with(['\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}
