//! Tests of taking in: a table of batches against a cursor, and what may never be believed.

use hufu_shared::chain;
use hufu_shared::ids::{BootId, DeviceId, Hash};
use hufu_shared::time::Instant;
use hufu_shared::wire::upload::{Attempt, BatchHeader, Carried, Upload};
use hufu_shared::wire::version::PROTO;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::{Ingest, Refusal, Sender, ingest, overlap_end, sample};
use crate::rules::entry::Review;
use crate::rules::judge::interval::{Line, Sample};
use crate::rules::world::{DeviceStatus, KnownBoot, KnownEpoch};

const DEVICE: DeviceId = DeviceId([3; 16]);
const RECEIVED: Instant = Instant(1_000_000_000);
/// What stands before the point in the public key info of a P-256 key.
const INFO_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A device with a key and twenty facts; what the centre has of them is told per test.
struct Device {
    document: Vec<u8>,
    info: Vec<u8>,
    bodies: Vec<Vec<u8>>,
}

impl Device {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("key generation");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random)
            .expect("own document");
        let info = [INFO_PREFIX, key.public_key().as_ref()].concat();
        Self { document: document.as_ref().to_vec(), info, bodies: (1..=20u8).map(|n| vec![n; 40]).collect() }
    }

    /// Chain hash after fact `seq`.
    fn hash(&self, seq: usize) -> Hash {
        chain::head(chain::start(DEVICE, 1, &self.info), self.bodies[..seq].iter().map(Vec::as_slice))
    }

    /// What the centre knows after `acked` facts, for a batch of `count` from `from_seq`.
    fn sender(&self, acked: usize, from_seq: u64, count: u64) -> Sender {
        let overlap = overlap_end(from_seq, count, acked as u64);
        Sender {
            device: DEVICE,
            status: DeviceStatus::Active,
            epoch: 1,
            known: KnownEpoch {
                first_key: self.info.clone(),
                seal_key: [0; 32],
                board: Hash([0; 32]),
                enrolled_at: Instant(0),
                acked_seq: acked as u64,
                head: self.hash(acked),
                last_at: Instant(0),
            },
            keys: vec![b"an older key".to_vec(), self.info.clone()],
            hash_at_overlap: overlap.map(|seq| self.hash(usize::try_from(seq).expect("small"))),
            stated: Vec::new(),
            is_live: true,
            boot: None,
        }
    }

    /// The batch of facts `from` to `to`.
    fn upload(&self, from: usize, to: usize) -> Upload {
        let mut upload = Upload {
            header: BatchHeader {
                proto: PROTO,
                device: DEVICE,
                epoch: 1,
                from_seq: from as u64,
                prev_hash: self.hash(from - 1),
                count: u32::try_from(to + 1 - from).expect("small"),
                head_hash: self.hash(to),
                key_id: chain::key_id(&self.info),
                signature: Vec::new(),
            },
            facts: self.bodies[from - 1..to]
                .iter()
                .map(|body| Carried { body: body.clone().into(), sealed: None })
                .collect(),
            attempt: Attempt {
                nonce: [0; 16],
                mono_ns: 5_000_000,
                boot: BootId([0; 16]),
                boot_seq: 1,
                wall: Instant(0),
                oldest_held: 1,
                waiting: 0,
                echo: None,
                lease_report: None,
                heard: None,
            },
        };
        self.sign(&mut upload);
        upload
    }

    fn sign(&self, upload: &mut Upload) {
        let message = upload.header.claim().message();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.document, &SystemRandom::new())
                .expect("own document");
        let signature = key.sign(&SystemRandom::new(), &message).expect("signing");
        upload.header.signature = signature.as_ref().to_vec();
    }
}

