//! The club's policy: every number by which the centre bounds what terminals may give and spend, and by which it
//! judges what they sent. One value, set whole by an act; `apply` reads the one in force, never a configuration file.
//!
//! Each number has a default that is safe for a small club, as a named constant beside it. Amounts are in the smallest
//! part of their unit (points, fen). Zero as a limit means "none of it"; a list without an entry for a unit means the
//! same, so a unit is leased or given only where somebody said how much.
//!
//! Invariant: a value that passed [`Policy::validate`] can be used without further checks. Out of scope: rates and
//! what terminals show ([`crate::scheme`]), numbers fixed by the design (Settle at 40 days, batch sizes).

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::cards::CardTerms;
use crate::ids::{ItemId, OfficeId};
use crate::joining::JoiningTerms;
use crate::money::{Amount, Leg, Unit};
use crate::scheme::bonus::{CouponTerms, Ranking, RoundUp};
use crate::scheme::level::Ladder;
use crate::scheme::redemption::{Redemption, Transfer};
use crate::time::Day;
use crate::wire::lease::LeaseTerms;

mod check;
mod period;

pub use check::PolicyError;
pub use period::Period;

/// Lifetime of a lease on the device's clock, in seconds: seven days, longer than a bank holiday without a network.
pub const LEASE_TTL_S: u64 = 7 * 24 * 3600;
/// What a reboot without a battery clock costs of the lifetime, in seconds.
pub const REBOOT_COST_S: u64 = 2 * 3600;
/// Reboots without a battery clock after which a lease is refused.
pub const REBOOTS_MAX: u32 = 3;
/// Share of a member's available amount that one lease may take unasked.
pub const AVAILABLE_SHARE_PERCENT: u8 = 25;
/// Share of available + escrow that may lie in escrow over all devices unless asked for.
pub const ESCROW_SHARE_PERCENT: u8 = 50;
/// A member is granted a lease at an office where they were seen within this many days.
pub const SEEN_DAYS: u16 = 60;
/// Points in one lease at most, unasked.
pub const OFFICE_CAP_POINTS: Amount = Amount(500);
/// Fen in one lease at most, unasked (500 元).
pub const OFFICE_CAP_FEN: Amount = Amount(50_000);
/// Points that one device holds in leases of all members at most.
pub const DEVICE_CAP_POINTS: Amount = Amount(20_000);
/// Fen that one device holds in leases of all members at most (20,000 元).
pub const DEVICE_CAP_FEN: Amount = Amount(2_000_000);
/// Points that one device may have raised on demand in a day.
pub const DEVICE_DAILY_POINTS: Amount = Amount(20_000);
/// Fen that one device may have raised on demand in a day (20,000 元).
pub const DEVICE_DAILY_FEN: Amount = Amount(2_000_000);
/// Points that one device gives in a day before a person must look.
pub const ISSUE_POINTS_PER_DAY: Amount = Amount(50_000);
/// Points that one fact gives before a person must look.
pub const ISSUE_POINTS_PER_FACT: Amount = Amount(5_000);
/// Fen that one device takes as top-up in a day before a person must look (50,000 元).
pub const ISSUE_TOP_UP_PER_DAY_FEN: Amount = Amount(5_000_000);
/// Fen of one top-up before a person must look (5,000 元).
pub const ISSUE_TOP_UP_PER_FACT_FEN: Amount = Amount(500_000);
/// Days after its release before which a held credit does not expire.
pub const RELEASED_EXPIRY_DAYS: u16 = 30;
/// Fen of a device's top-ups of a day that are spendable before its cash count (500 元).
pub const TOP_UP_AT_ONCE_FEN: Amount = Amount(50_000);
/// Days for which an earn by the scheme version before is honoured (kind 17).
pub const RATE_GRACE_DAYS: u16 = 7;
/// Days for which facts of an unknown card are held (kind 13).
pub const HOLD_DAYS: u16 = 30;
/// Minutes that nobody can travel between two offices in (kind 3).
pub const TRAVEL_MINUTES: u16 = 10;

