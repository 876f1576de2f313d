//! What a purchase earns at terminals and in the ledger: the worked figures of every scheme, the same as by the what-if.

use hufu_shared::cbor;
use hufu_shared::fact::Paid;
use hufu_shared::money::{Leg, Unit};
use hufu_shared::rules::purchase::*;
use hufu_shared::rules::start::Begun;
use hufu_shared::scheme::ready::figures::{FIGURES, Figure, sheets};
use proptest::prelude::*;

use crate::kit::*;

/// A day on which the fashion club lets points pay (S5).
const ON: &str = "2025-06-15";
const SHOP: &str = "A01";

fn begun() -> Begun {
    let since = Some(day("2025-01-02"));
    Begun { card_issued: since, main_card: since, verified: since }
}

fn scheme_of(figure: &Figure) -> Scheme {
    let mut scheme = ready(&figure.scheme.to_string());
    if figure.has_sheets {
        scheme.sheets = sheets(SHOP, day(ON));
    }
    scheme
}

fn plain(fen: i64) -> Bought<'static> {
    Bought { money: Amount(fen), paid: None, office: SHOP, day: day(ON), begun: begun() }
}

fn by_terms(figure: &Figure) -> Earns {
    let paid = figure.paid();
    let bought = Bought { paid: paid.as_ref(), ..plain(figure.money_fen) };
    earns(&scheme_of(figure).terms(), &bought).expect("small numbers")
}

#[test]
fn rule_k22_g03_g04_g05_s02_s06_s07_worked_figures_of_every_shipped_scheme() {
    for figure in FIGURES {
        let earns = by_terms(&figure);
        assert_eq!((earns.at_once.0, earns.waiting.0), figure.gives, "{figure:?}");
        assert_eq!((earns.growth.0, earns.of(Unit::Growth)), (figure.growth, Ok(earns.growth)), "{figure:?}");
        assert_eq!(earns.of(Unit::Pts), earns.all(), "{figure:?}");
        let is_plain_rate = scheme_of(&figure).terms().earning.is_none();
        if earns.all() != Ok(Amount::ZERO) || !is_plain_rate {
            assert_eq!(earns.rule().as_deref(), figure.rule, "{figure:?}");
        }
    }
    for letter in ["K", "H", "G", "S", "P", "B", "T", "L"] {
        let own = FIGURES.iter().filter(|figure| letter.starts_with(figure.scheme)).count();
        assert!((1..=5).contains(&own), "{letter} has {own} figures");
    }
}

#[test]
fn rule_k22_g04_s06_s07_the_what_if_says_the_same_of_each_figure() {
    for figure in FIGURES {
        let scheme = scheme_of(&figure);
        let (coupon_fen, by_points) = figure.beside_fen;
        let price = figure.money_fen + coupon_fen + by_points;
        let mut before = joined("2025-01-01");
        // Clubs that name the kinds of their members know no other.
        before.member.kind =
            scheme.joining.kinds.as_ref().and_then(|kinds| kinds.get(1)).cloned().unwrap_or_default();
        before.events.push(Event::new(day("2025-01-02"), What::Verified));
        if by_points > 0 {
            before.events.push(purchase("2025-02-01", 2_000_000));
        }
        let bought = Event {
            code: figure.goods.0.into(),
            paid_percent: figure.goods.1,
            coupon_fen,
            points: by_points / 100,
            office: SHOP.into(),
            ..purchase(ON, price)
        };
        let mut after = before.clone();
        after.events.push(bought);
        let (before, after) = (at(&scheme, &before, ON), at(&scheme, &after, ON));
        let gave = after.points - before.points + by_points / 100;
        assert_eq!((gave, after.pending - before.pending), figure.gives, "{figure:?}");
        assert_eq!(after.growth - before.growth, figure.growth, "{figure:?}");
    }
}

