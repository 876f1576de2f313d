//! What events give that are no purchases: as the ledger posts it, against what the what-if says of the same history.

use hufu_shared::act::EventTold;
use hufu_shared::ids::{Hash, MemberId, OfficeId};
use hufu_shared::rules::earn::{Earning, Given};
use hufu_shared::rules::start::Begun;
use hufu_shared::rules::told::{Before, Part, gives, refused};

use super::kit::*;

fn what_of(kind: EarnKind) -> What {
    match kind {
        EarnKind::Activity => What::Activity,
        EarnKind::Care => What::Care,
        EarnKind::Complaint => What::Complaint,
        EarnKind::Task => What::Task,
        _ => What::Promo,
    }
}

fn earning(kind: EarnKind, of: &str, on: Day) -> Earning<'_> {
    Earning { event: kind, of, basis: Amount::ZERO, paid_percent: 100, day: on, rank: 0 }
}

fn begun(on: &str) -> Begun {
    let on = Some(day(on));
    Begun { card_issued: on, main_card: on, verified: on }
}

/// Tells events one after the other, each by what was given before; the parts of each.
fn tell(scheme: &Scheme, events: &[(&str, EarnKind, &str)]) -> Vec<Vec<Part>> {
    let terms = scheme.terms().told.expect("rules for such events");
    let mut before: Vec<Before> = Vec::new();
    let mut all = Vec::new();
    for (on, kind, of) in events {
        let what = earning(*kind, of, day(on));
        let parts = gives(&terms, &what, begun("2025-01-01"), &before).expect("small numbers");
        before.extend(parts.iter().map(|part| Before {
            rule: part.rule.clone(),
            of: part.of.clone(),
            given: Given { day: day(on), amount: part.amount },
        }));
        all.push(parts);
    }
    all
}

/// Points at once, and points that wait, of all events.
fn sums(told: &[Vec<Part>]) -> (i64, i64) {
    let sum = |pending: bool| -> i64 {
        told.iter().flatten().filter(|part| part.pending == pending).map(|part| part.amount.0).sum()
    };
    (sum(false), sum(true))
}

