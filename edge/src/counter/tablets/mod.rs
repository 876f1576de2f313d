//! Paired tablets: who of the network may use the counter page.
//!
//! Reading order: this file is the book of tablets; [`gate`] stands before every address of the network's listener;
//! [`pages`] are the page where a tablet is paired and the list of tablets.
//!
//! Invariants: a key leaves this program once, in the cookie of its tablet, and only its hash is kept; who was unpaired is
//! let in nowhere and its open streams end at once; a restart forgets no tablet and forgives no guessing.
//! Out of scope: what people may do at the page.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use hufu_shared::ids::Hash;
use hufu_shared::time::{Instant, SECOND_US};
use serde::Serialize;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::random;
use crate::rules::pairing::{self, CODE_DIGITS, CODE_LIFE_S, Lock, Offer, Session, Shown, Tried, try_code};
use crate::store::{Store, StoreError, TabletRow};

pub mod gate;
pub mod pages;

/// Tablets of one terminal at most.
pub const TABLETS_MAX: usize = 16;
/// Characters of a tablet's name at most.
pub const NAME_CHARS_MAX: usize = 20;
/// How old what the disk knows of a tablet's last visit may be, in microseconds.
const SEEN_KEPT_US: i64 = 300 * SECOND_US;
/// Bytes of a tablet's key.
const KEY_BYTES: usize = 32;
/// What the lock of pairing is called on the disk.
const LOCK: &str = "pairing";

/// What the member display is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announcement {
    /// A code, until a time.
    Code(Offered),
    /// The code is gone: used, burnt or withdrawn.
    Over,
    /// A tablet was paired.
    Paired(String),
}

/// A code that is offered, with what people need beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// The code.
    pub code: String,
    /// Until when.
    pub until: Instant,
    /// Where a tablet goes, if the board knows by which address it is reached.
    pub address: Option<String>,
    /// SHA-256 of the board's certificate.
    pub fingerprint: String,
}

/// A paired tablet as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TabletView {
    /// Its number.
    pub n: u64,
    /// Its name.
    pub name: String,
    /// Since when it is paired.
    pub paired_at: Instant,
    /// When it was last seen.
    pub seen_at: Instant,
    /// Whether it shows the page now.
    pub online: bool,
}

/// A tablet was not paired, or no code was offered.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// Nobody asked for a code, or it is over.
    #[error("no pairing code is offered now")]
    NoCode,
    /// It is another code.
    #[error("this is not the code; {0} tries are left")]
    Wrong(u8),
    /// It is another code, and the right one holds no more.
    #[error("too many wrong tries: the code holds no more")]
    Burnt,
    /// Too much was guessed.
    #[error("too many wrong tries: no code is offered for now")]
    Locked(Instant),
    /// There are enough.
    #[error("{TABLETS_MAX} tablets are paired already; unpair one first")]
    Full,
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A tablet that was let in.
pub struct Admitted {
    /// Its number.
    pub n: u64,
    /// Turns true when it is unpaired.
    pub ended: watch::Receiver<bool>,
    /// The key that it gets, where it is time for another one.
    pub key: Option<String>,
}

/// What came of a key that is or was a tablet's.
enum Judged {
    /// It is let in, and this is to be kept of it.
    In(Admitted, Option<(u64, Session)>),
    /// It is let in no more.
    Gone(u64),
}

/// The book of tablets.
pub struct Tablets {
    book: Mutex<Book>,
    store: Store,
    clock: Clock,
    listen: SocketAddr,
    fingerprint: String,
    announce: Box<dyn Fn(Announcement) + Send + Sync>,
}

struct Book {
    all: Vec<Entry>,
    offer: Option<Offer>,
    offered: Option<Offered>,
    lock: Lock,
    copied: Option<(String, Instant)>,
}

struct Entry {
    row: TabletRow,
    kept_seen_at: Instant,
    streams: usize,
    ended: watch::Sender<bool>,
}

impl Entry {
    fn new(row: TabletRow) -> Self {
        Self { kept_seen_at: row.session.seen_at, row, streams: 0, ended: watch::Sender::new(false) }
    }
}

impl Tablets {
    /// The tablets of a terminal that is served at `listen` with the certificate of `fingerprint`. What members are to
    /// see goes to `announce`, which must not wait.
    ///
    /// # Errors
    /// [`StoreError`] if the journal cannot be read.
    pub fn open(
        store: Store,
        clock: Clock,
        (listen, fingerprint): (SocketAddr, String),
        announce: impl Fn(Announcement) + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let (rows, lock) = store.with(|journal| Ok((journal.tablets()?, journal.lock_of(LOCK)?)))?;
        let all = rows.into_iter().map(Entry::new).collect();
        let book = Mutex::new(Book { all, offer: None, offered: None, lock, copied: None });
        Ok(Self { book, store, clock, listen, fingerprint, announce: Box::new(announce) })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing is left half done in it by a panic: each change is one assignment.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SHA-256 of the board's certificate, in groups.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Where a tablet goes.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let known = Some(self.listen.ip()).filter(|ip| !ip.is_unspecified());
        // Nothing is sent: the kernel is only asked by which of its addresses it would leave the machine.
        let asked = || {
            let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
            socket.connect(("192.0.2.1", 9)).ok()?;
            socket.local_addr().ok().map(|own| own.ip())
        };
        let ip = known.or_else(asked)?;
        Some(format!("https://{}", SocketAddr::new(ip, self.listen.port())))
    }