#[test]
fn rule_g01_x08_nothing_before_points_have_begun() {
    let late = Begun { verified: Some(day(ON).plus(1)), ..begun() };
    let shops = ready("G").terms();
    let on = |begun| earns(&shops, &Bought { begun, ..plain(32_000) }).expect("small numbers").at_once;
    assert_eq!(on(begun()), Amount(320));
    assert_eq!(on(late), Amount::ZERO, "verified a day later");
    assert_eq!(on(Begun { verified: None, ..begun() }), Amount::ZERO);
}

#[test]
fn rule_x01_all_rules_that_fit_give_and_are_named() {
    let mut club = Scheme::empty("club", 1, Day(0));
    let rate = EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) };
    let bonus = EarnRule { fixed_points: 5, ..EarnRule::new("V1", EarnKind::Purchase) };
    let asked = EarnRule { approval: Approval::Pending, ..bonus.clone() };
    club.earnings = vec![rate.clone(), bonus.clone(), asked];
    let gave = earns(&club.terms(), &plain(32_000)).expect("small numbers");
    assert_eq!((gave.at_once, gave.waiting), (Amount(11), Amount(5)));
    assert_eq!(gave.rule().as_deref(), Some("S2+V1"));
    let both = EarnRule { balance: Balance::Both, ..bonus };
    club.earnings = vec![rate, both];
    let gave = earns(&club.terms(), &plain(32_000)).expect("small numbers");
    assert_eq!((gave.at_once, gave.growth), (Amount(11), Amount(5)), "the same number to each");
    assert_eq!(gave.rule_of(Unit::Growth).as_deref(), Some("V1"), "the rate gives none");
}

#[test]
fn rule_b05_x07_growth_stands_beside_points_and_is_none() {
    let growth = EarnRule { balance: Balance::Growth, ..EarnRule::new("B1", EarnKind::Purchase) };
    let growth = EarnRule { per_fen: 100, points_per: 1, ..growth };
    let rate = EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) };
    let mut club = Scheme::empty("club", 1, Day(0));
    let leg = |unit, amount| Leg { unit, amount: Amount(amount) };
    let cases: [(&[&EarnRule], _, Vec<Leg>, Option<&str>, &str); 4] = [
        (&[&growth], None, vec![leg(Unit::Growth, 320)], None, "growth alone promises no points"),
        (
            &[&rate, &growth],
            Some((10_000, 2)),
            vec![leg(Unit::Pts, 6), leg(Unit::Growth, 320)],
            Some("S2"),
            "beside growth a plain rate is told as one",
        ),
        (&[&rate], Some((10_000, 2)), vec![leg(Unit::Pts, 6)], Some("S2"), "a rate alone"),
        (&[], None, vec![], None, "nothing"),
    ];
    for (rules, told, promised, rule, why) in cases {
        club.earnings = rules.iter().map(|rule| (*rule).clone()).collect();
        let terms = club.terms();
        assert_eq!(terms.earn.map(|rate| (rate.per_fen, rate.points)), told, "{why}");
        let gave = earns(&terms, &plain(32_000)).expect("small numbers");
        assert_eq!((gave.promised(), gave.rule().as_deref()), (promised, rule), "{why}");
        assert!(club.not_done_yet().is_empty(), "{why}");
    }
    // A plain rate that gives growth as well is not all that there is to say.
    club.earnings = vec![EarnRule { balance: Balance::Both, ..rate }];
    let terms = club.terms();
    assert!(terms.earn.is_some() && terms.earning.is_some());
    let asked = EarnRule { approval: Approval::Pending, ..growth };
    club.earnings = vec![asked];
    let gave = earns(&club.terms(), &plain(32_000)).expect("small numbers");
    assert_eq!((gave.promised(), gave.of(Unit::Growth)), (vec![], Ok(Amount(320))), "it waits (K21)");
}

