//! What a purchase's slip says beside the money, and what a version of the scheme rates purchases, returns and bills by,
//! every field filled.

use hufu_shared::fact::Paid;
use hufu_shared::money::Amount;
use hufu_shared::policy::Period;
use hufu_shared::scheme::Words;
use hufu_shared::scheme::bill::{Basis, BillTerms, LevelDiscount, Step};
use hufu_shared::scheme::bonus::{Birthday, BirthdayWindow, Evidence};
use hufu_shared::scheme::earning::{
    Approval, Balance, EarnKind, EarnRule, EarnTerms, Once, Rounding, RuleCap, Sheet, SheetBasis, ToldTerms,
};
use hufu_shared::scheme::redemption::{Returns, Shortfall};
use hufu_shared::scheme::start::PointsStart;
use hufu_shared::time::Day;

/// A home of which a part is not paid yet.
pub fn paid() -> Paid {
    Paid { goods: "home".to_owned(), received_percent: 99, coupon: Amount(20_000), by_points: Amount(30_000) }
}

/// Rules, sheets, start and basis.
pub fn earning() -> EarnTerms {
    let rule = EarnRule {
        of: Some("home".to_owned()),
        per_fen: 100_000,
        points_per: 1,
        fixed_points: 5,
        rounding: Rounding::HalfUp,
        gate_paid_percent: Some(100),
        approval: Approval::Pending,
        cap: Some(RuleCap { period: Period::Month, most: 5_000 }),
        once: Once::In(Period::Year),
        ranks: vec![2],
        ..EarnRule::new("K22", EarnKind::Purchase)
    };
    let sheet = Sheet {
        sheet_no: 1_012,
        office: "A01".to_owned(),
        date_from: Day(20_770),
        date_to: Day(20_779),
        entered: Day(20_760),
        a_basis: SheetBasis::Price,
        b_factor_bp: 15_000,
        c_addend_fen: 5_000,
    };
    let basis = Basis {
        exclude_points_paid: true,
        exclude_coupon_paid: false,
        order: vec![Step::Coupon, Step::Points, Step::LevelDiscount, Step::BirthdayDiscount],
        discount_on_issue_day: false,
        discount_needs_card: true,
    };
    EarnTerms { rules: vec![rule], sheets: vec![sheet], start: PointsStart::MainCard, basis }
}

/// What events are rated by that are no purchases.
pub fn told() -> ToldTerms {
    let rule = EarnRule {
        of: Some("sign-in".to_owned()),
        balance: Balance::Both,
        fixed_points: 5,
        gate_paid_percent: Some(100),
        cap: Some(RuleCap { period: Period::Month, most: 100 }),
        once: Once::In(Period::Day),
        ranks: vec![1],
        ..EarnRule::new("B3", EarnKind::Task)
    };
    ToldTerms { rules: vec![rule], start: PointsStart::Verified }
}

/// Goods that come back and refused orders, all other than by default.
pub fn returns() -> Returns {
    Returns { reverse_points: false, shortfall: Shortfall::Block, refusal_penalty: 50 }
}

/// Order, levels, points as cash and birthday.
pub fn bill() -> BillTerms {
    let basis = Basis {
        exclude_points_paid: true,
        exclude_coupon_paid: false,
        order: vec![Step::BirthdayDiscount, Step::Coupon],
        discount_on_issue_day: false,
        discount_needs_card: true,
    };
    let name = Words { zh: "钻卡".to_owned(), en: "Diamond card".to_owned() };
    let birthday = Birthday {
        window: BirthdayWindow::Day,
        max_per_year: 2,
        evidence: Evidence::Card,
        discount_bp: 1_000,
        coupon_fen: 20_000,
        send_day: 28,
    };
    BillTerms {
        basis,
        levels: vec![LevelDiscount { rank: 1, name, discount_bp: 500 }],
        base_rank: 1,
        cash_per_point_fen: 100,
        months_open: vec![6, 12],
        birthday: Some(birthday),
    }
}
