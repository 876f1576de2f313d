//! Which cards may be issued and replaced, what becomes of them, and what is due, case by case.

use proptest::prelude::*;

use super::*;
use crate::cards::CardLevel;
use crate::scheme::level::Window;

const NOW: Instant = Instant(1_000 * DAY_US);
const ME: MemberId = MemberId([1; 16]);

fn held(rank: Rank, status: CardStatus) -> Held {
    Held { member: Some(ME), rank, status, until: None }
}

#[test]
fn rule_k14_a_member_has_one_main_card_and_its_kind_says_which_rank_a_card_has() {
    let terms = CardTerms::default();
    let main = held(Rank::Main, CardStatus::Active);
    let over = Held { until: Some(NOW), ..main };
    let other = Held { member: Some(MemberId([2; 16])), ..main };
    let cases: [(&str, &[Held], Result<Rank, CardError>); 7] = [
        ("ordinary", &[], Ok(Rank::Main)),
        ("vip", &[], Ok(Rank::Main)),
        ("ordinary", &[main], Err(CardError::HasMain)),
        ("vip", &[held(Rank::Main, CardStatus::Lost)], Err(CardError::HasMain)),
        ("vip", &[held(Rank::Main, CardStatus::Void), over], Ok(Rank::Main)),
        ("vip", &[held(Rank::Sub, CardStatus::Active)], Ok(Rank::Main)),
        ("vip", &[other], Ok(Rank::Main)),
    ];
    for (kind, mains, expected) in cases {
        let wanted = Wanted { member: ME, kind, medium: false, under: None };
        assert_eq!(issue(&terms, wanted, mains, NOW), expected, "{kind} {mains:?}");
    }
}

#[test]
fn rule_k16_a_sub_card_comes_after_a_main_card_of_the_same_member() {
    let terms = CardTerms::default();
    let main = held(Rank::Main, CardStatus::Active);
    let cases = [
        (None, Err(CardError::NoMain)),
        (Some(main), Ok(Rank::Sub)),
        (Some(held(Rank::Main, CardStatus::Lost)), Err(CardError::NoMain)),
        (Some(held(Rank::Main, CardStatus::Void)), Err(CardError::NoMain)),
        (Some(held(Rank::Sub, CardStatus::Active)), Err(CardError::NoMain)),
        (Some(Held { member: Some(MemberId([2; 16])), ..main }), Err(CardError::NoMain)),
        (Some(Held { until: Some(NOW), ..main }), Err(CardError::NoMain)),
        (Some(Held { until: Some(NOW.offset(1)), ..main }), Ok(Rank::Sub)),
    ];
    for (under, expected) in cases {
        let wanted = Wanted { member: ME, kind: "co_brand", medium: false, under };
        assert_eq!(issue(&terms, wanted, &[main], NOW), expected, "{under:?}");
        // Another medium of the main card asks for the same, whatever its kind.
        let medium = Wanted { kind: "ordinary", medium: true, ..wanted };
        assert_eq!(issue(&terms, medium, &[main], NOW), expected.map(|_| Rank::Medium), "{under:?}");
    }
    let own = CardTerms { sub_kinds: vec!["family".to_owned()], ..terms };
    let wanted = Wanted { member: ME, kind: "family", medium: false, under: Some(main) };
    assert_eq!(issue(&own, wanted, &[main], NOW), Ok(Rank::Sub), "the club's own kind");
}

#[test]
fn rule_k17_a_main_card_is_replaced_by_a_main_card_and_a_sub_card_never() {
    let terms = CardTerms::default();
    let cases = [
        (held(Rank::Main, CardStatus::Active), "vip", Ok(())),
        (held(Rank::Main, CardStatus::Lost), "ordinary", Ok(())),
        (held(Rank::Main, CardStatus::Stopped), "ordinary", Ok(())),
        (held(Rank::Main, CardStatus::Void), "vip", Err(CardError::OldEnded)),
        (Held { member: None, ..held(Rank::Main, CardStatus::Active) }, "vip", Err(CardError::OldEnded)),
        (held(Rank::Sub, CardStatus::Active), "discount", Err(CardError::SubReplaced)),
        (held(Rank::Main, CardStatus::Active), "discount", Err(CardError::KindOfSub)),
    ];
    for (old, kind, expected) in cases {
        assert_eq!(replace(&terms, old, kind), expected, "{old:?} {kind}");
    }
}

