//! Awards of rankings 排名奖励 (P4): who of those that take part comes first, and what the books know of each award.
//!
//! An award is found once for each member and period, and given once. Out of scope: what the points came to
//! ([`super::as_of`]), and the shelf that a gift comes from ([`super::apply`]).

use std::collections::BTreeMap;

use hufu_shared::act::Ranked;
use hufu_shared::ids::{ItemId, MemberId, OfficeId};
use hufu_shared::rules::bonus::{self, Place};
use hufu_shared::scheme::bonus::Ranking;
use hufu_shared::time::{Day, Instant};

/// An award in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAward {
    /// First and last business day of the period.
    pub period: (Day, Day),
    /// The member's place, from 1.
    pub place: u32,
    /// Who, with how many points.
    pub ranked: Ranked,
    /// Code of the award, as the scheme calls it.
    pub award: String,
    /// Version of the scheme that gives it.
    pub scheme: u32,
    /// When it was given; none while it is to be given.
    pub given: Option<Given>,
}

/// How an award was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: Instant,
    /// By whom, as the record of edits names them.
    pub by: String,
    /// Where.
    pub office: OfficeId,
    /// What was taken from that office's shelf; none for what is no item of stock.
    pub item: Option<ItemId>,
}

/// The first of those who take part, the first of all first.
#[must_use]
pub fn first(rule: &Ranking, places: &[Place<MemberId>]) -> Vec<Ranked> {
    let by_name: BTreeMap<MemberId, &Place<MemberId>> =
        places.iter().map(|place| (place.who, place)).collect();
    let found = bonus::first(rule, places).into_iter().filter_map(|who| by_name.get(who));
    found.map(|of| Ranked { member: of.who, points: of.points, reached: of.reached }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::policy::Period;
    use hufu_shared::scheme::bonus::RankBy;

    #[test]
    fn rule_p04_the_first_are_told_with_their_points_the_first_of_all_first() {
        let rule = Ranking {
            period: Period::Quarter,
            top_n: 2,
            min_rank: 1,
            award: "gift".to_owned(),
            by: RankBy::Balance,
        };
        let place = |n: u8, rank, points, reached| Place {
            who: MemberId([n; 16]),
            rank,
            points,
            reached: Day(reached),
        };
        let all = [place(1, 1, 700, 5), place(2, 1, 900, 9), place(3, 0, 5_000, 1), place(4, 1, 900, 8)];
        let told: Vec<_> = first(&rule, &all).iter().map(|of| (of.member.0[0], of.points)).collect();
        assert_eq!(told, [(4, 900), (2, 900)]);
    }
}
