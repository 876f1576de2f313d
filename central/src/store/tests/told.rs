//! Events that earn and are no purchases, on both databases; each story is replayed from its journal at the end.

mod refused;

use hufu_shared::act::{
    Act, Actor, EventTakenBack, EventTold, MemberSet, MembersMerged, PointsChange, PointsChanged,
    PointsDecided,
};
use hufu_shared::ids::{EntryId, Hash, OccurrenceId, OperatorId};
use hufu_shared::member::{MemberStatus, OccurrenceRow};
use hufu_shared::money::{Amount, Unit};
use hufu_shared::policy::Policy;
use hufu_shared::scheme::earning::{Approval, Balance, EarnKind, EarnRule};
use hufu_shared::scheme::level::Ladder;
use hufu_shared::scheme::{Scheme, ready};
use hufu_shared::time::{Day, Instant};

use super::clocks::late;
use super::kit::*;
use super::stock::replays;
use crate::db::testing::{each, prepare_all};
use crate::db::{Db, Tx};
use crate::rules::entry::{EntryBody, TakenAct};
use crate::rules::points::State;
use crate::rules::told::{NotTold, PAID_WHOLE};
use crate::store::acts::Note;
use crate::store::statement::{self, Place};
use crate::store::told::{self as store, Told};
use crate::store::{erasure, levels};
use crate::vault::Vault;

/// The business day of [`NOON`].
const TODAY: Day = Day(20_779);
const TELLER: OperatorId = OperatorId([0x91; 16]);
const OTHER: OperatorId = OperatorId([0x92; 16]);
/// A holding of an activity whose plan gives no points.
const PARTY: OccurrenceId = OccurrenceId([0x5c; 16]);

/// A shipped scheme as the first version of a club that had none before.
fn shipped(letter: &str) -> Scheme {
    let mut club: Scheme = toml::from_str(ready::find(letter).expect("shipped").text).expect("a scheme");
    (club.version, club.valid_from) = (1, Day(0));
    club
}

fn event(serial: &str, n: u8, (kind, of): (EarnKind, &str)) -> EventTold {
    EventTold {
        id: EventTold::name(kind, serial),
        member: member(n),
        kind,
        of: of.to_owned(),
        day: TODAY,
        cost: Amount::ZERO,
        paid_percent: PAID_WHOLE,
        serial: serial.to_owned(),
        office: OFFICE_A,
        occurrence: None,
        reason: Hash([0; 32]),
    }
}

fn task(serial: &str, of: &str) -> EventTold {
    event(serial, 1, (EarnKind::Task, of))
}

async fn act_of(db: &Db, person: OperatorId, n: u8, at: Instant, act: Act) {
    let taken = TakenAct { actor: Actor::Admin(person), act, seen: Vec::new() };
    entry(db, EntryId([n; 16]), at, EntryBody::Act(taken)).await;
}

async fn tell(db: &Db, n: u8, event: EventTold) {
    act_of(db, TELLER, n, late(n.into()), Act::EventTold(Box::new(event))).await;
}

async fn take_back(db: &Db, n: u8, event: &EventTold) {
    let taken = EventTakenBack { event: event.id, reason: Hash([0x1b; 32]) };
    act_of(db, TELLER, n, late(n.into()), Act::EventTakenBack(taken)).await;
}

/// Where what was given for an event is: rule, amount and state of each part.
async fn gave(db: &Db, event: &EventTold) -> Vec<(String, i64, State)> {
    let id = event.id;
    let parts = db.read(move |tx| store::changes(tx, id)).await.expect("readable");
    let rule = |part: &crate::rules::world::KnownPoints| {
        part.by_event.as_ref().map(|by| by.rule.clone()).expect("for an event")
    };
    parts.iter().map(|part| (rule(part), part.change.points, part.state)).collect()
}

async fn decide(db: &Db, (n, person): (u8, OperatorId), event: &EventTold, approved: bool) {
    let id = event.id;
    let parts = db.read(move |tx| store::changes(tx, id)).await.expect("readable");
    let changes = parts.iter().map(|part| part.change.id).collect();
    let decided = PointsDecided { changes, approved, reason: Hash([9; 32]) };
    act_of(db, person, n, late(n.into()), Act::PointsDecided(decided)).await;
}

