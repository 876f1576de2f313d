//! A scripted terminal that is not built like the others: newer, or wrong, or dishonest. It signs with a good key and
//! keeps a good chain, but its facts are made by hand: some nobody here can read, some claim what cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::{Method, Request};
use hufu_edge::sync::pair::Pair;
use hufu_edge::sync::upload::EVENTS_PATH;
use hufu_shared::cbor;
use hufu_shared::chain::{self, BatchClaim};
use hufu_shared::fact::{
    Booted, DayClosed, DayTotals, Earned, Event, FACT_FORMAT, Fact, Reversed, Shown, Subject, Visited,
};
use hufu_shared::ids::{BootId, DeviceId, FactId, Hash, LeaseId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::time::{ClockQuality, Day, Instant};
use hufu_shared::token::MediumKind;
use hufu_shared::wire::lease::LeaseState;
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::upload::{Attempt, BatchHeader, Carried, LeaseReport, Receipt, ReceiptMark, Upload};
use hufu_shared::wire::version::{PROTO, Version};

use super::club::{self, Club};
use super::run::{Run, What};
use super::time::{DAY, HOUR};

/// Facts that it sends at once, at most.
const BATCH_FACTS: usize = 40;

/// The scripted terminal.
pub struct Stranger {
    /// Its id.
    pub(super) id: DeviceId,
    pair: Pair,
    /// What it shows the centre.
    pub(super) certificate: Arc<[u8]>,
    booted_at: i64,
    /// Its facts, from seq 1 on.
    pub(super) bodies: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    /// How many of them are acknowledged.
    pub(super) acked: usize,
    /// Places of facts that nobody here can read.
    pub(super) unreadable: BTreeSet<usize>,
    /// Leases with what it says to have spent of each.
    pub(super) leases: BTreeMap<(LeaseId, u32), (LeaseState, Amount)>,
    /// The newest mark that it holds.
    pub(super) mark: Option<ReceiptMark>,
}

impl Stranger {
    /// The one that the club enrolled last.
    #[must_use]
    pub fn new(club: &Club) -> Self {
        let n = club.size.devices;
        let (id, pair) = (club::device(n), club.pairs[n].clone());
        let certificate = Arc::from(pair.certificate().as_ref());
        let hashes = vec![chain::start(id, 1, pair.public_key_info())];
        Self {
            id,
            pair,
            certificate,
            booted_at: 0,
            bodies: Vec::new(),
            hashes,
            acked: 0,
            unreadable: BTreeSet::new(),
            leases: BTreeMap::new(),
            mark: None,
        }
    }

    fn push(&mut self, body: Vec<u8>) {
        let head = self.hashes.last().copied().unwrap_or(Hash([0; 32]));
        self.hashes.push(chain::link(head, &body));
        self.bodies.push(body);
    }

    fn fact(&self, now: i64, wall: i64, event: Event) -> Fact {
        Fact {
            format: FACT_FORMAT,
            seq: self.bodies.len() as u64 + 1,
            wall: Instant(wall),
            mono_ns: (now - self.booted_at).unsigned_abs() * 1_000,
            boot: 1,
            clock: ClockQuality::Kept,
            directory: Version { epoch: 1, n: 1 },
            block: Version { epoch: 1, n: 1 },
            scheme: 1,
            operator: None,
            shown: Shown::Accepted,
            rule: None,
            event,
        }
    }

    /// Records something.
    pub(super) fn record(&mut self, now: i64, wall: i64, event: Event) {
        let body = cbor::encode(&self.fact(now, wall, event));
        self.push(body);
    }

    /// A fact with a field that must be understood and is not: a newer program's.
    fn unreadable(&mut self, now: i64, subject: Subject) {
        let mut body = cbor::encode(&self.fact(now, now, Event::Visited(Visited { subject })));
        // A map of less than 23 fields has its length in its first byte; field 64 is one more.
        body[0] += 1;
        body.extend([0x18, 64, 0]);
        self.unreadable.insert(self.bodies.len());
        self.push(body);
    }

    fn upload(&self, from: usize, to: usize, now: i64, nonce: [u8; 16]) -> anyhow::Result<Upload> {
        let header = BatchClaim {
            device: self.id,
            epoch: 1,
            from_seq: from as u64 + 1,
            count: u32::try_from(to - from)?,
            head: self.hashes[to],
            key_id: self.pair.key_id(),
        };
        let header = BatchHeader {
            proto: PROTO,
            device: header.device,
            epoch: header.epoch,
            from_seq: header.from_seq,
            prev_hash: self.hashes[from],
            count: header.count,
            head_hash: header.head,
            key_id: header.key_id,
            signature: self.pair.sign(&header.message())?,
        };
        let facts = self.bodies[from..to].iter();
        Ok(Upload {
            header,
            facts: facts.map(|body| Carried { body: body.clone().into(), sealed: None }).collect(),
            attempt: Attempt {
                nonce,
                mono_ns: (now - self.booted_at).unsigned_abs() * 1_000,
                boot: BootId([5; 16]),
                boot_seq: 1,
                wall: Instant(now),
                oldest_held: 1,
                waiting: 0,
                // A centre that was rolled back waits for this one like for any other.
                echo: self.mark.clone(),
                lease_report: self.mark.as_ref().map(|mark| LeaseReport {
                    epoch: mark.central_epoch,
                    states: self.leases.values().map(|held| held.0.clone()).collect(),
                }),
                heard: None,
            },
        })
    }
}

impl Run<'_> {
    /// The scripted terminal records and sends something.
    ///
    /// # Errors
    /// If the centre's answer cannot be read.
    pub fn stranger(&mut self) -> anyhow::Result<()> {
        let now = self.time.now();
        if self.is_calm {
            // It adds nothing more, and delivers and reports like any other.
            self.after(3 * HOUR, What::Stranger);
            return self.strange_upload(now);
        }
        if self.stranger.bodies.is_empty() {
            self.stranger.booted_at = now;
            let booted = Booted {
                boot: BootId([5; 16]),
                counter: 1,
                board: Hash::of(&[b"board", &self.stranger.id.0]),
                software: "0.0.0".to_owned(),
                unclean: false,
            };
            self.stranger.record(now, now, Event::Booted(booted));
        }
        for _ in 0..self.random.between(1, 3) {
            self.strange_fact(now);
        }
        if self.random.chance(400) {
            self.ask_for_more()?;
        }
        if self.random.chance(700) {
            self.steal(now);
        }
        let poisons = self.stranger.acked > 0 && !self.is_centre_down && self.random.chance(250);
        if poisons {
            self.poison(now)?;
        }
        self.strange_upload(now)?;
        if poisons {
            self.mend_books()?;
        }
        let after = self.random.between(2 * HOUR, 14 * HOUR);
        self.after(after, What::Stranger);
        Ok(())
    }

    fn strange_fact(&mut self, now: i64) {
        let card = self.random.index(self.size.members);
        let token = self.club.token_key.token(&club::card_text(card));
        let subject = Subject { token, member: None, reader: 0, medium: MediumKind::Uid, code: None };
        match self.random.below(7) {
            0 => {
                self.counters.path("unreadable fact sent");
                self.stranger.unreadable(now, subject);
            }
            1 => {
                let day = Day(i32::try_from((now + 8 * HOUR) / DAY).unwrap_or(0));
                let totals = DayTotals { refused: 99, ..DayTotals::default() };
                let to_seq = self.stranger.bodies.len() as u64;
                let closed = DayClosed { day, from_seq: 1, to_seq, totals, unattended: false, counted: None };
                self.stranger.record(now, now, Event::DayClosed(closed));
            }
            2 => self.stranger.record(now, now + 400 * DAY, Event::Visited(Visited { subject })),
            3 => {
                self.books.strange.insert(card);
                let purchase = Amount(i64::MAX - 1);
                let (slip, replaces, repeats, paid) = (None, None, None, None);
                let earned = Earned { subject, purchase, promised: vec![], slip, replaces, repeats, paid };
                self.stranger.record(now, now, Event::Earned(earned));
            }
            4 => {
                // Of something that nobody recorded, or of a return.
                let seq = 1 + self.random.below(2 * self.stranger.bodies.len() as u64 + 1_000);
                let original = FactId { device: self.stranger.id, epoch: 1, seq };
                let legs = vec![Leg { unit: Unit::Pts, amount: Amount(self.random.between(1, 50)) }];
                let reversed = Reversed { original, legs, reason: "return".to_owned(), slip: None };
                self.stranger.record(now, now, Event::Reversed(reversed));
            }
            5 if self.reverse_a_strangers_top_up(now) => {}
            _ => self.stranger.record(now, now, Event::Visited(Visited { subject })),
        }
    }

    /// Sends what is not acknowledged, sometimes with what is.
    fn strange_upload(&mut self, now: i64) -> anyhow::Result<()> {
        if self.is_centre_down || self.stranger.bodies.is_empty() {
            return Ok(());
        }
        let acked = self.stranger.acked.min(self.stranger.bodies.len() - usize::from(self.is_calm));
        let from = if self.random.chance(300) { self.random.index(acked + 1) } else { acked };
        let to = self.stranger.bodies.len().min(from + BATCH_FACTS);
        let upload = self.stranger.upload(from, to, now, self.random.bytes())?;
        let mut request = Request::new(cbor::encode(&upload));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = EVENTS_PATH.parse()?;
        let certificate = Arc::clone(&self.stranger.certificate);
        let response = self.centre.handle(request, &certificate)?;
        self.ring();
        self.judge(&upload, &response)?;
        if response.status().is_success() {
            let receipt: Receipt = cbor::decode(response.body())?;
            self.stranger.acked = usize::try_from(receipt.result.acked_seq)?.max(acked);
            self.note_poisoned(&receipt);
            self.keep_leases(&receipt);
        } else if let Ok(problem) = serde_json::from_slice::<Problem>(response.body())
            && ProblemKind::of(&problem) == Some(ProblemKind::Gap)
        {
            let next = usize::try_from(problem.send_from.unwrap_or(1))?;
            self.stranger.acked = next.saturating_sub(1).min(self.stranger.bodies.len());
        }
        Ok(())
    }
}
