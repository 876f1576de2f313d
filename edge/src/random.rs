//! Random bytes from the operating system, for ids and nonces.
//!
//! Out of scope: keys; each is made by the library that uses it.

use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes.
///
/// # Panics
/// If the operating system has no randomness to give, which no caller could repair: ids made without it could collide.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_draws_differ() {
        assert_ne!(super::bytes::<16>(), super::bytes::<16>());
    }
}
