//! Dictionaries: the closed lists of words that the club may lengthen, rename and retire, but never shorten.
//!
//! Hufu brings the words of the rule books along ([`built_in`]); what the club says of a code stands above them. Records
//! hold the code for ever, so a word that went out of use is retired and not deleted: it is read, but not chosen again.
//!
//! Out of scope: which rule looks into which dictionary.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::scheme::Words;

/// Characters of a code at most: it stands in addresses and files.
pub const CODE_CHARS_MAX: usize = 40;
/// Characters of a word at most.
pub const WORD_CHARS_MAX: usize = 50;

/// Dictionary of the routes on which applications come (K3).
pub const ROUTE: &str = "route";
/// Dictionary of the sub-kinds of the service centre's route (K3).
pub const ROUTE_CENTRE: &str = "route_centre";
/// Dictionary of the kinds of members (T1, E2).
pub const MEMBER_KIND: &str = "member_kind";
/// Dictionary of the kinds of leaving (K12).
pub const LEAVE_KIND: &str = "leave_kind";
/// Dictionary of the kinds of cards (K14, N1).
pub const CARD_KIND: &str = "card_kind";
/// Dictionary of the kinds of activities (K25).
pub const ACTIVITY_KIND: &str = "activity_kind";
/// Dictionary of the channels of notices (K10).
pub const CHANNEL: &str = "channel";

/// Dictionary of the causes of changes of points (K20).
pub const CAUSE: &str = "cause";

/// Code of the cause that is an activity: which one is named with it (K20, K26).
pub const CAUSE_ACTIVITY: &str = "activity";

/// Code of the kind of a card of which nothing else is said (K14, 普通卡).
pub const CARD_KIND_ORDINARY: &str = "ordinary";

/// Code of the route of a sales office, as terminals write it (K3, 案场).
pub const ROUTE_OF_OFFICE: &str = crate::form::ROUTE_OFFICE;
/// Code of the route of the service centre (K3, 客服中心).
pub const ROUTE_OF_CENTRE: &str = "centre";
/// Code of the route of the website (K3).
pub const ROUTE_OF_WEBSITE: &str = "website";

/// What a dictionary says of one code.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Term {
    /// Which dictionary.
    #[n(0)]
    pub dictionary: String,
    /// The code that records hold.
    #[n(1)]
    pub code: String,
    /// What people read.
    #[n(2)]
    pub words: Words,
    /// Place in lists, lowest first.
    #[n(3)]
    pub order: i32,
    /// Whether it can no longer be chosen.
    #[n(4)]
    pub retired: bool,
}

/// Why a term cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// No dictionary of that name.
    #[error("dictionary expected as one of {}, met {met:?}", NAMES.join(", "))]
    Dictionary {
        /// What was met.
        met: String,
    },
    /// Not a code.
    #[error("code expected as 1 to {CODE_CHARS_MAX} of a-z, 0-9 and _, met {met:?}")]
    Code {
        /// What was met.
        met: String,
    },
    /// A word is missing or too long.
    #[error("word in {language} expected with 1 to {WORD_CHARS_MAX} characters, met {chars}")]
    Word {
        /// Which language.
        language: &'static str,
        /// How many characters it has.
        chars: usize,
    },
}

/// All dictionaries.
pub const NAMES: [&str; 8] =
    [ROUTE, ROUTE_CENTRE, MEMBER_KIND, LEAVE_KIND, CARD_KIND, ACTIVITY_KIND, CHANNEL, CAUSE];

