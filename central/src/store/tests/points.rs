//! Changes of points with their cause, approval, triggers, what terminals give back, the weekly message and the statement,
//! on both databases; each story is replayed from its journal at the end.

use hufu_shared::act::{Act, Actor, PointsChange, PointsChanged, PointsDecided, PointsTrigger, TriggerOn};
use hufu_shared::fact::{Event, LeaseClosed, Shown, Visited};
use hufu_shared::ids::{EntryId, Hash, MemberId, OperatorId};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::time::{DAY_US, Day, Instant, SECOND_US};
use hufu_shared::wire::lease::RecallState;

use super::asks::{ask, heard, seen_at_both};
use super::clocks::late;
use super::kit::*;
use super::stock::replays;
use crate::db::Db;
use crate::db::testing::{each, prepare_all};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::joining::notice::About;
use crate::rules::points::{NotChanged, State};
use crate::store::statement::{Line, Place};
use crate::store::{joining, leases, points as store, purchases, recalls, redemption, statement};

const ASKER: OperatorId = OperatorId([0x91; 16]);
const OTHER: OperatorId = OperatorId([0x92; 16]);
const TRIGGER: Hash = Hash([0x77; 32]);

fn change(name: u8, n: u8, points: i64, cause: &str) -> PointsChange {
    PointsChange {
        id: Hash([name; 32]),
        member: member(n),
        points,
        cause: cause.to_owned(),
        office: OFFICE_A,
        occurrence: (cause == "activity").then_some(SALON),
        fact: None,
        reason: Hash([name; 32]),
    }
}

fn changed(changes: Vec<PointsChange>, waits: bool) -> Act {
    Act::PointsChanged(PointsChanged { changes, waits, trigger: None })
}

/// Takes an act of a person.
async fn act_of(db: &Db, person: OperatorId, n: u8, at: Instant, act: Act) {
    let taken = TakenAct { actor: Actor::Admin(person), act, seen: Vec::new() };
    entry(db, EntryId([n; 16]), at, EntryBody::Act(taken)).await;
}

async fn state(db: &Db, name: u8) -> Option<State> {
    let known = db.read(move |tx| store::change(tx, Hash([name; 32]))).await.expect("readable");
    known.map(|known| known.state)
}

