//! What a device may give in a day (section "Offline allowance", item 8): issuing is bounded as spending is, so that a
//! stolen key costs the club no more than these limits per day until it is revoked.
//!
//! A fact is judged once, when it is taken in, in order of seq, by the day of its time as known then, and never again:
//! a judgement that followed the set could take back what a member was told. What passes counts towards the day; what
//! is held for a person counts for nothing, and a smaller fact after it may still pass.
//!
//! Money paid in is spendable elsewhere once the shift's cash count or a supervisor confirms it, or at once as long as
//! the device's top-ups of the day stay below a small sum ([`spendable`]).
//!
//! Invariant: what passes of one device and day never exceeds the limits of that day. Out of scope: what becomes of a
//! held fact, besides the day on which it expires ([`released_expiry`]).

use std::collections::BTreeSet;

use hufu_shared::money::Amount;
use hufu_shared::mutant::{self, Mutant};
use hufu_shared::policy::IssueLimits;
use hufu_shared::time::Day;

use super::share;

/// What a device gave in one of its days so far; stored per device and day, all epochs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Issued {
    /// Points that passed.
    pub points: Amount,
    /// Fen topped up that passed.
    pub top_up: Amount,
}

/// What one fact would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gives {
    /// Points, by the rate in force, before caps.
    pub points: Amount,
    /// Fen topped up.
    pub top_up: Amount,
}

/// The limit that a fact passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OverLimit {
    /// Points of one fact.
    PointsPerFact,
    /// Points of a day.
    PointsPerDay,
    /// Fen of one top-up.
    TopUpPerFact,
    /// Fen of a day.
    TopUpPerDay,
}

/// Judges one fact after what its device gave that day: what is given afterwards, or the limit for which its whole
/// effect is held. A fact that gives nothing always passes.
///
/// # Errors
/// [`OverLimit`]; the day's sum stays as it was.
pub fn judge(limits: &IssueLimits, before: Issued, gives: Gives) -> Result<Issued, OverLimit> {
    let points = within(
        (limits.points_per_fact, OverLimit::PointsPerFact),
        (limits.points_per_day, OverLimit::PointsPerDay),
        before.points,
        gives.points,
    )?;
    let top_up = within(
        (limits.top_up_per_fact, OverLimit::TopUpPerFact),
        (limits.top_up_per_day, OverLimit::TopUpPerDay),
        before.top_up,
        gives.top_up,
    )?;
    Ok(Issued { points, top_up })
}

fn within(
    fact: (Amount, OverLimit),
    day: (Amount, OverLimit),
    before: Amount,
    gives: Amount,
) -> Result<Amount, OverLimit> {
    if !gives.is_positive() {
        return Ok(before);
    }
    if mutant::on(Mutant::EarnAboveIssueLimit) {
        return Ok(before);
    }
    if gives > fact.0 {
        return Err(fact.1);
    }
    match before.plus(gives) {
        Ok(after) if after <= day.0 => Ok(after),
        _ => Err(day.1),
    }
}

/// When a credit expires that a person released: by its own time as any other, but no sooner than `days` after its
/// release. `natural` is the day by rule, none where points do not expire.
#[must_use]
pub fn released_expiry(natural: Option<Day>, released: Day, days: u16) -> Option<Day> {
    natural.map(|day| day.max(released.plus(i32::from(days))))
}

/// A top-up of one device and business day whose effect was never held; a release confirms by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUp {
    /// Its epoch and seq at the device.
    pub seq: (u32, u64),
    /// Fen paid in.
    pub amount: Amount,
    /// A cash count or a supervisor confirmed it.
    pub is_confirmed: bool,
}

/// A cash count: a range of seq that a `DayClosed` covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashCount {
    /// The epoch.
    pub epoch: u32,
    /// First seq.
    pub from_seq: u64,
    /// Last seq.
    pub to_seq: u64,
    /// Whether what it counted as paid in is what the ledger has for the range (else kind 30).
    pub agrees: bool,
}

