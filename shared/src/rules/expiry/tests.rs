//! Tests of expiry: the worked figures of the rules, leases across a cut-off, and two lot-by-lot references.

use super::*;
use crate::policy::FixedCutoff;
use proptest::prelude::*;

const ZONE: &str = "Asia/Shanghai";

/// The same items in another order, by a permutation drawn from `keys`.
fn shuffled<T: Clone>(items: &[T], keys: &[u32]) -> Vec<T> {
    let mut keyed: Vec<(u32, usize)> =
        (0..items.len()).map(|at| (keys.get(at).copied().unwrap_or(0), at)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, at)| items[at].clone()).collect()
}

fn day(text: &str) -> Day {
    text.parse().expect("test day")
}

fn credit(t: i64, expires: i64, amount: i64) -> Credit {
    Credit { t: Instant(t), expires: Some(Instant(expires)), amount: Amount(amount) }
}

fn debit(t: i64, amount: i64) -> Debit {
    Debit { t: Instant(t), amount: Amount(amount) }
}

fn dues(credits: &[Credit], debits: &[Debit]) -> Vec<i64> {
    let account = Account { credits, debits, leases: &[] };
    reckon(account, Instant(i64::MAX)).iter().map(|cut| cut.due.0).collect()
}

#[test]
fn rule_s03_b04_the_last_day_of_what_was_earned() {
    let s3 = ExpiryMode::FixedCutoff(FixedCutoff::RULE_S3);
    let strict = ExpiryMode::FixedCutoff(FixedCutoff { first_year_grace: false, ..FixedCutoff::RULE_S3 });
    let b4 = ExpiryMode::EarnYearPlus(1);
    let cases = [
        (s3, "2025-12-05", "2020-01-01", Some("2026-12-31"), "December goes to the next year"),
        (s3, "2025-11-30", "2020-01-01", Some("2025-12-31"), "up to 11-30 24:00"),
        (s3, "2025-12-01", "2020-01-01", Some("2026-12-31"), "the cycle begins on 12-01"),
        (s3, "2025-04-01", "2025-03-10", Some("2026-12-31"), "a joiner of the year: the next one"),
        (s3, "2025-12-05", "2025-03-10", Some("2026-12-31"), "a joiner's December: the same"),
        (s3, "2026-02-01", "2025-03-10", Some("2026-12-31"), "and so is the next year"),
        (s3, "2024-12-05", "2025-03-10", Some("2026-12-31"), "points brought along by a joiner"),
        (strict, "2025-04-01", "2025-03-10", Some("2025-12-31"), "without the grace"),
        (b4, "2014-01-01", "2010-01-01", Some("2015-12-31"), "2014 until the end of 2015"),
        (b4, "2014-12-31", "2010-01-01", Some("2015-12-31"), "the whole of 2014"),
        (ExpiryMode::RollingMonths(12), "2024-02-29", "2010-01-01", Some("2025-02-28"), "twelve months"),
        (ExpiryMode::Never, "2014-01-01", "2010-01-01", None, "not at all"),
    ];
    for (mode, earned, joined, expected, why) in cases {
        assert_eq!(last_day(mode, day(earned), Some(day(joined))), expected.map(day), "{why}");
    }
    assert_eq!(cut_off(day("2015-12-31"), ZONE), calendar::day_start(ZONE, day("2016-01-01"), 0));
    assert_eq!(cut_off(day("2015-12-31"), ZONE).display(chrono_tz::Asia::Shanghai), "2016-01-01 00:00:00");
}

#[test]
fn what_is_due_is_what_nobody_used_in_time() {
    let two = [credit(1, 100, 10), credit(2, 200, 20)];
    let cases: [(&[Debit], &[i64], &str); 6] = [
        (&[], &[10, 20], "nothing used"),
        (&[debit(50, 4)], &[6, 20], "what expires soonest is used first"),
        (&[debit(50, 15)], &[0, 15], "all of the first and some of the second"),
        (&[debit(100, 4)], &[10, 16], "at the cut-off is too late for the first"),
        (&[debit(50, 4), debit(150, 8)], &[6, 12], "each in its time"),
        (&[debit(50, 99)], &[0, 0], "more than there was"),
    ];
    for (debits, expected, why) in cases {
        assert_eq!(dues(&two, debits), expected, "{why}");
    }
    let later_expires_sooner = [credit(1, 200, 20), credit(60, 100, 10)];
    assert_eq!(dues(&later_expires_sooner, &[debit(50, 10)]), [0, 20], "in the member's favour");
    let forever = [Credit { expires: None, ..credit(1, 0, 50) }, credit(1, 100, 10)];
    assert_eq!(dues(&forever, &[]), [10], "what does not expire stays");
}

