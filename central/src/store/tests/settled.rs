//! Days that were settled: what comes later is judged against what stands, on both databases.

use hufu_shared::act::{Act, Pin, PinOutcome, Verdict};
use hufu_shared::fact::{Earned, Event, Reversed, Shown, SlipKey};
use hufu_shared::ids::{EntryId, FactId};
use hufu_shared::member::OccurrenceRow;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::scheme::{Scheme, ready};
use hufu_shared::time::{DAY_US, Day};

use super::conflicts::decided;
use super::kit::*;
use super::order::normal_form;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::posting::{Account, case_id, fact_cause};
use crate::store::{acts, world};

fn plain() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn with_case(became: &str, kind: i64) -> (String, Option<i64>) {
    (became.to_owned(), Some(kind))
}

/// Settles the day of noon.
pub(super) async fn settle(db: &Db) {
    let now = NOON.offset(40 * DAY_US);
    let day = db.write(move |tx| acts::settle_day(tx, EntryId([200; 16]), now)).await;
    assert_eq!(day.expect("settles"), Some(Day(20_779)));
}

fn purchase(terminal: &mut Terminal, seconds: i64, slip: &str, fen: i64) -> FactId {
    purchase_of(terminal, 1, seconds, slip, fen)
}

fn purchase_of(terminal: &mut Terminal, n: u8, seconds: i64, slip: &str, fen: i64) -> FactId {
    let slip = SlipKey { shop: "A".to_owned(), number: slip.to_owned(), date: Day(20_779) };
    let earned = Earned {
        subject: subject(n),
        purchase: Amount(fen),
        promised: vec![Leg { unit: Unit::Pts, amount: Amount(fen / 10_000 * 2) }],
        slip: Some(slip),
        replaces: None,
        repeats: None,
        paid: None,
    };
    terminal.record(seconds, Shown::Accepted, Event::Earned(earned))
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_an_earlier_check_in_that_comes_after_the_day_was_settled_takes_nothing_back() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let first = a.check_in(600, 1);
        a.upload(&db).await;
        settle(&db).await;
        let earlier = b.check_in(0, 1);
        b.upload(&db).await;
        assert_eq!(
            standing(&db, first).await,
            with_case("applied_with_case", 27),
            "still the one that admits"
        );
        assert_eq!(standing(&db, earlier).await, with_case("no_effect", 27));
        assert_eq!(points(&db, 1).await, SALON_POINTS);
        let issuer = probe(&db, "attendance", vec![member(1).0.into()]).await[0].array::<16>(2);
        assert_eq!(issuer.expect("an office"), OFFICE_A.0);
        assert_eq!(count(&db, "case_evidence", vec![41.into()]).await, 2, "its start and its check-in");
        // A person may say otherwise.
        let pins = vec![
            Pin { fact: first, outcome: PinOutcome::DoesNotCount },
            Pin { fact: earlier, outcome: PinOutcome::Counts },
        ];
        let case = case_id(27, &[&member(1).0, &SALON.0]);
        act(&db, 201, NOON, decided(case, Verdict::Merge, pins)).await;
        let issuer = probe(&db, "attendance", vec![member(1).0.into()]).await[0].array::<16>(2);
        assert_eq!(issuer.expect("an office"), OFFICE_B.0);
        assert_eq!((points(&db, 1).await, count(&db, "sums_not_zero", vec![]).await), (SALON_POINTS, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_places_that_were_had_when_the_day_was_settled_are_kept() {
    each(|db| async move {
        found(&db).await;
        act(&db, 60, NOON, Act::OccurrenceSet(OccurrenceRow { places: Some(1), ..occurrence() })).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let had = a.check_in(600, 1);
        let none = a.check_in(700, 2);
        a.upload(&db).await;
        settle(&db).await;
        let earlier = b.check_in(0, 3);
        b.upload(&db).await;
        assert_eq!(standing(&db, had).await, plain());
        for id in [none, earlier] {
            assert_eq!(standing(&db, id).await, with_case("no_effect", 28));
        }
        assert_eq!((points(&db, 1).await, points(&db, 3).await), (SALON_POINTS, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_a_cap_left_when_the_day_was_settled_is_kept() {
    each(|db| async move {
        found(&db).await;
        let cap = EarnCap {
            unit: Unit::Pts,
            period: Period::Day,
            most: Amount(10),
            events: Vec::new(),
            offices: Vec::new(),
        };
        let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
        act(&db, 60, NOON, Act::PolicySet(Box::new(policy.clone()))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let whole = a.purchase(600, 1, 32_000, 6);
        let cut = a.purchase(1_200, 1, 32_000, 6);
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 10);
        settle(&db).await;
        let earlier = b.purchase(0, 1, 32_000, 6);
        b.upload(&db).await;
        assert_eq!(points(&db, 1).await, 10, "all of the cap was given when the day was settled");
        assert_eq!(standing(&db, whole).await, plain());
        for id in [cut, earlier] {
            assert_eq!(standing(&db, id).await, with_case("applied_with_case", 23));
        }
        // Neither does a cap that was set since take anything back when a return comes.
        let caps =
            Policy { earn_caps: vec![EarnCap { most: Amount(1), ..policy.earn_caps[0].clone() }], ..policy };
        act(&db, 202, NOON, Act::PolicySet(Box::new(caps))).await;
        let back = Reversed {
            original: cut,
            legs: vec![Leg { unit: Unit::Pts, amount: Amount(3) }],
            reason: String::new(),
            slip: None,
        };
        a.record(1_300, Shown::Accepted, Event::Reversed(back));
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 8, "half of the four that it gave");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_what_a_cap_left_of_points_that_wait_is_kept_when_their_day_was_settled() {
    each(|db| async move {
        let mut dealer: Scheme = toml::from_str(ready::find("L").expect("shipped").text).expect("a scheme");
        (dealer.version, dealer.valid_from) = (1, Day(0));
        found_with(&db, dealer.terms()).await;
        let cap = EarnCap {
            unit: Unit::Pts,
            period: Period::Month,
            most: Amount(50),
            events: Vec::new(),
            offices: Vec::new(),
        };
        let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
        act(&db, 60, NOON, Act::PolicySet(Box::new(policy))).await;
        let mut a = Terminal::start(TERMINAL_A);
        let (slip, replaces, repeats, paid) = (None, None, None, None);
        let (subject, purchase, promised) = (subject(1), Amount(1_000_000), Vec::new());
        let earned = Earned { subject, purchase, promised, slip, replaces, repeats, paid };
        let bought = a.record(600, Shown::Accepted, Event::Earned(earned));
        a.upload(&db).await;
        let held = Account::Held(fact_cause(bought)).to_string();
        assert_eq!(count(&db, "points", vec![held.clone().into()]).await, 50, "of 100");
        settle(&db).await;
        let back = Reversed {
            original: bought,
            legs: vec![Leg { unit: Unit::Pts, amount: Amount(50) }],
            reason: String::new(),
            slip: None,
        };
        a.record(1_300, Shown::Accepted, Event::Reversed(back));
        a.upload(&db).await;
        assert_eq!(count(&db, "points", vec![held.into()]).await, 25, "half of the 50 that it had");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_the_sale_of_a_slip_is_kept_and_its_return_takes_back() {
    each(|db| async move {
        found(&db).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let first = purchase(&mut a, 600, "1", 30_000);
        a.upload(&db).await;
        settle(&db).await;
        let earlier = purchase(&mut b, 0, "1", 50_000);
        b.upload(&db).await;
        assert_eq!(standing(&db, first).await, plain());
        assert_eq!(standing(&db, earlier).await, with_case("no_effect", 32));
        assert_eq!(points(&db, 1).await, 6);
        let back = Reversed {
            original: first,
            legs: vec![Leg { unit: Unit::Pts, amount: Amount(6) }],
            reason: String::new(),
            slip: None,
        };
        a.record(700, Shown::Accepted, Event::Reversed(back));
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 0);
    })
    .await;
}

/// Purchases of an unknown card had nothing when their day was settled: bound later, one sale still counts once.
#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_its_card_when_the_day_was_settled_is_judged_like_what_comes_later() {
    each(|db| async move {
        found(&db).await;
        // This club waits longer for a card than its days stay open.
        let mut policy = db.read(world::policy).await.expect("a policy");
        policy.hold_days = 60;
        act(&db, 199, NOON, Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let first = purchase_of(&mut a, 7, 0, "1", 30_000);
        a.upload(&db).await;
        let again = purchase_of(&mut b, 7, 3_600, "1", 30_000);
        b.upload(&db).await;
        assert_eq!(standing(&db, first).await, with_case("held", 13));
        settle(&db).await;
        act(&db, 201, NOON.offset(40 * DAY_US), Act::CardsSet(vec![card(7, Some(member(2)))])).await;
        assert_eq!(points(&db, 2).await, 6, "one sale");
        assert_eq!(standing(&db, again).await, with_case("no_effect", 32));
        assert_eq!(count(&db, "case_evidence", vec![41.into()]).await, 2, "a person sees both");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
    })
    .await;
}

/// Two settled purchases without the sale of their slip lead to each other, and the search among them ends.
#[tokio::test(flavor = "multi_thread")]
async fn kind_32_a_slip_that_several_settled_purchases_lost_is_judged_to_an_end() {
    each(|db| async move {
        found(&db).await;
        let third = third_terminal(&db).await;
        let (mut a, mut b, mut c) =
            (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B), Terminal::start(third));
        let first = purchase(&mut a, 0, "1", 30_000);
        let lost = [purchase(&mut b, 600, "1", 30_000), purchase(&mut b, 700, "1", 30_000)];
        a.upload(&db).await;
        b.upload(&db).await;
        settle(&db).await;
        let late = purchase(&mut c, 800, "1", 50_000);
        c.upload(&db).await;
        assert_eq!(standing(&db, first).await, plain());
        for fact in lost.into_iter().chain([late]) {
            assert_eq!(standing(&db, fact).await, with_case("no_effect", 32));
        }
        assert_eq!(points(&db, 1).await, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_late_facts_are_judged_alike_whichever_comes_first() {
    let mut ends = Vec::new();
    for b_first in [true, false] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        let third = third_terminal(&db).await;
        let (mut a, mut b, mut c) =
            (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B), Terminal::start(third));
        purchase(&mut a, 600, "1", 30_000);
        a.check_in(700, 2);
        a.upload(&db).await;
        settle(&db).await;
        for (terminal, shift) in [(&mut b, 0), (&mut c, 30)] {
            purchase(terminal, shift, "1", 50_000);
            purchase(terminal, shift + 1, "2", 50_000);
            terminal.check_in(shift + 2, 1);
            terminal.check_in(shift + 3, 2);
        }
        for from_b in [b_first, !b_first] {
            let _ = if from_b { b.upload(&db).await } else { c.upload(&db).await };
        }
        assert_eq!(points(&db, 1).await, 6 + 10 + SALON_POINTS);
        ends.push(normal_form(&db).await);
    }
    assert_eq!(ends[0], ends[1]);
}
