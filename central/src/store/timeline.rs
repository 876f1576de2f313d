//! 动态: what happened to a member's record and what terminals told of the member, one list, the newest first. It is read
//! from what apply keeps; nothing is added to it by looking. Out of scope: points and money, which have lists of their own.

use hufu_shared::act::Actor;
use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::time::Instant;

use super::{StoreError, rows};
use crate::db::{Row, SqlFile, Tx};

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("timeline", include_str!("../../sql/both/timeline.sql"));

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineView {
    /// When it happened, as judged.
    pub at: Instant,
    /// When the centre came to know.
    pub received: Instant,
    /// What was edited or opened, as [`super::details::EditView::what`]; of a fact the name of its event.
    pub what: String,
    /// Who did it, or where.
    pub source: Source,
    place: Place,
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The record of edits.
    Edit {
        /// By whom.
        by: String,
        /// Commitment to the reason; none where the verdict of a case has it.
        reason: Option<Hash>,
        /// What stood there: a code, or the commitment under which it is sealed.
        before: Option<String>,
        /// What stands there now, in the same form.
        after: Option<String>,
    },
    /// A terminal.
    Fact {
        /// As people call it.
        device: String,
        /// Code of its office.
        office: String,
        /// How the fact stands, as a code.
        became: String,
        /// Number of the conflict kind.
        kind: Option<u8>,
    },
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    at: Instant,
    source: i64,
    id: Vec<u8>,
    epoch: i64,
    seq: i64,
    what: String,
}

impl Place {
    /// Before all lines.
    #[must_use]
    pub fn first() -> Self {
        Self { at: Instant(i64::MAX), source: -1, id: Vec::new(), epoch: 0, seq: 0, what: String::new() }
    }

    /// As it stands in an address.
    #[must_use]
    pub fn text(&self) -> String {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let Self { at, source, id, epoch, seq, what } = self;
        format!("{}.{source}.{}.{epoch}.{seq}.{}", at.0, hex(id), hex(what.as_bytes()))
    }

    /// Out of an address; none if it is no place.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).ok();
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let place = Self {
            at: Instant(next()?.parse().ok()?),
            source: next()?.parse().ok()?,
            id: hex(next()?)?,
            epoch: next()?.parse().ok()?,
            seq: next()?.parse().ok()?,
            what: String::from_utf8(hex(next()?)?).ok()?,
        };
        (parts.next().is_none() && !place.what.contains('\0')).then_some(place)
    }
}

impl LineView {
    /// Where the list goes on after it.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }
}

fn line(row: &Row) -> Result<LineView, StoreError> {
    let what = row.text(5)?.to_owned();
    let place = Place {
        at: Instant(row.int(0)?),
        source: row.int(1)?,
        id: row.blob(2)?.to_vec(),
        epoch: row.int(3)?,
        seq: row.int(4)?,
        what: what.clone(),
    };
    let source = match place.source {
        0 => Source::Edit {
            by: row.text(7)?.to_owned(),
            reason: row.array_opt(8)?.map(Hash),
            before: row.text_opt(9)?.map(str::to_owned),
            after: row.text_opt(10)?.map(str::to_owned),
        },
        _ => Source::Fact {
            device: row.text(11)?.to_owned(),
            office: row.text(12)?.to_owned(),
            became: row.text(13)?.to_owned(),
            kind: rows::kind_at(row, 14)?,
        },
    };
    Ok(LineView { at: place.at, received: Instant(row.int(6)?), what, source, place })
}

/// Lines of a member, the newest first, after a place, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lines(
    tx: &mut Tx<'_>,
    member: MemberId,
    after: &Place,
    limit: i64,
) -> Result<Vec<LineView>, StoreError> {
    let Place { at, source, id, epoch, seq, what } = after;
    let key = [
        member.0.into(),
        at.0.into(),
        (*source).into(),
        id.into(),
        (*epoch).into(),
        (*seq).into(),
        what.into(),
        limit.into(),
    ];
    tx.query(SQL.get("lines"), &key)?.iter().map(line).collect()
}

/// How often somebody opened what is masked, of any member, from an instant on.
///
/// # Errors
/// [`StoreError`].
pub fn opened_by(tx: &mut Tx<'_>, by: &Actor, from: Instant) -> Result<u64, StoreError> {
    Ok(tx.query_one(SQL.get("opened_by"), &[by.to_string().into(), from.0.into()])?.uint(0)?)
}

/// When a record was last merged with another, into it or out of it; none if it never was.
///
/// # Errors
/// [`StoreError`].
pub fn merged_at(tx: &mut Tx<'_>, member: MemberId) -> Result<Option<Instant>, StoreError> {
    let row = tx.query_opt(SQL.get("merges_of"), &[member.0.into()])?;
    row.map(|row| Ok(Instant(row.int(0)?))).transpose()
}

/// Records that go on as this one, with their numbers, at most 20.
///
/// # Errors
/// [`StoreError`].
pub fn merged_here(tx: &mut Tx<'_>, member: MemberId) -> Result<Vec<(MemberId, String)>, StoreError> {
    let found = tx.query(SQL.get("merged_here"), &[member.0.into()])?;
    found.iter().map(|row| Ok((MemberId(row.array(0)?), row.text(1)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::prepare_all;

    #[tokio::test(flavor = "multi_thread")]
    async fn statements_of_the_timeline_can_be_prepared() {
        prepare_all(&[&SQL]).await;
    }

    #[test]
    fn a_place_reads_as_it_was_written() {
        let place = Place {
            at: Instant(-7),
            source: 1,
            id: vec![1, 0xab],
            epoch: 2,
            seq: 3,
            what: "opened/group/皮肤".to_owned(),
        };
        assert_eq!(Place::parse(&place.text()), Some(place));
        assert_eq!(Place::parse(&Place::first().text()), Some(Place::first()));
        for wrong in ["", "1.0", "1.0.0g.0.0.", "1.0.00.0.0.00", "1.0.00.0.0.61.1", "x.0.00.0.0.61"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