#[test]
fn inv_05_the_cursor_takes_each_fact_once_whatever_range_a_batch_has() {
    let device = Device::new();
    // Cursor, first and last fact of the batch, and which facts are new.
    let cases: [(usize, usize, usize, Option<(u64, usize)>); 6] = [
        (0, 1, 20, Some((1, 20))),
        (5, 6, 10, Some((6, 5))),
        (5, 1, 5, None),
        (5, 2, 4, None),
        (5, 1, 10, Some((6, 5))),
        (5, 5, 6, Some((6, 1))),
    ];
    for (acked, from, to, new) in cases {
        let sender = device.sender(acked, from as u64, (to + 1 - from) as u64);
        let outcome = ingest(&sender, &device.upload(from, to), RECEIVED);
        match (outcome, new) {
            (Ingest::Duplicate, None) => {}
            (Ingest::New(taken), Some((first, count))) => {
                assert_eq!((taken.from_seq, taken.bodies.len()), (first, count), "{acked} {from} {to}");
                assert_eq!(
                    taken.bodies[0].to_vec(),
                    device.bodies[usize::try_from(first).expect("small") - 1]
                );
                assert_eq!(taken.head, device.hash(to));
            }
            (met, expected) => {
                panic!("cursor {acked}, batch {from}-{to}: {expected:?} expected, met {met:?}")
            }
        }
    }
}

#[test]
fn kind_20_a_gap_is_asked_for_unless_the_device_lost_it() {
    let device = Device::new();
    let mut upload = device.upload(8, 10);
    let sender = device.sender(5, 8, 3);
    assert_eq!(ingest(&sender, &upload, RECEIVED), Ingest::Gap { send_from: 6 });
    upload.attempt.oldest_held = 8;
    let Ingest::Lost(loss) = ingest(&sender, &upload, RECEIVED) else { panic!("lost") };
    assert_eq!((loss.from_seq, loss.to_seq), (6, 7));
}

#[test]
fn kind_21_another_history_is_a_fork_wherever_the_batch_begins() {
    let device = Device::new();
    // The twin is an image of the device: the same key, the same chain up to fact 2.
    let mut twin = Device {
        document: device.document.clone(),
        info: device.info.clone(),
        bodies: device.bodies.clone(),
    };
    twin.bodies[2] = b"the other life".to_vec();
    for (from, to) in [(1, 10), (3, 4), (6, 9), (2, 3)] {
        let sender = device.sender(5, from as u64, (to + 1 - from) as u64);
        let outcome = ingest(&sender, &twin.upload(from, to), RECEIVED);
        let Ingest::Fork(fork) = outcome else { panic!("fork expected for {from}-{to}, met {outcome:?}") };
        assert_eq!(fork.device, DEVICE);
        assert_ne!(fork.stored, fork.shown);
    }
    // Up to the fork both lives are the same.
    assert_eq!(ingest(&device.sender(5, 1, 2), &twin.upload(1, 2), RECEIVED), Ingest::Duplicate);
}

#[test]
fn what_cannot_be_believed_is_refused_with_what_was_met() {
    let device = Device::new();
    let sender = device.sender(0, 1, 5);
    let refused = |change: &dyn Fn(&mut Upload)| {
        let mut upload = device.upload(1, 5);
        change(&mut upload);
        match ingest(&sender, &upload, RECEIVED) {
            Ingest::Refused(refusal) => refusal,
            met => panic!("refusal expected, met {met:?}"),
        }
    };
    assert!(matches!(
        refused(&|upload| upload.facts[2].body[0] ^= 1),
        Refusal::Chain { from_seq: 1, to_seq: 5, .. }
    ));
    assert!(matches!(
        refused(&|upload| upload.header.head_hash = Hash([9; 32])),
        Refusal::Signature { from_seq: 1 }
    ));
    assert!(matches!(refused(&|upload| upload.header.signature[9] ^= 1), Refusal::Signature { .. }));
    assert_eq!(refused(&|upload| upload.header.key_id = [0; 16]), Refusal::Key { known: 2 });
    assert_eq!(
        refused(&|upload| upload.header.device = DeviceId([4; 16])),
        Refusal::OtherDevice { met: DeviceId([4; 16]), expected: DEVICE }
    );
    assert_eq!(refused(&|upload| upload.header.epoch = 2), Refusal::Epoch { met: 2, expected: 1 });
    assert_eq!(refused(&|upload| upload.header.proto = 99), Refusal::Proto { met: 99 });
    assert!(matches!(
        refused(&|upload| {
            upload.facts.pop();
        }),
        Refusal::Count { header: 5, body: 4, .. }
    ));
    assert!(matches!(refused(&|upload| upload.facts.clear()), Refusal::Count { body: 0, .. }));
    assert!(matches!(
        refused(&|upload| upload.facts[0].body = vec![0; 300_000].into()),
        Refusal::Bytes { met: 300_160 }
    ));
}

