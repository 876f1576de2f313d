//! The answer to a COMMIT is lost on its way: the transaction is run again, finds its own entry, and answers as the first
//! run did; or it was never committed, and is run again in earnest. On PostgreSQL, behind a wire that can be cut.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use super::kit::{NOON, act, found, member};
use crate::db::testing::TestPlace;
use crate::db::{Db, Engine, SqlFile, Tx};
use crate::store::{StoreError, acts, journal};
use hufu_shared::act::{Act, Actor, MemberSet};
use hufu_shared::ids::{EntryId, Hash};
use hufu_shared::member::MemberStatus;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

static PROBE: SqlFile = SqlFile::new("publishing", include_str!("publishing.sql"));

/// What happens to the next COMMIT.
const PASSES: u8 = 0;
const ANSWER_LOST: u8 = 1;
const NEVER_SENT: u8 = 2;
const LATE: u8 = 3;

/// How long a late COMMIT lies on the way after the client has lost its connection.
const LATE_MS: u64 = 400;

/// A wire between the centre and its database.
struct Wire {
    url: String,
    next: Arc<AtomicU8>,
    cuts: Arc<AtomicU32>,
}

#[derive(Clone)]
enum Server {
    Socket(PathBuf),
    Tcp(String, u16),
}

impl Wire {
    async fn to(url: &str) -> Self {
        let config = tokio_postgres::Config::from_str(url).expect("an address");
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let server = match &config.get_hosts()[0] {
            tokio_postgres::config::Host::Unix(folder) => {
                Server::Socket(folder.join(format!(".s.PGSQL.{port}")))
            }
            tokio_postgres::config::Host::Tcp(host) => Server::Tcp(host.clone(), port),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!(
            "postgres://{}@{}/{}",
            config.get_user().expect("a user"),
            listener.local_addr().expect("bound"),
            config.get_dbname().expect("a database")
        );
        let (next, cuts) = (Arc::new(AtomicU8::new(PASSES)), Arc::new(AtomicU32::new(0)));
        let (armed, counted) = (Arc::clone(&next), Arc::clone(&cuts));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, armed, counted) = (server.clone(), Arc::clone(&armed), Arc::clone(&counted));
                tokio::spawn(async move {
                    match server {
                        Server::Socket(path) => {
                            carry(client, UnixStream::connect(path).await.expect("server"), &armed, &counted)
                                .await;
                        }
                        Server::Tcp(host, port) => {
                            let server = TcpStream::connect((host, port)).await.expect("server");
                            carry(client, server, &armed, &counted).await;
                        }
                    }
                });
            }
        });
        Self { url, next, cuts }
    }
}

/// Carries bytes both ways until a COMMIT comes for which something else was ordered.
async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    mut client: TcpStream,
    mut server: S,
    next: &AtomicU8,
    cuts: &AtomicU32,
) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                let sent = &up[..count];
                let order = if sent.windows(7).any(|bytes| bytes == b"COMMIT\0") {
                    next.swap(PASSES, Ordering::SeqCst)
                } else {
                    PASSES
                };
                if order != PASSES {
                    cuts.fetch_add(1, Ordering::SeqCst);
                }
                match order {
                    NEVER_SENT => return,
                    LATE => {
                        drop(client);
                        tokio::time::sleep(Duration::from_millis(LATE_MS)).await;
                        server.write_all(sent).await.expect("the server is there");
                        let _ = server.read(&mut down).await;
                        return;
                    }
                    _ => server.write_all(sent).await.expect("the server is there"),
                }
                if order == ANSWER_LOST {
                    let answered = server.read(&mut down).await.expect("the server is there");
                    assert!(answered > 0, "the server has committed");
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn new_member(n: u8) -> Act {
    Act::MembersSet(vec![MemberSet {
        member: member(n),
        number: format!("M{n}"),
        level: None,
        status: MemberStatus::Active,
        office: None,
        personal: Hash([n; 32]),
        joined: None,
    }])
}

/// One act under an order of the wire: what was answered, how often the closure ran, and how many entries there are more.
async fn one_act(order: u8) -> (Result<u32, String>, u32, i64) {
    let place = TestPlace::new(Engine::Postgres).await;
    let wire = Wire::to(&place.url).await;
    let db = Db::open(&wire.url).await.expect("a fresh database opens");
    found(&db).await;
    let entries = |db: Db| async move {
        db.read(|tx| tx.query_one(PROBE.get("entries"), &[])?.int(0)).await.expect("count")
    };
    let before = entries(db.clone()).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    wire.next.store(order, Ordering::SeqCst);
    let work = move |tx: &mut Tx<'_>| -> Result<u32, StoreError> {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        acts::take(tx, EntryId([0x77; 16]), NOON, &Actor::Job("test".to_owned()), &new_member(9))?;
        Ok(run)
    };
    let said = db.write(work).await.map_err(|error| error.to_string());
    assert_eq!(wire.cuts.load(Ordering::SeqCst), u32::from(order != PASSES), "the wire did as ordered");
    let more = entries(db.clone()).await - before;
    // The books go on behind it.
    act(&db, 78, NOON, new_member(10)).await;
    while db.write(journal::publish).await.expect("publish") > 0 {}
    let found = crate::store::verify::verify(&db).await.expect("readable");
    assert_eq!(found.findings, Vec::<String>::new());
    db.close().await;
    place.remove().await;
    (said, runs.load(Ordering::SeqCst), more)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_commit_was_answered_runs_once() {
    assert_eq!(one_act(PASSES).await, (Ok(1), 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_commit_answer_was_lost_finds_its_own_entry_and_answers_as_the_first_run() {
    assert_eq!(one_act(ANSWER_LOST).await, (Ok(1), 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_commit_never_left_is_run_again() {
    assert_eq!(one_act(NEVER_SENT).await, (Ok(2), 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_whose_commit_is_still_on_its_way_is_waited_for() {
    assert_eq!(one_act(LATE).await, (Ok(1), 1, 1));
}
