//! What a purchase is worth in points and growth before what bounds it and before returns: by the scheme's rules of the
//! version that was in force (kind 17), as the terminal promised it ([`hufu_shared::rules::purchase`]), once per sale.
//!
//! It follows from the purchase, its time and the versions alone; a version never changes, so neither does what was posted
//! by it, and arrival plays no part. What a rule gives only with approval (K21) waits in an account of its own, with a
//! case: a person lets it count or not. Out of scope: what bounds it ([`super::bounds`]), and whose the purchase is.

use hufu_shared::cbor;
use hufu_shared::fact::{Earned, Event, Fact};
use hufu_shared::ids::{FactId, Hash, OfficeId};
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::rules::earn::RULE_S2;
use hufu_shared::rules::purchase::{self, Bought, Earns};
use hufu_shared::rules::start::Begun;
use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::earning::{EarnTerms, RuleCap};
use hufu_shared::time::Day;
use hufu_shared::wire::upload::Became;

use super::Sale;
use super::bounds::Left;
use crate::rules::apply::Work;
use crate::rules::apply::edge::{is_wide, latest};
use crate::rules::judge::cap::{self, Counts, Span};
use crate::rules::judge::rate::{self, Rated};
use crate::rules::posting;
use crate::rules::world::{KnownFact, Standing, Whose};

/// Number of the case about points of a purchase that wait for approval 待加分. It is no disagreement of two sides, so it
/// has no number among the conflict kinds.
pub const KIND_APPROVAL: u8 = 42;

/// What purchases give.
pub(super) const UNITS: [Unit; 2] = [Unit::Pts, Unit::Growth];

/// What one rule gives of one unit for a purchase, and what bounds it over several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Of what.
    pub unit: Unit,
    /// How much, above zero.
    pub amount: Amount,
    /// Whether it waits for approval.
    pub waits: bool,
    /// The rule.
    pub rule: Hash,
    /// The cap of the rule.
    pub cap: Option<(RuleCap, Counts)>,
    /// The span in which the rule gives once.
    pub once: Option<Span>,
}

/// What a purchase is worth before what bounds it over several.
pub(super) struct Worth {
    /// What its rules give, whether it counts or not: their numbers stand with its postings.
    earns: Earns,
    /// What counts of that, by unit; what waits for approval comes last, and so is the first to go where something cuts.
    pub items: Vec<Item>,
    /// By which version.
    pub rated: Rated,
    /// Whether it counts at all.
    pub counts: bool,
}

impl Worth {
    /// All of a unit that counts, what waits among it.
    pub fn of(&self, unit: Unit) -> Amount {
        let of_unit = self.items.iter().filter(|item| item.unit == unit);
        Amount(of_unit.map(|item| item.amount.0).fold(0, i64::saturating_add))
    }

    /// Numbers of the rules that give a unit.
    pub fn rule(&self, unit: Unit) -> String {
        self.earns.rule_of(unit).unwrap_or_else(|| RULE_S2.to_owned())
    }
}

