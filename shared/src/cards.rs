//! Terms of cards: which kinds are sub cards, how long those hold, what a lost card leads to, what a new one brings, and
//! who gets another kind of card by their points.
//!
//! Set whole with the [`crate::policy::Policy`], from group 12 and the levels of the club's scheme, so that every centre
//! and every replay judges by the same words. Each default is what suits a club that has said nothing. Out of scope: the
//! rules themselves ([`crate::rules::cards`]), and the words of the kinds (dictionaries).

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::policy::PolicyError;
use crate::scheme::Scheme;
use crate::scheme::card::{LostMode, SubCards};
use crate::scheme::earning::{Approval, EarnKind, Once};
use crate::scheme::level::{Measure, Window};

/// What the club says about cards.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(default, deny_unknown_fields)]
pub struct CardTerms {
    /// Dictionary codes of the kinds that stand under a main card (K14); every other kind is a main card's.
    #[n(0)]
    pub sub_kinds: Vec<String>,
    /// What becomes of the sub cards when their main card is replaced (K17, X10).
    #[n(1)]
    pub sub_on_main_replace: SubCards,
    /// Days for which a sub card is valid; none for no end (K18).
    #[n(2)]
    pub sub_valid_days: Option<u16>,
    /// What a lost main card leads to (K18, H6, X9).
    #[n(3)]
    pub lost_mode: LostMode,
    /// Points that come with a card, by its kind (K15).
    #[n(4)]
    pub base_points: Vec<BasePoints>,
    /// Kinds of main cards that points bring, by rank (K17, K19).
    #[n(5)]
    pub levels: Vec<CardLevel>,
}

/// Base points 基本积分 of a kind of card (K15).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct BasePoints {
    /// Dictionary code of the kind; none for every kind.
    #[n(0)]
    pub kind: Option<String>,
    /// How many, above zero.
    #[n(1)]
    pub points: i64,
    /// Number of the rule, as the ledger shows it.
    #[n(2)]
    pub rule: String,
    /// Whether a member gets them only once, whatever cards come after.
    #[n(3)]
    #[cbor(default)]
    #[serde(default)]
    pub once: bool,
}

/// A kind of main card that points bring.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CardLevel {
    /// Its place among the kinds, higher is better.
    #[n(0)]
    pub rank: u8,
    /// Dictionary code of the kind.
    #[n(1)]
    pub kind: String,
    /// What is measured; none where only a person gives the kind.
    #[n(2)]
    pub measure: Option<PointsMeasure>,
    /// Points that the measure must come to.
    #[n(3)]
    pub threshold: i64,
    /// The rank that the card must have to be changed to this one; none for any.
    #[n(4)]
    pub from_rank: Option<u8>,
}

/// Which points are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointsMeasure {
    /// Those that the member has at the end of the day.
    #[n(0)]
    Balance,
    /// Those earned within a window that ends with the day, whatever was spent.
    #[n(1)]
    Earned(#[n(0)] Window),
}

/// Dictionary codes of the kinds of sub cards that the rule book names (K14: 优惠卡, 联名卡).
pub const SUB_KINDS: [&str; 2] = ["discount", "co_brand"];

impl Default for CardTerms {
    fn default() -> Self {
        Self {
            sub_kinds: SUB_KINDS.map(str::to_owned).to_vec(),
            sub_on_main_replace: SubCards::Void,
            sub_valid_days: None,
            lost_mode: LostMode::Freeze,
            base_points: Vec::new(),
            levels: Vec::new(),
        }
    }
}

