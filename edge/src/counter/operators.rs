//! The operators of this terminal and their PINs.
//!
//! A PIN is checked here, beside the run loop, so that no swipe waits for it. One at a time: a storm of tries costs the
//! memory of one hash. Each try is counted on the disk before the PIN is looked at.
//! Out of scope: what an operator may do ([`crate::rules::operator`]), and who is signed in (the run loop).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use hufu_shared::ids::OperatorId;
use hufu_shared::time::Instant;

use super::view::OperatorView;
use crate::clock::Clock;
use crate::config::OperatorConfig;
use crate::random;
use crate::rules::operator::{PIN_DIGITS, Role, after_wrong_pin, tries_left};
use crate::rules::pairing::Lock;
use crate::store::{Store, StoreError};

/// Memory of one hash: a small board has not much more to spare.
pub const MEMORY_KIB: u32 = 12 * 1024;
/// Passes over it.
pub const PASSES: u32 = 3;
/// Bytes of a salt.
const SALT_BYTES: usize = 16;

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// What colleagues call them.
    pub name: String,
    /// What they are at the counter.
    pub role: Role,
    hash: String,
}

/// The operators cannot be taken from the configuration, or a PIN not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The file of a PIN.
    #[error("read the PIN of operator {name} from {}: {source}", path.display())]
    Read {
        /// Whose.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Strangers can read it.
    #[error("{} holds the PIN of operator {name} and is open to everybody: set its mode to 0640 or less", path.display())]
    Open {
        /// Whose.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("{} does not hold the PIN of operator {name} as hufu-edge pin writes it", path.display())]
    Hash {
        /// Whose.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The hash function refused.
    #[error("hash a PIN: {0}")]
    Argon(String),
}

/// Nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// There is no such operator.
    #[error("no such operator")]
    Unknown,
    /// It is another PIN.
    #[error("this is not the PIN; {0} tries are left")]
    Wrong(u32),
    /// Too many wrong ones.
    #[error("too many wrong PINs")]
    Locked(Instant),
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All operators of this terminal.
pub struct Operators {
    all: Vec<Operator>,
    store: Store,
    clock: Clock,
    one: Mutex<()>,
}

impl Operators {
    /// Those of the configuration.
    ///
    /// # Errors
    /// [`OperatorError`] naming operator and file.
    pub fn load(configs: &[OperatorConfig], store: Store, clock: Clock) -> Result<Self, OperatorError> {
        let all = configs.iter().map(load_one).collect::<Result<_, _>>()?;
        Ok(Self { all, store, clock, one: Mutex::new(()) })
    }

    /// All of them, in the order of the configuration; empty where nobody is asked.
    #[must_use]
    pub fn all(&self) -> &[Operator] {
        &self.all
    }

    /// Who they are and what they may do, without their PINs.
    #[must_use]
    pub fn known(&self) -> Vec<(OperatorId, OperatorView)> {
        let view = |operator: &Operator| OperatorView { name: operator.name.clone(), role: operator.role };
        self.all.iter().map(|operator| (operator.id, view(operator))).collect()
    }

    /// Checks a PIN. Blocks for as long as a hash takes.
    ///
    /// # Errors
    /// [`PinError`]; the try is counted.
    pub fn check(&self, id: OperatorId, pin: &str) -> Result<&Operator, PinError> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let operator = self.all.iter().find(|operator| operator.id == id).ok_or(PinError::Unknown)?;
        let (what, now) = (format!("operator-{id}"), self.clock.now().trusted);
        let lock = self.store.with(|journal| journal.lock_of(&what))?;
        if let Some(until) = lock.closed_until(now) {
            return Err(PinError::Locked(until));
        }
        let failed = after_wrong_pin(lock, now);
        self.store.with(|journal| journal.keep_lock(&what, failed))?;
        if !is_right(pin, &operator.hash) {
            tracing::warn!(operator = %id, failed = failed.failed, "a wrong PIN");
            return Err(match failed.closed_until(now) {
                Some(until) => PinError::Locked(until),
                None => PinError::Wrong(tries_left(&failed)),
            });
        }
        self.store.with(|journal| journal.keep_lock(&what, Lock::default()))?;
        Ok(operator)
    }
}

fn load_one(config: &OperatorConfig) -> Result<Operator, OperatorError> {
    let (name, path) = (config.name.clone(), config.pin_file.clone());
    let hash = match read(&path) {
        Ok(Some(text)) => text,
        Ok(None) => return Err(OperatorError::Open { name, path }),
        Err(source) => return Err(OperatorError::Read { name, path, source }),
    };
    if !hash.starts_with("$argon2id$") {
        return Err(OperatorError::Hash { name, path });
    }
    Ok(Operator { id: config.id, name, role: config.role, hash })
}

/// What a file holds; none if everybody may read it.
fn read(path: &Path) -> std::io::Result<Option<String>> {
    if std::fs::metadata(path)?.permissions().mode() & 0o007 != 0 {
        return Ok(None);
    }
    std::fs::read_to_string(path).map(|text| Some(text.trim().to_owned()))
}

/// Whether something can be a PIN: six digits that are not all the same and do not count up or down.
#[must_use]
pub fn is_pin(pin: &str) -> bool {
    let digits = pin.as_bytes();
    let steps: Vec<i16> = digits.windows(2).map(|two| i16::from(two[1]) - i16::from(two[0])).collect();
    let is_row = [-1, 0, 1].iter().any(|step| steps.iter().all(|met| met == step));
    digits.len() == PIN_DIGITS && digits.iter().all(u8::is_ascii_digit) && !is_row
}

/// The hash of a PIN with its salt, as it is kept in a file.
///
/// # Errors
/// [`OperatorError::Argon`].
pub fn hash(pin: &str) -> Result<String, OperatorError> {
    let wrong = |error: &dyn std::fmt::Display| OperatorError::Argon(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| wrong(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = random::bytes::<SALT_BYTES>();
    let hashed = argon2.hash_password_with_salt(pin.as_bytes(), &salt).map_err(|error| wrong(&error))?;
    Ok(hashed.to_string())
}

fn is_right(pin: &str, hash: &str) -> bool {
    // The hash names its own parameters.
    Argon2::default().verify_password(pin.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::rules::operator::PIN_TRIES_MAX;
    use crate::store::testing::{booted, terminal};
    use crate::store::{JOURNAL_FILE, Store};
    use std::sync::Arc;

    const WANG: OperatorId = OperatorId([1; 16]);

    fn configured(folder: &Path, pin: &str) -> OperatorConfig {
        let pin_file = folder.join("wang.pin");
        std::fs::write(&pin_file, hash(pin).expect("hashed")).expect("written");
        std::fs::set_permissions(&pin_file, std::fs::Permissions::from_mode(0o600)).expect("closed");
        OperatorConfig { id: WANG, name: "王敏".to_owned(), role: Role::Clerk, pin_file }
    }

    #[test]
    fn threat_a_pin_is_hashed_and_guessing_is_not_forgiven_by_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = configured(folder.path(), "271828");
        let text = std::fs::read_to_string(&config.pin_file).expect("there");
        assert!(text.starts_with("$argon2id$v=19$m=12288,t=3,p=1$") && !text.contains("271828"), "{text}");
        let open = |store| {
            let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
            Operators::load(std::slice::from_ref(&config), store, clock).expect("loaded")
        };
        {
            let operators = open(booted(folder.path()));
            assert_eq!(operators.check(WANG, "271828").expect("right").name, "王敏");
            assert!(matches!(operators.check(OperatorId([2; 16]), "271828"), Err(PinError::Unknown)));
            for left in (3..PIN_TRIES_MAX).rev() {
                assert!(matches!(operators.check(WANG, "000001"), Err(PinError::Wrong(met)) if met == left));
            }
        }
        let store = Store::open(&folder.path().join(JOURNAL_FILE), &terminal()).expect("opens again");
        let operators = open(store);
        for left in (1..3).rev() {
            assert!(matches!(operators.check(WANG, "000001"), Err(PinError::Wrong(met)) if met == left));
        }
        assert!(matches!(operators.check(WANG, "000001"), Err(PinError::Locked(_))));
        assert!(
            matches!(operators.check(WANG, "271828"), Err(PinError::Locked(_))),
            "not even the right one"
        );
    }

    #[test]
    fn a_pin_file_that_is_open_or_holds_something_else_is_named_and_nothing_of_it_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = configured(folder.path(), "271828");
        let store = booted(folder.path());
        let load = || {
            let clock = Clock::new(Arc::new(SystemClock::start()), Instant(0));
            Operators::load(std::slice::from_ref(&config), store.clone(), clock).err().map(|e| e.to_string())
        };
        assert_eq!(load(), None);
        std::fs::write(&config.pin_file, "271828").expect("written");
        let error = load().expect("refused");
        assert!(error.contains("王敏") && error.contains("wang.pin") && !error.contains("271828"), "{error}");
        std::fs::set_permissions(&config.pin_file, std::fs::Permissions::from_mode(0o644)).expect("opened");
        assert!(load().expect("refused").contains("0640"));
        std::fs::remove_file(&config.pin_file).expect("removed");
        assert!(load().expect("refused").contains("wang.pin"));
    }

    #[test]
    fn what_everybody_tries_first_is_no_pin() {
        for pin in ["000000", "888888", "123456", "654321", "12345", "1234567", "12a456", ""] {
            assert!(!is_pin(pin), "{pin}");
        }
        assert!(is_pin("271828") && is_pin("112233"));
    }
}
