//! Caps, rules that give only once and what was fixed, as tables of earns and what they give.

use super::super::order::testing::{place, shuffled};
use super::*;
use hufu_shared::rules::earn::{Earning, Given, gives as gives_by_rule};
use hufu_shared::scheme::earning::{EarnKind, EarnRule};
use proptest::prelude::*;

const NORTH: OfficeId = OfficeId([1; 16]);
const SOUTH: OfficeId = OfficeId([2; 16]);
const RATE: Hash = Hash([1; 32]);
const BONUS: Hash = Hash([2; 32]);

fn day(text: &str) -> Day {
    text.parse().expect("test day")
}

fn cap(period: Period, most: i64) -> EarnCap {
    EarnCap { unit: Unit::Pts, period, most: Amount(most), events: Vec::new(), offices: Vec::new() }
}

fn earn(t: i64, on: &str, office: OfficeId, amount: i64) -> Earn {
    Earn {
        place: place(t, office.0[0], u64::try_from(t).expect("small")),
        day: day(on),
        office,
        event: EarnEvent::Purchase,
        unit: Unit::Pts,
        at: 0,
        rule: RATE,
        amount: Amount(amount),
        returned: Share::default(),
        pin: None,
        cap: None,
        once: None,
    }
}

fn returning(part: i64, whole: i64, earn: Earn) -> Earn {
    Earn { returned: Share { part: Amount(part), whole: Amount(whole) }, ..earn }
}

fn counts(earn: Earn) -> Earn {
    Earn { pin: Some(Pin::Counts), ..earn }
}

fn stood(amount: i64, earn: Earn) -> Earn {
    Earn { pin: Some(Pin::Stood(Amount(amount))), ..earn }
}

/// A fixed bonus beside what the rate gives, once for ever unless something else is said.
fn bonus(earn: Earn) -> Earn {
    Earn { at: 1, rule: BONUS, amount: Amount(50), once: Some(Span::Ever), ..earn }
}

fn gives(caps: &[EarnCap], earns: &[Earn]) -> Vec<i64> {
    let judged = judge(caps, earns);
    earns.iter().map(|earn| judged[&(earn.place.fact, earn.at)].gives.0).collect()
}

#[test]
fn kind_23_the_later_earn_is_cut_at_whatever_office() {
    let month = [cap(Period::Month, 100)];
    let a = earn(1, "2026-11-03", NORTH, 70);
    let b = earn(2, "2026-11-20", SOUTH, 70);
    let c = earn(3, "2026-12-01", SOUTH, 70);
    assert_eq!(gives(&month, &[a, b, c]), [70, 30, 70], "a new month is a new cap");
    assert_eq!(gives(&month, &[c, b, a]), [70, 30, 70], "whichever came first");
    let judged = judge(&month, &[a, b]);
    assert_eq!(judged[&(b.place.fact, 0)], Capped { gives: Amount(30), keeps: Amount(30), cut: Amount(40) });
}

#[test]
fn kind_23_what_people_let_count_goes_first_and_passes_no_cap_either() {
    let year = [cap(Period::Year, 100)];
    let a = earn(1, "2026-11-03", NORTH, 70);
    let b = earn(2, "2026-11-20", SOUTH, 70);
    assert_eq!(gives(&year, &[a, counts(b)]), [30, 70]);
    assert_eq!(gives(&year, &[counts(a), counts(b)]), [70, 30], "two of them, the earlier first");
    let judged = judge(&year, &[counts(a), counts(b)]);
    assert_eq!(judged[&(b.place.fact, 0)].cut, Amount(40), "and a person sees it");
    // What was settled stands, whatever the cap says since; the next gets what is left, if anything.
    assert_eq!(gives(&year, &[stood(70, a), stood(70, b)]), [70, 70]);
    assert_eq!(gives(&year, &[counts(a), stood(60, b)]), [40, 60]);
    assert_eq!(gives(&year, &[stood(90, a), b]), [70, 30], "never more than it earns");
}

