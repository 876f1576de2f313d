//! A club's scheme 会员制度: all parameters by which members join, rise and fall, earn, keep, spend and lose points.
//!
//! One value is one version of one scheme, in force from a calendar day on for some office groups and member kinds
//! ([`choose`]). What it says of a day never changes afterwards: a change is a further version, and a
//! posting names the version that decided. The rules that read these parameters are in [`crate::rules`].
//!
//! Where each group of parameters lives, one place for each:
//!
//! | group | place |
//! | --- | --- |
//! | 1 scheme | [`Scheme`] |
//! | 2 eligibility and start | [`crate::joining::JoiningTerms`], which the scheme sets and the policy is told; [`start`] |
//! | 3 levels | [`level`] |
//! | 4 earning, 5 promotion sheets | [`earning`] |
//! | 6 basis and order of calculation | [`bill`] |
//! | 7 expiry | [`crate::policy::ExpiryMode`]; the scheme sets it, and the policy is told ([`Scheme::write_into`]) |
//! | 8 redemption, 9 returns, transfers | [`redemption`] |
//! | 10 round-up and ranking, 11 birthday and welcome | [`bonus`] |
//! | 12 card and privacy | [`card`] |
//! | what terminals show, and bounds of their keys | [`terms`] |
//!
//! Caps over everything that a member earns in a period, whatever for, are the policy's (`earn_caps`); a cap of one
//! rule stands with the rule. Every amount of money is in fen, every share in hundredths of a per cent (bp).
//!
//! Invariant: a scheme that passed [`Scheme::validate`] can be used without further checks. Out of scope: what a
//! member has, storage, words on screens.

use serde::{Deserialize, Serialize};

use crate::cards::CardTerms;
use crate::joining::{JoiningSaid, JoiningTerms};
use crate::policy::{ExpiryMode, Policy};
use crate::rules::earn::RULE_S2;
use crate::time::Day;

pub mod bill;
pub mod bonus;
pub mod card;
mod check;
pub mod choose;
pub mod earning;
pub mod level;
pub mod ready;
pub mod redemption;
pub mod start;
pub mod terms;

pub use check::SchemeError;
pub use terms::{CounterName, DisplayName, EarnRate, SchemeTerms, Words};

use self::earning::{EarnKind, EarnRule, EarnTerms, ToldTerms};
use self::terms::Screen;

/// One version of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Its name for machines: small letters, digits and hyphens.
    pub id: String,
    /// Grows with each publication, from 1.
    pub version: u32,
    /// Its name for people.
    pub name: Words,
    /// First calendar day on which it applies.
    pub valid_from: Day,
    /// Last calendar day; none while no end is known.
    #[serde(default)]
    pub valid_to: Option<Day>,
    /// Codes of the office groups that it is for; empty for all.
    #[serde(default)]
    pub scope_office_groups: Vec<String>,
    /// Codes of the member kinds that it is for; empty for all.
    #[serde(default)]
    pub scope_member_kinds: Vec<String>,
    /// Group 2: from when on points count.
    #[serde(default)]
    pub points_start: start::PointsStart,
    /// Group 2: who may join, what people are recognised by, how long things wait.
    #[serde(default)]
    pub joining: JoiningSaid,
    /// Group 3: levels, lowest first; empty for a club without (rule G8).
    #[serde(default, rename = "level")]
    pub levels: Vec<level::Level>,
    /// Group 4: what earns.
    #[serde(default, rename = "earning")]
    pub earnings: Vec<EarnRule>,
    /// Group 5: promotion sheets.
    #[serde(default, rename = "sheet")]
    pub sheets: Vec<earning::Sheet>,
    /// Group 6: what of a price earns, and in which order it is reduced.
    #[serde(default)]
    pub basis: bill::Basis,
    /// Group 7: how points end; none where the scheme says nothing of it.
    #[serde(default)]
    pub expiry: Option<ExpiryMode>,
    /// Group 8: what points buy.
    #[serde(default)]
    pub redemption: redemption::Redemption,
    /// Group 9: goods that come back.
    #[serde(default)]
    pub returns: redemption::Returns,
    /// Points from member to member.
    #[serde(default)]
    pub transfer: redemption::Transfer,
    /// Group 10: points filled up on a day of the month; none if the club does not.
    #[serde(default)]
    pub round_up: Option<bonus::RoundUp>,
    /// Group 10: an award for the first of a period; none if the club gives none.
    #[serde(default)]
    pub ranking: Option<bonus::Ranking>,
    /// Group 11: the birthday; none if it changes nothing.
    #[serde(default)]
    pub birthday: Option<bonus::Birthday>,
    /// Group 11: coupon given when the card is opened, in fen; 0 for none (rule S10: 200 元).
    #[serde(default)]
    pub welcome_coupon_fen: i64,
    /// Group 12: cards, look-up and export.
    #[serde(default)]
    pub card: card::CardRules,
    /// What terminals show.
    #[serde(default)]
    pub screen: Screen,
}

impl Scheme {
    /// A scheme in which nothing happens: every group at its default.
    #[must_use]
    pub fn empty(id: &str, version: u32, valid_from: Day) -> Self {
        Self {
            id: id.to_owned(),
            version,
            name: Words { zh: id.to_owned(), en: id.to_owned() },
            valid_from,
            valid_to: None,
            scope_office_groups: Vec::new(),
            scope_member_kinds: Vec::new(),
            points_start: start::PointsStart::default(),
            joining: JoiningSaid::default(),
            levels: Vec::new(),
            earnings: Vec::new(),
            sheets: Vec::new(),
            basis: bill::Basis::default(),
            expiry: None,
            redemption: redemption::Redemption::default(),
            returns: redemption::Returns::default(),
            transfer: redemption::Transfer::default(),
            round_up: None,
            ranking: None,
            birthday: None,
            welcome_coupon_fen: 0,
            card: card::CardRules::default(),
            screen: Screen::default(),
        }
    }