impl CardTerms {
    /// The terms that a scheme says. Only levels that ask for a new card by themselves and measure points change a card
    /// (K17); growth and money move levels, but the rule book's condition is one of points.
    #[must_use]
    pub fn of(scheme: &Scheme) -> Self {
        let levels = scheme.levels.iter().map(|level| {
            let measure = match level.measure {
                Measure::Balance => Some(PointsMeasure::Balance),
                Measure::PeriodPoints => Some(PointsMeasure::Earned(level.window)),
                Measure::None | Measure::Growth | Measure::PeriodSpend | Measure::Manual => None,
            };
            CardLevel {
                rank: level.rank,
                kind: level.card_kind.clone(),
                measure: measure.filter(|_| level.auto_replace_card),
                threshold: level.threshold,
                from_rank: level.from_rank,
            }
        });
        let base = scheme.earnings.iter().filter(|rule| {
            let is_base = rule.event == EarnKind::Base && rule.approval == Approval::Auto;
            is_base && rule.balance.has_points() && rule.fixed_points > 0
        });
        let base = base.map(|rule| BasePoints {
            kind: rule.of.clone(),
            points: rule.fixed_points,
            rule: rule.rule.clone(),
            once: rule.once != Once::default(),
        });
        Self {
            sub_kinds: scheme.card.sub_kinds.clone(),
            sub_on_main_replace: scheme.card.sub_on_main_replace,
            sub_valid_days: scheme.card.sub_valid_days,
            lost_mode: scheme.card.lost_mode,
            base_points: base.collect(),
            levels: levels.collect(),
        }
    }

    /// Whether the terms can be kept.
    ///
    /// # Errors
    /// [`PolicyError`] naming the field.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if self.sub_valid_days == Some(0) {
            return Err(PolicyError::Zero { field: "cards.sub_valid_days" });
        }
        if self.base_points.iter().any(|base| base.points <= 0) {
            return Err(PolicyError::Zero { field: "cards.base_points" });
        }
        let mut ranks = BTreeSet::new();
        match self.levels.iter().find(|level| !ranks.insert(level.rank)) {
            Some(level) => Err(PolicyError::Twice { field: "cards.levels", met: level.rank.to_string() }),
            None => Ok(()),
        }
    }

    /// Whether a kind is one of sub cards.
    #[must_use]
    pub fn is_sub(&self, kind: &str) -> bool {
        self.sub_kinds.iter().any(|sub| sub == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::ready;

    #[test]
    fn rule_k14_k15_k17_k18_the_property_club_says_its_terms_of_cards() {
        let scheme: Scheme =
            toml::from_str(ready::find("property-club").expect("ready").text).expect("a scheme");
        let terms = CardTerms::of(&scheme);
        terms.validate().expect("can be kept");
        assert!(terms.is_sub("discount") && terms.is_sub("co_brand") && !terms.is_sub("vip"));
        assert_eq!((terms.sub_on_main_replace, terms.sub_valid_days), (SubCards::Void, Some(365)));
        assert_eq!(terms.lost_mode, LostMode::Replace);
        let base: Vec<_> =
            terms.base_points.iter().map(|base| (base.kind.as_deref(), base.points, base.once)).collect();
        assert_eq!(base, [(Some("ordinary"), 20, true)]);
        let rising: Vec<_> =
            terms.levels.iter().map(|level| (level.kind.as_str(), level.measure, level.threshold)).collect();
        let ever = PointsMeasure::Earned(Window::Lifetime);
        assert_eq!(rising, [("ordinary", None, 0), ("vip", Some(ever), 1_000)]);
    }

    #[test]
    fn terms_of_cards_that_cannot_be_kept_are_refused() {
        let level =
            |rank| CardLevel { rank, kind: "gold".to_owned(), measure: None, threshold: 0, from_rank: None };
        let base = BasePoints { kind: None, points: 0, rule: "K15".to_owned(), once: false };
        let bad = [
            CardTerms { sub_valid_days: Some(0), ..CardTerms::default() },
            CardTerms { base_points: vec![base], ..CardTerms::default() },
            CardTerms { levels: vec![level(1), level(1)], ..CardTerms::default() },
        ];
        for terms in bad {
            assert!(terms.validate().is_err(), "{terms:?}");
        }
    }
}
