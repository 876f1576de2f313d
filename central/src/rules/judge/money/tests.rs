//! Tests of stored value.

use super::super::order::testing::{place, shuffled};
use super::*;
use hufu_shared::time::Day;
use proptest::prelude::*;

const ASKED: UndoAsked = UndoAsked {
    same_terminal: true,
    same_shift: true,
    is_acked: false,
    amount: Amount(500),
    available: None,
};

#[test]
fn a_top_up_is_undone_at_its_own_desk_while_the_money_is_there() {
    let acked = UndoAsked { is_acked: true, ..ASKED };
    let cases = [
        (ASKED, Ok(()), "the centre has not got it yet"),
        (UndoAsked { available: Some(Amount(500)), ..acked }, Ok(()), "the centre says that it is covered"),
        (
            UndoAsked { available: Some(Amount(499)), ..acked },
            Err(NeedsAdmin::NotCovered),
            "a fen is spent elsewhere",
        ),
        (acked, Err(NeedsAdmin::NotReached), "nobody can say"),
        (UndoAsked { same_terminal: false, ..ASKED }, Err(NeedsAdmin::OtherTerminal), "another terminal"),
        (UndoAsked { same_shift: false, ..ASKED }, Err(NeedsAdmin::OtherShift), "the cash was counted"),
    ];
    for (asked, expected, why) in cases {
        assert_eq!(may_undo(asked), expected, "{why}");
    }
}

#[test]
fn a_shift_ends_where_a_day_is_closed() {
    for (one, other, closed, same) in [
        (5, 9, [12, 30], true),
        (5, 13, [12, 30], false),
        (13, 5, [12, 30], false),
        (13, 29, [12, 30], true),
        (13, 31, [12, 30], false),
    ] {
        assert_eq!(is_same_shift(one, other, &closed), same, "{one} and {other}");
    }
}

#[test]
fn an_undo_that_kept_the_rule_counts_and_another_waits() {
    let undone = Undone { same_terminal: true, same_shift: true, amount: Amount(500), pin: None };
    let takes =
        |available, owed| Undo::Takes(FromMember { available: Amount(available), owed: Amount(owed) });
    let cases = [
        (undone, 800, takes(500, 0), "covered"),
        (undone, 200, takes(200, 300), "the member spent it in between: the rest is owed"),
        (Undone { same_terminal: false, ..undone }, 800, Undo::Held(NeedsAdmin::OtherTerminal), "elsewhere"),
        (Undone { same_shift: false, ..undone }, 800, Undo::Held(NeedsAdmin::OtherShift), "counted"),
        (
            Undone { same_shift: false, pin: Some(true), ..undone },
            100,
            takes(100, 400),
            "a person did it, with owed",
        ),
        (Undone { pin: Some(false), ..undone }, 800, Undo::Nothing, "a person refused it"),
    ];
    for (undone, available, expected, why) in cases {
        assert_eq!(judge_undo(undone, Amount(available)), expected, "{why}");
    }
}

fn slip(number: u8) -> SlipKey {
    SlipKey { shop: "1024".to_owned(), number: number.to_string(), date: Day(20_000) }
}

fn row(seq: u64, number: Option<u8>, amount: i64, pin: Option<bool>) -> Return {
    let t = i64::try_from(seq).expect("small");
    Return { place: place(t, 1, seq), slip: number.map(slip), amount: Amount(amount), pin }
}

fn credit_of(gives: i64, is_cut: bool) -> Returned {
    Returned::Credit { gives: Amount(gives), is_cut }
}

#[test]
fn goods_are_paid_back_once_per_slip() {
    let paid = BTreeMap::from([(slip(1), Amount(300))]);
    let other = |seq| Returned::OtherCounts(place(0, 1, seq).fact);
    let cases: [(&[Return], &[Returned], &str); 7] = [
        (&[row(1, Some(1), 200, None)], &[credit_of(200, false)], "one return"),
        (&[row(1, Some(1), 400, None)], &[credit_of(300, true)], "no more than was paid"),
        (
            &[row(1, Some(1), 200, None), row(2, Some(1), 100, None)],
            &[credit_of(200, false), other(1)],
            "the earliest counts",
        ),
        (
            &[row(1, Some(1), 200, None), row(2, Some(1), 100, Some(true))],
            &[other(2), credit_of(100, false)],
            "a person chose the later",
        ),
        (
            &[row(1, Some(1), 200, Some(false)), row(2, Some(1), 100, None)],
            &[Returned::Nothing, credit_of(100, false)],
            "a person took the earlier out",
        ),
        (&[row(1, Some(2), 900, None)], &[credit_of(900, false)], "what was paid is not known"),
        (
            &[row(1, None, 50, None), row(2, None, 60, Some(true))],
            &[Returned::NoSlip, credit_of(60, false)],
            "without a slip a person decides",
        ),
    ];
    for (rows, expected, why) in cases {
        let met: Vec<Returned> = judge_returns(rows, &paid).into_values().collect();
        assert_eq!(met, expected, "{why}");
    }
}

#[test]
fn two_verdicts_for_one_slip_are_refused() {
    let both = [row(2, Some(1), 1, Some(true)), row(1, Some(1), 1, Some(true))];
    let error = check_returns(&both).expect_err("one slip");
    assert_eq!(error, PinError::OneOnly { first: place(1, 1, 1).fact, second: place(2, 1, 2).fact });
    assert_eq!(check_returns(&[row(1, Some(1), 1, Some(true)), row(2, Some(2), 1, Some(true))]), Ok(()));
}

proptest! {
    #[test]
    fn inv_19_returns_follow_the_set_and_a_slip_is_paid_back_once(
        rows in proptest::collection::vec(
            (0i64..4, proptest::option::of(0u8..3), 0i64..50, proptest::option::weighted(0.3, any::<bool>())), 0..9),
        keys in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let rows: Vec<Return> = (1..)
            .zip(&rows)
            .map(|(seq, (t, number, amount, pin))| Return {
                place: place(*t, 1, seq), ..row(1, *number, *amount, *pin)
            })
            .collect();
        let paid = BTreeMap::from([(slip(0), Amount(20))]);
        let judged = judge_returns(&rows, &paid);
        prop_assert_eq!(&judged, &judge_returns(&shuffled(&rows, &keys), &paid));
        prop_assert_eq!(check_returns(&rows), check_returns(&shuffled(&rows, &keys)));
        let saved = check_returns(&rows).is_ok();
        let mut credits: BTreeMap<&SlipKey, Vec<i64>> = BTreeMap::new();
        for row in &rows {
            let verdict = judged[&row.place.fact];
            if let (Some(slip), Returned::Credit { gives, .. }) = (&row.slip, verdict) {
                credits.entry(slip).or_default().push(gives.0);
            }
            if row.pin == Some(true) && saved {
                let counts = matches!(verdict, Returned::Credit { .. });
                prop_assert!(counts, "a saved verdict holds");
            }
        }
        for (of, gives) in credits {
            prop_assert_eq!(gives.len(), 1, "slip {:?}", of);
            prop_assert!(*of != slip(0) || gives[0] <= 20);
        }
    }
}