#[test]
fn kind_23_all_caps_that_cover_an_earn_hold_at_once() {
    let caps = [
        cap(Period::Month, 100),
        EarnCap { offices: vec![SOUTH], ..cap(Period::Day, 20) },
        EarnCap { events: vec![EarnEvent::Activity], ..cap(Period::Month, 0) },
        EarnCap { unit: Unit::Growth, ..cap(Period::Month, 1) },
    ];
    let rows = [
        earn(1, "2026-11-03", SOUTH, 50),
        earn(2, "2026-11-03", NORTH, 50),
        earn(3, "2026-11-03", SOUTH, 50),
        earn(4, "2026-11-04", SOUTH, 50),
        earn(5, "2026-11-05", NORTH, 50),
    ];
    assert_eq!(gives(&caps, &rows), [20, 50, 0, 20, 10]);
    let activity = Earn { event: EarnEvent::Activity, ..rows[1] };
    assert_eq!(gives(&caps, &[activity]), [0]);
    let growth = Earn { unit: Unit::Growth, at: 1, ..rows[1] };
    assert_eq!(gives(&caps, &[rows[1], growth]), [50, 1], "each unit has caps of its own");
}

#[test]
fn kind_23_31_what_is_returned_frees_room_and_is_a_share_of_what_was_given() {
    let month = [cap(Period::Month, 100)];
    let first = earn(1, "2026-11-03", NORTH, 100);
    let second = earn(2, "2026-11-04", NORTH, 70);
    let keeps = |earns: &[Earn]| -> Vec<(i64, i64)> {
        judge(&month, earns).values().map(|capped| (capped.gives.0, capped.keeps.0)).collect()
    };
    assert_eq!(keeps(&[returning(100, 100, first), second]), [(100, 0), (70, 70)], "all returned");
    assert_eq!(keeps(&[returning(50, 100, first), second]), [(100, 50), (50, 50)], "half of it");
    assert_eq!(
        keeps(&[first, returning(35, 70, second)]),
        [(100, 100), (0, 0)],
        "nothing given, nothing back"
    );
    let partly = earn(1, "2026-11-03", NORTH, 70);
    assert_eq!(keeps(&[partly, returning(35, 70, second)]), [(70, 70), (30, 15)], "half of the 30 given");
}

#[test]
fn kind_31_a_return_takes_a_share_of_all_parts_together() {
    let half = |earn: Earn| returning(1, 2, earn);
    let rate = half(earn(1, "2026-11-03", NORTH, 5));
    let parts = [rate, half(Earn { at: 1, rule: BONUS, ..rate })];
    let judged = judge(&[], &parts);
    let kept: i64 = judged.values().map(|capped| capped.keeps.0).sum();
    assert_eq!(kept, 5, "half of 10, not twice what half of 5 is rounded to");
}

#[test]
fn kind_23_the_cap_of_the_only_rule_counts_what_other_versions_gave_in_its_period() {
    let own = RuleCap { period: Period::Month, most: 100 };
    let capped = |earn: Earn| Earn { cap: Some((own, Counts::All)), ..earn };
    let before = Earn { rule: BONUS, ..earn(1, "2026-11-03", NORTH, 70) };
    let after = capped(earn(2, "2026-11-20", SOUTH, 70));
    let next = capped(earn(3, "2026-12-01", NORTH, 70));
    assert_eq!(gives(&[], &[before, after, next]), [70, 30, 70]);
    assert_eq!(gives(&[], &[next, after, before]), [70, 30, 70], "whichever came first");
    let activity = Earn { event: EarnEvent::Activity, ..before };
    assert_eq!(gives(&[], &[activity, after]), [70, 70], "another sort of earn");
    assert_eq!(gives(&[cap(Period::Month, 80)], &[before, after]), [70, 10], "the narrower one holds");
    assert_eq!(gives(&[], &[stood(70, before), stood(40, after)]), [70, 40], "what stood stands");
}

#[test]
fn kind_23_of_several_rules_each_has_a_cap_of_its_own() {
    let month = |most| Some((RuleCap { period: Period::Month, most }, Counts::Rule));
    let purchase = |t, on| {
        let rate = Earn { cap: month(100), ..earn(t, on, NORTH, 70) };
        let bonus = Earn { cap: month(60), once: None, ..bonus(rate) };
        [rate, bonus, Earn { unit: Unit::Growth, at: 2, ..rate }]
    };
    let rows = [purchase(1, "2026-11-03"), purchase(2, "2026-11-20"), purchase(3, "2026-12-01")].concat();
    assert_eq!(gives(&[], &rows), [70, 50, 70, 30, 10, 30, 70, 50, 70]);
    let judged = judge(&[], &rows);
    assert_eq!(judged[&(rows[4].place.fact, 1)].cut, Amount(40));
}

