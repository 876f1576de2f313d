//! Which scheme version rates an earn (kind 17): the one in force at its time, not the one that a terminal happened to
//! hold. A version that was in force before is honoured within some days of grace; else the earn is rated once by the
//! version in force. A spend is never rated again: the goods were handed over at the price shown.
//!
//! A version takes effect on its day, but no earlier than its publication, so publishing never changes what is past:
//! a fact is rated by one version, and a version published after it is not that one. Of several in effect the one that
//! says most about whom it is for is in force, and of those the one published last, as at terminals
//! ([`hufu_shared::scheme::choose`]). Out of scope: levels, which change only by a job or an act.

use hufu_shared::scheme::SchemeTerms;
use hufu_shared::scheme::choose::Weight;
use hufu_shared::time::{DAY_US, Day, Instant, OfficeClock};

use super::calendar;

/// A span in which a published scheme version is in effect for a member at an office; a version may have several, one for
/// each time in which the member is of a kind that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its number, which grows with each publication.
    pub version: u32,
    /// How much it says about whom it is for.
    pub weight: Weight,
    /// From when on it is in effect at the fact's office ([`effective_from`]).
    pub from: Instant,
    /// From when on it is in effect no more; none while no end is known.
    pub until: Option<Instant>,
}

impl Published {
    fn holds(&self, at: Instant) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Of which kinds a member was. A kind that a person sets counts from then on; the first one counts from the beginning
/// where the member joined with it, so that what was bought with a card before its member was known is of that kind too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Code of the first kind; empty for none.
    pub first: String,
    /// Later kinds with when they were set, oldest first; an empty code where the kind was taken away.
    pub turns: Vec<(Instant, String)>,
}

impl Kinds {
    /// Code of the kind at an instant; empty for none.
    #[must_use]
    pub fn at(&self, at: Instant) -> &str {
        let turn = self.turns.iter().rev().find(|turn| turn.0 <= at);
        turn.map_or(self.first.as_str(), |turn| turn.1.as_str())
    }

    /// The times in which the member is of a kind that is wanted: from when on, and until when if that is known.
    fn spans(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<(Instant, Option<Instant>)> {
        let begins = [(Instant(i64::MIN), &self.first)];
        let begins = begins.into_iter().chain(self.turns.iter().map(|(since, kind)| (*since, kind)));
        let ends = self.turns.iter().map(|turn| Some(turn.0)).chain([None]);
        let of_kind = begins.zip(ends).filter(|((_, kind), _)| is_wanted(kind));
        of_kind.map(|((since, _), until)| (since, until)).collect()
    }
}

/// When a version that was published then is in effect at an office for a member; never where it is for others.
#[must_use]
pub fn spans(terms: &SchemeTerms, published: Instant, clock: &OfficeClock, kinds: &Kinds) -> Vec<Published> {
    let from = effective_from(terms.valid_from, published, clock);
    let until =
        terms.last_day().map(|last| calendar::day_start(&clock.zone, last.plus(1), clock.cutoff_minutes));
    let cut = |(since, end): (Instant, Option<Instant>)| Published {
        version: terms.version,
        weight: terms.weight(),
        from: from.max(since),
        until: [until, end].into_iter().flatten().min(),
    };
    let spans = kinds.spans(|kind| terms.is_for_kind(kind)).into_iter().map(cut);
    spans.filter(|span| span.until.is_none_or(|until| span.from < until)).collect()
}

/// A fact whose value a scheme version decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The version that the terminal used; 0 before its first directory.
    pub used: u32,
    /// When, as judged.
    pub t: Instant,
    /// The latest that it can have been; `t` where that is known exactly. A version that takes effect in between is
    /// taken in the member's favour, since the terminal held it.
    pub hi: Instant,
    /// Whether it is a spend.
    pub is_spend: bool,
    /// The version that a person fixed.
    pub pin: Option<u32>,
}