#[test]
fn rule_b03_k21_g08_events_that_are_told_give_what_the_what_if_says() {
    let tasks: Vec<(&str, EarnKind, &str)> = vec![
        ("2025-01-02", EarnKind::Task, "sign-in"),
        ("2025-01-02", EarnKind::Task, "sign-in"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-02", EarnKind::Task, "review"),
        ("2025-01-03", EarnKind::Task, "sign-in"),
        ("2025-01-03", EarnKind::Task, "bind-account"),
        ("2025-01-04", EarnKind::Task, "bind-account"),
        ("2025-01-04", EarnKind::Care, ""),
    ];
    let others: Vec<(&str, EarnKind, &str)> = vec![
        ("2025-01-02", EarnKind::Activity, "salon"),
        ("2025-01-02", EarnKind::Care, ""),
        ("2025-01-03", EarnKind::Complaint, "settled"),
        ("2025-01-03", EarnKind::Complaint, "open"),
        ("2025-01-04", EarnKind::Promo, "old-customer"),
        ("2025-01-05", EarnKind::Promo, "old-customer"),
    ];
    for (letter, events, expected) in
        [("B", &tasks, (210, 0)), ("K", &others, (0, 21)), ("G", &others, (100, 0))]
    {
        let scheme = ready(letter);
        let told = tell(&scheme, events);
        assert_eq!(sums(&told), expected, "{letter}");
        let mut history = joined("2025-01-01");
        history.events.push(Event::new(day("2025-01-01"), What::Verified));
        for (on, kind, of) in events {
            history.events.push(Event { code: (*of).to_owned(), ..Event::new(day(on), what_of(*kind)) });
        }
        // Base points and what a card brings are no part of it.
        let without = History { events: history.events[..2].to_vec(), ..history.clone() };
        let (all, base) = (at(&scheme, &history, "2025-01-06"), at(&scheme, &without, "2025-01-06"));
        assert_eq!((all.points - base.points, all.pending - base.pending), expected, "{letter}: what-if");
    }
}

#[test]
fn rule_k15_g01_nothing_is_given_before_points_begin() {
    let terms = ready("B").terms().told.expect("tasks");
    let what = earning(EarnKind::Task, "sign-in", day("2025-01-02"));
    assert_eq!(gives(&terms, &what, begun("2025-01-03"), &[]), Ok(Vec::new()));
    assert_eq!(gives(&terms, &what, Begun::default(), &[]), Ok(Vec::new()));
    assert_eq!(gives(&terms, &what, begun("2025-01-02"), &[]).map(|parts| parts.len()), Ok(1));
}

#[test]
fn rule_b03_two_rules_of_one_number_share_their_bounds_and_of_another_do_not() {
    let mut club = Scheme::empty("club", 1, Day(0));
    let once = EarnRule { fixed_points: 5, once: Once::Ever, ..EarnRule::new("V1", EarnKind::Task) };
    club.earnings = vec![once.clone(), once.clone(), EarnRule { rule: "V2".to_owned(), ..once }];
    let told = tell(&club, &[("2025-01-02", EarnKind::Task, ""), ("2025-01-09", EarnKind::Task, "")]);
    let rules: Vec<Vec<&str>> =
        told.iter().map(|parts| parts.iter().map(|part| part.rule.as_str()).collect()).collect();
    assert_eq!(rules, [vec!["V1", "V2"], vec![]]);
}

#[test]
fn rule_b03_what_the_ledger_does_by_itself_is_no_more_named_as_undone() {
    for letter in ["G", "K"] {
        assert!(!ready(letter).not_done_yet().contains(&"earning"), "{letter}: only events and purchases");
    }
    let purchases_alone = ready("S").terms();
    assert_eq!(purchases_alone.told, None);
    let mut club = Scheme::empty("club", 1, Day(0));
    assert!(club.not_done_yet().is_empty());
    club.returns.refusal_penalty = ready("B").returns.refusal_penalty;
    club.returns.reverse_points = false;
    assert!(club.not_done_yet().is_empty(), "refused orders and goods that come back");
}

#[test]
fn rule_b03_a_refused_order_costs_the_same_whatever_the_member_has_and_what_the_what_if_says() {
    let shop = ready("B");
    let costs = Part {
        rule: "B3".to_owned(),
        of: String::new(),
        amount: Amount(-50),
        balance: Balance::Points,
        pending: false,
    };
    for has in [0, 20, 50, 500, -7] {
        assert_eq!(refused(&shop.terms().returned(), has), Some(costs.clone()), "{has}");
    }
    assert_eq!(refused(&ready("S").terms().returned(), 500), None, "no source names a number");
    let mut history = joined("2025-01-01");
    history.events.push(Event { code: "review".to_owned(), ..Event::new(day("2025-01-02"), What::Task) });
    history.events.push(Event::new(day("2025-01-03"), What::Refusal));
    let outcome = at(&shop, &history, "2025-01-04");
    assert_eq!((outcome.points, outcome.owed), (0, 30), "20 of the 50 were there");
}

#[test]
fn rule_k20_an_event_is_named_by_its_kind_and_serial_alone() {
    let event = |serial: &str, kind: EarnKind| EventTold {
        id: EventTold::name(kind, serial),
        member: MemberId([1; 16]),
        kind,
        of: String::new(),
        day: Day(0),
        cost: Amount::ZERO,
        paid_percent: 100,
        serial: serial.to_owned(),
        office: OfficeId([2; 16]),
        occurrence: None,
        reason: Hash([0; 32]),
    };
    let (one, other) = (event("1", EarnKind::Care), event("1", EarnKind::Task));
    assert_ne!(one.id, other.id);
    assert_eq!(one.id, EventTold { member: MemberId([3; 16]), ..one.clone() }.id);
    for kind in EarnKind::TOLD {
        assert_eq!(EarnKind::told(kind.code()), Some(kind));
    }
    assert_eq!((EarnKind::told("purchase"), EarnKind::told("base")), (None, None));
    for balance in Balance::ALL {
        assert_eq!(Balance::from_code(balance.code()), Some(balance));
    }
}
