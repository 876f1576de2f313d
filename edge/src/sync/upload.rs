//! The upload lane: facts out, receipts in.
//!
//! [`Uploader::step`] makes one exchange. What was prepared is sent again byte for byte until it is answered, so that
//! every retry can have the identical result (invariant I18); only the attempt's nonce and time are fresh. A receipt
//! is stored only when the lane's rules accept it, and its dispositions, cursor and mark in one transaction.
//! A second such lane delivers what the journal of an earlier enrolment still holds. It tells nobody how the terminal is,
//! and what it says of clock and boot is nothing: those boots are over.
//! Out of scope: waiting between steps ([`super::task`]), and what the answers mean ([`crate::rules::upload_plan`]).

use hufu_shared::cbor;
use hufu_shared::chain::{self, BatchClaim};
use hufu_shared::fact::{Event, Fact};
use hufu_shared::ids::{BootId, Hash};
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::time::SECOND_US;
use hufu_shared::wire::upload::{Attempt, BatchHeader, Carried, LeaseReport, Receipt, Upload};
use hufu_shared::wire::version::{PROTO, Version};
use tracing::{debug, warn};

use super::authorize::signed_states;
use super::client::{CentreError, Channel};
use super::link::{Begun, CentreKnown, Shared};
use super::pair::{Pair, PairError};
use crate::random;
use crate::rules::backoff::Wish;
use crate::rules::upload_plan::{Evidence, Lane, Plan, Sent, Standing, Verdict};
use crate::store::{JournalState, Receipted, Store, StoreError, StoredFact};

/// Where batches go.
pub const EVENTS_PATH: &str = "/device/v1/events";
/// Bytes of a receipt at most: a disposition for each of 500 facts, with room for lease states and commands.
pub const RECEIPT_BYTES_MAX: usize = 512 * 1024;

/// A step could not be made, for a reason at this side.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that signs.
    #[error("sign a batch: {0}")]
    Sign(#[from] PairError),
    /// The journal contradicts itself.
    #[error("the journal does not hold what is to be sent: {detail}")]
    Journal {
        /// What is missing.
        detail: String,
    },
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to send.
    Idle,
    /// A receipt was stored.
    Sent {
        /// Milliseconds that the centre asks to wait.
        next_poll_ms: u32,
    },
    /// Send again from another place or with fewer facts, at once.
    Again,
    /// Try again after a wait.
    Wait {
        /// What the centre says about it.
        wish: Wish,
        /// Age of the oldest waiting fact in seconds.
        queue_age_s: u64,
    },
    /// A person must act.
    Stopped,
}

/// The batch that is on its way until it is answered.
#[derive(Debug, Clone)]
struct Prepared {
    header: BatchHeader,
    facts: Vec<Carried>,
    oldest: Option<Fact>,
}

/// The upload lane with its memory.
#[derive(Debug)]
pub struct Uploader {
    store: Store,
    shared: Shared,
    centre: CentreKnown,
    boot: BootId,
    is_aside: bool,
    lane: Lane,
    prepared: Option<Prepared>,
}

impl Uploader {
    /// A lane over the journal, after the boot was recorded.
    ///
    /// # Errors
    /// [`UploadError`] if the journal does not hold the boot.
    pub async fn new(store: Store, shared: Shared, centre: CentreKnown) -> Result<Self, UploadError> {
        let boot = store.call(|journal| {
            let seq = journal.state()?.boot_seq;
            journal.pending(seq, 1, usize::MAX)
        });
        let boot = boot.await?;
        let fact = boot.first().and_then(|stored| cbor::decode::<Fact>(&stored.body).ok());
        let Some(Event::Booted(booted)) = fact.map(|fact| fact.event) else {
            return Err(UploadError::Journal { detail: "no start of this run".to_owned() });
        };
        let (lane, boot) = (Lane::default(), booted.boot);
        Ok(Self { store, shared, centre, boot, is_aside: false, lane, prepared: None })
    }

