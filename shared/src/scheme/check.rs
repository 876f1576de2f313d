//! Which parameters cannot be used; messages name the key as the scheme's file writes it, what was met and what would do.

use std::collections::BTreeSet;

use super::Scheme;
use super::bill::WHOLE_BP;
use super::bonus::{Birthday, RANKED_MAX, Ranking, RoundUp};
use super::earning::{EarnKind, EarnRule, Once, Sheet};
use super::level::{Level, Measure, OnExpiry, Validity, Window};
use super::redemption::{Redemption, Transfer};
use crate::policy::Policy;

/// Characters in a code at most.
const CODE_CHARS_MAX: usize = 40;
/// Entries in one list at most: a scheme is read by people.
const LIST_MAX: usize = 500;

/// One parameter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: expected {expected}, met {met}")]
pub struct SchemeError {
    /// The key, such as `level[2].threshold`; lists count from 1.
    pub at: String,
    /// What would do.
    pub expected: &'static str,
    /// What was met.
    pub met: String,
}

/// What was found so far.
#[derive(Default)]
struct Check(Vec<SchemeError>);

impl Check {
    /// Notes a fault unless something is good.
    fn that(&mut self, good: bool, at: &str, expected: &'static str, met: impl ToString) {
        if !good {
            self.0.push(SchemeError { at: at.to_owned(), expected, met: met.to_string() });
        }
    }

    fn not_negative(&mut self, at: &str, met: i64) {
        self.that(met >= 0, at, "0 or more", met);
    }

    fn above_zero(&mut self, at: &str, met: i64) {
        self.that(met > 0, at, "a number above 0", met);
    }

    /// A discount: the whole price at most.
    fn share(&mut self, at: &str, bp: u16) {
        self.that(i64::from(bp) <= WHOLE_BP, at, "0 to 10000 (hundredths of a per cent)", bp);
    }

    /// A code that people type and files name: letters of any script, no blanks.
    fn code(&mut self, at: &str, code: &str) {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let good = !code.is_empty() && code.chars().count() <= CODE_CHARS_MAX && code.chars().all(plain);
        self.that(good, at, "1 to 40 letters, digits, - _ or .", format!("{code:?}"));
    }

    fn months(&mut self, at: &str, months: &[u8]) {
        for month in months {
            self.that((1..=12).contains(month), at, "months from 1 to 12", month);
        }
    }

    /// Two entries with one name would be a matter of luck.
    fn once_each<T: Ord + ToString>(&mut self, at: &str, items: impl Iterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for item in items {
            let met = item.to_string();
            self.that(seen.insert(item), at, "each once", format!("{met} twice"));
        }
    }

    fn list(&mut self, at: &str, length: usize) {
        self.that(length <= LIST_MAX, at, "at most 500 entries", length);
    }
}

impl Scheme {
    /// Checks every parameter.
    ///
    /// # Errors
    /// All that cannot be used, in the order of the groups.
    pub fn validate(&self) -> Result<(), Vec<SchemeError>> {
        let mut check = Check::default();
        self.check_head(&mut check);
        self.check_levels(&mut check);
        self.check_earning(&mut check);
        check.once_each("basis.order", self.basis.order.iter().map(|step| format!("{step:?}")));
        // The policy owns how points end and who may join, and knows what can be used.
        let mut policy = Policy::default();
        self.write_into(&mut policy);
        if let Err(wrong) = policy.validate() {
            check.that(false, "expiry or joining", "what the policy can use", wrong);
        }
        check.redemption(&self.redemption);
        check.not_negative("returns.refusal_penalty", self.returns.refusal_penalty);
        check.transfer(&self.transfer);
        if let Some(round_up) = &self.round_up {
            check.round_up(round_up);
        }
        if let Some(ranking) = &self.ranking {
            check.ranking(ranking, &self.redemption);
        }
        if let Some(birthday) = &self.birthday {
            check.birthday(birthday);
        }
        check.not_negative("welcome_coupon_fen", self.welcome_coupon_fen);
        if let Some(days) = self.card.sub_valid_days {
            check.above_zero("card.sub_valid_days", days.into());
        }
        check.above_zero("screen.purchase_max_fen", self.screen.purchase_max_fen);
        if check.0.is_empty() { Ok(()) } else { Err(check.0) }
    }

