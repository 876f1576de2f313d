//! What the loop does as time passes: a stepped clock is told, what nobody looks at any more is put away, files are kept
//! small, a day that nobody closed is closed.

use hufu_shared::fact::{ClockStepped, Event as FactEvent};
use hufu_shared::time::{ClockQuality, Instant};

use super::dispatch::{Dispatch, RESULT_KEPT_NS};
use crate::rules::timekeeping::Now;
use crate::store::{NewFact, Store};

/// How often the time is persisted, in nanoseconds.
const FLOOR_EVERY_NS: u64 = 60_000_000_000;
/// How long nothing must have happened before the write-ahead log is emptied, in nanoseconds.
const IDLE_NS: u64 = 5_000_000_000;
/// How often old facts are pruned, in nanoseconds.
const PRUNE_EVERY_NS: u64 = 6 * 3_600 * 1_000_000_000;

/// When what was last done.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    free_bytes: Option<u64>,
    pub(super) last_event_ns: u64,
    floor_ns: u64,
    prune_ns: u64,
    pub(super) log_used: bool,
}

impl Dispatch {
    pub(super) fn tick(&mut self, now: &Now) {
        if let Some(by_us) = self.clock.look_for_step() {
            tracing::warn!(by_us, "the wall clock was stepped");
            let now = self.clock.now();
            let fact = NewFact::of_terminal(
                FactEvent::ClockStepped(ClockStepped { by_us }),
                self.core.directory().version(),
                &now,
            );
            self.keep("record a clock step", |dispatch| {
                dispatch.books().store().with(|journal| journal.append(vec![fact]).map(drop))
            });
        }
        if self.desk.result.is_some() && now.mono_ns.saturating_sub(self.desk.result_at_ns) > RESULT_KEPT_NS {
            self.desk.result = None;
        }
        self.desk.candidate.take_if(|candidate| candidate.is_over(now));
        self.forget_guest(now);
        self.practise_no_longer(now);
        self.try_no_longer(now);
        self.lock_if_idle(now);
        self.ask_no_longer(now);
        let mono_ns = now.mono_ns;
        self.keep("keep the journal", |dispatch| {
            let due = |store: &Store| {
                store.with(|journal| {
                    journal.flush_refusal_due(mono_ns)?;
                    journal.write_shown()
                })
            };
            due(dispatch.books().store())?;
            if dispatch.practice.is_some() { due(dispatch.core.store()) } else { Ok(()) }
        });
        if mono_ns.saturating_sub(self.upkeep.floor_ns) >= FLOOR_EVERY_NS {
            self.upkeep.floor_ns = mono_ns;
            self.measure_disk();
            self.tell_health(now);
            let at = now.floor;
            self.keep("persist the time", |dispatch| {
                dispatch.books().store().with(|journal| {
                    journal.write_time_floor(at)?;
                    journal.count_lease_ages(mono_ns)
                })
            });
            if self.link.online {
                self.close_expired(now);
            }
            self.close_left_open(now);
            self.upkeep.log_used = true;
        }
        let idle = mono_ns.saturating_sub(self.upkeep.last_event_ns) >= IDLE_NS;
        if idle && self.upkeep.log_used {
            self.upkeep.log_used = false;
            self.keep("empty the write-ahead log", |dispatch| {
                dispatch.books().store().with(|journal| journal.checkpoint())
            });
        }
        if idle && mono_ns.saturating_sub(self.upkeep.prune_ns) >= PRUNE_EVERY_NS {
            self.upkeep.prune_ns = mono_ns;
            self.prune(now.trusted, now.quality);
        }
    }

    pub(super) fn measure_disk(&mut self) {
        let path = self.core.directory().path().to_owned();
        let stat = path.parent().and_then(|folder| rustix::fs::statvfs(folder).ok());
        self.upkeep.free_bytes = stat.map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    }

    /// Free bytes of the disk when they were last measured.
    pub(super) fn free_bytes(&self) -> Option<u64> {
        self.upkeep.free_bytes
    }

    fn prune(&mut self, at: Instant, quality: ClockQuality) {
        if quality != ClockQuality::Synced {
            return;
        }
        self.keep("prune old facts", |dispatch| {
            let pruned = dispatch.books().store().with(|journal| {
                let pruned = journal.prune(at)?;
                journal.forget_values()?;
                journal.forget_leases()?;
                Ok(pruned)
            })?;
            if pruned > 0 {
                tracing::info!(facts = pruned, "old acknowledged facts were pruned");
            }
            Ok(())
        });
    }
}