/// The whole statement of a member, read by pages of two.
async fn lines(db: &Db, n: u8, unit: Unit) -> Vec<Line> {
    let mut all: Vec<Line> = Vec::new();
    loop {
        let after = all.last().map_or(Place::FIRST, Line::place);
        assert_eq!(Place::parse(&after.text()), Some(after));
        let page = db.read(move |tx| statement::lines(tx, (member(n), unit), after, 2)).await.expect("lines");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_k23_points_change_for_a_cause_once_and_never_below_zero() {
    each(|db| async move {
        found(&db).await;
        act_of(&db, ASKER, 60, late(1), changed(vec![change(1, 1, 100, "purchase")], false)).await;
        // The same again, by whoever sends it, is the same.
        act_of(&db, OTHER, 61, late(2), changed(vec![change(1, 1, 100, "purchase")], false)).await;
        assert_eq!(points(&db, 1).await, 100);
        // More than there is has no effect; of two that together are too much the first has.
        let taken = vec![
            change(2, 1, -101, "complaint"),
            change(3, 1, -60, "complaint"),
            change(4, 1, -60, "complaint"),
            change(5, 1, -40, "care"),
            change(6, 1, 0, "care"),
            change(7, 1, 5, ""),
            change(8, 9, 5, "care"),
        ];
        act_of(&db, ASKER, 62, late(3), changed(taken, false)).await;
        assert_eq!(points(&db, 1).await, 0);
        let mut kept = Vec::new();
        for name in 1..=8 {
            kept.push(state(&db, name).await.is_some());
        }
        assert_eq!(kept, [true, false, true, false, true, false, false, false]);
        // An activity is named, and each line has its cause, rule and version.
        act_of(&db, ASKER, 63, late(4), changed(vec![change(9, 1, 7, "activity")], false)).await;
        let told = lines(&db, 1, Unit::Pts).await;
        assert!(told.iter().all(|line| line.after >= 0), "no line stands below zero");
        assert_eq!(told.last().map(|line| line.after), Some(points(&db, 1).await));
        let mut told: Vec<_> = told
            .iter()
            .map(|line| {
                (
                    line.booked,
                    line.cause.as_deref().expect("a cause"),
                    line.change,
                    line.rule.as_str(),
                    line.scheme,
                )
            })
            .collect();
        told.sort();
        let told: Vec<_> =
            told.into_iter().map(|(_, cause, change, rule, scheme)| (cause, change, rule, scheme)).collect();
        assert_eq!(
            told,
            [
                ("purchase", 100, "K20", 1),
                ("care", -40, "K23", 1),
                ("complaint", -60, "K23", 1),
                ("activity", 7, "K20", 1)
            ]
        );
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_what_waits_is_posted_only_once_another_person_approves_it() {
    each(|db| async move {
        found(&db).await;
        let asked =
            vec![change(1, 1, 50, "purchase"), change(2, 1, -50, "complaint"), change(3, 2, 9, "care")];
        act_of(&db, ASKER, 60, late(1), changed(asked, true)).await;
        assert_eq!((points(&db, 1).await, state(&db, 1).await), (0, Some(State::Waiting)));
        let decide = |names: &[u8], approved| {
            let changes = names.iter().map(|name| Hash([*name; 32])).collect();
            Act::PointsDecided(PointsDecided { changes, approved, reason: Hash([9; 32]) })
        };
        // Who asked decides nothing; what the member does not have goes on waiting.
        act_of(&db, ASKER, 61, late(2), decide(&[1, 2, 3], true)).await;
        act_of(&db, OTHER, 62, late(3), decide(&[2], true)).await;
        assert_eq!((points(&db, 1).await, state(&db, 2).await), (0, Some(State::Waiting)));
        act_of(&db, OTHER, 63, late(4), decide(&[1, 2], true)).await;
        act_of(&db, OTHER, 64, late(5), decide(&[3], false)).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (0, 0), "50 more and 50 fewer; 9 returned");
        let mut states = Vec::new();
        for name in 1..=3 {
            states.push(state(&db, name).await.expect("kept"));
        }
        assert_eq!(states, [State::Posted, State::Posted, State::Returned]);
        // What is decided stays so.
        act_of(&db, OTHER, 65, late(6), decide(&[1, 2, 3], true)).await;
        act_of(&db, OTHER, 66, late(7), decide(&[1, 2], false)).await;
        assert_eq!(lines(&db, 1, Unit::Pts).await.len(), 2);
        assert!(lines(&db, 2, Unit::Pts).await.is_empty());
        replays(&db).await;
    })
    .await;
}

fn trigger(on: TriggerOn, points: i64, per_fen: i64) -> Act {
    let cause = "purchase".to_owned();
    Act::PointsTriggerSet(PointsTrigger {
        id: TRIGGER,
        on,
        office: None,
        cause,
        points,
        per_fen,
        retired: false,
    })
}

/// All steps of the triggers; how many changes they made.
async fn rounds(db: &Db, n: u8, now: Instant) -> usize {
    let mut made = 0;
    for step in 0..50 {
        let entry = EntryId([n + step; 16]);
        match db.write(move |tx| store::step(tx, entry, now)).await.expect("a step") {
            Some(count) => made += count,
            None => return made,
        }
    }
    panic!("the triggers come to no end");
}

async fn waiting(db: &Db) -> Vec<(MemberId, i64)> {
    let all = db
        .read(move |tx| store::changes(tx, State::Waiting, store::FIRST_ASKED, 100))
        .await
        .expect("readable");
    let mut all: Vec<_> = all.iter().map(|known| (known.change.member, known.change.points)).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_k23_a_swipe_at_a_terminal_sets_a_trigger_off_and_another_person_approves() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 90_000, 18);
        a.upload(&db).await;
        act(&db, 60, late(1), trigger(TriggerOn::Earned, -3, 10_000)).await;
        assert_eq!(rounds(&db, 70, late(2)).await, 0, "what was recorded before does not count");
        a.purchase(60, 1, 25_000, 4);
        a.purchase(120, 2, 9_999, 0);
        a.record(180, Shown::Accepted, Event::Visited(Visited { subject: subject(1) }));
        let batch = a.batch_at(late(3));
        entry(&db, EntryId([80; 16]), late(3), EntryBody::Batch(batch)).await;
        assert_eq!(rounds(&db, 90, late(4)).await, 1, "a full step of one purchase");
        assert_eq!(rounds(&db, 100, late(5)).await, 0, "once");
        assert_eq!(waiting(&db).await, [(member(1), -6)]);
        let before = points(&db, 1).await;
        let all = db
            .read(move |tx| store::changes(tx, State::Waiting, store::FIRST_ASKED, 9))
            .await
            .expect("readable");
        let changes = vec![all[0].change.id];
        assert!(all[0].change.fact.is_some() && all[0].asker == "job/points");
        let decided = PointsDecided { changes, approved: true, reason: Hash([9; 32]) };
        act_of(&db, OTHER, 120, late(6), Act::PointsDecided(decided)).await;
        assert_eq!(points(&db, 1).await, before - 6);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_a_trigger_that_catches_up_makes_what_it_would_have_made_in_time() {
    let mut ends = Vec::new();
    for in_time in [true, false] {
        let db = Db::memory().expect("memory");
        found(&db).await;
        act(&db, 60, NOON.offset(-7_200 * SECOND_US), trigger(TriggerOn::Visited, 2, 0)).await;
        let mut a = Terminal::start(TERMINAL_A);
        for (n, hour) in (1..=5).zip(1_i64..) {
            let visited = Event::Visited(Visited { subject: subject(n) });
            a.record(i64::from(n) * 600, Shown::Accepted, visited);
            let at = late(hour * 3_600);
            let batch = a.batch_at(at);
            entry(&db, EntryId([n + 0xa0; 16]), at, EntryBody::Batch(batch)).await;
            if in_time {
                rounds(&db, 70 + 10 * n, at.offset(60 * SECOND_US)).await;
            }
        }
        rounds(&db, 140, late(9 * 3_600)).await;
        ends.push(waiting(&db).await);
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], (1..=5).map(|n| (member(n), 2)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k23_what_lies_at_a_terminal_is_asked_back_for_the_centre_and_taken_once_it_came() {
    const LATER: Instant = Instant(NOON.0 + 9 * 3600 * SECOND_US);
    each(|db| async move {
        found(&db).await;
        let (_, mut holder) = seen_at_both(&db).await;
        act_of(&db, ASKER, 40, LATER, changed(vec![change(1, 1, 100, "purchase")], false)).await;
        let lease = ask(&db, TERMINAL_B, None, 80, 50, LATER).await.row.expect("a lease");
        heard(&db, TERMINAL_B, LATER).await;
        let less = change(2, 1, -70, "complaint");
        let check = |db: Db, change: PointsChange| async move {
            db.read(move |tx| store::check(tx, &change, (false, 0), LATER)).await.expect("readable")
        };
        let short = Err(NotChanged::Short { missing: 50, escrow: 80 });
        assert_eq!(check(db.clone(), less.clone()).await, short);
        let of = (member(1), Unit::Pts);
        let told = db.write(move |tx| recalls::for_centre(tx, of, Amount(50), LATER)).await.expect("asked");
        let states: Vec<RecallState> = told.told.iter().map(|recall| recall.state).collect();
        assert_eq!((states, told.has_orders, told.may_come), (vec![RecallState::Closing], true, true));
        let orders = db.read(move |tx| leases::orders(tx, TERMINAL_B, LATER)).await.expect("orders");
        assert_eq!(orders.len(), 1, "the terminal is told");
        let closed = LeaseClosed { lease: lease.lease, generation: lease.generation, spent_total: Amount(0) };
        holder.record(7_300, Shown::Nothing, Event::LeaseClosed(closed));
        holder.upload(&db).await;
        assert_eq!(check(db.clone(), less.clone()).await, Ok(()));
        act_of(&db, ASKER, 41, LATER.offset(SECOND_US), changed(vec![less], false)).await;
        assert_eq!(points(&db, 1).await, 30);
        // What moved between the member's own accounts is no line; the last line is what the member has.
        let told = lines(&db, 1, Unit::Pts).await;
        assert_eq!(told.iter().map(|line| line.change).collect::<Vec<_>>(), [100, -70]);
        assert_eq!(told.last().map(|line| line.after), Some(30));
        replays(&db).await;
    })
    .await;
}

/// All steps of the weekly message at an instant; which weeks were told.
async fn weeks(db: &Db, n: u8, now: Instant) -> Vec<Day> {
    let (mut told, mut entry) = (Vec::new(), n);
    while let Some(week) = db.read(move |tx| purchases::due(tx, now)).await.expect("readable") {
        let mut after = Some(MemberId([0; 16]));
        while let Some(from) = after {
            let id = EntryId([entry; 16]);
            entry += 1;
            after = db.write(move |tx| purchases::step(tx, (week, from), id, now)).await.expect("a step").1;
        }
        told.push(week);
    }
    told
}

/// Messages about purchases: whose, of which week, telling how many purchases.
async fn messages(db: &Db) -> Vec<(MemberId, Day, usize)> {
    let first = (Instant(i64::MIN), Hash([0; 32]));
    let all = db.read(move |tx| joining::messages(tx, false, first, 100)).await.expect("readable");
    let mut told = Vec::new();
    for (_, known) in all.into_iter().filter(|(_, known)| known.about == About::Purchases) {
        let (member, week) = (known.member.expect("a member"), known.week.expect("a week"));
        let lines = db.read(move |tx| purchases::recorded(tx, member, week)).await.expect("readable");
        told.push((member, week, lines.len()));
    }
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g07_who_bought_in_a_week_is_told_once_what_was_recorded() {
    each(|db| async move {
        found(&db).await;
        let monday: Day = "2026-11-16".parse().expect("a day");
        let mut a = Terminal::start(TERMINAL_A);
        a.purchase(0, 1, 32_000, 6);
        a.purchase(600, 1, 10_000, 2);
        a.purchase(900, 2, 5_000, 0);
        a.check_in(1_200, 3);
        a.upload(&db).await;
        assert!(weeks(&db, 60, late(3_600)).await.is_empty(), "the week of the founding is not over");
        let next = NOON.offset(DAY_US);
        assert_eq!(weeks(&db, 70, next).await, [monday]);
        assert!(weeks(&db, 80, next.offset(DAY_US)).await.is_empty(), "once");
        assert_eq!(messages(&db).await, [(member(1), monday, 2), (member(2), monday, 1)]);
        let told = db.read(move |tx| purchases::recorded(tx, member(1), monday)).await.expect("readable");
        let told: Vec<_> = told.iter().map(|line| (line.fen, line.points, line.waits)).collect();
        assert_eq!(told, [(32_000, 6, false), (10_000, 2, false)]);
        // One that was bought that week and arrives in the next one stands in the message of that one. Two weeks later
        // both are caught up, the one without a purchase as well.
        a.purchase(1_500, 2, 40_000, 8);
        let at = NOON.offset(2 * DAY_US);
        let batch = a.batch_at(at);
        entry(&db, EntryId([90; 16]), at, EntryBody::Batch(batch)).await;
        assert_eq!(weeks(&db, 100, NOON.offset(16 * DAY_US)).await, [monday.plus(7), monday.plus(14)]);
        assert_eq!(
            messages(&db).await,
            [(member(1), monday, 2), (member(2), monday, 1), (member(2), monday.plus(7), 1)]
        );
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_the_statement_has_what_terminals_gave_and_adds_up_to_what_the_member_has() {
    each(|db| async move {
        found(&db).await;
        let mut a = Terminal::start(TERMINAL_A);
        a.check_in(0, 1);
        a.purchase(60, 1, 32_000, 6);
        a.upload(&db).await;
        act_of(&db, ASKER, 60, late(60), changed(vec![change(1, 1, -5, "complaint")], false)).await;
        let told = lines(&db, 1, Unit::Pts).await;
        let rules: Vec<_> = told.iter().map(|line| (line.change, line.rule.as_str(), line.scheme)).collect();
        let mut sorted = rules.clone();
        sorted.sort();
        assert_eq!(sorted, [(-5, "K23", 1), (6, "S2", 1), (10, "K26", 1)]);
        let attended = told.iter().find(|line| line.change == 10).and_then(|line| line.activity.as_ref());
        assert_eq!(attended.map(|name| name.en.as_str()), Some("Owners' salon"));
        assert_eq!(told.last().map(|line| line.after), Some(points(&db, 1).await));
        assert!(lines(&db, 1, Unit::Cny).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_points_is_one_that_both_databases_take() {
    prepare_all(&[&store::SQL, &redemption::SQL, &purchases::SQL, &statement::SQL]).await;
}