#[test]
fn rule_x01_what_gives_once_is_known_to_the_ledger_and_promised_by_nobody() {
    let rate = EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) };
    let first = EarnRule { fixed_points: 5, once: Once::Ever, ..EarnRule::new("V1", EarnKind::Purchase) };
    let mut club = Scheme::empty("club", 1, Day(0));
    club.earnings = vec![rate, first.clone()];
    let gave = earns(&club.terms(), &plain(32_000)).expect("small numbers");
    assert_eq!((gave.at_once, gave.of(Unit::Pts)), (Amount(6), Ok(Amount(11))));
    assert_eq!((gave.rule().as_deref(), gave.rule_of(Unit::Pts).as_deref()), (Some("S2"), Some("S2+V1")));
    assert_eq!(gave.parts[1].once, Once::Ever, "the part says what bounds it");
    assert!(club.not_done_yet().is_empty(), "the ledger does it");
    // For some ranks only: a person's work, and the other rules go on.
    club.earnings[1] = EarnRule { ranks: vec![2], once: Once::No, ..first };
    let gave = earns(&club.terms(), &plain(32_000)).expect("small numbers");
    assert_eq!(gave.of(Unit::Pts), Ok(Amount(6)));
    assert_eq!(club.not_done_yet(), ["earning"], "a person is told");
}

#[test]
fn rule_x01_every_rule_may_have_a_cap_of_its_own() {
    let mut shops = ready("G");
    let cap = RuleCap { period: Period::Month, most: 500 };
    shops.earnings[0].cap = Some(cap);
    let terms = shops.terms();
    let told = terms.earning.clone().expect("more than a rate");
    assert_eq!((terms.earn, told.rules[0].cap, told.is_alone(Unit::Pts)), (None, Some(cap), true));
    let at_once = |terms: &SchemeTerms, fen| earns(terms, &plain(fen)).expect("small numbers").at_once;
    assert_eq!(
        (at_once(&terms, 32_000), at_once(&terms, 90_000)),
        (Amount(320), Amount(500)),
        "of one purchase"
    );
    let bonus = EarnRule { fixed_points: 5, ..EarnRule::new("V1", EarnKind::Purchase) };
    shops.earnings.push(bonus);
    let terms = shops.terms();
    assert_eq!(at_once(&terms, 90_000), Amount(505), "the cap is the first rule's own");
    assert!(!terms.earning.expect("more than a rate").is_alone(Unit::Pts));
    assert_eq!(shops.not_done_yet(), ready("G").not_done_yet(), "nobody has to cut anything by hand");
}

#[test]
fn rule_s06_what_coupons_and_points_paid_earns_where_the_club_says_so() {
    let mut fashion = ready("S");
    fashion.basis.exclude_coupon_paid = false;
    let paid = Paid { coupon: Amount(20_000), by_points: Amount(30_000), ..Paid::default() };
    let bought = Bought { paid: Some(&paid), ..plain(50_000) };
    let at_once = |scheme: &Scheme| earns(&scheme.terms(), &bought).expect("small numbers").at_once.0;
    assert_eq!(at_once(&fashion), 14, "money and coupon");
    fashion.basis.exclude_points_paid = false;
    assert_eq!(at_once(&fashion), 20, "all of the price");
    assert_eq!(at_once(&ready("S")), 10, "the money only");
}

#[test]
fn inv_14_terms_with_all_rules_survive_the_wire() {
    for figure in FIGURES {
        let terms = scheme_of(&figure).terms();
        let read: SchemeTerms = cbor::decode(&cbor::encode(&terms)).expect("it was just written");
        assert_eq!(read, terms, "{figure:?}");
    }
}

proptest! {
    #[test]
    fn rule_s02_the_rules_give_what_the_plain_rate_gives(fen in -1_000_000i64..10_000_000) {
        let fashion = ready("S");
        let rate = fashion.terms();
        prop_assert!(rate.earning.is_none() && rate.earn.is_some());
        // Points from the main card on: the same rule, told in full.
        let told = Scheme { points_start: PointsStart::MainCard, ..fashion }.terms();
        prop_assert!(told.earning.is_some());
        let both = [rate, told].map(|terms| earns(&terms, &plain(fen)).map(|earns| earns.at_once));
        prop_assert_eq!(both[0], both[1]);
    }
}
