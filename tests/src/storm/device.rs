//! One simulated device: its keys, its chain, the facts it still holds, and its own books of what it was told.

use super::link::{Link, Said, tls};
use anyhow::{Context as _, Result, ensure};
use hufu_edge::sync::pair::{OwnKey, Pair};
use hufu_shared::cbor;
use hufu_shared::chain;
use hufu_shared::code::EnrolCode;
use hufu_shared::fact::{Booted, Event, FACT_FORMAT, Fact, STATED_FACTS_MAX, Shown};
use hufu_shared::ids::{BootId, DeviceId, Hash};
use hufu_shared::seal::OpenKey;
use hufu_shared::time::{ClockQuality, Instant};
use hufu_shared::token::TokenKey;
use hufu_shared::wire::enrol::{EnrolAnswer, EnrolRequest, Purpose, SealedTokenKeys, token_keys_place};
use hufu_shared::wire::updates::Updates;
use hufu_shared::wire::upload::{
    Attempt, BATCH_FACTS_MAX, BatchHeader, Carried, Credit, Heard, NONCE_BYTES, Receipt, ReceiptMark, Upload,
};
use hufu_shared::wire::version::{PROTO, Version};
use ring::signature::{ED25519, UnparsedPublicKey};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A device after its enrolment.
#[derive(Debug)]
pub struct Device {
    /// Who it is.
    pub device: DeviceId,
    /// The keys with which it makes tokens of cards, the current one first.
    pub token_keys: Vec<TokenKey>,
    /// The last fact that the centre has receipted.
    pub acked: u64,
    /// The newest mark that the centre signed for it.
    pub mark: Option<ReceiptMark>,
    /// The versions that its decisions use.
    pub versions: (Version, Version),
    /// Address of this machine from which it connects.
    pub from: Option<IpAddr>,
    pair: Pair,
    epoch: u32,
    centre_key: [u8; 32],
    tls: Arc<ClientConfig>,
    acked_head: Hash,
    /// Bodies after `acked`, each with the chain hash after it.
    held: VecDeque<(Vec<u8>, Hash)>,
    /// When each of them happened.
    walls: VecDeque<Instant>,
    stated: Option<u64>,
    boot: BootId,
    boot_at: Instant,
    heard: Option<Heard>,
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    filled.map_err(|_| anyhow::anyhow!("no random bytes"))?;
    Ok(bytes)
}

impl Device {
    /// Enrols with a code; `root` is the club's root certificate. Its first fact, the boot, is held.
    ///
    /// # Errors
    /// When the centre cannot be reached or refuses.
    pub async fn enrol(
        centre: SocketAddr,
        root: &CertificateDer<'static>,
        code: &EnrolCode,
        from: Option<IpAddr>,
    ) -> Result<Self> {
        let key = OwnKey::generate().context("failed to make a key")?;
        let open = OpenKey::from_seed(&random()?);
        let request = EnrolRequest {
            proto: PROTO,
            secret: code.secret.to_vec(),
            csrs: vec![key.request(Purpose::Device, &[]).context("failed to ask for a certificate")?],
            seal_key: open.seal_key(),
            board: Hash([3; 32]),
            software: "storm".to_owned(),
        };
        let mut link = Link::open(centre, tls(root, None)?, from).await?;
        let answer: EnrolAnswer = link.post("/device/v1/enrol", cbor::encode(&request)).await?.read()?;
        let certificate = answer.certificates.first().context("an answer without a certificate")?.to_vec();
        let pair = key.with_certificate(certificate).context("a certificate for another key")?;
        let keys = open.open(&token_keys_place(answer.device), &answer.token_keys)?;
        let token_keys = cbor::decode::<SealedTokenKeys>(&keys)?.keys;
        let mut device = Self {
            device: answer.device,
            token_keys,
            acked: 0,
            mark: None,
            versions: Default::default(),
            from,
            tls: tls(root, Some((pair.certificate().clone(), pair.private_key())))?,
            acked_head: chain::start(answer.device, answer.epoch, pair.public_key_info()),
            pair,
            epoch: answer.epoch,
            centre_key: answer.central_sign_key,
            held: VecDeque::new(),
            walls: VecDeque::new(),
            stated: None,
            boot: BootId(random()?),
            boot_at: answer.central_time,
            heard: Some(Heard { central_time: answer.central_time, mono_ns: 0 }),
        };
        let booted = Booted {
            boot: device.boot,
            counter: 1,
            board: Hash([3; 32]),
            software: "storm".to_owned(),
            unclean: false,
        };
        device.record(answer.central_time, Shown::Nothing, Event::Booted(booted));
        Ok(device)
    }