/// Everything that the club may set.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How leases are granted.
    #[n(0)]
    pub lease: LeasePolicy,
    /// What a device may give in a day, where no office says otherwise.
    #[n(1)]
    pub issue: IssueLimits,
    /// Offices with limits of their own.
    #[n(2)]
    pub issue_at: Vec<OfficeIssue>,
    /// Caps on earning per member (kind 23); all that fit a fact hold at once.
    #[n(3)]
    pub earn_caps: Vec<EarnCap>,
    /// Limits on spending and use per member (kind 33).
    #[n(4)]
    pub use_limits: Vec<UseLimit>,
    /// How points expire (parameter group 7).
    #[n(5)]
    pub expiry: ExpiryMode,
    /// IANA zone in which cut-offs of expiry fall.
    #[n(6)]
    pub zone: String,
    /// Days after its release before which a held credit does not expire.
    #[n(7)]
    pub released_expiry_days: u16,
    /// Fen of a device's top-ups of a day that are spendable before its cash count.
    #[n(8)]
    pub top_up_at_once: Amount,
    /// Days for which an earn by the scheme version before is honoured.
    #[n(9)]
    pub rate_grace_days: u16,
    /// Days for which facts of an unknown card are held.
    #[n(10)]
    pub hold_days: u16,
    /// Minutes that nobody can travel between two offices in, where no pair says otherwise.
    #[n(11)]
    pub travel_minutes: u16,
    /// Pairs of offices nearer or farther than that.
    #[n(12)]
    pub travel_between: Vec<Travel>,
    /// Who may join, what people are recognised by, and how long things may wait.
    #[n(13)]
    #[cbor(default)]
    pub joining: JoiningTerms,
    /// Which kinds are sub cards, what a lost card leads to, and which cards points bring.
    #[n(20)]
    #[cbor(default)]
    pub cards: CardTerms,
    /// Whether a plan of redemption must be approved by another person before it is carried out (K24).
    #[n(30)]
    #[cbor(default)]
    pub plans_need_approval: bool,
    /// Limits of points from member to member; none where the club allows no transfer.
    #[n(40)]
    pub transfer: Option<Transfer>,
    /// Levels that members rise to and fall from; none where the club has one for all.
    #[n(41)]
    pub levels: Option<Ladder>,
    /// Coupons that the club gives by itself; none where it gives none.
    #[n(42)]
    pub coupons: Option<CouponTerms>,
    /// Points filled up on the member day of each month; none where the club does not (P3).
    #[n(54)]
    pub round_up: Option<RoundUp>,
    /// The award for the first of each period; none where the club gives none (P4).
    #[n(55)]
    pub ranking: Option<Ranking>,
    /// What points buy; none where they buy nothing.
    #[n(47)]
    pub catalogue: Option<Redemption>,
}

/// How leases are granted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct LeasePolicy {
    /// Seconds on the device's monotonic clock after which it refuses, above zero.
    #[n(0)]
    pub ttl_s: u64,
    /// Seconds that a reboot without a battery clock costs.
    #[n(1)]
    pub reboot_cost_s: u64,
    /// Reboots without a battery clock after which it refuses.
    #[n(2)]
    pub reboots_max: u32,
    /// Share of available that one lease may take unasked, in per cent.
    #[n(3)]
    pub available_share_percent: u8,
    /// Share of available + escrow that may lie in escrow over all devices unless asked for, in per cent.
    #[n(4)]
    pub escrow_share_percent: u8,
    /// A member is granted a lease at an office where they were seen within this many days.
    #[n(5)]
    pub seen_days: u16,
    /// Most in one lease unasked, per unit.
    #[n(6)]
    pub office_cap: Vec<Leg>,
    /// Most that one device holds over all members, per unit.
    #[n(7)]
    pub device_cap: Vec<Leg>,
    /// Most that one device has raised on demand in a day, per unit.
    #[n(8)]
    pub device_daily: Vec<Leg>,
}

