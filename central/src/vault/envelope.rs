//! The form of everything sealed: `algorithm (1) | key id (4) | nonce (12) | text and tag`.
//!
//! The first byte leaves room for another algorithm (SM4) without touching old rows. The associated data binds a text
//! to its table, column and member, so a row copied to another place cannot be opened there.

use hufu_shared::ids::MemberId;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce; random, which is safe for the few texts that one member's key seals.
pub(super) const NONCE_BYTES: usize = NONCE_LEN;
const CHACHA20_POLY1305_ID: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + NONCE_BYTES;

/// Where a sealed text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) member: MemberId,
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        [self.table.as_bytes(), b"\0", self.column.as_bytes(), b"\0", &self.member.0].concat()
    }
}

/// Seals `clear` under `key`, whose id a reader finds in the envelope.
pub(super) fn seal(
    key: &[u8; KEY_BYTES],
    key_id: u32,
    nonce: [u8; NONCE_BYTES],
    place: Place,
    clear: &[u8],
) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEAD_BYTES + clear.len() + CHACHA20_POLY1305.tag_len());
    sealed.push(CHACHA20_POLY1305_ID);
    sealed.extend_from_slice(&key_id.to_be_bytes());
    sealed.extend_from_slice(&nonce);
    let mut text = clear.to_vec();
    cipher(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.bytes()), &mut text)
        .expect("a personal field is far below the cipher's limit of 256 GiB");
    sealed.extend_from_slice(&text);
    sealed
}

/// The id of the key that sealed this, or `None` if it is no envelope of ours.
pub(super) fn key_id(sealed: &[u8]) -> Option<u32> {
    let (algorithm, rest) = sealed.split_first()?;
    let (id, _) = rest.split_first_chunk::<4>()?;
    (*algorithm == CHACHA20_POLY1305_ID).then(|| u32::from_be_bytes(*id))
}

/// Opens what `seal` made for the same place under the same key.
pub(super) fn open(key: &[u8; KEY_BYTES], place: Place, sealed: &[u8]) -> Option<Vec<u8>> {
    key_id(sealed)?;
    let (head, text) = sealed.split_at_checked(HEAD_BYTES)?;
    let nonce = Nonce::try_assume_unique_for_key(&head[5..]).ok()?;
    let mut text = text.to_vec();
    let clear = cipher(key).open_in_place(nonce, Aad::from(place.bytes()), &mut text).ok()?;
    Some(clear.to_vec())
}

fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has the cipher's length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threat_t13_a_sealed_field_opens_only_in_its_own_place() {
        let place = Place { table: "vault_member", column: "name", member: MemberId([1; 16]) };
        let sealed = seal(&[7; 32], 3, [5; 12], place, "欧阳娜娜".as_bytes());
        assert_eq!(key_id(&sealed), Some(3));
        assert_eq!(open(&[7; 32], place, &sealed).as_deref(), Some("欧阳娜娜".as_bytes()));
        for other in [
            Place { member: MemberId([2; 16]), ..place },
            Place { column: "address", ..place },
            Place { table: "vault_key", ..place },
        ] {
            assert_eq!(open(&[7; 32], other, &sealed), None);
        }
        assert_eq!(open(&[8; 32], place, &sealed), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            // Bytes 1 to 4 say which key; the caller picks it by them.
            assert!((1..5).contains(&at) || open(&[7; 32], place, &damaged).is_none(), "byte {at}");
        }
        assert_eq!(open(&[7; 32], place, &sealed[..16]), None);
        assert_eq!(open(&[7; 32], place, b""), None);
    }
}