    fn check_head(&self, check: &mut Check) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let named = !self.id.is_empty() && self.id.len() <= CODE_CHARS_MAX && self.id.chars().all(plain);
        check.that(named, "id", "1 to 40 small letters, digits or hyphens", format!("{:?}", self.id));
        check.above_zero("version", self.version.into());
        check.that(!self.name.zh.is_empty(), "name.zh", "a name in Chinese", "nothing");
        check.that(!self.name.en.is_empty(), "name.en", "a name in English", "nothing");
        if let Some(last) = self.valid_to {
            check.that(last >= self.valid_from, "valid_to", "a day that is not before valid_from", last);
        }
        for (at, codes) in [
            ("scope_office_groups", &self.scope_office_groups),
            ("scope_member_kinds", &self.scope_member_kinds),
            ("joining.kinds", self.joining.kinds.as_ref().unwrap_or(&Vec::new())),
            ("card.office_visible_fields", &self.card.office_visible_fields),
            ("card.export_fields", &self.card.export_fields),
        ] {
            check.list(at, codes.len());
            codes.iter().for_each(|code| check.code(at, code));
            check.once_each(at, codes.iter());
        }
    }

    fn check_levels(&self, check: &mut Check) {
        check.list("level", self.levels.len());
        check.once_each("level.rank", self.levels.iter().map(|level| level.rank));
        // With two bases nobody could say where a member begins.
        let bases = self.levels.iter().filter(|level| level.measure == Measure::None).count();
        check.that(bases <= 1, "level.measure", "at most one level without a measure", bases);
        let base = self.base_rank();
        for (n, level) in self.levels.iter().enumerate() {
            let at = format!("level[{}]", n + 1);
            check.level(&at, level);
            check.that(
                level.rank >= base,
                &format!("{at}.rank"),
                "a rank above the base level's",
                level.rank,
            );
            if let Some(from) = level.from_rank {
                let known = from < level.rank && (from == base || self.level(from).is_some());
                check.that(known, &format!("{at}.from_rank"), "a lower rank that exists", from);
            }
        }
    }

    fn check_earning(&self, check: &mut Check) {
        check.list("earning", self.earnings.len());
        for (n, rule) in self.earnings.iter().enumerate() {
            check.earn_rule(&format!("earning[{}]", n + 1), rule);
        }
        check.list("sheet", self.sheets.len());
        check.once_each("sheet.sheet_no", self.sheets.iter().map(|sheet| sheet.sheet_no));
        for (n, sheet) in self.sheets.iter().enumerate() {
            check.sheet(&format!("sheet[{}]", n + 1), sheet);
        }
    }
}

impl Check {
    fn level(&mut self, at: &str, level: &Level) {
        self.code(&format!("{at}.card_kind"), &level.card_kind);
        self.share(&format!("{at}.discount_bp"), level.discount_bp);
        let free = matches!(level.measure, Measure::None | Measure::Manual);
        let threshold = format!("{at}.threshold");
        if free {
            self.that(level.threshold == 0, &threshold, "none for this measure", level.threshold);
        } else {
            self.above_zero(&threshold, level.threshold);
        }
        if let Window::RollingMonths(months) = level.window {
            self.above_zero(&format!("{at}.window.rolling_months"), months.into());
        }
        if let Validity::Months(months) = level.validity {
            self.above_zero(&format!("{at}.validity.months"), months.into());
        }
        if let OnExpiry::Deduct(points) = level.on_expiry {
            self.above_zero(&format!("{at}.on_expiry.deduct"), points);
        }
        let base_ends = level.measure == Measure::None && level.validity != Validity::Forever;
        self.that(
            !base_ends,
            &format!("{at}.validity"),
            "forever for the level that everybody has",
            "an end",
        );
    }

    fn earn_rule(&mut self, at: &str, rule: &EarnRule) {
        self.code(&format!("{at}.rule"), &rule.rule);
        let earns = rule.event != EarnKind::Refusal;
        self.that(
            earns,
            &format!("{at}.event"),
            "what earns (returns.refusal_penalty says what it costs)",
            "refusal",
        );
        self.not_negative(&format!("{at}.per_fen"), rule.per_fen);
        self.not_negative(&format!("{at}.points_per"), rule.points_per);
        self.not_negative(&format!("{at}.fixed_points"), rule.fixed_points);
        // A step without points, or points without a step, is a slip of the pen.
        let both = (rule.per_fen > 0) == (rule.points_per > 0);
        self.that(both, &format!("{at}.points_per"), "per_fen and points_per together", rule.points_per);
        if let Some(percent) = rule.gate_paid_percent {
            let good = (1..=100).contains(&percent);
            self.that(good, &format!("{at}.gate_paid_percent"), "1 to 100", percent);
        }
        if let Some(cap) = rule.cap {
            self.not_negative(&format!("{at}.cap.most"), cap.most);
        }
        // The first coffee would use up what the first car should have earned.
        let once_by_amount = rule.once == Once::Ever && rule.per_fen > 0 && rule.cap.is_none();
        self.that(
            !once_by_amount,
            &format!("{at}.once"),
            "fixed points or a cap where a rule gives once",
            "an amount",
        );
    }

