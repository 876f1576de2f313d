//! Taking members, cards, offices, activities, opening balances and the history of another system from files.
//!
//! Parsing and planning are pure: bytes and what the centre holds go in, a list of bad rows and a plan come out. Only
//! [`run`] and what it calls touch the database. Nothing is imported while a row is bad, unless the person asks for the
//! good rows.

pub mod activities;
pub mod balances;
mod bring;
pub mod cards;
pub mod expected;
pub mod grid;
pub mod history;
pub mod mapping;
pub mod members;
pub mod offices;
pub mod plan;
pub mod preview;
pub mod report;
mod rows;
pub mod run;
pub mod sheet;
pub mod text;
pub mod watch;
mod write;
pub mod xlsx;

#[cfg(test)]
mod bring_tests;
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;

use self::expected::Expected;
pub use self::rows::club_zone;
use crate::console::words::Language;
use crate::spreadsheet::{self, Field, SpreadsheetError, Table};

/// Bad rows that are told one by one; all of them are counted.
pub const BAD_ROWS_SHOWN_MAX: usize = 20;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Members and their personal data.
    Members,
    /// Cards and whose they are.
    Cards,
    /// Offices.
    Offices,
    /// Holdings of activities.
    Activities,
    /// What members had in the system before.
    Balances,
    /// What members did in the system before; shown, and in no balance.
    History,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Members, Self::Cards, Self::Offices, Self::Activities, Self::Balances, Self::History];

    /// The name in commands and database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Cards => "cards",
            Self::Offices => "offices",
            Self::Activities => "activities",
            Self::Balances => "balances",
            Self::History => "history",
        }
    }

    /// The kind of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its columns.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Members => members::COLUMNS,
            Self::Cards => cards::COLUMNS,
            Self::Offices => offices::COLUMNS,
            Self::Activities => activities::COLUMNS,
            Self::Balances => balances::COLUMNS,
            Self::History => history::COLUMNS,
        }
    }

    /// The column of a name, English or Chinese.
    #[must_use]
    pub fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.name.eq_ignore_ascii_case(name) || column.zh == name)
    }

    /// Names of its columns, for messages.
    #[must_use]
    pub fn column_names(self) -> String {
        self.columns().iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// An empty file of this kind: the header and one line of examples. Starts with a byte order mark, because
    /// spreadsheets take UTF-8 for another encoding without it.
    #[must_use]
    pub fn template(self) -> String {
        let line = |of: fn(&Column) -> &'static str| {
            self.columns().iter().map(|column| spreadsheet::quoted(of(column))).collect::<Vec<_>>().join(",")
        };
        format!("\u{feff}{}\r\n{}\r\n", line(|column| column.zh), line(|column| column.example))
    }

    /// Writes the same as a list, whose form follows from the ending of its name.
    ///
    /// # Errors
    /// [`SpreadsheetError`] if it cannot be written.
    pub fn write_template(self, path: &Path) -> Result<(), SpreadsheetError> {
        let mut table = Table::create(path, self.code())?;
        let line = |of: fn(&Column) -> &'static str| {
            self.columns().iter().map(|column| Field::text(of(column))).collect::<Vec<_>>()
        };
        table.row(&line(|column| column.zh))?;
        table.row(&line(|column| column.example))?;
        table.finish()
    }
}

/// One column of a file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name in a header.
    pub name: &'static str,
    /// Its name in a Chinese header.
    pub zh: &'static str,
    /// Whether the column must be there and filled.
    pub required: bool,
    /// What it holds, for help.
    pub holds: &'static str,
    /// A value as it may stand there.
    pub example: &'static str,
}

/// A cell that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadCell {
    /// Row in the file, the header being 1.
    pub row: u64,
    /// Column by its name.
    pub column: &'static str,
    /// What was met; personal data is masked.
    pub met: String,
    /// What was expected.
    pub expected: Expected,
}

impl std::fmt::Display for BadCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expected = self.expected.text(Language::En);
        write!(f, "row {}, column {}: met {:?}, expected {expected}", self.row, self.column, self.met)
    }
}
