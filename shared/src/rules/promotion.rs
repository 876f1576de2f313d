//! Promotion sheets (rules G3 to G5): which one holds for a sale, and what it makes of the amount.

use crate::money::{Amount, AmountOverflow};
use crate::scheme::bill::WHOLE_BP;
use crate::scheme::earning::{Sheet, SheetBasis};
use crate::time::Day;

/// The sheet that holds for a sale: of those of the shop and day that were entered on an earlier day, the one with the
/// largest number.
#[must_use]
pub fn pick<'s>(sheets: &'s [Sheet], office: &str, day: Day) -> Option<&'s Sheet> {
    let fits = |sheet: &&Sheet| {
        (sheet.office.is_empty() || sheet.office == office)
            && sheet.date_from <= day
            && day <= sheet.date_to
            && sheet.entered < day
    };
    sheets.iter().filter(fits).max_by_key(|sheet| sheet.sheet_no)
}

/// What counts of a sale by a sheet: A × B + C in fen, a part of a fen counts for nothing (rule G4). `earning` is what
/// of the price earns, `price` the price on the slip. A sale of nothing earns no add-on.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn counts(sheet: &Sheet, earning: Amount, price: Amount) -> Result<Amount, AmountOverflow> {
    let a = match sheet.a_basis {
        SheetBasis::Earning => earning,
        SheetBasis::Price => price,
    };
    if !a.is_positive() {
        return Ok(Amount::ZERO);
    }
    let product = i128::from(a.0) * i128::from(sheet.b_factor_bp) / i128::from(WHOLE_BP);
    i64::try_from(product + i128::from(sheet.c_addend_fen)).map(Amount).map_err(|_| AmountOverflow)
}

/// What counts of a sale at a shop on a day, and by which sheet: what earns of the price, if no sheet holds.
///
/// # Errors
/// [`AmountOverflow`] beyond 64 bits.
pub fn counts_by<'s>(
    sheets: &'s [Sheet],
    (office, day): (&str, Day),
    earning: Amount,
    price: Amount,
) -> Result<(Option<&'s Sheet>, Amount), AmountOverflow> {
    match pick(sheets, office, day) {
        Some(sheet) => Ok((Some(sheet), counts(sheet, earning, price)?)),
        None => Ok((None, earning)),
    }
}