#[test]
fn rule_k18_h06_a_lost_main_card_is_frozen_and_a_lost_sub_card_cancelled() {
    use CardStatus::{Active, Lost, Stopped, Void};
    let cases = [
        (Rank::Main, Active, Lost, Some(Lost)),
        (Rank::Medium, Active, Lost, Some(Lost)),
        (Rank::Sub, Active, Lost, Some(Void)),
        (Rank::Main, Lost, Active, Some(Active)),
        (Rank::Main, Lost, Void, Some(Void)),
        (Rank::Main, Active, Stopped, Some(Stopped)),
        (Rank::Main, Stopped, Active, Some(Active)),
        (Rank::Main, Lost, Lost, None),
        (Rank::Main, Stopped, Lost, None),
    ];
    for (rank, from, to, expected) in cases {
        assert_eq!(step(rank, from, to), expected, "{rank:?} {from:?} {to:?}");
    }
}

#[test]
fn rule_h08_void_is_for_good() {
    for to in CardStatus::CODES.map(|row| row.0) {
        for rank in [Rank::Main, Rank::Sub, Rank::Medium] {
            assert_eq!(step(rank, CardStatus::Void, to), None, "{to:?}");
        }
    }
}

#[test]
fn rule_k18_a_sub_card_ends_by_the_first_thing_that_ends_it() {
    let at = |days: i64| Some(Instant(days * DAY_US));
    let card = |until, main_ended, main_until| SubCard { until, main_ended, main_until };
    let cases = [
        (card(None, None, None), None),
        (card(at(1_001), None, None), None),
        (card(at(1_000), None, None), Some((at(1_000), CardEnd::Expired))),
        (card(at(900), at(800), None), Some((at(800), CardEnd::MainEnded))),
        (card(at(700), at(800), at(750)), Some((at(700), CardEnd::Expired))),
        (card(None, None, at(999)), Some((at(999), CardEnd::MainEnded))),
    ];
    for (card, expected) in cases {
        let expected = expected.and_then(|(at, why)| Some((at?, why)));
        assert_eq!(sub_end(card, NOW), expected, "{card:?}");
    }
}

#[test]
fn rule_k18_a_sub_card_is_valid_for_the_days_of_the_terms_or_for_less() {
    let terms = CardTerms { sub_valid_days: Some(30), ..CardTerms::default() };
    let day = |days: i64| NOW.offset(days * DAY_US);
    assert_eq!(sub_until(&terms, NOW, None), Some(day(30)));
    assert_eq!(sub_until(&terms, NOW, Some(day(10))), Some(day(10)));
    assert_eq!(sub_until(&terms, NOW, Some(day(90))), Some(day(30)));
    assert_eq!(sub_until(&CardTerms::default(), NOW, None), None);
}

fn level(rank: u8, kind: &str, measure: PointsMeasure, threshold: i64, from_rank: Option<u8>) -> CardLevel {
    CardLevel { rank, kind: kind.to_owned(), measure: Some(measure), threshold, from_rank }
}

fn levels() -> CardTerms {
    let by_hand = CardLevel { measure: None, ..level(0, "ordinary", PointsMeasure::Balance, 0, None) };
    let quarter = PointsMeasure::Earned(Window::Quarter);
    CardTerms {
        levels: vec![
            by_hand,
            level(1, "gold", quarter, 1_200, None),
            level(2, "diamond", PointsMeasure::Balance, 5_000, Some(1)),
        ],
        ..CardTerms::default()
    }
}

fn earned(day: i32, points: i64) -> PointsDay {
    PointsDay { day: Day(day), earned: points, net: points }
}