#[test]
fn rule_x01_a_rule_that_gives_once_gives_for_the_first_purchase() {
    let purchase = |t, on| {
        let rate = earn(t, on, NORTH, 6);
        [rate, bonus(rate)]
    };
    let [a, b, c] = [purchase(1, "2026-11-03"), purchase(2, "2026-11-20"), purchase(3, "2027-01-01")];
    assert_eq!(gives(&[], &[a, b, c].concat()), [6, 50, 6, 0, 6, 0]);
    assert_eq!(gives(&[], &[c, b].concat()), [6, 0, 6, 50], "without the first the second");
    let judged = judge(&[], &[a, b].concat());
    assert_eq!(judged[&(b[1].place.fact, 1)].cut, Amount::ZERO, "nobody has to look at it");
    let monthly =
        |rows: [Earn; 2]| rows.map(|row| Earn { once: row.once.map(|_| Span::In(Period::Month)), ..row });
    assert_eq!(gives(&[], &[monthly(a), monthly(b), monthly(c)].concat()), [6, 50, 6, 0, 6, 50]);
    // What came back was not given; what is kept of it, however little, was.
    let back = |part, rows: [Earn; 2]| rows.map(|row| returning(part, 6, row));
    assert_eq!(gives(&[], &[back(6, a), b].concat()), [6, 50, 6, 50]);
    assert_eq!(gives(&[], &[back(5, a), b].concat()), [6, 50, 6, 0]);
    // A cap of the club that leaves nothing of it leaves it to the next.
    let day_cap = [cap(Period::Day, 6)];
    assert_eq!(gives(&day_cap, &[a, b].concat()), [6, 0, 6, 0]);
    let room = [EarnCap { offices: vec![SOUTH], ..cap(Period::Day, 6) }];
    let south = a.map(|row| Earn { office: SOUTH, ..row });
    assert_eq!(gives(&room, &[south, b].concat()), [6, 0, 6, 50]);
    // What people let count goes first, and what was settled before that.
    assert_eq!(gives(&[], &[a, b.map(counts)].concat()), [6, 0, 6, 50]);
    let settled = [stood(6, b[0]), stood(50, b[1])];
    assert_eq!(gives(&[], &[a.map(counts), settled].concat()), [6, 0, 6, 50]);
}

#[test]
fn without_a_cap_everything_is_given() {
    assert_eq!(gives(&[], &[earn(1, "2026-11-03", NORTH, i64::MAX)]), [i64::MAX]);
    assert_eq!(gives(&[], &[earn(1, "2026-11-03", NORTH, -5)]), [0]);
}

fn any_earns() -> impl Strategy<Value = Vec<Earn>> {
    let pin = prop_oneof![
        8 => Just(None::<Pin>),
        1 => Just(Some(Pin::Counts)),
        1 => (0i64..70).prop_map(|stood| Some(Pin::Stood(Amount(stood)))),
    ];
    let row = (
        (0i64..6, 0u8..3),
        0i32..40,
        prop_oneof![Just(NORTH), Just(SOUTH)],
        prop_oneof![Just(EarnEvent::Purchase), Just(EarnEvent::Activity)],
        0i64..60,
        (pin, 0i64..12, 0i64..9),
    );
    proptest::collection::vec(row, 0..10).prop_map(|rows| {
        (1..)
            .zip(rows)
            .flat_map(|(seq, ((t, device), days, office, event, amount, (pin, part, whole)))| {
                let rate = Earn {
                    place: place(t, device, seq),
                    day: day("2026-10-20").plus(days),
                    office,
                    event,
                    unit: Unit::Pts,
                    at: 0,
                    rule: RATE,
                    amount: Amount(amount),
                    returned: Share { part: Amount(part), whole: Amount(whole) },
                    pin,
                    cap: (amount % 3 == 0)
                        .then_some((RuleCap { period: Period::Month, most: 90 }, Counts::All)),
                    once: None,
                };
                let once = Earn { once: Some(Span::In(Period::Week)), ..bonus(rate) };
                [Some(rate), (amount % 2 == 0).then_some(once)].into_iter().flatten()
            })
            .collect()
    })
}

