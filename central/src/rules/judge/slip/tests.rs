//! Tests of slips: the worked schedules as a table, then any set in any order.

use super::super::order::testing::{place, shuffled};
use super::*;
use hufu_shared::time::Day;
use proptest::prelude::*;

fn key(number: char) -> SlipKey {
    SlipKey { shop: "1024".to_owned(), number: number.to_string(), date: Day(20_000) }
}

/// `t slip replaces pin`, with `-` for none: `3 C B` is a fact at 3 with slip C that replaces B.
fn fact(text: &str) -> SlipFact {
    let words: Vec<&str> = text.split(' ').collect();
    let slip = |at: usize| {
        words.get(at).and_then(|word| word.chars().next()).filter(|letter| *letter != '-').map(key)
    };
    let t: i64 = words[0].parse().expect("a time");
    let pin = words.get(3).map(|word| *word == "counts");
    SlipFact { place: place(t, 1, u64::try_from(t).expect("small")), slip: slip(1), replaces: slip(2), pin }
}

/// The times of the facts that count.
fn counting(facts: &[SlipFact]) -> Vec<u64> {
    judge(facts).counts.iter().map(|fact| fact.seq).collect()
}

#[test]
fn rule_g06_a_sale_counts_once_however_often_its_slip_is_written() {
    let cases: [(&[&str], &[u64], &str); 17] = [
        (&["1 A -"], &[1], "one slip"),
        (&["1 - -", "2 - -"], &[1, 2], "no slip: nothing to compare"),
        (&["1 A -", "2 A -", "3 A -"], &[1], "the earliest of equal slips"),
        (&["1 A -", "2 B A"], &[2], "a re-created slip"),
        (&["1 B A", "2 A -"], &[1], "the re-created one is earlier in time"),
        (&["1 B A"], &[1], "the old one never came"),
        (&["1 A -", "2 B A", "3 D A"], &[3], "re-created twice: the last"),
        (&["1 A -", "2 B A", "3 C B"], &[3], "a chain"),
        (&["1 C B", "2 B A", "3 A -"], &[1], "a chain whose times run backwards"),
        (&["1 A -", "3 C B"], &[1, 3], "a chain whose middle is missing: two sales as far as is known"),
        (&["1 A -", "2 B A", "3 D A", "4 C B"], &[3], "C re-creates a slip that had lost the sale to D"),
        (&["1 A -", "2 A A"], &[2], "re-created under its own number"),
        (&["1 A B", "2 B A"], &[], "a circle: a person decides"),
        (&["1 A B counts", "2 B A"], &[1], "... and did"),
        (&["1 A -", "2 - A"], &[2], "re-created without a number of its own"),
        (&["1 A -", "2 B -", "3 B A"], &[2], "B is another sale; its number cannot take over A"),
        (&["1 A -", "2 B A", "3 B -"], &[2], "one new slip written twice"),
    ];
    for (rows, expected, why) in cases {
        let facts: Vec<SlipFact> = rows.iter().map(|row| fact(row)).collect();
        assert_eq!(counting(&facts), expected, "{why}");
    }
}

#[test]
fn kind_32_a_verdict_decides_within_the_bound() {
    let cases: [(&[&str], &[u64], &str); 6] = [
        (&["1 A -", "2 A - counts"], &[2], "the later one counts by verdict"),
        (&["1 A - no", "2 A -"], &[2], "the earlier one is out"),
        (&["1 A -", "2 B A no"], &[1], "the replacement is out: the old slip stands"),
        (&["1 A - counts", "2 B A", "3 C B"], &[1], "the old one counts: the whole line after it does not"),
        (
            &["1 A -", "2 B A", "3 D A", "4 C B counts"],
            &[4],
            "the pin takes the sale back from D along A ← B ← C",
        ),
        (&["1 A -", "2 B A no", "3 C B"], &[1], "what was taken out hands nothing on"),
    ];
    for (rows, expected, why) in cases {
        let facts: Vec<SlipFact> = rows.iter().map(|row| fact(row)).collect();
        assert_eq!(counting(&facts), expected, "{why}");
        assert_eq!(check(&facts), Ok(()), "{why}");
    }
}

#[test]
fn kind_32_two_verdicts_for_one_sale_are_refused() {
    let cases: [(&[&str], Option<(u64, u64)>); 4] = [
        (&["1 A - counts", "2 A - counts"], Some((1, 2))),
        (&["1 A - counts", "2 B A", "3 C B counts"], Some((1, 3))),
        (&["1 A -", "2 B A", "3 D A counts", "4 C B counts"], Some((3, 4))),
        (&["1 A - counts", "2 B - counts"], None),
    ];
    for (rows, clash) in cases {
        let facts: Vec<SlipFact> = rows.iter().map(|row| fact(row)).collect();
        let met = check(&facts).err().map(|error| match error {
            PinError::OneOnly { first, second } => (first.seq, second.seq),
            other => panic!("{other}"),
        });
        assert_eq!(met, clash, "{rows:?}");
    }
}