fn met(kind: &str, days: &[PointsDay], after: i32, until: i32) -> Vec<(i32, String)> {
    let found = changes(&levels(), kind, days, (Day(after), Day(until)));
    found.into_iter().map(|change| (change.day.0, change.kind)).collect()
}

#[test]
fn rule_k17_a_card_is_to_be_changed_from_the_day_on_which_the_points_condition_is_met() {
    // 2026-01-01 is day 20,454: a quarter begins.
    let (jan, apr) = (20_454, 20_544);
    let gold = |day: i32| vec![(day, "gold".to_owned())];
    assert_eq!(met("ordinary", &[earned(jan, 1_199)], jan - 1, jan + 50), [], "one short");
    assert_eq!(met("ordinary", &[earned(jan, 600), earned(jan + 9, 600)], jan - 1, jan + 50), gold(jan + 9));
    assert_eq!(met("ordinary", &[earned(apr - 1, 600), earned(apr, 600)], jan, apr + 9), [], "two quarters");
    // What was spent meanwhile does not matter to what was earned.
    let spent = [earned(jan, 1_200), PointsDay { day: Day(jan + 1), earned: 0, net: -1_200 }];
    assert_eq!(met("ordinary", &spent, jan - 1, jan + 9), gold(jan));
    // Diamond is for gold cards, and may follow on the same day.
    let both = vec![(jan, "gold".to_owned()), (jan, "diamond".to_owned())];
    assert_eq!(met("ordinary", &[earned(jan, 5_000)], jan - 1, jan), both);
    assert_eq!(met("gold", &[earned(jan, 5_000)], jan - 1, jan), [(jan, "diamond".to_owned())]);
    assert_eq!(met("diamond", &[earned(jan, 9_000)], jan - 1, jan), [], "nothing above it, and never down");
    assert_eq!(met("ordinary", &[earned(jan, 1_200)], jan + 95, jan + 99), [], "that quarter is over");
}

proptest! {
    #[test]
    fn rule_k17_catching_up_finds_what_running_on_time_finds(
        rows in proptest::collection::vec((0i32..200, -2_000i64..2_500), 0..12),
        mut stops in proptest::collection::vec(0i32..200, 0..6),
        start in 0usize..3,
    ) {
        let mut days: Vec<PointsDay> = rows
            .iter()
            .map(|(day, net)| PointsDay { day: Day(20_454 + day), earned: (*net).max(0), net: *net })
            .collect();
        days.sort_by_key(|of| of.day);
        let first = ["ordinary", "gold", "unheard of"][start];
        let whole = changes(&levels(), first, &days, (Day(20_453), Day(20_654)));
        stops.push(200);
        stops.sort_unstable();
        let (mut kind, mut after, mut met) = (first.to_owned(), Day(20_453), Vec::new());
        for stop in stops {
            let until = Day(20_454 + stop);
            let part = changes(&levels(), &kind, &days, (after, until));
            kind = part.last().map_or(kind, |change| change.kind.clone());
            after = until;
            met.extend(part);
        }
        prop_assert_eq!(met, whole);
    }

    #[test]
    fn rule_k18_catching_up_ends_a_sub_card_at_the_moment_at_which_it_would_have_ended_on_time(
        until in proptest::option::of(0i64..100),
        main_ended in proptest::option::of(0i64..100),
        main_until in proptest::option::of(0i64..100),
        mut looks in proptest::collection::vec(0i64..120, 0..8),
    ) {
        let at = |days: Option<i64>| days.map(|days| Instant(days * DAY_US));
        let card = SubCard { until: at(until), main_ended: at(main_ended), main_until: at(main_until) };
        looks.sort_unstable();
        // On time: the first look that finds it ended says when and why. What comes after does not change that.
        let found: Vec<_> = looks.iter().filter_map(|day| sub_end(card, Instant(day * DAY_US))).collect();
        let late = sub_end(card, Instant(120 * DAY_US));
        for on_time in &found {
            prop_assert_eq!(Some(*on_time), late);
        }
        let first = [until, main_ended, main_until].into_iter().flatten().min();
        prop_assert_eq!(late.map(|(at, _)| at.0 / DAY_US), first);
    }
}