    /// What terminals are told of it, and all that the ledger posts purchases, returns and told events by. Where one plain
    /// rate by rule S2 says it all of purchases, that is told; else all rules for them, sheets and basis are
    /// ([`earning::EarnTerms`]), beside a rate for terminals that know no more, if it never promises what the rules would
    /// not give. Its scope is left out: who publishes it knows which offices are in its groups ([`Scheme::scope`]).
    #[must_use]
    pub fn terms(&self) -> SchemeTerms {
        let of_points = |rule: &&EarnRule| rule.is_for_any_purchase() && rule.balance.has_points();
        let mut rates = self.earnings.iter().filter(of_points);
        let rate = match (rates.next(), rates.next()) {
            (Some(only), None) => only.plain_rate(),
            _ => None,
        };
        let is_always = self.sheets.is_empty() && self.points_start != start::PointsStart::Verified;
        let earn = rate.filter(|_| is_always);
        let is_all = |terms: &EarnTerms| {
            let one = matches!(terms.rules.as_slice(), [only] if only.rule == RULE_S2
                && only.of.is_none() && !only.balance.has_growth());
            one && earn.is_some() && terms.basis.same_share() && terms.start == start::PointsStart::Issue
        };
        let earning = self.earn_terms().filter(|terms| !is_all(terms));
        let bill = Some(bill::BillTerms::of(self)).filter(|terms| *terms != bill::BillTerms::default());
        let terms = self.screen.terms((self.version, self.valid_from), earn, earning);
        let returns = Some(self.returns.clone()).filter(|returns| *returns != redemption::Returns::default());
        SchemeTerms { told: self.told_terms(), bill, returns, ..terms }
    }

    /// What events earn by that the centre is told of; none if no rule is for such.
    fn told_terms(&self) -> Option<ToldTerms> {
        let rules = self.earnings.iter().filter(|rule| EarnKind::TOLD.contains(&rule.event));
        let rules: Vec<EarnRule> = rules.cloned().collect();
        (!rules.is_empty()).then_some(ToldTerms { rules, start: self.points_start })
    }

    /// What purchases earn by; none if the club gives nothing for them. A rule for some ranks only is left out: a person
    /// gives what is due by it ([`EarnRule::for_every_rank`]).
    fn earn_terms(&self) -> Option<EarnTerms> {
        let is_known = |rule: &&EarnRule| rule.event == EarnKind::Purchase && rule.for_every_rank();
        let rules: Vec<EarnRule> = self.earnings.iter().filter(is_known).cloned().collect();
        (!rules.is_empty()).then(|| EarnTerms {
            rules,
            sheets: self.sheets.clone(),
            start: self.points_start,
            basis: self.basis.clone(),
        })
    }

    /// Keys of what the scheme says and the centre does not do by itself yet: a person must.
    #[must_use]
    pub fn not_done_yet(&self) -> Vec<&'static str> {
        let rated = self.earn_terms();
        // Of rules for purchases only those for some ranks are left to people. Base points come with the cards, and what is
        // no purchase is posted once somebody tells of it.
        let has_own = |rule: &&EarnRule| rule.event == EarnKind::Base || EarnKind::TOLD.contains(&rule.event);
        let done = self.earnings.iter().filter(has_own).count()
            + rated.as_ref().map_or(0, |terms| terms.rules.len());
        let groups = [
            ("points_start", self.points_start == start::PointsStart::Verified && rated.is_none()),
            ("earning", self.earnings.len() > done),
            ("sheet", !self.sheets.is_empty() && rated.is_none()),
        ];
        groups.into_iter().filter_map(|(key, is_said)| is_said.then_some(key)).collect()
    }

    /// Tells the policy what the centre needs of the scheme: how points end, who may join, what becomes of cards, whether
    /// plans of redemption wait for approval, which levels and coupons there are, what the member day and the end of a
    /// period bring, what points buy, and how they go from member to member.
    /// Of what the scheme leaves out of the ends and of joining, the club keeps what it has.
    pub fn write_into(&self, policy: &mut Policy) {
        policy.expiry = self.expiry.unwrap_or(policy.expiry);
        policy.joining = self.joining.over(&policy.joining);
        policy.cards = CardTerms::of(self);
        policy.plans_need_approval = self.redemption.plan_needs_approval;
        policy.levels = level::Ladder::of(self);
        policy.coupons = bonus::CouponTerms::of(self);
        policy.round_up = self.round_up.clone();
        policy.ranking = self.ranking.clone();
        policy.catalogue = redemption::Redemption::of(self);
        policy.transfer = Some(self.transfer.clone()).filter(|transfer| transfer.allowed);
    }

    /// How points end by the scheme alone: never, if it says nothing.
    #[must_use]
    pub fn ends(&self) -> ExpiryMode {
        self.expiry.unwrap_or(ExpiryMode::Never)
    }

    /// Who may join by the scheme alone, in a club that had said nothing before.
    #[must_use]
    pub fn joining_alone(&self) -> JoiningTerms {
        self.joining.over(&JoiningTerms::default())
    }

    /// The level of a rank.
    #[must_use]
    pub fn level(&self, rank: u8) -> Option<&level::Level> {
        self.levels.iter().find(|level| level.rank == rank)
    }

    /// The rank that every member has without doing anything: that of the level without a measure, else 0.
    #[must_use]
    pub fn base_rank(&self) -> u8 {
        self.levels.iter().find(|level| level.measure == level::Measure::None).map_or(0, |level| level.rank)
    }
}