fn lease(n: u8, grants: &[(i64, i64)], spends: &[(i64, i64)], closed: Option<i64>) -> Lease {
    let moves = |rows: &[(i64, i64)]| rows.iter().map(|(t, amount)| debit(*t, *amount)).collect();
    let id = (LeaseId([n; 16]), 1);
    Lease { id, grants: moves(grants), spends: moves(spends), closed: closed.map(Instant) }
}

/// `(taken, waits, waived)` at each cut-off.
fn parts(credits: &[Credit], leases: &[Lease], other: &[Debit]) -> Vec<(i64, i64, i64)> {
    let mut debits = other.to_vec();
    debits.extend(leases.iter().flat_map(|lease| lease.spends.clone()));
    let cuts = reckon(Account { credits, debits: &debits, leases }, Instant(i64::MAX));
    cuts.iter().map(|cut| (cut.taken.0, cut.waits.0, cut.waived.0)).collect()
}

#[test]
fn what_a_lease_holds_at_the_cut_off_waits_is_taken_or_was_spent() {
    let one = [credit(1, 100, 100)];
    let cases: [(&[Lease], &[(i64, i64, i64)], &str); 8] = [
        (&[lease(1, &[(10, 40)], &[], None)], &[(60, 40, 0)], "the lease is out"),
        (&[lease(1, &[(10, 40)], &[], Some(120))], &[(100, 0, 0)], "it returned all"),
        (&[lease(1, &[(10, 40)], &[(110, 30)], Some(120))], &[(70, 0, 30)], "it lawfully spent 30 instead"),
        (&[lease(1, &[(10, 40)], &[(110, 30)], None)], &[(60, 10, 30)], "it spent 30 and is still out"),
        (&[lease(1, &[(10, 40)], &[(50, 30)], None)], &[(60, 10, 0)], "30 were spent in time: 70 are due"),
        (&[lease(1, &[(10, 40)], &[], Some(90))], &[(100, 0, 0)], "it was back before"),
        (&[lease(1, &[(110, 40)], &[], None)], &[(100, 0, 0)], "a grant after the cut-off held none of it"),
        (
            &[lease(1, &[(10, 40)], &[], None), lease(2, &[(10, 50)], &[(120, 20)], Some(130))],
            &[(40, 40, 20)],
            "10 were free, 30 came back, 40 wait, 20 were spent",
        ),
    ];
    for (leases, expected, why) in cases {
        assert_eq!(parts(&one, leases, &[]), expected, "{why}");
    }
}

#[test]
fn a_lease_may_hold_what_expires_later() {
    let two = [credit(1, 100, 60), credit(2, 200, 60)];
    let out = [lease(1, &[(10, 50)], &[], None)];
    assert_eq!(parts(&two, &out, &[]), [(60, 0, 0), (10, 50, 0)], "what lies free is taken first");
    let spent = [lease(1, &[(10, 90)], &[(110, 40)], Some(150))];
    // At 100: 30 free; 90 in the lease, of which 50 come back: 30 of them are due. 40 spent; 20 - 20 are left at 200.
    assert_eq!(parts(&two, &spent, &[]), [(60, 0, 0), (20, 0, 0)]);
}

#[test]
fn the_same_lease_is_not_claimed_twice() {
    let two = [credit(1, 100, 50), credit(2, 200, 50)];
    let all_out = [lease(1, &[(10, 100)], &[], None)];
    assert_eq!(parts(&two, &all_out, &[]), [(0, 50, 0), (0, 50, 0)]);
    let back = [lease(1, &[(10, 100)], &[(210, 70)], Some(300))];
    assert_eq!(parts(&two, &back, &[]), [(30, 0, 20), (0, 0, 50)], "70 of 100 were spent");
}

