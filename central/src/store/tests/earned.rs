//! What purchases earn by the shipped schemes, driven through facts into the ledger, on both databases: the same worked
//! figures as the rules are held against, approval, returns, versions, and every order of arrival.

use hufu_shared::act::{
    Act, FactsReleased, MemberSet, Pin, PinOutcome, PointsChange, PointsChanged, Verdict,
};
use hufu_shared::fact::{Earned, Event, Paid, Reversed, Shown};
use hufu_shared::ids::{EntryId, FactId, Hash};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::{EarnCap, Period, Policy};
use hufu_shared::scheme::earning::{Approval, EarnKind, EarnRule, RuleCap, Sheet};
use hufu_shared::scheme::ready::figures::{FIGURES, sheets};
use hufu_shared::scheme::ready::find;
use hufu_shared::scheme::{EarnRate, Scheme, SchemeTerms};
use hufu_shared::time::{Day, SECOND_US};

use super::conflicts::decided;
use super::kit::*;
use super::order::normal_form;
use super::stock::replays;
use super::value::sums_hold;
use crate::db::Db;
use crate::db::testing::each;
use crate::rules::apply::approval_case;
use crate::rules::entry::EntryBody;
use crate::rules::points::NotChanged;
use crate::store::{points as store, purchases};

/// The business day of noon.
const TODAY: Day = Day(20_779);
/// Number of the case about points that wait for approval.
const WAITS: i64 = 42;

/// A shipped scheme as the club's first version; the shop of terminal A has the sheets of the figures.
pub(super) fn shipped(letter: char) -> Scheme {
    let text = find(&letter.to_string()).expect("it is shipped").text;
    let mut scheme: Scheme = toml::from_str(text).expect("it can be read");
    (scheme.version, scheme.valid_from) = (1, Day(0));
    if letter == 'G' {
        scheme.sheets = sheets("A", TODAY);
    }
    scheme
}

/// A purchase by card `n`, with what its terminal promised.
pub(super) fn buy(
    at: &mut Terminal,
    seconds: i64,
    n: u8,
    fen: i64,
    (paid, promised): (Option<Paid>, i64),
) -> FactId {
    let promised = (promised > 0).then_some(pts(promised)).into_iter().collect();
    let (subject, purchase) = (subject(n), Amount(fen));
    let (slip, replaces, repeats) = (None, None, None);
    let earned = Earned { subject, purchase, promised, slip, replaces, repeats, paid };
    at.record(seconds, Shown::Accepted, Event::Earned(earned))
}

pub(super) fn give_back(at: &mut Terminal, seconds: i64, original: FactId, points: i64) -> FactId {
    let reversed = Reversed { original, legs: vec![pts(points)], reason: "goods".to_owned(), slip: None };
    at.record(seconds, Shown::Accepted, Event::Reversed(reversed))
}

pub(super) fn pts(amount: i64) -> Leg {
    Leg { unit: Unit::Pts, amount: Amount(amount) }
}

pub(super) fn applied() -> (String, Option<i64>) {
    ("applied".to_owned(), None)
}

fn waits() -> (String, Option<i64>) {
    ("held".to_owned(), Some(WAITS))
}

/// Rules and versions that the postings of a fact name.
pub(super) async fn rules(db: &Db, id: FactId) -> Vec<(String, i64)> {
    let rows = probe(db, "fact_rules", crate::store::rows::fact_id_values(id).to_vec()).await;
    rows.iter().map(|row| (row.text(0).expect("a rule").to_owned(), row.int(1).expect("a number"))).collect()
}

pub(super) async fn approve(db: &Db, n: u8, id: FactId, outcome: PinOutcome) {
    let pins = vec![Pin { fact: id, outcome }];
    act(db, n, NOON, decided(approval_case(id), Verdict::Confirm, pins)).await;
}

