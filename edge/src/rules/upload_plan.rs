//! What to upload next, and what the centre's answer to it means.
//!
//! The shell fetches the journal's standing, asks [`Lane::plan`], sends, and gives the answer to [`Lane::receipt`] or
//! [`Lane::problem`]. A lane that finds terminal and centre at odds stops for good: it keeps the queue and says what a
//! person must do, because sending on would bury the evidence.
//!
//! ```text
//!          plan: Send(from, limits)            receipt: Take, next from acked + 1
//!   Open ───────────────────────────▶ in flight ──────────────────────────────────▶ Open
//!     ▲                                 │  │ gap: from send_from; too large: half as many; else: again after a wait
//!     └─────────────────────────────────┘  └──▶ Stopped (fork, lost, revoked, epoch, other device, head, mark)
//! ```
//! Out of scope: signatures themselves, waits ([`super::backoff`]), and bodies of facts.

use hufu_shared::ids::Hash;
use hufu_shared::wire::problem::{Problem, ProblemKind};
use hufu_shared::wire::upload::{BATCH_BYTES_MAX, BATCH_FACTS_MAX, NONCE_BYTES, Receipt};

/// Where the journal stands when a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Seq of the newest fact, 0 for none.
    pub last_seq: u64,
    /// Facts up to here carry a receipt.
    pub acked_seq: u64,
    /// The lowest seq still held.
    pub oldest_held: u64,
}

/// What the lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Everything has a receipt.
    Idle,
    /// A person must act first.
    Stopped,
    /// Send a batch.
    Send {
        /// Seq of its first fact.
        from_seq: u64,
        /// Facts at most, at least 1.
        facts_max: usize,
        /// Bytes of bodies at most; a single fact may be larger.
        bytes_max: usize,
    },
}

/// Why uploading stopped. The queue stays whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Another fact stands at a seq of ours: this terminal, or its disk, exists twice.
    #[error("the centre holds another fact at a seq of this terminal (fork): {detail}")]
    Fork {
        /// The centre's words.
        detail: String,
    },
    /// The centre is missing facts that are no longer held here.
    #[error("the centre is missing facts from seq {send_from} on, the oldest held here is {oldest_held}")]
    Lost {
        /// What the centre expects next; 0 if it did not say.
        send_from: u64,
        /// The oldest seq held.
        oldest_held: u64,
    },
    /// The device was revoked.
    #[error("this terminal was revoked: {detail}")]
    Revoked {
        /// The centre's words.
        detail: String,
    },
    /// The device was enrolled again elsewhere.
    #[error("this enrolment is not the current one: {detail}")]
    Epoch {
        /// The centre's words.
        detail: String,
    },
    /// The centre takes this terminal for another one.
    #[error("the centre takes this terminal for another one: {detail}")]
    OtherDevice {
        /// The centre's words.
        detail: String,
    },
    /// The centre's chain differs from ours (invariant I7).
    #[error("chain hash at seq {seq} is {ours} here and {theirs} at the centre")]
    Head {
        /// Where.
        seq: u64,
        /// What this terminal computed.
        ours: Hash,
        /// What the receipt says.
        theirs: Hash,
    },
    /// A receipt for facts that were never recorded here.
    #[error("receipt for seq {acked_seq}, but the newest fact here is {last_seq}")]
    Ahead {
        /// What the receipt acknowledges.
        acked_seq: u64,
        /// The newest fact.
        last_seq: u64,
    },
    /// The receipt is not signed by the centre of this enrolment, or is for another device.
    #[error(
        "the receipt's mark is not signed by the centre that enrolled this terminal, or is another device's"
    )]
    Mark,
}

impl Stop {
    /// The reason again from its words, as the journal keeps them over a restart. What only the centre could tell
    /// again reads as the receipt's fault.
    #[must_use]
    pub fn recalled(words: &str) -> Self {
        let after = |start: &str| words.strip_prefix(start).map(str::to_owned);
        if let Some(detail) = after("the centre holds another fact at a seq of this terminal (fork): ") {
            return Self::Fork { detail };
        }
        if let Some(detail) = after("this terminal was revoked: ") {
            return Self::Revoked { detail };
        }
        if let Some(detail) = after("this enrolment is not the current one: ") {
            return Self::Epoch { detail };
        }
        if let Some(detail) = after("the centre takes this terminal for another one: ") {
            return Self::OtherDevice { detail };
        }
        let missing = after("the centre is missing facts from seq ");
        let numbers = missing.as_deref().and_then(|rest| rest.split_once(" on, the oldest held here is "));
        match numbers.map(|(from, oldest)| (from.parse(), oldest.parse())) {
            Some((Ok(send_from), Ok(oldest_held))) => Self::Lost { send_from, oldest_held },
            _ => Self::Mark,
        }
    }
}

/// What was sent, as far as its answer must match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Seq of the first fact.
    pub from_seq: u64,
    /// The attempt's nonce.
    pub nonce: [u8; NONCE_BYTES],
    /// The attempt's monotonic time.
    pub mono_ns: u64,
}

/// What the shell found out about a receipt before it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Whether the mark's signature holds and names this device and the acknowledged seq.
    pub mark_holds: bool,
    /// This terminal's chain hash at the acknowledged seq; none if it no longer holds that.
    pub own_hash: Option<Hash>,
}

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Store the receipt; send on after so many milliseconds.
    Take {
        /// The centre's wish, 0 for at once.
        next_poll_ms: u32,
    },
    /// Send again from another place without waiting.
    Resend,
    /// Wait as [`super::backoff`] says, then try again; the text says why.
    Retry(String),
    /// Uploading has stopped.
    Stopped(Stop),
}