    /// Offers a code; one that was offered before holds no more. Blocks.
    ///
    /// # Errors
    /// [`PairingError::Locked`] after guessing, [`PairingError::Full`].
    pub fn offer(&self) -> Result<Offered, PairingError> {
        let now = self.clock.now();
        let mut book = self.book();
        if let Some(until) = book.lock.closed_until(now.trusted) {
            return Err(PairingError::Locked(until));
        }
        self.forget_over(&mut book, now.trusted)?;
        if book.all.len() >= TABLETS_MAX {
            return Err(PairingError::Full);
        }
        let code = new_code();
        book.offer = Some(Offer::new(code_hash(&code), &now));
        let offered = Offered {
            until: now.trusted.offset(i64::from(CODE_LIFE_S) * SECOND_US),
            address: self.address(),
            fingerprint: self.fingerprint.clone(),
            code,
        };
        book.offered = Some(offered.clone());
        (self.announce)(Announcement::Code(offered.clone()));
        tracing::info!("a pairing code is offered");
        Ok(offered)
    }

    /// Tablets that nobody has used for long make room.
    fn forget_over(&self, book: &mut Book, now: Instant) -> Result<(), StoreError> {
        let over: Vec<u64> =
            book.all.iter().filter(|entry| entry.row.session.is_over(now)).map(|entry| entry.row.n).collect();
        for n in over {
            self.store.with(|journal| journal.forget_tablet(n))?;
            book.all.retain(|entry| entry.row.n != n);
        }
        Ok(())
    }

    /// The code that is offered now.
    #[must_use]
    pub fn offered(&self) -> Option<Offered> {
        let now = self.clock.now();
        let book = self.book();
        book.offered.clone().filter(|_| book.offer.as_ref().is_some_and(|offer| !offer.is_over(&now)))
    }

    /// Takes back the code that is offered.
    pub fn withdraw(&self) {
        let mut book = self.book();
        if book.offer.take().is_some() {
            (self.announce)(Announcement::Over);
        }
    }

    /// Pairs a tablet that knows the code; its key. Blocks until that is on the disk.
    ///
    /// # Errors
    /// [`PairingError`]; nothing is paired then.
    pub fn pair(&self, typed: &str, name: &str) -> Result<String, PairingError> {
        let now = self.clock.now();
        let mut book = self.book();
        let Book { offer, lock, .. } = &mut *book;
        match try_code(offer, lock, &code_hash(typed), &now) {
            Tried::Right => {}
            Tried::None => return Err(PairingError::NoCode),
            Tried::Wrong(left) => return Err(PairingError::Wrong(left)),
            Tried::Burnt => {
                let lock = book.lock;
                (self.announce)(Announcement::Over);
                tracing::warn!(until = %lock.until.0, "a pairing code was guessed at and burnt");
                self.store.with(|journal| journal.keep_lock(LOCK, lock))?;
                return Err(PairingError::Burnt);
            }
        }
        let key = random::bytes::<KEY_BYTES>();
        let session = Session::new(key_hash(&key), now.trusted);
        let name = if name.is_empty() { format!("#{}", book.all.len() + 1) } else { name.to_owned() };
        let n = self.store.with(|journal| {
            journal.keep_lock(LOCK, Lock::default())?;
            journal.add_tablet(&name, &session)
        });
        (self.announce)(Announcement::Over);
        let row = TabletRow { n: n?, name: name.clone(), session };
        tracing::info!(tablet = row.n, name, "a tablet was paired");
        book.all.push(Entry::new(row));
        (self.announce)(Announcement::Paired(name));
        Ok(HEXLOWER.encode(&key))
    }

    /// Lets a tablet in by its key; none if it is not paired, no more, or was copied.
    pub async fn admit(&self, key: &str) -> Option<Admitted> {
        let key = HEXLOWER.decode(key.as_bytes()).ok().filter(|key| key.len() == KEY_BYTES)?;
        let (mut admitted, keep) = match self.judge(&key_hash(&key))? {
            Judged::In(admitted, keep) => (admitted, keep),
            Judged::Gone(n) => {
                self.forget_on_disk(n).await;
                return None;
            }
        };
        if let Some((n, session)) = keep {
            let kept = self.store.call(move |journal| journal.keep_tablet(n, &session)).await;
            if let Err(error) = kept {
                // A key that the disk does not know would be lost with the next restart: it is not handed out.
                tracing::error!(%error, tablet = n, "a tablet's key could not be kept");
                admitted.key = None;
            }
        }
        Some(admitted)
    }