#[test]
fn kind_32_the_case_shows_the_old_and_the_new_slip() {
    let facts = [fact("1 A -"), fact("2 B A"), fact("5 Z -")];
    let slips = judge(&facts);
    assert_eq!(slips.cases.len(), 1, "slips B and Z have one fact each");
    let case = &slips.cases[0];
    assert_eq!((&case.slip, case.holder, case.doubled), (&key('A'), Some(facts[1].place.fact), false));
    let lines: Vec<(u64, bool, bool)> =
        case.lines.iter().map(|line| (line.place.fact.seq, line.is_new, line.counts)).collect();
    assert_eq!(lines, [(1, false, false), (2, true, true)]);
    assert!(judge(&[fact("1 A -"), fact("2 A -")]).cases[0].doubled);
    assert!(judge(&[fact("1 A -"), fact("2 B A"), fact("3 D A")]).cases[0].doubled);
}

#[test]
fn the_printed_date_tells_two_slips_apart_and_the_day_of_the_fact_does_not() {
    let mut next_day = fact("2 A -");
    next_day.slip.as_mut().expect("A").date = Day(20_001);
    assert_eq!(counting(&[fact("1 A -"), next_day]), [1, 2], "numbers start anew each day");
    let week_later = place(7 * 86_400_000_000, 2, 9);
    let late = SlipFact { place: week_later, ..fact("2 A -") };
    assert_eq!(counting(&[fact("1 A -"), late]), [1], "typed in again a week later");
}

/// The slip at the root of a fact's line, found on its own: from each replaced slip to the fact that stands for it.
fn root(facts: &[SlipFact], of: &SlipFact) -> Option<SlipKey> {
    let mut at = of.clone();
    let mut seen = Vec::new();
    loop {
        let Some(replaced) = at.replaces.clone() else { return at.slip };
        if seen.contains(&replaced) {
            return Some(replaced);
        }
        seen.push(replaced.clone());
        let stands = facts
            .iter()
            .filter(|fact| fact.slip.as_ref() == Some(&replaced) && fact.replaces != fact.slip)
            .min_by_key(|fact| (fact.pin == Some(false), fact.pin.is_none(), fact.place));
        match stands {
            Some(fact) => at = fact.clone(),
            None => return Some(replaced),
        }
    }
}

fn any_facts() -> impl Strategy<Value = Vec<SlipFact>> {
    let letter = || proptest::option::weighted(0.85, proptest::sample::select(vec!['A', 'B', 'C', 'D', 'E']));
    let replaced = proptest::option::weighted(0.5, proptest::sample::select(vec!['A', 'B', 'C', 'D', 'E']));
    let pin = proptest::option::weighted(0.15, any::<bool>());
    let row = (0i64..6, 0u8..3, letter(), replaced, pin);
    proptest::collection::vec(row, 0..9).prop_map(|rows| {
        (1..)
            .zip(rows)
            .map(|(seq, (t, device, slip, replaces, pin))| SlipFact {
                place: place(t, device, seq),
                slip: slip.map(key),
                replaces: replaces.map(key),
                pin,
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn inv_19_slips_follow_the_set_and_no_sale_counts_twice(
        facts in any_facts(),
        keys in proptest::collection::vec(any::<u32>(), 9),
    ) {
        let slips = judge(&facts);
        let other = shuffled(&facts, &keys);
        prop_assert_eq!(&slips, &judge(&other));
        prop_assert_eq!(check(&facts), check(&other));
        let counting: Vec<&SlipFact> =
            facts.iter().filter(|fact| slips.counts.contains(&fact.place.fact)).collect();
        for (at, one) in counting.iter().enumerate() {
            for other in &counting[at + 1..] {
                let shared = slips_of(one).any(|slip| slips_of(other).any(|also| also == slip));
                prop_assert!(!shared, "one family, two that count: {:?} {:?}", one, other);
                let roots = (root(&facts, one), root(&facts, other));
                prop_assert!(roots.0.is_none() || roots.0 != roots.1, "one sale counted twice: {:?}", roots);
            }
        }
        if check(&facts).is_ok() {
            for fact in facts.iter().filter(|fact| fact.pin == Some(true)) {
                prop_assert!(slips.counts.contains(&fact.place.fact), "a saved verdict holds: {:?}", fact);
            }
        }
        for fact in facts.iter().filter(|fact| fact.pin == Some(false)) {
            prop_assert!(!slips.counts.contains(&fact.place.fact));
        }
    }

    #[test]
    fn a_fact_about_another_slip_changes_nothing(facts in any_facts(), t in 0i64..6) {
        let mut more = facts.clone();
        more.push(SlipFact { place: place(t, 9, 99), slip: Some(key('Z')), replaces: None, pin: None });
        let mut counts = judge(&more).counts;
        prop_assert!(counts.remove(&place(t, 9, 99).fact));
        prop_assert_eq!(counts, judge(&facts).counts);
    }
}
