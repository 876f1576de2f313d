//! Whole names at rest: sealed in the directory file, where a scheme lets counters have them at all.
//!
//! The key of a member's name is made from the terminal's own secret and the member's id. The secret lies in the
//! identity folder, not in the file: a copy of the directory, a backup or a stick gives no names away. (The card's
//! token would add nothing, it lies in the same file.) Everything else of a row is fit to be carried around.

use std::fmt;

use hufu_shared::ids::MemberId;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

/// Bytes of a sealing key.
const KEY_BYTES: usize = 32;

/// The secret from which the keys of names are made.
#[derive(Clone, PartialEq, Eq)]
pub struct NameKey([u8; KEY_BYTES]);

impl fmt::Debug for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameKey")
    }
}

impl NameKey {
    /// From the terminal's secret seed.
    #[must_use]
    pub fn from_seed(seed: &[u8]) -> Self {
        Self(keyed(seed, b"hufu-names"))
    }

    fn of(&self, member: MemberId) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &keyed(&self.0, &member.0)).ok()?;
        Some(LessSafeKey::new(key))
    }

    /// Seals a name; `nonce` is random. None only if the cipher refused its own key size.
    #[must_use]
    pub fn seal(&self, member: MemberId, name: &str, nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut text = name.as_bytes().to_vec();
        let place = Aad::from(member.0);
        self.of(member)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut text)
            .ok()?;
        Some([&nonce[..], &text].concat())
    }

    /// Opens a name; none if it was sealed by another terminal, for another member, or is damaged.
    #[must_use]
    pub fn open(&self, member: MemberId, sealed: &[u8]) -> Option<String> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let clear = self.of(member)?.open_in_place(nonce, Aad::from(member.0), &mut text).ok()?;
        String::from_utf8(clear.to_vec()).ok()
    }
}

fn keyed(key: &[u8], message: &[u8]) -> [u8; KEY_BYTES] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut bytes = [0; KEY_BYTES];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_opens_for_its_member_at_its_terminal_only() {
        let (key, member) = (NameKey::from_seed(b"seed"), MemberId([1; 16]));
        let sealed = key.seal(member, "欧阳堃玥", [7; NONCE_LEN]).expect("sealed");
        assert_eq!(key.open(member, &sealed).as_deref(), Some("欧阳堃玥"));
        assert_eq!(key.open(MemberId([2; 16]), &sealed), None);
        assert_eq!(NameKey::from_seed(b"other").open(member, &sealed), None);
        assert_eq!(key.open(member, &sealed[..5]), None);
        let mut damaged = sealed;
        damaged[NONCE_LEN] ^= 1;
        assert_eq!(key.open(member, &damaged), None);
    }
}
