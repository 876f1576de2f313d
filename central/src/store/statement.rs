//! A member's statement: the lines of the ledger that changed what the member has, in the order in which they were booked.

use hufu_shared::ids::{Hash, MemberId};
use hufu_shared::money::Unit;
use hufu_shared::policy::ExpiryMode;
use hufu_shared::scheme::Words;
use hufu_shared::time::{Day, Instant};

use super::{StoreError, directory, rows, world};
use crate::db::{Row, SqlFile, Tx, Value};
use crate::rules::statement;

/// Statements of this file.
pub static SQL: SqlFile = SqlFile::new("statement", include_str!("../../sql/both/statement.sql"));

/// A place in a statement: of all lines that were booked at once, those that take come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When the line was booked.
    pub booked: Instant,
    /// Whether it gives the member nothing.
    pub takes: bool,
    /// Its posting.
    pub posting: Hash,
}

impl Place {
    /// Before every line.
    pub const FIRST: Self = Self { booked: Instant(i64::MIN), takes: false, posting: Hash([0; 32]) };

    /// As addresses hold it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}.{}.{}", self.booked.0, u8::from(self.takes), self.posting)
    }

    /// From an address; none if it is no place.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (booked, takes, posting) = (parts.next()?, parts.next()?, parts.next()?);
        let takes = match takes {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let place = Self { booked: Instant(booked.parse().ok()?), takes, posting: posting.parse().ok()? };
        parts.next().is_none().then_some(place)
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was booked.
    pub booked: Instant,
    /// The posting.
    pub posting: Hash,
    /// When what it rests on happened.
    pub at: Instant,
    /// Business day of that.
    pub day: Day,
    /// What it is, as a code.
    pub code: String,
    /// What it changes of what the member has.
    pub change: i64,
    /// Whether it gives nothing to an account of the member's.
    pub takes: bool,
    /// What it changes of what waits.
    pub waits: i64,
    /// What the member has after it.
    pub after: i64,
    /// Whether it corrects an earlier line of the same cause.
    pub corrects: bool,
    /// The case that it rests on.
    pub case: Option<Hash>,
    /// Dictionary code of its cause (K20).
    pub cause: Option<String>,
    /// The activity that caused it.
    pub activity: Option<Words>,
    /// The plan by which it was redeemed, or what was redeemed from the catalogue.
    pub plan: Option<Words>,
    /// Number of the member on the other side, of what went from member to member.
    pub other: Option<String>,
    /// Where.
    pub office: Option<Words>,
    /// The terminal.
    pub device: Option<String>,
    /// The batch of an opening balance.
    pub batch: Option<String>,
    /// Number of the rule.
    pub rule: String,
    /// Version of the scheme; 0 where none had begun.
    pub scheme: u32,
}

impl Line {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { booked: self.booked, takes: self.takes, posting: self.posting }
    }
}

/// Whether a member ever had something of a unit.
///
/// # Errors
/// [`StoreError`].
pub fn has(tx: &mut Tx<'_>, member: MemberId, unit: Unit) -> Result<bool, StoreError> {
    Ok(tx.query_one(SQL.get("accounts"), &[member.0.into(), unit.code().into()])?.uint(0)? > 0)
}

/// Lines of a member in a unit, after a place in the list, the oldest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub fn lines(
    tx: &mut Tx<'_>,
    (member, unit): (MemberId, Unit),
    after: Place,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    let expiry = world::policy(tx)?.expiry;
    let versions = directory::versions(tx)?;
    let mut key: Vec<Value> = vec![
        member.0.into(),
        unit.code().into(),
        after.booked.0.into(),
        after.posting.0.into(),
        format!("member/{member}/%").into(),
        i64::from(after.takes).into(),
    ];
    let mut has = tx.query_one(SQL.get("before"), &key)?.int(0)?;
    key.push(limit.into());
    let mut lines = Vec::new();
    for row in tx.query(SQL.get("lines"), &key)? {
        let mut line = line_of(&row, member, (expiry, &versions))?;
        has = has.saturating_add(line.change);
        line.after = has;
        lines.push(line);
    }
    Ok(lines)
}

fn words(row: &Row, column: usize) -> Result<Option<Words>, StoreError> {
    let pair = row.text_opt(column)?.zip(row.text_opt(column + 1)?);
    Ok(pair.map(|(zh, en)| Words { zh: zh.to_owned(), en: en.to_owned() }))
}

fn line_of(
    row: &Row,
    member: MemberId,
    (expiry, versions): (ExpiryMode, &[(u32, Day)]),
) -> Result<Line, StoreError> {
    let (ends, amount) = ((row.text(2)?, row.text(3)?), row.int(4)?);
    let (code, day) = (row.text(5)?, rows::day_at(row, 9)?);
    let named = rows::u32_at(row, 10, "version of a scheme")?;
    Ok(Line {
        booked: Instant(row.int(0)?),
        posting: Hash(row.array(1)?),
        at: Instant(row.int(8)?),
        day,
        code: code.to_owned(),
        change: statement::change(member, ends, amount),
        takes: !statement::is_own(member, ends.1),
        waits: statement::waiting(code, ends, amount),
        after: 0,
        corrects: row.int(6)? > 0,
        case: row.array_opt(7)?.map(Hash),
        cause: row.text_opt(15)?.map(str::to_owned),
        activity: words(row, 16)?,
        plan: words(row, 18)?,
        other: row.text_opt(23)?.map(str::to_owned),
        office: words(row, 13)?.or(words(row, 20)?),
        device: row.text_opt(12)?.map(str::to_owned),
        batch: row.text_opt(22)?.map(str::to_owned),
        rule: statement::rule(code, row.text_opt(11)?, expiry).to_owned(),
        scheme: statement::scheme(named, day, versions),
    })
}
