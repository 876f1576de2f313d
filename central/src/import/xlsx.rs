//! Reading a workbook: one sheet of it, each cell as the text that a person reads there.
//!
//! A number keeps its digits, a date is written as dates are written in files. A spreadsheet keeps 15 digits of a
//! number and no more: of a longer one the rest is gone, so such a cell is refused, not taken with noughts at its end.
//!
//! A workbook is a packed file from outside: how much it unpacks to is counted before anything of it is read, and cells
//! are taken one by one, so that neither a bomb nor a cell in the last row of the last column costs memory.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};

use super::expected::Expected;
use super::grid::{COLUMNS_MAX, Grid, Row};
use super::sheet::SheetError;

/// Largest workbook taken; reading one takes several times its size.
pub const WORKBOOK_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Most bytes that a workbook may unpack to.
pub const UNPACKED_BYTES_MAX: u64 = 400 * 1024 * 1024;
/// Most files in a workbook.
const PARTS_MAX: usize = 2_000;
/// Digits of a number that a spreadsheet keeps.
const DIGITS_MAX: i32 = 15;
/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Reads a sheet, the first one if none is named.
///
/// # Errors
/// [`SheetError`] if the workbook cannot be used.
pub fn read(bytes: &[u8], sheet: Option<&str>) -> Result<Grid, SheetError> {
    if bytes.len() > WORKBOOK_BYTES_MAX {
        return Err(SheetError::Bytes { met: bytes.len(), max: WORKBOOK_BYTES_MAX });
    }
    check_size(bytes, UNPACKED_BYTES_MAX)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(wanted) => names.iter().find(|name| name.as_str() == wanted),
        None => names.first(),
    };
    let name = name.cloned().ok_or_else(|| SheetError::NoSheet { there: names.join(", ") })?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
    let mut grid = Grid { rows: Vec::new(), read_as: "XLSX" };
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (at, column) = cell.get_position();
        let n = u64::from(at) + 1;
        if row.n != n {
            if n < row.n {
                return Err(SheetError::Workbook { why: format!("row {n} stands after row {}", row.n) });
            }
            grid.push(std::mem::replace(&mut row, Row { n, ..Row::default() }))?;
        }
        put(&mut row, usize::try_from(column).unwrap_or(usize::MAX), cell.get_value())?;
    }
    grid.push(row)?;
    Ok(grid)
}

fn broken(error: XlsxError) -> SheetError {
    SheetError::Workbook { why: error.to_string() }
}

/// Unpacks all parts into nothing, counting: what a part says of its size is not believed.
fn check_size(bytes: &[u8], unpacked_max: u64) -> Result<(), SheetError> {
    let why = |error: zip::result::ZipError| SheetError::Workbook { why: error.to_string() };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(why)?;
    if archive.len() > PARTS_MAX {
        return Err(SheetError::Workbook { why: format!("{} parts, at most {PARTS_MAX}", archive.len()) });
    }
    let mut left = unpacked_max;
    for n in 0..archive.len() {
        let part = archive.by_index(n).map_err(why)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        let unpacked = unpacked.map_err(|error| SheetError::Workbook { why: error.to_string() })?;
        left = left.checked_sub(unpacked).ok_or(SheetError::Unpacked)?;
    }
    Ok(())
}

fn put(row: &mut Row, place: usize, value: &DataRef<'_>) -> Result<(), SheetError> {
    let (text, fault) = match value {
        DataRef::Empty => return Ok(()),
        DataRef::String(text) => (text.clone(), None),
        DataRef::SharedString(text) => ((*text).to_owned(), None),
        DataRef::Int(number) => match number.unsigned_abs() < 10_u64.pow(DIGITS_MAX.unsigned_abs()) {
            true => (number.to_string(), None),
            false => (number.to_string(), Some(Expected::of("import-digits-lost"))),
        },
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(yes) => (if *yes { "yes" } else { "no" }.to_owned(), None),
        DataRef::DateTime(at) if at.is_duration() => (time_text(at.as_f64()), None),
        DataRef::DateTime(at) => (date_text(at), None),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (iso_text(text), None),
        DataRef::Error(error) => (error.to_string(), Some(Expected::of("import-formula"))),
    };
    if text.is_empty() {
        return Ok(());
    }
    if place >= COLUMNS_MAX {
        return Err(SheetError::Columns);
    }
    row.put(place, text);
    row.faults.extend(fault.map(|fault| (place, fault)));
    Ok(())
}

