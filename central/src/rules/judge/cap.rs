//! Caps on earning, over all offices (kind 23): a member earns at most so much of a unit in a calendar period.
//!
//! Some caps are the club's, for whatever they cover; a rule of the scheme may have one of its own, which holds for what it
//! rates and counts all of the period's earns of that sort, whichever version rated them.
//!
//! What pins take goes first; then each earn in order of time gets what every cap that covers it still leaves. So the
//! later one is cut, whichever arrived first, and the cut is a linked entry against it. The period of an earn is that
//! of its business day at its own office. What reversals return of an earn frees room for later ones.
//!
//! Invariant: no cap is passed by what members keep of unpinned earns, and by nothing at all where the pins passed
//! [`check`]. Out of scope: what an earn is worth, and limits on spending (kind 33).

use std::collections::BTreeMap;

use hufu_shared::ids::{FactId, OfficeId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::{EarnCap, EarnEvent, Period};
use hufu_shared::scheme::earning::RuleCap;
use hufu_shared::time::Day;

use super::order::Place;
use super::reversal::Share;
use super::share::{self, PinError};

/// An earn of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earn {
    /// Which fact, and when.
    pub place: Place,
    /// Its business day.
    pub day: Day,
    /// At which office.
    pub office: OfficeId,
    /// What it was for.
    pub event: EarnEvent,
    /// What is earned.
    pub unit: Unit,
    /// How much, all other verdicts in, reversals not taken off; less than zero counts as nothing.
    pub amount: Amount,
    /// What reversals return of it.
    pub returned: Share,
    /// How much of it a person let stand, or what stood when its day was settled.
    pub pin: Option<Amount>,
    /// The cap of the rule that rated it.
    pub rule_cap: Option<RuleCap>,
}

/// What an earn gives under the caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capped {
    /// How much it gives, reversals not taken off.
    pub gives: Amount,
    /// How much of that the member keeps; the difference is the effect of its reversals (kind 31).
    pub keeps: Amount,
    /// What is cut off; above zero it stands in a case of kind 23.
    pub cut: Amount,
}

/// Judges all earns of one member. A fact that earns several units is one item for each; the answer is by fact and
/// unit.
#[must_use]
pub fn judge(caps: &[EarnCap], earns: &[Earn]) -> BTreeMap<(FactId, Unit), Capped> {
    let mut used = Used::default();
    let mut capped = BTreeMap::new();
    for earn in in_order(earns) {
        let wants = earn.amount.max(Amount::ZERO);
        let gives = match earn.pin {
            Some(pin) => pin.clamp(Amount::ZERO, wants),
            None => wants.min(used.left(caps, earn)),
        };
        // 0 <= gives <= wants, and a share of `gives` lies within it.
        let keeps = Amount(gives.0 - earn.returned.of(gives).0);
        used.add(caps, earn, keeps);
        let cut = Amount(wants.0 - gives.0);
        capped.insert((earn.place.fact, earn.unit), Capped { gives, keeps, cut });
    }
    capped
}

/// Checks pins before a verdict is saved.
///
/// # Errors
/// [`PinError::OverBound`] of the first cap that all pins together pass, [`PinError::OverClaim`] of a pin above its
/// earn.
pub fn check(caps: &[EarnCap], earns: &[Earn]) -> Result<(), PinError> {
    let mut used = Used::default();
    for earn in in_order(earns) {
        let Some(pin) = earn.pin else { break };
        let (fact, wants) = (earn.place.fact, earn.amount.max(Amount::ZERO));
        if pin < Amount::ZERO || pin > wants {
            return Err(PinError::OverClaim { fact, wants, met: pin });
        }
        used.add(caps, earn, Amount(pin.0 - earn.returned.of(pin).0));
        for (key, cap) in covering(caps, earn) {
            let given = used.of(key);
            if given > i128::from(cap.most.0) {
                return Err(PinError::OverBound { given: share::narrow(given), bound: cap.most, fact });
            }
        }
        if let Some(cap) = earn.rule_cap {
            let given = used.of_sort(earn, cap.period);
            if given > i128::from(cap.most) {
                let bound = Amount(cap.most);
                return Err(PinError::OverBound { given: share::narrow(given), bound, fact });
            }
        }
    }
    Ok(())
}

/// A cap, by its place in the policy, in one period.
type Key = (usize, Day);

/// All earns of a sort in a period.
type Sort = (Unit, EarnEvent, Period, Day);

/// What is kept so far under each cap in each period, and of each sort in each.
#[derive(Default)]
struct Used {
    caps: BTreeMap<Key, i128>,
    sorts: BTreeMap<Sort, i128>,
}

impl Used {
    fn of(&self, key: Key) -> i128 {
        self.caps.get(&key).copied().unwrap_or(0)
    }

    /// What is kept so far of what the cap of an earn's own rule counts.
    fn of_sort(&self, earn: &Earn, period: Period) -> i128 {
        self.sorts.get(&sort(earn, period)).copied().unwrap_or(0)
    }

