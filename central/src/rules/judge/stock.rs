//! Gifts beyond the stock (kind 16): every hand-out and redemption is kept; in order of time each gets what is there,
//! the rest is backordered and flagged. Pieces that a person promised to somebody go first.
//!
//! The stock is all that ever came in, so what comes in later fills backorders in the same order. Invariant: what is
//! given never exceeds what came in. Out of scope: stock leased to a terminal, which cannot run short.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::money::Amount;

use super::order::Place;
use super::share::{self, Claim, PinError};

/// A hand-out or redemption of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// Which fact, and when.
    pub place: Place,
    /// How many pieces.
    pub quantity: u32,
    /// How many of them a person promised.
    pub pin: Option<u32>,
}

/// What a hand-out or redemption gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// Pieces that the stock covers.
    pub gets: u32,
    /// Pieces backordered; above zero it stands on the backorder list.
    pub short: u32,
}

/// Judges all takes of one item from one stock; `came_in` are all pieces ever counted in.
#[must_use]
pub fn judge(came_in: u32, takes: &[Take]) -> BTreeMap<FactId, Filled> {
    let gets = share::share(pieces(came_in), &claims(takes));
    takes
        .iter()
        .map(|take| {
            let gets = gets.get(&take.place.fact).and_then(|gets| u32::try_from(gets.0).ok()).unwrap_or(0);
            (take.place.fact, Filled { gets, short: take.quantity.saturating_sub(gets) })
        })
        .collect()
}

/// Checks pins before a verdict is saved.
///
/// # Errors
/// [`PinError`] where more was promised than came in, or than a fact takes.
pub fn check(came_in: u32, takes: &[Take]) -> Result<(), PinError> {
    share::check(pieces(came_in), &claims(takes))
}

fn claims(takes: &[Take]) -> Vec<Claim> {
    takes
        .iter()
        .map(|take| Claim { place: take.place, wants: pieces(take.quantity), pin: take.pin.map(pieces) })
        .collect()
}

fn pieces(count: u32) -> Amount {
    Amount(i64::from(count))
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use proptest::prelude::*;

    fn take(t: i64, quantity: u32, pin: Option<u32>) -> Take {
        Take { place: place(t, 1, u64::try_from(t).expect("small")), quantity, pin }
    }

    fn gets(came_in: u32, takes: &[Take]) -> Vec<(u32, u32)> {
        judge(came_in, takes).values().map(|filled| (filled.gets, filled.short)).collect()
    }

    #[test]
    fn kind_16_the_later_ones_wait_for_more_stock() {
        let rows = [take(1, 2, None), take(2, 2, None), take(3, 1, None)];
        assert_eq!(gets(5, &rows), [(2, 0), (2, 0), (1, 0)], "enough");
        assert_eq!(gets(3, &rows), [(2, 0), (1, 1), (0, 1)], "short from the second on");
        assert_eq!(gets(4, &rows), [(2, 0), (2, 0), (0, 1)], "one more came in: the second is filled first");
        assert_eq!(gets(0, &rows), [(0, 2), (0, 2), (0, 1)], "nothing ever came in");
        let promised = [take(1, 2, None), take(2, 2, None), take(3, 1, Some(1))];
        assert_eq!(gets(3, &promised), [(2, 0), (0, 2), (1, 0)], "a promise goes first");
    }

    #[test]
    fn kind_16_more_promised_than_there_is_is_refused() {
        let rows = [take(1, 2, Some(2)), take(2, 2, Some(2))];
        assert_eq!(check(4, &rows), Ok(()));
        assert!(matches!(check(3, &rows), Err(PinError::OverBound { .. })));
        assert!(matches!(check(9, &[take(1, 2, Some(3))]), Err(PinError::OverClaim { .. })));
    }

    proptest! {
        #[test]
        fn inv_19_stock_follows_the_set_and_is_never_overdrawn(
            rows in proptest::collection::vec((0i64..5, 0u8..3, 0u32..5, proptest::option::of(0u32..6)), 0..10),
            came_in in 0u32..20,
            keys in proptest::collection::vec(any::<u32>(), 10),
        ) {
            let takes: Vec<Take> = (1..)
                .zip(&rows)
                .map(|(seq, (t, device, quantity, pin))| Take {
                    place: place(*t, *device, seq), quantity: *quantity, pin: *pin,
                })
                .collect();
            let filled = judge(came_in, &takes);
            prop_assert_eq!(&filled, &judge(came_in, &shuffled(&takes, &keys)));
            prop_assert!(filled.values().map(|filled| filled.gets).sum::<u32>() <= came_in);
            for take in &takes {
                let Filled { gets, short } = filled[&take.place.fact];
                prop_assert_eq!(gets + short, take.quantity);
                let more = judge(came_in + 1, &takes)[&take.place.fact];
                prop_assert!(take.pin.is_some() || more.gets >= gets, "more stock takes nothing away");
            }
        }
    }
}