/// A number with the digits that a spreadsheet keeps of it and without an exponent; a fault if it had more than those.
fn number_text(number: f64) -> (String, Option<Expected>) {
    // "-1.38001380000000e10": sign, digits, and where the point stands.
    let written = format!("{number:.14e}");
    let Some((digits, exponent)) = written.split_once('e') else {
        return (written, Some(Expected::of("import-formula")));
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent >= DIGITS_MAX {
        return (format!("{number:.0}"), Some(Expected::of("import-digits-lost")));
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    let (whole, part) = match usize::try_from(exponent) {
        Ok(exponent) => (digits[..=exponent].to_owned(), digits[exponent + 1..].to_owned()),
        Err(_) => {
            let noughts = usize::try_from(exponent.unsigned_abs() - 1).unwrap_or(0);
            ("0".to_owned(), "0".repeat(noughts) + &digits)
        }
    };
    let part = part.trim_end_matches('0');
    let text = if part.is_empty() { whole } else { format!("{whole}.{part}") };
    (if text == "0" { text } else { format!("{sign}{text}") }, None)
}

/// Hours and minutes of a part of a day, and seconds if there are any.
fn time_text(days: f64) -> String {
    // Rounded to the second: a third of a day is no whole number of anything in a binary fraction.
    let seconds: i64 = format!("{:.0}", days * DAY_S).parse().unwrap_or(0);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match seconds {
        0 => format!("{hours:02}:{minutes:02}"),
        _ => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// A date, a time of day, or both, as the cell shows it.
fn date_text(at: &calamine::ExcelDateTime) -> String {
    let days = at.as_f64();
    if (0.0..1.0).contains(&days) {
        return time_text(days);
    }
    let Some(at) = at.as_datetime().map(round_to_second) else { return days.to_string() };
    let text = at.format("%Y-%m-%d %H:%M:%S").to_string();
    let text = text.strip_suffix(" 00:00:00").unwrap_or(&text);
    text.strip_suffix(":00").unwrap_or(text).to_owned()
}

fn round_to_second(at: chrono::NaiveDateTime) -> chrono::NaiveDateTime {
    let half = chrono::Duration::milliseconds(500);
    let up = at.checked_add_signed(half).unwrap_or(at);
    chrono::Timelike::with_nanosecond(&up, 0).unwrap_or(up)
}

/// A date that the file holds as text.
fn iso_text(text: &str) -> String {
    let text = text.trim_end_matches('Z').replacen('T', " ", 1);
    let text = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    text.strip_suffix(" 00:00:00").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_and_have_no_exponent() {
        let shown = |number: f64| {
            let (text, fault) = number_text(number);
            (text, fault.is_none())
        };
        for (number, expected) in [
            (13_800_138_000.0, "13800138000"),
            (0.0, "0"),
            (-6.0, "-6"),
            (1_234.56, "1234.56"),
            (0.1 + 0.2, "0.3"),
            (0.05, "0.05"),
            (100.0, "100"),
            (999_999_999_999_999.0, "999999999999999"),
        ] {
            assert_eq!(shown(number), (expected.to_owned(), true));
        }
        assert_eq!(shown(6_688_000_100_010_000.0), ("6688000100010000".to_owned(), false), "16 digits");
        assert!(!shown(f64::NAN).1 && !shown(f64::INFINITY).1);
    }

    #[test]
    fn what_a_workbook_unpacks_to_is_counted_and_not_believed() {
        use std::io::Write as _;
        const MANY: usize = 4 << 20;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let packed = zip::write::SimpleFileOptions::default();
        for name in ["xl/a.xml", "xl/b.xml"] {
            writer.start_file(name, packed).expect("a part");
            writer.write_all(&vec![b' '; MANY / 2]).expect("written");
        }
        let bytes = writer.finish().expect("a file").into_inner();
        assert!(bytes.len() < MANY / 100, "{} bytes packed", bytes.len());
        assert!(check_size(&bytes, MANY as u64).is_ok());
        assert!(matches!(check_size(&bytes, MANY as u64 - 1), Err(SheetError::Unpacked)));
        // A part that says it is small is counted all the same.
        let said = u32::try_from(MANY / 2).expect("small").to_le_bytes();
        let mut lying = bytes.clone();
        while let Some(at) = lying.windows(4).position(|four| four == said) {
            lying[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
        }
        assert!(check_size(&lying, 1 << 20).is_err());
    }

    #[test]
    fn dates_that_are_text_and_times_are_written_as_files_write_them() {
        assert_eq!(iso_text("2026-11-22T00:00:00"), "2026-11-22");
        assert_eq!(iso_text("2026-11-22T09:30:00.000Z"), "2026-11-22 09:30:00");
        assert_eq!(time_text(2.0 / 24.0), "02:00");
        assert_eq!(time_text(0.75 + 1.0 / DAY_S), "18:00:01");
    }
}