/// Posts all figures of one scheme, each for a member of its own, and approves what waits.
async fn posts_its_figures(db: &Db, letter: char) {
    found_with(db, shipped(letter).terms()).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let own: Vec<_> = (1u8..).zip(FIGURES.iter().filter(|figure| figure.scheme == letter)).collect();
    let mut bought = Vec::new();
    for (n, figure) in &own {
        let at = if figure.has_sheets { &mut a } else { &mut b };
        let told = (figure.paid(), figure.gives.0);
        bought.push(buy(at, i64::from(*n) * 60, *n, figure.money_fen, told));
    }
    for terminal in [&mut a, &mut b] {
        terminal.upload(db).await;
    }
    for ((n, figure), id) in own.iter().zip(&bought) {
        let (at_once, waiting) = figure.gives;
        assert_eq!(has(db, *n, Unit::Pts).await, at_once, "{figure:?}");
        assert_eq!(has(db, *n, Unit::Growth).await, figure.growth, "{figure:?}");
        assert_eq!(standing(db, *id).await, if waiting > 0 { waits() } else { applied() }, "{figure:?}");
        let grows = (figure.growth > 0).then_some("B1");
        let named = if at_once + waiting > 0 { figure.rule } else { grows };
        let expected: Vec<_> = named.into_iter().map(|rule| (rule.to_owned(), 1)).collect();
        assert_eq!(rules(db, *id).await, expected, "{figure:?}");
        if waiting > 0 {
            approve(db, 60 + *n, *id, PinOutcome::Counts).await;
            assert_eq!(points(db, *n).await, at_once + waiting, "{figure:?}");
        }
    }
    assert_eq!(count(db, "open_cases", vec![]).await, 0, "{letter}");
    sums_hold(db).await;
    replays(db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k22_k21_g03_g04_g05_figures_of_property_club_hotel_and_shops_are_posted() {
    for letter in ['K', 'H', 'G'] {
        each(move |db| async move { posts_its_figures(&db, letter).await }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s02_b03_t03_l01_figures_of_the_other_shipped_schemes_are_posted() {
    for letter in ['S', 'P', 'B', 'T', 'L'] {
        each(move |db| async move { posts_its_figures(&db, letter).await }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_x11_what_is_not_approved_gives_nothing_and_a_return_goes_from_what_waits() {
    each(|db| async move {
        found_with(&db, shipped('L').terms()).await;
        let mut a = Terminal::start(TERMINAL_A);
        let refused = buy(&mut a, 0, 1, 50_000, (None, 0));
        let returned = buy(&mut a, 60, 2, 50_000, (None, 0));
        let passed = buy(&mut a, 120, 3, 50_000, (None, 0));
        a.upload(&db).await;
        assert_eq!(standing(&db, refused).await, waits());
        approve(&db, 60, refused, PinOutcome::DoesNotCount).await;
        assert_eq!((points(&db, 1).await, standing(&db, refused).await.0), (0, "no_effect".to_owned()));
        give_back(&mut a, 180, returned, 2);
        a.upload(&db).await;
        assert_eq!(points(&db, 2).await, 0, "nothing is taken that was never given");
        assert_eq!(owed(&db, 2).await, 0);
        let released =
            FactsReleased { facts: vec![returned, passed], reason: Hash([0; 32]), others_wait: false };
        act(&db, 61, NOON, Act::FactsReleased(released)).await;
        assert_eq!((points(&db, 2).await, points(&db, 3).await), (3, 5), "5 less the 2 brought back");
        assert_eq!(count(&db, "open_cases", vec![]).await, 0);
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_s08_a_return_takes_what_the_sheet_gave() {
    each(|db| async move {
        found_with(&db, shipped('G').terms()).await;
        let mut a = Terminal::start(TERMINAL_A);
        // The terminal had no sheet yet, and promised 320; 530 are due.
        let bought = buy(&mut a, 0, 1, 32_000, (None, 320));
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 530);
        give_back(&mut a, 60, bought, 160);
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 265, "half of it back");
        give_back(&mut a, 120, bought, 160);
        a.upload(&db).await;
        assert_eq!(points(&db, 1).await, 0, "in parts as at once");
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g01_g02_x08_no_points_for_what_was_bought_before_the_member_was_verified() {
    each(|db| async move {
        found_with(&db, shipped('G').terms()).await;
        let mut b = Terminal::start(TERMINAL_B);
        let early = buy(&mut b, 0, 9, 32_000, (None, 0));
        let known = buy(&mut b, 60, 1, 32_000, (None, 320));
        b.upload(&db).await;
        assert_eq!((points(&db, 1).await, standing(&db, known).await), (320, applied()));
        assert_eq!(standing(&db, early).await, ("held".to_owned(), Some(13)));
        let joins = MemberSet {
            member: member(9),
            number: "M9".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([9; 32]),
            joined: Some(TODAY.plus(1)),
        };
        act(&db, 60, NOON, Act::MembersSet(vec![joins])).await;
        act(&db, 61, NOON, Act::CardsSet(vec![card(9, Some(member(9)))])).await;
        assert_eq!((points(&db, 9).await, standing(&db, early).await), (0, applied()));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k15_points_by_hand_are_only_for_who_holds_a_main_card() {
    each(|db| async move {
        found_with(&db, shipped('K').terms()).await;
        let joins = MemberSet {
            member: member(6),
            number: "M6".to_owned(),
            level: None,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([6; 32]),
            joined: None,
        };
        act(&db, 60, NOON, Act::MembersSet(vec![joins])).await;
        let change = |n: u8| PointsChange {
            id: Hash([n; 32]),
            member: member(6),
            points: 10,
            cause: "care".to_owned(),
            office: OFFICE_A,
            occurrence: None,
            fact: None,
            reason: Hash([0; 32]),
        };
        let given = |n| PointsChanged { changes: vec![change(n)], waits: false, trigger: None };
        let asked = |db: Db, change: PointsChange| async move {
            db.read(move |tx| store::check(tx, &change, (false, 0), NOON)).await.expect("readable")
        };
        assert_eq!(asked(db.clone(), change(1)).await, Err(NotChanged::MainCard));
        act(&db, 61, NOON, Act::PointsChanged(given(1))).await;
        assert_eq!(points(&db, 6).await, 0, "nobody asked the desk");
        act(&db, 62, NOON, Act::CardsSet(vec![card(6, Some(member(6)))])).await;
        assert_eq!(asked(db.clone(), change(2)).await, Ok(()));
        act(&db, 63, NOON, Act::PointsChanged(given(2))).await;
        assert_eq!(points(&db, 6).await, 10);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_a_later_version_changes_nothing_that_was_posted_before() {
    each(|db| async move {
        found_with(&db, shipped('G').terms()).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = buy(&mut a, 0, 1, 32_000, (None, 530));
        a.upload(&db).await;
        let (points_before, rules_before) = (points(&db, 1).await, rules(&db, bought).await);
        assert_eq!((points_before, rules_before.clone()), (530, vec![("G4".to_owned(), 1)]));
        let mut dear = Scheme { version: 2, ..shipped('G') };
        dear.sheets.clear();
        dear.earnings[0].points_per = 7;
        act(&db, 60, NOON.offset(3_600 * SECOND_US), Act::SchemeSet(dear.terms())).await;
        // What concerns the purchase comes after the new version: it is judged again, by its own.
        let back = give_back(&mut a, 120, bought, 53);
        a.upload(&db).await;
        assert_eq!((points(&db, 1).await, standing(&db, back).await), (477, applied()));
        assert_eq!(rules(&db, bought).await, rules_before, "by the version that rated it");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_a_terminal_that_does_not_hold_the_newest_sheet_is_honoured_for_some_days() {
    each(|db| async move {
        found_with(&db, shipped('G').terms()).await;
        let mut dear = Scheme { version: 2, ..shipped('G') };
        dear.sheets = vec![Sheet { sheet_no: 3_000, b_factor_bp: 40_000, ..dear.sheets[0].clone() }];
        act(&db, 60, NOON.offset(600 * SECOND_US), Act::SchemeSet(dear.terms())).await;
        let mut a = Terminal::start(TERMINAL_A);
        let before = buy(&mut a, 0, 1, 32_000, (None, 530));
        let after = buy(&mut a, 4_000, 2, 32_000, (None, 530));
        a.upload(&db).await;
        assert_eq!((points(&db, 1).await, standing(&db, before).await), (530, applied()));
        let honoured = ("applied_with_case".to_owned(), Some(17));
        assert_eq!((points(&db, 2).await, standing(&db, after).await), (530, honoured));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_the_cap_of_a_rule_holds_over_both_shops_whichever_arrives_first() {
    for swap in [false, true] {
        each(move |db| async move {
            let mut shops = shipped('G');
            shops.sheets.clear();
            shops.earnings[0].cap = Some(RuleCap { period: Period::Month, most: 500 });
            found_with(&db, shops.terms()).await;
            let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
            let early = buy(&mut a, 0, 1, 32_000, (None, 320));
            let late = buy(&mut b, 7_200, 1, 32_000, (None, 320));
            let mut both = [&mut a, &mut b];
            if swap {
                both.reverse();
            }
            for terminal in both {
                terminal.upload(&db).await;
            }
            assert_eq!((points(&db, 1).await, standing(&db, early).await), (500, applied()));
            let cut = ("applied_with_case".to_owned(), Some(23));
            assert_eq!(standing(&db, late).await, cut);
            // A return frees room for the later one.
            give_back(&mut a, 10_800, early, 320);
            a.upload(&db).await;
            assert_eq!((points(&db, 1).await, standing(&db, late).await), (320, applied()));
            sums_hold(&db).await;
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_23_the_cap_of_a_new_version_counts_what_its_period_gave_before_it() {
    each(|db| async move {
        let mut shops = shipped('G');
        shops.sheets.clear();
        found_with(&db, shops.terms()).await;
        let policy = Policy { rate_grace_days: 0, ..Policy::default() };
        act(&db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let early = buy(&mut a, 0, 1, 32_000, (None, 320));
        let at = NOON.offset(60 * SECOND_US);
        let batch = a.batch_at(at);
        entry(&db, EntryId([70; 16]), at, EntryBody::Batch(batch)).await;
        assert_eq!(points(&db, 1).await, 320);
        shops.version = 2;
        shops.earnings[0].cap = Some(RuleCap { period: Period::Month, most: 500 });
        act(&db, 60, NOON.offset(600 * SECOND_US), Act::SchemeSet(shops.terms())).await;
        let late = buy(&mut b, 7_200, 1, 32_000, (None, 320));
        b.upload(&db).await;
        assert_eq!(points(&db, 1).await, 500, "320 of the month were given before it");
        assert_eq!(standing(&db, early).await, applied());
        assert_eq!(standing(&db, late).await, ("applied_with_case".to_owned(), Some(23)));
        sums_hold(&db).await;
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_20_a_terminal_that_names_a_version_which_gives_less_passes_no_limit_by_that() {
    each(|db| async move {
        found(&db).await;
        let mut policy = Policy { rate_grace_days: 0, ..Policy::default() };
        policy.issue.points_per_fact = Amount(100);
        act(&db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
        let earn = Some(EarnRate { per_fen: 10_000, points: 200 });
        let dear = SchemeTerms { earn, ..SchemeTerms::property_club(2, Day(0)) };
        act(&db, 60, NOON.offset(-600 * SECOND_US), Act::SchemeSet(dear)).await;
        let mut a = Terminal::start(TERMINAL_A);
        let bought = buy(&mut a, 0, 1, 100_000, (None, 20));
        a.upload(&db).await;
        assert_eq!(standing(&db, bought).await, ("held".to_owned(), Some(40)), "2,000 are due");
        assert_eq!(points(&db, 1).await, 0);
        replays(&db).await;
    })
    .await;
}

/// A club in which all of it meets: sheets at one shop, a part that waits for approval, a cap over both shops.
fn club() -> SchemeTerms {
    let mut scheme = shipped('G');
    let bonus = EarnRule {
        fixed_points: 7,
        approval: Approval::Pending,
        of: Some("home".to_owned()),
        ..EarnRule::new("K22", EarnKind::Purchase)
    };
    scheme.earnings.push(bonus);
    scheme.terms()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g07_k21_the_weekly_message_says_that_a_part_waits() {
    each(|db| async move {
        found_with(&db, club()).await;
        let mut b = Terminal::start(TERMINAL_B);
        let home = Paid { goods: "home".to_owned(), ..Paid::default() };
        buy(&mut b, 0, 1, 10_000, (Some(home), 100));
        buy(&mut b, 600, 1, 10_000, (None, 100));
        b.upload(&db).await;
        let week = TODAY.plus(-6);
        let told = db.read(move |tx| purchases::recorded(tx, member(1), week)).await.expect("readable");
        let told: Vec<_> = told.iter().map(|line| (line.points, line.waits)).collect();
        assert_eq!(told, [(100, true), (100, false)], "of the week of Monday {week}");
    })
    .await;
}

/// Two terminals' batches in an order: `true` is a batch of A, `false` one of B.
async fn run(order: &[bool]) -> Vec<Vec<String>> {
    let db = Db::memory().expect("memory");
    found_with(&db, club()).await;
    let cap = EarnCap {
        unit: Unit::Pts,
        period: Period::Month,
        most: Amount(1_500),
        events: Vec::new(),
        offices: Vec::new(),
    };
    let policy = Policy { earn_caps: vec![cap], ..Policy::default() };
    act(&db, 58, NOON.offset(-10_000 * SECOND_US), Act::PolicySet(Box::new(policy))).await;
    let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
    let mut turns = (0, 0);
    for from_a in order {
        let (terminal, turn, shift) =
            if *from_a { (&mut a, &mut turns.0, 0) } else { (&mut b, &mut turns.1, 300) };
        let seconds = *turn * 1_000 + shift;
        let first = buy(terminal, seconds, 1, 32_000, (None, 320));
        let home = Paid { goods: "home".to_owned(), ..Paid::default() };
        buy(terminal, seconds + 20, 1, 10_000, (Some(home), 100));
        give_back(terminal, seconds + 40, first, 32);
        terminal.upload(&db).await;
        *turn += 1;
    }
    sums_hold(&db).await;
    normal_form(&db).await
}

#[tokio::test(flavor = "multi_thread")]
async fn inv_19_what_purchases_earn_follows_the_set_of_facts_not_their_arrival() {
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
