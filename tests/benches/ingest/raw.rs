//! The bare side: reads the rows that the product wrote, and writes the same rows with nothing around them.

use anyhow::{Context as _, Result};
use bytes::BytesMut;
use hufu_shared::ids::DeviceId;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement, Transaction};

/// Tables whose rows a batch writes: how its rows are found (`$1` entry, `$2` device, `$3` and `$4` range of seqs), and
/// what an existing row of the same key becomes.
const TABLES: [(&str, &str, &str); 11] = [
    ("entry", "id = $1", ""),
    ("entry_place", "entry = $1", ""),
    ("fact", "device = $2 AND epoch = 1 AND seq BETWEEN $3 AND $4", ""),
    ("fact_link", "device = $2 AND epoch = 1 AND seq BETWEEN $3 AND $4", ""),
    ("posting", "device = $2 AND epoch = 1 AND seq BETWEEN $3 AND $4", ""),
    ("attendance", "entry = $1", ""),
    ("conflict", "entry = $1", ""),
    (
        "balance",
        "entry = $1",
        "ON CONFLICT (account, unit) DO UPDATE SET amount = excluded.amount, entry = excluded.entry",
    ),
    (
        "issued",
        "entry = $1",
        "ON CONFLICT (device, day) DO UPDATE SET points = excluded.points, top_up = excluded.top_up, \
         entry = excluded.entry",
    ),
    (
        "directory_change",
        "id IN (SELECT member FROM balance WHERE entry = $1)",
        "ON CONFLICT (kind, id) DO UPDATE SET n = excluded.n",
    ),
    (
        "device_epoch",
        "device = $2",
        "ON CONFLICT (device, epoch) DO UPDATE SET acked_seq = excluded.acked_seq, head = excluded.head, \
         last_at = excluded.last_at",
    ),
];

/// Of these, the ones whose rows come by the hundred and are new unless the batch was there already.
const STAGED: [&str; 4] = ["fact", "fact_link", "posting", "attendance"];

/// How rows that should be new go into PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Straight into their table: the quickest, but a row that is there already ends it.
    Straight,
    /// Into a staging table, from there with `INSERT..SELECT ON CONFLICT DO NOTHING`: a batch may come twice.
    Staged,
}

/// A key pair as a terminal has one.
pub struct Signer(EcdsaKeyPair);

/// A fresh one.
pub fn signer() -> Result<Signer> {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let key = EcdsaKeyPair::generate_pkcs8(kind, &random).ok().context("no key")?;
    Ok(Signer(EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random).ok().context("no key")?))
}

impl Signer {
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature = self.0.sign(&SystemRandom::new(), message).ok().context("no signature")?;
        Ok(signature.as_ref().to_vec())
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0.public_key())
            .verify(message, signature)
            .is_ok()
    }
}

