//! What is to pay at the till, with what a member brings: worked figures, and each reason why something takes nothing off.

use hufu_shared::rules::bill::NoDiscount;
use hufu_shared::rules::birthday::{NoBirthday, Shown};
use hufu_shared::rules::redeem::NotRedeemed;
use hufu_shared::rules::till::*;

use crate::kit::*;

const ALL: Shown = Shown { card: true, id_card: true, own_use: true };

/// 思凡 with 5 % for its diamond card and 10 % for a birthday, whose tables are lost.
fn fashion() -> Scheme {
    let mut scheme = ready("S");
    scheme.levels[1].discount_bp = 500;
    scheme.birthday = scheme.birthday.map(|rule| Birthday { discount_bp: 1_000, ..rule });
    scheme
}

fn till(on: &str, fen: i64) -> Till<'static> {
    Till {
        day: day(on),
        price: Amount(fen),
        coupon: Amount::ZERO,
        points: 0,
        has_points: 500,
        rank: Some(1),
        has_card: true,
        is_issue_day: false,
        birthday: None,
    }
}

fn told(scheme: &Scheme, till: &Till<'_>) -> (i64, Vec<(Step, WhyNot)>) {
    let reckoned = reckon(&BillTerms::of(scheme), till).expect("small numbers");
    (reckoned.bill.to_pay.0, reckoned.left)
}

#[test]
fn rule_s06_rule_s07_coupon_points_level_and_birthday_in_the_scheme_s_order() {
    let of = Celebrates { born: Some(day("1988-06-05")), used_on: &[], shown: ALL };
    let all = Till { coupon: Amount(20_000), points: 200, birthday: Some(of), ..till("2026-06-10", 100_000) };
    // 1,000 元 - 200 - 200 = 600; less 5 % = 570; less 10 % = 513.
    assert_eq!(told(&fashion(), &all), (51_300, vec![]));
    let steps = reckon(&BillTerms::of(&fashion()), &all).expect("small numbers").bill.steps;
    let taken: Vec<(Step, i64)> = steps.iter().map(|reduced| (reduced.step, reduced.by.0)).collect();
    let expected = [
        (Step::Coupon, 20_000),
        (Step::Points, 20_000),
        (Step::LevelDiscount, 3_000),
        (Step::BirthdayDiscount, 5_700),
    ];
    assert_eq!(taken, expected);
}

#[test]
fn rule_s05_points_pay_in_the_months_that_are_open_and_as_many_as_there_are() {
    let closed = Till { points: 200, ..till("2026-07-01", 100_000) };
    let why = WhyNot::Points(NotRedeemed::Closed { month: 7 });
    assert_eq!(told(&fashion(), &closed), (95_000, vec![(Step::Points, why)]));
    let many = Till { points: 501, ..till("2026-06-01", 100_000) };
    let why = WhyNot::Points(NotRedeemed::Short { needs: 501, has: 500 });
    assert_eq!(told(&fashion(), &many), (95_000, vec![(Step::Points, why)]));
}

#[test]
fn rule_s04_rule_s09_no_discount_on_the_day_of_issue_nor_without_the_card() {
    let first = Till { is_issue_day: true, ..till("2026-06-10", 100_000) };
    let why = WhyNot::Discount(NoDiscount::IssueDay);
    assert_eq!(told(&fashion(), &first), (100_000, vec![(Step::LevelDiscount, why)]));
    let bare = Till { has_card: false, ..till("2026-06-10", 100_000) };
    let why = WhyNot::Discount(NoDiscount::NoCard);
    assert_eq!(told(&fashion(), &bare), (100_000, vec![(Step::LevelDiscount, why)]));
    let plain = Till { rank: Some(0), has_card: false, ..till("2026-06-10", 100_000) };
    assert_eq!(told(&fashion(), &plain), (100_000, vec![]), "who has none misses none");
    let strange = Till { rank: None, ..till("2026-06-10", 100_000) };
    assert_eq!(told(&fashion(), &strange), (100_000, vec![(Step::LevelDiscount, WhyNot::Level)]));
}

#[test]
fn rule_s09_the_birthday_is_used_up_where_it_may_be_and_told_why_not_elsewhere() {
    let of = Celebrates { born: Some(day("1988-06-05")), used_on: &[], shown: ALL };
    let asked = Till { rank: Some(0), birthday: Some(of), ..till("2026-06-10", 100_000) };
    let used = reckon(&BillTerms::of(&fashion()), &asked).expect("small numbers");
    assert_eq!((used.bill.to_pay.0, used.celebrates), (90_000, true));
    let before = [day("2026-06-01")];
    let again = Till { birthday: Some(Celebrates { used_on: &before, ..of }), ..asked };
    let why = WhyNot::Birthday(NoBirthday::Used { used: 1, most: 1 });
    assert_eq!(told(&fashion(), &again), (100_000, vec![(Step::BirthdayDiscount, why)]));
    let late = Till { day: day("2026-07-01"), ..asked };
    let why = WhyNot::Birthday(NoBirthday::NotNow);
    assert_eq!(told(&fashion(), &late), (100_000, vec![(Step::BirthdayDiscount, why)]));
    let none = (Step::BirthdayDiscount, WhyNot::NotOffered);
    assert_eq!(told(&ready("S"), &asked), (100_000, vec![none.clone()]), "its table is lost");
    assert_eq!(told(&ready("K"), &asked), (100_000, vec![none]), "no birthday at all");
}

#[test]
fn rule_x16_what_a_scheme_does_not_name_takes_nothing_and_says_so() {
    let all = Till { coupon: Amount(20_000), points: 10, ..till("2026-06-10", 100_000) };
    let mut club = fashion();
    club.basis.order = vec![Step::LevelDiscount];
    let left = vec![(Step::Coupon, WhyNot::NotOffered), (Step::Points, WhyNot::NotOffered)];
    assert_eq!(told(&club, &all), (95_000, left));
}

#[test]
fn inv_14_terminals_are_told_what_bills_are_reckoned_by_unless_it_is_the_default() {
    let terms = fashion().terms();
    let read: SchemeTerms = hufu_shared::cbor::decode(&hufu_shared::cbor::encode(&terms)).expect("its own");
    assert_eq!(read.bills(), BillTerms::of(&fashion()));
    let plain = Scheme::empty("club", 1, day("2026-01-01"));
    assert_eq!((plain.terms().bill, plain.terms().bills()), (None, BillTerms::default()));
    let name = |zh: &str, en: &str| Words { zh: zh.into(), en: en.into() };
    let rank = |name: Option<&Words>| read.bills().rank_of(name);
    assert_eq!(rank(Some(&name("钻卡", "Diamond card"))), Some(1));
    assert_eq!((rank(None), rank(Some(&name("银卡", "Silver")))), (Some(0), None), "never moved; unknown");
    assert!(fashion().not_done_yet().iter().all(|key| !key.starts_with("b")), "order and birthday are done");
}
