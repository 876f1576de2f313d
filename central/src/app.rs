//! What all requests share: the database, the keys, the clock, and the bell that wakes who waits for news.
//!
//! Clones share everything. Every change goes through [`App::write`], which rings the publisher after the commit.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, OnceLock};

use hufu_shared::act::{Act, Actor};
use hufu_shared::ids::{DeviceId, EntryId, Hash, ID_RANDOM_BYTES};
use hufu_shared::time::Instant;
use tokio::sync::{Notify, watch};

use crate::admission::Admission;
use crate::ca::{Authority, CaError, OwnKeys};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, DbError, Tx};
use crate::net::CutList;
use crate::pace::Pace;
use crate::random::{self, NoRandom};
use crate::rules::outcome::Outcome;
use crate::second_path::{SecondPath, SecondPathError};
use crate::store::publisher::Term;
use crate::store::recovery::OnProof;
use crate::store::{StoreError, acts};
use crate::vault::{Vault, VaultError};

/// Shared state of the service.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The club's root.
    pub authority: Arc<Authority>,
    /// The centre's own keys.
    pub keys: Arc<OwnKeys>,
    /// Personal data.
    pub vault: Vault,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the random part of ids comes from.
    pub ids: Ids,
    /// The configuration.
    pub config: Arc<Config>,
    /// Host names and addresses of this machine in the server's certificate.
    pub names: Arc<[String]>,
    /// Keys whose open connections end.
    pub cut: CutList,
    /// Places for uploads.
    pub uploads: Arc<Admission>,
    /// Lets one snapshot be packed at a time.
    pub packing: Arc<tokio::sync::Mutex<()>>,
    /// Rung after each commit; the publisher listens.
    pub committed: Arc<Notify>,
    /// What this process is called among those over the same database.
    pub process: Arc<str>,
    /// Its leave to publish, while it has one.
    pub term: Arc<Mutex<Option<Term>>>,
    /// The newest published journal number; long polls wait for it.
    pub published: Arc<watch::Sender<u64>>,
    /// When the newest recall of a lease was asked for, as this process knows, in us.
    pub recalled: Arc<AtomicI64>,
    /// What lease states and orders each terminal was told last, as a hash.
    pub told: Arc<Mutex<HashMap<DeviceId, Hash>>>,
    /// How often each terminal looked for members of late.
    pub looked: Arc<Pace>,
    /// Turns true when the service stops.
    pub stopping: Arc<watch::Sender<bool>>,
    /// The copy of the journal on another disk, while this process writes one.
    pub second_path: Arc<OnceLock<SecondPath>>,
}

/// Database, keys and vault, opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The database.
    pub db: Db,
    /// The club's root.
    pub authority: Arc<Authority>,
    /// The centre's own keys.
    pub keys: Arc<OwnKeys>,
    /// Personal data.
    pub vault: Vault,
}

/// Where the random part of ids comes from: the operating system, or whoever must get the same ids twice.
#[derive(Clone)]
pub struct Ids(Arc<dyn Fn() -> Result<[u8; ID_RANDOM_BYTES], NoRandom> + Send + Sync>);

impl Default for Ids {
    fn default() -> Self {
        Self(Arc::new(random::bytes))
    }
}

impl Ids {
    /// Ids from a source of the caller's, who answers for their being different.
    pub fn from_source(
        source: impl Fn() -> Result<[u8; ID_RANDOM_BYTES], NoRandom> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(source))
    }

    /// The random part of one id.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn bytes(&self) -> Result<[u8; ID_RANDOM_BYTES], NoRandom> {
        (self.0)()
    }
}

