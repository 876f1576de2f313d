//! For whom a version is published: the offices of its groups and the kinds of members that it names.
//!
//! The offices are those that are in the groups now, and stay so: an office that comes to a group later is reached by
//! publishing again. What terms carry, so purchases, events, bills and returns, goes by the version; everything else that
//! a scheme says stands in the club's policy, is one for all members, and is refused where a scope says otherwise.

use hufu_shared::dictionary;
use hufu_shared::ids::OfficeId;
use hufu_shared::member::OfficeRow;
use hufu_shared::policy::Policy;
use hufu_shared::scheme::choose::Scope;
use hufu_shared::scheme::{Scheme, SchemeTerms};

use crate::db::Tx;
use crate::store::{StoreError, joining, people};

/// Why a version cannot be published for whom it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotForThese {
    /// Nobody can be meant.
    #[error(
        "scope_office_groups: no office is of the group {0:?}; import the offices with a column `group` first"
    )]
    Group(String),
    /// Nobody can be of it.
    #[error("scope_member_kinds: expected codes of the dictionary `member_kind`, met {0:?}")]
    Kind(String),
    /// It would end before it begins.
    #[error("valid_to: expected {from} or later, met {met}")]
    Ends {
        /// Its first day.
        from: hufu_shared::time::Day,
        /// Its last day.
        met: hufu_shared::time::Day,
    },
    /// Nobody could say which of two is meant.
    #[error(
        "the scope overlaps that of version {0}, which begins on the same day: take exactly the same offices and kinds to \
         put it right, or others, or another day"
    )]
    Clash(u32),
    /// What is one for the whole club.
    #[error("{}: one for the whole club, a version for some cannot say otherwise; leave it out", .0.join(", "))]
    Club(Vec<&'static str>),
}

/// A version's scope, with the offices that are in its groups now; none where it is for all.
///
/// # Errors
/// [`StoreError`]; in the answer, whom it cannot be for.
pub fn scope_of(tx: &mut Tx<'_>, scheme: &Scheme) -> Result<Result<Option<Scope>, NotForThese>, StoreError> {
    for kind in &scheme.scope_member_kinds {
        if !joining::can_choose(tx, dictionary::MEMBER_KIND, kind)? {
            return Ok(Err(NotForThese::Kind(kind.clone())));
        }
    }
    let offices = offices_of(&scheme.scope_office_groups, &people::offices(tx)?);
    Ok(offices.map(|offices| scheme.scope(offices)))
}

/// The offices of some groups, each once and in the order of their ids.
fn offices_of(groups: &[String], offices: &[OfficeRow]) -> Result<Vec<OfficeId>, NotForThese> {
    let is_of = |office: &&OfficeRow, group: &String| office.group.as_ref() == Some(group);
    if let Some(none) = groups.iter().find(|group| !offices.iter().any(|office| is_of(&office, group))) {
        return Err(NotForThese::Group(none.clone()));
    }
    let of_any = offices.iter().filter(|office| groups.iter().any(|group| is_of(office, group)));
    let mut found: Vec<OfficeId> = of_any.map(|office| office.office).collect();
    found.sort_unstable();
    Ok(found)
}

/// Whether a version with its scope can stand beside those that are known.
///
/// # Errors
/// [`NotForThese`] with what stands against it.
pub fn check(
    (scheme, terms): (&Scheme, &SchemeTerms),
    known: &[SchemeTerms],
    policy: &Policy,
) -> Result<(), NotForThese> {
    if let Some(met) = terms.last_day().filter(|last| *last < terms.valid_from) {
        return Err(NotForThese::Ends { from: terms.valid_from, met });
    }
    if let Some(other) = known.iter().find(|other| terms.clashes_with(other)) {
        return Err(NotForThese::Clash(other.version));
    }
    let differs = if terms.scope.is_some() { of_the_club(scheme, policy) } else { Vec::new() };
    if differs.is_empty() { Ok(()) } else { Err(NotForThese::Club(differs)) }
}

