//! The part of a club's scheme that terminals need: versioned, in force from a calendar day on.
//!
//! A fact names the scheme version under which the terminal decided; the ledger stores it with each posting. The
//! whole set of parameters is [`super::Scheme`], from which these terms are made ([`super::Scheme::terms`]); what both
//! sides must compute alike is in [`crate::rules`].

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::bill::BillTerms;
use super::choose::Scope;
use super::earning::{EarnTerms, ToldTerms};
use super::redemption::Returns;
use crate::money::Amount;
use crate::time::Day;

/// Earning by amount: for each full `per_fen` of a purchase, `points` points (rule S2: 100 元 = 2 points).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct EarnRate {
    /// Size of one earning step in fen, above zero.
    #[n(0)]
    pub per_fen: i64,
    /// Points for each full step.
    #[n(1)]
    pub points: i64,
}

/// Which part of a member's name a display that others can see may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum DisplayName {
    /// Surname and form of address: 欧阳女士.
    #[n(0)]
    #[default]
    Surname,
    /// The whole name.
    #[n(1)]
    Full,
}

/// What terminals hold of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct SchemeTerms {
    /// Grows with each publication.
    #[n(0)]
    pub version: u32,
    /// First calendar day on which it applies.
    #[n(1)]
    pub valid_from: Day,
    /// Points for purchases, where one rate says all; none if the club gives none, or by more than a rate
    /// ([`SchemeTerms::earning`]).
    #[n(2)]
    pub earn: Option<EarnRate>,
    /// What a member display shows of a name.
    #[n(3)]
    pub display_name: DisplayName,
    /// Whether a member display shows points.
    #[n(4)]
    pub display_points: bool,
    /// The club's word for an office, in Chinese and English (案场 / sales office).
    #[n(5)]
    pub place_word: Words,
    /// Seconds within which the same card at the same reader for the same purpose is one visit.
    #[n(6)]
    pub repeat_window_s: u32,
    /// A directory older than this is too old for a plain green, in seconds.
    #[n(7)]
    pub directory_age_max_s: u32,
    /// A purchase above this is refused at a terminal as a likely slip of the finger, in fen.
    #[n(8)]
    pub purchase_max: Amount,
    /// What a counter page shows staff of a name.
    #[n(9)]
    #[cbor(default)]
    #[serde(default)]
    pub counter_name: CounterName,
    /// What purchases earn by, where that is more than a rate by rule S2; it goes before the rate. Terminals that do not
    /// know this field promise by the rate, which is none where that would be wrong.
    #[n(20)]
    #[serde(default)]
    pub earning: Option<EarnTerms>,
    /// What events earn by that are no purchases and that the centre is told of; none if the club gives nothing for them.
    #[n(25)]
    #[serde(default)]
    pub told: Option<ToldTerms>,
    /// What bills are reckoned by; none where that is the default ([`SchemeTerms::bills`]). Terminals that do not know this
    /// field reckon no bill.
    #[n(26)]
    #[serde(default)]
    pub bill: Option<BillTerms>,
    /// What happens when goods come back or an order is refused; none where that is the default
    /// ([`SchemeTerms::returned`]). Terminals that do not know this field take every return.
    #[n(27)]
    #[serde(default)]
    pub returns: Option<Returns>,
    /// Where, for whom and until when it holds; none for everywhere, everybody and until the next one. What a terminal
    /// that does not know this field promises by it elsewhere is put right at the centre (kind 17).
    #[n(50)]
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// Which part of a member's name a counter page shows to staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CounterName {
    /// Masked: 欧阳*玥. Terminals then hold no whole name.
    #[n(0)]
    #[default]
    Masked,
    /// The whole name, so that staff can compare it with a document (rule H2).
    #[n(1)]
    Full,
}

/// One word in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Words {
    /// Simplified Chinese.
    #[n(0)]
    pub zh: String,
    /// English.
    #[n(1)]
    pub en: String,
}

impl SchemeTerms {
    /// Whether purchases earn anything.
    #[must_use]
    pub fn earns(&self) -> bool {
        self.earn.is_some() || self.earning.is_some()
    }

    /// The same, but that nothing is promised for a purchase: for who cannot tell which version decides.
    #[must_use]
    pub fn without_earning(&self) -> Self {
        Self { earn: None, earning: None, ..self.clone() }
    }

    /// What bills are reckoned by.
    #[must_use]
    pub fn bills(&self) -> BillTerms {
        self.bill.clone().unwrap_or_default()
    }

    /// What happens when goods come back or an order is refused (rules S8 and B3).
    #[must_use]
    pub fn returned(&self) -> Returns {
        self.returns.clone().unwrap_or_default()
    }

    /// The terms of a property club 客户会 with earning by rule S2, as shipped.
    #[must_use]
    pub fn property_club(version: u32, valid_from: Day) -> Self {
        let place_word = Words { zh: "案场".to_owned(), en: "sales office".to_owned() };
        let earn = EarnRate { per_fen: 10_000, points: 2 };
        Screen { place_word, ..Screen::default() }.terms((version, valid_from), Some(earn), None)
    }
}

/// What terminals show and accept, whatever the rules say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Screen {
    /// What a member display shows of a name.
    pub display_name: DisplayName,
    /// Whether a member display shows points.
    pub display_points: bool,
    /// The club's word for an office.
    pub place_word: Words,
    /// Seconds within which the same card at the same reader for the same purpose is one visit.
    pub repeat_window_s: u32,
    /// A directory older than this is too old for a plain green, in seconds.
    pub directory_age_max_s: u32,
    /// A purchase above this is refused at a terminal as a likely slip of the finger, in fen.
    pub purchase_max_fen: i64,
    /// What a counter page shows staff of a name.
    pub counter_name: CounterName,
}

/// Seconds within which a tap is a repeat unless a scheme says otherwise.
const REPEAT_WINDOW_S: u32 = 60;
/// Three days without a directory are too long for a plain green, in seconds.
const DIRECTORY_AGE_MAX_S: u32 = 3 * 24 * 3600;
/// One million yuan at once is a slip of the finger, in fen.
const PURCHASE_MAX_FEN: i64 = 100_000_000;

impl Default for Screen {
    fn default() -> Self {
        Self {
            display_name: DisplayName::Surname,
            display_points: true,
            place_word: Words { zh: "门店".to_owned(), en: "office".to_owned() },
            repeat_window_s: REPEAT_WINDOW_S,
            directory_age_max_s: DIRECTORY_AGE_MAX_S,
            purchase_max_fen: PURCHASE_MAX_FEN,
            counter_name: CounterName::Masked,
        }
    }
}

impl Screen {
    /// The terms of a version.
    #[must_use]
    pub fn terms(
        &self,
        (version, valid_from): (u32, Day),
        earn: Option<EarnRate>,
        earning: Option<EarnTerms>,
    ) -> SchemeTerms {
        SchemeTerms {
            version,
            valid_from,
            earn,
            display_name: self.display_name,
            display_points: self.display_points,
            place_word: self.place_word.clone(),
            repeat_window_s: self.repeat_window_s,
            directory_age_max_s: self.directory_age_max_s,
            purchase_max: Amount(self.purchase_max_fen),
            counter_name: self.counter_name,
            earning,
            told: None,
            bill: None,
            returns: None,
            scope: None,
        }
    }
}
