//! Finding members, and a page of a statement: the product's API beside the same query behind a bare server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use hufu_central::db::{Engine, Tx};
use hufu_central::generate::chip_uid;
use hufu_central::store::people::{self, PeopleError};
use hufu_central::store::statement;
use hufu_shared::ids::MemberId;
use hufu_shared::token::{CardText, TokenKey};
use hufu_tests::kit::http::plain_client;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::site::{Session, Site, serve};
use super::{clock, ms, quartiles};

/// Members that one turn asks for.
const ASKED_PER_TURN: usize = 10;
/// The goal: so many times the bare query at most.
const GOAL_RATIO: f64 = 3.0;
/// Members that the product shows of a search, and lines of one page of a statement.
const FOUND_MAX: i64 = 50;
const LINES_MAX: i64 = 100;
/// Kinds of keyed hashes: a piece of a name, a mobile number.
const PIECE: i64 = 2;
const MOBILE: i64 = 4;

/// Rows of members as the product reads them, by a keyed hash and by a card's token.
const BY_HASH: &str =
    "SELECT m.id, m.number, m.level_zh, m.level_en, m.status, m.office, v.name, v.mobile, k.wrapped
    FROM vault_index i JOIN member m ON m.id = i.member JOIN vault_member v ON v.member = m.id
    JOIN vault_key k ON k.member = m.id WHERE i.kind = ?1 AND i.hmac = ?2 ORDER BY i.member LIMIT ?3";
const BY_TOKEN: &str =
    "SELECT m.id, m.number, m.level_zh, m.level_en, m.status, m.office, v.name, v.mobile, k.wrapped
    FROM card_token t JOIN card c ON c.id = t.card JOIN member m ON m.id = c.member
    JOIN vault_member v ON v.member = m.id JOIN vault_key k ON k.member = m.id WHERE t.token = ?1";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Piece,
    Mobile,
    Card,
    Statement,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Name, Self::Piece, Self::Mobile, Self::Card, Self::Statement];

    fn words(self) -> &'static str {
        match self {
            Self::Name => "search by a whole name",
            Self::Piece => "search by two characters of a name",
            Self::Mobile => "search by a mobile number",
            Self::Card => "search by a card",
            Self::Statement => "a page of a statement",
        }
    }
}

/// A member who is asked for.
struct Chosen {
    member: MemberId,
    name: String,
    mobile: String,
    uid: String,
}

impl Chosen {
    /// Two characters in a row of the name: the last ones, which are given names more often than not.
    fn piece(&self) -> String {
        let skip = self.name.chars().count().saturating_sub(2);
        self.name.chars().skip(skip).collect()
    }
}

/// A statement of SQL with what is bound to it.
type Query = (String, Vec<Value>);
type Rows = Vec<Vec<Value>>;

/// The bare side.
struct Bare {
    connection: Mutex<Connection>,
    queries: Mutex<Vec<Query>>,
}

impl Bare {
    fn open(site: &Site) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&site.database, flags)?;
        Ok(Self { connection: Mutex::new(connection), queries: Mutex::default() })
    }

    fn rows(&self, (text, values): &Query) -> rusqlite::Result<Rows> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(text)?;
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Value>> {
            (0..columns).map(|column| row.get(column)).collect()
        };
        let rows = statement.query_map(rusqlite::params_from_iter(values), row)?;
        rows.collect()
    }

    fn query(&self, n: usize) -> Option<Query> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner).get(n).cloned()
    }

    /// What the next questions are.
    fn set(&self, queries: Vec<Query>) {
        *self.queries.lock().unwrap_or_else(PoisonError::into_inner) = queries;
    }
}

/// Answers a query with its rows as they are.
async fn answer(
    State(bare): State<Arc<Bare>>,
    Path(n): Path<usize>,
) -> Result<Json<Vec<Vec<serde_json::Value>>>, StatusCode> {
    let rows = tokio::task::spawn_blocking(move || bare.query(n).map(|query| bare.rows(&query)));
    let rows = rows.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.ok_or(StatusCode::NOT_FOUND)?;
    let rows = rows.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect()))
}

fn shown(value: Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => number.into(),
        Value::Real(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => data_encoding::HEXLOWER.encode(&bytes).into(),
    }
}

/// Both sides, ready to be asked.
struct Sides<'a> {
    session: Session,
    bare: Arc<Bare>,
    bare_at: String,
    client: reqwest::Client,
    site: &'a Site,
}

