//! Levels in the ledger (B1, B2, P1, P5): how a member's level moves over days that are over, by the library's rules.
//!
//! Each day is looked at as it was known when it ended: what a terminal brought later counts from the day on which it
//! came, within the window of its own day. So looking over many days at once moves what looking on each of them did. A
//! level ends at the beginning of a day, before what that day brings. Out of scope: the card that shows it (K17).

use hufu_shared::act::{LevelMove, LevelWhy};
use hufu_shared::ids::MemberId;
use hufu_shared::rules::level::{self, Deed, Ended, Record, Standing};
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::Measure;
use hufu_shared::time::Day;

/// Something that a member did, and when it was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// What.
    pub deed: Deed,
    /// What it changed of the points that the member has.
    pub net: i64,
    /// The business day on which it was known; not before the day of the deed.
    pub known: Day,
}

/// What was known at the end of a day: the deeds, and the points there were.
fn as_of(seen: &[Seen], day: Day) -> (Vec<Deed>, i64) {
    let known = || seen.iter().filter(|of| of.known <= day && of.deed.day <= day);
    (known().map(|of| of.deed).collect(), known().fold(0_i64, |sum, of| sum.saturating_add(of.net)))
}

/// What the measure of a level came to, and what it must come to.
fn measure(scheme: &Scheme, rank: u8, record: Record<'_>, day: Day) -> (i64, i64) {
    scheme.level(rank).map_or((0, 0), |of| (level::measured(of, record, day), of.threshold))
}

/// Whether the books know what a level is measured by: growth they do not, so who was given such a level keeps it until a
/// person says otherwise.
fn is_measured(scheme: &Scheme, rank: u8) -> bool {
    scheme.level(rank).is_none_or(|level| level.measure != Measure::Growth)
}

/// The steps of a member's level on the days after one and up to another, in their order.
#[must_use]
pub fn walk(
    scheme: &Scheme,
    (member, start): (MemberId, Standing),
    seen: &[Seen],
    (after, until): (Day, Day),
) -> Vec<LevelMove> {
    let (mut stands, mut moves) = (start, Vec::new());
    for day in (after.0.saturating_add(1)..=until.0).map(Day) {
        if is_measured(scheme, stands.rank) && stands.until.is_some_and(|last| last < day) {
            let (deeds, balance) = as_of(seen, day.plus(-1));
            let record = Record { deeds: &deeds, growth: 0, balance };
            let (to, ended) = level::end(scheme, stands, record);
            let why = match ended {
                Ended::Renewed => LevelWhy::Renewed,
                Ended::Grace => LevelWhy::Grace,
                Ended::Fell { .. } => LevelWhy::Fell,
            };
            let (measured, threshold) = measure(scheme, stands.rank, record, day);
            moves.push(LevelMove { member, day, why, from: stands.rank, to, measured, threshold });
            stands = to;
        }
        let (deeds, balance) = as_of(seen, day);
        let record = Record { deeds: &deeds, growth: 0, balance };
        if let Some(to) = level::rise(scheme, stands, record, day) {
            let why = if to.rank > stands.rank { LevelWhy::Rose } else { LevelWhy::Renewed };
            let (measured, threshold) = measure(scheme, to.rank, record, day);
            moves.push(LevelMove { member, day, why, from: stands.rank, to, measured, threshold });
            stands = to;
        }
    }
    moves
}