/// Dictionary, code, word in Chinese, word in English; in the order of the lists.
const BUILT_IN: [(&str, &str, &str, &str); 45] = [
    (ROUTE, ROUTE_OF_OFFICE, "案场", "sales office"),
    (ROUTE, ROUTE_OF_CENTRE, "客服中心", "service centre"),
    (ROUTE, ROUTE_OF_WEBSITE, "网站", "website"),
    (ROUTE_CENTRE, "magazine", "会刊", "members' magazine"),
    (ROUTE_CENTRE, "activity", "活动", "activity"),
    (ROUTE_CENTRE, "fair", "展会", "trade fair"),
    (ROUTE_CENTRE, "referral", "推荐", "referral"),
    (ROUTE_CENTRE, "sp", "SP活动", "sales promotion"),
    (ROUTE_CENTRE, "property", "物业", "property management"),
    (ROUTE_CENTRE, "merchant", "商家", "merchant"),
    (MEMBER_KIND, "person", "个人", "person"),
    (MEMBER_KIND, "walk_in", "散客", "walk-in guest"),
    (MEMBER_KIND, "ota", "OTA", "online travel agency guest"),
    (MEMBER_KIND, "enterprise", "渠道（企业）", "channel (enterprise)"),
    (MEMBER_KIND, "dealer", "经销商", "dealer"),
    (MEMBER_KIND, "organisation", "机构", "organisation"),
    (LEAVE_KIND, "normal", "正常退会", "left by request"),
    (LEAVE_KIND, "unreachable", "联系无效", "cannot be reached"),
    (LEAVE_KIND, "expired", "时间到期", "time is up"),
    (LEAVE_KIND, "data_error", "数据错误", "wrong data"),
    (CARD_KIND, "main", "主卡", "main card"),
    (CARD_KIND, CARD_KIND_ORDINARY, "普通卡", "ordinary card"),
    (CARD_KIND, "vip", "VIP卡", "VIP card"),
    (CARD_KIND, "discount", "优惠卡", "benefit card"),
    (CARD_KIND, "co_brand", "联名卡", "co-branded card"),
    (CARD_KIND, "member", "会员卡", "membership card"),
    (CARD_KIND, "value", "储值卡", "stored-value card"),
    (CARD_KIND, "rebate", "打折卡", "discount card"),
    (CARD_KIND, "points", "积分卡", "points card"),
    (CARD_KIND, "gold", "金卡", "gold card"),
    (CARD_KIND, "silver", "银卡", "silver card"),
    (CARD_KIND, "diamond", "钻石卡", "diamond card"),
    (ACTIVITY_KIND, "salon", "沙龙", "salon"),
    (ACTIVITY_KIND, "party", "聚会", "party"),
    (ACTIVITY_KIND, "on_site", "现场活动", "on-site activity"),
    (ACTIVITY_KIND, "other", "其它", "other"),
    (CHANNEL, "sms", "短信", "text message"),
    (CHANNEL, "email", "电子邮件", "e-mail"),
    (CHANNEL, "letter", "普通信件", "letter"),
    (CHANNEL, "phone", "电话", "telephone"),
    (CHANNEL, "other", "其他", "other"),
    (CAUSE, "purchase", "购房", "purchase"),
    (CAUSE, CAUSE_ACTIVITY, "活动", "activity"),
    (CAUSE, "care", "关怀", "care"),
    (CAUSE, "complaint", "投诉", "complaint"),
];

impl Term {
    /// Whether the term can be taken into its dictionary.
    ///
    /// # Errors
    /// [`TermError`] naming what is wrong with it.
    pub fn validate(&self) -> Result<(), TermError> {
        if !NAMES.contains(&self.dictionary.as_str()) {
            return Err(TermError::Dictionary { met: self.dictionary.clone() });
        }
        let is_of_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.code.is_empty() || self.code.len() > CODE_CHARS_MAX || !self.code.chars().all(is_of_code) {
            return Err(TermError::Code { met: self.code.clone() });
        }
        for (language, word) in [("Chinese", &self.words.zh), ("English", &self.words.en)] {
            let chars = word.trim().chars().count();
            if chars == 0 || chars > WORD_CHARS_MAX {
                return Err(TermError::Word { language, chars });
            }
        }
        Ok(())
    }
}

/// Places between two built-in words, so that the club's own fit in between.
const ORDER_STEP: i32 = 10;

/// The words that every club begins with.
pub fn built_in() -> impl Iterator<Item = Term> {
    let mut places: BTreeMap<&str, i32> = BTreeMap::new();
    BUILT_IN.into_iter().map(move |(dictionary, code, zh, en)| {
        let order = places.entry(dictionary).or_default();
        *order += ORDER_STEP;
        Term {
            dictionary: dictionary.to_owned(),
            code: code.to_owned(),
            words: Words { zh: zh.to_owned(), en: en.to_owned() },
            order: *order,
            retired: false,
        }
    })
}

/// The code of a built-in word: people write either, in both languages. What is no built-in word stands as it was written.
#[must_use]
pub fn code_of(dictionary: &str, written: &str) -> String {
    let is_it = |term: &Term| {
        term.dictionary == dictionary
            && [&term.code, &term.words.zh, &term.words.en].iter().any(|word| *word == written)
    };
    built_in().find(is_it).map_or_else(|| written.to_owned(), |term| term.code)
}

