//! Promotion sheets: worked figures, edges, properties.

use hufu_shared::rules::promotion::*;
use proptest::prelude::*;

use crate::kit::*;

fn sheet(sheet_no: u64, office: &str, from: &str, to: &str) -> Sheet {
    Sheet {
        sheet_no,
        office: office.to_owned(),
        date_from: day(from),
        date_to: day(to),
        entered: day("2026-09-30"),
        a_basis: SheetBasis::Earning,
        b_factor_bp: WHOLE_BP,
        c_addend_fen: 0,
    }
}

#[test]
fn rule_g05_the_largest_number_of_the_shop_and_day_wins() {
    let sheets = [
        sheet(1012, "A01", "2026-10-01", "2026-10-07"),
        sheet(1007, "A01", "2026-10-01", "2026-10-07"),
        sheet(2000, "B02", "2026-10-01", "2026-10-07"),
        sheet(1001, "", "2026-10-01", "2026-10-31"),
    ];
    let cases = [
        ("A01", "2026-10-03", Some(1012), "1007 and 1012 fit the same shop and day"),
        ("A01", "2026-10-01", Some(1012), "the first day"),
        ("A01", "2026-10-07", Some(1012), "the last day"),
        ("A01", "2026-10-08", Some(1001), "the one for all shops"),
        ("B02", "2026-10-03", Some(2000), "another shop"),
        ("A01", "2026-11-01", None, "none"),
    ];
    for (office, on, expected, why) in cases {
        assert_eq!(pick(&sheets, office, day(on)).map(|sheet| sheet.sheet_no), expected, "{why}");
    }
}

#[test]
fn rule_g03_a_promotion_must_be_in_the_system_beforehand() {
    let late = Sheet { entered: day("2026-10-03"), ..sheet(9, "A01", "2026-10-01", "2026-10-07") };
    for (on, fits) in [("2026-10-02", false), ("2026-10-03", false), ("2026-10-04", true)] {
        assert_eq!(pick(std::slice::from_ref(&late), "A01", day(on)).is_some(), fits, "sold on {on}");
    }
}

#[test]
fn rule_g04_what_counts_is_a_times_b_plus_c() {
    let plain = sheet(1, "", "2026-10-01", "2026-10-07");
    let cases = [
        (10_000, 0, 32_000, 32_000, "as sold"),
        (15_000, 0, 32_000, 48_000, "one and a half times"),
        (10_000, 5_000, 32_000, 37_000, "and 50 元 more"),
        (20_000, 10_000, 32_000, 74_000, "twice and 100 元 more"),
        (0, 10_000, 32_000, 10_000, "the add-on only"),
        (15_000, 0, 33, 49, "a part of a fen counts for nothing"),
        (20_000, 10_000, 0, 0, "nothing sold"),
    ];
    for (b_factor_bp, c_addend_fen, sale, expected, why) in cases {
        let sheet = Sheet { b_factor_bp, c_addend_fen, ..plain.clone() };
        assert_eq!(counts(&sheet, Amount(sale), Amount(99_999)), Ok(Amount(expected)), "{why}");
    }
    let by_price = Sheet { a_basis: SheetBasis::Price, ..plain };
    assert_eq!(counts(&by_price, Amount(30_000), Amount(32_000)), Ok(Amount(32_000)));
}

proptest! {
    #[test]
    fn the_order_in_which_sheets_were_entered_plays_no_part(
        numbers in proptest::collection::hash_set(0u64..50, 1..10), turn in 0usize..10,
    ) {
        let mut sheets: Vec<Sheet> =
            numbers.iter().map(|n| sheet(*n, "", "2026-10-01", "2026-10-07")).collect();
        let on = day("2026-10-05");
        let first = pick(&sheets, "A01", on).map(|sheet| sheet.sheet_no);
        let places = sheets.len();
        sheets.rotate_left(turn % places);
        prop_assert_eq!(first, pick(&sheets, "A01", on).map(|sheet| sheet.sheet_no));
        prop_assert_eq!(first, numbers.iter().max().copied());
    }
}
