//! How levels move in the ledger: tables of days, and looking late beside looking in time.

use hufu_shared::rules::whatif::{self, Event, History, Member, What};
use hufu_shared::scheme::level::{Level, OnExpiry, Validity};
use hufu_shared::scheme::ready;
use proptest::prelude::*;

use super::*;

const WHO: MemberId = MemberId([1; 16]);

fn day(text: &str) -> Day {
    text.parse().expect("test day")
}

/// At an hour of a day.
fn at(on: &str, hour: i64) -> Moment {
    Moment { day: day(on), at: Instant(hour) }
}

/// Points of a day that were known at noon of another.
fn seen(on: &str, known: &str, points: i64) -> Seen {
    let deed = Deed { day: day(on), points, spend_fen: 0 };
    Seen { deed, net: points, growth: 0, known: at(known, 12) }
}

/// Growth that was known at an hour of its day.
fn grown(known: Moment, growth: i64) -> Seen {
    Seen { deed: Deed { day: known.day, points: 0, spend_fen: 0 }, net: 0, growth, known }
}

fn ready(letter: &str) -> Scheme {
    toml::from_str(ready::find(letter).expect("shipped").text).expect("a scheme")
}

/// The days after one and up to another, whole.
fn over(after: &str, until: &str) -> (Moment, Moment) {
    (Moment::end_of(day(after)), Moment::end_of(day(until)))
}

fn told(moves: &[LevelMove]) -> Vec<(String, LevelWhy, u8, u8)> {
    moves.iter().map(|of| (of.day.to_string(), of.why, of.from, of.to.rank)).collect()
}

fn one(on: &str, why: LevelWhy, from: u8, to: u8) -> (String, LevelWhy, u8, u8) {
    (on.to_owned(), why, from, to)
}

/// Looks at each day when it is over, and before that as often as its moments say.
fn step_by_step(
    scheme: &Scheme,
    start: Standing,
    seen: &[Seen],
    (first, last): (Day, Day),
    looks: &[Moment],
) -> Vec<LevelMove> {
    let (mut stands, mut moves) = (start, Vec::new());
    let mut after = Moment::end_of(first);
    let mut all: BTreeSet<Moment> = looks.iter().copied().filter(|look| *look > after).collect();
    all.extend((first.0 + 1..=last.0).map(|n| Moment::end_of(Day(n))));
    let mut posted = seen.to_vec();
    for look in all {
        // A look within a day sees what was known by then, and what ends of levels took.
        let known: Vec<Seen> = posted.iter().filter(|of| of.known <= look).copied().collect();
        let found = walk(scheme, (WHO, stands), &known, (after, look));
        stands = found.last().map_or(stands, |of| of.to);
        for of in &found {
            let began = Moment::begin_of(of.day);
            posted.extend(of.taken.map(|taken| grown(began, -taken)));
        }
        // As the books have it: looked at up to the last day that is over, or to the last step of this one.
        let is_over = look == Moment::end_of(look.day);
        if is_over || !found.is_empty() {
            after = look;
        }
        moves.extend(found);
    }
    moves
}

#[test]
fn rule_p01_a_quarter_of_1199_is_not_enough_and_1200_rise_for_the_year() {
    let scheme = ready("P");
    let start = level::at_start(&scheme, day("2026-01-01"));
    let days = over("2025-12-31", "2027-01-02");
    let less = [seen("2026-03-31", "2026-03-31", 1_199), seen("2026-04-01", "2026-04-01", 1)];
    assert!(walk(&scheme, (WHO, start), &less, days).is_empty());
    let gold = [seen("2026-02-01", "2026-02-01", 1_199), seen("2026-03-31", "2026-03-31", 1)];
    let moves = walk(&scheme, (WHO, start), &gold, days);
    let (rose, fell) = (one("2026-03-31", LevelWhy::Rose, 0, 1), one("2027-01-01", LevelWhy::Fell, 1, 0));
    assert_eq!(told(&moves), [rose, fell]);
    assert_eq!((moves[0].measured, moves[0].threshold, moves[0].taken), (1_200, 1_200, None));
    assert_eq!(moves[0].to.until, Some(day("2026-12-31")));
}

#[test]
fn rule_b02_p05_looking_once_moves_what_looking_on_each_day_did_whenever_facts_came() {
    let scheme = ready("P");
    let start = level::at_start(&scheme, day("2026-01-01"));
    let seen = [
        seen("2026-02-01", "2026-02-01", 700),
        seen("2026-02-02", "2026-04-20", 600),
        seen("2026-05-01", "2026-05-01", 1_300),
        seen("2026-06-30", "2026-07-15", 4_000),
    ];
    let (first, last) = (day("2025-12-31"), day("2027-02-01"));
    let at_once = walk(&scheme, (WHO, start), &seen, over("2025-12-31", "2027-02-01"));
    assert_eq!(at_once, step_by_step(&scheme, start, &seen, (first, last), &[]));
    let steps: Vec<_> = told(&at_once).into_iter().map(|of| (of.1, of.2, of.3)).collect();
    let (rose, renewed) = (LevelWhy::Rose, LevelWhy::Renewed);
    assert_eq!(steps, [(rose, 0, 1), (rose, 1, 2), (renewed, 2, 2)], "{at_once:?}");
}

