//! Jobs by name: which there are, by which rule each works, and when one is due.
//!
//! What a job does follows from the books and the time alone, never from when it ran last: so one that comes late does
//! what it would have done in time, and one that comes twice does nothing the second time. Here stands only when it is
//! worth looking. Out of scope: what each does, which is for the modules of [`crate::jobs`].

use hufu_shared::member::{LATE_EXIT_US, OccurrenceRow, OccurrenceState};
use hufu_shared::time::{Instant, OfficeClock, SECOND_US};

/// A job that failed is not tried again for so long, in us.
pub const RETRY_AFTER_US: i64 = 600 * SECOND_US;

/// A named job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// Business days are settled 40 days after they were.
    Settle,
    /// Points are filled up on the member day.
    RoundUp,
    /// Points that ran out are taken off.
    Expiry,
    /// Applications lapse whose time is up.
    Lapse,
    /// What a terminal brought about somebody erased before is forgotten.
    ForgetLate,
    /// Members of whom nothing was heard are put down as leaving.
    AutoLeave,
    /// Members rise and fall in level.
    Levels,
    /// The first of a period are found, for the award.
    Ranking,
    /// Coupons are given to who joined, and to whose birthday comes.
    Coupons,
    /// Main cards are marked that points change.
    CardChange,
    /// Sub cards end whose time is up, or whose main card ended.
    SubCards,
    /// Cases end whose time is up.
    Deadlines,
    /// Triggers make changes of points, which wait for approval.
    Triggers,
    /// Who bought in a week is to be told what was recorded.
    Purchases,
    /// Activities end that nobody ended.
    Activities,
    /// Terminals' days are counted that nobody closed: a person sees to them.
    UnclosedDays,
    /// Members are reminded of activities at which they have a place.
    Reminders,
}

/// When a job is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Whenever the books have something for it.
    WhenDue,
    /// Once for each business day: looking costs more.
    Daily,
}

impl Job {
    /// All, in the order in which they run: what settles a day goes before what reads settled days, and what the end of a
    /// day gives before what ends with it, and before levels, which look at both.
    pub const ALL: [Self; 17] = [
        Self::Settle,
        Self::RoundUp,
        Self::Expiry,
        Self::Lapse,
        Self::ForgetLate,
        Self::AutoLeave,
        Self::Levels,
        Self::Ranking,
        Self::Coupons,
        Self::CardChange,
        Self::SubCards,
        Self::Deadlines,
        Self::Triggers,
        Self::Purchases,
        Self::Activities,
        Self::UnclosedDays,
        Self::Reminders,
    ];

    /// Its name on the command line, in database and API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::RoundUp => "round_up",
            Self::Expiry => "expiry",
            Self::Lapse => "lapse",
            Self::ForgetLate => "forget_late",
            Self::AutoLeave => "auto_leave",
            Self::Levels => "levels",
            Self::Ranking => "ranking",
            Self::Coupons => "coupons",
            Self::CardChange => "card_change",
            Self::SubCards => "sub_cards",
            Self::Deadlines => "deadlines",
            Self::Triggers => "triggers",
            Self::Purchases => "purchases",
            Self::Activities => "activities",
            Self::UnclosedDays => "unclosed_days",
            Self::Reminders => "reminders",
        }
    }

    /// The job of a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.code() == code)
    }

    /// Numbers of the rules by which it works; empty where none has a number.
    #[must_use]
    pub fn rules(self) -> &'static str {
        match self {
            Self::RoundUp => "P3",
            Self::Expiry => "S3, B4",
            Self::Lapse => "G1, G2, E1",
            Self::ForgetLate => "X17",
            Self::AutoLeave => "K11",
            Self::Levels => "B1, B2, P1, P5",
            Self::Ranking => "P4",
            Self::Coupons => "S9, S10",
            Self::CardChange => "K17",
            Self::SubCards => "K17, K18",
            Self::Activities => "K26",
            Self::Reminders => "K25",
            Self::Triggers => "K21, K23",
            Self::Purchases => "G7",
            Self::Settle | Self::Deadlines | Self::UnclosedDays => "",
        }
    }

    /// When it is looked at.
    #[must_use]
    pub fn rhythm(self) -> Rhythm {
        match self {
            Self::AutoLeave | Self::UnclosedDays => Rhythm::Daily,
            _ => Rhythm::WhenDue,
        }
    }
}

