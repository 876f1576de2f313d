//! What a purchase is worth before caps and returns: by the scheme's rules of the version that was in force (kind 17), as
//! the terminal promised it ([`hufu_shared::rules::purchase`]), once per sale.
//!
//! It follows from the purchase, its time and the versions alone; a version never changes, so neither does what was posted
//! by it, and arrival plays no part. What a rule gives only with approval (K21) waits in an account of its own, with a
//! case: a person lets it count or not. Out of scope: caps, returns, and whose the purchase is.

use std::collections::BTreeSet;

use hufu_shared::cbor;
use hufu_shared::fact::{Earned, Event, Fact};
use hufu_shared::ids::{FactId, Hash, MemberId, OfficeId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnEvent, Period};
use hufu_shared::rules::earn::RULE_S2;
use hufu_shared::rules::purchase::{self, Bought, Earns};
use hufu_shared::rules::start::Begun;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::earning::{EarnTerms, RuleCap};
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::Sale;
use crate::rules::apply::Work;
use crate::rules::apply::edge::{is_wide, latest};
use crate::rules::judge::cap;
use crate::rules::judge::rate::{self, Decided, Rated};
use crate::rules::need::Need;
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing};

/// Number of the case about points of a purchase that wait for approval 待加分. It is no disagreement of two sides, so it
/// has no number among the conflict kinds.
pub const KIND_APPROVAL: u8 = 42;

/// What a purchase is worth before caps.
pub(super) struct Worth {
    /// All points, those that wait among them.
    pub points: Amount,
    /// Those that wait for approval.
    pub waiting: Amount,
    /// Numbers of the rules that gave them.
    pub rule: String,
    /// The cap of that rule, if it has one.
    pub cap: Option<RuleCap>,
    /// By which version.
    pub rated: Rated,
    /// Whether it counts at all.
    pub counts: bool,
}

/// The case about points of a purchase that wait for approval.
#[must_use]
pub fn approval_case(id: FactId) -> Hash {
    posting::case_id(KIND_APPROVAL, &[&posting::fact_cause(id).0])
}

impl Work {
    /// The scheme version that the terminal decided by, or the newest before it.
    pub(in crate::rules::apply) fn scheme(&self, version: u32) -> Option<&SchemeTerms> {
        self.world.schemes.range(..=version).next_back().map(|(_, scheme)| &scheme.terms)
    }

    /// What a purchase is worth: by the rules of its version, once per sale.
    pub(super) fn worth(&mut self, sale: &Sale<'_>) -> Worth {
        let (rated, earns) = self.by_rules(sale);
        let counts = sale.known.pin != Some(false) && self.has_the_sale(sale);
        let rule = earns.rule().unwrap_or_else(|| RULE_S2.to_owned());
        let given = if counts { earns } else { Earns::default() };
        // A person who let the purchase count approved it.
        let waiting = if sale.known.pin == Some(true) { Amount::ZERO } else { given.waiting };
        let earning = self.scheme(rated.version(sale.fact.scheme)).and_then(|terms| terms.earning.as_ref());
        let cap = earning.and_then(EarnTerms::cap);
        Worth { points: given.all().unwrap_or_default(), waiting, rule, cap, rated, counts }
    }

    /// Points that a purchase gives by the rules of its version, whatever bounds them; none while nobody is its buyer, or
    /// where a plain rate says all.
    pub(in crate::rules::apply) fn gives_by_rules(&self, id: FactId) -> Option<Amount> {
        let known = self.fact(id)?;
        let fact = known.fact.as_ref()?;
        let Event::Earned(earned) = &fact.event else { return None };
        let member = self.owner(known, &earned.subject)?;
        let (rated, earns) = self.by_rules(&Sale { id, known, fact, earned, member });
        let terms = self.scheme(rated.version(fact.scheme))?;
        terms.earning.is_some().then(|| earns.all().unwrap_or_default())
    }

    /// What a purchase earns, and by which version.
    fn by_rules(&self, sale: &Sale<'_>) -> (Rated, Earns) {
        let rated = self.rated(sale.known, sale.fact);
        let version = rated.version(sale.fact.scheme);
        (rated, self.earns(version, (sale.known, sale.earned), |work| work.begun(sale)))
    }

    /// What a purchase earns by a version. One whose points pass 64 bits gives none; the terminal refuses such an amount
    /// beforehand. The start of points is asked for only where the version looks at it.
    fn earns(
        &self,
        version: u32,
        (known, earned): (&KnownFact, &Earned),
        begun: impl FnOnce(&Self) -> Begun,
    ) -> Earns {
        let Some(terms) = self.scheme(version) else { return Earns::default() };
        let begun = if terms.earning.is_some() { begun(self) } else { Begun::default() };
        let paid = earned.paid.as_ref();
        let bought =
            Bought { money: earned.purchase, paid, office: self.code(known.office), day: known.day, begun };
        let earns = purchase::earns(terms, &bought).ok().filter(|earns| earns.all().is_ok());
        earns.unwrap_or_default()
    }