#[test]
fn a_late_fact_gives_back_what_should_not_have_expired() {
    let cases = [
        (10, 0, 100, Change::Take { now: Amount(10), short: Amount(0) }),
        (10, 4, 100, Change::Take { now: Amount(6), short: Amount(0) }),
        (10, 4, 5, Change::Take { now: Amount(5), short: Amount(1) }),
        (4, 10, 0, Change::GiveBack(Amount(6))),
        (4, 4, 0, Change::None),
    ];
    for (reckoned, posted, available, expected) in cases {
        let met = difference(Amount(reckoned), Amount(posted), Amount(available));
        assert_eq!(met, expected, "{reckoned} after {posted} with {available}");
    }
}

#[test]
fn a_lease_never_outlives_the_next_cut_off_of_points_that_it_might_hold() {
    let at = |seconds: i64| seconds * SECOND_US;
    let credits = [credit(at(1), at(100), 10), credit(at(2), at(1_000), 20)];
    let ttl = |now: i64, debits: &[Debit]| {
        lease_ttl_s(500, Instant(at(now)), Account { credits: &credits, debits, leases: &[] })
    };
    assert_eq!(ttl(40, &[]), 60, "up to the first cut-off");
    assert_eq!(ttl(40, &[debit(at(3), 10)]), 500, "nothing is left that expires there");
    assert_eq!(ttl(100, &[]), 500, "the first is over");
    assert_eq!(ttl(700, &[]), 300, "up to the second");
    assert_eq!(ttl(2_000, &[]), 500, "no cut-off ahead");
    let half = Instant(at(99) + SECOND_US / 2);
    let account = Account { credits: &credits, debits: &[], leases: &[] };
    assert_eq!(lease_ttl_s(500, half, account), 0, "less than a second: nothing may be granted");
}

/// Lot by lot, whatever the expiries: each debit takes the soonest-expiring lot that has not expired at its time,
/// whether or not it was earned by then.
fn lots_in_the_members_favour(credits: &[Credit], debits: &[Debit]) -> Vec<i64> {
    let mut lots: Vec<(Instant, i64)> =
        credits.iter().map(|credit| (credit.expires.expect("expires"), credit.amount.0)).collect();
    lots.sort_unstable();
    let mut debits = debits.to_vec();
    debits.sort_by_key(|debit| debit.t);
    for debit in debits {
        let mut left = debit.amount.0;
        for lot in lots.iter_mut().filter(|lot| lot.0 > debit.t) {
            let part = left.min(lot.1);
            lot.1 -= part;
            left -= part;
        }
    }
    let cut_offs: BTreeSet<Instant> = lots.iter().map(|lot| lot.0).collect();
    cut_offs.iter().map(|at| lots.iter().filter(|lot| lot.0 == *at).map(|lot| lot.1).sum()).collect()
}

/// Lot by lot as time goes by: a debit takes the soonest-expiring lot that is there; what is not there is owed, and
/// the next credit pays it first.
fn lots_as_time_goes_by(credits: &[Credit], debits: &[Debit]) -> Vec<(Instant, i64)> {
    enum Step {
        Expire,
        Credit(Credit),
        Debit(i64),
    }
    let mut steps: Vec<(Instant, u8, Step)> = Vec::new();
    for credit in credits {
        steps.push((credit.expires.expect("expires"), 0, Step::Expire));
        steps.push((credit.t, 1, Step::Credit(*credit)));
    }
    steps.extend(debits.iter().map(|debit| (debit.t, 2, Step::Debit(debit.amount.0))));
    steps.sort_by_key(|(t, rank, _)| (*t, *rank));
    let (mut lots, mut owed): (Vec<(Instant, i64)>, i64) = (Vec::new(), 0);
    let mut expired: std::collections::BTreeMap<Instant, i64> = std::collections::BTreeMap::new();
    for (t, _, step) in steps {
        match step {
            Step::Expire => {
                let gone: i64 = lots.iter().filter(|lot| lot.0 <= t).map(|lot| lot.1).sum();
                lots.retain(|lot| lot.0 > t);
                *expired.entry(t).or_default() += gone;
            }
            Step::Credit(credit) => {
                let pays = owed.min(credit.amount.0);
                owed -= pays;
                lots.push((credit.expires.expect("expires"), credit.amount.0 - pays));
                lots.sort_unstable();
            }
            Step::Debit(mut left) => {
                for lot in &mut lots {
                    let part = left.min(lot.1);
                    lot.1 -= part;
                    left -= part;
                }
                owed += left;
            }
        }
    }
    expired.into_iter().collect()
}

