//! Walking a history: lateness changes nothing, later versions change nothing earlier, lots agree with sums.

use hufu_shared::rules::expiry::{Account, Credit, Debit, cut_off, last_day, reckon};
use hufu_shared::rules::whatif::WhatIfError;
use hufu_shared::rules::whatif::line::{Arg, KEYS, WORDS};
use proptest::prelude::*;

use crate::kit::*;

const ZONE: &str = "Asia/Shanghai";

/// Events of all kinds on days of some years, in order.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0i32..1_500, 0usize..12, 1i64..600_000, 0i64..400);
    proptest::collection::vec(one, 0..40).prop_map(|rows| {
        let mut events: Vec<Event> = rows.into_iter().map(event).collect();
        events.sort_by_key(|event| event.day);
        events
    })
}

fn event((after, what, fen, points): (i32, usize, i64, i64)) -> Event {
    let on = day("2023-11-20").plus(after);
    let plain = |what| Event::new(on, what);
    match what {
        0 => Event { fen, slip: format!("{}", fen % 7), points: points / 3, ..plain(What::Purchase) },
        1 => Event { fen, slip: format!("{}", fen % 7), ..plain(What::Return) },
        2 => Event { code: "sign-in".into(), ..plain(What::Task) },
        3 => Event { code: "draw".into(), fen, ..plain(What::Redeem) },
        4 => Event { points: points + 1, ..plain(What::Redeem) },
        5 => plain(What::Refusal),
        6 => plain(What::Approve),
        7 => plain(What::Activity),
        8 => Event { points: points - 200, ..plain(What::Adjust) },
        9 => plain(What::Verified),
        _ => Event { fen, slip: format!("{}", fen % 7), ..plain(What::Purchase) },
    }
}

fn history(events: Vec<Event>) -> History {
    let mut history = joined("2023-11-20");
    history.events.extend(events);
    history
}

#[test]
fn a_history_out_of_order_or_unfinished_is_refused_by_number() {
    let scheme = ready("S");
    let say = |events: &[Event]| {
        let history = History { events: events.to_vec(), ..joined("2025-01-01") };
        whatif::reckon(std::slice::from_ref(&scheme), &history, day("2025-12-31"))
            .expect_err("unusable")
            .to_string()
    };
    let late = [purchase("2025-03-01", 1), purchase("2025-02-01", 1)];
    assert_eq!(say(&late), "event 2: expected a day from 2025-03-01 on, met 2025-02-01");
    assert_eq!(
        say(&[purchase("2024-12-31", 1)]),
        "event 1: expected a day from 2025-01-01 on, met 2024-12-31"
    );
    let no_slip = Event { fen: 5, ..Event::new(day("2025-03-01"), What::Return) };
    assert_eq!(say(&[no_slip]), "event 1: expected slip and fen for a return");
    assert_eq!(say(&[purchase("2025-03-01", 0)]), "event 1: expected fen above 0 for a purchase");
    let far = whatif::reckon(&[], &joined("1900-01-01"), day("2025-12-31"));
    assert!(matches!(far, Err(WhatIfError::Long { .. })), "{far:?}");
    let before = whatif::reckon(&[], &joined("2025-01-01"), day("2024-12-31")).expect_err("too early");
    assert_eq!(before.to_string(), "the last day: expected 2025-01-01 or later, met 2024-12-31");
}

#[test]
fn an_amount_that_no_sum_can_hold_is_refused_by_number() {
    for points in [i64::MAX, i64::MIN] {
        let huge = Event { points, ..Event::new(day("2025-02-01"), What::Adjust) };
        let refused = history(vec![huge.clone(), huge]).check(day("2025-03-01")).expect_err("too much");
        assert_eq!(refused.to_string(), "event 2: expected at most a million million points or fen");
    }
}

#[test]
fn without_a_scheme_nothing_happens() {
    let outcome = whatif::reckon(&[], &joined("2025-01-01"), day("2025-12-31")).expect("a whole history");
    assert_eq!((outcome.points, outcome.rank, outcome.scheme), (0, 0, None));
    assert!(outcome.lines.iter().all(|line| line.key == "no-scheme"));
}

#[test]
fn a_new_version_counts_from_its_day_on() {
    let first = ready("S");
    let mut second = Scheme { version: 2, valid_from: day("2025-06-01"), ..first.clone() };
    second.earnings[0].points_per = 3;
    let mut history = joined("2025-01-01");
    history.events.extend([purchase("2025-05-31", 10_000), purchase("2025-06-01", 10_000)]);
    let outcome = whatif::reckon(&[second, first], &history, day("2025-06-01")).expect("a whole history");
    let versions: Vec<u32> =
        outcome.lines.iter().filter(|line| line.key == "earned").map(|line| line.version).collect();
    assert_eq!(versions, [1, 2], "each line names the version that decided");
    assert_eq!((outcome.points, outcome.scheme), (2 + 3, Some(("fashion".into(), 2))));
}