#[test]
fn rule_b01_b02_growth_raises_and_at_the_end_of_a_level_a_part_of_it_is_taken_once() {
    let scheme = ready("B");
    let start = level::at_start(&scheme, day("2024-01-05"));
    let days = over("2024-01-04", "2025-03-01");
    for (growth, expected, taken) in [
        (999, vec![], None),
        (
            1_499,
            vec![
                one("2024-02-29", LevelWhy::Rose, 0, 1),
                // 500 are taken, and 999 are one too few.
                one("2025-03-01", LevelWhy::Fell, 1, 0),
            ],
            Some(500),
        ),
        (
            5_600,
            vec![one("2024-02-29", LevelWhy::Rose, 0, 2), one("2025-03-01", LevelWhy::Fell, 2, 1)],
            Some(2_500),
        ),
        (
            8_000,
            vec![one("2024-02-29", LevelWhy::Rose, 0, 2), one("2025-03-01", LevelWhy::Renewed, 2, 2)],
            Some(2_500),
        ),
    ] {
        let moves = walk(&scheme, (WHO, start), &[grown(at("2024-02-29", 12), growth)], days);
        assert_eq!(told(&moves), expected, "{growth}");
        assert_eq!(moves.last().and_then(|of| of.taken), taken, "{growth}");
    }
}

#[test]
fn rule_b02_growth_is_cleared_at_the_end_of_a_level_and_not_again_when_its_grace_is_over() {
    let mut scheme = ready("B");
    scheme.levels.iter_mut().for_each(|level| {
        level.on_expiry = OnExpiry::Clear;
        level.grace_days = if level.rank == 0 { 0 } else { 10 };
    });
    let held = level::by_hand(&scheme, 2, day("2024-03-01"));
    let (first, again) = (grown(at("2024-03-01", 9), 5_600), grown(at("2025-03-05", 9), 700));
    let moves = walk(&scheme, (WHO, held), &[first, again], over("2024-02-29", "2025-03-20"));
    let (grace, fell) = (one("2025-03-02", LevelWhy::Grace, 2, 2), one("2025-03-12", LevelWhy::Fell, 2, 0));
    assert_eq!(told(&moves), [grace, fell]);
    assert_eq!([moves[0].taken, moves[1].taken], [Some(5_600), None]);
    assert_eq!((moves[0].measured, moves[1].measured), (0, 700), "what came in the grace stays");
    // Who reaches it within the grace keeps it from that moment on.
    let much = grown(at("2025-03-05", 9), 5_000);
    let moves = walk(&scheme, (WHO, held), &[first, much], over("2024-02-29", "2025-03-20"));
    assert_eq!(told(&moves)[1], one("2025-03-05", LevelWhy::Renewed, 2, 2));
}

#[test]
fn rule_b02_a_member_rises_at_once_and_what_comes_back_on_that_day_takes_no_level_away() {
    let scheme = ready("B");
    let start = level::at_start(&scheme, day("2026-01-01"));
    let known = [
        grown(at("2026-03-01", 9), 1_000),
        grown(at("2026-03-01", 15), -400),
        grown(at("2026-03-01", 18), 100),
    ];
    let noon = (Moment::end_of(day("2026-02-28")), at("2026-03-01", 12));
    let at_noon = walk(&scheme, (WHO, start), &known[..1], noon);
    assert_eq!(told(&at_noon), [one("2026-03-01", LevelWhy::Rose, 0, 1)]);
    assert!(walk(&scheme, (WHO, start), &known[..1], (noon.0, at("2026-03-01", 8))).is_empty(), "not before");
    let whole = walk(&scheme, (WHO, start), &known, over("2026-02-28", "2026-03-01"));
    assert_eq!(whole, at_noon, "when the day is over the same is found");
    let rest = (noon.1, Moment::end_of(day("2026-03-05")));
    assert!(walk(&scheme, (WHO, at_noon[0].to), &known, rest).is_empty(), "and after noon nothing more");
    // Known at one moment, it was never reached.
    let together = [grown(at("2026-03-01", 9), 1_000), grown(at("2026-03-01", 9), -400)];
    assert!(walk(&scheme, (WHO, start), &together, over("2026-02-28", "2026-03-05")).is_empty());
}