    /// A lane over the journal of an earlier enrolment.
    #[must_use]
    pub fn aside(store: Store, shared: Shared, centre: CentreKnown) -> Self {
        let (lane, boot) = (Lane::default(), BootId([0; 16]));
        Self { store, shared, centre, boot, is_aside: true, lane, prepared: None }
    }

    /// Makes one exchange, if there is something to send.
    ///
    /// # Errors
    /// [`UploadError`] for faults at this side; faults of line and centre are part of [`Progress`].
    pub async fn step(&mut self, channel: &Channel) -> Result<Progress, UploadError> {
        let state = self.store.call(|journal| journal.state()).await?;
        let own = standing(&state);
        let owes_report = self.owes_report(&state);
        if self.prepared.is_none() {
            match self.lane.plan(&own) {
                // A centre that waits for the report gets it with the newest fact, once more.
                Plan::Idle if owes_report => {
                    let newest = state.last_seq;
                    self.prepared = Some(self.prepare(&state, &channel.pair, newest, 1, usize::MAX).await?);
                }
                Plan::Idle => return Ok(Progress::Idle),
                Plan::Stopped => return Ok(Progress::Stopped),
                Plan::Send { from_seq, facts_max, bytes_max } => {
                    let prepared =
                        self.prepare(&state, &channel.pair, from_seq, facts_max, bytes_max).await?;
                    self.prepared = Some(prepared);
                }
            }
        }
        let Some(prepared) = &self.prepared else { return Ok(Progress::Idle) };
        let begun = self.shared.begin();
        let report = if owes_report { Some(self.report(&state).await?) } else { None };
        let attempt = self.attempt(&state, &prepared.header, report);
        let from_seq = prepared.header.from_seq;
        let attempt_wall = attempt.wall;
        let sent = Sent { from_seq, nonce: attempt.nonce, mono_ns: attempt.mono_ns };
        let upload = Upload { header: prepared.header.clone(), facts: prepared.facts.clone(), attempt };
        // Whose facts have waited longest goes first at a busy centre; it decides before it reads the body.
        let oldest = prepared.oldest.as_ref().map_or(attempt_wall, |fact| fact.wall);
        let path = format!("{EVENTS_PATH}?oldest={}", oldest.0);
        let answer = channel.centre.post::<Receipt>(&path, cbor::encode(&upload), RECEIPT_BYTES_MAX).await;
        // Facts go on being recorded: what was sent may be newer than what was there when this step began.
        let own = standing(&self.store.call(|journal| journal.state()).await?);
        let (verdict, wish) = match answer {
            Ok(receipt) => (self.judge(&sent, &receipt, &state, &own).await?, Wish::Nothing),
            Err(error) => (self.judge_failure(&sent, &error, &own), error.wish()),
        };
        self.conclude(verdict, (begun, wish), &sent, &own).await
    }

    /// Does what the verdict on an answer asks for.
    async fn conclude(
        &mut self,
        verdict: Judged,
        (begun, wish): (Begun, Wish),
        sent: &Sent,
        own: &Standing,
    ) -> Result<Progress, UploadError> {
        match verdict {
            Judged::Take(receipt, next_poll_ms) => {
                self.take(&receipt).await?;
                if !self.is_aside && !is_bare(&receipt) {
                    self.shared.goes_on();
                }
                self.shared.succeeded(begun, receipt.session.central_time, false);
                self.shared.pass_on(&receipt.session.commands);
                self.prepared = None;
                Ok(Progress::Sent { next_poll_ms })
            }
            Judged::Other(Verdict::Resend) => {
                self.prepared = None;
                Ok(Progress::Again)
            }
            Judged::Other(Verdict::Stopped(stop)) => {
                self.prepared = None;
                let words = stop.to_string();
                self.store.call(move |journal| journal.set_stopped(Some(&words))).await?;
                if self.is_aside {
                    warn!(%stop, "what an earlier enrolment left is not taken; it is kept");
                } else {
                    self.shared.stopped(&stop);
                }
                Ok(Progress::Stopped)
            }
            Judged::Other(Verdict::Retry(reason)) => {
                debug!(reason, "the batch is tried again");
                let queue_age_s = self.queue_age_s();
                // The lane may want to begin elsewhere; otherwise the same bytes go again.
                let goes_on =
                    matches!(self.lane.plan(own), Plan::Send { from_seq, .. } if from_seq == sent.from_seq);
                if !goes_on {
                    self.prepared = None;
                }
                if let (Wish::ByTheCentre(wait_ms), false) = (wish, self.is_aside) {
                    self.shared.put_off(wait_ms);
                }
                Ok(Progress::Wait { wish, queue_age_s })
            }
            Judged::Other(Verdict::Take { next_poll_ms }) => Ok(Progress::Sent { next_poll_ms }),
        }
    }