#[test]
fn the_summer_times_of_1986_to_1991_shift_no_day() {
    let mut history = joined("1985-12-01");
    for on in ["1986-05-04", "1986-09-14", "1988-04-10", "1991-09-15"] {
        history.events.push(purchase(on, 10_000));
    }
    let outcome = at(&ready("B"), &history, "1991-12-31");
    assert_eq!(outcome.growth, 400);
    let fashion = at(&ready("S"), &history, "1991-12-31");
    let cleared: Vec<String> =
        fashion.lines.iter().filter(|line| line.key == "expired").map(|line| line.day.to_string()).collect();
    assert_eq!(cleared, ["1987-01-01", "1989-01-01"], "1991's are cleared after 31 December 24:00");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn catching_up_after_downtime_gives_what_being_on_time_gave(
        events in events(), letter in proptest::sample::select(vec!["S", "P", "B", "K"]),
        first in 0i32..1_600, more in 0i32..400,
    ) {
        let scheme = ready(letter);
        let history = history(events);
        let start = history.member.joined;
        let at = |after| whatif::reckon(std::slice::from_ref(&scheme), &history, start.plus(after)).expect("whole");
        let (early, late) = (at(first), at(first + more));
        // A run to a later day says all that the earlier run said, and then goes on.
        prop_assert_eq!(&early.lines[..], &late.lines[..early.lines.len()]);
    }

    #[test]
    fn a_later_version_never_changes_earlier_lines(
        events in events(), letter in proptest::sample::select(vec!["S", "P", "B"]), from in 0i32..1_500,
    ) {
        let first = ready(letter);
        let history = history(events);
        let begins = history.member.joined.plus(from);
        let mut second = Scheme { version: 2, valid_from: begins, ..ready("K") };
        second.id.clone_from(&first.id);
        let until = history.member.joined.plus(1_600);
        let alone = whatif::reckon(std::slice::from_ref(&first), &history, until).expect("whole");
        let both = whatif::reckon(&[first, second], &history, until).expect("whole");
        let before = |outcome: &Outcome| {
            outcome.lines.iter().filter(|line| line.day < begins).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(before(&alone), before(&both));
    }

    #[test]
    fn balances_are_the_sum_of_their_lines_and_never_below_zero(
        events in events(), letter in proptest::sample::select(vec!["S", "P", "B", "K"]),
    ) {
        let history = history(events);
        let outcome = at(&ready(letter), &history, "2028-01-01");
        let (mut points, mut growth) = (0, 0);
        for line in &outcome.lines {
            points += line.points;
            growth += line.growth;
            prop_assert_eq!((points, growth), (line.points_after, line.growth_after));
            prop_assert!(line.points_after >= 0 && line.growth_after >= 0, "{line:?}");
            prop_assert!(KEYS.contains(&line.key), "{}", line.key);
            for (_, arg) in &line.args {
                if let Arg::Word(word) = arg { prop_assert!(WORDS.contains(word), "{}", word); }
            }
        }
        prop_assert_eq!((points, growth), (outcome.points, outcome.growth));
        prop_assert!(outcome.owed == 0 || outcome.points == 0);
        prop_assert_eq!(outcome.points, outcome.ends.iter().map(|(_, points)| points).sum::<i64>());
    }

    #[test]
    fn lots_used_soonest_first_come_to_what_the_sums_say(
        moves in proptest::collection::vec((0i32..1_500, -300i64..300), 0..40),
        letter in proptest::sample::select(vec!["S", "B", "K"]),
    ) {
        let scheme = ready(letter);
        let mut moves = moves;
        moves.sort_unstable();
        let joined_on = day("2023-11-20");
        let mut history = joined("2023-11-20");
        history.events.clear();
        for (after, points) in &moves {
            history.events.push(Event { points: *points, ..Event::new(joined_on.plus(*after), What::Adjust) });
        }
        let outcome = at(&scheme, &history, "2029-01-01");
        // The same moves by sums: what was really used is what the walk could take.
        let at_noon = |on: Day, n: usize| cut_off(on.plus(-1), ZONE).offset(1 + i64::try_from(n).expect("few"));
        let (mut credits, mut debits) = (Vec::new(), Vec::new());
        for (n, line) in outcome.lines.iter().enumerate().filter(|(_, line)| line.key == "adjusted") {
            let (t, amount) = (at_noon(line.day, n), Amount(line.points.abs()));
            if line.points > 0 {
                let expires = last_day(scheme.ends(), line.day, Some(joined_on)).map(|last| cut_off(last, ZONE));
                credits.push(Credit { t, expires, amount });
            } else if line.points < 0 {
                debits.push(Debit { t, amount });
            }
        }
        let account = Account { credits: &credits, debits: &debits, leases: &[] };
        let due: i64 = reckon(account, cut_off(day("2029-01-01"), ZONE)).iter().map(|cut| cut.due.0).sum();
        let expired: i64 =
            outcome.lines.iter().filter(|line| line.key == "expired").map(|line| -line.points).sum();
        prop_assert_eq!(due, expired);
    }
}
