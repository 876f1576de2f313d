//! When the silence of a terminal alarms people, and how a day of contact reads.
//!
//! A terminal that is switched off for the night is no trouble. So silence is counted in time for which its office is
//! open: once that is longer than the office allows, the alarm is raised, and it stays until the terminal is heard of
//! again. Out of scope: who is told and how it looks.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use hufu_shared::time::{DAY_US, Day, Instant, MINUTE_US};

/// Length of a quarter of an hour, in us.
pub const QUARTER_US: i64 = 15 * MINUTE_US;
/// Quarters of 24 hours.
pub const DAY_QUARTERS: i64 = 96;
/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;
/// The shortest silence that may alarm, in minutes: a terminal calls every half minute, and lines do stutter.
pub const SILENT_MINUTES_MIN: u16 = 5;
/// Days back for which silence is counted: more says nothing more.
const DAYS_COUNTED: i64 = 8;

/// From which silence on an office is alarmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Minutes of silence, while the office is open, that are no trouble; [`SILENT_MINUTES_MIN`] to 1,440.
    pub silent_minutes: u16,
    /// When the office opens, in minutes after midnight.
    pub opens: u16,
    /// When it closes, in minutes after midnight; at or before `opens` means on the next day.
    pub closes: u16,
}

impl Default for Watch {
    fn default() -> Self {
        Self { silent_minutes: 30, opens: 9 * 60, closes: 18 * 60 }
    }
}

/// A field of a form that is no limit of silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The minutes are no number between the bounds.
    Minutes,
    /// A time is not `HH:MM`.
    Time,
}

impl Watch {
    /// Of what a person typed: minutes, and two times as `09:00`.
    ///
    /// # Errors
    /// [`Unfit`] names the field.
    pub fn read(silent: &str, opens: &str, closes: &str) -> Result<Self, Unfit> {
        let minutes = silent.parse::<u16>().ok().filter(|n| (SILENT_MINUTES_MIN..=DAY_MINUTES).contains(n));
        let time = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        Ok(Self {
            silent_minutes: minutes.ok_or(Unfit::Minutes)?,
            opens: time(opens).ok_or(Unfit::Time)?,
            closes: time(closes).ok_or(Unfit::Time)?,
        })
    }

    /// Whether a terminal that was last heard of at `heard` alarms people.
    #[must_use]
    pub fn is_alarmed(&self, heard: Instant, now: Instant, zone: Tz) -> bool {
        self.open_silence(heard, now, zone) > i64::from(self.silent_minutes) * MINUTE_US
    }

    /// For how long nothing was heard while the office was open, in us; of the last days only.
    #[must_use]
    pub fn open_silence(&self, heard: Instant, now: Instant, zone: Tz) -> i64 {
        let from = heard.max(now.offset(-DAYS_COUNTED * DAY_US));
        let (Some(first), Some(last)) = (day_in(from, zone), day_in(now, zone)) else { return 0 };
        let long = i64::from(self.open_minutes()) * MINUTE_US;
        // The day before may still be open.
        (first.0 - 1..=last.0)
            .filter_map(|day| {
                let opens = at_minute(Day(day), self.opens, zone)?;
                Some(opens.offset(long).min(now).since(opens.max(from)).max(0))
            })
            .sum()
    }

    /// How long it is open at a time, in minutes.
    fn open_minutes(&self) -> u16 {
        let closes = if self.closes > self.opens { self.closes } else { self.closes + DAY_MINUTES };
        closes.saturating_sub(self.opens)
    }
}

fn day_in(at: Instant, zone: Tz) -> Option<Day> {
    let utc = DateTime::from_timestamp_micros(at.0)?;
    Some(Day::from_date(utc.with_timezone(&zone).date_naive()))
}

/// A time of a day in a zone; where clocks skip it, an hour later.
fn at_minute(day: Day, minute: u16, zone: Tz) -> Option<Instant> {
    let local = day.date()?.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(minute.into()))?;
    let later = local.checked_add_signed(TimeDelta::hours(1))?;
    let found = zone.from_local_datetime(&local).earliest();
    let at = found.or_else(|| zone.from_local_datetime(&later).earliest())?;
    Some(Instant(at.timestamp_micros()))
}

/// The quarter of an hour of an instant, counted from 1970-01-01 00:00 UTC.
#[must_use]
pub fn quarter(at: Instant) -> i64 {
    at.0.div_euclid(QUARTER_US)
}

/// Quarters of one kind in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// How many quarters after the first of the strip it begins.
    pub from: i64,
    /// How many quarters.
    pub length: i64,
    /// Whether the terminal was heard of in each of them.
    pub heard: bool,
}