/// What one device may give in one business day; above it the effect is held for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct IssueLimits {
    /// Points in a day.
    #[n(0)]
    pub points_per_day: Amount,
    /// Points by one fact.
    #[n(1)]
    pub points_per_fact: Amount,
    /// Fen topped up in a day.
    #[n(2)]
    pub top_up_per_day: Amount,
    /// Fen of one top-up.
    #[n(3)]
    pub top_up_per_fact: Amount,
}

/// An office with issue limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct OfficeIssue {
    /// Which.
    #[n(0)]
    pub office: OfficeId,
    /// Its limits, instead of the general ones.
    #[n(1)]
    pub limits: IssueLimits,
}

/// What an earn was for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum EarnEvent {
    /// A purchase.
    #[n(0)]
    Purchase,
    /// Taking part in an activity.
    #[n(1)]
    Activity,
}

/// The most that a member earns in a period, over all offices in its scope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct EarnCap {
    /// Of what.
    #[n(0)]
    pub unit: Unit,
    /// In which period.
    #[n(1)]
    pub period: Period,
    /// How much.
    #[n(2)]
    pub most: Amount,
    /// For what; empty for everything.
    #[n(3)]
    #[serde(default)]
    pub events: Vec<EarnEvent>,
    /// At which offices; empty for all. The cap is one over all of them.
    #[n(4)]
    #[serde(default)]
    pub offices: Vec<OfficeId>,
}

/// What a limit on use counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseOf {
    /// What is spent of a unit.
    #[n(0)]
    Unit(#[n(0)] Unit),
    /// Pieces of an item handed out or redeemed.
    #[n(1)]
    Item(#[n(0)] ItemId),
}

/// The most that a member spends or uses in a period.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct UseLimit {
    /// Of what.
    #[n(0)]
    pub of: UseOf,
    /// In which period.
    #[n(1)]
    pub period: Period,
    /// How much.
    #[n(2)]
    pub most: Amount,
}

/// A day of the year without the year, as `12-31` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonthDay {
    /// 1 to 12.
    #[n(0)]
    pub month: u8,
    /// 1 to 31; beyond the end of a month it means that month's last day.
    #[n(1)]
    pub day: u8,
}

/// How points expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryMode {
    /// They do not.
    #[n(0)]
    #[default]
    Never,
    /// Once a year, what was earned up to a day (rule S3).
    #[n(1)]
    FixedCutoff(#[n(0)] FixedCutoff),
    /// At the end of the year that is `n` years after that of the earn (rule B4, n = 1).
    #[n(2)]
    EarnYearPlus(#[n(0)] u16),
    /// So many months after the earn, at the end of that day.
    #[n(3)]
    RollingMonths(#[n(0)] u16),
}

/// Clearing once a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct FixedCutoff {
    /// What was earned up to the end of this day...
    #[n(0)]
    pub earned_until: MonthDay,
    /// ... is cleared at the end of this day, the first that is not before it.
    #[n(1)]
    pub clear_at: MonthDay,
    /// Who joined in a year is first cleared in the next one.
    #[n(2)]
    pub first_year_grace: bool,
}

/// How long the way between two offices is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Travel {
    /// One office.
    #[n(0)]
    pub a: OfficeId,
    /// The other.
    #[n(1)]
    pub b: OfficeId,
    /// Minutes that nobody can travel between them in; 0 for next door.
    #[n(2)]
    pub minutes: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease: LeasePolicy::default(),
            issue: IssueLimits::default(),
            issue_at: Vec::new(),
            earn_caps: Vec::new(),
            use_limits: Vec::new(),
            expiry: ExpiryMode::Never,
            zone: "Asia/Shanghai".to_owned(),
            released_expiry_days: RELEASED_EXPIRY_DAYS,
            top_up_at_once: TOP_UP_AT_ONCE_FEN,
            rate_grace_days: RATE_GRACE_DAYS,
            hold_days: HOLD_DAYS,
            travel_minutes: TRAVEL_MINUTES,
            travel_between: Vec::new(),
            joining: JoiningTerms::default(),
            cards: CardTerms::default(),
            plans_need_approval: false,
            transfer: None,
            levels: None,
            coupons: None,
            round_up: None,
            ranking: None,
            catalogue: None,
        }
    }
}

