//! A small reference of the centre's side: it checks signature and chain of each batch, keeps the hash of every fact,
//! and answers as the contract says. What a test breaks, it breaks on the way out.

use std::sync::{Arc, Mutex};

use hufu_shared::ids::Hash;
use hufu_shared::time::Instant;
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::updates::{BlockChange, Notice, Updates};
use hufu_shared::wire::upload::{Command, Credit, Receipt, ReceiptMark, ResultPart, SessionPart, Upload};
use hufu_shared::wire::version::{CentralEpoch, Version};
use hufu_shared::{cbor, chain, keys};

use super::ca::{DEVICE, EPOCH, TestCa};
use super::centre::{Reply, Seen};

pub(crate) const TIME: Instant = Instant(1_800_000_000_000_000);

/// What the centre knows.
pub(crate) struct Model {
    pub(crate) ca: Arc<TestCa>,
    pub(crate) key: Vec<u8>,
    /// Keys before it: any unrevoked key of the epoch signs.
    pub(crate) keys_before: Vec<Vec<u8>>,
    /// Hash at each seq; the first is the start of the chain.
    pub(crate) hashes: Vec<Hash>,
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) epoch: CentralEpoch,
    pub(crate) credit: Credit,
    /// When the terminal may send, for one that asks.
    pub(crate) turn: Option<Credit>,
    pub(crate) directory: Version,
    pub(crate) block: Version,
    pub(crate) blocks: Vec<BlockChange>,
    pub(crate) more: bool,
    pub(crate) notices: Vec<Notice>,
    pub(crate) commands: Vec<Command>,
    pub(crate) batches: Vec<Upload>,
}

pub(crate) type SharedModel = Arc<Mutex<Model>>;

impl Model {
    pub(crate) fn new(ca: Arc<TestCa>, first_key: &[u8]) -> SharedModel {
        Arc::new(Mutex::new(Self {
            ca,
            key: first_key.to_vec(),
            keys_before: Vec::new(),
            hashes: vec![chain::start(DEVICE, 1, first_key)],
            bodies: Vec::new(),
            epoch: EPOCH,
            credit: Credit { max_facts: 500, next_poll_ms: 0 },
            turn: None,
            directory: Version::default(),
            block: Version { epoch: EPOCH.n, n: 0 },
            blocks: Vec::new(),
            more: false,
            notices: Vec::new(),
            commands: Vec::new(),
            batches: Vec::new(),
        }))
    }

    pub(crate) fn cursor(&self) -> u64 {
        self.bodies.len() as u64
    }

    /// Falls back to an earlier state, as a restored backup would.
    pub(crate) fn restore(&mut self, seq: usize) {
        self.bodies.truncate(seq);
        self.hashes.truncate(seq + 1);
    }

    pub(crate) fn mark(&self) -> ReceiptMark {
        let mut mark = ReceiptMark {
            central_epoch: self.epoch,
            journal_size: self.cursor(),
            journal_head: Hash([1; 32]),
            device: DEVICE,
            acked_seq: self.cursor(),
            directory: self.directory,
            block: self.block,
            leases: Vec::new(),
            signature: Vec::new(),
        };
        mark.signature = self.ca.sign(&mark.message());
        mark
    }

    pub(crate) fn events(&mut self, body: &[u8]) -> Result<Receipt, Problem> {
        let upload: Upload = cbor::decode(body).expect("a batch");
        self.batches.push(upload.clone());
        let header = &upload.header;
        let claim = header.claim().message();
        let mut keys = self.keys_before.iter().chain([&self.key]);
        assert!(
            keys.any(|key| keys::verify_device(key, &claim, &header.signature).is_ok()),
            "signed by the device"
        );
        assert_eq!(header.count as usize, upload.facts.len());
        let head = chain::head(header.prev_hash, upload.facts.iter().map(|fact| fact.body.as_slice()));
        assert_eq!(head, header.head_hash, "the chain adds up");
        let before = usize::try_from(header.from_seq - 1).expect("small");
        let Some(known) = self.hashes.get(before) else {
            let send_from = Some(self.cursor() + 1);
            return Err(Problem { send_from, ..ProblemKind::Gap.problem("facts are missing") });
        };
        if *known != header.prev_hash {
            return Err(ProblemKind::Fork.problem("another fact"));
        }
        let mut hash = header.prev_hash;
        for (seq, fact) in (before + 1..).zip(&upload.facts) {
            hash = chain::link(hash, &fact.body);
            match self.hashes.get(seq) {
                Some(known) if *known != hash => return Err(ProblemKind::Fork.problem("another fact")),
                Some(_) => {}
                None => {
                    self.hashes.push(hash);
                    self.bodies.push(fact.body.to_vec());
                }
            }
        }
        Ok(self.receipt(&upload))
    }

    pub(crate) fn receipt(&self, upload: &Upload) -> Receipt {
        Receipt {
            result: ResultPart {
                acked_seq: self.cursor(),
                head_hash: *self.hashes.last().expect("the start"),
                dispositions: Vec::new(),
            },
            session: SessionPart {
                nonce: upload.attempt.nonce,
                mono_ns: upload.attempt.mono_ns,
                central_time: TIME,
                credit: self.credit,
                leases: Vec::new(),
                commands: self.commands.iter().cloned().map(Into::into).collect(),
                mark: self.mark(),
            },
        }
    }

    pub(crate) fn updates(&self) -> Updates {
        Updates {
            central_time: TIME,
            directory: self.directory,
            block: self.block,
            blocks: self.blocks.clone(),
            more: self.more,
            leases: Vec::new(),
            commands: self.commands.iter().cloned().map(Into::into).collect(),
            notices: self.notices.clone(),
            mark: self.mark(),
            credit: self.turn,
        }
    }
}

/// Answers as the contract says, for uploads and the long poll.
pub(crate) fn play(model: &SharedModel) -> impl FnMut(&Seen) -> Reply + Send + use<> {
    let model = model.clone();
    move |seen| {
        let mut model = model.lock().expect("no panic before");
        if seen.path.starts_with("/device/v1/events") {
            return match model.events(&seen.body) {
                Ok(receipt) => Reply::cbor(&receipt),
                Err(problem) => Reply::Problem(problem, None),
            };
        }
        if seen.path.starts_with("/device/v1/updates") {
            return Reply::cbor(&model.updates());
        }
        Reply::Problem(ProblemKind::NotFound.problem("nothing here"), None)
    }
}
