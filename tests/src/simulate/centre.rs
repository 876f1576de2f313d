//! The centre of a run: the real routes over the real store, called one request after another.
//!
//! Silent rollback puts an older copy of the database back without telling anybody: the same program goes on over it,
//! as it would after a restored backup or a lost failover.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hufu_central::app::{App, Ids};
use hufu_central::config::Config;
use hufu_central::db::Tx;
use hufu_central::jobs::publisher;
use hufu_central::net::{PeerAddress, PeerCertificate};
use hufu_central::router;
use hufu_central::store::verify::{Verification, verify};
use hufu_central::store::{StoreError, acts};
use hufu_shared::act::{Act, Actor};
use rusqlite::{Connection, OpenFlags};
use tower::ServiceExt as _;

use super::club::Club;
use super::random::Random;
use super::time::TrueTime;

/// Address that every terminal seems to come from.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 40_000);

/// Runs a future that waits for nothing but what is done on this thread.
///
/// # Panics
/// If it waits for anything else: then it is not the deterministic part that it should be.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a step of the simulation waits for something outside of it"),
    }
}

/// The centre.
pub struct Centre {
    /// The service.
    pub app: App,
    router: Router,
    path: PathBuf,
    lives: u32,
    look: Connection,
}

impl Centre {
    /// A centre over a fresh copy of the club, in `folder`.
    ///
    /// # Errors
    /// If the database cannot be copied.
    pub fn open(club: &Club, folder: &Path, time: &TrueTime, seed: u64) -> anyhow::Result<Self> {
        let path = folder.join("central.0.db");
        let db = club.copy(&path)?;
        let source = Mutex::new(Random::new(seed ^ 0x1d5));
        let ids = Ids::from_source(move || Ok(source.lock().unwrap_or_else(PoisonError::into_inner).bytes()));
        let app = App::over(club.opened(db), Vec::new(), Config::default(), Arc::new(time.clone()));
        let app = App { ids, ..app };
        let look = look_into(&path)?;
        Ok(Self { router: router::device(app.clone()), app, path, lives: 0, look })
    }

    /// Answers a request as it came over TLS from the holder of a certificate.
    ///
    /// # Errors
    /// If the answer's body cannot be read, which no route gives cause for.
    pub fn handle(
        &self,
        request: Request<Vec<u8>>,
        certificate: &Arc<[u8]>,
    ) -> anyhow::Result<Response<Vec<u8>>> {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(PeerCertificate(Arc::clone(certificate)));
        head.extensions.insert(PeerAddress(ADDRESS));
        let request = Request::from_parts(head, Body::from(body));
        let response = block_on(self.router.clone().oneshot(request))?;
        let (head, body) = response.into_parts();
        let body = block_on(axum::body::to_bytes(body, usize::MAX))?;
        Ok(Response::from_parts(head, body.to_vec()))
    }

    /// Publishes what is committed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn publish(&self) -> anyhow::Result<()> {
        block_on(publisher::publish_all(&self.app))?;
        Ok(())
    }

    /// Takes an act in.
    ///
    /// # Errors
    /// If the database fails.
    pub fn act(&self, act: Act) -> anyhow::Result<()> {
        let (id, now) = (self.app.entry_id()?, self.app.now());
        let actor = Actor::Command("simulate".to_owned());
        block_on(self.app.write(move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            acts::take(tx, id, now, &actor, &act).map(|_| ())
        }))?;
        Ok(())
    }

    /// The harness's own view of the database.
    #[must_use]
    pub fn look(&self) -> &Connection {
        &self.look
    }

    /// Where the database is now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the database as it stands.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn keep_copy(&self, to: &Path) -> anyhow::Result<()> {
        let _ = std::fs::remove_file(to);
        Ok(self.look.backup("main", to, None::<fn(rusqlite::backup::Progress)>)?)
    }

    /// How often it was rolled back.
    #[must_use]
    pub fn lives(&self) -> u32 {
        self.lives
    }

    /// Goes on over an older copy, silently.
    ///
    /// # Errors
    /// If the copy cannot be opened.
    pub fn roll_back(&mut self, club: &Club, copy: &Path) -> anyhow::Result<()> {
        self.lives += 1;
        let path = self.path.with_file_name(format!("central.{}.db", self.lives));
        std::fs::copy(copy, &path)?;
        let db = hufu_central::db::Db::local(&path)?;
        let app = App::over(club.opened(db), Vec::new(), Config::default(), Arc::clone(&self.app.clock));
        // The same program: it draws the same ids on.
        self.app = App { ids: self.app.ids.clone(), ..app };
        self.router = router::device(self.app.clone());
        self.look = look_into(&path)?;
        self.path = path;
        Ok(())
    }

    /// Replays the whole journal and compares.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn verify(&self) -> anyhow::Result<Verification> {
        Ok(block_on(verify(&self.app.db))?)
    }
}

fn look_into(path: &Path) -> anyhow::Result<Connection> {
    let look = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    look.set_prepared_statement_cache_capacity(64);
    Ok(look)
}
