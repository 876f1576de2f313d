//! Cases of recurring holdings, waiting lists and shared costs, and the property that shares come to the whole.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::time::SECOND_US;

const SHANGHAI: Tz = chrono_tz::Asia::Shanghai;

fn at(year: i32, month: u32, day: u32, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day).and_then(|day| day.and_hms_opt(hour, 0, 0)).expect("a time")
}

fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

#[test]
fn rule_k25_a_recurring_activity_is_held_at_the_same_time_of_day() {
    let weekly =
        holdings((at(2026, 11, 22, 9), at(2026, 11, 22, 11)), Every::Week, 3, SHANGHAI).expect("fits");
    let week = 7 * 24 * 3_600 * SECOND_US;
    assert_eq!(weekly[2].0, weekly[0].0.offset(2 * week));
    assert!(weekly.iter().all(|(starts, ends)| ends.since(*starts) == 2 * 3_600 * SECOND_US));
    // From the 31st on: the last day of shorter months, and back to the 31st.
    let monthly =
        holdings((at(2028, 1, 31, 20), at(2028, 2, 1, 1)), Every::Month, 3, SHANGHAI).expect("fits");
    let day = 24 * 3_600 * SECOND_US;
    assert_eq!(monthly[1].0.since(monthly[0].0), 29 * day, "the 29th of February of a leap year");
    assert_eq!(monthly[2].0.since(monthly[0].0), 60 * day, "the 31st of March");
}

#[test]
fn rule_k25_summer_time_of_1986_moves_no_holding_by_the_clock_on_the_wall() {
    // The clocks went from 2:00 to 3:00 on 4 May 1986.
    let daily = holdings((at(1986, 5, 3, 9), at(1986, 5, 3, 10)), Every::Day, 2, SHANGHAI).expect("fits");
    assert_eq!(daily[1].0.since(daily[0].0), 23 * 3_600 * SECOND_US);
    let skipped = holdings((at(1986, 5, 3, 2), at(1986, 5, 3, 4)), Every::Day, 2, SHANGHAI).expect("fits");
    assert_eq!(skipped[1].1.since(skipped[1].0), 3_600 * SECOND_US, "it begins when there is a time again");
}

#[test]
fn what_is_no_plan_of_holdings_is_none() {
    let times = (at(2026, 11, 22, 9), at(2026, 11, 22, 11));
    for (times, n) in
        [((times.1, times.0), 1), ((times.0, times.0), 1), (times, 0), (times, OCCURRENCES_MAX + 1)]
    {
        assert_eq!(holdings(times, Every::Day, n, SHANGHAI), None);
    }
    assert_eq!(Every::from_code("fortnight"), None);
}

#[test]
fn rule_k25_places_go_to_whoever_waits_longest_and_are_taken_from_nobody() {
    let wait = |since| SignUp { coming: Coming::Waiting, since: Instant(since), companions: 0 };
    let mut list = BTreeMap::from([(member(1), wait(30)), (member(2), wait(10)), (member(3), wait(10))]);
    assert_eq!(seat(&mut list, Some(1), Instant(50)), [member(2)]);
    assert_eq!(seat(&mut list, Some(1), Instant(60)), [], "all places are taken");
    assert_eq!(seat(&mut list, Some(0), Instant(60)), [], "and stay so with fewer");
    assert_eq!(list[&member(2)], SignUp { coming: Coming::Placed, since: Instant(50), companions: 0 });
    assert_eq!(seat(&mut list, None, Instant(70)), [member(3), member(1)], "without a limit nobody waits");
}

#[test]
fn rule_k25_companions_take_places_and_a_party_without_room_waits_on() {
    let wait = |since, companions| SignUp { coming: Coming::Waiting, since: Instant(since), companions };
    let mut list =
        BTreeMap::from([(member(1), wait(10, 1)), (member(2), wait(20, 3)), (member(3), wait(30, 0))]);
    assert_eq!(
        seat(&mut list, Some(4), Instant(50)),
        [member(1), member(3)],
        "the third fits behind the second"
    );
    assert_eq!(list[&member(1)], SignUp { coming: Coming::Placed, since: Instant(50), companions: 1 });
    assert_eq!(list[&member(2)].coming, Coming::Waiting);
    assert_eq!(seat(&mut list, Some(6), Instant(60)), [], "three places for four heads");
    list.get_mut(&member(1)).expect("listed").coming = Coming::Cancelled;
    assert_eq!(seat(&mut list, Some(5), Instant(70)), [member(2)], "whose companions go with them");
    let whole = SignUp { coming: Coming::Placed, since: Instant(0), companions: u32::MAX };
    assert!(whole.heads() > 1, "no count runs over");
}

#[test]
fn rule_k28_common_cost_is_shared_out_by_heads() {
    let fen = |fen: &[i64]| fen.iter().map(|fen| Amount(*fen)).collect::<Vec<_>>();
    for (own, common, expected) in [
        (vec![(0, 1), (0, 1), (0, 1)], 100, fen(&[34, 33, 33])),
        (vec![(500, 10), (0, 30)], 400, fen(&[600, 300])),
        (vec![(0, 0), (0, 0)], 5, fen(&[3, 2])),
        (vec![(7, 0), (0, 2)], 5, fen(&[7, 5])),
        (vec![], 5, fen(&[])),
    ] {
        let own: Vec<(Amount, u32)> = own.into_iter().map(|(fen, heads)| (Amount(fen), heads)).collect();
        assert_eq!(share_out(&own, Amount(common)), Some(expected), "{own:?}");
    }
    assert_eq!(share_out(&[(Amount(i64::MAX), 1)], Amount(1)), None, "not a sum that anybody has");
    assert_eq!(per_head(Amount(1_000), 3), Some(Amount(334)));
    assert_eq!(per_head(Amount(1_000), 0), None);
}

proptest! {
    #[test]
    fn rule_k28_shares_come_to_the_whole(
        own in prop::collection::vec((0_i64..1_000_000, 0_u32..500), 1..20),
        common in 0_i64..10_000_000,
    ) {
        let own: Vec<(Amount, u32)> = own.into_iter().map(|(fen, heads)| (Amount(fen), heads)).collect();
        let shares = share_out(&own, Amount(common)).expect("small");
        let whole: i64 = shares.iter().map(|share| share.0).sum();
        prop_assert_eq!(whole, common + own.iter().map(|(fen, _)| fen.0).sum::<i64>());
        prop_assert!(shares.iter().zip(&own).all(|(share, (own, _))| share.0 >= own.0));
    }
}
