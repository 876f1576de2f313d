//! A queue on a stick: what a terminal would upload, carried by hand.
//!
//! `"hufu-queue-1\n" | device | sealed`, where `sealed` is the CBOR of [`StickBatch`]es, HPKE-sealed to the centre for the
//! device. Each batch is signed as for an upload, so whoever carries the stick can neither read nor change nor add
//! anything; at worst it is lost, and the terminal still has it all.

use minicbor::{Decode, Encode};

use crate::cbor::{self, WireError};
use crate::ids::DeviceId;
use crate::seal::{OpenKey, SealError, SealKey, seal};
use crate::wire::upload::{BatchHeader, Carried};

/// First bytes of such a file.
pub const STICK_MAGIC: &[u8] = b"hufu-queue-1\n";
/// Bytes of such a file at most: some months of a busy terminal.
pub const STICK_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// One batch of a queue on a stick.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StickBatch {
    /// As an upload would carry it.
    #[n(0)]
    pub header: BatchHeader,
    /// The facts, in order.
    #[n(1)]
    pub facts: Vec<Carried>,
}

/// A file is not a queue that can be taken in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StickError {
    /// It does not begin as one.
    #[error("a queue exported by a terminal expected, met a file that begins otherwise or ends early")]
    Magic,
    /// It is damaged, or for another centre.
    #[error("the queue of device {device}: {source}")]
    Seal {
        /// Whose queue the file claims to be.
        device: DeviceId,
        /// Why it cannot be opened.
        source: SealError,
    },
    /// A newer terminal wrote it, or it is no list of batches.
    #[error("the queue of device {device}: {source}")]
    Wire {
        /// Whose queue the file claims to be.
        device: DeviceId,
        /// What was met.
        source: WireError,
    },
}

/// The place for which a queue is sealed.
fn place(device: DeviceId) -> Vec<u8> {
    [b"hufu-queue".as_slice(), &device.0].concat()
}

/// The file of a queue.
///
/// # Errors
/// [`SealError`] if the centre's key is not one.
pub fn write(to: &SealKey, device: DeviceId, batches: &[StickBatch]) -> Result<Vec<u8>, SealError> {
    let clear = cbor::encode(&batches.to_vec());
    let sealed = seal(to, &place(device), &clear)?;
    Ok([STICK_MAGIC, &device.0, &sealed].concat())
}

/// Opens the file of a queue. Whether its batches can be believed is judged as for an upload.
///
/// # Errors
/// [`StickError`] with what was met.
pub fn read(open: &OpenKey, bytes: &[u8]) -> Result<(DeviceId, Vec<StickBatch>), StickError> {
    let rest = bytes.strip_prefix(STICK_MAGIC).ok_or(StickError::Magic)?;
    let (device, sealed) = rest.split_first_chunk::<16>().ok_or(StickError::Magic)?;
    let device = DeviceId(*device);
    let clear = open.open(&place(device), sealed).map_err(|source| StickError::Seal { device, source })?;
    let batches = cbor::decode(&clear).map_err(|source| StickError::Wire { device, source })?;
    Ok((device, batches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_centre_opens_a_stick_and_any_other_file_is_named() {
        let (open, other) = (OpenKey::from_seed(&[1; 32]), OpenKey::from_seed(&[2; 32]));
        let device = DeviceId([7; 16]);
        let file = write(&open.seal_key(), device, &[]).expect("sealed");
        assert_eq!(read(&open, &file), Ok((device, Vec::new())));
        assert!(matches!(read(&other, &file), Err(StickError::Seal { .. })));
        // Another device's name on the same queue, a byte changed, a file cut short, a file of something else.
        for at in [STICK_MAGIC.len(), file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(matches!(read(&open, &changed), Err(StickError::Seal { .. })), "byte {at}");
        }
        assert!(matches!(read(&open, &file[..STICK_MAGIC.len() + 40]), Err(StickError::Seal { .. })));
        assert_eq!(read(&open, &file[..20]), Err(StickError::Magic));
        assert_eq!(read(&open, b"number,name\n"), Err(StickError::Magic));
    }
}
