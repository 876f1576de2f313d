//! Which numbers of a policy can be used; the messages name the field as configuration and console write it.

use super::{ExpiryMode, IssueLimits, LeasePolicy, MonthDay, Policy};
use crate::joining::JoiningTerms;
use crate::money::Amount;

/// Which number of a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A share beyond the whole.
    #[error("{field} expected from 0 to 100 per cent, met {met}")]
    Percent {
        /// Which number.
        field: &'static str,
        /// What was met.
        met: u8,
    },
    /// An amount below zero.
    #[error("{field} expected as 0 or more, met {met}")]
    Negative {
        /// Which number.
        field: &'static str,
        /// What was met.
        met: Amount,
    },
    /// A zero where nothing could ever work.
    #[error("{field} expected above 0, met 0")]
    Zero {
        /// Which number.
        field: &'static str,
    },
    /// One unit, office or pair has two numbers.
    #[error("{field} expected once for each, met {met} twice")]
    Twice {
        /// Which list.
        field: &'static str,
        /// What stands twice.
        met: String,
    },
    /// Not a day of a year.
    #[error("{field} expected as a month 1-12 and a day 1-31, met {month}-{day}")]
    MonthDay {
        /// Which day.
        field: &'static str,
        /// The month that was met.
        month: u8,
        /// The day that was met.
        day: u8,
    },
    /// A list that decides something says nothing.
    #[error("{field} expected with at least one entry")]
    Empty {
        /// Which list.
        field: &'static str,
    },
    /// The zone's name is unknown.
    #[error("zone expected as an IANA name such as Asia/Shanghai, met {met:?}")]
    Zone {
        /// The name that was met.
        met: String,
    },
}

impl Policy {
    /// Checks every number.
    ///
    /// # Errors
    /// [`PolicyError`] of the first that cannot be used.
    pub fn validate(&self) -> Result<(), PolicyError> {
        self.lease.validate()?;
        self.issue.validate()?;
        self.issue_at.iter().try_for_each(|row| row.limits.validate())?;
        once("issue_at", self.issue_at.iter().map(|row| row.office))?;
        self.earn_caps.iter().try_for_each(|cap| not_negative("earn_caps.most", cap.most))?;
        self.use_limits.iter().try_for_each(|limit| not_negative("use_limits.most", limit.most))?;
        not_negative("top_up_at_once", self.top_up_at_once)?;
        match self.expiry {
            ExpiryMode::FixedCutoff(cutoff) => {
                cutoff.earned_until.validate("expiry.earned_until")?;
                cutoff.clear_at.validate("expiry.clear_at")?;
            }
            ExpiryMode::RollingMonths(0) => return Err(PolicyError::Zero { field: "expiry.rolling_months" }),
            ExpiryMode::Never | ExpiryMode::EarnYearPlus(_) | ExpiryMode::RollingMonths(_) => {}
        }
        once("travel_between", self.travel_between.iter().map(|row| (row.a.min(row.b), row.a.max(row.b))))?;
        self.joining.validate()?;
        self.cards.validate()?;
        let known: Result<chrono_tz::Tz, _> = self.zone.parse();
        known.map(|_| ()).map_err(|_| PolicyError::Zone { met: self.zone.clone() })
    }
}

impl JoiningTerms {
    fn validate(&self) -> Result<(), PolicyError> {
        once("joining.decides_by", self.decides_by.iter().copied())?;
        once("joining.listed_by", self.listed_by.iter().copied())?;
        if self.listed_by.is_empty() {
            return Err(PolicyError::Empty { field: "joining.listed_by" });
        }
        match &self.auto_leave {
            Some(rule) if rule.idle_days == 0 => {
                Err(PolicyError::Zero { field: "joining.auto_leave.idle_days" })
            }
            _ => Ok(()),
        }
    }
}

impl LeasePolicy {
    fn validate(&self) -> Result<(), PolicyError> {
        if self.ttl_s == 0 {
            return Err(PolicyError::Zero { field: "lease.ttl_s" });
        }
        for (field, met) in [
            ("lease.available_share_percent", self.available_share_percent),
            ("lease.escrow_share_percent", self.escrow_share_percent),
        ] {
            if met > 100 {
                return Err(PolicyError::Percent { field, met });
            }
        }
        for (field, legs) in [
            ("lease.office_cap", &self.office_cap),
            ("lease.device_cap", &self.device_cap),
            ("lease.device_daily", &self.device_daily),
        ] {
            legs.iter().try_for_each(|leg| not_negative(field, leg.amount))?;
            once(field, legs.iter().map(|leg| leg.unit))?;
        }
        Ok(())
    }
}

impl IssueLimits {
    fn validate(&self) -> Result<(), PolicyError> {
        not_negative("issue.points_per_day", self.points_per_day)?;
        not_negative("issue.points_per_fact", self.points_per_fact)?;
        not_negative("issue.top_up_per_day", self.top_up_per_day)?;
        not_negative("issue.top_up_per_fact", self.top_up_per_fact)
    }
}

impl MonthDay {
    fn validate(self, field: &'static str) -> Result<(), PolicyError> {
        let Self { month, day } = self;
        if (1..=12).contains(&month) && (1..=31).contains(&day) {
            Ok(())
        } else {
            Err(PolicyError::MonthDay { field, month, day })
        }
    }
}

fn not_negative(field: &'static str, met: Amount) -> Result<(), PolicyError> {
    if met < Amount::ZERO { Err(PolicyError::Negative { field, met }) } else { Ok(()) }
}

fn once<T: Ord + Copy + std::fmt::Debug>(
    field: &'static str,
    items: impl Iterator<Item = T>,
) -> Result<(), PolicyError> {
    let mut sorted: Vec<T> = items.collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(PolicyError::Twice { field, met: format!("{:?}", pair[0]) }),
        None => Ok(()),
    }
}