/// The upload lane. Lives as long as the daemon; what it forgets at a restart the centre's next answer tells again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    from_seq: Option<u64>,
    facts_max: usize,
    timeouts: u32,
    stopped: Option<Stop>,
}

impl Default for Lane {
    fn default() -> Self {
        Self { from_seq: None, facts_max: BATCH_FACTS_MAX, timeouts: 0, stopped: None }
    }
}

impl Lane {
    /// Why the lane stopped, if it did.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stop> {
        self.stopped.as_ref()
    }

    /// What to do next.
    #[must_use]
    pub fn plan(&self, standing: &Standing) -> Plan {
        // What is held no more cannot be sent: the attempt says where the queue begins, and the centre that it is lost.
        let from_seq = self.from_seq.unwrap_or(standing.acked_seq + 1).max(standing.oldest_held);
        if self.stopped.is_some() {
            Plan::Stopped
        } else if from_seq > standing.last_seq {
            Plan::Idle
        } else {
            Plan::Send { from_seq, facts_max: self.facts_max, bytes_max: BATCH_BYTES_MAX }
        }
    }

    /// Judges a receipt. Order matters: an answer to another attempt proves nothing and is only tried again; what is
    /// signed and wrong is an alarm.
    pub fn receipt(&mut self, sent: &Sent, answer: &Receipt, own: &Standing, seen: &Evidence) -> Verdict {
        let (result, session) = (&answer.result, &answer.session);
        if session.nonce != sent.nonce || session.mono_ns != sent.mono_ns {
            return Verdict::Retry("receipt belongs to another attempt".to_owned());
        }
        if !seen.mark_holds {
            return self.stop(Stop::Mark);
        }
        let acked_seq = result.acked_seq;
        if acked_seq > own.last_seq {
            return self.stop(Stop::Ahead { acked_seq, last_seq: own.last_seq });
        }
        let Some(ours) = seen.own_hash else {
            return Verdict::Retry(format!("receipt for seq {acked_seq}, whose hash is no longer held here"));
        };
        if ours != result.head_hash {
            return self.stop(Stop::Head { seq: acked_seq, ours, theirs: result.head_hash });
        }
        if acked_seq < sent.from_seq {
            // A centre that takes nothing, or has fallen back: from where it stands, but not in a tight circle.
            self.from_seq = Some(acked_seq + 1);
            return Verdict::Retry(format!(
                "the centre stands at seq {acked_seq} and took none of the batch"
            ));
        }
        self.timeouts = 0;
        // While a restored centre is filled up again, the journal's own mark is ahead of it.
        self.from_seq = (acked_seq < own.acked_seq).then_some(acked_seq + 1);
        let credit = usize::try_from(session.credit.max_facts).unwrap_or(BATCH_FACTS_MAX);
        self.facts_max = credit.clamp(1, BATCH_FACTS_MAX);
        Verdict::Take { next_poll_ms: session.credit.next_poll_ms }
    }

    /// Judges a problem document that came instead of a receipt.
    pub fn problem(&mut self, sent: &Sent, problem: &Problem, own: &Standing) -> Verdict {
        let detail = problem.detail.clone();
        match ProblemKind::of(problem) {
            Some(ProblemKind::Gap) => self.gap(sent, problem.send_from, own),
            Some(ProblemKind::Lost) => self
                .stop(Stop::Lost { send_from: problem.send_from.unwrap_or(0), oldest_held: own.oldest_held }),
            Some(ProblemKind::Fork) => self.stop(Stop::Fork { detail }),
            Some(ProblemKind::Revoked) => self.stop(Stop::Revoked { detail }),
            Some(ProblemKind::Epoch) => self.stop(Stop::Epoch { detail }),
            Some(ProblemKind::OtherDevice) => self.stop(Stop::OtherDevice { detail }),
            Some(ProblemKind::TooLarge) if self.facts_max > 1 => {
                self.facts_max /= 2;
                Verdict::Resend
            }
            _ => Verdict::Retry(format!("{} {}: {detail}", problem.status, problem.title)),
        }
    }

    /// No answer came in time. From the second time in a row on, the batch may be too large for a slow line: half as
    /// many facts. Gives `true` if the batch must be cut anew.
    pub fn timed_out(&mut self) -> bool {
        self.timeouts = self.timeouts.saturating_add(1);
        let shrinks = self.timeouts > 1 && self.facts_max > 1;
        if shrinks {
            self.facts_max /= 2;
        }
        shrinks
    }

    fn gap(&mut self, sent: &Sent, send_from: Option<u64>, own: &Standing) -> Verdict {
        match send_from {
            Some(seq) if (1..own.oldest_held).contains(&seq) => {
                self.stop(Stop::Lost { send_from: seq, oldest_held: own.oldest_held })
            }
            Some(seq) if seq > own.last_seq + 1 => {
                self.stop(Stop::Ahead { acked_seq: seq - 1, last_seq: own.last_seq })
            }
            // A gap lies before the batch; anything else would send the same batch round and round.
            Some(seq) if seq > 0 && seq < sent.from_seq => {
                self.from_seq = Some(seq);
                Verdict::Resend
            }
            met => {
                Verdict::Retry(format!("gap before seq {} reported with send_from {met:?}", sent.from_seq))
            }
        }
    }

    fn stop(&mut self, why: Stop) -> Verdict {
        self.stopped = Some(why.clone());
        Verdict::Stopped(why)
    }
}

#[cfg(test)]
mod tests;
