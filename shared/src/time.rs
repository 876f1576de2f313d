//! Instants, calendar days and the business day of an office.
//!
//! An instant is a count of microseconds in UTC; only a shell's `clock.rs` reads one. A business day is the calendar
//! day in the office's zone, shifted by the office's cut-off, so that a party that ends at one in the morning can
//! still belong to the evening before.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 00:00 UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Instant(#[n(0)] pub i64);

/// Microseconds in one second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in one minute.
pub const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds in one day of 24 hours.
pub const DAY_US: i64 = 24 * 60 * MINUTE_US;
/// The latest cut-off of a business day, in minutes after midnight (06:00).
pub const CUTOFF_MINUTES_MAX: u16 = 6 * 60;

impl Instant {
    /// The instant `us` microseconds later (earlier if negative), held at the ends of what 64 bits hold.
    #[must_use]
    pub fn offset(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }

    /// Microseconds from `earlier` to `self`, negative if it is the other way round.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// In the zone, as `2026-11-22 15:02:11`; an instant beyond the calendar reads `—`.
    #[must_use]
    pub fn display(self, zone: Tz) -> String {
        DateTime::from_timestamp_micros(self.0).map_or_else(
            || "—".to_owned(),
            |utc| utc.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }

    /// In the zone, as `15:02`.
    #[must_use]
    pub fn display_time(self, zone: Tz) -> String {
        DateTime::from_timestamp_micros(self.0)
            .map_or_else(|| "—".to_owned(), |utc| utc.with_timezone(&zone).format("%H:%M").to_string())
    }
}

/// A calendar day, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub i32);

/// The text met is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("day expected as YYYY-MM-DD, met {met:?}")]
pub struct ParseDayError {
    /// The text that was met.
    pub met: String,
}

impl Day {
    /// The day of a calendar date.
    #[must_use]
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The calendar date, or `None` beyond the calendar.
    #[must_use]
    pub fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(self.0.checked_add(EPOCH_FROM_CE)?)
    }

    /// The day of an instant by the world's time, the same at every office.
    #[must_use]
    pub fn utc(at: Instant) -> Self {
        Self(i32::try_from(at.0.div_euclid(DAY_US)).unwrap_or(i32::MAX))
    }

    /// The day `days` later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

/// 1970-01-01 counted from the first day of the common era.
const EPOCH_FROM_CE: i32 = 719_163;

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => date.format("%Y-%m-%d").fmt(f),
            None => f.write_str("—"),
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "day:{self}")
    }
}

impl FromStr for Day {
    type Err = ParseDayError;
    fn from_str(text: &str) -> Result<Self, ParseDayError> {
        let wrong = || ParseDayError { met: text.to_owned() };
        let canonical = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
        if !canonical {
            return Err(wrong());
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self::from_date).map_err(|_| wrong())
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How an office tells its days apart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OfficeClock {
    /// Name of the IANA time zone, `Asia/Shanghai` by default.
    #[n(0)]
    pub zone: String,
    /// Minutes after midnight until which a moment still belongs to the day before, 0 to [`CUTOFF_MINUTES_MAX`].
    #[n(1)]
    pub cutoff_minutes: u16,
}

/// An office's zone or cut-off cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfficeClockError {
    /// The zone's name is unknown.
    #[error("time zone expected as an IANA name such as Asia/Shanghai, met {met:?}")]
    Zone {
        /// The name that was met.
        met: String,
    },
    /// The cut-off is too late in the day.
    #[error("cut-off expected between 00:00 and 06:00, met {met} minutes after midnight")]
    Cutoff {
        /// The minutes that were met.
        met: u16,
    },
}

impl Default for OfficeClock {
    fn default() -> Self {
        Self { zone: "Asia/Shanghai".to_owned(), cutoff_minutes: 0 }
    }
}

impl OfficeClock {
    /// The zone of the database of zones.
    ///
    /// # Errors
    /// [`OfficeClockError`] naming what was met.
    pub fn tz(&self) -> Result<Tz, OfficeClockError> {
        self.zone.parse().map_err(|_| OfficeClockError::Zone { met: self.zone.clone() })
    }