/// How a fact is rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rated {
    /// As the terminal decided: its version was in force, it is a spend, or no other version is known.
    AsDecided,
    /// As the terminal decided, though another version was in force; a case of kind 17 shows it.
    InGrace {
        /// The version in force.
        in_force: u32,
    },
    /// By another version than the terminal used, in a case of kind 17 with the old and the new amount.
    Again {
        /// By which.
        by: u32,
    },
    /// By the version for the member's kind, which the terminal could not tell: it promised nothing, so there is nothing
    /// that two sides disagree about.
    Open {
        /// By which.
        by: u32,
    },
}

impl Rated {
    /// The version whose rate applies to a fact that used `used`.
    #[must_use]
    pub fn version(self, used: u32) -> u32 {
        match self {
            Self::AsDecided | Self::InGrace { .. } => used,
            Self::Again { by } | Self::Open { by } => by,
        }
    }
}

/// From when on a version is in effect at an office: the start of its day there, but not before its publication.
#[must_use]
pub fn effective_from(valid_from: Day, published: Instant, clock: &OfficeClock) -> Instant {
    calendar::day_start(&clock.zone, valid_from, clock.cutoff_minutes).max(published)
}

/// The version in force at an instant.
#[must_use]
pub fn in_force(versions: &[Published], at: Instant) -> Option<u32> {
    let held = versions.iter().filter(|row| row.holds(at)).map(|row| (row.weight, row.version));
    held.max().map(|(_, version)| version)
}

/// Judges one fact among all versions.
#[must_use]
pub fn judge(versions: &[Published], grace_days: u16, fact: Decided) -> Rated {
    if fact.is_spend {
        return Rated::AsDecided;
    }
    let known = |version: u32| versions.iter().any(|row| row.version == version);
    if let Some(by) = fact.pin.filter(|pin| known(*pin)) {
        return if by == fact.used { Rated::AsDecided } else { Rated::Again { by } };
    }
    let Some(now) = in_force(versions, fact.t) else { return Rated::AsDecided };
    if now == fact.used || takes_effect_within(versions, fact) {
        return Rated::AsDecided;
    }
    if is_in_grace(versions, grace_days, fact) {
        Rated::InGrace { in_force: now }
    } else {
        Rated::Again { by: now }
    }
}

/// Whether the version used came into force at some moment at which the fact may have happened.
fn takes_effect_within(versions: &[Published], fact: Decided) -> bool {
    changes(versions)
        .filter(|at| *at > fact.t && *at <= fact.hi)
        .any(|at| in_force(versions, at) == Some(fact.used))
}

/// Whether the version used was in force until less than the days of grace ago: another took its place, it ended, or the
/// member became one of another kind.
fn is_in_grace(versions: &[Published], grace_days: u16, fact: Decided) -> bool {
    let was_in_force = |at: &Instant| {
        in_force(versions, at.offset(-1)) == Some(fact.used) && in_force(versions, *at) != Some(fact.used)
    };
    let ended = changes(versions).filter(|at| *at <= fact.t).filter(was_in_force).max();
    ended.is_some_and(|end| fact.t < end.offset(i64::from(grace_days) * DAY_US))
}

