//! Group 12: cards, typed numbers, who may look for whom, and what may leave the house.
//!
//! Read by the desk, the terminals and the export; nothing here changes a balance.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::cards::SUB_KINDS;

/// Cards and privacy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardRules {
    /// Dictionary codes of the kinds of sub cards (rule K14); every other kind is a main card's.
    pub sub_kinds: Vec<String>,
    /// What becomes of the sub cards when a main card is replaced (rule K17, contradiction X10).
    pub sub_on_main_replace: SubCards,
    /// Days for which a sub card is valid; none for no end. Rule K18 speaks of an expiry without a number (gap).
    pub sub_valid_days: Option<u16>,
    /// What a lost card leads to (rules K18 and H6, contradiction X9).
    pub lost_mode: LostMode,
    /// Whether a card number may be typed (contradiction X15).
    pub manual_entry: ManualEntry,
    /// How an office may look for a member (rule H1, contradiction X12).
    pub office_search_modes: Vec<SearchMode>,
    /// Codes of the fields that an office sees.
    pub office_visible_fields: Vec<String>,
    /// Codes of the fields that may be exported (rule I4).
    pub export_fields: Vec<String>,
    /// How many people sign an export (rule I3: 3).
    pub export_signatures: u8,
}

/// What becomes of sub cards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SubCards {
    /// They are void from the moment at which the new card counts.
    #[default]
    #[n(0)]
    Void,
    /// They stand under the new main card.
    #[n(1)]
    Follow,
}

/// What a lost card leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum LostMode {
    /// It is frozen and may be found again.
    #[default]
    #[n(0)]
    Freeze,
    /// It is frozen as well, and the report asks for the card in its place: it stands among the cards to be changed.
    #[n(1)]
    Replace,
}

/// Whether a card number may be typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualEntry {
    /// No.
    No,
    /// Yes, after comparing it with member and card (rule H2); the entry is marked.
    #[default]
    Checked,
    /// Yes.
    Yes,
}

/// By what an office finds a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// The card's number.
    Card,
    /// The whole name.
    Name,
    /// The mobile phone.
    Mobile,
}

impl Default for CardRules {
    fn default() -> Self {
        let field = |name: &str| name.to_owned();
        Self {
            sub_kinds: SUB_KINDS.map(field).to_vec(),
            sub_on_main_replace: SubCards::Void,
            sub_valid_days: None,
            lost_mode: LostMode::Freeze,
            manual_entry: ManualEntry::Checked,
            office_search_modes: vec![SearchMode::Card, SearchMode::Name, SearchMode::Mobile],
            office_visible_fields: vec![field("name"), field("level"), field("points")],
            export_fields: vec![field("mobile")],
            export_signatures: 3,
        }
    }
}