    /// Checks both fields.
    ///
    /// # Errors
    /// [`OfficeClockError`] naming what was met.
    pub fn validate(&self) -> Result<(), OfficeClockError> {
        if self.cutoff_minutes > CUTOFF_MINUTES_MAX {
            return Err(OfficeClockError::Cutoff { met: self.cutoff_minutes });
        }
        self.tz().map(|_| ())
    }

    /// The business day of an instant. A zone that cannot be read counts as the default one: a fact must always have
    /// a day, and the zone was validated when the office was set.
    #[must_use]
    pub fn business_day(&self, at: Instant) -> Day {
        let zone = self.tz().unwrap_or(chrono_tz::Asia::Shanghai);
        let shifted = at.offset(-i64::from(self.cutoff_minutes) * MINUTE_US);
        match DateTime::from_timestamp_micros(shifted.0) {
            Some(utc) => Day::from_date(utc.with_timezone(&zone).date_naive()),
            None if shifted.0 < 0 => Day(i32::MIN),
            None => Day(i32::MAX),
        }
    }
}

/// How far a terminal trusts its own wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ClockQuality {
    /// Set from the centre's signed time within this boot.
    #[n(0)]
    Synced,
    /// Carried by a battery clock since an earlier boot.
    #[n(1)]
    Kept,
    /// Only known to be no earlier than the persisted floor.
    #[n(2)]
    Floor,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant(DateTime::parse_from_rfc3339(text).expect("test instant").timestamp_micros())
    }

    #[test]
    fn case_28_a_moment_falls_on_the_business_day_of_its_office() {
        let midnight = OfficeClock::default();
        let late = OfficeClock { cutoff_minutes: 180, ..OfficeClock::default() };
        let cases = [
            ("2026-11-21T16:30:00Z", &midnight, "2026-11-22"),
            ("2026-11-21T15:59:59Z", &midnight, "2026-11-21"),
            ("2026-11-21T16:00:00Z", &midnight, "2026-11-22"),
            ("2026-11-21T18:59:59Z", &late, "2026-11-21"),
            ("2026-11-21T19:00:00Z", &late, "2026-11-22"),
            ("2016-12-31T23:59:60Z", &midnight, "2017-01-01"),
        ];
        for (instant, clock, day) in cases {
            assert_eq!(clock.business_day(at(instant)).to_string(), day, "{instant}");
        }
    }

    #[test]
    fn summer_time_of_1990_is_kept() {
        let clock = OfficeClock::default();
        assert_eq!(clock.business_day(at("1990-07-01T15:00:00Z")).to_string(), "1990-07-02");
        assert_eq!(at("1990-07-01T15:00:00Z").display(chrono_tz::Asia::Shanghai), "1990-07-02 00:00:00");
    }

    #[test]
    fn days_round_trip_and_refuse_other_text() {
        let day: Day = "2024-02-29".parse().expect("a leap day");
        assert_eq!(day.plus(1).to_string(), "2024-03-01");
        for text in ["2023-02-29", "2026-1-1", "22.11.2026", "", "2026-11-22 "] {
            assert!(text.parse::<Day>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn office_clock_says_what_is_wrong() {
        let zone = OfficeClock { zone: "Mars/Base".into(), cutoff_minutes: 0 };
        assert_eq!(
            zone.validate().expect_err("no such zone").to_string(),
            "time zone expected as an IANA name such as Asia/Shanghai, met \"Mars/Base\""
        );
        let cutoff = OfficeClock { cutoff_minutes: 361, ..OfficeClock::default() };
        assert!(matches!(cutoff.validate(), Err(OfficeClockError::Cutoff { met: 361 })));
    }

    #[test]
    fn extreme_instants_have_a_day_and_a_text() {
        let clock = OfficeClock::default();
        assert_eq!(clock.business_day(Instant(i64::MAX)), Day(i32::MAX));
        assert_eq!(Instant(i64::MIN).display(chrono_tz::UTC), "—");
    }
}