/// One value.
#[derive(Debug, Clone)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Rows of one batch by table.
#[derive(Debug, Default)]
pub struct Written(BTreeMap<&'static str, Vec<Vec<Cell>>>);

impl Written {
    pub fn count(&self, table: &str) -> u64 {
        self.0.get(table).map_or(0, Vec::len) as u64
    }

    pub fn all(&self) -> u64 {
        self.0.values().map(|rows| rows.len() as u64).sum()
    }
}

/// Where the product's rows are read.
pub enum Source {
    Sqlite(Connection),
    Postgres(Client),
}

impl Source {
    pub fn sqlite(path: &str) -> Result<Self> {
        Ok(Self::Sqlite(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?))
    }

    pub async fn postgres(url: &str) -> Result<Self> {
        Ok(Self::Postgres(connect(url).await?))
    }

    /// The rows of a batch.
    pub async fn written(&mut self, device: DeviceId, from_seq: u64, count: u32) -> Result<Written> {
        let from = i64::try_from(from_seq)?;
        let to = from + i64::from(count) - 1;
        let find = "SELECT entry FROM fact WHERE device = $1 AND epoch = 1 AND seq = $2";
        let mut written = Written::default();
        match self {
            Self::Sqlite(connection) => {
                let entry: Vec<u8> = connection.query_row(find, (&device.0, from), |row| row.get(0))?;
                for (table, rows, _) in TABLES {
                    let sql = format!("SELECT * FROM {table} WHERE {rows}");
                    let mut statement = connection.prepare_cached(&sql)?;
                    for (name, value) in [
                        ("$1", Cell::Bytes(entry.clone())),
                        ("$2", Cell::Bytes(device.0.to_vec())),
                        ("$3", Cell::Int(from)),
                        ("$4", Cell::Int(to)),
                    ] {
                        if let Some(index) = statement.parameter_index(name)? {
                            statement.raw_bind_parameter(index, value)?;
                        }
                    }
                    let columns = statement.column_count();
                    let mut found = statement.raw_query();
                    while let Some(row) = found.next()? {
                        let cells = (0..columns).map(|column| Ok(cell(row.get::<_, Stored>(column)?)));
                        let cells = cells.collect::<Result<Vec<Cell>>>()?;
                        written.0.entry(table).or_default().push(cells);
                    }
                }
            }
            Self::Postgres(client) => {
                let entry: Vec<u8> = client.query_one(find, &[&&device.0[..], &from]).await?.get(0);
                for (table, rows, _) in TABLES {
                    // Every parameter is named, so that all of them have a type.
                    let sql = format!(
                        "SELECT * FROM {table} WHERE {rows} AND ($1::bytea, $2::bytea, $3::bigint, $4::bigint) IS NOT NULL"
                    );
                    for row in client.query(&sql, &[&entry, &&device.0[..], &from, &to]).await? {
                        let cells =
                            (0..row.len()).map(|column| pg_cell(&row, column)).collect::<Result<_>>()?;
                        written.0.entry(table).or_default().push(cells);
                    }
                }
            }
        }
        Ok(written)
    }
}

/// Where the same rows are written once more.
pub enum Baseline {
    Sqlite(Connection),
    Postgres {
        client: Client,
        types: BTreeMap<&'static str, Vec<Type>>,
        /// For tables whose rows may be there already, one statement each whose parameters are their columns.
        upserts: BTreeMap<&'static str, Statement>,
        /// From the staging table of each table that has one.
        moves: BTreeMap<&'static str, Statement>,
    },
}

impl Baseline {
    pub fn sqlite(path: &str) -> Result<Self> {
        let connection = Connection::open(path)?;
        // As the product has it: as durable, and with as much memory.
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768")?;
        Ok(Self::Sqlite(connection))
    }

    pub async fn postgres(url: &str, way: Way) -> Result<Self> {
        let client = connect(url).await?;
        let (mut types, mut upserts, mut moves) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (table, _, conflict) in TABLES {
            let statement = client.prepare(&format!("SELECT * FROM {table}")).await?;
            let of_table: Vec<Type> =
                statement.columns().iter().map(|column| column.type_().clone()).collect();
            if !conflict.is_empty() {
                let arrays: Vec<String> = of_table
                    .iter()
                    .enumerate()
                    .map(|(n, kind)| format!("${}::{}[]", n + 1, kind.name()))
                    .collect();
                let text =
                    format!("INSERT INTO {table} SELECT * FROM unnest({}) {conflict}", arrays.join(", "));
                upserts.insert(table, client.prepare(&text).await?);
            }
            if way == Way::Staged && STAGED.contains(&table) {
                let stage = format!("CREATE TEMP TABLE staged_{table} (LIKE {table}) ON COMMIT DELETE ROWS");
                client.batch_execute(&stage).await?;
                let text = format!("INSERT INTO {table} SELECT * FROM staged_{table} ON CONFLICT DO NOTHING");
                moves.insert(table, client.prepare(&text).await?);
            }
            types.insert(table, of_table);
        }
        Ok(Self::Postgres { client, types, upserts, moves })
    }

    /// One transaction.
    pub async fn write(&mut self, written: &Written) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                let transaction = connection.transaction()?;
                for (table, _, conflict) in TABLES {
                    let Some(rows) = written.0.get(table) else { continue };
                    let places = vec!["?"; rows[0].len()].join(",");
                    let sql = format!("INSERT INTO {table} VALUES ({places}) {conflict}");
                    let mut statement = transaction.prepare_cached(&sql)?;
                    for row in rows {
                        statement.execute(rusqlite::params_from_iter(row))?;
                    }
                }
                transaction.commit()?;
            }
            Self::Postgres { client, types, upserts, moves } => {
                let transaction = client.transaction().await?;
                for (table, _, conflict) in TABLES {
                    let Some(rows) = written.0.get(table) else { continue };
                    if let Some(statement) = moves.get(table) {
                        copy(&transaction, &format!("staged_{table}"), &types[table], rows).await?;
                        transaction.execute(statement, &[]).await?;
                    } else if conflict.is_empty() {
                        copy(&transaction, table, &types[table], rows).await?;
                    } else {
                        let columns: Vec<Vec<&Cell>> = (0..types[table].len())
                            .map(|n| rows.iter().map(|row| &row[n]).collect())
                            .collect();
                        let columns: Vec<&(dyn ToSql + Sync)> =
                            columns.iter().map(|column| -> &(dyn ToSql + Sync) { column }).collect();
                        transaction.execute(&upserts[table], &columns).await?;
                    }
                }
                transaction.commit().await?;
            }
        }
        Ok(())
    }
}

/// The quickest way in for rows that are all new: without a statement for each.
async fn copy(transaction: &Transaction<'_>, table: &str, types: &[Type], rows: &[Vec<Cell>]) -> Result<()> {
    let sink = transaction.copy_in(&format!("COPY {table} FROM STDIN (FORMAT binary)")).await?;
    let writer = BinaryCopyInWriter::new(sink, types);
    let mut writer = std::pin::pin!(writer);
    for row in rows {
        let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(|cell| -> &(dyn ToSql + Sync) { cell }).collect();
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn cell(stored: Stored) -> Cell {
    match stored {
        Stored::Integer(number) => Cell::Int(number),
        Stored::Text(text) => Cell::Text(text),
        Stored::Blob(bytes) => Cell::Bytes(bytes),
        Stored::Null | Stored::Real(_) => Cell::Null,
    }
}

fn pg_cell(row: &tokio_postgres::Row, column: usize) -> Result<Cell> {
    let kind = row.columns()[column].type_();
    Ok(match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(column)?.map_or(Cell::Null, Cell::Int),
        Type::TEXT => row.try_get::<_, Option<String>>(column)?.map_or(Cell::Null, Cell::Text),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column)?.map_or(Cell::Null, Cell::Bytes),
        ref other => anyhow::bail!("a column of type {other}"),
    })
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