    /// The most that a purchase gives at once, whoever the member is: by the version that its terminal says, and by the one
    /// that rates it. A terminal that names a version which gives less passes no limit by that.
    pub(in crate::rules::apply) fn gives_at_most(
        &self,
        known: &KnownFact,
        fact: &Fact,
        earned: &Earned,
    ) -> Amount {
        let today = Some(known.day);
        let begun = Begun { card_issued: today, main_card: today, verified: today };
        let gives = |version| self.earns(version, (known, earned), |_| begun).at_once;
        let rated = self.rated(known, fact).version(fact.scheme);
        if rated == fact.scheme { gives(rated) } else { gives(rated).max(gives(fact.scheme)) }
    }

    /// What the start of points depends on, for the buyer. A card was at hand, and whatever is no main card stands under
    /// one (K16); whoever is a member was verified by then (G1).
    fn begun(&self, sale: &Sale<'_>) -> Begun {
        let today = Some(sale.known.day);
        let member = self.original_owner(sale.known, &sale.earned.subject).unwrap_or(sale.member);
        let verified = self.member(member).map(|known| known.joined);
        Begun { card_issued: today, main_card: today, verified }
    }

    fn code(&self, office: OfficeId) -> &str {
        self.world.offices.get(&office).map_or("", |office| office.code.as_str())
    }

    /// Number of the sheet that holds for a purchase, if it was made on that day.
    fn sheet(&self, sale: &Sale<'_>, day: Day) -> Option<u64> {
        let version = self.rated(sale.known, sale.fact).version(sale.fact.scheme);
        let terms = self.scheme(version)?;
        purchase::sheet(terms, self.code(sale.known.office), day).map(|sheet| sheet.sheet_no)
    }

    /// The standing of a purchase of which nobody can say by which version, by which promotion sheet, or in which
    /// capped period, it was made: it keeps what its version gives until a person says otherwise.
    pub(super) fn doubtful_earn(&mut self, sale: &Sale<'_>) -> Option<Standing> {
        let (id, known) = (sale.id, sale.known);
        if known.pin.is_some() || !is_wide(known) {
            return None;
        }
        let (first, last) = (known.at, latest(known));
        let versions = self.world.versions(known.office);
        let (first_day, last_day) = (self.day(known.office, first), self.day(known.office, last));
        let mut capped = self.capped_periods(known.office).into_iter();
        let in_doubt = rate::in_force(&versions, first) != rate::in_force(&versions, last)
            || self.sheet(sale, first_day) != self.sheet(sale, last_day)
            || capped.any(|period| period.first_day(first_day) != period.first_day(last_day));
        in_doubt.then(|| self.doubt(id, Became::AppliedWithCase, "honoured"))
    }

    /// The periods in which caps hold over purchases at an office: the club's, and those of rules of any version.
    pub(in crate::rules::apply) fn capped_periods(&self, office: OfficeId) -> BTreeSet<Period> {
        let caps = self.world.policy.earn_caps.iter();
        let own = caps.filter(|cap| cap.covers(Unit::Pts, EarnEvent::Purchase, office)).map(|cap| cap.period);
        let versions = self.world.schemes.values().filter_map(|scheme| scheme.terms.earning.as_ref());
        own.chain(versions.filter_map(EarnTerms::cap).map(|cap| cap.period)).collect()
    }

    /// Whether the first version whose rule has a cap over such periods was published after one had begun: what came
    /// before that has no link to it yet.
    pub(super) fn was_capped_within(&self, office: OfficeId, period: Period, first: Day) -> bool {
        let has_cap = |terms: &SchemeTerms| {
            let cap = terms.earning.as_ref().and_then(EarnTerms::cap);
            cap.is_some_and(|cap| cap.period == period)
        };
        let capped = self.world.schemes.values().filter(|scheme| has_cap(&scheme.terms));
        let since = capped.map(|scheme| scheme.published).min();
        since.is_some_and(|since| first <= self.day(office, since))
    }

    /// All purchases of a member in a period that begins on a day.
    pub(super) fn earned_in(&self, member: MemberId, period: Period, first: Day) -> Vec<FactId> {
        self.has(Need::FactsOf(member));
        let is_of = |known: &KnownFact| {
            let is_earn = matches!(&known.fact, Some(Fact { event: Event::Earned(_), .. }));
            is_earn && known.member == Some(member) && period.first_day(known.day) == first
        };
        self.world.facts.iter().filter(|(_, known)| is_of(known)).map(|(id, _)| *id).collect()
    }

    /// By which version of the scheme a purchase is rated.
    fn rated(&self, known: &KnownFact, fact: &Fact) -> Rated {
        let versions = self.world.versions(known.office);
        let decided = Decided { used: fact.scheme, t: known.at, hi: known.high, is_spend: false, pin: None };
        rate::judge(&versions, self.world.policy.rate_grace_days, decided)
    }

    /// The standing of a purchase of which a part, or all, waits for approval. What caps left of it is kept with the case, for
    /// when its day is settled.
    pub(super) fn waits_for_approval(
        &mut self,
        sale: &Sale<'_>,
        worth: &Worth,
        capped: cap::Capped,
    ) -> Standing {
        let case = approval_case(sale.id);
        let mut fresh = self.fresh_case(KIND_APPROVAL, "waits_for_approval");
        fresh.member = Some(sale.member);
        fresh.detail = cbor::encode(&(worth.points, capped.gives));
        self.case(case, fresh, [sale.id]);
        let became = if worth.waiting < worth.points { Became::AppliedWithCase } else { Became::Held };
        Standing::of(became, KIND_APPROVAL, Some(case))
    }
}