    fn left(&self, caps: &[EarnCap], earn: &Earn) -> Amount {
        let left = |(key, cap): (Key, &EarnCap)| (i128::from(cap.most.0) - self.of(key)).max(0);
        let own = earn.rule_cap.map(|cap| (i128::from(cap.most) - self.of_sort(earn, cap.period)).max(0));
        covering(caps, earn).map(left).chain(own).min().map_or(Amount(i64::MAX), share::narrow)
    }

    fn add(&mut self, caps: &[EarnCap], earn: &Earn, keeps: Amount) {
        for (key, _) in covering(caps, earn) {
            *self.caps.entry(key).or_insert(0) += i128::from(keeps.0);
        }
        for period in Period::ALL {
            *self.sorts.entry(sort(earn, period)).or_insert(0) += i128::from(keeps.0);
        }
    }
}

fn sort(earn: &Earn, period: Period) -> Sort {
    (earn.unit, earn.event, period, period.first_day(earn.day))
}

fn covering<'a>(caps: &'a [EarnCap], earn: &Earn) -> impl Iterator<Item = (Key, &'a EarnCap)> {
    let Earn { unit, event, office, day, .. } = *earn;
    caps.iter()
        .enumerate()
        .filter(move |(_, cap)| cap.covers(unit, event, office))
        .map(move |(at, cap)| ((at, cap.period.first_day(day)), cap))
}