/// Fen that came back with a part of the points of a purchase: the same part of what was paid; all of it, where it gave
/// no points.
#[must_use]
pub fn returned(paid: i64, gave: i64, taken: i64) -> i64 {
    if gave <= 0 {
        return paid;
    }
    let part = i128::from(paid) * i128::from(taken.clamp(0, gave)) / i128::from(gave);
    i64::try_from(part).unwrap_or(paid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::scheme::ready;

    const WHO: MemberId = MemberId([1; 16]);

    fn day(text: &str) -> Day {
        text.parse().expect("test day")
    }

    fn seen(on: &str, known: &str, points: i64) -> Seen {
        Seen { deed: Deed { day: day(on), points, spend_fen: 0 }, net: points, known: day(known) }
    }

    /// The pharmacy's levels: gold for 1200 points in a quarter, diamond for gold members who have 5000; for the year.
    fn pharmacy() -> Scheme {
        toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme")
    }

    fn told(moves: &[LevelMove]) -> Vec<(String, LevelWhy, u8, u8)> {
        moves.iter().map(|of| (of.day.to_string(), of.why, of.from, of.to.rank)).collect()
    }

    #[test]
    fn rule_p01_a_quarter_of_1199_is_not_enough_and_1200_rise_for_the_year() {
        let scheme = pharmacy();
        let start = level::at_start(&scheme, day("2026-01-01"));
        let days = (day("2025-12-31"), day("2027-01-02"));
        let less = [seen("2026-03-31", "2026-03-31", 1_199), seen("2026-04-01", "2026-04-01", 1)];
        assert!(walk(&scheme, (WHO, start), &less, days).is_empty());
        let gold = [seen("2026-02-01", "2026-02-01", 1_199), seen("2026-03-31", "2026-03-31", 1)];
        let moves = walk(&scheme, (WHO, start), &gold, days);
        let ranks: Vec<_> = moves.iter().map(|of| (of.day.to_string(), of.why)).collect();
        assert_eq!(
            ranks,
            [("2026-03-31".to_owned(), LevelWhy::Rose), ("2027-01-01".to_owned(), LevelWhy::Fell)]
        );
        assert_eq!((moves[0].measured, moves[0].threshold), (1_200, 1_200));
        assert_eq!(moves[0].to.until, Some(day("2026-12-31")));
    }

    #[test]
    fn rule_b02_p05_looking_once_moves_what_looking_on_each_day_did_whenever_facts_came() {
        let scheme = pharmacy();
        let start = level::at_start(&scheme, day("2026-01-01"));
        let seen = [
            seen("2026-02-01", "2026-02-01", 700),
            seen("2026-02-02", "2026-04-20", 600),
            seen("2026-05-01", "2026-05-01", 1_300),
            seen("2026-06-30", "2026-07-15", 4_000),
        ];
        let (first, last) = (day("2025-12-31"), day("2027-02-01"));
        let at_once = walk(&scheme, (WHO, start), &seen, (first, last));
        let mut each_day = Vec::new();
        let mut stands = start;
        for after in (first.0..last.0).map(Day) {
            let moves = walk(&scheme, (WHO, stands), &seen, (after, after.plus(1)));
            stands = moves.last().map_or(stands, |of| of.to);
            each_day.extend(moves);
        }
        assert_eq!(at_once, each_day);
        let steps: Vec<_> = told(&at_once).into_iter().map(|of| (of.1, of.2, of.3)).collect();
        let (rose, renewed) = (LevelWhy::Rose, LevelWhy::Renewed);
        assert_eq!(steps, [(rose, 0, 1), (rose, 1, 2), (renewed, 2, 2)], "{at_once:?}");
    }

    #[test]
    fn rule_b02_a_level_by_growth_does_not_end_where_nobody_counts_growth() {
        let mut scheme = pharmacy();
        let brought = level::by_hand(&scheme, 1, day("2026-02-01"));
        let days = (day("2026-01-31"), day("2027-01-02"));
        let told = |scheme: &Scheme| told(&walk(scheme, (WHO, brought), &[], days));
        assert_eq!(told(&scheme), [("2027-01-01".to_owned(), LevelWhy::Fell, 1, 0)]);
        scheme.levels[1].measure = Measure::Growth;
        assert!(told(&scheme).is_empty());
    }

    #[test]
    fn goods_that_come_back_take_their_part_of_what_was_paid() {
        for (paid, gave, taken, expected) in [
            (10_000, 2, 1, 5_000),
            (10_000, 3, 1, 3_333),
            (10_000, 2, 9, 10_000),
            (99, 0, 0, 99),
            (99, 2, 0, 0),
        ] {
            assert_eq!(returned(paid, gave, taken), expected, "{paid} {gave} {taken}");
        }
    }
}