/// Times of one kind of question, one of each per turn.
#[derive(Default)]
struct Times {
    product: Vec<Duration>,
    bare: Vec<Duration>,
    alone: Vec<Duration>,
}

/// Measures every kind of question; whether all goals were reached.
pub async fn measure(site: &Site, rotations: usize) -> Result<bool> {
    let bare = Arc::new(Bare::open(site)?);
    let routes = Router::new().route("/{n}", get(answer)).with_state(Arc::clone(&bare));
    let bare_at = format!("http://{}", serve(routes).await?);
    let sides = Sides { session: site.sign_in().await?, bare, bare_at, client: plain_client()?, site };
    let wanted = (rotations + 1) * ASKED_PER_TURN;
    let chosen = sides.choose(wanted).await?;
    ensure!(chosen.len() == wanted, "{} of {wanted} members were found; take more members", chosen.len());
    let mut all = true;
    for kind in Kind::ALL {
        let mut queries = Vec::with_capacity(chosen.len());
        for one in &chosen {
            queries.push(sides.same_query(kind, one).await?);
        }
        sides.bare.set(queries.clone());
        let times = sides.alternate(kind, (&chosen, &queries)).await?;
        all &= report(kind, &times);
    }
    Ok(all)
}

impl Sides<'_> {
    /// Members all over the club, with a name that is one piece and a mobile number.
    async fn choose(&self, wanted: usize) -> Result<Vec<Chosen>> {
        let count = self.bare.rows(&("SELECT COUNT(*) FROM member".to_owned(), Vec::new()))?;
        let Some([Value::Integer(count)]) = count.first().map(Vec::as_slice) else {
            anyhow::bail!("members cannot be counted")
        };
        let count = usize::try_from(*count)?;
        let vault = self.site.app.vault.clone();
        let load = move |tx: &mut Tx<'_>| -> Result<Vec<Chosen>, PeopleError> {
            let mut chosen = Vec::new();
            // A prime step comes by everybody once.
            for n in (0..count).map(|n| (n * 7_919 + 13) % count) {
                if chosen.len() == wanted {
                    break;
                }
                let number = format!("M{:06}", n + 1);
                let Some(member) = people::member_by_number(tx, &number)? else { continue };
                let Some(personal) = vault.reveal(tx, member)? else { continue };
                let is_piece = (2..=3).contains(&personal.name.chars().count());
                if let (Some(mobile), true) = (personal.mobile, is_piece) {
                    chosen.push(Chosen { member, name: personal.name, mobile, uid: chip_uid(n) });
                }
            }
            Ok(chosen)
        };
        Ok(self.site.app.db.read(load).await?)
    }

    /// Asks the product.
    async fn ask(&self, kind: Kind, one: &Chosen) -> Result<String> {
        let field = match kind {
            Kind::Name => ("find", one.name.clone()),
            Kind::Piece => ("find", one.piece()),
            Kind::Mobile => ("find", one.mobile.clone()),
            Kind::Card => ("uid", one.uid.clone()),
            Kind::Statement => {
                return self.session.get(&format!("/api/v1/members/{}/statement?unit=PTS", one.member)).await;
            }
        };
        self.session.post("/api/v1/members/search", (field.0, field.1.as_str())).await
    }

    /// The query whose rows are those that the product answers with.
    async fn same_query(&self, kind: Kind, one: &Chosen) -> Result<Query> {
        let answered: serde_json::Value = serde_json::from_str(&self.ask(kind, one).await?)?;
        if kind == Kind::Statement {
            let query = statement_query(one.member);
            let lines = answered["lines"].as_array().context("lines")?.len();
            ensure!(self.bare.rows(&query)?.len() == lines, "a statement of the same {lines} lines");
            return Ok(query);
        }
        let found = answered["members"].as_array().context("members")?;
        let found: Vec<&str> = found.iter().filter_map(|row| row["member"].as_str()).collect();
        for query in self.candidates(kind, one)? {
            let rows = self.bare.rows(&query)?;
            let ids: Vec<String> = rows.iter().filter_map(|row| member_of(row)).collect();
            if ids == found {
                return Ok(query);
            }
        }
        anyhow::bail!("no bare query gives the {} members of {}", found.len(), kind.words())
    }

    /// Queries that the product's may be: only its vault knows under which hash a text stands.
    fn candidates(&self, kind: Kind, one: &Chosen) -> Result<Vec<Query>> {
        if kind == Kind::Card {
            let uid = data_encoding::HEXUPPER.decode(one.uid.as_bytes())?;
            let token = |key: &TokenKey| Value::Blob(key.token(&CardText::uid(&uid)).to_bytes().to_vec());
            let by_token = |key| (BY_TOKEN.to_owned(), vec![token(key)]);
            return Ok(self.site.token_keys.iter().map(by_token).collect());
        }
        let of_kind = if kind == Kind::Mobile { MOBILE } else { PIECE };
        let own = "SELECT hmac FROM vault_index WHERE member = ?1 AND kind = ?2".to_owned();
        let hashes = self.bare.rows(&(own, vec![blob(one.member), Value::Integer(of_kind)]))?;
        let by_hash = |hash: Value| {
            (BY_HASH.to_owned(), vec![Value::Integer(of_kind), hash, Value::Integer(FOUND_MAX)])
        };
        Ok(hashes.into_iter().flatten().map(by_hash).collect())
    }

    /// Asks both sides in turns for the same members; the first turn warms caches and is not counted.
    async fn alternate(&self, kind: Kind, (chosen, queries): (&[Chosen], &[Query])) -> Result<Times> {
        let mut times = Times::default();
        for (turn, asked) in chosen.chunks(ASKED_PER_TURN).enumerate() {
            let first = turn * ASKED_PER_TURN;
            let (product, bare) = if turn % 2 == 0 {
                let product = self.product(kind, asked).await?;
                (product, self.bare(first, asked.len()).await?)
            } else {
                let bare = self.bare(first, asked.len()).await?;
                (self.product(kind, asked).await?, bare)
            };
            let begin = clock();
            for query in &queries[first..first + asked.len()] {
                self.bare.rows(query)?;
            }
            let alone = begin.elapsed();
            if turn > 0 {
                times.product.push(product);
                times.bare.push(bare);
                times.alone.push(alone);
            }
        }
        Ok(times)
    }

    async fn product(&self, kind: Kind, asked: &[Chosen]) -> Result<Duration> {
        let begin = clock();
        for one in asked {
            self.ask(kind, one).await?;
        }
        Ok(begin.elapsed())
    }

    async fn bare(&self, first: usize, count: usize) -> Result<Duration> {
        let begin = clock();
        for n in first..first + count {
            let answer = self.client.get(format!("{}/{n}", self.bare_at)).send().await?;
            answer.error_for_status()?.text().await?;
        }
        Ok(begin.elapsed())
    }
}