    async fn prepare(
        &self,
        state: &JournalState,
        pair: &Pair,
        from_seq: u64,
        facts_max: usize,
        bytes_max: usize,
    ) -> Result<Prepared, UploadError> {
        let fetched = self.store.call(move |journal| {
            let before = journal.hash_at(from_seq.saturating_sub(1))?;
            Ok((before, journal.pending(from_seq, facts_max, bytes_max)?))
        });
        let (before, stored) = fetched.await?;
        let missing = |detail: String| UploadError::Journal { detail };
        let prev_hash = before.ok_or_else(|| missing(format!("the hash before seq {from_seq}")))?;
        let gapless = (from_seq..).zip(&stored).all(|(seq, fact)| fact.seq == seq);
        let Some(last) = stored.last().filter(|_| gapless) else {
            return Err(missing(format!("facts from seq {from_seq} on without a gap")));
        };
        let claim = BatchClaim {
            device: state.device,
            epoch: state.epoch,
            from_seq,
            count: u32::try_from(stored.len()).unwrap_or(u32::MAX),
            head: last.hash,
            key_id: pair.key_id(),
        };
        // A row that rotted on the disk would look like a fork at the centre; it is found here, before it is signed.
        let head = chain::head(prev_hash, stored.iter().map(|fact| fact.body.as_slice()));
        if head != last.hash {
            return Err(missing(format!("a chain that adds up from seq {from_seq} to {}", last.seq)));
        }
        let header = BatchHeader {
            proto: PROTO,
            device: claim.device,
            epoch: claim.epoch,
            from_seq,
            prev_hash,
            count: claim.count,
            head_hash: claim.head,
            key_id: claim.key_id,
            signature: pair.sign(&claim.message())?,
        };
        let oldest = stored.first().and_then(|fact| cbor::decode(&fact.body).ok());
        Ok(Prepared { header, facts: stored.into_iter().map(carried).collect(), oldest })
    }

    /// Whether a newer life of the centre was learned and no receipt of it is held: then every attempt shows the
    /// leases first.
    fn owes_report(&self, state: &JournalState) -> bool {
        let answered = state.mark.as_ref().map_or(self.centre.epoch, |mark| mark.central_epoch);
        answered.n < self.centre.learned(state).n
    }

    async fn report(&self, state: &JournalState) -> Result<LeaseReport, UploadError> {
        let states = self.store.call(|journal| journal.lease_report()).await?;
        Ok(LeaseReport { epoch: self.centre.learned(state), states })
    }

    fn attempt(&self, state: &JournalState, header: &BatchHeader, report: Option<LeaseReport>) -> Attempt {
        let now = self.shared.clock().now();
        let last = header.from_seq + u64::from(header.count) - 1;
        let stored = self.shared.heard().filter(|_| mutant::on(Mutant::StoredClockSample));
        let mono_ns = stored.map_or(now.mono_ns, |heard| heard.mono_ns);
        Attempt {
            nonce: random::bytes(),
            mono_ns,
            boot: self.boot,
            boot_seq: if self.is_aside { 0 } else { state.boot_seq },
            wall: now.wall,
            oldest_held: state.oldest_held,
            waiting: state.last_seq.saturating_sub(last),
            echo: state.mark.clone(),
            lease_report: report,
            heard: self.shared.heard().filter(|_| !self.is_aside),
        }
    }