/// The moments at which another version may come into force.
fn changes(versions: &[Published]) -> impl Iterator<Item = Instant> {
    versions.iter().flat_map(|row| [Some(row.from), row.until]).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::order::testing::shuffled;
    use super::*;
    use hufu_shared::scheme::choose::Scope;
    use proptest::prelude::*;

    fn at(days: i64) -> Instant {
        Instant(days * DAY_US)
    }

    fn version(version: u32, from: i64) -> Published {
        Published { version, weight: Weight::default(), from: at(from), until: None }
    }

    /// A version for some offices.
    fn special(version: u32, from: i64, until: Option<i64>) -> Published {
        let weight = Weight { offices: true, kinds: false };
        Published { weight, until: until.map(at), ..self::version(version, from) }
    }

    fn earn(used: u32, t: i64) -> Decided {
        Decided { used, t: at(t), hi: at(t), is_spend: false, pin: None }
    }

    #[test]
    fn kind_17_an_old_rate_is_honoured_for_some_days_and_no_longer() {
        let three = [version(1, 0), version(2, 100), version(3, 200)];
        let spend = Decided { is_spend: true, ..earn(1, 300) };
        let cases = [
            (earn(1, 50), Rated::AsDecided, "in force"),
            (earn(2, 100), Rated::AsDecided, "from its first moment"),
            (earn(1, 106), Rated::InGrace { in_force: 2 }, "six days late of seven"),
            (earn(1, 107), Rated::Again { by: 2 }, "seven days late"),
            (
                earn(1, 203),
                Rated::Again { by: 3 },
                "superseded long ago: grace counts from the first successor",
            ),
            (earn(2, 203), Rated::InGrace { in_force: 3 }, "superseded three days ago"),
            (earn(2, 50), Rated::Again { by: 1 }, "before its time"),
            (earn(0, 50), Rated::Again { by: 1 }, "a terminal without a directory"),
            (earn(9, 50), Rated::Again { by: 1 }, "a version that the centre never published"),
            (earn(1, -5), Rated::AsDecided, "before every version"),
            (spend, Rated::AsDecided, "a spend is never rated again"),
            (Decided { pin: Some(1), ..earn(1, 300) }, Rated::AsDecided, "a person honoured it"),
            (Decided { pin: Some(2), ..earn(1, 50) }, Rated::Again { by: 2 }, "a person chose another"),
            (Decided { pin: Some(9), ..earn(1, 50) }, Rated::AsDecided, "a pin to nothing is none"),
            (Decided { hi: at(101), ..earn(2, 99) }, Rated::AsDecided, "it may have been after midnight"),
            (Decided { hi: at(99), ..earn(2, 98) }, Rated::Again { by: 1 }, "it cannot have been"),
        ];
        for (fact, expected, why) in cases {
            assert_eq!(judge(&three, 7, fact), expected, "{why}");
        }
        assert_eq!(judge(&[], 7, earn(4, 50)), Rated::AsDecided, "no version is known");
        assert_eq!(Rated::Again { by: 2 }.version(1), 2);
        assert_eq!(Rated::InGrace { in_force: 2 }.version(1), 1);
    }

    #[test]
    fn kind_17_a_version_that_was_overtaken_before_its_day_was_never_in_force() {
        let overtaken = [version(1, 0), version(2, 100), version(3, 50)];
        assert_eq!(in_force(&overtaken, at(150)), Some(3), "published last");
        assert_eq!(judge(&overtaken, 90, earn(2, 120)), Rated::Again { by: 3 });
        assert_eq!(judge(&overtaken, 90, earn(1, 120)), Rated::InGrace { in_force: 3 });
    }

    #[test]
    fn kind_17_a_version_for_some_goes_before_a_newer_one_for_all_until_it_ends() {
        let versions = [version(1, 0), special(2, 100, Some(200)), version(3, 150)];
        let in_force: Vec<Option<u32>> =
            [50, 100, 199, 200].into_iter().map(|day| in_force(&versions, at(day))).collect();
        assert_eq!(in_force, [Some(1), Some(2), Some(2), Some(3)]);
        let cases = [
            (earn(2, 199), Rated::AsDecided, "its last day"),
            (earn(2, 205), Rated::InGrace { in_force: 3 }, "it ended five days ago"),
            (earn(2, 207), Rated::Again { by: 3 }, "seven days late"),
            (earn(3, 160), Rated::Again { by: 2 }, "newer, and not for here"),
            (earn(1, 102), Rated::InGrace { in_force: 2 }, "before the special one by two days"),
            (Decided { hi: at(201), ..earn(3, 199) }, Rated::AsDecided, "the special one may have ended"),
        ];
        for (fact, expected, why) in cases {
            assert_eq!(judge(&versions, 7, fact), expected, "{why}");
        }
        assert_eq!(Rated::Open { by: 2 }.version(1), 2);
    }

    #[test]
    fn kind_17_a_version_for_a_kind_of_member_holds_while_the_member_is_of_it() {
        let day = |n: i32| Day(20_000 + n);
        let clock = OfficeClock::default();
        let start = |n: i32| calendar::day_start(&clock.zone, day(n), clock.cutoff_minutes);
        let general = SchemeTerms::property_club(1, day(0));
        let scope =
            Scope { member_kinds: vec!["dealer".to_owned()], last_day: Some(day(29)), ..Scope::default() };
        let dealers = SchemeTerms { scope: Some(scope), ..SchemeTerms::property_club(2, day(10)) };
        let published = start(0).offset(-1);
        let versions =
            |kinds: &Kinds| [&general, &dealers].map(|terms| spans(terms, published, &clock, kinds)).concat();
        let held = |kinds: &Kinds, n: i32| in_force(&versions(kinds), start(n));
        let became = Kinds {
            first: String::new(),
            turns: vec![(start(15), "dealer".into()), (start(20), "ota".into())],
        };
        let always = Kinds { first: "dealer".to_owned(), turns: Vec::new() };
        for (kinds, n, expected, why) in [
            (&Kinds::default(), 12, Some(1), "of no kind"),
            (&always, 9, Some(1), "it had not begun"),
            (&always, 10, Some(2), "joined as one"),
            (&always, 29, Some(2), "its last day"),
            (&always, 30, Some(1), "it ended"),
            (&became, 14, Some(1), "not yet one"),
            (&became, 15, Some(2), "became one"),
            (&became, 20, Some(1), "became another"),
        ] {
            assert_eq!(held(kinds, n), expected, "{why}");
        }
        assert_eq!((became.at(start(14)), became.at(start(19)), became.at(start(99))), ("", "dealer", "ota"));
        // The terminal did not know yet that the member became one.
        let fact = Decided { used: 1, t: start(16), hi: start(16), is_spend: false, pin: None };
        assert_eq!(judge(&versions(&became), 7, fact), Rated::InGrace { in_force: 2 });
    }

    #[test]
    fn kind_17_a_scheme_takes_effect_no_earlier_than_its_publication() {
        let clock = OfficeClock { cutoff_minutes: 120, ..OfficeClock::default() };
        let day: Day = "2026-11-22".parse().expect("a day");
        let start = calendar::day_start(&clock.zone, day, 120);
        assert_eq!(effective_from(day, start.offset(-1), &clock), start, "published before");
        assert_eq!(effective_from(day, start.offset(7), &clock), start.offset(7), "published that day");
        assert_eq!(clock.business_day(start), day);
    }

    proptest! {
        #[test]
        fn inv_19_rating_follows_the_set_and_a_later_version_changes_nothing_past(
            froms in proptest::collection::vec(0i64..50, 0..6),
            used in 0u32..8,
            t in -5i64..60,
            wide in 0i64..3,
            grace in 0u16..10,
            is_spend: bool,
            keys in proptest::collection::vec(any::<u32>(), 6),
        ) {
            let versions: Vec<Published> =
                (1..).zip(&froms).map(|(number, from)| version(number, *from)).collect();
            let fact = Decided { hi: at(t + wide), is_spend, ..earn(used, t) };
            let rated = judge(&versions, grace, fact);
            prop_assert_eq!(rated, judge(&shuffled(&versions, &keys), grace, fact));
            let mut more = versions.clone();
            more.push(version(99, t + wide + 1));
            prop_assert_eq!(rated, judge(&more, grace, fact), "published afterwards");
            let by = rated.version(used);
            let fine = by == used || in_force(&versions, at(t)) == Some(by);
            prop_assert!(fine, "rated by {} which nobody used and which was not in force", by);
            prop_assert!(!is_spend || by == used);
        }
    }
}