fn blob(member: MemberId) -> Value {
    Value::Blob(member.0.to_vec())
}

/// The member of a row that begins with an id.
fn member_of(row: &[Value]) -> Option<String> {
    let Some(Value::Blob(id)) = row.first() else { return None };
    Some(MemberId(id.as_slice().try_into().ok()?).to_string())
}

/// The product's own statement for the lines of the first page.
fn statement_query(member: MemberId) -> Query {
    let text = statement::SQL.get("lines").text(Engine::Sqlite).to_owned();
    let values = vec![
        blob(member),
        Value::Text("PTS".to_owned()),
        Value::Integer(i64::MIN),
        Value::Blob(vec![0; 32]),
        Value::Text(format!("member/{member}/%")),
        Value::Integer(0),
        Value::Integer(LINES_MAX),
    ];
    (text, values)
}

fn report(kind: Kind, times: &Times) -> bool {
    let middle = |times: &[Duration]| {
        let each: Vec<f64> = times.iter().map(|time| ms(*time, ASKED_PER_TURN)).collect();
        quartiles(&each)
    };
    let of = |[low, middle, high]: [f64; 3]| format!("{middle:.3} ms [{low:.3}..{high:.3}]");
    let pairs = times.product.iter().zip(&times.bare);
    let ratios: Vec<f64> = pairs.map(|(product, bare)| product.as_secs_f64() / bare.as_secs_f64()).collect();
    let [low, ratio, high] = quartiles(&ratios);
    let is_reached = ratio <= GOAL_RATIO;
    println!(
        "{}: {}, bare over HTTP {}, bare query alone {}; ratio {ratio:.2} [{low:.2}..{high:.2}], goal <= {GOAL_RATIO}: {}",
        kind.words(),
        of(middle(&times.product)),
        of(middle(&times.bare)),
        of(middle(&times.alone)),
        if is_reached { "reached" } else { "missed" },
    );
    is_reached
}