    /// A connection to a centre.
    ///
    /// # Errors
    /// When none stands in time.
    pub async fn connect(&self, centre: SocketAddr) -> Result<Link> {
        Link::open(centre, Arc::clone(&self.tls), self.from).await
    }

    /// Seq of the last fact recorded.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.acked + self.held.len() as u64
    }

    /// How many facts wait for a receipt.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.held.len()
    }

    /// Chain hash of the last fact that the centre has receipted.
    #[must_use]
    pub fn acked_head(&self) -> Hash {
        self.acked_head
    }

    /// Nanoseconds since the boot.
    fn mono_ns(&self, at: Instant) -> u64 {
        u64::try_from(at.0 - self.boot_at.0).unwrap_or(0).saturating_mul(1_000)
    }

    /// Records an event; its seq. The device's clocks are right: `wall` is the true time.
    pub fn record(&mut self, wall: Instant, shown: Shown, event: Event) -> u64 {
        let seq = self.last() + 1;
        let fact = Fact {
            format: FACT_FORMAT,
            seq,
            wall,
            mono_ns: self.mono_ns(wall),
            boot: 1,
            clock: ClockQuality::Synced,
            directory: self.versions.0,
            block: self.versions.1,
            scheme: 1,
            operator: None,
            shown,
            rule: None,
            event,
        };
        let body = match self.stated {
            Some(stated) if seq - stated < STATED_FACTS_MAX => fact.encode_since(stated),
            _ => {
                self.stated = Some(seq);
                cbor::encode(&fact)
            }
        };
        let before = self.held.back().map_or(self.acked_head, |(_, hash)| *hash);
        let hash = chain::link(before, &body);
        self.held.push_back((body, hash));
        self.walls.push_back(wall);
        seq
    }

    /// Uses new versions from the next fact on.
    pub fn use_versions(&mut self, directory: Version, block: Version) {
        if self.versions != (directory, block) {
            self.versions = (directory, block);
            self.stated = None;
        }
    }

    /// A signed batch of the oldest facts, at most `at_most`, to be sent at `now`; none if nothing waits.
    ///
    /// # Errors
    /// When signing fails.
    pub fn batch(&self, at_most: usize, now: Instant) -> Result<Option<Upload>> {
        let count = self.held.len().min(at_most.min(BATCH_FACTS_MAX));
        let Some((_, head)) = count.checked_sub(1).and_then(|last| self.held.get(last)) else {
            return Ok(None);
        };
        let head = *head;
        let facts = self.held.iter().take(count);
        let facts = facts.map(|(body, _)| Carried { body: body.clone().into(), sealed: None }).collect();
        let mut header = BatchHeader {
            proto: PROTO,
            device: self.device,
            epoch: self.epoch,
            from_seq: self.acked + 1,
            prev_hash: self.acked_head,
            count: u32::try_from(count).context("a batch is small")?,
            head_hash: head,
            key_id: self.pair.key_id(),
            signature: Vec::new(),
        };
        header.signature = self.pair.sign(&header.claim().message()).context("failed to sign")?;
        Ok(Some(Upload { header, facts, attempt: self.attempt(count, now)? }))
    }

    fn attempt(&self, count: usize, now: Instant) -> Result<Attempt> {
        Ok(Attempt {
            nonce: random::<NONCE_BYTES>()?,
            mono_ns: self.mono_ns(now),
            boot: self.boot,
            boot_seq: 1,
            wall: now,
            oldest_held: self.acked + 1,
            waiting: (self.held.len() - count) as u64,
            echo: self.mark.clone(),
            lease_report: None,
            heard: self.heard,
        })
    }

    /// Hears the centre on the priority lane and asks when to send, with `waiting` facts.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not the centre's word.
    pub async fn turn(&mut self, link: &mut Link, waiting: usize) -> Result<Credit> {
        let (directory, block) = self.versions;
        let path = format!(
            "/device/v1/updates?directory={directory}&block={block}&notices=0&wait_ms=0&queued={waiting}&turn=true"
        );
        let updates: Updates = link.get(&path).await?.read()?;
        self.check_mark(&updates.mark)?;
        updates.credit.with_context(|| format!("{}: asked for a turn, and none was told", self.device))
    }

    /// Sends a batch and takes its receipt, heard at `now()`; what the centre said instead, if it gave none.
    ///
    /// # Errors
    /// When the connection breaks, or the receipt is not what this device's own books say.
    pub async fn upload(
        &mut self,
        link: &mut Link,
        upload: &Upload,
        now: impl Fn() -> Instant,
    ) -> Result<Result<Receipt, Said>> {
        // Who waits longest comes first, so the centre is told before it takes the body.
        let oldest = self.walls.front().map_or(0, |wall| wall.0);
        let path = format!("/device/v1/events?oldest={oldest}");
        let said = link.post(&path, cbor::encode(upload)).await?;
        if matches!(said, Said::Problem { .. }) {
            return Ok(Err(said));
        }
        let receipt: Receipt = said.read()?;
        self.take(upload, &receipt, now())?;
        Ok(Ok(receipt))
    }

    fn take(&mut self, upload: &Upload, receipt: &Receipt, now: Instant) -> Result<()> {
        let header = &upload.header;
        let (acked, last) = (receipt.result.acked_seq, header.from_seq + u64::from(header.count) - 1);
        ensure!(acked == last, "{}: receipt to {acked} for a batch to {last}", self.device);
        ensure!(receipt.result.head_hash == header.head_hash, "{}: another chain at {acked}", self.device);
        let session = &receipt.session;
        ensure!(session.nonce == upload.attempt.nonce, "{}: the receipt of another attempt", self.device);
        self.check_mark(&session.mark)?;
        ensure!(session.mark.acked_seq == acked, "{}: mark for seq {}", self.device, session.mark.acked_seq);
        self.mark = Some(session.mark.clone());
        self.heard = Some(Heard { central_time: session.central_time, mono_ns: self.mono_ns(now) });
        while self.acked < acked {
            let (_, head) = self.held.pop_front().context("a receipt for facts that are not held")?;
            self.walls.pop_front();
            self.acked += 1;
            self.acked_head = head;
        }
        Ok(())
    }

    /// Checks the centre's signature, and that nothing which this device has seen has run back.
    ///
    /// # Errors
    /// When it does not hold.
    pub fn check_mark(&self, mark: &ReceiptMark) -> Result<()> {
        let key = UnparsedPublicKey::new(&ED25519, &self.centre_key);
        let signed = key.verify(&mark.message(), &mark.signature);
        ensure!(signed.is_ok() && mark.device == self.device, "{}: a mark that is not for it", self.device);
        if let Some(known) = &self.mark {
            ensure!(
                mark.journal_size >= known.journal_size
                    && mark.directory >= known.directory
                    && mark.block >= known.block,
                "{}: the centre ran back from {known:?} to {mark:?}",
                self.device
            );
            ensure!(
                mark.journal_size > known.journal_size || mark.journal_head == known.journal_head,
                "{}: two heads at {}",
                self.device,
                mark.journal_size
            );
        }
        Ok(())
    }
}