    async fn judge(
        &mut self,
        sent: &Sent,
        receipt: &Receipt,
        state: &JournalState,
        own: &Standing,
    ) -> Result<Judged, UploadError> {
        let mark_holds = self.centre.signed(&receipt.session.mark, state.device)
            && receipt.session.mark.acked_seq == receipt.result.acked_seq;
        if mark_holds && self.centre.is_older(receipt.session.mark.central_epoch, state) {
            // The echo of the newer mark tells the centre that it was rolled back; until it knows, nothing is taken.
            let reason = "receipt of an older life of the centre".to_owned();
            return Ok(Judged::Other(Verdict::Retry(reason)));
        }
        if mark_holds && self.centre.is_newer(receipt.session.mark.central_epoch, state) {
            // Stored first; the same batch goes again with the lease report, and only that answer is taken.
            let epoch = receipt.session.mark.central_epoch;
            warn!(epoch = epoch.n, "the centre entered a new epoch");
            self.store.call(move |journal| journal.set_central_epoch(epoch)).await?;
            return Ok(Judged::Other(Verdict::Resend));
        }
        let acked = receipt.result.acked_seq;
        let own_hash: Option<Hash> = self.store.call(move |journal| journal.hash_at(acked)).await?;
        let evidence = Evidence { mark_holds, own_hash };
        Ok(match self.lane.receipt(sent, receipt, own, &evidence) {
            Verdict::Take { next_poll_ms } => Judged::Take(Box::new(receipt.clone()), next_poll_ms),
            other => Judged::Other(other),
        })
    }

    fn judge_failure(&mut self, sent: &Sent, error: &CentreError, own: &Standing) -> Judged {
        self.shared.failed("upload", error);
        Judged::Other(match error {
            CentreError::Problem { problem, .. } => self.lane.problem(sent, problem, own),
            CentreError::TimedOut { .. } => {
                if self.lane.timed_out() {
                    self.prepared = None;
                }
                Verdict::Retry(error.to_string())
            }
            other => Verdict::Retry(other.to_string()),
        })
    }

    async fn take(&self, receipt: &Receipt) -> Result<(), UploadError> {
        let mark = receipt.session.mark.clone();
        let receipted = Receipted {
            acked_seq: receipt.result.acked_seq,
            mark,
            dispositions: receipt.result.dispositions.clone(),
            at: self.shared.clock().now().trusted,
        };
        let states = signed_states(&receipt.session.leases, &self.shared, &self.centre);
        let (centre, now, settled_at) =
            (self.centre, self.shared.clock().now(), receipt.session.central_time);
        let store = self.store.call(move |journal| {
            // Before the mark is stored, since its echo says that the states named in it are held.
            let epoch = centre.learned(&journal.state()?);
            journal.take_leases(&states, epoch, &now, Version::default())?;
            journal.take_receipt(&receipted)?;
            journal.note_settled(settled_at)
        });
        Ok(store.await?)
    }

    fn queue_age_s(&self) -> u64 {
        let Some(oldest) = self.prepared.as_ref().and_then(|prepared| prepared.oldest.as_ref()) else {
            return 0;
        };
        let age_us = self.shared.clock().now().trusted.since(oldest.wall);
        u64::try_from(age_us / SECOND_US).unwrap_or(0)
    }
}

/// Whether a receipt says that the facts are durable and nothing else: a person must look at this terminal first.
fn is_bare(receipt: &Receipt) -> bool {
    receipt.session.mark.journal_size == 0
}

enum Judged {
    Take(Box<Receipt>, u32),
    Other(Verdict),
}

fn standing(state: &JournalState) -> Standing {
    Standing { last_seq: state.last_seq, acked_seq: state.acked_seq, oldest_held: state.oldest_held }
}

fn carried(fact: StoredFact) -> Carried {
    Carried { body: fact.body.into(), sealed: fact.sealed.map(Into::into) }
}
