//! The hash chain over a terminal's facts, and what the signature of a batch covers.
//!
//! `h_0 = SHA-256("hufu" | device | epoch | first key of the epoch)` and `h_n = SHA-256(0x01 | h_{n-1} | body_n)`.
//! Both sides compute the links; a batch carries only where it starts and its head. Bodies are the exact bytes that
//! the terminal stored.

use crate::ids::{DeviceId, Hash};

/// Start of every chain, so that its hashes can mean nothing elsewhere.
const CHAIN_TAG: &[u8] = b"hufu";
/// Marks a link, so that a link can never be taken for a start.
const LINK_TAG: &[u8] = &[0x01];
/// Start of the bytes that a batch signature covers.
const BATCH_TAG: &[u8] = b"hufu-batch";

/// The hash before the first fact of an epoch. `first_key` is the subject public key info (DER) of the key with which
/// the device enrolled for this epoch.
#[must_use]
pub fn start(device: DeviceId, epoch: u32, first_key: &[u8]) -> Hash {
    Hash::of(&[CHAIN_TAG, &device.0, &epoch.to_be_bytes(), first_key])
}

/// The hash after a fact.
#[must_use]
pub fn link(previous: Hash, body: &[u8]) -> Hash {
    Hash::of(&[LINK_TAG, &previous.0, body])
}

/// The hash after several facts in a row.
#[must_use]
pub fn head<'a>(start: Hash, bodies: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    bodies.into_iter().fold(start, link)
}

/// Short name of a key: the first 16 bytes of the SHA-256 of its subject public key info.
#[must_use]
pub fn key_id(public_key_info: &[u8]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&Hash::of(&[public_key_info]).0[..16]);
    id
}

/// What a batch signature covers: `"hufu-batch" | device | epoch | from_seq | count | head_hash | key id`, numbers
/// big-endian. Everything else about the batch follows from these and the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchClaim {
    /// The device that recorded the facts.
    pub device: DeviceId,
    /// Its enrolment.
    pub epoch: u32,
    /// Seq of the first fact.
    pub from_seq: u64,
    /// How many facts.
    pub count: u32,
    /// Chain hash after the last.
    pub head: Hash,
    /// The signing key.
    pub key_id: [u8; 16],
}

impl BatchClaim {
    /// The bytes to sign or verify.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(BATCH_TAG.len() + 16 + 4 + 8 + 4 + 32 + 16);
        message.extend_from_slice(BATCH_TAG);
        message.extend_from_slice(&self.device.0);
        message.extend_from_slice(&self.epoch.to_be_bytes());
        message.extend_from_slice(&self.from_seq.to_be_bytes());
        message.extend_from_slice(&self.count.to_be_bytes());
        message.extend_from_slice(&self.head.0);
        message.extend_from_slice(&self.key_id);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_chain_depends_on_device_epoch_and_key() {
        let device = DeviceId([1; 16]);
        let base = start(device, 1, b"key");
        assert_ne!(base, start(DeviceId([2; 16]), 1, b"key"));
        assert_ne!(base, start(device, 2, b"key"));
        assert_ne!(base, start(device, 1, b"other"));
    }

    #[test]
    fn the_first_links_are_pinned() {
        let base = start(DeviceId([0; 16]), 1, b"");
        assert_eq!(base.to_string(), "75b42a200be59ea140e310083e2f91a282237313249420bf92f1d1ba85835e49");
        assert_eq!(
            link(base, b"a").to_string(),
            "352621ccc94926e47119f667e4e62f198ff4573c0d58f1ed7e5de6ad13d7561c"
        );
    }

    proptest! {
        #[test]
        fn any_change_of_any_body_changes_the_head(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..10),
            which in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let base = Hash([0; 32]);
            let before = head(base, bodies.iter().map(Vec::as_slice));
            let mut changed = bodies.clone();
            changed[which.index(bodies.len())][0] ^= 1 << bit;
            prop_assert_ne!(before, head(base, changed.iter().map(Vec::as_slice)));
        }
    }
}