/// What is known of earlier runs of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Past {
    /// When the newest run began that ended well.
    pub done: Option<Instant>,
    /// When the newest run ended that failed, or was cut off.
    pub failed: Option<Instant>,
}

/// Whether a job may be looked at now: not soon after it failed, and one of each day only once for the day.
#[must_use]
pub fn may_look(job: Job, past: Past, clock: &OfficeClock, now: Instant) -> bool {
    let is_new_day = |done: Instant| clock.business_day(done) < clock.business_day(now);
    let rests = past.failed.is_some_and(|failed| {
        past.done.is_none_or(|done| done < failed) && now.since(failed) < RETRY_AFTER_US
    });
    !rests && (job.rhythm() == Rhythm::WhenDue || past.done.is_none_or(is_new_day))
}

/// The row with which an activity ends that was left open (K26): approved, and over for as long as guests may still be
/// seen leaving. None for any other. What happened within its plan counts as before.
#[must_use]
pub fn left_open(row: &OccurrenceRow, now: Instant) -> Option<OccurrenceRow> {
    let is_over = row.ends.offset(LATE_EXIT_US) <= now;
    (row.state == OccurrenceState::Approved && is_over)
        .then(|| OccurrenceRow { state: OccurrenceState::Ended, ..row.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::ids::{ActivityId, OccurrenceId};
    use hufu_shared::member::Audience;
    use hufu_shared::money::Amount;
    use hufu_shared::scheme::Words;
    use hufu_shared::time::DAY_US;

    /// Noon of 2026-11-22 in Shanghai.
    const NOON: Instant = Instant(1_795_320_000 * SECOND_US);

    #[test]
    fn a_job_of_each_day_is_looked_at_once_for_the_day_and_one_that_failed_rests() {
        let clock = OfficeClock::default();
        let done = |us: i64| Past { done: Some(NOON.offset(us)), failed: None };
        for (past, daily, other) in [
            (Past::default(), true, true),
            (done(-60 * SECOND_US), false, true),
            (done(-11 * 3_600 * SECOND_US), false, true),
            (done(-13 * 3_600 * SECOND_US), true, true),
            (Past { failed: Some(NOON.offset(-RETRY_AFTER_US + 1)), ..done(-DAY_US) }, false, false),
            (Past { failed: Some(NOON.offset(-RETRY_AFTER_US)), ..done(-DAY_US) }, true, true),
            (Past { failed: Some(NOON.offset(-SECOND_US)), ..done(0) }, false, true),
        ] {
            let looks = [Job::AutoLeave, Job::Deadlines].map(|job| may_look(job, past, &clock, NOON));
            assert_eq!(looks, [daily, other], "{past:?}");
        }
    }

    #[test]
    fn every_job_is_found_by_its_name() {
        for job in Job::ALL {
            assert_eq!(Job::from_code(job.code()), Some(job));
        }
        assert_eq!(Job::from_code("expire"), None);
    }

    #[test]
    fn rule_k26_an_activity_left_open_ends_once_nobody_can_be_leaving_it_any_more() {
        let row = OccurrenceRow {
            occurrence: OccurrenceId([1; 16]),
            activity: ActivityId([2; 16]),
            name: Words { zh: String::new(), en: String::new() },
            starts: NOON.offset(-DAY_US),
            ends: NOON.offset(-LATE_EXIT_US),
            state: OccurrenceState::Approved,
            admits_once: true,
            points: Amount::ZERO,
            places: None,
            offices: Vec::new(),
            exits: true,
            gifts: Vec::new(),
            guests: Vec::new(),
            audience: Audience::default(),
        };
        let ended = left_open(&row, NOON).expect("over");
        assert_eq!(OccurrenceRow { state: OccurrenceState::Approved, ..ended.clone() }, row, "nothing else");
        assert!(!row.lets_out_at(NOON) && row.lets_out_at(NOON.offset(-1)), "the same moment for both");
        assert_eq!(left_open(&row, NOON.offset(-1)), None);
        assert_eq!(left_open(&ended, NOON), None, "once");
        let planned = OccurrenceRow { state: OccurrenceState::Planned, ..row };
        assert_eq!(left_open(&planned, NOON), None, "what never ran is not ended");
    }
}
