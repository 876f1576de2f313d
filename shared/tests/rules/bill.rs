//! The order of calculation: worked figures, edges, properties.

use hufu_shared::rules::bill::*;
use proptest::prelude::*;

use crate::kit::*;

fn sale(price: i64) -> Sale {
    Sale { price: Amount(price), cash_per_point_fen: 100, has_card: true, ..Sale::default() }
}

fn reckoned(basis: &Basis, sale: &Sale) -> (i64, i64) {
    let bill = reckon(basis, sale).expect("small numbers");
    (bill.to_pay.0, bill.earns_on.0)
}

#[test]
fn rule_s06_points_come_off_first_then_the_level_discount() {
    let basis = Basis::default();
    // 1,000 元, 200 points, 5 %: (1,000 - 200) x 95 % = 760 元 in cash, which earn normally.
    let both = Sale { points: 200, level_bp: 500, ..sale(100_000) };
    assert_eq!(reckoned(&basis, &both), (76_000, 76_000));
    let bill = reckon(&basis, &both).expect("small");
    let expected = [
        Reduced { step: Step::Points, by: Amount(20_000) },
        Reduced { step: Step::LevelDiscount, by: Amount(4_000) },
    ];
    assert_eq!(bill.steps, expected);
    let taken = [Step::Coupon, Step::Points, Step::LevelDiscount].map(|step| bill.taken(step).0);
    assert_eq!(taken, [0, 20_000, 4_000], "each step by its name");
    let all = Sale { points: 2_000, ..sale(100_000) };
    assert_eq!(reckoned(&basis, &all), (0, 0), "what points paid earns nothing");
    assert_eq!(reckon(&basis, &all).expect("small").points_used, 1_000, "and no more than the price");
}

#[test]
fn rule_s07_the_coupon_comes_off_first_then_the_birthday_discount() {
    let basis = Basis::default();
    // 1,000 元, a coupon of 200, 10 % for the birthday: (1,000 - 200) x 90 % = 720 元.
    let both = Sale { coupon: Amount(20_000), birthday_bp: 1_000, ..sale(100_000) };
    assert_eq!(reckoned(&basis, &both), (72_000, 72_000));
    let large = Sale { coupon: Amount(20_000), ..sale(15_000) };
    assert_eq!(reckoned(&basis, &large), (0, 0), "the amount paid by coupon earns none");
}

#[test]
fn rule_s04_no_member_discount_on_the_day_of_issue() {
    let first = Sale { is_issue_day: true, level_bp: 500, ..sale(100_000) };
    assert_eq!(reckoned(&Basis::default(), &first), (100_000, 100_000), "it earns, at the full price");
    let kind = Basis { discount_on_issue_day: true, ..Basis::default() };
    assert_eq!(reckoned(&kind, &first), (95_000, 95_000));
}

#[test]
fn a_discount_needs_the_card_at_hand() {
    let without = Sale { has_card: false, level_bp: 500, birthday_bp: 1_000, ..sale(100_000) };
    assert_eq!(reckoned(&Basis::default(), &without), (100_000, 100_000));
}

#[test]
fn rule_x16_the_order_of_calculation_is_a_parameter() {
    let both = Sale { points: 200, level_bp: 500, ..sale(100_000) };
    let other = Basis { order: vec![Step::LevelDiscount, Step::Points], ..Basis::default() };
    assert_eq!(reckoned(&other, &both), (75_000, 75_000));
    let none = Basis { order: vec![Step::Points], ..Basis::default() };
    assert_eq!(reckoned(&none, &both), (80_000, 80_000), "a step that is not named does not happen");
    let generous = Basis { exclude_points_paid: false, ..Basis::default() };
    assert_eq!(reckoned(&generous, &both), (76_000, 96_000), "points paid may earn");
}

proptest! {
    #[test]
    fn what_is_paid_and_taken_off_is_the_price(
        price in 0i64..100_000_000, coupon in 0i64..10_000_000, points in 0i64..100_000,
        level_bp in 0u16..=10_000, birthday_bp in 0u16..=10_000, turn in 0usize..4,
    ) {
        let mut basis = Basis::default();
        basis.order.rotate_left(turn);
        let sale = Sale { coupon: Amount(coupon), points, level_bp, birthday_bp, ..sale(price) };
        let bill = reckon(&basis, &sale).expect("within 64 bits");
        let off: i64 = bill.steps.iter().map(|reduced| reduced.by.0).sum();
        prop_assert_eq!(bill.to_pay.0 + off, price);
        prop_assert!(bill.to_pay.0 >= 0 && bill.earns_on == bill.to_pay);
        prop_assert!(bill.points_used <= points);
    }
}