/// The service cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Keys or certificates.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The vault's key file.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The process could not be given a name.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// The names given at `init`.
    #[error(
        "read the names of this machine in {path}: {source}; set device.names, or run `hufu-central init`"
    )]
    Names {
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl App {
    /// Opens keys and database of an initialised centre; the schema must be up to date.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let names = server_names(&config)?;
        let authority = Authority::open(&config.ca_dir())?;
        let keys = OwnKeys::open(&config.keys_dir())?;
        let vault = Vault::open(&config.vault_key())?;
        let process = format!("{:032x}", u128::from_be_bytes(random::bytes()?));
        let db = Db::open_current(&config.database_url()).await?;
        let opened = Opened { db, authority: Arc::new(authority), keys: Arc::new(keys), vault };
        Ok(Self { process: process.into(), ..Self::over(opened, names, config, clock) })
    }

    /// The service over what was opened already.
    #[must_use]
    pub fn over(opened: Opened, names: Vec<String>, config: Config, clock: Arc<dyn Clock>) -> Self {
        let Opened { db, authority, keys, vault } = opened;
        Self {
            db,
            authority,
            keys,
            vault,
            uploads: Arc::new(Admission::new(config.limits.uploads_waiting_max, Arc::clone(&clock))),
            clock,
            ids: Ids::default(),
            names: names.into(),
            cut: CutList::default(),
            packing: Arc::default(),
            committed: Arc::default(),
            process: "central".into(),
            term: Arc::default(),
            published: Arc::new(watch::Sender::new(0)),
            recalled: Arc::default(),
            told: Arc::default(),
            looked: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
            second_path: Arc::default(),
            config: Arc::new(config),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A new id for a journal entry.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn entry_id(&self) -> Result<EntryId, NoRandom> {
        Ok(EntryId::new(self.now(), self.ids.bytes()?))
    }

    /// Runs a change and rings the publisher. What it took into the journal is on the second path too when this answers.
    ///
    /// # Errors
    /// What `work` answered, the database, or [`DbError::Copy`]: then the change stands, and nobody may be told so.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let done = self.db.write(work).await?;
        self.taken().await?;
        Ok(done)
    }

    /// After the commit of what may be an entry: rings the publisher, and writes the second path.
    ///
    /// # Errors
    /// [`DbError::Copy`]: then the change stands, and nobody may be told so.
    pub async fn taken(&self) -> Result<(), DbError> {
        self.committed.notify_one();
        self.copy().await.map_err(|error| DbError::Copy { reason: error.to_string() })
    }

    /// Runs a change that may meet the proof that the database went back in time; then what the second path has is put
    /// back, and the change runs on that. Rings nobody, see [`App::taken`].
    ///
    /// # Errors
    /// What `work` answered, or the database.
    pub async fn proving<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: Fn(&mut Tx<'_>, OnProof) -> Result<T, StoreError> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let bits = self.epoch_bits()?;
        let Some(second_path) = self.second_path.get() else {
            return self.db.write(move |tx| work(tx, OnProof { bits, ask_second_path: false })).await;
        };
        let first = work.clone();
        match self.db.write(move |tx| first(tx, OnProof { bits, ask_second_path: true })).await {
            Err(StoreError::RolledBack) => {}
            done => return done,
        }
        let brought = second_path.bring_back(&self.db, bits, self.now()).await;
        brought.map_err(|error| DbError::Copy { reason: error.to_string() })?;
        self.db.write(move |tx| work(tx, OnProof { bits, ask_second_path: false })).await
    }

    /// Brings the second path up to the journal, if this process writes one.
    ///
    /// # Errors
    /// [`SecondPathError`].
    pub async fn copy(&self) -> Result<(), SecondPathError> {
        let Some(second_path) = self.second_path.get() else { return Ok(()) };
        second_path.follow(&self.db, self.epoch_bits()?, self.now()).await
    }

    /// Random bits for a central epoch that may have to begin.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn epoch_bits(&self) -> Result<u64, NoRandom> {
        let [bits @ .., _, _] = self.ids.bytes()?;
        Ok(u64::from_be_bytes(bits))
    }

    /// Whether the service stops: then a job ends its round after the step at hand.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Wakes who waits for news, though no new number was published.
    pub fn wake(&self) {
        self.published.send_modify(|_| {});
    }

    /// Takes one act in.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(&self, actor: Actor, act: Act) -> Result<Outcome, ActError> {
        let (id, now) = (self.entry_id()?, self.now());
        Ok(self.write(move |tx| acts::take(tx, id, now, &actor, &act)).await?)
    }
}

/// An act was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No id could be made.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// The configured names, or those that `init` kept.
fn server_names(config: &Config) -> Result<Vec<String>, OpenError> {
    if !config.device.names.is_empty() {
        return Ok(config.device.names.clone());
    }
    let path = config.names_file();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| OpenError::Names { path: path.display().to_string(), source })?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
