//! A file as rows of cells that are text, whatever a spreadsheet makes of them.
//!
//! A workbook is known by its first bytes, anything else is CSV: in UTF-8, or in GB18030, which Chinese spreadsheets
//! write by default. Nothing is guessed character by character: a file is wholly the one or wholly the other, and which
//! it was is told. Out of scope: which column is which.

use super::expected::Expected;
use super::sheet::SheetError;
use super::xlsx;

/// Largest CSV file taken.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most rows in one file.
pub const ROWS_MAX: usize = 500_000;
/// Most columns of a file; no kind has half as many.
pub const COLUMNS_MAX: usize = 100;

/// How the bytes of a CSV file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Encoding {
    /// UTF-8 if it is that throughout, else GB18030.
    #[default]
    Auto,
    /// UTF-8 only.
    #[value(name = "utf-8")]
    Utf8,
    /// GB18030, which holds GBK and GB2312.
    #[value(name = "gb18030")]
    Gb18030,
}

/// One row as it stands in the file.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Row in the file, the first being 1.
    pub n: u64,
    /// Its cells.
    pub cells: Vec<String>,
    /// Cells whose text is not what a person wrote there, by their place.
    pub faults: Vec<(usize, Expected)>,
}

/// All rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    /// The rows, without empty ones; the header first.
    pub rows: Vec<Row>,
    /// What the file was read as, as people call it.
    pub read_as: &'static str,
}

/// Blanks that spreadsheets leave around a cell: also the ideographic space.
#[must_use]
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{3000}'
}

impl Row {
    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim_matches(is_blank).is_empty())
    }

    /// Puts a text at a place; the places before it are empty cells.
    pub fn put(&mut self, place: usize, text: String) {
        if self.cells.len() <= place {
            self.cells.resize(place + 1, String::new());
        }
        self.cells[place] = text;
    }
}

impl Grid {
    /// Adds a row unless it is empty.
    ///
    /// # Errors
    /// [`SheetError::Rows`] beyond [`ROWS_MAX`].
    pub fn push(&mut self, row: Row) -> Result<(), SheetError> {
        if row.is_empty() {
            return Ok(());
        }
        // The header is no row of data.
        if self.rows.len() > ROWS_MAX {
            return Err(SheetError::Rows);
        }
        self.rows.push(row);
        Ok(())
    }
}

/// Reads a file; of a workbook the named sheet, or the first.
///
/// # Errors
/// [`SheetError`] if the file as a whole cannot be used.
pub fn read(bytes: &[u8], encoding: Encoding, sheet: Option<&str>) -> Result<Grid, SheetError> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => xlsx::read(bytes, sheet),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(SheetError::OldWorkbook),
        _ if sheet.is_some() => Err(SheetError::NoSheets),
        _ => csv(bytes, encoding),
    }
}

fn csv(bytes: &[u8], encoding: Encoding) -> Result<Grid, SheetError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(SheetError::Bytes { met: bytes.len(), max: FILE_BYTES_MAX });
    }
    let (text, read_as) = decode(bytes, encoding)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut grid = Grid { rows: Vec::new(), read_as };
    for record in reader.records() {
        let record = record?;
        // The line in the file, so that an editor finds it even where cells hold line breaks.
        let n = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().map(str::to_owned).collect();
        grid.push(Row { n, cells, faults: Vec::new() })?;
    }
    Ok(grid)
}

fn decode(bytes: &[u8], encoding: Encoding) -> Result<(std::borrow::Cow<'_, str>, &'static str), SheetError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SheetError::Utf16);
    }
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = match std::str::from_utf8(bare) {
        Ok(text) if encoding != Encoding::Gb18030 => return Ok((text.into(), "UTF-8")),
        Ok(_) => 0,
        Err(error) => error.valid_up_to(),
    };
    let line = bare[..wrong].iter().filter(|byte| **byte == b'\n').count() + 1;
    if encoding == Encoding::Utf8 {
        return Err(SheetError::Encoding { line });
    }
    // Not one sign may be replaced: a name with a question mark in it is another name.
    let text = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(|text| (text, "GB18030")).ok_or(SheetError::Encoding { line })
}
