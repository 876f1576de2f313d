//! What bounds purchases over each other, and the growth that they give, through facts into the ledger, on both databases:
//! rules that give once, a cap for each of several rules, returns, merges, settled days, and every order of arrival.

use hufu_shared::act::{Act, MembersMerged, PinOutcome};
use hufu_shared::fact::{Earned, Event, Reversed, Shown};
use hufu_shared::ids::{EntryId, FactId, Hash, MemberId};
use hufu_shared::joining::AutoLeave;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::scheme::earning::{Balance, EarnKind, EarnRule, Once, RuleCap};
use hufu_shared::scheme::{Scheme, SchemeTerms};
use hufu_shared::time::{Day, SECOND_US};

use super::earned::{applied, approve, buy, give_back, pts, rules, shipped};
use super::kit::*;
use super::order::normal_form_of_one_account;
use super::settled::settle;
use super::stock::replays;
use super::value::sums_hold;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::entry::EntryBody;
use crate::store::statement::{self, Place};
use crate::store::{lapses, leases};

/// Nine in the evening: after everything was uploaded.
const EVENING_S: i64 = 9 * 3_600;

pub(super) fn rate() -> EarnRule {
    EarnRule { per_fen: 10_000, points_per: 2, ..EarnRule::new("S2", EarnKind::Purchase) }
}

fn growing() -> EarnRule {
    let rule = EarnRule { per_fen: 100, points_per: 1, ..EarnRule::new("B1", EarnKind::Purchase) };
    EarnRule { balance: Balance::Growth, ..rule }
}

/// Fifty points beside the rate, for as often as a rule says.
pub(super) fn bonus(once: Once) -> EarnRule {
    EarnRule { fixed_points: 50, once, ..EarnRule::new("V1", EarnKind::Purchase) }
}

pub(super) fn club(version: u32, rules: &[EarnRule]) -> SchemeTerms {
    let mut scheme = Scheme::empty("club", version, Day(0));
    scheme.earnings = rules.to_vec();
    scheme.terms()
}

fn grown(amount: i64) -> Leg {
    Leg { unit: Unit::Growth, amount: Amount(amount) }
}

/// A purchase by card `n` whose terminal promised these legs.
pub(super) fn sale(at: &mut Terminal, seconds: i64, n: u8, fen: i64, promised: Vec<Leg>) -> FactId {
    let (slip, replaces, repeats, paid) = (None, None, None, None);
    let earned =
        Earned { subject: subject(n), purchase: Amount(fen), promised, slip, replaces, repeats, paid };
    at.record(seconds, Shown::Accepted, Event::Earned(earned))
}

fn bring_back(at: &mut Terminal, seconds: i64, original: FactId, legs: Vec<Leg>) -> FactId {
    let reversed = Reversed { original, legs, reason: "goods".to_owned(), slip: None };
    at.record(seconds, Shown::Accepted, Event::Reversed(reversed))
}

/// Points and growth of a member.
async fn both(db: &Db, n: u8) -> (i64, i64) {
    (has(db, n, Unit::Pts).await, has(db, n, Unit::Growth).await)
}

/// Points that a fact gave its member.
async fn gave(db: &Db, id: FactId) -> i64 {
    count(db, "given_by_fact", crate::store::rows::fact_id_values(id).to_vec()).await
}

async fn later(db: &Db, n: u8, what: Act) {
    act(db, n, NOON.offset((EVENING_S + i64::from(n)) * SECOND_US), what).await;
}