/// The 24 hours that end with the quarter `last`, as stretches of contact and silence without gaps. `heard` is ordered.
#[must_use]
pub fn strip(heard: &[i64], last: i64) -> Vec<Stretch> {
    let first = last - DAY_QUARTERS + 1;
    let mut stretches: Vec<Stretch> = Vec::new();
    for at in first..=last {
        let is_heard = heard.binary_search(&at).is_ok();
        match stretches.last_mut() {
            Some(stretch) if stretch.heard == is_heard => stretch.length += 1,
            _ => stretches.push(Stretch { from: at - first, length: 1, heard: is_heard }),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        let read = DateTime::parse_from_rfc3339(text).expect("a time");
        Instant(read.timestamp_micros())
    }

    #[test]
    fn silence_counts_while_the_office_is_open_and_alarms_beyond_its_limit() {
        let shanghai = chrono_tz::Asia::Shanghai;
        let day = Watch::default();
        let night = Watch { opens: 20 * 60, closes: 2 * 60, ..day };
        let always = Watch { opens: 0, closes: 0, ..day };
        for (watch, heard, now, minutes) in [
            (day, "2026-11-22T10:00:00+08:00", "2026-11-22T10:20:00+08:00", 20),
            (day, "2026-11-22T10:00:00+08:00", "2026-11-22T10:31:00+08:00", 31),
            // Switched off for the night.
            (day, "2026-11-21T18:05:00+08:00", "2026-11-22T08:59:00+08:00", 0),
            (day, "2026-11-21T17:50:00+08:00", "2026-11-22T09:15:00+08:00", 25),
            (day, "2026-11-21T10:00:00+08:00", "2026-11-22T10:00:00+08:00", 9 * 60),
            (night, "2026-11-21T23:30:00+08:00", "2026-11-22T01:00:00+08:00", 90),
            (night, "2026-11-21T23:30:00+08:00", "2026-11-22T12:00:00+08:00", 150),
            (always, "2026-11-21T23:30:00+08:00", "2026-11-22T12:00:00+08:00", 750),
            (day, "2026-11-22T10:00:00+08:00", "2026-11-22T09:00:00+08:00", 0),
        ] {
            let silence = watch.open_silence(at(heard), at(now), shanghai);
            assert_eq!(silence, minutes * MINUTE_US, "{watch:?} from {heard} to {now}");
            assert_eq!(watch.is_alarmed(at(heard), at(now), shanghai), minutes > 30, "{heard} {now}");
        }
        let years = day.open_silence(Instant(0), at("2026-11-22T20:00:00+08:00"), shanghai);
        assert_eq!(years, DAYS_COUNTED * 9 * 60 * MINUTE_US, "no more is counted than says something");
        // Clocks skip 02:00 to 03:00 on that day: what opens then opens an hour later.
        let early = Watch { opens: 150, closes: 5 * 60, ..day };
        let silence = early.open_silence(
            at("2026-03-29T00:00:00Z"),
            at("2026-03-29T04:00:00Z"),
            chrono_tz::Europe::Berlin,
        );
        assert_eq!(silence, 150 * MINUTE_US);
    }

    #[test]
    fn a_limit_is_read_as_it_is_typed() {
        let read = Watch { silent_minutes: 45, opens: 510, closes: 1_290 };
        assert_eq!(Watch::read("45", "08:30", "21:30"), Ok(read));
        for (silent, opens, closes, wrong) in [
            ("", "08:30", "21:30", Unfit::Minutes),
            ("4", "08:30", "21:30", Unfit::Minutes),
            ("1441", "08:30", "21:30", Unfit::Minutes),
            ("30", "8.30", "21:30", Unfit::Time),
            ("30", "08:30", "24:00", Unfit::Time),
            ("30", "08:60", "21:30", Unfit::Time),
        ] {
            assert_eq!(Watch::read(silent, opens, closes), Err(wrong), "{silent} {opens} {closes}");
        }
    }

    #[test]
    fn a_day_of_contact_is_told_in_stretches_without_gaps() {
        let stretch = |from, length, heard| Stretch { from, length, heard };
        assert_eq!(strip(&[], 1_000), [stretch(0, DAY_QUARTERS, false)]);
        assert_eq!(
            strip(&[904, 905, 906, 998, 1_000, 1_001], 1_000),
            [
                stretch(0, 2, true),
                stretch(2, 91, false),
                stretch(93, 1, true),
                stretch(94, 1, false),
                stretch(95, 1, true),
            ]
        );
        assert_eq!((quarter(Instant(-1)), quarter(Instant(QUARTER_US))), (-1, 1));
    }
}