fn any_credits() -> impl Strategy<Value = Vec<Credit>> {
    proptest::collection::vec((0i64..40, 1i64..30, 0i64..20), 0..10)
        .prop_map(|rows| rows.into_iter().map(|(t, life, amount)| credit(t, t + life, amount)).collect())
}

fn any_debits() -> impl Strategy<Value = Vec<Debit>> {
    proptest::collection::vec((0i64..60, 0i64..25), 0..10)
        .prop_map(|rows| rows.into_iter().map(|(t, amount)| debit(t, amount)).collect())
}

/// A history that a ledger allows: from each draw one step, done only if there is enough.
fn history(draws: &[(u8, i64, i64)]) -> (Vec<Credit>, Vec<Debit>, Vec<Lease>) {
    let (mut credits, mut debits, mut leases) = (Vec::new(), Vec::new(), vec![lease(1, &[], &[], None)]);
    leases.push(lease(2, &[], &[], None));
    for (t, (what, amount, life)) in (0_i64..).zip(draws) {
        let at = usize::from(*what % 2);
        let granted: i64 = leases[at].grants.iter().map(|part: &Debit| part.amount.0).sum();
        let spent: i64 = leases[at].spends.iter().map(|part: &Debit| part.amount.0).sum();
        let until = Instant(t + 1);
        let expired: i64 = {
            let account = Account { credits: &credits, debits: &debits, leases: &leases };
            reckon(account, until).iter().map(|cut| cut.taken.0).sum()
        };
        let held: i64 = leases
            .iter()
            .filter(|lease| lease.closed.is_none())
            .flat_map(|lease| {
                lease.grants.iter().map(|p| p.amount.0).chain(lease.spends.iter().map(|p| -p.amount.0))
            })
            .sum();
        let total: i64 = credits.iter().map(|credit: &Credit| credit.amount.0).sum::<i64>()
            - debits.iter().map(|debit: &Debit| debit.amount.0).sum::<i64>();
        let available = total - expired - held;
        assert!(available >= 0, "expiry took what was not there: {available} at {t}");
        match what / 2 {
            0 | 1 => credits.push(credit(t, t + 1 + life, *amount)),
            2 if available >= *amount => debits.push(debit(t, *amount)),
            3 if leases[at].closed.is_none() && available >= *amount => {
                leases[at].grants.push(debit(t, *amount));
            }
            4 if leases[at].closed.is_none() && granted - spent >= *amount => {
                leases[at].spends.push(debit(t, *amount));
                debits.push(debit(t, *amount));
            }
            5 if *amount < 4 => leases[at].closed = leases[at].closed.or(Some(Instant(t))),
            _ => {}
        }
    }
    (credits, debits, leases)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn inv_19_expiry_by_sums_equals_expiry_lot_by_lot(
        credits in any_credits(),
        debits in any_debits(),
        keys in proptest::collection::vec(any::<u32>(), 10),
    ) {
        let met = dues(&credits, &debits);
        prop_assert_eq!(&met, &dues(&shuffled(&credits, &keys), &shuffled(&debits, &keys)));
        prop_assert_eq!(met, lots_in_the_members_favour(&credits, &debits));
    }

    #[test]
    fn inv_19_with_a_rule_of_expiry_it_equals_lots_as_time_goes_by(
        rows in proptest::collection::vec((0i32..1_500, 1i64..20), 0..10),
        used in proptest::collection::vec((0i32..2_000, 1i64..25), 0..10),
        which in 0usize..4,
        joined in proptest::option::of(0i32..900),
    ) {
        let s3 = FixedCutoff { first_year_grace: joined.is_some(), ..FixedCutoff::RULE_S3 };
        let mode = [
            ExpiryMode::FixedCutoff(s3), ExpiryMode::EarnYearPlus(0), ExpiryMode::EarnYearPlus(1),
            ExpiryMode::RollingMonths(6),
        ][which];
        let first = day("2022-11-15");
        let joined = joined.map(|days| first.plus(days));
        let noon = |days: i32| calendar::day_start(ZONE, first.plus(days), 12 * 60);
        let credits: Vec<Credit> = rows
            .iter()
            .map(|(days, amount)| Credit {
                t: noon(*days),
                expires: last_day(mode, first.plus(*days), joined).map(|last| cut_off(last, ZONE)),
                amount: Amount(*amount),
            })
            .collect();
        let debits: Vec<Debit> =
            used.iter().map(|(days, amount)| Debit { t: noon(*days).offset(1), amount: Amount(*amount) }).collect();
        let account = Account { credits: &credits, debits: &debits, leases: &[] };
        let met: Vec<(Instant, i64)> =
            reckon(account, Instant(i64::MAX)).iter().map(|cut| (cut.at, cut.due.0)).collect();
        prop_assert_eq!(met, lots_as_time_goes_by(&credits, &debits));
    }

    #[test]
    fn posting_differences_ends_the_same_in_every_order_of_arrival(
        credits in any_credits(),
        debits in any_debits(),
        keys in proptest::collection::vec(any::<u32>(), 20),
    ) {
        // Facts arrive one by one, the job has long run: what is posted in the end is what the whole set says.
        let rows: Vec<(Option<Credit>, Option<Debit>)> = credits
            .iter()
            .map(|credit| (Some(*credit), None))
            .chain(debits.iter().map(|debit| (None, Some(*debit))))
            .collect();
        let (mut came, mut went) = (Vec::new(), Vec::new());
        let mut posted: std::collections::BTreeMap<Instant, i64> = std::collections::BTreeMap::new();
        for (credit, debit) in shuffled(&rows, &keys) {
            came.extend(credit);
            went.extend(debit);
            let account = Account { credits: &came, debits: &went, leases: &[] };
            for cut in reckon(account, Instant(i64::MAX)) {
                let so_far = posted.entry(cut.at).or_default();
                match difference(cut.taken, Amount(*so_far), Amount(i64::MAX)) {
                    Change::Take { now, .. } => *so_far += now.0,
                    Change::GiveBack(back) => *so_far -= back.0,
                    Change::None => {}
                }
            }
        }
        prop_assert_eq!(posted.into_values().collect::<Vec<_>>(), dues(&credits, &debits));
    }

    #[test]
    fn what_is_due_is_taken_waits_or_is_waived_and_the_member_never_owes_for_it(
        draws in proptest::collection::vec((0u8..12, 0i64..15, 0i64..20), 0..40),
        keys in proptest::collection::vec(any::<u32>(), 40),
    ) {
        let (credits, debits, leases) = history(&draws);
        let account = Account { credits: &credits, debits: &debits, leases: &leases };
        let cuts = reckon(account, Instant(i64::MAX));
        for cut in &cuts {
            prop_assert_eq!(cut.due.0, cut.taken.0 + cut.waits.0 + cut.waived.0);
        }
        let gone: i64 = cuts.iter().map(|cut| cut.taken.0 + cut.waits.0).sum();
        let has: i64 = credits.iter().map(|credit| credit.amount.0).sum::<i64>()
            - debits.iter().map(|debit| debit.amount.0).sum::<i64>();
        prop_assert!(gone <= has.max(0), "{} expired of {}", gone, has);
        let (credits, leases) = (shuffled(&credits, &keys), shuffled(&leases, &keys));
        let other = Account { credits: &credits, debits: &shuffled(&debits, &keys), leases: &leases };
        prop_assert_eq!(cuts, reckon(other, Instant(i64::MAX)));
    }

    #[test]
    fn a_ttl_never_passes_a_cut_off_of_what_is_left(
        credits in any_credits(), debits in any_debits(), now in 0i64..60,
    ) {
        let stretch = |t: Instant| Instant(t.0 * SECOND_US);
        let credits: Vec<Credit> = credits
            .into_iter()
            .map(|credit| Credit { t: stretch(credit.t), expires: credit.expires.map(stretch), ..credit })
            .collect();
        let debits: Vec<Debit> =
            debits.into_iter().map(|debit| Debit { t: stretch(debit.t), ..debit }).collect();
        let account = Account { credits: &credits, debits: &debits, leases: &[] };
        let now = stretch(Instant(now));
        let ttl = lease_ttl_s(1_000, now, account);
        let ends = now.offset(i64::try_from(ttl).expect("small") * SECOND_US);
        for cut in reckon(account, Instant(i64::MAX)).iter().filter(|cut| cut.at > now) {
            prop_assert!(cut.due == Amount::ZERO || ends <= cut.at);
        }
    }
}
