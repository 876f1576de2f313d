//! How values travel to PostgreSQL and back: each Hufu value in the type that the statement's parameter has, whole
//! columns as arrays.
//!
//! Out of scope: connections and transactions.

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::sql::Sql;
use super::{DbError, Row, Value};

/// What an array parameter is an array of.
pub(super) fn array_member(kind: &Type) -> Option<&Type> {
    match kind.kind() {
        Kind::Array(member) => Some(member),
        _ => None,
    }
}

/// One column of many rows, sent as a PostgreSQL array.
#[derive(Debug)]
pub(super) struct Column<'a>(pub(super) Vec<&'a Value>);

/// Columns as parameters of a statement.
pub(super) fn arrays<'a>(columns: &'a [Column<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    columns.iter().map(|column| -> &(dyn ToSql + Sync) { column }).collect()
}

impl ToSql for Column<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        array_member(kind).is_some()
    }

    to_sql_checked!();
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Self::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number), &Type::INT2) => i16::try_from(*number)?.to_sql(kind, out),
            (Self::Int(number @ (0 | 1)), &Type::BOOL) => (*number == 1).to_sql(kind, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME) => {
                text.to_sql(kind, out)
            }
            (Self::Blob(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (other, kind) => Err(format!("{} does not fit a parameter of type {kind}", other.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row of an answer.
///
/// # Errors
/// [`DbError::Column`] for a type that Hufu does not store.
pub(super) fn row_values(sql: &'static Sql, row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (column, about) in row.columns().iter().enumerate() {
        values.push(column_value(sql, row, column, about.type_())?);
    }
    Ok(Row { sql, values })
}

fn column_value(sql: &Sql, row: &tokio_postgres::Row, column: usize, kind: &Type) -> Result<Value, DbError> {
    let name = |source| DbError::Postgres { statement: sql.name.clone(), source };
    let value = match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(column).map_err(name)?.into(),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map_err(name)?.into(),
        Type::INT2 => row.try_get::<_, Option<i16>>(column).map_err(name)?.map(i32::from).into(),
        Type::BOOL => row.try_get::<_, Option<bool>>(column).map_err(name)?.into(),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(column).map_err(name)?.into()
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column).map_err(name)?.into(),
        ref other => {
            return Err(DbError::Column {
                statement: sql.name.clone(),
                column,
                expected: "BIGINT, TEXT or BYTEA (cast sums and averages to BIGINT)",
                met: other.to_string(),
            });
        }
    };
    Ok(value)
}