    fn sheet(&mut self, at: &str, sheet: &Sheet) {
        if !sheet.office.is_empty() {
            self.code(&format!("{at}.office"), &sheet.office);
        }
        let ordered = sheet.date_from <= sheet.date_to;
        self.that(ordered, &format!("{at}.date_to"), "a day that is not before date_from", sheet.date_to);
        self.not_negative(&format!("{at}.b_factor_bp"), sheet.b_factor_bp);
        self.not_negative(&format!("{at}.c_addend_fen"), sheet.c_addend_fen);
    }

    fn redemption(&mut self, redemption: &Redemption) {
        self.months("redemption.months_open", &redemption.months_open);
        self.not_negative("redemption.cash_per_point_fen", redemption.cash_per_point_fen);
        self.list("redemption.item", redemption.items.len());
        self.once_each("redemption.item.code", redemption.items.iter().map(|item| item.code.as_str()));
        for (n, item) in redemption.items.iter().enumerate() {
            let at = format!("redemption.item[{}]", n + 1);
            self.code(&format!("{at}.code"), &item.code);
            self.above_zero(&format!("{at}.cost"), item.cost);
            self.not_negative(&format!("{at}.value_fen"), item.value_fen);
            self.months(&format!("{at}.months_open"), &item.months_open);
            let offered = redemption.kinds.is_empty() || redemption.kinds.contains(&item.kind);
            self.that(offered, &format!("{at}.kind"), "one of redemption.kinds", format!("{:?}", item.kind));
        }
        for (n, offer) in redemption.special_offers.iter().enumerate() {
            let at = format!("redemption.special_offer[{}]", n + 1);
            let normal = redemption.items.iter().find(|item| item.code == offer.item);
            self.that(normal.is_some(), &format!("{at}.item"), "an item of the catalogue", &offer.item);
            self.above_zero(&format!("{at}.min_purchase_fen"), offer.min_purchase_fen);
            self.above_zero(&format!("{at}.cost"), offer.cost);
            let cheaper = normal.is_none_or(|item| offer.cost <= item.cost);
            self.that(cheaper, &format!("{at}.cost"), "no more than the item's normal cost", offer.cost);
        }
    }

    fn transfer(&mut self, transfer: &Transfer) {
        self.not_negative("transfer.least", transfer.least);
        for (at, bound) in [
            ("transfer.most", transfer.most),
            ("transfer.most_per_day", transfer.most_per_day),
            ("transfer.most_per_year", transfer.most_per_year),
        ] {
            if let Some(most) = bound {
                self.that(most >= transfer.least.max(1), at, "a number above 0 and not below least", most);
            }
        }
    }

    fn round_up(&mut self, round_up: &RoundUp) {
        self.that((1..=31).contains(&round_up.day), "round_up.day", "1 to 31", round_up.day);
        self.that(round_up.step >= 2, "round_up.step", "2 or more", round_up.step);
        self.not_negative("round_up.step_from", round_up.step_from);
        let whole = round_up.step >= 2 && round_up.ceiling % round_up.step == 0;
        self.that(whole, "round_up.ceiling", "a multiple of step", round_up.ceiling);
        let mut last = 0;
        for (n, bracket) in round_up.brackets.iter().enumerate() {
            let at = format!("round_up.bracket[{}]", n + 1);
            let good = last <= bracket.from && bracket.from < bracket.to && bracket.to <= round_up.step_from;
            let met = format!("{} to {}", bracket.from, bracket.to);
            self.that(good, &at, "from below to, in order, not beyond step_from", met);
            last = bracket.to;
        }
    }

    fn ranking(&mut self, ranking: &Ranking, redemption: &Redemption) {
        let some = (1..=RANKED_MAX).contains(&ranking.top_n);
        self.that(some, "ranking.top_n", "1 to 10000", ranking.top_n);
        let known = redemption.items.iter().any(|item| item.code == ranking.award);
        self.that(known, "ranking.award", "an item of the catalogue", &ranking.award);
    }

    fn birthday(&mut self, birthday: &Birthday) {
        self.share("birthday.discount_bp", birthday.discount_bp);
        self.not_negative("birthday.coupon_fen", birthday.coupon_fen);
        self.above_zero("birthday.max_per_year", birthday.max_per_year.into());
        self.that((1..=31).contains(&birthday.send_day), "birthday.send_day", "1 to 31", birthday.send_day);
    }
}