/// Keys of what a scheme says that stands in the club's policy and is another thing there. What it leaves out says nothing.
fn of_the_club(scheme: &Scheme, policy: &Policy) -> Vec<&'static str> {
    let written = |scheme: &Scheme| {
        let mut policy = policy.clone();
        scheme.write_into(&mut policy);
        policy
    };
    let says = written(scheme);
    let silent = written(&Scheme::empty(&scheme.id, scheme.version, scheme.valid_from));
    // Which cards there are follows from the levels as well, so it is told with them.
    let is_other = |of: fn(&Policy, &Policy) -> bool| of(&says, policy) && of(&says, &silent);
    let groups = [
        ("expiry", is_other(|a, b| a.expiry != b.expiry)),
        ("joining", is_other(|a, b| a.joining != b.joining)),
        ("level", is_other(|a, b| a.levels != b.levels)),
        ("card", is_other(|a, b| a.cards != b.cards)),
        (
            "redemption",
            is_other(|a, b| (&a.catalogue, a.plans_need_approval) != (&b.catalogue, b.plans_need_approval)),
        ),
        ("coupons", is_other(|a, b| a.coupons != b.coupons)),
        ("round_up", is_other(|a, b| a.round_up != b.round_up)),
        ("ranking", is_other(|a, b| a.ranking != b.ranking)),
        ("transfer", is_other(|a, b| a.transfer != b.transfer)),
    ];
    groups.into_iter().filter_map(|(key, is_other)| is_other.then_some(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hufu_shared::scheme::Words;
    use hufu_shared::time::{Day, OfficeClock};

    fn office(n: u8, group: Option<&str>) -> OfficeRow {
        OfficeRow {
            office: OfficeId([n; 16]),
            code: format!("A{n}"),
            name: Words { zh: "案场".to_owned(), en: "Office".to_owned() },
            clock: OfficeClock::default(),
            group: group.map(str::to_owned),
        }
    }

    fn codes(of: &[&str]) -> Vec<String> {
        of.iter().map(|code| (*code).to_owned()).collect()
    }

    #[test]
    fn a_group_is_its_offices_and_one_without_any_is_refused() {
        let offices =
            [office(3, Some("south")), office(1, Some("north")), office(2, Some("south")), office(4, None)];
        let ids = |of: &[u8]| Ok(of.iter().map(|n| OfficeId([*n; 16])).collect::<Vec<_>>());
        assert_eq!(offices_of(&[], &offices), ids(&[]), "everywhere");
        assert_eq!(offices_of(&codes(&["south"]), &offices), ids(&[2, 3]));
        assert_eq!(offices_of(&codes(&["south", "north"]), &offices), ids(&[1, 2, 3]));
        let none = offices_of(&codes(&["south", "east"]), &offices).expect_err("no such office");
        assert!(none.to_string().contains("east"), "{none}");
    }

    #[test]
    fn what_stands_in_the_policy_is_one_for_the_whole_club() {
        let base = Scheme::empty("club", 2, Day(9));
        let south = Scope { offices: vec![OfficeId([2; 16])], ..Scope::default() };
        let told = |scheme: &Scheme, scope: Option<&Scope>| {
            let terms = SchemeTerms { scope: scope.cloned(), ..scheme.terms() };
            check((scheme, &terms), &[], &Policy::default()).map_err(|why| why.to_string())
        };
        let round_up = crate::commands::schemes::load("P").expect("shipped").0.round_up;
        let other = Scheme { round_up, ..base.clone() };
        assert_eq!(told(&base, Some(&south)), Ok(()), "it leaves all of that out");
        assert_eq!(told(&other, None), Ok(()), "for all");
        let refused = told(&other, Some(&south)).expect_err("the member day is the club's");
        assert!(refused.contains("round_up"), "{refused}");
        let ended = Scope { last_day: Some(Day(8)), ..Scope::default() };
        assert!(told(&base, Some(&ended)).expect_err("before it begins").contains("valid_to"));
        let known = SchemeTerms {
            scope: Some(Scope { offices: vec![OfficeId([2; 16]), OfficeId([3; 16])], ..Scope::default() }),
            ..base.terms()
        };
        let terms = SchemeTerms { scope: Some(south), version: 3, ..base.terms() };
        let clash = check((&base, &terms), &[known], &Policy::default());
        assert_eq!(clash, Err(NotForThese::Clash(2)));
    }
}
