//! Gifts beyond the stock (kind 16): every hand-out and redemption is kept; in order of time each gets what is there,
//! the rest is backordered and flagged. Pieces that a person promised to somebody go first.
//!
//! The stock is all that ever came in, so what comes in later fills backorders in the same order. Who counts a shelf
//! says what lies there at that moment: what the books had differently came in, or went, by that, and what was handed
//! out before is covered. A hand-out that arrives after the count and happened before it changes the difference, never
//! the count. Invariant: what is given never exceeds what came in. Out of scope: stock leased to a terminal, which
//! cannot run short.

use std::collections::BTreeMap;

use hufu_shared::ids::FactId;
use hufu_shared::money::Amount;
use hufu_shared::time::Instant;

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

/// A count of a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// When.
    pub at: Instant,
    /// Pieces that lay there.
    pub pieces: u32,
    /// Pieces that had come in less those that had gone by movements at the centre, up to then.
    pub moved: i64,
}

/// By how much each count found more than the books had before it; `counts` are in order of time.
#[must_use]
pub fn differences(counts: &[Count], takes: &[Take]) -> Vec<i64> {
    let mut known = 0;
    let of = |count: &Count| {
        let before = takes.iter().filter(|take| take.place.t <= count.at);
        let taken: i64 = before.map(|take| i64::from(take.quantity)).sum();
        // All that the counts up to this one add to what was moved.
        let all = i64::from(count.pieces) - count.moved + taken;
        all - std::mem::replace(&mut known, all)
    };
    counts.iter().map(of).collect()
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
    fn kind_16_a_count_covers_what_was_handed_out_before_it_and_says_what_is_left() {
        let count = |at, pieces, moved| Count { at: Instant(at), pieces, moved };
        let rows = [take(1, 2, None), take(2, 2, None), take(9, 1, None)];
        // Five came in, four were handed out: one should lie there.
        for (pieces, expected) in [(1, 0), (0, -1), (3, 2)] {
            let met = differences(&[count(5, pieces, 5)], &rows);
            assert_eq!(met, [expected], "{pieces}");
            let came_in = u32::try_from(5 + met[0]).expect("small");
            let left =
                i64::from(came_in) - gets(came_in, &rows).iter().map(|row| i64::from(row.0)).sum::<i64>();
            assert_eq!(left, i64::from(pieces.saturating_sub(1)), "after the one that followed");
        }
        // Nobody had entered what came in: the count says it.
        assert_eq!(differences(&[count(5, 3, 0)], &rows), [7]);
        // The second count speaks of what lies between; a hand-out that arrives late moves it from one to the other.
        let counts = [count(5, 1, 5), count(10, 3, 8)];
        assert_eq!(differences(&counts, &rows), [0, 0]);
        assert_eq!(differences(&counts, &rows[1..]), [-2, 0]);
        assert_eq!(differences(&counts, &rows[..2]), [0, -1]);
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
        fn kind_16_after_a_count_the_books_have_what_was_counted_whatever_arrives_late(
            rows in proptest::collection::vec((0i64..20, 0u32..5), 0..10),
            pieces in 0u32..20,
            moved in -5i64..20,
            at in 0i64..20,
            keys in proptest::collection::vec(any::<u32>(), 10),
        ) {
            let takes: Vec<Take> = (1..).zip(&rows)
                .map(|(seq, (t, quantity))| Take { place: place(*t, 1, seq), quantity: *quantity, pin: None })
                .collect();
            let counts = [Count { at: Instant(at), pieces, moved }];
            let differences = differences(&counts, &shuffled(&takes, &keys));
            let came_in = u32::try_from(moved + differences[0]).expect("never below zero");
            let filled = judge(came_in, &takes);
            let given: u32 = filled.values().map(|filled| filled.gets).sum();
            let (mut before, mut after) = (0, 0);
            for take in &takes {
                if take.place.t <= Instant(at) {
                    prop_assert_eq!(filled[&take.place.fact].short, 0, "it was there to be handed out");
                    before += take.quantity;
                } else {
                    after += take.quantity;
                }
            }
            prop_assert_eq!(given, before + after.min(pieces));
            prop_assert_eq!(came_in - given, pieces.saturating_sub(after));
        }

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