impl Default for LeasePolicy {
    fn default() -> Self {
        let legs =
            |points, fen| vec![Leg { unit: Unit::Pts, amount: points }, Leg { unit: Unit::Cny, amount: fen }];
        Self {
            ttl_s: LEASE_TTL_S,
            reboot_cost_s: REBOOT_COST_S,
            reboots_max: REBOOTS_MAX,
            available_share_percent: AVAILABLE_SHARE_PERCENT,
            escrow_share_percent: ESCROW_SHARE_PERCENT,
            seen_days: SEEN_DAYS,
            office_cap: legs(OFFICE_CAP_POINTS, OFFICE_CAP_FEN),
            device_cap: legs(DEVICE_CAP_POINTS, DEVICE_CAP_FEN),
            device_daily: legs(DEVICE_DAILY_POINTS, DEVICE_DAILY_FEN),
        }
    }
}

impl Default for IssueLimits {
    fn default() -> Self {
        Self {
            points_per_day: ISSUE_POINTS_PER_DAY,
            points_per_fact: ISSUE_POINTS_PER_FACT,
            top_up_per_day: ISSUE_TOP_UP_PER_DAY_FEN,
            top_up_per_fact: ISSUE_TOP_UP_PER_FACT_FEN,
        }
    }
}

impl FixedCutoff {
    /// Rule S3: earned up to 11-30 24:00, cleared 12-31 24:00, who joined in the year is cleared in the next one.
    pub const RULE_S3: Self = Self {
        earned_until: MonthDay { month: 11, day: 30 },
        clear_at: MonthDay { month: 12, day: 31 },
        first_year_grace: true,
    };
}

impl LeasePolicy {
    /// The conditions that a new lease carries; `ttl_s` may be shorter for a cut-off of points.
    #[must_use]
    pub fn terms(&self) -> LeaseTerms {
        LeaseTerms { ttl_s: self.ttl_s, reboot_cost_s: self.reboot_cost_s, reboots_max: self.reboots_max }
    }
}

/// What a list says of a unit; nothing said is zero.
#[must_use]
pub fn amount_of(legs: &[Leg], unit: Unit) -> Amount {
    legs.iter().find(|leg| leg.unit == unit).map_or(Amount::ZERO, |leg| leg.amount)
}

impl EarnCap {
    /// Whether an earn falls under the cap.
    #[must_use]
    pub fn covers(&self, unit: Unit, event: EarnEvent, office: OfficeId) -> bool {
        self.unit == unit
            && (self.events.is_empty() || self.events.contains(&event))
            && (self.offices.is_empty() || self.offices.contains(&office))
    }
}

impl MonthDay {
    /// Its calendar day in a year.
    #[must_use]
    pub fn in_year(self, year: i32) -> Option<Day> {
        period::day_at_most(year, self.month, self.day)
    }
}

impl Policy {
    /// The issue limits of a device at an office.
    #[must_use]
    pub fn issue_limits(&self, office: OfficeId) -> IssueLimits {
        self.issue_at.iter().find(|row| row.office == office).map_or(self.issue, |row| row.limits)
    }

