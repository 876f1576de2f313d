//! A terminal's network side on the bench: scratch folder, identity, journal with a boot, and the run loop's ends.

use std::path::Path;
use std::sync::Arc;

use hufu_shared::fact::{Event, Shown, Subject, Visited};
use hufu_shared::ids::{BootId, Hash};
use hufu_shared::time::{ClockQuality, Instant};
use hufu_shared::token::{MediumKind, Token};
use hufu_shared::wire::version::Version;
use rustls::time_provider::DefaultTimeProvider;
use tempfile::TempDir;

use super::ca::{CLUB, TestCa};
use super::centre::{PlayedCentre, Reply, SHORT, Seen};
use super::model::{Model, SharedModel, TIME};
use crate::clock::{Clock, SystemClock};
use crate::random;
use crate::state::{self, RunEnds, SyncEnds};
use crate::store::{
    BootInfo, DIRECTORY_FILE, Directory, JOURNAL_FILE, JournalState, NameKey, NewFact, Store,
};
use crate::sync::client::Channel;
use crate::sync::identity::Identity;
use crate::sync::link::{CentreKnown, Shared};
use crate::sync::task::SyncParts;
use crate::sync::trust::CertificateTime;
use crate::sync::upload::Uploader;

impl CertificateTime for DefaultTimeProvider {
    fn is_sure(&self) -> bool {
        true
    }
}

pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) ca: Arc<TestCa>,
    pub(crate) identity: Identity,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) shared: Shared,
    pub(crate) ends: SyncEnds,
    pub(crate) run: RunEnds,
    pub(crate) model: SharedModel,
}

fn open_store(dir: &Path, identity: &Identity) -> Store {
    let store =
        Store::open(&dir.join(JOURNAL_FILE), &identity.terminal().expect("its keys")).expect("a journal");
    let info = BootInfo {
        boot: BootId(random::bytes()),
        board: Hash([2; 32]),
        software: "0.1.0".to_owned(),
        directory: Version::default(),
    };
    let now = Clock::new(Arc::new(SystemClock::start()), Instant(0)).now();
    store.with(|journal| journal.boot(info, &now)).expect("a boot");
    store
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (dir, ca) = (TempDir::new().expect("scratch"), Arc::new(TestCa::new("club")));
        let identity = ca.identity(dir.path(), "https://localhost:1");
        let store = open_store(dir.path(), &identity);
        let directory = Directory::open(&dir.path().join(DIRECTORY_FILE), CLUB, NameKey::from_seed(b"seed"))
            .expect("a directory");
        let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
        let (ends, run) = state::channel(clock.now().trusted);
        let shared = Shared::new(ends.clone(), clock);
        let model = Model::new(ca.clone(), &identity.enrolment.first_key);
        Self { dir, ca, identity, store, directory, shared, ends, run, model }
    }

    /// The same files after a crash and a new start.
    pub(crate) fn restart(self) -> Self {
        let Self { dir, ca, identity, store, directory, shared, ends, run, model } = self;
        drop(store);
        let store = open_store(dir.path(), &identity);
        Self { dir, ca, identity, store, directory, shared, ends, run, model }
    }

    pub(crate) async fn play(&self, script: impl FnMut(&Seen) -> Reply + Send + 'static) -> PlayedCentre {
        PlayedCentre::start(&self.ca, script).await
    }

    pub(crate) fn channel(&self, played: &PlayedCentre) -> Channel {
        let time = Arc::new(DefaultTimeProvider);
        Channel::new(&played.url, self.identity.ca(), self.identity.device(), time, SHORT).expect("TLS")
    }

    pub(crate) fn known(&self) -> CentreKnown {
        let enrolment = &self.identity.enrolment;
        CentreKnown { sign_key: enrolment.central_sign_key, epoch: enrolment.central_epoch }
    }

    pub(crate) async fn uploader(&self) -> Uploader {
        Uploader::new(self.store.clone(), self.shared.clone(), self.known()).await.expect("a boot")
    }

    pub(crate) fn parts(&self, played: &PlayedCentre) -> SyncParts {
        SyncParts {
            store: self.store.clone(),
            directory: self.directory.clone(),
            identity: self.identity.clone(),
            clock: self.shared.clock().clone(),
            ends: self.ends.clone(),
            url: played.url.clone(),
            data_dir: self.dir.path().to_owned(),
            names: vec!["localhost".to_owned()],
            limits: SHORT,
        }
    }

    /// Records visits, in one transaction per hundred.
    pub(crate) fn visits(&self, count: usize) {
        for chunk in (0..count).collect::<Vec<_>>().chunks(100) {
            let facts = chunk.iter().map(|_| visit()).collect();
            self.store.with(|journal| journal.append(facts)).expect("appended");
        }
    }

    /// Records an event; answers its seq.
    pub(crate) fn record(&self, event: Event) -> u64 {
        let fact = NewFact { event, ..visit() };
        self.store.with(|journal| journal.append(vec![fact])).expect("appended");
        self.store.with(|journal| Ok(journal.last_seq())).expect("readable")
    }

    pub(crate) fn state(&self) -> JournalState {
        self.store.with(|journal| journal.state()).expect("readable")
    }
}

fn visit() -> NewFact {
    let subject = Subject {
        token: Token { key_version: 1, hash: random::bytes() },
        member: None,
        reader: 0,
        medium: MediumKind::Uid,
        code: None,
    };
    NewFact {
        wall: TIME,
        mono_ns: 1,
        clock: ClockQuality::Kept,
        directory: Version::default(),
        scheme: 0,
        operator: None,
        shown: Shown::Accepted,
        rule: None,
        event: Event::Visited(Visited { subject }),
        sealed: None,
    }
}