async fn limit_points(db: &Db, most: i64) {
    let (events, offices) = (Vec::new(), Vec::new());
    let cap = EarnCap { unit: Unit::Pts, period: Period::Month, most: Amount(most), events, offices };
    let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
    act(db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b05_x07_growth_is_posted_beside_points_and_goes_back_in_the_same_part() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing()])).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = sale(&mut a, 0, 1, 32_000, vec![pts(6), grown(320)]);
        // A terminal that is months behind promises the plain rate, and knows nothing of growth.
        let by_old = sale(&mut a, 60, 2, 32_000, vec![pts(6)]);
        a.upload(&db).await;
        for (n, id) in [(1, bought), (2, by_old)] {
            assert_eq!((both(&db, n).await, standing(&db, id).await), ((6, 320), applied()));
            assert_eq!(rules(&db, id).await, [("B1".to_owned(), 1), ("S2".to_owned(), 1)]);
        }
        give_back(&mut a, 120, bought, 3);
        give_back(&mut a, 180, by_old, 6);
        a.upload(&db).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((3, 160), (0, 0)));
        let told = |unit| {
            let db = db.clone();
            async move {
                let lines =
                    db.read(move |tx| statement::lines(tx, (member(1), unit), Place::FIRST, 10)).await;
                let mut told: Vec<_> =
                    lines.expect("readable").into_iter().map(|line| (line.change, line.rule)).collect();
                told.sort();
                told
            }
        };
        assert_eq!(told(Unit::Growth).await, [(-160, "B1".to_owned()), (320, "B1".to_owned())]);
        assert_eq!(
            told(Unit::Pts).await,
            [(-3, "S2".to_owned()), (6, "S2".to_owned())],
            "none of it is growth"
        );
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b01_a_club_whose_purchases_give_growth_alone_takes_it_back_by_growth() {
    each(|db| async move {
        found_with(&db, shipped('B').terms()).await;
        let mut a = Terminal::start(TERMINAL_A);
        let told = sale(&mut a, 0, 1, 10_000, vec![grown(100)]);
        let untold = sale(&mut a, 60, 2, 10_000, vec![]);
        a.upload(&db).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((0, 100), (0, 100)));
        let backs = [(120, told, 40), (180, untold, 50)]
            .map(|(seconds, id, amount)| bring_back(&mut a, seconds, id, vec![grown(amount)]));
        a.upload(&db).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((0, 60), (0, 50)));
        for back in backs {
            assert_eq!(standing(&db, back).await, applied());
        }
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_11_growth_and_what_is_given_once_follow_a_merge_and_its_end() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing(), bonus(Once::Ever)])).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let one = sale(&mut a, 0, 1, 32_000, vec![pts(6), grown(320)]);
        let other = sale(&mut b, 600, 2, 32_000, vec![pts(6), grown(320)]);
        a.upload(&db).await;
        b.upload(&db).await;
        assert_eq!(
            (both(&db, 1).await, both(&db, 2).await),
            ((56, 320), (56, 320)),
            "each for the first time"
        );
        let merged = || MembersMerged { survivor: member(2), merged: member(1), reason: Hash([0; 32]) };
        later(&db, 60, Act::MembersMerged(merged())).await;
        assert_eq!(
            (both(&db, 1).await, both(&db, 2).await),
            ((0, 0), (62, 640)),
            "one person, one first time"
        );
        assert_eq!((gave(&db, one).await, gave(&db, other).await), (56, 6));
        later(&db, 61, Act::MembersUnmerged(merged())).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((56, 320), (56, 320)));
        assert_eq!((owed(&db, 1).await, owed(&db, 2).await), (0, 0));
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_13_a_purchase_whose_card_becomes_known_late_is_the_first_by_its_own_time() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing(), bonus(Once::Ever)])).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let early = sale(&mut a, 0, 9, 32_000, vec![pts(6), grown(320)]);
        let late = sale(&mut b, 600, 3, 32_000, vec![pts(6), grown(320)]);
        a.upload(&db).await;
        b.upload(&db).await;
        assert_eq!(standing(&db, early).await, ("held".to_owned(), Some(13)));
        assert_eq!(both(&db, 3).await, (56, 320));
        act(&db, 60, NOON, Act::CardsSet(vec![card(9, Some(member(3)))])).await;
        assert_eq!((gave(&db, early).await, gave(&db, late).await), (56, 6));
        assert_eq!((both(&db, 3).await, owed(&db, 3).await), ((62, 640), 0));
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x01_what_is_given_once_is_for_the_first_purchase_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            found_with(&db, club(1, &[rate(), bonus(Once::Ever)])).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let early = buy(&mut a, 0, 1, 32_000, (None, 6));
            let late = buy(&mut b, 7_200, 1, 32_000, (None, 6));
            let mut terminals = [&mut a, &mut b];
            if swap {
                terminals.reverse();
            }
            for terminal in terminals {
                terminal.upload(&db).await;
            }
            assert_eq!((gave(&db, early).await, gave(&db, late).await), (56, 6));
            for id in [early, late] {
                assert_eq!(standing(&db, id).await, applied(), "nobody has to look at it");
            }
            // What came back was not given: the next purchase is the first.
            give_back(&mut a, 10_800, early, 6);
            a.upload(&db).await;
            assert_eq!((gave(&db, early).await, gave(&db, late).await), (0, 56));
            assert_eq!(count(&db, "open_cases", vec![]).await, 0);
            sums_hold(&db).await;
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x01_a_new_version_that_gives_once_looks_at_all_that_came_before() {
    each(|db| async move {
        found_with(&db, club(1, &[rate()])).await;
        let policy = Policy { rate_grace_days: 0, ..Policy::default() };
        act(&db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let before = buy(&mut a, 0, 1, 32_000, (None, 6));
        let at = NOON.offset(60 * SECOND_US);
        let batch = a.batch_at(at);
        entry(&db, EntryId([70; 16]), at, EntryBody::Batch(batch)).await;
        let second = club(2, &[rate(), bonus(Once::Ever)]);
        act(&db, 60, NOON.offset(600 * SECOND_US), Act::SchemeSet(second)).await;
        // The same rule in a third version is still the same rule.
        let third = club(3, &[rate(), EarnRule { fixed_points: 80, ..bonus(Once::Ever) }]);
        act(&db, 61, NOON.offset(9_000 * SECOND_US), Act::SchemeSet(third)).await;
        let bought = [7_200, 7_300, 9_600].map(|seconds| buy(&mut b, seconds, 1, 20_000, (None, 4)));
        b.upload(&db).await;
        let mut given = vec![gave(&db, before).await];
        for id in bought {
            given.push(gave(&db, id).await);
        }
        assert_eq!(given, [6, 54, 4, 4], "by the first version nothing was given once");
        let late = buy(&mut a, 6_000, 1, 20_000, (None, 4));
        a.upload(&db).await;
        assert_eq!((gave(&db, late).await, gave(&db, bought[0]).await), (54, 4), "it was the first");
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_each_of_several_rules_has_a_cap_of_its_own_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            let month = |most| Some(RuleCap { period: Period::Month, most });
            let mut shops = shipped('G');
            shops.sheets.clear();
            shops.earnings[0].cap = month(500);
            shops.earnings.push(EarnRule { cap: month(60), ..bonus(Once::No) });
            found_with(&db, shops.terms()).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let early = buy(&mut a, 0, 1, 32_000, (None, 370));
            let late = buy(&mut b, 7_200, 1, 32_000, (None, 370));
            let mut terminals = [&mut a, &mut b];
            if swap {
                terminals.reverse();
            }
            for terminal in terminals {
                terminal.upload(&db).await;
            }
            assert_eq!((gave(&db, early).await, gave(&db, late).await), (370, 180 + 10));
            assert_eq!(standing(&db, late).await, ("applied_with_case".to_owned(), Some(23)));
            give_back(&mut a, 10_800, early, 370);
            a.upload(&db).await;
            assert_eq!((gave(&db, late).await, standing(&db, late).await), (370, applied()), "room for both");
            sums_hold(&db).await;
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_what_people_approve_passes_no_cap() {
    each(|db| async move {
        found_with(&db, shipped('L').terms()).await;
        limit_points(&db, 50).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = [0, 600].map(|seconds| buy(&mut a, seconds, 1, 400_000, (None, 0)));
        a.upload(&db).await;
        for (n, id) in (60..).zip(bought) {
            approve(&db, n, id, PinOutcome::Counts).await;
        }
        assert_eq!((gave(&db, bought[0]).await, gave(&db, bought[1]).await), (40, 10), "50 of 80");
        assert_eq!(
            standing(&db, bought[1]).await,
            ("applied_with_case".to_owned(), Some(23)),
            "and it is seen"
        );
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_was_given_once_when_the_day_was_settled_is_kept() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing(), bonus(Once::Ever)])).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let first = sale(&mut a, 600, 1, 32_000, vec![pts(6), grown(320)]);
        let again = sale(&mut a, 1_200, 1, 32_000, vec![pts(6), grown(320)]);
        a.upload(&db).await;
        settle(&db).await;
        let earlier = sale(&mut b, 0, 1, 32_000, vec![pts(6), grown(320)]);
        b.upload(&db).await;
        let given = [gave(&db, first).await, gave(&db, again).await, gave(&db, earlier).await];
        assert_eq!(given, [56, 6, 6], "nothing that was shown is taken back");
        give_back(&mut a, 1_300, again, 3);
        a.upload(&db).await;
        assert_eq!(gave(&db, again).await, 3, "half of the six that it gave");
        assert_eq!(both(&db, 1).await, (56 + 3 + 6, 320 + 160 + 320));
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k11_x07_growth_is_no_value_that_keeps_an_idle_member() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing()])).await;
        let mut a = Terminal::start(TERMINAL_A);
        sale(&mut a, 0, 1, 5_000, vec![grown(50)]);
        sale(&mut a, 60, 2, 32_000, vec![pts(6), grown(320)]);
        a.upload(&db).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((0, 50), (6, 320)));
        let rule = AutoLeave { kind: "unreachable".to_owned(), idle_days: 20, spares_value: true };
        let idle = db.read(move |tx| lapses::idle(tx, &rule, MemberId([0; 16]), Day(20_779 + 60))).await;
        let (idle, _) = idle.expect("readable");
        assert_eq!((idle.contains(&member(1)), idle.contains(&member(2))), (true, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x07_growth_alone_makes_nobody_a_candidate_for_an_allowance() {
    each(|db| async move {
        found_with(&db, club(1, &[rate(), growing()])).await;
        let third = third_terminal(&db).await;
        let mut seen_at = Terminal::start(third);
        sale(&mut seen_at, 0, 1, 5_000, vec![grown(50)]);
        sale(&mut seen_at, 60, 2, 32_000, vec![pts(6), grown(320)]);
        seen_at.upload(&db).await;
        assert_eq!((both(&db, 1).await, both(&db, 2).await), ((0, 50), (6, 320)));
        // On any day, and on the eve of the activity.
        for seconds in [EVENING_S, -12 * 3_600] {
            let now = NOON.offset(seconds * SECOND_US);
            let (pairs, _) = db.read(move |tx| leases::candidates(tx, now, None)).await.expect("readable");
            assert_eq!(pairs, [(TERMINAL_B, member(2))], "{seconds}");
        }
    })
    .await;
}

/// Two terminals' batches in an order: `true` is a batch of A, `false` one of B. All bounds meet: rules that give once, for
/// ever and in a month, a cap of one rule among several and one of the club, growth, returns.
async fn run(order: &[bool]) -> Vec<Vec<String>> {
    let db = Db::memory().expect("memory");
    let cap = Some(RuleCap { period: Period::Month, most: 900 });
    let by_money = EarnRule { per_fen: 100, points_per: 1, cap, ..EarnRule::new("G4", EarnKind::Purchase) };
    let monthly =
        EarnRule { rule: "V2".to_owned(), balance: Balance::Both, ..bonus(Once::In(Period::Month)) };
    found_with(&db, club(1, &[by_money, monthly, growing(), bonus(Once::Ever)])).await;
    limit_points(&db, 950).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let mut turns = (0, 0);
    for from_a in order {
        let (terminal, turn, shift) =
            if *from_a { (&mut a, &mut turns.0, 0) } else { (&mut b, &mut turns.1, 300) };
        let seconds = *turn * 1_000 + shift;
        let first = sale(terminal, seconds, 1, 32_000, vec![pts(320), grown(320)]);
        sale(terminal, seconds + 20, 1, 10_000, vec![pts(100), grown(100)]);
        // The very first purchase comes back whole.
        let back = if seconds == 0 { 320 } else { 32 };
        bring_back(terminal, seconds + 40, first, vec![pts(back)]);
        terminal.upload(&db).await;
        *turn += 1;
    }
    sums_hold(&db).await;
    normal_form_of_one_account(&db).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_bounds_leave_follows_the_set_of_facts_not_their_arrival() {
    let orders: [[bool; 6]; 5] = [
        [true, true, true, false, false, false],
        [false, false, false, true, true, true],
        [true, false, true, false, true, false],
        [false, true, false, true, false, true],
        [false, true, true, false, false, true],
    ];
    let expected = run(&orders[0]).await;
    for (at, what) in [(0, "postings"), (2, "standings"), (3, "cases")] {
        assert!(!expected[at].is_empty(), "the run meets {what}");
    }
    for order in &orders[1..] {
        assert_eq!(run(order).await, expected, "{order:?}");
    }
}