/// Pinned earns first, each part in order of time, a fact's units in their own order.
fn in_order(earns: &[Earn]) -> Vec<&Earn> {
    let mut sorted: Vec<&Earn> = earns.iter().collect();
    sorted.sort_unstable_by_key(|earn| (earn.pin.is_none(), earn.place, earn.unit));
    sorted
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::{place, shuffled};
    use super::*;
    use proptest::prelude::*;

    const NORTH: OfficeId = OfficeId([1; 16]);
    const SOUTH: OfficeId = OfficeId([2; 16]);

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    fn cap(period: Period, most: i64) -> EarnCap {
        EarnCap { unit: Unit::Pts, period, most: Amount(most), events: Vec::new(), offices: Vec::new() }
    }

    fn earn(t: i64, on: &str, office: OfficeId, amount: i64, pin: Option<i64>) -> Earn {
        Earn {
            place: place(t, office.0[0], u64::try_from(t).expect("small")),
            day: day(on),
            office,
            event: EarnEvent::Purchase,
            unit: Unit::Pts,
            amount: Amount(amount),
            returned: Share::default(),
            pin: pin.map(Amount),
            rule_cap: None,
        }
    }

    fn returning(part: i64, whole: i64, earn: Earn) -> Earn {
        Earn { returned: Share { part: Amount(part), whole: Amount(whole) }, ..earn }
    }

    fn gives(caps: &[EarnCap], earns: &[Earn]) -> Vec<i64> {
        let judged = judge(caps, earns);
        earns.iter().map(|earn| judged[&(earn.place.fact, earn.unit)].gives.0).collect()
    }

    #[test]
    fn kind_23_the_later_earn_is_cut_at_whatever_office() {
        let month = [cap(Period::Month, 100)];
        let a = earn(1, "2026-11-03", NORTH, 70, None);
        let b = earn(2, "2026-11-20", SOUTH, 70, None);
        let c = earn(3, "2026-12-01", SOUTH, 70, None);
        assert_eq!(gives(&month, &[a, b, c]), [70, 30, 70], "a new month is a new cap");
        assert_eq!(gives(&month, &[c, b, a]), [70, 30, 70], "whichever came first");
        let judged = judge(&month, &[a, b]);
        assert_eq!(
            judged[&(b.place.fact, Unit::Pts)],
            Capped { gives: Amount(30), keeps: Amount(30), cut: Amount(40) }
        );
    }

    #[test]
    fn kind_23_pins_go_first_and_two_that_pass_the_cap_are_refused() {
        let year = [cap(Period::Year, 100)];
        let a = earn(1, "2026-11-03", NORTH, 70, None);
        let let_stand = earn(2, "2026-11-20", SOUTH, 70, Some(70));
        assert_eq!(gives(&year, &[a, let_stand]), [30, 70]);
        assert_eq!(check(&year, &[a, let_stand]), Ok(()));
        let both = earn(1, "2026-11-03", NORTH, 70, Some(70));
        let error = check(&year, &[let_stand, both]).expect_err("140 of 100");
        let fact = let_stand.place.fact;
        assert_eq!(error, PinError::OverBound { given: Amount(140), bound: Amount(100), fact });
        let too_much = earn(1, "2026-11-03", NORTH, 70, Some(71));
        assert!(matches!(check(&year, &[too_much]), Err(PinError::OverClaim { .. })));
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
            earn(1, "2026-11-03", SOUTH, 50, None),
            earn(2, "2026-11-03", NORTH, 50, None),
            earn(3, "2026-11-03", SOUTH, 50, None),
            earn(4, "2026-11-04", SOUTH, 50, None),
            earn(5, "2026-11-05", NORTH, 50, None),
        ];
        assert_eq!(gives(&caps, &rows), [20, 50, 0, 20, 10]);
        let activity = Earn { event: EarnEvent::Activity, ..rows[1] };
        assert_eq!(gives(&caps, &[activity]), [0]);
    }

    #[test]
    fn kind_23_31_what_is_returned_frees_room_and_is_a_share_of_what_was_given() {
        let month = [cap(Period::Month, 100)];
        let first = earn(1, "2026-11-03", NORTH, 100, None);
        let second = earn(2, "2026-11-04", NORTH, 70, None);
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
        let partly = earn(1, "2026-11-03", NORTH, 70, None);
        assert_eq!(keeps(&[partly, returning(35, 70, second)]), [(70, 70), (30, 15)], "half of the 30 given");
    }

    #[test]
    fn kind_23_the_cap_of_a_rule_counts_what_other_versions_gave_in_its_period() {
        let own = RuleCap { period: Period::Month, most: 100 };
        let capped = |earn: Earn| Earn { rule_cap: Some(own), ..earn };
        let before = earn(1, "2026-11-03", NORTH, 70, None);
        let after = capped(earn(2, "2026-11-20", SOUTH, 70, None));
        let next = capped(earn(3, "2026-12-01", NORTH, 70, None));
        assert_eq!(gives(&[], &[before, after, next]), [70, 30, 70]);
        assert_eq!(gives(&[], &[next, after, before]), [70, 30, 70], "whichever came first");
        let activity = Earn { event: EarnEvent::Activity, ..before };
        assert_eq!(gives(&[], &[activity, after]), [70, 70], "another sort of earn");
        assert_eq!(gives(&[cap(Period::Month, 80)], &[before, after]), [70, 10], "the narrower one holds");
        let pinned = Earn { pin: Some(Amount(40)), ..after };
        let both = [Earn { pin: Some(Amount(70)), ..before }, pinned];
        let over = PinError::OverBound { given: Amount(110), bound: Amount(100), fact: after.place.fact };
        assert_eq!(check(&[], &both), Err(over));
    }

    #[test]
    fn without_a_cap_everything_is_given() {
        assert_eq!(gives(&[], &[earn(1, "2026-11-03", NORTH, i64::MAX, None)]), [i64::MAX]);
        assert_eq!(gives(&[], &[earn(1, "2026-11-03", NORTH, -5, None)]), [0]);
    }

    fn any_earns() -> impl Strategy<Value = Vec<Earn>> {
        let row = (
            (0i64..6, 0u8..3),
            0i32..40,
            prop_oneof![Just(NORTH), Just(SOUTH)],
            prop_oneof![Just(EarnEvent::Purchase), Just(EarnEvent::Activity)],
            0i64..60,
            (proptest::option::weighted(0.2, 0i64..70), 0i64..12, 0i64..9),
        );
        proptest::collection::vec(row, 0..10).prop_map(|rows| {
            (1..)
                .zip(rows)
                .map(|(seq, ((t, device), days, office, event, amount, (pin, part, whole)))| Earn {
                    place: place(t, device, seq),
                    day: day("2026-10-20").plus(days),
                    office,
                    event,
                    unit: Unit::Pts,
                    amount: Amount(amount),
                    returned: Share { part: Amount(part), whole: Amount(whole) },
                    pin: pin.map(Amount),
                    rule_cap: (amount % 3 == 0).then_some(RuleCap { period: Period::Month, most: 90 }),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn inv_19_caps_follow_the_set_and_are_kept(
            earns in any_earns(),
            most in (0i64..120, 0i64..60, 0i64..40),
            keys in proptest::collection::vec(any::<u32>(), 10),
        ) {
            let caps = [
                cap(Period::Month, most.0),
                EarnCap { offices: vec![SOUTH], ..cap(Period::Week, most.1) },
                EarnCap { events: vec![EarnEvent::Activity], ..cap(Period::Day, most.2) },
            ];
            let judged = judge(&caps, &earns);
            let other = shuffled(&earns, &keys);
            prop_assert_eq!(&judged, &judge(&caps, &other));
            prop_assert_eq!(check(&caps, &earns), check(&caps, &other));
            let saved = check(&caps, &earns).is_ok();
            for cap in &caps {
                let mut sums: BTreeMap<Day, i64> = BTreeMap::new();
                for earn in earns.iter().filter(|earn| cap.covers(earn.unit, earn.event, earn.office)) {
                    let Capped { gives, keeps, cut } = judged[&(earn.place.fact, earn.unit)];
                    prop_assert!((0..=earn.amount.0).contains(&gives.0) && (0..=gives.0).contains(&keeps.0));
                    prop_assert_eq!(gives.0 + cut.0, earn.amount.0);
                    *sums.entry(cap.period.first_day(earn.day)).or_default() += keeps.0;
                }
                prop_assert!(!saved || sums.values().all(|sum| *sum <= cap.most.0), "{:?} of {:?}", sums, cap);
            }
        }
    }
}
