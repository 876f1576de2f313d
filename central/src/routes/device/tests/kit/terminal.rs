//! A terminal that speaks to the routes as a real one does.

use super::*;

/// A scripted terminal.
pub struct Terminal {
    pub key: KeyPair,
    pub open: OpenKey,
    pub device: DeviceId,
    pub epoch: u32,
    pub certificate: Vec<u8>,
    pub bodies: Vec<Vec<u8>>,
    start: Hash,
    nonce: u8,
}

impl Terminal {
    pub fn unenrolled() -> Self {
        Self {
            key: KeyPair::generate().unwrap(),
            open: OpenKey::from_seed(&crate::random::bytes().unwrap()),
            device: DeviceId([0; 16]),
            epoch: 0,
            certificate: Vec::new(),
            bodies: Vec::new(),
            start: Hash([0; 32]),
            nonce: 0,
        }
    }

    pub fn csr(&self) -> Csr {
        let request = CertificateParams::default().serialize_request(&self.key).unwrap();
        Csr { purpose: Purpose::Device, der: request.der().to_vec(), names: Vec::new() }
    }

    pub fn request(&self, code: &EnrolCode) -> EnrolRequest {
        EnrolRequest {
            proto: PROTO,
            secret: code.secret.to_vec(),
            csrs: vec![self.csr()],
            seal_key: self.open.seal_key(),
            board: Hash([3; 32]),
            software: "test 1".to_owned(),
        }
    }

    /// Enrols, and records the boot.
    pub async fn enrol(&mut self, site: &Site, code: &EnrolCode) -> Result<EnrolAnswer, ProblemKind> {
        let mut link = site.connect(None).await.unwrap();
        let answer =
            link.post("/device/v1/enrol", cbor::encode(&self.request(code))).await.expect("an answer");
        if !answer.status.is_success() {
            return Err(answer.problem().0);
        }
        let answer: EnrolAnswer = answer.read();
        self.take(&answer);
        Ok(answer)
    }

    fn take(&mut self, answer: &EnrolAnswer) {
        self.device = answer.device;
        self.epoch = answer.epoch;
        self.certificate = answer.certificates[0].to_vec();
        self.start = chain::start(self.device, self.epoch, &self.public_key());
        self.bodies.clear();
        let booted = Booted {
            boot: BootId([9; 16]),
            counter: 1,
            board: Hash([3; 32]),
            software: "test 1".to_owned(),
            unclean: false,
        };
        self.record(answer.central_time, Shown::Nothing, Event::Booted(booted));
    }

    pub fn public_key(&self) -> Vec<u8> {
        rcgen::PublicKeyData::subject_public_key_info(&self.key)
    }

    pub async fn connect(&self, site: &Site) -> Link {
        site.connect(Some((&self.certificate, &self.key))).await.expect("a connection")
    }

    pub fn record(&mut self, wall: Instant, shown: Shown, event: Event) -> u64 {
        let seq = self.bodies.len() as u64 + 1;
        let fact = Fact {
            format: FACT_FORMAT,
            seq,
            wall,
            mono_ns: seq * 1_000_000_000,
            boot: 1,
            clock: ClockQuality::Synced,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: 1,
            operator: None,
            shown,
            rule: None,
            event,
        };
        self.bodies.push(cbor::encode(&fact));
        seq
    }

    /// Checks card `n` in.
    pub fn check_in(&mut self, site: &Site, n: u8) -> u64 {
        let attended = Attended {
            subject: Subject {
                token: token(n),
                member: None,
                reader: 0,
                medium: MediumKind::Uid,
                code: None,
            },
            occurrence: SALON,
            promised: vec![Leg { unit: Unit::Pts, amount: Amount(POINTS) }],
            repeats: None,
            gate: None,
            way: Way::In,
            companions: None,
        };
        self.record(site.app.now(), Shown::Accepted, Event::Attended(attended))
    }

    /// Chain hash after a seq.
    pub fn hash(&self, seq: u64) -> Hash {
        chain::head(self.start, self.bodies[..usize::try_from(seq).unwrap()].iter().map(Vec::as_slice))
    }

    /// A signed batch of the facts from one seq to another, both included.
    pub fn batch(&mut self, from_seq: u64, to_seq: u64) -> Upload {
        self.nonce = self.nonce.wrapping_add(1);
        let range = usize::try_from(from_seq - 1).unwrap()..usize::try_from(to_seq).unwrap();
        let facts = self.bodies[range]
            .iter()
            .map(|body| Carried { body: body.clone().into(), sealed: Some(vec![7, 7].into()) })
            .collect();
        let header = BatchHeader {
            proto: PROTO,
            device: self.device,
            epoch: self.epoch,
            from_seq,
            prev_hash: self.hash(from_seq - 1),
            count: u32::try_from(to_seq - from_seq + 1).unwrap(),
            head_hash: self.hash(to_seq),
            key_id: chain::key_id(&self.public_key()),
            signature: Vec::new(),
        };
        let attempt = Attempt {
            nonce: [self.nonce; 16],
            mono_ns: 60_000_000_000,
            boot: BootId([9; 16]),
            boot_seq: 1,
            wall: Instant(0),
            oldest_held: 1,
            waiting: 5,
            echo: None,
            lease_report: None,
            heard: None,
        };
        let mut upload = Upload { header, facts, attempt };
        self.sign(&mut upload);
        upload
    }

    pub fn sign(&self, upload: &mut Upload) {
        let claim: BatchClaim = upload.header.claim();
        upload.header.signature = self.key.sign(&claim.message()).unwrap();
    }

    /// A second machine with the same key and history.
    pub fn cloned(&self) -> Self {
        Self {
            key: KeyPair::try_from(self.key.serialize_der()).unwrap(),
            open: self.open.clone(),
            device: self.device,
            epoch: self.epoch,
            certificate: self.certificate.clone(),
            bodies: self.bodies.clone(),
            start: self.start,
            nonce: 100,
        }
    }

    /// All facts from a seq on, over a new connection.
    pub async fn send_from(&mut self, site: &Site, from_seq: u64) -> Receipt {
        let upload = self.batch(from_seq, self.bodies.len() as u64);
        self.connect(site).await.upload(&upload).await.read()
    }
}