#[test]
fn rule_b02_within_a_day_nothing_ends_and_nobody_rises_from_a_level_that_is_about_to() {
    let scheme = ready("B");
    let held = level::by_hand(&scheme, 1, day("2024-02-29"));
    let known = [grown(at("2024-02-29", 9), 1_200), grown(at("2025-03-01", 9), 3_900)];
    let within = (Moment::end_of(day("2025-02-28")), at("2025-03-01", 20));
    assert!(walk(&scheme, (WHO, held), &known, within).is_empty(), "the day decides");
    let moves = walk(&scheme, (WHO, held), &known, over("2025-02-28", "2025-03-01"));
    assert_eq!(
        told(&moves),
        [one("2025-03-01", LevelWhy::Fell, 1, 0), one("2025-03-01", LevelWhy::Rose, 0, 1)]
    );
    assert_eq!(moves[1].measured, 1_200 - 500 + 3_900);
}

#[test]
fn goods_that_come_back_take_their_part_of_what_was_paid() {
    for (paid, gave, taken, expected) in
        [(10_000, 2, 1, 5_000), (10_000, 3, 1, 3_333), (10_000, 2, 9, 10_000), (99, 0, 0, 99), (99, 2, 0, 0)]
    {
        assert_eq!(returned(paid, gave, taken), expected, "{paid} {gave} {taken}");
    }
}

/// Levels by growth, balance, points of a month and spend, of which one asks for another.
fn mixed() -> Scheme {
    let mut scheme = ready("P");
    let mut levels = scheme.levels.clone();
    levels.extend(ready("B").levels.into_iter().skip(1).zip(3..).map(|(level, rank)| {
        let from_rank = (rank == 4).then_some(1);
        Level { rank, from_rank, threshold: 300 * i64::from(rank), ..level }
    }));
    for level in &mut levels[1..] {
        level.validity = Validity::Months(1);
        level.grace_days = 3;
    }
    (levels[1].threshold, levels[2].threshold) = (400, 900);
    levels[3].on_expiry = OnExpiry::Clear;
    scheme.levels = levels;
    scheme
}

fn moment() -> impl Strategy<Value = Moment> {
    (0..120_i32, 0..24_i64).prop_map(|(day, hour)| Moment { day: Day(20_454 + day), at: Instant(hour) })
}

fn something() -> impl Strategy<Value = Seen> {
    (moment(), 0..9_i32, -400..700_i64, -400..900_i64).prop_map(|(known, late, points, growth)| {
        let day = known.day.plus(-late);
        Seen { deed: Deed { day, points, spend_fen: 0 }, net: points, growth, known }
    })
}

proptest! {
    #[test]
    fn rule_b02_rising_at_once_and_looking_when_the_day_is_over_agree(
        mut seen in proptest::collection::vec(something(), 0..30),
        looks in proptest::collection::vec(moment(), 0..60),
    ) {
        let scheme = mixed();
        seen.sort_by_key(|of| of.known);
        let (first, last) = (Day(20_453), Day(20_640));
        let start = level::at_start(&scheme, first);
        let late = walk(&scheme, (WHO, start), &seen, (Moment::end_of(first), Moment::end_of(last)));
        let each_day = step_by_step(&scheme, start, &seen, (first, last), &[]);
        prop_assert_eq!(&late, &each_day, "on each day");
        let at_once = step_by_step(&scheme, start, &seen, (first, last), &looks);
        prop_assert_eq!(&late, &at_once, "within days too");
    }

    #[test]
    fn rule_b01_b02_the_ledger_moves_levels_by_growth_as_what_if_does(
        mut bought in proptest::collection::vec((0..900_i32, 1..4_000_i64), 0..25),
        days in 900..1_500_i32,
    ) {
        let mut scheme = ready("B");
        // A discount of the level would make the same price give less.
        scheme.levels.iter_mut().for_each(|level| level.discount_bp = 0);
        scheme.levels[2].grace_days = 20;
        bought.sort_by_key(|of| of.0);
        let joined = day("2024-01-05");
        let (mut events, mut seen) = (vec![Event::new(joined, What::Card)], Vec::new());
        for (at, (after, yuan)) in (0_i64..).zip(&bought) {
            let on = joined.plus(*after);
            events.push(Event { fen: yuan * 100, slip: at.to_string(), ..Event::new(on, What::Purchase) });
            seen.push(grown(Moment { day: on, at: Instant(at) }, *yuan));
        }
        let (office_group, kind) = (String::new(), String::new());
        let member = Member { joined, born: None, kind, office_group, is_organisation: false, is_staff: false };
        let (start, until) = (level::at_start(&scheme, joined), joined.plus(days));
        let schemes = std::slice::from_ref(&scheme);
        let expected = whatif::reckon(schemes, &History { member, events }, until).expect("a whole history");
        let span = (Moment::end_of(joined.plus(-1)), Moment::end_of(until));
        let moves = walk(&scheme, (WHO, start), &seen, span);
        let stands = moves.last().map_or(start, |of| of.to);
        let taken: i64 = moves.iter().filter_map(|of| of.taken).sum();
        let growth = bought.iter().map(|of| of.1).sum::<i64>() - taken;
        let told = (expected.rank, expected.rank_until, expected.growth);
        prop_assert_eq!((stands.rank, stands.until, growth), told, "{:?}", moves);
    }
}