/// The parts of what rules give, unit by unit. Of a purchase that a person let pass nothing waits.
fn items(earns: &Earns, terms: Option<&EarnTerms>, is_passed: bool) -> Vec<Item> {
    let mut items = Vec::new();
    for unit in UNITS {
        let is_alone = terms.is_some_and(|terms| terms.is_alone(unit));
        let counts = if is_alone { Counts::All } else { Counts::Rule };
        items.extend(earns.parts.iter().filter(|part| part.balance.has(unit)).map(|part| Item {
            unit,
            amount: part.amount,
            waits: part.waits && !is_passed,
            rule: cap::rule_name(&part.rule),
            cap: part.cap.map(|cap| (cap, counts)),
            once: Span::of(part.once),
        }));
    }
    items.sort_by_key(|item| (item.unit, item.waits));
    items
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
        let terms = self.scheme(rated.version(sale.fact.scheme)).and_then(|terms| terms.earning.as_ref());
        // A person who let the purchase count approved it.
        let is_passed = sale.known.pin == Some(true);
        let items = if counts { items(&earns, terms, is_passed) } else { Vec::new() };
        Worth { earns, items, rated, counts }
    }

    /// What a purchase gives by the rules of its version, whatever bounds it: points, and growth if it gives any; none
    /// while nobody is its buyer, or where a plain rate says all.
    pub(in crate::rules::apply) fn gives_by_rules(&self, id: FactId) -> Option<Vec<Leg>> {
        let known = self.fact(id)?;
        let fact = known.fact.as_ref()?;
        let Event::Earned(earned) = &fact.event else { return None };
        let member = self.owner(known, &earned.subject)?;
        let (rated, earns) = self.by_rules(&Sale { id, known, fact, earned, member });
        let is_plain = self.scheme(rated.version(fact.scheme))?.earning.is_none();
        let gives = earns.of(Unit::Pts).unwrap_or_default();
        // Where the kind of a member decides, a terminal may have said nothing of a plain rate either.
        if is_plain && !(self.world.asks_kinds() && gives.is_positive()) {
            return None;
        }
        let legs = UNITS.map(|unit| Leg { unit, amount: earns.of(unit).unwrap_or_default() });
        let said = legs.into_iter().filter(|leg| leg.unit == Unit::Pts || leg.amount.is_positive());
        Some(said.collect())
    }

    /// What a purchase earns, and by which version.
    fn by_rules(&self, sale: &Sale<'_>) -> (Rated, Earns) {
        let rated = self.rated(sale);
        let version = rated.version(sale.fact.scheme);
        (rated, self.earns(version, (sale.known, sale.earned), |work| work.begun(sale)))
    }

    /// What a purchase earns by a version. One whose points or growth pass 64 bits gives none; the terminal refuses such
    /// an amount beforehand. The start of points is asked for only where the version looks at it.
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
        let can_be_counted = |earns: &Earns| UNITS.into_iter().all(|unit| earns.of(unit).is_ok());
        let earns = purchase::earns(terms, &bought).ok().filter(can_be_counted);
        earns.unwrap_or_default()
    }

    /// The most points that a purchase gives at once, whoever the member is: by the version that its terminal says, and by
    /// those that may rate it. A terminal that names a version which gives less passes no limit by that.
    pub(in crate::rules::apply) fn gives_at_most(
        &self,
        known: &KnownFact,
        fact: &Fact,
        earned: &Earned,
    ) -> Amount {
        let today = Some(known.day);
        let begun = Begun { card_issued: today, main_card: today, verified: today };
        let gives = |version| {
            let earns = self.earns(version, (known, earned), |_| begun);
            let parts = earns.parts.iter().filter(|part| !part.waits && part.balance.has_points());
            Amount(parts.map(|part| part.amount.0).fold(0, i64::saturating_add))
        };
        let rated = self.world.rated_by_any(known.office, fact, (known.at, known.high));
        rated.into_iter().chain([fact.scheme]).map(gives).max().unwrap_or_default()
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
        let version = self.rated(sale).version(sale.fact.scheme);
        let terms = self.scheme(version)?;
        purchase::sheet(terms, self.code(sale.known.office), day).map(|sheet| sheet.sheet_no)
    }

    /// The standing of a purchase of which nobody can say by which version, by which promotion sheet, or in which
    /// period of a bound, it was made: it keeps what its version gives until a person says otherwise.
    pub(super) fn doubtful_earn(&mut self, sale: &Sale<'_>) -> Option<Standing> {
        let (id, known) = (sale.id, sale.known);
        if known.pin.is_some() || !is_wide(known) {
            return None;
        }
        let (first, last) = (known.at, latest(known));
        let versions = self.world.versions(self.bought_by(known, sale.earned));
        let (first_day, last_day) = (self.day(known.office, first), self.day(known.office, last));
        let mut spans = self.bound_spans(known.office).into_iter();
        let in_doubt = rate::in_force(&versions, first) != rate::in_force(&versions, last)
            || self.sheet(sale, first_day) != self.sheet(sale, last_day)
            || spans.any(|span| span.first_day(first_day) != span.first_day(last_day));
        in_doubt.then(|| self.doubt(id, Became::AppliedWithCase, "honoured"))
    }

    /// Whether the points of a purchase stay with the member when its goods come back, by the version that rates it (S8).
    pub(in crate::rules::apply) fn leaves_points(&self, id: FactId) -> bool {
        let Some(known) = self.fact(id) else { return false };
        let Some(fact @ Fact { event: Event::Earned(earned), .. }) = &known.fact else { return false };
        self.world.leaves_points(self.bought_by(known, earned), fact, (known.at, known.high))
    }

    /// By which version of the scheme a purchase is rated.
    fn rated(&self, sale: &Sale<'_>) -> Rated {
        let known = sale.known;
        self.world.rated(self.bought_by(known, sale.earned), sale.fact, (known.at, known.high))
    }

    /// Where a purchase was made, and of which kinds its buyer was: who bought it, whoever goes on in their place.
    fn bought_by(&self, known: &KnownFact, earned: &Earned) -> Whose<'_> {
        let buyer = || self.original_owner(known, &earned.subject);
        let member = if self.world.asks_kinds() { buyer() } else { None };
        member.map_or(Whose::anybody(known.office), |member| self.whose(known.office, member))
    }

    /// The standing of a purchase of which a part, or all, waits for approval. What bounds left of it is kept with the case,
    /// for when its day is settled.
    pub(super) fn waits_for_approval(&mut self, sale: &Sale<'_>, left: &Left) -> Standing {
        let case = approval_case(sale.id);
        let mut fresh = self.fresh_case(KIND_APPROVAL, "waits_for_approval");
        fresh.member = Some(sale.member);
        fresh.detail = cbor::encode(&left.record());
        self.case(case, fresh, [sale.id]);
        let became = if left.has_at_once() { Became::AppliedWithCase } else { Became::Held };
        Standing::of(became, KIND_APPROVAL, Some(case))
    }
}