    fn judge(&self, shown: &Hash) -> Option<Judged> {
        let now = self.clock.now().trusted;
        let mut book = self.book();
        let at = book.all.iter().position(|entry| entry.row.session.knows(shown))?;
        let judged = book.all[at].row.session.judge(shown, now);
        if matches!(judged, Shown::Over | Shown::Copied) {
            let gone = book.all.remove(at);
            gone.ended.send_replace(true);
            if judged == Shown::Copied {
                tracing::warn!(tablet = gone.row.n, "a tablet's old key came back: it was unpaired");
                book.copied = Some((gone.row.name, now));
            }
            return Some(Judged::Gone(gone.row.n));
        }
        let entry = &mut book.all[at];
        let session = &mut entry.row.session;
        session.seen_at = session.seen_at.max(now);
        let mut key = None;
        match judged {
            Shown::Arrived => *session = session.arrived(now),
            Shown::Renew => {
                let fresh = random::bytes::<KEY_BYTES>();
                *session = session.renewed(key_hash(&fresh), *shown, now);
                key = Some(HEXLOWER.encode(&fresh));
            }
            _ => {}
        }
        let stale = now.since(entry.kept_seen_at) >= SEEN_KEPT_US;
        let keep = (stale || judged != Shown::Good).then_some((entry.row.n, entry.row.session));
        if keep.is_some() {
            entry.kept_seen_at = now;
        }
        Some(Judged::In(Admitted { n: entry.row.n, ended: entry.ended.subscribe(), key }, keep))
    }

    async fn forget_on_disk(&self, n: u64) {
        if let Err(error) = self.store.call(move |journal| journal.forget_tablet(n)).await {
            tracing::error!(%error, tablet = n, "a tablet could not be forgotten on the disk");
        }
    }

    /// Unpairs a tablet; whether there was one. Its open pages end at once. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] if the disk does not take it: then it comes back with the next start.
    pub fn revoke(&self, n: u64) -> Result<bool, StoreError> {
        let gone = {
            let mut book = self.book();
            let at = book.all.iter().position(|entry| entry.row.n == n);
            at.map(|at| book.all.remove(at))
        };
        if let Some(gone) = &gone {
            gone.ended.send_replace(true);
            tracing::info!(tablet = n, name = gone.row.name, "a tablet was unpaired");
        }
        let known = self.store.with(|journal| journal.forget_tablet(n))?;
        Ok(known || gone.is_some())
    }

    /// All paired tablets.
    #[must_use]
    pub fn list(&self) -> Vec<TabletView> {
        let now = self.clock.now().trusted;
        let view = |entry: &Entry| {
            let TabletRow { n, name, session } = &entry.row;
            let online = entry.streams > 0;
            let seen_at = if online { now } else { session.seen_at };
            TabletView { n: *n, name: name.clone(), paired_at: session.paired_at, seen_at, online }
        };
        let book = self.book();
        book.all.iter().filter(|entry| !entry.row.session.is_over(now)).map(view).collect()
    }

    /// Whose key was last found to have been copied, and when; since the start only.
    #[must_use]
    pub fn copied(&self) -> Option<(String, Instant)> {
        self.book().copied.clone()
    }

    /// Until when no code is offered, after guessing.
    #[must_use]
    pub fn locked_until(&self) -> Option<Instant> {
        let now = self.clock.now().trusted;
        self.book().lock.closed_until(now)
    }

    /// Counts an open page of a tablet until the mark is dropped.
    #[must_use]
    pub fn present(self: &Arc<Self>, n: u64) -> Presence {
        self.count(n, 1);
        Presence { tablets: Arc::clone(self), n }
    }

    fn count(&self, n: u64, by: isize) {
        let now = self.clock.now().trusted;
        if let Some(entry) = self.book().all.iter_mut().find(|entry| entry.row.n == n) {
            entry.streams = entry.streams.saturating_add_signed(by);
            entry.row.session.seen_at = entry.row.session.seen_at.max(now);
        }
    }
}

/// An open page of a tablet.
pub struct Presence {
    tablets: Arc<Tablets>,
    n: u64,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.tablets.count(self.n, -1);
    }
}

/// Digits of equal chance each.
fn new_code() -> String {
    let mut code = String::with_capacity(CODE_DIGITS);
    while code.len() < CODE_DIGITS {
        let [byte] = random::bytes::<1>();
        // 250 and above would make some digits likelier than others.
        if byte < 250 {
            code.push(char::from(b'0' + byte % 10));
        }
    }
    code
}

fn code_hash(code: &str) -> Hash {
    Hash::of(&[b"hufu-pairing-code", code.as_bytes()])
}

fn key_hash(key: &[u8]) -> Hash {
    Hash::of(&[b"hufu-tablet-key", key])
}

/// The code in the groups in which people read it.
#[must_use]
pub fn grouped(code: &str) -> String {
    pairing::grouped(code)
}

#[cfg(test)]
mod tests;
