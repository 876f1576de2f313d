//! A batch of facts against a cursor: the centre's real checks, with signatures that hold, so that what lies behind them
//! is reached.
//!
//! The input is a control part of [`CONTROL_BYTES`] and an upload. The control part says where the cursor stands and
//! what is wrong with the batch; what is not said to be wrong is put right.

use super::wire;
use hufu_central::rules::entry::TakenBatch;
use hufu_central::rules::ingest::{Ingest, Sender, ingest, overlap_end, rests_on};
use hufu_central::rules::world::{DeviceStatus, KnownEpoch};
use hufu_shared::chain;
use hufu_shared::fact::stated_in;
use hufu_shared::ids::{DeviceId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::{BATCH_BYTES_MAX, BATCH_FACTS_MAX, Upload};
use hufu_shared::wire::version::PROTO;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::sync::OnceLock;

/// Bytes before the upload: what is wrong, and where the cursor stands around the first fact.
pub const CONTROL_BYTES: usize = 2;
/// The cursor stands so many facts before the batch when its control byte is 0.
const CURSOR_BEFORE: u64 = 8;
/// A cursor is a count of rows.
const CURSOR_MAX: u64 = i64::MAX as u64;
const DEVICE: DeviceId = DeviceId([0x11; 16]);
const RECEIVED: Instant = Instant(1_795_320_000_000_000);
const INFO_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// What is wrong with a batch, one bit each.
pub mod wrong {
    /// Another device's.
    pub const DEVICE: u8 = 1;
    /// Another protocol.
    pub const PROTO: u8 = 2;
    /// Another number of facts.
    pub const COUNT: u8 = 4;
    /// Its head is not what the facts give.
    pub const HEAD: u8 = 8;
    /// Not signed by the device.
    pub const SIGNATURE: u8 = 16;
    /// The device is revoked.
    pub const REVOKED: u8 = 32;
    /// The centre has another hash where batch and cursor overlap.
    pub const FORK: u8 = 64;
    /// All that is said; the last bit says nothing.
    pub const ALL: u8 = 127;
}

/// The device's key and its public key info.
fn key() -> &'static (EcdsaKeyPair, Vec<u8>) {
    static KEY: OnceLock<(EcdsaKeyPair, Vec<u8>)> = OnceLock::new();
    KEY.get_or_init(|| {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the same key");
        let info = [INFO_PREFIX, key.public_key().as_ref()].concat();
        (key, info)
    })
}

/// Judges a batch and checks the judgement.
pub fn run(data: &[u8]) {
    let Some((control, rest)) = data.split_at_checked(CONTROL_BYTES) else { return };
    let Some(mut upload) = wire::read::<Upload>(rest) else { return };
    let faults = control[0] & wrong::ALL;
    let hashes = prepare(&mut upload, faults);
    let acked = upload
        .header
        .from_seq
        .saturating_add(u64::from(control[1]))
        .saturating_sub(CURSOR_BEFORE)
        .min(CURSOR_MAX);
    let sender = sender(&upload, &hashes, acked, faults);
    match ingest(&sender, &upload, RECEIVED) {
        Ingest::New(taken) => {
            let is_revoked = faults & wrong::REVOKED != 0;
            assert_eq!(faults & !wrong::REVOKED, 0, "a batch was taken that is wrong");
            assert_eq!(taken.review.is_some(), is_revoked, "facts of a revoked device wait for a person");
            check_taken(&upload, &hashes, &sender, &taken);
        }
        Ingest::Duplicate => {
            assert_eq!(faults & !wrong::REVOKED, 0, "a batch was known that is wrong");
            assert!(last(&upload) <= acked, "facts that the centre lacks were called known");
        }
        Ingest::Gap { send_from } => {
            assert_eq!(send_from, acked + 1);
            assert!(upload.header.from_seq > send_from, "a batch that follows was called a gap");
        }
        Ingest::Lost(lost) => {
            assert_eq!((lost.from_seq, lost.to_seq), (acked + 1, upload.attempt.oldest_held - 1));
        }
        Ingest::Fork(fork) => {
            assert!(faults & wrong::FORK != 0, "the same history was called another one");
            assert_ne!(fork.stored, fork.shown);
            assert!(fork.facts <= upload.facts.len() as u64);
        }
        Ingest::Refused(_) => assert!(faults != 0 || !possible(&upload), "a good batch was refused"),
    }
}

fn last(upload: &Upload) -> u64 {
    upload.header.from_seq.saturating_add(upload.facts.len() as u64).saturating_sub(1)
}

