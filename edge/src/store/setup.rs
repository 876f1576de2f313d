//! What came of trying the terminal's parts at set-up: the last result of each.

use hufu_shared::time::Instant;
use rusqlite::params;

use super::error::{Step, StoreError};
use super::journal::Journal;
use crate::rules::setup::{Part, Tried};

impl Journal {
    /// The last result of each part that was ever tried.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn tried(&self) -> Result<Vec<Tried>, StoreError> {
        let read: rusqlite::Result<Vec<Tried>> = (|| {
            let mut select = self
                .connection
                .prepare_cached("SELECT part, at, worked, there, met, detail FROM setup ORDER BY part")?;
            let rows = select.query_map([], |row| {
                let part: String = row.get(0)?;
                let (at, worked, there, met, detail) =
                    (Instant(row.get(1)?), row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
                // A part of a newer version is not this one's business.
                Ok(Part::from_code(&part).map(|part| Tried { part, at, worked, there, met, detail }))
            })?;
            rows.filter_map(Result::transpose).collect()
        })();
        read.step(&self.path, "read what was tried")
    }

    /// Keeps what came of trying a part.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn note_tried(&mut self, tried: &Tried) -> Result<(), StoreError> {
        self.guarded("note what was tried", |journal| {
            let Tried { part, at, worked, there, met, detail } = tried;
            let sql = "INSERT OR REPLACE INTO setup (part, at, worked, there, met, detail) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let written =
                journal.connection.execute(sql, params![part.code(), at.0, worked, there, met, detail]);
            written.step(&journal.path, "note what was tried").map(drop)
        })
    }
}