/// Whether a cash count confirms a top-up.
#[must_use]
pub fn is_counted(seq: (u32, u64), counts: &[CashCount]) -> bool {
    counts
        .iter()
        .any(|count| count.agrees && count.epoch == seq.0 && (count.from_seq..=count.to_seq).contains(&seq.1))
}

/// Which top-ups of one device and day may be spent: the confirmed ones, and in order of seq each that still fits below
/// `at_once`. A confirmed one keeps its place in that sum, so nothing that was spendable ever ceases to be.
#[must_use]
pub fn spendable(at_once: Amount, top_ups: &[TopUp]) -> BTreeSet<(u32, u64)> {
    let mut sorted: Vec<&TopUp> = top_ups.iter().collect();
    sorted.sort_unstable_by_key(|top_up| top_up.seq);
    let mut sum = 0_i128;
    let mut free = BTreeSet::new();
    for top_up in sorted {
        let after = sum + i128::from(top_up.amount.0.max(0));
        let fits = share::narrow(after) <= at_once && at_once.is_positive();
        if fits {
            sum = after;
        }
        if fits || top_up.is_confirmed {
            free.insert(top_up.seq);
        }
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: IssueLimits = IssueLimits {
        points_per_day: Amount(100),
        points_per_fact: Amount(60),
        top_up_per_day: Amount(1_000),
        top_up_per_fact: Amount(500),
    };

    fn points(amount: i64) -> Gives {
        Gives { points: Amount(amount), top_up: Amount::ZERO }
    }

    fn money(amount: i64) -> Gives {
        Gives { points: Amount::ZERO, top_up: Amount(amount) }
    }

    /// Judges facts in order of seq; each either passes or names its limit.
    fn run(facts: &[Gives]) -> (Vec<Option<OverLimit>>, Issued) {
        let mut issued = Issued::default();
        let verdicts = facts
            .iter()
            .map(|gives| match judge(&LIMITS, issued, *gives) {
                Ok(after) => {
                    issued = after;
                    None
                }
                Err(over) => Some(over),
            })
            .collect();
        (verdicts, issued)
    }

    #[test]
    fn a_device_gives_no_more_than_its_limits_before_a_person_looks() {
        let cases: [(&[Gives], &[Option<OverLimit>], &str); 6] = [
            (&[points(60), points(40)], &[None, None], "exactly the day"),
            (&[points(61)], &[Some(OverLimit::PointsPerFact)], "one fact too large"),
            (
                &[points(60), points(41), points(40)],
                &[None, Some(OverLimit::PointsPerDay), None],
                "what is held leaves room for a smaller one",
            ),
            (
                &[money(500), money(500), money(1), points(5)],
                &[None, None, Some(OverLimit::TopUpPerDay), None],
                "money and points have a day each",
            ),
            (&[money(501)], &[Some(OverLimit::TopUpPerFact)], "one top-up too large"),
            (&[points(0), points(-9)], &[None, None], "what gives nothing always passes"),
        ];
        for (facts, expected, why) in cases {
            assert_eq!(run(facts).0, expected, "{why}");
        }
        let full = Issued { points: Amount(i64::MAX), top_up: Amount::ZERO };
        let wide = IssueLimits { points_per_day: Amount(i64::MAX), ..LIMITS };
        assert_eq!(judge(&wide, full, points(1)), Err(OverLimit::PointsPerDay), "no overflow");
    }

    #[test]
    fn a_released_credit_does_not_expire_at_once() {
        let day = |text: &str| text.parse::<Day>().expect("test day");
        let released = day("2026-12-20");
        assert_eq!(released_expiry(Some(day("2026-12-31")), released, 30), Some(day("2027-01-19")));
        assert_eq!(released_expiry(Some(day("2027-12-31")), released, 30), Some(day("2027-12-31")));
        assert_eq!(released_expiry(None, released, 30), None);
    }

    #[test]
    fn paid_in_money_is_spendable_once_it_was_counted_or_below_a_small_sum() {
        let row = |seq, amount, is_confirmed| TopUp { seq: (1, seq), amount: Amount(amount), is_confirmed };
        let cases: [(i64, &[TopUp], &[u64], &str); 5] = [
            (500, &[row(1, 300, false), row(2, 200, false), row(3, 1, false)], &[1, 2], "up to the sum"),
            (500, &[row(1, 900, false), row(2, 200, false)], &[2], "a large one waits, a small one does not"),
            (500, &[row(1, 900, true), row(2, 600, false)], &[1], "the count confirmed the large one"),
            (
                500,
                &[row(1, 400, true), row(2, 200, false)],
                &[1],
                "a confirmed one keeps its place in the sum",
            ),
            (0, &[row(1, 0, false), row(2, 5, false)], &[], "no small sum: all wait"),
        ];
        for (at_once, top_ups, expected, why) in cases {
            let free: Vec<u64> = spendable(Amount(at_once), top_ups).iter().map(|seq| seq.1).collect();
            assert_eq!(free, expected, "{why}");
        }
    }

    #[test]
    fn only_a_count_that_agrees_confirms() {
        let count = CashCount { epoch: 1, from_seq: 10, to_seq: 20, agrees: true };
        let cases = [((1, 10), true), ((1, 20), true), ((1, 9), false), ((1, 21), false), ((2, 15), false)];
        for (seq, counted) in cases {
            assert_eq!(is_counted(seq, &[count]), counted, "{seq:?}");
        }
        assert!(!is_counted((1, 15), &[CashCount { agrees: false, ..count }]));
    }

    fn any_gives() -> impl Strategy<Value = Vec<Gives>> {
        let row = (0i64..80, 0i64..700, any::<bool>());
        proptest::collection::vec(row, 0..20).prop_map(|rows| {
            rows.into_iter().map(|(a, b, both)| if both { points(a) } else { money(b) }).collect()
        })
    }

    proptest! {
        #[test]
        fn limits_hold_and_do_not_depend_on_how_facts_were_cut_into_batches(
            facts in any_gives(),
            cut in 0usize..20,
        ) {
            let (verdicts, issued) = run(&facts);
            prop_assert!(issued.points <= LIMITS.points_per_day && issued.top_up <= LIMITS.top_up_per_day);
            let sum: i64 = facts
                .iter()
                .zip(&verdicts)
                .filter(|(_, verdict)| verdict.is_none())
                .map(|(gives, _)| gives.points.0)
                .sum();
            prop_assert_eq!(sum, issued.points.0, "the sum is of what passed");
            // A later fact never changes what was judged before it.
            let first = &facts[..cut.min(facts.len())];
            prop_assert_eq!(run(first).0, &verdicts[..first.len()]);
        }

        #[test]
        fn what_is_spendable_stays_so_and_keeps_the_small_sum(
            rows in proptest::collection::vec((1u64..9, 0i64..300, any::<bool>()), 0..9),
            at_once in 0i64..600,
        ) {
            let mut top_ups: Vec<TopUp> = (1..).zip(&rows)
                .map(|(seq, (_, amount, is_confirmed))| TopUp {
                    seq: (1, seq), amount: Amount(*amount), is_confirmed: *is_confirmed,
                })
                .collect();
            let before = spendable(Amount(at_once), &top_ups);
            let unconfirmed: i64 = top_ups
                .iter()
                .filter(|top_up| before.contains(&top_up.seq) && !top_up.is_confirmed)
                .map(|top_up| top_up.amount.0)
                .sum();
            prop_assert!(unconfirmed <= at_once);
            top_ups.reverse();
            prop_assert_eq!(&before, &spendable(Amount(at_once), &top_ups), "order of input");
            for top_up in &mut top_ups {
                top_up.is_confirmed = true;
            }
            let after = spendable(Amount(at_once), &top_ups);
            prop_assert!(before.is_subset(&after));
            prop_assert_eq!(after.len(), top_ups.len());
        }
    }
}
