//! How much of the room for the journal's file is used.
//!
//! SQLite compiles a PRAGMA anew each time it runs, which costs a swipe as much as a statement of its own. So the file is
//! measured once for as many changed rows as cannot move the answer by a per cent.

use std::cell::Cell;

use rusqlite::Connection;

/// No change of a row takes more pages than this many bytes, a fact with a sealed form and its index among them.
const ROW_BYTES_MAX: i64 = 32 * 1024;

/// The room for one journal.
#[derive(Debug)]
pub(super) struct Room {
    bytes: i64,
    /// Rows that the connection had changed when the file was measured, and what it was then.
    measured: Cell<Option<(u64, u8)>>,
}

impl Room {
    /// Room of so many bytes, above zero.
    pub(super) fn new(bytes: i64) -> Self {
        Self { bytes, measured: Cell::new(None) }
    }

    /// Percent of the room that is used, at most one less than there is.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn used_percent(&self, connection: &Connection) -> rusqlite::Result<u8> {
        let changes = connection.total_changes();
        let rows = u64::try_from(self.bytes / 100 / ROW_BYTES_MAX).unwrap_or(0);
        if let Some((then, percent)) = self.measured.get()
            && changes.saturating_sub(then) < rows
        {
            return Ok(percent);
        }
        let percent = used_bytes(connection)?.saturating_mul(100) / self.bytes;
        let percent = u8::try_from(percent).unwrap_or(u8::MAX);
        self.measured.set(Some((changes, percent)));
        Ok(percent)
    }

    /// Leaves so much room that `percent` of it, at least 1, are used by now.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn leave(&mut self, connection: &Connection, percent: i64) -> rusqlite::Result<()> {
        *self = Self::new((used_bytes(connection)? * 100 / percent.max(1)).max(1));
        Ok(())
    }
}

/// Bytes of the pages in use.
fn used_bytes(connection: &Connection) -> rusqlite::Result<i64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_room_is_measured_again_before_a_per_cent_of_it_can_have_gone() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch("CREATE TABLE row (of BLOB)").expect("a table");
        let room = Room::new(ROW_BYTES_MAX * 100 * 3);
        let fill =
            |bytes: i64| connection.execute("INSERT INTO row VALUES (zeroblob(?1))", [bytes]).map(drop);
        assert_eq!(room.used_percent(&connection), Ok(0));
        for _ in 0..2 {
            fill(ROW_BYTES_MAX * 10).expect("a row");
            assert_eq!(room.used_percent(&connection), Ok(0), "rows far beyond any fact, so that it shows");
        }
        fill(ROW_BYTES_MAX * 10).expect("a row");
        assert_eq!(room.used_percent(&connection), Ok(10));
    }

    #[test]
    fn what_is_left_for_a_trial_counts_at_once_and_each_row_then_does() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch("CREATE TABLE row (of BLOB)").expect("a table");
        let mut room = Room::new(1 << 30);
        assert_eq!(room.used_percent(&connection), Ok(0));
        room.leave(&connection, 80).expect("measured");
        assert_eq!(room.used_percent(&connection), Ok(80));
        connection.execute("INSERT INTO row VALUES (zeroblob(4096))", []).expect("a row");
        assert!(room.used_percent(&connection).expect("measured") > 80);
    }
}