/// Whether a batch of this shape may be sent at all.
fn possible(upload: &Upload) -> bool {
    let count = upload.facts.len();
    let bytes: usize = upload.facts.iter().map(|fact| fact.body.len()).sum();
    (1..=BATCH_FACTS_MAX).contains(&count)
        && bytes <= BATCH_BYTES_MAX
        && upload.header.from_seq > 0
        && upload.header.from_seq.checked_add(count as u64).is_some()
}

/// Puts right what is not to be wrong, and signs; the chain hash after each fact.
fn prepare(upload: &mut Upload, faults: u8) -> Vec<Hash> {
    let mut hash = upload.header.prev_hash;
    let mut hashes = Vec::new();
    for fact in &upload.facts {
        hash = Hash::of(&[&[0x01], &hash.0, &fact.body]);
        hashes.push(hash);
    }
    let (key, info) = key();
    let header = &mut upload.header;
    let is = |fault: u8| faults & fault != 0;
    header.device = if is(wrong::DEVICE) { DeviceId([0x12; 16]) } else { DEVICE };
    header.proto = if is(wrong::PROTO) { PROTO.wrapping_add(1) } else { PROTO };
    header.epoch = 1;
    header.count = u32::try_from(hashes.len()).unwrap_or(u32::MAX).wrapping_add(u32::from(is(wrong::COUNT)));
    header.head_hash = if is(wrong::HEAD) { Hash::of(&[&hash.0]) } else { hash };
    header.key_id = chain::key_id(info);
    let mut message = header.claim().message();
    if is(wrong::SIGNATURE) {
        message.push(0);
    }
    header.signature = key.sign(&SystemRandom::new(), &message).expect("signed").as_ref().to_vec();
    hashes
}

/// What the centre knows of the device: the same history, unless it is to be a fork.
fn sender(upload: &Upload, hashes: &[Hash], acked: u64, faults: u8) -> Sender {
    let header = &upload.header;
    let overlap = overlap_end(header.from_seq, hashes.len() as u64, acked);
    let same = overlap.map(|end| match end.checked_sub(header.from_seq) {
        Some(at) => hashes[usize::try_from(at).expect("within the batch")],
        None => header.prev_hash,
    });
    let stored = same.map(|hash| if faults & wrong::FORK == 0 { hash } else { Hash::of(&[&hash.0, &[1]]) });
    let (_, info) = key();
    let rests_on = rests_on(upload, acked);
    let bodies = upload.facts.iter().zip(header.from_seq..);
    let stated = bodies
        .filter(|(_, seq)| rests_on.contains(seq))
        .filter_map(|(fact, seq)| stated_in(&fact.body).map(|standing| (seq, standing)));
    Sender {
        device: DEVICE,
        status: if faults & wrong::REVOKED == 0 { DeviceStatus::Active } else { DeviceStatus::Revoked },
        epoch: 1,
        known: KnownEpoch {
            first_key: info.clone(),
            seal_key: [0; 32],
            board: Hash([0; 32]),
            enrolled_at: Instant(0),
            acked_seq: acked,
            head: stored.unwrap_or(Hash([0; 32])),
            last_at: Instant(0),
        },
        keys: vec![info.clone()],
        hash_at_overlap: stored,
        stated: stated.collect(),
        is_live: true,
        boot: None,
    }
}

/// What was taken is what follows the cursor, byte by byte, on an unbroken chain.
fn check_taken(upload: &Upload, hashes: &[Hash], sender: &Sender, taken: &TakenBatch) {
    let acked = sender.known.acked_seq;
    assert_eq!(taken.from_seq, acked + 1, "facts were passed over or taken twice");
    let skip = usize::try_from(taken.from_seq - upload.header.from_seq).expect("within the batch");
    let bodies: Vec<_> = upload.facts[skip..].iter().map(|fact| &fact.body).collect();
    assert_eq!(taken.bodies.iter().collect::<Vec<_>>(), bodies, "other facts were taken");
    let before = if skip == 0 { upload.header.prev_hash } else { hashes[skip - 1] };
    assert_eq!(sender.hash_at_overlap, Some(before), "it does not follow what the centre has");
    let head = taken.bodies.iter().fold(before, |hash, body| Hash::of(&[&[0x01], &hash.0, body]));
    assert_eq!(taken.head, head, "a broken chain was taken");
    // The facts that cannot be read are exactly those set aside.
    let unread: Vec<u64> = taken
        .facts()
        .iter()
        .zip(taken.from_seq..)
        .filter_map(|(fact, seq)| fact.as_ref().is_err().then_some(seq))
        .collect();
    let aside: Vec<u64> = taken.quarantined.iter().map(|fact| fact.seq).collect();
    assert_eq!(aside, unread, "facts set aside are not those that cannot be read");
    wire::read::<TakenBatch>(&hufu_shared::cbor::encode(taken)).expect("the journal reads its own entry");
}
