//! Passwords: argon2id with 64 MiB, two passes, one lane; at most two are hashed at once, so that a storm of tries
//! costs memory for two and no more.
//!
//! An unknown login is checked against a hash of nothing, so that its answer takes as long as any other.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use hufu_shared::time::{Instant, SECOND_US};
use tokio::sync::Semaphore;

use crate::random::{self, NoRandom};

/// Memory of one hash.
pub const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over it.
pub const PASSES: u32 = 2;
/// Hashes made at once.
pub const HASHES_AT_ONCE_MAX: usize = 2;
/// Shortest password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Length that the page advises.
pub const PASSWORD_CHARS_ADVISED: usize = 15;
/// Longest password.
pub const PASSWORD_CHARS_MAX: usize = 64;
/// Wrong tries before a login waits.
pub const TRIES_FREE: u32 = 5;
/// The first wait; it doubles with each further wrong try.
pub const LOCK_SECONDS_FIRST: i64 = 30;
/// The longest wait.
pub const LOCK_SECONDS_MAX: i64 = 15 * 60;

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// No randomness for a salt.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// The hash function refused.
    #[error("hash a password: {reason}")]
    Hash {
        /// Why.
        reason: String,
    },
}

/// What is wrong with a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Too short.
    Short,
    /// Too long.
    Long,
    /// The same as the old one, or the login.
    Known,
    /// One of the first that anyone tries.
    Common,
}

/// Passwords that anyone tries first, in lower case; longer ones made by repeating are found by their form.
const COMMON: [&str; 16] = [
    "password",
    "password1",
    "12345678",
    "123456789",
    "1234567890",
    "qwertyuiop",
    "qwerty123",
    "11111111",
    "88888888",
    "66668888",
    "woaini1314",
    "5201314520",
    "a1234567",
    "admin123",
    "admin888",
    "iloveyou",
];

/// Whether a new password can be taken.
///
/// # Errors
/// [`Weak`].
pub fn accept(new: &str, old: &str, login: &str) -> Result<(), Weak> {
    let count = new.chars().count();
    if count < PASSWORD_CHARS_MIN {
        return Err(Weak::Short);
    }
    if count > PASSWORD_CHARS_MAX {
        return Err(Weak::Long);
    }
    if new == old || new.eq_ignore_ascii_case(login) {
        return Err(Weak::Known);
    }
    let first = new.chars().next();
    let is_one = new.chars().all(|c| Some(c) == first);
    if is_one || COMMON.contains(&new.to_lowercase().as_str()) {
        return Err(Weak::Common);
    }
    Ok(())
}

/// Until when a login waits after this many wrong tries.
#[must_use]
pub fn locked_until(tries: u32, now: Instant) -> Option<Instant> {
    let over = tries.checked_sub(TRIES_FREE)?;
    let seconds = LOCK_SECONDS_FIRST.saturating_mul(1 << over.min(10)).min(LOCK_SECONDS_MAX);
    Some(now.offset(seconds * SECOND_US))
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: &dyn std::fmt::Display) -> PasswordError {
    PasswordError::Hash { reason: error.to_string() }
}

/// The hash of a password, with its salt and parameters.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let salt: [u8; 16] = random::bytes()?;
    let hashed =
        argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|error| failed(&error))?;
    Ok(hashed.to_string())
}

/// Whether a password is the one of a hash.
#[must_use]
pub fn is_right(password: &str, hashed: &str) -> bool {
    let parameters = argon2();
    parameters.is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), hashed).is_ok())
}

/// A hash that no password has: its salt and sum were never one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("\u{0}nobody").unwrap_or_default());

/// Hashes passwords, few at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(HASHES_AT_ONCE_MAX)) }
    }
}

impl Passwords {
    /// Whether a password is the one of a hash; `None` stands for a login that nobody has.
    pub async fn check(&self, password: String, hashed: Option<String>) -> bool {
        let known = hashed.is_some();
        let work = move || is_right(&password, &hashed.unwrap_or_else(|| NOBODY.clone()));
        self.run(work).await.unwrap_or(false) && known
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let stopped = || PasswordError::Hash { reason: "the service is stopping".to_owned() };
        self.run(move || hash(&password)).await.ok_or_else(stopped)?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = self.places.clone().acquire_owned().await.ok()?;
        let done = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(place);
            answer
        });
        done.await.ok()
    }
}
