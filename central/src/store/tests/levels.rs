//! Levels of members in the books, on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, BalancesOpened, LevelMove, LevelWhy, LevelsMoved, MemberSet, Opening};
use hufu_shared::fact::{Event, Reversed, Shown};
use hufu_shared::ids::{EntryId, Hash, MemberId};
use hufu_shared::member::MemberStatus;
use hufu_shared::money::{Amount, Leg, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::rules::level;
use hufu_shared::scheme::Scheme;
use hufu_shared::scheme::level::{Ladder, Measure};
use hufu_shared::scheme::ready;
use hufu_shared::time::{DAY_US, Instant};

use super::kit::*;
use super::stock::replays;
use super::{bounded, earned, value};
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::entry::EntryBody;
use crate::store::statement::Place;
use crate::store::{StoreError, levels, people, statement};

/// What the job does at a moment, as one act; how many steps it took.
async fn look(db: &Db, n: u8, now: Instant) -> usize {
    let Some(look) = db.read(move |tx| levels::look_due(tx, now)).await.expect("readable") else { return 0 };
    let (until, scheme) = (look.days.1, look.version);
    let due = db
        .read(move |tx| levels::moves_due(tx, &look, MemberId([0; 16]), levels::MEMBERS_STEP_MAX))
        .await
        .expect("readable");
    assert_eq!(due.1, None, "a small club");
    let moves = due.0;
    let steps = moves.len();
    act(db, n, now, Act::LevelsMoved(LevelsMoved { until, scheme, moves })).await;
    steps
}

/// The levels of a shipped scheme, changed, in a policy that lets terminals give much.
async fn with_levels(db: &Db, letter: &str, change: impl Fn(&mut Scheme)) -> Scheme {
    found(db).await;
    let mut club: Scheme = toml::from_str(ready::find(letter).expect("shipped").text).expect("a scheme");
    change(&mut club);
    let mut policy = Policy { levels: Ladder::of(&club), ..Policy::default() };
    policy.issue.points_per_fact = Amount(100_000);
    policy.issue.points_per_day = Amount(1_000_000);
    act(db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
    club
}

/// Gives growth, by the act of a batch of that name.
async fn grow(db: &Db, n: u8, now: Instant, who: u8, growth: i64) {
    let leg = Leg { unit: Unit::Growth, amount: Amount(growth) };
    let row = Opening { member: member(who), leg, office: OFFICE_A, at: None };
    let opened = BalancesOpened { batch: format!("batch {n}"), rows: vec![row], reason: Hash([n; 32]) };
    act(db, n, now, Act::BalancesOpened(opened)).await;
}

/// What a worker does who has looked up to a moment; how many steps it took, and up to when it has looked then.
async fn rise(db: &Db, n: u8, since: Option<Instant>, now: Instant) -> (usize, Option<Instant>) {
    let read = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let Some(news) = levels::news(tx, since, now)? else { return Ok(None) };
        Ok(Some((levels::rising(tx, &news, &news.members)?, news.newest)))
    };
    let Some((members, newest)) = db.read(read).await.expect("readable") else { return (0, since) };
    let raise = move |tx: &mut Tx<'_>| levels::rise(tx, &members, EntryId([n; 16]), now);
    (db.write(raise).await.expect("raised"), Some(newest))
}

async fn steps_of(db: &Db, who: u8) -> Vec<LevelMove> {
    let mut steps = db.read(move |tx| levels::steps(tx, member(who), 9)).await.expect("readable");
    steps.reverse();
    steps.iter().map(|step| step.moved).collect()
}

fn told(steps: &[LevelMove]) -> Vec<(LevelWhy, String, u8, u8)> {
    steps.iter().map(|of| (of.why, of.day.to_string(), of.from, of.to.rank)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b01_b02_growth_raises_a_member_and_the_end_of_the_level_takes_its_part_once() {
    each(|db| async move {
        with_levels(&db, "B", |_| {}).await;
        grow(&db, 50, NOON, 1, 1_400).await;
        grow(&db, 51, NOON.offset(1), 2, 999).await;
        let at = |days: i64| NOON.offset(days * DAY_US);
        assert_eq!(look(&db, 60, at(1)).await, 1);
        assert_eq!(look(&db, 61, at(367)).await, 1, "twelve months later");
        let (rose, fell) = (LevelWhy::Rose, LevelWhy::Fell);
        let steps = steps_of(&db, 1).await;
        assert_eq!(
            told(&steps),
            [(rose, "2026-11-22".to_owned(), 0, 1), (fell, "2027-11-23".to_owned(), 1, 0)]
        );
        let measured: Vec<_> = steps.iter().map(|of| (of.measured, of.threshold)).collect();
        assert_eq!(measured, [(1_400, 1_000), (900, 1_000)]);
        // The same act again, and the look again, take nothing twice.
        let again = LevelMove { taken: Some(500), ..steps[1] };
        let again = LevelsMoved { until: again.day, scheme: 1, moves: vec![again] };
        act(&db, 62, at(368), Act::LevelsMoved(again)).await;
        assert_eq!(look(&db, 63, at(369)).await, 0);
        let lines = move |tx: &mut Tx<'_>| statement::lines(tx, (member(1), Unit::Growth), Place::FIRST, 9);
        let lines = db.read(lines).await.expect("readable");
        let read: Vec<_> = lines
            .iter()
            .map(|line| {
                (line.day.to_string(), line.code.as_str(), line.change, line.after, line.rule.as_str())
            })
            .collect();
        assert_eq!(read.len(), 2, "{read:?}");
        assert_eq!(read[1], ("2027-11-23".to_owned(), "level_ended", -500, 900, "B2"));
        assert!(steps_of(&db, 2).await.is_empty(), "one too few");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b02_a_member_rises_at_once_and_is_read_so_by_terminals_and_nobody_rises_twice() {
    each(|db| async move {
        let club = with_levels(&db, "B", |_| {}).await;
        let hour = |hours: i64| NOON.offset(hours * DAY_US / 24);
        grow(&db, 50, hour(0), 1, 1_000).await;
        assert_eq!(rise(&db, 70, None, hour(1)).await, (0, None), "yesterday was not looked at");
        assert_eq!(look(&db, 60, hour(1)).await, 0);
        let (risen, since) = rise(&db, 71, None, hour(2)).await;
        assert_eq!(risen, 1);
        let read = db.read(move |tx| people::member(tx, member(1))).await.expect("readable").expect("there");
        assert_eq!(read.level, Some(words("银牌会员", "Silver")), "as terminals greet them");
        assert_eq!(rise(&db, 72, since, hour(3)).await.0, 0);
        assert_eq!(rise(&db, 73, None, hour(3)).await.0, 0, "nor by a process that began to look just now");
        // Another process had found the same: only what is new counts.
        let first = steps_of(&db, 1).await[0];
        assert_eq!((first.day.to_string().as_str(), first.place), ("2026-11-22", Some(1)));
        let to = level::by_hand(&club, 2, first.day);
        let second = LevelMove { from: 1, to, place: Some(2), ..first };
        let late = LevelsMoved { until: first.day.plus(-1), scheme: 1, moves: vec![first, second] };
        act(&db, 74, hour(4), Act::LevelsMoved(late)).await;
        assert_eq!(steps_of(&db, 1).await.len(), 2);
        assert_eq!(look(&db, 61, NOON.offset(DAY_US)).await, 0, "the day's end finds them where they stand");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b02_what_comes_back_on_the_same_day_takes_no_level_away_whether_anybody_looked_between() {
    for at_once in [true, false] {
        each(move |db| async move {
            with_levels(&db, "P", |_| {}).await;
            assert_eq!(look(&db, 60, NOON).await, 0, "the day before");
            let mut terminal = Terminal::start(TERMINAL_A);
            let bought = terminal.purchase(0, 1, 6_000_000, 1_200);
            terminal.upload(&db).await;
            if at_once {
                assert_eq!(rise(&db, 70, None, ARRIVAL.offset(DAY_US / 24)).await.0, 1);
            }
            let legs = vec![Leg { unit: Unit::Pts, amount: Amount(1_200) }];
            let back = Reversed { original: bought, legs, reason: "goods".to_owned(), slip: None };
            terminal.record(600, Shown::Accepted, Event::Reversed(back));
            terminal.upload(&db).await;
            assert_eq!(points(&db, 1).await, 0);
            assert_eq!(look(&db, 61, NOON.offset(DAY_US)).await, usize::from(!at_once));
            let rose = (LevelWhy::Rose, "2026-11-22".to_owned(), 0, 1);
            assert_eq!(told(&steps_of(&db, 1).await), [rose], "{at_once}");
            replays(&db).await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_a_purchase_counts_from_when_it_was_known_whose_it_is_however_late_the_look() {
    for looks in [vec![2_i64, 5], vec![5]] {
        each(move |db| {
            let looks = looks.clone();
            async move {
                let spend = |club: &mut Scheme| {
                    (club.levels[1].measure, club.levels[1].threshold) = (Measure::PeriodSpend, 100_000);
                };
                with_levels(&db, "P", spend).await;
                let mut terminal = Terminal::start(TERMINAL_A);
                terminal.purchase(0, 77, 100_000, 20);
                terminal.upload(&db).await;
                let at = |days: i64| NOON.offset(days * DAY_US);
                for (n, day) in (60..).zip(looks) {
                    if day == 5 {
                        let bound = Act::CardsSet(vec![card(77, Some(member(3)))]);
                        act(&db, 50, at(3), bound).await;
                    }
                    look(&db, n, at(day)).await;
                }
                let rose = (LevelWhy::Rose, "2026-11-25".to_owned(), 0, 1);
                assert_eq!(told(&steps_of(&db, 3).await), [rose]);
                replays(&db).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_levels_rise_by_points_hold_for_the_year_and_fall_with_it_and_terminals_read_them() {
    each(|db| async move {
        found(&db).await;
        let pharmacy: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        let mut policy = Policy::default();
        pharmacy.write_into(&mut policy);
        policy.issue.points_per_fact = Amount(100_000);
        policy.issue.points_per_day = Amount(1_000_000);
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 1, 6_000_000, 1_200);
        terminal.purchase(10, 2, 5_995_000, 1_198);
        terminal.upload(&db).await;
        assert_eq!(points(&db, 1).await, 1_200);
        let at = |days: i64| NOON.offset(days * DAY_US);
        assert_eq!(look(&db, 60, at(1)).await, 1, "1200 in the quarter");
        assert_eq!(look(&db, 61, at(1)).await, 0, "looked at");
        let known = db.read(move |tx| levels::level(tx, member(1))).await.expect("readable").expect("moved");
        let until = known.standing.until.map(|until| until.to_string());
        assert_eq!((known.standing.rank, until.as_deref()), (1, Some("2026-12-31")));
        assert_eq!(db.read(move |tx| levels::level(tx, member(2))).await.expect("readable"), None);
        let read = db.read(move |tx| people::member(tx, member(1))).await.expect("readable").expect("there");
        assert_eq!(read.level, Some(words("金卡", "Gold")), "as terminals greet them");
        // The same act again moves nothing twice, and the year ends the level.
        assert_eq!(look(&db, 62, at(60)).await, 1);
        let steps = db.read(move |tx| levels::steps(tx, member(1), 9)).await.expect("readable");
        let told: Vec<_> = steps
            .iter()
            .map(|of| {
                (of.moved.why, of.moved.day.to_string(), of.moved.measured, of.moved.threshold, of.scheme)
            })
            .collect();
        assert_eq!(
            told,
            [
                (LevelWhy::Fell, "2027-01-01".to_owned(), 0, 1_200, 1),
                (LevelWhy::Rose, "2026-11-22".to_owned(), 1_200, 1_200, 1),
            ]
        );
        let older = db.read(move |tx| levels::steps_before(tx, member(1), 2, 9)).await.expect("readable");
        assert_eq!(older, steps[1..], "a page begins before a number");
        let again = LevelsMoved { until: steps[1].moved.day, scheme: 1, moves: vec![steps[1].moved] };
        act(&db, 63, at(61), Act::LevelsMoved(again)).await;
        assert_eq!(db.read(move |tx| levels::steps(tx, member(1), 9)).await.expect("readable").len(), 2);
        let read = db.read(move |tx| people::member(tx, member(1))).await.expect("readable").expect("there");
        assert_eq!(read.level, Some(words("普通会员", "Ordinary")));
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p05_a_level_that_was_brought_ends_on_its_day_though_it_is_looked_at_each_day() {
    for days in [vec![39_i64, 40, 41], vec![41]] {
        each(move |db| {
            let days = days.clone();
            async move {
                found(&db).await;
                let pharmacy: Scheme =
                    toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
                let mut policy = Policy::default();
                pharmacy.write_into(&mut policy);
                act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
                let brought = MemberSet {
                    member: member(3),
                    number: "M3".to_owned(),
                    level: Some(words("金卡", "Gold")),
                    status: MemberStatus::Active,
                    office: None,
                    personal: Hash([3; 32]),
                    joined: Some("2020-05-01".parse().expect("a day")),
                };
                act(&db, 41, NOON.offset(-DAY_US / 3), Act::MembersSet(vec![brought])).await;
                let mut steps = 0;
                for (n, day) in (60..).zip(&days) {
                    steps += look(&db, n, NOON.offset(day * DAY_US)).await;
                }
                let known = db.read(move |tx| levels::level(tx, member(3))).await.expect("readable");
                let fell = known.map(|known| (known.day.to_string(), known.standing.rank));
                assert_eq!((steps, fell), (1, Some(("2027-01-01".to_owned(), 0))), "{days:?}");
                replays(&db).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b02_a_level_that_is_given_later_runs_from_that_day_and_what_was_due_comes_first() {
    each(|db| async move {
        with_levels(&db, "P", |_| {}).await;
        let mut terminal = Terminal::start(TERMINAL_A);
        terminal.purchase(0, 3, 6_000_000, 1_200);
        terminal.upload(&db).await;
        let at = |days: i64| NOON.offset(days * DAY_US);
        let gold = |n: u8| MemberSet {
            member: member(n),
            number: format!("M{n}"),
            level: Some(words("金卡", "Gold")),
            status: MemberStatus::Active,
            office: None,
            personal: Hash([n; 32]),
            joined: None,
        };
        let sets = vec![gold(1), gold(3)];
        let (rows, again) = (sets.clone(), sets.clone());
        let given = db.read(move |tx| levels::given(tx, &rows, at(420))).await.expect("readable");
        act(&db, 50, at(420), Act::MembersSet(sets)).await;
        act(&db, 51, at(420), given.expect("two levels")).await;
        let none = db.read(move |tx| levels::given(tx, &again, at(421))).await.expect("readable");
        assert_eq!(none, None, "who has it is not given it again");
        assert_eq!(look(&db, 60, at(422)).await, 0, "nobody has had it since they came");
        assert_eq!(look(&db, 61, at(800)).await, 2);
        let (given, fell) = (LevelWhy::Given, LevelWhy::Fell);
        let rest = [(given, "2028-01-16".to_owned(), 0, 1), (fell, "2029-01-01".to_owned(), 1, 0)];
        assert_eq!(told(&steps_of(&db, 1).await), rest);
        let risen = [
            (LevelWhy::Rose, "2026-11-22".to_owned(), 0, 1),
            (fell, "2027-01-01".to_owned(), 1, 0),
            rest[0].clone(),
            rest[1].clone(),
        ];
        assert_eq!(told(&steps_of(&db, 3).await), risen);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_a_return_takes_off_what_was_paid_once_whenever_its_terminal_says_that_it_was() {
    each(|db| async move {
        found(&db).await;
        let mut club: Scheme = toml::from_str(ready::find("P").expect("shipped").text).expect("a scheme");
        (club.levels[1].measure, club.levels[1].threshold) = (Measure::PeriodSpend, 100_000);
        let policy = Policy { levels: Ladder::of(&club), ..Policy::default() };
        act(&db, 40, NOON.offset(-DAY_US / 2), Act::PolicySet(Box::new(policy))).await;
        let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
        let whole = |original| {
            let legs = vec![Leg { unit: Unit::Pts, amount: Amount(20) }];
            Event::Reversed(Reversed { original, legs, reason: "goods".to_owned(), slip: None })
        };
        let early = a.purchase(600, 1, 100_000, 20);
        b.record(0, Shown::Accepted, whole(early));
        let twice = a.purchase(700, 2, 100_000, 20);
        a.record(800, Shown::Accepted, whole(twice));
        a.record(900, Shown::Accepted, whole(twice));
        a.purchase(1_800, 2, 100_000, 20);
        // The return comes first: who had risen by the purchase alone would stay risen.
        b.upload(&db).await;
        a.upload(&db).await;
        look(&db, 60, NOON.offset(DAY_US)).await;
        let rank = async |n: u8| db.read(move |tx| levels::rank(tx, member(n))).await.expect("readable");
        assert_eq!((rank(1).await, rank(2).await), (0, 1), "all of it came back, and one of two");
        replays(&db).await;
    })
    .await;
}

/// A club whose gold level asks for a thousand yuan that were paid.
async fn with_gold_by_spend(db: &Db) {
    with_levels(db, "P", |club| {
        (club.levels[1].measure, club.levels[1].threshold) = (Measure::PeriodSpend, 100_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_of_a_purchase_that_promised_growth_alone_a_return_takes_its_part_of_what_was_paid() {
    each(|db| async move {
        with_gold_by_spend(&db).await;
        let grown = |amount| vec![Leg { unit: Unit::Growth, amount: Amount(amount) }];
        let mut a = Terminal::start(TERMINAL_A);
        for (n, back) in [(1, 500), (2, 1_500)] {
            let bought = bounded::sale(&mut a, i64::from(n) * 60, n, 200_000, grown(2_000));
            let (legs, reason) = (grown(back), "goods".to_owned());
            let reversed = Reversed { original: bought, legs, reason, slip: None };
            a.record(i64::from(n) * 600, Shown::Accepted, Event::Reversed(reversed));
        }
        a.upload(&db).await;
        look(&db, 60, NOON.offset(DAY_US)).await;
        let rank = async |n: u8| db.read(move |tx| levels::rank(tx, member(n))).await.expect("readable");
        assert_eq!((rank(1).await, rank(2).await), (1, 0), "a quarter came back, and three");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_p01_what_came_back_of_a_purchase_stays_back_when_it_counts_no_more_however_late_the_look() {
    for looks in [vec![2_i64, 5], vec![5]] {
        each(move |db| {
            let looks = looks.clone();
            async move {
                with_gold_by_spend(&db).await;
                let (mut a, mut b) = (Terminal::start(TERMINAL_A), Terminal::start(TERMINAL_B));
                value::sale(&mut b, 0, 2, 20, "7", None);
                let bought = value::sale(&mut a, 600, 1, 20, "7", None);
                earned::give_back(&mut a, 700, bought, 20);
                a.upload(&db).await;
                let at = |days: i64| NOON.offset(days * DAY_US);
                for (n, day) in (60..).zip(looks) {
                    if day == 5 {
                        // The sale of the slip turns out to have been another's.
                        let batch = b.batch_at(at(3));
                        entry(&db, EntryId([90; 16]), at(3), EntryBody::Batch(batch)).await;
                        assert_eq!(standing(&db, bought).await, ("no_effect".to_owned(), Some(32)));
                    }
                    look(&db, n, at(day)).await;
                }
                assert!(steps_of(&db, 1).await.is_empty(), "nothing of it was kept at any time");
                let rose = (LevelWhy::Rose, "2026-11-25".to_owned(), 0, 1);
                assert_eq!(told(&steps_of(&db, 2).await), [rose], "whose it was");
                replays(&db).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn every_statement_about_levels_is_one_that_both_databases_take() {
    prepare_all(&[&levels::SQL]).await;
}
