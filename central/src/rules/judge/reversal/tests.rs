//! Tests of reversals: worked figures, then any set in any order.

use super::super::order::testing::{place, shuffled};
use super::*;
use proptest::prelude::*;

fn points(amount: i64) -> Vec<Leg> {
    vec![Leg { unit: Unit::Pts, amount: Amount(amount) }]
}

fn original(says: i64, gave: i64) -> Original {
    Original { is_reversal: false, says: points(says), gave: points(gave), at_desk: vec![] }
}

fn reversal(t: i64, amount: i64, pin: Option<bool>) -> Reversal {
    let place = place(t, 1, u64::try_from(t).expect("small"));
    Reversal { place, legs: points(amount), pin, is_refused: false, leaves_points: false }
}

/// Points that each takes back, and which of them are cut.
fn taken(original: &Original, rows: &[(i64, Option<bool>)]) -> (Vec<i64>, Vec<bool>, i64) {
    let reversals: Vec<Reversal> =
        (1..).zip(rows).map(|(t, (amount, pin))| reversal(t, *amount, *pin)).collect();
    let Reversals::Judged { each, total } = judge(Some(original), &reversals) else { panic!("held") };
    let amounts = each.values().map(|effect| leg_of(&effect.legs, Unit::Pts).0).collect();
    let cuts = each.values().map(|effect| effect.is_cut).collect();
    (amounts, cuts, leg_of(&total, Unit::Pts).0)
}

#[test]
fn rule_s08_returns_are_measured_by_what_the_slip_promised_points_before_growth() {
    let leg = |unit, amount| Leg { unit, amount: Amount(amount) };
    let (points, growth) = (leg(Unit::Pts, 6), leg(Unit::Growth, 320));
    let cases = [
        (vec![points, growth], vec![growth], Unit::Pts, "points"),
        (vec![growth], vec![points, growth], Unit::Growth, "what the slip says goes first"),
        (vec![], vec![growth, points], Unit::Pts, "it promised nothing"),
        (vec![leg(Unit::Pts, 0)], vec![growth], Unit::Growth, "it gave growth alone"),
        (vec![], vec![], Unit::Pts, "nothing"),
    ];
    for (says, gave, expected, why) in cases {
        let original = Original { is_reversal: false, says, gave, at_desk: vec![] };
        assert_eq!(measure(&original), expected, "{why}");
    }
}

#[test]
fn rule_s08_a_return_takes_its_share_of_the_points_back() {
    let cases: [(i64, i64, &[(i64, Option<bool>)], &[i64], &[bool], &str); 9] = [
        (6, 6, &[(6, None)], &[6], &[false], "all of it"),
        (6, 6, &[(2, None), (4, None)], &[2, 4], &[false, false], "in two parts"),
        (
            6,
            4,
            &[(3, None), (3, None)],
            &[2, 2],
            &[false, false],
            "the centre gave less: the same share of it",
        ),
        (3, 2, &[(1, None), (1, None), (1, None)], &[1, 0, 1], &[false; 3], "the parts add up to the whole"),
        (6, 6, &[(5, None), (5, None)], &[5, 1], &[false, true], "beyond the original: the later is cut"),
        (6, 6, &[(5, None), (5, Some(true))], &[1, 5], &[true, false], "a verdict lets the later one count"),
        (6, 6, &[(5, Some(false)), (5, None)], &[0, 5], &[false, false], "the earlier one is out"),
        (6, 0, &[(6, None)], &[0], &[false], "the original does not count: there is nothing to take"),
        (0, 5, &[(5, None)], &[5], &[false], "the terminal promised nothing, the centre gave 5"),
    ];
    for (says, gave, rows, expected, cuts, why) in cases {
        let (amounts, cut, total) = taken(&original(says, gave), rows);
        assert_eq!((amounts.as_slice(), cut.as_slice()), (expected, cuts), "{why}");
        assert_eq!(total, expected.iter().sum::<i64>(), "{why}");
    }
}

#[test]
fn kind_31_a_reversal_waits_for_its_original_and_never_names_a_reversal() {
    let rows = [reversal(1, 5, None)];
    assert_eq!(judge(None, &rows), Reversals::Held(Held::NoOriginal));
    let of_reversal = Original { is_reversal: true, ..original(5, 5) };
    assert_eq!(judge(Some(&of_reversal), &rows), Reversals::Held(Held::OfReversal));
}

