//! Which header of a file stands for which column, where a person says so.

use std::collections::BTreeMap;

use super::sheet::SheetError;
use super::{Column, Kind};

/// Key of a mapping file that lists the headers to be left out.
const IGNORE: &str = "ignore";

/// What a person said of the headers of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Header by column name.
    columns: BTreeMap<&'static str, String>,
    /// Headers whose cells are not looked at.
    ignored: Vec<String>,
}

impl Mapping {
    /// Says that a column of a kind stands under a header; again for the same column replaces it.
    ///
    /// # Errors
    /// [`SheetError::MapField`] if the kind has no such column.
    pub fn map(&mut self, kind: Kind, field: &str, header: &str) -> Result<(), SheetError> {
        let column = kind
            .column(field)
            .ok_or_else(|| SheetError::MapField { met: field.to_owned(), expected: kind.column_names() })?;
        self.columns.insert(column.name, header.trim().to_owned());
        Ok(())
    }

    /// Says that a header is left out.
    pub fn ignore(&mut self, header: &str) {
        self.ignored.push(header.trim().to_owned());
    }

    /// Reads a mapping file: `column = "header"` on each line, and `ignore = ["header", …]`.
    ///
    /// # Errors
    /// [`SheetError`] naming what is wrong with it.
    pub fn read(kind: Kind, text: &str) -> Result<Self, SheetError> {
        let wrong = |why: String| SheetError::MapFile { why };
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        let mut mapping = Self::default();
        for (field, value) in table {
            match value {
                toml::Value::String(header) => mapping.map(kind, &field, &header)?,
                toml::Value::Array(headers) if field == IGNORE => {
                    for header in headers {
                        let header =
                            header.as_str().ok_or_else(|| wrong(format!("{IGNORE} holds {header}")))?;
                        mapping.ignore(header);
                    }
                }
                other => return Err(wrong(format!("{field} is {other}, expected a header in quotes"))),
            }
        }
        Ok(mapping)
    }

    /// Whether a header is left out.
    #[must_use]
    pub fn leaves_out(&self, header: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == header)
    }

    /// The column that stands under a header: by what was said, else by its name.
    #[must_use]
    pub fn column(&self, kind: Kind, header: &str) -> Option<&'static Column> {
        let said = self.columns.iter().find(|(_, mapped)| mapped.as_str() == header);
        kind.column(said.map_or(header, |(name, _)| name))
    }

    /// Checks what was said against the headers of a file: each mapped one stands there, and stands for one column.
    ///
    /// # Errors
    /// [`SheetError::MapHeader`] or [`SheetError::MapTwice`].
    pub fn check(&self, headers: &[&str]) -> Result<(), SheetError> {
        let there = || headers.join(", ");
        for (name, header) in &self.columns {
            if !headers.contains(&header.as_str()) {
                let column = (*name).to_owned();
                return Err(SheetError::MapHeader { column, header: header.clone(), there: there() });
            }
            let mut others =
                self.columns.iter().filter(|(other, mapped)| other != &name && *mapped == header);
            if let Some((other, _)) = others.next() {
                return Err(SheetError::MapTwice {
                    header: header.clone(),
                    columns: format!("{name}, {other}"),
                });
            }
        }
        let missing = self.ignored.iter().find(|header| !headers.contains(&header.as_str()));
        match missing {
            Some(header) => Err(SheetError::MapHeader {
                column: IGNORE.to_owned(),
                header: header.clone(),
                there: there(),
            }),
            None => Ok(()),
        }
    }
}
