//! What a purchase earns at terminals and in the ledger: the worked figures of every scheme, the same as by the what-if.

use hufu_shared::cbor;
use hufu_shared::fact::Paid;
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
    let growth = EarnRule { balance: Balance::Growth, ..bonus.clone() };
    club.earnings = vec![growth];
    assert!(!club.terms().earns(), "growth is no points");
    let rule = EarnRule { once: Once::Ever, ..bonus };
    club.earnings = vec![rate, rule];
    assert_eq!(club.terms().earning, None, "what the member got before is not known from a purchase");
    assert_eq!(earns(&club.terms(), &plain(32_000)), Ok(Earns::default()), "and nothing is promised");
    assert_eq!(club.not_done_yet(), ["earning"], "but a person is told");
}

#[test]
fn rule_x01_a_cap_of_one_rule_is_told_and_of_one_among_several_a_person_is_told() {
    let mut shops = ready("G");
    let cap = RuleCap { period: Period::Month, most: 500 };
    shops.earnings[0].cap = Some(cap);
    let terms = shops.terms();
    assert_eq!((terms.earn, terms.earning.as_ref().and_then(EarnTerms::cap)), (None, Some(cap)));
    let at_once = |fen| earns(&terms, &plain(fen)).expect("small numbers").at_once;
    assert_eq!((at_once(32_000), at_once(90_000)), (Amount(320), Amount(500)), "what one purchase can give");
    let bonus = EarnRule { fixed_points: 5, ..EarnRule::new("V1", EarnKind::Purchase) };
    shops.earnings.push(bonus);
    assert!(!shops.terms().earns(), "whose part was cut nobody could say");
    assert!(shops.not_done_yet().contains(&"earning"));
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
