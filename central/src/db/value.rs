//! Values that go into a statement and rows that come out of it, the same for both engines.
//!
//! Invariant: four kinds of value, nothing else. Amounts and instants are integers, ids are 16-byte blobs or texts,
//! a boolean is 0 or 1. Columns are read by index, in the order the statement lists them, because both engines agree
//! on that and because a misread column names its statement.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use super::DbError;
use super::sql::Sql;

/// One value of a parameter or a column.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// `BIGINT`.
    Int(i64),
    /// `TEXT`.
    Text(String),
    /// `BLOB` (PostgreSQL: `BYTEA`).
    Blob(Vec<u8>),
}

impl Value {
    /// A number from code that counts in `u64`; `None` above `i64::MAX`, which no column can hold.
    #[must_use]
    pub fn from_u64(number: u64) -> Option<Self> {
        i64::try_from(number).ok().map(Self::Int)
    }

    /// The kind of the value for messages; never the value itself.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Text(_) => "a text",
            Self::Blob(_) => "a blob",
        }
    }
}

/// Shows kind, length and a hash keyed anew in each process: values can be compared in a test's output, and a log that
/// holds them says nothing of a person.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let hash = |bytes: &[u8]| KEY.get_or_init(RandomState::new).hash_one(bytes);
        match self {
            Self::Null => f.write_str("Null"),
            Self::Int(number) => write!(f, "Int({number})"),
            Self::Text(text) => write!(f, "Text({} bytes #{:016x})", text.len(), hash(text.as_bytes())),
            Self::Blob(bytes) => write!(f, "Blob({} bytes #{:016x})", bytes.len(), hash(bytes)),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}
impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Int(number.into())
    }
}
impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Int(number.into())
    }
}
impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Int(yes.into())
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}
impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Blob(bytes.clone())
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) sql: &'static Sql,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.values.len()
    }

    /// All columns, to compare rows with each other (by `==`, or by their `Debug` within one process).
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value as it came.
    ///
    /// # Errors
    /// [`DbError::Column`] if there is no such column.
    pub fn value(&self, column: usize) -> Result<&Value, DbError> {
        self.values.get(column).ok_or_else(|| self.mismatch(column, "a column", "none"))
    }

    /// An integer that is never NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        self.int_opt(column)?.ok_or_else(|| self.mismatch(column, "an integer", "NULL"))
    }

    /// An integer or NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn int_opt(&self, column: usize) -> Result<Option<i64>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            other => Err(self.mismatch(column, "an integer", other.kind())),
        }
    }

    /// A count or number that is never negative.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind or negative.
    pub fn uint(&self, column: usize) -> Result<u64, DbError> {
        u64::try_from(self.int(column)?)
            .map_err(|_| self.mismatch(column, "an integer from 0", "a negative integer"))
    }

    /// 0 or 1.
    ///
    /// # Errors
    /// [`DbError::Column`] for anything else.
    pub fn flag(&self, column: usize) -> Result<bool, DbError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.mismatch(column, "0 or 1", "another integer")),
        }
    }

    /// A text that is never NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn text(&self, column: usize) -> Result<&str, DbError> {
        self.text_opt(column)?.ok_or_else(|| self.mismatch(column, "a text", "NULL"))
    }

    /// A text or NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn text_opt(&self, column: usize) -> Result<Option<&str>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(self.mismatch(column, "a text", other.kind())),
        }
    }

    /// A blob that is never NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn blob(&self, column: usize) -> Result<&[u8], DbError> {
        self.blob_opt(column)?.ok_or_else(|| self.mismatch(column, "a blob", "NULL"))
    }

    /// A blob or NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind.
    pub fn blob_opt(&self, column: usize) -> Result<Option<&[u8]>, DbError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            other => Err(self.mismatch(column, "a blob", other.kind())),
        }
    }

    /// A blob of exactly `N` bytes: ids and hashes.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind or length.
    pub fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], DbError> {
        self.array_opt(column)?.ok_or_else(|| self.mismatch(column, "a blob", "NULL"))
    }

    /// A blob of exactly `N` bytes, or NULL.
    ///
    /// # Errors
    /// [`DbError::Column`] if it is of another kind or length.
    pub fn array_opt<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, DbError> {
        let Some(bytes) = self.blob_opt(column)? else { return Ok(None) };
        let array = bytes.try_into().map_err(|_| {
            self.mismatch(column, "a blob of fixed length", &format!("{} bytes, not {N}", bytes.len()))
        })?;
        Ok(Some(array))
    }

    fn mismatch(&self, column: usize, expected: &'static str, met: &str) -> DbError {
        DbError::Column { statement: self.sql.name.clone(), column, expected, met: met.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goal_g23_debug_tells_values_apart_without_showing_them() {
        let show = |value: Value| format!("{value:?}");
        assert_eq!(show("张三".into()), show("张三".into()));
        assert_ne!(show("张三".into()), show("李四".into()));
        assert_ne!(show([1_u8; 4].into()), show([2_u8; 4].into()));
        assert!(!show("13812341234".into()).contains("1381234"));
    }

    #[test]
    fn numbers_beyond_a_column_are_not_taken() {
        assert_eq!(Value::from_u64(7), Some(Value::Int(7)));
        assert_eq!(Value::from_u64(u64::MAX), None);
    }
}