#[test]
fn kind_31_what_the_desk_took_back_comes_before_all_that_terminals_record() {
    let refunded = Original { at_desk: points(4), ..original(6, 6) };
    assert_eq!(taken(&refunded, &[(1, None), (3, None)]), (vec![1, 1], vec![false, true], 6));
    assert_eq!(taken(&refunded, &[(3, Some(true))]), (vec![2], vec![true], 6), "over a verdict, too");
    assert_eq!(returned(&refunded, &[], Unit::Pts), Share { part: Amount(4), whole: Amount(6) });
    let counts = [reversal(1, 3, Some(true))];
    assert!(check(&refunded, &counts).is_err(), "7 of 6 cannot be saved");
    assert_eq!(check(&original(6, 6), &counts), Ok(()));
}

#[test]
fn rule_h04_a_reversal_without_a_right_takes_nothing_unless_a_person_lets_it() {
    let of = |pin, is_refused| Reversal { is_refused, ..reversal(1, 5, pin) };
    let taken = |rows: &[Reversal]| returned(&original(6, 6), rows, Unit::Pts).part.0;
    assert_eq!(taken(&[of(None, true)]), 0);
    assert_eq!(taken(&[of(Some(false), true)]), 0);
    assert_eq!(taken(&[of(Some(true), true)]), 5);
    assert_eq!(taken(&[of(None, false)]), 5);
}

#[test]
fn kind_31_a_leg_that_the_original_has_not_is_cut_to_nothing() {
    let money = Leg { unit: Unit::Cny, amount: Amount(500) };
    let mut with_money = reversal(1, 6, None);
    with_money.legs.push(money);
    let Reversals::Judged { each, total } = judge(Some(&original(6, 6)), &[with_money]) else {
        panic!("held")
    };
    assert_eq!(total, points(6));
    assert!(each.values().all(|effect| effect.is_cut));
}

#[test]
fn kind_31_verdicts_beyond_the_original_are_refused() {
    let rows = [reversal(1, 5, Some(true)), reversal(2, 5, Some(true))];
    let error = check(&original(6, 6), &rows).expect_err("10 of 6");
    assert!(error.to_string().starts_with("the verdicts together give 10, but there are only 6"), "{error}");
    assert_eq!(check(&original(10, 10), &rows), Ok(()));
}

#[test]
fn a_refused_order_takes_all_of_it_back() {
    let several = Original {
        is_reversal: false,
        says: vec![
            Leg { unit: Unit::Pts, amount: Amount(20) },
            Leg { unit: Unit::Growth, amount: Amount(7) },
        ],
        gave: vec![
            Leg { unit: Unit::Pts, amount: Amount(20) },
            Leg { unit: Unit::Growth, amount: Amount(7) },
        ],
        at_desk: vec![],
    };
    let refused = Reversal { legs: several.says.clone(), ..reversal(1, 0, None) };
    let Reversals::Judged { total, .. } = judge(Some(&several), &[refused]) else { panic!("held") };
    assert_eq!(total, several.gave);
}

#[test]
fn kind_24_what_is_not_there_is_owed() {
    let cases = [(5, 8, 5, 0), (8, 5, 5, 3), (8, 0, 0, 8), (8, -3, 0, 8), (0, 5, 0, 0)];
    for (takes, available, there, owed) in cases {
        let expected = FromMember { available: Amount(there), owed: Amount(owed) };
        assert_eq!(from_member(Amount(takes), Amount(available)), expected, "{takes} of {available}");
    }
}

#[test]
fn rule_s08_what_the_member_never_had_is_cancelled_first() {
    let cases = [(5, 0, 0, 5), (5, 3, 3, 2), (5, 9, 5, 0), (0, 9, 0, 0)];
    for (effect, held, cancelled, from_member) in cases {
        let expected = TakenFromEarn { cancelled: Amount(cancelled), from_member: Amount(from_member) };
        assert_eq!(taken_from_earn(Amount(effect), Amount(held)), expected, "{effect} with {held} held");
    }
}

#[test]
fn a_spend_goes_back_to_whoever_bears_it() {
    let bearers = [("member", Amount(40)), ("loss", Amount(60))];
    assert_eq!(given_back(Amount(30), &bearers), [("member", Amount(30))]);
    assert_eq!(given_back(Amount(70), &bearers), [("member", Amount(40)), ("loss", Amount(30))]);
    assert_eq!(given_back(Amount(900), &bearers), bearers);
    assert_eq!(given_back(Amount(5), &[("suspense", Amount(0))]), []);
}