/// What a member has of a unit, by the balances.
async fn has(db: &Db, n: u8, unit: Unit) -> i64 {
    let key = vec![format!("member/{}/available", member(n)).into(), unit.code().into()];
    count(db, "balance_of_unit", key).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_tasks_earn_once_a_day_up_to_a_cap_and_once_for_ever_however_often_they_are_told() {
    each(|db| async move {
        found_with(&db, shipped("B").terms()).await;
        tell(&db, 60, task("s1", "sign-in")).await;
        assert_eq!(points(&db, 1).await, 5);
        tell(&db, 61, task("s1", "sign-in")).await;
        assert_eq!(points(&db, 1).await, 5, "the same told twice");
        tell(&db, 62, task("s2", "sign-in")).await;
        assert_eq!(points(&db, 1).await, 5, "once a day");
        assert!(gave(&db, &task("s2", "sign-in")).await.is_empty());
        for (n, serial) in (63..).zip(["r1", "r2", "r3", "r4", "r5", "r6"]) {
            tell(&db, n, task(serial, "review")).await;
        }
        assert_eq!(points(&db, 1).await, 105, "five reviews fill the cap of the day");
        for (n, serial) in [(70, "b1"), (71, "b2")] {
            tell(&db, n, task(serial, "bind-account")).await;
        }
        assert_eq!(points(&db, 1).await, 205, "bound once for ever");
        tell(&db, 72, task("x1", "no-such-task")).await;
        tell(&db, 73, event("c1", 1, (EarnKind::Care, ""))).await;
        assert_eq!(points(&db, 1).await, 205, "no rule is for these");
        // What is told late is judged by what was told before it, and an earlier day is a day of its own.
        tell(&db, 74, EventTold { day: TODAY.plus(-1), ..task("s3", "sign-in") }).await;
        tell(&db, 75, EventTold { day: TODAY.plus(-1), ..task("s4", "sign-in") }).await;
        assert_eq!(points(&db, 1).await, 210);
        tell(&db, 76, event("s5", 2, (EarnKind::Task, "sign-in"))).await;
        assert_eq!(points(&db, 2).await, 5, "another member's day");
        let lines = db.read(move |tx| statement::lines(tx, (member(1), Unit::Pts), Place::FIRST, 99)).await;
        let lines = lines.expect("lines");
        assert!(lines.iter().all(|line| {
            let told = (line.cause.as_deref(), line.code.as_str(), line.rule.as_str(), line.scheme);
            told == (Some("task"), "earn_event", "B3", 1)
        }));
        assert_eq!(lines.len(), 8, "each names cause, rule and version");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_k21_care_complaints_and_activities_wait_until_another_person_approves() {
    each(|db| async move {
        found_with(&db, shipped("K").terms()).await;
        let care = event("c1", 1, (EarnKind::Care, ""));
        let settled = event("c1", 1, (EarnKind::Complaint, "settled"));
        let open = event("c2", 1, (EarnKind::Complaint, "open"));
        let party = OccurrenceRow { occurrence: PARTY, points: Amount::ZERO, ..occurrence() };
        act(&db, 50, late(50), Act::OccurrenceSet(party)).await;
        let activity = |serial: &str| event(serial, 1, (EarnKind::Activity, "salon"));
        let party = EventTold { occurrence: Some(PARTY), ..activity("a1") };
        let planned = EventTold { occurrence: Some(SALON), ..activity("a3") };
        let nowhere = activity("a2");
        for (n, event) in (60..).zip([&care, &settled, &open, &party, &nowhere, &planned]) {
            tell(&db, n, event.clone()).await;
        }
        assert_eq!(points(&db, 1).await, 0, "all of it waits");
        let waits = |rule: &str, points| vec![(rule.to_owned(), points, State::Waiting)];
        assert_eq!(gave(&db, &care).await, waits("K20", 5));
        assert_eq!(gave(&db, &settled).await, waits("K20", 10), "a serial is one event of its kind");
        assert!(gave(&db, &open).await.is_empty(), "only a complaint that is settled");
        assert_eq!(gave(&db, &party).await, waits("K21", 6));
        for (id, why) in
            [(nowhere.id, "K26: none that was approved is named"), (planned.id, "K26: its plan gives")]
        {
            let known = db.read(move |tx| store::event(tx, id)).await.expect("readable");
            assert_eq!(known, None, "{why}");
        }
        decide(&db, (66, TELLER), &care, true).await;
        assert_eq!(points(&db, 1).await, 0, "nobody approves their own");
        decide(&db, (67, OTHER), &care, true).await;
        decide(&db, (68, OTHER), &party, true).await;
        decide(&db, (69, OTHER), &settled, false).await;
        assert_eq!(points(&db, 1).await, 11, "5 of care and 6 of the activity; 10 returned");
        assert_eq!(gave(&db, &settled).await, [("K20".to_owned(), 10, State::Returned)]);
        let lines = db.read(move |tx| statement::lines(tx, (member(1), Unit::Pts), Place::FIRST, 9)).await;
        let lines = lines.expect("lines");
        let told: Vec<_> = lines.iter().map(|line| (line.cause.as_deref(), line.rule.as_str())).collect();
        assert_eq!(told, [(Some("care"), "K20"), (Some("activity"), "K21")]);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k26_part_in_an_activity_is_given_for_once_under_whatever_serials_it_is_told() {
    each(|db| async move {
        found_with(&db, shipped("K").terms()).await;
        let party = OccurrenceRow { occurrence: PARTY, points: Amount::ZERO, ..occurrence() };
        act(&db, 50, late(50), Act::OccurrenceSet(party)).await;
        let part = |serial: &str, n: u8| EventTold {
            occurrence: Some(PARTY),
            ..event(serial, n, (EarnKind::Activity, "salon"))
        };
        let waits = vec![("K21".to_owned(), 6, State::Waiting)];
        let (first, again, other) = (part("a1", 1), part("a2", 1), part("a3", 2));
        for (n, event) in (60..).zip([&first, &again, &other]) {
            tell(&db, n, event.clone()).await;
        }
        let id = again.id;
        let known = db.read(move |tx| store::event(tx, id)).await.expect("readable");
        assert_eq!((gave(&db, &first).await, known), (waits.clone(), None), "the same part");
        assert_eq!(gave(&db, &other).await, waits, "another member's");
        let work = move |tx: &mut Tx<'_>| {
            store::tell(tx, &again, (None, &Actor::Admin(TELLER)), (EntryId([63; 16]), late(63)))
        };
        assert_eq!(db.write(work).await.expect("asked"), Err(NotTold::Given));
        take_back(&db, 64, &first).await;
        let anew = part("a4", 1);
        tell(&db, 65, anew.clone()).await;
        assert_eq!(gave(&db, &anew).await, waits, "what was taken back counts no more");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_g08_an_old_customer_who_joins_is_rewarded_once_whoever_it_turns_out_to_be() {
    each(|db| async move {
        found_with(&db, shipped("G").terms()).await;
        let joined = |serial: &str, n: u8| event(serial, n, (EarnKind::Promo, "old-customer"));
        tell(&db, 60, joined("p1", 1)).await;
        tell(&db, 61, joined("p2", 1)).await;
        assert_eq!(points(&db, 1).await, 100, "once");
        tell(&db, 62, joined("p3", 2)).await;
        let merged = MembersMerged { survivor: member(3), merged: member(2), reason: Hash([0; 32]) };
        act(&db, 63, late(63), Act::MembersMerged(merged)).await;
        assert_eq!(points(&db, 3).await, 100, "brought over");
        tell(&db, 64, joined("p4", 3)).await;
        tell(&db, 65, joined("p5", 2)).await;
        assert_eq!(points(&db, 3).await, 100, "the one person had it");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_an_event_that_is_taken_back_gives_back_what_it_gave_and_counts_no_more() {
    each(|db| async move {
        found_with(&db, shipped("B").terms()).await;
        let bound = task("b1", "bind-account");
        tell(&db, 60, bound.clone()).await;
        let spent = PointsChange {
            id: Hash([7; 32]),
            member: member(1),
            points: -70,
            cause: "complaint".to_owned(),
            office: OFFICE_A,
            occurrence: None,
            fact: None,
            reason: Hash([7; 32]),
        };
        let spent = PointsChanged { changes: vec![spent], waits: false, trigger: None };
        act_of(&db, TELLER, 61, late(61), Act::PointsChanged(spent)).await;
        assert_eq!(points(&db, 1).await, 30);
        for n in [62, 63] {
            take_back(&db, n, &bound).await;
        }
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 70), "spent points are owed, once");
        assert_eq!(gave(&db, &bound).await, [("B3".to_owned(), 100, State::Returned)]);
        let id = bound.id;
        let known = db.read(move |tx| store::event(tx, id)).await.expect("readable").expect("kept");
        assert_eq!(known.taken.map(|taken| taken.reason), Some(Hash([0x1b; 32])));
        tell(&db, 64, bound).await;
        assert_eq!(owed(&db, 1).await, 70, "what was taken back is not told again under its serial");
        tell(&db, 65, task("b2", "bind-account")).await;
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (30, 0), "once for ever counts anew");
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k21_what_waits_is_returned_when_its_event_is_taken_back_and_never_approved() {
    each(|db| async move {
        found_with(&db, shipped("K").terms()).await;
        let care = event("c1", 1, (EarnKind::Care, ""));
        tell(&db, 60, care.clone()).await;
        take_back(&db, 61, &care).await;
        decide(&db, (62, OTHER), &care, true).await;
        assert_eq!(gave(&db, &care).await, [("K20".to_owned(), 5, State::Returned)]);
        assert_eq!((points(&db, 1).await, owed(&db, 1).await), (0, 0));
        replays(&db).await;
    })
    .await;
}

/// A club whose care gives 7 points and as much growth once all is paid, whose reviews give 3 of growth, and for level 2 more.
fn with_growth() -> Scheme {
    let mut club = Scheme::empty("club", 1, Day(0));
    let care = EarnRule {
        balance: Balance::Both,
        fixed_points: 7,
        gate_paid_percent: Some(100),
        ..EarnRule::new("V1", EarnKind::Care)
    };
    let per_yuan = EarnRule { per_fen: 100, points_per: 2, ..EarnRule::new("V2", EarnKind::Care) };
    let review = EarnRule {
        balance: Balance::Growth,
        fixed_points: 3,
        approval: Approval::Pending,
        ..EarnRule::new("B1", EarnKind::Task)
    };
    let of_rank = EarnRule { fixed_points: 50, ranks: vec![2], ..EarnRule::new("V3", EarnKind::Task) };
    club.earnings = vec![care, per_yuan, review, of_rank];
    club
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_k22_growth_points_gate_and_amount_are_as_the_rule_says() {
    each(|db| async move {
        let club = with_growth();
        assert!(club.not_done_yet().is_empty(), "the ledger does all of it");
        found_with(&db, club.terms()).await;
        let care = |serial: &str, percent| EventTold {
            cost: Amount(250),
            paid_percent: percent,
            ..event(serial, 1, (EarnKind::Care, ""))
        };
        tell(&db, 60, care("c1", 99)).await;
        assert_eq!((has(&db, 1, Unit::Pts).await, has(&db, 1, Unit::Growth).await), (4, 0), "the gate");
        tell(&db, 61, care("c2", 100)).await;
        assert_eq!((has(&db, 1, Unit::Pts).await, has(&db, 1, Unit::Growth).await), (15, 7));
        let review = task("r1", "review");
        tell(&db, 62, review.clone()).await;
        assert_eq!(
            gave(&db, &review).await,
            [("B1".to_owned(), 3, State::Waiting)],
            "and none of another rank"
        );
        decide(&db, (63, OTHER), &review, true).await;
        assert_eq!((has(&db, 1, Unit::Pts).await, has(&db, 1, Unit::Growth).await), (15, 10));
        take_back(&db, 64, &care("c2", 100)).await;
        assert_eq!((has(&db, 1, Unit::Pts).await, has(&db, 1, Unit::Growth).await), (4, 3));
        assert_eq!(count(&db, "sums_not_zero", vec![]).await, 0);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b03_a_rule_of_a_rank_is_for_who_was_brought_here_with_that_level_as_well() {
    each(|db| async move {
        found_with(&db, with_growth().terms()).await;
        let ladder = Ladder::of(&shipped("P")).expect("levels");
        let second = ladder.levels.iter().find(|level| level.rank == 2).map(|level| level.name.clone());
        let policy = Policy { levels: Some(ladder), ..Policy::default() };
        act(&db, 50, late(50), Act::PolicySet(Box::new(policy))).await;
        let brought = MemberSet {
            member: member(1),
            number: "M1".to_owned(),
            level: second,
            status: MemberStatus::Active,
            office: None,
            personal: Hash([1; 32]),
            joined: None,
        };
        act(&db, 51, late(51), Act::MembersSet(vec![brought])).await;
        tell(&db, 60, task("r1", "review")).await;
        tell(&db, 61, event("r2", 2, (EarnKind::Task, "review"))).await;
        assert_eq!((points(&db, 1).await, points(&db, 2).await), (50, 0), "growth of both waits");
        let ranks = async |n: u8| db.read(move |tx| levels::rank(tx, member(n))).await.expect("readable");
        assert_eq!((ranks(1).await, ranks(2).await), (2, 0), "whoever asks is told the same");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kind_17_an_event_is_rated_by_the_version_of_its_day() {
    each(|db| async move {
        let mut club = shipped("B");
        found_with(&db, club.terms()).await;
        club.version = 2;
        club.earnings.iter_mut().filter(|rule| rule.rule == "B3").for_each(|rule| rule.fixed_points = 9);
        act(&db, 60, late(1), Act::SchemeSet(club.terms())).await;
        tell(&db, 61, EventTold { day: TODAY.plus(-1), ..task("s1", "sign-in") }).await;
        assert_eq!(points(&db, 1).await, 5, "by the version of that day");
        tell(&db, 62, task("s2", "sign-in")).await;
        assert_eq!(points(&db, 1).await, 14, "by that of today");
        tell(&db, 63, EventTold { day: TODAY.plus(-9), ..task("s3", "sign-in") }).await;
        let id = task("s3", "").id;
        let known = db.read(move |tx| store::event(tx, id)).await.expect("readable").expect("kept");
        assert_eq!((known.scheme, points(&db, 1).await), (0, 14), "before every version");
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_k20_what_stands_against_an_event_is_said_before_it_is_told() {
    each(|db| async move {
        found_with(&db, shipped("B").terms()).await;
        let asked = async |n: u8, event: EventTold| {
            let work = move |tx: &mut Tx<'_>| {
                store::tell(tx, &event, (None, &Actor::Admin(TELLER)), (EntryId([n; 16]), late(n.into())))
            };
            db.write(work).await.expect("asked")
        };
        assert_eq!(asked(60, task("s1", "sign-in")).await, Ok(Told::Now));
        assert_eq!(asked(61, task("s1", "sign-in")).await, Ok(Told::Before));
        assert_eq!(asked(62, task("s1", "review")).await, Err(NotTold::Other));
        assert_eq!(asked(63, EventTold { day: TODAY.plus(1), ..task("s2", "") }).await, Err(NotTold::Day));
        assert_eq!(asked(64, event("s2", 9, (EarnKind::Task, ""))).await, Err(NotTold::Member));
        assert_eq!(asked(65, event("s2", 1, (EarnKind::Base, ""))).await, Err(NotTold::Kind));
        // An act that no shell asked for has no effect either.
        tell(&db, 66, event("s2", 9, (EarnKind::Task, "sign-in"))).await;
        tell(&db, 67, EventTold { id: Hash([1; 32]), ..task("s3", "sign-in") }).await;
        assert_eq!(points(&db, 1).await, 5);
        replays(&db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_x17_what_was_typed_about_an_event_goes_when_the_member_s_data_is_erased() {
    each(|db| async move {
        found_with(&db, shipped("B").terms()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::create(&folder.path().join("vault.key")).expect("a key file");
        let note = |n: u8| Note { commitment: Hash([n; 32]), sealed: vec![n] };
        let at = |n: u8| (EntryId([n; 16]), late(n.into()));
        for (n, serial, who) in [(60, "s1", 1), (61, "s2", 2)] {
            let typed = note(n);
            let event =
                EventTold { reason: typed.commitment, member: member(who), ..task(serial, "sign-in") };
            let work =
                move |tx: &mut Tx<'_>| store::tell(tx, &event, (Some(&typed), &Actor::Admin(TELLER)), at(n));
            assert_eq!(db.write(work).await.expect("asked"), Ok(Told::Now));
        }
        let typed = note(62);
        let back = EventTakenBack { event: task("s1", "").id, reason: typed.commitment };
        let work =
            move |tx: &mut Tx<'_>| store::take_back(tx, &back, (&typed, &Actor::Admin(TELLER)), at(62));
        assert_eq!(db.write(work).await.expect("asked"), Ok(()));
        assert_eq!(count(&db, "notes", vec![]).await, 3);
        let work = move |tx: &mut Tx<'_>| {
            erasure::erase(tx, &vault, at(63), &Actor::Admin(OTHER), (member(1), Hash([0x1e; 32])))
        };
        assert!(db.write(work).await.expect("erased"));
        assert_eq!(count(&db, "notes", vec![]).await, 1, "what was typed about the other one stays");
        replays(&db).await;
    })
    .await;
}

#[tokio::test]
async fn every_statement_about_events_is_one_that_both_databases_take() {
    prepare_all(&[&store::SQL]).await;
}