    /// Minutes that nobody can travel between two offices in; none within one office.
    #[must_use]
    pub fn travel_minutes_between(&self, one: OfficeId, other: OfficeId) -> u16 {
        let is_pair = |row: &&Travel| (row.a, row.b) == (one, other) || (row.a, row.b) == (other, one);
        if one == other {
            return 0;
        }
        self.travel_between.iter().find(is_pair).map_or(self.travel_minutes, |row| row.minutes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(n: u8) -> OfficeId {
        OfficeId([n; 16])
    }

    #[test]
    fn the_default_is_usable_and_survives_cbor_and_json() {
        let policy = Policy::default();
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!(crate::cbor::decode::<Policy>(&crate::cbor::encode(&policy)), Ok(policy.clone()));
        let json = serde_json::to_string(&policy).expect("plain data");
        assert_eq!(serde_json::from_str::<Policy>(&json).expect("its own text"), policy);
        assert_eq!(serde_json::from_str::<Policy>("{}").expect("all defaults"), policy);
    }

    #[test]
    fn a_full_policy_survives_cbor_and_json() {
        let mut policy = Policy {
            expiry: ExpiryMode::FixedCutoff(FixedCutoff::RULE_S3),
            earn_caps: vec![EarnCap {
                unit: Unit::Pts,
                period: Period::Month,
                most: Amount(1_000),
                events: vec![EarnEvent::Activity],
                offices: vec![office(1)],
            }],
            use_limits: vec![
                UseLimit { of: UseOf::Unit(Unit::Cny), period: Period::Day, most: Amount(100_000) },
                UseLimit { of: UseOf::Item(ItemId([7; 16])), period: Period::Year, most: Amount(1) },
            ],
            ..Policy::default()
        };
        policy.issue_at.push(OfficeIssue { office: office(1), limits: IssueLimits::default() });
        policy.travel_between.push(Travel { a: office(1), b: office(2), minutes: 45 });
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!(crate::cbor::decode::<Policy>(&crate::cbor::encode(&policy)), Ok(policy.clone()));
        let json = serde_json::to_string(&policy).expect("plain data");
        assert_eq!(serde_json::from_str::<Policy>(&json).expect("its own text"), policy);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let say = |change: fn(&mut Policy)| {
            let mut policy = Policy::default();
            change(&mut policy);
            policy.validate().expect_err("unusable").to_string()
        };
        let cases: [(fn(&mut Policy), &str); 7] = [
            (
                |p| p.lease.available_share_percent = 101,
                "lease.available_share_percent expected from 0 to 100 per cent, met 101",
            ),
            (|p| p.lease.ttl_s = 0, "lease.ttl_s expected above 0, met 0"),
            (|p| p.issue.points_per_day = Amount(-1), "issue.points_per_day expected as 0 or more, met -1"),
            (
                |p| p.lease.office_cap.push(Leg { unit: Unit::Pts, amount: Amount(1) }),
                "lease.office_cap expected once for each, met Pts twice",
            ),
            (|p| p.expiry = ExpiryMode::RollingMonths(0), "expiry.rolling_months expected above 0, met 0"),
            (
                |p| {
                    let until = MonthDay { month: 13, day: 1 };
                    let cutoff = FixedCutoff { earned_until: until, ..FixedCutoff::RULE_S3 };
                    p.expiry = ExpiryMode::FixedCutoff(cutoff);
                },
                "expiry.earned_until expected as a month 1-12 and a day 1-31, met 13-1",
            ),
            (
                |p| "Mars/Base".clone_into(&mut p.zone),
                "zone expected as an IANA name such as Asia/Shanghai, met \"Mars/Base\"",
            ),
        ];
        for (change, message) in cases {
            assert_eq!(say(change), message);
        }
    }

    #[test]
    fn an_office_or_a_pair_may_have_its_own_number() {
        let mut policy = Policy::default();
        let own = IssueLimits { points_per_fact: Amount(9), ..IssueLimits::default() };
        policy.issue_at.push(OfficeIssue { office: office(1), limits: own });
        policy.travel_between.push(Travel { a: office(1), b: office(2), minutes: 45 });
        assert_eq!(policy.issue_limits(office(1)), own);
        assert_eq!(policy.issue_limits(office(2)), policy.issue);
        assert_eq!(policy.travel_minutes_between(office(2), office(1)), 45);
        assert_eq!(policy.travel_minutes_between(office(1), office(3)), TRAVEL_MINUTES);
        assert_eq!(policy.travel_minutes_between(office(3), office(3)), 0);
    }

    #[test]
    fn a_unit_that_nobody_named_is_not_leased() {
        assert_eq!(amount_of(&LeasePolicy::default().office_cap, Unit::Growth), Amount::ZERO);
        assert_eq!(amount_of(&LeasePolicy::default().office_cap, Unit::Pts), OFFICE_CAP_POINTS);
    }
}