#[test]
fn rule_s08_goods_whose_points_stay_have_their_share_and_take_nothing() {
    let stays = |t, amount| Reversal { leaves_points: true, ..reversal(t, amount, None) };
    let whole = original(6, 6);
    for (rows, expected, cut, why) in [
        (vec![stays(1, 6)], 0, false, "the goods are back, the points stay"),
        (vec![stays(1, 2), reversal(2, 4, None)], 4, false, "the rest was a mistake"),
        (vec![reversal(1, 4, None), stays(2, 2)], 4, false, "whichever was first"),
        (vec![stays(1, 4), reversal(2, 6, None)], 2, true, "no more than was left"),
    ] {
        let Reversals::Judged { each, total } = judge(Some(&whole), &rows) else { panic!("held") };
        assert_eq!(leg_of(&total, Unit::Pts).0, expected, "{why}");
        assert_eq!(each.values().any(|effect| effect.is_cut), cut, "{why}");
        assert_eq!(returned(&whole, &rows, Unit::Pts).part.0, expected, "{why}");
    }
}

fn any_reversals() -> impl Strategy<Value = Vec<Reversal>> {
    let legs = (0i64..12, 0i64..4);
    let row = (0i64..5, 0u8..3, legs, proptest::option::weighted(0.3, any::<bool>()));
    proptest::collection::vec(row, 0..8).prop_map(|rows| {
        (1..)
            .zip(rows)
            .map(|(seq, (t, device, (points, money), pin))| Reversal {
                place: place(t, device, seq),
                legs: vec![
                    Leg { unit: Unit::Pts, amount: Amount(points) },
                    Leg { unit: Unit::Cny, amount: Amount(money) },
                ],
                pin,
                is_refused: false,
                leaves_points: false,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn inv_19_reversals_follow_the_set_and_stay_within_the_original(
        reversals in any_reversals(),
        says in (0i64..20, 0i64..6),
        gave in (0i64..30, 0i64..6),
        at_desk in (0i64..8, 0i64..4),
        refused in proptest::collection::vec(any::<bool>(), 8),
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let legs = |(points, money)| vec![
            Leg { unit: Unit::Pts, amount: Amount(points) },
            Leg { unit: Unit::Cny, amount: Amount(money) },
        ];
        let mut reversals = reversals;
        reversals.iter_mut().zip(refused).for_each(|(row, refused)| row.is_refused = refused);
        let original =
            Original { is_reversal: false, says: legs(says), gave: legs(gave), at_desk: legs(at_desk) };
        let judged = judge(Some(&original), &reversals);
        prop_assert_eq!(&judged, &judge(Some(&original), &shuffled(&reversals, &keys)));
        let Reversals::Judged { each, total } = judged else { panic!("held") };
        for unit in [Unit::Pts, Unit::Cny] {
            let gave = leg_of(&original.gave, unit).0;
            let whole = whole_of(&original, unit).0;
            let desk = leg_of(&original.at_desk, unit).0.min(whole);
            let of_desk = i64::try_from(rounded(Amount(gave), i128::from(desk), Amount(whole))).expect("small");
            let sum = of_desk + each.values().map(|effect| leg_of(&effect.legs, unit).0).sum::<i64>();
            prop_assert_eq!(sum, leg_of(&total, unit).0);
            prop_assert!((0..=gave).contains(&sum), "{} of {}", sum, gave);
            let named: i64 = reversals
                .iter()
                .filter(|reversal| reversal.pin != Some(false) && !reversal.stays_refused())
                .map(|reversal| leg_of(&reversal.legs, unit).0)
                .sum::<i64>() + desk;
            prop_assert_eq!(returned(&original, &reversals, unit).of(Amount(gave)).0, sum, "as a share");
            if whole > 0 {
                let expected = (2 * gave * named.min(whole) + whole) / (2 * whole);
                prop_assert_eq!(sum, expected, "round(gave × min(1, returned))");
            }
        }
    }

    #[test]
    fn sums_beyond_64_bits_do_not_panic(a in any::<i64>(), b in any::<i64>(), c in any::<i64>()) {
        let rows = [reversal(1, a, None), reversal(2, b, Some(true))];
        let judged = judge(Some(&original(c, a)), &rows);
        let Reversals::Judged { total, .. } = judged else { panic!("held") };
        prop_assert!(leg_of(&total, Unit::Pts).0 <= a.max(0));
        let _ = check(&original(c, a), &rows);
    }
}
