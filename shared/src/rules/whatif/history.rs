//! A history as people write it: one member, and events in order of their days. Flat rows, so that one table (CSV) and
//! one document (TOML) can hold the same.

use serde::{Deserialize, Serialize};

use super::{AMOUNT_MAX, DAYS_MAX, EVENTS_MAX, WhatIfError};
use crate::time::Day;

/// A member and what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Who.
    pub member: Member,
    /// What, in order of days; within a day in order of happening.
    #[serde(default, rename = "event")]
    pub events: Vec<Event>,
}

/// What the rules ask of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The day of joining.
    pub joined: Day,
    /// The day of birth, if known.
    #[serde(default)]
    pub born: Option<Day>,
    /// Code of the kind of member; empty if there are none.
    #[serde(default)]
    pub kind: String,
    /// Code of the office group; empty if there are none.
    #[serde(default)]
    pub office_group: String,
    /// Whether it is an organisation.
    #[serde(default)]
    pub is_organisation: bool,
    /// Whether it is one of the club's own staff.
    #[serde(default)]
    pub is_staff: bool,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The business day.
    pub day: Day,
    /// What happened.
    pub what: What,
    /// Money: the price of a purchase, the price of the goods that come back; in fen.
    #[serde(default)]
    pub fen: i64,
    /// Points: used as cash with a purchase or a redemption, given, got, or put right (then below zero as well).
    #[serde(default)]
    pub points: i64,
    /// A code: of the card's kind, the activity, the task, the item; for `level` the rank.
    #[serde(default)]
    pub code: String,
    /// Code of the shop, for promotion sheets.
    #[serde(default)]
    pub office: String,
    /// Number of the slip: of the purchase, or for `return` and `approve` the one it is about.
    #[serde(default)]
    pub slip: String,
    /// A coupon used with a purchase, in fen.
    #[serde(default)]
    pub coupon_fen: i64,
    /// Per cent of the price that has been received.
    #[serde(default = "whole")]
    pub paid_percent: u8,
    /// Whether the birthday is claimed, with all evidence shown.
    #[serde(default)]
    pub birthday: bool,
    /// Whether the card was not at hand.
    #[serde(default)]
    pub no_card: bool,
    /// For a return: whether the gift comes back as well.
    #[serde(default)]
    pub gift_back: bool,
}

fn whole() -> u8 {
    100
}

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The data were verified.
    Verified,
    /// A main card was issued.
    Card,
    /// A sub card was issued.
    SubCard,
    /// A purchase.
    Purchase,
    /// Goods came back.
    Return,
    /// An order was refused at the door.
    Refusal,
    /// Part in an activity.
    Activity,
    /// Care.
    Care,
    /// A complaint, settled.
    Complaint,
    /// A task.
    Task,
    /// A reward that no purchase carries.
    Promo,
    /// Points that waited were approved: those of a slip, or all.
    Approve,
    /// An item or cash for points.
    Redeem,
    /// Points given to another member.
    Give,
    /// Points got from another member.
    Get,
    /// A level given by hand.
    Level,
    /// Points put right by hand.
    Adjust,
    /// The membership ended.
    Leave,
}

impl Event {
    /// An event without anything else said.
    #[must_use]
    pub fn new(day: Day, what: What) -> Self {
        Self {
            day,
            what,
            fen: 0,
            points: 0,
            code: String::new(),
            office: String::new(),
            slip: String::new(),
            coupon_fen: 0,
            paid_percent: whole(),
            birthday: false,
            no_card: false,
            gift_back: false,
        }
    }

    /// What an event of its kind lacks, if anything.
    fn lacks(&self) -> Option<&'static str> {
        let negative = self.fen < 0 || self.coupon_fen < 0 || (self.points < 0 && self.what != What::Adjust);
        match self.what {
            _ if negative => Some("fen, coupon_fen and points of 0 or more"),
            What::Purchase if self.fen == 0 => Some("fen above 0 for a purchase"),
            What::Return if self.slip.is_empty() || self.fen == 0 => Some("slip and fen for a return"),
            What::Redeem if self.code.is_empty() && self.points == 0 => {
                Some("the code of an item or points for a redemption")
            }
            What::Give | What::Get if self.points == 0 => Some("points above 0"),
            What::Level if self.code.parse::<u8>().is_err() => Some("a rank from 0 to 255 as code"),
            _ => None,
        }
    }
}

impl History {
    /// Checks order, completeness and length.
    ///
    /// # Errors
    /// [`WhatIfError`] of the first fault.
    pub fn check(&self, until: Day) -> Result<(), WhatIfError> {
        let days = i64::from(until.0) - i64::from(self.member.joined.0);
        if days > i64::from(DAYS_MAX) || self.events.len() > EVENTS_MAX {
            return Err(WhatIfError::Long { days, events: self.events.len() });
        }
        if days < 0 {
            return Err(WhatIfError::Until { from: self.member.joined, met: until });
        }
        let mut from = self.member.joined;
        for (at, event) in self.events.iter().enumerate() {
            if event.day < from {
                return Err(WhatIfError::Order { number: at + 1, from, met: event.day });
            }
            if event.points.checked_abs().is_none_or(|met| met > AMOUNT_MAX)
                || event.fen.checked_abs().is_none_or(|met| met > AMOUNT_MAX)
            {
                return Err(WhatIfError::Event {
                    number: at + 1,
                    expected: "at most a million million points or fen",
                });
            }
            if let Some(expected) = event.lacks() {
                return Err(WhatIfError::Event { number: at + 1, expected });
            }
            from = event.day;
        }
        Ok(())
    }
}
