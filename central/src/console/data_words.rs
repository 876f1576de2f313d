//! What stands against an import or export, in both languages: it happens beside any request, and is read later by
//! somebody in theirs.

use super::failure::Failure;
use super::words::{Language, text, text_with};
use crate::export::ExportError;
use crate::import::grid::{COLUMNS_MAX, ROWS_MAX};
use crate::import::run::ImportError;
use crate::import::sheet::SheetError;
use crate::spreadsheet::SpreadsheetError;

/// What stands against it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The import.
    Import(ImportError),
    /// The export.
    Export(ExportError),
    /// A row became bad since the dry run, and all were to be taken or none.
    NotTaken,
    /// The console.
    Failure(Failure),
}

impl From<ImportError> for Trouble {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

impl From<ExportError> for Trouble {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Trouble {
    /// In Chinese and English. A fault of the centre goes to the log, and its code into the sentence.
    pub(super) fn told(&self) -> [String; 2] {
        let both = |key: &str| [Language::Zh, Language::En].map(|language| text(language, key));
        match self {
            Self::Import(ImportError::Sheet(error)) => {
                [Language::Zh, Language::En].map(|language| sheet_words(language, error))
            }
            Self::Import(ImportError::Again { name, at }) => [Language::Zh, Language::En]
                .map(|language| text_with(language, "data-again", &[("name", name), ("at", at)])),
            Self::Import(ImportError::NoBatch) => both("data-no-batch"),
            Self::Import(ImportError::Stopped) => both("data-was-stopped"),
            Self::Import(error) => fault(&Failure::fault(error)),
            Self::Export(ExportError::NotAllowed) => both("data-not-allowed"),
            Self::Export(ExportError::File(SpreadsheetError::Rows)) => both("data-too-many-rows"),
            Self::Export(error) => fault(&Failure::fault(error)),
            Self::NotTaken => both("data-not-taken"),
            Self::Failure(Failure::Role) => both("failure-role"),
            Self::Failure(Failure::NotFound) => both("data-over"),
            Self::Failure(failure) => fault(failure),
        }
    }
}

fn fault(failure: &Failure) -> [String; 2] {
    let code = if let Failure::Fault(code) = failure { code.as_str() } else { "" };
    [Language::Zh, Language::En].map(|language| text_with(language, "problem-fault", &[("name", code)]))
}

/// Why a file as a whole cannot be used.
pub(super) fn sheet_words(language: Language, error: &SheetError) -> String {
    let plain = |key: &str| text(language, key);
    let with = |key: &str, name: &str, value: &str| text_with(language, key, &[(name, value)]);
    match error {
        SheetError::Encoding { line } => with("data-file-encoding", "n", &line.to_string()),
        SheetError::Utf16 => plain("data-file-utf16"),
        SheetError::OldWorkbook => plain("data-file-old"),
        SheetError::Workbook { why } => with("data-file-broken", "why", why),
        SheetError::Csv(why) => with("data-file-broken", "why", &why.to_string()),
        SheetError::Unpacked | SheetError::Bytes { .. } => plain("data-file-large"),
        SheetError::NoSheet { there } => with("data-file-no-sheet", "there", there),
        SheetError::NoSheets => plain("data-file-no-sheets"),
        SheetError::Rows => with("data-file-rows", "n", &ROWS_MAX.to_string()),
        SheetError::Columns => with("data-file-columns", "n", &COLUMNS_MAX.to_string()),
        SheetError::Empty { .. } => plain("data-file-empty"),
        SheetError::Missing { name, zh } => {
            let shown = if language == Language::Zh { zh } else { name };
            with("data-file-missing", "name", shown)
        }
        SheetError::Unknown { .. }
        | SheetError::Twice { .. }
        | SheetError::MapField { .. }
        | SheetError::MapHeader { .. }
        | SheetError::MapTwice { .. }
        | SheetError::MapFile { .. } => with("data-file-mapping", "why", &error.to_string()),
    }
}