/// One dictionary as it stands: the built-in words with the club's own above them, in the order of the list.
#[must_use]
pub fn terms(dictionary: &str, own: impl IntoIterator<Item = Term>) -> Vec<Term> {
    let of = |term: &Term| term.dictionary == dictionary;
    let all = built_in().chain(own).filter(of).map(|term| (term.code.clone(), term));
    let mut terms: Vec<Term> = all.collect::<BTreeMap<_, _>>().into_values().collect();
    terms.sort_by(|one, other| (one.order, &one.code).cmp(&(other.order, &other.code)));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(code: &str, zh: &str, order: i32, retired: bool) -> Term {
        let words = Words { zh: zh.to_owned(), en: "word".to_owned() };
        Term { dictionary: LEAVE_KIND.to_owned(), code: code.to_owned(), words, order, retired }
    }

    fn words(terms: &[Term]) -> Vec<&str> {
        terms.iter().map(|term| term.words.zh.as_str()).collect()
    }

    #[test]
    fn rule_k12_the_four_kinds_of_leaving_are_there_from_the_first_day() {
        assert_eq!(words(&terms(LEAVE_KIND, [])), ["正常退会", "联系无效", "时间到期", "数据错误"]);
    }

    #[test]
    fn rule_k12_the_club_lengthens_renames_and_retires_and_nothing_is_lost() {
        let own = [term("expired", "到期退会", 12, true), term("moved", "迁居外地", 100, false)];
        let all = terms(LEAVE_KIND, own);
        assert_eq!(words(&all), ["正常退会", "到期退会", "联系无效", "数据错误", "迁居外地"]);
        let retired: Vec<&str> =
            all.iter().filter(|term| term.retired).map(|term| term.code.as_str()).collect();
        assert_eq!(retired, ["expired"], "still read");
    }

    #[test]
    fn rule_k03_every_route_and_each_of_the_centres_seven_ways_has_its_word() {
        assert_eq!(words(&terms(ROUTE, [])), ["案场", "客服中心", "网站"]);
        let ways = terms(ROUTE_CENTRE, []);
        assert_eq!(words(&ways), ["会刊", "活动", "展会", "推荐", "SP活动", "物业", "商家"]);
    }

    #[test]
    fn rule_k25_the_four_kinds_of_activities() {
        assert_eq!(words(&terms(ACTIVITY_KIND, [])), ["沙龙", "聚会", "现场活动", "其它"]);
    }

    #[test]
    fn rule_k10_the_five_channels_of_notices() {
        assert_eq!(words(&terms(CHANNEL, [])), ["短信", "电子邮件", "普通信件", "电话", "其他"]);
    }

    #[test]
    fn rule_k20_the_four_causes_are_there_and_the_club_adds_its_own() {
        assert_eq!(words(&terms(CAUSE, [])), ["购房", "活动", "关怀", "投诉"]);
        let own = Term { dictionary: CAUSE.to_owned(), ..term("referral", "推荐购房", 100, false) };
        assert_eq!(words(&terms(CAUSE, [own])).last(), Some(&"推荐购房"));
    }

    #[test]
    fn rule_k14_a_kind_of_card_is_one_code_whichever_word_people_write() {
        for written in ["ordinary", "普通卡", "ordinary card"] {
            assert_eq!(code_of(CARD_KIND, written), CARD_KIND_ORDINARY);
        }
        assert_eq!(code_of(CARD_KIND, "金卡"), "gold");
        assert_eq!(code_of(CARD_KIND, "龙卡"), "龙卡", "the club's own");
        assert_eq!(code_of(CHANNEL, "普通卡"), "普通卡", "a word of another dictionary");
    }

    #[test]
    fn every_built_in_word_can_be_taken_and_stands_once() {
        let mut codes = std::collections::BTreeSet::new();
        for term in built_in() {
            term.validate().expect("built in");
            assert!(codes.insert((term.dictionary.clone(), term.code.clone())), "{term:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_term_is_said() {
        let met = |change: fn(&mut Term)| {
            let mut term = term("moved", "迁居外地", 0, false);
            change(&mut term);
            term.validate().expect_err("wrong").to_string()
        };
        assert!(met(|term| term.dictionary = "colour".to_owned()).contains("met \"colour\""));
        assert!(met(|term| term.code = "Moved away".to_owned()).contains("met \"Moved away\""));
        assert!(met(|term| term.words.en = "  ".to_owned()).contains("English"));
        assert!(met(|term| term.words.zh = "长".repeat(51)).contains("met 51"));
    }
}