proptest! {
    /// The what-if asks a rule with what it gave before; the ledger judges the whole set.
    #[test]
    fn rule_x01_a_rule_leaves_of_purchases_what_the_what_if_says(
        rows in proptest::collection::vec((0i32..70, 0i64..20_000), 0..12),
        most in proptest::option::of(0i64..300),
        once in prop_oneof![Just(Once::No), Just(Once::Ever), Just(Once::In(Period::Month))],
        keys in proptest::collection::vec(any::<u32>(), 12),
    ) {
        let cap = most.map(|most| RuleCap { period: Period::Week, most });
        let rate = EarnRule { per_fen: 100, points_per: 1, ..EarnRule::new("S2", EarnKind::Purchase) };
        let rule = EarnRule { cap, once, ..rate };
        let (mut before, mut expected, mut earns) = (Vec::new(), Vec::new(), Vec::new());
        for (t, (days, fen)) in (1i64..).zip(&rows) {
            let on = day("2026-10-20").plus(*days);
            let (event, of, basis) = (EarnKind::Purchase, "", Amount(*fen));
            let what = Earning { event, of, basis, paid_percent: 100, day: on, rank: 0 };
            let amount = |before: &[Given]| {
                gives_by_rule(&rule, &what, before).expect("small numbers").expect("a purchase").amount
            };
            let given = amount(&before);
            expected.push(given.0);
            let bounds = (cap.map(|cap| (cap, Counts::Rule)), Span::of(once));
            let alone = earn(t, "2026-10-20", NORTH, amount(&[]).0);
            earns.push(Earn { day: on, cap: bounds.0, once: bounds.1, ..alone });
            before.push(Given { day: on, amount: given });
        }
        prop_assert_eq!(gives(&[], &earns), expected);
        prop_assert_eq!(judge(&[], &earns), judge(&[], &shuffled(&earns, &keys)));
    }

    #[test]
    fn inv_19_caps_follow_the_set_and_are_kept(
        earns in any_earns(),
        most in (0i64..120, 0i64..60, 0i64..40),
        keys in proptest::collection::vec(any::<u32>(), 20),
    ) {
        let caps = [
            cap(Period::Month, most.0),
            EarnCap { offices: vec![SOUTH], ..cap(Period::Week, most.1) },
            EarnCap { events: vec![EarnEvent::Activity], ..cap(Period::Day, most.2) },
        ];
        let judged = judge(&caps, &earns);
        prop_assert_eq!(&judged, &judge(&caps, &shuffled(&earns, &keys)));
        let is_settled = earns.iter().any(|earn| matches!(earn.pin, Some(Pin::Stood(_))));
        for cap in &caps {
            let mut sums: BTreeMap<Day, i64> = BTreeMap::new();
            for earn in earns.iter().filter(|earn| cap.covers(earn.unit, earn.event, earn.office)) {
                let Capped { gives, keeps, cut } = judged[&(earn.place.fact, earn.at)];
                prop_assert!((0..=earn.amount.0).contains(&gives.0) && (0..=gives.0).contains(&keeps.0));
                prop_assert!(gives.0 + cut.0 <= earn.amount.0);
                prop_assert!(earn.once.is_some() || is_settled || gives.0 + cut.0 == earn.amount.0);
                *sums.entry(cap.period.first_day(earn.day)).or_default() += keeps.0;
            }
            prop_assert!(is_settled || sums.values().all(|sum| *sum <= cap.most.0), "{:?} of {:?}", sums, cap);
        }
        let mut once: BTreeMap<(EarnEvent, Day), u32> = BTreeMap::new();
        for earn in earns.iter().filter(|earn| earn.once.is_some()) {
            let gave = judged[&(earn.place.fact, earn.at)].keeps.is_positive();
            *once.entry((earn.event, Period::Week.first_day(earn.day))).or_default() += u32::from(gave);
        }
        prop_assert!(is_settled || once.values().all(|times| *times <= 1), "{:?}", once);
    }
}