#[test]
fn kind_26_facts_of_a_revoked_device_or_an_earlier_enrolment_wait_for_a_person() {
    let device = Device::new();
    let mut sender = device.sender(0, 1, 5);
    sender.status = DeviceStatus::Revoked;
    let Ingest::New(taken) = ingest(&sender, &device.upload(1, 5), RECEIVED) else { panic!("taken in") };
    assert_eq!((taken.review, taken.bodies.len()), (Some(Review::Revoked), 5));
    assert!(taken.sample.is_some(), "it is this boot that delivers");
    sender.epoch = 2;
    for status in [DeviceStatus::Active, DeviceStatus::Revoked] {
        sender.status = status;
        let Ingest::New(taken) = ingest(&sender, &device.upload(1, 5), RECEIVED) else { panic!("taken in") };
        assert_eq!(taken.review, Some(Review::EarlierEnrolment));
        assert_eq!(taken.sample, None, "today's clock says nothing of boots long over");
    }
}

#[test]
fn only_a_sample_that_narrows_its_boot_by_more_than_a_second_counts() {
    let device = Device::new();
    let mut sender = device.sender(5, 1, 5);
    let upload = device.upload(1, 5);
    let bounded = |received_us: i64| {
        let mut line = Line::new(Instant(0));
        let known =
            Sample { sent_mono_ns: upload.attempt.mono_ns, received: Instant(received_us), heard: None };
        line.sample(1, known);
        Some(KnownBoot { boot: BootId([0; 16]), clock: line.boots()[&1].clone() })
    };
    // An earlier delivery of the same moment of the boot bounds it as well as this one, or worse.
    for (boot, counts) in [
        (None, true),
        (bounded(RECEIVED.0 + 1_000_003), true),
        (bounded(RECEIVED.0 + 999_998), false),
        (bounded(RECEIVED.0 - 50), false),
    ] {
        sender.boot.clone_from(&boot);
        let met = sample(&sender, &upload, RECEIVED).map(|sample| sample.sent_mono_ns);
        assert_eq!(met, counts.then_some(upload.attempt.mono_ns), "{boot:?}");
    }
    let other = bounded(RECEIVED.0 + 1_000_003).map(|known| KnownBoot { boot: BootId([7; 16]), ..known });
    sender.boot = other;
    assert_eq!(
        sample(&sender, &upload, RECEIVED),
        None,
        "a copy of the machine says nothing of this one's clock"
    );
    sender.boot = None;
    sender.is_live = false;
    assert_eq!(sample(&sender, &upload, RECEIVED), None, "a stick says nothing of clocks");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Batches in any ranges, in any order: the cursor ends at the highest fact that was reachable without a gap, and
    /// each fact was new exactly once.
    #[test]
    fn inv_04_each_fact_is_new_exactly_once(ranges in proptest::collection::vec((1usize..=20, 0usize..8), 1..12)) {
        let device = Device::new();
        let mut acked = 0usize;
        let mut news = [0u32; 21];
        for (from, length) in ranges {
            let to = (from + length).min(20);
            let sender = device.sender(acked, from as u64, (to + 1 - from) as u64);
            match ingest(&sender, &device.upload(from, to), RECEIVED) {
                Ingest::New(taken) => {
                    let first = usize::try_from(taken.from_seq).expect("small");
                    prop_assert_eq!(first, acked + 1);
                    for count in news.iter_mut().skip(first).take(taken.bodies.len()) {
                        *count += 1;
                    }
                    acked = to;
                }
                Ingest::Duplicate => prop_assert!(to <= acked),
                Ingest::Gap { send_from } => {
                    prop_assert!(from > acked + 1);
                    prop_assert_eq!(send_from, acked as u64 + 1);
                }
                met => prop_assert!(false, "{:?}", met),
            }
        }
        for (seq, count) in news.iter().enumerate().skip(1) {
            prop_assert_eq!(*count, u32::from(seq <= acked));
        }
    }
}
